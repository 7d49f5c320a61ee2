// SPDX-License-Identifier: Apache-2.0
// What a folder means, as text that stays the same while the meaning does: a change shows as a diff.
#include "base/time.h"
#include "policy/index.h"
#include "policy/rollout.h"

#include <stdlib.h>

#define TEXT_MOST 4096 // bytes of one printed value

static void put_quoted(struct buf *out, struct str text)
{
    struct value value = value_str(text);
    value_print(out, &value, TEXT_MOST);
}

static void put_time(struct buf *out, const char *what, int64_t at_ms)
{
    buf_printf(out, "    %s ", what);
    time_print_ms(out, at_ms);
    buf_byte(out, '\n');
}

static void put_expr(struct buf *out, const struct policy_set *set, const char *what, uint32_t expr)
{
    if (expr != SET_NO_EXPR) {
        buf_printf(out, "    %s ", what);
        cel_print(set->program, expr, out);
        buf_byte(out, '\n');
    }
}

static void put_require(struct buf *out, const struct policy_set *set, uint32_t strength, int64_t max_age_s)
{
    buf_printf(out, "    require " STR_FMT, STR_ARG(set->strengths[strength].name));
    if (max_age_s > 0) {
        buf_printf(out, " of the last %lld s", (long long)max_age_s);
    }
    buf_byte(out, '\n');
}

static void put_obligations(struct buf *out, const struct policy_set *set, const uint32_t *numbers,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct verdict_obligation *obligation = &set->obligations[numbers[i]];
        buf_printf(out, "    obligation " STR_FMT, STR_ARG(obligation->type));
        if (obligation->id.len > 0) {
            buf_printf(out, " " STR_FMT, STR_ARG(obligation->id));
        }
        if (obligation->properties != NULL) {
            buf_byte(out, ' ');
            value_print(out, obligation->properties, TEXT_MOST);
        }
        buf_byte(out, '\n');
    }
}

// ---- What policies stand on -------------------------------------------------------------------------

static void print_strengths(struct buf *out, const struct policy_set *set)
{
    for (uint32_t i = 0; i < set->strength_count; i++) {
        const struct set_strength *strength = &set->strengths[i];
        buf_printf(out, "strength " STR_FMT "\n", STR_ARG(strength->name));
        put_expr(out, set, "proves", strength->proves);
        for (size_t k = 0; k < strength->acr_count; k++) {
            buf_str(out, STR("    acr "));
            put_quoted(out, strength->acr[k]);
            buf_byte(out, '\n');
        }
    }
}

static void print_lists(struct buf *out, const struct policy_lists *lists)
{
    struct policy_list_facts list;
    for (uint32_t i = 0; policy_list_describe(lists, i, 0, &list); i++) {
        buf_printf(out, "list " STR_FMT ": %s, ", STR_ARG(list.name), list.kind);
        if (list.network != NULL) {
            buf_printf(out, "network %s, ", list.network);
        }
        if (list.missing) {
            buf_str(out, STR("lost"));
        } else {
            buf_printf(out, "%zu %s", list.entries, list.entries == 1 ? "entry" : "entries");
        }
        if (list.version.len > 0) {
            buf_str(out, STR(", version "));
            buf_escaped(out, list.version);
        }
        if (list.max_age_ms > 0) {
            buf_printf(out, ", stale after %lld s", (long long)(list.max_age_ms / TIME_MS_PER_S));
        }
        buf_byte(out, '\n');
        if (list.updated_ms != INT64_MIN) {
            put_time(out, "updated", list.updated_ms);
        }
    }
}

static void print_counters(struct buf *out, const struct policy_set *set)
{
    for (uint32_t i = 0; i < set->counter_count; i++) {
        const struct policy_counter *counter = &set->counters[i];
        buf_printf(out, "counter " STR_FMT ": of %lld s, %s\n    key ", STR_ARG(counter->name),
                   (long long)(counter->window_ms / TIME_MS_PER_S),
                   counter->any ? "any answer" : "what was allowed");
        for (uint32_t k = 0; k < counter->key_count; k++) {
            buf_str(out, k > 0 ? STR(", ") : STR(""));
            buf_str(out, cel_slot_at(set->program, counter->key[k])->path);
        }
        buf_byte(out, '\n');
        put_expr(out, set, "add", counter->add);
        put_expr(out, set, "when", counter->when);
    }
}

