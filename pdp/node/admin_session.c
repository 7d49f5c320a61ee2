// SPDX-License-Identifier: Apache-2.0
#include "node/admin_ops.h"

#include "base/ip.h"
#include "base/num.h"
#include "session/controls.h"

#include <stdio.h>

static const size_t LIMIT_DEFAULT = 100, LIMIT_MOST = 1000;
static const size_t LOOKS_MOST = 8192; // of one call, whatever the filter leaves: the next page goes on

static struct str c_text(const char *text, size_t size)
{
    return (struct str){text, strnlen(text, size)};
}

// ---- list and show -------------------------------------------------------------------------------

void admin_put_place(struct emit *emit, const struct sighting *at)
{
    if ((at->flags & SIGHT_HAS_IP) != 0) {
        struct buf ip = {0};
        ip_print(&ip, &at->ip);
        emit_key_str(emit, "ip", buf_view(&ip));
        buf_fini(&ip);
    }
    if (at->country != 0) {
        const char country[2] = {(char)(at->country >> 8), (char)(at->country & 0xff)};
        emit_key_str(emit, "country", (struct str){country, sizeof country});
    }
    if (at->asn != 0) {
        emit_key_int(emit, "asn", at->asn);
    }
}

// What a listing shows of a session; the map is the caller's to end.
static void put_view(struct emit *emit, const struct session_view *view)
{
    const struct session_record *record = &view->record;
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "ref", c_text(view->ref, sizeof view->ref));
    emit_key_str(emit, "tenant", c_text(view->tenant, sizeof view->tenant));
    emit_key_str(emit, "subject", c_text(view->subject_id, sizeof view->subject_id));
    emit_key_str(emit, "type", c_text(view->subject_type, sizeof view->subject_type));
    emit_key_str(emit, "state", str_of(session_state_name((enum session_state)record->state)));
    admin_time(emit, "first_seen", record->first_seen_ms);
    admin_time(emit, "last_seen", record->last_seen_ms);
    admin_time(emit, "auth_time", record->auth_time_ms);
    emit_key_int(emit, "epoch", record->epoch);
    emit_key_int(emit, "requests", record->requests);
    if (record->acr_len != 0 && record->acr_len <= sizeof record->acr) {
        emit_key_str(emit, "acr", (struct str){record->acr, record->acr_len});
    }
    admin_put_place(emit, &record->last);
    if (view->gateway.len != 0) {
        emit_key_str(emit, "gateway", view->gateway);
    }
}

bool admin_limit(const struct admin_call *call, size_t *limit)
{
    const struct value *v = value_get(call->root, STR("limit"));
    *limit = LIMIT_DEFAULT;
    if (v == NULL || v->kind == VALUE_NULL) {
        return true;
    }
    if (v->kind != VALUE_INT || v->as.i < 1) {
        return false;
    }
    *limit = v->as.i > (int64_t)LIMIT_MOST ? LIMIT_MOST : (size_t)v->as.i;
    return true;
}

// `after` is what `next` was.
bool admin_cursor(const struct admin_call *call, uint64_t *cursor)
{
    const struct value *v = value_get(call->root, STR("after"));
    *cursor = 0;
    if (v == NULL || v->kind == VALUE_NULL) {
        return true;
    }
    return v->kind == VALUE_STRING && str_to_u64(value_text(v), cursor);
}

void admin_put_next(struct emit *emit, uint64_t cursor)
{
    emit_key(emit, STR("next"));
    if (cursor == 0) {
        emit_null(emit);
        return;
    }
    struct buf text = {0};
    buf_printf(&text, "%llu", (unsigned long long)cursor);
    emit_str(emit, buf_view(&text));
    buf_fini(&text);
}

