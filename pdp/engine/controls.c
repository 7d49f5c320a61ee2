// SPDX-License-Identifier: Apache-2.0
#include "engine/controls.h"

#include "engine/pardon.h"
#include "engine/undo.h"
#include "engine/where.h"
#include "engine/worker.h"
#include "session/control_row.h"
#include "session/journal.h"

#include <stdlib.h>

enum pdp_err engine_control_make(struct engine *engine, struct control *spec, struct control **out,
                                 const char **why)
{
    pthread_mutex_lock(&engine->controls_lock);
    spec->number = engine->control_last + 1;
    enum pdp_err err = control_new(engine->sessions, spec, out, why);
    engine->control_last += err == PDP_ERR_OK;
    if (err == PDP_ERR_OK) {
        (*out)->signal_bits = pardon_bits(spec->signals);
    }
    pthread_mutex_unlock(&engine->controls_lock);
    return err;
}

enum pdp_err engine_control_note(struct engine *engine, const struct control *control, bool erase,
                                 uint64_t *seq)
{
    struct journal *journal = engine_journal(engine);
    unsigned char key[CONTROL_ROW_KEY];
    struct buf value = {0};
    *seq = 0;
    if (journal == NULL) {
        return PDP_ERR_OK;
    }
    control_row_key(control->number, key);
    if (!erase) {
        control_row_write(control, &value);
    }
    const struct str number = {(const char *)key, sizeof key};
    const struct journal_row rows[] = {
        {.table = JOURNAL_CONTROLS, .erase = erase, .key = number, .value = buf_view(&value)},
        {.table = JOURNAL_CONTROLS, .key = STR(CONTROL_ROW_LAST), .value = number},
    };
    enum pdp_err err = value.failed ? PDP_ERR_NOMEM : journal_add(journal, rows, erase ? 1 : 2, true, seq);
    buf_fini(&value);
    return err;
}

// ---- Publishing: controls_lock is held -----------------------------------------------------------------

static void epoch_free(struct control_epoch **epoch)
{
    struct control_epoch *e = STEAL(*epoch);
    if (e != NULL) {
        for (size_t i = 0; i < COUNT_OF(e->mutes); i++) {
            free(e->mutes[i].rules);
            where_free(&e->mutes[i].where);
        }
        controls_free(&e->set);
        undo_free(&e->undo);
        free(e);
    }
}

static bool is_pinned(struct engine *engine, const struct control_epoch *epoch)
{
    for (size_t i = 0; i < ENGINE_WORKERS_MAX; i++) {
        if (engine->workers[i] != NULL && atomic_load(&engine->workers[i]->controls_pinned) == epoch) {
            return true;
        }
    }
    return false;
}

static void free_retired(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock); // of the workers' list
    for (struct control_epoch **at = &engine->controls_retired; *at != NULL;) {
        struct control_epoch *one = *at;
        if (is_pinned(engine, one)) {
            at = &one->next;
        } else {
            *at = one->next;
            epoch_free(&one);
        }
    }
    pthread_mutex_unlock(&engine->lock);
}

static const struct controls *serving(const struct engine *engine)
{
    const struct control_epoch *now = atomic_load(&engine->controls);
    return now != NULL ? now->set : NULL;
}

static uint32_t signal_bit(const struct snapshot *snapshot, struct str name)
{
    for (size_t i = 0; i < risk_signal_count(snapshot->risk); i++) {
        if (str_eq(risk_signal_name(snapshot->risk, i), name)) {
            return UINT32_C(1) << i;
        }
    }
    return 0;
}

