// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/jwt.h"

#include "base/base64.h"
#include "wire/wire.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>

enum {
    RSA_BITS_LEAST = 2048,
    P256_BITS = 256,
    P256_BYTES = 32,
    SIGNATURE_MOST = 2048 // RSA of 16384 bits
};

struct jwt_key {
    EVP_PKEY *pkey;
    const char *algorithm;
    char name[JWT_KEY_NAME_BYTES];
};

static void put_url(struct buf *out, struct str bytes)
{
    size_t from = out->len;
    base64_put(out, bytes);
    for (size_t i = from; i < out->len; i++) {
        out->at[i] = out->at[i] == '+' ? '-' : out->at[i] == '/' ? '_' : out->at[i];
    }
    while (out->len > from && out->at[out->len - 1] == '=') {
        out->len--;
    }
}

// ---- Keys --------------------------------------------------------------------------------------------

// Without this OpenSSL would ask at the terminal.
static int no_passphrase(char *out, int size, int writing, void *user)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static const char *algorithm_of(const EVP_PKEY *pkey)
{
    char group[32] = "";
    size_t len = 0;
    int kind = EVP_PKEY_get_base_id(pkey);
    if (kind == EVP_PKEY_ED25519) {
        return "EdDSA";
    }
    if (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) >= RSA_BITS_LEAST) {
        return "RS256";
    }
    bool p256 = kind == EVP_PKEY_EC && EVP_PKEY_get_bits(pkey) == P256_BITS &&
                EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) == 1 &&
                strcmp(group, "prime256v1") == 0;
    return p256 ? "ES256" : NULL;
}

static bool name_make(struct jwt_key *key)
{
    unsigned char *der = NULL, digest[SHA256_DIGEST_LENGTH];
    int len = i2d_PUBKEY(key->pkey, &der);
    struct buf text = {0};
    if (len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1) {
        put_url(&text, (struct str){(const char *)digest, sizeof digest});
    }
    bool made = text.len > 0 && text.len < sizeof key->name && !text.failed;
    if (made) {
        memcpy(key->name, text.at, text.len);
    }
    OPENSSL_free(der);
    buf_fini(&text);
    return made;
}

void jwt_key_free(struct jwt_key **key)
{
    if (*key != NULL) {
        EVP_PKEY_free((*key)->pkey);
        free(*key);
        *key = NULL;
    }
}

enum pdp_err jwt_key_read(struct str pem, struct jwt_key **out, const char **why)
{
    *out = NULL;
    AUTO(jwt_key_free) struct jwt_key *key = calloc(1, sizeof *key);
    BIO *bio = pem.len > 0 && pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;
    *why = "memory is out";
    if (key == NULL) {
        BIO_free(bio);
        return PDP_ERR_NOMEM;
    }
    key->pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (key->pkey == NULL) {
        *why = "is no private key in PEM without a pass phrase";
        return PDP_ERR_SYNTAX;
    }
    key->algorithm = algorithm_of(key->pkey);
    if (key->algorithm == NULL) {
        *why = "is of another kind than Ed25519, EC P-256, or RSA of 2048 bits or more";
        return PDP_ERR_TYPE;
    }
    if (!name_make(key)) {
        return PDP_ERR_NOMEM;
    }
    *out = STEAL(key);
    return PDP_ERR_OK;
}

const char *jwt_key_algorithm(const struct jwt_key *key)
{
    return key->algorithm;
}

const char *jwt_key_name(const struct jwt_key *key)
{
    return key->name;
}

// ---- Signatures --------------------------------------------------------------------------------------

// OpenSSL gives r and s as DER, a token has them as two numbers of 32 bytes.
static bool two_numbers(unsigned char *signature, size_t *len)
{
    const unsigned char *at = signature;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)*len);
    unsigned char both[2 * P256_BYTES];
    bool ok = parts != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(parts), both, P256_BYTES) == P256_BYTES &&
              BN_bn2binpad(ECDSA_SIG_get0_s(parts), both + P256_BYTES, P256_BYTES) == P256_BYTES;
    if (ok) {
        memcpy(signature, both, sizeof both);
        *len = sizeof both;
    }
    ECDSA_SIG_free(parts);
    return ok;
}

static bool put_signature(const struct jwt_key *key, struct str text, struct buf *out)
{
    unsigned char signature[SIGNATURE_MOST];
    size_t len = sizeof signature;
    bool own_digest = EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL &&
              EVP_DigestSignInit(context, NULL, own_digest ? NULL : EVP_sha256(), NULL, key->pkey) == 1 &&
              EVP_DigestSign(context, signature, &len, (const unsigned char *)text.at, text.len) == 1 &&
              (EVP_PKEY_get_base_id(key->pkey) != EVP_PKEY_EC || two_numbers(signature, &len));
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (ok) {
        put_url(out, (struct str){(const char *)signature, len});
    }
    return ok;
}

enum pdp_err jwt_sign(const struct jwt_key *key, struct str type, struct str key_id, struct str claims,
                      struct buf *out)
{
    struct buf header = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &header);
    emit_map(&emit, EMIT_FEW);
    emit_key_str(&emit, "alg", str_of(key->algorithm));
    emit_key_str(&emit, "typ", type);
    emit_key_str(&emit, "kid", key_id);
    emit_end(&emit);
    size_t from = out->len;
    put_url(out, buf_view(&header));
    buf_byte(out, '.');
    put_url(out, claims);
    bool failed = header.failed || out->failed;
    buf_fini(&header);
    if (failed) {
        return PDP_ERR_NOMEM;
    }
    struct buf signature = {0};
    bool made = put_signature(key, str_sub(buf_view(out), from, SIZE_MAX), &signature);
    buf_byte(out, '.');
    buf_str(out, buf_view(&signature));
    failed = signature.failed || out->failed;
    buf_fini(&signature);
    return !made ? PDP_ERR_UNSUPPORTED : failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}
