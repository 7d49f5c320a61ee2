// SPDX-License-Identifier: Apache-2.0
#include "conf/conf.h"

#include <criterion/criterion.h>

// `mark` of the text must be found at the place where it first stands in the source after the last `@…`
// comment line; each mark is a word that stands once in both.
static const struct {
    const char *name, *source;
    const char *marks[6];
} CASES[] = {
    {"plain", "k: one two three\n", {"one", "two", "three"}},
    {"plain over lines",
     "k: one two  \n   three\n\n   four\n\n\n   five\nz: 1\n",
     {"one", "two", "three", "four", "five"}},
    {"plain with letters of many bytes", "k: ä one ß two\n", {"one", "two"}},
    {"single", "k: 'it''s one ''two'' three'\n", {"one", "two", "three"}},
    {"single over lines", "k: 'one ''\n\n  two\n  three  four'\n", {"one", "two", "three", "four"}},
    {"double",
     "k: \"a\\\"one\\\" \\u00e4\\n two \\x41 three\\\\four \\U0001F600five\"\n",
     {"one", "two", "three", "four", "five"}},
    {"double over lines",
     "k: \"one  \\\n   two\\n\n  \\nthree \\\n\n  \\  four\n\n   five\"\n",
     {"one", "two", "three", "four", "five"}},
    {"double, feed before a fold", "k: \"one\\n\n\n\n   \\ntwo\"\n", {"one", "two"}},
    {"literal", "k: |\n  one two\n\n    three\n  four\n", {"one", "two", "three", "four"}},
    {"literal with a header", "k: |2-  # note\n\n    one\n   two\n\n\n  three\n\n", {"one", "two", "three"}},
    {"literal, blank lines longer than its indentation", "k: |\n  one\n     \n  two\n", {"one", "two"}},
    {"folded",
     "k: >\n  one two\n  three\n\n  four\n    five\n    six\n",
     {"one", "two", "three", "four", "five", "six"}},
    {"folded, indented first", "k: >1-\n   one\n   two\n\n three\n four\n", {"one", "two", "three", "four"}},
    {"folded with blanks", "k: >-\n\n\n  one\n     \n  two\n\n\n  three\n", {"one", "two", "three"}},
    {"carriage returns", "k: |\r\n  one\r\n  two\r\nz: 1\r\n", {"one", "two"}},
    {"carriage returns folded", "k: 'one\r\n  two\r\n\r\n  three'\r\n", {"one", "two", "three"}},
    {"nested", "a:\n  - k:\n    - x\n", {NULL}},
};

static const struct conf_node *scalar_of(struct str text, struct source *source, struct arena *arena,
                                         struct diags *diags)
{
    *source = (struct source){STR("p.yaml"), text};
    struct conf_doc *docs = NULL;
    size_t count = 0;
    cr_assert_eq(conf_parse(source, arena, diags, &docs, &count), PDP_ERR_OK);
    return conf_get(docs[0].root, "k");
}

Test(conf_locate, finds_each_word_in_the_source)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct source source;
        AUTO(arena_fini) struct arena arena;
        AUTO(diags_fini) struct diags diags;
        arena_init(&arena, 0, 0);
        diags_init(&diags, 10);
        const struct conf_node *node = scalar_of(str_of(CASES[i].source), &source, &arena, &diags);
        for (size_t m = 0; m < 6 && CASES[i].marks[m] != NULL; m++) {
            struct str mark = str_of(CASES[i].marks[m]);
            size_t at = str_find(node->text, mark, 0);
            size_t want = str_find(source.text, mark, 2);
            cr_assert(at != SIZE_MAX && want != SIZE_MAX, "%s: %s", CASES[i].name, CASES[i].marks[m]);
            struct place got = conf_place(node, (uint32_t)at, (uint32_t)mark.len);
            cr_expect(got.at == want && got.len == mark.len, "%s: `%s` at %u+%u, not %zu", CASES[i].name,
                      CASES[i].marks[m], got.at, got.len, want);
            struct place point = conf_locate((void *)(uintptr_t)node, (uint32_t)at, 0);
            cr_expect(point.at == want && point.len == 0, "%s: point of `%s` at %u+%u", CASES[i].name,
                      CASES[i].marks[m], point.at, point.len);
        }
    }
}

Test(conf_locate, stays_inside_the_scalar)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct source source;
        AUTO(arena_fini) struct arena arena;
        AUTO(diags_fini) struct diags diags;
        arena_init(&arena, 0, 0);
        diags_init(&diags, 10);
        const struct conf_node *node = scalar_of(str_of(CASES[i].source), &source, &arena, &diags);
        if (node == NULL) {
            continue;
        }
        uint32_t before = 0;
        for (uint32_t at = 0; at <= node->text.len + 3; at++) {
            struct place got = conf_place(node, at, UINT32_MAX);
            cr_expect(got.at >= node->place.at && got.at + got.len <= node->place.at + node->place.len,
                      "%s: %u gives %u+%u", CASES[i].name, at, got.at, got.len);
            cr_expect(got.at >= before, "%s: %u goes back", CASES[i].name, at);
            before = got.at;
        }
    }
}

