// SPDX-License-Identifier: Apache-2.0
#include "seal/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>

// A fetch takes locks and walks the providers, some microseconds each time, so it is done once.
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC *hmac;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

struct seal_hash {
    EVP_MD_CTX *ctx;
    bool failed;
};

static bool hash_begin(EVP_MD_CTX *ctx)
{
    (void)pthread_once(&fetch_once, fetch);
    return sha256 != NULL && EVP_DigestInit_ex2(ctx, sha256, NULL) == 1;
}

enum pdp_err seal_hash_new(struct seal_hash **out)
{
    *out = NULL;
    AUTO(seal_hash_free) struct seal_hash *hash = calloc(1, sizeof *hash);
    if (hash == NULL) {
        return PDP_ERR_NOMEM;
    }
    hash->ctx = EVP_MD_CTX_new();
    if (hash->ctx == NULL) {
        return PDP_ERR_NOMEM;
    }
    if (!hash_begin(hash->ctx)) {
        return PDP_ERR_UNSUPPORTED;
    }
    *out = STEAL(hash);
    return PDP_ERR_OK;
}

void seal_hash_free(struct seal_hash **hash)
{
    if (*hash != NULL) {
        EVP_MD_CTX_free((*hash)->ctx);
        free(*hash);
        *hash = NULL;
    }
}

void seal_hash_add(struct seal_hash *hash, const void *bytes, size_t len)
{
    if (len != 0 && !hash->failed) {
        hash->failed = EVP_DigestUpdate(hash->ctx, bytes, len) != 1;
    }
}

enum pdp_err seal_hash_end(struct seal_hash *hash, uint8_t out[static SEAL_BYTES])
{
    bool ok = !hash->failed && EVP_DigestFinal_ex(hash->ctx, out, NULL) == 1;
    hash->failed = !hash_begin(hash->ctx);
    if (!ok) {
        memset(out, 0, SEAL_BYTES);
    }
    return ok ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

enum pdp_err seal_sha256(const void *bytes, size_t len, uint8_t out[static SEAL_BYTES])
{
    memset(out, 0, SEAL_BYTES);
    AUTO(seal_hash_free) struct seal_hash *hash = NULL;
    TRY(seal_hash_new(&hash));
    seal_hash_add(hash, bytes, len);
    return seal_hash_end(hash, out);
}

static bool hmac_run(EVP_MAC_CTX *ctx, struct str key, struct str message, uint8_t out[static SEAL_BYTES])
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    size_t written = 0;
    return EVP_MAC_init(ctx, (const unsigned char *)key.at, key.len, params) == 1 &&
           (message.len == 0 || EVP_MAC_update(ctx, (const unsigned char *)message.at, message.len) == 1) &&
           EVP_MAC_final(ctx, out, &written, SEAL_BYTES) == 1 && written == SEAL_BYTES;
}

enum pdp_err seal_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
                       uint8_t out[static SEAL_BYTES])
{
    memset(out, 0, SEAL_BYTES);
    if (key_len == 0) {
        return PDP_ERR_RANGE;
    }
    (void)pthread_once(&fetch_once, fetch);
    if (hmac == NULL) {
        return PDP_ERR_UNSUPPORTED;
    }
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
    bool ok = ctx != NULL && hmac_run(ctx, (struct str){key, key_len}, (struct str){bytes, len}, out);
    EVP_MAC_CTX_free(ctx); // wipes the key
    if (!ok) {
        memset(out, 0, SEAL_BYTES);
    }
    return ok ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

bool seal_eq(const void *a, const void *b, size_t len)
{
    return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

void seal_wipe(void *bytes, size_t len)
{
    if (len != 0) {
        OPENSSL_cleanse(bytes, len);
    }
}
