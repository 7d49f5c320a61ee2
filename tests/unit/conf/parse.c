// SPDX-License-Identifier: Apache-2.0
#include "conf/conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct parsed {
    struct source source;
    struct arena arena;
    struct diags diags;
    struct conf_doc *docs;
    size_t count;
    enum pdp_err err;
    struct buf words;
};

static void parsed_fini(struct parsed *p)
{
    arena_fini(&p->arena);
    diags_fini(&p->diags);
    buf_fini(&p->words);
}

static void parse(struct parsed *p, struct str text)
{
    *p = (struct parsed){.source = {STR("p.yaml"), text}};
    arena_init(&p->arena, 0, 0);
    diags_init(&p->diags, 100);
    p->err = conf_parse(&p->source, &p->arena, &p->diags, &p->docs, &p->count);
    diags_render(&p->diags, &p->words);
    buf_byte(&p->words, '\0');
}

static const struct {
    const char *text;
    enum pdp_err err;
    const char *words;
} REFUSED[] = {
    {"a: 1\nb: 2\na: 3\n", PDP_ERR_DUPLICATE,
     "p.yaml:3:1: error: the key `a` is given twice\n"
     "    3 | a: 3\n"
     "      | ^\n"
     "  hint: it was given first on line 1\n"},
    {"a: {b: 1, \"b\": 2}\n", PDP_ERR_DUPLICATE,
     "p.yaml:1:12: error: the key `b` is given twice\n"
     "    1 | a: {b: 1, \"b\": 2}\n"
     "      |            ^\n"
     "  hint: it was given first on line 1\n"},
    {"a: &x 1\nb: *x\n", PDP_ERR_UNSUPPORTED,
     "p.yaml:1:4: error: anchors (`&x`) are not supported\n"
     "    1 | a: &x 1\n"
     "      |    ^~\n"
     "  hint: text that starts with `&` must be in quotes\n"
     "p.yaml:2:4: error: aliases (`*x`) are not supported\n"
     "    2 | b: *x\n"
     "      |    ^~\n"
     "  hint: write the value out, or put text that starts with `*` in quotes\n"},
    {"a: !!str 1\n", PDP_ERR_UNSUPPORTED,
     "p.yaml:1:4: error: tags (`!…`) are not supported\n"
     "    1 | a: !!str 1\n"
     "      |    ^~~~~\n"
     "  hint: text that starts with `!` must be in quotes\n"},
    {"when: !device.managed\n", PDP_ERR_UNSUPPORTED,
     "p.yaml:1:7: error: tags (`!…`) are not supported\n"
     "    1 | when: !device.managed\n"
     "      |       ^~~~~~~~~~~~~~~\n"
     "  hint: text that starts with `!` must be in quotes\n"},
    {"when: !(a) && b\n", PDP_ERR_SYNTAX,
     "p.yaml:1:12: error: anchors (`&…`) are not supported\n"
     "    1 | when: !(a) && b\n"
     "      |            ^\n"
     "  hint: text that starts with `&` must be in quotes\n"},
    {"a: {<<: {b: 1}}\n", PDP_ERR_UNSUPPORTED,
     "p.yaml:1:5: error: merge keys (`<<`) are not supported\n"
     "    1 | a: {<<: {b: 1}}\n"
     "      |     ^~\n"
     "  hint: write the keys out\n"},
    {"a:\n\tb: 1\n", PDP_ERR_SYNTAX,
     "p.yaml:2:1: error: a tab in front of a line\n"
     "    2 |  b: 1\n"
     "      | ^\n"
     "  hint: indent with spaces\n"},
    {"a: [1,\n  \t2]\n", PDP_ERR_SYNTAX,
     "p.yaml:2:3: error: a tab in front of a line\n"
     "    2 |    2]\n"
     "      |   ^\n"
     "  hint: indent with spaces\n"},
    {"a: \"x\n\ty\"\n", PDP_ERR_SYNTAX,
     "p.yaml:2:1: error: a tab in front of a line\n"
     "    2 |  y\"\n"
     "      | ^\n"
     "  hint: indent with spaces\n"},
    {"a: 1\n\t# note\n", PDP_ERR_SYNTAX,
     "p.yaml:2:1: error: a tab in front of a line\n"
     "    2 |  # note\n"
     "      | ^\n"
     "  hint: indent with spaces\n"},
    {"[a, b]: 1\n", PDP_ERR_TYPE,
     "p.yaml:1:1: error: a key must be text, not a list or a mapping\n"
     "    1 | [a, b]: 1\n"
     "      | ^~~~~~\n"
     "  hint: text that starts with `[` or `{` must be in quotes\n"},
    {"{? : 1}\n", PDP_ERR_TYPE,
     "p.yaml:1:4: error: a key is empty\n"
     "    1 | {? : 1}\n"
     "      |    ^\n"},
    {"~: 1\n", PDP_ERR_TYPE,
     "p.yaml:1:1: error: a key is empty\n"
     "    1 | ~: 1\n"
     "      | ^\n"},
    {"a: 'x'\n \t\nb: 2\n", PDP_ERR_SYNTAX,
     "p.yaml:2:2: error: a tab in front of a line\n"
     "    2 |   \n"
     "      |  ^\n"
     "  hint: indent with spaces\n"},
    {"a: b: c\n", PDP_ERR_SYNTAX,
     "p.yaml:1:5: error: `:` is not expected here\n"
     "    1 | a: b: c\n"
     "      |     ^\n"
     "  hint: text that holds `: ` must be in quotes; a key is indented like those beside it\n"},
    {"a: \"b\nc: d\n", PDP_ERR_SYNTAX,
     "p.yaml:1:4: error: this quote is not closed\n"
     "    1 | a: \"b\n"
     "      |    ^\n"},
    {"a: [1, 2\nb: 3\n", PDP_ERR_SYNTAX,
     "p.yaml:2:2: error: `,` or `]` was expected here\n"
     "    2 | b: 3\n"
     "      |  ^\n"
     "  hint: the `[` on line 1 is not closed\n"},
    {"a: 'x' == y\n", PDP_ERR_SYNTAX,
     "p.yaml:1:8: error: a key was expected here\n"
     "    1 | a: 'x' == y\n"
     "      |        ^\n"
     "  hint: check the indentation, and put text that starts with a quote and goes on after it in quotes as "
     "a "
     "whole\n"},
    {"a: @b\n", PDP_ERR_SYNTAX,
     "p.yaml:1:4: error: text cannot start with `@`\n"
     "    1 | a: @b\n"
     "      |    ^\n"
     "  hint: put it in quotes\n"},
    {"%YAML 1.1\n---\na: 1\n", PDP_ERR_UNSUPPORTED,
     "p.yaml:1:1: error: YAML directives are not supported\n"
     "    1 | %YAML 1.1\n"
     "      | ^~~~\n"
     "  hint: remove the line that starts with `%`\n"},
    {"a: \"\\q\"\n", PDP_ERR_SYNTAX,
     "p.yaml:1:5: error: unknown escape in double quotes\n"
     "    1 | a: \"\\q\"\n"
     "      |     ^\n"
     "  hint: single quotes know no escapes; in double quotes write `\\\\` for a backslash\n"},
    {"a: \xff\n", PDP_ERR_UTF8,
     "p.yaml:1:4: error: byte 0xFF is not valid UTF-8\n"
     "    1 | a: \\xff\n"
     "      |    ^\n"},
    {"a: \x01\n", PDP_ERR_SYNTAX,
     "p.yaml:1:4: error: a control character, U+0001\n"
     "    1 | a: \\x01\n"
     "      |    ^\n"
     "  hint: inside double quotes, write `\\u0001`\n"},
    {"a: b\xE2\x80\xA8"
     "c\n",
     PDP_ERR_SYNTAX,
     "p.yaml:1:5: error: an unusual line break, U+2028\n"
     "    1 | a: b\\xe2\\x80\\xa8"
     "c\n"
     "      |     ^\n"
     "  hint: inside double quotes, write `\\u2028`\n"},
    {"a: 1\rb: 2\n", PDP_ERR_SYNTAX,
     "p.yaml:1:5: error: a carriage return without a line feed\n"
     "    1 | a: 1\\x0db: 2\n"
     "      |     ^\n"
     "  hint: end lines with a line feed\n"},
};

