// SPDX-License-Identifier: Apache-2.0
// Declared shapes: a map's entries into a struct, every mistake with its place.
#include "conf/conf.h"

#include "base/num.h"
#include "base/time.h"

#include <stdio.h>

#define ID_MAX 128
#define NAMES_MAX 64 // of a shape, for hints

struct read {
    const struct conf_field *field;
    const struct conf_node *node; // the value
    unsigned char *out;           // where it goes
    struct arena *arena;
    struct diags *diags;
};

// ---- Words ------------------------------------------------------------------------------------------

static enum pdp_err mistyped(const struct read *r, const char *wanted)
{
    static const char *const KINDS[] = {
        [CONF_NULL] = "nothing", [CONF_SCALAR] = "text", [CONF_LIST] = "a list", [CONF_MAP] = "a mapping"};
    return diag_error(r->diags, PDP_ERR_TYPE, r->node->place, "`%s` must be %s, but is %s", r->field->name,
                      wanted, KINDS[r->node->kind]);
}

static enum pdp_err misfit(const struct read *r, enum pdp_err err, const char *wanted)
{
    AUTO(buf_fini) struct buf text = {0};
    buf_escaped(&text, str_sub(r->node->text, 0, 80));
    return diag_error(r->diags, err, r->node->place, "`%s` must be %s, but is `" STR_FMT "`", r->field->name,
                      wanted, STR_ARG(buf_view(&text)));
}

static bool is_scalar(const struct conf_node *node)
{
    return node->kind == CONF_SCALAR;
}

// ---- One reader a type --------------------------------------------------------------------------------

