// SPDX-License-Identifier: Apache-2.0
// The table of sessions and users: sharded by (tenant, subject), fixed-size records, tombstones.
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "base/hash.h"
#include "model/request.h"
#include "model/sighting.h"
#include "model/verdict.h"
#include "session/journal.h"
#include "session/notice.h"

#define SESSION_RISK_BYTES 128 // risk state, opaque here; the engine copies it in and out
#define USER_RISK_BYTES 384
#define SESSION_REPEATS 4
#define SESSION_PROOFS 4 // strengths whose time of proof is kept
#define USER_DEVICES 8
#define USER_MINTED 8
#define SESSION_KEYS 16 // keys under which ids can be hashed at one time

enum session_state {
    SESSION_NONE,
    SESSION_ACTIVE,
    SESSION_CHALLENGED,
    SESSION_TERMINATED,
    SESSION_ROTATED, // an id that another one replaced: no session of its own, and never again one
    SESSION_STATES
};
const char *session_state_name(enum session_state state);

// A remembered answer: a repeat moves nothing and gets the same one.
struct session_repeat {
    uint64_t id;       // keyed hash of (peer, request_id); 0: free
    uint64_t question; // keyed hash of the canonical question
    float score;
    uint32_t rule; // number in the snapshot, UINT32_MAX: none
    uint32_t policy_epoch;
    uint8_t effect, code, level, spare;
};

// One strength that was proved: its name's hash (indices change with a reload), and when.
#define SESSION_PROOF_RENEWED \
    1 // no strength's: when a limit of the session's age that asks a step-up was renewed
struct session_proof {
    uint32_t name; // low half of the keyed hash of the strength's name; 0: free
    uint32_t at_s; // seconds since 1970
};

// What peers said that counts no longer (engine/undo.h), until somebody says it anew.
enum {
    SESSION_UNDONE_AUTH = 1 << 0,   // that the user was authenticated
    SESSION_UNDONE_PROOFS = 1 << 1, // which methods proved more: acr and amr are not known
};
// A peer in two bytes, from struct peer.hash: of some 65,000 others one has the same.
#define SESSION_PEERS_SEVERAL UINT16_MAX // more than one, not known which
static inline uint16_t session_peer_mark(uint64_t hash)
{
    return (uint16_t)(1 + hash % (UINT16_MAX - 1));
}

// Plain data: copied by value, a delta is its next value. The table keeps it packed (session/slot.h), at most
// 512 bytes with its share of the table. What packing rounds: coordinates to 1e-7 degrees (so what a geo
// database says comes back to the bit), radii up to whole km, keep_until_ms up to whole seconds; acr and amr
// share 31 bytes, and amr loses whole words where both are long; times lie in the years 1 to 8920; over_ms
// goes up to whole seconds, id_since_ms down to them. A tombstone and a rotated id keep no repeats; only a
// tombstone keeps ended_ms and end_code.
struct session_record {
    struct hash128 id;      // keyed hash of the session id
    struct hash128 subject; // keyed hash of (tenant, subject type, subject id)
    int64_t auth_time_ms, first_seen_ms, last_seen_ms;
    int64_t ended_ms;      // of a tombstone
    int64_t keep_until_ms; // may be forgotten after; of a live one too (see session/lifecycle.h); 0: 400 days
                           // unseen
    int64_t over_ms;       // when its own limits end it, as they were last judged; 0: they do not
    int64_t id_since_ms;   // since when it has this id; 0: since it began
    struct hash128 successor;             // of a rotated id: the one that goes on in its place
    int64_t rotated_ms, overlap_until_ms; // of a rotated id: until when it is judged as the successor
    uint32_t epoch;                       // rises with every change of state
    uint32_t requests;                    // saturating
    uint8_t state;                        // enum session_state
    uint8_t end_code;                     // enum pdp_code: why it ended
    uint8_t issued;                       // an issuer has spoken: its record wins over what questions claim
    uint8_t asked_strength, acr_len, amr_len; // asked_: index + 1 of the challenge, 0 none
    uint8_t repeat_next;
    uint8_t asserted; // it began with an auth_time that was believed
    uint8_t key;      // number of the key that hashed the id, 4 bits
    uint16_t
        gateway; // number of the peer that began it or spoke of it last (session_gateway_name); 0: not known
    uint32_t asked_max_age_s;
    uint32_t vouched_s; // when `voucher` said so, by our own clock
    // Marks of peers (session_peer_mark): who said when it was authenticated, and who said that more was
    // proved since. 0: nobody.
    uint16_t voucher, prover;
    uint8_t undone;                              // SESSION_UNDONE_…
    struct session_proof proofs[SESSION_PROOFS]; // what the issuer saw proved, and when; newest wins
    char acr[24];                                // of the issuer; longer is cut and then proves nothing
    char amr[40];                                // space-separated
    struct sighting anchor, last;                // where it began, where it was seen last
    struct session_repeat repeats[SESSION_REPEATS];
    _Alignas(8) unsigned char risk[SESSION_RISK_BYTES];
};

