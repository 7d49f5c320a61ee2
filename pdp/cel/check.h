// SPDX-License-Identifier: Apache-2.0
// Shared by the files of the checker.
#ifndef CEL_CHECK_H
#define CEL_CHECK_H

#include "cel/program.h"

#define CHECK_SCOPE_MAX 256

struct check_local {
    struct str name;
    const struct type *type;
};

struct checker {
    struct cel_program *p;
    struct unit *unit;
    const struct check_names *names;
    struct unify unify;
    struct check_local scope[CHECK_SCOPE_MAX];
    uint32_t scope_count;
    const struct ast *beside; // what a name is compared with, for hints; NULL: with nothing
    bool untyped;
};

const struct type *check_expr(struct checker *c, struct ast *ast);
// A call whose arguments were checked.
const struct type *check_call(struct checker *c, struct ast *ast);
// What an identifier or a chain of selections names. false: nothing as a whole; check its operand.
bool check_name(struct checker *c, struct ast *ast, const struct type **type);
// `level("high")`, `strength("mfa")`, `matches`, `within`, zones: constants are resolved here.
const struct type *check_special(struct checker *c, struct ast *ast, const struct type *type);

// A text that is compared with an attribute of an enum must be one of its texts.
void check_enum(struct checker *c, const struct ast *call);
// The same of attributes of which the language itself says more than a type: countries, roles. false: the
// call can be nothing that is meant, and was told; what its type is does not matter.
bool check_known(struct checker *c, const struct ast *call);
// Warns of what is well-typed and hardly meant: codes of no country, a scale from 0 to 1 where it goes to
// 100, a network with bits below its prefix.
void check_doubt(struct checker *c, const struct ast *call);
// The same of an attribute below one that is a list: `subject.roles.length`.
void check_doubt_field(struct checker *c, const struct ast *ast, const struct slot *slot);
// Is this attribute a list of text, by what the language says of it? Not of what a Schema declares.
bool check_is_list(struct str path);
// The slot that an expression is, as it stands or as a variable; NULL: it is something else.
const struct slot *check_slot_of(const struct checker *c, const struct ast *ast);

// Messages.
const char *say_ast(struct checker *c, const struct ast *ast);
const char *say_type(struct checker *c, const struct type *type); // `a string`
const char *say_name(struct checker *c, const struct type *type); // `string`
void say_mismatch(struct checker *c, const struct ast *left, const struct ast *right);
void say_not(struct checker *c, const struct ast *ast, const char *expected);
void say_no_overload(struct checker *c, const struct ast *call);

#endif
