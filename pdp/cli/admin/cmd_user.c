// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/remote.h"
#include "wire/wire.h"

#include <stdio.h>

static int64_t whole(const struct value *value)
{
    return value != NULL && value->kind == VALUE_INT ? value->as.i : 0;
}

static double number(const struct value *value)
{
    return value != NULL && value->kind == VALUE_DOUBLE ? value->as.d : (double)whole(value);
}

static struct str text(const struct value *map, const char *key)
{
    const struct value *value = value_get(map, str_of(key));
    return value != NULL && value->kind == VALUE_STRING ? value_text(value) : (struct str){0};
}

static uint32_t count_of(const struct value *list)
{
    return list != NULL && list->kind == VALUE_LIST ? list->n : 0;
}

// ---- Asking ------------------------------------------------------------------------------------

static int lacks(const char *flag, const char *hint)
{
    return cli_bad(hint, "`--%s` is missing", flag);
}

static int ask(const struct cli_args *args, const char *op,
               void (*print)(const struct value *root, struct buf *out))
{
    const struct {
        const char *key, *text;
    } TEXTS[] = {{"op", op},
                 {"subject", args->subject},
                 {"tenant", args->tenant},
                 {"type", args->type},
                 {"reason", args->reason}};
    struct buf message = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        if (TEXTS[i].text != NULL) {
            emit_key_str(&emit, TEXTS[i].key, str_of(TEXTS[i].text));
        }
    }
    if (args->devices) {
        emit_key_bool(&emit, "devices", true);
    }
    if (args->wait_ms > 0) {
        emit_key_int(&emit, "wait", args->wait_ms);
    }
    emit_end(&emit);
    int code = remote_operate(args, &message, print);
    buf_fini(&message);
    return code;
}

// ---- Forgetting --------------------------------------------------------------------------------

static void put_subject(const struct value *root, struct buf *out)
{
    struct str subject = text(root, "subject");
    buf_escaped(out, subject.len > 0 ? subject : STR("?"));
}

static void print_forgotten_devices(const struct value *root, struct buf *out)
{
    buf_printf(out, "%lld devices of ", (long long)whole(value_get(root, STR("devices"))));
    put_subject(root, out);
    buf_str(out, STR(" are remembered no longer\n"));
}

static void print_forgotten(const struct value *root, struct buf *out)
{
    const struct value *devices = value_get(root, STR("devices"));
    buf_printf(out, "%lld learned values", (long long)whole(value_get(root, STR("values"))));
    if (devices != NULL) {
        buf_printf(out, " and %lld devices", (long long)whole(devices));
    }
    buf_str(out, STR(" of "));
    put_subject(root, out);
    buf_str(out, STR(" are forgotten\n"));
}

int cmd_user_forget_devices(const struct cli_args *args)
{
    if (args->subject == NULL) {
        return lacks("subject ID", "whose devices are forgotten");
    }
    return args->reason == NULL ? lacks("reason TEXT", "why, for the record")
                                : ask(args, "user.forget_devices", print_forgotten_devices);
}

int cmd_user_forget(const struct cli_args *args)
{
    if (args->subject == NULL) {
        return lacks("subject ID", "of whom is forgotten what was learned");
    }
    return args->reason == NULL ? lacks("reason TEXT", "why, for the record")
                                : ask(args, "user.forget", print_forgotten);
}

// ---- Showing -----------------------------------------------------------------------------------

static void put_name(const char *name, struct buf *out)
{
    buf_printf(out, "  %-12s ", name);
}

static void put_text(const struct value *map, const char *key, const char *otherwise, struct buf *out)
{
    struct str found = text(map, key);
    buf_escaped(out, found.len > 0 ? found : str_of(otherwise));
}

// ` from 203.0.113.7, DE, AS3320`.
static void put_place(const struct value *map, struct buf *out)
{
    const struct value *asn = value_get(map, STR("asn"));
    struct str ip = text(map, "ip"), country = text(map, "country");
    if (ip.len > 0) {
        buf_str(out, STR(" from "));
        buf_escaped(out, ip);
    }
    if (country.len > 0) {
        buf_str(out, STR(", "));
        buf_escaped(out, country);
    }
    if (asn != NULL) {
        buf_printf(out, ", AS%lld", (long long)whole(asn));
    }
}

