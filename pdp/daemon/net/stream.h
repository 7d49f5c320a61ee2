// SPDX-License-Identifier: Apache-2.0
// One connection's bytes: a non-blocking descriptor, with TLS on it or not. One thread at a time.
#ifndef DAEMON_NET_STREAM_H
#define DAEMON_NET_STREAM_H

#include "daemon/net/tls.h"
#include "node/link.h"

#define STREAM_READ_LEAST 16384 // room that a read over TLS needs: a record is taken whole or not at all

struct stream {
    int fd;
    SSL *ssl;            // NULL: plain
    struct tls *tls;     // where there is ssl
    uint64_t id;         // the node's number of the connection
    uint64_t generation; // of the files by which its certificate was found good
    int64_t until_s;     // its certificate ends then
    bool read_writes;    // a read waits until something can be written
    bool told_read, told_write;
    struct link secured; // in the loop's list of those with TLS
};

// Takes both over; `ssl` NULL: plain. NULL where memory is out, and nothing was taken.
struct stream *stream_new(int fd, SSL *ssl, struct tls *tls);
// Says goodbye where the peer can still hear it, and closes.
void stream_close(struct stream **stream);

enum stream_got {
    STREAM_SOME,
    STREAM_AGAIN, // nothing now
    STREAM_ENDED, // the peer sends no more
    STREAM_LOST   // nothing more can come or go
};
// At least STREAM_READ_LEAST of room where there is TLS. *len is 0 but for SOME.
enum stream_got stream_read(struct stream *stream, void *at, size_t room, size_t *len);
// As much as goes; *sent may be above 0 with AGAIN. What is left is offered again from its first byte on.
enum stream_got stream_write(struct stream *stream, struct str bytes, size_t *sent);

#endif
