// SPDX-License-Identifier: Apache-2.0
// Nanoseconds to decode the question of the protocol and to write its answer, beside libcbor and jansson.
#include "wire/wire.h"

#include "bench/common.h"

#include <cbor.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RUNS = 101,
    LOOPS = 500
};

static const char QUESTION[] =
    "{\"tenant\":\"acme\",\"request_id\":\"01JD9Q3V6Y8ZJ0\","
    "\"subject\":{\"type\":\"user\",\"id\":\"alice\",\"properties\":{\"roles\":[\"hr\"]}},"
    "\"action\":{\"name\":\"GET\"},"
    "\"resource\":{\"type\":\"route\",\"id\":\"/payroll/42\",\"properties\":{\"sensitivity\":\"high\"}},"
    "\"context\":{\"session\":{\"id\":\"opaque\",\"auth_time\":1795370000,\"acr\":\"aal1\",\"amr\":[\"pwd\"]}"
    ","
    "\"device\":{\"fingerprint\":\"f1d2d2f924e986ac\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64)\","
    "\"managed\":true,\"components\":{\"os\":\"Linux\",\"browser\":\"Firefox 132\",\"screen\":\"1920x1080\","
    "\"ja4\":\"t13d1516h2_8daaf6152771_02713d6af862\"}},"
    "\"network\":{\"ip\":\"203.0.113.7\",\"forwarded_for\":[\"203.0.113.7\",\"10.0.0.2\"]},"
    "\"activity\":{\"requests_1m\":12,\"bytes_out\":48000}}}";

static const struct str RULES[] = {{"workforce-web/fresh-mfa-for-payroll", 35}};
static const struct str ACR[] = {{"aal2", 4}};
static const struct verdict_signal SIGNALS[] = {{.id = {"new-asn", 7}, .evidence = 1.9}};
static const struct verdict VERDICT = {
    .effect = PDP_EFFECT_STEP_UP,
    .code = PDP_CODE_POLICY,
    .rule = {"workforce-web/fresh-mfa-for-payroll", 35},
    .rules = RULES,
    .rule_count = 1,
    .message = {"please confirm with your second factor", 38},
    .reason = {"payroll needs a second factor from the last 15 minutes", 54},
    .has_risk = true,
    .score = 41.2,
    .level = RISK_MEDIUM,
    .signals = SIGNALS,
    .signal_count = 1,
    .has_require = true,
    .require_strength = {"mfa", 3},
    .require_max_age_s = 900,
    .require_acr = ACR,
    .require_acr_count = 1,
    .has_session = true,
    .session_ref = "s_5f0c5f0c5f0c5f0c5f0c5f0c",
    .session_epoch = 3,
    .session_state = "active",
    .valid_until_ms = 1795370123000,
    .policy_epoch = 812,
    .decision_id = "d_01JD9Q3V6Y8ZJ0",
    .snapshot = {"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 71},
    .request_id = {"01JD9Q3V6Y8ZJ0", 14},
    .resource_path = {"/payroll/42", 11},
    .client_ip = {"203.0.113.7", 11},
    .client_ip_why = {"network.ip", 10},
};

static struct buf question_cbor, out;
static struct arena arena;
static uint64_t sink;

static void decode(enum wire_form form, struct str bytes)
{
    struct value v;
    arena_reset(&arena);
    if (wire_decode(form, bytes, &arena, &v, NULL) != PDP_ERR_OK) {
        abort();
    }
    sink += v.n;
}

static void decode_cbor(void)
{
    decode(WIRE_CBOR, buf_view(&question_cbor));
}

static void decode_json(void)
{
    decode(WIRE_JSON, (struct str){QUESTION, sizeof QUESTION - 1});
}

static void decode_and_read(void)
{
    struct value v;
    struct request request;
    arena_reset(&arena);
    if (wire_decode(WIRE_CBOR, buf_view(&question_cbor), &arena, &v, NULL) != PDP_ERR_OK ||
        request_read(&v, &request, NULL) != PDP_ERR_OK) {
        abort();
    }
    sink += request.subject_id.len;
}

static void canonical(void)
{
    struct value v;
    arena_reset(&arena);
    buf_clear(&out);
    if (wire_decode(WIRE_CBOR, buf_view(&question_cbor), &arena, &v, NULL) != PDP_ERR_OK) {
        abort();
    }
    wire_canonical(&v, &out);
    sink += out.len;
}

static void libcbor_stream(void)
{
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    const unsigned char *at = question_cbor.at;
    size_t left = question_cbor.len;
    while (left > 0) {
        struct cbor_decoder_result result = cbor_stream_decode(at, left, &callbacks, NULL);
        at += result.read;
        left -= result.read;
        sink += result.read;
    }
}

static void libcbor_tree(void)
{
    struct cbor_load_result result;
    cbor_item_t *item = cbor_load(question_cbor.at, question_cbor.len, &result);
    sink += cbor_map_size(item);
    cbor_decref(&item);
}

static void jansson_tree(void)
{
    json_t *json = json_loadb(QUESTION, sizeof QUESTION - 1, JSON_REJECT_DUPLICATES, NULL);
    sink += json_object_size(json);
    json_decref(json);
}

static void answer(enum wire_form form)
{
    struct emit emit;
    buf_clear(&out);
    emit_init(&emit, form, &out);
    wire_verdict(&emit, &VERDICT, false);
    sink += out.len;
}

static void answer_cbor(void)
{
    answer(WIRE_CBOR);
}

static void answer_json(void)
{
    answer(WIRE_JSON);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double mean_ns(void (*work)(void))
{
    double from = bench_now_ns();
    for (int i = 0; i < LOOPS; i++) {
        work();
    }
    return (bench_now_ns() - from) / LOOPS;
}

enum work {
    DECODE,
    READ,
    CANONICAL,
    STREAM,
    TREE,
    DECODE_JSON,
    JANSSON,
    WRITE,
    WRITE_JSON,
    WORKS
};

static const struct {
    const char *name;
    void (*work)(void);
    enum work beside; // what it is compared with; itself: nothing
} WORK[WORKS] = {
    [DECODE] = {"decode CBOR", decode_cbor, STREAM},
    [READ] = {"decode CBOR, request_read", decode_and_read, READ},
    [CANONICAL] = {"decode CBOR, canonical", canonical, CANONICAL},
    [STREAM] = {"libcbor, callbacks only", libcbor_stream, STREAM},
    [TREE] = {"libcbor, tree", libcbor_tree, TREE},
    [DECODE_JSON] = {"decode JSON", decode_json, JANSSON},
    [JANSSON] = {"jansson, tree", jansson_tree, JANSSON},
    [WRITE] = {"write the answer in CBOR", answer_cbor, WRITE},
    [WRITE_JSON] = {"write the answer in JSON", answer_json, WRITE_JSON},
};

// They take turns, so that what disturbs the machine disturbs all of them.
static void measure(double median[WORKS])
{
    static double ns[WORKS][RUNS];
    for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < WORKS; i++) {
            ns[i][run] = mean_ns(WORK[i].work);
        }
    }
    for (int i = 0; i < WORKS; i++) {
        qsort(ns[i], RUNS, sizeof *ns[i], by_value);
        median[i] = ns[i][RUNS / 2];
    }
}

