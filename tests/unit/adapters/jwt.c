// SPDX-License-Identifier: Apache-2.0
#include "common/jwt.h"

#include "signer.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW_S INT64_C(1800000000)
#define HEADER(more) "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"one\"" more "}"
#define CLAIMS(more) \
    "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1800000300,\"sub\":\"alice\"" more "}"
#define PUBLIC_OF(name) "\",\"" name "\":\""

static const char *const AUDIENCES[] = {"shop", "till"};
static const char *const TYPES[] = {"JWT", "at+jwt"};
static const struct jwt_rules RULES = {.issuer = "https://idp.example",
                                       .audiences = AUDIENCES,
                                       .audience_count = 2,
                                       .algs = JWK_ALGS_DEFAULT,
                                       .types = TYPES,
                                       .type_count = 2,
                                       .type_may_lack = true};

static json_t *rsa, *other, *ec;
static char path[] = "jwks.XXXXXX";
static struct jwks *keys;
static struct jwt *jwt;

static void begin(void)
{
    char why[400] = "";
    rsa = signer_key("{\"kty\":\"RSA\",\"bits\":2048}", "one");
    other = signer_key("{\"kty\":\"RSA\",\"bits\":2048}", "one");
    ec = signer_key("{\"kty\":\"EC\",\"crv\":\"P-256\"}", "two");
    json_t *const served[] = {rsa, ec};
    char *text = signer_set(served, 2, NULL);
    snprintf(path, sizeof path, "jwks.XXXXXX");
    signer_write(path, text);
    free(text);
    struct jwks_about about = {.from = path, .refresh_ms = 3600000, .least_ms = 30000, .max_age_ms = 3600000};
    cr_assert_eq(jwks_open(&about, &keys, why, sizeof why), PDP_ERR_OK, "%s", why);
    cr_assert_eq(jwt_new(&RULES, keys, 64, &jwt), PDP_ERR_OK);
}

static void end(void)
{
    jwt_free(&jwt);
    jwks_close(&keys);
    unlink(path);
    json_decref(rsa);
    json_decref(other);
    json_decref(ec);
}

static enum jwt_fault check(const char *token, int64_t now_s)
{
    struct claims *claims = NULL;
    enum jwt_fault fault = jwt_check(jwt, token, strlen(token), now_s * 1000, &claims);
    cr_assert_eq(fault == JWT_OK, claims != NULL,
                 "claims are given where the token is valid, and only there");
    claims_release(&claims);
    return fault;
}

// ---- Signed well, and yet ------------------------------------------------------------------------

