// SPDX-License-Identifier: Apache-2.0
// A decision in process: nanoseconds and allocations, warm, with the sessions of many users; by the number of
// rules; by the number of locks; and how long a folder takes to load. `bench_decide [ROUNDS [RUN]]`: only
// that run (0 to 3), for a profiler, or the locks (4).
#include "bench/common.h"
#include "daemon/folder.h"
#include "engine/controls.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS INT64_C(1795420800000) // a Monday morning

enum {
    CALLS = 4000,
    WARM = 64,               // sessions: as many as stay in the cache
    MANY = 100000,           // sessions: each is out of the cache by the time it comes again
    SESSION_PAUSE_MS = 2000, // from one question of a session to its next
    ROUNDS_DEFAULT = 15
};

// ---- Allocations ---------------------------------------------------------------------------------

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *at, size_t bytes);

static size_t taken;

void *malloc(size_t bytes)
{
    taken++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    taken++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *at, size_t bytes)
{
    taken++;
    return __libc_realloc(at, bytes);
}

// ---- An engine over a folder -----------------------------------------------------------------------

struct setup {
    char name[64];
    struct engine *engine;
    struct worker *worker;
    struct peer peer;
    double load_ms;
    uint32_t rules;
    int64_t now_ms;
    uint64_t number;
};

static void setup_open(struct setup *setup, const char *dir, const char *name)
{
    static const struct hash_key KEY = {11, 22};
    const char *geo[] = {bench_path("geo/city.mmdb"), bench_path("geo/asn.mmdb"),
                         bench_path("geo/anonymous.mmdb")};
    char why[FOLDER_WHY_MAX];
    struct folder *folder = NULL;
    struct snapshot *snapshot = NULL;
    struct diags diags;
    *setup =
        (struct setup){.peer = {.name = STR("gateway"), .hash = 5, .grants = GRANT_ALL}, .now_ms = NOW_MS};
    snprintf(setup->name, sizeof setup->name, "%s", name);
    if (folder_read(dir, geo, 3, &folder, why) != PDP_ERR_OK) {
        bench_fail("cannot read policies", why);
    }
    struct snapshot_input input = folder_input(folder);
    input.now_ms = NOW_MS;
    diags_init(&diags, 10);
    double began = bench_now_ns();
    if (snapshot_build(&input, KEY, &diags, &snapshot) != PDP_ERR_OK) {
        struct buf said = {0};
        diags_render(&diags, &said);
        buf_byte(&said, '\0');
        bench_fail("bad policies", (const char *)said.at);
    }
    setup->load_ms = (bench_now_ns() - began) / 1e6;
    struct snapshot_facts facts;
    snapshot_describe(snapshot, &facts);
    setup->rules = facts.rules;
    struct engine_config config = {.key = KEY, .id_prefix = 7};
    if (engine_new(&config, &setup->engine) != PDP_ERR_OK ||
        worker_new(setup->engine, &setup->worker) != PDP_ERR_OK) {
        bench_fail("no engine", name);
    }
    engine_publish(setup->engine, &snapshot);
    diags_fini(&diags);
    folder_free(&folder);
}

static void setup_close(struct setup *setup)
{
    worker_free(&setup->worker);
    engine_free(&setup->engine);
}

// ---- Questions -------------------------------------------------------------------------------------

// A decoded question, whose texts lie in its bytes: a number written there makes it another question. Its
// authentication is a minute old, whatever the clock says.
struct asked {
    struct question question;
    struct arena tree;
    struct value root;
};

static void asked_make(struct asked *asked, bool id, uint64_t sessions, int64_t now_ms)
{
    question_free(&asked->question);
    question_make(&asked->question, WIRE_CBOR, id, now_ms / 1000 - 60);
    asked->question.sessions = sessions;
    arena_reset(&asked->tree);
    if (wire_decode(WIRE_CBOR, buf_view(&asked->question.bytes), &asked->tree, &asked->root, NULL) !=
        PDP_ERR_OK) {
        bench_fail("cannot decode", "the question");
    }
}

enum how {
    TREE,
    BYTES
};

static double clock_costs;

// One call's nanoseconds, less what reading the clock costs.
static double call(struct setup *setup, enum how how, struct asked *asked, struct buf *answer,
                   enum pdp_effect *effect)
{
    struct verdict verdict;
    question_number(&asked->question, asked->question.bytes.at, setup->number);
    setup->now_ms += SESSION_PAUSE_MS / (int64_t)asked->question.sessions;
    buf_clear(answer);
    double began = bench_now_ns();
    if (how == TREE) {
        engine_decide(setup->worker, &setup->peer, &asked->root, setup->now_ms, &verdict);
    } else {
        engine_answer(setup->worker, &setup->peer, buf_view(&asked->question.bytes), setup->now_ms, answer);
    }
    double took = bench_now_ns() - began;
    *effect = how == TREE ? verdict.effect : PDP_EFFECT_ALLOW;
    return took > clock_costs ? took - clock_costs : 0;
}

struct figures {
    struct samples p50, p99; // one a round
    size_t allocations, calls, allowed;
};

