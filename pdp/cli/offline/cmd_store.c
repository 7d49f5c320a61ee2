// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "session/row.h"
#include "store/file.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    SHOWN_MAX = 20, // findings in words; all are counted
    PATH_BYTES = 4096
};
static const char FILE_NAME[] = "sessions.db";

struct looked {
    struct buf findings; // one a line
    uint64_t shown;
};

static bool path_of(const struct cli_args *args, char out[static PATH_BYTES])
{
    int len = snprintf(out, PATH_BYTES, "%s/%s", args->positional[0], FILE_NAME);
    return len > 0 && len < PATH_BYTES;
}

// `why` is a message, and behind a newline its hint, as the libraries give it. What is wrong with a file is
// an answer; what hinders from looking at it is not.
static int refused(enum pdp_err err, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "pdpctl: %s\n", why[0] != '\0' ? why : pdp_err_text(err));
    if (err == PDP_ERR_MISSING) {
        fprintf(stderr, "  hint: name the folder that pdpd has as `--state`\n");
    }
    return err == PDP_ERR_CORRUPT || err == PDP_ERR_UNSUPPORTED || err == PDP_ERR_STATE ? CLI_NO : CLI_BAD;
}

static int bad_path(void)
{
    return cli_bad(NULL, "the name of the folder is too long");
}

// ---- Figures -----------------------------------------------------------------------------------------

static void emit_facts(struct emit *emit, const struct file_facts *facts)
{
    emit_key_int(emit, "version", facts->version);
    emit_key_int(emit, "commits", (int64_t)facts->commits);
    emit_key_int(emit, "bytes", (int64_t)facts->bytes);
    emit_key(emit, STR("rows"));
    emit_map(emit, STORE_TABLE_COUNT);
    for (size_t i = 0; i < STORE_TABLE_COUNT; i++) {
        emit_key_int(emit, store_table_name((enum store_table)i), (int64_t)facts->rows[i]);
    }
    emit_end(emit);
}

static void put_facts(const struct file_facts *facts, struct buf *out)
{
    buf_printf(out, "%-12s %d\n%-12s %" PRIu64 "\n%-12s %" PRIu64 "\n", "version", facts->version, "commits",
               facts->commits, "bytes", facts->bytes);
    for (size_t i = 0; i < STORE_TABLE_COUNT; i++) {
        buf_printf(out, "%-12s %" PRIu64 "\n", store_table_name((enum store_table)i), facts->rows[i]);
    }
}

int cmd_store_stats(const struct cli_args *args)
{
    char path[PATH_BYTES], why[STORE_WHY_MAX] = "";
    struct file_facts facts;
    if (!path_of(args, path)) {
        return bad_path();
    }
    enum pdp_err err = file_facts(path, NULL, &facts, why);
    if (err != PDP_ERR_OK) {
        return refused(err, why);
    }
    AUTO(buf_fini) struct buf out = {0};
    if (args->json) {
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &out);
        emit_map(&emit, SIZE_MAX);
        emit_facts(&emit, &facts);
        emit_end(&emit);
        buf_byte(&out, '\n');
    } else {
        put_facts(&facts, &out);
    }
    return cli_write(&out, CLI_DONE);
}

// ---- Check -------------------------------------------------------------------------------------------

// As pdpd reads them at its start.
static const char *judge(void *user, const struct store_row *row)
{
    (void)user;
    struct session_record session;
    struct user_record person;
    struct row_names names;
    struct str gateway;
    enum pdp_err err = PDP_ERR_OK;
    if (row->table == STORE_SESSIONS) {
        err = row_session_read(row->key, row->value, &session, &gateway);
    } else if (row->table == STORE_USERS) {
        err = row_user_read(row->key, row->value, &person, &names);
    }
    return err == PDP_ERR_OK            ? NULL
           : err == PDP_ERR_UNSUPPORTED ? "it was written by a later version"
                                        : "pdpd cannot read it";
}

static void found(void *user, const char *what)
{
    struct looked *looked = user;
    if (looked->shown < SHOWN_MAX) {
        looked->shown++;
        buf_escaped(&looked->findings, str_of(what));
        buf_byte(&looked->findings, '\n');
    }
}

