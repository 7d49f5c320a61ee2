// SPDX-License-Identifier: Apache-2.0
#include "engine/event.h"

#include "engine/control.h"
#include "engine/device.h"
#include "engine/feed.h"
#include "engine/issue.h"
#include "engine/logout.h"
#include "engine/shadow.h"

uint32_t event_grant(enum event_type type)
{
    return type == EVENT_SIGNAL ? GRANT_SIGNAL : GRANT_ISSUE;
}

static void refuse(struct event_result *out, enum pdp_code code, struct str why)
{
    *out = (struct event_result){.code = code, .why = why};
}

// acr and amr that the event names: in its properties, else in its context.
static struct str event_acr(const struct request *request)
{
    const struct value *acr = value_get(request->event_properties, STR("acr"));
    return acr != NULL && acr->kind == VALUE_STRING ? value_text(acr) : request->acr;
}

static const struct value *event_amr(const struct request *request)
{
    const struct value *amr = value_get(request->event_properties, STR("amr"));
    return amr != NULL && amr->kind == VALUE_LIST ? amr : request->amr;
}

static double event_evidence(const struct request *request)
{
    const struct value *evidence = value_get(request->event_properties, STR("evidence"));
    if (evidence == NULL) {
        return 0;
    }
    return evidence->kind == VALUE_DOUBLE ? evidence->as.d
           : evidence->kind == VALUE_INT  ? (double)evidence->as.i
                                          : 0;
}

// When the authentication was: as claimed, never in the future.
static int64_t event_auth_ms(const struct ask *ask)
{
    const struct request *request = ask->request;
    if (request->has_auth_time) {
        return num_min(request->auth_time_ms, ask->now_ms);
    }
    // An analyst's cut-off takes in the millisecond in which it was ordered. Who is authenticated in that
    // very one and meets it came behind it.
    const struct control *cut = ask->cut.control != NULL ? ask->cut.control : ask->cut.maybe;
    bool behind =
        cut != NULL && cut->created_ms == ask->now_ms && cut->before_ms == num_add_sat(ask->now_ms, 1);
    return behind ? cut->before_ms : ask->now_ms;
}

// ---- What an event brings, before the lifecycle's table moves the state ---------------------------

// Whether the wish makes sense was looked at before anything was brought.
static void bring_device(struct ask *ask)
{
    struct device_wish wish;
    if (device_read(ask, &wish)) {
        ask->remember_until_ms = device_remember(ask, &wish);
    }
}

static void bring_login(struct ask *ask)
{
    if (!ask->known) {
        ask->session.anchor = ask->seen;
        ask->session.last = ask->seen;
    }
    (void)ask_issue(ask, event_acr(ask->request), event_amr(ask->request), event_auth_ms(ask), false);
    ask_score(ask, ask->request->event, -1, 0);
    ask_learn(ask);
    bring_device(ask);
}

// Who was asked for a key and gave a code has proved a code, and none of what the key was asked for.
static bool falls_short(const struct ask *ask, int32_t strength)
{
    return strength + 1 < (int32_t)ask_asked(ask);
}

static void bring_step_up(struct ask *ask)
{
    int32_t strength = ask_issue(ask, event_acr(ask->request), event_amr(ask->request), ask->now_ms, true);
    strength = falls_short(ask, strength) ? -1 : strength;
    ask_score(ask, EVENT_STEP_UP_PASSED, strength, 0);
    if (strength >= 0) { // what proves nothing, or too little, blesses no context
        risk_anchor_move(&ask->session.anchor, &ask->session.last, &ask->seen);
        ask_learn(ask);
        bring_device(ask);
    }
    // The strongest of Strengths: what a phisher could have relayed makes no context the user's own.
    if (strength >= 0 && (size_t)strength + 1 == ask->snapshot->names.strength_count) {
        ask_learn_profile(ask);
    }
}

static void bring_score(struct ask *ask)
{
    ask_score(ask, ask->request->event, -1, event_evidence(ask->request));
}

static void bring_rotate(struct ask *ask)
{
    ask_sign(ask);
    issue_rotation(ask);
}

static void (*const BRING[EVENT_COUNT])(struct ask *ask) = {
    [EVENT_START] = bring_login,
    [EVENT_LOGIN] = bring_login,
    [EVENT_STEP_UP_PASSED] = bring_step_up,
    [EVENT_STEP_UP_FAILED] = bring_score,
    [EVENT_LOGOUT] = bring_score,
    [EVENT_SIGNAL] = bring_score,
    [EVENT_ROTATE] = bring_rotate,
};

// An id that was made here is told once: a secret that could be asked for again would be none.
static const struct str MINTED = {"this request_id was answered with an id before, which is told once; if "
                                  "that was lost, ask with another request_id",
                                  113};

static bool is_repeat(struct ask *ask, struct event_result *out)
{
    if (ask->repeat == NULL) {
        return false;
    }
    bool same = ask->repeat->question == ask->question_hash;
    refuse(out, PDP_CODE_MALFORMED,
           same ? (struct str){0} : STR("this request_id was used for something else"));
    if (same && ask->mints) {
        refuse(out, PDP_CODE_MALFORMED, MINTED);
        return true;
    }
    out->recorded = same;
    out->repeated = same;
    return true;
}

