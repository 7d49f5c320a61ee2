// SPDX-License-Identifier: Apache-2.0
#include "session/lifecycle.h"

#include "unit/session/help.h"

#define NONE INT64_MAX
#define MINUTE INT64_C(60000)

static struct session_limits limits_of(struct limit_times idle, struct limit_times absolute)
{
    struct session_limits limits;
    session_limits_default(&limits);
    limits.idle = idle;
    limits.absolute = absolute;
    limits.absolute_ms = absolute.terminate_ms;
    return limits;
}

// ---- limits of time ----------------------------------------------------------------------------

static const struct {
    const char *name;
    struct limit_times idle, absolute; // terminate, deny, step_up
    int64_t last_seen_ms, now_ms;      // from T0, when the session was authenticated
    enum life_state state;
    enum session_on_limit does;
    int64_t next_ms; // from T0; NONE: never
} LIVES[] = {
    {"at once", {HOUR, NONE, NONE}, {DAY, NONE, NONE}, 0, 0, LIFE_ALIVE, ON_LIMIT_TERMINATE, HOUR},
    {"a millisecond before", {HOUR, NONE, NONE}, {DAY, NONE, NONE}, 0, HOUR - 1, LIFE_ALIVE, 0, HOUR},
    {"on the millisecond", {HOUR, NONE, NONE}, {DAY, NONE, NONE}, 0, HOUR, LIFE_IDLE, ON_LIMIT_TERMINATE, DAY},
    {"absolute comes first", {2 * DAY, NONE, NONE}, {DAY, NONE, NONE}, HOUR, HOUR, LIFE_ALIVE, 0, DAY},
    {"absolute", {HOUR, NONE, NONE}, {DAY, NONE, NONE}, DAY - 1, DAY, LIFE_ABSOLUTE, ON_LIMIT_TERMINATE,
     DAY + HOUR - 1},
    {"both over", {HOUR, NONE, NONE}, {DAY, NONE, NONE}, 0, 3 * DAY, LIFE_ABSOLUTE, ON_LIMIT_TERMINATE, NONE},
    {"idle asks", {NONE, NONE, HOUR}, {DAY, NONE, NONE}, 0, HOUR, LIFE_IDLE, ON_LIMIT_STEP_UP, DAY},
    {"idle asks, then ends", {2 * HOUR, NONE, HOUR}, {DAY, NONE, NONE}, 0, HOUR, LIFE_IDLE, ON_LIMIT_STEP_UP,
     2 * HOUR},
    {"idle has ended", {2 * HOUR, NONE, HOUR}, {DAY, NONE, NONE}, 0, 2 * HOUR, LIFE_IDLE, ON_LIMIT_TERMINATE, DAY},
    {"an end outweighs a question", {HOUR, NONE, NONE}, {NONE, NONE, HOUR}, 0, HOUR, LIFE_IDLE, ON_LIMIT_TERMINATE,
     NONE},
    {"perhaps over is denied, not ended", {NONE, HOUR, NONE}, {DAY, NONE, NONE}, 0, HOUR, LIFE_IDLE, ON_LIMIT_DENY,
     DAY},
    {"perhaps over outweighs a question", {NONE, HOUR, MINUTE}, {DAY, NONE, NONE}, 0, HOUR, LIFE_IDLE, ON_LIMIT_DENY,
     DAY},
    {"the clock stepped back", {HOUR, NONE, NONE}, {DAY, NONE, NONE}, 5 * HOUR, -DAY, LIFE_ALIVE, 0, 6 * HOUR},
    {"no limit at all", {NONE, NONE, NONE}, {NONE, NONE, NONE}, 0, 9999 * DAY, LIFE_ALIVE, 0, NONE},
    {"a limit of nothing", {0, NONE, NONE}, {DAY, NONE, NONE}, 0, 0, LIFE_IDLE, ON_LIMIT_TERMINATE, DAY},
    {"a limit below nothing", {INT64_MIN, NONE, NONE}, {DAY, NONE, NONE}, 0, 0, LIFE_IDLE, ON_LIMIT_TERMINATE, DAY},
};

