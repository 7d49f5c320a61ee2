// SPDX-License-Identifier: Apache-2.0
#include "common/strict.h"

#include <criterion/criterion.h>

Test(common_strict, decodes_base64url_one_way)
{
    static const struct {
        const char *text;
        enum pdp_err err;
        const char *bytes;
    } TEXTS[] = {
        {"", PDP_ERR_OK, ""},
        {"Zg", PDP_ERR_OK, "f"},
        {"Zm8", PDP_ERR_OK, "fo"},
        {"Zm9v", PDP_ERR_OK, "foo"},
        {"Zm9vYmFy", PDP_ERR_OK, "foobar"},
        {"_-8", PDP_ERR_OK, "\xff\xef"},
        {"Zg==", PDP_ERR_SYNTAX, ""},
        {"Z", PDP_ERR_SYNTAX, ""},
        {"Zm9vY", PDP_ERR_SYNTAX, ""},
        {"Zh", PDP_ERR_SYNTAX, ""},
        {"Zm9", PDP_ERR_SYNTAX, ""},
        {"Zm 8", PDP_ERR_SYNTAX, ""},
        {"Zm8\n", PDP_ERR_SYNTAX, ""},
        {"Zm+v", PDP_ERR_SYNTAX, ""},
        {"Zm/v", PDP_ERR_SYNTAX, ""},
        {"Zm.v", PDP_ERR_SYNTAX, ""},
        {"Zm9vYmFyYmF6", PDP_ERR_LIMIT, ""},
    };
    unsigned char bytes[8];
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        size_t used = 99;
        enum pdp_err err = strict_base64url(TEXTS[i].text, strlen(TEXTS[i].text), bytes, sizeof bytes, &used);
        cr_expect_eq(err, TEXTS[i].err, "`%s`: %s", TEXTS[i].text, pdp_err_name(err));
        cr_expect_eq(used, strlen(TEXTS[i].bytes), "`%s`", TEXTS[i].text);
        cr_expect(memcmp(bytes, TEXTS[i].bytes, used) == 0, "`%s`", TEXTS[i].text);
    }
}

Test(common_strict, reads_objects_without_doubt)
{
    static const struct {
        const char *text;
        enum pdp_err err;
    } TEXTS[] = {
        {"{}", PDP_ERR_OK},
        {" {\"a\": [1, 2.5, true, null, \"\\u00fc\"]} ", PDP_ERR_OK},
        {"{\"a\":{\"b\":[]}}", PDP_ERR_OK},
        {"{\"a\":{\"b\":[[]]}}", PDP_ERR_DEPTH},
        {"{\"a\":\"[[[[[[{{{{\"}", PDP_ERR_OK}, // brackets in a text are none
        {"{\"a\":\"\\\"[[[[\"}", PDP_ERR_OK},
        {"{\"a\":1,\"b\":2,\"a\":1}", PDP_ERR_SYNTAX},
        {"{\"a\":1,\"\\u0061\":1}", PDP_ERR_SYNTAX},
        {"{\"a\":\"\\u0000\"}", PDP_ERR_SYNTAX},
        {"{\"a\\u0000b\":1}", PDP_ERR_SYNTAX},
        {"{\"a\":\"\\ud800\"}", PDP_ERR_SYNTAX},
        {"{\"a\":\"\xc3\"}", PDP_ERR_SYNTAX},
        {"{\"a\":\"\xc0\xaf\"}", PDP_ERR_SYNTAX},
        {"{\"a\":1e999}", PDP_ERR_SYNTAX},
        {"{\"a\":99999999999999999999}", PDP_ERR_SYNTAX},
        {"{\"a\":NaN}", PDP_ERR_SYNTAX},
        {"{\"a\":1,}", PDP_ERR_SYNTAX},
        {"{'a':1}", PDP_ERR_SYNTAX},
        {"{} {}", PDP_ERR_SYNTAX},
        {"[]", PDP_ERR_SYNTAX},
        {"", PDP_ERR_SYNTAX},
        {"\"a\"", PDP_ERR_SYNTAX},
        {"{", PDP_ERR_SYNTAX},
        {"]]]{}", PDP_ERR_SYNTAX},
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        json_t *object = NULL;
        enum pdp_err err = strict_object(TEXTS[i].text, strlen(TEXTS[i].text), 3, &object);
        cr_expect_eq(err, TEXTS[i].err, "`%s`: %s", TEXTS[i].text, pdp_err_name(err));
        cr_expect_eq(object != NULL, err == PDP_ERR_OK, "`%s`", TEXTS[i].text);
        json_decref(object);
    }
}
