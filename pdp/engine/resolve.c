// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/ask.h"
#include "engine/device.h"

#include <math.h>

// ---- One getter an attribute: false where it is missing -----------------------------------------

static bool give_text(struct str s, struct value *out)
{
    *out = value_str(s);
    return s.at != NULL;
}

static bool give_tree(const struct value *tree, struct value *out)
{
    if (tree == NULL || tree->kind == VALUE_NULL) {
        return false;
    }
    *out = *tree;
    return true;
}

static bool give_double(double d, struct value *out)
{
    *out = value_double(d);
    return !isnan(d);
}

static bool get_now(const struct ask *ask, struct value *out)
{
    *out = value_time_ms(ask->now_ms);
    return true;
}

static bool get_tenant(const struct ask *ask, struct value *out)
{
    return give_text(ask->request->tenant, out);
}

static bool get_gateway(const struct ask *ask, struct value *out)
{
    return give_text(ask->peer->name, out);
}

static bool get_subject_type(const struct ask *ask, struct value *out)
{
    return give_text(ask->request->subject_type, out);
}

static bool get_subject_id(const struct ask *ask, struct value *out)
{
    return give_text(ask->request->subject_id, out);
}

static bool get_action_name(const struct ask *ask, struct value *out)
{
    return give_text(ask->request->action_name, out);
}

static bool get_resource_type(const struct ask *ask, struct value *out)
{
    return give_text(ask->request->resource_type, out);
}

static bool get_resource_id(const struct ask *ask, struct value *out)
{
    return give_text(ask->request->resource_id, out);
}

static bool get_resource_path(const struct ask *ask, struct value *out)
{
    return give_text(ask->path, out);
}

static bool get_session_ref(const struct ask *ask, struct value *out)
{
    return ask->has_session && give_text((struct str){ask->ref, strlen(ask->ref)}, out);
}

static bool get_session_state(const struct ask *ask, struct value *out)
{
    enum session_state state = (enum session_state)ask->session.state;
    return ask->has_session && // one that begins with this question is active to whoever asks
           give_text(str_of(session_state_name(state != SESSION_NONE ? state : SESSION_ACTIVE)), out);
}

static bool get_session_known(const struct ask *ask, struct value *out)
{
    *out = value_bool(ask->known);
    return ask->has_session;
}

static bool get_session_issued(const struct ask *ask, struct value *out)
{
    *out = value_bool(ask->session.issued != 0);
    return ask->has_session;
}

static bool get_session_auth_time(const struct ask *ask, struct value *out)
{
    *out = value_time_ms(ask->auth_time_ms);
    return ask->has_session && ask->has_auth_time;
}

static bool get_session_started(const struct ask *ask, struct value *out)
{
    *out = value_time_ms(ask->session.first_seen_ms);
    return ask->has_session;
}

static bool get_session_last_seen(const struct ask *ask, struct value *out)
{
    *out = value_time_ms(ask->session.last_seen_ms);
    return ask->has_session;
}

static bool get_session_requests(const struct ask *ask, struct value *out)
{
    *out = value_int(ask->session.requests);
    return ask->has_session;
}

static bool get_session_acr(const struct ask *ask, struct value *out)
{
    return ask->has_session && give_text(ask->acr, out);
}

static bool get_session_amr(const struct ask *ask, struct value *out)
{
    *out = ask->amr;
    return ask->has_session && ask->amr.kind == VALUE_LIST;
}

static bool get_device_fingerprint(const struct ask *ask, struct value *out)
{
    return ask_may(ask, GRANT_ASSERT_DEVICE) && give_text(ask->request->fingerprint, out);
}

// When the user's device was seen first; one that is not remembered is seen first now.
static bool get_device_first_seen(const struct ask *ask, struct value *out)
{
    if ((ask->seen.flags & SIGHT_HAS_FINGERPRINT) == 0 || !ask_may(ask, GRANT_ASSERT_DEVICE)) {
        return false;
    }
    *out = value_time_ms(ask->now_ms);
    for (size_t i = 0; i < USER_DEVICES; i++) {
        if (ask->user.devices[i].fingerprint == ask->seen.fingerprint) {
            *out = value_time_ms((int64_t)ask->user.devices[i].first_s * TIME_MS_PER_S);
        }
    }
    return true;
}

