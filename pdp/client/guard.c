// SPDX-License-Identifier: Apache-2.0
#include "client/guard.h"

#include "base/num.h"
#include "client/guard_inner.h"

#include <stdlib.h>

enum {
    REVOKED_LEAST = 1024,
    DRIFT = 1000 // of two clocks: a millisecond a second at most
};
// A question waits for its answer an hour at most, and what is kept lasts minutes: then nothing is left that
// an end could meet.
static const int64_t REVOKED_KEEP_MS = INT64_C(2) * 3600 * 1000;

enum pdp_err guard_new(const struct guard_config *config, struct guard **out)
{
    *out = NULL;
    if (config->entries > GUARD_ENTRIES_MAX) {
        return PDP_ERR_RANGE;
    }
    struct guard *made = calloc(1, sizeof *made);
    if (made == NULL || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return PDP_ERR_NOMEM;
    }
    made->key = config->key;
    made->generation = 1;
    enum pdp_err err = guard_kept_new(made, config->entries);
    if (err != PDP_ERR_OK) {
        guard_free(&made);
    }
    *out = made;
    return err;
}

void guard_free(struct guard **guard)
{
    if (*guard != NULL) {
        guard_kept_free(*guard);
        free((*guard)->revoked);
        pthread_mutex_destroy(&(*guard)->lock);
        free(*guard);
        *guard = NULL;
    }
}

// ---- Sessions that have ended ------------------------------------------------------------------------

static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

bool guard_ref_of(struct str text, struct guard_ref *out)
{
    char ref[NOTICE_REF_BYTES];
    *out = (struct guard_ref){0};
    if (!notice_ref_read(text, ref)) {
        return false;
    }
    for (size_t i = 0; i < 24; i++) {
        if (i < 16) {
            out->hi = out->hi << 4 | digit(ref[2 + i]);
        } else {
            out->lo = out->lo << 4 | digit(ref[2 + i]);
        }
    }
    return true;
}

static bool is_free(const struct revoked *place)
{
    return place->ref.hi == 0 && place->ref.lo == 0;
}

// Its place, or the free one where it would be.
static struct revoked *place_of(struct revoked *table, size_t cap, struct guard_ref ref)
{
    size_t at = (size_t)(ref.hi ^ ref.lo) & (cap - 1); // a reference is a keyed hash by itself
    while (!is_free(&table[at]) && !guard_ref_eq(table[at].ref, ref)) {
        at = (at + 1) & (cap - 1);
    }
    return &table[at];
}

bool guard_is_revoked(const struct guard *guard, struct guard_ref ref)
{
    return guard->revoked_cap > 0 && (ref.hi != 0 || ref.lo != 0) &&
           !is_free(place_of(guard->revoked, guard->revoked_cap, ref));
}

// Into a table of that size, without those that nothing can meet any more.
static bool rebuild(struct guard *guard, size_t cap, int64_t now_ms)
{
    struct revoked *table = calloc(cap, sizeof *table);
    if (table == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < guard->revoked_cap; i++) {
        const struct revoked *old = &guard->revoked[i];
        if (!is_free(old) && num_sub_sat(now_ms, old->since_ms) < REVOKED_KEEP_MS) {
            *place_of(table, cap, old->ref) = *old;
            count++;
        }
    }
    free(guard->revoked);
    guard->revoked = table;
    guard->revoked_cap = cap;
    guard->revoked_count = count;
    return true;
}

bool guard_put_revoked(struct guard *guard, struct guard_ref ref, int64_t now_ms)
{
    if (guard_is_revoked(guard, ref)) {
        return true;
    }
    if (guard->revoked_count * 2 >= guard->revoked_cap) {
        size_t most = (size_t)GUARD_REVOKED_MAX * 2;
        size_t cap = guard->revoked_cap == 0     ? REVOKED_LEAST
                     : guard->revoked_cap < most ? guard->revoked_cap * 2
                                                 : most;
        if (!rebuild(guard, cap, now_ms) || guard->revoked_count * 2 >= guard->revoked_cap) {
            return false;
        }
    }
    *place_of(guard->revoked, guard->revoked_cap, ref) = (struct revoked){ref, now_ms};
    guard->revoked_count++;
    return true;
}

// ---- What the daemon says. With the lock. ------------------------------------------------------------

static void drop_everything(struct guard *guard)
{
    guard->generation++;
    guard_drop_all(guard);
}

// Nor may what is under way be believed.
static void bar(struct guard *guard)
{
    drop_everything(guard);
    guard->barrier = guard->generation;
}

static void revoke(struct guard *guard, struct str text, struct guard_now now)
{
    struct guard_ref ref;
    if (!guard_ref_of(text, &ref)) {
        bar(guard);
        return;
    }
    guard_drop_ref(guard, ref);
    if (!guard_put_revoked(guard, ref, now.boot_ms)) {
        guard->off = true;
        bar(guard);
    }
}

static void take_epochs(struct guard *guard, const struct notice *notice)
{
    if (notice->policy_epoch != guard->policy_epoch) {
        guard->off = false;
        drop_everything(guard);
    } else if (notice->controls_epoch != guard->controls_epoch) {
        drop_everything(guard);
    }
    guard->policy_epoch = notice->policy_epoch;
    guard->controls_epoch = notice->controls_epoch;
}

