// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/asked.h"
#include "cli/offline/events.h"

#include <time.h>

// A recording that is played, and the question of it that is explained.
struct playing {
    const struct cli_args *args;
    struct local local;
    struct asked asked;
    struct buf held; // lines from the last question on, which may be the one that is meant
    struct buf answer, out;
    int64_t last_ms;
    uint64_t held_number;
    bool found;
};

// ---- Lines -------------------------------------------------------------------------------------

static void play(struct playing *playing, struct str text)
{
    buf_clear(&playing->answer);
    engine_answer(playing->local.worker, &playing->local.peer, text, 0, &playing->answer);
}

static void play_held(struct playing *playing)
{
    struct str held = buf_view(&playing->held);
    for (size_t from = 0; from < held.len;) {
        size_t end = str_find_byte(held, '\n', from);
        play(playing, str_sub(held, from, end - from));
        from = end + 1;
    }
    buf_clear(&playing->held);
}

static int explain_line(struct playing *playing, const struct value *root, int64_t at_ms)
{
    const struct value *request = value_get(root, STR("request"));
    playing->found = true;
    if (value_get(request, STR("evaluations")) != NULL) {
        return asked_explain_batch(&playing->asked, &playing->local, request, at_ms);
    }
    return asked_explain(&playing->asked, &playing->local, request, at_ms);
}

static bool has_id(const struct value *request, const char *id)
{
    const struct value *own = value_get(request, STR("request_id"));
    const struct value *items = value_get(request, STR("evaluations"));
    bool is = own != NULL && value_is_text(own, str_of(id));
    for (uint32_t i = 0; !is && items != NULL && items->kind == VALUE_LIST && i < items->n; i++) {
        own = value_get(&items->as.list[i], STR("request_id"));
        is = own != NULL && value_is_text(own, str_of(id));
    }
    return is;
}

// Is it named, by its number or its id?
static bool is_named(const struct playing *playing, const struct events_line *line,
                     const struct value *request)
{
    const struct cli_args *args = playing->args;
    return (args->line != 0 && (uint64_t)args->line == line->number) ||
           (args->request_id != NULL && has_id(request, args->request_id));
}

// CLI_NO ends the reading: what was meant is explained.
static int take_line(void *to, const struct events_line *line)
{
    struct playing *playing = to;
    const struct cli_args *args = playing->args;
    if (line->asked == NULL) {
        return CLI_DONE;
    }
    const struct value *request = value_get(line->asked, STR("request"));
    bool question = request != NULL && request->kind == VALUE_MAP;
    bool names = args->line != 0 || args->request_id != NULL;
    playing->last_ms = line->at_ms;
    if (names && question && is_named(playing, line, request)) {
        int code = explain_line(playing, line->asked, line->at_ms);
        return code == CLI_DONE ? CLI_NO : code;
    }
    if (names || args->request != NULL) { // what comes after everything is explained
        play(playing, line->text);
        return CLI_DONE;
    }
    if (question) {
        play_held(playing);
        playing->held_number = line->number;
    }
    if (question || playing->held.len > 0) {
        buf_str(&playing->held, line->text);
        buf_byte(&playing->held, '\n');
    } else {
        play(playing, line->text);
    }
    return playing->held.failed ? cli_bad(NULL, "out of memory") : CLI_DONE;
}

// What follows the last question of a recording has not happened when it is asked.
static int explain_held(struct playing *playing)
{
    struct str first = str_sub(buf_view(&playing->held), 0, str_find_byte(buf_view(&playing->held), '\n', 0));
    struct arena arena;
    struct value root = {0};
    struct fault why;
    int64_t at_ms = 0;
    if (first.len == 0) {
        return CLI_DONE;
    }
    arena_init(&arena, 0, 0);
    bool read = wire_decode(WIRE_JSON, first, &arena, &root, &why) == PDP_ERR_OK &&
                events_envelope(&root, &at_ms, &why);
    int code = read ? explain_line(playing, &root, at_ms) : CLI_BAD;
    arena_fini(&arena);
    return code;
}

static int play_events(struct playing *playing)
{
    struct events_count count;
    int code = events_read(playing->args->events, take_line, playing, &count);
    bool early = code == CLI_NO && playing->found;
    code = early ? CLI_DONE : code == CLI_DONE ? events_say_unread(playing->args->events, &count) : code;
    if (code != CLI_DONE || playing->found || playing->args->request != NULL) {
        return code;
    }
    code = explain_held(playing);
    if (code == CLI_DONE && !playing->found) {
        return cli_bad("`--line N` counts from 1, and `--request-id ID` is that of a question",
                       "`%s` holds no such question", events_name(playing->args->events));
    }
    return code;
}

// ---- One question ------------------------------------------------------------------------------

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int explain_request(struct playing *playing)
{
    const struct cli_args *args = playing->args;
    int64_t now_ms = playing->last_ms != 0 ? playing->last_ms : clock_ms();
    struct buf question = {0};
    struct arena arena;
    struct value root = {0};
    struct fault why;
    if (!local_now(args, &now_ms)) {
        return CLI_BAD;
    }
    arena_init(&arena, 0, 0);
    int code = CLI_BAD;
    if (cli_read(args->request != NULL ? args->request : "-", &question) &&
        cli_is_question(args, &question)) {
        struct str bytes = buf_view(&question);
        code = wire_decode(wire_form_of(bytes), bytes, &arena, &root, &why) == PDP_ERR_OK
                   ? asked_explain(&playing->asked, &playing->local, &root, now_ms)
                   : cli_bad(NULL, "the question cannot be read: `%s` %s", why.field, why.what);
    }
    arena_fini(&arena);
    buf_fini(&question);
    return code;
}

static int run(struct playing *playing)
{
    const struct cli_args *args = playing->args;
    int code = args->events != NULL ? play_events(playing) : CLI_DONE;
    if (code == CLI_DONE && (args->events == NULL || args->request != NULL)) {
        code = explain_request(playing);
    }
    return code == CLI_DONE ? cli_write(&playing->out, CLI_DONE) : code;
}

int cmd_explain(const struct cli_args *args)
{
    struct playing playing = {.args = args};
    bool names = args->line != 0 || args->request_id != NULL;
    if (!asked_wish(args->toward, &playing.asked.wish)) {
        return CLI_BAD;
    }
    if (names && (args->events == NULL || args->request != NULL)) {
        return cli_bad("pdpctl explain --policies DIR --events FILE --line 7",
                       "`--line` and `--request-id` name a question of `--events FILE`");
    }
    int code = local_open_written(args, &playing.local);
    if (code == CLI_DONE) {
        playing.asked.json = args->json;
        playing.asked.request_id = args->request_id;
        playing.asked.out = &playing.out;
        arena_init(&playing.asked.arena, 0, 0);
        code = run(&playing);
        arena_fini(&playing.asked.arena);
    }
    local_close(&playing.local);
    buf_fini(&playing.held);
    buf_fini(&playing.answer);
    buf_fini(&playing.out);
    return code;
}
