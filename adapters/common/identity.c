// SPDX-License-Identifier: Apache-2.0
#include "common/identity.h"

#include "common/cookie.h"
#include "common/identity_setup.h"

#include <stdlib.h>

#define ID_BYTES_MOST 255
#define COOKIE_LINES_MOST 32
#define SECONDS_MOST INT64_C(253402300799) // the year 9999

// One reading of one request.
struct look {
    const struct identity *identity;
    const struct identity_header *headers;
    size_t count;
    bool believed;
    const json_t *claims; // NULL: no token
    struct identity_read *out;
};

// The first thing that is wrong stays.
static void fail(struct look *look, enum identity_verdict verdict, const char *why)
{
    if (look->out->verdict == IDENTITY_ASK) {
        look->out->verdict = verdict;
        look->out->why = why;
    }
}

// ---- Headers and cookies --------------------------------------------------------------------------

// A header that says one thing: at NULL where it is missing or empty. Twice is ambiguous.
static struct text one_header(struct look *look, const char *name)
{
    struct text found = {0};
    size_t times = 0;
    for (size_t i = 0; i < look->count; i++) {
        if (text_is(look->headers[i].name, name)) {
            found = text_trim(look->headers[i].value);
            times++;
        }
    }
    if (times > 1) {
        fail(look, IDENTITY_REFUSED, "a header that says who asks is there twice");
    }
    return times == 1 && found.len > 0 ? found : (struct text){0};
}

static struct text one_cookie(struct look *look, const char *name)
{
    struct text lines[COOKIE_LINES_MOST], value = {0};
    size_t count = 0;
    for (size_t i = 0; i < look->count; i++) {
        if (!text_is(look->headers[i].name, "cookie")) {
            continue;
        }
        if (count == COOKIE_LINES_MOST) {
            fail(look, IDENTITY_REFUSED, "there are more `Cookie` headers than are looked through");
            return value;
        }
        lines[count++] = look->headers[i].value;
    }
    if (cookie_find(lines, count, text_of(name), &value) == COOKIE_AMBIGUOUS) {
        fail(look, IDENTITY_REFUSED, "a cookie that says who asks is there twice, with different values");
    }
    return value.len > 0 ? value : (struct text){0};
}

static struct text text_of_claim(const json_t *claim)
{
    return json_is_string(claim) ? (struct text){json_string_value(claim), json_string_length(claim)}
                                 : (struct text){0};
}

// One text from wherever it stands. A claim of another type makes the token one that we do not understand. A
// header needs somebody to believe, but for a session's id, which is a secret of its own.
static struct text one_text(struct look *look, const struct source *source, bool secret)
{
    const json_t *claim = source_claim(source, look->claims);
    struct text text = {0};
    switch (source->kind) {
    case SOURCE_FIXED:
        return text_of(source->text);
    case SOURCE_COOKIE:
        return one_cookie(look, source->text);
    case SOURCE_HEADER:
        return look->believed || secret ? one_header(look, source->text) : text;
    case SOURCE_CLAIM:
        text = text_of_claim(claim);
        if (claim != NULL && text.at == NULL) {
            fail(look, IDENTITY_BAD_TOKEN, "a claim that should be text is not");
        }
        return text.len > 0 ? text : (struct text){0};
    case SOURCE_NONE:
        break;
    }
    return text;
}

// ---- Lists ----------------------------------------------------------------------------------------

static void add(struct look *look, struct text text, struct text *list, size_t room, size_t *count)
{
    if (text.len == 0) {
        return;
    }
    if (*count == room) { // what is left out could be what a rule forbids
        fail(look, IDENTITY_REFUSED,
             "there are more roles, or methods of authentication, than can be asked about");
        return;
    }
    list[(*count)++] = text;
}

