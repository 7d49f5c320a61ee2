// SPDX-License-Identifier: Apache-2.0
#include "session/notice.h"

#include <criterion/criterion.h>

#define T0 INT64_C(1795370400000)

static struct notices *make(uint32_t room, void (*wake)(void *user), void *user)
{
    struct notices *notices = NULL;
    struct notices_config config = {.room = room, .policy_epoch = 3, .wake = wake, .user = user};
    cr_assert_eq(notices_new(&config, &notices), PDP_ERR_OK);
    return notices;
}

static uint64_t add(struct notices *notices, enum notice_kind kind)
{
    static const char REF[NOTICE_REF_BYTES] = "s_0123456789abcdef01234567";
    return notices_session(notices, kind, REF, 2, PDP_CODE_TERMINATED, T0);
}

Test(session_notice, words)
{
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++) {
        enum notice_kind back = NOTICE_KIND_COUNT;
        cr_expect(notice_kind_of(str_of(notice_kind_name((enum notice_kind)kind)), &back));
        cr_expect_eq((int)back, kind);
    }
    enum notice_kind none = NOTICE_ENDED;
    cr_expect(!notice_kind_of(STR("ende"), &none) && none == NOTICE_RESYNC);
    cr_expect_str_eq(notice_kind_name(NOTICE_KIND_COUNT), "unknown");
}

Test(session_notice, in_order_and_numbered)
{
    struct notices *notices = make(8, NULL, NULL);
    struct notices_reader early = notices_reader(notices), late;
    struct notice notice;
    cr_expect(!notices_next(notices, &early, &notice));
    cr_expect_eq(notice.kind, NOTICE_RESYNC);
    cr_expect_eq(add(notices, NOTICE_ENDED), 1);
    late = notices_reader(notices);
    cr_expect_eq(add(notices, NOTICE_STEP_UP), 2);

    cr_assert(notices_next(notices, &early, &notice));
    cr_expect(notice.kind == NOTICE_ENDED && notice.seq == 1 && notice.epoch == 2 && notice.at_ms == T0);
    cr_expect_str_eq(notice.ref, "s_0123456789abcdef01234567");
    cr_expect_eq(notice.code, PDP_CODE_TERMINATED);
    cr_expect_eq(notice.policy_epoch, 3);
    cr_assert(notices_next(notices, &early, &notice));
    cr_expect(notice.kind == NOTICE_STEP_UP && notice.seq == 2);
    cr_expect(!notices_next(notices, &early, &notice));
    cr_assert(notices_next(notices, &late, &notice));
    cr_expect_eq(notice.seq, 2);
    notices_free(&notices);
    cr_expect_null(notices);
}

Test(session_notice, epochs_hold_on)
{
    struct notices *notices = make(8, NULL, NULL);
    struct notices_reader reader = notices_reader(notices);
    notices_add(notices,
                &(struct notice){.kind = NOTICE_POLICY_EPOCH, .policy_epoch = 4, .controls_epoch = 99});
    notices_add(notices, &(struct notice){.kind = NOTICE_CONTROLS_EPOCH, .controls_epoch = 7});
    notices_add(notices, &(struct notice){.kind = NOTICE_LOCK, .policy_epoch = 1});
    static const uint64_t EPOCHS[][2] = {{4, 0}, {4, 7}, {4, 7}};
    struct notice notice;
    for (size_t i = 0; i < COUNT_OF(EPOCHS); i++) {
        cr_assert(notices_next(notices, &reader, &notice));
        cr_expect(notice.policy_epoch == EPOCHS[i][0] && notice.controls_epoch == EPOCHS[i][1], "notice %zu",
                  i);
    }
    notice = notices_now(notices, T0);
    cr_expect(notice.kind == NOTICE_HEARTBEAT && notice.seq == 3 && notice.policy_epoch == 4 &&
              notice.controls_epoch == 7 && notice.at_ms == T0);
    notices_free(&notices);
}

// A reader loses nothing as long as it is no more than the room behind, and is told where it is more.
Test(session_notice, lapped)
{
    for (uint64_t ahead = 7; ahead <= 20; ahead++) {
        struct notices *notices = make(8, NULL, NULL);
        struct notices_reader reader = notices_reader(notices);
        for (uint64_t i = 0; i < ahead; i++) {
            add(notices, NOTICE_ENDED);
        }
        struct notice notice;
        cr_assert(notices_next(notices, &reader, &notice));
        cr_expect_eq(notice.kind, ahead <= 8 ? NOTICE_ENDED : NOTICE_RESYNC, "%d ahead", (int)ahead);
        cr_expect_eq(notice.seq, ahead <= 8 ? 1 : ahead);
        cr_expect_eq(notices_next(notices, &reader, &notice), ahead <= 8);
        add(notices, NOTICE_LOCK);
        while (notices_next(notices, &reader, &notice)) {
            cr_expect(notice.kind != NOTICE_RESYNC || ahead == 8);
        }
        notices_free(&notices);
    }
}

static void count(void *user)
{
    ++*(int *)user;
}

Test(session_notice, wakes_who_has_seen_all)
{
    int woken = 0;
    struct notices *notices = make(8, count, &woken);
    struct notices_reader reader = notices_reader(notices);
    struct notice notice;
    add(notices, NOTICE_ENDED);
    cr_expect_eq(woken, 0);
    while (notices_next(notices, &reader, &notice)) {
    }
    add(notices, NOTICE_ENDED);
    add(notices, NOTICE_ENDED);
    cr_expect_eq(woken, 1);
    cr_expect(notices_next(notices, &reader, &notice));
    add(notices, NOTICE_ENDED);
    cr_expect_eq(woken, 1);
    notices_free(&notices);
}

Test(session_notice, nobody_listens)
{
    cr_expect_eq(add(NULL, NOTICE_ENDED), 0);
    struct notices *notices = NULL;
    notices_free(&notices);
    struct notices_config config = {.room = NOTICES_ROOM_MOST + 1};
    cr_expect_eq(notices_new(&config, &notices), PDP_ERR_RANGE);
    cr_expect_null(notices);
}
