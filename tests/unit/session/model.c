// SPDX-License-Identifier: Apache-2.0
// The table against a plain, slow model: the same random steps, the same answers.
#include "unit/session/help.h"

enum {
    IDS = 48,
    SUBJECTS = 6,
    STEPS = 200000,
    KEEP_S = 40
};

// One id in the model. `owner` SUBJECTS: nobody's tombstone.
struct entry {
    bool held;
    enum session_state state;
    unsigned owner;
    uint32_t epoch, requests;
    int64_t keep_until_ms, last_seen_ms, ended_ms;
};

struct world {
    struct session_table *table;
    struct entry entries[IDS];
    uint64_t random;
    int64_t now_ms;
    uint64_t most; // sessions_max
};

static uint64_t roll(struct world *w, uint64_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->random >> 33) % below;
}

static struct session_key key_of(const struct world *w, unsigned subject, unsigned id)
{
    static char subject_text[24], id_text[24]; // the key borrows them
    snprintf(subject_text, sizeof subject_text, "subject%u", subject);
    snprintf(id_text, sizeof id_text, "id%u", id);
    return help_key(w->table, subject_text, id_text);
}

static uint64_t count_held(const struct world *w)
{
    uint64_t count = 0;
    for (size_t i = 0; i < IDS; i++) {
        count += w->entries[i].held;
    }
    return count;
}

static void expect_same(const struct entry *entry, const struct session_record *record)
{
    cr_assert_eq(record->state, entry->state);
    cr_assert_eq(record->epoch, entry->epoch);
    cr_assert_eq(record->requests, entry->requests);
    cr_assert_eq(record->keep_until_ms, entry->keep_until_ms);
    cr_assert_eq(record->last_seen_ms, entry->last_seen_ms);
    cr_assert_eq(record->ended_ms, entry->ended_ms);
}

static enum session_found expected(const struct entry *entry, unsigned subject)
{
    if (!entry->held) {
        return SESSION_ABSENT;
    }
    return entry->owner == subject || entry->owner == SUBJECTS ? SESSION_FOUND : SESSION_FOREIGN;
}

// What the model makes of a commit; the same rules as session.h, said once more and plainly.
static enum pdp_err model_commit(struct world *w, struct entry *entry, unsigned subject,
                                 enum session_state next, uint32_t requests, int64_t keep_until_ms)
{
    if (!entry->held) {
        if (next == SESSION_NONE) {
            return PDP_ERR_STATE;
        }
        if (next != SESSION_TERMINATED && count_held(w) >= w->most) {
            return PDP_ERR_BUSY;
        }
        *entry =
            (struct entry){true,     next,          subject,   1,
                           requests, keep_until_ms, w->now_ms, next == SESSION_TERMINATED ? w->now_ms : 0};
        return PDP_ERR_OK;
    }
    int64_t keep_ms = keep_until_ms > entry->keep_until_ms ? keep_until_ms : entry->keep_until_ms;
    if (entry->state == SESSION_TERMINATED) {
        entry->keep_until_ms = next == SESSION_TERMINATED ? keep_ms : entry->keep_until_ms;
        return next == SESSION_TERMINATED ? PDP_ERR_OK : PDP_ERR_STATE;
    }
    if (next == SESSION_NONE) {
        return PDP_ERR_STATE;
    }
    entry->epoch += entry->state != next;
    entry->state = next;
    entry->requests = requests;
    entry->keep_until_ms = keep_ms;
    entry->last_seen_ms = w->now_ms > entry->last_seen_ms ? w->now_ms : entry->last_seen_ms;
    entry->ended_ms = next == SESSION_TERMINATED ? w->now_ms : 0;
    return PDP_ERR_OK;
}

static void step_commit(struct world *w)
{
    unsigned subject = (unsigned)roll(w, SUBJECTS), id = (unsigned)roll(w, IDS);
    struct entry *entry = &w->entries[id];
    struct session_key key = key_of(w, subject, id);
    struct session_held held;
    session_hold(w->table, &key, &held);
    cr_assert_eq(held.found, expected(entry, subject));
    if (held.session != NULL) {
        expect_same(entry, held.session);
    }
    if (roll(w, 3) != 0) {
        uint32_t requests = (uint32_t)roll(w, 1000);
        enum session_state next = roll(w, 8) == 0 ? SESSION_TERMINATED : (enum session_state)roll(w, 3);
        int64_t keep_until_ms = (w->now_ms / 1000 + (int64_t)roll(w, KEEP_S)) * 1000;
        struct session_delta delta = {.put_session = true, .create = held.found == SESSION_ABSENT};
        delta.session = held.session != NULL ? *held.session : help_record(next, w->now_ms);
        delta.session.state = (uint8_t)next;
        delta.session.requests = requests;
        delta.session.keep_until_ms = keep_until_ms;
        delta.session.last_seen_ms = w->now_ms;
        enum pdp_err want = model_commit(w, entry, subject, next, requests, keep_until_ms);
        cr_assert_eq(session_commit(w->table, &held, &key, &delta, w->now_ms), want);
    }
    session_release(w->table, &held);
}

