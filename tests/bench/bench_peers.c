// SPDX-License-Identifier: Apache-2.0
// Our side of peers.sh: does as told, a line at a time on standard input, and answers each with a line.
//   load DIR           parses and compiles the folder: nanoseconds and the number of rules
//   question JSON      keeps it, as JSON and as CBOR
//   json N, cbor N     decides it N times from bytes to bytes, tree N from a decoded one: nanoseconds for
//   one, effect parse N EXPR       compiles N expressions, `#` being a number of each one's own, into a
//   program: nanoseconds for one run N EXPR         runs one N times: nanoseconds for one, truth
#include "bench/common.h"
#include "cel/cel.h"
#include "daemon/folder.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_MS INT64_C(1795420800000) // a Monday morning

// What this process has used of a processor: other work on the machine is not in it.
static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const struct hash_key KEY = {11, 22};

// ---- Decisions -------------------------------------------------------------------------------------

static struct engine *engine;
static struct worker *worker;
static struct peer peer = {.name = {"gateway", 7}, .hash = 5, .grants = GRANT_ALL};
static struct buf json, cbor;
static struct arena tree;
static struct value root;

static void load(const char *dir)
{
    char why[FOLDER_WHY_MAX];
    struct folder *folder = NULL;
    struct snapshot *snapshot = NULL;
    struct diags diags;
    if (folder_read(dir, NULL, 0, &folder, why) != PDP_ERR_OK) {
        bench_fail("cannot read policies", why);
    }
    struct snapshot_input input = folder_input(folder);
    input.now_ms = NOW_MS;
    diags_init(&diags, 10);
    double began = cpu_ns();
    if (snapshot_build(&input, KEY, &diags, &snapshot) != PDP_ERR_OK) {
        struct buf said = {0};
        diags_render(&diags, &said);
        buf_byte(&said, '\0');
        bench_fail("bad policies", (const char *)said.at);
    }
    double took = cpu_ns() - began;
    struct snapshot_facts facts;
    snapshot_describe(snapshot, &facts);
    worker_free(&worker);
    engine_free(&engine);
    struct engine_config config = {.key = KEY, .id_prefix = 7};
    if (engine_new(&config, &engine) != PDP_ERR_OK || worker_new(engine, &worker) != PDP_ERR_OK) {
        bench_fail("no engine", dir);
    }
    engine_publish(engine, &snapshot);
    diags_fini(&diags);
    folder_free(&folder);
    printf("%.0f %u\n", took, facts.rules);
}

static void keep_question(const char *text)
{
    struct emit emit;
    buf_clear(&json);
    buf_clear(&cbor);
    buf_str(&json, str_of(text));
    arena_reset(&tree);
    if (wire_decode(WIRE_JSON, buf_view(&json), &tree, &root, NULL) != PDP_ERR_OK) {
        bench_fail("the question is malformed", text);
    }
    emit_init(&emit, WIRE_CBOR, &cbor);
    emit_value(&emit, &root);
    printf("%zu %zu\n", json.len, cbor.len);
}

static void decide(const struct buf *bytes, unsigned long count)
{
    struct verdict verdict;
    struct buf answer = {0};
    double began = cpu_ns();
    for (unsigned long i = 0; i < count; i++) {
        if (bytes == NULL) {
            engine_decide(worker, &peer, &root, NOW_MS, &verdict);
        } else {
            buf_clear(&answer);
            engine_answer(worker, &peer, buf_view(bytes), NOW_MS, &answer);
        }
    }
    double took = (cpu_ns() - began) / (double)(count > 0 ? count : 1);
    engine_decide(worker, &peer, &root, NOW_MS, &verdict);
    printf("%.1f %s\n", took, verdict.effect == PDP_EFFECT_ALLOW ? "allow" : "deny");
    buf_fini(&answer);
}

// ---- Conditions alone ------------------------------------------------------------------------------

static struct ip address = {.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3}, .v4 = true};
static struct value roles[2] = {{.kind = VALUE_STRING, .n = 5, .as.text = "staff"},
                                {.kind = VALUE_STRING, .n = 2, .as.text = "hr"}};
