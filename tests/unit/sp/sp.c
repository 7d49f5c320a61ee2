// SPDX-License-Identifier: Apache-2.0
#include "sp/sp.h"

#include <criterion/criterion.h>

static const struct {
    const char *name;
    struct str bytes;
    uint16_t expect;
    enum sp_got got;
} SHAKES[] = {
    {"nothing yet", {"", 0}, SP_REQ0, SP_MORE},
    {"a req", {"\0SP\0\0\x30\0\0", 8}, SP_REQ0, SP_WHOLE},
    {"a req and more", {"\0SP\0\0\x30\0\0\x01", 9}, SP_REQ0, SP_WHOLE},
    {"a sub", {"\0SP\0\0\x21\0\0", 8}, SP_SUB0, SP_WHOLE},
    {"seven bytes", {"\0SP\0\0\x30\0", 7}, SP_REQ0, SP_MORE},
    {"another peer", {"\0SP\0\0\x31\0\0", 8}, SP_REQ0, SP_BAD_TYPE},
    {"the RFC's number", {"\0SP\0\0\x10", 6}, SP_REQ0, SP_BAD_TYPE},
    {"the high byte of the type", {"\0SP\0\x01", 5}, SP_REQ0, SP_BAD_TYPE},
    {"reserved is set", {"\0SP\0\0\x30\0\x01", 8}, SP_REQ0, SP_BAD_MAGIC},
    {"another version", {"\0SP\x01", 4}, SP_REQ0, SP_BAD_MAGIC},
    {"http", {"GET / HTTP/1.1\r\n", 16}, SP_REQ0, SP_BAD_MAGIC},
    {"one wrong byte", {"\x16", 1}, SP_REQ0, SP_BAD_MAGIC},
};

Test(sp_sp, handshakes)
{
    for (size_t i = 0; i < COUNT_OF(SHAKES); i++) {
        cr_expect_eq(sp_handshake_read(SHAKES[i].bytes, SHAKES[i].expect), SHAKES[i].got, "%s",
                     SHAKES[i].name);
    }
}

Test(sp_sp, each_type_has_its_peer_and_reads_its_own_handshake)
{
    static const uint16_t TYPES[] = {SP_PUB0, SP_SUB0, SP_REQ0, SP_REP0, SP_SURVEYOR0, SP_RESPONDENT0};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        unsigned char out[SP_HANDSHAKE_BYTES];
        sp_handshake_write(TYPES[i], out);
        cr_expect_eq(sp_handshake_read((struct str){(const char *)out, sizeof out}, TYPES[i]), SP_WHOLE);
        cr_expect_eq(sp_peer_of(sp_peer_of(TYPES[i])), TYPES[i]);
    }
    cr_expect_eq(sp_peer_of(0x10), 0);
}

#define LEN63 "\x80\0\0\0\0\0\0\0"

static const struct {
    const char *name;
    enum sp_transport transport;
    struct str bytes;
    enum sp_got got;
    size_t body, used;
} FRAMES[] = {
    {"empty tcp message", SP_TCP, {"\0\0\0\0\0\0\0\0", 8}, SP_WHOLE, 0, 8},
    {"three bytes", SP_TCP, {"\0\0\0\0\0\0\0\3abcd", 12}, SP_WHOLE, 3, 11},
    {"two of three", SP_TCP, {"\0\0\0\0\0\0\0\3ab", 10}, SP_MORE, 0, 0},
    {"at the limit", SP_TCP, {"\0\0\0\0\0\0\0\x10", 8}, SP_MORE, 0, 0},
    {"over the limit", SP_TCP, {"\0\0\0\0\0\0\0\x11", 8}, SP_TOO_LONG, 0, 0},
    {"2^32", SP_TCP, {"\0\0\0\1\0\0\0\0", 8}, SP_TOO_LONG, 0, 0},
    {"2^63", SP_TCP, {LEN63, 8}, SP_TOO_LONG, 0, 0},
    {"2^64 - 1", SP_TCP, {"\xff\xff\xff\xff\xff\xff\xff\xff", 8}, SP_TOO_LONG, 0, 0},
    {"half a length", SP_TCP, {"\x80\0\0\0", 4}, SP_MORE, 0, 0},
    {"ipc", SP_IPC, {"\1\0\0\0\0\0\0\0\3abc", 12}, SP_WHOLE, 3, 12},
    {"ipc, another kind", SP_IPC, {"\2", 1}, SP_BAD_FRAME, 0, 0},
    {"ipc, a tcp frame", SP_IPC, {"\0\0\0\0\0\0\0\3abc", 11}, SP_BAD_FRAME, 0, 0},
    {"ipc 2^63", SP_IPC, {"\1" LEN63, 9}, SP_TOO_LONG, 0, 0},
    {"ipc 2^64 - 1", SP_IPC, {"\1\xff\xff\xff\xff\xff\xff\xff\xff", 9}, SP_TOO_LONG, 0, 0},
    {"ipc, only the kind", SP_IPC, {"\1", 1}, SP_MORE, 0, 0},
    {"nothing", SP_IPC, {"", 0}, SP_MORE, 0, 0},
};