static const struct {
    const char *name, *header, *claims;
    enum jwt_fault fault;
} SIGNED[] = {
    {"as it should be", HEADER(""), CLAIMS(""), JWT_OK},
    {"no typ", "{\"alg\":\"RS256\",\"kid\":\"one\"}", CLAIMS(""), JWT_OK},
    {"no kid", "{\"alg\":\"RS256\"}", CLAIMS(""), JWT_OK},
    {"typ by its long name", "{\"alg\":\"RS256\",\"typ\":\"application/AT+JWT\"}", CLAIMS(""), JWT_OK},
    {"aud in a list", HEADER(""),
     "{\"iss\":\"https://idp.example\",\"aud\":[\"x\",\"till\"],\"exp\":1800000300}", JWT_OK},
    {"exp with a fraction", HEADER(""),
     "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1800000300.5}", JWT_OK},
    {"expired within the skew", HEADER(""),
     "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1799999941}", JWT_OK},
    {"nbf within the skew", HEADER(""), CLAIMS(",\"nbf\":1800000060"), JWT_OK},
    {"unknown members", HEADER(",\"x\":1"), CLAIMS(",\"y\":{\"z\":[]}"), JWT_OK},
    {"headers that name other keys are not looked at",
     HEADER(",\"jku\":\"https://evil.example/keys\",\"x5u\":\"https://evil.example/c\",\"x5c\":[\"AA\"]"),
     CLAIMS(""), JWT_OK},

    {"alg none", "{\"alg\":\"none\",\"kid\":\"one\"}", CLAIMS(""), JWT_ALG},
    {"alg None", "{\"alg\":\"None\"}", CLAIMS(""), JWT_ALG},
    {"alg HS256", "{\"alg\":\"HS256\",\"kid\":\"one\"}", CLAIMS(""), JWT_ALG},
    {"alg not in the list", "{\"alg\":\"RS512\",\"kid\":\"one\"}", CLAIMS(""), JWT_ALG},
    {"alg unheard of", "{\"alg\":\"XX1\"}", CLAIMS(""), JWT_ALG},
    {"alg of another key type", "{\"alg\":\"ES256\",\"kid\":\"one\"}", CLAIMS(""), JWT_KEY},
    {"alg of the other key", "{\"alg\":\"ES256\",\"kid\":\"two\"}", CLAIMS(""), JWT_SIGNATURE},
    {"no alg", "{\"kid\":\"one\"}", CLAIMS(""), JWT_HEADER},
    {"alg a list", "{\"alg\":[\"RS256\"]}", CLAIMS(""), JWT_HEADER},
    {"alg twice", "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"one\"}", CLAIMS(""), JWT_HEADER},
    {"alg twice, spelt differently", "{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}", CLAIMS(""), JWT_HEADER},
    {"kid unknown", "{\"alg\":\"RS256\",\"kid\":\"three\"}", CLAIMS(""), JWT_KEY},
    {"kid a path", "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}", CLAIMS(""), JWT_KEY},
    {"kid a query", "{\"alg\":\"RS256\",\"kid\":\"x' or 'a'='a\"}", CLAIMS(""), JWT_KEY},
    {"kid a number", "{\"alg\":\"RS256\",\"kid\":1}", CLAIMS(""), JWT_HEADER},
    {"kid empty", "{\"alg\":\"RS256\",\"kid\":\"\"}", CLAIMS(""), JWT_KEY},
    {"kid of the other key", "{\"alg\":\"RS256\",\"kid\":\"two\"}", CLAIMS(""), JWT_KEY},
    {"kid with a NUL", "{\"alg\":\"RS256\",\"kid\":\"one\\u0000\"}", CLAIMS(""), JWT_HEADER},
    {"crit", HEADER(",\"crit\":[\"exp\"]"), CLAIMS(""), JWT_CRIT},
    {"crit empty", HEADER(",\"crit\":[]"), CLAIMS(""), JWT_CRIT},
    {"crit null", HEADER(",\"crit\":null"), CLAIMS(""), JWT_CRIT},
    {"payload not encoded", HEADER(",\"b64\":false"), CLAIMS(""), JWT_CRIT},
    {"encrypted, it says", HEADER(",\"enc\":\"A128GCM\""), CLAIMS(""), JWT_HEADER},
    {"compressed, it says", HEADER(",\"zip\":\"DEF\""), CLAIMS(""), JWT_HEADER},
    {"typ of a logout token", "{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}", CLAIMS(""), JWT_TYPE},
    {"typ of a proof", "{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}", CLAIMS(""), JWT_TYPE},
    {"typ a number", "{\"alg\":\"RS256\",\"typ\":1}", CLAIMS(""), JWT_TYPE},
    {"header a list", "[]", CLAIMS(""), JWT_HEADER},
    {"header with something behind", HEADER("") "x", CLAIMS(""), JWT_HEADER},
    {"header too deep", HEADER(",\"x\":[[[[1]]]]"), CLAIMS(""), JWT_HEADER},

    {"events: a logout token for a user's", HEADER(""), CLAIMS(",\"events\":{}"), JWT_EVENTS},
    {"another issuer", HEADER(""), "{\"iss\":\"https://idp.example/\",\"aud\":\"shop\",\"exp\":1800000300}",
     JWT_ISSUER},
    {"no issuer", HEADER(""), "{\"aud\":\"shop\",\"exp\":1800000300}", JWT_ISSUER},
    {"issuer a list", HEADER(""), "{\"iss\":[\"https://idp.example\"],\"aud\":\"shop\",\"exp\":1800000300}",
     JWT_ISSUER},
    {"another audience", HEADER(""), "{\"iss\":\"https://idp.example\",\"aud\":\"shops\",\"exp\":1800000300}",
     JWT_AUDIENCE},
    {"no audience", HEADER(""), "{\"iss\":\"https://idp.example\",\"exp\":1800000300}", JWT_AUDIENCE},
    {"audiences of others", HEADER(""),
     "{\"iss\":\"https://idp.example\",\"aud\":[\"a\",\"b\"],\"exp\":1800000300}", JWT_AUDIENCE},
    {"audiences of which one is no text", HEADER(""),
     "{\"iss\":\"https://idp.example\",\"aud\":[\"shop\",1],\"exp\":1800000300}", JWT_AUDIENCE},
    {"an audience inside a list", HEADER(""),
     "{\"iss\":\"https://idp.example\",\"aud\":[[\"shop\"]],\"exp\":1800000300}", JWT_AUDIENCE},
    {"expired", HEADER(""), "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1799999940}",
     JWT_EXPIRED},
    {"no exp", HEADER(""), "{\"iss\":\"https://idp.example\",\"aud\":\"shop\"}", JWT_EXPIRED},
    {"exp as text", HEADER(""), "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":\"1800000300\"}",
     JWT_EXPIRED},
    {"exp beyond all time", HEADER(""), "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1e300}",
     JWT_EXPIRED},
    {"exp beyond numbers", HEADER(""), "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1e999}",
     JWT_CLAIMS},
    {"exp negative", HEADER(""), "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":-1}",
     JWT_EXPIRED},
    {"nbf", HEADER(""), CLAIMS(",\"nbf\":1800000061"), JWT_EARLY},
    {"iat", HEADER(""), CLAIMS(",\"iat\":1800000061"), JWT_EARLY},
    {"nbf as text", HEADER(""), CLAIMS(",\"nbf\":\"0\""), JWT_CLAIMS},
    {"exp twice", HEADER(""), CLAIMS(",\"exp\":1900000000"), JWT_CLAIMS},
    {"sub twice, spelt differently", HEADER(""), CLAIMS(",\"s\\u0075b\":\"root\""), JWT_CLAIMS},
    {"twice, further in", HEADER(""), CLAIMS(",\"x\":[{\"a\":1,\"a\":2}]"), JWT_CLAIMS},
    {"claims with something behind", HEADER(""), CLAIMS("") "{}", JWT_CLAIMS},
    {"claims a list", HEADER(""), "[" CLAIMS("") "]", JWT_CLAIMS},
    {"claims a text", HEADER(""), "\"x\"", JWT_CLAIMS},
    {"a NUL in a claim", HEADER(""), CLAIMS(",\"x\":\"a\\u0000b\""), JWT_CLAIMS},
    {"bytes that are not UTF-8", HEADER(""), CLAIMS(",\"x\":\"\xff\""), JWT_CLAIMS},
    {"claims too deep", HEADER(""), CLAIMS(",\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), JWT_CLAIMS},
};

Test(common_jwt, judges_what_is_signed, .init = begin, .fini = end)
{
    for (size_t i = 0; i < sizeof SIGNED / sizeof *SIGNED; i++) {
        char *token = signer_rs256(rsa, SIGNED[i].header, SIGNED[i].claims);
        for (int again = 0; again < 2; again++) { // remembered or not, it is the same
            enum jwt_fault fault = check(token, NOW_S);
            cr_expect_eq(fault, SIGNED[i].fault, "%s, time %d: %s", SIGNED[i].name, again + 1,
                         jwt_fault_text(fault));
        }
        free(token);
    }
}

// ---- Not signed, or not by us ---------------------------------------------------------------------

Test(common_jwt, refuses_what_another_key_signed, .init = begin, .fini = end)
{
    char *token = signer_rs256(other, HEADER(""), CLAIMS(""));
    cr_expect_eq(check(token, NOW_S), JWT_SIGNATURE);
    free(token);
    // A key that is brought along is no key.
    json_t *jwk = json_deep_copy(other);
    cr_assert(jose_jwk_pub(NULL, jwk));
    char *text = json_dumps(jwk, JSON_COMPACT), header[4096];
    snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"one\",\"jwk\":%s}", text);
    token = signer_rs256(other, header, CLAIMS(""));
    cr_expect_eq(check(token, NOW_S), JWT_SIGNATURE);
    free(token);
    free(text);
    json_decref(jwk);
}

