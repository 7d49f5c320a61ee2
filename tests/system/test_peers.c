// SPDX-License-Identifier: Apache-2.0
// Who may do what: names to grants, tenants and roles, over ipc.
#include "daemon/config/identity.h"
#include "system/daemon.h"

// ---- Names -------------------------------------------------------------------------------------------

static const struct {
    const char *pattern, *name;
    bool matches;
} NAMES[] = {
    {"gw.example", "gw.example", true},
    {"gw.example", "gw.example.", false},
    {"gw.example", "GW.example", false},
    {"gw.example", "a.gw.example", false},
    {"*.example", "gw.example", true},
    {"*.example", ".example", false},
    {"*.example", "example", false},
    {"*.example", "a.b.example", false},
    {"*.example", "gw.example.evil", false},
    {"*.example", "gwexample", false},
    {"*.example", "", false},
    {"spiffe://example/gw", "spiffe://example/gw", true},
    {"spiffe://example/gw", "spiffe://example/gw/x", false},
};

static void names_match(void)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        bool matches = identity_matches(str_of(NAMES[i].pattern), str_of(NAMES[i].name));
        if (matches != NAMES[i].matches) {
            (void)fprintf(stderr, "%s against %s: %d\n", NAMES[i].name, NAMES[i].pattern, matches);
        }
        CHECK(matches == NAMES[i].matches);
    }
}

static bool settle(const struct peer_rule *rule, const struct listen_spec *spec,
                   const struct accepted *accepted, const char *certificate, struct peer *out)
{
    struct peer_rules rules = {rule, rule != NULL ? 1 : 0};
    return identity_settle(&rules, spec, accepted, str_of(certificate), out);
}

static void a_peer_without_a_rule_gets_what_its_listener_says(void)
{
    struct listen_spec ipc = {.url.transport = SP_IPC, .grants = GRANT_ASK, .roles = ROLE_ALL};
    struct accepted other = {.has_uid = true, .uid = 4242, .gid = 4242, .origin = "uid:4242"};
    struct accepted own = {.has_uid = true, .uid = geteuid(), .origin = "uid:own"};
    struct accepted unknown = {.origin = "uid:unknown"};
    struct peer peer;
    ipc.own_only = true;
    CHECK(settle(NULL, &ipc, &own, "", &peer) && peer.roles == ROLE_ALL && peer.grants == GRANT_ASK);
    CHECK(settle(NULL, &ipc, &other, "", &peer) && peer.roles == 0 && peer.grants == GRANT_ASK);
    CHECK(settle(NULL, &ipc, &unknown, "", &peer) && peer.roles == 0);
    ipc.own_only = false; // the configuration names roles
    CHECK(settle(NULL, &ipc, &other, "", &peer) && peer.roles == ROLE_ALL);
    struct listen_spec tls = {.url = {.transport = SP_TCP, .tls = true}, .grants = GRANT_ALL};
    CHECK(!settle(NULL, &tls, &unknown, "gw.example", &peer) && peer.grants == 0 && peer.roles == 0);
}

static void a_rule_matches_by_all_that_it_says(void)
{
    struct listen_spec ipc = {.url.transport = SP_IPC, .grants = GRANT_ALL | GRANT_SIMULATE};
    struct accepted own = {.fd = -1, .has_uid = true, .uid = 7, .gid = 8, .origin = "uid:7"};
    struct peer_rule rule = {.has_uid = true, .uid = 7, .name = STR("edge"), .grants = GRANT_ASK};
    struct peer peer;
    CHECK(settle(&rule, &ipc, &own, "", &peer) && str_eq(peer.name, STR("edge")));
    CHECK(peer.grants == (GRANT_ASK | GRANT_SIMULATE));
    rule.has_gid = true;
    rule.gid = 9; // the uid matches, the group does not
    CHECK(settle(&rule, &ipc, &own, "", &peer) && str_eq(peer.name, STR("uid:7")));
    rule.gid = 8;
    CHECK(settle(&rule, &ipc, &own, "", &peer) && str_eq(peer.name, STR("edge")));
    rule.certificate = STR("gw.example"); // nobody over ipc has one
    CHECK(settle(&rule, &ipc, &own, "", &peer) && str_eq(peer.name, STR("uid:7")));
}

