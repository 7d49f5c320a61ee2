// SPDX-License-Identifier: Apache-2.0
// Mistakes within texts that mean more than themselves: hours, beginnings and ends, patterns of resources,
// entries of lists. Regular expressions have a file of their own.
#include "cli/test/mutant_inner.h"

void find_step(struct find_steps *out, enum mutant_op op, size_t at, size_t end, struct str instead)
{
    if (out->count < COUNT_OF(out->list) && at <= end) {
        out->list[out->count++] =
            (struct find_step){.op = op, .at = (uint32_t)at, .len = (uint32_t)(end - at), .instead = instead};
    }
}

// ---- Beginnings, ends, parts ------------------------------------------------------------------------

// One character less in front, or behind.
void find_shorter(struct str text, bool front, bool back, struct find_steps *out)
{
    size_t first = 1, last = text.len > 0 ? text.len - 1 : 0;
    while (first < text.len && ((unsigned char)text.at[first] & 0xc0) == 0x80) {
        first++;
    }
    while (last > 0 && ((unsigned char)text.at[last] & 0xc0) == 0x80) {
        last--;
    }
    if (last == 0) { // nothing would be left
        return;
    }
    if (front) {
        find_step(out, MUTANT_TEXT, 0, first, STR(""));
    }
    if (back) {
        find_step(out, MUTANT_TEXT, last, text.len, STR(""));
    }
}

// ---- Hours ------------------------------------------------------------------------------------------

enum {
    WEEK_DAYS = 7,
    DAY_LEN = 3,
    CLOCK_LEN = 5,
    DAY_MINUTES = 24 * 60
};

static const struct str DAYS[WEEK_DAYS] = {
    {"Sun", 3}, {"Mon", 3}, {"Tue", 3}, {"Wed", 3}, {"Thu", 3}, {"Fri", 3}, {"Sat", 3},
};

struct hours_part { // between two commas
    size_t from, days_end, to, comma;
    bool has_hours, first, last, joined; // joined: the part before has no hours of its own
};

static int day_at(struct str text, size_t at)
{
    for (int i = 0; i < WEEK_DAYS; i++) {
        if (str_eq(str_sub(text, at, DAY_LEN), DAYS[i])) {
            return i;
        }
    }
    return -1;
}

// The day before, or after.
static struct str day_near(int day, int by)
{
    return DAYS[(day + by + WEEK_DAYS) % WEEK_DAYS];
}

static void step_range(struct str text, size_t at, struct find_steps *out)
{
    int from = day_at(text, at), to = day_at(text, at + DAY_LEN + 1);
    size_t second = at + DAY_LEN + 1;
    if (from < 0 || to < 0 || from == to) {
        return;
    }
    find_step(out, MUTANT_DAY, at, at + DAY_LEN, day_near(from, 1));
    find_step(out, MUTANT_DAY, second, second + DAY_LEN, day_near(to, -1));
    if ((to + 1) % WEEK_DAYS != from) { // all of a week has no neighbours
        find_step(out, MUTANT_DAY, at, at + DAY_LEN, day_near(from, -1));
        find_step(out, MUTANT_DAY, second, second + DAY_LEN, day_near(to, 1));
    }
}

// `Sat` alone: a day more on each side, or none.
static void step_day(struct arena *arena, struct str text, const struct hours_part *part,
                     struct find_steps *out)
{
    int day = day_at(text, part->from);
    size_t end = part->from + DAY_LEN;
    if (day < 0) {
        return;
    }
    find_step(out, MUTANT_DAY, part->from, part->from,
              arena_printf(arena, STR_FMT "-", STR_ARG(day_near(day, -1))));
    find_step(out, MUTANT_DAY, end, end, arena_printf(arena, "-" STR_FMT, STR_ARG(day_near(day, 1))));
    if (part->has_hours && part->joined) {
        find_step(out, MUTANT_DAY, part->comma, part->days_end, STR(""));
    } else if (!part->last) {
        find_step(out, MUTANT_DAY, part->from, part->to + 1, STR(""));
    } else if (!part->first) {
        find_step(out, MUTANT_DAY, part->comma, part->to, STR(""));
    }
}

