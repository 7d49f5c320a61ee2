// SPDX-License-Identifier: Apache-2.0
// The audit log at the admin endpoint: what was asked here is recorded, and readers get the log's files.
#include "audit/files.h"
#include "node/admin_ops.h"

#include <stdio.h>

enum {
    READ_MOST = 64 * 1024,   // bytes of a file in one answer
    ANSWER_MOST = 256 * 1024 // of an answer that is looked into for what became of an order
};

// ---- Recording -------------------------------------------------------------------------------------------

// What was asked, without session ids: they are secrets, and `target` names the session by its reference.
static struct str args_text(struct admin_call *call, struct buf *out)
{
    const struct value *root = call->root;
    struct emit emit;
    emit_init(&emit, WIRE_CBOR, out);
    emit_map(&emit, SIZE_MAX);
    for (uint32_t i = 0; root->kind == VALUE_MAP && i < root->n; i++) {
        struct str key = value_text(&root->as.map[i].key);
        if (!str_eq(key, STR("session")) && !str_eq(key, STR("sessions")) && !str_eq(key, STR("op")) &&
            !str_eq(key, STR("reason"))) {
            emit_key(&emit, key);
            emit_value(&emit, &root->as.map[i].value);
        }
    }
    emit_end(&emit);
    return buf_view(out);
}

// Whose fields the arguments may hold: the subject's that they name, else the analyst's own.
static void put_user(const struct admin_call *call, struct str by, struct buf *out)
{
    struct str subject = admin_text(call->root, "subject"), type = admin_text(call->root, "subject_type");
    type = type.len > 0 ? type : admin_text(call->root, "type"); // of what is known of a user
    if (subject.len > 0) {
        buf_str(out, admin_text(call->root, "tenant"));
        buf_byte(out, '\0');
        buf_str(out, type.len > 0 ? type : STR("user"));
        buf_byte(out, '\0');
        buf_str(out, subject);
    } else {
        buf_put(out, "\0analyst\0", 9);
        buf_str(out, by);
    }
}

// Did it go well, by the answer that was given?
static bool went_well(struct admin_call *call, struct str answer, struct str *error)
{
    struct value root;
    struct fault why;
    *error = (struct str){0};
    if (answer.len > ANSWER_MOST || wire_decode_most(call->emit->form, answer, ANSWER_MOST,
                                                     &call->admin->arena, &root, &why) != PDP_ERR_OK) {
        return call->outcome == NODE_PARKED || answer.len > ANSWER_MOST;
    }
    const struct value *ok = value_get(&root, STR("ok"));
    *error = admin_text(&root, "error");
    return ok != NULL && ok->kind == VALUE_BOOL && ok->as.b;
}

void admin_record(struct admin_call *call, struct str op, bool read, struct str answer)
{
    AUTO(buf_fini) struct buf args = {0}, user = {0};
    struct str error;
    bool ok = went_well(call, answer, &error);
    struct str by = node_asking_peer(call->asking)->name;
    put_user(call, by, &user);
    struct record_order order = {
        .by = by,
        .op = op,
        .target = {call->target, strnlen(call->target, sizeof call->target)},
        .reason = admin_text(call->root, "reason"),
        .result = error,
        // Whoever was forgotten must not be named anew, under a new key, by the very order.
        .args = str_eq(op, STR("audit.forget")) ? (struct str){0} : args_text(call, &args),
        .user = buf_view(&user),
        .read = read,
        .ok = ok,
    };
    (void)worker_record_order(call->admin->worker, &order, node_asking_now(call->asking).wall_ms);
}

// ---- Status
// ------------------------------------------------------------------------------------------------

void admin_put_audit(const struct admin_status *status, struct emit *emit)
{
    const struct admin_audit *audit = &status->audit;
    if (!audit->on) {
        return;
    }
    emit_key(emit, STR("audit"));
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "name", str_of(audit->name));
    admin_count(emit, "records", audit->records);
    admin_count(emit, "signed", audit->signed_records);
    admin_count(emit, "first", audit->first);
    admin_count(emit, "segments", audit->segments);
    admin_count(emit, "coalesced", audit->coalesced);
    admin_count(emit, "lost", audit->lost);
    admin_count(emit, "refused", audit->refused);
    admin_count(emit, "sink_lost", audit->sink_lost);
    emit_key_bool(emit, "stalled", audit->stalled);
    emit_key_str(emit, "checkpoint", str_of(audit->note));
    emit_end(emit);
}

// ---- The files, for readers
// --------------------------------------------------------------------------------

static struct audit_source *source_of(struct admin_call *call)
{
    const struct admin_audit_host *host = &call->admin->host.audit;
    if (host->source.read == NULL) {
        admin_fail(call->emit,
                   "this daemon keeps no audit log; give it a state folder, or `audit:` in its file");
        return NULL;
    }
    return &call->admin->host.audit.source;
}