Test(conf_locate, an_escape_is_one_place)
{
    struct source source;
    AUTO(arena_fini) struct arena arena;
    AUTO(diags_fini) struct diags diags;
    arena_init(&arena, 0, 0);
    diags_init(&diags, 10);
    const struct conf_node *node = scalar_of(STR("k: \"\\u00e4b\"\n"), &source, &arena, &diags);
    struct place place = conf_place(node, 0, 2);
    cr_expect(place.at == 4 && place.len == 6, "%u+%u", place.at, place.len);
    place = conf_place(node, 1, 1); // the second byte of the letter
    cr_expect(place.at == 4 && place.len == 6, "%u+%u", place.at, place.len);
    place = conf_place(node, 2, 1);
    cr_expect(place.at == 10 && place.len == 1, "%u+%u", place.at, place.len);
}

Test(conf_locate, takes_what_is_no_scalar)
{
    cr_expect_null(conf_place(NULL, 0, 1).src);
    struct conf_node list = {.kind = CONF_LIST, .place = {NULL, 3, 4}};
    cr_expect_eq(conf_place(&list, 9, 1).at, 3);
}

// Long scalars of each style, whose words are escaped, folded and doubled again and again.
static const struct {
    const char *name, *head, *again, *tail;
} LONG[] = {
    {"plain", "k: one", " two  three\n   four\n\n   f\303\244ve", "\n"},
    {"single", "k: '", "it''s one        ''two''\n\n  three", "'\n"},
    {"double", "k: \"", "a\\\"one\\\" \\u00e4\\n two \\x41  \\\n   three\n four", "\"\n"},
    {"literal", "k: |\n", "  one two\n\n    three\n  four\n", ""},
    {"folded", "k: >\n", "  one two\n  three\n\n    four\n  five\n", ""},
};

static const struct conf_node *long_scalar(size_t which, struct buf *text, struct source *source,
                                           struct arena *arena, struct diags *diags)
{
    enum {
        TIMES = 60
    };
    buf_str(text, str_of(LONG[which].head));
    for (int i = 0; i < TIMES; i++) {
        buf_str(text, str_of(LONG[which].again));
    }
    buf_str(text, str_of(LONG[which].tail));
    return scalar_of(buf_view(text), source, arena, diags);
}

Test(conf_places, are_those_that_each_would_be_alone)
{
    static const uint32_t LENS[] = {0, 1, 7, 100, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(LONG); i++) {
        struct source source;
        AUTO(buf_fini) struct buf text = {0};
        AUTO(arena_fini) struct arena arena;
        AUTO(diags_fini) struct diags diags;
        AUTO(conf_places_free) struct conf_places *places = NULL;
        arena_init(&arena, 0, 0);
        diags_init(&diags, 10);
        const struct conf_node *node = long_scalar(i, &text, &source, &arena, &diags);
        cr_assert_eq(conf_places_new(node, &places), PDP_ERR_OK);
        for (uint32_t k = 0; k < node->text.len + 3; k++) {
            uint32_t at = k * 577 % (uint32_t)(node->text.len + 3); // back and forth
            uint32_t len = LENS[k % COUNT_OF(LENS)];
            struct place want = conf_place(node, at, len), got = conf_places_at(places, at, len);
            cr_assert(got.at == want.at && got.len == want.len, "%s: %u+%u is %u+%u, not %u+%u", LONG[i].name,
                      at, len, got.at, got.len, want.at, want.len);
        }
    }
}

// Parts of an expression, each within the whole: however many are asked for, the text is walked once.
Test(conf_places, walk_the_scalar_once)
{
    for (size_t i = 0; i < COUNT_OF(LONG); i++) {
        struct source source;
        AUTO(buf_fini) struct buf text = {0};
        AUTO(arena_fini) struct arena arena;
        AUTO(diags_fini) struct diags diags;
        AUTO(conf_places_free) struct conf_places *places = NULL;
        arena_init(&arena, 0, 0);
        diags_init(&diags, 10);
        const struct conf_node *node = long_scalar(i, &text, &source, &arena, &diags);
        cr_assert_eq(conf_places_new(node, &places), PDP_ERR_OK);
        uint64_t asked = 0;
        for (uint32_t at = 0; at < node->text.len; at += 5, asked++) {
            (void)conf_places_at(places, at, (uint32_t)node->text.len - at);
        }
        uint64_t most = node->text.len + asked * 80;
        cr_expect(conf_places_steps(places) <= most, "%s: %llu steps for %llu places of %zu bytes",
                  LONG[i].name, (unsigned long long)conf_places_steps(places), (unsigned long long)asked,
                  node->text.len);
    }
}

Test(conf_places, takes_what_is_no_scalar)
{
    AUTO(conf_places_free) struct conf_places *places = NULL;
    const struct conf_node list = {.kind = CONF_LIST, .place = {NULL, 3, 4}};
    cr_assert_eq(conf_places_new(&list, &places), PDP_ERR_OK);
    cr_expect_eq(conf_places_at(places, 9, 1).at, 3);
}
