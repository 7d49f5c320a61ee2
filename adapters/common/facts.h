// SPDX-License-Identifier: Apache-2.0
// One HTTP request as a gateway got it, and the question that it makes. Every adapter asks by this, so that
// every way in is judged alike: what came is handed over, and the decision point judges address and path.
#ifndef COMMON_FACTS_H
#define COMMON_FACTS_H

#include "common/text.h"

#include <pdp/question.h>

#define FACTS_FORWARDED_MOST 64 // entries of X-Forwarded-For that are handed over: the last ones

// What is not there has `at` NULL; nothing is copied.
struct facts {
    struct text method, target; // as they stood in the request line, with the query
    struct text host, scheme;
    struct text address;              // that connected to the gateway
    const struct text *forwarded_for; // entries of X-Forwarded-For, in their order
    size_t forwarded_count;
    struct text user_agent, fingerprint, ja4;

    // Who it is, by whatever the adapter believes.
    struct text tenant, subject_type, subject_id; // without an id: `anonymous`
    struct text session_id;
    bool has_auth_time;
    int64_t auth_time_s; // seconds since 1970
    struct text acr;
    const struct text *amr, *roles;
    size_t amr_count, role_count;
};

// Fills an empty question: `action.name` is the method, `resource` the route with the raw target as its id
// and `host` and `scheme` (in lower case) as properties. The question's sticky error (text that is not UTF-8,
// NUL inside); asked all the same, such a question is denied.
MUST_USE enum pdp_err facts_ask(const struct facts *facts, struct pdp_question *question);

// The entries of one or several X-Forwarded-For lines (`a, b`), blanks trimmed, empty ones kept since they
// say that somebody wrote nonsense: the last `room` of them. Returns how many.
size_t facts_forwarded(const struct text *lines, size_t count, struct text *out, size_t room);

#endif
