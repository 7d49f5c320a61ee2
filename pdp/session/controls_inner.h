// SPDX-License-Identifier: Apache-2.0
// Keys of controls: what a value of a question and a value of a target have in common. Only for their files.
#ifndef SESSION_CONTROLS_INNER_H
#define SESSION_CONTROLS_INNER_H

#include "session/controls.h"
#include "session/table.h"

#define CONTROLS_FAMILY_LETTER 'f' // of a family's ref, where a session's has `s`

// Only what a ref shows of an id counts.
static inline struct hash128 controls_ref(struct hash128 id)
{
    id.hi &= UINT64_C(0xffffffff00000000);
    return id;
}

static inline struct hash128 controls_text(const struct session_table *table, struct str text)
{
    return hash_128(table->text_key, text.at, text.len);
}

// An address is a prefix of all its bits.
static inline void controls_ip(const struct ip *ip, unsigned bits, struct control_key *key)
{
    struct ip masked = ip_mask(ip, bits);
    key->kind = CONTROL_ADDRESS;
    key->bits = (uint8_t)bits;
    memcpy(&key->value, masked.bytes, sizeof key->value);
}

// Locks, cut-offs or pardons, by the keys of their targets.
struct controls_part {
    size_t count;
    uint32_t kinds;         // a bit each: some ask for it
    uint64_t lengths[2][3]; // of prefixes, IPv6 and IPv4: a bit each
    uint32_t mask;
    uint32_t *heads;                            // by hash: place in `all`, plus one; 0: none
    const struct control **by_kind;             // those that deny first
    uint32_t kind_from[CONTROL_KIND_COUNT + 1]; // in by_kind
};

struct controls {
    const struct session_table *table;
    size_t count;
    struct control **all; // held, by number
    uint32_t *next;       // of the same bucket
    struct controls_part parts[CONTROLS_PARTS];
};

static inline uint32_t controls_bucket(const struct controls_part *part, const struct control_key *key)
{
    uint64_t mix =
        (key->value.lo ^ key->value.hi * UINT64_C(0xC2B2AE3D27D4EB4F)) + key->kind * 256U + key->bits;
    mix =
        (mix ^ mix >> 32) * UINT64_C(0x9E3779B97F4A7C15); // what differs in high bits must reach the low ones
    return (uint32_t)(mix >> 32) & part->mask;
}

static inline bool controls_same(const struct control_key *a, const struct control_key *b)
{
    return a->kind == b->kind && a->bits == b->bits && hash128_eq(a->value, b->value);
}

#endif
