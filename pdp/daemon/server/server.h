// SPDX-License-Identifier: Apache-2.0
// The daemon put together: engine, listeners, a loop a worker, the admin's loop, reloads and signals.
#ifndef DAEMON_SERVER_SERVER_H
#define DAEMON_SERVER_SERVER_H

#include "daemon/config/config.h"

enum {
    SERVER_DONE = 0,
    SERVER_FAILED = 1,
    SERVER_BAD_INPUT = 2
};

// Serves until SIGTERM or SIGINT; returns the process's exit status.
int server_run(struct config *config);
// Compiles and says what was found, on standard output and error.
int server_check(struct config *config);

#endif
