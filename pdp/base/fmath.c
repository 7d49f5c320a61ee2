// SPDX-License-Identifier: Apache-2.0
// HOT
#include "base/fmath.h"

#include <float.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Every operation below is one of those that IEEE 754 rounds correctly, in an order that the text fixes, so
// compilers and processors cannot differ. The build turns contraction into fused operations off.
#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "fmath needs plain double arithmetic"
#endif

#define NOT_A_NUMBER __builtin_nan("")
#define INFINITE __builtin_inf()

static double from_bits(uint64_t bits)
{
    double x = 0;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t to_bits(double x)
{
    uint64_t bits = 0;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

// 2^k for k in -1022..1023.
static double power_of_two(int32_t k)
{
    return from_bits((uint64_t)(k + 1023) << 52);
}

// Rounds towards minus infinity; |x| is below 2^31.
static int32_t floor_of(double x)
{
    int32_t n = (int32_t)x;
    return n - (x < (double)n);
}

// ---- Exponentials ------------------------------------------------------------------------------

#define STEPS 32 // a doubling is cut into so many steps

// 2^(j/32), rounded, and what the rounding lost.
static const struct {
    double value, rest;
} POWERS[STEPS + 1] = {
    {0x1.0000000000000p+0, 0x0.0p+0},
    {0x1.059b0d3158574p+0, 0x1.d73e2a475b465p-55},
    {0x1.0b5586cf9890fp+0, 0x1.8a62e4adc610bp-54},
    {0x1.11301d0125b51p+0, -0x1.6c51039449b3ap-54},
    {0x1.172b83c7d517bp+0, -0x1.19041b9d78a76p-55},
    {0x1.1d4873168b9aap+0, 0x1.e016e00a2643cp-54},
    {0x1.2387a6e756238p+0, 0x1.9b07eb6c70573p-54},
    {0x1.29e9df51fdee1p+0, 0x1.612e8afad1255p-55},
    {0x1.306fe0a31b715p+0, 0x1.6f46ad23182e4p-55},
    {0x1.371a7373aa9cbp+0, -0x1.63aeabf42eae2p-54},
    {0x1.3dea64c123422p+0, 0x1.ada0911f09ebcp-55},
    {0x1.44e086061892dp+0, 0x1.89b7a04ef80d0p-59},
    {0x1.4bfdad5362a27p+0, 0x1.d4397afec42e2p-56},
    {0x1.5342b569d4f82p+0, -0x1.07abe1db13cadp-55},
    {0x1.5ab07dd485429p+0, 0x1.6324c054647adp-54},
    {0x1.6247eb03a5585p+0, -0x1.383c17e40b497p-54},
    {0x1.6a09e667f3bcdp+0, -0x1.bdd3413b26456p-54},
    {0x1.71f75e8ec5f74p+0, -0x1.16e4786887a99p-55},
    {0x1.7a11473eb0187p+0, -0x1.41577ee04992fp-55},
    {0x1.82589994cce13p+0, -0x1.d4c1dd41532d8p-54},
    {0x1.8ace5422aa0dbp+0, 0x1.6e9f156864b27p-54},
    {0x1.93737b0cdc5e5p+0, -0x1.75fc781b57ebcp-57},
    {0x1.9c49182a3f090p+0, 0x1.c7c46b071f2bep-56},
    {0x1.a5503b23e255dp+0, -0x1.d2f6edb8d41e1p-54},
    {0x1.ae89f995ad3adp+0, 0x1.7a1cd345dcc81p-54},
    {0x1.b7f76f2fb5e47p+0, -0x1.5584f7e54ac3bp-56},
    {0x1.c199bdd85529cp+0, 0x1.11065895048ddp-55},
    {0x1.cb720dcef9069p+0, 0x1.503cbd1e949dbp-56},
    {0x1.d5818dcfba487p+0, 0x1.2ed02d75b3707p-55},
    {0x1.dfc97337b9b5fp+0, -0x1.1a5cd4f184b5cp-54},
    {0x1.ea4afa2a490dap+0, -0x1.e9c23179c2893p-54},
    {0x1.f50765b6e4540p+0, 0x1.9d3e12dd8a18bp-54},
    {0x1.0000000000000p+1, 0x0.0p+0},
};

static const double STEP_LN = 0x1.62e42fefa39efp-6;    // ln 2 / 32
static const double STEP_LN_HI = 0x1.62e42fefa0000p-6; // its first 36 bits: n times it is exact
static const double STEP_LN_LO = 0x1.cf79abc9e3b3ap-45;
static const double STEPS_PER_E = 0x1.71547652b82fep+5; // 32 / ln 2

// 2^(n/32)·exp(r), r within one step. Monotonic in (n, r): all terms are positive, so each rounding
// keeps the order, and what would pass the next step's beginning is held there.
static double power(int32_t n, double r)
{
    int32_t k = n >> 5, j = n & (STEPS - 1);
    if (k > 1023) {
        return INFINITE;
    }
    if (k < -1022) {
        return 0;
    }
    r = r > 0 ? r : 0;
    double p = 1.0 / 120 + r * (1.0 / 720 + r * (1.0 / 5040));
    p = r * (1 + r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * p))));
    double m = POWERS[j].value + (POWERS[j].rest + POWERS[j].value * p);
    m = m < POWERS[j + 1].value ? m : POWERS[j + 1].value;
    return m * power_of_two(k);
}

