// SPDX-License-Identifier: Apache-2.0
#include "conf/explain.h"

enum pdp_err explain_tab(struct diags *diags, struct place tab)
{
    enum pdp_err err = diag_error(diags, PDP_ERR_SYNTAX, tab, "a tab in front of a line");
    diag_hint(diags, "indent with spaces");
    return err;
}

enum pdp_err explain_anchor(struct diags *diags, struct place place, struct str name)
{
    enum pdp_err err = diag_error(diags, PDP_ERR_UNSUPPORTED, place,
                                  "anchors (`&" STR_FMT "`) are not supported", STR_ARG(name));
    diag_hint(diags, "text that starts with `&` must be in quotes");
    return err;
}

enum pdp_err explain_alias(struct diags *diags, struct place place, struct str name)
{
    enum pdp_err err = diag_error(diags, PDP_ERR_UNSUPPORTED, place,
                                  "aliases (`*" STR_FMT "`) are not supported", STR_ARG(name));
    diag_hint(diags, "write the value out, or put text that starts with `*` in quotes");
    return err;
}

// The tag as it stands in the text: from its `!` to a blank.
static struct place tag_place(struct place node)
{
    struct str text = node.src->text;
    size_t at = node.at;
    while (at < text.len && text.at[at] != '!' && text.at[at] != '\n') {
        at++;
    }
    if (at >= text.len || text.at[at] != '!') {
        return node;
    }
    size_t end = at;
    while (end < text.len && (unsigned char)text.at[end] > ' ') {
        end++;
    }
    return (struct place){node.src, (uint32_t)at, (uint32_t)(end - at)};
}

enum pdp_err explain_tag(struct diags *diags, struct place node)
{
    enum pdp_err err =
        diag_error(diags, PDP_ERR_UNSUPPORTED, tag_place(node), "tags (`!…`) are not supported");
    diag_hint(diags, "text that starts with `!` must be in quotes");
    return err;
}

enum pdp_err explain_merge(struct diags *diags, struct place key)
{
    enum pdp_err err = diag_error(diags, PDP_ERR_UNSUPPORTED, key, "merge keys (`<<`) are not supported");
    diag_hint(diags, "write the keys out");
    return err;
}

enum pdp_err explain_duplicate(struct diags *diags, const struct conf_node *key, struct place first)
{
    AUTO(buf_fini) struct buf name = {0};
    buf_escaped(&name, str_sub(key->text, 0, 80));
    bool kept = diags->count < diags->most; // a line's number costs a walk through the file
    enum pdp_err err = diag_error(diags, PDP_ERR_DUPLICATE, key->place,
                                  "the key `" STR_FMT "` is given twice", STR_ARG(buf_view(&name)));
    if (kept) {
        uint32_t line = 0;
        uint32_t col = 0;
        place_line_col(first, &line, &col);
        diag_hint(diags, "it was given first on line %u", line);
    }
    return err;
}

// ---- Syntax -------------------------------------------------------------------------------------------

// By the character that stands where libyaml stopped, or where what it was reading began.
static const struct {
    char sign;
    const char *message, *hint;
} BY_SIGN[] = {
    {'!', "tags (`!…`) are not supported", "text that starts with `!` must be in quotes"},
    {'&', "anchors (`&…`) are not supported", "text that starts with `&` must be in quotes"},
    {'*', "aliases (`*…`) are not supported", "text that starts with `*` must be in quotes"},
    {'@', "text cannot start with `@`", "put it in quotes"},
    {'`', "text cannot start with a backquote", "put it in quotes"},
    {'%', "text cannot start with `%`", "put it in quotes"},
};

// By libyaml's words. `since`: the place is where the thing began, not where it was missed.
static const struct {
    const char *problem, *message, *hint;
    bool since;
} BY_PROBLEM[] = {
    {"mapping values are not allowed in this context", "`:` is not expected here",
     "text that holds `: ` must be in quotes; a key is indented like those beside it", false},
    {"did not find expected key", "a key was expected here",
     "check the indentation, and put text that starts with a quote and goes on after it in quotes as a whole",
     false},
    {"could not find expected ':'", "a key without `:`", "check the indentation", true},
    {"found unexpected end of stream", "this quote is not closed", NULL, true},
    {"found unexpected document indicator", "this quote is not closed", NULL, true},
    {"did not find expected ',' or ']'", "`,` or `]` was expected here", NULL, false},
    {"did not find expected ',' or '}'", "`,` or `}` was expected here", NULL, false},
    {"did not find expected '-' indicator", "`-` was expected here", "the items of a list are indented alike",
     false},
    {"block sequence entries are not allowed in this context", "`-` is not expected here",
     "a list begins on the line after its key", false},
    {"did not find expected <document start>", "`---` was expected here", NULL, false},
    {"found unknown escape character", "unknown escape in double quotes",
     "single quotes know no escapes; in double quotes write `\\\\` for a backslash", false},
    {"did not find expected hexdecimal number", "an escape without its hexadecimal digits", NULL, false},
    {"found invalid Unicode character escape code", "an escape that is no character", NULL, false},
    {"did not find expected comment or line break", "nothing may follow `|` or `>` on its line", NULL, false},
    {"did not find expected node content", "a value was expected here", NULL, false},
    {"found an indentation indicator equal to 0", "an indentation of 0 is not allowed", NULL, false},
};

