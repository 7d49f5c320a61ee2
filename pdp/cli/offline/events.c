// SPDX-License-Identifier: Apache-2.0
#include "cli/offline/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MOST ((size_t)1 << 24)

static const int64_t AT_LEAST_MS = INT64_C(100000000000);

struct asking {
    const struct cli_args *args;
    struct local local;
    struct pdp_client *client;
    struct arena arena;
    struct buf message, answer;
    uint64_t number, lines, unread, first_unread;
    int (*take)(void *to, const struct events_line *line);
    void *to;
};

static bool lacks(struct fault *why, const char *field, const char *what)
{
    *why = (struct fault){{0}, {0}};
    snprintf(why->field, sizeof why->field, "%s", field);
    snprintf(why->what, sizeof why->what, "%s", what);
    return false;
}

bool events_envelope(const struct value *root, int64_t *at_ms, struct fault *why)
{
    const struct value *at = value_get(root, STR("at"));
    if (at == NULL) {
        return lacks(why, "at", "is missing; give RFC 3339 text or milliseconds since 1970");
    }
    bool is_number = at->kind == VALUE_INT && at->as.i >= AT_LEAST_MS;
    *at_ms = is_number ? at->as.i : 0;
    if (!is_number && !(at->kind == VALUE_STRING && local_time(value_text(at), at_ms))) {
        return lacks(why, "at", "is no time; give RFC 3339 text or milliseconds since 1970 (not seconds)");
    }
    if (value_get(root, STR("request")) == NULL && value_get(root, STR("event")) == NULL) {
        return lacks(why, "request", "is missing, and so is event: a line holds one of them");
    }
    return true;
}

// ---- Asking ------------------------------------------------------------------------------------

void events_put_full(struct emit *emit, const struct value *question)
{
    emit_map(emit, SIZE_MAX);
    for (uint32_t i = 0; i < question->n; i++) {
        const struct value_entry *entry = &question->as.map[i];
        if (value_is_text(&entry->key, STR("explain"))) {
            continue;
        }
        emit_key(emit, value_text(&entry->key));
        bool items = value_is_text(&entry->key, STR("evaluations")) && entry->value.kind == VALUE_LIST;
        if (!items) {
            emit_value(emit, &entry->value);
            continue;
        }
        emit_list(emit, entry->value.n);
        for (uint32_t k = 0; k < entry->value.n; k++) {
            const struct value *item = &entry->value.as.list[k];
            if (item->kind == VALUE_MAP && value_get(item, STR("explain")) != NULL) {
                events_put_full(emit, item);
            } else {
                emit_value(emit, item);
            }
        }
        emit_end(emit);
    }
    emit_key_str(emit, "explain", STR("full"));
    emit_end(emit);
}

void events_put_envelope(struct emit *emit, const struct value *root)
{
    emit_map(emit, SIZE_MAX);
    for (uint32_t i = 0; i < root->n; i++) {
        const struct value_entry *entry = &root->as.map[i];
        emit_key(emit, value_text(&entry->key));
        if (value_is_text(&entry->key, STR("request")) && entry->value.kind == VALUE_MAP) {
            events_put_full(emit, &entry->value);
        } else {
            emit_value(emit, &entry->value);
        }
    }
    emit_end(emit);
}

static void put_message(struct asking *asking, const struct value *root)
{
    struct emit emit;
    buf_clear(&asking->message);
    emit_init(&emit, WIRE_JSON, &asking->message);
    events_put_envelope(&emit, root);
}

static int ask(struct asking *asking)
{
    buf_clear(&asking->answer);
    if (asking->message.failed) {
        return cli_bad(NULL, "out of memory");
    }
    if (asking->client == NULL) {
        engine_answer(asking->local.worker, &asking->local.peer, buf_view(&asking->message), 0,
                      &asking->answer);
        return CLI_DONE;
    }
    enum pdp_err err = client_call(asking->client, buf_view(&asking->message),
                                   (int32_t)asking->args->deadline_ms, &asking->answer);
    return err == PDP_ERR_OK ? CLI_DONE
                             : cli_bad("is pdpd running there, and was it started with --simulate?",
                                       "no answer from `%s`: %s", asking->args->connect, pdp_err_text(err));
}

