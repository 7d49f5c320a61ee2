// SPDX-License-Identifier: Apache-2.0
// A live view of one daemon: two answers of `top`, and what lies between them.
#include "cli/admin/remote.h"
#include "cli/local.h"

#include "base/histogram.h"
#include "client/client.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const double EVERY_S = 1;
static const char CLEAR[] = "\x1b[H\x1b[2J", MESSAGE[] = "{\"op\": \"top\"}";

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

// One answer, and the figures in it that differences are taken of.
struct sample {
    struct buf bytes;
    struct arena arena;
    struct value root;
    double at_s;
};

static void sample_fini(struct sample *sample)
{
    buf_fini(&sample->bytes);
    arena_fini(&sample->arena);
}

static int64_t int_at(const struct value *root, const char *path)
{
    const struct value *found = value_path(root, str_of(path));
    return found != NULL && found->kind == VALUE_INT ? found->as.i : 0;
}

static struct str text_at(const struct value *root, const char *path)
{
    const struct value *found = value_path(root, str_of(path));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : STR("-");
}

static bool is_ok(const struct value *root)
{
    const struct value *ok = value_get(root, STR("ok"));
    return ok != NULL && ok->kind == VALUE_BOOL && ok->as.b;
}

static int take(const struct cli_args *args, struct pdp_client *client, struct sample *out)
{
    int code = remote_call(args, client, str_of(MESSAGE), &out->bytes, &out->arena, &out->root);
    if (code != CLI_DONE) {
        return code;
    }
    if (value_get(&out->root, STR("ok")) == NULL) {
        return cli_bad("name the URL of pdpd's `--admin`",
                       "`%s` is no admin endpoint: it answers questions only", args->connect);
    }
    out->at_s = (double)int_at(&out->root, "at_ms") / 1000;
    if (!is_ok(&out->root)) {
        (void)cli_bad(NULL, STR_FMT, STR_ARG(text_at(&out->root, "error")));
        return CLI_NO;
    }
    return CLI_DONE;
}

// ---- Showing -----------------------------------------------------------------------------------------

struct view {
    const struct value *was, *is;
    double seconds;
};

// A counter that has begun anew (another daemon took over) counts from 0.
static double rate(const struct view *view, const char *path)
{
    int64_t was = int_at(view->was, path), is = int_at(view->is, path);
    return (double)(is >= was ? is - was : is) / view->seconds;
}

static void counts_of(const struct value *root, struct histogram_sum *out)
{
    const struct value *all = value_path(root, STR("latency.counts"));
    *out = (struct histogram_sum){0};
    for (uint32_t i = 0; all != NULL && all->kind == VALUE_LIST && i < all->n && i < HISTOGRAM_COUNT; i++) {
        const struct value *one = &all->as.list[i];
        out->counts[i] = one->kind == VALUE_INT && one->as.i > 0 ? (uint64_t)one->as.i : 0;
    }
}

static void latency(const struct view *view, struct histogram_sum *out)
{
    struct histogram_sum was;
    counts_of(view->was, &was);
    counts_of(view->is, out);
    bool anew = false;
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        anew = anew || out->counts[i] < was.counts[i];
    }
    for (size_t i = 0; i < HISTOGRAM_COUNT && !anew; i++) {
        out->counts[i] -= was.counts[i];
    }
}

static void put_head(const struct view *view, struct buf *out)
{
    struct histogram_sum took;
    latency(view, &took);
    buf_str(out, STR("pdpd "));
    buf_escaped(out, text_at(view->is, "version"));
    buf_printf(out, "  pid %lld  up %lld s  policy epoch %lld  connections %lld\n",
               (long long)int_at(view->is, "pid"), (long long)int_at(view->is, "uptime_s"),
               (long long)int_at(view->is, "policy_epoch"), (long long)int_at(view->is, "connections"));
    buf_printf(out, "sessions %lld  ended and remembered %lld  terminations %lld\n",
               (long long)int_at(view->is, "sessions"), (long long)int_at(view->is, "tombstones"),
               (long long)int_at(view->is, "answers.terminate"));
    buf_printf(out, "\n%-10s %10s %10s %10s %10s %10s %10s  %s\n", "A SECOND", "questions", "allow",
               "step_up", "deny", "terminate", "overloaded", "p50, p99 of answering");
    static const char *const PATHS[] = {"answers.questions", "answers.allow",     "answers.step_up",
                                        "answers.deny",      "answers.terminate", "answers.overloaded"};
    buf_printf(out, "%-10s", "");
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        buf_printf(out, " %10.0f", rate(view, PATHS[i]));
    }
    buf_printf(out, "  %.1f us, %.1f us\n", (double)histogram_quantile(&took, 0.5) / 1000,
               (double)histogram_quantile(&took, 0.99) / 1000);
}

static const struct value *list_at(const struct value *root, const char *name)
{
    const struct value *found = value_get(root, str_of(name));
    return found != NULL && found->kind == VALUE_LIST ? found : NULL;
}