void admin_session_list(struct admin_call *call)
{
    size_t limit = 0;
    uint64_t cursor = 0;
    if (!admin_limit(call, &limit) || !admin_cursor(call, &cursor)) {
        admin_fail(call->emit, "`limit` is a number above 0, `after` what the last answer gave as `next`");
        return;
    }
    struct str subject = admin_text(call->root, "subject");
    struct session_view *views = call->admin->views;
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("sessions"));
    emit_list(call->emit, SIZE_MAX);
    size_t shown = 0, looked = 0;
    do {
        size_t most = limit - shown < ADMIN_VIEWS ? limit - shown : ADMIN_VIEWS;
        size_t count = session_list(engine_sessions(call->admin->engine), &cursor, views, most);
        for (size_t i = 0; i < count; i++) {
            if (subject.at == NULL ||
                str_eq(c_text(views[i].subject_id, sizeof views[i].subject_id), subject)) {
                put_view(call->emit, &views[i]);
                emit_end(call->emit);
                shown++;
            }
        }
        looked += most;
    } while (cursor != 0 && shown < limit && looked < LOOKS_MOST);
    emit_end(call->emit);
    admin_put_next(call->emit, cursor);
    emit_end(call->emit);
}

static void put_sighting(struct emit *emit, const char *key, const struct sighting *at)
{
    emit_key(emit, str_of(key));
    emit_map(emit, EMIT_FEW);
    admin_time(emit, "at", at->at_ms);
    admin_put_place(emit, at);
    emit_key_double(emit, "lat", at->lat_deg);
    emit_key_double(emit, "lon", at->lon_deg);
    emit_key_double(emit, "radius_km", at->radius_km);
    emit_end(emit);
}

// Since when it has its id; of an id that was replaced, by which and until when it was taken.
static void put_ids(struct emit *emit, const struct session_record *record)
{
    if (record->state != SESSION_ROTATED) {
        admin_time(emit, "id_since", record->id_since_ms != 0 ? record->id_since_ms : record->first_seen_ms);
        return;
    }
    char ref[32];
    session_ref_print(record->successor, ref);
    emit_key_str(emit, "replaced_by", str_of(ref));
    admin_time(emit, "replaced", record->rotated_ms);
    admin_time(emit, "overlap_until", record->overlap_until_ms);
    admin_time(emit, "keep_until", record->keep_until_ms);
}

static void put_family(struct admin_call *call, const struct session_record *record)
{
    char ref[32];
    control_family_print(engine_sessions(call->admin->engine), record, ref);
    emit_key_str(call->emit, "family", str_of(ref));
}

void admin_session_show(struct admin_call *call)
{
    struct str session = admin_text(call->root, "session");
    struct session_view *view = &call->admin->views[0];
    if (session.len == 0) {
        admin_fail(call->emit, "`session` is missing: an id, or a reference such as `s_5f0c…`");
        return;
    }
    if (!session_look(engine_sessions(call->admin->engine), session, view)) {
        admin_fail(call->emit, "this session is not known");
        return;
    }
    const struct session_record *record = &view->record;
    emit_map(call->emit, 2);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("session"));
    put_view(call->emit, view);
    emit_key_bool(call->emit, "issued", record->issued != 0);
    if (record->amr_len != 0 && record->amr_len <= sizeof record->amr) {
        emit_key_str(call->emit, "amr", (struct str){record->amr, record->amr_len});
    }
    put_sighting(call->emit, "anchor", &record->anchor);
    put_sighting(call->emit, "last", &record->last);
    if (record->state == SESSION_TERMINATED) {
        emit_key_str(call->emit, "end_code", str_of(pdp_code_name((enum pdp_code)record->end_code)));
        admin_time(call->emit, "ended", record->ended_ms);
        admin_time(call->emit, "keep_until", record->keep_until_ms);
    }
    put_ids(call->emit, record);
    put_family(call, record);
    emit_end(call->emit);
    emit_end(call->emit);
}

// ---- terminate -----------------------------------------------------------------------------------

