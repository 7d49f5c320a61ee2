// SPDX-License-Identifier: Apache-2.0
#include "peer.h"
#include "wire/wire.h"

Test(client_flow, refuses_what_it_cannot_do)
{
    static const struct {
        const char *url;
        struct pdp_options options;
        enum pdp_err err;
    } CASES[] = {
        {"", {0}, PDP_ERR_SYNTAX},
        {"nonsense", {0}, PDP_ERR_SYNTAX},
        {"ws://x/", {0}, PDP_ERR_UNSUPPORTED},
        {"ipc://", {0}, PDP_ERR_SYNTAX},
        {"tcp://127.0.0.1", {0}, PDP_ERR_SYNTAX},
        {"tcp://:80", {0}, PDP_ERR_SYNTAX},
        {"tcp://127.0.0.1:0", {0}, PDP_ERR_SYNTAX},
        {"tcp://127.0.0.1:65536", {0}, PDP_ERR_SYNTAX},
        {"tcp://127.0.0.1:80x", {0}, PDP_ERR_SYNTAX},
        {"tcp://a.name.that.is.invalid:80", {0}, PDP_ERR_UNKNOWN},
        {"tls+tcp://127.0.0.1:80", {0}, PDP_ERR_MISSING},
        {"tls+tcp://127.0.0.1:80", {.ca_file = "/nonexistent"}, PDP_ERR_IO},
        {"tls+tcp://127.0.0.1:80", {.ca_file = "/dev/null"}, PDP_ERR_MALFORMED},
        {"tls+tcp://127.0.0.1:80", {.ca_file = "/dev/null", .cert_file = "x"}, PDP_ERR_MISSING},
        {"ipc:///x", {.in_flight_max = 5000}, PDP_ERR_RANGE},
        {"ipc:///x", {.notices_url = "ipc:///n"}, PDP_ERR_UNSUPPORTED},
        {"ipc:///x", {.notices_url = "ipc:///n", .cache_entries = 5}, PDP_ERR_UNSUPPORTED},
        {"ipc:///x", {0}, PDP_ERR_OK},
        {"tcp://[::1]:7700", {0}, PDP_ERR_OK},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pdp_options options = CASES[i].options;
        struct pdp_flow *flow = NULL;
        options.size = sizeof options;
        enum pdp_err err = pdp_flow_open(CASES[i].url, &options, &flow);
        cr_expect_eq(err, CASES[i].err, "%s: %s", CASES[i].url, pdp_err_name(err));
        cr_expect_eq(flow != NULL, err == PDP_ERR_OK);
        pdp_flow_close(&flow);
    }
}

Test(client_flow, asks_and_is_answered)
{
    struct peer peer;
    struct asker asker;
    peer_begin(&peer, &(struct pdp_options){0});
    cr_expect_eq(pdp_flow_fd(peer.flow), -1, "a socket before the first step");
    cr_expect_eq(pdp_flow_due_ms(peer.flow), 0);
    peer_meet(&peer);
    cr_expect_eq(pdp_flow_due_ms(peer.flow), INT64_MAX);
    cr_assert_eq(peer_ask(&peer, &asker, "/a", 200), PDP_ERR_OK);
    cr_expect_eq(peer_take(&peer), 0u, "asking writes by itself");
    cr_expect_leq(pdp_flow_due_ms(peer.flow), peer.now, "a question waits and nobody is told");
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 1u);
    cr_expect_eq(pdp_flow_due_ms(peer.flow), peer.now + 200);
    buf_byte(&peer.messages[0], '\0');
    cr_expect_not_null(strstr((char *)peer.messages[0].at, "\"deadline_ms\":200"));
    cr_expect_not_null(strstr((char *)peer.messages[0].at, "\"request_id\":\""));
    peer_answer(&peer, peer.ids[0], ALLOW);
    peer_step(&peer);
    cr_expect(asker.calls == 1 && asker.err == PDP_ERR_OK && asker.allows);
    cr_expect_eq(pdp_flow_due_ms(peer.flow), INT64_MAX);
    peer_end(&peer);
}

Test(client_flow, writes_once_for_all_of_a_turn)
{
    struct peer peer;
    struct asker askers[20];
    peer_begin(&peer, &(struct pdp_options){0});
    peer_meet(&peer);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        cr_assert_eq(peer_ask(&peer, &askers[i], "/a", 200), PDP_ERR_OK);
    }
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), COUNT_OF(askers));
    // Answers come in any order, and each finds its own.
    struct buf all = {0};
    for (size_t i = COUNT_OF(askers); i-- > 0;) {
        peer_frame(&all, peer.ids[i], str_of(i % 2 == 0 ? ALLOW : DENY));
    }
    peer_say(&peer, buf_view(&all));
    buf_fini(&all);
    peer_step(&peer);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        cr_expect(askers[i].calls == 1 && askers[i].allows == (i % 2 == 0), "asker %zu", i);
    }
    peer_end(&peer);
}

