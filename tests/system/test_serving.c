// SPDX-License-Identifier: Apache-2.0
// The daemon's life: start, bad use, reload, admin, inherited listeners, exhaustion, drain.
#include "system/daemon.h"

// ---- Bad use -----------------------------------------------------------------------------------------

static const struct {
    const char *name;
    const char *args[8];
    int status;
    const char *says;
} USES[] = {
    {"no arguments", {NULL}, 2, "--policies DIR"},
    {"a flag that is none", {"--decid", "x"}, 2, "did you mean `--decide`?"},
    {"a flag without its value", {"--policies"}, 2, "takes a value: DIR"},
    {"a value too much", {"--simulate=yes"}, 2, "takes no value"},
    {"no listener", {"--policies", "dir@policies"}, 2, "nothing to listen on"},
    {"a bad address", {"--decide", "http://x"}, 2, "begins with `ipc://`, `tcp://` or `tls+tcp://`"},
    {"a host name", {"--decide", "tcp://example.org:1"}, 2, "the host is `localhost`"},
    {"a relative path", {"--decide", "ipc://x"}, 2, "an absolute path"},
    {"too many workers", {"--workers", "1000"}, 2, "from 0 (one a core)"},
    {"simulate for all",
     {"--policies", "dir@policies", "--simulate", "--decide", "tcp://0.0.0.0:0"},
     2,
     "loopback"},
    {"admin for all",
     {"--policies", "dir@policies", "--decide", "ipc@decide.ipc", "--admin", "tcp://*:0"},
     2,
     "not authenticated"},
    {"no such folder",
     {"--policies", "dir@nowhere", "--decide", "ipc@decide.ipc"},
     2,
     "No such file or directory"},
    {"a bad folder", {"--policies", "dir@bad", "--decide", "ipc@decide.ipc"}, 2, "bad/web.yaml:1:1: error"},
    {"a missing configuration", {"--config", "dir@nowhere.yaml"}, 2, "No such file or directory"},
    {"a bad configuration", {"--config", "dir@bad.yaml"}, 2, "has no key `decid`"},
    {"a bad address in it", {"--config", "dir@url.yaml"}, 2, "url.yaml:2:9: error"},
    {"check: good", {"--check", "--policies", "dir@policies"}, 0, ""},
    {"check: bad", {"--check", "--policies", "dir@bad"}, 2, "error"},
    {"check: no database", {"--check", "--policies", "dir@policies", "--geo", "dir@no.mmdb"}, 2, "no.mmdb"},
    {"help", {"--help"}, 0, ""},
    {"version", {"--version"}, 0, ""},
};

static void bad_use_is_told(struct daemon *daemon)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/bad", daemon->dir);
    CHECK(mkdir(path, 0700) == 0);
    put_file(daemon, "bad/web.yaml", "apiVersion: pdp/v1\nkinds: Policy\n");
    put_file(daemon, "bad.yaml", "policies: x\ndecid: ipc:///tmp/x\n");
    put_file(daemon, "url.yaml", "policies: x\ndecide: http://x\n");
    for (size_t i = 0; i < COUNT_OF(USES); i++) {
        struct daemon_how how = {.args = {NULL}};
        for (size_t k = 0; k < COUNT_OF(USES[i].args); k++) {
            how.args[k] = USES[i].args[k];
        }
        daemon_spawn(daemon, &how);
        int status = daemon_wait(daemon);
        bool right = status == USES[i].status && strstr(daemon->log, USES[i].says) != NULL;
        CHECK(right);
        if (!right) {
            (void)fprintf(stderr, "%s: status %d, said:\n%s\n", USES[i].name, status, daemon->log);
        }
    }
}

// ---- Sockets -------------------------------------------------------------------------------------------

static void start(struct daemon *daemon)
{
    struct daemon_how how = standard_how();
    daemon_spawn(daemon, &how);
    CHECK(daemon_ready(daemon));
}

static bool answers(const struct daemon *daemon, const char *socket)
{
    char answer[8192];
    int fd = connect_ipc(daemon, socket);
    bool yes = fd >= 0 && shake(fd) && ask(fd, SP_IPC, 1, QUESTION, answer, sizeof answer) && allows(answer);
    if (fd >= 0) {
        (void)close(fd);
    }
    return yes;
}

