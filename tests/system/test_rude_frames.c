// SPDX-License-Identifier: Apache-2.0
// Messages that are legal or nearly so, and meant badly: every one is answered as a denial or its sender is
// closed, none stops the daemon, and a peer that behaves is answered all the while.
#include "system/rude.h"

static char big[RUDE_ANSWER_MAX]; // an answer

// ---- Messages -----------------------------------------------------------------------------------

#define ALICE "\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"action\": {\"name\": \"GET\"}"
#define ROUTE "\"resource\": {\"type\": \"route\", \"id\": \"/a\"}"
#define X15 "xxxxxxxxxxxxxxx"
#define X255 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15 X15

// `before`, `count` times `item`, `after`.
static const struct {
    const char *name, *before, *item;
    size_t count;
    const char *after, *effect, *says;
} MESSAGES[] = {
    {"plain", "{" ALICE, "", 0, "," ROUTE "}", "allow/policy", ""},
    {"nothing", "", "", 0, "", "deny/malformed", ""},
    {"white space", "", " ", 60000, "", "deny/malformed", ""},
    {"text alone", "\"hello\"", "", 0, "", "deny/malformed", ""},
    {"a list", "[]", "", 0, "", "deny/malformed", ""},
    {"an empty map", "{}", "", 0, "", "deny/malformed", "subject"},
    {"after it something", "{" ALICE "," ROUTE "}", "x", 1, "", "deny/malformed", ""},
    {"two of them", "{" ALICE "," ROUTE "}", "{}", 1, "", "deny/malformed", ""},
    {"cut off", "{" ALICE "," ROUTE, "", 0, "", "deny/malformed", ""},
    {"a key twice", "{" ALICE "," ROUTE, ",\"action\": {\"name\": \"GET\"}", 1, "}", "deny/malformed",
     "twice"},
    {"a key twice, escaped", "{" ALICE "," ROUTE, ",\"\\u0061ction\": {\"name\": \"GET\"}", 1, "}",
     "deny/malformed", "twice"},
    {"a key twice, deep", "{" ALICE "," ROUTE ",\"context\": {\"a\": {\"b\": 1, \"b\": 1}}}", "", 0, "",
     "deny/malformed", "twice"},
    {"16 levels", "{" ALICE "," ROUTE ",\"context\": {\"a\": ", "[", 14, "]]]]]]]]]]]]]]}}", "allow/policy",
     ""},
    {"17 levels", "{" ALICE "," ROUTE ",\"context\": {\"a\": ", "[", 15, "]]]]]]]]]]]]]]]}}",
     "deny/malformed", "deep"},
    {"60,000 levels of lists", "", "[", 60000, "", "deny/malformed", ""},
    {"10,000 levels of maps", "", "{\"a\":", 10000, "", "deny/malformed", ""},
    {"many keys", "{" ALICE "," ROUTE, ",\"a\": 1", 7000, "}", "deny/malformed", "twice"},
    {"a long list", "{" ALICE "," ROUTE ",\"context\": {\"a\": [0", ",0", 30000, "]}}", "allow/policy", ""},
    {"nulls", "{\"subject\": null, \"action\": null, \"resource\": null}", "", 0, "", "deny/malformed", ""},
    {"a lone surrogate", "{" ALICE "," ROUTE ", \"a\": \"\\ud800\"}", "", 0, "", "deny/malformed", ""},
    {"bytes that are no UTF-8", "{" ALICE "," ROUTE ", \"a\": \"\xc0\xaf\"}", "", 0, "", "deny/malformed",
     ""},
    {"a NUL in a key", "{" ALICE "," ROUTE ", \"a\\u0000\": 1}", "", 0, "", "deny/malformed", ""},
    {"a NUL in the action",
     "{\"subject\": {\"type\": \"user\", \"id\": \"alice\"}, \"action\": {\"name\": \"GET\\u0000\"}," ROUTE
     "}",
     "", 0, "", "deny/no-rule", ""},
    {"a NUL in the path", "{" ALICE ", \"resource\": {\"type\": \"route\", \"id\": \"/a\\u0000\"}}", "", 0,
     "", "deny/malformed", ""},
    {"a path upwards", "{" ALICE ", \"resource\": {\"type\": \"route\", \"id\": \"/b/../a\"}}", "", 0, "",
     "deny/malformed", ""},
    {"a number beyond", "{" ALICE "," ROUTE ", \"a\": 9223372036854775808}", "", 0, "", "deny/malformed", ""},
    {"a number far beyond", "{" ALICE "," ROUTE ", \"a\": 1e999}", "", 0, "", "deny/malformed", ""},
    {"a number of 60,000 digits", "{" ALICE "," ROUTE ", \"a\": 1", "0", 60000, "}", "deny/malformed", ""},
    {"no number", "{" ALICE "," ROUTE ", \"a\": NaN}", "", 0, "", "deny/malformed", ""},
    {"an id of 255 bytes", "{" ALICE "," ROUTE ", \"request_id\": \"" X255 "\"}", "", 0, "", "allow/policy",
     X255},
    {"an id of 256 bytes", "{" ALICE "," ROUTE ", \"request_id\": \"" X255 "x\"}", "", 0, "",
     "deny/malformed", "255"},
    {"an id of nothing", "{" ALICE "," ROUTE ", \"request_id\": \"\"}", "", 0, "", "deny/malformed", "empty"},
    {"a session id of 256 bytes",
     "{" ALICE "," ROUTE ", \"context\": {\"session\": {\"id\": \"" X255 "x\"}}}", "", 0, "",
     "deny/malformed", "255"},
    {"an id that would write the log",
     "{" ALICE "," ROUTE ", \"request_id\": \"a\\nlevel=error event=forged\\u001b[2J\\u009b\"}", "", 0, "",
     "allow/policy", "\\n"},
    {"an event and a question", "{" ALICE "," ROUTE ", \"event\": {\"type\": \"logout\"}}", "", 0, "",
     "deny/malformed", ""},
    {"an analyst's order", "{\"op\": \"session.terminate\", \"session\": \"a\", \"reason\": \"x\"}", "", 0,
     "", "deny/malformed", ""},
    {"an order to reload", "{\"op\": \"reload\"}", "", 0, "", "deny/malformed", ""},
    {"a time of its own", "{\"at\": 1, \"request\": {" ALICE "," ROUTE "}}", "", 0, "", "deny/malformed", ""},
    {"257 items", "{" ALICE "," ROUTE ", \"evaluations\": [{}", ",{}", 256, "]}", "deny/malformed",
     "at most 256"},
    {"20,000 items", "{\"evaluations\": [{}", ",{}", 20000, "]}", "deny/malformed", "at most 256"},
    {"items that are none", "{\"evaluations\": {}}", "", 0, "", "deny/malformed", "list"},
    {"an event as an item", "{" ALICE "," ROUTE ", \"evaluations\": [{\"event\": {\"type\": \"logout\"}}]}",
     "", 0, "", "deny/malformed", ""},
};

