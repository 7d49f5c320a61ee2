// SPDX-License-Identifier: Apache-2.0
// What a snapshot means, for people and for tests.
#include "engine/worker.h"

void snapshot_print(const struct snapshot *snapshot, struct buf *out)
{
    policy_schema_print(&snapshot->schema, out);
    policy_set_print(snapshot->policies, snapshot->lists, out);
}

bool engine_print(struct engine *engine, struct worker *worker, struct buf *out)
{
    (void)engine;
    const struct snapshot *snapshot = worker_pin(worker);
    if (snapshot != NULL) {
        snapshot_print(snapshot, out);
    }
    worker_unpin(worker);
    return snapshot != NULL;
}
