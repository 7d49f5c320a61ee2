// SPDX-License-Identifier: Apache-2.0
#include "common/jwt.h"

#include "common/jwt_memory.h"

#include <math.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_DEPTH 4
#define CLAIMS_DEPTH 16
#define HEADER_MEMBERS 32
#define CLAIMS_MEMBERS 128
#define AUDIENCES_MOST 64
#define KID_BYTES_MOST 255
#define SECONDS_MOST 253402300799.0 // the year 9999: beyond is no time

struct jwt {
    struct jwt_rules rules;
    char **texts; // what the rules point to
    size_t text_count;
    struct jwks *keys;
    struct jwt_memory *memory; // NULL: none
};

const char *jwt_fault_text(enum jwt_fault fault)
{
    static const char *const TEXTS[] = {
#define X(name, text) text,
        JWT_FAULT_LIST(X)
#undef X
    };
    return fault < JWT_FAULT_COUNT ? TEXTS[fault] : "it is not valid";
}

// ---- The header -----------------------------------------------------------------------------------

static bool is_type(const char *is, const char *wanted)
{
    static const char PREFIX[] = "application/";
    if (strncasecmp(is, PREFIX, sizeof PREFIX - 1) == 0) {
        is += sizeof PREFIX - 1;
    }
    return strcasecmp(is, wanted) == 0;
}

static bool is_type_good(const struct jwt_rules *rules, const json_t *type)
{
    if (type == NULL) {
        return rules->type_may_lack;
    }
    bool good = false;
    for (size_t i = 0; json_is_string(type) && i < rules->type_count; i++) {
        good = good || is_type(json_string_value(type), rules->types[i]);
    }
    return good;
}

// `jku`, `jwk`, `x5u` and `x5c`, where they stand there, are not looked at: nothing that a token brings along
// says by which key it is checked, but for the name of one that is ours.
enum jwt_fault jwt_read_header(const struct jwt_rules *rules, const json_t *header, struct jwt_header *out)
{
    *out = (struct jwt_header){.alg = JWK_ALG_COUNT};
    const json_t *alg = json_object_get(header, "alg"), *kid = json_object_get(header, "kid");
    if (json_object_size(header) > HEADER_MEMBERS) {
        return JWT_LIMIT;
    }
    if (json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL) {
        return JWT_CRIT;
    }
    bool encrypted = json_object_get(header, "enc") != NULL || json_object_get(header, "zip") != NULL;
    if (encrypted || !json_is_string(alg) ||
        (kid != NULL && (!json_is_string(kid) || json_string_length(kid) > KID_BYTES_MOST))) {
        return JWT_HEADER;
    }
    enum jwk_alg known = jwk_alg_of(json_string_value(alg));
    if (known == JWK_ALG_COUNT || (rules->algs & 1U << known) == 0) {
        return JWT_ALG;
    }
    if (!is_type_good(rules, json_object_get(header, "typ"))) {
        return JWT_TYPE;
    }
    *out = (struct jwt_header){.alg = known, .kid = json_string_value(kid)};
    return JWT_OK;
}

// ---- The claims -----------------------------------------------------------------------------------

static bool is_one_of(const json_t *text, const char *const *list, size_t count)
{
    bool found = false;
    for (size_t i = 0; json_is_string(text) && i < count; i++) {
        found = found || strcmp(json_string_value(text), list[i]) == 0;
    }
    return found;
}

// Every entry has to be text: a list that mixes is nobody's.
static bool is_for_us(const struct jwt_rules *rules, const json_t *aud)
{
    if (!json_is_array(aud)) {
        return is_one_of(aud, rules->audiences, rules->audience_count);
    }
    bool found = false;
    for (size_t i = 0; i < json_array_size(aud); i++) {
        const json_t *entry = json_array_get(aud, i);
        if (!json_is_string(entry)) {
            return false;
        }
        found = found || is_one_of(entry, rules->audiences, rules->audience_count);
    }
    return found && json_array_size(aud) <= AUDIENCES_MOST;
}

// A NumericDate, as seconds. False where it is none; missing is told apart by the caller.
static bool read_time(const json_t *from, double *seconds)
{
    *seconds = json_number_value(from);
    return json_is_number(from) && isfinite(*seconds) && *seconds >= 0 && *seconds <= SECONDS_MOST;
}

