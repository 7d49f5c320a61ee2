// SPDX-License-Identifier: Apache-2.0
#include "node/gate.h"

#include <stdatomic.h>
#include <stdlib.h>

struct held_back {
    struct held_back *next;
    struct node_ticket ticket;
    uint64_t seq;
    struct str answer, refusal; // behind it
};

// By the order in which they were parked, which is that of their steps: a later answer never waits for less.
struct gate {
    const struct journal *journal;
    void (*wake)(void *user);
    void *user;
    struct held_back *first, *last;
    _Atomic size_t count;
};

enum pdp_err gate_new(const struct journal *journal, void (*wake)(void *user), void *user, struct gate **out)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return PDP_ERR_NOMEM;
    }
    **out = (struct gate){.journal = journal, .wake = wake, .user = user};
    return PDP_ERR_OK;
}

static struct held_back *take(struct gate *gate)
{
    struct held_back *one = gate->first;
    gate->first = one->next;
    gate->last = gate->first != NULL ? gate->last : NULL;
    atomic_fetch_sub_explicit(&gate->count, 1, memory_order_relaxed);
    return one;
}

void gate_free(struct gate **gate_ptr)
{
    struct gate *gate = STEAL(*gate_ptr);
    while (gate != NULL && gate->first != NULL) {
        free(take(gate));
    }
    free(gate);
}

bool gate_holds(const struct gate *gate, uint64_t seq)
{
    return gate->journal != NULL && seq != 0 && journal_durable(gate->journal) < seq;
}

static struct held_back *held_back_of(struct str answer, struct str refusal)
{
    struct held_back *one = malloc(sizeof *one + answer.len + refusal.len + 1);
    if (one == NULL) {
        return NULL;
    }
    char *at = (char *)(one + 1);
    *one = (struct held_back){.answer = {at, answer.len}, .refusal = {at + answer.len, refusal.len}};
    if (answer.len != 0) {
        memcpy(at, answer.at, answer.len);
    }
    if (refusal.len != 0) {
        memcpy(at + answer.len, refusal.at, refusal.len);
    }
    return one;
}

static void hold(struct gate *gate, struct held_back *one, uint64_t seq)
{
    one->seq = seq;
    *(gate->last != NULL ? &gate->last->next : &gate->first) = one;
    gate->last = one;
    atomic_fetch_add(&gate->count, 1);
    // Either the writer sees the count after it has settled, or what it settled is seen here.
    atomic_thread_fence(memory_order_seq_cst);
    if (journal_durable(gate->journal) >= seq || journal_failed(gate->journal) >= seq) {
        gate->wake(gate->user);
    }
}

enum pdp_err gate_park(struct gate *gate, struct node_asking *asking, uint64_t seq, struct str answer,
                       struct str refusal)
{
    if (seq == UINT64_MAX) {
        return PDP_ERR_CLOSED;
    }
    struct held_back *one = held_back_of(answer, refusal);
    if (one == NULL) {
        return PDP_ERR_NOMEM;
    }
    enum pdp_err err = node_park(asking, &one->ticket);
    if (err != PDP_ERR_OK) {
        free(one);
        return err;
    }
    hold(gate, one, seq);
    return PDP_ERR_OK;
}

enum pdp_err gate_hold(struct gate *gate, struct node_ticket ticket, uint64_t seq, struct str answer,
                       struct str refusal)
{
    struct held_back *one = seq != UINT64_MAX ? held_back_of(answer, refusal) : NULL;
    if (one == NULL) {
        return seq != UINT64_MAX ? PDP_ERR_NOMEM : PDP_ERR_CLOSED;
    }
    one->ticket = ticket;
    hold(gate, one, seq);
    return PDP_ERR_OK;
}

void gate_release(struct gate *gate, struct node *node, struct node_now now)
{
    if (gate->journal == NULL) {
        return;
    }
    // In this order: what failed and was made durable after all is durable.
    uint64_t failed = journal_failed(gate->journal), durable = journal_durable(gate->journal);
    while (gate->first != NULL && (gate->first->seq <= durable || gate->first->seq <= failed)) {
        struct held_back *one = take(gate);
        // A peer that is gone asks again.
        (void)node_complete(node, one->ticket, one->seq <= durable ? one->answer : one->refusal, now);
        free(one);
    }
}

size_t gate_held(const struct gate *gate)
{
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load((_Atomic size_t *)(uintptr_t)&gate->count);
}
