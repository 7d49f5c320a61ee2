// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/repl.h"

#include "base/num.h"
#include "base/time.h"
#include "cli/offline/events.h"

#include <stdio.h>

bool repl_bad(struct repl *repl, const char *hint, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    cli_say("error", hint, fmt, args);
    va_end(args);
    repl->failed = true;
    return false;
}

// ---- Asking ------------------------------------------------------------------------------------

// Asking with attributes held otherwise, which only policies hear of.
struct holding {
    struct repl *repl;
    struct arena arena;
    bool judged;
};

static void put_answer(struct repl *repl, enum pdp_effect effect, enum pdp_code code, struct str rule)
{
    buf_printf(&repl->out, "%s, %s", pdp_effect_name(effect), pdp_code_name(code));
    if (rule.len > 0) {
        buf_printf(&repl->out, ": " STR_FMT, STR_ARG(rule));
    }
}

static void judged(void *user, const struct watched *seen)
{
    struct holding *holding = user;
    const struct whatif *changes[REPL_HELD_MOST];
    struct whatif_world world;
    size_t count = holding->repl->held_count;
    if (!whatif_init(&world, seen, &holding->arena)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        changes[i] = &holding->repl->held[i].to;
    }
    world.ends = !world.has_session || world.known; // a probe ends nothing: would a question?
    enum pdp_effect effect = whatif_ask(&world, changes, count);
    struct str rule = world.result.first != UINT32_MAX ? policy_rule_name(world.parts.set, world.result.first)
                                                       : (struct str){0};
    put_answer(holding->repl, effect, world.result.code, rule);
    buf_printf(&holding->repl->out, " (with %zu attribute%s held)\n", count, count == 1 ? "" : "s");
    whatif_fini(&world);
    holding->judged = true;
}

static bool say_fault(struct repl *repl)
{
    const struct fault *fault = worker_fault(repl->local.worker);
    return repl_bad(repl, "`:question` shows it, `:set` mends it", "the question is malformed: `%s` %s",
                    fault->field, fault->what);
}

static bool ask_held(struct repl *repl)
{
    struct holding holding = {.repl = repl};
    const struct watch watch = {.judged = judged, .user = &holding};
    struct value probe;
    struct verdict verdict = {0};
    arena_init(&holding.arena, 0, 0);
    bool made = repl_probe(repl, &holding.arena, &probe);
    if (made) {
        worker_watch(repl->local.worker, &watch);
        engine_decide(repl->local.worker, &repl->local.peer, &probe, repl_now(repl), &verdict);
        worker_watch(repl->local.worker, NULL);
    }
    arena_fini(&holding.arena);
    return !made                                ? repl_bad(repl, NULL, "out of memory")
           : verdict.code == PDP_CODE_MALFORMED ? say_fault(repl)
           : holding.judged                     ? true
                            : repl_bad(repl, NULL, "policies are not asked this question: " STR_FMT,
                                       STR_ARG(verdict.reason));
}

static bool do_ask(struct repl *repl, struct str rest)
{
    struct verdict verdict;
    (void)rest;
    if (repl->held_count > 0) {
        return ask_held(repl);
    }
    engine_decide(repl->local.worker, &repl->local.peer, &repl->question, repl_now(repl), &verdict);
    if (verdict.code == PDP_CODE_MALFORMED) {
        return say_fault(repl);
    }
    put_answer(repl, verdict.effect, verdict.code, verdict.rule);
    if (verdict.has_require) {
        buf_printf(&repl->out, ", asks for " STR_FMT, STR_ARG(verdict.require_strength));
    }
    if (verdict.has_risk) {
        buf_printf(&repl->out, ", risk %.3g " STR_FMT, verdict.score,
                   STR_ARG(RISK_LEVEL_NAMES[verdict.level]));
    }
    buf_byte(&repl->out, '\n');
    for (size_t i = 0; i < verdict.missing_count; i++) {
        buf_printf(&repl->out, "  missing " STR_FMT "\n", STR_ARG(verdict.missing[i]));
    }
    return true;
}