static bool get_device_remembered(const struct ask *ask, struct value *out)
{
    bool remembered = false;
    bool told = device_remembered(ask, &remembered);
    *out = value_bool(remembered);
    return told;
}

static bool get_device_managed(const struct ask *ask, struct value *out)
{
    *out = value_bool(ask->request->managed);
    return ask->request->has_managed && ask_may(ask, GRANT_ASSERT_DEVICE);
}

static bool get_device_user_agent(const struct ask *ask, struct value *out)
{
    return give_text(ask->request->user_agent, out);
}

static bool get_device_family(const struct ask *ask, struct value *out)
{
    return (ask->seen.flags & SIGHT_HAS_AGENT) != 0 &&
           give_text(risk_agent_family(ask->seen.agent_family), out);
}

static bool get_device_os(const struct ask *ask, struct value *out)
{
    return (ask->seen.flags & SIGHT_HAS_AGENT) != 0 && give_text(risk_agent_os(ask->seen.agent_os), out);
}

static bool get_device_class(const struct ask *ask, struct value *out)
{
    return (ask->seen.flags & SIGHT_HAS_AGENT) != 0 &&
           give_text(risk_agent_class(ask->seen.agent_class), out);
}

static bool get_device_version(const struct ask *ask, struct value *out)
{
    *out = value_int(ask->seen.agent_version);
    return ask->seen.agent_version != 0;
}

static bool get_device_tool(const struct ask *ask, struct value *out)
{
    *out = value_bool((ask->seen.flags & SIGHT_TOOL_AGENT) != 0);
    return (ask->seen.flags & SIGHT_HAS_AGENT) != 0;
}

static bool get_device_components(const struct ask *ask, struct value *out)
{
    return ask_may(ask, GRANT_ASSERT_DEVICE) && give_tree(ask->request->components, out);
}

static bool get_network_ip(const struct ask *ask, struct value *out)
{
    *out = (struct value){.kind = VALUE_IP, .as.ip = &ask->ip};
    return ask->has_ip;
}

static bool get_network_private(const struct ask *ask, struct value *out)
{
    *out = value_bool(ask->has_ip && ip_is_private(&ask->ip));
    return ask->has_ip;
}

static bool get_network_forwarded_for(const struct ask *ask, struct value *out)
{
    return give_tree(ask->request->forwarded_for, out);
}

static bool get_geo_country(const struct ask *ask, struct value *out)
{
    return (ask->place.known & GEO_COUNTRY) != 0 && give_text(ask->place.country, out);
}

static bool get_geo_continent(const struct ask *ask, struct value *out)
{
    return (ask->place.known & GEO_CONTINENT) != 0 && give_text(ask->place.continent, out);
}

static bool get_geo_city(const struct ask *ask, struct value *out)
{
    return (ask->place.known & GEO_CITY) != 0 && give_text(ask->place.city, out);
}

static bool get_geo_latitude(const struct ask *ask, struct value *out)
{
    return give_double(ask->place.lat_deg, out);
}

static bool get_geo_longitude(const struct ask *ask, struct value *out)
{
    return give_double(ask->place.lon_deg, out);
}

static bool get_geo_radius_km(const struct ask *ask, struct value *out)
{
    return give_double(ask->place.radius_km, out);
}

static bool get_geo_asn(const struct ask *ask, struct value *out)
{
    *out = value_int(ask->place.asn);
    return (ask->place.known & GEO_ASN) != 0;
}

static bool get_geo_org(const struct ask *ask, struct value *out)
{
    return (ask->place.known & GEO_ORG) != 0 && give_text(ask->place.org, out);
}

static const unsigned OF_ANONYMITY = SIGHT_ANONYMOUS | SIGHT_VPN | SIGHT_HOSTING | SIGHT_PROXY | SIGHT_TOR |
                                     SIGHT_RESIDENTIAL_PROXY | SIGHT_SATELLITE;

