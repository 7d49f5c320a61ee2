// SPDX-License-Identifier: Apache-2.0
#include "risk/fit.h"

#include "base/fmath.h"

static const unsigned STEPS_MOST = 100;
static const double RIDGE = 1e-12;     // keeps the curvature above 0 where all chances are at an end
static const double STILL = 1e-10;     // of the slope of the loss, by point
static const double SHORTEST = 1e-10;  // of a step
static const double SUFFICIENT = 1e-4; // of what the slope promises, a step must bring

// One descent. A number that is held does not move.
struct descent {
    const struct measure_point *points;
    size_t count;
    double attack_target, other_target; // what the truth counts as: never 0 or 1
    bool hold_a, hold_b;
    double a, b, loss;
};

struct slope {
    double a, b, aa, ab, bb; // first and second derivatives
};

static double target_of(const struct descent *d, const struct measure_point *point)
{
    return point->attack ? d->attack_target : d->other_target;
}

// −t·ln σ(z) − (1 − t)·ln(1 − σ(z)), without ever taking the logarithm of 0.
static double loss_at(const struct descent *d, double a, double b)
{
    double sum = 0;
    for (size_t i = 0; i < d->count; i++) {
        double z = a * d->points[i].value + b;
        double t = target_of(d, &d->points[i]);
        sum += z >= 0 ? (1 - t) * z + fmath_log(1 + fmath_exp(-z)) : -t * z + fmath_log(1 + fmath_exp(z));
    }
    return sum;
}

static struct slope slope_at(const struct descent *d)
{
    struct slope s = {.aa = RIDGE, .bb = RIDGE};
    for (size_t i = 0; i < d->count; i++) {
        double x = d->points[i].value;
        double chance = fmath_sigmoid(d->a * x + d->b);
        double miss = chance - target_of(d, &d->points[i]);
        double curve = chance * (1 - chance);
        s.a += miss * x;
        s.b += miss;
        s.aa += curve * x * x;
        s.ab += curve * x;
        s.bb += curve;
    }
    return s;
}

static double size_of(double x)
{
    return x < 0 ? -x : x;
}

static bool stands_still(const struct descent *d, const struct slope *s)
{
    double least = STILL * (double)d->count;
    return (d->hold_a || size_of(s->a) < least) && (d->hold_b || size_of(s->b) < least);
}

static void newton_step(const struct descent *d, const struct slope *s, double *da, double *db)
{
    *da = d->hold_a ? 0 : -s->a / s->aa;
    *db = d->hold_b ? 0 : -s->b / s->bb;
    double det = s->aa * s->bb - s->ab * s->ab;
    if (!d->hold_a && !d->hold_b && det > 0) {
        *da = -(s->bb * s->a - s->ab * s->b) / det;
        *db = -(s->aa * s->b - s->ab * s->a) / det;
    }
}

// Shortens a step until it brings what it should; false where none does.
static bool take_step(struct descent *d, const struct slope *s, double da, double db)
{
    double promise = s->a * da + s->b * db;
    for (double part = 1; part >= SHORTEST; part /= 2) {
        double a = d->a + part * da, b = d->b + part * db;
        double loss = loss_at(d, a, b);
        if (loss < d->loss + SUFFICIENT * part * promise) {
            d->a = a;
            d->b = b;
            d->loss = loss;
            return true;
        }
    }
    return false;
}

// true where it stands still, or as still as doubles can.
static bool descend(struct descent *d)
{
    d->loss = loss_at(d, d->a, d->b);
    for (unsigned i = 0; i < STEPS_MOST; i++) {
        double da = 0, db = 0;
        struct slope s = slope_at(d);
        if (stands_still(d, &s)) {
            return true;
        }
        newton_step(d, &s, &da, &db);
        if (!take_step(d, &s, da, db)) {
            return true;
        }
    }
    return false;
}

static double within(double x, double least, double most)
{
    return x < least ? least : x > most ? most : x;
}

// Log-odds of attacks and of others: the least and the most.
struct spread {
    double least[2], most[2];
    size_t count[2];
    bool finite;
};

static struct spread spread_of(const struct measure_point *points, size_t count)
{
    double inf = __builtin_inf();
    struct spread s = {{inf, inf}, {-inf, -inf}, {0, 0}, true};
    for (size_t i = 0; i < count; i++) {
        double x = points[i].value;
        size_t kind = points[i].attack;
        s.finite = s.finite && __builtin_isfinite(x);
        s.least[kind] = x < s.least[kind] ? x : s.least[kind];
        s.most[kind] = x > s.most[kind] ? x : s.most[kind];
        s.count[kind]++;
    }
    return s;
}

static void bound(struct descent *d, bool *settled, unsigned *notes)
{
    double a = within(d->a, FIT_SLOPE_LEAST, FIT_SLOPE_MOST);
    double b = within(d->b, -FIT_SHIFT_MOST, FIT_SHIFT_MOST);
    if (a != d->a) {
        *notes |= d->a <= 0 ? FIT_BACKWARDS : FIT_HELD;
        d->a = a;
        d->hold_a = true;
        d->b = b;
        *settled = descend(d) && *settled;
    }
    b = within(d->b, -FIT_SHIFT_MOST, FIT_SHIFT_MOST);
    if (b != d->b) {
        *notes |= FIT_HELD;
        d->b = b;
        d->hold_b = true;
        *settled = (d->hold_a || descend(d)) && *settled;
        d->a = within(d->a, FIT_SLOPE_LEAST, FIT_SLOPE_MOST);
    }
}

enum pdp_err fit_platt(const struct measure_point *points, size_t count, struct fit *out)
{
    struct spread s = spread_of(points, count);
    *out = (struct fit){.a = 1, .b = 0, .attacks = s.count[1], .others = s.count[0]};
    if (s.count[0] == 0 || s.count[1] == 0) {
        return PDP_ERR_MISSING;
    }
    double least = s.least[0] < s.least[1] ? s.least[0] : s.least[1];
    double most = s.most[0] > s.most[1] ? s.most[0] : s.most[1];
    if (!s.finite || !(least < most)) {
        return PDP_ERR_RANGE;
    }
    double attacks = (double)s.count[1], others = (double)s.count[0];
    struct descent d = {.points = points,
                        .count = count,
                        .attack_target = (attacks + 1) / (attacks + 2),
                        .other_target = 1 / (others + 2),
                        .b = fmath_log((attacks + 1) / (others + 1))};
    out->notes = (attacks < FIT_FEW || others < FIT_FEW ? FIT_THIN : 0) |
                 (s.least[1] > s.most[0] || s.least[0] > s.most[1] ? FIT_SEPARABLE : 0);
    bool settled = descend(&d);
    bound(&d, &settled, &out->notes);
    out->notes |= settled ? 0 : FIT_UNSETTLED;
    out->a = d.a;
    out->b = d.b;
    return PDP_ERR_OK;
}

void fit_apply(const struct fit *fit, struct measure_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        points[i].value = fmath_sigmoid(fit->a * points[i].value + fit->b);
    }
}
