// SPDX-License-Identifier: Apache-2.0
// The inputs of yaml-test-suite, formatted: what our reader takes keeps its meaning and its comments, and
// comes out the same when it is formatted again. use: foreign_fmt FOLDER
#include "cli/edit/format.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int LEAST = 150; // that are formatted

static void slurp(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    size_t got = 1;
    while (file != NULL && got > 0 && buf_room(out, 65536)) {
        got = fread(out->at + out->len, 1, 65536, file);
        out->len += got;
    }
    if (file != NULL) {
        fclose(file);
    }
}

static enum pdp_err format(struct str text, struct buf *out)
{
    const struct source source = {STR("in.yaml"), text};
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 10);
    return format_source(&source, &diags, out);
}

// Is one input treated well? *formatted counts.
static bool try_one(const char *path, int *formatted)
{
    AUTO(buf_fini) struct buf text = {0};
    AUTO(buf_fini) struct buf once = {0};
    AUTO(buf_fini) struct buf twice = {0};
    slurp(path, &text);
    enum pdp_err err = format(buf_view(&text), &once);
    if (err == PDP_ERR_STATE) {
        printf("%s would not mean the same\n", path);
        return false;
    }
    if (err != PDP_ERR_OK) { // no YAML to us, or left alone
        return true;
    }
    ++*formatted;
    bool same = format(buf_view(&once), &twice) == PDP_ERR_OK && str_eq(buf_view(&once), buf_view(&twice));
    if (!same) {
        printf("%s changes again\n", path);
    }
    return same;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    char folder[1024], path[2048];
    struct dirent **list = NULL;
    int formatted = 0, bad = 0;
    snprintf(folder, sizeof folder, "%s/yaml", argc > 1 ? argv[1] : ".");
    int count = scandir(folder, &list, is_shown, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/in.yaml", folder, list[i]->d_name);
        bad += try_one(path, &formatted) ? 0 : 1;
        free(list[i]);
    }
    free(list);
    printf("%d of %d inputs are formatted, %d badly\n", formatted, count, bad);
    return bad > 0 || formatted < LEAST;
}
