// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int read_lines(struct repl *repl, bool person)
{
    char *line = NULL;
    size_t cap = 0;
    int code = CLI_DONE;
    while (!repl->quits && code == CLI_DONE) {
        if (person) {
            fputs("pdp> ", stdout);
            fflush(stdout);
        }
        ssize_t got = getline(&line, &cap, stdin);
        if (got < 0) {
            break;
        }
        repl_line(repl, (struct str){line, (size_t)got});
        code = cli_write(&repl->out, CLI_DONE);
    }
    if (person && !repl->quits) {
        fputc('\n', stdout);
    }
    free(line);
    return code;
}

int cmd_repl(const struct cli_args *args)
{
    static struct repl repl;
    bool person = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
    if (!local_now(args, &repl.at_ms)) {
        return CLI_BAD;
    }
    int code = repl_open(args, &repl);
    if (code == CLI_DONE) {
        bool ready = args->request == NULL || repl_load(&repl, args->request);
        code = ready ? read_lines(&repl, person) : CLI_BAD;
        code = code == CLI_DONE && repl.failed && !person ? CLI_BAD : code;
    }
    repl_fini(&repl);
    return code;
}
