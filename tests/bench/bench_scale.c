// SPDX-License-Identifier: Apache-2.0
// By the number of rules and the kind of condition: how long a folder takes to load, beside libyaml's bare
// parse of the same bytes, and a decision with the same candidates. `bench_scale write DIR KIND RULES
// [MISTAKES]` writes a folder; `bench_scale ROUNDS` changes how often decisions are measured.
#include "bench/common.h"
#include "bench/shapes.h"
#include "daemon/folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <yaml.h>

#define NOW_MS INT64_C(1795420800000)

enum {
    CALLS = 1000,
    ROUNDS_DEFAULT = 5,
    COUNTS = 4
};
static const unsigned RULES[COUNTS] = {20, 1000, 10000, 100000};
static const struct hash_key KEY = {11, 22};

struct setup {
    struct engine *engine;
    struct worker *worker;
    struct samples ns;
    double load_ns, yaml_ns, free_ns;
};

// ---- Loading ---------------------------------------------------------------------------------------

// Every event of every file, and nothing else.
static double bare_yaml(const struct snapshot_input *input)
{
    double began = bench_now_ns();
    for (size_t i = 0; i < input->file_count; i++) {
        yaml_parser_t parser;
        yaml_event_t event;
        bool more = yaml_parser_initialize(&parser) != 0;
        yaml_parser_set_input_string(&parser, (const unsigned char *)input->files[i].text.at,
                                     input->files[i].text.len);
        while (more && yaml_parser_parse(&parser, &event) != 0) {
            more = event.type != YAML_STREAM_END_EVENT;
            yaml_event_delete(&event);
        }
        yaml_parser_delete(&parser);
    }
    return bench_now_ns() - began;
}

static void load(struct setup *setup, const char *dir)
{
    char why[FOLDER_WHY_MAX];
    struct folder *folder = NULL;
    struct snapshot *snapshot = NULL, *again = NULL;
    struct diags diags;
    if (folder_read(dir, NULL, 0, &folder, why) != PDP_ERR_OK) {
        bench_fail("cannot read policies", why);
    }
    struct snapshot_input input = folder_input(folder);
    input.now_ms = NOW_MS;
    setup->yaml_ns = bare_yaml(&input);
    diags_init(&diags, 10);
    double began = bench_now_ns();
    if (snapshot_build(&input, KEY, &diags, &snapshot) != PDP_ERR_OK) {
        struct buf said = {0};
        diags_render(&diags, &said);
        buf_byte(&said, '\0');
        bench_fail("bad policies", (const char *)said.at);
    }
    setup->load_ns = bench_now_ns() - began;
    struct engine_config config = {.key = KEY, .id_prefix = 7};
    if (engine_new(&config, &setup->engine) != PDP_ERR_OK ||
        worker_new(setup->engine, &setup->worker) != PDP_ERR_OK ||
        snapshot_build(&input, KEY, &diags, &again) != PDP_ERR_OK) {
        bench_fail("no engine", dir);
    }
    began = bench_now_ns();
    snapshot_free(&again);
    setup->free_ns = bench_now_ns() - began;
    engine_publish(setup->engine, &snapshot);
    diags_fini(&diags);
    folder_free(&folder);
}

static void close_setup(struct setup *setup)
{
    worker_free(&setup->worker);
    engine_free(&setup->engine);
    samples_free(&setup->ns);
}

// ---- Deciding --------------------------------------------------------------------------------------

static void ask(struct setup *setup, const struct value *question)
{
    static const struct peer PEER = {.name = {"gateway", 7}, .hash = 5, .grants = GRANT_ALL};
    struct verdict verdict;
    double began = bench_now_ns();
    for (unsigned i = 0; i < CALLS; i++) {
        engine_decide(setup->worker, &PEER, question, NOW_MS, &verdict);
    }
    samples_add(&setup->ns, (bench_now_ns() - began) / CALLS);
    if (verdict.code != PDP_CODE_POLICY) {
        bench_fail("the core did not decide", "see shapes.c");
    }
}

