// SPDX-License-Identifier: Apache-2.0
#include "common/outcome.h"
#include "envoy/check.h"
#include "envoy/grpc.h"
#include "ext_authz.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PATH_ROOM = 16384, // Envoy takes no longer value of a header
    COOKIE_ROOM = 400,
    OPTIONS_MOST = OUTCOME_FIELDS + 6,
    OVERWRITE = 2 // of append_action: whatever the client sent under this name is replaced
};

struct option {
    Extauthz__HeaderOption option;
    Extauthz__HeaderValue value;
    Extauthz__BoolValue append;
};

// All that a response is made of, in one piece; the texts live in it.
struct reply {
    struct outcome outcome;
    char names[OUTCOME_FIELDS][32]; // of headers, in lower case
    char texts[OUTCOME_FIELDS][OUTCOME_TEXT_MAX];
    size_t lens[OUTCOME_FIELDS];
    char path[PATH_ROOM];
    char cookie[COOKIE_ROOM];
    char subject[CHECK_NAME_ROOM];
    char body[OUTCOME_TEXT_MAX + 1];

    struct option options[OPTIONS_MOST];
    Extauthz__HeaderOption *headers[OPTIONS_MOST];
    size_t header_count;
    char *removed[OUTCOME_FIELDS + 1];
    size_t removed_count;
    Extauthz__Value values[OUTCOME_FIELDS + 1];
    Extauthz__Field field_list[OUTCOME_FIELDS + 1];
    Extauthz__Field *fields[OUTCOME_FIELDS + 1];
    size_t field_count;
};

// ---- Pieces ------------------------------------------------------------------------------------------

static void add_header(struct reply *reply, const char *name, char *value)
{
    struct option *option = &reply->options[reply->header_count];
    extauthz__header_option__init(&option->option);
    extauthz__header_value__init(&option->value);
    extauthz__bool_value__init(&option->append);
    option->value.key = (char *)(uintptr_t)name;
    option->value.value = value;
    option->option.header = &option->value;
    option->option.append = &option->append; // false, and said so: what is missing is read in two ways
    option->option.append_action = OVERWRITE;
    reply->headers[reply->header_count++] = &option->option;
}

static void add_field(struct reply *reply, const char *name, char *text, bool number)
{
    Extauthz__Value *value = &reply->values[reply->field_count];
    Extauthz__Field *field = &reply->field_list[reply->field_count];
    extauthz__value__init(value);
    extauthz__field__init(field);
    if (number) {
        value->kind_case = EXTAUTHZ__VALUE__KIND_NUMBER_VALUE;
        value->number_value = strtod(text, NULL);
    } else {
        value->kind_case = EXTAUTHZ__VALUE__KIND_STRING_VALUE;
        value->string_value = text;
    }
    field->key = (char *)(uintptr_t)name;
    field->value = value;
    reply->fields[reply->field_count++] = field;
}

static void lower(const char *name, char *out, size_t room)
{
    for (size_t i = 0; name[i] != '\0' && i + 1 < room; i++) {
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    }
}

// Of a request that was refused unasked there is no answer, but a reason.
static size_t field_text(const struct pdp_answer *answer, const struct check_asked *asked,
                         enum outcome_field at, char *out, size_t room)
{
    const char *own = at == OUTCOME_CODE     ? pdp_code_name(PDP_CODE_MALFORMED)
                      : at == OUTCOME_REASON ? asked->why
                                             : NULL;
    if (answer == NULL && asked->why != NULL && own != NULL) {
        return (size_t)snprintf(out, room, "%s", own);
    }
    return outcome_text(answer, at, out, room);
}

static void read_fields(const struct pdp_answer *answer, const struct check_asked *asked, struct reply *reply)
{
    for (int i = 0; i < OUTCOME_FIELDS; i++) {
        enum outcome_field at = (enum outcome_field)i;
        lower(outcome_header(at), reply->names[i], sizeof reply->names[i]);
        reply->lens[i] = field_text(answer, asked, at, reply->texts[i], sizeof reply->texts[i]);
        if (reply->lens[i] > 0) {
            add_field(reply, outcome_variable(at), reply->texts[i], at == OUTCOME_RISK);
        }
    }
    (void)snprintf(reply->subject, sizeof reply->subject, "%s", asked->subject);
    if (reply->subject[0] != '\0') {
        add_field(reply, "subject", reply->subject, false);
    }
}

// What may be forwarded: the canonical path, and the query as it came. false where there is none, or no room.
static bool make_path(const struct pdp_answer *answer, const char *target, struct reply *reply)
{
    size_t len = outcome_text(answer, OUTCOME_PATH, reply->path, sizeof reply->path);
    if (len == 0 || target == NULL) {
        return false;
    }
    const char *query = strchr(target, '?');
    size_t query_len = query != NULL ? strlen(query) : 0;
    if (query_len >= sizeof reply->path - len) {
        return false;
    }
    memcpy(reply->path + len, query != NULL ? query : "", query_len);
    reply->path[len + query_len] = '\0';
    return true;
}

// ---- The two responses -------------------------------------------------------------------------------

