// SPDX-License-Identifier: Apache-2.0
// Shapes as JSON Schema (2020-12), for editors and other programs.
#ifndef CLI_EDIT_SCHEMA_H
#define CLI_EDIT_SCHEMA_H

#include "cli/edit/shapes.h"

// Of one kind, or of every document by its `kind` where `one` is NULL; indented, ends with a line feed.
void schema_print(const struct shapes *shapes, const struct conf_shape *one, struct buf *out);

#endif
