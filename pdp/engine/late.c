// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/late.h"

#include "base/num.h"
#include "model/fault.h"

static const int64_t RETRY_LEAST_MS = 100, RETRY_MOST_MS = 10000;

void worker_waited(struct worker *worker, int64_t waited_ms, int64_t queue_ms)
{
    worker->waited_ms = waited_ms;
    worker->queue_ms = queue_ms;
}

static void answer_late(struct worker *worker, const struct value *root, enum pdp_code code,
                        int64_t retry_after_ms, struct emit *emit)
{
    const struct value *id = value_get(root, STR("request_id"));
    struct verdict verdict = {.code = code, .retry_after_ms = retry_after_ms};
    if (id != NULL && id->kind == VALUE_STRING) {
        verdict.request_id = value_text(id);
    }
    wire_refusal(emit, &verdict, &worker->fault);
    counter_add(&worker->counters.questions);
    counter_add(&worker->counters.codes[code]);
    counter_add(&worker->counters.effects[PDP_EFFECT_DENY]);
}

// What the question itself says. 0: nothing; below 0: no time.
static int64_t deadline_of(const struct value *root)
{
    const struct value *v = value_get(root, STR("deadline_ms"));
    if (v == NULL || v->kind == VALUE_NULL) {
        return 0;
    }
    return v->kind == VALUE_INT && v->as.i > 0 ? v->as.i : -1;
}

static bool is_event(const struct value *root)
{
    const struct value *event = value_get(root, STR("event"));
    return event != NULL && event->kind != VALUE_NULL;
}

bool late_refuse(struct worker *worker, const struct value *root, struct emit *emit)
{
    if (root->kind != VALUE_MAP || is_event(root)) {
        return false;
    }
    int64_t deadline_ms = deadline_of(root);
    if (deadline_ms < 0) {
        (void)fault_set(&worker->fault, "deadline_ms", "expected a whole number of milliseconds above 0");
        answer_late(worker, root, PDP_CODE_MALFORMED, 0, emit);
        return true;
    }
    if (deadline_ms > 0 && worker->waited_ms >= deadline_ms) {
        (void)fault_set(&worker->fault, "deadline_ms", "had passed when its turn came: it waited %lld ms",
                        (long long)worker->waited_ms);
        answer_late(worker, root, PDP_CODE_OVERLOADED, 0, emit);
        return true;
    }
    if (worker->queue_ms > 0 && worker->waited_ms > worker->queue_ms) {
        int64_t again_ms = num_max(RETRY_LEAST_MS, num_min(worker->waited_ms, RETRY_MOST_MS));
        (void)fault_set(&worker->fault, "", "waited %lld ms, at most %lld are allowed; ask again later",
                        (long long)worker->waited_ms, (long long)worker->queue_ms);
        answer_late(worker, root, PDP_CODE_OVERLOADED, again_ms, emit);
        return true;
    }
    return false;
}
