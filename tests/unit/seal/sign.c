// SPDX-License-Identifier: Apache-2.0
#include "seal/sign.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define PRIVATE(text) "-----BEGIN PRIVATE KEY-----\n" text "\n-----END PRIVATE KEY-----\n"
#define PUBLIC(text) "-----BEGIN PUBLIC KEY-----\n" text "\n-----END PUBLIC KEY-----\n"

// Made for this test by `openssl genpkey`; nothing else knows them.
static const struct {
    const char *private, *public, *id;
} KEYS[] = {
    {PRIVATE("MC4CAQAwBQYDK2VwBCIEIE+Hbi5nYKKyj0uzmplulUb8oJWkvxJixIU+E++FtsXk"),
     PUBLIC("MCowBQYDK2VwAyEA63+z+CHIs/nrSZPs0m7PPAFXdCWq8rF9pxS8iB/6fZI="),
     "9e62d409e4a862aea968a9b33b15698d3f2ebefec2842193fcf57f825198a29a"},
    {PRIVATE("MC4CAQAwBQYDK2VwBCIEIGYmA/RlIQtXTlOcuwxVCnqgIYSXMoPuSFYpGlBiXFT/"),
     PUBLIC("MCowBQYDK2VwAyEATafecb8/ktZxrGqpmbodsIt+knQ/dqjS/WmaZL+tWJc="), NULL},
};
static const char EC_PRIVATE[] =
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEILur7WcXTOoyQ5dl3Uy5pjYYNk8vSAR1CYW2y26haxAaoAoGCCqGSM49\n"
    "AwEHoUQDQgAEkNDsDiwEngAVWBo7vBIB+oBWFneietf/4059mkDmdo2D+7T7K937\n"
    "+6dwCdrTRUzmhm914gy6spffay3sgGJusw==\n-----END EC PRIVATE KEY-----\n";
static const char EC_PUBLIC[] = PUBLIC("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkNDsDiwEngAVWBo7vBIB+oBWFnei\n"
                                       "etf/4059mkDmdo2D+7T7K937+6dwCdrTRUzmhm914gy6spffay3sgGJusw==");
static const char ENCRYPTED[] = "-----BEGIN ENCRYPTED PRIVATE "
                                "KEY-----\nMIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjghvPZ7gwm/AICCAAw\n"
                                "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECRVKUNj8niY/IbhH0qsHAcEQIwS\n"
                                "dokPrsb+/NCPQKIZaGpBRL1xq2npp9dI3Kba5i4XuUAQoWly+nXSeat0/tcrKFZO\n"
                                "Lu+9crvY6eL6+vad4jU=\n-----END ENCRYPTED PRIVATE KEY-----\n";

// What the openssl program signs with the first key, of the bundle in tests/unit/seal/bundle.c.
static const char DIGEST[] = "e0384bd81366836f06e9424a20c2318623ba14ff491ae4efb05eaaf5820d6303";
static const char SIGNATURE[] = "5b2cc0ed94c07f9b43757e0d1c3db8c7b1edd914c4fda81fdf662c14526baefb"
                                "8a50b0035b275e07d53e94526dade5bbceee1156ebe5ca8e786abc4cc5eb6a02";

static void unhex(const char *hex, uint8_t *out)
{
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        unsigned byte = 0;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

static struct bundle signed_by(size_t count)
{
    struct bundle bundle = {.version = 1};
    const char *why = "";
    unhex(DIGEST, bundle.digest);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(sign_bundle(&bundle, str_of(KEYS[i].private), &bundle.signatures[i], &why), PDP_ERR_OK,
                     "%s", why);
    }
    bundle.signature_count = count;
    return bundle;
}

static struct sign_key key_of(size_t i)
{
    struct sign_key key;
    const char *why = "";
    cr_assert_eq(sign_key_read(str_of(KEYS[i].public), &key, &why), PDP_ERR_OK, "%s", why);
    return key;
}

Test(seal_sign, signs_as_openssl_does)
{
    struct bundle bundle = signed_by(1);
    uint8_t expected[BUNDLE_SIGNATURE_BYTES];
    unhex(SIGNATURE, expected);
    cr_expect(memcmp(bundle.signatures[0].bytes, expected, sizeof expected) == 0);
    uint8_t id[BUNDLE_KEY_ID_BYTES];
    unhex(KEYS[0].id, id);
    cr_expect(memcmp(bundle.signatures[0].key_id, id, sizeof id) == 0);
    struct sign_key key = key_of(0);
    cr_expect(memcmp(key.id, id, sizeof id) == 0);
}

