// SPDX-License-Identifier: Apache-2.0
// What was acknowledged to whom, and whether what is answered later agrees with it.
#include "sim/sim.h"

#include "base/num.h"

static const int64_t AHEAD_MS = 60000, OVERLAP_MS = 10000;

static struct session_table *table_of(struct sim *sim)
{
    return engine_sessions(sim->machine.engine);
}

static bool was_forgotten(struct sim *sim, int64_t auth_ms)
{
    return session_forgotten_ms(table_of(sim)) > auth_ms;
}

// ---- A decision begins -----------------------------------------------------------------------------------

static bool is_authentication(const struct sim_request *request)
{
    return request->kind == SIM_EVENT && (request->event == EVENT_START || request->event == EVENT_LOGIN);
}

static void leave_ring(struct sim *sim, int at)
{
    int before = at;
    while (sim->stories[before].next != at) {
        before = sim->stories[before].next;
    }
    sim->stories[before].next = sim->stories[at].next;
    sim->stories[at].next = at;
    sim->stories[at].replaced = false;
}

// What was forgotten may begin again under its id: by a new authentication, or by one that the machine's
// clock puts behind the end.
static void begin_anew(struct sim *sim, const struct sim_request *request, struct sim_story *story)
{
    bool newer = is_authentication(request) ? was_forgotten(sim, num_min(story->auth_ms, story->ended_ms))
                                            : story->auth_ms > story->ended_ms + AHEAD_MS;
    if (story->ended && newer) {
        story->ended = story->started = false;
    }
    // What is acknowledged from now on of what was decided before is about the one that was forgotten.
    if (newer || (is_authentication(request) && was_forgotten(sim, 0))) {
        story->lives++;
        leave_ring(sim, request->story);
    }
}

// What an authentication, or a proof, does to the session by whatever id.
static void begin_proof(struct sim_story *story, bool begins, int64_t auth_ms, uint32_t now_s)
{
    story->auth_most_ms = begins ? num_max(story->auth_most_ms, auth_ms) : story->auth_most_ms;
    story->proofs++;
    story->proof_s = begins ? 0 : now_s < story->proof_s ? now_s : story->proof_s;
}

// A rotation that comes late may give its new id to another session, where both that it was about were
// forgotten.
static void begin_next(struct sim *sim, int at)
{
    struct sim_story *next = &sim->stories[at];
    struct session_view view;
    if (next->ended && was_forgotten(sim, next->ended_ms) &&
        !session_look(table_of(sim), str_of(next->id), &view)) {
        next->ended = next->started = false;
        next->lives++;
        leave_ring(sim, at);
    }
}

static void begin_event(struct sim *sim, const struct sim_request *request, const struct sim_send *send)
{
    bool begins = is_authentication(request);
    struct sim_story *story = &sim->stories[request->story];
    if (request->event == EVENT_ROTATE) {
        story->overlap_ms = num_max(story->overlap_ms, send->wall_ms + OVERLAP_MS);
        begin_next(sim, request->to);
    } else if (begins || request->event == EVENT_STEP_UP_PASSED) {
        int64_t auth_ms = request->claims ? num_min(request->claim_ms, send->wall_ms) : send->wall_ms;
        int at = request->story;
        do {
            begin_proof(&sim->stories[at], begins, auth_ms, (uint32_t)(send->wall_ms / 1000));
            at = sim->stories[at].next;
        } while (at != request->story);
    }
}

void ledger_begin(struct sim *sim, struct sim_send *send)
{
    const struct sim_request *request = &sim->requests[send->request];
    struct sim_story *story = &sim->stories[request->story];
    struct session_view view;
    if ((story->ended || is_authentication(request)) &&
        !session_look(table_of(sim), str_of(story->id), &view)) {
        begin_anew(sim, request, story);
    }
    // An event may be the authentication that a cut-off asks for.
    int64_t cut_ms = num_max(sim->cut_ms[request->user], sim->ordered_ms[request->user]);
    bool cut = request->kind != SIM_EVENT && story->auth_most_ms < cut_ms;
    bool late = story->replaced && send->wall_ms >= story->overlap_ms;
    send->dead = story->ended || cut || (late && request->kind != SIM_EVENT);
    if (request->kind == SIM_EVENT) {
        begin_event(sim, request, send);
    }
    send->proofs = story->proofs;
    send->lives = story->lives;
    sim_note(sim, DID_BEGIN, request->story, (int64_t)request->number, send->dead);
}

// ---- What is acknowledged --------------------------------------------------------------------------------

// By whatever id it was ended, it is over by all of them.
static void ended_all(struct sim *sim, int first, int64_t wall_ms)
{
    int at = first;
    do {
        struct sim_story *story = &sim->stories[at];
        story->ended_ms = story->ended ? story->ended_ms : wall_ms; // a second end changes nothing
        story->ended = true;
        at = story->next;
    } while (at != first);
}

