// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/rank.h"

static size_t padded(size_t count)
{
    return (count + RANK_WIDTH - 1) / RANK_WIDTH * RANK_WIDTH;
}

// How many keys of each level stand in the one above it: one of each block.
static size_t above(size_t count)
{
    return (count + RANK_WIDTH - 1) / RANK_WIDTH;
}

enum pdp_err rank32_build(struct rank32 *rank, const uint32_t *keys, size_t count, struct arena *arena)
{
    *rank = (struct rank32){0};
    const uint32_t *from = keys;
    for (size_t step = 1; count > 0; step = RANK_WIDTH) {
        if (rank->height == RANK_LEVELS || count > UINT32_MAX - RANK_WIDTH) {
            return PDP_ERR_LIMIT;
        }
        uint32_t *to = arena_alloc(arena, padded(count) * sizeof *to, 64);
        if (to == NULL) {
            return PDP_ERR_NOMEM;
        }
        for (size_t i = 0; i < padded(count); i++) {
            to[i] = i < count ? from[i * step] : UINT32_MAX;
        }
        rank->levels[rank->height++] = (struct rank_level32){to, (uint32_t)count};
        from = to;
        count = count <= RANK_WIDTH ? 0 : above(count);
    }
    return PDP_ERR_OK;
}

enum pdp_err rank128_build(struct rank128 *rank, const struct rank_key128 *keys, size_t count,
                           struct arena *arena)
{
    *rank = (struct rank128){0};
    const struct rank_key128 *from = keys;
    for (size_t step = 1; count > 0; step = RANK_WIDTH) {
        if (rank->height == RANK_LEVELS || count > UINT32_MAX - RANK_WIDTH) {
            return PDP_ERR_LIMIT;
        }
        struct rank_key128 *to = arena_alloc(arena, padded(count) * sizeof *to, 64);
        if (to == NULL) {
            return PDP_ERR_NOMEM;
        }
        for (size_t i = 0; i < padded(count); i++) {
            to[i] = i < count ? from[i * step] : (struct rank_key128){UINT64_MAX, UINT64_MAX};
        }
        rank->levels[rank->height++] = (struct rank_level128){to, (uint32_t)count};
        from = to;
        count = count <= RANK_WIDTH ? 0 : above(count);
    }
    return PDP_ERR_OK;
}

// A whole block is looked at, without a branch on what it holds; padding counts where the key is the highest
// there is, and is cut off by the level's count.
uint32_t rank32_find(const struct rank32 *rank, uint32_t key)
{
    uint32_t block = 0;
    for (uint32_t level = rank->height; level-- > 0;) {
        const uint32_t *keys = rank->levels[level].keys + (size_t)block * RANK_WIDTH;
        uint32_t below = 0;
        for (unsigned i = 0; i < RANK_WIDTH; i++) {
            below += keys[i] <= key;
        }
        if (below == 0) {
            return RANK_NONE; // only at the top: further down, the first of a block is at or below
        }
        block = block * RANK_WIDTH + below - 1;
        uint32_t last = rank->levels[level].count - 1;
        block = block < last ? block : last;
    }
    return rank->height > 0 ? block : RANK_NONE;
}

uint32_t rank128_find(const struct rank128 *rank, struct rank_key128 key)
{
    uint32_t block = 0;
    for (uint32_t level = rank->height; level-- > 0;) {
        const struct rank_key128 *keys = rank->levels[level].keys + (size_t)block * RANK_WIDTH;
        uint32_t below = 0;
        for (unsigned i = 0; i < RANK_WIDTH; i++) { // halving waits for each step: slower
            below += rank_at_or_below(keys[i], key);
        }
        if (below == 0) {
            return RANK_NONE;
        }
        block = block * RANK_WIDTH + below - 1;
        uint32_t last = rank->levels[level].count - 1;
        block = block < last ? block : last;
    }
    return rank->height > 0 ? block : RANK_NONE;
}
