// SPDX-License-Identifier: Apache-2.0
// `pdpctl lsp`: standard input and output, a clock, and a thread that compiles while the editor goes on.
#include "cli/cli.h"
#include "cli/edit/lsp.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 64 * 1024
};

// One job at a time goes over to the thread and comes back.
struct loop {
    struct lsp *lsp;
    int done[2]; // a pipe: the thread writes a byte when a job is done
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct lsp_job *todo, *ready;
    bool stop, busy;
};

static void log_line(void *user, struct str line)
{
    (void)user;
    fprintf(stderr, STR_FMT "\n", STR_ARG(line));
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- The thread
// --------------------------------------------------------------------------------------------

static struct lsp_job *wait_job(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    while (loop->todo == NULL && !loop->stop) {
        pthread_cond_wait(&loop->some, &loop->lock);
    }
    struct lsp_job *job = STEAL(loop->todo);
    pthread_mutex_unlock(&loop->lock);
    return job;
}

static void *work(void *user)
{
    struct loop *loop = user;
    for (struct lsp_job *job = wait_job(loop); job != NULL; job = wait_job(loop)) {
        lsp_job_run(job);
        pthread_mutex_lock(&loop->lock);
        loop->ready = job;
        pthread_mutex_unlock(&loop->lock);
        if (write(loop->done[1], "", 1) != 1) {
            break; // the reader is gone, and with it the program
        }
    }
    return NULL;
}

static void hand_over(struct loop *loop)
{
    struct lsp_job *job = loop->busy ? NULL : lsp_job_take(loop->lsp, clock_ms());
    if (job != NULL) {
        pthread_mutex_lock(&loop->lock);
        loop->todo = job;
        loop->busy = true;
        pthread_cond_signal(&loop->some);
        pthread_mutex_unlock(&loop->lock);
    }
}

static void take_back(struct loop *loop)
{
    char byte;
    if (read(loop->done[0], &byte, 1) != 1) {
        return;
    }
    pthread_mutex_lock(&loop->lock);
    struct lsp_job *job = STEAL(loop->ready);
    loop->busy = false;
    pthread_mutex_unlock(&loop->lock);
    lsp_job_give(loop->lsp, &job);
}

// ---- Standard input and output
// -------------------------------------------------------------------------------

static bool flush(struct lsp *lsp)
{
    struct buf *out = lsp_out(lsp);
    for (size_t at = 0; at < out->len;) {
        ssize_t put = write(STDOUT_FILENO, out->at + at, out->len - at);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        at += put > 0 ? (size_t)put : 0;
    }
    buf_clear(out);
    return true;
}

// What there is to read, all of it, so that what is overtaken is not looked at. false: the editor is gone.
static bool drain(struct lsp *lsp)
{
    static char bytes[CHUNK];
    struct pollfd more = {.fd = STDIN_FILENO, .events = POLLIN};
    do {
        ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        lsp_feed(lsp, (struct str){bytes, got > 0 ? (size_t)got : 0});
    } while (lsp_ended(lsp) < 0 && poll(&more, 1, 0) == 1);
    return true;
}

static int run(struct loop *loop)
{
    for (bool open = true; lsp_ended(loop->lsp) < 0;) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = loop->done[0], .events = POLLIN}};
        if (poll(fds, COUNT_OF(fds), -1) < 0 && errno != EINTR) {
            return CLI_BAD;
        }
        open = fds[0].revents == 0 || drain(loop->lsp);
        lsp_answer(loop->lsp);
        if (fds[1].revents != 0) {
            take_back(loop);
        }
        hand_over(loop);
        if (!flush(loop->lsp) || !open) {
            return lsp_ended(loop->lsp) == 0 ? CLI_DONE : CLI_NO;
        }
    }
    return lsp_ended(loop->lsp) == 0 ? CLI_DONE : CLI_NO;
}

static void stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_cond_signal(&loop->some);
    pthread_mutex_unlock(&loop->lock);
    pthread_join(loop->thread, NULL);
    lsp_job_free(&loop->todo);
    lsp_job_free(&loop->ready);
}

int cmd_lsp(const struct cli_args *args)
{
    struct loop loop = {.lock = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER};
    const struct lsp_options options = {.log = args->log ? log_line : NULL};
    if (lsp_new(&options, &loop.lsp) != PDP_ERR_OK || pipe(loop.done) != 0) {
        lsp_free(&loop.lsp);
        return cli_bad(NULL, "out of memory");
    }
    int code = CLI_BAD;
    if (pthread_create(&loop.thread, NULL, work, &loop) == 0) {
        code = run(&loop);
        stop(&loop);
    } else {
        (void)cli_bad(NULL, "no thread can be started");
    }
    close(loop.done[0]);
    close(loop.done[1]);
    lsp_free(&loop.lsp);
    return code;
}
