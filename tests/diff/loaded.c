// SPDX-License-Identifier: Apache-2.0
#include "diff/loaded.h"

static enum pdp_err no_file(void *user, struct str path, struct str *text)
{
    (void)user, (void)path, (void)text;
    return PDP_ERR_IO;
}

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    struct loaded *l = user;
    return policy_contains(l->lists, set, value, l->world->now_ms);
}

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    struct loaded *l = user;
    return world_host(l->world).resolve(l->world, slot, out);
}

// The world says what is proved, whatever its age.
static bool is_proved(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms)
{
    struct loaded *l = user;
    (void)max_age_s;
    *until_ms = INT64_MAX;
    return (l->world->proved >> strength & 1) != 0;
}

static enum pdp_err read_documents(struct loaded *l, const struct str *files, size_t file_count,
                                   struct conf_doc **out, size_t *out_count)
{
    static const char *const NAMES[LOADED_NAMED] = {"p0.yaml", "p1.yaml", "p2.yaml", "p3.yaml"};
    struct conf_doc *all = ARENA_ARRAY(&l->arena, struct conf_doc, 64);
    size_t total = 0;
    for (size_t i = 0; i < file_count; i++) {
        struct conf_doc *docs = NULL;
        size_t count = 0;
        l->sources[i] = (struct source){str_of(l->paths != NULL ? l->paths[i] : NAMES[i]), files[i]};
        TRY(conf_parse(&l->sources[i], &l->arena, &l->diags, &docs, &count));
        invariant(total + count <= 64);
        for (size_t k = 0; k < count; k++) {
            all[total++] = docs[k];
        }
    }
    *out = all;
    *out_count = total;
    return PDP_ERR_OK;
}

static enum pdp_err build(struct loaded *l, struct conf_doc *docs, size_t count)
{
    static const struct cel_limits LIMITS = {.steps = 1000000000};
    struct policy_files files = {no_file, NULL};
    TRY(policy_names_read(docs, count, &l->arena, &l->diags, &l->names));
    l->names.conditions = l->conditions;
    world_env(&l->env);
    l->env.sets = l->names.sets;
    l->env.set_count = l->names.set_count;
    l->env.strengths = l->names.strengths;
    l->env.strength_count = l->names.strength_count;
    TRY(cel_program_new(&l->env, &LIMITS, &l->program));
    return policy_set_read(docs, count, &l->names, l->program, &files, (struct hash_key){l->seed, 2},
                           &l->arena, &l->diags, &l->lists, &l->set);
}

enum pdp_err loaded_read(struct loaded *loaded, const struct str *files, size_t file_count,
                         const struct str *extra, size_t extra_count)
{
    struct conf_doc *docs = NULL;
    size_t count = 0;
    arena_init(&loaded->arena, 0, 0);
    arena_init(&loaded->made, 0, 0);
    diags_init(&loaded->diags, 20);
    invariant(file_count <= (loaded->paths != NULL ? LOADED_FILES : LOADED_NAMED) &&
              extra_count <= LOADED_EXTRA);
    TRY(read_documents(loaded, files, file_count, &docs, &count));
    TRY(build(loaded, docs, count));
    for (size_t i = 0; i < extra_count; i++) {
        struct cel_text text = {.text = extra[i]};
        TRY(cel_add(loaded->program, &text, CEL_BOOL, NULL, 0, 0, &loaded->diags, &loaded->extra[i]));
    }
    TRY(cel_seal(loaded->program));
    TRY(policy_set_index(loaded->set, &loaded->diags));
    TRY(policy_scratch_new(loaded->set, &loaded->scratch));
    return cel_frame_new(loaded->program, &loaded->frame);
}

void loaded_fini(struct loaded *loaded)
{
    policy_scratch_free(&loaded->scratch);
    policy_lists_free(&loaded->lists);
    cel_frame_free(&loaded->frame);
    cel_program_free(&loaded->program);
    diags_fini(&loaded->diags);
    arena_fini(&loaded->arena);
    arena_fini(&loaded->made);
}

static struct str text_or_none(const struct value *v)
{
    return v->kind == VALUE_STRING ? value_text(v) : (struct str){NULL, 0};
}

void loaded_decide(struct loaded *loaded, bool unindexed, struct policy_result *out)
{
    const struct world *world = loaded->world;
    struct policy_host host = {.proved = is_proved, .user = loaded};
    struct policy_question question = {.action = text_or_none(&world->attrs[ATTR_ACTION_NAME]),
                                       .path = text_or_none(&world->attrs[ATTR_RESOURCE_ID]),
                                       .unindexed = unindexed,
                                       .muted = loaded->muted,
                                       .shadow = world->shadow};
    loaded->host = (struct cel_host){resolve, contains, loaded}; // the frame keeps its address
    arena_reset(&loaded->made);
    cel_begin(loaded->frame, &loaded->host, &loaded->made, world->now_ms);
    policy_decide(loaded->set, loaded->scratch, loaded->frame, &host, &question, &loaded->made, world->now_ms,
                  out);
}

enum truth loaded_truth(struct loaded *loaded, size_t extra)
{
    struct value v = cel_run(loaded->frame, loaded->extra[extra]);
    return v.kind != VALUE_BOOL ? TRUTH_UNSURE : v.as.b ? TRUTH_YES : TRUTH_NO;
}
