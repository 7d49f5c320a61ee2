// SPDX-License-Identifier: Apache-2.0
// Tests of an attribute to other values that it could have.
#include "cli/explain/options_make.h"

#include "cel/frame.h"
#include "model/path.h"
#include "risk/model.h"

#include <math.h>

static const double SIZE_ANY = 2;

bool making_missing(const struct attribute *at)
{
    return at->is.kind == VALUE_ERROR;
}

bool making_same(const struct making *m, const struct value *a, const struct value *b)
{
    return a->kind == b->kind && (a->kind == VALUE_ERROR || cmp_equal(m->o->world->seen->frame, a, b));
}

// A path that no gateway sends is none that a question could name, and nobody has yet signed in tomorrow.
bool making_askable(const struct making *m, const struct value *to)
{
    if (options_is_past(m->at) && to->kind == VALUE_TIMESTAMP) {
        struct value now = value_time_ms(m->o->world->seen->now_ms);
        return cmp_order(to, &now) <= 0;
    }
    if (to->kind != VALUE_STRING || !str_eq(m->at->path, STR("resource.path"))) {
        return true;
    }
    struct str path = {0};
    const char *why = NULL;
    return path_canonical(value_text(to), m->o->arena, &path, &why) == PDP_ERR_OK &&
           str_eq(path, value_text(to));
}

void making_add(struct making *m, struct option option)
{
    struct attribute *at = m->at;
    if (!making_askable(m, &option.to.value)) {
        return;
    }
    option.to.kind = at->kind;
    option.to.path = at->path;
    option.size += making_missing(at) && option.say != OPTION_MISSING ? MAKING_GIVEN : 0;
    if (making_same(m, &option.to.value, &at->is)) {
        return;
    }
    for (uint32_t i = 0; i < at->option_count; i++) {
        struct option *known = &at->options[i];
        if (making_same(m, &known->to.value, &option.to.value)) {
            *known = option.size < known->size ? option : *known;
            return;
        }
    }
    if (at->option_count == OPTIONS_MOST) {
        m->o->cut = true;
        return;
    }
    at->options[at->option_count++] = option;
}

void making_add_value(struct making *m, struct value to, enum option_say say, struct value than, double size)
{
    making_add(m, (struct option){.to = {.value = to}, .say = say, .than = than, .size = size});
}

// ---- Numbers, times, levels: the bound itself, and just across on both sides --------------------

static enum option_say say_bound(const struct making *m, const struct value *to, int side, bool equal)
{
    if (side != 0) {
        return side < 0 ? OPTION_BELOW : OPTION_ABOVE;
    }
    int order = making_missing(m->at) || equal ? 2 : cmp_order(to, &m->at->is);
    return order == 1 ? OPTION_AT_LEAST : order == -1 ? OPTION_AT_MOST : OPTION_IS;
}

static const int SIDES[] = {0, -1, 1}; // the bound itself is told before what is just across

static void make_bound(struct making *m, const struct value *bound, bool equal)
{
    for (size_t i = 0; i < COUNT_OF(SIDES); i++) {
        int side = SIDES[i];
        struct value to;
        if (options_near(m->o, m->at, bound, side, &to)) {
            double size = making_missing(m->at) ? MAKING_ONE : options_distance(&to, &m->at->is);
            making_add_value(m, to, say_bound(m, &to, side, equal), *bound, size);
        }
    }
}

// ---- Texts and addresses -----------------------------------------------------------------------

struct value making_text(struct making *m)
{
    bool path = str_eq(m->at->path, STR("resource.path"));
    for (unsigned n = 0;; n++) {
        struct str text = arena_printf(m->o->arena, "%s~%u", path ? "/" : "", n);
        struct value value = value_str(text);
        bool met = false;
        for (uint32_t i = 0; i < m->at->test_count; i++) {
            met = met || making_holds(m, &m->at->tests[i], &value);
        }
        if (!met || n == 99) {
            return value;
        }
    }
}

struct value making_ip(struct making *m, const struct ip *ip)
{
    struct ip *copy = ARENA_NEW(m->o->arena, struct ip);
    if (copy == NULL) {
        return (struct value){0};
    }
    *copy = *ip;
    return (struct value){.kind = VALUE_IP, .as.ip = copy};
}

struct value making_address(struct making *m)
{
    for (uint32_t n = 0; n < VALUES_ADDRESSES; n++) {
        struct ip ip = values_address(n);
        const struct value value = {.kind = VALUE_IP, .as.ip = &ip};
        bool met = false;
        for (uint32_t i = 0; !met && i < m->at->test_count; i++) {
            met = making_holds(m, &m->at->tests[i], &value);
        }
        if (!met) {
            return making_ip(m, &ip);
        }
    }
    return (struct value){0};
}

