// SPDX-License-Identifier: Apache-2.0
#include "session/row.h"
#include "session/table.h"
#include "unit/session/help.h"

#define MINUTE INT64_C(60000)
#define OVERLAP INT64_C(10000)

// `from` goes on as `to`; `from` may be an id that was replaced (which is refused).
static enum pdp_err rotate(struct session_table *table, const char *from, const char *to, int64_t now_ms)
{
    struct session_key key = help_key(table, "alice", from), next = help_key(table, "alice", to);
    const struct session_rotation rotation = {.id = next.id, .key = 3, .overlap_ms = OVERLAP};
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .put_user = true, .rotate = &rotation};
    delta.session = held.session != NULL ? *held.session : help_record(SESSION_ACTIVE, now_ms);
    delta.session.requests++;
    delta.session.keep_until_ms = now_ms + 3 * DAY;
    enum pdp_err err = session_commit(table, &held, &key, &delta, now_ms);
    if (err == PDP_ERR_OK) {
        cr_expect(hash128_eq(held.session->id, next.id), "what is held then is the session");
    }
    session_release(table, &held);
    return err;
}

static struct session_table *begun(void)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 1});
    cr_assert_eq(help_put(table, "alice", "a", SESSION_ACTIVE, T0), PDP_ERR_OK);
    return table;
}

static enum pdp_err end_through(struct session_table *table, const char *subject, const char *id,
                                enum pdp_code why)
{
    struct session_key key = help_key(table, subject, id);
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .session = *held.session};
    delta.session.state = SESSION_TERMINATED;
    delta.session.end_code = (uint8_t)why;
    enum pdp_err err = session_commit(table, &held, &key, &delta, T0 + HOUR);
    session_release(table, &held);
    return err;
}

static void expect_dead(struct session_table *table, const char *id, enum pdp_code why)
{
    struct session_record record;
    cr_expect_eq(help_found(table, "alice", id, &record), SESSION_FOUND);
    cr_expect_eq(record.state, SESSION_TERMINATED, "%s: %d", id, record.state);
    cr_expect_eq(record.end_code, why, "%s: %d", id, record.end_code);
    cr_expect_eq(help_put(table, "alice", id, SESSION_ACTIVE, T0 + HOUR), PDP_ERR_STATE, "%s", id);
}

Test(session_family, goes_on_under_the_new_id)
{
    struct session_table *table = begun();
    struct session_record was, is, old;
    help_found(table, "alice", "a", &was);
    cr_expect_eq(rotate(table, "a", "b", T0 + MINUTE), PDP_ERR_OK);
    cr_expect_eq(help_found(table, "alice", "b", &is), SESSION_FOUND);
    cr_expect_eq(help_found(table, "alice", "a", &old), SESSION_FOUND);
    cr_expect(hash128_eq(old.id, is.id), "the old id shows the session that goes on");
    cr_expect_eq(is.epoch, was.epoch + 1);
    cr_expect_eq(is.requests, 1);
    cr_expect_eq(is.first_seen_ms, was.first_seen_ms);
    cr_expect_eq(is.id_since_ms, T0 + MINUTE);
    cr_expect_eq(is.key, 3);
    struct session_view view;
    cr_assert(session_look(table, STR("a"), &view), "an analyst sees the old id as what it is");
    cr_expect_eq(view.record.state, SESSION_ROTATED);
    cr_expect(hash128_eq(view.record.successor, is.id));
    cr_expect_eq(view.record.rotated_ms, T0 + MINUTE);
    cr_expect_eq(view.record.overlap_until_ms, T0 + MINUTE + OVERLAP);
    cr_expect_eq(view.record.key, 0);
    cr_expect_eq(view.record.keep_until_ms, is.keep_until_ms);
    struct session_stats stats;
    session_stats(table, &stats);
    cr_expect_eq(stats.sessions, 1);
    cr_expect_eq(stats.tombstones, 1);
    cr_expect_eq(stats.created, 1);
    struct session_key key = help_key(table, "alice", "");
    struct session_held held;
    session_hold(table, &key, &held);
    cr_expect_eq(held.user->live_sessions, 1);
    session_release(table, &held);
    session_table_free(&table);
}

