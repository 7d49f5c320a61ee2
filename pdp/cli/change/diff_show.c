// SPDX-License-Identifier: Apache-2.0
#include "cli/change/diff.h"

#include "base/time.h"

#include "cli/change/change.h"

#define MEMBERS_SHOWN 10
#define MEMBERS_TOLD 1000
#define WIDTH 80 // of old and new in one line

static const char *word_of(enum change_what what)
{
    static const char *const WORDS[] = {"added", "removed", "changed", "renamed"};
    return WORDS[what];
}

// What goes without saying of a thing that is new, or gone.
static bool is_usual(const struct fact *fact)
{
    static const char *const USUAL[] = {"",          "any",           "none",        "nothing",
                                        "everybody", "at any time",   "may lift it", "as others",
                                        "not said",  "0: any number", "never stale", "always"};
    bool members = fact->form == FACT_SET && fact->member_count > 0;
    for (size_t i = 0; !members && i < COUNT_OF(USUAL); i++) {
        if (str_eq(fact->text, str_of(USUAL[i]))) {
            return true;
        }
    }
    return fact->form == FACT_ORDER;
}

// ---- For people ----------------------------------------------------------------------------------------

static void show_members(const struct str *list, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count && i < MEMBERS_SHOWN; i++) {
        buf_str(out, i > 0 ? STR(", ") : STR(""));
        buf_escaped(out, list[i]);
    }
    if (count > MEMBERS_SHOWN) {
        buf_printf(out, " and %u more", count - MEMBERS_SHOWN);
    }
}

static void show_fact(const struct fact *fact, struct buf *out)
{
    if (fact->form == FACT_SET || fact->form == FACT_ORDER) {
        show_members(fact->members, fact->member_count, out);
        buf_str(out, fact->member_count == 0 ? (fact->text.len > 0 ? fact->text : STR("none")) : STR(""));
    } else if (fact->text.len == 0) {
        buf_str(out, STR("nothing"));
    } else {
        buf_escaped(out, fact->text);
    }
}

// Of an order only what stands between the first that is another and the last.
static struct fact apart(const struct fact *fact, const struct fact *other)
{
    struct fact rest = *fact;
    uint32_t least = fact->member_count < other->member_count ? fact->member_count : other->member_count;
    uint32_t head = 0, tail = 0;
    while (head < least && str_eq(fact->members[head], other->members[head])) {
        head++;
    }
    while (tail < least - head && str_eq(fact->members[fact->member_count - 1 - tail],
                                         other->members[other->member_count - 1 - tail])) {
        tail++;
    }
    rest.members += head;
    rest.member_count -= head + tail;
    return rest;
}

static void show_side(const struct fact *fact, const struct fact *other, struct buf *out)
{
    if (fact != NULL && other != NULL && fact->form == FACT_ORDER) {
        const struct fact rest = apart(fact, other);
        show_fact(&rest, out);
    } else if (fact != NULL) {
        show_fact(fact, out);
    } else {
        buf_str(out, STR("nothing"));
    }
}

static void show_set(const struct change_part *part, struct buf *out)
{
    const uint32_t counts[] = {part->added_count, part->removed_count};
    const struct str *lists[] = {part->added, part->removed};
    for (size_t i = 0; i < 2; i++) {
        if (counts[i] > 0) {
            buf_printf(out, "  %s: %s ", part->was->aspect, i == 0 ? "added" : "removed");
            show_members(lists[i], counts[i], out);
            buf_byte(out, '\n');
        }
    }
}

