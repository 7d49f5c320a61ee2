// SPDX-License-Identifier: Apache-2.0
// Forward-auth: nginx's auth_request, Caddy's forward_auth, Traefik's ForwardAuth and Envoy's HTTP service
// ask here about a request of theirs. The status is the decision: 200, 401 or 403 and never another one.
#include "http/forward.h"

#include "common/identity.h"
#include "common/outcome.h"
#include "common/settings.h"
#include "http/part.h"

#include <stdio.h>
#include <stdlib.h>

#define SUBJECT_BYTES 256
#define COOKIE_BYTES 512
#define SUBJECT_HEADER "X-Pdp-Subject"

struct forward {
    struct pdp_adapter_setup setup; // clock and log; settings are gone
    struct identity *identity;
    enum forward_way way;
    enum forward_address address;
    bool details, clears_site_data, insecure_cookie;
    char *cookie_path, *cookie_domain;
};

// What the answer has to know of the request.
struct asked {
    struct text cookie; // that the session came from
    char subject[SUBJECT_BYTES];
};

// ---- Replies --------------------------------------------------------------------------------------

static void head(struct http_call *call, const char *name, const char *value)
{
    if (value[0] != '\0') {
        (void)http_reply_header(call, name, text_of(value));
    }
}

// A gateway that hands the whole reply to the client would tell an attacker what gave them away.
static bool is_for_clients(enum outcome_field field)
{
    return field == OUTCOME_EFFECT || field == OUTCOME_MESSAGE || field == OUTCOME_DECISION;
}

// One field; false where the answer says nothing of it.
static bool put_field(struct http_call *call, const struct pdp_answer *answer, enum outcome_field field)
{
    char text[OUTCOME_TEXT_MAX];
    char path[HTTP_BODY_MAX];
    bool whole = field == OUTCOME_PATH;
    if (outcome_text(answer, field, whole ? path : text, whole ? sizeof path : sizeof text) == 0) {
        return false;
    }
    head(call, outcome_header(field), whole ? path : text);
    return true;
}

static void put_refusal(struct http_call *call, const struct forward *self, const struct pdp_answer *answer,
                        const char *subject)
{
    for (int i = 0; i < OUTCOME_FIELDS; i++) {
        if (self->details || is_for_clients((enum outcome_field)i)) {
            (void)put_field(call, answer, (enum outcome_field)i);
        }
    }
    if (self->details) {
        head(call, SUBJECT_HEADER, subject);
    }
}

// Envoy sets what the answer has, and lets stand what the client sent under the other names, unless it is
// told.
static void put_allow(struct http_call *call, const struct forward *self, const struct pdp_answer *answer,
                      const char *subject)
{
    char lacks[OUTCOME_TEXT_MAX] = "";
    for (int i = 0; i <= OUTCOME_FIELDS; i++) {
        bool last = i == OUTCOME_FIELDS;
        const char *name = last ? SUBJECT_HEADER : outcome_header((enum outcome_field)i);
        if (last ? subject[0] == '\0' : !put_field(call, answer, (enum outcome_field)i)) {
            size_t len = strlen(lacks);
            (void)snprintf(lacks + len, sizeof lacks - len, "%s%s", len > 0 ? ", " : "", name);
        }
    }
    head(call, SUBJECT_HEADER, subject);
    if (self->way == FORWARD_ENVOY || self->way == FORWARD_AUTO) {
        head(call, "x-envoy-auth-headers-to-remove", lacks);
    }
}

// Takes the cookie away that names a session which is over.
static void clear_cookie(struct http_call *call, const struct forward *self, struct text cookie)
{
    char line[COOKIE_BYTES];
    int len = snprintf(
        line, sizeof line,
        "%.*s=; Path=%s%s%s; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax%s",
        (int)cookie.len, cookie.at, self->cookie_path, self->cookie_domain != NULL ? "; Domain=" : "",
        self->cookie_domain != NULL ? self->cookie_domain : "", self->insecure_cookie ? "" : "; Secure");
    if (len > 0 && (size_t)len < sizeof line) {
        head(call, "Set-Cookie", line);
    }
}