static size_t message_put(size_t i, char *out)
{
    size_t len = strlen(MESSAGES[i].before), one = strlen(MESSAGES[i].item);
    memcpy(out, MESSAGES[i].before, len);
    for (size_t k = 0; k < MESSAGES[i].count; k++, len += one) {
        memcpy(out + len, MESSAGES[i].item, one);
    }
    memcpy(out + len, MESSAGES[i].after, strlen(MESSAGES[i].after));
    return len + strlen(MESSAGES[i].after);
}

static void messages_are_judged(const struct daemon *daemon)
{
    static char message[2 * RUDE_FRAME_MAX];
    for (int tcp = 0; tcp < 2; tcp++) {
        int fd = tcp != 0 ? connect_tcp(daemon) : connect_ipc(daemon, "decide.ipc");
        CHECK(fd >= 0 && shake(fd));
        for (size_t i = 0; i < COUNT_OF(MESSAGES); i++) {
            size_t len = message_put(i, message);
            ssize_t got =
                ask_bytes(fd, tcp != 0 ? SP_TCP : SP_IPC, (uint32_t)i, message, len, big, sizeof big);
            json_t *root = got >= 0 ? json_loads(big, 0, NULL) : NULL;
            bool cbor = got > 0 && root == NULL && memmem(big, (size_t)got, "malformed", 9) != NULL;
            const char *effect =
                cbor ? "deny/malformed" : effect_of(root); // what is no JSON is answered in CBOR
            bool right = strcmp(effect, MESSAGES[i].effect) == 0 && strstr(big, MESSAGES[i].says) != NULL;
            CHECK(right);
            if (!right) {
                (void)fprintf(stderr, "%s: %s: %.300s\n", MESSAGES[i].name, effect,
                              got >= 0 ? big : "no answer");
            }
            json_decref(root);
        }
        (void)close(fd);
    }
}

