// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/gather.h"

#include <stdio.h>
#include <stdlib.h>

static const struct hash_key NAMES_KEY = {UINT64_C(0x7269736b2d666974), UINT64_C(0x6761746865722d31)};

static double number_of(const struct value *value)
{
    return value == NULL                 ? 0
           : value->kind == VALUE_DOUBLE ? value->as.d
           : value->kind == VALUE_INT    ? (double)value->as.i
                                         : 0;
}

static struct str text_at(const struct value *root, const char *path)
{
    const struct value *found = value_path(root, str_of(path));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

// The number of a name, from 1; a name that is new gets the next one. 0: an empty name, or no memory.
static uint32_t number_by(struct gather *g, struct map *map, struct str name)
{
    uint64_t number = 0;
    if (name.len == 0 || map_get(map, name, &number)) {
        return (uint32_t)number;
    }
    bool copied = true;
    struct str kept = arena_str(&g->arena, name, &copied);
    if (!copied || map_put(map, kept, map->count + 1) != PDP_ERR_OK) {
        g->failed = true;
        return 0;
    }
    return (uint32_t)map->count;
}

// ---- Signals -----------------------------------------------------------------------------------

static struct gather_signal *signal_by(struct gather *g, struct str id)
{
    uint32_t number = 0;
    for (size_t i = 0; i < g->signal_count; i++) {
        if (str_eq(g->signals[i].id, id)) {
            return &g->signals[i];
        }
    }
    if (id.len == 0 || g->signal_count == GATHER_SIGNALS_MOST) {
        return NULL;
    }
    number = (uint32_t)g->signal_count;
    bool copied = true;
    g->signals[number].id = arena_str(&g->arena, id, &copied);
    g->failed = g->failed || !copied;
    g->signal_count += copied;
    return copied ? &g->signals[number] : NULL;
}

static bool is_above(const struct value *risk)
{
    return !str_eq(text_at(risk, "level"), STR("low"));
}

static void take_signals(struct gather *g, const struct value *risk)
{
    const struct value *signals = value_get(risk, STR("signals"));
    bool above = is_above(risk);
    g->above += above;
    for (uint32_t i = 0; signals != NULL && signals->kind == VALUE_LIST && i < signals->n; i++) {
        const struct value *one = &signals->as.list[i];
        double evidence = number_of(value_get(one, STR("evidence")));
        struct gather_signal *signal = signal_by(g, text_at(one, "id"));
        if (signal == NULL) {
            continue;
        }
        signal->spoke++;
        signal->evidence += evidence;
        if (above) {
            signal->above++;
            signal->above_raise += evidence > 0 ? evidence : 0;
            g->above_raise += evidence > 0 ? evidence : 0;
        }
    }
}

// ---- Labels ------------------------------------------------------------------------------------

// The label that a question meets, and takes: the one of its line, else of its id.
static const struct label *take_label(struct gather *g, uint64_t line, struct str id)
{
    const struct label *label = labels_of_line(&g->labels, line);
    bool *used = label != NULL ? &g->line_used[label - g->labels.by_line] : NULL;
    if (label == NULL && id.len > 0) {
        label = labels_of_id(&g->labels, id);
        used = label != NULL ? &g->id_used[label - g->labels.by_id] : NULL;
    }
    if (label == NULL || *used) {
        g->ids_twice += label != NULL && label->line == 0;
        return NULL;
    }
    *used = true;
    g->used++;
    return label;
}

static int read_labels(const struct cli_args *args, struct gather *g)
{
    struct diags diags;
    struct buf said = {0};
    if (!cli_read(args->labels, &g->text)) {
        return CLI_BAD;
    }
    g->source = (struct source){str_of(args->labels), buf_view(&g->text)};
    diags_init(&diags, LABELS_MISTAKES_MOST);
    enum pdp_err err = labels_read(&g->source, &g->arena, &diags, &g->labels);
    diags_render(&diags, &said);
    if (said.len > 0) {
        fwrite(said.at, 1, said.len, stderr);
    }
    size_t errors = diags.errors;
    buf_fini(&said);
    diags_fini(&diags);
    g->line_used = ARENA_ARRAY(&g->arena, bool, g->labels.line_count + 1);
    g->id_used = ARENA_ARRAY(&g->arena, bool, g->labels.id_count + 1);
    if (err == PDP_ERR_OK && g->line_used != NULL && g->id_used != NULL) {
        g->labelled = true;
        return CLI_DONE;
    }
    return errors > 0
               ? cli_bad(NULL, "`%s` has %zu mistake%s%s", args->labels, errors, errors == 1 ? "" : "s",
                         errors >= LABELS_MISTAKES_MOST ? ", and the rest of it was not read" : "")
               : cli_bad(NULL, "out of memory");
}

// ---- Questions ---------------------------------------------------------------------------------

static bool grow(struct gather *g)
{
    if (g->count < g->cap) {
        return true;
    }
    size_t cap = g->cap > 0 ? g->cap * 2 : 4096;
    struct traffic_question *list = realloc(g->list, cap * sizeof *list);
    if (list == NULL) {
        g->failed = true;
        return false;
    }
    g->list = list;
    g->cap = cap;
    return true;
}

// What a question says of itself, or the batch that it stands in.
static struct str said_of(const struct value *batch, const struct value *question, const char *path)
{
    struct str said = text_at(question, path);
    return said.len > 0 ? said : text_at(batch, path);
}

static uint32_t user_of(struct gather *g, const struct value *batch, const struct value *question)
{
    struct buf name = {0};
    buf_str(&name, said_of(batch, question, "subject.id"));
    if (name.len > 0) {
        buf_byte(&name, '\0');
        buf_str(&name, said_of(batch, question, "subject.type"));
        buf_byte(&name, '\0');
        buf_str(&name, said_of(batch, question, "tenant"));
    }
    uint32_t number = number_by(g, &g->users, buf_view(&name));
    buf_fini(&name);
    return number;
}

static void take_question(struct gather *g, uint64_t line, const struct value *batch,
                          const struct value *question, const struct value *answer)
{
    const struct value *risk = value_path(answer, STR("context.risk"));
    const struct value *log_odds = value_get(risk, STR("log_odds"));
    const struct value *score = value_get(risk, STR("score"));
    g->questions++;
    if (value_path(answer, STR("context.repeated")) != NULL) {
        g->repeats++;
        return;
    }
    const struct label *label = take_label(g, line, said_of(batch, question, "request_id"));
    if (log_odds == NULL || score == NULL || !grow(g)) {
        g->unscored += label != NULL;
        return;
    }
    g->list[g->count++] = (struct traffic_question){
        .score = number_of(score),
        .log_odds = number_of(log_odds),
        .hard = number_of(value_get(risk, STR("hard"))),
        .session = number_by(g, &g->sessions, text_at(answer, "context.session.ref")),
        .user = user_of(g, batch, question),
        .above = is_above(risk),
        .known = label != NULL,
        .attack = label != NULL && label->attack};
    take_signals(g, risk);
}

static int take_line(void *to, const struct events_line *line)
{
    struct gather *g = to;
    const struct value *question = value_get(line->asked, STR("request"));
    const struct value *items = value_get(question, STR("evaluations"));
    const struct value *answers = value_get(line->answer, STR("evaluations"));
    if (question == NULL) {
        return CLI_DONE; // an event: it moved what it moves
    }
    if (items == NULL || answers == NULL || items->kind != VALUE_LIST || answers->kind != VALUE_LIST) {
        take_question(g, line->number, NULL, question, line->answer);
    } else {
        for (uint32_t i = 0; i < items->n && i < answers->n; i++) {
            take_question(g, line->number, question, &items->as.list[i], &answers->as.list[i]);
        }
    }
    return g->failed ? cli_bad(NULL, "out of memory") : CLI_DONE;
}

// ---- All of it ---------------------------------------------------------------------------------

int gather_run(const struct cli_args *args, struct gather *out)
{
    *out = (struct gather){0};
    arena_init(&out->arena, 0, 0);
    map_init(&out->sessions, NAMES_KEY);
    map_init(&out->users, NAMES_KEY);
    if (args->events == NULL || (args->policies == NULL) == (args->connect == NULL)) {
        return cli_bad("pdpctl risk report --policies policies/baseline --events recorded.jsonl",
                       "`risk` needs `--events FILE`, and one of `--policies DIR` and `--connect URL`");
    }
    int code = args->labels != NULL ? read_labels(args, out) : CLI_DONE;
    code = code == CLI_DONE ? events_each(args, take_line, out) : code;
    if (code == CLI_DONE && out->count == 0) {
        code = cli_bad("is there a `risk` in the answers of `pdpctl replay`?",
                       "no question of `%s` was scored", args->events);
    }
    return code;
}

void gather_say_left(const struct cli_args *args, const struct gather *gather)
{
    size_t all = gather->labels.line_count + gather->labels.id_count;
    if (gather->used < all) {
        (void)cli_bad("a label names the line of a question, counted from 1, or its `request_id`",
                      "`%s`: %zu of %zu labels fit no question, and count nothing", args->labels,
                      all - gather->used, all);
    }
    if (gather->unscored > 0) {
        (void)cli_bad("such as those of a session that was ended before",
                      "`%s`: %zu of %zu labels are of questions without a score, and count nothing",
                      args->labels, gather->unscored, all);
    }
    if (gather->ids_twice > 0) {
        (void)cli_bad("label these by `line`",
                      "`%s`: %zu questions have a labelled `request_id` that one before them had, and count "
                      "as not labelled",
                      args->labels, gather->ids_twice);
    }
}

void gather_fini(struct gather *gather)
{
    map_fini(&gather->sessions);
    map_fini(&gather->users);
    free(gather->list);
    buf_fini(&gather->text);
    arena_fini(&gather->arena);
}
