// SPDX-License-Identifier: Apache-2.0
// Gateways of libpdp and of stock libnng at a real daemon: what is kept, what an end makes void, who confirms
// an order and who is named because it does not.
#include "system/daemon.h"
#include "wire/notice.h"

#include <nng/nng.h>
#include <nng/protocol/survey0/respond.h>
#include <pdp/pdp.h>
#include <spawn.h>
#include <sys/prctl.h>

#define GATEWAYS 50
#define SESSIONS 3

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}

static struct daemon daemon_;

static void url_of(char out[128], const char *dir, const char *socket)
{
    (void)snprintf(out, 128, "ipc://%s/%s.ipc", dir, socket);
}

static struct pdp_client *gateway(const char *dir, const char *name, uint32_t entries)
{
    char decide[128], notices[128], orders[128];
    struct pdp_client *client = NULL;
    url_of(decide, dir, "decide");
    url_of(notices, dir, "notices");
    url_of(orders, dir, "orders");
    struct pdp_options options = {.size = sizeof options,
                                  .notices_url = notices,
                                  .orders_url = orders,
                                  .name = name,
                                  .cache_entries = entries,
                                  .reconnect_ms = 50};
    if (pdp_connect(decide, &options, &client) != PDP_ERR_OK) {
        (void)fprintf(stderr, "cannot connect to %s\n", decide);
        exit(2);
    }
    return client;
}

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

static bool allowed(struct pdp_client *client, struct pdp_question *asked)
{
    struct pdp_answer *answer = NULL;
    (void)pdp_decide(client, asked, DEADLINE_MS, &answer);
    bool yes = pdp_answer_allows(answer);
    pdp_answer_free(&answer);
    return yes;
}

static struct pdp_cache_state state_of(struct pdp_client *client)
{
    struct pdp_cache_state state;
    pdp_cache_state(client, &state);
    return state;
}

static bool wait_live(struct pdp_client *client, bool wanted)
{
    for (int64_t until = now_ms() + DEADLINE_MS; now_ms() < until; (void)usleep(1000)) {
        if (state_of(client).live == wanted) {
            return true;
        }
    }
    return false;
}

// Gives an order with `wait`, and tells who has confirmed.
static json_t *order(const char *asked)
{
    char text[256];
    json_t *done = admin(&daemon_, asked);
    CHECK(json_is_true(json_object_get(done, "ok")) && json_is_integer(json_object_get(done, "order")));
    (void)snprintf(text, sizeof text, "{\"op\": \"order.wait\", \"order\": %d}",
                   (int)json_integer_value(json_object_get(done, "order")));
    json_decref(done);
    return admin(&daemon_, text);
}

static json_t *terminate(const char *session, int wait_ms)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"op\": \"session.terminate\", \"session\": \"%s\", \"reason\": \"test\", \"wait\": %d}",
                   session, wait_ms);
    return order(text);
}

static size_t count_of(const json_t *result, const char *group)
{
    return json_array_size(json_object_get(result, group));
}

static bool names(const json_t *result, const char *group, const char *name)
{
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(json_object_get(result, group), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0) {
            return true;
        }
    }
    return false;
}

static bool wait_registered(size_t connected)
{
    for (int64_t until = now_ms() + DEADLINE_MS; now_ms() < until; (void)usleep(2000)) {
        json_t *all = admin(&daemon_, "{\"op\": \"gateways\"}");
        bool there = count_of(all, "connected") == connected && !names(all, "connected", "(unnamed)");
        json_decref(all);
        if (there) {
            return true;
        }
    }
    return false;
}

// ---- 50 gateways -------------------------------------------------------------------------------------

struct crowd {
    struct pdp_client *clients[GATEWAYS];
    struct pdp_question *asked[SESSIONS];
};

static void crowd_open(struct crowd *crowd)
{
    for (int i = 0; i < GATEWAYS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "gw-%d", i);
        crowd->clients[i] = gateway(daemon_.dir, name, i % 2 == 0 ? 100 : 0);
    }
    for (int i = 0; i < SESSIONS; i++) {
        char session[32];
        (void)snprintf(session, sizeof session, "crowd-%d", i);
        crowd->asked[i] = question(session);
    }
    for (int i = 0; i < GATEWAYS; i++) {
        CHECK(wait_live(crowd->clients[i], true));
    }
}