struct user_device {
    uint64_t fingerprint; // keyed hash; 0: free
    uint32_t first_s, last_s;
    uint32_t since_s, until_s; // remembered at an issuer's word since then and until then; 0: not
};

struct user_record {
    struct hash128 subject;
    int64_t first_seen_ms; // 0: not said
    struct sighting last;  // over all sessions
    struct user_device devices[USER_DEVICES];
    uint32_t device_by[USER_DEVICES]; // whose word it is: low half of struct peer.hash
    uint64_t minted[USER_MINTED];     // keyed hashes of (peer, request_id) that were answered with an id made
                                      // here, the last first; 0: none
    uint32_t live_sessions;
    uint32_t
        cutoff_s; // cut-off: sessions authenticated before this second are over, seen before or not; 0: none
    _Alignas(8) unsigned char risk[USER_RISK_BYTES];
};

struct session_table;

struct session_table_config {
    struct hash_key key; // of subjects and other texts: drawn at start-up, or kept with the journal's rows
    struct hash_key
        id_keys[SESSION_KEYS];     // of session ids, by number; used where the bit of id_key_set is set
    uint16_t id_key_set;           // 0: `key` is number 0
    uint8_t id_key;                // the number under which new sessions are hashed
    struct journal *journal;       // hears what must last; borrowed. NULL: nothing lasts
    struct notices *notices;       // hears what gateways must hear; borrowed. NULL: there are none
    uint32_t shards;               // power of two; 0: 256
    uint64_t sessions_max;         // tombstones included; 0: no limit. Full: first sights are refused (BUSY)
    uint32_t creations_per_minute; // a peer may make by first sight; 0: no limit
};

MUST_USE enum pdp_err session_table_new(const struct session_table_config *config,
                                        struct session_table **out);
void session_table_free(struct session_table **table);
// Forgets all sessions, users and tombstones, at the cost of what there is: the table is as it was made, but
// for the numbers of gateways. Nobody else may be using it. NOMEM leaves a table that takes no session.
MUST_USE enum pdp_err session_table_clear(struct session_table *table);

// Names hashed once, before any lock.
struct session_key {
    struct hash128 id, subject;
    uint8_t number;                              // of the key that hashed `id`
    struct str tenant, subject_type, subject_id; // borrowed; kept for listings when a record is made
    uint64_t peer;                               // keyed hash of the peer's name
};
struct session_key session_key_of(const struct session_table *table, uint64_t peer, struct str tenant,
                                  struct str subject_type, struct str subject_id, struct str session_id);
uint64_t session_hash(const struct session_table *table, struct str bytes); // for fingerprints, repeats

// For record.gateway: a peer's number, given with the first call (0: too many are known), and its name by
// number (empty where there is none; lives as long as the table). Any thread.
uint16_t session_gateway(struct session_table *table, struct str peer);
struct str session_gateway_name(struct session_table *table, uint16_t number);

