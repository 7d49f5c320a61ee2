// SPDX-License-Identifier: Apache-2.0
// A quarantine that undoes: what the peer said since a time counts no longer, at once; then a scan in small
// steps that counts and lists what that is, and ends sessions where that is ordered.
#include "node/admin_ops.h"

#include "base/num.h"
#include "base/time.h"
#include "engine/quarantine.h"

enum {
    STEP_PAGES = 16, // of ADMIN_VIEWS records, of one turn of the loop
    STEP_USERS = 256
};

// ---- The scan --------------------------------------------------------------------------------------

static void end_one(struct admin *admin, struct admin_undo *job, const struct session_view *view,
                    int64_t now_ms)
{
    struct session_view was;
    bool known = false;
    enum pdp_err err = session_end(engine_sessions(admin->engine), str_of(view->ref), PDP_CODE_TERMINATED,
                                   now_ms, num_add_sat(now_ms, ADMIN_TOMBSTONE_MS), &was, &known);
    job->ended += err == PDP_ERR_OK;
    job->failed += err != PDP_ERR_OK && err != PDP_ERR_UNKNOWN; // unknown: forgotten meanwhile
    job->lost = job->lost || was.seq == UINT64_MAX;
}

static void note(struct admin *admin, struct admin_undo *job, const struct session_view *view,
                 const struct session_record *undone)
{
    bool began = (undone->undone & SESSION_UNDONE_AUTH) != 0;
    job->proofs += !began;
    job->begun += began && view->record.first_seen_ms >= job->since_ms;
    job->vouched += began && view->record.first_seen_ms < job->since_ms;
    job->administrators += began && admin_guards_subject(admin, str_of(view->subject_id));
    if (job->list_count < ADMIN_PREVIEW) {
        struct admin_listed *one = &job->list[job->list_count++];
        memcpy(one->ref, view->ref, sizeof one->ref);
        memcpy(one->subject, view->subject_id, sizeof one->subject - 1);
        one->subject[sizeof one->subject - 1] = '\0';
        one->began = began;
    }
}

static void look_at(struct admin *admin, struct admin_undo *job, const struct session_view *view,
                    int64_t now_ms)
{
    struct session_record copy = view->record;
    if (copy.state != SESSION_ACTIVE && copy.state != SESSION_CHALLENGED) {
        return;
    }
    copy.undone = 0; // of other peers
    uint8_t found = undo_session(&job->span, &copy);
    if (found != 0 && !job->ends) {
        note(admin, job, view, &copy);
    } else if ((found & SESSION_UNDONE_AUTH) != 0 && job->ends) {
        end_one(admin, job, view, now_ms);
    }
}

static void look_at_user(void *user, const struct user_record *record)
{
    struct admin_undo *job = user;
    struct user_record copy = *record;
    job->devices += undo_user(&job->span, &copy);
}

// true: there is more to scan.
static bool step(struct admin *admin, struct admin_undo *job, int64_t now_ms)
{
    struct session_table *table = engine_sessions(admin->engine);
    for (int i = 0; i < STEP_PAGES && !job->users; i++) {
        size_t count = session_list(table, &job->cursor, admin->views, COUNT_OF(admin->views));
        for (size_t k = 0; k < count; k++) {
            look_at(admin, job, &admin->views[k], now_ms);
        }
        job->users = job->cursor == 0;
    }
    if (job->users && !job->ends) {
        session_users(table, &job->cursor, STEP_USERS, look_at_user, job);
        return job->cursor != 0;
    }
    return !job->users;
}

// ---- Answers ---------------------------------------------------------------------------------------