static bool do_explain(struct repl *repl, struct str rest)
{
    AUTO(buf_fini) struct buf toward = {0};
    struct asked asked = {.out = &repl->out};
    struct value probe;
    struct arena arena;
    buf_str(&toward, rest);
    buf_byte(&toward, '\0');
    if (!asked_wish(rest.len > 0 ? (const char *)toward.at : NULL, &asked.wish)) {
        repl->failed = true;
        return false;
    }
    arena_init(&arena, 0, 0);
    arena_init(&asked.arena, 0, 0);
    bool good = repl_probe(repl, &arena, &probe) &&
                asked_explain(&asked, &repl->local, &probe, repl_now(repl)) == CLI_DONE;
    if (good && repl->held_count > 0) {
        buf_str(&repl->out, STR("  (what is held was left aside)\n"));
    }
    repl->failed = repl->failed || !good;
    arena_fini(&asked.arena);
    arena_fini(&arena);
    return good;
}

// ---- The question ------------------------------------------------------------------------------

static bool with_name(struct repl *repl, struct str rest, bool (*use)(struct repl *repl, const char *name),
                      const char *what)
{
    AUTO(buf_fini) struct buf name = {0};
    buf_str(&name, rest);
    buf_byte(&name, '\0');
    return rest.len > 0 ? use(repl, (const char *)name.at) : repl_bad(repl, NULL, "`%s` needs a file", what);
}

static bool do_load(struct repl *repl, struct str rest)
{
    return with_name(repl, rest, repl_load, ":load");
}

static int play_line(void *to, const struct events_line *line)
{
    struct repl *repl = to;
    AUTO(buf_fini) struct buf answer = {0};
    if (line->asked != NULL) {
        engine_answer(repl->local.worker, &repl->local.peer, line->text, 0, &answer);
        repl->at_ms = line->at_ms;
    }
    return CLI_DONE;
}

static bool play(struct repl *repl, const char *path)
{
    struct events_count count;
    bool good = events_read(path, play_line, repl, &count) == CLI_DONE;
    repl->failed = repl->failed || !good;
    if (good) {
        buf_printf(&repl->out, "%llu of %llu lines played\n",
                   (unsigned long long)(count.lines - count.unread), (unsigned long long)count.lines);
    }
    return good;
}

static bool do_play(struct repl *repl, struct str rest)
{
    return with_name(repl, rest, play, ":play");
}

static bool do_at(struct repl *repl, struct str rest)
{
    int64_t seconds = 0;
    int32_t nanos = 0;
    bool ahead = str_starts(rest, STR("+"));
    if (ahead && time_duration_parse(str_sub(rest, 1, rest.len), &seconds, &nanos)) {
        repl->at_ms = num_add_sat(repl_now(repl), num_mul_sat(seconds, TIME_MS_PER_S) + nanos / 1000000);
    } else if (rest.len > 0 && !local_time(rest, &repl->at_ms)) {
        return repl_bad(repl, "such as 2026-11-22T20:33:00Z, +5m, or milliseconds since 1970",
                        "`" STR_FMT "` is no time", STR_ARG(rest));
    }
    struct value now = value_time_ms(repl_now(repl));
    value_print(&repl->out, &now, 64);
    buf_byte(&repl->out, '\n');
    return true;
}

static bool do_question(struct repl *repl, struct str rest)
{
    struct emit emit;
    (void)rest;
    emit_init(&emit, WIRE_JSON, &repl->out);
    emit_value(&emit, &repl->question);
    buf_byte(&repl->out, '\n');
    for (size_t i = 0; i < repl->held_count; i++) {
        const struct whatif *held = &repl->held[i].to;
        buf_printf(&repl->out, "held: " STR_FMT " is ", STR_ARG(held->path));
        account_value(&repl->local.parts, UINT32_MAX, &held->value, &repl->out);
        buf_byte(&repl->out, '\n');
    }
    return true;
}

