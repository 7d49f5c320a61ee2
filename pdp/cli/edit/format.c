// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/format.h"

#include "cel/space.h"
#include "cli/edit/order.h"
#include "cli/edit/shapes.h"
#include "conf/layout.h"
#include "conf/quote.h"

#include <stdlib.h>

// Scalars in the order of the text.
struct scalars {
    const struct conf_node **list; // NULL: they are counted
    size_t count;
};

// One text: its documents and marks, which scalars are expressions, and which keep their quotes.
struct text {
    const struct source *source;
    struct conf_doc *docs;
    size_t doc_count;
    struct marks marks;
    struct scalars exprs, kept;
};

struct format {
    struct arena *arena;
    struct shapes shapes;
    struct text *text;
};

// ---- Reading ------------------------------------------------------------------------------------------

static void add(struct scalars *scalars, const struct conf_node *scalar)
{
    if (scalars->list != NULL) {
        scalars->list[scalars->count] = scalar;
    }
    scalars->count++;
}

static void see_expr(void *user, const struct conf_node *scalar)
{
    add(user, scalar);
}

static bool needs_quotes(const struct conf_node *node)
{
    return node->kind == CONF_SCALAR && node->quoted && !quote_free(node->text);
}

// Where one item of a list needs its quotes, the others keep theirs. Depth is bounded by the parser.
static void see_kept(struct scalars *kept, const struct conf_node *node)
{
    bool some = false;
    for (size_t i = 0; node->kind == CONF_LIST && i < node->count; i++) {
        some = some || needs_quotes(node->items[i]);
    }
    for (size_t i = 0; i < node->count && node->kind == CONF_MAP; i++) {
        see_kept(kept, node->entries[i].value);
    }
    for (size_t i = 0; i < node->count && node->kind == CONF_LIST; i++) {
        if (some && node->items[i]->kind == CONF_SCALAR) {
            add(kept, node->items[i]);
        }
        see_kept(kept, node->items[i]);
    }
}

static void see(const struct format *f, struct text *text)
{
    text->exprs.count = text->kept.count = 0;
    for (size_t i = 0; i < text->doc_count; i++) {
        const struct conf_node *root = text->docs[i].root;
        const struct conf_shape *shape = shapes_of(&f->shapes, root);
        see_kept(&text->kept, root);
        if (shape != NULL) {
            shape_exprs(shape, root, see_expr, &text->exprs);
        }
    }
}

static enum pdp_err read_text(const struct format *f, struct text *text, struct diags *diags)
{
    TRY(conf_parse(text->source, f->arena, diags, &text->docs, &text->doc_count));
    TRY(marks_read(text->source, text->docs, text->doc_count, f->arena, &text->marks));
    see(f, text);
    text->exprs.list = ARENA_ARRAY(f->arena, const struct conf_node *, text->exprs.count + 1);
    text->kept.list = ARENA_ARRAY(f->arena, const struct conf_node *, text->kept.count + 1);
    if (text->exprs.list == NULL || text->kept.list == NULL) {
        return PDP_ERR_NOMEM;
    }
    see(f, text);
    return PDP_ERR_OK;
}

static int by_place(const void *key, const void *item)
{
    uint32_t at = ((const struct conf_node *)key)->place.at;
    uint32_t other = (*(const struct conf_node *const *)item)->place.at;
    return (at > other) - (at < other);
}

static bool holds(const struct scalars *scalars, const struct conf_node *scalar)
{
    return scalars->count > 0 &&
           bsearch(scalar, scalars->list, scalars->count, sizeof(*scalars->list), by_place) != NULL;
}

static bool is_expr(const struct text *text, const struct conf_node *scalar)
{
    return holds(&text->exprs, scalar);
}

// ---- One scalar ---------------------------------------------------------------------------------------

// Is an escape of the raw text one that quote_put can do without?
static bool is_plainly_escaped(struct str raw)
{
    for (size_t at = str_find_byte(raw, '\\', 0); at + 1 < raw.len; at = str_find_byte(raw, '\\', at + 2)) {
        if (raw.at[at + 1] != '"' && raw.at[at + 1] != '\\') {
            return false;
        }
    }
    return true;
}

static bool put_quoted(const struct format *f, const struct conf_node *scalar, struct str raw,
                       struct buf *out)
{
    bool escaped = scalar->style == CONF_DOUBLE && !is_plainly_escaped(raw);
    if (escaped || !quote_simple(scalar->text)) {
        return false;
    }
    AUTO(buf_fini) struct buf spaced = {0};
    struct str text = scalar->text;
    bool expr = is_expr(f->text, scalar);
    bool right = expr && space_print(scalar->text, false, f->arena, &spaced);
    if (right) {
        text = buf_view(&spaced);
    }
    if ((right || !expr) && quote_free(text) && !holds(&f->text->kept, scalar)) {
        buf_str(out, text);
    } else {
        (expr && scalar->style == CONF_SINGLE ? quote_expr : quote_put)(text, out);
    }
    out->failed = out->failed || spaced.failed;
    return true;
}

