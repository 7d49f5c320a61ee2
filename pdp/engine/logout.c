// SPDX-License-Identifier: Apache-2.0
#include "engine/logout.h"

#include <stdio.h>

static bool refuse(struct event_result *out, enum pdp_code code, struct str why)
{
    *out = (struct event_result){.code = code, .why = why};
    return false;
}

bool logout_is_all(const struct ask *ask)
{
    const struct value *all = value_get(ask->request->event_properties, STR("all"));
    return ask->request->event == EVENT_LOGOUT && all != NULL && all->kind == VALUE_BOOL && all->as.b;
}

bool logout_read(const struct ask *ask, struct event_result *out)
{
    const struct value *all = value_get(ask->request->event_properties, STR("all"));
    if (ask->request->event != EVENT_LOGOUT || all == NULL || all->kind == VALUE_NULL) {
        return true;
    }
    if (all->kind != VALUE_BOOL) {
        return refuse(out, PDP_CODE_MALFORMED, STR("`properties.all` is true or false, of `logout` events"));
    }
    return !all->as.b || ask->request->session_id.len == 0 ||
           refuse(out, PDP_CODE_MALFORMED,
                  STR("a logout names one session, or says `properties.all`: leave one of them out"));
}

void logout_all(struct ask *ask, struct event_result *out)
{
    *out = (struct event_result){0};
    if (!ask->has_user) { // nowhere, for all that is known
        ask->user.last = ask->seen;
    }
    ask_cut(ask);
    struct session_delta delta = {.put_user = true, .lasting = true, .user = ask->user};
    if (session_commit(ask->table, &ask->held, &ask->key, &delta, ask->now_ms) != PDP_ERR_OK) {
        (void)refuse(out, PDP_CODE_OVERLOADED, STR("no room to remember the subject: send the event again"));
        return;
    }
    worker_await(ask->worker, ask->held.seq);
    out->recorded = true;
}

// ---- By the session's id alone -----------------------------------------------------------------------

// Ids are secrets, references are not: by one of those nobody ends a session here. And a tenant ends its own.
static bool may_end(const struct ask *ask, struct event_result *out)
{
    struct hash128 ref;
    struct session_view view;
    char tenant[sizeof view.tenant];
    if (session_ref_read(ask->request->session_id, &ref)) {
        return refuse(out, PDP_CODE_MALFORMED, STR("a reference is no session id"));
    }
    (void)snprintf(tenant, sizeof tenant, STR_FMT, STR_ARG(ask->request->tenant));
    bool others = session_look(ask->table, ask->request->session_id, &view) && view.subject_id[0] != '\0' &&
                  strcmp(view.tenant, tenant) != 0;
    return !others || refuse(out, PDP_CODE_FIXATION, STR("the session belongs to another tenant"));
}

void logout_by_id(struct ask *ask, struct event_result *out)
{
    struct str id = ask->request->session_id;
    struct session_view view;
    bool known = false;
    *out = (struct event_result){0};
    if (!may_end(ask, out)) {
        return;
    }
    if (session_end(ask->table, id, PDP_CODE_TERMINATED, ask->now_ms,
                    num_add_sat(ask->now_ms, LIFECYCLE_ADOPT_KEEP_MS), &view, &known) != PDP_ERR_OK) {
        (void)refuse(out, PDP_CODE_OVERLOADED,
                     STR("no room for another ended session: send the event again"));
        return;
    }
    worker_await(ask->worker, view.seq);
    worker_await_all(ask->worker); // where it was over before, that may not last yet
    out->recorded = true;
    if (session_look(ask->table, id, &view)) {
        ask->session = view.record;
        ask->has_session = true;
        session_ref_print(view.record.id, ask->ref);
    }
}
