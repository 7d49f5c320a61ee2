// SPDX-License-Identifier: Apache-2.0
#include "seal/bundle.h"

#include "base/num.h"
#include "base/time.h"

// A byte that no text begins with, CR LF and a byte that ends text for some: a file that was taken for text
// on its way is told at once.
static const char MAGIC[8] = {'\x89', 'P', 'D', 'P', 'B', '\r', '\n', '\x1a'};
static const unsigned char FORMAT = 1;
static const char PREFIX[BUNDLE_MESSAGE_BYTES - SEAL_BYTES] = "pdp-bundle-v1"; // with its NUL

static const struct {
    enum bundle_kind kind;
    const char *word;
    uint64_t most;
} KINDS[] = {
#define X(name, number, word, most) {BUNDLE_##name, word, most},
    BUNDLE_KIND_LIST(X)
#undef X
};

static size_t kind_index(unsigned number)
{
    size_t i = 0;
    while (i < COUNT_OF(KINDS) && (unsigned)KINDS[i].kind != number) {
        i++;
    }
    return i;
}

const char *bundle_kind_word(enum bundle_kind kind)
{
    size_t i = kind_index((unsigned)kind);
    return i < COUNT_OF(KINDS) ? KINDS[i].word : "entry";
}

// ---- Names -----------------------------------------------------------------------------------------

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *bundle_name_wrong(struct str name)
{
    bool good = name.len > 0 && is_plain(name.at[0]);
    for (size_t i = 0; i < name.len && good; i++) {
        good = is_plain(name.at[i]) || name.at[i] == '-' || name.at[i] == '_' || name.at[i] == '.';
    }
    if (name.len > BUNDLE_NAME_MAX) {
        return "a bundle's name has at most 64 bytes";
    }
    return good ? NULL
                : "a bundle's name is small letters, digits, `-`, `_` and `.`, a letter or digit first";
}

static const char *path_bytes_wrong(struct str path)
{
    if (path.len == 0) {
        return "the name of an entry is empty";
    }
    if (path.len > BUNDLE_PATH_MAX) {
        return "the name of an entry has more than 1024 bytes";
    }
    for (size_t i = 0; i < path.len; i++) {
        if ((unsigned char)path.at[i] < 0x20 || path.at[i] == 0x7f || path.at[i] == '\\') {
            return "the name of an entry holds a control byte or a backslash";
        }
    }
    return str_is_utf8(path) ? NULL : "the name of an entry is not UTF-8";
}

// Hidden names stay out: a folder is read without them, so a document of that name would be in one and not in
// the other.
static const char *segment_wrong(enum bundle_kind kind, struct str segment)
{
    if (segment.len == 0) {
        return "the name of an entry is absolute or has an empty part";
    }
    if (str_eq(segment, STR(".")) || str_eq(segment, STR(".."))) {
        return "the name of an entry has a part `.` or `..`";
    }
    bool hidden = kind == BUNDLE_DOCUMENT && segment.at[0] == '.';
    return hidden ? "the name of a document has a part that begins with `.`" : NULL;
}

static bool zone_byte(char c)
{
    return is_plain(c) || (c >= 'A' && c <= 'Z') || c == '/' || c == '_' || c == '-' || c == '+';
}

static const char *kind_wrong(enum bundle_kind kind, struct str path)
{
    if (kind == BUNDLE_DOCUMENT && !str_ends(path, STR(".yaml")) && !str_ends(path, STR(".yml"))) {
        return "the name of a document ends in `.yaml` or `.yml`";
    }
    for (size_t i = 0; kind == BUNDLE_ZONE && i < path.len; i++) {
        if (!zone_byte(path.at[i]) || path.len > 64) {
            return "this is no name of a time zone";
        }
    }
    return NULL;
}

const char *bundle_path_wrong(enum bundle_kind kind, struct str path)
{
    const char *wrong = path_bytes_wrong(path);
    for (size_t at = 0; at <= path.len && wrong == NULL;) {
        size_t end = str_find_byte(path, '/', at);
        wrong = segment_wrong(kind, str_sub(path, at, end - at));
        at = end + 1;
    }
    return wrong != NULL ? wrong : kind_wrong(kind, path);
}

