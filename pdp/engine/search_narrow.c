// SPDX-License-Identifier: Apache-2.0
// A search as conditions see it before any candidate is chosen: what may differ from one to the next is not
// known.
#include "engine/search_inner.h"

// What is searched is told but for its type; what comes of its session, address, device or past depends on
// whose it is, or is not looked up yet.
static const uint8_t OF_PART[ATTR_COUNTERS] = {
    [ATTR_SUBJECT_ID] = SEARCH_SUBJECT,       [ATTR_SUBJECT_PROPERTIES] = SEARCH_SUBJECT,
    [ROOT_SUBJECT] = SEARCH_SUBJECT,          [ATTR_RESOURCE_ID] = SEARCH_RESOURCE,
    [ATTR_RESOURCE_PATH] = SEARCH_RESOURCE,   [ATTR_RESOURCE_PROPERTIES] = SEARCH_RESOURCE,
    [ROOT_RESOURCE] = SEARCH_RESOURCE,        [ATTR_ACTION_NAME] = SEARCH_ACTION,
    [ATTR_ACTION_PROPERTIES] = SEARCH_ACTION, [ROOT_ACTION] = SEARCH_ACTION,
};

static bool is_of_all(uint32_t id)
{
    return id == ATTR_NOW || id == ATTR_TENANT || id == ATTR_GATEWAY || id == ATTR_SUBJECT_TYPE ||
           id == ATTR_RESOURCE_TYPE;
}

// Conditions on session and device are judged by what is believed of them.
static bool is_plain_context(const struct cel_slot_info *slot)
{
    struct str first = str_sub(slot->rest, 0, str_find_byte(slot->rest, '.', 0));
    return slot->id == ROOT_CONTEXT && slot->rest.len > 0 && !str_eq(first, STR("session")) &&
           !str_eq(first, STR("device"));
}

static bool is_fixed(const struct ask *ask, const struct cel_slot_info *slot)
{
    enum search_part part = slot->id < ATTR_COUNTERS ? (enum search_part)OF_PART[slot->id] : SEARCH_NONE;
    return (part != SEARCH_NONE && part != ask->searched) || is_of_all(slot->id) || is_plain_context(slot);
}

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    const struct ask *ask = user;
    if (is_fixed(ask, slot)) {
        return ask_resolve(user, slot, out);
    }
    *out = (struct value){
        .kind = VALUE_ERROR, .n = CEL_ERROR_SAID, .as.text = "it differs from candidate to candidate"};
    return true;
}

// Ids are what rules about paths see, unless they are paths that may be written in other ways: those of
// documents are canonical, those of Lists may be anything.
static bool is_by_path(const struct searching *s)
{
    struct str name = s->search.request.resource_type;
    const struct entities_type *type = entities_type_of(s->snapshot->policies, name);
    return !str_eq(name, STR("route")) || type == NULL || type->list_count == 0;
}

void search_narrow(struct searching *s, struct narrowed *out)
{
    struct worker *worker = s->worker;
    const struct request *request = &s->search.request;
    struct ask ask = {.worker = worker,
                      .snapshot = s->snapshot,
                      .peer = s->peer,
                      .request = request,
                      .table = worker->engine->sessions,
                      .controls = worker->controls,
                      .searched = s->search.part,
                      .now_ms = s->now_ms,
                      .path = s->path};
    const struct cel_host host = {.resolve = resolve, .contains = ask_contains, .user = &ask};
    const struct narrow_ask narrow = {
        .part = s->search.part,
        .by_path = is_by_path(s),
        .action = request->action_name,
        .path = ask.path.len > 0 ? ask.path : request->resource_id,
        .muted = worker->mutes != NULL ? worker->mutes->rules : NULL,
        .now_ms = s->now_ms,
    };
    cel_begin(ask_frame(&ask), &host, &worker->arena, s->now_ms);
    policy_narrow(s->snapshot->policies, s->snapshot->scratch[worker->index].policy, ask_frame(&ask), &narrow,
                  &worker->arena, out);
}
