// SPDX-License-Identifier: Apache-2.0
#include "common/form.h"

#include <criterion/criterion.h>

Test(common_form, finds_one_field)
{
    static const struct {
        const char *body;
        enum pdp_err err;
        const char *value;
    } BODIES[] = {
        {"token=abc", PDP_ERR_OK, "abc"},
        {"a=1&token=abc&b=2", PDP_ERR_OK, "abc"},
        {"token=a%2Bb+c%3d", PDP_ERR_OK, "a+b c="},
        {"t%6Fken=abc", PDP_ERR_OK, "abc"},
        {"token=a=b", PDP_ERR_OK, "a=b"},
        {"token=", PDP_ERR_OK, ""},
        {"token", PDP_ERR_OK, ""},
        {"&&token=abc&", PDP_ERR_OK, "abc"},
        {"", PDP_ERR_MISSING, ""},
        {"TOKEN=abc", PDP_ERR_MISSING, ""},
        {"tokens=abc", PDP_ERR_MISSING, ""},
        {"=abc", PDP_ERR_MISSING, ""},
        {"token=a&token=b", PDP_ERR_DUPLICATE, ""},
        {"token=a&t%6fken=a", PDP_ERR_DUPLICATE, ""},
        {"token&token", PDP_ERR_DUPLICATE, ""},
        {"token=%", PDP_ERR_SYNTAX, ""},
        {"token=%4", PDP_ERR_SYNTAX, ""},
        {"token=%4g", PDP_ERR_SYNTAX, ""},
        {"token=%00", PDP_ERR_SYNTAX, ""},
        {"%zz=1&token=a", PDP_ERR_SYNTAX, ""},
        {"token=0123456789abcdef", PDP_ERR_OK, "0123456789abcdef"},
        {"token=0123456789abcdefg", PDP_ERR_LIMIT, ""},
        {"0123456789012345678901234567890123456789012345678901234567890123456789=1&token=a", PDP_ERR_OK, "a"},
    };
    char out[16];
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        size_t len = 99;
        enum pdp_err err = form_field(text_of(BODIES[i].body), "token", out, sizeof out, &len);
        cr_expect_eq(err, BODIES[i].err, "`%s`: %s", BODIES[i].body, pdp_err_name(err));
        cr_expect(text_eq((struct text){out, len}, text_of(BODIES[i].value)), "`%s`: `%.*s`", BODIES[i].body,
                  (int)len, out);
    }
}

Test(common_form, bounds_fields)
{
    char body[2 * FORM_FIELDS_MOST + 16] = "", out[8];
    size_t len = 0;
    for (int i = 0; i < FORM_FIELDS_MOST - 1; i++) {
        memcpy(body + 2 * i, "a&", 3);
    }
    memcpy(body + strlen(body), "t=1", 4);
    cr_expect_eq(form_field(text_of(body), "t", out, sizeof out, &len), PDP_ERR_OK);
    memcpy(body + strlen(body), "&b", 3);
    cr_expect_eq(form_field(text_of(body), "t", out, sizeof out, &len), PDP_ERR_LIMIT);
}
