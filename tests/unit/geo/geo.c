// SPDX-License-Identifier: Apache-2.0
#include "geo/geo.h"

#include "data/geo_sets.h"

#include <dirent.h>
#include <math.h>
#include <sys/resource.h>
#include <unistd.h>

Test(geo, describes_what_is_loaded)
{
    AUTO(geo_set_free) struct geo_set *set = set_of("city,asn,anonymous");
    static const char *const TYPES[] = {"GeoIP2-City", "GeoLite2-ASN", "GeoIP2-Anonymous-IP"};
    static const char *const NAMES[] = {"city", "asn", "anonymous"};
    cr_assert_eq(geo_set_count(set), 3);
    cr_expect_eq(geo_set_facts(set), (uint32_t)(GEO_COUNTRY | GEO_CONTINENT | GEO_CITY | GEO_COORDINATES |
                                                GEO_ASN | GEO_ORG | GEO_ANONYMITY));
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

Test(geo, without_descriptors_it_is_refused_and_works_again)
{
    AUTO(geo_set_free) struct geo_set *set = set_of("asn");
    AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made("city");
    struct rlimit was, none;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
    // With no descriptor left not even the anonymous file is had; with one, libmaxminddb has none for itself.
    int lowest = dup(0);
    cr_assert_geq(lowest, 0);
    close(lowest);
    for (int left = 0; left < 2; left++) {
        none = (struct rlimit){(rlim_t)(lowest + left), was.rlim_max};
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        enum pdp_err err = add_bytes(set, "city", &file);
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
        cr_expect_eq(err, PDP_ERR_IO, "%d left: %s", left, pdp_err_name(err));
        cr_expect_eq(geo_set_count(set), 1);
    }
    cr_expect_eq(add_bytes(set, "city", &file), PDP_ERR_OK);
    struct geo_place place = look(set, "203.0.113.7");
    cr_expect(str_eq(place.city, STR("Berlin")) && place.asn == 64500);
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

// ---- damage ----------------------------------------------------------------------------------------

// Whatever a damaged file does, it may not crash, and what loads answers within its bounds.
static bool survive(const uint8_t *bytes, size_t len)
{
    struct mmdb_file exact = {malloc(len + (len == 0)), len};
    cr_assert(exact.bytes != NULL);
    memcpy(exact.bytes, bytes, len);
    AUTO(geo_set_free) struct geo_set *set = NULL;
    cr_assert_eq(geo_set_new(&set), PDP_ERR_OK);
    bool loaded = add_bytes(set, "damaged", &exact) == PDP_ERR_OK;
    mmdb_file_free(&exact);
    look_at_much(set);
    return loaded;
}

Test(geo, a_file_cut_anywhere_is_refused, .timeout = 100)
{
    static const char *const NAMES[] = {"tiny", "city"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made(NAMES[i]);
        if (file.bytes == NULL) {
            cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
        }
        for (size_t len = 0; len < file.len; len++) {
            cr_expect(!survive(file.bytes, len), "%s cut to %zu bytes loads", NAMES[i], len);
        }
    }
}

Test(geo, a_file_with_a_bit_flipped_does_no_harm, .timeout = 100)
{
    AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made("tiny");
    if (file.bytes == NULL) {
        cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
    }
    size_t refused = 0;
    for (size_t bit = 0; bit < file.len * 8; bit++) {
        file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refused += !survive(file.bytes, file.len);
        file.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_expect_gt(refused, file.len, "only %zu of %zu flips were noticed", refused, file.len * 8);
}

Test(geo, a_file_with_a_byte_set_does_no_harm, .timeout = 100)
{
    static const uint8_t VALUES[] = {0x00, 0x20, 0x3f, 0xe0, 0xff};
    AUTO(mmdb_file_free) struct mmdb_file file = mmdb_made("city-24");
    if (file.bytes == NULL) {
        cr_skip_test("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
    }
    for (size_t at = 0; at < file.len; at++) {
        uint8_t was = file.bytes[at];
        for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
            file.bytes[at] = VALUES[i];
            (void)survive(file.bytes, file.len);
        }
        file.bytes[at] = was;
    }
}
