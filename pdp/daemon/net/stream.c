// SPDX-License-Identifier: Apache-2.0
#include "daemon/net/stream.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream *stream_new(int fd, SSL *ssl, struct tls *tls)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream != NULL) {
        stream->fd = fd;
        stream->ssl = ssl;
        stream->tls = tls;
        stream->until_s = INT64_MAX;
    }
    return stream;
}

void stream_close(struct stream **stream_ptr)
{
    struct stream *stream = STEAL(*stream_ptr);
    if (stream == NULL) {
        return;
    }
    link_remove(&stream->secured);
    if (stream->ssl != NULL) {
        ERR_clear_error();
        (void)SSL_shutdown(stream->ssl); // ours alone: nobody waits for theirs
        SSL_free(stream->ssl);
        ERR_clear_error();
    }
    if (stream->fd >= 0) {
        close(stream->fd);
    }
    free(stream);
}

static bool errno_passes(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static enum stream_got plain_read(struct stream *stream, void *at, size_t room, size_t *len)
{
    ssize_t got = recv(stream->fd, at, room, 0);
    *len = got > 0 ? (size_t)got : 0;
    return got > 0 ? STREAM_SOME : got == 0 ? STREAM_ENDED : errno_passes() ? STREAM_AGAIN : STREAM_LOST;
}

// What a call to OpenSSL that gave nothing means. After a fatal one nothing may be said on it any more.
static enum stream_got tls_outcome(struct stream *stream, int rv)
{
    switch (SSL_get_error(stream->ssl, rv)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return STREAM_ENDED;
    default:
        SSL_set_quiet_shutdown(stream->ssl, 1);
        ERR_clear_error();
        return STREAM_LOST;
    }
}

static enum stream_got tls_read(struct stream *stream, void *at, size_t room, size_t *len)
{
    ERR_clear_error();
    int rv = SSL_read_ex(stream->ssl, at, room, len);
    if (rv == 1) {
        // A rest that OpenSSL keeps would be announced by nobody: there is none where a record has room.
        return SSL_pending(stream->ssl) == 0 ? STREAM_SOME : STREAM_LOST;
    }
    *len = 0;
    enum stream_got got = tls_outcome(stream, rv);
    stream->read_writes = got == STREAM_AGAIN && SSL_want_write(stream->ssl);
    return got;
}

enum stream_got stream_read(struct stream *stream, void *at, size_t room, size_t *len)
{
    *len = 0;
    return stream->ssl != NULL ? tls_read(stream, at, room, len) : plain_read(stream, at, room, len);
}

static enum stream_got plain_write(struct stream *stream, struct str bytes, size_t *sent)
{
    ssize_t len = send(stream->fd, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (len < 0) {
        return errno_passes() ? STREAM_AGAIN : STREAM_LOST;
    }
    *sent = (size_t)len;
    return *sent == bytes.len ? STREAM_SOME : STREAM_AGAIN;
}

static enum stream_got tls_write(struct stream *stream, struct str bytes, size_t *sent)
{
    while (*sent < bytes.len) {
        size_t len = 0;
        ERR_clear_error();
        int rv = SSL_write_ex(stream->ssl, bytes.at + *sent, bytes.len - *sent, &len);
        if (rv != 1) {
            enum stream_got got = tls_outcome(stream, rv);
            return got == STREAM_ENDED ? STREAM_LOST : got;
        }
        *sent += len;
    }
    return STREAM_SOME;
}

enum stream_got stream_write(struct stream *stream, struct str bytes, size_t *sent)
{
    *sent = 0;
    return stream->ssl != NULL ? tls_write(stream, bytes, sent) : plain_write(stream, bytes, sent);
}
