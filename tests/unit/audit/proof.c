// SPDX-License-Identifier: Apache-2.0
#include "audit/proof.h"

#include <criterion/criterion.h>

enum {
    LEAVES = 11
};

struct log {
    struct merkle_hash hashes[2 * LEAVES];
    uint64_t count;
    struct merkle tree;
    struct note_key key;
    struct buf checkpoint;
};

static enum pdp_err read_hash(void *user, uint64_t at, struct merkle_hash *out)
{
    *out = ((struct log *)user)->hashes[at];
    return PDP_ERR_OK;
}

static struct str record(size_t i)
{
    return str_sub(STR("records of a log: some bytes"), 0, i + 3);
}

static void fill(struct log *log)
{
    uint8_t seed[ED25519_SEED_BYTES] = {1}, key[ED25519_KEY_BYTES];
    *log = (struct log){0};
    for (size_t i = 0; i < LEAVES; i++) {
        struct merkle_hash leaf, stored[MERKLE_LEVELS];
        size_t count;
        cr_assert_eq(merkle_leaf(record(i), &leaf), PDP_ERR_OK);
        cr_assert_eq(merkle_add(&log->tree, &leaf, stored, &count), PDP_ERR_OK);
        memcpy(log->hashes + log->count, stored, count * sizeof *stored);
        log->count += count;
    }
    struct checkpoint checkpoint = {.origin = STR("log.example"), .size = LEAVES};
    AUTO(buf_fini) struct buf text = {0};
    cr_assert_eq(merkle_root(&log->tree, &checkpoint.root), PDP_ERR_OK);
    cr_assert_eq(ed25519_public(seed, key), PDP_ERR_OK);
    cr_assert_eq(note_key_of(checkpoint.origin, key, &log->key), PDP_ERR_OK);
    checkpoint_write(&checkpoint, &text);
    cr_assert_eq(note_sign(buf_view(&text), &log->key, seed, &log->checkpoint), PDP_ERR_OK);
}

static void receipt(struct log *log, size_t i, struct buf *out)
{
    struct proof proof = {.index = i, .checkpoint = buf_view(&log->checkpoint)};
    struct merkle_store store = {read_hash, log};
    cr_assert_eq(merkle_inclusion(&store, i, LEAVES, &proof.inclusion), PDP_ERR_OK);
    proof_write(&proof, out);
}

Test(audit_proof, a_receipt_shows_its_record_alone)
{
    struct log log;
    fill(&log);
    for (size_t i = 0; i < LEAVES; i++) {
        AUTO(buf_fini) struct buf text = {0};
        struct proof proof;
        struct checkpoint checkpoint;
        receipt(&log, i, &text);
        cr_assert_eq(proof_read(buf_view(&text), &proof), PDP_ERR_OK);
        for (size_t k = 0; k < LEAVES; k++) {
            enum pdp_err err = proof_check(&proof, record(k), &log.key, 1, &checkpoint);
            cr_expect_eq(err, k == i ? PDP_ERR_OK : PDP_ERR_CORRUPT, "%zu as %zu", i, k);
            cr_expect_eq(checkpoint.size, k == i ? LEAVES : 0);
        }
    }
    buf_fini(&log.checkpoint);
}

Test(audit_proof, a_changed_bit_is_seen)
{
    struct log log;
    AUTO(buf_fini) struct buf text = {0};
    fill(&log);
    receipt(&log, 6, &text);
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        struct proof proof;
        struct checkpoint checkpoint;
        text.at[bit / 8] ^= (unsigned char)(1U << bit % 8);
        cr_expect(proof_read(buf_view(&text), &proof) != PDP_ERR_OK ||
                      proof_check(&proof, record(6), &log.key, 1, &checkpoint) != PDP_ERR_OK,
                  "bit %zu", bit);
        text.at[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    for (size_t len = 0; len < text.len; len++) {
        struct proof proof;
        struct checkpoint checkpoint;
        cr_expect(proof_read(str_sub(buf_view(&text), 0, len), &proof) != PDP_ERR_OK ||
                      proof_check(&proof, record(6), &log.key, 1, &checkpoint) != PDP_ERR_OK,
                  "%zu bytes", len);
    }
    buf_fini(&log.checkpoint);
}
