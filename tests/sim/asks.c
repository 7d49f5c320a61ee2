// SPDX-License-Identifier: Apache-2.0
// Peers: what they ask, and that they ask it again, as REQ sockets do.
#include "sim/sim.h"

static const struct str GATEWAY_PATHS[] = {
    {"/open", 5}, {"/open", 5}, {"/open", 5}, {"/open", 5}, {"/open", 5}, {"/open", 5},
    {"/open", 5}, {"/mfa", 4},  {"/mfa", 4},  {"/deny", 5}, {"/open", 5}, {"/open", 5},
};

// ---- Sessions --------------------------------------------------------------------------------------------

int sim_story_new(struct sim *sim, int user)
{
    if (sim->story_count == SIM_STORIES) {
        return SIM_NONE;
    }
    int at = sim->story_count++;
    struct sim_story *story = &sim->stories[at];
    int64_t now_s = sim->now.wall_ms / 1000;
    *story = (struct sim_story){
        .user = user, .auth_ms = (now_s - sim_below(sim, 30)) * 1000, .next = at, .allowed = SIM_NONE};
    story->auth_most_ms = story->auth_ms;
    (void)snprintf(story->id, sizeof story->id, "id-%d", at);
    const struct session_key key = session_key_of(engine_sessions(sim->machine.engine), 0, STR(""),
                                                  STR("user"), STR("u"), str_of(story->id));
    session_ref_print(key.id, story->ref);
    return at;
}

static int pick_story(struct sim *sim)
{
    int place = sim_below(sim, SIM_ACTIVE);
    bool over = sim->stories[sim->active[place]].ended;
    if (sim_one_in(sim, over ? 6 : 300)) {
        int fresh = sim_story_new(sim, sim_below(sim, SIM_USERS));
        sim->active[place] = fresh != SIM_NONE ? fresh : sim->active[place];
    }
    int story = sim_one_in(sim, 12) ? sim_below(sim, sim->story_count) : sim->active[place];
    // An id that was never acknowledged is one that nobody has.
    return sim->stories[story].waits ? sim->active[place] : story;
}

// ---- Messages --------------------------------------------------------------------------------------------

static void put_named(struct emit *emit, const char *key, const char *type, const char *name,
                      struct str value)
{
    emit_key(emit, str_of(key));
    emit_map(emit, EMIT_FEW);
    if (type[0] != '\0') {
        emit_key_str(emit, "type", str_of(type));
    }
    emit_key_str(emit, name, value);
    emit_end(emit);
}

static void put_subject(struct emit *emit, int user)
{
    char name[8];
    (void)snprintf(name, sizeof name, "u%d", user);
    put_named(emit, "subject", "user", "id", str_of(name));
}

static void put_context(struct sim *sim, struct emit *emit, const struct sim_story *story,
                        const int64_t *auth_ms, bool probe)
{
    emit_key(emit, STR("context"));
    emit_map(emit, EMIT_FEW);
    emit_key(emit, STR("session"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "id", str_of(story->id));
    if (auth_ms != NULL) {
        emit_key_int(emit, "auth_time", *auth_ms / 1000);
    }
    emit_end(emit);
    put_named(emit, "network", "", "ip", sim_one_in(sim, 8) ? STR("198.51.100.9") : STR("203.0.113.7"));
    if (probe) {
        emit_key_str(emit, "purpose", STR("probe"));
    }
    emit_end(emit);
}

static void put_number(struct emit *emit, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "r%llu", (unsigned long long)number);
    emit_key_str(emit, "request_id", str_of(text));
}

static void put_question(struct sim *sim, struct emit *emit, const struct sim_request *request)
{
    const struct sim_story *story = &sim->stories[request->story];
    struct str path = GATEWAY_PATHS[sim_below(sim, COUNT_OF(GATEWAY_PATHS))];
    path = sim_one_in(sim, 50) ? STR("/end") : sim_one_in(sim, 150) ? STR("/cut") : path;
    emit_map(emit, EMIT_FEW);
    put_number(emit, request->number);
    put_subject(emit, request->user);
    put_named(emit, "action", "", "name", STR("GET"));
    put_named(emit, "resource", "route", "id", path);
    put_context(sim, emit, story, sim_one_in(sim, 20) ? NULL : &story->auth_ms, sim_one_in(sim, 30));
    emit_end(emit);
}

