// SPDX-License-Identifier: Apache-2.0
#include "geo/schema.h"

#include "data/geo_sets.h"
#include "model/sighting.h"

#include <math.h>

static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

#define PLACE (GEO_COUNTRY | GEO_CONTINENT | GEO_CITY | GEO_COORDINATES)
#define NETWORK (GEO_ASN | GEO_ORG)
#define BERLIN "DE", "EU", "Berlin", 52.52, 13.405, 20
#define NEW_YORK "US", "NA", "New York", 40.7128, -74.006, 20
#define SYDNEY "AU", "OC", "Sydney", -33.8688, 151.2093, 20
#define ZURICH "CH", "EU", "Zurich", 47.3769, 8.5417, 10
#define PYONGYANG "KP", "AS", "Pyongyang", 39.0392, 125.7625, 50
#define NOWHERE "", "", "", NAN, NAN, NAN

static const struct {
    const char *files, *ip;
    uint32_t known;
    const char *country, *continent, *city;
    double lat_deg, lon_deg, radius_km;
    uint32_t asn;
    const char *org;
    uint16_t flags;
} PLACES[] = {
    {"city", "203.0.113.7", PLACE, BERLIN, 0, "", 0},
    {"city", "::ffff:203.0.113.7", PLACE, BERLIN, 0, "", 0},
    {"city", "203.0.112.255", 0, NOWHERE, 0, "", 0},
    {"city", "198.51.100.255", PLACE, NEW_YORK, 0, "", 0},
    {"city", "2001:db8:1::", PLACE, ZURICH, 0, "", 0},
    {"city", "2001:db8:2:ffff:ffff:ffff:ffff:ffff", PLACE, PYONGYANG, 0, "", 0},
    {"city", "2001:db8:3::", 0, NOWHERE, 0, "", 0},
    {"city", "0.0.0.0", 0, NOWHERE, 0, "", 0},
    {"city", "255.255.255.255", 0, NOWHERE, 0, "", 0},
    {"city", "::", 0, NOWHERE, 0, "", 0},
    // An IPv6 address in the corner where the tree keeps IPv4 is no IPv4 address.
    {"city", "::203.0.113.7", 0, NOWHERE, 0, "", 0},
    {"city-24", "192.0.2.1", PLACE, SYDNEY, 0, "", 0},
    {"city-24", "2001:db8:2::1", PLACE, PYONGYANG, 0, "", 0},
    {"city-32", "192.0.2.1", PLACE, SYDNEY, 0, "", 0},
    {"city-32", "2001:db8:2::1", PLACE, PYONGYANG, 0, "", 0},
    {"city-alias", "192.0.2.1", PLACE, SYDNEY, 0, "", 0},
    {"city-alias", "2002:cb00:7107::1", PLACE, BERLIN, 0, "", 0}, // 6to4 of 203.0.113.7
    {"city", "2002:cb00:7107::1", 0, NOWHERE, 0, "", 0},
    {"city-v4", "192.0.2.1", PLACE, SYDNEY, 0, "", 0},
    {"city-v4", "2001:db8:1::", 0, NOWHERE, 0, "", 0},
    // Several together, in whatever order; anonymity is known for every address then.
    {"city,asn,anonymous", "203.0.113.7", PLACE | NETWORK | GEO_ANONYMITY, BERLIN, 64500, "Spree Net", 0},
    {"anonymous,asn,city", "203.0.113.250", PLACE | NETWORK | GEO_ANONYMITY, BERLIN, 64500, "Spree Net",
     SIGHT_ANONYMOUS | SIGHT_TOR},
    {"city,asn,anonymous", "192.0.2.128", PLACE | NETWORK | GEO_ANONYMITY, SYDNEY, 64502, "Harbour Net",
     SIGHT_ANONYMOUS | SIGHT_VPN},
    {"city,asn,anonymous", "192.0.2.127", PLACE | NETWORK | GEO_ANONYMITY, SYDNEY, 64502, "Harbour Net", 0},
    {"city,asn,anonymous", "2001:db8:1:f000::1", PLACE | NETWORK | GEO_ANONYMITY, ZURICH, 64503, "Limmat Net",
     SIGHT_ANONYMOUS | SIGHT_VPN},
    {"city,asn,anonymous", "10.0.0.1", GEO_ANONYMITY, NOWHERE, 0, "", 0},
    // The one added first wins; what it does not know, the next one tells.
    {"city,city-moved", "203.0.113.7", PLACE, BERLIN, 0, "", 0},
    {"city-moved,city", "203.0.113.7", PLACE, SYDNEY, 0, "", 0},
    {"city-moved,city", "203.0.113.200", PLACE, BERLIN, 0, "", 0},
    {"city,city-moved", "233.252.0.1", PLACE, ZURICH, 0, "", 0},
    {"country,city", "198.51.100.1", PLACE, NEW_YORK, 0, "", 0},
    {"enterprise,asn", "198.51.100.1", PLACE | NETWORK, NEW_YORK, 64501, "A Provider", 0},
    // Types that tell nothing.
    {"probe-city", "203.0.113.7", PLACE, BERLIN, 0, "", 0},
    {"probe-network", "203.0.113.7", NETWORK, NOWHERE, 64500, "Spree Net", 0},
    {"probe-anonymous", "198.51.100.200", GEO_ANONYMITY, NOWHERE, 0, "", SIGHT_ANONYMOUS | SIGHT_HOSTING},
    {"probe-anonymous", "198.51.100.1", GEO_ANONYMITY, NOWHERE, 0, "", 0},
    // Other schemas.
    {"country", "203.0.113.7", GEO_COUNTRY | GEO_CONTINENT, "DE", "EU", "", NAN, NAN, NAN, 0, "", 0},
    {"country", "198.51.100.7", 0, NOWHERE, 0, "", 0}, // registered is not used
    {"country", "192.0.2.7", 0, NOWHERE, 0, "", 0},    // `au` is no code
    {"enterprise", "203.0.113.7", PLACE | NETWORK | GEO_LINK, BERLIN, 64500, "An Organisation",
     SIGHT_ANONYMOUS | SIGHT_SATELLITE},
    {"enterprise", "198.51.100.7", PLACE | GEO_ORG, NEW_YORK, 0, "A Provider", 0},
    {"enterprise", "192.0.2.7", PLACE, SYDNEY, 0, "", SIGHT_SATELLITE},
    {"isp", "203.0.113.7", GEO_ORG, NOWHERE, 0, "A Provider", 0},
    {"enterprise", "233.252.0.1", 0, NOWHERE, 0, "", SIGHT_RELAY},
    {"enterprise", "233.252.0.17", GEO_LINK, NOWHERE, 0, "", SIGHT_CARRIER},
    {"enterprise", "233.252.0.33", GEO_LINK, NOWHERE, 0, "", SIGHT_HOSTING},
    {"enterprise", "233.252.0.49", 0, NOWHERE, 0, "", SIGHT_ANONYMOUS | SIGHT_VPN},
    {"plus", "192.0.2.7", GEO_ANONYMITY, NOWHERE, 0, "", SIGHT_ANONYMOUS | SIGHT_VPN},
    {"isp", "192.0.2.7", GEO_ORG | GEO_LINK, NOWHERE, 0, "A Carrier", SIGHT_CARRIER},
    {"isp", "198.51.100.7", NETWORK, NOWHERE, 64501, "Hudson Net", 0},
    {"residential", "203.0.113.7", 0, NOWHERE, 0, "", SIGHT_ANONYMOUS | SIGHT_RESIDENTIAL_PROXY},
    {"residential", "203.0.113.16", 0, NOWHERE, 0, "", 0},
    {"anonymous,residential", "203.0.113.7", GEO_ANONYMITY, NOWHERE, 0, "",
     SIGHT_ANONYMOUS | SIGHT_RESIDENTIAL_PROXY},
    {"connection", "203.0.113.7", GEO_LINK, NOWHERE, 0, "", SIGHT_SATELLITE},
    {"connection", "192.0.2.7", GEO_LINK, NOWHERE, 0, "", SIGHT_CARRIER},
    {"connection", "198.51.100.7", 0, NOWHERE, 0, "", 0},
    // Missing and impossible values.
    {"missing", "203.0.113.1", GEO_COUNTRY, "DE", "", "", NAN, NAN, NAN, 0, "", 0},
    {"missing", "203.0.113.65", GEO_COORDINATES, "", "", "", 52.5, 13.4, NAN, 0, "", 0},
    {"missing", "203.0.113.129", 0, NOWHERE, 0, "", 0},
    {"missing", "203.0.113.193", 0, NOWHERE, 0, "", 0},
    {"missing", "198.51.100.1", 0, NOWHERE, 0, "", 0},
    {"missing", "198.51.100.65", 0, NOWHERE, 0, "", 0},
    {"missing", "198.51.100.129", GEO_COORDINATES, "", "", "", -90, 180, NAN, 0, "", 0},
    {"missing", "198.51.100.193", 0, NOWHERE, 0, "", 0},
    {"missing", "192.0.2.1", 0, NOWHERE, 0, "", 0},
    // A wrong type is not known; a wrong one hides no right one of the next database.
    {"wrong", "203.0.113.7", 0, NOWHERE, 0, "", 0},
    {"wrong,city", "203.0.113.7", PLACE, BERLIN, 0, "", 0},
    {"wrong-network", "203.0.113.7", 0, NOWHERE, 0, "", 0},
    {"wrong-anonymous", "203.0.113.7", GEO_ANONYMITY, NOWHERE, 0, "", SIGHT_ANONYMOUS | SIGHT_PROXY},
};

