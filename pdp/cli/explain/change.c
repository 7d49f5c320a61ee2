// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/change.h"

#include "cli/explain/claim.h"

#include "base/num.h"
#include "cel/frame.h"
#include "engine/attrs.h"
#include "policy/match.h"
#include "policy/scratch.h"

// What a rule, or an exception, could turn by.
struct could {
    uint64_t mask;   // attributes that it reads
    uint64_t before; // and those of the rules before it, where the first match wins
    bool possible;   // some change could make it other than no
};

struct search {
    struct whatif_world *world;
    struct options options;
    struct could *rules, *exceptions;
    uint64_t allowed; // attributes that may be changed
    unsigned wish;
    bool who;
    uint32_t depth; // attributes that are changed together
    const struct whatif *taken[CHANGE_ATTRIBUTES_MOST];
    uint32_t attribute[CHANGE_ATTRIBUTES_MOST];
    const struct option *option[CHANGE_ATTRIBUTES_MOST];
    struct changes *out;
};

unsigned change_wish(enum pdp_effect effect)
{
    unsigned wish = 0;
    for (unsigned e = 0; e < PDP_EFFECT_COUNT; e++) {
        int other = pdp_effect_rank((enum pdp_effect)e), own = pdp_effect_rank(effect);
        wish |= (effect == PDP_EFFECT_ALLOW ? other > own : other < own) ? 1U << e : 0;
    }
    return wish;
}

// ---- What could matter -------------------------------------------------------------------------

// Who asks and for what stays as it is; all else may be anything.
static bool is_fixed(void *user, const struct cel_slot_info *slot)
{
    const struct search *s = user;
    return !s->who &&
           (slot->id == ATTR_SUBJECT_TYPE || slot->id == ATTR_SUBJECT_ID || slot->id == ATTR_ACTION_NAME ||
            slot->id == ATTR_RESOURCE_TYPE || slot->id == ATTR_RESOURCE_ID ||
            slot->id == ATTR_RESOURCE_PATH || slot->id == ATTR_TENANT || slot->id == ATTR_GATEWAY);
}

// A condition that is no whatever is not known is no whatever it is.
static bool can_hold(struct search *s, uint32_t expr)
{
    const struct cel_program *p = s->world->parts.program;
    if (expr == SET_NO_EXPR || expr >= p->node_count || (p->nodes[expr].flags & NODE_NOW) != 0) {
        return true;
    }
    whatif_begin(s->world, NULL, 0);
    s->world->fixed = is_fixed;
    s->world->fixed_user = s;
    enum truth truth = cel_truth(s->world->seen->frame, expr);
    s->world->fixed = NULL;
    return truth != TRUTH_NO;
}

static bool can_match(struct search *s, const struct set_rule *rule)
{
    const struct policy_question *question = s->world->seen->question;
    bool listed = s->who || combine_both(match_actions(rule, question->action),
                                         match_resources(rule, question->path)) != TRUTH_NO;
    return listed && can_hold(s, s->world->parts.set->policies[rule->policy].target) &&
           can_hold(s, rule->when);
}

// A path that a pattern of resources matches.
static struct str sample(struct search *s, const struct glob *glob)
{
    struct buf text = {0};
    for (size_t i = 0; i < glob->text.len; i++) {
        if (glob->text.at[i] != '*') {
            buf_byte(&text, (unsigned char)glob->text.at[i]);
        } else if (i + 1 == glob->text.len || glob->text.at[i + 1] != '*') {
            buf_byte(&text, 'x');
        }
    }
    struct str out = arena_str(s->options.arena, buf_view(&text), NULL);
    buf_fini(&text);
    return out;
}

static uint64_t walk_listed(struct search *s, const struct set_rule *rule)
{
    bool route = s->world->seen->verdict->resource_path.len > 0;
    uint64_t mask = 0;
    for (uint32_t i = 0; s->who && i < rule->action_count; i++) {
        mask |= options_text(&s->options, STR("action.name"), rule->actions[i]);
    }
    for (uint32_t i = 0; s->who && i < rule->resource_count; i++) {
        mask |= options_text(&s->options, route ? STR("resource.path") : STR("resource.id"),
                             sample(s, &rule->resources[i]));
        s->options.listed = true;
    }
    return mask;
}

// What is not proved would be by a step-up; what is proved may become too old.
static uint64_t walk_require(struct search *s, uint32_t strength, int64_t max_age_s)
{
    const struct policy_host *host = s->world->seen->policy_host;
    int64_t until_ms = INT64_MAX;
    bool ages = max_age_s > 0 && host != NULL && host->proved != NULL &&
                host->proved(host->user, strength, max_age_s, &until_ms);
    return options_proof(&s->options, strength) |
           (ages ? options_time(&s->options, num_add_sat(until_ms, 1)) : 0);
}

