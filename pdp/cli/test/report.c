// SPDX-License-Identifier: Apache-2.0
#include "cli/test/report.h"

#include "cli/test/judge.h"

#include <string.h>

#define FAILURES_MOST 5 // of one step: what comes after is as the first ones

struct gathering {
    struct report *report;
    const char *filter;
    struct report_point *point; // the one that is played
    bool details;               // the second time, for what failed
    bool failed;                // memory is out
};

void report_fini(struct report *report)
{
    arena_fini(&report->arena);
    *report = (struct report){0};
}

// ---- What is played ------------------------------------------------------------------------------

static bool holds(struct str text, const char *filter)
{
    return filter == NULL || str_find(text, str_of(filter), 0) != SIZE_MAX;
}

static bool wants(void *user, const struct suite_doc *doc, const struct suite_play *play)
{
    const struct gathering *g = user;
    if (holds(doc->name, g->filter)) {
        return true;
    }
    if (doc->kind == SUITE_SCENARIO) {
        return false;
    }
    bool any = play != NULL && holds(play->name, g->filter);
    for (size_t i = 0; play == NULL && i < doc->play_count && !any; i++) {
        any = holds(doc->plays[i].name, g->filter);
    }
    return any;
}

static size_t most_points(const struct suite *suite)
{
    size_t count = 0;
    for (size_t i = 0; i < suite_count(suite); i++) {
        count += suite_at(suite, i)->numbers;
    }
    return count;
}

// ---- The first time: what failed -------------------------------------------------------------------

static bool count_play(void *user, const struct suite_told *told)
{
    struct gathering *g = user;
    struct report *report = g->report;
    struct report_point *point = report->point_count > 0 ? &report->points[report->point_count - 1] : NULL;
    if (point == NULL || point->doc != told->doc || point->play->number != told->play->number) {
        point = &report->points[report->point_count++];
        *point = (struct report_point){.doc = told->doc, .play = told->play};
    }
    point->claims += (uint32_t)told->play->claim_count;
    report->claims += told->play->claim_count;
    report->failed += told->miss_count > 0 && point->failure_count == 0;
    point->failure_count += told->miss_count > 0;
    return true;
}

// ---- The second time: why --------------------------------------------------------------------------

static struct str keep(struct gathering *g, struct str text)
{
    bool ok = true;
    struct str kept = text.len > 0 ? arena_str(&g->report->arena, text, &ok) : STR("");
    g->failed = g->failed || !ok;
    return kept;
}

static struct str keep_list(struct gathering *g, const struct str *texts, size_t count)
{
    AUTO(buf_fini) struct buf out = {0};
    for (size_t i = 0; i < count; i++) {
        buf_str(&out, i > 0 ? STR(", ") : STR(""));
        buf_escaped(&out, texts[i]);
    }
    return keep(g, buf_view(&out));
}

static struct str keep_require(struct gathering *g, const struct verdict *verdict)
{
    AUTO(buf_fini) struct buf out = {0};
    if (!verdict->has_require) {
        return STR("");
    }
    buf_escaped(&out, verdict->require_strength);
    if (verdict->require_max_age_s > 0) {
        buf_str(&out, STR(", at most "));
        buf_str(&out, judge_span(verdict->require_max_age_s, &g->report->arena));
        buf_str(&out, STR(" old"));
    }
    return keep(g, buf_view(&out));
}

static void keep_signals(struct gathering *g, const struct verdict *verdict, struct report_failure *failure)
{
    struct report_signal *signals =
        ARENA_ARRAY(&g->report->arena, struct report_signal, verdict->signal_count + 1);
    g->failed = g->failed || signals == NULL;
    for (size_t i = 0; signals != NULL && i < verdict->signal_count; i++) {
        const struct verdict_signal *signal = &verdict->signals[i];
        signals[i] = (struct report_signal){keep(g, signal->id), keep(g, signal->because), signal->evidence};
    }
    failure->signals = signals;
    failure->signal_count = signals != NULL ? verdict->signal_count : 0;
}

static void keep_verdict(struct gathering *g, const struct verdict *verdict, struct report_failure *failure)
{
    failure->question = true;
    failure->effect = str_of(pdp_effect_name(verdict->effect));
    failure->code = str_of(pdp_code_name(verdict->code));
    failure->rules = keep_list(g, verdict->rules, verdict->rule_count);
    failure->missing = keep_list(g, verdict->missing, verdict->missing_count);
    failure->exceptions = keep_list(g, verdict->exceptions, verdict->exception_count);
    failure->require = keep_require(g, verdict);
    failure->has_risk = verdict->has_risk;
    failure->score = verdict->score;
    failure->level = verdict->has_risk ? RISK_LEVEL_NAMES[verdict->level] : STR("");
    keep_signals(g, verdict, failure);
}

