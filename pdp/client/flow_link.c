// SPDX-License-Identifier: Apache-2.0
#include "client/flow_inner.h"

#include "base/num.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST_MAX 256
#define ROUND_BYTES 65536 // read at once
#define GREETING_MS 5000  // for a connection, TLS and the peer's eight bytes

// ---- Addresses
// -------------------------------------------------------------------------------------------------

static enum pdp_err read_ipc(struct pdp_flow *flow, struct str path)
{
    struct sockaddr_un *at = (struct sockaddr_un *)&flow->addresses[0].at;
    if (path.len == 0 || path.len >= sizeof at->sun_path) {
        return PDP_ERR_SYNTAX;
    }
    at->sun_family = AF_UNIX;
    memcpy(at->sun_path, path.at, path.len);
    flow->addresses[0].len = sizeof *at;
    flow->address_count = 1;
    return PDP_ERR_OK;
}

// `host:port` or `[address]:port`, as C strings.
static enum pdp_err split_host(struct str text, char host[HOST_MAX], char port[8])
{
    size_t colon = text.len;
    while (colon > 0 && text.at[colon - 1] != ':') {
        colon--;
    }
    struct str name = str_sub(text, 0, colon > 0 ? colon - 1 : 0);
    struct str number = str_sub(text, colon, text.len);
    uint64_t value = 0;
    if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']') {
        name = str_sub(name, 1, name.len - 2);
    }
    if (name.len == 0 || name.len >= HOST_MAX || number.len > 5 || !str_to_u64(number, &value) ||
        value == 0 || value > UINT16_MAX) {
        return PDP_ERR_SYNTAX;
    }
    memcpy(host, name.at, name.len);
    host[name.len] = '\0';
    memcpy(port, number.at, number.len);
    port[number.len] = '\0';
    return PDP_ERR_OK;
}

static enum pdp_err look_up(struct pdp_flow *flow, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return PDP_ERR_UNKNOWN;
    }
    for (const struct addrinfo *at = found; at != NULL && flow->address_count < FLOW_ADDRESSES_MAX;
         at = at->ai_next) {
        struct flow_address *address = &flow->addresses[flow->address_count];
        if (at->ai_addrlen <= sizeof address->at) {
            memcpy(&address->at, at->ai_addr, at->ai_addrlen);
            address->len = at->ai_addrlen;
            flow->address_count++;
        }
    }
    freeaddrinfo(found);
    return flow->address_count > 0 ? PDP_ERR_OK : PDP_ERR_UNKNOWN;
}

enum pdp_err flow_link_init(struct pdp_flow *flow, const char *url, const struct pdp_options *options)
{
    struct str rest = str_of(url);
    size_t scheme = str_find(rest, STR("://"), 0) + 3;
    flow->transport = str_starts(rest, STR("ipc://")) ? SP_IPC : SP_TCP;
    rest = str_sub(rest, scheme, rest.len);
    if (flow->transport == SP_IPC) {
        return read_ipc(flow, rest);
    }
    char host[HOST_MAX], port[8];
    TRY(split_host(rest, host, port));
    TRY(flow_tls_new(url, host, options, &flow->tls));
    return look_up(flow, host, port);
}

void flow_link_fini(struct pdp_flow *flow)
{
    flow_link_close(flow);
    flow_tls_free(&flow->tls);
}

// ---- The connection
// --------------------------------------------------------------------------------------------