static void split(struct look *look, struct text text, const char *marks, struct text *list, size_t room,
                  size_t *count)
{
    size_t begin = 0;
    for (size_t i = 0; text.at != NULL && i <= text.len; i++) {
        if (i == text.len || (text.at[i] != '\0' && strchr(marks, text.at[i]) != NULL)) {
            add(look, (struct text){text.at + begin, i - begin}, list, room, count);
            begin = i + 1;
        }
    }
}

// A claim is a list of texts, or one text with blanks between (as `scope` is); a header has commas between.
static size_t many_texts(struct look *look, const struct source *source, struct text *list, size_t room)
{
    size_t count = 0;
    const json_t *claim = source_claim(source, look->claims);
    if (source->kind == SOURCE_HEADER) {
        struct text text = look->believed ? one_header(look, source->text) : (struct text){0};
        split(look, text, ", \t", list, text.at != NULL ? room : 0, &count);
        return count;
    }
    if (json_is_string(claim)) {
        split(look, text_of_claim(claim), " ", list, room, &count);
        return count;
    }
    if (claim != NULL && !json_is_array(claim)) {
        fail(look, IDENTITY_BAD_TOKEN, "a claim that should be a list of texts is not");
    }
    for (size_t i = 0; i < json_array_size(claim); i++) {
        struct text text = text_of_claim(json_array_get(claim, i));
        if (text.at == NULL) {
            fail(look, IDENTITY_BAD_TOKEN, "a claim that should be a list of texts has something else in it");
        }
        add(look, text, list, room, &count);
    }
    return count;
}

// ---- A time ---------------------------------------------------------------------------------------

static bool digits(struct text text, int64_t *seconds)
{
    *seconds = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || i >= 12) {
            return false;
        }
        *seconds = *seconds * 10 + (text.at[i] - '0');
    }
    return text.len > 0 && *seconds <= SECONDS_MOST;
}

static void read_auth_time(struct look *look, struct facts *facts)
{
    const struct source *source = &look->identity->auth_time;
    const json_t *claim = source_claim(source, look->claims);
    if (source->kind == SOURCE_HEADER) {
        struct text text = one_text(look, source, false);
        facts->has_auth_time = digits(text, &facts->auth_time_s);
        if (text.at != NULL && !facts->has_auth_time) {
            fail(look, IDENTITY_REFUSED, "the header of `auth-time` is no number of seconds");
        }
        return;
    }
    if (claim == NULL) {
        return;
    }
    double seconds = json_number_value(claim);
    if (!json_is_number(claim) || !(seconds >= 0 && seconds <= (double)SECONDS_MOST)) {
        fail(look, IDENTITY_BAD_TOKEN, "the claim of `auth-time` is no number of seconds");
        return;
    }
    facts->has_auth_time = true;
    facts->auth_time_s = (int64_t)seconds; // 0 or more
}

// ---- The token ------------------------------------------------------------------------------------

// What stands behind `Bearer `, whatever its case; of another scheme there is no token.
static struct text bearer(struct text text)
{
    static const char SCHEME[] = "bearer ";
    const size_t len = sizeof SCHEME - 1;
    if (text.at == NULL || text.len < len || strncasecmp(text.at, SCHEME, len) != 0) {
        return (struct text){0};
    }
    return text_trim((struct text){text.at + len, text.len - len});
}

static void read_token(struct look *look, int64_t now_ms)
{
    const struct identity *identity = look->identity;
    if (identity->jwt == NULL) {
        return;
    }
    struct text token = one_text(look, &identity->token, true);
    if (identity->token.kind == SOURCE_HEADER && strcasecmp(identity->token.text, "authorization") == 0) {
        token = bearer(token);
    }
    if (token.at == NULL || look->out->verdict != IDENTITY_ASK) {
        return;
    }
    look->out->fault = jwt_check(identity->jwt, token.at, token.len, now_ms, &look->out->claims);
    look->claims = claims_object(look->out->claims);
    if (look->out->fault != JWT_OK) {
        fail(look, IDENTITY_BAD_TOKEN, jwt_fault_text(look->out->fault));
    }
}

