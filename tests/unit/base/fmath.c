// SPDX-License-Identifier: Apache-2.0
#include "base/fmath.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>

// A reproducible stream of numbers.
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double between(uint64_t *state, double least, double most)
{
    return least + (most - least) * ((double)(next(state) >> 11) * 0x1p-53);
}

// The next double above a finite one.
static double above(double x)
{
    uint64_t bits = 0;
    x = x == 0 ? 0 : x;
    memcpy(&bits, &x, sizeof bits);
    bits += x >= 0 ? 1 : UINT64_MAX;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// How far off `got` is, in units in the last place of the true value.
static double ulps(double got, long double truth)
{
    double near = fabs((double)truth);
    double unit = above(near) - near;
    return (double)(fabsl((long double)got - truth) / (long double)unit);
}

// The truth, in more digits. libm is looked up while the test runs: nothing here is linked with it.
static long double (*libm(const char *name))(long double)
{
    void *lib = dlopen("libm.so.6", RTLD_NOW);
    cr_assert_not_null(lib, "%s", dlerror());
    long double (*fn)(long double) = NULL;
    void *at = dlsym(lib, name);
    cr_assert_not_null(at, "%s", name);
    memcpy(&fn, &at, sizeof fn);
    return fn;
}

static long double sigmoid_l(long double (*exp_l)(long double), long double x)
{
    return 1 / (1 + exp_l(-x));
}

static const struct {
    const char *name;
    double (*ours)(double);
    const char *truth; // of libm; sigmoid is made from expl
    double least, most;
} RANGES[] = {
    {"exp", fmath_exp, "expl", -708.39, 709.78},
    {"exp near 0", fmath_exp, "expl", -1, 1},
    {"exp at 0", fmath_exp, "expl", -1e-9, 1e-9},
    {"exp2", fmath_exp2, "exp2l", -1022, 1023.999},
    {"exp2 near 0", fmath_exp2, "exp2l", -2, 2},
    {"log", fmath_log, "logl", 1e-300, 1e300},
    {"log of small", fmath_log, "logl", 1e-5, 10},
    {"log at 1", fmath_log, "logl", 0.6, 1.6},
    {"log near 1", fmath_log, "logl", 0.999999, 1.000001},
    {"log of subnormals", fmath_log, "logl", 5e-324, 1e-308},
    {"sin", fmath_sin, "sinl", -1e5, 1e5},
    {"sin of one turn", fmath_sin, "sinl", -7, 7},
    {"sin of little", fmath_sin, "sinl", -1e-4, 1e-4},
    {"cos", fmath_cos, "cosl", -1e5, 1e5},
    {"cos of one turn", fmath_cos, "cosl", -7, 7},
    {"asin", fmath_asin, "asinl", -1, 1},
    {"asin near 1", fmath_asin, "asinl", 0.999, 1},
    {"asin near 0.5", fmath_asin, "asinl", 0.499, 0.501},
    {"asin of little", fmath_asin, "asinl", -1e-6, 1e-6},
    {"sqrt", fmath_sqrt, "sqrtl", 0, 1e300},
    {"sigmoid", fmath_sigmoid, "sigmoid", -700, 40},
    {"sigmoid near 0", fmath_sigmoid, "sigmoid", -8, 8},
};

Test(base_fmath, stays_within_two_units_in_the_last_place)
{
    for (size_t i = 0; i < COUNT_OF(RANGES); i++) {
        uint64_t state = 0x9e3779b97f4a7c15u + i;
        bool sigmoid = strcmp(RANGES[i].truth, "sigmoid") == 0;
        long double (*truth)(long double) = libm(sigmoid ? "expl" : RANGES[i].truth);
        double worst = 0, where = 0;
        for (int n = 0; n < 100000; n++) {
            double x = between(&state, RANGES[i].least, RANGES[i].most);
            double off = ulps(RANGES[i].ours(x), sigmoid ? sigmoid_l(truth, x) : truth(x));
            if (!(off <= worst)) {
                worst = off;
                where = x;
            }
        }
        cr_expect(worst <= 2, "%s: off by %g ulp at %a", RANGES[i].name, worst, where);
    }
}

// Where a reduction cancels most: next to multiples of π/2.
Test(base_fmath, keeps_its_precision_next_to_multiples_of_a_quarter)
{
    long double (*sin_l)(long double) = libm("sinl"), (*cos_l)(long double) = libm("cosl");
    for (int k = -63661; k <= 63661; k += 7) {
        double near = (double)(k * 1.57079632679489661923132169163975144L);
        for (int step = -2; step <= 2; step++) {
            double x = near + step * 0x1p-40;
            cr_assert(ulps(fmath_sin(x), sin_l(x)) <= 2, "sin(%a)", x);
            cr_assert(ulps(fmath_cos(x), cos_l(x)) <= 2, "cos(%a)", x);
        }
    }
}

#define SAME(got, want)                                                                                      \
    do {                                                                                                     \
        double got_ = (got), want_ = (want);                                                                 \
        cr_expect((got_ != got_ && want_ != want_) || got_ == want_, "%s is %a, not %a", #got, got_, want_); \
    } while (0)

Test(base_fmath, knows_its_extremes)
{
    SAME(fmath_exp(NAN), NAN);
    SAME(fmath_exp(INFINITY), INFINITY);
    SAME(fmath_exp(-INFINITY), 0);
    SAME(fmath_exp(0), 1);
    SAME(fmath_exp(-0.0), 1);
    SAME(fmath_exp(5e-324), 1);
    SAME(fmath_exp(709.79), INFINITY);
    SAME(fmath_exp(-745.1), 0);
    SAME(fmath_exp(-709), 0);
    SAME(fmath_exp(DBL_MAX), INFINITY);
    SAME(fmath_exp(-DBL_MAX), 0);
    SAME(fmath_exp2(NAN), NAN);
    SAME(fmath_exp2(INFINITY), INFINITY);
    SAME(fmath_exp2(-INFINITY), 0);
    SAME(fmath_exp2(1023), 0x1p1023);
    SAME(fmath_exp2(1024), INFINITY);
    SAME(fmath_exp2(-1022), DBL_MIN);
    SAME(fmath_exp2(-1022.5), 0);
    SAME(fmath_log(NAN), NAN);
    SAME(fmath_log(-1), NAN);
    SAME(fmath_log(-INFINITY), NAN);
    SAME(fmath_log(0), -INFINITY);
    SAME(fmath_log(-0.0), -INFINITY);
    SAME(fmath_log(1), 0);
    SAME(fmath_log(INFINITY), INFINITY);
    SAME(fmath_sin(NAN), NAN);
    SAME(fmath_sin(INFINITY), NAN);
    SAME(fmath_sin(1.0000001e5), NAN);
    SAME(fmath_sin(0), 0);
    SAME(fmath_sin(5e-324), 5e-324);
    SAME(fmath_cos(NAN), NAN);
    SAME(fmath_cos(-INFINITY), NAN);
    SAME(fmath_cos(0), 1);
    SAME(fmath_asin(NAN), NAN);
    SAME(fmath_asin(1.0000000000000002), NAN);
    SAME(fmath_asin(-INFINITY), NAN);
    SAME(fmath_asin(1), 0x1.921fb54442d18p+0);
    SAME(fmath_asin(-1), -0x1.921fb54442d18p+0);
    SAME(fmath_asin(0), 0);
    SAME(fmath_sqrt(NAN), NAN);
    SAME(fmath_sqrt(-1), NAN);
    SAME(fmath_sqrt(INFINITY), INFINITY);
    SAME(fmath_sqrt(5e-324), 0x1p-537);
    SAME(fmath_sigmoid(NAN), NAN);
    SAME(fmath_sigmoid(INFINITY), 1);
    SAME(fmath_sigmoid(-INFINITY), 0);
    SAME(fmath_sigmoid(0), 0.5);
    SAME(fmath_sigmoid(40), 1);
    SAME(fmath_sigmoid(-709.5), 0);
}

Test(base_fmath, powers_of_two_are_exact)
{
    double power = DBL_MIN;
    for (int k = -1022; k < 1024; k++, power *= 2) {
        cr_assert_eq(fmath_exp2(k), power, "2^%d", k);
    }
}

// Neighbours in the bits: where rounding could turn an order round, it would be here.
Test(base_fmath, exp_and_sigmoid_never_fall)
{
    uint64_t state = 42;
    for (int n = 0; n < 20000; n++) {
        double x = between(&state, -720, 720) * (n % 2 == 0 ? 1 : 0.01);
        if (n % 3 == 0) {
            x = (double)((int)(x * 46.17) + n % 2) * 0.021660849392498290; // where one step ends
        }
        for (int i = 0; i < 50; i++) {
            double up = above(x);
            cr_assert(fmath_exp(x) <= fmath_exp(up), "exp falls after %a", x);
            cr_assert(fmath_exp2(x) <= fmath_exp2(up), "exp2 falls after %a", x);
            cr_assert(fmath_sigmoid(x) <= fmath_sigmoid(up), "sigmoid falls after %a", x);
            x = up;
        }
    }
}

static const struct {
    const char *name;
    double lat1, lon1, lat2, lon2, km, within;
} ARCS[] = {
    {"nowhere to go", 52.52, 13.4, 52.52, 13.4, 0, 0},
    {"berlin to sydney", 52.52, 13.40, -33.87, 151.21, 16090, 15},
    {"a quarter", 0, 0, 0, 90, 10007.557, 0.001},
    {"pole to pole", 90, 0, -90, 0, 20015.115, 0.001},
    {"one pole, two names", 90, -170, 90, 10, 0, 1e-9},
    {"across the date line", 0, 179.5, 0, -179.5, 111.195, 0.001},
    {"opposite", 12.5, 30, -12.5, -150, 20015.115, 0.001},
    {"a metre", 10, 10, 10.000009, 10, 0.001, 0.0001},
    {"beyond the pole", 1000, 0, -1000, 500, 10000, 10100},
};

Test(base_fmath, measures_great_circles)
{
    for (size_t i = 0; i < COUNT_OF(ARCS); i++) {
        double km = fmath_great_circle_km(ARCS[i].lat1, ARCS[i].lon1, ARCS[i].lat2, ARCS[i].lon2);
        cr_expect(fabs(km - ARCS[i].km) <= ARCS[i].within, "%s: %.9g km", ARCS[i].name, km);
    }
    static const double ODD[] = {NAN, INFINITY, -INFINITY, DBL_MAX};
    for (size_t i = 0; i < COUNT_OF(ODD); i++) {
        SAME(fmath_great_circle_km(ODD[i], 0, 0, 0), NAN);
        SAME(fmath_great_circle_km(0, ODD[i], 0, 0), NAN);
        SAME(fmath_great_circle_km(0, 0, ODD[i], 0), NAN);
        SAME(fmath_great_circle_km(0, 0, 0, ODD[i]), NAN);
    }
}

Test(base_fmath, decays)
{
    SAME(fmath_decay(4, 1000, 1000), 2);
    SAME(fmath_decay(4, 0, 1000), 4);
    SAME(fmath_decay(4, -5, 1000), 4);
    SAME(fmath_decay(4, INT64_MIN, 1000), 4);
    SAME(fmath_decay(4, INT64_MAX, 1000), 0);
    SAME(fmath_decay(4, INT64_MAX, INT64_MAX), 2);
    SAME(fmath_decay(4, 1, 0), 0);
    SAME(fmath_decay(4, 0, 0), 4);
    SAME(fmath_decay(4, 1, -7), 0);
    SAME(fmath_decay(NAN, 1, 1), NAN);
    SAME(fmath_decay(-4, 2000, 1000), -1);
    double before = 1;
    for (int64_t ms = 0; ms < 200000; ms += 13) {
        double now = fmath_decay(1, ms, 9973);
        cr_assert(now <= before, "rises at %" PRId64, ms);
        before = now;
    }
}

static uint64_t mix(uint64_t hash, double x)
{
    uint64_t bits = 0x7ff8;
    if (x == x) {
        memcpy(&bits, &x, sizeof bits);
    }
    hash = (hash ^ bits) * 0x100000001b3u;
    return hash ^ (hash >> 29);
}

// Another compiler, processor or flag that gives other bits is noticed here: decisions could no longer be
// replayed there. Change the constant only together with fmath.c.
Test(base_fmath, gives_the_same_bits_everywhere)
{
    uint64_t hash = 0xcbf29ce484222325u, state = 7;
    for (int n = 0; n < 200000; n++) {
        double wide = between(&state, -760, 1100), small = between(&state, -1.01, 1.01);
        uint64_t bits = next(&state);
        double any = 0;
        memcpy(&any, &bits, sizeof any);
        hash = mix(mix(mix(hash, fmath_exp(wide)), fmath_exp(small)), fmath_exp(any));
        hash = mix(mix(mix(hash, fmath_exp2(wide)), fmath_exp2(small)), fmath_exp2(any));
        hash = mix(mix(mix(hash, fmath_log(wide)), fmath_log(small)), fmath_log(any));
        hash = mix(mix(mix(hash, fmath_sin(wide * 91)), fmath_sin(small)), fmath_sin(any));
        hash = mix(mix(mix(hash, fmath_cos(wide * 91)), fmath_cos(small)), fmath_cos(any));
        hash = mix(mix(mix(hash, fmath_asin(small)), fmath_sqrt(any)), fmath_sigmoid(wide));
        hash = mix(mix(hash, fmath_sigmoid(small * 40)), fmath_decay(wide, n, 777));
        hash = mix(hash, fmath_great_circle_km(small * 90, wide / 4, any, between(&state, -180, 180)));
        hash = mix(hash, fmath_great_circle_km(small * 90, wide / 4, 10, between(&state, -180, 180)));
    }
    cr_expect_eq(hash, UINT64_C(0x8fa57ab4548c2227), "hash is 0x%016" PRIx64, hash);
}
