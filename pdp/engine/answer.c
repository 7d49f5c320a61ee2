// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/answer.h"

#include "engine/late.h"
#include "engine/quarantine.h"
#include "engine/record_inner.h"
#include "engine/relay.h"
#include "engine/report.h"
#include "engine/search.h"
#include "model/fault.h"

static const int64_t AT_LEAST_MS = INT64_C(100000000000); // a smaller number was meant as seconds

// ---- Decision ids: drawn prefix, worker, sequence -------------------------------------------------

static void put_hex(char *out, uint64_t value, size_t digits)
{
    static const char HEX[] = "0123456789abcdef";
    for (size_t i = digits; i-- > 0; value >>= 4) {
        out[i] = HEX[value & 15];
    }
}

static void put_decision_id(struct worker *worker, struct verdict *out)
{
    put_hex(out->decision_id, worker->engine->config.id_prefix, 16);
    out->decision_id[16] = '-';
    put_hex(out->decision_id + 17, worker->index, 2);
    put_hex(out->decision_id + 19, worker->sequence++, 12);
    out->decision_id[31] = '\0';
}

static void count_verdict(struct worker *worker, const struct verdict *out)
{
    counter_add(&worker->counters.questions);
    counter_add(&worker->counters.effects[out->effect]);
    counter_add(&worker->counters.codes[out->code]);
}

// ---- One question --------------------------------------------------------------------------------

bool answer_ready(struct worker *worker, struct snapshot *snapshot)
{
    if (snapshot == NULL) {
        return false;
    }
    const struct snapshot_scratch *scratch = &snapshot->scratch[worker->index];
    return (scratch->frame != NULL && scratch->policy != NULL) ||
           snapshot_scratch_make(snapshot, worker->index);
}

static void decide_request(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                           const struct request *request, int64_t now_ms, size_t item, struct verdict *out)
{
    struct ask ask = {.worker = worker,
                      .snapshot = snapshot,
                      .peer = peer,
                      .request = request,
                      .table = worker->engine->sessions,
                      .controls = worker->controls,
                      .now_ms = now_ms,
                      .item = item};
    decide(&ask, out);
    out->policy_epoch = snapshot->epoch;
    out->snapshot = snapshot_digest(snapshot);
    if (ask.has_ip) {
        struct buf text = {0};
        char *room = arena_alloc(&worker->arena, 48, 1);
        if (room != NULL) {
            text = (struct buf){.at = (unsigned char *)room, .cap = 48, .limit = 48};
            ip_print(&text, &ask.ip);
            out->client_ip = buf_view(&text);
        }
    }
    out->client_ip_why = ask.ip_why != NULL ? str_of(ask.ip_why) : (struct str){0};
    record_decision(&ask, out);
    if (worker->sequence % LATELY_EVERY == 1 && !request->probe) { // the first, and then now and then
        lately_note(&ask);
    }
}

// The peer as it is to be judged now: one in quarantine may ask, and is believed in nothing.
static const struct peer *judged(struct worker *worker, const struct peer *peer, struct peer *room)
{
    if (!engine_quarantined(worker->engine, peer->name)) {
        return peer;
    }
    *room = *peer;
    room->quarantined = true;
    room->grants &= GRANT_ASK | GRANT_SIMULATE;
    return room;
}

// May the peer speak for this tenant?
static enum pdp_err check_tenant(struct worker *worker, const struct peer *peer, struct str tenant)
{
    for (size_t i = 0; i < peer->tenant_count; i++) {
        if (str_eq(peer->tenants[i], tenant)) {
            return PDP_ERR_OK;
        }
    }
    return peer->tenant_count == 0 ? PDP_ERR_OK
                                   : fault_set(&worker->fault, "tenant",
                                               "is none that this peer may speak for; see its `tenants`");
}

enum pdp_err answer_may(struct worker *worker, const struct peer *peer, struct str tenant)
{
    if ((peer->grants & GRANT_ASK) == 0) {
        return fault_set(&worker->fault, "peer", "may not ask questions; give its listener the grant `ask`");
    }
    return check_tenant(worker, peer, tenant);
}