Test(client_flow, takes_answers_byte_by_byte)
{
    struct peer peer;
    struct asker askers[2];
    peer_begin(&peer, &(struct pdp_options){0});
    peer_meet(&peer);
    cr_assert_eq(peer_ask(&peer, &askers[0], "/a", 200), PDP_ERR_OK);
    cr_assert_eq(peer_ask(&peer, &askers[1], "/b", 200), PDP_ERR_OK);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 2u);
    struct buf all = {0};
    peer_frame(&all, peer.ids[0], STR(DENY));
    peer_frame(&all, peer.ids[1], STR(ALLOW));
    for (size_t i = 0; i < all.len; i++) {
        cr_assert_eq(askers[1].calls, 0);
        peer_say(&peer, str_sub(buf_view(&all), i, 1));
        peer_step(&peer);
    }
    cr_expect(askers[0].calls == 1 && !askers[0].allows && askers[1].calls == 1 && askers[1].allows);
    buf_fini(&all);
    peer_end(&peer);
}

Test(client_flow, breaks_at_bytes_that_no_daemon_sends)
{
    const struct {
        const char *name;
        struct str bytes;
    } CASES[] = {
        {"no frame", STR("x")},
        {"too long", STR("\1\xff\0\0\0\0\0\0\0")},
        {"longer than asked for", STR("\1\0\0\0\0\0\1\0\0")},
        {"no id", STR("\1\0\0\0\0\0\0\0\3abc")},
        {"an id that never ends", STR("\1\0\0\0\0\0\0\0\4\0\0\0\0")},
        {"hops in front of the id", STR("\1\0\0\0\0\0\0\0\x8\0\0\0\1\x80\0\0\0")},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct peer peer;
        struct asker asker;
        peer_begin(&peer, &(struct pdp_options){.answer_bytes_max = 65000});
        peer_meet(&peer);
        cr_assert_eq(peer_ask(&peer, &asker, "/a", 200), PDP_ERR_OK);
        peer_step(&peer);
        peer_say(&peer, CASES[i].bytes);
        peer_step(&peer);
        cr_expect(!pdp_flow_connected(peer.flow) && pdp_flow_fd(peer.flow) == -1, "%s", CASES[i].name);
        cr_expect_gt(pdp_flow_due_ms(peer.flow), peer.now, "%s: comes back in the same step", CASES[i].name);
        cr_expect_eq(asker.calls, 0, "%s", CASES[i].name);
        peer_end(&peer);
        cr_expect(asker.calls == 1 && asker.err == PDP_ERR_CLOSED && !asker.allows, "%s", CASES[i].name);
    }
}

Test(client_flow, denies_by_an_answer_that_cannot_be_read)
{
    static const char *const ANSWERS[] = {"", "{", "{\"decision\": true}", "\xff",
                                          "{\"decision\": true, \"context\": {\"effect\": \"deny\"}}"};
    for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
        struct peer peer;
        struct asker asker;
        peer_begin(&peer, &(struct pdp_options){0});
        peer_meet(&peer);
        cr_assert_eq(peer_ask(&peer, &asker, "/a", 200), PDP_ERR_OK);
        peer_step(&peer);
        cr_assert_eq(peer_take(&peer), 1u);
        peer_answer(&peer, peer.ids[0], ANSWERS[i]);
        peer_step(&peer);
        cr_expect(asker.calls == 1 && asker.err == PDP_ERR_MALFORMED && !asker.allows, "`%s`", ANSWERS[i]);
        cr_expect(pdp_flow_connected(peer.flow));
        peer_end(&peer);
    }
}

Test(client_flow, drops_answers_to_what_was_not_asked)
{
    struct peer peer;
    struct asker asker;
    peer_begin(&peer, &(struct pdp_options){0});
    peer_meet(&peer);
    cr_assert_eq(peer_ask(&peer, &asker, "/a", 200), PDP_ERR_OK);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 1u);
    const uint32_t others[] = {peer.ids[0] ^ 1, peer.ids[0] ^ 0x1000, peer.ids[0] ^ 0x40000000, 4095};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        peer_answer(&peer, others[i], ALLOW);
    }
    peer_step(&peer);
    cr_expect_eq(asker.calls, 0);
    peer_answer(&peer, peer.ids[0], DENY);
    peer_answer(&peer, peer.ids[0], ALLOW); // once is once
    peer_step(&peer);
    cr_expect(asker.calls == 1 && !asker.allows);
    cr_expect(pdp_flow_connected(peer.flow));
    peer_end(&peer);
}

