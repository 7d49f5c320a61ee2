// SPDX-License-Identifier: Apache-2.0
// Ranges of numbers, times, levels: between two values that something is compared with no test turns.
#include "cli/explain/claim.h"

#include "base/num.h"
#include "base/time.h"
#include "cel/frame.h"
#include "risk/model.h"

#include <float.h>

static const int64_t WHOLE_MOST = INT64_C(9007199254740991); // that JSON carries exactly
static const int64_t CENTURY_S = INT64_C(3155760000);

// A value beside which nothing turns but where it stands to a bound.
struct point {
    struct value value;
    bool bound, above, below; // is one; is the first above one; the last below one
    struct value above_of, below_of;
};
struct points {
    struct point list[CLAIM_VALUES_MOST];
    uint32_t count;
    bool good;
};

static void put(struct points *points, struct point point)
{
    uint32_t at = 0;
    int order = 1;
    while (at < points->count && (order = cmp_order(&points->list[at].value, &point.value)) == -1) {
        at++;
    }
    struct point *known = &points->list[at];
    if (at < points->count && order == 0) {
        known->above_of = point.above ? point.above_of : known->above_of;
        known->below_of = point.below ? point.below_of : known->below_of;
        known->bound = known->bound || point.bound;
        known->above = known->above || point.above;
        known->below = known->below || point.below;
        return;
    }
    points->good = points->good && (at == points->count || order == 1) && points->count < CLAIM_VALUES_MOST;
    if (points->good) {
        memmove(known + 1, known, (points->count - at) * sizeof *known);
        *known = point;
        points->count++;
    }
}

// Whole seconds, as questions say it.
static struct value latest(const struct claim *c)
{
    int64_t now_s = c->options->world->seen->now_ms / TIME_MS_PER_S;
    return value_time_ms(options_is_past(c->change->attributes[c->at])
                             ? now_s * TIME_MS_PER_S
                             : num_mul_sat(now_s + CENTURY_S, TIME_MS_PER_S));
}

static bool is_ahead(const struct claim *c, const struct value *value)
{
    struct value last = latest(c);
    return options_is_past(c->change->attributes[c->at]) && cmp_order(value, &last) == 1;
}

static void put_bound(const struct claim *c, const struct value *bound, struct points *points)
{
    for (int side = -1; side <= 1; side++) {
        struct point point = {.bound = side == 0, .above = side > 0, .below = side < 0};
        point.above_of = point.below_of = *bound;
        if (options_near(c->options, c->change->attributes[c->at], bound, side, &point.value) &&
            !is_ahead(c, &point.value)) {
            put(points, point);
        }
    }
}

static void put_ends(const struct claim *c, const struct value *like, struct points *points)
{
    const struct whatif_world *world = c->options->world;
    struct value ends[2] = {*like, *like};
    bool risk = c->change->attributes[c->at]->kind == WHATIF_RISK;
    int64_t now_s = world->seen->now_ms / TIME_MS_PER_S;
    for (int i = 0; i < 2; i++) {
        int64_t sign = i == 0 ? -1 : 1;
        switch (like->kind) {
        case VALUE_DOUBLE:
            ends[i].as.d = risk ? 100.0 * i : (double)sign * DBL_MAX;
            break;
        case VALUE_UINT:
            ends[i].as.u = i == 0 ? 0 : (uint64_t)WHOLE_MOST;
            break;
        case VALUE_INT:
            ends[i].as.i = sign * WHOLE_MOST;
            break;
        case VALUE_TIMESTAMP:
            ends[i] = i == 0 ? value_time_ms(num_mul_sat(now_s - CENTURY_S, TIME_MS_PER_S)) : latest(c);
            break;
        case VALUE_DURATION:
            ends[i] = time_of_nanos(sign * CENTURY_S * 1000000000);
            break;
        case VALUE_STRENGTH:
            ends[i].as.i = i == 0 ? 0 : (int64_t)world->parts.env->strength_count - 1;
            break;
        default:
            points->good = false;
            break;
        }
        bool now = i == 1 && options_is_past(c->change->attributes[c->at]);
        put(points, (struct point){.value = ends[i], .bound = now});
    }
}

static void put_all(const struct claim *c, const struct option *option, struct points *points)
{
    const struct attribute *at = c->change->attributes[c->at];
    const struct risk_model *model = c->options->world->parts.risk;
    for (uint32_t i = 0; i < at->test_count; i++) {
        const struct value *bound = &at->tests[i].value;
        bool tested = at->tests[i].kind == TEST_IS || at->tests[i].kind == TEST_BOUND;
        bool level = at->kind == WHATIF_RISK && bound->kind == VALUE_LEVEL;
        if (tested && !level && values_ordered(bound->kind)) {
            put_bound(c, bound, points);
        }
    }
    for (size_t i = 0; at->kind == WHATIF_RISK && i < RISK_LEVEL_COUNT - 1; i++) {
        struct value bound = value_double(model->thresholds[i]);
        put_bound(c, &bound, points);
    }
    put_ends(c, &option->to.value, points);
}

static struct whatif with(const struct claim *c, const struct option *option, const struct value *value)
{
    struct whatif to = option->to;
    to.value = *value;
    if (to.kind == WHATIF_RISK) {
        to.score = value->as.d;
        to.level = risk_level_of(c->options->world->parts.risk, to.score);
    }
    return to;
}

// A level is reached at its threshold.
static void unlevel(const struct claim *c, struct option *option)
{
    if (option->than.kind == VALUE_LEVEL && option->than.as.i > 0) {
        option->than = value_double(c->options->world->parts.risk->thresholds[option->than.as.i - 1]);
    }
}

