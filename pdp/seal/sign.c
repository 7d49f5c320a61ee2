// SPDX-License-Identifier: Apache-2.0
#include "seal/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

static void key_drop(EVP_PKEY **key)
{
    EVP_PKEY_free(*key); // wipes a private key
    ERR_clear_error();
}

static void bio_drop(BIO **bio)
{
    BIO_free(*bio);
}

static void context_drop(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
    ERR_clear_error();
}

// Without this OpenSSL would ask at the terminal.
static int no_passphrase(char *out, int size, int writing, void *user)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static enum pdp_err fail(const char **why, enum pdp_err err, const char *what)
{
    *why = what;
    return err;
}

static BIO *open_text(struct str pem)
{
    return pem.len <= 65536 ? BIO_new_mem_buf(pem.at != NULL ? pem.at : "", (int)pem.len) : NULL;
}

static enum pdp_err id_of(struct sign_key *key)
{
    return seal_sha256(key->raw, sizeof key->raw, key->id);
}

static enum pdp_err raw_of(const EVP_PKEY *pkey, struct sign_key *out)
{
    size_t len = sizeof out->raw;
    if (EVP_PKEY_get_raw_public_key(pkey, out->raw, &len) != 1 || len != sizeof out->raw) {
        return PDP_ERR_TYPE;
    }
    return id_of(out);
}

enum pdp_err sign_key_read(struct str pem, struct sign_key *out, const char **why)
{
    *out = (struct sign_key){0};
    AUTO(bio_drop) BIO *bio = open_text(pem);
    AUTO(key_drop) EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
    if (pkey == NULL) {
        return str_find(pem, STR("PRIVATE KEY"), 0) != SIZE_MAX
                   ? fail(why, PDP_ERR_TYPE, "this is a private key, and a public one is wanted")
                   : fail(why, PDP_ERR_SYNTAX, "this is no public key in PEM");
    }
    if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
        return fail(why, PDP_ERR_TYPE, "this key is not Ed25519");
    }
    enum pdp_err err = raw_of(pkey, out);
    if (err != PDP_ERR_OK) {
        *out = (struct sign_key){0};
        *why = "the key cannot be used";
    }
    return err;
}

static enum pdp_err private_key(struct str pem, EVP_PKEY **out, const char **why)
{
    AUTO(bio_drop) BIO *bio = open_text(pem);
    *out = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    if (*out == NULL) {
        return str_find(pem, STR("ENCRYPTED"), 0) != SIZE_MAX
                   ? fail(why, PDP_ERR_UNSUPPORTED,
                          "the key is encrypted, and no passphrase is asked for here")
               : str_find(pem, STR("PUBLIC KEY"), 0) != SIZE_MAX
                   ? fail(why, PDP_ERR_TYPE, "this is a public key, and a private one is wanted")
                   : fail(why, PDP_ERR_SYNTAX, "this is no private key in PEM");
    }
    return EVP_PKEY_get_id(*out) == EVP_PKEY_ED25519 ? PDP_ERR_OK
                                                     : fail(why, PDP_ERR_TYPE, "this key is not Ed25519");
}

enum pdp_err sign_bundle(const struct bundle *bundle, struct str pem, struct bundle_signature *out,
                         const char **why)
{
    *out = (struct bundle_signature){0};
    AUTO(key_drop) EVP_PKEY *pkey = NULL;
    TRY(private_key(pem, &pkey, why));
    struct sign_key public = {0};
    *why = "the key cannot be used";
    TRY(raw_of(pkey, &public));
    AUTO(context_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t message[BUNDLE_MESSAGE_BYTES];
    bundle_message(bundle->digest, message);
    size_t len = sizeof out->bytes;
    if (context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) != 1 ||
        EVP_DigestSign(context, out->bytes, &len, message, sizeof message) != 1 || len != sizeof out->bytes) {
        *out = (struct bundle_signature){0};
        return PDP_ERR_UNSUPPORTED;
    }
    memcpy(out->key_id, public.id, sizeof out->key_id);
    return PDP_ERR_OK;
}

static bool valid(const struct bundle *bundle, const struct bundle_signature *signature,
                  const struct sign_key *key)
{
    AUTO(key_drop)
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->raw, sizeof key->raw);
    AUTO(context_drop) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t message[BUNDLE_MESSAGE_BYTES];
    bundle_message(bundle->digest, message);
    return pkey != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
           EVP_DigestVerify(context, signature->bytes, sizeof signature->bytes, message, sizeof message) == 1;
}

size_t sign_verify(const struct bundle *bundle, const struct sign_key *keys, size_t key_count,
                   enum sign_state out[static BUNDLE_SIGNATURES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < BUNDLE_SIGNATURES_MAX; i++) {
        out[i] = SIGN_UNKNOWN;
    }
    // A bundle that was read holds one signature a key, so each counts once.
    for (size_t i = 0; i < bundle->signature_count; i++) {
        const struct bundle_signature *signature = &bundle->signatures[i];
        for (size_t k = 0; k < key_count && out[i] == SIGN_UNKNOWN; k++) {
            if (memcmp(keys[k].id, signature->key_id, sizeof keys[k].id) == 0) {
                out[i] = valid(bundle, signature, &keys[k]) ? SIGN_VALID : SIGN_BAD;
                count += out[i] == SIGN_VALID;
            }
        }
    }
    return count;
}
