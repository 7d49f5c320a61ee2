// SPDX-License-Identifier: Apache-2.0
// A daemon that does what the test says, to the byte, and a flow that asks it. One thread, a clock of its
// own.
#ifndef TESTS_UNIT_CLIENT_PEER_H
#define TESTS_UNIT_CLIENT_PEER_H

#include "base/buf.h"
#include "sp/sp.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pdp/flow.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ALLOW \
    "{\"decision\": true, \"context\": {\"effect\": \"allow\", \"code\": \"policy\", \"rule\": \"p/r\"}}"
#define DENY "{\"decision\": false, \"context\": {\"effect\": \"deny\", \"code\": \"no-rule\"}}"

enum {
    SEEN_MOST = 64
};

struct peer {
    char dir[32], url[64];
    int listener, fd;
    struct buf got; // what came and was not taken yet
    uint32_t ids[SEEN_MOST];
    struct buf messages[SEEN_MOST];
    size_t seen;
    struct pdp_flow *flow;
    int64_t now;
};

static inline void peer_listen(struct peer *peer)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/s", peer->dir);
    peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(peer->listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(peer->listener, 8), 0);
}

static inline void peer_unlisten(struct peer *peer)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/s", peer->dir);
    (void)close(peer->listener);
    (void)unlink(path);
    peer->listener = -1;
}

static inline void peer_open(struct peer *peer, struct pdp_options *options)
{
    *peer = (struct peer){.fd = -1, .listener = -1, .now = 1000};
    (void)snprintf(peer->dir, sizeof peer->dir, "/tmp/pdp-flow-XXXXXX");
    cr_assert_not_null(mkdtemp(peer->dir));
    (void)snprintf(peer->url, sizeof peer->url, "ipc://%s/s", peer->dir);
    peer_listen(peer);
    options->size = sizeof *options;
    cr_assert_eq(pdp_flow_open(peer->url, options, &peer->flow), PDP_ERR_OK);
}

static inline void peer_begin(struct peer *peer, struct pdp_options *options)
{
    options->form = PDP_FORM_JSON;
    peer_open(peer, options);
}

static inline void peer_begin_as(struct peer *peer, enum pdp_form form)
{
    peer_open(peer, &(struct pdp_options){.form = form});
}

static inline void peer_hang_up(struct peer *peer)
{
    if (peer->fd >= 0) {
        (void)close(peer->fd);
    }
    peer->fd = -1;
    buf_clear(&peer->got);
}

static inline void peer_forget(struct peer *peer)
{
    for (size_t i = 0; i < peer->seen; i++) {
        buf_fini(&peer->messages[i]);
    }
    peer->seen = 0;
}

static inline void peer_end(struct peer *peer)
{
    pdp_flow_close(&peer->flow);
    peer_hang_up(peer);
    peer_forget(peer);
    buf_fini(&peer->got);
    if (peer->listener >= 0) {
        peer_unlisten(peer);
    }
    (void)rmdir(peer->dir);
}

// One step with whatever is ready, without waiting.
static inline void peer_step(struct peer *peer)
{
    struct pollfd poll_fd = {.fd = pdp_flow_fd(peer->flow)};
    unsigned wants = pdp_flow_wants(peer->flow), ready = 0;
    poll_fd.events =
        (short)(((wants & PDP_FLOW_READ) != 0 ? POLLIN : 0) | ((wants & PDP_FLOW_WRITE) != 0 ? POLLOUT : 0));
    if (poll_fd.fd >= 0 && poll(&poll_fd, 1, 0) > 0) {
        bool broken = (poll_fd.revents & (POLLERR | POLLHUP)) != 0;
        ready |= (poll_fd.revents & POLLIN) != 0 || broken ? PDP_FLOW_READ : 0u;
        ready |= (poll_fd.revents & POLLOUT) != 0 || broken ? PDP_FLOW_WRITE : 0u;
    }
    pdp_flow_step(peer->flow, ready, peer->now);
}

static inline void peer_say(struct peer *peer, struct str bytes)
{
    cr_assert_eq(send(peer->fd, bytes.at, bytes.len, MSG_NOSIGNAL), (ssize_t)bytes.len);
}

