// SPDX-License-Identifier: Apache-2.0
// Conversations: what a connection sends, and what it is told.
#include "haproxy/peer.h"

#include "unit/haproxy/hex.h"

#include <criterion/criterion.h>

#define LIST(caps)                                                              \
    "12 \"supported-versions\" 08 03 \"2.0\" 0e \"max-frame-size\" 03 f001 0c " \
    "\"capabilities\" 08 " caps
#define HELLO "0000004a 01 00000001 00 00 " LIST("0a \"pipelining\" ")
#define HELLO_ASYNC "00000050 01 00000001 00 00 " LIST("10 \"pipelining,async\" ")
#define HELLO_ALONE "00000040 01 00000001 00 00 " LIST("00 ")
#define CHECK "0000004d 01 00000001 00 00 " LIST("00 ") "0b \"healthcheck\" 11 "
#define NOTIFY(id) "0000000d 03 00000001 00 " id " 03 \"ask\" 00 00 "
#define BYE "00000018 02 00000001 00 00 0b \"status-code\" 03 00 02 \"ok\" "
#define OURS(size, caps)                                                                     \
    size " 65 00000001 00 00 07 \"version\" 08 03 \"2.0\" 0e \"max-frame-size\" 03 f001 0c " \
         "\"capabilities\" 08 " caps

static const struct {
    const char *name, *bytes;
    unsigned notifies;
    enum peer_state state;
    enum spop_status status;
} CASES[] = {
    {"nothing", "", 0, PEER_NEW, SPOP_STATUS_NORMAL},
    {"a hello", HELLO, 0, PEER_OPEN, SPOP_STATUS_NORMAL},
    {"questions", HELLO NOTIFY("01") NOTIFY("02"), 2, PEER_OPEN, SPOP_STATUS_NORMAL},
    {"half a question", HELLO NOTIFY("01") "0000000d 03 0000", 1, PEER_OPEN, SPOP_STATUS_NORMAL},
    {"a frame of a later version", HELLO "00000007 09 00000001 00 00" NOTIFY("01"), 1, PEER_OPEN,
     SPOP_STATUS_NORMAL},
    {"a health check", CHECK NOTIFY("01"), 0, PEER_ENDING, SPOP_STATUS_NORMAL},
    {"a farewell", HELLO NOTIFY("01") BYE NOTIFY("02"), 1, PEER_ENDING, SPOP_STATUS_NORMAL},
    {"a farewell at once", BYE, 0, PEER_ENDING, SPOP_STATUS_NORMAL},
    {"a question before hello", NOTIFY("01"), 0, PEER_ENDING, SPOP_STATUS_INVALID},
    {"a later frame before hello", "00000007 09 00000001 00 00", 0, PEER_ENDING, SPOP_STATUS_INVALID},
    {"hello twice", HELLO HELLO, 0, PEER_ENDING, SPOP_STATUS_INVALID},
    {"an agent's frame", HELLO "00000007 67 00000001 00 00", 0, PEER_ENDING, SPOP_STATUS_INVALID},
    {"a first fragment", HELLO "00000007 03 00000000 00 01", 0, PEER_ENDING, SPOP_STATUS_FRAGMENTED},
    {"a later fragment", HELLO "00000007 00 00000001 00 01", 0, PEER_ENDING, SPOP_STATUS_FRAGMENTED},
    {"longer than agreed", HELLO "00000101", 0, PEER_ENDING, SPOP_STATUS_TOO_BIG},
    {"http", "\"GET / HTTP/1.1\" 0d0a0d0a", 0, PEER_ENDING, SPOP_STATUS_TOO_BIG},
    {"zeros", "0000000000000000", 0, PEER_ENDING, SPOP_STATUS_INVALID},
};

static const struct peer_rules RULES = {.max_frame_size = 16380};

