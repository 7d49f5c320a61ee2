// SPDX-License-Identifier: Apache-2.0
#include "engine/quarantine.h"

#include "engine/worker.h"
#include "session/journal.h"

#include <stdlib.h>

// Texts in one piece behind it.
struct quarantine_entry {
    struct quarantine_entry *next;
    struct quarantined who;
    char text[];
};

static bool texts_right(const struct quarantined *who)
{
    return who->peer.len > 0 && who->peer.len <= QUARANTINE_TEXT_MAX && who->by.len <= QUARANTINE_TEXT_MAX &&
           who->reason.len <= QUARANTINE_TEXT_MAX;
}

static struct str text_put(char **at, struct str text)
{
    struct str out = {*at, text.len};
    if (text.len != 0) {
        memcpy(*at, text.at, text.len);
    }
    *at += text.len;
    return out;
}

static struct quarantine_entry *entry_new(const struct quarantined *who)
{
    struct quarantine_entry *entry = malloc(sizeof *entry + who->peer.len + who->by.len + who->reason.len);
    if (entry != NULL) {
        char *at = entry->text;
        entry->who.at_ms = who->at_ms;
        entry->who.peer = text_put(&at, who->peer);
        entry->who.by = text_put(&at, who->by);
        entry->who.reason = text_put(&at, who->reason);
        entry->next = NULL;
    }
    return entry;
}

// The place of its entry, or that where the list ends.
static struct quarantine_entry **place_of(struct engine *engine, struct str peer)
{
    struct quarantine_entry **at = &engine->quarantine;
    while (*at != NULL && !str_eq((*at)->who.peer, peer)) {
        at = &(*at)->next;
    }
    return at;
}

// In the place of an older one of the same peer, or behind all. The lock is held.
static enum pdp_err entry_put(struct engine *engine, struct quarantine_entry *entry)
{
    struct quarantine_entry **at = place_of(engine, entry->who.peer);
    struct quarantine_entry *old = *at;
    if (old == NULL && atomic_load(&engine->quarantine_count) >= QUARANTINE_MAX) {
        return PDP_ERR_LIMIT;
    }
    entry->next = old != NULL ? old->next : NULL;
    *at = entry;
    if (old == NULL) {
        atomic_fetch_add(&engine->quarantine_count, 1);
    }
    free(old);
    return PDP_ERR_OK;
}

// `AT\nBY LENGTH\nBY` and the reason.
static enum pdp_err note(struct engine *engine, struct str peer, const struct quarantined *who, uint64_t *seq)
{
    struct journal *journal = engine_journal(engine);
    struct buf key = {0}, value = {0};
    *seq = 0;
    if (journal == NULL) {
        return PDP_ERR_OK;
    }
    buf_str(&key, STR(QUARANTINE_ROW));
    buf_str(&key, peer);
    if (who != NULL) {
        buf_printf(&value, "%lld\n%zu\n", (long long)who->at_ms, who->by.len);
        buf_str(&value, who->by);
        buf_str(&value, who->reason);
    }
    struct journal_row row = {
        .table = JOURNAL_CONTROLS, .erase = who == NULL, .key = buf_view(&key), .value = buf_view(&value)};
    enum pdp_err err = key.failed || value.failed ? PDP_ERR_NOMEM : journal_add(journal, &row, 1, true, seq);
    buf_fini(&key);
    buf_fini(&value);
    return err;
}

enum pdp_err engine_quarantine_add(struct engine *engine, const struct quarantined *who, uint64_t *seq)
{
    *seq = 0;
    if (!texts_right(who) || who->peer.len + sizeof QUARANTINE_ROW > JOURNAL_KEY_MAX) {
        return PDP_ERR_RANGE;
    }
    struct quarantine_entry *entry = entry_new(who);
    if (entry == NULL) {
        return PDP_ERR_NOMEM;
    }
    pthread_mutex_lock(&engine->controls_lock);
    enum pdp_err err =
        *place_of(engine, who->peer) == NULL && atomic_load(&engine->quarantine_count) >= QUARANTINE_MAX
            ? PDP_ERR_LIMIT
            : note(engine, who->peer, who, seq);
    err = err == PDP_ERR_OK ? entry_put(engine, entry) : err;
    pthread_mutex_unlock(&engine->controls_lock);
    if (err != PDP_ERR_OK) {
        free(entry);
    }
    return err;
}

enum pdp_err engine_quarantine_remove(struct engine *engine, struct str peer, uint64_t *seq)
{
    *seq = 0;
    pthread_mutex_lock(&engine->controls_lock);
    struct quarantine_entry **at = place_of(engine, peer);
    enum pdp_err err = *at != NULL ? note(engine, peer, NULL, seq) : PDP_ERR_UNKNOWN;
    if (err == PDP_ERR_OK) {
        struct quarantine_entry *entry = *at;
        *at = entry->next;
        atomic_fetch_sub(&engine->quarantine_count, 1);
        free(entry);
    }
    pthread_mutex_unlock(&engine->controls_lock);
    return err;
}

void engine_quarantine_each(struct engine *engine, void (*each)(void *user, const struct quarantined *who),
                            void *user)
{
    pthread_mutex_lock(&engine->controls_lock);
    for (const struct quarantine_entry *at = engine->quarantine; at != NULL; at = at->next) {
        each(user, &at->who);
    }
    pthread_mutex_unlock(&engine->controls_lock);
}

enum pdp_err engine_quarantine_load(struct engine *engine, struct str key, struct str value)
{
    struct quarantined who = {.peer = str_sub(key, strlen(QUARANTINE_ROW), key.len)};
    size_t first = str_find_byte(value, '\n', 0);
    size_t second = str_find_byte(value, '\n', first + 1);
    uint64_t len = 0;
    if (second >= value.len || !str_to_i64(str_sub(value, 0, first), &who.at_ms) ||
        !str_to_u64(str_sub(value, first + 1, second - first - 1), &len) || len > value.len - second - 1) {
        return PDP_ERR_CORRUPT;
    }
    who.by = str_sub(value, second + 1, (size_t)len);
    who.reason = str_sub(value, second + 1 + (size_t)len, value.len);
    if (!texts_right(&who)) {
        return PDP_ERR_CORRUPT;
    }
    struct quarantine_entry *entry = entry_new(&who);
    enum pdp_err err = entry != NULL ? entry_put(engine, entry) : PDP_ERR_NOMEM;
    if (err != PDP_ERR_OK) {
        free(entry);
    }
    return err;
}

bool engine_quarantined(struct engine *engine, struct str peer)
{
    if (atomic_load_explicit(&engine->quarantine_count, memory_order_acquire) == 0) {
        return false;
    }
    pthread_mutex_lock(&engine->controls_lock);
    bool is = *place_of(engine, peer) != NULL;
    pthread_mutex_unlock(&engine->controls_lock);
    return is;
}

void engine_quarantine_free(struct engine *engine)
{
    while (engine->quarantine != NULL) {
        struct quarantine_entry *next = engine->quarantine->next;
        free(engine->quarantine);
        engine->quarantine = next;
    }
}
