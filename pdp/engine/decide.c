// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/control.h"
#include "engine/device.h"
#include "engine/feed.h"
#include "engine/pardon.h"
#include "engine/shadow.h"

#include "model/fault.h"

static const int64_t VALID_MOST_MS = 300000; // an answer is never good for longer than this

static const struct {
    enum pdp_code code;
    struct str reason;
} ENDED[] = {
    {PDP_CODE_EXPIRED, {"the session ended at a limit of its time", 40}},
    {PDP_CODE_FIXATION, {"the session id was used by another subject", 42}},
    {PDP_CODE_POLICY, {"the session was ended by policy", 31}},
    {PDP_CODE_LOCKED, {"the session was ended by an analyst", 35}},
    {PDP_CODE_CONCURRENT, {"the session ended because its subject began another", 51}},
    {PDP_CODE_REUSED, {"the session ended because an id was used that another one had replaced", 70}},
};

static struct str ended_reason(enum pdp_code code)
{
    for (size_t i = 0; i < COUNT_OF(ENDED); i++) {
        if (ENDED[i].code == code) {
            return ENDED[i].reason;
        }
    }
    return STR("the session was ended");
}

static void deny(struct verdict *out, enum pdp_code code, struct str reason)
{
    out->effect = PDP_EFFECT_DENY;
    out->code = code;
    out->reason = reason;
    out->has_require = false;
}

static void add_missing(struct ask *ask, struct verdict *out, struct str what)
{
    struct str *list = ARENA_ARRAY(&ask->worker->arena, struct str, out->missing_count + 1);
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < out->missing_count; i++) {
        list[i] = out->missing[i];
    }
    list[out->missing_count++] = what;
    out->missing = list;
}

// ---- Session: what must hold before any policy is asked -------------------------------------------

// Another subject came with this session's id: fixation, or theft. The session ends; a probe ends nothing.
static void refuse_foreign(struct ask *ask, struct verdict *out)
{
    deny(out, PDP_CODE_FIXATION, STR("the session belongs to another subject"));
    if (!ask->moves) {
        return;
    }
    out->effect = PDP_EFFECT_TERMINATE;
    if (ask->session.state != SESSION_TERMINATED) {
        session_limits_of(ask->snapshot->sessions, ask_frame(ask), &ask->limits);
        ask_end(ask, PDP_CODE_FIXATION);
        struct session_delta delta = {.put_session = true, .session = ask->session};
        if (session_commit(ask->table, &ask->held, &ask->key, &delta, ask->now_ms) != PDP_ERR_OK) {
            out->effect = PDP_EFFECT_DENY; // refused all the same, but nothing was ended
        }
        worker_await(ask->worker, ask->held.seq);
    }
}

// An id of the session that another one replaced, after its time: whoever has it, the owner or a thief, has
// it from before. What was asked in time and comes again proves nothing.
static void refuse_reused(struct ask *ask, struct verdict *out)
{
    deny(out, PDP_CODE_REUSED, STR("an id was used that another one had replaced"));
    if (!ask->moves || (ask->repeat != NULL && ask->repeat->question == ask->question_hash)) {
        return;
    }
    ask_end(ask, PDP_CODE_REUSED);
    out->effect = ask_commit(ask) == PDP_ERR_OK ? PDP_EFFECT_TERMINATE : PDP_EFFECT_DENY;
}

// The same request_id: a repeat of this question, or a mistake of the peer.
static bool repeat_is_other(struct ask *ask, struct verdict *out)
{
    if (ask->repeat == NULL) {
        return false;
    }
    if (ask->repeat->question == ask->question_hash) {
        ask->moves = false;
        return false;
    }
    deny(out, PDP_CODE_MALFORMED, STR("this request_id was used for another question"));
    (void)fault_set(&ask->worker->fault, "request_id",
                    "was used for another question; give each question its own");
    return true;
}

