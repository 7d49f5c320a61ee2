// SPDX-License-Identifier: Apache-2.0
// pdpd: the policy decision daemon.
#include "daemon/config/flags.h"
#include "daemon/server/server.h"

#include "all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CONFIG_BYTES_MAX = 1 << 20
};

static enum pdp_err text_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return PDP_ERR_IO;
    }
    out->limit = CONFIG_BYTES_MAX;
    char part[4096];
    for (size_t len = fread(part, 1, sizeof part, file); len > 0; len = fread(part, 1, sizeof part, file)) {
        buf_put(out, part, len);
    }
    bool bad = ferror(file) != 0;
    fclose(file);
    return bad ? PDP_ERR_IO : out->failed ? PDP_ERR_LIMIT : PDP_ERR_OK;
}

static void say(const struct buf *text, FILE *to)
{
    if (text->len != 0) {
        (void)fwrite(text->at, 1, text->len, to);
    }
}

// The file's text must outlive the diagnostics, not the configuration.
static enum pdp_err file_take(const char *path, struct config *config)
{
    struct buf text = {0}, shown = {0};
    errno = 0;
    enum pdp_err err = text_read(path, &text);
    if (err != PDP_ERR_OK) {
        buf_printf(&shown, "pdpd: cannot read `%s`: %s\n", path,
                   errno != 0 ? strerror(errno) : pdp_err_text(err));
    } else {
        struct source source = {str_of(path), buf_view(&text)};
        struct diags diags;
        diags_init(&diags, 100);
        err = config_read(config, &source, &diags);
        diags_render(&diags, &shown);
        err = err == PDP_ERR_OK && diags.errors != 0 ? PDP_ERR_SYNTAX : err;
        diags_fini(&diags);
    }
    say(&shown, stderr);
    buf_fini(&shown);
    buf_fini(&text);
    return err;
}

static int run(const struct flags *flags, struct config *config)
{
    struct buf help = {0};
    switch (flags->what) {
    case FLAGS_HELP:
        flags_help(&help);
        say(&help, stdout);
        buf_fini(&help);
        return SERVER_DONE;
    case FLAGS_VERSION:
        printf("pdpd %s\n", PDP_VERSION);
        return SERVER_DONE;
    case FLAGS_SERVE:
    case FLAGS_CHECK:
        break;
    }
    if (flags->config != NULL && file_take(flags->config, config) != PDP_ERR_OK) {
        return SERVER_BAD_INPUT;
    }
    return flags->what == FLAGS_CHECK ? server_check(config) : server_run(config);
}

// A socket must not become standard error, or the log would go to a peer.
static bool take_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDWR);
    }
    return fd >= 0 && close(fd) == 0;
}

int main(int argc, char **argv)
{
    if (!take_standard_descriptors()) {
        return SERVER_FAILED;
    }
    static struct config config; // large, and alive as long as any thread
    struct flags flags;
    struct buf why = {0};
    config_init(&config, adapters_all);
    int status = SERVER_BAD_INPUT;
    if (flags_read(argc, argv, &flags, &config, &why) == PDP_ERR_OK) {
        status = run(&flags, &config);
    }
    say(&why, stderr);
    buf_fini(&why);
    config_fini(&config);
    return status;
}
