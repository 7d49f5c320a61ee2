// SPDX-License-Identifier: Apache-2.0
// Frames that HAProxy 2.6.12 was seen to send and to take, to the byte, and what is none.
#include "haproxy/spop.h"

#include "unit/haproxy/hex.h"

#include <criterion/criterion.h>

#define HELLO                                                                                                \
    "00000081 01 00000001 00 00 12 \"supported-versions\" 08 03 \"2.0\" 0e \"max-frame-size\" 03 fcf006 0c " \
    "\"capabilities\" 08 10 \"pipelining,async\" 09 \"engine-id\" 08 24 "                                    \
    "\"2a3c1a1c-9a1e-4a53-b1b5-0a2f3c4d5e6f\""
#define AGENT_HELLO                                                                               \
    "000000406500000001000007 76657273696f6e 0803322e30 0e6d61782d6672616d652d73697a65 03fcf006 " \
    "0c6361706162696c6974696573 080a706970656c696e696e67"
#define NOTIFY                                                                                        \
    "0000004f0300000001000105636865636b 06 026970 067f000001 03736964 0805532d313233 066d6574686f64 " \
    "0803474554 0470617468 08042f612f62 027561 080b6375726c2f372e38382e31 056874747073 01"
#define ACK "0000002667000000010001010302086465636973696f6e0807737465705f7570010302047269736b0347"

static struct spop_frame frame_of(const struct hex *bytes)
{
    struct spop_frame frame;
    size_t used;
    enum spop_status why;
    cr_assert_eq(spop_read_frame(bytes->at, bytes->len, 16380, &frame, &used, &why), SPOP_WHOLE);
    cr_expect_eq(used, bytes->len);
    return frame;
}

static struct text rest(const unsigned char *from, const struct spop_writer *out)
{
    return (struct text){(const char *)from, (size_t)(out->at - from)};
}

static void expect_bytes(const unsigned char *from, const struct spop_writer *out, const char *hex,
                         const char *name)
{
    struct hex expected = hex_of(hex);
    cr_expect(!out->full, "%s", name);
    cr_expect(text_eq(rest(from, out), (struct text){(const char *)expected.at, expected.len}), "%s", name);
}

// ---- Numbers ----------------------------------------------------------------------------------------

static const struct {
    uint64_t number;
    const char *hex;
} NUMBERS[] = {
    {0, "00"},
    {239, "ef"},
    {240, "f000"},
    {2287, "ff7f"},
    {2288, "f08000"},
    {16380, "fcf006"},
    {264431, "ffff7f"},
    {264432, "f0808000"},
    {33818863, "ffffff7f"},
    {33818864, "f080808000"},
    {UINT32_MAX, "fff0fefe7e"},
    {INT64_MAX, "fff0fefefefefefefe06"},
    {UINT64_MAX, "fff0fefefefefefefe0e"},
};

Test(haproxy_spop, numbers_have_one_form)
{
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        unsigned char bytes[SPOP_VARINT_MAX];
        struct spop_writer out = {bytes, bytes + sizeof bytes, false};
        spop_write_number(&out, NUMBERS[i].number);
        expect_bytes(bytes, &out, NUMBERS[i].hex, NUMBERS[i].hex);
        struct spop_reader in = {bytes, out.at};
        uint64_t number;
        cr_expect_eq(spop_read_number(&in, &number), PDP_ERR_OK, "%s", NUMBERS[i].hex);
        cr_expect_eq(number, NUMBERS[i].number, "%s", NUMBERS[i].hex);
        cr_expect_eq(in.at, in.end);
        in = (struct spop_reader){bytes, out.at - 1};
        cr_expect_eq(spop_read_number(&in, &number), PDP_ERR_MALFORMED, "%s, cut", NUMBERS[i].hex);
        cr_expect_eq(number, 0);
        cr_expect_eq(in.at, bytes);
    }
}

static const char *const NO_NUMBERS[] = {
    "",
    "f0",
    "f080",
    "fff0fefefefefefefe0f",     // 2^64
    "fff0fefefefefefefe7f",     // its last byte does not fit
    "ffffffffffffffffffff",     // no end
    "f08080808080808080808000", // too long
};