// What mutes and conditions among controls mean for a snapshot. A name that it does not know mutes nothing of
// it.
static enum pdp_err resolve(const struct controls *set, const struct snapshot *snapshot,
                            struct control_mutes *out)
{
    for (size_t i = 0; snapshot != NULL && i < controls_count(set); i++) {
        const struct control_target *target = &controls_at(set, i)->target;
        if (!control_kind_mutes(target->kind)) {
            continue;
        }
        out->policies = snapshot->policies;
        out->geo = out->geo || target->kind == CONTROL_GEO;
        out->signals |= target->kind == CONTROL_SIGNAL ? signal_bit(snapshot, target->value) : 0;
        if (target->kind == CONTROL_RULE && out->rules == NULL) {
            out->rules = calloc(policy_rule_count(snapshot->policies) / 64 + 1, sizeof *out->rules);
            if (out->rules == NULL) {
                return PDP_ERR_NOMEM;
            }
        }
        if (target->kind == CONTROL_RULE) {
            (void)policy_rules_named(snapshot->policies, target->value, out->rules);
        }
    }
    if (snapshot != NULL) {
        TRY(where_new(set, snapshot, &out->where));
        out->policies = out->where != NULL ? snapshot->policies : out->policies;
    }
    return PDP_ERR_OK;
}

static void ready(struct engine *engine, struct control_epoch *epoch)
{
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < ENGINE_WORKERS_MAX; i++) {
        if (engine->workers[i] != NULL) {
            where_ready(epoch->mutes[0].where, i);
            where_ready(epoch->mutes[1].where, i);
        }
    }
    pthread_mutex_unlock(&engine->lock);
}

enum pdp_err engine_mutes_of(struct engine *engine, const struct snapshot *snapshot,
                             struct control_mutes *out)
{
    *out = (struct control_mutes){0};
    pthread_mutex_lock(&engine->controls_lock);
    enum pdp_err err = resolve(serving(engine), snapshot, out);
    where_free(&out->where);
    pthread_mutex_unlock(&engine->controls_lock);
    return err;
}

// The snapshot that serves is not taken away while the lock is held.
static enum pdp_err resolve_all(struct engine *engine, const struct snapshot *next,
                                struct control_epoch *epoch)
{
    pthread_mutex_lock(&engine->lock);
    enum pdp_err err = resolve(epoch->set, atomic_load(&engine->current), &epoch->mutes[0]);
    pthread_mutex_unlock(&engine->lock);
    return err == PDP_ERR_OK ? resolve(epoch->set, next, &epoch->mutes[1]) : err;
}

void engine_controls_tell(struct engine *engine)
{
    const uint64_t epoch = atomic_fetch_add(&engine->controls_epoch, 1) + 1;
    (void)notices_add(engine->config.notices,
                      &(struct notice){.kind = NOTICE_CONTROLS_EPOCH, .controls_epoch = epoch});
}

// No control at all is no set at all, so that decisions have nothing to look at.
static enum pdp_err publish(struct engine *engine, struct control *const *controls, size_t count,
                            const struct snapshot *soon)
{
    const bool any = count > 0 || engine->undo != NULL;
    AUTO(epoch_free) struct control_epoch *next = any ? calloc(1, sizeof *next) : NULL;
    if (any) {
        if (next == NULL) {
            return PDP_ERR_NOMEM;
        }
        TRY(count > 0 ? controls_new(engine->sessions, controls, count, &next->set) : PDP_ERR_OK);
        TRY(undo_copy(engine->undo, &next->undo));
        TRY(resolve_all(engine, soon, next));
        ready(engine, next);
        next->epoch = atomic_load(&engine->controls_epoch) + 1;
    }
    struct control_epoch *old = atomic_exchange(&engine->controls, STEAL(next));
    engine_controls_tell(engine);
    if (old != NULL) {
        old->next = engine->controls_retired;
        engine->controls_retired = old;
    }
    free_retired(engine);
    return PDP_ERR_OK;
}

static struct control *control_of(const struct controls *set, size_t at)
{
    return (struct control *)(uintptr_t)controls_at(set, at); // only counted
}

static bool replaced(struct control *const *controls, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (controls[i]->number == number) {
            return true;
        }
    }
    return false;
}

