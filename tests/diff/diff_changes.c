// SPDX-License-Identifier: Apache-2.0
// What `pdpctl diff` says of generated rule sets and random edits of them: where it says that nothing
// changed, random questions get the same answers: the same rules in the same order, reason, message,
// obligations; where it says that only words did, the same effects. And each of its examples is answered
// differently, asked as text of new engines. PDP_DIFF_SHOW shows the changes that got none.
#include "cli/change/diff.h"
#include "diff/diff.h"
#include "diff/gen.h"
#include "engine/anew.h"

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

enum {
    POLICIES = 2,
    RULES = 4,
    QUESTIONS = 400
};
#if defined(__SANITIZE_ADDRESS__)
#define CASES 5
#else
#define CASES 40
#endif

// A rule set in parts, of which any may be another in its twin.
struct set {
    uint32_t policies, rules[POLICIES], algorithm[POLICIES];
    struct str target[POLICIES]; // empty: none
    struct {
        const char *effect, *keys, *require, *words;
        struct str when; // empty: always
    } rule[POLICIES][RULES];
    struct str entries, shared;
    const char *risk, *limits;
    uint32_t layout; // how it is written; says nothing
};

struct made {
    struct chance chance;
    struct arena arena;
    struct gen gen;
    struct set was, is;
};

static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
static const char *const EFFECTS[] = {"allow", "allow", "deny", "step_up", "terminate"};
static const char *const KEYS[] = {"",
                                   "",
                                   ", actions: [GET]",
                                   ", actions: [x, POST]",
                                   ", resources: ['/a/**']",
                                   ", resources: ['/b', '/a/*']",
                                   ", expires: 2027-01-01T00:00:00Z"};
static const char *const REQUIRES[] = {"{strength: mfa}", "{strength: phr, max_age: 5m}",
                                       "{strength: password, max_age: 9m}"};

static const char *const WORDS[] = {"",
                                    "",
                                    ", message: go away",
                                    ", reason: because",
                                    ", message: later, reason: it is late",
                                    ", obligations: [{type: log}]",
                                    ", obligations: [{type: log}, {type: mask, properties: {a: 1}}]",
                                    ", obligations: [{type: mask, properties: {a: 1}}, {type: log}]"};

// Some mean the same as others.
static const char *const RISKS[] = {
    "signals: {external: {evidence: 6}}",
    "signals: {external: {evidence: 6.0, cap: 6}}",
    "signals: {external: {evidence: 3}}",
    "prior: -3.5\nsignals: {external: {evidence: 6}}",
    "signals: {external: {evidence: 6}}\nthresholds: {medium: 20, high: 50, critical: 90}",
    "signals: {external: {evidence: 6}, new-device: {on_missing: skip}}"};
static const char *const LIMITS[] = {"idle: 1h",
                                     "idle: 60m",
                                     "idle: 30m",
                                     "idle: 1h, absolute: 24h",
                                     "idle: 1h, absolute: 20h",
                                     "idle: 1h, concurrent: 2"};

// ---- Making --------------------------------------------------------------------------------------------

static uint32_t below(struct made *m, uint32_t limit)
{
    return chance_below(&m->chance, limit);
}

static struct str condition(struct made *m)
{
    static const char *const PLAIN[] = {"subject.a == \"x\"",
                                        "subject.a in [\"x\", \"y\"]",
                                        "\"hr\" in subject.roles",
                                        "subject.n > 3",
                                        "subject.id in lists.leavers",
                                        "risk.score > 40.0",
                                        "risk.level >= level(\"high\")",
                                        "vars.shared",
                                        "context.b != \"x\"",
                                        "has(subject.b)",
                                        "resource.path.startsWith(\"/a\")",
                                        "device.managed"};
    struct buf out = {0};
    uint32_t parts = 1 + below(m, 2);
    for (uint32_t i = 0; i < parts; i++) {
        buf_printf(&out, "%s", i > 0 ? (below(m, 2) == 0 ? " && " : " || ") : "");
        if (below(m, 4) == 0) {
            buf_byte(&out, '(');
            gen_expr(&m->gen, &out, GEN_BOOL, below(m, 2));
            buf_byte(&out, ')');
        } else {
            buf_printf(&out, "%s(%s)", below(m, 3) == 0 ? "!" : "", PLAIN[below(m, COUNT_OF(PLAIN))]);
        }
    }
    struct str text = arena_str(&m->arena, buf_view(&out), NULL);
    buf_fini(&out);
    return text;
}

