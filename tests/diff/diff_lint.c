// SPDX-License-Identifier: Apache-2.0
// What lint proves, against questions: pairs of conditions of which it says that they cannot have certain
// truths at once, asked together on random questions. PDP_DIFF_CASES and PDP_DIFF_SEED as in diff_cel; a case
// is a pair with truths that was looked at.
#include "diff/diff.h"
#include "diff/gen.h"
#include "diff/loaded.h"
#include "diff/rules.h"
#include "diff/split.h"
#include "lint/lint.h"
#include "lint/reason.h"
#include "policy/conditions.h"
#include "policy/match.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CONDITIONS = 24,
    WORLDS = 48,
    SHOWN = 4,
    EFFORT = 2000,
    MUTED_WORDS = (RULES_POLICIES * (RULES_MAX + 1) + 63) / 64
};

struct round {
    uint64_t seed;
    struct chance chance;
    struct arena arena, worlds;
    struct gen *gen;
    struct str conditions[CONDITIONS];
    uint8_t truths[CONDITIONS][WORLDS]; // as MAY_… has them
    struct loaded loaded;
    struct world world;
    struct rules rules;
    struct buf yaml;
};

static struct {
    uint64_t cases, sets, refused, refuted, differences;
    uint64_t dead, covered, together, parts; // rules and parts of conditions that were found
} total;

// ---- Conditions about few things, so that they meet ------------------------------------------------------

