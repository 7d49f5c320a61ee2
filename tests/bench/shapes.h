// SPDX-License-Identifier: Apache-2.0
// Folders of many rules, by the kind of condition: ten that the question below meets, the rest about others.
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SHAPES_CORE = 10 // rules that every question is judged by, whatever the count
};

struct bench_shape {
    const char *name;
    const char *rule;   // with # for its number; the core has number 0
    const char *policy; // what stands before its rules, likewise; NULL: nothing
    unsigned a_policy;  // rules of one policy
    bool indexed;       // is a rule with another number no candidate?
    unsigned most;      // rules that are measured
};
extern const struct bench_shape SHAPES[];
extern const size_t SHAPE_COUNT;

// `dir` becomes a folder of `rules` rules in files of at most 3 MiB. `mistakes`: so many of them do not
// compile. Returns the bytes written.
size_t shapes_write(const char *dir, const struct bench_shape *shape, unsigned rules, unsigned mistakes);
// A question in JSON that the core holds for.
extern const char *const SHAPES_QUESTION;

#endif
