// SPDX-License-Identifier: Apache-2.0
// A source written anew, mark by mark: the blanks between marks are set right, the marks stay. Comments,
// their order, and the author's choice of block and flow style stay with them.
#ifndef CONF_LAYOUT_H
#define CONF_LAYOUT_H

#include "conf/marks.h"

struct layout {
    // Puts another text for a scalar that stands as `raw` in the source, with its quotes or its header, and
    // returns true; false: it stays. The text must hold as many line breaks. May be NULL.
    bool (*scalar)(void *user, const struct conf_node *scalar, struct str raw, struct buf *out);
    void *user;
};

// Indentation of 2, lists below a key indented too; one blank between a key or a dash and what follows, and
// behind commas; none inside of brackets; no blanks at the ends of lines; at most one empty line; lines that
// end with a line feed. Comments behind something keep their column where there is room. Text in block
// scalars stays, moved as a whole. UNSUPPORTED, with nothing written, where there are `?` keys or documents
// that hold nothing but null.
MUST_USE enum pdp_err layout_print(const struct source *source, const struct marks *marks,
                                   const struct layout *layout, struct arena *arena, struct buf *out);

#endif
