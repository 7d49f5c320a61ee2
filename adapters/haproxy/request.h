// SPDX-License-Identifier: Apache-2.0
// A NOTIFY of HAProxy: the arguments of its one message, by name, as one request.
#ifndef HAPROXY_REQUEST_H
#define HAPROXY_REQUEST_H

#include "common/facts.h"
#include "haproxy/spop.h"

#define REQUEST_LINES_MOST 32 // header lines of one name
#define REQUEST_LIST_MOST 64  // roles, methods
#define REQUEST_WHY_MAX 160

// Where the session's id is taken from where no argument `session` says it. Both empty: nowhere else.
struct request_rules {
    struct text session_cookie, session_header;
};

// Borrowed from the payload and from itself: not to be copied.
struct request {
    struct facts facts;
    char address[46];
    struct text forwarded[FACTS_FORWARDED_MOST], roles[REQUEST_LIST_MOST], amr[REQUEST_LIST_MOST];
    char why[REQUEST_WHY_MAX]; // what is wrong, for the administrator; empty where nothing is
};

// Arguments: `method` and `target` are needed; `host`, `scheme` or `https`, `ip`, `forwarded_for`,
// `user_agent`, `cookie`, `headers` (all of them, as `req.hdrs_bin` gives them), `session`, `subject`,
// `subject_type`, `tenant`, `roles`, `auth_time`, `acr`, `amr`, `ja4`, `device`. One that is null was not
// there. `host`, `user_agent` and `session` win over what stands in `headers`; `forwarded_for` and `cookie`
// may not stand beside it.
//
// MALFORMED, with `why`: no message or more than one, an argument that is not known, is there twice or is of
// another kind, bytes that end too early; a cookie of the session's name, or a header that may be there once,
// with two values. Such a request is to be denied. LIMIT: more lines or entries than there is room for.
MUST_USE enum pdp_err request_read(struct spop_reader payload, const struct request_rules *rules,
                                   struct request *out);

#endif
