// SPDX-License-Identifier: Apache-2.0
// Which rules can matter for a question: each rule lies under the texts that one attribute must have for it.
//
// A rule that is not given is certainly no: its attribute was there, was text, and was another text. Where
// the attribute is missing or no text, all rules of its dimension are given whose unsure counts.
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include "policy/set.h"

#define INDEX_ACTION UINT32_MAX // in place of a slot
#define INDEX_PATH (UINT32_MAX - 1)
#define INDEX_SLOTS_MAX 8   // dimensions beside action and path: each costs every question a look
#define INDEX_SLOT_USES 4   // rules that must gain by one
#define INDEX_PREFIX_MAX 63 // bytes of a prefix; a longer one is cut
#define INDEX_PART_LEAST 3  // bytes of a part of a text; a shorter one is no key
#define INDEX_PART_MAX 8    // a longer one is cut
#define INDEX_TEXT_MAX \
    2048 // of a longer text no parts are looked up, and of a longer list no elements: all rules
         // of the dimension are given
#define INDEX_LIST_MAX 256

enum index_key {
    INDEX_WHOLE,
    INDEX_PREFIX,
    INDEX_PART, // anywhere in the text
};

struct index_list { // of postings
    uint32_t from, count;
};

struct index_entry {
    const char *key; // NULL in a free place
    uint32_t len;
    uint8_t kind; // enum index_key
    struct index_list list;
};

struct index_dim {
    uint32_t slot;
    bool elements;           // keys are elements of a list, not texts
    uint64_t prefix_lengths; // bit n: there is a prefix of n bytes
    uint64_t part_lengths;   // likewise
    uint32_t exact_most;     // bytes of the longest exact key
    struct index_entry *entries;
    size_t mask;
    struct index_list missing, missing_allows;
};

struct index {
    uint64_t seed;
    struct index_dim *dims;
    size_t dim_count;
    const uint32_t *postings; // each list ascends
    struct index_list always;
    uint32_t items, indexed;
};

// What is put in an index, numbered by its place.
struct index_item {
    uint32_t exprs[2]; // both must hold; SET_NO_EXPR: nothing
    const struct str *actions;
    const struct glob *resources;
    uint32_t action_count, resource_count;
    bool unsure_counts; // false for a plain allow, which an unsure condition makes nothing
};
MUST_USE enum pdp_err index_build(const struct index_item *items, uint32_t count,
                                  const struct policy_set *set, struct index **out);

// Memory for asking: a list of all items, and a bit for each (all zero between calls).
struct index_scratch {
    uint32_t *list;
    uint64_t *bits;
};
// Writes the candidates in ascending order to scratch->list; returns how many. `allows`: also those plain
// allows whose attribute is missing. *skipped: there are some, and they were left out.
size_t index_ask(const struct index *index, struct index_scratch *scratch, struct cel_frame *frame,
                 const struct policy_question *question, bool allows, bool *skipped);

// The hash of a key, byte by byte; `index_hash_end` tells the kinds of keys apart.
static inline uint64_t index_hash_byte(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * UINT64_C(0x100000001b3);
}

static inline uint64_t index_hash_end(uint64_t hash, enum index_key kind)
{
    hash = (hash ^ (kind * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

#endif
