// SPDX-License-Identifier: Apache-2.0
// sim [--steps N] [--seed FIRST] [--world STEPS] [--twice] [--loud | --brief]: worlds from FIRST on, until N
// steps are made. Ends with 0 where everything that was acknowledged held.
#include "sim/world.h"

#include <time.h>

struct options {
    uint64_t steps, seed, world;
    bool twice, loud, brief;
};

static bool number(const char *text, uint64_t *out)
{
    return text != NULL && str_to_u64(str_of(text), out);
}

static bool read_options(int argc, char **argv, struct options *out)
{
    *out = (struct options){.steps = 200000, .seed = 1, .world = 20000};
    for (int i = 1; i < argc; i++) {
        struct str word = str_of(argv[i]);
        bool ok = true;
        if (str_eq(word, STR("--twice"))) {
            out->twice = true;
        } else if (str_eq(word, STR("--loud"))) {
            out->loud = true;
        } else if (str_eq(word, STR("--brief"))) {
            out->brief = true;
        } else if (str_eq(word, STR("--steps"))) {
            ok = number(argv[++i], &out->steps);
        } else if (str_eq(word, STR("--seed"))) {
            ok = number(argv[++i], &out->seed);
        } else if (str_eq(word, STR("--world"))) {
            ok = number(argv[++i], &out->world) && out->world > 0;
        } else {
            ok = false;
        }
        if (!ok) {
            fprintf(stderr,
                    "usage: sim [--steps N] [--seed FIRST] [--world STEPS] [--twice] [--loud | --brief]\n");
            return false;
        }
    }
    return true;
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// true: all held, and with `twice` the second run of the same seed was the same to the bit.
static bool run(const struct options *options, uint64_t seed, struct sim_result *sum)
{
    struct sim_result one, again;
    sim_world(seed, options->world, options->loud, &one);
    sum->steps += one.steps;
    sum->ends += one.ends;
    sum->allows += one.allows;
    sum->crashes += one.crashes;
    sum->answers += one.answers;
    if (options->twice && !one.failed) {
        sim_world(seed, options->world, false, &again);
        if (again.hash != one.hash) {
            fprintf(stderr, "seed %llu: two runs differ\n", (unsigned long long)seed);
            return false;
        }
    }
    if (one.failed && !options->loud && !options->brief) { // once more, to tell how it came to that
        sim_world(seed, options->world, true, &again);
    }
    return !one.failed;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!read_options(argc, argv, &options)) {
        return 2;
    }
    double start = seconds();
    struct sim_result sum = {0};
    bool ok = true;
    sim_policies_make();
    uint64_t seed = options.seed;
    for (; ok && sum.steps < options.steps; seed++) {
        ok = run(&options, seed, &sum);
    }
    sim_policies_free();
    double took = seconds() - start;
    printf("%llu steps in %llu worlds, %.1f s (%.0f steps/s): %llu answers, %llu allowed, %llu ends, %llu "
           "crashes\n",
           (unsigned long long)sum.steps, (unsigned long long)(seed - options.seed), took,
           (double)sum.steps / took, (unsigned long long)sum.answers, (unsigned long long)sum.allows,
           (unsigned long long)sum.ends, (unsigned long long)sum.crashes);
    return ok ? 0 : 1;
}
