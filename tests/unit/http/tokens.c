// SPDX-License-Identifier: Apache-2.0
#include "http/tokens.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

// Of nothing in particular.
#define FIRST "1f8a0e4be9cd2dac8d7b4e5cdf5c2bdc1a8b1c7a7b0b6f2b9cf0a7c0c9e3a4d5"
#define OTHER "2f8a0e4be9cd2dac8d7b4e5cdf5c2bdc1a8b1c7a7b0b6f2b9cf0a7c0c9e3a4d5"

static const struct {
    const char *name, *file;
    enum pdp_err err;
    size_t count, line;
} FILES[] = {
    {"nothing", "", PDP_ERR_OK, 0, 0},
    {"comments and empty lines", "# who\n\n   \n\t# else\n", PDP_ERR_OK, 0, 0},
    {"one", "edge sha256:" FIRST, PDP_ERR_OK, 1, 0},
    {"two of one name", "edge sha256:" FIRST "\nedge sha256:" OTHER "\n", PDP_ERR_OK, 2, 0},
    {"ends of other systems, blanks", "  edge \t sha256:" FIRST "\t\r\nlogin sha256:" OTHER "\r\n",
     PDP_ERR_OK, 2, 0},
    {"no digest", "\nedge\n", PDP_ERR_SYNTAX, 0, 2},
    {"another digest", "edge sha512:" FIRST, PDP_ERR_SYNTAX, 0, 1},
    {"a digit too few", "edge sha256:1f8a", PDP_ERR_SYNTAX, 0, 1},
    {"a digit too many", "edge sha256:" FIRST "0", PDP_ERR_SYNTAX, 0, 1},
    {"a digit that is none", "edge sha256:zf8a0e4be9cd2dac8d7b4e5cdf5c2bdc1a8b1c7a7b0b6f2b9cf0a7c0c9e3a4d5",
     PDP_ERR_SYNTAX, 0, 1},
    {"something behind it", "edge sha256:" FIRST " x", PDP_ERR_SYNTAX, 0, 1},
    {"the token itself", "edge 0123456789abcdef012345", PDP_ERR_SYNTAX, 0, 1},
    {"one token of two names", "edge sha256:" FIRST "\n\nlogin sha256:" FIRST, PDP_ERR_DUPLICATE, 0, 3},
    {"a name above ASCII", "\xc3\xa4 sha256:" FIRST, PDP_ERR_SYNTAX, 0, 1},
};

Test(http_tokens, reads_a_line_a_token)
{
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct tokens tokens;
        size_t line = 0;
        const char *why = NULL;
        enum pdp_err err = tokens_parse(text_of(FILES[i].file), &tokens, &line, &why);
        cr_expect_eq(err, FILES[i].err, "%s: %s: %s", FILES[i].name, pdp_err_name(err), why);
        cr_expect_eq(tokens.count, FILES[i].count, "%s: %zu", FILES[i].name, tokens.count);
        cr_expect(err == PDP_ERR_OK || line == FILES[i].line, "%s: line %zu", FILES[i].name, line);
        cr_expect_eq(tokens.list == NULL, err != PDP_ERR_OK, "%s", FILES[i].name);
        tokens_fini(&tokens);
    }
}

Test(http_tokens, refuses_more_than_there_may_be)
{
    char *file = calloc((size_t)TOKENS_MAX + 1, 80), *at = file;
    for (int i = 0; i <= TOKENS_MAX; i++) {
        at += snprintf(at, 80, "n sha256:%064d\n", i);
    }
    struct tokens tokens;
    size_t line = 0;
    const char *why = NULL;
    cr_expect_eq(tokens_parse(text_of(file), &tokens, &line, &why), PDP_ERR_LIMIT);
    cr_expect_eq(line, TOKENS_MAX + 1);
    free(file);
}

Test(http_tokens, knows_a_token_by_its_digest)
{
    // echo -n 0123456789abcdef012345 | sha256sum
    static const char FILE_TEXT[] =
        "edge sha256:cda7f4918ec78ed571b271a6c8719a0a4e6f834380f2b6b545ff6d54e4165f96\n";
    struct tokens tokens;
    size_t line = 0;
    const char *why = NULL;
    cr_assert_eq(tokens_parse(TEXT(FILE_TEXT), &tokens, &line, &why), PDP_ERR_OK);
    const struct token *found = tokens_find(&tokens, TEXT("0123456789abcdef012345"));
    cr_assert_not_null(found);
    cr_expect_str_eq(found->name, "edge");
    cr_expect_null(tokens_find(&tokens, TEXT("0123456789abcdef012346")));
    cr_expect_null(tokens_find(&tokens, TEXT("0123456789abcdef01234")), "a character too few");
    cr_expect_null(tokens_find(&tokens, TEXT("")));
    tokens_fini(&tokens);
}

Test(http_tokens, believes_no_short_token)
{
    // echo -n secret | sha256sum
    struct tokens tokens;
    size_t line = 0;
    const char *why = NULL;
    cr_assert_eq(
        tokens_parse(TEXT("weak sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
                     &tokens, &line, &why),
        PDP_ERR_OK);
    cr_expect_null(tokens_find(&tokens, TEXT("secret")));
    tokens_fini(&tokens);
}

static const struct {
    const char *value, *token; // NULL: there is none
} HEADERS[] = {
    {"Bearer abc", "abc"},   {"bearer abc", "abc"},
    {"BEARER  abc ", "abc"}, {"Bearer a b", "a b"},
    {"Bearer", NULL},        {"Bearer ", NULL},
    {"Bearer\tabc", NULL},   {"Bearerabc", NULL},
    {"Basic abc", NULL},     {"", NULL},
    {"abc", NULL},
};

Test(http_tokens, finds_the_token_of_a_header)
{
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        struct text token = TEXT("left over");
        bool found = tokens_bearer(text_of(HEADERS[i].value), &token);
        cr_expect_eq(found, HEADERS[i].token != NULL, "`%s`", HEADERS[i].value);
        cr_expect(!found || text_eq(token, text_of(HEADERS[i].token)), "`%s`: `%.*s`", HEADERS[i].value,
                  (int)token.len, token.at);
    }
}
