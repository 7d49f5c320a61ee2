// SPDX-License-Identifier: Apache-2.0
#include "engine/trial.h"

#include "engine/ask.h"
#include "engine/controls.h"

#include <math.h>
#include <stdlib.h>

enum {
    STEP = 64
};

#define BY_LIMIT (UINT32_MAX - 1)

struct said {
    enum pdp_effect effect;
    bool unsure;   // by what the record does not tell
    uint32_t rule; // that decided; BY_LIMIT; UINT32_MAX: none
};

struct trial {
    struct worker *worker;
    struct snapshot *next;
    struct trial_admins admins;
    bool ends_only;
    struct control_mutes mutes;                            // of `next`
    struct lately_question questions[TRIAL_QUESTIONS + 1]; // the first asks for nothing
    uint64_t cursor;
    struct session_view views[STEP];
    struct said after[TRIAL_QUESTIONS + 1], before[TRIAL_QUESTIONS + 1]; // of the session at hand
    struct trial_result result;
};

// ---- The questions -------------------------------------------------------------------------------------

static size_t length(const struct lately_question *question)
{
    return (size_t)question->action + question->type + question->id + question->path;
}

static bool same(const struct lately_question *a, const struct lately_question *b)
{
    return a->action == b->action && a->type == b->type && a->id == b->id && a->path == b->path &&
           memcmp(a->text, b->text, length(a)) == 0;
}

struct heard {
    struct lately_question question;
    uint32_t count;
};

static void hear(struct heard *all, size_t *count, size_t most, const struct lately_question *question)
{
    for (size_t i = 0; i < *count; i++) {
        if (same(&all[i].question, question)) {
            all[i].count++;
            return;
        }
    }
    if (*count < most) {
        all[(*count)++] = (struct heard){*question, 1};
    }
}

static void hear_worker(struct lately *lately, struct heard *all, size_t *count, size_t most)
{
    pthread_mutex_lock(&lately->lock);
    for (size_t i = 0; i < LATELY_MOST; i++) {
        if (lately->list[i].action != 0) {
            hear(all, count, most, &lately->list[i]);
        }
    }
    pthread_mutex_unlock(&lately->lock);
}

static int by_count(const void *a, const void *b)
{
    const struct heard *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : 0;
}

// Those that were heard most often.
static enum pdp_err find_questions(struct trial *trial)
{
    const size_t most = (size_t)LATELY_MOST * ENGINE_WORKERS_MAX;
    struct engine *engine = trial->worker->engine;
    struct heard *all = calloc(most, sizeof *all);
    size_t count = 0;
    if (all == NULL) {
        return PDP_ERR_NOMEM;
    }
    pthread_mutex_lock(&engine->lock); // of the workers' list
    for (size_t i = 0; i < ENGINE_WORKERS_MAX; i++) {
        if (engine->workers[i] != NULL && engine->workers[i]->lately != NULL) {
            hear_worker(engine->workers[i]->lately, all, &count, most);
        }
    }
    pthread_mutex_unlock(&engine->lock);
    qsort(all, count, sizeof *all, by_count);
    trial->result.questions = count < TRIAL_QUESTIONS ? count : TRIAL_QUESTIONS;
    for (size_t i = 0; i < trial->result.questions; i++) {
        trial->questions[1 + i] = all[i].question;
    }
    free(all);
    return PDP_ERR_OK;
}

// ---- Beginning and end ---------------------------------------------------------------------------------

enum pdp_err trial_new(struct worker *worker, struct snapshot *next, const struct trial_admins *admins,
                       bool ends_only, struct trial **out)
{
    *out = NULL;
    AUTO(trial_free) struct trial *trial = calloc(1, sizeof *trial);
    if (trial == NULL) {
        return PDP_ERR_NOMEM;
    }
    trial->worker = worker;
    trial->next = next;
    trial->admins = *admins;
    trial->ends_only = ends_only;
    trial->result.live = session_live(worker->engine->sessions);
    if (!snapshot_scratch_make(next->base, worker->index)) {
        return PDP_ERR_LIMIT;
    }
    TRY(engine_mutes_of(worker->engine, next, &trial->mutes));
    TRY(find_questions(trial));
    *out = STEAL(trial);
    return PDP_ERR_OK;
}