Test(client_flow, denies_at_the_deadline_and_never_later_allows)
{
    struct peer peer;
    struct asker late, cancelled, early, next;
    peer_begin(&peer, &(struct pdp_options){.in_flight_max = 3});
    peer_meet(&peer);
    cr_assert_eq(peer_ask(&peer, &late, "/late", 200), PDP_ERR_OK);
    cr_assert_eq(peer_ask(&peer, &cancelled, "/cancelled", 200), PDP_ERR_OK);
    cr_assert_eq(peer_ask(&peer, &early, "/early", 100), PDP_ERR_OK);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 3u);
    cr_expect_eq(pdp_flow_due_ms(peer.flow), peer.now + 100);
    cr_expect(pdp_flow_cancel(peer.flow, cancelled.ticket));
    cr_expect(!pdp_flow_cancel(peer.flow, cancelled.ticket));
    cr_expect(!pdp_flow_cancel(peer.flow, 0));
    peer.now += 100;
    peer_step(&peer);
    cr_expect(early.calls == 1 && early.err == PDP_ERR_TIMEOUT && early.code == PDP_CODE_NO_ANSWER);
    // The answer is there, and so is the deadline.
    peer.now += 100;
    peer_answer(&peer, peer.ids[0], ALLOW);
    peer_step(&peer);
    cr_expect(late.calls == 1 && late.err == PDP_ERR_TIMEOUT && !late.allows);
    // One place is free again: that of the question which was answered, though late.
    cr_expect_eq(peer_ask(&peer, &next, "/next", 200), PDP_ERR_OK);
    cr_expect_eq(peer_ask(&peer, &early, "/busy", 200), PDP_ERR_BUSY);
    cr_expect_eq(early.ticket, 0u);
    for (size_t i = 1; i < 3; i++) {
        peer_answer(&peer, peer.ids[i], ALLOW);
    }
    peer_step(&peer);
    cr_expect_eq(cancelled.calls, 0);
    cr_expect_eq(peer_ask(&peer, &early, "/free", 200), PDP_ERR_OK);
    peer_end(&peer);
}

Test(client_flow, sends_again_what_was_under_way)
{
    struct peer peer;
    struct asker asked, waiting, cancelled;
    peer_begin(&peer, &(struct pdp_options){0});
    peer_meet(&peer);
    cr_assert_eq(peer_ask(&peer, &cancelled, "/cancelled", 5000), PDP_ERR_OK);
    cr_assert_eq(peer_ask(&peer, &asked, "/asked", 5000), PDP_ERR_OK);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 2u);
    struct buf first = peer.messages[1];
    peer.messages[1] = (struct buf){0};
    cr_expect(pdp_flow_cancel(peer.flow, cancelled.ticket));
    peer_hang_up(&peer);
    peer_forget(&peer);
    peer_step(&peer);
    cr_assert_eq(pdp_flow_fd(peer.flow), -1);
    cr_assert_eq(peer_ask(&peer, &waiting, "/waiting", 5000), PDP_ERR_OK);
    peer_meet(&peer);
    cr_assert_eq(peer_take(&peer), 2u);
    cr_expect(str_eq(buf_view(&peer.messages[0]), buf_view(&first)), "not the same bytes");
    peer_answer(&peer, peer.ids[0], ALLOW);
    peer_answer(&peer, peer.ids[1], DENY);
    peer_step(&peer);
    cr_expect(asked.calls == 1 && asked.allows && waiting.calls == 1 && !waiting.allows);
    cr_expect_eq(cancelled.calls, 0);
    buf_fini(&first);
    peer_end(&peer);
}

Test(client_flow, answers_then_hangs_up)
{
    struct peer peer;
    struct asker asker;
    peer_begin(&peer, &(struct pdp_options){0});
    peer_meet(&peer);
    cr_assert_eq(peer_ask(&peer, &asker, "/a", 200), PDP_ERR_OK);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 1u);
    peer_answer(&peer, peer.ids[0], ALLOW);
    cr_assert_eq(shutdown(peer.fd, SHUT_WR), 0);
    peer_step(&peer);
    peer_step(&peer);
    cr_expect(asker.calls == 1 && asker.allows);
    cr_expect_eq(pdp_flow_fd(peer.flow), -1);
    peer_end(&peer);
}

