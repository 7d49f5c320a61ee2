// SPDX-License-Identifier: Apache-2.0
// Findings over a snapshot: for `pdpctl lint`, and for editors.
#ifndef CLI_LINT_RUN_H
#define CLI_LINT_RUN_H

#include "engine/engine.h"
#include "lint/lint.h"

// What lint_run finds in a snapshot that was built with `conditions`, while the diagnostics of its build
// live. `sources` are its documents by their names. A thousand rules take about as long as compiling them.
MUST_USE enum pdp_err lint_snapshot(const struct snapshot *snapshot, const struct source *sources,
                                    size_t count, int64_t now_ms, struct lint_findings *findings);

#endif
