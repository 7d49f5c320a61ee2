// SPDX-License-Identifier: Apache-2.0
// The file `served/index`: one JSON value, a line with its digest in front.
#include "daemon/state/archive_inner.h"
#include "seal/seal.h"
#include "wire/wire.h"

#include <stdio.h>

static const size_t INDEX_BYTES_MAX = 2 * 1024 * 1024;
static const char HEAD[] = "pdp-served-index 1 sha256:";

// X(member, size): texts of an entry
#define ENTRY_TEXTS(X) X(snapshot) X(sources) X(geo) X(name) X(by) X(reason) X(file)
#define PIN_TEXTS(X) X(from) X(to) X(sources) X(by) X(reason)

// ---- Writing -----------------------------------------------------------------------------------------

static void put_entry(struct emit *emit, const struct archive_entry *entry)
{
    emit_map(emit, SIZE_MAX);
    emit_key_int(emit, "since_ms", entry->since_ms);
    emit_key_int(emit, "until_ms", entry->until_ms);
    emit_key_int(emit, "version", entry->version);
    emit_key_int(emit, "bytes", (int64_t)entry->bytes);
#define X(member) emit_key_str(emit, #member, str_of(entry->member));
    ENTRY_TEXTS(X)
#undef X
    emit_end(emit);
}

static void put_pin(struct emit *emit, const struct archive_pin *pin)
{
    emit_map(emit, SIZE_MAX);
    emit_key_int(emit, "at_ms", pin->at_ms);
#define X(member) emit_key_str(emit, #member, str_of(pin->member));
    PIN_TEXTS(X)
#undef X
    emit_end(emit);
}

static void put_index(const struct archive_index *index, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, 2);
    emit_key(&emit, STR("pin"));
    put_pin(&emit, &index->pin);
    emit_key(&emit, STR("served"));
    emit_list(&emit, index->count);
    for (size_t i = 0; i < index->count; i++) {
        put_entry(&emit, &index->entries[i]);
    }
    emit_end(&emit);
    emit_end(&emit);
    buf_byte(out, '\n');
}

static bool print_head(struct str body, struct buf *out)
{
    uint8_t sha[SEAL_BYTES];
    bool made = seal_sha256(body.at, body.len, sha) == PDP_ERR_OK;
    buf_str(out, str_of(HEAD));
    bundle_hex(sha, out);
    buf_byte(out, '\n');
    return made;
}

void archive_index_print(const struct archive_index *index, struct buf *out)
{
    AUTO(buf_fini) struct buf body = {0};
    put_index(index, &body);
    out->failed = body.failed || !print_head(buf_view(&body), out) || out->failed;
    buf_str(out, buf_view(&body));
}

// ---- Reading -----------------------------------------------------------------------------------------

static bool take_text(const struct value *map, const char *key, char *out, size_t size)
{
    const struct value *text = value_get(map, str_of(key));
    bool right = text != NULL && text->kind == VALUE_STRING && text->n < size &&
                 memchr(text->as.text, 0, text->n) == NULL;
    if (right) {
        memcpy(out, text->as.text, text->n);
        out[text->n] = '\0';
    }
    return right;
}

static bool take_int(const struct value *map, const char *key, int64_t *out)
{
    const struct value *number = value_get(map, str_of(key));
    bool right = number != NULL && number->kind == VALUE_INT && number->as.i >= 0;
    *out = right ? number->as.i : 0;
    return right;
}

// What is removed and read by name must be a plain name.
static bool plain_file(const char *file)
{
    return strchr(file, '/') == NULL && file[0] != '.' && strcmp(file, "index") != 0;
}

static bool take_entry(const struct value *map, struct archive_entry *out)
{
    int64_t bytes = 0;
    bool right = map->kind == VALUE_MAP && take_int(map, "since_ms", &out->since_ms) &&
                 take_int(map, "until_ms", &out->until_ms) && take_int(map, "version", &out->version) &&
                 take_int(map, "bytes", &bytes);
#define X(member) right = right && take_text(map, #member, out->member, sizeof out->member);
    ENTRY_TEXTS(X)
#undef X
    out->bytes = (uint64_t)bytes;
    return right && plain_file(out->file);
}

static bool take_pin(const struct value *map, struct archive_pin *out)
{
    bool right = map != NULL && map->kind == VALUE_MAP && take_int(map, "at_ms", &out->at_ms);
#define X(member) right = right && take_text(map, #member, out->member, sizeof out->member);
    PIN_TEXTS(X)
#undef X
    return right;
}

static bool take_index(const struct value *root, struct archive_index *out)
{
    const struct value *served = value_get(root, STR("served"));
    if (served == NULL || served->kind != VALUE_LIST || served->n > ARCHIVE_MOST ||
        !take_pin(value_get(root, STR("pin")), &out->pin)) {
        return false;
    }
    for (; out->count < served->n; out->count++) {
        if (!take_entry(&served->as.list[out->count], &out->entries[out->count])) {
            return false;
        }
    }
    return true;
}

enum pdp_err archive_index_read(struct str text, struct archive_index *out)
{
    AUTO(buf_fini) struct buf head = {0};
    AUTO(arena_fini) struct arena arena;
    struct value root;
    struct fault why;
    struct str body = str_sub(text, str_find_byte(text, '\n', 0) + 1, SIZE_MAX);
    memset(out, 0, sizeof *out);
    arena_init(&arena, 0, 16 * INDEX_BYTES_MAX);
    bool right = print_head(body, &head) && !head.failed && str_starts(text, buf_view(&head)) &&
                 wire_decode_most(WIRE_JSON, body, INDEX_BYTES_MAX, &arena, &root, &why) == PDP_ERR_OK &&
                 root.kind == VALUE_MAP && take_index(&root, out);
    if (!right) {
        memset(out, 0, sizeof *out);
    }
    return right ? PDP_ERR_OK : PDP_ERR_CORRUPT;
}