static void step_days(struct arena *arena, struct str text, const struct hours_part *part,
                      struct find_steps *out)
{
    struct str days = str_sub(text, part->from, part->days_end - part->from);
    if (str_eq(days, STR("daily"))) {
        find_step(out, MUTANT_DAY, part->from, part->days_end, STR("Mon-Sat"));
        find_step(out, MUTANT_DAY, part->from, part->days_end, STR("Sun-Fri"));
    } else if (days.len == 2 * DAY_LEN + 1) {
        step_range(text, part->from, out);
    } else if (days.len == DAY_LEN) {
        step_day(arena, text, part, out);
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : 0;
}

// A minute earlier and later; the second bound may be 24:00, and 00:00 is the same there.
static void step_clock(struct arena *arena, struct str text, size_t at, bool second, struct find_steps *out)
{
    struct str clock = str_sub(text, at, CLOCK_LEN);
    if (clock.len != CLOCK_LEN || clock.at[2] != ':') {
        return;
    }
    int minutes =
        (digit(clock.at[0]) * 10 + digit(clock.at[1])) * 60 + digit(clock.at[3]) * 10 + digit(clock.at[4]);
    minutes = second && minutes == 0 ? DAY_MINUTES : minutes;
    for (int by = -1; by <= 1; by += 2) {
        int then = minutes + by;
        if (then >= 0 && (second ? then <= DAY_MINUTES : then < DAY_MINUTES)) {
            find_step(out, MUTANT_HOURS, at, at + CLOCK_LEN,
                      arena_printf(arena, "%02d:%02d", then / 60, then % 60));
        }
    }
}

static size_t skip_blanks(struct str text, size_t at, size_t end)
{
    while (at < end && text.at[at] == ' ') {
        at++;
    }
    return at;
}

void find_hours(struct arena *arena, struct str text, struct find_steps *out)
{
    struct hours_part part = {.first = true};
    bool before = true; // the part before has hours
    for (size_t from = 0; from < text.len; from = part.to + 1) {
        part.to = str_find_byte(text, ',', from);
        part.last = part.to >= text.len;
        part.from = skip_blanks(text, from, part.to);
        bool digits = part.from < part.to && text.at[part.from] >= '0' && text.at[part.from] <= '9';
        size_t blank = str_find_byte(text, ' ', part.from);
        part.days_end = digits ? part.from : blank < part.to ? blank : part.to;
        size_t hours = skip_blanks(text, part.days_end, part.to);
        part.has_hours = hours < part.to;
        part.joined = !before;
        step_days(arena, text, &part, out);
        if (part.has_hours) {
            size_t dash = str_find_byte(text, '-', hours);
            step_clock(arena, text, hours, false, out);
            step_clock(arena, text, skip_blanks(text, dash + 1, part.to), true, out);
        }
        part.comma = part.to;
        before = part.has_hours;
        part.first = false;
    }
}

// ---- Patterns of resources --------------------------------------------------------------------------

static void path_becomes(struct find *find, const struct conf_node *item, struct str text)
{
    if (!str_eq(text, item->text)) {
        find_swap(find, MUTANT_PATH, item->place, text, "`" STR_FMT "` becomes `" STR_FMT "`",
                  STR_ARG(find_shown(find, item->text)), STR_ARG(text));
    }
}

// `/a/b/**`: all below, one segment below, and all below the one above.
void find_path(struct find *find, const struct conf_node *item)
{
    struct str text = item->text;
    if (item->kind != CONF_SCALAR || text.len < 2 || text.at[0] != '/') {
        return;
    }
    bool all = str_ends(text, STR("/**")), one = str_ends(text, STR("/*"));
    const char *tail = all ? "/**" : one ? "/*" : "";
    size_t parent = text.len - strlen(tail);
    if (all) {
        path_becomes(find, item, str_sub(text, 0, text.len - 1));
    } else if (one) {
        path_becomes(find, item, arena_printf(find->arena, STR_FMT "*", STR_ARG(text)));
    }
    while (parent > 0 && text.at[--parent] != '/') {
    }
    if (parent > 0 || *tail != '\0') {
        path_becomes(find, item,
                     arena_printf(find->arena, STR_FMT "%s", STR_ARG(str_sub(text, 0, parent)), tail));
    }
}

// ---- Lists ------------------------------------------------------------------------------------------

enum {
    LIST_ALL = 8 // of longer ones, the first and the last entry
};

// Of a list in lines, what stands behind the key goes, as nothing else is an empty list.
static struct mutant_edit empty_list(const struct conf_node *root, const struct conf_node *list)
{
    struct mutant_edit edit = find_without_item(list, 0);
    for (size_t i = 0; list->style == CONF_BLOCK && i < root->count; i++) {
        if (root->entries[i].value == list) {
            uint32_t end = find_end(root->entries[i].key);
            edit.at = (uint32_t)str_find_byte(list->place.src->text, ':', end) + 1;
            edit.len = find_end(list->items[0]) - edit.at;
            edit.text = STR(" []");
        }
    }
    return edit;
}

void find_list(struct find *find, const struct conf_node *root)
{
    const struct conf_node *list = conf_get(root, "entries");
    for (size_t i = 0; list != NULL && list->kind == CONF_LIST && i < list->count; i++) {
        const struct conf_node *item = list->items[i];
        bool end = i == 0 || i + 1 == list->count;
        if (item->kind != CONF_SCALAR || (list->count > LIST_ALL && !end)) {
            continue;
        }
        struct mutant_edit edit = list->count == 1 ? empty_list(root, list) : find_without_item(list, i);
        find_add(find, MUTANT_ENTRY, item->place, &edit, 1, "`" STR_FMT "` is left out of the list",
                 STR_ARG(find_shown(find, item->text)));
    }
}
