// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"

#include "base/time.h"

#include <stdio.h>

static struct str text_at(const struct value *root, const char *path)
{
    const struct value *found = value_path(root, str_of(path));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

static void put(struct buf *out, const char *name, const struct value *value)
{
    if (value == NULL || (value->kind == VALUE_LIST && value->n == 0)) {
        return;
    }
    buf_printf(out, "  %-12s ", name);
    if (value->kind == VALUE_STRING) {
        buf_escaped(out, value_text(value));
    } else {
        value_print(out, value, 400);
    }
    buf_byte(out, '\n');
}

static double number(const struct value *value)
{
    return value == NULL                 ? 0
           : value->kind == VALUE_DOUBLE ? value->as.d
           : value->kind == VALUE_INT    ? (double)value->as.i
                                         : 0;
}

static void put_signals(struct buf *out, const struct value *signals)
{
    for (uint32_t i = 0; signals != NULL && signals->kind == VALUE_LIST && i < signals->n; i++) {
        const struct value *one = &signals->as.list[i];
        buf_printf(out, "    %+7.2f  ", number(value_get(one, STR("evidence"))));
        buf_escaped(out, text_at(one, "id"));
        struct str because = text_at(one, "because");
        if (because.len > 0) {
            buf_str(out, STR(": "));
            buf_escaped(out, because);
        }
        buf_byte(out, '\n');
    }
}

static const struct {
    const char *name, *path;
} LINES[] = {
    {"code", "context.code"},
    {"rule", "context.rule"},
    {"reason", "context.reason"},
    {"message", "context.message"},
    {"missing", "context.missing"},
    {"require", "context.require"},
    {"exceptions", "context.exceptions"},
    {"shadow", "context.shadow"},
    {"session", "context.session"},
    {"client", "context.client"},
    {"path", "context.resource.path"},
    {"error", "context.error"},
    {"valid", "context.valid"},
    {"obligations", "context.obligations"},
    {"snapshot", "context.snapshot"},
};

static void put_whole(struct buf *out, const char *before, const struct value *number, const char *after)
{
    if (number != NULL && number->kind == VALUE_INT) {
        buf_printf(out, "%s%lld%s", before, (long long)number->as.i, after);
    }
}

// What a search found, one a line, then how much was looked at for it, and where the next page begins.
static void put_results(const struct value *answer, const struct value *results, struct buf *out)
{
    struct str next = text_at(answer, "page.next_token");
    for (uint32_t i = 0; i < results->n; i++) {
        const struct value *id = value_get(&results->as.list[i], STR("id"));
        const struct value *name = id != NULL ? id : value_get(&results->as.list[i], STR("name"));
        const struct value *properties = value_get(&results->as.list[i], STR("properties"));
        buf_escaped(out, name != NULL && name->kind == VALUE_STRING ? value_text(name) : STR("?"));
        if (properties != NULL) {
            buf_byte(out, ' ');
            value_print(out, properties, 4000);
        }
        buf_byte(out, '\n');
    }
    buf_printf(out, "%u found", results->n);
    put_whole(out, ", ", value_path(answer, STR("context.looked")), " looked at");
    put_whole(out, " of ", value_path(answer, STR("context.of")), "");
    buf_str(out, next.len > 0 ? STR("; there is more, behind the token ") : STR(""));
    buf_escaped(out, next);
    buf_byte(out, '\n');
}

void show_block(const struct value *answer, struct buf *out)
{
    struct str effect = text_at(answer, "context.effect");
    const struct value *results = value_get(answer, STR("results"));
    const struct value *batch = value_get(answer, STR("evaluations"));
    if (batch != NULL && batch->kind == VALUE_LIST) {
        for (uint32_t i = 0; i < batch->n; i++) {
            buf_printf(out, "%u of %u: ", i + 1, batch->n);
            show_block(&batch->as.list[i], out);
        }
        return;
    }
    if (results != NULL && results->kind == VALUE_LIST) {
        put_results(answer, results, out);
        return;
    }
    if (effect.len == 0) { // an event
        value_print(out, answer, 4000);
        buf_byte(out, '\n');
        return;
    }
    buf_escaped(out, effect);
    buf_byte(out, '\n');
    for (size_t i = 0; i < COUNT_OF(LINES); i++) {
        put(out, LINES[i].name, value_path(answer, str_of(LINES[i].path)));
    }
    const struct value *score = value_path(answer, STR("context.risk.score"));
    if (score != NULL) {
        buf_printf(out, "  %-12s %.1f " STR_FMT "\n", "risk", number(score),
                   STR_ARG(text_at(answer, "context.risk.level")));
        put_signals(out, value_path(answer, STR("context.risk.signals")));
    }
}

// ---- One line a question -----------------------------------------------------------------------

// What is longer than its column is shown cut, with a mark; never an address, which half would be another
// one.
static void put_cell(struct buf *out, struct str text, size_t width, bool whole)
{
    struct buf cell = {0};
    buf_escaped(&cell, text);
    struct str shown = buf_view(&cell);
    size_t places = str_count_cp(shown);
    bool cut = !whole && places > width;
    while (cut && places >= width) { // whole letters go, until there is room for the mark
        do {
            shown.len--;
        } while (((unsigned char)shown.at[shown.len] & 0xC0) == 0x80);
        places--;
    }
    buf_str(out, shown);
    buf_str(out, cut ? STR("~") : STR(""));
    buf_byte(out, ' ');
    for (size_t i = places + (cut ? 1 : 0); i < width; i++) {
        buf_byte(out, ' ');
    }
    buf_fini(&cell);
}

static void put_time(struct buf *out, const struct value *at)
{
    int64_t ms = 0;
    bool known = at != NULL &&
                 ((at->kind == VALUE_STRING && local_time(value_text(at), &ms)) || at->kind == VALUE_INT);
    ms = known && at->kind == VALUE_INT ? at->as.i : ms;
    // The day is the same for most of a recording: the time of day, in UTC, tells more.
    int64_t second = ((ms / TIME_MS_PER_S) % 86400 + 86400) % 86400;
    char text[16] = "-";
    if (known) {
        snprintf(text, sizeof text, "%02d:%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60),
                 (int)(second % 60));
    }
    put_cell(out, str_of(text), 8, false);
}

static void put_asked(struct buf *out, const struct value *asked)
{
    const struct value *event = value_get(asked, STR("event"));
    const struct value *question = event != NULL ? event : value_get(asked, STR("request"));
    struct buf what = {0};
    if (event != NULL) {
        buf_printf(&what, "event " STR_FMT, STR_ARG(text_at(event, "type")));
    } else {
        buf_printf(&what, STR_FMT " " STR_FMT, STR_ARG(text_at(question, "action.name")),
                   STR_ARG(text_at(question, "resource.id")));
    }
    put_cell(out, text_at(question, "subject.id"), 8, false);
    put_cell(out, buf_view(&what), 26, false);
    struct str ip = text_at(question, "context.network.ip");
    put_cell(out, ip.len > 0 ? ip : STR("-"), 15, true);
    buf_fini(&what);
}

static void put_why(struct buf *out, const struct value *answer)
{
    struct str rule = text_at(answer, "context.rule");
    struct str reason = text_at(answer, "context.reason");
    struct str error = text_at(answer, "context.error.message");
    if (rule.len > 0) {
        buf_escaped(out, rule);
        buf_str(out, STR(": "));
    }
    if (error.len > 0) {
        buf_str(out, STR("malformed: "));
        buf_escaped(out, text_at(answer, "context.error.field"));
        buf_byte(out, ' ');
    }
    buf_escaped(out, error.len > 0 ? error : reason.len > 0 ? reason : text_at(answer, "context.code"));
    struct str shadow = text_at(answer, "context.shadow.effect");
    if (shadow.len > 0 && !str_eq(shadow, text_at(answer, "context.effect"))) {
        buf_str(out, STR(" (in shadow: "));
        buf_escaped(out, shadow);
        struct str by = text_at(answer, "context.shadow.rule");
        buf_str(out, by.len > 0 ? STR(" by ") : STR(", "));
        buf_escaped(out, by.len > 0 ? by : text_at(answer, "context.shadow.code"));
        buf_byte(out, ')');
    }
    const struct value *missing = value_path(answer, STR("context.missing"));
    if (missing != NULL && missing->kind == VALUE_LIST && missing->n > 0) {
        buf_str(out, STR("; "));
        buf_escaped(out, value_text(&missing->as.list[0]));
    }
    const struct value *signals = value_path(answer, STR("context.risk.signals"));
    for (uint32_t i = 0; signals != NULL && signals->kind == VALUE_LIST && i < signals->n && i < 3; i++) {
        buf_str(out, i == 0 ? STR("  [") : STR(", "));
        buf_escaped(out, text_at(&signals->as.list[i], "id"));
        buf_printf(out, " %+.1f", number(value_get(&signals->as.list[i], STR("evidence"))));
    }
    buf_str(out, signals != NULL && signals->n > 0 ? STR("]") : STR(""));
}

void show_titles(struct buf *out)
{
    buf_printf(out, "%-8s %-8s %-26s %-15s %-9s %-6s %s\n", "TIME", "SUBJECT", "ASKED", "ADDRESS", "ANSWER",
               " RISK", "WHY");
}

void show_line(const struct value *asked, const struct value *answer, struct buf *out)
{
    const struct value *event = value_get(answer, STR("event"));
    put_time(out, value_get(asked, STR("at")));
    put_asked(out, asked);
    struct str effect = text_at(answer, "context.effect");
    const struct value *recorded = value_get(event, STR("recorded"));
    bool done = recorded != NULL && recorded->kind == VALUE_BOOL && recorded->as.b;
    put_cell(out, event == NULL ? effect : done ? STR("recorded") : STR("refused"), 9, true);
    const struct value *score =
        value_path(answer, event != NULL ? STR("risk.score") : STR("context.risk.score"));
    char risk[16] = "";
    if (score != NULL) {
        snprintf(risk, sizeof risk, "%5.1f", number(score));
    }
    put_cell(out, str_of(risk), 6, true);
    if (event == NULL) {
        put_why(out, answer);
    } else {
        buf_escaped(out, done ? text_at(answer, "session.state") : text_at(event, "message"));
    }
    buf_byte(out, '\n');
}

int show_code(const struct value *answer)
{
    const struct value *batch = value_get(answer, STR("evaluations"));
    if (batch != NULL && batch->kind == VALUE_LIST) { // yes to all, or no
        for (uint32_t i = 0; i < batch->n; i++) {
            if (show_code(&batch->as.list[i]) != CLI_DONE) {
                return CLI_NO;
            }
        }
        return batch->n > 0 ? CLI_DONE : CLI_NO;
    }
    const struct value *results = value_get(answer, STR("results"));
    if (results != NULL && results->kind == VALUE_LIST) { // is there any?
        return results->n > 0 ? CLI_DONE : CLI_NO;
    }
    const struct value *decision = value_get(answer, STR("decision"));
    const struct value *recorded = value_path(answer, STR("event.recorded"));
    bool yes = (decision != NULL && decision->kind == VALUE_BOOL && decision->as.b &&
                str_eq(text_at(answer, "context.effect"), STR("allow"))) ||
               (recorded != NULL && recorded->kind == VALUE_BOOL && recorded->as.b);
    return yes ? CLI_DONE : CLI_NO;
}
