// SPDX-License-Identifier: Apache-2.0
// Cut-offs and locks: set, listed, lifted.
#include "node/admin_ops.h"

#include "base/num.h"
#include "base/time.h"
#include "engine/condition.h"
#include "engine/controls.h"

enum {
    CONDITION_MISTAKES_MOST = 20
};
static const int64_t BEFORE_AHEAD_MS = 60000;                        // clocks of issuers may differ by this
static const int64_t ENDING_KEEP_MS = INT64_C(7) * 24 * 3600 * 1000; // of a condition, unless it is said
static const int64_t PARDON_KEEP_MS = INT64_C(90) * 24 * 3600 * 1000;

struct str admin_text(const struct value *map, const char *key)
{
    const struct value *v = value_get(map, str_of(key));
    return v != NULL && v->kind == VALUE_STRING ? value_text(v) : (struct str){0};
}

bool admin_true(const struct value *map, const char *key)
{
    const struct value *v = value_get(map, str_of(key));
    return v != NULL && v->kind == VALUE_BOOL && v->as.b;
}

static int64_t now_ms(const struct admin_call *call)
{
    return node_asking_now(call->asking).wall_ms;
}

// ---- What a control is for people ------------------------------------------------------------------

static void put_some(struct emit *emit, const char *key, struct str text)
{
    if (text.len > 0) {
        emit_key_str(emit, key, text);
    }
}

static void put_control(struct emit *emit, const struct control *control)
{
    emit_map(emit, EMIT_FEW);
    emit_key_int(emit, "id", (int64_t)control->number);
    emit_key_str(emit, "name", control->name);
    emit_key_str(emit, "kind", str_of(control_kind_name(control->target.kind)));
    put_some(emit, "value", control->target.value);
    put_some(emit, "tenant", control->target.tenant);
    put_some(emit, "type", control->target.type);
    emit_key_str(emit, "effect", str_of(pdp_effect_name(control->effect)));
    put_some(emit, "strength", control->strength);
    if (control->pardon) {
        emit_key_str(emit, "signals", control->signals.len > 0 ? control->signals : STR("all"));
    }
    if (control->max_age_s > 0) {
        emit_key_int(emit, "max_age", control->max_age_s);
    }
    if (control->before_ms > 0) {
        admin_time(emit, "before", control->before_ms);
    }
    admin_time(emit, "created", control->created_ms);
    admin_time(emit, "expires", control->expires_ms);
    emit_key_str(emit, "author", control->author);
    emit_key_str(emit, "reason", control->reason);
    put_some(emit, "message", control->message);
    emit_end(emit);
}

static void answer_control(struct admin_call *call, const struct control *control)
{
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_int(call->emit, "controls_epoch", (int64_t)engine_controls_epoch(call->admin->engine));
    emit_key(call->emit, STR("control"));
    put_control(call->emit, control);
    admin_order(call, NULL, 0, true);
    emit_end(call->emit);
}

// ---- What an order says ----------------------------------------------------------------------------

static bool time_of(const struct value *v, int64_t *ms)
{
    int64_t seconds = 0;
    uint32_t nanos = 0;
    *ms = 0;
    if (v == NULL || v->kind != VALUE_STRING || !time_parse(value_text(v), &seconds, &nanos)) {
        return false;
    }
    *ms = num_add_sat(num_mul_sat(seconds, TIME_MS_PER_S), nanos / 1000000);
    return *ms > 0;
}

// A session may be named by its id too, which is a secret: what is kept is its ref. And by any that it ever
// had: questions are looked at under the one that it has now.
static struct str ref_of(struct admin_call *call, struct str session)
{
    struct session_table *table = engine_sessions(call->admin->engine);
    struct hash128 id, named;
    if (session.len == 0 || session.len > REQUEST_ID_MAX) {
        return (struct str){0};
    }
    if (!session_goes_by(table, session, &id)) {
        if (session_ref_read(session, &named)) {
            return session;
        }
        id = session_key_of(table, 0, STR(""), STR(""), STR(""), session).id;
    }
    char *ref = arena_alloc(&call->admin->arena, 32, 1);
    if (ref == NULL) {
        return (struct str){0};
    }
    session_ref_print(id, ref);
    return str_of(ref);
}

