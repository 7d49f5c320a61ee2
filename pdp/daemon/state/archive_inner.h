// SPDX-License-Identifier: Apache-2.0
// What the archive's files share.
#ifndef DAEMON_STATE_ARCHIVE_INNER_H
#define DAEMON_STATE_ARCHIVE_INNER_H

#include "daemon/state/archive.h"

struct archive_index {
    struct archive_entry entries[ARCHIVE_MOST]; // the oldest first
    size_t count;
    struct archive_pin pin;
};

// As text, with a digest of its own; `out` failed where memory is out.
void archive_index_print(const struct archive_index *index, struct buf *out);
// CORRUPT where the text is not what was printed.
MUST_USE enum pdp_err archive_index_read(struct str text, struct archive_index *out);

#endif
