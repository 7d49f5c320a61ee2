// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/format.h"

#include "cli/edit/lines.h"

#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>

static enum pdp_err format(struct str text, struct buf *out)
{
    const struct source source = {STR("a.yaml"), text};
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 10);
    return format_source(&source, &diags, out);
}

#define HEAD "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: a}\n"

static const struct {
    const char *name, *text, *wanted; // NULL: it stays
} CASES[] = {
    {"an expression", HEAD "target: a==b  # c\n", HEAD "target: a == b  # c\n"},
    {"no expression", HEAD "description: a==b\n", NULL},
    {"another kind", "kind: Other\ntarget: a==b\n", NULL},
    {"conditions", HEAD "rules:\n  - id: a\n    when:\n      all:\n        - a==b\n        - not: c&&d\n",
     HEAD "rules:\n  - id: a\n    when:\n      all:\n        - a == b\n        - not: c && d\n"},
    {"single quotes stay around expressions", HEAD "target: '!a'\n", NULL},
    {"double quotes stay there too", HEAD "target: \"!a\"\n", NULL},
    {"but not with escapes", HEAD "target: \"\\\"a\\\" in b\"\n", HEAD "target: '\"a\" in b'\n"},
    {"text of an expression", HEAD "target: \"a == 'b'\"\n", HEAD "target: 'a == \"b\"'\n"},
    {"doubled quotes", HEAD "target: 'a == ''b'''\n", HEAD "target: 'a == \"b\"'\n"},
    {"a choice in a plain scalar", HEAD "target: a?b:c  # d\n", HEAD "target: \"a ? b : c\"  # d\n"},
    {"one in a list", HEAD "target: {any: ['a', b ?true:false, c]}\n",
     HEAD "target: {any: [a, \"b ? true : false\", c]}\n"},
    {"one with text", HEAD "target: a == \"b\" ? c:d\n", HEAD "target: 'a == \"b\" ? c : d'\n"},
    {"one on two lines stays without quotes", HEAD "target: a ?\n  b:c\n", NULL},
    {"a choice in quotes", HEAD "target: 'a?b:c'\n", HEAD "target: 'a ? b : c'\n"},
    {"line ends of two bytes", "a:  b\r\n\r\n\r\n\r\nc:\r\n- >-\r\n  d\r\n  e # f",
     "a: b\r\n\r\nc:\r\n  - >-\r\n    d\r\n    e # f"},
    {"some of one", "a:  b\r\nc: |\n  d\r\n", "a: b\nc: |\n  d\n"},
    {"a long text", "a: \"b\r\n\r\n  c\\\r\n  d\"\r\ne: |+\r\n  f\r\n\r\n", NULL},
    {"what is no expression", HEAD "target: 'not a'\n", NULL},
    {"text in quotes", "a: 'b, c'\n", "a: \"b, c\"\n"},
    {"needless quotes", "a: 'b'\n\"c\": \"d e\"\n", "a: b\nc: \"d e\"\n"},
    {"a number in quotes", "a: '1'\n", "a: \"1\"\n"},
    {"words that some read otherwise", "a: [\"NO\", \"yes\"]\n", NULL},
    {"a list keeps its quotes", "a: ['/b', \"c\"]\n", "a: [\"/b\", \"c\"]\n"},
    {"a list that needs none", "a: ['b', \"c\"]\n", "a: [b, c]\n"},
    {"a value that is empty", "{\"a\":,\"b\":}\n", "{a: , b: }\n"},
    {"escapes", "a: \"b\\tc\"\n", NULL},
    {"an expression in a folded scalar", HEAD "target: >-\n    a==1&&\n    b\n",
     HEAD "target: >-\n  a == 1 &&\n  b\n"},
    {"an expression on two lines", HEAD "target: a==1&&\n  b\n", HEAD "target: a == 1 &&\n  b\n"},
    {"the head", "kind: List\nmetadata: {name: a}\napiVersion: pdp/v1\ntype: string\nentries: []\n",
     "apiVersion: pdp/v1\nkind: List\nmetadata: {name: a}\ntype: string\nentries: []\n"},
    {"a head behind all", "entries:\n  - a\n  - b\nkind: List\napiVersion: pdp/v1\n",
     "apiVersion: pdp/v1\nkind: List\nentries:\n  - a\n  - b\n"},
    {"rules", HEAD "rules:\n  - effect: deny\n    when: |\n      a\n    id: one\n    reason: b\n",
     HEAD "rules:\n  - id: one\n    effect: deny\n    when: |\n      a\n    reason: b\n"},
    {"both", "kind: Policy\nrules:\n  - effect: deny\n    id: one\napiVersion: pdp/v1\n",
     "apiVersion: pdp/v1\nkind: Policy\nrules:\n  - id: one\n    effect: deny\n"},
    {"names of steps", "apiVersion: pdp/v1\nkind: Scenario\nsteps:\n  - at: +5s\n    name: a\n",
     "apiVersion: pdp/v1\nkind: Scenario\nsteps:\n  - name: a\n    at: +5s\n"},
    {"a comment between", "kind: List # a\napiVersion: pdp/v1\n", NULL},
    {"a comment above", "kind: List\n# a\napiVersion: pdp/v1\n", NULL},
    {"an empty line between", "kind: List\n\napiVersion: pdp/v1\n", NULL},
    {"a comment behind what moves", "kind: List\napiVersion: pdp/v1 # a\ntype: string\n", NULL},
    {"a comment behind what stays", "kind: List\napiVersion: pdp/v1\ntype: string # a\n",
     "apiVersion: pdp/v1\nkind: List\ntype: string # a\n"},
    {"a literal without an end",
     "apiVersion: pdp/v1\nrules:\n  - effect: deny\n    reason: a\n    id: |\n      one", NULL},
    {"flow style", HEAD "rules:\n  - {effect: deny, id: one}\n", NULL},
    {"nothing", "", NULL},
};