Test(session_family, tells_of_the_overlap)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    cr_assert_eq(rotate(table, "b", "c", T0 + 1), PDP_ERR_OK);
    static const struct {
        const char *id, *successor;
        int64_t until_ms; // 0: not replaced
    } IDS[] = {{"a", "b", T0 + OVERLAP}, {"b", "c", T0 + 1 + OVERLAP}, {"c", "", 0}};
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        struct session_key key = help_key(table, "alice", IDS[i].id);
        struct session_held held;
        session_hold(table, &key, &held);
        cr_expect_eq(held.rotated, IDS[i].until_ms != 0, "%s", IDS[i].id);
        cr_expect(hash128_eq(held.session->id, help_key(table, "", "c").id), "%s", IDS[i].id);
        if (held.rotated) {
            cr_expect_eq(held.overlap_until_ms, IDS[i].until_ms);
            cr_expect(hash128_eq(held.successor, help_key(table, "", IDS[i].successor).id));
        }
        session_release(table, &held);
    }
    session_table_free(&table);
}

static const struct {
    const char *name, *from, *to;
} REFUSED[] = {
    {"to itself", "b", "b"},          {"to an id that lives", "b", "other"},
    {"to its own old one", "b", "a"}, {"to a tombstone", "b", "dead"},
    {"of a tombstone", "dead", "x"},  {"of an old id", "a", "x"},
    {"of an unknown one", "y", "x"},  {"to an id of somebody else", "b", "bobs"},
};

Test(session_family, refuses_what_is_in_use)
{
    struct session_table *table = begun();
    cr_assert_eq(help_put(table, "alice", "other", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_assert_eq(help_put(table, "bob", "bobs", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_assert_eq(help_put(table, "alice", "dead", SESSION_TERMINATED, T0), PDP_ERR_OK);
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    struct session_stats was, is;
    struct session_record before, after;
    session_stats(table, &was);
    help_found(table, "alice", "b", &before);
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        cr_expect_eq(rotate(table, REFUSED[i].from, REFUSED[i].to, T0), PDP_ERR_STATE, "%s", REFUSED[i].name);
    }
    session_stats(table, &is);
    help_found(table, "alice", "b", &after);
    cr_expect(before.epoch == after.epoch && before.requests == after.requests &&
                  before.id_since_ms == after.id_since_ms && before.keep_until_ms == after.keep_until_ms,
              "nothing moved");
    cr_expect(was.sessions == is.sessions && was.tombstones == is.tombstones && was.bytes == is.bytes);
    cr_expect_eq(help_found(table, "alice", "x", NULL), SESSION_ABSENT);
    cr_expect_eq(help_found(table, "bob", "bobs", NULL), SESSION_FOUND);
    session_table_free(&table);
}

Test(session_family, ends_by_any_id)
{
    static const char *const IDS[] = {"a", "b", "c"};
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        for (int by_analyst = 0; by_analyst < 2; by_analyst++) {
            struct session_table *table = begun();
            cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
            cr_assert_eq(rotate(table, "b", "c", T0), PDP_ERR_OK);
            bool known = false;
            cr_expect_eq(by_analyst ? help_end(table, IDS[i], T0, T0 + 9 * DAY, &known)
                                    : end_through(table, "alice", IDS[i], PDP_CODE_TERMINATED),
                         PDP_ERR_OK);
            for (size_t k = 0; k < COUNT_OF(IDS); k++) {
                expect_dead(table, IDS[k], PDP_CODE_TERMINATED);
            }
            struct session_stats stats;
            session_stats(table, &stats);
            cr_expect_eq(stats.sessions, 0);
            cr_expect_eq(stats.tombstones, 3, "each is counted once: %zu", (size_t)stats.tombstones);
            struct session_view view;
            cr_assert(session_look(table, str_of(IDS[i]), &view));
            cr_expect_eq(view.record.state, SESSION_TERMINATED, "the id that it ended by is a tombstone");
            session_table_free(&table);
        }
    }
}

// A control that names a session must be about the one that goes on.
Test(session_family, goes_by_the_id_that_it_has_now)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    cr_assert_eq(rotate(table, "b", "c", T0), PDP_ERR_OK);
    char ref[32];
    session_ref_print(help_key(table, "", "b").id, ref);
    const char *const names[] = {"a", "b", "c", ref};
    struct hash128 id;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        cr_expect(session_goes_by(table, str_of(names[i]), &id), "%s", names[i]);
        cr_expect(hash128_eq(id, help_key(table, "", "c").id), "%s", names[i]);
    }
    cr_expect_not(session_goes_by(table, STR("x"), &id));
    cr_expect_not(session_goes_by(table, STR(""), &id));
    cr_expect(hash128_eq(id, (struct hash128){0}));
    session_table_free(&table);
}

