// SPDX-License-Identifier: Apache-2.0
// From a request to its endpoint: which one, who calls, and what kind of body.
#include "http/route.h"

#include "http/server.h"

#include <stdio.h>

// A tenant in a path is written as it is: nothing is decoded.
static bool tenant_right(struct text tenant)
{
    for (size_t i = 0; i < tenant.len; i++) {
        char c = tenant.at[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || strchr("._~-", c) == NULL)) {
            return false;
        }
    }
    bool dots = text_eq(tenant, TEXT(".")) || text_eq(tenant, TEXT(".."));
    return tenant.len > 0 && tenant.len <= 255 && !dots;
}

static bool named(struct text tenant, struct text *out)
{
    bool right = tenant_right(tenant);
    *out = right ? tenant : (struct text){0};
    return right;
}

bool route_path_is(const struct http_endpoint *endpoint, struct text path, struct text *tenant)
{
    size_t len = strlen(endpoint->path);
    *tenant = (struct text){0};
    if (path.len >= len && memcmp(path.at, endpoint->path, len) == 0) {
        struct text rest = {path.at + len, path.len - len};
        if (rest.len == 0 || (endpoint->below && rest.at[0] == '/')) {
            return true;
        }
        return endpoint->tenant_below && rest.at[0] == '/' &&
               named((struct text){rest.at + 1, rest.len - 1}, tenant);
    }
    return endpoint->tenants && path.len > len + 1 && path.at[0] == '/' &&
           memcmp(path.at + path.len - len, endpoint->path, len) == 0 &&
           named((struct text){path.at + 1, path.len - len - 1}, tenant);
}

static bool method_is(const struct http_endpoint *endpoint, struct text method)
{
    if (endpoint->method == NULL || text_eq(method, text_of(endpoint->method))) {
        return true;
    }
    return strcmp(endpoint->method, MHD_HTTP_METHOD_GET) == 0 && text_eq(method, TEXT("HEAD"));
}

static void allow(char *list, size_t room, const char *method)
{
    size_t len = strlen(list);
    const char *also = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ? ", HEAD" : "";
    (void)snprintf(list + len, room - len, "%s%s%s", len > 0 ? ", " : "", method, also);
}

// The endpoint of a path and a method. Where only the method is wrong, `allowed` says which are right.
static bool find(struct http_call *call, char *allowed, size_t room)
{
    allowed[0] = '\0';
    for (size_t i = 0; i < call->server->part_count; i++) {
        const struct http_opened *opened = &call->server->parts[i];
        for (size_t j = 0; j < opened->part->endpoint_count; j++) {
            const struct http_endpoint *endpoint = &opened->part->endpoints[j];
            struct text tenant;
            if (!route_path_is(endpoint, call->request.path, &tenant)) {
                continue;
            }
            if (method_is(endpoint, call->request.method)) {
                call->endpoint = endpoint;
                call->self = opened->self;
                call->request.tenant = tenant;
                return true;
            }
            allow(allowed, room, endpoint->method);
        }
    }
    return false;
}

// `application/json`, with whatever parameters.
static bool json_type(const struct http_request *request)
{
    bool more = false;
    struct text rest = http_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, &more);
    struct text type = {0};
    return text_cut(&rest, ';', &type) && text_is(text_trim(type), HTTP_JSON) && !more;
}

void route(struct http_call *call)
{
    char allowed[64];
    if (!find(call, allowed, sizeof allowed)) {
        if (allowed[0] == '\0') {
            http_refuse(call, MHD_HTTP_NOT_FOUND, "there is no such path here");
            return;
        }
        (void)http_reply_header(call, MHD_HTTP_HEADER_ALLOW, text_of(allowed));
        http_refuse(call, MHD_HTTP_METHOD_NOT_ALLOWED, "this path takes %s", allowed);
        return;
    }
    const char *header = call->endpoint->token_header;
    if (header != NULL && !callers_know(call->server->callers, &call->request, header, call->caller)) {
        (void)http_reply_header(call, MHD_HTTP_HEADER_WWW_AUTHENTICATE, TEXT("Bearer realm=\"pdp\""));
        http_refuse(
            call, MHD_HTTP_UNAUTHORIZED,
            "show who you are: a token of `tokens` in the header `%s`, or a certificate of `client-ca`",
            header);
        return;
    }
    call->request.caller = header != NULL && call->caller[0] != '\0' ? call->caller : NULL;
    if (call->endpoint->json && !json_type(&call->request)) {
        http_refuse(call, MHD_HTTP_BAD_REQUEST, "the content type is to be `application/json`");
    }
}