Test(sp_sp, frames)
{
    for (size_t i = 0; i < COUNT_OF(FRAMES); i++) {
        struct sp_frame frame;
        enum sp_got got = sp_frame_read(FRAMES[i].transport, FRAMES[i].bytes, 16, &frame);
        cr_expect_eq(got, FRAMES[i].got, "%s: %d", FRAMES[i].name, got);
        cr_expect_eq(frame.body.len, FRAMES[i].body, "%s", FRAMES[i].name);
        cr_expect_eq(frame.used, FRAMES[i].used, "%s", FRAMES[i].name);
    }
}

Test(sp_sp, a_huge_limit_does_not_overflow)
{
    struct sp_frame frame;
    struct str all_ones = {"\xff\xff\xff\xff\xff\xff\xff\xff", 8};
    cr_expect_eq(sp_frame_read(SP_TCP, all_ones, SIZE_MAX, &frame), SP_TOO_LONG);
}

Test(sp_sp, what_is_written_is_read)
{
    static const size_t LENGTHS[] = {0, 1, 255, 256, 65535};
    static char bytes[65535 + SP_HEADER_MAX];
    for (size_t i = 0; i < COUNT_OF(LENGTHS); i++) {
        for (int transport = SP_TCP; transport <= SP_IPC; transport++) {
            unsigned char header[SP_HEADER_MAX];
            size_t len = sp_frame_write((enum sp_transport)transport, LENGTHS[i], header);
            memcpy(bytes, header, len);
            struct sp_frame frame;
            struct str all = {bytes, len + LENGTHS[i]};
            cr_expect_eq(sp_frame_read((enum sp_transport)transport, all, 65536, &frame), SP_WHOLE);
            cr_expect_eq(frame.body.len, LENGTHS[i]);
            cr_expect_eq(frame.used, all.len);
        }
    }
}

#define HOP "\0\0\0\1"
#define ID "\x80\0\x12\x34"

static const struct {
    const char *name;
    struct str body;
    enum sp_got got;
    size_t hops, message;
} HOPS[] = {
    {"straight from a req", {ID "hello", 9}, SP_WHOLE, 4, 5},
    {"an empty message", {ID, 4}, SP_WHOLE, 4, 0},
    {"through one device", {HOP ID "x", 9}, SP_WHOLE, 8, 1},
    {"eight words", {HOP HOP HOP HOP HOP HOP HOP ID "x", 33}, SP_WHOLE, 32, 1},
    {"nine words", {HOP HOP HOP HOP HOP HOP HOP HOP ID "x", 37}, SP_TOO_DEEP, 0, 0},
    {"nothing", {"", 0}, SP_BAD_HOPS, 0, 0},
    {"three bytes", {"\x80\0\0", 3}, SP_BAD_HOPS, 0, 0},
    {"no id at all", {HOP HOP "xx", 10}, SP_BAD_HOPS, 0, 0},
};

Test(sp_sp, stacks_of_hops)
{
    for (size_t i = 0; i < COUNT_OF(HOPS); i++) {
        struct str hops, message;
        cr_expect_eq(sp_hops_split(HOPS[i].body, &hops, &message), HOPS[i].got, "%s", HOPS[i].name);
        cr_expect_eq(hops.len, HOPS[i].hops, "%s", HOPS[i].name);
        cr_expect_eq(message.len, HOPS[i].message, "%s", HOPS[i].name);
    }
}
