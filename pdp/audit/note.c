// SPDX-License-Identifier: Apache-2.0
#include "audit/note.h"

#include "base/base64.h"

#include <inttypes.h>

enum {
    ALGORITHM_ED25519 = 1
};
static const struct str DASH = {"\xe2\x80\x94 ", 4}; // U+2014 and a blank

static bool is_blank(uint32_t cp)
{
    return cp <= ' ' || cp == 0x7f || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f ||
           cp == 0x3000;
}

bool note_name_ok(struct str name)
{
    bool good = name.len > 0 && name.len <= NOTE_NAME_MAX && str_is_utf8(name);
    for (size_t at = 0; good && at < name.len;) {
        uint32_t cp = 0;
        good = str_next_cp(name, &at, &cp) && !is_blank(cp) && cp != '+';
    }
    return good;
}

enum pdp_err note_key_of(struct str name, const uint8_t key[static ED25519_KEY_BYTES], struct note_key *out)
{
    *out = (struct note_key){0};
    if (!note_name_ok(name)) {
        return PDP_ERR_RANGE;
    }
    static const uint8_t BETWEEN[] = {'\n', ALGORITHM_ED25519};
    uint8_t digest[SEAL_BYTES];
    AUTO(seal_hash_free) struct seal_hash *hash = NULL;
    TRY(seal_hash_new(&hash));
    seal_hash_add(hash, name.at, name.len);
    seal_hash_add(hash, BETWEEN, sizeof BETWEEN);
    seal_hash_add(hash, key, ED25519_KEY_BYTES);
    TRY(seal_hash_end(hash, digest));
    memcpy(out->name, name.at, name.len);
    memcpy(out->id, digest, sizeof out->id);
    memcpy(out->key, key, sizeof out->key);
    return PDP_ERR_OK;
}

static void put_hex(struct buf *out, const uint8_t *bytes, size_t len)
{
    static const char HEX[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        buf_byte(out, (unsigned char)HEX[bytes[i] >> 4]);
        buf_byte(out, (unsigned char)HEX[bytes[i] & 15]);
    }
}

void note_key_print(const struct note_key *key, struct buf *out)
{
    uint8_t bytes[1 + ED25519_KEY_BYTES] = {ALGORITHM_ED25519};
    memcpy(bytes + 1, key->key, sizeof key->key);
    buf_str(out, str_of(key->name));
    buf_byte(out, '+');
    put_hex(out, key->id, sizeof key->id);
    buf_byte(out, '+');
    base64_put(out, (struct str){(const char *)bytes, sizeof bytes});
}

// Base64 has plus signs too: name and id end at the first two.
enum pdp_err note_key_read(struct str text, struct note_key *out)
{
    *out = (struct note_key){0};
    size_t name_end = str_find_byte(text, '+', 0);
    size_t id_end = str_find_byte(text, '+', name_end < text.len ? name_end + 1 : text.len);
    uint8_t bytes[1 + ED25519_KEY_BYTES];
    struct note_key read;
    if (id_end >= text.len ||
        !base64_read_exactly(str_sub(text, id_end + 1, SIZE_MAX), bytes, sizeof bytes) ||
        bytes[0] != ALGORITHM_ED25519 || !note_name_ok(str_sub(text, 0, name_end))) {
        return PDP_ERR_MALFORMED;
    }
    TRY(note_key_of(str_sub(text, 0, name_end), bytes + 1, &read));
    AUTO(buf_fini) struct buf again = {0};
    note_key_print(&read, &again); // written again it is the same text, or its id is wrong
    if (!str_eq(buf_view(&again), text)) {
        return again.failed ? PDP_ERR_NOMEM : PDP_ERR_MALFORMED;
    }
    *out = read;
    return PDP_ERR_OK;
}

// ---- Notes ---------------------------------------------------------------------------------------

static bool text_ok(struct str text)
{
    bool good = text.len > 0 && text.at[text.len - 1] == '\n' && str_is_utf8(text);
    for (size_t i = 0; good && i < text.len; i++) {
        good = (unsigned char)text.at[i] >= ' ' || text.at[i] == '\n';
    }
    return good;
}

enum pdp_err note_sign(struct str text, const struct note_key *key,
                       const uint8_t seed[static ED25519_SEED_BYTES], struct buf *out)
{
    uint8_t bytes[NOTE_ID_BYTES + ED25519_SIGNATURE_BYTES];
    if (!text_ok(text)) {
        return PDP_ERR_MALFORMED;
    }
    memcpy(bytes, key->id, sizeof key->id);
    TRY(ed25519_sign(seed, text, bytes + NOTE_ID_BYTES));
    size_t before = out->len;
    buf_str(out, text);
    buf_byte(out, '\n');
    buf_str(out, DASH);
    buf_str(out, str_of(key->name));
    buf_byte(out, ' ');
    base64_put(out, (struct str){(const char *)bytes, sizeof bytes});
    buf_byte(out, '\n');
    if (out->failed) {
        out->len = before;
        return PDP_ERR_NOMEM;
    }
    return PDP_ERR_OK;
}

