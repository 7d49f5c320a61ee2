// SPDX-License-Identifier: Apache-2.0
// How two texts differ, line by line.
#ifndef CLI_EDIT_LINES_H
#define CLI_EDIT_LINES_H

#include "base/buf.h"

// A unified diff with three lines around each change; nothing where the texts are the same. Of very long
// changes all old lines come before all new ones.
void lines_diff(const char *name, struct str was, struct str is, struct buf *out);

#endif
