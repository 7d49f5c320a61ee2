// SPDX-License-Identifier: Apache-2.0
#include "envoy/grpc.h"

static const int TIMEOUT_DIGITS_MOST = 8;
static const int64_t NS_PER_MS = 1000000;

// X(letter, nanoseconds). Eight digits of hours are below 2^63.
static const struct {
    char unit;
    int64_t ns;
} UNITS[] = {
    {'n', 1}, {'u', 1000}, {'m', 1000000}, {'S', 1000000000}, {'M', 60000000000}, {'H', 3600000000000},
};

bool grpc_is_content_type(struct text value)
{
    static const char WANTED[] = "application/grpc";
    size_t len = sizeof WANTED - 1;
    if (value.at == NULL || value.len < len || strncasecmp(value.at, WANTED, len) != 0) {
        return false;
    }
    return value.len == len || value.at[len] == '+' || value.at[len] == ';';
}

// Milliseconds of `count` units; hours are cut to what a question could ever wait.
static int64_t in_ms(int64_t count, int64_t ns)
{
    if (ns >= NS_PER_MS) {
        return count * (ns / NS_PER_MS);
    }
    return (count * ns + NS_PER_MS - 1) / NS_PER_MS;
}

bool grpc_timeout(struct text value, int64_t *ms)
{
    *ms = 0;
    if (value.at == NULL || value.len < 2 || value.len > (size_t)TIMEOUT_DIGITS_MOST + 1) {
        return false;
    }
    int64_t count = 0;
    for (size_t i = 0; i < value.len - 1; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') {
            return false;
        }
        count = count * 10 + (value.at[i] - '0');
    }
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (UNITS[i].unit == value.at[value.len - 1]) {
            *ms = in_ms(count, UNITS[i].ns);
            *ms += *ms == 0;
            return true;
        }
    }
    return false;
}

void grpc_prefix_write(unsigned char *bytes, size_t len)
{
    bytes[0] = 0;
    for (int i = 1; i < GRPC_PREFIX_BYTES; i++) {
        bytes[i] = (unsigned char)(len >> (8 * (GRPC_PREFIX_BYTES - 1 - i)));
    }
}

void grpc_prefix_read(const unsigned char *bytes, bool *compressed, size_t *len)
{
    *compressed = bytes[0] != 0;
    *len = 0;
    for (int i = 1; i < GRPC_PREFIX_BYTES; i++) {
        *len = *len << 8 | bytes[i];
    }
}

size_t grpc_message(const char *why, char *out, size_t room)
{
    static const char HEX[] = "0123456789ABCDEF";
    size_t len = 0;
    for (; room > 0 && *why != '\0'; why++) {
        unsigned char byte = (unsigned char)*why;
        bool plain = byte >= ' ' && byte <= '~' && byte != '%';
        if (len + (plain ? 1 : 3) >= room) {
            break;
        }
        if (plain) {
            out[len++] = (char)byte;
        } else {
            out[len++] = '%';
            out[len++] = HEX[byte >> 4];
            out[len++] = HEX[byte & 15];
        }
    }
    if (room > 0) {
        out[len] = '\0';
    }
    return len;
}
