// SPDX-License-Identifier: Apache-2.0
#include "cli/change/search.h"

#include <math.h>
#include <stdlib.h>

#define ROUNDS 8
#define STEPS_MOST 8    // of a try, on average
#define MORE_TRIES 1200 // once something weaker than an effect was found

enum pdp_err searcher_init(struct searcher *searcher, struct side *was, struct side *is,
                           const struct snapshot *was_snapshot, const struct snapshot *is_snapshot,
                           const struct changes *changes, uint32_t tries, struct arena *kept)
{
    *searcher = (struct searcher){.was = was, .is = is, .changes = changes, .kept = kept, .tries = tries};
    arena_init(&searcher->arena, 0, 0);
    searcher->roots[0] = calloc(was->parts.set->rule_count + (size_t)1, sizeof(uint32_t));
    searcher->roots[1] = calloc(is->parts.set->rule_count + (size_t)1, sizeof(uint32_t));
    if (searcher->roots[0] == NULL || searcher->roots[1] == NULL) {
        return PDP_ERR_NOMEM;
    }
    return twin_init(&searcher->twin, was_snapshot, is_snapshot);
}

void searcher_fini(struct searcher *searcher)
{
    twin_fini(&searcher->twin);
    free(searcher->roots[0]);
    free(searcher->roots[1]);
    arena_fini(&searcher->arena);
}

// ---- Is a difference this change's? ----------------------------------------------------------------------

static bool named(const struct verdict *verdict, struct str rule)
{
    for (size_t i = 0; i < verdict->rule_count; i++) {
        if (str_eq(verdict->rules[i], rule)) {
            return true;
        }
    }
    return str_eq(verdict->rule, rule);
}

static bool of_policy(const struct verdict *verdict, struct str policy)
{
    for (size_t i = 0; i < verdict->rule_count; i++) {
        size_t slash = str_find_byte(verdict->rules[i], '/', 0);
        if (str_eq(str_sub(verdict->rules[i], 0, slash), policy)) {
            return true;
        }
    }
    return false;
}

static bool lifted(const struct verdict *verdict, struct str exception)
{
    for (size_t i = 0; i < verdict->exception_count; i++) {
        if (str_eq(verdict->exceptions[i], exception)) {
            return true;
        }
    }
    return false;
}

// Is it a rule of a policy that was added or removed whole?
static bool is_within(const struct change *rule, const struct change *policy)
{
    size_t slash = str_find_byte(rule->name, '/', 0);
    return rule->kind == FACT_RULE && policy->kind == FACT_POLICY && policy->what != CHANGE_CHANGED &&
           str_eq(str_sub(rule->name, 0, slash), policy->name);
}

// Does a rule or exception decide, on one side alone, that is another change?
static bool others_decide(const struct searcher *searcher, const struct verdict *was,
                          const struct verdict *is)
{
    for (size_t i = 0; i < searcher->changes->count; i++) {
        const struct change *other = &searcher->changes->list[i];
        if (other == searcher->change || other->words || is_within(other, searcher->change)) {
            continue;
        }
        bool rule = other->kind == FACT_RULE && (named(was, other->name) || named(is, other->name));
        bool lifts = other->kind == FACT_EXCEPTION && (lifted(was, other->name) || lifted(is, other->name));
        if (rule || lifts) {
            return true;
        }
    }
    return false;
}

static bool other_texts(const struct str *a, size_t a_count, const struct str *b, size_t b_count)
{
    bool apart = false;
    for (size_t i = 0; a_count == b_count && i < a_count; i++) {
        apart = apart || !str_eq(a[i], b[i]);
    }
    return apart;
}

// Do answers name as much, in another order? They name so many at most, so that the last may be others.
static bool turned(const struct change *order, const struct verdict *was, const struct verdict *is)
{
    if (was->effect != is->effect) {
        return false;
    }
    return fact_order_shows(order->name, was->effect)
               ? other_texts(was->rules, was->rule_count, is->rules, is->rule_count)
               : str_eq(order->name, STR(FACT_ORDER_EXCEPTIONS)) &&
                     other_texts(was->exceptions, was->exception_count, is->exceptions, is->exception_count);
}

// Is there no other change that could give a question another effect?
static bool is_alone(const struct searcher *searcher)
{
    for (size_t i = 0; i < searcher->changes->count; i++) {
        const struct change *other = &searcher->changes->list[i];
        if (other != searcher->change && !other->words) {
            return false;
        }
    }
    return true;
}

