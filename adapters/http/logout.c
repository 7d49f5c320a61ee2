// SPDX-License-Identifier: Apache-2.0
// Receiver of OpenID Connect Back-Channel Logout 1.0: an identity provider tells that somebody logged out,
// and the session, or all of theirs, is over before it is answered.
#include "http/logout_token.h"

#include "common/form.h"
#include "common/identity.h"
#include "common/jwt.h"
#include "common/replay.h"
#include "common/settings.h"
#include "http/part.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define FORM "application/x-www-form-urlencoded"
#define JTI_BYTES 256

struct logout {
    struct pdp_adapter_setup setup; // clock and log; settings are gone
    struct identity *identity;
    struct jwt *jwt;
    struct replay *replay;
};

// What the answer has to know of the token.
struct asked {
    char jti[JTI_BYTES];
    size_t jti_len;
    int64_t until_s;
};

// ---- Replies --------------------------------------------------------------------------------------

static void refuse(struct http_call *call, const struct logout *self, unsigned status, const char *why)
{
    char body[512];
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\",\"error_description\":\"%s\"}\n",
                       status == 400 ? "invalid_request" : "temporarily_unavailable", why);
    self->setup.log(self->setup.user, PDP_LOG_WARN, "logout_refused", why);
    bool whole = len > 0 && (size_t)len < sizeof body;
    http_reply(call, status, HTTP_JSON, whole ? (struct text){body, (size_t)len} : TEXT("{}"));
}

static void answered(struct http_call *call, enum pdp_err err, const struct pdp_answer *answer)
{
    const struct logout *self = http_self(call);
    const struct asked *asked = http_kept(call);
    if (err == PDP_ERR_OK && pdp_answer_recorded(answer)) {
        replay_note(self->replay, (struct text){asked->jti, asked->jti_len}, asked->until_s,
                    self->setup.now_ms(self->setup.user) / 1000);
        http_reply(call, 200, NULL, TEXT(""));
    } else if (err == PDP_ERR_OK && pdp_answer_code(answer) == PDP_CODE_FIXATION) {
        refuse(call, self, 400, "the session belongs to somebody else");
    } else {
        refuse(call, self, 503, "the logout was not recorded");
    }
}

// ---- The event ------------------------------------------------------------------------------------

static void put(struct pdp_question *event, const char *path, struct text text)
{
    if (text.at != NULL) {
        (void)pdp_question_set_text_n(event, path, text.at, text.len);
    }
}

// The same token is the same event, however often it is sent.
static void put_request_id(struct pdp_question *event, struct text jti)
{
    static const char HEX[] = "0123456789abcdef";
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char id[8 + 32 + 1] = "logout-";
    size_t at = strlen(id);
    SHA256((const unsigned char *)jti.at, jti.len, digest);
    for (size_t i = 0; i < 16; i++) {
        id[at++] = HEX[digest[i] >> 4];
        id[at++] = HEX[digest[i] & 15];
    }
    put(event, "request_id", (struct text){id, at});
}

// By the session's id where sessions are known by one of the token's claims, else all of the subject's.
static enum pdp_err fill(struct pdp_question *event, const struct facts *facts, struct text jti)
{
    put_request_id(event, jti);
    put(event, "tenant", facts->tenant);
    put(event, "event.type", TEXT("logout"));
    if (facts->subject_id.at != NULL) {
        put(event, "event.subject.type", facts->subject_type);
        put(event, "event.subject.id", facts->subject_id);
    }
    if (facts->session_id.at != NULL) {
        put(event, "event.context.session.id", facts->session_id);
    } else {
        (void)pdp_question_set_bool(event, "event.properties.all", true);
    }
    return pdp_question_error(event);
}

static void tell(struct http_call *call, const struct logout *self, const struct facts *facts,
                 const struct logout_token *token)
{
    struct pdp_question *event = NULL;
    struct asked *asked = http_memory(call, sizeof *asked);
    if (asked == NULL || pdp_question_new(&event) != PDP_ERR_OK ||
        fill(event, facts, token->jti) != PDP_ERR_OK) {
        pdp_question_free(&event);
        refuse(call, self, 503, "out of memory");
        return;
    }
    memcpy(asked->jti, token->jti.at, token->jti.len);
    asked->jti_len = token->jti.len;
    asked->until_s = token->until_s;
    http_keep(call, asked);
    http_ask(call, event, answered);
    pdp_question_free(&event);
}

// ---- The token ------------------------------------------------------------------------------------

