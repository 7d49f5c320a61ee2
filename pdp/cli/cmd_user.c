// SPDX-License-Identifier: Apache-2.0
#include "cli/remote.h"
#include "wire/wire.h"

static void print_forgotten(const struct value *root, struct buf *out)
{
    const struct value *count = value_get(root, STR("devices"));
    long long devices = count != NULL && count->kind == VALUE_INT ? (long long)count->as.i : 0;
    buf_printf(out, "%lld devices of ", devices);
    const struct value *subject = value_get(root, STR("subject"));
    buf_escaped(out, subject != NULL && subject->kind == VALUE_STRING ? value_text(subject) : STR("?"));
    buf_str(out, STR(" are remembered no longer\n"));
}

int cmd_user_forget_devices(const struct cli_args *args)
{
    if (args->subject == NULL || args->reason == NULL) {
        return cli_bad(args->subject == NULL ? "whose devices are forgotten" : "why, for the record",
                       "`--%s` is missing", args->subject == NULL ? "subject ID" : "reason TEXT");
    }
    const struct {
        const char *key, *text;
    } TEXTS[] = {{"op", "user.forget_devices"},
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
    if (args->wait_ms > 0) {
        emit_key_int(&emit, "wait", args->wait_ms);
    }
    emit_end(&emit);
    int code = remote_operate(args, &message, print_forgotten);
    buf_fini(&message);
    return code;
}
