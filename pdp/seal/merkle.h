// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of RFC 6962 over leaves in order: root, proofs from stored hashes, and their verification.
#ifndef SEAL_MERKLE_H
#define SEAL_MERKLE_H

#include "seal/seal.h"

#define MERKLE_LEVELS 63     // of a tree; sizes are below 2^63
#define MERKLE_PROOF_MAX 128 // hashes of any proof
#define MERKLE_SIZE_MAX (UINT64_C(1) << 62)

struct merkle_hash {
    uint8_t at[SEAL_BYTES];
};

// What a growing tree has to remember. Zeroed, it is the empty tree.
struct merkle {
    uint64_t size;
    struct merkle_hash
        node[MERKLE_LEVELS]; // [l]: of the last whole subtree of 2^l leaves, where bit l of size is set
};

// Any thread may call all of these; they keep nothing. Errors are those of seal/seal.h, with outputs zeroed.

// SHA-256 of 0x00 and the bytes; of 0x01 and both children.
MUST_USE enum pdp_err merkle_leaf(struct str bytes, struct merkle_hash *out);
MUST_USE enum pdp_err merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
                                  struct merkle_hash *out);

// Adds a leaf by its hash. `stored` gets what a store appends: the leaf, then each subtree that it made
// whole. On failure the tree is as it was. LIMIT at MERKLE_SIZE_MAX.
MUST_USE enum pdp_err merkle_add(struct merkle *tree, const struct merkle_hash *leaf,
                                 struct merkle_hash stored[static MERKLE_LEVELS], size_t *count);
MUST_USE enum pdp_err merkle_root(const struct merkle *tree, struct merkle_hash *out);

// ---- Stored hashes: those that merkle_add gave, one after the other ------------------------------

// How many there are of a tree of `size` leaves, and where that of a whole subtree stands: the one of 2^level
// leaves from leaf index << level on.
uint64_t merkle_stored_count(uint64_t size);
uint64_t merkle_stored_at(unsigned level, uint64_t index);

struct merkle_store {
    enum pdp_err (*read)(void *user, uint64_t at, struct merkle_hash *out);
    void *user;
};

struct merkle_proof {
    size_t count;
    struct merkle_hash path[MERKLE_PROOF_MAX];
};

// Each reads O(log size) hashes, O(log² size) for proofs, and passes the store's errors on. RANGE where there
// is no such leaf or tree. The store must hold a tree of at least `size` leaves.
MUST_USE enum pdp_err merkle_load(const struct merkle_store *store, uint64_t size, struct merkle *out);
MUST_USE enum pdp_err merkle_inclusion(const struct merkle_store *store, uint64_t index, uint64_t size,
                                       struct merkle_proof *out);
MUST_USE enum pdp_err merkle_consistency(const struct merkle_store *store, uint64_t from, uint64_t to,
                                         struct merkle_proof *out);

// Does the proof hold? false too where hashing fails. A tree of no leaves proves nothing.
bool merkle_included(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
                     const struct merkle_proof *proof, const struct merkle_hash *root);
bool merkle_consistent(uint64_t from, const struct merkle_hash *from_root, uint64_t to,
                       const struct merkle_hash *to_root, const struct merkle_proof *proof);

#endif
