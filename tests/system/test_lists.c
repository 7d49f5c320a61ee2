// SPDX-License-Identifier: Apache-2.0
// A daemon with a list of a million entries, asked all the while: its file is read anew, refused, lost, and
// what is acknowledged is what is answered by from then on.
#include "system/daemon.h"

#include <pthread.h>
#include <stdatomic.h>

// Lists are read on a thread of idle priority: where other work fills the machine, that takes as long as it
// leaves.
enum {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    ENTRIES = 50000,
#else
    ENTRIES = 1000000,
#endif
    ROUNDS = 4,
    PATIENCE_MS = 240000
};

#define LISTS                                                                                              \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\n"                                            \
    "rules:\n  - {id: read, effect: allow, actions: [GET], when: '!(subject.id in lists.leavers)'}\n---\n" \
    "apiVersion: pdp/v1\nkind: List\nmetadata: {name: leavers, version: 1}\ntype: string\nfile: "          \
    "leavers.txt\n---\n"                                                                                   \
    "apiVersion: pdp/v1\nkind: List\nmetadata: {name: own}\ntype: string\nentries: [x]\n"

// `admin`, for as long as a reload may take.
static json_t *order(const struct daemon *daemon, const char *text)
{
    static char out[1 << 16];
    unsigned char frame[512], header[SP_HEADER_MAX + 4];
    int fd = connect_ipc(daemon, "admin.ipc");
    size_t len = frame_put(frame, SP_IPC, 7, text), head = sp_header_bytes(SP_IPC);
    json_t *root = NULL;
    if (fd >= 0 && shake(fd) && send_all(fd, frame, len)) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        bool came = poll(&wait, 1, PATIENCE_MS) == 1 && recv_all(fd, header, head + 4);
        size_t body = (size_t)header[head - 2] << 8 | header[head - 1];
        if (came && body >= 4 && body - 4 < sizeof out && recv_all(fd, out, body - 4)) {
            out[body - 4] = '\0';
            root = json_loads(out, 0, NULL);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    CHECK(root != NULL);
    return root;
}

// As an operator should: a whole file takes the place of the old one.
static void put_list(const struct daemon *daemon, int version, const char *more)
{
    char path[128], next[160];
    (void)snprintf(path, sizeof path, "%s/policies/leavers.txt", daemon->dir);
    (void)snprintf(next, sizeof next, "%s.next", path);
    FILE *file = fopen(next, "w");
    bool good = file != NULL && fprintf(file, "# version: %d\n", version) > 0;
    for (int i = 0; good && i < ENTRIES; i++) {
        good = fprintf(file, "user-%07d@example.org\n", i * 7) > 0;
    }
    good = good && fputs(more, file) >= 0 && fclose(file) == 0 && rename(next, path) == 0;
    CHECK(good);
}

static long resident_kb(const struct daemon *daemon)
{
    char path[64], line[256];
    long kb = -1;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)daemon->pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kb;
}

// ---- A client that asks all the while ---------------------------------------------------------------------

struct client {
    const struct daemon *daemon;
    pthread_t thread;
    atomic_bool stop;
    atomic_ulong answers, denied, late; // of bob, who is never on the list
};

