// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/keys.h"

#include "seal/seal.h"

#include <inttypes.h>

static const char HEAD[] = "pdp-keys 1\n";

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum pdp_err put_digest(struct buf *out)
{
    uint8_t digest[SEAL_BYTES];
    TRY(seal_sha256(out->at, out->len, digest));
    buf_str(out, STR("sha256 "));
    for (size_t i = 0; i < sizeof digest; i++) {
        buf_printf(out, "%02x", digest[i]);
    }
    buf_byte(out, '\n');
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

enum pdp_err keys_write(const struct state_keys *keys, struct buf *out)
{
    buf_str(out, str_of(HEAD));
    buf_printf(out, "names %016" PRIx64 "%016" PRIx64 "\n", keys->names.k0, keys->names.k1);
    for (unsigned i = 0; i < SESSION_KEYS; i++) {
        if ((keys->id_set >> i & 1) != 0) {
            buf_printf(out, "ids %u%s %016" PRIx64 "%016" PRIx64 "\n", i, i == keys->id ? " new" : "",
                       keys->ids[i].k0, keys->ids[i].k1);
        }
    }
    return put_digest(out);
}

static bool take_word(struct str *line, struct str word)
{
    if (!str_starts(*line, word)) {
        return false;
    }
    *line = str_sub(*line, word.len, line->len);
    return true;
}

static bool take_key(struct str line, struct hash_key *key)
{
    uint64_t parts[2] = {0};
    if (line.len != 32) {
        return false;
    }
    for (size_t i = 0; i < 32; i++) {
        int digit = digit_of(line.at[i]);
        if (digit < 0) {
            return false;
        }
        parts[i / 16] = parts[i / 16] << 4 | (uint64_t)digit;
    }
    *key = (struct hash_key){parts[0], parts[1]};
    return true;
}

static bool take_id(struct str line, struct state_keys *keys)
{
    unsigned number = 0;
    size_t digits = 0;
    while (digits < line.len && line.at[digits] >= '0' && line.at[digits] <= '9' && digits < 3) {
        number = number * 10 + (unsigned)(line.at[digits++] - '0');
    }
    line = str_sub(line, digits, line.len);
    if (digits == 0 || number >= SESSION_KEYS) {
        return false;
    }
    if (take_word(&line, STR(" new"))) {
        keys->id = (uint8_t)number;
    }
    keys->id_set |= (uint16_t)(1U << number);
    return take_word(&line, STR(" ")) && take_key(line, &keys->ids[number]);
}

static bool take_line(struct str line, struct state_keys *keys)
{
    if (take_word(&line, STR("names "))) {
        return take_key(line, &keys->names);
    }
    return take_word(&line, STR("ids ")) && take_id(line, keys);
}

// Leniently; whatever the strict writer would not give is found by comparing.
static void take_lines(struct str text, struct state_keys *keys)
{
    while (text.len != 0) {
        size_t len = 0;
        while (len < text.len && text.at[len] != '\n') {
            len++;
        }
        (void)take_line(str_sub(text, 0, len), keys);
        text = str_sub(text, len < text.len ? len + 1 : len, text.len);
    }
}

enum pdp_err keys_read(struct str text, struct state_keys *out)
{
    *out = (struct state_keys){0};
    if (text.len > KEYS_BYTES_MAX) {
        return PDP_ERR_CORRUPT;
    }
    struct state_keys keys = {0};
    take_lines(text, &keys);
    AUTO(buf_fini) struct buf same = {0};
    if (keys.id_set == 0 || (keys.id_set >> keys.id & 1) == 0) {
        return PDP_ERR_CORRUPT;
    }
    TRY(keys_write(&keys, &same));
    bool equal = str_eq(buf_view(&same), text);
    seal_wipe(same.at, same.len);
    if (equal) {
        *out = keys;
    }
    seal_wipe(&keys, sizeof keys);
    return equal ? PDP_ERR_OK : PDP_ERR_CORRUPT;
}