static void crowd_close(struct crowd *crowd)
{
    for (int i = 0; i < GATEWAYS; i++) {
        pdp_close(&crowd->clients[i]);
    }
    for (int i = 0; i < SESSIONS; i++) {
        pdp_question_free(&crowd->asked[i]);
    }
}

static void all_confirm(void)
{
    struct crowd crowd;
    crowd_open(&crowd);
    for (int i = 0; i < GATEWAYS; i++) {
        for (int k = 0; k < SESSIONS; k++) {
            CHECK(allowed(crowd.clients[i], crowd.asked[k]) && allowed(crowd.clients[i], crowd.asked[k]));
        }
        struct pdp_cache_state state = state_of(crowd.clients[i]);
        CHECK(state.hits == (i % 2 == 0 ? SESSIONS : 0) && state.kept == state.hits);
    }
    CHECK(wait_registered(GATEWAYS));
    json_t *result = terminate("crowd-1", 10000);
    CHECK(count_of(result, "confirmed") == GATEWAYS && count_of(result, "silent") == 0);
    CHECK(names(result, "confirmed", "gw-7"));
    json_decref(result);
    for (int i = 0; i < GATEWAYS; i++) {
        CHECK(!allowed(crowd.clients[i], crowd.asked[1]) && allowed(crowd.clients[i], crowd.asked[0]));
        CHECK(state_of(crowd.clients[i]).kept == (i % 2 == 0 ? SESSIONS - 1 : 0));
    }
    // Other policies make all of it void.
    json_decref(admin(&daemon_, "{\"op\": \"reload\"}"));
    for (int i = 0; i < GATEWAYS; i++) {
        for (int64_t until = now_ms() + DEADLINE_MS;
             state_of(crowd.clients[i]).kept != 0 && now_ms() < until;) {
            (void)usleep(1000);
        }
        CHECK(state_of(crowd.clients[i]).kept == 0);
    }
    crowd_close(&crowd);
}

// ---- Controls ----------------------------------------------------------------------------------------

#define LOCKED(more)                                                                                  \
    "{\"op\": \"lock.add\", \"target\": {\"kind\": \"subject\", \"value\": \"locked\"}, \"effect\": " \
    "\"deny\", "                                                                                      \
    "\"for\": 600, \"reason\": \"test\"" more "}"

static void wait_empty(struct pdp_client *client)
{
    for (int64_t until = now_ms() + DEADLINE_MS; state_of(client).kept != 0 && now_ms() < until;) {
        (void)usleep(1000);
    }
    CHECK(state_of(client).kept == 0);
}

static int64_t lock_number(void)
{
    json_t *all = admin(&daemon_, "{\"op\": \"lock.list\"}");
    json_int_t number =
        json_integer_value(json_object_get(json_array_get(json_object_get(all, "locks"), 0), "id"));
    json_decref(all);
    return number;
}

// What is kept goes with every change of controls, whether it is waited for or not.
static void controls_make_void(void)
{
    char text[256];
    struct pdp_client *client = gateway(daemon_.dir, "gw-controls", 100);
    struct pdp_question *locked = question("locked"), *other = question("other");
    CHECK(wait_live(client, true) && wait_registered(1));
    CHECK(allowed(client, locked) && allowed(client, locked) && allowed(client, other));
    CHECK(state_of(client).kept == 2 && state_of(client).hits == 1);
    json_decref(admin(&daemon_, LOCKED("")));
    wait_empty(client);
    CHECK(!allowed(client, locked) && allowed(client, other));
    (void)snprintf(text, sizeof text,
                   "{\"op\": \"lock.rm\", \"id\": %lld, \"reason\": \"test\", \"wait\": 10000}",
                   (long long)lock_number());
    json_t *result = order(text);
    CHECK(names(result, "confirmed", "gw-controls") && count_of(result, "silent") == 0);
    json_decref(result);
    CHECK(allowed(client, locked) && allowed(client, locked) && allowed(client, other));
    result = order(LOCKED(", \"wait\": 10000"));
    CHECK(names(result, "confirmed", "gw-controls"));
    json_decref(result);
    CHECK(!allowed(client, locked) && allowed(client, other));
    result =
        order("{\"op\": \"session.terminate\", \"target\": {\"kind\": \"subject\", \"value\": \"other\"}, "
              "\"reason\": \"test\", \"wait\": 10000}");
    CHECK(names(result, "confirmed", "gw-controls"));
    json_decref(result);
    CHECK(!allowed(client, other));
    result = admin(&daemon_, LOCKED(", \"wait\": 0"));
    CHECK(json_is_false(json_object_get(result, "ok")));
    json_decref(result);
    pdp_question_free(&locked);
    pdp_question_free(&other);
    pdp_close(&client);
}