Test(seal_sign, counts_distinct_keys)
{
    struct sign_key a = key_of(0), b = key_of(1);
    const struct sign_key both[] = {a, b}, twice[] = {a, a, a};
    enum sign_state states[BUNDLE_SIGNATURES_MAX];
    struct bundle none = signed_by(0), one = signed_by(1), two = signed_by(2);
    cr_expect_eq(sign_verify(&none, both, 2, states), 0);
    cr_expect_eq(sign_verify(&one, both, 2, states), 1);
    cr_expect_eq(states[0], SIGN_VALID);
    cr_expect_eq(sign_verify(&two, both, 2, states), 2);
    cr_expect_eq(sign_verify(&two, NULL, 0, states), 0);
    cr_expect_eq(sign_verify(&two, twice, 3, states), 1, "a key that is given thrice is one");
    cr_expect(states[0] == SIGN_VALID && states[1] == SIGN_UNKNOWN);
    cr_expect_eq(sign_verify(&two, &b, 1, states), 1);
    cr_expect(states[0] == SIGN_UNKNOWN && states[1] == SIGN_VALID);
}

Test(seal_sign, any_changed_bit_is_no_signature)
{
    struct sign_key key = key_of(0);
    enum sign_state states[BUNDLE_SIGNATURES_MAX];
    struct bundle bundle = signed_by(1);
    for (size_t i = 0; i < BUNDLE_SIGNATURE_BYTES; i++) {
        bundle.signatures[0].bytes[i] ^= 1;
        cr_expect_eq(sign_verify(&bundle, &key, 1, states), 0, "byte %zu", i);
        cr_expect_eq(states[0], SIGN_BAD);
        bundle.signatures[0].bytes[i] ^= 1;
    }
    for (size_t i = 0; i < SEAL_BYTES; i++) {
        bundle.digest[i] ^= 0x80;
        cr_expect_eq(sign_verify(&bundle, &key, 1, states), 0, "byte %zu", i);
        bundle.digest[i] ^= 0x80;
    }
    memcpy(bundle.signatures[0].key_id, key_of(1).id, BUNDLE_KEY_ID_BYTES);
    struct sign_key other = key_of(1);
    cr_expect_eq(sign_verify(&bundle, &other, 1, states), 0, "under another key's name");
    cr_expect_eq(states[0], SIGN_BAD);
}

static const struct {
    const char *name, *pem;
    bool public;
    enum pdp_err err;
    const char *why;
} REFUSED[] = {
    {"nothing", "", true, PDP_ERR_SYNTAX, "no public key in PEM"},
    {"no PEM", "ssh-ed25519 AAAA", true, PDP_ERR_SYNTAX, "no public key in PEM"},
    {"another kind", EC_PUBLIC, true, PDP_ERR_TYPE, "not Ed25519"},
    {"a private key", PRIVATE("MC4CAQAwBQYDK2VwBCIEIE+Hbi5nYKKyj0uzmplulUb8oJWkvxJixIU+E++FtsXk"), true,
     PDP_ERR_TYPE, "this is a private key"},
    {"a torn key", PUBLIC("MCowBQYDK2VwAyEA63"), true, PDP_ERR_SYNTAX, "no public key in PEM"},
    {"nothing to sign with", "", false, PDP_ERR_SYNTAX, "no private key in PEM"},
    {"another kind to sign with", EC_PRIVATE, false, PDP_ERR_TYPE, "not Ed25519"},
    {"a public key to sign with", PUBLIC("MCowBQYDK2VwAyEA63+z+CHIs/nrSZPs0m7PPAFXdCWq8rF9pxS8iB/6fZI="),
     false, PDP_ERR_TYPE, "this is a public key"},
    {"an encrypted key", ENCRYPTED, false, PDP_ERR_UNSUPPORTED, "is encrypted"},
};

Test(seal_sign, what_is_no_key_is_said_to_be_that)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        struct sign_key key = {.raw = {1}};
        struct bundle bundle = {0};
        struct bundle_signature signature = {.bytes = {1}};
        const char *why = "";
        enum pdp_err err = REFUSED[i].public ? sign_key_read(str_of(REFUSED[i].pem), &key, &why)
                                             : sign_bundle(&bundle, str_of(REFUSED[i].pem), &signature, &why);
        cr_expect_eq(err, REFUSED[i].err, "%s: %s", REFUSED[i].name, pdp_err_name(err));
        cr_expect(strstr(why, REFUSED[i].why) != NULL, "%s: %s", REFUSED[i].name, why);
        cr_expect(REFUSED[i].public ? key.raw[0] == 0 : signature.bytes[0] == 0, "%s", REFUSED[i].name);
    }
}
