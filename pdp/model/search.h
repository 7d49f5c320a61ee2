// SPDX-License-Identifier: Apache-2.0
// A search (AuthZEN 1.0): which subjects, resources or actions would be allowed. Taken apart as a question
// is, but for what it looks for.
#ifndef MODEL_SEARCH_H
#define MODEL_SEARCH_H

#include "model/request.h"

#define SEARCH_LIMIT_MAX 1000 // results of a page

// X(name, word on the wire)
#define SEARCH_PART_LIST(X) \
    X(SUBJECT, "subject")   \
    X(RESOURCE, "resource") \
    X(ACTION, "action")

enum search_part {
    SEARCH_NONE, // the message is no search
#define X(name, text) SEARCH_##name,
    SEARCH_PART_LIST(X)
#undef X
    SEARCH_PART_COUNT
};
const char *search_part_name(enum search_part part);

struct search {
    enum search_part part;  // what it looks for
    struct request request; // without the id or name that it looks for; `root` is the message as it came
    struct str token;       // of the page before; at NULL: this is the first
    uint32_t limit;         // results of a page, 1 to SEARCH_LIMIT_MAX
};

// As request_read, of what is left of a search without `search`, `page` and the id that it looks for, which
// may be missing (SEARCH_NONE: nothing may).
MUST_USE enum pdp_err request_read_search(const struct value *root, enum search_part part,
                                          struct request *out, struct fault *why);

// Is the message a search (it has `search`)? Whether it is a good one, search_read says.
bool search_is(const struct value *root);

// Takes a search apart. MALFORMED, with *why, as request_read, and where it has `event`, `evaluations` or
// `hits` as well, looks for something else, or has a bad `page`. The id of what it looks for, and of a search
// for actions the whole action, are not read. A greater `page.limit` than SEARCH_LIMIT_MAX is that. NOMEM.
MUST_USE enum pdp_err search_read(const struct value *root, struct arena *arena, struct search *out,
                                  struct fault *why);

// What all pages of a search have in common: the message without `page.token`, and without what is of one
// message alone (`request_id`, `deadline_ms`, `gateway`). In the arena; NOMEM.
MUST_USE enum pdp_err search_common(const struct value *root, struct arena *arena, struct value *out);

#endif
