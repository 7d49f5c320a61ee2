// SPDX-License-Identifier: Apache-2.0
// HOT
// Counters of one question: what it would add, what they hold, what was added in the end.
#include "engine/ask.h"

#include <math.h>

// ---- Weighing: before the question is judged ------------------------------------------------------------

static double amount_of(const struct value *value)
{
    switch (value->kind) {
    case VALUE_INT:
        return (double)value->as.i;
    case VALUE_UINT:
        return (double)value->as.u;
    case VALUE_DOUBLE:
        return value->as.d;
    default:
        return -1;
    }
}

static void unsure(struct ask_count *count, struct value why)
{
    count->counts = TRUTH_UNSURE;
    count->amount = INFINITY;
    count->unsure = why;
}

static struct value said(const char *words)
{
    return (struct value){.kind = VALUE_ERROR, .n = CEL_ERROR_SAID, .as.text = words};
}

static void weigh_amount(struct ask *ask, const struct policy_counter *counter, struct ask_count *count)
{
    count->amount = 1;
    if (counter->add == UINT32_MAX) {
        return;
    }
    struct value add = cel_run(ask_frame(ask), counter->add);
    if (add.kind == VALUE_ERROR) {
        unsure(count, add);
        return;
    }
    count->amount = amount_of(&add);
    if (!(count->amount >= 0 && isfinite(count->amount))) {
        unsure(count, said(counter->bad_add));
    }
}

static void weigh(struct ask *ask, const struct policy_counter *counter, struct ask_count *count)
{
    *count = (struct ask_count){.counts = TRUTH_YES};
    // What a repeat adds was added when it was asked first.
    count->there = ask->repeat != NULL && (counter->any || ask->repeat->effect == (uint8_t)PDP_EFFECT_ALLOW);
    if (counter->when != UINT32_MAX) {
        struct value when = cel_run(ask_frame(ask), counter->when);
        if (when.kind != VALUE_BOOL) {
            unsure(count, when.kind == VALUE_ERROR ? when : said(counter->bad_when));
            return;
        }
        count->counts = when.as.b ? TRUTH_YES : TRUTH_NO;
    }
    if (count->counts == TRUTH_YES) {
        weigh_amount(ask, counter, count);
    }
}

bool ask_weigh_counters(struct ask *ask)
{
    size_t number = 0;
    const struct policy_counter *counters = policy_counters(ask->snapshot->policies, &number);
    // In shadow a question does what it did when it was judged: it is added at most once.
    if (number == 0 || ask->counts != NULL) {
        return true;
    }
    ask->counts = ARENA_ARRAY(&ask->worker->arena, struct ask_count, number);
    for (size_t i = 0; ask->counts != NULL && i < number; i++) {
        weigh(ask, &counters[i], &ask->counts[i]);
    }
    return ask->counts != NULL;
}

// ---- Keys: of the tenant and of values with their kind ----------------------------------------------------

struct part {
    uint64_t kind, len;
    struct hash128 bytes;
};

static struct part part_of(struct hash_key key, uint64_t kind, const void *bytes, size_t len)
{
    return (struct part){kind, len, hash_128(key, bytes, len)};
}

// Numbers that are equal are one key, however they are written.
static bool part_of_number(struct hash_key key, const struct value *value, struct part *out)
{
    static const double WHOLE_MOST = 9007199254740992.0; // up to here doubles are exact
    double d = amount_of(value);
    int64_t i = value->as.i;
    bool whole = value->kind == VALUE_INT || (value->kind == VALUE_UINT && value->as.u <= INT64_MAX);
    if (value->kind == VALUE_DOUBLE && fabs(d) <= WHOLE_MOST && d == (double)(int64_t)d) {
        i = (int64_t)d;
        whole = true;
    }
    *out = whole                       ? part_of(key, VALUE_INT, &i, sizeof i)
           : value->kind == VALUE_UINT ? part_of(key, VALUE_UINT, &value->as.u, sizeof value->as.u)
                                       : part_of(key, VALUE_DOUBLE, &d, sizeof d);
    return !isnan(d);
}

static bool part_of_value(struct hash_key key, const struct value *value, struct part *out)
{
    switch (value->kind) {
    case VALUE_STRING:
        *out = part_of(key, VALUE_STRING, value->as.text, value->n);
        return true;
    case VALUE_BOOL:
        *out = part_of(key, VALUE_BOOL, &value->as.b, sizeof value->as.b);
        return true;
    case VALUE_IP:
        *out = part_of(key, VALUE_IP + (value->as.ip->v4 ? 256U : 0U), value->as.ip->bytes,
                       sizeof value->as.ip->bytes);
        return true;
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        return part_of_number(key, value, out);
    default:
        return false;
    }
}

// The key of this question, made once. false: *why is an error.
static bool key_of(struct ask *ask, const struct policy_counter *counter, struct ask_count *count,
                   struct value *why)
{
    struct part parts[1 + POLICY_COUNTER_KEYS_MOST] = {{0}};
    struct hash_key key = ask->worker->engine->counter_key;
    struct str tenant = ask->request->tenant;
    if (count->hashed) {
        return true;
    }
    parts[0] = part_of(key, VALUE_STRING, tenant.at, tenant.len);
    for (uint32_t i = 0; i < counter->key_count; i++) {
        struct value value = cel_attr(ask_frame(ask), counter->key[i]);
        if (value.kind == VALUE_ERROR || !part_of_value(key, &value, &parts[1 + i])) {
            *why = value.kind == VALUE_ERROR ? value : said(counter->bad_key);
            return false;
        }
    }
    count->key = hash_128(key, parts, (1 + counter->key_count) * sizeof parts[0]);
    count->hashed = true;
    return true;
}

// ---- Reading and adding ----------------------------------------------------------------------------------

bool ask_counter(struct ask *ask, uint32_t number, struct value *out)
{
    size_t most = 0;
    const struct policy_counter *counter = &policy_counters(ask->snapshot->policies, &most)[number];
    ask->counter_met = true;
    if (ask->counts == NULL || number >= most) {
        return false; // an event, which counts nowhere
    }
    struct ask_count *count = &ask->counts[number];
    struct counters_table *table = ask->snapshot->counters[number];
    if (table == NULL) {
        return false;
    }
    if (count->counts == TRUTH_UNSURE) {
        *out = count->unsure;
        return true;
    }
    if (!key_of(ask, counter, count, out)) {
        return true;
    }
    double held = counters_read(table, count->key, ask->now_ms);
    held += count->there ? 0 : count->amount;
    *out = isfinite(held) ? value_double(held) : said(counter->bad_past);
    return true;
}

void ask_add_counters(struct ask *ask, enum pdp_effect effect)
{
    size_t number = 0;
    const struct policy_counter *counters = policy_counters(ask->snapshot->policies, &number);
    for (size_t i = 0; ask->counts != NULL && i < number; i++) {
        struct ask_count *count = &ask->counts[i];
        struct value why;
        if (count->amount == 0 || (effect != PDP_EFFECT_ALLOW && !counters[i].any)) {
            continue;
        }
        ask->counter_met = true; // whoever answers this from a cache does not count it
        if (!ask->moves || ask_in_shadow(ask) || count->there || ask->snapshot->counters[i] == NULL ||
            !key_of(ask, &counters[i], count, &why)) {
            continue;
        }
        counters_add(ask->snapshot->counters[i], count->key, count->amount, ask->now_ms);
        count->there = true;
    }
}
