// SPDX-License-Identifier: Apache-2.0
#include "audit/keys.h"

#include "audit/files.h"
#include "base/base64.h"

enum {
    KEY_FILE_MAX = 4096
};
static const struct str FIRST_LINE = {"pdp-audit-key 1\n", 16};

void audit_keys_wipe(struct audit_keys *keys)
{
    seal_wipe(keys, sizeof *keys);
}

static void wipe(struct buf *buf)
{
    seal_wipe(buf->at, buf->cap);
    buf_fini(buf);
}

// The value of a line `key value\n` at *at; empty where it is not that.
static struct str line_value(struct str text, size_t *at, struct str key)
{
    size_t end = str_find_byte(text, '\n', *at);
    struct str line = str_sub(text, *at, end - *at);
    *at = end < text.len ? end + 1 : text.len;
    return str_starts(line, key) ? str_sub(line, key.len, SIZE_MAX) : (struct str){0};
}

static enum pdp_err derive(struct audit_keys *keys, size_t i)
{
    uint8_t public[ED25519_KEY_BYTES];
    TRY(ed25519_public(keys->seeds[i], public));
    return note_key_of(str_of(keys->origin), public, &keys->keys[i]);
}

static enum pdp_err keys_read(struct str text, struct audit_keys *out)
{
    size_t at = FIRST_LINE.len;
    struct str origin = line_value(text, &at, STR("origin "));
    if (!str_starts(text, FIRST_LINE) || !note_name_ok(origin)) {
        return PDP_ERR_CORRUPT;
    }
    memcpy(out->origin, origin.at, origin.len);
    while (at < text.len) {
        struct str seed = line_value(text, &at, STR("seed "));
        if (out->count == AUDIT_SEEDS_MAX ||
            !base64_read_exactly(seed, out->seeds[out->count], ED25519_SEED_BYTES)) {
            return PDP_ERR_CORRUPT;
        }
        TRY(derive(out, out->count));
        out->count++;
    }
    return out->count > 0 ? PDP_ERR_OK : PDP_ERR_CORRUPT;
}

enum pdp_err audit_keys_load(const char *dir, struct audit_keys *out)
{
    *out = (struct audit_keys){0};
    AUTO(wipe) struct buf text = {0};
    TRY(files_take(dir, "key", KEY_FILE_MAX, &text));
    enum pdp_err err = keys_read(buf_view(&text), out);
    if (err != PDP_ERR_OK) {
        audit_keys_wipe(out);
    }
    return err;
}

static enum pdp_err write_key(const char *dir, const struct audit_keys *keys)
{
    AUTO(wipe) struct buf text = {.limit = KEY_FILE_MAX};
    (void)buf_grow(&text, KEY_FILE_MAX); // at once, so that no part of it stays in memory given back
    buf_str(&text, FIRST_LINE);
    buf_str(&text, STR("origin "));
    buf_str(&text, str_of(keys->origin));
    buf_byte(&text, '\n');
    for (size_t i = 0; i < keys->count; i++) {
        buf_str(&text, STR("seed "));
        base64_put(&text, (struct str){(const char *)keys->seeds[i], ED25519_SEED_BYTES});
        buf_byte(&text, '\n');
    }
    return text.failed ? PDP_ERR_NOMEM : files_replace(dir, "key", buf_view(&text), 0600);
}

// The newest key goes in front of those that are there.
static enum pdp_err write_vkeys(const char *dir, const struct audit_keys *keys)
{
    AUTO(buf_fini) struct buf text = {0}, before = {0};
    note_key_print(&keys->keys[0], &text);
    buf_byte(&text, '\n');
    enum pdp_err err = files_take(dir, "vkeys", AUDIT_VKEYS_BYTES_MAX, &before);
    if (err != PDP_ERR_OK && err != PDP_ERR_MISSING) {
        return err;
    }
    buf_str(&text, buf_view(&before));
    return text.failed ? PDP_ERR_NOMEM : files_replace(dir, "vkeys", buf_view(&text), 0644);
}

static enum pdp_err draw_front(struct audit_keys *keys, vault_draw *draw)
{
    size_t kept = keys->count < AUDIT_SEEDS_MAX ? keys->count : AUDIT_SEEDS_MAX - 1;
    memmove(keys->seeds[1], keys->seeds[0], kept * sizeof *keys->seeds);
    memmove(&keys->keys[1], &keys->keys[0], kept * sizeof *keys->keys);
    keys->count = kept + 1;
    if (!draw(keys->seeds[0], sizeof keys->seeds[0])) {
        return PDP_ERR_IO;
    }
    return derive(keys, 0);
}

// `vkeys` comes first: a key that signs is known to verifiers.
static enum pdp_err write_both(const char *dir, const struct audit_keys *keys)
{
    TRY(write_vkeys(dir, keys));
    return write_key(dir, keys);
}

enum pdp_err audit_keys_make(const char *dir, const char *origin, vault_draw *draw, struct audit_keys *out)
{
    static const char HEX[] = "0123456789abcdef";
    *out = (struct audit_keys){0};
    struct str name = str_of(origin);
    if (name.len > 0) {
        if (!note_name_ok(name)) {
            return PDP_ERR_RANGE;
        }
        memcpy(out->origin, name.at, name.len);
    } else {
        uint8_t drawn[8];
        if (!draw(drawn, sizeof drawn)) {
            return PDP_ERR_IO;
        }
        memcpy(out->origin, "pdp-audit-", 10);
        for (size_t i = 0; i < sizeof drawn; i++) {
            out->origin[10 + 2 * i] = HEX[drawn[i] >> 4];
            out->origin[11 + 2 * i] = HEX[drawn[i] & 15];
        }
    }
    TRY(draw_front(out, draw));
    return write_both(dir, out);
}

enum pdp_err audit_keys_rotate(const char *dir, vault_draw *draw, struct audit_keys *keys)
{
    TRY(draw_front(keys, draw));
    return write_both(dir, keys);
}

enum pdp_err audit_keys_sign(const struct audit_keys *keys, struct str text, struct buf *out)
{
    size_t before = out->len;
    for (size_t i = 0; i < keys->count; i++) {
        AUTO(buf_fini) struct buf note = {0};
        enum pdp_err err = note_sign(text, &keys->keys[i], keys->seeds[i], &note);
        if (err != PDP_ERR_OK) {
            out->len = before;
            return err;
        }
        // Further signatures are lines behind the first.
        buf_str(out, i == 0 ? buf_view(&note) : str_sub(buf_view(&note), text.len + 1, SIZE_MAX));
    }
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

enum pdp_err audit_vkeys_read(struct str text, struct note_key keys[static NOTE_KEYS_MAX], size_t *count)
{
    *count = 0;
    for (size_t at = 0; at < text.len && *count < NOTE_KEYS_MAX;) {
        size_t end = str_find_byte(text, '\n', at);
        if (end == text.len) {
            return PDP_ERR_MALFORMED; // each line is whole
        }
        TRY(note_key_read(str_sub(text, at, end - at), &keys[*count]));
        ++*count;
        at = end + 1;
    }
    return *count > 0 ? PDP_ERR_OK : PDP_ERR_MALFORMED;
}
