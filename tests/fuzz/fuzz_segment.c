// SPDX-License-Identifier: Apache-2.0
// Segments of an audit log from a stranger, plain and compressed: never a crash, bounded memory, and what is
// read is what its hash says. A record's envelope likewise.
#include "audit/envelope.h"
#include "audit/segment.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static enum pdp_err read_input(void *user, uint64_t at, void *out, size_t len, size_t *got)
{
    const struct str *input = user;
    struct str part = str_sub(*input, at < input->len ? (size_t)at : input->len, len);
    *got = part.len;
    if (part.len > 0) {
        memcpy(out, part.at, part.len);
    }
    return PDP_ERR_OK;
}

static void look_at_record(struct str record)
{
    struct envelope envelope;
    uint8_t key[AEAD_KEY_BYTES] = {0};
    AUTO(buf_fini) struct buf plain = {0};
    if (envelope_read(record, &envelope) == PDP_ERR_OK && envelope.has_sealed) {
        check(envelope_unseal(&envelope, key, &plain) != PDP_ERR_OK && plain.len == 0);
    }
}

static void look_at(struct str *input, bool packed)
{
    struct segment_source source = {read_input, input};
    AUTO(segment_close) struct segment_reader *reader = NULL;
    struct segment_head head;
    struct frame frame;
    uint64_t at = SEGMENT_HEAD_BYTES;
    if (segment_open(&source, packed, &reader, &head) != PDP_ERR_OK) {
        check(reader == NULL);
        return;
    }
    for (size_t count = 0; count < 10000 && segment_next(reader, &frame) == PDP_ERR_OK; count++) {
        AUTO(buf_fini) struct buf again = {0};
        struct merkle_hash leaf;
        check(frame.offset == at && frame_put(frame.kind, frame.bytes, &again, &leaf) == PDP_ERR_OK);
        check(memcmp(leaf.at, frame.leaf.at, sizeof leaf.at) == 0);
        at += again.len;
        look_at_record(frame.bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str input = {(const char *)bytes, len};
    look_at(&input, false);
    look_at(&input, true);
    look_at_record(input);
    return 0;
}
