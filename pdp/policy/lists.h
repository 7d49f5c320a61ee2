// SPDX-License-Identifier: Apache-2.0
// Named sets of List documents: strings by keyed hash, prefixes and AS numbers sorted, countries as bits. A
// set is immutable once it is built, owns its memory, and is shared by the snapshots that read the same file.
#ifndef POLICY_LISTS_H
#define POLICY_LISTS_H

#include "base/hash.h"
#include "cel/cel.h"
#include "policy/policy.h"
#include "policy/rank.h"

#include <stdatomic.h>

#define LISTS_COUNTRIES (26 * 26)
#define LISTS_ENTRY_MAX 4096 // bytes of one entry
#define LISTS_SHA_BYTES 32
#define LISTS_AHEAD_MS INT64_C(300000) // an `updated` further ahead than this says nothing of a list's age
#define LISTS_UNKNOWN INT64_MIN        // a time that nobody has told

struct networks_class; // policy/networks.h

// What the document says of a list. A set keeps copies of the texts.
struct lists_head {
    struct str name, file; // file is empty: its entries stand in the document
    enum cel_set_kind kind;
    int64_t max_age_ms;                   // 0: never stale
    struct str version;                   // of the document; empty: none
    int64_t updated_ms;                   // LISTS_UNKNOWN: the document does not say
    const struct networks_class *network; // of which its members are; NULL: it says no class
    bool ordered;                         // its strings are walked in order, as ids of entities
};

// Strings in one block, each behind its length in two bytes, found by a table of their places.
struct lists_slot {
    uint32_t tag; // of the hash
    uint32_t at;  // place in the block, and 1; 0: free
};
struct lists_strings {
    unsigned char *block;
    struct lists_slot *slots;
    uint32_t block_len, cap;
    struct hash_key seed;
};

struct lists_set {
    atomic_uint holders;
    struct arena arena; // of all that it holds
    struct lists_head head;
    bool missing;       // its file could not be read
    struct str version; // of the file, else of the document
    int64_t updated_ms; // likewise
    int64_t loaded_ms;
    uint8_t sha256[LISTS_SHA_BYTES]; // of the file
    atomic_llong refused_ms;         // when a newer file was last refused; 0: never
    size_t entries;                  // as they are written, each time they are

    struct lists_strings strings;
    const unsigned char **ordered; // strings that can be ids, by their bytes; NULL: not asked for, or none is
    uint32_t ordered_count;
    struct rank32 v4; // the outermost prefixes: none lies in another
    struct rank128 v6;
    const uint8_t *v4_bits, *v6_bits; // of each prefix
    struct rank32 asns;
    uint64_t countries[LISTS_COUNTRIES / 64 + 1];
};

// ---- Building (lists_build.c)

// An empty set with one holder. *out NULL on failure.
MUST_USE enum pdp_err lists_new(const struct lists_head *head, struct lists_set **out);
struct lists_set *lists_hold(struct lists_set *set); // one holder more; any thread
void lists_free(struct lists_set **set);             // one less; the last one frees it. Any thread

struct lists_v6 {
    struct rank_key128 base;
    uint8_t bits;
};

// Entries on their way into a set; what it takes meanwhile is in an arena of its own.
struct lists_building {
    struct lists_set *set;
    struct arena arena;
    uint64_t *v4; // base and bits
    struct lists_v6 *v6;
    uint32_t *asns;
    size_t v4_count, v6_count, asn_count;
};

// Room for `entries` entries of `bytes` bytes in all. lists_building_fini in any case.
MUST_USE enum pdp_err lists_begin(struct lists_building *building, struct lists_set *set, size_t entries,
                                  size_t bytes, struct hash_key seed);
// SYNTAX where the text is none of the set's kind, LIMIT where it is too long, RANGE where it holds a control
// character, UTF8.
MUST_USE enum pdp_err lists_add(struct lists_building *building, struct str text);
MUST_USE enum pdp_err lists_end(struct lists_building *building);
void lists_building_fini(struct lists_building *building);

// ---- In order (lists_order.c)

// From now on the strings can be walked by their bytes, also when its file is read anew. Before the set is
// shared. Those that are empty or longer than an id are left out.
MUST_USE enum pdp_err lists_order(struct lists_set *set);
// The string at a place of that order, below ordered_count.
struct str lists_ordered_at(const struct lists_set *set, uint32_t place);

size_t lists_bytes(const struct lists_set *set); // that it takes in memory

// ---- Asking (lists.c)

// What an entry or a value means; false where it is none of the kind.
bool lists_country(struct str text, unsigned *out);
bool lists_asn(struct str text, uint32_t *out);
uint32_t lists_v4(const struct ip *ip);
struct rank_key128 lists_v6_key(const struct ip *ip);
// The place of a text among the strings: its slot, or the free one where it would stand.
struct lists_slot *lists_slot(const struct lists_strings *strings, struct str text, uint32_t *tag);

// UNSURE for a value that cannot be of the list's kind, and for a list that is missing or stale.
enum truth lists_contains(const struct lists_set *set, const struct value *value, int64_t now_ms);
// Missing, too old, of unknown age, or from the future.
bool lists_stale(const struct lists_set *set, int64_t now_ms);
// The first time after now at which lists_stale changes; INT64_MAX: never by time alone.
int64_t lists_until(const struct lists_set *set, int64_t now_ms);

// ---- Files (lists_file.c)

// Reads the text of a list's file, which must live as long as `diags` show it: the header, then an entry a
// line. Mistakes go to `diags`; the first error is returned, with *out NULL.
MUST_USE enum pdp_err lists_file_read(const struct lists_head *head, const struct source *source,
                                      struct hash_key seed, struct diags *diags, struct lists_set **out);
// The text of a file that a document names, as a source that lives as long as `diags`. The error says why
// not.
MUST_USE enum pdp_err lists_file_find(const struct policy_files *files, struct str path, struct diags *diags,
                                      const struct source **out);
// Says that a text is no entry: for files and documents.
void lists_refuse(enum pdp_err err, enum cel_set_kind kind, struct str text, struct place place,
                  struct diags *diags);

// Warns of an entry that is one and is hardly meant: `UK` among countries.
void lists_doubt(enum cel_set_kind kind, struct str text, struct place place, struct diags *diags);

// ---- All of a snapshot (lists_all.c)

struct policy_lists {
    size_t count;
    struct networks *networks; // of those that say a class; NULL: none does
    struct lists_set *at[];    // by the id of their declaration; NULL: refused with its document
};
MUST_USE enum pdp_err lists_all_new(size_t count, struct policy_lists **out);

#endif
