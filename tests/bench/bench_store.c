// SPDX-License-Identifier: Apache-2.0
// Durable commits a second, alone and in groups, beside a bare loop of write and fdatasync on the same disk;
// rows a second written behind, put back at a start, and in memory.
#include "bench/common.h"
#include "store/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SYNCS = 600,
    ROWS = 200000,
    BATCH = 512,
    SESSION_BYTES = 220 // about a session
};

static unsigned log_pages; // 0: as pdpd has it

static struct store *open_at(const char *path)
{
    char why[STORE_WHY_MAX];
    struct store_config config = {.path = path, .log_pages = log_pages};
    struct store *store = NULL;
    if (store_open(&config, &store, why) != PDP_ERR_OK) {
        bench_fail("store_open", why);
    }
    return store;
}

static void drain(struct store *store)
{
    struct store_completion done;
    while (store_work(store)) {
    }
    while (store_poll(store, &done)) {
        if (done.err != PDP_ERR_OK) {
            bench_fail("a batch", pdp_err_name(done.err));
        }
    }
}

// What a disk can do at most: a page over and over, in a file whose size does not change.
static double bare_syncs(const char *path)
{
    static unsigned char page[4096];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) {
        bench_fail("open", path);
    }
    for (int i = 0; i < 256; i++) {
        if (pwrite(fd, page, sizeof page, i * 4096) != sizeof page) {
            bench_fail("write", path);
        }
    }
    (void)fsync(fd);
    double began = bench_now_ns();
    for (int i = 0; i < SYNCS; i++) {
        page[0]++;
        if (pwrite(fd, page, sizeof page, i % 256 * 4096) != sizeof page || fdatasync(fd) != 0) {
            bench_fail("sync", path);
        }
    }
    double a_second = SYNCS / ((bench_now_ns() - began) / 1e9);
    (void)close(fd);
    (void)unlink(path);
    return a_second;
}

static uint64_t next_key;

// One batch; keys of 17 bytes in no order, as hashes are.
static void submit(struct store *store, size_t rows, bool sync)
{
    static char keys[BATCH][17], value[SESSION_BYTES];
    struct store_op ops[BATCH];
    for (size_t i = 0; i < rows; i++) {
        uint64_t mixed = (next_key++ % 500000 + 1) * UINT64_C(0x9e3779b97f4a7c15);
        memset(keys[i], 0, sizeof keys[i]);
        memcpy(keys[i], &mixed, sizeof mixed);
        ops[i] = (struct store_op){
            {.table = STORE_SESSIONS, .key = {keys[i], 17}, .value = {value, sizeof value}}, false};
    }
    uint64_t token = 0;
    if (store_submit(store, ops, rows, sync, &token) != PDP_ERR_OK) {
        bench_fail("store_submit", "");
    }
}

static double durable(struct store *store, unsigned group)
{
    double began = bench_now_ns();
    for (unsigned i = 0; i < SYNCS; i++) {
        for (unsigned j = 0; j < group; j++) {
            submit(store, 1, true);
        }
        drain(store);
    }
    return SYNCS * (double)group / ((bench_now_ns() - began) / 1e9);
}

static double behind(struct store *store)
{
    double began = bench_now_ns();
    for (unsigned i = 0; i < ROWS / BATCH; i++) {
        submit(store, BATCH, false);
        drain(store);
    }
    return ROWS / ((bench_now_ns() - began) / 1e9);
}

static enum pdp_err count(void *user, const struct store_row *row)
{
    *(uint64_t *)user += row->value.len;
    return PDP_ERR_OK;
}

static double loaded(struct store *store)
{
    char why[STORE_WHY_MAX];
    uint64_t bytes = 0;
    double began = bench_now_ns();
    if (store_load(store, STORE_SESSIONS, count, &bytes, why) != PDP_ERR_OK) {
        bench_fail("store_load", why);
    }
    return (double)store_count(store, STORE_SESSIONS) / ((bench_now_ns() - began) / 1e9);
}

// usage: bench_store [PAGES]
int main(int argc, char **argv)
{
    log_pages = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    static const unsigned GROUPS[] = {1, 16, 64};
    char path[512];
    snprintf(path, sizeof path, "%s", bench_path("store.db"));
    (void)unlink(path);
    struct store *store = open_at(path), *memory = open_at(NULL);
    double bare = bare_syncs(bench_path("store.bare"));
    bench_row(BENCH_NO_BUDGET, "page written and synced, bare loop", "–", "%.0f /s", bare);
    for (size_t i = 0; i < COUNT_OF(GROUPS); i++) {
        double got = durable(store, GROUPS[i]);
        bench_row(BENCH_NO_BUDGET, "durable batches", "–", "groups of %u: %.0f /s (%.2f of bare)", GROUPS[i],
                  got, got / bare);
    }
    double again = bare_syncs(bench_path("store.bare"));
    double rows = behind(store);
    bench_row(BENCH_NO_BUDGET, "rows written behind, batches of 512", "–",
              "%.0f /s (%.0f of bare, which was %.0f /s then)", rows, rows / again, again);
    bench_row(BENCH_NO_BUDGET, "rows put back at a start", "–", "%.0f /s", loaded(store));
    bench_row(BENCH_NO_BUDGET, "rows in memory, batches of 512", "–", "%.0f /s", behind(memory));
    store_close(&store);
    store_close(&memory);
    (void)unlink(path);
    return 0;
}