// HMAC under the public key's text, which everybody has.
Test(common_jwt, refuses_hmac_with_a_public_key, .init = begin, .fini = end)
{
    json_t *const served[] = {rsa};
    char *text = signer_set(served, 1, NULL);
    json_t *hmac =
        json_pack("{s:s, s:o, s:s}", "kty", "oct", "k", jose_b64_enc(text, strlen(text)), "kid", "one");
    char *token = signer_any(hmac, "HS256", "one", CLAIMS(""));
    cr_expect_eq(check(token, NOW_S), JWT_ALG);
    free(token);
    json_decref(hmac);
    free(text);
}

Test(common_jwt, takes_ec_and_only_its_kid, .init = begin, .fini = end)
{
    char *token = signer_any(ec, "ES256", "two", CLAIMS(""));
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    free(token);
    token = signer_any(ec, "ES256", "one", CLAIMS(""));
    cr_expect_eq(check(token, NOW_S), JWT_KEY);
    free(token);
}

// ---- Other shapes ---------------------------------------------------------------------------------

// A good token, broken in one place.
static char *with(const char *token, size_t at, const char *put, size_t skip)
{
    size_t len = strlen(token), more = strlen(put);
    char *made = malloc(len + more + 1);
    cr_assert_not_null(made);
    memcpy(made, token, at);
    memcpy(made + at, put, more);
    memcpy(made + at + more, token + at + skip, len - at - skip + 1);
    return made;
}

