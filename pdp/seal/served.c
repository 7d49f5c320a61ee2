// SPDX-License-Identifier: Apache-2.0
#include "seal/served.h"

#include <inttypes.h>

static const struct {
    const char *word, *text;
} REFUSALS[] = {
#define X(name, word, text) {word, text},
    SERVED_REFUSAL_LIST(X)
#undef X
};

const char *served_refusal_word(enum served_refusal refusal)
{
    return (unsigned)refusal < SERVED_REFUSAL_COUNT ? REFUSALS[refusal].word : "unknown";
}

const char *served_refusal_text(enum served_refusal refusal)
{
    return (unsigned)refusal < SERVED_REFUSAL_COUNT ? REFUSALS[refusal].text : "refused";
}

enum served_refusal served_judge(const struct served *last, const struct bundle *bundle, int64_t now_s)
{
    if (now_s >= bundle->expires_s) {
        return SERVED_EXPIRED;
    }
    if (!last->known) {
        return SERVED_NONE;
    }
    if (!str_eq(bundle->name, str_of(last->name))) {
        return SERVED_NAME;
    }
    if (bundle->version < last->version) {
        return SERVED_ROLLBACK;
    }
    bool same = memcmp(bundle->digest, last->digest, sizeof last->digest) == 0;
    return bundle->version == last->version && !same ? SERVED_CONTENT : SERVED_NONE;
}

struct served served_of(const struct bundle *bundle)
{
    struct served out = {.known = true, .version = bundle->version};
    memcpy(out.name, bundle->name.at, bundle->name.len);
    memcpy(out.digest, bundle->digest, sizeof out.digest);
    return out;
}

// ---- The text ----------------------------------------------------------------------------------------

enum pdp_err served_write(const struct served *served, struct buf *out)
{
    size_t begin = out->len;
    buf_printf(out, "pdp-served-bundle 1\nname %s\nversion %" PRId64 "\ndigest sha256:", served->name,
               served->version);
    bundle_hex(served->digest, out);
    buf_byte(out, '\n');
    struct str before = {(const char *)out->at + begin, out->len - begin};
    uint8_t check[SEAL_BYTES];
    if (out->failed) {
        return PDP_ERR_NOMEM;
    }
    TRY(seal_sha256(before.at, before.len, check));
    buf_str(out, STR("check sha256:"));
    bundle_hex(check, out);
    buf_byte(out, '\n');
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

// The value of a line `key value\n` at *at; empty where it is not that.
static struct str line_value(struct str text, size_t *at, struct str key)
{
    struct str rest = str_sub(text, *at, SIZE_MAX);
    size_t end = str_find_byte(rest, '\n', 0);
    struct str line = str_sub(rest, 0, end);
    *at += end < rest.len ? end + 1 : end;
    return str_starts(line, key) ? str_sub(line, key.len, SIZE_MAX) : (struct str){0};
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_read(struct str hex, uint8_t out[static SEAL_BYTES])
{
    if (hex.len != 2 * (size_t)SEAL_BYTES) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < SEAL_BYTES; i++) {
        int high = nibble(hex.at[2 * i]), low = nibble(hex.at[2 * i + 1]);
        good = good && high >= 0 && low >= 0;
        out[i] = good ? (uint8_t)(high * 16 + low) : 0;
    }
    return good;
}

static bool read_lines(struct str text, struct served *out)
{
    size_t at = 0;
    uint64_t version = 0;
    struct str format = line_value(text, &at, STR("pdp-served-bundle "));
    struct str name = line_value(text, &at, STR("name "));
    struct str number = line_value(text, &at, STR("version "));
    struct str digest = line_value(text, &at, STR("digest sha256:"));
    if (!str_eq(format, STR("1")) || bundle_name_wrong(name) != NULL || !str_to_u64(number, &version) ||
        version < 1 || version > BUNDLE_VERSION_MAX || !hex_read(digest, out->digest)) {
        return false;
    }
    memcpy(out->name, name.at, name.len);
    out->version = (int64_t)version;
    out->known = true;
    return true;
}

// Written again, it must be what was read: nothing is left over, nothing has two forms, and the digest holds.
enum pdp_err served_read(struct str text, struct served *out)
{
    *out = (struct served){0};
    struct served read = {0};
    AUTO(buf_fini) struct buf again = {0};
    if (text.len > SERVED_BYTES_MAX || !read_lines(text, &read)) {
        return PDP_ERR_CORRUPT;
    }
    TRY(served_write(&read, &again));
    if (!str_eq(buf_view(&again), text)) {
        return PDP_ERR_CORRUPT;
    }
    *out = read;
    return PDP_ERR_OK;
}
