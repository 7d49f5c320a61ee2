// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"
#include "cli/admin/remote.h"
#include "wire/wire.h"

int cmd_peer_list(const struct cli_args *args)
{
    return remote_simple(args, "peer.list", remote_tree);
}

static int64_t int_of(const struct value *map, const char *key)
{
    const struct value *found = value_get(map, str_of(key));
    return found != NULL && found->kind == VALUE_INT ? found->as.i : 0;
}

static void print_undone(const struct value *root, struct buf *out)
{
    const struct value *all = value_get(root, STR("sessions"));
    const struct value *dry = value_get(root, STR("dry_run"));
    if (all == NULL || all->kind != VALUE_LIST) {
        remote_tree(root, out);
        return;
    }
    bool asks = dry != NULL && dry->kind == VALUE_BOOL && dry->as.b;
    buf_printf(out,
               "%s: %lld sessions begun and %lld vouched for, %lld proved more, %lld devices remembered; "
               "%lld ended\n",
               asks ? "would be undone" : "undone", (long long)int_of(root, "sessions_begun"),
               (long long)int_of(root, "sessions_vouched"), (long long)int_of(root, "sessions_proved"),
               (long long)int_of(root, "devices"), (long long)int_of(root, "ended"));
    if (int_of(root, "administrators") > 0) {
        buf_printf(out, "%lld sessions are of administrators\n", (long long)int_of(root, "administrators"));
    }
    for (uint32_t i = 0; i < all->n; i++) {
        remote_cell(value_get(&all->as.list[i], STR("ref")), 26, out);
        remote_cell(value_get(&all->as.list[i], STR("undone")), 14, out);
        remote_cell(value_get(&all->as.list[i], STR("subject")), 1, out);
        buf_byte(out, '\n');
    }
}

static int put_since(const struct cli_args *args, struct emit *emit)
{
    int64_t since_ms = 0;
    if (args->since == NULL) {
        return CLI_DONE;
    }
    if (!local_past("since", args->since, &since_ms)) {
        return CLI_BAD;
    }
    emit_key_int(emit, "since", since_ms);
    return CLI_DONE;
}

static int peer_order(const struct cli_args *args, const char *op)
{
    const struct {
        const char *key;
        bool on;
    } SWITCHES[] = {{"terminate", args->terminate}, {"dry_run", args->dry_run}, {"lock_out", args->lock_out}};
    struct buf message = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", str_of(op));
    emit_key_str(&emit, "peer", str_of(args->positional[0]));
    if (args->reason != NULL) {
        emit_key_str(&emit, "reason", str_of(args->reason));
    }
    for (size_t i = 0; i < COUNT_OF(SWITCHES); i++) {
        if (SWITCHES[i].on) {
            emit_key_bool(&emit, SWITCHES[i].key, true);
        }
    }
    if (args->confirm >= 0) {
        emit_key_int(&emit, "confirm", args->confirm);
    }
    if (args->wait_ms > 0) {
        emit_key_int(&emit, "wait", args->wait_ms);
    }
    int code = put_since(args, &emit);
    emit_end(&emit);
    code = code == CLI_DONE ? remote_operate(args, &message, print_undone) : code;
    buf_fini(&message);
    return code;
}

int cmd_peer_quarantine(const struct cli_args *args)
{
    return args->reason != NULL || args->dry_run
               ? peer_order(args, "peer.quarantine")
               : cli_bad("why, for the record", "`--reason TEXT` is missing");
}

int cmd_peer_release(const struct cli_args *args)
{
    return peer_order(args, "peer.release");
}