static enum pdp_err read_text(const struct read *r)
{
    if (!is_scalar(r->node)) {
        return mistyped(r, "text");
    }
    *(struct str *)(void *)r->out = r->node->text;
    return PDP_ERR_OK;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_id(struct str s)
{
    if (s.len == 0 || s.len > ID_MAX || !is_letter(s.at[0])) {
        return false;
    }
    for (size_t i = 1; i < s.len; i++) {
        char c = s.at[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.') {
            return false;
        }
    }
    return true;
}

static enum pdp_err read_id(const struct read *r)
{
    if (!is_scalar(r->node)) {
        return mistyped(r, "a name");
    }
    if (!is_id(r->node->text)) {
        enum pdp_err err = misfit(r, PDP_ERR_SYNTAX, "a name");
        diag_hint(r->diags,
                  "a name starts with a letter and holds letters, digits, `-`, `_` and `.`, at most %d",
                  ID_MAX);
        return err;
    }
    *(struct str *)(void *)r->out = r->node->text;
    return PDP_ERR_OK;
}

static enum pdp_err read_bool(const struct read *r)
{
    if (!is_scalar(r->node)) {
        return mistyped(r, "true or false");
    }
    bool yes = str_eq(r->node->text, STR("true"));
    if (r->node->quoted || (!yes && !str_eq(r->node->text, STR("false")))) {
        enum pdp_err err = misfit(r, PDP_ERR_TYPE, "true or false");
        if (r->node->quoted) {
            diag_hint(r->diags, "remove the quotes");
        }
        return err;
    }
    *(bool *)(void *)r->out = yes;
    return PDP_ERR_OK;
}

static bool bounded(const struct conf_field *field)
{
    return field->least != 0 || field->most != 0;
}

static enum pdp_err out_of_bounds(const struct read *r)
{
    char wanted[64];
    if (r->field->most == INT64_MAX) {
        snprintf(wanted, sizeof wanted, "at least %lld", (long long)r->field->least);
    } else {
        snprintf(wanted, sizeof wanted, "from %lld to %lld", (long long)r->field->least,
                 (long long)r->field->most);
    }
    return misfit(r, PDP_ERR_RANGE, wanted);
}

// A number that was given as text.
static enum pdp_err no_number(const struct read *r, const char *wanted)
{
    enum pdp_err err = misfit(r, PDP_ERR_TYPE, wanted);
    if (r->node->quoted) {
        diag_hint(r->diags, "remove the quotes");
    }
    return err;
}

static enum pdp_err read_int(const struct read *r)
{
    int64_t number = 0;
    if (!is_scalar(r->node)) {
        return mistyped(r, "a whole number");
    }
    if (r->node->quoted || !str_to_i64(r->node->text, &number)) {
        return no_number(r, "a whole number");
    }
    if (bounded(r->field) && (number < r->field->least || number > r->field->most)) {
        return out_of_bounds(r);
    }
    *(int64_t *)(void *)r->out = number;
    return PDP_ERR_OK;
}

static enum pdp_err read_number(const struct read *r)
{
    double number = 0;
    if (!is_scalar(r->node)) {
        return mistyped(r, "a number");
    }
    if (r->node->quoted || !str_to_double(r->node->text, &number)) {
        return no_number(r, "a number");
    }
    // Written so that NaN fails.
    if (bounded(r->field) && !(number >= (double)r->field->least && number <= (double)r->field->most)) {
        return out_of_bounds(r);
    }
    *(double *)(void *)r->out = number;
    return PDP_ERR_OK;
}

static const struct {
    struct str name;
    int64_t ms;
} UNITS[] = {
    {{"ms", 2}, 1},
    {{"s", 1}, 1000},
    {{"m", 1}, 60 * 1000},
    {{"h", 1}, 3600 * 1000},
    {{"d", 1}, 86400 * INT64_C(1000)},
};

// One `12h` of a duration; false where it is none, or its unit is no smaller than `before`.
static bool duration_part(struct str s, size_t *at, size_t *before, int64_t *sum)
{
    size_t from = *at;
    size_t end = from;
    while (end < s.len && s.at[end] >= '0' && s.at[end] <= '9') {
        end++;
    }
    int64_t number = 0;
    if (end == from || !str_to_i64(str_sub(s, from, end - from), &number)) {
        return false;
    }
    for (size_t i = 0; i < *before; i++) {
        if (str_starts(str_sub(s, end, SIZE_MAX), UNITS[i].name)) {
            *at = end + UNITS[i].name.len;
            *before = i;
            return num_mul(number, UNITS[i].ms, &number) && num_add(*sum, number, sum);
        }
    }
    return false;
}

bool conf_duration(struct str text, int64_t *ms)
{
    bool minus = text.len > 0 && text.at[0] == '-';
    size_t at = minus;
    size_t before = COUNT_OF(UNITS);
    int64_t sum = 0;
    if (at >= text.len) {
        return false;
    }
    while (at < text.len) {
        if (!duration_part(text, &at, &before, &sum)) {
            return false;
        }
    }
    *ms = minus ? -sum : sum;
    return true;
}

static enum pdp_err read_duration(const struct read *r)
{
    int64_t ms = 0;
    int64_t number = 0;
    if (!is_scalar(r->node)) {
        return mistyped(r, "a duration");
    }
    if (!conf_duration(r->node->text, &ms)) {
        enum pdp_err err = misfit(r, PDP_ERR_SYNTAX, "a duration");
        bool unit = str_to_i64(r->node->text, &number);
        diag_hint(r->diags, unit ? "add a unit: ms, s, m, h or d" : "such as `90s`, `15m`, `1h30m` or `30d`");
        return err;
    }
    if (ms <= 0 && r->field->least >= 0) {
        return misfit(r, PDP_ERR_RANGE, "a duration above zero");
    }
    if (bounded(r->field) && ms < r->field->least) {
        return misfit(r, PDP_ERR_RANGE, "a longer duration");
    }
    if (bounded(r->field) && ms > r->field->most) {
        return misfit(r, PDP_ERR_RANGE, "a shorter duration");
    }
    *(int64_t *)(void *)r->out = ms;
    return PDP_ERR_OK;
}

static enum pdp_err read_time(const struct read *r)
{
    int64_t seconds = 0;
    uint32_t nanos = 0;
    if (!is_scalar(r->node)) {
        return mistyped(r, "a time");
    }
    if (!time_parse(r->node->text, &seconds, &nanos)) {
        enum pdp_err err = misfit(r, PDP_ERR_SYNTAX, "a time");
        diag_hint(r->diags, "such as `2026-11-22T20:33:00Z`");
        return err;
    }
    *(int64_t *)(void *)r->out = seconds * TIME_MS_PER_S + (int64_t)(nanos / 1000000);
    return PDP_ERR_OK;
}

static size_t c_names(const char *const *choices, struct str names[NAMES_MAX])
{
    size_t count = 0;
    while (count < NAMES_MAX && choices[count] != NULL) {
        names[count] = str_of(choices[count]);
        count++;
    }
    return count;
}

// "did you mean `x`?", or all that there are.
static void hint_names(struct diags *diags, struct str given, const struct str *names, size_t count,
                       const char *all)
{
    int near = str_nearest(given, names, count);
    if (near >= 0) {
        diag_hint(diags, "did you mean `" STR_FMT "`?", STR_ARG(names[near]));
        return;
    }
    if (count == 0) {
        return;
    }
    AUTO(buf_fini) struct buf list = {0};
    for (size_t i = 0; i < count; i++) {
        buf_printf(&list, "%s`" STR_FMT "`", i > 0 ? ", " : "", STR_ARG(names[i]));
    }
    diag_hint(diags, "%s" STR_FMT, all, STR_ARG(buf_view(&list)));
}

static enum pdp_err read_choice(const struct read *r)
{
    struct str names[NAMES_MAX];
    size_t count = c_names(r->field->choices, names);
    if (!is_scalar(r->node)) {
        enum pdp_err err = mistyped(r, "one of a few words");
        hint_names(r->diags, r->node->text, names, count, "it is one of ");
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        if (str_eq(r->node->text, names[i])) {
            *(int *)(void *)r->out = (int)i;
            return PDP_ERR_OK;
        }
    }
    AUTO(buf_fini) struct buf text = {0};
    buf_escaped(&text, str_sub(r->node->text, 0, 80));
    enum pdp_err err = diag_error(r->diags, PDP_ERR_UNKNOWN, r->node->place, "`%s` cannot be `" STR_FMT "`",
                                  r->field->name, STR_ARG(buf_view(&text)));
    hint_names(r->diags, r->node->text, names, count, "it is one of ");
    return err;
}

static enum pdp_err read_texts(const struct read *r)
{
    struct conf_texts *texts = (struct conf_texts *)(void *)r->out;
    if (is_scalar(r->node)) {
        const struct conf_node **one = ARENA_NEW(r->arena, const struct conf_node *);
        if (one == NULL) {
            return PDP_ERR_NOMEM;
        }
        *one = r->node;
        *texts = (struct conf_texts){one, 1};
        return PDP_ERR_OK;
    }
    if (r->node->kind != CONF_LIST) {
        return mistyped(r, "a list of text");
    }
    for (size_t i = 0; i < r->node->count; i++) {
        if (!is_scalar(r->node->items[i])) {
            struct read item = *r;
            item.node = r->node->items[i];
            return mistyped(&item, "a list of text");
        }
    }
    *texts = (struct conf_texts){r->node->items, r->node->count};
    return PDP_ERR_OK;
}

static enum pdp_err keep_node(const struct read *r, bool fits, const char *wanted)
{
    if (!fits) {
        return mistyped(r, wanted);
    }
    *(const struct conf_node **)(void *)r->out = r->node;
    return PDP_ERR_OK;
}

static enum pdp_err read_any(const struct read *r)
{
    return keep_node(r, true, "");
}

static enum pdp_err read_mapping(const struct read *r)
{
    return keep_node(r, r->node->kind == CONF_MAP, "a mapping");
}

static enum pdp_err read_sequence(const struct read *r)
{
    return keep_node(r, r->node->kind == CONF_LIST, "a list");
}

static enum pdp_err read_expr(const struct read *r)
{
    return keep_node(r, is_scalar(r->node) && r->node->text.len > 0, "an expression");
}

static enum pdp_err (*const READERS[])(const struct read *) = {
    [CONF_TEXT] = read_text, [CONF_ID] = read_id,           [CONF_BOOL] = read_bool,
    [CONF_INT] = read_int,   [CONF_NUMBER] = read_number,   [CONF_DURATION] = read_duration,
    [CONF_TIME] = read_time, [CONF_CHOICE] = read_choice,   [CONF_TEXTS] = read_texts,
    [CONF_ANY] = read_any,   [CONF_MAPPING] = read_mapping, [CONF_SEQUENCE] = read_sequence,
    [CONF_EXPR] = read_expr,
};

// ---- Maps ---------------------------------------------------------------------------------------------

// What other languages call a key, where the map has ours.
static int foreign_key(struct str given, const struct str *names, size_t count)
{
    static const struct {
        const char *theirs, *ours;
    } FOREIGN[] = {
        {"method", "actions"}, {"methods", "actions"}, {"path", "resources"},    {"paths", "resources"},
        {"condition", "when"}, {"if", "when"},         {"principal", "subject"}, {"user", "subject"},
    };
    for (size_t i = 0; i < COUNT_OF(FOREIGN); i++) {
        for (size_t k = 0; str_eq(given, str_of(FOREIGN[i].theirs)) && k < count; k++) {
            if (str_eq(names[k], str_of(FOREIGN[i].ours))) {
                return (int)k;
            }
        }
    }
    return -1;
}

static enum pdp_err unknown_key(const struct conf_node *key, const struct conf_field *fields, size_t count,
                                const char *what, struct diags *diags)
{
    struct str names[NAMES_MAX];
    size_t known = 0;
    for (; known < count && known < NAMES_MAX; known++) {
        names[known] = str_of(fields[known].name);
    }
    AUTO(buf_fini) struct buf text = {0};
    buf_escaped(&text, str_sub(key->text, 0, 80));
    enum pdp_err err = diag_error(diags, PDP_ERR_UNKNOWN, key->place, "%s has no key `" STR_FMT "`", what,
                                  STR_ARG(buf_view(&text)));
    int foreign = foreign_key(key->text, names, known);
    if (foreign >= 0) {
        diag_hint(diags, "here it is `" STR_FMT "`", STR_ARG(names[foreign]));
    } else {
        hint_names(diags, key->text, names, known, "its keys are ");
    }
    return err;
}

// Where a missing key is missed: the map's first key, a line that its reader knows it by.
static struct place missing_place(const struct conf_node *map)
{
    return map->count > 0 ? map->entries[0].key->place : map->place;
}

static enum pdp_err read_entry(const struct conf_entry *entry, const struct conf_field *fields, size_t count,
                               const char *what, struct read *r)
{
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(entry->key->text, str_of(fields[i].name))) {
            continue;
        }
        r->field = &fields[i];
        r->node = entry->value;
        if (entry->value->kind == CONF_NULL && fields[i].type != CONF_ANY) {
            return diag_error(r->diags, PDP_ERR_MISSING, entry->key->place, "`%s` is empty", fields[i].name);
        }
        r->out += fields[i].offset;
        return READERS[fields[i].type](r);
    }
    return unknown_key(entry->key, fields, count, what, r->diags);
}

