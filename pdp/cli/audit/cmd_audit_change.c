// SPDX-License-Identifier: Apache-2.0
// `pdpctl audit forget` and `rotate-key`: what changes an audit log's keys, by a daemon that runs, or where
// none does.
#include "audit/log.h"
#include "cli/audit/audit_cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

static bool draw(void *out, size_t len)
{
    return len <= 256 && getrandom(out, len, 0) == (ssize_t)len;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void log_close(struct audit_log **log)
{
    audit_log_close(log);
}

static int open_log(const struct cli_args *args, struct audit_log **out)
{
    char folder[4096], why[AUDIT_WHY_MAX];
    audit_folder_of(args, folder);
    struct audit_config config = {.dir = folder, .draw = draw};
    enum pdp_err err = audit_log_open(&config, wall_ms(), out, why);
    return err == PDP_ERR_OK
               ? CLI_DONE
               : cli_bad(err == PDP_ERR_BUSY ? "ask the daemon that writes it: `--connect URL`" : NULL, "%s",
                         why);
}

static int refused(const struct audit_reader *reader, enum pdp_err err)
{
    const char *why = audit_reader_why(reader);
    (void)cli_bad(NULL, "%s", why[0] != '\0' ? why : pdp_err_text(err));
    return CLI_NO;
}

static int forget_here(const struct cli_args *args, const struct audit_person *person, int64_t *keys)
{
    AUTO(log_close) struct audit_log *log = NULL;
    AUTO(buf_fini) struct buf user = {0};
    size_t count = 0;
    int code = open_log(args, &log);
    if (code != CLI_DONE) {
        return code;
    }
    buf_str(&user, person->tenant);
    buf_byte(&user, '\0');
    buf_str(&user, person->type);
    buf_byte(&user, '\0');
    buf_str(&user, person->id);
    enum pdp_err err = user.failed ? PDP_ERR_NOMEM : audit_log_forget(log, buf_view(&user), &count);
    *keys = (int64_t)count;
    return err == PDP_ERR_OK ? CLI_DONE
                             : cli_bad(NULL, "the key could not be destroyed: %s", pdp_err_text(err));
}

static int forget_there(const struct cli_args *args, const struct audit_person *person, int64_t *keys)
{
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    int code = audit_reader_open(args, &reader);
    if (code != CLI_DONE) {
        return code;
    }
    enum pdp_err err = audit_reader_forget(reader, person, str_of(args->reason), keys);
    return err == PDP_ERR_OK ? CLI_DONE : refused(reader, err);
}

int cmd_audit_forget(const struct cli_args *args)
{
    AUTO(buf_fini) struct buf out = {0};
    struct audit_person person = {str_of(args->tenant), STR("user"), str_of(args->subject)};
    int64_t keys = 0;
    if (args->subject == NULL || args->reason == NULL) {
        return cli_bad("pdpctl audit forget --connect URL --tenant T --subject ID --reason TEXT",
                       "`%s` is missing", args->subject == NULL ? "--subject ID" : "--reason TEXT");
    }
    if ((args->state == NULL) == (args->connect == NULL)) {
        return cli_bad("`--connect URL` asks a daemon; `--state DIR` is for when none runs",
                       "one of `--state DIR` and `--connect URL` is needed");
    }
    int code = args->state != NULL ? forget_here(args, &person, &keys) : forget_there(args, &person, &keys);
    if (code != CLI_DONE) {
        return code;
    }
    if (keys == 0) {
        (void)cli_bad("is the tenant right? `--tenant T`", "there was no key of `%s`", args->subject);
        return CLI_NO;
    }
    buf_printf(&out, "forgotten: %" PRId64 " keys destroyed\n", keys);
    return cli_write(&out, CLI_DONE);
}

int cmd_audit_rotate_key(const struct cli_args *args)
{
    AUTO(buf_fini) struct buf out = {0};
    AUTO(log_close) struct audit_log *log = NULL;
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    if ((args->state == NULL) == (args->connect == NULL)) {
        return cli_bad("`--connect URL` asks a daemon; `--state DIR` is for when none runs",
                       "one of `--state DIR` and `--connect URL` is needed");
    }
    int code = args->state != NULL ? open_log(args, &log) : audit_reader_open(args, &reader);
    if (code != CLI_DONE) {
        return code;
    }
    enum pdp_err err = log != NULL ? audit_log_rotate_key(log) : audit_reader_rotate(reader);
    if (err != PDP_ERR_OK) {
        return reader != NULL ? refused(reader, err)
                              : cli_bad(NULL, "the key could not be written: %s", pdp_err_text(err));
    }
    buf_printf(&out, "a new key signs beside the old one; `vkeys` has both\n");
    return cli_write(&out, CLI_DONE);
}
