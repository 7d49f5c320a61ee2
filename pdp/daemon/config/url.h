// SPDX-License-Identifier: Apache-2.0
// Addresses to listen on: `ipc:///path`, `tcp://127.0.0.1:7700`, `tls+tcp://127.0.0.1:7700`.
#ifndef DAEMON_CONFIG_URL_H
#define DAEMON_CONFIG_URL_H

#include "base/ip.h"
#include "sp/sp.h"

#define URL_PATH_MAX 107 // bytes of a unix socket's path

struct url {
    enum sp_transport transport; // the bytes of `tls+tcp` are those of tcp
    bool tls;
    char path[URL_PATH_MAX + 1]; // ipc
    struct ip ip;                // tcp
    uint16_t port;               // tcp; 0: any free one
};

// MALFORMED, RANGE or UNSUPPORTED with *why, static text.
MUST_USE enum pdp_err url_parse(struct str text, struct url *out, const char **why);
void url_print(const struct url *url, struct buf *out);
bool url_is_loopback(const struct url *url); // true for ipc

#endif
