// SPDX-License-Identifier: Apache-2.0
// HOT
// How often each rule decided, a worker for itself.
#include "engine/ask.h"

void ask_count_rule(const struct ask *ask, const struct policy_result *result)
{
    const struct snapshot_scratch *scratch = &ask->snapshot->scratch[ask->worker->index];
    atomic_ullong *hits = atomic_load_explicit(&scratch->hits, memory_order_relaxed);
    if (hits != NULL && result->first < policy_rule_count(ask->snapshot->policies) && !ask_in_shadow(ask) &&
        ask->candidate == NULL) {
        counter_add(&hits[result->first]);
    }
}

static uint64_t hits_of(const struct snapshot *snapshot, size_t rule)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SNAPSHOT_WORKERS_MAX; i++) {
        atomic_ullong *hits = atomic_load_explicit(&snapshot->scratch[i].hits, memory_order_acquire);
        sum += hits != NULL ? atomic_load_explicit(&hits[rule], memory_order_relaxed) : 0;
    }
    return sum;
}

// Into its place among those found so far, the most first.
static size_t insert(struct engine_rule_hits *out, size_t count, size_t most, uint32_t rule, uint64_t hits)
{
    size_t at = count < most ? count : most;
    while (at > 0 && out[at - 1].hits < hits) {
        at--;
    }
    if (at == most) {
        return count;
    }
    size_t last = count < most ? count : most - 1;
    memmove(&out[at + 1], &out[at], (last - at) * sizeof *out);
    out[at].rule = rule;
    out[at].hits = hits;
    return last + 1;
}

size_t engine_top_rules(struct engine *engine, struct worker *worker, struct engine_rule_hits *out,
                        size_t most)
{
    (void)engine;
    size_t count = 0;
    const struct snapshot *snapshot = worker_pin(worker);
    size_t rules = snapshot != NULL ? policy_rule_count(snapshot->policies) : 0;
    for (uint32_t i = 0; i < rules; i++) {
        uint64_t hits = hits_of(snapshot, i);
        count = hits > 0 ? insert(out, count, most, i, hits) : count;
    }
    for (size_t i = 0; i < count; i++) {
        struct str name = str_sub(policy_rule_name(snapshot->policies, out[i].rule), 0, sizeof out->name - 1);
        memset(out[i].name, 0, sizeof out[i].name);
        memcpy(out[i].name, name.at, name.len);
        out[i].effect = policy_rule_effect(snapshot->policies, out[i].rule);
    }
    worker_unpin(worker);
    return count;
}
