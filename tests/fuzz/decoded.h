// SPDX-License-Identifier: Apache-2.0
// What must hold for whatever a decoder accepted; shared by the targets of the wire.
#ifndef FUZZ_DECODED_H
#define FUZZ_DECODED_H

#include "model/search.h"
#include "wire/wire.h"

// Takes the tree apart as question, event or batch, and checks that its canonical form and its CBOR read back
// as the same value.
static inline void decoded_check(const struct value *v, struct arena *arena)
{
    struct buf first = {0}, again = {0}, cbor = {0};
    struct emit emit;
    struct value back;
    struct fault why = {0};
    struct request request;
    struct batch batch;

    wire_canonical(v, &first);
    invariant(!first.failed);
    emit_init(&emit, WIRE_CBOR, &cbor);
    emit_value(&emit, v);
    invariant(!cbor.failed);
    // Times become text on the way, and may grow: then the size limit may bite.
    enum pdp_err err = wire_decode_most(WIRE_CBOR, buf_view(&cbor), SIZE_MAX, arena, &back, &why);
    invariant(err == PDP_ERR_OK || err == PDP_ERR_NOMEM);
    err = wire_decode_most(WIRE_CBOR, buf_view(&first), SIZE_MAX, arena, &back, &why);
    if (err == PDP_ERR_OK) {
        wire_canonical(&back, &again);
        invariant(str_eq(buf_view(&first), buf_view(&again)));
    } else {
        invariant(err == PDP_ERR_NOMEM);
    }

    if (request_read(v, &request, &why) == PDP_ERR_OK) {
        invariant(request.subject_id.len >= 1 && request.subject_id.len <= REQUEST_ID_MAX);
        invariant(request.event != EVENT_NONE || request.resource_id.at != NULL);
        invariant(!request.has_session || request.session_id.len != 0);
    } else {
        invariant(str_is_utf8(str_of(why.field)) && str_is_utf8(str_of(why.what)) && why.what[0] != '\0');
    }
    if (batch_read(v, arena, &batch, &why) == PDP_ERR_OK) {
        for (size_t i = 0; i < batch.count; i++) {
            enum pdp_err ignored = request_read(&batch.items[i], &request, &why);
            invariant(ignored == PDP_ERR_OK || ignored == PDP_ERR_MALFORMED);
        }
    }
    buf_fini(&first);
    buf_fini(&again);
    buf_fini(&cbor);
}

// A search is bounded, and what its pages have in common does not depend on where one begins.
static inline void decoded_search(const struct value *v, struct arena *arena)
{
    struct search search;
    struct fault why = {0};
    struct value common, again;
    struct buf first = {0}, second = {0};
    if (search_read(v, arena, &search, &why) != PDP_ERR_OK) {
        invariant(why.what[0] != '\0' && str_is_utf8(str_of(why.what)));
        return;
    }
    invariant(search_is(v) && search.part != SEARCH_NONE && search.part < SEARCH_PART_COUNT);
    invariant(search.limit >= 1 && search.limit <= SEARCH_LIMIT_MAX);
    invariant(search.token.at == NULL || search.token.len > 0);
    invariant(search_common(v, arena, &common) == PDP_ERR_OK);
    invariant(search_common(&common, arena, &again) == PDP_ERR_OK);
    wire_canonical(&common, &first);
    wire_canonical(&again, &second);
    invariant(str_eq(buf_view(&first), buf_view(&second)));
    buf_fini(&first);
    buf_fini(&second);
}

static inline void decoded_try(enum wire_form form, struct str bytes)
{
    struct arena arena;
    struct value v;
    struct fault why = {0};
    arena_init(&arena, 0, 64 * 1024 * 1024);
    enum pdp_err err = wire_decode(form, bytes, &arena, &v, &why);
    if (err == PDP_ERR_OK) {
        decoded_check(&v, &arena);
        if (search_is(&v)) {
            decoded_search(&v, &arena);
        }
    } else {
        invariant(v.kind == VALUE_NULL && err == PDP_ERR_MALFORMED);
        invariant(why.field[0] != '\0' && why.what[0] != '\0' && str_is_utf8(str_of(why.what)));
    }
    arena_fini(&arena);
}

#endif
