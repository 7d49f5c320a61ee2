// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_fini(struct buf *buf)
{
    free(buf->at);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

bool buf_grow(struct buf *buf, size_t more)
{
    size_t need = 0;
    if (buf->failed || !num_add(buf->len, more, &need) || (buf->limit != 0 && need > buf->limit)) {
        buf->failed = true;
        return false;
    }
    if (need <= buf->cap) {
        return true;
    }
    size_t cap = buf->cap < 128 ? 256 : buf->cap;
    while (cap < need) {
        if (!num_mul(cap, (size_t)2, &cap)) {
            cap = need;
        }
    }
    // buf_room asks only for cap: it must not lie above the limit.
    cap = buf->limit != 0 && cap > buf->limit ? buf->limit : cap;
    unsigned char *at = realloc(buf->at, cap);
    if (at == NULL) {
        buf->failed = true;
        return false;
    }
    buf->at = at;
    buf->cap = cap;
    return true;
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0 || !buf_room(buf, (size_t)len + 1)) {
        buf->failed = true;
        return;
    }
    va_start(args, fmt);
    vsnprintf((char *)buf->at + buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
}

void buf_escaped(struct buf *buf, struct str s)
{
    static const char HEX[] = "0123456789abcdef";
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t cp = 0;
        bool valid = str_next_cp(s, &at, &cp);
        // C1 controls and the marks that turn text around are as good as control bytes on a terminal.
        bool plain = valid && cp >= 0x20 && cp != '\\' && !(cp >= 0x7F && cp < 0xA0) &&
                     !(cp >= 0x200E && cp <= 0x200F) && !(cp >= 0x2028 && cp <= 0x202E) &&
                     !(cp >= 0x2066 && cp <= 0x2069) && cp != 0xFEFF;
        if (plain) {
            buf_put(buf, s.at + from, at - from);
            continue;
        }
        for (; from < at; from++) {
            unsigned char byte = (unsigned char)s.at[from];
            const char text[4] = {'\\', 'x', HEX[byte >> 4], HEX[byte & 15]};
            buf_put(buf, text, sizeof text);
        }
    }
}

void buf_drop(struct buf *buf, size_t count)
{
    count = count < buf->len ? count : buf->len;
    if (count > 0) {
        memmove(buf->at, buf->at + count, buf->len - count);
        buf->len -= count;
    }
}
