// SPDX-License-Identifier: Apache-2.0
#include "audit/note.h"

#include <criterion/criterion.h>

#define MESSAGE "This is an example message.\n"
#define DASH "\xe2\x80\x94"
#define EXAMPLE                           \
    MESSAGE "\n" DASH " example.com/foo " \
            "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
static const char VKEY[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char SOFA[] =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

// The key of C2SP's example, and one of ours.
static void two_keys(struct note_key keys[2], uint8_t seed[static ED25519_SEED_BYTES])
{
    uint8_t key[ED25519_KEY_BYTES];
    cr_assert_eq(note_key_read(str_of(VKEY), &keys[0]), PDP_ERR_OK);
    memset(seed, 3, ED25519_SEED_BYTES);
    cr_assert_eq(ed25519_public(seed, key), PDP_ERR_OK);
    cr_assert_eq(note_key_of(STR("log.example/audit"), key, &keys[1]), PDP_ERR_OK);
}

Test(audit_note, the_example_of_the_specification_verifies)
{
    struct note_key keys[2];
    uint8_t seed[ED25519_SEED_BYTES];
    struct str text;
    uint64_t signers;
    two_keys(keys, seed);
    cr_assert_eq(note_open(STR(EXAMPLE), keys, 2, &text, &signers), PDP_ERR_OK);
    cr_expect(str_eq(text, STR(MESSAGE)) && signers == 1);
    cr_expect_eq(note_open(STR(EXAMPLE), keys + 1, 1, &text, &signers), PDP_ERR_MISSING);
    cr_expect(text.len == 0 && signers == 0);
}

Test(audit_note, a_changed_bit_is_seen)
{
    char note[] = EXAMPLE;
    struct note_key key;
    struct str text;
    cr_assert_eq(note_key_read(str_of(VKEY), &key), PDP_ERR_OK);
    for (size_t bit = 0; bit < (sizeof note - 1) * 8; bit++) {
        note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
        cr_expect_neq(note_open(str_of(note), &key, 1, &text, NULL), PDP_ERR_OK, "bit %zu", bit);
        note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof note - 1; len++) {
        cr_expect_neq(note_open((struct str){note, len}, &key, 1, &text, NULL), PDP_ERR_OK, "%zu bytes", len);
    }
}

// While a key is replaced both sign, or readers know both.
Test(audit_note, an_old_and_a_new_key)
{
    struct note_key keys[2];
    uint8_t seed[ED25519_SEED_BYTES], key[ED25519_KEY_BYTES], other[ED25519_SEED_BYTES] = {5};
    two_keys(keys, seed);
    cr_assert_eq(ed25519_public(other, key), PDP_ERR_OK);
    cr_assert_eq(note_key_of(str_of(keys[1].name), key, &keys[0]), PDP_ERR_OK); // one name, two keys
    AUTO(buf_fini) struct buf old = {0}, new = {0};
    struct str text;
    uint64_t signers;
    cr_assert_eq(note_sign(str_of(SOFA), &keys[1], seed, &old), PDP_ERR_OK);
    cr_assert_eq(note_sign(str_of(SOFA), &keys[0], other, &new), PDP_ERR_OK);
    cr_expect(note_open(buf_view(&old), keys, 2, &text, &signers) == PDP_ERR_OK && signers == 2);
    cr_expect(note_open(buf_view(&new), keys, 2, &text, &signers) == PDP_ERR_OK && signers == 1);
    buf_str(&old, str_sub(buf_view(&new), strlen(SOFA) + 1, SIZE_MAX)); // both lines under one text
    cr_expect(note_open(buf_view(&old), keys, 2, &text, &signers) == PDP_ERR_OK && signers == 3);
    cr_expect(note_open(buf_view(&old), keys, 1, &text, &signers) == PDP_ERR_OK && signers == 1);
    old.at[strlen(SOFA) + 60] ^= 1; // a known key's signature that fails spoils all
    cr_expect_neq(note_open(buf_view(&old), keys, 2, &text, &signers), PDP_ERR_OK);
    cr_expect_eq(text.len, 0);
}

Test(audit_note, sixteen_strangers_are_passed_over)
{
    struct note_key keys[2];
    uint8_t seed[ED25519_SEED_BYTES];
    AUTO(buf_fini) struct buf note = {0};
    struct str text;
    two_keys(keys, seed);
    buf_str(&note, STR(MESSAGE "\n"));
    for (int i = 0; i < 16; i++) {
        buf_printf(&note, DASH " stranger%d AAAAAAAA\n", i);
    }
    buf_str(&note, str_sub(STR(EXAMPLE), sizeof MESSAGE, SIZE_MAX));
    cr_expect_eq(note_open(buf_view(&note), keys, 1, &text, NULL), PDP_ERR_OK);
}

Test(audit_note, no_note)
{
    static const char *const BAD[] = {"",
                                      "\n",
                                      "\n\n",
                                      "text\n",
                                      "text\n\n",
                                      "text\n\nx\n",
                                      "text\n\n" DASH " \n",
                                      "text\n\n" DASH " name\n",
                                      "text\n\n" DASH " name AAAA\n",
                                      "text\n\n" DASH " na+me AAAAAAAA\n",
                                      "text\n\n" DASH " name AAAAAAA\n",
                                      "te\txt\n\n" DASH " name AAAAAAAA\n",
                                      "text\n\n" DASH " name AAAAAAAA",
                                      "text\xff\n\n" DASH " name AAAAAAAA\n"};
    struct note_key key;
    struct str text;
    cr_assert_eq(note_key_read(str_of(VKEY), &key), PDP_ERR_OK);
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        cr_expect_eq(note_open(str_of(BAD[i]), &key, 1, &text, NULL), PDP_ERR_MALFORMED, "%zu", i);
    }
}

Test(audit_note, keys_have_one_form)
{
    struct note_key key;
    AUTO(buf_fini) struct buf text = {0};
    cr_assert_eq(note_key_read(str_of(VKEY), &key), PDP_ERR_OK);
    note_key_print(&key, &text);
    cr_expect(str_eq(buf_view(&text), str_of(VKEY)));
    char bad[sizeof VKEY];
    for (size_t i = 0; i < sizeof VKEY - 1; i++) {
        memcpy(bad, VKEY, sizeof VKEY);
        bad[i] = (char)(bad[i] ^ 1);
        cr_expect_eq(note_key_read(str_of(bad), &key), PDP_ERR_MALFORMED, "byte %zu", i);
    }
    cr_expect(!note_name_ok(STR("a b")) && !note_name_ok(STR("a+b")) && !note_name_ok(STR("")) &&
              !note_name_ok(STR("a\xc2\xa0")) && note_name_ok(STR("log.example/\xc3\xa4")));
}

Test(audit_note, checkpoints_have_one_form)
{
    struct checkpoint read;
    AUTO(buf_fini) struct buf text = {0};
    cr_assert_eq(checkpoint_read(str_of(SOFA), &read), PDP_ERR_OK);
    cr_expect(read.size == 20852163 && str_eq(read.origin, STR("example.com/behind-the-sofa")));
    checkpoint_write(&read, &text);
    cr_expect(str_eq(buf_view(&text), str_of(SOFA)));
    static const char *const BAD[] = {
        "",
        "o\n",
        "o\n1\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
        "o\n99999999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        cr_expect_eq(checkpoint_read(str_of(BAD[i]), &read), PDP_ERR_MALFORMED, "%zu", i);
        cr_expect(read.size == 0 && read.origin.len == 0);
    }
    cr_expect_eq(checkpoint_read(STR("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore\n"), &read),
                 PDP_ERR_OK);
}
