// SPDX-License-Identifier: Apache-2.0
// HOT
#include "geo/schema.h"

#include "model/sighting.h"

#include <math.h>

enum {
    TEXT_MOST = 255,   // longer is no name
    PROBE_MOST = 4096, // nodes and records looked at to tell a schema
    ALL_PLACE = GEO_COUNTRY | GEO_CONTINENT | GEO_CITY | GEO_COORDINATES,
};

// The first word found in a type decides, so the more telling come first.
static const struct {
    const char *word;
    struct schema schema;
} TYPES[] = {
    {"Enterprise", {SCHEMA_COUNTRY | SCHEMA_CITY | SCHEMA_TRAITS, ALL_PLACE | GEO_ASN | GEO_ORG}},
    {"City", {SCHEMA_COUNTRY | SCHEMA_CITY | SCHEMA_TRAITS, ALL_PLACE}},
    {"Country", {SCHEMA_COUNTRY | SCHEMA_TRAITS, GEO_COUNTRY | GEO_CONTINENT}},
    {"ASN", {SCHEMA_NETWORK, GEO_ASN | GEO_ORG}},
    {"ISP", {SCHEMA_NETWORK | SCHEMA_LINK, GEO_ASN | GEO_ORG}},
    {"Anonymous-IP", {SCHEMA_ANONYMITY, GEO_ANONYMITY}},
    {"Anonymous-Plus", {SCHEMA_ANONYMITY, GEO_ANONYMITY}},
    {"IP-Risk", {SCHEMA_ANONYMITY, GEO_ANONYMITY}},
    {"Residential-Proxy", {SCHEMA_RESIDENTIAL, 0}},
    {"Connection-Type", {SCHEMA_LINK, GEO_LINK}},
};

struct schema schema_of_type(struct str type)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (str_find(type, str_of(TYPES[i].word), 0) != SIZE_MAX) {
            return TYPES[i].schema;
        }
    }
    return (struct schema){0, 0};
}

void schema_clear(struct geo_place *place)
{
    *place = (struct geo_place){.lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
}

// ---- single values ---------------------------------------------------------------------------------

static bool get(const MMDB_entry_s *entry, const char *const *path, MMDB_entry_data_s *out)
{
    MMDB_entry_s start = *entry; // the library's parameter is not const
    return MMDB_aget_value(&start, out, path) == MMDB_SUCCESS && out->has_data;
}

static struct str text_at(const MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s data;
    if (!get(entry, path, &data) || data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size > TEXT_MOST) {
        return (struct str){NULL, 0};
    }
    return (struct str){data.utf8_string, data.data_size};
}

static double double_at(const MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s data;
    if (!get(entry, path, &data)) {
        return NAN;
    }
    switch (data.type) {
    case MMDB_DATA_TYPE_DOUBLE:
        return data.double_value;
    case MMDB_DATA_TYPE_FLOAT:
        return (double)data.float_value;
    case MMDB_DATA_TYPE_UINT16: // accuracy_radius
        return data.uint16;
    case MMDB_DATA_TYPE_UINT32:
        return data.uint32;
    default:
        return NAN;
    }
}

static bool is_code(struct str s)
{
    return s.len == 2 && s.at[0] >= 'A' && s.at[0] <= 'Z' && s.at[1] >= 'A' && s.at[1] <= 'Z';
}

// ---- groups ----------------------------------------------------------------------------------------

static void know_text(struct geo_place *place, uint32_t fact, struct str value, struct str *out)
{
    if ((place->known & fact) == 0 && value.len != 0) {
        *out = value;
        place->known |= fact;
    }
}

static void read_country(const MMDB_entry_s *entry, struct geo_place *place)
{
    static const char *const COUNTRY[] = {"country", "iso_code", NULL};
    static const char *const CONTINENT[] = {"continent", "code", NULL};
    struct str country = text_at(entry, COUNTRY);
    struct str continent = text_at(entry, CONTINENT);
    know_text(place, GEO_COUNTRY, is_code(country) ? country : STR(""), &place->country);
    know_text(place, GEO_CONTINENT, is_code(continent) ? continent : STR(""), &place->continent);
}

static void read_city(const MMDB_entry_s *entry, struct geo_place *place)
{
    static const char *const CITY[] = {"city", "names", "en", NULL};
    static const char *const LATITUDE[] = {"location", "latitude", NULL};
    static const char *const LONGITUDE[] = {"location", "longitude", NULL};
    static const char *const RADIUS[] = {"location", "accuracy_radius", NULL};
    know_text(place, GEO_CITY, text_at(entry, CITY), &place->city);
    if ((place->known & GEO_COORDINATES) != 0) {
        return;
    }
    double lat_deg = double_at(entry, LATITUDE);
    double lon_deg = double_at(entry, LONGITUDE);
    double radius_km = double_at(entry, RADIUS);
    // Written so that NaN fails.
    if (lat_deg >= -90 && lat_deg <= 90 && lon_deg >= -180 && lon_deg <= 180) {
        place->lat_deg = lat_deg;
        place->lon_deg = lon_deg;
        place->radius_km = radius_km >= 0 && radius_km <= 50000 ? radius_km : NAN;
        place->known |= GEO_COORDINATES;
    }
}

static void read_network(const MMDB_entry_s *entry, struct geo_place *place)
{
    static const char *const NUMBER[] = {"autonomous_system_number", NULL};
    static const char *const NAMES[][2] = {{"autonomous_system_organization"}, {"organization"}, {"isp"}};
    MMDB_entry_data_s data;
    if ((place->known & GEO_ASN) == 0 && get(entry, NUMBER, &data)) {
        uint32_t asn = data.type == MMDB_DATA_TYPE_UINT32   ? data.uint32
                       : data.type == MMDB_DATA_TYPE_UINT16 ? data.uint16
                                                            : 0;
        place->asn = asn;
        place->known |= asn != 0 ? GEO_ASN : 0;
    }
    for (size_t i = 0; i < COUNT_OF(NAMES) && (place->known & GEO_ORG) == 0; i++) {
        know_text(place, GEO_ORG, text_at(entry, NAMES[i]), &place->org);
    }
}

static const struct {
    const char *path[2];
    uint16_t flags;
} FLAGS[] = {
    {{"is_anonymous"}, SIGHT_ANONYMOUS},
    {{"is_anonymous_vpn"}, SIGHT_ANONYMOUS | SIGHT_VPN},
    {{"is_hosting_provider"}, SIGHT_HOSTING},
    {{"is_public_proxy"}, SIGHT_ANONYMOUS | SIGHT_PROXY},
    {{"is_tor_exit_node"}, SIGHT_ANONYMOUS | SIGHT_TOR},
    {{"is_residential_proxy"}, SIGHT_ANONYMOUS | SIGHT_RESIDENTIAL_PROXY},
    {{"is_satellite_provider"}, SIGHT_SATELLITE},
    {{"is_anonymous_proxy"}, SIGHT_ANONYMOUS},
};

static void read_flags(const MMDB_entry_s *entry, struct geo_place *place)
{
    MMDB_entry_data_s data;
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        if (get(entry, FLAGS[i].path, &data) && data.type == MMDB_DATA_TYPE_BOOLEAN && data.boolean) {
            place->flags |= FLAGS[i].flags;
        }
    }
}