static void permit(const struct check_rules *rules, const char *target, struct reply *reply,
                   Extauthz__Permitted *permitted)
{
    static char subject[] = "x-pdp-subject";
    for (int i = 0; i < OUTCOME_FIELDS; i++) {
        if (reply->lens[i] > 0) {
            add_header(reply, reply->names[i], reply->texts[i]);
        } else {
            reply->removed[reply->removed_count++] = reply->names[i]; // the client's own
        }
    }
    if (reply->subject[0] != '\0') {
        add_header(reply, subject, reply->subject);
    } else {
        reply->removed[reply->removed_count++] = subject;
    }
    if (rules->rewrite && strcmp(reply->path, target) != 0) {
        add_header(reply, ":path", reply->path);
    }
    permitted->headers = reply->headers;
    permitted->n_headers = reply->header_count;
    permitted->headers_to_remove = reply->removed;
    permitted->n_headers_to_remove = reply->removed_count;
}

// What goes to the client, who is told no reason.
static void refuse(const struct check_asked *asked, struct reply *reply, Extauthz__Denied *denied)
{
    static char no_store[] = "no-store", plain[] = "text/plain; charset=utf-8";
    const char *message = reply->lens[OUTCOME_MESSAGE] > 0 ? reply->texts[OUTCOME_MESSAGE] : "denied";
    (void)snprintf(reply->body, sizeof reply->body, "%s\n", message);
    add_header(reply, "content-type", plain);
    add_header(reply, "cache-control", no_store);
    if (reply->lens[OUTCOME_DECISION] > 0) {
        add_header(reply, reply->names[OUTCOME_DECISION], reply->texts[OUTCOME_DECISION]);
    }
    if (reply->outcome.challenge[0] != '\0') {
        add_header(reply, "www-authenticate", reply->outcome.challenge);
    }
    if (reply->outcome.ended && asked->cookie[0] != '\0') {
        (void)snprintf(reply->cookie, sizeof reply->cookie,
                       "%s=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure", asked->cookie);
        add_header(reply, "set-cookie", reply->cookie);
    }
    denied->headers = reply->headers;
    denied->n_headers = reply->header_count;
    denied->body = reply->body;
}

static enum pdp_err pack(const Extauthz__CheckResponse *response, unsigned char **bytes, size_t *len)
{
    size_t size = extauthz__check_response__get_packed_size(response);
    *bytes = malloc(size);
    if (*bytes == NULL) {
        return PDP_ERR_NOMEM;
    }
    *len = extauthz__check_response__pack(response, *bytes);
    return PDP_ERR_OK;
}

static enum pdp_err pack_reply(const struct check_rules *rules, const struct check_asked *asked,
                               struct reply *reply, unsigned char **bytes, size_t *len)
{
    Extauthz__CheckResponse response = EXTAUTHZ__CHECK_RESPONSE__INIT;
    Extauthz__Status status = EXTAUTHZ__STATUS__INIT;
    Extauthz__HttpStatus http = EXTAUTHZ__HTTP_STATUS__INIT;
    Extauthz__Permitted permitted = EXTAUTHZ__PERMITTED__INIT;
    Extauthz__Denied denied = EXTAUTHZ__DENIED__INIT;
    Extauthz__Struct metadata = EXTAUTHZ__STRUCT__INIT;
    metadata.fields = reply->fields;
    metadata.n_fields = reply->field_count;
    response.dynamic_metadata = &metadata;
    response.status = &status;
    status.code = GRPC_PERMISSION_DENIED;
    if (reply->outcome.status == 200) {
        status.code = GRPC_OK;
        permit(rules, asked->target, reply, &permitted);
        response.ok_response = &permitted;
    } else {
        status.code = reply->outcome.status == 401 ? GRPC_UNAUTHENTICATED : GRPC_PERMISSION_DENIED;
        refuse(asked, reply, &denied);
        http.code = (int32_t)reply->outcome.status;
        denied.status = &http;
        response.denied_response = &denied;
    }
    return pack(&response, bytes, len);
}

static void outcome_for(const struct pdp_answer *answer, const struct check_asked *asked,
                        struct outcome *outcome)
{
    outcome_of(answer, outcome);
    if (answer == NULL && asked->challenge != NULL) {
        outcome->status = 401;
        (void)snprintf(outcome->challenge, sizeof outcome->challenge, "%s", asked->challenge);
    }
}

enum pdp_err check_reply(const struct check_rules *rules, const struct pdp_answer *answer,
                         const struct check_asked *asked, unsigned char **bytes, size_t *len)
{
    *bytes = NULL;
    *len = 0;
    struct reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL) {
        return PDP_ERR_NOMEM;
    }
    outcome_for(answer, asked, &reply->outcome);
    if (reply->outcome.status == 200 && !make_path(answer, asked->target, reply)) {
        answer = NULL; // what would be forwarded is not what was judged
        outcome_for(answer, asked, &reply->outcome);
    }
    read_fields(answer, asked, reply);
    enum pdp_err err = pack_reply(rules, asked, reply, bytes, len);
    free(reply);
    return err;
}

struct text check_denial(void)
{
    // status {code: 7}, denied_response {status {code: 403}}
    static const char BYTES[] = "\x0a\x02\x08\x07\x12\x05\x0a\x03\x08\x93\x03";
    return TEXT(BYTES);
}