Test(session_lifecycle, strikes_on_time)
{
    for (size_t i = 0; i < COUNT_OF(LIVES); i++) {
        struct session_limits limits = limits_of(LIVES[i].idle, LIVES[i].absolute);
        struct session_record record = help_record(SESSION_ACTIVE, T0);
        record.last_seen_ms = T0 + LIVES[i].last_seen_ms;
        struct session_life life = session_life(&record, &limits, T0 + LIVES[i].now_ms);
        cr_expect_eq(life.state, LIVES[i].state, "%s: %s", LIVES[i].name, life_state_name(life.state));
        if (life.state != LIFE_ALIVE) {
            cr_expect_eq(life.does, LIVES[i].does, "%s: %d", LIVES[i].name, life.does);
        }
        int64_t next_ms = LIVES[i].next_ms == NONE ? NONE : T0 + LIVES[i].next_ms;
        cr_expect_eq(life.next_ms, next_ms, "%s: %lld", LIVES[i].name, (long long)(life.next_ms - T0));
    }
}

Test(session_lifecycle, saturates_at_the_ends_of_time)
{
    struct session_limits limits = limits_of((struct limit_times){INT64_MAX - 1, NONE, NONE},
                                             (struct limit_times){INT64_MAX - 1, NONE, NONE});
    static const int64_t TIMES[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < COUNT_OF(TIMES); i++) {
        for (size_t j = 0; j < COUNT_OF(TIMES); j++) {
            struct session_record record = {.state = SESSION_ACTIVE, .auth_time_ms = TIMES[i], .last_seen_ms = TIMES[i]};
            struct session_life life = session_life(&record, &limits, TIMES[j]);
            cr_expect(life.state == LIFE_ALIVE || TIMES[j] > TIMES[i], "%zu %zu", i, j);
        }
    }
    session_limits_default(&limits);
    struct session_record record = help_record(SESSION_ACTIVE, INT64_MAX);
    record.keep_until_ms = 0;
    cr_expect_eq(lifecycle_keep_until(&record, &limits, INT64_MAX), INT64_MAX);
}

Test(session_lifecycle, finds_no_life_in_what_is_over)
{
    struct session_limits limits;
    session_limits_default(&limits);
    static const uint8_t STATES[] = {SESSION_NONE, SESSION_TERMINATED, SESSION_ROTATED, 77};
    for (size_t i = 0; i < COUNT_OF(STATES); i++) {
        struct session_record record = help_record(SESSION_ACTIVE, T0);
        record.state = STATES[i];
        struct session_life life = session_life(&record, &limits, T0);
        cr_expect_eq(life.state, LIFE_OVER);
        cr_expect_eq(life.does, ON_LIMIT_TERMINATE);
    }
}

static const struct {
    const char *name;
    bool has, adopt;
    int64_t asserted_ms; // from T0, which is now
    enum pdp_err err;
    int64_t auth_ms; // from T0
} SIGHTS[] = {
    {"fresh", true, false, -MINUTE, PDP_ERR_OK, -MINUTE},
    {"the last millisecond", true, false, -DAY + 1, PDP_ERR_OK, -DAY + 1},
    {"as old as the limit", true, false, -DAY, PDP_ERR_STALE, 0},
    {"ancient", true, false, INT64_MIN / 2, PDP_ERR_STALE, 0},
    {"missing", false, false, 0, PDP_ERR_MISSING, 0},
    {"a little ahead", true, false, MINUTE, PDP_ERR_OK, MINUTE},
    {"too far ahead is missing", true, false, MINUTE + 1, PDP_ERR_MISSING, 0},
    {"adopted without", false, true, 0, PDP_ERR_OK, 0},
    {"adopted though ahead", true, true, HOUR, PDP_ERR_OK, 0},
    {"adopt does not excuse age", true, true, -DAY, PDP_ERR_STALE, 0},
    {"adopt believes what is said", true, true, -HOUR, PDP_ERR_OK, -HOUR},
};

