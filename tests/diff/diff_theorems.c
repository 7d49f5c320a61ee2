// SPDX-License-Identifier: Apache-2.0
// Theorems about rule sets, each tried on generated ones that are read, compiled, indexed and asked. Cedar
// proves the first three of its own language; the rest is ours. The seed is fixed; PDP_SEED tries another.
#include "diff/gen.h"
#include "diff/loaded.h"
#include "diff/pairs.h"
#include "policy/combine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

enum {
    POLICIES = 4,
    RULES = 6,
    WORLDS = 6,
    ALLOW_NONE = 1, // no rule allows
    TYPED = 2       // conditions over typed attributes, none of which asks whether one is there
};
#if defined(__SANITIZE_ADDRESS__)
#define SETS 150
#else
#define SETS 1500
#endif

static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
static const char *const EFFECTS[] = {"step_up", "deny", "terminate", "allow", "allow", "allow"};

// A rule set in parts that can be put together in another order.
struct part {
    struct str text; // of a policy: its head
    struct str rules[RULES + 1];
    uint32_t count;
    bool first_match;
};

struct made {
    struct chance chance;
    struct arena arena, worlds;
    struct gen *gen;
    struct part policies[POLICIES + 1];
    uint32_t count;
    struct str common, exceptions; // other documents
    unsigned flags;
};

struct answer {
    enum pdp_effect effect;
    size_t rules, exceptions, missing;
    uint64_t names; // of the deciding rules, in no order
    bool has_require;
    uint32_t strength;
    int64_t max_age_s, until_ms;
};

static uint64_t seed(void)
{
    const char *given = getenv("PDP_SEED");
    return given != NULL ? strtoull(given, NULL, 10) : 16;
}

// ---- Writing --------------------------------------------------------------------------------------------

static void put_condition(struct made *m, struct buf *out)
{
    static const char *const KEYS[] = {"subject.a == \"x\"",         "geo.country in [\"DE\", \"KP\"]",
                                       "action.name == \"GET\"",     "resource.id.startsWith(\"/a\")",
                                       "\"hr\" in subject.roles",    "vars.shared",
                                       "subject.b in lists.leavers", "subject.n == 1"};
    uint32_t luck = chance_below(&m->chance, 4);
    if ((m->flags & TYPED) != 0) {
        struct pair p = {.chance = &m->chance, .no_has = true};
        pair_condition(&p, chance_below(&m->chance, 3));
        buf_str(out, buf_view(&p.ours));
        pair_fini(&p);
        return;
    }
    if (luck > 0) {
        buf_str(out, str_of(KEYS[chance_below(&m->chance, COUNT_OF(KEYS))]));
    }
    if (luck < 2) {
        buf_str(out, luck > 0 ? STR(" && (") : STR("("));
        gen_expr(m->gen, out, GEN_BOOL, chance_below(&m->chance, 3));
        buf_byte(out, ')');
    }
}

static struct str rule(struct made *m, const char *effect, const char *id, bool always)
{
    static const char *const KEYS[] = {"",
                                       "",
                                       "",
                                       ", actions: [GET]",
                                       ", actions: [x, POST]",
                                       ", resources: ['/a/**']",
                                       ", resources: ['/b', '/a/*']",
                                       ", starts: 2025-11-24T00:00:00Z",
                                       ", expires: 2025-11-25T12:00:00Z",
                                       ", starts: 2020-01-01T00:00:00Z, actions: [GET]"};
    static const char *const REQUIRES[] = {"", ", require: {strength: mfa}",
                                           ", require: {strength: phr, max_age: 5m}",
                                           ", require: {strength: password, max_age: 9m}"};
    struct buf out = {0};
    buf_printf(&out, "  - {id: %s, effect: %s%s", id, effect,
               strcmp(effect, "step_up") == 0 ? REQUIRES[1 + chance_below(&m->chance, 3)] : "");
    if (strcmp(effect, "allow") != 0 && chance_below(&m->chance, 6) == 0) {
        buf_str(&out, STR(", exceptions: never"));
    }
    if (!always) {
        buf_printf(&out, "%s, when: '", KEYS[chance_below(&m->chance, COUNT_OF(KEYS))]);
        put_condition(m, &out);
        buf_byte(&out, '\'');
    }
    buf_str(&out, STR("}\n"));
    struct str text = arena_str(&m->arena, buf_view(&out), NULL);
    buf_fini(&out);
    return text;
}

