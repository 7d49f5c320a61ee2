// SPDX-License-Identifier: Apache-2.0
#include "geo/geo.h"

#include "data/mmdb.h"
#include "model/sighting.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>

static enum pdp_err add_bytes(struct geo_set *set, const char *name, const struct mmdb_file *file)
{
    char why[160];
    memset(why, 'x', sizeof why);
    enum pdp_err err = geo_set_add(set, str_of(name), file->bytes, file->len, why);
    cr_expect(memchr(why, '\0', sizeof why) != NULL && (err == PDP_ERR_OK) == (why[0] == '\0'),
              "%s: no reason", name);
    return err;
}

// A set of files of the script, named with commas between. NULL: they cannot be made here.
static struct geo_set *set_of(const char *names)
{
    AUTO(geo_set_free) struct geo_set *set = NULL;
    cr_assert_eq(geo_set_new(&set), PDP_ERR_OK);
    for (struct str rest = str_of(names); rest.len != 0;) {
        char name[64];
        size_t end = str_find_byte(rest, ',', 0);
        snprintf(name, sizeof name, "%.*s", (int)end, rest.at);
        rest = str_sub(rest, end + 1, rest.len);
        AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made(name);
        if (file.bytes == NULL) {
            cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
        }
        cr_assert_eq(add_bytes(set, name, &file), PDP_ERR_OK, "%s", name);
    }
    return STEAL(set);
}

static struct geo_place look(const struct geo_set *set, const char *address)
{
    struct ip ip;
    struct geo_place place;
    memset(&place, 0xa5, sizeof place);
    cr_assert(ip_parse(str_of(address), &ip), "%s", address);
    geo_lookup(set, NULL, &ip, &place);
    return place;
}

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
    {"enterprise", "203.0.113.7", PLACE | NETWORK, BERLIN, 64500, "An Organisation",
     SIGHT_ANONYMOUS | SIGHT_SATELLITE},
    {"enterprise", "198.51.100.7", PLACE | GEO_ORG, NEW_YORK, 0, "A Provider", 0},
    {"enterprise", "192.0.2.7", PLACE, SYDNEY, 0, "", SIGHT_SATELLITE},
    {"isp", "203.0.113.7", GEO_ORG, NOWHERE, 0, "A Provider", 0},
    {"isp", "198.51.100.7", NETWORK, NOWHERE, 64501, "Hudson Net", 0},
    {"residential", "203.0.113.7", 0, NOWHERE, 0, "", SIGHT_ANONYMOUS | SIGHT_RESIDENTIAL_PROXY},
    {"residential", "203.0.113.16", 0, NOWHERE, 0, "", 0},
    {"anonymous,residential", "203.0.113.7", GEO_ANONYMITY, NOWHERE, 0, "",
     SIGHT_ANONYMOUS | SIGHT_RESIDENTIAL_PROXY},
    {"connection", "203.0.113.7", 0, NOWHERE, 0, "", SIGHT_SATELLITE},
    {"connection", "192.0.2.7", 0, NOWHERE, 0, "", 0},
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

Test(geo, tells_each_fact)
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

Test(geo, without_a_set_nothing_is_known)
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

Test(geo, describes_what_is_loaded)
{
    AUTO(geo_set_free) struct geo_set *set = set_of("city,asn,anonymous");
    static const char *const TYPES[] = {"GeoIP2-City", "GeoLite2-ASN", "GeoIP2-Anonymous-IP"};
    static const char *const NAMES[] = {"city", "asn", "anonymous"};
    cr_assert_eq(geo_set_count(set), 3);
    cr_expect_eq(geo_set_facts(set), (uint32_t)(PLACE | NETWORK | GEO_ANONYMITY));
    for (size_t i = 0; i < 3; i++) {
        struct str name, type;
        uint64_t build_s = 0;
        geo_set_describe(set, i, &name, &type, &build_s);
        cr_expect(str_eq(name, str_of(NAMES[i])) && str_eq(type, str_of(TYPES[i])) && build_s > 1600000000);
    }
    struct str name, type;
    uint64_t build_s = 1;
    geo_set_describe(set, 3, &name, &type, &build_s);
    cr_expect(name.len == 0 && type.len == 0 && build_s == 0);
}

Test(geo, version_is_of_the_bytes_and_their_order)
{
    AUTO(geo_set_free) struct geo_set *a = set_of("city,asn");
    AUTO(geo_set_free) struct geo_set *again = set_of("city,asn");
    AUTO(geo_set_free) struct geo_set *turned = set_of("asn,city");
    AUTO(geo_set_free) struct geo_set *less = set_of("city");
    cr_expect_eq(geo_set_version(a), geo_set_version(again));
    cr_expect_neq(geo_set_version(a), geo_set_version(turned));
    cr_expect_neq(geo_set_version(a), geo_set_version(less));
}

