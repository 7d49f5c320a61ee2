// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"
#include "daemon/server/server_inner.h"

void server_warn(const struct server *server, bool first)
{
    server_bundle_warn(server, first);
    if (server->state == NULL) {
        log_one(LOG_LEVEL_WARN, "state_in_memory", "meaning",
                "a restart forgets sessions and which of them were ended; `--state DIR` keeps them");
    }
    if (server->config->simulate) {
        log_one(LOG_LEVEL_WARN, "simulate", "meaning", "peers set the clock: never in production");
    }
    for (size_t i = 0; i < server->admin.count; i++) {
        const struct listen_spec *spec = &server->admin.list[i].spec;
        if (spec->url.transport == SP_TCP && !spec->url.tls && spec->roles != 0) {
            log_one(LOG_LEVEL_WARN, "admin_unauthenticated", "meaning",
                    "whoever reaches a loopback tcp listener has its roles: ipc and TLS know who asks");
            break;
        }
    }
    for (size_t i = 0; i < server->decide.count; i++) {
        const struct listen_spec *spec = &server->decide.list[i].spec;
        if (!url_is_loopback(&spec->url) &&
            (spec->tls == NULL || spec->tls->clients != TLS_CLIENTS_REQUIRED)) {
            log_one(LOG_LEVEL_WARN, "peers_unauthenticated", "meaning",
                    "tcp peers of other machines are believed as they are: keep the network closed");
            return;
        }
    }
}
