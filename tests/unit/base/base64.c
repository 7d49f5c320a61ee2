// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <criterion/criterion.h>

static const struct {
    struct str bytes, text;
} CASES[] = {
    {{"", 0}, {"", 0}},
    {{"f", 1}, {"Zg==", 4}},
    {{"fo", 2}, {"Zm8=", 4}},
    {{"foo", 3}, {"Zm9v", 4}},
    {{"foob", 4}, {"Zm9vYg==", 8}},
    {{"fooba", 5}, {"Zm9vYmE=", 8}},
    {{"foobar", 6}, {"Zm9vYmFy", 8}},
    {{"\xff\xef\xbe", 3}, {"/+++", 4}},
};

Test(base_base64, there_and_back)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf_fini) struct buf text = {0}, bytes = {0};
        base64_put(&text, CASES[i].bytes);
        cr_expect(str_eq(buf_view(&text), CASES[i].text), "%zu", i);
        cr_expect(base64_read(CASES[i].text, &bytes) && str_eq(buf_view(&bytes), CASES[i].bytes), "%zu", i);
    }
}

Test(base_base64, has_one_form)
{
    static const char *const BAD[] = {"Z",    "Zg",    "Zg=",      "Zh==",  "Zm9=",
                                      "=",    "====",  "Zg==Zg==", "Zm8\n", "Zm-v",
                                      "Zm_v", " Zm9v", "Zm9v====", "Z===",  "Zm=v"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        AUTO(buf_fini) struct buf bytes = {0};
        buf_byte(&bytes, 'x');
        cr_expect(!base64_read(str_of(BAD[i]), &bytes) && bytes.len == 1, "%s", BAD[i]);
    }
    char four[4];
    cr_expect(!base64_read_exactly(STR("Zm9v"), four, 4) && four[0] == 0);
    cr_expect(base64_read_exactly(STR("Zm9vYg=="), four, 4) && memcmp(four, "foob", 4) == 0);
}
