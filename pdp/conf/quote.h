// SPDX-License-Identifier: Apache-2.0
// Scalars of one line as YAML text, with the quotes that they need and no others.
#ifndef CONF_QUOTE_H
#define CONF_QUOTE_H

#include "conf/conf.h"

// Does text mean the same without quotes, to everybody? It does where it is one word of letters, digits and
// `- _ .` that starts with a letter, and none that some readers take for a truth, a number or nothing.
bool quote_free(struct str text);
// Can it stand in quotes on one line without an escape but `''`? It has no control characters.
bool quote_simple(struct str text);
// Puts simple text in quotes: double ones, or single ones where it holds `"` or a backslash.
void quote_put(struct str text, struct buf *out);
// The same of an expression that stands in single quotes: it keeps them, or double ones where it holds `'`
// and neither `"` nor a backslash.
void quote_expr(struct str text, struct buf *out);

#endif
