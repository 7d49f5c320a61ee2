// SPDX-License-Identifier: Apache-2.0
// What the files of searches share: one page while it is made.
#ifndef ENGINE_SEARCH_INNER_H
#define ENGINE_SEARCH_INNER_H

#include "engine/ask.h"
#include "engine/search.h"
#include "policy/narrow.h"

struct searching {
    struct worker *worker;
    struct snapshot *snapshot;
    const struct peer *peer;
    const struct value *root;
    int64_t now_ms;
    struct search search;
    struct str path; // canonical, of a fixed route
    struct entities_walk walk;
    struct str after;     // where the page begins; at NULL: at the first candidate
    struct entity *found; // in the arena
    size_t found_count, bytes, looked;
    struct str last; // that was looked at
    bool more;       // there is a candidate behind it
    bool lost;       // one could not be judged, for want of memory
};

// Which candidates are worth a look (search_narrow.c). In the arena.
void search_narrow(struct searching *s, struct narrowed *out);

#endif