Test(haproxy_spop, what_is_no_number)
{
    for (size_t i = 0; i < COUNT_OF(NO_NUMBERS); i++) {
        struct hex bytes = hex_of(NO_NUMBERS[i]);
        struct spop_reader in = {bytes.at, bytes.at + bytes.len};
        uint64_t number = 7;
        cr_expect_eq(spop_read_number(&in, &number), PDP_ERR_MALFORMED, "%s", NO_NUMBERS[i]);
        cr_expect_eq(number, 0);
        cr_expect_eq(in.at, bytes.at);
    }
}

// ---- Values -----------------------------------------------------------------------------------------

static const struct {
    const char *hex;
    struct spop_value value;
} VALUES[] = {
    {"00", {.kind = SPOP_NULL}},
    {"01", {.kind = SPOP_BOOL}},
    {"11", {.kind = SPOP_BOOL, .yes = true}},
    {"02 05", {.kind = SPOP_INT32, .number = 5}},
    {"02 fff0fefefefefefefe0e", {.kind = SPOP_INT32, .number = UINT64_MAX}},
    {"03 fff0fefe7e", {.kind = SPOP_UINT32, .number = UINT32_MAX}},
    {"04 fff0fefefefefefefe0e", {.kind = SPOP_INT64, .number = UINT64_MAX}},
    {"05 f000", {.kind = SPOP_UINT64, .number = 240}},
    {"06 7f000001", {.kind = SPOP_IPV4, .address = {127, 0, 0, 1}}},
    {"07 20010db8000000000000000000000001",
     {.kind = SPOP_IPV6, .address = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}},
    {"08 00", {.kind = SPOP_STRING, .text = {"", 0}}},
    {"08 03 \"GET\"", {.kind = SPOP_STRING, .text = {"GET", 3}}},
    {"09 02 00ff", {.kind = SPOP_BINARY, .text = {"\0\xff", 2}}},
};

static bool same(const struct spop_value *a, const struct spop_value *b)
{
    return a->kind == b->kind && a->yes == b->yes && a->number == b->number &&
           memcmp(a->address, b->address, sizeof a->address) == 0 && text_eq(a->text, b->text);
}

Test(haproxy_spop, values_both_ways)
{
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        struct hex bytes = hex_of(VALUES[i].hex);
        struct spop_reader in = {bytes.at, bytes.at + bytes.len};
        struct spop_value value;
        cr_expect_eq(spop_read_value(&in, &value), PDP_ERR_OK, "%s", VALUES[i].hex);
        cr_expect(same(&value, &VALUES[i].value), "%s", VALUES[i].hex);
        cr_expect_eq(in.at, in.end, "%s", VALUES[i].hex);
        unsigned char written[64];
        struct spop_writer out = {written, written + sizeof written, false};
        spop_write_value(&out, &VALUES[i].value);
        expect_bytes(written, &out, VALUES[i].hex, VALUES[i].hex);
        for (size_t cut = 0; cut < bytes.len; cut++) {
            in = (struct spop_reader){bytes.at, bytes.at + cut};
            cr_expect_eq(spop_read_value(&in, &value), PDP_ERR_MALFORMED, "%s cut to %zu", VALUES[i].hex,
                         cut);
            cr_expect(same(&value, &(struct spop_value){0}));
            cr_expect_eq(in.at, bytes.at);
        }
    }
}

static const char *const NO_VALUES[] = {
    "0a",                            // a kind that is not known
    "0f 00",                         //
    "10",                            // a flag of null
    "21",                            // a flag of booleans that is not known
    "18 03 \"GET\"",                 // a flag of text
    "03 f0f1fefe7e",                 // 2^32 in 32 bits
    "02 f0f1fefe3e",                 // likewise, signed
    "08 fff0fefefefefefefe0e \"x\"", // a length of 2^64 - 1
    "08 04 \"GET\"",                 //
};

Test(haproxy_spop, what_is_no_value)
{
    for (size_t i = 0; i < COUNT_OF(NO_VALUES); i++) {
        struct hex bytes = hex_of(NO_VALUES[i]);
        struct spop_reader in = {bytes.at, bytes.at + bytes.len};
        struct spop_value value;
        cr_expect_eq(spop_read_value(&in, &value), PDP_ERR_MALFORMED, "%s", NO_VALUES[i]);
    }
}

