// SPDX-License-Identifier: Apache-2.0
#include "engine/quarantine.h"

#include "engine/controls.h"
#include "engine/undo.h"
#include "engine/worker.h"
#include "session/journal.h"

#include <stdlib.h>

// Texts in one piece behind it.
struct quarantine_entry {
    struct quarantine_entry *next;
    struct quarantined who;
    char text[];
};

static const int64_t KEEP_MS =
    INT64_C(400) * 24 * 3600 * 1000; // no session lives longer than tombstones last

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
        entry->who = *who;
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

// ---- What is undone: controls_lock is held -------------------------------------------------------------

static uint32_t seconds(int64_t at_ms)
{
    return (uint32_t)num_max(0, num_min(at_ms / 1000, UINT32_MAX));
}

static void put_spans(const struct engine *engine, const struct quarantined *who, struct undo *undo)
{
    for (size_t i = 0; i < who->span_count; i++) {
        undo->spans[undo->count++] =
            (struct undo_span){.peer = session_hash(engine->sessions, who->peer),
                               .gateway = session_gateway(engine->sessions, who->peer),
                               .from_s = seconds(who->spans[i].from_ms),
                               .to_s = seconds(who->spans[i].to_ms)};
    }
}

// Puts in force what all entries say, `instead` in the place of that of the same peer.
static enum pdp_err publish(struct engine *engine, const struct quarantined *instead)
{
    AUTO(undo_free) struct undo *undo = NULL;
    TRY(undo_new((QUARANTINE_MAX + 1) * QUARANTINE_SPANS, &undo));
    for (const struct quarantine_entry *at = engine->quarantine; at != NULL; at = at->next) {
        if (instead == NULL || !str_eq(at->who.peer, instead->peer)) {
            put_spans(engine, &at->who, undo);
        }
    }
    if (instead != NULL) {
        put_spans(engine, instead, undo);
    }
    if (undo->count == 0) {
        undo_free(&undo);
    }
    return engine_controls_undo(engine, &undo);
}

// ---- Entries -------------------------------------------------------------------------------------------

// `AT FROM-TO FROM-TO …\nBY LENGTH\nBY` and the reason.
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
        buf_printf(&value, "%lld", (long long)who->at_ms);
        for (size_t i = 0; i < who->span_count; i++) {
            buf_printf(&value, " %lld-%lld", (long long)who->spans[i].from_ms,
                       (long long)who->spans[i].to_ms);
        }
        buf_printf(&value, "\n%zu\n", who->by.len);
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

static void count(struct engine *engine)
{
    unsigned in = 0;
    for (const struct quarantine_entry *at = engine->quarantine; at != NULL; at = at->next) {
        in += at->who.at_ms != 0;
    }
    atomic_store(&engine->quarantine_count, in);
}

static size_t entries(const struct engine *engine)
{
    size_t all = 0;
    for (const struct quarantine_entry *at = engine->quarantine; at != NULL; at = at->next) {
        all++;
    }
    return all;
}

// In the place of an older one of the same peer, or behind all; one that says nothing goes. The lock is held.
static enum pdp_err entry_put(struct engine *engine, const struct quarantined *who, bool now, uint64_t *seq)
{
    struct quarantine_entry **at = place_of(engine, who->peer), *old = *at;
    bool says = who->at_ms != 0 || who->span_count > 0;
    if (old == NULL && entries(engine) >= QUARANTINE_MAX) {
        return PDP_ERR_LIMIT;
    }
    struct quarantine_entry *entry = says ? entry_new(who) : NULL;
    enum pdp_err err = says && entry == NULL ? PDP_ERR_NOMEM : PDP_ERR_OK;
    bool undoes = who->span_count > 0 || (old != NULL && old->who.span_count > 0);
    err = err == PDP_ERR_OK && now && undoes ? publish(engine, who) : err;
    if (err == PDP_ERR_OK && seq != NULL) {
        err = note(engine, who->peer, says ? who : NULL, seq);
        if (err != PDP_ERR_OK && undoes) {
            (void)!publish(engine, old != NULL ? &old->who : NULL); // memory is out: more is undone
        }
    }
    if (err != PDP_ERR_OK) {
        free(entry);
        return err;
    }
    if (now && !undoes) {
        engine_controls_tell(engine); // what gateways keep rests on what it claimed
    }
    struct quarantine_entry *next = old != NULL ? old->next : NULL;
    *at = entry != NULL ? entry : next;
    if (entry != NULL) {
        entry->next = next;
    }
    free(old);
    count(engine);
    return PDP_ERR_OK;
}

