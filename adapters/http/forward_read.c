// SPDX-License-Identifier: Apache-2.0
#include "http/forward.h"

#define LINES_MOST 32 // of X-Forwarded-For

// Two families of headers. Whoever uses one does not overwrite those of the other: there the client has its
// say.
struct family {
    const char *method, *uri, *host, *scheme;
};
static const struct family ORIGINAL = {"X-Original-Method", "X-Original-URI", "X-Original-Host",
                                       "X-Original-Proto"};
static const struct family FORWARDED = {"X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Host",
                                        "X-Forwarded-Proto"};

struct look {
    const struct http_request *request;
    const char *why; // the first thing that is wrong
};

static void fail(struct look *look, const char *why)
{
    look->why = look->why != NULL ? look->why : why;
}

static struct text one(struct look *look, const char *name)
{
    bool more = false;
    struct text value = http_header(look->request, name, &more);
    if (more) {
        fail(look, "a header that is expected once is there twice");
    }
    return more || value.len == 0 ? (struct text){0} : value;
}

static bool has(const struct look *look, const char *name)
{
    return http_header(look->request, name, NULL).at != NULL;
}

static bool has_family(const struct look *look, const struct family *family)
{
    return has(look, family->method) || has(look, family->uri);
}

// ---- Method and target ----------------------------------------------------------------------------

static void read_family(struct look *look, const struct family *family, struct facts *facts)
{
    facts->method = one(look, family->method);
    facts->target = one(look, family->uri);
    if (facts->method.at == NULL || facts->target.at == NULL) {
        fail(look, "the gateway does not say which method and URI it asks about");
    }
}

// What stands behind the path that the gateway puts in front, with the query.
static void read_below(struct look *look, struct facts *facts)
{
    const size_t len = sizeof FORWARD_PATH - 1;
    struct text target = look->request->target;
    facts->method = look->request->method;
    if (target.len <= len || target.at[len] != '/') {
        fail(look, "nothing stands behind " FORWARD_PATH ": the gateway does not say what it asks about");
        return;
    }
    facts->target = (struct text){target.at + len, target.len - len};
}

static enum forward_way guess(struct look *look)
{
    bool below = look->request->path.len > sizeof FORWARD_PATH - 1;
    bool original = has_family(look, &ORIGINAL), forwarded = has_family(look, &FORWARDED);
    if (below + original + forwarded > 1) {
        fail(look, "the request says in two ways what it is about: say by `forward` which gateway asks");
    }
    return below ? FORWARD_ENVOY : forwarded ? FORWARD_CADDY : FORWARD_NGINX;
}

// ---- Addresses ------------------------------------------------------------------------------------

static void read_forwarded_for(struct look *look, struct facts *facts, struct text *room)
{
    struct text lines[LINES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < look->request->header_count; i++) {
        if (!text_is(look->request->headers[i].name, "X-Forwarded-For")) {
            continue;
        }
        if (count == LINES_MOST) {
            fail(look, "there are more X-Forwarded-For headers than are read");
            return;
        }
        lines[count++] = look->request->headers[i].value;
    }
    facts->forwarded_for = room;
    facts->forwarded_count = facts_forwarded(lines, count, room, FACTS_FORWARDED_MOST);
}

static void read_address(struct look *look, enum forward_address address, struct facts *facts)
{
    if (address == FORWARD_REAL_IP) {
        facts->address = one(look, "X-Real-IP");
        return;
    }
    if (facts->forwarded_count > 0) {
        facts->address = facts->forwarded_for[--facts->forwarded_count];
    }
}

// ---- All of it ------------------------------------------------------------------------------------

static const struct {
    const struct family *family; // NULL: the request line
    enum forward_address address;
} WAYS[FORWARD_WAY_COUNT] = {
    [FORWARD_NGINX] = {&ORIGINAL, FORWARD_REAL_IP},
    [FORWARD_CADDY] = {&FORWARDED, FORWARD_REAL_IP},
    [FORWARD_TRAEFIK] = {&FORWARDED, FORWARD_LAST},
    [FORWARD_ENVOY] = {NULL, FORWARD_LAST},
};

static void read_place(struct look *look, const struct family *family, struct facts *facts)
{
    struct text host = family != NULL ? one(look, family->host) : (struct text){0};
    struct text scheme = family != NULL ? one(look, family->scheme) : (struct text){0};
    facts->host = host.at != NULL ? host : one(look, "Host");
    facts->scheme = scheme.at != NULL ? scheme : one(look, FORWARDED.scheme);
}

const char *forward_read(const struct http_request *request, enum forward_way way,
                         enum forward_address address, struct facts *facts,
                         struct text room[FACTS_FORWARDED_MOST])
{
    struct look look = {.request = request};
    bool guessed = way == FORWARD_AUTO;
    way = guessed ? guess(&look) : way;
    const struct family *family = WAYS[way].family;
    if (family != NULL) {
        read_family(&look, family, facts);
    } else {
        read_below(&look, facts);
    }
    read_place(&look, family, facts);
    read_forwarded_for(&look, facts, room);
    // Of those that write the second family, not all overwrite X-Real-IP: guessing, it is not looked at.
    enum forward_address usual = guessed && way == FORWARD_CADDY ? FORWARD_LAST : WAYS[way].address;
    read_address(&look, address == FORWARD_BY_WAY ? usual : address, facts);
    facts->user_agent = one(&look, "User-Agent");
    return look.why;
}
