// SPDX-License-Identifier: Apache-2.0
// Envoy's CheckRequest as a question, and an answer as its CheckResponse.
#ifndef ENVOY_CHECK_H
#define ENVOY_CHECK_H

#include "common/text.h"

#include <pdp/question.h>

#define CHECK_MESSAGE_MAX 65536 // bytes of a CheckRequest
#define CHECK_NAME_ROOM 256

struct identity;

// What the settings say of requests. Lives as long as the adapter.
struct check_rules {
    struct identity *identity;
    bool rewrite; // the canonical path replaces `:path`
};

// What the response has to know of the request.
struct check_asked {
    char *target;                  // the request's, as it came; owned
    char subject[CHECK_NAME_ROOM]; // empty: nobody, or a name that is too long
    char cookie[CHECK_NAME_ROOM];  // that the session came from; empty: none
    // Of a request that is refused unasked; static, NULL where there is nothing to say.
    const char *challenge; // with it, the refusal is a 401
    const char *why;       // for administrators
};

// Fills an empty question from the bytes of a CheckRequest. `believed`: the peer is a gateway of ours. Any
// error means that the request is to be denied, with what *asked says: MALFORMED for what is no CheckRequest,
// DENIED for a peer that is not believed and for whom the identity does not take, LIMIT, NOMEM, and those of
// the question. *asked is good for check_reply in any case, and is to be freed by check_asked_fini.
MUST_USE enum pdp_err check_ask(const struct check_rules *rules, struct text message, bool believed,
                                int64_t now_ms, struct pdp_question *question, struct check_asked *asked);
void check_asked_fini(struct check_asked *asked);

// The bytes of the CheckResponse: OK only where the answer allows and names a path that fits the target;
// `answer` may be NULL. *bytes is to be freed. NOMEM leaves it NULL.
MUST_USE enum pdp_err check_reply(const struct check_rules *rules, const struct pdp_answer *answer,
                                  const struct check_asked *asked, unsigned char **bytes, size_t *len);

// A CheckResponse that denies, which needs no memory. Static.
struct text check_denial(void);

#endif
