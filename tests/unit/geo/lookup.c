// SPDX-License-Identifier: Apache-2.0
#include "data/geo_sets.h"
#include "geo/geo.h"

#include <math.h>

Test(geo_lookup, without_a_set_nothing_is_known)
{
    AUTO(geo_set_free) struct geo_set *empty = NULL;
    cr_assert_eq(geo_set_new(&empty), PDP_ERR_OK);
    const struct geo_set *sets[] = {NULL, empty};
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct geo_place place = look(sets[i], "203.0.113.7");
        cr_expect(place.known == 0 && place.version == 0 && place.flags == 0 && place.asn == 0);
        cr_expect(isnan(place.lat_deg) && isnan(place.lon_deg) && isnan(place.radius_km));
        cr_expect(place.country.len == 0 && place.city.len == 0 && place.org.len == 0 &&
                  place.continent.len == 0);
    }
    cr_expect_eq(geo_set_version(empty), 0);
}

Test(geo_lookup, a_cache_of_any_size_changes_no_answer)
{
    AUTO(geo_set_free) struct geo_set *set = set_of("city,asn,anonymous");
    static const size_t SIZES[] = {0, 1, 3, 64};
    for (size_t size = 0; size < COUNT_OF(SIZES); size++) {
        AUTO(geo_cache_free) struct geo_cache *cache = NULL;
        cr_assert_eq(geo_cache_new(SIZES[size], &cache), PDP_ERR_OK);
        for (unsigned i = 0; i < 3000; i++) {
            struct ip ip;
            cr_assert(ip_parse(i % 3 == 0 ? STR("203.0.113.0")
                                          : (i % 3 == 1 ? STR("192.0.2.0") : STR("2001:db8:1:f000::")),
                               &ip));
            ip.bytes[15] = (uint8_t)(i * 7);
            struct geo_place plain, cached;
            geo_lookup(set, NULL, &ip, &plain);
            geo_lookup(set, cache, &ip, &cached);
            cr_assert(plain.known == cached.known && plain.asn == cached.asn && plain.flags == cached.flags &&
                      str_eq(plain.city, cached.city) && plain.version == cached.version);
        }
    }
}

Test(geo_lookup, a_cache_outlives_its_sets)
{
    AUTO(geo_cache_free) struct geo_cache *cache = NULL;
    cr_assert_eq(geo_cache_new(8, &cache), PDP_ERR_OK);
    struct ip ip;
    cr_assert(ip_parse(STR("203.0.113.7"), &ip));
    // The third set has the version of the first, whose memory is gone.
    static const char *const FILES[] = {"city", "city-moved", "city"};
    static const char *const CITIES[] = {"Berlin", "Sydney", "Berlin"};
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        AUTO(geo_set_free) struct geo_set *set = set_of(FILES[i]);
        for (int again = 0; again < 2; again++) {
            struct geo_place place;
            geo_lookup(set, cache, &ip, &place);
            cr_expect(str_eq(place.city, str_of(CITIES[i])), "%zu: " STR_FMT, i, STR_ARG(place.city));
        }
    }
    struct geo_place place;
    geo_lookup(NULL, cache, &ip, &place);
    cr_expect(place.known == 0 && place.city.len == 0);
}
