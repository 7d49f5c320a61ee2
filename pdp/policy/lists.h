// SPDX-License-Identifier: Apache-2.0
// Named sets of List documents: strings by keyed hash, addresses as sorted ranges, countries as bits, ASNs
// sorted.
#ifndef POLICY_LISTS_H
#define POLICY_LISTS_H

#include "cel/cel.h"
#include "policy/table.h"

struct lists_v4 {
    uint32_t from, to;
};

struct lists_v6 {
    uint64_t from[2], to[2]; // high half first
};

#define LISTS_COUNTRIES (26 * 26)

struct lists_set {
    struct str name;
    enum cel_set_kind kind;
    bool missing;       // its file could not be read
    int64_t max_age_ms; // 0: never stale
    bool dated;
    int64_t updated_ms; // as the document says, or when the snapshot was loaded
    struct table strings;
    struct lists_v4 *v4; // sorted, apart
    struct lists_v6 *v6;
    uint32_t *asns; // sorted
    size_t v4_count, v6_count, asn_count, entries;
    uint64_t countries[LISTS_COUNTRIES / 64 + 1];
};

// Adds one entry as its text says; SYNTAX where it is none of the set's kind. There must be room for it:
// see lists_room. `lists_sort` after the last.
MUST_USE enum pdp_err lists_room(struct lists_set *set, size_t entries, struct hash_key seed,
                                 struct arena *arena);
MUST_USE enum pdp_err lists_add(struct lists_set *set, struct str text);
void lists_sort(struct lists_set *set);

// UNSURE for a value that cannot be of the list's kind, and for a list that is missing or stale.
enum truth lists_contains(const struct lists_set *set, const struct value *value, int64_t now_ms);

#endif