static void put_end(struct http_call *call, const struct forward *self, const struct asked *asked)
{
    if (asked->cookie.at != NULL) {
        clear_cookie(call, self, asked->cookie);
    }
    if (self->clears_site_data) {
        head(call, "Clear-Site-Data", "\"cache\", \"cookies\", \"storage\"");
    }
}

// Denied without a question: `challenge` makes it a 401.
static void refuse(struct http_call *call, const struct forward *self, const char *challenge, const char *why)
{
    head(call, outcome_header(OUTCOME_EFFECT), "deny");
    if (self->details) {
        head(call, outcome_header(OUTCOME_CODE), "malformed");
        head(call, outcome_header(OUTCOME_REASON), why);
    }
    if (challenge != NULL) {
        head(call, "WWW-Authenticate", challenge);
    }
    http_reply(call, challenge != NULL ? 401 : 403, HTTP_TEXT, TEXT("refused\n"));
}

static void answered(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer)
{
    const struct forward *self = http_self(call);
    const struct asked *asked = http_kept(call);
    struct outcome outcome;
    outcome_of(err == PDP_ERR_OK ? answer : NULL, &outcome);
    bool allowed = outcome.status == 200;
    if (allowed) {
        put_allow(call, self, answer, asked->subject);
    } else {
        put_refusal(call, self, err == PDP_ERR_OK ? answer : NULL, asked->subject);
    }
    if (outcome.status == 401) {
        head(call, "WWW-Authenticate", outcome.challenge);
    }
    if (outcome.ended) {
        put_end(call, self, asked);
    }
    http_reply(call, outcome.status, HTTP_TEXT, allowed ? TEXT("") : TEXT("refused\n"));
}

// ---- Questions ------------------------------------------------------------------------------------

static void ask(struct http_call *call, const struct forward *self, const struct facts *facts)
{
    struct pdp_question *question = NULL;
    if (pdp_question_new(&question) != PDP_ERR_OK || facts_ask(facts, question) != PDP_ERR_OK) {
        pdp_question_free(&question);
        refuse(call, self, NULL, "the request has text in it that is none, or more than a question can hold");
        return;
    }
    http_ask(call, question, answered);
    pdp_question_free(&question);
}

static void keep(struct asked *asked, const struct facts *facts, const struct identity_read *who)
{
    struct text id = facts->subject_id;
    if (id.at != NULL && id.len < sizeof asked->subject) {
        memcpy(asked->subject, id.at, id.len); // the rest is zero
    }
    asked->cookie = who->cookie;
}

static void identify(struct http_call *call, const struct forward *self, struct facts *facts)
{
    const struct http_request *request = http_request(call);
    struct identity_header headers[HTTP_HEADERS_MAX];
    struct identity_read who;
    struct asked *asked = http_memory(call, sizeof *asked);
    for (size_t i = 0; i < request->header_count; i++) {
        headers[i] = (struct identity_header){request->headers[i].name, request->headers[i].value};
    }
    if (asked == NULL) {
        refuse(call, self, NULL, "out of memory");
        return;
    }
    http_keep(call, asked);
    identity_read(self->identity, headers, request->header_count, true, self->setup.now_ms(self->setup.user),
                  facts, &who);
    if (who.verdict == IDENTITY_ASK) {
        keep(asked, facts, &who);
        ask(call, self, facts);
    } else {
        refuse(call, self, identity_challenge(&who), who.why);
    }
    identity_read_fini(&who);
}

static void serve(struct http_call *call)
{
    const struct forward *self = http_self(call);
    const struct http_request *request = http_request(call);
    struct text entries[FACTS_FORWARDED_MOST];
    struct facts facts = {0};
    // Whoever is no gateway of ours could say anything of a request that never was.
    if (!identity_trusts(self->identity, request->peer)) {
        refuse(call, self, NULL, "this peer is not among `trusted`");
        return;
    }
    const char *why = forward_read(request, self->way, self->address, &facts, entries);
    if (why != NULL) {
        refuse(call, self, NULL, why);
        return;
    }
    identify(call, self, &facts);
}

