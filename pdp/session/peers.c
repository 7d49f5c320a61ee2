// SPDX-License-Identifier: Apache-2.0
#include "session/peers.h"

#include "base/num.h"

#define MINUTE_MS INT64_C(60000)
#define PROBES 8 // places in which a peer's credit may lie

void peers_init(struct peers *peers, uint32_t per_minute)
{
    *peers = (struct peers){.per_minute = per_minute};
    peers->others.credit = per_minute * MINUTE_MS;
    invariant(pthread_mutex_init(&peers->lock, NULL) == 0);
}

void peers_fini(struct peers *peers)
{
    pthread_mutex_destroy(&peers->lock);
}

static void fill(const struct peers *peers, struct peer_credit *slot, int64_t now_ms)
{
    int64_t full = peers->per_minute * MINUTE_MS;
    int64_t passed = num_min(num_max(num_sub_sat(now_ms, slot->at_ms), 0), MINUTE_MS);
    slot->credit = num_min(full, slot->credit + passed * peers->per_minute);
    slot->at_ms = now_ms;
}

// A place is free once its peer's credit would be full again: nothing is lost with it.
static bool is_free(const struct peer_credit *slot, int64_t now_ms)
{
    return (slot->at_ms == 0 && slot->credit == 0) || num_sub_sat(now_ms, slot->at_ms) >= MINUTE_MS;
}

static struct peer_credit *find_slot(struct peers *peers, uint64_t peer)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        struct peer_credit *slot = &peers->slots[(peer + i) % PEERS_MAX];
        if (slot->peer == peer && (slot->at_ms != 0 || slot->credit != 0)) {
            return slot;
        }
    }
    return NULL;
}

static struct peer_credit *find_or_make(struct peers *peers, uint64_t peer, int64_t now_ms)
{
    struct peer_credit *slot = find_slot(peers, peer);
    for (uint64_t i = 0; slot == NULL && i < PROBES; i++) {
        struct peer_credit *free_slot = &peers->slots[(peer + i) % PEERS_MAX];
        if (is_free(free_slot, now_ms)) {
            *free_slot = (struct peer_credit){peer, now_ms, peers->per_minute * MINUTE_MS};
            slot = free_slot;
        }
    }
    return slot != NULL ? slot : &peers->others;
}

bool peers_take(struct peers *peers, uint64_t peer, int64_t now_ms)
{
    if (peers->per_minute == 0) {
        return true;
    }
    pthread_mutex_lock(&peers->lock);
    struct peer_credit *slot = find_or_make(peers, peer, now_ms);
    fill(peers, slot, now_ms);
    bool taken = slot->credit >= MINUTE_MS;
    slot->credit -= taken ? MINUTE_MS : 0;
    pthread_mutex_unlock(&peers->lock);
    return taken;
}

void peers_give(struct peers *peers, uint64_t peer)
{
    if (peers->per_minute == 0) {
        return;
    }
    pthread_mutex_lock(&peers->lock);
    struct peer_credit *slot = find_slot(peers, peer);
    slot = slot != NULL ? slot : &peers->others;
    slot->credit = num_min(peers->per_minute * MINUTE_MS, slot->credit + MINUTE_MS);
    pthread_mutex_unlock(&peers->lock);
}
