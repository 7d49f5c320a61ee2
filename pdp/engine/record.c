// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/record_inner.h"

#include "engine/pardon.h"

#include <math.h>
#include <stdlib.h>

enum {
    SCRATCH_BYTES = 4096 // of each buffer at first: a warm one is not grown any more
};

// Before an item's texts in the ring.
struct head {
    int64_t at_ms;
    uint64_t same;
    char id[40];
    uint32_t user_len, open_len, personal_len, spare;
};

struct recorder {
    struct record_config config;
    struct ring *ring;
    struct buf open, personal, question, user;
    uint32_t allows; // since the last one that was kept
    atomic_ullong lost, refused;
    atomic_bool stalled;
};

// ---- Set-up --------------------------------------------------------------------------------------

static bool recorder_make(struct recorder *recorder)
{
    struct buf *buffers[] = {&recorder->open, &recorder->personal, &recorder->question, &recorder->user};
    bool good = true;
    for (size_t i = 0; i < COUNT_OF(buffers); i++) {
        buffers[i]->limit = RECORD_BYTES_MAX;
        good = good && buf_room(buffers[i], SCRATCH_BYTES);
    }
    return good;
}

void recorder_free(struct recorder **recorder_ptr)
{
    struct recorder *recorder = STEAL(*recorder_ptr);
    if (recorder != NULL) {
        ring_free(&recorder->ring);
        buf_fini(&recorder->open);
        buf_fini(&recorder->personal);
        buf_fini(&recorder->question);
        buf_fini(&recorder->user);
        free(recorder);
    }
}

static enum pdp_err recorder_new(const struct record_config *config, struct recorder **out)
{
    *out = NULL;
    AUTO(recorder_free) struct recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL || !recorder_make(recorder)) {
        return PDP_ERR_NOMEM;
    }
    recorder->config = *config;
    TRY(ring_new(config->ring_bytes > 0 ? config->ring_bytes : RECORD_RING_BYTES, &recorder->ring));
    *out = STEAL(recorder);
    return PDP_ERR_OK;
}

enum pdp_err worker_record(struct worker *worker, const struct record_config *config, struct recorder **out)
{
    *out = NULL;
    TRY(recorder_new(config, &worker->recorder));
    *out = worker->recorder;
    return PDP_ERR_OK;
}

// ---- The ring ------------------------------------------------------------------------------------

static struct str take_text(const char **at, uint32_t len)
{
    struct str text = {*at, len};
    *at += len;
    return text;
}

bool recorder_take(struct recorder *recorder, struct record *out)
{
    struct str item;
    struct head head;
    *out = (struct record){0};
    if (!ring_peek(recorder->ring, &item)) {
        return false;
    }
    memcpy(&head, item.at, sizeof head);
    const char *at = item.at + sizeof head;
    *out = (struct record){.at_ms = head.at_ms, .same = head.same};
    memcpy(out->id, head.id, sizeof out->id);
    out->user = take_text(&at, head.user_len);
    out->open = take_text(&at, head.open_len);
    out->personal = take_text(&at, head.personal_len);
    return true;
}

void recorder_drop(struct recorder *recorder)
{
    ring_drop(recorder->ring);
}

uint64_t recorder_lost(const struct recorder *recorder)
{
    return atomic_load_explicit(&recorder->lost, memory_order_relaxed);
}

uint64_t recorder_refused(const struct recorder *recorder)
{
    return atomic_load_explicit(&recorder->refused, memory_order_relaxed);
}

void recorder_stall(struct recorder *recorder, bool stalled)
{
    atomic_store_explicit(&recorder->stalled, stalled, memory_order_relaxed);
}

bool record_ready(struct worker *worker)
{
    struct recorder *recorder = worker->recorder;
    if (recorder == NULL || !recorder->config.deny_when_full) {
        return true;
    }
    // One record for the answer, one for a batch that ends.
    bool ready = !atomic_load_explicit(&recorder->stalled, memory_order_relaxed) &&
                 ring_fits(recorder->ring, 2 * RECORD_BYTES_MAX);
    if (!ready) {
        counter_add(&recorder->refused);
    }
    return ready;
}

