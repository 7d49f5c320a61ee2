// SPDX-License-Identifier: Apache-2.0
// A policy folder from a stranger: never a crash, never a silent refusal, and the index gives what looking at
// every rule gives.
#include "policy/schema.h"
#include "policy/set.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static const struct cel_root_decl ROOTS[] = {{{"subject", 7}, true, 0}, {{"resource", 8}, true, 1}};
static const struct cel_attr_decl ATTRS[] = {{{"now", 3}, CEL_TIMESTAMP, 2, NULL},
                                             {{"tenant", 6}, CEL_STRING, 3, NULL}};

// What is missing, mistyped or text depends on the name alone.
static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    (void)user;
    switch (slot->path.len % 4) {
    case 0:
        return false;
    case 1:
        *out = value_int(7);
        return true;
    case 2:
        *out = value_bool(true);
        return true;
    default:
        *out = value_str(slot->rest.len > 0 ? slot->rest : slot->path);
        return true;
    }
}

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    return policy_contains(user, set, value, 1000);
}

static bool proved(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms)
{
    (void)user;
    *until_ms = max_age_s;
    return strength % 2 == 1;
}

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    (void)user;
    *text = path; // any text will do
    return path.len % 2 == 0 ? PDP_ERR_OK : PDP_ERR_IO;
}

static void compare(const struct policy_result *a, const struct policy_result *b)
{
    check(a->effect == b->effect && a->code == b->code && a->first == b->first &&
          a->rule_count == b->rule_count);
    check(a->missing_count == b->missing_count && a->obligation_count == b->obligation_count);
    check(a->has_require == b->has_require && a->require_strength == b->require_strength);
    check(a->until_ms == b->until_ms && a->terminate_subject == b->terminate_subject);
    for (size_t i = 0; i < a->rule_count; i++) {
        check(a->rules[i] == b->rules[i]);
    }
}

static void ask(struct policy_set *set, struct policy_lists *lists, struct policy_scratch *scratch,
                struct cel_frame *frame)
{
    static const char *const PATHS[] = {"/a", "/a/b", "x", NULL};
    struct cel_host cel = {resolve, contains, lists};
    struct policy_host host = {.proved = proved};
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        AUTO(arena_fini) struct arena arena;
        struct policy_result with;
        struct policy_result without;
        struct policy_question question = {.action = str_of(i % 2 == 0 ? "GET" : NULL),
                                           .path = str_of(PATHS[i])};
        arena_init(&arena, 0, 0);
        cel_begin(frame, &cel, &arena, 1000);
        policy_decide(set, scratch, frame, &host, &question, &arena, 1000, &with);
        question.unindexed = true;
        cel_begin(frame, &cel, &arena, 1000);
        policy_decide(set, scratch, frame, &host, &question, &arena, 1000, &without);
        compare(&with, &without);
    }
}

// Each id once, in order, and no more than there are; each is found where its type fills.
static void walk(const struct policy_set *set, const struct policy_lists *lists, struct str type,
                 bool actions)
{
    struct entities_walk walk;
    struct entity one;
    struct str last = {0};
    size_t count = 0;
    entities_walk_begin(&walk, set, lists, type, actions, NULL, 0, (struct str){0});
    for (; entities_walk_next(&walk, &one); count++) {
        check(one.id.len > 0 && one.id.len <= ENTITIES_ID_MOST && (count == 0 || str_cmp(last, one.id) < 0));
        last = one.id;
    }
    check(count <= entities_count(set, lists, type, actions));
}

static void walk_all(const struct policy_set *set, const struct policy_lists *lists)
{
    for (uint32_t i = 0; i < set->entities.type_count; i++) {
        walk(set, lists, set->entities.types[i].name, false);
        walk(set, lists, set->entities.types[i].name, true);
    }
    walk(set, lists, STR("nobody"), true);
}

static void load(const struct conf_doc *docs, size_t count, struct arena *arena, struct diags *diags)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    AUTO(cel_frame_free) struct cel_frame *frame = NULL;
    AUTO(policy_scratch_free) struct policy_scratch *scratch = NULL;
    struct policy_names names;
    struct policy_set *set = NULL;
    AUTO(policy_lists_free) struct policy_lists *lists = NULL;
    enum pdp_err first = policy_names_read(docs, count, arena, diags, &names);
    struct cel_env env = {.roots = ROOTS,
                          .root_count = COUNT_OF(ROOTS),
                          .attrs = ATTRS,
                          .attr_count = COUNT_OF(ATTRS),
                          .sets = names.sets,
                          .set_count = names.set_count,
                          .levels = RISK_LEVEL_NAMES,
                          .level_count = RISK_LEVEL_COUNT,
                          .strengths = names.strengths,
                          .strength_count = names.strength_count};
    struct policy_schema schema;
    enum pdp_err declared = policy_schema_read(docs, count, arena, diags, &env, &schema);
    first = first != PDP_ERR_OK ? first : declared;
    struct policy_files files = {read_file, NULL};
    check(cel_program_new(&env, NULL, &program) == PDP_ERR_OK);
    enum pdp_err err = policy_set_read(docs, count, &names, program, &files, (struct hash_key){1, 2}, arena,
                                       diags, &lists, &set);
    check((set != NULL) == (err == PDP_ERR_OK));
    check((first == PDP_ERR_OK && err == PDP_ERR_OK) || diags->errors > 0);
    if (set == NULL || first != PDP_ERR_OK) {
        return;
    }
    check(cel_seal(program) == PDP_ERR_OK && policy_set_index(set, diags) == PDP_ERR_OK);
    check(cel_frame_new(program, &frame) == PDP_ERR_OK && policy_scratch_new(set, &scratch) == PDP_ERR_OK);
    ask(set, lists, scratch, frame);
    walk_all(set, lists);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct source source = {STR("fuzz.yaml"), {(const char *)bytes, len}};
    AUTO(arena_fini) struct arena arena;
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf words = {0};
    arena_init(&arena, 4096, 0);
    diags_init(&diags, 20);
    struct conf_doc *docs = NULL;
    size_t count = 0;
    if (conf_parse(&source, &arena, &diags, &docs, &count) == PDP_ERR_OK) {
        load(docs, count, &arena, &diags);
    }
    diags_render(&diags, &words);
    return 0;
}