static void make(struct made *m)
{
    struct set *set = &m->was;
    *set = (struct set){.policies = 1 + below(m, POLICIES),
                        .entries = STR("x, admin"),
                        .shared = STR("subject.a == \"y\""),
                        .risk = RISKS[0],
                        .limits = LIMITS[0]};
    for (uint32_t p = 0; p < set->policies; p++) {
        set->algorithm[p] = below(m, 4) > 2 ? 1 + below(m, 2) : 0;
        set->target[p] = below(m, 3) == 0 ? condition(m) : (struct str){0};
        set->rules[p] = 1 + below(m, RULES);
        for (uint32_t r = 0; r < set->rules[p]; r++) {
            set->rule[p][r].effect = EFFECTS[below(m, COUNT_OF(EFFECTS))];
            set->rule[p][r].keys = KEYS[below(m, COUNT_OF(KEYS))];
            set->rule[p][r].require = REQUIRES[below(m, COUNT_OF(REQUIRES))];
            set->rule[p][r].words = WORDS[below(m, COUNT_OF(WORDS))];
            set->rule[p][r].when = below(m, 5) > 0 ? condition(m) : (struct str){0};
        }
    }
    set->rule[0][0].effect = "allow";
}

static struct str wrapped(struct made *m, struct str when)
{
    switch (below(m, 4)) {
    case 0:
        return arena_printf(&m->arena, "!(!(" STR_FMT "))", STR_ARG(when));
    case 1:
        return arena_printf(&m->arena, "(" STR_FMT ") && true", STR_ARG(when));
    case 2:
        return arena_printf(&m->arena, "(" STR_FMT ") || (" STR_FMT ")", STR_ARG(when), STR_ARG(when));
    default:
        return arena_printf(&m->arena, "false || (" STR_FMT ")", STR_ARG(when));
    }
}

// One edit; some of them change no meaning.
static void edit(struct made *m)
{
    struct set *set = &m->is;
    uint32_t p = below(m, set->policies), r = below(m, set->rules[p]);
    switch (below(m, 18)) {
    case 0:
        set->rule[p][r].effect = EFFECTS[below(m, COUNT_OF(EFFECTS))];
        break;
    case 1:
        set->rule[p][r].when = condition(m);
        break;
    case 2:
        set->rule[p][r].keys = KEYS[below(m, COUNT_OF(KEYS))];
        break;
    case 3:
        set->rule[p][r].require = REQUIRES[below(m, COUNT_OF(REQUIRES))];
        break;
    case 4:
        set->rules[p] -= set->rules[p] > 1;
        break;
    case 5:
        set->algorithm[p] = below(m, 3);
        break;
    case 6:
        set->target[p] = below(m, 2) == 0 ? (struct str){0} : condition(m);
        break;
    case 7:
        set->entries = below(m, 2) == 0 ? STR("admin, x") : STR("x, y, admin");
        break;
    case 8:
        set->shared = below(m, 2) == 0 ? STR("\"y\" == subject.a") : STR("subject.a == \"x\"");
        break;
    case 9:
        set->rule[p][r].when = set->rule[p][r].when.len > 0 ? wrapped(m, set->rule[p][r].when) : STR("true");
        break;
    case 10:
        set->risk = RISKS[below(m, COUNT_OF(RISKS))];
        break;
    case 11:
        set->limits = LIMITS[below(m, COUNT_OF(LIMITS))];
        break;
    case 12:
        set->rule[p][r].words = WORDS[below(m, COUNT_OF(WORDS))];
        break;
    default:
        set->layout = 1 + below(m, 7);
        break;
    }
}