static bool put(struct recorder *recorder, int64_t at_ms, uint64_t same, const char *id)
{
    struct head head = {.at_ms = at_ms,
                        .same = same,
                        .user_len = (uint32_t)recorder->user.len,
                        .open_len = (uint32_t)recorder->open.len,
                        .personal_len = (uint32_t)recorder->personal.len};
    if (id != NULL) {
        memcpy(head.id, id, strnlen(id, sizeof head.id - 1));
    }
    const struct str parts[] = {{(const char *)&head, sizeof head},
                                buf_view(&recorder->user),
                                buf_view(&recorder->open),
                                buf_view(&recorder->personal)};
    bool whole = !recorder->open.failed && !recorder->personal.failed && !recorder->user.failed &&
                 ring_put(recorder->ring, parts, COUNT_OF(parts));
    if (!whole) {
        counter_add(&recorder->lost);
    }
    return whole;
}

static void begin(struct recorder *recorder)
{
    struct buf *buffers[] = {&recorder->open, &recorder->personal, &recorder->question, &recorder->user};
    for (size_t i = 0; i < COUNT_OF(buffers); i++) {
        buf_clear(buffers[i]);
        buffers[i]->failed = false;
    }
}

// ---- Fields --------------------------------------------------------------------------------------

static void put_text(struct emit *emit, const char *key, struct str text)
{
    if (text.len > 0) {
        emit_key_str(emit, key, text);
    }
}

static void put_number(struct emit *emit, const char *key, double number)
{
    if (isfinite(number)) {
        emit_key_double(emit, key, number);
    }
}

static void put_head(struct emit *emit, const char *kind, int64_t at_ms, const struct peer *peer)
{
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "kind", str_of(kind));
    emit_key_int(emit, "time", at_ms);
    if (peer != NULL) {
        put_text(emit, "gateway", peer->name);
    }
}

static void put_what(struct emit *emit, const struct request *request, struct str path)
{
    put_text(emit, "tenant", request->tenant);
    put_text(emit, "request_id", request->request_id);
    put_text(emit, "action", request->action_name);
    put_text(emit, "resource_type", request->resource_type);
    put_text(emit, "resource", path.len > 0 ? path : request->resource_id);
    if (request->probe) {
        emit_key_bool(emit, "probe", true);
    }
}

static void put_risk(struct emit *emit, const struct risk_result *risk)
{
    emit_key(emit, STR("risk"));
    emit_map(emit, SIZE_MAX);
    emit_key_double(emit, "score", risk->score);
    emit_key_str(emit, "level", RISK_LEVEL_NAMES[(unsigned)risk->level < RISK_LEVEL_COUNT ? risk->level : 3]);
    put_number(emit, "hard", risk->hard);
    emit_key(emit, STR("signals"));
    emit_list(emit, risk->signal_count);
    for (size_t i = 0; i < risk->signal_count; i++) {
        emit_map(emit, 2);
        emit_key_str(emit, "id", risk->signals[i].id);
        emit_key_double(emit, "evidence", risk->signals[i].evidence);
        emit_end(emit);
    }
    emit_end(emit);
    emit_end(emit);
}

// What was set aside of what scoring read, and by which pardons: what was stored by `at` counted nothing.
static void put_pardons(struct emit *emit, const struct ask *ask)
{
    const struct control *pardons[RISK_SIGNALS_MAX];
    uint32_t bits[RISK_SIGNALS_MAX];
    size_t count = pardon_used(ask, pardons, bits);
    if (count == 0) {
        return;
    }
    emit_key(emit, STR("pardons"));
    emit_list(emit, count);
    for (size_t i = 0; i < count; i++) {
        emit_map(emit, 3);
        emit_key_str(emit, "name", pardons[i]->name);
        emit_key_int(emit, "at", pardons[i]->created_ms);
        emit_key(emit, STR("signals"));
        emit_list(emit, SIZE_MAX);
        for (size_t row = 0; row < risk_signal_count(ask->snapshot->risk); row++) {
            if ((bits[i] >> row & 1) != 0) {
                emit_str(emit, risk_signal_name(ask->snapshot->risk, row));
            }
        }
        emit_end(emit);
        emit_end(emit);
    }
    emit_end(emit);
}