static uint64_t walk_rule(struct search *s, const struct set_rule *rule)
{
    uint64_t mask = options_walk(&s->options, s->world->parts.set->policies[rule->policy].target) |
                    options_walk(&s->options, rule->when) | walk_listed(s, rule);
    if (rule->effect == PDP_EFFECT_STEP_UP) {
        mask |= walk_require(s, rule->strength, rule->max_age_s);
    }
    if (rule->timed) {
        mask |= options_time(&s->options, rule->starts_ms) | options_time(&s->options, rule->expires_ms);
    }
    return mask;
}

static void walk_rules(struct search *s)
{
    const struct policy_set *set = s->world->parts.set;
    uint64_t before = 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct set_rule *rule = &set->rules[i];
        bool first = i == 0 || set->rules[i - 1].policy != rule->policy;
        before = first ? 0 : before;
        s->rules[i].possible = rule->closing || can_match(s, rule);
        s->rules[i].mask = s->rules[i].possible ? walk_rule(s, rule) : 0;
        bool ordered = set->policies[rule->policy].algorithm == COMBINE_FIRST_MATCH;
        s->rules[i].before = ordered ? before : 0;
        before |= s->rules[i].mask;
        if (rule->closing) { // what any of the policy's rules reads may keep it from denying
            s->rules[i].mask |= before;
        }
    }
}

static void walk_exceptions(struct search *s)
{
    const struct policy_set *set = s->world->parts.set;
    for (uint32_t i = 0; i < set->exception_count; i++) {
        const struct set_exception *exception = &set->exceptions[i];
        struct could *could = &s->exceptions[i];
        could->possible = s->world->seen->now_ms < exception->expires_ms && can_hold(s, exception->when);
        if (could->possible) {
            could->mask =
                options_walk(&s->options, exception->when) | options_time(&s->options, exception->expires_ms);
            could->mask |=
                exception->has_require ? walk_require(s, exception->strength, exception->max_age_s) : 0;
        }
    }
}

// Where the first match wins, an earlier rule that is lifted leaves the place to the next.
static void join_lifts(struct search *s)
{
    const struct policy_set *set = s->world->parts.set;
    uint64_t lifts = 0;
    for (uint32_t i = 0; i < set->exception_count; i++) {
        lifts |= s->exceptions[i].mask;
    }
    for (uint32_t i = 1; i < set->rule_count; i++) {
        const struct set_rule *rule = &set->rules[i];
        bool ordered = set->policies[rule->policy].algorithm == COMBINE_FIRST_MATCH;
        s->rules[i].before |= ordered && set->rules[i - 1].policy == rule->policy ? lifts : 0;
    }
}

// A step-up moves what is risky too, and what the issuer says.
static bool moves_with_proof(const struct attribute *attribute)
{
    return attribute->kind == WHATIF_RISK || str_starts(attribute->path, STR("risk.")) ||
           str_eq(attribute->path, STR("session.acr")) || str_eq(attribute->path, STR("session.amr"));
}

static void join_proofs(struct search *s)
{
    uint64_t proofs = 0, moved = 0;
    for (uint32_t i = 0; i < s->options.count; i++) {
        proofs |= s->options.list[i].kind == WHATIF_PROOF ? UINT64_C(1) << i : 0;
        moved |= moves_with_proof(&s->options.list[i]) ? UINT64_C(1) << i : 0;
    }
    for (uint32_t i = 0; i < s->world->parts.set->rule_count; i++) {
        s->rules[i].mask |= (s->rules[i].mask & moved) != 0 ? proofs : 0;
        s->rules[i].before |= (s->rules[i].before & moved) != 0 ? proofs : 0;
    }
    for (uint32_t i = 0; i < s->world->parts.set->exception_count; i++) {
        s->exceptions[i].mask |= (s->exceptions[i].mask & moved) != 0 ? proofs : 0;
    }
}

// ---- What stands in the way --------------------------------------------------------------------

static uint64_t mask_of(const struct search *s, const struct set_numbers *numbers)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < numbers->count; i++) {
        mask |= s->exceptions[numbers->at[i]].mask;
    }
    return mask;
}

