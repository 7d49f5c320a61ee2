// SPDX-License-Identifier: Apache-2.0
#include "engine/shadow.h"

#include "engine/event.h"

#include <stdlib.h>

// ---- The world -----------------------------------------------------------------------------------

static struct shadow_world *world_new(uint64_t meaning, const struct engine_config *config)
{
    struct shadow_world *world = calloc(1, sizeof *world);
    if (world == NULL) {
        return NULL;
    }
    // No more sessions begin here than in the enforced world, which has limited them.
    struct session_table_config table = {.key = config->key, .sessions_max = config->sessions_max};
    if (session_table_new(&table, &world->sessions) != PDP_ERR_OK) {
        free(world);
        return NULL;
    }
    world->meaning = meaning;
    atomic_init(&world->since_ms, INT64_MIN);
    atomic_store(&world->held, 1);
    return world;
}

struct shadow_world *shadow_world_for(struct shadow_world *old, uint64_t meaning,
                                      const struct engine_config *config)
{
    if (old != NULL && old->meaning == meaning) {
        atomic_fetch_add(&old->held, 1);
        return old;
    }
    return world_new(meaning, config);
}

void shadow_world_drop(struct shadow_world **world)
{
    struct shadow_world *w = STEAL(*world);
    if (w != NULL && atomic_fetch_sub(&w->held, 1) == 1) {
        session_table_free(&w->sessions);
        free(w);
    }
}

// ---- One question --------------------------------------------------------------------------------

// What is younger than this world it would have had to see begin: where it does not know it, it was refused.
static void cut_seed(struct shadow_world *world, int64_t now_ms, struct shadow_seed *seed)
{
    int64_t since_ms = INT64_MIN;
    if (!atomic_compare_exchange_strong(&world->since_ms, &since_ms, now_ms)) {
        seed->known = seed->known && seed->session.first_seen_ms < since_ms;
        seed->has_user = seed->has_user && seed->user.first_seen_ms < since_ms;
    }
}

// The same question with what was found of its address and device; whatever is of a session is looked up
// anew.
static void enter(const struct ask *enforced, const struct verdict *said, struct ask *ask)
{
    *ask = *enforced;
    ask->table = enforced->snapshot->shadow->sessions;
    ask->seed = &enforced->worker->seed;
    cut_seed(enforced->snapshot->shadow, enforced->now_ms, &enforced->worker->seed);
    ask->enforced = said;
    ask->repeat = NULL;
    ask->room = NULL;
    ask->first_sight = false;
    ask->has_risk = false;
    ask->rotates = false;
    ask->reads_device = false;
    ask->lists_asked = 0;
    ask->score_read = false;
    ask_begin(ask);
    ask_hold(ask);
}

void shadow_count(const struct ask *ask, const struct policy_result *result, const struct verdict *out)
{
    struct snapshot *snapshot = ask->snapshot;
    for (size_t i = 0; i < result->rule_count && out->effect != ask->enforced->effect; i++) {
        if (policy_rule_shadows(snapshot->policies, result->rules[i])) {
            atomic_fetch_add_explicit(&snapshot->shadow_hits[result->rules[i]], 1, memory_order_relaxed);
        }
    }
}

void shadow_decide(const struct ask *enforced, struct verdict *out)
{
    struct ask ask;
    struct verdict verdict = {0};
    struct counters *counters = &enforced->worker->counters;
    enter(enforced, out, &ask);
    bool judged = decide_held(&ask, &verdict);
    ask_release(&ask);
    if (verdict.code == PDP_CODE_OVERLOADED || verdict.code == PDP_CODE_FIXATION) {
        counter_add(&counters->shadow_lost); // no room in the shadow world: nothing is known
        return;
    }
    out->shadow = (struct verdict_shadow){
        .judged = true,
        .effect = verdict.effect,
        .code = verdict.code,
        .rule = verdict.rule,
        .has_risk = judged,
        .score = verdict.score,
        .level = verdict.level,
    };
    counter_add(&counters->shadow[out->effect][verdict.effect]);
}

// The id changes here as well, whatever has become of the session here: one that is over must not begin again
// by it.
static void rotate(const struct ask *enforced, struct ask *ask)
{
    bool known = ask->held.session != NULL;
    const struct session_record was = known ? *ask->held.session : (struct session_record){0};
    const struct session_delta delta = {.put_session = true, .rotate = &enforced->rotation, .session = was};
    enum pdp_err err =
        known ? session_commit(ask->table, &ask->held, &ask->key, &delta, ask->now_ms) : PDP_ERR_OK;
    ask_release(ask);
    if (err == PDP_ERR_STATE && was.state == SESSION_TERMINATED) {
        struct session_view view;
        err = session_end(ask->table, enforced->next, (enum pdp_code)was.end_code, ask->now_ms,
                          was.keep_until_ms, &view, &known);
    }
    if (err != PDP_ERR_OK) {
        counter_add(&enforced->worker->counters.shadow_lost);
    }
}

void shadow_event(const struct ask *enforced)
{
    struct ask ask;
    struct event_result result;
    enter(enforced, NULL, &ask);
    if (enforced->request->event == EVENT_ROTATE) {
        rotate(enforced, &ask);
        return;
    }
    event_apply_held(&ask, &result);
    ask_release(&ask);
}

// ---- For people ------------------------------------------------------------------------------------

bool engine_shadows(struct engine *engine, struct worker *worker)
{
    (void)engine;
    const struct snapshot *snapshot = worker_pin(worker);
    bool shadows = snapshot != NULL && snapshot->shadow_meaning != 0;
    worker_unpin(worker);
    return shadows;
}

size_t engine_shadow_rules(struct engine *engine, struct worker *worker, uint32_t *cursor,
                           struct engine_shadow_rule *out, size_t most)
{
    (void)engine;
    size_t count = 0;
    const struct snapshot *snapshot = worker_pin(worker);
    size_t rules =
        snapshot != NULL && snapshot->shadow_hits != NULL ? policy_rule_count(snapshot->policies) : 0;
    for (; *cursor < rules && count < most; (*cursor)++) {
        if (!policy_rule_shadows(snapshot->policies, *cursor)) {
            continue;
        }
        struct engine_shadow_rule *rule = &out[count++];
        *rule = (struct engine_shadow_rule){.effect = policy_rule_effect(snapshot->policies, *cursor)};
        rule->hits = atomic_load_explicit(&snapshot->shadow_hits[*cursor], memory_order_relaxed);
        struct str name = str_sub(policy_rule_name(snapshot->policies, *cursor), 0, sizeof rule->name - 1);
        memcpy(rule->name, name.at, name.len);
    }
    worker_unpin(worker);
    return count;
}
