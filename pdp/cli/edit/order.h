// SPDX-License-Identifier: Apache-2.0
// The keys that people look for first, put first.
#ifndef CLI_EDIT_ORDER_H
#define CLI_EDIT_ORDER_H

#include "conf/conf.h"

// Writes `source` with the head of each document in the order apiVersion, kind, metadata (`whole`), or with
// id and effect first in rules, and names first in levels, cases, matrices and steps. A map keeps its order
// where a comment, an empty line or more stands between the entries that would have to move. false: nothing
// moves.
MUST_USE bool order_print(const struct source *source, const struct conf_doc *docs, size_t count, bool whole,
                          struct buf *out);

#endif
