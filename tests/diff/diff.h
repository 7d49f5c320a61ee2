// SPDX-License-Identifier: Apache-2.0
// What both runners share: how many cases, from which seeds.
#ifndef TESTS_DIFF_DIFF_H
#define TESTS_DIFF_DIFF_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// PDP_DIFF_CASES, or `standard`.
static inline uint64_t diff_cases(uint64_t standard)
{
    const char *given = getenv("PDP_DIFF_CASES");
    return given != NULL ? strtoull(given, NULL, 10) : standard;
}

// Two seeds, fixed so that a change is judged by what it changed. PDP_DIFF_SEED replaces both; `clock` draws
// one from the clock, for a long run that looks for what is not known yet.
static inline size_t diff_seeds(uint64_t seeds[2])
{
    const char *given = getenv("PDP_DIFF_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (given != NULL && strcmp(given, "clock") == 0) {
        seeds[0] = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
        seeds[1] = 0;
        return 1;
    }
    seeds[0] = given != NULL ? strtoull(given, NULL, 10) : 1;
    seeds[1] = 1000000;
    return given != NULL ? 1 : 2;
}

// PDP_DIFF_SECONDS: until they are over, however many cases that makes.
static inline bool diff_goes_on(uint64_t cases, uint64_t wanted)
{
    static time_t from;
    const char *given = getenv("PDP_DIFF_SECONDS");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    from = from == 0 ? now.tv_sec : from;
    return given != NULL ? now.tv_sec - from < (time_t)strtoull(given, NULL, 10) : cases < wanted;
}

// A seed given alone is one batch.
static inline bool diff_once(void)
{
    return getenv("PDP_DIFF_SEED") != NULL && getenv("PDP_DIFF_CASES") == NULL &&
           getenv("PDP_DIFF_SECONDS") == NULL;
}

#endif
