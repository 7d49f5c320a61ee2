// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/remote.h"
#include "wire/wire.h"

#include "base/time.h"

#include <stddef.h>

// ---- Whom an order is about ------------------------------------------------------------------------

static const struct {
    const char *kind;
    size_t offset; // of its flag
} TARGETS[] = {
    {"session", offsetof(struct cli_args, session)}, {"subject", offsetof(struct cli_args, subject)},
    {"device", offsetof(struct cli_args, device)},   {"address", offsetof(struct cli_args, address)},
    {"prefix", offsetof(struct cli_args, prefix)},   {"asn", offsetof(struct cli_args, asn)},
    {"country", offsetof(struct cli_args, country)}, {"ja4", offsetof(struct cli_args, ja4)},
    {"where", offsetof(struct cli_args, where)},     {"rule", offsetof(struct cli_args, rule)},
    {"family", offsetof(struct cli_args, family)},   {"role", offsetof(struct cli_args, role)},
    {"gateway", offsetof(struct cli_args, gateway)},
};

static const char *flag_of(const struct cli_args *args, size_t offset)
{
    const char *value = NULL;
    memcpy(&value, (const char *)args + offset, sizeof value);
    return value;
}

bool cli_names_target(const struct cli_args *args)
{
    bool any = args->all || args->tenant != NULL;
    for (size_t i = 1; i < COUNT_OF(TARGETS); i++) { // a session is ended by itself
        any = any || flag_of(args, TARGETS[i].offset) != NULL;
    }
    return any;
}

#define TARGET_HINT                                                                                   \
    "one of --session, --family, --subject, --device, --address, --prefix, --asn, --country, --ja4, " \
    "--role, --gateway, --where, --tenant, --all"

static void put_target_as(struct emit *emit, const struct cli_args *args, const char *kind, const char *value)
{
    emit_key(emit, STR("target"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "kind", str_of(kind));
    if (value != NULL) {
        emit_key_str(emit, "value", str_of(value));
    }
    if (args->tenant != NULL && strcmp(kind, "tenant") != 0) {
        emit_key_str(emit, "tenant", str_of(args->tenant));
    }
    if (args->type != NULL) {
        emit_key_str(emit, "type", str_of(args->type));
    }
    emit_end(emit);
}

// Exactly one; a tenant beside another narrows that one. Signals are the target of a mute, but not of a
// pardon.
static int put_target(struct emit *emit, const struct cli_args *args, bool mutes)
{
    const char *kind = args->all ? "all" : args->geo_facts ? "geo" : NULL, *value = NULL;
    int named = args->all + args->geo_facts;
    if (mutes && args->signals.count > 0) {
        kind = "signal";
        value = args->signals.at[0];
        named += (int)args->signals.count;
    }
    for (size_t i = 0; i < COUNT_OF(TARGETS); i++) {
        const char *given = flag_of(args, TARGETS[i].offset);
        if (given != NULL) {
            kind = TARGETS[i].kind;
            value = given;
            named++;
        }
    }
    if (named == 0 && args->tenant != NULL) {
        kind = "tenant";
        value = args->tenant;
        named = 1;
    }
    if (named != 1) {
        return cli_bad(TARGET_HINT, named == 0 ? "nobody is named" : "more than one target is named");
    }
    put_target_as(emit, args, kind, value);
    return CLI_DONE;
}

// ---- Orders ----------------------------------------------------------------------------------------

// `10m` to seconds; CLI_BAD where it is none.
static int put_seconds(struct emit *emit, const char *key, const char *flag, const char *text)
{
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (!time_duration_parse(str_of(text), &seconds, &nanos) || seconds <= 0) {
        return cli_bad("such as 30m, 24h or 1h30m", "`--%s %s` is no time span", flag, text);
    }
    emit_key_int(emit, key, seconds);
    return CLI_DONE;
}

static void put_text(struct emit *emit, const char *key, const char *text)
{
    if (text != NULL) {
        emit_key_str(emit, key, str_of(text));
    }
}

static void put_wait(struct emit *emit, const struct cli_args *args)
{
    if (args->wait_ms > 0) {
        emit_key_int(emit, "wait", args->wait_ms);
    }
}

static int put_span(struct emit *emit, const struct cli_args *args)
{
    put_text(emit, "expires", args->expires);
    return args->lasts != NULL ? put_seconds(emit, "for", "for", args->lasts) : CLI_DONE;
}

static int put_lock(struct emit *emit, const struct cli_args *args)
{
    int code = CLI_DONE;
    emit_key_str(emit, "effect", str_of(args->effect != NULL ? args->effect : "deny"));
    if (args->strength != NULL) {
        emit_key(emit, STR("require"));
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "strength", str_of(args->strength));
        code = args->max_age != NULL ? put_seconds(emit, "max_age", "max-age", args->max_age) : CLI_DONE;
        emit_end(emit);
    }
    put_text(emit, "expires", args->expires);
    if (code == CLI_DONE && args->lasts != NULL) {
        code = put_seconds(emit, "for", "for", args->lasts);
    }
    return code;
}