static void put_batch(struct sim *sim, struct emit *emit, const struct sim_request *request)
{
    const struct sim_story *story = &sim->stories[request->story];
    int count = 1 + sim_below(sim, 3);
    emit_map(emit, EMIT_FEW);
    put_number(emit, request->number);
    put_subject(emit, request->user);
    put_named(emit, "action", "", "name", STR("GET"));
    put_context(sim, emit, story, &story->auth_ms, false);
    emit_key(emit, STR("evaluations"));
    emit_list(emit, (size_t)count);
    for (int i = 0; i < count; i++) {
        struct str path =
            sim_one_in(sim, 100) ? STR("/end") : GATEWAY_PATHS[sim_below(sim, COUNT_OF(GATEWAY_PATHS))];
        emit_map(emit, EMIT_FEW);
        put_named(emit, "resource", "route", "id", path);
        emit_end(emit);
    }
    emit_end(emit);
    emit_end(emit);
}

static void put_event(struct sim *sim, struct emit *emit, const struct sim_request *request)
{
    const struct sim_story *story = &sim->stories[request->story];
    emit_map(emit, EMIT_FEW);
    put_number(emit, request->number);
    emit_key(emit, STR("event"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "type", str_of(event_name(request->event)));
    put_subject(emit, request->user);
    put_context(sim, emit, story, request->claims ? &request->claim_ms : NULL, false);
    emit_key(emit, STR("properties"));
    emit_map(emit, EMIT_FEW);
    bool passed = request->event == EVENT_STEP_UP_PASSED;
    const struct str amr = passed ? STR("otp") : STR("pwd");
    emit_texts(emit, STR("amr"), &amr, 1);
    if (request->event == EVENT_ROTATE) {
        emit_key_str(emit, "new_id", str_of(sim->stories[request->to].id));
    }
    emit_end(emit);
    emit_end(emit);
    emit_end(emit);
}

static void put_terminate(struct sim *sim, struct emit *emit, const struct sim_request *request)
{
    const struct sim_story *story = &sim->stories[request->story];
    const struct str names[] = {str_of(story->id), str_of(story->ref)};
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "op", STR("session.terminate"));
    emit_key_str(emit, "session", names[sim_below(sim, 2)]);
    emit_key_str(emit, "reason", STR("simulated"));
    emit_end(emit);
}

static void put_cut(struct sim *sim, struct emit *emit, const struct sim_request *request)
{
    char name[8];
    (void)sim;
    (void)snprintf(name, sizeof name, "u%d", request->user);
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "op", STR("cutoff.add"));
    emit_key(emit, STR("target"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "kind", STR("subject"));
    emit_key_str(emit, "value", str_of(name));
    emit_end(emit);
    emit_key_str(emit, "reason", STR("simulated"));
    emit_end(emit);
}

static void put_status(struct sim *sim, struct emit *emit, const struct sim_request *request)
{
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "op", sim_one_in(sim, 4) ? STR("status") : STR("session.show"));
    emit_key_str(emit, "session", str_of(sim->stories[request->story].id));
    emit_end(emit);
}

static void write_message(struct sim *sim, struct sim_request *request)
{
    static void (*const PUT[])(struct sim * sim, struct emit * emit, const struct sim_request *request) = {
        [SIM_QUESTION] = put_question,   [SIM_BATCH] = put_batch, [SIM_EVENT] = put_event,
        [SIM_TERMINATE] = put_terminate, [SIM_CUT] = put_cut,     [SIM_STATUS] = put_status,
    };
    struct emit emit;
    buf_clear(&sim->scratch);
    emit_init(&emit, WIRE_CBOR, &sim->scratch);
    PUT[request->kind](sim, &emit, request);
    invariant(!sim->scratch.failed && sim->scratch.len <= sizeof request->bytes);
    request->len = sim->scratch.len;
    memcpy(request->bytes, sim->scratch.at, request->len);
}

// ---- Who asks what ---------------------------------------------------------------------------------------

// The first peers are gateways, then issuers, the last are analysts.
enum {
    FIRST_ISSUER = 4,
    FIRST_ANALYST = 6
};

static enum event_type pick_event(struct sim *sim)
{
    static const enum event_type EVENTS[] = {EVENT_START,          EVENT_START,  EVENT_START,
                                             EVENT_LOGIN,          EVENT_LOGIN,  EVENT_STEP_UP_PASSED,
                                             EVENT_STEP_UP_PASSED, EVENT_SIGNAL, EVENT_STEP_UP_FAILED,
                                             EVENT_LOGOUT,         EVENT_ROTATE, EVENT_ROTATE};
    return EVENTS[sim_below(sim, COUNT_OF(EVENTS))];
}