Test(geo_schema, tells_each_fact)
{
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        AUTO(geo_set_free) struct geo_set *set = set_of(PLACES[i].files);
        struct geo_place place = look(set, PLACES[i].ip);
        const char *files = PLACES[i].files, *ip = PLACES[i].ip;
        cr_expect_eq(place.known, PLACES[i].known, "%s %s: known 0x%x, not 0x%x", files, ip, place.known,
                     PLACES[i].known);
        cr_expect(str_eq(place.country, str_of(PLACES[i].country)), "%s %s: country " STR_FMT, files, ip,
                  STR_ARG(place.country));
        cr_expect(str_eq(place.continent, str_of(PLACES[i].continent)), "%s %s: continent", files, ip);
        cr_expect(str_eq(place.city, str_of(PLACES[i].city)), "%s %s: city " STR_FMT, files, ip,
                  STR_ARG(place.city));
        cr_expect(same_number(place.lat_deg, PLACES[i].lat_deg) &&
                      same_number(place.lon_deg, PLACES[i].lon_deg) &&
                      same_number(place.radius_km, PLACES[i].radius_km),
                  "%s %s: %g %g %g", files, ip, place.lat_deg, place.lon_deg, place.radius_km);
        cr_expect_eq(place.asn, PLACES[i].asn, "%s %s: asn %u", files, ip, place.asn);
        cr_expect(str_eq(place.org, str_of(PLACES[i].org)), "%s %s: org " STR_FMT, files, ip,
                  STR_ARG(place.org));
        cr_expect_eq(place.flags, PLACES[i].flags, "%s %s: flags 0x%x", files, ip, place.flags);
        cr_expect(place.version != 0 && place.version == geo_set_version(set), "%s %s: version", files, ip);
    }
}

