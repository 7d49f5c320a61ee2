// SPDX-License-Identifier: Apache-2.0
// Notes, checkpoints, keys and receipts from a stranger: never a crash, nothing unsigned is believed, and
// what is read has no second form.
#include "audit/proof.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void look_at_key(struct str input)
{
    struct note_key key;
    AUTO(buf_fini) struct buf again = {0};
    if (note_key_read(input, &key) == PDP_ERR_OK) {
        note_key_print(&key, &again);
        check(str_eq(buf_view(&again), input));
    }
}

static void look_at_checkpoint(struct str input)
{
    struct checkpoint checkpoint;
    AUTO(buf_fini) struct buf again = {0};
    if (checkpoint_read(input, &checkpoint) == PDP_ERR_OK) {
        checkpoint_write(&checkpoint, &again);
        check(str_starts(input, buf_view(&again)));
    }
}

static void look_at_proof(struct str input, const struct note_key *key)
{
    struct proof proof;
    struct checkpoint checkpoint;
    AUTO(buf_fini) struct buf again = {0};
    if (proof_read(input, &proof) == PDP_ERR_OK) {
        proof_write(&proof, &again);
        check(str_eq(buf_view(&again), input));
        (void)!proof_check(&proof, STR("record"), key, 1, &checkpoint);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str input = {(const char *)bytes, len}, text;
    struct note_key key;
    // Of C2SP's example: its note is in the corpus, and nothing else that it signed can be found.
    check(note_key_read(STR("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), &key) ==
          PDP_ERR_OK);
    if (note_open(input, &key, 1, &text, NULL) == PDP_ERR_OK) {
        check(str_eq(text, STR("This is an example message.\n")));
    }
    look_at_key(input);
    look_at_checkpoint(input);
    look_at_proof(input, &key);
    return 0;
}
