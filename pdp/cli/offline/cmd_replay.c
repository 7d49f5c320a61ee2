// SPDX-License-Identifier: Apache-2.0
#include "cli/offline/events.h"

#include "client/client.h"

#include <stdio.h>

// One line of a recording, kept until its batch is full.
struct asked {
    struct buf line;
    bool bad; // answered here: it is no envelope
    struct fault why;
};

struct replay {
    const struct cli_args *args;
    struct local local;
    struct pdp_client *client;
    struct asked group[256];
    size_t count;
    int64_t group_ms;
    struct arena arena;
    struct buf message, answer, out;
};

static int ask(struct replay *replay, struct str message)
{
    buf_clear(&replay->answer);
    if (replay->client == NULL) {
        engine_answer(replay->local.worker, &replay->local.peer, message, 0, &replay->answer);
        return CLI_DONE;
    }
    enum pdp_err err =
        client_call(replay->client, message, (int32_t)replay->args->deadline_ms, &replay->answer);
    if (err == PDP_ERR_OK) {
        return CLI_DONE;
    }
    return cli_bad("is pdpd running there, and was it started with --simulate?", "no answer from `%s`: %s",
                   replay->args->connect, pdp_err_text(err));
}

static void put_answer(struct replay *replay, const struct asked *asked, struct str answer)
{
    if (!replay->args->people) {
        buf_str(&replay->out, answer);
        buf_byte(&replay->out, '\n');
        return;
    }
    struct value question = {0}, root = {0};
    struct fault why;
    struct arena arena;
    arena_init(&arena, 0, 0);
    bool read = wire_decode(WIRE_JSON, buf_view(&asked->line), &arena, &question, &why) == PDP_ERR_OK;
    if (wire_decode_most(WIRE_JSON, answer, 1 << 22, &arena, &root, &why) == PDP_ERR_OK) {
        show_line(read ? &question : &root, &root, &replay->out);
    }
    arena_fini(&arena);
}

static void answer_here(struct replay *replay, const struct asked *asked)
{
    struct emit emit;
    buf_clear(&replay->answer);
    emit_init(&emit, WIRE_JSON, &replay->answer);
    wire_fault(&emit, PDP_CODE_MALFORMED, (struct str){0}, &asked->why);
    put_answer(replay, asked, buf_view(&replay->answer));
}

// ---- Batches: questions of one instant as `{"at": T, "request": {"evaluations": [...]}}` -----------

static bool put_batch(struct replay *replay)
{
    struct emit emit;
    buf_clear(&replay->message);
    emit_init(&emit, WIRE_JSON, &replay->message);
    emit_map(&emit, SIZE_MAX);
    emit_key_int(&emit, "at", replay->group_ms);
    emit_key(&emit, STR("request"));
    emit_map(&emit, SIZE_MAX);
    emit_key(&emit, STR("evaluations"));
    emit_list(&emit, replay->count);
    for (size_t i = 0; i < replay->count; i++) {
        struct value root = {0};
        struct fault why;
        if (wire_decode(WIRE_JSON, buf_view(&replay->group[i].line), &replay->arena, &root, &why) !=
            PDP_ERR_OK) {
            return false;
        }
        const struct value *request = value_get(&root, STR("request"));
        if (replay->args->full) {
            events_put_full(&emit, request);
        } else {
            emit_value(&emit, request);
        }
    }
    emit_end(&emit);
    emit_end(&emit);
    emit_end(&emit);
    return !replay->message.failed && replay->message.len <= REQUEST_BYTES_MAX;
}

static int put_batch_answers(struct replay *replay)
{
    struct value root = {0};
    struct fault why;
    enum pdp_err err =
        wire_decode_most(WIRE_JSON, buf_view(&replay->answer), 1 << 24, &replay->arena, &root, &why);
    const struct value *all = value_get(&root, STR("evaluations"));
    if (err != PDP_ERR_OK || all == NULL || all->kind != VALUE_LIST || all->n != replay->count) {
        return cli_bad(NULL, "the answer to a batch of %zu does not hold as many: " STR_FMT, replay->count,
                       STR_ARG(str_sub(buf_view(&replay->answer), 0, 300)));
    }
    for (size_t i = 0; i < replay->count; i++) {
        struct buf one = {0};
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &one);
        emit_value(&emit, &all->as.list[i]);
        put_answer(replay, &replay->group[i], buf_view(&one));
        buf_fini(&one);
    }
    return CLI_DONE;
}

