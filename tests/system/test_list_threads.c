// SPDX-License-Identifier: Apache-2.0
// Threads ask while lists are read anew under them: an answer and the digest in it always belong together, so
// do a list and the class of network that it says, and neither goes while somebody reads it. Meant for
// ThreadSanitizer too.
#include "support/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ASKERS = 3,
    RELOADS = 200,
    ENTRIES = 2000
};

static const char POLICY[] =
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\n"
    "rules: [{id: a, effect: allow, when: 'network.ip in lists.l && geo.own_egress && !(subject.id in "
    "lists.m)'}]\n"
    "---\n"
    "apiVersion: pdp/v1\nkind: List\nmetadata: {name: l}\ntype: cidr\nnetwork: own_egress\nfile: l.txt\n---\n"
    "apiVersion: pdp/v1\nkind: List\nmetadata: {name: m}\ntype: string\nfile: m.txt\n";
static const char QUESTION[] =
    "{\"subject\":{\"type\":\"user\",\"id\":\"alice\"},\"action\":{\"name\":\"GET\"},"
    "\"resource\":{\"type\":\"thing\",\"id\":\"x\"},\"context\":{\"network\":{\"ip\":\"192.0.2.7\"}}}";
static const struct hash_key SEED = {1, 2};

static struct harness harness;
static struct buf with, without; // texts of l.txt: the address is in it, or not
static char digests[2][80];      // of the snapshots with and without
static atomic_bool stop;
static atomic_ullong asked, allowed, wrong;

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    *text = str_eq(path, STR("l.txt")) ? buf_view(user) : STR("mallory\n");
    return PDP_ERR_OK;
}

static struct snapshot_input input_of(struct buf *list)
{
    static const struct snapshot_file FILES[] = {
        {.name = {"p.yaml", 6}, .text = {POLICY, sizeof POLICY - 1}}};
    return (struct snapshot_input){
        .files = FILES, .file_count = 1, .read_file = read_file, .user = list, .now_ms = HARNESS_NOW};
}

static struct snapshot *build(struct buf *list)
{
    struct snapshot_input input = input_of(list);
    struct snapshot *out = NULL;
    struct diags diags;
    diags_init(&diags, 10);
    if (snapshot_build(&input, SEED, &diags, &out) != PDP_ERR_OK) {
        abort();
    }
    diags_fini(&diags);
    return out;
}

static struct snapshot *reload(const struct snapshot *from, struct buf *list)
{
    struct snapshot_input input = input_of(list);
    struct snapshot *out = NULL;
    struct diags diags;
    diags_init(&diags, 10);
    if (snapshot_reload_lists(from, STR("l"), &input, SEED, &diags, &out) != PDP_ERR_OK) {
        abort();
    }
    diags_fini(&diags);
    return out;
}

static struct snapshot *share(const struct snapshot *snapshot)
{
    struct snapshot *out = NULL;
    if (snapshot_share(snapshot, &out) != PDP_ERR_OK) {
        abort();
    }
    return out;
}

static void *asker(void *user)
{
    struct buf out = {0};
    while (!atomic_load(&stop)) {
        buf_clear(&out);
        engine_answer(user, &harness.peer, str_of(QUESTION), HARNESS_NOW, &out);
        bool allows = str_starts(buf_view(&out), STR("{\"decision\":true"));
        bool right = str_find(buf_view(&out), str_of(digests[allows ? 0 : 1]), 0) != SIZE_MAX;
        atomic_fetch_add(&asked, 1);
        atomic_fetch_add(&allowed, allows ? 1 : 0);
        atomic_fetch_add(&wrong, right ? 0 : 1);
    }
    buf_fini(&out);
    return NULL;
}

static void fill(void)
{
    for (int i = 0; i < ENTRIES; i++) {
        buf_printf(&with, "10.%d.%d.0/24\n", i / 256, i % 256);
        buf_printf(&without, "10.%d.%d.0/24\n", i / 256, i % 256);
    }
    buf_str(&with, STR("192.0.2.0/28\n"));
    struct buf *texts[] = {&with, &without};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct snapshot *full = build(texts[i]);
        struct str digest = snapshot_digest(full);
        memcpy(digests[i], digest.at, digest.len);
        snapshot_free(&full);
    }
}

int main(void)
{
    fill();
    if (!harness_load(
            &harness,
            "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: q}\nrules: [{id: a, effect: deny}]\n")) {
        return 2;
    }
    struct snapshot *first = build(&with), *latest = share(first);
    engine_publish(harness.engine, &first);
    pthread_t threads[ASKERS];
    struct worker *workers[ASKERS];
    for (int i = 0; i < ASKERS; i++) {
        if (worker_new(harness.engine, &workers[i]) != PDP_ERR_OK ||
            pthread_create(&threads[i], NULL, asker, workers[i]) != 0) {
            return 2;
        }
    }
    for (int i = 0; i < RELOADS; i++) {
        struct snapshot *next = reload(latest, i % 2 == 0 ? &without : &with);
        snapshot_free(&latest);
        latest = share(next);
        engine_publish(harness.engine, &next);
        engine_tidy(harness.engine, HARNESS_NOW);
        for (unsigned long long until = atomic_load(&asked) + 20; atomic_load(&asked) < until;) {
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        worker_free(&workers[i]);
    }
    snapshot_free(&latest);
    printf("%llu asked, %llu allowed, %llu with another snapshot's digest\n",
           (unsigned long long)atomic_load(&asked), (unsigned long long)atomic_load(&allowed),
           (unsigned long long)atomic_load(&wrong));
    bool both = atomic_load(&allowed) > 0 && atomic_load(&allowed) < atomic_load(&asked);
    harness_fini(&harness);
    buf_fini(&with);
    buf_fini(&without);
    return atomic_load(&wrong) == 0 && both ? 0 : 1;
}
