// SPDX-License-Identifier: Apache-2.0
#include "seal/aead.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *gcm;

static void fetch(void)
{
    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static void context_drop(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context); // wipes the key
    ERR_clear_error();
}

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.len != 0 ? s.at : "");
}

// A context set up for one message, with the bound text taken in; NULL where that fails.
static EVP_CIPHER_CTX *begin(const uint8_t *key, const uint8_t *nonce, struct str bound, bool seals)
{
    (void)pthread_once(&fetch_once, fetch);
    AUTO(context_drop) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int len = 0;
    if (gcm == NULL || context == NULL || bound.len > INT_MAX ||
        EVP_CipherInit_ex2(context, gcm, key, nonce, seals ? 1 : 0, NULL) != 1 ||
        (bound.len != 0 && EVP_CipherUpdate(context, NULL, &len, bytes_of(bound), (int)bound.len) != 1)) {
        return NULL;
    }
    return STEAL(context);
}

enum pdp_err aead_seal(const uint8_t key[static AEAD_KEY_BYTES], const uint8_t nonce[static AEAD_NONCE_BYTES],
                       struct str bound, struct str plain, struct buf *out)
{
    AUTO(context_drop) EVP_CIPHER_CTX *context = begin(key, nonce, bound, true);
    if (context == NULL) {
        return PDP_ERR_UNSUPPORTED;
    }
    if (plain.len > INT_MAX - AEAD_TAG_BYTES || !buf_room(out, plain.len + AEAD_TAG_BYTES)) {
        return PDP_ERR_NOMEM;
    }
    unsigned char *at = out->at + out->len;
    int len = 0, rest = 0;
    if (EVP_CipherUpdate(context, at, &len, bytes_of(plain), (int)plain.len) != 1 ||
        EVP_CipherFinal_ex(context, at + len, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, at + plain.len) != 1) {
        return PDP_ERR_UNSUPPORTED;
    }
    out->len += plain.len + AEAD_TAG_BYTES;
    return PDP_ERR_OK;
}

enum pdp_err aead_open(const uint8_t key[static AEAD_KEY_BYTES], const uint8_t nonce[static AEAD_NONCE_BYTES],
                       struct str bound, struct str sealed, struct buf *out)
{
    if (sealed.len < AEAD_TAG_BYTES || sealed.len > INT_MAX) {
        return PDP_ERR_CORRUPT;
    }
    AUTO(context_drop) EVP_CIPHER_CTX *context = begin(key, nonce, bound, false);
    size_t plain_len = sealed.len - AEAD_TAG_BYTES;
    uint8_t tag[AEAD_TAG_BYTES];
    memcpy(tag, sealed.at + plain_len, sizeof tag);
    if (context == NULL) {
        return PDP_ERR_UNSUPPORTED;
    }
    if (!buf_room(out, plain_len + 1)) {
        return PDP_ERR_NOMEM;
    }
    unsigned char *at = out->at + out->len;
    int len = 0, rest = 0;
    if (EVP_CipherUpdate(context, at, &len, bytes_of(sealed), (int)plain_len) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, tag) != 1 ||
        EVP_CipherFinal_ex(context, at + len, &rest) != 1) {
        seal_wipe(at, plain_len); // not to be read before it is known to be whole
        return PDP_ERR_CORRUPT;
    }
    out->len += plain_len;
    return PDP_ERR_OK;
}