static void print_roles(struct buf *out, const struct policy_set *set)
{
    const struct roles *roles = &set->roles;
    for (uint32_t role = 0; role < roles->count; role++) {
        const char *before = ": ";
        size_t start = out->len;
        buf_str(out, STR("role "));
        put_quoted(out, roles->names[role]);
        size_t named = out->len;
        for (uint32_t other = 0; other < roles->count; other++) {
            if (roles_implies(roles, role, other)) {
                buf_str(out, str_of(before));
                put_quoted(out, roles->names[other]);
                before = ", ";
            }
        }
        if (out->len == named) { // only brought along by others
            out->len = start;
            continue;
        }
        buf_byte(out, '\n');
    }
}

static void print_ids(struct buf *out, const struct entities_type *type, const struct policy_lists *lists)
{
    struct policy_list_facts list;
    buf_printf(out, ", %u %s", type->id_count, type->id_count == 1 ? "id" : "ids");
    for (uint32_t i = 0; i < type->list_count; i++) {
        (void)policy_list_describe(lists, type->lists[i].list, 0, &list);
        buf_printf(out, ", lists." STR_FMT "%s", STR_ARG(list.name),
                   type->lists[i].fills ? " that fill" : "");
    }
    buf_str(out, type->fills ? STR(", fill") : STR(""));
}

static void print_actions(struct buf *out, const struct entity *actions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_str(out, i == 0 ? STR(", actions ") : STR(" "));
        put_quoted(out, actions[i].id);
    }
    buf_byte(out, '\n');
}

// Properties may be sensitive, and ids many: what is there is said, not what it is.
static void print_entities(struct buf *out, const struct policy_set *set, const struct policy_lists *lists)
{
    const struct entities *all = &set->entities;
    for (uint32_t i = 0; i < all->type_count; i++) {
        buf_str(out, STR("entities "));
        put_quoted(out, all->types[i].name);
        print_ids(out, &all->types[i], lists);
        print_actions(out, all->types[i].actions, all->types[i].action_count);
    }
    if (all->action_count > 0) {
        buf_str(out, STR("entities of any type"));
        print_actions(out, all->actions, all->action_count);
    }
}

static void print_scopes(struct buf *out, const struct policy_set *set)
{
    for (uint32_t i = 0; i < set->scope_count; i++) {
        const struct set_scope *scope = &set->scopes[i];
        struct str folder = str_sub(scope->folder, set->scope_top, scope->folder.len);
        buf_printf(out, "scope " STR_FMT ": ", STR_ARG(scope->name));
        buf_str(out, folder.len > 0 ? folder : STR("everything"));
        buf_byte(out, '\n');
        put_expr(out, set, "target", scope->whole);
        const char *before = "    effects ";
        for (uint32_t effect = 0; effect < PDP_EFFECT_COUNT && scope->effects != UINT32_MAX; effect++) {
            if ((scope->effects >> effect & 1) != 0) {
                buf_printf(out, "%s%s", before, pdp_effect_name((enum pdp_effect)effect));
                before = ", ";
            }
        }
        buf_str(out, scope->effects != UINT32_MAX ? STR("\n") : STR(""));
    }
}

// ---- The index, by rule -----------------------------------------------------------------------------

struct placed {
    uint32_t rule, slot;
    struct str key;
    uint8_t kind; // enum index_key
    bool elements;
};

struct places {
    struct placed *at;
    size_t count, next;
};

static int by_rule(const void *a, const void *b)
{
    const struct placed *one = a;
    const struct placed *two = b;
    if (one->rule != two->rule) {
        return one->rule < two->rule ? -1 : 1;
    }
    int order = str_cmp(one->key, two->key);
    return order != 0 ? order : one->kind - two->kind;
}