static void act(struct http_call *call, struct logout *self, const json_t *claims, int64_t now_ms)
{
    struct logout_token token;
    struct facts facts = {0};
    struct identity_read who;
    const char *why = logout_token_read(claims, now_ms, &token);
    if (why != NULL) {
        refuse(call, self, 400, why);
        return;
    }
    if (replay_has(self->replay, token.jti, now_ms / 1000)) {
        refuse(call, self, 400, "it was acted on before");
        return;
    }
    identity_of_claims(self->identity, claims, &facts, &who);
    if (who.verdict != IDENTITY_ASK) {
        refuse(call, self, 400, who.why);
    } else if (facts.session_id.at == NULL && facts.subject_id.at == NULL) {
        refuse(call, self, 501, "it names nobody by a claim that sessions or subjects are known by here");
    } else {
        tell(call, self, &facts, &token);
    }
}

static bool is_form(const struct http_request *request)
{
    bool more = false;
    struct text rest = http_header(request, "Content-Type", &more), type = {0};
    return text_cut(&rest, ';', &type) && text_is(text_trim(type), FORM) && !more;
}

static void serve(struct http_call *call)
{
    struct logout *self = http_self(call);
    const struct http_request *request = http_request(call);
    char token[JWT_BYTES_MOST];
    size_t len = 0;
    int64_t now_ms = self->setup.now_ms(self->setup.user);
    struct claims *claims = NULL;
    if (!is_form(request) ||
        form_field(request->body, "logout_token", token, sizeof token, &len) != PDP_ERR_OK) {
        refuse(call, self, 400, "expected a form with one `logout_token` of at most 8,192 bytes");
        return;
    }
    enum jwt_fault fault = jwt_check(self->jwt, token, len, now_ms, &claims);
    if (fault == JWT_OK) {
        act(call, self, claims_object(claims), now_ms);
    } else {
        // Keys that are not there, or are being read, may be there when it is sent again.
        refuse(call, self, fault == JWT_NO_KEYS || fault == JWT_NOMEM ? 503 : 400, jwt_fault_text(fault));
    }
    claims_release(&claims);
}

// ---- Its life -------------------------------------------------------------------------------------

static void logout_close(void **self_ptr)
{
    struct logout *self = *self_ptr;
    *self_ptr = NULL;
    if (self != NULL) {
        jwt_free(&self->jwt);
        identity_free(&self->identity);
        replay_free(&self->replay);
        free(self);
    }
}

static enum pdp_err open_verifier(const struct pdp_adapter_setup *setup, struct logout *self,
                                  struct pdp_adapter_wrong *wrong)
{
    static const char *const TYPES[] = {"logout+jwt", "JWT"};
    enum pdp_err err = identity_new(setup, &self->identity, wrong);
    if (err != PDP_ERR_OK) {
        return err;
    }
    if (identity_rules(self->identity) == NULL) {
        return setting_wrong(
            setup, "backchannel-logout", wrong, PDP_ERR_MISSING,
            "say by `jwks`, `jwt-issuer` and `jwt-audience` whose logout tokens are believed");
    }
    struct jwt_rules rules = *identity_rules(self->identity);
    rules.types = TYPES;
    rules.type_count = COUNT_OF(TYPES);
    rules.type_may_lack = true;
    rules.events = true;
    self->replay = replay_new();
    if (self->replay == NULL || jwt_new(&rules, identity_keys(self->identity), 0, &self->jwt) != PDP_ERR_OK) {
        return setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    return PDP_ERR_OK;
}

static enum pdp_err logout_open(const struct pdp_adapter_setup *setup, void **out,
                                struct pdp_adapter_wrong *wrong)
{
    bool wanted = false;
    *out = NULL;
    enum pdp_err err = setting_bool(setup, "backchannel-logout", &wanted, wrong);
    if (err != PDP_ERR_OK || !wanted) {
        return err;
    }
    struct logout *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    self->setup = *setup;
    err = open_verifier(setup, self, wrong);
    void *made = self;
    if (err != PDP_ERR_OK) {
        logout_close(&made);
    }
    *out = made;
    return err;
}

static void logout_reload(void *self)
{
    identity_reload(((struct logout *)self)->identity);
}

// Who sends it is told by its signature.
static const struct http_endpoint ENDPOINTS[] = {
    {.method = "POST", .path = "/backchannel-logout", .serve = serve},
};

const struct http_part http_logout = {
    .name = "logout",
    .open = logout_open,
    .reload = logout_reload,
    .close = logout_close,
    .endpoints = ENDPOINTS,
    .endpoint_count = COUNT_OF(ENDPOINTS),
};
