// SPDX-License-Identifier: Apache-2.0
#include "risk/labels.h"

#include "model/fault.h"
#include "wire/wire.h"

#include <stdlib.h>

#define CELLS_MOST 64
#define NO_CELL CELLS_MOST

struct reading {
    const struct source *source;
    struct arena *arena;
    struct diags *diags;
    struct arena scratch; // of one line
    struct label *list;
    size_t count, cap, mistakes;
    uint32_t number; // of the line
    struct str line;
    enum pdp_err first;
    size_t line_cell, id_cell, label_cell; // of a CSV
};

// What one line says, before it is checked. A text that is not there has no address.
struct said {
    struct str line, id, label;
    bool line_bad, id_bad; // there, and of another kind
};

static struct place place_of(const struct reading *r, struct str part)
{
    return (struct place){r->source, (uint32_t)(part.at - r->source->text.at), (uint32_t)part.len};
}

static void note(struct reading *r, enum pdp_err err)
{
    r->first = r->first == PDP_ERR_OK ? err : r->first;
    r->mistakes++;
}

static void refuse(struct reading *r, const char *what)
{
    note(r, diag_error(r->diags, PDP_ERR_SYNTAX, place_of(r, r->line), "%s", what));
}

// ---- One label ---------------------------------------------------------------------------------

static const struct {
    const char *word;
    bool attack;
} TRUTHS[] = {{"0", false},   {"1", true},   {"false", false}, {"true", true},
              {"0.0", false}, {"1.0", true}, {"False", false}, {"True", true}};

static bool read_truth(struct str word, bool *attack)
{
    for (size_t i = 0; i < COUNT_OF(TRUTHS); i++) {
        if (str_eq(word, str_of(TRUTHS[i].word))) {
            *attack = TRUTHS[i].attack;
            return true;
        }
    }
    return false;
}

static void refuse_truth(struct reading *r, struct str word)
{
    if (word.at == NULL) {
        note(r, diag_error(r->diags, PDP_ERR_MISSING, place_of(r, r->line), "`label` is missing"));
    } else {
        note(r, diag_error(r->diags, PDP_ERR_TYPE, place_of(r, r->line), "%s is no label",
                           fault_quote(word).text));
    }
    diag_hint(r->diags, "1 or true is an attack, 0 or false is none");
}

static bool grow(struct reading *r)
{
    if (r->count < r->cap) {
        return true;
    }
    size_t cap = r->cap > 0 ? r->cap * 2 : 1024;
    struct label *list = realloc(r->list, cap * sizeof *list);
    if (list == NULL) {
        note(r, PDP_ERR_NOMEM);
        return false;
    }
    r->list = list;
    r->cap = cap;
    return true;
}

static void add(struct reading *r, struct label label)
{
    if (r->count == LABELS_MOST) {
        note(r,
             diag_error(r->diags, PDP_ERR_LIMIT, place_of(r, r->line), "more than %d labels", LABELS_MOST));
        r->mistakes = LABELS_MISTAKES_MOST;
    } else if (grow(r)) {
        r->list[r->count++] = label;
    }
}

static void take(struct reading *r, const struct said *said)
{
    struct label label = {.at = r->number};
    int64_t line = 0;
    bool by_line = said->line.at != NULL || said->line_bad;
    bool copied = true;
    if (!read_truth(said->label, &label.attack)) {
        refuse_truth(r, said->label);
    } else if (by_line && (said->line_bad || !str_to_i64(said->line, &line) || line < 1)) {
        refuse(r, "`line` is no number of a line: the first line of the recording is 1");
    } else if (by_line) {
        label.line = (uint64_t)line;
        add(r, label);
    } else if (said->id_bad || (said->id.at != NULL && said->id.len == 0)) {
        refuse(r, "`request_id` is no text, or an empty one");
    } else if (said->id.at == NULL) {
        refuse(r, "neither `line` nor `request_id` says what is labelled");
    } else {
        label.id = arena_str(r->arena, said->id, &copied);
        if (copied) {
            add(r, label);
        } else {
            note(r, PDP_ERR_NOMEM);
        }
    }
}

// ---- JSON lines --------------------------------------------------------------------------------