static const struct {
    const char *type;
    uint32_t groups, facts;
} TYPES[] = {
    {"GeoIP2-City", SCHEMA_COUNTRY | SCHEMA_CITY | SCHEMA_TRAITS, PLACE},
    {"GeoLite2-City", SCHEMA_COUNTRY | SCHEMA_CITY | SCHEMA_TRAITS, PLACE},
    {"DBIP-City-Lite", SCHEMA_COUNTRY | SCHEMA_CITY | SCHEMA_TRAITS, PLACE},
    {"GeoIP2-City-Shield", SCHEMA_COUNTRY | SCHEMA_CITY | SCHEMA_TRAITS, PLACE},
    {"GeoIP2-Precision-Enterprise", SCHEMA_COUNTRY | SCHEMA_CITY | SCHEMA_TRAITS, PLACE | NETWORK},
    {"GeoIP2-Country", SCHEMA_COUNTRY | SCHEMA_TRAITS, GEO_COUNTRY | GEO_CONTINENT},
    {"DBIP-ASN-Lite (compat=GeoLite2-ASN)", SCHEMA_NETWORK, NETWORK},
    {"GeoIP2-ISP", SCHEMA_NETWORK | SCHEMA_LINK, NETWORK},
    {"GeoIP2-Anonymous-IP", SCHEMA_ANONYMITY, GEO_ANONYMITY},
    {"GeoIP-Anonymous-Plus", SCHEMA_ANONYMITY, GEO_ANONYMITY},
    {"GeoIP2-IP-Risk", SCHEMA_ANONYMITY, GEO_ANONYMITY},
    {"GeoIP-Residential-Proxy", SCHEMA_RESIDENTIAL, 0},
    {"GeoIP2-Connection-Type", SCHEMA_LINK, GEO_LINK},
    {"GeoIP2-DensityIncome", 0, 0},
    {"GeoIP2-User-Count", 0, 0},
    {"GeoIP2-Domain", 0, 0},
    {"", 0, 0},
};

Test(geo_schema, a_type_tells_its_fields)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        struct schema schema = schema_of_type(str_of(TYPES[i].type));
        cr_expect(schema.groups == TYPES[i].groups && schema.facts == TYPES[i].facts, "%s: 0x%x 0x%x",
                  TYPES[i].type, schema.groups, schema.facts);
    }
}
