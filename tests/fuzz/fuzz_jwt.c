// SPDX-License-Identifier: Apache-2.0
// Tokens and what they are made of. The first byte tells what the rest is: `h` a header, `c` claims, `k` a
// key set, `b` base64url; anything else is the first byte of a token, checked by the key that signed those of
// the corpus. What is valid once is valid again; what is refused leaves nothing behind.
#include "common/form.h"
#include "common/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define NOW_MS INT64_C(1800000000000)

// The public key of RFC 7515, A.3.
static const char KEYS[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"one\","
                           "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                           "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static const char *const AUDIENCES[] = {"shop"}, *const TYPES[] = {"JWT"};
static const struct jwt_rules RULES = {.issuer = "https://idp.example",
                                       .audiences = AUDIENCES,
                                       .audience_count = 1,
                                       .algs = JWK_ALGS_DEFAULT,
                                       .types = TYPES,
                                       .type_count = 1,
                                       .type_may_lack = true};

static void must(bool yes)
{
    if (!yes) {
        abort();
    }
}

static struct jwt *verifier(void)
{
    static struct jwt *jwt;
    if (jwt == NULL) {
        char path[64], why[400];
        struct jwks *keys = NULL;
        int fd = memfd_create("keys", MFD_CLOEXEC);
        must(fd >= 0 && write(fd, KEYS, sizeof KEYS - 1) == (ssize_t)sizeof KEYS - 1);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        struct jwks_about about = {
            .from = path, .refresh_ms = INT64_MAX, .least_ms = INT64_MAX, .max_age_ms = INT64_MAX};
        must(jwks_open(&about, &keys, why, sizeof why) == PDP_ERR_OK);
        must(jwt_new(&RULES, keys, 64, &jwt) == PDP_ERR_OK);
    }
    return jwt;
}

static void try_token(const char *text, size_t len)
{
    struct claims *claims = NULL, *again = NULL;
    enum jwt_fault fault = jwt_check(verifier(), text, len, NOW_MS, &claims);
    must((fault == JWT_OK) == (claims != NULL));
    must(jwt_check(verifier(), text, len, NOW_MS, &again) == fault);
    must((claims == NULL) == (again == NULL));
    claims_release(&claims);
    claims_release(&again);
}

static void try_header(const char *text, size_t len)
{
    json_t *header = NULL;
    struct jwt_header out;
    if (strict_object(text, len, 4, &header) == PDP_ERR_OK) {
        enum jwt_fault fault = jwt_read_header(&RULES, header, &out);
        must(fault != JWT_OK || out.alg == JWK_RS256 || out.alg == JWK_ES256);
        must(fault == JWT_OK || out.kid == NULL);
    }
    json_decref(header);
}

static void try_claims(const char *text, size_t len)
{
    json_t *claims = NULL;
    if (strict_object(text, len, 16, &claims) == PDP_ERR_OK &&
        jwt_read_claims(&RULES, claims, NOW_MS) == JWT_OK) {
        must(strict_text(claims, "iss") != NULL && json_is_number(json_object_get(claims, "exp")));
        must(json_object_get(claims, "events") == NULL);
    }
    json_decref(claims);
}

static void try_keys(const char *text, size_t len)
{
    char why[400] = "";
    struct jwk_set *set = NULL;
    enum pdp_err err = jwk_set_parse(text, len, &set, why, sizeof why);
    must((err == PDP_ERR_OK) == (set != NULL) && (err == PDP_ERR_OK || why[0] != '\0'));
    must(set == NULL || (jwk_set_count(set) > 0 && jwk_set_count(set) <= JWK_SET_KEYS_MOST));
    jwk_set_release(&set);
}

static void try_base64url(const char *text, size_t len)
{
    unsigned char *out = malloc(STRICT_DECODED(len));
    size_t used = 0;
    enum pdp_err err = strict_base64url(text, len, out, STRICT_DECODED(len), &used);
    must(out != NULL && err != PDP_ERR_LIMIT && (err == PDP_ERR_OK || used == 0));
    must(err != PDP_ERR_OK || used == len / 4 * 3 + (len % 4 > 1 ? len % 4 - 1 : 0));
    free(out);
}

static void try_form(const char *text, size_t len)
{
    char out[64];
    size_t used = 0;
    enum pdp_err err = form_field((struct text){text, len}, "logout_token", out, sizeof out, &used);
    must(used <= sizeof out && (err == PDP_ERR_OK || used == 0));
    must(err != PDP_ERR_OK || used <= len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static void (*const TRIES[256])(const char *text, size_t len) = {
        ['h'] = try_header, ['c'] = try_claims, ['k'] = try_keys, ['b'] = try_base64url, ['f'] = try_form};
    const char *text = (const char *)bytes;
    if (len > 0 && TRIES[bytes[0]] != NULL) {
        TRIES[bytes[0]](text + 1, len - 1);
    } else {
        try_token(text, len);
    }
    return 0;
}
