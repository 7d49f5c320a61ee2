// SPDX-License-Identifier: Apache-2.0
// Patterns with their gates against PCRE2 alone: random ones, on texts made of the same letters.
// PDP_DIFF_CASES (a pattern on a text is a case) and PDP_DIFF_SEED change the run.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "cel/regex.h"
#include "diff/diff.h"
#include "diff/world.h"

#include <pcre2.h>

enum {
    TEXTS = 40
};

static const char *const ATOMS[] = {"a",   "b",       "ab",     "ba",          "aa",     "bab",      "/",
                                    "\\.", "ä",       "\\n",    ".",           ".",      "[ab]",     "[^a]",
                                    "\\d", "\\w",     "\\b",    "(a|b)",       "(?:ab)", "(b)",      "\\x61",
                                    "\\/", "1",       "\\s",    "[[:alpha:]]", "(a|)",   "\\Qa.\\E", "]",
                                    "}",   "\\x{e4}", "(?i:A)", "([)]|a)",     "\\B",    "^",        "$"};
static const char *const REPEATS[] = {"",  "",   "",   "",    "",      "",     "*",  "+",
                                      "?", "*?", "+?", "{2}", "{0,1}", "{1,}", "{0}"};
static const char *const LETTERS[] = {"a", "b", "ab", "ba", "/", ".", "ä", "\n", "1", "A", " ", "]", "}", ""};

static struct {
    uint64_t cases, patterns, matches, told, differences;
} total;

static void make_pattern(struct chance *c, struct buf *out)
{
    uint32_t atoms = chance_below(c, 6);
    buf_clear(out);
    buf_str(out, chance_below(c, 3) == 0 ? STR("^") : chance_below(c, 20) == 0 ? STR("(?s)") : STR(""));
    for (uint32_t i = 0; i < atoms; i++) {
        buf_str(out, str_of(ATOMS[chance_below(c, COUNT_OF(ATOMS))]));
        buf_str(out, str_of(REPEATS[chance_below(c, COUNT_OF(REPEATS))]));
        buf_str(out, chance_below(c, 30) == 0 ? STR("|") : STR(""));
    }
    buf_str(out, chance_below(c, 4) == 0 ? STR(".*") : STR(""));
    buf_str(out, chance_below(c, 3) == 0 ? STR("$") : STR(""));
}

static pcre2_code *compile(struct str translated)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *made =
        pcre2_compile((PCRE2_SPTR)(translated.at != NULL ? translated.at : ""), translated.len,
                      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NO_AUTO_CAPTURE, &code, &at, context);
    pcre2_compile_context_free(context);
    return made;
}

static void compare(const struct regex *regex, struct regex_scratch *scratch, const pcre2_code *code,
                    pcre2_match_data *data, struct str pattern, struct str text)
{
    int wanted =
        pcre2_match(code, (PCRE2_SPTR)(text.at != NULL ? text.at : ""), text.len, 0, 0, data, NULL) >= 0;
    int got = regex_find(regex, scratch, text);
    total.cases++;
    total.matches += (uint64_t)wanted;
    total.told += regex_gate_of(regex)->form != REGEX_FORM_ANY;
    if (got != wanted) {
        printf("`" STR_FMT "` on `" STR_FMT "`: %d, not %d\n", STR_ARG(pattern), STR_ARG(text), got, wanted);
        total.differences++;
    }
}

static void try_pattern(struct chance *c, struct regex_scratch *scratch, pcre2_match_data *data,
                        struct buf *pattern, struct buf *text)
{
    char why[REGEX_WHY_MAX];
    size_t at = 0;
    AUTO(regex_free) struct regex *regex = NULL;
    AUTO(buf_fini) struct buf translated = {0};
    const char *refusal = NULL;
    make_pattern(c, pattern);
    if (regex_new(buf_view(pattern), &regex, why, &at) != PDP_ERR_OK ||
        regex_vet(buf_view(pattern), &translated, &refusal, &at) != PDP_ERR_OK) {
        return;
    }
    pcre2_code *code = compile(buf_view(&translated));
    if (code == NULL) {
        printf("`" STR_FMT "` does not compile\n", STR_ARG(buf_view(pattern)));
        total.differences++;
        return;
    }
    total.patterns++;
    for (int i = 0; i < TEXTS; i++) {
        buf_clear(text);
        for (uint32_t n = chance_below(c, 7); n > 0; n--) {
            buf_str(text, str_of(LETTERS[chance_below(c, COUNT_OF(LETTERS))]));
        }
        compare(regex, scratch, code, data, buf_view(pattern), buf_view(text));
    }
    pcre2_code_free(code);
}

int main(void)
{
    uint64_t seeds[2], cases = diff_cases(2000000);
    (void)diff_seeds(seeds);
    struct chance chance = {.state = seeds[0]};
    AUTO(regex_scratch_free) struct regex_scratch *scratch = NULL;
    AUTO(buf_fini) struct buf pattern = {0}, text = {0};
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (data == NULL || regex_scratch_new(10000, &scratch) != PDP_ERR_OK) {
        return 1;
    }
    while (total.cases < cases && total.differences < 10) {
        try_pattern(&chance, scratch, data, &pattern, &text);
    }
    pcre2_match_data_free(data);
    printf("%" PRIu64 " cases of %" PRIu64 " patterns, %" PRIu64 " matches, %" PRIu64
           " without PCRE2, %" PRIu64 " differences\n",
           total.cases, total.patterns, total.matches, total.told, total.differences);
    bool lively = total.matches * 10 > total.cases && total.told * 20 > total.cases;
    return total.differences == 0 && lively ? 0 : 1;
}