// A number or a truth as the words that a CSV has for it; a text as it is. Others: no text.
static struct str word_of(struct reading *r, const struct value *value)
{
    if (value->kind == VALUE_STRING) {
        return value_text(value);
    }
    if (value->kind == VALUE_BOOL) {
        return value->as.b ? STR("true") : STR("false");
    }
    if (value->kind == VALUE_INT) {
        return arena_printf(&r->scratch, "%lld", (long long)value->as.i);
    }
    if (value->kind == VALUE_DOUBLE && (value->as.d == 0 || value->as.d == 1)) {
        return value->as.d == 0 ? STR("0") : STR("1");
    }
    return STR("?");
}

static const struct value *given(const struct value *root, const char *key)
{
    const struct value *value = value_get(root, str_of(key));
    return value != NULL && value->kind != VALUE_NULL ? value : NULL;
}

static void read_json_line(struct reading *r)
{
    struct value root = {0};
    struct fault why = {{0}, {0}};
    arena_reset(&r->scratch);
    enum pdp_err err = wire_decode(WIRE_JSON, r->line, &r->scratch, &root, &why);
    if (err != PDP_ERR_OK || root.kind != VALUE_MAP) {
        struct str what = err == PDP_ERR_OK ? STR("another value") : str_of(why.what);
        size_t where = str_find(what, STR(" (line "), 0); // the place is told already
        what = str_sub(what, 0, where);
        note(r, diag_error(r->diags, PDP_ERR_SYNTAX, place_of(r, r->line), "no JSON object: " STR_FMT,
                           STR_ARG(what)));
        return;
    }
    const struct value *line = given(&root, "line"), *id = given(&root, "request_id");
    const struct value *label = given(&root, "label");
    struct said said = {.line_bad = line != NULL && line->kind != VALUE_INT,
                        .id_bad = id != NULL && id->kind != VALUE_STRING};
    if (line != NULL && !said.line_bad) {
        said.line = word_of(r, line);
    }
    if (id != NULL && !said.id_bad) {
        said.id = word_of(r, id);
    }
    if (label != NULL) {
        said.label = word_of(r, label);
    }
    take(r, &said);
}

// ---- CSV ---------------------------------------------------------------------------------------

// A cell in quotes, in which two stand for one. false where they are not closed.
static bool unquote(struct reading *r, size_t *at, struct str *cell)
{
    char *text = arena_alloc(&r->scratch, r->line.len + 1, 1);
    size_t len = 0;
    for (size_t i = *at + 1; text != NULL && i < r->line.len; i++) {
        if (r->line.at[i] == '"' && (i + 1 >= r->line.len || r->line.at[i + 1] != '"')) {
            *cell = (struct str){text, len};
            *at = i + 1;
            return *at >= r->line.len || r->line.at[*at] == ',';
        }
        i += r->line.at[i] == '"';
        text[len++] = r->line.at[i];
    }
    return false;
}

// Takes the line apart; false, which is said, where it cannot be.
static bool split(struct reading *r, struct str cells[static CELLS_MOST], size_t *count)
{
    *count = 0;
    arena_reset(&r->scratch);
    for (size_t at = 0; at <= r->line.len && *count < CELLS_MOST; at++) {
        struct str *cell = &cells[*count];
        if (at < r->line.len && r->line.at[at] == '"') {
            if (!unquote(r, &at, cell)) {
                refuse(r, "a quote does not close its cell");
                return false;
            }
        } else {
            size_t end = str_find_byte(r->line, ',', at);
            *cell = str_trim(str_sub(r->line, at, end - at));
            at = end;
        }
        *count += 1;
    }
    return true;
}