// ---- All of it ------------------------------------------------------------------------------------

static void read_subject(struct look *look, struct facts *facts)
{
    const struct source *source = &look->identity->subject;
    facts->subject_type = text_of(look->identity->subject_type);
    facts->subject_id = one_text(look, source, false);
    if (facts->subject_id.len > ID_BYTES_MOST) {
        fail(look, source->kind == SOURCE_CLAIM ? IDENTITY_BAD_TOKEN : IDENTITY_REFUSED,
             "the subject is longer than 255 bytes");
    }
    // A token that is valid and names nobody: not anonymous, but one that we do not understand.
    if (facts->subject_id.at == NULL && source->kind == SOURCE_CLAIM && look->claims != NULL) {
        fail(look, IDENTITY_BAD_TOKEN, "the token lacks the claim of `subject`");
    }
    if (facts->subject_id.at == NULL && look->identity->refuses_anonymous) {
        fail(look, IDENTITY_NO_TOKEN, "there is no subject, and `anonymous` is `refuse`");
    }
}

void identity_read(struct identity *identity, const struct identity_header *headers, size_t count,
                   bool believed, int64_t now_ms, struct facts *facts, struct identity_read *out)
{
    out->verdict = IDENTITY_ASK;
    out->why = "";
    out->fault = JWT_OK;
    out->cookie = (struct text){0};
    out->claims = NULL;
    struct look look = {
        .identity = identity, .headers = headers, .count = count, .believed = believed, .out = out};
    read_token(&look, now_ms);
    read_subject(&look, facts);
    facts->tenant = one_text(&look, &identity->tenant, false);
    facts->session_id = one_text(&look, &identity->session, true);
    // A cookie without the token that it goes with: to ask for its session as nobody would be to take it from
    // its owner, and end it.
    if (facts->subject_id.at == NULL && identity->subject.kind != SOURCE_NONE) {
        facts->session_id = (struct text){0};
    }
    if (identity->session.kind == SOURCE_COOKIE && facts->session_id.at != NULL) {
        out->cookie = text_of(identity->session.text);
    }
    facts->acr = one_text(&look, &identity->acr, false);
    facts->amr = out->amr;
    facts->amr_count = many_texts(&look, &identity->amr, out->amr, COUNT_OF(out->amr));
    facts->roles = out->roles;
    facts->role_count = many_texts(&look, &identity->roles, out->roles, COUNT_OF(out->roles));
    read_auth_time(&look, facts);
}

void identity_of_claims(const struct identity *identity, const json_t *claims, struct facts *facts,
                        struct identity_read *out)
{
    struct look look = {.identity = identity, .claims = claims, .out = out};
    out->verdict = IDENTITY_ASK;
    out->why = "";
    out->fault = JWT_OK;
    out->cookie = (struct text){0};
    out->claims = NULL;
    if (identity->tenant.kind == SOURCE_HEADER) {
        fail(&look, IDENTITY_REFUSED, "a tenant that a header tells is not known of a token alone");
    }
    facts->tenant = one_text(&look, &identity->tenant, false);
    facts->subject_type = text_of(identity->subject_type);
    facts->subject_id = one_text(&look, &identity->subject, false);
    facts->session_id =
        identity->session.kind == SOURCE_CLAIM ? one_text(&look, &identity->session, true) : (struct text){0};
}

void identity_read_fini(struct identity_read *read)
{
    claims_release(&read->claims);
}

const char *identity_challenge(const struct identity_read *who)
{
    if (who->verdict == IDENTITY_NO_TOKEN) {
        return "Bearer realm=\"pdp\"";
    }
    if (who->verdict != IDENTITY_BAD_TOKEN) {
        return NULL;
    }
    return who->fault == JWT_EXPIRED
               ? "Bearer error=\"invalid_token\", error_description=\"the token has expired\""
               : "Bearer error=\"invalid_token\", error_description=\"the token is not valid\"";
}
