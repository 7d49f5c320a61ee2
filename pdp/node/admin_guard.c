// SPDX-License-Identifier: Apache-2.0
// Does an order name those who administer, or the very one who gives it?
#include "node/admin_ops.h"

#include "engine/controls.h"

static const char *const GUARDED =
    "this names an administrator (`administrators:` in the daemon's file); say `lock_out: true` "
    "(pdpctl: `--yes-lock-out`) if it is meant";
static const char *const YOURSELF =
    "this names you: the peer or the address that you give the order by; say `lock_out: true` "
    "(pdpctl: `--yes-lock-out`) if it is meant";

static bool in_texts(const struct str *list, size_t count, struct str text)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(list[i], text)) {
            return true;
        }
    }
    return false;
}

bool admin_guards_subject(const struct admin *admin, struct str subject)
{
    const struct admin_guarded *guarded = &admin->host.guarded;
    return in_texts(guarded->subjects, guarded->subject_count, subject);
}

// Whoever has an administrator's role has those that it brings along, too.
static bool guards_role(const struct admin_call *call, struct str role)
{
    struct admin *admin = call->admin;
    const struct admin_guarded *guarded = &admin->host.guarded;
    bool is = in_texts(guarded->roles, guarded->role_count, role);
    for (size_t i = 0; i < guarded->role_count && !is; i++) {
        is = engine_role_brings(admin->engine, admin->worker, guarded->roles[i], role);
    }
    return is;
}

static bool meet(const struct cidr *a, const struct cidr *b)
{
    return cidr_holds(a, &b->base) || cidr_holds(b, &a->base);
}

static bool read_range(const struct control_target *target, struct cidr *out)
{
    if (target->kind == CONTROL_PREFIX) {
        return cidr_parse(target->value, false, out);
    }
    bool right = target->kind == CONTROL_ADDRESS && ip_parse(target->value, &out->base);
    out->bits = right && !out->base.v4 ? 128 : 32;
    return right;
}

static bool guards_range(const struct admin *admin, const struct control_target *target)
{
    const struct admin_guarded *guarded = &admin->host.guarded;
    struct cidr range;
    if (!read_range(target, &range)) {
        return false;
    }
    for (size_t i = 0; i < guarded->address_count; i++) {
        if (meet(&guarded->addresses[i], &range)) {
            return true;
        }
    }
    return false;
}

static bool guards_session(const struct admin_call *call, struct str session)
{
    struct session_view *view = &call->admin->views[0];
    return session_look(engine_sessions(call->admin->engine), session, view) &&
           admin_guards_subject(call->admin, str_of(view->subject_id));
}

// An origin over tcp is `ip:` and the address.
static bool is_asker(const struct admin_call *call, const struct control_target *target)
{
    struct str origin = node_asking_origin(call->asking);
    struct cidr range;
    struct ip ip;
    if (target->kind == CONTROL_GATEWAY) {
        return str_eq(target->value, node_asking_peer(call->asking)->name);
    }
    return str_starts(origin, STR("ip:")) && ip_parse(str_sub(origin, 3, origin.len), &ip) &&
           read_range(target, &range) && cidr_holds(&range, &ip);
}

const char *admin_guard(const struct admin_call *call, const struct control *control)
{
    const struct control_target *target = &control->target;
    struct str said = admin_text(value_get(call->root, STR("target")), "value"); // a session of the family
    bool guarded = (target->kind == CONTROL_SUBJECT && admin_guards_subject(call->admin, target->value)) ||
                   (target->kind == CONTROL_ROLE && guards_role(call, target->value)) ||
                   (target->kind == CONTROL_SESSION && guards_session(call, target->value)) ||
                   (target->kind == CONTROL_FAMILY && guards_session(call, said)) ||
                   guards_range(call->admin, target);
    return guarded ? GUARDED : is_asker(call, target) ? YOURSELF : NULL;
}
