// SPDX-License-Identifier: Apache-2.0
// Threads that add notices while readers follow: none is missed without a RESYNC, none comes twice, and a
// sleeping reader is woken. A plain program, for ThreadSanitizer.
#include "session/notice.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>

enum {
    WRITERS = 3,
    READERS = 3,
    EACH = 30000,
    WAIT_MS = 60000
};

static struct notices *notices;

struct reader {
    pthread_t thread;
    struct notices_reader place;
    int wrong, resyncs;
    uint64_t last;
};

static void *write_all(void *arg)
{
    (void)arg;
    static const char REF[NOTICE_REF_BYTES] = "s_0123456789abcdef01234567";
    for (int i = 0; i < EACH; i++) {
        notices_session(notices, NOTICE_ENDED, REF, 1, PDP_CODE_TERMINATED, i);
    }
    return NULL;
}

static void *read_all(void *arg)
{
    struct reader *reader = arg;
    struct notice notice;
    while (reader->last < (uint64_t)WRITERS * EACH) {
        if (!notices_next(notices, &reader->place, &notice)) {
            continue;
        }
        bool next = notice.seq == reader->last + 1;
        bool jump = notice.kind == NOTICE_RESYNC && notice.seq > reader->last;
        reader->wrong += !next && !jump;
        reader->resyncs += notice.kind == NOTICE_RESYNC;
        reader->last = notice.seq;
    }
    return NULL;
}

static void ring(void *user)
{
    (void)eventfd_write(*(int *)user, 1);
}

// The main thread sleeps until it is woken.
static int sleep_and_read(struct notices_reader place, int bell)
{
    struct notice notice = {0};
    for (uint64_t last = 0; last < (uint64_t)WRITERS * EACH;) {
        if (notices_next(notices, &place, &notice)) {
            last = notice.seq;
            continue;
        }
        struct pollfd fd = {.fd = bell, .events = POLLIN};
        eventfd_t count;
        if (poll(&fd, 1, WAIT_MS) != 1 || eventfd_read(bell, &count) != 0) {
            (void)fprintf(stderr, "not woken after notice %llu\n", (unsigned long long)last);
            return 1;
        }
    }
    return 0;
}

int main(void)
{
    int bell = eventfd(0, EFD_CLOEXEC), failures = 0;
    struct notices_config config = {.room = 256, .wake = ring, .user = &bell};
    struct reader readers[READERS] = {0};
    pthread_t writers[WRITERS];
    if (bell < 0 || notices_new(&config, &notices) != PDP_ERR_OK) {
        return 2;
    }
    struct notices_reader place = notices_reader(notices);
    for (int i = 0; i < READERS; i++) {
        readers[i].place = place;
        failures += pthread_create(&readers[i].thread, NULL, read_all, &readers[i]) != 0;
    }
    for (int i = 0; i < WRITERS; i++) {
        failures += pthread_create(&writers[i], NULL, write_all, NULL) != 0;
    }
    failures += sleep_and_read(place, bell);
    for (int i = 0; i < WRITERS; i++) {
        (void)pthread_join(writers[i], NULL);
    }
    for (int i = 0; i < READERS; i++) {
        (void)pthread_join(readers[i].thread, NULL);
        failures += readers[i].wrong;
        (void)printf("reader %d: %d out of order, %d resyncs\n", i, readers[i].wrong, readers[i].resyncs);
    }
    notices_free(&notices);
    return failures == 0 ? 0 : 1;
}