// Where the address is: the answer of the geo databases, which replaying does not look up again.
static void put_geo(struct emit *emit, const struct ask *ask)
{
    const struct geo_place *place = &ask->place;
    if (!ask->has_ip) {
        return;
    }
    emit_key(emit, STR("geo"));
    emit_map(emit, SIZE_MAX);
    emit_key_int(emit, "version", place->version);
    emit_key_int(emit, "known", place->known);
    emit_key_int(emit, "flags", place->flags);
    if (ask->network.unsure != 0) {
        emit_key_int(emit, "unsure", ask->network.unsure);
    }
    put_text(emit, "country", place->country);
    put_text(emit, "continent", place->continent);
    put_text(emit, "org", place->org);
    if (place->asn != 0) {
        emit_key_int(emit, "asn", place->asn);
    }
    emit_end(emit);
}

// More exactly than a country is personal.
static void put_place(struct emit *emit, const struct geo_place *place)
{
    put_text(emit, "city", place->city);
    put_number(emit, "lat", place->lat_deg);
    put_number(emit, "lon", place->lon_deg);
    put_number(emit, "radius_km", place->radius_km);
}

static void put_session(struct emit *emit, const char *ref, uint32_t epoch, const char *state)
{
    emit_key(emit, STR("session"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "ref", (struct str){ref, strnlen(ref, 32)});
    emit_key_int(emit, "epoch", epoch);
    put_text(emit, "state", str_of(state));
    emit_end(emit);
}

static void put_snapshot(struct emit *emit, const struct snapshot *snapshot)
{
    emit_key_str(emit, "snapshot", snapshot_digest(snapshot));
    emit_key_int(emit, "policy_epoch", (int64_t)snapshot->epoch);
}

// ---- What is sealed ------------------------------------------------------------------------------

// Ids of the session: the one that is named, and of a rotate the next one.
struct secrets {
    struct str id, next;
};

static bool is_secret(const struct value *value, const struct secrets *secrets)
{
    return (secrets->id.len > 0 && value_is_text(value, secrets->id)) ||
           (secrets->next.len > 0 && value_is_text(value, secrets->next));
}

// A value in which ids of the session, wherever they stand, are not told: they are secrets.
static void put_value(struct emit *emit, const struct value *value, const struct secrets *secrets)
{
    if (value->kind == VALUE_MAP) {
        emit_map(emit, SIZE_MAX);
        for (uint32_t i = 0; i < value->n; i++) {
            emit_key(emit, value_text(&value->as.map[i].key));
            put_value(emit, &value->as.map[i].value, secrets);
        }
        emit_end(emit);
    } else if (value->kind == VALUE_LIST) {
        emit_list(emit, SIZE_MAX);
        for (uint32_t i = 0; i < value->n; i++) {
            put_value(emit, &value->as.list[i], secrets);
        }
        emit_end(emit);
    } else if (is_secret(value, secrets)) {
        emit_str(emit, STR("***"));
    } else {
        emit_value(emit, value);
    }
}

// The whole question: as bytes, since it may be nested as deeply as one may be.
static void put_question(struct emit *emit, struct buf *scratch, const struct request *request)
{
    struct emit inner;
    emit_init(&inner, WIRE_CBOR, scratch);
    const struct value *next = value_get(request->event_properties, STR("new_id"));
    const struct secrets secrets = {
        request->session_id, next != NULL && next->kind == VALUE_STRING ? value_text(next) : (struct str){0}};
    put_value(&inner, &request->root, &secrets);
    if (!scratch->failed) {
        emit_key(emit, STR("question"));
        emit_bytes(emit, buf_view(scratch));
    }
}

// What scoring read: the records as they were, byte for byte, so that the answer can be found again.
static void put_before(struct emit *emit, const struct shadow_seed *seed)
{
    emit_key_int(emit, "form", RECORD_BEFORE_FORM);
    if (seed->known) {
        emit_key(emit, STR("session"));
        emit_bytes(emit, (struct str){(const char *)&seed->session, sizeof seed->session});
    }
    if (seed->has_user) {
        emit_key(emit, STR("user"));
        emit_bytes(emit, (struct str){(const char *)&seed->user, sizeof seed->user});
    }
}

static void put_figures(struct emit *emit, const struct source_figures *figures)
{
    const uint32_t all[] = {figures->failed,          figures->passed,           figures->failed_subjects,
                            figures->passed_subjects, figures->refused_sessions, figures->sessions};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        emit_int(emit, all[i]);
    }
}

