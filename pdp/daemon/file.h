// SPDX-License-Identifier: Apache-2.0
// A file that is there whole or not at all. For pdpd and pdpctl.
#ifndef DAEMON_FILE_H
#define DAEMON_FILE_H

#include "base/buf.h"

#include <sys/types.h>

// Puts `bytes` in the place of `path`: `path.new` is written and synced, takes the name, and the folder is
// synced. After a failure, or a kill at any time, the old file is there or the new one, never a part. What a
// kill left behind as `path.new` is replaced. IO with errno's words in `why`, which is static or per thread.
MUST_USE enum pdp_err file_replace(const char *path, struct str bytes, mode_t mode, const char **why);

// At most `most` bytes of a plain file, appended to `out`. MISSING where there is none; else as above. What
// `out` holds is wiped on failure.
MUST_USE enum pdp_err file_take(const char *path, size_t most, struct buf *out, mode_t *mode,
                                const char **why);

#endif