enum session_found {
    SESSION_ABSENT,  // never seen (or forgotten after its tombstone's time)
    SESSION_FOUND,   // held.session is it, whatever its state (a tombstone of an id that never was has no
                     // subject)
    SESSION_FOREIGN, // the id belongs to another subject: held.session is that one, its shard is locked
};

// One question's hold: exactly one shard is locked from session_hold to session_release. Not to be copied or
// moved.
struct session_held {
    enum session_found found;
    const struct session_record *session; // NULL where ABSENT; unpacked into `record`
    const struct user_record *user;       // of the key's subject; NULL where unknown or FOREIGN
    bool rotated; // the key's id was replaced: held.session is the session that goes on in its place
    struct hash128 successor; // of that id: the one that replaced it
    int64_t overlap_until_ms; // from then on whoever comes with it has no business with it
    void *shard;              // the table's own, as are these
    uint32_t slot, user_slot, old_slot;
    uint64_t seq; // the journal's step that what was committed through this hold waits for; 0: none.
                  // UINT64_MAX: the journal is full, it will not be durable in time
    struct session_record record;
};

// Locks the shard of the key's subject and looks both up. Only an absent session costs a second look, in
// the index of ids. Never allocates. A session whose id is empty is not looked up: ABSENT, user only.
void session_hold(struct session_table *table, const struct session_key *key, struct session_held *held);
void session_release(struct session_table *table, struct session_held *held);

// ---- Several sessions of one subject -----------------------------------------------------------

#define SESSION_ROOM_MOST \
    1024 // sessions of a subject that are looked at for a new one, those that began first

struct session_seat {
    int64_t since_ms; // authenticated, or else first seen
    uint32_t slot;
    uint16_t order; // in which it began
    uint8_t why;    // enum pdp_code: why it ends
};

struct session_ended {
    struct hash128 id;
    uint32_t epoch;    // of the tombstone
    enum pdp_code why; // CONCURRENT; EXPIRED, TERMINATED: it was over before
};

// Asked and answered under one hold, for a session that is about to begin.
struct session_room {
    // Asked.
    uint32_t heed; // below so many sessions there is nothing to look at
    uint32_t most; // that may live with the new one; UINT32_MAX: none ends for it
    bool vouched;  // somebody who may tell says that the new one was authenticated; else none ends of which
                   // somebody said so
    int64_t since_ms;      // of the new one: none ends that was authenticated later than SKEW after it
    int64_t keep_until_ms; // for the tombstones
    // Answered.
    uint32_t live;                  // of the subject, without those that are over by limits or a cut-off
    bool fits;                      // it may begin, if those end
    uint32_t over_count, end_count; // the first of `seats`: over already; and with them those that would end
    struct session_seat seats[SESSION_ROOM_MOST];
    // Done by session_commit.
    uint32_t ended_count;
    struct session_ended ended[SESSION_ROOM_MOST];
};
#define SESSION_ROOM_SKEW_MS (INT64_C(60) * 1000) // clocks of issuers and gateways may differ by this

// What must end so that the key's subject has `most` sessions, the new one included: those that were
// authenticated longest ago, by what `room` asks. Where more live than are looked at, only those can end, and
// the new one begins all the same: the number falls with every beginning. Changes nothing. At most
// SESSION_ROOM_MOST steps, none where fewer than `heed` live.
void session_room(struct session_table *table, const struct session_held *held, int64_t now_ms,
                  struct session_room *room);

// Another id for a session.
struct session_rotation {
    struct hash128 id;
    uint8_t key; // number of the key that hashed it
    int64_t overlap_ms;
};

// What one decision changes.
struct session_delta {
    bool put_session, put_user;
    bool create;  // the session is new: claims its id in the index
    bool lasting; // must be durable before it is acknowledged (of a user alone, too); an end always is
    struct session_room *room; // with create: who ends for it, as session_room said under this hold; or NULL
    const struct session_rotation *rotate; // of a session that is there: its id from now on; or NULL
    struct session_record session;
    struct user_record user;
};

