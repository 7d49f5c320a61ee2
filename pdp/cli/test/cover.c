// SPDX-License-Identifier: Apache-2.0
#include "cli/test/cover.h"

#include "base/map.h"
#include "cli/test/parsed.h"
#include "policy/match.h"
#include "policy/rollout.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define FRESH_AFTER 32 // expressions, before the frame begins anew: each of them may take all of its steps

struct cover {
    struct parsed parsed;
    struct map names; // of rules, and of policies with a slash behind them, to their numbers
    const struct policy_set *set;
    const struct cel_program *program;
    struct watch watch;
    struct cover_rule *rules; // by number; those without a place were written by nobody
    struct cover_rule *shown; // with a place, in order
    size_t shown_count;
    struct cover_point *points;
    size_t point_count, point_cap;
    enum truth *targets; // of the question at hand: of each policy
    bool *reached;       // whether each rule came to its `when`
    bool *held;          // and whether it held
    uint64_t *near;      // bits of COVER_REACHES
    size_t words;
};

// ---- One question -----------------------------------------------------------------------------------

struct look {
    struct cover *cover;
    const struct watched *watched;
    uint32_t ran;
    bool kept; // the frame does not begin anew
};

static enum truth run(struct look *look, uint32_t expr)
{
    const struct watched *watched = look->watched;
    if (expr == SET_NO_EXPR) {
        return TRUTH_YES;
    }
    if (!look->kept && look->ran++ % FRESH_AFTER == 0) {
        cel_begin(watched->frame, watched->cel_host, watched->arena, watched->now_ms);
    }
    return cel_truth(watched->frame, expr);
}

static bool proved(const struct look *look, uint32_t strength, int64_t max_age_s)
{
    const struct policy_host *host = look->watched->policy_host;
    int64_t until_ms = 0;
    return host != NULL && host->proved != NULL && host->proved(host->user, strength, max_age_s, &until_ms);
}

static bool in_force(struct look *look, const struct set_numbers *exceptions)
{
    const struct policy_set *set = look->cover->set;
    for (uint32_t i = 0; i < exceptions->count; i++) {
        const struct set_exception *exception = &set->exceptions[exceptions->at[i]];
        if (look->watched->now_ms < exception->expires_ms && run(look, exception->when) == TRUTH_YES &&
            (!exception->has_require || proved(look, exception->strength, exception->max_age_s))) {
            return true;
        }
    }
    return false;
}

static bool lifted(struct look *look, uint32_t number)
{
    const struct policy_set *set = look->cover->set;
    const struct set_rule *rule = &set->rules[number];
    return set->exception_count > 0 && rule->effect != PDP_EFFECT_ALLOW && !rule->never_lifted &&
           (in_force(look, &set->lift_all) || in_force(look, &set->lifts[number]));
}

static bool in_time(const struct look *look, const struct set_rule *rule)
{
    return !rule->timed ||
           (look->watched->now_ms >= rule->starts_ms && look->watched->now_ms < rule->expires_ms);
}

static void note(struct cover *cover, enum cover_reach reach, uint32_t rule)
{
    cover->near[reach * cover->words + rule / 64] |= UINT64_C(1) << rule % 64;
}

// The way that decide goes, for a rule that may not even have been a candidate.
static void look_at_rule(struct look *look, uint32_t number, struct combine_policy *policy)
{
    struct cover *cover = look->cover;
    const struct set_rule *rule = &cover->set->rules[number];
    const struct policy_question *question = look->watched->question;
    enum truth truth =
        combine_both(match_actions(rule, question->action), match_resources(rule, question->path));
    truth = combine_both(truth, policy->target);
    cover->reached[number] = truth == TRUTH_YES && !policy->finished && in_time(look, rule);
    cover->held[number] = false;
    if (truth == TRUTH_NO || policy->finished || !in_time(look, rule)) {
        return;
    }
    note(cover, COVER_NEAR, number);
    truth = combine_both(truth, run(look, rule->when));
    cover->held[number] = truth == TRUTH_YES;
    cover->rules[number].held += truth == TRUTH_YES;
    cover->rules[number].unsure += truth == TRUTH_UNSURE;
    if (truth == TRUTH_NO) {
        return;
    }
    note(cover, COVER_TOUCHED, number);
    bool met = rule->effect == PDP_EFFECT_STEP_UP && proved(look, rule->strength, rule->max_age_s);
    // What holds for a share alone may not have settled it.
    bool whole =
        rule->rollout == SET_NO_ROLLOUT && cover->set->policies[rule->policy].rollout == SET_NO_ROLLOUT;
    if (policy->algorithm == COMBINE_FIRST_MATCH && whole && !lifted(look, number)) {
        (void)combine_rule(policy, rule->effect, truth, met);
    }
}

