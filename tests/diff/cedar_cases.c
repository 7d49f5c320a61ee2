// SPDX-License-Identifier: Apache-2.0
// Writes cases for a third voter, one rule set a line: what both our conditions and Cedar's can say, as both,
// with questions and what we answered. use: cedar_cases COUNT [SEED]; cedar.mjs judges them.
#include "diff/loaded.h"
#include "diff/pairs.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RULES = 6,
    QUESTIONS = 8,
    FILLS = 2,
    DEPTH = 3
};

static const char *const ACTIONS[] = {"GET", "POST", "PUT"};
static const char *const PATHS[] = {"/a", "/b"};

struct rule {
    bool forbids, has;
    struct str theirs, ours; // the whole policy; the whole condition
};

struct batch {
    struct chance chance;
    struct arena arena;
    struct rule rules[RULES];
    uint32_t rule_count;
    struct buf yaml;
    struct world world;
    struct loaded loaded;
};

// ---- Rules ----------------------------------------------------------------------------------------------

// Cedar's scope (principal, action, resource), and the same in our keys.
static void put_scope(struct pair *p, struct buf *yaml, struct buf *whole)
{
    static const char *const SCOPES[] = {"action", "action == Action::\"GET\"",
                                         "action in [Action::\"GET\", Action::\"POST\"]"};
    static const char *const KEYS[] = {"", "    actions: [GET]\n", "    actions: [GET, POST]\n"};
    static const char *const SAME[] = {"true", "action.name == \"GET\"",
                                       "action.name in [\"GET\", \"POST\"]"};
    uint32_t action = chance_below(p->chance, 3), user = chance_below(p->chance, 4),
             route = chance_below(p->chance, 4);
    buf_printf(&p->theirs, "(principal%s, %s, resource%s) when { ", user == 0 ? " is User" : "",
               SCOPES[action], route == 0 ? " == Route::\"/a\"" : "");
    buf_printf(yaml, "%s%s", KEYS[action], route == 0 ? "    resources: [/a]\n" : "");
    buf_printf(whole, "%s && %s && ", SAME[action], route == 0 ? "resource.id == \"/a\"" : "true");
    buf_str(&p->ours, user == 0 ? STR("subject.type == \"user\" && ") : STR(""));
}

static void put_rule(struct batch *b, struct rule *rule, uint32_t number)
{
    struct pair p = {.chance = &b->chance};
    struct buf whole = {0};
    rule->forbids = chance_below(p.chance, 3) == 0;
    buf_str(&p.theirs, rule->forbids ? STR("forbid") : STR("permit"));
    buf_printf(&b->yaml, "  - id: r%u\n    effect: %s\n", number, rule->forbids ? "deny" : "allow");
    put_scope(&p, &b->yaml, &whole);
    pair_condition(&p, chance_below(p.chance, DEPTH + 1));
    if (chance_below(p.chance, 5) == 0) {
        buf_str(&p.ours, STR(" && !"));
        buf_str(&p.theirs, STR(" } unless { "));
        pair_condition(&p, 1);
    }
    buf_str(&p.theirs, STR(" };"));
    buf_str(&b->yaml, STR("    when: '"));
    buf_str(&b->yaml, buf_view(&p.ours));
    buf_str(&b->yaml, STR("'\n"));
    buf_str(&whole, buf_view(&p.ours));
    rule->has = p.has;
    rule->theirs = arena_str(&b->arena, buf_view(&p.theirs), NULL);
    rule->ours = arena_str(&b->arena, buf_view(&whole), NULL);
    pair_fini(&p);
    buf_fini(&whole);
}

static void put_rules(struct batch *b)
{
    b->rule_count = 1 + chance_below(&b->chance, RULES);
    buf_str(&b->yaml, STR("apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"));
    for (uint32_t i = 0; i < b->rule_count; i++) {
        put_rule(b, &b->rules[i], i);
    }
}

// ---- Questions ------------------------------------------------------------------------------------------

static void put_json_text(struct buf *out, struct str text)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\') {
            buf_byte(out, '\\');
        }
        buf_byte(out, (unsigned char)text.at[i]);
    }
    buf_byte(out, '"');
}

static void put_json(struct buf *out, const struct value *v)
{
    switch (v->kind) {
    case VALUE_STRING:
        put_json_text(out, value_text(v));
        break;
    case VALUE_INT:
        buf_printf(out, "%lld", (long long)v->as.i);
        break;
    case VALUE_BOOL:
        buf_str(out, v->as.b ? STR("true") : STR("false"));
        break;
    default:
        buf_byte(out, v->kind == VALUE_LIST ? '[' : '{');
        for (uint32_t i = 0; i < v->n; i++) {
            buf_str(out, i > 0 ? STR(",") : STR(""));
            if (v->kind == VALUE_MAP) {
                put_json(out, &v->as.map[i].key);
                buf_byte(out, ':');
            }
            put_json(out, v->kind == VALUE_MAP ? &v->as.map[i].value : &v->as.list[i]);
        }
        buf_byte(out, v->kind == VALUE_LIST ? ']' : '}');
    }
}

static void put_roots(struct buf *out, const struct value *roots)
{
    for (size_t i = 0; i < PAIR_ROOTS; i++) {
        buf_byte(out, i == 0 ? '[' : ',');
        put_json(out, &roots[i]);
    }
    buf_byte(out, ']');
}

