// SPDX-License-Identifier: Apache-2.0
#include "session/limits.h"

#include <criterion/criterion.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define NONE INT64_MAX

// Conditions stand for their own answer here (`yes`, `no`, anything else is unsure), so that every mixture of sure
// and unsure can be told; what CEL makes of real ones is its own folder's business.
enum { ANSWERS = 16 };
static enum truth answers[ANSWERS];
static uint32_t answer_count;

enum pdp_err cel_add(struct cel_program *program, const struct cel_text *text, enum cel_type want,
                     const struct cel_var *vars, size_t var_count, uint32_t flags, struct diags *diags, uint32_t *expr)
{
    (void)program, (void)vars, (void)var_count;
    cr_expect_eq(want, CEL_BOOL);
    cr_expect_eq(flags, CEL_NO_RISK, "limits are looked up before the risk is known");
    *expr = UINT32_MAX;
    if (str_eq(text->text, STR("broken"))) {
        return diag_error(diags, PDP_ERR_UNKNOWN, text->locate(text->user, 0, 6), "unknown name `broken`");
    }
    answers[answer_count] = str_eq(text->text, STR("yes"))  ? TRUTH_YES
                            : str_eq(text->text, STR("no")) ? TRUTH_NO
                                                            : TRUTH_UNSURE;
    *expr = answer_count++;
    return PDP_ERR_OK;
}

enum truth cel_truth(struct cel_frame *frame, uint32_t expr)
{
    (void)frame;
    return answers[expr];
}

bool cel_reads(const struct cel_program *program, uint32_t expr, struct str path)
{
    (void)program, (void)expr, (void)path;
    return false;
}

enum pdp_err cel_bound_check(struct cel_program *program, uint32_t expr, uint64_t before, struct place place,
                             struct str what, struct diags *diags, uint64_t *steps)
{
    (void)program, (void)expr, (void)place, (void)what, (void)diags;
    *steps = before;
    return PDP_ERR_OK;
}

enum pdp_err cel_join(struct cel_program *program, bool every, const uint32_t *exprs, size_t count,
                      uint32_t *expr)
{
    enum truth truth = TRUTH_YES;
    (void)program;
    cr_expect(every && count == 2);
    for (size_t i = 0; i < count; i++) {
        enum truth one = answers[exprs[i]];
        truth = one == TRUTH_NO || truth == TRUTH_NO ? TRUTH_NO : one == TRUTH_YES ? truth : TRUTH_UNSURE;
    }
    answers[answer_count] = truth;
    *expr = answer_count++;
    return PDP_ERR_OK;
}

#define HEAD(name) "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: " name "}\n"

struct reading {
    struct arena arena;
    struct diags diags;
    struct source source;
    const struct session_policies *policies;
    enum pdp_err err;
};

static const uint32_t *scopes; // of the documents that are read

static void read_text(struct reading *r, const char *yaml)
{
    *r = (struct reading){.source = {STR("p.yaml"), str_of(yaml)}};
    arena_init(&r->arena, 0, 0);
    diags_init(&r->diags, 50);
    struct conf_doc *docs = NULL;
    size_t count = 0;
    cr_assert_eq(conf_parse(&r->source, &r->arena, &r->diags, &docs, &count), PDP_ERR_OK);
    answer_count = scopes != NULL ? 3 : 0;
    r->err = session_policies_read(docs, count, scopes, NULL, &r->arena, &r->diags, &r->policies);
}

static void forget(struct reading *r)
{
    diags_fini(&r->diags);
    arena_fini(&r->arena);
}

#define DEFAULT_IDLE {SESSION_IDLE_DEFAULT_MS, NONE, NONE}
#define DEFAULT_ABSOLUTE {SESSION_ABSOLUTE_DEFAULT_MS, NONE, NONE}

