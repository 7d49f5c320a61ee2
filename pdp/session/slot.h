// SPDX-License-Identifier: Apache-2.0
// A session as the table keeps it: 496 bytes, packed from and to struct session_record.
#ifndef SESSION_SLOT_H
#define SESSION_SLOT_H

#include "session/session.h"

#define SLOT_TEXT 31 // acr and amr together

struct slot_sighting {
    uint64_t fingerprint;
    uint8_t ip[16];
    int32_t lat_e7, lon_e7; // INT32_MIN: not known
    uint32_t asn;
    uint16_t geo_version, agent_version;
    uint16_t country, flags;
    uint16_t radius_km; // UINT16_MAX: not known
    uint8_t agent_family;
    uint8_t agent_os : 5, agent_class : 3;
};

struct slot_repeats {
    uint64_t id[SESSION_REPEATS], question[SESSION_REPEATS];
    float score[SESSION_REPEATS];
    uint32_t rule[SESSION_REPEATS]; // 24 bits of rule, 2 of effect, 2 of level, 4 of code
    uint32_t policy_epoch;          // the newest of the four
    uint8_t age[SESSION_REPEATS];   // epochs behind it; UINT8_MAX: so far that rules have no names any more
};

struct slot_ended {
    int64_t ended_ms;
    uint8_t end_code;
};

struct slot_rotated {
    struct hash128 to; // the id that goes on in its place
    int64_t rotated_ms, overlap_until_ms;
    uint32_t
        tip; // the slot of the session, where `first_seen_ms` is that slot's too; 0: to be looked for by `to`
};

// Times of a slot that take 48 bits each: milliseconds since the year 1, up to the year 8920.
enum slot_time {
    SLOT_AUTH,
    SLOT_FIRST_SEEN,
    SLOT_LAST_SEEN,
    SLOT_ANCHOR,
    SLOT_LAST,
    SLOT_TIMES
};

struct slot {
    // Constant while the slot is in the index, so that whoever holds a stripe of the index may read it
    // without the shard's lock.
    struct hash128 id;
    struct slot_sighting anchor, last;
    union {
        struct slot_repeats repeats; // of a live session
        struct slot_ended ended;     // of a tombstone
        struct slot_rotated rotated; // of an id that another one replaced
    } of;
    _Alignas(8) unsigned char risk[SESSION_RISK_BYTES];
    struct session_proof proofs[SESSION_PROOFS];
    char text[SLOT_TEXT];
    uint8_t issued : 1, asserted : 1, repeat_next : 2, key : 4;
    uint32_t time_low[SLOT_TIMES];
    uint32_t epoch, requests, asked_max_age_s;
    uint32_t keep_until_s; // UINT32_MAX: for ever
    uint32_t over_s;       // 0, UINT32_MAX: never
    uint32_t id_since_s;   // since when it has this id; 0: since it began
    uint16_t time_high[SLOT_TIMES];
    uint16_t gateway; // number of the peer that began it or spoke of it last; 0: not known
    uint16_t voucher, prover;
    uint32_t vouched_s;
    uint8_t state : 4, undone : 4;
    uint8_t asked_strength, acr_len, amr_len;
    uint32_t user;         // number in the shard; 0: a tombstone of an id that never was
    uint32_t next;         // in the shard's chain, or of the free ones
    uint32_t index_next;   // in the index's chain; guarded by its stripe
    uint32_t newer, older; // of the user's sessions that live, by when they began; 0: none
};

// All of a record but id, and all of a slot but id and links.
void slot_pack(const struct session_record *record, struct slot *slot);
// All but the subject, which the slot's user knows.
void slot_unpack(const struct slot *slot, struct session_record *record);
uint32_t slot_keep_until_s(int64_t keep_until_ms);
int64_t slot_time_ms(const struct slot *slot, enum slot_time which);
void slot_set_time(struct slot *slot, enum slot_time which, int64_t at_ms);

#endif
