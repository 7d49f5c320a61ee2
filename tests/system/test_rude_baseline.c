// SPDX-License-Identifier: Apache-2.0
// Attributes left out, null, or of another type in questions to policies/baseline: whatever is changed that
// the rules do not call optional, what was refused stays refused.
#include "system/rude.h"

#define NOW INT64_C(1795420800000) // 2026-11-23T08:00:00Z, a Monday

#define QUESTION_OF(ROLES, PATH, RESOURCE, DEVICE, NETWORK, AMR, MORE)                                      \
    "{\"tenant\": \"acme\", \"subject\": {\"type\": \"user\", \"id\": \"%s\", \"properties\": {\"roles\": " \
    "[" ROLES "]}}, "                                                                                       \
    "\"action\": {\"name\": \"%s\"}, \"resource\": {\"type\": \"route\", \"id\": \"" PATH                   \
    "\", \"properties\": {" RESOURCE "}}, "                                                                 \
    "\"context\": {\"session\": {\"id\": \"s-%d\", \"auth_time\": 1795420740, \"amr\": [" AMR "]}, "        \
    "\"device\": {\"fingerprint\": \"laptop\", \"managed\": " DEVICE "}, \"network\": {\"ip\": \"" NETWORK  \
    "\"}" MORE "}}"
#define STAFF "\"staff\""
#define OFFICE "10.20.0.7"
#define PASSWORD "\"pwd\""

// Each is refused, or asked for more. `optional` is what the rules themselves read with has(), or tell apart
// by value: left out, the question is another one.
static const struct {
    const char *name, *text, *subject, *action;
    const char *optional[6];
} REFUSED[] = {
    {"a leaver", QUESTION_OF(STAFF, "/news", "", "true", OFFICE, PASSWORD, ""), "mallory", "GET", {NULL}},
    {"another tenant's",
     QUESTION_OF(STAFF, "/news", "\"tenant\": \"other\"", "true", OFFICE, PASSWORD, ""),
     "alice",
     "GET",
     {"resource.properties.tenant", "resource.properties", NULL}},
    {"a legacy client",
     QUESTION_OF(STAFF, "/news", "", "true", OFFICE, PASSWORD, ", \"client\": {\"auth\": \"basic\"}"),
     "alice",
     "GET",
     {"context.client.auth", "context.client", NULL}},
    {"no role", QUESTION_OF("\"guest\"", "/news", "", "true", OFFICE, PASSWORD, ""), "alice", "GET", {NULL}},
    {"a change from an unmanaged device",
     QUESTION_OF(STAFF, "/news", "", "false", OFFICE, PASSWORD, ""),
     "alice",
     "POST",
     {NULL}},
    {"sensitive from an unmanaged device",
     QUESTION_OF(STAFF, "/hr/x", "\"sensitivity\": \"high\"", "false", OFFICE, PASSWORD, ""),
     "alice",
     "GET",
     {"resource.properties.sensitivity", "resource.properties", NULL}},
    {"payroll without hr",
     QUESTION_OF(STAFF, "/payroll/42", "", "true", OFFICE, "\"pwd\", \"otp\"", ""),
     "alice",
     "GET",
     {NULL}},
    {"payroll without a second factor",
     QUESTION_OF(STAFF ", \"hr\"", "/payroll/42", "", "true", OFFICE, PASSWORD, ""),
     "alice",
     "GET",
     {NULL}},
    {"an export without a second factor",
     QUESTION_OF(STAFF, "/reports/export", "", "true", OFFICE, PASSWORD, ""),
     "alice",
     "GET",
     {NULL}},
    {"a console without the role",
     QUESTION_OF(STAFF, "/admin/users", "", "true", OFFICE, "\"hwk\"", ""),
     "alice",
     "GET",
     {NULL}},
    {"a console without a key",
     QUESTION_OF(STAFF ", \"admin\"", "/admin/users", "", "true", OFFICE, PASSWORD, ""),
     "alice",
     "GET",
     {NULL}},
    {"a console from elsewhere",
     QUESTION_OF(STAFF ", \"admin\"", "/admin/users", "", "true", "192.168.3.4", "\"hwk\"", ""),
     "alice",
     "GET",
     {NULL}},
};

static struct daemon daemon_;
static int sessions; // each question has a session of its own
static size_t widened, tried;

static json_t *sent(json_t *question)
{
    json_t *root = json_pack("{s:I, s:O}", "at", (json_int_t)NOW, "request", question);
    char *text = json_dumps(root, JSON_COMPACT), id[32];
    json_t *session =
        json_object_get(json_object_get(json_object_get(root, "request"), "context"), "session");
    (void)snprintf(id, sizeof id, "s-%d", sessions++);
    if (json_is_string(json_object_get(session, "id"))) {
        (void)json_string_set(json_object_get(session, "id"), id);
        free(text);
        text = json_dumps(root, JSON_COMPACT);
    }
    json_t *answer = text != NULL ? asked(&daemon_, "decide.ipc", text) : NULL;
    free(text);
    json_decref(root);
    return answer;
}

static bool optional(size_t i, const char *path)
{
    for (size_t k = 0; REFUSED[i].optional[k] != NULL; k++) {
        if (strcmp(REFUSED[i].optional[k], path) == 0) {
            return true;
        }
    }
    return false;
}

