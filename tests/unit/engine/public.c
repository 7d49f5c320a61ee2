// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <pdp/engine.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1795370400000)

static const char POLICY[] = "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\n"
                             "rules:\n  - {id: read, effect: allow, actions: [GET]}\n";

static bool sevens(void *user, void *out, size_t len)
{
    memset(out, 7, len);
    ++*(int *)user;
    return true;
}

static bool none(void *user, void *out, size_t len)
{
    (void)user, (void)out, (void)len;
    return false;
}

static struct pdp_engine *opened(size_t size, bool (*random)(void *, void *, size_t), void *user)
{
    const struct pdp_file file = {"web.yaml", POLICY, sizeof POLICY - 1};
    struct pdp_engine_options options = {
        .size = size, .policies = &file, .policy_count = 1, .key = {1}, .random = random, .user = user};
    struct pdp_engine *engine = NULL;
    char *why = NULL;
    (void)pdp_engine_open(&options, NOW, &engine, &why);
    free(why);
    return engine;
}

// Is an id made? The answer's text for people goes to `message`.
static bool mints(struct pdp_engine *engine, enum pdp_code *code)
{
    struct pdp_question *event = NULL;
    struct pdp_answer *answer = NULL;
    const char *text = NULL;
    size_t len = 0;
    cr_assert_eq(pdp_question_new(&event), PDP_ERR_OK);
    pdp_question_set_text(event, "type", "start");
    pdp_question_set_text(event, "subject.type", "user");
    pdp_question_set_text(event, "subject.id", "u");
    pdp_question_set_text(event, "request_id", "r1");
    pdp_question_set_bool(event, "properties.mint", true);
    enum pdp_err err = pdp_engine_event(engine, event, NOW, &answer);
    cr_assert_eq(err, PDP_ERR_OK, "%d %s", err, pdp_answer_reason(answer));
    bool made = pdp_answer_get_text(answer, "session.id", &text, &len) && len == 43;
    *code = pdp_answer_code(answer);
    cr_expect_eq(pdp_answer_recorded(answer), made);
    cr_expect_not(pdp_answer_allows(answer));
    pdp_answer_free(&answer);
    pdp_question_free(&event);
    return made;
}

Test(engine_public, ids_are_made_by_the_callers_random_bytes)
{
    int drawn = 0;
    enum pdp_code code;
    struct pdp_engine *engine = opened(sizeof(struct pdp_engine_options), sevens, &drawn);
    cr_assert_not_null(engine);
    cr_expect(mints(engine, &code));
    cr_expect_eq(drawn, 1);
    pdp_engine_close(&engine);
}

Test(engine_public, without_random_bytes_no_id_is_made)
{
    enum pdp_code code;
    struct pdp_engine *engine = opened(sizeof(struct pdp_engine_options), NULL, NULL);
    cr_assert_not_null(engine);
    cr_expect_not(mints(engine, &code));
    pdp_engine_close(&engine);
    engine = opened(sizeof(struct pdp_engine_options), none, NULL);
    cr_expect_not(mints(engine, &code));
    cr_expect_eq(code, PDP_CODE_OVERLOADED);
    pdp_engine_close(&engine);
}

Test(engine_public, options_of_older_programs_are_read)
{
    enum pdp_code code;
    int drawn = 0;
    struct pdp_engine *engine = opened(offsetof(struct pdp_engine_options, random), sevens, &drawn);
    cr_assert_not_null(engine);
    cr_expect_not(mints(engine, &code));
    cr_expect_eq(drawn, 0);
    pdp_engine_close(&engine);
    cr_expect_null(opened(offsetof(struct pdp_engine_options, random) - 1, sevens, &drawn));
}
