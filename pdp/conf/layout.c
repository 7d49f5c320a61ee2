// SPDX-License-Identifier: Apache-2.0
#include "conf/layout.h"

#include "conf/scan.h"

#define STEP 2 // of indentation

struct print {
    struct str text;
    const struct marks *marks;
    const struct layout *layout;
    int32_t *moves; // by how much the lines of each leaf move to the right
    size_t old;     // of the block scalar that came last: how deep it is indented, and how deep it was
    int64_t indent;
    struct buf *out;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void put_blanks(struct print *p, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        buf_byte(p->out, ' ');
    }
}

static uint32_t column_of(const struct print *p, uint32_t at)
{
    return at - marks_line(p->text, at);
}

static int64_t new_column(const struct print *p, uint32_t block)
{
    return block == MARKS_NONE ? 0 : (int64_t)p->marks->blocks[block].depth * STEP;
}

static bool is_block_scalar(const struct conf_node *node)
{
    return node != NULL && (node->style == CONF_LITERAL || node->style == CONF_FOLDED);
}

// ---- Where lines begin --------------------------------------------------------------------------------

// Of the blocks around a mark the one that begins furthest to the right, though not right of `column`.
static uint32_t block_at(const struct print *p, const struct mark *mark, uint32_t column)
{
    uint32_t block = mark != NULL ? mark->block : MARKS_NONE;
    while (block != MARKS_NONE && p->marks->blocks[block].column > column) {
        block = p->marks->blocks[block].parent;
    }
    return block;
}

static const struct mark *visible(const struct print *p, size_t from, bool forward)
{
    const struct mark *list = p->marks->list;
    for (size_t i = from; i < p->marks->count; i += forward ? 1 : (size_t)-1) {
        if (list[i].kind != MARK_COMMENT) {
            return &list[i];
        }
    }
    return NULL;
}

// A comment on a line of its own keeps to the block whose lines begin where it does, or before.
static int64_t comment_column(const struct print *p, size_t i)
{
    uint32_t column = column_of(p, p->marks->list[i].at);
    uint32_t after = block_at(p, visible(p, i + 1, true), column);
    uint32_t before = block_at(p, i > 0 ? visible(p, i - 1, false) : NULL, column);
    if (before == MARKS_NONE || after == MARKS_NONE) {
        return new_column(p, after == MARKS_NONE ? before : after);
    }
    bool deeper = p->marks->blocks[before].column > p->marks->blocks[after].column;
    return new_column(p, deeper ? before : after);
}

static int64_t moved(const struct print *p, uint32_t leaf, int64_t column, int64_t least)
{
    column += p->moves[leaf];
    return column > least ? column : least;
}

static int64_t line_column(struct print *p, size_t i)
{
    const struct mark *mark = &p->marks->list[i];
    const struct marks_leaf *leaf = mark->leaf != MARKS_NONE ? &p->marks->leaves[mark->leaf] : NULL;
    if (leaf != NULL && leaf->at < mark->at) {
        return moved(p, mark->leaf, column_of(p, mark->at), new_column(p, leaf->block));
    }
    if (mark->kind == MARK_COMMENT) {
        return comment_column(p, i);
    }
    if (leaf == NULL) {
        return new_column(p, mark->block);
    }
    if (leaf->block == MARKS_NONE) { // `...` further left would end the document
        return column_of(p, mark->at);
    }
    int64_t column = new_column(p, leaf->block) + (leaf->key ? 0 : STEP);
    p->moves[mark->leaf] = (int32_t)(column - column_of(p, mark->at));
    return column;
}

// ---- Scalars of several lines -------------------------------------------------------------------------