double fmath_exp(double x)
{
    if (x != x) {
        return NOT_A_NUMBER;
    }
    if (x > 710) {
        return INFINITE;
    }
    if (x < -710) {
        return 0;
    }
    int32_t n = floor_of(x * STEPS_PER_E);
    return power(n, (x - (double)n * STEP_LN_HI) - (double)n * STEP_LN_LO);
}

double fmath_exp2(double x)
{
    if (x != x) {
        return NOT_A_NUMBER;
    }
    if (x >= 1024) {
        return INFINITE;
    }
    if (x < -1022) {
        return 0;
    }
    int32_t n = floor_of(x * STEPS);
    return power(n, (x * STEPS - (double)n) * STEP_LN);
}

double fmath_sigmoid(double x)
{
    // exp is monotonic, and so is every operation after it.
    double y = 1 / (1 + fmath_exp(-x));
    if (x != x) {
        return NOT_A_NUMBER;
    }
    return y >= DBL_MIN ? y : 0;
}

double fmath_decay(double value, int64_t elapsed_ms, int64_t half_life_ms)
{
    if (elapsed_ms <= 0) {
        return value;
    }
    if (half_life_ms <= 0) {
        return value != value ? NOT_A_NUMBER : 0;
    }
    return value * fmath_exp2(-((double)elapsed_ms / (double)half_life_ms));
}

// ---- Logarithm ---------------------------------------------------------------------------------

static const double LN2_HI = 0x1.62e42fefa2000p-1; // 40 bits: any exponent times it is exact
static const double LN2_LO = 0x1.9ef35793c7673p-41;
static const double HALF_SQRT2 = 0x1.6a09e667f3bcdp-1;

// x = 2^k·(1 + f), f in about -0.29..0.41. With s = f/(2 + f), ln(1 + f) = 2s + 2s³/3 + 2s⁵/5 + …, and
// 2s = f − s·f, which keeps f whole.
static double log_of_normal(double x, int32_t k)
{
    uint64_t bits = to_bits(x);
    k += (int32_t)(bits >> 52) - 1023;
    double m = from_bits((bits & ((UINT64_C(1) << 52) - 1)) | (UINT64_C(1023) << 52));
    if (m > 2 * HALF_SQRT2) {
        m *= 0.5;
        k++;
    }
    double f = m - 1;
    double s = f / (2 + f);
    double z = s * s, z2 = z * z;
    double even = 2.0 / 5 + z2 * (2.0 / 9 + z2 * (2.0 / 13 + z2 * (2.0 / 17 + z2 * (2.0 / 21))));
    double odd =
        2.0 / 3 + z2 * (2.0 / 7 + z2 * (2.0 / 11 + z2 * (2.0 / 15 + z2 * (2.0 / 19 + z2 * (2.0 / 23)))));
    double r = z * (odd + z * even);
    return (double)k * LN2_HI + (f - (s * (f - r) - (double)k * LN2_LO));
}

double fmath_log(double x)
{
    if (!(x >= 0)) {
        return NOT_A_NUMBER;
    }
    if (x == 0) {
        return -INFINITE;
    }
    if (x > DBL_MAX) {
        return x;
    }
    return x < DBL_MIN ? log_of_normal(x * 0x1p54, -54) : log_of_normal(x, 0);
}

// ---- Trigonometry ------------------------------------------------------------------------------

static const double MOST_RAD = 1e5;
static const double TWO_BY_PI = 0x1.45f306dc9c883p-1;
// π/2 in four parts; the first three have 33 bits, so a quarter's number times each is exact.
static const double QUARTER[4] = {0x1.921fb54400000p+0, 0x1.0b4611a600000p-34, 0x1.3198a2e000000p-69,
                                  0x1.b839a252049c1p-104};
static const double HALF_PI = 0x1.921fb54442d18p+0;
static const double HALF_PI_REST = 0x1.1a62633145c07p-54;

// A number as an unevaluated sum.
struct pair {
    double hi, lo;
};

// a + b without loss.
static struct pair sum_of(double a, double b)
{
    double s = a + b;
    double part = s - a;
    return (struct pair){s, (a - (s - part)) + (b - part)};
}

// rad = quarter·π/2 + result, |result| <= π/4 and a little.
static struct pair reduce(double rad, int32_t *quarter)
{
    int32_t n = floor_of(rad * TWO_BY_PI + 0.5);
    *quarter = n & 3;
    if (n == 0) {
        return (struct pair){rad, 0}; // what follows would give the same
    }
    double k = (double)n;
    double top = rad - k * QUARTER[0];
    struct pair a = sum_of(top, -(k * QUARTER[1]));
    struct pair b = sum_of(a.hi, -(k * QUARTER[2]));
    return sum_of(b.hi, (a.lo + b.lo) - k * QUARTER[3]);
}

