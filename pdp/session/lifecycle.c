// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/lifecycle.h"

#include "base/num.h"
#include "base/time.h"

const char *life_state_name(enum life_state state)
{
    static const char *const NAMES[] = {
#define X(name, text) text,
        LIFE_LIST(X)
#undef X
    };
    return (size_t)state < COUNT_OF(NAMES) ? NAMES[state] : NAMES[LIFE_OVER];
}

// ---- limits of time ------------------------------------------------------------------------------

// When a limit strikes that runs from `start_ms`; INT64_MAX: there is none.
static int64_t strikes_at(int64_t start_ms, int64_t limit_ms)
{
    return limit_ms == INT64_MAX ? INT64_MAX : num_add_sat(start_ms, num_max(limit_ms, 0));
}

// The worst that the limits of one kind do by now, as a rank; 0: nothing yet. Lowers *next_ms to the next to
// strike.
static int judge(const struct limit_times *times, int64_t start_ms, int64_t renewed_ms, int64_t now_ms,
                 int64_t *next_ms)
{
    // By rank, the harmless first.
    const int64_t at_ms[] = {strikes_at(renewed_ms, times->step_up_ms), strikes_at(start_ms, times->deny_ms),
                             strikes_at(start_ms, times->terminate_ms)};
    int worst = 0;
    for (size_t i = 0; i < COUNT_OF(at_ms); i++) {
        if (at_ms[i] != INT64_MAX && now_ms >= at_ms[i]) {
            worst = (int)i + 1;
        } else {
            *next_ms = num_min(*next_ms, at_ms[i]);
        }
    }
    return worst;
}

static int64_t absolute_start_ms(const struct session_record *record)
{
    return record->auth_time_ms != 0 ? record->auth_time_ms : record->first_seen_ms;
}

// From when the absolute limit asks: a proof that was given since begins that time anew, but not the
// session's.
static int64_t renewed_ms(const struct session_record *record)
{
    int64_t at_ms = absolute_start_ms(record);
    for (size_t i = 0; i < SESSION_PROOFS; i++) {
        if (record->proofs[i].name == SESSION_PROOF_RENEWED) {
            at_ms = num_max(at_ms, (int64_t)record->proofs[i].at_s * TIME_MS_PER_S);
        }
    }
    return at_ms;
}

struct session_life session_life(const struct session_record *record, const struct session_limits *limits,
                                 int64_t now_ms)
{
    static const enum session_on_limit DOES[] = {ON_LIMIT_TERMINATE, ON_LIMIT_STEP_UP, ON_LIMIT_DENY,
                                                 ON_LIMIT_TERMINATE};
    struct session_life life = {LIFE_OVER, ON_LIMIT_TERMINATE, INT64_MAX};
    if (record->state != SESSION_ACTIVE && record->state != SESSION_CHALLENGED) {
        return life;
    }
    int absolute =
        judge(&limits->absolute, absolute_start_ms(record),
              limits->absolute.step_up_ms != INT64_MAX ? renewed_ms(record) : 0, now_ms, &life.next_ms);
    int idle = judge(&limits->idle, record->last_seen_ms, record->last_seen_ms, now_ms, &life.next_ms);
    int worst = absolute >= idle ? absolute : idle;
    life.state = worst == 0 ? LIFE_ALIVE : absolute >= idle ? LIFE_ABSOLUTE : LIFE_IDLE;
    life.does = DOES[worst];
    return life;
}

int64_t lifecycle_over_at(const struct session_record *record, const struct session_limits *limits)
{
    int64_t at_ms = num_min(strikes_at(absolute_start_ms(record), limits->absolute.terminate_ms),
                            strikes_at(record->last_seen_ms, limits->idle.terminate_ms));
    return at_ms != INT64_MAX ? at_ms : 0;
}

enum pdp_err lifecycle_first_sight(const struct session_limits *limits, bool has_auth_time,
                                   int64_t asserted_ms, int64_t now_ms, int64_t *auth_time_ms)
{
    *auth_time_ms = 0;
    bool ahead = has_auth_time && asserted_ms > num_add_sat(now_ms, LIFECYCLE_AHEAD_MS);
    if (!has_auth_time || ahead) {
        *auth_time_ms = limits->adopt ? now_ms : 0;
        return limits->adopt ? PDP_ERR_OK : PDP_ERR_MISSING;
    }
    // Limits that only ask a step_up do so from the first question on; one that ends, or may, lets nothing
    // begin.
    int64_t most_ms = num_min(limits->absolute.terminate_ms, limits->absolute.deny_ms);
    most_ms = most_ms != INT64_MAX ? most_ms : limits->absolute_ms;
    if (most_ms == INT64_MAX || now_ms >= strikes_at(asserted_ms, most_ms)) {
        return PDP_ERR_STALE;
    }
    *auth_time_ms = asserted_ms;
    return PDP_ERR_OK;
}