// A family by its ref, or by a session of it.
static struct str family_of(struct admin_call *call, struct str family)
{
    struct session_table *table = engine_sessions(call->admin->engine);
    struct session_view *view = &call->admin->views[0];
    char *ref = arena_alloc(&call->admin->arena, 32, 1);
    if (ref == NULL || family.len == 0 || family.len > REQUEST_ID_MAX || !session_look(table, family, view)) {
        return family;
    }
    control_family_print(table, &view->record, ref);
    return str_of(ref);
}

static const char *read_target(struct admin_call *call, struct control_target *out)
{
    const struct value *target = value_get(call->root, STR("target"));
    *out = (struct control_target){0};
    if (target == NULL || target->kind != VALUE_MAP ||
        !control_kind_read(admin_text(target, "kind"), &out->kind)) {
        return "`target` says of whom: a `kind` (all, session, family, subject, device, address, prefix, "
               "asn, country, ja4, role, gateway, tenant, where) and its `value`";
    }
    out->value = admin_text(target, "value");
    out->tenant = admin_text(target, "tenant");
    out->type = admin_text(target, "type");
    if (out->kind == CONTROL_SESSION) {
        out->value = ref_of(call, out->value);
    } else if (out->kind == CONTROL_FAMILY) {
        out->value = family_of(call, out->value);
    }
    return NULL;
}

// `for`: seconds from now; or `expires`.
static const char *read_expiry(struct admin_call *call, struct control *spec)
{
    const struct value *lasts = value_get(call->root, STR("for"));
    const struct value *expires = value_get(call->root, STR("expires"));
    if ((lasts == NULL) == (expires == NULL)) {
        return "say until when it holds: `for` in seconds, or `expires` as a time";
    }
    if (expires != NULL) {
        return time_of(expires, &spec->expires_ms) ? NULL
                                                   : "`expires` is no time such as 2026-11-28T08:00:00Z";
    }
    if (lasts->kind != VALUE_INT || lasts->as.i <= 0) {
        return "`for` is a number of seconds above 0";
    }
    spec->expires_ms = num_add_sat(spec->created_ms, num_mul_sat(lasts->as.i, TIME_MS_PER_S));
    return NULL;
}

static const char *read_lock(struct admin_call *call, struct control *spec)
{
    static const enum pdp_effect EFFECTS[] = {PDP_EFFECT_DENY, PDP_EFFECT_STEP_UP, PDP_EFFECT_TERMINATE};
    struct str effect = admin_text(call->root, "effect");
    const struct value *require = value_get(call->root, STR("require"));
    const struct value *max_age = value_get(require, STR("max_age"));
    spec->effect = PDP_EFFECT_ALLOW; // refused
    for (size_t i = 0; i < COUNT_OF(EFFECTS); i++) {
        if (str_eq(effect, str_of(pdp_effect_name(EFFECTS[i])))) {
            spec->effect = EFFECTS[i];
        }
    }
    spec->strength = admin_text(require, "strength");
    if (max_age != NULL && max_age->kind != VALUE_NULL) {
        spec->max_age_s = max_age->kind == VALUE_INT ? max_age->as.i : -1;
    }
    if (spec->strength.len > 0 &&
        !engine_has_strength(call->admin->engine, call->admin->worker, spec->strength)) {
        return "the strength that is required is none of those that are served";
    }
    return read_expiry(call, spec);
}

static const char *read_mute(struct admin_call *call, struct control *spec)
{
    spec->effect = PDP_EFFECT_ALLOW; // of a mute: none
    if (!control_kind_mutes(spec->target.kind)) {
        return "what is muted is a `rule` (or a policy), a `signal`, or `geo`";
    }
    if (!engine_knows(call->admin->engine, call->admin->worker, &spec->target)) {
        return "nothing that is served has this name: a rule is `policy/rule`, a policy its name, a signal "
               "its id";
    }
    return read_expiry(call, spec);
}

