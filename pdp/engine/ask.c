// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/control.h"

#include "engine/device.h"
#include "engine/feed.h"
#include "engine/pardon.h"
#include "engine/undo.h"
#include "model/fault.h"
#include "model/hop.h"
#include "model/parts.h"
#include "model/path.h"
#include "model/qhash.h"

#include <math.h>

// ---- Enrich ------------------------------------------------------------------------------------

static uint16_t country_code(struct str country)
{
    unsigned first = country.len == 2 ? (unsigned char)country.at[0] : 0;
    unsigned second = country.len == 2 ? (unsigned char)country.at[1] : 0;
    return (uint16_t)(first << 8 | second);
}

// What lists say of the address joins what databases say. An AS number is told where a database of them is
// asked: an address that it lacks has none.
void ask_network(struct ask *ask, bool databases)
{
    struct geo_place *place = &ask->place;
    bool asn_told = databases && (geo_set_facts(ask->snapshot->geo) & GEO_ASN) != 0;
    uint32_t asn = (place->known & GEO_ASN) != 0 ? place->asn : 0;
    policy_network(ask->snapshot->lists, &ask->ip, asn_told, asn, ask->now_ms, &ask->network);
    place->flags = (uint16_t)(place->flags | ask->network.flags);
}

static void see_place(struct ask *ask)
{
    struct sighting *seen = &ask->seen;
    geo_lookup(ask->snapshot->geo, ask->worker->geo_cache, &ask->ip, &ask->place);
    ask_network(ask, true);
    const struct geo_place *place = &ask->place;
    seen->ip = ask->ip;
    seen->flags |= (uint16_t)(SIGHT_HAS_IP | place->flags);
    seen->geo_version = sight_geo_version(place->version);
    seen->lat_deg = place->lat_deg;
    seen->lon_deg = place->lon_deg;
    seen->radius_km = place->radius_km;
    seen->asn = (place->known & GEO_ASN) != 0 ? place->asn : 0;
    seen->country = (place->known & GEO_COUNTRY) != 0 ? country_code(place->country) : 0;
}

// What databases tell is not believed for now: the address alone is known, and what lists say of it.
static void see_no_place(struct ask *ask)
{
    ask_network(ask, false);
    ask->seen.ip = ask->ip;
    ask->seen.flags |= (uint16_t)(SIGHT_HAS_IP | ask->place.flags);
}

// Its place in the worker's cache, by its length and some of its bytes: agents differ by versions, which are
// everywhere.
static struct agent_seen *agent_place(const struct worker *worker, struct str agent)
{
    uint64_t mix = agent.len * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = agent.len / 16; i < agent.len; i += agent.len / 8 + 1) {
        mix = (mix ^ (unsigned char)agent.at[i]) * UINT64_C(0x100000001B3);
    }
    return &worker->agents[(mix ^ mix >> 32) % AGENT_CACHE_ENTRIES];
}

// Reading one takes longer than comparing it with the one that stood here last.
static void read_agent(struct ask *ask, struct str agent, struct risk_agent *out)
{
    if (agent.len > AGENT_CACHE_TEXT) {
        risk_agent_read(agent, out);
        return;
    }
    struct agent_seen *place = agent_place(ask->worker, agent);
    if (!str_eq((struct str){place->text, place->len}, agent)) {
        risk_agent_read(agent, &place->is);
        memcpy(place->text, agent.at, agent.len);
        place->len = (uint16_t)agent.len;
    }
    *out = place->is;
}

static void see_agent(struct ask *ask, struct str agent)
{
    struct sighting *seen = &ask->seen;
    struct risk_agent is;
    read_agent(ask, agent, &is);
    seen->agent_family = is.family;
    seen->agent_os = is.os;
    seen->agent_version = is.version;
    seen->agent_class = is.device;
    seen->flags |= (uint16_t)(SIGHT_HAS_AGENT | (is.tool ? SIGHT_TOOL_AGENT : 0));
}

static void see_device(struct ask *ask)
{
    const struct request *request = ask->request;
    struct sighting *seen = &ask->seen;
    if (request->fingerprint.len > 0) {
        seen->fingerprint = session_hash(ask->worker->engine->sessions, request->fingerprint);
        seen->flags |= SIGHT_HAS_FINGERPRINT;
    }
    if (request->user_agent.len > 0) {
        see_agent(ask, request->user_agent);
    }
    if (request->components != NULL && ask_may(ask, GRANT_ASSERT_DEVICE)) {
        parts_read(request->components, seen);
    }
}

