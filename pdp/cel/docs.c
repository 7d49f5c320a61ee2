// SPDX-License-Identifier: Apache-2.0
#include "cel/docs.h"

static const char *const HELP[F_COUNT] = {
    [F_SIZE] = "characters of text, bytes, elements of a list, or entries of a map",
    [F_SIZE_OF] = "characters of text, bytes, elements of a list, or entries of a map",
    [F_DYN] = "the same value, of which the checker asks no type",
    [F_TYPE] = "the type of a value, to compare with `int`, `string` and so on",
    [F_BOOL] = "text `true` or `false` to a truth",
    [F_INT] = "to a whole number: a double loses its fraction, a timestamp becomes seconds since 1970",
    [F_UINT] = "to a whole number without a sign; a negative one is an error",
    [F_DOUBLE] = "to a floating-point number",
    [F_STRING] = "to text",
    [F_BYTES] = "the UTF-8 bytes of text",
    [F_TIMESTAMP] = "a time from RFC 3339 text, or from seconds since 1970",
    [F_DURATION] = "a span of time from text such as `1h30m`, `90s` or `250ms`",
    [F_CONTAINS] = "does the text hold the other one somewhere?",
    [F_STARTS] = "does the text begin with the other one?",
    [F_ENDS] = "does the text end with the other one?",
    [F_MATCHES_OF] = "is the pattern (RE2) found anywhere in the text? `^` and `$` tie it to the ends",
    [F_MATCHES] = "is the pattern (RE2) found anywhere in the text? `^` and `$` tie it to the ends",
    [F_CHAR_AT] = "the character at a place, counted from 0; empty at the end",
    [F_INDEX_OF] = "where the other text is first found, from a place on; -1: nowhere",
    [F_LAST_INDEX_OF] = "where the other text is last found, up to a place; -1: nowhere",
    [F_LOWER] = "letters A to Z made small",
    [F_UPPER] = "letters a to z made large",
    [F_REPLACE] = "the first text replaced by the second, everywhere or at most so often",
    [F_SPLIT] = "the parts between a separator, at most so many",
    [F_SUBSTRING] = "from a place on, up to another one",
    [F_TRIM] = "without white space at both ends",
    [F_REVERSE] = "the characters in reverse",
    [F_JOIN] = "the texts of a list as one, with a separator between them",
    [F_QUOTE] = "the text in quotes, with escapes",
    [F_FORMAT] = "`%s`, `%d`, `%.2f` and the like replaced by the elements of a list",
    [F_B64_ENCODE] = "bytes to base64",
    [F_B64_DECODE] = "base64 to bytes",
    [F_YEAR] = "the year, in a zone such as `Europe/Berlin`, or UTC",
    [F_MONTH] = "the month, 0 to 11, in a zone or UTC",
    [F_DATE] = "the day of the month, 1 to 31, in a zone or UTC",
    [F_DAY_OF_MONTH] = "the day of the month, 0 to 30, in a zone or UTC",
    [F_DAY_OF_WEEK] = "the day of the week, Sunday is 0, in a zone or UTC",
    [F_DAY_OF_YEAR] = "the day of the year, 0 to 365, in a zone or UTC",
    [F_HOURS] = "the hour, 0 to 23, in a zone or UTC; of a duration all its hours",
    [F_MINUTES] = "the minute, 0 to 59, in a zone or UTC; of a duration all its minutes",
    [F_SECONDS] = "the second, 0 to 59, in a zone or UTC; of a duration all its seconds",
    [F_MILLIS] = "the milliseconds of the second, in a zone or UTC; of a duration those of its last second",
    [F_WITHIN] =
        "is the time in these hours, such as `Mon-Fri 07:00-19:00`, of a zone or UTC? Tells how long the "
        "answer holds",
    [F_LEVEL] = "a risk level by its name, to compare with `risk.level`; levels have an order",
    [F_STRENGTH] = "a strength of the Strengths document by its name, in its order",
    [F_IP] = "an address from text; one that is written in two ways is refused",
    [F_CIDR] = "a network from text such as `10.0.0.0/8`",
    [F_IS_IP] = "can the text be read as an address?",
    [F_IS_CIDR] = "can the text be read as a network?",
    [F_IP_CANONICAL] = "is the address written as it is printed?",
    [F_FAMILY] = "4 or 6",
    [F_UNSPECIFIED] = "is it `0.0.0.0` or `::`?",
    [F_LOOPBACK] = "is it an address of the machine itself?",
    [F_GLOBAL_UNICAST] = "is it an address of one host, and not of its link alone?",
    [F_LINK_MULTICAST] = "is it a multicast address of the link?",
    [F_LINK_UNICAST] = "is it an address of the link alone?",
    [F_CONTAINS_IP] = "does the network hold the address?",
    [F_CONTAINS_CIDR] = "does the network hold the other one?",
    [F_CIDR_IP] = "the address that the network was written with",
    [F_MASKED] = "the network with all bits behind its prefix cleared",
    [F_PREFIX_LENGTH] = "how many bits its prefix has",
    [F_MATH_MAX] = "the greatest of several numbers, or of a list; NaN among them is an error",
    [F_MATH_MIN] = "the least of several numbers, or of a list; NaN among them is an error",
    [F_MATH_CEIL] = "rounded up to a whole number",
    [F_MATH_FLOOR] = "rounded down to a whole number",
    [F_MATH_ROUND] = "rounded to the nearest whole number, halves away from zero",
    [F_MATH_TRUNC] = "without its fraction",
    [F_MATH_SQRT] = "the square root; of a negative number NaN",
    [F_MATH_ABS] = "without its sign",
    [F_MATH_SIGN] = "-1, 0 or 1",
    [F_MATH_NAN] = "is it not a number?",
    [F_MATH_INF] = "is it infinite?",
    [F_MATH_FINITE] = "is it neither infinite nor NaN?",
    [F_BIT_AND] = "bits that are set in both",
    [F_BIT_OR] = "bits that are set in either",
    [F_BIT_XOR] = "bits that are set in one of them",
    [F_BIT_NOT] = "all bits turned over",
    [F_BIT_LEFT] = "bits moved to the left",
    [F_BIT_RIGHT] = "bits moved to the right, zeros moving in",
    [F_OPT_NONE] = "an optional that holds nothing",
    [F_OPT_OF] = "an optional that holds the value",
    [F_OPT_NON_ZERO] = "an optional that holds the value, unless that is empty, 0 or false",
    [F_OPT_VALUE] = "what the optional holds; nothing in it is an error",
    [F_OPT_HAS] = "does the optional hold something?",
    [F_OPT_OR] = "this optional if it holds something, else the other one",
    [F_OPT_OR_VALUE] = "what the optional holds, else the value",
};

