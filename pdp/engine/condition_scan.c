// SPDX-License-Identifier: Apache-2.0
// What the record of a session tells a condition: where it was seen last, and as what. The rest is missing.
#include "engine/condition.h"
#include "engine/worker.h"

#include "base/time.h"

#include <math.h>
#include <stdlib.h>

static const size_t ARENA_LIMIT = 1024 * 1024;

struct condition_scan {
    struct worker *worker;
    const struct snapshot *snapshot;
    struct cel_program *program;
    struct cel_frame *frame; // NULL: what serves does not understand it, and all is unsure
    struct arena arena;      // of one record
    uint32_t expr;
    int64_t now_ms;
    const struct session_view *view;
    struct control_facts facts;
    char country[2];
};

// ---- One getter an attribute: false where the record does not tell it --------------------------------

static bool give_text(struct str text, struct value *out)
{
    *out = value_str(text);
    return text.at != NULL;
}

static bool give_time(int64_t at_ms, struct value *out)
{
    *out = value_time_ms(at_ms);
    return at_ms != 0;
}

static bool give_double(double d, struct value *out)
{
    *out = value_double(d);
    return !isnan(d);
}

static bool give_int(int64_t i, struct value *out)
{
    *out = value_int(i);
    return i != 0;
}

static bool give_flag(bool known, bool set, struct value *out)
{
    *out = value_bool(set);
    return known;
}

static bool get_now(struct condition_scan *scan, struct value *out)
{
    return give_time(scan->now_ms, out);
}

static bool get_tenant(struct condition_scan *scan, struct value *out)
{
    return give_text(scan->facts.tenant, out);
}

static bool get_gateway(struct condition_scan *scan, struct value *out)
{
    return give_text(scan->facts.gateway, out);
}

static bool get_type(struct condition_scan *scan, struct value *out)
{
    return give_text(scan->facts.subject_type, out);
}

static bool get_id(struct condition_scan *scan, struct value *out)
{
    return give_text(scan->facts.subject_id, out);
}

static bool get_ref(struct condition_scan *scan, struct value *out)
{
    return give_text(str_of(scan->view->ref), out);
}

static bool get_state(struct condition_scan *scan, struct value *out)
{
    return give_text(str_of(session_state_name((enum session_state)scan->view->record.state)), out);
}

static bool get_known(struct condition_scan *scan, struct value *out)
{
    (void)scan;
    return give_flag(true, true, out);
}

static bool get_issued(struct condition_scan *scan, struct value *out)
{
    return give_flag(true, scan->view->record.issued != 0, out);
}

// What a question claims of its authentication is in no record: only an issuer's word is.
static bool get_auth_time(struct condition_scan *scan, struct value *out)
{
    return give_time(scan->view->record.issued != 0 ? scan->view->record.auth_time_ms : 0, out);
}

static bool get_started(struct condition_scan *scan, struct value *out)
{
    return give_time(scan->view->record.first_seen_ms, out);
}

static bool get_last_seen(struct condition_scan *scan, struct value *out)
{
    return give_time(scan->view->record.last_seen_ms, out);
}

static bool get_requests(struct condition_scan *scan, struct value *out)
{
    *out = value_int(scan->view->record.requests);
    return true;
}

static bool get_acr(struct condition_scan *scan, struct value *out)
{
    const struct session_record *record = &scan->view->record;
    bool whole = record->issued != 0 && record->acr_len > 0 && record->acr_len <= sizeof record->acr;
    return give_text(whole ? (struct str){record->acr, record->acr_len} : (struct str){0}, out);
}

static bool has_agent(const struct condition_scan *scan)
{
    return (scan->view->record.last.flags & SIGHT_HAS_AGENT) != 0;
}

static bool get_family(struct condition_scan *scan, struct value *out)
{
    return has_agent(scan) && give_text(risk_agent_family(scan->view->record.last.agent_family), out);
}

static bool get_os(struct condition_scan *scan, struct value *out)
{
    return has_agent(scan) && give_text(risk_agent_os(scan->view->record.last.agent_os), out);
}

static bool get_class(struct condition_scan *scan, struct value *out)
{
    return has_agent(scan) && give_text(risk_agent_class(scan->view->record.last.agent_class), out);
}