Test(cli_format, formats_expressions_and_quotes)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf_fini) struct buf out = {0};
        const char *wanted = CASES[i].wanted != NULL ? CASES[i].wanted : CASES[i].text;
        cr_expect_eq(format(str_of(CASES[i].text), &out), PDP_ERR_OK, "%s", CASES[i].name);
        cr_expect(str_eq(buf_view(&out), str_of(wanted)), "%s:\n" STR_FMT, CASES[i].name,
                  STR_ARG(buf_view(&out)));
    }
}

Test(cli_format, refuses_what_is_no_yaml)
{
    AUTO(buf_fini) struct buf out = {0};
    cr_expect_eq(format(STR("a: [b\n"), &out), PDP_ERR_SYNTAX);
    cr_expect_eq(format(STR("? a\n: b\n"), &out), PDP_ERR_UNSUPPORTED);
    cr_expect_eq(out.len, 0);
}

// ---- All that is in the repository --------------------------------------------------------------------

static int tried;

static void slurp(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "%s", path);
    size_t got = 1;
    while (got > 0 && buf_room(out, 65536)) {
        got = fread(out->at + out->len, 1, 65536, file);
        out->len += got;
    }
    fclose(file);
}

// Indented twice as deep, with blanks at the ends of lines and further empty lines.
static void mangle(struct str text, struct buf *out)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = str_find_byte(text, '\n', at);
        for (size_t i = at; i < end && text.at[i] == ' '; i++) {
            buf_byte(out, ' ');
        }
        struct str line = str_sub(text, at, end - at);
        size_t dash = str_find_byte(line, '-', 0);
        bool item =
            dash + 1 < line.len && line.at[dash + 1] == ' ' && str_trim(str_sub(line, 0, dash)).len == 0;
        buf_str(out, item ? str_sub(line, 0, dash + 1) : line);
        buf_str(out, item ? STR("  ") : STR(""));
        buf_str(out, item ? str_sub(line, dash + 1, SIZE_MAX) : STR(""));
        buf_str(out, end == at ? STR("\n\n") : STR(" \n"));
        at = end + 1;
    }
}