enum {
    DEPARTMENT,
    CLEARANCE,
    ROLES,
    LOCATION,
    ADDRESS,
    SIGNED_IN
};
static const struct cel_attr_decl ATTRS[] = {
    {{"department", 10}, CEL_STRING, DEPARTMENT, NULL}, {{"clearance", 9}, CEL_INT, CLEARANCE, NULL},
    {{"roles", 5}, CEL_LIST_STRING, ROLES, NULL},       {{"location", 8}, CEL_STRING, LOCATION, NULL},
    {{"signed_in", 9}, CEL_TIMESTAMP, SIGNED_IN, NULL}, {{"address", 7}, CEL_IP, ADDRESS, NULL},
};
static const struct cel_env ENV = {.attrs = ATTRS, .attr_count = COUNT_OF(ATTRS)};

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    (void)user;
    const struct value facts[] = {
        [DEPARTMENT] = value_str(STR("hr")),
        [CLEARANCE] = value_int(5),
        [ROLES] = {.kind = VALUE_LIST, .n = 2, .as.list = roles},
        [LOCATION] = value_str(STR("/payroll/42")),
        [ADDRESS] = {.kind = VALUE_IP, .as.ip = &address},
        [SIGNED_IN] = value_time_ms(NOW_MS - 600000),
    };
    *out = facts[slot->id];
    return true;
}

static struct cel_program *compile(const char *text, unsigned long count, uint32_t *expr, double *took)
{
    struct cel_program *program = NULL;
    struct diags diags;
    struct buf one = {0};
    diags_init(&diags, 10);
    double began = cpu_ns();
    enum pdp_err err = cel_program_new(&ENV, NULL, &program);
    for (unsigned long i = 0; i < count && err == PDP_ERR_OK; i++) {
        buf_clear(&one);
        for (const char *at = text; *at != '\0'; at++) {
            if (*at == '#') {
                buf_printf(&one, "%lu", i);
            } else {
                buf_byte(&one, (unsigned char)*at);
            }
        }
        struct cel_text source = {.text = buf_view(&one)};
        err = cel_add(program, &source, CEL_BOOL, NULL, 0, 0, &diags, expr);
    }
    err = err == PDP_ERR_OK ? cel_seal(program) : err;
    *took = (cpu_ns() - began) / (double)(count > 0 ? count : 1);
    if (err != PDP_ERR_OK) {
        bench_fail("bad expression", text);
    }
    buf_fini(&one);
    diags_fini(&diags);
    return program;
}

static void parse(const char *text, unsigned long count)
{
    uint32_t expr = 0;
    double took = 0;
    struct cel_program *program = compile(text, count, &expr, &took);
    cel_program_free(&program);
    printf("%.1f\n", took);
}

static void run(const char *text, unsigned long count)
{
    static const char *const TRUTHS[] = {[TRUTH_UNSURE] = "unsure", [TRUTH_NO] = "no", [TRUTH_YES] = "yes"};
    const struct cel_host host = {resolve, NULL, NULL};
    struct cel_frame *frame = NULL;
    struct arena arena;
    uint32_t expr = 0;
    enum truth truth = TRUTH_UNSURE;
    double took = 0;
    struct cel_program *program = compile(text, 1, &expr, &took);
    arena_init(&arena, 0, 0);
    if (cel_frame_new(program, &frame) != PDP_ERR_OK) {
        bench_fail("no frame", text);
    }
    double began = cpu_ns();
    for (unsigned long i = 0; i < count; i++) {
        arena_reset(&arena);
        cel_begin(frame, &host, &arena, NOW_MS);
        truth = cel_truth(frame, expr);
    }
    took = (cpu_ns() - began) / (double)(count > 0 ? count : 1);
    printf("%.1f %s\n", took, TRUTHS[truth]);
    cel_frame_free(&frame);
    cel_program_free(&program);
    arena_fini(&arena);
}

static void obey(const char *word, char *rest)
{
    char *text = NULL;
    if (strcmp(word, "load") == 0) {
        load(rest);
    } else if (strcmp(word, "question") == 0) {
        keep_question(rest);
    } else {
        unsigned long count = strtoul(rest, &text, 10);
        text += *text == ' ';
        if (strcmp(word, "json") == 0 || strcmp(word, "cbor") == 0 || strcmp(word, "tree") == 0) {
            decide(word[0] == 'j' ? &json : word[0] == 'c' ? &cbor : NULL, count);
        } else if (strcmp(word, "parse") == 0) {
            parse(text, count);
        } else if (strcmp(word, "run") == 0) {
            run(text, count);
        } else {
            bench_fail("no such order", word);
        }
    }
    fflush(stdout);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    arena_init(&tree, 0, 0);
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        size_t word = strcspn(line, " ");
        char *rest = line + word + (line[word] == ' ');
        line[word] = '\0';
        obey(line, rest);
    }
    free(line);
    worker_free(&worker);
    engine_free(&engine);
    buf_fini(&json);
    buf_fini(&cbor);
    arena_fini(&tree);
    return 0;
}
