// SPDX-License-Identifier: Apache-2.0
#include "session/journal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const size_t ENTRIES = 65536;
static const size_t BYTES = (size_t)64 * 1024 * 1024;

struct entry {
    struct entry *next;
    uint64_t seq;
    size_t bytes, count;
    struct journal_row rows[]; // their texts lie behind them
};

struct journal {
    struct journal_config config;
    pthread_mutex_t lock;
    struct entry *first, *last; // those that wait
    size_t entries, bytes;
    _Atomic uint64_t head, durable, failed;
    _Atomic uint64_t misses, made_good; // ever; as many of them are durable
};

enum pdp_err journal_new(const struct journal_config *config, struct journal **out)
{
    *out = NULL;
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) {
        return PDP_ERR_NOMEM;
    }
    journal->config = *config;
    journal->config.entries = config->entries != 0 ? config->entries : ENTRIES;
    journal->config.bytes = config->bytes != 0 ? config->bytes : BYTES;
    invariant(pthread_mutex_init(&journal->lock, NULL) == 0);
    *out = journal;
    return PDP_ERR_OK;
}

static void drop_until(struct journal *journal, uint64_t seq)
{
    while (journal->first != NULL && journal->first->seq <= seq) {
        struct entry *entry = journal->first;
        journal->first = entry->next;
        journal->entries--;
        journal->bytes -= entry->bytes;
        free(entry);
    }
    journal->last = journal->first != NULL ? journal->last : NULL;
}

void journal_free(struct journal **journal_ptr)
{
    struct journal *journal = STEAL(*journal_ptr);
    if (journal != NULL) {
        drop_until(journal, UINT64_MAX);
        pthread_mutex_destroy(&journal->lock);
        free(journal);
    }
}

static char *put_text(char *at, struct str text, struct str *out)
{
    *out = (struct str){at, text.len};
    if (text.len != 0) {
        memcpy(at, text.at, text.len);
    }
    return at + text.len;
}

static struct entry *entry_of(const struct journal_row *rows, size_t count)
{
    size_t bytes = sizeof(struct entry) + count * sizeof *rows;
    for (size_t i = 0; i < count; i++) {
        invariant(rows[i].key.len != 0 && rows[i].key.len <= JOURNAL_KEY_MAX &&
                  rows[i].value.len <= JOURNAL_VALUE_MAX);
        bytes += rows[i].key.len + rows[i].value.len;
    }
    struct entry *entry = malloc(bytes);
    if (entry == NULL) {
        return NULL;
    }
    *entry = (struct entry){.bytes = bytes, .count = count};
    char *at = (char *)&entry->rows[count];
    for (size_t i = 0; i < count; i++) {
        entry->rows[i] = rows[i];
        at = put_text(at, rows[i].key, &entry->rows[i].key);
        at = put_text(at, rows[i].value, &entry->rows[i].value);
    }
    return entry;
}

static bool has_room(const struct journal *journal, size_t bytes, bool ends)
{
    size_t times = ends ? 2 : 1;
    return journal->entries < times * journal->config.entries &&
           journal->bytes + bytes <= times * journal->config.bytes;
}

enum pdp_err journal_add(struct journal *journal, const struct journal_row *rows, size_t count, bool ends,
                         uint64_t *seq)
{
    *seq = 0;
    struct entry *entry = entry_of(rows, count);
    if (entry == NULL) {
        return PDP_ERR_NOMEM;
    }
    pthread_mutex_lock(&journal->lock);
    bool room = has_room(journal, entry->bytes, ends);
    if (room) {
        *seq = entry->seq = atomic_load_explicit(&journal->head, memory_order_relaxed) + 1;
        *(journal->last != NULL ? &journal->last->next : &journal->first) = entry;
        journal->last = entry;
        journal->entries++;
        journal->bytes += entry->bytes;
        atomic_store_explicit(&journal->head, entry->seq, memory_order_release);
    }
    pthread_mutex_unlock(&journal->lock);
    if (!room) {
        free(entry);
        return PDP_ERR_BUSY;
    }
    if (journal->config.added != NULL) {
        journal->config.added(journal->config.user);
    }
    return PDP_ERR_OK;
}

static uint64_t read_number(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_acquire);
}

uint64_t journal_head(const struct journal *journal)
{
    return read_number(&journal->head);
}

uint64_t journal_durable(const struct journal *journal)
{
    return read_number(&journal->durable);
}

uint64_t journal_failed(const struct journal *journal)
{
    return read_number(&journal->failed);
}

void journal_miss(struct journal *journal)
{
    atomic_fetch_add_explicit(&journal->misses, 1, memory_order_release);
}

uint64_t journal_missed(const struct journal *journal)
{
    uint64_t misses = read_number(&journal->misses);
    return misses != read_number(&journal->made_good) ? misses : 0;
}

void journal_made_good(struct journal *journal, uint64_t missed)
{
    if (missed != 0) {
        atomic_store_explicit(&journal->made_good, missed, memory_order_release);
    }
}

uint64_t journal_awaits(const struct journal *journal)
{
    return journal_missed(journal) != 0 ? UINT64_MAX : journal_head(journal);
}

void journal_depth(const struct journal *journal, size_t *entries, size_t *bytes)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&journal->lock;
    pthread_mutex_lock(lock);
    *entries = journal->entries;
    *bytes = journal->bytes;
    pthread_mutex_unlock(lock);
}

uint64_t journal_take(struct journal *journal, size_t bytes,
                      void (*each)(void *user, const struct journal_row *row), void *user)
{
    // Only the writer drops entries, and others only append behind `last`: what is there stays while it is
    // read.
    pthread_mutex_lock(&journal->lock);
    const struct entry *entry = journal->first, *last = journal->last;
    pthread_mutex_unlock(&journal->lock);
    uint64_t seq = 0;
    size_t given = 0;
    while (entry != NULL && (given == 0 || given + entry->bytes <= bytes)) {
        for (size_t i = 0; i < entry->count; i++) {
            each(user, &entry->rows[i]);
        }
        given += entry->bytes;
        seq = entry->seq;
        entry = entry == last ? NULL : entry->next;
    }
    return seq;
}

void journal_settle(struct journal *journal, uint64_t seq, bool failed)
{
    if (failed) { // what stands behind it is not tried before it, and those who wait for that wait no longer
        atomic_store_explicit(&journal->failed, journal_head(journal), memory_order_release);
        return;
    }
    pthread_mutex_lock(&journal->lock);
    drop_until(journal, seq);
    pthread_mutex_unlock(&journal->lock);
    if (seq > read_number(&journal->durable)) {
        atomic_store_explicit(&journal->durable, seq, memory_order_release);
    }
}
