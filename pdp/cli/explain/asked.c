// SPDX-License-Identifier: Apache-2.0
#include "cli/explain/asked.h"

#include "cli/offline/events.h"

static void show(struct asked *asked, const struct account *account)
{
    buf_clear(asked->out);
    if (asked->json) {
        struct emit emit;
        emit_init(&emit, WIRE_JSON, asked->out);
        account_json(account, &emit);
        buf_byte(asked->out, '\n');
    } else {
        account_people(account, asked->out);
    }
    asked->shown = true;
}

static bool is_meant(const struct asked *asked, const struct watched *seen)
{
    return asked->request_id == NULL || str_eq(seen->request->request_id, str_of(asked->request_id));
}

static void judged(void *user, const struct watched *seen)
{
    struct asked *asked = user;
    struct account account;
    if (!is_meant(asked, seen)) {
        return;
    }
    arena_reset(&asked->arena);
    if (account_make(seen, asked->wish, &asked->arena, &account)) {
        show(asked, &account);
    } else {
        asked->failed = true;
    }
}

// The question with `explain: full`, so that signals say why.
static bool in_full(const struct value *root, struct buf *bytes, struct arena *arena, struct value *out)
{
    struct emit emit;
    struct fault why;
    emit_init(&emit, WIRE_JSON, bytes);
    events_put_full(&emit, root);
    return !bytes->failed && wire_decode(WIRE_JSON, buf_view(bytes), arena, out, &why) == PDP_ERR_OK;
}

static int say_fault(const struct local *local)
{
    const struct fault *fault = worker_fault(local->worker);
    return cli_bad("a question has a subject, an action and a resource", "the question is malformed: `%s` %s",
                   fault->field, fault->what);
}

int asked_explain(struct asked *asked, struct local *local, const struct value *root, int64_t now_ms)
{
    const struct watch watch = {.judged = judged, .user = asked};
    struct buf bytes = {0};
    struct arena arena;
    struct value question = {0};
    struct verdict verdict;
    arena_init(&arena, 0, 0);
    int code = CLI_DONE;
    if (value_get(root, STR("search")) != NULL) {
        code = cli_bad("`pdpctl eval` asks it; explain a question that names one of what it would find",
                       "a search is not explained");
    } else if (root->kind != VALUE_MAP || !in_full(root, &bytes, &arena, &question)) {
        code = cli_bad("it is a JSON object with a subject, an action and a resource", "this is no question");
    } else {
        worker_watch(local->worker, &watch);
        engine_decide(local->worker, &local->peer, &question, now_ms, &verdict);
        worker_watch(local->worker, NULL);
        if (verdict.code == PDP_CODE_MALFORMED) {
            code = say_fault(local);
        } else if (!asked->shown && !asked->failed) {
            struct account account;
            account_of_verdict(&verdict, &account);
            show(asked, &account);
        }
    }
    code = asked->failed || asked->out->failed ? cli_bad(NULL, "out of memory") : code;
    arena_fini(&arena);
    buf_fini(&bytes);
    return code;
}

int asked_explain_batch(struct asked *asked, struct local *local, const struct value *root, int64_t now_ms)
{
    const struct watch watch = {.judged = judged, .user = asked};
    struct buf message = {0}, answer = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    events_put_full(&emit, root);
    worker_watch(local->worker, &watch);
    engine_answer(local->worker, &local->peer, buf_view(&message), now_ms, &answer);
    worker_watch(local->worker, NULL);
    buf_fini(&message);
    buf_fini(&answer);
    return asked->shown ? CLI_DONE : cli_bad(NULL, "policies judged no item of this batch that is meant");
}

bool asked_wish(const char *toward, unsigned *wish)
{
    *wish = 0;
    for (unsigned e = 0; toward != NULL && e < PDP_EFFECT_COUNT; e++) {
        *wish |= strcmp(toward, pdp_effect_name((enum pdp_effect)e)) == 0 ? 1U << e : 0;
    }
    if (toward != NULL && *wish == 0) {
        (void)cli_bad("allow, step_up, deny or terminate", "`--toward %s` is no effect", toward);
    }
    return toward == NULL || *wish != 0;
}