// What was known of the source, where that was anything.
static void put_sources(struct emit *emit, const struct source_view *source)
{
    static const struct source_view NOTHING;
    if (memcmp(source, &NOTHING, sizeof NOTHING) == 0) {
        return;
    }
    emit_key(emit, STR("sources"));
    emit_list(emit, SIZE_MAX);
    for (size_t kind = 0; kind < SOURCE_KINDS; kind++) {
        put_figures(emit, &source->of[kind]);
    }
    emit_end(emit);
}

static void put_ip(struct emit *emit, const struct ask *ask)
{
    char room[48];
    struct buf text = {.at = (unsigned char *)room, .cap = sizeof room, .limit = sizeof room};
    if (ask->has_ip) {
        ip_print(&text, &ask->ip);
        emit_key_str(emit, "ip", buf_view(&text));
    }
    put_text(emit, "ip_why", str_of(ask->ip_why));
}

// Whose record it is: the key that seals it is found by this.
static void put_user(struct recorder *recorder, const struct request *request)
{
    const struct str parts[] = {request->tenant, request->subject_type, request->subject_id};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        buf_str(&recorder->user, parts[i]);
        if (i + 1 < COUNT_OF(parts)) {
            buf_byte(&recorder->user, '\0');
        }
    }
}

static void put_personal(struct recorder *recorder, const struct request *request, const struct ask *ask,
                         bool held)
{
    struct emit emit;
    if (request->subject_id.len == 0) {
        return;
    }
    put_user(recorder, request);
    emit_init(&emit, WIRE_CBOR, &recorder->personal);
    emit_map(&emit, SIZE_MAX);
    put_text(&emit, "subject_type", request->subject_type);
    put_text(&emit, "subject", request->subject_id);
    put_text(&emit, "user_agent", request->user_agent);
    put_text(&emit, "fingerprint", request->fingerprint);
    put_text(&emit, "sent_ip", request->ip);
    if (ask != NULL) {
        put_ip(&emit, ask);
        put_place(&emit, &ask->place);
    }
    if (!recorder->config.brief) {
        if (held) {
            emit_key(&emit, STR("before"));
            emit_map(&emit, SIZE_MAX);
            put_before(&emit, &ask->worker->seed);
            put_sources(&emit, &ask->source);
            emit_end(&emit);
        }
        put_question(&emit, &recorder->question, request);
    }
    emit_end(&emit);
}

// ---- Records -------------------------------------------------------------------------------------

// Of allows one in N is kept, but all that a rule wants kept.
static bool is_sampled_out(struct recorder *recorder, const struct ask *ask, const struct verdict *verdict)
{
    if (verdict->effect != PDP_EFFECT_ALLOW || ask->audit_always || recorder->config.allow_one_in < 2) {
        return false;
    }
    recorder->allows = (recorder->allows + 1) % recorder->config.allow_one_in;
    return recorder->allows != 1;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15) + (hash >> 29);
}

// Plain denials of one peer that differ in nothing that tells: these may be counted instead of kept.
static uint64_t same_of(const struct ask *ask, const struct verdict *verdict)
{
    if (verdict->effect != PDP_EFFECT_DENY || ask->audit_always || verdict->ended_count > 0) {
        return 0;
    }
    struct session_table *table = ask->worker->engine->sessions;
    const struct request *request = ask->request;
    uint64_t hash = mix(ask->peer->hash, (uint64_t)verdict->code);
    hash = mix(hash, ask->has_session ? ask->session.id.lo : 0);
    hash = mix(hash, ask->key.subject.lo);
    hash = mix(hash, session_hash(table, verdict->rule));
    hash = mix(hash, session_hash(table, request->action_name));
    hash = mix(hash, session_hash(table, request->resource_id));
    hash = mix(hash, ask->has_ip ? hash_64((struct hash_key){1, 2}, &ask->ip, sizeof ask->ip) : 0);
    return hash | 1;
}

