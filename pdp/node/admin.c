// SPDX-License-Identifier: Apache-2.0
#include "node/admin.h"

#include "base/time.h"
#include "node/admin_ops.h"
#include "node/roles.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t ARENA_LIMIT = 16 * 1024 * 1024;
static const size_t DIAGNOSTICS_MAX = 256 * 1024;
enum {
    SHADOW_RULES_MOST = 32, // named by `status`
    COUNTERS_MOST = 64
};
static const size_t LIST_NAME_MAX = 128;

enum pdp_err admin_new(struct engine *engine, struct gate *gate, const struct admin_host *host,
                       struct admin **out)
{
    *out = NULL;
    AUTO(admin_free) struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL) {
        return PDP_ERR_NOMEM;
    }
    admin->engine = engine;
    admin->gate = gate;
    admin->host = *host;
    arena_init(&admin->arena, 0, ARENA_LIMIT);
    TRY(admin_jobs_new(&admin->jobs));
    TRY(worker_new(engine, &admin->worker));
    *out = STEAL(admin);
    return PDP_ERR_OK;
}

void admin_free(struct admin **admin_ptr)
{
    struct admin *admin = STEAL(*admin_ptr);
    if (admin != NULL) {
        admin_jobs_free(&admin->jobs);
        worker_free(&admin->worker);
        arena_fini(&admin->arena);
        free(admin);
    }
}

struct worker *admin_worker(struct admin *admin)
{
    return admin->worker;
}

void admin_fail(struct emit *emit, const char *error)
{
    emit_map(emit, 2);
    emit_key_bool(emit, "ok", false);
    emit_key_str(emit, "error", str_of(error));
    emit_end(emit);
}

void admin_fail_call(struct admin_call *call, const char *error)
{
    if (call->diagnostics.len == 0) {
        admin_fail(call->emit, error);
        return;
    }
    emit_map(call->emit, 3);
    emit_key_bool(call->emit, "ok", false);
    emit_key_str(call->emit, "error", str_of(error));
    emit_key_str(call->emit, "diagnostics", call->diagnostics);
    emit_end(call->emit);
}

void admin_await(struct admin_call *call, uint64_t seq)
{
    const struct journal *journal = engine_journal(call->admin->engine);
    uint64_t head = journal != NULL ? journal_awaits(journal) : 0;
    call->awaits = seq == UINT64_MAX || call->awaits == UINT64_MAX ? UINT64_MAX : head;
}

void admin_time(struct emit *emit, const char *key, int64_t at_ms)
{
    emit_key(emit, str_of(key));
    if (at_ms <= 0) {
        emit_null(emit);
        return;
    }
    struct value at = value_time_ms(at_ms);
    emit_value(emit, &at);
}

// ---- status --------------------------------------------------------------------------------------

void admin_count(struct emit *emit, const char *key, uint64_t count)
{
    emit_key_int(emit, key, count > INT64_MAX ? INT64_MAX : (int64_t)count);
}

static void put_serving(struct admin *admin, struct emit *emit)
{
    char digest[80] = "";
    struct snapshot_facts facts = {0};
    bool serving = engine_serving(admin->engine, admin->worker, digest, &facts);
    emit_key(emit, STR("snapshot"));
    if (serving) {
        emit_str(emit, (struct str){digest, strnlen(digest, sizeof digest)});
    } else {
        emit_null(emit);
    }
    admin_count(emit, "policy_epoch", engine_policy_epoch(admin->engine));
    admin_count(emit, "policies", facts.policies);
    admin_count(emit, "rules", facts.rules);
    admin_count(emit, "lists", facts.lists);
    admin_count(emit, "strengths", facts.strengths);
}

static void put_sessions(struct admin *admin, struct emit *emit)
{
    struct session_stats stats;
    session_stats(engine_sessions(admin->engine), &stats);
    emit_key(emit, STR("sessions"));
    emit_map(emit, EMIT_FEW);
    admin_count(emit, "live", stats.sessions);
    admin_count(emit, "users", stats.users);
    admin_count(emit, "tombstones", stats.tombstones);
    admin_count(emit, "created", stats.created);
    admin_count(emit, "refused", stats.refused);
    admin_count(emit, "bytes", stats.bytes);
    emit_end(emit);
}

