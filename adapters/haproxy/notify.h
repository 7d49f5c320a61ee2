// SPDX-License-Identifier: Apache-2.0
// A NOTIFY of HAProxy: the arguments of its one message, by name, as one request.
#ifndef HAPROXY_NOTIFY_H
#define HAPROXY_NOTIFY_H

#include "common/identity.h"
#include "haproxy/spop.h"

#define NOTIFY_HEADERS_MOST 128 // HAProxy takes 101 unless it is told otherwise
#define NOTIFY_LINES_MOST 32    // of X-Forwarded-For
#define NOTIFY_LIST_MOST 64     // roles, methods
#define NOTIFY_WHY_MAX 160

// Who it is, beyond what arguments say. Borrowed.
struct notify_rules {
    struct identity *identity; // NULL: nothing is looked for in headers
    bool needs_headers;        // it looks for something: without headers the configuration is wrong
};

// Borrowed from the payload and from itself: not to be copied. To be given to notify_fini.
struct notify {
    struct facts facts;
    char address[46];
    struct text forwarded[FACTS_FORWARDED_MOST], roles[NOTIFY_LIST_MOST], amr[NOTIFY_LIST_MOST];
    struct identity_read read;
    char why[NOTIFY_WHY_MAX]; // what is wrong, for the administrator; empty where nothing is
    const char *challenge;    // of DENIED: for WWW-Authenticate
};

// Arguments: `method` and `target` are needed; `host`, `scheme` or `https`, `ip`, `headers` (all of them, as
// `req.hdrs_bin` gives them) or single ones, `forwarded_for`, `cookie`, `authorization`, `user_agent`; and
// `session`, `subject`, `subject_type`, `tenant`, `roles`, `auth_time`, `acr`, `amr`, `ja4`, `device`. One
// that is null was not there, and is not looked for elsewhere.
//
// MALFORMED, with `why`: no message or more than one, an argument that is not known, is there twice or is of
// another kind, bytes that end too early, a header or cookie that may be there once with two values. LIMIT:
// more lines or entries than there is room for. DENIED: there is a token that is not valid, or none where one
// must be. Such a request is to be denied; its facts are empty.
MUST_USE enum pdp_err notify_read(struct spop_reader payload, const struct notify_rules *rules,
                                  int64_t now_ms, struct notify *out);
void notify_fini(struct notify *notify);

#endif