// The subject has as many sessions as it may, and none that may end for this one.
static bool no_room(struct ask *ask, struct verdict *out)
{
    struct ask_room room;
    ask->session.asserted = ask->has_auth_time;
    ask_room(ask, ask->has_auth_time, ask->session.auth_time_ms, &room);
    if (room.begins) {
        return false;
    }
    deny(out, room.code, room.why);
    if (room.missing.len > 0) {
        add_missing(ask, out, room.missing);
    }
    return true;
}

static bool first_sight_refused(struct ask *ask, struct verdict *out)
{
    struct session_record *session = &ask->session;
    enum pdp_err err = lifecycle_first_sight(&ask->limits, ask->has_auth_time, ask->auth_time_ms, ask->now_ms,
                                             &session->auth_time_ms);
    if (err == PDP_ERR_OK && session->auth_time_ms < session_forgotten_ms(ask->table)) {
        err = PDP_ERR_STALE;
    }
    if (err == PDP_ERR_STALE) {
        deny(out, PDP_CODE_EXPIRED, STR("the session is older than its absolute limit"));
        return true;
    }
    if (err != PDP_ERR_OK) {
        deny(out, PDP_CODE_UNSURE, STR(VERDICT_NEVER_BEGUN));
        add_missing(ask, out, STR("`session.auth_time` is missing"));
        return true;
    }
    if (no_room(ask, out)) {
        return true;
    }
    ask->first_sight = true;
    session->state = SESSION_ACTIVE;
    session->first_seen_ms = ask->now_ms;
    session->last_seen_ms = ask->now_ms;
    session->anchor = ask->seen;
    session->last = ask->seen;
    session->epoch = 1;
    ask_sign(ask);
    ask_vouch(ask);
    ask->life = session_life(session, &ask->limits, ask->now_ms);
    return false;
}

static bool limit_passed(const struct ask *ask)
{
    return ask->life.state != LIFE_ALIVE;
}

// A fresh authentication that a peer asserts renews a session that a limit asked it of.
static void renew(struct ask *ask)
{
    struct session_record *session = &ask->session;
    if (!limit_passed(ask) || ask->life.does != ON_LIMIT_STEP_UP || session->issued != 0 ||
        !ask->has_auth_time || ask->auth_time_ms <= session->last_seen_ms) {
        return;
    }
    session->last_seen_ms = num_min(ask->auth_time_ms, ask->now_ms);
    if (ask->limits.absolute.step_up_ms != INT64_MAX) {
        lifecycle_prove(session, SESSION_PROOF_RENEWED, session->last_seen_ms);
    }
    ask_prove(ask);
    ask->life = session_life(session, &ask->limits, ask->now_ms);
}

// Nobody is there who could be asked.
static bool is_service(const struct ask *ask)
{
    return str_eq(ask->request->subject_type, STR("service"));
}

static void ask_anew(struct ask *ask, struct str why, struct verdict *out)
{
    deny(out, PDP_CODE_EXPIRED, why);
    if (is_service(ask)) {
        out->code = PDP_CODE_CANNOT_STEP_UP;
        return;
    }
    out->effect = PDP_EFFECT_STEP_UP;
    out->has_require = ask->snapshot->names.strength_count > 0;
    if (out->has_require) {
        out->require_strength = ask->snapshot->names.strengths[0];
        out->require_acr = policy_strength_acr(ask->snapshot->policies, 0, &out->require_acr_count);
        out->require_max_age_s = num_min(ask->limits.idle_ms, ask->limits.absolute_ms) / TIME_MS_PER_S;
    }
}

// Was that taken back by which the user was authenticated? What a peer claims newly counts.
static bool vouched_no_longer(struct ask *ask)
{
    struct session_record *session = &ask->session;
    if ((session->undone & SESSION_UNDONE_AUTH) != 0 && session->issued == 0 && ask->has_auth_time &&
        ask->auth_time_ms / TIME_MS_PER_S > session->vouched_s) {
        ask_vouch(ask);
    }
    return (session->undone & SESSION_UNDONE_AUTH) != 0;
}