static void sockets_are_private_and_survive_a_kill(struct daemon *daemon)
{
    char path[128];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/decide.ipc", daemon->dir);
    start(daemon);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);

    struct daemon second = *daemon; // the first one is still there
    struct daemon_how how = {.args = {"--policies", "dir@policies", "--decide", "ipc@decide.ipc"}};
    daemon_spawn(&second, &how);
    CHECK(daemon_wait(&second) == 1);
    CHECK(strstr(second.log, "another process is listening there") != NULL);
    CHECK(answers(daemon, "decide.ipc"));

    (void)kill(daemon->pid, SIGKILL);
    CHECK(daemon_wait(daemon) == -1);
    CHECK(stat(path, &info) == 0); // left behind
    start(daemon);
    CHECK(answers(daemon, "decide.ipc"));
    CHECK(daemon_stop(daemon) == 0);
    CHECK(stat(path, &info) != 0);

    put_file(daemon, "decide.ipc", "no socket"); // and what is no socket is not ours to remove
    how.args[0] = "--policies";
    daemon_spawn(daemon, &how);
    CHECK(daemon_wait(daemon) == 1 && strstr(daemon->log, "is no socket") != NULL);
    CHECK(stat(path, &info) == 0 && unlink(path) == 0);
}

struct inherited {
    const struct daemon *daemon;
    int notify;
};

// In the child: descriptor 3 listens for questions, 4 for analysts.
static void inherit(void *user)
{
    const struct inherited *inherited = user;
    static const char *const NAMES[] = {"given.ipc", "given-admin.ipc"};
    for (int i = 0; i < 2; i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", inherited->daemon->dir, NAMES[i]);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0 ||
            dup2(fd, 30 + i) < 0) {
            _exit(126);
        }
    }
    char text[160];
    if (dup2(30, 3) != 3 || dup2(31, 4) != 4) {
        _exit(126);
    }
    (void)snprintf(text, sizeof text, "%d", (int)getpid());
    (void)setenv("LISTEN_PID", text, 1);
    (void)setenv("LISTEN_FDS", "2", 1);
    (void)setenv("LISTEN_FDNAMES", "decide:admin", 1);
    (void)snprintf(text, sizeof text, "%s/notify", inherited->daemon->dir);
    (void)setenv("NOTIFY_SOCKET", text, 1);
}

static bool notified(int fd, const char *word)
{
    char text[256];
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        ssize_t len = poll(&wait, 1, DEADLINE_MS) == 1 ? recv(fd, text, sizeof text - 1, 0) : -1;
        if (len < 0) {
            return false;
        }
        text[len] = '\0';
        if (strstr(text, word) != NULL) {
            return true;
        }
    }
}