// ---- The frozen and the vanished ---------------------------------------------------------------------

_Noreturn static void be_gateway(const char *dir, const char *name)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct pdp_client *client = gateway(dir, name, 100);
    struct pdp_question *asked = question("frozen");
    for (;;) {
        (void)putchar(allowed(client, asked) ? '+' : '-');
        (void)fflush(stdout);
        (void)usleep(1000);
    }
}

static pid_t spawn_gateway(const char *name, int *out)
{
    char *argv[] = {"test_gateways", "--gateway", daemon_.dir, (char *)(uintptr_t)name, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = 0;
    if (pipe(ends) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0 ||
        posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ) != 0) {
        exit(2);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    *out = ends[0];
    return pid;
}

// Reads what the gateway says until it says `word`.
static bool says(int fd, char word)
{
    char byte = 0;
    for (int64_t until = now_ms() + DEADLINE_MS; now_ms() < until;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 1000) > 0 && read(fd, &byte, 1) == 1 && byte == word) {
            return true;
        }
    }
    return false;
}

static void the_silent_are_named(void)
{
    int fd = -1, gone_fd = -1;
    pid_t pid = spawn_gateway("gw-frozen", &fd), gone = spawn_gateway("gw-gone", &gone_fd);
    struct pdp_client *well = gateway(daemon_.dir, "gw-well", 0);
    CHECK(says(fd, '+') && says(gone_fd, '+'));
    CHECK(wait_registered(3));
    CHECK(kill(pid, SIGSTOP) == 0 && kill(gone, SIGKILL) == 0 && waitpid(gone, NULL, 0) == gone);
    CHECK(wait_registered(2));
    int64_t start = now_ms();
    json_t *result = terminate("frozen", 300);
    CHECK(now_ms() - start < DEADLINE_MS / 2);
    CHECK(names(result, "silent", "gw-frozen") && count_of(result, "silent") == 1);
    CHECK(names(result, "gone", "gw-gone"));
    CHECK(names(result, "confirmed", "gw-well") && count_of(result, "confirmed") == 1);
    json_decref(result);
    // It wakes up after more than three heartbeats: it knows nothing of the end, and gives no allow all the
    // same.
    (void)usleep(400000);
    char rest[65536];
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    while (read(fd, rest, sizeof rest) > 0) {
    }
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(says(fd, '-'));
    for (int i = 0; i < 50 && says(fd, '-'); i++) {
    }
    while (read(fd, rest, 1) == 1) {
        CHECK(rest[0] == '-');
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(fd);
    (void)close(gone_fd);
    pdp_close(&well);
}

// ---- Stock libnng and rude peers ---------------------------------------------------------------------

static void stock_respondents(void)
{
    char url[128];
    nng_socket socket = NNG_SOCKET_INITIALIZER;
    url_of(url, daemon_.dir, "orders");
    CHECK(nng_respondent0_open(&socket) == 0);
    CHECK(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, DEADLINE_MS) == 0);
    CHECK(nng_dial(socket, url, NULL, 0) == 0);
    unsigned char hello[SP_HANDSHAKE_BYTES];
    int rude = connect_ipc(&daemon_, "orders.ipc"); // says nothing that can be understood
    sp_handshake_write(SP_RESPONDENT0, hello);
    CHECK(send_all(rude, hello, sizeof hello) && send_all(rude, "\1\0\0\0\0\0\0\0\7\x80\0\0\0xyz", 16));
    char first[SP_HANDSHAKE_BYTES + 1]; // with a first heartbeat: it is known there
    CHECK(recv(rude, first, sizeof first, MSG_WAITALL) == (ssize_t)sizeof first);
    bool named = false;
    struct buf bytes = {0};
    struct arena arena;
    arena_init(&arena, 0, 0);
    char text[160] =
        "{\"op\": \"session.terminate\", \"session\": \"stock\", \"reason\": \"test\", \"wait\": 2000}";
    json_t *result = NULL;
    for (bool done = false; !done;) {
        nng_msg *msg = NULL;
        struct order order;
        if (nng_recvmsg(socket, &msg, 0) != 0) {
            CHECK(!"an order or a heartbeat");
            break;
        }
        CHECK(order_read((struct str){nng_msg_body(msg), nng_msg_len(msg)}, &arena, &order) == PDP_ERR_OK);
        done = order.number > 0;
        CHECK(!done || order.ref_count == 1);
        buf_clear(&bytes);
        confirmation_write(&(struct confirmation){order.number, order.now.boot, STR("stock"), 0, 0}, &bytes);
        nng_msg_clear(msg);
        CHECK(nng_msg_append(msg, bytes.at, bytes.len) == 0 && nng_sendmsg(socket, msg, 0) == 0);
        if (!named) {
            named = true;
            result = admin(&daemon_, text);
            (void)snprintf(text, sizeof text, "{\"op\": \"order.wait\", \"order\": %d}",
                           (int)json_integer_value(json_object_get(result, "order")));
            json_decref(result);
        }
    }
    result = admin(&daemon_, text);
    CHECK(names(result, "confirmed", "stock") && names(result, "silent", "(unnamed)"));
    json_decref(result);
    (void)nng_close(socket);
    (void)close(rude);
    buf_fini(&bytes);
    arena_fini(&arena);
}

