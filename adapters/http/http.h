// SPDX-License-Identifier: Apache-2.0
// HTTP for gateways: what an endpoint sees of a request, how it asks, and how it replies. An endpoint is a
// line in the table of a part (part.h); all of them are served by one server (server.h).
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "common/text.h"

#include <pdp/adapter.h>

#define HTTP_BODY_MAX 65536   // bytes; a longer body is 413
#define HTTP_HEADERS_MAX 128  // lines; more are 431
#define HTTP_REPLY_HEADERS 32 // that one reply can have beside those of the server
#define HTTP_JSON "application/json"
#define HTTP_TEXT "text/plain; charset=utf-8"

struct http_header {
    struct text name, value; // as they came; blanks around the value are left off
};

// One request, as its bytes came. Whatever two servers could read in two ways has been refused before: folded
// lines, bare line ends, NULs, blanks before a colon, two lengths. All is borrowed for as long as the call
// lives.
struct http_request {
    struct text method, target; // as in the request line: nothing is decoded, the query is there
    struct text path, query; // of the target, before and behind the first `?`; query.at is NULL without one
    struct text tenant;      // that the path names, where the endpoint has tenants; at NULL without one
    const struct http_header *headers; // in their order, with duplicates
    size_t header_count;
    struct text body;
    const char *peer;        // address that connected: `192.0.2.1`, `2001:db8::1`; empty on a unix socket
    const char *certificate; // name in the client's certificate, which was verified; NULL: none
    const char *caller;      // who was authenticated; NULL: nobody had to be
    bool secure;             // came over TLS
};

// One request and its reply, while it is under way. Belongs to the thread that serves it.
struct http_call;

const struct http_request *http_request(const struct http_call *call);
// What the endpoint's part made in `open`.
void *http_self(const struct http_call *call);
// The first header of a name (ASCII case does not count); at NULL where there is none. *more, where not NULL,
// is told whether there is another one.
struct text http_header(const struct http_request *request, const char *name, bool *more);
// Zeroed memory that goes with the call; NULL where memory is out.
void *http_memory(struct http_call *call, size_t bytes);
// One pointer of the endpoint's own, for what it is answered; NULL where none was kept.
void http_keep(struct http_call *call, void *kept);
void *http_kept(const struct http_call *call);

// ---- Asking ------------------------------------------------------------------------------------------

// Gets what pdp_decider_ask would tell; `answer` may be NULL, and is borrowed. Runs once, on the thread that
// serves the call, maybe before http_ask returns. It has to reply, or to ask again.
typedef void http_answered(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer);

// Asks in the name of the caller, with the deadline of the settings. `question` is borrowed for this call.
// After it an endpoint returns without touching the call again.
void http_ask(struct http_call *call, const struct pdp_question *question, http_answered *then);

// ---- Replying ----------------------------------------------------------------------------------------

// The first reply counts. A call that was left without one is 500. `type` NULL: no content type. Each of them
// copies; where memory is out the connection is cut, which no gateway takes for a yes.
void http_reply(struct http_call *call, unsigned status, const char *type, struct text body);
// As http_reply; `body` is from malloc and belongs to the reply. NULL is 500.
void http_reply_owned(struct http_call *call, unsigned status, const char *type, char *body, size_t len);
// A line of text for people, such as why a request is refused.
__attribute__((format(printf, 3, 4))) void http_refuse(struct http_call *call, unsigned status,
                                                       const char *format, ...);
// To be called before the reply. Bytes below 0x20, and 0x7f, become blanks. false: too many, or memory is
// out; the reply is then 500.
bool http_reply_header(struct http_call *call, const char *name, struct text value);

#endif