Test(conf_parse, refuses_word_for_word)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(parsed_fini) struct parsed p;
        parse(&p, str_of(REFUSED[i].text));
        cr_expect_eq(p.err, REFUSED[i].err, "%zu: %s", i, pdp_err_name(p.err));
        cr_expect_str_eq((char *)p.words.at, REFUSED[i].words, "%zu: got\n%s", i, (char *)p.words.at);
    }
}

Test(conf_parse, refuses_nul)
{
    AUTO(parsed_fini) struct parsed p;
    parse(&p, (struct str){"a: b\0c\n", 7});
    cr_expect_eq(p.err, PDP_ERR_SYNTAX);
    cr_expect(str_starts(buf_view(&p.words), STR("p.yaml:1:5: error: a NUL byte\n")), "%s",
              (char *)p.words.at);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const struct {
    const char *unit;
    bool depth;
} BOMBS[] = {{"[", true},    {"{", true},  {"- ", true},    {"[\n", true},
             {"{a: ", true}, {"? ", true}, {"a:\n [", true}};

Test(conf_parse, deep_nesting_ends_quickly)
{
    for (size_t i = 0; i < COUNT_OF(BOMBS); i++) {
        AUTO(buf_fini) struct buf text = {0};
        while (text.len < 40000) {
            buf_str(&text, str_of(BOMBS[i].unit));
        }
        double before = seconds();
        AUTO(parsed_fini) struct parsed p;
        parse(&p, buf_view(&text));
        double took = seconds() - before;
        cr_expect_eq(p.err, BOMBS[i].depth ? PDP_ERR_DEPTH : PDP_ERR_SYNTAX, "%s", BOMBS[i].unit);
        cr_expect(took < 0.25, "%s: %g s", BOMBS[i].unit, took);
    }
}

Test(conf_parse, depth_is_exact)
{
    for (int depth = CONF_DEPTH_MAX; depth <= CONF_DEPTH_MAX + 1; depth++) {
        AUTO(buf_fini) struct buf text = {0};
        for (int i = 0; i < depth; i++) {
            buf_byte(&text, '[');
        }
        for (int i = 0; i < depth; i++) {
            buf_byte(&text, ']');
        }
        AUTO(parsed_fini) struct parsed p;
        parse(&p, buf_view(&text));
        cr_expect_eq(p.err, depth > CONF_DEPTH_MAX ? PDP_ERR_DEPTH : PDP_ERR_OK);
        if (depth > CONF_DEPTH_MAX) {
            cr_expect(
                str_starts(buf_view(&p.words), STR("p.yaml:1:33: error: nested more than 32 levels deep\n")),
                "%s", (char *)p.words.at);
        }
    }
}

Test(conf_parse, gives_nodes_with_places)
{
    AUTO(parsed_fini) struct parsed p;
    parse(&p, STR("\xEF\xBB\xBF# ä\nname: 'it''s'\nlist:\n  - ü\n  - [1, \"2\"]\nnone: ~\nempty:\n"));
    cr_assert_eq(p.err, PDP_ERR_OK, "%s", (char *)p.words.at);
    cr_assert_eq(p.count, 1);
    const struct conf_node *root = p.docs[0].root;
    cr_expect_eq(root->kind, CONF_MAP);
    cr_expect_eq(root->count, 4);
    const struct conf_node *name = conf_get(root, "name");
    cr_expect(str_eq(name->text, STR("it's")) && name->quoted && name->style == CONF_SINGLE);
    cr_expect(str_eq(str_sub(p.source.text, name->place.at, name->place.len), STR("it''s")));
    const struct conf_node *list = conf_get(root, "list");
    cr_assert(list->kind == CONF_LIST && list->count == 2);
    cr_expect(str_eq(str_sub(p.source.text, list->items[0]->place.at, list->items[0]->place.len), STR("ü")));
    cr_expect(str_eq(str_sub(p.source.text, list->place.at, list->place.len), STR("- ü\n  - [1, \"2\"]")));
    cr_expect_eq(list->items[1]->count, 2);
    cr_expect(!list->items[1]->items[0]->quoted && list->items[1]->items[1]->quoted);
    cr_expect_eq(conf_get(root, "none")->kind, CONF_NULL);
    cr_expect_eq(conf_get(root, "empty")->kind, CONF_NULL);
    cr_expect_null(conf_get(root, "nam"));
    cr_expect_null(conf_get(name, "x"));
    cr_expect_null(conf_get(NULL, "x"));
}

Test(conf_parse, keeps_documents_without_an_error)
{
    AUTO(parsed_fini) struct parsed p;
    parse(&p, STR("---\na: 1\n---\n---\nb: *x\n---\nc: 1\n---\nd: [\n"));
    cr_expect_eq(p.err, PDP_ERR_UNSUPPORTED);
    cr_assert_eq(p.count, 2);
    cr_expect_not_null(conf_get(p.docs[0].root, "a"));
    cr_expect_not_null(conf_get(p.docs[1].root, "c"));
    cr_expect_eq(p.diags.errors, 2, "%s", (char *)p.words.at);
}

Test(conf_parse, takes_empty_sources_crlf_and_tabs_that_are_text)
{
    static const char *const TEXTS[] = {"", "# only a comment\n", "\n\n", "---\n", "\xEF\xBB\xBF"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        AUTO(parsed_fini) struct parsed p;
        parse(&p, str_of(TEXTS[i]));
        cr_expect(p.err == PDP_ERR_OK && p.count == 0, "%zu: %s", i, (char *)p.words.at);
    }
    AUTO(parsed_fini) struct parsed p;
    parse(&p, STR("a: |\r\n  x\r\n  \ty\r\nb: 'p\r\n  q'\t# c\r\n"));
    cr_assert_eq(p.err, PDP_ERR_OK, "%s", (char *)p.words.at);
    cr_expect(str_eq(conf_get(p.docs[0].root, "a")->text, STR("x\n\ty\n")));
    cr_expect(str_eq(conf_get(p.docs[0].root, "b")->text, STR("p q")));
}

Test(conf_parse, many_keys_are_compared_quickly)
{
    AUTO(buf_fini) struct buf text = {0};
    for (int i = 0; i < 50000; i++) {
        buf_printf(&text, "k%d: %d\n", i, i);
    }
    double before = seconds();
    AUTO(parsed_fini) struct parsed p;
    parse(&p, buf_view(&text));
    cr_expect_eq(p.err, PDP_ERR_OK);
    cr_expect_eq(p.docs[0].root->count, 50000);
    cr_expect(seconds() - before < 5.0);
}

#if !defined(__SANITIZE_ADDRESS__) // eight million values take half a minute there
Test(conf_parse, values_are_counted, .timeout = 60)
{
    AUTO(buf_fini) struct buf text = {0};
    buf_byte(&text, '[');
    while (text.len < (size_t)2 * CONF_NODES_MAX + 100) {
        buf_str(&text, STR("1,"));
    }
    AUTO(parsed_fini) struct parsed p;
    parse(&p, buf_view(&text));
    cr_expect_eq(p.err, PDP_ERR_LIMIT, "%s", pdp_err_name(p.err));
    cr_expect(str_eq(p.diags.list[0].message, STR("the file holds more than 8388608 values")), STR_FMT,
              STR_ARG(p.diags.list[0].message));
}
#endif

// No file that is read is so long, so none is made here: what is refused is not looked at.
Test(conf_parse, bytes_are_counted)
{
    AUTO(parsed_fini) struct parsed p;
    parse(&p, (struct str){"a: b\n", (size_t)CONF_BYTES_MAX + 1});
    cr_expect_eq(p.err, PDP_ERR_LIMIT, "%s", pdp_err_name(p.err));
    cr_expect(str_eq(p.diags.list[0].message, STR("the file holds more than 64 MiB")), STR_FMT,
              STR_ARG(p.diags.list[0].message));
}
