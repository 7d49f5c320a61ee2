// SPDX-License-Identifier: Apache-2.0
// The table from inside: shards, slabs, the index of ids. Only for the folder's own files.
//
// Locks. A shard's lock guards its slots, users and chains; a stripe's lock guards a part of the index. Shard
// before stripe, never two shards at once, never two stripes at once.
#ifndef SESSION_TABLE_H
#define SESSION_TABLE_H

#include "session/buckets.h"
#include "session/gateways.h"
#include "session/peers.h"
#include "session/slot.h"

#include <pthread.h>
#include <stdatomic.h>

#define TABLE_STRIPES 256
#define TABLE_SLAB 16      // slots allocated together
#define TABLE_USER_SLAB 16 // users allocated together
#define TABLE_DIRECTORY 4096
#define TABLE_LOCK_MOST 256                                  // records looked at under one lock
#define TABLE_USER_KEEP_MS (INT64_C(180) * 24 * 3600 * 1000) // RISK §1: history older than six months can go
#define TABLE_USER_KEEP_FULL_MS (INT64_C(24) * 3600 * 1000)
#define TABLE_UNSEEN_KEEP_MS (INT64_C(400) * 24 * 3600 * 1000)
#define TABLE_NAME_MAX 63 // bytes of tenant and type that are kept for listings

struct user {
    struct user_record record;
    uint32_t next_dirty; // in the shard's list of users to be written; see lasting.c
    char *names;         // tenant, type and id, one after the other; NULL: a free place
    uint8_t tenant_len, type_len, id_len, dirty;
    uint32_t slots;          // records of sessions that refer to it, tombstones included
    uint32_t next;           // in the chain, or of the free ones
    uint32_t newest, oldest; // of its sessions that live, by when they began; 0: none
};

struct slab {
    uint32_t shard;      // for ever
    uint32_t next_dirty; // number, in the shard's list of slabs with something to be written
    uint16_t dirty;      // a bit a slot that is to be written
    struct slot slots[TABLE_SLAB];
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct buckets sessions, users;
    uint32_t free_slot, free_user;
    uint32_t dirty_slab, dirty_user; // first of those with something to be written; 0: none
    uint32_t *slabs;                 // numbers of this shard's slabs
    struct user **user_slabs;
    uint32_t slab_count, slab_cap, user_slab_count, user_slab_cap;
};

struct stripe {
    _Alignas(64) pthread_mutex_t lock;
    struct buckets ids;
};

struct session_table {
    struct session_table_config config;
    struct hash_key id_keys[SESSION_KEYS], subject_key, text_key;
    _Atomic uint32_t id_ring; // set of the numbers in use, and above it the number for new sessions
    _Atomic uint64_t id_uses[SESSION_KEYS];
    uint32_t shard_mask;
    uint64_t reserve; // records beyond sessions_max that only tombstones may take
    struct shard *shards;
    struct stripe *stripes;
    struct peers peers;
    struct gateways gateways;
    // Slot number n is slots[n % TABLE_SLAB] of slab n / TABLE_SLAB; slab 0 is not used, so that 0 is no
    // slot.
    pthread_mutex_t directory_lock; // for taking a slab; innermost
    struct slab **directory[TABLE_DIRECTORY];
    uint32_t slab_count;
    pthread_mutex_t sweep_lock; // outermost
    uint64_t sweep_shard, sweep_at;
    _Atomic int64_t forgotten_ms; // see session_forgotten_ms
    uint32_t changed_shard;       // where session_changed goes on
    _Atomic uint64_t records, tombstones, users, created, refused, bytes;
};

// ---- slabs.c -----------------------------------------------------------------------------------

static inline struct slab *slab_of(const struct session_table *table, uint32_t slot)
{
    uint32_t slab = slot / TABLE_SLAB;
    return table->directory[slab / TABLE_DIRECTORY][slab % TABLE_DIRECTORY];
}

static inline struct slot *slot_at(const struct session_table *table, uint32_t slot)
{
    return &slab_of(table, slot)->slots[slot % TABLE_SLAB];
}

static inline struct user *user_at(const struct shard *shard, uint32_t user)
{
    return &shard->user_slabs[(user - 1) / TABLE_USER_SLAB][(user - 1) % TABLE_USER_SLAB];
}

