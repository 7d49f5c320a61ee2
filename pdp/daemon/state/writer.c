// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/writer.h"

#include "base/num.h"
#include "daemon/clock.h"
#include "node/group.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const int64_t RETRY_MS = 250; // after the store has failed

enum {
    LAST_TRIES = 20 // of writing what is left at the end
};

struct writer {
    struct writer_config config;
    int wake;
    _Atomic bool stop, hurry;
    _Atomic uint64_t rounds; // of what is noted that came to an end
    bool failing;
    struct group *group;
    int64_t leisure_at_ms, retry_at_ms;
    pthread_t thread;
};

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

// true: there was something, and it was written (durably, where it was of steps).
static bool write_group(struct writer *writer, enum group_kind kind)
{
    if (!group_gather(writer->group, kind)) {
        return false;
    }
    enum pdp_err err = group_write(writer->group);
    if (kind == GROUP_STEPS) {
        writer->config.host.moved(writer->config.host.user);
    }
    note_outcome(writer, err);
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

static bool is_due(struct writer *writer)
{
    return atomic_exchange_explicit(&writer->hurry, false, memory_order_acq_rel) ||
           clock_now().steady_ms >= writer->leisure_at_ms;
}

static void write_noted(struct writer *writer)
{
    while (write_group(writer, GROUP_NOTED)) {
        (void)write_group(writer, GROUP_STEPS); // somebody waits for these
    }
    if (!writer->failing) {
        atomic_fetch_add_explicit(&writer->rounds, 1, memory_order_release);
    }
    writer->leisure_at_ms = num_add_sat(clock_now().steady_ms, writer->config.leisure_ms);
}

static void *run(void *user)
{
    struct writer *writer = user;
    while (!atomic_load_explicit(&writer->stop, memory_order_acquire)) {
        sleep_until_due(writer);
        while (write_group(writer, GROUP_STEPS)) {
        }
        if (writer->retry_at_ms <= clock_now().steady_ms && is_due(writer)) {
            write_noted(writer);
        }
        while (store_work(writer->config.store)) { // what it has to tidy up
        }
    }
    for (int tries = 0; tries < LAST_TRIES && (write_group(writer, GROUP_STEPS) ||
                                               write_group(writer, GROUP_NOTED) || writer->failing);) {
        tries += writer->failing;
    }
    return NULL;
}

static void writer_free(struct writer **writer_ptr)
{
    struct writer *writer = STEAL(*writer_ptr);
    if (writer != NULL) {
        group_free(&writer->group);
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
    TRY(group_new(
        &(struct group_config){.store = config->store, .journal = config->journal, .table = config->table},
        &writer->group));
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

uint64_t writer_hurry(struct writer *writer)
{
    uint64_t next = writer_rounds(writer) + 1;
    atomic_store_explicit(&writer->hurry, true, memory_order_release);
    writer_wake(writer);
    return next;
}

uint64_t writer_rounds(const struct writer *writer)
{
    return atomic_load_explicit(&writer->rounds, memory_order_acquire);
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
