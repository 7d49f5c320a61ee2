// SPDX-License-Identifier: Apache-2.0
#include "cli/lint/findings.h"

enum pdp_err findings_of(const struct snapshot *snapshot, const struct snapshot_file *files, size_t count,
                         int64_t now_ms, struct source *sources, struct lint_findings *findings)
{
    struct snapshot_parts parts;
    snapshot_parts(snapshot, &parts);
    for (size_t i = 0; i < count; i++) {
        sources[i] = (struct source){files[i].name, files[i].text};
    }
    const struct lint_input input = {.sources = sources,
                                     .source_count = count,
                                     .program = parts.program,
                                     .set = parts.set,
                                     .lists = parts.lists,
                                     .names = parts.names,
                                     .schema = parts.schema,
                                     .risk = parts.risk,
                                     .now_ms = now_ms};
    return lint_run(&input, findings);
}
