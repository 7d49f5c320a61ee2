// SPDX-License-Identifier: Apache-2.0
#include "cli/test/loaded.h"

#include <stdlib.h>

static const struct hash_key KEY = {UINT64_C(0x7064702d74657374), UINT64_C(0x2d736e6170736874)};
static const size_t MISTAKES_MOST = 1000;

static enum pdp_err compile(struct loaded *loaded, bool conditions)
{
    struct snapshot_input input = folder_input(loaded->folder);
    input.conditions = conditions;
    return snapshot_build(&input, KEY, &loaded->diags, &loaded->snapshot);
}

// Files of tests, and of a folder of scenarios all others too.
static enum pdp_err read_tests(const struct cli_args *args, struct loaded *loaded)
{
    const struct snapshot_file *tests = NULL;
    size_t count = 0;
    if (loaded->scenarios == NULL) {
        TRY(folder_tests(loaded->folder, &tests, &count));
        return suite_read(tests, count, &loaded->diags, &loaded->suite);
    }
    struct snapshot_input others = folder_input(loaded->scenarios);
    TRY(folder_tests(loaded->scenarios, &tests, &count));
    struct snapshot_file *all = calloc(others.file_count + count + 1, sizeof *all);
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    memcpy(all, others.files, others.file_count * sizeof *all);
    if (count > 0) {
        memcpy(all + others.file_count, tests, count * sizeof *all);
    }
    const struct snapshot_file given = {.name = str_of(args->given != NULL ? args->given : ""),
                                        .text = buf_view(&loaded->given)};
    enum pdp_err err = suite_read_over(all, others.file_count + count, args->given != NULL ? &given : NULL,
                                       &loaded->diags, &loaded->suite);
    free(all);
    return err;
}

static enum pdp_err load(const struct cli_args *args, struct loaded *loaded, bool conditions)
{
    enum pdp_err built = compile(loaded, conditions);
    loaded->own = loaded->diags.errors;
    enum pdp_err read = read_tests(args, loaded);
    TRY(built);
    TRY(read);
    return loaded->scenarios == NULL ? suite_check(loaded->suite, loaded->snapshot, &loaded->diags)
                                     : PDP_ERR_OK;
}

// Each folder with its own mistakes.
static int say_both(const struct cli_args *args, const char *dir, const char *scenarios,
                    struct loaded *loaded)
{
    size_t all = loaded->diags.errors, others = all - loaded->own;
    if (others == 0 || loaded->own == 0) {
        return local_say(args, others > 0 ? scenarios : dir, &loaded->diags);
    }
    (void)local_say(args, NULL, &loaded->diags);
    (void)local_count(dir, loaded->own);
    return local_count(scenarios, others);
}

int loaded_read(const struct cli_args *args, const char *dir, const char *scenarios, bool conditions,
                struct loaded *out)
{
    *out = (struct loaded){0};
    diags_init(&out->diags, MISTAKES_MOST);
    int code = local_read(args, dir, &out->folder);
    if (code == CLI_DONE && scenarios != NULL) {
        code = local_read(args, scenarios, &out->scenarios);
    }
    if (code == CLI_DONE && scenarios != NULL && args->given != NULL && !cli_read(args->given, &out->given)) {
        code = CLI_BAD;
    }
    if (code != CLI_DONE) {
        return code;
    }
    enum pdp_err err = load(args, out, conditions);
    if (err != PDP_ERR_OK && out->diags.errors == 0) {
        return cli_bad(NULL, "`%s` cannot be loaded: %s", dir, pdp_err_text(err));
    }
    return scenarios != NULL ? say_both(args, dir, scenarios, out) : local_say(args, dir, &out->diags);
}

void loaded_fini(struct loaded *loaded)
{
    suite_free(&loaded->suite);
    snapshot_free(&loaded->snapshot);
    diags_fini(&loaded->diags);
    folder_free(&loaded->scenarios);
    folder_free(&loaded->folder);
    buf_fini(&loaded->given);
}
