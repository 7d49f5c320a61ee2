// SPDX-License-Identifier: Apache-2.0
// What the audit log costs: answers a second over ipc, with a state folder and no log, with a log of all that
// is allowed, brief and with the question, and of one allow in ten; in turns of one run.
#include "bench/common.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum {
    ROUNDS_DEFAULT = 15,
    DEPTH = 64,
    VARIANTS = 4
};
static const double TURN_S = 0.2;

static const struct {
    const char *name, *audit;
} WAYS[VARIANTS] = {
    {"no audit log", "audit: {enabled: false}\n"},
    {"audit log, 1 allow in 10", "audit: {allow: 1 in 10}\n"},
    {"audit log, all, brief", "audit: {detail: brief}\n"},
    {"audit log, all, with the question", "audit: {}\n"},
};

struct variant {
    struct child child;
    struct link_to link;
    struct question question;
    struct load load;
    clockid_t clock;
    struct samples a_second, own_us, slower, dearer; // the last two: within a round, of the first variant's
};

static double own_s(clockid_t clock)
{
    struct timespec at = {0};
    (void)clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void variant_open(struct variant *variant, unsigned number)
{
    char state[300], config[300], decide[320], path[300];
    (void)snprintf(path, sizeof path, "%s", bench_path("audit-%u.ipc", number));
    (void)snprintf(state, sizeof state, "%s", bench_path("audit-state-%u", number));
    (void)snprintf(config, sizeof config, "%s", bench_path("audit-%u.yaml", number));
    (void)snprintf(decide, sizeof decide, "ipc://%s", path);
    FILE *file = fopen(config, "w");
    // A busy machine makes questions wait; that is not what is measured.
    if (mkdir(state, 0700) != 0 || file == NULL ||
        fprintf(file, "limits: {queue: 60s}\n%s", WAYS[number].audit) < 0 || fclose(file) != 0) {
        bench_fail("cannot write", config);
    }
    const char *const argv[] = {bench_bin("pdpd"),
                                "--config",
                                config,
                                "--policies",
                                "policies/baseline",
                                "--decide",
                                decide,
                                "--state",
                                state,
                                "--geo",
                                bench_path("geo/city.mmdb"),
                                "--geo",
                                bench_path("geo/asn.mmdb"),
                                "--geo",
                                bench_path("geo/anonymous.mmdb"),
                                "--workers",
                                "1",
                                NULL};
    char log[32];
    (void)snprintf(log, sizeof log, "audit-%u", number);
    child_start(&variant->child, log, argv);
    link_open(&variant->link, SP_IPC, path, 0);
    question_make(&variant->question, WIRE_CBOR, true, (int64_t)time(NULL) - 60);
    variant->load = (struct load){.question = &variant->question, .depth = DEPTH, .seconds = TURN_S};
    if (clock_getcpuclockid(variant->child.pid, &variant->clock) != 0) {
        bench_fail("no clock of", log);
    }
    link_load(&variant->link, &variant->load); // warms up
}

static void turn(struct variant *variant)
{
    double own = own_s(variant->clock);
    link_load(&variant->link, &variant->load);
    samples_add(&variant->a_second, (double)variant->load.answers / variant->load.took_ns * 1e9);
    samples_add(&variant->own_us, (own_s(variant->clock) - own) / (double)variant->load.answers * 1e6);
}

// usage: bench_audit [ROUNDS]
int main(int argc, char **argv)
{
    static struct variant variants[VARIANTS];
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    for (unsigned i = 0; i < VARIANTS; i++) {
        variant_open(&variants[i], i);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < VARIANTS; i++) {
            turn(&variants[i]);
            const struct variant *none = &variants[0];
            samples_add(&variants[i].slower, variants[i].a_second.at[round] / none->a_second.at[round]);
            samples_add(&variants[i].dearer, variants[i].own_us.at[round] / none->own_us.at[round]);
        }
    }
    for (unsigned i = 0; i < VARIANTS; i++) {
        struct variant *variant = &variants[i];
        bench_row(
            BENCH_NO_BUDGET, WAYS[i].name, "–",
            "%.0f answers a second, %.2f of those without; %.2f µs of the daemon's own each, %.2f times",
            samples_quantile(&variant->a_second, 0.5), samples_quantile(&variant->slower, 0.5),
            samples_quantile(&variant->own_us, 0.5), samples_quantile(&variant->dearer, 0.5));
        link_close(&variant->link);
        child_stop(&variant->child);
    }
    return 0;
}
