// SPDX-License-Identifier: Apache-2.0
#include "risk/state.h"

#include <criterion/criterion.h>

static double worth(const void *user, const struct risk_entry *entry)
{
    (void)user;
    return entry->value;
}

static struct risk_state full(void)
{
    struct risk_state state = {0};
    for (uint16_t i = 0; i < STATE_ENTRIES; i++) {
        struct risk_entry entry = {i, (uint16_t)(100 + i), 7};
        state_keep(&state, &entry, worth, NULL);
    }
    return state;
}

Test(risk_state, keeps_and_finds)
{
    struct risk_state state = full();
    for (uint16_t i = 0; i < STATE_ENTRIES; i++) {
        const struct risk_entry *entry = state_find(&state, i);
        cr_assert_not_null(entry);
        cr_expect_eq(entry->value, 100 + i);
    }
    cr_expect_null(state_find(&state, STATE_ENTRIES));
    state_drop(&state, 3);
    cr_expect_null(state_find(&state, 3));
    cr_expect_not_null(state_find(&state, 4));
}

Test(risk_state, the_weakest_gives_way_to_what_is_stronger)
{
    struct risk_state state = full();
    state_keep(&state, &(struct risk_entry){50, 101, 7}, worth, NULL);
    cr_expect_null(state_find(&state, 0));
    cr_expect_not_null(state_find(&state, 50));
    state_keep(&state, &(struct risk_entry){51, 90, 7}, worth, NULL);
    cr_expect_null(state_find(&state, 51), "weaker than all: not kept");
    cr_expect_not_null(state_find(&state, 1));
    state_drop(&state, 50);
    state_keep(&state, &(struct risk_entry){51, 90, 7}, worth, NULL);
    cr_expect_not_null(state_find(&state, 51), "a free place takes anything");
}
