// SPDX-License-Identifier: Apache-2.0
// HOT
#include "node/decide.h"

static enum node_outcome decide(void *worker, struct node_asking *asking, struct str message, struct buf *out)
{
    worker_waited(worker, node_asking_waited_ms(asking), node_asking_queue_ms(asking));
    engine_answer(worker, node_asking_peer(asking), message, node_asking_now(asking).wall_ms, out);
    return NODE_DONE;
}

struct node_handler decide_handler(struct worker *worker)
{
    return (struct node_handler){decide, worker};
}
