// SPDX-License-Identifier: Apache-2.0
#include "cli/test/places.h"

#include "cli/test/shapes.h"

#include "cli/test/mmdb.h"

#include <math.h>
#include <stdlib.h>

// What a network can be, and how databases say so: by a field of their own, or by how it is connected.
enum class {
    ANONYMOUS,
    VPN,
    HOSTING,
    PROXY,
    TOR,
    RESIDENTIAL_PROXY,
    SATELLITE,
    CARRIER,
    RELAY,
    CLASS_COUNT
};
static const char *const CLASSES[] = {"anonymous",         "vpn",       "hosting", "proxy", "tor",
                                      "residential_proxy", "satellite", "carrier", "relay", NULL};
static const char *const FIELDS_OF[CLASS_COUNT] = {
    [ANONYMOUS] = "is_anonymous", [VPN] = "is_anonymous_vpn", [HOSTING] = "is_hosting_provider",
    [PROXY] = "is_public_proxy",  [TOR] = "is_tor_exit_node", [RESIDENTIAL_PROXY] = "is_residential_proxy"};
static const char *const TRUTHS[] = {"false", "true", NULL};

enum {
    WHY_MAX = 160 // of what geo_set_add says
};

// One network as a document says it; numbers are NaN, zero or -1 where nothing is said.
struct row {
    struct cidr cidr;
    const struct conf_node *key;
    struct str country, continent, city, org;
    double latitude, longitude, radius_km;
    int64_t asn;
    int network;            // enum class
    int truth[CLASS_COUNT]; // of TRUTHS
};

#define FACT(name, type, choices, least, most, help)                               \
    {                                                                              \
#name, type, false, offsetof(struct row, name), choices, least, most, help \
    }
#define CLASS(name, place, help)                                                                          \
    {                                                                                                     \
        name, CONF_CHOICE, false, offsetof(struct row, truth) + (place) * sizeof(int), TRUTHS, 0, 0, help \
    }
static const struct conf_field FIELDS[] = {
    FACT(country, CONF_TEXT, NULL, 0, 0, "two capital letters"),
    FACT(continent, CONF_TEXT, NULL, 0, 0, "two capital letters"),
    FACT(city, CONF_TEXT, NULL, 0, 0, "its name in English"),
    FACT(latitude, CONF_NUMBER, NULL, -90, 90, "degrees north"),
    FACT(longitude, CONF_NUMBER, NULL, -180, 180, "degrees east"),
    FACT(radius_km, CONF_NUMBER, NULL, 0, 20000, "how exactly the place is known"),
    FACT(asn, CONF_INT, NULL, 1, UINT32_MAX, "number of the autonomous system"),
    FACT(org, CONF_TEXT, NULL, 0, 0, "whose network it is"),
    FACT(network, CONF_CHOICE, CLASSES, 0, 0, "the class of the network: the same as that class: true"),
    CLASS("anonymous", ANONYMOUS, "whoever is there hides where they are"),
    CLASS("vpn", VPN, "a VPN's exit"),
    CLASS("hosting", HOSTING, "of a hosting provider"),
    CLASS("proxy", PROXY, "a public proxy"),
    CLASS("tor", TOR, "an exit of Tor"),
    CLASS("residential_proxy", RESIDENTIAL_PROXY, "somebody's home that others go through"),
    CLASS("satellite", SATELLITE, "connected by satellite"),
    CLASS("carrier", CARRIER, "of a mobile carrier"),
    CLASS("relay", RELAY, "a private relay"),
};
const struct conf_shape SHAPE_PLACE = {"place", FIELDS, COUNT_OF(FIELDS), NULL, 0, NULL, 0};

static void keep_first(enum pdp_err *first, enum pdp_err err)
{
    *first = *first == PDP_ERR_OK ? err : *first;
}

// ---- Reading -------------------------------------------------------------------------------------

static enum pdp_err check_code(const struct row *row, const struct conf_node *facts, const char *name,
                               struct str code, struct diags *diags)
{
    bool good =
        code.len == 2 && code.at[0] >= 'A' && code.at[0] <= 'Z' && code.at[1] >= 'A' && code.at[1] <= 'Z';
    (void)row;
    return code.at == NULL || good ? PDP_ERR_OK
                                   : diag_error(diags, PDP_ERR_SYNTAX, conf_get(facts, name)->place,
                                                "`%s` is two capital letters", name);
}