static const struct {
    const char *name, *yaml;
    struct limit_times idle, absolute; // terminate, deny, step_up
    bool adopt, unsure;
} CASES[] = {
    {"nothing", "kind: Policy\n", DEFAULT_IDLE, DEFAULT_ABSOLUTE, false, false},
    {"for all", HEAD("a") "limits: {idle: 15m, absolute: 12h}\n", {15 * MINUTE, NONE, NONE}, {12 * HOUR, NONE, NONE},
     false, false},
    {"longer than the default", HEAD("a") "limits: {idle: 8h}\n", {8 * HOUR, NONE, NONE}, DEFAULT_ABSOLUTE, false,
     false},
    {"for others", HEAD("a") "target: no\nlimits: {idle: 15m}\n", DEFAULT_IDLE, DEFAULT_ABSOLUTE, false, false},
    {"asks", HEAD("a") "target: yes\nlimits: {idle: 15m, on_idle: step_up, absolute: 12h, on_absolute: terminate}\n",
     {NONE, NONE, 15 * MINUTE}, {12 * HOUR, NONE, NONE}, false, false},
    {"the shortest rules",
     HEAD("a") "limits: {idle: 30m, absolute: 10h}\n" HEAD("b") "target: yes\nlimits: {idle: 2h, absolute: 8h}\n",
     {30 * MINUTE, NONE, NONE}, {8 * HOUR, NONE, NONE}, false, false},
    {"asking does not undo ending",
     HEAD("a") "limits: {idle: 2h}\n" HEAD("b") "limits: {idle: 15m, on_idle: step_up}\n",
     {2 * HOUR, NONE, 15 * MINUTE}, DEFAULT_ABSOLUTE, false, false},
    {"a level of assurance", HEAD("a") "limits: {level: aal3}\n", {15 * MINUTE, NONE, NONE}, {12 * HOUR, NONE, NONE},
     false, false},
    {"the default is the second", HEAD("a") "limits: {level: aal2}\n", DEFAULT_IDLE, DEFAULT_ABSOLUTE, false, false},
    {"the first has no idle limit of its own", HEAD("a") "limits: {level: aal1}\n", {720 * HOUR, NONE, NONE},
     {720 * HOUR, NONE, NONE}, false, false},
    {"figures of its own stand", HEAD("a") "limits: {level: aal3, idle: 20m, on_absolute: step_up}\n",
     {20 * MINUTE, NONE, NONE}, {NONE, NONE, 12 * HOUR}, false, false},
    {"a level may ask", HEAD("a") "limits: {level: aal2, on_idle: step_up}\n", {NONE, NONE, HOUR}, DEFAULT_ABSOLUTE,
     false, false},
    {"reauthentication asks beside the absolute limit", HEAD("a") "limits: {reauthentication: 4h}\n", DEFAULT_IDLE,
     {SESSION_ABSOLUTE_DEFAULT_MS, NONE, 4 * HOUR}, false, false},
    {"unsure never ends", HEAD("a") "target: maybe\nlimits: {idle: 15m}\n", {NONE, 15 * MINUTE, NONE},
     DEFAULT_ABSOLUTE, false, true},
    {"unsure and longer: the default denies", HEAD("a") "target: maybe\nlimits: {idle: 8h}\n",
     {NONE, SESSION_IDLE_DEFAULT_MS, NONE}, DEFAULT_ABSOLUTE, false, true},
    {"unsure beside sure",
     HEAD("a") "target: maybe\nlimits: {idle: 15m}\n" HEAD("b") "target: yes\nlimits: {idle: 2h}\n",
     {2 * HOUR, 15 * MINUTE, NONE}, DEFAULT_ABSOLUTE, false, true},
    {"unsure may ask", HEAD("a") "target: maybe\nlimits: {idle: 15m, on_idle: step_up}\n",
     {NONE, SESSION_IDLE_DEFAULT_MS, 15 * MINUTE}, DEFAULT_ABSOLUTE, false, true},
    {"adopts", HEAD("a") "first_sight: adopt\n", DEFAULT_IDLE, DEFAULT_ABSOLUTE, true, false},
    {"known wins", HEAD("a") "first_sight: adopt\n" HEAD("b") "first_sight: known\n", DEFAULT_IDLE, DEFAULT_ABSOLUTE,
     false, false},
    {"perhaps known wins", HEAD("a") "first_sight: adopt\n" HEAD("b") "target: maybe\nfirst_sight: known\n",
     DEFAULT_IDLE, DEFAULT_ABSOLUTE, false, true},
    {"perhaps adopt does not", HEAD("a") "target: maybe\nfirst_sight: adopt\n", DEFAULT_IDLE, DEFAULT_ABSOLUTE, false,
     true},
};