static void read_header(struct reading *r)
{
    struct str cells[CELLS_MOST];
    size_t count = 0;
    r->line_cell = r->id_cell = r->label_cell = NO_CELL;
    if (!split(r, cells, &count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        r->line_cell = str_eq(cells[i], STR("line")) ? i : r->line_cell;
        r->id_cell = str_eq(cells[i], STR("request_id")) ? i : r->id_cell;
        r->label_cell = str_eq(cells[i], STR("label")) ? i : r->label_cell;
    }
    if (r->label_cell == NO_CELL || (r->line_cell == NO_CELL && r->id_cell == NO_CELL)) {
        refuse(r, "no header of labels");
        diag_hint(r->diags,
                  "`line,label` or `request_id,label`; or JSON lines such as {\"line\": 7, \"label\": 1}");
        r->mistakes = LABELS_MISTAKES_MOST; // nothing of the rest can be read
    }
}

static struct str cell_of(const struct str cells[static CELLS_MOST], size_t count, size_t place)
{
    return place < count && cells[place].len > 0 ? cells[place] : (struct str){0};
}

static void read_row(struct reading *r)
{
    struct str cells[CELLS_MOST];
    size_t count = 0;
    if (split(r, cells, &count)) {
        const struct said said = {.line = cell_of(cells, count, r->line_cell),
                                  .id = cell_of(cells, count, r->id_cell),
                                  .label = cell_of(cells, count, r->label_cell)};
        take(r, &said);
    }
}

// ---- The whole file ----------------------------------------------------------------------------

static void read_lines(struct reading *r, struct str text)
{
    void (*read)(struct reading *) = NULL;
    size_t at = str_starts(text, STR("\xEF\xBB\xBF")) ? 3 : 0;
    while (at < text.len && r->mistakes < LABELS_MISTAKES_MOST) {
        size_t end = str_find_byte(text, '\n', at);
        r->line = str_trim(str_sub(text, at, end - at));
        r->number++;
        at = end + 1;
        if (r->line.len == 0) {
            continue;
        }
        if (read == NULL) {
            read = r->line.at[0] == '{' ? read_json_line : read_header;
        }
        read(r);
        read = read == read_header ? read_row : read;
    }
    if (r->count == 0 && r->mistakes == 0) {
        note(r, diag_error(r->diags, PDP_ERR_MISSING, (struct place){r->source, 0, 0}, "no labels"));
        diag_hint(r->diags,
                  "JSON lines such as {\"line\": 7, \"label\": 1}, or a CSV that begins with `line,label`");
    }
}

static int ascending(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    int by = (x->line > y->line) - (x->line < y->line);
    by = by == 0 && x->line == 0 ? str_cmp(x->id, y->id) : by;
    return by != 0 ? by : (x->at > y->at) - (x->at < y->at);
}

// Start of a line of the file by its number; only for mistakes.
static struct str line_at(const struct source *source, uint32_t number)
{
    size_t at = 0;
    for (uint32_t i = 1; i < number; i++) {
        at = str_find_byte(source->text, '\n', at) + 1;
    }
    return str_trim(str_sub(source->text, at, str_find_byte(source->text, '\n', at) - at));
}

static void find_twice(struct reading *r)
{
    for (size_t i = 1; i < r->count && r->mistakes < LABELS_MISTAKES_MOST; i++) {
        const struct label *was = &r->list[i - 1], *is = &r->list[i];
        if (was->line == is->line && (is->line != 0 || str_eq(was->id, is->id))) {
            struct place place = place_of(r, line_at(r->source, is->at));
            note(r, diag_error(r->diags, PDP_ERR_DUPLICATE, place, "labelled already, on line %u", was->at));
        }
    }
}

static void give(struct reading *r, struct labels *out)
{
    struct label *list = ARENA_ARRAY(r->arena, struct label, r->count);
    if (list == NULL) {
        note(r, PDP_ERR_NOMEM);
        return;
    }
    memcpy(list, r->list, r->count * sizeof *list);
    size_t ids = 0;
    while (ids < r->count && list[ids].line == 0) {
        ids++;
    }
    *out = (struct labels){list + ids, list, r->count - ids, ids};
}

enum pdp_err labels_read(const struct source *source, struct arena *arena, struct diags *diags,
                         struct labels *out)
{
    *out = (struct labels){0};
    struct reading r = {.source = source, .arena = arena, .diags = diags};
    if (source->text.len >= UINT32_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, (struct place){0}, "labels take 4 GiB or more");
    }
    arena_init(&r.scratch, 0, 0);
    read_lines(&r, source->text);
    if (r.count > 0) {
        qsort(r.list, r.count, sizeof *r.list, ascending);
        find_twice(&r);
    }
    if (r.mistakes == 0) {
        give(&r, out);
    }
    arena_fini(&r.scratch);
    free(r.list);
    return r.first;
}

const struct label *labels_of_line(const struct labels *labels, uint64_t line)
{
    size_t low = 0, high = labels->line_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = labels->by_line[middle].line < line;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low < labels->line_count && labels->by_line[low].line == line ? &labels->by_line[low] : NULL;
}

const struct label *labels_of_id(const struct labels *labels, struct str id)
{
    size_t low = 0, high = labels->id_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = str_cmp(labels->by_id[middle].id, id) < 0;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low < labels->id_count && str_eq(labels->by_id[low].id, id) ? &labels->by_id[low] : NULL;
}