static void expire(struct ask *ask, struct verdict *out)
{
    if (ask->life.does == ON_LIMIT_STEP_UP) {
        ask_anew(ask, STR("a limit of the session's time has passed: authenticate again"), out);
        return;
    }
    if (ask->life.does == ON_LIMIT_DENY) {
        deny(out, PDP_CODE_UNSURE, STR("a limit has passed that may be this session's"));
        add_missing(ask, out, STR("the target of a session policy cannot be decided"));
        return;
    }
    deny(out, PDP_CODE_EXPIRED,
         ask->life.state == LIFE_IDLE ? STR("the session was idle for longer than its limit")
                                      : STR("the session is older than its absolute limit"));
    if (ask->moves) {
        ask_end(ask, PDP_CODE_EXPIRED);
        out->effect = ask_commit(ask) == PDP_ERR_OK ? PDP_EFFECT_TERMINATE : PDP_EFFECT_DENY;
    }
}

static void name_control(struct ask *ask, const struct control *control, struct verdict *out)
{
    struct str *name = ARENA_ARRAY(&ask->worker->arena, struct str, 1);
    if (name != NULL) {
        *name = control->name;
        out->rules = name;
        out->rule_count = 1;
    }
    out->rule = control->name;
}

// All sessions of the subject, or of what a cut-off names, were ended; this one was authenticated before
// that.
static void cut_off(struct ask *ask, enum truth truth, struct verdict *out)
{
    const struct control *control = truth == TRUTH_YES ? ask->cut.control : ask->cut.maybe;
    if (control != NULL) {
        name_control(ask, control, out);
    }
    if (truth == TRUTH_UNSURE) {
        deny(out, PDP_CODE_UNSURE, STR("a cut-off may be meant for this session"));
        add_missing(ask, out, str_of(control_lacks(control->target.kind)));
        return;
    }
    deny(out, PDP_CODE_TERMINATED,
         control != NULL ? control->reason : STR("all earlier sessions of this subject were ended"));
    out->message = control != NULL ? control->message : out->message;
    if (ask->known && ask->moves) {
        ask_end(ask, PDP_CODE_TERMINATED);
        out->effect = ask_commit(ask) == PDP_ERR_OK ? PDP_EFFECT_TERMINATE : PDP_EFFECT_DENY;
    }
}

// true: the verdict is given, no policy is asked.
static bool session_decides(struct ask *ask, struct verdict *out)
{
    if (ask->held.found == SESSION_FOREIGN) {
        refuse_foreign(ask, out);
        return true;
    }
    if (ask->known && ask->session.state == SESSION_TERMINATED) {
        bool expired = ask->session.end_code == PDP_CODE_EXPIRED;
        deny(out, expired ? PDP_CODE_EXPIRED : PDP_CODE_TERMINATED,
             ended_reason((enum pdp_code)ask->session.end_code));
        out->effect = PDP_EFFECT_TERMINATE;
        return true;
    }
    ask_believe(ask);
    session_limits_of(ask->snapshot->sessions, ask_frame(ask), &ask->limits);
    enum truth cut = control_cut_off(ask);
    if (cut != TRUTH_NO) {
        cut_off(ask, cut, out);
        return true;
    }
    if (ask_is_late(ask)) {
        refuse_reused(ask, out);
        return true;
    }
    if (repeat_is_other(ask, out)) {
        return true;
    }
    if (!ask->known) {
        return first_sight_refused(ask, out);
    }
    ask->life = session_life(&ask->session, &ask->limits, ask->now_ms);
    renew(ask);
    if (limit_passed(ask)) {
        expire(ask, out);
        return true;
    }
    if (vouched_no_longer(ask)) {
        ask_anew(ask, STR("whoever vouched for this session is believed no longer: authenticate again"), out);
        return true;
    }
    return false;
}

// ---- Policies ----------------------------------------------------------------------------------

