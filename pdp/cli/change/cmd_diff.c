// SPDX-License-Identifier: Apache-2.0
#include "cli/change/diff.h"
#include "cli/local.h"

static int compile(const struct cli_args *args, const char *path, struct folder **folder,
                   struct snapshot **out)
{
    int code = local_read(args, path, folder);
    if (code == CLI_DONE) {
        struct snapshot_input input = folder_input(*folder);
        input.conditions = true;
        code = local_compile(args, path, &input, out);
    }
    return code;
}

static int tell(const struct cli_args *args, const struct diff *diff)
{
    AUTO(buf_fini) struct buf out = {0};
    if (args->json) {
        diff_emit(diff, &out);
    } else {
        diff_show(diff, &out);
    }
    return cli_write(&out, diff_is_same(diff) ? CLI_DONE : CLI_NO);
}

int cmd_diff(const struct cli_args *args)
{
    AUTO(folder_free) struct folder *was_folder = NULL;
    AUTO(folder_free) struct folder *is_folder = NULL;
    AUTO(snapshot_free) struct snapshot *was = NULL;
    AUTO(snapshot_free) struct snapshot *is = NULL;
    struct diff diff = {0};
    int code = compile(args, args->positional[0], &was_folder, &was);
    code = code == CLI_DONE ? compile(args, args->positional[1], &is_folder, &is) : code;
    if (code != CLI_DONE) {
        return code;
    }
    enum pdp_err err = diff_find(was, is, &diff);
    err = err == PDP_ERR_OK ? diff_search(&diff, was, is) : err;
    code = err == PDP_ERR_OK ? tell(args, &diff)
                             : cli_bad(NULL, "the folders cannot be compared: %s", pdp_err_text(err));
    diff_fini(&diff);
    return code;
}
