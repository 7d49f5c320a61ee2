// SPDX-License-Identifier: Apache-2.0
#include "base/ring.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    HEAD_BYTES = 8, // of an item: its length; items begin at multiples of this
    RING_LEAST = 4096
};
static const uint64_t SKIP = UINT64_MAX; // in the place of a length: go on at the ring's beginning

// Both count bytes for ever; what lies between them is filled.
struct ring {
    _Alignas(64) _Atomic uint64_t put;
    uint64_t known_taken; // the writer's last look at `taken`
    _Alignas(64) _Atomic uint64_t taken;
    _Alignas(64) size_t bytes;
    unsigned char *at;
};

enum pdp_err ring_new(size_t bytes, struct ring **out)
{
    *out = NULL;
    invariant(bytes >= RING_LEAST && (bytes & (bytes - 1)) == 0);
    AUTO(ring_free) struct ring *ring = aligned_alloc(_Alignof(struct ring), sizeof *ring);
    if (ring == NULL) {
        return PDP_ERR_NOMEM;
    }
    memset(ring, 0, sizeof *ring);
    ring->bytes = bytes;
    ring->at = malloc(bytes);
    if (ring->at == NULL) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(ring);
    return PDP_ERR_OK;
}

void ring_free(struct ring **ring)
{
    if (*ring != NULL) {
        free((*ring)->at);
        free(*ring);
        *ring = NULL;
    }
}

static size_t item_bytes(size_t len)
{
    return HEAD_BYTES + (len + HEAD_BYTES - 1) / HEAD_BYTES * HEAD_BYTES;
}

// Free bytes that the item takes: its own, and those up to the ring's end where it does not fit before it.
static size_t takes(const struct ring *ring, uint64_t put, size_t len)
{
    size_t need = item_bytes(len), to_end = ring->bytes - (size_t)(put & (ring->bytes - 1));
    return need <= to_end ? need : to_end + need;
}

bool ring_fits(struct ring *ring, size_t len)
{
    uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
    if (len > ring->bytes / 4) {
        return false;
    }
    size_t need = takes(ring, put, len);
    if (ring->bytes - (size_t)(put - ring->known_taken) < need) {
        ring->known_taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    }
    return ring->bytes - (size_t)(put - ring->known_taken) >= need;
}

static void put_length(struct ring *ring, uint64_t at, uint64_t len)
{
    memcpy(ring->at + (size_t)(at & (ring->bytes - 1)), &len, sizeof len);
}

bool ring_put(struct ring *ring, const struct str *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += parts[i].len;
    }
    if (!ring_fits(ring, len)) {
        return false;
    }
    uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
    size_t to_end = ring->bytes - (size_t)(put & (ring->bytes - 1));
    if (item_bytes(len) > to_end) {
        put_length(ring, put, SKIP);
        put += to_end;
    }
    put_length(ring, put, len);
    unsigned char *at = ring->at + (size_t)(put & (ring->bytes - 1)) + HEAD_BYTES;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0) {
            memcpy(at, parts[i].at, parts[i].len);
            at += parts[i].len;
        }
    }
    atomic_store_explicit(&ring->put, put + item_bytes(len), memory_order_release);
    return true;
}

static uint64_t length_at(const struct ring *ring, uint64_t at)
{
    uint64_t len;
    memcpy(&len, ring->at + (size_t)(at & (ring->bytes - 1)), sizeof len);
    return len;
}

bool ring_peek(struct ring *ring, struct str *out)
{
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    if (taken == atomic_load_explicit(&ring->put, memory_order_acquire)) {
        return false;
    }
    uint64_t len = length_at(ring, taken);
    if (len == SKIP) {
        taken += ring->bytes - (size_t)(taken & (ring->bytes - 1));
        atomic_store_explicit(&ring->taken, taken, memory_order_release);
        len = length_at(ring, taken); // an item always follows: both are put at once
    }
    *out =
        (struct str){(const char *)ring->at + (size_t)(taken & (ring->bytes - 1)) + HEAD_BYTES, (size_t)len};
    return true;
}

void ring_drop(struct ring *ring)
{
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    uint64_t len = length_at(ring, taken);
    atomic_store_explicit(&ring->taken, taken + item_bytes((size_t)len), memory_order_release);
}
