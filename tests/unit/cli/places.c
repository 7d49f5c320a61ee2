// SPDX-License-Identifier: Apache-2.0
#include "cli/test/places.h"

#include "model/sighting.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

struct read {
    struct source source;
    struct arena arena;
    struct diags diags;
    struct geo_set *set;
    struct buf said;
    enum pdp_err err;
};

static void read_places(struct read *read, const char *yaml)
{
    struct conf_doc *docs = NULL;
    size_t count = 0;
    *read = (struct read){.source = {STR("places.yaml"), str_of(yaml)}};
    arena_init(&read->arena, 0, 0);
    diags_init(&read->diags, 100);
    cr_assert_eq(conf_parse(&read->source, &read->arena, &read->diags, &docs, &count), PDP_ERR_OK);
    cr_assert_eq(count, 1);
    read->err = places_read(docs[0].root, &read->arena, &read->diags, &read->set);
    diags_render(&read->diags, &read->said);
}

static void read_fini(struct read *read)
{
    geo_set_free(&read->set);
    buf_fini(&read->said);
    diags_fini(&read->diags);
    arena_fini(&read->arena);
}

static struct geo_place look(const struct read *read, const char *address)
{
    struct ip ip;
    struct geo_place place;
    cr_assert(ip_parse(str_of(address), &ip), "%s", address);
    geo_lookup(read->set, NULL, &ip, &place);
    return place;
}

Test(cli_places, come_back_as_they_were_said)
{
    struct read read;
    read_places(
        &read,
        "203.0.113.0/24: {country: DE, continent: EU, city: Berlin, latitude: 52.52, longitude: 13.405,"
        " radius_km: 20, asn: 3320, org: Spree Net}\n"
        "2001:db8:1::/48: {country: CH, latitude: -33.5, longitude: -70, asn: 4200000000}\n");
    cr_assert_eq(read.err, PDP_ERR_OK, "%.*s", (int)read.said.len, (const char *)read.said.at);
    struct geo_place berlin = look(&read, "203.0.113.77");
    cr_expect(str_eq(berlin.country, STR("DE")) && str_eq(berlin.continent, STR("EU")));
    cr_expect(str_eq(berlin.city, STR("Berlin")) && str_eq(berlin.org, STR("Spree Net")));
    cr_expect(berlin.lat_deg == 52.52 && berlin.lon_deg == 13.405 && berlin.radius_km == 20);
    cr_expect_eq(berlin.asn, 3320);
    cr_expect_eq(berlin.known & GEO_ANONYMITY, 0, "nobody told of it");
    struct geo_place there = look(&read, "2001:db8:1:2::3");
    cr_expect(str_eq(there.country, STR("CH")) && there.lat_deg == -33.5 && isnan(there.radius_km));
    cr_expect_eq(there.asn, 4200000000U);
    cr_expect_eq(look(&read, "203.0.114.1").known, 0);
    cr_expect_eq(look(&read, "2001:db8:2::1").known, 0);
    read_fini(&read);
}

Test(cli_places, every_class_of_network_is_told)
{
    static const struct {
        const char *facts;
        uint16_t flags;
    } CLASSES[] = {
        {"anonymous: true", SIGHT_ANONYMOUS},
        {"vpn: true", SIGHT_ANONYMOUS | SIGHT_VPN},
        {"hosting: true", SIGHT_HOSTING},
        {"proxy: true", SIGHT_ANONYMOUS | SIGHT_PROXY},
        {"tor: true", SIGHT_ANONYMOUS | SIGHT_TOR},
        {"residential_proxy: true", SIGHT_ANONYMOUS | SIGHT_RESIDENTIAL_PROXY},
        {"satellite: true", SIGHT_SATELLITE},
        {"carrier: true", SIGHT_CARRIER},
        {"relay: true", SIGHT_RELAY},
        {"network: hosting", SIGHT_HOSTING},
        {"vpn: false", 0},
        {"vpn: true, hosting: true, relay: true", SIGHT_ANONYMOUS | SIGHT_VPN | SIGHT_HOSTING | SIGHT_RELAY},
    };
    for (size_t i = 0; i < COUNT_OF(CLASSES); i++) {
        struct read read;
        char yaml[200];
        snprintf(yaml, sizeof yaml, "192.0.2.0/24: {%s}\n", CLASSES[i].facts);
        read_places(&read, yaml);
        cr_assert_eq(read.err, PDP_ERR_OK, "%s", CLASSES[i].facts);
        cr_expect_eq(look(&read, "192.0.2.9").flags, CLASSES[i].flags, "%s", CLASSES[i].facts);
        read_fini(&read);
    }
}

