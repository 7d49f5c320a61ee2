// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_cel.h"

#include <criterion/criterion.h>

static const struct {
    const char *text;
    enum lsp_cel_at at;
    const char *chain, *word, *call, *beside, *typed;
} CASES[] = {
    {"", LSP_CEL_NAME, "", "", "", "", ""},
    {"subject.ro", LSP_CEL_NAME, "subject.ro", "ro", "", "", ""},
    {"a && lists.", LSP_CEL_NAME, "lists.", "", "", "", ""},
    {"(a + b).si", LSP_CEL_MEMBER, "si", "si", "", "", ""},
    {"[1].", LSP_CEL_MEMBER, "", "", "", "", ""},
    {"\"x\".sta", LSP_CEL_MEMBER, "sta", "sta", "", "", ""},
    {"risk.score > 6", LSP_CEL_NOTHING, "", "", "", "", ""},
    {"a // risk.", LSP_CEL_NOTHING, "", "", "", "", ""},
    {"a // b\nrisk.", LSP_CEL_NAME, "risk.", "", "", "", ""},
    {"level(\"hi", LSP_CEL_TEXT, "", "", "level", "", "hi"},
    {"level( 'hi", LSP_CEL_TEXT, "", "", "level", "", "hi"},
    {"a.b == \"x", LSP_CEL_TEXT, "", "", "", "a.b", "x"},
    {"a.b!='", LSP_CEL_TEXT, "", "", "", "a.b", ""},
    {"a.b in [\"x\", 'y", LSP_CEL_TEXT, "", "", "", "a.b", "y"},
    {"[\"x\", \"y", LSP_CEL_TEXT, "", "", "", "", "y"},
    {"x == \"a\\\"b", LSP_CEL_TEXT, "", "", "", "x", "a\\\"b"},
    {"s.matches(r'\\'", LSP_CEL_NAME, "", "", "", "", ""},
};

Test(lsp_cel, tells_what_stands_at_the_end)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct lsp_cel is;
        lsp_cel_at(str_of(CASES[i].text), &is);
        cr_expect_eq(is.at, CASES[i].at, "%s: %d", CASES[i].text, is.at);
        cr_expect(str_eq(is.chain, str_of(CASES[i].chain)), "%s: chain " STR_FMT, CASES[i].text,
                  STR_ARG(is.chain));
        cr_expect(str_eq(is.word, str_of(CASES[i].word)), "%s: word " STR_FMT, CASES[i].text,
                  STR_ARG(is.word));
        cr_expect(str_eq(is.call, str_of(CASES[i].call)), "%s: call " STR_FMT, CASES[i].text,
                  STR_ARG(is.call));
        cr_expect(str_eq(is.beside, str_of(CASES[i].beside)), "%s: beside " STR_FMT, CASES[i].text,
                  STR_ARG(is.beside));
        cr_expect(str_eq(is.typed, str_of(CASES[i].typed)), "%s: typed " STR_FMT, CASES[i].text,
                  STR_ARG(is.typed));
    }
}

Test(lsp_cel, quoted_scalars_lose_their_escapes)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    cr_expect(str_eq(lsp_cel_text(STR("a == ''b"), LSP_SINGLE, &arena), STR("a == 'b")));
    cr_expect(str_eq(lsp_cel_text(STR("a == \\\"b"), LSP_DOUBLE, &arena), STR("a == \"b")));
    cr_expect(str_eq(lsp_cel_text(STR("a == ''b"), LSP_PLAIN, &arena), STR("a == ''b")));
}

Test(lsp_cel, names_end_with_the_word_that_is_pointed_at)
{
    struct str text = STR("x && subject.roles.size() > 1");
    cr_expect(str_eq(lsp_cel_around(text, 6), STR("subject")));
    cr_expect(str_eq(lsp_cel_around(text, 14), STR("subject.roles")));
    cr_expect(str_eq(lsp_cel_around(text, 20), STR("subject.roles.size")));
    cr_expect(str_eq(lsp_cel_around(text, 3), STR("")));
    cr_expect(str_eq(lsp_cel_around(text, 99), STR("1")));
}