// Everything that could turn one rule that restricts.
static uint64_t blocks(const struct search *s, uint32_t number)
{
    const struct policy_set *set = s->world->parts.set;
    uint64_t mask = s->rules[number].mask | s->rules[number].before;
    if (set->exception_count > 0 && !set->rules[number].never_lifted) {
        mask |= mask_of(s, &set->lift_all) | mask_of(s, &set->lifts[number]);
    }
    return mask;
}

static uint64_t allows(const struct search *s)
{
    const struct policy_set *set = s->world->parts.set;
    uint64_t mask = 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (set->rules[i].effect == PDP_EFFECT_ALLOW) {
            mask |= s->rules[i].mask | s->rules[i].before;
        }
    }
    return mask;
}

static uint64_t everything(const struct search *s)
{
    return s->options.count == OPTIONS_ATTRIBUTES_MOST ? UINT64_MAX : (UINT64_C(1) << s->options.count) - 1;
}

// Of the state that was asked last: attributes of which one must change, whatever else does.
static uint64_t in_the_way(const struct search *s, enum pdp_effect effect)
{
    const struct policy_scratch *scratch = s->world->seen->scratch;
    enum combine_outcome decided = combine_outcome_of(s->world->result.effect);
    for (unsigned e = 0; e < PDP_EFFECT_COUNT; e++) {
        if ((s->wish >> e & 1) != 0 && pdp_effect_rank((enum pdp_effect)e) > pdp_effect_rank(effect)) {
            return everything(s); // something has to restrict, or to allow no longer
        }
    }
    for (size_t i = 0; i < scratch->count; i++) {
        if (scratch->matched[i].outcome == decided && decided != COMBINE_ALLOW) {
            return blocks(s, scratch->matched[i].rule);
        }
    }
    return allows(s);
}

// ---- Trying ------------------------------------------------------------------------------------

static void sort_by_attribute(struct change *change, const struct search *s)
{
    for (uint32_t i = 0; i < s->depth; i++) {
        uint32_t at = change->count++;
        const struct attribute *attribute = &s->options.list[s->attribute[i]];
        for (; at > 0 && change->attributes[at - 1] > attribute; at--) {
            change->attributes[at] = change->attributes[at - 1];
            change->options[at] = change->options[at - 1];
        }
        change->attributes[at] = attribute;
        change->options[at] = s->option[i];
    }
}

// The smaller, then what is nearer to what the answer was, then the order in which things are read.
static int compare(const struct change *a, const struct change *b)
{
    if (a->size < b->size || a->size > b->size) {
        return a->size < b->size ? -1 : 1;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->options[i] != b->options[i]) {
            return a->attributes[i] != b->attributes[i] ? (a->attributes[i] < b->attributes[i] ? -1 : 1)
                                                        : (a->options[i] < b->options[i] ? -1 : 1);
        }
    }
    return 0;
}

static bool has_element(const struct search *s, const struct option *option, const struct value *element,
                        bool adds)
{
    for (uint32_t i = 0; i < option->element_count; i++) {
        const struct value *own = &option->elements[i];
        if (option->adds[i] == adds && own->kind == element->kind &&
            cmp_equal(s->world->seen->frame, own, element)) {
            return true;
        }
    }
    return false;
}

static bool has_members(const struct option *option, const struct option *more)
{
    uint32_t met = 0;
    for (uint32_t i = 0; i < option->member_count; i++) {
        for (uint32_t k = 0; k < more->member_count; k++) {
            met += option->members[i].set == more->members[k].set &&
                   option->members[i].holds == more->members[k].holds;
        }
    }
    return met == option->member_count;
}

// Does `more` all that `option` does? Another bound of the same attribute is no other idea either.
static bool goes_beyond(const struct search *s, const struct attribute *attribute,
                        const struct option *option, const struct option *more)
{
    static const bool BOUNDS[OPTION_SAYS] = {
        [OPTION_ABOVE] = true,   [OPTION_AT_LEAST] = true, [OPTION_BELOW] = true,
        [OPTION_AT_MOST] = true, [OPTION_AT] = true,       [OPTION_STEP_UP] = true};
    bool bound = BOUNDS[option->say], other = BOUNDS[more->say];
    bool given = attribute->is.kind == VALUE_ERROR && values_ordered(option->than.kind) &&
                 values_ordered(more->than.kind);
    if (option == more || (bound && other) || (given && (bound || other))) {
        return true;
    }
    if (option->say == OPTION_MEMBER && more->say == OPTION_MEMBER) {
        return has_members(option, more);
    }
    bool all = option->say == OPTION_ELEMENTS && more->say == OPTION_ELEMENTS;
    for (uint32_t i = 0; all && i < option->element_count; i++) {
        all = has_element(s, more, &option->elements[i], option->adds[i]);
    }
    return all;
}