static void ended(struct sim *sim, int at, const struct sim_send *send)
{
    if (at == sim->requests[send->request].story && send->lives != sim->stories[at].lives) {
        return; // it was forgotten since, and began anew
    }
    struct session_view view;
    bool known = session_look(table_of(sim), str_of(sim->stories[at].id), &view);
    if (!known && !sim->stories[at].ended && was_forgotten(sim, 0)) {
        return; // forgotten since
    }
    // It may have been over for long when this was answered.
    bool over = known && view.record.state == SESSION_TERMINATED;
    ended_all(sim, at, over ? num_min(view.record.ended_ms, send->wall_ms) : send->wall_ms);
    sim->ends++;
    sim_note(sim, DID_ENDED, at, (int64_t)sim->requests[send->request].number, send->wall_ms);
}

// It goes on under another id.
static void rotated(struct sim *sim, const struct sim_request *request, const struct sim_send *send)
{
    struct sim_story *old = &sim->stories[request->story], *next = &sim->stories[request->to];
    if (send->lives != old->lives || !next->waits) {
        return; // of one that was forgotten; or it was acknowledged before
    }
    next->waits = false;
    next->auth_most_ms = num_max(next->auth_most_ms, old->auth_most_ms);
    next->proof_s = old->proof_s;
    next->started = true;
    next->started_ms = send->wall_ms;
    old->replaced = true;
    next->next = old->next;
    old->next = request->to;
    if (old->ended || next->ended) {
        ended_all(sim, request->story, send->wall_ms);
    }
    for (int i = 0; i < SIM_ACTIVE; i++) {
        sim->active[i] =
            sim->active[i] == request->story && !sim_one_in(sim, 3) ? request->to : sim->active[i];
    }
    sim_note(sim, DID_ROTATED, request->story, request->to, send->wall_ms);
}

static int find_ref(const struct sim *sim, const struct value *ref)
{
    for (int i = sim->story_count - 1; i >= 0; i--) {
        if (value_is_text(ref, str_of(sim->stories[i].ref))) {
            return i;
        }
    }
    return SIM_NONE;
}

void ledger_refs(struct sim *sim)
{
    for (int i = 0; i < sim->story_count; i++) {
        struct sim_story *story = &sim->stories[i];
        const struct session_key key =
            session_key_of(table_of(sim), 0, STR(""), STR(""), STR(""), str_of(story->id));
        session_ref_print(key.id, story->ref);
    }
}

// Others that ended for one that began.
static void ended_others(struct sim *sim, const struct value *list, const struct sim_send *send)
{
    for (uint32_t i = 0; list != NULL && list->kind == VALUE_LIST && i < list->n; i++) {
        int found = find_ref(sim, &list->as.list[i]);
        if (found == SIM_NONE && sim->id != 0) {
            ledger_refs(sim);
            found = find_ref(sim, &list->as.list[i]);
        }
        if (found != SIM_NONE) {
            ended(sim, found, send);
        } else if (sim->id == 0) {
            sim_fail(sim, SIM_NONE, "a session ended that nobody knows");
        }
    }
}

static bool is_text(const struct value *root, const char *path, const char *text)
{
    const struct value *v = value_path(root, str_of(path));
    return v != NULL && value_is_text(v, str_of(text));
}

static bool is_true(const struct value *root, const char *path)
{
    const struct value *v = value_path(root, str_of(path));
    return v != NULL && v->kind == VALUE_BOOL && v->as.b;
}

// ---- Answers ---------------------------------------------------------------------------------------------

static void on_allow(struct sim *sim, const struct sim_request *request, const struct sim_send *send)
{
    sim->allows++;
    if (send->dead) {
        sim_fail(sim, request->story,
                 "allowed, although an end of session %s had been acknowledged before the decision (r%llu)",
                 sim->stories[request->story].id, (unsigned long long)request->number);
    }
    if (request->kind == SIM_QUESTION) {
        sim->stories[request->story].allowed = send->request;
    }
    sim_note(sim, DID_ALLOWED, request->story, (int64_t)request->number, 0);
}

