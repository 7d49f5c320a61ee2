// SPDX-License-Identifier: Apache-2.0
#include "daemon/writer.h"

#include "base/num.h"
#include "daemon/clock.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const size_t GROUP_BYTES = 384 * 1024; // of the journal's steps in one batch
static const int64_t RETRY_MS = 250;          // after the store has failed

enum {
    NOTED_A_BATCH = 1024,
    LAST_TRIES = 20 // of writing what is left at the end
};

struct write_batch {
    struct store_op *ops; // STORE_BATCH_MAX of them
    size_t count;
    struct buf texts; // of what was only noted: its rows are gone when the table's lock is
};

struct writer {
    struct writer_config config;
    int wake;
    _Atomic bool stop;
    bool failing;
    struct write_batch steps, noted;
    int64_t leisure_at_ms, retry_at_ms;
    pthread_t thread;
};

// ---- Batches ---------------------------------------------------------------------------------------

static void add_step(void *user, const struct journal_row *row)
{
    struct write_batch *batch = user;
    invariant(batch->count < STORE_BATCH_MAX);
    batch->ops[batch->count++] = (struct store_op){.row = {.table = (enum store_table)row->table,
                                                           .rank = row->rank,
                                                           .key = row->key,
                                                           .value = row->value},
                                                   .erase = row->erase};
}

// Places instead of pointers, until all texts are there: the buffer may move.
static void add_noted(void *user, const struct journal_row *row)
{
    struct write_batch *batch = user;
    if (batch->count == STORE_BATCH_MAX || batch->texts.failed) {
        batch->texts.failed = true;
        return;
    }
    add_step(user, row);
    buf_str(&batch->texts, row->key);
    buf_str(&batch->texts, row->value);
}

static void place_texts(struct write_batch *batch)
{
    const char *at = (const char *)batch->texts.at;
    for (size_t i = 0; i < batch->count; i++) {
        struct store_row *row = &batch->ops[i].row;
        row->key.at = at;
        row->value.at = at + row->key.len;
        at += row->key.len + row->value.len;
    }
}

// Submits and waits for the disk. What was done, or not: the store does it whole or not at all.
static enum pdp_err put(struct writer *writer, const struct write_batch *batch, bool sync)
{
    uint64_t token = 0;
    TRY(store_submit(writer->config.store, batch->ops, batch->count, sync, &token));
    struct store_completion done = {0};
    while (done.token != token) {
        (void)store_work(writer->config.store);
        if (!store_poll(writer->config.store, &done)) {
            done.token = 0;
        }
    }
    return done.err;
}

static void note_outcome(struct writer *writer, enum pdp_err err)
{
    bool failing = err != PDP_ERR_OK;
    writer->retry_at_ms = failing ? num_add_sat(clock_now().steady_ms, RETRY_MS) : 0;
    if (failing == writer->failing) {
        return;
    }
    writer->failing = failing;
    struct store_stats stats;
    store_stats(writer->config.store, &stats);
    const char *why = stats.last_error[0] != '\0' ? stats.last_error : pdp_err_text(err);
    writer->config.host.failing(writer->config.host.user, failing ? why : NULL);
}

// true: there was something, and it is durable.
static bool write_steps(struct writer *writer)
{
    struct write_batch *batch = &writer->steps;
    batch->count = 0;
    uint64_t seq = journal_take(writer->config.journal, GROUP_BYTES, add_step, batch);
    if (seq == 0) {
        return false;
    }
    enum pdp_err err = put(writer, batch, true);
    journal_settle(writer->config.journal, seq, err != PDP_ERR_OK);
    writer->config.host.moved(writer->config.host.user);
    note_outcome(writer, err);
    return err == PDP_ERR_OK;
}

// One batch of what is noted. A batch that failed is kept and written first: newer values come after it.
// false: nothing is left, or it failed.
static bool write_noted(struct writer *writer)
{
    struct write_batch *batch = &writer->noted;
    if (batch->count == 0) {
        buf_clear(&batch->texts);
        (void)session_changed(writer->config.table, NOTED_A_BATCH, add_noted, batch);
        place_texts(batch);
    }
    if (batch->count == 0) {
        return false;
    }
    enum pdp_err err = put(writer, batch, false);
    note_outcome(writer, err);
    if (err == PDP_ERR_OK) {
        batch->count = 0;
    }
    return err == PDP_ERR_OK;
}

// ---- The thread ------------------------------------------------------------------------------------

static void sleep_until_due(struct writer *writer)
{
    int64_t now_ms = clock_now().steady_ms;
    bool retrying = writer->retry_at_ms > now_ms;
    int64_t wait_ms =
        num_max(0, num_min((retrying ? writer->retry_at_ms : writer->leisure_at_ms) - now_ms, 10000));
    struct pollfd fd = {.fd = writer->wake, .events = POLLIN};
    if (retrying) { // new steps would only fail as well
        (void)poll(NULL, 0, (int)wait_ms);
    } else if (poll(&fd, 1, (int)wait_ms) > 0) {
        eventfd_t count;
        (void)eventfd_read(writer->wake, &count);
    }
}

static void *run(void *user)
{
    struct writer *writer = user;
    while (!atomic_load_explicit(&writer->stop, memory_order_acquire)) {
        sleep_until_due(writer);
        while (write_steps(writer)) {
        }
        if (writer->retry_at_ms == 0 && clock_now().steady_ms >= writer->leisure_at_ms) {
            while (write_noted(writer)) {
                (void)write_steps(writer); // somebody waits for these
            }
            writer->leisure_at_ms = num_add_sat(clock_now().steady_ms, writer->config.leisure_ms);
        }
        while (store_work(writer->config.store)) { // what it has to tidy up
        }
    }
    for (int tries = 0;
         tries < LAST_TRIES && (write_steps(writer) || write_noted(writer) || writer->failing);) {
        tries += writer->failing;
    }
    return NULL;
}

static void batch_fini(struct write_batch *batch)
{
    free(batch->ops);
    buf_fini(&batch->texts);
}

static void writer_free(struct writer **writer_ptr)
{
    struct writer *writer = STEAL(*writer_ptr);
    if (writer != NULL) {
        batch_fini(&writer->steps);
        batch_fini(&writer->noted);
        if (writer->wake >= 0) {
            close(writer->wake);
        }
        free(writer);
    }
}

enum pdp_err writer_start(const struct writer_config *config, struct writer **out)
{
    *out = NULL;
    AUTO(writer_free) struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return PDP_ERR_NOMEM;
    }
    writer->config = *config;
    writer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    writer->steps.ops = calloc(STORE_BATCH_MAX, sizeof *writer->steps.ops);
    writer->noted.ops = calloc(STORE_BATCH_MAX, sizeof *writer->noted.ops);
    if (writer->steps.ops == NULL || writer->noted.ops == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (writer->wake < 0 || pthread_create(&writer->thread, NULL, run, writer) != 0) {
        return PDP_ERR_IO;
    }
    *out = STEAL(writer);
    return PDP_ERR_OK;
}

void writer_wake(struct writer *writer)
{
    (void)eventfd_write(writer->wake, 1);
}

void writer_stop(struct writer **writer_ptr)
{
    struct writer *writer = *writer_ptr;
    if (writer != NULL) {
        atomic_store_explicit(&writer->stop, true, memory_order_release);
        writer_wake(writer);
        pthread_join(writer->thread, NULL);
    }
    writer_free(writer_ptr);
}
