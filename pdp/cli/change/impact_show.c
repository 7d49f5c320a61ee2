// SPDX-License-Identifier: Apache-2.0
#include "cli/change/change.h"

#include "base/time.h"

#define SUBJECTS_SHOWN 5 // in one line for people

static const char *s_of(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void put_number(struct buf *out, uint64_t number, const char *what)
{
    buf_printf(out, "%llu %s%s", (unsigned long long)number, what, s_of(number));
}

// ---- For people --------------------------------------------------------------------------------------

static void show_summary(const struct tally *tally, struct buf *out)
{
    put_number(out, tally->questions, "question");
    buf_str(out, STR(", "));
    put_number(out, tally->events, "event");
    buf_printf(out, ": %llu answered differently",
               (unsigned long long)(tally->differ + tally->events_differ));
    if (tally->differ > 0) {
        buf_printf(out, " (%llu more strictly, %llu less, %llu with the same effect)",
                   (unsigned long long)tally->tightened, (unsigned long long)tally->loosened,
                   (unsigned long long)(tally->differ - tally->tightened - tally->loosened));
    }
    buf_printf(out, ", %llu scored differently\n", (unsigned long long)tally->scores_differ);
}

static void show_rule(const struct view *view, struct buf *out)
{
    buf_escaped(out, view->rule.len > 0 ? view->rule : view->code.len > 0 ? view->code : STR("-"));
}

static void show_subjects(const struct tally *tally, const struct tally_group *group, struct buf *out)
{
    uint32_t at = group->subject;
    for (size_t i = 0; i < SUBJECTS_SHOWN && at != TALLY_NONE; i++, at = tally->subjects[at].next) {
        buf_str(out, i == 0 ? STR("  of ") : STR(", "));
        buf_escaped(out, tally->subjects[at].name);
        buf_printf(out, " %llu", (unsigned long long)tally->subjects[at].count);
    }
    if (at != TALLY_NONE || group->others > 0) {
        uint32_t more = group->subjects > SUBJECTS_SHOWN ? group->subjects - SUBJECTS_SHOWN : 0;
        buf_printf(out, " and %s%u more", group->others > 0 ? "at least " : "", more);
    }
    buf_byte(out, '\n');
}

static void show_first(const struct tally_first *first, struct buf *out)
{
    buf_printf(out, "  first in line %llu, ", (unsigned long long)first->line);
    time_print_ms(out, first->at_ms);
    buf_str(out, STR(": "));
    buf_escaped(out, first->action);
    if (first->resource.len > 0) {
        buf_byte(out, ' ');
        buf_escaped(out, first->resource);
    }
    buf_str(out, STR(" by "));
    buf_escaped(out, first->subject);
    buf_str(out, STR("\n    old  "));
    view_show(&first->was, out);
    buf_str(out, STR("\n    new  "));
    view_show(&first->is, out);
    buf_byte(out, '\n');
}

static void show_group(const struct tally *tally, const struct tally_group *group, struct buf *out)
{
    const struct view *was = &group->first.was, *is = &group->first.is;
    buf_printf(out, "\n%llu time%s ", (unsigned long long)group->count, s_of(group->count));
    buf_escaped(out, was->effect);
    buf_str(out, STR(" -> "));
    buf_escaped(out, is->effect);
    buf_str(out, STR(": "));
    show_rule(was, out);
    buf_str(out, STR(" -> "));
    show_rule(is, out);
    buf_byte(out, '\n');
    show_subjects(tally, group, out);
    show_first(&group->first, out);
}

static void show_denied(const struct tally *tally, size_t limit, struct buf *out)
{
    if (tally->denied_count == 0) {
        return;
    }
    buf_printf(out, "\nnewly denied: %s%u subject%s\n", tally->denied_others > 0 ? "at least " : "",
               tally->denied_count, s_of(tally->denied_count));
    for (uint32_t i = 0; i < tally->denied_count && i < limit; i++) {
        buf_str(out, STR("  "));
        buf_escaped(out, tally->denied[i].name);
        buf_printf(out, ": %llu, the first in line %llu\n", (unsigned long long)tally->denied[i].count,
                   (unsigned long long)tally->denied[i].line);
    }
    if (tally->denied_count > limit) {
        buf_printf(out, "  and %zu more\n", tally->denied_count - limit);
    }
}

// Is the session over in this one alone?
static bool is_of(const struct tally_session *row, bool is)
{
    return row->ref[0] != '\0' && (is ? row->is_line : row->was_line) != 0;
}

static uint32_t count_sessions(const struct tally *tally, bool is)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tally->session_cap; i++) {
        count += is_of(&tally->sessions[i], is);
    }
    return count;
}