static void put_alarms(const struct value *root, struct buf *out)
{
    const struct value *all = list_at(root, "alarms");
    for (uint32_t i = 0; all != NULL && i < all->n; i++) {
        buf_str(out, STR("ALARM "));
        buf_escaped(out, text_at(&all->as.list[i], "alarm"));
        buf_str(out, STR(": "));
        buf_escaped(out, text_at(&all->as.list[i], "message"));
        buf_byte(out, '\n');
    }
}

// Whatever a daemon sends, it is one cell.
static void put_text(struct str text, size_t width, struct buf *out)
{
    size_t from = out->len;
    buf_escaped(out, text);
    do {
        buf_byte(out, ' ');
    } while (!out->failed && out->len - from < width);
}

// What a rule had decided by the time of the last answer.
static int64_t hits_before(const struct value *root, struct str rule)
{
    const struct value *all = list_at(root, "rules");
    for (uint32_t i = 0; all != NULL && i < all->n; i++) {
        if (str_eq(text_at(&all->as.list[i], "rule"), rule)) {
            return int_at(&all->as.list[i], "hits");
        }
    }
    return 0;
}

static void put_rules(const struct view *view, struct buf *out)
{
    const struct value *all = list_at(view->is, "rules");
    bool same = int_at(view->was, "policy_epoch") == int_at(view->is, "policy_epoch");
    buf_printf(out, "\n%10s %12s  %-10s %s\n", "A SECOND", "DECIDED", "EFFECT", "RULE");
    for (uint32_t i = 0; all != NULL && i < all->n; i++) {
        struct str rule = text_at(&all->as.list[i], "rule");
        int64_t hits = int_at(&all->as.list[i], "hits"), before = same ? hits_before(view->was, rule) : 0;
        buf_printf(out, "%10.0f %12lld  ", (double)(hits >= before ? hits - before : hits) / view->seconds,
                   (long long)hits);
        put_text(text_at(&all->as.list[i], "effect"), 11, out);
        buf_escaped(out, rule);
        buf_byte(out, '\n');
    }
}

static void put_riskiest(const struct value *root, struct buf *out)
{
    const struct value *all = list_at(root, "riskiest");
    buf_printf(out, "\n%6s  %-26s  %-20s  %-10s  %-15s  %s\n", "RISK", "SESSION", "LAST SEEN", "STATE",
               "ADDRESS", "SUBJECT");
    for (uint32_t i = 0; all != NULL && i < all->n; i++) {
        const struct value *session = &all->as.list[i], *score = value_get(session, STR("score"));
        double risk = score == NULL                 ? 0
                      : score->kind == VALUE_DOUBLE ? score->as.d
                      : score->kind == VALUE_INT    ? (double)score->as.i
                                                    : 0;
        buf_printf(out, "%6.1f  ", risk);
        put_text(text_at(session, "ref"), 28, out);
        put_text(str_sub(text_at(session, "last_seen"), 0, 19), 22, out);
        put_text(text_at(session, "state"), 12, out);
        put_text(text_at(session, "ip"), 17, out);
        buf_escaped(out, text_at(session, "subject"));
        buf_byte(out, '\n');
    }
}

static void show(const struct sample *was, const struct sample *is, struct buf *out)
{
    struct view view = {&was->root, &is->root, is->at_s - was->at_s};
    view.seconds = view.seconds > 0.001 ? view.seconds : EVERY_S; // another daemon's clock
    put_head(&view, out);
    put_alarms(view.is, out);
    put_rules(&view, out);
    put_riskiest(view.is, out);
}

// ---- Turns -------------------------------------------------------------------------------------------

static void pause_s(double seconds)
{
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&left, NULL); // a signal ends it
}

static int watch(const struct cli_args *args, struct pdp_client *client, struct sample samples[static 2])
{
    struct buf out = {0};
    int code = take(args, client, &samples[0]);
    if (code == CLI_DONE && args->json) {
        buf_str(&out, buf_view(&samples[0].bytes));
        buf_byte(&out, '\n');
        code = cli_write(&out, code);
    }
    for (unsigned turn = 1; code == CLI_DONE && !args->json && !stopped; turn++) {
        pause_s(EVERY_S);
        struct sample *was = &samples[(turn + 1) % 2], *is = &samples[turn % 2];
        code = stopped ? CLI_NO : take(args, client, is);
        if (code != CLI_DONE) {
            break;
        }
        buf_clear(&out);
        buf_str(&out, args->once ? STR("") : str_of(CLEAR));
        show(was, is, &out);
        code = cli_write(&out, CLI_DONE);
        if (args->once) {
            break;
        }
    }
    buf_fini(&out);
    return stopped ? CLI_DONE : code;
}

int cmd_top(const struct cli_args *args)
{
    struct pdp_client *client = NULL;
    struct sample samples[2] = {0};
    int code = cli_connect(args, &client);
    if (code == CLI_DONE && !args->once && !args->json && isatty(STDOUT_FILENO) == 0) {
        code = cli_bad("`--once` prints one screen, `--json` one answer",
                       "a live view needs a terminal, and standard output is none");
    }
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    arena_init(&samples[0].arena, 0, 0);
    arena_init(&samples[1].arena, 0, 0);
    code = code == CLI_DONE ? watch(args, client, samples) : code;
    pdp_close(&client);
    sample_fini(&samples[0]);
    sample_fini(&samples[1]);
    return code;
}
