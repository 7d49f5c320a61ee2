// SPDX-License-Identifier: Apache-2.0
// Slow gateways at a real daemon: one that confirms late, one that hears late, one that reads more slowly
// than it is told. Each is named, and none allows once what it knows is older than three heartbeats. Between
// libpdp and the daemon stands a relay that holds back what it is told to.
#include "system/daemon.h"

#include <pdp/pdp.h>
#include <pthread.h>
#include <stdatomic.h>

#define BEAT_MS 50
#define WAIT_MS 500 // above three heartbeats

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}

static struct daemon daemon_;

// ---- The relay ---------------------------------------------------------------------------------------

enum pace {
    PASS,
    HOLD,   // nothing goes on
    TRICKLE // a message in two heartbeats
};

struct relay {
    char url[128], to[32];
    int listener;
    _Atomic int pace[2]; // to the daemon, to the gateway
    atomic_uint held;    // messages that the gateway has not been given yet, while it trickles
    pthread_t thread;
};

struct way {
    struct relay *relay;
    int from, to, direction;
};

static void wait_pass(const struct relay *relay, int direction)
{
    while (atomic_load(&relay->pace[direction]) == HOLD) {
        (void)usleep(1000);
    }
    if (atomic_load(&relay->pace[direction]) == TRICKLE) {
        (void)usleep(2 * BEAT_MS * 1000);
    }
}

static bool read_all(int fd, void *out, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t part = read(fd, (char *)out + got, len - got);
        if (part <= 0) {
            return false;
        }
        got += (size_t)part;
    }
    return true;
}

// One message after the other: a type, a length, the body.
static void *run_way(void *user)
{
    struct way way = *(struct way *)user;
    free(user);
    static _Thread_local unsigned char body[1 << 20];
    unsigned char head[9];
    bool open = read_all(way.from, body, SP_HANDSHAKE_BYTES) && send_all(way.to, body, SP_HANDSHAKE_BYTES);
    while (open && read_all(way.from, head, sizeof head)) {
        uint64_t len = 0;
        for (int i = 1; i < 9; i++) {
            len = len << 8 | head[i];
        }
        open = len <= sizeof body && read_all(way.from, body, (size_t)len);
        wait_pass(way.relay, way.direction);
        open = open && send_all(way.to, head, sizeof head) && send_all(way.to, body, (size_t)len);
        if (way.direction == 1 && atomic_load(&way.relay->pace[1]) == TRICKLE) {
            atomic_fetch_add(&way.relay->held, 1);
        }
    }
    (void)shutdown(way.from, SHUT_RDWR);
    (void)shutdown(way.to, SHUT_RDWR);
    return NULL; // the descriptors live as long as the process: the other way uses them still
}

static void way_start(struct relay *relay, int from, int to, int direction)
{
    struct way *way = malloc(sizeof *way);
    pthread_t thread;
    if (way == NULL) {
        exit(2);
    }
    *way = (struct way){relay, from, to, direction};
    if (pthread_create(&thread, NULL, run_way, way) != 0 || pthread_detach(thread) != 0) {
        exit(2);
    }
}

static void *run_relay(void *user)
{
    struct relay *relay = user;
    for (;;) {
        int gateway = accept(relay->listener, NULL, NULL);
        if (gateway < 0) {
            return NULL;
        }
        int daemon = connect_ipc(&daemon_, relay->to);
        way_start(relay, gateway, daemon, 0);
        way_start(relay, daemon, gateway, 1);
    }
}

static void relay_open(struct relay *relay, const char *name, const char *to)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(relay->url, sizeof relay->url, "ipc://%s/%s", daemon_.dir, name);
    (void)snprintf(relay->to, sizeof relay->to, "%s", to);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/%s", daemon_.dir, name);
    relay->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(relay->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(relay->listener, 8) != 0 ||
        pthread_create(&relay->thread, NULL, run_relay, relay) != 0) {
        exit(2);
    }
}