static void make_policy(struct made *m, struct part *part, uint32_t number)
{
    struct buf head = {0};
    uint32_t algorithm = chance_below(&m->chance, COUNT_OF(ALGORITHMS));
    *part = (struct part){.first_match = algorithm == COMBINE_FIRST_MATCH};
    buf_printf(&head, HEAD("Policy", "p%u") "combine: %s\n", number, ALGORITHMS[algorithm]);
    if (chance_below(&m->chance, 3) == 0) {
        buf_str(&head, STR("target: '"));
        put_condition(m, &head);
        buf_str(&head, STR("'\n"));
    }
    buf_str(&head, STR("rules:\n"));
    part->text = arena_str(&m->arena, buf_view(&head), NULL);
    buf_fini(&head);
    uint32_t effects = (m->flags & ALLOW_NONE) != 0 ? 3 : (uint32_t)COUNT_OF(EFFECTS),
             rules = 1 + chance_below(&m->chance, RULES);
    while (part->count < rules) {
        char id[16];
        snprintf(id, sizeof id, "r%u", part->count);
        // One that always holds now and then, or hardly anything would be allowed.
        part->rules[part->count++] =
            rule(m, EFFECTS[chance_below(&m->chance, effects)], id, chance_below(&m->chance, 6) == 0);
    }
}

static struct str exceptions(struct made *m)
{
    static const char *const LIFTS[] = {"'*'", "p0/r0", "'*'"};
    static const char *const REQUIRES[] = {"", "require: {strength: mfa}\n",
                                           "require: {strength: password, max_age: 2m}\n"};
    struct buf out = {0};
    uint32_t count = chance_below(&m->chance, 3);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(&out, HEAD("Exception", "e%u") "lifts: [%s]\n%sexpires: %s\nwhen: '", i,
                   LIFTS[chance_below(&m->chance, 2) * 2], REQUIRES[chance_below(&m->chance, 3)],
                   chance_below(&m->chance, 3) == 0 ? "2025-11-24T00:00:00Z" : "2039-01-01T00:00:00Z");
        put_condition(m, &out);
        buf_str(&out, STR("'\n"));
    }
    struct str text = arena_str(&m->arena, buf_view(&out), NULL);
    buf_fini(&out);
    return text;
}

static struct str common(struct made *m)
{
    struct buf out = {0};
    buf_str(&out, STR(HEAD("Strengths", "s") "levels:\n  - {name: password, proves: 'session.acr == \"a\"'}\n"
                                             "  - {name: mfa, proves: 'session.acr == \"b\"'}\n  - {name: "
                                             "phr, proves: 'session.acr == \"c\"'}\n"));
    static const char *const LISTS[WORLD_SETS] = {
        "type: string\nentries: [x, admin]", "type: cidr\nentries: [10.0.0.0/8]",
        "type: country\nentries: [KP]", "type: asn\nentries: ['7']",
        "type: string\nmax_age: 1h\nupdated: 2020-01-01T00:00:00Z\nentries: [x]"};
    for (size_t i = 0; i < WORLD_SETS; i++) {
        buf_printf(&out, HEAD("List", STR_FMT) "%s\n", STR_ARG(WORLD_SET_NAMES[i]), LISTS[i]);
    }
    buf_str(&out, STR(HEAD("Definitions", "d") "variables:\n  shared: '"));
    if ((m->flags & TYPED) != 0) {
        put_condition(m, &out);
    } else {
        gen_expr(m->gen, &out, GEN_BOOL, 2);
    }
    buf_str(&out, STR("'\n"));
    struct str text = arena_str(&m->arena, buf_view(&out), NULL);
    buf_fini(&out);
    return text;
}

static void make(struct made *m, uint64_t number, unsigned flags)
{
    *m = (struct made){.chance = {.state = (seed() << 24) + number * 3}, .flags = flags};
    arena_init(&m->arena, 0, 0);
    arena_init(&m->worlds, 0, 0);
    m->gen = ARENA_NEW(&m->arena, struct gen);
    m->gen->chance = &m->chance;
    m->gen->arena = &m->arena;
    m->common = common(m);
    m->count = 1 + chance_below(&m->chance, POLICIES);
    for (uint32_t i = 0; i < m->count; i++) {
        make_policy(m, &m->policies[i], i);
    }
    m->exceptions = exceptions(m);
}

static void made_fini(struct made *m)
{
    arena_fini(&m->arena);
    arena_fini(&m->worlds);
}