// Have notices been missed? A heartbeat says what the last number was.
static void take_number(struct guard *guard, const struct bulletin *bulletin)
{
    const struct notice *notice = &bulletin->notice;
    bool known = guard->boot == bulletin->boot;
    uint64_t expected = guard->seq + (notice->kind != NOTICE_HEARTBEAT);
    if (!known || !guard->synced) {
        drop_everything(guard);
    } else if (notice->seq > expected) {
        bar(guard);
    }
    guard->seq = known && guard->seq > notice->seq ? guard->seq : notice->seq;
    guard->boot = bulletin->boot;
    guard->synced = true;
}

static void take_notice(struct guard *guard, const struct notice *notice, struct guard_now now)
{
    struct str text = {notice->ref, strnlen(notice->ref, sizeof notice->ref)};
    struct guard_ref ref;
    switch (notice->kind) {
    case NOTICE_HEARTBEAT:
        break;
    case NOTICE_ENDED:
        revoke(guard, text, now);
        break;
    case NOTICE_STEP_UP:
        guard->generation++;
        (void)guard_ref_of(text, &ref);
        guard_drop_ref(guard, ref);
        break;
    case NOTICE_RESYNC:
        bar(guard);
        break;
    default:
        drop_everything(guard);
    }
}

// Heartbeats that come regularly, but later and later, tell of a line that is slower than what is said on it:
// what we know is as old as the last is late. Clocks that run apart by a thousandth are no such line.
static void take_time(struct guard *guard, const struct bulletin *bulletin, bool anew, struct guard_now now)
{
    int64_t ahead_ms = num_sub_sat(now.boot_ms, bulletin->notice.at_ms);
    int64_t passed_ms = num_max(0, num_sub_sat(now.boot_ms, guard->heard_ms));
    int64_t least_ms = num_add_sat(guard->ahead_ms, passed_ms / DRIFT);
    guard->ahead_ms = anew ? ahead_ms : num_min(ahead_ms, least_ms);
    guard->late_ms = num_sub_sat(ahead_ms, guard->ahead_ms);
    guard->heard_ms = now.boot_ms;
    guard->daemon_ms = bulletin->notice.at_ms;
    guard->interval_ms = bulletin->interval_ms;
    guard->timed = true;
}

void guard_hear(struct guard *guard, const struct bulletin *bulletin, struct guard_now now)
{
    (void)pthread_mutex_lock(&guard->lock);
    bool anew = !guard->timed || guard->boot != bulletin->boot;
    take_number(guard, bulletin);
    take_epochs(guard, &bulletin->notice);
    take_notice(guard, &bulletin->notice, now);
    if (bulletin->notice.kind == NOTICE_HEARTBEAT) {
        take_time(guard, bulletin, anew, now);
    }
    (void)pthread_mutex_unlock(&guard->lock);
}

void guard_obey(struct guard *guard, const struct order *order, struct guard_now now)
{
    (void)pthread_mutex_lock(&guard->lock);
    if (order->everything) {
        bar(guard);
    }
    for (size_t i = 0; i < order->ref_count; i++) {
        revoke(guard, order->refs[i], now);
    }
    (void)pthread_mutex_unlock(&guard->lock);
}

void guard_revoke(struct guard *guard, struct str ref, struct guard_now now)
{
    (void)pthread_mutex_lock(&guard->lock);
    revoke(guard, ref, now);
    (void)pthread_mutex_unlock(&guard->lock);
}

void guard_lost(struct guard *guard)
{
    (void)pthread_mutex_lock(&guard->lock);
    guard->synced = guard->timed = false;
    drop_everything(guard);
    (void)pthread_mutex_unlock(&guard->lock);
}

bool guard_is_live(const struct guard *guard, struct guard_now now)
{
    int64_t silent_ms = num_sub_sat(now.boot_ms, guard->heard_ms);
    return guard->synced && guard->timed && silent_ms >= 0 &&
           num_add_sat(silent_ms, guard->late_ms) < num_mul_sat(GUARD_BEATS, guard->interval_ms);
}

bool guard_live(struct guard *guard, struct guard_now now)
{
    (void)pthread_mutex_lock(&guard->lock);
    bool live = guard_is_live(guard, now);
    (void)pthread_mutex_unlock(&guard->lock);
    return live;
}

struct guard_state guard_state(struct guard *guard, struct guard_now now)
{
    (void)pthread_mutex_lock(&guard->lock);
    struct guard_state state = {.seq = guard->seq,
                                .kept = guard->kept_count,
                                .interval_ms = guard->interval_ms,
                                .hits = guard->hits,
                                .dropped = guard->dropped,
                                .revoked = guard->revoked_count,
                                .live = guard_is_live(guard, now)};
    (void)pthread_mutex_unlock(&guard->lock);
    return state;
}

// ---- Questions ---------------------------------------------------------------------------------------

uint64_t guard_begin(struct guard *guard)
{
    (void)pthread_mutex_lock(&guard->lock);
    uint64_t begun = guard->generation;
    (void)pthread_mutex_unlock(&guard->lock);
    return begun;
}

enum guard_word guard_judge(struct guard *guard, uint64_t begun, struct str text)
{
    struct guard_ref ref;
    (void)guard_ref_of(text, &ref);
    (void)pthread_mutex_lock(&guard->lock);
    enum guard_word word = guard_is_revoked(guard, ref) ? GUARD_ENDED
                           : begun < guard->barrier     ? GUARD_STALE
                                                        : GUARD_HOLDS;
    (void)pthread_mutex_unlock(&guard->lock);
    return word;
}