static void relay_close(struct relay *relay)
{
    atomic_store(&relay->pace[0], PASS);
    atomic_store(&relay->pace[1], PASS);
    (void)shutdown(relay->listener, SHUT_RDWR);
    (void)pthread_join(relay->thread, NULL);
    (void)close(relay->listener);
}

// ---- A gateway behind it -----------------------------------------------------------------------------

struct slow {
    struct relay notices, orders;
    struct pdp_client *client;
    struct pdp_question *asked;
};

static struct pdp_question *question(const char *session)
{
    struct pdp_question *made = NULL;
    if (pdp_question_new(&made) != PDP_ERR_OK) {
        exit(2);
    }
    pdp_question_set_text(made, "subject.type", "user");
    pdp_question_set_text(made, "subject.id", session);
    pdp_question_set_text(made, "action.name", "GET");
    pdp_question_set_text(made, "resource.type", "route");
    pdp_question_set_text(made, "resource.id", "/");
    pdp_question_set_text(made, "context.session.id", session);
    pdp_question_set_int(made, "context.session.auth_time", (int64_t)time(NULL) - 10);
    return made;
}

static bool allowed(struct slow *slow)
{
    struct pdp_answer *answer = NULL;
    (void)pdp_decide(slow->client, slow->asked, DEADLINE_MS, &answer);
    bool yes = pdp_answer_allows(answer);
    pdp_answer_free(&answer);
    return yes;
}

static struct pdp_cache_state state_of(struct slow *slow)
{
    struct pdp_cache_state state;
    pdp_cache_state(slow->client, &state);
    return state;
}

static bool wait_live(struct slow *slow, bool live)
{
    for (int64_t until = now_ms() + DEADLINE_MS; now_ms() < until; (void)usleep(1000)) {
        if (state_of(slow).live == live) {
            return true;
        }
    }
    return false;
}

static json_t *names_of(const char *group)
{
    json_t *all = admin(&daemon_, "{\"op\": \"gateways\"}");
    json_t *list = json_incref(json_object_get(all, group));
    json_decref(all);
    return list;
}

static bool lists(const json_t *list, const char *name)
{
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0) {
            return true;
        }
    }
    return false;
}

static void wait_registered(const char *name)
{
    bool there = false;
    for (int64_t until = now_ms() + DEADLINE_MS; !there && now_ms() < until; (void)usleep(2000)) {
        json_t *list = names_of("connected");
        there = lists(list, name);
        json_decref(list);
    }
    CHECK(there);
}

static void slow_open(struct slow *slow, const char *name)
{
    char decide[128], file[64];
    *slow = (struct slow){0};
    (void)snprintf(file, sizeof file, "%s-n.ipc", name);
    relay_open(&slow->notices, file, "notices.ipc");
    (void)snprintf(file, sizeof file, "%s-o.ipc", name);
    relay_open(&slow->orders, file, "orders.ipc");
    (void)snprintf(decide, sizeof decide, "ipc://%s/decide.ipc", daemon_.dir);
    struct pdp_options options = {.size = sizeof options,
                                  .notices_url = slow->notices.url,
                                  .orders_url = slow->orders.url,
                                  .name = name,
                                  .cache_entries = 100,
                                  .reconnect_ms = 50};
    if (pdp_connect(decide, &options, &slow->client) != PDP_ERR_OK) {
        exit(2);
    }
    slow->asked = question(name);
    CHECK(wait_live(slow, true));
    wait_registered(name);
    CHECK(allowed(slow) && allowed(slow));
    CHECK(state_of(slow).hits >= 1 && state_of(slow).kept == 1);
}

static void slow_close(struct slow *slow)
{
    relay_close(&slow->notices);
    relay_close(&slow->orders);
    pdp_close(&slow->client);
    pdp_question_free(&slow->asked);
}

