// SPDX-License-Identifier: Apache-2.0
#include "cli/offline/events.h"

#include "client/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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
    uint64_t at_line, lines, failed,
        first_failed; // of the file; those that are not empty, and those that cannot be read
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

// Is the line an envelope? A question's time goes to *at_ms; an event stands alone (*alone).
static bool look(struct replay *replay, struct asked *asked, int64_t *at_ms, bool *alone)
{
    struct value root = {0};
    arena_reset(&replay->arena);
    asked->bad = false;
    *alone = true;
    if (wire_decode(WIRE_JSON, buf_view(&asked->line), &replay->arena, &root, &asked->why) != PDP_ERR_OK) {
        asked->bad = true;
        return false;
    }
    if (!events_envelope(&root, at_ms, &asked->why)) {
        asked->bad = true;
        return false;
    }
    const struct value *request = value_get(&root, STR("request"));
    *alone = request == NULL || request->kind != VALUE_MAP || value_get(request, STR("evaluations")) != NULL;
    return true;
}

static int take_line(struct replay *replay, struct str line)
{
    struct asked *slot = &replay->group[replay->count];
    buf_clear(&slot->line);
    buf_str(&slot->line, line);
    int64_t at_ms = 0;
    bool alone = true;
    bool good = look(replay, slot, &at_ms, &alone);
    if (!good) {
        replay->first_failed = replay->failed == 0 ? replay->at_line : replay->first_failed;
        replay->failed++;
    }
    bool joins = good && !alone && replay->args->batch > 1;
    if (replay->count > 0 && (!joins || at_ms != replay->group_ms)) {
        // What was gathered goes first; this line then begins a new group.
        struct buf kept = slot->line;
        slot->line = (struct buf){0};
        struct asked moved = *slot;
        moved.line = kept;
        int code = flush(replay);
        buf_fini(&replay->group[0].line);
        replay->group[0] = moved;
        if (code != CLI_DONE) {
            return code;
        }
    }
    replay->group_ms = at_ms;
    replay->count++;
    replay->lines++;
    bool full = replay->count >= (size_t)replay->args->batch || replay->count == COUNT_OF(replay->group);
    return joins && !full ? CLI_DONE : flush(replay);
}

// The answers say it line by line; a person who looks at a terminal is told once. No error: the replay is
// done.
static void say_unread(const struct replay *replay)
{
    const char *name = strcmp(replay->args->events, "-") == 0 ? "standard input" : replay->args->events;
    if (replay->lines == 0) {
        (void)cli_bad("lines of {\"at\": T, \"request\" | \"event\": {...}}", "`%s` holds no line", name);
    } else if (replay->failed > 0) {
        (void)cli_bad(
            "their answers have code `malformed` and say why",
            "`%s`: %llu of %llu lines are no request and no event with a time, the first is line %llu", name,
            (unsigned long long)replay->failed, (unsigned long long)replay->lines,
            (unsigned long long)replay->first_failed);
    }
}

static int run(struct replay *replay)
{
    char *line = NULL;
    size_t cap = 0;
    int code = CLI_DONE;
    bool standard = strcmp(replay->args->events, "-") == 0;
    FILE *file = standard ? stdin : fopen(replay->args->events, "rb");
    if (file == NULL) {
        return cli_bad("give the name of a file that can be read, or `-` for standard input",
                       "`%s` cannot be read: %s", replay->args->events, strerror(errno));
    }
    if (replay->args->people) {
        show_titles(&replay->out);
    }
    for (ssize_t got = getline(&line, &cap, file); got >= 0 && code == CLI_DONE;
         got = getline(&line, &cap, file)) {
        struct str text = str_trim((struct str){line, (size_t)got});
        replay->at_line++;
        code = text.len > 0 ? take_line(replay, text) : CLI_DONE;
    }
    code = code == CLI_DONE && replay->count > 0 ? flush(replay) : code;
    if (code == CLI_DONE && ferror(file) != 0) {
        code = cli_bad(NULL, "`%s` could not be read to its end: %s", replay->args->events, strerror(errno));
    } else if (code == CLI_DONE) {
        say_unread(replay);
    }
    if (!standard) {
        fclose(file);
    }
    free(line);
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