static void show_part(const struct change *change, const struct change_part *part, struct buf *out)
{
    const struct fact *only = part->was == NULL ? part->is : part->was;
    if (change->what != CHANGE_CHANGED) {
        if (!is_usual(only)) {
            buf_printf(out, "  %s: ", only->aspect);
            show_fact(only, out);
            buf_byte(out, '\n');
        }
        return;
    }
    bool any = part->was != NULL && part->is != NULL && part->was->form == FACT_SET &&
               part->was->member_count > 0 && part->is->member_count > 0;
    if (any) {
        show_set(part, out);
        return;
    }
    AUTO(buf_fini) struct buf was = {0};
    AUTO(buf_fini) struct buf is = {0};
    show_side(part->was, part->is, &was);
    show_side(part->is, part->was, &is);
    bool wide = was.len + is.len > WIDTH;
    buf_printf(out, "  %s:%s", only->aspect, wide ? "\n    old  " : " ");
    buf_str(out, buf_view(&was));
    buf_str(out, wide ? STR("\n    new  ") : STR(" -> "));
    buf_str(out, buf_view(&is));
    buf_byte(out, '\n');
}

static void show_step(const struct trial_step *step, bool alone, struct buf *out)
{
    struct emit emit;
    buf_str(out, STR("    "));
    emit_init(&emit, WIRE_JSON, out);
    if (alone) {
        emit_value(&emit, &step->root);
    } else {
        trial_line(step, &emit);
    }
    buf_byte(out, '\n');
}

// Two answers; where their lines say the same, also what differs beside.
static void show_answers(const struct example *example, struct buf *out)
{
    AUTO(buf_fini) struct buf was = {0};
    AUTO(buf_fini) struct buf is = {0};
    view_show(&example->was, &was);
    view_show(&example->is, &is);
    buf_printf(out, "    old  " STR_FMT "\n    new  " STR_FMT "\n", STR_ARG(buf_view(&was)),
               STR_ARG(buf_view(&is)));
    if (str_eq(buf_view(&was), buf_view(&is))) {
        buf_printf(out, "    what differs is beside these: %s\n", example->apart);
    }
}

static void show_example(const struct change *change, const struct example *example, struct buf *out)
{
    if (change->what == CHANGE_RENAMED) {
        buf_str(out,
                STR("  another name for the same: no question gets another effect, answers name it so\n"));
        return;
    }
    if (example->grade == TWIN_SAME) {
        if (example->unread) {
            buf_str(out, STR("  nothing reads it: no question is answered differently\n"));
        } else if (diff_is_beside(change)) {
            buf_str(out, STR("  no answer carries it: no question is answered differently\n"));
        } else if (change->words) {
            buf_printf(out, "  no question gets another effect; no example of other words in %u questions\n",
                       example->tries);
        } else {
            buf_printf(out, "  no example: none of %u questions made for it was answered differently\n",
                       example->tries);
        }
        return;
    }
    const struct trial_step *last = &example->steps[example->count - 1];
    buf_printf(out, "  example (%s%s), at ", twin_word(example->grade),
               example->others ? ", together with other changes" : "");
    time_print_ms(out, last->at_ms);
    if (example->places.len > 0) {
        buf_str(out, STR(", where geo databases say "));
        buf_escaped(out, example->places);
    }
    buf_str(out, STR(":\n"));
    for (size_t i = 0; i < example->count; i++) {
        show_step(&example->steps[i], example->count == 1, out);
    }
    show_answers(example, out);
}

void diff_show(const struct diff *diff, struct buf *out)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        const struct change *change = &diff->changes.list[i];
        buf_printf(out, "%s%s %s ", i > 0 ? "\n" : "", word_of(change->what), fact_word(change->kind));
        buf_escaped(out, change->name);
        if (change->what == CHANGE_RENAMED) {
            buf_str(out, STR(" to "));
            buf_escaped(out, change->new_name);
        }
        buf_byte(out, '\n');
        for (uint32_t k = 0; k < change->part_count; k++) {
            show_part(change, &change->parts[k], out);
        }
        show_example(change, &diff->examples[i], out);
    }
    if (diff->changes.count == 0) {
        buf_str(out, STR("no difference in meaning: both compile to the same\n"));
    }
}

// ---- For programs ----------------------------------------------------------------------------------------