enum {
    LEFT_OUT,
    NULLED,
    IN_A_LIST,
    IN_A_MAP,
    A_NUMBER,
    A_DOUBLE,
    EMPTY,
    A_TRUTH,
    AS_TEXT,
    UPPER,
    PADDED,
    NUL_BEHIND,
    CHANGES
};

// The value changed so; NULL: not for this one. LEFT_OUT is the caller's.
static json_t *changed(json_t *v, int how)
{
    char text[256];
    const char *was = json_string_value(v);
    switch (how) {
    case NULLED:
        return json_null();
    case IN_A_LIST:
        return json_pack("[O]", v);
    case IN_A_MAP:
        return json_pack("{s:O}", was != NULL ? was : "a", v);
    case A_NUMBER:
        return json_integer(0);
    case A_DOUBLE:
        return json_real(0.5);
    case EMPTY:
        return json_is_array(v) ? json_array() : json_is_object(v) ? json_object() : json_string("");
    case A_TRUTH:
        return json_is_boolean(v) ? NULL : json_true();
    case AS_TEXT:
        return json_is_boolean(v) ? json_string("true")
               : json_is_array(v) ? json_string("staff admin hr")
                                  : NULL;
    case UPPER:
    case PADDED:
    case NUL_BEHIND:
        if (was == NULL) {
            return NULL;
        }
        (void)snprintf(text, sizeof text, "%s ", was);
        if (how == UPPER && text[0] >= 'a' && text[0] <= 'z') {
            text[0] = (char)(text[0] - 32);
        }
        return json_stringn(text, strlen(was) + (how == PADDED));
    default:
        return NULL;
    }
}

static void judge(size_t i, json_t *question, const char *path, int how, bool was_map)
{
    json_t *answer = sent(question);
    bool allowed = strcmp(at_path(answer, "context.effect"), "allow") == 0;
    tried++;
    CHECK(answer != NULL);
    // Another value of the same type is another question; of another type it never is.
    // A map within a map leaves out what was in it.
    bool out = how == LEFT_OUT || how == NULLED || (how == IN_A_MAP && was_map);
    bool another = out ? optional(i, path) : how >= UPPER || how == EMPTY;
    if (allowed && !another) {
        widened++;
        (void)fprintf(stderr, "%s: allowed with `%s` changed by %d: %s\n", REFUSED[i].name, path, how,
                      at_path(answer, "context.rule"));
    }
    json_decref(answer);
}

static void change_below(size_t i, json_t *question, json_t *map, const char *path)
{
    char keys[16][64];
    size_t count = 0;
    for (void *at = json_object_iter(map); at != NULL && count < 16; at = json_object_iter_next(map, at)) {
        (void)snprintf(keys[count++], sizeof keys[0], "%s", json_object_iter_key(at));
    }
    for (size_t k = 0; k < count; k++) {
        const char *key = keys[k];
        char below[128];
        (void)snprintf(below, sizeof below, "%.48s%s%.63s", path, path[0] != 0 ? "." : "", key);
        json_t *was = json_incref(json_object_get(map, key));
        for (int how = 0; how < CHANGES; how++) {
            json_t *now = how == LEFT_OUT ? NULL : changed(was, how);
            if (now == NULL && how != LEFT_OUT) {
                continue;
            }
            if (now != NULL) {
                (void)json_object_set_new(map, key, now);
            } else {
                (void)json_object_del(map, key);
            }
            judge(i, question, below, how, json_is_object(was));
            (void)json_object_set(map, key, was);
        }
        if (json_is_object(was)) {
            change_below(i, question, was, below);
        }
        json_decref(was);
    }
}

int main(void)
{
    daemon_folder(&daemon_);
    struct daemon_how how = standard_how();
    for (size_t i = 0; i < COUNT_OF(how.args); i++) {
        if (how.args[i] == NULL) {
            how.args[i] = "--simulate";
            break;
        }
        if (strcmp(how.args[i], "dir@policies") == 0) {
            how.args[i] = "policies/baseline";
        }
    }
    daemon_spawn(&daemon_, &how);
    CHECK(daemon_ready(&daemon_));
    for (size_t i = 0; i < COUNT_OF(REFUSED) && failures == 0; i++) {
        char text[2048];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof text, REFUSED[i].text, REFUSED[i].subject, REFUSED[i].action, 0);
#pragma GCC diagnostic pop
        json_t *question = json_loads(text, 0, NULL), *answer = question != NULL ? sent(question) : NULL;
        const char *effect = at_path(answer, "context.effect");
        CHECK(effect[0] != '\0' && strcmp(effect, "allow") != 0);
        (void)fprintf(stderr, "%-36s %s/%s %s\n", REFUSED[i].name, effect, at_path(answer, "context.code"),
                      at_path(answer, "context.rule"));
        json_decref(answer);
        change_below(i, question, question, "");
        json_decref(question);
    }
    CHECK(widened == 0);
    (void)fprintf(stderr, "%zu changed questions, %zu widened\n", tried, widened);
    CHECK(daemon_stop(&daemon_) == 0);
    daemon_clean(&daemon_);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