// Every key of every dimension, with the rules that lie there; in a first round they are only counted.
static size_t walk(const struct index *index, struct placed *to)
{
    size_t count = 0;
    for (size_t d = 0; d < index->dim_count; d++) {
        const struct index_dim *dim = &index->dims[d];
        for (size_t e = 0; e <= dim->mask; e++) {
            const struct index_entry *entry = &dim->entries[e];
            for (uint32_t i = 0; entry->key != NULL && i < entry->list.count; i++, count++) {
                if (to != NULL) {
                    to[count] = (struct placed){.rule = index->postings[entry->list.from + i],
                                                .slot = dim->slot,
                                                .key = {entry->key, entry->len},
                                                .kind = entry->kind,
                                                .elements = dim->elements};
                }
            }
        }
    }
    return count;
}

static bool places_read(const struct policy_set *set, struct places *out)
{
    *out = (struct places){0};
    if (set->by_rule == NULL) {
        return true;
    }
    out->count = walk(set->by_rule, NULL);
    out->at = calloc(out->count + 1, sizeof(*out->at));
    if (out->at == NULL) {
        return false;
    }
    (void)walk(set->by_rule, out->at);
    qsort(out->at, out->count, sizeof(*out->at), by_rule);
    return true;
}

static void put_key(struct buf *out, const struct policy_set *set, const struct placed *placed)
{
    struct value key = value_str(placed->key);
    if (placed->slot == INDEX_ACTION || placed->slot == INDEX_PATH) {
        value_print(out, &key, TEXT_MOST);
    } else {
        cel_slot_show(set->program, placed->slot, &key, TEXT_MOST, out);
    }
}

static void put_slot(struct buf *out, const struct policy_set *set, uint32_t slot)
{
    if (slot == INDEX_ACTION) {
        buf_str(out, STR("action"));
    } else if (slot == INDEX_PATH) {
        buf_str(out, STR("path"));
    } else {
        buf_str(out, cel_slot_at(set->program, slot)->path);
    }
}

static void print_index(struct buf *out, const struct policy_set *set, uint32_t rule, struct places *places)
{
    bool any = false;
    for (; places->next < places->count && places->at[places->next].rule == rule; places->next++) {
        const struct placed *placed = &places->at[places->next];
        buf_str(out, any ? STR(", ") : STR("    index "));
        if (!any) {
            put_slot(out, set, placed->slot);
            buf_str(out, placed->elements ? STR(" has ") : STR(" "));
        }
        buf_str(out, placed->kind == INDEX_PART ? STR("…") : STR(""));
        put_key(out, set, placed);
        buf_str(out, placed->kind != INDEX_WHOLE ? STR("…") : STR(""));
        any = true;
    }
    buf_str(out, any ? STR("\n") : STR("    index none: each question\n"));
}

// ---- Policies ---------------------------------------------------------------------------------------

static void print_keys(struct buf *out, const struct set_rule *rule)
{
    for (uint32_t i = 0; i < rule->action_count; i++) {
        buf_str(out, i == 0 ? STR("    actions ") : STR(", "));
        put_quoted(out, rule->actions[i]);
    }
    buf_str(out, rule->action_count > 0 ? STR("\n") : STR(""));
    for (uint32_t i = 0; i < rule->resource_count; i++) {
        buf_str(out, i == 0 ? STR("    resources ") : STR(", "));
        put_quoted(out, rule->resources[i].text);
    }
    buf_str(out, rule->resource_count > 0 ? STR("\n") : STR(""));
}

static void put_rollout(struct buf *out, const struct policy_set *set, uint32_t number)
{
    if (number == SET_NO_ROLLOUT) {
        return;
    }
    const struct set_rollout *rollout = &set->rollouts[number];
    if (rollout->share == 0 && rollout->shadows) {
        buf_str(out, STR("    in shadow\n"));
        return;
    }
    buf_printf(out, "    rollout %g %% by %s, the rest %s\n", rollout->share / (SET_ROLLOUT_ALL / 100.0),
               rollout_by_name(rollout->by), rollout->shadows ? "in shadow" : "not");
}

