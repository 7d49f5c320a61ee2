// SPDX-License-Identifier: Apache-2.0
#include "cli/test/cover_inner.h"

#include <stdlib.h>

#define NONE UINT32_MAX

// ---- What there is to see ---------------------------------------------------------------------------

static enum pdp_err add_point(struct cover *cover, struct cover_point point)
{
    if (cover->point_count == cover->point_cap) {
        size_t cap = cover->point_cap == 0 ? 128 : cover->point_cap * 2;
        struct cover_point *grown = realloc(cover->points, cap * sizeof *grown);
        if (grown == NULL) {
            return PDP_ERR_NOMEM;
        }
        cover->points = grown;
        cover->point_cap = cap;
    }
    cover->points[cover->point_count++] = point;
    return PDP_ERR_OK;
}

// A policy's name is told from a rule's by the slash at its end.
static struct str policy_key(struct cover *cover, struct str policy)
{
    return arena_printf(&cover->parsed.arena, STR_FMT "/", STR_ARG(policy));
}

static uint32_t number_of(const struct cover *cover, struct str name)
{
    uint64_t number = NONE;
    (void)map_get(&cover->names, name, &number);
    return (uint32_t)number;
}

static enum cover_constant constant_of(const struct cover *cover, uint32_t expr)
{
    const struct value *value = cel_constant_value(cover->program, expr);
    static const enum cover_constant BY_TRUTH[] = {
        [TRUTH_UNSURE] = COVER_ALWAYS_UNSURE, [TRUTH_NO] = COVER_ALWAYS_NO, [TRUTH_YES] = COVER_ALWAYS_YES};
    return value == NULL ? COVER_VARIES : BY_TRUTH[cel_constant(cover->program, expr)];
}

static enum pdp_err add_conditions(struct cover *cover)
{
    size_t count = 0;
    const struct policy_condition *all = policy_conditions(cover->set, &count);
    for (size_t i = 0; i < count; i++) {
        const struct policy_condition *condition = &all[i];
        if (condition->op != CEL_PART_ATOM || !condition->truth || condition->expr == SET_NO_EXPR) {
            continue;
        }
        bool variable = condition->owner == POLICY_OWNER_VARIABLE && condition->policy.len > 0;
        bool rule = condition->owner == POLICY_OWNER_RULE;
        TRY(add_point(cover,
                      (struct cover_point){
                          .owner = condition->owner,
                          .name = condition->name,
                          .text = condition->text,
                          .place = condition->place,
                          .expr = condition->expr,
                          .policy = variable ? number_of(cover, policy_key(cover, condition->policy)) : NONE,
                          .rule = rule ? number_of(cover, condition->name) : NONE,
                          .constant = constant_of(cover, condition->expr)}));
    }
    return PDP_ERR_OK;
}

static enum pdp_err add_list(struct cover *cover, uint32_t number, const struct conf_node *rule,
                             enum cover_kind kind)
{
    const char *key = kind == COVER_ACTIONS ? "actions" : "resources";
    const struct conf_node *list = conf_get(rule, key);
    if (list == NULL) {
        return PDP_ERR_OK;
    }
    return add_point(cover, (struct cover_point){.kind = kind,
                                                 .name = cover->rules[number].name,
                                                 .text = str_of(key),
                                                 .place = list->place,
                                                 .policy = cover->set->rules[number].policy,
                                                 .rule = number});
}

// What is for everybody or for nobody, as in shadow, has no two outcomes.
static enum pdp_err add_rollout(struct cover *cover, uint32_t policy, uint32_t rule,
                                const struct conf_node *map)
{
    const struct policy_set *set = cover->set;
    const struct conf_node *node = conf_get(map, "rollout");
    uint32_t number = rule != NONE ? set->rules[rule].rollout : set->policies[policy].rollout;
    uint32_t share = number != SET_NO_ROLLOUT ? set->rollouts[number].share : 0;
    if (node == NULL || share == 0 || share == SET_ROLLOUT_ALL) {
        return PDP_ERR_OK;
    }
    bool whole = rule == NONE;
    return add_point(cover,
                     (struct cover_point){.kind = COVER_ROLLOUT,
                                          .owner = whole ? POLICY_OWNER_TARGET : POLICY_OWNER_RULE,
                                          .name = whole ? set->policies[policy].name : set->rules[rule].name,
                                          .text = STR("rollout"),
                                          .place = node->place,
                                          .policy = policy,
                                          .rule = rule});
}

static enum pdp_err add_rule(struct cover *cover, struct str policy, const struct conf_node *rule)
{
    const struct conf_node *id = conf_get(rule, "id");
    if (id == NULL) {
        return PDP_ERR_OK;
    }
    struct str name =
        arena_printf(&cover->parsed.arena, STR_FMT "/" STR_FMT, STR_ARG(policy), STR_ARG(id->text));
    uint32_t number = number_of(cover, name);
    if (number == NONE) {
        return PDP_ERR_OK;
    }
    cover->rules[number].place = id->place;
    TRY(add_list(cover, number, rule, COVER_ACTIONS));
    TRY(add_list(cover, number, rule, COVER_RESOURCES));
    return add_rollout(cover, cover->set->rules[number].policy, number, rule);
}

static enum pdp_err add_document(struct cover *cover, const struct conf_node *root)
{
    const struct conf_node *name = conf_get(conf_get(root, "metadata"), "name");
    const struct conf_node *const *rules = NULL;
    bool policy = name != NULL && parsed_says(root, "kind", "Policy");
    size_t count = policy ? parsed_items(root, "rules", &rules) : 0;
    uint32_t number = policy ? number_of(cover, policy_key(cover, name->text)) : NONE;
    if (number != NONE) {
        TRY(add_rollout(cover, number, NONE, root));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(add_rule(cover, name->text, rules[i]));
    }
    return PDP_ERR_OK;
}

