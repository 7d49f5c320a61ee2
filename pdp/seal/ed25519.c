// SPDX-License-Identifier: Apache-2.0
#include "seal/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static void key_drop(EVP_PKEY **key)
{
    EVP_PKEY_free(*key); // wipes a private key
    ERR_clear_error();
}

static void context_drop(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
    ERR_clear_error();
}

enum pdp_err ed25519_public(const uint8_t seed[static ED25519_SEED_BYTES],
                            uint8_t out[static ED25519_KEY_BYTES])
{
    size_t len = ED25519_KEY_BYTES;
    AUTO(key_drop)
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_BYTES);
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, out, &len) != 1 || len != ED25519_KEY_BYTES) {
        memset(out, 0, ED25519_KEY_BYTES);
        return PDP_ERR_UNSUPPORTED;
    }
    return PDP_ERR_OK;
}

enum pdp_err ed25519_sign(const uint8_t seed[static ED25519_SEED_BYTES], struct str message,
                          uint8_t out[static ED25519_SIGNATURE_BYTES])
{
    size_t len = ED25519_SIGNATURE_BYTES;
    AUTO(key_drop)
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_BYTES);
    AUTO(context_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (key == NULL || context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, out, &len, (const unsigned char *)message.at, message.len) != 1 ||
        len != ED25519_SIGNATURE_BYTES) {
        memset(out, 0, ED25519_SIGNATURE_BYTES);
        return PDP_ERR_UNSUPPORTED;
    }
    return PDP_ERR_OK;
}

bool ed25519_verify(const uint8_t key[static ED25519_KEY_BYTES], struct str message,
                    const uint8_t signature[static ED25519_SIGNATURE_BYTES])
{
    AUTO(key_drop)
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_BYTES);
    AUTO(context_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    return pkey != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
           EVP_DigestVerify(context, signature, ED25519_SIGNATURE_BYTES, (const unsigned char *)message.at,
                            message.len) == 1;
}
