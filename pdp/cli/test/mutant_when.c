// SPDX-License-Identifier: Apache-2.0
// Mistakes in conditions as documents structure them: `all`, `any`, `not`.
#include "cli/test/mutant_inner.h"

// The whole of a structured condition goes.
static void leave_out(struct find *find, const struct conf_node *node, enum find_role role)
{
    enum mutant_op op;
    struct str instead;
    if (find_left_out(role, &op, &instead)) {
        find_swap(find, op, node->place, instead, "`" STR_FMT "` is left out",
                  STR_ARG(find_shown(find, find_raw(node->place))));
    }
}

// `not: x` becomes `x`.
static void un_negate(struct find *find, const struct conf_node *node)
{
    const struct conf_node *value = node->entries[0].value;
    struct place inner = find_place(find, find_start(value), find_end(value));
    find_swap(find, MUTANT_NEGATE, node->place, find_raw(inner), "`" STR_FMT "` is negated",
              STR_ARG(find_shown(find, find_raw(node->place))));
}

static void items(struct find *find, const struct conf_node *node, enum find_role role)
{
    if (node->kind != CONF_LIST) {
        find_when(find, node, role);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        find_when(find, node->items[i], role);
    }
}

static bool is_key(const struct conf_entry *entry, const char *key)
{
    return str_eq(entry->key->text, str_of(key));
}

static void forms(struct find *find, const struct conf_node *node, enum find_role role)
{
    bool alone = node->count == 1;
    for (size_t i = 0; i < node->count; i++) {
        const struct conf_entry *entry = &node->entries[i];
        if (is_key(entry, "not")) {
            if (alone) {
                un_negate(find, node);
            }
            find_when(find, entry->value, FIND_NEGATED);
        } else if (entry->value->kind != CONF_LIST) {
            find_when(find, entry->value, alone ? role : FIND_CONJUNCT);
        } else {
            items(find, entry->value, is_key(entry, "any") ? FIND_DISJUNCT : FIND_CONJUNCT);
        }
    }
}

void find_when(struct find *find, const struct conf_node *node, enum find_role role)
{
    if (node == NULL || node->kind == CONF_SCALAR || node->kind == CONF_NULL) {
        find_expr(find, node, role, true);
        return;
    }
    bool all = node->kind == CONF_LIST ||
               (node->kind == CONF_MAP &&
                (node->count > 1 || (node->count == 1 && is_key(&node->entries[0], "all"))));
    // To leave all conjuncts of a condition out is noticed wherever leaving one out is.
    if (!all || role != FIND_WHOLE) {
        leave_out(find, node, role);
    }
    if (node->kind == CONF_LIST) {
        items(find, node, FIND_CONJUNCT);
    } else if (node->kind == CONF_MAP) {
        forms(find, node, role);
    }
}
