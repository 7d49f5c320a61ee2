// SPDX-License-Identifier: Apache-2.0
// Which mistakes each kind of document can hold.
#include "cli/test/mutant_inner.h"

#include <stdlib.h>

static const char *const TESTS[] = {
#define X(name, test) [MUTANT_##name] = test,
    MUTANT_OP_LIST(X)
#undef X
};

const char *mutant_op_test(enum mutant_op op)
{
    return op < MUTANT_OP_COUNT ? TESTS[op] : "";
}

// ---- Rules ------------------------------------------------------------------------------------------

// Where a block map begins: how far its lines are indented.
static struct str indent_of(struct find *find, const struct conf_node *map)
{
    struct str text = map->place.src->text;
    uint32_t from = map->place.at;
    while (from > 0 && text.at[from - 1] != '\n') {
        from--;
    }
    return arena_printf(find->arena, "when: false\n%*s", (int)(map->place.at - from), "");
}

// The value becomes one on the line of its key: a list may begin in the key's own column, where nothing else
// can stand.
static struct mutant_edit say_false(const struct conf_node *rule, const char *key)
{
    const struct conf_node *value = conf_get(rule, key);
    struct mutant_edit edit = {.at = value->place.at, .len = value->place.len, .text = STR("false")};
    for (size_t i = 0; value->style == CONF_BLOCK && i < rule->count; i++) {
        if (rule->entries[i].value == value) {
            uint32_t end = find_end(rule->entries[i].key);
            edit.at = (uint32_t)str_find_byte(value->place.src->text, ':', end) + 1;
            edit.len = find_end(value) - edit.at;
            edit.text = STR(" false");
        }
    }
    return edit;
}

// Its condition becomes one that never holds: then no exception names a rule that is not there.
static void drop_rule(struct find *find, const struct conf_node *rule, const struct conf_node *id)
{
    const struct conf_node *when = conf_get(rule, "when");
    struct mutant_edit edit = {.text = STR("false")};
    if (when != NULL) {
        edit = say_false(rule, "when");
    } else if (rule->style == CONF_FLOW) {
        edit.at = rule->place.at + 1;
        edit.text = STR("when: false, ");
    } else {
        edit.at = rule->place.at;
        edit.text = indent_of(find, rule);
    }
    find_add(find, MUTANT_RULE, id->place, &edit, 1, "the rule is left out");
}

static const struct {
    const char *effect, *instead, *goes; // what such an effect must not have
} SWAPS[] = {
    {"allow", "deny", NULL},
    {"deny", "allow", NULL},
    {"step_up", "deny", "require"},
    {"terminate", "deny", "terminate"},
};

static void swap_effect(struct find *find, const struct conf_node *rule)
{
    const struct conf_node *effect = conf_get(rule, "effect");
    for (size_t i = 0; effect != NULL && i < COUNT_OF(SWAPS); i++) {
        if (!parsed_says(rule, "effect", SWAPS[i].effect)) {
            continue;
        }
        struct mutant_edit edits[2] = {{effect->place.at, effect->place.len, str_of(SWAPS[i].instead)}};
        bool two = SWAPS[i].goes != NULL && conf_get(rule, SWAPS[i].goes) != NULL;
        if (two) {
            edits[1] = find_without_entry(rule, SWAPS[i].goes);
        }
        find_add(find, MUTANT_EFFECT, effect->place, edits, two ? 2 : 1, "effect `%s` becomes `%s`",
                 SWAPS[i].effect, SWAPS[i].instead);
    }
}

// `actions` and `resources`: each entry goes once, and then all of them, so that it holds for any.
static void patterns(struct find *find, const struct conf_node *rule, const char *key)
{
    const struct conf_node *list = conf_get(rule, key);
    if (list == NULL) {
        return;
    }
    bool paths = strcmp(key, "resources") == 0;
    for (size_t i = 0; paths && list->kind == CONF_LIST && i < list->count; i++) {
        find_path(find, list->items[i]);
    }
    if (paths) {
        find_path(find, list);
    }
    for (size_t i = 0; list->kind == CONF_LIST && list->count > 1 && i < list->count; i++) {
        struct mutant_edit edit = find_without_item(list, i);
        find_add(find, MUTANT_PATTERN, list->items[i]->place, &edit, 1, "`" STR_FMT "` is left out of `%s`",
                 STR_ARG(find_shown(find, list->items[i]->text)), key);
    }
    struct mutant_edit edit = find_without_entry(rule, key);
    find_add(find, MUTANT_ANY, list->place, &edit, 1, "`%s` is left out", key);
}

static void requirement(struct find *find, const struct conf_node *node)
{
    const struct conf_node *age = conf_get(node, "max_age"), *strength = conf_get(node, "strength");
    if (strength != NULL) {
        find_scalar(find, MUTANT_STRENGTH, strength,
                    find_step_name(find->strengths, find->strength_count, strength->text, false), "strength");
    }
    if (age != NULL) {
        find_scalar(find, MUTANT_AGE, age, find_double_duration(find->arena, age->text), "max_age");
    }
}

