// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "cli/edit/format.h"
#include "cli/edit/lines.h"
#include "cli/output.h"
#include "daemon/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64 // of folders

// One call: what it shall do, and how it went.
struct fmt {
    bool check, diff;
    struct buf said; // standard output
    bool changes, bad;
};

// ---- One text -----------------------------------------------------------------------------------------

static void tell(struct fmt *f, const char *path, enum pdp_err err, struct diags *diags)
{
    AUTO(buf_fini) struct buf said = {0};
    f->bad = true;
    if (diags->errors > 0) {
        diags_render(diags, &said);
        fflush(stdout);
        fwrite(said.at, 1, said.len, stderr);
    } else if (err == PDP_ERR_UNSUPPORTED) {
        (void)cli_bad("write `key: value`, and leave out documents that hold nothing",
                      "`%s` has a `?` key or an empty document, and is left as it is", path);
    } else if (err == PDP_ERR_STATE) {
        (void)cli_bad("please report this file", "`%s` would not mean the same, and is left as it is", path);
    } else {
        (void)cli_bad(NULL, "`%s`: out of memory", path);
    }
}

// Formats one text; false where it is left as it is, with the mistake said.
static bool format(struct fmt *f, const char *path, struct str text, struct buf *out)
{
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 100);
    const struct source source = {str_of(path), text};
    enum pdp_err err = format_source(&source, &diags, out);
    if (err != PDP_ERR_OK) {
        tell(f, path, err, &diags);
    }
    return err == PDP_ERR_OK;
}

// ---- Files --------------------------------------------------------------------------------------------

static void format_file(struct fmt *f, const char *path)
{
    AUTO(buf_fini) struct buf text = {0};
    AUTO(buf_fini) struct buf out = {0};
    const char *why = "";
    if (file_take(path, CONF_BYTES_MAX, &text, NULL, &why) != PDP_ERR_OK) {
        (void)cli_bad(NULL, "`%s` cannot be read: %s", path, why);
        f->bad = true;
        return;
    }
    if (!format(f, path, buf_view(&text), &out) || str_eq(buf_view(&text), buf_view(&out))) {
        return;
    }
    f->changes = true;
    if (f->diff) {
        lines_diff(path, buf_view(&text), buf_view(&out), &f->said);
    } else if (f->check || output_put(path, buf_view(&out), 0666, &why) == PDP_ERR_OK) {
        buf_printf(&f->said, "%s\n", path);
    } else {
        (void)cli_bad(NULL, "`%s` cannot be written, and is as it was: %s", path, why);
        f->bad = true;
    }
}

static void format_standard(struct fmt *f)
{
    AUTO(buf_fini) struct buf text = {0};
    AUTO(buf_fini) struct buf out = {0};
    if (!cli_read("-", &text)) {
        f->bad = true;
    } else if (format(f, "standard input", buf_view(&text), &out)) {
        f->changes = !str_eq(buf_view(&text), buf_view(&out));
        if (f->diff) {
            lines_diff("standard input", buf_view(&text), buf_view(&out), &f->said);
        } else if (!f->check) {
            buf_str(&f->said, buf_view(&out));
        } else if (f->changes) {
            buf_printf(&f->said, "standard input\n");
        }
    }
}

// ---- Folders ------------------------------------------------------------------------------------------

static void format_path(struct fmt *f, const char *path, int depth);

static bool is_document(const char *name)
{
    return str_ends(str_of(name), STR(".yaml")) || str_ends(str_of(name), STR(".yml"));
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

// Links to folders are not followed: they may go round. Those to files are: policies are read through them.
static void format_entry(struct fmt *f, const char *folder, const char *name, int depth)
{
    AUTO(buf_fini) struct buf path = {0};
    struct stat info;
    size_t len = strlen(folder);
    buf_printf(&path, "%s%s%s%c", folder, len > 0 && folder[len - 1] == '/' ? "" : "/", name, '\0');
    const char *whole = (const char *)path.at;
    if (path.failed) {
        (void)cli_bad(NULL, "`%s`: out of memory", folder);
        f->bad = true;
    } else if (lstat(whole, &info) == 0 && S_ISDIR(info.st_mode)) {
        format_path(f, whole, depth + 1);
    } else if (is_document(name)) {
        format_file(f, whole); // what cannot be read it says; what is none may be gone again
    }
}

static void format_folder(struct fmt *f, const char *path, int depth)
{
    struct dirent **list = NULL;
    int count = depth < DEPTH_MAX ? scandir(path, &list, is_shown, alphasort) : -1;
    if (count < 0) {
        (void)cli_bad(NULL, "the folder `%s` cannot be read: %s", path,
                      depth < DEPTH_MAX ? strerror(errno) : "folders lie too deep");
        f->bad = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        format_entry(f, path, list[i]->d_name, depth);
        free(list[i]);
    }
    free(list);
}

static void format_path(struct fmt *f, const char *path, int depth)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        format_folder(f, path, depth);
    } else {
        format_file(f, path);
    }
}

// What somebody names: JSON, for one, is YAML too, and would be no JSON any more.
static void format_named(struct fmt *f, const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode) && !is_document(path)) {
        (void)cli_bad("`pdpctl fmt -` formats what has another name, from standard input",
                      "`%s` is left as it is: its name does not end in `.yaml` or `.yml`", path);
        f->bad = true;
    } else {
        format_path(f, path, 0);
    }
}

int cmd_fmt(const struct cli_args *args)
{
    struct fmt f = {.check = args->check, .diff = args->diff};
    for (size_t i = 0; i < args->word_count; i++) {
        if (strcmp(args->words[i], "-") == 0) {
            format_standard(&f);
        } else {
            format_named(&f, args->words[i]);
        }
    }
    int code = f.bad ? CLI_BAD : f.check && f.changes ? CLI_NO : CLI_DONE;
    code = cli_write(&f.said, code);
    buf_fini(&f.said);
    return code;
}
