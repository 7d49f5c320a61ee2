// SPDX-License-Identifier: Apache-2.0
// Ending all sessions of a target: counted first, confirmed where they are many, by a second analyst where
// they are very many; then a cut-off, at once, and a scan in small steps that ends what the records can tell.
#include "node/admin_ops.h"

#include "base/num.h"
#include "engine/condition.h"
#include "engine/controls.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    STEP_PAGES = 16, // of ADMIN_VIEWS records, of one turn of the loop
    JOBS = 8,
    PENDING = 16
};
static const int64_t PENDING_MS = INT64_C(15) * 60 * 1000;

struct listed {
    char ref[32], subject[64];
};

struct job {
    struct control *control; // held; NULL: the place is free
    struct node_ticket ticket;
    enum wire_form form;
    bool dry_run, ends; // ends: the second scan
    bool lost;          // something could not be put into the journal
    int64_t confirm;    // so many may end; -1: nothing was said
    int64_t wait_ms;    // gateways are ordered to confirm; 0: they are not
    bool guards;        // it is not said that administrators are meant
    uint64_t cursor, counted, unsure, ended, failed, administrators;
    struct listed list[ADMIN_PREVIEW];
    size_t list_count;
};

// An order that waits for a second analyst.
struct pending {
    struct control *control; // NULL: the place is free
    uint64_t id, counted;
    int64_t expires_ms;
};

struct admin_jobs {
    struct job jobs[JOBS];
    struct pending pending[PENDING];
    uint64_t last;
};