// What every answer carries, whatever came in. The snapshot is pinned, or NULL.
static void answer_question(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                            const struct value *root, int64_t now_ms, size_t item, struct verdict *out)
{
    struct request request;
    *out = (struct verdict){.simulated = (peer->grants & GRANT_SIMULATE) != 0};
    enum pdp_err err = request_read(root, &request, &worker->fault);
    put_decision_id(worker, out);
    out->request_id = request.request_id;
    err = err == PDP_ERR_OK ? answer_may(worker, peer, request.tenant) : err;
    if (err != PDP_ERR_OK) {
        out->code = PDP_CODE_MALFORMED;
        out->reason = STR("the question could not be read");
        record_refusal(worker, peer, &request, out, now_ms);
    } else if (!record_ready(worker)) {
        out->code = PDP_CODE_OVERLOADED;
        out->reason = STR("the audit log is full, and nothing is answered that it does not tell of");
    } else if (!answer_ready(worker, snapshot)) {
        out->code = snapshot == NULL ? PDP_CODE_STALE : PDP_CODE_OVERLOADED;
        out->reason = snapshot == NULL ? STR("no policies are loaded") : STR("out of memory");
        record_refusal(worker, peer, &request, out, now_ms);
    } else {
        decide_request(worker, snapshot, peer, &request, now_ms, item, out);
        out->request_id = request.request_id;
    }
    count_verdict(worker, out);
}

void engine_decide(struct worker *worker, const struct peer *peer, const struct value *root, int64_t now_ms,
                   struct verdict *out)
{
    arena_reset(&worker->arena);
    worker->fault = (struct fault){0};
    // Stays pinned until the worker's next call: the verdict's texts are the snapshot's.
    struct snapshot *snapshot = worker_pin(worker);
    worker_pin_controls(worker, snapshot);
    struct peer room;
    answer_question(worker, snapshot, judged(worker, peer, &room), root, now_ms, 0, out);
}

static bool asks_full(const struct value *question)
{
    const struct value *explain = value_get(question, STR("explain"));
    return explain != NULL && value_is_text(explain, STR("full"));
}

static void emit_answer(struct worker *worker, struct emit *emit, const struct verdict *verdict, bool full)
{
    if (verdict->code == PDP_CODE_MALFORMED) {
        wire_refusal(emit, verdict, &worker->fault);
    } else {
        wire_verdict(emit, verdict, full);
    }
}

// ---- Events --------------------------------------------------------------------------------------

