// SPDX-License-Identifier: Apache-2.0
// The head of a request, read so that only one meaning is left.
//
// libmicrohttpd 0.9.75 is lenient: it ends a line at a bare CR or LF, cuts values at a NUL, keeps a blank in
// front of a colon as part of the name, joins what a folded line says to the *name*, and lets a later blank
// stand in the request line. A gateway that reads such bytes in another way, and passes them on, would let
// its client write headers that only the gateway may. So all of it is refused. The library parses in place:
// where a line was read as it stands, each piece begins right behind the end of the one before, and that is
// what is looked at here.
#include "http/server.h"

struct walk {
    struct http_call *call;
    const char *next; // where the next piece has to begin
    bool right, full;
    size_t lengths, codings, hosts;
    bool chunked;
};

static bool token(struct text name)
{
    static const char MARKS[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || strchr(MARKS, c) == NULL)) {
            return false;
        }
    }
    return name.len > 0;
}

// Two ends of lines were read as CR LF, and became NULs.
static const char *behind_line(const char *end)
{
    return end[0] == '\0' && end[1] == '\0' ? end + 2 : NULL;
}

// A value has no control bytes but tabs.
static bool value_right(struct text value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static void count(struct walk *walk, struct text name, struct text value)
{
    if (text_is(name, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        walk->lengths++;
    } else if (text_is(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        walk->codings++;
        walk->chunked = text_is(value, "chunked");
    } else if (text_is(name, MHD_HTTP_HEADER_HOST)) {
        walk->hosts++;
    }
}

static enum MHD_Result on_header(void *user, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                 const char *value, size_t value_len)
{
    struct walk *walk = user;
    (void)kind;
    struct http_request *request = &walk->call->request;
    if (request->header_count == HTTP_HEADERS_MAX) {
        walk->full = true;
        return MHD_NO;
    }
    const char *from = name + name_len + 1; // behind the colon
    walk->right =
        walk->next == name && token((struct text){name, name_len}) && value != NULL && value >= from;
    for (const char *at = from; walk->right && at < value; at++) {
        walk->right = *at == ' ' || *at == '\t';
    }
    struct text is = {value, value_len};
    walk->right = walk->right && value_right(is);
    walk->next = walk->right ? behind_line(value + value_len) : NULL;
    if (walk->next == NULL) {
        walk->right = false;
        return MHD_NO;
    }
    struct http_header *header = &walk->call->headers[request->header_count++];
    *header = (struct http_header){{name, name_len}, text_trim(is)};
    count(walk, header->name, header->value);
    return MHD_YES;
}

static bool refused(const char **why, unsigned *status, unsigned as, const char *text)
{
    *why = text;
    *status = as;
    return false;
}

// The pieces of the request line, each right behind the one before.
static const char *behind_request_line(const struct http_call *call, const char *path, const char *method,
                                       const char *version)
{
    size_t target = strlen(call->target);
    bool known = strcmp(version, MHD_HTTP_VERSION_1_1) == 0 || strcmp(version, MHD_HTTP_VERSION_1_0) == 0;
    if (!known || path != method + strlen(method) + 1 || version != path + target + 1 || target == 0) {
        return NULL;
    }
    for (size_t i = 0; i < target; i++) {
        unsigned char c = (unsigned char)call->target[i];
        if (c <= 0x20 || c == 0x7f) {
            return NULL;
        }
    }
    return behind_line(version + strlen(version));
}

bool head_read(struct http_call *call, const char *path, const char *method, const char *version,
               const char **why, unsigned *status)
{
    struct http_request *request = &call->request;
    struct walk walk = {.call = call, .right = true};
    request->headers = call->headers;
    request->method = text_of(method);
    request->target = text_of(call->target);
    struct text rest = request->target;
    (void)text_cut(&rest, '?', &request->path);
    request->query = rest;
    walk.next = behind_request_line(call, path, method, version);
    if (walk.next == NULL || !token(request->method)) {
        return refused(why, status, MHD_HTTP_BAD_REQUEST, "the request line is not `METHOD TARGET HTTP/1.1`");
    }
    (void)MHD_get_connection_values_n(call->connection, MHD_HEADER_KIND, on_header, &walk);
    if (walk.full) {
        return refused(why, status, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers");
    }
    if (!walk.right || behind_line(walk.next) == NULL) {
        return refused(why, status, MHD_HTTP_BAD_REQUEST,
                       "a header is not `NAME: VALUE` on a line of its own, ended by CR LF");
    }
    if (walk.lengths + walk.codings > 1 || (walk.codings > 0 && !walk.chunked)) {
        return refused(why, status, MHD_HTTP_BAD_REQUEST,
                       "the length of the body is to be said once: by Content-Length, or as chunked");
    }
    if (walk.hosts > 1) {
        return refused(why, status, MHD_HTTP_BAD_REQUEST, "there is more than one Host");
    }
    return true;
}