// ---- Putting together -----------------------------------------------------------------------------------

static void shuffle(struct chance *chance, uint32_t *order, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t k = chance_below(chance, i), kept = order[i - 1];
        order[i - 1] = order[k];
        order[k] = kept;
    }
}

static void put_part(struct buf *out, const struct part *part, struct chance *mixed)
{
    uint32_t order[RULES + 1];
    for (uint32_t i = 0; i < part->count; i++) {
        order[i] = i;
    }
    if (mixed != NULL && !part->first_match) {
        shuffle(mixed, order, part->count);
    }
    buf_str(out, part->text);
    for (uint32_t i = 0; i < part->count; i++) {
        buf_str(out, part->rules[order[i]]);
    }
}

// `mixed`: policies in another order and over several files, rules too where order does not matter. NULL: one
// file, as made.
static bool put_together(struct made *m, struct chance *mixed, struct loaded *loaded, struct world *world)
{
    struct buf files[LOADED_NAMED] = {{0}};
    struct str views[LOADED_NAMED];
    uint32_t order[POLICIES + 1], file_count = mixed != NULL ? LOADED_NAMED : 1;
    for (uint32_t i = 0; i < m->count; i++) {
        order[i] = i;
    }
    if (mixed != NULL) {
        shuffle(mixed, order, m->count);
    }
    buf_str(&files[mixed != NULL ? chance_below(mixed, LOADED_NAMED) : 0], m->common);
    buf_str(&files[mixed != NULL ? chance_below(mixed, LOADED_NAMED) : 0], m->exceptions);
    for (uint32_t i = 0; i < m->count; i++) {
        put_part(&files[mixed != NULL ? chance_below(mixed, LOADED_NAMED) : 0], &m->policies[order[i]],
                 mixed);
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < file_count; i++) {
        if (files[i].len > 0) {
            views[used++] = arena_str(&m->arena, buf_view(&files[i]), NULL);
        }
        buf_fini(&files[i]);
    }
    *loaded = (struct loaded){.world = world, .seed = m->chance.state};
    bool good = loaded_read(loaded, views, used, NULL, 0) == PDP_ERR_OK;
    if (!good) {
        loaded_fini(loaded);
    }
    return good;
}

static void ask(struct loaded *loaded, struct answer *out)
{
    struct policy_result got;
    loaded_decide(loaded, false, &got);
    *out = (struct answer){.effect = got.effect,
                           .rules = got.rule_count,
                           .exceptions = got.exception_count,
                           .missing = got.missing_count,
                           .has_require = got.has_require,
                           .strength = got.require_strength,
                           .max_age_s = got.require_max_age_s,
                           .until_ms = got.until_ms};
    for (size_t i = 0; i < got.rule_count; i++) {
        struct str name = policy_rule_name(loaded->set, got.rules[i]);
        out->names += hash_64((struct hash_key){1, 2}, name.at, name.len);
    }
}

static void fail_over(struct loaded *loaded, const char *what)
{
    struct buf out = {0};
    for (size_t i = 0; i < LOADED_FILES && loaded->sources[i].text.at != NULL; i++) {
        buf_str(&out, loaded->sources[i].text);
    }
    world_print(loaded->world, &out);
    cr_expect(false, "%s\n" STR_FMT, what, STR_ARG(buf_view(&out)));
    buf_fini(&out);
}

static int rank(enum pdp_effect effect)
{
    return pdp_effect_rank(effect);
}

// ---- Theorems -------------------------------------------------------------------------------------------

// Whatever the restricting rules, exceptions and questions are: where no rule allows, nothing is.
Test(theorems, nothing_is_allowed_by_default, .timeout = 100)
{
    unsigned loads = 0;
    for (uint64_t i = 0; i < SETS; i++) {
        struct made m;
        struct loaded loaded;
        struct world world;
        struct answer answer;
        make(&m, i, ALLOW_NONE);
        if (put_together(&m, NULL, &loaded, &world)) {
            for (int k = 0; k < WORLDS; k++) {
                world_make(&world, &m.chance, &m.worlds);
                ask(&loaded, &answer);
                if (rank(answer.effect) < rank(PDP_EFFECT_DENY)) {
                    fail_over(&loaded, "allowed by nobody");
                }
            }
            loaded_fini(&loaded);
            loads++;
        }
        made_fini(&m);
    }
    cr_expect_gt(loads, SETS / 2, "%u sets", loads);
}