Test(session_lifecycle, lets_begin_only_what_is_within_the_limit)
{
    for (size_t i = 0; i < COUNT_OF(SIGHTS); i++) {
        struct session_limits limits;
        session_limits_default(&limits);
        limits.adopt = SIGHTS[i].adopt;
        int64_t auth_ms = -1;
        int64_t asserted_ms = SIGHTS[i].asserted_ms + T0;
        cr_expect_eq(lifecycle_first_sight(&limits, SIGHTS[i].has, asserted_ms, T0, &auth_ms), SIGHTS[i].err, "%s",
                     SIGHTS[i].name);
        cr_expect_eq(auth_ms, SIGHTS[i].err == PDP_ERR_OK ? T0 + SIGHTS[i].auth_ms : 0, "%s", SIGHTS[i].name);
    }
}

// The promise behind tombstones: by the time that one may be forgotten, no auth_time that was true of the session
// lets its id begin again.
Test(session_lifecycle, remembers_longer_than_an_id_could_begin)
{
    static const int64_t LIMITS[] = {1000, HOUR, DAY, 30 * DAY};
    for (size_t i = 0; i < COUNT_OF(LIMITS); i++) {
        struct session_limits limits = limits_of((struct limit_times){HOUR, NONE, NONE},
                                                 (struct limit_times){LIMITS[i], NONE, NONE});
        struct session_record record = help_record(SESSION_ACTIVE, T0);
        record.keep_until_ms = 0;
        record.auth_time_ms = T0 + LIFECYCLE_AHEAD_MS;
        int64_t keep_ms = lifecycle_keep_until(&record, &limits, T0);
        int64_t auth_ms = 0;
        cr_expect_eq(lifecycle_first_sight(&limits, true, record.auth_time_ms, keep_ms, &auth_ms), PDP_ERR_STALE);
        limits.adopt = true;
        cr_expect_geq(lifecycle_keep_until(&record, &limits, T0), T0 + 400 * DAY);
        record.keep_until_ms = T0 + 9999 * DAY;
        cr_expect_eq(lifecycle_keep_until(&record, &limits, T0), T0 + 9999 * DAY, "never shorter than it was");
    }
}

// ---- events ------------------------------------------------------------------------------------

// docs/SESSIONS.md, row by row: what each event makes of each state.
#define N SESSION_NONE
#define A SESSION_ACTIVE
#define C SESSION_CHALLENGED
#define T SESSION_TERMINATED
#define REFUSED 99

static const struct {
    enum event_type event;
    int next[4];        // from none, active, challenged, terminated
    int proved_next[4]; // the same where what was asked is proved
} EVENTS[] = {
    {EVENT_NONE, {REFUSED, REFUSED, REFUSED, REFUSED}, {REFUSED, REFUSED, REFUSED, REFUSED}},
    {EVENT_START, {A, A, C, REFUSED}, {A, A, A, REFUSED}},
    {EVENT_LOGIN, {A, A, C, REFUSED}, {A, A, A, REFUSED}},
    {EVENT_LOGIN_FAILED, {N, A, C, T}, {N, A, C, T}},
    {EVENT_STEP_UP_PASSED, {REFUSED, A, C, REFUSED}, {REFUSED, A, A, REFUSED}},
    {EVENT_STEP_UP_FAILED, {N, A, C, T}, {N, A, C, T}},
    {EVENT_LOGOUT, {T, T, T, T}, {T, T, T, T}},
    {EVENT_SIGNAL, {REFUSED, A, C, REFUSED}, {REFUSED, A, C, REFUSED}},
    {EVENT_ROTATE, {REFUSED, A, C, REFUSED}, {REFUSED, A, C, REFUSED}},
};

static struct session_record before(enum session_state state)
{
    struct session_record record = help_record(state, T0);
    if (state == SESSION_NONE) {
        return (struct session_record){0};
    }
    record.asked_strength = state == SESSION_CHALLENGED ? 2 : 0;
    record.ended_ms = state == SESSION_TERMINATED ? T0 : 0;
    record.end_code = state == SESSION_TERMINATED ? PDP_CODE_POLICY : 0;
    return record;
}