static void measure(struct setup *setup, enum how how, bool id, uint64_t sessions, struct figures *figures)
{
    static struct samples ns;
    static struct buf answer;
    static struct asked asked;
    asked_make(&asked, id, sessions, setup->now_ms);
    samples_clear(&ns);
    for (unsigned i = 0; i < CALLS; i++) {
        enum pdp_effect effect;
        setup->number++;
        size_t before = taken;
        double took = call(setup, how, &asked, &answer, &effect);
        if (figures != NULL) {
            figures->allocations += taken - before;
            figures->calls++;
            figures->allowed += effect == PDP_EFFECT_ALLOW;
        }
        samples_add(&ns, took);
    }
    if (figures != NULL) {
        samples_add(&figures->p50, samples_quantile(&ns, 0.5));
        samples_add(&figures->p99, samples_quantile(&ns, 0.99));
    }
}

static void learn_clock(void)
{
    struct samples ns = {0};
    for (unsigned i = 0; i < CALLS; i++) {
        double began = bench_now_ns();
        samples_add(&ns, bench_now_ns() - began);
    }
    clock_costs = samples_quantile(&ns, 0.5);
    samples_free(&ns);
}

static void show(const char *name, struct figures *figures)
{
    printf("%-48s %8.0f ns p50 %8.0f ns p99  %zu allocations in %zu, %.1f %% allowed\n", name,
           samples_quantile(&figures->p50, 0.5), samples_quantile(&figures->p99, 0.5), figures->allocations,
           figures->calls, 100.0 * (double)figures->allowed / (double)figures->calls);
}

// ---- The runs --------------------------------------------------------------------------------------

enum {
    COUNTS = 5
};
static const unsigned RULES[COUNTS] = {10, 20, 100, 1000, 10000};

static const struct {
    const char *name, *row;
    enum how how;
    bool id;
    uint64_t sessions;
    double budget_ns;
} RUNS[] = {
    {"decoded question", "decision in process, the baseline, decoded question", TREE, true, WARM, 1000},
    {"decoded question, no request_id", "the same without request_id", TREE, false, WARM, 1000},
    {"CBOR in, CBOR out", "the same from CBOR to CBOR", BYTES, true, WARM, 0},
    {"decoded question, 100,000 sessions in turn", "decoded, 100,000 sessions in turn", TREE, true, MANY, 0},
};
enum {
    RUN_COUNT = sizeof RUNS / sizeof *RUNS
};

static void warm_up(struct setup *setup, uint64_t sessions)
{
    for (uint64_t i = 0; i < 2 * sessions / CALLS + 1; i++) {
        measure(setup, i % 2 != 0 ? BYTES : TREE, true, sessions, NULL);
    }
}

static void one_run(unsigned rounds, unsigned run)
{
    struct setup setup;
    struct figures figures = {0};
    setup_open(&setup, "policies/baseline", "baseline");
    warm_up(&setup, RUNS[run].sessions);
    for (unsigned round = 0; round < rounds; round++) {
        measure(&setup, RUNS[run].how, RUNS[run].id, RUNS[run].sessions, &figures);
    }
    show(RUNS[run].name, &figures);
    setup_close(&setup);
}

static void baseline(unsigned rounds)
{
    static struct setup setups[RUN_COUNT];
    struct figures all[RUN_COUNT] = {0};
    size_t allocations = 0;
    for (int i = 0; i < RUN_COUNT; i++) {
        setup_open(&setups[i], "policies/baseline", "baseline");
        warm_up(&setups[i], RUNS[i].sessions);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (int i = 0; i < RUN_COUNT; i++) {
            measure(&setups[i], RUNS[i].how, RUNS[i].id, RUNS[i].sessions, &all[i]);
        }
    }
    printf(
        "policies/baseline, %u rules; %d sessions unless said; reading the clock costs %.0f ns (taken off)\n",
        setups[0].rules, WARM, clock_costs);
    for (int i = 0; i < RUN_COUNT; i++) {
        show(RUNS[i].name, &all[i]);
        double p50 = samples_quantile(&all[i].p50, 0.5), budget = RUNS[i].budget_ns;
        bench_row(budget == 0     ? BENCH_NO_BUDGET
                  : p50 <= budget ? BENCH_MET
                                  : BENCH_MISSED,
                  RUNS[i].row, budget == 0 ? "–" : "≤ 1 µs median", "%.0f ns (p99 %.0f ns)", p50,
                  samples_quantile(&all[i].p99, 0.5));
        allocations += all[i].allocations;
        setup_close(&setups[i]);
    }
    bench_row(allocations == 0 ? BENCH_MET : BENCH_MISSED, "allocations in all of them", "0", "%zu",
              allocations);
}