static enum pdp_err check_row(const struct row *row, const struct conf_node *facts, struct diags *diags)
{
    enum pdp_err first = check_code(row, facts, "country", row->country, diags);
    keep_first(&first, check_code(row, facts, "continent", row->continent, diags));
    if (isnan(row->latitude) != isnan(row->longitude)) {
        keep_first(&first, diag_error(diags, PDP_ERR_MISSING, row->key->place,
                                      "a place needs both `latitude` and `longitude`"));
    }
    return first;
}

static enum pdp_err read_row(const struct conf_entry *entry, struct arena *arena, struct diags *diags,
                             struct row *row)
{
    *row =
        (struct row){.key = entry->key, .latitude = NAN, .longitude = NAN, .radius_km = NAN, .network = -1};
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        row->truth[i] = -1;
    }
    enum pdp_err first = PDP_ERR_OK;
    if (!cidr_parse(entry->key->text, false, &row->cidr)) {
        first = diag_error(diags, PDP_ERR_SYNTAX, entry->key->place, "a network of `places` is a prefix");
        diag_hint(diags, "such as `203.0.113.0/24` or `2001:db8::/32`, with no bit set below the prefix");
    }
    enum pdp_err err =
        conf_read(entry->value, FIELDS, COUNT_OF(FIELDS), "a network of `places`", row, arena, diags);
    keep_first(&first, err);
    if (err == PDP_ERR_OK) {
        keep_first(&first, check_row(row, entry->value, diags));
    }
    if (row->network >= 0) {
        row->truth[row->network] = 1;
    }
    return first;
}

// Shorter prefixes first: what is more exact wins.
static int by_bits(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    unsigned one = mmdb_bits(&left->cidr), two = mmdb_bits(&right->cidr);
    return one != two ? (one > two) - (one < two) : ip_cmp(&left->cidr.base, &right->cidr.base);
}

static enum pdp_err check_twice(const struct row *rows, size_t count, struct diags *diags)
{
    enum pdp_err first = PDP_ERR_OK;
    for (size_t i = 1; i < count; i++) {
        if (by_bits(&rows[i - 1], &rows[i]) == 0) {
            keep_first(&first, diag_error(diags, PDP_ERR_DUPLICATE, rows[i].key->place,
                                          "this network of `places` is said twice"));
        }
    }
    return first;
}

// ---- Databases -----------------------------------------------------------------------------------

static bool says_any(const struct row *row, size_t from, size_t to)
{
    bool says = false;
    for (size_t i = from; i < to; i++) {
        says = says || row->truth[i] >= 0;
    }
    return says;
}

static bool has_place(const struct row *row)
{
    return row->country.len + row->continent.len + row->city.len > 0 || !isnan(row->latitude);
}

static bool has_network(const struct row *row)
{
    return row->asn > 0 || row->org.len > 0;
}

static bool has_anonymity(const struct row *row)
{
    return says_any(row, ANONYMOUS, SATELLITE);
}

static bool has_link(const struct row *row)
{
    return says_any(row, SATELLITE, CLASS_COUNT);
}

static void put_pair(struct buf *data, const char *key, struct str value)
{
    mmdb_text(data, str_of(key));
    mmdb_text(data, value);
}

static void put_code(struct buf *data, const char *map, const char *key, struct str value)
{
    if (value.len > 0) {
        mmdb_text(data, str_of(map));
        mmdb_map(data, 1);
        put_pair(data, key, value);
    }
}

static void put_place(const struct row *row, struct buf *data)
{
    bool exact = !isnan(row->radius_km), located = !isnan(row->latitude);
    mmdb_map(data,
             (uint32_t)(row->country.len > 0) + (row->continent.len > 0) + (row->city.len > 0) + located);
    put_code(data, "country", "iso_code", row->country);
    put_code(data, "continent", "code", row->continent);
    if (row->city.len > 0) {
        mmdb_text(data, STR("city"));
        mmdb_map(data, 1);
        put_code(data, "names", "en", row->city);
    }
    if (located) {
        mmdb_text(data, STR("location"));
        mmdb_map(data, 2U + exact);
        mmdb_text(data, STR("latitude"));
        mmdb_double(data, row->latitude);
        mmdb_text(data, STR("longitude"));
        mmdb_double(data, row->longitude);
    }
    if (located && exact) {
        mmdb_text(data, STR("accuracy_radius"));
        mmdb_double(data, row->radius_km);
    }
}