// One more span, from then on and without an end. Those that meet are one; what is older than any session
// goes.
static void span_add(struct quarantined *who, int64_t since_ms, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < who->span_count; i++) {
        struct quarantine_span span = who->spans[i];
        if (span.to_ms >= since_ms) {
            since_ms = num_min(since_ms, span.from_ms);
        } else if (span.to_ms >= num_add_sat(now_ms, -KEEP_MS)) {
            who->spans[kept++] = span;
        }
    }
    if (kept == QUARANTINE_SPANS) { // the two oldest run together
        who->spans[0].to_ms = who->spans[1].to_ms;
        memmove(&who->spans[1], &who->spans[2], (kept - 2) * sizeof who->spans[0]);
        kept--;
    }
    who->spans[kept++] = (struct quarantine_span){since_ms, INT64_MAX};
    who->span_count = kept;
}

enum pdp_err engine_quarantine_add(struct engine *engine, const struct quarantined *who, int64_t since_ms,
                                   uint64_t *seq)
{
    *seq = 0;
    if (!texts_right(who) || who->peer.len + sizeof QUARANTINE_ROW > JOURNAL_KEY_MAX) {
        return PDP_ERR_RANGE;
    }
    struct quarantined next = *who;
    pthread_mutex_lock(&engine->controls_lock);
    const struct quarantine_entry *old = *place_of(engine, who->peer);
    next.span_count = old != NULL ? old->who.span_count : 0;
    for (size_t i = 0; i < next.span_count; i++) {
        next.spans[i] = old->who.spans[i];
    }
    if (since_ms != 0) {
        span_add(&next, since_ms, who->at_ms);
    }
    enum pdp_err err = entry_put(engine, &next, true, seq);
    pthread_mutex_unlock(&engine->controls_lock);
    return err;
}

enum pdp_err engine_quarantine_remove(struct engine *engine, struct str peer, int64_t now_ms, uint64_t *seq)
{
    enum pdp_err err = PDP_ERR_UNKNOWN;
    *seq = 0;
    pthread_mutex_lock(&engine->controls_lock);
    const struct quarantine_entry *old = *place_of(engine, peer);
    if (old != NULL && old->who.at_ms != 0) {
        struct quarantined next = old->who;
        next.at_ms = 0;
        for (size_t i = 0; i < next.span_count; i++) {
            next.spans[i].to_ms = num_min(next.spans[i].to_ms, now_ms);
        }
        err = entry_put(engine, &next, true, seq);
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

// ---- What was written ----------------------------------------------------------------------------------

static bool read_span(struct str text, struct quarantine_span *out)
{
    size_t dash = str_find_byte(text, '-', 0);
    return dash < text.len && str_to_i64(str_sub(text, 0, dash), &out->from_ms) &&
           str_to_i64(str_sub(text, dash + 1, text.len), &out->to_ms) && out->from_ms > 0 &&
           out->from_ms <= out->to_ms;
}

// `AT FROM-TO …`
static bool read_times(struct str line, struct quarantined *out)
{
    size_t end = str_find_byte(line, ' ', 0);
    if (!str_to_i64(str_sub(line, 0, end), &out->at_ms)) {
        return false;
    }
    while (end < line.len) {
        size_t from = end + 1;
        end = str_find_byte(line, ' ', from);
        if (out->span_count == QUARANTINE_SPANS ||
            !read_span(str_sub(line, from, end - from), &out->spans[out->span_count++])) {
            return false;
        }
    }
    return true;
}

enum pdp_err engine_quarantine_load(struct engine *engine, struct str key, struct str value)
{
    struct quarantined who = {.peer = str_sub(key, strlen(QUARANTINE_ROW), key.len)};
    size_t first = str_find_byte(value, '\n', 0);
    size_t second = str_find_byte(value, '\n', first + 1);
    uint64_t len = 0;
    if (second >= value.len || !read_times(str_sub(value, 0, first), &who) ||
        !str_to_u64(str_sub(value, first + 1, second - first - 1), &len) || len > value.len - second - 1) {
        return PDP_ERR_CORRUPT;
    }
    who.by = str_sub(value, second + 1, (size_t)len);
    who.reason = str_sub(value, second + 1 + (size_t)len, value.len);
    return texts_right(&who) ? entry_put(engine, &who, false, NULL) : PDP_ERR_CORRUPT;
}

enum pdp_err engine_quarantine_load_end(struct engine *engine)
{
    pthread_mutex_lock(&engine->controls_lock);
    enum pdp_err err = engine->quarantine != NULL ? publish(engine, NULL) : PDP_ERR_OK;
    pthread_mutex_unlock(&engine->controls_lock);
    return err;
}

bool engine_quarantined(struct engine *engine, struct str peer)
{
    if (atomic_load_explicit(&engine->quarantine_count, memory_order_acquire) == 0) {
        return false;
    }
    pthread_mutex_lock(&engine->controls_lock);
    const struct quarantine_entry *entry = *place_of(engine, peer);
    bool is = entry != NULL && entry->who.at_ms != 0;
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