// Is it one that was found with more to it?
static bool is_more_of(const struct search *s, const struct change *change, const struct change *more)
{
    bool all = change->count == more->count;
    for (uint32_t i = 0; all && i < change->count; i++) {
        all = change->attributes[i] == more->attributes[i] &&
              goes_beyond(s, change->attributes[i], change->options[i], more->options[i]);
    }
    return all;
}

static void keep(struct search *s, size_t at, const struct change *change)
{
    struct changes *out = s->out;
    size_t count = at;
    struct change after[CHANGES_MOST];
    memcpy(after, out->list, sizeof after);
    out->list[count++] = *change;
    for (size_t i = at; i < out->count && count < CHANGES_MOST; i++) {
        if (!is_more_of(s, change, &after[i])) {
            out->list[count++] = after[i];
        }
    }
    out->count = count;
}

static void found(struct search *s, enum pdp_effect effect)
{
    struct changes *out = s->out;
    struct change change = {.effect = effect};
    sort_by_attribute(&change, s);
    for (uint32_t i = 0; i < change.count; i++) {
        change.size += change.options[i]->size;
    }
    size_t at = 0;
    while (at < out->count && compare(&out->list[at], &change) <= 0) {
        if (is_more_of(s, &out->list[at++], &change)) {
            return;
        }
    }
    if (at < CHANGES_MOST) {
        keep(s, at, &change);
    }
}

static void try_depth(struct search *s, uint32_t taken);

static void try_attribute(struct search *s, uint32_t taken, uint32_t number)
{
    const struct attribute *attribute = &s->options.list[number];
    s->attribute[taken] = number;
    for (uint32_t i = 0; i < attribute->option_count; i++) {
        s->option[taken] = &attribute->options[i];
        s->taken[taken] = &attribute->options[i].to;
        try_depth(s, taken + 1);
    }
}

static bool is_taken(const struct search *s, uint32_t taken, uint32_t number)
{
    for (uint32_t i = 0; i < taken; i++) {
        if (s->attribute[i] == number) {
            return true;
        }
    }
    return false;
}

static void try_depth(struct search *s, uint32_t taken)
{
    if (s->world->asked >= CHANGE_ASKED_MOST) {
        s->out->cut = true;
        return;
    }
    enum pdp_effect effect = whatif_ask(s->world, s->taken, taken);
    bool wished = (s->wish >> effect & 1) != 0;
    if (taken == s->depth) {
        if (wished && taken > 0) {
            found(s, effect);
        }
        return;
    }
    if (wished) {
        return; // fewer changes do
    }
    uint64_t mask = in_the_way(s, effect) & s->allowed;
    for (uint32_t i = 0; i < s->options.count; i++) {
        if ((mask >> i & 1) != 0 && !is_taken(s, taken, i)) {
            try_attribute(s, taken, i);
        }
    }
}

static bool prepare(struct search *s, struct arena *arena)
{
    const struct policy_set *set = s->world->parts.set;
    s->rules = ARENA_ARRAY(arena, struct could, (size_t)set->rule_count + 1);
    s->exceptions = ARENA_ARRAY(arena, struct could, (size_t)set->exception_count + 1);
    if (s->rules == NULL || s->exceptions == NULL || !options_init(&s->options, s->world, arena)) {
        return false;
    }
    walk_rules(s);
    walk_exceptions(s);
    join_lifts(s);
    join_proofs(s);
    options_make(&s->options);
    for (uint32_t i = 0; i < s->options.count; i++) {
        bool may = s->who || !s->options.list[i].who;
        s->allowed |= may ? UINT64_C(1) << i : 0;
    }
    return true;
}

bool change_find(struct whatif_world *world, unsigned wish, struct arena *arena, struct changes *out)
{
    *out = (struct changes){.wish = wish};
    for (int who = 0; who < 2 && out->count == 0; who++) {
        struct search search = {.world = world, .wish = wish, .who = who != 0, .out = out};
        if (!prepare(&search, arena)) {
            return false;
        }
        out->who = search.who;
        world->asked = 0;
        for (search.depth = 1; search.depth <= CHANGE_ATTRIBUTES_MOST && out->count == 0; search.depth++) {
            try_depth(&search, 0);
        }
        out->cut = out->cut || search.options.cut;
        out->asked += world->asked;
        for (size_t i = 0; i < out->count; i++) {
            claim_narrow(&search.options, &out->list[i]);
        }
    }
    return true;
}
