// SPDX-License-Identifier: Apache-2.0
// Whole rule sets: read from YAML, compiled, indexed and asked, against every rule evaluated plainly. A case
// is a rule set asked once; PDP_DIFF_CASES and PDP_DIFF_SEED as in diff_cel.
#include "diff/diff.h"
#include "diff/loaded.h"
#include "diff/rules.h"
#include "policy/index.h"

enum {
    WORLDS = 8,
    SHOWN = 4
};

struct round {
    uint64_t seed;
    struct chance chance;
    struct arena arena, world_arena, values;
    struct buf yaml;
    struct loaded loaded;
    struct rules rules;
    struct world world;
};

static struct {
    uint64_t cases, sets, refused, differences, effects[PDP_EFFECT_COUNT];
    uint64_t parts, elements; // sets whose index has such keys
} total;

static bool named_so(const struct round *r, uint32_t number, uint32_t policy, uint32_t rule)
{
    char wanted[64];
    if (rule == r->rules.policies[policy].rule_count) {
        snprintf(wanted, sizeof wanted, "p%u/deny-unless-allow", policy);
    } else {
        snprintf(wanted, sizeof wanted, "p%u/r%u", policy, rule);
    }
    return str_eq(policy_rule_name(r->loaded.set, number), str_of(wanted));
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
        buf_printf(&out, " " STR_FMT, STR_ARG(policy_rule_name(r->loaded.set, got->rules[i])));
    }
    buf_printf(&out, " (%u, %lld)\nplain    %s by", got->require_strength, (long long)got->require_max_age_s,
               pdp_effect_name(wanted->effect));
    for (size_t i = 0; i < wanted->rule_count; i++) {
        buf_printf(&out, " p%u/r%u", wanted->rules[i].policy, wanted->rules[i].rule);
    }
    buf_printf(&out, " (%u, %lld)\n", wanted->require_strength, (long long)wanted->require_max_age_s);
    for (size_t i = 0; i < r->rules.file_count; i++) {
        buf_printf(&out, "# %s from byte %zu\n", r->rules.files[i].name, r->rules.files[i].from);
    }
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

static bool ask(struct round *r)
{
    struct rules_verdict wanted;
    struct policy_result got, all;
    arena_reset(&r->world_arena);
    arena_reset(&r->values);
    world_make(&r->world, &r->chance, &r->world_arena);
    r->world.shadow = chance_below(&r->chance, 2) == 0;
    rules_judge(&r->rules, &r->world, &r->values, text_or_none(&r->world.attrs[ATTR_ACTION_NAME]),
                text_or_none(&r->world.attrs[ATTR_RESOURCE_ID]), &wanted);
    loaded_decide(&r->loaded, false, &got);
    total.cases++;
    total.effects[wanted.effect]++;
    if (!agrees(r, &got, &wanted)) {
        loaded_decide(&r->loaded, true, &all);
        report(r, &got, &wanted, !agrees(r, &all, &wanted));
        return false;
    }
    return true;
}

// The runs are worth little where no rule lies under the keys in question.
static void count_keys(const struct index *index)
{
    bool parts = false, elements = false;
    for (size_t i = 0; i < index->dim_count; i++) {
        parts = parts || index->dims[i].part_lengths != 0;
        elements = elements || index->dims[i].elements;
    }
    total.parts += parts;
    total.elements += elements;
}

static void run(struct round *r)
{
    rules_write(&r->rules, &r->chance, &r->arena, &r->yaml);
    total.sets++;
    struct str files[RULES_FILES];
    const char *paths[RULES_FILES];
    for (size_t i = 0; i < r->rules.file_count; i++) {
        size_t end = i + 1 < r->rules.file_count ? r->rules.files[i + 1].from : r->yaml.len;
        files[i] = str_sub(buf_view(&r->yaml), r->rules.files[i].from, end - r->rules.files[i].from);
        paths[i] = r->rules.files[i].name;
    }
    r->loaded.paths = paths;
    r->loaded.world = &r->world;
    r->loaded.seed = r->seed;
    enum pdp_err err = loaded_read(&r->loaded, files, r->rules.file_count, NULL, 0);
    if (r->rules.failed) {
        printf("PDP_DIFF_SEED=%" PRIu64 ": the interpreter does not read a condition\n", r->seed);
        total.differences++;
    } else if (err != PDP_ERR_OK) {
        if (getenv("PDP_DIFF_REFUSED") != NULL) {
            struct buf out = {0};
            diags_render(&r->loaded.diags, &out);
            printf("%s\n" STR_FMT, pdp_err_text(err), STR_ARG(buf_view(&out)));
            buf_fini(&out);
        }
        total.refused++;
    } else {
        count_keys(r->loaded.set->by_rule);
    }
    for (uint32_t i = 0; err == PDP_ERR_OK && !r->rules.failed && i < WORLDS && ask(r); i++) {
    }
}

static void run_seed(uint64_t seed)
{
    static struct round r;
    r = (struct round){.seed = seed, .chance = {.state = seed * 7 + 3, .lengthy = true}};
    arena_init(&r.arena, 0, 0);
    arena_init(&r.world_arena, 0, 0);
    arena_init(&r.values, 0, 0);
    run(&r);
    loaded_fini(&r.loaded);
    buf_fini(&r.yaml);
    arena_fini(&r.arena);
    arena_fini(&r.world_arena);
    arena_fini(&r.values);
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
    uint64_t round = 0;
    for (; diff_goes_on(total.cases, cases) && total.differences < SHOWN &&
           total.refused < 100 + total.sets / 2;
         round++) {
        run_seed(seeds[round % count] + round / count);
        if (diff_once()) {
            break;
        }
    }
    printf("%" PRIu64 " cases of %" PRIu64 " rule sets (%" PRIu64 " refused):", total.cases, total.sets,
           total.refused);
    for (int i = 0; i < PDP_EFFECT_COUNT; i++) {
        printf(" %" PRIu64 " %s,", total.effects[i], pdp_effect_name((enum pdp_effect)i));
    }
    printf(" %" PRIu64 " sets by parts of texts, %" PRIu64 " by elements, %" PRIu64 " differences\n",
           total.parts, total.elements, total.differences);
    printf("next seed %" PRIu64 "\n", seeds[0] + round / count);
    bool lively = diff_once() || (total.parts * 20 > total.sets && total.elements * 20 > total.sets);
    return total.differences == 0 && total.refused * 3 < total.sets * 2 && lively ? 0 : 1;
}
