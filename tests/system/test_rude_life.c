// SPDX-License-Identifier: Apache-2.0
// Reloads and ends while questions are asked: a reload loses and denies none, an end answers all that were
// sent before.
#include "system/rude.h"

enum {
    ASKERS = 4,
    RELOADS = RUDE_SANITIZED ? 20 : 300,
    DEEP = 32,
    CROWD = 3000, // more than a loop hears of in its last turns
};

// ---- Reload -------------------------------------------------------------------------------------

struct asker {
    const struct daemon *daemon;
    bool tcp;
    pthread_t thread;
    _Atomic bool stop;
    uint64_t asked, allowed;
    bool broken;
};

// Keeps DEEP questions underway on one connection.
static void *asker_main(void *user)
{
    struct asker *asker = user;
    enum sp_transport transport = asker->tcp ? SP_TCP : SP_IPC;
    int fd = asker->tcp ? connect_tcp(asker->daemon) : connect_ipc(asker->daemon, "decide.ipc");
    asker->broken = fd < 0 || !shake(fd);
    unsigned char frame[1024];
    char answer[8192];
    uint32_t next = 0, seen = 0;
    while (!asker->broken && (!atomic_load(&asker->stop) || seen < next)) {
        while (next < seen + DEEP && !atomic_load(&asker->stop)) {
            asker->broken =
                asker->broken || !send_whole(fd, frame, frame_put(frame, transport, next++, QUESTION));
        }
        uint32_t id = 0;
        if (answer_next(fd, transport, &id, answer, sizeof answer) < 0 || id != seen) {
            asker->broken = true;
            break;
        }
        seen++;
        asker->allowed += strstr(answer, "\"decision\":true") != NULL;
    }
    asker->asked = next;
    (void)close(fd);
    return NULL;
}

static void reload(const struct daemon *daemon, bool good)
{
    put_file(daemon, "policies/more.yaml",
             good ? "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: more}\nrules:\n  - {id: a, effect: "
                    "deny, actions: [PUT]}\n"
                  : "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: more}\nrules: 7\n");
    json_t *root = asked(daemon, "admin.ipc", "{\"op\": \"reload\"}");
    CHECK(json_is_true(json_object_get(root, "ok")) == good);
    json_decref(root);
}

static void a_reload_costs_no_question(const struct daemon *daemon)
{
    struct asker askers[ASKERS] = {{.daemon = daemon},
                                   {.daemon = daemon, .tcp = true},
                                   {.daemon = daemon},
                                   {.daemon = daemon, .tcp = true}};
    struct calm calm = {.name = "beside reloads, ipc", .every_ms = 1};
    for (size_t i = 0; i < ASKERS; i++) {
        CHECK(pthread_create(&askers[i].thread, NULL, asker_main, &askers[i]) == 0);
    }
    calm_start(&calm, daemon);
    for (int i = 0; i < RELOADS; i++) {
        reload(daemon, i % 3 != 0);
        (void)kill(daemon->pid, SIGHUP);
    }
    reload(daemon, true);
    CHECK(calm_stop(&calm).unanswered == 0);
    uint64_t all = 0;
    for (size_t i = 0; i < ASKERS; i++) {
        atomic_store(&askers[i].stop, true);
        (void)pthread_join(askers[i].thread, NULL);
        CHECK(!askers[i].broken && askers[i].allowed == askers[i].asked && askers[i].asked > 0);
        all += askers[i].asked;
    }
    (void)fprintf(stderr, "%d reloads beside %llu questions\n", RELOADS, (unsigned long long)all);
}

// ---- End ----------------------------------------------------------------------------------------

static int crowd_most(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 100;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max < CROWD + 200 ? (int)limit.rlim_max - 200 : CROWD;
}

// Each of a crowd has `deep` questions underway when the daemon is told to end: each is answered, then the
// connection ends.
static void an_end_answers_what_was_asked(struct daemon *daemon, int crowd, uint32_t deep)
{
    static int fds[CROWD];
    unsigned char *frames = malloc(deep * 512);
    size_t len = 0, answered = 0;
    for (uint32_t i = 0; i < deep && frames != NULL; i++) {
        len += frame_put(frames + len, SP_IPC, i, QUESTION);
    }
    struct daemon_how how = standard_how();
    daemon_spawn(daemon, &how);
    CHECK(daemon_ready(daemon));
    for (int i = 0; i < crowd; i++) {
        fds[i] = connect_ipc(daemon, "decide.ipc");
        CHECK(fds[i] >= 0 && shake(fds[i]));
    }
    for (int i = 0; i < crowd; i++) {
        CHECK(send_whole(fds[i], frames, len));
    }
    (void)kill(daemon->pid, SIGTERM);
    for (int i = 0; i < crowd; i++) {
        char answer[8192];
        uint32_t id = 0, seen = 0;
        while (seen < deep && answer_next(fds[i], SP_IPC, &id, answer, sizeof answer) >= 0 && id == seen) {
            seen += strstr(answer, "\"decision\":true") != NULL;
        }
        answered += seen == deep;
        (void)close(fds[i]);
    }
    CHECK(answered == (size_t)crowd);
    (void)fprintf(stderr,
                  "%d peers with %u questions each when it was told to end: %zu had all their answers\n",
                  crowd, deep, answered);
    CHECK(daemon_wait(daemon) == 0);
    free(frames);
}

// Killed at any moment, it starts again at once, and answers.
static void a_kill_is_survived(struct daemon *daemon)
{
    for (int i = 0; i < 5; i++) {
        struct daemon_how how = standard_how();
        daemon_spawn(daemon, &how);
        CHECK(daemon_ready(daemon));
        struct asker asker = {.daemon = daemon};
        CHECK(pthread_create(&asker.thread, NULL, asker_main, &asker) == 0);
        (void)kill(daemon->pid, SIGHUP);
        (void)poll(NULL, 0, i * 3);
        (void)kill(daemon->pid, SIGKILL);
        CHECK(daemon_wait(daemon) == -1);
        (void)pthread_join(asker.thread, NULL);
        CHECK(asker.broken);
    }
}

int main(void)
{
    struct daemon daemon;
    int crowd = crowd_most();
    daemon_folder(&daemon);
    struct daemon_how how = standard_how();
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    if (failures == 0) {
        a_reload_costs_no_question(&daemon);
    }
    CHECK(daemon_stop(&daemon) == 0);
    a_kill_is_survived(&daemon);
    an_end_answers_what_was_asked(&daemon, 50, 200);
    an_end_answers_what_was_asked(&daemon, crowd, 1);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