static void put_network(const struct row *row, struct buf *data)
{
    mmdb_map(data, (uint32_t)(row->asn > 0) + (row->org.len > 0));
    if (row->asn > 0) {
        mmdb_text(data, STR("autonomous_system_number"));
        mmdb_uint(data, (uint32_t)row->asn);
    }
    if (row->org.len > 0) {
        put_pair(data, "autonomous_system_organization", row->org);
    }
}

static void put_anonymity(const struct row *row, struct buf *data)
{
    uint32_t count = 0;
    for (size_t i = ANONYMOUS; i < SATELLITE; i++) {
        count += row->truth[i] >= 0;
    }
    mmdb_map(data, count);
    for (size_t i = ANONYMOUS; i < SATELLITE; i++) {
        if (row->truth[i] >= 0) {
            mmdb_text(data, str_of(FIELDS_OF[i]));
            mmdb_bool(data, row->truth[i] == 1);
        }
    }
}

static void put_link(const struct row *row, struct buf *data)
{
    bool relay = row->truth[RELAY] == 1;
    mmdb_map(data, 1U + relay);
    put_pair(data, "connection_type",
             row->truth[SATELLITE] == 1 ? STR("Satellite")
             : row->truth[CARRIER] == 1 ? STR("Cellular")
                                        : STR("Corporate"));
    if (relay) {
        put_pair(data, "user_type", STR("consumer_privacy_network"));
    }
}

static const struct database {
    const char *type;
    bool (*has)(const struct row *row);
    void (*put)(const struct row *row, struct buf *data);
} DATABASES[] = {
    {"GeoIP2-City", has_place, put_place},
    {"GeoLite2-ASN", has_network, put_network},
    {"GeoIP2-Anonymous-IP", has_anonymity, put_anonymity},
    {"GeoIP2-Connection-Type", has_link, put_link},
};

static enum pdp_err add_database(const struct database *database, const struct row *rows, size_t count,
                                 struct geo_set *set, char why[static WHY_MAX])
{
    AUTO(mmdb_fini) struct mmdb mmdb = {0};
    AUTO(buf_fini) struct buf bytes = {0};
    for (size_t i = 0; i < count; i++) {
        if (database->has(&rows[i])) {
            size_t offset = mmdb.data.len;
            database->put(&rows[i], &mmdb.data);
            mmdb_add(&mmdb, &rows[i].cidr, offset);
        }
    }
    if (mmdb.nodes.len == 0) {
        return PDP_ERR_OK;
    }
    mmdb_write(&mmdb, str_of(database->type), &bytes);
    return bytes.failed ? PDP_ERR_NOMEM : geo_set_add(set, str_of(database->type), bytes.at, bytes.len, why);
}

static enum pdp_err make(const struct row *rows, size_t count, struct geo_set **out, char why[static WHY_MAX])
{
    AUTO(geo_set_free) struct geo_set *set = NULL;
    why[0] = '\0';
    TRY(geo_set_new(&set));
    for (size_t i = 0; i < COUNT_OF(DATABASES); i++) {
        TRY(add_database(&DATABASES[i], rows, count, set, why));
    }
    *out = STEAL(set);
    return PDP_ERR_OK;
}

enum pdp_err places_read(const struct conf_node *map, struct arena *arena, struct diags *diags,
                         struct geo_set **out)
{
    *out = NULL;
    struct row *rows = ARENA_ARRAY(arena, struct row, map->count + 1);
    if (rows == NULL) {
        return PDP_ERR_NOMEM;
    }
    enum pdp_err first = PDP_ERR_OK;
    for (size_t i = 0; i < map->count; i++) {
        keep_first(&first, read_row(&map->entries[i], arena, diags, &rows[i]));
    }
    TRY(first);
    qsort(rows, map->count, sizeof *rows, by_bits);
    TRY(check_twice(rows, map->count, diags));
    char why[WHY_MAX];
    enum pdp_err err = make(rows, map->count, out, why);
    return err == PDP_ERR_OK || why[0] == '\0'
               ? err
               : diag_error(diags, err, map->place, "`places` cannot become a database: %s", why);
}