static void name_rules(struct ask *ask, const struct policy_result *result, struct verdict *out)
{
    const struct policy_set *set = ask->snapshot->policies;
    struct str *names = ARENA_ARRAY(&ask->worker->arena, struct str, result->rule_count + 1);
    if (result->first != UINT32_MAX) {
        out->rule = policy_rule_name(set, result->first);
    }
    for (size_t i = 0; names != NULL && i < result->rule_count; i++) {
        names[i] = policy_rule_name(set, result->rules[i]);
    }
    out->rules = names;
    out->rule_count = names != NULL ? result->rule_count : 0;
}

// Where no rule has words of its own.
static struct str plain_reason(enum pdp_code code)
{
    static const struct str REASONS[PDP_CODE_COUNT] = {
#define X(name, text, meaning) [PDP_CODE_##name] = {meaning, sizeof(meaning) - 1},
        PDP_CODE_LIST(X)
#undef X
    };
    return (unsigned)code < PDP_CODE_COUNT ? REASONS[code] : REASONS[PDP_CODE_MALFORMED];
}

static void take_result(struct ask *ask, const struct policy_result *result, struct verdict *out)
{
    out->effect = result->effect;
    out->code = result->code;
    out->message = result->message;
    out->reason = result->reason.len > 0 ? result->reason : plain_reason(result->code);
    out->missing = result->missing;
    out->missing_count = result->missing_count;
    out->obligations = result->obligations;
    out->obligation_count = result->obligation_count;
    out->exceptions = result->exceptions;
    out->exception_count = result->exception_count;
    out->has_require = result->has_require && result->effect == PDP_EFFECT_STEP_UP;
    if (out->has_require) {
        out->require_strength = ask->snapshot->names.strengths[result->require_strength];
        out->require_max_age_s = result->require_max_age_s;
        out->require_acr =
            policy_strength_acr(ask->snapshot->policies, result->require_strength, &out->require_acr_count);
    }
    name_rules(ask, result, out);
}

// A bad rule must not log everybody out: where policies end too many, they deny.
static void ask_breaker(struct ask *ask, struct verdict *out)
{
    if (out->effect != PDP_EFFECT_TERMINATE || out->code == PDP_CODE_LOCKED || !ask->has_session ||
        ask_in_shadow(ask)) {
        return;
    }
    struct engine *engine = ask->worker->engine;
    if (!breaker_allows(&engine->breaker, session_live(engine->sessions), ask->now_ms)) {
        out->effect = PDP_EFFECT_DENY;
        out->reason = STR("the breaker holds: policies end too many sessions at once");
    }
}

// What policies cannot know: each may only restrict, or turn an ending into a denial.
static void adjust(struct ask *ask, struct verdict *out)
{
    if (ask->risk.deny && pdp_effect_rank(out->effect) < pdp_effect_rank(PDP_EFFECT_DENY)) {
        deny(out, PDP_CODE_UNSURE, STR("a signal that the risk model insists on is missing"));
        add_missing(ask, out, ask->risk.missing);
    }
    if (out->effect == PDP_EFFECT_STEP_UP && is_service(ask)) {
        out->effect = PDP_EFFECT_DENY;
        out->code = PDP_CODE_CANNOT_STEP_UP;
        out->has_require = false;
    }
    if (ask->now_ms >= ask->snapshot->expires_ms) { // what is too old ends nothing either
        deny(out, PDP_CODE_STALE, plain_reason(PDP_CODE_STALE));
    }
    // A stranger must not be able to end what nobody has begun, nor a probe or a repeat what it only asks
    // about.
    if (out->effect == PDP_EFFECT_TERMINATE && (ask->first_sight || !ask->moves)) {
        out->effect = PDP_EFFECT_DENY;
    }
    ask_breaker(ask, out);
}

