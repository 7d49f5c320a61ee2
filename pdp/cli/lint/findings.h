// SPDX-License-Identifier: Apache-2.0
// What lint finds in a folder that was compiled with its conditions kept.
#ifndef CLI_LINT_FINDINGS_H
#define CLI_LINT_FINDINGS_H

#include "engine/watch.h"
#include "lint/lint.h"

// `files` are those that the snapshot was built of; `sources` has room for `count`, and lives as long as the
// findings, whose places point there. What was found until an error is there all the same.
MUST_USE enum pdp_err findings_of(const struct snapshot *snapshot, const struct snapshot_file *files,
                                  size_t count, int64_t now_ms, struct source *sources,
                                  struct lint_findings *findings);

#endif
