// SPDX-License-Identifier: Apache-2.0
#include "risk/measure.h"

#include "base/fmath.h"

#include <stdlib.h>

static const double SUREST = 1e-12;

// ---- Chances against the truth -----------------------------------------------------------------

static double held(double chance)
{
    // NaN is neither: it counts as 1, the side that asks.
    return chance <= 0 ? 0 : chance < 1 ? chance : 1;
}

static double loss_of(double chance, bool attack)
{
    double given = attack ? chance : 1 - chance;
    return -fmath_log(given > SUREST ? given : SUREST);
}

void measure_chances(const struct measure_point *points, size_t count, struct measure_fit *out)
{
    *out = (struct measure_fit){0};
    for (size_t i = 0; i < count; i++) {
        double chance = held(points[i].value);
        double miss = chance - (points[i].attack ? 1 : 0);
        size_t place = (size_t)(chance * MEASURE_BINS);
        struct measure_bin *bin = &out->bins[place < MEASURE_BINS ? place : MEASURE_BINS - 1];
        bin->count++;
        bin->attacks += points[i].attack;
        bin->said += chance;
        out->log_loss += loss_of(chance, points[i].attack);
        out->brier += miss * miss;
    }
    if (count == 0) {
        return;
    }
    for (size_t i = 0; i < MEASURE_BINS; i++) {
        struct measure_bin *bin = &out->bins[i];
        double gap = bin->said - (double)bin->attacks;
        out->gap += gap < 0 ? -gap : gap;
        bin->said = bin->count > 0 ? bin->said / (double)bin->count : 0;
    }
    out->gap /= (double)count;
    out->log_loss /= (double)count;
    out->brier /= (double)count;
}

// ---- Ranks -------------------------------------------------------------------------------------

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (x != x || y != y) {
        return (x == x) - (y == y);
    }
    return (x > y) - (x < y);
}

void measure_sort(double *values, size_t count)
{
    if (count > 1) {
        qsort(values, count, sizeof *values, ascending);
    }
}

// The place of the first value that is not below (or, where `above`, that is above) the limit.
static size_t first_place(const double *sorted, size_t count, double limit, bool above)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = above ? !(sorted[middle] > limit) : !(sorted[middle] >= limit);
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

size_t measure_at_least(const double *sorted, size_t count, double threshold)
{
    return count - first_place(sorted, count, threshold, false);
}

bool measure_budget(const double *sorted, size_t count, double share, double *threshold)
{
    *threshold = 0;
    double most = share * (double)count;
    size_t may = most >= (double)count ? count : most > 0 ? (size_t)most : 0;
    if (may == 0) {
        return false;
    }
    // Of equal values all are asked or none: where the last one that may be is one of too many, those above.
    size_t at = first_place(sorted, count, sorted[count - may], false);
    if (count - at > may) {
        at = first_place(sorted, count, sorted[count - may], true);
    }
    *threshold = at < count ? sorted[at] : 0;
    return at < count;
}

double measure_plain(const double *sorted, size_t count, double threshold)
{
    size_t taken = measure_at_least(sorted, count, threshold);
    double parts = 1;
    for (int decimals = 0; decimals <= 9 && threshold >= 0 && threshold < 1e6; decimals++, parts *= 10) {
        double plain = (double)(int64_t)(threshold * parts) / parts;
        if (plain <= threshold && measure_at_least(sorted, count, plain) == taken) {
            return plain;
        }
    }
    return threshold;
}

bool measure_auc(const double *attacks, size_t attack_count, const double *others, size_t other_count,
                 double *out)
{
    *out = 0;
    if (attack_count == 0 || other_count == 0) {
        return false;
    }
    double sum = 0;
    for (size_t i = 0; i < attack_count; i++) {
        sum += (double)first_place(others, other_count, attacks[i], false) +
               (double)first_place(others, other_count, attacks[i], true);
    }
    *out = sum / 2 / (double)attack_count / (double)other_count;
    return true;
}
