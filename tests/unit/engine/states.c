// SPDX-License-Identifier: Apache-2.0
// The tables of docs/SESSIONS.md, "What becomes of what": every cell is played. The document is what is read,
// so that it cannot say anything else. With PDP_ACCEPT set, the tables are printed as they are played.
#include "engine/engine.h"

#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define NOW HARNESS_NOW
#define ARROW " \xe2\x86\x92 " // an arrow

#define POLICY                                                                        \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"                 \
    "  - {id: all, effect: allow}\n"                                                  \
    "  - {id: pay, effect: step_up, actions: [PAY], require: {strength: mfa}}\n"      \
    "  - {id: cut, effect: terminate, actions: [CUT], terminate: {scope: subject}}\n" \
    "---\napiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"        \
    "  - {name: mfa, proves: '\"otp\" in session.amr'}\n"
#define ASKS \
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: l}\nlimits: {reauthentication: 30m}\n"

// What the session is before: the columns.
enum column {
    NONE,
    ACTIVE,
    CHALLENGED,
    ROTATED,
    LATE,
    ENDED,
    COLUMNS
};
static const char *const COLUMN_NAMES[COLUMNS] = {"none",    "active",        "challenged",
                                                  "rotated", "rotated, late", "terminated"};

// What comes: the rows. `event` NULL: a question.
static const struct row {
    const char *name, *event, *properties;
    bool probe;
} ROWS[] = {
    {"a question", NULL, "", false},
    {"a probe", NULL, "", true},
    {"`start`", "start", "", false},
    {"`login`", "login", "'amr': ['pwd']", false},
    {"`login` that proves what was asked", "login", "'amr': ['otp']", false},
    {"`login_failed`", "login_failed", "", false},
    {"`step_up_passed`", "step_up_passed", "'amr': ['pwd']", false},
    {"`step_up_passed` that proves what was asked", "step_up_passed", "'amr': ['otp']", false},
    {"`step_up_failed`", "step_up_failed", "", false},
    {"`logout`", "logout", "", false},
    {"`signal`", "signal", "'evidence': 0.1", false},
    {"`rotate`", "rotate", "'new_id': 'third'", false},
    {"`rotate` to the id that it has", "rotate", "'new_id': 'second'", false},
};
enum {
    ROW_COUNT = sizeof ROWS / sizeof *ROWS
};

// Under what circumstances: one table each.
static const struct circumstance {
    const char *heading, *policy, *subject;
    int64_t rotate_ms, act_ms; // after the login
    bool cut, twice;
} TABLES[] = {
    {"### As usual", POLICY, "alice", MINUTE, MINUTE + 5 * SECOND, false, false},
    {"### By another subject", POLICY, "mallory", MINUTE, MINUTE + 5 * SECOND, false, false},
    {"### After a cut-off of the subject", POLICY, "alice", MINUTE, MINUTE + 5 * SECOND, true, false},
    {"### After a limit that ends it", POLICY, "alice", 60 * MINUTE - 5 * SECOND, 60 * MINUTE, false, false},
    {"### After a limit that asks a step-up", POLICY ASKS, "alice", 30 * MINUTE - 5 * SECOND, 30 * MINUTE,
     false, false},
    {"### The same once more", POLICY, "alice", MINUTE, MINUTE + 5 * SECOND, false, true},
};
enum {
    TABLE_COUNT = sizeof TABLES / sizeof *TABLES
};

// ---- Playing one cell ------------------------------------------------------------------------------

static void ask(struct harness *h, int64_t now_ms, const char *subject, const char *action, const char *id,
                bool probe, const char *request)
{
    char text[600];
    (void)snprintf(
        text, sizeof text,
        "{'request_id': '%s', 'subject': {'type': 'user', 'id': '%s'}, 'action': {'name': '%s'}, 'resource': "
        "{'type': 'route', 'id': '/a'}, 'context': {'session': {'id': '%s', 'auth_time': %lld}%s}}",
        request, subject, action, id, (long long)(NOW / 1000), probe ? ", 'purpose': 'probe'" : "");
    harness_ask(h, now_ms, text);
}

static void tell(struct harness *h, int64_t now_ms, const char *subject, const struct row *row,
                 const char *id, const char *request)
{
    char text[600];
    (void)snprintf(
        text, sizeof text,
        "{'request_id': '%s', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': '%s'}, 'context': "
        "{'session': {'id': '%s'}}, 'properties': {%s}}}",
        request, row->event, subject, id, row->properties);
    harness_ask(h, now_ms, text);
}

static void make(struct harness *h, enum column column, const struct circumstance *about)
{
    static const struct row LOGIN = {"", "login", "'amr': ['pwd']", false},
                            LOGOUT = {"", "logout", "", false},
                            ROTATE = {"", "rotate", "'new_id': 'second'", false};
    if (column != NONE) {
        tell(h, NOW, "alice", &LOGIN, "first", "m1");
    }
    if (column == CHALLENGED) {
        ask(h, NOW, "alice", "PAY", "first", false, "m2");
        cr_assert_str_eq(harness_effect(h), "step_up/policy");
    }
    if (column == ENDED) {
        tell(h, NOW, "alice", &LOGOUT, "first", "m3");
    }
    if (column == ROTATED || column == LATE) {
        tell(h, NOW + (column == LATE ? 0 : about->rotate_ms), "alice", &ROTATE, "first", "m4");
        cr_assert_str_eq(harness_get(h, "event.recorded"), "true");
    }
    if (about->cut) {
        tell(h, NOW, "alice", &LOGIN, "other", "m5");
        ask(h, NOW + about->rotate_ms + SECOND, "alice", "CUT", "other", false, "m6");
        cr_assert_str_eq(harness_effect(h), "terminate/policy");
    }
}

