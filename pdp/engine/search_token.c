// SPDX-License-Identifier: Apache-2.0
// Tokens of pages: no page is remembered here, the token says all.
#include "engine/search.h"

#include "base/base64.h"
#include "engine/ask.h"
#include "seal/aead.h"

enum {
    STEP = 32, // lengths of places are rounded up to this: they tell little of an id
    PLACE_MOST = 1 + ENTITIES_ID_MOST + STEP,
    TOKEN_MOST = 1024
};

struct keys {
    uint8_t seal[SEAL_BYTES], nonce[SEAL_BYTES];
};

static enum pdp_err keys_of(const struct worker *worker, struct keys *out)
{
    static const struct str SEALS = {"search token", 12}, NONCES = {"search nonce", 12};
    const struct hash_key *key = &worker->engine->config.key;
    *out = (struct keys){{0}, {0}};
    TRY(seal_hmac(key, sizeof *key, SEALS.at, SEALS.len, out->seal));
    return seal_hmac(key, sizeof *key, NONCES.at, NONCES.len, out->nonce);
}

// What the token is good for, as one text: the search in its canonical form, and who asks.
static enum pdp_err bound_of(struct worker *worker, const struct peer *peer, const struct value *root,
                             struct buf *out)
{
    struct value common;
    TRY(search_common(root, &worker->arena, &common));
    wire_canonical(&common, out);
    buf_str(out, peer->name);
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

// The place behind its length, with zeros up to a whole step.
static struct str pad(struct str after, uint8_t room[static PLACE_MOST])
{
    memset(room, 0, PLACE_MOST);
    room[0] = (uint8_t)after.len;
    memcpy(room + 1, after.at, after.len);
    return (struct str){(const char *)room, (1 + after.len + STEP - 1) / STEP * STEP};
}

// Drawn from all that it seals, so that no two texts share one: there is no other source of chance here.
static enum pdp_err nonce_of(const struct keys *keys, struct str bound, struct str place,
                             uint8_t out[static AEAD_NONCE_BYTES])
{
    uint8_t digest[SEAL_BYTES];
    AUTO(buf_fini) struct buf all = {0};
    memset(out, 0, AEAD_NONCE_BYTES);
    buf_str(&all, place);
    buf_str(&all, bound);
    if (all.failed) {
        return PDP_ERR_NOMEM;
    }
    TRY(seal_hmac(keys->nonce, sizeof keys->nonce, all.at, all.len, digest));
    memcpy(out, digest, AEAD_NONCE_BYTES);
    return PDP_ERR_OK;
}

static enum pdp_err copy(struct worker *worker, struct str text, struct str *out)
{
    bool ok = true;
    *out = arena_str(&worker->arena, text, &ok);
    return ok ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

static enum pdp_err make(struct worker *worker, const struct keys *keys, struct str bound, struct str after,
                         struct str *out)
{
    uint8_t room[PLACE_MOST], nonce[AEAD_NONCE_BYTES];
    AUTO(buf_fini) struct buf sealed = {0};
    AUTO(buf_fini) struct buf text = {0};
    struct str place = pad(after, room);
    TRY(nonce_of(keys, bound, place, nonce));
    buf_put(&sealed, nonce, sizeof nonce);
    TRY(aead_seal(keys->seal, nonce, bound, place, &sealed));
    base64_put(&text, buf_view(&sealed));
    return sealed.failed || text.failed ? PDP_ERR_NOMEM : copy(worker, buf_view(&text), out);
}

enum pdp_err search_token_make(struct worker *worker, const struct peer *peer, const struct value *root,
                               struct str after, struct str *out)
{
    *out = (struct str){0};
    struct keys keys;
    AUTO(buf_fini) struct buf bound = {0};
    invariant(after.len <= ENTITIES_ID_MOST);
    enum pdp_err err = keys_of(worker, &keys);
    if (err == PDP_ERR_OK) {
        err = bound_of(worker, peer, root, &bound);
    }
    if (err == PDP_ERR_OK) {
        err = make(worker, &keys, buf_view(&bound), after, out);
    }
    seal_wipe(&keys, sizeof keys);
    return err;
}

static enum pdp_err open_place(struct worker *worker, const struct keys *keys, struct str bound,
                               struct str sealed, struct str *after)
{
    AUTO(buf_fini) struct buf place = {0};
    if (sealed.len < AEAD_NONCE_BYTES) {
        return PDP_ERR_CORRUPT;
    }
    TRY(aead_open(keys->seal, (const uint8_t *)sealed.at, bound,
                  str_sub(sealed, AEAD_NONCE_BYTES, sealed.len), &place));
    if (place.len < 1 || place.at[0] > place.len - 1) {
        return PDP_ERR_CORRUPT;
    }
    return copy(worker, str_sub(buf_view(&place), 1, place.at[0]), after);
}

enum pdp_err search_token_read(struct worker *worker, const struct peer *peer, const struct value *root,
                               struct str token, struct str *after)
{
    *after = (struct str){0};
    struct keys keys;
    AUTO(buf_fini) struct buf bound = {0};
    AUTO(buf_fini) struct buf sealed = {0};
    if (token.len > TOKEN_MOST || !base64_read(token, &sealed)) {
        return PDP_ERR_MALFORMED;
    }
    enum pdp_err err = keys_of(worker, &keys);
    if (err == PDP_ERR_OK) {
        err = bound_of(worker, peer, root, &bound);
    }
    if (err == PDP_ERR_OK) {
        err = open_place(worker, &keys, buf_view(&bound), buf_view(&sealed), after);
    }
    seal_wipe(&keys, sizeof keys);
    return err == PDP_ERR_CORRUPT ? PDP_ERR_MALFORMED : err;
}