static const struct {
    const char *path[2];
    const char *value; // NULL: any
    uint16_t flags;
} LINKS[] = {
    {{"connection_type"}, "Satellite", SIGHT_SATELLITE},
    {{"connection_type"}, "Cellular", SIGHT_CARRIER},
    {{"connection_type"}, NULL, 0}, // wired, then
    {{"user_type"}, "cellular", SIGHT_CARRIER},
    {{"user_type"}, "hosting", SIGHT_HOSTING},
    {{"user_type"}, "consumer_privacy_network", SIGHT_RELAY},
    {{"mobile_network_code"}, NULL, SIGHT_CARRIER},
};

static void read_link(const MMDB_entry_s *entry, struct geo_place *place)
{
    for (size_t i = 0; i < COUNT_OF(LINKS); i++) {
        struct str text = text_at(entry, LINKS[i].path);
        if (text.len != 0 && (LINKS[i].value == NULL || str_eq(text, str_of(LINKS[i].value)))) {
            place->flags |= LINKS[i].flags;
            place->known |= LINKS[i].value == NULL || (LINKS[i].flags & SIGHT_CARRIER) != 0 ? GEO_LINK : 0;
        }
    }
}

static void read_traits(const MMDB_entry_s *entry, struct geo_place *place)
{
    static const char *const TRAITS[] = {"traits", NULL};
    MMDB_entry_data_s data;
    if (get(entry, TRAITS, &data) && data.type == MMDB_DATA_TYPE_MAP) {
        MMDB_entry_s traits = {.mmdb = entry->mmdb, .offset = data.offset};
        read_network(&traits, place);
        read_flags(&traits, place);
        read_link(&traits, place);
    }
}

static void read_residential(const MMDB_entry_s *entry, struct geo_place *place)
{
    (void)entry;
    place->flags |= SIGHT_ANONYMOUS | SIGHT_RESIDENTIAL_PROXY;
}

static const struct {
    uint32_t group;
    void (*read)(const MMDB_entry_s *entry, struct geo_place *place);
} READERS[] = {
    {SCHEMA_COUNTRY, read_country},         {SCHEMA_CITY, read_city}, {SCHEMA_NETWORK, read_network},
    {SCHEMA_ANONYMITY, read_flags},         {SCHEMA_LINK, read_link}, {SCHEMA_TRAITS, read_traits},
    {SCHEMA_RESIDENTIAL, read_residential},
};

void schema_read(uint32_t groups, const MMDB_entry_s *entry, struct geo_place *place)
{
    for (size_t i = 0; i < COUNT_OF(READERS); i++) {
        if ((groups & READERS[i].group) != 0) {
            READERS[i].read(entry, place);
        }
    }
}

// ---- probing ---------------------------------------------------------------------------------------

static void probe_record(const MMDB_entry_s *entry, struct schema *schema)
{
    // A record of any kind would pass for a residential proxy, so that group is told by the type alone.
    for (size_t i = 0; i < COUNT_OF(READERS); i++) {
        struct geo_place place;
        schema_clear(&place);
        if (READERS[i].group != SCHEMA_RESIDENTIAL) {
            READERS[i].read(entry, &place);
        }
        if (place.known != 0 || place.flags != 0) {
            schema->groups |= READERS[i].group;
            schema->facts |= place.known | (READERS[i].group == SCHEMA_ANONYMITY ? GEO_ANONYMITY : 0);
        }
    }
}

struct schema schema_probe(const MMDB_s *mmdb)
{
    struct schema schema = {0, 0};
    for (uint32_t node = 0; node < mmdb->metadata.node_count && node < PROBE_MOST; node++) {
        MMDB_search_node_s records;
        if (MMDB_read_node(mmdb, node, &records) != MMDB_SUCCESS) {
            break;
        }
        if (records.left_record_type == MMDB_RECORD_TYPE_DATA) {
            probe_record(&records.left_record_entry, &schema);
        }
        if (records.right_record_type == MMDB_RECORD_TYPE_DATA) {
            probe_record(&records.right_record_entry, &schema);
        }
    }
    return schema;
}
