// SPDX-License-Identifier: Apache-2.0
// Texts drawn from patterns: most match, some do not, and whatever a pattern looks like, drawing ends.
#include "cel/regex.h"
#include "cli/change/solve.h"

#include <criterion/criterion.h>

#define DRAWS 600

// Among the draws there has to be each of the texts.
static const struct {
    const char *pattern, *texts[3];
} CASES[] = {
    {"^a[0-9]+$", {"a9", "a0", "a"}},
    {"^(?:get|put)-[a-f]{2,3}$", {"get-aa", "put-fff", "put-f"}},
    {"^[^0-9]$", {"/", ":", "0"}},
    {"^\\d{2}\\.\\w?$", {"00.", "99.", "9."}},
    {"^(?i)root$", {"root", "Root", NULL}},
    {"^(?P<name>a|b)(c|)$", {"a", "bc", NULL}},
    {"^[[:alpha:]_-]$", {"a", "-", "_"}},
    {"^\\x41\\x{e9}\\t$", {"A\303\251\t", NULL, NULL}},
    {"^[\\]\\-x]\\[$", {"][", "-[", "x["}},
    {"^\303\244{1,2}$", {"\303\244", "\303\244\303\244", "\303\244\303\244\303\244"}},
    {"^[a-c&&]$", {"&", "a", NULL}},
    {"a|b|", {"a", "b", ""}},
    {"^.*$", {"", NULL, NULL}},
};

static uint32_t draw_all(const char *pattern, const char *const *texts, bool *seen, uint32_t *matched)
{
    struct luck luck = {1};
    struct arena arena;
    struct regex *regex = NULL;
    struct regex_scratch *scratch = NULL;
    char why[REGEX_WHY_MAX];
    size_t at = 0;
    uint32_t invalid = 0;
    arena_init(&arena, 0, 0);
    cr_assert_eq(regex_new(str_of(pattern), &regex, why, &at), PDP_ERR_OK, "%s: %s", pattern, why);
    cr_assert_eq(regex_scratch_new(100000, &scratch), PDP_ERR_OK);
    for (uint32_t i = 0; i < DRAWS; i++) {
        struct str text = solve_text(&arena, &luck, str_of(pattern));
        invalid += !str_is_utf8(text);
        *matched += regex_find(regex, scratch, text) == 1;
        for (size_t k = 0; k < 3; k++) {
            seen[k] = seen[k] || (texts[k] != NULL && str_eq(text, str_of(texts[k])));
        }
    }
    regex_scratch_free(&scratch);
    regex_free(&regex);
    arena_fini(&arena);
    return invalid;
}

Test(change_text, draws_match_and_reach_the_ends)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        bool seen[3] = {false};
        uint32_t matched = 0;
        cr_expect_eq(draw_all(CASES[i].pattern, CASES[i].texts, seen, &matched), 0, "%s", CASES[i].pattern);
        cr_expect(matched > DRAWS / 3, "%s: %u match", CASES[i].pattern, matched);
        for (size_t k = 0; k < 3; k++) {
            cr_expect(seen[k] || CASES[i].texts[k] == NULL, "%s: `%s` was not drawn", CASES[i].pattern,
                      CASES[i].texts[k]);
        }
    }
}

Test(change_text, whatever_the_pattern_drawing_ends)
{
    static const char *const PARTS[] = {"[",       "]",    "(",    ")",   "{",  "}",    "|", "*",  "+",
                                        "?",       "\\",   "^",    "$",   "a",  "-",    ":", "[:", ":]",
                                        "{9999,}", "\\x{", "\\p{", "(?:", "(?", "\302", "9"};
    struct luck luck = {7};
    for (uint32_t i = 0; i < 20000; i++) {
        struct arena arena;
        struct buf pattern = {0};
        arena_init(&arena, 0, 0);
        for (uint32_t parts = luck_below(&luck, 12); parts > 0; parts--) {
            buf_str(&pattern, str_of(PARTS[luck_below(&luck, COUNT_OF(PARTS))]));
        }
        struct str text = solve_text(&arena, &luck, buf_view(&pattern));
        cr_expect(text.len < 20000, STR_FMT, STR_ARG(buf_view(&pattern)));
        buf_fini(&pattern);
        arena_fini(&arena);
    }
}