// Calls `each` for those over in one alone, by line, at most `limit`. Quadratic in the limit, not in all.
static void each_session(const struct tally *tally, bool is, size_t limit,
                         void (*each)(const struct tally_session *row, uint64_t line, void *to), void *to)
{
    uint64_t after = 0;
    for (size_t shown = 0; shown < limit;) {
        uint64_t next = UINT64_MAX;
        for (uint32_t i = 0; i < tally->session_cap; i++) {
            const struct tally_session *row = &tally->sessions[i];
            uint64_t line = is ? row->is_line : row->was_line;
            next = is_of(row, is) && line > after && line < next ? line : next;
        }
        if (next == UINT64_MAX) {
            return;
        }
        for (uint32_t i = 0; i < tally->session_cap && shown < limit; i++) {
            const struct tally_session *row = &tally->sessions[i];
            if (is_of(row, is) && (is ? row->is_line : row->was_line) == next) {
                each(row, next, to);
                shown++;
            }
        }
        after = next;
    }
}

static void show_session(const struct tally_session *row, uint64_t line, void *to)
{
    struct buf *out = to;
    buf_printf(out, "  %s of ", row->ref);
    buf_escaped(out, str_of(row->subject));
    buf_printf(out, ", line %llu\n", (unsigned long long)line);
}

static void show_sessions(const struct tally *tally, size_t limit, struct buf *out)
{
    for (int is = 1; is >= 0; is--) {
        uint32_t count = count_sessions(tally, is != 0);
        if (count > 0) {
            buf_printf(out, "\nsessions over in %s alone: %u\n", is != 0 ? "new" : "old", count);
            each_session(tally, is != 0, limit, show_session, out);
            if (count > limit) {
                buf_printf(out, "  and %zu more\n", count - limit);
            }
        }
    }
    if (tally->sessions_lost > 0) {
        buf_printf(out, "\nand %llu times a session was over in one alone for which there was no room\n",
                   (unsigned long long)tally->sessions_lost);
    }
}

void impact_show(const struct tally *tally, const struct impact_told *told, struct buf *out)
{
    show_summary(tally, out);
    uint64_t left = tally->others;
    for (uint32_t i = 0; i < tally->group_count; i++) {
        if (i < told->limit) {
            show_group(tally, &tally->groups[i], out);
        } else {
            left += tally->groups[i].count;
        }
    }
    if (left > 0) {
        buf_printf(out, "\nothers: %llu in smaller groups\n", (unsigned long long)left);
    }
    show_denied(tally, told->limit, out);
    show_sessions(tally, told->limit, out);
}

// ---- For programs ------------------------------------------------------------------------------------

static void emit_count(struct emit *emit, const char *key, uint64_t count)
{
    emit_key(emit, str_of(key));
    emit_uint(emit, count);
}

static void emit_subject(struct emit *emit, const struct tally_subject *subject)
{
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "subject", subject->name);
    emit_count(emit, "count", subject->count);
    emit_count(emit, "line", subject->line);
    emit_end(emit);
}