static void apply_repeat(struct ask *ask, struct verdict *out)
{
    const struct session_repeat *repeat = ask->repeat;
    out->repeated = true;
    if (!ask_in_shadow(ask)) {
        counter_add(&ask->worker->counters.repeats);
    }
    enum pdp_effect was = (enum pdp_effect)repeat->effect;
    if (repeat->policy_epoch != (uint32_t)ask->snapshot->epoch || was == out->effect) {
        out->score = was == out->effect ? (double)repeat->score : out->score;
        return;
    }
    // The remembered answer, unless today's is stricter: it must not become a ticket.
    if (pdp_effect_rank(was) > pdp_effect_rank(out->effect)) {
        deny(out, (enum pdp_code)repeat->code, STR("as answered before"));
        out->effect = was == PDP_EFFECT_TERMINATE ? PDP_EFFECT_DENY : was;
        out->rule = policy_rule_name(ask->snapshot->policies, repeat->rule);
        out->score = (double)repeat->score;
    }
}

// ---- Delta -------------------------------------------------------------------------------------

static void remember(struct ask *ask, const struct policy_result *result, const struct verdict *out)
{
    if (ask->repeat_id == 0) {
        return;
    }
    struct session_record *session = &ask->session;
    session->repeats[session->repeat_next % SESSION_REPEATS] = (struct session_repeat){
        .id = ask->repeat_id,
        .question = ask->question_hash,
        .score = (float)out->score,
        .rule = result->first,
        .policy_epoch = (uint32_t)ask->snapshot->epoch,
        .effect = (uint8_t)out->effect,
        .code = (uint8_t)out->code,
        .level = (uint8_t)out->level,
    };
    session->repeat_next = (uint8_t)((session->repeat_next + 1) % SESSION_REPEATS);
}

static void settle_challenge(struct ask *ask, const struct policy_result *result, const struct verdict *out)
{
    struct session_record *session = &ask->session;
    const uint32_t asked = ask_asked(ask);
    int64_t until_ms = 0;
    if (session->state == SESSION_CHALLENGED && asked > 0 &&
        ask_proved(ask, asked - 1, session->asked_max_age_s, &until_ms)) {
        lifecycle_challenge(session, 0, 0);
    }
    if (out->effect == PDP_EFFECT_STEP_UP && result->has_require) {
        lifecycle_challenge(session, (uint8_t)num_min(result->require_strength + 1, 255),
                            (uint32_t)num_min(result->require_max_age_s, UINT32_MAX));
    }
}

static void move_on(struct ask *ask, const struct policy_result *result, struct verdict *out)
{
    // Who is denied in the first question ends no other session by it; the next may be allowed.
    if (out->effect == PDP_EFFECT_DENY && ask_displaces(ask)) {
        return;
    }
    lifecycle_touch(&ask->session, &ask->life, ask->now_ms);
    settle_challenge(ask, result, out);
    if (out->effect == PDP_EFFECT_ALLOW) {
        ask_learn(ask);
    }
    if (out->effect == PDP_EFFECT_ALLOW && ask->risk.level == RISK_LOW) {
        ask_learn_profile(ask);
    }
    if (out->effect == PDP_EFFECT_TERMINATE) {
        ask_end(ask, out->code == PDP_CODE_LOCKED ? PDP_CODE_LOCKED : PDP_CODE_POLICY);
        if (result->terminate_subject) {
            ask_cut(ask);
        }
    }
    remember(ask, result, out);
    enum pdp_err err = ask_commit(ask);
    if (err == PDP_ERR_OK) {
        out->ended = ask_ended(ask, &out->ended_count);
        return;
    }
    bool foreign = err == PDP_ERR_STATE;
    deny(out, foreign ? PDP_CODE_FIXATION : PDP_CODE_OVERLOADED,
         foreign ? STR("the session belongs to another subject") : STR("no room for a new session"));
}

