// SPDX-License-Identifier: Apache-2.0
// Where in a question what conditions read is said.
#include "cli/explain/repl.h"

#include <criterion/criterion.h>

static const struct {
    const char *path, *place; // NULL: no question says it
} PLACES[] = {
    {"subject.id", "subject.id"},
    {"subject.roles", "subject.properties.roles"},
    {"subject.properties.type", "subject.properties.type"},
    {"subject.address.city", "subject.properties.address.city"},
    {"action.name", "action.name"},
    {"action.soft", "action.properties.soft"},
    {"resource.path", "resource.id"},
    {"resource.sensitivity", "resource.properties.sensitivity"},
    {"context.a.b", "context.a.b"},
    {"session.acr", "context.session.acr"},
    {"session.requests", NULL},
    {"device.managed", "context.device.managed"},
    {"device.components.gpu", "context.device.components.gpu"},
    {"device.family", NULL},
    {"network.ip", "context.network.ip"},
    {"network.private", NULL},
    {"tenant", "tenant"},
    {"risk.score", NULL},
    {"now", NULL},
    {"subject", NULL},
    {"subject.", NULL},
    {"context", NULL},
    {"", NULL},
};

Test(explain_repl, knows_where_a_question_says_it)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        struct str place = {0};
        bool said = repl_place(str_of(PLACES[i].path), &arena, &place);
        cr_expect_eq(said, PLACES[i].place != NULL, "%s", PLACES[i].path);
        cr_expect(!said || str_eq(place, str_of(PLACES[i].place)), "%s: " STR_FMT, PLACES[i].path,
                  STR_ARG(place));
    }
    arena_fini(&arena);
}