static enum pdp_err greet(struct pdp_flow *flow)
{
    unsigned char hello[SP_HANDSHAKE_BYTES];
    sp_handshake_write(SP_REQ0, hello);
    buf_put(&flow->out, hello, sizeof hello);
    flow->state = FLOW_GREETING;
    return flow->out.failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

static enum pdp_err begin(struct pdp_flow *flow)
{
    if (flow->tls == NULL) {
        return greet(flow);
    }
    flow->state = FLOW_SECURING;
    return flow_tls_begin(flow->tls);
}

enum pdp_err flow_link_dial(struct pdp_flow *flow, int64_t now_ms)
{
    const struct flow_address *address = &flow->addresses[flow->address_next];
    flow->address_next = (flow->address_next + 1) % flow->address_count;
    int family = address->at.ss_family, yes = 1;
    flow->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (flow->fd < 0) {
        return PDP_ERR_IO;
    }
    if (family != AF_UNIX) {
        (void)setsockopt(flow->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    flow->heard_ms = now_ms;
    flow->give_up_ms = num_add_sat(now_ms, GREETING_MS);
    if (connect(flow->fd, (const struct sockaddr *)&address->at, address->len) == 0) {
        return begin(flow);
    }
    flow->state = FLOW_CONNECTING;
    return errno == EINPROGRESS ? PDP_ERR_OK : PDP_ERR_IO;
}

enum pdp_err flow_link_connected(struct pdp_flow *flow)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(flow->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        return PDP_ERR_IO;
    }
    return begin(flow);
}

void flow_link_close(struct pdp_flow *flow)
{
    if (flow->fd >= 0) {
        (void)close(flow->fd);
        flow->fd = -1;
    }
    if (flow->tls != NULL) {
        flow_tls_end(flow->tls);
    }
}

// ---- Bytes
// -----------------------------------------------------------------------------------------------------

// CLOSED at the end; OK with *len 0 where nothing is there.
static enum pdp_err read_some(struct pdp_flow *flow, unsigned char *at, size_t room, size_t *len)
{
    ssize_t got = recv(flow->fd, at, room, 0);
    *len = got > 0 ? (size_t)got : 0;
    if (got == 0) {
        return PDP_ERR_CLOSED;
    }
    return got > 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? PDP_ERR_OK : PDP_ERR_IO;
}

static enum pdp_err receive_sealed(struct pdp_flow *flow, bool *full)
{
    unsigned char bytes[ROUND_BYTES / 4];
    size_t len = 0;
    enum pdp_err err = read_some(flow, bytes, sizeof bytes, &len);
    *full = len == sizeof bytes;
    if (len > 0) {
        bool secure = false;
        TRY(flow_tls_arrived(flow->tls, (struct str){(const char *)bytes, len}, &secure, &flow->in));
        if (secure && flow->state == FLOW_SECURING) {
            TRY(greet(flow));
        }
    }
    return err;
}

enum pdp_err flow_link_receive(struct pdp_flow *flow, bool *full)
{
    *full = false;
    if (flow->tls != NULL) {
        return receive_sealed(flow, full);
    }
    if (!buf_room(&flow->in, ROUND_BYTES / 2)) {
        return PDP_ERR_NOMEM;
    }
    size_t len = 0, room = flow->in.cap - flow->in.len;
    enum pdp_err err = read_some(flow, flow->in.at + flow->in.len, room, &len);
    flow->in.len += len;
    *full = len == room;
    return err;
}

static enum pdp_err write_some(struct pdp_flow *flow, struct str bytes, size_t *sent)
{
    ssize_t put = send(flow->fd, bytes.at, bytes.len, MSG_NOSIGNAL);
    *sent = put > 0 ? (size_t)put : 0;
    flow->blocked = *sent < bytes.len;
    return put >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? PDP_ERR_OK : PDP_ERR_IO;
}

// What was sealed before goes first, and may be all of it: then it is the turn of what waits.
static enum pdp_err send_sealed(struct pdp_flow *flow)
{
    for (int round = 0; round < 2 && !flow->blocked; round++) {
        struct str pending = flow_tls_pending(flow->tls);
        if (pending.len == 0 && flow->out.len > 0) {
            TRY(flow_tls_seal(flow->tls, buf_view(&flow->out)));
            buf_clear(&flow->out);
            pending = flow_tls_pending(flow->tls);
        }
        size_t sent = 0;
        if (pending.len > 0) {
            TRY(write_some(flow, pending, &sent));
            flow_tls_sent(flow->tls, sent);
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err flow_link_send(struct pdp_flow *flow)
{
    if (flow->tls != NULL) {
        return send_sealed(flow);
    }
    if (flow->out_sent == flow->out.len) {
        return PDP_ERR_OK;
    }
    size_t sent = 0;
    TRY(write_some(flow, str_sub(buf_view(&flow->out), flow->out_sent, flow->out.len), &sent));
    flow->out_sent += sent;
    if (flow->out_sent == flow->out.len) {
        buf_clear(&flow->out);
        flow->out_sent = 0;
    }
    return PDP_ERR_OK;
}
