// SPDX-License-Identifier: Apache-2.0
#include "model/search.h"

#include <criterion/criterion.h>

#define ENTRIES(...) ((const struct value_entry[]){__VA_ARGS__})
#define M(...)                                                                                 \
    {                                                                                          \
        .kind = VALUE_MAP, .n = COUNT_OF(ENTRIES(__VA_ARGS__)), .as.map = ENTRIES(__VA_ARGS__) \
    }
#define T(s)                                                     \
    {                                                            \
        .kind = VALUE_STRING, .n = sizeof(s) - 1, .as.text = (s) \
    }
#define I(x)                           \
    {                                  \
        .kind = VALUE_INT, .as.i = (x) \
    }
#define E(key, ...)         \
    {                       \
        T(key), __VA_ARGS__ \
    }
#define NOTHING            \
    {                      \
        .kind = VALUE_NULL \
    }
#define WHO E("subject", M(E("type", T("user")), E("id", T("alice")), E("properties", M(E("a", I(1))))))
#define WHAT E("action", M(E("name", T("read"))))
#define WHERE E("resource", M(E("type", T("record")), E("id", T("r1"))))

static const struct value SUBJECTS = M(E("search", T("subject")), E("request_id", T("x")),
                                       E("tenant", T("acme")), E("explain", T("full")), WHO, WHAT, WHERE,
                                       E("page", M(E("limit", I(7)), E("token", T("abc"))))),
                          RESOURCES = M(E("search", T("resource")), WHO, WHAT, WHERE,
                                        E("page", M(E("limit", I(5000))))),
                          ACTIONS =
                              M(E("search", T("action")), WHO, E("action", I(7)), WHERE, E("page", NOTHING)),
                          QUESTION = M(WHO, WHAT, WHERE, E("search", NOTHING));

static const struct {
    const struct value *message;
    enum search_part part;
    const char *subject, *action, *resource, *token;
    uint32_t limit;
} READ[] = {
    {&SUBJECTS, SEARCH_SUBJECT, NULL, "read", "r1", "abc", 7},
    {&RESOURCES, SEARCH_RESOURCE, "alice", "read", NULL, NULL, SEARCH_LIMIT_MAX},
    {&ACTIONS, SEARCH_ACTION, "alice", NULL, "r1", NULL, SEARCH_LIMIT_MAX},
};

static bool is(struct str s, const char *want)
{
    return want == NULL ? s.at == NULL : str_eq(s, str_of(want));
}

Test(model_search, is_a_question_without_what_it_looks_for)
{
    struct arena arena;
    struct search search;
    struct fault why;
    arena_init(&arena, 0, 0);
    for (size_t i = 0; i < COUNT_OF(READ); i++) {
        cr_expect(search_is(READ[i].message));
        cr_assert_eq(search_read(READ[i].message, &arena, &search, &why), PDP_ERR_OK, "%zu: %s %s", i,
                     why.field, why.what);
        cr_expect_eq(search.part, READ[i].part);
        cr_expect(is(search.request.subject_id, READ[i].subject) &&
                      is(search.request.action_name, READ[i].action) &&
                      is(search.request.resource_id, READ[i].resource),
                  "%zu", i);
        cr_expect(is(search.token, READ[i].token) && search.limit == READ[i].limit, "%zu", i);
        cr_expect(str_eq(search.request.subject_type, STR("user")) &&
                  search.request.subject_properties != NULL);
        cr_expect_eq(search.request.root.as.map, READ[i].message->as.map,
                     "what is recorded is the message as it came");
    }
    cr_expect_not(search_is(&QUESTION));
    arena_fini(&arena);
}

Test(model_search, pages_have_in_common_all_but_where_they_begin)
{
    struct arena arena;
    struct value common;
    arena_init(&arena, 0, 0);
    cr_assert_eq(search_common(&SUBJECTS, &arena, &common), PDP_ERR_OK);
    cr_expect_eq(common.n, SUBJECTS.n - 1); // its request_id is gone
    cr_expect(value_get(&common, STR("request_id")) == NULL && value_get(&common, STR("tenant")) != NULL);
    cr_expect_eq(value_path(&common, STR("page.limit"))->as.i, 7);
    cr_expect(value_path(&common, STR("page.token")) == NULL);
    cr_assert_eq(search_common(&ACTIONS, &arena, &common), PDP_ERR_OK);
    cr_expect(value_get(&common, STR("page")) == NULL, "a page that says nothing is none");
    cr_expect_eq(SUBJECTS.n, 8, "the message is as it was");
    arena_fini(&arena);
}

// In process, and as an item of a batch.
Test(model_search, is_no_question)
{
    struct request request;
    struct fault why;
    cr_expect_eq(request_read(&RESOURCES, &request, &why), PDP_ERR_MALFORMED);
    cr_expect_str_eq(why.field, "search");
    cr_expect_eq(request_read(&QUESTION, &request, &why), PDP_ERR_OK, "%s %s", why.field, why.what);
}

Test(model_search, needs_memory)
{
    struct arena arena;
    struct search search;
    struct value common;
    struct fault why;
    arena_init(&arena, 64, 16);
    cr_expect_eq(search_read(&RESOURCES, &arena, &search, &why), PDP_ERR_NOMEM);
    cr_expect_eq(search_common(&RESOURCES, &arena, &common), PDP_ERR_NOMEM);
    arena_fini(&arena);
}