// One more rule that restricts: anywhere in a policy where order does not matter, at the end of one where it
// does, or in a policy of its own.
static void add_rule(struct made *m, struct str text)
{
    uint32_t at = chance_below(&m->chance, m->count + 1);
    if (at == m->count) {
        make_policy(m, &m->policies[m->count++], at);
        m->policies[at].count = 0; // a head and its target, without its rules
    }
    struct part *part = &m->policies[at];
    uint32_t place = part->first_match ? part->count : chance_below(&m->chance, part->count + 1);
    memmove(&part->rules[place + 1], &part->rules[place], (part->count - place) * sizeof *part->rules);
    part->rules[place] = text;
    part->count++;
}

static void compare_more(struct made *m, struct loaded *less, struct loaded *more, struct world *world,
                         unsigned *seen)
{
    for (int k = 0; k < WORLDS; k++) {
        struct answer before, after;
        world_make(world, &m->chance, &m->worlds);
        ask(less, &before);
        ask(more, &after);
        seen[rank(before.effect)]++;
        if (rank(after.effect) < rank(before.effect)) {
            fail_over(more, "loosened by the rule `new`");
        }
    }
}

Test(theorems, a_restricting_rule_never_loosens, .timeout = 100)
{
    unsigned seen[4] = {0};
    for (uint64_t i = 0; i < SETS; i++) {
        struct made m;
        struct loaded less, more;
        struct world world;
        make(&m, i + 100000, 0);
        if (put_together(&m, NULL, &less, &world)) {
            add_rule(&m,
                     rule(&m, EFFECTS[chance_below(&m.chance, 3)], "new", chance_below(&m.chance, 4) == 0));
            if (put_together(&m, NULL, &more, &world)) {
                compare_more(&m, &less, &more, &world, seen);
                loaded_fini(&more);
            }
            loaded_fini(&less);
        }
        made_fini(&m);
    }
    cr_expect(seen[0] > SETS / 8 && seen[1] > SETS / 40 && seen[2] > SETS && seen[3] > SETS / 8,
              "%u allow, %u step_up, %u deny, %u terminate: not much of a test", seen[0], seen[1], seen[2],
              seen[3]);
}

// A deny that always holds and that no exception lifts leaves deny and terminate, whatever else allows or
// lifts.
Test(theorems, a_deny_overrides_every_allow, .timeout = 100)
{
    unsigned denied = 0;
    for (uint64_t i = 0; i < SETS; i++) {
        struct made m;
        struct loaded loaded;
        struct world world;
        struct answer answer;
        make(&m, i + 200000, 0);
        struct part *last = &m.policies[m.count++];
        *last = (struct part){.text = STR(HEAD("Policy", "last") "rules:\n"), .count = 1};
        last->rules[0] = STR("  - {id: never, effect: deny, exceptions: never}\n");
        if (put_together(&m, &m.chance, &loaded, &world)) {
            for (int k = 0; k < WORLDS; k++) {
                world_make(&world, &m.chance, &m.worlds);
                ask(&loaded, &answer);
                denied++;
                if (rank(answer.effect) < rank(PDP_EFFECT_DENY)) {
                    fail_over(&loaded, "last/never was overridden");
                }
            }
            loaded_fini(&loaded);
        }
        made_fini(&m);
    }
    cr_expect_gt(denied, SETS * WORLDS / 2, "%u questions", denied);
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
    return a->effect == b->effect && a->rules == b->rules && a->names == b->names &&
           a->exceptions == b->exceptions && a->missing == b->missing && a->has_require == b->has_require &&
           a->strength == b->strength && a->max_age_s == b->max_age_s && a->until_ms == b->until_ms;
}

// Rules within a policy that is not first-match, policies, and the files that they stand in: effect, deciding
// rules, requirement, exceptions, what is missing and how long it holds stay the same.
Test(theorems, order_changes_nothing, .timeout = 100)
{
    unsigned compared = 0;
    for (uint64_t i = 0; i < SETS; i++) {
        struct made m;
        struct loaded loaded, mixed;
        struct world world;
        make(&m, i + 300000, 0);
        if (put_together(&m, NULL, &loaded, &world)) {
            if (put_together(&m, &m.chance, &mixed, &world)) {
                for (int k = 0; k < WORLDS; k++) {
                    struct answer a, b;
                    world_make(&world, &m.chance, &m.worlds);
                    ask(&loaded, &a);
                    ask(&mixed, &b);
                    compared++;
                    if (!same_answer(&a, &b)) {
                        fail_over(&loaded, "order mattered");
                    }
                }
                loaded_fini(&mixed);
            } else {
                fail_over(&loaded, "refused in another order");
            }
            loaded_fini(&loaded);
        }
        made_fini(&m);
    }
    cr_expect_gt(compared, SETS * WORLDS / 2, "%u questions", compared);
}

