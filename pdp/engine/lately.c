// SPDX-License-Identifier: Apache-2.0
// HOT
// What is asked here: some of the questions of late, so that a candidate's policies can be tried on them.
#include "engine/trial.h"

#include "engine/ask.h"

static bool fits(const struct ask *ask, size_t *len)
{
    const struct request *request = ask->request;
    *len = request->action_name.len + request->resource_type.len + request->resource_id.len + ask->path.len;
    return *len <= LATELY_TEXT;
}

static uint16_t put(struct lately_question *question, size_t *at, struct str text)
{
    if (text.len > 0) {
        memcpy(question->text + *at, text.at, text.len);
    }
    *at += text.len;
    return (uint16_t)text.len;
}

void lately_note(const struct ask *ask)
{
    struct lately *lately = ask->worker->lately;
    size_t len = 0, at = 0;
    // Whoever reads it is not waited for: another question comes.
    if (lately == NULL || !fits(ask, &len) || pthread_mutex_trylock(&lately->lock) != 0) {
        return;
    }
    struct lately_question *question = &lately->list[lately->next++ % LATELY_MOST];
    question->action = put(question, &at, ask->request->action_name);
    question->type = put(question, &at, ask->request->resource_type);
    question->id = put(question, &at, ask->request->resource_id);
    question->path = put(question, &at, ask->path);
    pthread_mutex_unlock(&lately->lock);
}
