// SPDX-License-Identifier: Apache-2.0
#include "common/jwk.h"

#include <jose/jws.h>
#include <jose/openssl.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_LEAST 2048
#define RSA_BITS_MOST 8192
#define EXPONENT_BYTES_MOST 8
#define SET_DEPTH_MOST 8
#define TRIED_MOST 4
#define NUMBER_BYTES_MOST (RSA_BITS_MOST / 8 + 1)

static const struct {
    const char *name, *type, *curve;
    size_t coordinate_bytes;
} ALGS[] = {
#define X(name, type, curve, bytes) {#name, type, curve, bytes},
    JWK_ALG_LIST(X)
#undef X
};

struct jwk {
    json_t *key; // only what makes the public key
    char *kid;   // NULL: none
    unsigned algs;
    size_t modulus_bytes; // of RSA
};

struct jwk_set {
    _Atomic uint32_t held;
    uint64_t mark;
    size_t count;
    struct jwk keys[];
};

enum jwk_alg jwk_alg_of(const char *name)
{
    for (size_t i = 0; name != NULL && i < JWK_ALG_COUNT; i++) {
        if (strcmp(ALGS[i].name, name) == 0) {
            return (enum jwk_alg)i;
        }
    }
    return JWK_ALG_COUNT;
}

// libjose writes what it refuses to stderr unless it is told where to.
static void say_nothing(void *misc, const char *file, int line, uint64_t err, const char *fmt, va_list ap)
{
    (void)misc, (void)file, (void)line, (void)err, (void)fmt, (void)ap;
}

static jose_cfg_t *quiet(void)
{
    jose_cfg_t *cfg = jose_cfg();
    if (cfg != NULL) {
        jose_cfg_set_err_func(cfg, say_nothing, NULL);
    }
    return cfg;
}

// ---- One key --------------------------------------------------------------------------------------

// A member of base64url, as bytes. 0 where it is missing or malformed.
static size_t read_number(const json_t *from, const char *name, unsigned char *bytes, size_t room)
{
    const json_t *text = json_object_get(from, name);
    size_t used = 0;
    if (!json_is_string(text) || strict_base64url(json_string_value(text), json_string_length(text), bytes,
                                                  room, &used) != PDP_ERR_OK) {
        return 0;
    }
    return used;
}

static bool is_rsa_good(const json_t *from, size_t *modulus_bytes)
{
    unsigned char n[NUMBER_BYTES_MOST], e[EXPONENT_BYTES_MOST];
    size_t len = read_number(from, "n", n, sizeof n), e_len = read_number(from, "e", e, sizeof e);
    size_t zeros = 0;
    while (zeros < len && n[zeros] == 0) {
        zeros++;
    }
    size_t bits = (len - zeros) * 8;
    for (unsigned top = 0x80; zeros < len && (n[zeros] & top) == 0; top >>= 1) {
        bits--;
    }
    *modulus_bytes = len - zeros;
    bool odd = e_len > 0 && (e[e_len - 1] & 1) == 1 && (e_len > 1 || e[0] >= 3);
    return bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST && odd;
}

static bool is_ec_good(const json_t *from, size_t coordinate_bytes)
{
    unsigned char x[NUMBER_BYTES_MOST];
    return read_number(from, "x", x, sizeof x) == coordinate_bytes &&
           read_number(from, "y", x, sizeof x) == coordinate_bytes;
}

static bool lists_verify(const json_t *ops)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const char *op = json_string_value(json_array_get(ops, i));
        found = found || (op != NULL && strcmp(op, "verify") == 0);
    }
    return found;
}

// `use` and `key_ops`, where the key says them.
static bool is_for_signatures(const json_t *from)
{
    const json_t *use = json_object_get(from, "use"), *ops = json_object_get(from, "key_ops");
    if (use != NULL && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0)) {
        return false;
    }
    return ops == NULL || lists_verify(ops);
}

