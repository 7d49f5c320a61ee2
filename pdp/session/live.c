// SPDX-License-Identifier: Apache-2.0
// HOT
// The sessions of one user that live: who must end so that another may begin.
#include "session/table.h"

#include "base/num.h"

// ---- The chain: newest to oldest, by when they began -------------------------------------------------

void live_add(struct session_table *table, struct shard *shard, uint32_t at)
{
    struct slot *slot = slot_at(table, at);
    struct user *user = user_at(shard, slot->user);
    slot->newer = 0;
    slot->older = user->newest;
    if (user->newest != 0) {
        slot_at(table, user->newest)->newer = at;
    } else {
        user->oldest = at;
    }
    user->newest = at;
    user->record.live_sessions++;
}

void live_drop(struct session_table *table, struct shard *shard, struct slot *slot)
{
    if (slot->user == 0) {
        return;
    }
    struct user *user = user_at(shard, slot->user);
    *(slot->newer != 0 ? &slot_at(table, slot->newer)->older : &user->newest) = slot->older;
    *(slot->older != 0 ? &slot_at(table, slot->older)->newer : &user->oldest) = slot->newer;
    slot->newer = slot->older = 0;
    user->record.live_sessions--;
}

// ---- Room for another --------------------------------------------------------------------------------

static int64_t since_ms(const struct slot *slot)
{
    int64_t auth_ms = slot_time_ms(slot, SLOT_AUTH);
    return auth_ms != 0 ? auth_ms : slot_time_ms(slot, SLOT_FIRST_SEEN);
}

// Why a session is over although nobody has asked about it since; PDP_CODE_CONCURRENT: it is not.
static enum pdp_code over_why(const struct slot *slot, uint32_t cutoff_s, int64_t now_ms)
{
    if (cutoff_s != 0 && slot_time_ms(slot, SLOT_AUTH) < (int64_t)cutoff_s * 1000) {
        return PDP_CODE_TERMINATED;
    }
    bool timed = slot->over_s != 0 && slot->over_s != UINT32_MAX;
    return timed && now_ms >= (int64_t)slot->over_s * 1000 ? PDP_CODE_EXPIRED : PDP_CODE_CONCURRENT;
}

// None that somebody vouched for ends for one that was merely seen: whoever may make up ids could end the
// sessions of everyone whom they can name. Nor for one that is the older of the two: an old id that comes
// back displaces no newer login.
static bool gives_way(const struct slot *slot, const struct session_room *room)
{
    bool vouched = slot->issued || slot->asserted;
    return (room->vouched || !vouched) &&
           slot_time_ms(slot, SLOT_AUTH) <= num_add_sat(room->since_ms, SESSION_ROOM_SKEW_MS);
}

static bool is_before(const struct session_seat *a, const struct session_seat *b)
{
    return a->since_ms != b->since_ms ? a->since_ms < b->since_ms : a->order < b->order;
}

static void swap(struct session_seat *a, struct session_seat *b)
{
    struct session_seat was = *a;
    *a = *b;
    *b = was;
}

// Puts the `count` oldest of seats[from..to) to the front. Mostly it is one.
static void choose(struct session_room *room, uint32_t from, uint32_t to, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        uint32_t first = i;
        for (uint32_t k = i + 1; k < to; k++) {
            first = is_before(&room->seats[k], &room->seats[first]) ? k : first;
        }
        swap(&room->seats[i], &room->seats[first]);
    }
}

// Seats those that are over in front of those that would give way. Returns how many sessions were looked at.
static uint32_t look_at(const struct session_table *table, const struct user *user, int64_t now_ms,
                        struct session_room *room, uint32_t *seated)
{
    uint32_t looked = 0;
    *seated = 0;
    for (uint32_t at = user->oldest; at != 0 && looked < SESSION_ROOM_MOST; looked++) {
        const struct slot *slot = slot_at(table, at);
        enum pdp_code why = over_why(slot, user->record.cutoff_s, now_ms);
        if (why != PDP_CODE_CONCURRENT || gives_way(slot, room)) {
            room->seats[*seated] = (struct session_seat){since_ms(slot), at, (uint16_t)looked, (uint8_t)why};
            if (why != PDP_CODE_CONCURRENT) {
                swap(&room->seats[*seated], &room->seats[room->over_count++]);
            }
            (*seated)++;
        }
        at = slot->newer;
    }
    return looked;
}

void session_room(struct session_table *table, const struct session_held *held, int64_t now_ms,
                  struct session_room *room)
{
    room->live = room->over_count = room->end_count = room->ended_count = 0;
    room->fits = true;
    if (held->user_slot == 0) {
        return;
    }
    const struct user *user = user_at(held->shard, held->user_slot);
    room->live = user->record.live_sessions;
    if (room->live < room->heed) {
        return;
    }
    uint32_t seated = 0;
    uint32_t looked = look_at(table, user, now_ms, room, &seated);
    bool all_give_way = seated == looked;
    bool more = room->live > looked;
    room->live -= room->over_count;
    room->end_count = room->over_count;
    if (room->most == UINT32_MAX || room->live < room->most) {
        return;
    }
    uint32_t must = room->live - room->most + 1, can = seated - room->over_count;
    room->fits = can >= must || (more && all_give_way && can > 0);
    must = room->fits ? (must < can ? must : can) : 0;
    choose(room, room->over_count, seated, must);
    room->end_count += must;
}

uint64_t live_make_room(struct session_table *table, struct shard *shard, struct session_room *room,
                        int64_t now_ms)
{
    uint64_t last = 0;
    room->ended_count = 0;
    for (uint32_t i = 0; i < room->end_count; i++) {
        const struct session_seat *seat = &room->seats[i];
        const struct slot *slot = slot_at(table, seat->slot);
        uint64_t seq =
            commit_end(table, shard, seat->slot, (enum pdp_code)seat->why, now_ms, room->keep_until_ms);
        last = seq > last ? seq : last;
        room->ended[room->ended_count++] =
            (struct session_ended){slot->id, slot->epoch, (enum pdp_code)seat->why};
    }
    return last;
}