Test(client_flow, comes_back_slower_each_time_and_says_who_is_away)
{
    struct peer peer;
    struct asker asker;
    int64_t pauses = 0, tries = 0;
    peer_begin(&peer, &(struct pdp_options){.reconnect_ms = 400});
    peer_unlisten(&peer);
    cr_assert_eq(peer_ask(&peer, &asker, "/a", 5000), PDP_ERR_OK);
    while (asker.calls == 0) {
        peer_step(&peer);
        cr_assert_eq(pdp_flow_fd(peer.flow), -1);
        int64_t due = pdp_flow_due_ms(peer.flow);
        cr_assert(asker.calls != 0 || (due > peer.now && due <= peer.now + 400));
        pauses = asker.calls == 0 ? due - peer.now : pauses;
        tries++;
        peer.now = due;
    }
    cr_expect(pauses >= 1 && tries > 12 && tries < 60, "%lld tries", (long long)tries);
    cr_expect(asker.err == PDP_ERR_TIMEOUT && !asker.allows);
    cr_expect_not_null(strstr(asker.reason, "nobody answers at ipc://"), "%s", asker.reason);
    peer_listen(&peer);
    peer_meet(&peer);
    peer_end(&peer);
}

Test(client_flow, leaves_who_does_not_greet)
{
    const struct str GREETINGS[] = {STR("HTTP/1.1"), STR("\0SP\0\0\x30\0\0"), STR("\0SP\0")};
    for (size_t i = 0; i < COUNT_OF(GREETINGS); i++) {
        struct peer peer;
        peer_begin(&peer, &(struct pdp_options){0});
        peer_step(&peer);
        peer_accept(&peer);
        peer_say(&peer, GREETINGS[i]);
        peer_step(&peer);
        cr_expect_eq(pdp_flow_fd(peer.flow) == -1, i < 2);
        int64_t due = pdp_flow_due_ms(peer.flow);
        cr_assert_lt(due, peer.now + 60000);
        peer.now = due;
        peer_step(&peer);
        cr_expect(!pdp_flow_connected(peer.flow));
        cr_expect_eq(pdp_flow_fd(peer.flow) == -1, i == 2);
        peer_end(&peer);
    }
}

// Nothing is read at the other side: what is asked waits within bounds, and in the end another connection is
// tried.
Test(client_flow, gives_up_a_connection_that_answers_nothing)
{
    struct peer peer;
    struct asker askers[SEEN_MOST];
    static char filler[60001];
    memset(filler, 'x', sizeof filler - 1);
    peer_begin(&peer, &(struct pdp_options){.in_flight_max = SEEN_MOST});
    peer_meet(&peer);
    for (size_t i = 0; i < SEEN_MOST; i++) {
        cr_assert_eq(peer_ask(&peer, &askers[i], filler, 200), PDP_ERR_OK);
    }
    peer_step(&peer);
    cr_expect_eq(pdp_flow_wants(peer.flow), (unsigned)(PDP_FLOW_READ | PDP_FLOW_WRITE));
    peer.now += 200;
    peer_step(&peer);
    for (size_t i = 0; i < SEEN_MOST; i++) {
        cr_assert(askers[i].calls == 1 && askers[i].err == PDP_ERR_TIMEOUT);
    }
    cr_assert(pdp_flow_connected(peer.flow));
    int64_t due = pdp_flow_due_ms(peer.flow);
    cr_assert(due > peer.now && due <= peer.now + 10000);
    peer.now = due;
    peer_step(&peer);
    cr_expect(!pdp_flow_connected(peer.flow));
    peer_hang_up(&peer);
    peer_meet(&peer);
    cr_expect_eq(peer_take(&peer), 0u, "what nobody waits for is sent again");
    cr_expect_eq(peer_ask(&peer, &askers[0], "/a", 200), PDP_ERR_OK);
    peer_end(&peer);
}

struct chain {
    struct peer *peer;
    struct asker other, next;
};

// A callback that asks and cancels.
static void ask_next(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct chain *chain = user;
    (void)err;
    pdp_answer_free(&answer);
    cr_assert_eq(peer_ask(chain->peer, &chain->next, "/next", 200), PDP_ERR_OK);
    cr_expect(pdp_flow_cancel(chain->peer->flow, chain->other.ticket));
}

