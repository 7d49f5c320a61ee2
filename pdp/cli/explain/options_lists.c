// SPDX-License-Identifier: Apache-2.0
// Elements that a list could have, and List documents that could hold a value.
#include "cli/explain/options_make.h"

#include <math.h>

enum {
    SUBSETS_OF = 6, // elements of a list that are put in and taken out together with others
};

static bool list_has(const struct making *m, const struct value *element)
{
    const struct value *list = &m->at->is;
    for (uint32_t i = 0; list->kind == VALUE_LIST && i < list->n; i++) {
        if (making_same(m, &list->as.list[i], element)) {
            return true;
        }
    }
    return false;
}

// A role that brings along what is taken out is taken out with it.
static bool brings(const struct making *m, const struct value *role, const struct value *taken)
{
    const struct roles *roles = &m->o->world->parts.set->roles;
    bool both = str_eq(m->at->path, STR("subject.roles")) && role->kind == VALUE_STRING &&
                taken->kind == VALUE_STRING && roles->count > 0;
    const uint32_t *a = both ? table_get(&roles->numbers, value_text(role)) : NULL;
    const uint32_t *b = both ? table_get(&roles->numbers, value_text(taken)) : NULL;
    return a != NULL && b != NULL && roles_implies(roles, *a, *b);
}

static bool is_taken(const struct making *m, const struct option *option, const struct value *element)
{
    for (uint32_t i = 0; i < option->element_count; i++) {
        const struct value *taken = &option->elements[i];
        if (!option->adds[i] && (making_same(m, taken, element) || brings(m, element, taken))) {
            return true;
        }
    }
    return false;
}

static void add_list(struct making *m, struct option option)
{
    const struct value *is = &m->at->is;
    uint32_t had = is->kind == VALUE_LIST ? is->n : 0, count = 0;
    struct value *list = ARENA_ARRAY(m->o->arena, struct value, had + OPTIONS_ELEMENTS_MOST + 1);
    for (uint32_t i = 0; list != NULL && i < had; i++) {
        if (!is_taken(m, &option, &is->as.list[i])) {
            list[count++] = is->as.list[i];
        }
    }
    for (uint32_t i = 0; list != NULL && i < option.element_count; i++) {
        if (option.adds[i]) {
            list[count++] = option.elements[i];
        }
    }
    option.to.value = (struct value){.kind = VALUE_LIST, .n = count, .as.list = list};
    if (list != NULL) {
        making_add(m, option);
    }
}

void making_elements(struct making *m)
{
    struct value elements[SUBSETS_OF];
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->at->test_count; i++) {
        if (m->at->tests[i].kind == TEST_HAS && count < SUBSETS_OF) {
            elements[count++] = m->at->tests[i].value;
        } else if (m->at->tests[i].kind == TEST_HAS) {
            m->o->cut = true;
        }
    }
    for (uint32_t set = 1; set < (UINT32_C(1) << count); set++) {
        struct option option = {.say = OPTION_ELEMENTS};
        bool fits = __builtin_popcount(set) <= OPTIONS_ELEMENTS_MOST;
        for (uint32_t i = 0; fits && i < count; i++) {
            if ((set >> i & 1) != 0) {
                option.adds[option.element_count] = !list_has(m, &elements[i]);
                option.elements[option.element_count++] = elements[i];
            }
        }
        option.size = option.element_count * MAKING_ONE;
        if (fits) {
            add_list(m, option);
        }
    }
    if (count > 0 && m->at->is.kind != VALUE_LIST) {
        add_list(m, (struct option){.say = OPTION_EMPTY, .size = MAKING_ONE});
    }
}

// ---- List documents ----------------------------------------------------------------------------

static enum cel_set_kind kind_of(const struct making *m, uint32_t set)
{
    const struct cel_env *env = m->o->world->parts.env;
    for (size_t i = 0; i < env->set_count; i++) {
        if (env->sets[i].id == set) {
            return env->sets[i].kind;
        }
    }
    return CEL_SET_STRING;
}

struct value making_unlisted(struct making *m, uint32_t set)
{
    enum cel_set_kind kind = kind_of(m, set);
    struct value value = kind == CEL_SET_STRING                          ? making_text(m)
                         : kind == CEL_SET_CIDR && m->at->type == CEL_IP ? making_address(m)
                                                                         : values_stranger(kind, 0);
    return options_in_list(m->o, set, &value) ? (struct value){0} : value;
}

// Lists that a value is in where what is there is not, or the other way round; of what is missing all are
// said. false: they are too many to say.
static bool turned(const struct making *m, const struct value *to, struct option *option)
{
    bool missing = making_missing(m->at);
    for (uint32_t i = 0; i < m->at->test_count; i++) {
        uint32_t set = m->at->tests[i].set;
        if (m->at->tests[i].kind != TEST_SET) {
            continue;
        }
        bool holds = options_in_list(m->o, set, to), held = options_in_list(m->o, set, &m->at->is);
        if (!missing && holds == held) {
            continue;
        }
        if (option->member_count == OPTIONS_MEMBERS_MOST) {
            return false;
        }
        option->members[option->member_count++] = (struct option_member){set, holds};
        option->size += missing && !holds ? 0 : MAKING_ONE;
    }
    return true;
}

void making_members(struct making *m)
{
    for (uint32_t i = 0; i < m->at->sample_count; i++) {
        const struct sample *sample = &m->at->samples[i];
        struct option option = {.to = {.value = sample->value}, .made_up = sample->made_up};
        bool said = turned(m, &sample->value, &option) && option.member_count > 0;
        option.say = said ? OPTION_MEMBER : OPTION_IS;
        option.than = said ? (struct value){0} : sample->value;
        option.size = said ? fmax(option.size, MAKING_ONE) : 2 * MAKING_ONE;
        if (said || !sample->made_up) {
            making_add(m, option);
        }
    }
}
