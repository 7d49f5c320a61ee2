// SPDX-License-Identifier: Apache-2.0
#include "seal/merkle.h"

enum {
    LEAF_PREFIX = 0,
    NODE_PREFIX = 1
};

static enum pdp_err hash_parts(uint8_t prefix, struct str a, struct str b, struct merkle_hash *out)
{
    *out = (struct merkle_hash){0};
    AUTO(seal_hash_free) struct seal_hash *hash = NULL;
    TRY(seal_hash_new(&hash));
    seal_hash_add(hash, &prefix, 1);
    seal_hash_add(hash, a.at, a.len);
    seal_hash_add(hash, b.at, b.len);
    return seal_hash_end(hash, out->at);
}

static struct str text_of(const struct merkle_hash *hash)
{
    return (struct str){(const char *)hash->at, sizeof hash->at};
}

enum pdp_err merkle_leaf(struct str bytes, struct merkle_hash *out)
{
    return hash_parts(LEAF_PREFIX, bytes, (struct str){0}, out);
}

enum pdp_err merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
                         struct merkle_hash *out)
{
    struct merkle_hash made; // `out` may be one of the children
    enum pdp_err err = hash_parts(NODE_PREFIX, text_of(left), text_of(right), &made);
    *out = made;
    return err;
}

enum pdp_err merkle_add(struct merkle *tree, const struct merkle_hash *leaf,
                        struct merkle_hash stored[static MERKLE_LEVELS], size_t *count)
{
    *count = 0;
    if (tree->size >= MERKLE_SIZE_MAX) {
        return PDP_ERR_LIMIT;
    }
    size_t level = 0;
    stored[0] = *leaf;
    for (; (tree->size >> level & 1) != 0; level++) {
        TRY(merkle_node(&tree->node[level], &stored[level], &stored[level + 1]));
    }
    tree->node[level] = stored[level];
    tree->size++;
    *count = level + 1;
    return PDP_ERR_OK;
}

enum pdp_err merkle_root(const struct merkle *tree, struct merkle_hash *out)
{
    if (tree->size == 0) {
        return seal_sha256("", 0, out->at);
    }
    unsigned level = (unsigned)__builtin_ctzll(tree->size);
    struct merkle_hash root = tree->node[level];
    *out = (struct merkle_hash){0};
    for (level++; level < MERKLE_LEVELS; level++) {
        if ((tree->size >> level & 1) != 0) {
            TRY(merkle_node(&tree->node[level], &root, &root));
        }
    }
    *out = root;
    return PDP_ERR_OK;
}

// ---- Stored hashes -------------------------------------------------------------------------------

// Leaf number n brings itself and one more for every 1 at the end of n: 2n - popcount(n) before it.
uint64_t merkle_stored_count(uint64_t size)
{
    return 2 * size - (uint64_t)__builtin_popcountll(size);
}

uint64_t merkle_stored_at(unsigned level, uint64_t index)
{
    uint64_t last = ((index + 1) << level) - 1; // the leaf that made the subtree whole
    return merkle_stored_count(last) + level;
}

static uint64_t size_of_level(unsigned level)
{
    return UINT64_C(1) << level;
}

static unsigned top_level(uint64_t count)
{
    return 63U - (unsigned)__builtin_clzll(count);
}

enum pdp_err merkle_load(const struct merkle_store *store, uint64_t size, struct merkle *out)
{
    *out = (struct merkle){0};
    if (size > MERKLE_SIZE_MAX) {
        return PDP_ERR_RANGE;
    }
    struct merkle tree = {.size = size};
    uint64_t at = 0;
    for (unsigned level = MERKLE_LEVELS; level-- > 0;) {
        if ((size >> level & 1) != 0) {
            TRY(store->read(store->user, merkle_stored_at(level, at >> level), &tree.node[level]));
            at += size_of_level(level);
        }
    }
    *out = tree;
    return PDP_ERR_OK;
}

// The hash over leaves from..to - 1, where `from` is a multiple of the largest power of two in their number.
static enum pdp_err range_hash(const struct merkle_store *store, uint64_t from, uint64_t to,
                               struct merkle_hash *out)
{
    struct merkle part = {.size = to - from};
    for (unsigned level = MERKLE_LEVELS; level-- > 0;) {
        if ((part.size >> level & 1) != 0) {
            TRY(store->read(store->user, merkle_stored_at(level, from >> level), &part.node[level]));
            from += size_of_level(level);
        }
    }
    return merkle_root(&part, out);
}

// The largest power of two below count, which is at least 2.
static uint64_t split(uint64_t count)
{
    return size_of_level(top_level(count - 1));
}

// Proofs are found from the root down and told from the leaf up.
static void turn_around(struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct merkle_hash kept = proof->path[i];
        proof->path[i] = proof->path[proof->count - 1 - i];
        proof->path[proof->count - 1 - i] = kept;
    }
}