// The level that begins at a score, of words that name a level; an ERROR: none does.
static struct value level_from(const struct claim *c, const struct option *option, const struct value *score)
{
    const struct risk_model *model = c->options->world->parts.risk;
    for (int64_t i = 1; option->than.kind == VALUE_LEVEL && i < RISK_LEVEL_COUNT; i++) {
        struct value threshold = value_double(model->thresholds[i - 1]);
        if (cmp_order(&threshold, score) == 0) {
            return (struct value){.kind = VALUE_LEVEL, .as.i = i};
        }
    }
    return (struct value){0};
}

// From one level to another in the words of levels; false: it is no level that it ends at.
static bool say_levels(const struct claim *c, struct option *option, const struct point *last, bool up)
{
    bool fits = up ? last->below : last->bound;
    struct value end = level_from(c, option, up ? &last->below_of : &last->value);
    if (!fits || end.kind != VALUE_LEVEL) {
        return false;
    }
    option->until = up ? end : option->than;
    option->than = up ? option->than : end;
    bool one = option->until.as.i == option->than.as.i + 1;
    option->say = one ? OPTION_IS : OPTION_AT_LEAST;
    option->until_say = one ? OPTION_IS : OPTION_BELOW;
    return true;
}

// The last point from `from` on, one way, up to which all hold, and by whose bound that can be said.
static uint32_t reach(struct claim *c, const struct option *option, const struct points *points,
                      uint32_t from, bool up)
{
    uint32_t end = up ? points->count - 1 : 0, at = from;
    while (at != end) {
        uint32_t next = up ? at + 1 : at - 1;
        struct whatif to = with(c, option, &points->list[next].value);
        if (!claim_holds(c, &to)) {
            break;
        }
        at = next;
    }
    while (at != end && at != from) {
        const struct point *point = &points->list[at];
        if (point->bound || (up ? point->below : point->above)) {
            break;
        }
        at = up ? at - 1 : at + 1;
    }
    return at;
}

static void say_end(const struct claim *c, struct option *option, const struct point *last, bool up)
{
    if (say_levels(c, option, last, up)) {
        return;
    }
    unlevel(c, option);
    if (up) {
        option->until_say = last->bound ? OPTION_AT_MOST : OPTION_BELOW;
        option->until = last->bound ? last->value : last->below_of;
        return;
    }
    option->until_say = option->say;
    option->until = option->than;
    option->say = last->bound ? OPTION_AT_LEAST : OPTION_ABOVE;
    option->than = last->bound ? last->value : last->above_of;
}

static bool is_below(const struct value *value, enum option_say say, const struct value *than)
{
    int order = cmp_order(value, than);
    return order == -1 || (order == 0 && say == OPTION_AT_MOST);
}

static bool is_meant(const struct option *option, const struct value *value)
{
    bool down = option->say == OPTION_BELOW || option->say == OPTION_AT_MOST;
    int order = cmp_order(value, &option->than);
    bool low = down ? is_below(value, option->say, &option->than)
                    : order == 1 || (order == 0 && option->say == OPTION_AT_LEAST);
    bool ends = option->until_say == OPTION_BELOW || option->until_say == OPTION_AT_MOST;
    return low && (!ends || is_below(value, option->until_say, &option->until));
}

// Of a number that is missing nobody knows that it will be whole: what lies between has to do as well.
static bool halves_hold(struct claim *c, const struct option *option, const struct whatif *kept,
                        uint32_t count)
{
    const struct attribute *at = c->change->attributes[c->at];
    bool whole = at->type != CEL_INT && at->is.kind == VALUE_ERROR && option->to.value.kind == VALUE_INT;
    for (uint32_t i = 0; whole && i < 2 * count; i++) {
        struct value half = value_double((double)kept[i / 2].value.as.i + (i % 2 == 0 ? -0.5 : 0.5));
        struct whatif to = with(c, option, &half);
        if (is_meant(option, &half) && !claim_holds(c, &to)) {
            return false;
        }
    }
    return true;
}

// Up to now is as far as a time goes that has passed.
static void say_now(const struct claim *c, struct option *option)
{
    struct value now = latest(c);
    option->until_say = OPTION_AT_MOST;
    option->until = now;
    if (option->say == OPTION_AT_LEAST && cmp_order(&option->than, &now) == 0) {
        option->say = OPTION_IS;
        option->until_say = OPTION_IS;
    }
}

bool claim_order(struct claim *c, struct option *option)
{
    struct points *points = ARENA_NEW(c->options->arena, struct points);
    bool up = option->say == OPTION_AT_LEAST || option->say == OPTION_ABOVE;
    uint32_t from = 0;
    if (points == NULL) {
        return false;
    }
    points->good = true;
    put_all(c, option, points);
    while (from < points->count && cmp_order(&points->list[from].value, &option->to.value) != 0) {
        from++;
    }
    if (!points->good || from == points->count) {
        return false;
    }
    uint32_t last = reach(c, option, points, from, up), count = 1 + (up ? last - from : from - last);
    struct whatif *kept = ARENA_ARRAY(c->options->arena, struct whatif, count);
    for (uint32_t i = 0; kept != NULL && i < count; i++) {
        kept[i] = with(c, option, &points->list[up ? from + i : from - i].value);
    }
    if (kept == NULL || (last == from && last != (up ? points->count - 1 : 0))) {
        return false;
    }
    if (last != (up ? points->count - 1 : 0)) {
        say_end(c, option, &points->list[last], up);
    } else if (up && options_is_past(c->change->attributes[c->at])) {
        say_now(c, option);
    }
    if (!halves_hold(c, option, kept, count)) {
        return false;
    }
    c->kept[c->at] = kept;
    c->kept_count[c->at] = count;
    return true;
}