int bundle_entry_cmp(const struct bundle_entry *a, const struct bundle_entry *b)
{
    return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind) : str_cmp(a->name, b->name);
}

static const char *entry_wrong(const struct bundle_entry *before, const struct bundle_entry *entry)
{
    size_t kind = kind_index((unsigned)entry->kind);
    if (kind == COUNT_OF(KINDS)) {
        return "this is no kind of entry";
    }
    const char *wrong = bundle_path_wrong(entry->kind, entry->name);
    if (wrong != NULL) {
        return wrong;
    }
    int order = before != NULL ? bundle_entry_cmp(before, entry) : -1;
    return order < 0 ? NULL : order == 0 ? "this entry is there twice" : "entries are not in order";
}

// ---- Reading -----------------------------------------------------------------------------------------

// Bytes from outside; a failure is kept and is told once, at the place where it happened.
struct cursor {
    struct str bytes;
    size_t at;
    enum pdp_err err;
    struct bundle_fault *why;
};

static void fail(struct cursor *in, enum pdp_err err, size_t offset, const char *what)
{
    if (in->err == PDP_ERR_OK) {
        in->err = err;
        in->why->offset = offset;
        in->why->what = what;
    }
}

// The next `len` bytes, which need not be there however much is claimed.
static struct str take(struct cursor *in, uint64_t len)
{
    if (in->err != PDP_ERR_OK || len > in->bytes.len - in->at) {
        fail(in, PDP_ERR_MALFORMED, in->bytes.len, "the bundle ends too early");
        return (struct str){0};
    }
    struct str part = {in->bytes.at + in->at, (size_t)len};
    in->at += (size_t)len;
    return part;
}

static uint64_t take_number(struct cursor *in, size_t bytes)
{
    struct str part = take(in, bytes);
    uint64_t number = 0;
    for (size_t i = 0; i < part.len; i++) {
        number = number << 8 | (unsigned char)part.at[i];
    }
    return number;
}

static void read_magic(struct cursor *in)
{
    struct str magic = take(in, sizeof MAGIC);
    if (in->err != PDP_ERR_OK || memcmp(magic.at, MAGIC, sizeof MAGIC) != 0) {
        in->err = PDP_ERR_OK;
        fail(in, PDP_ERR_MALFORMED, 0, "this is no bundle");
        return;
    }
    size_t at = in->at;
    if (take_number(in, 1) != FORMAT) {
        fail(in, PDP_ERR_UNSUPPORTED, at, "this version of the format is not known here");
    }
}

static void read_head(struct cursor *in, struct bundle *out)
{
    read_magic(in);
    size_t at = in->at;
    uint64_t version = take_number(in, 8);
    if (version == 0 || version > BUNDLE_VERSION_MAX) {
        fail(in, PDP_ERR_MALFORMED, at, "a bundle's version is a number from 1 to 9223372036854775807");
    }
    at = in->at;
    uint64_t expires_s = take_number(in, 8);
    if (expires_s == 0 || expires_s > (uint64_t)TIME_MAX_S) {
        fail(in, PDP_ERR_MALFORMED, at, "the expiry is a time from 1970 to 9999");
    }
    out->version = (int64_t)version;
    out->expires_s = (int64_t)expires_s;
    uint64_t len = take_number(in, 1);
    at = in->at;
    out->name = take(in, len);
    const char *wrong = in->err == PDP_ERR_OK ? bundle_name_wrong(out->name) : NULL;
    if (wrong != NULL) {
        fail(in, PDP_ERR_MALFORMED, at, wrong);
    }
    at = in->at;
    uint64_t count = take_number(in, 4);
    if (count > BUNDLE_ENTRIES_MAX) {
        fail(in, PDP_ERR_LIMIT, at, "a bundle has at most 20000 entries");
    }
    out->entry_count = (uint32_t)count;
    out->entries_at = in->at;
}

