// SPDX-License-Identifier: Apache-2.0
// `pdpctl test DIR`: once, again whenever a file changes, or with scenarios from elsewhere.
#include "cli/output.h"
#include "cli/test/loaded.h"
#include "cli/test/measure.h"
#include "cli/test/reactions.h"
#include "cli/test/report.h"
#include "cli/test/watching.h"

#include <errno.h>
#include <unistd.h>

static int nothing(const struct cli_args *args, const struct loaded *loaded)
{
    if (suite_count(loaded->suite) == 0 && args->scenarios != NULL) {
        return cli_bad("write documents of kind Scenario", "`%s` has no scenarios", args->scenarios);
    }
    if (suite_count(loaded->suite) == 0) {
        return cli_bad("they stand in files whose names end in `_test.yaml`", "`%s` has no tests",
                       args->positional[0]);
    }
    return cli_bad("it is looked for in names of documents, and of cases of a Test",
                   "no test has a name with `%s`", args->filter != NULL ? args->filter : "");
}

// ---- Once ----------------------------------------------------------------------------------------

// Where a report goes that has a file of its own.
static int write_junit(const struct report *report, const char *path)
{
    AUTO(buf_fini) struct buf out = {0};
    report_junit(report, &out);
    return output_write(path, &out, 0666);
}

static int print(const struct cli_args *args, const struct report *report)
{
    struct buf out = {0};
    int code = args->junit != NULL ? write_junit(report, args->junit) : CLI_DONE;
    if (args->tap) {
        report_tap(report, &out);
    } else {
        report_people(report, &out);
    }
    int wrote = cli_write(&out, report->failed > 0 ? CLI_NO : CLI_DONE);
    buf_fini(&out);
    return code != CLI_DONE ? code : wrote;
}

// *runner is the caller's, also on failure; `cover` NULL: nobody looks.
static int play(const struct cli_args *args, struct loaded *loaded, const struct cover *cover,
                struct suite_runner **runner, struct report *report)
{
    if (suite_runner_new(&loaded->snapshot, runner) != PDP_ERR_OK) {
        return cli_bad(NULL, "out of memory");
    }
    if (cover != NULL) {
        suite_runner_watch(*runner, cover_watch(cover));
    }
    if (report_run(*runner, loaded->suite, args->filter, report) != PDP_ERR_OK) {
        return cli_bad(NULL, "out of memory");
    }
    return report->point_count == 0 ? nothing(args, loaded) : CLI_DONE;
}

static int run_loaded(const struct cli_args *args, struct loaded *loaded, struct report *report)
{
    AUTO(suite_runner_free) struct suite_runner *runner = NULL;
    AUTO(cover_free) struct cover *cover = NULL;
    int code = measure_begin(args, loaded, &cover);
    code = code == CLI_DONE ? play(args, loaded, cover, &runner, report) : code;
    return code == CLI_DONE ? measure_end(args, loaded, runner, cover, print(args, report)) : code;
}

static int run_once(const struct cli_args *args)
{
    struct loaded loaded;
    struct report report = {0};
    int code = loaded_read(args, args->positional[0], NULL, measure_wanted(args), &loaded);
    code = code == CLI_DONE ? run_loaded(args, &loaded, &report) : code;
    report_fini(&report);
    loaded_fini(&loaded);
    return code;
}

// ---- Scenarios from elsewhere ----------------------------------------------------------------------

static int print_reactions(const struct cli_args *args, const struct reactions *reactions)
{
    struct buf out = {0};
    if (args->json) {
        reactions_json(reactions, &out);
    } else {
        reactions_table(reactions, &out);
    }
    int code = cli_write(&out, reactions_good(reactions) ? CLI_DONE : CLI_NO);
    buf_fini(&out);
    return code;
}

static int react(const struct cli_args *args, struct loaded *loaded)
{
    AUTO(suite_runner_free) struct suite_runner *runner = NULL;
    struct reactions reactions = {0};
    int code = CLI_BAD;
    if (suite_runner_new(&loaded->snapshot, &runner) != PDP_ERR_OK ||
        reactions_run(runner, loaded->suite, args->filter, &reactions) != PDP_ERR_OK) {
        code = cli_bad(NULL, "out of memory");
    } else {
        code = reactions.count == 0 ? nothing(args, loaded) : print_reactions(args, &reactions);
    }
    reactions_fini(&reactions);
    return code;
}

static int run_scenarios(const struct cli_args *args)
{
    struct loaded loaded;
    int code = loaded_read(args, args->positional[0], args->scenarios, false, &loaded);
    code = code == CLI_DONE ? react(args, &loaded) : code;
    loaded_fini(&loaded);
    return code;
}

// ---- Again and again -------------------------------------------------------------------------------

// What failed the last time, and what there was: names of points.
struct memory {
    struct arena arena;
    struct map failed, passed;
    bool known; // there was a last time
};

static void forget(struct memory *memory)
{
    static const struct hash_key NAMES = {UINT64_C(0x7761746368), 1};
    map_fini(&memory->failed);
    map_fini(&memory->passed);
    map_init(&memory->failed, NAMES);
    map_init(&memory->passed, NAMES);
    arena_reset(&memory->arena);
}

static struct str point_key(const struct report_point *point, struct arena *arena)
{
    AUTO(buf_fini) struct buf key = {0};
    buf_escaped(&key, point->doc->name);
    buf_str(&key, STR(": "));
    buf_str(&key, report_title(point, arena));
    return arena_str(arena, buf_view(&key), NULL);
}