static void note_unread(struct asking *asking)
{
    asking->first_unread = asking->unread == 0 ? asking->number : asking->first_unread;
    asking->unread++;
}

static int take_line(struct asking *asking, struct str text)
{
    struct value root = {0}, answer = {0};
    struct fault why;
    int64_t at_ms = 0;
    arena_reset(&asking->arena);
    asking->lines++;
    if (wire_decode(WIRE_JSON, text, &asking->arena, &root, &why) != PDP_ERR_OK || root.kind != VALUE_MAP ||
        !events_envelope(&root, &at_ms, &why)) {
        note_unread(asking);
        return CLI_DONE;
    }
    put_message(asking, &root);
    int code = ask(asking);
    if (code != CLI_DONE) {
        return code;
    }
    if (wire_decode_most(WIRE_JSON, buf_view(&asking->answer), ANSWER_MOST, &asking->arena, &answer, &why) !=
        PDP_ERR_OK) {
        return cli_bad(NULL, "the answer to line %llu cannot be read: %s", (unsigned long long)asking->number,
                       why.what);
    }
    if (value_path(&answer, STR("context.error")) != NULL) {
        note_unread(asking);
    }
    const struct events_line line = {asking->number, &root, &answer};
    return asking->take(asking->to, &line);
}

// ---- The recording -----------------------------------------------------------------------------

static const char *name_of(const struct cli_args *args)
{
    return strcmp(args->events, "-") == 0 ? "standard input" : args->events;
}

static int say_unread(const struct asking *asking)
{
    if (asking->lines == 0) {
        return cli_bad("lines of {\"at\": T, \"request\" | \"event\": {...}}", "`%s` holds no line",
                       name_of(asking->args));
    }
    if (asking->unread > 0) {
        (void)cli_bad("`pdpctl replay` tells why of each, in its answer",
                      "`%s`: %llu of %llu lines are no request and no event with a time, and count nothing; "
                      "the first is line %llu",
                      name_of(asking->args), (unsigned long long)asking->unread,
                      (unsigned long long)asking->lines, (unsigned long long)asking->first_unread);
    }
    return CLI_DONE;
}

static int run(struct asking *asking)
{
    char *line = NULL;
    size_t cap = 0;
    int code = CLI_DONE;
    bool standard = strcmp(asking->args->events, "-") == 0;
    FILE *file = standard ? stdin : fopen(asking->args->events, "rb");
    if (file == NULL) {
        return cli_bad("give the name of a file that can be read, or `-` for standard input",
                       "`%s` cannot be read: %s", asking->args->events, strerror(errno));
    }
    for (ssize_t got = getline(&line, &cap, file); got >= 0 && code == CLI_DONE;
         got = getline(&line, &cap, file)) {
        struct str text = str_trim((struct str){line, (size_t)got});
        asking->number++;
        code = text.len > 0 ? take_line(asking, text) : CLI_DONE;
    }
    if (code == CLI_DONE && ferror(file) != 0) {
        code = cli_bad(NULL, "`%s` could not be read to its end: %s", name_of(asking->args), strerror(errno));
    } else if (code == CLI_DONE) {
        code = say_unread(asking);
    }
    if (!standard) {
        fclose(file);
    }
    free(line);
    return code;
}

int events_each(const struct cli_args *args, int (*take)(void *to, const struct events_line *line), void *to)
{
    struct asking asking = {.args = args, .take = take, .to = to};
    arena_init(&asking.arena, 0, 0);
    int code = args->connect != NULL ? cli_connect(args, &asking.client) : local_open(args, &asking.local);
    code = code == CLI_DONE ? run(&asking) : code;
    pdp_close(&asking.client);
    local_close(&asking.local);
    buf_fini(&asking.message);
    buf_fini(&asking.answer);
    arena_fini(&asking.arena);
    return code;
}