static void emit_event_session(struct emit *emit, const struct ask *ask, const struct event_result *result)
{
    emit_key(emit, STR("session"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "ref", str_of(ask->ref));
    emit_key_int(emit, "epoch", ask->session.epoch);
    emit_key_str(emit, "state", str_of(session_state_name((enum session_state)ask->session.state)));
    emit_texts(emit, STR("ended"), result->ended, result->ended_count);
    if (result->replaced[0] != '\0') {
        emit_key_str(emit, "replaces", str_of(result->replaced));
    }
    if (result->id.len > 0) {
        emit_key_str(emit, "id", result->id);
        emit_key_str(emit, "set_cookie", result->set_cookie);
    }
    emit_end(emit);
}

static void emit_event(struct emit *emit, const struct ask *ask, const struct event_result *result)
{
    const struct request *request = ask->request;
    emit_map(emit, SIZE_MAX);
    emit_key(emit, STR("event"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "type", str_of(event_name(request->event)));
    emit_key_bool(emit, "recorded", result->recorded);
    if (result->repeated) {
        emit_key_bool(emit, "repeated", true);
    }
    if (!result->recorded) {
        emit_key_str(emit, "code", str_of(pdp_code_name(result->code)));
        emit_key_str(emit, "message", result->why.len > 0 ? result->why : STR("refused"));
    }
    if (result->missing.len > 0) {
        emit_texts(emit, STR("missing"), &result->missing, 1);
    }
    emit_end(emit);
    if (request->request_id.len > 0) {
        emit_key_str(emit, "request_id", request->request_id);
    }
    if (result->recorded && ask->has_session) {
        emit_event_session(emit, ask, result);
    }
    if (result->remember_until_ms != 0) {
        emit_key(emit, STR("device"));
        emit_map(emit, 1);
        emit_key_int(emit, "remembered_until", result->remember_until_ms / TIME_MS_PER_S);
        emit_end(emit);
    }
    if (ask->has_risk) {
        emit_key(emit, STR("risk"));
        emit_map(emit, SIZE_MAX);
        emit_key_double(emit, "score", ask->risk.score);
        emit_key_str(emit, "level", RISK_LEVEL_NAMES[ask->risk.level]);
        emit_end(emit);
    }
    emit_end(emit);
}

// true: answered as an event (or as its refusal). false: *fault says why it could not be read.
static bool answer_event(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                         const struct request *request, int64_t now_ms, struct emit *emit)
{
    counter_add(&worker->counters.events);
    if (peer->quarantined) {
        (void)fault_set(&worker->fault, "event.type", "this peer is in quarantine: no event of it is taken");
        return false;
    }
    if ((peer->grants & event_grant(request->event)) == 0) {
        (void)fault_set(&worker->fault, "event.type",
                        "this peer may not send it; give its listener the grant `%s`",
                        request->event == EVENT_SIGNAL ? "signal" : "issue");
        return false;
    }
    if (check_tenant(worker, peer, request->tenant) != PDP_ERR_OK) {
        return false;
    }
    if (request->request_id.len == 0 &&
        (peer->grants & GRANT_SIMULATE) == 0) { // a recording is not sent again
        (void)fault_set(&worker->fault, "request_id",
                        "is missing; an event needs one, so that a repeat moves nothing");
        return false;
    }
    struct ask ask = {.worker = worker,
                      .snapshot = snapshot,
                      .peer = peer,
                      .request = request,
                      .table = worker->engine->sessions,
                      .controls = worker->controls,
                      .now_ms = now_ms};
    struct event_result result = {.code = PDP_CODE_OVERLOADED,
                                  .why = STR("the audit log is full: send the event again")};
    // Whoever logs out is out, also where nothing can tell of it.
    if (request->event == EVENT_LOGOUT || record_ready(worker)) {
        event_apply(&ask, &result);
        record_event(&ask, &result);
    }
    emit_event(emit, &ask, &result);
    return true;
}

// ---- Batches -------------------------------------------------------------------------------------

static bool batch_stops(enum batch_semantic semantic, const struct verdict *verdict)
{
    bool allows = verdict->effect == PDP_EFFECT_ALLOW;
    return (semantic == BATCH_DENY_ON_FIRST_DENY && !allows) ||
           (semantic == BATCH_PERMIT_ON_FIRST_PERMIT && allows);
}

// What an allow has to say is not said with an end.
static void end_too(struct verdict *verdict, const struct verdict *ended)
{
    verdict->effect = PDP_EFFECT_TERMINATE;
    verdict->code = ended->code;
    verdict->rule = ended->rule;
    verdict->rules = ended->rules;
    verdict->rule_count = ended->rule_count;
    verdict->message = ended->message;
    verdict->reason = STR("another item of this batch ended the session");
    verdict->obligations = ended->obligations;
    verdict->obligation_count = ended->obligation_count;
    verdict->has_require = false;
    verdict->valid_until_ms = 0;
    if (verdict->has_session && ended->has_session && strcmp(verdict->session_ref, ended->session_ref) == 0) {
        verdict->session_state = ended->session_state;
        verdict->session_epoch = ended->session_epoch;
    }
}

// Where one item ends the session, none of the batch may be served. Returns the first that does.
static const struct verdict *terminate_all(struct verdict *verdicts, size_t count)
{
    const struct verdict *ended = NULL;
    for (size_t i = 0; i < count && ended == NULL; i++) {
        ended = verdicts[i].effect == PDP_EFFECT_TERMINATE ? &verdicts[i] : NULL;
    }
    for (size_t i = 0; ended != NULL && i < count; i++) {
        if (verdicts[i].effect != PDP_EFFECT_TERMINATE) {
            end_too(&verdicts[i], ended);
        }
    }
    return ended;
}

static bool answer_batch(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                         const struct batch *batch, int64_t now_ms, struct emit *emit)
{
    counter_add(&worker->counters.batches);
    struct verdict *verdicts = ARENA_ARRAY(&worker->arena, struct verdict, batch->count);
    struct fault *faults = ARENA_ARRAY(&worker->arena, struct fault, batch->count);
    if (verdicts == NULL || faults == NULL) {
        (void)fault_set(&worker->fault, "evaluations", "take more memory than a batch may");
        return false;
    }
    size_t count = 0;
    while (count < batch->count) {
        worker->fault = (struct fault){0};
        answer_question(worker, snapshot, peer, &batch->items[count], now_ms, count + 1, &verdicts[count]);
        faults[count] = worker->fault;
        if (batch_stops(batch->semantic, &verdicts[count++])) {
            break;
        }
    }
    const struct verdict *ended = terminate_all(verdicts, count);
    if (ended != NULL && count > 1) {
        record_batch_end(worker, peer, ended, count, now_ms);
    }
    emit_map(emit, 1);
    emit_key(emit, STR("evaluations"));
    emit_list(emit, count);
    for (size_t i = 0; i < count; i++) {
        worker->fault = faults[i];
        emit_answer(worker, emit, &verdicts[i], asks_full(&batch->items[i]));
    }
    emit_end(emit);
    emit_end(emit);
    return true;
}

// ---- One message ---------------------------------------------------------------------------------

// `{"at": T, "request" | "event": …}`: the clock and the question of a simulation.
static bool open_envelope(struct worker *worker, const struct value **root, int64_t *now_ms)
{
    const struct value *at = value_get(*root, STR("at"));
    if (at == NULL) {
        return true;
    }
    const struct value *inner = value_get(*root, STR("request"));
    int64_t epoch_s = 0;
    uint32_t nanos = 0;
    if (at->kind == VALUE_INT && at->as.i >= AT_LEAST_MS) {
        *now_ms = at->as.i;
    } else if (at->kind == VALUE_STRING && time_parse(value_text(at), &epoch_s, &nanos)) {
        *now_ms = epoch_s * TIME_MS_PER_S + nanos / 1000000;
    } else {
        (void)fault_set(&worker->fault, "at", "is no time; give RFC 3339 text or milliseconds since 1970");
        return false;
    }
    *root = inner != NULL ? inner : *root; // an event has `at` beside it
    return true;
}

static bool answer_root(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                        const struct value *root, int64_t now_ms, struct emit *emit)
{
    struct batch batch = {0};
    if ((peer->grants & GRANT_SIMULATE) != 0 && !open_envelope(worker, &root, &now_ms)) {
        return false;
    }
    if (search_is(root)) {
        return search_answer(worker, snapshot, peer, root, now_ms, emit);
    }
    const struct value *hits = value_get(root, STR("hits"));
    if (hits != NULL && hits->kind != VALUE_NULL) {
        return report_answer(worker, snapshot, peer, hits, now_ms, emit);
    }
    const struct value *event = value_get(root, STR("event"));
    if (event != NULL && event->kind != VALUE_NULL) {
        struct request request;
        if (request_read(root, &request, &worker->fault) != PDP_ERR_OK) {
            return false;
        }
        if (!answer_ready(worker, snapshot)) {
            (void)fault_set(&worker->fault, "policies", "are not loaded");
            return false;
        }
        return answer_event(worker, snapshot, peer, &request, now_ms, emit);
    }
    if (batch_read(root, &worker->arena, &batch, &worker->fault) != PDP_ERR_OK) {
        return false;
    }
    if (batch.is_batch) {
        return answer_batch(worker, snapshot, peer, &batch, now_ms, emit);
    }
    struct verdict verdict;
    answer_question(worker, snapshot, peer, root, now_ms, 0, &verdict);
    emit_answer(worker, emit, &verdict, asks_full(root));
    return true;
}

uint64_t worker_awaits(const struct worker *worker)
{
    return worker->awaits;
}

void worker_unsaved(struct worker *worker, struct buf *out)
{
    struct emit emit;
    struct fault why = {0};
    emit_init(&emit, worker->form, out);
    (void)fault_set(&why, "state",
                    "could not be written to the disk, so nothing was granted; ask again later");
    wire_fault(&emit, PDP_CODE_OVERLOADED, worker->request_id, &why);
}

void engine_answer(struct worker *worker, const struct peer *peer, struct str message, int64_t now_ms,
                   struct buf *out)
{
    arena_reset(&worker->arena);
    worker->fault = (struct fault){0};
    worker->awaits = 0;
    worker->looked = 0;
    enum wire_form form = wire_form_of(message);
    worker->form = form;
    struct emit emit;
    emit_init(&emit, form, out);
    struct value root = {0};
    struct snapshot *snapshot = worker_pin(worker);
    worker_pin_controls(worker, snapshot);
    struct peer other, room;
    bool answered = wire_decode(form, message, &worker->arena, &root, &worker->fault) == PDP_ERR_OK &&
                    relay_settle(worker, &peer, &root, &other);
    peer = judged(worker, peer, &room);
    answered = answered && (late_refuse(worker, &root, &emit) ||
                            answer_root(worker, snapshot, peer, &root, now_ms, &emit));
    const struct value *id = value_get(&root, STR("request_id"));
    worker->request_id = id != NULL && id->kind == VALUE_STRING ? value_text(id) : (struct str){0};
    if (!answered) {
        wire_fault(&emit, PDP_CODE_MALFORMED, worker->request_id, &worker->fault);
        record_refusal(worker, peer, NULL, NULL, now_ms);
        counter_add(&worker->counters.codes[PDP_CODE_MALFORMED]);
        counter_add(&worker->counters.effects[PDP_EFFECT_DENY]);
    }
    worker_unpin(worker);
    worker_waited(worker, 0, 0);
}