// Counter documents, and what they hold. Left out where there are none.
static void put_counters(struct admin *admin, struct emit *emit)
{
    struct engine_counter counters[COUNTERS_MOST];
    size_t count = engine_counters(admin->engine, counters, COUNT_OF(counters));
    if (count == 0) {
        return;
    }
    emit_key(emit, STR("counters"));
    emit_list(emit, count);
    for (size_t i = 0; i < count; i++) {
        emit_map(emit, EMIT_FEW);
        emit_key_str(emit, "name", str_of(counters[i].name));
        admin_count(emit, "window_s", (uint64_t)(counters[i].window_ms / TIME_MS_PER_S));
        emit_key_bool(emit, "served", counters[i].served);
        admin_count(emit, "keys", counters[i].keys);
        admin_count(emit, "room", counters[i].room);
        admin_count(emit, "displaced", counters[i].displaced);
        admin_count(emit, "bytes", counters[i].bytes);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_answers(struct admin *admin, struct emit *emit)
{
    struct engine_counts counts;
    engine_count(admin->engine, &counts);
    emit_key(emit, STR("answers"));
    emit_map(emit, EMIT_FEW);
    admin_count(emit, "questions", counts.questions);
    admin_count(emit, "events", counts.events);
    admin_count(emit, "batches", counts.batches);
    admin_count(emit, "searches", counts.searches);
    admin_count(emit, "repeats", counts.repeats);
    emit_key(emit, STR("effects"));
    emit_map(emit, PDP_EFFECT_COUNT);
    for (int i = 0; i < PDP_EFFECT_COUNT; i++) {
        admin_count(emit, pdp_effect_name((enum pdp_effect)i), counts.effects[i]);
    }
    emit_end(emit);
    emit_key(emit, STR("codes"));
    emit_map(emit, PDP_CODE_COUNT);
    for (int i = 0; i < PDP_CODE_COUNT; i++) {
        admin_count(emit, pdp_code_name((enum pdp_code)i), counts.codes[i]);
    }
    emit_end(emit);
    emit_end(emit);
}

// What would have been, had what is in shadow been enforced: by the answers that were given.
static void put_shadow_counts(const struct engine_counts *counts, struct emit *emit)
{
    for (int was = 0; was < PDP_EFFECT_COUNT; was++) {
        for (int would = 0; would < PDP_EFFECT_COUNT; would++) {
            char key[48];
            if (was != would && counts->shadow[was][would] > 0) {
                snprintf(key, sizeof key, "%s_to_%s", pdp_effect_name((enum pdp_effect)was),
                         pdp_effect_name((enum pdp_effect)would));
                admin_count(emit, key, counts->shadow[was][would]);
            }
        }
    }
}

static void put_shadow_rules(struct admin *admin, struct emit *emit)
{
    struct engine_shadow_rule rules[SHADOW_RULES_MOST];
    uint32_t cursor = 0;
    size_t count = engine_shadow_rules(admin->engine, admin->worker, &cursor, rules, COUNT_OF(rules));
    emit_key(emit, STR("rules"));
    emit_list(emit, count);
    for (size_t i = 0; i < count; i++) {
        emit_map(emit, 3);
        emit_key_str(emit, "rule", str_of(rules[i].name));
        emit_key_str(emit, "effect", str_of(pdp_effect_name(rules[i].effect)));
        admin_count(emit, "changed", rules[i].hits);
        emit_end(emit);
    }
    emit_end(emit);
}

// Left out where nothing is, or was, in shadow.
static void put_shadow(struct admin *admin, struct emit *emit)
{
    struct engine_counts counts;
    uint64_t judged = 0, changed = 0;
    engine_count(admin->engine, &counts);
    for (int was = 0; was < PDP_EFFECT_COUNT; was++) {
        for (int would = 0; would < PDP_EFFECT_COUNT; would++) {
            judged += counts.shadow[was][would];
            changed += was != would ? counts.shadow[was][would] : 0;
        }
    }
    if (judged + counts.shadow_lost == 0 && !engine_shadows(admin->engine, admin->worker)) {
        return;
    }
    emit_key(emit, STR("shadow"));
    emit_map(emit, EMIT_FEW);
    admin_count(emit, "judged", judged);
    admin_count(emit, "changed", changed);
    admin_count(emit, "lost", counts.shadow_lost);
    put_shadow_counts(&counts, emit);
    put_shadow_rules(admin, emit);
    emit_end(emit);
}

static void put_traffic(const struct node_counts *counts, struct emit *emit)
{
    admin_count(emit, "connections", counts->connections);
    emit_key(emit, STR("traffic"));
    emit_map(emit, EMIT_FEW);
    admin_count(emit, "opened", counts->opened);
    admin_count(emit, "messages", counts->messages);
    admin_count(emit, "answers", counts->answers);
    admin_count(emit, "bytes_in", counts->bytes_in);
    admin_count(emit, "bytes_out", counts->bytes_out);
    emit_end(emit);
    emit_key(emit, STR("refusals"));
    emit_map(emit, NODE_REFUSAL_COUNT);
    for (int i = 0; i < NODE_REFUSAL_COUNT; i++) {
        admin_count(emit, node_refusal_name((enum node_refusal)i), counts->refusals[i]);
    }
    emit_end(emit);
}

static void put_geo(const struct admin_status *status, struct emit *emit)
{
    emit_key(emit, STR("geo"));
    emit_list(emit, status->geo_count);
    for (size_t i = 0; i < status->geo_count; i++) {
        const struct admin_geo *geo = &status->geo[i];
        emit_map(emit, 3);
        emit_key_str(emit, "name", str_of(geo->name));
        emit_key_str(emit, "type", str_of(geo->type));
        admin_time(emit, "build", geo->build_s > INT64_MAX / 1000 ? 0 : (int64_t)geo->build_s * 1000);
        emit_end(emit);
    }
    emit_end(emit);
}

static void put_reload(const struct admin_status *status, struct emit *emit)
{
    emit_key(emit, STR("last_reload"));
    if (status->reload_at_ms == 0) {
        emit_null(emit);
        return;
    }
    emit_map(emit, EMIT_FEW);
    admin_time(emit, "at", status->reload_at_ms);
    emit_key_bool(emit, "ok", status->reload_ok);
    if (status->reload_lists) {
        emit_key_str(emit, "list", status->reload_list.len > 0 ? status->reload_list : STR("*"));
    }
    if (!status->reload_ok) {
        emit_key_str(emit, "error", status->reload_error);
    }
    emit_end(emit);
}

static void op_status(struct admin_call *call)
{
    struct admin *admin = call->admin;
    struct admin_status status = {0};
    admin->host.status(admin->host.user, &status);

    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_str(call->emit, "version", str_of(PDP_VERSION));
    emit_key_int(call->emit, "pid", status.pid);
    emit_key_int(call->emit, "uptime_s", status.uptime_s);
    emit_key_bool(call->emit, "simulate", status.simulate);
    put_serving(admin, call->emit);
    admin_put_source(&status, call->emit);
    admin_put_rolled(&status, call->emit);
    put_geo(&status, call->emit);
    put_sessions(admin, call->emit);
    admin_put_state(&status, call->emit);
    put_counters(admin, call->emit);
    put_answers(admin, call->emit);
    put_shadow(admin, call->emit);
    admin_put_audit(&status, call->emit);
    put_traffic(&status.counts, call->emit);
    put_reload(&status, call->emit);
    admin_put_alarms(&status, call->emit);
    admin_put_certificates(&status, call->emit);
    admin_put_webhooks(&status, call->emit);
    emit_key(call->emit, STR("listeners"));
    emit_list(call->emit, status.listener_count);
    for (size_t i = 0; i < status.listener_count; i++) {
        emit_str(call->emit, status.listeners[i]);
    }
    emit_end(call->emit);
    emit_end(call->emit);
}

// ---- lists ---------------------------------------------------------------------------------------

static void put_list(void *user, const struct policy_list_facts *list)
{
    struct emit *emit = user;
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "name", list->name);
    emit_key_str(emit, "type", str_of(list->kind));
    if (list->network != NULL) {
        emit_key_str(emit, "network", str_of(list->network));
    }
    admin_count(emit, "entries", list->entries);
    admin_count(emit, "bytes", list->bytes);
    if (list->file.len > 0) {
        emit_key_str(emit, "file", list->file);
    }
    if (list->version.len > 0) {
        emit_key_str(emit, "version", list->version);
    }
    admin_time(emit, "updated", list->updated_ms);
    admin_time(emit, "loaded", list->loaded_ms);
    if (list->max_age_ms > 0) {
        emit_key_int(emit, "max_age", list->max_age_ms / TIME_MS_PER_S);
    }
    emit_key_bool(emit, "stale", list->stale);
    emit_key_bool(emit, "missing", list->missing);
    admin_time(emit, "refused", list->refused_ms);
    emit_end(emit);
}

static void op_lists(struct admin_call *call)
{
    struct admin *admin = call->admin;
    emit_map(call->emit, 2);
    emit_key_bool(call->emit, "ok", true);
    emit_key(call->emit, STR("lists"));
    emit_list(call->emit, SIZE_MAX);
    engine_lists(admin->engine, admin->worker, node_asking_now(call->asking).wall_ms, put_list, call->emit);
    emit_end(call->emit);
    emit_end(call->emit);
}

// ---- reload --------------------------------------------------------------------------------------

// Which lists a reload is about: none (the whole folder), one, or (with an empty name) all that come from
// files.
struct reload_what {
    bool lists;
    struct str list;
};

static const char *reload_what(const struct value *root, struct reload_what *out)
{
    const struct value *list = value_get(root, STR("list"));
    const struct value *lists = value_get(root, STR("lists"));
    *out = (struct reload_what){0};
    if (list == NULL && (lists == NULL || (lists->kind == VALUE_BOOL && !lists->as.b))) {
        return NULL;
    }
    out->lists = true;
    if (list == NULL) {
        return lists->kind == VALUE_BOOL ? NULL : "`lists` is neither true nor false";
    }
    out->list = list->kind == VALUE_STRING ? value_text(list) : (struct str){0};
    if (out->list.len == 0 || out->list.len > LIST_NAME_MAX) {
        return "`list` is no name of a list";
    }
    return lists != NULL ? "`list` and `lists` exclude each other" : NULL;
}

bool admin_wait_compile(struct admin_call *call, struct admin_waiting **out)
{
    struct admin *admin = call->admin;
    struct admin_waiting *place = NULL;
    *out = NULL;
    for (size_t i = 0; i < ADMIN_WAITING && place == NULL; i++) {
        place = admin->waiting[i].number == 0 ? &admin->waiting[i] : NULL;
    }
    struct node_ticket ticket;
    if (place == NULL || node_park(call->asking, &ticket) != PDP_ERR_OK) {
        admin_fail(call->emit, "too many wait for a reload");
        return false;
    }
    *place = (struct admin_waiting){ticket, call->emit->form, 0,
                                    (node_asking_peer(call->asking)->roles & ROLES_READ) != 0};
    *out = place;
    call->outcome = NODE_PARKED;
    return true;
}

bool admin_taking(struct admin_call *call, struct admin_taking *out)
{
    const struct value *confirm = value_get(call->root, STR("confirm"));
    bool right =
        confirm == NULL || confirm->kind == VALUE_NULL || (confirm->kind == VALUE_INT && confirm->as.i >= 0);
    out->preview = admin_true(call->root, "preview");
    out->confirm = right && confirm != NULL && confirm->kind == VALUE_INT ? confirm->as.i : -1;
    if (!right) {
        admin_fail(call->emit, "`confirm` is the number of sessions that may end at most");
    }
    return right;
}

static void op_reload(struct admin_call *call)
{
    struct admin_taking taking;
    struct admin *admin = call->admin;
    struct admin_waiting *place = NULL;
    struct reload_what what;
    const char *wrong = reload_what(call->root, &what);
    if (wrong != NULL) {
        admin_fail(call->emit, wrong);
        return;
    }
    if (what.lists && value_get(call->root, STR("preview")) != NULL) {
        admin_fail(call->emit, "lists are not tried before they are read: `preview` is of policies");
        return;
    }
    if (!admin_taking(call, &taking) || !admin_wait_compile(call, &place)) {
        return;
    }
    place->number = what.lists ? admin->host.reload_lists(admin->host.user, what.list)
                               : admin->host.reload(admin->host.user, node_asking_peer(call->asking), taking);
}

static void put_reloaded(struct admin *admin, struct emit *emit, const struct admin_reload *result,
                         bool people)
{
    emit_map(emit, EMIT_FEW);
    emit_key_bool(emit, "ok", result->error.len == 0);
    if (result->error.len != 0) {
        emit_key_str(emit, "error", result->error);
        emit_key_str(emit, "diagnostics", str_sub(result->diagnostics, 0, DIAGNOSTICS_MAX));
    }
    put_serving(admin, emit);
    if (result->preview && result->error.len == 0) {
        emit_key_bool(emit, "preview", true);
        emit_key_str(emit, "candidate", str_of(result->candidate));
    }
    if (result->trial != NULL) {
        admin_put_trial(emit, result->trial, people);
    }
    emit_end(emit);
}

void admin_reloaded(struct admin *admin, struct node *node, const struct admin_reload *result,
                    struct node_now now)
{
    for (size_t i = 0; i < ADMIN_WAITING; i++) {
        struct admin_waiting *place = &admin->waiting[i];
        if (place->number == 0 || place->number > result->number) {
            continue;
        }
        struct buf answer = {0};
        struct emit emit;
        emit_init(&emit, place->form, &answer);
        put_reloaded(admin, &emit, result, place->people);
        (void)node_complete(node, place->ticket, buf_view(&answer), now);
        buf_fini(&answer);
        place->number = 0;
    }
}

// ---- The table -----------------------------------------------------------------------------------

// X(name, whose roles may, what runs it). An operation that nobody may run does not compile.
#define OP_LIST(X)                                             \
    X("status", ROLES_ANY, op_status)                          \
    X("lists", ROLES_ANY, op_lists)                            \
    X("top", ROLES_READ, admin_top)                            \
    X("reload", ROLES_SERVE, op_reload)                        \
    X("served", ROLES_ANY, admin_served_list)                  \
    X("rollback", ROLES_BACK, admin_rollback)                  \
    X("reload.certs", ROLES_SERVE, admin_reload_certs)         \
    X("peer.list", ROLES_READ, admin_peer_list)                \
    X("peer.quarantine", ROLES_ACT, admin_peer_quarantine)     \
    X("peer.release", ROLES_ACT, admin_peer_release)           \
    X("session.list", ROLES_READ, admin_session_list)          \
    X("session.show", ROLES_READ, admin_session_show)          \
    X("session.terminate", ROLES_ACT, admin_session_terminate) \
    X("control.approve", ROLES_ACT, admin_control_approve)     \
    X("control.pending", ROLES_READ, admin_control_pending)    \
    X("gateways", ROLES_ANY, admin_gateways)                   \
    X("order.wait", ROLES_READ, admin_order_wait)              \
    X("breaker.reset", ROLES_ACT, admin_breaker_reset)         \
    X("user.show", ROLES_READ, admin_user_show)                \
    X("user.forget", ROLES_ACT, admin_user_forget)             \
    X("user.forget_devices", ROLES_ACT, admin_forget_devices)  \
    X("lock.add", ROLES_ACT, admin_lock_add)                   \
    X("lock.list", ROLES_READ, admin_lock_list)                \
    X("lock.rm", ROLES_ACT, admin_lock_remove)                 \
    X("mute.add", ROLES_ACT, admin_mute_add)                   \
    X("mute.list", ROLES_READ, admin_mute_list)                \
    X("mute.rm", ROLES_ACT, admin_mute_remove)                 \
    X("pardon.add", ROLES_ACT, admin_pardon_add)               \
    X("pardon.list", ROLES_READ, admin_pardon_list)            \
    X("pardon.rm", ROLES_ACT, admin_pardon_remove)             \
    X("cutoff.add", ROLES_ACT, admin_cut_off_add)              \
    X("cutoff.list", ROLES_READ, admin_cut_off_list)           \
    X("audit.list", ROLES_AUDIT, admin_audit_list)             \
    X("audit.read", ROLES_AUDIT, admin_audit_read)             \
    X("audit.unseal", ROLES_AUDIT, admin_audit_unseal)         \
    X("audit.forget", ROLES_ACT, admin_audit_forget)           \
    X("audit.rotate_key", ROLES_SERVE, admin_audit_rotate)     \
    X("key.list", ROLES_SERVE, admin_key_list)                 \
    X("key.rotate", ROLES_SERVE, admin_key_rotate)

static const struct admin_op {
    struct str name;
    uint32_t roles;
    void (*run)(struct admin_call *call);
} OPS[] = {
#define X(name, roles, run) {{name, sizeof(name) - 1}, (roles), (run)},
    OP_LIST(X)
#undef X
};
#define X(name, roles, run) _Static_assert(((roles)&ROLE_ALL) != 0, "who may run " name "?");
OP_LIST(X)
#undef X

static const struct {
    uint32_t bit;
    const char *word;
} ROLES[] = {
#define X(name, word, bit, meaning) {ROLE_##name, word},
    ROLE_LIST(X)
#undef X
};

// The names of the roles in `bits`, or "none".
static void put_roles(struct buf *out, uint32_t bits)
{
    size_t before = out->len;
    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        if ((bits & ROLES[i].bit) != 0) {
            buf_printf(out, "%s%s", out->len > before ? " or " : "", ROLES[i].word);
        }
    }
    buf_str(out, out->len > before ? STR("") : STR("none"));
}