Test(common_jwt, refuses_every_single_change, .init = begin, .fini = end)
{
    char *token = signer_rs256(rsa, HEADER(""), CLAIMS(""));
    size_t len = strlen(token);
    for (size_t at = 0; at < len; at++) {
        static const char *const PUTS[] = {"", " ", "=", ".", "%", "\n", "A", "_"};
        for (size_t i = 0; i < sizeof PUTS / sizeof *PUTS; i++) {
            if (PUTS[i][0] == token[at] && PUTS[i][0] != '\0') {
                continue; // no change
            }
            char *made = with(token, at, PUTS[i], 1);
            cr_expect_neq(check(made, NOW_S), JWT_OK, "`%s` at %zu", PUTS[i], at);
            free(made);
        }
    }
    for (size_t keep = 0; keep < len; keep++) {
        struct claims *claims = NULL;
        cr_expect_neq(jwt_check(jwt, token, keep, NOW_S * 1000, &claims), JWT_OK, "the first %zu", keep);
        cr_expect_null(claims);
    }
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    free(token);
}

Test(common_jwt, refuses_other_shapes, .init = begin, .fini = end)
{
    char *good = signer_rs256(rsa, HEADER(""), CLAIMS(""));
    size_t len = strlen(good);
    const struct {
        const char *name;
        size_t at;
        const char *put;
        enum jwt_fault fault;
    } MADE[] = {
        {"white space in front", 0, " ", JWT_SHAPE},
        {"white space behind", len, "\n", JWT_SIGNATURE},
        {"padding", len, "==", JWT_SIGNATURE},
        {"a fourth part", len, ".AAAA", JWT_SHAPE},
        {"five parts: JWE", len, ".AAAA.AAAA", JWT_SHAPE},
        {"a dot behind", len, ".", JWT_SHAPE},
        {"a dot in front", 0, ".", JWT_SHAPE},
    };
    for (size_t i = 0; i < sizeof MADE / sizeof *MADE; i++) {
        char *made = with(good, MADE[i].at, MADE[i].put, 0);
        enum jwt_fault fault = check(made, NOW_S);
        cr_expect_eq(fault, MADE[i].fault, "%s: %s", MADE[i].name, jwt_fault_text(fault));
        free(made);
    }
    const char *const NONE[] = {
        "", ".", "..", "...", "a.b", "eyJhbGciOiJub25lIn0..", "eyJhbGciOiJub25lIn0.e30."};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        cr_expect_eq(check(NONE[i], NOW_S), JWT_SHAPE, "`%s`", NONE[i]);
    }
    // Signed, and inside another one.
    char *nested = signer_rs256(rsa, HEADER(",\"cty\":\"JWT\""), good);
    cr_expect_eq(check(nested, NOW_S), JWT_CLAIMS);
    free(nested);
    free(good);
}

