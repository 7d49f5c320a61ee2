// SPDX-License-Identifier: Apache-2.0
// The engine's policies against the executable model of how rules become one verdict: cases of model.py on
// standard input, each written as YAML, with every truth spelled in several ways, read, indexed and asked.
#include "diff/loaded.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

// The question: GET of /a, subject.t true, subject.f false, subject.s "x", nothing else.
static const char *const YES[] = {"",
                                  ", when: subject.t",
                                  ", actions: [GET]",
                                  ", when: 'subject.s == \"x\"'",
                                  ", resources: ['/a']",
                                  ", when: 'subject.s in [\"x\", \"y\"]'",
                                  ", actions: [PUT, GET], resources: ['/a/**'], when: 'has(subject.s)'",
                                  ", starts: 2020-01-01T00:00:00Z, expires: 2039-01-01T00:00:00Z",
                                  ", when: {any: [subject.ghost, subject.t]}"};
static const char *const NO[] = {", when: subject.f",
                                 ", actions: [PUT]",
                                 ", when: 'subject.s == \"y\"'",
                                 ", resources: ['/b/**']",
                                 ", starts: 2039-01-01T00:00:00Z",
                                 ", expires: 2020-01-01T00:00:00Z, when: subject.ghost",
                                 ", when: 'subject.s in [\"y\", \"z\"]'",
                                 ", actions: [PUT], when: subject.ghost",
                                 ", when: {all: [subject.ghost, subject.f]}"};
static const char *const UNSURE[] = {", when: subject.ghost",
                                     ", when: 'subject.ghost == \"x\"'",
                                     ", when: 'subject.s == 3'",
                                     ", when: 'subject.ghost in [\"x\", \"y\"]'",
                                     ", actions: [GET], when: 'subject.ghost.startsWith(\"x\")'",
                                     ", resources: ['/a'], when: '!(subject.ghost == \"x\")'",
                                     ", starts: 2020-01-01T00:00:00Z, when: {not: subject.ghost}",
                                     ", when: {all: [subject.ghost, subject.t]}",
                                     ", when: '10 / 0 > 1'"};
static const char *spelled(struct chance *chance, char truth)
{
    uint32_t which = chance_below(chance, COUNT_OF(YES));
    return truth == 'y' ? YES[which] : truth == 'n' ? NO[which] : UNSURE[which];
}

static const char *effect_of(char c)
{
    return c == 'a' ? "allow" : c == 's' ? "step_up" : c == 'd' ? "deny" : "terminate";
}

static const char *algorithm_of(char c)
{
    return c == 'm' ? "most-restrictive" : c == 'f' ? "first-match" : "deny-unless-allow";
}

// `ay`, `sup`: effect, truth, proved.
static void put_rule(struct buf *out, struct chance *chance, struct str word, uint32_t number)
{
    buf_printf(out, "  - {id: r%u, effect: %s%s}\n", number, effect_of(word.at[0]),
               spelled(chance, word.at[1]));
    if (word.at[0] == 's') {
        out->len -= 2; // `}` and the line's end
        buf_printf(out, ", require: {strength: %s}}\n", word.len == 3 ? "proved" : "unproved");
    }
}

// A policy without rules is refused when it is loaded: one that never holds stands for none.
static void put_policy(struct buf *out, struct chance *chance, struct str policy, uint32_t number)
{
    char target = policy.at[1];
    buf_printf(out, HEAD("Policy", "p%u") "combine: %s\n", number, algorithm_of(policy.at[0]));
    bool told = target != 'y' || chance_below(chance, 2) == 0;
    buf_str(out, !told           ? STR("")
                 : target == 'y' ? STR("target: subject.t\n")
                                 : STR("target: subject.ghost\n"));
    buf_str(out,
            policy.len > 2 ? STR("rules:\n") : STR("rules: [{id: none, effect: allow, actions: [PUT]}]\n"));
    struct str rest = str_sub(policy, 2, policy.len);
    for (uint32_t rules = 0; rest.len > 0; rules++) {
        struct str word = str_sub(rest, 1, str_find_byte(rest, ' ', 1));
        word.len = strcspn(word.at, " ;");
        put_rule(out, chance, word, rules);
        rest = str_sub(rest, 1 + word.len, rest.len);
    }
}