static void refuse_roles(struct admin_call *call, const struct admin_op *op)
{
    const struct peer *peer = node_asking_peer(call->asking);
    AUTO(buf_fini) struct buf text = {.limit = 2048};
    buf_printf(&text, "`" STR_FMT "` needs the role ", STR_ARG(op->name));
    put_roles(&text, op->roles);
    buf_printf(&text, "; this peer is `");
    buf_escaped(&text, peer->name);
    buf_printf(&text, "` and has %s", peer->roles == 0 ? "" : "the role ");
    put_roles(&text, peer->roles);
    buf_byte(&text, '\0');
    admin_fail(call->emit, text.failed ? "this peer has not the role for it" : (const char *)text.at);
}

static void refuse_unknown(struct admin_call *call)
{
    AUTO(buf_fini) struct buf text = {0};
    buf_str(&text, STR("`op` is none of "));
    for (size_t i = 0; i < COUNT_OF(OPS); i++) {
        buf_printf(&text, "%s" STR_FMT, i > 0 ? ", " : "", STR_ARG(OPS[i].name));
    }
    buf_byte(&text, '\0');
    admin_fail(call->emit, text.failed ? "`op` is no operation" : (const char *)text.at);
}

// Whatever tells of people or changes something is recorded; what is served and counted is no secret. Reading
// the log itself takes many calls: the first of them, which lists its files, stands for all.
static void record(struct admin_call *call, const struct admin_op *op, struct str answer)
{
    bool many = str_eq(op->name, STR("audit.read")) || str_eq(op->name, STR("audit.unseal"));
    bool allowed = (node_asking_peer(call->asking)->roles & op->roles) != 0;
    if ((op->roles != ROLES_ANY && !many) || !allowed) {
        bool read = op->roles == ROLES_READ || op->roles == ROLES_AUDIT;
        admin_record(call, op->name, read, answer);
    }
}

