// SPDX-License-Identifier: Apache-2.0
// Every file that pdpctl writes where a person says: whole or not at all, and nothing else touched.
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

// Puts `bytes` where `path` leads, links followed to their end. A plain file, or none: they are written and
// synced beside it under a name of their own that begins with a dot, which then takes the name. Owner, group,
// mode and access list stay those of the file before; a new file gets `mode` less the umask. A file that may
// not be written, or whose owner or group would become another, is refused. Of several names (hard links) the
// one gets the bytes, the others keep the old ones. A device, a pipe, and what standard output is already are
// written in place. IO, with errno's words or a text of our own in `why` (static, or per thread): a plain
// file is as it was, and nothing stays beside it.
MUST_USE enum pdp_err output_put(const char *path, struct str bytes, mode_t mode, const char **why);

// output_put of a whole answer; CLI_DONE, or CLI_BAD with the mistake said.
int output_write(const char *path, const struct buf *bytes, mode_t mode);

// May what is no document be written there? CLI_BAD, said, where `path` or what it leads to is called
// `*.yaml` or `*.yml`: policies are. `flag` names it (`--junit`).
int output_report(const char *flag, const char *path);

#endif
