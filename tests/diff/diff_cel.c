// SPDX-License-Identifier: Apache-2.0
// One meaning, two executions: random conditions, many in one program and one frame for many questions,
// against the plain interpreter. PDP_DIFF_CASES (a condition asked once is a case) and PDP_DIFF_SEED (one
// batch) change the run.
#include "cel/frame.h"
#include "diff/diff.h"
#include "diff/gen.h"
#include "diff/plain.h"

enum {
    EXPRS = 48,
    WORLDS = 24,
    JOINS = 4,
    SHOWN = 5
};

struct batch {
    uint64_t seed;
    struct chance chance;
    struct arena trees, world_arena, values, made;
    struct cel_env env;
    struct cel_program *program;
    struct cel_frame *frame;
    struct str texts[EXPRS], var_texts[GEN_VARS];
    struct tree *trees_of[EXPRS];
    uint32_t exprs[EXPRS], count;
    uint64_t bounds[EXPRS]; // steps that each may take
    struct cel_var vars[GEN_VARS];
    struct plain_var plain_vars[GEN_VARS];
    uint32_t joins[JOINS], join_parts[JOINS][3];
    struct world world;
};

// No attribute of a question is larger.
static const struct cel_sizes SIZES = {.items = 24, .inner = 24, .parts = 2400, .bytes = 40, .text = 15000};

static struct {
    uint64_t cases, errors, refused, written, out_of_steps, steps, differences;
} total;

// ---- One condition in a program of its own: for making a difference small
// -------------------------------------------

static enum pdp_err add(struct cel_program *program, struct str text, const struct cel_var *vars,
                        size_t count, uint32_t *expr)
{
    struct diags diags;
    struct cel_text source = {.text = text};
    diags_init(&diags, 4);
    enum pdp_err err = cel_add(program, &source, CEL_DYN, vars, count, 0, &diags, expr);
    if (err != PDP_ERR_OK && getenv("PDP_DIFF_REFUSED") != NULL) {
        struct buf out = {0};
        diags_render(&diags, &out);
        printf("refused: " STR_FMT "\n  " STR_FMT, STR_ARG(text), STR_ARG(buf_view(&out)));
        buf_fini(&out);
    }
    diags_fini(&diags);
    return err;
}

static enum pdp_err add_vars(struct cel_program *program, struct batch *b, struct cel_var *vars)
{
    for (uint32_t i = 0; i < GEN_VARS; i++) {
        vars[i].name = b->plain_vars[i].name;
        TRY(add(program, b->var_texts[i], vars, i, &vars[i].expr));
    }
    return PDP_ERR_OK;
}

static struct value plain_run(struct batch *b, const struct tree *tree)
{
    struct plain p = {&b->world, &b->values, b->plain_vars, GEN_VARS};
    return plain_eval(&p, tree, NULL);
}

static enum pdp_err compiled_alone(struct batch *b, struct str text, struct cel_program **program,
                                   struct cel_frame **frame, struct value *out)
{
    struct cel_var vars[GEN_VARS];
    uint32_t expr = 0;
    struct cel_host host = world_host(&b->world);
    TRY(cel_program_new(&b->env, NULL, program));
    TRY(add_vars(*program, b, vars));
    TRY(add(*program, text, vars, GEN_VARS, &expr));
    TRY(cel_seal(*program));
    TRY(cel_frame_new(*program, frame));
    cel_begin(*frame, &host, &b->made, b->world.now_ms);
    *out = cel_run(*frame, expr);
    return PDP_ERR_OK;
}

static bool differs_alone(struct batch *b, struct str text, bool show)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    AUTO(cel_frame_free) struct cel_frame *frame = NULL;
    struct value got = {0};
    struct tree *tree = plain_parse(text, &b->trees);
    if (tree == NULL || compiled_alone(b, text, &program, &frame, &got) != PDP_ERR_OK) {
        return false;
    }
    struct value wanted = plain_run(b, tree);
    if (show) {
        struct buf out = {0};
        buf_str(&out, STR("  compiled "));
        value_print(&out, &got, 2000);
        buf_str(&out, STR("\n  plain    "));
        value_print(&out, &wanted, 2000);
        printf(STR_FMT "\n", STR_ARG(buf_view(&out)));
        buf_fini(&out);
    }
    return !plain_same(&got, &wanted);
}