Test(session_family, names_what_it_ended)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    struct session_view was, tip;
    bool known = false;
    cr_assert(session_look(table, STR("b"), &tip));
    cr_assert_eq(session_end(table, STR("a"), PDP_CODE_LOCKED, T0, T0 + DAY, &was, &known), PDP_ERR_OK);
    cr_expect(known);
    cr_expect_eq(was.record.state, SESSION_ACTIVE, "what it was before");
    cr_expect_str_eq(was.ref, tip.ref, "the session that went on");
    session_table_free(&table);
}

Test(session_family, belongs_to_its_subject)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 256});
    cr_assert_eq(help_put(table, "alice", "a", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    for (int i = 0; i < 20; i++) { // whichever shard is theirs
        char subject[24];
        snprintf(subject, sizeof subject, "mallory%d", i);
        struct session_record record;
        cr_expect_eq(help_found(table, subject, "a", &record), SESSION_FOREIGN);
        cr_expect(hash128_eq(record.id, help_key(table, "", "b").id));
    }
    cr_expect_eq(end_through(table, "mallory", "a", PDP_CODE_FIXATION), PDP_ERR_OK);
    expect_dead(table, "a", PDP_CODE_FIXATION);
    expect_dead(table, "b", PDP_CODE_FIXATION);
    session_table_free(&table);
}

Test(session_family, outlives_its_session)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    bool known = false;
    struct session_view was;
    // The old id is kept for longer than the session: by an analyst's word.
    cr_assert_eq(session_end(table, STR("b"), PDP_CODE_LOCKED, T0, T0 + DAY, &was, &known), PDP_ERR_OK);
    cr_assert_eq(session_end(table, STR("a"), PDP_CODE_LOCKED, T0, T0 + 30 * DAY, &was, &known), PDP_ERR_OK);
    session_sweep(table, T0 + 10 * DAY, 1000);
    expect_dead(table, "a", PDP_CODE_LOCKED);
    session_sweep(table, T0 + 31 * DAY, 1000);
    cr_expect_eq(help_found(table, "alice", "a", NULL), SESSION_ABSENT);
    struct session_stats stats;
    session_stats(table, &stats);
    cr_expect_eq(stats.tombstones, 0);
    cr_expect_geq(session_forgotten_ms(table), T0);
    session_table_free(&table);
}

// Limits may be made longer, or go on with each question: what an old id was to be kept for is not all.
Test(session_family, is_known_while_its_session_lives)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    struct session_key key = help_key(table, "alice", "b");
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .session = *held.session};
    delta.session.keep_until_ms = T0 + 60 * DAY;
    cr_assert_eq(session_commit(table, &held, &key, &delta, T0 + DAY), PDP_ERR_OK);
    session_release(table, &held);
    session_sweep(table, T0 + 50 * DAY, 1000);
    bool known = false;
    struct session_view was;
    cr_assert_eq(session_end(table, STR("a"), PDP_CODE_LOCKED, T0 + 50 * DAY, T0 + 70 * DAY, &was, &known),
                 PDP_ERR_OK);
    cr_expect(known && hash128_eq(was.record.id, key.id), "it is the session that was ended");
    expect_dead(table, "b", PDP_CODE_LOCKED);
    session_sweep(table, T0 + 71 * DAY, 1000);
    cr_expect_eq(help_found(table, "alice", "a", NULL), SESSION_ABSENT);
    session_table_free(&table);
}