static double ratio_of(struct setup *setups, size_t from, size_t to)
{
    return samples_quantile(&setups[to].ns, 0.5) / samples_quantile(&setups[from].ns, 0.5);
}

// One row: each count's load and decision. Returns what 10,000 cost of what 20 do; 0 where all are
// candidates.
static double one_kind(const struct bench_shape *shape, size_t number, unsigned rounds,
                       const struct value *question, struct samples *loads)
{
    static struct setup setups[COUNTS];
    size_t counts = shape->indexed ? COUNTS : COUNTS - 1;
    memset(setups, 0, sizeof setups);
    for (size_t i = 0; i < counts; i++) {
        const char *dir = bench_path("scale-%zu-%u", number, RULES[i]);
        bool small = RULES[i] <= shape->most;
        (void)shapes_write(dir, shape, small ? RULES[i] : RULES[0], 0);
        load(&setups[i], dir);
    }
    for (unsigned round = 0; round < rounds + 1; round++) {
        for (size_t i = 0; i < counts; i++) {
            ask(&setups[i], question);
            if (round == 0) {
                samples_clear(&setups[i].ns); // warm now
            }
        }
    }
    printf("| %s |", shape->name);
    for (size_t i = 0; i < COUNTS; i++) {
        if (i < counts && RULES[i] <= shape->most) {
            printf(" %.0f | %.1f | %.0f |", setups[i].load_ns / RULES[i],
                   setups[i].load_ns / setups[i].yaml_ns, samples_quantile(&setups[i].ns, 0.5));
        } else {
            printf(" – | – | – |");
        }
    }
    double ratio = ratio_of(setups, 0, 2);
    printf(" %.2f | %.0f |\n", ratio, setups[2].free_ns / RULES[2]);
    if (counts == COUNTS && RULES[COUNTS - 1] <= shape->most) {
        samples_add(loads, setups[COUNTS - 1].load_ns / 1e9);
    }
    for (size_t i = 0; i < counts; i++) {
        close_setup(&setups[i]);
    }
    return shape->indexed ? ratio : 0;
}

static void run(unsigned rounds)
{
    struct arena arena;
    struct value question;
    struct samples loads = {0};
    double worst = 0;
    const char *which = "";
    arena_init(&arena, 0, 0);
    if (wire_decode(WIRE_JSON, str_of(SHAPES_QUESTION), &arena, &question, NULL) != PDP_ERR_OK) {
        bench_fail("cannot decode", "the question");
    }
    printf("ten rules of this question, the rest of others; per count: ns a rule loaded, times libyaml, ns a "
           "decision\n");
    printf("| Condition | 20 rules ||| 1,000 ||| 10,000 ||| 100,000 ||| 10,000 to 20 | ns a rule freed |\n");
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        double ratio = one_kind(&SHAPES[i], i, rounds, &question, &loads);
        which = ratio > worst ? SHAPES[i].name : which;
        worst = ratio > worst ? ratio : worst;
        fflush(stdout);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    bench_row(worst <= 3 ? BENCH_MET : BENCH_MISSED,
              "10,000 rules, the same candidates, each kind of condition", "≤ 3 times 20 rules",
              "%.2f times at most (%s)", worst, which);
    double slowest = samples_quantile(&loads, 1);
    bench_row(slowest <= 5 ? BENCH_MET : BENCH_MISSED, "100,000 rules loaded", "≤ 5 s", "%.2f s at most",
              slowest);
    bench_row(usage.ru_maxrss <= 1 << 20 ? BENCH_MET : BENCH_MISSED, "memory of all these, four at a time",
              "≤ 1 GiB", "%ld MiB", usage.ru_maxrss / 1024);
    samples_free(&loads);
    arena_fini(&arena);
}

int main(int argc, char **argv)
{
    if (argc <= 4 || strcmp(argv[1], "write") != 0) {
        run(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT);
        return 0;
    }
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        if (strcmp(SHAPES[i].name, argv[3]) == 0) {
            unsigned mistakes = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 0;
            printf("%zu bytes\n",
                   shapes_write(argv[2], &SHAPES[i], (unsigned)strtoul(argv[4], NULL, 10), mistakes));
        }
    }
    return 0;
}