static void keep_misses(struct gathering *g, const struct suite_told *told, struct report_failure *failure)
{
    struct suite_miss *misses = ARENA_ARRAY(&g->report->arena, struct suite_miss, told->miss_count + 1);
    g->failed = g->failed || misses == NULL;
    for (size_t i = 0; misses != NULL && i < told->miss_count; i++) {
        misses[i] = (struct suite_miss){told->misses[i].claim, keep(g, told->misses[i].got)};
    }
    failure->misses = misses;
    failure->miss_count = misses != NULL ? told->miss_count : 0;
}

static struct report_point *point_of(struct gathering *g, const struct suite_told *told)
{
    while (g->point->doc != told->doc || g->point->play->number != told->play->number) {
        g->point++;
    }
    return g->point;
}

static bool explain_play(void *user, const struct suite_told *told)
{
    struct gathering *g = user;
    struct report_point *point = point_of(g, told);
    if (told->miss_count == 0 || point->failure_count >= FAILURES_MOST) {
        point->more += told->miss_count > 0;
        return true;
    }
    if (point->failures == NULL) {
        point->failures = ARENA_ARRAY(&g->report->arena, struct report_failure, FAILURES_MOST);
    }
    if (point->failures == NULL) {
        g->failed = true;
        return false;
    }
    struct report_failure *failure =
        (struct report_failure *)(uintptr_t)&point->failures[point->failure_count++];
    failure->play = told->play;
    keep_misses(g, told, failure);
    if (told->verdict != NULL) {
        keep_verdict(g, told->verdict, failure);
    }
    return true;
}

static bool fails(const struct report *report, const struct suite_doc *doc)
{
    for (size_t i = 0; i < report->point_count; i++) {
        if (report->points[i].doc == doc && report->points[i].failure_count > 0) {
            return true;
        }
    }
    return false;
}

static enum pdp_err explain(struct suite_runner *runner, const struct suite *suite,
                            struct suite_options *options, struct gathering *g)
{
    struct report *report = g->report;
    bool *failed = ARENA_ARRAY(&report->arena, bool, suite_count(suite) + 1);
    if (failed == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < suite_count(suite); i++) {
        failed[i] = fails(report, suite_at(suite, i));
    }
    for (size_t i = 0; i < report->point_count; i++) {
        report->points[i].failure_count = 0;
    }
    options->explain = true;
    options->told = explain_play;
    g->point = report->points;
    for (size_t i = 0; i < suite_count(suite); i++) {
        if (failed[i]) {
            TRY(suite_play(runner, suite_at(suite, i), options, NULL));
        }
    }
    return g->failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

enum pdp_err report_run(struct suite_runner *runner, const struct suite *suite, const char *filter,
                        struct report *out)
{
    *out = (struct report){0};
    arena_init(&out->arena, 0, 0);
    out->points = ARENA_ARRAY(&out->arena, struct report_point, most_points(suite) + 1);
    if (out->points == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct gathering gathering = {.report = out, .filter = filter};
    struct suite_options options = {.wants = wants, .told = count_play, .user = &gathering};
    TRY(suite_run(runner, suite, &options));
    return out->failed > 0 ? explain(runner, suite, &options, &gathering) : PDP_ERR_OK;
}

// ---- Names ---------------------------------------------------------------------------------------

void report_place(struct place place, struct buf *out)
{
    uint32_t line = 0, column = 0;
    place_line_col(place, &line, &column);
    buf_escaped(out, place.src != NULL ? place.src->name : STR("?"));
    buf_printf(out, ":%u:%u", line, column);
}

void report_key(const struct suite_claim *claim, struct buf *out)
{
    buf_str(out, str_of(SUITE_CLAIM_NAMES[claim->kind]));
    if (claim->kind == SUITE_SIGNAL) {
        buf_byte(out, ' ');
        buf_escaped(out, claim->signal);
    }
}

void report_name(const struct suite_play *play, enum suite_kind kind, struct buf *out)
{
    buf_str(out, kind == SUITE_TEST ? STR("case") : STR("step"));
    if (play->name.len > 0) {
        buf_str(out, STR(" `"));
        buf_escaped(out, play->name);
        buf_byte(out, '`');
    } else {
        buf_printf(out, " %u", play->nth + 1);
    }
    if (play->turns > 1) {
        buf_printf(out, ", %u of %u", play->turn + 1, play->turns);
    }
}

struct str report_title(const struct report_point *point, struct arena *arena)
{
    AUTO(buf_fini) struct buf out = {0};
    if (point->play->name.len > 0) {
        buf_escaped(&out, point->play->name);
    } else {
        buf_printf(&out, "step %u", point->play->nth + 1);
    }
    return arena_str(arena, buf_view(&out), NULL);
}
