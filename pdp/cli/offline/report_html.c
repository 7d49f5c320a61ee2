// SPDX-License-Identifier: Apache-2.0
#include "cli/offline/report.h"

#include "base/fmath.h"
#include "cli/offline/plot.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define STEPS 101 // thresholds of a line

static const double LEAST_SHARE = 0.0001; // where the axis of shares begins

static const char HEAD[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
    "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
    "<title>Risk report</title>\n<style>\n"
    ":root { --paper: #fff; --ink: #1c2430; --soft: #5b6675; --rule: #dfe4ea; --band: #f5f7f9;\n"
    "  --a: #1f5fa8; --b: #b3500f; --c: #2f7d32; --d: #8a2d8a; --e: #b3261e; }\n"
    "@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e6eaf0; --soft: #a3afbd;\n"
    "  --rule: #333b45; --band: #1c2229; --a: #7db7ff; --b: #ffb070; --c: #86d28a; --d: #e49be4; --e: "
    "#ff8f85; } }\n"
    "body { margin: 0 auto; max-width: 78rem; padding: 1.5rem; background: var(--paper); color: var(--ink);\n"
    "  font: 15px/1.5 system-ui, sans-serif; }\n"
    "h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .3rem; }\n"
    "p { max-width: 48rem; margin: .3rem 0 .8rem; } .soft { color: var(--soft); }\n"
    ".pair { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }\n"
    ".pair > figure { flex: 1 1 26rem; margin: 0; } .pair > .table { flex: 1 1 31rem; overflow-x: auto; }\n"
    "svg { width: 100%; height: auto; display: block; }\n"
    "table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px; }\n"
    "caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }\n"
    "th, td { text-align: right; padding: .18rem .4rem; border-bottom: 1px solid var(--rule); white-space: "
    "nowrap; }\n"
    "thead th { white-space: normal; vertical-align: bottom; } th:first-child { text-align: left; }\n"
    "tbody th { min-width: 4.5rem; white-space: normal; overflow-wrap: anywhere; font-weight: 600; }\n"
    "tbody tr:nth-child(even) { background: var(--band); }\n"
    "dl { display: flex; flex-wrap: wrap; gap: .2rem 2rem; margin: .8rem 0; } dl div { min-width: 7rem; }\n"
    "dt { color: var(--soft); font-size: 13px; } dd { margin: 0; font-size: 1.25rem; }\n"
    ".key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: .2rem 0; padding: "
    "0;\n"
    "  font-size: 13px; } .key svg { display: inline-block; width: 28px; height: 10px; margin-right: .4rem; "
    "}\n"
    ".grid { stroke: var(--rule); stroke-width: 1; } .mark { fill: var(--soft); font-size: 11px; }\n"
    ".name { fill: var(--soft); font-size: 12px; }\n"
    ".bar { fill: var(--a); } .bar.over { fill: var(--e); } .dot { fill: var(--a); fill-opacity: .75; }\n"
    ".line { fill: none; stroke-width: 2; stroke: var(--a); } .line.b { stroke: var(--b); stroke-dasharray: "
    "7 "
    "3; }\n"
    ".line.c { stroke: var(--c); stroke-dasharray: 2 3; } .line.d { stroke: var(--d); stroke-dasharray: 9 3 "
    "2 "
    "3; }\n"
    ".line.e { stroke: var(--e); stroke-width: 3; } .line.right { stroke: var(--soft); stroke-dasharray: 4 "
    "4; "
    "}\n"
    "</style>\n</head>\n<body>\n";

static double part_of(double part, double all)
{
    return all > 0 ? 100 * part / all : 0;
}

// ---- Tables ------------------------------------------------------------------------------------

// A table with a caption and the names of its columns, `|` between them.
static void table_begin(struct buf *out, const char *caption, const char *columns)
{
    buf_printf(out, "<div class=\"table\"><table>\n<caption>%s</caption>\n<thead><tr>", caption);
    struct str all = str_of(columns);
    for (size_t at = 0; at < all.len;) {
        size_t end = str_find_byte(all, '|', at);
        buf_printf(out, "<th scope=\"col\">" STR_FMT "</th>", STR_ARG(str_sub(all, at, end - at)));
        at = end + 1;
    }
    buf_printf(out, "</tr></thead>\n<tbody>\n");
}

static void table_end(struct buf *out)
{
    buf_printf(out, "</tbody></table></div>\n");
}

static void cell_share(struct buf *out, double share)
{
    buf_printf(out, "<td>%.2f %%</td>", 100 * share);
}

static void row_name(struct buf *out, struct str name)
{
    buf_printf(out, "<tr><th scope=\"row\">");
    plot_text(out, name);
    buf_printf(out, "</th>");
}

static void key(struct buf *out, const char *class, const char *text)
{
    buf_printf(
        out,
        "<li><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\"><line class=\"line %s\" x1=\"0\" y1=\"5\" "
        "x2=\"28\" y2=\"5\"/></svg>%s</li>",
        class, text);
}

static void section(struct buf *out, const char *title, const char *words)
{
    buf_printf(out, "<section><h2>%s</h2>\n<p>%s</p>\n<div class=\"pair\">\n", title, words);
}

static void section_end(struct buf *out)
{
    buf_printf(out, "</div></section>\n");
}

// ---- Scores ------------------------------------------------------------------------------------

static void score_bars(const struct plot *plot, const struct report *r)
{
    for (size_t i = 0; i < TRAFFIC_BINS; i++) {
        char text[80];
        double from = (double)i * 5;
        snprintf(text, sizeof text, "score %zu to %zu: %zu questions", i * 5, i * 5 + 5, r->traffic.bins[i]);
        if (r->traffic.bins[i] > 0) {
            plot_bar(plot, from + 0.4, from + 4.6, (double)r->traffic.bins[i], "bar", text);
        }
    }
}

// Attacks among those, where they are known.
static size_t attacks_in(const struct report *r, size_t bin)
{
    const struct traffic_column *attacks = &r->traffic.attacks;
    size_t from = measure_at_least(attacks->scores, attacks->count, (double)bin * 5);
    bool last = bin + 1 == TRAFFIC_BINS;
    return last ? from : from - measure_at_least(attacks->scores, attacks->count, (double)bin * 5 + 5);
}

static void attack_bars(const struct plot *plot, const struct report *r)
{
    for (size_t i = 0; i < TRAFFIC_BINS; i++) {
        char text[80];
        size_t count = attacks_in(r, i);
        double from = (double)i * 5;
        snprintf(text, sizeof text, "score %zu to %zu: %zu attacks", i * 5, i * 5 + 5, count);
        if (count > 0) {
            plot_bar(plot, from + 1.6, from + 3.4, (double)count, "bar over", text);
        }
    }
}

static void put_scores(struct buf *out, const struct report *r)
{
    struct plot plot = {out, "scores", 640, 300, 62, 40, 0, 100, 0.5, 10, true};
    for (size_t i = 0; i < TRAFFIC_BINS; i++) {
        while ((double)r->traffic.bins[i] > plot.y_most) {
            plot.y_most *= 10;
        }
    }
    section(
        out, "What questions score",
        r->traffic.attacks.count > 0
            ? "How many questions fell into each five points of the score; the thin bars are known attacks. "
              "Each line is ten times the one below it."
            : "How many questions fell into each five points of the score. Each line is ten times the one "
              "below it.");
    buf_printf(out, "<figure>");
    plot_begin(
        &plot, "Distribution of scores",
        STR("Bars over the score from 0 to 100 in steps of 5; their height is the logarithm of the count. "
            "The table beside it has the same numbers."));
    for (double x = 0; x <= 100; x += 10) {
        char text[16];
        snprintf(text, sizeof text, "%.0f", x);
        plot_x_mark(&plot, x, text);
    }
    for (double y = 1; y <= plot.y_most; y *= 10) {
        char text[24];
        snprintf(text, sizeof text, "%.0f", y);
        plot_y_mark(&plot, y, text);
    }
    score_bars(&plot, r);
    attack_bars(&plot, r);
    plot_names(&plot, "score", "questions");
    plot_end(&plot);
    buf_printf(out, "</figure>\n");
    bool labelled = r->gather->labelled;
    table_begin(out, "Questions by score",
                labelled ? "Score|Questions|Share|Known attacks" : "Score|Questions|Share");
    for (size_t i = 0; i < TRAFFIC_BINS; i++) {
        if (r->traffic.bins[i] == 0) {
            continue;
        }
        buf_printf(out, "<tr><th scope=\"row\">%zu to %zu</th><td>%zu</td>", i * 5, i * 5 + 5,
                   r->traffic.bins[i]);
        cell_share(out, (double)r->traffic.bins[i] / (double)r->gather->count);
        if (labelled) {
            buf_printf(out, "<td>%zu</td>", attacks_in(r, i));
        }
        buf_printf(out, "</tr>\n");
    }
    table_end(out);
    section_end(out);
}

// ---- Thresholds --------------------------------------------------------------------------------

struct curve {
    const char *class, *name;
    size_t offset; // of struct traffic_rates
    bool labelled; // only where there are labels
};

static const struct curve CURVES[] = {
    {"line", "questions asked to step up", offsetof(struct traffic_rates, questions), false},
    {"line b", "sessions with one", offsetof(struct traffic_rates, sessions), false},
    {"line c", "users with one", offsetof(struct traffic_rates, users), false},
    {"line d", "sessions that it would end", offsetof(struct traffic_rates, ended_sessions), false},
    {"line e", "known attacks found", offsetof(struct traffic_rates, attacks), true},
};

static void put_curves(const struct plot *plot, const struct report *r)
{
    double x[STEPS], y[COUNT_OF(CURVES)][STEPS];
    for (size_t i = 0; i < STEPS; i++) {
        struct traffic_rates rates;
        x[i] = (double)i * 100 / (STEPS - 1);
        traffic_rates(&r->traffic, x[i], &rates);
        for (size_t k = 0; k < COUNT_OF(CURVES); k++) {
            memcpy(&y[k][i], (const char *)&rates + CURVES[k].offset, sizeof(double));
        }
    }
    for (size_t k = 0; k < COUNT_OF(CURVES); k++) {
        if (!CURVES[k].labelled || r->traffic.attacks.count > 0) {
            plot_line(plot, x, y[k], STEPS, CURVES[k].class);
        }
    }
}

static void put_threshold_table(struct buf *out, const struct report *r)
{
    bool labelled = r->gather->labelled;
    table_begin(out, "Asked to step up, and ended where it ends, at a threshold",
                labelled ? "Threshold|Questions|Sessions|Users|Sessions ended|Attacks found|Others troubled"
                         : "Threshold|Questions|Sessions|Users|Sessions ended");
    for (size_t i = 0; i < REPORT_THRESHOLDS; i++) {
        const struct traffic_rates *at = &r->rates[i];
        buf_printf(out, "<tr><th scope=\"row\">%.0f</th>", r->thresholds[i]);
        cell_share(out, at->questions);
        cell_share(out, at->sessions);
        cell_share(out, at->users);
        cell_share(out, at->ended_sessions);
        if (labelled) {
            cell_share(out, at->attacks);
            cell_share(out, at->others);
        }
        buf_printf(out, "</tr>\n");
    }
    table_end(out);
}

static void cell_budget(struct buf *out, bool found, double threshold, double asks)
{
    if (found) {
        buf_printf(out, "<td>%.10g</td>", threshold);
        cell_share(out, asks);
    } else {
        buf_printf(out, "<td>none</td><td>–</td>");
    }
}

static void put_budgets(struct buf *out, const struct report *r)
{
    table_begin(out, "The threshold that a budget of step-ups means, and what it asks",
                "Budget|Of questions|asks|Of sessions|asks");
    for (size_t i = 0; i < REPORT_BUDGETS; i++) {
        const struct report_budget *b = &r->budgets[i];
        buf_printf(out, "<tr><th scope=\"row\">%.1f %%</th>", 100 * b->share);
        cell_budget(out, b->questions, b->by_questions, b->question_rates.questions);
        cell_budget(out, b->sessions, b->by_sessions, b->session_rates.sessions);
        buf_printf(out, "</tr>\n");
    }
    table_end(out);
}

static void put_thresholds(struct buf *out, const struct report *r)
{
    struct plot plot = {out, "rates", 640, 320, 62, 40, 0, 100, LEAST_SHARE, 1, true};
    section(out, "What a threshold asks",
            "Which part of questions, sessions and users is at a threshold or above it, and which sessions a "
            "rule "
            "that ends them there would end: those with evidence that is not familiarity alone.");
    buf_printf(out, "<figure><ul class=\"key\">");
    for (size_t k = 0; k < COUNT_OF(CURVES); k++) {
        if (!CURVES[k].labelled || r->traffic.attacks.count > 0) {
            key(out, CURVES[k].class + (CURVES[k].class[4] != '\0' ? 5 : 4), CURVES[k].name);
        }
    }
    buf_printf(out, "</ul>\n");
    plot_begin(
        &plot, "Rates by threshold",
        STR("Falling lines over the threshold from 0 to 100: the share of questions, sessions and users "
            "asked "
            "to step up, of sessions ended, and of known attacks found, on a logarithmic axis from 0.01 to "
            "100 percent. The table beside it has the numbers."));
    for (double x = 0; x <= 100; x += 10) {
        char text[16];
        snprintf(text, sizeof text, "%.0f", x);
        plot_x_mark(&plot, x, text);
    }
    static const char *const MARKS[] = {"0.01 %", "0.1 %", "1 %", "10 %", "100 %"};
    double y = LEAST_SHARE;
    for (size_t i = 0; i < COUNT_OF(MARKS); i++, y *= 10) {
        plot_y_mark(&plot, y, MARKS[i]);
    }
    put_curves(&plot, r);
    plot_names(&plot, "threshold", "share");
    plot_end(&plot);
    buf_printf(out, "</figure>\n");
    put_threshold_table(out, r);
    put_budgets(out, r);
    section_end(out);
}

// ---- Signals -----------------------------------------------------------------------------------

// One bar a signal, the strongest on top, its name on the left.
static void signal_bars(const struct plot *plot, const struct report *r, size_t count)
{
    struct buf *out = plot->out;
    for (size_t i = 0; i < count; i++) {
        const struct gather_signal *s = r->signals[i];
        double share = part_of(s->above_raise, r->gather->above_raise);
        double top = 10 + (double)i * 22, wide = (plot->width - plot->left - 60) * share / 100;
        buf_printf(out, "<text class=\"mark\" text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">", plot->left - 6,
                   top + 12);
        plot_text(out, s->id);
        buf_printf(out,
                   "</text><rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"16\"/>"
                   "<text class=\"mark\" x=\"%.1f\" y=\"%.1f\">%.1f %%</text>\n",
                   plot->left, top, wide, plot->left + wide + 5, top + 12, share);
    }
}

static void put_signals(struct buf *out, const struct report *r)
{
    size_t count = r->signal_count;
    struct plot plot = {out, "signals", 640,  20 + 22 * (double)(count > 0 ? count : 1), 170, 0, 0, 1,
                        0,   1,         false};
    section(
        out, "Which signals raise the risk",
        "What part each signal has in all that raised questions to medium risk or higher, and how often it "
        "speaks at all. One that never speaks is not listed.");
    buf_printf(out, "<figure>");
    plot_begin(
        &plot, "Signals by share",
        STR("A bar a signal: its part of the evidence that raised questions of medium risk or higher. The "
            "table beside it has the numbers."));
    signal_bars(&plot, r, count);
    plot_end(&plot);
    buf_printf(out, "</figure>\n");
    table_begin(out, "Signals, what raises most first",
                "Signal|Speaks in|Mean evidence|At medium|Share there");
    for (size_t i = 0; i < count; i++) {
        const struct gather_signal *s = r->signals[i];
        row_name(out, s->id);
        cell_share(out, (double)s->spoke / (double)r->gather->count);
        buf_printf(out, "<td>%+.2f</td>", s->evidence / (double)s->spoke);
        cell_share(out, part_of((double)s->above, (double)r->gather->above) / 100);
        cell_share(out, part_of(s->above_raise, r->gather->above_raise) / 100);
        buf_printf(out, "</tr>\n");
    }
    table_end(out);
    section_end(out);
}

// ---- Labels ------------------------------------------------------------------------------------

static void reliability_dots(const struct plot *plot, const struct report *r)
{
    double ends[2] = {0, 1};
    plot_line(plot, ends, ends, 2, "line right");
    for (size_t i = 0; i < MEASURE_BINS; i++) {
        const struct measure_bin *bin = &r->fit.bins[i];
        char text[100];
        if (bin->count == 0) {
            continue;
        }
        double seen = (double)bin->attacks / (double)bin->count;
        snprintf(text, sizeof text, "said %.1f %%, seen %.1f %% of %zu", 100 * bin->said, 100 * seen,
                 bin->count);
        plot_dot(plot, bin->said, seen, 3 + 1.6 * fmath_log(1 + (double)bin->count) / fmath_log(10), "dot",
                 text);
    }
}

static void put_reliability(struct buf *out, const struct report *r)
{
    struct plot plot = {out, "right", 640, 420, 62, 40, 0, 1, 0, 1, false};
    section(out, "Are the scores right?",
            "Of questions that score 30, three in ten should be attacks: a dot on the line. The larger a "
            "dot, the "
            "more labelled questions. <code>pdpctl risk fit</code> finds the calibration that brings them "
            "there.");
    buf_printf(out, "<figure>");
    plot_begin(
        &plot, "Reliability",
        STR("Dots, one for each ten points of the score: the mean chance that was said against the share of "
            "attacks that was seen. Where scores are right they lie on the diagonal. The table beside it has "
            "the numbers."));
    for (double x = 0; x <= 1.001; x += 0.2) {
        char text[16];
        snprintf(text, sizeof text, "%.0f %%", 100 * x);
        plot_x_mark(&plot, x, text);
        plot_y_mark(&plot, x, text);
    }
    reliability_dots(&plot, r);
    plot_names(&plot, "said: the mean score", "seen: attacks");
    plot_end(&plot);
    buf_printf(out, "</figure>\n");
    table_begin(out, "Labelled questions by score", "Score|Said|Seen|Questions|Attacks");
    for (size_t i = 0; i < MEASURE_BINS; i++) {
        const struct measure_bin *bin = &r->fit.bins[i];
        if (bin->count == 0) {
            continue;
        }
        buf_printf(out, "<tr><th scope=\"row\">%zu to %zu</th>", i * 10, i * 10 + 10);
        cell_share(out, bin->said);
        cell_share(out, (double)bin->attacks / (double)bin->count);
        buf_printf(out, "<td>%zu</td><td>%zu</td></tr>\n", bin->count, bin->attacks);
    }
    table_end(out);
    section_end(out);
}

// ---- Users -------------------------------------------------------------------------------------

static void put_users(struct buf *out, const struct report *r)
{
    if (r->user_count == 0) {
        return;
    }
    section(out, "Who scores highest", "Users by the highest score of any of their questions.");
    table_begin(out, "Users, the highest first", "User|Type|Tenant|Highest score|Questions|At medium");
    for (size_t i = 0; i < r->user_count; i++) {
        const struct report_user *u = &r->users[i];
        row_name(out, u->id);
        buf_printf(out, "<td>");
        plot_text(out, u->type);
        buf_printf(out, "</td><td>");
        plot_text(out, u->tenant);
        buf_printf(out, "</td><td>%.1f</td><td>%zu</td><td>%zu</td></tr>\n", u->highest, u->questions,
                   u->above);
    }
    table_end(out);
    section_end(out);
}

// ---- The page ----------------------------------------------------------------------------------

static void fact(struct buf *out, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void fact(struct buf *out, const char *name, const char *fmt, ...)
{
    char text[64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_printf(out, "<div><dt>%s</dt><dd>%s</dd></div>", name, text);
}

static void put_facts(struct buf *out, const struct report *r)
{
    buf_printf(out, "<h1>Risk report</h1>\n<p class=\"soft\">");
    plot_text(out, str_of(r->args->events));
    buf_printf(out, " as ");
    plot_text(out, str_of(r->args->policies != NULL ? r->args->policies : r->args->connect));
    buf_printf(out, " scores it</p>\n<dl>");
    fact(out, "questions with a score", "%zu", r->gather->count);
    fact(out, "sessions", "%zu", r->traffic.sessions.count);
    fact(out, "users", "%zu", r->traffic.users.count);
    fact(out, "at medium or higher", "%.2f %%", part_of((double)r->gather->above, (double)r->gather->count));
    if (r->gather->labelled) {
        fact(out, "known attacks", "%zu", r->traffic.attacks.count);
        fact(out, "known others", "%zu", r->traffic.others.count);
        fact(out, "calibration error", "%.2f %%", 100 * r->fit.gap);
    }
    if (r->has_auc) {
        fact(out, "area under the curve", "%.4f", r->auc);
    }
    buf_printf(out, "</dl>\n");
}

void report_html(const struct report *r, struct buf *out)
{
    buf_str(out, str_of(HEAD));
    put_facts(out, r);
    put_scores(out, r);
    put_thresholds(out, r);
    put_signals(out, r);
    if (r->traffic.attacks.count + r->traffic.others.count > 0) {
        put_reliability(out, r);
    }
    put_users(out, r);
    buf_printf(out, "</body>\n</html>\n");
}