// The header of a block scalar stays, and the first line's indentation with it.
static bool put_body(const struct format *f, const struct conf_node *scalar, struct str raw, struct buf *out)
{
    bool block = scalar->style != CONF_PLAIN;
    size_t head = block ? str_find_byte(raw, '\n', 0) : 0;
    AUTO(buf_fini) struct buf body = {0};
    if (!is_expr(f->text, scalar) || !space_print(str_sub(raw, head, SIZE_MAX), !block, f->arena, &body)) {
        return false;
    }
    buf_str(out, str_sub(raw, 0, head));
    buf_str(out, buf_view(&body));
    out->failed = out->failed || body.failed;
    return true;
}

// A choice (`a ? b : c`) on one line gets the quotes that its blanks need.
static bool put_choice(const struct format *f, const struct conf_node *scalar, struct str raw,
                       struct buf *out)
{
    AUTO(buf_fini) struct buf plain = {0}, whole = {0};
    if (scalar->style != CONF_PLAIN || !is_expr(f->text, scalar) || str_find_byte(raw, '\n', 0) < raw.len ||
        !space_print(raw, true, f->arena, &plain) || !space_print(raw, false, f->arena, &whole) ||
        str_eq(buf_view(&plain), buf_view(&whole)) || !quote_simple(buf_view(&whole))) {
        return false;
    }
    quote_put(buf_view(&whole), out);
    return true;
}

static bool put_scalar(void *user, const struct conf_node *scalar, struct str raw, struct buf *out)
{
    const struct format *f = user;
    bool quoted = scalar->style == CONF_SINGLE || scalar->style == CONF_DOUBLE;
    if (!quoted) {
        return put_choice(f, scalar, raw, out) || put_body(f, scalar, raw, out);
    }
    return str_find_byte(raw, '\n', 0) == raw.len && put_quoted(f, scalar, raw, out);
}

// ---- Comparing ----------------------------------------------------------------------------------------

// Without quotes it must still be text to everybody. What a condition is with quotes it was without.
static bool same_scalar(const struct format *f, const struct text *was, const struct conf_node *a,
                        const struct conf_node *b)
{
    if (a->quoted != b->quoted && !quote_free(b->text) && !(b->quoted && is_expr(was, a))) {
        return false;
    }
    return str_eq(a->text, b->text) || (is_expr(was, a) && space_same(a->text, b->text, f->arena));
}

static bool same_node(const struct format *f, const struct text *was, const struct conf_node *a,
                      const struct conf_node *b);

// The entry of `a` at `i` is found in `b`, most often in the same place.
static bool same_entry(const struct format *f, const struct text *was, const struct conf_node *a, size_t i,
                       const struct conf_node *b)
{
    const struct conf_entry *old = &a->entries[i];
    for (size_t n = 0; n < b->count; n++) {
        const struct conf_entry *new = &b->entries[(i + n) % b->count];
        if (str_eq(old->key->text, new->key->text)) {
            return same_node(f, was, old->key, new->key) && same_node(f, was, old->value, new->value);
        }
    }
    return false;
}

// Depth is bounded by the parser.
static bool same_node(const struct format *f, const struct text *was, const struct conf_node *a,
                      const struct conf_node *b)
{
    bool alike =
        a->kind == b->kind && a->count == b->count &&
        (a->kind == CONF_NULL || a->kind == CONF_SCALAR ? same_scalar(f, was, a, b) : a->style == b->style);
    for (size_t i = 0; alike && i < a->count; i++) {
        alike =
            a->kind == CONF_MAP ? same_entry(f, was, a, i, b) : same_node(f, was, a->items[i], b->items[i]);
    }
    return alike;
}

static const struct mark *next_comment(const struct marks *marks, size_t *at)
{
    while (*at < marks->count && marks->list[*at].kind != MARK_COMMENT) {
        (*at)++;
    }
    return *at < marks->count ? &marks->list[(*at)++] : NULL;
}

static struct str text_of(const struct text *text, const struct mark *mark)
{
    return str_sub(text->source->text, mark->at, mark->end - mark->at);
}

