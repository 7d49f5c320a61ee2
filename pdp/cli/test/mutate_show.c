// SPDX-License-Identifier: Apache-2.0
// What became of the mistakes, as text for people.
#include "cli/test/mutate.h"

struct lines {
    struct str text;
    uint32_t number; // of the first
};

static struct str first_line(struct str text)
{
    return str_sub(text, 0, str_find_byte(text, '\n', 0));
}

static struct str last_line(struct str text)
{
    size_t from = text.len;
    while (from > 0 && text.at[from - 1] != '\n') {
        from--;
    }
    return str_sub(text, from, text.len);
}

// Without what Windows leaves at its end.
static struct str bare(struct str line)
{
    return str_sub(line, 0, line.len - (line.len > 0 && line.at[line.len - 1] == '\r' ? 1 : 0));
}

static void drop_first(struct lines *lines)
{
    size_t len = first_line(lines->text).len;
    lines->text = str_sub(lines->text, len + 1, lines->text.len);
    lines->number++;
}

static void drop_last(struct lines *lines)
{
    size_t len = last_line(lines->text).len;
    lines->text.len -= len < lines->text.len ? len + 1 : len;
}

// Lines that are the same on both sides tell nothing.
static void only_changed(struct lines *before, struct lines *after)
{
    while (before->text.len > 0 && str_eq(first_line(before->text), first_line(after->text))) {
        drop_first(before);
        drop_first(after);
    }
    while (before->text.len > 0 && str_eq(last_line(before->text), last_line(after->text))) {
        drop_last(before);
        drop_last(after);
    }
}

static void put_lines(struct buf *out, struct lines lines, char sign)
{
    for (; lines.text.len > 0; drop_first(&lines)) {
        struct str line = first_line(lines.text);
        if (str_trim(line).len > 0) {
            buf_printf(out, "%5u %c ", lines.number, sign);
            buf_escaped(out, bare(line));
            buf_byte(out, '\n');
        }
    }
}

// Of a rule that goes, its first line stands for all of it.
static void put_change(struct buf *out, const struct mutate *mutate, const struct mutant *mutant)
{
    AUTO(buf_fini) struct buf before = {0};
    AUTO(buf_fini) struct buf after = {0};
    struct lines was, is;
    struct mutant shown = *mutant;
    if (mutant->op == MUTANT_RULE) {
        shown.edit_count = 1;
        shown.edits[0] = (struct mutant_edit){.at = mutant->place.at};
    }
    mutant_lines(&mutate->mutants, &shown, false, &before, &was.number);
    mutant_lines(&mutate->mutants, &shown, true, &after, &is.number);
    was.text = buf_view(&before);
    is.text = mutant->op == MUTANT_RULE ? (struct str){0} : buf_view(&after);
    only_changed(&was, &is);
    put_lines(out, was, '-');
    put_lines(out, is, '+');
}

// What to do about it.
static void put_hint(struct buf *out, const struct mutate *mutate, const struct mutant *mutant)
{
    struct mutate_mark mark;
    enum lint_code idle = mutate->idle != NULL ? mutate->idle[mutant - mutate->mutants.list] : LINT_COUNT;
    if (mutate_marked(mutant->place, &mark)) {
        buf_str(out, STR("  hint: `pdp:mutant-ok` accepts it once a reason stands behind it\n"));
    } else if (idle != LINT_COUNT) {
        buf_printf(out,
                   "  hint: no answer depends on this rule: see what `pdpctl lint` says of it (" STR_FMT
                   " " STR_FMT ")\n",
                   STR_ARG(LINT_ROWS[idle].code), STR_ARG(LINT_ROWS[idle].word));
    } else {
        buf_printf(out, "  hint: add %s\n", mutant_op_test(mutant->op));
    }
}

static void put_survivor(struct buf *out, const struct mutate *mutate, const struct mutant *mutant)
{
    uint32_t line = 0, col = 0;
    place_line_col(mutant->place, &line, &col);
    buf_printf(out, STR_FMT ":%u:%u: no test notices that " STR_FMT " (" STR_FMT ")\n",
               STR_ARG(mutant->place.src->name), line, col, STR_ARG(mutant->what), STR_ARG(mutant->owner));
    put_change(out, mutate, mutant);
    put_hint(out, mutate, mutant);
}

static bool is_used(const struct mutate *mutate, size_t file, size_t at)
{
    for (size_t i = 0; i < mutate->mutants.count; i++) {
        struct mutate_mark mark;
        bool survives = mutate->fates[i] == MUTATE_ACCEPTED || mutate->fates[i] == MUTATE_SURVIVED;
        if (survives && mutate->mutants.list[i].file == file &&
            mutate_marked(mutate->mutants.list[i].place, &mark) && mark.at == at) {
            return true;
        }
    }
    return false;
}

// Comments that were right once.
static void put_unused(struct buf *out, const struct mutate *mutate)
{
    for (size_t file = 0; file < mutate->mutants.parsed.count; file++) {
        const struct source *source = &mutate->mutants.parsed.files[file].source;
        struct mutate_mark mark;
        for (size_t from = 0; mutate_next_mark(source->text, from, &mark); from = mark.at + 1) {
            uint32_t line = 0, col = 0;
            place_line_col((struct place){source, (uint32_t)mark.at, 1}, &line, &col);
            if (!is_used(mutate, file, mark.at)) {
                buf_printf(out, STR_FMT ":%u:%u: `pdp:mutant-ok` accepts nothing: take it out\n",
                           STR_ARG(source->name), line, col);
            }
        }
    }
}

static void put_count(struct buf *out, const char *before, size_t count, const char *what)
{
    if (count > 0) {
        buf_printf(out, "%s%zu %s", before, count, what);
    }
}

void mutate_print(const struct mutate *mutate, struct buf *out)
{
    const size_t *counts = mutate->counts;
    size_t tried = counts[MUTATE_NOTICED] + counts[MUTATE_SURVIVED] + counts[MUTATE_ACCEPTED];
    buf_printf(out, "mutants     %zu of %zu noticed", counts[MUTATE_NOTICED], tried);
    put_count(out, ", ", counts[MUTATE_SURVIVED], counts[MUTATE_SURVIVED] == 1 ? "survives" : "survive");
    put_count(out, ", ", counts[MUTATE_ACCEPTED], "accepted");
    put_count(out, "; not counted: ", counts[MUTATE_SAME],
              counts[MUTATE_SAME] == 1 ? "that means the same" : "that mean the same");
    put_count(out, counts[MUTATE_SAME] > 0 ? ", " : "; not counted: ", counts[MUTATE_BROKEN],
              counts[MUTATE_BROKEN] == 1 ? "that does not compile" : "that do not compile");
    buf_byte(out, '\n');
    for (size_t i = 0; i < mutate->mutants.count; i++) {
        if (mutate->fates[i] == MUTATE_SURVIVED) {
            put_survivor(out, mutate, &mutate->mutants.list[i]);
        }
    }
    put_unused(out, mutate);
}