static void on_verdict(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                       const struct value *root)
{
    const struct value *decision = value_get(root, STR("decision"));
    const struct value *effect = value_path(root, STR("context.effect"));
    if (decision == NULL || decision->kind != VALUE_BOOL || effect == NULL || effect->kind != VALUE_STRING ||
        decision->as.b != value_is_text(effect, STR("allow"))) {
        sim_fail(sim, request->story, "an answer to a question that is none");
        return;
    }
    if (decision->as.b) {
        on_allow(sim, request, send);
    }
    if (send->dead && value_is_text(effect, STR("step_up"))) {
        sim_fail(sim, request->story, "a session that is over was asked for a step-up");
    }
    if (value_is_text(effect, STR("terminate"))) {
        ended(sim, request->story, send);
        if (is_text(root, "context.rule", "sim/cut")) {
            int64_t cut_ms = (send->wall_ms + 999) / 1000 * 1000;
            sim->cut_ms[request->user] = num_max(sim->cut_ms[request->user], cut_ms);
            sim_note(sim, DID_CUT, request->story, request->user, cut_ms);
        }
    }
    ended_others(sim, value_path(root, STR("context.session.ended")), send);
}

static void on_question(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                        const struct value *root)
{
    char number[24];
    (void)snprintf(number, sizeof number, "r%llu", (unsigned long long)request->number);
    if (!is_text(root, "context.request_id", number)) {
        sim_fail(sim, request->story, "an answer names another question than %s", number);
    }
    on_verdict(sim, request, send, root);
}

static void on_batch(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                     const struct value *root)
{
    const struct value *list = value_get(root, STR("evaluations"));
    if (list == NULL) { // the whole was refused
        on_verdict(sim, request, send, root);
        return;
    }
    for (uint32_t i = 0; list->kind == VALUE_LIST && i < list->n; i++) {
        on_verdict(sim, request, send, &list->as.list[i]);
    }
}

static void on_recorded(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                        bool repeated)
{
    struct sim_story *story = &sim->stories[request->story];
    if (request->event == EVENT_LOGOUT) {
        ended(sim, request->story, send);
    } else if (request->event == EVENT_START || request->event == EVENT_LOGIN) {
        if (send->dead && !repeated) {
            sim_fail(sim, request->story, "a session that is over began again by an event");
        }
        story->started = true;
        story->started_ms = send->wall_ms;
        sim_note(sim, DID_STARTED, request->story, (int64_t)request->number, repeated);
    } else if (request->event == EVENT_ROTATE) {
        rotated(sim, request, send);
    } else if (request->event == EVENT_STEP_UP_PASSED && !repeated && send->proofs == story->proofs) {
        story->proof_s = (uint32_t)(send->wall_ms / 1000);
        sim_note(sim, DID_PROVED, request->story, (int64_t)request->number, story->proof_s);
    }
}

static void on_event(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                     const struct value *root)
{
    const struct value *event = value_get(root, STR("event"));
    if (event == NULL) { // refused as a whole: it could not be read, or not be made durable
        if (!is_text(root, "context.effect", "deny")) {
            sim_fail(sim, request->story, "an answer to an event that is none");
        }
        return;
    }
    if (is_true(event, "recorded")) {
        on_recorded(sim, request, send, is_true(event, "repeated"));
    } else if (is_text(event, "message", "the session was ended before")) {
        ended(sim, request->story, send);
    }
    ended_others(sim, value_path(root, STR("session.ended")), send);
}

static void on_terminate(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                         const struct value *root)
{
    const struct value *list = value_get(root, STR("terminated")), *ok = value_get(root, STR("ok"));
    if (ok == NULL || ok->kind != VALUE_BOOL || (ok->as.b && (list == NULL || list->kind != VALUE_LIST))) {
        sim_fail(sim, request->story, "an answer to an order that is none");
    } else if (ok->as.b) {
        ended(sim, request->story, send);
    }
}

static void on_cut(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                   const struct value *root)
{
    const struct value *ok = value_get(root, STR("ok"));
    if (ok == NULL || ok->kind != VALUE_BOOL) {
        sim_fail(sim, request->story, "an answer to an order that is none");
    } else if (ok->as.b) {
        int64_t *cut_ms = &sim->ordered_ms[request->user];
        *cut_ms = num_max(*cut_ms, send->wall_ms);
        sim_note(sim, DID_CUT, request->story, request->user, *cut_ms);
    }
}

static void on_status(struct sim *sim, const struct sim_request *request, const struct sim_send *send,
                      const struct value *root)
{
    (void)send;
    const struct value *ok = value_get(root, STR("ok"));
    if (ok == NULL || ok->kind != VALUE_BOOL) {
        sim_fail(sim, request->story, "an answer of the admin endpoint that is none");
    }
}