static const char *pick(struct chance *c, const char *const *from, size_t count)
{
    return from[chance_below(c, (uint32_t)count)];
}
#define PICK(c, ...) \
    pick(c, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static const char *text(struct chance *c)
{
    return PICK(c, "\"x\"", "\"y\"", "\"hr\"", "\"\"", "\"DE\"", "\"xy\"", "\"aa\"", "\"/a/b\"", "\"route\"");
}

static const char *attribute(struct chance *c)
{
    return PICK(c, "subject.a", "subject.b", "session.acr", "subject.n", "geo.city", "resource.id",
                "context.client.kind", "action.name", "resource.path", "resource.type");
}

static const char *number(struct chance *c)
{
    return PICK(c, "0", "1", "2", "3", "-1", "7", "1.5", "60.0", "2.5", "0.0", "-2.0", "3.0",
                "9007199254740993", "9223372036854775807");
}

static const char *numeric(struct chance *c)
{
    return PICK(c, "subject.n", "subject.d", "subject.number", "subject.double", "risk.score",
                "session.requests", "now.getHours()", "now.getDayOfWeek()", "size(subject.roles)", "geo.asn");
}

static const char *order(struct chance *c)
{
    return PICK(c, "<", "<=", ">", ">=", "==", "!=");
}

static const char *span(struct chance *c)
{
    return PICK(c, "\"0s\"", "\"1s\"", "\"15m\"", "\"1h\"", "\"24h\"", "\"-1s\"");
}

static void put_leaf(struct round *r, struct buf *out)
{
    struct chance *c = &r->chance;
    switch (chance_below(c, 26)) {
    case 0:
    case 1:
        buf_printf(out, "%s == %s", attribute(c), text(c));
        return;
    case 2:
        buf_printf(out, "%s in [%s, %s]", attribute(c), text(c), text(c));
        return;
    case 3:
        buf_printf(out, "%s.%s(%s)", PICK(c, "subject.a", "resource.id", "geo.country", "resource.path"),
                   PICK(c, "startsWith", "endsWith", "contains"), text(c));
        return;
    case 4:
    case 5:
        buf_printf(out, "%s %s %s", numeric(c), order(c), number(c));
        return;
    case 6:
        buf_printf(out, "%s in [%s, %s]", numeric(c), number(c), number(c));
        return;
    case 7:
        buf_printf(out, "has(%s)",
                   PICK(c, "subject.a", "subject.b", "subject.n", "session.acr", "subject.level"));
        return;
    case 8:
        buf_printf(out, "risk.level %s level(%s)", order(c), PICK(c, "\"low\"", "\"medium\"", "\"high\""));
        return;
    case 9:
        buf_printf(out, "%s in lists.%s", PICK(c, "network.ip", "network.ip", "subject.address"), "offices");
        return;
    case 10:
        buf_printf(out, "cidr(\"%s\").containsIP(network.ip)",
                   PICK(c, "10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32", "10.128.0.0/9"));
        return;
    case 11:
        buf_printf(out, "network.ip %s",
                   PICK(c, "== ip(\"10.1.2.3\")", "== ip(\"192.0.2.1\")", "!= ip(\"::1\")",
                        "in [ip(\"10.1.2.3\"), ip(\"2001:db8::1\")]", "in [ip(\"192.0.2.1\"), ip(\"::1\")]"));
        return;
    case 12:
        buf_printf(out, "now - session.auth_time %s duration(%s)", order(c), span(c));
        return;
    case 13:
        buf_printf(out, "session.auth_time %s now - duration(%s)", order(c), span(c));
        return;
    case 14:
        buf_printf(out, "%s + duration(%s) %s %s",
                   PICK(c, "session.auth_time", "resource.until", "session.started"), span(c), order(c),
                   PICK(c, "now", "session.last_seen"));
        return;
    case 15:
        buf_printf(out, "within(now, \"%s\")",
                   PICK(c, "Mon-Fri 07:00-19:00", "Sat,Sun 00:00-24:00", "daily 22:00-06:00",
                        "Mon 00:00-24:00", "daily 00:00-24:00"));
        return;
    case 16:
        buf_printf(out, "subject.a in lists.%s", PICK(c, "leavers", "stale"));
        return;
    case 17:
        buf_printf(out, "%s %s %s", PICK(c, "subject.n", "subject.a", "risk.score", "subject.number"),
                   order(c), PICK(c, "subject.d", "subject.b", "subject.double", "subject.n"));
        return;
    case 18:
        buf_printf(out, "%s",
                   PICK(c, "device.managed", "subject.a", "network.private", "subject.ghost",
                        "subject.a == null", "null != subject.n", "subject.client.a == null"));
        return;
    case 19:
        buf_printf(out, "subject.a.matches(%s)", PICK(c, "\"^x\"", "\"^(x|y)$\"", "\"a+\"", "\"^$\""));
        return;
    case 20:
        buf_printf(out, "%s in subject.roles", text(c));
        return;
    case 21:
        buf_printf(out, "%s %s true", PICK(c, "device.managed", "subject.a", "subject.ghost"),
                   PICK(c, "==", "!="));
        return;
    case 22:
        buf_printf(out, "resource.until %s timestamp(\"2025-11-2%sT08:00:00Z\")", order(c),
                   PICK(c, "2", "4", "6"));
        return;
    case 24:
        buf_printf(out, "geo.country %s",
                   PICK(c, "== \"DE\"", "!= \"KP\"", "in [\"DE\", \"FR\"]", "in lists.sanctioned"));
        return;
    case 23:
        buf_printf(out, "subject.level %s",
                   PICK(c, "== \"x\"", "!= \"y\"", "in [\"x\", \"hr\"]", "== \"DE\""));
        return;
    default:
        buf_byte(out, '(');
        gen_expr(r->gen, out, GEN_BOOL, chance_below(c, 3));
        buf_byte(out, ')');
        return;
    }
}

static void put_condition(struct round *r, struct buf *out, unsigned depth)
{
    uint32_t luck = depth == 0 ? 0 : chance_below(&r->chance, 6);
    if (luck < 2) {
        put_leaf(r, out);
        return;
    }
    buf_str(out, luck == 5 ? STR("!(") : STR("("));
    put_condition(r, out, depth - 1);
    for (uint32_t more = chance_below(&r->chance, 2) + (luck < 5); more > 0; more--) {
        static const char *const JOINS[] = {" && ", " || ", " && "};
        buf_str(out, str_of(JOINS[luck % 3]));
        put_condition(r, out, depth - 1);
    }
    if (luck == 4 && chance_below(&r->chance, 4) == 0) {
        buf_str(out, STR(" ? "));
        put_leaf(r, out);
        buf_str(out, STR(" : "));
        put_leaf(r, out);
    }
    buf_byte(out, ')');
}

static const char COMMON[] =
    "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"
    "  - {name: password, proves: 'session.acr == \"a\"'}\n  - {name: mfa, proves: 'session.acr == \"b\"'}\n"
    "  - {name: phr, proves: 'session.acr == \"c\"'}\n"
    "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: leavers}\ntype: string\nentries: [x, admin]\n"
    "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: offices}\ntype: cidr\n"
    "entries: [10.0.0.0/8, '2001:db8::/32']\n"
    "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: sanctioned}\ntype: country\nentries: [KP]\n"
    "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: asns}\ntype: asn\nentries: ['64512', '7']\n"
    "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: stale}\ntype: string\nmax_age: 1h\n"
    "updated: 2020-01-01T00:00:00Z\nentries: [x]\n"
    "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules: [{id: r, effect: deny}]\n";

// ---- Asking ---------------------------------------------------------------------------------------------

// What the engine never says: values that a decision point makes itself are within their bounds.
static void make_true(struct world *world, struct chance *chance)
{
    struct value *score = &world->attrs[ATTR_RISK_SCORE], *requests = &world->attrs[ATTR_SESSION_REQUESTS];
    struct value *asn = &world->attrs[ATTR_GEO_ASN], *id = &world->attrs[ATTR_RESOURCE_ID];
    if (score->kind == VALUE_DOUBLE && !(score->as.d >= 0 && score->as.d <= 100)) {
        score->as.d = 41.5;
    }
    requests->as.i = requests->kind == VALUE_INT && requests->as.i < 0 ? 3 : requests->as.i;
    asn->as.i = asn->kind == VALUE_INT && asn->as.i < 0 ? 64512 : asn->as.i;
    for (int i = ATTR_TRAVEL_KM; i <= ATTR_TRAVEL_KMH; i++) {
        struct value *travel = &world->attrs[i];
        travel->as.d = travel->kind == VALUE_DOUBLE && travel->as.d < 0 ? 900 : travel->as.d;
    }
    // Of a route, and of nothing else, the id is a path.
    bool route = id->kind == VALUE_STRING && chance_below(chance, 2) == 0;
    world->attrs[ATTR_RESOURCE_PATH] = route ? *id : (struct value){.kind = VALUE_ERROR};
    if (route) {
        world->attrs[ATTR_RESOURCE_TYPE] = value_str(STR("route"));
    }
    // Who has proved a strength has proved the weaker ones.
    while ((world->proved & (world->proved + 1)) != 0) {
        world->proved &= world->proved - 1;
    }
}

static void ask(struct round *r)
{
    static const uint8_t MAY[] = {[TRUTH_YES] = MAY_YES, [TRUTH_NO] = MAY_NO, [TRUTH_UNSURE] = MAY_UNSURE};
    for (size_t w = 0; w < WORLDS; w++) {
        struct policy_result result;
        arena_reset(&r->worlds);
        world_make(&r->world, &r->chance, &r->worlds);
        make_true(&r->world, &r->chance);
        loaded_decide(&r->loaded, true, &result);
        for (size_t i = 0; i < CONDITIONS; i++) {
            r->truths[i][w] = MAY[loaded_truth(&r->loaded, i)];
        }
    }
}

static void report(const struct round *r, size_t one, unsigned may, size_t other, unsigned then)
{
    total.differences++;
    printf("PDP_DIFF_SEED=%" PRIu64 ": said to be impossible, and is so:\n  %u of " STR_FMT
           "\n  %u of " STR_FMT "\n",
           r->seed, may, STR_ARG(r->conditions[one]), then, STR_ARG(r->conditions[other]));
    fflush(stdout);
}

static void try_pair(struct round *r, struct reason *reason, size_t one, size_t other)
{
    unsigned may = 1 + chance_below(&r->chance, 6), then = 1 + chance_below(&r->chance, 6);
    struct reason_mark mark = reason_mark(reason);
    reason_assume(reason, r->loaded.extra[one], may);
    reason_assume(reason, r->loaded.extra[other], then);
    bool refuted = reason_refuted(reason, EFFORT);
    reason_undo(reason, mark);
    total.cases++;
    total.refuted += refuted;
    for (size_t w = 0; refuted && w < WORLDS; w++) {
        if ((r->truths[one][w] & may) != 0 && (r->truths[other][w] & then) != 0) {
            report(r, one, may, other, then);
            return;
        }
    }
}

static void run(struct round *r)
{
    for (size_t i = 0; i < CONDITIONS; i++) {
        struct buf text_of = {0};
        put_condition(r, &text_of, chance_below(&r->chance, 4));
        r->conditions[i] = arena_str(&r->arena, buf_view(&text_of), NULL);
        buf_fini(&text_of);
    }
    struct str common = str_of(COMMON);
    r->loaded.world = &r->world;
    r->loaded.seed = r->seed;
    total.sets++;
    if (loaded_read(&r->loaded, &common, 1, r->conditions, CONDITIONS) != PDP_ERR_OK) {
        if (getenv("PDP_DIFF_REFUSED") != NULL) {
            struct buf out = {0};
            diags_render(&r->loaded.diags, &out);
            fwrite(out.at, 1, out.len, stdout);
            buf_fini(&out);
        }
        total.refused++;
        return;
    }
    ask(r);
    const struct reason_input input = {.program = r->loaded.program, .lists = r->loaded.lists};
    AUTO(reason_free) struct reason *reason = NULL;
    invariant(reason_new(&input, &reason) == PDP_ERR_OK);
    for (size_t one = 0; one < CONDITIONS; one++) {
        for (size_t other = 0; other < CONDITIONS && total.differences < SHOWN; other++) {
            try_pair(r, reason, one, other);
        }
    }
}

// ---- Rules ----------------------------------------------------------------------------------------------

static enum truth not_of(enum truth truth)
{
    return truth == TRUTH_UNSURE ? truth : truth == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
}

static enum truth both(enum truth a, enum truth b)
{
    return a == TRUTH_NO || b == TRUTH_NO     ? TRUTH_NO
           : a == TRUTH_YES && b == TRUTH_YES ? TRUTH_YES
                                              : TRUTH_UNSURE;
}

// A condition as it is written, with one of its parts (UINT32_MAX: none) replaced.
static enum truth written(struct round *r, const struct policy_condition *all, size_t count, uint32_t at,
                          uint32_t part, enum truth is)
{
    const struct policy_condition *condition = &all[at];
    if (at == part) {
        return is;
    }
    if (condition->op == CEL_PART_ATOM || !condition->truth) {
        return cel_truth(r->loaded.frame, condition->expr);
    }
    bool any = condition->op == CEL_PART_ANY;
    enum truth truth = TRUTH_YES;
    for (uint32_t i = at + 1; i < count && all[i].parent != UINT32_MAX; i++) {
        if (all[i].parent == at) {
            enum truth own = written(r, all, count, i, part, is);
            truth = both(truth, any ? not_of(own) : own);
        }
    }
    return any || condition->op == CEL_PART_NOT ? not_of(truth) : truth;
}

static enum truth around(struct round *r, uint32_t number)
{
    const struct set_rule *rule = &r->loaded.set->rules[number];
    const struct world *world = &r->world;
    const struct value *action = &world->attrs[ATTR_ACTION_NAME], *id = &world->attrs[ATTR_RESOURCE_ID];
    uint32_t target = r->loaded.set->policies[rule->policy].target;
    struct str none = {0};
    enum truth truth = both(match_actions(rule, action->kind == VALUE_STRING ? value_text(action) : none),
                            match_resources(rule, id->kind == VALUE_STRING ? value_text(id) : none));
    return target == SET_NO_EXPR ? truth : both(truth, cel_truth(r->loaded.frame, target));
}

// A part that is said never to be false (or true) may as well be true (or false), unless it is unsure.
static bool part_is_so(struct round *r, const struct lint_finding *finding)
{
    size_t count = 0;
    struct policy_result result;
    const struct policy_condition *all = policy_conditions(r->loaded.set, &count);
    uint32_t root = finding->condition;
    if (root == UINT32_MAX) { // a target with its Scope, which is no condition that somebody wrote
        return true;
    }
    while (all[root].parent != UINT32_MAX) {
        root = all[root].parent;
    }
    loaded_decide(&r->loaded, true, &result);
    if (cel_truth(r->loaded.frame, all[finding->condition].expr) == TRUTH_UNSURE) {
        return true;
    }
    enum truth outside = finding->rule != UINT32_MAX ? around(r, finding->rule) : TRUTH_YES;
    enum truth is = finding->code == LINT_ALWAYS_TRUE ? TRUTH_YES : TRUTH_NO;
    return both(outside, written(r, all, count, root, UINT32_MAX, is)) ==
           both(outside, written(r, all, count, root, finding->condition, is));
}

// Does the rule hold for certain, if it is for whoever asks?
static bool holds(struct round *r, uint32_t number)
{
    const struct set_rule *rule = &r->loaded.set->rules[number];
    return around(r, number) == TRUTH_YES &&
           (rule->when == SET_NO_EXPR || cel_truth(r->loaded.frame, rule->when) == TRUTH_YES);
}

static void report_rule(struct round *r, const struct lint_finding *finding, enum pdp_effect with,
                        enum pdp_effect without)
{
    struct buf out = {0};
    total.differences++;
    buf_printf(&out, "PDP_DIFF_SEED=%" PRIu64 ": " STR_FMT "\n%s with it, %s without\n", r->seed,
               STR_ARG(finding->message), pdp_effect_name(with), pdp_effect_name(without));
    buf_str(&out, buf_view(&r->yaml));
    world_print(&r->world, &out);
    fwrite(out.at, 1, out.len, stdout);
    fflush(stdout);
    buf_fini(&out);
}

static bool is_so(struct round *r, const struct lint_finding *finding)
{
    struct policy_result with = {0}, without = {0};
    if (finding->code == LINT_ALWAYS_TRUE || finding->code == LINT_ALWAYS_FALSE) {
        bool so = part_is_so(r, finding);
        if (!so) {
            report_rule(r, finding, PDP_EFFECT_DENY, PDP_EFFECT_DENY);
        }
        return so;
    }
    uint64_t muted[MUTED_WORDS] = {0};
    muted[finding->rule / 64] = UINT64_C(1) << finding->rule % 64;
    r->loaded.muted = NULL;
    loaded_decide(&r->loaded, true, &with);
    if (finding->other == UINT32_MAX && !holds(r, finding->rule)) {
        return true;
    }
    r->loaded.muted = muted;
    loaded_decide(&r->loaded, true, &without);
    r->loaded.muted = NULL;
    if (finding->other != UINT32_MAX && with.effect == without.effect) {
        return true;
    }
    report_rule(r, finding, with.effect, without.effect);
    return false;
}

static bool is_proved(const struct lint_finding *finding)
{
    return finding->code <= LINT_ALWAYS_FALSE;
}

static bool is_together(const struct lint_finding *finding)
{
    return str_find(finding->message, STR(" one of `"), 0) != SIZE_MAX;
}

static void count_findings(const struct lint_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct lint_finding *finding = &findings->list[i];
        bool rule = finding->code == LINT_UNREACHABLE || finding->code == LINT_SHADOWED;
        total.dead += rule && finding->other == UINT32_MAX;
        total.covered += rule && finding->other != UINT32_MAX;
        total.together += rule && is_together(finding);
        total.parts += !rule && is_proved(finding);
    }
}

