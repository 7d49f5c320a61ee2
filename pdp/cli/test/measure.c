// SPDX-License-Identifier: Apache-2.0
#include "cli/test/measure.h"

#include "cli/output.h"
#include "cli/test/mutate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool measure_wanted(const struct cli_args *args)
{
    return args->coverage != NULL || args->coverage_least > 0 || args->mutate;
}

int measure_begin(const struct cli_args *args, struct loaded *loaded, struct cover **out)
{
    *out = NULL;
    if (!measure_wanted(args)) {
        return CLI_DONE;
    }
    if (args->coverage != NULL && *args->coverage != '\0' &&
        !str_ends(str_of(args->coverage), STR(".info"))) {
        return cli_bad("a tracefile of lcov is called such as `coverage.info`",
                       "`--coverage=%s` does not say which form is meant", args->coverage);
    }
    if (args->mutate && args->filter != NULL) {
        return cli_bad("leave out `--filter`: which tests notice is not known before",
                       "`--mutate` plays all tests");
    }
    if (args->mutate && folder_bundle(loaded->folder) != NULL) {
        return cli_bad("name the folder that it was made of", "a bundle cannot be changed");
    }
    struct snapshot_input input = folder_input(loaded->folder);
    return cover_new(loaded->snapshot, input.files, input.file_count, out) == PDP_ERR_OK
               ? CLI_DONE
               : cli_bad(NULL, "out of memory");
}

// What programs read stays alone on standard output.
static int say(const struct cli_args *args, const struct buf *text, int code)
{
    if (!args->tap) {
        return cli_write(text, code);
    }
    fwrite(text->at, 1, text->len, stderr);
    return code;
}

// ---- Coverage ---------------------------------------------------------------------------------------

static bool is_enough(const char *what, const struct cover_share *share, int64_t least)
{
    if (share->seen * 100 >= share->all * (uint64_t)least) {
        return true;
    }
    (void)cli_bad(NULL, "coverage of %s is %.1f %%, less than %lld %%", what,
                  100.0 * (double)share->seen / (double)share->all, (long long)least);
    return false;
}

static int tell_coverage(const struct cli_args *args, const struct cover *cover, int code)
{
    struct cover_share rules, outcomes;
    AUTO(buf_fini) struct buf text = {0};
    AUTO(buf_fini) struct buf trace = {0};
    cover_print(cover, &text);
    code = say(args, &text, code);
    if (args->coverage != NULL && *args->coverage != '\0') {
        cover_lcov(cover, &trace);
        int wrote = output_write(args->coverage, &trace, 0666);
        code = wrote != CLI_DONE ? wrote : code;
    }
    cover_shares(cover, &rules, &outcomes);
    bool enough = is_enough("rules", &rules, args->coverage_least);
    enough = is_enough("conditions", &outcomes, args->coverage_least) && enough;
    return code == CLI_DONE && !enough ? CLI_NO : code;
}

// ---- Mutants ----------------------------------------------------------------------------------------

static size_t cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (size_t)count : 1;
}

static int tell_mutants(const struct cli_args *args, struct loaded *loaded, struct suite_runner *runner,
                        struct cover *cover, int code)
{
    struct mutate mutate = {0};
    const struct mutate_order order = {.dir = args->positional[0],
                                       .input = folder_input(loaded->folder),
                                       .suite = loaded->suite,
                                       .runner = runner,
                                       .cover = cover,
                                       .threads = cores()};
    enum pdp_err err = mutate_run(&order, &mutate);
    if (err == PDP_ERR_OK && mutate.counts[MUTATE_SURVIVED] > 0) {
        err = mutate_lint(&order, &mutate);
    }
    if (err != PDP_ERR_OK) {
        code = cli_bad(NULL, "mutants could not be tried: %s", pdp_err_text(err));
    } else {
        AUTO(buf_fini) struct buf text = {0};
        mutate_print(&mutate, &text);
        code = say(args, &text, mutate.counts[MUTATE_SURVIVED] > 0 ? CLI_NO : code);
    }
    mutate_fini(&mutate);
    return code;
}

int measure_end(const struct cli_args *args, struct loaded *loaded, struct suite_runner *runner,
                struct cover *cover, int code)
{
    if (cover == NULL || code == CLI_BAD) {
        return code;
    }
    bool passed = code == CLI_DONE;
    if (args->coverage != NULL || args->coverage_least > 0) {
        code = tell_coverage(args, cover, code);
    }
    if (!args->mutate || code == CLI_BAD) {
        return code;
    }
    if (!passed) {
        (void)cli_bad("a test that fails already notices nothing", "mutants are tried once all tests pass");
        return code;
    }
    return tell_mutants(args, loaded, runner, cover, code);
}
