// SPDX-License-Identifier: Apache-2.0
// Either a remote daemon or an engine in this process, behind one face: an adapter is written once.
#ifndef PDP_DECIDER_H
#define PDP_DECIDER_H

#include <pdp/question.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pdp_client;
struct pdp_engine;
struct pdp_decider;

// What a decider can do. Grows at the end; `size` tells how far it reaches.
struct pdp_decider_ops {
    size_t size;
    enum pdp_err (*decide)(const struct pdp_decider *decider, const struct pdp_question *question,
                           int64_t now_ms, int32_t deadline_ms, struct pdp_answer **answer);
    enum pdp_err (*event)(const struct pdp_decider *decider, const struct pdp_question *event, int64_t now_ms,
                          int32_t deadline_ms, struct pdp_answer **answer);
    enum pdp_err (*ask)(const struct pdp_decider *decider, const struct pdp_question *message,
                        const char *gateway, int64_t now_ms, int32_t deadline_ms, pdp_answered answered,
                        void *user);
};

// Two pointers, copied freely. Zeroed, it denies.
struct pdp_decider {
    const struct pdp_decider_ops *ops;
    void *self; // borrowed: the client or engine must outlive the decider
};

// From libpdp and libpdp-engine respectively. Any thread, no cost.
PDP_API struct pdp_decider pdp_decider_of_client(struct pdp_client *client);
PDP_API struct pdp_decider pdp_decider_of_engine(struct pdp_engine *engine);

// As pdp_decide and pdp_engine_decide. A daemon uses its own clock and ignores now_ms; an engine answers at
// once and ignores deadline_ms.
static inline enum pdp_err pdp_decider_decide(const struct pdp_decider *decider,
                                              const struct pdp_question *question, int64_t now_ms,
                                              int32_t deadline_ms, struct pdp_answer **answer)
{
    *answer = NULL;
    if (decider->ops == NULL) {
        return PDP_ERR_CLOSED;
    }
    return decider->ops->decide(decider, question, now_ms, deadline_ms, answer);
}

static inline enum pdp_err pdp_decider_event(const struct pdp_decider *decider,
                                             const struct pdp_question *event, int64_t now_ms,
                                             int32_t deadline_ms, struct pdp_answer **answer)
{
    *answer = NULL;
    if (decider->ops == NULL) {
        return PDP_ERR_CLOSED;
    }
    return decider->ops->event(decider, event, now_ms, deadline_ms, answer);
}

// Sends any message as it stands (question, batch, event, search), for a gateway or for nobody (NULL), and
// tells the answer by a call, as pdp_ask_async: OK means that `answered` is called once, maybe before this
// returns, on this thread or another, where it must not block. Any other value: it never is. UNSUPPORTED: the
// decider is of a library that is older than this function.
static inline enum pdp_err pdp_decider_ask(const struct pdp_decider *decider,
                                           const struct pdp_question *message, const char *gateway,
                                           int64_t now_ms, int32_t deadline_ms, pdp_answered answered,
                                           void *user)
{
    if (decider->ops == NULL) {
        return PDP_ERR_CLOSED;
    }
    if (decider->ops->size < offsetof(struct pdp_decider_ops, ask) + sizeof decider->ops->ask) {
        return PDP_ERR_UNSUPPORTED;
    }
    return decider->ops->ask(decider, message, gateway, now_ms, deadline_ms, answered, user);
}

#ifdef __cplusplus
}
#endif
#endif
