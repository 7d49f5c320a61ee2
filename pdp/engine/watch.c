// SPDX-License-Identifier: Apache-2.0
#include "engine/watch.h"

#include "engine/ask.h"

void snapshot_parts(const struct snapshot *snapshot, struct snapshot_parts *out)
{
    *out = (struct snapshot_parts){
        .program = snapshot->program,
        .set = snapshot->policies,
        .lists = snapshot->lists,
        .names = &snapshot->names,
        .schema = &snapshot->schema,
        .env = &snapshot->env,
        .risk = snapshot->risk,
        .sessions = snapshot->sessions,
        .geo = snapshot->geo,
    };
}

void worker_watch(struct worker *worker, const struct watch *watch)
{
    worker->watch = watch;
}

static bool is_seen(const struct ask *ask)
{
    return ask->worker->watch != NULL && !ask_in_shadow(ask) && ask->candidate == NULL;
}

void ask_show_limited(struct ask *ask, const struct verdict *out)
{
    const struct watch *watch = ask->worker->watch;
    if (!is_seen(ask) || watch->limited == NULL || ask->limits.longest_ms == 0) { // they were not looked up
        return;
    }
    watch->limited(watch->user, &(struct watched){
                                    .snapshot = ask->snapshot,
                                    .frame = ask_frame(ask),
                                    .scratch = ask->snapshot->scratch[ask->worker->index].policy,
                                    .cel_host = &ask->host,
                                    .request = ask->request,
                                    .verdict = out,
                                    .arena = &ask->worker->arena,
                                    .now_ms = ask->now_ms,
                                });
}

void ask_show(struct ask *ask, const struct policy_host *host, const struct policy_question *question,
              const struct policy_result *result, const struct verdict *out)
{
    const struct watch *watch = ask->worker->watch;
    if (!is_seen(ask)) {
        return;
    }
    watch->judged(watch->user, &(struct watched){
                                   .snapshot = ask->snapshot,
                                   .frame = ask_frame(ask),
                                   .scratch = ask->snapshot->scratch[ask->worker->index].policy,
                                   .cel_host = &ask->host,
                                   .policy_host = host,
                                   .question = question,
                                   .result = result,
                                   .risk = &ask->risk,
                                   .request = ask->request,
                                   .verdict = out,
                                   .arena = &ask->worker->arena,
                                   .now_ms = ask->now_ms,
                               });
}