#define ONE(more) "limits: {concurrent: " more "}\n"
#define END "on_concurrent: end-oldest"

static const struct {
    const char *name, *yaml;
    uint32_t refuse, unsure, end; // 0: none
} NUMBERS[] = {
    {"none", HEAD("a") "limits: {idle: 15m}\n", 0, 0, 0},
    {"refuses where it says nothing else", HEAD("a") ONE("3"), 3, 0, 0},
    {"refuses", HEAD("a") ONE("1000, on_concurrent: refuse"), 1000, 0, 0},
    {"ends", HEAD("a") ONE("2, " END), 0, 0, 2},
    {"for others", HEAD("a") "target: no\n" ONE("2, " END), 0, 0, 0},
    {"the smallest rules", HEAD("a") ONE("3") HEAD("b") ONE("2") HEAD("c") ONE("4"), 2, 0, 0},
    {"the smallest that ends", HEAD("a") ONE("3, " END) HEAD("b") ONE("2, " END), 0, 0, 2},
    {"both kinds are kept: the same number refuses", HEAD("a") ONE("2, " END) HEAD("b") ONE("2"), 2, 0, 2},
    {"perhaps refuses", HEAD("a") "target: maybe\n" ONE("2"), 0, 2, 0},
    {"perhaps ends: refuses", HEAD("a") "target: maybe\n" ONE("2, " END), 0, 2, 0},
    {"perhaps ends, later than what ends for certain", HEAD("a") "target: maybe\n" ONE("3, " END) HEAD("b") ONE("2, " END),
     0, 0, 2},
    {"perhaps ends, at the same number", HEAD("a") "target: maybe\n" ONE("2, " END) HEAD("b") ONE("2, " END), 0, 0, 2},
    {"perhaps ends, before what ends for certain", HEAD("a") "target: maybe\n" ONE("1, " END) HEAD("b") ONE("2, " END), 0,
     1, 2},
    {"perhaps refuses at the number that ends", HEAD("a") "target: maybe\n" ONE("2") HEAD("b") ONE("2, " END), 0, 2, 2},
    {"two that are undecided", HEAD("a") "target: maybe\n" ONE("2") HEAD("b") "target: perhaps\n" ONE("1, " END), 0, 1,
     0},
};

static uint32_t number(uint32_t n)
{
    return n != 0 ? n : UINT32_MAX;
}

Test(session_limits, keeps_numbers_that_refuse_apart_from_those_that_end)
{
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        struct reading r;
        read_text(&r, NUMBERS[i].yaml);
        cr_assert_eq(r.err, PDP_ERR_OK, "%s", NUMBERS[i].name);
        struct session_limits limits;
        session_limits_of(r.policies, NULL, &limits);
        cr_expect_eq(limits.live.refuse, number(NUMBERS[i].refuse), "%s: %u", NUMBERS[i].name, limits.live.refuse);
        cr_expect_eq(limits.live.unsure, number(NUMBERS[i].unsure), "%s: %u", NUMBERS[i].name, limits.live.unsure);
        cr_expect_eq(limits.live.end, number(NUMBERS[i].end), "%s: %u", NUMBERS[i].name, limits.live.end);
        forget(&r);
    }
}

