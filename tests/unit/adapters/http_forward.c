// SPDX-License-Identifier: Apache-2.0
#include "http/forward.h"

#include <criterion/criterion.h>

#define MOST 12
#define NGINX "x-original-method: GET", "x-original-uri: /a?b"
#define CADDY "x-forwarded-method: PUT", "x-forwarded-uri: /c"

static const struct {
    const char *name;
    enum forward_way way;
    enum forward_address address;
    const char *line; // method and target of the request to us
    const char *headers[MOST];
    const char *why;                                              // part of it; NULL: it can be told
    const char *method, *target, *host, *scheme, *ip, *forwarded; // entries with a comma between
} CASES[] = {
    {"nginx",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "x-real-ip: 192.0.2.1", "x-forwarded-for: 198.51.100.1, 198.51.100.2", "host: shop.example",
      "x-forwarded-proto: https"},
     NULL,
     "GET",
     "/a?b",
     "shop.example",
     "https",
     "192.0.2.1",
     "198.51.100.1,198.51.100.2"},
    {"nginx that names host and scheme of its own",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "x-original-host: shop.example", "x-original-proto: http", "host: pdp",
      "x-forwarded-proto: https"},
     NULL,
     "GET",
     "/a?b",
     "shop.example",
     "http",
     NULL,
     ""},
    {"nginx, without X-Real-IP: what the client forwarded is not its address",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "x-forwarded-for: 198.51.100.1"},
     NULL,
     "GET",
     "/a?b",
     NULL,
     NULL,
     NULL,
     "198.51.100.1"},
    {"nginx with $proxy_add_x_forwarded_for",
     FORWARD_NGINX,
     FORWARD_LAST,
     "GET /forward-auth",
     {NGINX, "x-forwarded-for: 198.51.100.1, 192.0.2.1", "x-real-ip: 203.0.113.1"},
     NULL,
     "GET",
     "/a?b",
     NULL,
     NULL,
     "192.0.2.1",
     "198.51.100.1"},
    {"nginx, whose client sends the other family",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "x-forwarded-uri: /public", "x-forwarded-method: HEAD", "x-forwarded-host: evil"},
     NULL,
     "GET",
     "/a?b",
     NULL,
     NULL,
     NULL,
     ""},
    {"nginx that says nothing",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {CADDY},
     .why = "does not say which method and URI"},
    {"nginx that says no method",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {"x-original-uri: /a"},
     .why = "does not say which method and URI"},
    {"nginx, and the client too",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "X-ORIGINAL-URI: /public"},
     .why = "there twice"},
    {"X-Real-IP twice",
     FORWARD_NGINX,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "x-real-ip: 192.0.2.1", "x-real-ip: 192.0.2.2"},
     .why = "there twice"},

    {"caddy",
     FORWARD_CADDY,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {CADDY, "x-forwarded-host: shop.example", "x-forwarded-proto: https", "host: pdp",
      "x-real-ip: 192.0.2.1"},
     NULL,
     "PUT",
     "/c",
     "shop.example",
     "https",
     "192.0.2.1",
     ""},
    {"caddy, whose client sends the other family",
     FORWARD_CADDY,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {CADDY, NGINX},
     NULL,
     "PUT",
     "/c",
     NULL,
     NULL,
     NULL,
     ""},
    {"traefik",
     FORWARD_TRAEFIK,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {CADDY, "x-forwarded-for: 192.0.2.1", "x-real-ip: 203.0.113.1"},
     NULL,
     "PUT",
     "/c",
     NULL,
     NULL,
     "192.0.2.1",
     ""},
    {"several lines of X-Forwarded-For",
     FORWARD_TRAEFIK,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {CADDY, "x-forwarded-for: 198.51.100.1", "x-forwarded-for: 198.51.100.2 , 192.0.2.1"},
     NULL,
     "PUT",
     "/c",
     NULL,
     NULL,
     "192.0.2.1",
     "198.51.100.1,198.51.100.2"},
    {"an entry that is none",
     FORWARD_TRAEFIK,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {CADDY, "x-forwarded-for: 198.51.100.1,,192.0.2.1"},
     NULL,
     "PUT",
     "/c",
     NULL,
     NULL,
     "192.0.2.1",
     "198.51.100.1,"},

    {"envoy",
     FORWARD_ENVOY,
     FORWARD_BY_WAY,
     "DELETE /forward-auth/a%2Fb?c=%20",
     {"host: shop.example", "x-forwarded-for: 192.0.2.1"},
     NULL,
     "DELETE",
     "/a%2Fb?c=%20",
     "shop.example",
     NULL,
     "192.0.2.1",
     ""},
    {"envoy, two slashes stay two",
     FORWARD_ENVOY,
     FORWARD_BY_WAY,
     "GET /forward-auth//a",
     {NULL},
     NULL,
     "GET",
     "//a",
     NULL,
     NULL,
     NULL,
     ""},
    {"envoy, whose client sends both families",
     FORWARD_ENVOY,
     FORWARD_BY_WAY,
     "GET /forward-auth/a",
     {NGINX, CADDY},
     NULL,
     "GET",
     "/a",
     NULL,
     NULL,
     NULL,
     ""},
    {"envoy that says nothing",
     FORWARD_ENVOY,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX},
     .why = "nothing stands behind"},
    {"envoy, a query alone",
     FORWARD_ENVOY,
     FORWARD_BY_WAY,
     "GET /forward-auth?/a",
     {NULL},
     .why = "nothing stands behind"},

    {"guessed: nginx",
     FORWARD_AUTO,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "x-real-ip: 192.0.2.1"},
     NULL,
     "GET",
     "/a?b",
     NULL,
     NULL,
     "192.0.2.1",
     ""},
    {"guessed: caddy or traefik, which may let X-Real-IP through",
     FORWARD_AUTO,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {CADDY, "x-real-ip: 203.0.113.1", "x-forwarded-for: 192.0.2.1"},
     NULL,
     "PUT",
     "/c",
     NULL,
     NULL,
     "192.0.2.1",
     ""},
    {"guessed: envoy",
     FORWARD_AUTO,
     FORWARD_BY_WAY,
     "GET /forward-auth/a",
     {NULL},
     NULL,
     "GET",
     "/a",
     NULL,
     NULL,
     NULL,
     ""},
    {"guessed: both families",
     FORWARD_AUTO,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, CADDY},
     .why = "in two ways"},
    {"guessed: both families, that agree",
     FORWARD_AUTO,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {NGINX, "x-forwarded-uri: /a?b"},
     .why = "in two ways"},
    {"guessed: a path and a family",
     FORWARD_AUTO,
     FORWARD_BY_WAY,
     "GET /forward-auth/a",
     {NGINX},
     .why = "in two ways"},
    {"guessed: nothing",
     FORWARD_AUTO,
     FORWARD_BY_WAY,
     "GET /forward-auth",
     {"x-real-ip: 192.0.2.1"},
     .why = "does not say which method and URI"},
};

