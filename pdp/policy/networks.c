// SPDX-License-Identifier: Apache-2.0
// HOT
#include "policy/networks.h"

#include "base/num.h"

static uint64_t of_key32(const struct networks_table *table, uint32_t key)
{
    uint32_t at = table != NULL ? rank32_find(&table->keys32, key) : RANK_NONE;
    return at != RANK_NONE ? table->masks[table->which[at]] : 0;
}

uint64_t networks_of_ip(const struct networks *networks, const struct ip *ip)
{
    if (ip->v4) {
        return of_key32(networks->tables[NETWORKS_V4], lists_v4(ip));
    }
    const struct networks_table *table = networks->tables[NETWORKS_V6];
    uint32_t at = table != NULL ? rank128_find(&table->keys128, lists_v6_key(ip)) : RANK_NONE;
    return at != RANK_NONE ? table->masks[table->which[at]] : 0;
}

uint64_t networks_of_asn(const struct networks *networks, uint32_t asn)
{
    return of_key32(networks->tables[NETWORKS_ASN], asn);
}

// What the lists of these bits say. Their number is bounded by NETWORKS_MOST; it is mostly none or one.
static uint32_t flags_of(const struct networks *networks, uint64_t bits, bool stale)
{
    uint32_t flags = 0;
    for (; bits != 0; bits &= bits - 1) {
        const struct networks_class *class = networks->classes[__builtin_ctzll(bits)];
        flags |= stale && class->relieves ? 0 : class->flags;
    }
    return flags;
}

static uint64_t stale_at(const struct networks *networks, int64_t now_ms)
{
    uint64_t stale = 0;
    for (uint64_t bits = networks->aging; bits != 0; bits &= bits - 1) {
        int list = __builtin_ctzll(bits);
        stale |= (uint64_t)lists_stale(networks->sets[list], now_ms) << list;
    }
    return stale;
}

void policy_network(const struct policy_lists *lists, const struct ip *ip, bool asn_told, uint32_t asn,
                    int64_t now_ms, struct policy_network *out)
{
    *out = (struct policy_network){0};
    const struct networks *networks = lists != NULL ? lists->networks : NULL;
    if (networks == NULL) {
        return;
    }
    uint64_t hits = networks_of_ip(networks, ip);
    hits |= asn_told && asn != 0 ? networks_of_asn(networks, asn) : 0;
    uint64_t stale = stale_at(networks, now_ms);
    uint64_t mute =
        asn_told ? stale : stale | networks->of_asns; // what is not in these may yet be of the class
    out->flags = flags_of(networks, hits & ~stale, false) | flags_of(networks, hits & stale, true);
    out->decided = networks->decides;
    out->unsure = flags_of(networks, mute, false) & ~out->flags;
}

int64_t policy_network_until(const struct policy_lists *lists, int64_t now_ms)
{
    const struct networks *networks = lists != NULL ? lists->networks : NULL;
    int64_t until_ms = INT64_MAX;
    for (uint64_t bits = networks != NULL ? networks->aging : 0; bits != 0; bits &= bits - 1) {
        until_ms = num_min(until_ms, lists_until(networks->sets[__builtin_ctzll(bits)], now_ms));
    }
    return until_ms;
}