Test(session_limits, says_which_limit_of_number_and_what_could_not_be_decided)
{
    struct reading r;
    read_text(&r, HEAD("a") "target: no\n" ONE("1") HEAD("b") ONE("2") HEAD("c") ONE("1, " END) HEAD(
                      "d") "target: maybe\n" ONE("5") HEAD("e") "target: maybe\n" ONE("9, " END));
    struct session_limits limits;
    session_limits_of(r.policies, NULL, &limits);
    cr_expect(str_eq(limits.live.refuse_why, STR("session policy `b` allows a subject 2 sessions at once (`concurrent`)")));
    cr_expect(str_eq(limits.live.end_why, STR("session policy `c` allows a subject 1 session at once (`concurrent`)")));
    cr_expect(str_eq(limits.live.unsure_why, STR("session policy `d` allows a subject 5 sessions at once (`concurrent`)")));
    cr_expect_eq(limits.live.unsure_target, 1, "%u", limits.live.unsure_target);
    forget(&r);
}

static void expect_times(const char *name, const struct limit_times *got, const struct limit_times *want)
{
    cr_expect_eq(got->terminate_ms, want->terminate_ms, "%s: terminate %lld", name, (long long)got->terminate_ms);
    cr_expect_eq(got->deny_ms, want->deny_ms, "%s: deny %lld", name, (long long)got->deny_ms);
    cr_expect_eq(got->step_up_ms, want->step_up_ms, "%s: step_up %lld", name, (long long)got->step_up_ms);
}

Test(session_limits, takes_the_shortest_of_those_that_match)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct reading r;
        read_text(&r, CASES[i].yaml);
        cr_assert_eq(r.err, PDP_ERR_OK, "%s", CASES[i].name);
        struct session_limits limits;
        session_limits_of(r.policies, NULL, &limits);
        expect_times(CASES[i].name, &limits.idle, &CASES[i].idle);
        expect_times(CASES[i].name, &limits.absolute, &CASES[i].absolute);
        cr_expect_eq(limits.adopt, CASES[i].adopt, "%s", CASES[i].name);
        cr_expect_eq(limits.unsure, CASES[i].unsure, "%s", CASES[i].name);
        forget(&r);
    }
}

// Of one document: what its scope says, what its own target says, whether its limit ends the session after a
// quarter of an hour, or denies.
static const struct {
    enum truth scope;
    const char *yaml;
    struct limit_times idle;
} SCOPED[] = {
    {TRUTH_YES, HEAD("a") "limits: {idle: 15m}\n", {15 * MINUTE, NONE, NONE}},
    {TRUTH_NO, HEAD("a") "limits: {idle: 15m}\n", DEFAULT_IDLE},
    {TRUTH_UNSURE, HEAD("a") "limits: {idle: 15m}\n", {NONE, 15 * MINUTE, NONE}},
    {TRUTH_YES, HEAD("a") "target: yes\nlimits: {idle: 15m}\n", {15 * MINUTE, NONE, NONE}},
    {TRUTH_YES, HEAD("a") "target: no\nlimits: {idle: 15m}\n", DEFAULT_IDLE},
    {TRUTH_NO, HEAD("a") "target: yes\nlimits: {idle: 15m}\n", DEFAULT_IDLE},
    {TRUTH_UNSURE, HEAD("a") "target: yes\nlimits: {idle: 15m}\n", {NONE, 15 * MINUTE, NONE}},
};

Test(session_limits, hold_for_what_their_scope_leaves_to_them)
{
    for (size_t i = 0; i < COUNT_OF(SCOPED); i++) {
        struct reading r;
        struct session_limits limits;
        const uint32_t scope = SCOPED[i].scope;
        for (uint32_t k = 0; k < 3; k++) {
            answers[k] = (enum truth)k;
        }
        scopes = &scope;
        read_text(&r, SCOPED[i].yaml);
        scopes = NULL;
        cr_assert_eq(r.err, PDP_ERR_OK);
        session_limits_of(r.policies, NULL, &limits);
        cr_expect(limits.idle.terminate_ms == SCOPED[i].idle.terminate_ms &&
                      limits.idle.deny_ms == SCOPED[i].idle.deny_ms,
                  "%zu", i);
        forget(&r);
    }
}

