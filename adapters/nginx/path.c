// SPDX-License-Identifier: Apache-2.0
// nginx picks a location, and a file, by the path as it reads it; the decision point judges the path as it
// reads it. A request passes only where the two readings are the same.
#include "pdp_nginx.h"

static int hex_of(u_char byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                                        : -1;
}

// Is `path`, with its escapes read once, `decoded`?
static bool reads_as(struct text path, ngx_str_t decoded)
{
    size_t at = 0;
    for (size_t i = 0; i < decoded.len; i++, at++) {
        if (at >= path.len) {
            return false;
        }
        u_char byte = (u_char)path.at[at];
        if (byte == '%') {
            int high = path.len - at > 2 ? hex_of((u_char)path.at[at + 1]) : -1;
            int low = path.len - at > 2 ? hex_of((u_char)path.at[at + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            byte = (u_char)(high << 4 | low);
            at += 2;
        }
        if (byte != decoded.data[i]) {
            return false;
        }
    }
    return at == path.len;
}

// What may stand in a request line as it is.
static bool is_plain(struct text path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] <= ' ' || path.at[i] > '~' || path.at[i] == '?' || path.at[i] == '#') {
            return false;
        }
    }
    return path.len > 0 && path.at[0] == '/';
}

const char *path_check(ngx_http_request_t *r, const struct pdp_answer *answer, ngx_str_t *path)
{
    struct text judged = {0};
    ngx_str_null(path);
    if (!pdp_answer_get_text(answer, "context.resource.path", &judged.at, &judged.len) || !is_plain(judged)) {
        return "the answer names no path";
    }
    // Once a rewrite or a redirect inside has changed it, nginx's path is the configuration's own choice.
    if (r->valid_unparsed_uri && !reads_as(judged, r->uri)) {
        return "nginx reads another path than was judged";
    }
    u_char *copy = ngx_pnalloc(r->pool, judged.len);
    if (copy == NULL) {
        return "memory is out";
    }
    ngx_memcpy(copy, judged.at, judged.len);
    *path = (ngx_str_t){judged.len, copy};
    return NULL;
}