static bool get_version(struct condition_scan *scan, struct value *out)
{
    *out = value_int(scan->view->record.last.agent_version);
    return scan->view->record.last.agent_version != 0;
}

static bool get_tool(struct condition_scan *scan, struct value *out)
{
    return give_flag(has_agent(scan), (scan->view->record.last.flags & SIGHT_TOOL_AGENT) != 0, out);
}

static bool get_ip(struct condition_scan *scan, struct value *out)
{
    *out = (struct value){.kind = VALUE_IP, .as.ip = &scan->facts.ip};
    return scan->facts.has_ip;
}

static bool get_private(struct condition_scan *scan, struct value *out)
{
    return give_flag(scan->facts.has_ip, scan->facts.has_ip && ip_is_private(&scan->facts.ip), out);
}

static bool get_country(struct condition_scan *scan, struct value *out)
{
    uint16_t country = scan->facts.country;
    scan->country[0] = (char)(country >> 8);
    scan->country[1] = (char)(country & 255);
    return give_text(country != 0 ? (struct str){scan->country, 2} : (struct str){0}, out);
}

static bool get_asn(struct condition_scan *scan, struct value *out)
{
    return give_int(scan->facts.asn, out);
}

static bool get_lat(struct condition_scan *scan, struct value *out)
{
    return give_double(scan->view->record.last.lat_deg, out);
}

static bool get_lon(struct condition_scan *scan, struct value *out)
{
    return give_double(scan->view->record.last.lon_deg, out);
}

static bool get_radius(struct condition_scan *scan, struct value *out)
{
    return give_double(scan->view->record.last.radius_km, out);
}

// A flag that is set holds; whether a database told of it where it is not, no record knows.
#define FLAG(name, flag)                                                            \
    static bool get_##name(struct condition_scan *scan, struct value *out)          \
    {                                                                               \
        return give_flag((scan->view->record.last.flags & (flag)) != 0, true, out); \
    }
FLAG(anonymous, SIGHT_ANONYMOUS)
FLAG(vpn, SIGHT_VPN)
FLAG(hosting, SIGHT_HOSTING)
FLAG(proxy, SIGHT_PROXY)
FLAG(tor, SIGHT_TOR)
FLAG(residential_proxy, SIGHT_RESIDENTIAL_PROXY)
FLAG(satellite, SIGHT_SATELLITE)
FLAG(relay, SIGHT_RELAY)
FLAG(carrier, SIGHT_CARRIER)
FLAG(own_egress, SIGHT_OWN_EGRESS)

// Of the last answer that is remembered.
static const struct session_repeat *answered(const struct condition_scan *scan)
{
    const struct session_record *record = &scan->view->record;
    const struct session_repeat *last =
        &record->repeats[(record->repeat_next + SESSION_REPEATS - 1) % SESSION_REPEATS];
    return last->id != 0 ? last : NULL;
}

static bool get_score(struct condition_scan *scan, struct value *out)
{
    const struct session_repeat *last = answered(scan);
    return give_double(last != NULL ? (double)last->score : NAN, out);
}

static bool get_level(struct condition_scan *scan, struct value *out)
{
    const struct session_repeat *last = answered(scan);
    *out = (struct value){.kind = VALUE_LEVEL, .as.i = last != NULL ? last->level : 0};
    return last != NULL;
}

