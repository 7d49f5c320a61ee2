// SPDX-License-Identifier: Apache-2.0
// What peers of the admin endpoint may do: bits of peer.roles. A peer may have several.
#ifndef NODE_ROLES_H
#define NODE_ROLES_H

// X(name, word, bit, what it may do)
#define ROLE_LIST(X)                                                                 \
    X(AUDITOR, "auditor", 0, "reads: status, lists, sessions, what was recorded")    \
    X(ANALYST, "analyst", 1, "reads, and ends, locks, mutes, pardons and goes back") \
    X(ARCHITECT, "architect", 2, "reads the status, and loads policies or goes back")

enum {
#define X(name, word, bit, meaning) ROLE_##name = 1 << (bit),
    ROLE_LIST(X)
#undef X
    ROLE_ALL = (1 << 3) - 1,
    // Who may run an operation of the admin endpoint.
    ROLES_ANY = ROLE_ALL,                       // what is served and counted
    ROLES_READ = ROLE_AUDITOR | ROLE_ANALYST,   // what is known of people
    ROLES_AUDIT = ROLE_AUDITOR,                 // what was recorded
    ROLES_ACT = ROLE_ANALYST,                   // what ends, locks, mutes or pardons
    ROLES_SERVE = ROLE_ARCHITECT,               // what is served
    ROLES_BACK = ROLE_ANALYST | ROLE_ARCHITECT, // what was served, again
};

#endif