// A word that no daemon of this endpoint's would understand closes nothing but its own connection.
static void rude_respondents(void)
{
    unsigned char hello[SP_HANDSHAKE_BYTES], byte;
    int fd = connect_ipc(&daemon_, "orders.ipc");
    sp_handshake_write(SP_RESPONDENT0, hello);
    CHECK(send_all(fd, hello, sizeof hello) && send_all(fd, "\1\0\0\0\0\0\0\0\4\0\0\0\1", 13));
    while (recv(fd, &byte, 1, 0) > 0) {
    }
    (void)close(fd);
    CHECK(admin_number(&daemon_, "refusals", "hops_bad") >= 1);
    fd = connect_ipc(&daemon_, "orders.ipc");
    CHECK(send_all(fd, hello, sizeof hello) && send_all(fd, "\1\xff\xff\xff\xff\xff\xff\xff\xff", 9));
    while (recv(fd, &byte, 1, 0) > 0) {
    }
    (void)close(fd);
    CHECK(admin_number(&daemon_, "refusals", "frame_long") >= 1);
}

// ---- A daemon that goes ------------------------------------------------------------------------------

static void nothing_without_heartbeats(void)
{
    struct pdp_client *client = gateway(daemon_.dir, "gw-last", 100);
    struct pdp_question *asked = question("last");
    CHECK(wait_live(client, true) && allowed(client, asked) && allowed(client, asked));
    CHECK(state_of(client).hits == 1);
    CHECK(daemon_stop(&daemon_) == 0);
    CHECK(wait_live(client, false));
    struct pdp_answer *answer = NULL;
    CHECK(pdp_decide(client, asked, 50, &answer) == PDP_ERR_TIMEOUT && !pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    pdp_question_free(&asked);
    pdp_close(&client);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--gateway") == 0) {
        be_gateway(argv[2], argv[3]);
    }
    daemon_folder(&daemon_);
    put_file(&daemon_, "pdpd.yaml", "heartbeat: 50ms\n");
    struct daemon_how how = {.args = {"--config", "dir@pdpd.yaml", "--policies", "dir@policies", "--decide",
                                      "ipc@decide.ipc", "--admin", "ipc@admin.ipc", "--notices",
                                      "ipc@notices.ipc", "--orders", "ipc@orders.ipc", NULL}};
    daemon_spawn(&daemon_, &how);
    CHECK(daemon_ready(&daemon_));
    all_confirm();
    controls_make_void();
    the_silent_are_named();
    stock_respondents();
    rude_respondents();
    nothing_without_heartbeats();
    daemon_clean(&daemon_);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