static bool (*const GETTERS[ATTR_COUNT])(struct condition_scan *scan, struct value *out) = {
    [ATTR_NOW] = get_now,
    [ATTR_TENANT] = get_tenant,
    [ATTR_GATEWAY] = get_gateway,
    [ATTR_SUBJECT_TYPE] = get_type,
    [ATTR_SUBJECT_ID] = get_id,
    [ATTR_SESSION_REF] = get_ref,
    [ATTR_SESSION_STATE] = get_state,
    [ATTR_SESSION_KNOWN] = get_known,
    [ATTR_SESSION_ISSUED] = get_issued,
    [ATTR_SESSION_AUTH_TIME] = get_auth_time,
    [ATTR_SESSION_STARTED] = get_started,
    [ATTR_SESSION_LAST_SEEN] = get_last_seen,
    [ATTR_SESSION_REQUESTS] = get_requests,
    [ATTR_SESSION_ACR] = get_acr,
    [ATTR_DEVICE_FAMILY] = get_family,
    [ATTR_DEVICE_OS] = get_os,
    [ATTR_DEVICE_CLASS] = get_class,
    [ATTR_DEVICE_VERSION] = get_version,
    [ATTR_DEVICE_TOOL] = get_tool,
    [ATTR_NETWORK_IP] = get_ip,
    [ATTR_NETWORK_PRIVATE] = get_private,
    [ATTR_GEO_COUNTRY] = get_country,
    [ATTR_GEO_ASN] = get_asn,
    [ATTR_GEO_LATITUDE] = get_lat,
    [ATTR_GEO_LONGITUDE] = get_lon,
    [ATTR_GEO_RADIUS_KM] = get_radius,
    [ATTR_GEO_ANONYMOUS] = get_anonymous,
    [ATTR_GEO_VPN] = get_vpn,
    [ATTR_GEO_HOSTING] = get_hosting,
    [ATTR_GEO_PROXY] = get_proxy,
    [ATTR_GEO_TOR] = get_tor,
    [ATTR_GEO_RESIDENTIAL_PROXY] = get_residential_proxy,
    [ATTR_GEO_SATELLITE] = get_satellite,
    [ATTR_GEO_RELAY] = get_relay,
    [ATTR_GEO_CARRIER] = get_carrier,
    [ATTR_GEO_OWN_EGRESS] = get_own_egress,
    [ATTR_RISK_SCORE] = get_score,
    [ATTR_RISK_LEVEL] = get_level,
};

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    struct condition_scan *scan = user;
    *out = (struct value){0};
    bool told = slot->id < ATTR_COUNT && slot->rest.len == 0 && GETTERS[slot->id] != NULL &&
                GETTERS[slot->id](scan, out);
    if (!told) { // not absent, as has() would have it: a question may well say it
        *out = (struct value){.kind = VALUE_ERROR, .n = CEL_ERROR_SAID};
        out->as.text = "no record tells it";
    }
    return true;
}

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    const struct condition_scan *scan = user;
    return policy_contains(scan->snapshot->lists, set, value, scan->now_ms);
}

// ---- The scan --------------------------------------------------------------------------------------

static enum pdp_err compile(struct condition_scan *scan, struct str text)
{
    uint64_t steps = 0;
    struct diags unheard;
    if (scan->snapshot == NULL) {
        return PDP_ERR_OK;
    }
    TRY(cel_program_new(&scan->snapshot->env, NULL, &scan->program));
    diags_init(&unheard, 1);
    enum pdp_err err = condition_add(scan->program, text, &steps, &unheard, &scan->expr);
    diags_fini(&unheard);
    if (err != PDP_ERR_OK) { // it fitted what served before
        return err == PDP_ERR_NOMEM ? err : PDP_ERR_OK;
    }
    TRY(cel_seal(scan->program));
    return cel_frame_new(scan->program, &scan->frame);
}

enum pdp_err condition_scan_begin(struct worker *worker, struct str text, int64_t now_ms,
                                  struct condition_scan **out)
{
    *out = NULL;
    AUTO(condition_scan_end) struct condition_scan *scan = calloc(1, sizeof *scan);
    if (scan == NULL) {
        return PDP_ERR_NOMEM;
    }
    scan->worker = worker;
    scan->now_ms = now_ms;
    arena_init(&scan->arena, 0, ARENA_LIMIT);
    scan->snapshot = worker_pin(worker);
    TRY(compile(scan, text));
    *out = STEAL(scan);
    return PDP_ERR_OK;
}

enum truth condition_scan_ask(struct condition_scan *scan, const struct session_view *view)
{
    const struct cel_host host = {.resolve = resolve, .contains = contains, .user = scan};
    if (scan->frame == NULL) {
        return TRUTH_UNSURE;
    }
    arena_reset(&scan->arena);
    scan->view = view;
    control_facts_of(scan->worker->engine->sessions, view, &scan->facts);
    cel_begin(scan->frame, &host, &scan->arena, scan->now_ms);
    return cel_truth(scan->frame, scan->expr);
}

void condition_scan_end(struct condition_scan **scan)
{
    struct condition_scan *s = STEAL(*scan);
    if (s != NULL) {
        cel_frame_free(&s->frame);
        cel_program_free(&s->program);
        worker_unpin(s->worker);
        arena_fini(&s->arena);
        free(s);
    }
}
