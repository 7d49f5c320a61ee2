// SPDX-License-Identifier: Apache-2.0
#include "cli/edit/lines.h"

#include "base/arena.h"

#include <string.h>

#define AROUND 3
#define CELLS_MOST ((size_t)4 << 20)

struct side {
    struct str *list;
    size_t count;
};

struct diff {
    struct side was, is;
    char *script; // ' ', '-' or '+' of each line of the diff
    size_t count;
};

static bool split(struct str text, struct arena *arena, struct side *out)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; at = str_find_byte(text, '\n', at) + 1) {
        count++;
    }
    *out = (struct side){ARENA_ARRAY(arena, struct str, count + 1), count};
    for (size_t i = 0, at = 0; out->list != NULL && i < count; i++) {
        size_t end = str_find_byte(text, '\n', at);
        out->list[i] = str_sub(text, at, end - at);
        at = end + 1;
    }
    return out->list != NULL;
}

static void put(struct diff *d, char kind, size_t times)
{
    memset(d->script + d->count, kind, times);
    d->count += times;
}

// The longest lines in common of the middles, by a table; without one all differ.
static void put_middle(struct diff *d, size_t from, size_t was, size_t is, struct arena *arena)
{
    size_t wide = is + 1;
    bool small = was < CELLS_MOST && (was + 1) <= CELLS_MOST / wide;
    uint32_t *common = small ? ARENA_ARRAY(arena, uint32_t, (was + 1) * wide) : NULL;
    if (common == NULL) {
        put(d, '-', was);
        put(d, '+', is);
        return;
    }
    const struct str *old = d->was.list + from, *new = d->is.list + from;
    for (size_t i = was; i-- > 0;) {
        for (size_t k = is; k-- > 0;) {
            uint32_t *cell = &common[i * wide + k];
            uint32_t down = cell[wide], right = cell[1];
            *cell = str_eq(old[i], new[k]) ? cell[wide + 1] + 1 : down > right ? down : right;
        }
    }
    for (size_t i = 0, k = 0; i < was || k < is;) {
        bool both = i < was && k < is;
        if (both && str_eq(old[i], new[k])) {
            put(d, ' ', 1);
            i++, k++;
        } else if (k == is || (both && common[(i + 1) * wide + k] >= common[i * wide + k + 1])) {
            put(d, '-', 1);
            i++;
        } else {
            put(d, '+', 1);
            k++;
        }
    }
}

static void compare(struct diff *d, struct arena *arena)
{
    size_t front = 0, back = 0;
    size_t least = d->was.count < d->is.count ? d->was.count : d->is.count;
    while (front < least && str_eq(d->was.list[front], d->is.list[front])) {
        front++;
    }
    while (back < least - front &&
           str_eq(d->was.list[d->was.count - 1 - back], d->is.list[d->is.count - 1 - back])) {
        back++;
    }
    put(d, ' ', front);
    put_middle(d, front, d->was.count - front - back, d->is.count - front - back, arena);
    put(d, ' ', back);
}

// The end of the hunk that begins at `at`: behind the last change that is near enough to the one before.
static size_t hunk_end(const struct diff *d, size_t at)
{
    size_t last = at;
    for (size_t i = at; i < d->count && i <= last + 2 * AROUND + 1; i++) {
        last = d->script[i] != ' ' ? i : last;
    }
    return last + 1 + AROUND < d->count ? last + 1 + AROUND : d->count;
}

static size_t count_of(const struct diff *d, size_t from, size_t to, char but)
{
    size_t count = 0;
    for (size_t i = from; i < to; i++) {
        count += d->script[i] != but;
    }
    return count;
}

static void put_hunk(const struct diff *d, size_t from, size_t to, struct buf *out)
{
    size_t old = count_of(d, 0, from, '+'), new = count_of(d, 0, from, '-');
    size_t old_count = count_of(d, from, to, '+'), new_count = count_of(d, from, to, '-');
    buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", old + (old_count > 0), old_count, new + (new_count > 0),
               new_count);
    for (size_t i = from; i < to; i++) {
        struct str line = d->script[i] == '+' ? d->is.list[new] : d->was.list[old];
        buf_byte(out, (unsigned char)d->script[i]);
        buf_str(out, line);
        buf_byte(out, '\n');
        old += d->script[i] != '+';
        new += d->script[i] != '-';
    }
}

void lines_diff(const char *name, struct str was, struct str is, struct buf *out)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 0, 0);
    struct diff d = {0};
    if (!split(was, &arena, &d.was) || !split(is, &arena, &d.is)) {
        out->failed = true;
        return;
    }
    d.script = ARENA_ARRAY(&arena, char, d.was.count + d.is.count + 1);
    if (d.script == NULL) {
        out->failed = true;
        return;
    }
    compare(&d, &arena);
    bool titled = false;
    for (size_t i = 0; i < d.count; i++) {
        if (d.script[i] == ' ') {
            continue;
        }
        if (!titled) {
            buf_printf(out, "--- %s\n+++ %s, formatted\n", name, name);
            titled = true;
        }
        size_t end = hunk_end(&d, i);
        put_hunk(&d, i > AROUND ? i - AROUND : 0, end, out);
        i = end - 1;
    }
}
