// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SOCKETS_MOST = 1024 // that wait for a loop at once
};

enum pdp_err desk_new(struct desk **out)
{
    *out = NULL;
    struct desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        return PDP_ERR_NOMEM;
    }
    desk->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (desk->event < 0 || pthread_mutex_init(&desk->lock, NULL) != 0) {
        if (desk->event >= 0) {
            (void)close(desk->event);
        }
        free(desk);
        return PDP_ERR_IO;
    }
    desk->holders = 1;
    *out = desk;
    return PDP_ERR_OK;
}

void desk_hold(struct desk *desk)
{
    (void)atomic_fetch_add(&desk->holders, 1);
}

void desk_drop(struct desk **desk)
{
    struct desk *one = *desk;
    *desk = NULL;
    if (one != NULL && atomic_fetch_sub(&one->holders, 1) == 1) {
        (void)pthread_mutex_destroy(&one->lock);
        (void)close(one->event);
        free(one->sockets);
        free(one);
    }
}

void desk_wake(struct desk *desk)
{
    uint64_t one = 1;
    (void)!write(desk->event, &one, sizeof one); // where it is full, it is readable
}

bool desk_put_answer(struct desk *desk, struct ask *ask)
{
    (void)pthread_mutex_lock(&desk->lock);
    bool open = !desk->closed, first = desk->answers == NULL;
    if (open) {
        ask->next = desk->answers;
        desk->answers = ask;
    }
    // Under the lock: once it is given back, the loop may take the question, and the desk be gone with it.
    if (open && first) {
        desk_wake(desk);
    }
    (void)pthread_mutex_unlock(&desk->lock);
    return open;
}

bool desk_put_socket(struct desk *desk, int fd)
{
    (void)pthread_mutex_lock(&desk->lock);
    bool taken = !desk->closed && desk->socket_count < SOCKETS_MOST;
    if (taken && desk->socket_count == desk->socket_room) {
        size_t room = desk->socket_room > 0 ? 2 * desk->socket_room : 16;
        int *more = realloc(desk->sockets, room * sizeof *more);
        taken = more != NULL;
        desk->sockets = taken ? more : desk->sockets;
        desk->socket_room = taken ? room : desk->socket_room;
    }
    if (taken) {
        desk->sockets[desk->socket_count++] = fd;
        desk_wake(desk);
    }
    (void)pthread_mutex_unlock(&desk->lock);
    return taken;
}
