// SPDX-License-Identifier: Apache-2.0
// Envoy's CheckRequest as a question, and an answer as its CheckResponse.
#ifndef ENVOY_CHECK_H
#define ENVOY_CHECK_H

#include "common/text.h"

#include <pdp/question.h>

#define CHECK_MESSAGE_MAX 65536 // bytes of a CheckRequest

// What the settings say of requests. Lives as long as the adapter.
struct check_rules {
    const char *session_cookie, *session_header; // where the session's id is; NULL: not there
    bool rewrite;                                // the canonical path replaces `:path`
};

// Fills an empty question from the bytes of a CheckRequest. *target is a copy of the request's target, to be
// freed, for the response. Any error means that the request is to be denied: MALFORMED for what is no
// CheckRequest, DUPLICATE where a session is named in two ways, LIMIT, NOMEM, and those of the question.
// *target is then NULL.
MUST_USE enum pdp_err check_ask(const struct check_rules *rules, struct text message,
                                struct pdp_question *question, char **target);

// The bytes of the CheckResponse: OK only where the answer allows and names a path that fits the target;
// `answer` may be NULL, and `target`, too, where it denies. *bytes is to be freed. NOMEM leaves it NULL.
MUST_USE enum pdp_err check_reply(const struct check_rules *rules, const struct pdp_answer *answer,
                                  const char *target, unsigned char **bytes, size_t *len);

// A CheckResponse that denies, which needs no memory. Static.
struct text check_denial(void);

#endif