static char sign_at(struct place place)
{
    return place.src != NULL && place.at < place.src->text.len ? place.src->text.at[place.at] : '\0';
}

static enum pdp_err say(struct diags *diags, struct place place, const char *message, const char *hint)
{
    enum pdp_err err = diag_error(diags, PDP_ERR_SYNTAX, place, "%s", message);
    if (hint != NULL) {
        diag_hint(diags, "%s", hint);
    }
    return err;
}

// Does the line on which a quote of several lines ended go on with what cannot follow?
static bool ends_at(struct place quote, struct place at)
{
    uint32_t end = quote.at + quote.len;
    return quote.src != NULL && at.at >= end && str_find_byte(at.src->text, '\n', end) >= at.at;
}

// A quote that was forgotten takes in all up to where the next one is meant to begin.
static enum pdp_err explain_quote(struct diags *diags, struct place quote)
{
    uint32_t line = 0, column = 0;
    place_line_col((struct place){quote.src, quote.at + quote.len - 1, 1}, &line, &column);
    enum pdp_err err = diag_error(diags, PDP_ERR_SYNTAX, (struct place){quote.src, quote.at, 1},
                                  "this quote is closed on line %u, where more follows", line);
    diag_hint(diags, "close it where its text ends; in single quotes `'` is written as `''`");
    return err;
}

// `id:a` on the line before is text that goes on, where a key was meant. The `:` of it; src NULL: none.
static struct place tight_colon(struct place at)
{
    struct str text = at.src != NULL ? at.src->text : (struct str){"", 0};
    size_t end = at.at < text.len ? at.at : 0;
    while (end > 0 && text.at[end - 1] != '\n') {
        end--;
    }
    size_t from = end > 0 ? end - 1 : 0;
    while (from > 0 && text.at[from - 1] != '\n') {
        from--;
    }
    while (from < end && (text.at[from] == ' ' || text.at[from] == '-')) {
        from++;
    }
    size_t colon = from;
    while (colon < end && ((text.at[colon] | 0x20) >= 'a' && (text.at[colon] | 0x20) <= 'z')) {
        colon++;
    }
    bool tight = colon > from && colon + 1 < end && text.at[colon] == ':' &&
                 (unsigned char)text.at[colon + 1] > ' ' && text.at[colon + 1] != '/' &&
                 text.at[colon + 1] != ':';
    return tight ? (struct place){at.src, (uint32_t)colon, 1} : (struct place){0};
}

// A `{` or `[` that was opened on a line before.
static void hint_open(struct diags *diags, struct place open, struct place at)
{
    uint32_t line = 0, here = 0, column = 0;
    place_line_col(open, &line, &column);
    place_line_col(at, &here, &column);
    char sign = sign_at(open);
    if (line < here && (sign == '{' || sign == '[')) {
        diag_hint(diags, "the `%c` on line %u is not closed", sign, line);
    }
}

enum pdp_err explain_syntax(struct diags *diags, const struct explain_problem *problem)
{
    if (ends_at(problem->quote, problem->at)) {
        return explain_quote(diags, problem->quote);
    }
    bool node = str_find(problem->doing, STR("tag"), 0) != SIZE_MAX ||
                str_find(problem->doing, STR("anchor"), 0) != SIZE_MAX ||
                str_find(problem->doing, STR("alias"), 0) != SIZE_MAX;
    bool token = str_eq(problem->text, STR("found character that cannot start any token"));
    struct place place = node ? problem->since : problem->at;
    for (size_t i = 0; (node || token) && i < COUNT_OF(BY_SIGN); i++) {
        if (BY_SIGN[i].sign == sign_at(place)) {
            return say(diags, place, BY_SIGN[i].message, BY_SIGN[i].hint);
        }
    }
    struct place colon = tight_colon(problem->at);
    if (colon.src != NULL && str_eq(problem->text, STR("mapping values are not allowed in this context"))) {
        return say(diags, colon, "a blank is missing behind `:`", NULL);
    }
    for (size_t i = 0; i < COUNT_OF(BY_PROBLEM); i++) {
        if (str_eq(problem->text, str_of(BY_PROBLEM[i].problem))) {
            place = BY_PROBLEM[i].since ? problem->since : problem->at;
            enum pdp_err err = say(diags, place, BY_PROBLEM[i].message, BY_PROBLEM[i].hint);
            hint_open(diags, problem->since, problem->at);
            return err;
        }
    }
    return diag_error(diags, PDP_ERR_SYNTAX, problem->at, "not valid YAML: " STR_FMT, STR_ARG(problem->text));
}
