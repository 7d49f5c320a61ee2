// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_where.h"

#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD "kind: Policy\n"

// `‸` is the cursor. `path`: steps joined by `/`, items as `-`; `what`: k may be a key, v a value.
static const struct {
    const char *text, *path, *what, *stands; // `stands`: from where it begins up to the cursor
} CASES[] = {
    {"‸", "", "k", ""},
    {HEAD "ru‸", "", "k", "ru"},
    {HEAD "ru‸les:\n", "", "k", "ru"},
    {HEAD "combine: ‸\n", "combine", "v", ""},
    {HEAD "combine: fi‸\nrules:\n", "combine", "v", "fi"},
    {HEAD "metadata: {na‸", "metadata", "k", "na"},
    {HEAD "metadata: {name: ‸", "metadata/name", "v", ""},
    {HEAD "metadata: {name: a, ‸}\n", "metadata", "k", ""},
    {HEAD "metadata: {name: a, labels: {x: [b, c‸]}}\n", "metadata/labels/x/-", "v", "c"},
    {HEAD "metadata: {name: \"a‸", "metadata/name", "v", "a"},
    {HEAD "rules:\n  - ‸", "rules/-", "kv", ""},
    {HEAD "rules:\n  - id: a\n    wh‸", "rules/-", "k", "wh"},
    {HEAD "rules:\n  - id: a\n    ‸\n    when: x\n", "rules/-", "k", ""},
    {HEAD "rules:\n  - id: a\n    when: a && ‸b\n", "rules/-/when", "v", "a && "},
    {HEAD "rules:\n  - id: a\n    when:\n      - a ||‸\n", "rules/-/when/-", "kv", "a ||"},
    {HEAD "rules:\n  - id: a\n    when:\n      any:\n      - b‸\n", "rules/-/when/any/-", "kv", "b"},
    {HEAD "rules:\n  - id: a\n    when:\n      ‸", "rules/-/when", "kv", ""},
    {HEAD "rules:\n  - id: a\n    when: |\n      x &&\n      y‸\n    effect: a\n", "rules/-/when", "v",
     "      x &&\n      y"},
    {HEAD "rules:\n  - id: a\n    when: x &&\n      y‸\n", "rules/-/when", "v", "x &&\n      y"},
    {HEAD "rules:\n  - id: a\n    when: 'x == ''y‸'\n", "rules/-/when", "v", "x == ''y"},
    {HEAD "rules:\n  - id: a\n    when: \"x == \\\"y‸\n    effect: deny\n", "rules/-/when", "v",
     "x == \\\"y"},
    {HEAD "rules:\n  - id: a\n    when: \"not closed\n    effect: de‸\n", "rules/-/effect", "v", "de"},
    {HEAD "rules:\n- id: a\n  effect: de‸\n", "rules/-/effect", "v", "de"},
    {HEAD "rules:\n  - {id: a, when: [x, \"y\"‸", "rules/-/when/-", "v", ""},
    {HEAD "rules:\n  - {id: a, when: [\n    {any: [x‸\n", "rules/-/when/-/any/-", "v", "x"},
    {HEAD "rules:\n  - {id: a,\n  - id: b\n    ef‸", "rules/-", "k", "ef"},
    {HEAD "# a comm‸ent\n", "", "", ""},
    {HEAD "combine: x # a comm‸ent\n", "", "", ""},
    {HEAD "---\nkind: List\nty‸: x\n", "", "k", "ty"},
    {"- - a: ‸", "-/-/a", "v", ""},
};

static void put_path(const struct lsp_where *where, struct buf *out)
{
    for (size_t i = 0; i < where->depth; i++) {
        buf_str(out, i > 0 ? STR("/") : STR(""));
        buf_str(out, where->path[i].item ? STR("-") : where->path[i].key);
    }
}

Test(lsp_where, tells_what_stands_at_the_cursor)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        AUTO(buf_fini) struct buf text = {0};
        AUTO(buf_fini) struct buf path = {0};
        AUTO(arena_fini) struct arena arena;
        struct lsp_where where;
        struct str marked = str_of(CASES[i].text);
        size_t at = str_find(marked, STR("‸"), 0);
        arena_init(&arena, 0, 0);
        buf_str(&text, str_sub(marked, 0, at));
        buf_str(&text, str_sub(marked, at + strlen("‸"), marked.len));
        lsp_where(buf_view(&text), at, &arena, &where);
        put_path(&where, &path);
        char what[3] = {0};
        snprintf(what, sizeof what, "%s%s", where.key ? "k" : "", where.value ? "v" : "");
        struct str stands = str_sub(buf_view(&text), where.from, at - where.from);
        cr_expect(str_eq(buf_view(&path), str_of(CASES[i].path)), "%s: path " STR_FMT, CASES[i].text,
                  STR_ARG(buf_view(&path)));
        cr_expect_str_eq(what, CASES[i].what, "%s: may be `%s`", CASES[i].text, what);
        cr_expect(str_eq(stands, str_of(CASES[i].stands)), "%s: `" STR_FMT "` stands there", CASES[i].text,
                  STR_ARG(stands));
    }
}

Test(lsp_where, knows_the_kind_and_the_other_keys)
{
    AUTO(arena_fini) struct arena arena;
    struct lsp_where where;
    struct str text = STR(
        "kind: List\n---\nkind: Policy\nrules:\n  - id: a\n    \n    effect: b\n  - id: c\n    when: d\n");
    arena_init(&arena, 0, 0);
    lsp_where(text, str_find(text, STR("    \n"), 0) + 4, &arena, &where);
    cr_expect(str_eq(where.kind, STR("Policy")));
    cr_assert_eq(where.sibling_count, 2);
    cr_expect(str_eq(where.siblings[0], STR("id")) && str_eq(where.siblings[1], STR("effect")));
    cr_expect(lsp_where_is(&where, "rules/-") && lsp_where_is(&where, "*/-") &&
              lsp_where_is(&where, "rules/**"));
    cr_expect(!lsp_where_is(&where, "rules") && !lsp_where_is(&where, "rules/-/when") &&
              !lsp_where_is(&where, "-/-"));
}
