// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "cli/edit/template.h"
#include "cli/output.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATES_MOST 16

// ---- Templates ----------------------------------------------------------------------------------------

static size_t template_names(struct str names[static TEMPLATES_MOST])
{
    size_t count = 0;
    for (size_t i = 0; i < TEMPLATE_FILE_COUNT && count < TEMPLATES_MOST; i++) {
        struct str name = str_of(TEMPLATE_FILES[i].of);
        if (count == 0 || !str_eq(names[count - 1], name)) {
            names[count++] = name;
        }
    }
    return count;
}

static bool is_template(const char *name)
{
    for (size_t i = 0; i < TEMPLATE_FILE_COUNT; i++) {
        if (strcmp(TEMPLATE_FILES[i].of, name) == 0) {
            return true;
        }
    }
    return false;
}

static int no_template(const char *given)
{
    AUTO(buf_fini) struct buf hint = {0};
    struct str names[TEMPLATES_MOST];
    size_t count = template_names(names);
    buf_printf(&hint, "there are ");
    for (size_t i = 0; i < count; i++) {
        buf_printf(&hint, "%s`" STR_FMT "`", i == 0 ? "" : i + 1 < count ? ", " : " and ", STR_ARG(names[i]));
    }
    buf_byte(&hint, '\0');
    return cli_bad(hint.failed ? NULL : (const char *)hint.at, "there is no template `%s`", given);
}

// ---- The folder ---------------------------------------------------------------------------------------

static void dir_close(DIR **dir)
{
    if (*dir != NULL) {
        closedir(*dir);
    }
}

static bool is_empty(const char *path)
{
    AUTO(dir_close) DIR *dir = opendir(path);
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            return false;
        }
    }
    return dir != NULL;
}

// *made: it was not there.
static int make_folder(const char *path, bool *made)
{
    *made = mkdir(path, 0777) == 0;
    if (*made) {
        return CLI_DONE;
    }
    if (errno != EEXIST) {
        return cli_bad("the folder that holds it must be there, and be yours", "`%s` cannot be made: %s",
                       path, strerror(errno));
    }
    if (!is_empty(path)) {
        return cli_bad("name a folder that is not there yet, or an empty one",
                       "`%s` is no empty folder, and is left as it is", path);
    }
    return CLI_DONE;
}

static void path_of(const char *folder, const struct template_file *file, struct buf *out)
{
    size_t len = strlen(folder);
    bool slash = len > 0 && folder[len - 1] == '/';
    buf_clear(out);
    buf_printf(out, "%s%s%s%c", folder, slash ? "" : "/", file->name, '\0');
}

// After a failure nothing stays of what was written.
static void take_back(const char *folder, const char *template, size_t before, bool made)
{
    AUTO(buf_fini) struct buf path = {0};
    for (size_t i = 0; i < before; i++) {
        if (strcmp(TEMPLATE_FILES[i].of, template) == 0) {
            path_of(folder, &TEMPLATE_FILES[i], &path);
            (void)unlink(path.failed ? "" : (const char *)path.at);
        }
    }
    if (made) {
        (void)rmdir(folder);
    }
}

static int write_files(const char *folder, const char *template, bool made, struct buf *said)
{
    AUTO(buf_fini) struct buf path = {0};
    for (size_t i = 0; i < TEMPLATE_FILE_COUNT; i++) {
        const struct template_file *file = &TEMPLATE_FILES[i];
        const char *why = "out of memory";
        if (strcmp(file->of, template) != 0) {
            continue;
        }
        path_of(folder, file, &path);
        const struct str text = {(const char *)file->bytes, file->len};
        if (path.failed || output_put((const char *)path.at, text, 0666, &why) != PDP_ERR_OK) {
            take_back(folder, template, i, made);
            return cli_bad(NULL, "`%s` cannot be written: %s", path.failed ? folder : (const char *)path.at,
                           why);
        }
        buf_printf(said, "%s\n", (const char *)path.at);
    }
    return CLI_DONE;
}

// As a shell takes it for one word.
static void put_word(const char *word, struct buf *out)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+@%:,=-";
    if (word[0] != '\0' && word[strspn(word, PLAIN)] == '\0') {
        buf_str(out, str_of(word));
        return;
    }
    buf_byte(out, '\'');
    for (const char *at = word; *at != '\0'; at++) {
        buf_str(out, *at == '\'' ? STR("'\\''") : (struct str){at, 1});
    }
    buf_byte(out, '\'');
}

int cmd_new(const struct cli_args *args)
{
    const char *folder = args->positional[0];
    const char *template = args->template != NULL ? args->template : "web";
    AUTO(buf_fini) struct buf said = {0};
    bool made = false;
    if (!is_template(template)) {
        return no_template(template);
    }
    int code = make_folder(folder, &made);
    if (code == CLI_DONE) {
        code = write_files(folder, template, made, &said);
    }
    if (code != CLI_DONE) {
        return code;
    }
    buf_printf(&said, "\nnext: pdpctl test %s", folder[0] == '-' ? "-- " : "");
    put_word(folder, &said);
    buf_byte(&said, '\n');
    return cli_write(&said, CLI_DONE);
}