// The first time before `until_ms` at which a list that was asked grows stale, or fresh. Those that say a
// class of network are asked of every address.
static int64_t lists_until(const struct ask *ask, int64_t until_ms)
{
    const struct policy_names *names = &ask->snapshot->names;
    for (size_t i = 0; ask->lists_asked != 0 && i < names->set_count; i++) {
        if ((ask->lists_asked >> (names->sets[i].id % 64) & 1) != 0) {
            until_ms =
                num_min(until_ms, policy_list_until(ask->snapshot->lists, names->sets[i].id, ask->now_ms));
        }
    }
    return ask->has_ip ? num_min(until_ms, policy_network_until(ask->snapshot->lists, ask->now_ms))
                       : until_ms;
}

// When the session's id should be replaced; INT64_MAX: at no time.
static int64_t renew_at(const struct ask *ask)
{
    const struct session_record *session = &ask->session;
    int64_t since_ms = session->id_since_ms != 0 ? session->id_since_ms : session->first_seen_ms;
    return ask->limits.renew_ms != 0 ? num_add_sat(since_ms, ask->limits.renew_ms) : INT64_MAX;
}

// Until when it is as it is, by its limits, its id and its device.
static int64_t session_until(const struct ask *ask)
{
    int64_t until_ms = ask->life.next_ms, renew_ms = renew_at(ask);
    until_ms = renew_ms > ask->now_ms ? num_min(until_ms, renew_ms) : until_ms;
    return ask->held.rotated ? num_min(until_ms, ask->held.overlap_until_ms) : until_ms;
}

// Until when this allow holds if nothing happens: nothing else may be kept by a gateway.
static int64_t valid_until(struct ask *ask, const struct policy_result *result, const struct verdict *out)
{
    bool bounded = false;
    int64_t until_ms = cel_horizon(ask_frame(ask), &bounded);
    // Where risk bounds its level only, what was compared with the score itself may turn at any time.
    bool moving = ask->score_read && ask->risk.signal_count != 0;
    if (!bounded || moving || ask->counter_met || out->effect != PDP_EFFECT_ALLOW) {
        return 0;
    }
    until_ms = num_min(num_min(until_ms, result->until_ms), ask->snapshot->expires_ms);
    until_ms = num_min(until_ms, ask->has_risk ? ask->risk.until_ms : INT64_MAX);
    until_ms = num_min(until_ms, ask->has_session ? session_until(ask) : INT64_MAX);
    until_ms = num_min(until_ms, device_until(ask));
    until_ms = lists_until(ask, num_min(until_ms, num_add_sat(ask->now_ms, VALID_MOST_MS)));
    return until_ms > ask->now_ms ? until_ms : 0;
}

static void say_pardons(struct ask *ask, struct verdict *out)
{
    const struct control *pardons[RISK_SIGNALS_MAX];
    uint32_t bits[RISK_SIGNALS_MAX];
    size_t count = pardon_used(ask, pardons, bits);
    for (size_t i = 0; i < count; i++) {
        add_missing(ask, out, pardon_words(ask, pardons[i]));
    }
}

static void judge(struct ask *ask, struct verdict *out)
{
    if (!ask_weigh_counters(ask)) {
        deny(out, PDP_CODE_OVERLOADED, STR("out of memory"));
        return;
    }
    ask_score(ask, EVENT_NONE, -1, 0);
    out->has_risk = true;
    out->score = ask->risk.score;
    out->hard = ask->risk.hard;
    out->log_odds = ask->risk.log_odds;
    out->level = ask->risk.level;
    out->signals = ask->risk.signals;
    out->signal_count = ask->risk.signal_count;

    struct policy_result result = {0};
    const struct policy_host host = {.proved = ask_proved, .sticky = ask_sticky, .user = ask};
    const struct policy_question question = {
        .action = ask->request->action_name,
        .path = ask->path.len > 0 ? ask->path : ask->request->resource_id,
        .shadow = ask_in_shadow(ask),
        .muted = ask->worker->mutes != NULL ? ask->worker->mutes->rules : NULL};
    policy_decide(ask->snapshot->policies, ask->snapshot->scratch[ask->worker->index].policy, ask_frame(ask),
                  &host, &question, &ask->worker->arena, ask->now_ms, &result);
    ask_count_rule(ask, &result);
    struct ask_locks locks;
    control_join(ask, &result, &locks);
    take_result(ask, &result, out);
    ask->audit_always = result.audit_always;
    control_name(ask, &locks, out);
    if (ask->worker->mutes != NULL && ask->worker->mutes->signals != 0) {
        add_missing(ask, out, STR("a signal of risk is muted"));
    }
    say_pardons(ask, out);
    adjust(ask, out);
    if (ask_in_shadow(ask)) {
        shadow_count(ask, &result, out);
    }
    if (ask->repeat != NULL) {
        apply_repeat(ask, out);
    } else if (ask->moves && ask->has_session) {
        // A first sight that would have ended is not stored at all.
        if (!(ask->first_sight && result.effect == PDP_EFFECT_TERMINATE)) {
            move_on(ask, &result, out);
        }
    }
    ask_add_counters(ask, out->effect);
    out->valid_until_ms = valid_until(ask, &result, out);
    if (ask->worker->watch != NULL) {
        ask_show(ask, &host, &question, &result, out);
    }
}

