// SPDX-License-Identifier: Apache-2.0
// Bytes of tests, as they are written down: `00 0a "pdp"` is hexadecimal digits, and text between quotes.
#ifndef TEST_HEX_H
#define TEST_HEX_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct hex {
    unsigned char at[1024];
    size_t len;
};

static inline struct hex hex_of(const char *text)
{
    struct hex out = {.len = 0};
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            for (text++; *text != '"'; text++) {
                out.at[out.len++] = (unsigned char)*text;
            }
        } else if (*text != ' ') {
            char pair[3] = {text[0], text[1], '\0'};
            out.at[out.len++] = (unsigned char)strtoul(pair, NULL, 16);
            text++;
        }
    }
    return out;
}

#endif
