// SPDX-License-Identifier: Apache-2.0
// The second pass over documents: a set from all of them, in the order of their files.
#include "policy/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// ---- Helpers of all readers ---------------------------------------------------------------------------

void build_note(struct build *build, enum pdp_err err)
{
    build->first = build->first == PDP_ERR_OK ? err : build->first;
}

static struct str PRINTF_LIKE(2, 0) format(struct arena *arena, const char *fmt, va_list args)
{
    char text[512];
    int len = vsnprintf(text, sizeof(text), fmt, args);
    size_t kept = len < 0 ? 0 : ((size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
    return arena_str(arena, (struct str){text, kept}, NULL);
}

void build_fail(struct build *build, enum pdp_err err, struct place place, const char *hint, const char *fmt,
                ...)
{
    va_list args;
    va_start(args, fmt);
    struct str message = format(build->arena, fmt, args);
    va_end(args);
    build_note(build, diag_error(build->diags, err, place, STR_FMT, STR_ARG(message)));
    if (hint != NULL) {
        diag_hint(build->diags, "%s", hint);
    }
}

void build_hint_near(struct build *build, struct str given, const struct str *names, size_t count)
{
    if (!diag_wants_hint(build->diags)) {
        return;
    }
    int near = str_nearest(given, names, count);
    if (near >= 0) {
        diag_hint(build->diags, "did you mean `" STR_FMT "`?", STR_ARG(names[near]));
        return;
    }
    AUTO(buf_fini) struct buf list = {0};
    for (size_t i = 0; i < count; i++) {
        buf_printf(&list, "%s`" STR_FMT "`", i > 0 ? ", " : "", STR_ARG(names[i]));
    }
    diag_hint(build->diags, "there are " STR_FMT, STR_ARG(buf_view(&list)));
}

struct str build_copy(struct build *build, struct str text)
{
    bool ok = true;
    struct str copy = text.len == 0 ? (struct str){"", 0} : arena_str(build->arena, text, &ok);
    if (!ok) {
        build_note(build, PDP_ERR_NOMEM);
    }
    return copy;
}

void *build_array(struct build *build, size_t count, size_t bytes)
{
    void *array = arena_zero(build->arena, count + (count == 0), bytes, _Alignof(max_align_t));
    if (array == NULL) {
        build_note(build, PDP_ERR_NOMEM);
    }
    return array;
}

struct str build_shown(struct build *build, struct str text)
{
    AUTO(buf_fini) struct buf shown = {0};
    buf_escaped(&shown, str_sub(text, 0, 80));
    return build_copy(build, buf_view(&shown));
}

struct str build_doc_name(const struct conf_doc *doc)
{
    const struct conf_node *name = conf_get(conf_get(doc->root, "metadata"), "name");
    return name != NULL && name->kind == CONF_SCALAR ? name->text : (struct str){"", 0};
}

struct place build_key_place(const struct conf_node *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (str_eq(map->entries[i].key->text, str_of(key))) {
            return map->entries[i].key->place;
        }
    }
    return map->place;
}

// ---- All documents ------------------------------------------------------------------------------------

static const struct {
    struct str kind;
    void (*read)(struct build *build, const struct conf_doc *doc);
} READERS[] = {
    {{"List", 4}, read_list},     {{"Strengths", 9}, read_strengths}, {{"Definitions", 11}, read_definitions},
    {{"Scope", 5}, read_scope},   {{"Counter", 7}, read_counter},     {{"Entities", 8}, read_entities},
    {{"Policy", 6}, read_policy}, {{"Exception", 9}, read_exception},
};

static bool is_kind(const struct conf_doc *doc, struct str kind)
{
    const struct conf_node *node = conf_get(doc->root, "kind");
    return node != NULL && node->kind == CONF_SCALAR && str_eq(node->text, kind);
}

struct ordered {
    const struct conf_doc *doc;
    size_t at;
};

// By the path of the file; documents of one file stay in their order.
static int by_path(const void *a, const void *b)
{
    const struct ordered *one = a;
    const struct ordered *two = b;
    int order = str_cmp(one->doc->source->name, two->doc->source->name);
    return order != 0 ? order : (one->at > two->at) - (one->at < two->at);
}

static size_t count_items(const struct conf_node *map, const char *key)
{
    const struct conf_node *list = conf_get(map, key);
    return list != NULL && list->kind == CONF_LIST ? list->count : 0;
}

static size_t count_obligations(const struct conf_doc *doc)
{
    const struct conf_node *rules = conf_get(doc->root, "rules");
    size_t count = 0;
    for (size_t i = 0; rules != NULL && rules->kind == CONF_LIST && i < rules->count; i++) {
        count += count_items(rules->items[i], "obligations");
    }
    return count;
}

static enum pdp_err reserve_definitions(struct build *build, const struct conf_doc *docs, size_t count)
{
    size_t variables = 0;
    size_t roles = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_kind(&docs[i], STR("Definitions"))) {
            definitions_count(&docs[i], &variables, &roles);
        }
    }
    TRY(roles_init(&build->set->roles, roles, build->set->seed, build->arena));
    build->role_nodes = build_array(build, build->set->roles.room, sizeof(struct conf_node *));
    return table_init(&build->shared_names, variables, build->set->seed, build->arena);
}