static int pick_peer(struct sim *sim)
{
    int dice = sim_below(sim, 20);
    return dice < 13   ? sim_below(sim, FIRST_ISSUER)
           : dice < 18 ? FIRST_ISSUER + sim_below(sim, FIRST_ANALYST - FIRST_ISSUER)
                       : FIRST_ANALYST + sim_below(sim, SIM_PEERS - FIRST_ANALYST);
}

static enum sim_kind pick_kind(struct sim *sim, int peer)
{
    if (peer >= FIRST_ANALYST) {
        return sim_one_in(sim, 3) ? SIM_TERMINATE : sim_one_in(sim, 40) ? SIM_CUT : SIM_STATUS;
    }
    if (peer >= FIRST_ISSUER) {
        return SIM_EVENT;
    }
    return sim_one_in(sim, 15) ? SIM_BATCH : SIM_QUESTION;
}

static int waiting_of(const struct sim *sim, int peer)
{
    int count = 0;
    for (int i = 0; i < SIM_REQUESTS; i++) {
        count += sim->requests[i].used && sim->requests[i].waits && sim->requests[i].peer == peer;
    }
    return count;
}

int sim_waiting(const struct sim *sim)
{
    int count = 0;
    for (int i = 0; i < SIM_REQUESTS; i++) {
        count += sim->requests[i].used && sim->requests[i].waits;
    }
    return count;
}

// A place whose request nobody waits for, and that is nowhere on its way.
static int take_place(struct sim *sim)
{
    for (int i = 0; i < SIM_REQUESTS; i++) {
        sim->request_next = (sim->request_next + 1) % SIM_REQUESTS;
        if (!sim->requests[sim->request_next].waits && sim->requests[sim->request_next].sends == 0) {
            return sim->request_next;
        }
    }
    return SIM_NONE;
}

static void dispatch(struct sim *sim, int at)
{
    struct sim_request *request = &sim->requests[at];
    int link = sim_link_of(sim, request->peer);
    if (link != SIM_NONE) {
        sim_send(sim, link, at);
    }
}

// A rotation names an id that nobody has yet; where there is none left, it is a login.
static void name_next(struct sim *sim, struct sim_request *request)
{
    const struct sim_story *story = &sim->stories[request->story];
    request->to = sim_story_new(sim, story->user);
    if (request->to == SIM_NONE) {
        request->event = EVENT_LOGIN;
        return;
    }
    struct sim_story *next = &sim->stories[request->to];
    next->waits = true;
    next->auth_ms = next->auth_most_ms = story->auth_ms;
}

void sim_ask(struct sim *sim)
{
    int peer = pick_peer(sim);
    int at = waiting_of(sim, peer) < SIM_OUT ? take_place(sim) : SIM_NONE;
    if (at == SIM_NONE) {
        return;
    }
    struct sim_request *request = &sim->requests[at];
    int story = pick_story(sim);
    *request = (struct sim_request){.used = true,
                                    .waits = true,
                                    .kind = pick_kind(sim, peer),
                                    .event = pick_event(sim),
                                    .peer = peer,
                                    .story = story,
                                    .user = sim->stories[story].user,
                                    .number = ++sim->request_count,
                                    .claims = sim_one_in(sim, 2),
                                    .claim_ms = sim->now.wall_ms / 1000 * 1000,
                                    .hop = ++sim->hop};
    if (sim_one_in(sim, 400)) { // another's id
        request->user = sim_below(sim, SIM_USERS);
    }
    if (request->kind == SIM_EVENT && request->event == EVENT_ROTATE) {
        name_next(sim, request);
    }
    write_message(sim, request);
    sim_note(sim, DID_ASK, story, (int64_t)request->number, (int64_t)request->kind * 100 + request->event);
    dispatch(sim, at);
}

// What waits and has no connection that it is on any more, first; or anything that was ever asked.
void sim_again(struct sim *sim)
{
    int at = sim_below(sim, SIM_REQUESTS);
    if (sim_one_in(sim, 3)) { // what was allowed, once more: the most tempting
        int story = sim->active[sim_below(sim, SIM_ACTIVE)];
        at = sim->stories[story].allowed != SIM_NONE ? sim->stories[story].allowed : at;
    } else {
        for (int i = 0; i < SIM_REQUESTS && !sim->requests[at].waits; i++) {
            at = (at + 1) % SIM_REQUESTS;
        }
    }
    struct sim_request *request = &sim->requests[at];
    if (!request->used) {
        return;
    }
    if (!request->waits) {
        request->hop = ++sim->hop;
    }
    dispatch(sim, at);
}
