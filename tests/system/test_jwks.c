// SPDX-License-Identifier: Apache-2.0
// Keys from an identity provider that rotates them, answers nonsense, goes away and comes back, while threads
// check tokens by them.
#include "common/jwt.h"
#include "unit/adapters/signer.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define NOW_MS INT64_C(1800000000000)
#define CLAIMS "{\"iss\":\"https://idp.example\",\"aud\":\"shop\",\"exp\":1800000300,\"sub\":\"alice\"}"
#define DEADLINE_S 30
#define THREADS 4

static const char *const AUDIENCES[] = {"shop"};
static const struct jwt_rules RULES = {.issuer = "https://idp.example",
                                       .audiences = AUDIENCES,
                                       .audience_count = 1,
                                       .algs = JWK_ALGS_DEFAULT,
                                       .type_may_lack = true};

static json_t *one, *two;
static char *set_one, *set_two, *set_both;     // key sets
static char *token_one, *token_two, *token_no; // by a key that nobody has

#define MUST(condition, ...)                                \
    do {                                                    \
        if (!(condition)) {                                 \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
            fprintf(stderr, "" __VA_ARGS__);                \
            fprintf(stderr, ": %s\n", #condition);          \
            exit_failed();                                  \
        }                                                   \
    } while (0)

static void exit_failed(void)
{
    _exit(1);
}

// ---- The identity provider ------------------------------------------------------------------------

static struct {
    struct MHD_Daemon *daemon;
    unsigned port;
    pthread_mutex_t lock; // guards what it says
    char *body;
    unsigned status;
    bool silent; // takes the request and says nothing, until it is told to
    struct MHD_Connection *held;
    atomic_uint asked;
} idp = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum MHD_Result serve(void *user, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *upload, size_t *upload_size,
                             void **request)
{
    (void)user, (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*request == NULL) {
        *request = &idp;
        return MHD_YES;
    }
    atomic_fetch_add(&idp.asked, 1);
    pthread_mutex_lock(&idp.lock);
    if (idp.silent) {
        idp.held = connection;
        MHD_suspend_connection(connection);
        pthread_mutex_unlock(&idp.lock);
        return MHD_YES;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(idp.body), idp.body, MHD_RESPMEM_MUST_COPY);
    if (idp.status == 302) {
        MHD_add_response_header(response, "Location", "/elsewhere");
    }
    enum MHD_Result queued = MHD_queue_response(connection, idp.status, response);
    pthread_mutex_unlock(&idp.lock);
    MHD_destroy_response(response);
    return queued;
}

static void idp_says(unsigned status, const char *body, bool silent)
{
    pthread_mutex_lock(&idp.lock);
    free(idp.body);
    idp.body = strdup(body);
    idp.status = status;
    idp.silent = silent;
    pthread_mutex_unlock(&idp.lock);
}

static bool idp_begins(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    idp.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                                  serve, NULL, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_LISTENING_ADDRESS_REUSE,
                                  1U, MHD_OPTION_END);
    if (idp.daemon != NULL) {
        idp.port = MHD_get_daemon_info(idp.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    }
    return idp.daemon != NULL;
}

static void idp_ends(void)
{
    MHD_stop_daemon(idp.daemon);
    idp.daemon = NULL;
}

// ---- Checking -------------------------------------------------------------------------------------

static struct jwks *keys;
static struct jwt *jwt;

static enum jwt_fault check(const char *token)
{
    struct claims *claims = NULL;
    enum jwt_fault fault = jwt_check(jwt, token, strlen(token), NOW_MS, &claims);
    MUST((fault == JWT_OK) == (claims != NULL), "claims with %s", jwt_fault_text(fault));
    claims_release(&claims);
    return fault;
}

static void until(const char *what, const char *token, enum jwt_fault wanted)
{
    enum jwt_fault fault = JWT_FAULT_COUNT;
    for (int i = 0; i < DEADLINE_S * 1000; i++) {
        fault = check(token);
        if (fault == wanted) {
            return;
        }
        usleep(1000);
    }
    MUST(fault == wanted, "%s: still %s", what, jwt_fault_text(fault));
}

static void until_asked(unsigned times)
{
    for (int i = 0; i < DEADLINE_S * 1000 && atomic_load(&idp.asked) < times; i++) {
        usleep(1000);
    }
    MUST(atomic_load(&idp.asked) >= times, "the identity provider was not asked %u times", times);
}

static void begin(int64_t refresh_ms, int64_t least_ms, int64_t max_age_ms)
{
    char url[64], why[400] = "";
    snprintf(url, sizeof url, "http://127.0.0.1:%u/keys", idp.port);
    struct jwks_about about = {
        .from = url, .refresh_ms = refresh_ms, .least_ms = least_ms, .max_age_ms = max_age_ms};
    MUST(jwks_open(&about, &keys, why, sizeof why) == PDP_ERR_OK, "%s", why);
    MUST(jwt_new(&RULES, keys, 64, &jwt) == PDP_ERR_OK, "a verifier");
}

static void end(void)
{
    jwt_free(&jwt);
    jwks_close(&keys);
}

#define HOUR_MS INT64_C(3600000)

static void away_at_the_start(void)
{
    unsigned port = idp.port;
    idp_ends();
    begin(HOUR_MS, 20, HOUR_MS);
    MUST(check(token_one) == JWT_NO_KEYS, "nobody has served keys");
    idp_says(200, set_one, false);
    MUST(idp_begins(port), "the identity provider comes up");
    until("it came up", token_one, JWT_OK);
    MUST(check(token_two) == JWT_KEY, "a key that is not served");
    end();
}

static void rotates(void)
{
    idp_says(200, set_one, false);
    begin(HOUR_MS, 20, HOUR_MS);
    until("first keys", token_one, JWT_OK);
    idp_says(200, set_both, false);
    until("a new key has the set read again", token_two, JWT_OK);
    MUST(check(token_one) == JWT_OK, "the old key is served too");
    idp_says(200, set_two, false);
    jwks_reload(keys);
    until("the old key is gone", token_one, JWT_KEY);
    MUST(check(token_two) == JWT_OK, "the new key stays");
    end();
}

static void answers_nonsense(void)
{
    static char huge[JWK_SET_BYTES_MOST + 2];
    memset(huge, ' ', sizeof huge - 1);
    const struct {
        unsigned status;
        const char *body;
    } SAYS[] = {{500, set_two},         {404, ""},   {302, set_two}, {204, ""}, {200, ""}, {200, "<html>"},
                {200, "{\"keys\":[]}"}, {200, huge}, {203, set_two}};
    idp_says(200, set_one, false);
    begin(HOUR_MS, 1, HOUR_MS);
    until("first keys", token_one, JWT_OK);
    for (size_t i = 0; i < sizeof SAYS / sizeof *SAYS; i++) {
        uint64_t tries = jwks_tries(keys);
        idp_says(SAYS[i].status, SAYS[i].body, false);
        jwks_reload(keys);
        while (jwks_tries(keys) == tries) {
            MUST(check(token_one) == JWT_OK, "the last good keys serve on");
        }
        MUST(check(token_one) == JWT_OK && check(token_two) == JWT_KEY, "answer %zu changed the keys", i);
    }
    end();
}

static void stays_away(void)
{
    idp_says(200, set_one, false);
    begin(10, 10, 1500);
    until("first keys", token_one, JWT_OK);
    idp_says(503, "", false);
    until("keys that are too old", token_one, JWT_NO_KEYS);
    idp_says(200, set_one, false);
    until("keys that are fresh again", token_one, JWT_OK);
    end();
}

// Whoever invents key ids has the set read once, and then not before it is time.
static void is_not_flooded(void)
{
    idp_says(200, set_one, false);
    unsigned before = atomic_load(&idp.asked);
    begin(HOUR_MS, HOUR_MS, HOUR_MS);
    until("first keys", token_one, JWT_OK);
    for (int i = 0; i < 1000; i++) {
        MUST(check(token_no) == JWT_KEY, "an invented key");
    }
    MUST(atomic_load(&idp.asked) == before + 1, "asked %u times", atomic_load(&idp.asked) - before);
    end();
}

// What does not answer holds nobody: neither a check nor the end.
static void is_silent(void)
{
    idp_says(200, set_one, false);
    begin(HOUR_MS, 1, HOUR_MS);
    until("first keys", token_one, JWT_OK);
    idp_says(200, set_one, true);
    unsigned before = atomic_load(&idp.asked);
    MUST(check(token_no) == JWT_KEY, "an invented key");
    until_asked(before + 1);
    MUST(check(token_one) == JWT_OK && check(token_no) == JWT_KEY, "while it is asked");
    end();
    idp_says(200, set_one, false);
    MHD_resume_connection(idp.held);
    idp_ends();
}

// ---- Threads --------------------------------------------------------------------------------------

static atomic_bool stop;
static atomic_uint good;

static void *checks(void *user)
{
    (void)user;
    while (!atomic_load(&stop)) {
        MUST(check(token_one) == JWT_OK, "a key that is always served");
        MUST(check(token_no) == JWT_KEY, "a key that nobody has");
        enum jwt_fault fault = check(token_two);
        MUST(fault == JWT_OK || fault == JWT_KEY, "a key that comes and goes");
        atomic_fetch_add(&good, 1);
    }
    return NULL;
}

static void while_threads_check(void)
{
    pthread_t threads[THREADS];
    idp_says(200, set_one, false);
    begin(HOUR_MS, 1, HOUR_MS);
    until("first keys", token_one, JWT_OK);
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_create(&threads[i], NULL, checks, NULL) == 0, "a thread");
    }
    for (int i = 0; i < 20; i++) {
        unsigned asked = atomic_load(&idp.asked), checked = atomic_load(&good);
        idp_says(200, i % 2 == 0 ? set_both : set_one, false);
        until_asked(asked + 2);
        until("rotated", token_two, i % 2 == 0 ? JWT_OK : JWT_KEY);
        for (int wait = 0; wait < DEADLINE_S * 1000 && atomic_load(&good) == checked; wait++) {
            usleep(1000);
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    end();
}

static char *set_of(json_t *a, json_t *b)
{
    json_t *list[] = {a, b};
    return signer_set(list, b != NULL ? 2 : 1, NULL);
}

int main(void)
{
    one = signer_key("{\"kty\":\"EC\",\"crv\":\"P-256\"}", "one");
    two = signer_key("{\"kty\":\"EC\",\"crv\":\"P-256\"}", "two");
    set_one = set_of(one, NULL);
    set_two = set_of(two, NULL);
    set_both = set_of(one, two);
    token_one = signer_any(one, "ES256", "one", CLAIMS);
    token_two = signer_any(two, "ES256", "two", CLAIMS);
    token_no = signer_any(one, "ES256", "three", CLAIMS);
    idp_says(200, set_one, false);
    MUST(idp_begins(0), "an identity provider");

    static const struct {
        const char *name;
        void (*test)(void);
    } TESTS[] = {{"away at the start", away_at_the_start},
                 {"rotates", rotates},
                 {"answers nonsense", answers_nonsense},
                 {"stays away", stays_away},
                 {"is not flooded", is_not_flooded},
                 {"while threads check", while_threads_check},
                 {"is silent", is_silent}};
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
        TESTS[i].test();
        printf("ok: %s\n", TESTS[i].name);
    }
    json_decref(one);
    json_decref(two);
    char *texts[] = {set_one, set_two, set_both, token_one, token_two, token_no, idp.body};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(texts[i]);
    }
    return 0;
}
