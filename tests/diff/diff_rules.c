// SPDX-License-Identifier: Apache-2.0
// Whole rule sets: read from YAML, compiled, indexed and asked, against every rule evaluated plainly. A case
// is a rule set asked once; PDP_DIFF_CASES and PDP_DIFF_SEED as in diff_cel.
#include "diff/diff.h"
#include "diff/rules.h"

enum {
    WORLDS = 8,
    SHOWN = 4
};

struct round {
    uint64_t seed;
    struct chance chance;
    struct arena arena, world_arena, values, made;
    struct diags diags;
    struct buf yaml;
    struct source source;
    struct policy_names names;
    struct cel_env env;
    struct cel_program *program;
    struct policy_set *set;
    struct policy_lists *lists;
    struct cel_frame *frame;
    struct policy_scratch *scratch;
    struct rules rules;
    struct world world;
};

static struct {
    uint64_t cases, sets, refused, differences, effects[PDP_EFFECT_COUNT];
} total;

static enum pdp_err no_file(void *user, struct str path, struct str *text)
{
    (void)user, (void)path, (void)text;
    return PDP_ERR_IO;
}

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    struct round *r = user;
    return policy_contains(r->lists, set, value, r->world.now_ms);
}

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    struct round *r = user;
    return world_host(&r->world).resolve(&r->world, slot, out);
}

static bool is_proved(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms)
{
    struct round *r = user;
    (void)max_age_s;
    *until_ms = INT64_MAX;
    return (r->world.proved >> strength & 1) != 0;
}

static enum pdp_err load(struct round *r)
{
    struct conf_doc *docs = NULL;
    size_t count = 0;
    struct policy_files files = {no_file, NULL};
    r->source = (struct source){STR("p.yaml"), buf_view(&r->yaml)};
    TRY(conf_parse(&r->source, &r->arena, &r->diags, &docs, &count));
    TRY(policy_names_read(docs, count, &r->arena, &r->diags, &r->names));
    world_env(&r->env);
    r->env.sets = r->names.sets;
    r->env.set_count = r->names.set_count;
    r->env.strengths = r->names.strengths;
    r->env.strength_count = r->names.strength_count;
    static const struct cel_limits LIMITS = {.steps = 1000000000};
    TRY(cel_program_new(&r->env, &LIMITS, &r->program));
    TRY(policy_set_read(docs, count, &r->names, r->program, &files, (struct hash_key){r->seed, 2}, &r->arena,
                        &r->diags, &r->lists, &r->set));
    TRY(cel_seal(r->program));
    TRY(policy_set_index(r->set, &r->diags));
    TRY(policy_scratch_new(r->set, &r->scratch));
    return cel_frame_new(r->program, &r->frame);
}

static bool named_so(const struct round *r, uint32_t number, uint32_t policy, uint32_t rule)
{
    char wanted[64];
    if (rule == r->rules.policies[policy].rule_count) {
        snprintf(wanted, sizeof wanted, "p%u/deny-unless-allow", policy);
    } else {
        snprintf(wanted, sizeof wanted, "p%u/r%u", policy, rule);
    }
    return str_eq(policy_rule_name(r->set, number), str_of(wanted));
}

static bool agrees(const struct round *r, const struct policy_result *got, const struct rules_verdict *wanted)
{
    bool same = got->effect == wanted->effect && got->rule_count == wanted->rule_count &&
                got->has_require == wanted->has_require;
    same = same && (!wanted->has_require || (got->require_strength == wanted->require_strength &&
                                             got->require_max_age_s == wanted->require_max_age_s));
    for (size_t i = 0; same && i < wanted->rule_count; i++) {
        same = named_so(r, got->rules[i], wanted->rules[i].policy, wanted->rules[i].rule);
    }
    return same;
}

static void report(struct round *r, const struct policy_result *got, const struct rules_verdict *wanted,
                   bool unindexed)
{
    struct buf out = {0};
    total.differences++;
    buf_printf(&out, "difference: PDP_DIFF_SEED=%" PRIu64 "%s\n", r->seed,
               unindexed ? ", without the index too" : "");
    buf_printf(&out, "compiled %s by", pdp_effect_name(got->effect));
    for (size_t i = 0; i < got->rule_count; i++) {
        buf_printf(&out, " " STR_FMT, STR_ARG(policy_rule_name(r->set, got->rules[i])));
    }
    buf_printf(&out, " (%u, %lld)\nplain    %s by", got->require_strength, (long long)got->require_max_age_s,
               pdp_effect_name(wanted->effect));
    for (size_t i = 0; i < wanted->rule_count; i++) {
        buf_printf(&out, " p%u/r%u", wanted->rules[i].policy, wanted->rules[i].rule);
    }
    buf_printf(&out, " (%u, %lld)\n", wanted->require_strength, (long long)wanted->require_max_age_s);
    buf_str(&out, buf_view(&r->yaml));
    world_print(&r->world, &out);
    fwrite(out.at, 1, out.len, stdout);
    fflush(stdout);
    buf_fini(&out);
}