// `places` NULL: without its place in the index.
static void print_rule(struct buf *out, const struct policy_set *set, uint32_t number, struct places *places)
{
    const struct set_rule *rule = &set->rules[number];
    buf_printf(out, "  rule " STR_FMT ": %s%s%s%s\n", STR_ARG(rule->name), pdp_effect_name(rule->effect),
               rule->ends_subject ? " all sessions of the subject" : "",
               rule->never_lifted ? ", no exceptions" : "", rule->audit_always ? ", always audited" : "");
    if (places != NULL) {
        print_index(out, set, number, places);
    }
    put_rollout(out, set, rule->rollout);
    print_keys(out, rule);
    put_expr(out, set, "when", rule->when);
    if (rule->closing) {
        buf_str(out, STR("    when nothing in this policy allows\n"));
    }
    if (rule->has_require) {
        put_require(out, set, rule->strength, rule->max_age_s);
    }
    if (rule->timed && rule->starts_ms != INT64_MIN) {
        put_time(out, "starts", rule->starts_ms);
    }
    if (rule->timed && rule->expires_ms != INT64_MAX) {
        put_time(out, "expires", rule->expires_ms);
    }
    put_obligations(out, set, rule->obligations, rule->obligation_count);
}

static void print_policy(struct buf *out, const struct policy_set *set, uint32_t number)
{
    static const char *const ALGORITHMS[] = {[COMBINE_MOST_RESTRICTIVE] = "most-restrictive",
                                             [COMBINE_FIRST_MATCH] = "first-match",
                                             [COMBINE_DENY_UNLESS_ALLOW] = "deny-unless-allow"};
    const struct set_policy *policy = &set->policies[number];
    buf_printf(out, "policy " STR_FMT ": %s\n", STR_ARG(policy->name), ALGORITHMS[policy->algorithm]);
    put_rollout(out, set, policy->rollout);
    put_expr(out, set, "target", policy->target);
}

static void print_policies(struct buf *out, const struct policy_set *set, struct places *places)
{
    uint32_t rule = 0;
    for (uint32_t i = 0; i < set->policy_count; i++) {
        print_policy(out, set, i);
        for (; rule < set->rule_count && set->rules[rule].policy == i; rule++) {
            print_rule(out, set, rule, places);
        }
    }
}

void policy_shadow_print(const struct policy_set *set, struct buf *out)
{
    for (uint32_t rule = 0; rule < set->rule_count; rule++) {
        if (policy_rule_shadows(set, rule)) {
            print_policy(out, set, set->rules[rule].policy);
            print_rule(out, set, rule, NULL);
        }
    }
}

static bool lifts(const struct set_numbers *exceptions, uint32_t number)
{
    for (uint32_t i = 0; i < exceptions->count; i++) {
        if (exceptions->at[i] == number) {
            return true;
        }
    }
    return false;
}

static void print_exceptions(struct buf *out, const struct policy_set *set)
{
    for (uint32_t i = 0; i < set->exception_count; i++) {
        const struct set_exception *exception = &set->exceptions[i];
        buf_printf(out, "exception " STR_FMT "\n", STR_ARG(exception->name));
        if (lifts(&set->lift_all, i)) {
            buf_str(out, STR("    lifts every restriction\n"));
        }
        for (uint32_t rule = 0; rule < set->rule_count; rule++) {
            if (lifts(&set->lifts[rule], i)) {
                buf_printf(out, "    lifts " STR_FMT "\n", STR_ARG(set->rules[rule].name));
            }
        }
        put_expr(out, set, "when", exception->when);
        if (exception->has_require) {
            put_require(out, set, exception->strength, exception->max_age_s);
        }
        put_time(out, "expires", exception->expires_ms);
        put_obligations(out, set, exception->obligations, exception->obligation_count);
    }
}

void policy_set_print(const struct policy_set *set, const struct policy_lists *lists, struct buf *out)
{
    struct places places;
    struct policy_describe counts;
    if (!places_read(set, &places)) {
        out->failed = true;
        return;
    }
    policy_set_describe(set, &counts);
    buf_printf(out, "%u policies, %u rules, index %u of %u\n", counts.policies, counts.rules, counts.indexed,
               set->rule_count);
    print_strengths(out, set);
    print_lists(out, lists);
    print_entities(out, set, lists);
    print_counters(out, set);
    print_roles(out, set);
    print_scopes(out, set);
    print_policies(out, set, &places);
    print_exceptions(out, set);
    free(places.at);
}