// Whoever takes out all rules that others cover must get the same answers.
static bool all_may_go(struct round *r, const struct lint_findings *findings)
{
    struct policy_result with = {0}, without = {0};
    uint64_t muted[MUTED_WORDS] = {0};
    const struct lint_finding *last = NULL;
    for (size_t i = 0; i < findings->count; i++) {
        const struct lint_finding *finding = &findings->list[i];
        if (finding->code <= LINT_SHADOWED && finding->other != UINT32_MAX) {
            muted[finding->rule / 64] |= UINT64_C(1) << finding->rule % 64;
            last = finding;
        }
    }
    loaded_decide(&r->loaded, true, &with);
    r->loaded.muted = muted;
    loaded_decide(&r->loaded, true, &without);
    r->loaded.muted = NULL;
    if (last == NULL || with.effect == without.effect) {
        return true;
    }
    printf("all that others cover taken out at once, among them:\n");
    report_rule(r, last, with.effect, without.effect);
    return false;
}

static void ask_findings(struct round *r, const struct lint_findings *findings, bool split)
{
    count_findings(findings);
    for (size_t w = 0; w < WORLDS; w++) {
        arena_reset(&r->worlds);
        world_make(&r->world, &r->chance, &r->worlds);
        if (split) {
            split_ask(&r->world, &r->chance, &r->worlds);
        }
        make_true(&r->world, &r->chance);
        for (size_t i = 0; i < findings->count; i++) {
            if (is_proved(&findings->list[i]) && !is_so(r, &findings->list[i])) {
                return;
            }
        }
        if (!all_may_go(r, findings)) {
            return;
        }
    }
}