static struct bundle_entry read_entry(struct cursor *in, const struct bundle_entry *before)
{
    size_t at = in->at;
    unsigned number = (unsigned)take_number(in, 1);
    size_t kind = kind_index(number);
    if (in->err == PDP_ERR_OK && kind == COUNT_OF(KINDS)) {
        fail(in, PDP_ERR_MALFORMED, at, "this is no kind of entry");
        return (struct bundle_entry){0};
    }
    struct bundle_entry entry = {.kind = (enum bundle_kind)number};
    uint64_t name_len = take_number(in, 2);
    entry.name = take(in, name_len);
    const char *wrong = in->err == PDP_ERR_OK ? entry_wrong(before, &entry) : NULL;
    if (wrong != NULL) {
        fail(in, PDP_ERR_MALFORMED, at, wrong);
        in->why->name = entry.name;
    }
    at = in->at;
    uint64_t len = take_number(in, 8);
    if (in->err == PDP_ERR_OK && len > KINDS[kind].most) {
        fail(in, PDP_ERR_LIMIT, at, "this entry is too large");
        in->why->name = entry.name;
    }
    entry.bytes = take(in, len);
    return entry;
}

static void read_entries(struct cursor *in, struct bundle *out)
{
    struct bundle_entry before = {0};
    for (uint32_t i = 0; i < out->entry_count && in->err == PDP_ERR_OK; i++) {
        struct bundle_entry entry = read_entry(in, i > 0 ? &before : NULL);
        if (in->err == PDP_ERR_OK) {
            out->count_of[entry.kind]++;
        }
        before = entry;
    }
    out->body = (struct str){in->bytes.at, in->at};
}

static void read_signatures(struct cursor *in, struct bundle *out)
{
    size_t at = in->at;
    uint64_t count = take_number(in, 1);
    if (count > BUNDLE_SIGNATURES_MAX) {
        fail(in, PDP_ERR_LIMIT, at, "a bundle has at most 16 signatures");
    }
    for (size_t i = 0; i < count && in->err == PDP_ERR_OK; i++) {
        struct bundle_signature *one = &out->signatures[i];
        at = in->at;
        struct str id = take(in, sizeof one->key_id);
        struct str bytes = take(in, sizeof one->bytes);
        if (in->err != PDP_ERR_OK) {
            return;
        }
        memcpy(one->key_id, id.at, id.len);
        memcpy(one->bytes, bytes.at, bytes.len);
        out->signature_count++;
        if (i > 0 && memcmp(one[-1].key_id, one->key_id, sizeof one->key_id) >= 0) {
            fail(in, PDP_ERR_MALFORMED, at, "signatures are not in the order of their keys");
        }
    }
    if (in->at != in->bytes.len) {
        fail(in, PDP_ERR_MALFORMED, in->at, "there are bytes behind the end of the bundle");
    }
}

enum pdp_err bundle_read(struct str bytes, struct bundle *out, struct bundle_fault *why)
{
    *out = (struct bundle){0};
    *why = (struct bundle_fault){0, "", {0}};
    struct cursor in = {.bytes = bytes, .why = why};
    if (bytes.len > BUNDLE_BYTES_MAX) {
        fail(&in, PDP_ERR_LIMIT, BUNDLE_BYTES_MAX, "a bundle has at most 1 GiB");
    }
    struct bundle read = {0};
    read_head(&in, &read);
    read_entries(&in, &read);
    read_signatures(&in, &read);
    TRY(in.err);
    TRY(seal_sha256(read.body.at, read.body.len, read.digest));
    *out = read;
    return PDP_ERR_OK;
}

bool bundle_next(const struct bundle *bundle, size_t *at, struct bundle_entry *out)
{
    *out = (struct bundle_entry){0};
    struct bundle_fault why;
    struct cursor in = {.bytes = bundle->body, .at = *at == 0 ? bundle->entries_at : *at, .why = &why};
    if (in.at >= bundle->body.len) {
        return false;
    }
    struct bundle_entry entry = read_entry(&in, NULL);
    if (in.err != PDP_ERR_OK) {
        return false; // not of a bundle that was read
    }
    *at = in.at;
    *out = entry;
    return true;
}

// ---- Writing -----------------------------------------------------------------------------------------

static void put_number(struct buf *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        buf_byte(out, (unsigned char)(number >> 8 * (bytes - 1 - i)));
    }
}

static enum pdp_err refuse(struct bundle_fault *why, enum pdp_err err, const char *what, struct str name)
{
    *why = (struct bundle_fault){0, what, name};
    return err;
}

