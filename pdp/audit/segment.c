// SPDX-License-Identifier: Apache-2.0
#include "audit/segment.h"

#include "audit/bytes.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    PART_BYTES = 64 * 1024,
    CHECK_BYTES = 8,    // of a frame's hash that stand before it
    WINDOW_LOG_MAX = 23 // no frame of a stranger makes us take more than 8 MiB
};
static const char MAGIC[8] = {'P', 'D', 'P', 'A', 'U', 'D', 'I', 'T'};
static const uint32_t VERSION = 1;

void segment_name(uint64_t first, bool packed, char out[static SEGMENT_NAME_BYTES])
{
    snprintf(out, SEGMENT_NAME_BYTES, "%020llu.log%s", (unsigned long long)first, packed ? ".zst" : "");
}

bool segment_name_read(const char *name, uint64_t *first, bool *packed)
{
    char again[SEGMENT_NAME_BYTES];
    struct str text = str_of(name);
    if (!str_to_u64(str_sub(text, 0, str_find_byte(text, '.', 0)), first)) {
        return false;
    }
    *packed = str_ends(text, STR(".zst"));
    segment_name(*first, *packed, again);
    return str_eq(text, str_of(again));
}

void segment_head_put(const struct segment_head *head, struct buf *out)
{
    buf_put(out, MAGIC, sizeof MAGIC);
    bytes_put_u32(out, VERSION);
    bytes_put_u32(out, 0);
    bytes_put_u64(out, head->first);
    bytes_put_u64(out, (uint64_t)head->created_ms);
}

enum pdp_err frame_put(enum frame_kind kind, struct str bytes, struct buf *out, struct merkle_hash *leaf)
{
    if (bytes.len > FRAME_BYTES_MAX) {
        return PDP_ERR_LIMIT;
    }
    TRY(merkle_leaf(bytes, leaf));
    if (!buf_room(out, FRAME_HEAD_BYTES + bytes.len)) {
        return PDP_ERR_NOMEM;
    }
    bytes_put_u32(out, (uint32_t)bytes.len);
    buf_byte(out, (unsigned char)kind);
    buf_put(out, leaf->at, CHECK_BYTES);
    buf_str(out, bytes);
    return PDP_ERR_OK;
}

// ---- Reading -------------------------------------------------------------------------------------

struct segment_reader {
    struct segment_source source;
    uint64_t source_at;
    bool packed, source_end, inside; // inside: the compressed frame at hand is not at its end
    ZSTD_DStream *stream;
    unsigned char *input; // PART_BYTES of what is compressed
    ZSTD_inBuffer in;
    struct buf held; // from `at` on not given out yet
    size_t at;
    uint64_t offset; // of held.at[at]
};

void segment_close(struct segment_reader **reader_ptr)
{
    struct segment_reader *reader = STEAL(*reader_ptr);
    if (reader != NULL) {
        ZSTD_freeDStream(reader->stream);
        free(reader->input);
        buf_fini(&reader->held);
        free(reader);
    }
}

static enum pdp_err read_source(struct segment_reader *reader, void *out, size_t len, size_t *got)
{
    *got = 0;
    TRY(reader->source.read(reader->source.user, reader->source_at, out, len, got));
    reader->source_at += *got;
    reader->source_end = *got < len;
    return PDP_ERR_OK;
}

// One step of the stream: some input, or some output, or the end.
static enum pdp_err unpack_some(struct segment_reader *reader)
{
    if (reader->in.pos == reader->in.size && !reader->source_end) {
        reader->in = (ZSTD_inBuffer){.src = reader->input};
        TRY(read_source(reader, reader->input, PART_BYTES, &reader->in.size));
    }
    if (!buf_room(&reader->held, PART_BYTES)) {
        return PDP_ERR_NOMEM;
    }
    ZSTD_outBuffer out = {.dst = reader->held.at + reader->held.len, .size = PART_BYTES};
    size_t was = reader->in.pos;
    if (reader->in.size == reader->in.pos && !reader->inside) {
        return PDP_ERR_OK; // between frames, and nothing follows
    }
    size_t left = ZSTD_decompressStream(reader->stream, &out, &reader->in);
    if (ZSTD_isError(left)) {
        return PDP_ERR_CORRUPT;
    }
    reader->inside = left != 0;
    reader->held.len += out.pos;
    bool stuck = out.pos == 0 && reader->in.pos == was && reader->source_end;
    return stuck && reader->inside ? PDP_ERR_MISSING : PDP_ERR_OK;
}

