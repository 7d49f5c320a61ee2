// SPDX-License-Identifier: Apache-2.0
// What a gateway keeps and what makes it void, without sockets or a clock. A plain program: it links libpdp's
// inside.
#include "client/watch.h"
#include "wire/answer.h"

#include <stdio.h>
#include <stdlib.h>

#define T0 INT64_C(1795370400000)
#define BOOT 1000000
#define REF "s_0123456789abcdef01234567"
#define OTHER "s_ffffffffffffffffffffffff"

static int checks, failures;

#define CHECK(cond)                                                          \
    do {                                                                     \
        checks++;                                                            \
        if (!(cond)) {                                                       \
            failures++;                                                      \
            (void)fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #cond); \
        }                                                                    \
    } while (0)

static uint64_t seq;

static struct guard_now at(int64_t ms)
{
    return (struct guard_now){BOOT + ms, T0 + ms};
}

static void hear(struct guard *guard, enum notice_kind kind, const char *ref, int64_t ms)
{
    seq += kind != NOTICE_HEARTBEAT;
    struct bulletin told = {.notice = {.kind = kind, .seq = seq, .at_ms = T0 + ms, .policy_epoch = 1},
                            .boot = 7,
                            .interval_ms = 1000};
    (void)snprintf(told.notice.ref, sizeof told.notice.ref, "%s", ref);
    guard_hear(guard, &told, at(ms));
}

static struct guard *make(uint32_t entries)
{
    struct guard *guard = NULL;
    struct guard_config config = {.entries = entries, .key = {1, 2}};
    if (guard_new(&config, &guard) != PDP_ERR_OK) {
        exit(2);
    }
    seq = 10;
    hear(guard, NOTICE_HEARTBEAT, "", 0);
    return guard;
}

static void keep(struct guard *guard, uint64_t begun, const char *question, const char *ref, int64_t until_ms)
{
    const struct guard_answer answer = {.question = str_of(question),
                                        .bytes = STR("answer"),
                                        .ref = str_of(ref),
                                        .until_ms = T0 + until_ms,
                                        .policy_epoch = 1,
                                        .asked_ms = BOOT};
    guard_keep(guard, begun, &answer, at(30));
}

static bool finds(struct guard *guard, const char *question, int64_t ms)
{
    struct buf out = {0};
    bool found = guard_find(guard, str_of(question), at(ms), &out);
    found = found && str_eq(buf_view(&out), STR("answer"));
    buf_fini(&out);
    return found;
}

static void test_kept_as_long_as_it_says(void)
{
    struct guard *guard = make(10);
    keep(guard, guard_begin(guard), "q", REF, 2000);
    CHECK(finds(guard, "q", 100) && !finds(guard, "p", 100));
    hear(guard, NOTICE_HEARTBEAT, "", 1900);
    CHECK(finds(guard, "q", 1960) && !finds(guard, "q", 2000)); // less what the answer took to come
    guard_free(&guard);
    guard = make(10); // the daemon's clock is later than ours
    keep(guard, guard_begin(guard), "q", REF, 2000);
    struct bulletin ahead = {
        .notice = {.kind = NOTICE_HEARTBEAT, .seq = seq, .at_ms = T0 + 9000, .policy_epoch = 1},
        .boot = 7,
        .interval_ms = 1000};
    guard_hear(guard, &ahead, at(100));
    CHECK(!finds(guard, "q", 101));
    guard_free(&guard);
}

static void test_heartbeats(void)
{
    struct guard *guard = make(10);
    keep(guard, guard_begin(guard), "q", REF, 60000);
    CHECK(finds(guard, "q", 2999) && !finds(guard, "q", 3000));
    hear(guard, NOTICE_HEARTBEAT, "", 3100); // nothing was missed
    CHECK(finds(guard, "q", 3200));
    guard_lost(guard);
    CHECK(!finds(guard, "q", 3300) && !guard_live(guard, at(3300)));
    hear(guard, NOTICE_HEARTBEAT, "", 3400);
    CHECK(guard_live(guard, at(3400)) && !finds(guard, "q", 3400));
    guard_free(&guard);
}

// What each notice leaves of an answer of the session, one of another, and one under way.
static const struct {
    enum notice_kind kind;
    const char *ref;
    bool own, other, under_way;
    enum guard_word allow; // of the session, under way
} NOTICES[] = {
    {NOTICE_HEARTBEAT, "", true, true, true, GUARD_HOLDS},
    {NOTICE_ENDED, REF, false, true, false, GUARD_ENDED},
    {NOTICE_ENDED, OTHER, true, false, true, GUARD_HOLDS},
    {NOTICE_STEP_UP, REF, false, true, false, GUARD_HOLDS},
    {NOTICE_CUTOFF, "", false, false, false, GUARD_HOLDS},
    {NOTICE_LOCK, "", false, false, false, GUARD_HOLDS},
    {NOTICE_RESYNC, "", false, false, false, GUARD_STALE},
};

