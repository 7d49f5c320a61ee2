// SPDX-License-Identifier: Apache-2.0
#include "seal/served.h"

#include <criterion/criterion.h>

#define NAME(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct served LAST = {.known = true, .name = "prod", .version = 7, .digest = {1}};

static const struct {
    const char *name;
    bool known;
    struct bundle bundle;
    int64_t now_s;
    enum served_refusal expected;
} CASES[] = {
    {"the first one", false, {.name = NAME("prod"), .version = 3, .expires_s = 100}, 99, SERVED_NONE},
    {"the first one, expired",
     false,
     {.name = NAME("prod"), .version = 3, .expires_s = 100},
     100,
     SERVED_EXPIRED},
    {"a later one", true, {.name = NAME("prod"), .version = 8, .expires_s = 100}, 0, SERVED_NONE},
    {"far later", true, {.name = NAME("prod"), .version = INT64_MAX, .expires_s = 100}, 0, SERVED_NONE},
    {"the same", true, {.name = NAME("prod"), .version = 7, .expires_s = 100, .digest = {1}}, 0, SERVED_NONE},
    {"the same, expired",
     true,
     {.name = NAME("prod"), .version = 7, .expires_s = 100, .digest = {1}},
     100,
     SERVED_EXPIRED},
    {"other content",
     true,
     {.name = NAME("prod"), .version = 7, .expires_s = 100, .digest = {2}},
     0,
     SERVED_CONTENT},
    {"an earlier one",
     true,
     {.name = NAME("prod"), .version = 6, .expires_s = 100, .digest = {1}},
     0,
     SERVED_ROLLBACK},
    {"another name", true, {.name = NAME("test"), .version = 8, .expires_s = 100}, 0, SERVED_NAME},
    {"a name that begins so", true, {.name = NAME("prod2"), .version = 8, .expires_s = 100}, 0, SERVED_NAME},
};

Test(seal_served, never_goes_back)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct served last = CASES[i].known ? LAST : (struct served){0};
        enum served_refusal refusal = served_judge(&last, &CASES[i].bundle, CASES[i].now_s);
        cr_expect_eq(refusal, CASES[i].expected, "%s: %s", CASES[i].name, served_refusal_word(refusal));
    }
}

Test(seal_served, is_remembered_as_one_text)
{
    AUTO(buf_fini) struct buf text = {0};
    struct served read;
    cr_assert_eq(served_write(&LAST, &text), PDP_ERR_OK);
    struct str whole = buf_view(&text);
    cr_expect(str_starts(whole, STR("pdp-served-bundle 1\nname prod\nversion 7\ndigest sha256:0100")));
    cr_assert_eq(served_read(whole, &read), PDP_ERR_OK);
    cr_expect(read.known && strcmp(read.name, "prod") == 0 && read.version == 7 && read.digest[0] == 1);
    for (size_t len = 0; len < whole.len; len++) {
        cr_expect_eq(served_read(str_sub(whole, 0, len), &read), PDP_ERR_CORRUPT, "%zu bytes", len);
        cr_expect(!read.known);
    }
    for (size_t i = 0; i < whole.len; i++) { // another digit must not become another version
        for (unsigned bit = 0; bit < 8; bit++) {
            text.at[i] ^= (unsigned char)(1U << bit);
            cr_expect_eq(served_read(whole, &read), PDP_ERR_CORRUPT, "byte %zu", i);
            text.at[i] ^= (unsigned char)(1U << bit);
        }
    }
    buf_byte(&text, '\n');
    cr_expect_eq(served_read(buf_view(&text), &read), PDP_ERR_CORRUPT);
}