// One id more, behind a space. NULL: it is good.
static const char *add_signal(struct admin_call *call, const struct value *name, struct buf *out)
{
    struct control_target target = {.kind = CONTROL_SIGNAL};
    if (name->kind != VALUE_STRING) {
        return "`signals` is a list of signals' ids";
    }
    target.value = value_text(name);
    if (!engine_knows(call->admin->engine, call->admin->worker, &target)) {
        return "no signal has this id; `new-asn` and the like: docs/RISK.md names them";
    }
    if (out->len > 0) {
        buf_byte(out, ' ');
    }
    buf_str(out, target.value);
    return NULL;
}

static const char *read_signals(struct admin_call *call, struct control *spec)
{
    const struct value *signals = value_get(call->root, STR("signals"));
    struct buf text = {.limit = CONTROL_SIGNALS_MAX};
    bool list = signals == NULL || signals->kind == VALUE_LIST;
    const char *wrong = list ? NULL : "`signals` is a list of signals' ids";
    for (uint32_t i = 0; wrong == NULL && signals != NULL && i < signals->n; i++) {
        wrong = add_signal(call, &signals->as.list[i], &text);
    }
    if (wrong == NULL && signals != NULL && (text.len == 0 || text.failed)) {
        wrong = "`signals` names one signal or more; leave it out where all are meant";
    }
    if (wrong == NULL && text.len > 0) {
        bool ok = true;
        spec->signals = arena_str(&call->admin->arena, buf_view(&text), &ok);
        wrong = ok ? NULL : pdp_err_text(PDP_ERR_NOMEM);
    }
    buf_fini(&text);
    return wrong;
}

// It lasts longer than what it sets aside is remembered, unless somebody says until when.
static const char *read_pardon(struct admin_call *call, struct control *spec)
{
    spec->pardon = true;
    spec->effect = PDP_EFFECT_ALLOW; // of a pardon: none
    spec->expires_ms = num_add_sat(spec->created_ms, PARDON_KEEP_MS);
    const char *wrong = read_signals(call, spec);
    bool timed = value_get(call->root, STR("for")) != NULL || value_get(call->root, STR("expires")) != NULL;
    return wrong == NULL && timed ? read_expiry(call, spec) : wrong;
}

// A cut-off lasts as long as tombstones do: nobody's session comes back.
static const char *read_cut_off(struct admin_call *call, struct control *spec)
{
    const struct value *before = value_get(call->root, STR("before"));
    spec->cut_off = true;
    spec->effect = PDP_EFFECT_TERMINATE;
    // Towards the future: what began in this very millisecond is before it, too.
    spec->before_ms = num_add_sat(spec->created_ms, 1);
    spec->expires_ms = num_add_sat(spec->created_ms, CONTROL_KEEP_MAX_MS);
    if (before != NULL && !time_of(before, &spec->before_ms)) {
        return "`before` is no time such as 2026-11-28T08:00:00Z";
    }
    return spec->before_ms > num_add_sat(spec->created_ms, BEFORE_AHEAD_MS) ? "`before` lies in the future"
                                                                            : NULL;
}

// ---- Orders ----------------------------------------------------------------------------------------

static struct str reason_of(const struct admin_call *call)
{
    return str_trim(admin_text(call->root, "reason"));
}

void admin_told(struct admin *admin, struct str by, const char *what, const struct control *control,
                struct str reason)
{
    if (admin->host.controlled != NULL) {
        const struct peer peer = {.name = by};
        admin->host.controlled(admin->host.user, &peer, what, control, reason);
    }
}

static const char *const LOCK_OUT =
    "this may lock out those who are not meant, yourself too: it names everybody, or an address of no public "
    "network; say `lock_out: true` (pdpctl: `--yes-lock-out`) if it is meant";

static const char *err_text(enum pdp_err err)
{
    return err == PDP_ERR_LIMIT
               ? "too many controls: at most 16384, 16 of the same target, and 64 locks by a "
                 "condition; remove some"
               : pdp_err_text(err);
}