// What the key's type, curve and `alg` leave of the list.
static unsigned algs_of(const json_t *from)
{
    const char *type = strict_text(from, "kty"), *curve = strict_text(from, "crv");
    const json_t *alg = json_object_get(from, "alg");
    unsigned algs = 0;
    for (size_t i = 0; type != NULL && i < JWK_ALG_COUNT; i++) {
        bool fits = strcmp(ALGS[i].type, type) == 0 &&
                    (ALGS[i].curve[0] == '\0' || (curve != NULL && strcmp(ALGS[i].curve, curve) == 0));
        algs |= (unsigned)fits << i;
    }
    if (alg != NULL) {
        enum jwk_alg only = jwk_alg_of(json_string_value(alg));
        algs &= only < JWK_ALG_COUNT ? 1U << only : 0;
    }
    return algs;
}

static json_t *public_part(const json_t *from)
{
    static const char *const MEMBERS[] = {"kty", "n", "e", "crv", "x", "y"};
    json_t *key = json_object();
    bool ec = json_object_get(from, "n") == NULL;
    for (size_t i = 0; key != NULL && i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        json_t *member = json_object_get(from, MEMBERS[i]);
        bool wanted = i == 0 || (i > 2) == ec;
        if (member != NULL && wanted && json_object_set(key, MEMBERS[i], member) != 0) {
            json_decref(key);
            return NULL;
        }
    }
    return key;
}

// The numbers make a key at all: a point is on its curve, say.
static bool makes_a_key(const json_t *key)
{
    jose_cfg_auto_t *cfg = quiet();
    EVP_PKEY *made = cfg != NULL ? jose_openssl_jwk_to_EVP_PKEY(cfg, key) : NULL;
    EVP_PKEY_CTX *ctx = made != NULL ? EVP_PKEY_CTX_new(made, NULL) : NULL;
    bool good = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(made);
    return good;
}

// False, with nothing owned, where the key verifies nothing.
static bool jwk_read(const json_t *from, struct jwk *out)
{
    *out = (struct jwk){.algs = json_is_object(from) && is_for_signatures(from) ? algs_of(from) : 0};
    if (out->algs == 0) {
        return false;
    }
    unsigned first = (unsigned)__builtin_ctz(out->algs);
    bool rsa = strcmp(ALGS[first].type, "RSA") == 0;
    if (rsa ? !is_rsa_good(from, &out->modulus_bytes) : !is_ec_good(from, ALGS[first].coordinate_bytes)) {
        return false;
    }
    const json_t *kid = json_object_get(from, "kid");
    if (kid != NULL && !json_is_string(kid)) {
        return false;
    }
    out->key = public_part(from);
    out->kid = kid != NULL ? strdup(json_string_value(kid)) : NULL;
    if (out->key == NULL || (kid != NULL && out->kid == NULL) || !makes_a_key(out->key)) {
        json_decref(out->key);
        free(out->kid);
        return false;
    }
    return true;
}

// ---- A set ----------------------------------------------------------------------------------------

static uint64_t mark_of(const char *text, size_t len)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    uint64_t mark = 0;
    SHA256((const unsigned char *)text, len, digest);
    for (size_t i = 0; i < sizeof mark; i++) {
        mark = mark << 8 | digest[i];
    }
    return mark;
}

static enum pdp_err read_keys(const json_t *keys, struct jwk_set **out)
{
    size_t count = json_array_size(keys);
    struct jwk_set *set = calloc(1, sizeof *set + count * sizeof *set->keys);
    if (set == NULL) {
        return PDP_ERR_NOMEM;
    }
    set->held = 1;
    for (size_t i = 0; i < count; i++) {
        set->count += jwk_read(json_array_get(keys, i), &set->keys[set->count]);
    }
    if (set->count == 0) {
        jwk_set_release(&set);
        return PDP_ERR_MISSING;
    }
    *out = set;
    return PDP_ERR_OK;
}

static enum pdp_err refused(enum pdp_err err, const char *what, char *why, size_t why_bytes)
{
    if (err != PDP_ERR_OK) {
        (void)snprintf(why, why_bytes, "%s", what);
    }
    return err;
}

