// SPDX-License-Identifier: Apache-2.0
#include "common/jwk.h"

#include "signer.h"

#include <criterion/criterion.h>
#include <openssl/rsa.h>
#include <stdio.h>

static char why[400];

static enum pdp_err parse(const char *text, struct jwk_set **set)
{
    why[0] = '\0';
    enum pdp_err err = jwk_set_parse(text, strlen(text), set, why, sizeof why);
    cr_assert_eq(err == PDP_ERR_OK, *set != NULL);
    cr_assert_eq(err == PDP_ERR_OK, why[0] == '\0', "%s", why);
    return err;
}

// How many keys of a set of one key are good, with these members added to it.
static size_t usable(json_t *key, const char *more)
{
    struct jwk_set *set = NULL;
    char *text = signer_set(&key, 1, more);
    enum pdp_err err = parse(text, &set);
    size_t count = err == PDP_ERR_OK ? jwk_set_count(set) : 0;
    cr_assert(err == PDP_ERR_OK || err == PDP_ERR_MISSING, "%s", why);
    jwk_set_release(&set);
    free(text);
    return count;
}

Test(common_jwk, takes_keys_that_fit)
{
    static const struct {
        const char *like, *more;
        size_t count;
    } KEYS[] = {
        {"{\"kty\":\"RSA\",\"bits\":2048}", NULL, 1},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"use\":\"sig\",\"alg\":\"RS256\",\"key_ops\":[\"verify\"]}",
         1},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"use\":\"enc\"}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"use\":1}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"key_ops\":[\"encrypt\"]}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"key_ops\":[]}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"alg\":\"RSA-OAEP\"}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"alg\":\"HS256\"}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"alg\":\"ES256\"}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"alg\":7}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"kid\":7}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"e\":\"AQ\"}", 0}, // 1: everything is signed
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"e\":\"BA\"}", 0}, // even
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"n\":\"AQAB\"}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"n\":\"=\"}", 0},
        {"{\"kty\":\"RSA\",\"bits\":2048}", "{\"kty\":\"EC\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", NULL, 1},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\"}", NULL, 1},
        {"{\"kty\":\"EC\",\"crv\":\"P-521\"}", NULL, 1},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", "{\"crv\":\"P-384\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", "{\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", "{\"x\":\"AAAA\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", "{\"alg\":\"ES384\"}", 0},
    };
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        json_t *key = signer_key(KEYS[i].like, "k");
        cr_expect_eq(usable(key, KEYS[i].more), KEYS[i].count, "%s with %s", KEYS[i].like,
                     KEYS[i].more != NULL ? KEYS[i].more : "nothing");
        json_decref(key);
    }
}

// libjose makes no key that is this short; others do.
Test(common_jwk, refuses_short_rsa)
{
    static const struct {
        unsigned bits;
        size_t count;
    } KEYS[] = {{1024, 0}, {2040, 0}, {2048, 1}, {3072, 1}};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        EVP_PKEY *made = EVP_RSA_gen(KEYS[i].bits);
        json_t *key = jose_openssl_jwk_from_EVP_PKEY(NULL, made);
        cr_assert_not_null(key, "%u bits", KEYS[i].bits);
        cr_expect_eq(usable(key, NULL), KEYS[i].count, "%u bits", KEYS[i].bits);
        json_decref(key);
        EVP_PKEY_free(made);
    }
}

Test(common_jwk, refuses_sets)
{
    static const struct {
        const char *text;
        enum pdp_err err;
    } SETS[] = {
        {"", PDP_ERR_SYNTAX},
        {"{}", PDP_ERR_SYNTAX},
        {"[]", PDP_ERR_SYNTAX},
        {"{\"keys\":{}}", PDP_ERR_SYNTAX},
        {"{\"keys\":[]}", PDP_ERR_MISSING},
        {"{\"keys\":[1,null,{},[]]}", PDP_ERR_MISSING},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", PDP_ERR_MISSING},
        {"{\"keys\":[],\"keys\":[]}", PDP_ERR_SYNTAX},
        {"{\"keys\":[[[[[[[[1]]]]]]]]}", PDP_ERR_DEPTH},
        {"{\"keys\":[]} x", PDP_ERR_SYNTAX},
    };
    struct jwk_set *set = NULL;
    for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        cr_expect_eq(parse(SETS[i].text, &set), SETS[i].err, "%s", SETS[i].text);
        cr_expect_null(set);
    }
    static char many[8192];
    int at = snprintf(many, sizeof many, "{\"keys\":[1");
    for (int i = 0; i < 128; i++) {
        at += snprintf(many + at, sizeof many - (size_t)at, ",1");
    }
    snprintf(many + at, sizeof many - (size_t)at, "]}");
    cr_expect_eq(parse(many, &set), PDP_ERR_LIMIT);
    static char large[JWK_SET_BYTES_MOST + 1];
    memset(large, ' ', sizeof large);
    cr_expect_eq(jwk_set_parse(large, sizeof large, &set, why, sizeof why), PDP_ERR_LIMIT);
}

// Two keys of one id: the algorithm tells them apart, or both are tried.
Test(common_jwk, finds_the_key)
{
    json_t *first = signer_key("{\"kty\":\"RSA\",\"bits\":2048}", "k");
    json_t *second = signer_key("{\"kty\":\"RSA\",\"bits\":2048}", "k");
    json_t *const keys[] = {first, second};
    char *text = signer_set(keys, 2, NULL);
    struct jwk_set *set = NULL;
    cr_assert_eq(parse(text, &set), PDP_ERR_OK);
    char *token = signer_rs256(second, "{\"alg\":\"RS256\"}", "{}");
    const char *dot = strchr(token, '.'), *last = strrchr(token, '.');
    struct jwk_signed parts = {.header = token,
                               .header_len = (size_t)(dot - token),
                               .payload = dot + 1,
                               .payload_len = (size_t)(last - dot - 1),
                               .signature = last + 1,
                               .signature_len = strlen(last + 1)};
    cr_expect_eq(jwk_set_verify(set, JWK_RS256, "k", &parts), JWK_RIGHT);
    cr_expect_eq(jwk_set_verify(set, JWK_RS256, NULL, &parts), JWK_RIGHT);
    cr_expect_eq(jwk_set_verify(set, JWK_RS256, "K", &parts), JWK_NO_KEY);
    cr_expect_eq(jwk_set_verify(set, JWK_RS384, "k", &parts), JWK_WRONG); // the header says another
    cr_expect_eq(jwk_set_verify(set, JWK_ES256, "k", &parts), JWK_NO_KEY);
    cr_expect_eq(jwk_set_verify(set, JWK_ALG_COUNT, "k", &parts), JWK_NO_KEY);
    free(token);
    free(text);
    jwk_set_release(&set);
    json_decref(first);
    json_decref(second);
}

Test(common_jwk, knows_no_symmetric_algorithm)
{
    static const char *const NONE[] = {"none", "HS256", "HS384",  "HS512", "rs256",
                                       "",     "dir",   "RSA1_5", "A128KW"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        cr_expect_eq(jwk_alg_of(NONE[i]), JWK_ALG_COUNT, "%s", NONE[i]);
    }
    cr_expect_eq(jwk_alg_of("PS256"), JWK_PS256);
    cr_expect_eq(jwk_alg_of(NULL), JWK_ALG_COUNT);
}