// As it is kept, not as it would have been: a probe, a refused beginning or a full table stores nothing.
static void fill_session(const struct ask *ask, struct verdict *out)
{
    out->has_session = ask->has_session && ask->held.found != SESSION_FOREIGN;
    if (out->has_session) {
        const struct session_record *kept = ask->held.session;
        memcpy(out->session_ref, ask->ref, sizeof out->session_ref);
        out->session_epoch = kept != NULL ? kept->epoch : 0;
        bool lives = kept != NULL && (kept->state == SESSION_ACTIVE || kept->state == SESSION_CHALLENGED);
        out->session_renew = lives && !ask->held.rotated && ask->now_ms >= renew_at(ask);
        out->session_state = kept != NULL ? session_state_name((enum session_state)kept->state) : NULL;
    }
}

static void lock_beside(struct ask *ask, struct verdict *out)
{
    struct policy_result result = {.effect = PDP_EFFECT_STEP_UP, .first = UINT32_MAX};
    struct ask_locks locks;
    control_join(ask, &result, &locks);
    if (pdp_effect_rank(result.effect) > pdp_effect_rank(out->effect)) {
        take_result(ask, &result, out);
        control_name(ask, &locks, out);
        out->effect = PDP_EFFECT_DENY; // it ends with the first question that is judged
    }
}

bool decide_held(struct ask *ask, struct verdict *out)
{
    bool judges = !ask->has_session || !session_decides(ask, out);
    if (judges) {
        judge(ask, out);
    } else if (out->effect == PDP_EFFECT_STEP_UP) { // a limit asks for something that a lock may refuse
        lock_beside(ask, out);
    }
    if (!judges && ask->worker->watch != NULL) {
        ask_show_limited(ask, out);
    }
    return judges;
}

void decide(struct ask *ask, struct verdict *out)
{
    ask->moves = !ask->request->probe;
    ask_begin(ask);
    if (!ask_enrich(ask)) {
        deny(out, PDP_CODE_MALFORMED, STR("the resource cannot be told for certain"));
        return;
    }
    out->resource_path = ask->path;
    if (!ask_complete(ask, &out->missing, &out->missing_count)) {
        deny(out, PDP_CODE_MALFORMED, STR("the question lacks what the schema requires"));
        return;
    }
    ask_hold(ask);
    bool judged = decide_held(ask, out);
    feed_question(ask, out, judged);
    // Whatever tells of an end, a cut-off's deny included.
    if (out->effect == PDP_EFFECT_TERMINATE || out->code == PDP_CODE_TERMINATED) {
        worker_await_all(ask->worker);
    }
    fill_session(ask, out);
    // A session that is over here is over; what could not be stored here is not judged beside.
    bool shadows = ask->snapshot->shadow != NULL && ask->candidate == NULL;
    if (judged && shadows && out->code != PDP_CODE_OVERLOADED) {
        shadow_decide(ask, out);
    }
    ask_release(ask);
}