// Those in force that `keep` keeps, and the given ones.
static enum pdp_err change(struct engine *engine,
                           bool (*keep)(const void *user, const struct control *control), const void *user,
                           struct control *const *more, size_t more_count)
{
    const struct controls *set = serving(engine);
    size_t count = 0, had = controls_count(set);
    struct control **all = calloc(had + more_count + 1, sizeof(struct control *));
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < had; i++) {
        struct control *control = control_of(set, i);
        if (keep(user, control) && !replaced(more, more_count, control->number)) {
            all[count++] = control;
        }
    }
    for (size_t i = 0; i < more_count; i++) {
        all[count++] = more[i];
    }
    enum pdp_err err = count == had && more_count == 0 ? PDP_ERR_OK : publish(engine, all, count, NULL);
    free(all);
    return err;
}

static bool keep_all(const void *user, const struct control *control)
{
    (void)user;
    (void)control;
    return true;
}

static bool keep_others(const void *number, const struct control *control)
{
    return control->number != *(const uint64_t *)number;
}

static bool keep_fresh(const void *now_ms, const struct control *control)
{
    return control->expires_ms > *(const int64_t *)now_ms;
}

// Mutes are by name, conditions in the words of a schema: both mean something else in each snapshot.
static enum pdp_err resolve_for(struct engine *engine, const struct snapshot *soon)
{
    const struct controls *set = serving(engine);
    bool mutes = false;
    struct control **all = calloc(controls_count(set) + 1, sizeof(struct control *));
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < controls_count(set); i++) {
        all[i] = control_of(set, i);
        mutes = mutes || all[i]->target.kind >= CONTROL_WHERE;
    }
    enum pdp_err err = mutes ? publish(engine, all, controls_count(set), soon) : PDP_ERR_OK;
    free(all);
    return err;
}

enum pdp_err engine_controls_undo(struct engine *engine, struct undo **undo)
{
    const struct controls *set = serving(engine);
    struct control **all = calloc(controls_count(set) + 1, sizeof(struct control *));
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < controls_count(set); i++) {
        all[i] = control_of(set, i);
    }
    struct undo *was = engine->undo;
    engine->undo = *undo;
    enum pdp_err err = publish(engine, all, controls_count(set), NULL);
    free(all);
    if (err != PDP_ERR_OK) {
        engine->undo = was;
        return err;
    }
    *undo = NULL;
    undo_free(&was);
    return PDP_ERR_OK;
}

void engine_controls_before(struct engine *engine, const struct snapshot *soon)
{
    pthread_mutex_lock(&engine->controls_lock);
    (void)!resolve_for(engine, soon); // memory is out: the mutes hold again with the next change
}

void engine_controls_after(struct engine *engine)
{
    pthread_mutex_unlock(&engine->controls_lock);
}

enum pdp_err engine_controls_add(struct engine *engine, struct control *const *controls, size_t count)
{
    pthread_mutex_lock(&engine->controls_lock);
    enum pdp_err err = count > 0 ? change(engine, keep_all, NULL, controls, count) : PDP_ERR_OK;
    pthread_mutex_unlock(&engine->controls_lock);
    return err;
}

enum pdp_err engine_control_remove(struct engine *engine, uint64_t number, struct control **was)
{
    *was = NULL;
    pthread_mutex_lock(&engine->controls_lock);
    const struct control *found = controls_get(serving(engine), number);
    enum pdp_err err = PDP_ERR_UNKNOWN;
    if (found != NULL) {
        struct control *held = (struct control *)(uintptr_t)found;
        atomic_fetch_add(&held->held, 1);
        err = change(engine, keep_others, &number, NULL, 0);
        if (err == PDP_ERR_OK) {
            *was = STEAL(held);
        }
        control_drop(&held);
    }
    pthread_mutex_unlock(&engine->controls_lock);
    return err;
}

