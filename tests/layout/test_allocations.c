// SPDX-License-Identifier: Apache-2.0
// A warm decision takes nothing from the heap: CBOR question in, answer and audit record out, session moving
// on.
#include "engine/record.h"
#include "support/harness.h"

#include <stdio.h>
#include <stdlib.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *at, size_t bytes);
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *at, size_t bytes);

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

#define RULES                                                                                     \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\ntarget: resource.type == \"route\"\n" \
    "variables: {open: 'within(now, \"Mon-Fri 07:00-19:00\", \"Europe/Berlin\")'}\nrules:\n"      \
    "  - {id: a, effect: allow, actions: [GET], when: '\"staff\" in subject.roles'}\n"            \
    "  - {id: b, effect: deny, when: 'vars.open && !device.managed'}\n"                           \
    "  - {id: c, effect: deny, when: 'subject.roles.exists(r, r.matches(\"^adm[0-9]+$\"))'}\n"    \
    "  - {id: d, effect: deny, when: 'risk.level >= level(\"high\")'}\n"                          \
    "  - {id: e, effect: deny, when: 'device.first_seen > now + duration(\"1h\")'}\n"             \
    "  - {id: f, effect: deny, when: 'cidr(\"10.0.0.0/8\").containsIP(network.ip)'}\n"            \
    "  - {id: g, effect: deny, when: 'geo.country == \"KP\" && has(subject.never)'}\n"            \
    "  - {id: h, effect: deny, when: counters.asked > 1000000}\n"                                 \
    "---\napiVersion: pdp/v1\nkind: Counter\nmetadata: {name: asked}\n"                           \
    "key: [subject.id, network.ip]\nwindow: 1s\nadd: size(subject.roles)\nwhen: action.name == \"GET\"\n"

static const char QUESTION[] =
    "{\"tenant\":\"acme\",\"request_id\":\"r-%06u\",\"subject\":{\"type\":\"user\",\"id\":\"alice\","
    "\"properties\":{\"roles\":"
    "[\"staff\",\"hr\"]}},\"action\":{\"name\":\"GET\"},\"resource\":{\"type\":\"route\",\"id\":\"/payroll/"
    "42\",\"properties\":"
    "{\"sensitivity\":\"high\"}},\"context\":{\"session\":{\"id\":\"opaque-%u\",\"auth_time\":1795420800,"
    "\"acr\":\"aal1\","
    "\"amr\":[\"pwd\"]},\"device\":{\"fingerprint\":\"fp-1\",\"user_agent\":\"Mozilla/5.0 (X11; Linux "
    "x86_64; rv:133.0) "
    "Gecko/20100101 Firefox/133.0\",\"managed\":true},\"network\":{\"ip\":\"203.0.113.7\"}}}";

// The question as CBOR, with its own request id.
static void make(unsigned number, struct arena *arena, struct buf *out)
{
    char json[2048];
    struct fault why;
    struct value root;
    int len = snprintf(json, sizeof json, QUESTION, number, number % 3);
    arena_reset(arena);
    buf_clear(out);
    if (wire_decode(WIRE_JSON, (struct str){json, (size_t)len}, arena, &root, &why) != PDP_ERR_OK) {
        printf("question: %s %s\n", why.field, why.what);
        exit(2);
    }
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, out);
    emit_value(&emit, &root);
}

int main(void)
{
    struct harness h = {0};
    if (!harness_load(&h, RULES)) {
        printf("%s\n", (const char *)h.said.at);
        return 2;
    }
    struct arena arena;
    struct buf question = {0}, answer = {0};
    arena_init(&arena, 0, 0);
    if (!buf_grow(&answer, 16384)) { // the daemon's buffers have seen long answers before
        return 2;
    }
    struct recorder *recorder = NULL;
    struct record record;
    size_t records = 0;
    if (worker_record(h.worker, &(struct record_config){.deny_when_full = true}, &recorder) != PDP_ERR_OK) {
        return 2;
    }
    size_t worst = 0, after_warmup = 0;
    for (unsigned i = 0; i < 4000; i++) {
        make(i, &arena, &question);
        buf_clear(&answer);
        size_t before = taken;
        engine_answer(h.worker, &h.peer, buf_view(&question), HARNESS_NOW + i, &answer);
        size_t here = taken - before;
        for (; recorder_take(recorder, &record); records++) {
            recorder_drop(recorder);
        }
        if (i >= 100) {
            after_warmup += here;
            worst = here > worst ? here : worst;
        }
    }
    struct engine_counts counts;
    engine_count(h.engine, &counts);
    printf("allocations after warm-up: %zu in 3900 decisions, at most %zu in one; %llu allowed\n",
           after_warmup, worst, (unsigned long long)counts.effects[PDP_EFFECT_ALLOW]);
    bool judged =
        counts.effects[PDP_EFFECT_ALLOW] + counts.codes[PDP_CODE_POLICY] + counts.codes[PDP_CODE_UNSURE] >=
        4000;
    judged = judged && records == 4000;
    buf_fini(&question);
    buf_fini(&answer);
    arena_fini(&arena);
    harness_fini(&h);
    if (!judged) {
        printf("questions were not judged by policy\n");
        return 1;
    }
    return after_warmup == 0 ? 0 : 1;
}