static void put_verdict(struct emit *emit, const struct ask *ask, const struct verdict *verdict)
{
    emit_key_str(emit, "effect", str_of(pdp_effect_name(verdict->effect)));
    emit_key_str(emit, "code", str_of(pdp_code_name(verdict->code)));
    put_text(emit, "rule", verdict->rule);
    emit_texts(emit, STR("rules"), verdict->rules, verdict->rule_count);
    emit_texts(emit, STR("exceptions"), verdict->exceptions, verdict->exception_count);
    emit_texts(emit, STR("missing"), verdict->missing, verdict->missing_count);
    put_text(emit, "reason", verdict->reason);
    if (verdict->code == PDP_CODE_MALFORMED) {
        put_text(emit, "field", str_of(ask->worker->fault.field));
        put_text(emit, "fault", str_of(ask->worker->fault.what));
    }
    if (verdict->has_require) {
        put_text(emit, "require", verdict->require_strength);
    }
    if (ask->has_risk) {
        put_risk(emit, &ask->risk);
        put_pardons(emit, ask);
    }
    put_geo(emit, ask);
    if (verdict->has_session) {
        put_session(emit, verdict->session_ref, verdict->session_epoch, verdict->session_state);
    }
    emit_texts(emit, STR("ended"), verdict->ended, verdict->ended_count);
    if (verdict->shadow.judged && verdict->shadow.effect != verdict->effect) {
        emit_key_str(emit, "shadow_effect", str_of(pdp_effect_name(verdict->shadow.effect)));
    }
    if (verdict->valid_until_ms > 0) {
        emit_key_int(emit, "valid_until", verdict->valid_until_ms);
    }
    if (verdict->repeated) {
        emit_key_bool(emit, "repeated", true);
    }
    if (verdict->simulated) {
        emit_key_bool(emit, "simulated", true);
    }
    put_snapshot(emit, ask->snapshot);
}

void record_decision(const struct ask *ask, const struct verdict *verdict)
{
    struct recorder *recorder = ask->worker->recorder;
    struct emit emit;
    if (recorder == NULL || is_sampled_out(recorder, ask, verdict)) {
        return;
    }
    begin(recorder);
    emit_init(&emit, WIRE_CBOR, &recorder->open);
    put_head(&emit, "decision", ask->now_ms, ask->peer);
    put_text(&emit, "id", str_of(verdict->decision_id));
    put_what(&emit, ask->request, ask->path);
    if (ask->item > 0) {
        emit_key_int(&emit, "item", (int64_t)ask->item);
    }
    put_verdict(&emit, ask, verdict);
    emit_end(&emit);
    put_personal(recorder, ask->request, ask, ask->was_held);
    (void)put(recorder, ask->now_ms, same_of(ask, verdict), verdict->decision_id);
}

void record_event(const struct ask *ask, const struct event_result *result)
{
    struct recorder *recorder = ask->worker->recorder;
    struct emit emit;
    if (recorder == NULL) {
        return;
    }
    begin(recorder);
    emit_init(&emit, WIRE_CBOR, &recorder->open);
    put_head(&emit, "event", ask->now_ms, ask->peer);
    emit_key_str(&emit, "event", str_of(event_name(ask->request->event)));
    put_what(&emit, ask->request, ask->path);
    emit_key_bool(&emit, "recorded", result->recorded);
    if (result->repeated) {
        emit_key_bool(&emit, "repeated", true);
    }
    if (!result->recorded) {
        emit_key_str(&emit, "code", str_of(pdp_code_name(result->code)));
        put_text(&emit, "reason", result->why);
    }
    if (result->missing.len > 0) {
        emit_texts(&emit, STR("missing"), &result->missing, 1);
    }
    if (ask->has_risk) {
        put_risk(&emit, &ask->risk);
        put_pardons(&emit, ask);
    }
    put_geo(&emit, ask);
    if (ask->has_session) {
        put_session(&emit, ask->ref, ask->session.epoch,
                    session_state_name((enum session_state)ask->session.state));
    }
    emit_texts(&emit, STR("ended"), result->ended, result->ended_count);
    put_snapshot(&emit, ask->snapshot);
    emit_end(&emit);
    put_personal(recorder, ask->request, ask, ask->was_held);
    (void)put(recorder, ask->now_ms, 0, NULL);
}

