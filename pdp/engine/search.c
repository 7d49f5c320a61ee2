// SPDX-License-Identifier: Apache-2.0
#include "engine/search_inner.h"

#include "engine/answer.h"
#include "engine/record_inner.h"
#include "model/fault.h"
#include "model/path.h"

static struct str searched_type(const struct search *search)
{
    return search->part == SEARCH_SUBJECT ? search->request.subject_type : search->request.resource_type;
}

// ---- One candidate ------------------------------------------------------------------------------------

// The question that it would be, as a probe. A repeat it cannot be: the id is of the search.
static struct request request_of(const struct search *search, const struct entity *candidate)
{
    struct request request = search->request;
    struct str *places[] = {[SEARCH_SUBJECT] = &request.subject_id,
                            [SEARCH_RESOURCE] = &request.resource_id,
                            [SEARCH_ACTION] = &request.action_name};
    *places[search->part] = candidate->id;
    request.request_id = (struct str){0};
    request.probe = true;
    return request;
}

// With memory of its own, so that a thousand take no more than one.
static bool is_allowed(struct searching *s, const struct entity *candidate)
{
    struct worker *worker = s->worker;
    const struct arena message = worker->arena;
    const struct request request = request_of(&s->search, candidate);
    struct verdict verdict = {0};
    struct ask ask = {.worker = worker,
                      .snapshot = s->snapshot,
                      .peer = s->peer,
                      .request = &request,
                      .table = worker->engine->sessions,
                      .controls = worker->controls,
                      .candidate = candidate,
                      .searched = s->search.part,
                      .now_ms = s->now_ms};
    worker->arena = worker->side;
    arena_reset(&worker->arena);
    decide(&ask, &verdict);
    worker->side = worker->arena;
    worker->arena = message;
    worker->fault = (struct fault){0};
    s->lost = s->lost || verdict.code == PDP_CODE_OVERLOADED;
    return verdict.effect == PDP_EFFECT_ALLOW;
}

// ---- One page -------------------------------------------------------------------------------------------

static bool is_full(const struct searching *s)
{
    return s->found_count >= s->search.limit || s->looked >= SEARCH_LOOKS_MAX || s->bytes >= SEARCH_BYTES_MAX;
}

static void look(struct searching *s)
{
    struct entity candidate;
    while (!s->lost && entities_walk_next(&s->walk, &candidate)) {
        if (is_full(s)) {
            s->more = true;
            return;
        }
        s->looked++;
        s->last = candidate.id;
        if (is_allowed(s, &candidate)) {
            s->bytes += candidate.id.len + searched_type(&s->search).len;
            s->found[s->found_count++] = candidate;
        }
    }
}

static bool begin(struct searching *s)
{
    bool actions = s->search.part == SEARCH_ACTION;
    struct narrowed narrowed = {.all = true};
    s->found = ARENA_ARRAY(&s->worker->arena, struct entity, s->search.limit);
    if (s->found == NULL) {
        (void)fault_set(&s->worker->fault, "page.limit", "takes more memory than a search may");
        return false;
    }
    if (!s->worker->search_whole) {
        search_narrow(s, &narrowed);
    }
    entities_walk_begin(&s->walk, s->snapshot->policies, s->snapshot->lists, searched_type(&s->search),
                        actions, narrowed.all ? NULL : narrowed.ranges, narrowed.count, s->after);
    return true;
}

// ---- The answer -----------------------------------------------------------------------------------------

static void emit_result(struct emit *emit, const struct searching *s, const struct entity *found)
{
    emit_map(emit, EMIT_FEW);
    if (s->search.part == SEARCH_ACTION) {
        emit_key_str(emit, "name", found->id);
        if (found->properties != NULL) { // it is with these that it is allowed
            emit_key(emit, STR("properties"));
            emit_value(emit, found->properties);
        }
    } else {
        emit_key_str(emit, "type", searched_type(&s->search));
        emit_key_str(emit, "id", found->id);
    }
    emit_end(emit);
}