int64_t lifecycle_keep_until(const struct session_record *record, const struct session_limits *limits,
                             int64_t now_ms)
{
    // A question may assert an auth_time up to 60 s ahead, and a limit that a policy shortened may be
    // lengthened again.
    int64_t longest = num_max(num_max(limits->absolute_ms, limits->longest_ms), SESSION_ABSOLUTE_DEFAULT_MS);
    const int64_t others[] = {limits->absolute.terminate_ms, limits->absolute.deny_ms,
                              limits->absolute.step_up_ms};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        longest = others[i] != INT64_MAX ? num_max(longest, others[i]) : longest;
    }
    longest = limits->adopt ? num_max(longest, LIFECYCLE_ADOPT_KEEP_MS) : longest;
    int64_t start_ms = num_max(num_max(absolute_start_ms(record), record->last_seen_ms), now_ms);
    return num_max(
        record->keep_until_ms,
        num_add_sat(start_ms, num_add_sat(longest, LIFECYCLE_AHEAD_MS + LIFECYCLE_KEEP_MARGIN_MS)));
}

// ---- events --------------------------------------------------------------------------------------

#define BEGIN \
    (LIFECYCLE_CREATES | LIFECYCLE_ISSUES | LIFECYCLE_AUTHENTICATES | LIFECYCLE_TOUCHES | LIFECYCLE_SCORES)
#define LOGIN (LIFECYCLE_ISSUES | LIFECYCLE_AUTHENTICATES | LIFECYCLE_TOUCHES | LIFECYCLE_SCORES)
#define PASSED (LIFECYCLE_ISSUES | LIFECYCLE_RENEWS | LIFECYCLE_TOUCHES | LIFECYCLE_SCORES)
#define PROVED LIFECYCLE_IF_PROVED
#define SCORES LIFECYCLE_SCORES
#define SOURCE LIFECYCLE_SOURCE_ONLY
#define ENDS LIFECYCLE_ENDS
#define REFUSED LIFECYCLE_REFUSED
#define ROTATES LIFECYCLE_ROTATES

enum {
    STATES = SESSION_TERMINATED + 1
};

// clang-format off
static const struct lifecycle_step TABLE[STATES][EVENT_COUNT] = {
    [SESSION_NONE] = {
        [EVENT_START] = {SESSION_ACTIVE, BEGIN},
        [EVENT_LOGIN] = {SESSION_ACTIVE, BEGIN},
        [EVENT_LOGIN_FAILED] = {SESSION_NONE, SOURCE},
        [EVENT_STEP_UP_PASSED] = {SESSION_NONE, REFUSED},
        [EVENT_STEP_UP_FAILED] = {SESSION_NONE, SOURCE},
        [EVENT_LOGOUT] = {SESSION_TERMINATED, LIFECYCLE_CREATES | ENDS},
        [EVENT_SIGNAL] = {SESSION_NONE, REFUSED},
        [EVENT_ROTATE] = {SESSION_NONE, REFUSED},
    },
    [SESSION_ACTIVE] = {
        [EVENT_START] = {SESSION_ACTIVE, LOGIN},
        [EVENT_LOGIN] = {SESSION_ACTIVE, LOGIN},
        [EVENT_LOGIN_FAILED] = {SESSION_ACTIVE, SOURCE},
        [EVENT_STEP_UP_PASSED] = {SESSION_ACTIVE, PASSED},
        [EVENT_STEP_UP_FAILED] = {SESSION_ACTIVE, SCORES},
        [EVENT_LOGOUT] = {SESSION_TERMINATED, ENDS},
        [EVENT_SIGNAL] = {SESSION_ACTIVE, SCORES},
        [EVENT_ROTATE] = {SESSION_ACTIVE, ROTATES},
    },
    [SESSION_CHALLENGED] = {
        [EVENT_START] = {SESSION_ACTIVE, LOGIN | PROVED},
        [EVENT_LOGIN] = {SESSION_ACTIVE, LOGIN | PROVED},
        [EVENT_LOGIN_FAILED] = {SESSION_CHALLENGED, SOURCE},
        [EVENT_STEP_UP_PASSED] = {SESSION_ACTIVE, PASSED | PROVED},
        [EVENT_STEP_UP_FAILED] = {SESSION_CHALLENGED, SCORES},
        [EVENT_LOGOUT] = {SESSION_TERMINATED, ENDS},
        [EVENT_SIGNAL] = {SESSION_CHALLENGED, SCORES},
        [EVENT_ROTATE] = {SESSION_CHALLENGED, ROTATES},
    },
    [SESSION_TERMINATED] = {
        [EVENT_START] = {SESSION_TERMINATED, REFUSED},
        [EVENT_LOGIN] = {SESSION_TERMINATED, REFUSED},
        [EVENT_LOGIN_FAILED] = {SESSION_TERMINATED, SOURCE},
        [EVENT_STEP_UP_PASSED] = {SESSION_TERMINATED, REFUSED},
        [EVENT_STEP_UP_FAILED] = {SESSION_TERMINATED, SOURCE},
        [EVENT_LOGOUT] = {SESSION_TERMINATED, 0},
        [EVENT_SIGNAL] = {SESSION_TERMINATED, REFUSED},
        [EVENT_ROTATE] = {SESSION_TERMINATED, REFUSED},
    },
};
// clang-format on

