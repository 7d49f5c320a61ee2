// SPDX-License-Identifier: Apache-2.0
#include "seal/seal.h"

#include <criterion/criterion.h>
#include <pthread.h>

static const char *hex(const uint8_t bytes[SEAL_BYTES])
{
    static char text[2 * SEAL_BYTES + 1];
    for (size_t i = 0; i < SEAL_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 0xf];
    }
    return text;
}

// FIPS 180-4 examples.
static const struct {
    const char *message, *digest;
} DIGESTS[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

Test(seal, digests_of_the_standard)
{
    for (size_t i = 0; i < COUNT_OF(DIGESTS); i++) {
        uint8_t out[SEAL_BYTES];
        cr_assert_eq(seal_sha256(DIGESTS[i].message, strlen(DIGESTS[i].message), out), PDP_ERR_OK);
        cr_expect_str_eq(hex(out), DIGESTS[i].digest);
    }
    uint8_t out[SEAL_BYTES];
    cr_assert_eq(seal_sha256(NULL, 0, out), PDP_ERR_OK);
    cr_expect_str_eq(hex(out), DIGESTS[0].digest);
}

Test(seal, parts_are_the_whole_and_a_hash_is_used_again)
{
    AUTO(seal_hash_free) struct seal_hash *hash = NULL;
    cr_assert_eq(seal_hash_new(&hash), PDP_ERR_OK);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(DIGESTS); i++) {
            uint8_t out[SEAL_BYTES];
            for (const char *at = DIGESTS[i].message; *at != '\0'; at++) {
                seal_hash_add(hash, at, 1);
                seal_hash_add(hash, NULL, 0);
            }
            cr_assert_eq(seal_hash_end(hash, out), PDP_ERR_OK);
            cr_expect_str_eq(hex(out), DIGESTS[i].digest);
        }
    }
    uint8_t out[SEAL_BYTES];
    char block[1000];
    memset(block, 'a', sizeof block);
    for (int i = 0; i < 1000; i++) {
        seal_hash_add(hash, block, sizeof block);
    }
    cr_assert_eq(seal_hash_end(hash, out), PDP_ERR_OK);
    cr_expect_str_eq(hex(out), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231, cases 1, 2, 3, 6 and 7.
static const struct {
    int key_byte; // 0: "Jefe"
    size_t key_len;
    const char *message;
    const char *digest;
} MACS[] = {
    {0x0b, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {0, 4, "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {0xaa, 20, NULL, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {0xaa, 131,
     "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
     "be "
     "hashed before being used by the HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

Test(seal, macs_of_the_rfc)
{
    for (size_t i = 0; i < COUNT_OF(MACS); i++) {
        uint8_t key[131], data[50], out[SEAL_BYTES];
        memset(key, MACS[i].key_byte, sizeof key);
        memset(data, 0xdd, sizeof data);
        if (MACS[i].key_byte == 0) {
            memcpy(key, "Jefe", 4);
        }
        const void *message = MACS[i].message != NULL ? (const void *)MACS[i].message : data;
        size_t len = MACS[i].message != NULL ? strlen(MACS[i].message) : sizeof data;
        cr_assert_eq(seal_hmac(key, MACS[i].key_len, message, len, out), PDP_ERR_OK);
        cr_expect_str_eq(hex(out), MACS[i].digest, "case %zu", i);
    }
}

Test(seal, an_empty_key_is_refused_and_leaves_zeros)
{
    uint8_t out[SEAL_BYTES], zero[SEAL_BYTES] = {0};
    memset(out, 0xa5, sizeof out);
    cr_expect_eq(seal_hmac("", 0, "x", 1, out), PDP_ERR_RANGE);
    cr_expect(seal_eq(out, zero, sizeof out));
    cr_expect_eq(seal_hmac("k", 1, NULL, 0, out), PDP_ERR_OK);
    cr_expect(!seal_eq(out, zero, sizeof out));
}

Test(seal, compares_and_wipes)
{
    uint8_t a[48], b[48], zero[48] = {0};
    memset(a, 7, sizeof a);
    for (size_t at = 0; at < sizeof a; at++) {
        memcpy(b, a, sizeof a);
        cr_expect(seal_eq(a, b, sizeof a));
        b[at] ^= 0x80;
        cr_expect(!seal_eq(a, b, sizeof a), "byte %zu", at);
        cr_expect(seal_eq(a, b, at));
    }
    cr_expect(seal_eq(NULL, NULL, 0));
    seal_wipe(a, sizeof a);
    seal_wipe(NULL, 0);
    cr_expect(seal_eq(a, zero, sizeof a));
}

static void *digest_thread(void *arg)
{
    bool *ok = arg;
    *ok = true;
    for (int i = 0; i < 200; i++) {
        uint8_t out[SEAL_BYTES];
        *ok = *ok && seal_sha256("abc", 3, out) == PDP_ERR_OK && out[0] == 0xba &&
              seal_hmac("k", 1, "m", 1, out) == PDP_ERR_OK;
    }
    return NULL;
}

Test(seal, threads_share_the_algorithms)
{
    pthread_t threads[4];
    bool ok[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, digest_thread, &ok[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        cr_expect(ok[i]);
    }
}