static bool may_apply(struct ask *ask, struct event_result *out)
{
    if (is_repeat(ask, out)) {
        return false;
    }
    if (issue_again(ask)) {
        refuse(out, PDP_CODE_MALFORMED, MINTED);
        return false;
    }
    if (!issue_old_id(ask, out)) {
        return false;
    }
    struct lifecycle_step step =
        lifecycle_step_of((enum session_state)ask->session.state, ask->request->event);
    if ((step.does & LIFECYCLE_REFUSED) != 0) {
        bool over = ask->session.state == SESSION_TERMINATED;
        refuse(out, over ? PDP_CODE_TERMINATED : PDP_CODE_UNSURE,
               over ? STR("the session was ended before")
                    : STR("the session is not known; send a login or start event for it first"));
        return false;
    }
    out->recorded = (step.does & LIFECYCLE_SOURCE_ONLY) != 0 ||
                    (ask->session.state == SESSION_TERMINATED && ask->request->event == EVENT_LOGOUT);
    return !out->recorded; // what touches no session is recorded as it is
}

static bool is_authentication(const struct ask *ask)
{
    return ask->request->event == EVENT_LOGIN || ask->request->event == EVENT_START;
}

// An authentication that is over, or that was forgotten, begins no session, whoever tells of it.
static bool may_begin(struct ask *ask, struct event_result *out)
{
    int64_t auth_ms = event_auth_ms(ask), start_ms = 0;
    if (lifecycle_first_sight(&ask->limits, true, auth_ms, ask->now_ms, &start_ms) == PDP_ERR_OK &&
        auth_ms >= session_forgotten_ms(ask->table)) {
        return true;
    }
    refuse(out, PDP_CODE_EXPIRED, STR("the authentication is older than the session's absolute limit"));
    return false;
}

// A limit that ends a session ends it for events too; one that asks for an authentication is renewed by one.
static bool life_allows(struct ask *ask, struct event_result *out)
{
    if (ask->request->event == EVENT_LOGOUT) {
        return true;
    }
    if (!ask->known) {
        return !is_authentication(ask) || may_begin(ask, out);
    }
    ask->life = session_life(&ask->session, &ask->limits, ask->now_ms);
    if (ask->life.state == LIFE_ALIVE || ask->life.does == ON_LIMIT_STEP_UP) {
        return true;
    }
    refuse(out, PDP_CODE_EXPIRED, STR("the session is over: a limit of its time has passed"));
    return false;
}

// A session that begins may find that its subject has as many as it may.
static bool has_room(struct ask *ask, struct event_result *out)
{
    struct ask_room room;
    if (ask->known || !is_authentication(ask)) {
        return true;
    }
    ask_room(ask, true, event_auth_ms(ask), &room);
    if (!room.begins) {
        refuse(out, room.code, room.why);
        out->missing = room.missing;
    }
    return room.begins;
}

static bool asked_is_proved(struct ask *ask)
{
    const uint32_t asked = ask_asked(ask);
    int64_t until_ms = 0;
    ask_believe(ask);
    return asked == 0 || ask_proved(ask, asked - 1, ask->session.asked_max_age_s, &until_ms);
}

static void refuse_commit(const struct ask *ask, enum pdp_err err, struct event_result *out)
{
    if (err == PDP_ERR_STATE) {
        refuse(out, PDP_CODE_FIXATION,
               ask->rotates ? STR("the new id is known already: give each session one of its own")
                            : STR("the session belongs to another subject"));
        return;
    }
    refuse(out, PDP_CODE_OVERLOADED,
           ask->rotates ? STR("no room for another id") : STR("no room for a new session"));
}

static void commit(struct ask *ask, struct event_result *out)
{
    struct session_record *session = &ask->session;
    if (ask->repeat_id != 0) {
        session->repeats[session->repeat_next % SESSION_REPEATS] = (struct session_repeat){
            .id = ask->repeat_id,
            .question = ask->question_hash,
            .score = (float)ask->risk.score,
            .rule = UINT32_MAX,
            .policy_epoch = (uint32_t)ask->snapshot->epoch,
        };
        session->repeat_next = (uint8_t)((session->repeat_next + 1) % SESSION_REPEATS);
    }
    issue_note(ask);
    enum pdp_err err = ask_commit(ask);
    if (err != PDP_ERR_OK) {
        refuse_commit(ask, err, out);
        return;
    }
    out->recorded = true;
    out->remember_until_ms = ask->remember_until_ms;
    out->ended = ask_ended(ask, &out->ended_count);
    issue_tell(ask, out);
    // What speaks against the session may turn an allow that a gateway keeps.
    if (ask->request->event == EVENT_SIGNAL || ask->request->event == EVENT_STEP_UP_FAILED) {
        session_tell(ask->table, ask->held.record.id, ask->held.record.epoch, ask->now_ms);
    }
}