// What a database tells of an address that has not the flag.
static unsigned denied_by_databases(const struct geo_place *place)
{
    return ((place->known & GEO_ANONYMITY) != 0 ? OF_ANONYMITY : 0) |
           ((place->known & GEO_LINK) != 0 ? SIGHT_CARRIER : 0);
}

// A flag that is set holds. One that is not says something only where a database or a list tells of it, and
// no list that may hold the address is silent.
static bool geo_flag(const struct ask *ask, unsigned flag, struct value *out)
{
    bool set = (ask->place.flags & flag) != 0;
    unsigned told = denied_by_databases(&ask->place) | ask->network.decided;
    *out = value_bool(set);
    return set || (told & ~ask->network.unsure & flag) != 0;
}

#define GEO_FLAG(name, flag)                                             \
    static bool get_geo_##name(const struct ask *ask, struct value *out) \
    {                                                                    \
        return geo_flag(ask, flag, out);                                 \
    }
GEO_FLAG(anonymous, SIGHT_ANONYMOUS)
GEO_FLAG(vpn, SIGHT_VPN)
GEO_FLAG(hosting, SIGHT_HOSTING)
GEO_FLAG(proxy, SIGHT_PROXY)
GEO_FLAG(tor, SIGHT_TOR)
GEO_FLAG(residential_proxy, SIGHT_RESIDENTIAL_PROXY)
GEO_FLAG(satellite, SIGHT_SATELLITE)
GEO_FLAG(relay, SIGHT_RELAY)
GEO_FLAG(carrier, SIGHT_CARRIER)
GEO_FLAG(own_egress, SIGHT_OWN_EGRESS)

static bool get_travel_km(const struct ask *ask, struct value *out)
{
    return ask->has_risk && give_double(ask->risk.travel_km, out);
}

static bool get_travel_kmh(const struct ask *ask, struct value *out)
{
    return ask->has_risk && give_double(ask->risk.travel_kmh, out);
}

static bool get_risk_score(const struct ask *ask, struct value *out)
{
    return ask->has_risk && !ask->risk.deny && give_double(ask->risk.score, out);
}

static bool get_risk_hard(const struct ask *ask, struct value *out)
{
    return ask->has_risk && !ask->risk.deny && give_double(ask->risk.hard, out);
}

static bool get_risk_level(const struct ask *ask, struct value *out)
{
    *out = (struct value){.kind = VALUE_LEVEL, .as.i = ask->risk.level};
    return ask->has_risk && !ask->risk.deny;
}

static bool get_risk_signals(const struct ask *ask, struct value *out)
{
    if (!ask->has_risk) {
        return false;
    }
    size_t count = ask->risk.signal_count;
    struct value_entry *entries = ARENA_ARRAY(&ask->worker->arena, struct value_entry, count + 1);
    if (entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].key = value_str(ask->risk.signals[i].id);
        entries[i].value = value_double(ask->risk.signals[i].evidence);
    }
    *out = (struct value){.kind = VALUE_MAP, .n = (uint32_t)count, .as.map = entries};
    return true;
}