static void look_at_rules(struct look *look)
{
    struct cover *cover = look->cover;
    struct combine_policy policy = {0};
    uint32_t current = NONE;
    for (uint32_t i = 0; i < cover->set->policy_count; i++) {
        cover->targets[i] = run(look, cover->set->policies[i].target);
    }
    for (uint32_t i = 0; i < cover->set->rule_count; i++) {
        const struct set_rule *rule = &cover->set->rules[i];
        if (rule->policy != current) {
            current = rule->policy;
            policy = (struct combine_policy){.algorithm = cover->set->policies[current].algorithm,
                                             .target = cover->targets[current]};
        }
        if (!rule->closing) {
            look_at_rule(look, i, &policy);
        }
    }
}

// Is this question among those for whom a policy or rule holds?
static enum truth drawn(const struct look *look, uint32_t number)
{
    const struct policy_host *host = look->watched->policy_host;
    uint64_t key = 0;
    if (number == SET_NO_ROLLOUT) {
        return TRUTH_YES;
    }
    const struct set_rollout *rollout = &look->cover->set->rollouts[number];
    if (host == NULL || host->sticky == NULL || !host->sticky(host->user, rollout->by, &key)) {
        return TRUTH_UNSURE;
    }
    return rollout_place(rollout, key) < rollout->share ? TRUTH_YES : TRUTH_NO;
}

static bool rollout_counts(const struct look *look, const struct cover_point *point)
{
    const struct cover *cover = look->cover;
    if (point->rule == NONE) {
        return cover->targets[point->policy] == TRUTH_YES;
    }
    return cover->held[point->rule] && drawn(look, cover->set->policies[point->policy].rollout) == TRUTH_YES;
}

// Does what the point says matter for this question?
static bool counts(const struct look *look, const struct cover_point *point)
{
    const struct cover *cover = look->cover;
    if (point->kind == COVER_ROLLOUT) {
        return rollout_counts(look, point);
    }
    if (point->owner == POLICY_OWNER_SESSION) {
        return look->watched->request->session_id.len > 0;
    }
    if (point->kind != COVER_CONDITION || point->rule == NONE) {
        return point->policy == NONE || cover->targets[point->policy] == TRUTH_YES;
    }
    return cover->reached[point->rule];
}

static enum truth outcome(struct look *look, const struct cover_point *point)
{
    const struct policy_question *question = look->watched->question;
    const struct policy_set *set = look->cover->set;
    switch (point->kind) {
    case COVER_ACTIONS:
        return match_actions(&set->rules[point->rule], question->action);
    case COVER_RESOURCES:
        return match_resources(&set->rules[point->rule], question->path);
    case COVER_ROLLOUT:
        return drawn(look, point->rule != NONE ? set->rules[point->rule].rollout
                                               : set->policies[point->policy].rollout);
    default:
        return run(look, point->expr);
    }
}

static void look_at_point(struct look *look, struct cover_point *point)
{
    if (counts(look, point)) {
        enum truth truth = outcome(look, point);
        point->yes += truth == TRUTH_YES;
        point->no += truth == TRUTH_NO;
        point->unsure += truth == TRUTH_UNSURE;
    }
}

static void judged(void *user, const struct watched *watched)
{
    struct cover *cover = user;
    struct look look = {.cover = cover, .watched = watched};
    look_at_rules(&look);
    for (size_t i = 0; i < cover->point_count; i++) {
        look_at_point(&look, &cover->points[i]);
    }
}

// Nothing but the targets of session policies was asked.
static void limited(void *user, const struct watched *watched)
{
    struct cover *cover = user;
    struct look look = {.cover = cover, .watched = watched, .kept = true};
    for (size_t i = 0; i < cover->point_count; i++) {
        if (cover->points[i].owner == POLICY_OWNER_SESSION) {
            look_at_point(&look, &cover->points[i]);
        }
    }
}

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
    cover->watch = (struct watch){.judged = judged, .user = cover, .limited = limited};
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