// ---- The folder --------------------------------------------------------------------------------

static bool do_rules(struct repl *repl, struct str rest)
{
    const struct policy_set *set = repl->local.parts.set;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (rest.len == 0 || str_eq(set->policies[set->rules[i].policy].name, rest)) {
            buf_printf(&repl->out, "%-9s " STR_FMT "\n", pdp_effect_name(set->rules[i].effect),
                       STR_ARG(set->rules[i].name));
        }
    }
    return true;
}

static bool do_lists(struct repl *repl, struct str rest)
{
    struct policy_list_facts facts;
    (void)rest;
    for (uint32_t i = 0; i < policy_list_count(repl->local.parts.lists); i++) {
        if (policy_list_describe(repl->local.parts.lists, i, repl_now(repl), &facts)) {
            buf_printf(&repl->out, "lists." STR_FMT ": %zu entr%s of type %s%s\n", STR_ARG(facts.name),
                       facts.entries, facts.entries == 1 ? "y" : "ies", facts.kind,
                       facts.missing ? ", missing"
                       : facts.stale ? ", stale"
                                     : "");
        }
    }
    return true;
}

static bool do_vars(struct repl *repl, struct str rest)
{
    size_t count = 0;
    const struct policy_condition *all = policy_conditions(repl->local.parts.set, &count);
    (void)rest;
    for (size_t i = 0; i < count; i++) {
        bool shown = all[i].policy.len == 0 || repl->policy.len == 0 || str_eq(all[i].policy, repl->policy);
        if (all[i].owner == POLICY_OWNER_VARIABLE && all[i].parent == UINT32_MAX && shown) {
            buf_printf(&repl->out, "vars." STR_FMT " = " STR_FMT, STR_ARG(all[i].name), STR_ARG(all[i].text));
            if (all[i].policy.len > 0) {
                buf_printf(&repl->out, "  (of " STR_FMT ")", STR_ARG(all[i].policy));
            }
            buf_byte(&repl->out, '\n');
        }
    }
    return true;
}

static bool do_in(struct repl *repl, struct str rest)
{
    const struct policy_set *set = repl->local.parts.set;
    repl->policy = (struct str){0};
    for (uint32_t i = 0; i < set->policy_count; i++) {
        repl->policy = str_eq(set->policies[i].name, rest) ? set->policies[i].name : repl->policy;
    }
    return rest.len == 0 || repl->policy.len > 0 ||
           repl_bad(repl, "`:rules` names them", "there is no policy `" STR_FMT "`", STR_ARG(rest));
}

static bool do_type(struct repl *repl, struct str rest)
{
    return rest.len > 0 ? repl_eval(repl, rest, true)
                        : repl_bad(repl, ":type risk.score", "`:type` needs an expression");
}

// ---- Commands ----------------------------------------------------------------------------------

static bool do_help(struct repl *repl, struct str rest);

static bool do_quit(struct repl *repl, struct str rest)
{
    (void)rest;
    repl->quits = true;
    return true;
}

static const struct {
    const char *name, *usage, *help;
    bool (*run)(struct repl *repl, struct str rest);
} COMMANDS[] = {
    {":load", "FILE", "take a question, or a line of a recording with its time", do_load},
    {":play", "FILE", "play a recording, so that sessions have a past", do_play},
    {":set", "PATH JSON",
     "change the question; what no question says is held, for policies alone; null takes it away", repl_set},
    {":question", "", "show the question", do_question},
    {":at", "[T]", "set the time: RFC 3339, milliseconds, or +5m; show it", do_at},
    {":ask", "", "decide the question; the session moves on", do_ask},
    {":explain", "[EFFECT]", "tell how it would be decided now, and the smallest change; nothing moves",
     do_explain},
    {":type", "EXPR", "the type of an expression", do_type},
    {":rules", "[POLICY]", "the rules", do_rules},
    {":lists", "", "the lists", do_lists},
    {":vars", "", "the variables that `vars.NAME` reads", do_vars},
    {":in", "[POLICY]", "read the variables of this policy; without one, of all", do_in},
    {":help", "", "this", do_help},
    {":quit", "", "end, as the end of the input does", do_quit},
};

