// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/state.h"

struct risk_entry *state_find(struct risk_state *state, uint16_t slot)
{
    for (size_t i = 0; i < STATE_ENTRIES; i++) {
        if (state->entries[i].slot == slot && state->entries[i].value != 0) {
            return &state->entries[i];
        }
    }
    return NULL;
}

// Does it have less left; of equals the one with the higher number, so that order does not matter.
static bool gives_way(double left, uint16_t slot, double least, uint16_t other)
{
    return left < least || (left == least && slot > other);
}

// Makes room at the end: without the one with the least left. false: that is the new one.
static bool make_room(struct risk_state *state, const struct risk_entry *entry, risk_left *left,
                      const void *user)
{
    size_t weakest = STATE_ENTRIES;
    uint16_t slot = entry->slot;
    double least = left(user, entry);
    for (size_t i = 0; i < STATE_ENTRIES; i++) {
        double theirs = left(user, &state->entries[i]);
        if (gives_way(theirs, state->entries[i].slot, least, slot)) {
            weakest = i;
            least = theirs;
            slot = state->entries[i].slot;
        }
    }
    if (weakest < STATE_ENTRIES) {
        state_drop(state, state->entries[weakest].slot);
    }
    return weakest < STATE_ENTRIES;
}

void state_keep(struct risk_state *state, const struct risk_entry *entry, risk_left *left, const void *user)
{
    if (state->entries[STATE_ENTRIES - 1].value != 0 && !make_room(state, entry, left, user)) {
        return;
    }
    size_t at = STATE_ENTRIES - 1;
    for (; at > 0 && (state->entries[at - 1].value == 0 || state->entries[at - 1].slot > entry->slot); at--) {
        state->entries[at] = state->entries[at - 1];
    }
    state->entries[at] = *entry;
}

void state_drop(struct risk_state *state, uint16_t slot)
{
    size_t kept = 0;
    for (size_t i = 0; i < STATE_ENTRIES; i++) {
        if (state->entries[i].value != 0 && state->entries[i].slot != slot) {
            state->entries[kept++] = state->entries[i];
        }
    }
    for (; kept < STATE_ENTRIES; kept++) {
        state->entries[kept] = (struct risk_entry){0};
    }
}
