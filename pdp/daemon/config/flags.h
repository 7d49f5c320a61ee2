// SPDX-License-Identifier: Apache-2.0
// The command line of pdpd.
#ifndef DAEMON_CONFIG_FLAGS_H
#define DAEMON_CONFIG_FLAGS_H

#include "daemon/config/config.h"

enum flags_do {
    FLAGS_SERVE,
    FLAGS_CHECK,
    FLAGS_HELP,
    FLAGS_VERSION
};

struct flags {
    enum flags_do what;
    const char *config; // path, or NULL
};

// Reads the arguments into *flags and `config`. SYNTAX with a message and a hint in `why`.
MUST_USE enum pdp_err flags_read(int argc, char **argv, struct flags *flags, struct config *config,
                                 struct buf *why);
void flags_help(struct buf *out);

#endif