static enum jwt_fault check_times(const json_t *claims, int64_t now_ms)
{
    double now = (double)now_ms / 1000.0, skew = (double)JWT_SKEW_S, at = 0;
    if (!read_time(json_object_get(claims, "exp"), &at) || now >= at + skew) {
        return JWT_EXPIRED;
    }
    static const char *const BEGINS[] = {"nbf", "iat"};
    for (size_t i = 0; i < sizeof BEGINS / sizeof *BEGINS; i++) {
        const json_t *claim = json_object_get(claims, BEGINS[i]);
        if (claim != NULL && !read_time(claim, &at)) {
            return JWT_CLAIMS;
        }
        if (claim != NULL && at > now + skew) {
            return JWT_EARLY;
        }
    }
    return JWT_OK;
}

enum jwt_fault jwt_read_claims(const struct jwt_rules *rules, const json_t *claims, int64_t now_ms)
{
    const char *iss = strict_text(claims, "iss");
    if (json_object_size(claims) > CLAIMS_MEMBERS) {
        return JWT_LIMIT;
    }
    if (iss == NULL || rules->issuer == NULL || strcmp(iss, rules->issuer) != 0) {
        return JWT_ISSUER;
    }
    if (!is_for_us(rules, json_object_get(claims, "aud"))) {
        return JWT_AUDIENCE;
    }
    if (!rules->events && json_object_get(claims, "events") != NULL) {
        return JWT_EVENTS;
    }
    return check_times(claims, now_ms);
}

// ---- A token --------------------------------------------------------------------------------------

// Exactly three parts: five are an encrypted token, which is none of ours.
static bool split(const char *token, size_t len, struct jwk_signed *out)
{
    const char *first = memchr(token, '.', len);
    const char *second = first != NULL ? memchr(first + 1, '.', len - (size_t)(first + 1 - token)) : NULL;
    if (second == NULL) {
        return false;
    }
    *out = (struct jwk_signed){.header = token,
                               .header_len = (size_t)(first - token),
                               .payload = first + 1,
                               .payload_len = (size_t)(second - first - 1),
                               .signature = second + 1,
                               .signature_len = len - (size_t)(second + 1 - token)};
    return memchr(out->signature, '.', out->signature_len) == NULL && out->header_len > 0 &&
           out->payload_len > 0 && out->signature_len > 0;
}

static enum jwt_fault read_part(const char *text, size_t len, unsigned depth, enum jwt_fault fault,
                                json_t **object)
{
    unsigned char bytes[STRICT_DECODED(JWT_BYTES_MOST)];
    size_t used = 0;
    *object = NULL;
    if (strict_base64url(text, len, bytes, sizeof bytes, &used) != PDP_ERR_OK) {
        return JWT_SHAPE;
    }
    return strict_object((const char *)bytes, used, depth, object) == PDP_ERR_OK ? JWT_OK : fault;
}

static enum jwt_fault check_signature(const struct jwt *jwt, const struct jwk_set *set,
                                      const struct jwk_signed *token)
{
    json_auto_t *header = NULL;
    struct jwt_header head;
    enum jwt_fault fault = read_part(token->header, token->header_len, HEADER_DEPTH, JWT_HEADER, &header);
    fault = fault == JWT_OK ? jwt_read_header(&jwt->rules, header, &head) : fault;
    if (fault != JWT_OK) {
        return fault;
    }
    enum jwk_verdict verdict = jwk_set_verify(set, head.alg, head.kid, token);
    // Where the key is not named, another one may have taken its place.
    if (verdict == JWK_NO_KEY || (verdict == JWK_WRONG && head.kid == NULL)) {
        jwks_wish(jwt->keys);
    }
    return verdict == JWK_RIGHT ? JWT_OK : verdict == JWK_WRONG ? JWT_SIGNATURE : JWT_KEY;
}

// Claims are read only after the signature: what nobody signed reaches no parser but the header's.
static enum jwt_fault check_anew(const struct jwt *jwt, const struct jwk_set *set, const char *token,
                                 size_t len, struct claims **claims)
{
    struct jwk_signed parts;
    json_t *object = NULL;
    if (!split(token, len, &parts)) {
        return JWT_SHAPE;
    }
    enum jwt_fault fault = check_signature(jwt, set, &parts);
    fault = fault == JWT_OK ? read_part(parts.payload, parts.payload_len, CLAIMS_DEPTH, JWT_CLAIMS, &object)
                            : fault;
    *claims = claims_new(object);
    return fault == JWT_OK && *claims == NULL ? JWT_NOMEM : fault;
}