static void expect_text(const char *name, const char *what, struct text is, const char *wanted)
{
    cr_expect(wanted != NULL ? is.at != NULL && text_eq(is, text_of(wanted)) : is.at == NULL,
              "%s: %s is `%.*s`", name, what, (int)is.len, is.at != NULL ? is.at : "");
}

static struct text before(struct text text, char mark)
{
    struct text part = {0}, rest = text;
    (void)text_cut(&rest, mark, &part);
    return part;
}

static void read_case(size_t at, struct http_request *request, struct http_header *headers)
{
    *request = (struct http_request){.headers = headers};
    struct text line = text_of(CASES[at].line);
    (void)text_cut(&line, ' ', &request->method);
    request->target = line;
    request->path = before(line, '?');
    for (size_t i = 0; CASES[at].headers[i] != NULL; i++) {
        struct text rest = text_of(CASES[at].headers[i]), name = {0};
        (void)text_cut(&rest, ':', &name);
        headers[i] = (struct http_header){name, text_trim(rest)};
        request->header_count = i + 1;
    }
}

static void expect_forwarded(size_t at, const struct facts *facts)
{
    struct text rest = text_of(CASES[at].forwarded), entry;
    size_t count = 0;
    while (CASES[at].forwarded[0] != '\0' && text_cut(&rest, ',', &entry)) {
        cr_expect(count < facts->forwarded_count && text_eq(facts->forwarded_for[count], entry),
                  "%s: entry %zu", CASES[at].name, count);
        count++;
    }
    cr_expect_eq(facts->forwarded_count, count, "%s: %zu entries", CASES[at].name, facts->forwarded_count);
}

Test(http_forward, reads_what_a_gateway_says)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const char *name = CASES[i].name;
        struct http_header headers[MOST];
        struct http_request request;
        struct text room[FACTS_FORWARDED_MOST];
        struct facts facts = {0};
        read_case(i, &request, headers);
        const char *why = forward_read(&request, CASES[i].way, CASES[i].address, &facts, room);
        if (CASES[i].why != NULL) {
            cr_expect(why != NULL && strstr(why, CASES[i].why) != NULL, "%s: %s", name,
                      why != NULL ? why : "told");
            continue;
        }
        cr_expect_null(why, "%s: %s", name, why);
        expect_text(name, "method", facts.method, CASES[i].method);
        expect_text(name, "target", facts.target, CASES[i].target);
        expect_text(name, "host", facts.host, CASES[i].host);
        expect_text(name, "scheme", facts.scheme, CASES[i].scheme);
        expect_text(name, "address", facts.address, CASES[i].ip);
        expect_forwarded(i, &facts);
    }
}

Test(http_forward, bounds_what_was_forwarded)
{
    struct http_header headers[HTTP_HEADERS_MAX] = {{TEXT("X-Forwarded-Method"), TEXT("GET")},
                                                    {TEXT("X-Forwarded-Uri"), TEXT("/a")}};
    struct http_request request = {
        .headers = headers, .method = TEXT("GET"), .target = TEXT(FORWARD_PATH), .path = TEXT(FORWARD_PATH)};
    struct text room[FACTS_FORWARDED_MOST];
    for (size_t lines = 32; lines <= 33; lines++) {
        struct facts facts = {0};
        for (size_t i = 0; i < lines; i++) {
            headers[2 + i] =
                (struct http_header){TEXT("X-Forwarded-For"), TEXT("192.0.2.1, 192.0.2.2, 192.0.2.3")};
        }
        request.header_count = 2 + lines;
        const char *why = forward_read(&request, FORWARD_TRAEFIK, FORWARD_BY_WAY, &facts, room);
        cr_expect_eq(why != NULL, lines > 32, "%zu lines", lines);
        if (why == NULL) {
            cr_expect_eq(facts.forwarded_count, FACTS_FORWARDED_MOST - 1);
            expect_text("lines", "address", facts.address, "192.0.2.3");
        }
    }
}