// What ended by its last id began by none of the earlier ones for as long as the end is remembered.
Test(session_family, is_known_while_its_end_is)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    bool known = false;
    struct session_view was;
    cr_assert_eq(session_end(table, STR("b"), PDP_CODE_LOCKED, T0 + DAY, T0 + 70 * DAY, &was, &known),
                 PDP_ERR_OK);
    session_sweep(table, T0 + 60 * DAY, 1000);
    expect_dead(table, "b", PDP_CODE_LOCKED);
    cr_expect_neq(help_found(table, "alice", "a", NULL), SESSION_ABSENT);
    session_sweep(table, T0 + 71 * DAY, 1000); // in whatever order they are looked at
    session_sweep(table, T0 + 71 * DAY, 1000);
    cr_expect_eq(help_found(table, "alice", "a", NULL), SESSION_ABSENT);
    session_table_free(&table);
}

// The slot of a session that was forgotten goes to another one, of the same user even: the old id is not that
// one's.
Test(session_family, takes_no_other_session_for_its_own)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    struct shard *shard = NULL;
    uint32_t at = table_lock_slot(table, help_key(table, "", "b").id, false, &shard);
    cr_assert_neq(at, 0);
    commit_forget(table, shard, at);
    table_unlock(&shard->lock);
    cr_assert_eq(help_put(table, "alice", "later", SESSION_ACTIVE, T0 + HOUR), PDP_ERR_OK);
    cr_expect_eq(table_lock_slot(table, help_key(table, "", "later").id, false, &shard), at, "the same slot");
    table_unlock(&shard->lock);
    struct session_record record;
    cr_expect_eq(help_found(table, "alice", "a", &record), SESSION_FOUND);
    cr_expect_eq(record.state, SESSION_TERMINATED);
    cr_expect(hash128_eq(record.id, help_key(table, "", "a").id));
    cr_expect_eq(end_through(table, "alice", "a", PDP_CODE_TERMINATED), PDP_ERR_OK);
    help_found(table, "alice", "later", &record);
    cr_expect_eq(record.state, SESSION_ACTIVE);
    session_table_free(&table);
}

Test(session_family, finds_its_session_by_ids_alone)
{
    enum {
        MANY = 3000 // longer than one walk goes
    };
    struct session_table *table = help_table((struct session_table_config){.shards = 1});
    char from[24] = "0", to[24];
    cr_assert_eq(help_put(table, "alice", from, SESSION_ACTIVE, T0), PDP_ERR_OK);
    for (int i = 1; i <= MANY; i++) {
        snprintf(to, sizeof to, "%d", i);
        cr_assert_eq(rotate(table, from, to, T0), PDP_ERR_OK);
        memcpy(from, to, sizeof from);
    }
    for (int i = 0; i < MANY; i++) { // as after a restart
        struct shard *shard = NULL;
        snprintf(from, sizeof from, "%d", i);
        uint32_t at = table_lock_slot(table, help_key(table, "", from).id, false, &shard);
        cr_assert_neq(at, 0);
        slot_at(table, at)->of.rotated.tip = 0;
        table_unlock(&shard->lock);
    }
    struct session_record record;
    help_found(table, "alice", "2990", &record);
    cr_expect(hash128_eq(record.id, help_key(table, "", to).id));
    int looks = 0;
    do {
        help_found(table, "alice", "0", &record);
        looks++;
        cr_expect(record.state == SESSION_TERMINATED || hash128_eq(record.id, help_key(table, "", to).id));
    } while (record.state == SESSION_TERMINATED && looks < 10);
    cr_expect_eq(looks, 3, "goes on where it stopped: %d", looks);
    session_table_free(&table);
}

// As a start does.
static struct session_table *restarted(struct session_table *from)
{
    struct session_table *table = help_table((struct session_table_config){.shards = 1});
    const struct row_names names = {.tenant = STR("acme"), .type = STR("user"), .id = STR("alice")};
    struct session_key key = help_key(from, "alice", "");
    struct session_held held;
    session_hold(from, &key, &held);
    cr_assert_eq(session_restore_user(table, held.user, &names), PDP_ERR_OK);
    session_release(from, &held);
    cr_assert_eq(session_key_add(table, 3, (struct hash_key){3, 3}), PDP_ERR_OK);
    uint64_t cursor = 0;
    struct session_view view;
    do {
        if (session_list(from, &cursor, &view, 1) == 1) {
            cr_assert_eq(session_restore(table, &view.record, STR("")), PDP_ERR_OK);
        }
    } while (cursor != 0);
    session_restored(table);
    return table;
}

