// SPDX-License-Identifier: Apache-2.0
// The daemon's own loop with a handler that echoes: what the figures of decisions are compared with, and what
// the ingress can be tried with alone. `echo_loop URL [WORKERS [ANSWER_BYTES]]` serves until SIGTERM; with
// ANSWER_BYTES, each answer has that many, whatever was asked.
#include "daemon/net/listen.h"
#include "daemon/log.h"
#include "daemon/net/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WORKERS_MAX = 64
};

static size_t answer_bytes; // 0: the question's own

static enum node_outcome echo(void *user, struct node_asking *asking, struct str message, struct buf *out)
{
    (void)user;
    (void)asking;
    if (answer_bytes == 0) {
        buf_str(out, message);
    } else if (buf_room(out, answer_bytes)) {
        memset(out->at + out->len, 'x', answer_bytes);
        out->len += answer_bytes;
    }
    return NODE_DONE;
}

static void *serve(void *loop)
{
    loop_run(loop);
    return NULL;
}

static void say_ready(const struct listener *listener)
{
    struct buf url = {0};
    url_print(&listener->spec.url, &url);
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "ready");
    log_str(&line, "decide", buf_view(&url));
    log_end(&line);
    buf_fini(&url);
}

static int run(const struct listener *listener, size_t workers)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);

    struct loop *loops[WORKERS_MAX] = {NULL};
    pthread_t threads[WORKERS_MAX];
    struct loop_config config = {
        .node = {.handler = {echo, NULL}, .limits = NODE_LIMITS_DEFAULT, .type = SP_REP0, .seed = {1, 2}},
        .listeners = listener,
        .listener_count = 1,
        .drain_ms = 1000,
    };
    for (size_t i = 0; i < workers; i++) {
        if (loop_new(&config, &loops[i]) != PDP_ERR_OK ||
            pthread_create(&threads[i], NULL, serve, loops[i]) != 0) {
            return 1;
        }
    }
    say_ready(listener);
    int signal = 0;
    sigwait(&ends, &signal);
    for (size_t i = 0; i < workers; i++) {
        loop_stop(loops[i]);
        pthread_join(threads[i], NULL);
        loop_free(&loops[i]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct listen_spec spec = {.mode = 0600, .grants = GRANT_ALL};
    struct listener listener;
    const char *bad = "";
    char why[LISTEN_WHY_MAX] = "";
    uint64_t workers = 1, bytes = 0;
    if (argc < 2 || url_parse(str_of(argv[1]), &spec.url, &bad) != PDP_ERR_OK ||
        (argc > 2 && (!str_to_u64(str_of(argv[2]), &workers) || workers == 0 || workers > WORKERS_MAX)) ||
        (argc > 3 && (!str_to_u64(str_of(argv[3]), &bytes) || bytes > 1 << 20))) {
        fprintf(stderr, "use: echo_loop URL [WORKERS [ANSWER_BYTES]] %s\n", bad);
        return 2;
    }
    answer_bytes = (size_t)bytes;
    if (listener_open(&spec, &listener, why) != PDP_ERR_OK) {
        fprintf(stderr, "echo_loop: %s\n", why);
        return 1;
    }
    int status = run(&listener, (size_t)workers);
    listener_close(&listener);
    return status;
}