// Ends its session, and waits for gateways: is this one named? As silent, or as gone where it has given up a
// connection on which nothing came, and dialled anew.
static bool ends_and_is_named(const char *name)
{
    char text[200];
    (void)snprintf(text, sizeof text,
                   "{\"op\": \"session.terminate\", \"session\": \"%s\", \"reason\": \"test\", \"wait\": %d}",
                   name, WAIT_MS);
    json_t *done = admin(&daemon_, text);
    CHECK(json_is_true(json_object_get(done, "ok")));
    (void)snprintf(text, sizeof text, "{\"op\": \"order.wait\", \"order\": %d}",
                   (int)json_integer_value(json_object_get(done, "order")));
    json_decref(done);
    done = admin(&daemon_, text);
    bool confirmed = lists(json_object_get(done, "confirmed"), name);
    bool named = lists(json_object_get(done, "silent"), name) || lists(json_object_get(done, "gone"), name);
    json_decref(done);
    return named && !confirmed;
}

static void never_again(struct slow *slow)
{
    for (int i = 0; i < 300; i++) {
        CHECK(!allowed(slow));
        (void)usleep(1000);
    }
}

// ---- Three kinds of slow -----------------------------------------------------------------------------

// It does what it is told, and its word is late.
static void confirms_late(void)
{
    static struct slow slow; // a way that ends late looks at its own still
    slow_open(&slow, "gw-late");
    atomic_store(&slow.orders.pace[0], HOLD);
    CHECK(ends_and_is_named("gw-late"));
    CHECK(state_of(&slow).live && state_of(&slow).kept == 0);
    CHECK(!allowed(&slow));
    atomic_store(&slow.orders.pace[0], PASS);
    never_again(&slow);
    slow_close(&slow);
}

// It hears nothing for a while, and then all at once: old heartbeats come before the end of the session.
static void hears_late(void)
{
    static struct slow slow; // a way that ends late looks at its own still
    slow_open(&slow, "gw-deaf");
    atomic_store(&slow.notices.pace[1], HOLD);
    atomic_store(&slow.orders.pace[1], HOLD);
    CHECK(ends_and_is_named("gw-deaf"));
    CHECK(!allowed(&slow));
    atomic_store(&slow.notices.pace[1], PASS);
    never_again(&slow);
    CHECK(wait_live(&slow, true));
    slow_close(&slow);
}

// It reads less than it is told: heartbeats go on coming, each later than the one before.
static void reads_slowly(void)
{
    static struct slow slow; // a way that ends late looks at its own still
    slow_open(&slow, "gw-slow");
    atomic_store(&slow.notices.pace[1], TRICKLE);
    atomic_store(&slow.orders.pace[1], TRICKLE);
    for (int64_t until = now_ms() + DEADLINE_MS; atomic_load(&slow.notices.held) < 10 && now_ms() < until;) {
        (void)usleep(1000);
    }
    CHECK(atomic_load(&slow.notices.held) >= 10); // ten heartbeats of twenty: it is a second behind
    CHECK(ends_and_is_named("gw-slow"));
    CHECK(!allowed(&slow));
    never_again(&slow);
    atomic_store(&slow.notices.pace[1], PASS);
    atomic_store(&slow.orders.pace[1], PASS);
    never_again(&slow);
    CHECK(wait_live(&slow, true)); // it has caught up
    slow_close(&slow);
}

int main(void)
{
    daemon_folder(&daemon_);
    put_file(&daemon_, "pdpd.yaml", "heartbeat: 50ms\n");
    struct daemon_how how = {.args = {"--config", "dir@pdpd.yaml", "--policies", "dir@policies", "--decide",
                                      "ipc@decide.ipc", "--admin", "ipc@admin.ipc", "--notices",
                                      "ipc@notices.ipc", "--orders", "ipc@orders.ipc", NULL}};
    daemon_spawn(&daemon_, &how);
    CHECK(daemon_ready(&daemon_));
    confirms_late();
    hears_late();
    reads_slowly();
    CHECK(daemon_stop(&daemon_) == 0);
    daemon_clean(&daemon_);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
