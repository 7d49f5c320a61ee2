// SPDX-License-Identifier: Apache-2.0
// The smallest change of what no question says: risk, time, proofs, lists. Against every change of these
// kinds.
#include "cli/explain/account.h"

#include "risk/model.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#define HOURS(n) (INT64_C(3600000) * (n))
#define EXPIRES INT64_C(1893456000000) // 2030-01-01T00:00:00Z

enum {
    RISK,
    NOW,
    PROOF,
    TRUTH,
    OFFICE,
    HARD, // the compiler adds it to a terminate that reads risk
    KINDS
};

// HARNESS_NOW is a Monday, 08:00.
static const struct {
    const char *hours;
    int64_t first, second; // the next times at which it turns, after HARNESS_NOW
} WINDOWS[] = {{"Mon-Fri 09:00-17:00", HOURS(1), HOURS(9)},
               {"daily 07:00-08:30", HOURS(1) / 2, HOURS(23)},
               {"Mon 08:00-12:00", HOURS(4), HOURS(168)}};
static const char *const LEVELS[] = {"low", "medium", "high", "critical"};

struct world {
    uint64_t seed;
    char yaml[8192];
    size_t len;
    bool scores[100], levels[RISK_LEVEL_COUNT], windows[COUNT_OF(WINDOWS)], strengths[2];
    bool managed, office, vpn, expires, risk, hard; // risk: of the condition in hand
};

static unsigned draw(struct world *w, unsigned below)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->seed >> 33) % below;
}

static void put(struct world *w, const char *text)
{
    w->len += (size_t)snprintf(w->yaml + w->len, sizeof w->yaml - w->len, "%s", text);
}

// ---- Policies ----------------------------------------------------------------------------------

static void put_atom(struct world *w)
{
    static const char *const SIGNS[] = {"<", "<=", ">", ">="};
    char text[128] = "";
    unsigned score = 10 * (1 + draw(w, 8)), level = draw(w, RISK_LEVEL_COUNT),
             window = draw(w, COUNT_OF(WINDOWS));
    switch (draw(w, 5)) {
    case 0:
        snprintf(text, sizeof text, "risk.score %s %u.0", SIGNS[draw(w, 4)], score);
        w->scores[score] = true;
        break;
    case 1:
        snprintf(text, sizeof text, "risk.level %s level('%s')", SIGNS[draw(w, 4)], LEVELS[level]);
        w->levels[level] = true;
        break;
    case 2:
        snprintf(text, sizeof text, "%swithin(now, '%s')", draw(w, 2) == 0 ? "!" : "", WINDOWS[window].hours);
        w->windows[window] = true;
        break;
    case 3:
        put(w, draw(w, 2) == 0 ? "device.managed" : "!device.managed");
        w->managed = true;
        break;
    default:
        w->office = w->office || (score & 16) != 0;
        w->vpn = w->vpn || (score & 16) == 0;
        snprintf(text, sizeof text, "%s(network.ip in lists.%s)", draw(w, 2) == 0 ? "!" : "",
                 (score & 16) != 0 ? "office" : "vpn");
    }
    w->risk = w->risk || strncmp(text, "risk.", 5) == 0;
    put(w, text);
}

static void put_condition(struct world *w)
{
    w->risk = false;
    const char *join = draw(w, 2) == 0 ? " && " : " || ";
    put(w, "\"");
    for (unsigned i = 0, count = 1 + draw(w, 3); i < count; i++) {
        put(w, i > 0 ? join : "");
        put_atom(w);
    }
    put(w, "\"");
}

static void put_require(struct world *w)
{
    unsigned strength = draw(w, 2);
    w->strengths[strength] = true;
    put(w, strength == 0 ? "require: {strength: mfa}" : "require: {strength: key, max_age: 5m}");
}

static void put_rules(struct world *w, unsigned policy)
{
    static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
    static const char *const EFFECTS[] = {"allow", "allow", "deny", "step_up", "step_up", "terminate"};
    char text[160];
    snprintf(text, sizeof text,
             "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\nrules:\n", policy,
             ALGORITHMS[draw(w, 3)]);
    put(w, text);
    for (unsigned r = 0, rules = 1 + draw(w, 3); r < rules; r++) {
        const char *effect = EFFECTS[draw(w, COUNT_OF(EFFECTS))];
        snprintf(text, sizeof text, "  - id: r%u\n    effect: %s\n    when: ", r, effect);
        put(w, text);
        put_condition(w);
        w->hard = w->hard || (w->risk && strcmp(effect, "terminate") == 0);
        put(w, "\n    ");
        if (strcmp(effect, "step_up") == 0) {
            put_require(w);
        }
        put(w, "\n");
    }
}

