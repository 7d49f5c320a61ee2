// SPDX-License-Identifier: Apache-2.0
// `pdpctl test DIR`.
#include "cli/test/loaded.h"
#include "cli/test/report.h"

static int print(const struct cli_args *args, const struct report *report)
{
    struct buf out = {0};
    (void)args;
    report_people(report, &out);
    int code = cli_write(&out, report->failed > 0 ? CLI_NO : CLI_DONE);
    buf_fini(&out);
    return code;
}

static int nothing(const struct cli_args *args, const struct loaded *loaded)
{
    if (suite_count(loaded->suite) == 0) {
        return cli_bad("they stand in files whose names end in `_test.yaml`; docs/TESTING.md shows some",
                       "`%s` has no tests", args->positional[0]);
    }
    return cli_bad("it is looked for in names of documents, and of cases of a Test",
                   "no test has a name with `%s`", args->filter);
}

static int run(const struct cli_args *args, struct loaded *loaded)
{
    AUTO(suite_runner_free) struct suite_runner *runner = NULL;
    struct report report = {0};
    int code = CLI_BAD;
    if (suite_runner_new(&loaded->snapshot, &runner) != PDP_ERR_OK ||
        report_run(runner, loaded->suite, args->filter, &report) != PDP_ERR_OK) {
        code = cli_bad(NULL, "out of memory");
    } else if (report.point_count == 0) {
        code = nothing(args, loaded);
    } else {
        code = print(args, &report);
    }
    report_fini(&report);
    return code;
}

int cmd_test(const struct cli_args *args)
{
    struct loaded loaded;
    int code = loaded_read(args, args->positional[0], NULL, false, &loaded);
    code = code == CLI_DONE ? run(args, &loaded) : code;
    loaded_fini(&loaded);
    return code;
}