// The smallest part in brackets that still differs.
static struct str smaller(struct batch *b, struct str text)
{
    for (size_t from = 0; from < text.len; from++) {
        int open = 0;
        for (size_t at = from; text.at[from] == '(' && at < text.len; at++) {
            open += text.at[at] == '(' ? 1 : text.at[at] == ')' ? -1 : 0;
            struct str part = str_sub(text, from, at + 1 - from);
            if (open == 0) {
                if (part.len < text.len && differs_alone(b, part, false)) {
                    return smaller(b, part);
                }
                break;
            }
        }
    }
    return text;
}

static void report(struct batch *b, struct str text, const struct value *got, const struct value *wanted)
{
    struct buf out = {0};
    if (++total.differences > SHOWN) {
        return;
    }
    buf_printf(&out, "difference: PDP_DIFF_SEED=%" PRIu64 "\n  %.*s\n  compiled ", b->seed, (int)text.len,
               text.at);
    value_print(&out, got, 2000);
    buf_str(&out, STR("\n  plain    "));
    value_print(&out, wanted, 2000);
    buf_byte(&out, '\n');
    for (uint32_t i = 0; i < GEN_VARS; i++) {
        buf_printf(&out, "  vars." STR_FMT " = %.*s\n", STR_ARG(b->plain_vars[i].name),
                   (int)b->var_texts[i].len, b->var_texts[i].at);
    }
    world_print(&b->world, &out);
    fwrite(out.at, 1, out.len, stdout);
    buf_fini(&out);
    if (differs_alone(b, text, false)) {
        text = smaller(b, text);
        printf("alone and smaller: %.*s\n", (int)text.len, text.at);
        differs_alone(b, text, true);
    } else {
        printf("alone it does not differ: something is shared or remembered that may not be\n");
    }
    fflush(stdout);
}

// ---- A batch: one program, many questions
// --------------------------------------------------------------------------

static bool write_exprs(struct batch *b)
{
    static const enum gen_type VAR_TYPES[GEN_VARS] = {GEN_BOOL, GEN_STRING, GEN_DYN, GEN_TEXTS};
    static const struct str VAR_NAMES[GEN_VARS] = {{"v0", 2}, {"v1", 2}, {"v2", 2}, {"v3", 2}};
    struct gen gen = {.chance = &b->chance, .arena = &b->trees};
    struct buf out = {0};
    while (gen.var_count < GEN_VARS) {
        uint32_t i = gen.var_count;
        buf_clear(&out);
        gen_expr(&gen, &out, VAR_TYPES[i], chance_below(&b->chance, 4));
        b->var_texts[i] = arena_str(&b->trees, buf_view(&out), NULL);
        b->plain_vars[i] = (struct plain_var){VAR_NAMES[i], plain_parse(b->var_texts[i], &b->trees)};
        total.written++;
        b->vars[i].name = VAR_NAMES[i];
        enum pdp_err err = add(b->program, b->var_texts[i], b->vars, i, &b->vars[i].expr);
        if (err != PDP_ERR_OK || b->plain_vars[i].tree == NULL) {
            total.refused++;
            continue;
        }
        gen.vars[i].name = VAR_NAMES[i];
        gen.vars[i].type = VAR_TYPES[i];
        gen.var_count++;
    }
    while (b->count < EXPRS) {
        enum gen_type type =
            chance_below(&b->chance, 3) > 0 ? GEN_BOOL : (enum gen_type)chance_below(&b->chance, GEN_COUNT);
        buf_clear(&out);
        gen_expr(&gen, &out, type, 1 + chance_below(&b->chance, 6));
        total.written++;
        if (add(b->program, buf_view(&out), b->vars, GEN_VARS, &b->exprs[b->count]) != PDP_ERR_OK) {
            total.refused++;
            continue;
        }
        b->texts[b->count] = arena_str(&b->trees, buf_view(&out), NULL);
        b->trees_of[b->count] = plain_parse(b->texts[b->count], &b->trees);
        if (b->trees_of[b->count] == NULL) {
            printf("the interpreter does not read %.*s\n", (int)out.len, (const char *)out.at);
            total.differences++;
            break;
        }
        b->count++;
    }
    buf_fini(&out);
    return b->count == EXPRS;
}