int main(void)
{
    struct value v;
    struct emit emit;
    double median[WORKS];
    arena_init(&arena, 0, 0);
    if (wire_decode(WIRE_JSON, (struct str){QUESTION, sizeof QUESTION - 1}, &arena, &v, NULL) != PDP_ERR_OK) {
        return 1;
    }
    emit_init(&emit, WIRE_CBOR, &question_cbor);
    emit_value(&emit, &v);
    answer_cbor();
    printf("question: %zu bytes CBOR, %zu bytes JSON; answer: %zu bytes CBOR\n", question_cbor.len,
           sizeof QUESTION - 1, out.len);
    measure(median);
    for (int i = 0; i < WORKS; i++) {
        printf("%-26s %8.0f ns", WORK[i].name, median[i]);
        if (WORK[i].beside != (enum work)i) {
            printf("   %.2f of %s", median[i] / median[WORK[i].beside], WORK[WORK[i].beside].name);
        }
        printf("\n");
    }
    bench_row(median[DECODE] <= 300 ? BENCH_MET : BENCH_MISSED, "the question decoded, CBOR", "≤ 300 ns",
              "%.0f ns (%.2f of libcbor's bare callbacks)", median[DECODE], median[DECODE] / median[STREAM]);
    bench_row(BENCH_NO_BUDGET, "the answer written, CBOR", "–", "%.0f ns", median[WRITE]);
    bench_row(BENCH_NO_BUDGET, "the question decoded, JSON", "–", "%.1f µs (%.2f of jansson alone)",
              median[DECODE_JSON] / 1e3, median[DECODE_JSON] / median[JANSSON]);
    return sink == 0;
}