// Is this field there under a misspelt name? Then it is one mistake, and was told with its hint.
static bool is_misspelt(const struct conf_node *map, const struct conf_field *fields, size_t count,
                        size_t field)
{
    struct str names[NAMES_MAX];
    size_t known = 0;
    for (; known < count && known < NAMES_MAX; known++) {
        names[known] = str_of(fields[known].name);
    }
    for (size_t i = 0; i < map->count; i++) {
        int near = str_nearest(map->entries[i].key->text, names, known);
        if (near >= 0 && (size_t)near == field) {
            return true;
        }
    }
    return false;
}

static void keep_first(enum pdp_err *first, enum pdp_err err)
{
    *first = *first == PDP_ERR_OK ? err : *first;
}

enum pdp_err conf_read(const struct conf_node *map, const struct conf_field *fields, size_t count,
                       const char *what, void *out, struct arena *arena, struct diags *diags)
{
    if (map == NULL || map->kind != CONF_MAP) {
        return diag_error(diags, PDP_ERR_TYPE, map != NULL ? map->place : (struct place){0},
                          "%s must be a mapping", what);
    }
    enum pdp_err first = PDP_ERR_OK;
    for (size_t i = 0; i < map->count; i++) {
        struct read r = {.out = out, .arena = arena, .diags = diags};
        keep_first(&first, read_entry(&map->entries[i], fields, count, what, &r));
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && conf_get(map, fields[i].name) == NULL &&
            !is_misspelt(map, fields, count, i)) {
            keep_first(&first, diag_error(diags, PDP_ERR_MISSING, missing_place(map), "%s needs `%s`", what,
                                          fields[i].name));
        }
    }
    return first;
}
