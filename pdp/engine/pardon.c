// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/pardon.h"

#include "engine/control.h"

// Of those that a model has from a number on.
static uint32_t bits_of(const struct risk_model *model, size_t first, struct str signals)
{
    uint32_t bits = 0;
    for (size_t from = 0; from < signals.len;) {
        size_t end = str_find_byte(signals, ' ', from);
        struct str name = str_sub(signals, from, end - from);
        for (size_t i = first; i < risk_signal_count(model); i++) {
            bits |= str_eq(risk_signal_name(model, i), name) ? UINT32_C(1) << i : 0;
        }
        from = end + 1;
    }
    return bits;
}

uint32_t pardon_bits(struct str signals)
{
    return signals.len == 0 ? UINT32_MAX : bits_of(NULL, 0, signals);
}

// Of several the latest counts: it takes in what the others do. One that may be meant pardons nothing. A
// control outlives snapshots, so the model's own signals are found by their names.
static void meet(void *user, const struct control *control, enum truth truth)
{
    struct ask *ask = user;
    struct ask_pardons *pardons = &ask->pardons;
    uint32_t bits =
        control->signal_bits | bits_of(ask->snapshot->risk, risk_signal_count(NULL), control->signals);
    for (size_t i = 0; truth == TRUTH_YES && i < RISK_SIGNALS_MAX; i++) {
        bool meant = (bits >> i & 1) != 0;
        if (meant && control->created_ms > pardons->at.at_ms[i]) {
            pardons->at.at_ms[i] = control->created_ms;
            pardons->by[i] = control;
        }
    }
}

const struct risk_pardons *pardon_find(struct ask *ask)
{
    struct control_facts facts;
    if (!controls_any(ask->controls, CONTROLS_PARDONS)) {
        return NULL;
    }
    for (size_t i = 0; i < RISK_SIGNALS_MAX; i++) {
        ask->pardons.at.at_ms[i] = INT64_MIN;
        ask->pardons.by[i] = NULL;
    }
    control_facts(ask, CONTROLS_PARDONS, &facts);
    controls_find(ask->controls, CONTROLS_PARDONS, &facts, ask->now_ms, meet, ask);
    return &ask->pardons.at;
}

void pardon_bound(struct ask *ask)
{
    for (size_t i = 0; ask->risk.pardoned >> i != 0; i++) {
        if ((ask->risk.pardoned >> i & 1) != 0) {
            ask->risk.until_ms = num_min(ask->risk.until_ms, ask->pardons.by[i]->expires_ms);
        }
    }
}

size_t pardon_used(const struct ask *ask, const struct control *out[static RISK_SIGNALS_MAX],
                   uint32_t bits[static RISK_SIGNALS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; ask->has_risk && i < RISK_SIGNALS_MAX; i++) {
        if ((ask->risk.pardoned >> i & 1) == 0) {
            continue;
        }
        size_t at = 0;
        while (at < count && out[at] != ask->pardons.by[i]) {
            at++;
        }
        if (at == count) {
            out[count] = ask->pardons.by[i];
            bits[count++] = 0;
        }
        bits[at] |= UINT32_C(1) << i;
    }
    return count;
}

struct str pardon_words(const struct ask *ask, const struct control *pardon)
{
    static const struct str SAYS = {" sets evidence from before it aside", 35};
    char *at = arena_alloc(&ask->worker->arena, pardon->name.len + SAYS.len, 1);
    if (at == NULL) {
        return pardon->name;
    }
    memcpy(at, pardon->name.at, pardon->name.len);
    memcpy(at + pardon->name.len, SAYS.at, SAYS.len);
    return (struct str){at, pardon->name.len + SAYS.len};
}
