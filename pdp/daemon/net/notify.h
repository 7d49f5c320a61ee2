// SPDX-License-Identifier: Apache-2.0
// What a service manager is told, and what it hands over: sd_notify(3) and sd_listen_fds(3) without
// libsystemd.
#ifndef DAEMON_NET_NOTIFY_H
#define DAEMON_NET_NOTIFY_H

#include "base/str.h"

// `READY=1`, `STOPPING=1` …; nothing where NOTIFY_SOCKET is not set. Never blocks, failure is no failure of
// ours.
void notify_send(const char *state);
// `RELOADING=1` with the time stamp that Type=notify-reload asks for.
void notify_reloading(void);

struct notify_fd {
    int fd;
    struct str name; // of LISTEN_FDNAMES; empty where there is none. Lives as long as the environment
};
// The descriptors that are ours (LISTEN_PID), at most `most`, made close-on-exec and non-blocking. Returns
// how many.
size_t notify_inherited(struct notify_fd *out, size_t most);

#endif