static void dispatch(struct admin_call *call)
{
    const struct value *op = value_get(call->root, STR("op"));
    if (op == NULL) {
        admin_fail(call->emit, "`op` is missing");
        return;
    }
    for (size_t i = 0; i < COUNT_OF(OPS); i++) {
        if (!value_is_text(op, OPS[i].name)) {
            continue;
        }
        size_t start = call->emit->out->len;
        if ((node_asking_peer(call->asking)->roles & OPS[i].roles) != 0) {
            OPS[i].run(call);
        } else {
            refuse_roles(call, &OPS[i]);
        }
        record(call, &OPS[i], str_sub(buf_view(call->emit->out), start, SIZE_MAX));
        return;
    }
    refuse_unknown(call);
}

// An order was carried out here but is not durable: it is confirmed once it is.
static enum node_outcome hold_back(struct admin_call *call, size_t start, struct buf *out)
{
    struct buf refusal = {0};
    struct emit emit;
    emit_init(&emit, call->emit->form, &refusal);
    admin_fail(&emit,
               "it holds in memory and could not be written to the disk: a restart may forget it; look at "
               "`status`, make room, and give the order again");
    struct str answer = {(const char *)out->at + start, out->len - start};
    bool parked =
        !out->failed && !refusal.failed &&
        gate_park(call->admin->gate, call->asking, call->awaits, answer, buf_view(&refusal)) == PDP_ERR_OK;
    out->len = start;
    if (!parked) {
        buf_str(out, buf_view(&refusal));
    }
    buf_fini(&refusal);
    return parked ? NODE_PARKED : NODE_DONE;
}

static enum node_outcome admin_answer(void *user, struct node_asking *asking, struct str message,
                                      struct buf *out)
{
    struct admin *admin = user;
    size_t start = out->len;
    enum wire_form form = wire_form_of(message);
    struct emit emit;
    emit_init(&emit, form, out);
    arena_reset(&admin->arena);
    struct value root;
    struct fault why = {0};
    if (wire_decode(form, message, &admin->arena, &root, &why) != PDP_ERR_OK) {
        struct str text = arena_printf(&admin->arena, "%s: %s", why.field, why.what);
        emit_map(&emit, 2);
        emit_key_bool(&emit, "ok", false);
        emit_key_str(&emit, "error", text);
        emit_end(&emit);
        return NODE_DONE;
    }
    struct admin_call call = {
        .admin = admin, .asking = asking, .root = &root, .emit = &emit, .outcome = NODE_DONE};
    dispatch(&call);
    bool holds = call.outcome == NODE_DONE && gate_holds(admin->gate, call.awaits);
    return holds ? hold_back(&call, start, out) : call.outcome;
}

struct node_handler admin_handler(struct admin *admin)
{
    return (struct node_handler){.answer = admin_answer, .user = admin};
}