static enum pdp_err name_all(struct cover *cover)
{
    static const struct hash_key KEY = {UINT64_C(0x636f766572), UINT64_C(0x6e616d6573)};
    map_init(&cover->names, KEY);
    for (uint32_t i = 0; i < cover->set->rule_count; i++) {
        cover->rules[i].name = cover->set->rules[i].name;
        TRY(map_put(&cover->names, cover->rules[i].name, i));
    }
    for (uint32_t i = 0; i < cover->set->policy_count; i++) {
        TRY(map_put(&cover->names, policy_key(cover, cover->set->policies[i].name), i));
    }
    return PDP_ERR_OK;
}

// ---- In order ---------------------------------------------------------------------------------------

// What nobody knows the place of comes first.
static int by_place(struct place one, struct place two)
{
    if (one.src == NULL || two.src == NULL) {
        return (one.src != NULL) - (two.src != NULL);
    }
    int order = str_cmp(one.src->name, two.src->name);
    return order != 0 ? order : (one.at > two.at) - (one.at < two.at);
}

static int points_by_place(const void *a, const void *b)
{
    const struct cover_point *one = a;
    const struct cover_point *two = b;
    return by_place(one->place, two->place);
}

static enum pdp_err add_all(struct cover *cover, const struct snapshot_file *files, size_t file_count)
{
    const struct policy_set *set = cover->set;
    cover->words = set->rule_count / 64 + 1;
    cover->rules = calloc((size_t)set->rule_count + 1, sizeof *cover->rules);
    cover->shown = calloc((size_t)set->rule_count + 1, sizeof *cover->shown);
    cover->targets = calloc((size_t)set->policy_count + 1, sizeof *cover->targets);
    cover->reached = calloc((size_t)set->rule_count + 1, sizeof *cover->reached);
    cover->held = calloc((size_t)set->rule_count + 1, sizeof *cover->held);
    cover->near = calloc(COVER_REACHES * cover->words, sizeof *cover->near);
    if (cover->rules == NULL || cover->shown == NULL || cover->targets == NULL || cover->reached == NULL ||
        cover->held == NULL || cover->near == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(parsed_read(files, file_count, &cover->parsed));
    TRY(name_all(cover));
    for (size_t i = 0; i < cover->parsed.count; i++) {
        for (size_t k = 0; k < cover->parsed.files[i].count; k++) {
            TRY(add_document(cover, cover->parsed.files[i].docs[k].root));
        }
    }
    TRY(add_conditions(cover));
    if (cover->point_count > 0) {
        qsort(cover->points, cover->point_count, sizeof *cover->points, points_by_place);
    }
    return PDP_ERR_OK;
}

// ---- The outside ------------------------------------------------------------------------------------

enum pdp_err cover_new(const struct snapshot *snapshot, const struct snapshot_file *files, size_t file_count,
                       struct cover **out)
{
    struct snapshot_parts parts;
    *out = NULL;
    AUTO(cover_free) struct cover *cover = calloc(1, sizeof *cover);
    if (cover == NULL) {
        return PDP_ERR_NOMEM;
    }
    snapshot_parts(snapshot, &parts);
    cover->set = parts.set;
    cover->program = parts.program;
    cover->watch = (struct watch){.judged = cover_judged, .user = cover, .limited = cover_limited};
    TRY(add_all(cover, files, file_count));
    *out = STEAL(cover);
    return PDP_ERR_OK;
}

void cover_free(struct cover **cover)
{
    if (*cover != NULL) {
        map_fini(&(*cover)->names);
        parsed_fini(&(*cover)->parsed);
        free((*cover)->rules);
        free((*cover)->shown);
        free((*cover)->points);
        free((*cover)->targets);
        free((*cover)->reached);
        free((*cover)->held);
        free((*cover)->near);
        free(*cover);
        *cover = NULL;
    }
}

const struct watch *cover_watch(const struct cover *cover)
{
    return &cover->watch;
}

const uint64_t *cover_reached(const struct cover *cover)
{
    return cover->near;
}

size_t cover_rule_words(const struct cover *cover)
{
    return cover->words;
}

void cover_forget_reached(struct cover *cover)
{
    memset(cover->near, 0, COVER_REACHES * cover->words * sizeof *cover->near);
}

const struct cover_rule *cover_rules(const struct cover *cover, size_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < cover->set->rule_count; i++) { // by file and place already
        if (cover->rules[i].place.src != NULL) {
            cover->shown[(*count)++] = cover->rules[i];
        }
    }
    return cover->shown;
}

const struct cover_point *cover_points(const struct cover *cover, size_t *count)
{
    *count = cover->point_count;
    return cover->points;
}

uint32_t cover_rule_number(const struct cover *cover, struct str name)
{
    return number_of(cover, name);
}

void cover_shares(const struct cover *cover, struct cover_share *rules, struct cover_share *outcomes)
{
    size_t count = 0;
    const struct cover_rule *all = cover_rules(cover, &count);
    *rules = (struct cover_share){.all = count};
    *outcomes = (struct cover_share){0};
    for (size_t i = 0; i < count; i++) {
        rules->seen += all[i].held > 0;
    }
    for (size_t i = 0; i < cover->point_count; i++) {
        const struct cover_point *point = &cover->points[i];
        if (point->constant == COVER_VARIES) {
            outcomes->all += 2;
            outcomes->seen += (size_t)(point->yes > 0) + (size_t)(point->no > 0);
        }
    }
}