static void a_service_manager_is_served(struct daemon *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", daemon->dir);
    struct inherited inherited = {daemon, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    CHECK(bind(inherited.notify, (struct sockaddr *)&address, sizeof address) == 0);
    struct daemon_how how = {.args = {"--policies", "dir@policies"}, .prepare = inherit, .user = &inherited};
    daemon_spawn(daemon, &how);
    CHECK(notified(inherited.notify, "READY=1"));
    CHECK(answers(daemon, "given.ipc"));
    int fd = connect_ipc(daemon, "given-admin.ipc");
    static char answer[65536];
    CHECK(shake(fd) && ask(fd, SP_IPC, 1, "{\"op\": \"status\"}", answer, sizeof answer));
    CHECK(strstr(answer, "given-admin.ipc") != NULL);
    (void)close(fd);
    (void)kill(daemon->pid, SIGHUP);
    CHECK(notified(inherited.notify, "RELOADING=1") && notified(inherited.notify, "READY=1"));
    (void)kill(daemon->pid, SIGTERM);
    CHECK(notified(inherited.notify, "STOPPING=1"));
    CHECK(daemon_wait(daemon) == 0);
    (void)close(inherited.notify);
}

// ---- Reload and admin -------------------------------------------------------------------------------------

static void reloads_keep_the_last_good(struct daemon *daemon)
{
    start(daemon);
    CHECK(admin_number(daemon, NULL, "policy_epoch") == 1);
    json_t *good = admin(daemon, "{\"op\": \"reload\"}");
    CHECK(json_is_true(json_object_get(good, "ok")));
    CHECK(json_integer_value(json_object_get(good, "policy_epoch")) == 2);
    json_decref(good);

    put_file(daemon, "policies/more.yaml",
             "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: more}\nrules: 7\n");
    json_t *bad = admin(daemon, "{\"op\": \"reload\"}");
    const char *why = json_string_value(json_object_get(bad, "diagnostics"));
    CHECK(json_is_false(json_object_get(bad, "ok")));
    CHECK(why != NULL && strstr(why, "more.yaml:4:8: error") != NULL);
    json_decref(bad);
    CHECK(admin_number(daemon, NULL, "policy_epoch") == 2);
    CHECK(answers(daemon, "decide.ipc"));
    (void)kill(daemon->pid, SIGHUP);
    CHECK(daemon_says(daemon, "event=reload_failed") && daemon_says(daemon, "serving_generation=2"));

    char path[128];
    (void)snprintf(path, sizeof path, "%s/policies/more.yaml", daemon->dir);
    CHECK(unlink(path) == 0);
    (void)kill(daemon->pid, SIGHUP);
    CHECK(daemon_says(daemon, "event=reloaded generation=3"));
    CHECK(daemon_stop(daemon) == 0);
}

static const struct {
    const char *asked, *error;
} WRONG[] = {
    {"{}", "`op` is missing"},
    {"{\"op\": 7}", "is none of"},
    {"{\"op\": \"stop\"}", "is none of"},
    {"[]", "`op` is missing"},
    {"[nonsense", ""},
    {"{\"op\": \"session.show\"}", "`session` is missing"},
    {"{\"op\": \"session.show\", \"session\": \"none\"}", "not known"},
    {"{\"op\": \"session.list\", \"limit\": 0}", "`limit`"},
    {"{\"op\": \"session.list\", \"after\": 12}", "`after`"},
    {"{\"op\": \"session.terminate\", \"session\": \"a\"}", "`reason`"},
    {"{\"op\": \"session.terminate\", \"session\": \"a\", \"reason\": \"  \"}", "`reason`"},
    {"{\"op\": \"session.terminate\", \"sessions\": [], \"reason\": \"x\"}", "1 to 1000"},
    {"{\"op\": \"session.terminate\", \"sessions\": [\"a\", 7], \"reason\": \"x\"}", "1 to 1000"},
    {"{\"op\": \"session.terminate\", \"session\": \"a\", \"sessions\": [\"b\"], \"reason\": \"x\"}",
     "1 to 1000"},
    {"{\"op\": \"session.terminate\", \"session\": \"s_000000000000000000000000\", \"reason\": \"x\"}",
     "not every"},
};

static void a_question_with_a_session(const struct daemon *daemon, const char *effect, const char *code)
{
    char text[512], answer[8192];
    (void)snprintf(text, sizeof text,
                   "%.*s, \"context\": {\"session\": {\"id\": \"secret-1\", \"auth_time\": %lld}}}",
                   (int)strlen(QUESTION) - 1, QUESTION, (long long)time(NULL) - 5);
    int fd = connect_ipc(daemon, "decide.ipc");
    CHECK(shake(fd) && ask(fd, SP_IPC, 1, text, answer, sizeof answer));
    json_t *root = json_loads(answer, 0, NULL);
    json_t *context = json_object_get(root, "context");
    const char *got = json_string_value(json_object_get(context, "effect"));
    const char *why = json_string_value(json_object_get(context, "code"));
    CHECK(got != NULL && strcmp(got, effect) == 0 && why != NULL && strcmp(why, code) == 0);
    json_decref(root);
    (void)close(fd);
}

static void sessions_are_listed_and_ended(struct daemon *daemon)
{
    start(daemon);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        json_t *root = admin(daemon, WRONG[i].asked);
        const char *error = json_string_value(json_object_get(root, "error"));
        bool right = json_is_false(json_object_get(root, "ok")) && error != NULL &&
                     strstr(error, WRONG[i].error) != NULL;
        CHECK(right);
        if (!right) {
            (void)fprintf(stderr, "%s: %s\n", WRONG[i].asked, error != NULL ? error : "no error");
        }
        json_decref(root);
    }
    a_question_with_a_session(daemon, "allow", "policy");
    json_t *list = admin(daemon, "{\"op\": \"session.list\", \"subject\": \"alice\"}");
    json_t *first = json_array_get(json_object_get(list, "sessions"), 0);
    const char *ref = json_string_value(json_object_get(first, "ref"));
    CHECK(ref != NULL && json_array_size(json_object_get(list, "sessions")) == 1);
    json_t *none = admin(daemon, "{\"op\": \"session.list\", \"subject\": \"bob\"}");
    CHECK(json_array_size(json_object_get(none, "sessions")) == 0);
    json_decref(none);

    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"op\": \"session.terminate\", \"session\": \"%s\", \"reason\": \"test\"}",
                   ref != NULL ? ref : "");
    json_t *ended = admin(daemon, text);
    json_t *one = json_array_get(json_object_get(ended, "terminated"), 0);
    const char *was = json_string_value(json_object_get(one, "was"));
    CHECK(json_is_true(json_object_get(ended, "ok")) && json_is_true(json_object_get(one, "known")));
    CHECK(was != NULL && strcmp(was, "active") == 0);
    json_decref(ended);
    json_decref(list);
    a_question_with_a_session(daemon, "terminate", "terminated");
    CHECK(daemon_says(daemon, "event=session_terminated") && strstr(daemon->log, "secret-1") == NULL);
    CHECK(daemon_stop(daemon) == 0);
}