enum pdp_err admin_jobs_new(struct admin_jobs **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

void admin_jobs_free(struct admin_jobs **jobs_ptr)
{
    struct admin_jobs *jobs = STEAL(*jobs_ptr);
    for (size_t i = 0; jobs != NULL && i < JOBS; i++) {
        control_drop(&jobs->jobs[i].control);
    }
    for (size_t i = 0; jobs != NULL && i < PENDING; i++) {
        control_drop(&jobs->pending[i].control);
    }
    free(jobs);
}

// ---- The scan --------------------------------------------------------------------------------------

static void note(struct job *job, const struct session_view *view)
{
    if (job->list_count < ADMIN_PREVIEW) {
        struct listed *one = &job->list[job->list_count++];
        memcpy(one->ref, view->ref, sizeof one->ref);
        memcpy(one->subject, view->subject_id, sizeof one->subject - 1);
        one->subject[sizeof one->subject - 1] = '\0';
    }
}

static void end_one(struct admin *admin, struct job *job, const struct session_view *view, int64_t now_ms)
{
    struct session_view was;
    bool known = false;
    enum pdp_err err = session_end(engine_sessions(admin->engine), str_of(view->ref), PDP_CODE_TERMINATED,
                                   now_ms, num_add_sat(now_ms, ADMIN_TOMBSTONE_MS), &was, &known);
    job->ended += err == PDP_ERR_OK;
    job->failed += err != PDP_ERR_OK && err != PDP_ERR_UNKNOWN; // unknown: forgotten meanwhile
    job->lost = job->lost || was.seq == UINT64_MAX;
}

// `scan` of a condition; NULL: of any other target, or there is no memory for it.
static enum truth is_meant(struct admin *admin, const struct control *control, struct condition_scan *scan,
                           const struct session_view *view)
{
    struct control_facts facts;
    control_facts_of(engine_sessions(admin->engine), view, &facts);
    if (control->target.kind != CONTROL_WHERE) {
        return control_names(engine_sessions(admin->engine), control, &facts);
    }
    enum truth rest = control_rest(control, &facts);
    enum truth truth = rest != TRUTH_NO && scan != NULL ? condition_scan_ask(scan, view) : TRUTH_UNSURE;
    return rest == TRUTH_NO || truth == TRUTH_NO     ? TRUTH_NO
           : rest == TRUTH_YES && truth == TRUTH_YES ? TRUTH_YES
                                                     : TRUTH_UNSURE;
}

// Does the order end it? A record that cannot tell is left for the next question, which can.
static void look_at(struct admin *admin, struct job *job, struct condition_scan *scan,
                    const struct session_view *view, int64_t now_ms)
{
    if (view->record.state == SESSION_TERMINATED || view->record.state == SESSION_ROTATED ||
        view->record.auth_time_ms >= job->control->before_ms) {
        return;
    }
    enum truth truth = is_meant(admin, job->control, scan, view);
    if (truth == TRUTH_YES && job->ends) {
        end_one(admin, job, view, now_ms);
    } else if (truth == TRUTH_YES) {
        job->counted++;
        job->administrators += admin_guards_subject(admin, str_of(view->subject_id));
        note(job, view);
    } else if (!job->ends) {
        job->unsure += truth == TRUTH_UNSURE;
    }
}

// true: there is more to scan.
static bool step(struct admin *admin, struct job *job, int64_t now_ms)
{
    AUTO(condition_scan_end) struct condition_scan *scan = NULL;
    if (job->control->target.kind == CONTROL_WHERE &&
        condition_scan_begin(admin->worker, job->control->target.value, now_ms, &scan) != PDP_ERR_OK) {
        job->failed++; // what is not looked at now ends as it is next seen
    }
    for (int i = 0; i < STEP_PAGES; i++) {
        size_t count =
            session_list(engine_sessions(admin->engine), &job->cursor, admin->views, COUNT_OF(admin->views));
        for (size_t k = 0; k < count; k++) {
            look_at(admin, job, scan, &admin->views[k], now_ms);
        }
        if (job->cursor == 0) {
            return false;
        }
    }
    return true;
}

// ---- Answers ---------------------------------------------------------------------------------------

static void put_counts(struct emit *emit, const struct job *job)
{
    emit_key_int(emit, "counted", (int64_t)job->counted);
    emit_key_int(emit, "unsure", (int64_t)job->unsure);
    if (job->administrators > 0) {
        emit_key_int(emit, "administrators", (int64_t)job->administrators);
    }
}

static void put_preview(struct emit *emit, const struct job *job)
{
    emit_map(emit, EMIT_FEW);
    emit_key_bool(emit, "ok", true);
    emit_key_bool(emit, "dry_run", true);
    put_counts(emit, job);
    emit_key(emit, STR("sessions"));
    emit_list(emit, job->list_count);
    for (size_t i = 0; i < job->list_count; i++) {
        emit_map(emit, 2);
        emit_key_str(emit, "ref", str_of(job->list[i].ref));
        emit_key_str(emit, "subject", str_of(job->list[i].subject));
        emit_end(emit);
    }
    emit_end(emit);
    emit_end(emit);
}

static void put_refused(struct emit *emit, const struct job *job, const char *why)
{
    emit_map(emit, EMIT_FEW);
    emit_key_bool(emit, "ok", false);
    emit_key_str(emit, "error", str_of(why));
    put_counts(emit, job);
    emit_end(emit);
}

static void put_pending(struct emit *emit, const struct pending *pending)
{
    emit_map(emit, EMIT_FEW);
    emit_key_int(emit, "id", (int64_t)pending->id);
    emit_key_str(emit, "kind", str_of(control_kind_name(pending->control->target.kind)));
    emit_key_str(emit, "value", pending->control->target.value);
    emit_key_int(emit, "counted", (int64_t)pending->counted);
    emit_key_str(emit, "author", pending->control->author);
    emit_key_str(emit, "reason", pending->control->reason);
    admin_time(emit, "expires", pending->expires_ms);
    emit_end(emit);
}

static void put_done(struct admin *admin, struct emit *emit, const struct job *job, struct node_now now)
{
    emit_map(emit, EMIT_FEW);
    emit_key_bool(emit, "ok", job->failed == 0);
    if (job->failed > 0) {
        emit_key_str(emit, "error", STR("not every record could be ended; the order holds for all of them"));
    }
    emit_key_str(emit, "control", job->control->name);
    put_counts(emit, job);
    emit_key_int(emit, "ended", (int64_t)job->ended);
    admin_order_all(admin, emit, job->wait_ms, now);
    emit_end(emit);
}

// Answers and frees the place; what was ended waits for the disk.
static void finish(struct admin *admin, struct node *node, struct job *job, const struct buf *answer,
                   uint64_t awaits, struct node_now now)
{
    struct buf refusal = {0};
    bool held = false;
    if (job->lost || gate_holds(admin->gate, awaits)) {
        struct emit emit;
        emit_init(&emit, job->form, &refusal);
        put_refused(&emit, job,
                    "it holds in memory and could not be written to the disk: a restart may forget it");
        held =
            !job->lost && !answer->failed && !refusal.failed &&
            gate_hold(admin->gate, job->ticket, awaits, buf_view(answer), buf_view(&refusal)) == PDP_ERR_OK;
    }
    if (!held) {
        (void)node_complete(node, job->ticket, buf_view(refusal.len > 0 ? &refusal : answer), now);
    }
    buf_fini(&refusal);
    control_drop(&job->control);
}

// ---- From the count to the end -----------------------------------------------------------------------

static struct pending *keep_pending(struct admin *admin, const struct job *job, int64_t now_ms)
{
    struct admin_jobs *jobs = admin->jobs;
    for (size_t i = 0; i < PENDING; i++) {
        struct pending *place = &jobs->pending[i];
        if (place->control != NULL && place->expires_ms <= now_ms) {
            control_drop(&place->control);
        }
        if (place->control == NULL) {
            *place =
                (struct pending){job->control, ++jobs->last, job->counted, num_add_sat(now_ms, PENDING_MS)};
            atomic_fetch_add(&job->control->held, 1);
            return place;
        }
    }
    return NULL;
}

static void ask_second(struct admin *admin, const struct job *job, struct emit *emit, int64_t now_ms)
{
    const struct pending *pending = keep_pending(admin, job, now_ms);
    if (pending == NULL) {
        put_refused(emit, job, "too many orders wait for a second analyst");
        return;
    }
    emit_map(emit, EMIT_FEW);
    emit_key_bool(emit, "ok", true);
    put_counts(emit, job);
    emit_key(emit, STR("pending"));
    put_pending(emit, pending);
    emit_end(emit);
}

// What the count says: the answer, or false where the order is carried out.
static bool stops(struct admin *admin, struct job *job, struct emit *emit, int64_t now_ms)
{
    const struct admin_bounds *bounds = &admin->host.bounds;
    bool many = bounds->confirm > 0 && job->counted > (uint64_t)bounds->confirm;
    if (job->dry_run) {
        put_preview(emit, job);
    } else if (job->guards && job->administrators > 0) {
        put_refused(emit, job,
                    "sessions of administrators are among them; say `lock_out: true` (pdpctl: "
                    "`--yes-lock-out`) if it is meant");
    } else if (many && (job->confirm < 0 || job->counted > (uint64_t)job->confirm)) {
        put_refused(emit, job,
                    "these are many sessions: say how many at most, `confirm` (pdpctl: `--confirm N`)");
    } else if (bounds->two_persons > 0 && job->counted > (uint64_t)bounds->two_persons) {
        ask_second(admin, job, emit, now_ms);
    } else {
        return false;
    }
    return true;
}

static void counted(struct admin *admin, struct node *node, struct job *job, struct node_now now)
{
    struct buf answer = {0};
    struct emit emit;
    uint64_t seq = 0;
    emit_init(&emit, job->form, &answer);
    bool ends = !stops(admin, job, &emit, now.wall_ms);
    if (ends) {
        const char *wrong = admin_control_put(admin, job->control, &seq);
        if (wrong != NULL) {
            put_refused(&emit, job, wrong);
            ends = false;
        }
    }
    if (ends) {
        admin_told(admin, job->control->author, "session.terminate", job->control, job->control->reason);
        job->ends = true;
        job->cursor = 0;
    } else {
        finish(admin, node, job, &answer, 0, now);
    }
    buf_fini(&answer);
}

static void ended(struct admin *admin, struct node *node, struct job *job, struct node_now now)
{
    const struct journal *journal = engine_journal(admin->engine);
    struct buf answer = {0};
    struct emit emit;
    emit_init(&emit, job->form, &answer);
    put_done(admin, &emit, job, now);
    finish(admin, node, job, &answer, journal != NULL ? journal_head(journal) : 0, now);
    buf_fini(&answer);
}

bool admin_work(struct admin *admin, struct node *node, struct node_now now)
{
    bool more = admin_undo_work(admin, node, now);
    for (size_t i = 0; i < JOBS; i++) {
        struct job *job = &admin->jobs->jobs[i];
        if (job->control == NULL) {
            continue;
        }
        if (!step(admin, job, now.wall_ms)) {
            (job->ends ? ended : counted)(admin, node, job, now);
        }
        more = more || job->control != NULL;
    }
    return more;
}

// ---- Orders ------------------------------------------------------------------------------------------

static struct job *take_place(struct admin_call *call)
{
    for (size_t i = 0; i < JOBS; i++) {
        struct job *job = &call->admin->jobs->jobs[i];
        if (job->control == NULL) {
            *job = (struct job){.form = call->emit->form, .confirm = -1, .wait_ms = admin_wait_of(call)};
            return node_park(call->asking, &job->ticket) == PDP_ERR_OK ? job : NULL;
        }
    }
    return NULL;
}

void admin_target_terminate(struct admin_call *call)
{
    AUTO(control_drop) struct control *control = NULL;
    const struct value *confirm = value_get(call->root, STR("confirm"));
    const char *wrong = admin_ending_make(call, &control);
    if (wrong == NULL && confirm != NULL && (confirm->kind != VALUE_INT || confirm->as.i < 0)) {
        wrong = "`confirm` is the number of sessions that may end at most";
    }
    wrong = wrong == NULL && !admin_wait_right(call) ? ADMIN_WAIT_WRONG : wrong;
    struct job *job = wrong == NULL ? take_place(call) : NULL;
    if (job == NULL) {
        admin_fail_call(call, wrong != NULL ? wrong : "too many orders at once");
        return;
    }
    job->control = STEAL(control);
    job->dry_run = admin_true(call->root, "dry_run");
    job->guards = !admin_true(call->root, "lock_out");
    job->confirm = confirm != NULL ? confirm->as.i : -1;
    call->outcome = NODE_PARKED;
}

void admin_control_approve(struct admin_call *call)
{
    const struct value *id = value_get(call->root, STR("id"));
    struct admin_jobs *jobs = call->admin->jobs;
    const struct peer *peer = node_asking_peer(call->asking);
    struct pending *found = NULL;
    for (size_t i = 0; id != NULL && id->kind == VALUE_INT && i < PENDING; i++) {
        struct pending *one = &jobs->pending[i];
        bool waits = one->control != NULL && one->expires_ms > node_asking_now(call->asking).wall_ms;
        found = waits && one->id == (uint64_t)id->as.i ? one : found;
    }
    if (!admin_wait_right(call)) {
        admin_fail(call->emit, ADMIN_WAIT_WRONG);
        return;
    }
    if (found == NULL || str_eq(found->control->author, peer->name)) {
        admin_fail(call->emit, found == NULL ? "no order of this `id` waits; it may have expired"
                                             : "it takes another analyst than the one who gave the order");
        return;
    }
    uint64_t seq = 0;
    const char *wrong = admin_control_put(call->admin, found->control, &seq);
    if (wrong != NULL) {
        admin_fail(call->emit, wrong);
        return;
    }
    admin_told(call->admin, peer->name, "control.approve", found->control, found->control->reason);
    AUTO(control_drop) struct control *control = STEAL(found->control);
    struct job *job = take_place(call);
    if (job == NULL) {
        admin_fail(call->emit,
                   "the cut-off holds, and sessions end as they are next seen: too many orders at once");
        return;
    }
    job->counted = found->counted;
    job->ends = true;
    job->control = STEAL(control);
    call->outcome = NODE_PARKED;
}

void admin_control_pending(struct admin_call *call)
{
    struct admin_jobs *jobs = call->admin->jobs;
    emit_map(call->emit, 2);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("pending"));
    emit_list(call->emit, SIZE_MAX);
    for (size_t i = 0; i < PENDING; i++) {
        const struct pending *one = &jobs->pending[i];
        if (one->control != NULL && one->expires_ms > node_asking_now(call->asking).wall_ms) {
            put_pending(call->emit, one);
        }
    }
    emit_end(call->emit);
    emit_end(call->emit);
}
