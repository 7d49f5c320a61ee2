// SPDX-License-Identifier: Apache-2.0
// Numbers as the log's files hold them: little-endian, whatever the machine.
#ifndef AUDIT_BYTES_H
#define AUDIT_BYTES_H

#include "base/buf.h"

static inline uint64_t bytes_number(const void *bytes, size_t len)
{
    uint64_t value = 0;
    for (size_t i = len; i-- > 0;) {
        value = value << 8 | ((const unsigned char *)bytes)[i];
    }
    return value;
}

static inline uint32_t bytes_u32(const void *bytes)
{
    return (uint32_t)bytes_number(bytes, 4);
}

static inline uint64_t bytes_u64(const void *bytes)
{
    return bytes_number(bytes, 8);
}

static inline void bytes_put(struct buf *out, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buf_byte(out, (unsigned char)(value >> 8 * i));
    }
}

static inline void bytes_put_u32(struct buf *out, uint32_t value)
{
    bytes_put(out, value, 4);
}

static inline void bytes_put_u64(struct buf *out, uint64_t value)
{
    bytes_put(out, value, 8);
}

#endif