const char *admin_control_put(struct admin *admin, struct control *control, uint64_t *seq)
{
    AUTO(control_drop) struct control *was = NULL;
    enum pdp_err err = engine_controls_add(admin->engine, &control, 1);
    *seq = 0;
    if (err == PDP_ERR_OK) {
        err = engine_control_note(admin->engine, control, false, seq);
        if (err != PDP_ERR_OK) {
            (void)!engine_control_remove(admin->engine, control->number, &was);
        }
    }
    return err == PDP_ERR_OK ? NULL : err_text(err);
}

// What could not be noted stays in force.
static enum pdp_err take(struct admin_call *call, uint64_t number, struct control **was)
{
    struct engine *engine = call->admin->engine;
    uint64_t seq = 0;
    TRY(engine_control_remove(engine, number, was));
    enum pdp_err err = engine_control_note(engine, *was, true, &seq);
    if (err != PDP_ERR_OK) {
        (void)!engine_controls_add(engine, was, 1);
        return err;
    }
    admin_await(call, seq);
    return PDP_ERR_OK;
}

static const char *const UNKNOWN_PLACE = "no geo database that is served tells this, so that everybody would "
                                         "be denied as unsure; say `lock_out: true` "
                                         "(pdpctl: `--yes-lock-out`) if it is meant";

static const char *const PARDON_ALL = "this sets aside what is remembered of everybody; say `lock_out: true` "
                                      "(pdpctl: `--yes-lock-out`) if it is "
                                      "meant";

// Why the order asks again; NULL: it does not.
static const char *asks_again(const struct admin_call *call, const struct control *control)
{
    char digest[80];
    struct snapshot_facts facts;
    if (admin_true(call->root, "lock_out") || admin_true(call->root, "dry_run")) {
        return NULL;
    }
    (void)engine_serving(call->admin->engine, call->admin->worker, digest, &facts);
    enum control_kind kind = control->target.kind;
    if (control->pardon) {
        return kind == CONTROL_ALL ? PARDON_ALL : NULL;
    }
    if (kind == CONTROL_WHERE) {
        return call->always ? LOCK_OUT : NULL;
    }
    bool unknown = (kind == CONTROL_COUNTRY && (facts.geo_facts & GEO_COUNTRY) == 0) ||
                   (kind == CONTROL_ASN && (facts.geo_facts & GEO_ASN) == 0);
    return control_is_wide(control) ? LOCK_OUT : unknown ? UNKNOWN_PLACE : admin_guard(call, control);
}

// Do the policies that serve understand it? Where not, each mistake is told with its place.
static const char *condition_wrong(struct admin_call *call, struct str text)
{
    struct diags diags;
    struct buf said = {0};
    diags_init(&diags, CONDITION_MISTAKES_MOST);
    enum pdp_err err =
        engine_condition_check(call->admin->engine, call->admin->worker, text, &diags, &call->always);
    if (diags.count > 0) {
        bool ok = true;
        diags_render(&diags, &said);
        call->diagnostics = arena_str(&call->admin->arena, buf_view(&said), &ok);
    }
    diags_fini(&diags);
    buf_fini(&said);
    return err == PDP_ERR_OK           ? NULL
           : call->diagnostics.len > 0 ? "the condition is refused"
           : err == PDP_ERR_STATE      ? "nothing serves yet that could understand a condition"
                                       : pdp_err_text(err);
}

static const char *make(struct admin_call *call,
                        const char *(*read)(struct admin_call *call, struct control *spec),
                        struct control **out)
{
    struct control spec = {.created_ms = now_ms(call),
                           .author = node_asking_peer(call->asking)->name,
                           .reason = reason_of(call),
                           .message = admin_text(call->root, "message")};
    const char *wrong = read_target(call, &spec.target);
    *out = NULL;
    wrong = wrong != NULL ? wrong : read(call, &spec);
    if (spec.reason.len == 0 && admin_true(call->root, "dry_run")) {
        spec.reason = STR("preview");
    }
    if (wrong == NULL) {
        enum pdp_err err = engine_control_make(call->admin->engine, &spec, out, &wrong);
        wrong = err != PDP_ERR_OK && wrong == NULL ? err_text(err) : wrong;
    }
    if (wrong == NULL && spec.target.kind == CONTROL_WHERE) { // after its form
        wrong = condition_wrong(call, spec.target.value);
    }
    return wrong == NULL ? asks_again(call, *out) : wrong;
}

