// SPDX-License-Identifier: Apache-2.0
#include "cli/change/change.h"
#include "cli/offline/events.h"

#define TIDY_EVERY 1024 // lines
#define ANSWER_MOST ((size_t)1 << 24)

// Two engines side by side, each with sessions and risk of its own, hear the same.
struct impact {
    struct local was, is;
    struct tally tally;
    struct buf was_answer, is_answer;
    uint64_t line, since_tidy;
    uint64_t judged; // questions that at least one of them could read
};

// ---- What was asked, in short --------------------------------------------------------------------------

static struct str text_at(const struct value *root, const char *path)
{
    const struct value *found = value_path(root, str_of(path));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

// What an item of a batch says, or the batch for all of its items; and an event, or what stands beside it.
static struct str said_by(const struct value *item, const struct value *batch, const char *key,
                          const char *field)
{
    const struct value *own = value_get(item, str_of(key));
    const struct value *map = own != NULL ? own : value_get(batch, str_of(key));
    if (field == NULL) {
        return map != NULL && map->kind == VALUE_STRING ? value_text(map) : (struct str){0};
    }
    return text_at(map, field);
}

// `alice`, `service:ci`, `acme/alice`.
static struct str subject_of(const struct value *asked, const struct value *batch, struct arena *arena)
{
    struct str id = said_by(asked, batch, "subject", "id"), type = said_by(asked, batch, "subject", "type");
    struct str tenant = said_by(asked, batch, "tenant", NULL);
    bool plain = type.len == 0 || str_eq(type, STR("user"));
    if (id.len == 0) {
        return STR("nobody");
    }
    return arena_printf(arena, STR_FMT "%s" STR_FMT "%s" STR_FMT, STR_ARG(tenant), tenant.len > 0 ? "/" : "",
                        STR_ARG(plain ? (struct str){0} : type), plain ? "" : ":", STR_ARG(id));
}

static void describe(const struct value *asked, const struct value *batch, bool event, struct arena *arena,
                     struct tally_first *out)
{
    out->subject = subject_of(asked, batch, arena);
    out->action = event ? text_at(asked, "type") : said_by(asked, batch, "action", "name");
    out->type = said_by(asked, batch, "resource", "type");
    out->resource = said_by(asked, batch, "resource", "id");
}

// ---- Comparing -------------------------------------------------------------------------------------------

static bool holds(const struct str *list, size_t count, struct str text)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(list[i], text)) {
            return true;
        }
    }
    return false;
}

static void take(struct impact *impact, struct tally_first *first, bool event)
{
    struct str ref = first->was.session.len > 0 ? first->was.session : first->is.session;
    struct str malformed = str_of(pdp_code_name(PDP_CODE_MALFORMED));
    impact->judged += !event && !(str_eq(first->was.code, malformed) && str_eq(first->is.code, malformed));
    tally_take(&impact->tally, first, event);
    tally_over(&impact->tally, ref, first->subject, first->line, first->was.over, first->is.over);
}

// Other sessions of the subject, that ended for this one.
static void take_ended(struct impact *impact, const struct tally_first *first, const struct verdict *was,
                       const struct verdict *is)
{
    for (size_t i = 0; i < was->ended_count; i++) {
        bool both = holds(is->ended, is->ended_count, was->ended[i]);
        tally_over(&impact->tally, was->ended[i], first->subject, first->line, true, both);
    }
    for (size_t i = 0; i < is->ended_count; i++) {
        if (!holds(was->ended, was->ended_count, is->ended[i])) {
            tally_over(&impact->tally, is->ended[i], first->subject, first->line, false, true);
        }
    }
}

// One question, which both decide from the same tree: nothing is written or read again.
static void decide_both(struct impact *impact, const struct value *asked, struct tally_first *first)
{
    struct verdict was, is;
    engine_decide(impact->was.worker, &impact->was.peer, asked, first->at_ms, &was);
    engine_decide(impact->is.worker, &impact->is.peer, asked, first->at_ms, &is);
    view_of_verdict(&was, &first->was);
    view_of_verdict(&is, &first->is);
    take(impact, first, false);
    take_ended(impact, first, &was, &is);
}

static void ended_texts(const struct value *answer, struct verdict *out, struct arena *arena)
{
    *out = (struct verdict){0};
    const struct value *list = value_path(answer, STR("session.ended"));
    if (list == NULL || list->kind != VALUE_LIST) {
        return;
    }
    struct str *texts = ARENA_ARRAY(arena, struct str, list->n + 1);
    for (uint32_t i = 0; texts != NULL && i < list->n; i++) {
        texts[out->ended_count] = value_text(&list->as.list[i]);
        out->ended_count += list->as.list[i].kind == VALUE_STRING;
    }
    out->ended = texts;
}

static void take_answers(struct impact *impact, const struct value *asked, const struct value *batch,
                         const struct value *was, const struct value *is, struct arena *arena,
                         struct tally_first *first)
{
    const struct value *event = value_get(asked, STR("event"));
    struct verdict was_ended, is_ended;
    describe(event != NULL ? event : asked, event != NULL ? asked : batch, event != NULL, arena, first);
    view_of_answer(was, &first->was);
    view_of_answer(is, &first->is);
    take(impact, first, event != NULL);
    ended_texts(was, &was_ended, arena);
    ended_texts(is, &is_ended, arena);
    take_ended(impact, first, &was_ended, &is_ended);
}