// With a set that is held: remembered, or checked and then remembered.
static enum jwt_fault check_with(struct jwt *jwt, const struct jwk_set *set, const char *token, size_t len,
                                 int64_t now_ms, struct claims **claims)
{
    unsigned char digest[JWT_DIGEST_BYTES];
    uint64_t mark = jwk_set_mark(set);
    if (jwt->memory != NULL) {
        SHA256((const unsigned char *)token, len, digest);
        *claims = jwt_memory_get(jwt->memory, digest, mark);
    }
    bool known = *claims != NULL;
    enum jwt_fault fault = known ? JWT_OK : check_anew(jwt, set, token, len, claims);
    fault = fault == JWT_OK ? jwt_read_claims(&jwt->rules, claims_object(*claims), now_ms) : fault;
    if (fault == JWT_OK && !known && jwt->memory != NULL) {
        jwt_memory_put(jwt->memory, digest, mark, *claims);
    }
    return fault;
}

enum jwt_fault jwt_check(struct jwt *jwt, const char *token, size_t len, int64_t now_ms,
                         struct claims **claims)
{
    *claims = NULL;
    if (len > JWT_BYTES_MOST) {
        return JWT_LIMIT;
    }
    struct jwk_set *set = jwks_hold(jwt->keys);
    if (set == NULL) {
        jwks_wish(jwt->keys);
        return JWT_NO_KEYS;
    }
    struct claims *read = NULL;
    enum jwt_fault fault = check_with(jwt, set, token, len, now_ms, &read);
    jwk_set_release(&set);
    if (fault != JWT_OK) {
        claims_release(&read);
        return fault;
    }
    *claims = read;
    return JWT_OK;
}

// ---- Rules of one's own ---------------------------------------------------------------------------

static const char *own(struct jwt *jwt, const char *text)
{
    char *copy = strdup(text);
    if (copy != NULL) {
        jwt->texts[jwt->text_count++] = copy;
    }
    return copy;
}

static const char **own_list(struct jwt *jwt, const char *const *list, size_t count, bool *good)
{
    const char **copy = calloc(count + 1, sizeof *copy);
    *good = *good && copy != NULL;
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = own(jwt, list[i]);
        *good = *good && copy[i] != NULL;
    }
    return copy;
}

static bool own_rules(struct jwt *jwt, const struct jwt_rules *rules)
{
    jwt->rules = (struct jwt_rules){
        .algs = rules->algs, .type_may_lack = rules->type_may_lack, .events = rules->events};
    jwt->texts = calloc(1 + rules->audience_count + rules->type_count, sizeof *jwt->texts);
    if (jwt->texts == NULL) {
        return false;
    }
    bool good = true;
    jwt->rules.audiences = own_list(jwt, rules->audiences, rules->audience_count, &good);
    jwt->rules.types = own_list(jwt, rules->types, rules->type_count, &good);
    jwt->rules.issuer = rules->issuer != NULL ? own(jwt, rules->issuer) : NULL;
    jwt->rules.audience_count = rules->audience_count;
    jwt->rules.type_count = rules->type_count;
    return good && (rules->issuer == NULL || jwt->rules.issuer != NULL);
}

enum pdp_err jwt_new(const struct jwt_rules *rules, struct jwks *keys, size_t remembered, struct jwt **jwt)
{
    *jwt = NULL;
    struct jwt *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return PDP_ERR_NOMEM;
    }
    made->keys = keys;
    made->memory = remembered > 0 ? jwt_memory_new(remembered) : NULL;
    if (!own_rules(made, rules) || (remembered > 0 && made->memory == NULL)) {
        jwt_free(&made);
        return PDP_ERR_NOMEM;
    }
    *jwt = made;
    return PDP_ERR_OK;
}

void jwt_free(struct jwt **jwt)
{
    struct jwt *it = jwt != NULL ? *jwt : NULL;
    if (it == NULL) {
        return;
    }
    for (size_t i = 0; i < it->text_count; i++) {
        free(it->texts[i]);
    }
    free(it->texts);
    free((void *)it->rules.audiences);
    free((void *)it->rules.types);
    jwt_memory_free(&it->memory);
    free(it);
    *jwt = NULL;
}
