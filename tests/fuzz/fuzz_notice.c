// SPDX-License-Identifier: Apache-2.0
// Notices, orders and confirmations from any bytes: what is read says again what it said.
#include "wire/notice.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void try_notice(struct str all, struct arena *arena)
{
    struct bulletin read, again;
    struct buf out = {0};
    if (notice_read(all, arena, &read) == PDP_ERR_OK) {
        notice_write(&read, &out);
        must(notice_read(buf_view(&out), arena, &again) == PDP_ERR_OK);
        must(again.notice.kind == read.notice.kind && again.notice.seq == read.notice.seq);
        must(memcmp(again.notice.ref, read.notice.ref, sizeof read.notice.ref) == 0);
    }
    buf_fini(&out);
}

static void try_order(struct str all, struct arena *arena)
{
    struct order read, again;
    struct buf out = {0};
    if (order_read(all, arena, &read) == PDP_ERR_OK) {
        must(read.ref_count <= NOTICE_REFS_MAX);
        order_write(&read, &out);
        must(order_read(buf_view(&out), arena, &again) == PDP_ERR_OK);
        must(again.number == read.number && again.everything == read.everything);
        must(again.ref_count == read.ref_count);
    }
    buf_fini(&out);
}

static void try_rest(struct str all, struct arena *arena)
{
    struct confirmation read, again;
    struct buf out = {0};
    struct value root;
    struct fault why;
    struct hit *hits = NULL;
    size_t count = 0;
    if (confirmation_read(all, arena, &read) == PDP_ERR_OK) {
        must(read.name.len > 0 && read.name.len <= NOTICE_NAME_MAX);
        confirmation_write(&read, &out);
        must(confirmation_read(buf_view(&out), arena, &again) == PDP_ERR_OK && again.number == read.number);
    }
    if (wire_decode(WIRE_CBOR, all, arena, &root, &why) == PDP_ERR_OK &&
        hits_read(value_get(&root, STR("hits")), arena, &hits, &count) == PDP_ERR_OK) {
        must(count > 0 && count <= NOTICE_HITS_MAX);
    }
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str all = {(const char *)bytes, len};
    struct arena arena;
    arena_init(&arena, 4096, 1 << 22);
    try_notice(all, &arena);
    try_order(all, &arena);
    try_rest(all, &arena);
    arena_fini(&arena);
    return 0;
}