Test(geo, what_is_refused_leaves_the_set_as_it_was)
{
    AUTO(geo_set_free) struct geo_set *set = set_of("city");
    uint32_t version = geo_set_version(set);
    AUTO(mmdb_file_free) struct mmdb_file nothing = mmdb_made("probe-nothing");
    struct mmdb_file empty = {(uint8_t *)"", 0}, garbage = {(uint8_t *)"not a database", 14};
    cr_expect_eq(add_bytes(set, "nothing", &nothing), PDP_ERR_UNSUPPORTED);
    cr_expect_eq(add_bytes(set, "empty", &empty), PDP_ERR_CORRUPT);
    cr_expect_eq(add_bytes(set, "garbage", &garbage), PDP_ERR_CORRUPT);
    cr_expect_eq(geo_set_count(set), 1);
    cr_expect_eq(geo_set_version(set), version);
    struct geo_place place = look(set, "203.0.113.7");
    cr_expect(str_eq(place.city, STR("Berlin")));
}

Test(geo, sixteen_databases_and_no_more)
{
    AUTO(geo_set_free) struct geo_set *set = set_of("city");
    AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made("tiny");
    for (int i = 1; i < 16; i++) {
        cr_assert_eq(add_bytes(set, "tiny", &file), PDP_ERR_OK);
    }
    cr_expect_eq(add_bytes(set, "tiny", &file), PDP_ERR_LIMIT);
    cr_expect_eq(geo_set_count(set), 16);
}

Test(geo, the_bytes_may_go_once_added)
{
    AUTO(geo_set_free) struct geo_set *set = NULL;
    AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made("city");
    cr_assert_eq(geo_set_new(&set), PDP_ERR_OK);
    cr_assert(file.bytes != NULL);
    cr_assert_eq(add_bytes(set, "city", &file), PDP_ERR_OK);
    memset(file.bytes, 0xff, file.len);
    mmdb_file_free(&file);
    struct geo_place place = look(set, "203.0.113.7");
    cr_expect(str_eq(place.city, STR("Berlin")));
}

// ---- cache -----------------------------------------------------------------------------------------

Test(geo, a_cache_of_any_size_changes_no_answer)
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

Test(geo, a_cache_outlives_its_sets)
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

// ---- files from elsewhere --------------------------------------------------------------------------

// Known to be none of ours, or broken.
static bool to_be_refused(const char *name)
{
    static const char *const NAMES[] = {"Broken",        "Invalid",     "broken",    "MaxMind-DB",
                                        "DensityIncome", "Domain-Test", "Static-IP", "User-Count"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (strstr(name, NAMES[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void look_at_much(const struct geo_set *set)
{
    static const char *const IPS[] = {
        "0.0.0.0",     "1.1.1.1",         "1.2.0.1",
        "81.2.69.160", "255.255.255.255", "::1",
        "2001:218::1", "2a02:cf40::1",    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    for (size_t i = 0; i < COUNT_OF(IPS); i++) {
        struct geo_place place = look(set, IPS[i]);
        // Read every byte that is promised, for ASan.
        cr_expect(str_is_utf8(place.city) && str_is_utf8(place.org) && str_is_utf8(place.country));
        cr_expect(isnan(place.lat_deg) || fabs(place.lat_deg) <= 90);
    }
}

static unsigned each_file_of(const char *folder, bool bad)
{
    const char *shared = getenv("PDP_SHARED");
    char path[4096];
    snprintf(path, sizeof path, "%s/data/%s", shared != NULL ? shared : "", folder);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return 0;
    }
    unsigned count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 5, ".mmdb") != 0) {
            continue;
        }
        char file_path[8192];
        snprintf(file_path, sizeof file_path, "%s/%s", path, entry->d_name);
        AUTO(mmdb_file_free) struct mmdb_file file = mmdb_read(file_path);
        AUTO(geo_set_free) struct geo_set *set = NULL;
        cr_assert(file.bytes != NULL && geo_set_new(&set) == PDP_ERR_OK);
        char why[160];
        enum pdp_err err = geo_set_add(set, str_of(entry->d_name), file.bytes, file.len, why);
        bool refused = bad || to_be_refused(entry->d_name);
        cr_expect_eq(err != PDP_ERR_OK, refused, "%s: %s %s", entry->d_name, pdp_err_name(err), why);
        cr_expect_eq(why[0] != '\0', refused, "%s: reason `%s`", entry->d_name, why);
        look_at_much(set);
        count++;
    }
    closedir(dir);
    return count;
}

Test(geo, real_files_load)
{
    if (each_file_of("mmdb", false) == 0) {
        cr_skip_test("no ../shared/data/mmdb beside the sources");
    }
}

Test(geo, corrupt_files_are_refused)
{
    if (each_file_of("mmdb-bad", true) == 0) {
        cr_skip_test("no ../shared/data/mmdb-bad beside the sources");
    }
}
