// SPDX-License-Identifier: Apache-2.0
#include "seal/aead.h"
#include "seal/ed25519.h"

#include <criterion/criterion.h>

// NIST's GCM test case 16 without its bound text has no use here: what matters is that nothing passes
// changed.
Test(seal_aead, nothing_passes_changed)
{
    uint8_t key[AEAD_KEY_BYTES] = {7}, nonce[AEAD_NONCE_BYTES] = {9};
    AUTO(buf_fini) struct buf sealed = {0}, plain = {0};
    cr_assert_eq(aead_seal(key, nonce, STR("bound"), STR("alice"), &sealed), PDP_ERR_OK);
    cr_assert_eq(sealed.len, 5 + AEAD_TAG_BYTES);
    cr_assert_eq(aead_open(key, nonce, STR("bound"), buf_view(&sealed), &plain), PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&plain), STR("alice")));
    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        sealed.at[bit / 8] ^= (unsigned char)(1U << bit % 8);
        cr_expect_eq(aead_open(key, nonce, STR("bound"), buf_view(&sealed), &plain), PDP_ERR_CORRUPT);
        sealed.at[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    cr_expect_eq(aead_open(key, nonce, STR("other"), buf_view(&sealed), &plain), PDP_ERR_CORRUPT);
    for (size_t len = 0; len < sealed.len; len++) {
        cr_expect_eq(aead_open(key, nonce, STR("bound"), str_sub(buf_view(&sealed), 0, len), &plain),
                     PDP_ERR_CORRUPT);
    }
    cr_expect_eq(plain.len, 5);
    nonce[0] = 8;
    cr_expect_eq(aead_open(key, nonce, STR("bound"), buf_view(&sealed), &plain), PDP_ERR_CORRUPT);
}

// GCM specification, test case 14: an all-zero key, nonce and block.
Test(seal_aead, gives_the_known_ciphertext)
{
    static const uint8_t KNOWN[] = {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5,
                                    0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99,
                                    0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    uint8_t key[AEAD_KEY_BYTES] = {0}, nonce[AEAD_NONCE_BYTES] = {0}, zero[16] = {0};
    AUTO(buf_fini) struct buf sealed = {0};
    cr_assert_eq(aead_seal(key, nonce, STR(""), (struct str){(const char *)zero, sizeof zero}, &sealed),
                 PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&sealed), (struct str){(const char *)KNOWN, sizeof KNOWN}));
}

// RFC 8032 §7.1, test 1.
Test(seal_ed25519, gives_the_known_signature)
{
    static const uint8_t SEED[] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                   0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                   0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    static const uint8_t BEGIN[] = {0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72};
    uint8_t key[ED25519_KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
    cr_assert_eq(ed25519_public(SEED, key), PDP_ERR_OK);
    cr_expect(key[0] == 0xd7 && key[1] == 0x5a && key[31] == 0x1a);
    cr_assert_eq(ed25519_sign(SEED, STR(""), signature), PDP_ERR_OK);
    cr_expect(memcmp(signature, BEGIN, sizeof BEGIN) == 0);
    cr_expect(ed25519_verify(key, STR(""), signature));
    cr_expect(!ed25519_verify(key, STR("x"), signature));
    signature[5] ^= 1;
    cr_expect(!ed25519_verify(key, STR(""), signature));
}
