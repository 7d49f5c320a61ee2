// SPDX-License-Identifier: Apache-2.0
// HOT
#include "base/histogram.h"

const uint64_t HISTOGRAM_NS[HISTOGRAM_COUNT - 1] = {
    1000,    2000,    5000,    10000,    20000,    50000,    100000,    200000,    500000,
    1000000, 2000000, 5000000, 10000000, 20000000, 50000000, 100000000, 500000000, 1000000000};

static void add(_Atomic uint64_t *to, uint64_t more)
{
    // One writer: no locked instruction is needed.
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + more, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *from)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)from, memory_order_relaxed);
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    size_t i = 0;
    while (i < HISTOGRAM_COUNT - 1 && ns > HISTOGRAM_NS[i]) {
        i++;
    }
    add(&histogram->counts[i], 1);
    add(&histogram->sum_ns, ns);
}

void histogram_read(const struct histogram *histogram, struct histogram_sum *sum)
{
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        sum->counts[i] += get(&histogram->counts[i]);
    }
    sum->sum_ns += get(&histogram->sum_ns);
}

uint64_t histogram_quantile(const struct histogram_sum *sum, double q)
{
    uint64_t all = 0, below = 0;
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        all += sum->counts[i];
    }
    double rank = q * (double)all;
    for (size_t i = 0; i < HISTOGRAM_COUNT - 1; i++) {
        if (sum->counts[i] > 0 && (double)(below + sum->counts[i]) >= rank) {
            uint64_t low = i > 0 ? HISTOGRAM_NS[i - 1] : 0;
            double share = (rank - (double)below) / (double)sum->counts[i];
            return low + (uint64_t)((double)(HISTOGRAM_NS[i] - low) * (share > 0 ? share : 0));
        }
        below += sum->counts[i];
    }
    return all > 0 ? HISTOGRAM_NS[HISTOGRAM_COUNT - 2] : 0;
}
