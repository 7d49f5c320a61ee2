// SPDX-License-Identifier: Apache-2.0
#include "cli/offline/report.h"

#include "base/fmath.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>

static const double THRESHOLDS[REPORT_THRESHOLDS] = {5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99};
static const double BUDGETS[REPORT_BUDGETS] = {0.001, 0.01, 0.05};
static const int BAR = 40; // letters

// ---- Figures -----------------------------------------------------------------------------------

static bool budget(const struct traffic_column *column, double share, double *threshold)
{
    bool found = measure_budget(column->scores, column->count, share, threshold);
    *threshold = measure_plain(column->scores, column->count, *threshold);
    return found;
}

static void find_budgets(struct report *r)
{
    for (size_t i = 0; i < REPORT_BUDGETS; i++) {
        struct report_budget *b = &r->budgets[i];
        b->share = BUDGETS[i];
        b->questions = budget(&r->traffic.questions, b->share, &b->by_questions);
        b->sessions = budget(&r->traffic.sessions, b->share, &b->by_sessions);
        traffic_rates(&r->traffic, b->by_questions, &b->question_rates);
        traffic_rates(&r->traffic, b->by_sessions, &b->session_rates);
    }
}

static int stronger(const void *a, const void *b)
{
    const struct gather_signal *x = *(const struct gather_signal *const *)a;
    const struct gather_signal *y = *(const struct gather_signal *const *)b;
    if (x->above_raise != y->above_raise) {
        return x->above_raise > y->above_raise ? -1 : 1;
    }
    return x->spoke != y->spoke ? (x->spoke > y->spoke ? -1 : 1) : str_cmp(x->id, y->id);
}

// The next part of a user's name up to a NUL: its id, then its type, then its tenant.
static struct str name_part(struct str name, size_t *at)
{
    size_t end = str_find_byte(name, '\0', *at);
    struct str part = str_sub(name, *at, end - *at);
    *at = end + 1;
    return part;
}

static bool is_higher(const struct report_user *a, const struct report_user *b)
{
    if (a->highest != b->highest) {
        return a->highest > b->highest;
    }
    return a->above != b->above ? a->above > b->above : str_cmp(a->id, b->id) < 0;
}

static void keep_highest(struct report *r, const struct report_user *user)
{
    size_t at = r->user_count < REPORT_USERS ? r->user_count++ : REPORT_USERS - 1;
    if (at == REPORT_USERS - 1 && r->users[at].questions > 0 && !is_higher(user, &r->users[at])) {
        return;
    }
    for (; at > 0 && is_higher(user, &r->users[at - 1]); at--) {
        r->users[at] = r->users[at - 1];
    }
    r->users[at] = *user;
}

static enum pdp_err find_users(struct report *r, struct arena *arena)
{
    const struct gather *g = r->gather;
    struct report_user *all = ARENA_ARRAY(arena, struct report_user, g->users.count + 1);
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < g->count; i++) {
        struct report_user *user = &all[g->list[i].user];
        user->questions++;
        user->above += g->list[i].above;
        user->highest = g->list[i].score > user->highest ? g->list[i].score : user->highest;
    }
    for (size_t i = 0; i < g->users.cap; i++) {
        const struct map_entry *entry = &g->users.entries[i];
        size_t at = 0;
        if (entry->key.at == NULL || all[entry->value].questions == 0) {
            continue;
        }
        struct report_user *user = &all[entry->value];
        user->id = name_part(entry->key, &at);
        user->type = name_part(entry->key, &at);
        user->tenant = name_part(entry->key, &at);
        keep_highest(r, user);
    }
    return PDP_ERR_OK;
}

static enum pdp_err measure_labelled(struct report *r, struct arena *arena)
{
    size_t count = 0;
    struct measure_point *points =
        ARENA_ARRAY(arena, struct measure_point, r->traffic.attacks.count + r->traffic.others.count + 1);
    if (points == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < r->gather->count; i++) {
        const struct traffic_question *q = &r->gather->list[i];
        if (q->known) {
            points[count++] = (struct measure_point){q->score / 100, q->attack};
        }
    }
    measure_chances(points, count, &r->fit);
    const struct traffic *t = &r->traffic;
    r->has_auc = measure_auc(t->attacks.scores, t->attacks.count, t->others.scores, t->others.count, &r->auc);
    return PDP_ERR_OK;
}