static const struct value *list_in(const struct value *map, const char *key)
{
    const struct value *list = value_get(map, str_of(key));
    return list != NULL && list->kind == VALUE_LIST ? list : NULL;
}

static bool read_answer(const struct buf *bytes, struct arena *arena, struct value *out)
{
    struct fault why;
    return wire_decode_most(WIRE_JSON, buf_view(bytes), ANSWER_MOST, arena, out, &why) == PDP_ERR_OK;
}

// What is answered in bytes: events, batches, searches, and what asks for others.
static int answer_both(struct impact *impact, const struct events_line *line, const struct value *asked,
                       struct tally_first *first)
{
    struct value was = {0}, is = {0};
    buf_clear(&impact->was_answer);
    buf_clear(&impact->is_answer);
    engine_answer(impact->was.worker, &impact->was.peer, line->text, 0, &impact->was_answer);
    engine_answer(impact->is.worker, &impact->is.peer, line->text, 0, &impact->is_answer);
    if (!read_answer(&impact->was_answer, line->arena, &was) ||
        !read_answer(&impact->is_answer, line->arena, &is)) {
        return cli_bad(NULL, "the answers to line %llu cannot be read", (unsigned long long)line->number);
    }
    const struct value *items = list_in(asked, "evaluations");
    const struct value *was_items = list_in(&was, "evaluations"), *is_items = list_in(&is, "evaluations");
    if (items == NULL || was_items == NULL || is_items == NULL) {
        take_answers(impact, asked, NULL, &was, &is, line->arena, first);
        return CLI_DONE;
    }
    static const struct value NOTHING = {.kind = VALUE_NULL};
    for (uint32_t i = 0; i < items->n && (i < was_items->n || i < is_items->n); i++) {
        take_answers(impact, &items->as.list[i], asked, i < was_items->n ? &was_items->as.list[i] : &NOTHING,
                     i < is_items->n ? &is_items->as.list[i] : &NOTHING, line->arena, first);
    }
    return CLI_DONE;
}

static bool is_plain(const struct value *root, const struct value *asked)
{
    static const char *const OTHERS[] = {"evaluations", "search", "hits", "event", "gateway"};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        if (value_get(asked, str_of(OTHERS[i])) != NULL || value_get(root, str_of(OTHERS[i])) != NULL) {
            return false;
        }
    }
    return asked != root && asked->kind == VALUE_MAP;
}

static void tidy(struct impact *impact, int64_t at_ms)
{
    if (++impact->since_tidy == TIDY_EVERY) {
        impact->since_tidy = 0;
        engine_tidy(impact->was.engine, at_ms);
        engine_tidy(impact->is.engine, at_ms);
    }
}

static int take_line(void *to, const struct events_line *line)
{
    struct impact *impact = to;
    if (line->asked == NULL) {
        return CLI_DONE; // counted by the reader
    }
    struct tally_first first = {.line = line->number, .at_ms = line->at_ms};
    const struct value *request = value_get(line->asked, STR("request"));
    const struct value *asked = request != NULL ? request : line->asked;
    int code = CLI_DONE;
    if (is_plain(line->asked, asked)) {
        describe(asked, NULL, false, line->arena, &first);
        decide_both(impact, asked, &first);
    } else {
        code = answer_both(impact, line, asked, &first);
    }
    tidy(impact, line->at_ms);
    return impact->tally.failed ? cli_bad(NULL, "out of memory") : code;
}

// ---- The command -----------------------------------------------------------------------------------------

static int tell(const struct cli_args *args, struct impact *impact, const struct events_count *count)
{
    const struct tally *tally = &impact->tally;
    const struct impact_told told = {count->lines, count->unread, count->first_unread, (size_t)args->limit};
    AUTO(buf_fini) struct buf out = {0};
    tally_sort(&impact->tally);
    if (tally->failed) {
        return cli_bad(NULL, "out of memory");
    }
    if (args->json) {
        impact_emit(tally, &told, &out);
    } else {
        impact_show(tally, &told, &out);
    }
    bool same = tally->differ == 0 && tally->events_differ == 0 && tally->session_count == 0;
    int code = cli_write(&out, same ? CLI_DONE : CLI_NO);
    if (code == CLI_DONE && impact->judged == 0) { // so that nobody takes it for "nothing differs"
        code = cli_bad(
            "lines of {\"at\": T, \"request\": {...}} are compared: `pdpctl replay` tells why of each",
            "`%s` holds no question that could be read: nothing was compared", events_name(args->events));
    }
    return code;
}

int cmd_impact(const struct cli_args *args)
{
    if (args->events == NULL) {
        return cli_bad("pdpctl impact policies/baseline candidate --events day.jsonl",
                       "`impact` needs `--events FILE`: a recording such as `replay` takes");
    }
    struct impact impact = {0};
    struct events_count count = {0};
    tally_init(&impact.tally);
    int code = local_open_at(args, args->positional[0], &impact.was);
    code = code == CLI_DONE ? local_open_at(args, args->positional[1], &impact.is) : code;
    code = code == CLI_DONE ? events_read(args->events, take_line, &impact, &count) : code;
    code = code == CLI_DONE ? events_say_unread(args->events, &count) : code;
    code = code == CLI_DONE ? tell(args, &impact, &count) : code;
    local_close(&impact.was);
    local_close(&impact.is);
    buf_fini(&impact.was_answer);
    buf_fini(&impact.is_answer);
    tally_fini(&impact.tally);
    return code;
}