static void year(struct find *find, enum mutant_op op, const struct conf_node *map, const char *key, bool up)
{
    const struct conf_node *node = conf_get(map, key);
    if (node != NULL) {
        find_scalar(find, op, node, find_step_year(find->arena, node->text, up), key);
    }
}

static void rule_of(struct find *find, const struct conf_node *rule, struct str policy)
{
    const struct conf_node *id = conf_get(rule, "id");
    if (id == NULL || parsed_says(rule, "shadow", "true")) {
        return;
    }
    find->owner = arena_printf(find->arena, STR_FMT "/" STR_FMT, STR_ARG(policy), STR_ARG(id->text));
    find->rule = true;
    drop_rule(find, rule, id);
    swap_effect(find, rule);
    find_when(find, conf_get(rule, "when"), FIND_WHOLE);
    patterns(find, rule, "actions");
    patterns(find, rule, "resources");
    requirement(find, conf_get(rule, "require"));
    year(find, MUTANT_STARTS, rule, "starts", false);
    year(find, MUTANT_EXPIRES, rule, "expires", true);
    if (find->lifts_all && parsed_says(rule, "exceptions", "never")) {
        struct mutant_edit edit = find_without_entry(rule, "exceptions");
        find_add(find, MUTANT_NEVER, conf_get(rule, "exceptions")->place, &edit, 1,
                 "`exceptions: never` is left out");
    }
}

// ---- Documents --------------------------------------------------------------------------------------

static void variables(struct find *find, const struct conf_node *map)
{
    for (size_t i = 0; map != NULL && map->kind == CONF_MAP && i < map->count; i++) {
        find_expr(find, map->entries[i].value, FIND_WHOLE, false);
    }
}

static void combine(struct find *find, const struct conf_node *root)
{
    static const char *const ALGORITHMS[] = {"most-restrictive", "first-match", "deny-unless-allow"};
    const struct conf_node *node = conf_get(root, "combine");
    for (size_t i = 0; node != NULL && i < COUNT_OF(ALGORITHMS); i++) {
        if (!parsed_says(root, "combine", ALGORITHMS[i])) {
            find_scalar(find, MUTANT_COMBINE, node, str_of(ALGORITHMS[i]), "combine");
        }
    }
}

static void policy(struct find *find, const struct conf_node *root)
{
    const struct conf_node *rules = conf_get(root, "rules");
    struct str name = find->owner;
    if (parsed_says(root, "shadow", "true")) {
        return;
    }
    find_when(find, conf_get(root, "target"), FIND_WHOLE);
    combine(find, root);
    variables(find, conf_get(root, "variables"));
    for (size_t i = 0; rules != NULL && rules->kind == CONF_LIST && i < rules->count; i++) {
        rule_of(find, rules->items[i], name);
    }
}

static void exception(struct find *find, const struct conf_node *root)
{
    const struct conf_node *lifts = conf_get(root, "lifts");
    for (size_t i = 0; lifts != NULL && lifts->kind == CONF_LIST && lifts->count > 1 && i < lifts->count;
         i++) {
        struct mutant_edit edit = find_without_item(lifts, i);
        find_add(find, MUTANT_PATTERN, lifts->items[i]->place, &edit, 1,
                 "`" STR_FMT "` is left out of `lifts`", STR_ARG(find_shown(find, lifts->items[i]->text)));
    }
    find_when(find, conf_get(root, "when"), FIND_WHOLE);
    requirement(find, conf_get(root, "require"));
    year(find, MUTANT_EXPIRES, root, "expires", true);
}

static void definitions(struct find *find, const struct conf_node *root)
{
    variables(find, conf_get(root, "variables"));
}

static void scope(struct find *find, const struct conf_node *root)
{
    find_when(find, conf_get(root, "target"), FIND_WHOLE);
}

static void strengths(struct find *find, const struct conf_node *root)
{
    const struct conf_node *levels = conf_get(root, "levels");
    for (size_t i = 0; levels != NULL && levels->kind == CONF_LIST && i < levels->count; i++) {
        find_expr(find, conf_get(levels->items[i], "proves"), FIND_WHOLE, true);
    }
}

static void counter(struct find *find, const struct conf_node *root)
{
    find_when(find, conf_get(root, "when"), FIND_WHOLE);
}

static void sessions(struct find *find, const struct conf_node *root)
{
    static const char *const LIMITS[] = {"idle", "absolute", "reauthentication"};
    static const char *const EFFECTS[] = {"on_idle", "on_absolute"};
    const struct conf_node *limits = conf_get(root, "limits");
    find_expr(find, conf_get(root, "target"), FIND_WHOLE, true);
    for (size_t i = 0; i < COUNT_OF(LIMITS); i++) {
        const struct conf_node *limit = conf_get(limits, LIMITS[i]);
        if (limit != NULL) {
            find_scalar(find, MUTANT_LIMIT, limit, find_double_duration(find->arena, limit->text), LIMITS[i]);
        }
    }
    for (size_t i = 0; i < COUNT_OF(EFFECTS); i++) {
        bool ends = parsed_says(limits, EFFECTS[i], "terminate");
        find_scalar(find, MUTANT_EFFECT, conf_get(limits, EFFECTS[i]),
                    ends ? STR("step_up") : STR("terminate"), EFFECTS[i]);
    }
}

