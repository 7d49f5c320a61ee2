// SPDX-License-Identifier: Apache-2.0
#include "cel/foreign.h"

// ---- Tokens --------------------------------------------------------------------------------------------

// The word or sign that ends before byte `at`.
static struct str word_before(struct str text, size_t at)
{
    while (at > 0 && text.at[at - 1] == ' ') {
        at--;
    }
    size_t from = at;
    while (from > 0 && text.at[from - 1] >= 'a' && text.at[from - 1] <= 'z') {
        from--;
    }
    from -= from == at && at > 0; // a sign
    return str_sub(text, from, at - from);
}

static const struct {
    const char *here, *before, *after, *hint; // after: what follows without a blank; NULL: anything
} TOKENS[] = {
    {"and", NULL, NULL, "write `&&` for and"},
    {"or", NULL, NULL, "write `||` for or"},
    {"not", NULL, NULL, "write `!(… in …)` for not in"},
    {NULL, "not", NULL, "write `!` for not"},
    {">", "<", NULL, "write `!=` for not equal"},
    {NULL, "permit", NULL, "a rule says `effect: allow`, and its condition stands alone"},
    {NULL, "forbid", NULL, "a rule says `effect: deny`, and its condition stands alone"},
    {NULL, "some", NULL, "write `list.exists(x, …)` for some"},
    {NULL, "every", NULL, "write `list.all(x, …)` for every"},
    {"like", NULL, NULL, "write startsWith(…), endsWith(…) or matches(…) for like"},
    {"has", NULL, NULL, "whether it is there is asked by has(…), such as has(subject.email)"},
    {"unless", NULL, NULL, "write `&& !(…)` for unless"},
    {"if", NULL, NULL, "write `&&` for if"},
    {"is", NULL, NULL, "what it is says its type: `subject.type == \"…\"`, `resource.type == \"…\"`"},
    {":", NULL, ":", "an entity is asked by its id: `\"…\" in subject.roles`, `resource.id == \"…\"`"},
    {":", NULL, "=", "a value is given a name in `variables`, and read as `vars.NAME`"},
};

void foreign_token(struct unit *unit, uint32_t at, uint32_t len)
{
    struct str text = unit->text->text;
    struct str here = str_sub(text, at, len), rest = str_sub(text, at + len, text.len);
    struct str before = word_before(text, at);
    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        if ((TOKENS[i].here == NULL || str_eq(here, str_of(TOKENS[i].here))) &&
            (TOKENS[i].before == NULL || str_eq(before, str_of(TOKENS[i].before))) &&
            (TOKENS[i].after == NULL || str_starts(rest, str_of(TOKENS[i].after)))) {
            unit_hint(unit, "%s", TOKENS[i].hint);
            return;
        }
    }
}

void foreign_word(struct unit *unit, struct str word)
{
    if (str_eq(word, STR("if"))) {
        unit_hint(unit, "write `… ? … : …` for if … then … else");
    }
}

// ---- Numbers and signs ---------------------------------------------------------------------------------

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void foreign_number(struct unit *unit, struct str text)
{
    size_t end = 0;
    while (end < text.len && is_digit(text.at[end])) {
        end++;
    }
    bool unit_of_time = end < text.len && (text.at[end] == 's' || text.at[end] == 'm' || text.at[end] == 'h');
    bool more = end + 1 < text.len && ((text.at[end + 1] | 0x20) >= 'a' || is_digit(text.at[end + 1])) &&
                ((text.at[end + 1] | 0x20) <= 'z' || is_digit(text.at[end + 1]));
    if (end > 0 && end < 10 && unit_of_time && !more) {
        unit_hint(unit, "write `duration(\"" STR_FMT "\")`", STR_ARG(str_sub(text, 0, end + 1)));
    }
}

static const struct {
    const char *sign, *what, *hint;
} SIGNS[] = {
    {"=>", "`=>` means nothing here",
     "a list is asked by `list.exists(x, x == \"a\")`, or all of it by `list.all(x, …)`"},
    {"=", "compare with `==`", NULL},
    {"&", "write `&&` for and, `||` for or", NULL},
    {"|", "write `&&` for and, `||` for or", NULL},
    {"#", "a comment cannot stand here", "write it above the condition, outside of its text"},
    {"“", "a curly quote", "write `\"`"},
    {"”", "a curly quote", "write `\"`"},
    {"‘", "a curly quote", "write `'`"},
    {"’", "a curly quote", "write `'`"},
    {"\xC2\xA0", "a no-break space, U+00A0", "write an ordinary blank"},
    {"\xE2\x80\x8B", "a space of no width, U+200B", "leave it out"},
};

void foreign_sign(struct str rest, const char **what, const char **hint)
{
    *what = NULL;
    *hint = NULL;
    for (size_t i = 0; i < COUNT_OF(SIGNS); i++) {
        if (str_starts(rest, str_of(SIGNS[i].sign))) {
            *what = SIGNS[i].what;
            *hint = SIGNS[i].hint;
            return;
        }
    }
}