static const struct docs_macro MACROS[] = {
    {"has", false, "has(subject.email)",
     "is the attribute there? False where it is missing, unsure where it has another type"},
    {"all", true, "list.all(x, condition)",
     "does the condition hold for every element, or every key of a map?"},
    {"exists", true, "list.exists(x, condition)", "does it hold for at least one of them?"},
    {"exists_one", true, "list.exists_one(x, condition)", "does it hold for exactly one of them?"},
    {"existsOne", true, "list.existsOne(x, condition)", "does it hold for exactly one of them?"},
    {"filter", true, "list.filter(x, condition)", "the elements for which it holds"},
    {"map", true, "list.map(x, expression)", "a list of what the expression makes of each element"},
    {"transformList", true, "map.transformList(k, v, expression)", "a list of what is made of each entry"},
    {"transformMap", true, "map.transformMap(k, v, expression)", "a map with the same keys and new values"},
    {"transformMapEntry", true, "map.transformMapEntry(k, v, {key: value})",
     "a map of the entries that are made"},
    {"optMap", true, "optional.optMap(x, expression)", "what is made of the value, if there is one"},
    {"optFlatMap", true, "optional.optFlatMap(x, optional)",
     "the optional that is made of the value, if there is one"},
    {"cel.bind", false, "cel.bind(name, value, expression)", "the expression, with a name for a value in it"},
};

