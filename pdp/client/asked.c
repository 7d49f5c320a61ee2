// SPDX-License-Identifier: Apache-2.0
#include "client/watch.h"
#include "wire/answer.h"
#include "wire/question.h"

// The question in the form by which it is kept; false: its answer is not to be kept. One that names its own
// id is another question each time, and a probe is answered by the daemon alone.
static bool canonical(const struct pdp_question *question, struct buf *out)
{
    const struct question_bytes how = {.form = WIRE_CBOR};
    AUTO(buf_fini) struct buf bytes = {0};
    struct arena arena;
    struct value root;
    struct fault why;
    if (question_encode(question, &how, &bytes) != PDP_ERR_OK) {
        return false;
    }
    arena_init(&arena, 4096, 1 << 20);
    bool ok = wire_decode(WIRE_CBOR, buf_view(&bytes), &arena, &root, &why) == PDP_ERR_OK &&
              value_get(&root, STR("request_id")) == NULL &&
              value_path(&root, STR("context.purpose")) == NULL;
    if (ok) {
        wire_canonical(&root, out);
    }
    arena_fini(&arena);
    return ok && !out->failed;
}

bool asked_begin(struct asked *asked, struct pdp_client *client, const struct pdp_question *question,
                 struct pdp_answer **answer)
{
    *asked = (struct asked){.client = client};
    call_enter(client);
    if (client->watch == NULL) {
        return false;
    }
    struct guard_now now = watch_now();
    asked->guard = watch_guard(client->watch);
    asked->boot_ms = now.boot_ms;
    asked->begun = guard_begin(asked->guard);
    if (question == NULL || !client->caches || !canonical(question, &asked->question)) {
        buf_clear(&asked->question);
        return false;
    }
    AUTO(buf_fini) struct buf bytes = {0};
    if (!guard_find(asked->guard, buf_view(&asked->question), now, &bytes)) {
        return false;
    }
    if (answer_read(buf_view(&bytes), answer) == PDP_ERR_OK) {
        return true;
    }
    pdp_answer_free(answer);
    return false;
}

static void keep(const struct asked *asked, const struct pdp_answer *answer)
{
    int64_t epoch = 0;
    bool simulated = false, repeated = false;
    size_t len = 0;
    const void *bytes = pdp_answer_bytes(answer, &len);
    (void)pdp_answer_get_bool(answer, "context.simulated", &simulated);
    (void)pdp_answer_get_bool(answer, "context.repeated", &repeated);
    if (simulated || repeated || pdp_answer_valid_until_ms(answer) <= 0 ||
        !pdp_answer_get_int(answer, "context.valid.policy_epoch", &epoch) || epoch < 0) {
        return;
    }
    const struct guard_answer kept = {.question = buf_view(&asked->question),
                                      .bytes = {bytes, len},
                                      .ref = str_of(pdp_answer_session_ref(answer)),
                                      .until_ms = pdp_answer_valid_until_ms(answer),
                                      .policy_epoch = (uint64_t)epoch,
                                      .asked_ms = asked->boot_ms};
    guard_keep(asked->guard, asked->begun, &kept, watch_now());
}

// The worst of what is known of the sessions of a batch that are allowed. Refs are texts without a NUL.
static enum guard_word judge_batch(const struct asked *asked, const struct pdp_answer *answer)
{
    const struct value *list = value_get(answer_root(answer), STR("evaluations"));
    enum guard_word worst = GUARD_HOLDS;
    for (uint32_t i = 0; list != NULL && list->kind == VALUE_LIST && i < list->n && worst == GUARD_HOLDS;
         i++) {
        const struct value *ref = value_path(&list->as.list[i], STR("context.session.ref"));
        const struct value *decision = value_get(&list->as.list[i], STR("decision"));
        bool denies = decision != NULL && decision->kind == VALUE_BOOL && !decision->as.b;
        bool named = ref != NULL && ref->kind == VALUE_STRING;
        worst =
            denies ? GUARD_HOLDS : guard_judge(asked->guard, asked->begun, named ? value_text(ref) : STR(""));
    }
    return worst;
}

void asked_end(struct asked *asked, struct pdp_answer **answer)
{
    if (asked->guard == NULL || *answer == NULL) {
        return;
    }
    if (asked->question.len > 0) {
        keep(asked, *answer);
    }
    enum guard_word word = pdp_answer_allows(*answer)     ? guard_judge(asked->guard, asked->begun,
                                                                        str_of(pdp_answer_session_ref(*answer)))
                           : answer_root(*answer) != NULL ? judge_batch(asked, *answer)
                                                          : GUARD_HOLDS;
    if (word != GUARD_HOLDS) {
        pdp_answer_free(answer);
        *answer =
            word == GUARD_ENDED
                ? answer_deny(PDP_CODE_TERMINATED, "the session was ended while the question was under way")
                : answer_deny(PDP_CODE_STALE,
                              "answers were made void while the question was under way: ask again");
    }
}

void asked_fini(struct asked *asked)
{
    buf_fini(&asked->question);
    call_leave(asked->client);
}