static bool about(void *user, const struct verdict *was, const struct verdict *is)
{
    const struct searcher *searcher = user;
    const struct change *change = searcher->change;
    if (change->kind == FACT_SEQUENCE) {
        return was != NULL && is != NULL && turned(change, was, is) && !others_decide(searcher, was, is);
    }
    if (searcher->changes->count == 1) {
        return true;
    }
    bool effect = was == NULL || is == NULL || was->effect != is->effect;
    if (effect && !change->words && is_alone(searcher)) {
        return true;
    }
    if (was == NULL || is == NULL) {
        return change->kind == FACT_SESSION || change->kind == FACT_SCHEMA;
    }
    if (change->kind == FACT_RULE) {
        return named(was, change->name) || named(is, change->name);
    }
    if (change->kind == FACT_POLICY) {
        return (of_policy(was, change->name) || of_policy(is, change->name)) &&
               !others_decide(searcher, was, is);
    }
    if (change->kind == FACT_EXCEPTION) {
        return lifted(was, change->name) || lifted(is, change->name);
    }
    return !others_decide(searcher, was, is);
}

// ---- Trying
// ------------------------------------------------------------------------------------------------

static void begin(struct searcher *searcher, struct trial *trial)
{
    static const struct {
        const char *path, *text;
    } USUAL[] = {{"subject.type", "user"},   {"subject.id", "alice"}, {"action.name", "GET"},
                 {"resource.type", "route"}, {"resource.id", "/"},    {"device.fingerprint", "device-1"}};
    static const char *const ADDRESSES[] = {"10.0.0.7", "203.0.113.7"}; // of the second a place is expected
    arena_reset(&searcher->arena);
    trial_init(trial, &searcher->arena);
    for (size_t i = 0; i < COUNT_OF(USUAL); i++) {
        trial_put(trial, str_of(USUAL[i].path), value_str(str_of(USUAL[i].text)));
    }
    struct str address = str_of(ADDRESSES[luck_below(&searcher->luck, COUNT_OF(ADDRESSES))]);
    trial_put(trial, STR("network.ip"), value_str(address));
    trial_put(trial, STR("device.managed"), value_bool(true));
}

// What a schema wants of every question, unless something was put.
static void require(struct searcher *searcher, struct trial *trial, const struct side *side)
{
    const struct policy_schema *schema = side->parts.schema;
    for (uint32_t i = 0; i < schema->required_count; i++) {
        const struct schema_attr *attr = schema->required[i];
        struct solver solver = {
            .trial = trial, .luck = &searcher->luck, .side = side, .focus_list = UINT32_MAX};
        if (trial_get(trial, attr->info.path) == NULL) {
            solve_put(&solver, attr->info.path, solve_sample(&solver, &attr->info));
        }
    }
}

static void settle_auth(struct trial *trial)
{
    const struct value *auth = trial_get(trial, STR("session.auth_time"));
    if (trial->session && !trial->login && auth == NULL) {
        trial_put(trial, STR("session.auth_time"), value_time_ms(trial->now_ms - 60000));
    }
}

// Something left out, or asked by another, now and then: that is what being unsure is for.
static void disturb(struct searcher *searcher, struct trial *trial)
{
    struct luck *luck = &searcher->luck;
    if (luck_one_in(luck, 6) && trial->count > 0) {
        struct str path = trial->list[luck_below(luck, trial->count)].path;
        bool needed = str_eq(path, STR("subject.id")) || str_eq(path, STR("subject.type")) ||
                      str_eq(path, STR("action.name")) || str_eq(path, STR("resource.id")) ||
                      str_eq(path, STR("resource.type"));
        if (!needed) {
            trial_drop(trial, path);
        }
    }
    if (luck_one_in(luck, 12)) {
        trial_put(trial, STR("subject.id"),
                  value_str(arena_printf(trial->arena, "user-%u", luck_below(luck, 100))));
    }
    if (luck_one_in(luck, 16) && isnan(trial->evidence) && !trial->login) {
        trial->session = false;
    }
    trial->login = trial->login || luck_one_in(luck, 5);
}

// The edges of what a changed condition reads.
static void go_to_edges(struct searcher *searcher, struct trial *trial)
{
    const struct change *change = searcher->change;
    for (uint32_t i = 0; i < change->part_count; i++) {
        const struct fact *facts[] = {change->parts[i].was, change->parts[i].is};
        const struct fact *any = facts[0] != NULL ? facts[0] : facts[1];
        if (any->form == FACT_EXPR && luck_one_in(&searcher->luck, 3)) {
            size_t which = luck_below(&searcher->luck, 2);
            which = facts[which] != NULL ? which : 1 - which;
            struct solver solver = search_solver(searcher, trial, which);
            solve_edge(&solver, facts[which]->expr);
        }
    }
}