static bool (*const GETTERS[ATTR_COUNT])(const struct ask *ask, struct value *out) = {
    [ATTR_NOW] = get_now,
    [ATTR_TENANT] = get_tenant,
    [ATTR_GATEWAY] = get_gateway,
    [ATTR_SUBJECT_TYPE] = get_subject_type,
    [ATTR_SUBJECT_ID] = get_subject_id,
    [ATTR_ACTION_NAME] = get_action_name,
    [ATTR_RESOURCE_TYPE] = get_resource_type,
    [ATTR_RESOURCE_ID] = get_resource_id,
    [ATTR_RESOURCE_PATH] = get_resource_path,
    [ATTR_SESSION_REF] = get_session_ref,
    [ATTR_SESSION_STATE] = get_session_state,
    [ATTR_SESSION_KNOWN] = get_session_known,
    [ATTR_SESSION_ISSUED] = get_session_issued,
    [ATTR_SESSION_AUTH_TIME] = get_session_auth_time,
    [ATTR_SESSION_STARTED] = get_session_started,
    [ATTR_SESSION_LAST_SEEN] = get_session_last_seen,
    [ATTR_SESSION_REQUESTS] = get_session_requests,
    [ATTR_SESSION_ACR] = get_session_acr,
    [ATTR_SESSION_AMR] = get_session_amr,
    [ATTR_DEVICE_FINGERPRINT] = get_device_fingerprint,
    [ATTR_DEVICE_FIRST_SEEN] = get_device_first_seen,
    [ATTR_DEVICE_REMEMBERED] = get_device_remembered,
    [ATTR_DEVICE_MANAGED] = get_device_managed,
    [ATTR_DEVICE_USER_AGENT] = get_device_user_agent,
    [ATTR_DEVICE_FAMILY] = get_device_family,
    [ATTR_DEVICE_OS] = get_device_os,
    [ATTR_DEVICE_CLASS] = get_device_class,
    [ATTR_DEVICE_VERSION] = get_device_version,
    [ATTR_DEVICE_TOOL] = get_device_tool,
    [ATTR_DEVICE_COMPONENTS] = get_device_components,
    [ATTR_NETWORK_IP] = get_network_ip,
    [ATTR_NETWORK_PRIVATE] = get_network_private,
    [ATTR_NETWORK_FORWARDED_FOR] = get_network_forwarded_for,
    [ATTR_GEO_COUNTRY] = get_geo_country,
    [ATTR_GEO_CONTINENT] = get_geo_continent,
    [ATTR_GEO_CITY] = get_geo_city,
    [ATTR_GEO_LATITUDE] = get_geo_latitude,
    [ATTR_GEO_LONGITUDE] = get_geo_longitude,
    [ATTR_GEO_RADIUS_KM] = get_geo_radius_km,
    [ATTR_GEO_ASN] = get_geo_asn,
    [ATTR_GEO_ORG] = get_geo_org,
    [ATTR_GEO_ANONYMOUS] = get_geo_anonymous,
    [ATTR_GEO_VPN] = get_geo_vpn,
    [ATTR_GEO_HOSTING] = get_geo_hosting,
    [ATTR_GEO_PROXY] = get_geo_proxy,
    [ATTR_GEO_TOR] = get_geo_tor,
    [ATTR_GEO_RESIDENTIAL_PROXY] = get_geo_residential_proxy,
    [ATTR_GEO_SATELLITE] = get_geo_satellite,
    [ATTR_GEO_RELAY] = get_geo_relay,
    [ATTR_GEO_CARRIER] = get_geo_carrier,
    [ATTR_GEO_OWN_EGRESS] = get_geo_own_egress,
    [ATTR_TRAVEL_KM] = get_travel_km,
    [ATTR_TRAVEL_KMH] = get_travel_kmh,
    [ATTR_RISK_SCORE] = get_risk_score,
    [ATTR_RISK_HARD] = get_risk_hard,
    [ATTR_RISK_LEVEL] = get_risk_level,
    [ATTR_RISK_SIGNALS] = get_risk_signals,
};

// ---- Fields of open roots: looked up in the question --------------------------------------------

static struct str first_segment(struct str path, struct str *rest)
{
    size_t dot = str_find_byte(path, '.', 0);
    *rest = str_sub(path, dot + 1, path.len);
    return str_sub(path, 0, dot);
}

// What the path leads to. Where something without fields stands in its way it is not missing: whoever
// mistypes a map must not pass for one who left it out, or has() would call it absent.
static bool give_path(const struct value *tree, struct str path, struct value *out)
{
    const struct value *at = tree;
    for (size_t from = 0; at != NULL && from <= path.len;) {
        if (at->kind != VALUE_MAP && at->kind != VALUE_NULL) {
            *out = (struct value){.kind = VALUE_ERROR, .spare = at->kind};
            return true;
        }
        size_t dot = str_find_byte(path, '.', from);
        at = value_get(at, str_sub(path, from, dot - from));
        from = dot + 1;
    }
    return give_tree(at, out);
}

// ---- Properties: what the question sends, and what is stored ------------------------------------