static void emit_first(struct emit *emit, const struct tally_first *first)
{
    AUTO(buf_fini) struct buf at = {0};
    time_print_ms(&at, first->at_ms);
    emit_map(emit, SIZE_MAX);
    emit_count(emit, "line", first->line);
    emit_key_str(emit, "at", buf_view(&at));
    emit_key_str(emit, "subject", first->subject);
    emit_key_str(emit, "action", first->action);
    emit_key_str(emit, "resource_type", first->type);
    emit_key_str(emit, "resource", first->resource);
    emit_key(emit, STR("old"));
    view_emit(&first->was, emit);
    emit_key(emit, STR("new"));
    view_emit(&first->is, emit);
    emit_end(emit);
}

static void emit_group(struct emit *emit, const struct tally *tally, const struct tally_group *group,
                       size_t limit)
{
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "old", group->first.was.effect);
    emit_key_str(emit, "new", group->first.is.effect);
    emit_key_str(emit, "old_rule", group->first.was.rule);
    emit_key_str(emit, "new_rule", group->first.is.rule);
    emit_count(emit, "count", group->count);
    emit_count(emit, "subjects", group->subjects);
    emit_count(emit, "others", group->others);
    emit_key(emit, STR("by_subject"));
    emit_list(emit, SIZE_MAX);
    uint32_t at = group->subject;
    for (size_t i = 0; i < limit && at != TALLY_NONE; i++, at = tally->subjects[at].next) {
        emit_subject(emit, &tally->subjects[at]);
    }
    emit_end(emit);
    emit_key(emit, STR("first"));
    emit_first(emit, &group->first);
    emit_end(emit);
}

static void emit_session(const struct tally_session *row, uint64_t line, void *to)
{
    struct emit *emit = to;
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "session", str_of(row->ref));
    emit_key_str(emit, "subject", str_of(row->subject));
    emit_count(emit, "line", line);
    emit_end(emit);
}

static void emit_sessions(struct emit *emit, const struct tally *tally, size_t limit)
{
    emit_key(emit, STR("sessions"));
    emit_map(emit, SIZE_MAX);
    emit_count(emit, "lost", tally->sessions_lost);
    for (int is = 0; is < 2; is++) {
        emit_count(emit, is != 0 ? "only_new" : "only_old", count_sessions(tally, is != 0));
        emit_key(emit, is != 0 ? STR("only_new_list") : STR("only_old_list"));
        emit_list(emit, SIZE_MAX);
        each_session(tally, is != 0, limit, emit_session, emit);
        emit_end(emit);
    }
    emit_end(emit);
}

static void emit_counts(struct emit *emit, const struct tally *tally, const struct impact_told *told)
{
    emit_count(emit, "lines", told->lines);
    emit_count(emit, "unread", told->unread);
    emit_count(emit, "questions", tally->questions);
    emit_count(emit, "events", tally->events);
    emit_count(emit, "differ", tally->differ);
    emit_count(emit, "events_differ", tally->events_differ);
    emit_count(emit, "stricter", tally->tightened);
    emit_count(emit, "looser", tally->loosened);
    emit_count(emit, "scores_differ", tally->scores_differ);
    emit_count(emit, "others", tally->others);
}

void impact_emit(const struct tally *tally, const struct impact_told *told, struct buf *out)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_counts(&emit, tally, told);
    emit_key(&emit, STR("groups"));
    emit_list(&emit, SIZE_MAX);
    for (uint32_t i = 0; i < tally->group_count && i < told->limit; i++) {
        emit_group(&emit, tally, &tally->groups[i], told->limit);
    }
    emit_end(&emit);
    emit_count(&emit, "group_count", tally->group_count);
    emit_count(&emit, "newly_denied", tally->denied_count);
    emit_count(&emit, "newly_denied_others", tally->denied_others);
    emit_key(&emit, STR("newly_denied_list"));
    emit_list(&emit, SIZE_MAX);
    for (uint32_t i = 0; i < tally->denied_count && i < told->limit; i++) {
        emit_subject(&emit, &tally->denied[i]);
    }
    emit_end(&emit);
    emit_sessions(&emit, tally, told->limit);
    emit_end(&emit);
    buf_byte(out, '\n');
}