// Gives the bytes in pieces of at most `step`; returns how many frames asked.
static unsigned feed(struct peer *peer, const struct hex *bytes, size_t step)
{
    unsigned notifies = 0;
    for (size_t done = 0; done < bytes->len;) {
        unsigned char *at;
        size_t room;
        cr_assert_eq(peer_room(peer, &at, &room), PDP_ERR_OK);
        cr_assert_gt(room, 0);
        size_t len = bytes->len - done < step ? bytes->len - done : step;
        len = len < room ? len : room;
        memcpy(at, bytes->at + done, len);
        peer_took(peer, len);
        done += len;
        struct spop_frame frame;
        while (peer_next(peer, &frame)) {
            notifies++;
            cr_expect_eq(frame.type, SPOP_NOTIFY);
        }
    }
    return notifies;
}

Test(haproxy_peer, conversations)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        for (size_t step = 1; step < 1024; step = step * 3 + 1) {
            struct hex bytes = hex_of(CASES[i].bytes);
            struct peer peer;
            peer_init(&peer, &RULES);
            unsigned notifies = feed(&peer, &bytes, step);
            cr_expect_eq(notifies, CASES[i].notifies, "%s by %zu: %u", CASES[i].name, step, notifies);
            cr_expect_eq(peer.state, CASES[i].state, "%s by %zu: %d", CASES[i].name, step, peer.state);
            cr_expect_eq(peer.status, CASES[i].status, "%s by %zu: %d", CASES[i].name, step, peer.status);
            peer_fini(&peer);
        }
    }
}

static const struct {
    const char *name, *bytes, *told;
    bool async;
} TOLD[] = {
    {"pipelining", HELLO, OURS("0000003f", "0a \"pipelining\""), false},
    {"async is offered but not wanted", HELLO_ASYNC, OURS("0000003f", "0a \"pipelining\""), false},
    {"async", HELLO_ASYNC, OURS("00000045", "10 \"pipelining,async\""), true},
    {"neither", HELLO_ALONE, OURS("00000035", "00"), true},
    {"a farewell", BYE, "00000025 66 00000001 00 00 0b \"status-code\" 03 00 07 \"message\" 08 06 \"normal\"",
     false},
};

Test(haproxy_peer, what_is_told)
{
    for (size_t i = 0; i < COUNT_OF(TOLD); i++) {
        struct hex bytes = hex_of(TOLD[i].bytes), told = hex_of(TOLD[i].told);
        struct peer_rules rules = {.max_frame_size = 16380, .async = TOLD[i].async};
        struct peer peer;
        peer_init(&peer, &rules);
        (void)feed(&peer, &bytes, 1024);
        struct text pending = peer_pending(&peer);
        cr_expect(text_eq(pending, (struct text){(const char *)told.at, told.len}), "%s: %zu bytes, not %zu",
                  TOLD[i].name, pending.len, told.len);
        peer_sent(&peer, pending.len);
        cr_expect_eq(peer_pending(&peer).len, 0);
        peer_fini(&peer);
    }
}

Test(haproxy_peer, memory_follows_what_came_not_what_is_claimed)
{
    struct hex bytes = hex_of("00003ffb 01");
    struct peer peer;
    peer_init(&peer, &RULES);
    (void)feed(&peer, &bytes, 5);
    cr_expect_leq(peer.in.size, 2048);
    peer_end(&peer, SPOP_STATUS_TIMEOUT);
    peer_end(&peer, SPOP_STATUS_IO);
    cr_expect_eq(peer.status, SPOP_STATUS_TIMEOUT);
    peer_fini(&peer);
}

Test(haproxy_peer, an_answer_that_does_not_fit_is_not_sent)
{
    struct peer peer;
    peer_init(&peer, &RULES);
    for (int i = 0; i < 1000; i++) {
        struct spop_writer out;
        cr_assert_eq(peer_begin(&peer, 8, &out), PDP_ERR_OK);
        spop_write_text(&out, i % 2 == 0 ? TEXT("1234567") : TEXT("12345678"));
        peer_commit(&peer, &out);
    }
    cr_expect_eq(peer_pending(&peer).len, 500 * 8);
    peer_sent(&peer, 9);
    cr_expect_eq(peer_pending(&peer).at[0], '1');
    peer_fini(&peer);
}