extern const struct buckets_ops SLABS_SESSION_OPS, SLABS_USER_OPS,
    SLABS_INDEX_OPS; // owners: table, shard, table

// A free slot or user, zeroed; NOMEM. The shard's lock is held.
MUST_USE enum pdp_err slabs_take_slot(struct session_table *table, struct shard *shard, uint32_t *slot);
void slabs_give_slot(struct session_table *table, struct shard *shard, uint32_t slot);
MUST_USE enum pdp_err slabs_take_user(struct session_table *table, struct shard *shard, uint32_t *user);
void slabs_give_user(struct shard *shard, uint32_t user);

// ---- table.c -----------------------------------------------------------------------------------

static inline struct shard *table_shard(const struct session_table *table, struct hash128 subject)
{
    return &table->shards[subject.lo & table->shard_mask];
}

static inline struct stripe *table_stripe(const struct session_table *table, struct hash128 id)
{
    return &table->stripes[id.lo % TABLE_STRIPES];
}

static inline bool table_no_id(struct hash128 id)
{
    return (id.lo | id.hi) == 0;
}

// Neither a tombstone nor an id that another one replaced.
static inline bool table_is_live(const struct slot *slot)
{
    return slot->state == SESSION_ACTIVE || slot->state == SESSION_CHALLENGED;
}