// Writes the delta through the hold: all of it or, where an error is returned, nothing. LIMIT: the peer's
// creations in this minute are used up. BUSY: table full. STATE: another subject claimed the id in the
// meantime (treat as FOREIGN). A TERMINATED session is absorbing: a delta that would bring it back is refused
// with STATE and counted, whoever asks; of one that ends it again only a later keep_until_ms counts. A
// session may be made TERMINATED (the logout of one that was never seen): that costs no creation and may use
// the reserve. Through a FOREIGN hold only the session is written. The table itself sees to id, subject and
// live_sessions, that epoch rises with the state, and that last_seen_ms and keep_until_ms never go back.
// held.session and held.user are then what was written. With a `room`, those in it end in the same step, and
// only where the session begins; `room.ended` says which.
//
// With `rotate` the session goes on under that id, its epoch one higher, and the id that it had stays as a
// ROTATED record, which counts as a tombstone, can never be a session again, and is kept as long as the
// session would be, and for as long as that is known, living or ended. STATE: the new id is known already, in
// whatever state, or the session does not live; LIMIT, BUSY: as for a new session. Where a session ends
// through a hold of an old id, the record of that id becomes a tombstone as well.
MUST_USE enum pdp_err session_commit(struct session_table *table, struct session_held *held,
                                     const struct session_key *key, const struct session_delta *delta,
                                     int64_t now_ms);

// Looks at no more than `most` records, going on where the last call stopped, and removes those whose time is
// past (live ones too: keep_until_ms lies beyond their limits), and users without records who were not seen
// for 180 days (for a day once users fill half of sessions_max). Holds a lock for at most 256 records.
// Returns how many were looked at.
size_t session_sweep(struct session_table *table, int64_t now_ms, size_t most);
// A session that was authenticated before this may be one that the sweep forgot, ended or not: it cannot
// begin by first sight, whatever limits a reload has brought since. Under the limits by which it was
// forgotten it could not either.
int64_t session_forgotten_ms(const struct session_table *table);

// ---- For gateways that keep answers --------------------------------------------------------------

// Tells them to drop what they keep of a session: what they were answered may not hold any more.
void session_tell(struct session_table *table, struct hash128 id, uint32_t epoch, int64_t now_ms);

// A gateway answered `count` questions of this session by itself, the last at at_ms: the session was seen, as
// by a question, and nothing else moves. false: it is over, or not known: the gateway must not go on.
bool session_touch(struct session_table *table, struct str ref, uint32_t count, int64_t at_ms,
                   int64_t now_ms);

// ---- For analysts ------------------------------------------------------------------------------

struct session_view {
    struct session_record record;
    struct str gateway; // name of the peer that began it or spoke of it last; empty where not known
    char ref[32];
    char tenant[64], subject_type[64], subject_id[REQUEST_ID_MAX + 1];
    uint64_t seq; // of session_end: as in struct session_held
};

void session_ref_print(struct hash128 id, char out[static 32]); // `s_` and 24 hex digits
// What a ref shows of the id, the rest zero; false where it is no whole ref.
bool session_ref_read(struct str text, struct hash128 *id);
// By ref or by session id; what is both is the ref. false: not known.
bool session_look(struct session_table *table, struct str id_or_ref, struct session_view *out);
// The id that a session has now, by any id or ref that it ever had. false: not known, *id zero.
bool session_goes_by(struct session_table *table, struct str id_or_ref, struct hash128 *id);
// Ends a session for good (a tombstone until keep_until_ms); idempotent. By an id that was replaced, it is
// the session that goes on which ends, and that id gets a tombstone too. An id (not a ref) that is not known
// yet gets a tombstone of its own, so that it can never begin: *known false. UNKNOWN: a ref that is not
// known. BUSY: even the reserve for tombstones is used up. `was` is what it was before; where not known, the
// new tombstone.
MUST_USE enum pdp_err session_end(struct session_table *table, struct str id_or_ref, enum pdp_code why,
                                  int64_t now_ms, int64_t keep_until_ms, struct session_view *was,
                                  bool *known);
