// SPDX-License-Identifier: Apache-2.0
// Documents of policies and tests in one layout, without a change of meaning.
#ifndef CLI_EDIT_FORMAT_H
#define CLI_EDIT_FORMAT_H

#include "conf/conf.h"

// Writes `source` in the layout of docs/cli.md, comments and all, into `out`. Both texts are parsed and
// compared: the same nodes (of an expression the same tokens, of a map the same entries), the same comments
// in the same order, or nothing is written. Lines end with a line feed; with a carriage return before it where
// all lines of `source` do. What is no YAML is reported in `diags` (SYNTAX and the like).
// UNSUPPORTED: `?` keys, or documents that hold nothing but null. STATE: the texts would differ, or what was
// written would be written otherwise the next time; both are mistakes of ours.
MUST_USE enum pdp_err format_source(const struct source *source, struct diags *diags, struct buf *out);

#endif
