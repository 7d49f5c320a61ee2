// SPDX-License-Identifier: Apache-2.0
#include "store/backend.h"

#include "base/num.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const size_t QUEUE_BATCHES = 4096, QUEUE_BYTES = (size_t)32 << 20;

struct queue {
    struct store_batch *first, *last;
    size_t count;
};

struct store {
    struct store_config config;
    const struct store_backend *backend;
    void *self; // the backend's; the writer's alone
    // Under `lock`: what waits, what is done and not yet polled, how much both are, and figures for any
    // thread.
    pthread_mutex_t lock;
    struct queue waits, done;
    size_t batches, bytes;
    uint64_t token;
    bool dead; // CORRUPT: nothing is taken any more
    struct store_stats stats;
};

static const char *const NAMES[STORE_TABLE_COUNT] = {
#define X(name, word) word,
    STORE_TABLE_LIST(X)
#undef X
};

const char *store_table_name(enum store_table table)
{
    return (unsigned)table < STORE_TABLE_COUNT ? NAMES[table] : "unknown";
}

void store_tell(char why[static STORE_WHY_MAX], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, STORE_WHY_MAX, fmt, args); // a longer text is cut
    va_end(args);
}

// ---- Queues -----------------------------------------------------------------------------------------

static void queue_add(struct queue *queue, struct store_batch *batch)
{
    batch->next = NULL;
    *(queue->last != NULL ? &queue->last->next : &queue->first) = batch;
    queue->last = batch;
    queue->count++;
}

static struct store_batch *queue_take(struct queue *queue)
{
    struct store_batch *batch = queue->first;
    if (batch != NULL) {
        queue->first = batch->next;
        queue->last = queue->first != NULL ? queue->last : NULL;
        queue->count--;
    }
    return batch;
}

static void batch_drop(struct store *store, struct store_batch *batch)
{
    store->batches--;
    store->bytes -= batch->bytes;
    free(batch);
}

static void queue_drop(struct store *store, struct queue *queue)
{
    for (struct store_batch *batch = NULL; (batch = queue_take(queue)) != NULL;) {
        batch_drop(store, batch);
    }
}

// ---- Opening ----------------------------------------------------------------------------------------

static void show_stats(struct store *store)
{
    store->backend->stats(store->self, &store->stats);
}

enum pdp_err store_open(const struct store_config *config, struct store **out, char why[static STORE_WHY_MAX])
{
    *out = NULL;
    store_tell(why, "memory is out");
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return PDP_ERR_NOMEM;
    }
    store->config = *config;
    store->config.queue_batches = config->queue_batches != 0 ? config->queue_batches : QUEUE_BATCHES;
    store->config.queue_bytes = config->queue_bytes != 0 ? config->queue_bytes : QUEUE_BYTES;
    store->backend = config->path == NULL ? &STORE_MEMORY : &STORE_SQLITE;
    enum pdp_err err = config->path == NULL ? store_memory_new(config, &store->self)
                                            : store_sqlite_open(config, &store->self, why);
    if (err != PDP_ERR_OK) {
        free(store);
        return err;
    }
    (void)pthread_mutex_init(&store->lock, NULL);
    show_stats(store);
    why[0] = '\0';
    *out = store;
    return PDP_ERR_OK;
}

enum pdp_err store_shut(struct store **store_ptr)
{
    struct store *store = STEAL(*store_ptr);
    if (store == NULL) {
        return PDP_ERR_OK;
    }
    while (store_work(store)) {
    }
    enum pdp_err err = store->backend->shut(store->self);
    queue_drop(store, &store->waits);
    queue_drop(store, &store->done);
    (void)pthread_mutex_destroy(&store->lock);
    free(store);
    return err;
}

void store_close(struct store **store)
{
    (void)store_shut(store);
}

// ---- Batches ----------------------------------------------------------------------------------------

// Bytes that the copy takes; false where a row breaks the bounds.
static bool weigh(const struct store_op *ops, size_t count, size_t *bytes)
{
    if (count == 0 || count > STORE_BATCH_MAX) {
        return false;
    }
    *bytes = sizeof(struct store_batch) + count * sizeof *ops;
    for (size_t i = 0; i < count; i++) {
        const struct store_row *row = &ops[i].row;
        if ((unsigned)row->table >= STORE_TABLE_COUNT || row->key.len == 0 || row->key.len > STORE_KEY_MAX ||
            row->value.len > STORE_VALUE_MAX || (ops[i].erase && row->value.len != 0)) {
            return false;
        }
        *bytes += row->key.len + row->value.len; // at most 4096 rows of 64 KiB: no overflow
    }
    return true;
}

