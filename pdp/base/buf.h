// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer whose failure is sticky: append freely, check `failed` once.
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
    unsigned char *at;
    size_t len, cap;
    size_t limit; // most it may hold; 0 is no limit
    bool failed;  // an append did not fit or memory was out; what is held is then a prefix
};

// Zeroed storage is a valid, empty buffer without limit. buf_clear keeps the memory.
void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf);
// Room for `more` further bytes; false sets failed. The pointer for them is buf->at + buf->len.
bool buf_grow(struct buf *buf, size_t more);

static inline bool buf_room(struct buf *buf, size_t more)
{
    return (buf->cap - buf->len >= more && !buf->failed) || buf_grow(buf, more);
}

static inline void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    if (len != 0 && buf_room(buf, len)) {
        memcpy(buf->at + buf->len, bytes, len);
        buf->len += len;
    }
}

static inline void buf_byte(struct buf *buf, unsigned char byte)
{
    if (buf_room(buf, 1)) {
        buf->at[buf->len++] = byte;
    }
}

static inline void buf_str(struct buf *buf, struct str s)
{
    buf_put(buf, s.at, s.len);
}

static inline struct str buf_view(const struct buf *buf)
{
    return (struct str){(const char *)buf->at, buf->len};
}

void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Text for a terminal, a log or a diagnostic: control bytes, backslash and broken UTF-8 as \xNN.
void buf_escaped(struct buf *buf, struct str s);
// Drops the first `count` bytes by moving the rest down.
void buf_drop(struct buf *buf, size_t count);

#endif