static bool canonical_path(struct ask *ask)
{
    const struct request *request = ask->request;
    if (!str_eq(request->resource_type, STR("route"))) {
        return true;
    }
    const char *why = NULL;
    if (path_canonical(request->resource_id, &ask->worker->arena, &ask->path, &why) != PDP_ERR_OK) {
        (void)fault_set(&ask->worker->fault, "resource.id", "not a plain path: %s", why);
        return false;
    }
    return true;
}

bool ask_enrich(struct ask *ask)
{
    ask->seen = (struct sighting){.at_ms = ask->now_ms, .lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
    ask->place = (struct geo_place){.lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
    const struct engine_config *config = &ask->worker->engine->config;
    ask->has_ip = hop_judge(ask->request, config->proxies, config->proxy_count, &ask->ip, &ask->ip_why);
    if (ask->has_ip && ask->worker->mutes != NULL && ask->worker->mutes->geo) {
        see_no_place(ask);
    } else if (ask->has_ip) {
        see_place(ask);
    }
    see_device(ask);
    return canonical_path(ask);
}

// ---- The session -------------------------------------------------------------------------------

struct cel_frame *ask_frame(const struct ask *ask)
{
    return ask->snapshot->scratch[ask->worker->index].frame;
}

void ask_begin(struct ask *ask)
{
    ask->strengths_asked = ask->strengths_proved = 0;
    ask->host = (struct cel_host){.resolve = ask_resolve, .contains = ask_contains, .user = ask};
    cel_begin(ask_frame(ask), &ask->host, &ask->worker->arena, ask->now_ms);
}

static void find_repeat(struct ask *ask)
{
    if (ask->request->request_id.len == 0) {
        return;
    }
    struct engine *engine = ask->worker->engine;
    uint64_t id = session_hash(engine->sessions, ask->request->request_id);
    id ^= ask->peer->hash + ask->item * UINT64_C(0x9E3779B97F4A7C15);
    ask->repeat_id = id != 0 ? id : 1;
    // The same question is asked again with less time left.
    ask->question_hash = qhash_but(engine->config.key, &ask->request->root, STR("deadline_ms"));
    for (size_t i = 0; ask->known && i < SESSION_REPEATS; i++) {
        if (ask->session.repeats[i].id == ask->repeat_id) {
            ask->repeat = &ask->session.repeats[i];
        }
    }
}

void ask_hold(struct ask *ask)
{
    const struct request *request = ask->request;
    struct session_table *table = ask->table;
    struct str id = ask->named.len > 0 ? ask->named : request->session_id;
    ask->has_session = id.len > 0;
    ask->key = session_key_of(table, ask->peer->hash, request->tenant, request->subject_type,
                              request->subject_id, id);
    if (ask->seed != NULL && ask->seed->known) { // by whatever id it was named: it has one in both worlds
        ask->key.id = ask->seed->session.id;
        ask->key.number = ask->seed->session.key;
    }
    session_hold(table, &ask->key, &ask->held);
    ask->known = ask->held.found == SESSION_FOUND;
    bool seeded = ask->held.session == NULL && ask->seed != NULL && ask->seed->known;
    if (ask->held.session != NULL) {
        ask->session = *ask->held.session;
    } else if (seeded) {
        ask->session = ask->seed->session;
        ask->known = true;
    } else {
        // It would begin now: whoever reads that first (the target of a limit) keeps it for all that read it
        // later.
        ask->session = (struct session_record){.id = ask->key.id,
                                               .subject = ask->key.subject,
                                               .first_seen_ms = ask->now_ms,
                                               .last_seen_ms = ask->now_ms};
    }
    ask->has_user = true;
    if (ask->held.user != NULL) {
        ask->user = *ask->held.user;
    } else if (ask->seed != NULL && ask->seed->has_user) {
        ask->user = ask->seed->user;
    } else {
        ask->user = (struct user_record){.subject = ask->key.subject};
        ask->has_user = false;
    }
    if (ask->user.first_seen_ms == 0) {
        ask->user.first_seen_ms = ask->now_ms;
    }
    ask->was_held = ask->seed == NULL && (ask->snapshot->shadow != NULL || ask->worker->recorder != NULL);
    if (ask->was_held) {
        ask->worker->seed = (struct shadow_seed){ask->known, ask->has_user, ask->session, ask->user};
    }
    if (ask->has_session) {
        session_ref_print(ask->session.id, ask->ref);
    }
    if (ask->has_session && ask->held.found != SESSION_FOREIGN) {
        find_repeat(ask);
    }
    undo_apply(ask);
    control_cuts(ask);
}

void ask_release(struct ask *ask)
{
    session_release(ask->table, &ask->held);
}

// The record's amr, space-separated, as a list of text in the arena.
static struct value stored_amr(struct ask *ask)
{
    struct str all = {ask->session.amr, ask->session.amr_len};
    struct value *list = ARENA_ARRAY(&ask->worker->arena, struct value, all.len / 2 + 1);
    struct value out = {.kind = VALUE_LIST, .as.list = list};
    for (size_t from = 0; list != NULL && from < all.len;) {
        size_t end = str_find_byte(all, ' ', from);
        if (end > from) {
            list[out.n++] = value_str(str_sub(all, from, end - from));
        }
        from = end + 1;
    }
    return list != NULL ? out : (struct value){0};
}

void ask_believe(struct ask *ask)
{
    const struct request *request = ask->request;
    if (ask->session.issued != 0) {
        const bool told = (ask->session.undone & SESSION_UNDONE_PROOFS) == 0;
        ask->acr = (struct str){ask->session.acr_len > 0 ? ask->session.acr : NULL, ask->session.acr_len};
        ask->amr = told ? stored_amr(ask) : (struct value){0};
        ask->auth_time_ms = ask->session.auth_time_ms;
        ask->has_auth_time = true;
        for (size_t i = 0; i < SESSION_PROOFS; i++) {
            int64_t proved_ms = (int64_t)ask->session.proofs[i].at_s * TIME_MS_PER_S;
            ask->auth_time_ms = num_max(ask->auth_time_ms, proved_ms);
        }
        return;
    }
    ask->has_auth_time = false;
    if (!ask_may(ask, GRANT_ASSERT_AUTH)) {
        return;
    }
    ask->acr = request->acr;
    ask->amr = request->amr != NULL ? *request->amr : (struct value){0};
    ask->has_auth_time =
        request->has_auth_time && request->auth_time_ms <= num_add_sat(ask->now_ms, LIFECYCLE_AHEAD_MS);
    ask->auth_time_ms = ask->has_auth_time ? request->auth_time_ms : 0;
}

// Puts one text behind another with a space, where it fits and is not there yet.
static void add_word(char *words, uint8_t *len, size_t cap, struct str word)
{
    struct str all = {words, *len};
    for (size_t from = 0; from < all.len;) {
        size_t end = str_find_byte(all, ' ', from);
        if (str_eq(str_sub(all, from, end - from), word)) {
            return;
        }
        from = end + 1;
    }
    size_t need = word.len + (*len > 0);
    if (word.len == 0 || str_find_byte(word, ' ', 0) != word.len || need > cap - *len) {
        return; // what does not fit proves nothing
    }
    if (*len > 0) {
        words[(*len)++] = ' ';
    }
    memcpy(words + *len, word.at, word.len);
    *len = (uint8_t)(*len + word.len);
}

void ask_sign(struct ask *ask)
{
    ask->session.gateway = session_gateway(ask->worker->engine->sessions, ask->peer->name);
}

void ask_vouch(struct ask *ask)
{
    struct session_record *session = &ask->session;
    session->voucher = session_peer_mark(ask->peer->hash);
    session->vouched_s = (uint32_t)num_max(0, num_min(ask->now_ms / TIME_MS_PER_S, UINT32_MAX));
    session->prover = 0;
    session->undone = 0;
}

void ask_prove(struct ask *ask)
{
    struct session_record *session = &ask->session;
    uint16_t mark = session_peer_mark(ask->peer->hash);
    bool anew = session->prover == 0 || session->undone != 0; // what others proved counts no longer
    if ((session->undone & SESSION_UNDONE_AUTH) != 0) {
        ask_vouch(ask);
    }
    session->undone = 0;
    session->prover = anew || session->prover == mark ? mark : SESSION_PEERS_SEVERAL;
}

int32_t ask_issue(struct ask *ask, struct str acr, const struct value *amr, int64_t at_ms, bool add)
{
    struct session_record *session = &ask->session;
    int32_t strongest = -1;
    session->issued = 1; // from here on what is proved is read from the record
    ask_sign(ask);
    // What this event alone proves, at its own time.
    ask->acr = acr;
    ask->amr = amr != NULL ? *amr : (struct value){0};
    if (!add) {
        memset(session->proofs, 0, sizeof session->proofs);
        session->acr_len = 0;
        session->amr_len = 0;
        ask_vouch(ask);
    }
    ask_begin(ask);
    struct cel_frame *frame = ask_frame(ask);
    for (uint32_t i = 0; i < ask->snapshot->names.strength_count; i++) {
        if (cel_truth(frame, policy_strength_proves(ask->snapshot->policies, i)) == TRUTH_YES) {
            lifecycle_prove(session, ask->snapshot->strength_names[i], at_ms);
            strongest = (int32_t)i;
        }
    }
    if (add && strongest >= 0) {
        ask_prove(ask);
    }
    if (acr.len > 0 && acr.len <= sizeof session->acr) {
        memcpy(session->acr, acr.at, acr.len);
        session->acr_len = (uint8_t)acr.len;
    }
    for (uint32_t i = 0; amr != NULL && amr->kind == VALUE_LIST && i < amr->n; i++) {
        if (amr->as.list[i].kind == VALUE_STRING) {
            add_word(session->amr, &session->amr_len, sizeof session->amr, value_text(&amr->as.list[i]));
        }
    }
    return strongest;
}

// ---- Strengths ---------------------------------------------------------------------------------

// When a strength was proved: the issuer's word has a time a strength, a claim the one auth_time.
static bool proof_time(const struct ask *ask, uint32_t strength, int64_t *at_ms)
{
    if (ask->session.issued == 0) {
        *at_ms = ask->auth_time_ms;
        return ask->has_auth_time;
    }
    for (size_t i = 0; i < SESSION_PROOFS; i++) {
        if (ask->session.proofs[i].name == ask->snapshot->strength_names[strength]) {
            *at_ms = (int64_t)ask->session.proofs[i].at_s * TIME_MS_PER_S;
            return true;
        }
    }
    return false;
}

// The condition of one strength, run once a question: many rules ask for the same.
static bool strength_holds(struct ask *ask, uint32_t strength)
{
    uint64_t bit = strength < 64 ? UINT64_C(1) << strength : 0;
    if ((ask->strengths_asked & bit) != 0) {
        return (ask->strengths_proved & bit) != 0;
    }
    bool holds =
        cel_truth(ask_frame(ask), policy_strength_proves(ask->snapshot->policies, strength)) == TRUTH_YES;
    ask->strengths_asked |= bit;
    ask->strengths_proved |= holds ? bit : 0;
    return holds;
}

bool ask_proved(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms)
{
    struct ask *ask = user;
    int64_t best_ms = INT64_MIN;
    *until_ms = INT64_MAX;
    if (!ask->has_session) {
        return false;
    }
    // Proving a stronger one proves the weaker.
    for (uint32_t i = strength; i < ask->snapshot->names.strength_count; i++) {
        int64_t at_ms = 0;
        if (strength_holds(ask, i)) {
            if (max_age_s == 0) {
                return true;
            }
            best_ms = proof_time(ask, i, &at_ms) && at_ms > best_ms ? at_ms : best_ms;
        }
    }
    int64_t ends_ms =
        best_ms == INT64_MIN ? INT64_MIN : num_add_sat(best_ms, num_mul_sat(max_age_s, TIME_MS_PER_S));
    // A clock that steps back makes no proof fresh again that was too old for what was seen of the session.
    if (num_max(ask->now_ms, ask->session.last_seen_ms) > ends_ms) {
        return false;
    }
    *until_ms = ends_ms;
    return true;
}

// ---- Rollouts -----------------------------------------------------------------------------------

// Numbers that mean the same on every node: no key that is drawn at start-up goes into them.
static uint64_t sticky_of(const struct str *parts, size_t count)
{
    struct hash_key key = {count, UINT64_C(0x737469636b79)};
    for (size_t i = 0; i < count; i++) {
        key.k0 = hash_64(key, parts[i].at, parts[i].len);
    }
    return key.k0;
}

bool ask_sticky(void *user, enum policy_by by, uint64_t *key)
{
    const struct ask *ask = user;
    const struct request *request = ask->request;
    const struct str subject[] = {request->tenant, request->subject_type, request->subject_id};
    const struct str session[] = {request->tenant, request->session_id};
    switch (by) {
    case POLICY_BY_SUBJECT:
        *key = sticky_of(subject, COUNT_OF(subject));
        return request->subject_id.len > 0;
    case POLICY_BY_SESSION:
        *key = sticky_of(session, COUNT_OF(session));
        return ask->has_session;
    case POLICY_BY_DEVICE:
        *key = sticky_of(&request->fingerprint, 1);
        return request->fingerprint.len > 0 && ask_may(ask, GRANT_ASSERT_DEVICE);
    default:
        return false;
    }
}

// ---- Moving on ---------------------------------------------------------------------------------

// Which of the model's own signals hold of a question, before anything is known of its risk.
static void weigh_own(struct ask *ask, struct risk_input *in)
{
    const struct risk_model *model = ask->snapshot->risk;
    for (size_t i = 0; in->event == EVENT_NONE && i < risk_own_count(model); i++) {
        uint32_t when = risk_own_when(model, i);
        enum truth holds = when != UINT32_MAX ? cel_truth(ask_frame(ask), when) : TRUTH_NO;
        in->own_yes |= holds == TRUTH_YES ? UINT32_C(1) << i : 0;
        in->own_unsure |= holds == TRUTH_UNSURE ? UINT32_C(1) << i : 0;
    }
}

// A budget of step-ups is of what was asked before: of questions that count, and of the policies that serve.
static void score_recent(struct ask *ask, enum event_type event, bool budget)
{
    if (budget && event == EVENT_NONE && ask->moves && !ask_in_shadow(ask)) {
        recent_add(ask->worker->engine->recent, ask->risk.score);
    }
    if (budget) {
        ask->risk.until_ms = num_min(ask->risk.until_ms, recent_until(ask->now_ms));
    }
}

void ask_score(struct ask *ask, enum event_type event, int32_t passed_strength, double external)
{
    bool seen_before = ask->has_session && ask->known;
    struct risk_input in = {
        .now_ms = ask->now_ms,
        .event = event,
        .counts = ask->moves,
        .seen = &ask->seen,
        .anchor = seen_before ? &ask->session.anchor : NULL,
        .last = seen_before ? &ask->session.last : NULL,
        .user_last = ask->has_user ? &ask->user.last : NULL,
        .passed_strength = passed_strength,
        .external_evidence = external,
        .muted = ask->worker->mutes != NULL ? ask->worker->mutes->signals : 0,
        .source = feed_read(ask),
        .unsure_networks = ask->network.unsure,
        .population = ask->worker->engine->population,
        .pardons = pardon_find(ask),
    };
    weigh_own(ask, &in);
    population_turn(ask->worker->engine->population, ask->now_ms);
    recent_turn(ask->worker->engine->recent, ask->now_ms);
    in.medium = recent_medium(ask->worker->engine->recent, ask->snapshot->risk);
    risk_score(ask->snapshot->risk, &in, ask->session.risk, ask->user.risk, &ask->worker->arena,
               ask->request->explain_full, &ask->risk);
    pardon_bound(ask);
    score_recent(ask, event, in.medium > 0);
    ask->has_risk = true;
}

void ask_end(struct ask *ask, enum pdp_code why)
{
    lifecycle_end(&ask->session, why, &ask->limits, ask->now_ms);
}

void ask_cut(struct ask *ask)
{
    int64_t second =
        num_add_sat(ask->now_ms, TIME_MS_PER_S - 1) / TIME_MS_PER_S; // rounded towards the future
    uint32_t cutoff_s = (uint32_t)num_max(1, num_min(second, UINT32_MAX));
    ask->user.cutoff_s = cutoff_s > ask->user.cutoff_s ? cutoff_s : ask->user.cutoff_s;
    device_forget_all(&ask->user);
}

void ask_learn(struct ask *ask)
{
    device_learn(ask);
    ask->session.last = ask->seen;
    ask->user.last = ask->seen;
}

void ask_learn_profile(struct ask *ask)
{
    struct population *population = ask_in_shadow(ask) ? NULL : ask->worker->engine->population;
    risk_learn(&ask->seen, ask->now_ms, ask->user.risk, population);
}

// An issuer's word must last, and so must a cut-off; what was only observed may be lost with the last
// moments.
static bool is_lasting(const struct ask *ask)
{
    enum event_type event = ask->request->event;
    bool word = event != EVENT_NONE && event != EVENT_SIGNAL && event != EVENT_STEP_UP_FAILED;
    return word || ask->user.cutoff_s != (ask->held.user != NULL ? ask->held.user->cutoff_s : 0);
}

enum pdp_err ask_commit(struct ask *ask)
{
    ask->session.keep_until_ms = lifecycle_keep_until(&ask->session, &ask->limits, ask->now_ms);
    ask->session.over_ms = lifecycle_over_at(&ask->session, &ask->limits);
    struct session_delta delta = {
        .put_session = true,
        .put_user = true,
        .create = ask->held.session == NULL,
        .room = ask->room,
        .lasting = is_lasting(ask),
        .rotate = ask->rotates ? &ask->rotation : NULL,
        .session = ask->session,
        .user = ask->user,
    };
    TRY(session_commit(ask->table, &ask->held, &ask->key, &delta, ask->now_ms));
    worker_await(ask->worker, ask->held.seq);
    return PDP_ERR_OK;
}
