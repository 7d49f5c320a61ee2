// SPDX-License-Identifier: Apache-2.0
#include "cli/offline/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MOST ((size_t)1 << 24)

static const int64_t AT_LEAST_MS = INT64_C(100000000000);

struct reading {
    struct arena arena;
    struct events_count *count;
    uint64_t number;
    int (*take)(void *to, const struct events_line *line);
    void *to;
};

struct asking {
    const struct cli_args *args;
    struct local local;
    struct pdp_client *client;
    struct buf message, answer;
    struct events_count count;
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

static void note_unread(struct events_count *count, uint64_t number)
{
    count->first_unread = count->unread == 0 ? number : count->first_unread;
    count->unread++;
}

static int ask_line(void *to, const struct events_line *line)
{
    struct asking *asking = to;
    struct value answer = {0};
    struct fault why;
    if (line->asked == NULL) {
        return CLI_DONE;
    }
    put_message(asking, line->asked);
    int code = ask(asking);
    if (code != CLI_DONE) {
        return code;
    }
    if (wire_decode_most(WIRE_JSON, buf_view(&asking->answer), ANSWER_MOST, line->arena, &answer, &why) !=
        PDP_ERR_OK) {
        return cli_bad(NULL, "the answer to line %llu cannot be read: %s", (unsigned long long)line->number,
                       why.what);
    }
    if (value_path(&answer, STR("context.error")) != NULL) {
        note_unread(&asking->count, line->number);
    }
    struct events_line answered = *line;
    answered.answer = &answer;
    return asking->take(asking->to, &answered);
}

// ---- The recording -----------------------------------------------------------------------------

const char *events_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

int events_say_unread(const char *path, const struct events_count *count)
{
    if (count->lines == 0) {
        return cli_bad("lines of {\"at\": T, \"request\" | \"event\": {...}}", "`%s` holds no line",
                       events_name(path));
    }
    if (count->unread > 0) {
        (void)cli_bad("`pdpctl replay` tells why of each, in its answer",
                      "`%s`: %llu of %llu lines are no request and no event with a time, and count nothing; "
                      "the first is line %llu",
                      events_name(path), (unsigned long long)count->unread, (unsigned long long)count->lines,
                      (unsigned long long)count->first_unread);
    }
    return CLI_DONE;
}

static int read_line(struct reading *reading, struct str text)
{
    struct value root = {0};
    struct events_line line = {.number = reading->number, .text = text, .arena = &reading->arena};
    arena_reset(&reading->arena);
    reading->count->lines++;
    if (wire_decode(WIRE_JSON, text, &reading->arena, &root, &line.why) == PDP_ERR_OK &&
        events_envelope(&root, &line.at_ms, &line.why)) {
        line.asked = &root;
    } else {
        note_unread(reading->count, line.number);
    }
    return reading->take(reading->to, &line);
}

static int read_lines(struct reading *reading, FILE *file)
{
    char *line = NULL;
    size_t cap = 0;
    int code = CLI_DONE;
    for (ssize_t got = getline(&line, &cap, file); got >= 0 && code == CLI_DONE;
         got = getline(&line, &cap, file)) {
        struct str text = str_trim((struct str){line, (size_t)got});
        reading->number++;
        code = text.len > 0 ? read_line(reading, text) : CLI_DONE;
    }
    free(line);
    return code;
}

int events_read(const char *path, int (*take)(void *to, const struct events_line *line), void *to,
                struct events_count *count)
{
    struct reading reading = {.count = count, .take = take, .to = to};
    bool standard = strcmp(path, "-") == 0;
    *count = (struct events_count){0};
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return cli_bad("give the name of a file that can be read, or `-` for standard input",
                       "`%s` cannot be read: %s", path, strerror(errno));
    }
    arena_init(&reading.arena, 0, 0);
    int code = read_lines(&reading, file);
    if (code == CLI_DONE && ferror(file) != 0) {
        code = cli_bad(NULL, "`%s` could not be read to its end: %s", events_name(path), strerror(errno));
    }
    if (!standard) {
        fclose(file);
    }
    arena_fini(&reading.arena);
    return code;
}

int events_each(const struct cli_args *args, int (*take)(void *to, const struct events_line *line), void *to)
{
    struct asking asking = {.args = args, .take = take, .to = to};
    int code = args->connect != NULL ? cli_connect(args, &asking.client) : local_open(args, &asking.local);
    code = code == CLI_DONE ? events_read(args->events, ask_line, &asking, &asking.count) : code;
    code = code == CLI_DONE ? events_say_unread(args->events, &asking.count) : code;
    pdp_close(&asking.client);
    local_close(&asking.local);
    buf_fini(&asking.message);
    buf_fini(&asking.answer);
    return code;
}