void trial_free(struct trial **trial_ptr)
{
    struct trial *trial = STEAL(*trial_ptr);
    if (trial != NULL) {
        free(trial->mutes.rules);
        free(trial);
    }
}

const struct trial_result *trial_result(const struct trial *trial)
{
    return &trial->result;
}

uint64_t trial_ends(const struct trial_result *result)
{
    if (result->looked == 0 || result->looked >= result->live) {
        return result->ends;
    }
    return (uint64_t)ceil((double)result->ends * (double)result->live / (double)result->looked);
}

// ---- One session, one question, one snapshot -------------------------------------------------------------

static void see(struct ask *ask)
{
    ask->seen = ask->session.last;
    ask->seen.at_ms = ask->now_ms;
    ask->place = (struct geo_place){.lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
    ask->has_ip = (ask->seen.flags & SIGHT_HAS_IP) != 0;
    ask->ip = ask->seen.ip;
    if (ask->has_ip && !(ask->worker->mutes != NULL && ask->worker->mutes->geo)) {
        geo_lookup(ask->snapshot->geo, ask->worker->geo_cache, &ask->ip, &ask->place);
        ask_network(ask, true);
    } else if (ask->has_ip) {
        ask_network(ask, false);
    }
}

// Rollouts by session or device hash what a record does not hold.
static bool sticky(void *user, enum policy_by by, uint64_t *key)
{
    return by == POLICY_BY_SUBJECT && ask_sticky(user, by, key);
}

// By a limit of its time. true: that is what is said.
static bool limit_says(const struct ask *ask, struct said *out)
{
    static const enum pdp_effect EFFECTS[] = {[ON_LIMIT_TERMINATE] = PDP_EFFECT_TERMINATE,
                                              [ON_LIMIT_DENY] = PDP_EFFECT_DENY,
                                              [ON_LIMIT_STEP_UP] = PDP_EFFECT_STEP_UP};
    if (ask->life.state == LIFE_ALIVE) {
        return false;
    }
    *out = (struct said){EFFECTS[ask->life.does], ask->life.does == ON_LIMIT_DENY, BY_LIMIT};
    return true;
}

static void judge(struct ask *ask, struct said *out)
{
    struct policy_result result = {0};
    const struct policy_host host = {.proved = ask_proved, .sticky = sticky, .user = ask};
    const struct policy_question question = {
        .action = ask->request->action_name,
        .path = ask->path.len > 0 ? ask->path : ask->request->resource_id,
        .muted = ask->worker->mutes != NULL ? ask->worker->mutes->rules : NULL};
    ask_score(ask, EVENT_NONE, -1, 0);
    policy_decide(ask->snapshot->policies, ask->snapshot->scratch[ask->worker->index].policy, ask_frame(ask),
                  &host, &question, &ask->worker->arena, ask->now_ms, &result);
    *out = (struct said){result.effect, result.code == PDP_CODE_UNSURE, result.first};
    // Of a session that no issuer has spoken of, each question says itself what was proved.
    out->unsure = out->unsure || (result.effect == PDP_EFFECT_STEP_UP && ask->session.issued == 0);
    if (ask->risk.deny && pdp_effect_rank(out->effect) < pdp_effect_rank(PDP_EFFECT_DENY)) {
        *out = (struct said){PDP_EFFECT_DENY, true, UINT32_MAX};
    }
}

static struct str part(const struct lately_question *question, size_t from, size_t len)
{
    return len > 0 ? (struct str){question->text + from, len} : (struct str){0};
}

// What a record leaves empty was not said.
static struct str known(struct str text)
{
    return text.len > 0 ? text : (struct str){0};
}

static void ask_one(struct trial *trial, struct snapshot *snapshot, const struct session_view *view,
                    const struct user_record *user, const struct lately_question *question, int64_t now_ms,
                    struct said *out)
{
    size_t type = question->action, id = type + question->type, path = id + question->id;
    const struct peer peer = {.name = known(view->gateway), .grants = GRANT_ALL};
    const struct request request = {.tenant = known(str_of(view->tenant)),
                                    .subject_type = str_of(view->subject_type),
                                    .subject_id = str_of(view->subject_id),
                                    .action_name = part(question, 0, question->action),
                                    .resource_type = part(question, type, question->type),
                                    .resource_id = part(question, id, question->id),
                                    .has_session = true,
                                    .has_auth_time = view->record.auth_time_ms != 0,
                                    .auth_time_ms = view->record.auth_time_ms};
    struct ask ask = {.worker = trial->worker,
                      .snapshot = snapshot,
                      .peer = &peer,
                      .request = &request,
                      .table = trial->worker->engine->sessions,
                      .now_ms = now_ms,
                      .path = part(question, path, question->path),
                      .has_session = true,
                      .known = true,
                      .has_user = true,
                      .session = view->record,
                      .user = *user};
    memcpy(ask.ref, view->ref, sizeof ask.ref);
    arena_reset(&trial->worker->arena);
    see(&ask);
    ask_begin(&ask);
    ask_believe(&ask);
    session_limits_of(snapshot->sessions, ask_frame(&ask), &ask.limits);
    ask.life = session_life(&ask.session, &ask.limits, now_ms);
    if (!limit_says(&ask, out)) {
        judge(&ask, out);
    }
}

// ---- What changes --------------------------------------------------------------------------------------

static void count_group(struct trial_groups *groups, const char *name, bool ends, bool tightens)
{
    struct trial_group *found = NULL;
    for (size_t i = 0; i < groups->count && found == NULL; i++) {
        found = strcmp(groups->list[i].name, name) == 0 ? &groups->list[i] : NULL;
    }
    if (found == NULL && groups->count < TRIAL_GROUPS) {
        found = &groups->list[groups->count++];
        struct str text = str_sub(str_of(name), 0, sizeof found->name - 1);
        memcpy(found->name, text.at, text.len);
    }
    found = found == NULL ? &groups->others : found;
    found->ends += ends;
    found->tightens += tightens;
}

static void keep_text(char *out, size_t size, struct str text)
{
    text = str_sub(text, 0, size - 1);
    if (text.len > 0) {
        memcpy(out, text.at, text.len);
    }
    out[text.len] = '\0';
}

static void rule_name(const struct snapshot *snapshot, const struct said *said, char out[static 260])
{
    struct str name = said->rule == BY_LIMIT     ? STR("(limits of time)")
                      : said->rule == UINT32_MAX ? STR("(no rule)")
                                                 : policy_rule_name(snapshot->policies, said->rule);
    keep_text(out, 260, name);
}

static void exemplify(struct trial_result *result, const struct session_view *view, const struct said *said,
                      const char *rule)
{
    if (result->example_count == TRIAL_EXAMPLES) {
        return;
    }
    struct trial_example *one = &result->examples[result->example_count++];
    memcpy(one->ref, view->ref, sizeof one->ref);
    keep_text(one->tenant, sizeof one->tenant, str_of(view->tenant));
    keep_text(one->subject_type, sizeof one->subject_type, str_of(view->subject_type));
    keep_text(one->subject_id, sizeof one->subject_id, str_of(view->subject_id));
    keep_text(one->gateway, sizeof one->gateway, view->gateway);
    keep_text(one->rule, sizeof one->rule, str_of(rule));
    one->effect = said->effect;
}

static bool administers(const struct trial_admins *admins, const struct session_view *view)
{
    const struct sighting *last = &view->record.last;
    for (size_t i = 0; i < admins->subject_count; i++) {
        if (str_eq(admins->subjects[i], str_of(view->subject_id))) {
            return true;
        }
    }
    for (size_t i = 0; (last->flags & SIGHT_HAS_IP) != 0 && i < admins->address_count; i++) {
        if (cidr_holds(&admins->addresses[i], &last->ip)) {
            return true;
        }
    }
    return false;
}

static void count_worse(struct trial *trial, const struct session_view *view, const struct said *said)
{
    struct trial_result *result = &trial->result;
    bool ends = said->effect == PDP_EFFECT_TERMINATE;
    char gateway[64], rule[260];
    rule_name(trial->next, said, rule);
    keep_text(gateway, sizeof gateway, view->gateway.len > 0 ? view->gateway : STR("(not known)"));
    bool admin = administers(&trial->admins, view);
    result->admin_ends += admin && ends;
    result->admin_tightens += admin && !ends;
    result->ends += ends;
    result->denies += said->effect == PDP_EFFECT_DENY;
    result->steps_up += said->effect == PDP_EFFECT_STEP_UP;
    count_group(&result->by_rule, rule, ends, !ends);
    count_group(&result->by_gateway, gateway, ends, !ends);
    count_group(&result->by_tenant, view->tenant, ends, !ends);
    count_group(&result->by_type, view->subject_type, ends, !ends);
    exemplify(result, view, said, rule);
}

// The first that ends; NULL: none.
static const struct said *ending(const struct said *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].effect == PDP_EFFECT_TERMINATE) {
            return &list[i];
        }
    }
    return NULL;
}