static void put_list(struct emit *emit, const struct admin_undo *job)
{
    emit_key(emit, STR("sessions"));
    emit_list(emit, job->list_count);
    for (size_t i = 0; i < job->list_count; i++) {
        emit_map(emit, 3);
        emit_key_str(emit, "ref", str_of(job->list[i].ref));
        emit_key_str(emit, "subject", str_of(job->list[i].subject));
        emit_key_str(emit, "undone", job->list[i].began ? STR("authentication") : STR("proofs"));
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_answer(struct admin *admin, struct emit *emit, const struct admin_undo *job, const char *why,
                       struct node_now now)
{
    emit_map(emit, EMIT_FEW);
    emit_key_bool(emit, "ok", why == NULL);
    if (why != NULL) {
        emit_key_str(emit, "error", str_of(why));
    }
    emit_key_bool(emit, "dry_run", job->dry_run);
    emit_key_str(emit, "peer", (struct str){job->peer, job->peer_len});
    admin_time(emit, "undone_since", job->since_ms);
    admin_count(emit, "sessions_begun", job->begun);
    admin_count(emit, "sessions_vouched", job->vouched);
    admin_count(emit, "sessions_proved", job->proofs);
    admin_count(emit, "devices", job->devices);
    admin_count(emit, "ended", job->ended);
    if (job->administrators > 0) {
        admin_count(emit, "administrators", job->administrators);
    }
    put_list(emit, job);
    if (!job->dry_run) {
        admin_order_all(admin, emit, job->wait_ms, now);
    }
    emit_end(emit);
}

// Answers and frees the place; what was ordered waits for the disk.
static void finish(struct admin *admin, struct node *node, struct admin_undo *job, const char *why,
                   struct node_now now)
{
    const struct journal *journal = engine_journal(admin->engine);
    uint64_t awaits = journal != NULL && !job->dry_run ? journal_head(journal) : 0;
    struct buf answer = {0}, refusal = {0};
    struct emit emit;
    bool held = false;
    emit_init(&emit, job->form, &answer);
    put_answer(admin, &emit, job, why, now);
    if (job->lost || gate_holds(admin->gate, awaits)) {
        emit_init(&emit, job->form, &refusal);
        admin_fail(&emit, "it holds in memory and could not be written to the disk: a restart may forget it");
        held =
            !job->lost && !answer.failed && !refusal.failed &&
            gate_hold(admin->gate, job->ticket, awaits, buf_view(&answer), buf_view(&refusal)) == PDP_ERR_OK;
    }
    if (!held) {
        (void)node_complete(node, job->ticket, buf_view(refusal.len > 0 ? &refusal : &answer), now);
    }
    buf_fini(&answer);
    buf_fini(&refusal);
    job->busy = false;
}

// Why sessions are not ended as they were ordered to; NULL: they are. The quarantine holds all the same.
static const char *stops(const struct admin *admin, const struct admin_undo *job)
{
    const struct admin_bounds *bounds = &admin->host.bounds;
    const uint64_t count = job->begun + job->vouched;
    if (job->administrators > 0 && !job->lock_out) {
        return "the peer is in quarantine, and no session was ended: those of administrators are among them; "
               "say `lock_out: true` (pdpctl: `--yes-lock-out`) if it is meant";
    }
    if (bounds->two_persons > 0 && count > (uint64_t)bounds->two_persons) {
        return "the peer is in quarantine, and no session was ended: these are so many that a second analyst "
               "has to agree, as with `session terminate --gateway`";
    }
    bool many = bounds->confirm > 0 && count > (uint64_t)bounds->confirm;
    return many && (job->confirm < 0 || count > (uint64_t)job->confirm)
               ? "the peer is in quarantine, and no session was ended: these are many; say how many at most, "
                 "`confirm` (pdpctl: `--confirm N`)"
               : NULL;
}

bool admin_undo_work(struct admin *admin, struct node *node, struct node_now now)
{
    struct admin_undo *job = &admin->undo;
    if (!job->busy || step(admin, job, now.wall_ms)) {
        return job->busy;
    }
    const char *why = job->terminate && !job->ends && !job->dry_run ? stops(admin, job) : NULL;
    if (why == NULL && job->terminate && !job->ends && !job->dry_run) {
        job->ends = true;
        job->users = false;
        job->cursor = 0;
        return true;
    }
    if (job->failed > 0) {
        why = "not every session could be ended; none of them counts as authenticated";
    }
    finish(admin, node, job, why, now);
    return false;
}

// ---- The order ---------------------------------------------------------------------------------------

// Text, or milliseconds since 1970. 0: none is said; -1: it cannot be read.
static int64_t since_of(const struct admin_call *call)
{
    const struct value *since = value_get(call->root, STR("since"));
    int64_t seconds = 0;
    uint32_t nanos = 0;
    if (since == NULL || since->kind == VALUE_NULL) {
        return 0;
    }
    if (since->kind == VALUE_INT) {
        return since->as.i > 0 ? since->as.i : -1;
    }
    bool right =
        since->kind == VALUE_STRING && time_parse(value_text(since), &seconds, &nanos) && seconds > 0;
    return right ? num_mul_sat(seconds, TIME_MS_PER_S) : -1;
}

static const char *read_order(struct admin_call *call, struct admin_undo *job)
{
    const struct value *confirm = value_get(call->root, STR("confirm"));
    const int64_t now_ms = node_asking_now(call->asking).wall_ms, since_ms = since_of(call);
    *job = (struct admin_undo){.form = call->emit->form,
                               .since_ms = since_ms,
                               .wait_ms = admin_wait_of(call),
                               .dry_run = admin_true(call->root, "dry_run"),
                               .terminate = admin_true(call->root, "terminate"),
                               .lock_out = admin_true(call->root, "lock_out"),
                               .confirm = -1};
    if (confirm != NULL && (confirm->kind != VALUE_INT || confirm->as.i < 0)) {
        return "`confirm` is the number of sessions that may end at most";
    }
    job->confirm = confirm != NULL ? confirm->as.i : -1;
    if (since_ms < 0 || since_ms > now_ms || (since_ms > 0 && since_ms < now_ms - CONTROL_KEEP_MAX_MS)) {
        return "`since` is a time such as 2026-11-28T08:00:00Z, or milliseconds since 1970: not in the "
               "future, "
               "and at most 400 days ago";
    }
    if (since_ms == 0 && (job->terminate || job->dry_run)) {
        return "say `since` when: only what the peer said from then on is undone, listed or ended";
    }
    return admin_wait_right(call) ? NULL : ADMIN_WAIT_WRONG;
}

const char *admin_undo_read(struct admin_call *call, struct str peer, struct admin_undo *job)
{
    const char *wrong = read_order(call, job);
    if (wrong == NULL && job->since_ms > 0 && (call->admin->undo.busy || peer.len > sizeof job->peer)) {
        wrong = "another order of this kind is at work: wait for it";
    }
    if (wrong != NULL || job->since_ms == 0) {
        return wrong;
    }
    struct session_table *table = engine_sessions(call->admin->engine);
    memcpy(job->peer, peer.at, peer.len);
    job->peer_len = peer.len;
    job->span = (struct undo_span){.peer = session_hash(table, peer),
                                   .gateway = session_gateway(table, peer),
                                   .from_s = (uint32_t)(job->since_ms / TIME_MS_PER_S),
                                   .to_s = UINT32_MAX};
    return NULL;
}

// The order is in force by now, or asks only.
bool admin_undo_begin(struct admin_call *call, const struct admin_undo *job)
{
    struct admin_undo *place = &call->admin->undo;
    *place = *job;
    place->busy = node_park(call->asking, &place->ticket) == PDP_ERR_OK;
    call->outcome = place->busy ? NODE_PARKED : call->outcome;
    return place->busy;
}