// Text and signature lines: they begin behind the last empty line.
static bool take_apart(struct str note, struct str *text, struct str *signatures)
{
    if (note.len > NOTE_BYTES_MAX || !text_ok(note)) {
        return false;
    }
    size_t at = note.len;
    while (at >= 2 && !(note.at[at - 1] == '\n' && note.at[at - 2] == '\n')) {
        at--;
    }
    *text = str_sub(note, 0, at >= 2 ? at - 1 : 0);
    *signatures = str_sub(note, at, SIZE_MAX);
    return at > 2 && signatures->len > 0;
}

struct signature {
    struct str name;
    uint8_t id[NOTE_ID_BYTES];
    struct buf bytes; // behind the id: as long as its kind has it
};

static void signature_fini(struct signature *signature)
{
    buf_fini(&signature->bytes);
}

static bool signature_read(struct str line, struct signature *out)
{
    struct str rest = str_sub(line, DASH.len, SIZE_MAX);
    size_t blank = str_find_byte(rest, ' ', 0);
    out->name = str_sub(rest, 0, blank);
    if (!str_starts(line, DASH) || blank >= rest.len || !note_name_ok(out->name) ||
        !base64_read(str_sub(rest, blank + 1, SIZE_MAX), &out->bytes) || out->bytes.len <= NOTE_ID_BYTES) {
        return false;
    }
    memcpy(out->id, out->bytes.at, sizeof out->id);
    buf_drop(&out->bytes, NOTE_ID_BYTES);
    return true;
}

// The place of the key that a signature names; `count` where it is nobody's.
static size_t key_named(const struct signature *signature, const struct note_key *keys, size_t count)
{
    size_t i = 0;
    while (i < count && !(str_eq(signature->name, str_of(keys[i].name)) &&
                          memcmp(signature->id, keys[i].id, sizeof keys[i].id) == 0)) {
        i++;
    }
    return i;
}

static enum pdp_err look_at(struct str line, struct str text, const struct note_key *keys, size_t count,
                            uint64_t *signers)
{
    AUTO(signature_fini) struct signature signature = {0};
    if (!signature_read(line, &signature)) {
        return PDP_ERR_MALFORMED;
    }
    size_t key = key_named(&signature, keys, count);
    if (key == count) {
        return PDP_ERR_OK;
    }
    if (signature.bytes.len != ED25519_SIGNATURE_BYTES ||
        !ed25519_verify(keys[key].key, text, signature.bytes.at)) {
        return PDP_ERR_DENIED;
    }
    *signers |= UINT64_C(1) << key;
    return PDP_ERR_OK;
}

enum pdp_err note_open(struct str note, const struct note_key *keys, size_t key_count, struct str *text,
                       uint64_t *signers)
{
    struct str signed_text, lines;
    uint64_t found = 0;
    size_t line_count = 0;
    *text = (struct str){0};
    if (signers != NULL) {
        *signers = 0;
    }
    key_count = key_count < NOTE_KEYS_MAX ? key_count : NOTE_KEYS_MAX;
    if (!take_apart(note, &signed_text, &lines)) {
        return PDP_ERR_MALFORMED;
    }
    for (size_t at = 0; at < lines.len; line_count++) {
        size_t end = str_find_byte(lines, '\n', at);
        if (line_count == NOTE_SIGNATURES_MAX) {
            return PDP_ERR_MALFORMED;
        }
        TRY(look_at(str_sub(lines, at, end - at), signed_text, keys, key_count, &found));
        at = end + 1;
    }
    if (found == 0) {
        return PDP_ERR_MISSING;
    }
    *text = signed_text;
    if (signers != NULL) {
        *signers = found;
    }
    return PDP_ERR_OK;
}

// ---- Checkpoints ---------------------------------------------------------------------------------

void checkpoint_write(const struct checkpoint *checkpoint, struct buf *out)
{
    buf_str(out, checkpoint->origin);
    buf_printf(out, "\n%" PRIu64 "\n", checkpoint->size);
    base64_put(out, (struct str){(const char *)checkpoint->root.at, sizeof checkpoint->root.at});
    buf_byte(out, '\n');
}

static bool next_line(struct str text, size_t *at, struct str *line)
{
    size_t end = str_find_byte(text, '\n', *at);
    *line = str_sub(text, *at, end - *at);
    bool whole = end < text.len;
    *at = whole ? end + 1 : text.len;
    return whole && line->len > 0;
}

enum pdp_err checkpoint_read(struct str text, struct checkpoint *out)
{
    *out = (struct checkpoint){0};
    struct checkpoint read = {0};
    struct str size, root, more;
    size_t at = 0;
    if (!next_line(text, &at, &read.origin) || !next_line(text, &at, &size) || !next_line(text, &at, &root) ||
        !str_to_u64(size, &read.size) || (size.at[0] == '0' && size.len > 1) || read.size > MERKLE_SIZE_MAX ||
        !base64_read_exactly(root, read.root.at, sizeof read.root.at)) {
        return PDP_ERR_MALFORMED;
    }
    while (at < text.len) {
        if (!next_line(text, &at, &more)) {
            return PDP_ERR_MALFORMED;
        }
    }
    *out = read;
    return PDP_ERR_OK;
}