// Question by question, but for the first: what has neither action nor resource tells of ends alone.
static void compare(struct trial *trial, const struct session_view *view)
{
    const struct said *worst = NULL;
    bool looser = false, unsure = false;
    for (size_t i = 1; i <= trial->result.questions; i++) {
        const struct said *after = &trial->after[i], *before = &trial->before[i];
        int change = (int)pdp_effect_rank(after->effect) - (int)pdp_effect_rank(before->effect);
        bool told = !after->unsure && !before->unsure;
        unsure = unsure || (change != 0 && !told);
        looser = looser || (change < 0 && told);
        if (change > 0 && told &&
            (worst == NULL || pdp_effect_rank(after->effect) > pdp_effect_rank(worst->effect))) {
            worst = after;
        }
    }
    if (worst != NULL) {
        count_worse(trial, view, worst);
    } else {
        trial->result.unsure += unsure;
        trial->result.loosens += looser && !unsure;
    }
}

static void ask_all(struct trial *trial, struct snapshot *snapshot, const struct session_view *view,
                    const struct user_record *user, int64_t now_ms, struct said *out)
{
    for (size_t i = 0; i <= trial->result.questions; i++) {
        ask_one(trial, snapshot, view, user, &trial->questions[i], now_ms, &out[i]);
    }
}