static enum pdp_err write_head(const struct bundle *head, size_t count, struct buf *out,
                               struct bundle_fault *why)
{
    const char *wrong = bundle_name_wrong(head->name);
    if (wrong != NULL) {
        return refuse(why, PDP_ERR_SYNTAX, wrong, head->name);
    }
    if (head->version < 1 || head->expires_s < 1 || head->expires_s > TIME_MAX_S) {
        return refuse(why, PDP_ERR_RANGE, "a version begins with 1, an expiry lies between 1970 and 9999",
                      head->name);
    }
    if (count > BUNDLE_ENTRIES_MAX) {
        return refuse(why, PDP_ERR_LIMIT, "a bundle has at most 20000 entries", head->name);
    }
    buf_put(out, MAGIC, sizeof MAGIC);
    put_number(out, FORMAT, 1);
    put_number(out, (uint64_t)head->version, 8);
    put_number(out, (uint64_t)head->expires_s, 8);
    put_number(out, head->name.len, 1);
    buf_str(out, head->name);
    put_number(out, count, 4);
    return PDP_ERR_OK;
}

enum pdp_err bundle_write(const struct bundle *head, const struct bundle_entry *entries, size_t count,
                          struct buf *out, struct bundle_fault *why)
{
    *why = (struct bundle_fault){0, "", {0}};
    TRY(write_head(head, count, out, why));
    for (size_t i = 0; i < count; i++) {
        const char *wrong = entry_wrong(i > 0 ? &entries[i - 1] : NULL, &entries[i]);
        if (wrong != NULL) {
            return refuse(why, PDP_ERR_SYNTAX, wrong, entries[i].name);
        }
        if (entries[i].bytes.len > KINDS[kind_index((unsigned)entries[i].kind)].most) {
            return refuse(why, PDP_ERR_LIMIT, "this entry is too large", entries[i].name);
        }
        put_number(out, (uint64_t)entries[i].kind, 1);
        put_number(out, entries[i].name.len, 2);
        buf_str(out, entries[i].name);
        put_number(out, entries[i].bytes.len, 8);
        buf_str(out, entries[i].bytes);
    }
    put_number(out, 0, 1);
    if (out->failed || out->len > BUNDLE_BYTES_MAX) {
        return refuse(why, out->failed ? PDP_ERR_NOMEM : PDP_ERR_LIMIT, "a bundle has at most 1 GiB",
                      head->name);
    }
    return PDP_ERR_OK;
}

static void put_signature(struct buf *out, const struct bundle_signature *signature)
{
    buf_put(out, signature->key_id, sizeof signature->key_id);
    buf_put(out, signature->bytes, sizeof signature->bytes);
}

enum pdp_err bundle_put_signature(const struct bundle *bundle, const struct bundle_signature *signature,
                                  struct buf *out)
{
    size_t place = 0;
    int order = 1;
    while (place < bundle->signature_count &&
           (order = memcmp(bundle->signatures[place].key_id, signature->key_id, BUNDLE_KEY_ID_BYTES)) < 0) {
        place++;
    }
    bool instead = place < bundle->signature_count && order == 0;
    if (!instead && bundle->signature_count == BUNDLE_SIGNATURES_MAX) {
        return PDP_ERR_LIMIT;
    }
    buf_str(out, bundle->body);
    put_number(out, bundle->signature_count + !instead, 1);
    for (size_t i = 0; i < place; i++) {
        put_signature(out, &bundle->signatures[i]);
    }
    put_signature(out, signature);
    for (size_t i = place + instead; i < bundle->signature_count; i++) {
        put_signature(out, &bundle->signatures[i]);
    }
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

// ---- What is signed ------------------------------------------------------------------------------------

void bundle_message(const uint8_t digest[static SEAL_BYTES], uint8_t out[static BUNDLE_MESSAGE_BYTES])
{
    memcpy(out, PREFIX, sizeof PREFIX);
    memcpy(out + sizeof PREFIX, digest, SEAL_BYTES);
}

void bundle_hex(const uint8_t bytes[static SEAL_BYTES], struct buf *out)
{
    for (size_t i = 0; i < SEAL_BYTES; i++) {
        buf_printf(out, "%02x", bytes[i]);
    }
}