static struct str copy_to(char **at, struct str text)
{
    struct str copy = {*at, text.len};
    if (text.len != 0) {
        memcpy(*at, text.at, text.len);
        *at += text.len;
    }
    return copy;
}

static struct store_batch *batch_new(const struct store_op *ops, size_t count, size_t bytes, bool sync)
{
    struct store_batch *batch = malloc(bytes);
    if (batch == NULL) {
        return NULL;
    }
    *batch = (struct store_batch){.bytes = bytes, .count = count, .sync = sync};
    char *at = (char *)&batch->ops[count];
    for (size_t i = 0; i < count; i++) {
        batch->ops[i] = ops[i];
        batch->ops[i].row.key = copy_to(&at, ops[i].row.key);
        batch->ops[i].row.value = copy_to(&at, ops[i].row.value);
    }
    return batch;
}

// Queued where there is room; the lock is held.
static enum pdp_err enqueue(struct store *store, struct store_batch *batch, uint64_t *token)
{
    if (store->dead) {
        return PDP_ERR_CLOSED;
    }
    // One batch is taken whatever its size, so that none is too large for ever.
    if (store->batches >= store->config.queue_batches ||
        (store->batches > 0 && store->bytes + batch->bytes > store->config.queue_bytes)) {
        return PDP_ERR_BUSY;
    }
    store->batches++;
    store->bytes += batch->bytes;
    batch->token = *token = ++store->token;
    queue_add(&store->waits, batch);
    return PDP_ERR_OK;
}

enum pdp_err store_submit(struct store *store, const struct store_op *ops, size_t count, bool sync,
                          uint64_t *token)
{
    *token = 0;
    size_t bytes = 0;
    if (!weigh(ops, count, &bytes)) {
        return PDP_ERR_RANGE;
    }
    struct store_batch *batch = batch_new(ops, count, bytes, sync);
    if (batch == NULL) {
        return PDP_ERR_NOMEM;
    }
    (void)pthread_mutex_lock(&store->lock);
    enum pdp_err err = enqueue(store, batch, token);
    (void)pthread_mutex_unlock(&store->lock);
    if (err != PDP_ERR_OK) {
        free(batch);
    }
    return err;
}

bool store_poll(struct store *store, struct store_completion *out)
{
    *out = (struct store_completion){.err = PDP_ERR_STATE};
    (void)pthread_mutex_lock(&store->lock);
    struct store_batch *batch = queue_take(&store->done);
    if (batch != NULL) {
        *out = (struct store_completion){batch->token, batch->err, batch->sync};
        batch_drop(store, batch);
    }
    (void)pthread_mutex_unlock(&store->lock);
    return batch != NULL;
}

// ---- Work -------------------------------------------------------------------------------------------

// What goes into the next transaction: batches in order, up to a number of rows; one at least.
static struct queue take_group(struct store *store, bool *sync)
{
    struct queue group = {0};
    size_t rows = 0;
    *sync = false;
    (void)pthread_mutex_lock(&store->lock);
    while (store->waits.first != NULL && (rows == 0 || rows + store->waits.first->count <= STORE_BATCH_MAX)) {
        struct store_batch *batch = queue_take(&store->waits);
        rows += batch->count;
        *sync = *sync || batch->sync;
        queue_add(&group, batch);
    }
    (void)pthread_mutex_unlock(&store->lock);
    return group;
}

static uint64_t clock_ns(const struct store *store)
{
    return store->config.clock_ns != NULL ? store->config.clock_ns(store->config.user) : 0;
}

// What one transaction adds to the figures; the lock is held.
static void count_commit(struct store_stats *stats, enum pdp_err err, bool sync, uint64_t took_ns,
                         const struct store_done *done)
{
    if (err != PDP_ERR_OK) {
        return;
    }
    stats->commits++;
    stats->puts += done->puts;
    stats->erases += done->erases;
    stats->dropped += done->dropped;
    if (sync) {
        stats->syncs++;
        stats->sync_ns += took_ns;
        stats->sync_most_ns = took_ns > stats->sync_most_ns ? took_ns : stats->sync_most_ns;
    }
}

