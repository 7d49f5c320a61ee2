// SPDX-License-Identifier: Apache-2.0
// `pdpctl lsp`: standard input and output, a clock, and threads that look at policies while the editor goes
// on.
#include "cli/cli.h"
#include "cli/lsp/lsp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 64 * 1024,
    WAIT_MOST = 1000, // messages that are taken before the first of them is answered
    PAUSE_MS = 150    // lint looks when nobody has typed for so long
};

// A thread and the one job that it has. `done` is a pipe: the thread writes a byte when the job is done.
struct lane {
    enum lsp_lane number;
    int done[2];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct lsp_job *todo, *ready;
    bool stop, busy, runs;
};

struct loop {
    struct lsp *lsp;
    uint64_t changes;   // that were seen
    int64_t changed_ms; // when the last of them was
    struct lane lanes[LSP_LANES];
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

// ---- The threads --------------------------------------------------------------------------------

static struct lsp_job *wait_job(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    while (lane->todo == NULL && !lane->stop) {
        pthread_cond_wait(&lane->some, &lane->lock);
    }
    struct lsp_job *job = lane->stop ? NULL : STEAL(lane->todo);
    pthread_mutex_unlock(&lane->lock);
    return job;
}

static void *work(void *user)
{
    struct lane *lane = user;
    if (lane->number == LSP_LINT) {
        (void)setpriority(PRIO_PROCESS, 0, 10); // of this thread: nobody waits for it
    }
    for (struct lsp_job *job = wait_job(lane); job != NULL; job = wait_job(lane)) {
        lsp_job_run(job);
        pthread_mutex_lock(&lane->lock);
        lane->ready = job;
        pthread_mutex_unlock(&lane->lock);
        if (write(lane->done[1], "", 1) != 1) {
            break; // the reader is gone, and with it the program
        }
    }
    return NULL;
}

static void hand_over(struct loop *loop, struct lane *lane)
{
    struct lsp_job *job = lane->busy ? NULL : lsp_job_take(loop->lsp, lane->number, clock_ms());
    if (job != NULL) {
        pthread_mutex_lock(&lane->lock);
        lane->todo = job;
        lane->busy = true;
        pthread_cond_signal(&lane->some);
        pthread_mutex_unlock(&lane->lock);
    }
}

static void take_back(struct loop *loop, struct lane *lane)
{
    char byte;
    if (read(lane->done[0], &byte, 1) != 1) {
        return;
    }
    pthread_mutex_lock(&lane->lock);
    struct lsp_job *job = STEAL(lane->ready);
    lane->busy = false;
    pthread_mutex_unlock(&lane->lock);
    lsp_job_give(loop->lsp, &job);
}

static bool start(struct lane *lane, enum lsp_lane number)
{
    *lane = (struct lane){.number = number,
                          .done = {-1, -1},
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .some = PTHREAD_COND_INITIALIZER};
    lane->runs = pipe2(lane->done, O_CLOEXEC) == 0 && pthread_create(&lane->thread, NULL, work, lane) == 0;
    return lane->runs;
}

// Waits for the job that runs.
static void stop(struct lane *lane)
{
    if (lane->runs) {
        pthread_mutex_lock(&lane->lock);
        lane->stop = true;
        pthread_cond_signal(&lane->some);
        pthread_mutex_unlock(&lane->lock);
        pthread_join(lane->thread, NULL);
    }
    lsp_job_free(&lane->todo);
    lsp_job_free(&lane->ready);
    for (size_t i = 0; i < COUNT_OF(lane->done); i++) {
        if (lane->done[i] >= 0) {
            close(lane->done[i]);
        }
    }
}

// ---- Standard input and output ------------------------------------------------------------------

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

// What there is to read, so that what is overtaken is not looked at; but no more than may wait, so that an
// editor that is far ahead loses no edit and fills no memory. false: the editor is gone.
static bool drain(struct lsp *lsp)
{
    static char bytes[CHUNK];
    struct pollfd more = {.fd = STDIN_FILENO, .events = POLLIN};
    size_t taken = 0;
    do {
        ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        lsp_feed(lsp, (struct str){bytes, got > 0 ? (size_t)got : 0});
        taken += got > 0 ? (size_t)got : 0;
    } while (lsp_ended(lsp) < 0 && taken < LSP_MESSAGE_MAX && lsp_waiting(lsp) < WAIT_MOST &&
             poll(&more, 1, 0) == 1);
    return true;
}

static int64_t steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// How long it is until lint may look; 0: it may.
static int pause_left(struct loop *loop)
{
    int64_t now_ms = steady_ms();
    if (loop->changes != lsp_changes(loop->lsp)) {
        loop->changes = lsp_changes(loop->lsp);
        loop->changed_ms = now_ms;
    }
    int64_t left = loop->changed_ms + PAUSE_MS - now_ms;
    return left > 0 && loop->changes > 0 ? (int)left : 0;
}

// Returns how long to wait for more at most, as poll has it.
static int work_goes_on(struct loop *loop, const struct pollfd *done)
{
    for (size_t i = 0; i < LSP_LANES; i++) {
        if (done[i].revents != 0) {
            take_back(loop, &loop->lanes[i]);
        }
    }
    int left = pause_left(loop);
    hand_over(loop, &loop->lanes[LSP_CHECK]);
    if (left == 0) {
        hand_over(loop, &loop->lanes[LSP_LINT]);
    }
    return left > 0 ? left : -1;
}

static int run(struct loop *loop)
{
    int wait_ms = -1;
    for (bool open = true; open && lsp_ended(loop->lsp) < 0;) {
        struct pollfd fds[1 + LSP_LANES] = {{.fd = STDIN_FILENO, .events = POLLIN}};
        for (size_t i = 0; i < LSP_LANES; i++) {
            fds[1 + i] = (struct pollfd){.fd = loop->lanes[i].done[0], .events = POLLIN};
        }
        if (poll(fds, COUNT_OF(fds), wait_ms) < 0 && errno != EINTR) {
            return CLI_BAD;
        }
        open = fds[0].revents == 0 || drain(loop->lsp);
        lsp_answer(loop->lsp);
        wait_ms = work_goes_on(loop, fds + 1);
        open = flush(loop->lsp) && open;
    }
    return lsp_ended(loop->lsp) == 0 ? CLI_DONE : CLI_NO;
}

int cmd_lsp(const struct cli_args *args)
{
    struct loop loop = {0};
    const struct lsp_options options = {.log = args->log ? log_line : NULL};
    if (lsp_new(&options, &loop.lsp) != PDP_ERR_OK) {
        return cli_bad(NULL, "out of memory");
    }
    bool started = true;
    for (int i = 0; i < LSP_LANES; i++) {
        started = start(&loop.lanes[i], (enum lsp_lane)i) && started;
    }
    int code = started ? run(&loop) : cli_bad(NULL, "no thread can be started");
    for (size_t i = 0; i < LSP_LANES; i++) {
        stop(&loop.lanes[i]);
    }
    lsp_free(&loop.lsp);
    return code;
}