// ---- Limits
// ------------------------------------------------------------------------------------------------

static void few_descriptors(void *user)
{
    (void)user;
    struct rlimit limit = {48, 48};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        _exit(126);
    }
}

static void no_descriptor_left_is_survived(struct daemon *daemon)
{
    enum {
        MANY = 120
    };
    int fds[MANY];
    char answer[8192];
    struct daemon_how how = standard_how();
    how.prepare = few_descriptors;
    daemon_spawn(daemon, &how);
    CHECK(daemon_ready(daemon));
    int calm = connect_ipc(daemon, "decide.ipc"), analyst = connect_ipc(daemon, "admin.ipc");
    static char status[65536];
    CHECK(shake(calm) && shake(analyst));
    for (int i = 0; i < MANY; i++) {
        fds[i] = connect_ipc(daemon, "decide.ipc");
    }
    CHECK(ask(calm, SP_IPC, 1, QUESTION, answer, sizeof answer) && allows(answer));
    json_int_t refused = 0;
    for (int64_t until = now_ms() + DEADLINE_MS; refused == 0 && now_ms() < until;) {
        CHECK(ask(analyst, SP_IPC, 2, "{\"op\": \"status\"}", status, sizeof status));
        json_t *root = json_loads(status, 0, NULL);
        refused = json_integer_value(json_object_get(json_object_get(root, "refusals"), "descriptors"));
        json_decref(root);
    }
    CHECK(refused > 0);
    for (int i = 0; i < MANY; i++) {
        (void)close(fds[i]);
    }
    bool back = false;
    for (int64_t until = now_ms() + DEADLINE_MS; !back && now_ms() < until;) {
        back = answers(daemon, "decide.ipc");
    }
    CHECK(back);
    (void)close(calm);
    (void)close(analyst);
    CHECK(daemon_stop(daemon) == 0);
}

static void a_configuration_is_followed(struct daemon *daemon)
{
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        "policies: %s/policies\nworkers: 1\n"
        "decide:\n  - url: ipc://%s/decide.ipc\n    name: edge\n    mode: '0660'\n    grants: [issue]\n"
        "admin: ipc://%s/admin.ipc\n"
        "limits: {message_bytes: 1024, handshake: 300ms, idle: 1h}\ntrusted_proxies: [10.0.0.0/8]\n",
        daemon->dir, daemon->dir, daemon->dir);
    put_file(daemon, "pdpd.yaml", text);
    struct daemon_how how = {.args = {"--config", "dir@pdpd.yaml"}};
    daemon_spawn(daemon, &how);
    CHECK(daemon_says(daemon, "event=ready"));
    char path[128], answer[8192];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/decide.ipc", daemon->dir);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0660);
    int fd = connect_ipc(daemon, "decide.ipc");
    CHECK(shake(fd) && ask(fd, SP_IPC, 1, QUESTION, answer, sizeof answer));
    CHECK(!allows(answer)); // may not ask
    static const unsigned char LONG[] = {1, 0, 0, 0, 0, 0, 0, 4, 1};
    CHECK(send_all(fd, LONG, sizeof LONG) && recv(fd, answer, 1, 0) <= 0);
    (void)close(fd);
    fd = connect_ipc(daemon, "decide.ipc"); // says nothing: closed by the deadline
    CHECK(recv_all(fd, answer, SP_HANDSHAKE_BYTES) && recv(fd, answer, 1, 0) == 0);
    (void)close(fd);
    CHECK(admin_number(daemon, "refusals", "handshake_late") == 1);
    CHECK(admin_number(daemon, "refusals", "frame_long") == 1);
    CHECK(daemon_stop(daemon) == 0);
}

int main(void)
{
    struct daemon daemon;
    daemon_folder(&daemon);
    bad_use_is_told(&daemon);
    sockets_are_private_and_survive_a_kill(&daemon);
    a_service_manager_is_served(&daemon);
    reloads_keep_the_last_good(&daemon);
    sessions_are_listed_and_ended(&daemon);
    no_descriptor_left_is_survived(&daemon);
    a_configuration_is_followed(&daemon);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