// ---- Frames -----------------------------------------------------------------------------------------

Test(haproxy_spop, a_captured_hello)
{
    struct hex bytes = hex_of(HELLO);
    struct spop_frame frame = frame_of(&bytes);
    cr_expect_eq(frame.type, SPOP_HAPROXY_HELLO);
    struct spop_hello hello;
    cr_expect_eq(spop_read_hello(&frame, &hello), SPOP_STATUS_NORMAL);
    cr_expect_eq(hello.max_frame_size, 16380);
    cr_expect(hello.pipelining && hello.async && !hello.healthcheck);
    cr_expect(text_eq(hello.engine_id, TEXT("2a3c1a1c-9a1e-4a53-b1b5-0a2f3c4d5e6f")));
}

Test(haproxy_spop, our_hello_is_the_one_that_haproxy_took)
{
    unsigned char bytes[SPOP_SMALL_MAX];
    struct spop_writer out = {bytes, bytes + sizeof bytes, false};
    spop_write_agent_hello(&out, 16380, true, false);
    expect_bytes(bytes, &out, AGENT_HELLO, "AGENT-HELLO");
}

Test(haproxy_spop, a_captured_notify)
{
    static const struct {
        const char *name;
        struct spop_value value;
    } ARGUMENTS[] = {
        {"ip", {.kind = SPOP_IPV4, .address = {127, 0, 0, 1}}},
        {"sid", {.kind = SPOP_STRING, .text = {"S-123", 5}}},
        {"method", {.kind = SPOP_STRING, .text = {"GET", 3}}},
        {"path", {.kind = SPOP_STRING, .text = {"/a/b", 4}}},
        {"ua", {.kind = SPOP_STRING, .text = {"curl/7.88.1", 11}}},
        {"https", {.kind = SPOP_BOOL}},
    };
    struct hex bytes = hex_of(NOTIFY);
    struct spop_frame frame = frame_of(&bytes);
    cr_expect_eq(frame.type, SPOP_NOTIFY);
    cr_expect_eq(frame.flags, SPOP_FIN);
    cr_expect_eq(frame.stream_id, 0);
    cr_expect_eq(frame.frame_id, 1);
    struct text name;
    unsigned char count;
    cr_expect_eq(spop_read_text(&frame.payload, &name), PDP_ERR_OK);
    cr_expect(text_eq(name, TEXT("check")));
    cr_expect_eq(spop_read_byte(&frame.payload, &count), PDP_ERR_OK);
    cr_expect_eq(count, COUNT_OF(ARGUMENTS));
    for (size_t i = 0; i < COUNT_OF(ARGUMENTS); i++) {
        struct spop_value value;
        cr_expect_eq(spop_read_text(&frame.payload, &name), PDP_ERR_OK);
        cr_expect(text_eq(name, text_of(ARGUMENTS[i].name)), "%s", ARGUMENTS[i].name);
        cr_expect_eq(spop_read_value(&frame.payload, &value), PDP_ERR_OK);
        cr_expect(same(&value, &ARGUMENTS[i].value), "%s", ARGUMENTS[i].name);
    }
    cr_expect_eq(frame.payload.at, frame.payload.end);
}

Test(haproxy_spop, an_ack_that_haproxy_took)
{
    unsigned char bytes[128];
    struct spop_writer out = {bytes, bytes + sizeof bytes, false};
    unsigned char *begin = spop_begin_frame(&out, SPOP_ACK, 0, 1);
    struct spop_value effect = {.kind = SPOP_STRING, .text = TEXT("step_up")};
    struct spop_value risk = {.kind = SPOP_UINT32, .number = 71};
    spop_write_set(&out, SPOP_SCOPE_TRANSACTION, "decision", &effect);
    spop_write_set(&out, SPOP_SCOPE_TRANSACTION, "risk", &risk);
    spop_end_frame(&out, begin);
    expect_bytes(bytes, &out, ACK, "ACK");
}

