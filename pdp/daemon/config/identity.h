// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a connection, and what the configuration lets them do.
#ifndef DAEMON_CONFIG_IDENTITY_H
#define DAEMON_CONFIG_IDENTITY_H

#include "daemon/net/listen.h"

// One entry of `peers:`. What is not given matches anybody. Texts live as long as the configuration.
struct peer_rule {
    struct str certificate; // a name, or `*.` and a name: one label in front of it. Empty: not looked at
    bool has_uid, has_gid, has_listener;
    uint32_t uid, gid;
    struct url listener; // as it was configured
    struct str relay;    // of one that others ask for: matches no connection. Empty: of one that connects
    struct str name;     // what the peer is called; empty: as it would be without the rule
    uint32_t grants, roles;
    const struct str *tenants;
    size_t tenant_count;
};

struct peer_rules {
    const struct peer_rule *list;
    size_t count;
};

// Does a certificate's name match the pattern of a rule?
bool identity_matches(struct str pattern, struct str name);

// What the first rule that matches says of a connection that was accepted for `spec`; `certificate` is the
// name that its certificate proved, empty where there is none. Without a rule: what the listener says, and
// over ipc roles for root and our own uid alone. false, with *out zeroed: a peer of a TLS listener that no
// rule matches. The name may point into `accepted` or `certificate`. The hash is the caller's to fill in. May
// ask the kernel for the groups of the peer.
bool identity_settle(const struct peer_rules *rules, const struct listen_spec *spec,
                     const struct accepted *accepted, struct str certificate, struct peer *out);

// What the rule of a gateway that others ask for says. false, with *out zeroed: there is none.
bool identity_relayed(const struct peer_rules *rules, struct str gateway, struct peer *out);

#endif
