// SPDX-License-Identifier: Apache-2.0
#include "seal/sections.h"

#include "seal/seal.h"

static const struct str MAGIC = {"pdp-sections 1\n", 15};

static bool is_name(struct str name)
{
    bool good = name.len > 0 && name.len <= SECTION_NAME_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        good = (name.at[i] >= 'a' && name.at[i] <= 'z') || name.at[i] == '-';
    }
    return good;
}

// ---- Writing -------------------------------------------------------------------------------------

static void put(struct buf *out, uint64_t x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        buf_byte(out, (unsigned char)(x >> (8 * i)));
    }
}

enum pdp_err sections_write(const struct section *sections, size_t count, struct buf *out)
{
    invariant(count <= SECTIONS_MAX);
    size_t begin = out->len;
    buf_str(out, MAGIC);
    put(out, count, 4);
    for (size_t i = 0; i < count; i++) {
        invariant(is_name(sections[i].name) && sections[i].version > 0);
        put(out, sections[i].name.len, 1);
        buf_str(out, sections[i].name);
        put(out, sections[i].version, 4);
        put(out, sections[i].bytes.len, 8);
        buf_str(out, sections[i].bytes);
    }
    uint8_t digest[SEAL_BYTES];
    if (out->failed) {
        return PDP_ERR_NOMEM;
    }
    TRY(seal_sha256(out->at + begin, out->len - begin, digest));
    buf_put(out, digest, sizeof digest);
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

// ---- Reading -------------------------------------------------------------------------------------

// Takes so many bytes off the front; false where there are fewer.
static bool take(struct str *left, uint64_t len, struct str *out)
{
    *out = str_sub(*left, 0, 0);
    if (len > left->len) {
        return false;
    }
    *out = str_sub(*left, 0, (size_t)len);
    *left = str_sub(*left, (size_t)len, SIZE_MAX);
    return true;
}

static bool take_number(struct str *left, size_t bytes, uint64_t *out)
{
    struct str part;
    *out = 0;
    if (!take(left, bytes, &part)) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        *out |= (uint64_t)(unsigned char)part.at[i] << (8 * i);
    }
    return true;
}

static bool take_section(struct str *left, struct section *out)
{
    uint64_t name_len = 0, version = 0, len = 0;
    bool whole = take_number(left, 1, &name_len) && take(left, name_len, &out->name) &&
                 take_number(left, 4, &version) && take_number(left, 8, &len) && take(left, len, &out->bytes);
    out->version = (uint32_t)version;
    return whole && is_name(out->name) && version > 0;
}

static bool take_all(struct str left, struct section out[static SECTIONS_MAX], size_t *count)
{
    struct str magic;
    uint64_t number = 0;
    if (!take(&left, MAGIC.len, &magic) || !str_eq(magic, MAGIC) || !take_number(&left, 4, &number) ||
        number > SECTIONS_MAX) {
        return false;
    }
    for (size_t i = 0; i < number; i++) {
        if (!take_section(&left, &out[i])) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (str_eq(out[k].name, out[i].name)) {
                return false;
            }
        }
    }
    *count = (size_t)number;
    return left.len == 0;
}

enum pdp_err sections_read(struct str bytes, struct section out[static SECTIONS_MAX], size_t *count)
{
    uint8_t digest[SEAL_BYTES];
    *count = 0;
    if (bytes.len > SECTIONS_BYTES_MAX || bytes.len < SEAL_BYTES) {
        return PDP_ERR_CORRUPT;
    }
    struct str body = str_sub(bytes, 0, bytes.len - SEAL_BYTES);
    TRY(seal_sha256(body.at, body.len, digest));
    size_t found = 0;
    if (memcmp(digest, body.at + body.len, sizeof digest) != 0 || !take_all(body, out, &found)) {
        return PDP_ERR_CORRUPT;
    }
    *count = found;
    return PDP_ERR_OK;
}
