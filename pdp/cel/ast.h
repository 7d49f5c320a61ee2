// SPDX-License-Identifier: Apache-2.0
// The syntax tree of one expression, and what turns text into it.
#ifndef CEL_AST_H
#define CEL_AST_H

#include "cel/func.h"
#include "cel/types.h"

enum ast_kind {
    AST_LIT,    // lit
    AST_IDENT,  // name
    AST_SELECT, // args[0].name; AST_TEST: has(); AST_OPTIONAL: .?
    AST_CALL,   // func, args (the target first where AST_MEMBER); func F_NONE: `name` is not known
    AST_LIST,   // args; AST_ELEM on an element: [?e]
    AST_MAP,    // args: key, value, …; AST_ELEM on a key: {?k: v}
    AST_COMP,   // comp: args[0] over var, var2; args[1] is the filter or predicate; args[2] what it makes
    AST_BIND,   // var stands for args[0] in args[1]
};

enum {
    AST_TEST = 1,
    AST_OPTIONAL = 2,
    AST_ROOTED = 4, // written with a leading dot
    AST_MEMBER = 8,
    AST_ELEM = 16, // an element or key that is optional: [?e], {?k: v}
};

enum comp_kind {
    COMP_ALL,
    COMP_EXISTS,
    COMP_ONE,
    COMP_LIST,    // map, filter, transformList
    COMP_MAP,     // transformMap
    COMP_ENTRIES, // transformMapEntry
    COMP_OPT_MAP,
    COMP_OPT_FLAT,
};

// What a name was found to mean; set by the checker on IDENT and SELECT.
enum ref_kind {
    REF_NONE,
    REF_LOCAL, // ref: level
    REF_SLOT,  // ref: slot
    REF_NOW,
    REF_EXPR, // ref: node of an expression added before
    REF_SET,  // ref: index of the set's declaration
    REF_TYPE, // ref: enum value_kind
    REF_UNBOUND,
};

struct ast {
    uint8_t kind, flags, comp, ref_kind;
    uint16_t height;
    uint16_t func;              // enum func_id
    uint32_t at, len;           // in the text
    uint32_t name_at, name_len; // of the field or function name
    uint32_t ref;
    uint32_t count;
    struct ast **args;
    struct str name, var, var2;
    struct value lit;
    const struct type *type;
};

// One expression being compiled. All in `arena`, which is dropped afterwards.
struct unit {
    const struct cel_text *text;
    struct diags *diags;
    struct arena *arena;
    uint32_t depth_max; // of nesting
    bool no_macros;
    enum pdp_err err; // of the first mistake
    struct ast *root;
};

// Reports a mistake at a range of the text; returns err. Off the hot path.
enum pdp_err unit_error(struct unit *unit, enum pdp_err err, uint32_t at, uint32_t len, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
// The same of what is no mistake in itself, and hardly what was meant.
void unit_warning(struct unit *unit, uint32_t at, uint32_t len, const char *fmt, ...) PRINTF_LIKE(4, 5);
void unit_hint(struct unit *unit, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Escaped, shortened text of a range of the source, for messages. NUL-terminated in the unit's arena.
const char *unit_quote(struct unit *unit, uint32_t at, uint32_t len);
const char *unit_quote_str(struct unit *unit, struct str s);

// Text to tree, macros expanded. Reports the first syntax error.
MUST_USE enum pdp_err parse_unit(struct unit *unit);

// For parse.c and macro.c.
struct ast *ast_new(struct unit *unit, enum ast_kind kind, uint32_t at, uint32_t end);
// Gives `ast` its children and its height. *ok false (reported) where it is too deep or memory is out.
bool ast_children(struct unit *unit, struct ast *ast, struct ast *const *args, size_t count);
struct ast *ast_call(struct unit *unit, enum func_id func, struct ast *const *args, size_t count, uint32_t at,
                     uint32_t end);
// Replaces a call that is a macro. false after a reported mistake; leaves other calls alone.
bool macro_expand(struct unit *unit, struct ast **call);

#endif