Test(cli_places, false_is_known_where_anonymity_is_told_at_all)
{
    struct read read;
    read_places(
        &read,
        "192.0.2.0/24: {vpn: true}\n203.0.113.0/24: {country: DE}\n198.51.100.0/24: {carrier: false}\n");
    cr_expect_neq(look(&read, "203.0.113.1").known & GEO_ANONYMITY, 0);
    cr_expect_eq(look(&read, "203.0.113.1").flags, 0);
    cr_expect_neq(look(&read, "198.51.100.1").known & GEO_LINK, 0);
    read_fini(&read);
}

Test(cli_places, the_longest_prefix_that_says_a_fact_wins)
{
    struct read read;
    read_places(&read, "10.1.2.0/24: {asn: 64500}\n10.0.0.0/8: {country: DE}\n10.1.0.0/16: {country: CH}\n"
                       "10.1.2.3/32: {country: AT}\n0.0.0.0/0: {country: US}\n::/0: {country: FR}\n");
    static const struct {
        const char *address, *country;
        uint32_t asn;
    } ADDRESSES[] = {{"10.1.2.3", "AT", 64500}, {"10.1.2.4", "CH", 64500}, {"10.1.3.1", "CH", 0},
                     {"10.2.0.1", "DE", 0},     {"192.0.2.1", "US", 0},    {"2001:db8::1", "FR", 0}};
    for (size_t i = 0; i < COUNT_OF(ADDRESSES); i++) {
        struct geo_place place = look(&read, ADDRESSES[i].address);
        cr_expect(str_eq(place.country, str_of(ADDRESSES[i].country)), "%s", ADDRESSES[i].address);
        cr_expect_eq(place.asn, ADDRESSES[i].asn, "%s", ADDRESSES[i].address);
    }
    read_fini(&read);
}

Test(cli_places, many_networks)
{
    struct read read;
    AUTO(buf_fini) struct buf yaml = {0};
    for (unsigned i = 0; i < 3000; i++) {
        buf_printf(&yaml, "10.%u.%u.0/24: {asn: %u}\n", i / 250, i % 250, i + 1);
    }
    buf_byte(&yaml, '\0');
    read_places(&read, (const char *)yaml.at);
    cr_assert_eq(read.err, PDP_ERR_OK);
    for (unsigned i = 0; i < 3000; i++) {
        char address[32];
        snprintf(address, sizeof address, "10.%u.%u.7", i / 250, i % 250);
        cr_assert_eq(look(&read, address).asn, i + 1, "%s", address);
    }
    read_fini(&read);
}

Test(cli_places, mistakes_are_told)
{
    static const struct {
        const char *yaml, *says;
    } MISTAKES[] = {
        {"203.0.113.0: {country: DE}\n", "a network of `places` is a prefix"},
        {"203.0.113.1/24: {country: DE}\n", "no bit set below the prefix"},
        {"10.0.0.0/8: {country: de}\n", "`country` is two capital letters"},
        {"10.0.0.0/8: {continent: EUR}\n", "`continent` is two capital letters"},
        {"10.0.0.0/8: {latitude: 52}\n", "a place needs both `latitude` and `longitude`"},
        {"10.0.0.0/8: {latitude: 91, longitude: 0}\n", "`latitude` must be from -90 to 90"},
        {"10.0.0.0/8: {vpm: true}\n", "did you mean `vpn`?"},
        {"10.0.0.0/8: {vpn: maybe}\n", "`vpn` cannot be `maybe`"},
        {"10.0.0.0/8: {network: hostin}\n", "did you mean `hosting`?"},
        {"10.0.0.0/8: {asn: 1}\n::ffff:10.0.0.0/104: {asn: 2}\n", "this network of `places` is said twice"},
    };
    for (size_t i = 0; i < COUNT_OF(MISTAKES); i++) {
        struct read read;
        read_places(&read, MISTAKES[i].yaml);
        cr_expect_neq(read.err, PDP_ERR_OK, "%s", MISTAKES[i].yaml);
        cr_expect_null(read.set);
        cr_expect_neq(str_find(buf_view(&read.said), str_of(MISTAKES[i].says), 0), SIZE_MAX, "%s\n%.*s",
                      MISTAKES[i].yaml, (int)read.said.len, (const char *)read.said.at);
        read_fini(&read);
    }
}