// What is stored of the subject, the resource, or the candidate of a search.
static enum entities_known stored_of(const struct ask *ask, enum search_part part,
                                     const struct value **properties)
{
    const struct request *request = ask->request;
    if (ask->candidate != NULL && ask->searched == part) {
        *properties = ask->candidate->properties;
        return ENTITIES_KNOWN;
    }
    *properties = NULL;
    if (part == SEARCH_ACTION) {
        return ENTITIES_SILENT;
    }
    bool subject = part == SEARCH_SUBJECT;
    struct str id = subject ? request->subject_id : ask->path.len > 0 ? ask->path : request->resource_id;
    return entities_find(ask->snapshot->policies, ask->snapshot->lists,
                         subject ? request->subject_type : request->resource_type, id, ask->now_ms,
                         properties);
}

// Of one that should be known and is not, nothing is absent: has() is unsure of it too.
static bool give_unknown(enum search_part part, struct value *out)
{
    static const char *const WORDS[] = {
        [SEARCH_SUBJECT] = "the subject is in no Entities document that would fill in what is not sent",
        [SEARCH_RESOURCE] = "the resource is in no Entities document that would fill in what is not sent",
        [SEARCH_ACTION] = "the action is not known"};
    *out = (struct value){.kind = VALUE_ERROR, .n = CEL_ERROR_SAID, .as.text = WORDS[part]};
    return true;
}

// What is sent wins, whole: nothing is merged below the first name.
static bool give_property(const struct ask *ask, enum search_part part, const struct value *sent,
                          struct str path, struct value *out)
{
    const struct value *stored = NULL;
    if (give_path(sent, path, out)) {
        return true;
    }
    enum entities_known known = stored_of(ask, part, &stored);
    if (known == ENTITIES_SILENT) {
        return false;
    }
    struct str rest;
    const struct value *own = value_get(sent, first_segment(path, &rest));
    if (own != NULL && own->kind != VALUE_NULL) {
        return false;
    }
    return known == ENTITIES_KNOWN ? give_path(stored, path, out) : give_unknown(part, out);
}

// All that is sent, and of what is stored whatever is not.
static bool join_properties(const struct ask *ask, const struct value *sent, const struct value *stored,
                            struct value *out)
{
    size_t most = (size_t)(sent != NULL ? sent->n : 0) + stored->n;
    struct value_entry *entries = ARENA_ARRAY(&ask->worker->arena, struct value_entry, most + 1);
    *out = (struct value){.kind = VALUE_MAP, .as.map = entries};
    for (uint32_t i = 0; entries != NULL && sent != NULL && i < sent->n; i++) {
        if (sent->as.map[i].value.kind != VALUE_NULL) {
            entries[out->n++] = sent->as.map[i];
        }
    }
    for (uint32_t i = 0; entries != NULL && i < stored->n; i++) {
        const struct value *own = value_get(sent, value_text(&stored->as.map[i].key));
        bool left_out = own == NULL || own->kind == VALUE_NULL;
        if (left_out && stored->as.map[i].value.kind != VALUE_NULL) {
            entries[out->n++] = stored->as.map[i];
        }
    }
    return entries != NULL;
}

// `subject.properties` and below it.
static bool give_properties(const struct ask *ask, enum search_part part, const struct value *sent,
                            struct str path, struct value *out)
{
    const struct value *stored = NULL;
    if (path.len > 0) {
        return give_property(ask, part, sent, path, out);
    }
    enum entities_known known = stored_of(ask, part, &stored);
    if (known == ENTITIES_UNKNOWN) {
        return give_unknown(part, out);
    }
    return stored != NULL ? join_properties(ask, sent, stored, out) : give_tree(sent, out);
}

