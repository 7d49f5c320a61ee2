// SPDX-License-Identifier: Apache-2.0
#include "haproxy/peer.h"

#include <stdlib.h>

enum {
    FIRST_BYTES = 2048,
    READ_LEAST = 512 // so that what is left behind old bytes is not filled in crumbs
};

void peer_init(struct peer *peer, const struct peer_rules *rules)
{
    *peer = (struct peer){.rules = rules, .max_frame_size = rules->max_frame_size};
}

void peer_fini(struct peer *peer)
{
    free(peer->in.at);
    free(peer->out.at);
    *peer = (struct peer){.rules = peer->rules, .state = PEER_ENDING};
}

// ---- Bytes
// --------------------------------------------------------------------------------------------------

static void take(struct peer_bytes *bytes, size_t len)
{
    bytes->from += len;
    bytes->len -= len;
    if (bytes->len == 0) {
        bytes->from = 0;
    }
}

// Room for `more` bytes behind those that are there.
static enum pdp_err grow(struct peer_bytes *bytes, size_t more)
{
    if (bytes->size - bytes->from - bytes->len >= more) {
        return PDP_ERR_OK;
    }
    if (bytes->from > 0) {
        memmove(bytes->at, bytes->at + bytes->from, bytes->len);
        bytes->from = 0;
    }
    size_t size = bytes->size > 0 ? bytes->size : FIRST_BYTES;
    while (size - bytes->len < more) {
        if (size > SIZE_MAX / 2) {
            return PDP_ERR_NOMEM;
        }
        size *= 2;
    }
    if (size > bytes->size) {
        unsigned char *at = realloc(bytes->at, size);
        if (at == NULL) {
            return PDP_ERR_NOMEM;
        }
        bytes->at = at;
        bytes->size = size;
    }
    return PDP_ERR_OK;
}

enum pdp_err peer_room(struct peer *peer, unsigned char **at, size_t *room)
{
    *at = NULL;
    *room = 0;
    size_t most = (size_t)peer->max_frame_size + SPOP_LENGTH_BYTES;
    if (peer->state == PEER_ENDING) {
        take(&peer->in, peer->in.len); // nobody reads it any more
    }
    struct peer_bytes *in = &peer->in;
    size_t wanted = in->len < most ? most - in->len : 0;
    enum pdp_err err = grow(in, wanted < READ_LEAST ? wanted : READ_LEAST);
    if (err == PDP_ERR_OK && wanted > 0) {
        size_t space = in->size - in->from - in->len;
        *at = in->at + in->from + in->len;
        *room = space < wanted ? space : wanted;
    }
    return err;
}

void peer_took(struct peer *peer, size_t len)
{
    peer->in.len += len;
}

enum pdp_err peer_begin(struct peer *peer, size_t most, struct spop_writer *out)
{
    *out = (struct spop_writer){.full = true};
    struct peer_bytes *bytes = &peer->out;
    enum pdp_err err = grow(bytes, most);
    if (err == PDP_ERR_OK) {
        unsigned char *at = bytes->at + bytes->from + bytes->len;
        *out = (struct spop_writer){.at = at, .end = at + most};
    }
    return err;
}

void peer_commit(struct peer *peer, const struct spop_writer *out)
{
    struct peer_bytes *bytes = &peer->out;
    if (!out->full) {
        bytes->len = (size_t)(out->at - bytes->at) - bytes->from;
    }
}

void peer_sent(struct peer *peer, size_t len)
{
    take(&peer->out, len);
}

// ---- The protocol
// ---------------------------------------------------------------------------------------------

void peer_end(struct peer *peer, enum spop_status status)
{
    if (peer->state == PEER_ENDING) {
        return;
    }
    peer->state = PEER_ENDING;
    peer->status = status;
    struct spop_writer out;
    if (peer_begin(peer, SPOP_SMALL_MAX, &out) == PDP_ERR_OK) {
        spop_write_agent_disconnect(&out, status);
        peer_commit(peer, &out);
    }
}

static void shake(struct peer *peer, const struct spop_frame *frame)
{
    struct spop_hello hello;
    enum spop_status status = spop_read_hello(frame, &hello);
    struct spop_writer out;
    if (status == SPOP_STATUS_NORMAL && peer_begin(peer, SPOP_SMALL_MAX, &out) != PDP_ERR_OK) {
        status = SPOP_STATUS_RESOURCE;
    }
    if (status != SPOP_STATUS_NORMAL) {
        peer_end(peer, status);
        return;
    }
    if (hello.max_frame_size < peer->max_frame_size) {
        peer->max_frame_size = hello.max_frame_size;
    }
    spop_write_agent_hello(&out, peer->max_frame_size, hello.pipelining, hello.async && peer->rules->async);
    peer_commit(peer, &out);
    peer->healthcheck = hello.healthcheck;
    peer->state = hello.healthcheck ? PEER_ENDING : PEER_OPEN;
}

// Is it a NOTIFY that asks?
static bool judge(struct peer *peer, const struct spop_frame *frame)
{
    if (frame->type == SPOP_HAPROXY_DISCONNECT) {
        peer_end(peer, SPOP_STATUS_NORMAL); // what it says why is for its own log
        return false;
    }
    if (peer->state == PEER_NEW) {
        shake(peer, frame);
        return false;
    }
    switch (frame->type) {
    case SPOP_NOTIFY:
        if ((frame->flags & SPOP_FIN) == 0) {
            peer_end(peer, SPOP_STATUS_FRAGMENTED);
        }
        return peer->state == PEER_OPEN;
    case SPOP_UNSET:
        peer_end(peer, SPOP_STATUS_FRAGMENTED);
        return false;
    case SPOP_HAPROXY_HELLO:
    case SPOP_AGENT_HELLO:
    case SPOP_AGENT_DISCONNECT:
    case SPOP_ACK:
        peer_end(peer, SPOP_STATUS_INVALID);
        return false;
    default: // of a later version
        peer->skipped++;
        return false;
    }
}

bool peer_next(struct peer *peer, struct spop_frame *frame)
{
    *frame = (struct spop_frame){0};
    while (peer->state != PEER_ENDING && peer->in.len > 0) {
        size_t used;
        enum spop_status why;
        struct spop_frame one;
        enum spop_got got = spop_read_frame(peer->in.at + peer->in.from, peer->in.len, peer->max_frame_size,
                                            &one, &used, &why);
        if (got == SPOP_MORE) {
            return false;
        }
        if (got == SPOP_BAD) {
            peer_end(peer, why);
            return false;
        }
        take(&peer->in, used); // its bytes stay where they are
        peer->frames++;
        if (judge(peer, &one)) {
            *frame = one;
            return true;
        }
    }
    return false;
}
