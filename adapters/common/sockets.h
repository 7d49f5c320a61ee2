// SPDX-License-Identifier: Apache-2.0
// Addresses that an adapter listens on: `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/pdp/http.sock`.
#ifndef COMMON_SOCKETS_H
#define COMMON_SOCKETS_H

#include "common/text.h"

#include <pdp/err.h>

#define SOCKETS_WHY_MAX 300

// Binds and listens without blocking. A socket file that nobody answers on is replaced; it is for our own
// user alone. *fd is -1 on failure: SYNTAX, or IO with the system's words in `why`.
MUST_USE enum pdp_err sockets_open(const char *address, int *fd, char why[SOCKETS_WHY_MAX]);
// Removes the file of a unix socket that sockets_open made, and closes.
void sockets_close(const char *address, int *fd);

#endif
