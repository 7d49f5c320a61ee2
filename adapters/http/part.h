// SPDX-License-Identifier: Apache-2.0
// Parts of the HTTP adapter: each has settings (in the table of adapter.c) and endpoints.
#ifndef HTTP_PART_H
#define HTTP_PART_H

#include "http/http.h"

struct http_endpoint {
    const char *method; // NULL: any. An endpoint for GET serves HEAD too
    const char *path;   // compared byte by byte with the raw path
    bool below;         // also whatever stands behind the path and a `/`
    bool tenants;       // also behind `/TENANT`
    bool tenant_below;  // also with `/TENANT` behind it
    // The header in which callers show their token: `Authorization` (as `Bearer TOKEN`), or another one,
    // which holds the token alone. NULL: anybody may call, and request.caller is NULL.
    const char *token_header;
    bool json; // takes a body of type application/json, and nothing else
    void (*serve)(struct http_call *call);
};

struct http_part {
    const char *name;
    // OK with *self NULL: the settings did not ask for this part, and its endpoints are not there. Copies
    // what it needs of `setup`. On failure *self is NULL and *wrong says why.
    enum pdp_err (*open)(const struct pdp_adapter_setup *setup, void **self, struct pdp_adapter_wrong *wrong);
    void (*reload)(void *self); // may be NULL; as pdp_adapter_kind's
    void (*close)(void **self); // leaves NULL behind; after the last call ended
    const struct http_endpoint *endpoints;
    size_t endpoint_count;
};

extern const struct http_part http_authzen, http_events, http_forward, http_logout;

#endif
