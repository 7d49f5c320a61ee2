// SPDX-License-Identifier: Apache-2.0
#include "haproxy/spop.h"

#include "unit/haproxy/hex.h"

#include <criterion/criterion.h>

#define VERSIONS(text) "12 \"supported-versions\" 08 " text
#define V2 VERSIONS("03 \"2.0\" ")
#define SIZE(number) "0e \"max-frame-size\" 03 " number
#define S16380 SIZE("fcf006 ")
#define CAN(text) "0c \"capabilities\" 08 " text
#define NONE CAN("00 ")

static const struct {
    const char *name, *payload;
    enum spop_status status;
    struct spop_hello hello;
} CASES[] = {
    {"all that is needed", V2 S16380 NONE, SPOP_STATUS_NORMAL, {.max_frame_size = 16380}},
    {"in another order", NONE S16380 V2, SPOP_STATUS_NORMAL, {.max_frame_size = 16380}},
    {"capabilities with blanks",
     V2 S16380 CAN("14 \" async , pipelining \" "),
     SPOP_STATUS_NORMAL,
     {.max_frame_size = 16380, .pipelining = true, .async = true}},
    {"a capability that begins alike",
     V2 S16380 CAN("0d \"pipelining2, \" "),
     SPOP_STATUS_NORMAL,
     {.max_frame_size = 16380}},
    {"a health check",
     V2 S16380 NONE "0b \"healthcheck\" 11",
     SPOP_STATUS_NORMAL,
     {.max_frame_size = 16380, .healthcheck = true}},
    {"none of the kind",
     V2 S16380 NONE "0b \"healthcheck\" 01",
     SPOP_STATUS_NORMAL,
     {.max_frame_size = 16380}},
    {"more than is known",
     V2 S16380 NONE "01 \"x\" 06 01020304",
     SPOP_STATUS_NORMAL,
     {.max_frame_size = 16380}},
    {"two versions", VERSIONS("08 \"1.5, 2.1\" ") S16380 NONE, SPOP_STATUS_NORMAL, {.max_frame_size = 16380}},
    {"the smallest frames", V2 SIZE("f001 ") NONE, SPOP_STATUS_NORMAL, {.max_frame_size = 256}},
    {"smaller ones", V2 SIZE("ff00 ") NONE, SPOP_STATUS_BAD_FRAME_SIZE, {0}},
    {"frames of 2^31", V2 SIZE("f0f1fefe3e ") NONE, SPOP_STATUS_BAD_FRAME_SIZE, {0}},
    {"no version", S16380 NONE, SPOP_STATUS_NO_VERSION, {0}},
    {"no size", V2 NONE, SPOP_STATUS_NO_FRAME_SIZE, {0}},
    {"no capabilities", V2 S16380, SPOP_STATUS_NO_CAPABILITIES, {0}},
    {"nothing", "", SPOP_STATUS_NO_VERSION, {0}},
    {"version 1 alone", VERSIONS("03 \"1.0\" ") S16380 NONE, SPOP_STATUS_BAD_VERSION, {0}},
    {"version 20", VERSIONS("04 \"20.0\" ") S16380 NONE, SPOP_STATUS_BAD_VERSION, {0}},
    {"version 2 of what", VERSIONS("02 \"2.\" ") S16380 NONE, SPOP_STATUS_BAD_VERSION, {0}},
    {"no version at all", VERSIONS("00 ") S16380 NONE, SPOP_STATUS_BAD_VERSION, {0}},
    {"a key twice", V2 S16380 NONE V2, SPOP_STATUS_INVALID, {0}},
    {"a size that is text", V2 "0e \"max-frame-size\" 08 01 \"9\" " NONE, SPOP_STATUS_INVALID, {0}},
    {"a version that is a number", "12 \"supported-versions\" 03 02 " S16380 NONE, SPOP_STATUS_INVALID, {0}},
    {"an empty key", V2 S16380 NONE "00 00", SPOP_STATUS_INVALID, {0}},
    {"cut", V2 S16380 "0c \"capabilities\" 08 05 \"pipe\"", SPOP_STATUS_INVALID, {0}},
    {"a key without a value", V2 S16380 NONE "01 \"x\"", SPOP_STATUS_INVALID, {0}},
};

static struct spop_frame frame_of(const struct hex *payload)
{
    return (struct spop_frame){
        .type = SPOP_HAPROXY_HELLO, .flags = SPOP_FIN, .payload = {payload->at, payload->at + payload->len}};
}

Test(haproxy_hello, what_a_hello_says)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct hex payload = hex_of(CASES[i].payload);
        struct spop_frame frame = frame_of(&payload);
        struct spop_hello hello, expected = CASES[i].hello;
        enum spop_status status = spop_read_hello(&frame, &hello);
        cr_expect_eq(status, CASES[i].status, "%s: %d", CASES[i].name, status);
        cr_expect(hello.max_frame_size == expected.max_frame_size &&
                      hello.pipelining == expected.pipelining && hello.async == expected.async &&
                      hello.healthcheck == expected.healthcheck,
                  "%s", CASES[i].name);
    }
}

Test(haproxy_hello, what_is_no_hello)
{
    struct hex payload = hex_of(V2 S16380 NONE);
    struct spop_hello hello;
    struct spop_frame frame = frame_of(&payload);
    frame.flags = 0;
    cr_expect_eq(spop_read_hello(&frame, &hello), SPOP_STATUS_FRAGMENTED);
    frame = frame_of(&payload);
    frame.type = SPOP_NOTIFY;
    cr_expect_eq(spop_read_hello(&frame, &hello), SPOP_STATUS_INVALID);
    frame = frame_of(&payload);
    frame.stream_id = 1;
    cr_expect_eq(spop_read_hello(&frame, &hello), SPOP_STATUS_INVALID);
}

static const struct {
    const char *name, *payload;
    enum pdp_err err;
    uint64_t status;
} FAREWELLS[] = {
    {"a time-out", "0b \"status-code\" 03 02 07 \"message\" 08 04 \"late\"", PDP_ERR_OK, 2},
    {"one of its own", "0b \"status-code\" 04 f010", PDP_ERR_OK, 496},
    {"no status", "07 \"message\" 08 04 \"late\"", PDP_ERR_MALFORMED, SPOP_STATUS_UNKNOWN},
    {"cut", "0b \"status-code\" 03", PDP_ERR_MALFORMED, SPOP_STATUS_UNKNOWN},
    {"nothing", "", PDP_ERR_MALFORMED, SPOP_STATUS_UNKNOWN},
};

Test(haproxy_hello, what_a_farewell_says)
{
    for (size_t i = 0; i < COUNT_OF(FAREWELLS); i++) {
        struct hex payload = hex_of(FAREWELLS[i].payload);
        struct spop_frame frame = frame_of(&payload);
        uint64_t status;
        struct text message;
        cr_expect_eq(spop_read_disconnect(&frame, &status, &message), FAREWELLS[i].err, "%s",
                     FAREWELLS[i].name);
        cr_expect_eq(status, FAREWELLS[i].status, "%s", FAREWELLS[i].name);
    }
    cr_expect_str_eq(spop_status_text(SPOP_STATUS_BAD_VERSION), "unsupported version");
    cr_expect_str_eq(spop_status_text((enum spop_status)77), "an error of its own");
}