// Formatted once it stays so.
static void check_text(const char *name, struct str text, struct str formatted)
{
    AUTO(buf_fini) struct buf once = {0};
    AUTO(buf_fini) struct buf twice = {0};
    enum pdp_err err = format(text, &once);
    if (err == PDP_ERR_OK) {
        tried++;
        cr_expect_eq(format(buf_view(&once), &twice), PDP_ERR_OK, "%s", name);
        cr_expect(str_eq(buf_view(&once), buf_view(&twice)), "%s changes again", name);
    }
    cr_expect_neq(err, PDP_ERR_STATE, "%s is left alone", name);
    if (formatted.at != NULL) {
        cr_expect(str_eq(buf_view(&once), formatted), "%s:\n" STR_FMT, name, STR_ARG(buf_view(&once)));
    }
}

static int check_file(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)at;
    if (kind != FTW_F || (!str_ends(str_of(path), STR(".yaml")) && !str_ends(str_of(path), STR(".yml")))) {
        return 0;
    }
    AUTO(buf_fini) struct buf text = {0};
    AUTO(buf_fini) struct buf mangled = {0};
    slurp(path, &text);
    if (text.len == 0) {
        return 0;
    }
    bool ours = str_starts(str_of(path), STR("policies/"));
    check_text(path, buf_view(&text), ours ? buf_view(&text) : (struct str){NULL, 0});
    mangle(buf_view(&text), &mangled);
    bool whole = str_starts(str_of(path), STR("policies/baseline/"));
    check_text(path, buf_view(&mangled), whole ? buf_view(&text) : (struct str){NULL, 0});
    return 0;
}

Test(cli_format, every_policy_stays_what_it_is)
{
    cr_assert_eq(nftw("policies", check_file, 16, FTW_PHYS), 0);
    cr_assert_eq(nftw("tests/cases", check_file, 16, FTW_PHYS), 0);
    cr_expect_gt(tried, 200, "%d", tried);
}

// Blocks of YAML in a page.
static int check_page(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)at;
    if (kind != FTW_F || !str_ends(str_of(path), STR(".md"))) {
        return 0;
    }
    AUTO(buf_fini) struct buf page = {0};
    slurp(path, &page);
    buf_byte(&page, '\0');
    for (const char *block = strstr((char *)page.at, "\n```yaml\n"); block != NULL;) {
        const char *from = block + 9, *end = strstr(from, "\n```");
        cr_assert(end != NULL, "%s", path);
        check_text(path, (struct str){from, (size_t)(end + 1 - from)}, (struct str){NULL, 0});
        block = strstr(end, "\n```yaml\n");
    }
    return 0;
}

Test(cli_format, every_page_stays_what_it_is)
{
    cr_assert_eq(nftw("docs", check_page, 16, FTW_PHYS), 0);
    cr_expect_gt(tried, 25, "%d", tried);
}

// ---- Documents of chance ------------------------------------------------------------------------------

struct chance {
    uint64_t state;
    struct buf *out;
};

static unsigned pick(struct chance *c, unsigned below)
{
    c->state = c->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(c->state >> 33) % below;
}

static void blanks(struct chance *c, unsigned most)
{
    buf_printf(c->out, "%*s", (int)pick(c, most + 1), "");
}

static void line_end(struct chance *c)
{
    static const char *const ENDS[] = {"\n", "\n", "  \n", " # why\n", "     # so\n", "\n\n\n", "\r\n"};
    buf_str(c->out, str_of(ENDS[pick(c, COUNT_OF(ENDS))]));
}

static void put_flow(struct chance *c, int depth)
{
    static const char *const TEXTS[] = {"a",   "'b'", "\"c d\"", "'it''s'", "1.5",     "\"x\\ty\"",
                                        "a b", "no",  "\"NO\"",  "\"a\"",   "'\"q\"'", "/p/**"};
    unsigned kind = depth < 3 ? pick(c, 4) : 2;
    if (kind > 1) {
        buf_str(c->out, str_of(TEXTS[pick(c, COUNT_OF(TEXTS))]));
        return;
    }
    unsigned count = pick(c, 4);
    buf_byte(c->out, kind == 0 ? '[' : '{');
    for (unsigned i = 0; i < count; i++) {
        buf_str(c->out, i > 0 ? STR(",") : STR(""));
        blanks(c, 2);
        if (kind == 1) {
            buf_printf(c->out, "k%u%s: ", i, pick(c, 3) == 0 ? " " : "");
            blanks(c, 1);
        }
        put_flow(c, depth + 1);
        blanks(c, 1);
    }
    buf_byte(c->out, kind == 0 ? ']' : '}');
}