static void make_world(struct world *w, uint64_t seed)
{
    *w = (struct world){.seed = seed};
    put(w,
        "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"
        "  - {name: mfa, proves: '\"otp\" in session.amr'}\n  - {name: key, proves: '\"hwk\" in "
        "session.amr'}\n"
        "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: office}\ntype: cidr\nentries: [192.0.2.0/24]\n"
        "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: vpn}\ntype: cidr\nentries: "
        "[203.0.113.0/24]\n");
    for (unsigned p = 0, policies = 1 + draw(w, 2); p < policies; p++) {
        put_rules(w, p);
    }
    if (draw(w, 3) == 0) {
        put(w, "---\napiVersion: pdp/v1\nkind: Exception\nmetadata: {name: e}\nlifts: ['*']\n"
               "expires: 2030-01-01T00:00:00Z\nwhen: ");
        put_condition(w);
        put(w, "\n");
        if (draw(w, 2) == 0) {
            put_require(w);
            put(w, "\n");
        }
        w->expires = true;
    }
}

// ---- All changes -------------------------------------------------------------------------------

struct other {
    struct whatif to;
    double size;
};
struct others {
    struct other list[64];
    size_t count;
};

static void add(struct others *out, struct whatif to, double size)
{
    out->list[out->count++] = (struct other){to, size};
}

static double share(double a, double b)
{
    double d = fabs(a - b) / fmax(fmax(fabs(a), fabs(b)), 1);
    return d / (1 + d);
}

static void add_score(const struct whatif_world *world, double score, struct others *out)
{
    double is = world->seen->risk->score;
    struct whatif to = {
        .kind = WHATIF_RISK, .score = score, .level = risk_level_of(world->parts.risk, score)};
    if (score < is || score > is) {
        add(out, to, share(score, is));
    }
}

static void all_risks(const struct world *w, const struct whatif_world *world, struct others *out)
{
    static const double EDGES[] = {30, 60, 85};
    int level = (int)world->seen->risk->level;
    for (int score = 0; score < 100; score++) {
        for (int side = -1; w->scores[score] && side <= 1; side++) {
            add_score(world, side == 0 ? score : nextafter(score, side * (double)INFINITY), out);
        }
    }
    for (int l = 0; l < RISK_LEVEL_COUNT; l++) {
        bool tested = w->levels[l] || (l > 0 && w->levels[l - 1]) || (l < 3 && w->levels[l + 1]);
        if (tested && l != level) {
            add_score(world, l > level ? EDGES[l - 1] : nextafter(EDGES[l], 0), out);
        }
    }
}

static void add_time(int64_t at_ms, struct others *out)
{
    double days = (double)(at_ms - HARNESS_NOW) / 86400000;
    add(out, (struct whatif){.kind = WHATIF_NOW, .now_ms = at_ms}, days / (1 + days));
}

static void all_times(const struct world *w, struct others *out)
{
    for (size_t i = 0; i < COUNT_OF(WINDOWS); i++) {
        if (w->windows[i]) {
            add_time(HARNESS_NOW + WINDOWS[i].first, out);
            add_time(HARNESS_NOW + WINDOWS[i].second, out);
        }
    }
    if (w->expires) {
        add_time(EXPIRES, out);
    }
}

static struct value address(struct ip *ip, const char *text)
{
    cr_assert(ip_parse(str_of(text), ip));
    return (struct value){.kind = VALUE_IP, .as.ip = ip};
}

// It is in the first, and not in the second: out of both, or into the other.
static void all_lists(const struct world *w, struct others *out)
{
    static struct ip ips[2];
    struct whatif to = {.kind = WHATIF_VALUE, .path = STR("network.ip")};
    if (w->office) {
        to.value = address(&ips[0], "198.51.100.7");
        add(out, to, 1);
    }
    if (w->vpn) {
        to.value = address(&ips[1], "203.0.113.7");
        add(out, to, w->office ? 2 : 1);
    }
}