static struct value making_fresh(struct making *m)
{
    return m->at->type == CEL_IP                     ? making_address(m)
           : m->at->type == CEL_INT                  ? values_stranger(CEL_SET_ASN, 0)
           : str_eq(m->at->path, STR("geo.country")) ? values_stranger(CEL_SET_COUNTRY, 0)
                                                     : making_text(m);
}

static const struct cel_schema *schema_of(const struct making *m)
{
    return m->at->slot == UINT32_MAX ? NULL : cel_slot_at(m->o->world->parts.program, m->at->slot)->schema;
}

// Any but what it is, and but what it is compared with.
static void make_other(struct making *m)
{
    const struct cel_schema *schema = schema_of(m);
    struct value than = making_missing(m->at) ? (struct value){0} : m->at->is;
    for (uint32_t i = 0; schema != NULL && i < schema->value_count; i++) {
        making_add_value(m, value_str(schema->values[i]), OPTION_IS, value_str(schema->values[i]),
                         MAKING_ONE);
    }
    if (schema == NULL || schema->value_count == 0) {
        making_add(m, (struct option){.to = {.value = making_fresh(m)},
                                      .say = than.kind == VALUE_ERROR ? OPTION_GIVEN : OPTION_OTHER,
                                      .than = than,
                                      .size = SIZE_ANY,
                                      .made_up = true});
    }
}

static void make_texts(struct making *m, const struct option_test *test)
{
    static const enum option_say SAYS[] = {[TEST_IS] = OPTION_IS,
                                           [TEST_STARTS] = OPTION_STARTS,
                                           [TEST_ENDS] = OPTION_ENDS,
                                           [TEST_PART] = OPTION_PART};
    static const enum values_part PARTS[] = {
        [TEST_STARTS] = VALUES_STARTS, [TEST_ENDS] = VALUES_ENDS, [TEST_PART] = VALUES_HOLDS};
    bool path = str_eq(m->at->path, STR("resource.path"));
    struct str made = test->kind == TEST_IS ? value_text(&test->value)
                                            : values_text(m->o->arena, PARTS[test->kind],
                                                          value_text(&test->value), STR(""), STR(""), path);
    struct value to = value_str(made);
    making_add_value(m, to, SAYS[test->kind], test->value, MAKING_ONE);
    for (uint32_t i = 0; test->kind == TEST_STARTS && i < m->at->test_count; i++) {
        const struct option_test *end = &m->at->tests[i];
        if (end->kind == TEST_ENDS) {
            struct str first = value_text(&test->value), last = value_text(&end->value);
            bool slash = str_ends(first, STR("/")) && str_starts(last, STR("/")); // one is enough
            struct str both = arena_printf(m->o->arena, STR_FMT STR_FMT, STR_ARG(first),
                                           STR_ARG(str_sub(last, slash ? 1 : 0, last.len)));
            making_add_value(m, value_str(both), OPTION_IS, value_str(both), MAKING_ONE);
        }
    }
    make_other(m);
}

static void make_inside(struct making *m, const struct value *network)
{
    static const unsigned char FIRST[16] = {0};
    const struct ip first = values_inside(network->as.cidr, FIRST);
    struct value ip = making_ip(m, &first);
    making_add_value(m, ip, OPTION_INSIDE, *network, MAKING_ONE);
    making_add(m, (struct option){.to = {.value = making_address(m)},
                                  .say = OPTION_OUTSIDE,
                                  .than = *network,
                                  .size = SIZE_ANY,
                                  .made_up = true});
}

// ---- Risk, time, proofs ------------------------------------------------------------------------

// The score nearest to what it is at which a level holds.
static void add_level(struct making *m, int64_t level)
{
    const struct risk_model *model = m->o->world->parts.risk;
    int64_t now = m->o->world->seen->risk->level;
    if (level < 0 || level >= RISK_LEVEL_COUNT || level == now) {
        return;
    }
    bool rises = level > now;
    double score = rises ? model->thresholds[level - 1] : nextafter(model->thresholds[level], 0);
    score = rises ? fmax(score, m->at->is.as.d) : fmin(score, m->at->is.as.d);
    struct option option = {.say = rises ? OPTION_AT_LEAST : OPTION_BELOW};
    option.than = (struct value){.kind = VALUE_LEVEL, .as.i = rises ? level : level + 1};
    option.to.value = value_double(score);
    option.to.level = (enum risk_level)level;
    option.to.score = score;
    option.size = options_distance(&option.to.value, &m->at->is);
    making_add(m, option);
}

