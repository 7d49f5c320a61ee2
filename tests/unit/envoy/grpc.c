// SPDX-License-Identifier: Apache-2.0
#include "envoy/grpc.h"

#include <criterion/criterion.h>

static const struct {
    const char *text;
    int64_t ms; // 0: none
} TIMEOUTS[] = {
    {"200m", 200},
    {"1S", 1000},
    {"2M", 120000},
    {"3H", 10800000},
    {"99999999H", 359999996400000},
    {"1n", 1},
    {"0m", 1},
    {"1000001n", 2},
    {"999u", 1},
    {"1001u", 2},
    {"12345678u", 12346},
    {"123456789u", 0},
    {"", 0},
    {"m", 0},
    {"5", 0},
    {"-1m", 0},
    {" 1m", 0},
    {"1 m", 0},
    {"1s", 0},
    {"1x", 0},
};

Test(envoy_grpc, reads_timeouts)
{
    for (size_t i = 0; i < COUNT_OF(TIMEOUTS); i++) {
        int64_t ms = -1;
        bool is = grpc_timeout(text_of(TIMEOUTS[i].text), &ms);
        cr_expect_eq(is, TIMEOUTS[i].ms != 0, "`%s`: is one: %d", TIMEOUTS[i].text, is);
        cr_expect_eq(ms, TIMEOUTS[i].ms, "`%s`: %lld", TIMEOUTS[i].text, (long long)ms);
    }
}

static const struct {
    const char *text;
    bool is;
} TYPES[] = {
    {"application/grpc", true},      {"application/grpc+proto", true},
    {"application/grpc;x=y", true},  {"Application/GRPC", true},
    {"application/grpc-web", false}, {"application/grpcx", false},
    {"application/json", false},     {"", false},
};

Test(envoy_grpc, knows_its_content_type)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        cr_expect_eq(grpc_is_content_type(text_of(TYPES[i].text)), TYPES[i].is, "`%s`", TYPES[i].text);
    }
    cr_expect(!grpc_is_content_type((struct text){0}));
}

static const struct {
    const char *text;
    size_t room;
    const char *wanted;
} MESSAGES[] = {
    {"no such method", 64, "no such method"},
    {"100%", 64, "100%25"},
    {"a\nb\x7f", 64, "a%0Ab%7F"},
    {"\xc3\xbc", 64, "%C3%BC"},
    {"abc", 4, "abc"},
    {"abc", 3, "ab"},
    {"a%", 4, "a"},
    {"a%", 5, "a%25"},
    {"abc", 1, ""},
    {"", 64, ""},
};

Test(envoy_grpc, encodes_messages)
{
    for (size_t i = 0; i < COUNT_OF(MESSAGES); i++) {
        char out[64];
        size_t len = grpc_message(MESSAGES[i].text, out, MESSAGES[i].room);
        cr_expect_str_eq(out, MESSAGES[i].wanted);
        cr_expect_eq(len, strlen(out));
    }
}

Test(envoy_grpc, prefixes_messages)
{
    static const size_t LENS[] = {0, 1, 255, 65536, 0xffffffff};
    for (size_t i = 0; i < COUNT_OF(LENS); i++) {
        unsigned char bytes[GRPC_PREFIX_BYTES];
        bool compressed = true;
        size_t len = 1;
        grpc_prefix_write(bytes, LENS[i]);
        grpc_prefix_read(bytes, &compressed, &len);
        cr_expect(!compressed && len == LENS[i]);
    }
}
