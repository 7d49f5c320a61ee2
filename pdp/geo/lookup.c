// SPDX-License-Identifier: Apache-2.0
// HOT
#include "geo/geo.h"
#include "geo/set.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
    CACHE_MOST = 1 << 20,
    V4_AT = 12,
};

struct slot {
    uint64_t serial; // of the set that answered; 0: empty
    struct ip ip;
    struct geo_place place;
};

struct geo_cache {
    size_t mask;
    struct slot slots[];
};

enum pdp_err geo_cache_new(size_t entries, struct geo_cache **out)
{
    *out = NULL;
    size_t count = 1;
    while (count < entries && count < CACHE_MOST) {
        count *= 2;
    }
    struct geo_cache *cache = calloc(1, sizeof *cache + count * sizeof *cache->slots);
    if (cache == NULL) {
        return PDP_ERR_NOMEM;
    }
    cache->mask = count - 1;
    *out = cache;
    return PDP_ERR_OK;
}

void geo_cache_free(struct geo_cache **cache)
{
    free(*cache);
    *cache = NULL;
}

// A peer that picks addresses which meet in one slot gains what it gains by asking for new ones: a miss.
static struct slot *slot_of(struct geo_cache *cache, const struct ip *ip)
{
    uint64_t high = 0, low = 0;
    memcpy(&high, ip->bytes, sizeof high);
    memcpy(&low, ip->bytes + sizeof high, sizeof low);
    uint64_t mixed = (high ^ low * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
    return &cache->slots[(mixed >> 32 ^ mixed >> 12) & cache->mask];
}

// A tree of IPv6 keeps IPv4 under ::/96, but an IPv6 address there is none of IPv4's.
static bool in_v4_tree(const struct ip *ip)
{
    static const uint8_t ZERO[V4_AT] = {0};
    return !ip->v4 && memcmp(ip->bytes, ZERO, sizeof ZERO) == 0;
}

static bool find(const MMDB_s *mmdb, const struct ip *ip, MMDB_lookup_result_s *out)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    if (ip->v4) {
        address.v4.sin_family = AF_INET;
        memcpy(&address.v4.sin_addr, ip->bytes + V4_AT, sizeof address.v4.sin_addr);
    } else {
        address.v6.sin6_family = AF_INET6;
        memcpy(&address.v6.sin6_addr, ip->bytes, sizeof address.v6.sin6_addr);
    }
    int status = MMDB_SUCCESS;
    *out = MMDB_lookup_sockaddr(mmdb, &address.any, &status);
    return status == MMDB_SUCCESS;
}

static void look_up(const struct geo_set *set, const struct ip *ip, struct geo_place *out)
{
    schema_clear(out);
    out->version = set->version;
    if (in_v4_tree(ip)) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct set_database *database = set->databases[i];
        MMDB_lookup_result_s result;
        if ((!ip->v4 && database->mmdb.metadata.ip_version == 4) || !find(&database->mmdb, ip, &result)) {
            continue;
        }
        out->known |= database->schema.facts & GEO_ANONYMITY;
        if (result.found_entry) {
            schema_read(database->schema.groups, &result.entry, out);
        }
    }
}

void geo_lookup(const struct geo_set *set, struct geo_cache *cache, const struct ip *ip,
                struct geo_place *out)
{
    if (set == NULL || set->count == 0) {
        schema_clear(out);
        return;
    }
    if (cache == NULL) {
        look_up(set, ip, out);
        return;
    }
    struct slot *slot = slot_of(cache, ip);
    if (slot->serial != set->serial || !ip_eq(&slot->ip, ip)) {
        look_up(set, ip, &slot->place);
        slot->ip = *ip;
        slot->serial = set->serial;
    }
    *out = slot->place;
}
