// SPDX-License-Identifier: Apache-2.0
// Makes keys and signs whatever text it is given, for tests of those who check it.
#ifndef UNIT_ADAPTERS_SIGNER_H
#define UNIT_ADAPTERS_SIGNER_H

#include <jansson.h>
#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
#include <jose/openssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void signer_must(bool yes, const char *what)
{
    if (!yes) {
        fprintf(stderr, "cannot %s\n", what);
        abort();
    }
}

// A new key, say `{"kty":"RSA","bits":2048}`, with its id.
static inline json_t *signer_key(const char *like, const char *kid)
{
    json_t *key = json_loads(like, 0, NULL);
    signer_must(key != NULL && jose_jwk_gen(NULL, key), like);
    if (kid != NULL) {
        json_object_set_new(key, "kid", json_string(kid));
    }
    return key;
}

static inline void signer_encode(const void *bytes, size_t len, char *out, size_t room)
{
    size_t used = jose_b64_enc_buf(bytes, len, out, room - 1);
    signer_must(used != SIZE_MAX, "encode");
    out[used] = '\0';
}

// `header.payload.signature` over exactly these texts, by RSA and SHA-256 whatever the header says.
static inline char *signer_rs256(const json_t *key, const char *header, const char *payload)
{
    static char signing[65536];
    signer_encode(header, strlen(header), signing, sizeof signing);
    size_t at = strlen(signing);
    signing[at++] = '.';
    signer_encode(payload, strlen(payload), signing + at, sizeof signing - at);

    unsigned char signature[1024];
    size_t len = sizeof signature;
    EVP_PKEY *pkey = jose_openssl_jwk_to_EVP_PKEY(NULL, key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    signer_must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
                    EVP_DigestSign(ctx, signature, &len, (const unsigned char *)signing, strlen(signing)) ==
                        1,
                "sign");
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);

    char *token = malloc(sizeof signing + 2048);
    signer_must(token != NULL, "get memory");
    at = strlen(signing);
    memcpy(token, signing, at);
    token[at++] = '.';
    signer_encode(signature, len, token + at, 2048);
    return token;
}

// By libjose, with whatever algorithm it has.
static inline char *signer_any(const json_t *key, const char *alg, const char *kid, const char *payload)
{
    json_t *jws = json_pack("{s:o}", "payload", jose_b64_enc(payload, strlen(payload)));
    json_t *sig = json_pack("{s:{s:s, s:s*}}", "protected", "alg", alg, "kid", kid);
    signer_must(jose_jws_sig(NULL, jws, sig, key), alg);
    char *token = malloc(65536);
    signer_must(token != NULL, "get memory");
    int used = snprintf(token, 65536, "%s.%s.%s", json_string_value(json_object_get(jws, "protected")),
                        json_string_value(json_object_get(jws, "payload")),
                        json_string_value(json_object_get(jws, "signature")));
    signer_must(used > 0 && used < 65536, "write the token");
    json_decref(jws);
    json_decref(sig);
    return token;
}

// `{"keys": […]}` of the public parts; `more` (which may be NULL) is added to every key.
static inline char *signer_set(json_t *const *keys, size_t count, const char *more)
{
    json_t *list = json_array(), *add = more != NULL ? json_loads(more, 0, NULL) : NULL;
    for (size_t i = 0; i < count; i++) {
        json_t *key = json_deep_copy(keys[i]);
        signer_must(jose_jwk_pub(NULL, key), "publish");
        json_object_update(key, add);
        json_array_append_new(list, key);
    }
    json_t *set = json_pack("{s:o}", "keys", list);
    char *text = json_dumps(set, 0);
    json_decref(set);
    json_decref(add);
    return text;
}

// A new file with this in it.
static inline void signer_write(char *path, const char *text)
{
    int fd = path[strlen(path) - 1] == 'X' ? mkstemp(path) : -1;
    FILE *file = fd >= 0 ? fdopen(fd, "w") : fopen(path, "w");
    signer_must(file != NULL, "write a file");
    signer_must(fwrite(text, 1, strlen(text), file) == strlen(text), "write a file");
    fclose(file);
}

#endif