static enum pdp_err report_make(struct report *r, struct arena *arena)
{
    const struct gather *g = r->gather;
    TRY(traffic_build(g->list, g->count, (uint32_t)g->sessions.count, (uint32_t)g->users.count, arena,
                      &r->traffic));
    for (size_t i = 0; i < REPORT_THRESHOLDS; i++) {
        r->thresholds[i] = THRESHOLDS[i];
        traffic_rates(&r->traffic, THRESHOLDS[i], &r->rates[i]);
    }
    find_budgets(r);
    for (size_t i = 0; i < g->signal_count; i++) {
        r->signals[r->signal_count++] = &g->signals[i];
    }
    qsort((void *)r->signals, r->signal_count, sizeof *r->signals, stronger);
    TRY(find_users(r, arena));
    return measure_labelled(r, arena);
}

// ---- For people --------------------------------------------------------------------------------

static void put_histogram(struct buf *out, const struct report *r)
{
    size_t most = 1;
    for (size_t i = 0; i < TRAFFIC_BINS; i++) {
        most = r->traffic.bins[i] > most ? r->traffic.bins[i] : most;
    }
    buf_printf(out, "%-10s %9s  %s\n", "SCORE", "COUNT", "(bars grow with the logarithm)");
    for (size_t i = 0; i < TRAFFIC_BINS; i++) {
        size_t count = r->traffic.bins[i];
        double part = fmath_log(1 + (double)count) / fmath_log(1 + (double)most);
        buf_printf(out, "%3zu to %-3zu %9zu%s", i * 5, i * 5 + 5, count, count > 0 ? "  " : "");
        for (int k = 0; k < (int)(part * BAR + 0.5); k++) {
            buf_byte(out, '#');
        }
        buf_byte(out, '\n');
    }
}

static void put_rates(struct buf *out, const struct report *r)
{
    buf_printf(out, "\n%-10s %26s  %26s%s\n", "", "ASKED TO STEP UP      ", "ENDED, IF IT ENDS     ",
               r->gather->labelled ? "        LABELLED" : "");
    buf_printf(out, "%-9s  %8s %8s %8s  %8s %8s %8s", "THRESHOLD", "QUESTION", "SESSIONS", "USERS",
               "QUESTION", "SESSIONS", "USERS");
    buf_printf(out, "%s\n", r->gather->labelled ? "  ATTACKS   OTHERS" : "");
    for (size_t i = 0; i < REPORT_THRESHOLDS; i++) {
        const struct traffic_rates *at = &r->rates[i];
        buf_printf(out, "%9.0f  %7.2f%% %7.2f%% %7.2f%%  %7.2f%% %7.2f%% %7.2f%%", r->thresholds[i],
                   100 * at->questions, 100 * at->sessions, 100 * at->users, 100 * at->ended,
                   100 * at->ended_sessions, 100 * at->ended_users);
        if (r->gather->labelled) {
            buf_printf(out, " %7.2f%% %7.2f%%", 100 * at->attacks, 100 * at->others);
        }
        buf_byte(out, '\n');
    }
}

static void put_budget(struct buf *out, bool found, double threshold, const struct traffic_rates *at,
                       bool sessions)
{
    if (!found) {
        buf_printf(out, "  %9s %8s", "none", "-");
        return;
    }
    buf_printf(out, "  %9.10g %7.2f%%", threshold, 100 * (sessions ? at->sessions : at->questions));
}

static void put_budgets(struct buf *out, const struct report *r)
{
    buf_printf(out, "\n%-10s  %18s  %18s\n", "", "OF QUESTIONS   ", "OF SESSIONS    ");
    buf_printf(out, "%-10s  %9s %8s  %9s %8s\n", "BUDGET", "THRESHOLD", "ASKS", "THRESHOLD", "ASKS");
    for (size_t i = 0; i < REPORT_BUDGETS; i++) {
        const struct report_budget *b = &r->budgets[i];
        buf_printf(out, "%9.1f%%", 100 * b->share);
        put_budget(out, b->questions, b->by_questions, &b->question_rates, false);
        put_budget(out, b->sessions, b->by_sessions, &b->session_rates, true);
        buf_byte(out, '\n');
    }
}