static void emit_members(struct emit *emit, const char *key, const struct str *list, uint32_t count)
{
    emit_key(emit, str_of(key));
    emit_list(emit, SIZE_MAX);
    for (uint32_t i = 0; i < count && i < MEMBERS_TOLD; i++) {
        emit_str(emit, list[i]);
    }
    emit_end(emit);
}

static void emit_fact(struct emit *emit, const char *key, const struct fact *fact, const struct fact *other)
{
    AUTO(buf_fini) struct buf text = {0};
    if (fact != NULL) {
        show_side(fact, other, &text);
        emit_key_str(emit, key, buf_view(&text));
    }
}

static void emit_part(struct emit *emit, const struct change_part *part)
{
    const struct fact *only = part->was != NULL ? part->was : part->is;
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "aspect", str_of(only->aspect));
    emit_fact(emit, "old", part->was, part->is);
    emit_fact(emit, "new", part->is, part->was);
    if (only->form == FACT_SET && part->was != NULL && part->is != NULL) {
        emit_key_int(emit, "added_count", part->added_count);
        emit_key_int(emit, "removed_count", part->removed_count);
        emit_members(emit, "added", part->added, part->added_count);
        emit_members(emit, "removed", part->removed, part->removed_count);
    }
    emit_end(emit);
}

static void emit_places(struct emit *emit, struct str places)
{
    struct arena arena;
    struct value root;
    struct fault why;
    arena_init(&arena, 0, 0);
    if (places.len > 0 && wire_decode(WIRE_JSON, places, &arena, &root, &why) == PDP_ERR_OK) {
        emit_key(emit, STR("places"));
        emit_value(emit, &root);
    }
    arena_fini(&arena);
}

static void emit_example(struct emit *emit, const struct example *example)
{
    AUTO(buf_fini) struct buf now = {0};
    const struct trial_step *last = &example->steps[example->count - 1];
    emit_key(emit, STR("example"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "differs", str_of(twin_word(example->grade)));
    emit_key_bool(emit, "with_others", example->others);
    time_print_ms(&now, last->at_ms);
    emit_key_str(emit, "now", buf_view(&now));
    emit_places(emit, example->places);
    if (example->count == 1 && !last->event) {
        emit_key(emit, STR("question"));
        emit_value(emit, &last->root);
    }
    emit_key(emit, STR("events"));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < example->count; i++) {
        trial_line(&example->steps[i], emit);
    }
    emit_end(emit);
    emit_key(emit, STR("old"));
    view_emit(&example->was, emit);
    emit_key(emit, STR("new"));
    view_emit(&example->is, emit);
    emit_end(emit);
}

static void emit_change(struct emit *emit, const struct change *change, const struct example *example)
{
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "what", str_of(word_of(change->what)));
    emit_key_str(emit, "kind", str_of(fact_word(change->kind)));
    emit_key_str(emit, "name", change->name);
    if (change->what == CHANGE_RENAMED) {
        emit_key_str(emit, "new_name", change->new_name);
    }
    emit_key_bool(emit, "words", change->words);
    emit_key(emit, STR("parts"));
    emit_list(emit, SIZE_MAX);
    for (uint32_t i = 0; i < change->part_count; i++) {
        emit_part(emit, &change->parts[i]);
    }
    emit_end(emit);
    emit_key_int(emit, "tries", example->tries);
    if (example->grade != TWIN_SAME) {
        emit_example(emit, example);
    }
    emit_end(emit);
}

void diff_emit(const struct diff *diff, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key_bool(&emit, "same", diff_is_same(diff));
    emit_key(&emit, STR("changes"));
    emit_list(&emit, SIZE_MAX);
    for (size_t i = 0; i < diff->changes.count; i++) {
        emit_change(&emit, &diff->changes.list[i], &diff->examples[i]);
    }
    emit_end(&emit);
    emit_end(&emit);
    buf_byte(out, '\n');
}
