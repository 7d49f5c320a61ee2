// SPDX-License-Identifier: Apache-2.0
// Nanoseconds to decode the question of the protocol and to write its answer, beside libcbor and jansson.
#include "wire/wire.h"

#include "bench/common.h"

#include <cbor.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    RUNS = 31,
    LOOPS = 20000
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

static double median_ns(void (*work)(void))
{
    double ns[RUNS];
    for (int run = 0; run < RUNS; run++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < LOOPS / 10; i++) {
            work();
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        ns[run] =
            ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / (LOOPS / 10);
    }
    qsort(ns, RUNS, sizeof *ns, by_value);
    return ns[RUNS / 2];
}

int main(void)
{
    struct value v;
    struct emit emit;
    arena_init(&arena, 0, 0);
    if (wire_decode(WIRE_JSON, (struct str){QUESTION, sizeof QUESTION - 1}, &arena, &v, NULL) != PDP_ERR_OK) {
        return 1;
    }
    emit_init(&emit, WIRE_CBOR, &question_cbor);
    emit_value(&emit, &v);
    answer_cbor();
    printf("question: %zu bytes CBOR, %zu bytes JSON; answer: %zu bytes CBOR\n", question_cbor.len,
           sizeof QUESTION - 1, out.len);

    double ours = median_ns(decode_cbor);
    printf("decode CBOR                %8.0f ns\n", ours);
    printf("decode CBOR, request_read  %8.0f ns\n", median_ns(decode_and_read));
    printf("decode CBOR, canonical     %8.0f ns\n", median_ns(canonical));
    double stream = median_ns(libcbor_stream);
    double tree = median_ns(libcbor_tree);
    printf("libcbor, callbacks only    %8.0f ns   ours/it %.2f\n", stream, ours / stream);
    printf("libcbor, tree              %8.0f ns   ours/it %.2f\n", tree, ours / tree);
    double json = median_ns(decode_json);
    double bare = median_ns(jansson_tree);
    printf("decode JSON                %8.0f ns\n", json);
    printf("jansson, tree              %8.0f ns   ours/it %.2f\n", bare, json / bare);
    double wrote = median_ns(answer_cbor);
    printf("write the answer in CBOR   %8.0f ns\n", wrote);
    printf("write the answer in JSON   %8.0f ns\n", median_ns(answer_json));
    bench_row(ours <= 300 ? BENCH_MET : BENCH_MISSED, "the question decoded, CBOR", "≤ 300 ns", "%.0f ns (%.2f of libcbor's tree)",
              ours, ours / tree);
    bench_row(BENCH_NO_BUDGET, "the answer written, CBOR", "–", "%.0f ns", wrote);
    return sink == 0;
}