// `layout` bit 0: rules the other way round; bit 1: other white space; bit 2: policies in the other order:
// what no question gets another effect by.
static void write_set(const struct set *set, struct buf *out)
{
    buf_printf(out, HEAD("Strengths", "s") "levels:\n  - {name: password, proves: '\"pwd\" in session.amr'}\n"
                                           "  - {name: mfa, proves: '\"otp\" in session.amr'}\n"
                                           "  - {name: phr, proves: '\"hwk\" in session.amr'}\n");
    buf_printf(out, HEAD("List", "leavers") "type: string\nentries: [" STR_FMT "]\n", STR_ARG(set->entries));
    static const char *const LISTS[] = {"offices", "cidr", "[10.0.0.0/8]", "sanctioned", "country", "[KP]",
                                        "asns",    "asn",  "['7']",        "stale",      "string",  "[x]"};
    for (size_t i = 0; i < COUNT_OF(LISTS); i += 3) {
        buf_printf(out, "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: %s}\ntype: %s\nentries: %s\n",
                   LISTS[i], LISTS[i + 1], LISTS[i + 2]);
    }
    buf_printf(out, HEAD("Definitions", "d") "variables:\n  shared: '" STR_FMT "'\n", STR_ARG(set->shared));
    buf_printf(out, HEAD("RiskModel", "risk") "%s\n", set->risk);
    buf_printf(out, HEAD("SessionPolicy", "all") "limits: {%s}\n", set->limits);
    for (uint32_t i = 0; i < set->policies; i++) {
        uint32_t p = (set->layout & 4) != 0 ? set->policies - 1 - i : i;
        buf_printf(out, "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\n", p,
                   ALGORITHMS[set->algorithm[p]]);
        if (set->target[p].len > 0) {
            buf_printf(out, "target: '" STR_FMT "'\n", STR_ARG(set->target[p]));
        }
        buf_printf(out, "rules:%s\n", (set->layout & 2) != 0 ? " # as follows" : "");
        for (uint32_t k = 0; k < set->rules[p]; k++) {
            bool turned = (set->layout & 1) != 0 && set->algorithm[p] != 1;
            uint32_t r = turned ? set->rules[p] - 1 - k : k;
            bool asks = strcmp(set->rule[p][r].effect, "step_up") == 0;
            buf_printf(out, "  - {id: r%u,%s effect: %s%s%s%s%s", r, (set->layout & 2) != 0 ? "\n     " : "",
                       set->rule[p][r].effect, asks ? ", require: " : "", asks ? set->rule[p][r].require : "",
                       set->rule[p][r].words, set->rule[p][r].keys);
            if (set->rule[p][r].when.len > 0) {
                buf_printf(out, ", when: '" STR_FMT "'", STR_ARG(set->rule[p][r].when));
            }
            buf_str(out, STR("}\n"));
        }
    }
}

static enum pdp_err no_file(void *user, struct str path, struct str *text)
{
    (void)user, (void)path, (void)text;
    return PDP_ERR_IO;
}

// NULL: it does not compile, which generated conditions may not.
static struct snapshot *build(const struct set *set, struct buf *text, struct diags *diags)
{
    struct snapshot *snapshot = NULL;
    write_set(set, text);
    const struct snapshot_file file = {.name = STR("policies/all.yaml"), .text = buf_view(text)};
    const struct snapshot_input input = {.files = &file,
                                         .file_count = 1,
                                         .read_file = no_file,
                                         .read_zone = no_file,
                                         .now_ms = TRIAL_NOW,
                                         .conditions = true};
    return snapshot_build(&input, (struct hash_key){1, 2}, diags, &snapshot) == PDP_ERR_OK ? snapshot : NULL;
}

// ---- Asking ----------------------------------------------------------------------------------------------

static struct value text(const char *t)
{
    return value_str(str_of(t));
}

