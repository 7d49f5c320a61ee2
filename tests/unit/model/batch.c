// SPDX-License-Identifier: Apache-2.0
#include "model/request.h"

#include <criterion/criterion.h>

#define ENTRIES(...) ((const struct value_entry[]){__VA_ARGS__})
#define VALUES(...) ((const struct value[]){__VA_ARGS__})
#define M(...)                                                                                 \
    {                                                                                          \
        .kind = VALUE_MAP, .n = COUNT_OF(ENTRIES(__VA_ARGS__)), .as.map = ENTRIES(__VA_ARGS__) \
    }
#define L(...)                                                                                 \
    {                                                                                          \
        .kind = VALUE_LIST, .n = COUNT_OF(VALUES(__VA_ARGS__)), .as.list = VALUES(__VA_ARGS__) \
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
#define EMPTY_MAP         \
    {                     \
        .kind = VALUE_MAP \
    }
#define WHO(name) E("subject", M(E("type", T("user")), E("id", T(name))))
#define WHAT(name) E("action", M(E("name", T(name))))
#define WHERE(id_text) E("resource", M(E("type", T("route")), E("id", T(id_text))))

static const struct value BATCH =
    M(E("request_id", T("r1")), E("tenant", T("acme")), WHO("alice"), WHAT("GET"),
      E("context", M(E("purpose", T("probe")))), E("strange", I(1)),
      E("evaluations", L(M(WHERE("/a")), M(WHERE("/b"), WHAT("POST"), E("context", EMPTY_MAP)),
                         M(WHERE("/c"), WHO("bob"), E("action", NOTHING), E("own", I(2))), I(7), EMPTY_MAP)));

static const struct {
    const char *resource, *action, *subject;
    bool probe;
} ITEMS[] = {{"/a", "GET", "alice", true}, {"/b", "POST", "alice", false}, {"/c", "GET", "bob", true}};

Test(model_batch, items_take_what_they_lack_from_the_batch)
{
    struct arena arena;
    struct batch batch;
    struct fault why;
    struct request r;
    arena_init(&arena, 0, 0);
    cr_assert_eq(batch_read(&BATCH, &arena, &batch, &why), PDP_ERR_OK);
    cr_assert(batch.is_batch);
    cr_assert_eq(batch.count, 5);
    cr_expect_eq(batch.semantic, BATCH_EXECUTE_ALL);
    for (size_t i = 0; i < COUNT_OF(ITEMS); i++) {
        cr_assert_eq(request_read(&batch.items[i], &r, &why), PDP_ERR_OK, "%zu: %s: %s", i, why.field,
                     why.what);
        cr_expect(str_eq(r.resource_id, str_of(ITEMS[i].resource)), "%zu", i);
        cr_expect(str_eq(r.action_name, str_of(ITEMS[i].action)), "%zu", i);
        cr_expect(str_eq(r.subject_id, str_of(ITEMS[i].subject)), "%zu", i);
        cr_expect(str_eq(r.request_id, STR("r1")) && str_eq(r.tenant, STR("acme")), "%zu", i);
        cr_expect_eq(r.probe, ITEMS[i].probe, "%zu: a context is replaced whole", i);
        cr_expect_null(value_get(&r.root, STR("strange")), "%zu: only known defaults are taken", i);
    }
    cr_expect_eq(batch.items[3].kind, VALUE_NULL);
    cr_expect_eq(request_read(&batch.items[3], &r, &why), PDP_ERR_MALFORMED);
    cr_expect_eq(request_read(&batch.items[4], &r, &why), PDP_ERR_MALFORMED);
    cr_expect_str_eq(why.field, "resource");
    arena_fini(&arena);
}

#define ONE E("evaluations", L(EMPTY_MAP))
#define SEMANTIC(word) E("options", M(E("evaluations_semantic", word)))

static const struct {
    struct value root;
    enum pdp_err err;
    bool is_batch;
    enum batch_semantic semantic;
    const char *field;
} SHAPES[] = {
    {NOTHING, PDP_ERR_OK, false, BATCH_EXECUTE_ALL, ""},
    {I(1), PDP_ERR_OK, false, BATCH_EXECUTE_ALL, ""},
    {EMPTY_MAP, PDP_ERR_OK, false, BATCH_EXECUTE_ALL, ""},
    {M(E("evaluations", NOTHING)), PDP_ERR_OK, false, BATCH_EXECUTE_ALL, ""},
    {M(E("evaluations", {.kind = VALUE_LIST})), PDP_ERR_OK, false, BATCH_EXECUTE_ALL, ""},
    {M(E("evaluations", EMPTY_MAP)), PDP_ERR_MALFORMED, false, BATCH_EXECUTE_ALL, "evaluations"},
    {M(E("evaluations", T("x"))), PDP_ERR_MALFORMED, false, BATCH_EXECUTE_ALL, "evaluations"},
    {M(ONE), PDP_ERR_OK, true, BATCH_EXECUTE_ALL, ""},
    {M(ONE, E("options", NOTHING)), PDP_ERR_OK, true, BATCH_EXECUTE_ALL, ""},
    {M(ONE, E("options", EMPTY_MAP)), PDP_ERR_OK, true, BATCH_EXECUTE_ALL, ""},
    {M(ONE, E("options", I(1))), PDP_ERR_MALFORMED, false, BATCH_EXECUTE_ALL, "options"},
    {M(ONE, SEMANTIC(T("execute_all"))), PDP_ERR_OK, true, BATCH_EXECUTE_ALL, ""},
    {M(ONE, SEMANTIC(T("deny_on_first_deny"))), PDP_ERR_OK, true, BATCH_DENY_ON_FIRST_DENY, ""},
    {M(ONE, SEMANTIC(T("permit_on_first_permit"))), PDP_ERR_OK, true, BATCH_PERMIT_ON_FIRST_PERMIT, ""},
    {M(ONE, SEMANTIC(NOTHING)), PDP_ERR_OK, true, BATCH_EXECUTE_ALL, ""},
    {M(ONE, SEMANTIC(T("all"))), PDP_ERR_MALFORMED, false, BATCH_EXECUTE_ALL, "options.evaluations_semantic"},
    {M(ONE, SEMANTIC(I(1))), PDP_ERR_MALFORMED, false, BATCH_EXECUTE_ALL, "options.evaluations_semantic"},
    {M(ONE, E("event", EMPTY_MAP)), PDP_ERR_MALFORMED, false, BATCH_EXECUTE_ALL, "evaluations"},
    {M(E("evaluations", L(M(E("event", EMPTY_MAP))))), PDP_ERR_MALFORMED, false, BATCH_EXECUTE_ALL,
     "evaluations"},
};

Test(model_batch, shapes)
{
    for (size_t i = 0; i < COUNT_OF(SHAPES); i++) {
        struct arena arena;
        struct batch batch;
        struct fault why = {0};
        memset(&batch, 0xff, sizeof batch);
        arena_init(&arena, 0, 0);
        cr_expect_eq(batch_read(&SHAPES[i].root, &arena, &batch, &why), SHAPES[i].err, "%zu: %s", i,
                     why.what);
        cr_expect_eq(batch.is_batch, SHAPES[i].is_batch, "%zu", i);
        cr_expect_eq(batch.semantic, SHAPES[i].semantic, "%zu", i);
        cr_expect_str_eq(why.field, SHAPES[i].field, "%zu: %s", i, why.field);
        arena_fini(&arena);
    }
}

Test(model_batch, at_most_256_items)
{
    static struct value items[REQUEST_BATCH_MAX + 1];
    for (uint32_t n = REQUEST_BATCH_MAX; n <= REQUEST_BATCH_MAX + 1; n++) {
        struct value list = {.kind = VALUE_LIST, .n = n, .as.list = items};
        struct value_entry entry = {T("evaluations"), list};
        struct value root = {.kind = VALUE_MAP, .n = 1, .as.map = &entry};
        struct arena arena;
        struct batch batch;
        struct fault why = {0};
        arena_init(&arena, 0, 0);
        cr_expect_eq(batch_read(&root, &arena, &batch, &why),
                     n > REQUEST_BATCH_MAX ? PDP_ERR_LIMIT : PDP_ERR_OK);
        cr_expect_eq(batch.count, n > REQUEST_BATCH_MAX ? 0 : n);
        arena_fini(&arena);
    }
}