void ledger_answer(struct sim *sim, const struct sim_link *link, const struct sim_send *send, struct str body)
{
    static void (*const ON[])(struct sim * sim, const struct sim_request *request,
                              const struct sim_send *send, const struct value *root) = {
        [SIM_QUESTION] = on_question,   [SIM_BATCH] = on_batch, [SIM_EVENT] = on_event,
        [SIM_TERMINATE] = on_terminate, [SIM_CUT] = on_cut,     [SIM_STATUS] = on_status,
    };
    struct fault why;
    struct value root = {0};
    arena_reset(&sim->arena);
    if (wire_decode_most(WIRE_CBOR, body, 1 << 20, &sim->arena, &root, &why) != PDP_ERR_OK ||
        root.kind != VALUE_MAP) {
        sim_fail(sim, SIM_NONE, "an answer that cannot be read");
        return;
    }
    sim->answers++;
    sim->hash = hash_64((struct hash_key){sim->hash, sim->step}, body.at, body.len);
    struct sim_request *request = &sim->requests[send->request];
    if (request->peer != link->peer) {
        sim_fail(sim, request->story, "an answer to another peer than the one that asked");
    }
    sim_note(sim, DID_ANSWER, request->story, (int64_t)request->number, (int64_t)body.len);
    ON[request->kind](sim, request, send, &root);
    request->waits = request->waits && sim_one_in(sim, 10); // now and then it is lost on its way
}

// ---- The table -------------------------------------------------------------------------------------------

static void check_proof(struct sim *sim, int at, const struct session_record *record)
{
    const struct sim_story *story = &sim->stories[at];
    bool lives = record->state == SESSION_ACTIVE || record->state == SESSION_CHALLENGED, proved = false;
    for (int i = 0; i < SESSION_PROOFS; i++) {
        proved = proved ||
                 (record->proofs[i].name > SESSION_PROOF_RENEWED && record->proofs[i].at_s >= story->proof_s);
    }
    // First seen after the proof: the one that was proved was forgotten, and a later authentication began
    // another.
    bool another = record->first_seen_ms / 1000 > (int64_t)story->proof_s && was_forgotten(sim, 0);
    if (lives && story->proof_s != 0 && !proved && !another) {
        sim_fail(sim, at, "a step-up of session %s was acknowledged and is not there", story->id);
    }
}

// While a session lives it can be ended by every id that it ever had. What was forgotten, and began anew by a
// later authentication since, is another session.
static void check_replaced(struct sim *sim, int at)
{
    const struct sim_story *story = &sim->stories[at];
    for (int other = story->next; other != at; other = sim->stories[other].next) {
        struct session_view view;
        bool known = session_look(table_of(sim), str_of(sim->stories[other].id), &view);
        bool another =
            known && was_forgotten(sim, 0) && view.record.first_seen_ms > sim->stories[other].started_ms;
        if (known && !another &&
            (view.record.state == SESSION_ACTIVE || view.record.state == SESSION_CHALLENGED)) {
            sim_fail(sim, at, "session %s lives, and its old id %s is not known", sim->stories[other].id,
                     story->id);
        }
    }
}

static void check_story(struct sim *sim, int at)
{
    const struct sim_story *story = &sim->stories[at];
    struct session_view view;
    bool known = session_look(table_of(sim), str_of(story->id), &view);
    if (story->ended) {
        bool excused = was_forgotten(sim, 0) && story->auth_ms > story->ended_ms + AHEAD_MS;
        bool over = known ? view.record.state == SESSION_TERMINATED || view.record.state == SESSION_ROTATED
                          : was_forgotten(sim, story->auth_ms);
        if (!over && !excused) {
            sim_fail(sim, at, "an end of session %s was acknowledged, and it is %s", story->id,
                     known ? session_state_name((enum session_state)view.record.state) : "not known");
        }
    } else if (story->started && !known && !was_forgotten(sim, num_min(story->auth_ms, story->started_ms))) {
        sim_fail(sim, at, "a start of session %s was acknowledged, and it is not known", story->id);
    } else if (known) {
        check_proof(sim, at, &view.record);
    } else if (story->replaced) {
        check_replaced(sim, at);
    }
}

static void check_cut(struct sim *sim, int user)
{
    char name[8];
    (void)snprintf(name, sizeof name, "u%d", user);
    const struct session_key key =
        session_key_of(table_of(sim), 0, STR(""), STR("user"), str_of(name), STR(""));
    struct session_held held;
    session_hold(table_of(sim), &key, &held);
    int64_t cut_ms = held.user != NULL ? (int64_t)held.user->cutoff_s * 1000 : 0;
    session_release(table_of(sim), &held);
    if (cut_ms < sim->cut_ms[user] && !was_forgotten(sim, sim->cut_ms[user] - 1)) {
        sim_fail(sim, SIM_NONE, "a cut-off of %s was acknowledged and is not there", name);
    }
}

void ledger_check(struct sim *sim)
{
    for (int i = 0; i < sim->story_count && !sim->failed; i++) {
        check_story(sim, i);
    }
    for (int i = 0; i < SIM_USERS && !sim->failed; i++) {
        check_cut(sim, i);
    }
}
