// SPDX-License-Identifier: Apache-2.0
// JSON for people: one line a value.
#ifndef CLI_EDIT_INDENT_H
#define CLI_EDIT_INDENT_H

#include "base/buf.h"

// Writes JSON without blanks anew, its lines broken and indented by two, with a line feed at the end.
void indent_json(struct str json, struct buf *out);

#endif
