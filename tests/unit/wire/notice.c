// SPDX-License-Identifier: Apache-2.0
#include "wire/notice.h"

#include <criterion/criterion.h>

#define T0 INT64_C(1795370400000)
#define REF "s_0123456789abcdef01234567"

static const struct bulletin BEAT = {
    .notice = {.kind = NOTICE_HEARTBEAT, .seq = 7, .at_ms = T0, .policy_epoch = 3, .controls_epoch = 1},
    .boot = 42,
    .interval_ms = 1000,
    .checkpoint = {"pdp\n12\nroot", 11},
};

// ---- There and back ----------------------------------------------------------------------------------

Test(wire_notice, each_kind)
{
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++) {
        struct bulletin sent = BEAT, got;
        struct arena arena;
        struct buf bytes = {0};
        arena_init(&arena, 0, 0);
        bool named = kind == NOTICE_ENDED || kind == NOTICE_STEP_UP;
        sent.notice.kind = (enum notice_kind)kind;
        if (named) {
            memcpy(sent.notice.ref, REF, sizeof REF);
            sent.notice.epoch = 5;
        }
        sent.notice.code = PDP_CODE_EXPIRED;
        notice_write(&sent, &bytes);
        cr_assert_eq(notice_read(buf_view(&bytes), &arena, &got), PDP_ERR_OK);
        cr_expect_eq(got.notice.kind, kind);
        cr_expect(got.notice.seq == 7 && got.notice.at_ms == T0 && got.boot == 42 && got.interval_ms == 1000);
        cr_expect(got.notice.policy_epoch == 3 && got.notice.controls_epoch == 1);
        cr_expect_str_eq(got.notice.ref, named ? REF : "");
        cr_expect_eq(got.notice.epoch, named ? 5 : 0);
        cr_expect(str_eq(got.checkpoint, BEAT.checkpoint));
        if (kind == NOTICE_ENDED) {
            cr_expect_eq(got.notice.code, PDP_CODE_EXPIRED);
        }
        buf_fini(&bytes);
        arena_fini(&arena);
    }
}

Test(wire_notice, orders_and_confirmations)
{
    struct arena arena;
    struct buf bytes = {0};
    struct str refs[] = {STR(REF), STR("s_ffffffffffffffffffffffff")};
    struct order order = {.number = 9, .refs = refs, .ref_count = 2, .now = BEAT}, read;
    arena_init(&arena, 0, 0);
    order_write(&order, &bytes);
    cr_assert_eq(order_read(buf_view(&bytes), &arena, &read), PDP_ERR_OK);
    cr_expect(read.number == 9 && !read.everything && read.ref_count == 2 && read.now.boot == 42);
    cr_expect(str_eq(read.refs[1], refs[1]));
    buf_clear(&bytes);
    order_write(&(struct order){.everything = true, .number = 10, .now = BEAT}, &bytes);
    cr_assert_eq(order_read(buf_view(&bytes), &arena, &read), PDP_ERR_OK);
    cr_expect(read.everything && read.ref_count == 0);
    buf_clear(&bytes);

    struct confirmation said = {.number = 9, .boot = 42, .name = STR("gw-7"), .seq = 8, .kept = 100}, heard;
    confirmation_write(&said, &bytes);
    cr_assert_eq(confirmation_read(buf_view(&bytes), &arena, &heard), PDP_ERR_OK);
    cr_expect(heard.number == 9 && heard.boot == 42 && heard.seq == 8 && heard.kept == 100);
    cr_expect(str_eq(heard.name, said.name));
    buf_fini(&bytes);
    arena_fini(&arena);
}

Test(wire_notice, hits)
{
    struct arena arena;
    struct buf bytes = {0};
    struct value root;
    struct fault why;
    struct hit hits[] = {{STR(REF), 3, 120}, {STR(REF), 1, 0}}, *read = NULL;
    size_t count = 0;
    arena_init(&arena, 0, 0);
    hits_write(hits, 2, &bytes);
    cr_assert_eq(wire_decode(WIRE_CBOR, buf_view(&bytes), &arena, &root, &why), PDP_ERR_OK);
    cr_assert_eq(hits_read(value_get(&root, STR("hits")), &arena, &read, &count), PDP_ERR_OK);
    cr_expect(count == 2 && read[0].count == 3 && read[0].ago_ms == 120 && str_eq(read[1].ref, STR(REF)));
    buf_fini(&bytes);
    arena_fini(&arena);
}

// ---- What nobody may believe ---------------------------------------------------------------------------

Test(wire_notice, cut_anywhere)
{
    struct buf bytes = {0};
    struct str refs[] = {STR(REF)};
    order_write(&(struct order){.number = 1, .refs = refs, .ref_count = 1, .now = BEAT}, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        struct arena arena;
        struct order order;
        struct bulletin bulletin;
        struct confirmation confirmation;
        struct str cut = str_sub(buf_view(&bytes), 0, len);
        arena_init(&arena, 0, 0);
        cr_expect_eq(order_read(cut, &arena, &order), PDP_ERR_MALFORMED, "%zu bytes", len);
        cr_expect_eq(notice_read(cut, &arena, &bulletin), PDP_ERR_MALFORMED);
        cr_expect_eq(confirmation_read(cut, &arena, &confirmation), PDP_ERR_MALFORMED);
        cr_expect(order.refs == NULL && bulletin.boot == 0 && confirmation.name.at == NULL);
        arena_fini(&arena);
    }
    buf_fini(&bytes);
}

// A kind from a later release, and a session that cannot be told, drop everything.
Test(wire_notice, what_is_not_understood_is_feared)
{
    static const char *const KINDS[] = {"frozen", "ended", "step_up"};
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        struct arena arena;
        struct buf bytes = {0};
        struct bulletin got;
        struct emit emit;
        arena_init(&arena, 0, 0);
        emit_init(&emit, WIRE_CBOR, &bytes);
        emit_map(&emit, SIZE_MAX);
        emit_key_str(&emit, "notice", str_of(KINDS[i]));
        emit_key_str(&emit, "ref", STR("s_0123456789ABCDEF01234567"));
        static const char *const NUMBERS[] = {"seq",     "at", "boot", "policy_epoch", "controls_epoch",
                                              "interval"};
        for (size_t k = 0; k < COUNT_OF(NUMBERS); k++) {
            emit_key_int(&emit, NUMBERS[k], 5);
        }
        emit_end(&emit);
        cr_assert_eq(notice_read(buf_view(&bytes), &arena, &got), PDP_ERR_OK);
        cr_expect_eq(got.notice.kind, NOTICE_RESYNC, "%s", KINDS[i]);
        buf_fini(&bytes);
        arena_fini(&arena);
    }
}

static const struct {
    const char *text;
    bool is;
} REFS[] = {
    {REF, true},
    {"", false},
    {"s_", false},
    {"s_0123456789abcdef0123456", false},
    {"s_0123456789abcdef012345678", false},
    {"x_0123456789abcdef01234567", false},
    {"s_0123456789abcdeg01234567", false},
};

Test(wire_notice, refs)
{
    for (size_t i = 0; i < COUNT_OF(REFS); i++) {
        char ref[NOTICE_REF_BYTES];
        cr_expect_eq(notice_ref_read(str_of(REFS[i].text), ref), REFS[i].is, "%s", REFS[i].text);
        cr_expect_str_eq(ref, REFS[i].is ? REFS[i].text : "");
    }
}