// ---- Roles -------------------------------------------------------------------------------------------

static const char CONFIG[] = "policies: %s/policies\n"
                             "workers: 1\n"
                             "decide:\n"
                             "  - ipc://%s/decide.ipc\n"
                             "  - ipc://%s/acme.ipc\n"
                             "  - ipc://%s/asker.ipc\n"
                             "admin:\n"
                             "  - ipc://%s/admin.ipc\n"
                             "  - ipc://%s/auditor.ipc\n"
                             "  - ipc://%s/analyst.ipc\n"
                             "  - ipc://%s/architect.ipc\n"
                             "  - {url: 'ipc://%s/nobody.ipc', roles: []}\n"
                             "peers:\n"
                             "  - {listener: 'ipc://%s/auditor.ipc', name: ann, roles: [auditor]}\n"
                             "  - {listener: 'ipc://%s/analyst.ipc', uid: %u, roles: [analyst]}\n"
                             "  - {listener: 'ipc://%s/architect.ipc', gid: %u, roles: [architect]}\n"
                             "  - {listener: 'ipc://%s/acme.ipc', name: acme-gw, tenants: [acme],\n"
                             "     grants: [ask, issue, signal], may_assert: [authentication]}\n"
                             "  - {listener: 'ipc://%s/asker.ipc', name: asker}\n";

static void config_put(const struct daemon *daemon)
{
    char text[4096];
    const char *d = daemon->dir;
    int len =
        snprintf(text, sizeof text, CONFIG, d, d, d, d, d, d, d, d, d, d, d, geteuid(), d, getegid(), d, d);
    CHECK(len > 0 && (size_t)len < sizeof text);
    put_file(daemon, "pdpd.yaml", text);
}

static void ask_at(const struct daemon *daemon, const char *socket_name, const char *text, char *out,
                   size_t size)
{
    int fd = connect_ipc(daemon, socket_name);
    out[0] = '\0';
    CHECK(fd >= 0 && shake(fd) && ask(fd, SP_IPC, 9, text, out, size));
    (void)close(fd);
}

enum {
    AUDITOR,
    ANALYST,
    ARCHITECT,
    NOBODY,
    OWN,
    ROLE_COUNT
};
static const char *const SOCKETS[ROLE_COUNT] = {"auditor.ipc", "analyst.ipc", "architect.ipc", "nobody.ipc",
                                                "admin.ipc"};
static const struct {
    const char *message, *needs;
    bool may[ROLE_COUNT];
} OPS[] = {
    {"{\"op\": \"status\"}", "auditor or analyst or architect", {true, true, true, false, true}},
    {"{\"op\": \"lists\"}", "auditor or analyst or architect", {true, true, true, false, true}},
    {"{\"op\": \"session.list\"}", "auditor or analyst", {true, true, false, false, true}},
    {"{\"op\": \"session.show\", \"session\": \"x\"}",
     "auditor or analyst",
     {true, true, false, false, true}},
    {"{\"op\": \"session.terminate\", \"session\": \"x\", \"reason\": \"y\"}",
     "analyst",
     {false, true, false, false, true}},
    {"{\"op\": \"reload\"}", "architect", {false, false, true, false, true}},
};

static void each_operation_needs_its_role(const struct daemon *daemon)
{
    static char out[1 << 16];
    for (size_t i = 0; i < COUNT_OF(OPS); i++) {
        for (size_t role = 0; role < ROLE_COUNT; role++) {
            char needs[128];
            ask_at(daemon, SOCKETS[role], OPS[i].message, out, sizeof out);
            (void)snprintf(needs, sizeof needs, "needs the role %s", OPS[i].needs);
            bool refused = strstr(out, "needs the role") != NULL;
            if (refused == OPS[i].may[role] || (refused && strstr(out, needs) == NULL)) {
                (void)fprintf(stderr, "%s at %s: %s\n", OPS[i].message, SOCKETS[role], out);
            }
            CHECK(refused != OPS[i].may[role]);
            CHECK(!refused || (strstr(out, needs) != NULL && strstr(out, "\"ok\":false") != NULL));
        }
    }
    ask_at(daemon, "auditor.ipc", "{\"op\": \"reload\"}", out, sizeof out);
    CHECK(strstr(out, "this peer is `ann` and has the role auditor") != NULL);
    ask_at(daemon, "auditor.ipc", "{\"op\": \"nonsense\"}", out, sizeof out);
    CHECK(strstr(out, "`op` is none of status, ") != NULL);
}