Test(common_jwt, bounds_what_it_reads, .init = begin, .fini = end)
{
    static char big[16384], header[4096];
    int at =
        snprintf(big, sizeof big, "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1800000300");
    for (int i = 0; i < 125; i++) {
        at += snprintf(big + at, sizeof big - (size_t)at, ",\"c%d\":1", i);
    }
    snprintf(big + at, sizeof big - (size_t)at, "}");
    char *token = signer_rs256(rsa, HEADER(""), big); // 128 members
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    free(token);
    snprintf(big + at, sizeof big - (size_t)at, ",\"more\":1}");
    token = signer_rs256(rsa, HEADER(""), big);
    cr_expect_eq(check(token, NOW_S), JWT_LIMIT);
    free(token);

    memset(big, ' ', sizeof big);
    memcpy(big + 9000, "{}", 3);
    token = signer_rs256(rsa, HEADER(""), big);
    cr_expect_eq(check(token, NOW_S), JWT_LIMIT);
    free(token);

    at = snprintf(header, sizeof header, "{\"alg\":\"RS256\"");
    for (int i = 0; i < 40; i++) {
        at += snprintf(header + at, sizeof header - (size_t)at, ",\"h%d\":1", i);
    }
    snprintf(header + at, sizeof header - (size_t)at, "}");
    token = signer_rs256(rsa, header, CLAIMS(""));
    cr_expect_eq(check(token, NOW_S), JWT_LIMIT);
    free(token);
}

// ---- Time, and other keys -------------------------------------------------------------------------

// A token that is remembered ends at its time all the same, also where the clock steps.
Test(common_jwt, remembers_no_longer_than_it_is_valid, .init = begin, .fini = end)
{
    char *token = signer_rs256(rsa, HEADER(""), CLAIMS(",\"nbf\":1800000000"));
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    cr_expect_eq(check(token, NOW_S + 359), JWT_OK);
    cr_expect_eq(check(token, NOW_S + 360), JWT_EXPIRED);
    cr_expect_eq(check(token, NOW_S - 61), JWT_EARLY);
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    free(token);
}

static void serve(json_t *const *served, size_t count)
{
    char *text = signer_set(served, count, NULL);
    signer_write(path, text);
    free(text);
    uint64_t before = jwks_tries(keys);
    jwks_reload(keys);
    while (jwks_tries(keys) == before) {
        usleep(1000);
    }
}

Test(common_jwt, forgets_with_the_key, .init = begin, .fini = end)
{
    char *token = signer_rs256(rsa, HEADER(""), CLAIMS(""));
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    json_t *const without[] = {ec}, *const changed[] = {other, ec}, *const all[] = {rsa, ec};
    serve(without, 1);
    cr_expect_eq(check(token, NOW_S), JWT_KEY);
    serve(changed, 2);
    cr_expect_eq(check(token, NOW_S), JWT_SIGNATURE);
    serve(all, 2);
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    serve(all, 2); // the same bytes again
    cr_expect_eq(check(token, NOW_S), JWT_OK);
    free(token);
}

Test(common_jwt, without_rules_nothing_is_valid, .init = begin, .fini = end)
{
    struct jwt *none = NULL;
    struct claims *claims = NULL;
    cr_assert_eq(jwt_new(&(struct jwt_rules){0}, keys, 0, &none), PDP_ERR_OK);
    char *token = signer_rs256(rsa, HEADER(""), CLAIMS(""));
    cr_expect_eq(jwt_check(none, token, strlen(token), NOW_S * 1000, &claims), JWT_ALG);
    jwt_free(&none);
    cr_assert_eq(
        jwt_new(&(struct jwt_rules){.algs = JWK_ALGS_DEFAULT, .type_may_lack = true}, keys, 0, &none),
        PDP_ERR_OK);
    char *plain = signer_rs256(rsa, "{\"alg\":\"RS256\"}", CLAIMS(""));
    cr_expect_eq(jwt_check(none, plain, strlen(plain), NOW_S * 1000, &claims), JWT_ISSUER);
    cr_expect_null(claims);
    jwt_free(&none);
    free(token);
    free(plain);
}
