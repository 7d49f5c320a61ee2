// SPDX-License-Identifier: Apache-2.0
// A gateway of libpdp with a cache, for tests in Python: asks the same question again and again, and prints a
// line when something has changed. gateway DECIDE NOTICES ORDERS NAME [CA CERT KEY SERVER-NAME]
#include <pdp/pdp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}

enum {
    ARGS_PLAIN = 5,
    ARGS_TLS = 9,
    DEADLINE_MS = 1000,
    PAUSE_US = 2000
};

static struct pdp_question *question(void)
{
    struct pdp_question *made = NULL;
    if (pdp_question_new(&made) == PDP_ERR_OK) {
        pdp_question_set_text(made, "subject.type", "user");
        pdp_question_set_text(made, "subject.id", "u");
        pdp_question_set_text(made, "action.name", "GET");
        pdp_question_set_text(made, "resource.type", "route");
        pdp_question_set_text(made, "resource.id", "/");
        pdp_question_set_text(made, "context.session.id", "kept");
        pdp_question_set_int(made, "context.session.auth_time", (int64_t)time(NULL) - 10);
    }
    return made;
}

static void serve(struct pdp_client *client, struct pdp_question *asked)
{
    char said[128] = "", now[128];
    for (;; (void)usleep(PAUSE_US)) {
        struct pdp_answer *answer = NULL;
        struct pdp_cache_state state;
        (void)pdp_decide(client, asked, DEADLINE_MS, &answer);
        pdp_cache_state(client, &state);
        (void)snprintf(now, sizeof now, "live=%d allow=%d kept=%d hit=%d", state.live,
                       pdp_answer_allows(answer), state.kept > 0, state.hits > 0);
        pdp_answer_free(&answer);
        if (strcmp(now, said) != 0) {
            (void)puts(now);
            (void)fflush(stdout);
            memcpy(said, now, sizeof said);
        }
    }
}

int main(int argc, char **argv)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc != ARGS_PLAIN && argc != ARGS_TLS) {
        return 2;
    }
    struct pdp_options options = {.size = sizeof options,
                                  .notices_url = argv[2],
                                  .orders_url = argv[3],
                                  .name = argv[4],
                                  .cache_entries = 100,
                                  .reconnect_ms = 50};
    if (argc == ARGS_TLS) {
        options.ca_file = argv[5];
        options.cert_file = argv[6];
        options.key_file = argv[7];
        options.server_name = argv[8];
    }
    struct pdp_client *client = NULL;
    enum pdp_err err = pdp_connect(argv[1], &options, &client);
    struct pdp_question *asked = question();
    if (err != PDP_ERR_OK || asked == NULL) {
        (void)fprintf(stderr, "gateway: %s\n", pdp_err_text(err));
        return 2;
    }
    serve(client, asked);
}