Test(session_limits, names_the_first_to_strike)
{
    struct reading r;
    read_text(&r, HEAD("a") "limits: {idle: 2h}\n" HEAD("b") "limits: {idle: 15m, on_idle: step_up}\n");
    struct session_limits limits, usual;
    session_limits_of(r.policies, NULL, &limits);
    cr_expect_eq(limits.idle_ms, 15 * MINUTE);
    cr_expect_eq(limits.on_idle, ON_LIMIT_STEP_UP);
    cr_expect_eq(limits.absolute_ms, SESSION_ABSOLUTE_DEFAULT_MS);
    cr_expect_eq(limits.on_absolute, ON_LIMIT_TERMINATE);
    forget(&r);
    read_text(&r, HEAD("a") "target: maybe\nlimits: {idle: 15m}\n");
    session_limits_of(r.policies, NULL, &limits);
    cr_expect_eq(limits.on_idle, ON_LIMIT_DENY);
    forget(&r);
    read_text(&r, "kind: List\n");
    session_limits_of(r.policies, NULL, &limits);
    session_limits_default(&usual);
    cr_expect_eq(memcmp(&limits, &usual, sizeof usual), 0, "no policy and the defaults are one thing");
    forget(&r);
}

static const struct {
    const char *name, *yaml;
    int64_t renew_ms, overlap_ms, remember_ms;
} RENEWALS[] = {
    {"nothing", "kind: Policy\n", 0, 10000, 0},
    {"all", HEAD("a") "renewal: {every: 1h, overlap: 30s}\ndevices: {remember: 30d}\n", HOUR, 30000, 720 * HOUR},
    {"of others", HEAD("a") "target: no\nrenewal: {every: 1h, overlap: 30s}\ndevices: {remember: 30d}\n", 0, 10000, 0},
    {"the shortest",
     HEAD("a") "renewal: {every: 1h, overlap: 5m}\ndevices: {remember: 30d}\n" HEAD("b")
         "target: yes\nrenewal: {every: 2h, overlap: 1m}\ndevices: {remember: 10d}\n",
     HOUR, MINUTE, 240 * HOUR},
    {"unsure: neither ends a session sooner nor remembers a device",
     HEAD("a") "target: maybe\nrenewal: {every: 1h, overlap: 1s}\ndevices: {remember: 30d}\n", HOUR, 10000, 0},
    {"unsure beside sure",
     HEAD("a") "target: maybe\nrenewal: {overlap: 1s}\ndevices: {remember: 1d}\n" HEAD("b")
         "renewal: {overlap: 1m}\ndevices: {remember: 10d}\n",
     0, MINUTE, 24 * HOUR},
};

Test(session_limits, renews_ids_and_remembers_devices)
{
    for (size_t i = 0; i < COUNT_OF(RENEWALS); i++) {
        struct reading r;
        struct session_limits limits;
        read_text(&r, RENEWALS[i].yaml);
        cr_assert_eq(r.err, PDP_ERR_OK, "%s", RENEWALS[i].name);
        session_limits_of(r.policies, NULL, &limits);
        cr_expect_eq(limits.renew_ms, RENEWALS[i].renew_ms, "%s", RENEWALS[i].name);
        cr_expect_eq(limits.overlap_ms, RENEWALS[i].overlap_ms, "%s", RENEWALS[i].name);
        cr_expect_eq(limits.remember_ms, RENEWALS[i].remember_ms, "%s", RENEWALS[i].name);
        forget(&r);
    }
}