static void add_score(struct making *m, const struct value *bound, int side)
{
    struct value to;
    if (!options_near(m->o, m->at, bound, side, &to) || to.as.d < 0 || to.as.d > 100) {
        return;
    }
    struct option option = {.to = {.value = to}, .than = *bound, .say = say_bound(m, &to, side, false)};
    option.to.score = to.as.d;
    option.to.level = risk_level_of(m->o->world->parts.risk, to.as.d);
    option.size = options_distance(&to, &m->at->is);
    making_add(m, option);
}

static void make_risk(struct making *m)
{
    for (uint32_t i = 0; i < m->at->test_count && !m->o->world->seen->risk->deny; i++) {
        const struct value *bound = &m->at->tests[i].value;
        for (size_t k = 0; k < COUNT_OF(SIDES); k++) {
            if (bound->kind == VALUE_LEVEL) {
                add_level(m, bound->as.i + SIDES[k]);
            } else {
                add_score(m, bound, SIDES[k]);
            }
        }
    }
}

static void make_times(struct making *m)
{
    for (uint32_t i = 0; i < m->at->test_count; i++) {
        const struct value *at = &m->at->tests[i].value;
        struct option option = {.to = {.value = *at}, .say = OPTION_AT, .than = *at};
        option.to.now_ms = at->as.i * 1000 + at->n / 1000000;
        option.size = options_distance(at, &m->at->is);
        making_add(m, option);
    }
}

// ---- All ---------------------------------------------------------------------------------------

static void make_truths(struct making *m)
{
    for (int b = 0; b < 2; b++) {
        making_add_value(m, value_bool(b != 0), OPTION_IS, value_bool(b != 0), MAKING_ONE);
    }
}

static void make_test(struct making *m, const struct option_test *test)
{
    bool text = test->value.kind == VALUE_STRING;
    switch (test->kind) {
    case TEST_TRUTH:
        make_truths(m);
        break;
    case TEST_THERE:
        making_add_value(m, (struct value){0}, OPTION_MISSING, (struct value){0}, SIZE_ANY);
        break;
    case TEST_INSIDE:
        if (test->value.kind == VALUE_CIDR) {
            make_inside(m, &test->value);
        }
        break;
    case TEST_IS:
    case TEST_BOUND:
        if (test->value.kind == VALUE_BOOL) {
            make_truths(m);
        } else if (text && test->kind == TEST_IS) {
            make_texts(m, test);
        } else if (values_ordered(test->value.kind)) {
            make_bound(m, &test->value, test->kind == TEST_IS);
        } else if (!text) {
            making_add_value(m, test->value, OPTION_IS, test->value, MAKING_ONE);
        }
        if (test->value.kind == VALUE_IP) {
            make_other(m);
        }
        break;
    case TEST_STARTS:
    case TEST_ENDS:
    case TEST_PART:
        make_texts(m, test);
        break;
    default:
        break;
    }
}

// Something to be there at all, where nothing says what.
static void make_there(struct making *m)
{
    static const uint8_t PLAIN[CEL_TYPE_COUNT] = {[CEL_DYN] = 1, [CEL_BOOL] = 1, [CEL_STRING] = 2};
    bool asked = false;
    for (uint32_t i = 0; i < m->at->test_count; i++) {
        asked = asked || m->at->tests[i].kind == TEST_THERE;
    }
    if (asked && making_missing(m->at) && m->at->option_count == 0 && PLAIN[m->at->type] != 0) {
        struct value to = PLAIN[m->at->type] == 1 ? value_bool(true) : making_text(m);
        making_add(m, (struct option){
                          .to = {.value = to}, .say = OPTION_GIVEN, .size = MAKING_ONE, .made_up = true});
    }
}

static void make_values(struct making *m)
{
    making_samples(m);
    for (uint32_t i = 0; i < m->at->test_count; i++) {
        make_test(m, &m->at->tests[i]);
    }
    making_elements(m);
    making_members(m);
    make_there(m);
}

void options_make(struct options *o)
{
    static void (*const MAKERS[])(struct making * m) = {[WHATIF_VALUE] = make_values,
                                                        [WHATIF_RISK] = make_risk,
                                                        [WHATIF_NOW] = make_times,
                                                        [WHATIF_PROOF] = making_proofs};
    for (uint32_t i = 0; i < o->count; i++) {
        whatif_look(o->world, o->arena);
        struct making making = {o, &o->list[i]};
        o->list[i].options = ARENA_ARRAY(o->arena, struct option, OPTIONS_MOST);
        if (o->list[i].options != NULL) {
            MAKERS[o->list[i].kind](&making);
        }
    }
}