static void make_world(struct batch *b, struct value *roots, uint32_t left_out)
{
    b->world = (struct world){.now_ms = INT64_C(1763800000000)};
    for (size_t i = 0; i < ATTR_COUNT; i++) {
        b->world.attrs[i].kind = VALUE_ERROR;
    }
    for (size_t i = 0; i < WORLD_ROOTS; i++) {
        b->world.roots[i].kind = VALUE_MAP;
    }
    for (size_t i = 0; i < PAIR_ROOTS; i++) {
        roots[i] = pair_root(&b->chance, &b->arena, NULL, left_out);
        b->world.roots[PAIR_WORLD_AT[i]] = roots[i];
    }
    const char *action = ACTIONS[chance_below(&b->chance, COUNT_OF(ACTIONS))];
    const char *path = PATHS[chance_below(&b->chance, COUNT_OF(PATHS))];
    bool user = chance_below(&b->chance, 3) > 0;
    b->world.attrs[ATTR_ACTION_NAME] = value_str(str_of(action));
    b->world.attrs[ATTR_RESOURCE_ID] = value_str(str_of(path));
    b->world.attrs[ATTR_SUBJECT_TYPE] = value_str(user ? STR("user") : STR("service"));
}

static void put_answer(struct batch *b, struct buf *out)
{
    static const char LETTERS[] = {[TRUTH_NO] = 'n', [TRUTH_YES] = 'y', [TRUTH_UNSURE] = 'u'};
    struct policy_result got;
    loaded_decide(&b->loaded, false, &got);
    buf_printf(out, "\"verdict\":\"%s\",\"by\":[", pdp_effect_name(got.effect));
    for (size_t i = 0; i < got.rule_count; i++) {
        struct str name = policy_rule_name(b->loaded.set, got.rules[i]); // `p/r0`
        buf_printf(out, "%s%c", i > 0 ? "," : "", name.at[name.len - 1]);
    }
    buf_str(out, STR("],\"truths\":\""));
    for (uint32_t i = 0; i < b->rule_count; i++) {
        buf_byte(out, (unsigned char)LETTERS[loaded_truth(&b->loaded, i)]);
    }
    buf_str(out, STR("\"}"));
}

static void put_question(struct batch *b, struct buf *out)
{
    struct value roots[PAIR_ROOTS], filled[PAIR_ROOTS];
    make_world(b, roots, chance_below(&b->chance, 2) * 2);
    buf_printf(out, "{\"type\":\"%s\",\"action\":",
               value_is_text(&b->world.attrs[ATTR_SUBJECT_TYPE], STR("user")) ? "User" : "Service");
    put_json(out, &b->world.attrs[ATTR_ACTION_NAME]);
    buf_str(out, STR(",\"path\":"));
    put_json(out, &b->world.attrs[ATTR_RESOURCE_ID]);
    buf_str(out, STR(",\"roots\":"));
    put_roots(out, roots);
    buf_str(out, STR(",\"fills\":["));
    for (size_t k = 0; k < FILLS; k++) {
        for (size_t i = 0; i < PAIR_ROOTS; i++) {
            filled[i] = pair_root(&b->chance, &b->arena, &roots[i], 0);
        }
        buf_str(out, k > 0 ? STR(",") : STR(""));
        put_roots(out, filled);
    }
    buf_str(out, STR("],"));
    put_answer(b, out);
}

static void put_case(struct batch *b, struct buf *out)
{
    buf_str(out, STR("{\"rules\":["));
    for (uint32_t i = 0; i < b->rule_count; i++) {
        buf_printf(out, "%s{\"forbids\":%s,\"has\":%s,\"cedar\":", i > 0 ? "," : "",
                   b->rules[i].forbids ? "true" : "false", b->rules[i].has ? "true" : "false");
        put_json_text(out, b->rules[i].theirs);
        buf_str(out, STR(",\"ours\":"));
        put_json_text(out, b->rules[i].ours);
        buf_byte(out, '}');
    }
    buf_str(out, STR("],\"questions\":["));
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        buf_str(out, i > 0 ? STR(",") : STR(""));
        put_question(b, out);
    }
    buf_str(out, STR("]}\n"));
}

static bool run(uint64_t seed)
{
    static struct batch b;
    struct str conditions[RULES], yaml;
    struct buf out = {0};
    b = (struct batch){.chance = {.state = seed * 5 + 1}};
    arena_init(&b.arena, 0, 0);
    put_rules(&b);
    for (uint32_t i = 0; i < b.rule_count; i++) {
        conditions[i] = b.rules[i].ours;
    }
    b.loaded.world = &b.world;
    yaml = buf_view(&b.yaml);
    bool good = loaded_read(&b.loaded, &yaml, 1, conditions, b.rule_count) == PDP_ERR_OK;
    if (good) {
        put_case(&b, &out);
        fwrite(out.at, 1, out.len, stdout);
    } else {
        diags_render(&b.loaded.diags, &out);
        fprintf(stderr, STR_FMT "\n" STR_FMT, STR_ARG(yaml), STR_ARG(buf_view(&out)));
    }
    loaded_fini(&b.loaded);
    buf_fini(&b.yaml);
    buf_fini(&out);
    arena_fini(&b.arena);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (uint64_t i = 0; i * QUESTIONS < count; i++) {
        if (!run(seed + i)) {
            return 1;
        }
    }
    return 0;
}
