// SPDX-License-Identifier: Apache-2.0
#include "daemon/config/identity.h"

#include <sys/socket.h>
#include <unistd.h>

enum {
    GROUPS_MOST = 256
};

bool identity_matches(struct str pattern, struct str name)
{
    if (!str_starts(pattern, STR("*."))) {
        return str_eq(pattern, name);
    }
    size_t dot = str_find_byte(name, '.', 0);
    return dot > 0 && dot < name.len &&
           str_eq(str_sub(name, dot, name.len), str_sub(pattern, 1, pattern.len));
}

static bool in_group(const struct accepted *accepted, uint32_t gid)
{
    if (!accepted->has_uid || accepted->gid == gid) {
        return accepted->has_uid;
    }
    gid_t groups[GROUPS_MOST];
    socklen_t len = sizeof groups;
    if (getsockopt(accepted->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0) {
        return false; // more groups than we look at, or a kernel that does not tell
    }
    for (size_t i = 0; i < len / sizeof *groups; i++) {
        if (groups[i] == gid) {
            return true;
        }
    }
    return false;
}

static bool same_url(const struct url *a, const struct url *b)
{
    return a->transport == b->transport && a->tls == b->tls && strcmp(a->path, b->path) == 0 &&
           a->port == b->port && ip_eq(&a->ip, &b->ip);
}

static bool rule_matches(const struct peer_rule *rule, const struct listen_spec *spec,
                         const struct accepted *accepted, struct str certificate)
{
    if (rule->relay.len != 0) {
        return false;
    }
    if (rule->certificate.len != 0 &&
        (certificate.len == 0 || !identity_matches(rule->certificate, certificate))) {
        return false;
    }
    if (rule->has_uid && (!accepted->has_uid || accepted->uid != rule->uid)) {
        return false;
    }
    if (rule->has_listener && !same_url(&rule->listener, &spec->configured)) {
        return false;
    }
    return !rule->has_gid || in_group(accepted, rule->gid);
}

static uint32_t own_roles(const struct listen_spec *spec, const struct accepted *accepted)
{
    bool ours = accepted->has_uid && (accepted->uid == 0 || accepted->uid == geteuid());
    return !spec->own_only || ours ? spec->roles : 0;
}

bool identity_relayed(const struct peer_rules *rules, struct str gateway, struct peer *out)
{
    *out = (struct peer){0};
    for (size_t i = 0; i < rules->count; i++) {
        const struct peer_rule *rule = &rules->list[i];
        if (rule->relay.len != 0 && str_eq(rule->relay, gateway)) {
            *out = (struct peer){.name = rule->relay,
                                 .grants = rule->grants,
                                 .tenants = rule->tenants,
                                 .tenant_count = rule->tenant_count};
            return true;
        }
    }
    return false;
}

bool identity_settle(const struct peer_rules *rules, const struct listen_spec *spec,
                     const struct accepted *accepted, struct str certificate, struct peer *out)
{
    *out = (struct peer){0};
    struct str name = certificate.len != 0    ? certificate
                      : spec->name[0] != '\0' ? str_of(spec->name)
                                              : str_of(accepted->origin);
    for (size_t i = 0; rules != NULL && i < rules->count; i++) {
        const struct peer_rule *rule = &rules->list[i];
        if (rule_matches(rule, spec, accepted, certificate)) {
            *out = (struct peer){.name = rule->name.len != 0 ? rule->name : name,
                                 .grants = rule->grants | (spec->grants & GRANT_SIMULATE),
                                 .roles = rule->roles,
                                 .tenants = rule->tenants,
                                 .tenant_count = rule->tenant_count};
            return true;
        }
    }
    if (spec->url.tls) {
        return false;
    }
    *out = (struct peer){.name = name, .grants = spec->grants, .roles = own_roles(spec, accepted)};
    return true;
}