static void put_set(struct buf *out, struct chance *chance, struct str line)
{
    buf_clear(out);
    buf_str(out, STR(HEAD("Strengths", "s") "levels:\n  - {name: proved, proves: 'session.acr == \"a\"'}\n"
                                            "  - {name: unproved, proves: 'session.acr == \"b\"'}\n"));
    for (uint32_t number = 0; line.len > 0; number++) {
        size_t end = str_find_byte(line, ';', 0);
        put_policy(out, chance, str_sub(line, 0, end), number);
        line = str_sub(line, end + 1, line.len);
    }
}

static void make_world(struct world *world)
{
    static const struct value_entry SUBJECT[] = {
        {{.kind = VALUE_STRING, .n = 1, .as.text = "t"}, {.kind = VALUE_BOOL, .as.b = true}},
        {{.kind = VALUE_STRING, .n = 1, .as.text = "f"}, {.kind = VALUE_BOOL, .as.b = false}},
        {{.kind = VALUE_STRING, .n = 1, .as.text = "s"}, {.kind = VALUE_STRING, .n = 1, .as.text = "x"}}};
    *world = (struct world){.now_ms = INT64_C(1763800000000), .proved = 1};
    for (size_t i = 0; i < ATTR_COUNT; i++) {
        world->attrs[i].kind = VALUE_ERROR;
    }
    world->attrs[ATTR_ACTION_NAME] = value_str(STR("GET"));
    world->attrs[ATTR_RESOURCE_ID] = value_str(STR("/a"));
    world->roots[0] = (struct value){.kind = VALUE_MAP, .n = COUNT_OF(SUBJECT), .as.map = SUBJECT};
}

static bool agrees(struct world *world, struct str yaml, struct str line, struct str wanted)
{
    struct loaded loaded = {.world = world, .seed = 1};
    struct policy_result got = {.effect = PDP_EFFECT_DENY};
    enum pdp_err err = loaded_read(&loaded, &yaml, 1, NULL, 0);
    if (err == PDP_ERR_OK) {
        loaded_decide(&loaded, false, &got);
    }
    bool good = err == PDP_ERR_OK && str_eq(str_of(pdp_effect_name(got.effect)), wanted);
    if (!good) {
        struct buf said = {0};
        diags_render(&loaded.diags, &said);
        printf("difference: " STR_FMT " is " STR_FMT " for the model, got %s\n" STR_FMT STR_FMT "\n",
               STR_ARG(line), STR_ARG(wanted), pdp_effect_name(got.effect), STR_ARG(yaml),
               STR_ARG(buf_view(&said)));
        buf_fini(&said);
    }
    loaded_fini(&loaded);
    return good;
}

int main(void)
{
    static char text[512];
    struct chance chance = {.state = 16};
    struct world world;
    struct buf yaml = {0};
    unsigned cases = 0, differences = 0;
    make_world(&world);
    while (differences < 5 && fgets(text, sizeof text, stdin) != NULL) {
        struct str line = str_sub(str_of(text), 0, strcspn(text, "\n"));
        size_t sign = str_find(line, STR(" = "), 0);
        struct str policies = str_sub(line, 0, sign);
        if (policies.len ==
            0) { // no policy at all is refused when it is loaded; the engine denies without any
            continue;
        }
        put_set(&yaml, &chance, policies);
        differences += !agrees(&world, buf_view(&yaml), policies, str_sub(line, sign + 3, line.len));
        cases++;
    }
    buf_fini(&yaml);
    printf("%u rule sets as the model has them, %u differences\n", cases, differences);
    return differences == 0 && cases > 1000 ? 0 : 1;
}