static inline void table_count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline void table_uncount(_Atomic uint64_t *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

// Takes a place in the table's budget. Tombstones may use the reserve: an end must not fail for want of room.
static inline bool table_admit(struct session_table *table, _Atomic uint64_t *counter, bool reserve)
{
    uint64_t most = table->config.sessions_max + (reserve ? table->reserve : 0);
    if (atomic_fetch_add_explicit(counter, 1, memory_order_relaxed) >= most &&
        table->config.sessions_max != 0) {
        table_uncount(counter);
        return false;
    }
    return true;
}

void table_lock(pthread_mutex_t *lock);
void table_unlock(pthread_mutex_t *lock);
// The slot or user of the shard, 0: none. The shard's lock is held.
uint32_t table_find_slot(const struct session_table *table, const struct shard *shard, struct hash128 id);
uint32_t table_find_user(const struct shard *shard, struct hash128 subject);
// The record with its subject.
void table_unpack(const struct shard *shard, const struct slot *slot, struct session_record *record);
// Where an id is, in any shard, locked: 0 with nothing locked where nowhere. No shard may be locked. `ref`:
// only the bits that a ref shows are compared.
uint32_t table_lock_slot(struct session_table *table, struct hash128 id, bool ref, struct shard **shard);

// ---- key.c -------------------------------------------------------------------------------------

// One drawn key, several uses: hashes of one kind say nothing about those of another.
struct hash_key key_derive(struct hash_key key, const char *use);

// ---- index.c -----------------------------------------------------------------------------------

// The slot that holds an id in any shard, 0: none. It may be another's by the time its shard is locked.
uint32_t index_find(struct session_table *table, struct hash128 id, bool ref);
// Claims the id of a slot, which is in no chain yet. false: it is claimed. The shard's lock is held.
bool index_claim(struct session_table *table, uint32_t slot);
void index_drop(struct session_table *table, uint32_t slot);
// Puts a slot with the same id in the place of one that is claimed: at no moment is the id unclaimed.
void index_swap(struct session_table *table, uint32_t from, uint32_t to);
bool index_same(struct hash128 a, struct hash128 b, bool ref);

// ---- commit.c ----------------------------------------------------------------------------------

// A new tombstone of an id that never was, in a shard of the id's choice; *seq as session_held.seq. BUSY,
// NOMEM; STATE: the id is known.
MUST_USE enum pdp_err commit_bare(struct session_table *table, const struct session_key *key,
                                  enum pdp_code why, int64_t now_ms, int64_t keep_until_ms,
                                  struct session_record *record, uint64_t *seq);
// A slot for what was written before, filled but for its user and not counted among tombstones; DUPLICATE,
// NOMEM.
MUST_USE enum pdp_err commit_restore(struct session_table *table, struct shard *shard,
                                     const struct session_record *record, uint32_t *at);
// Ends the session of a slot for good. The shard's lock is held. Returns as session_held.seq.
uint64_t commit_end(struct session_table *table, struct shard *shard, uint32_t at, enum pdp_code why,
                    int64_t now_ms, int64_t keep_until_ms);
// Forgets a slot. The shard's lock is held. false: not now, for its row cannot be erased yet.
bool commit_forget(struct session_table *table, struct shard *shard, uint32_t slot);

// ---- live.c ------------------------------------------------------------------------------------

// Puts a slot among those of its user that live, as the newest, and takes it out again; both count. The
// shard's lock is held.
void live_add(struct session_table *table, struct shard *shard, uint32_t slot);
void live_drop(struct session_table *table, struct shard *shard, struct slot *slot);
// Ends those that session_room chose. Returns as session_held.seq.
uint64_t live_make_room(struct session_table *table, struct shard *shard, struct session_room *room,
                        int64_t now_ms);

// ---- lasting.c ---------------------------------------------------------------------------------

// Notes that a slot or user is to be written. The shard's lock is held, as for all of these.
void lasting_note(struct session_table *table, struct shard *shard, uint32_t at);
void lasting_note_user(struct session_table *table, struct shard *shard, uint32_t user);
// Puts the slot's value into the journal, and its user's with `and_user`. Where that is full both are noted.
// Returns as session_held.seq.
uint64_t lasting_put(struct session_table *table, struct shard *shard, uint32_t at, bool and_user);
// The same of a session and the id that it had before, in one step.
uint64_t lasting_put_family(struct session_table *table, struct shard *shard, uint32_t old, uint32_t at);
// The same of a user alone.
uint64_t lasting_put_user(struct session_table *table, struct shard *shard, uint32_t user);
// The record is forgotten: its row goes, and what it says about forgetting comes. false: the journal is full,
// and it must not be forgotten yet.
MUST_USE bool lasting_erase(struct session_table *table, const struct slot *slot);
MUST_USE bool lasting_erase_user(struct session_table *table, struct hash128 subject);

// ---- analyst.c ---------------------------------------------------------------------------------

bool session_ref_read(struct str text, struct hash128 *id); // the part of an id that a reference says

// ---- tell.c ------------------------------------------------------------------------------------

void tell_slot(struct session_table *table, enum notice_kind kind, struct hash128 id, uint32_t epoch,
               enum pdp_code code, int64_t now_ms);
// After a session was written through a hold: has it ended, or must it prove more? `was` is its state before.
void tell_commit(struct session_table *table, const struct session_held *held, uint8_t was, int64_t now_ms);
void tell_cutoff(struct session_table *table, int64_t now_ms);

// ---- family.c ----------------------------------------------------------------------------------

// The slot of the session that goes on in place of a rotated record, live or ended; 0: it is not known any
// more. The shard's lock is held.
uint32_t family_tip(const struct session_table *table, const struct shard *shard, uint32_t slot);
// Is the session that goes on in place of a rotated record known, living or ended, or can that not be told
// yet? The same lock.
bool family_known(const struct session_table *table, const struct shard *shard, uint32_t slot);
// Looks for that session by more steps than anybody who asks later may take. The same lock.
void family_settle(const struct session_table *table, const struct shard *shard, uint32_t slot);
// Gives the session of a slot another id; *old is the slot of a record for the one that it had, to be filled
// by family_link before the shard's lock is given up. STATE: no live session, or the new id is known already.
// LIMIT, BUSY, NOMEM. With an error nothing has changed.
MUST_USE enum pdp_err family_rotate(struct session_table *table, struct shard *shard, uint32_t slot,
                                    const struct session_rotation *rotation, uint64_t peer, int64_t now_ms,
                                    uint32_t *old);
// After the session was written.
void family_link(struct session_table *table, struct shard *shard, uint32_t slot, uint32_t old,
                 const struct session_rotation *rotation, int64_t now_ms);

// ---- users.c -----------------------------------------------------------------------------------

// A user by the key's names, known for nothing yet. BUSY, NOMEM: *user 0. The shard's lock is held.
MUST_USE enum pdp_err users_make(struct session_table *table, struct shard *shard,
                                 const struct session_key *key, uint32_t *user);
// The same, whatever room there is.
MUST_USE enum pdp_err users_restore(struct session_table *table, struct shard *shard,
                                    const struct session_key *key, uint32_t *user);
// Forgets a user without slots. The shard's lock is held.
void users_forget(struct session_table *table, struct shard *shard, uint32_t user);

#endif
