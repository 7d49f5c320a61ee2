// SPDX-License-Identifier: Apache-2.0
// How many connections each origin has, and its share of a turn.
#ifndef NODE_ORIGIN_H
#define NODE_ORIGIN_H

#include "base/hash.h"
#include "node/link.h"

#define ORIGIN_BUCKETS 1024

struct origin {
    struct origin *next;
    uint64_t hash;
    uint32_t connections;
    int64_t credit;     // bytes that it may still cost in this round; below 0: more than its share
    struct link ready;  // its connections that have something to answer or to read, longest waiting first
    struct link active; // in the node's list while `ready` holds some
    size_t len;
    char name[];
};

struct origin_table {
    struct hash_key seed;
    struct origin *buckets[ORIGIN_BUCKETS];
};

// One more connection of `name`. LIMIT where it has `most`, NOMEM; *out NULL then.
MUST_USE enum pdp_err origin_enter(struct origin_table *table, struct str name, uint32_t most,
                                   struct origin **out);
// One less; an origin without any is forgotten. *origin is left NULL.
void origin_leave(struct origin_table *table, struct origin **origin);

#endif
