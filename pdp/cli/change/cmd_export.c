// SPDX-License-Identifier: Apache-2.0
#include "cli/audit/audit_cli.h"
#include "cli/change/life.h"
#include "cli/local.h"
#include "cli/output.h"

#include <inttypes.h>
#include <stdio.h>

#define REPLY_MOST (1 << 22)

// ---- Which session ---------------------------------------------------------------------------------------

static bool ask_ref(const struct cli_args *args, struct pdp_client *client, struct buf *out)
{
    AUTO(buf_fini) struct buf message = {0};
    AUTO(buf_fini) struct buf reply = {0};
    struct arena arena;
    struct value root = {0};
    struct fault why;
    struct emit emit;
    arena_init(&arena, 0, 0);
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("session.show"));
    emit_key_str(&emit, "session", str_of(args->positional[0]));
    emit_end(&emit);
    if (client_call(client, buf_view(&message), (int32_t)args->deadline_ms, &reply) == PDP_ERR_OK &&
        wire_decode_most(wire_form_of(buf_view(&reply)), buf_view(&reply), REPLY_MOST, &arena, &root, &why) ==
            PDP_ERR_OK) {
        const struct value *ref = value_path(&root, STR("session.ref"));
        if (ref != NULL && ref->kind == VALUE_STRING) {
            buf_str(out, value_text(ref));
        }
    }
    arena_fini(&arena);
    return out->len > 0;
}

// A reference is one; an id is known to a daemon alone.
static int find_ref(const struct cli_args *args, struct buf *out)
{
    struct pdp_client *client = NULL;
    if (str_starts(str_of(args->positional[0]), STR("s_"))) {
        buf_str(out, str_of(args->positional[0]));
        return CLI_DONE;
    }
    if (args->connect == NULL) {
        return cli_bad(
            "ids are secrets, and in no record: `pdpctl session show` tells the reference of an id",
            "`%s` is no reference of a session (s_...)", args->positional[0]);
    }
    int code = cli_connect(args, &client);
    if (code == CLI_DONE && !ask_ref(args, client, out)) {
        code = cli_bad("`pdpctl session list` shows those that are known", "`%s` knows no such session",
                       args->connect);
    }
    pdp_close(&client);
    return code;
}

// ---- The command -----------------------------------------------------------------------------------------

static int write_out(const struct cli_args *args, const struct life *life, size_t incident)
{
    AUTO(buf_fini) struct buf out = {0};
    life_write(life, incident, &out);
    if (out.failed) {
        return cli_bad(NULL, "out of memory");
    }
    if (args->output == NULL) {
        return cli_write(&out, CLI_DONE);
    }
    if (output_write(args->output, &out, 0600) != CLI_DONE) {
        return CLI_BAD;
    }
    buf_clear(&out);
    buf_printf(&out, "%zu steps, of which the incident is number %zu: `%s`\n",
               life->count + life_ordered(life), incident + 1, args->output);
    return cli_write(&out, CLI_DONE);
}

static int export(const struct cli_args *args, struct audit_reader *reader, struct str ref, int64_t since_ms)
{
    struct life life;
    struct audit_source source = audit_reader_source(reader);
    enum pdp_err err = life_read(&source, ref, &life);
    size_t incident = err == PDP_ERR_OK ? life_incident(&life, since_ms) : LIFE_NONE;
    int code = CLI_DONE;
    if (err != PDP_ERR_OK) {
        const char *why = audit_reader_why(reader);
        code = cli_bad(NULL, "the audit log cannot be read: %s", why[0] != '\0' ? why : pdp_err_text(err));
    } else if (life.count == 0) {
        (void)cli_bad("`pdpctl audit query --session` finds what there is",
                      "no record of `" STR_FMT "` is in the log", STR_ARG(ref));
        code = CLI_NO;
    } else if (incident == LIFE_NONE) {
        (void)cli_bad(
            since_ms != INT64_MIN ? "name an earlier time, or leave `--since` out" : NULL,
            "nothing was allowed to `" STR_FMT "`%s%s: there is nothing that a policy should have stopped",
            STR_ARG(ref), since_ms != INT64_MIN ? " from " : "", since_ms != INT64_MIN ? args->since : "");
        code = CLI_NO;
    } else {
        code = write_out(args, &life, incident);
    }
    life_fini(&life);
    return code;
}

int cmd_session_export(const struct cli_args *args)
{
    AUTO(audit_reader_close) struct audit_reader *reader = NULL;
    AUTO(buf_fini) struct buf ref = {0};
    int64_t since_ms = INT64_MIN;
    if (args->as == NULL || strcmp(args->as, "scenario") != 0) {
        return cli_bad("`--as scenario` is the only form", "`session export` needs `--as scenario`");
    }
    if (!local_past("since", args->since, &since_ms)) {
        return CLI_BAD;
    }
    int code = audit_reader_open(args, &reader);
    code = code == CLI_DONE ? find_ref(args, &ref) : code;
    return code == CLI_DONE ? export(args, reader, buf_view(&ref), since_ms) : code;
}