const char *docs_func(enum func_id id)
{
    return id < F_COUNT && HELP[id] != NULL ? HELP[id] : "";
}

const struct docs_macro *docs_macros(size_t *count)
{
    *count = COUNT_OF(MACROS);
    return MACROS;
}

// ---- Signatures ------------------------------------------------------------------------------------------

static const struct {
    char letter;
    const char *word;
    unsigned inner; // types that follow
} TYPES[] = {
    {'b', "bool", 0},     {'i', "int", 0},      {'u', "uint", 0},
    {'d', "double", 0},   {'s', "string", 0},   {'y', "bytes", 0},
    {'n', "null", 0},     {'*', "dyn", 0},      {'t', "timestamp", 0},
    {'p', "duration", 0}, {'I', "ip", 0},       {'N', "cidr", 0},
    {'E', "level", 0},    {'S', "strength", 0}, {'Z', "list document", 0},
    {'L', "list", 1},     {'M', "map", 2},      {'O', "optional", 1},
    {'Y', "type", 1},
};

// One type; returns what follows it. Tables are ours: they are well-formed.
static const char *put_type(const char *at, struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (TYPES[i].letter != *at) {
            continue;
        }
        buf_str(out, str_of(TYPES[i].word));
        at++;
        for (unsigned n = 0; n < TYPES[i].inner; n++) {
            buf_str(out, n == 0 ? STR("<") : STR(", "));
            at = put_type(at, out);
        }
        buf_str(out, TYPES[i].inner > 0 ? STR(">") : STR(""));
        return at;
    }
    buf_byte(out, (unsigned char)*at); // a parameter: A, B, C
    return at + 1;
}

static const char *overload_at(enum func_id id, size_t overload)
{
    const char *at = id < F_COUNT ? FUNCS[id].sigs : "";
    for (; overload > 0 && *at != '\0'; overload--) {
        while (*at != '\0' && *at != ' ') {
            at++;
        }
        at += *at == ' ';
    }
    return at;
}

size_t docs_overloads(enum func_id id)
{
    size_t count = 0;
    while (*overload_at(id, count) != '\0') {
        count++;
    }
    return count;
}

void docs_overload(enum func_id id, size_t overload, struct buf *out)
{
    const char *at = overload_at(id, overload);
    if (*at == '\0') {
        return;
    }
    if (FUNCS[id].member) {
        at = put_type(at, out);
        buf_byte(out, '.');
    }
    buf_printf(out, "%s(", FUNCS[id].name);
    for (bool first = true; *at != ':' && *at != '\0'; first = false) {
        buf_str(out, first ? STR("") : STR(", "));
        at = put_type(at, out);
    }
    buf_str(out, STR("): "));
    if (*at == ':') {
        (void)put_type(at + 1, out);
    }
}

bool docs_takes(enum func_id id, char letter)
{
    for (size_t i = 0; *overload_at(id, i) != '\0'; i++) {
        char first = *overload_at(id, i);
        if (first == letter || first == 'A' || first == '*' || letter == '*') {
            return true;
        }
    }
    return false;
}

// ---- The page
// ----------------------------------------------------------------------------------------------

static void print_func(enum func_id id, struct buf *out)
{
    buf_str(out, STR("| "));
    for (size_t i = 0; i < docs_overloads(id); i++) {
        buf_str(out, i > 0 ? STR("<br>`") : STR("`"));
        docs_overload(id, i, out);
        buf_byte(out, '`');
    }
    buf_printf(out, " | %s |\n", docs_func(id));
}

void docs_print(struct buf *out)
{
    buf_str(out, STR("| Macro | Does |\n|---|---|\n"));
    for (size_t i = 0; i < COUNT_OF(MACROS); i++) {
        buf_printf(out, "| `%s` | %s |\n", MACROS[i].usage, MACROS[i].help);
    }
    buf_str(out, STR("\n| Function | Does |\n|---|---|\n"));
    for (enum func_id id = F_SIZE; id < F_COUNT; id++) {
        if (id != F_MATCHES_OF && id != F_SIZE_OF) { // their global twins stand beside them
            print_func(id, out);
        }
    }
}