static void all_hard(const struct whatif_world *world, struct others *out)
{
    double is = world->seen->risk->hard;
    for (int side = -1; side <= 1; side++) {
        double hard = side == 0 ? 0 : nextafter(0, side * (double)INFINITY);
        if (hard < is || hard > is) {
            add(out,
                (struct whatif){.kind = WHATIF_VALUE, .path = STR("risk.hard"), .value = value_double(hard)},
                share(hard, is));
        }
    }
}

static void make_all(const struct world *w, const struct whatif_world *world, struct others others[KINDS])
{
    memset(others, 0, KINDS * sizeof *others);
    all_risks(w, world, &others[RISK]);
    all_times(w, &others[NOW]);
    for (uint32_t s = 0; s < 2; s++) {
        struct whatif to;
        whatif_proved(world, s, &to);
        if (w->strengths[s]) {
            add(&others[PROOF], to, 0.1 + s / 1000.0);
        }
    }
    if (w->managed) {
        add(&others[TRUTH],
            (struct whatif){.kind = WHATIF_VALUE, .path = STR("device.managed"), .value = value_bool(true)},
            1);
    }
    all_lists(w, &others[OFFICE]);
    if (w->hard) {
        all_hard(world, &others[HARD]);
    }
}

static void try_all(struct whatif_world *world, const struct others others[KINDS], unsigned wish,
                    double best[KINDS + 1])
{
    size_t at[KINDS] = {0}; // 0: as it is
    for (bool more = true; more;) {
        const struct whatif *changes[KINDS];
        size_t count = 0;
        double size = 0;
        for (int k = 0; k < KINDS; k++) {
            if (at[k] != 0) {
                changes[count++] = &others[k].list[at[k] - 1].to;
                size += others[k].list[at[k] - 1].size;
            }
        }
        if (count > 0 && count <= CHANGE_ATTRIBUTES_MOST && size < best[count] &&
            (wish >> whatif_ask(world, changes, count) & 1) != 0) {
            best[count] = size;
        }
        more = false;
        for (int k = 0; k < KINDS && !more; k++) {
            at[k] = at[k] == others[k].count ? 0 : at[k] + 1;
            more = at[k] != 0;
        }
    }
}

// ---- Against what is proposed ------------------------------------------------------------------

struct seen {
    const struct world *w;
    struct arena arena;
    unsigned found, looked, scores, ends; // ends: scores of ranges that have one
};

// What a bound of the words stands at: a level begins at its threshold.
static double bound_of(const struct whatif_world *world, const struct value *value)
{
    bool level = value->kind == VALUE_LEVEL;
    return !level ? value->as.d : value->as.i == 0 ? 0 : world->parts.risk->thresholds[value->as.i - 1];
}

static bool is_meant(const struct whatif_world *world, const struct option *option, double score)
{
    double than = bound_of(world, &option->than), until = bound_of(world, &option->until);
    bool low = option->say == OPTION_ABOVE      ? score > than
               : option->say == OPTION_AT_LEAST ? score >= than
               : option->say == OPTION_BELOW    ? score < than
               : option->say == OPTION_AT_MOST  ? score <= than
               : option->say == OPTION_IS && option->than.kind == VALUE_LEVEL
                   ? (int64_t)risk_level_of(world->parts.risk, score) == option->than.as.i
                   : false;
    return low && (option->until_say == OPTION_BELOW     ? score < until
                   : option->until_say == OPTION_AT_MOST ? score <= until
                                                         : true);
}

// Every score that the words of a change stand for does what is said.
static void check_scores(struct seen *seen, struct whatif_world *world, const struct change *change,
                         const char *said)
{
    for (uint32_t k = 0; k < change->count; k++) {
        for (int n = 0; n <= 1000 && change->attributes[k]->kind == WHATIF_RISK; n++) {
            const struct whatif *changes[CHANGE_ATTRIBUTES_MOST];
            double score = n / 10.0;
            struct whatif to = change->options[k]->to;
            to.score = score;
            to.level = risk_level_of(world->parts.risk, score);
            for (uint32_t i = 0; i < change->count; i++) {
                changes[i] = i == k ? &to : &change->options[i]->to;
            }
            if (is_meant(world, change->options[k], score)) {
                cr_assert_eq(whatif_ask(world, changes, change->count), change->effect, "%s: at %g\n%s",
                             seen->w->yaml, score, said);
                seen->scores++;
                seen->ends += change->options[k]->until_say != OPTION_IS;
            }
        }
    }
}