static double sine_near(struct pair r)
{
    double z = r.hi * r.hi;
    double p =
        -1.0 / 39916800 + z * (1.0 / 6227020800 + z * (-1.0 / 1307674368000 + z * (1.0 / 355687428096000)));
    p = -1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * p)));
    return r.hi + (r.lo * (1 - 0.5 * z) + r.hi * z * p);
}

static double cosine_near(struct pair r)
{
    double z = r.hi * r.hi;
    double p = 1.0 / 479001600 + z * (-1.0 / 87178291200 + z * (1.0 / 20922789888000));
    p = 1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * p)));
    double half = 0.5 * z;
    double top = 1 - half;
    return top + (((1 - top) - half) + (z * z * p - r.hi * r.lo));
}

// sin(rad + turn·π/2).
static double circular(double rad, int32_t turn)
{
    if (!(rad >= -MOST_RAD && rad <= MOST_RAD)) {
        return NOT_A_NUMBER;
    }
    int32_t quarter = 0;
    struct pair r = reduce(rad, &quarter);
    quarter = (quarter + turn) & 3;
    double y = (quarter & 1) != 0 ? cosine_near(r) : sine_near(r);
    return (quarter & 2) != 0 ? -y : y;
}

double fmath_sin(double rad)
{
    return circular(rad, 0);
}

double fmath_cos(double rad)
{
    return circular(rad, 1);
}

// The instruction where there is one: the builtin may become a call of libm, which then must be linked.
double fmath_sqrt(double x)
{
    if (!(x >= 0)) {
        return NOT_A_NUMBER;
    }
#if defined(__SSE2__)
    __m128d v = _mm_set_sd(x);
    return _mm_cvtsd_f64(_mm_sqrt_sd(v, v));
#else
    return __builtin_sqrt(x);
#endif
}

// (asin(√z)/√z − 1)/z over 0..0.25, interpolated at Chebyshev's points; off by less than 6e-18.
static const double ASIN[13] = {0x1.5555555555556p-3, 0x1.3333333332ecap-4, 0x1.6db6db6e31f13p-5,
                                0x1.f1c71c1db0623p-6, 0x1.6e8bb1c8209a2p-6, 0x1.1c4d35cf95421p-6,
                                0x1.c9cf07674736ap-7, 0x1.782651caa6547p-7, 0x1.52420b04b37bep-7,
                                0x1.65a9c4dfcf8b2p-8, 0x1.1d189408314eep-6, -0x1.e6aaa8a0a04ccp-7,
                                0x1.d72b2bc8155f8p-6};

static double asin_tail(double z)
{
    // Two sums side by side: the processor does both at once.
    double z2 = z * z, even = ASIN[12], odd = 0;
    for (size_t i = 6; i-- > 0;) {
        even = even * z2 + ASIN[2 * i];
        odd = odd * z2 + ASIN[2 * i + 1];
    }
    return (even + odd * z) * z;
}

// asin(x) = π/2 − 2·asin(√((1 − x)/2)) for x in 0.5..1, with what √ rounds away put back.
static double asin_high(double x)
{
    double z = (1 - x) * 0.5;
    double s = fmath_sqrt(z);
    double cut = from_bits(to_bits(s) & ~UINT64_C(0xffffffff));
    double rest = s > 0 ? (z - cut * cut) / (s + cut) : 0;
    struct pair top = sum_of(HALF_PI, -2 * cut);
    return top.hi + (top.lo + (HALF_PI_REST - 2 * (rest + s * asin_tail(z))));
}

double fmath_asin(double x)
{
    if (!(x >= -1 && x <= 1)) {
        return NOT_A_NUMBER;
    }
    double size = x < 0 ? -x : x;
    if (size <= 0.5) {
        return x + x * asin_tail(x * x);
    }
    return x < 0 ? -asin_high(size) : asin_high(size);
}

// ---- The globe ---------------------------------------------------------------------------------

static const double EARTH_KM = 6371.0088;
static const double RAD_PER_DEG = 0x1.1df46a2529d39p-6;

double fmath_great_circle_km(double lat1_deg, double lon1_deg, double lat2_deg, double lon2_deg)
{
    double by_lat = fmath_sin((lat2_deg - lat1_deg) * 0.5 * RAD_PER_DEG);
    double by_lon = fmath_sin((lon2_deg - lon1_deg) * 0.5 * RAD_PER_DEG);
    double cosines = fmath_cos(lat1_deg * RAD_PER_DEG) * fmath_cos(lat2_deg * RAD_PER_DEG);
    double a = by_lat * by_lat + cosines * (by_lon * by_lon);
    if (a != a) {
        return NOT_A_NUMBER;
    }
    // Rounding, or latitudes beyond the poles, could leave the range by a hair.
    a = a < 0 ? 0 : a;
    return 2 * EARTH_KM * fmath_asin(fmath_sqrt(a < 1 ? a : 1));
}