static void a_whole_batch_is_answered(const struct daemon *daemon)
{
    static char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "{" ALICE "," ROUTE ", \"evaluations\": [0");
    for (int i = 1; i < 256; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, ",%s", i % 3 == 0 ? "[]" : "{}");
    }
    (void)snprintf(text + len, sizeof text - len, "]}");
    json_t *root = asked(daemon, "decide.ipc", text), *items = json_object_get(root, "evaluations");
    CHECK(json_array_size(items) == 256);
    for (size_t i = 0; i < json_array_size(items); i++) {
        CHECK(strcmp(effect_of(json_array_get(items, i)), i % 3 == 0 ? "deny/malformed" : "allow/policy") ==
              0);
    }
    json_decref(root);
}

// A message may have 65,536 bytes; a frame some more for its hops; whoever claims more is closed.
static void the_longest_message(const struct daemon *daemon)
{
    static char text[RUDE_FRAME_MAX];
    static const struct {
        size_t len;
        const char *effect;
    } LENGTHS[] = {{65536, "allow/policy"}, {65537, "deny/malformed"}, {65536 + 29, "no answer"}};
    for (size_t i = 0; i < COUNT_OF(LENGTHS); i++) {
        memset(text, ' ', sizeof text);
        memcpy(text, QUESTION, strlen(QUESTION));
        int fd = connect_ipc(daemon, "decide.ipc");
        CHECK(fd >= 0 && shake(fd));
        ssize_t got = ask_bytes(fd, SP_IPC, 1, text, LENGTHS[i].len, big, sizeof big);
        json_t *root = got >= 0 ? json_loads(big, 0, NULL) : NULL;
        CHECK(strcmp(effect_of(root), LENGTHS[i].effect) == 0);
        json_decref(root);
        (void)close(fd);
    }
}

// ---- CBOR ---------------------------------------------------------------------------------------