static bool resolve_properties(const struct ask *ask, uint32_t id, struct str path, struct value *out)
{
    const struct request *request = ask->request;
    if (id == ATTR_RESOURCE_PROPERTIES) {
        return give_properties(ask, SEARCH_RESOURCE, request->resource_properties, path, out);
    }
    if (id == ATTR_ACTION_PROPERTIES) {
        return give_properties(ask, SEARCH_ACTION, request->action_properties, path, out);
    }
    bool believed = ask_may(ask, GRANT_ASSERT_SUBJECT) && ask_may(ask, GRANT_ASSERT_ROLES);
    return give_properties(ask, SEARCH_SUBJECT, believed ? request->subject_properties : NULL, path, out);
}

// What a condition reads by hand under `context.session` is believed no more than `session.…`.
static bool resolve_context(const struct ask *ask, struct str path, struct value *out)
{
    struct str rest = {0};
    struct str first = first_segment(path, &rest);
    if (path.len == 0 || str_eq(first, STR("session"))) {
        bool proof = rest.len == 0 || str_starts(rest, STR("acr")) || str_starts(rest, STR("amr")) ||
                     str_starts(rest, STR("auth_time"));
        if (proof && (ask->session.issued != 0 || !ask_may(ask, GRANT_ASSERT_AUTH))) {
            return false;
        }
    }
    if ((path.len == 0 || str_eq(first, STR("device"))) && !ask_may(ask, GRANT_ASSERT_DEVICE)) {
        return false;
    }
    return path.len == 0 ? give_tree(ask->request->context, out)
                         : give_path(ask->request->context, path, out);
}

// A subject has the roles that its roles bring along. What the peer may not say is as if it were not sent.
// `subject.roles` is `properties.roles`; `subject.properties.type` reaches a property with a reserved name.
static bool resolve_subject(const struct ask *ask, struct str path, struct value *out)
{
    struct str rest;
    bool roles = str_eq(first_segment(path, &rest), STR("roles"));
    bool believed = ask_may(ask, roles ? GRANT_ASSERT_ROLES : GRANT_ASSERT_SUBJECT);
    const struct value *sent = believed ? ask->request->subject_properties : NULL;
    if (!give_property(ask, SEARCH_SUBJECT, sent, path, out)) {
        return false;
    }
    return !str_eq(path, STR("roles")) ||
           policy_roles_expand(ask->snapshot->policies, out, &ask->worker->arena);
}

bool ask_roles(const struct ask *ask, struct value *out)
{
    return resolve_subject(ask, STR("roles"), out) && out->kind == VALUE_LIST;
}

static bool resolve_root(const struct ask *ask, uint32_t root, struct str path, struct value *out)
{
    const struct request *request = ask->request;
    switch (root) {
    case ROOT_SUBJECT:
        return resolve_subject(ask, path, out);
    case ROOT_ACTION:
        return give_property(ask, SEARCH_ACTION, request->action_properties, path, out);
    case ROOT_RESOURCE:
        return give_property(ask, SEARCH_RESOURCE, request->resource_properties, path, out);
    case ROOT_CONTEXT:
        return resolve_context(ask, path, out);
    default:
        return false;
    }
}

bool ask_resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    struct ask *ask = user;
    *out = (struct value){0};
    ask->score_read |=
        slot->id == ATTR_RISK_SCORE || slot->id == ATTR_RISK_HARD || slot->id == ATTR_RISK_SIGNALS;
    ask->reads_device |= slot->id == ATTR_DEVICE_REMEMBERED;
    if (slot->id >= ATTR_COUNTERS) {
        return ask_counter(ask, slot->id - ATTR_COUNTERS, out);
    }
    if (slot->id >= ATTR_COUNT) {
        return resolve_root(ask, slot->id, slot->rest, out);
    }
    if (GETTERS[slot->id] == NULL) {
        return resolve_properties(ask, slot->id, slot->rest, out);
    }
    if (!GETTERS[slot->id](ask, out)) {
        *out = (struct value){0};
        return false;
    }
    if (slot->rest.len == 0) {
        return true;
    }
    struct value whole = *out;
    return give_path(&whole, slot->rest, out);
}

enum truth ask_contains(void *user, uint32_t set, const struct value *value)
{
    struct ask *ask = user;
    ask->lists_asked |= UINT64_C(1) << (set % 64);
    return policy_contains(ask->snapshot->lists, set, value, ask->now_ms);
}
