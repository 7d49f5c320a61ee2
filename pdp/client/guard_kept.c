// SPDX-License-Identifier: Apache-2.0
#include "base/num.h"
#include "client/guard_inner.h"

#include <stdlib.h>

static const int64_t KEEP_MOST_MS = 300000; // whatever the answer says: clocks may differ

enum pdp_err guard_kept_new(struct guard *guard, uint32_t entries)
{
    if (entries == 0) {
        return PDP_ERR_OK;
    }
    uint32_t cap = 16;
    while (cap < entries) {
        cap *= 2;
    }
    guard->kept = calloc((size_t)entries + 1, sizeof *guard->kept);
    guard->by_key = calloc(cap, sizeof *guard->by_key);
    guard->by_ref = calloc(cap, sizeof *guard->by_ref);
    guard->entries = entries;
    guard->mask = cap - 1;
    return guard->kept != NULL && guard->by_key != NULL && guard->by_ref != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

void guard_kept_free(struct guard *guard)
{
    for (uint32_t i = 0; guard->kept != NULL && i <= guard->used; i++) {
        free(guard->kept[i].bytes);
    }
    free(guard->kept);
    free(guard->by_key);
    free(guard->by_ref);
}

// ---- Chains ------------------------------------------------------------------------------------------

static uint32_t *key_head(struct guard *guard, uint64_t hash)
{
    return &guard->by_key[hash & guard->mask];
}

static uint32_t *ref_head(struct guard *guard, struct guard_ref ref)
{
    return &guard->by_ref[(ref.hi ^ ref.lo) & guard->mask];
}

static void use_leave(struct guard *guard, uint32_t at)
{
    struct kept *kept = &guard->kept[at];
    *(kept->older != 0 ? &guard->kept[kept->older].newer : &guard->oldest) = kept->newer;
    *(kept->newer != 0 ? &guard->kept[kept->newer].older : &guard->newest) = kept->older;
}

static void use_enter(struct guard *guard, uint32_t at)
{
    struct kept *kept = &guard->kept[at];
    kept->older = guard->newest;
    kept->newer = 0;
    *(guard->newest != 0 ? &guard->kept[guard->newest].newer : &guard->oldest) = at;
    guard->newest = at;
}

static void drop(struct guard *guard, uint32_t at)
{
    struct kept *kept = &guard->kept[at];
    uint32_t *link = key_head(guard, kept->hash);
    while (*link != at) {
        link = &guard->kept[*link].key_next;
    }
    *link = kept->key_next;
    link = ref_head(guard, kept->ref);
    while (*link != at) {
        link = &guard->kept[*link].ref_next;
    }
    *link = kept->ref_next;
    use_leave(guard, at);
    free(kept->bytes);
    *kept = (struct kept){.key_next = guard->free};
    guard->free = at;
    guard->kept_count--;
}

void guard_drop_all(struct guard *guard)
{
    guard->dropped += guard->kept_count;
    while (guard->oldest != 0) {
        drop(guard, guard->oldest);
    }
}

void guard_drop_ref(struct guard *guard, struct guard_ref ref)
{
    uint32_t next = guard->entries > 0 ? *ref_head(guard, ref) : 0;
    while (next != 0) {
        uint32_t at = next;
        next = guard->kept[at].ref_next;
        if (guard_ref_eq(guard->kept[at].ref, ref)) {
            drop(guard, at);
            guard->dropped++;
        }
    }
}

static uint32_t find(struct guard *guard, struct str question, uint64_t hash)
{
    uint32_t at = *key_head(guard, hash);
    for (; at != 0; at = guard->kept[at].key_next) {
        const struct kept *kept = &guard->kept[at];
        if (kept->hash == hash && kept->question_len == question.len &&
            memcmp(kept->bytes, question.at, question.len) == 0) {
            break;
        }
    }
    return at;
}

// ---- Keeping -----------------------------------------------------------------------------------------

static uint32_t take_place(struct guard *guard)
{
    if (guard->free == 0 && guard->used < guard->entries) {
        return ++guard->used;
    }
    if (guard->free == 0) {
        drop(guard, guard->oldest);
    }
    uint32_t at = guard->free;
    guard->free = guard->kept[at].key_next;
    return at;
}

// The daemon's clock, as far as it is known: the later one of two counts.
static int64_t clock_of(const struct guard *guard, struct guard_now now)
{
    return num_max(now.wall_ms, num_add_sat(guard->daemon_ms, num_sub_sat(now.boot_ms, guard->heard_ms)));
}

static void put(struct guard *guard, const struct guard_answer *answer, struct guard_ref ref, int64_t left_ms)
{
    unsigned char *bytes = malloc(answer->question.len + answer->bytes.len);
    if (bytes == NULL) {
        return;
    }
    memcpy(bytes, answer->question.at, answer->question.len);
    memcpy(bytes + answer->question.len, answer->bytes.at, answer->bytes.len);
    uint64_t hash = hash_64(guard->key, answer->question.at, answer->question.len);
    uint32_t old = find(guard, answer->question, hash);
    if (old != 0) {
        drop(guard, old);
    }
    uint32_t at = take_place(guard);
    guard->kept[at] = (struct kept){.hash = hash,
                                    .ref = ref,
                                    .bytes = bytes,
                                    .question_len = answer->question.len,
                                    .answer_len = answer->bytes.len,
                                    .until_wall_ms = answer->until_ms,
                                    .until_boot_ms = num_add_sat(answer->asked_ms, left_ms),
                                    .key_next = *key_head(guard, hash),
                                    .ref_next = *ref_head(guard, ref)};
    *key_head(guard, hash) = at;
    *ref_head(guard, ref) = at;
    use_enter(guard, at);
    guard->kept_count++;
}

void guard_keep(struct guard *guard, uint64_t begun, const struct guard_answer *answer, struct guard_now now)
{
    struct guard_ref ref;
    bool named = guard_ref_of(answer->ref, &ref);
    (void)pthread_mutex_lock(&guard->lock);
    int64_t left_ms = num_min(num_sub_sat(answer->until_ms, clock_of(guard, now)), KEEP_MOST_MS);
    if (guard->entries > 0 && begun == guard->generation && !guard->off && guard_is_live(guard, now) &&
        answer->policy_epoch == guard->policy_epoch && left_ms > 0 && (named || answer->ref.len == 0) &&
        !guard_is_revoked(guard, ref)) {
        put(guard, answer, ref, left_ms);
    }
    (void)pthread_mutex_unlock(&guard->lock);
}

// ---- Finding -----------------------------------------------------------------------------------------

// false: there is no place to count it, and so it may not be answered.
static bool count_hit(struct guard *guard, struct guard_ref ref, int64_t now_ms)
{
    if (ref.hi == 0 && ref.lo == 0) {
        return true; // of no session
    }
    char text[NOTICE_REF_BYTES] = "s_";
    for (unsigned i = 0; i < 24; i++) {
        uint64_t nibble = i < 16 ? ref.hi >> (60 - 4 * i) : (uint64_t)ref.lo >> (28 - 4 * (i - 16));
        text[2 + i] = "0123456789abcdef"[nibble & 15];
    }
    size_t at = 0;
    while (at < guard->pending_count && memcmp(guard->pending[at].ref, text, sizeof text) != 0) {
        at++;
    }
    if (at == NOTICE_HITS_MAX) {
        return false;
    }
    if (at == guard->pending_count) {
        guard->pending[guard->pending_count++] = (struct guard_hit){.count = 0};
        memcpy(guard->pending[at].ref, text, sizeof text);
    }
    guard->pending[at].count += guard->pending[at].count < UINT32_MAX;
    guard->pending[at].last_ms = now_ms;
    return true;
}

bool guard_find(struct guard *guard, struct str question, struct guard_now now, struct buf *out)
{
    bool found = false;
    if (guard->entries == 0) {
        return false;
    }
    uint64_t hash = hash_64(guard->key, question.at, question.len);
    (void)pthread_mutex_lock(&guard->lock);
    uint32_t at = guard_is_live(guard, now) && !guard->off ? find(guard, question, hash) : 0;
    if (at != 0 && (guard->kept[at].until_boot_ms <= now.boot_ms ||
                    guard->kept[at].until_wall_ms <= clock_of(guard, now))) {
        drop(guard, at);
        at = 0;
    }
    if (at != 0 && count_hit(guard, guard->kept[at].ref, now.boot_ms)) {
        const struct kept *kept = &guard->kept[at];
        buf_put(out, kept->bytes + kept->question_len, kept->answer_len);
        found = !out->failed;
        guard->hits++;
        use_leave(guard, at);
        use_enter(guard, at);
    }
    (void)pthread_mutex_unlock(&guard->lock);
    return found;
}

size_t guard_take_hits(struct guard *guard, struct guard_hit out[static NOTICE_HITS_MAX])
{
    (void)pthread_mutex_lock(&guard->lock);
    size_t count = guard->pending_count;
    memcpy(out, guard->pending, count * sizeof *out);
    guard->pending_count = 0;
    (void)pthread_mutex_unlock(&guard->lock);
    return count;
}