static void *keep_asking(void *user)
{
    struct client *client = user;
    char answer[8192];
    int fd = connect_ipc(client->daemon, "decide.ipc");
    bool good = fd >= 0 && shake(fd);
    for (uint32_t id = 1; good && !atomic_load(&client->stop); id = id % 200 + 1) {
        int64_t began_ms = now_ms();
        good = ask(fd, SP_IPC, id,
                   "{\"subject\": {\"type\": \"user\", \"id\": \"bob\"}, \"action\": {\"name\": \"GET\"}, "
                   "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}}",
                   answer, sizeof answer);
        atomic_fetch_add(&client->answers, 1);
        atomic_fetch_add(&client->denied, good && allows(answer) ? 0 : 1);
        atomic_fetch_add(&client->late, now_ms() - began_ms > DEADLINE_MS / 2 ? 1 : 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return NULL;
}

static bool is_allowed(int fd, const char *subject)
{
    char text[256], answer[8192];
    (void)snprintf(text, sizeof text,
                   "{\"subject\": {\"type\": \"user\", \"id\": \"%s\"}, \"action\": {\"name\": \"GET\"}, "
                   "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}}",
                   subject);
    CHECK(ask(fd, SP_IPC, 5, text, answer, sizeof answer));
    return allows(answer);
}

static json_t *list_named(const json_t *root, const char *name)
{
    size_t i = 0;
    json_t *list = NULL;
    json_array_foreach(json_object_get(root, "lists"), i, list)
    {
        if (strcmp(json_string_value(json_object_get(list, "name")), name) == 0) {
            return list;
        }
    }
    return NULL;
}

// ---- What is acknowledged holds
// ------------------------------------------------------------------------------

static void turns_with_the_acknowledgement(struct daemon *daemon, int fd)
{
    for (int round = 2; round < 2 + ROUNDS; round++) {
        bool listed = round % 2 == 0;
        CHECK(is_allowed(fd, "alice") == listed);
        put_list(daemon, round, listed ? "alice\n" : "");
        CHECK(is_allowed(fd, "alice") == listed); // a file alone changes nothing
        json_t *root = order(daemon, round % 3 == 0 ? "{\"op\": \"reload\", \"lists\": true}"
                                                    : "{\"op\": \"reload\", \"list\": \"leavers\"}");
        CHECK(is_allowed(fd, "alice") != listed);
        CHECK(json_is_true(json_object_get(root, "ok")));
        CHECK(json_integer_value(json_object_get(root, "policy_epoch")) == round);
        json_decref(root);
        CHECK(!is_allowed(fd, "user-0000007@example.org"));
        root = admin(daemon, "{\"op\": \"lists\"}");
        const json_t *list = list_named(root, "leavers");
        char version[16];
        (void)snprintf(version, sizeof version, "%d", round);
        CHECK(list != NULL && strcmp(json_string_value(json_object_get(list, "version")), version) == 0);
        CHECK(json_integer_value(json_object_get(list, "entries")) == ENTRIES + (listed ? 1 : 0));
        CHECK(json_is_false(json_object_get(list, "stale")) &&
              json_is_null(json_object_get(list, "refused")));
        json_decref(root);
    }
}

static const struct {
    const char *asked, *error, *diagnostics;
} REFUSED[] = {
    {"{\"op\": \"reload\", \"list\": \"leavers\"}", "1 error in the lists",
     ":1: error: an entry holds a control character"},
    {"{\"op\": \"reload\", \"lists\": true}", "1 error in the lists",
     ":1: error: an entry holds a control character"},
    {"{\"op\": \"reload\", \"list\": \"leaver\"}", "1 error in the lists", "did you mean `leavers`?"},
    {"{\"op\": \"reload\", \"list\": \"own\"}", "1 error in the lists", "stand in its document"},
    {"{\"op\": \"reload\", \"list\": 7}", "`list` is no name of a list", NULL},
    {"{\"op\": \"reload\", \"lists\": 7}", "`lists` is neither true nor false", NULL},
    {"{\"op\": \"reload\", \"list\": \"own\", \"lists\": true}", "exclude each other", NULL},
};

static void a_bad_file_is_refused(struct daemon *daemon, int fd)
{
    json_int_t epoch = admin_number(daemon, NULL, "policy_epoch");
    put_list(daemon, 99, "al\x01ice\n");
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        json_t *root = order(daemon, REFUSED[i].asked);
        const char *error = json_string_value(json_object_get(root, "error"));
        const char *told = json_string_value(json_object_get(root, "diagnostics"));
        bool right = json_is_false(json_object_get(root, "ok")) && error != NULL &&
                     strstr(error, REFUSED[i].error) != NULL &&
                     (REFUSED[i].diagnostics == NULL ||
                      (told != NULL && strstr(told, REFUSED[i].diagnostics) != NULL));
        CHECK(right);
        if (!right) {
            (void)fprintf(stderr, "%s: %s\n%s\n", REFUSED[i].asked, error, told);
        }
        json_decref(root);
    }
    CHECK(admin_number(daemon, NULL, "policy_epoch") == epoch);
    CHECK(!is_allowed(fd, "user-0000007@example.org") && is_allowed(fd, "alice"));
    json_t *root = admin(daemon, "{\"op\": \"lists\"}");
    CHECK(json_is_string(json_object_get(list_named(root, "leavers"), "refused")));
    json_decref(root);
    root = admin(daemon, "{\"op\": \"status\"}");
    const json_t *last = json_object_get(root, "last_reload");
    CHECK(json_is_false(json_object_get(last, "ok")));
    CHECK(strcmp(json_string_value(json_object_get(last, "list")), "own") == 0);
    json_decref(root);
    CHECK(daemon_says(daemon, "event=list_refused file=leavers.txt line="));
}

static void the_digest_is_that_of_a_full_load(struct daemon *daemon)
{
    put_list(daemon, 100, "carol\n");
    json_t *apart = order(daemon, "{\"op\": \"reload\", \"list\": \"leavers\"}");
    json_t *whole = order(daemon, "{\"op\": \"reload\"}");
    const char *one = json_string_value(json_object_get(apart, "snapshot"));
    const char *two = json_string_value(json_object_get(whole, "snapshot"));
    CHECK(one != NULL && two != NULL && strcmp(one, two) == 0);
    json_decref(apart);
    json_decref(whole);
}

int main(void)
{
    struct daemon daemon;
    daemon_folder(&daemon);
    put_file(&daemon, "policies/web.yaml", LISTS);
    put_list(&daemon, 1, "");
    struct daemon_how how = standard_how();
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    long before_kb = resident_kb(&daemon);

    struct client client = {.daemon = &daemon};
    int fd = connect_ipc(&daemon, "decide.ipc");
    CHECK(pthread_create(&client.thread, NULL, keep_asking, &client) == 0 && fd >= 0 && shake(fd));
    turns_with_the_acknowledgement(&daemon, fd);
    a_bad_file_is_refused(&daemon, fd);
    the_digest_is_that_of_a_full_load(&daemon);
    atomic_store(&client.stop, true);
    (void)pthread_join(client.thread, NULL);
    (void)close(fd);
    CHECK(client.answers > 20 && client.denied == 0 && client.late == 0);

    // Old lists go: what is held now is one list and no more, once the next tidying has passed.
    long now_kb = resident_kb(&daemon);
    for (int64_t until = now_ms() + DEADLINE_MS; now_kb > before_kb + 20000 && now_ms() < until;) {
        (void)poll(NULL, 0, 50);
        now_kb = resident_kb(&daemon);
    }
    (void)printf("%lu answers; %ld KiB before, %ld after\n", (unsigned long)client.answers, before_kb,
                 now_kb);
    bool plain = getenv("ASAN_OPTIONS") == NULL; // sanitizers keep freed memory for a while
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    plain = false;
#endif
    CHECK(!plain || now_kb <= before_kb + 20000);
    CHECK(daemon_stop(&daemon) == 0);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
