// SPDX-License-Identifier: Apache-2.0
// What each function and macro of the language does, in a line: for editors and for docs/functions.md.
#ifndef CEL_DOCS_H
#define CEL_DOCS_H

#include "base/buf.h"
#include "cel/func.h"

// One line, lower case, without a full stop. Never NULL; empty of an operator.
const char *docs_func(enum func_id id);
// How many overloads there are, and one of them as people write it: `string.startsWith(string): bool`.
size_t docs_overloads(enum func_id id);
void docs_overload(enum func_id id, size_t overload, struct buf *out);
// Is the first argument, or the target, of one of the overloads of this letter (func.h)? `*` takes all.
bool docs_takes(enum func_id id, char letter);

struct docs_macro {
    const char *name;
    bool member;       // called on a list, map or optional
    const char *usage; // `list.exists(x, condition)`
    const char *help;
};
const struct docs_macro *docs_macros(size_t *count);

// All of them as a table in Markdown.
void docs_print(struct buf *out);

#endif