static void remember(const struct report *report, struct memory *memory)
{
    forget(memory);
    for (size_t i = 0; i < report->point_count; i++) {
        struct str key = point_key(&report->points[i], &memory->arena);
        struct map *map = report->points[i].failure_count > 0 ? &memory->failed : &memory->passed;
        (void)!map_put(map, key, 1);
    }
    memory->known = true;
}

// What is otherwise than the last time.
static void put_changes(const struct report *report, const struct memory *memory, struct buf *out)
{
    struct arena arena;
    uint64_t was = 0;
    arena_init(&arena, 0, 0);
    for (size_t i = 0; memory->known && i < report->point_count; i++) {
        struct str key = point_key(&report->points[i], &arena);
        bool fails = report->points[i].failure_count > 0;
        if (!fails && map_get(&memory->failed, key, &was)) {
            buf_printf(out, "now passes: " STR_FMT "\n", STR_ARG(key));
        } else if (fails && map_get(&memory->passed, key, &was)) {
            buf_printf(out, "now fails: " STR_FMT "\n", STR_ARG(key));
        }
    }
    arena_fini(&arena);
}

static int run_again(const struct cli_args *args, struct memory *memory)
{
    struct loaded loaded;
    struct report report = {0};
    struct buf out = {0};
    int code = loaded_read(args, args->positional[0], NULL, false, &loaded);
    struct suite_runner *runner = NULL;
    code = code == CLI_DONE ? play(args, &loaded, NULL, &runner, &report) : code;
    suite_runner_free(&runner);
    if (code == CLI_DONE) {
        report_people(&report, &out);
        put_changes(&report, memory, &out);
        remember(&report, memory);
    }
    code = cli_write(&out, CLI_DONE); // mistakes were said, and may be mended
    buf_fini(&out);
    report_fini(&report);
    loaded_fini(&loaded);
    return code;
}

static int gone(const char *dir)
{
    return cli_bad("name a folder", "`%s` cannot be watched: %s", dir, strerror(errno));
}

static int say(const char *dir, const char *what)
{
    struct buf out = {0};
    buf_printf(&out, "`%s` %s\n", dir, what);
    int code = cli_write(&out, CLI_DONE);
    buf_fini(&out);
    return code;
}

// Looks at what has come. A folder that is gone may be on its way back: a checkout takes it away and puts it.
static int look_again(const char *dir, int *fd)
{
    if (watching_renew(dir, *fd) == PDP_ERR_OK) {
        return CLI_DONE;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return gone(dir);
    }
    int code = say(dir, "is gone: waiting until it is back");
    if (code == CLI_DONE && watching_return(dir, fd) != PDP_ERR_OK) {
        return gone(dir);
    }
    return code == CLI_DONE ? say(dir, "is back") : code;
}

static int wait_and_say(const char *dir, int fd)
{
    struct buf names = {0}, out = {0};
    if (watching_wait(fd, &names) != PDP_ERR_OK) {
        buf_fini(&names);
        return gone(dir);
    }
    struct str what = names.len > 0 ? buf_view(&names) : str_of(dir); // itself, or more than can be told
    buf_printf(&out, "\nchanged: " STR_FMT "\n", STR_ARG(what));
    int code = cli_write(&out, CLI_DONE);
    buf_fini(&names);
    buf_fini(&out);
    return code;
}

static int run_watching(const struct cli_args *args)
{
    const char *dir = args->positional[0];
    struct memory memory = {0};
    int fd = -1;
    if (watching_begin(dir, &fd) != PDP_ERR_OK) {
        return gone(dir);
    }
    arena_init(&memory.arena, 0, 0);
    forget(&memory);
    int code = run_again(args, &memory);
    while (code == CLI_DONE) {
        code = wait_and_say(dir, fd);
        code = code == CLI_DONE ? look_again(dir, &fd) : code;
        code = code == CLI_DONE ? run_again(args, &memory) : code;
    }
    map_fini(&memory.failed);
    map_fini(&memory.passed);
    arena_fini(&memory.arena);
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

int cmd_test(const struct cli_args *args)
{
    bool forms = args->tap || args->junit != NULL;
    if ((args->watch && (forms || args->scenarios != NULL)) || (args->scenarios != NULL && forms)) {
        return cli_bad("give one of them",
                       "`--watch`, `--scenarios` and reports for programs do not go together");
    }
    if (measure_wanted(args) && (args->watch || args->scenarios != NULL)) {
        return cli_bad("a folder's own tests are measured, once",
                       "`--coverage` and `--mutate` go neither with `--watch` nor with `--scenarios`");
    }
    if (args->given != NULL && args->scenarios == NULL) {
        return cli_bad("a folder's own tests have fixtures of their own",
                       "`--given` goes with `--scenarios`");
    }
    if (args->json && args->scenarios == NULL) {
        return cli_bad("`--junit FILE` and `--tap` are for programs", "`--json` goes with `--scenarios`");
    }
    if (output_report("--junit", args->junit) != CLI_DONE ||
        output_report("--coverage", args->coverage) != CLI_DONE) {
        return CLI_BAD;
    }
    return args->scenarios != NULL ? run_scenarios(args) : args->watch ? run_watching(args) : run_once(args);
}