static int put_cut_off(struct emit *emit, const struct cli_args *args)
{
    put_text(emit, "before", args->before);
    return CLI_DONE;
}

static void print_control(const struct value *root, struct buf *out)
{
    const struct value *control = value_get(root, STR("control"));
    const struct value *name = value_get(control, STR("name")), *expires = value_get(control, STR("expires"));
    if (name != NULL && expires != NULL) {
        buf_printf(out, STR_FMT " holds until " STR_FMT "\n", STR_ARG(value_text(name)),
                   STR_ARG(value_text(expires)));
    }
}

static void print_lifted(const struct value *root, struct buf *out)
{
    const struct value *name = value_get(value_get(root, STR("control")), STR("name"));
    if (name != NULL) {
        buf_printf(out, STR_FMT " is lifted\n", STR_ARG(value_text(name)));
    }
}

static int add(const struct cli_args *args, const char *op, bool mutes,
               int (*put)(struct emit *emit, const struct cli_args *args))
{
    struct buf message = {0};
    struct emit emit;
    if (args->reason == NULL) {
        return cli_bad("why, for the record and for whoever is asked about it", "`--reason TEXT` is missing");
    }
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", str_of(op));
    int code = put_target(&emit, args, mutes);
    code = code == CLI_DONE ? put(&emit, args) : code;
    put_text(&emit, "reason", args->reason);
    put_text(&emit, "message", args->message);
    if (args->lock_out) {
        emit_key_bool(&emit, "lock_out", true);
    }
    put_wait(&emit, args);
    emit_end(&emit);
    code = code == CLI_DONE ? remote_operate(args, &message, print_control) : code;
    buf_fini(&message);
    return code;
}

// ---- Ending all sessions of a target ---------------------------------------------------------------

static int64_t int_of(const struct value *map, const char *key)
{
    const struct value *found = value_get(map, str_of(key));
    return found != NULL && found->kind == VALUE_INT ? found->as.i : 0;
}

static struct str text_of(const struct value *map, const char *key)
{
    const struct value *found = value_get(map, str_of(key));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

static void print_previewed(const struct value *root, struct buf *out)
{
    const struct value *all = value_get(root, STR("sessions"));
    buf_printf(out, "%lld sessions would end", (long long)int_of(root, "counted"));
    if (int_of(root, "administrators") > 0) {
        buf_printf(out, ", %lld of them of administrators", (long long)int_of(root, "administrators"));
    }
    if (int_of(root, "unsure") > 0) {
        buf_printf(
            out, "; of %lld their records do not tell: they end as they are next seen, where they are meant",
            (long long)int_of(root, "unsure"));
    }
    buf_byte(out, '\n');
    for (uint32_t i = 0; all != NULL && all->kind == VALUE_LIST && i < all->n; i++) {
        remote_cell(value_get(&all->as.list[i], STR("ref")), 26, out);
        remote_cell(value_get(&all->as.list[i], STR("subject")), 1, out);
        buf_byte(out, '\n');
    }
}

static void print_terminated(const struct value *root, struct buf *out)
{
    const struct value *pending = value_get(root, STR("pending"));
    if (value_get(root, STR("dry_run")) != NULL) {
        print_previewed(root, out);
    } else if (pending != NULL) {
        buf_printf(
            out, "%lld sessions: a second analyst has to agree by " STR_FMT ": pdpctl control approve %lld\n",
            (long long)int_of(root, "counted"), STR_ARG(text_of(pending, "expires")),
            (long long)int_of(pending, "id"));
    } else {
        buf_printf(out,
                   "%lld sessions ended; " STR_FMT " ends the others of the target as they are next seen\n",
                   (long long)int_of(root, "ended"), STR_ARG(text_of(root, "control")));
    }
}

int cmd_target_terminate(const struct cli_args *args)
{
    struct buf message = {0};
    struct emit emit;
    if (args->reason == NULL && !args->dry_run) {
        return cli_bad("why, for the record and for whoever is asked about it", "`--reason TEXT` is missing");
    }
    if (args->where == NULL && (args->lasts != NULL || args->expires != NULL)) {
        return cli_bad("a cut-off of a target lasts as long as tombstones do",
                       "`--for` and `--expires` go with `--where`");
    }
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("session.terminate"));
    int code = put_target(&emit, args, false);
    put_text(&emit, "reason", args->reason);
    put_text(&emit, "message", args->message);
    if (args->dry_run) {
        emit_key_bool(&emit, "dry_run", true);
    }
    code = code == CLI_DONE ? put_span(&emit, args) : code;
    if (args->confirm >= 0) {
        emit_key_int(&emit, "confirm", args->confirm);
    }
    if (args->lock_out) {
        emit_key_bool(&emit, "lock_out", true);
    }
    put_wait(&emit, args);
    emit_end(&emit);
    code = code == CLI_DONE ? remote_operate(args, &message, print_terminated) : code;
    buf_fini(&message);
    return code;
}