// What lint finds in what was loaded, asked.
static void lint_and_ask(struct round *r, size_t file_count, bool split)
{
    const struct lint_input input = {.sources = r->loaded.sources,
                                     .source_count = file_count,
                                     .program = r->loaded.program,
                                     .set = r->loaded.set,
                                     .lists = r->loaded.lists,
                                     .names = &r->loaded.names,
                                     .now_ms = INT64_C(1763800000000)};
    struct lint_findings findings;
    lint_findings_init(&findings);
    invariant(lint_run(&input, &findings) == PDP_ERR_OK);
    total.cases += r->loaded.set->rule_count;
    ask_findings(r, &findings, split);
    lint_findings_fini(&findings);
}

static void run_split(struct round *r)
{
    static const char *const PATH[] = {"p.yaml"};
    split_write(&r->chance, &r->yaml);
    struct str file = buf_view(&r->yaml);
    r->loaded = (struct loaded){.paths = PATH, .world = &r->world, .seed = r->seed, .conditions = true};
    total.sets++;
    if (loaded_read(&r->loaded, &file, 1, NULL, 0) != PDP_ERR_OK) {
        total.refused++;
        return;
    }
    lint_and_ask(r, 1, true);
}

static void run_rules(struct round *r)
{
    struct str files[RULES_FILES];
    const char *paths[RULES_FILES];
    rules_write(&r->rules, &r->chance, &r->arena, &r->yaml);
    for (size_t i = 0; i < r->rules.file_count; i++) {
        size_t end = i + 1 < r->rules.file_count ? r->rules.files[i + 1].from : r->yaml.len;
        files[i] = str_sub(buf_view(&r->yaml), r->rules.files[i].from, end - r->rules.files[i].from);
        paths[i] = r->rules.files[i].name;
    }
    r->loaded = (struct loaded){.paths = paths, .world = &r->world, .seed = r->seed, .conditions = true};
    total.sets++;
    if (loaded_read(&r->loaded, files, r->rules.file_count, NULL, 0) != PDP_ERR_OK) {
        total.refused++;
        return;
    }
    lint_and_ask(r, r->rules.file_count, false);
}