static double part_of(double part, double all)
{
    return all > 0 ? 100 * part / all : 0;
}

static void put_signals(struct buf *out, const struct report *r)
{
    if (r->signal_count == 0) {
        buf_printf(out, "\nno signal spoke\n");
        return;
    }
    buf_printf(out, "\n%-20s %9s %9s %9s %10s\n", "SIGNAL", "SPEAKS", "EVIDENCE", "AT MEDIUM", "OF ITS SUM");
    for (size_t i = 0; i < r->signal_count; i++) {
        const struct gather_signal *s = r->signals[i];
        struct buf name = {0};
        buf_escaped(&name, s->id);
        buf_printf(out, "%-20.*s %8.2f%% %+9.2f %8.2f%% %9.2f%%\n", (int)(name.len < 200 ? name.len : 200),
                   (const char *)name.at, part_of((double)s->spoke, (double)r->gather->count),
                   s->evidence / (double)s->spoke, part_of((double)s->above, (double)r->gather->above),
                   part_of(s->above_raise, r->gather->above_raise));
        buf_fini(&name);
    }
    buf_printf(out, "\nSPEAKS: in how many questions. EVIDENCE: its mean there. AT MEDIUM: in how many "
                    "questions of medium\n"
                    "risk or higher; OF ITS SUM: what part it has in what raised those.\n");
}

static void put_users(struct buf *out, const struct report *r)
{
    buf_printf(out, "\n%8s %9s %9s  %s\n", "HIGHEST", "QUESTIONS", "AT MEDIUM", "USER");
    for (size_t i = 0; i < r->user_count; i++) {
        const struct report_user *user = &r->users[i];
        buf_printf(out, "%8.1f %9zu %9zu  ", user->highest, user->questions, user->above);
        buf_escaped(out, user->id);
        if (user->tenant.len > 0) {
            buf_str(out, STR(" of "));
            buf_escaped(out, user->tenant);
        }
        buf_byte(out, '\n');
    }
}

static void put_people(struct buf *out, const struct report *r)
{
    const struct gather *g = r->gather;
    buf_printf(out,
               "%zu questions with a score, of %zu sessions and %zu users; %llu without one, or repeated\n\n",
               g->count, r->traffic.sessions.count, r->traffic.users.count,
               (unsigned long long)(g->questions - g->count));
    put_histogram(out, r);
    put_rates(out, r);
    put_budgets(out, r);
    put_signals(out, r);
    put_users(out, r);
    if (g->labelled) {
        buf_printf(out, "\n%zu questions are labelled: %zu attacks, %zu others; calibration error %.2f%%\n",
                   r->traffic.attacks.count + r->traffic.others.count, r->traffic.attacks.count,
                   r->traffic.others.count, 100 * r->fit.gap);
    }
    if (r->has_auc) {
        buf_printf(out, "an attack scores higher than another question in %.2f%% of pairs (AUC %.4f)\n",
                   100 * r->auc, r->auc);
    }
}

// ---- For programs ------------------------------------------------------------------------------

static void emit_rates(struct emit *emit, const struct report *r, double threshold,
                       const struct traffic_rates *at)
{
    emit_map(emit, SIZE_MAX);
    emit_key_double(emit, "threshold", threshold);
    emit_key_double(emit, "questions", at->questions);
    emit_key_double(emit, "sessions", at->sessions);
    emit_key_double(emit, "users", at->users);
    emit_key_double(emit, "ended_questions", at->ended);
    emit_key_double(emit, "ended_sessions", at->ended_sessions);
    emit_key_double(emit, "ended_users", at->ended_users);
    if (r->gather->labelled) {
        emit_key_double(emit, "attacks", at->attacks);
        emit_key_double(emit, "others", at->others);
    }
    emit_end(emit);
}