Test(client_flow, may_be_asked_by_its_callback)
{
    struct peer peer;
    struct chain chain = {.peer = &peer};
    struct pdp_question *question = NULL;
    uint64_t ticket = 0;
    peer_begin(&peer, &(struct pdp_options){0});
    peer_meet(&peer);
    cr_assert_eq(pdp_question_new(&question), PDP_ERR_OK);
    cr_assert_eq(pdp_flow_ask(peer.flow, question, NULL, 200, peer.now, ask_next, &chain, &ticket),
                 PDP_ERR_OK);
    pdp_question_free(&question);
    cr_assert_eq(peer_ask(&peer, &chain.other, "/other", 200), PDP_ERR_OK);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 2u);
    peer_answer(&peer, peer.ids[0], ALLOW);
    peer_answer(&peer, peer.ids[1], ALLOW);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 3u, "the next question goes out in the same step");
    peer_answer(&peer, peer.ids[2], ALLOW);
    peer_step(&peer);
    cr_expect(chain.next.calls == 1 && chain.next.allows && chain.other.calls == 0);
    peer_end(&peer);
}

Test(client_flow, asks_nothing_that_is_wrong)
{
    struct peer peer;
    struct pdp_question *question = NULL;
    struct asker asker;
    uint64_t ticket = 1;
    peer_begin(&peer, &(struct pdp_options){0});
    cr_expect_eq(peer_ask(&peer, &asker, "/a", 0), PDP_ERR_RANGE);
    cr_expect_eq(peer_ask(&peer, &asker, "/a", 3600001), PDP_ERR_RANGE);
    cr_expect_eq(pdp_flow_ask(peer.flow, NULL, NULL, 5, 0, asker_answered, &asker, &ticket), PDP_ERR_MISSING);
    cr_expect_eq(ticket, 0u);
    cr_assert_eq(pdp_question_new(&question), PDP_ERR_OK);
    (void)pdp_question_set_text(question, "a..b", "x");
    cr_expect_eq(pdp_flow_ask(peer.flow, question, NULL, 5, 0, asker_answered, &asker, &ticket),
                 PDP_ERR_SYNTAX);
    pdp_question_free(&question);
    peer_end(&peer);
    cr_expect_eq(asker.calls, 0);
}

Test(client_flow, takes_entries_that_are_written_already)
{
    static const unsigned char ENTRIES[] = "\x61"
                                           "a\x01\x61"
                                           "b\x61"
                                           "c"; // "a": 1, "b": "c"
    static unsigned char large[65537];
    struct peer peer;
    struct asker asker = {0};
    peer_begin(&peer, &(struct pdp_options){0});
    cr_expect_eq(pdp_flow_ask_entries(peer.flow, ENTRIES, 7, 2, NULL, 200, peer.now, asker_answered, &asker,
                                      &asker.ticket),
                 PDP_ERR_UNSUPPORTED, "JSON");
    peer_end(&peer);

    peer_begin_as(&peer, PDP_FORM_CBOR);
    peer_meet(&peer);
    cr_expect_eq(pdp_flow_ask_entries(peer.flow, NULL, 0, 0, NULL, 200, peer.now, asker_answered, &asker,
                                      &asker.ticket),
                 PDP_ERR_MISSING);
    cr_expect_eq(pdp_flow_ask_entries(peer.flow, large, sizeof large, 2, NULL, 200, peer.now, asker_answered,
                                      &asker, &asker.ticket),
                 PDP_ERR_LIMIT);
    cr_expect_eq(pdp_flow_ask_entries(peer.flow, large, sizeof large - 9, 2, NULL, 200, peer.now,
                                      asker_answered, &asker, &asker.ticket),
                 PDP_ERR_LIMIT, "with what stands in front");
    cr_expect_eq(asker.ticket, 0u);
    cr_assert_eq(pdp_flow_ask_entries(peer.flow, ENTRIES, 7, 2, "gw", 200, peer.now, asker_answered, &asker,
                                      &asker.ticket),
                 PDP_ERR_OK);
    peer_step(&peer);
    cr_assert_eq(peer_take(&peer), 1u);
    struct arena arena;
    struct value root;
    struct fault why = {0};
    arena_init(&arena, 0, 0);
    cr_assert_eq(wire_decode(WIRE_CBOR, buf_view(&peer.messages[0]), &arena, &root, &why), PDP_ERR_OK, "%s",
                 why.what);
    cr_expect_eq(root.n, 5u);
    cr_expect_eq(value_get(&root, STR("deadline_ms"))->as.i, 200);
    cr_expect_eq(value_get(&root, STR("request_id"))->n, 32u);
    cr_expect(value_is_text(value_get(&root, STR("gateway")), STR("gw")));
    cr_expect_eq(value_get(&root, STR("a"))->as.i, 1);
    cr_expect(value_is_text(value_get(&root, STR("b")), STR("c")));
    arena_fini(&arena);
    peer_answer(&peer, peer.ids[0], ALLOW);
    peer_step(&peer);
    cr_expect(asker.calls == 1 && asker.allows);
    peer_end(&peer);
}
