// SPDX-License-Identifier: Apache-2.0
// An expression, compiled with the folder's names and run against the question in hand.
#include "cli/explain/repl.h"

#include "cel/frame.h"
#include "cel/types.h"

#include <stdio.h>

#define VARIABLES_MOST 1024

struct eval {
    struct repl *repl;
    struct str text;
    struct cel_program *program;
    uint32_t expr;
    bool ran;
    struct arena arena;
};

static struct place locate(void *user, uint32_t at, uint32_t len)
{
    return (struct place){user, at, len};
}

// ---- Compiling ---------------------------------------------------------------------------------

// Those of Definitions, and of the policy that was chosen; of several with a name the first.
static bool is_read(const struct repl *repl, const struct policy_condition *at, const struct cel_var *vars,
                    size_t count)
{
    if (at->owner != POLICY_OWNER_VARIABLE || at->parent != UINT32_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (str_eq(vars[i].name, at->name)) {
            return false;
        }
    }
    return at->policy.len == 0 || repl->policy.len == 0 || str_eq(at->policy, repl->policy);
}

// Each reads those before it; what does not compile here is left out.
static size_t add_variables(struct eval *eval, struct cel_var *vars)
{
    size_t all_count = 0, count = 0;
    const struct policy_condition *all = policy_conditions(eval->repl->local.parts.set, &all_count);
    for (size_t i = 0; i < all_count && count < VARIABLES_MOST; i++) {
        uint32_t expr = UINT32_MAX;
        const struct cel_text text = {.text = all[i].text};
        if (is_read(eval->repl, &all[i], vars, count) &&
            cel_add(eval->program, &text, CEL_DYN, vars, count, 0, NULL, &expr) == PDP_ERR_OK) {
            vars[count++] = (struct cel_var){all[i].name, expr};
        }
    }
    return count;
}

static void put_type(struct eval *eval, const struct cel_text *text, const struct cel_var *vars, size_t count)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    struct unit unit = {.text = text, .arena = &arena, .depth_max = eval->program->limits.depth};
    struct check_names names = {vars, count, 0};
    const struct type *type = NULL;
    if (parse_unit(&unit) == PDP_ERR_OK && check_unit(eval->program, &unit, &names, &type) == PDP_ERR_OK) {
        types_print(&eval->repl->out, type);
        buf_byte(&eval->repl->out, '\n');
    }
    arena_fini(&arena);
}

static void say(struct repl *repl, struct diags *diags)
{
    AUTO(buf_fini) struct buf text = {0};
    diags_render(diags, &text);
    fflush(stdout);
    fwrite(text.at, 1, text.len, stderr);
    repl->failed = true;
}

static bool compile(struct eval *eval, bool type)
{
    const struct source source = {STR("input"), eval->text};
    const struct cel_text text = {eval->text, locate, (void *)(uintptr_t)&source};
    struct cel_var *vars = ARENA_ARRAY(&eval->arena, struct cel_var, VARIABLES_MOST);
    struct diags diags;
    if (vars == NULL || cel_program_new(&eval->repl->env, NULL, &eval->program) != PDP_ERR_OK) {
        return repl_bad(eval->repl, NULL, "out of memory");
    }
    diags_init(&diags, 20);
    size_t count = add_variables(eval, vars);
    bool good = cel_add(eval->program, &text, CEL_DYN, vars, count, 0, &diags, &eval->expr) == PDP_ERR_OK;
    if (!good) {
        say(eval->repl, &diags);
    } else if (type) {
        put_type(eval, &text, vars, count);
    }
    diags_fini(&diags);
    return good && (type || cel_seal(eval->program) == PDP_ERR_OK);
}

// ---- Running -----------------------------------------------------------------------------------

static void put_value(struct eval *eval, const struct cel_frame *frame, const struct value *value)
{
    struct buf *out = &eval->repl->out;
    if (value->kind == VALUE_ERROR) {
        buf_str(out, STR("unsure: "));
        buf_str(out, cel_why(frame, value));
    } else if ((eval->program->nodes[eval->expr].flags & NODE_SENSITIVE) != 0) {
        buf_str(out, STR(CEL_MASK));
    } else {
        account_value(&eval->repl->local.parts, UINT32_MAX, value, out);
        buf_printf(out, " (%s)", value_kind_name((enum value_kind)value->kind));
    }
    buf_byte(out, '\n');
}

static void run(struct eval *eval, struct whatif_world *world)
{
    const struct whatif *changes[REPL_HELD_MOST];
    struct cel_frame *frame = NULL;
    if (cel_frame_new(eval->program, &frame) != PDP_ERR_OK) {
        return;
    }
    for (size_t i = 0; i < eval->repl->held_count; i++) {
        changes[i] = &eval->repl->held[i].to;
    }
    whatif_begin(world, changes, eval->repl->held_count);
    cel_begin(frame, &world->host, &eval->arena, world->seen->now_ms);
    struct value value = cel_run(frame, eval->expr);
    put_value(eval, frame, &value);
    cel_frame_free(&frame);
}

static void judged(void *user, const struct watched *seen)
{
    struct eval *eval = user;
    struct whatif_world world;
    eval->ran = whatif_init(&world, seen, &eval->arena);
    if (eval->ran) {
        run(eval, &world);
        whatif_fini(&world);
    }
}

// The question is asked as a probe: only while it is judged is it known what its attributes are.
static bool ask(struct eval *eval)
{
    struct repl *repl = eval->repl;
    const struct watch watch = {.judged = judged, .user = eval};
    struct value probe;
    struct verdict verdict;
    if (!repl_probe(repl, &eval->arena, &probe)) {
        return repl_bad(repl, NULL, "out of memory");
    }
    worker_watch(repl->local.worker, &watch);
    engine_decide(repl->local.worker, &repl->local.peer, &probe, repl_now(repl), &verdict);
    worker_watch(repl->local.worker, NULL);
    if (eval->ran) {
        return true;
    }
    const struct fault *fault = worker_fault(repl->local.worker);
    return verdict.code == PDP_CODE_MALFORMED
               ? repl_bad(repl, "`:question` shows it, `:set` mends it", "the question is malformed: `%s` %s",
                          fault->field, fault->what)
               : repl_bad(repl, NULL,
                          "policies are not asked this question, so nothing is known of it: " STR_FMT,
                          STR_ARG(verdict.reason));
}

bool repl_eval(struct repl *repl, struct str text, bool type)
{
    struct eval eval = {.repl = repl, .text = text, .expr = UINT32_MAX};
    arena_init(&eval.arena, 0, 0);
    bool good = compile(&eval, type) && (type || ask(&eval));
    cel_program_free(&eval.program);
    arena_fini(&eval.arena);
    return good;
}