// The record and its user as they are now. false: it is over meanwhile.
static bool look(struct trial *trial, struct session_view *view, struct user_record *user)
{
    struct session_table *table = trial->worker->engine->sessions;
    const struct session_key key = {
        .id = view->record.id, .subject = view->record.subject, .number = view->record.key};
    struct session_held held;
    session_hold(table, &key, &held);
    bool lives = held.found == SESSION_FOUND && !held.rotated && held.user != NULL &&
                 (held.session->state == SESSION_ACTIVE || held.session->state == SESSION_CHALLENGED);
    if (lives) {
        view->record = *held.session;
        *user = *held.user;
    }
    session_release(table, &held);
    // One that was cut off is over whatever is served.
    return lives &&
           (user->cutoff_s == 0 || view->record.auth_time_ms >= (int64_t)user->cutoff_s * TIME_MS_PER_S);
}

static void try_one(struct trial *trial, struct snapshot *serving, struct session_view *view, int64_t now_ms)
{
    struct worker *worker = trial->worker;
    struct user_record user;
    if ((view->record.state != SESSION_ACTIVE && view->record.state != SESSION_CHALLENGED) ||
        !look(trial, view, &user)) {
        return;
    }
    trial->result.looked++;
    const struct control_mutes *mutes = worker->mutes;
    worker->mutes = trial->mutes.policies != NULL ? &trial->mutes : NULL;
    ask_all(trial, trial->next, view, &user, now_ms, trial->after);
    worker->mutes = mutes;
    const struct said *ends = ending(trial->after, trial->result.questions + 1);
    if (ends == NULL && trial->ends_only) {
        return;
    }
    ask_all(trial, serving, view, &user, now_ms, trial->before);
    if (ends != NULL && ending(trial->before, trial->result.questions + 1) == NULL) {
        count_worse(trial, view, ends);
    } else if (!trial->ends_only) {
        compare(trial, view);
    }
}

bool trial_step(struct trial *trial, int64_t now_ms)
{
    struct worker *worker = trial->worker;
    size_t count = session_list(worker->engine->sessions, &trial->cursor, trial->views, STEP);
    struct snapshot *serving = worker_pin(worker);
    worker_pin_controls(worker, serving);
    bool ready = serving != NULL && snapshot_scratch_make(serving->base, worker->index);
    for (size_t i = 0; ready && i < count; i++) {
        try_one(trial, serving, &trial->views[i], now_ms);
    }
    worker_unpin(worker);
    return ready && trial->cursor != 0 && trial->result.looked < TRIAL_MOST;
}