static void emit_findings(struct emit *emit, struct str lines)
{
    emit_key(emit, STR("findings"));
    emit_list(emit, SIZE_MAX);
    for (size_t at = 0; at < lines.len;) {
        size_t end = str_find_byte(lines, '\n', at);
        emit_str(emit, str_sub(lines, at, end - at));
        at = end + 1;
    }
    emit_end(emit);
}

static void put_check(const struct cli_args *args, const char *path, const struct file_facts *facts,
                      const struct looked *looked, struct buf *out)
{
    struct str lines = buf_view(&looked->findings);
    if (args->json) {
        struct emit emit;
        emit_init(&emit, WIRE_JSON, out);
        emit_map(&emit, SIZE_MAX);
        emit_key_bool(&emit, "ok", facts->wrong == 0);
        emit_facts(&emit, facts);
        emit_key_int(&emit, "wrong", (int64_t)facts->wrong);
        emit_findings(&emit, lines);
        emit_end(&emit);
        buf_byte(out, '\n');
        return;
    }
    buf_printf(out, facts->wrong == 0 ? "good: every row of `%s` can be read\n" : "`%s` is damaged:\n", path);
    for (size_t at = 0; at < lines.len;) {
        size_t end = str_find_byte(lines, '\n', at);
        buf_printf(out, "  " STR_FMT "\n", STR_ARG(str_sub(lines, at, end - at)));
        at = end + 1;
    }
    if (facts->wrong > looked->shown) {
        buf_printf(out, "  and %" PRIu64 " more\n", facts->wrong - looked->shown);
    }
    put_facts(facts, out);
}

int cmd_store_check(const struct cli_args *args)
{
    char path[PATH_BYTES], why[STORE_WHY_MAX] = "";
    struct file_facts facts;
    struct looked looked = {0};
    AUTO(buf_fini) struct buf out = {0};
    struct file_look look = {.judge = judge, .found = found, .user = &looked};
    if (!path_of(args, path)) {
        return bad_path();
    }
    enum pdp_err err = file_check(path, NULL, &look, &facts, why);
    int code = CLI_DONE;
    if (err == PDP_ERR_OK) {
        put_check(args, path, &facts, &looked, &out);
        code = cli_write(&out, facts.wrong == 0 ? CLI_DONE : CLI_NO);
    } else {
        code = refused(err, why);
    }
    if (err == PDP_ERR_OK && facts.wrong > 0) {
        fprintf(stderr,
                "pdpctl: `%s` would not be served\n  hint: stop pdpd and bring back a backup: `pdpctl store "
                "restore %s FILE`\n",
                path, args->positional[0]);
    }
    buf_fini(&looked.findings);
    return code;
}

// ---- Copies ------------------------------------------------------------------------------------------

int cmd_store_backup(const struct cli_args *args)
{
    char path[PATH_BYTES], why[STORE_WHY_MAX] = "";
    const char *to = args->positional[1];
    struct file_facts facts;
    if (!path_of(args, path)) {
        return bad_path();
    }
    enum pdp_err err = file_backup(path, NULL, to, why);
    err = err == PDP_ERR_OK ? file_facts(to, NULL, &facts, why) : err;
    if (err != PDP_ERR_OK) {
        return refused(err, why);
    }
    AUTO(buf_fini) struct buf out = {0};
    buf_printf(
        &out,
        "`%s` is a copy of `%s`, checked\nkeep `%s/keys` beside it: without its keys no session in it can be "
        "told\n",
        to, path, args->positional[0]);
    put_facts(&facts, &out);
    return cli_write(&out, CLI_DONE);
}

int cmd_store_restore(const struct cli_args *args)
{
    char path[PATH_BYTES], why[STORE_WHY_MAX] = "";
    if (!path_of(args, path)) {
        return bad_path();
    }
    enum pdp_err err = file_restore(args->positional[1], path, why);
    if (err != PDP_ERR_OK) {
        return refused(err, why);
    }
    AUTO(buf_fini) struct buf out = {0};
    buf_printf(&out,
               "`%s` is now the copy; what stood there is `%s.old`\nsessions that ended after the backup was "
               "made are "
               "not known to have ended: once pdpd runs, give a cut-off for all that were authenticated "
               "before now\n",
               path, path);
    return cli_write(&out, CLI_DONE);
}