static void emit_page(struct emit *emit, const struct searching *s, struct str next)
{
    emit_key(emit, STR("page"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "next_token", next);
    emit_key_int(emit, "count", (int64_t)s->found_count);
    if (!s->more && s->after.at == NULL) {
        emit_key_int(emit, "total", (int64_t)s->found_count);
    }
    emit_end(emit);
}

static void emit_context(struct emit *emit, const struct searching *s)
{
    const struct request *request = &s->search.request;
    bool simulated = (s->peer->grants & GRANT_SIMULATE) != 0;
    if (!request->explain_full && request->request_id.len == 0 && !simulated) {
        return;
    }
    emit_key(emit, STR("context"));
    emit_map(emit, EMIT_FEW);
    if (request->explain_full) {
        emit_key_int(emit, "looked", (int64_t)s->looked);
        emit_key_int(emit, "of",
                     (int64_t)entities_count(s->snapshot->policies, s->snapshot->lists,
                                             searched_type(&s->search), s->search.part == SEARCH_ACTION));
        emit_key_str(emit, "snapshot", snapshot_digest(s->snapshot));
    }
    if (request->request_id.len > 0) {
        emit_key_str(emit, "request_id", request->request_id);
    }
    if (simulated) {
        emit_key_bool(emit, "simulated", true);
    }
    emit_end(emit);
}

static void emit_search(struct emit *emit, const struct searching *s, struct str next)
{
    emit_map(emit, SIZE_MAX);
    emit_key(emit, STR("results"));
    emit_list(emit, s->found_count);
    for (size_t i = 0; i < s->found_count; i++) {
        emit_result(emit, s, &s->found[i]);
    }
    emit_end(emit);
    emit_page(emit, s, next);
    emit_context(emit, s);
    emit_end(emit);
}

static void refuse(struct searching *s, enum pdp_code code, const char *why, struct emit *emit)
{
    const struct verdict verdict = {.code = code, .request_id = s->search.request.request_id};
    (void)fault_set(&s->worker->fault, "search", "%s", why);
    wire_refusal(emit, &verdict, &s->worker->fault);
    counter_add(&s->worker->counters.codes[code]);
}

// ---- One message ------------------------------------------------------------------------------------------

// What is wrong with the fixed part is wrong with every candidate, also where there is none.
static bool path_is_right(struct searching *s)
{
    const struct request *request = &s->search.request;
    const char *why = NULL;
    if (s->search.part == SEARCH_RESOURCE || !str_eq(request->resource_type, STR("route")) ||
        path_canonical(request->resource_id, &s->worker->arena, &s->path, &why) == PDP_ERR_OK) {
        return true;
    }
    (void)fault_set(&s->worker->fault, "resource.id", "not a plain path: %s",
                    why != NULL ? why : "no memory");
    return false;
}

static bool token_is_right(struct searching *s)
{
    if (s->search.token.at == NULL ||
        search_token_read(s->worker, s->peer, s->root, s->search.token, &s->after) == PDP_ERR_OK) {
        return true;
    }
    (void)fault_set(&s->worker->fault, "page.token",
                    "is of no earlier page of this very search: ask without it, and begin again");
    return false;
}

static bool answer(struct searching *s, struct emit *emit)
{
    struct str next = STR("");
    if (!begin(s)) {
        return false;
    }
    look(s);
    s->worker->looked = s->looked;
    if (s->lost) {
        refuse(s, PDP_CODE_OVERLOADED, "is not answered: out of memory", emit);
        return true;
    }
    if (s->more && search_token_make(s->worker, s->peer, s->root, s->last, &next) != PDP_ERR_OK) {
        refuse(s, PDP_CODE_OVERLOADED, "has more results than one page, and no token can be made", emit);
        return true;
    }
    counter_add(&s->worker->counters.searches);
    const struct record_searched record = {
        .search = &s->search, .looked = s->looked, .found = s->found_count, .more = s->more};
    record_search(s->worker, s->snapshot, s->peer, &record, s->now_ms);
    emit_search(emit, s, next);
    return true;
}

size_t worker_looked(const struct worker *worker)
{
    return worker->looked;
}

bool search_answer(struct worker *worker, struct snapshot *snapshot, const struct peer *peer,
                   const struct value *root, int64_t now_ms, struct emit *emit)
{
    struct searching s = {
        .worker = worker, .snapshot = snapshot, .peer = peer, .root = root, .now_ms = now_ms};
    enum pdp_err err = search_read(root, &worker->arena, &s.search, &worker->fault);
    if (err == PDP_ERR_NOMEM) {
        refuse(&s, PDP_CODE_OVERLOADED, "is not answered: out of memory", emit);
        return true;
    }
    if (err != PDP_ERR_OK || answer_may(worker, peer, s.search.request.tenant) != PDP_ERR_OK ||
        !path_is_right(&s) || !token_is_right(&s)) {
        return false;
    }
    if (!record_ready(worker)) {
        refuse(&s, PDP_CODE_OVERLOADED, "is not answered: the audit log is full", emit);
        return true;
    }
    if (!answer_ready(worker, snapshot)) {
        refuse(&s, snapshot == NULL ? PDP_CODE_STALE : PDP_CODE_OVERLOADED,
               snapshot == NULL ? "is not answered: no policies are loaded"
                                : "is not answered: out of memory",
               emit);
        return true;
    }
    return answer(&s, emit);
}