static void by_rules(unsigned rounds)
{
    static struct setup setups[COUNTS];
    static struct figures all[COUNTS];
    struct samples ratio = {0};
    for (int i = 0; i < COUNTS; i++) {
        const char *dir = bench_path("rules-%u", RULES[i]);
        char name[48];
        snprintf(name, sizeof name, "%u rules", RULES[i]);
        bench_write_rules(dir, RULES[i]);
        setup_open(&setups[i], dir, name);
        warm_up(&setups[i], WARM);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNTS; i++) {
            measure(&setups[i], TREE, true, WARM, &all[i]);
        }
        samples_add(&ratio, all[COUNTS - 1].p50.at[round] / all[1].p50.at[round]);
    }
    printf("\nten rules of this question, the rest of other routes\n");
    for (int i = 0; i < COUNTS; i++) {
        char name[80];
        snprintf(name, sizeof name, "%u rules (loaded in %.1f ms)", setups[i].rules, setups[i].load_ms);
        show(name, &all[i]);
    }
    double r = samples_quantile(&ratio, 0.5);
    bench_row(r <= 3 ? BENCH_MET : BENCH_MISSED, "10,000 rules, the same candidates", "≤ 3 times 20 rules",
              "%.2f times", r);
    bench_row(BENCH_NO_BUDGET, "10,000 rules loaded", "–", "%.0f ms", setups[COUNTS - 1].load_ms);
    for (int i = 0; i < COUNTS; i++) {
        setup_close(&setups[i]);
    }
    samples_free(&ratio);
}

// ---- Locks -----------------------------------------------------------------------------------------

// One that names nobody who asks: subjects, addresses, ranges of several lengths and devices in turn.
static void lock_somebody_else(struct setup *setup, unsigned number, struct control **out)
{
    char value[64];
    const char *why = NULL;
    struct control spec = {.effect = PDP_EFFECT_DENY,
                           .author = STR("bench"),
                           .reason = STR("bench"),
                           .created_ms = NOW_MS,
                           .expires_ms = NOW_MS + INT64_C(100) * 24 * 3600 * 1000};
    switch (number % 4) {
    case 0:
        spec.target.kind = CONTROL_SUBJECT;
        (void)snprintf(value, sizeof value, "nobody-%u", number);
        break;
    case 1:
        spec.target.kind = CONTROL_ADDRESS;
        (void)snprintf(value, sizeof value, "198.51.%u.%u", number / 4 / 250, number / 4 % 250);
        break;
    case 2:
        spec.target.kind = CONTROL_PREFIX;
        (void)snprintf(value, sizeof value, "2001:db8:%x::/%u", number, 48 + number % 13);
        break;
    default:
        spec.target.kind = CONTROL_DEVICE;
        (void)snprintf(value, sizeof value, "device-%u", number);
        break;
    }
    spec.target.value = str_of(value);
    if (engine_control_make(setup->engine, &spec, out, &why) != PDP_ERR_OK) {
        bench_fail(why != NULL ? why : "no lock", value);
    }
}

static void lock_many(struct setup *setup, unsigned count)
{
    static struct control *made[10000];
    for (unsigned i = 0; i < count; i++) {
        lock_somebody_else(setup, i, &made[i]);
    }
    double began = bench_now_ns();
    if (count != 0 && engine_controls_add(setup->engine, made, count) != PDP_ERR_OK) {
        bench_fail("cannot add", "locks");
    }
    setup->load_ms = (bench_now_ns() - began) / 1e6;
    for (unsigned i = 0; i < count; i++) {
        control_drop(&made[i]);
    }
}

static void by_locks(unsigned rounds)
{
    enum {
        KINDS = 3
    };
    static const unsigned LOCKS[KINDS] = {0, 1, 10000};
    static struct setup setups[KINDS];
    static struct figures all[KINDS];
    struct samples ratios[KINDS] = {{0}};
    for (int i = 0; i < KINDS; i++) {
        setup_open(&setups[i], "policies/baseline", "locks");
        lock_many(&setups[i], LOCKS[i]);
        warm_up(&setups[i], WARM);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (int i = 0; i < KINDS; i++) {
            measure(&setups[i], TREE, true, WARM, &all[i]);
            samples_add(&ratios[i], all[i].p50.at[round] / all[0].p50.at[round]);
        }
    }
    printf("\nlocks about others, policies/baseline\n");
    for (int i = 0; i < KINDS; i++) {
        char name[80];
        snprintf(name, sizeof name, "%u locks (in force after %.1f ms)", LOCKS[i], setups[i].load_ms);
        show(name, &all[i]);
        snprintf(name, sizeof name, "decision with %u lock%s", LOCKS[i],
                 LOCKS[i] == 1 ? "" : "s about others");
        bench_row(BENCH_NO_BUDGET, name, "–", "%.0f ns, %.2f times that without",
                  samples_quantile(&all[i].p50, 0.5), samples_quantile(&ratios[i], 0.5));
        setup_close(&setups[i]);
        samples_free(&ratios[i]);
    }
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    learn_clock();
    if (argc > 2 && strtoul(argv[2], NULL, 10) == RUN_COUNT) {
        by_locks(rounds);
        return 0;
    }
    if (argc > 2) {
        one_run(rounds, (unsigned)strtoul(argv[2], NULL, 10) % RUN_COUNT);
        return 0;
    }
    baseline(rounds);
    by_rules(rounds);
    by_locks(rounds);
    return 0;
}