enum pdp_err jwk_set_parse(const char *text, size_t len, struct jwk_set **set, char *why, size_t why_bytes)
{
    *set = NULL;
    if (len > JWK_SET_BYTES_MOST) {
        return refused(PDP_ERR_LIMIT, "the key set is larger than 1 MiB", why, why_bytes);
    }
    json_auto_t *object = NULL;
    enum pdp_err err = strict_object(text, len, SET_DEPTH_MOST, &object);
    const json_t *keys = json_object_get(object, "keys");
    if (err != PDP_ERR_OK || !json_is_array(keys)) {
        return refused(err != PDP_ERR_OK ? err : PDP_ERR_SYNTAX, "this is no JSON object with a list `keys`",
                       why, why_bytes);
    }
    if (json_array_size(keys) > JWK_SET_KEYS_MOST) {
        return refused(PDP_ERR_LIMIT, "the key set has more than 128 keys", why, why_bytes);
    }
    err = read_keys(keys, set);
    if (err == PDP_ERR_OK) {
        (*set)->mark = mark_of(text, len);
    }
    return refused(
        err,
        "no key of the set can verify signatures: expected RSA of 2048 bits or more, or EC on P-256, "
        "P-384 or P-521, for signatures",
        why, why_bytes);
}

struct jwk_set *jwk_set_hold(struct jwk_set *set)
{
    if (set != NULL) {
        atomic_fetch_add_explicit(&set->held, 1, memory_order_relaxed);
    }
    return set;
}

void jwk_set_release(struct jwk_set **set)
{
    struct jwk_set *it = set != NULL ? *set : NULL;
    if (it != NULL && atomic_fetch_sub_explicit(&it->held, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < it->count; i++) {
            json_decref(it->keys[i].key);
            free(it->keys[i].kid);
        }
        free(it);
    }
    if (set != NULL) {
        *set = NULL;
    }
}

uint64_t jwk_set_mark(const struct jwk_set *set)
{
    return set->mark;
}

size_t jwk_set_count(const struct jwk_set *set)
{
    return set->count;
}

// ---- One signature --------------------------------------------------------------------------------

static bool has_size(const struct jwk *key, enum jwk_alg alg, const struct jwk_signed *token)
{
    unsigned char bytes[NUMBER_BYTES_MOST];
    size_t used = 0;
    size_t wanted = ALGS[alg].coordinate_bytes > 0 ? 2 * ALGS[alg].coordinate_bytes : key->modulus_bytes;
    return strict_base64url(token->signature, token->signature_len, bytes, sizeof bytes, &used) ==
               PDP_ERR_OK &&
           used == wanted;
}

// libjose goes by the header's `alg`; a key that says one is held to it, so this one says ours. A copy, since
// libjose counts what it reads, and a count is not for several threads.
static bool is_signed_by(const struct jwk *key, enum jwk_alg alg, const struct jwk_signed *token)
{
    json_auto_t *jws =
        json_pack("{s:s%, s:s%, s:s%}", "protected", token->header, token->header_len, "payload",
                  token->payload, token->payload_len, "signature", token->signature, token->signature_len);
    json_auto_t *bound = json_deep_copy(key->key);
    jose_cfg_auto_t *cfg = quiet();
    return jws != NULL && cfg != NULL &&
           json_object_set_new(bound, "alg", json_string(ALGS[alg].name)) == 0 &&
           jose_jws_ver(cfg, jws, NULL, bound, false);
}

enum jwk_verdict jwk_set_verify(const struct jwk_set *set, enum jwk_alg alg, const char *kid,
                                const struct jwk_signed *token)
{
    size_t tried = 0;
    for (size_t i = 0; alg < JWK_ALG_COUNT && i < set->count && tried < TRIED_MOST; i++) {
        const struct jwk *key = &set->keys[i];
        bool named = kid == NULL || (key->kid != NULL && strcmp(key->kid, kid) == 0);
        if (!named || (key->algs & 1U << alg) == 0) {
            continue;
        }
        tried++;
        if (has_size(key, alg, token) && is_signed_by(key, alg, token)) {
            return JWK_RIGHT;
        }
    }
    return tried > 0 ? JWK_WRONG : JWK_NO_KEY;
}
