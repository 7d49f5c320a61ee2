// SPDX-License-Identifier: Apache-2.0
// Two sides whose zones are of other data: clocks that differ are told, with the first second at which a
// window holds in one alone, and a question then.
#include "base/time.h"
#include "cli/change/diff.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define POLICY(rules) "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n" rules
#define WINDOW(hours) \
    POLICY("  - {id: office, effect: allow, when: 'within(now, \"" hours "\", \"Europe/Berlin\")'}\n")

// TZif of version 2 without a transition: its footer alone says what holds.
static struct str zone_of(const char *footer, unsigned char *room)
{
    static const unsigned char HEAD[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 4};
    static const unsigned char TYPE[10] = {0, 0, 0x0e, 0x10, 0, 0, 'C', 'E', 'T', 0}; // an hour east
    size_t at = 0;
    for (size_t i = 0; i < 2; i++) {
        memcpy(room + at, HEAD, sizeof HEAD);
        memcpy(room + at + sizeof HEAD, TYPE, sizeof TYPE);
        at += sizeof HEAD + sizeof TYPE;
    }
    return (struct str){(const char *)room, at + (size_t)snprintf((char *)room + at, 60, "\n%s\n", footer)};
}

static enum pdp_err no_file(void *user, struct str path, struct str *text)
{
    (void)user, (void)path, (void)text;
    return PDP_ERR_IO;
}

static enum pdp_err read_zone(void *user, struct str name, struct str *tzif)
{
    static unsigned char room[200];
    (void)name;
    *tzif = zone_of(user, room);
    return PDP_ERR_OK;
}

struct pair {
    struct diags diags;
    struct snapshot *was, *is;
    struct diff diff;
};

static struct snapshot *build(const char *yaml, const char *footer, struct diags *diags)
{
    struct snapshot *snapshot = NULL;
    struct buf said = {0};
    const struct snapshot_file file = {.name = STR("policies/web.yaml"), .text = str_of(yaml)};
    const struct snapshot_input input = {.files = &file,
                                         .file_count = 1,
                                         .read_file = no_file,
                                         .read_zone = read_zone,
                                         .user = (void *)(uintptr_t)footer,
                                         .now_ms = TRIAL_NOW,
                                         .conditions = true};
    enum pdp_err err = snapshot_build(&input, (struct hash_key){1, 2}, diags, &snapshot);
    diags_render(diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT, STR_ARG(buf_view(&said)));
    buf_fini(&said);
    return snapshot;
}

static void compare(struct pair *pair, const char *yaml, const char *was, const char *is)
{
    *pair = (struct pair){0};
    diags_init(&pair->diags, 10);
    pair->was = build(yaml, was, &pair->diags);
    pair->is = build(yaml, is, &pair->diags);
    cr_assert_eq(diff_find(pair->was, pair->is, &pair->diff), PDP_ERR_OK);
    cr_assert_eq(diff_search(&pair->diff, pair->was, pair->is), PDP_ERR_OK);
}

static void done(struct pair *pair)
{
    diff_fini(&pair->diff);
    snapshot_free(&pair->was);
    snapshot_free(&pair->is);
    diags_fini(&pair->diags);
}

#define CET "CET-1CEST,M3.5.0,M10.5.0/3"

static const struct {
    const char *yaml, *is;
    const char *told; // of the change; empty: there is none
    const char *last; // how an answer of the new side begins, or why there is none
} CASES[] = {
    {WINDOW("Mon-Fri 08:00-18:00"), "CET-1CEST,M3.4.0,M10.5.0/3",
     "changed time zone Europe/Berlin\n"
     "  offset from 2030-03-24T01:00:00Z: +01:00 -> +02:00\n"
     "  within \"Mon-Fri 08:00-18:00\" at 2030-03-25T06:00:00Z: no -> yes\n"
     "  example (effect), at 2030-03-25T06:00:00Z:\n",
     "new  allow     web/office"},
    {WINDOW("Sat 08:00-09:00, Mon 12:00-13:00"), "CET-1:30",
     "changed time zone Europe/Berlin\n"
     "  offset from 2026-11-23T09:00:00Z: +01:00 -> +01:30\n"
     "  within \"Sat 08:00-09:00, Mon 12:00-13:00\" at 2026-11-23T10:30:00Z: no -> yes\n"
     "  example (effect), at 2026-11-23T10:30:00Z:\n",
     "new  allow     web/office"},
    {WINDOW("daily 00:00-24:00"), "CET-2",
     "changed time zone Europe/Berlin\n"
     "  offset from 2026-11-23T09:00:00Z: +01:00 -> +02:00\n",
     "no example: none of 3"},
    {POLICY("  - {id: h, effect: allow, when: 'now.getHours(\"Europe/Berlin\") == 8'}\n"), "CET-2",
     "changed time zone Europe/Berlin\n"
     "  offset from 2026-11-23T09:00:00Z: +01:00 -> +02:00\n"
     "  example (effect), at ",
     "web/h"},
    {POLICY("  - {id: w, effect: deny, when: 'within(timestamp(subject.hired), \"Fri 12:00-13:00\", "
            "\"Europe/Berlin\")'}\n  - {id: a, effect: allow}\n"),
     "CET-2",
     "changed time zone Europe/Berlin\n"
     "  offset from 2026-11-23T09:00:00Z: +01:00 -> +02:00\n"
     "  within \"Fri 12:00-13:00\" at 2026-11-27T10:00:00Z: no -> yes\n"
     "  example (effect), at ",
     "web/w"},
    {WINDOW("Mon-Fri 08:00-18:00"), "CET-1CEST-2,M3.5.0/2,M10.5.0/3", "no difference in meaning", ""},
    {WINDOW("Mon-Fri 08:00-18:00"), CET, "no difference in meaning", ""},
};

static void show(const struct pair *pair, struct buf *out)
{
    buf_clear(out);
    diff_show(&pair->diff, out);
}

Test(change_zones, what_clocks_say_otherwise_is_told)
{
    struct buf out = {0};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pair pair;
        compare(&pair, CASES[i].yaml, CET, CASES[i].is);
        show(&pair, &out);
        bool told = str_starts(buf_view(&out), str_of(CASES[i].told)) &&
                    str_find(buf_view(&out), str_of(CASES[i].last), 0) != SIZE_MAX;
        cr_expect(told, "%zu: " STR_FMT, i, STR_ARG(buf_view(&out)));
        done(&pair);
    }
    buf_fini(&out);
}
