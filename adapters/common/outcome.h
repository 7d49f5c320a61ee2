// SPDX-License-Identifier: Apache-2.0
// What a gateway does with an answer: let the request pass, ask for a proof, or refuse.
#ifndef COMMON_OUTCOME_H
#define COMMON_OUTCOME_H

#include "common/text.h"

#include <pdp/question.h>

// What goes back beside the status: as headers, as variables of HAProxy, as metadata of Envoy.
// X(NAME, variable, header)
#define OUTCOME_LIST(X)                       \
    X(EFFECT, "effect", "X-Pdp-Effect")       \
    X(RISK, "risk", "X-Pdp-Risk")             \
    X(LEVEL, "level", "X-Pdp-Level")          \
    X(CODE, "code", "X-Pdp-Code")             \
    X(RULE, "rule", "X-Pdp-Rule")             \
    X(REASON, "reason", "X-Pdp-Reason")       \
    X(MESSAGE, "message", "X-Pdp-Message")    \
    X(DECISION, "decision", "X-Pdp-Decision") \
    X(PATH, "path", "X-Pdp-Path")             \
    X(SESSION, "session", "X-Pdp-Session")

enum outcome_field {
#define X(name, variable, header) OUTCOME_##name,
    OUTCOME_LIST(X)
#undef X
    OUTCOME_FIELDS
};
const char *outcome_variable(enum outcome_field field); // `effect`
const char *outcome_header(enum outcome_field field);   // `X-Pdp-Effect`

#define OUTCOME_CHALLENGE_MAX 1024
#define OUTCOME_TEXT_MAX 1024

struct outcome {
    unsigned status; // 200, 401 or 403, and nothing else
    enum pdp_effect effect;
    bool ended;                            // the session is over: its cookie is of no more use
    char challenge[OUTCOME_CHALLENGE_MAX]; // of a 401: WWW-Authenticate; else empty
};

// NULL is a deny. 200 only where the answer allows; a step_up is 401 with the challenge of RFC 9470
// (insufficient_user_authentication, acr_values, max_age); all else is 403. A deny because the session was
// ended before counts as ended, too.
void outcome_of(const struct pdp_answer *answer, struct outcome *out);

// One field as it may stand in a header: control bytes are blanks, and what would be longer than
// OUTCOME_TEXT_MAX - 1 bytes is cut, but for the path, which is whole or empty. Returns the length; 0 and
// empty text where the answer says nothing of it.
size_t outcome_text(const struct pdp_answer *answer, enum outcome_field field, char *out, size_t room);

#endif