static void test_each_notice(void)
{
    for (size_t i = 0; i < COUNT_OF(NOTICES); i++) {
        struct guard *guard = make(10);
        uint64_t begun = guard_begin(guard);
        keep(guard, begun, "own", REF, 60000);
        keep(guard, begun, "other", OTHER, 60000);
        hear(guard, NOTICES[i].kind, NOTICES[i].ref, 10);
        CHECK(finds(guard, "own", 20) == NOTICES[i].own);
        CHECK(finds(guard, "other", 20) == NOTICES[i].other);
        keep(guard, begun, "late", REF, 60000);
        CHECK(finds(guard, "late", 20) == NOTICES[i].under_way);
        CHECK(guard_judge(guard, begun, STR(REF)) == NOTICES[i].allow);
        guard_free(&guard);
    }
}

static void test_what_was_missed(void)
{
    struct guard *guard = make(10);
    uint64_t begun = guard_begin(guard);
    keep(guard, begun, "q", REF, 60000);
    seq++; // a notice that never came
    hear(guard, NOTICE_HEARTBEAT, "", 10);
    CHECK(!finds(guard, "q", 20) && guard_judge(guard, begun, STR(REF)) == GUARD_STALE);
    CHECK(guard_judge(guard, guard_begin(guard), STR(REF)) == GUARD_HOLDS);
    keep(guard, guard_begin(guard), "q", REF, 60000);
    CHECK(finds(guard, "q", 20));
    struct bulletin other = {.notice = {.kind = NOTICE_HEARTBEAT, .seq = seq, .at_ms = T0, .policy_epoch = 1},
                             .boot = 8,
                             .interval_ms = 1000};
    guard_hear(guard, &other, at(30)); // another daemon
    CHECK(!finds(guard, "q", 30));
    guard_free(&guard);
}

static void test_orders(void)
{
    struct guard *guard = make(10);
    uint64_t begun = guard_begin(guard);
    struct str refs[] = {STR(REF)};
    keep(guard, begun, "own", REF, 60000);
    keep(guard, begun, "other", OTHER, 60000);
    guard_obey(guard, &(struct order){.number = 1, .refs = refs, .ref_count = 1}, at(10));
    CHECK(!finds(guard, "own", 20) && finds(guard, "other", 20));
    CHECK(guard_judge(guard, begun, STR(REF)) == GUARD_ENDED);
    guard_obey(guard, &(struct order){.number = 2, .everything = true}, at(10));
    CHECK(!finds(guard, "other", 20) && guard_judge(guard, begun, STR(OTHER)) == GUARD_STALE);
    guard_free(&guard);
}

// More ends than are remembered: nothing is kept, and nothing under way believed, until other policies serve.
static void test_too_many_ends(void)
{
    struct guard *guard = make(10);
    uint64_t begun = guard_begin(guard);
    for (int i = 0; i <= GUARD_REVOKED_MAX; i++) {
        char ref[NOTICE_REF_BYTES];
        (void)snprintf(ref, sizeof ref, "s_%08x0000000000000001", (unsigned)i * 2654435761U);
        guard_revoke(guard, str_of(ref), at(10));
    }
    CHECK(guard_judge(guard, begun, STR(REF)) == GUARD_STALE);
    keep(guard, guard_begin(guard), "q", REF, 60000);
    CHECK(!finds(guard, "q", 20));
    struct bulletin policies = {
        .notice = {.kind = NOTICE_POLICY_EPOCH, .seq = ++seq, .at_ms = T0, .policy_epoch = 1},
        .boot = 7,
        .interval_ms = 1000};
    policies.notice.policy_epoch = 2;
    guard_hear(guard, &policies, at(20));
    keep(guard, guard_begin(guard), "q", REF, 60000); // of the policies before
    CHECK(!finds(guard, "q", 30));
    guard_free(&guard);
}

