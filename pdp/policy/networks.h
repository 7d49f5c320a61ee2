// SPDX-License-Identifier: Apache-2.0
// Lists that say a class of network, compiled into one table for each kind of key: however many they are, an
// address is looked up once.
#ifndef POLICY_NETWORKS_H
#define POLICY_NETWORKS_H

#include "policy/lists.h"

#define NETWORKS_MOST 64 // lists that say a class: a bit each

// The names are those of `network:`. What a list says of an address in it.
struct networks_class {
    const char *name;
    uint32_t flags;   // SIGHT_…
    uint32_t decides; // of these it says too where an address is not in it
    bool relieves;    // it takes suspicion away: believed only of a list that is fresh
};
extern const struct networks_class NETWORKS_CLASSES[];
extern const char *const NETWORKS_NAMES[]; // of the same, in order; NULL at the end

enum networks_kind {
    NETWORKS_V4,
    NETWORKS_V6,
    NETWORKS_ASN,
    NETWORKS_KINDS
};

// From each key on, up to the next, the same lists hold. Immutable; counted by its holders, like a set.
struct networks_table {
    atomic_uint holders;
    struct arena arena; // of all that it holds
    struct rank32 keys32;
    struct rank128 keys128; // of V6
    const uint16_t *which;  // of each key: a place in `masks`
    const uint64_t *masks;  // bits of lists
    size_t mask_count, key_count;
};

// Of one policy_lists, whose sets it looks at.
struct networks {
    struct networks_table *tables[NETWORKS_KINDS]; // NULL: no list has such a key
    size_t count;
    const struct lists_set *sets[NETWORKS_MOST]; // by bit
    const struct networks_class *classes[NETWORKS_MOST];
    uint64_t aging;   // lists that may be missing or stale
    uint64_t of_asns; // lists of AS numbers
    uint32_t decides; // of all lists
};

// Compiles those of `lists`; *out NULL where none says a class. Tables in which nothing changed since `was`
// (NULL: none) are shared with it. LIMIT: more than NETWORKS_MOST lists, or 65,536 combinations of them.
MUST_USE enum pdp_err networks_build(const struct policy_lists *lists, const struct networks *was,
                                     struct networks **out);
void networks_free(struct networks **networks); // any thread

size_t networks_bytes(const struct networks *networks);

// ---- Asking (networks.c)

// The bits of the lists that hold an address, or an AS number.
uint64_t networks_of_ip(const struct networks *networks, const struct ip *ip);
uint64_t networks_of_asn(const struct networks *networks, uint32_t asn);

#endif