// An id of a route begins with a slash, or nobody answers; of anything else it is as it stands.
static void settle_route(struct searcher *searcher, struct trial *trial)
{
    const struct value *type = trial_get(trial, STR("resource.type")),
                       *id = trial_get(trial, STR("resource.id"));
    bool route = type != NULL && type->kind == VALUE_STRING && str_eq(value_text(type), STR("route"));
    if (!route || id == NULL || id->kind != VALUE_STRING || str_starts(value_text(id), STR("/"))) {
        return;
    }
    if (luck_below(&searcher->luck, 3) > 0) {
        struct str text = arena_printf(trial->arena, "/" STR_FMT, STR_ARG(value_text(id)));
        trial_put(trial, STR("resource.id"), value_str(text));
    } else {
        trial_put(trial, STR("resource.type"), value_str(STR("page")));
    }
}

static void make(struct searcher *searcher, struct trial *trial)
{
    begin(searcher, trial);
    search_aim(searcher, trial);
    go_to_edges(searcher, trial);
    if (searcher->change->kind != FACT_SCHEMA || luck_one_in(&searcher->luck, 2)) {
        require(searcher, trial, searcher->was);
        require(searcher, trial, searcher->is);
    }
    disturb(searcher, trial);
    if (searcher->change->kind != FACT_SESSION) {
        settle_auth(trial);
    }
}

static void play(struct searcher *searcher, const struct trial *trial, struct twin_found *found)
{
    struct trial_step steps[TRIAL_STEPS_MOST];
    const struct twin_wish wish = {about, searcher};
    size_t count = trial_steps(trial, steps);
    *found = (struct twin_found){0};
    if (twin_places(&searcher->twin, trial_places(trial)) != PDP_ERR_OK) {
        return;
    }
    twin_play(&searcher->twin, steps, count, &wish, &searcher->arena, found);
}

// ---- Smaller
// -----------------------------------------------------------------------------------------------

static bool as_good(const struct twin_found *a, const struct twin_found *b)
{
    return a->grade >= b->grade && a->about >= b->about && str_eq(a->was.effect, b->was.effect) &&
           str_eq(a->is.effect, b->is.effect);
}

static void try_less(struct searcher *searcher, struct trial *trial, const struct trial *less,
                     struct twin_found *found)
{
    struct twin_found now;
    play(searcher, less, &now);
    if (as_good(&now, found)) {
        *trial = *less;
        *found = now;
    }
}

// Leaves out whatever is not needed for the difference: what is left can be read.
static void shrink(struct searcher *searcher, struct trial *trial, struct twin_found *found)
{
    struct trial less = *trial;
    less.evidence = NAN;
    try_less(searcher, trial, &less, found);
    less = *trial;
    less.quiet = less.remember = less.passed = false;
    less.others = less.failed = 0;
    less.early_ms = 0;
    try_less(searcher, trial, &less, found);
    less = *trial;
    less.login = false;
    settle_auth(&less);
    try_less(searcher, trial, &less, found);
    for (uint32_t repeats = trial->repeats / 2; trial->repeats > 0; repeats /= 2) {
        less = *trial;
        less.repeats = repeats;
        uint32_t before = trial->repeats;
        try_less(searcher, trial, &less, found);
        if (trial->repeats == before) {
            break;
        }
    }
    less = *trial;
    less.session = less.login = false;
    less.evidence = NAN;
    try_less(searcher, trial, &less, found);
    less = *trial;
    less.stranger = false;
    less.pace_ms = less.gap_ms = 2000;
    try_less(searcher, trial, &less, found);
    less = *trial;
    trial_put(&less, STR("subject.id"), value_str(STR("alice")));
    try_less(searcher, trial, &less, found);
    for (uint32_t i = trial->count; i-- > 0;) {
        struct str path = i < trial->count ? trial->list[i].path : STR("");
        if (path.len > 0 && !str_starts(path, STR("subject.id")) && !str_starts(path, STR("action.name"))) {
            less = *trial;
            trial_drop(&less, path);
            try_less(searcher, trial, &less, found);
        }
    }
}

// ---- Keeping
// -----------------------------------------------------------------------------------------------