// ---- Its life -------------------------------------------------------------------------------------

static void forward_close(void **self_ptr)
{
    struct forward *self = *self_ptr;
    *self_ptr = NULL;
    if (self != NULL) {
        identity_free(&self->identity);
        free(self->cookie_path);
        free(self->cookie_domain);
        free(self);
    }
}

// What may stand in an attribute of a cookie.
static bool is_attribute(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 0x7f || *at == ';' || *at == ',') {
            return false;
        }
    }
    return text[0] != '\0' && strlen(text) <= 200;
}

static enum pdp_err read_attribute(const struct pdp_adapter_setup *setup, const char *name,
                                   const char *otherwise, char **out, struct pdp_adapter_wrong *wrong)
{
    const char *text = setting_text(setup, name);
    text = text != NULL ? text : otherwise;
    if (text == NULL) {
        return PDP_ERR_OK;
    }
    if (!is_attribute(text)) {
        return setting_wrong(
            setup, name, wrong, PDP_ERR_SYNTAX,
            "`%.100s` cannot stand in a cookie: expected 1 to 200 visible letters without `;` and `,`", text);
    }
    *out = strdup(text);
    return *out != NULL ? PDP_ERR_OK : setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
}

static enum pdp_err read_cookie(const struct pdp_adapter_setup *setup, struct forward *self,
                                struct pdp_adapter_wrong *wrong)
{
    bool secure = true;
    enum pdp_err err = read_attribute(setup, "cookie-path", "/", &self->cookie_path, wrong);
    err = err == PDP_ERR_OK ? read_attribute(setup, "cookie-domain", NULL, &self->cookie_domain, wrong) : err;
    err = err == PDP_ERR_OK ? setting_bool(setup, "cookie-secure", &secure, wrong) : err;
    self->insecure_cookie = !secure;
    return err == PDP_ERR_OK ? setting_bool(setup, "clear-site-data", &self->clears_site_data, wrong) : err;
}

static enum pdp_err read_way(const struct pdp_adapter_setup *setup, struct forward *self,
                             struct pdp_adapter_wrong *wrong)
{
    static const char *const NAMES[] = {
#define X(name, setting) setting,
        FORWARD_WAYS(X)
#undef X
            NULL};
    static const char *const ADDRESSES[] = {"x-real-ip", "x-forwarded-for", NULL};
    int way = 0, address = FORWARD_BY_WAY;
    enum pdp_err err = setting_choice(setup, "forward", NAMES, &way, wrong);
    err = err == PDP_ERR_OK ? setting_choice(setup, "client-address", ADDRESSES, &address, wrong) : err;
    self->way = (enum forward_way)way;
    self->address = (enum forward_address)address;
    self->details = self->way == FORWARD_NGINX; // which hands nothing of a refusal to the client
    return err == PDP_ERR_OK ? setting_bool(setup, "details", &self->details, wrong) : err;
}

static enum pdp_err forward_open(const struct pdp_adapter_setup *setup, void **out,
                                 struct pdp_adapter_wrong *wrong)
{
    *out = NULL;
    if (setting_text(setup, "forward") == NULL) {
        return PDP_ERR_OK;
    }
    struct forward *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    self->setup = *setup;
    enum pdp_err err = read_way(setup, self, wrong);
    err = err == PDP_ERR_OK ? read_cookie(setup, self, wrong) : err;
    err = err == PDP_ERR_OK ? identity_new(setup, &self->identity, wrong) : err;
    void *made = self;
    if (err != PDP_ERR_OK) {
        forward_close(&made);
    }
    *out = made;
    return err;
}

static void forward_reload(void *self)
{
    identity_reload(((struct forward *)self)->identity);
}

static const struct http_endpoint ENDPOINTS[] = {
    {.path = FORWARD_PATH, .below = true, .token_header = "X-Pdp-Token", .serve = serve},
};

const struct http_part http_forward = {
    .name = "forward",
    .open = forward_open,
    .reload = forward_reload,
    .close = forward_close,
    .endpoints = ENDPOINTS,
    .endpoint_count = COUNT_OF(ENDPOINTS),
};