enum pdp_err merkle_inclusion(const struct merkle_store *store, uint64_t index, uint64_t size,
                              struct merkle_proof *out)
{
    out->count = 0;
    if (index >= size || size > MERKLE_SIZE_MAX) {
        return PDP_ERR_RANGE;
    }
    struct merkle_proof proof;
    proof.count = 0;
    for (uint64_t from = 0, to = size; to - from > 1;) {
        uint64_t middle = from + split(to - from);
        bool left = index < middle;
        TRY(range_hash(store, left ? middle : from, left ? to : middle, &proof.path[proof.count]));
        proof.count++;
        from = left ? from : middle;
        to = left ? middle : to;
    }
    turn_around(&proof);
    *out = proof;
    return PDP_ERR_OK;
}

enum pdp_err merkle_consistency(const struct merkle_store *store, uint64_t from, uint64_t to,
                                struct merkle_proof *out)
{
    out->count = 0;
    if (from == 0 || from > to || to > MERKLE_SIZE_MAX) {
        return PDP_ERR_RANGE;
    }
    struct merkle_proof proof;
    proof.count = 0;
    uint64_t low = 0, high = to;
    while (high > from) { // the old tree ends within low..high
        uint64_t middle = low + split(high - low);
        bool left = from <= middle;
        TRY(range_hash(store, left ? middle : low, left ? high : middle, &proof.path[proof.count]));
        proof.count++;
        low = left ? low : middle;
        high = left ? middle : high;
    }
    if (low != 0) { // else the verifier has it: it is the old root
        TRY(range_hash(store, low, high, &proof.path[proof.count]));
        proof.count++;
    }
    turn_around(&proof);
    *out = proof;
    return PDP_ERR_OK;
}

// ---- Verification --------------------------------------------------------------------------------

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a->at, b->at, sizeof a->at) == 0;
}

// Where a walk from a leaf to the root stands: number of the node and of the last one, on the level reached.
struct climb {
    uint64_t node, last;
};

// Does the next hash of a proof stand on the left?
static bool on_left(const struct climb *climb)
{
    return (climb->node & 1) != 0 || climb->node == climb->last;
}

// A node without a right sibling goes up unchanged until it has a left one.
static void climb_up(struct climb *climb)
{
    while ((climb->node & 1) == 0 && climb->node != 0) {
        climb->node >>= 1;
        climb->last >>= 1;
    }
}

bool merkle_included(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
                     const struct merkle_proof *proof, const struct merkle_hash *root)
{
    if (index >= size || proof->count > MERKLE_PROOF_MAX) {
        return false;
    }
    struct climb climb = {index, size - 1};
    struct merkle_hash hash = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        const struct merkle_hash *next = &proof->path[i];
        bool left = on_left(&climb);
        if (climb.last == 0 || merkle_node(left ? next : &hash, left ? &hash : next, &hash) != PDP_ERR_OK) {
            return false;
        }
        if (left) {
            climb_up(&climb);
        }
        climb.node >>= 1;
        climb.last >>= 1;
    }
    return climb.last == 0 && same(&hash, root);
}

// From the node at which the proof begins up to both roots.
static bool climb_both(struct climb climb, const struct merkle_hash *begin, const struct merkle_hash *path,
                       size_t count, struct merkle_hash *old_root, struct merkle_hash *new_root)
{
    *old_root = *begin;
    *new_root = *begin;
    for (size_t i = 0; i < count; i++) {
        bool left = on_left(&climb);
        if (climb.last == 0 || (left && merkle_node(&path[i], old_root, old_root) != PDP_ERR_OK) ||
            merkle_node(left ? &path[i] : new_root, left ? new_root : &path[i], new_root) != PDP_ERR_OK) {
            return false;
        }
        if (left) {
            climb_up(&climb);
        }
        climb.node >>= 1;
        climb.last >>= 1;
    }
    return climb.last == 0;
}

bool merkle_consistent(uint64_t from, const struct merkle_hash *from_root, uint64_t to,
                       const struct merkle_hash *to_root, const struct merkle_proof *proof)
{
    if (from == 0 || from > to || proof->count > MERKLE_PROOF_MAX) {
        return false;
    }
    if (from == to) {
        return proof->count == 0 && same(from_root, to_root);
    }
    bool whole = (from & (from - 1)) == 0; // the old tree is one whole subtree: its root begins the proof
    if (proof->count == 0) {
        return false;
    }
    struct climb climb = {from - 1, to - 1};
    while ((climb.node & 1) != 0) {
        climb.node >>= 1;
        climb.last >>= 1;
    }
    struct merkle_hash old_root, new_root;
    size_t skip = whole ? 0 : 1;
    return climb_both(climb, whole ? from_root : &proof->path[0], proof->path + skip, proof->count - skip,
                      &old_root, &new_root) &&
           same(&old_root, from_root) && same(&new_root, to_root);
}