static bool do_help(struct repl *repl, struct str rest)
{
    (void)rest;
    buf_str(&repl->out, STR("an expression is evaluated against the question; or\n"));
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        char left[32];
        snprintf(left, sizeof left, "%s %s", COMMANDS[i].name, COMMANDS[i].usage);
        buf_printf(&repl->out, "  %-18s %s\n", left, COMMANDS[i].help);
    }
    return true;
}

static void run_command(struct repl *repl, struct str line)
{
    size_t blank = str_find_byte(line, ' ', 0);
    struct str name = str_sub(line, 0, blank), rest = str_trim(str_sub(line, blank, line.len));
    struct str names[COUNT_OF(COMMANDS)];
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        names[i] = str_of(COMMANDS[i].name);
        if (str_eq(name, names[i])) {
            (void)COMMANDS[i].run(repl, rest);
            return;
        }
    }
    char hint[64] = "`:help` lists the commands";
    int nearest = str_nearest(name, names, COUNT_OF(COMMANDS));
    if (nearest >= 0) {
        snprintf(hint, sizeof hint, "did you mean `%s`?", COMMANDS[nearest].name);
    }
    (void)repl_bad(repl, hint, "unknown command `" STR_FMT "`", STR_ARG(name));
}

void repl_line(struct repl *repl, struct str line)
{
    buf_clear(&repl->out);
    line = str_trim(line);
    if (str_starts(line, STR(":"))) {
        run_command(repl, line);
    } else if (line.len > 0 && line.at[0] != '#') {
        (void)repl_eval(repl, line, false);
    }
}

static enum pdp_err zone(void *user, struct str name, struct str *tzif)
{
    const struct snapshot_input *input = user;
    return input->read_zone != NULL ? input->read_zone(input->user, name, tzif) : PDP_ERR_UNSUPPORTED;
}

static bool first_question(struct repl *repl)
{
    const struct str first =
        STR("{\"subject\": {\"type\": \"user\", \"id\": \"someone\"}, \"action\": {\"name\": \"GET\"}, "
            "\"resource\": {\"type\": \"route\", \"id\": \"/\"}, \"context\": {}}");
    struct fault why;
    return wire_decode(WIRE_JSON, first, &repl->arenas[0], &repl->question, &why) == PDP_ERR_OK;
}

static int serve(const struct cli_args *args, struct repl *repl)
{
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    int code = local_read(args, args->policies, &repl->folder);
    if (code == CLI_DONE) {
        repl->input = folder_input(repl->folder);
        repl->input.conditions = true;
        code = local_compile(args, args->policies, &repl->input, &snapshot);
    }
    return code == CLI_DONE ? local_serve(repl->folder, &snapshot, &repl->local) : code;
}

int repl_open(const struct cli_args *args, struct repl *repl)
{
    arena_init(&repl->arenas[0], 0, 0);
    arena_init(&repl->arenas[1], 0, 0);
    int code = args->policies != NULL ? serve(args, repl)
                                      : cli_bad("give `--policies DIR`", "no policy folder is named");
    if (code != CLI_DONE) {
        return code;
    }
    repl->env = *repl->local.parts.env;
    repl->env.zone = zone;
    repl->env.zone_user = &repl->input;
    return first_question(repl) ? CLI_DONE : cli_bad(NULL, "out of memory");
}

void repl_fini(struct repl *repl)
{
    for (size_t i = 0; i < repl->held_count; i++) {
        arena_fini(&repl->held[i].arena);
    }
    arena_fini(&repl->arenas[0]);
    arena_fini(&repl->arenas[1]);
    buf_fini(&repl->out);
    local_close(&repl->local);
    folder_free(&repl->folder);
}