static void put_lines(struct chance *c, int column)
{
    static const char *const HEADS[] = {"|", ">", "|-", ">-", ">+", "|+"};
    buf_str(c->out, str_of(HEADS[pick(c, COUNT_OF(HEADS))]));
    buf_byte(c->out, '\n');
    for (unsigned i = 0; i < 1 + pick(c, 3); i++) {
        buf_printf(c->out, "%*s", column + 3, "");
        blanks(c, i == 0 ? 0 : 2);
        buf_str(c->out, pick(c, 3) == 0   ? STR("# text\n")
                        : pick(c, 4) == 0 ? STR("text  \n\n")
                                          : STR("a==b&&c\n"));
    }
}

static void put_block(struct chance *c, int column, int depth);

static void put_value(struct chance *c, int column, int depth)
{
    unsigned kind = depth < 4 ? pick(c, 5) : 4;
    if (kind < 2) {
        line_end(c);
        put_block(c, column + 1 + (int)pick(c, 3), depth + 1);
    } else if (kind == 2) {
        buf_byte(c->out, ' ');
        put_lines(c, column);
    } else {
        buf_byte(c->out, ' ');
        blanks(c, 2);
        put_flow(c, 0);
        line_end(c);
    }
}

static void put_block(struct chance *c, int column, int depth)
{
    static const char *const KEYS[] = {"target", "rules", "id", "effect", "'quoted key'", "when", "\"any\""};
    bool list = depth > 0 && pick(c, 2) == 0;
    unsigned count = 1 + pick(c, 4), first = pick(c, COUNT_OF(KEYS));
    for (unsigned i = 0; i < count; i++) {
        if (pick(c, 5) == 0) {
            buf_printf(c->out, "%*s# of this block\n", column, "");
        }
        buf_printf(c->out, "%*s", column, "");
        if (list) {
            buf_byte(c->out, '-');
        } else {
            buf_printf(c->out, "%s%s:", KEYS[(first + i) % COUNT_OF(KEYS)], pick(c, 5) == 0 ? "  " : "");
        }
        put_value(c, column, depth);
    }
}

Test(cli_format, documents_of_chance_keep_their_meaning)
{
    struct chance c = {.state = 7};
    tried = 0;
    for (int i = 0; i < 3000; i++) {
        AUTO(buf_fini) struct buf text = {0};
        c.out = &text;
        buf_str(&text, STR(HEAD));
        for (unsigned k = 0; k < 1 + pick(&c, 2); k++) {
            buf_str(&text, k > 0 ? STR("---\nkind: Policy\n") : STR("description: a\n"));
            put_block(&c, 0, 0);
        }
        buf_byte(&text, '\0');
        check_text((const char *)text.at, str_sub(buf_view(&text), 0, text.len - 1), (struct str){NULL, 0});
    }
    cr_expect_gt(tried, 2000, "%d", tried);
}

// ---- Differences --------------------------------------------------------------------------------------

static const struct {
    const char *was, *is, *wanted;
} DIFFS[] = {
    {"a\nb\n", "a\nb\n", ""},
    {"a\nb\nc\n", "a\nB\nc\n", "--- x\n+++ x, formatted\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\nthirteen\n",
     "--- x\n+++ x, formatted\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,3 +10,4 @@\n 10\n "
     "11\n 12\n"
     "+thirteen\n"},
    {"", "a\n", "--- x\n+++ x, formatted\n@@ -0,0 +1,1 @@\n+a\n"},
    {"a\n\n\nb\n", "a\n\nb\n", "--- x\n+++ x, formatted\n@@ -1,4 +1,3 @@\n a\n \n-\n b\n"},
};

Test(cli_format, shows_differences)
{
    for (size_t i = 0; i < COUNT_OF(DIFFS); i++) {
        AUTO(buf_fini) struct buf out = {0};
        lines_diff("x", str_of(DIFFS[i].was), str_of(DIFFS[i].is), &out);
        cr_expect(str_eq(buf_view(&out), str_of(DIFFS[i].wanted)), "%zu:\n" STR_FMT, i,
                  STR_ARG(buf_view(&out)));
    }
}
