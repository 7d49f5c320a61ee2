// SPDX-License-Identifier: Apache-2.0
// One token at a time to a receiver, as RFC 8935 has it: POST over HTTPS, with our certificate or a bearer
// token. The files are read for each, so that another key or token counts from the next one on.
#ifndef DAEMON_TELL_POST_H
#define DAEMON_TELL_POST_H

#include "daemon/config/config.h"

#define POST_WHY_MAX 300

struct post;

enum post_result {
    POST_FAILED,  // nobody there, no TLS, no answer in time, 5xx, or a file of ours: all of them would fail
    POST_REFUSED, // 4xx: this one, at least
    POST_TAKEN,   // 2xx
};

// *out NULL on failure, with what is wrong with which file in `why`. Before other threads: libcurl's set-up.
MUST_USE enum pdp_err post_new(const struct config_webhook *config, struct post **out,
                               char why[static POST_WHY_MAX]);
void post_free(struct post **post);
// Signs the claims and sends them; waits at most the configured time. `why` is empty where it was taken. One
// thread.
enum post_result post_send(struct post *post, struct str claims, char why[static POST_WHY_MAX]);
// The next waits are short: what hangs for longer than half a second is given up. Any thread.
void post_hurry(struct post *post);
void post_calm(struct post *post); // as before

#endif
