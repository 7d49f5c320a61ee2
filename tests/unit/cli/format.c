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
    {"a choice in a plain scalar", HEAD "target: a?b:c\n", HEAD "target: a ? b:c\n"},
    {"a choice in quotes", HEAD "target: 'a?b:c'\n", HEAD "target: 'a ? b : c'\n"},
    {"what is no expression", HEAD "target: 'not a'\n", NULL},
    {"text in quotes", "a: 'b, c'\n", "a: \"b, c\"\n"},
    {"needless quotes", "a: 'b'\n\"c\": \"d e\"\n", "a: b\nc: \"d e\"\n"},
    {"a number in quotes", "a: '1'\n", "a: \"1\"\n"},
    {"words that some read otherwise", "a: [\"NO\", \"yes\"]\n", NULL},
    {"a list keeps its quotes", "a: ['/b', \"c\"]\n", "a: [\"/b\", \"c\"]\n"},
    {"a list that needs none", "a: ['b', \"c\"]\n", "a: [b, c]\n"},
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