// Joined conditions are made of others that are there already: all of them, and none of any of them.
static enum pdp_err join(struct batch *b)
{
    for (uint32_t i = 0; i < JOINS; i++) {
        uint32_t parts[3];
        for (uint32_t k = 0; k < 3; k++) {
            b->join_parts[i][k] = chance_below(&b->chance, EXPRS);
            parts[k] = b->exprs[b->join_parts[i][k]];
        }
        TRY(cel_join(b->program, i % 2 == 0, parts, 3, &b->joins[i]));
        if (i >= 2) {
            TRY(cel_negate(b->program, b->joins[i], &b->joins[i]));
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err bound(struct batch *b)
{
    for (uint32_t i = 0; i < EXPRS; i++) {
        struct cel_bound bound;
        TRY(cel_bound(b->program, b->exprs[i], &SIZES, &bound));
        b->bounds[i] = bound.steps;
    }
    return PDP_ERR_OK;
}

static enum truth truth_of(const struct value *v)
{
    return v->kind != VALUE_BOOL ? TRUTH_UNSURE : v->as.b ? TRUTH_YES : TRUTH_NO;
}

static void compare_join(struct batch *b, uint32_t i, const enum truth *plain)
{
    bool every = i % 2 == 0, sure = true, settled = false;
    for (uint32_t k = 0; k < 3; k++) {
        enum truth is = plain[b->join_parts[i][k]];
        settled = settled || is == (every ? TRUTH_NO : TRUTH_YES);
        sure = sure && is != TRUTH_UNSURE;
    }
    bool yes = settled != every, decided = settled || sure;
    enum truth wanted = !decided ? TRUTH_UNSURE : yes != (i >= 2) ? TRUTH_YES : TRUTH_NO;
    enum truth got = cel_truth(b->frame, b->joins[i]);
    if (got != wanted) {
        printf("difference: PDP_DIFF_SEED=%" PRIu64 ": join %u is %d, not %d\n", b->seed, i, got, wanted);
        total.differences++;
    }
    total.cases++;
}

// What a value weighs, as SIZES has it.
static void weigh(const struct value *v, struct cel_sizes *sum)
{
    bool list = v->kind == VALUE_LIST, map = v->kind == VALUE_MAP;
    if (v->kind == VALUE_STRING) {
        sum->bytes = v->n > sum->bytes ? v->n : sum->bytes;
        sum->text += v->n;
    }
    for (uint32_t i = 0; i < v->n && (list || map); i++) {
        const struct value *part = list ? &v->as.list[i] : &v->as.map[i].value;
        sum->parts++;
        weigh(part, sum);
        bool holds = part->kind == VALUE_LIST || part->kind == VALUE_MAP;
        sum->inner = holds && part->n > sum->inner ? part->n : sum->inner;
        if (map) {
            weigh(&v->as.map[i].key, sum);
        }
    }
}

static bool fits(const struct value *v)
{
    struct cel_sizes sum = {0};
    weigh(v, &sum);
    bool holds = v->kind == VALUE_LIST || v->kind == VALUE_MAP;
    return (!holds || v->n <= SIZES.items) && sum.inner <= SIZES.inner && sum.parts <= SIZES.parts &&
           sum.bytes <= SIZES.bytes && sum.text <= SIZES.text;
}

static void within_bound(struct batch *b, uint32_t i, uint32_t before)
{
    uint32_t took = before - b->frame->steps;
    if (took > b->bounds[i]) {
        printf("PDP_DIFF_SEED=%" PRIu64 ": %u steps, not %" PRIu64 " at most: " STR_FMT "\n", b->seed, took,
               b->bounds[i], STR_ARG(b->texts[i]));
        total.differences++;
    }
    total.steps += took;
}

static bool compare(struct batch *b, uint32_t i, enum truth *plain)
{
    uint32_t before = b->frame->steps;
    struct value got = cel_run(b->frame, b->exprs[i]), wanted = plain_run(b, b->trees_of[i]);
    within_bound(b, i, before);
    plain[i] = truth_of(&wanted);
    total.cases++;
    total.errors += wanted.kind == VALUE_ERROR;
    if (got.kind == VALUE_ERROR && got.n == CEL_ERROR_BUDGET) {
        total.out_of_steps++;
        return false;
    }
    if (!plain_same(&got, &wanted)) {
        report(b, b->texts[i], &got, &wanted);
        return false;
    }
    return true;
}

static bool all_fit(const struct world *world)
{
    bool all = true;
    for (size_t i = 0; i < ATTR_COUNT + WORLD_ROOTS; i++) {
        all = all && fits(i < ATTR_COUNT ? &world->attrs[i] : &world->roots[i - ATTR_COUNT]);
    }
    return all;
}

static bool ask(struct batch *b)
{
    enum truth plain[EXPRS];
    struct cel_host host = world_host(&b->world);
    arena_reset(&b->world_arena);
    arena_reset(&b->made);
    world_make(&b->world, &b->chance, &b->world_arena);
    if (!all_fit(&b->world)) {
        printf("PDP_DIFF_SEED=%" PRIu64 ": a question is larger than SIZES\n", b->seed);
        total.differences++;
        return false;
    }
    cel_begin(b->frame, &host, &b->made, b->world.now_ms);
    uint32_t first = chance_below(&b->chance, EXPRS), step = 1 + 2 * chance_below(&b->chance, 8);
    step += step % 3 == 0 ? 2 : 0; // in another order each time: EXPRS is 2⁴·3
    step += step % 3 == 0 ? 2 : 0;
    for (uint32_t i = 0; i < EXPRS; i++) {
        arena_reset(&b->values);
        if (!compare(b, (first + i * step) % EXPRS, plain)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < JOINS; i++) {
        compare_join(b, i, plain);
    }
    return true;
}

static enum pdp_err run(struct batch *b)
{
    static const struct cel_limits LIMITS = {.steps = 1000000000};
    world_env(&b->env);
    TRY(cel_program_new(&b->env, &LIMITS, &b->program));
    if (!write_exprs(b)) {
        return PDP_ERR_OK;
    }
    TRY(join(b));
    TRY(bound(b));
    TRY(cel_seal(b->program));
    TRY(cel_frame_new(b->program, &b->frame));
    for (uint32_t i = 0; i < WORLDS && ask(b); i++) {
    }
    return PDP_ERR_OK;
}

static enum pdp_err run_seed(uint64_t seed)
{
    static struct batch b;
    b = (struct batch){.seed = seed, .chance = {.state = seed}};
    arena_init(&b.trees, 0, 0);
    arena_init(&b.world_arena, 0, 0);
    arena_init(&b.values, 0, 0);
    arena_init(&b.made, 0, 0);
    enum pdp_err err = run(&b);
    cel_frame_free(&b.frame);
    cel_program_free(&b.program);
    arena_fini(&b.trees);
    arena_fini(&b.world_arena);
    arena_fini(&b.values);
    arena_fini(&b.made);
    return err;
}

int main(void)
{
    uint64_t seeds[2], cases = diff_cases(3000000);
    size_t count = diff_seeds(seeds);
    printf("seeds %" PRIu64 " and %" PRIu64 "\n", seeds[0], seeds[1]);
    fflush(stdout);
    uint64_t round = 0;
    for (; diff_goes_on(total.cases, cases) && total.differences < SHOWN; round++) {
        enum pdp_err err = run_seed(seeds[round % count] + round / count);
        if (err != PDP_ERR_OK) {
            printf("PDP_DIFF_SEED=%" PRIu64 ": %s\n", seeds[round % count] + round / count,
                   pdp_err_text(err));
            return 1;
        }
        if (diff_once()) {
            break;
        }
    }
    printf("%" PRIu64 " cases, %" PRIu64 " of them errors, %" PRIu64 " of %" PRIu64
           " conditions refused, %" PRIu64 " out of steps, %" PRIu64 " differences\n",
           total.cases, total.errors, total.refused, total.written, total.out_of_steps, total.differences);
    printf("next seed %" PRIu64 "\n", seeds[0] + round / count);
    bool lively = total.refused * 3 < total.written && total.errors * 10 < total.cases * 9;
    return total.differences == 0 && lively ? 0 : 1;
}