static bool same_comments(const struct text *was, const struct text *is)
{
    for (size_t i = 0, k = 0;;) {
        const struct mark *old = next_comment(&was->marks, &i), *new = next_comment(&is->marks, &k);
        if (old == NULL || new == NULL) {
            return old == new;
        }
        if (!str_eq(text_of(was, old), text_of(is, new))) {
            return false;
        }
    }
}

static bool same(const struct format *f, const struct text *was, const struct text *is)
{
    bool alike = was->doc_count == is->doc_count && same_comments(was, is);
    for (size_t i = 0; alike && i < was->doc_count; i++) {
        alike = same_node(f, was, was->docs[i].root, is->docs[i].root);
    }
    return alike;
}

// ---- Whole sources ------------------------------------------------------------------------------------

// One text that became of another, in the next place of a few.
struct steps {
    struct source sources[5];
    struct text texts[5];
    struct buf bufs[5];
    size_t count;
};

static void steps_fini(struct steps *steps)
{
    for (size_t i = 0; i < COUNT_OF(steps->bufs); i++) {
        buf_fini(&steps->bufs[i]);
    }
}

// Reads what was written to the next place, and compares it with the text that it became of.
static enum pdp_err settle(struct format *f, struct steps *steps, const struct text *was, struct text **out)
{
    AUTO(diags_fini) struct diags unsaid;
    diags_init(&unsaid, 1);
    size_t i = steps->count++;
    steps->sources[i] = (struct source){was->source->name, buf_view(&steps->bufs[i])};
    steps->texts[i] = (struct text){.source = &steps->sources[i]};
    *out = &steps->texts[i];
    enum pdp_err err = read_text(f, *out, &unsaid);
    if (err == PDP_ERR_NOMEM) {
        return err;
    }
    return err == PDP_ERR_OK && same(f, was, *out) ? PDP_ERR_OK : PDP_ERR_STATE;
}

static enum pdp_err lay_out(struct format *f, struct steps *steps, struct text *was, struct text **out)
{
    const struct layout layout = {put_scalar, f};
    f->text = was;
    TRY(layout_print(was->source, &was->marks, &layout, f->arena, &steps->bufs[steps->count]));
    return settle(f, steps, was, out);
}

// Where keys would have to move past more than each other they stay.
static enum pdp_err put_in_order(struct format *f, struct steps *steps, struct text **text)
{
    for (int whole = 0; whole < 2; whole++) {
        struct text *was = *text;
        struct buf *out = &steps->bufs[steps->count];
        if (order_print(was->source, was->docs, was->doc_count, whole == 1, out)) {
            enum pdp_err err = settle(f, steps, was, text);
            *text = err == PDP_ERR_OK ? *text : was;
            TRY(err == PDP_ERR_STATE ? PDP_ERR_OK : err);
        } else {
            buf_clear(out);
        }
    }
    return PDP_ERR_OK;
}

// Does every line that ends do so with a carriage return and a line feed?
static bool ends_in_both(struct str text)
{
    size_t feed = str_find_byte(text, '\n', 0);
    bool both = feed < text.len;
    for (; both && feed < text.len; feed = str_find_byte(text, '\n', feed + 1)) {
        both = feed > 0 && text.at[feed - 1] == '\r';
    }
    return both;
}

// An editor that is set to write such line ends goes on to find them.
static enum pdp_err end_in_both(struct format *f, struct steps *steps, struct text **text)
{
    struct buf *out = &steps->bufs[steps->count];
    struct str line, rest = (*text)->source->text;
    while (rest.len > 0) {
        size_t feed = str_find_byte(rest, '\n', 0);
        line = str_sub(rest, 0, feed);
        buf_str(out, line);
        buf_str(out, feed < rest.len ? STR("\r\n") : STR(""));
        rest = str_sub(rest, feed < rest.len ? feed + 1 : feed, SIZE_MAX);
    }
    return out->failed ? PDP_ERR_NOMEM : settle(f, steps, *text, text);
}

enum pdp_err format_source(const struct source *source, struct diags *diags, struct buf *out)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(steps_fini) struct steps steps = {0};
    arena_init(&arena, 0, 0);
    struct format f = {.arena = &arena};
    struct text given = {.source = source}, *laid = NULL, *again = NULL;
    TRY(shapes_all(&arena, &f.shapes));
    TRY(read_text(&f, &given, diags));
    TRY(lay_out(&f, &steps, &given, &laid));
    TRY(put_in_order(&f, &steps, &laid));
    TRY(lay_out(&f, &steps, laid, &again));
    if (!str_eq(laid->source->text, again->source->text)) {
        return PDP_ERR_STATE;
    }
    TRY(ends_in_both(source->text) ? end_in_both(&f, &steps, &laid) : PDP_ERR_OK);
    buf_str(out, laid->source->text);
    return out->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}