static const struct {
    const char *yaml, *want;
} MISTAKES[] = {
    {HEAD("a") "limits: {on_concurrent: refuse}\n",
     "p.yaml:5:25: error: `on_concurrent` needs `concurrent`\n"
     "    5 | limits: {on_concurrent: refuse}\n"
     "      |                         ^~~~~~\n"},
    {HEAD("a") "limits: {concurrent: 0}\n", "`concurrent` must be"},
    {HEAD("a") "limits: {concurrent: 1001}\n", "`concurrent` must be"},
    {HEAD("a") "limits: {concurrent: -1}\n", "`concurrent` must be"},
    {HEAD("a") "limits: {concurrent: one}\n", "`concurrent` must be"},
    {HEAD("a") "limits: {concurrent: 1, on_concurrent: end-newest}\n", "`on_concurrent` cannot be `end-newest`"},
    {HEAD("a") "limits: {on_idle: step_up}\n",
     "p.yaml:5:19: error: `on_idle` needs `idle`\n"
     "    5 | limits: {on_idle: step_up}\n"
     "      |                   ^~~~~~~\n"},
    {HEAD("a") "limits: {idle: 0s}\n", "`idle` must be a duration above zero"},
    {HEAD("a") "limits: {idle: 10ms}\n", "`idle` must be a longer duration"},
    {HEAD("a") "limits: {absolute: 99999d}\n", "`absolute` must be a shorter duration"},
    {HEAD("a") "limits: {idle: 15}\n", "hint: add a unit"},
    {HEAD("a") "limits: {idel: 15m}\n", "hint: did you mean `idle`?"},
    {HEAD("a") "limits: {idle: 15m, on_idle: lock}\n", "`on_idle` cannot be `lock`"},
    {HEAD("a") "first_sight: maybe\n", "`first_sight` cannot be `maybe`"},
    {HEAD("a") "limits: [idle]\n", "error: `limits` must be"},
    {HEAD("a") "target: broken\nlimits: {idle: 15m}\n", "p.yaml:5:9: error: unknown name `broken`"},
    {HEAD("a"), "a SessionPolicy needs `limits`, `renewal`, `devices` or `first_sight`"},
    {HEAD("a") "limits: {level: aal4}\n", "`level` cannot be `aal4`"},
    {HEAD("a") "limits: {level: aal2, on_concurrent: refuse}\n", "`on_concurrent` needs `concurrent`"},
    {HEAD("a") "renewal: {every: 59s}\n", "`every` must be a longer duration"},
    {HEAD("a") "renewal: {overlap: 6m}\n", "`overlap` must be a shorter duration"},
    {HEAD("a") "renewal: {overlap: 0s}\n", "`overlap` must be a duration above zero"},
    {HEAD("a") "renewal: {evry: 1h}\n", "hint: did you mean `every`?"},
    {HEAD("a") "devices: {}\n", "devices needs `remember`"},
    {HEAD("a") "devices: {remember: never}\n", "`remember` must be a duration"},
    {HEAD("a") "limit: {idle: 15m}\nlimits: {}\n", "hint: did you mean `limits`?"},
    {HEAD("a") "limits: {idle: 0s}\n" HEAD("b") "limits: {absolute: x}\n", "`absolute` must be a duration"},
};

Test(session_limits, refuses_mistakes_with_their_place)
{
    for (size_t i = 0; i < COUNT_OF(MISTAKES); i++) {
        struct reading r;
        read_text(&r, MISTAKES[i].yaml);
        cr_expect_neq(r.err, PDP_ERR_OK, "%zu", i);
        cr_expect_null(r.policies);
        AUTO(buf_fini) struct buf out = {0};
        diags_render(&r.diags, &out);
        buf_byte(&out, 0);
        cr_expect(strstr((const char *)out.at, MISTAKES[i].want) != NULL, "%zu:\n%s", i, (const char *)out.at);
        forget(&r);
    }
}