static void step_end(struct world *w)
{
    unsigned id = (unsigned)roll(w, IDS);
    struct entry *entry = &w->entries[id];
    char text[24];
    snprintf(text, sizeof text, "id%u", id);
    int64_t keep_until_ms = (w->now_ms / 1000 + (int64_t)roll(w, KEEP_S)) * 1000;
    bool known = false;
    cr_assert_eq(help_end(w->table, text, w->now_ms, keep_until_ms, &known), PDP_ERR_OK);
    cr_assert_eq(known, entry->held);
    if (!entry->held) {
        *entry =
            (struct entry){true, SESSION_TERMINATED, SUBJECTS, 1, 0, keep_until_ms, w->now_ms, w->now_ms};
        return;
    }
    entry->keep_until_ms = keep_until_ms > entry->keep_until_ms ? keep_until_ms : entry->keep_until_ms;
    if (entry->state != SESSION_TERMINATED) {
        entry->state = SESSION_TERMINATED;
        entry->epoch++;
        entry->ended_ms = w->now_ms;
    }
}

static void step_sweep(struct world *w)
{
    // Everything once, whatever the place to go on from.
    session_sweep(w->table, w->now_ms, 100000);
    for (size_t i = 0; i < IDS; i++) {
        struct entry *entry = &w->entries[i];
        entry->held = entry->held && entry->keep_until_ms >= w->now_ms;
    }
}

static void step_list(struct world *w)
{
    struct session_view views[5];
    uint64_t cursor = 0, seen = 0;
    do {
        size_t got = session_list(w->table, &cursor, views, COUNT_OF(views));
        for (size_t i = 0; i < got; i++, seen++) {
            size_t id = 0;
            while (id < IDS && !hash128_eq(key_of(w, 0, (unsigned)id).id, views[i].record.id)) {
                id++;
            }
            cr_assert(id < IDS && w->entries[id].held);
            expect_same(&w->entries[id], &views[i].record);
            cr_assert_eq(views[i].subject_id[0] == '\0', w->entries[id].owner == SUBJECTS);
        }
    } while (cursor != 0);
    cr_assert_eq(seen, count_held(w));
}

static void expect_counts(const struct world *w)
{
    struct session_stats stats;
    session_stats(w->table, &stats);
    uint64_t tombstones = 0, live[SUBJECTS + 1] = {0};
    for (size_t i = 0; i < IDS; i++) {
        const struct entry *entry = &w->entries[i];
        tombstones += entry->held && entry->state == SESSION_TERMINATED;
        live[entry->owner] += entry->held && entry->state != SESSION_TERMINATED;
    }
    cr_assert_eq(stats.tombstones, tombstones);
    cr_assert_eq(stats.sessions, count_held(w) - tombstones);
    for (unsigned s = 0; s < SUBJECTS; s++) {
        struct session_key key = key_of(w, s, 0);
        key.id = (struct hash128){0};
        struct session_held held;
        session_hold(w->table, &key, &held);
        cr_assert_eq(held.user != NULL ? held.user->live_sessions : 0, live[s]);
        session_release(w->table, &held);
    }
}

static void walk(uint32_t shards, uint64_t most, uint64_t seed)
{
    struct world w = {.random = seed, .now_ms = T0, .most = most};
    w.table = help_table((struct session_table_config){.shards = shards, .sessions_max = most});
    for (int i = 0; i < STEPS; i++) {
        // The clock mostly goes on, and sometimes back.
        w.now_ms += roll(&w, 50) == 0 ? -(int64_t)roll(&w, 20000) : (int64_t)roll(&w, 400);
        uint64_t what = roll(&w, 1000);
        if (what < 930) {
            step_commit(&w);
        } else if (what < 980) {
            step_end(&w);
        } else if (what < 992) {
            step_sweep(&w);
        } else if (what < 997) {
            step_list(&w);
        } else {
            expect_counts(&w);
        }
    }
    session_table_free(&w.table);
}

Test(session_model, agrees_with_one_shard)
{
    walk(1, 1000, 1);
}

Test(session_model, agrees_with_few_shards_and_a_full_table)
{
    walk(4, 20, 2);
}

Test(session_model, agrees_with_many_shards)
{
    walk(256, 40, 3);
}