static enum pdp_err commit(struct store *store, struct store_batch *first, size_t count, bool sync)
{
    struct store_done done = {0};
    char why[STORE_WHY_MAX] = "";
    uint64_t began_ns = clock_ns(store);
    enum pdp_err err = store->backend->commit(store->self, first, count, sync, &done, why);
    uint64_t took_ns = clock_ns(store) - began_ns;
    (void)pthread_mutex_lock(&store->lock);
    count_commit(&store->stats, err, sync, took_ns, &done);
    if (err != PDP_ERR_OK) {
        memcpy(store->stats.last_error, why, sizeof why);
    }
    store->dead = store->dead || err == PDP_ERR_CORRUPT;
    show_stats(store);
    (void)pthread_mutex_unlock(&store->lock);
    for (struct store_batch *batch = first; count > 0; batch = batch->next, count--) {
        batch->err = err;
    }
    return err;
}

static void complete(struct store *store, struct queue *group)
{
    (void)pthread_mutex_lock(&store->lock);
    for (struct store_batch *batch = NULL; (batch = queue_take(group)) != NULL;) {
        store->stats.batches++;
        store->stats.failed += batch->err != PDP_ERR_OK;
        queue_add(&store->done, batch);
    }
    (void)pthread_mutex_unlock(&store->lock);
}

static bool waits(struct store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    bool some = store->waits.first != NULL;
    (void)pthread_mutex_unlock(&store->lock);
    return some;
}

// Where all together do not fit on the disk, or into memory, some of them may.
static bool may_fit_alone(enum pdp_err err)
{
    return err == PDP_ERR_LIMIT || err == PDP_ERR_NOMEM;
}

static void work_group(struct store *store)
{
    bool sync = false;
    struct queue group = take_group(store, &sync);
    enum pdp_err err = group.count > 0 ? commit(store, group.first, group.count, sync) : PDP_ERR_OK;
    if (group.count > 1 && may_fit_alone(err)) {
        for (struct store_batch *batch = group.first; batch != NULL; batch = batch->next) {
            (void)commit(store, batch, 1, batch->sync);
        }
    }
    complete(store, &group);
}

bool store_work(struct store *store)
{
    if (store->backend->due(store->self, !waits(store))) {
        store->backend->upkeep(store->self);
        (void)pthread_mutex_lock(&store->lock);
        show_stats(store);
        (void)pthread_mutex_unlock(&store->lock);
    } else {
        work_group(store);
    }
    return waits(store) || store->backend->due(store->self, true);
}

// ---- Reading ----------------------------------------------------------------------------------------

enum pdp_err store_load(struct store *store, enum store_table table,
                        enum pdp_err (*each)(void *user, const struct store_row *row), void *user,
                        char why[static STORE_WHY_MAX])
{
    why[0] = '\0';
    return store->backend->load(store->self, table, each, user, why);
}

uint64_t store_count(const struct store *store, enum store_table table)
{
    return store->backend->count(store->self, table);
}

enum pdp_err store_load_part(const struct store *store, enum store_table table, unsigned part, unsigned parts,
                             enum pdp_err (*each)(void *user, const struct store_row *row), void *user,
                             uint64_t *good, char why[static STORE_WHY_MAX])
{
    const struct store_part what = {table, part, parts, each, user};
    why[0] = '\0';
    *good = 0;
    return part < parts && parts <= STORE_PARTS_MAX ? store->backend->load_part(store->self, &what, good, why)
                                                    : PDP_ERR_RANGE;
}

enum pdp_err store_load_whole(const struct store *store, enum store_table table, uint64_t good,
                              char why[static STORE_WHY_MAX])
{
    why[0] = '\0';
    return store->backend->load_whole(store->self, table, good, why);
}

enum pdp_err store_backup(const struct store *store, const char *path, char why[static STORE_WHY_MAX])
{
    why[0] = '\0';
    return store->backend->backup(store->self, path, why);
}

void store_stats(struct store *store, struct store_stats *out)
{
    (void)pthread_mutex_lock(&store->lock);
    *out = store->stats;
    out->queued = store->waits.count;
    (void)pthread_mutex_unlock(&store->lock);
}

void store_cut(struct store *store, size_t keep)
{
    (void)pthread_mutex_lock(&store->lock);
    queue_drop(store, &store->waits);
    queue_drop(store, &store->done);
    (void)pthread_mutex_unlock(&store->lock);
    store->backend->cut(store->self, keep);
    show_stats(store);
}