static void expect_step(enum session_state state, enum event_type event, bool proved, int want)
{
    struct session_limits limits;
    session_limits_default(&limits);
    struct session_record was = before(state), is = was;
    const char *name = event_name(event), *from = session_state_name(state);
    enum pdp_err err = lifecycle_event(&is, event, proved, &limits, T0 + HOUR);
    uint32_t does = lifecycle_step_of(state, event).does;
    cr_expect_eq(err, want == REFUSED ? PDP_ERR_STATE : PDP_ERR_OK, "%s in %s", name, from);
    cr_expect_eq((does & LIFECYCLE_REFUSED) != 0, want == REFUSED, "%s in %s", name, from);
    if (want == REFUSED || (does & LIFECYCLE_SOURCE_ONLY) != 0 || state == SESSION_TERMINATED) {
        cr_expect_eq(memcmp(&was, &is, sizeof was), 0, "%s in %s moves nothing", name, from);
        return;
    }
    cr_expect_eq(is.state, want, "%s in %s gives %s", name, from, session_state_name(is.state));
    cr_expect_eq(is.epoch, was.epoch + (is.state != was.state), "%s in %s: epoch", name, from);
    cr_expect_eq(is.asked_strength, is.state == SESSION_CHALLENGED ? 2 : 0, "%s in %s: challenge", name, from);
    cr_expect_eq((does & LIFECYCLE_CREATES) != 0, state == SESSION_NONE, "%s in %s", name, from);
    cr_expect_eq((does & LIFECYCLE_ENDS) != 0, want == SESSION_TERMINATED, "%s in %s", name, from);
    bool touches = event == EVENT_START || event == EVENT_LOGIN || event == EVENT_STEP_UP_PASSED;
    if (state != SESSION_NONE) {
        cr_expect_eq(is.last_seen_ms, touches ? T0 + HOUR : T0, "%s in %s: idle", name, from);
    }
    bool authenticates = event == EVENT_START || event == EVENT_LOGIN;
    cr_expect_eq(is.auth_time_ms, authenticates ? T0 + HOUR : was.auth_time_ms, "%s in %s: auth_time", name, from);
    cr_expect_eq(is.issued, touches, "%s in %s: issued", name, from);
    if (is.state == SESSION_TERMINATED) {
        cr_expect_eq(is.ended_ms, T0 + HOUR);
        cr_expect_eq(is.end_code, PDP_CODE_TERMINATED);
        cr_expect_gt(is.keep_until_ms, T0 + DAY);
    }
}

Test(session_lifecycle, walks_every_state_and_event)
{
    cr_assert_eq(COUNT_OF(EVENTS), EVENT_COUNT, "a new event needs its row here and in docs/SESSIONS.md");
    for (size_t e = 0; e < COUNT_OF(EVENTS); e++) {
        for (int state = SESSION_NONE; state <= SESSION_TERMINATED; state++) {
            expect_step((enum session_state)state, EVENTS[e].event, false, EVENTS[e].next[state]);
            expect_step((enum session_state)state, EVENTS[e].event, true, EVENTS[e].proved_next[state]);
        }
    }
    cr_expect_eq(lifecycle_step_of(SESSION_ROTATED, EVENT_LOGIN).does, LIFECYCLE_REFUSED);
    cr_expect_eq(lifecycle_step_of((enum session_state)77, EVENT_LOGIN).does, LIFECYCLE_REFUSED);
    cr_expect_eq(lifecycle_step_of(SESSION_ACTIVE, (enum event_type)77).does, LIFECYCLE_REFUSED);
}

