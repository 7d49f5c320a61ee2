// SPDX-License-Identifier: Apache-2.0
// What both runners share: how many cases, from which seeds.
#ifndef TESTS_DIFF_DIFF_H
#define TESTS_DIFF_DIFF_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// PDP_DIFF_CASES, or `standard`.
static inline uint64_t diff_cases(uint64_t standard)
{
    const char *given = getenv("PDP_DIFF_CASES");
    return given != NULL ? strtoull(given, NULL, 10) : standard;
}

// Two seeds: a fixed one and one of the clock, which is printed; PDP_DIFF_SEED replaces both.
static inline size_t diff_seeds(uint64_t seeds[2])
{
    const char *given = getenv("PDP_DIFF_SEED");
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    seeds[0] = given != NULL ? strtoull(given, NULL, 10) : 1;
    seeds[1] = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return given != NULL ? 1 : 2;
}

#endif