static const struct {
    const char *name;
    unsigned char bytes[24];
    size_t len;
} CBOR[] = {
    {"a map that never ends", {0xbf}, 1},
    {"a map of 2^63", {0xbb, 0x80}, 9},
    {"a list of 2^64-1", {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9},
    {"text of 2^63", {0x7b, 0x80}, 9},
    {"text of 2^32 in a map", {0xa1, 0x7a, 0xff, 0xff, 0xff, 0xff}, 6},
    {"a break alone", {0xff}, 1},
    {"a reserved length", {0xbc}, 1},
    {"a key twice", {0xa2, 0x61, 'a', 1, 0x61, 'a', 1}, 7},
    {"a key twice, one in pieces", {0xa2, 0x61, 'a', 1, 0x7f, 0x61, 'a', 0xff, 1}, 9},
    {"a number as a key", {0xa1, 1, 1}, 3},
    {"lists in lists",
     {0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81,
      0x80},
     18},
    {"tags in tags", {0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0x00}, 9},
    {"text that is no UTF-8", {0xa1, 0x61, 'a', 0x62, 0xc0, 0xaf}, 6},
    {"not a number", {0xa1, 0x61, 'a', 0xf9, 0x7e, 0x00}, 6},
    {"2^64-1", {0xa1, 0x61, 'a', 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 12},
    {"a NUL", {0x00}, 1},
};

static void cbor_is_judged(const struct daemon *daemon)
{
    int fd = connect_ipc(daemon, "decide.ipc");
    CHECK(fd >= 0 && shake(fd));
    for (uint32_t i = 0; i < COUNT_OF(CBOR); i++) {
        ssize_t got = ask_bytes(fd, SP_IPC, i, CBOR[i].bytes, CBOR[i].len, big, sizeof big);
        bool right = got > 0 && memmem(big, (size_t)got, "malformed", 9) != NULL &&
                     memmem(big, (size_t)got, "allow", 5) == NULL;
        CHECK(right);
        if (!right) {
            (void)fprintf(stderr, "%s\n", CBOR[i].name);
        }
    }
    // Both forms by turns on the one connection, each answered in its own.
    json_t *question = json_loads(QUESTION, 0, NULL);
    unsigned char cbor[512];
    for (uint32_t i = 0; i < 50; i++) {
        ssize_t got = ask_bytes(fd, SP_IPC, 2 * i, QUESTION, strlen(QUESTION), big, sizeof big);
        CHECK(got > 0 && big[0] == '{' && strstr(big, "\"decision\":true") != NULL);
        got = ask_bytes(fd, SP_IPC, 2 * i + 1, cbor, cbor_of(question, i % 2 != 0, cbor), big, sizeof big);
        CHECK(got > 0 && ((unsigned char)big[0] & 0xe0) == 0xa0 &&
              memmem(big, (size_t)got, "allow", 5) != NULL);
    }
    json_decref(question);
    (void)close(fd);
}

// ---- Hops and protocols -------------------------------------------------------------------------

static const struct {
    const char *name;
    unsigned words; // in front, without the mark of the last one
    bool ends;      // then one with it, and the question
    bool answered, closed;
} HOPS[] = {
    {"the id alone", 0, true, true, false},    {"seven devices", 7, true, true, false},
    {"eight devices", 8, true, false, false}, // dropped, as nng does
    {"no end within", 3, false, false, true},  {"no end in many", 40, false, false, false},
    {"nothing at all", 0, false, false, true},
};

static void hops_are_carried(const struct daemon *daemon)
{
    for (size_t i = 0; i < COUNT_OF(HOPS); i++) {
        unsigned char frame[1024] = {0};
        size_t stack = 4 * HOPS[i].words + (HOPS[i].ends ? 4 : 0), len = HOPS[i].ends ? strlen(QUESTION) : 0;
        size_t at = sp_frame_write(SP_IPC, stack + len, frame);
        frame[at] = HOPS[i].words > 0 ? 7 : 0;
        if (HOPS[i].ends) {
            frame[at + stack - 4] = 0x80;
            frame[at + stack - 1] = 9;
            memcpy(frame + at + stack, QUESTION, len);
        }
        int fd = connect_ipc(daemon, "decide.ipc");
        CHECK(fd >= 0 && shake(fd) && send_whole(fd, frame, at + stack + len));
        char answer[8192];
        if (HOPS[i].answered) {
            unsigned char head[SP_HEADER_MAX];
            CHECK(recv_all(fd, head, sizeof head) && recv_all(fd, answer, ((size_t)head[7] << 8) + head[8]));
            CHECK(memcmp(answer, frame + at, stack) == 0); // as they came
        }
        bool alive = ask(fd, SP_IPC, 3, QUESTION, answer, sizeof answer);
        CHECK(alive == !HOPS[i].closed);
        if (alive == HOPS[i].closed) {
            (void)fprintf(stderr, "%s\n", HOPS[i].name);
        }
        (void)close(fd);
    }
}

static void other_protocols_are_refused(const struct daemon *daemon)
{
    static const uint16_t TYPES[] = {0,    0x10, 0x20, 0x21,  0x31,   0x50,  0x51,
                                     0x62, 0x63, 0x70, 0x130, 0x3000, 0xffff};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        static const char *const SOCKETS[] = {"decide.ipc", "admin.ipc"};
        for (size_t k = 0; k < 2; k++) {
            unsigned char hello[sizeof HELLO];
            char answer[8192];
            memcpy(hello, HELLO, sizeof hello);
            hello[4] = (unsigned char)(TYPES[i] >> 8);
            hello[5] = (unsigned char)TYPES[i];
            int fd = connect_ipc(daemon, SOCKETS[k]);
            CHECK(fd >= 0 && send_whole(fd, hello, sizeof hello));
            CHECK(recv_all(fd, answer, SP_HANDSHAKE_BYTES) || errno == ECONNRESET);
            CHECK(recv(fd, answer, 1, 0) <= 0);
            (void)close(fd);
        }
    }
    json_t *root = asked(daemon, "admin.ipc", QUESTION); // and a question to the analysts' endpoint
    CHECK(strcmp(at_path(root, "ok"), "false") == 0 && json_object_get(root, "decision") == NULL);
    json_decref(root);
}

// ---- Time ---------------------------------------------------------------------------------------

// A byte now and then, of a handshake and of a frame: closed by the deadlines, which no byte moves.
static void dripping_is_ended(const struct daemon *daemon)
{
    enum {
        EACH = 20
    };
    int fds[2 * EACH];
    unsigned char frame[1024];
    size_t len = frame_put(frame, SP_IPC, 1, QUESTION), left = 2 * EACH;
    json_int_t hands = admin_number(daemon, "refusals", "handshake_late"),
               frames = admin_number(daemon, "refusals", "frame_late");
    for (int i = 0; i < 2 * EACH; i++) {
        fds[i] = connect_ipc(daemon, "decide.ipc");
        CHECK(fds[i] >= 0 && (i % 2 == 0 || shake(fds[i])));
    }
    int64_t until = now_ms() + DEADLINE_MS;
    for (size_t at = 0; left > 0 && now_ms() < until; at++) {
        for (int i = 0; i < 2 * EACH; i++) {
            if (fds[i] >= 0 && at < (i % 2 == 0 ? sizeof HELLO - 1 : len - 1)) {
                (void)send(fds[i], i % 2 == 0 ? HELLO + at : frame + at, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            }
            char byte;
            ssize_t got = fds[i] >= 0 ? recv(fds[i], &byte, 1, MSG_DONTWAIT) : 1;
            if (got == 0 || (got < 0 && errno != EAGAIN)) {
                (void)close(fds[i]);
                fds[i] = -1;
                left--;
            }
        }
        (void)poll(NULL, 0, 20);
    }
    CHECK(left == 0);
    CHECK(admin_number(daemon, "refusals", "handshake_late") == hands + EACH);
    CHECK(admin_number(daemon, "refusals", "frame_late") == frames + EACH);
}

// Asks and asks and never reads: is held back by what it does not take, and closed when it takes nothing for
// too long.
static void the_deaf_are_ended(const struct daemon *daemon)
{
    enum {
        EACH = 50
    };
    int fds[EACH];
    unsigned char frame[1024];
    size_t len = frame_put(frame, SP_IPC, 1, QUESTION), rss = daemon_rss_kib(daemon), most = rss;
    for (int i = 0; i < EACH; i++) {
        fds[i] = connect_ipc(daemon, "decide.ipc");
        CHECK(fds[i] >= 0 && send_whole(fds[i], HELLO, sizeof HELLO));
    }
    size_t left = EACH;
    for (int64_t until = now_ms() + DEADLINE_MS; left > 0 && now_ms() < until; (void)poll(NULL, 0, 1)) {
        for (int i = 0; i < EACH; i++) {
            ssize_t sent = 1;
            for (int k = 0; fds[i] >= 0 && k < 100 && sent > 0; k++) {
                sent = send(fds[i], frame, len, MSG_NOSIGNAL | MSG_DONTWAIT); // part of one: as well
            }
            if (sent < 0 && errno != EAGAIN) {
                (void)close(fds[i]);
                fds[i] = -1;
                left--;
            }
        }
        size_t now = daemon_rss_kib(daemon);
        most = now > most ? now : most;
    }
    (void)fprintf(stderr, "%d deaf peers: memory %zu KiB, at most %zu KiB\n", EACH, rss, most);
    CHECK(left == 0);
    CHECK(RUDE_SANITIZED || most < rss + EACH * 1024);
}

// ---- Together -----------------------------------------------------------------------------------

static void configure(const struct daemon *daemon, struct daemon_how *how)
{
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        "policies: %s/policies\nworkers: 1\ndecide: [\"ipc://%s/decide.ipc\", \"tcp://127.0.0.1:0\"]\n"
        "admin: ipc://%s/admin.ipc\nlimits: {handshake: 400ms, frame: 400ms, stall: 600ms, queue: 20s}\n",
        daemon->dir, daemon->dir, daemon->dir);
    put_file(daemon, "pdpd.yaml", text);
    *how = (struct daemon_how){.args = {"--config", "dir@pdpd.yaml"}};
}

int main(void)
{
    struct daemon daemon;
    struct daemon_how how;
    daemon_folder(&daemon);
    configure(&daemon, &how);
    daemon_spawn(&daemon, &how);
    CHECK(daemon_ready(&daemon));
    if (failures == 0) {
        messages_are_judged(&daemon);
        a_whole_batch_is_answered(&daemon);
        the_longest_message(&daemon);
        cbor_is_judged(&daemon);
        hops_are_carried(&daemon);
        other_protocols_are_refused(&daemon);
        dripping_is_ended(&daemon);
        the_deaf_are_ended(&daemon);
    }
    CHECK(daemon_lives(&daemon));
    CHECK(daemon_stop(&daemon) == 0);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