// A lock by a condition that ends what was authenticated before now: as a cut-off would, but only while it
// lasts, for each question runs it.
static const char *read_ending(struct admin_call *call, struct control *spec)
{
    if (spec->target.kind != CONTROL_WHERE) {
        return read_cut_off(call, spec);
    }
    spec->effect = PDP_EFFECT_TERMINATE;
    spec->before_ms = num_add_sat(spec->created_ms, 1);
    spec->expires_ms = num_add_sat(spec->created_ms, ENDING_KEEP_MS);
    bool timed = value_get(call->root, STR("for")) != NULL || value_get(call->root, STR("expires")) != NULL;
    return timed ? read_expiry(call, spec) : NULL;
}

const char *admin_ending_make(struct admin_call *call, struct control **out)
{
    return make(call, read_ending, out);
}

static void add(struct admin_call *call, const char *what,
                const char *(*read)(struct admin_call *call, struct control *spec))
{
    AUTO(control_drop) struct control *control = NULL;
    uint64_t seq = 0;
    const char *wrong = admin_wait_right(call) ? make(call, read, &control) : ADMIN_WAIT_WRONG;
    wrong = wrong == NULL ? admin_control_put(call->admin, control, &seq) : wrong;
    if (wrong != NULL) {
        admin_fail_call(call, wrong);
        return;
    }
    admin_await(call, seq);
    admin_told(call->admin, control->author, what, control, control->reason);
    answer_control(call, control);
}

void admin_lock_add(struct admin_call *call)
{
    add(call, "lock.add", read_lock);
}

void admin_mute_add(struct admin_call *call)
{
    add(call, "mute.add", read_mute);
}

void admin_pardon_add(struct admin_call *call)
{
    add(call, "pardon.add", read_pardon);
}

void admin_cut_off_add(struct admin_call *call)
{
    add(call, "cutoff.add", read_cut_off);
}

// What controls are called, by which operations list them and take them out.
enum what {
    WHAT_LOCK,
    WHAT_CUT_OFF,
    WHAT_MUTE,
    WHAT_PARDON
};

static const struct {
    const char *name, *list, *remove, *unknown; // remove NULL: it has no undo
} WHATS[] = {
    [WHAT_LOCK] = {"a lock", "locks", "lock.rm", "there is no lock of this `id`; it may have expired"},
    [WHAT_CUT_OFF] = {"a cut-off", "cutoffs", NULL, NULL},
    [WHAT_MUTE] = {"a mute", "mutes", "mute.rm", "there is no mute of this `id`; it may have expired"},
    [WHAT_PARDON] = {"a pardon", "pardons", "pardon.rm",
                     "there is no pardon of this `id`; it may have expired"},
};

static enum what what_of(const struct control *control)
{
    return control->pardon                            ? WHAT_PARDON
           : control->cut_off                         ? WHAT_CUT_OFF
           : control_kind_mutes(control->target.kind) ? WHAT_MUTE
                                                      : WHAT_LOCK;
}

struct found {
    uint64_t number;
    bool any;
    enum what what;
};

static bool is_it(void *user, const struct control *control)
{
    struct found *found = user;
    found->any = control->number == found->number;
    found->what = what_of(control);
    return false; // it alone
}

static uint64_t number_of(const struct admin_call *call)
{
    const struct value *id = value_get(call->root, STR("id"));
    return id != NULL && id->kind == VALUE_INT && id->as.i > 0 ? (uint64_t)id->as.i : 0;
}

// Why it cannot be taken out; NULL: it can.
static const char *not_to_remove(struct admin_call *call, enum what what, uint64_t number)
{
    struct found found = {.number = number};
    engine_controls_each(call->admin->engine, number, is_it, &found);
    if (!found.any) {
        return WHATS[what].unknown;
    }
    if (WHATS[found.what].remove == NULL) {
        return "a cut-off has no undo: what it ended is over";
    }
    struct str text = arena_printf(&call->admin->arena, "this is %s: `%s` takes it out%c",
                                   WHATS[found.what].name, WHATS[found.what].remove, '\0');
    return found.what == what ? NULL : text.len > 0 ? text.at : WHATS[what].unknown;
}