static struct value any_text(struct made *m)
{
    return text(WORLD_TEXTS[below(m, (uint32_t)WORLD_TEXT_COUNT)]);
}

static struct value list_of(struct made *m, const char *a, const char *b)
{
    struct value *list = ARENA_ARRAY(&m->arena, struct value, 2);
    list[0] = text(a);
    list[1] = text(b);
    return (struct value){.kind = VALUE_LIST, .n = 2, .as.list = list};
}

static void ask_anything(struct made *m, struct trial *trial)
{
    static const char *const PATHS[] = {"subject.a", "subject.b", "subject.ghost",
                                        "context.b", "context.a", "resource.a"};
    static const char *const IDS[] = {"/a/1", "/a/b/c", "/b", "/c", "x", "admin", "y"};
    static const char *const ACTIONS[] = {"GET", "x", "POST", "PUT"};
    trial_init(trial, &m->arena);
    trial_put(trial, STR("subject.type"), text("user"));
    trial_put(trial, STR("subject.id"), text(IDS[below(m, COUNT_OF(IDS))]));
    trial_put(trial, STR("action.name"), text(ACTIONS[below(m, COUNT_OF(ACTIONS))]));
    trial_put(trial, STR("resource.type"), text(below(m, 4) > 0 ? "route" : "page"));
    trial_put(trial, STR("resource.id"), text(IDS[below(m, 4)]));
    trial_put(trial, STR("network.ip"), text(below(m, 2) == 0 ? "10.1.2.3" : "203.0.113.7"));
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        if (below(m, 2) == 0) {
            trial_put(trial, str_of(PATHS[i]), below(m, 4) > 0 ? any_text(m) : value_int(below(m, 6)));
        }
    }
    if (below(m, 2) == 0) {
        trial_put(trial, STR("subject.roles"), list_of(m, below(m, 2) == 0 ? "hr" : "it", "x"));
    }
    if (below(m, 2) == 0) {
        trial_put(trial, STR("subject.n"), value_int(below(m, 8)));
    }
    if (below(m, 2) == 0) {
        trial_put(trial, STR("device.managed"), value_bool(below(m, 2) == 0));
    }
    trial_put(trial, STR("session.amr"),
              list_of(m, below(m, 2) == 0 ? "pwd" : "otp", below(m, 3) == 0 ? "hwk" : "x"));
    trial_put(trial, STR("session.auth_time"), value_time_ms(trial->now_ms - 1000 * (int64_t)below(m, 900)));
    trial->login = below(m, 3) == 0;
    trial->evidence = below(m, 3) == 0 ? below(m, 70) / 10.0 : trial->evidence;
}

static bool one_question(struct made *m, struct twin *twin, enum twin_grade least)
{
    struct trial trial;
    struct trial_step steps[TRIAL_STEPS_MOST];
    struct twin_found found;
    ask_anything(m, &trial);
    size_t count = trial_steps(&trial, steps);
    twin_play(twin, steps, count, NULL, &m->arena, &found);
    return found.grade >= least;
}

// Texts of answers, as a daemon gives them; of the last line.
static void asked(const struct snapshot *snapshot, const struct example *example, struct buf *out)
{
    const struct engine_config config = {.key = {3, 4}, .id_prefix = 1};
    struct engine *engine = NULL;
    struct worker *worker = NULL;
    struct snapshot *share = NULL;
    const struct peer peer = {.name = STR("test"), .hash = 7, .grants = GRANT_ALL | GRANT_SIMULATE};
    if (snapshot_share(snapshot, &share) != PDP_ERR_OK || engine_new(&config, &engine) != PDP_ERR_OK ||
        worker_new(engine, &worker) != PDP_ERR_OK) {
        abort();
    }
    engine_publish(engine, &share);
    for (size_t i = 0; i < example->count; i++) {
        struct buf line = {0};
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &line);
        trial_line(&example->steps[i], &emit);
        buf_clear(out);
        engine_answer(worker, &peer, buf_view(&line), 0, out);
        buf_fini(&line);
    }
    worker_free(&worker);
    engine_free(&engine);
}