// A login is a new authentication, and an end is never too late; anything else of a session that a cut-off
// ended is.
static bool is_cut(struct ask *ask, struct event_result *out)
{
    enum truth cut = ask->request->event != EVENT_LOGOUT ? control_cut_off(ask) : TRUTH_NO;
    if (cut != TRUTH_NO && is_authentication(ask) && !ask->known) {
        cut = control_cuts_at(ask, event_auth_ms(ask));
    }
    if (cut == TRUTH_YES) {
        const struct control *control = ask->cut.control;
        refuse(out, PDP_CODE_TERMINATED,
               control != NULL ? control->reason : STR("all earlier sessions of this subject were ended"));
    } else if (cut == TRUTH_UNSURE) {
        refuse(out, PDP_CODE_UNSURE, STR("a cut-off may be meant for this session"));
        out->missing = str_of(control_lacks(ask->cut.maybe->target.kind));
    }
    return cut != TRUTH_NO;
}

// A lock that denies lets nobody begin; one that ends sessions ends this one. What else is said of a session
// is heard.
static bool is_locked(struct ask *ask, struct event_result *out)
{
    struct str why, missing;
    enum pdp_effect effect = control_event(ask, &why, &missing);
    bool ends = effect == PDP_EFFECT_TERMINATE && ask->known && ask->request->event != EVENT_LOGOUT;
    bool begins = is_authentication(ask) || ask->request->event == EVENT_ROTATE;
    if (effect == PDP_EFFECT_ALLOW || (!ends && !begins)) {
        return false;
    }
    if (ends) {
        ask_end(ask, PDP_CODE_LOCKED);
        ends = ask_commit(ask) == PDP_ERR_OK; // refused all the same
    }
    refuse(out, missing.len > 0 ? PDP_CODE_UNSURE : PDP_CODE_LOCKED, why);
    out->missing = missing;
    return true;
}

void event_apply_held(struct ask *ask, struct event_result *out)
{
    *out = (struct event_result){0};
    if (logout_is_all(ask)) {
        logout_all(ask, out);
        return;
    }
    if (ask->held.found == SESSION_FOREIGN) {
        refuse(out, PDP_CODE_FIXATION, STR("the session belongs to another subject"));
        return;
    }
    ask_believe(ask);
    session_limits_of(ask->snapshot->sessions, ask_frame(ask), &ask->limits);
    // Controls come before repeats; a tombstone before controls.
    if (ask->session.state != SESSION_TERMINATED && (is_cut(ask, out) || is_locked(ask, out))) {
        return;
    }
    if (!may_apply(ask, out) || !life_allows(ask, out) || !has_room(ask, out)) {
        return;
    }
    BRING[ask->request->event](ask);
    // What was proved is read by conditions anew: what they read before was the state before this event.
    ask_begin(ask);
    const int64_t auth_ms = ask->session.auth_time_ms;
    enum pdp_err err =
        lifecycle_event(&ask->session, ask->request->event, asked_is_proved(ask), &ask->limits, ask->now_ms);
    if (err == PDP_ERR_OK && is_authentication(ask)) {
        ask->session.auth_time_ms = num_max(auth_ms, event_auth_ms(ask)); // as old as the issuer says
    }
    if (err == PDP_ERR_OK) {
        commit(ask, out);
    } else {
        refuse(out, PDP_CODE_TERMINATED, STR("not possible in the session's state"));
    }
}

void event_apply(struct ask *ask, struct event_result *out)
{
    *out = (struct event_result){0};
    if (ask->request->probe) {
        refuse(out, PDP_CODE_MALFORMED, STR("an event is no probe: leave `context.purpose` out"));
        return;
    }
    ask->moves = true;
    if (ask->request->event == EVENT_LOGIN_FAILED) {
        out->recorded = true; // says something of its source only, never of the subject that it names
        ask_begin(ask);
        (void)ask_enrich(ask);
        feed_login(ask, true);
        return;
    }
    if (ask->request->subject_id.len == 0) { // only a logout needs none
        logout_by_id(ask, out);
        return;
    }
    struct device_wish wish;
    if (!device_read(ask, &wish)) {
        refuse(out, PDP_CODE_MALFORMED,
               STR("`properties.remember_device` is true or false, `remember_for` seconds, or text such as "
                   "`30d`"));
        return;
    }
    if (!logout_read(ask, out) || !issue_read(ask, out)) {
        return;
    }
    ask_begin(ask);
    (void)ask_enrich(ask);
    ask_hold(ask);
    event_apply_held(ask, out);
    if (out->recorded || out->code != PDP_CODE_MALFORMED) { // a repeat, or a session that is over
        worker_await_all(ask->worker);
    }
    if (out->recorded && !out->repeated && is_authentication(ask)) {
        feed_login(ask, false);
    }
    if (out->recorded && !out->repeated && ask->snapshot->shadow != NULL) {
        shadow_event(ask);
    }
    ask_release(ask);
}