static void emit_budgets(struct emit *emit, const struct report *r)
{
    emit_key(emit, STR("budgets"));
    emit_list(emit, REPORT_BUDGETS);
    for (size_t i = 0; i < REPORT_BUDGETS; i++) {
        const struct report_budget *b = &r->budgets[i];
        emit_map(emit, SIZE_MAX);
        emit_key_double(emit, "budget", b->share);
        if (b->questions) {
            emit_key(emit, STR("of_questions"));
            emit_rates(emit, r, b->by_questions, &b->question_rates);
        }
        if (b->sessions) {
            emit_key(emit, STR("of_sessions"));
            emit_rates(emit, r, b->by_sessions, &b->session_rates);
        }
        emit_end(emit);
    }
    emit_end(emit);
}

static void emit_signals(struct emit *emit, const struct report *r)
{
    emit_key(emit, STR("signals"));
    emit_list(emit, r->signal_count);
    for (size_t i = 0; i < r->signal_count; i++) {
        const struct gather_signal *s = r->signals[i];
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "id", s->id);
        emit_key_int(emit, "questions", (int64_t)s->spoke);
        emit_key_double(emit, "mean_evidence", s->evidence / (double)s->spoke);
        emit_key_int(emit, "questions_at_medium", (int64_t)s->above);
        emit_key_double(emit, "share_at_medium", part_of(s->above_raise, r->gather->above_raise) / 100);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_json(struct buf *out, const struct report *r)
{
    struct emit emit;
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key_int(&emit, "questions", (int64_t)r->gather->count);
    emit_key_int(&emit, "without_score", (int64_t)(r->gather->questions - r->gather->count));
    emit_key_int(&emit, "sessions", (int64_t)r->traffic.sessions.count);
    emit_key_int(&emit, "users", (int64_t)r->traffic.users.count);
    emit_key(&emit, STR("scores"));
    emit_list(&emit, TRAFFIC_BINS);
    for (size_t i = 0; i < TRAFFIC_BINS; i++) {
        emit_int(&emit, (int64_t)r->traffic.bins[i]);
    }
    emit_end(&emit);
    emit_key(&emit, STR("thresholds"));
    emit_list(&emit, REPORT_THRESHOLDS);
    for (size_t i = 0; i < REPORT_THRESHOLDS; i++) {
        emit_rates(&emit, r, r->thresholds[i], &r->rates[i]);
    }
    emit_end(&emit);
    emit_budgets(&emit, r);
    emit_signals(&emit, r);
    if (r->gather->labelled) {
        emit_key_int(&emit, "attacks", (int64_t)r->traffic.attacks.count);
        emit_key_int(&emit, "others", (int64_t)r->traffic.others.count);
        emit_key_double(&emit, "calibration_error", r->fit.gap);
    }
    if (r->has_auc) {
        emit_key_double(&emit, "auc", r->auc);
    }
    emit_end(&emit);
    buf_byte(out, '\n');
}

// ---- The command -------------------------------------------------------------------------------

static int tell(const struct cli_args *args, const struct report *report)
{
    struct buf out = {0}, page = {0};
    int code = CLI_DONE;
    if (args->html != NULL) {
        report_html(report, &page);
        code = output_write(args->html, &page, 0666);
    }
    if (args->json) {
        put_json(&out, report);
    } else {
        put_people(&out, report);
    }
    code = code == CLI_DONE ? cli_write(&out, CLI_DONE) : code;
    buf_fini(&out);
    buf_fini(&page);
    return code;
}

int cmd_risk_report(const struct cli_args *args)
{
    static struct gather gather;
    static struct report report;
    int code = output_report("--html", args->html);
    code = code == CLI_DONE ? gather_run(args, &gather) : code;
    report = (struct report){.args = args, .gather = &gather};
    if (code == CLI_DONE && report_make(&report, &gather.arena) != PDP_ERR_OK) {
        code = cli_bad(NULL, "out of memory");
    }
    if (code == CLI_DONE) {
        if (gather.labelled) {
            gather_say_left(args, &gather);
        }
        code = tell(args, &report);
    }
    gather_fini(&gather);
    return code;
}