static void put_head(const struct value *user, struct buf *out)
{
    put_text(user, "subject", "?", out);
    buf_str(out, STR(", "));
    put_text(user, "type", "?", out);
    if (text(user, "tenant").len > 0) {
        buf_str(out, STR(" of "));
        put_text(user, "tenant", "?", out);
    }
    buf_byte(out, '\n');
    put_name("first seen", out);
    put_text(user, "first_seen", "-", out);
    buf_byte(out, '\n');
    put_name("last seen", out);
    put_text(user, "last_seen", "-", out);
    put_place(user, out);
    buf_byte(out, '\n');
    if (text(user, "cut_off").len > 0) {
        put_name("cut off", out);
        buf_str(out, STR("sessions from before "));
        put_text(user, "cut_off", "?", out);
        buf_byte(out, '\n');
    }
}

static void put_controls(const struct value *user, struct buf *out)
{
    const struct value *controls = value_get(user, STR("controls"));
    if (count_of(controls) == 0) {
        return;
    }
    put_name("controls", out);
    for (uint32_t i = 0; i < controls->n; i++) {
        const struct value *one = &controls->as.list[i];
        buf_str(out, i > 0 ? STR(", ") : STR(""));
        buf_escaped(out, one->kind == VALUE_STRING ? value_text(one) : STR("?"));
    }
    buf_byte(out, '\n');
}

static void put_sessions(const struct value *user, struct buf *out)
{
    const struct value *sessions = value_get(user, STR("sessions"));
    int64_t live = whole(value_get(user, STR("live")));
    put_name("sessions", out);
    buf_printf(out, "%lld live\n", (long long)live);
    for (uint32_t i = 0; i < count_of(sessions); i++) {
        const struct value *one = &sessions->as.list[i];
        buf_str(out, STR("    "));
        put_text(one, "ref", "?", out);
        buf_str(out, STR("  "));
        put_text(one, "state", "?", out);
        buf_str(out, STR(", last seen "));
        put_text(one, "last_seen", "-", out);
        put_place(one, out);
        buf_byte(out, '\n');
    }
    if (live > (int64_t)count_of(sessions)) {
        buf_printf(out, "    and %lld more: `pdpctl session list`\n", (long long)live - count_of(sessions));
    }
}

static void put_devices(const struct value *user, struct buf *out)
{
    const struct value *devices = value_get(user, STR("devices"));
    put_name("devices", out);
    buf_printf(out, "%u seen\n", count_of(devices));
    for (uint32_t i = 0; i < count_of(devices); i++) {
        const struct value *one = &devices->as.list[i];
        buf_str(out, STR("    "));
        put_text(one, "device", "?", out);
        buf_str(out, STR("  last seen "));
        put_text(one, "last_seen", "-", out);
        if (text(one, "remembered_until").len > 0) {
            buf_str(out, STR(", remembered until "));
            put_text(one, "remembered_until", "-", out);
        }
        buf_byte(out, '\n');
    }
}

static void put_hours(const struct value *profile, struct buf *out)
{
    const struct value *hours = value_get(profile, STR("hours"));
    int64_t all = 0;
    for (uint32_t i = 0; i < count_of(hours); i++) {
        all += whole(&hours->as.list[i]);
    }
    if (all == 0) {
        return;
    }
    buf_str(out, STR("    hours (UTC) "));
    for (uint32_t i = 0; i < hours->n; i++) {
        int64_t count = whole(&hours->as.list[i]);
        if (count > 0) {
            buf_printf(out, " %02u:%lld%%", i, (long long)(count * 100 / all));
        }
    }
    buf_byte(out, '\n');
}

static void put_profile(const struct value *user, struct buf *out)
{
    const struct value *profile = value_get(user, STR("profile"));
    const struct value *values = value_get(profile, STR("values"));
    put_name("learned", out);
    buf_printf(out, "from %.1f contexts\n", number(value_get(profile, STR("contexts"))));
    for (uint32_t i = 0; i < count_of(values); i++) {
        const struct value *one = &values->as.list[i];
        buf_str(out, STR("    "));
        remote_cell(value_get(one, STR("feature")), 12, out);
        remote_cell(value_get(one, STR("value")), 24, out);
        buf_printf(out, "%7.1f  last ", number(value_get(one, STR("count"))));
        put_text(one, "last", "-", out);
        buf_byte(out, '\n');
    }
    put_hours(profile, out);
}

static void print_user(const struct value *root, struct buf *out)
{
    const struct value *user = value_get(root, STR("user"));
    put_head(user, out);
    put_controls(user, out);
    put_sessions(user, out);
    put_devices(user, out);
    put_profile(user, out);
}

int cmd_user_show(const struct cli_args *args)
{
    return args->subject == NULL ? lacks("subject ID", "who is shown") : ask(args, "user.show", print_user);
}
