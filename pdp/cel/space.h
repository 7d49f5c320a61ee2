// SPDX-License-Identifier: Apache-2.0
// An expression's text with its blanks set right, for formatters.
#ifndef CEL_SPACE_H
#define CEL_SPACE_H

#include "base/arena.h"
#include "base/buf.h"

// Writes `text` with one blank around operators and behind commas, none inside of brackets, and text in
// double quotes where that changes no meaning. Line breaks, comments and the blanks beside them stay. With
// `plain` no blank is set beside a colon: a plain scalar of YAML would end there. false, with `out` as it
// was: it has no tokens that could be told apart, or would not keep them all.
MUST_USE bool space_print(struct str text, bool plain, struct arena *arena, struct buf *out);

// Have two texts the same tokens? They are then the same expression.
bool space_same(struct str one, struct str other, struct arena *arena);

#endif
