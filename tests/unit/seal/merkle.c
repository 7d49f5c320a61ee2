// SPDX-License-Identifier: Apache-2.0
// Values of RFC 6962's rules; proofs of all small trees, and that wrong ones fail.
#include "seal/merkle.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
    SMALL = 70 // leaves of the largest tree whose proofs are all tried
};

struct hashes {
    struct merkle_hash *at;
    uint64_t count, fails_at;
};

static enum pdp_err read_hash(void *user, uint64_t at, struct merkle_hash *out)
{
    struct hashes *hashes = user;
    if (at >= hashes->count || at == hashes->fails_at) {
        return PDP_ERR_IO;
    }
    *out = hashes->at[at];
    return PDP_ERR_OK;
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

// Does the hash begin as the digits say?
static bool is_hex(const struct merkle_hash *hash, const char *hex)
{
    bool same = true;
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        same = same && hash->at[i] == hex_digit(hex[2 * i]) * 16 + hex_digit(hex[2 * i + 1]);
    }
    return same;
}

Test(seal_merkle, hashes_as_the_rfc_has_it)
{
    struct merkle_hash hash;
    cr_assert_eq(merkle_root(&(struct merkle){0}, &hash), PDP_ERR_OK);
    cr_expect(is_hex(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    cr_assert_eq(merkle_leaf(STR(""), &hash), PDP_ERR_OK);
    cr_expect(is_hex(&hash, "6e340b9c") && hash.at[30] == 0xa0 && hash.at[31] == 0x1d);
    cr_assert_eq(merkle_leaf(STR("L123456"), &hash), PDP_ERR_OK);
    cr_expect(is_hex(&hash, "395aa064") && hash.at[30] == 0x4d && hash.at[31] == 0x56);
}

// A node over children of any length is not what the tree does; its rule is the same.
Test(seal_merkle, a_node_is_one_and_both_children)
{
    uint8_t digest[SEAL_BYTES];
    cr_assert_eq(seal_sha256("\x01N123N456", 9, digest), PDP_ERR_OK);
    cr_expect(digest[0] == 0xaa && digest[1] == 0x21 && digest[30] == 0x6b && digest[31] == 0xbb);
    struct merkle_hash left = {{1}}, right = {{2}}, node;
    uint8_t bytes[1 + 2 * SEAL_BYTES] = {1};
    memcpy(bytes + 1, left.at, SEAL_BYTES);
    memcpy(bytes + 1 + SEAL_BYTES, right.at, SEAL_BYTES);
    cr_assert_eq(seal_sha256(bytes, sizeof bytes, digest), PDP_ERR_OK);
    cr_assert_eq(merkle_node(&left, &right, &node), PDP_ERR_OK);
    cr_expect(memcmp(node.at, digest, SEAL_BYTES) == 0);
}

Test(seal_merkle, roots_of_one_to_eight_leaves)
{
    static const struct str LEAVES[8] = {
        {"", 0},
        {"\x00", 1},
        {"\x10", 1},
        {"\x20\x21", 2},
        {"\x30\x31", 2},
        {"\x40\x41\x42\x43", 4},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
    };
    static const char *const ROOTS[8] = {
        "6e340b9c", "fac54203",
        "aeb6bcfe", "d37ee418",
        "4e3bbb1f", "76e67dad",
        "ddb89be4", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct merkle tree = {0};
    for (size_t i = 0; i < 8; i++) {
        struct merkle_hash leaf, root, stored[MERKLE_LEVELS];
        size_t count;
        cr_assert_eq(merkle_leaf(LEAVES[i], &leaf), PDP_ERR_OK);
        cr_assert_eq(merkle_add(&tree, &leaf, stored, &count), PDP_ERR_OK);
        cr_assert_eq(merkle_root(&tree, &root), PDP_ERR_OK);
        cr_expect(is_hex(&root, ROOTS[i]), "%zu leaves", i + 1);
    }
}

// RFC 6962 §2.1 word by word: the root over leaves from..to-1.
static struct merkle_hash plain_root(const struct merkle_hash *leaves, size_t from, size_t to)
{
    struct merkle_hash out;
    if (to - from == 1) {
        return leaves[from];
    }
    size_t k = 1;
    while (k * 2 < to - from) {
        k *= 2;
    }
    struct merkle_hash left = plain_root(leaves, from, from + k), right = plain_root(leaves, from + k, to);
    cr_assert_eq(merkle_node(&left, &right, &out), PDP_ERR_OK);
    return out;
}

struct forest {
    struct merkle_hash leaves[SMALL], roots[SMALL + 1];
    struct merkle_hash kept[2 * SMALL];
    struct hashes hashes;
    struct merkle_store store;
};

static void grow(struct forest *forest)
{
    struct merkle tree = {0};
    forest->hashes = (struct hashes){.at = forest->kept, .fails_at = UINT64_MAX};
    forest->store = (struct merkle_store){read_hash, &forest->hashes};
    for (size_t i = 0; i < SMALL; i++) {
        unsigned char byte = (unsigned char)i;
        struct merkle_hash stored[MERKLE_LEVELS];
        size_t count;
        cr_assert_eq(merkle_leaf((struct str){(const char *)&byte, 1}, &forest->leaves[i]), PDP_ERR_OK);
        cr_assert_eq(merkle_add(&tree, &forest->leaves[i], stored, &count), PDP_ERR_OK);
        memcpy(forest->kept + forest->hashes.count, stored, count * sizeof *stored);
        forest->hashes.count += count;
        cr_expect_eq(forest->hashes.count, merkle_stored_count(i + 1));
        cr_assert_eq(merkle_root(&tree, &forest->roots[i + 1]), PDP_ERR_OK);
    }
}

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a->at, b->at, sizeof a->at) == 0;
}

Test(seal_merkle, the_growing_tree_is_the_plain_one)
{
    struct forest *forest = calloc(1, sizeof *forest);
    grow(forest);
    for (size_t size = 1; size <= SMALL; size++) {
        struct merkle_hash root = plain_root(forest->leaves, 0, size), again;
        struct merkle tree;
        cr_expect(same(&root, &forest->roots[size]), "%zu leaves", size);
        cr_assert_eq(merkle_load(&forest->store, size, &tree), PDP_ERR_OK);
        cr_assert_eq(merkle_root(&tree, &again), PDP_ERR_OK);
        cr_expect(same(&root, &again), "%zu leaves, loaded", size);
    }
    free(forest);
}

static void break_inclusion(const struct forest *forest, size_t i, size_t size, struct merkle_proof proof)
{
    const struct merkle_hash *leaf = &forest->leaves[i], *root = &forest->roots[size];
    struct merkle_hash other = *root;
    other.at[31] ^= 1;
    cr_expect(!merkle_included(leaf, i, size, &proof, &other));
    cr_expect(!merkle_included(&forest->leaves[(i + 1) % SMALL], i, size, &proof, root));
    for (size_t k = 0; k < size; k++) {
        cr_expect(k == i || !merkle_included(leaf, k, size, &proof, root), "%zu of %zu at %zu", i, size, k);
    }
    cr_expect(!merkle_included(leaf, size, size, &proof, root));
    for (size_t k = 0; k < proof.count; k++) {
        proof.path[k].at[k % SEAL_BYTES] ^= 0x10;
        cr_expect(!merkle_included(leaf, i, size, &proof, root));
        proof.path[k].at[k % SEAL_BYTES] ^= 0x10;
    }
    proof.path[proof.count++] = other;
    cr_expect(!merkle_included(leaf, i, size, &proof, root), "one hash too many");
    if (proof.count >= 2) {
        proof.count -= 2;
        cr_expect(!merkle_included(leaf, i, size, &proof, root), "one hash too few");
    }
}

Test(seal_merkle, every_leaf_of_every_small_tree)
{
    struct forest *forest = calloc(1, sizeof *forest);
    struct merkle_proof *proof = calloc(1, sizeof *proof);
    grow(forest);
    for (size_t size = 1; size <= SMALL; size++) {
        for (size_t i = 0; i < size; i++) {
            cr_assert_eq(merkle_inclusion(&forest->store, i, size, proof), PDP_ERR_OK);
            cr_expect(merkle_included(&forest->leaves[i], i, size, proof, &forest->roots[size]), "%zu of %zu",
                      i, size);
            if (size < 20) {
                break_inclusion(forest, i, size, *proof);
            }
        }
        cr_expect_eq(merkle_inclusion(&forest->store, size, size, proof), PDP_ERR_RANGE);
    }
    free(proof);
    free(forest);
}

static void break_consistency(const struct forest *forest, size_t from, size_t to, struct merkle_proof proof)
{
    const struct merkle_hash *old = &forest->roots[from], *new = &forest->roots[to];
    struct merkle_hash other = *new;
    other.at[0] ^= 0x80;
    cr_expect(!merkle_consistent(from, old, to, &other, &proof));
    cr_expect(!merkle_consistent(from, &other, to, new, &proof));
    cr_expect(!merkle_consistent(0, old, to, new, &proof) &&
              !merkle_consistent(to + 1, old, to, new, &proof));
    for (size_t k = 1; k <= to; k++) {
        cr_expect(k == from || !merkle_consistent(k, old, to, new, &proof), "%zu to %zu as %zu", from, to, k);
    }
    for (size_t k = 0; k < proof.count; k++) {
        proof.path[k].at[k % SEAL_BYTES] ^= 1;
        cr_expect(!merkle_consistent(from, old, to, new, &proof));
        proof.path[k].at[k % SEAL_BYTES] ^= 1;
    }
    proof.path[proof.count++] = other;
    cr_expect(!merkle_consistent(from, old, to, new, &proof), "one hash too many");
    if (proof.count >= 2) {
        proof.count -= 2;
        cr_expect(!merkle_consistent(from, old, to, new, &proof), "one hash too few");
    }
}

Test(seal_merkle, every_pair_of_small_trees)
{
    struct forest *forest = calloc(1, sizeof *forest);
    struct merkle_proof *proof = calloc(1, sizeof *proof);
    grow(forest);
    for (size_t to = 1; to <= SMALL; to++) {
        for (size_t from = 1; from <= to; from++) {
            cr_assert_eq(merkle_consistency(&forest->store, from, to, proof), PDP_ERR_OK);
            cr_expect(merkle_consistent(from, &forest->roots[from], to, &forest->roots[to], proof),
                      "%zu to %zu", from, to);
            if (to < 20) {
                break_consistency(forest, from, to, *proof);
            }
        }
        cr_expect_eq(merkle_consistency(&forest->store, 0, to, proof), PDP_ERR_RANGE);
        cr_expect_eq(merkle_consistency(&forest->store, to + 1, to, proof), PDP_ERR_RANGE);
    }
    free(proof);
    free(forest);
}

Test(seal_merkle, a_store_that_fails_is_no_proof)
{
    struct forest *forest = calloc(1, sizeof *forest);
    struct merkle_proof *proof = calloc(1, sizeof *proof);
    struct merkle tree;
    grow(forest);
    size_t failed = 0;
    for (uint64_t at = 0; at < merkle_stored_count(13); at++) {
        forest->hashes.fails_at = at;
        failed += merkle_inclusion(&forest->store, 5, 13, proof) == PDP_ERR_IO && proof->count == 0;
        failed += merkle_consistency(&forest->store, 6, 13, proof) == PDP_ERR_IO && proof->count == 0;
        failed += merkle_load(&forest->store, 13, &tree) == PDP_ERR_IO && tree.size == 0;
    }
    cr_expect_gt(failed, 10);
    free(proof);
    free(forest);
}