struct lifecycle_step lifecycle_step_of(enum session_state state, enum event_type event)
{
    bool known = (size_t)state < STATES && event != EVENT_NONE && (size_t)event < EVENT_COUNT;
    return known ? TABLE[state][event] : (struct lifecycle_step){state, REFUSED};
}

static void set_state(struct session_record *record, enum session_state next)
{
    if (record->state != next) {
        record->state = (uint8_t)next;
        record->epoch++;
    }
    if (next != SESSION_CHALLENGED) {
        record->asked_strength = 0;
        record->asked_max_age_s = 0;
    }
}

enum pdp_err lifecycle_event(struct session_record *record, enum event_type event, bool proved,
                             const struct session_limits *limits, int64_t now_ms)
{
    const struct lifecycle_step step = lifecycle_step_of(record->state, event);
    if ((step.does & LIFECYCLE_REFUSED) != 0) {
        return PDP_ERR_STATE;
    }
    if ((step.does & LIFECYCLE_CREATES) != 0) {
        record->first_seen_ms = record->last_seen_ms = now_ms;
    }
    if ((step.does & LIFECYCLE_ENDS) != 0) {
        lifecycle_end(record, PDP_CODE_TERMINATED, limits, now_ms);
        return PDP_ERR_OK;
    }
    if ((step.does & LIFECYCLE_AUTHENTICATES) != 0) {
        record->auth_time_ms = num_max(record->auth_time_ms, now_ms);
    }
    if ((step.does & LIFECYCLE_RENEWS) != 0 && limits->absolute.step_up_ms != INT64_MAX) {
        lifecycle_prove(record, SESSION_PROOF_RENEWED, now_ms);
    }
    if ((step.does & LIFECYCLE_TOUCHES) != 0) {
        record->last_seen_ms = num_max(record->last_seen_ms, now_ms);
    }
    record->issued |= (step.does & LIFECYCLE_ISSUES) != 0;
    if ((step.does & LIFECYCLE_IF_PROVED) == 0 || proved) {
        set_state(record, step.next);
    }
    return PDP_ERR_OK;
}

void lifecycle_touch(struct session_record *record, const struct session_life *life, int64_t now_ms)
{
    if (life->state != LIFE_ALIVE) {
        return;
    }
    record->last_seen_ms = num_max(record->last_seen_ms, now_ms);
    record->requests += record->requests != UINT32_MAX;
}

void lifecycle_end(struct session_record *record, enum pdp_code why, const struct session_limits *limits,
                   int64_t now_ms)
{
    if (record->state == SESSION_TERMINATED) {
        return;
    }
    set_state(record, SESSION_TERMINATED);
    record->end_code = (uint8_t)why;
    record->ended_ms = now_ms;
    record->keep_until_ms = lifecycle_keep_until(record, limits, now_ms);
}

void lifecycle_prove(struct session_record *record, uint32_t name, int64_t at_ms)
{
    struct session_proof *place = &record->proofs[0];
    for (size_t i = 0; i < SESSION_PROOFS; i++) {
        struct session_proof *proof = &record->proofs[i];
        if (proof->name == name) {
            place = proof;
            break;
        }
        place = proof->at_s < place->at_s ? proof : place; // the oldest gives way
    }
    *place = (struct session_proof){name, (uint32_t)num_max(0, num_min(at_ms / TIME_MS_PER_S, UINT32_MAX))};
}

void lifecycle_challenge(struct session_record *record, uint8_t strength, uint32_t max_age_s)
{
    if (record->state == SESSION_TERMINATED || record->state == SESSION_NONE) {
        return;
    }
    uint32_t was_s = record->asked_max_age_s; // 0, as where nothing was asked: of any age
    bool shorter = was_s != 0 && (max_age_s == 0 || was_s < max_age_s);
    set_state(record, strength != 0 ? SESSION_CHALLENGED : SESSION_ACTIVE);
    record->asked_strength =
        strength > record->asked_strength || strength == 0 ? strength : record->asked_strength;
    record->asked_max_age_s = strength == 0 ? 0 : shorter ? was_s : max_age_s;
}
