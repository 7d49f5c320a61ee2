// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include <criterion/criterion.h>
#include <math.h>

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    struct str text;
    bool valid;
} UTF8[] = {
    {TEXT(""), true},
    {TEXT("plain ascii that is longer than eight bytes"), true},
    {TEXT("gr\xC3\xBC\xC3\x9F dich, Welt und alles"), true},
    {TEXT("\xF0\x9F\x90\xB1"), true},
    {TEXT("a\0b"), true},
    {TEXT("\xC0\x80"), false},         // overlong
    {TEXT("\xE0\x80\x80"), false},     // overlong
    {TEXT("\xED\xA0\x80"), false},     // surrogate
    {TEXT("\xF4\x90\x80\x80"), false}, // past U+10FFFF
    {TEXT("12345678\xC3"), false},     // cut
    {TEXT("\x80"), false},
    {TEXT("\xFF"), false},
    {TEXT("1234567\xE2\x82"), false},
};

Test(base_str, tells_utf8_from_other_bytes)
{
    for (size_t i = 0; i < COUNT_OF(UTF8); i++) {
        cr_expect_eq(str_is_utf8(UTF8[i].text), UTF8[i].valid, "row %zu", i);
    }
}

Test(base_str, code_points_come_back)
{
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        char bytes[4];
        size_t len = str_put_cp(cp, bytes);
        bool scalar = cp <= 0x10FFFF && !(cp >= 0xD800 && cp <= 0xDFFF);
        cr_assert_eq(len != 0, scalar, "U+%X", cp);
        if (scalar) {
            size_t at = 0;
            uint32_t again = 0;
            cr_assert(str_next_cp((struct str){bytes, len}, &at, &again) && at == len && again == cp, "U+%X",
                      cp);
        }
    }
}

static const struct {
    const char *text;
    bool fits;
    int64_t value;
} INTS[] = {
    {"0", true, 0},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"+1", false, 0},
    {"1 ", false, 0},
    {"0x10", false, 0},
};

Test(base_str, reads_integers_that_fit)
{
    for (size_t i = 0; i < COUNT_OF(INTS); i++) {
        int64_t value = 0;
        bool fits = str_to_i64(str_of(INTS[i].text), &value);
        cr_expect_eq(fits, INTS[i].fits, "%s", INTS[i].text);
        cr_expect_eq(value, INTS[i].value, "%s", INTS[i].text);
    }
}

static const struct {
    const char *text;
    bool valid;
    double value;
} DOUBLES[] = {
    {"1.5", true, 1.5},  {"-.5e2", true, -50}, {"1e3", true, 1000},
    {"inf", false, 0},   {"nan", false, 0},    {"0x1p3", false, 0},
    {"1,5", false, 0},   {"", false, 0},       {".", false, 0},
    {"1e", false, 0},    {"1.5 ", false, 0},   {"1.7976931348623157e308", true, 1.7976931348623157e308},
    {"1e999", false, 0}, {"-1e400", false, 0},
};

Test(base_str, reads_decimal_doubles)
{
    for (size_t i = 0; i < COUNT_OF(DOUBLES); i++) {
        double value = 0;
        cr_expect_eq(str_to_double(str_of(DOUBLES[i].text), &value), DOUBLES[i].valid, "%s", DOUBLES[i].text);
        cr_expect(!(fabs(value - DOUBLES[i].value) > 0), "%s: %g", DOUBLES[i].text, value);
    }
}

Test(base_str, guesses_what_was_meant)
{
    static const struct str NAMES[] = {{"subject", 7}, {"session", 7}, {"resource", 8}, {"effect", 6}};
    cr_expect_eq(str_nearest(STR("sesion"), NAMES, 4), 1);
    cr_expect_eq(str_nearest(STR("efect"), NAMES, 4), 3);
    cr_expect_eq(str_nearest(STR("subejct"), NAMES, 4), 0);
    cr_expect_eq(str_nearest(STR("banana"), NAMES, 4), -1);
    cr_expect_eq(str_nearest(STR(""), NAMES, 4), -1);
}

// One bad byte at any place of a text of any length is found, and one good letter is none.
Test(base_str, looks_at_every_byte)
{
    char text[40];
    for (size_t len = 1; len < sizeof text; len++) {
        for (size_t at = 0; at < len; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (char)0xff;
            cr_expect(!str_is_utf8((struct str){text, len}), "%zu of %zu", at, len);
            text[at] = 'b';
            cr_expect(str_is_utf8((struct str){text, len}), "%zu of %zu", at, len);
            if (at + 1 < len) {
                memcpy(text + at, "\xc3\xbc", 2);
                cr_expect(str_is_utf8((struct str){text, len}), "%zu of %zu", at, len);
                cr_expect(!str_is_utf8((struct str){text, at + 1}), "%zu of %zu", at, len);
            }
        }
    }
}
