// SPDX-License-Identifier: Apache-2.0
// A whole database: what the walk finds sound, libmaxminddb must open, and every answer must be in bounds.
#include "geo/geo.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void look(const struct geo_set *set, struct geo_cache *cache, struct ip ip)
{
    struct geo_place place;
    geo_lookup(set, cache, &ip, &place);
    check(str_is_utf8(place.city) && str_is_utf8(place.org) && place.city.len <= 255 && place.org.len <= 255);
    check(place.country.len == 0 || place.country.len == 2);
    check(isnan(place.lat_deg) || (fabs(place.lat_deg) <= 90 && fabs(place.lon_deg) <= 180));
    check(isnan(place.radius_km) || place.radius_km >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct geo_set *set = NULL;
    struct geo_cache *cache = NULL;
    char why[160];
    if (geo_set_new(&set) != PDP_ERR_OK || geo_cache_new(4, &cache) != PDP_ERR_OK) {
        abort();
    }
    enum pdp_err err = geo_set_add(set, STR("fuzz"), bytes, len, why);
    check((err == PDP_ERR_OK) == (why[0] == '\0'));
    // Addresses that the tree may know, of both families, and what the input itself holds.
    static const char *const IPS[] = {"203.0.113.7", "198.51.100.200", "192.0.2.1",
                                      "0.0.0.0",     "2001:db8:1::1",  "ffff::"};
    for (size_t i = 0; i < COUNT_OF(IPS); i++) {
        struct ip ip;
        check(ip_parse(str_of(IPS[i]), &ip));
        look(set, cache, ip);
    }
    for (size_t at = 0; at + 16 <= len && at < 1024; at += 16) {
        struct ip ip = {.v4 = false};
        memcpy(ip.bytes, bytes + at, sizeof ip.bytes);
        look(set, cache, ip);
    }
    geo_cache_free(&cache);
    geo_set_free(&set);
    return 0;
}