static struct str text_or_none(const struct value *v)
{
    return v->kind == VALUE_STRING ? value_text(v) : (struct str){NULL, 0};
}

static void decide(struct round *r, bool unindexed, struct policy_result *out)
{
    struct cel_host cel = {resolve, contains, r};
    struct policy_host host = {.proved = is_proved, .user = r};
    struct policy_question question = {.action = text_or_none(&r->world.attrs[ATTR_ACTION_NAME]),
                                       .path = text_or_none(&r->world.attrs[ATTR_RESOURCE_ID]),
                                       .unindexed = unindexed};
    cel_begin(r->frame, &cel, &r->made, r->world.now_ms);
    policy_decide(r->set, r->scratch, r->frame, &host, &question, &r->made, r->world.now_ms, out);
}

static bool ask(struct round *r)
{
    struct rules_verdict wanted;
    struct policy_result got, all;
    arena_reset(&r->world_arena);
    arena_reset(&r->values);
    arena_reset(&r->made);
    world_make(&r->world, &r->chance, &r->world_arena);
    rules_judge(&r->rules, &r->world, &r->values, text_or_none(&r->world.attrs[ATTR_ACTION_NAME]),
                text_or_none(&r->world.attrs[ATTR_RESOURCE_ID]), &wanted);
    decide(r, false, &got);
    total.cases++;
    total.effects[wanted.effect]++;
    if (!agrees(r, &got, &wanted)) {
        decide(r, true, &all);
        report(r, &got, &wanted, !agrees(r, &all, &wanted));
        return false;
    }
    return true;
}

static void run(struct round *r)
{
    rules_write(&r->rules, &r->chance, &r->arena, &r->yaml);
    total.sets++;
    enum pdp_err err = load(r);
    if (r->rules.failed) {
        printf("PDP_DIFF_SEED=%" PRIu64 ": the interpreter does not read a condition\n", r->seed);
        total.differences++;
    } else if (err != PDP_ERR_OK) {
        if (getenv("PDP_DIFF_REFUSED") != NULL) {
            struct buf out = {0};
            diags_render(&r->diags, &out);
            printf("%s\n" STR_FMT, pdp_err_text(err), STR_ARG(buf_view(&out)));
            buf_fini(&out);
        }
        total.refused++;
    }
    for (uint32_t i = 0; err == PDP_ERR_OK && !r->rules.failed && i < WORLDS && ask(r); i++) {
    }
}

static void run_seed(uint64_t seed)
{
    static struct round r;
    r = (struct round){.seed = seed, .chance = {seed * 7 + 3}};
    arena_init(&r.arena, 0, 0);
    arena_init(&r.world_arena, 0, 0);
    arena_init(&r.values, 0, 0);
    arena_init(&r.made, 0, 0);
    diags_init(&r.diags, 20);
    run(&r);
    policy_scratch_free(&r.scratch);
    cel_frame_free(&r.frame);
    cel_program_free(&r.program);
    policy_lists_free(&r.lists);
    diags_fini(&r.diags);
    buf_fini(&r.yaml);
    arena_fini(&r.arena);
    arena_fini(&r.world_arena);
    arena_fini(&r.values);
    arena_fini(&r.made);
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__)
    const uint64_t standard = 40000; // ten times slower
#else
    const uint64_t standard = 120000;
#endif
    uint64_t seeds[2], cases = diff_cases(standard);
    size_t count = diff_seeds(seeds);
    printf("seeds %" PRIu64 " and %" PRIu64 "\n", seeds[0], seeds[1]);
    fflush(stdout);
    for (uint64_t i = 0;
         total.cases < cases && total.differences < SHOWN && total.refused < 100 + total.sets / 2; i++) {
        run_seed(seeds[i % count] + i / count);
        if (getenv("PDP_DIFF_SEED") != NULL && getenv("PDP_DIFF_CASES") == NULL) {
            break;
        }
    }
    printf("%" PRIu64 " cases of %" PRIu64 " rule sets (%" PRIu64 " refused):", total.cases, total.sets,
           total.refused);
    for (int i = 0; i < PDP_EFFECT_COUNT; i++) {
        printf(" %" PRIu64 " %s,", total.effects[i], pdp_effect_name((enum pdp_effect)i));
    }
    printf(" %" PRIu64 " differences\n", total.differences);
    return total.differences == 0 && total.refused * 2 < total.sets ? 0 : 1;
}