static struct value keep_value(struct arena *arena, const struct value *value)
{
    struct value copy = *value;
    if (value->kind == VALUE_STRING) {
        copy = value_str(arena_str(arena, value_text(value), NULL));
    } else if (value->kind == VALUE_LIST) {
        struct value *list = ARENA_ARRAY(arena, struct value, value->n + (size_t)1);
        for (uint32_t i = 0; list != NULL && i < value->n; i++) {
            list[i] = keep_value(arena, &value->as.list[i]);
        }
        copy.as.list = list;
        copy.n = list != NULL ? value->n : 0;
    } else if (value->kind == VALUE_MAP) {
        struct value_entry *map = ARENA_ARRAY(arena, struct value_entry, value->n + (size_t)1);
        for (uint32_t i = 0; map != NULL && i < value->n; i++) {
            map[i].key = keep_value(arena, &value->as.map[i].key);
            map[i].value = keep_value(arena, &value->as.map[i].value);
        }
        copy.as.map = map;
        copy.n = map != NULL ? value->n : 0;
    }
    return copy;
}

static bool keep(struct searcher *searcher, const struct trial *trial, const struct twin_found *found,
                 struct example *out)
{
    struct trial_step steps[TRIAL_STEPS_MOST];
    size_t count = trial_steps(trial, steps);
    count = found->step + 1 < count ? found->step + 1 : count;
    struct str places = trial_places(trial);
    if (twin_places(&searcher->twin, places) != PDP_ERR_OK ||
        !twin_confirm(&searcher->twin, steps, count, found)) {
        return false;
    }
    out->steps = ARENA_ARRAY(searcher->kept, struct trial_step, count);
    for (size_t i = 0; out->steps != NULL && i < count; i++) {
        out->steps[i] = steps[i];
        out->steps[i].root = keep_value(searcher->kept, &steps[i].root);
    }
    out->count = out->steps != NULL ? count : 0;
    out->grade = out->steps != NULL ? found->grade : TWIN_SAME;
    out->others = !found->about;
    out->apart = found->apart;
    out->places = places.len > 0 ? arena_str(searcher->kept, places, NULL) : places;
    out->was = view_copy(searcher->kept, &found->was);
    out->is = view_copy(searcher->kept, &found->is);
    return out->steps != NULL;
}

static bool allows(const struct view *was, const struct view *is)
{
    return str_eq(was->effect, STR("allow")) || str_eq(is->effect, STR("allow"));
}

// What is worth more: to be of this change alone, then how far answers are apart, then that one allows.
static unsigned worth(enum twin_grade grade, bool about, bool allows)
{
    return grade == TWIN_SAME ? 0 : (about ? 100 : 0) + 2 * (unsigned)grade + allows;
}

static unsigned worth_of(const struct example *example)
{
    return worth(example->grade, !example->others, allows(&example->was, &example->is));
}

// What shows no order shows nothing of an order.
static bool improves(const struct searcher *searcher, const struct twin_found *found,
                     const struct example *out)
{
    return (found->about || searcher->change->kind != FACT_SEQUENCE) &&
           worth(found->grade, found->about, allows(&found->was, &found->is)) > worth_of(out);
}

// One question, and what becomes of it as whatever stands in its way is moved aside. true: it shows more than
// what was found.
static bool try_one(struct searcher *searcher, struct trial *trial, struct example *out,
                    struct twin_found *found)
{
    make(searcher, trial);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        settle_route(searcher, trial);
        play(searcher, trial, found);
        out->tries++;
        if (improves(searcher, found, out)) {
            return true;
        }
        if (!search_repair(searcher, trial)) {
            return false;
        }
    }
    return false;
}

void search_example(struct searcher *searcher, const struct change *change, struct example *out)
{
    *out = (struct example){0};
    searcher->change = change;
    searcher->luck.state = 1;
    if (change->words && change->what != CHANGE_CHANGED) {
        return;
    }
    search_roots(searcher);
    if (!search_reads(searcher)) {
        out->unread = true;
        return;
    }
    uint32_t until = searcher->tries;
    uint64_t asked = searcher->twin.asked + (uint64_t)searcher->tries * STEPS_MOST; // long ways cost more
    while (out->tries < until && searcher->twin.asked < asked) {
        struct trial trial;
        struct twin_found found;
        if (!try_one(searcher, &trial, out, &found)) {
            continue;
        }
        shrink(searcher, &trial, &found);
        bool kept = keep(searcher, &trial, &found, out);
        bool shows = worth_of(out) == worth(TWIN_EFFECT, true, true) ||
                     (change->kind == FACT_SEQUENCE && !out->others); // of an order there is no more
        if (kept && shows) {
            return;
        }
        until = kept && out->tries + MORE_TRIES < until ? out->tries + MORE_TRIES : until;
    }
}