// ---- Tenants and grants ------------------------------------------------------------------------------

#define OF_TENANT(tenant) "{\"tenant\": \"" tenant "\", " QUESTION_REST
#define QUESTION_REST                                                               \
    "\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"action\": {\"name\": " \
    "\"GET\"}, \"resource\": {\"type\": \"route\", \"id\": \"/a\"}}"
#define LOGIN(tenant)                                                                            \
    "{\"tenant\": \"" tenant "\", \"request_id\": \"e1\", \"event\": {\"type\": \"login\", "     \
    "\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"context\": {\"session\": {\"id\": " \
    "\"s-1\"}}}}"

static void a_peer_speaks_for_its_tenants_only(const struct daemon *daemon)
{
    static char out[1 << 16];
    ask_at(daemon, "acme.ipc", OF_TENANT("acme"), out, sizeof out);
    CHECK(allows(out));
    ask_at(daemon, "acme.ipc", OF_TENANT("other"), out, sizeof out);
    CHECK(!allows(out) && strstr(out, "may speak for") != NULL && strstr(out, "\"tenant\"") != NULL);
    ask_at(daemon, "acme.ipc", QUESTION, out, sizeof out); // of none
    CHECK(!allows(out) && strstr(out, "may speak for") != NULL);
    ask_at(daemon, "acme.ipc", LOGIN("other"), out, sizeof out);
    CHECK(strstr(out, "may speak for") != NULL && strstr(out, "\"recorded\":true") == NULL);
    ask_at(daemon, "acme.ipc", LOGIN("acme"), out, sizeof out);
    CHECK(strstr(out, "\"recorded\":true") != NULL);
    ask_at(daemon, "acme.ipc", "{\"evaluations\": [" OF_TENANT("acme") ", " OF_TENANT("other") "]}", out,
           sizeof out);
    json_t *root = json_loads(out, 0, NULL);
    json_t *items = json_object_get(root, "evaluations");
    CHECK(json_array_size(items) == 2);
    CHECK(json_is_true(json_object_get(json_array_get(items, 0), "decision")));
    CHECK(json_is_false(json_object_get(json_array_get(items, 1), "decision")));
    json_decref(root);
    ask_at(daemon, "decide.ipc", OF_TENANT("other"), out, sizeof out); // no rule: of all
    CHECK(allows(out));
}

static void a_gateway_without_issue_proves_nothing(const struct daemon *daemon)
{
    static char out[1 << 16];
    static const char *const EVENTS[] = {"login", "step_up_passed", "logout", "signal"};
    for (size_t i = 0; i < COUNT_OF(EVENTS); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "{\"request_id\": \"e%zu\", \"event\": {\"type\": \"%s\", \"subject\": {\"type\": "
                       "\"user\", \"id\": \"alice\"}, \"context\": {\"session\": {\"id\": \"s-2\", "
                       "\"acr\": \"high\"}}}}",
                       i, EVENTS[i]);
        ask_at(daemon, "asker.ipc", text, out, sizeof out);
        CHECK(strstr(out, "may not send it") != NULL);
    }
    ask_at(daemon, "asker.ipc", QUESTION, out, sizeof out);
    CHECK(allows(out));
}

int main(void)
{
    struct daemon daemon;
    names_match();
    a_peer_without_a_rule_gets_what_its_listener_says();
    a_rule_matches_by_all_that_it_says();
    daemon_folder(&daemon);
    config_put(&daemon);
    struct daemon_how how = {.args = {"--config", "dir@pdpd.yaml", NULL}};
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    each_operation_needs_its_role(&daemon);
    a_peer_speaks_for_its_tenants_only(&daemon);
    a_gateway_without_issue_proves_nothing(&daemon);
    CHECK(daemon_stop(&daemon) == 0);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