// Everything that a set holds is counted first, so that it is allocated once.
static enum pdp_err reserve(struct build *build, const struct conf_doc *docs, size_t count)
{
    struct policy_set *set = build->set;
    size_t rules = 0;
    size_t policies = 0;
    size_t obligations = 0;
    size_t exceptions = 0;
    size_t rollouts = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_kind(&docs[i], STR("Policy"))) {
            rules += read_policy_rules(&docs[i]);
            obligations += count_obligations(&docs[i]);
            rollouts += rollouts_count(&docs[i]);
            policies++;
        } else if (is_kind(&docs[i], STR("Exception"))) {
            obligations += count_items(docs[i].root, "obligations");
            exceptions++;
        }
    }
    if (rules > SET_RULES_MAX) {
        return diag_error(build->diags, PDP_ERR_LIMIT, (struct place){0}, "more than %u rules",
                          SET_RULES_MAX);
    }
    TRY(reserve_definitions(build, docs, count));
    TRY(scopes_reserve(build, docs, count));
    TRY(entities_reserve(build, docs, count));
    set->rules = build_array(build, rules, sizeof(*set->rules));
    set->policies = build_array(build, policies, sizeof(*set->policies));
    set->obligations = build_array(build, obligations, sizeof(*set->obligations));
    set->rollouts = build_array(build, rollouts, sizeof(*set->rollouts));
    exceptions_reserve(build, exceptions);
    set->list_count = (uint32_t)build->names->set_count;
    set->counters = build_array(build, build->names->counter_count, sizeof(*set->counters));
    set->counter_count = (uint32_t)build->names->counter_count;
    TRY(table_init(&build->obligations, obligations, set->seed, build->arena));
    return build->first == PDP_ERR_NOMEM ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

static enum pdp_err read_all(struct build *build, const struct conf_doc *docs, size_t count)
{
    TRY(reserve(build, docs, count));
    struct ordered *order = build_array(build, count, sizeof(*order));
    if (order == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (struct ordered){&docs[i], i};
    }
    qsort(order, count, sizeof(*order), by_path);
    for (size_t kind = 0; kind < COUNT_OF(READERS); kind++) {
        for (size_t i = 0; i < count; i++) {
            if (is_kind(order[i].doc, READERS[kind].kind)) {
                READERS[kind].read(build, order[i].doc);
            }
        }
        if (READERS[kind].read == read_scope) {
            scopes_close(build);
        }
    }
    definitions_close(build);
    exceptions_close(build);
    entities_close(build);
    return build->first;
}

enum pdp_err policy_set_read(const struct conf_doc *docs, size_t count, const struct policy_names *names,
                             struct cel_program *program, const struct policy_files *files,
                             struct hash_key seed, struct arena *arena, struct diags *diags,
                             struct policy_lists **lists, struct policy_set **out)
{
    *out = NULL;
    *lists = NULL;
    AUTO(policy_lists_free) struct policy_lists *own = NULL;
    TRY(lists_all_new(names->set_count, &own));
    struct policy_set *set = ARENA_NEW(arena, struct policy_set);
    if (set == NULL) {
        return PDP_ERR_NOMEM;
    }
    set->arena = arena;
    set->program = program;
    set->seed = seed;
    struct build build = {.set = set,
                          .names = names,
                          .program = program,
                          .files = files,
                          .arena = arena,
                          .diags = diags,
                          .hard = SET_NO_EXPR,
                          .lists = own};
    TRY(read_all(&build, docs, count));
    TRY(networks_build(own, NULL, &own->networks));
    set->conditions = build.conditions.list;
    set->condition_count = build.conditions.count;
    set->condition_cap = build.conditions.cap;
    *out = set;
    *lists = STEAL(own);
    return PDP_ERR_OK;
}

// ---- What others ask of a set -------------------------------------------------------------------------

size_t policy_rule_count(const struct policy_set *set)
{
    return set->rule_count;
}

struct str policy_rule_name(const struct policy_set *set, uint32_t rule)
{
    return rule < set->rule_count ? set->rules[rule].name : (struct str){"", 0};
}

enum pdp_effect policy_rule_effect(const struct policy_set *set, uint32_t rule)
{
    return rule < set->rule_count ? set->rules[rule].effect : PDP_EFFECT_DENY;
}

uint32_t policy_strength_proves(const struct policy_set *set, uint32_t strength)
{
    return strength < set->strength_count ? set->strengths[strength].proves : SET_NO_EXPR;
}

const struct str *policy_strength_acr(const struct policy_set *set, uint32_t strength, size_t *count)
{
    *count = strength < set->strength_count ? set->strengths[strength].acr_count : 0;
    return strength < set->strength_count ? set->strengths[strength].acr : NULL;
}