static void risk(struct find *find, const struct conf_node *root)
{
    static const char *const LEVELS[] = {"medium", "high", "critical"};
    const struct conf_node *own = conf_get(root, "own");
    for (size_t i = 0; own != NULL && own->kind == CONF_LIST && i < own->count; i++) {
        find_expr(find, conf_get(own->items[i], "when"), FIND_WHOLE, true);
    }
    for (size_t i = 0; i < COUNT_OF(LEVELS); i++) {
        const struct conf_node *score = conf_get(conf_get(root, "thresholds"), LEVELS[i]);
        for (int up = 0; score != NULL && up < 2; up++) {
            find_scalar(find, MUTANT_SCORE, score, find_step_number(find->arena, score->text, up != 0),
                        LEVELS[i]);
        }
    }
}

static const struct {
    const char *kind;
    void (*find)(struct find *find, const struct conf_node *root);
    bool printed;
} KINDS[] = {
    {"Policy", policy, true},           {"Exception", exception, true},
    {"Definitions", definitions, true}, {"Scope", scope, true},
    {"Strengths", strengths, true},     {"Counter", counter, true},
    {"SessionPolicy", sessions, false}, {"RiskModel", risk, false},
    {"List", find_list, false},
};

static void document(struct find *find, const struct conf_node *root)
{
    const struct conf_node *name = conf_get(conf_get(root, "metadata"), "name");
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (parsed_says(root, "kind", KINDS[i].kind)) {
            find->owner = name != NULL ? arena_str(find->arena, name->text, NULL) : (struct str){0};
            find->rule = false;
            find->printed = KINDS[i].printed;
            KINDS[i].find(find, root);
        }
    }
}

// ---- Files ------------------------------------------------------------------------------------------

// The order of strengths, which any file may tell.
static void read_strengths(struct find *find, const struct conf_node *root)
{
    const struct conf_node *const *levels = NULL;
    size_t count = parsed_says(root, "kind", "Strengths") ? parsed_items(root, "levels", &levels) : 0;
    struct str *names = count > 0 ? ARENA_ARRAY(find->arena, struct str, count) : NULL;
    for (size_t i = 0; names != NULL && i < count; i++) {
        const struct conf_node *name = conf_get(levels[i], "name");
        names[i] = name != NULL ? name->text : (struct str){0};
    }
    if (names != NULL) {
        find->strengths = names;
        find->strength_count = count;
    }
}

// Does an exception lift all that may be lifted? No other can come upon a rule that is never to be.
static void read_lifts(struct find *find, const struct conf_node *root)
{
    const struct conf_node *lifts = parsed_says(root, "kind", "Exception") ? conf_get(root, "lifts") : NULL;
    const struct conf_node *const *items = NULL;
    size_t count = parsed_items(root, "lifts", &items);
    find->lifts_all = find->lifts_all || (lifts != NULL && parsed_says(root, "lifts", "*"));
    for (size_t i = 0; lifts != NULL && i < count; i++) {
        find->lifts_all = find->lifts_all || str_eq(items[i]->text, STR("*"));
    }
}

static void each(struct find *find, void (*visit)(struct find *find, const struct conf_node *root))
{
    const struct parsed *parsed = &find->out->parsed;
    for (size_t i = 0; i < parsed->count; i++) {
        find->file = (uint32_t)i;
        for (size_t k = 0; k < parsed->files[i].count; k++) {
            visit(find, parsed->files[i].docs[k].root);
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const struct mutant *one = a;
    const struct mutant *two = b;
    if (one->file != two->file) {
        return one->file < two->file ? -1 : 1;
    }
    if (one->place.at != two->place.at) {
        return one->place.at < two->place.at ? -1 : 1;
    }
    if (one->op != two->op) {
        return one->op < two->op ? -1 : 1;
    }
    return str_cmp(one->what, two->what);
}

enum pdp_err mutants_find(const struct snapshot_file *files, size_t count, struct mutants *out)
{
    *out = (struct mutants){0};
    TRY(parsed_read(files, count, &out->parsed));
    struct find find = {.out = out, .arena = &out->parsed.arena};
    each(&find, read_strengths);
    each(&find, read_lifts);
    each(&find, document);
    if (out->count > 0) {
        qsort(find.list, out->count, sizeof *find.list, by_place);
    }
    return find.err;
}

void mutants_fini(struct mutants *mutants)
{
    parsed_fini(&mutants->parsed);
    *mutants = (struct mutants){0};
}
