// SPDX-License-Identifier: Apache-2.0
// What every command reads and says: files and standard input, standard output, mistakes.
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>

void cli_say(const char *front, const char *hint, const char *fmt, va_list args)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", front);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    if (hint != NULL) {
        fprintf(stderr, "  hint: %s\n", hint);
    }
}

int cli_bad(const char *hint, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    cli_say("pdpctl", hint, fmt, args);
    va_end(args);
    return CLI_BAD;
}

int cli_write(const struct buf *bytes, int code)
{
    bool whole =
        !bytes->failed && (bytes->len == 0 || fwrite(bytes->at, 1, bytes->len, stdout) == bytes->len);
    if (!whole || fflush(stdout) != 0) {
        return cli_bad("is the disk full, or the reader gone?",
                       "the answer could not be written to standard output");
    }
    return code;
}

bool cli_read(const char *path, struct buf *out)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    const char *name = standard ? "standard input" : path;
    if (file == NULL) {
        (void)cli_bad("give the name of a file that can be read, or `-` for standard input",
                      "`%s` cannot be read: %s", name, strerror(errno));
        return false;
    }
    errno = 0;
    size_t got = 1;
    while (got > 0 && buf_room(out, 65536)) {
        got = fread(out->at + out->len, 1, 65536, file);
        out->len += got;
    }
    bool good = ferror(file) == 0 && !out->failed;
    int why = errno;
    if (!standard) {
        fclose(file);
    }
    if (!good) {
        (void)cli_bad(NULL, "`%s` could not be read to its end: %s", name,
                      out->failed ? "out of memory" : strerror(why));
    }
    return good;
}

bool cli_is_question(const struct cli_args *args, const struct buf *bytes)
{
    const char *name =
        args->request != NULL && strcmp(args->request, "-") != 0 ? args->request : "standard input";
    struct str text = str_trim(buf_view(bytes));
    if (text.len == 0) {
        (void)cli_bad("give the question as JSON: `--request FILE`, or on standard input", "`%s` is empty",
                      name);
    } else if (text.at[0] != '{' && (text.at[0] & 0x80) == 0) { // a map in CBOR begins with a byte above 0x9F
        (void)cli_bad("a question is a JSON object, such as policies/recorded/question.json",
                      "`%s` holds no question: it does not begin with `{`", name);
    } else {
        return true;
    }
    return false;
}