static inline void peer_read(struct peer *peer)
{
    unsigned char bytes[65536];
    for (ssize_t len; (len = recv(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
        buf_put(&peer->got, bytes, (size_t)len);
    }
}

static inline void peer_accept(struct peer *peer)
{
    peer->fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
    cr_assert_geq(peer->fd, 0, "nobody connected");
}

// Accepts and greets; the flow is up afterwards.
static inline void peer_meet(struct peer *peer)
{
    unsigned char hello[SP_HANDSHAKE_BYTES];
    for (int i = 0; i < 3 && pdp_flow_fd(peer->flow) < 0; i++) {
        peer->now = pdp_flow_due_ms(peer->flow) > peer->now ? pdp_flow_due_ms(peer->flow) : peer->now;
        peer_step(peer);
    }
    peer_accept(peer);
    peer_step(peer);
    peer_read(peer);
    cr_assert_eq(sp_handshake_read(buf_view(&peer->got), SP_REQ0), SP_WHOLE);
    buf_drop(&peer->got, SP_HANDSHAKE_BYTES);
    sp_handshake_write(SP_REP0, hello);
    peer_say(peer, (struct str){(const char *)hello, sizeof hello});
    peer_step(peer);
    cr_assert(pdp_flow_connected(peer->flow));
}

// Takes all questions that are there; returns how many there are in all.
static inline size_t peer_take(struct peer *peer)
{
    struct sp_frame frame;
    struct str hops, message;
    peer_read(peer);
    while (sp_frame_read(SP_IPC, buf_view(&peer->got), 65536 + SP_HOPS_BYTES, &frame) == SP_WHOLE) {
        cr_assert_eq(sp_hops_split(frame.body, &hops, &message), SP_WHOLE);
        cr_assert_lt(peer->seen, (size_t)SEEN_MOST);
        peer->ids[peer->seen] = sp_survey_number(hops);
        peer->messages[peer->seen] = (struct buf){0};
        buf_str(&peer->messages[peer->seen++], message);
        buf_drop(&peer->got, frame.used);
    }
    return peer->seen;
}

// The frame of an answer, appended.
static inline void peer_frame(struct buf *out, uint32_t id, struct str answer)
{
    unsigned char head[SP_HEADER_MAX], word[SP_SURVEY_BYTES];
    buf_put(out, head, sp_frame_write(SP_IPC, answer.len + sizeof word, head));
    sp_survey_write(id, word);
    buf_put(out, word, sizeof word);
    buf_str(out, answer);
}

static inline void peer_answer(struct peer *peer, uint32_t id, const char *answer)
{
    struct buf frame = {0};
    peer_frame(&frame, id, str_of(answer));
    peer_say(peer, buf_view(&frame));
    buf_fini(&frame);
}

// ---- Who asks
// --------------------------------------------------------------------------------------------------

struct asker {
    uint64_t ticket;
    int calls;
    enum pdp_err err;
    bool allows;
    enum pdp_code code;
    char reason[128];
};

static inline void asker_answered(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct asker *asker = user;
    asker->calls++;
    asker->err = err;
    asker->allows = pdp_answer_allows(answer);
    asker->code = pdp_answer_code(answer);
    (void)snprintf(asker->reason, sizeof asker->reason, "%s", pdp_answer_reason(answer));
    pdp_answer_free(&answer);
}

static inline enum pdp_err peer_ask(struct peer *peer, struct asker *asker, const char *path,
                                    int32_t deadline_ms)
{
    struct pdp_question *question = NULL;
    cr_assert_eq(pdp_question_new(&question), PDP_ERR_OK);
    (void)pdp_question_set_text(question, "resource.id", path);
    *asker = (struct asker){.err = PDP_ERR_COUNT};
    enum pdp_err err = pdp_flow_ask(peer->flow, question, NULL, deadline_ms, peer->now, asker_answered, asker,
                                    &asker->ticket);
    pdp_question_free(&question);
    return err;
}

#endif