static void judged(void *user, const struct watched *watched)
{
    struct seen *seen = user;
    struct account account;
    struct whatif_world world;
    struct others others[KINDS];
    double best[KINDS + 1];
    AUTO(buf_fini) struct buf said = {0};
    arena_reset(&seen->arena);
    cr_assert(whatif_init(&world, watched, &seen->arena)); // first: the frame is as the decision left it
    cr_assert(account_make(watched, 0, &seen->arena, &account) && account.same && !account.changes.cut, "%s",
              seen->w->yaml);
    account_changes(&account, &said);
    make_all(seen->w, &world, others);
    for (size_t i = 0; i <= KINDS; i++) {
        best[i] = INFINITY;
    }
    try_all(&world, others, change_wish(watched->verdict->effect), best);
    unsigned count = 1;
    while (count <= CHANGE_ATTRIBUTES_MOST && best[count] == INFINITY) {
        count++;
    }
    bool some = count <= CHANGE_ATTRIBUTES_MOST;
    const struct changes *changes = &account.changes;
    cr_assert_eq(some, changes->count > 0, "%s: %u do at risk %g\n" STR_FMT, seen->w->yaml, count,
                 watched->risk->score, STR_ARG(buf_view(&said)));
    if (some) {
        cr_assert_eq(changes->list[0].count, count, "%s: %u do at risk %g\n" STR_FMT, seen->w->yaml, count,
                     watched->risk->score, STR_ARG(buf_view(&said)));
        cr_assert_float_eq(changes->list[0].size, best[count], 1e-9,
                           "%s: %g, %g would do, at risk %g\n" STR_FMT, seen->w->yaml, changes->list[0].size,
                           best[count], watched->risk->score, STR_ARG(buf_view(&said)));
        seen->found++;
    }
    buf_byte(&said, '\0');
    for (size_t i = 0; i < changes->count; i++) {
        check_scores(seen, &world, &changes->list[i], (const char *)said.at);
    }
    seen->looked++;
    whatif_fini(&world);
}

static const char ASKED[] = "{'subject': {'type': 'user', 'id': 'u'}, 'action': {'name': 'GET'}, 'resource': "
                            "{'type': 'route', 'id': '/a'}, "
                            "'context': {'session': {'id': 's1', 'auth_time': 1795420000, 'amr': ['pwd']}, "
                            "'device': {'managed': false}, "
                            "'network': {'ip': '192.0.2.7'}}}";

static void check_world(struct world *w, struct seen *seen)
{
    struct harness h = {0};
    char event[400];
    const struct watch watch = {.judged = judged, .user = seen};
    seen->w = w;
    cr_assert(harness_load(&h, w->yaml), "%s\n" STR_FMT, w->yaml, STR_ARG(buf_view(&h.said)));
    harness_ask(&h, HARNESS_NOW, ASKED);
    snprintf(
        event, sizeof event,
        "{'event': {'type': 'signal', 'subject': {'type': 'user', 'id': 'u'}, 'context': {'session': {'id': "
        "'s1'}}, 'properties': {'evidence': %u.0}}, 'request_id': 'e1'}",
        draw(w, 7));
    harness_ask(&h, HARNESS_NOW, event);
    worker_watch(h.worker, &watch);
    harness_ask(&h, HARNESS_NOW, ASKED);
    harness_fini(&h);
}

Test(explain_facts, nothing_smaller_would_do)
{
    struct seen seen = {.found = 0};
    arena_init(&seen.arena, 0, 0);
    for (unsigned i = 0; i < 300; i++) {
        struct world w;
        make_world(&w, 7000 + i);
        check_world(&w, &seen);
    }
    cr_expect_gt(seen.looked, 150);
    cr_expect_gt(seen.found, seen.looked / 2);
    cr_expect_gt(seen.scores, 1000, "%u", seen.scores);
    cr_expect_gt(seen.ends, 100, "%u", seen.ends);
    arena_fini(&seen.arena);
}
