// SPDX-License-Identifier: Apache-2.0
// How a running pdpd gives way to its successor: a unix socket in the state folder, over which listeners move
// as descriptors, and a few words that say who serves.
//
//     successor                              the one that runs
//     takeover?                       ->
//                                     <-     listeners (descriptors)      it goes on serving
//     go                              ->     writes what has changed, serving still; then
//                                            stops accepting, answers, writes the rest, lets go of the folder
//                                     <-     done
//     loads; ready                    ->     ends
//
// Whoever is heard no more has failed: before `go` nothing has happened, and before `ready` the one that ran
// takes its folder back and goes on.
#ifndef DAEMON_NET_TAKEOVER_H
#define DAEMON_NET_TAKEOVER_H

#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

#define TAKEOVER_NAME "takeover" // of the socket, in the state folder
#define TAKEOVER_WHY_MAX 300
#define TAKEOVER_FDS_MAX 160

// A listener that moves: `label` says which side it serves and on what address.
struct takeover_fd {
    int fd;
    char label[160];
};

// ---- The one that runs ---------------------------------------------------------------------------------

// Listens in the folder `dir`, in place of what was left there. *fd is -1 on failure.
MUST_USE enum pdp_err takeover_listen(const char *dir, int *fd, char why[static TAKEOVER_WHY_MAX]);
void takeover_unlisten(const char *dir, int *fd); // removes the socket, too

// A successor that may take over (our own uid, or root) and has asked for it; *peer is -1 where there is
// none. Waits for its words for a second at most.
void takeover_accept(int listener, int *peer, pid_t *pid);
MUST_USE enum pdp_err takeover_give(int peer, const struct takeover_fd *fds, size_t count);
// Waits for a word of the other's; false where another comes, or none within `wait_ms`.
bool takeover_hear(int peer, const char *word, int wait_ms);
bool takeover_say(int peer, const char *word);

// ---- The successor ---------------------------------------------------------------------------------------

// Asks the one that runs in `dir`, and takes its listeners; *count of them, which are the caller's to close.
// MISSING: nobody runs there. Else what is wrong, in words.
MUST_USE enum pdp_err takeover_ask(const char *dir, int *peer,
                                   struct takeover_fd fds[static TAKEOVER_FDS_MAX], size_t *count,
                                   char why[static TAKEOVER_WHY_MAX]);

#endif
