// SPDX-License-Identifier: Apache-2.0
// An adapter as a program of its own, which asks a daemon over NNG.
#ifndef COMMON_ALONE_H
#define COMMON_ALONE_H

#include <pdp/adapter.h>

// All of main: flags, the file of `--config`, serving until SIGTERM or SIGINT, reloading at SIGHUP. Returns
// the exit status: 0, 1 where it could not serve, 2 where it was told something wrong.
int alone_main(const struct pdp_adapter_kind *kind, int argc, char **argv);

#endif