// Session ids are secrets: what comes back is the reference. false: it was not ended.
static bool end_one(struct admin_call *call, struct str session, struct str reason)
{
    struct session_view *was = &call->admin->views[0];
    *was = (struct session_view){0};
    bool known = false;
    int64_t now_ms = node_asking_now(call->asking).wall_ms;
    enum pdp_err err = session_end(engine_sessions(call->admin->engine), session, PDP_CODE_TERMINATED, now_ms,
                                   num_add_sat(now_ms, ADMIN_TOMBSTONE_MS), was, &known);
    struct str ref = c_text(was->ref, sizeof was->ref);
    if (ref.len == 0 && err == PDP_ERR_UNKNOWN) { // only a reference can be unknown so
        ref = session;
    }
    snprintf(call->target, sizeof call->target, STR_FMT, STR_ARG(ref));
    emit_map(call->emit, EMIT_FEW);
    emit_key_str(call->emit, "session", ref);
    emit_key_str(call->emit, "ref", ref);
    emit_key_bool(call->emit, "known", known);
    if (known) {
        emit_key_str(call->emit, "was", str_of(session_state_name((enum session_state)was->record.state)));
    }
    if (err != PDP_ERR_OK) {
        emit_key_str(call->emit, "error", str_of(pdp_err_text(err)));
    }
    emit_end(call->emit);
    if (err == PDP_ERR_OK) {
        admin_await(call, was->seq);
        call->admin->host.ended(call->admin->host.user, node_asking_peer(call->asking), ref, reason);
    }
    return err == PDP_ERR_OK;
}

// The sessions of a terminate: one text, or a list of texts. NULL: neither.
static const struct value *targets_of(const struct admin_call *call, size_t *count)
{
    const struct value *one = value_get(call->root, STR("session"));
    const struct value *many = value_get(call->root, STR("sessions"));
    *count = 0;
    if (one != NULL && one->kind == VALUE_STRING && many == NULL) {
        *count = 1;
        return one;
    }
    if (one != NULL || many == NULL || many->kind != VALUE_LIST || many->n > ADMIN_SESSIONS_MAX) {
        return NULL;
    }
    *count = many->n;
    return many->as.list;
}

static bool targets_right(const struct value *targets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (targets[i].kind != VALUE_STRING || targets[i].n == 0 || targets[i].n > REQUEST_ID_MAX) {
            return false;
        }
    }
    return targets != NULL && count > 0;
}

void admin_session_terminate(struct admin_call *call)
{
    size_t count = 0;
    if (value_get(call->root, STR("target")) != NULL) {
        admin_target_terminate(call);
        return;
    }
    const struct value *targets = targets_of(call, &count);
    if (!targets_right(targets, count)) { // all are looked at before the first is ended
        admin_fail(call->emit, "`session` is an id or reference, or `sessions` a list of 1 to 1000 of them");
        return;
    }
    struct str reason;
    if (!admin_reason(call, &reason)) {
        return;
    }
    if (!admin_wait_right(call)) {
        admin_fail(call->emit, ADMIN_WAIT_WRONG);
        return;
    }
    struct str *refs = ARENA_ARRAY(&call->admin->arena, struct str, count);
    size_t ended = 0;
    bool ok = true;
    emit_map(call->emit, EMIT_FEW);
    emit_key(call->emit, STR("terminated"));
    emit_list(call->emit, count);
    for (size_t i = 0; i < count; i++) {
        bool over = end_one(call, value_text(&targets[i]), reason);
        ok = over && ok;
        if (over && refs != NULL) {
            refs[ended++] = arena_printf(&call->admin->arena, "%s", call->admin->views[0].ref);
        }
    }
    emit_end(call->emit);
    admin_order(call, refs, ended, refs == NULL);
    emit_key_bool(call->emit, "ok", ok);
    if (!ok) {
        emit_key_str(call->emit, "error", STR("not every session could be ended"));
    }
    emit_end(call->emit);
}