static enum pdp_err read_some(struct segment_reader *reader)
{
    size_t got = 0;
    if (!buf_room(&reader->held, PART_BYTES)) {
        return PDP_ERR_NOMEM;
    }
    TRY(read_source(reader, reader->held.at + reader->held.len, PART_BYTES, &got));
    reader->held.len += got;
    return PDP_ERR_OK;
}

static bool at_end(const struct segment_reader *reader)
{
    return reader->source_end && (!reader->packed || (reader->in.pos == reader->in.size && !reader->inside));
}

// At least `len` bytes are held, or the segment ends before.
static enum pdp_err want(struct segment_reader *reader, size_t len)
{
    if (reader->at >= PART_BYTES) {
        buf_drop(&reader->held, reader->at);
        reader->at = 0;
    }
    while (reader->held.len - reader->at < len && !at_end(reader)) {
        TRY(reader->packed ? unpack_some(reader) : read_some(reader));
    }
    return PDP_ERR_OK;
}

static void take(struct segment_reader *reader, size_t len)
{
    reader->at += len;
    reader->offset += len;
}

static enum pdp_err read_head(struct segment_reader *reader, struct segment_head *head)
{
    TRY(want(reader, SEGMENT_HEAD_BYTES));
    const unsigned char *at = reader->held.at + reader->at;
    if (reader->held.len - reader->at < SEGMENT_HEAD_BYTES || memcmp(at, MAGIC, sizeof MAGIC) != 0 ||
        bytes_u32(at + 8) != VERSION || bytes_u32(at + 12) != 0 || bytes_u64(at + 16) >= MERKLE_SIZE_MAX) {
        return PDP_ERR_MALFORMED;
    }
    *head = (struct segment_head){.first = bytes_u64(at + 16), .created_ms = (int64_t)bytes_u64(at + 24)};
    take(reader, SEGMENT_HEAD_BYTES);
    return PDP_ERR_OK;
}

enum pdp_err segment_open(const struct segment_source *source, bool packed, struct segment_reader **out,
                          struct segment_head *head)
{
    *out = NULL;
    *head = (struct segment_head){0};
    AUTO(segment_close) struct segment_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return PDP_ERR_NOMEM;
    }
    reader->source = *source;
    reader->packed = packed;
    if (packed) {
        reader->input = malloc(PART_BYTES);
        reader->stream = ZSTD_createDStream();
        if (reader->input == NULL || reader->stream == NULL ||
            ZSTD_isError(ZSTD_DCtx_setParameter(reader->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
            return PDP_ERR_NOMEM;
        }
    }
    enum pdp_err err = read_head(reader, head);
    if (err == PDP_ERR_OK) {
        *out = STEAL(reader);
    }
    // Of what is not compressed only its source says MISSING: the file itself is.
    return err == PDP_ERR_CORRUPT || (packed && err == PDP_ERR_MISSING) ? PDP_ERR_MALFORMED : err;
}

enum pdp_err segment_next(struct segment_reader *reader, struct frame *out)
{
    *out = (struct frame){.offset = reader->offset};
    TRY(want(reader, FRAME_HEAD_BYTES));
    size_t have = reader->held.len - reader->at;
    if (have == 0) {
        return PDP_ERR_CLOSED;
    }
    if (have < FRAME_HEAD_BYTES) {
        return PDP_ERR_MISSING;
    }
    size_t len = bytes_u32(reader->held.at + reader->at);
    unsigned kind = reader->held.at[reader->at + 4];
    if (len > FRAME_BYTES_MAX || (kind != FRAME_RECORD && kind != FRAME_CHECKPOINT)) {
        return PDP_ERR_CORRUPT;
    }
    TRY(want(reader, FRAME_HEAD_BYTES + len));
    const unsigned char *at = reader->held.at + reader->at;
    if (reader->held.len - reader->at < FRAME_HEAD_BYTES + len) {
        return PDP_ERR_MISSING;
    }
    struct str bytes = {(const char *)at + FRAME_HEAD_BYTES, len};
    TRY(merkle_leaf(bytes, &out->leaf));
    if (memcmp(at + 5, out->leaf.at, CHECK_BYTES) != 0) {
        return PDP_ERR_CORRUPT;
    }
    out->kind = (enum frame_kind)kind;
    out->bytes = bytes;
    take(reader, FRAME_HEAD_BYTES + len);
    return PDP_ERR_OK;
}