// The next line of *rest without its end; false: there is none.
static bool next_line(struct str *rest, struct str *line)
{
    size_t feed = str_find_byte(*rest, '\n', 0);
    bool more = rest->at != NULL;
    *line = str_sub(*rest, 0, feed);
    *rest = feed < rest->len ? str_sub(*rest, feed + 1, SIZE_MAX) : (struct str){NULL, 0};
    if (line->len > 0 && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    return more;
}

static size_t leading(struct str line)
{
    size_t count = 0;
    while (count < line.len && line.at[count] == ' ') {
        count++;
    }
    return count;
}

static struct str trimmed(struct str line)
{
    while (line.len > 0 && is_blank(line.at[line.len - 1])) {
        line.len--;
    }
    return line;
}

static void put_flow_scalar(struct print *p, const struct mark *mark, struct str raw)
{
    struct str line;
    bool plain = mark->node->style == CONF_PLAIN;
    int64_t least = new_column(p, p->marks->leaves[mark->leaf].block) + STEP;
    for (bool first = true; next_line(&raw, &line); first = false) {
        size_t blanks = first ? 0 : leading(line);
        if (!first) {
            buf_byte(p->out, '\n');
        }
        if (plain || trimmed(line).len == 0) {
            line = trimmed(line);
        }
        if (!first && line.len > 0) {
            put_blanks(p, moved(p, mark->leaf, (int64_t)blanks, least));
        }
        buf_str(p->out, str_sub(line, blanks < line.len ? blanks : line.len, SIZE_MAX));
    }
}

// How deep the lines of a block scalar are indented: by its header, or by the first that shows something.
static size_t body_indent(struct str header, struct str body, uint32_t column, bool *said)
{
    *said = false;
    for (size_t i = 1; i < header.len && i < 3; i++) {
        if (header.at[i] >= '1' && header.at[i] <= '9') {
            *said = true;
            return column + (size_t)(header.at[i] - '0');
        }
    }
    struct str line;
    while (next_line(&body, &line)) {
        if (leading(line) < line.len) {
            return leading(line);
        }
    }
    return SIZE_MAX; // blanks are no text then
}

// Blanks beyond the indentation are text.
static void put_body_line(struct print *p, struct str line)
{
    if (leading(line) < line.len || line.len > p->old) {
        put_blanks(p, p->indent);
        buf_str(p->out, str_sub(line, p->old < line.len ? p->old : line.len, SIZE_MAX));
    }
}

static void put_block_scalar(struct print *p, const struct mark *mark, struct str raw)
{
    struct str header, line;
    uint32_t block = p->marks->leaves[mark->leaf].block;
    uint32_t column = block != MARKS_NONE ? p->marks->blocks[block].column : 0;
    bool said = false;
    (void)next_line(&raw, &header);
    p->old = body_indent(header, raw, column, &said);
    p->indent = block == MARKS_NONE ? (int64_t)p->old
                : said              ? (int64_t)p->old - column + new_column(p, block)
                                    : new_column(p, block) + STEP;
    buf_str(p->out, trimmed(header));
    while (next_line(&raw, &line)) {
        buf_byte(p->out, '\n');
        put_body_line(p, line);
    }
}

static void put_scalar(struct print *p, const struct mark *mark)
{
    AUTO(buf_fini) struct buf other = {0};
    struct str raw = str_sub(p->text, mark->at, mark->end - mark->at);
    if (p->layout->scalar != NULL && p->layout->scalar(p->layout->user, mark->node, raw, &other)) {
        p->out->failed = p->out->failed || other.failed;
        raw = buf_view(&other);
    }
    (is_block_scalar(mark->node) ? put_block_scalar : put_flow_scalar)(p, mark, raw);
}

// ---- Between marks ------------------------------------------------------------------------------------

// Bytes of a line from its first visible one.
static int64_t visible_len(struct str text)
{
    size_t from = text.len;
    while (from > 0 && text.at[from - 1] != '\n') {
        from--;
    }
    while (from < text.len && text.at[from] == ' ') {
        from++;
    }
    return (int64_t)(text.len - from);
}

// Where several blanks stand before a comment it is aligned with others: its line may have grown.
static int64_t comment_gap(const struct print *p, uint32_t from, uint32_t to)
{
    int64_t gap = (int64_t)to - from;
    int64_t grown = visible_len(buf_view(p->out)) - visible_len(str_sub(p->text, 0, from));
    if (gap < 2) {
        return 1;
    }
    return gap - grown > 2 ? gap - grown : 2;
}

static int64_t line_gap(const struct print *p, const struct mark *before, const struct mark *mark)
{
    enum mark_kind was = before->kind, is = mark->kind;
    int64_t old = (int64_t)mark->at - before->end;
    if (is == MARK_COMMENT) {
        return comment_gap(p, before->end, mark->at);
    }
    if (was == MARK_DASH || was == MARK_DOCUMENT) {
        return 1;
    }
    if (is == MARK_CLOSE || is == MARK_COMMA) { // behind a colon stands a value that is empty
        return was == MARK_COLON ? 1 : 0;
    }
    if (was == MARK_OPEN || (is == MARK_COLON && was == MARK_SCALAR)) {
        return 0;
    }
    return was == MARK_COMMA || was == MARK_COLON ? 1 : old;
}

static size_t breaks_in(struct str gap)
{
    size_t count = 0;
    for (size_t i = 0; i < gap.len; i++) {
        count += gap.at[i] == '\n';
    }
    return count;
}

// Are the empty lines behind a block scalar a part of its text?
static bool keeps(const struct print *p, const struct mark *before, struct str gap)
{
    if (before == NULL || !is_block_scalar(before->node)) {
        return false;
    }
    struct str line, header = str_sub(p->text, before->at, 3);
    bool keep = str_find_byte(header, '+', 0) < header.len;
    size_t breaks = breaks_in(gap);
    for (size_t i = 0; i < breaks && next_line(&gap, &line); i++) {
        keep = keep || line.len > (i == 0 ? 0 : p->old); // the first goes on behind its last visible byte
    }
    return keep;
}

// What goes on behind the last visible byte of a block scalar, up to the last line break.
static void put_text_lines(struct print *p, struct str gap)
{
    struct str line;
    size_t breaks = breaks_in(gap);
    for (size_t i = 0; i < breaks && next_line(&gap, &line); i++) {
        if (i == 0) {
            buf_str(p->out, line);
        } else {
            put_body_line(p, line);
        }
        buf_byte(p->out, '\n');
    }
}

// Line breaks between two marks, at most two; or all that is there where it is text.
static void put_breaks(struct print *p, const struct mark *before, struct str gap)
{
    size_t breaks = breaks_in(gap);
    if (keeps(p, before, gap)) {
        put_text_lines(p, gap);
        return;
    }
    for (size_t i = 0; i < breaks && i < 2; i++) {
        buf_byte(p->out, '\n');
    }
}

static void put_end(struct print *p, const struct mark *last)
{
    struct str gap = str_sub(p->text, last->end, SIZE_MAX);
    size_t tail = gap.len;
    while (tail > 0 && gap.at[tail - 1] != '\n') {
        tail--;
    }
    bool block = is_block_scalar(last->node);
    if (block && tail == 0) { // a line feed would be text, as these blanks are
        buf_str(p->out, gap);
    } else if (block && gap.len - tail > p->old) { // a line of blanks that are text, without an end
        put_text_lines(p, gap);
        put_body_line(p, str_sub(gap, tail, SIZE_MAX));
    } else if (keeps(p, last, gap)) {
        put_text_lines(p, gap);
    } else {
        buf_byte(p->out, '\n');
    }
}

static void put_mark(struct print *p, size_t i)
{
    const struct mark *mark = &p->marks->list[i];
    const struct mark *before = i > 0 ? mark - 1 : NULL;
    uint32_t from = before != NULL ? before->end : scan_bom(p->text);
    struct str gap = str_sub(p->text, from, mark->at - from);
    if (before == NULL || breaks_in(gap) > 0) {
        if (before != NULL) {
            put_breaks(p, before, gap);
        }
        put_blanks(p, line_column(p, i));
    } else {
        put_blanks(p, line_gap(p, before, mark));
        uint32_t block = mark->leaf != MARKS_NONE ? p->marks->leaves[mark->leaf].block : MARKS_NONE;
        if (block != MARKS_NONE && p->marks->leaves[mark->leaf].at == mark->at) {
            p->moves[mark->leaf] = (int32_t)(new_column(p, block) - p->marks->blocks[block].column);
        }
    }
    if (mark->kind == MARK_SCALAR) {
        put_scalar(p, mark);
    } else {
        buf_str(p->out, str_sub(p->text, mark->at, mark->end - mark->at));
    }
}

enum pdp_err layout_print(const struct source *source, const struct marks *marks, const struct layout *layout,
                          struct arena *arena, struct buf *out)
{
    for (size_t i = 0; i < marks->count; i++) {
        if (marks->list[i].kind == MARK_OTHER) {
            return PDP_ERR_UNSUPPORTED;
        }
    }
    struct print p = {.text = source->text,
                      .marks = marks,
                      .layout = layout,
                      .moves = ARENA_ARRAY(arena, int32_t, marks->leaf_count + 1),
                      .out = out};
    if (p.moves == NULL) {
        return PDP_ERR_NOMEM;
    }
    buf_str(out, str_sub(source->text, 0, scan_bom(source->text)));
    for (size_t i = 0; i < marks->count; i++) {
        put_mark(&p, i);
    }
    if (marks->count > 0) {
        put_end(&p, &marks->list[marks->count - 1]);
    }
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}