static void test_room(void)
{
    struct guard *guard = make(3);
    static const char *const QUESTIONS[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 3; i++) {
        keep(guard, guard_begin(guard), QUESTIONS[i], REF, 60000);
    }
    CHECK(finds(guard, "a", 10));
    keep(guard, guard_begin(guard), "d", REF, 60000); // in place of the one that was used longest ago
    CHECK(finds(guard, "a", 10) && !finds(guard, "b", 10) && finds(guard, "c", 10) && finds(guard, "d", 10));
    struct guard_hit hits[NOTICE_HITS_MAX];
    CHECK(guard_take_hits(guard, hits) == 1 && hits[0].count == 4 && strcmp(hits[0].ref, REF) == 0);
    CHECK(guard_take_hits(guard, hits) == 0);
    for (int i = 0; i < 1000; i++) { // chains stay whole
        char question[16];
        (void)snprintf(question, sizeof question, "%d", i);
        keep(guard, guard_begin(guard), question, i % 2 == 0 ? REF : OTHER, 60000);
        CHECK(finds(guard, question, 10));
    }
    hear(guard, NOTICE_ENDED, REF, 20);
    CHECK(!finds(guard, "998", 30) && finds(guard, "999", 30));
    guard_free(&guard);
}

// Heartbeats that come regularly, each later than the one before, say nothing about now.
static void test_late_heartbeats(void)
{
    struct guard *guard = make(10);
    keep(guard, guard_begin(guard), "q", REF, 200000);
    for (int64_t ms = 1000; ms <= 12000; ms += 2000) { // they tell of half of the time
        struct bulletin late = {
            .notice = {.kind = NOTICE_HEARTBEAT, .seq = seq, .at_ms = T0 + ms / 2, .policy_epoch = 1},
            .boot = 7,
            .interval_ms = 1000};
        guard_hear(guard, &late, at(ms));
        CHECK(finds(guard, "q", ms + 10) == (ms - ms / 2 < 2900));
    }
    hear(guard, NOTICE_STEP_UP, OTHER, 12100); // no heartbeat: it tells no time
    CHECK(!finds(guard, "q", 12110));
    hear(guard, NOTICE_HEARTBEAT, "", 13000);
    CHECK(finds(guard, "q", 13010)); // it has caught up
    guard_free(&guard);
}

// Two clocks that run apart a little are no slow line, however long that goes on.
static void test_clocks_that_run_apart(void)
{
    struct guard *guard = make(10);
    bool live = true;
    for (int64_t ms = 1000; ms <= INT64_C(100) * 3600 * 1000; ms += 1000) {
        struct bulletin beat = {
            .notice = {.kind = NOTICE_HEARTBEAT, .seq = seq, .at_ms = T0 + ms - ms / 5000, .policy_epoch = 1},
            .boot = 7,
            .interval_ms = 1000};
        guard_hear(guard, &beat, at(ms));
        live = live && guard_live(guard, at(ms + 10));
    }
    CHECK(live);
    guard_free(&guard);
}

#define ITEM(decision, effect, ref)                                    \
    "{\"decision\": " decision ", \"context\": {\"effect\": \"" effect \
    "\", \"code\": \"policy\", \"session\": "                          \
    "{\"ref\": \"" ref "\"}}}"

// What a message under way was answered, and what is told of it once the session REF has ended.
static const struct {
    const char *answer;
    bool whole; // it stands as it came
} UNDER_WAY[] = {
    {ITEM("true", "allow", REF), false},
    {ITEM("true", "allow", OTHER), true},
    {"{\"evaluations\": [" ITEM("true", "allow", REF) "]}", false},
    {"{\"evaluations\": [" ITEM("true", "allow", OTHER) ", " ITEM("true", "allow", REF) "]}", false},
    {"{\"evaluations\": [" ITEM("true", "allow", OTHER) ", " ITEM("false", "deny", REF) "]}", true},
    {"{\"results\": [{\"id\": \"a\"}]}", true},
};

static void test_what_was_under_way(void)
{
    struct guard *guard = make(10);
    struct asked asked = {.guard = guard, .begun = guard_begin(guard)};
    hear(guard, NOTICE_ENDED, REF, 10);
    for (size_t i = 0; i < COUNT_OF(UNDER_WAY); i++) {
        struct pdp_answer *answer = NULL;
        size_t len = 0;
        CHECK(answer_read_any(str_of(UNDER_WAY[i].answer), &answer) == PDP_ERR_OK);
        asked_end(&asked, &answer);
        CHECK((pdp_answer_bytes(answer, &len) != NULL) == UNDER_WAY[i].whole);
        CHECK(UNDER_WAY[i].whole || pdp_answer_code(answer) == PDP_CODE_TERMINATED);
        pdp_answer_free(&answer);
    }
    guard_free(&guard);
}

int main(void)
{
    test_kept_as_long_as_it_says();
    test_late_heartbeats();
    test_clocks_that_run_apart();
    test_heartbeats();
    test_each_notice();
    test_what_was_missed();
    test_orders();
    test_too_many_ends();
    test_room();
    test_what_was_under_way();
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