// Of an example that stands on places: new engines for which they are so.
static bool differs_there(const struct snapshot *was, const struct snapshot *is,
                          const struct example *example)
{
    struct twin twin;
    struct twin_found found;
    struct arena arena;
    arena_init(&arena, 0, 0);
    if (twin_init(&twin, was, is) != PDP_ERR_OK || twin_places(&twin, example->places) != PDP_ERR_OK) {
        abort();
    }
    twin_play(&twin, example->steps, example->count, NULL, &arena, &found);
    bool good = found.grade == example->grade && str_eq(found.was.effect, example->was.effect) &&
                str_eq(found.is.effect, example->is.effect);
    twin_fini(&twin);
    arena_fini(&arena);
    return good;
}

struct totals {
    uint64_t cases, same, words, changes, examples, effects, turned, bad;
    uint64_t of_kind[FACT_KIND_COUNT][2]
                    [2]; // by words alone or not: all, and those shown or told to be unread
};

static void count_kind(struct made *m, const struct diff *diff, size_t at, struct totals *totals)
{
    const struct change *change = &diff->changes.list[at];
    bool shown = diff->examples[at].grade != TWIN_SAME || diff->examples[at].unread;
    totals->of_kind[change->kind][change->words][0]++;
    totals->of_kind[change->kind][change->words][1] += shown;
    if (shown || getenv("PDP_DIFF_SHOW") == NULL) {
        return;
    }
    struct buf was = {0}, is = {0};
    struct diff alone = *diff;
    alone.changes.list = &diff->changes.list[at];
    alone.changes.count = 1;
    alone.examples = &diff->examples[at];
    write_set(&m->was, &was);
    diff_show(&alone, &is);
    printf("%zu of %zu%s\n" STR_FMT "%s\n" STR_FMT "\n", at + 1, diff->changes.count,
           change->words ? ", words" : "", STR_ARG(buf_view(&is)), "----", STR_ARG(buf_view(&was)));
    buf_fini(&was);
    buf_fini(&is);
}

static void show_kinds(const struct totals *totals)
{
    for (size_t kind = 0; kind < FACT_KIND_COUNT; kind++) {
        const uint64_t(*of)[2] = totals->of_kind[kind];
        if (of[0][0] + of[1][0] > 0) {
            printf("%s: %" PRIu64 " of %" PRIu64 " shown or read by nothing; of words alone %" PRIu64
                   " of %" PRIu64 "\n",
                   fact_word((enum fact_kind)kind), of[0][1], of[0][0], of[1][1], of[1][0]);
        }
    }
}

static void check_examples(struct made *m, const struct diff *diff, const struct snapshot *was,
                           const struct snapshot *is, struct totals *totals)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        const struct example *example = &diff->examples[i];
        struct buf one = {0}, two = {0};
        totals->changes++;
        count_kind(m, diff, i, totals);
        if (example->grade == TWIN_SAME) {
            continue;
        }
        totals->examples++;
        totals->effects += example->grade == TWIN_EFFECT;
        totals->turned += diff->changes.list[i].kind == FACT_SEQUENCE;
        if (diff->changes.count == 1 && example->others) {
            totals->bad++;
            fprintf(stderr, "one change alone is shown together with others\n");
        }
        if (example->places.len > 0) {
            totals->bad += !differs_there(was, is, example);
            continue;
        }
        asked(was, example, &one);
        asked(is, example, &two);
        char shown[64];
        snprintf(shown, sizeof shown, "\"effect\":\"" STR_FMT "\"", STR_ARG(example->was.effect));
        bool event = example->steps[example->count - 1].event;
        bool good = event || str_find(buf_view(&one), str_of(shown), 0) != SIZE_MAX;
        snprintf(shown, sizeof shown, "\"effect\":\"" STR_FMT "\"", STR_ARG(example->is.effect));
        good = good && (event || str_find(buf_view(&two), str_of(shown), 0) != SIZE_MAX);
        if (!good || (example->grade == TWIN_EFFECT && str_eq(example->was.effect, example->is.effect))) {
            totals->bad++;
            fprintf(stderr, "an example is answered otherwise:\n" STR_FMT "\n" STR_FMT "\n",
                    STR_ARG(buf_view(&one)), STR_ARG(buf_view(&two)));
        }
        buf_fini(&one);
        buf_fini(&two);
    }
}