static void run_seed(uint64_t seed)
{
    static struct round r;
    r = (struct round){.seed = seed, .chance = {.state = seed * 5 + 1}};
    arena_init(&r.arena, 0, 0);
    arena_init(&r.worlds, 0, 0);
    r.gen = ARENA_NEW(&r.arena, struct gen);
    r.gen->chance = &r.chance;
    r.gen->arena = &r.arena;
    run(&r);
    loaded_fini(&r.loaded);
    run_rules(&r);
    loaded_fini(&r.loaded);
    buf_clear(&r.yaml);
    run_split(&r);
    loaded_fini(&r.loaded);
    buf_fini(&r.yaml);
    arena_fini(&r.arena);
    arena_fini(&r.worlds);
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__)
    const uint64_t standard = 60000;
#else
    const uint64_t standard = 900000;
#endif
    uint64_t seeds[2], cases = diff_cases(standard), round = 0;
    size_t count = diff_seeds(seeds);
    printf("seeds %" PRIu64 " and %" PRIu64 "\n", seeds[0], seeds[1]);
    for (; diff_goes_on(total.cases, cases) && total.differences < SHOWN &&
           total.refused < 100 + total.sets / 2;
         round++) {
        run_seed(seeds[round % count] + round / count);
        if (diff_once()) {
            break;
        }
    }
    printf("%" PRIu64 " pairs of %" PRIu64 " sets (%" PRIu64 " refused), %" PRIu64
           " of them impossible, %" PRIu64 " of which are not\n",
           total.cases, total.sets, total.refused, total.refuted, total.differences);
    printf("next seed %" PRIu64 "\n", seeds[0] + round / count);
    printf("%" PRIu64 " rules that never hold, %" PRIu64 " that do not matter, %" PRIu64
           " of them by several others, %" PRIu64 " parts of conditions\n",
           total.dead, total.covered, total.together, total.parts);
    bool lively = diff_once() || (total.refuted * 50 > total.cases && total.dead * 20 > total.sets &&
                                  total.covered * 20 > total.sets && total.together * 50 > total.sets &&
                                  total.parts * 20 > total.sets);
    return total.differences == 0 && total.refused * 2 < total.sets && lively ? 0 : 1;
}
