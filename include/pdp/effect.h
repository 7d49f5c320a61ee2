// SPDX-License-Identifier: Apache-2.0
// Effects and codes of an answer. A zeroed effect is deny, and a zeroed code is malformed.
#ifndef PDP_EFFECT_H
#define PDP_EFFECT_H

#include <pdp/err.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// X(name, wire name, rank: the higher, the more restrictive)
#define PDP_EFFECT_LIST(X)   \
    X(DENY, "deny", 2)       \
    X(ALLOW, "allow", 0)     \
    X(STEP_UP, "step_up", 1) \
    X(TERMINATE, "terminate", 3)

enum pdp_effect {
#define X(name, text, rank) PDP_EFFECT_##name,
    PDP_EFFECT_LIST(X)
#undef X
    PDP_EFFECT_COUNT
};

// Why an answer is what it is. X(name, wire name, what it means)
#define PDP_CODE_LIST(X)                                                                       \
    X(MALFORMED, "malformed", "the question could not be read")                                \
    X(POLICY, "policy", "a rule decided")                                                      \
    X(NO_POLICY, "no-policy", "no policy's target holds")                                      \
    X(NO_RULE, "no-rule", "no rule allows this")                                               \
    X(UNSURE, "unsure", "a rule could not be decided for certain")                             \
    X(LOCKED, "locked", "an analyst's lock holds")                                             \
    X(TERMINATED, "terminated", "the session was ended before")                                \
    X(EXPIRED, "expired", "a limit of the session has passed")                                 \
    X(FIXATION, "fixation", "the session belongs to another subject")                          \
    X(OVERLOADED, "overloaded", "too many questions at once")                                  \
    X(STALE, "stale", "policies or controls are too old to decide by")                         \
    X(CANNOT_STEP_UP, "cannot-step-up", "a step-up was asked of a subject that cannot do one") \
    X(NO_ANSWER, "no-answer", "no answer came in time")                                        \
    X(CONCURRENT, "concurrent", "the subject has as many sessions as it may")                  \
    X(REUSED, "reused", "an id was used that another one had replaced")

enum pdp_code {
#define X(name, text, meaning) PDP_CODE_##name,
    PDP_CODE_LIST(X)
#undef X
    PDP_CODE_COUNT
};

// Wire names; static, never NULL; an unknown number gives `deny` and `malformed`. Any thread.
PDP_API const char *pdp_effect_name(enum pdp_effect effect);
PDP_API const char *pdp_code_name(enum pdp_code code);

// How restrictive an effect is: allow 0, step_up 1, deny 2, terminate 3; an unknown number counts 2.
PDP_API int pdp_effect_rank(enum pdp_effect effect);

#ifdef __cplusplus
}
#endif
#endif