// Forgets which devices of a user are remembered, *count of them. false: the user is not known. *seq as in
// struct session_held.
bool session_forget_devices(struct session_table *table, const struct session_key *key, size_t *count,
                            uint64_t *seq);
// What is kept of a user, and of the sessions that live, the newest first, up to `most` views; *count is how
// many live. false: the user is not known, and all is zero.
bool session_user_look(struct session_table *table, const struct session_key *key, struct user_record *out,
                       struct session_view *views, size_t most, size_t *count);
// Lets `change` rewrite what is kept of a user, under the shard's lock, and has it last. Who it is, how many
// sessions live and the cut-off stay as they were whatever it writes. Returns and *seq as above.
bool session_user_change(struct session_table *table, const struct session_key *key,
                         void (*change)(void *user, struct user_record *record), void *user, uint64_t *seq);
// Pages through live sessions and tombstones: up to `most` views from *cursor (0 begins; 0 again: end).
size_t session_list(struct session_table *table, uint64_t *cursor, struct session_view *out, size_t most);

// Calls `each` for up to `most` users from *cursor (0 begins; 0 again: end), with a shard's lock held.
void session_users(struct session_table *table, uint64_t *cursor, size_t most,
                   void (*each)(void *user, const struct user_record *record), void *user);

// ---- What lasts --------------------------------------------------------------------------------

struct row_names;

// Calls `each`, with a shard's lock held, for rows of sessions and users that have changed since they were
// last given and are not in the journal, at most about `most`. Returns how many; 0: nothing has changed. One
// caller at a time. Such rows may be written at leisure: their ranks see to it that none revives what has
// ended since.
size_t session_changed(struct session_table *table, size_t most,
                       void (*each)(void *user, const struct journal_row *row), void *user);
// A row that session_changed gave was not written: what it is about is given again. Nothing where it is gone.
void session_note_again(struct session_table *table, const struct journal_row *row);
// Any row that was given may not be there: all are given again. Holds a lock for at most 256 records.
void session_note_all(struct session_table *table);
// Makes room for what is about to be put back, so that nothing moves while it is.
void session_restore_expect(struct session_table *table, uint64_t users, uint64_t records);
// Puts back what was written, before anything is asked: first the users, then the sessions, each from any
// number of threads. UNKNOWN: a live session whose user or whose key is not known (it is left out; what ended
// is always taken), DUPLICATE, NOMEM.
MUST_USE enum pdp_err session_restore_user(struct session_table *table, const struct user_record *record,
                                           const struct row_names *names);
MUST_USE enum pdp_err session_restore(struct session_table *table, const struct session_record *record,
                                      struct str gateway);
// After the last of them: each old id finds its session, which may have had very many since.
void session_restored(struct session_table *table);
void session_restore_forgotten(struct session_table *table, int64_t forgotten_ms);
#define SESSION_ROW_FORGOTTEN "forgotten" // key in the table META; 8 bytes, little end first
// From now on new sessions are hashed under this key; those that are known go on under theirs. STATE where
// the number is in use by another key. session_key_uses: how many records are under it; a key with none can
// go.
MUST_USE enum pdp_err session_key_add(struct session_table *table, uint8_t number, struct hash_key key);
// Drops a key under which nothing is kept, before anything is asked.
void session_key_drop(struct session_table *table, uint8_t number);
uint64_t session_key_uses(const struct session_table *table, uint8_t number);
// The set of numbers in use, and the one for new sessions. Any thread.
uint16_t session_key_set(const struct session_table *table, uint8_t *newest);

struct session_stats {
    uint64_t sessions, users, tombstones; // held now; sessions: without tombstones
    uint64_t created, refused;            // by commits, since the start
    uint64_t bytes;                       // taken from the heap
};
// How many live, without a lock: what a hold may ask too.
uint64_t session_live(const struct session_table *table);
void session_stats(const struct session_table *table, struct session_stats *out);

#endif
