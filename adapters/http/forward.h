// SPDX-License-Identifier: Apache-2.0
// What a gateway says of the request that it asks about: each has its own way, and none overwrites what
// another one's way would read. So it is told which one asks.
#ifndef HTTP_FORWARD_H
#define HTTP_FORWARD_H

#include "common/facts.h"
#include "http/http.h"

#define FORWARD_PATH "/forward-auth"

// X(NAME, setting)
#define FORWARD_WAYS(X)   \
    X(NGINX, "nginx")     \
    X(CADDY, "caddy")     \
    X(TRAEFIK, "traefik") \
    X(ENVOY, "envoy")     \
    X(AUTO, "auto")

enum forward_way {
#define X(name, setting) FORWARD_##name,
    FORWARD_WAYS(X)
#undef X
    FORWARD_WAY_COUNT
};

// Who connected to the gateway: X-Real-IP, or the last entry of X-Forwarded-For.
enum forward_address {
    FORWARD_REAL_IP,
    FORWARD_LAST,
    FORWARD_BY_WAY // as the way has it
};

// Fills method, target, host, scheme, addresses and user agent; `room` takes the entries of X-Forwarded-For.
// NULL, or why it cannot be told what is asked about: to be denied. Texts point into the request.
const char *forward_read(const struct http_request *request, enum forward_way way,
                         enum forward_address address, struct facts *facts,
                         struct text room[FACTS_FORWARDED_MOST]);

#endif