Test(session_lifecycle, renews_the_absolute_limit_by_step_up_only_where_it_asks_one)
{
    struct session_limits ends = limits_of((struct limit_times){HOUR, NONE, NONE}, (struct limit_times){DAY, NONE, NONE});
    struct session_limits asks = limits_of((struct limit_times){NONE, NONE, NONE}, (struct limit_times){NONE, NONE, DAY});
    struct session_record record = help_record(SESSION_ACTIVE, T0);
    cr_expect_eq(lifecycle_event(&record, EVENT_STEP_UP_PASSED, true, &ends, T0 + HOUR), PDP_ERR_OK);
    cr_expect_eq(record.auth_time_ms, T0);
    cr_expect_eq(session_life(&record, &asks, T0 + DAY - 1).state, LIFE_ALIVE);
    cr_expect_eq(session_life(&record, &asks, T0 + DAY).does, ON_LIMIT_STEP_UP, "nothing was asked, nothing is renewed");
    cr_expect_eq(lifecycle_event(&record, EVENT_STEP_UP_PASSED, true, &asks, T0 + HOUR), PDP_ERR_OK);
    cr_expect_eq(session_life(&record, &asks, T0 + DAY + HOUR - 1).state, LIFE_ALIVE);
    cr_expect_eq(session_life(&record, &asks, T0 + DAY + HOUR).state, LIFE_ABSOLUTE);
    cr_expect_eq(record.auth_time_ms, T0, "an end that another limit has set stands");
    asks.absolute.terminate_ms = DAY;
    cr_expect_eq(session_life(&record, &asks, T0 + DAY).does, ON_LIMIT_TERMINATE);
    cr_expect_eq(lifecycle_event(&record, EVENT_LOGIN, true, &asks, T0 - HOUR), PDP_ERR_OK);
    cr_expect_eq(record.auth_time_ms, T0, "a clock that stepped back renews nothing");
}

Test(session_lifecycle, keeps_a_due_step_up_due)
{
    struct session_limits limits = limits_of((struct limit_times){NONE, NONE, HOUR}, (struct limit_times){DAY, NONE, NONE});
    struct session_record record = help_record(SESSION_ACTIVE, T0);
    struct session_life life = session_life(&record, &limits, T0 + 30 * MINUTE);
    lifecycle_touch(&record, &life, T0 + 30 * MINUTE);
    cr_expect_eq(record.last_seen_ms, T0 + 30 * MINUTE);
    cr_expect_eq(record.requests, 1);
    for (int i = 0; i < 3; i++) {
        life = session_life(&record, &limits, T0 + 90 * MINUTE + i);
        cr_expect_eq(life.state, LIFE_IDLE);
        lifecycle_touch(&record, &life, T0 + 90 * MINUTE + i);
    }
    cr_expect_eq(record.requests, 1, "asking again is not activity");
    cr_expect_eq(lifecycle_event(&record, EVENT_STEP_UP_PASSED, true, &limits, T0 + 91 * MINUTE), PDP_ERR_OK);
    cr_expect_eq(session_life(&record, &limits, T0 + 92 * MINUTE).state, LIFE_ALIVE);
    record.requests = UINT32_MAX;
    life.state = LIFE_ALIVE;
    lifecycle_touch(&record, &life, T0);
    cr_expect_eq(record.requests, UINT32_MAX);
    cr_expect_eq(record.last_seen_ms, T0 + 91 * MINUTE, "never back");
}

Test(session_lifecycle, records_what_is_asked)
{
    struct session_record record = help_record(SESSION_ACTIVE, T0);
    lifecycle_challenge(&record, 2, 900);
    cr_expect_eq(record.state, SESSION_CHALLENGED);
    cr_expect_eq(record.asked_strength, 2);
    cr_expect_eq(record.asked_max_age_s, 900);
    cr_expect_eq(record.epoch, 2);
    lifecycle_challenge(&record, 3, 60);
    cr_expect_eq(record.epoch, 2);
    cr_expect_eq(record.asked_strength, 3);
    lifecycle_challenge(&record, 2, 30);
    cr_expect_eq(record.asked_strength, 3, "asking for less takes nothing back");
    cr_expect_eq(record.asked_max_age_s, 30);
    lifecycle_challenge(&record, 3, 0);
    cr_expect_eq(record.asked_max_age_s, 30, "0 is any age");
    lifecycle_challenge(&record, 0, 60);
    cr_expect_eq(record.state, SESSION_ACTIVE);
    cr_expect_eq(record.asked_max_age_s, 0);
    struct session_limits limits;
    session_limits_default(&limits);
    lifecycle_end(&record, PDP_CODE_EXPIRED, &limits, T0);
    lifecycle_challenge(&record, 2, 900);
    cr_expect_eq(record.state, SESSION_TERMINATED);
    lifecycle_end(&record, PDP_CODE_POLICY, &limits, T0 + 1);
    cr_expect_eq(record.end_code, PDP_CODE_EXPIRED, "the first end stays");
}