Test(haproxy_spop, an_unset_and_a_disconnect)
{
    unsigned char bytes[128];
    struct spop_writer out = {bytes, bytes + sizeof bytes, false};
    spop_write_unset(&out, SPOP_SCOPE_REQUEST, "rule");
    expect_bytes(bytes, &out, "02 02 03 04 \"rule\"", "unset-var");
    out = (struct spop_writer){bytes, bytes + sizeof bytes, false};
    spop_write_agent_disconnect(&out, SPOP_STATUS_TOO_BIG);
    expect_bytes(
        bytes, &out,
        "0000002f 66 00000001 00 00 0b \"status-code\" 03 03 07 \"message\" 08 10 \"frame is too big\"",
        "AGENT-DISCONNECT");
    struct spop_frame frame;
    size_t used;
    enum spop_status why;
    cr_assert_eq(spop_read_frame(bytes, (size_t)(out.at - bytes), 256, &frame, &used, &why), SPOP_WHOLE);
    uint64_t status;
    struct text message;
    cr_expect_eq(spop_read_disconnect(&frame, &status, &message), PDP_ERR_OK);
    cr_expect_eq(status, 3);
    cr_expect(text_eq(message, TEXT("frame is too big")));
}

static const struct {
    const char *name, *hex;
    enum spop_got got;
    enum spop_status why;
} FRAMES[] = {
    {"nothing yet", "", SPOP_MORE, SPOP_STATUS_NORMAL},
    {"half a length", "0000", SPOP_MORE, SPOP_STATUS_NORMAL},
    {"an empty frame", "00000000", SPOP_BAD, SPOP_STATUS_INVALID},
    {"six bytes", "00000006 03 00000001 00", SPOP_BAD, SPOP_STATUS_INVALID},
    {"seven bytes", "00000007 03 00000001 00 00", SPOP_WHOLE, SPOP_STATUS_NORMAL},
    {"one is missing", "00000007 03 00000001 00", SPOP_MORE, SPOP_STATUS_NORMAL},
    {"the longest", "00000100", SPOP_MORE, SPOP_STATUS_NORMAL},
    {"a byte too long", "00000101", SPOP_BAD, SPOP_STATUS_TOO_BIG},
    {"4 GiB", "ffffffff", SPOP_BAD, SPOP_STATUS_TOO_BIG},
    {"http", "\"GET / HTTP/1.1\" 0d0a", SPOP_BAD, SPOP_STATUS_TOO_BIG},
    {"ids run over the end", "00000007 03 00000001 00 f0 00", SPOP_BAD, SPOP_STATUS_INVALID},
    {"an id without an end", "00000009 03 00000001 f0 80 80 80", SPOP_BAD, SPOP_STATUS_INVALID},
};

Test(haproxy_spop, frames)
{
    for (size_t i = 0; i < COUNT_OF(FRAMES); i++) {
        struct hex bytes = hex_of(FRAMES[i].hex);
        struct spop_frame frame = {.type = 9};
        size_t used = 9;
        enum spop_status why;
        enum spop_got got = spop_read_frame(bytes.at, bytes.len, 256, &frame, &used, &why);
        cr_expect_eq(got, FRAMES[i].got, "%s: %d", FRAMES[i].name, got);
        cr_expect_eq(why, FRAMES[i].why, "%s: %d", FRAMES[i].name, why);
        cr_expect(got == SPOP_WHOLE || (used == 0 && frame.type == 0), "%s", FRAMES[i].name);
    }
}

Test(haproxy_spop, what_does_not_fit_is_told)
{
    unsigned char bytes[64];
    for (size_t room = 0; room < 30; room++) {
        struct spop_writer out = {bytes, bytes + room, false};
        unsigned char *begin = spop_begin_frame(&out, SPOP_ACK, 5, 300);
        struct spop_value value = {.kind = SPOP_STRING, .text = TEXT("allow")};
        spop_write_set(&out, SPOP_SCOPE_TRANSACTION, "effect", &value);
        spop_end_frame(&out, begin);
        cr_expect_eq(out.full, room < 29, "%zu", room);
        cr_expect_leq(out.at, bytes + room);
    }
}
