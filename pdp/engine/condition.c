// SPDX-License-Identifier: Apache-2.0
#include "engine/condition.h"

#include "engine/controls.h"
#include "engine/worker.h"

static struct place locate(void *user, uint32_t at, uint32_t len)
{
    return (struct place){user, at, len};
}

// What points into the source is told in `diags`, in whose memory it is.
static enum pdp_err add_named(struct cel_program *program, struct str name, struct str text, uint64_t *steps,
                              struct diags *diags, uint32_t *expr)
{
    struct source *source = ARENA_NEW(&diags->arena, struct source);
    bool ok = true;
    *expr = UINT32_MAX;
    if (source == NULL) {
        return PDP_ERR_NOMEM;
    }
    *source = (struct source){arena_str(&diags->arena, name, &ok), arena_str(&diags->arena, text, &ok)};
    if (!ok) {
        return PDP_ERR_NOMEM;
    }
    const struct cel_text where = {source->text, locate, source};
    uint64_t all = 0;
    uint32_t added = UINT32_MAX;
    TRY(cel_add(program, &where, CEL_BOOL, NULL, 0, 0, diags, &added));
    TRY(cel_bound_check(program, added, *steps, (struct place){source, 0, (uint32_t)source->text.len},
                        STR("the condition, with those of the other locks,"), diags, &all));
    *steps = all;
    *expr = added;
    return PDP_ERR_OK;
}

enum pdp_err condition_add(struct cel_program *program, struct str text, uint64_t *steps, struct diags *diags,
                           uint32_t *expr)
{
    return add_named(program, STR("--where"), text, steps, diags, expr);
}

// ---- Do they fit? ----------------------------------------------------------------------------------

struct fitting {
    struct cel_program *program;
    struct diags *diags;
    uint64_t steps;
    bool fits;
};

static bool add_one(void *user, const struct control *control)
{
    struct fitting *fitting = user;
    uint32_t expr = UINT32_MAX;
    if (control->target.kind == CONTROL_WHERE) {
        enum pdp_err err = add_named(fitting->program, control->name, control->target.value, &fitting->steps,
                                     fitting->diags, &expr);
        fitting->fits = fitting->fits && err == PDP_ERR_OK;
    }
    return true;
}

bool engine_conditions_fit(struct engine *engine, const struct snapshot *snapshot, struct diags *diags)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    struct fitting fitting = {.diags = diags, .fits = true};
    if (cel_program_new(&snapshot->env, NULL, &program) != PDP_ERR_OK) {
        return false;
    }
    fitting.program = program;
    engine_controls_each(engine, 0, add_one, &fitting);
    return fitting.fits;
}

static enum pdp_err check(struct engine *engine, const struct snapshot *snapshot, struct str text,
                          struct diags *diags, bool *always)
{
    AUTO(cel_program_free) struct cel_program *program = NULL;
    struct diags others;
    uint32_t expr = UINT32_MAX;
    if (snapshot == NULL) {
        return PDP_ERR_STATE;
    }
    TRY(cel_program_new(&snapshot->env, NULL, &program));
    diags_init(&others, 1);
    struct fitting fitting = {.program = program, .diags = &others, .fits = true};
    engine_controls_each(engine, 0, add_one, &fitting);
    diags_fini(&others);
    TRY(condition_add(program, text, &fitting.steps, diags, &expr));
    *always = cel_constant(program, expr) == TRUTH_YES;
    return PDP_ERR_OK;
}

enum pdp_err engine_condition_check(struct engine *engine, struct worker *worker, struct str text,
                                    struct diags *diags, bool *always)
{
    *always = false;
    enum pdp_err err = check(engine, worker_pin(worker), text, diags, always);
    worker_unpin(worker);
    return err;
}