Test(session_family, ends_by_the_first_of_very_many_after_a_restart)
{
    enum {
        MANY = 3000 // longer than one walk goes
    };
    struct session_table *table = help_table((struct session_table_config){.shards = 1});
    char from[24] = "0", to[24];
    cr_assert_eq(help_put(table, "alice", from, SESSION_ACTIVE, T0), PDP_ERR_OK);
    for (int i = 1; i <= MANY; i++) {
        snprintf(to, sizeof to, "%d", i);
        cr_assert_eq(rotate(table, from, to, T0), PDP_ERR_OK);
        memcpy(from, to, sizeof from);
    }
    struct session_table *later = restarted(table);
    bool known = false;
    struct session_view was;
    cr_assert_eq(session_end(later, STR("0"), PDP_CODE_LOCKED, T0, T0 + DAY, &was, &known), PDP_ERR_OK);
    cr_expect(known && hash128_eq(was.record.id, help_key(table, "", to).id), "the session itself");
    expect_dead(later, to, PDP_CODE_LOCKED);
    session_table_free(&later);
    session_table_free(&table);
}

// No table writes such a ring; a file may hold one.
Test(session_family, walks_no_ring_for_ever)
{
    struct session_table *table = begun();
    cr_assert_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    cr_assert_eq(rotate(table, "b", "c", T0), PDP_ERR_OK);
    cr_assert_eq(rotate(table, "c", "d", T0), PDP_ERR_OK);
    static const char *const IDS[] = {"a", "b", "c"};
    struct shard *shard = NULL;
    for (size_t i = 0; i < COUNT_OF(IDS); i++) { // c leads back to b
        uint32_t at = table_lock_slot(table, help_key(table, "", IDS[i]).id, false, &shard);
        slot_at(table, at)->of.rotated.tip = 0;
        if (i == 2) {
            slot_at(table, at)->of.rotated.to = help_key(table, "", "b").id;
        }
        table_unlock(&shard->lock);
    }
    session_restored(table);
    struct session_record record;
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        cr_expect_eq(help_found(table, "alice", IDS[i], &record), SESSION_FOUND);
        cr_expect_eq(record.state, SESSION_TERMINATED, "%s", IDS[i]);
    }
    session_table_free(&table);
}

Test(session_family, takes_a_creation_and_a_place)
{
    struct session_table *table = help_table((struct session_table_config){.creations_per_minute = 2});
    cr_assert_eq(help_put(table, "alice", "a", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    cr_expect_eq(rotate(table, "b", "c", T0), PDP_ERR_LIMIT);
    cr_expect_eq(help_found(table, "alice", "c", NULL), SESSION_ABSENT);
    cr_expect_eq(rotate(table, "b", "b", T0 + MINUTE), PDP_ERR_STATE, "what is refused takes none");
    cr_expect_eq(rotate(table, "b", "a", T0 + MINUTE), PDP_ERR_STATE);
    cr_expect_eq(rotate(table, "b", "c", T0 + MINUTE), PDP_ERR_OK);
    cr_expect_eq(rotate(table, "c", "d", T0 + MINUTE), PDP_ERR_OK);
    session_table_free(&table);
    table = help_table((struct session_table_config){.sessions_max = 2});
    cr_assert_eq(help_put(table, "alice", "a", SESSION_ACTIVE, T0), PDP_ERR_OK);
    cr_expect_eq(rotate(table, "a", "b", T0), PDP_ERR_OK);
    cr_expect_eq(rotate(table, "b", "c", T0), PDP_ERR_BUSY);
    struct session_record record;
    help_found(table, "alice", "b", &record);
    cr_expect_eq(record.state, SESSION_ACTIVE);
    session_table_free(&table);
}