static void check_same(struct made *m, const struct snapshot *was, const struct snapshot *is,
                       enum twin_grade least, struct totals *totals)
{
    struct twin twin;
    uint64_t bad = 0;
    if (twin_init(&twin, was, is) != PDP_ERR_OK) {
        abort();
    }
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        bad += one_question(m, &twin, least);
    }
    twin_fini(&twin);
    totals->same += least == TWIN_WORDS;
    totals->words += least != TWIN_WORDS;
    totals->bad += bad;
    if (bad > 0) {
        struct buf one = {0}, two = {0};
        write_set(&m->was, &one);
        write_set(&m->is, &two);
        fprintf(stderr,
                "said to be the same, and %" PRIu64 " questions are answered differently:\n" STR_FMT
                "\n" STR_FMT "\n",
                bad, STR_ARG(buf_view(&one)), STR_ARG(buf_view(&two)));
        buf_fini(&one);
        buf_fini(&two);
    }
}

static bool only_words(const struct diff *diff)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        if (!diff->changes.list[i].words) {
            return false;
        }
    }
    return true;
}

static void one_case(struct made *m, struct totals *totals)
{
    struct buf was_text = {0}, is_text = {0};
    struct diags diags;
    struct diff diff = {0};
    diags_init(&diags, 100);
    make(m);
    m->is = m->was;
    for (uint32_t edits = 1 + below(m, 2); edits > 0; edits--) {
        edit(m);
    }
    struct snapshot *was = build(&m->was, &was_text, &diags);
    struct snapshot *is = was != NULL ? build(&m->is, &is_text, &diags) : NULL;
    if (is != NULL) {
        if (diff_find(was, is, &diff) != PDP_ERR_OK || diff_search(&diff, was, is) != PDP_ERR_OK) {
            abort();
        }
        totals->cases++;
        if (diff.changes.count == 0) {
            check_same(m, was, is, TWIN_WORDS, totals);
        } else {
            check_examples(m, &diff, was, is, totals);
        }
        if (diff.changes.count > 0 && only_words(&diff)) {
            check_same(m, was, is, TWIN_EFFECT, totals);
        }
        diff_fini(&diff);
    }
    snapshot_free(&was);
    snapshot_free(&is);
    diags_fini(&diags);
    buf_fini(&was_text);
    buf_fini(&is_text);
}

int main(void)
{
    uint64_t seeds[2], wanted = diff_cases(CASES);
    size_t seed_count = diff_seeds(seeds);
    struct totals totals = {0};
    for (size_t i = 0; i < seed_count; i++) {
        uint64_t until = totals.cases + wanted;
        for (uint64_t number = 0; totals.cases < until && number < 20 * wanted; number++) {
            struct made *m = calloc(1, sizeof *m);
            m->chance.state = (seeds[i] << 20) + number;
            arena_init(&m->arena, 0, 0);
            m->gen = (struct gen){.chance = &m->chance, .arena = &m->arena};
            one_case(m, &totals);
            arena_fini(&m->arena);
            free(m);
        }
    }
    show_kinds(&totals);
    printf("%" PRIu64 " edits: %" PRIu64 " said to change nothing, %" PRIu64 " words alone; %" PRIu64
           " changes, %" PRIu64 " with an example, %" PRIu64 " of another effect, %" PRIu64
           " of another order; %" PRIu64 " wrong\n",
           totals.cases, totals.same, totals.words, totals.changes, totals.examples, totals.effects,
           totals.turned, totals.bad);
    return totals.bad == 0 && totals.same > 0 && totals.examples > 0 ? 0 : 1;
}