void admin_audit_list(struct admin_call *call)
{
    const struct audit_source *source = source_of(call);
    AUTO(audit_segments_fini) struct audit_segments segments = {0};
    if (source == NULL) {
        return;
    }
    enum pdp_err err = source->list(source->user, &segments);
    if (err != PDP_ERR_OK) {
        admin_fail(call->emit, pdp_err_text(err));
        return;
    }
    emit_map(call->emit, 2);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("segments"));
    emit_list(call->emit, segments.count);
    for (size_t i = 0; i < segments.count; i++) {
        emit_str(call->emit, str_of(segments.list[i].name));
    }
    emit_end(call->emit);
    emit_end(call->emit);
}

// Neither the keys that sign nor those of users.
static bool is_readable(const char *name)
{
    uint64_t first;
    bool packed;
    return strcmp(name, "hashes") == 0 || strcmp(name, "checkpoint") == 0 || strcmp(name, "vkeys") == 0 ||
           segment_name_read(name, &first, &packed);
}

void admin_audit_read(struct admin_call *call)
{
    const struct audit_source *source = source_of(call);
    const struct value *file = value_get(call->root, STR("file"));
    const struct value *offset = value_get(call->root, STR("offset"));
    char name[SEGMENT_NAME_BYTES];
    if (source == NULL) {
        return;
    }
    if (file == NULL || file->kind != VALUE_STRING || file->n >= sizeof name || offset == NULL ||
        offset->kind != VALUE_INT || offset->as.i < 0) {
        admin_fail(call->emit, "`file` is a name that `audit.list` gives, and `offset` a number");
        return;
    }
    snprintf(name, sizeof name, STR_FMT, STR_ARG(value_text(file)));
    size_t got = 0;
    char *bytes = arena_alloc(&call->admin->arena, READ_MOST, 1);
    enum pdp_err err = bytes == NULL ? PDP_ERR_NOMEM
                       : !is_readable(name)
                           ? PDP_ERR_MISSING
                           : source->read(source->user, name, (uint64_t)offset->as.i, bytes, READ_MOST, &got);
    emit_map(call->emit, 3);
    emit_key_bool(call->emit, "ok", err == PDP_ERR_OK || err == PDP_ERR_MISSING);
    emit_key_bool(call->emit, "missing", err == PDP_ERR_MISSING);
    emit_key(call->emit, STR("bytes"));
    emit_bytes(call->emit, (struct str){bytes, got});
    emit_end(call->emit);
}

void admin_audit_unseal(struct admin_call *call)
{
    const struct audit_source *source = source_of(call);
    const struct value *record = value_get(call->root, STR("record"));
    struct envelope envelope;
    AUTO(buf_fini) struct buf plain = {0};
    if (source == NULL) {
        return;
    }
    if (record == NULL || record->kind != VALUE_BYTES ||
        envelope_read(value_text(record), &envelope) != PDP_ERR_OK || !envelope.has_sealed) {
        admin_fail(call->emit, "`record` is the bytes of one that has a sealed part");
        return;
    }
    enum pdp_err err = source->unseal(source->user, &envelope, &plain);
    if (err != PDP_ERR_OK && err != PDP_ERR_MISSING) {
        admin_fail(call->emit, pdp_err_text(err));
        return;
    }
    emit_map(call->emit, 3);
    emit_key_bool(call->emit, "ok", true);
    emit_key_bool(call->emit, "forgotten", err == PDP_ERR_MISSING);
    emit_key(call->emit, STR("personal"));
    emit_bytes(call->emit, buf_view(&plain));
    emit_end(call->emit);
}

void admin_audit_forget(struct admin_call *call)
{
    const struct admin_audit_host *host = &call->admin->host.audit;
    AUTO(buf_fini) struct buf user = {0};
    size_t count = 0;
    if (source_of(call) == NULL) {
        return;
    }
    struct str reason = str_trim(admin_text(call->root, "reason"));
    if (admin_text(call->root, "subject").len == 0 || reason.len == 0 || reason.len > ADMIN_REASON_MAX) {
        admin_fail(call->emit, "`subject` and a `reason` of 1 to 500 bytes are required");
        return;
    }
    put_user(call, (struct str){0}, &user);
    enum pdp_err err = user.failed ? PDP_ERR_NOMEM : host->forget(host->user, buf_view(&user), &count);
    if (err != PDP_ERR_OK) {
        admin_fail(call->emit, pdp_err_text(err));
        return;
    }
    emit_map(call->emit, 2);
    emit_key_bool(call->emit, "ok", true);
    admin_count(call->emit, "keys", count);
    emit_end(call->emit);
}

void admin_audit_rotate(struct admin_call *call)
{
    const struct admin_audit_host *host = &call->admin->host.audit;
    if (source_of(call) == NULL) {
        return;
    }
    enum pdp_err err = host->rotate_key(host->user);
    if (err != PDP_ERR_OK) {
        admin_fail(call->emit, pdp_err_text(err));
        return;
    }
    emit_map(call->emit, 1);
    emit_key_bool(call->emit, "ok", true);
    emit_end(call->emit);
}