static int flush_one(struct replay *replay, const struct asked *asked)
{
    if (asked->bad) {
        answer_here(replay, asked);
        return CLI_DONE;
    }
    struct value root = {0};
    struct fault why;
    struct str message = buf_view(&asked->line);
    if (replay->args->full && wire_decode(WIRE_JSON, message, &replay->arena, &root, &why) == PDP_ERR_OK) {
        struct emit emit;
        buf_clear(&replay->message);
        emit_init(&emit, WIRE_JSON, &replay->message);
        events_put_envelope(&emit, &root);
        message = buf_view(&replay->message);
    }
    int code = ask(replay, message);
    if (code == CLI_DONE) {
        put_answer(replay, asked, buf_view(&replay->answer));
    }
    return code;
}

static int flush(struct replay *replay)
{
    int code = CLI_DONE;
    arena_reset(&replay->arena);
    if (replay->count > 1 && put_batch(replay)) {
        code = ask(replay, buf_view(&replay->message));
        code = code == CLI_DONE ? put_batch_answers(replay) : code;
    } else {
        for (size_t i = 0; i < replay->count && code == CLI_DONE; i++) {
            code = flush_one(replay, &replay->group[i]);
        }
    }
    replay->count = 0;
    if (code == CLI_DONE) {
        code = cli_write(&replay->out, CLI_DONE);
    }
    buf_clear(&replay->out);
    return code;
}

// ---- Lines -------------------------------------------------------------------------------------

// May the line be asked in a batch with others of its instant? An event stands alone.
static bool joins(const struct events_line *line)
{
    const struct value *request = line->asked != NULL ? value_get(line->asked, STR("request")) : NULL;
    return request != NULL && request->kind == VALUE_MAP && value_get(request, STR("evaluations")) == NULL;
}

// What was gathered goes first; the line behind it then begins a new group.
static int flush_before(struct replay *replay)
{
    struct asked *slot = &replay->group[replay->count];
    struct asked moved = *slot;
    slot->line = (struct buf){0};
    int code = flush(replay);
    buf_fini(&replay->group[0].line);
    replay->group[0] = moved;
    return code;
}

static int take_line(void *to, const struct events_line *line)
{
    struct replay *replay = to;
    struct asked *slot = &replay->group[replay->count];
    buf_clear(&slot->line);
    buf_str(&slot->line, line->text);
    slot->bad = line->asked == NULL;
    slot->why = line->why;
    bool together = joins(line) && replay->args->batch > 1;
    if (replay->count > 0 && (!together || line->at_ms != replay->group_ms)) {
        int code = flush_before(replay);
        if (code != CLI_DONE) {
            return code;
        }
    }
    replay->group_ms = line->at_ms;
    replay->count++;
    bool full = replay->count >= (size_t)replay->args->batch || replay->count == COUNT_OF(replay->group);
    return together && !full ? CLI_DONE : flush(replay);
}

// The answers say it line by line; a person who looks at a terminal is told once. No error: the replay is
// done.
static void say_unread(const char *path, const struct events_count *count)
{
    if (count->lines == 0) {
        (void)cli_bad("lines of {\"at\": T, \"request\" | \"event\": {...}}", "`%s` holds no line",
                      events_name(path));
    } else if (count->unread > 0) {
        (void)cli_bad(
            "their answers have code `malformed` and say why",
            "`%s`: %llu of %llu lines are no request and no event with a time, the first is line %llu",
            events_name(path), (unsigned long long)count->unread, (unsigned long long)count->lines,
            (unsigned long long)count->first_unread);
    }
}

static int run(struct replay *replay)
{
    struct events_count count;
    if (replay->args->people) {
        show_titles(&replay->out);
    }
    int code = events_read(replay->args->events, take_line, replay, &count);
    code = code == CLI_DONE && replay->count > 0 ? flush(replay) : code;
    if (code == CLI_DONE) {
        say_unread(replay->args->events, &count);
    }
    return code;
}

int cmd_replay(const struct cli_args *args)
{
    if (args->events == NULL || (args->policies == NULL) == (args->connect == NULL)) {
        return cli_bad("pdpctl replay --policies policies/baseline --events recorded.jsonl",
                       "`replay` needs `--events FILE`, and one of `--policies DIR` and `--connect URL`");
    }
    static struct replay replay;
    replay.args = args;
    arena_init(&replay.arena, 0, 0);
    int code = CLI_DONE;
    if (args->connect != NULL) {
        code = cli_connect(args, &replay.client);
    } else {
        code = local_open(args, &replay.local);
    }
    code = code == CLI_DONE ? run(&replay) : code;
    pdp_close(&replay.client);
    local_close(&replay.local);
    for (size_t i = 0; i < COUNT_OF(replay.group); i++) {
        buf_fini(&replay.group[i].line);
    }
    buf_fini(&replay.message);
    buf_fini(&replay.answer);
    buf_fini(&replay.out);
    arena_fini(&replay.arena);
    return code;
}
