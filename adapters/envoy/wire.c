// SPDX-License-Identifier: Apache-2.0
#include "envoy/wire.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

enum pdp_err wire_init(struct wire *wire, struct authz_tls *tls, int fd)
{
    *wire = (struct wire){.fd = fd, .shaken = tls == NULL};
    if (tls == NULL) {
        return PDP_ERR_OK;
    }
    wire->ssl = authz_tls_accept(tls, fd);
    if (wire->ssl == NULL) {
        wire_fini(wire);
        return PDP_ERR_NOMEM;
    }
    return PDP_ERR_OK;
}

void wire_fini(struct wire *wire)
{
    if (wire->ssl != NULL) {
        if (wire->shaken) {
            (void)SSL_shutdown(wire->ssl);
        }
        SSL_free(wire->ssl);
        ERR_clear_error();
    }
    if (wire->fd >= 0) {
        (void)close(wire->fd);
    }
    *wire = (struct wire){.fd = -1};
}

static enum wire_state tls_state(const struct wire *wire, int result)
{
    int error = SSL_get_error(wire->ssl, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ    ? WIRE_WANTS_READ
           : error == SSL_ERROR_WANT_WRITE ? WIRE_WANTS_WRITE
                                           : WIRE_ENDED;
}

enum wire_state wire_shake(struct wire *wire, struct authz_tls *tls, char name[AUTHZ_NAME_MAX + 1])
{
    if (wire->ssl == NULL) {
        name[0] = '\0';
        return WIRE_DONE;
    }
    int result = SSL_do_handshake(wire->ssl);
    if (result != 1) {
        return tls_state(wire, result);
    }
    wire->shaken = true;
    return authz_tls_peer(tls, wire->ssl, name) ? WIRE_DONE : WIRE_ENDED;
}

static enum wire_state plain_state(enum wire_state wants)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? wants : WIRE_ENDED;
}

enum wire_state wire_read(struct wire *wire, void *out, size_t room, size_t *moved)
{
    *moved = 0;
    if (wire->ssl != NULL) {
        int result = SSL_read_ex(wire->ssl, out, room, moved);
        return result == 1 ? WIRE_DONE : tls_state(wire, result);
    }
    ssize_t got = recv(wire->fd, out, room, MSG_DONTWAIT);
    if (got > 0) {
        *moved = (size_t)got;
        return WIRE_DONE;
    }
    return got == 0 ? WIRE_ENDED : plain_state(WIRE_WANTS_READ);
}

enum wire_state wire_write(struct wire *wire, const void *bytes, size_t len, size_t *moved)
{
    *moved = 0;
    if (wire->ssl != NULL) {
        int result = SSL_write_ex(wire->ssl, bytes, len, moved);
        return result == 1 ? WIRE_DONE : tls_state(wire, result);
    }
    ssize_t put = send(wire->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
        *moved = (size_t)put;
        return WIRE_DONE;
    }
    return plain_state(WIRE_WANTS_WRITE);
}

bool wire_has_more(const struct wire *wire)
{
    return wire->ssl != NULL && SSL_has_pending(wire->ssl) != 0;
}