static const char *state_after(struct harness *h)
{
    static const char *const IDS[] = {"third", "second", "first"};
    for (size_t i = 0; i < 3; i++) {
        struct session_view view;
        if (session_look(engine_sessions(h->engine), str_of(IDS[i]), &view)) {
            return session_state_name((enum session_state)view.record.state);
        }
    }
    return "none";
}

static void act(struct harness *h, const struct row *row, const struct circumstance *about)
{
    if (row->event == NULL) {
        ask(h, NOW + about->act_ms, about->subject, "GET", "first", row->probe, "r1");
    } else {
        tell(h, NOW + about->act_ms, about->subject, row, "first", "r1");
    }
}

// `allow/policy → active`: what is answered, and what the session is then.
static void play(enum column column, const struct row *row, const struct circumstance *about,
                 char cell[static 96])
{
    struct harness h = {0};
    cr_assert(harness_load(&h, about->policy), "%s", (const char *)h.said.at);
    make(&h, column, about);
    act(&h, row, about);
    if (about->twice) {
        act(&h, row, about);
    }
    bool again =
        strcmp(harness_get(&h, row->event != NULL ? "event.repeated" : "context.repeated"), "true") == 0;
    bool recorded = strcmp(harness_get(&h, "event.recorded"), "true") == 0;
    const char *answer = row->event == NULL ? harness_effect(&h)
                         : recorded         ? "recorded"
                                            : harness_get(&h, "event.code");
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s%s", answer, again ? ", repeated" : "");
    (void)snprintf(cell, 96, "%s" ARROW "%s", copy, state_after(&h));
    harness_fini(&h);
}

// ---- The document ----------------------------------------------------------------------------------

static char document[1 << 17];

static void read_document(void)
{
    FILE *file = fopen("docs/SESSIONS.md", "rb");
    cr_assert_not_null(file, "run this in the root of the tree");
    document[fread(document, 1, sizeof document - 1, file)] = '\0';
    fclose(file);
}

// The next line that is a row of a table, taken apart; NULL at its end.
static char *next_row(char *at, char *cells[static COLUMNS + 1])
{
    while (*at != '|') {
        char *end = strchr(at, '\n');
        if (*at == '#' || end == NULL) {
            return NULL;
        }
        at = end + 1;
    }
    char *end = strchr(at, '\n');
    *end = '\0';
    for (size_t i = 0; i <= COLUMNS; i++) {
        char *stop = strstr(at + 1, " |"), *cell = stop > at + 1 ? at + 2 : at + 1;
        cr_assert_not_null(stop, "a row has %d cells: %s", COLUMNS + 1, at);
        *stop = '\0';
        cells[i] = cell;
        at = stop + 1;
    }
    return end + 1;
}

static void expect_columns(char *cells[static COLUMNS + 1])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        char want[40];
        (void)snprintf(want, sizeof want, "`%s`", COLUMN_NAMES[i]);
        cr_assert_str_eq(cells[i + 1], want);
    }
}

static void expect_table(const struct circumstance *about)
{
    char *cells[COLUMNS + 1], *at = strstr(document, about->heading);
    cr_assert_not_null(at, "docs/SESSIONS.md has no `%s`", about->heading);
    at = next_row(strchr(at, '\n') + 1, cells);
    cr_assert_not_null(at, "no table below `%s`", about->heading);
    expect_columns(cells);
    at = strchr(at, '\n') + 1; // the line below the head
    for (size_t r = 0; r < ROW_COUNT; r++) {
        at = next_row(at, cells);
        cr_assert_not_null(at, "`%s` lacks the row `%s`", about->heading, ROWS[r].name);
        cr_assert_str_eq(cells[0], ROWS[r].name);
        for (int column = 0; column < COLUMNS; column++) {
            char cell[96];
            play((enum column)column, &ROWS[r], about, cell);
            cr_expect_str_eq(cells[column + 1], cell, "%s: %s, %s: the document says `%s`, it is `%s`",
                             about->heading, ROWS[r].name, COLUMN_NAMES[column], cells[column + 1], cell);
        }
    }
    cr_expect(*at != '|', "`%s` has a row that is not played", about->heading);
}

static void print_table(const struct circumstance *about)
{
    printf("%s\n\n| |", about->heading);
    for (size_t i = 0; i < COLUMNS; i++) {
        printf(" `%s` |", COLUMN_NAMES[i]);
    }
    printf("\n|---|---|---|---|---|---|---|\n");
    for (size_t r = 0; r < ROW_COUNT; r++) {
        printf("| %s |", ROWS[r].name);
        for (int column = 0; column < COLUMNS; column++) {
            char cell[96];
            play((enum column)column, &ROWS[r], about, cell);
            printf(" %s |", cell);
        }
        printf("\n");
    }
    printf("\n");
}

Test(engine_states, are_what_the_document_says, .timeout = 120)
{
    read_document();
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (getenv("PDP_ACCEPT") != NULL) {
            print_table(&TABLES[i]);
        } else {
            read_document();
            expect_table(&TABLES[i]);
        }
    }
}

Test(engine_states, have_a_row_for_every_event)
{
    for (int event = EVENT_NONE + 1; event < EVENT_COUNT; event++) {
        bool found = false;
        for (size_t i = 0; i < ROW_COUNT; i++) {
            found |= ROWS[i].event != NULL && strcmp(ROWS[i].event, event_name((enum event_type)event)) == 0;
        }
        cr_expect(found, "`%s` stands in no table of docs/SESSIONS.md", event_name((enum event_type)event));
    }
}
