// SPDX-License-Identifier: Apache-2.0
// Waiting until files of a folder change.
#ifndef CLI_TEST_WATCHING_H
#define CLI_TEST_WATCHING_H

#include "base/buf.h"

// Begins to look at a folder and the folders below, hidden ones aside: *fd is to be closed. IO with errno.
MUST_USE enum pdp_err watching_begin(const char *dir, int *fd);
// Looks at folders that have come since. IO with errno where the folder itself is gone.
MUST_USE enum pdp_err watching_renew(const char *dir, int fd);
// Waits until a folder that is gone is back, as after a checkout, as long as that takes; then begins anew:
// what was moved aside is not looked at any more. IO with errno, and *fd -1, where it is back and cannot be.
MUST_USE enum pdp_err watching_return(const char *dir, int *fd);
// Waits for a change, and then until there was none for a moment, a second at most: an editor writes more
// than one file. The names of files that changed go to `names`, each once, with `, ` between. IO with errno.
MUST_USE enum pdp_err watching_wait(int fd, struct buf *names);

#endif
