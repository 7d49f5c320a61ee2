// SPDX-License-Identifier: Apache-2.0
#include "conf/layout.h"

#include <criterion/criterion.h>

static const struct {
    const char *name, *text, *wanted; // NULL: it stays
} CASES[] = {
    {"a key", "a :  b\n", "a: b\n"},
    {"the end", "a: b", "a: b\n"},
    {"empty lines at the end", "a: b\n\n\n", "a: b\n"},
    {"empty lines at the start", "\n\na: b\n", "a: b\n"},
    {"empty lines between", "a: b\n\n\n\nc: d\n", "a: b\n\nc: d\n"},
    {"blanks at the ends of lines", "a: b  \nc:\t\n  d: e\n", "a: b\nc:\n  d: e\n"},
    {"carriage returns", "a: b\r\nc: d\r\n", "a: b\nc: d\n"},
    {"a list below a key", "a:\n- b\n- c\n", "a:\n  - b\n  - c\n"},
    {"deep and shallow", "a:\n     b:\n      - c:\n         d\n", "a:\n  b:\n    - c:\n        d\n"},
    {"dashes", "-   a: b\n    c: d\n-  - e\n   - f\n", "- a: b\n  c: d\n- - e\n  - f\n"},
    {"an item on its own lines", "-\n    a: b\n", "-\n  a: b\n"},
    {"flow style", "a: { b : c ,d: [ e,f ] , g: {} }\n", "a: {b: c, d: [e, f], g: {}}\n"},
    {"values that are empty", "{a: , b, c: }\n", NULL},
    {"JSON", "{\"a\":1,\"b\":[2,3]}\n", "{\"a\": 1, \"b\": [2, 3]}\n"},
    {"flow style on several lines", "a:\n    b: [c,\n        d,\n    ]\n", "a:\n  b: [c,\n      d,\n  ]\n"},
    {"comments of lines", "a:\n # one\n    b: c\n    # two\nd: e\n# three\n",
     "a:\n# one\n  b: c\n  # two\nd: e\n# three\n"},
    {"comments of lists", "a:\n# one\n- b\n# two\n- c\n", "a:\n  # one\n  - b\n  # two\n  - c\n"},
    {"comments behind something", "a: b # one\nc:   d     # two\n", "a: b # one\nc: d       # two\n"},
    {"a comment that must move", "a: {b: c,d: e}  # one\n", "a: {b: c, d: e}  # one\n"},
    {"documents", "---\na: b\n---   # next\nc: d\n...\n", "---\na: b\n---   # next\nc: d\n...\n"},
    {"a literal", "a: |  \n     b\n\n       c  \nd: e\n", "a: |\n  b\n\n    c  \nd: e\n"},
    {"a literal that says its indentation", "a:\n    b: |1\n       c\n", "a:\n  b: |1\n     c\n"},
    {"a literal that keeps empty lines", "a: |+\n  b\n\n\nc: d\n", NULL},
    {"blanks behind a literal", "a: |\n    b\n\n   \nc: d\n", "a: |\n  b\n\nc: d\n"},
    {"blanks behind a literal that are text", "a: |\n    b\n      \nc: d\n", "a: |\n  b\n    \nc: d\n"},
    {"a literal that ends with blanks", "a: |\n    b\n     ", "a: |\n  b\n   "},
    {"a literal and a few blanks", "a: |\n    b\n   ", "a: |\n  b\n"},
    {"a literal without an end, and blanks", "a: |\n    b  ", "a: |\n  b  "},
    {"one that keeps its end, which is not there", "a: |+\n    b ", "a: |+\n  b "},
    {"a literal of blanks", "a: |\n\n    \nb: |+\n   \n\nc: d\n", "a: |\n\nb: |+\n\n\nc: d\n"},
    {"a literal without an end", "a: |\n  b", NULL},
    {"a comment behind a literal", "a: |\n    b\n  # c\nd: e\n", "a: |\n  b\n# c\nd: e\n"},
    {"a folded text", "a:\n    - >-\n      b\n      c\n", "a:\n  - >-\n    b\n    c\n"},
    {"plain text on several lines", "a:\n    b: c  \n      d\n\n      e\n", "a:\n  b: c\n    d\n\n    e\n"},
    {"quoted text on several lines", "a:\n    b: \"c \\ \n      d\"\n", "a:\n  b: \"c \\ \n    d\"\n"},
    {"a value on its own line", "a:\n      b\n       c\n", "a:\n  b\n   c\n"},
    {"a byte order mark", "\xef\xbb\xbf\na: b\n",
     "\xef\xbb\xbf"
     "a: b\n"},
    {"text that is all there is", " ...\n  a\n", NULL},
    {"nothing", "", NULL},
    {"only comments", "# a\n   # b\n", "# a\n# b\n"},
};

static enum pdp_err lay_out(const char *text, struct buf *out)
{
    static struct source source;
    AUTO(arena_fini) struct arena arena;
    AUTO(diags_fini) struct diags diags;
    arena_init(&arena, 0, 0);
    diags_init(&diags, 10);
    source = (struct source){STR("a.yaml"), str_of(text)};
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct marks marks;
    const struct layout layout = {NULL, NULL};
    cr_assert_eq(conf_parse(&source, &arena, &diags, &docs, &count), PDP_ERR_OK, "%s", text);
    cr_assert_eq(marks_read(&source, docs, count, &arena, &marks), PDP_ERR_OK);
    return layout_print(&source, &marks, &layout, &arena, out);
}

Test(conf_layout, sets_blanks_right_and_keeps_the_rest)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf_fini) struct buf once = {0};
        AUTO(buf_fini) struct buf twice = {0};
        const char *wanted = CASES[i].wanted != NULL ? CASES[i].wanted : CASES[i].text;
        cr_expect_eq(lay_out(CASES[i].text, &once), PDP_ERR_OK);
        cr_expect(str_eq(buf_view(&once), str_of(wanted)), "%s:\n" STR_FMT, CASES[i].name,
                  STR_ARG(buf_view(&once)));
        cr_expect_eq(lay_out(wanted, &twice), PDP_ERR_OK);
        cr_expect(str_eq(buf_view(&twice), str_of(wanted)), "%s, again:\n" STR_FMT, CASES[i].name,
                  STR_ARG(buf_view(&twice)));
    }
}

Test(conf_layout, leaves_what_it_does_not_know)
{
    static const char *const TEXTS[] = {"? a\n: b\n", "--- ~\n---\na: b\n", "a: b\n---\nnull\n"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        AUTO(buf_fini) struct buf out = {0};
        cr_expect_eq(lay_out(TEXTS[i], &out), PDP_ERR_UNSUPPORTED, "%s", TEXTS[i]);
        cr_expect_eq(out.len, 0);
    }
}