void record_refusal(struct worker *worker, const struct peer *peer, const struct request *request,
                    const struct verdict *verdict, int64_t now_ms)
{
    struct recorder *recorder = worker->recorder;
    struct emit emit;
    if (recorder == NULL) {
        return;
    }
    enum pdp_code code = verdict != NULL ? verdict->code : PDP_CODE_MALFORMED;
    begin(recorder);
    emit_init(&emit, WIRE_CBOR, &recorder->open);
    put_head(&emit, "refusal", now_ms, peer);
    if (verdict != NULL) {
        put_text(&emit, "id", str_of(verdict->decision_id));
    }
    if (request != NULL) {
        put_what(&emit, request, (struct str){0});
    }
    emit_key_str(&emit, "effect", STR("deny"));
    emit_key_str(&emit, "code", str_of(pdp_code_name(code)));
    put_text(&emit, "field", str_of(worker->fault.field));
    put_text(&emit, "reason", str_of(worker->fault.what));
    emit_end(&emit);
    if (request != NULL) {
        put_personal(recorder, request, NULL, false);
    }
    uint64_t same = mix(mix(peer->hash, (uint64_t)code),
                        session_hash(worker->engine->sessions, str_of(worker->fault.field)));
    (void)put(recorder, now_ms, same | 1, verdict != NULL ? verdict->decision_id : NULL);
}

void record_batch_end(struct worker *worker, const struct peer *peer, const struct verdict *ended,
                      size_t items, int64_t now_ms)
{
    struct recorder *recorder = worker->recorder;
    struct emit emit;
    if (recorder == NULL) {
        return;
    }
    begin(recorder);
    emit_init(&emit, WIRE_CBOR, &recorder->open);
    put_head(&emit, "batch", now_ms, peer);
    emit_key_str(&emit, "effect", STR("terminate"));
    emit_key_str(&emit, "by", str_of(ended->decision_id));
    emit_key_int(&emit, "items", (int64_t)items);
    if (ended->has_session) {
        put_session(&emit, ended->session_ref, ended->session_epoch, ended->session_state);
    }
    emit_end(&emit);
    (void)put(recorder, now_ms, 0, NULL);
}

void record_search(struct worker *worker, const struct snapshot *snapshot, const struct peer *peer,
                   const struct record_searched *searched, int64_t now_ms)
{
    struct recorder *recorder = worker->recorder;
    const struct request *request = &searched->search->request;
    struct emit emit;
    if (recorder == NULL) {
        return;
    }
    begin(recorder);
    emit_init(&emit, WIRE_CBOR, &recorder->open);
    put_head(&emit, "search", now_ms, peer);
    emit_key_str(&emit, "search", str_of(search_part_name(searched->search->part)));
    put_what(&emit, request, (struct str){0});
    emit_key_int(&emit, "looked", (int64_t)searched->looked);
    emit_key_int(&emit, "found", (int64_t)searched->found);
    if (searched->more) {
        emit_key_bool(&emit, "more", true);
    }
    put_snapshot(&emit, snapshot);
    emit_end(&emit);
    put_personal(recorder, request, NULL, false);
    (void)put(recorder, now_ms, 0, NULL);
}

bool worker_record_order(struct worker *worker, const struct record_order *order, int64_t now_ms)
{
    struct recorder *recorder = worker->recorder;
    struct emit emit;
    if (recorder == NULL) {
        return true;
    }
    begin(recorder);
    emit_init(&emit, WIRE_CBOR, &recorder->open);
    put_head(&emit, order->read ? "read" : "order", now_ms, NULL);
    put_text(&emit, "by", order->by);
    put_text(&emit, "op", order->op);
    put_text(&emit, "target", order->target);
    emit_key_bool(&emit, "ok", order->ok);
    put_text(&emit, "reason", order->reason);
    put_text(&emit, "result", order->result);
    emit_end(&emit);
    if (order->args.len > 0) {
        buf_str(&recorder->user, order->user);
        buf_str(&recorder->personal, order->args);
    }
    return put(recorder, now_ms, 0, NULL);
}