// Where the journal takes no more, the rest stays for the next time.
static int64_t note_expired(struct engine *engine, int64_t now_ms)
{
    const struct controls *set = serving(engine);
    for (size_t i = 0; i < controls_count(set); i++) {
        const struct control *control = controls_at(set, i);
        uint64_t seq = 0;
        if (control->expires_ms <= now_ms && engine_control_note(engine, control, true, &seq) != PDP_ERR_OK) {
            return INT64_MIN;
        }
    }
    return now_ms;
}

void engine_controls_tidy(struct engine *engine, int64_t now_ms)
{
    pthread_mutex_lock(&engine->controls_lock);
    now_ms = note_expired(engine, now_ms);
    (void)change(engine, keep_fresh, &now_ms, NULL, 0); // memory is out: later
    free_retired(engine);
    pthread_mutex_unlock(&engine->controls_lock);
}

// ---- Looking -------------------------------------------------------------------------------------------

void engine_controls_each(struct engine *engine, uint64_t from,
                          bool (*each)(void *user, const struct control *control), void *user)
{
    pthread_mutex_lock(&engine->controls_lock);
    const struct controls *set = serving(engine);
    bool more = true;
    for (size_t i = 0; i < controls_count(set) && more; i++) {
        const struct control *control = controls_at(set, i);
        more = control->number < from || each(user, control);
    }
    pthread_mutex_unlock(&engine->controls_lock);
}

size_t engine_controls_count(struct engine *engine)
{
    pthread_mutex_lock(&engine->controls_lock);
    size_t count = controls_count(serving(engine));
    pthread_mutex_unlock(&engine->controls_lock);
    return count;
}

uint64_t engine_controls_epoch(const struct engine *engine)
{
    return atomic_load(&engine->controls_epoch);
}

void engine_controls_free(struct engine *engine)
{
    undo_free(&engine->undo);
    struct control_epoch *now = atomic_load(&engine->controls);
    epoch_free(&now);
    while (engine->controls_retired != NULL) {
        struct control_epoch *one = engine->controls_retired;
        engine->controls_retired = one->next;
        epoch_free(&one);
    }
}

bool engine_has_strength(struct engine *engine, struct worker *worker, struct str name)
{
    (void)engine;
    bool has = false;
    const struct snapshot *snapshot = worker_pin(worker);
    for (size_t i = 0; snapshot != NULL && i < snapshot->names.strength_count; i++) {
        has = has || str_eq(snapshot->names.strengths[i], name);
    }
    worker_unpin(worker);
    return has;
}

bool engine_knows(struct engine *engine, struct worker *worker, const struct control_target *target)
{
    (void)engine;
    const struct snapshot *snapshot = worker_pin(worker);
    bool knows = target->kind == CONTROL_GEO;
    if (snapshot != NULL && target->kind == CONTROL_SIGNAL) {
        knows = signal_bit(snapshot, target->value) != 0;
    } else if (snapshot != NULL && target->kind == CONTROL_RULE) {
        uint64_t *bits = calloc(policy_rule_count(snapshot->policies) / 64 + 1, sizeof *bits);
        knows = bits != NULL && policy_rules_named(snapshot->policies, target->value, bits);
        free(bits);
    }
    worker_unpin(worker);
    return knows;
}

bool engine_role_brings(struct engine *engine, struct worker *worker, struct str role, struct str other)
{
    (void)engine;
    bool brings = false;
    const struct snapshot *snapshot = worker_pin(worker);
    arena_reset(&worker->arena);
    struct value *list = ARENA_ARRAY(&worker->arena, struct value, 1);
    if (snapshot != NULL && list != NULL) {
        *list = value_str(role);
        struct value all = {.kind = VALUE_LIST, .n = 1, .as.list = list};
        bool whole = policy_roles_expand(snapshot->policies, &all, &worker->arena);
        brings = !whole; // memory is out: it may
        for (uint32_t i = 0; whole && i < all.n; i++) {
            brings = brings || value_is_text(&all.as.list[i], other);
        }
    }
    worker_unpin(worker);
    return brings;
}