static void take_out(struct admin_call *call, enum what what)
{
    AUTO(control_drop) struct control *was = NULL;
    uint64_t number = number_of(call);
    struct str reason = reason_of(call);
    if (number == 0 || reason.len == 0 || reason.len > ADMIN_REASON_MAX) {
        admin_fail(call->emit, number == 0 ? "`id` is missing: the number that the list gives"
                                           : "a `reason` of 1 to 500 bytes is required");
        return;
    }
    if (!admin_wait_right(call)) {
        admin_fail(call->emit, ADMIN_WAIT_WRONG);
        return;
    }
    const char *wrong = not_to_remove(call, what, number);
    enum pdp_err err = wrong == NULL ? take(call, number, &was) : PDP_ERR_STATE;
    if (err != PDP_ERR_OK) {
        admin_fail(call->emit, wrong != NULL            ? wrong
                               : err == PDP_ERR_UNKNOWN ? WHATS[what].unknown
                                                        : pdp_err_text(err));
        return;
    }
    admin_told(call->admin, node_asking_peer(call->asking)->name, WHATS[what].remove, was, reason);
    answer_control(call, was);
}

void admin_lock_remove(struct admin_call *call)
{
    take_out(call, WHAT_LOCK);
}

void admin_mute_remove(struct admin_call *call)
{
    take_out(call, WHAT_MUTE);
}

void admin_pardon_remove(struct admin_call *call)
{
    take_out(call, WHAT_PARDON);
}

// ---- Lists -----------------------------------------------------------------------------------------

struct listing {
    struct emit *emit;
    enum what what;
    size_t left;
    int64_t now_ms;
    uint64_t next; // 0: that was all
};

static bool list_one(void *user, const struct control *control)
{
    struct listing *listing = user;
    if (what_of(control) != listing->what || control->expires_ms <= listing->now_ms) {
        return true;
    }
    if (listing->left == 0) {
        listing->next = control->number;
        return false;
    }
    listing->left--;
    put_control(listing->emit, control);
    return true;
}

static void list(struct admin_call *call, enum what what)
{
    size_t limit = 0;
    uint64_t from = 0;
    if (!admin_limit(call, &limit) || !admin_cursor(call, &from)) {
        admin_fail(call->emit, "`limit` is a number above 0, `after` what the last answer gave as `next`");
        return;
    }
    struct listing listing = {.emit = call->emit, .what = what, .left = limit, .now_ms = now_ms(call)};
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_int(call->emit, "controls_epoch", (int64_t)engine_controls_epoch(call->admin->engine));
    emit_key(call->emit, str_of(WHATS[what].list));
    emit_list(call->emit, SIZE_MAX);
    engine_controls_each(call->admin->engine, from, list_one, &listing);
    emit_end(call->emit);
    admin_put_next(call->emit, listing.next);
    emit_end(call->emit);
}

void admin_lock_list(struct admin_call *call)
{
    list(call, WHAT_LOCK);
}

void admin_cut_off_list(struct admin_call *call)
{
    list(call, WHAT_CUT_OFF);
}

void admin_mute_list(struct admin_call *call)
{
    list(call, WHAT_MUTE);
}

void admin_pardon_list(struct admin_call *call)
{
    list(call, WHAT_PARDON);
}

void admin_breaker_reset(struct admin_call *call)
{
    struct str reason;
    uint64_t ended = 0;
    if (!admin_reason(call, &reason)) {
        return;
    }
    bool held = engine_breaker(call->admin->engine, now_ms(call), &ended);
    engine_breaker_reset(call->admin->engine);
    emit_map(call->emit, 3);
    emit_key_bool(call->emit, "ok", true);
    emit_key_bool(call->emit, "held", held);
    emit_key_int(call->emit, "counted", (int64_t)ended);
    emit_end(call->emit);
}