// ---- What is left out -----------------------------------------------------------------------------------

static void typed_world(struct made *m, struct world *world)
{
    static const char *const ACTIONS[] = {"GET", "POST", "x"};
    static const char *const PATHS[] = {"/a", "/a/b", "/b"};
    *world =
        (struct world){.now_ms = INT64_C(1763800000000) + chance_below(&m->chance, 604800) * INT64_C(1000),
                       .proved = chance_below(&m->chance, 8)};
    for (size_t i = 0; i < ATTR_COUNT; i++) {
        world->attrs[i].kind = VALUE_ERROR;
    }
    world->attrs[ATTR_ACTION_NAME] = value_str(str_of(ACTIONS[chance_below(&m->chance, COUNT_OF(ACTIONS))]));
    world->attrs[ATTR_RESOURCE_ID] = value_str(str_of(PATHS[chance_below(&m->chance, COUNT_OF(PATHS))]));
    for (size_t i = 0; i < PAIR_ROOTS; i++) {
        world->roots[PAIR_WORLD_AT[i]] = pair_root(&m->chance, &m->worlds, NULL, 0);
    }
}

// Leaves out or sets to null some of what is there, and mistypes one of it: two that are mistyped alike would
// compare.
static void spoil(struct made *m, struct world *world)
{
    uint32_t mistyped = chance_below(&m->chance, 2 * PAIR_ROOTS * PAIR_FIELDS), number = 0;
    for (size_t i = 0; i < PAIR_ROOTS; i++) {
        struct value *root = &world->roots[PAIR_WORLD_AT[i]];
        struct value_entry *entries = ARENA_ARRAY(&m->worlds, struct value_entry, PAIR_FIELDS);
        uint32_t n = 0;
        for (uint32_t k = 0; k < root->n; k++, number++) {
            uint32_t luck = chance_below(&m->chance, 12);
            bool truth = root->as.map[k].value.kind == VALUE_BOOL;
            entries[n] = root->as.map[k];
            entries[n].value = luck == 0            ? value_null()
                               : number != mistyped ? entries[n].value
                               : truth              ? value_int(7)
                                                    : value_bool(true);
            n += luck != 1;
        }
        root->n = n;
        root->as.map = entries;
    }
}

// However the answer to a question with gaps is: an allow or step_up is no wider than without the gaps, and a
// session that it ends would end without them. In all algorithms, with exceptions and rules of a time.
Test(theorems, leaving_out_never_widens_and_never_terminates, .timeout = 100)
{
    unsigned seen[4] = {0}, changed = 0;
    for (uint64_t i = 0; i < SETS * 2; i++) {
        struct made m;
        struct loaded loaded;
        struct world world;
        make(&m, i + 400000, TYPED);
        if (put_together(&m, NULL, &loaded, &world)) {
            for (int k = 0; k < WORLDS; k++) {
                struct answer whole, gaps;
                typed_world(&m, &world);
                ask(&loaded, &whole);
                spoil(&m, &world);
                ask(&loaded, &gaps);
                seen[rank(gaps.effect)]++;
                changed += whole.effect != gaps.effect;
                bool wider =
                    rank(gaps.effect) < rank(PDP_EFFECT_DENY) && rank(gaps.effect) < rank(whole.effect);
                bool ended = gaps.effect == PDP_EFFECT_TERMINATE && whole.effect != PDP_EFFECT_TERMINATE;
                if (wider || ended) {
                    fail_over(&loaded, wider ? "gaps widened" : "gaps ended a session");
                }
            }
            loaded_fini(&loaded);
        }
        made_fini(&m);
    }
    cr_expect(seen[0] > SETS / 8 && seen[1] > SETS / 20 && seen[2] > SETS && seen[3] > SETS / 20 &&
                  changed > SETS / 4,
              "%u allow, %u step_up, %u deny, %u terminate, %u changed: not much of a test", seen[0], seen[1],
              seen[2], seen[3], changed);
}