int cmd_control_approve(const struct cli_args *args)
{
    struct buf message = {0};
    struct emit emit;
    int64_t number = 0;
    if (!str_to_i64(str_of(args->positional[0]), &number) || number <= 0) {
        return cli_bad("its number from `control pending`", "`%s` is no order", args->positional[0]);
    }
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("control.approve"));
    emit_key_int(&emit, "id", number);
    put_wait(&emit, args);
    emit_end(&emit);
    int code = remote_operate(args, &message, print_terminated);
    buf_fini(&message);
    return code;
}

int cmd_lock_add(const struct cli_args *args)
{
    if ((args->lasts != NULL) == (args->expires != NULL)) {
        return cli_bad("`--for 24h`, or `--expires 2026-11-28T08:00:00Z`", "say until when the lock holds");
    }
    return add(args, "lock.add", false, put_lock);
}

int cmd_mute_add(const struct cli_args *args)
{
    if ((args->lasts != NULL) == (args->expires != NULL)) {
        return cli_bad("`--for 24h`, or `--expires 2026-11-28T08:00:00Z`", "say until when it is muted");
    }
    return add(args, "mute.add", true, put_span);
}

int cmd_cutoff_add(const struct cli_args *args)
{
    return add(args, "cutoff.add", false, put_cut_off);
}

static int put_pardon(struct emit *emit, const struct cli_args *args)
{
    if (args->signals.count > 0) {
        emit_key(emit, STR("signals"));
        emit_list(emit, args->signals.count);
        for (size_t i = 0; i < args->signals.count; i++) {
            emit_str(emit, str_of(args->signals.at[i]));
        }
        emit_end(emit);
    }
    return put_span(emit, args);
}

int cmd_pardon_add(const struct cli_args *args)
{
    return args->lasts != NULL && args->expires != NULL
               ? cli_bad("`--for 24h`, or `--expires 2026-11-28T08:00:00Z`", "say once until when it holds")
               : add(args, "pardon.add", false, put_pardon);
}

static int take_out(const struct cli_args *args, const char *what, const char *op)
{
    struct str id = str_of(args->positional[0]);
    struct buf message = {0};
    struct emit emit;
    int64_t number = 0;
    size_t slash = str_find_byte(id, '/', 0); // `lock/17` as answers name it
    bool named = str_eq(str_sub(id, 0, slash), str_of(what)) && slash < id.len;
    id = named ? str_sub(id, slash + 1, id.len) : id;
    if (!str_to_i64(id, &number) || number <= 0) {
        return cli_bad("its number from the list", "`" STR_FMT "` is no %s", STR_ARG(id), what);
    }
    if (args->reason == NULL) {
        return cli_bad("why, for the record", "`--reason TEXT` is missing");
    }
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", str_of(op));
    emit_key_int(&emit, "id", number);
    put_wait(&emit, args);
    emit_key_str(&emit, "reason", str_of(args->reason));
    emit_end(&emit);
    int code = remote_operate(args, &message, print_lifted);
    buf_fini(&message);
    return code;
}

int cmd_lock_rm(const struct cli_args *args)
{
    return take_out(args, "lock", "lock.rm");
}

int cmd_mute_rm(const struct cli_args *args)
{
    return take_out(args, "mute", "mute.rm");
}

int cmd_pardon_rm(const struct cli_args *args)
{
    return take_out(args, "pardon", "pardon.rm");
}

// ---- The breaker ------------------------------------------------------------------------------------

static void print_reset(const struct value *root, struct buf *out)
{
    const struct value *held = value_get(root, STR("held"));
    bool was = held != NULL && held->kind == VALUE_BOOL && held->as.b;
    buf_printf(out, "the breaker %s; policies were to end %lld sessions in five minutes\n",
               was ? "held, and is reset" : "did not hold", (long long)int_of(root, "counted"));
}

int cmd_breaker_reset(const struct cli_args *args)
{
    return args->reason != NULL ? remote_simple(args, "breaker.reset", print_reset)
                                : cli_bad("why, for the record", "`--reason TEXT` is missing");
}
