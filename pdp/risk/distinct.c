// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/distinct.h"

#include <string.h>

bool distinct_add(struct distinct *set, uint32_t hash)
{
    if (set->over != 0 && hash > set->least[DISTINCT_ROOM - 1]) {
        return false;
    }
    size_t at = set->count;
    while (at > 0 && set->least[at - 1] > hash) {
        at--;
    }
    if (at > 0 && set->least[at - 1] == hash) {
        return false;
    }
    if (set->count == DISTINCT_ROOM) {
        set->over = 1;
        if (at == DISTINCT_ROOM) {
            return true;
        }
    } else {
        set->count++;
    }
    memmove(&set->least[at + 1], &set->least[at], (set->count - at - 1U) * sizeof set->least[0]);
    set->least[at] = hash;
    return true;
}

// Of two that are sorted: how many different ones there are up to `most`.
static uint32_t together(const struct distinct *a, const struct distinct *b, uint32_t most)
{
    uint32_t count = 0;
    size_t i = 0, k = 0;
    for (;;) {
        uint64_t x = i < a->count ? a->least[i] : UINT64_MAX, y = k < b->count ? b->least[k] : UINT64_MAX;
        uint64_t next = x < y ? x : y;
        if (next > most) {
            return count;
        }
        count++;
        i += x == next;
        k += y == next;
    }
}

uint32_t distinct_count(const struct distinct *a, const struct distinct *b)
{
    // Up to here both hold all that they were given.
    uint32_t whole = UINT32_MAX;
    const struct distinct *sets[2] = {a, b};
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        if (sets[i]->over != 0 && sets[i]->least[DISTINCT_ROOM - 1] < whole) {
            whole = sets[i]->least[DISTINCT_ROOM - 1];
        }
    }
    uint32_t count = together(a, b, whole);
    if (a->over == 0 && b->over == 0) {
        return count;
    }
    // All of them are spread as these are: so many up to `whole`, the last of which lies on it.
    uint64_t all = ((uint64_t)(count - 1) << 32) / ((uint64_t)whole + 1);
    uint32_t least = together(a, b, UINT32_MAX);
    all = all > least ? all : least;
    return all < UINT32_MAX ? (uint32_t)all : UINT32_MAX;
}

bool distinct_valid(const struct distinct *set)
{
    if (set->count > DISTINCT_ROOM || set->over > 1 || (set->over != 0 && set->count != DISTINCT_ROOM)) {
        return false;
    }
    for (size_t i = 1; i < set->count; i++) {
        if (set->least[i] <= set->least[i - 1]) {
            return false;
        }
    }
    return true;
}
