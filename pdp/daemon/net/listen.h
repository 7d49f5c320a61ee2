// SPDX-License-Identifier: Apache-2.0
// Sockets to listen on, ours or inherited, and who is at the other end of what they accept.
#ifndef DAEMON_NET_LISTEN_H
#define DAEMON_NET_LISTEN_H

#include "daemon/config/url.h"
#include "daemon/net/tls.h"
#include "node/node.h"
#include "node/roles.h"

#define LISTEN_NAME_MAX 128
#define LISTEN_WHY_MAX 240

// What the configuration says of one listener.
struct listen_spec {
    struct url url, configured; // the one names the port that was really given
    char name[LISTEN_NAME_MAX]; // of its peers; empty: `uid:N` or `ip:ADDRESS`
    uint32_t grants;
    uint32_t roles;               // at the admin endpoint
    bool own_only;                // roles are for our own uid and root alone: nobody said otherwise
    uint32_t mode;                // of an ipc socket's file
    const struct tls_config *tls; // where the address is one with TLS
};

struct listener {
    int fd; // -1: closed
    bool inherited;
    uint64_t file_device, file_number; // of the ipc socket's file that we made; 0: none
    struct listen_spec spec;
};

// Binds and listens. A socket file that nobody answers on is replaced; one that is answered on, or that is no
// socket, is left alone (STATE). IO with the system's words in `why`.
MUST_USE enum pdp_err listener_open(const struct listen_spec *spec, struct listener *out,
                                    char why[LISTEN_WHY_MAX]);
// Takes over a descriptor of the service manager's. UNSUPPORTED where it is no listening stream socket of
// ours.
MUST_USE enum pdp_err listener_inherit(int fd, struct listener *out, char why[LISTEN_WHY_MAX]);
// Closes it; removes the file of an ipc socket that we made.
void listener_close(struct listener *listener);

struct accepted {
    int fd;
    enum sp_transport transport;
    char origin[80]; // `uid:1000`, `ip:192.0.2.1`
    bool has_uid;    // of an ipc peer, with what the kernel says of it
    uint32_t uid, gid;
};
// One connection, non-blocking. Leaves errno, and fd -1, on failure.
bool listener_accept(const struct listener *listener, struct accepted *out);

#endif
