// SPDX-License-Identifier: Apache-2.0
// What a login may tell of a step-up: the acr that was asked for or the one that there is, and of amr what
// the strength itself looks for. Only what then proves the strength is tried.
#include "cli/explain/options_make.h"

#include "cel/frame.h"
#include "engine/attrs.h"

static const double SIZE_STEP_UP = 0.1;

enum {
    NAMED_MOST = 4,
};

struct proving {
    struct making *m;
    uint32_t strength;
    struct value amr;               // of the session; an ERROR: none
    struct value named[NAMED_MOST]; // elements of amr that the strength looks for
    uint32_t named_count, made;
    struct str acrs[2]; // empty: as it is
    uint32_t acr_count;
};

// What the condition of the strength names, by a walk of its own: it is nothing to propose by itself.
static void read_named(struct proving *p)
{
    struct options walked;
    struct options *o = p->m->o;
    uint32_t expr = policy_strength_proves(o->world->parts.set, p->strength);
    if (!options_init(&walked, o->world, o->arena)) {
        return;
    }
    (void)options_walk(&walked, expr);
    for (uint32_t i = 0; i < walked.count; i++) {
        const struct attribute *at = &walked.list[i];
        for (uint32_t k = 0; k < at->test_count; k++) {
            const struct option_test *test = &at->tests[k];
            bool text = test->value.kind == VALUE_STRING;
            if (text && test->kind == TEST_HAS && str_eq(at->path, STR("session.amr")) &&
                p->named_count < NAMED_MOST) {
                p->named[p->named_count++] = test->value;
            }
            if (text && test->kind == TEST_IS && str_eq(at->path, STR("session.acr")) && p->acr_count < 2) {
                p->acrs[p->acr_count++] = value_text(&test->value);
            }
        }
    }
}

// What the session had, and what is told besides.
static struct value with_named(const struct proving *p, uint32_t from, uint32_t count)
{
    uint32_t had = p->amr.kind == VALUE_LIST ? p->amr.n : 0, n = 0;
    struct value *list = ARENA_ARRAY(p->m->o->arena, struct value, had + count + 1);
    for (uint32_t i = 0; list != NULL && i < had; i++) {
        list[n++] = p->amr.as.list[i];
    }
    for (uint32_t i = from; list != NULL && i < from + count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < had; k++) {
            known = known || making_same(p->m, &list[k], &p->named[i]);
        }
        if (!known) {
            list[n++] = p->named[i];
        }
    }
    return list == NULL ? (struct value){0} : (struct value){.kind = VALUE_LIST, .n = n, .as.list = list};
}

static void add(struct proving *p, const struct whatif *to)
{
    struct option option = {.to = *to, .say = OPTION_STEP_UP, .than = value_int(p->strength)};
    option.to.value = value_int((int64_t)p->strength * 64 + p->made++);
    option.size = SIZE_STEP_UP + p->strength / 1000.0 - MAKING_GIVEN;
    making_add(p->m, option);
}

static bool proves(const struct proving *p, const struct whatif *to)
{
    struct whatif_world *world = p->m->o->world;
    const struct whatif *changes[] = {to};
    whatif_begin(world, changes, 1);
    bool holds =
        cel_truth(world->seen->frame, policy_strength_proves(world->parts.set, p->strength)) == TRUTH_YES;
    whatif_look(world, p->m->o->arena);
    return holds;
}

// With no element more, each alone, or where none of these proves all of them.
static void add_all(struct proving *p, struct str acr)
{
    struct whatif to;
    bool any = false;
    whatif_proved(p->m->o->world, p->strength, &to);
    to.acr = acr;
    if (proves(p, &to)) {
        add(p, &to);
        any = true;
    }
    for (uint32_t i = 0; i < p->named_count; i++) {
        uint32_t had = p->amr.kind == VALUE_LIST ? p->amr.n : 0;
        to.amr = with_named(p, i, 1);
        if (to.amr.n > had && proves(p, &to)) {
            add(p, &to);
            any = true;
        }
    }
    to.amr = with_named(p, 0, p->named_count);
    if (!any && p->named_count > 1 && proves(p, &to)) {
        add(p, &to);
    }
}

// A condition that is not seen through: with each acr, and as it is.
static void add_unknown(struct proving *p)
{
    struct whatif to;
    whatif_proved(p->m->o->world, p->strength, &to);
    for (uint32_t i = 0; i < p->acr_count; i++) {
        to.acr = p->acrs[i];
        add(p, &to);
    }
    to.acr = (struct str){0};
    add(p, &to);
}

static void make(struct making *m, uint32_t strength)
{
    struct whatif_world *world = m->o->world;
    struct proving p = {.m = m, .strength = strength};
    const struct cel_slot_info amr = {.path = STR("session.amr"), .id = ATTR_SESSION_AMR, .type = CEL_DYN};
    size_t asked_count = 0;
    const struct str *asked = policy_strength_acr(world->parts.set, strength, &asked_count);
    if (!world->seen->cel_host->resolve(world->seen->cel_host->user, &amr, &p.amr)) {
        p.amr = (struct value){0};
    }
    if (asked_count > 0) {
        p.acrs[p.acr_count++] = asked[0];
    }
    read_named(&p);
    whatif_look(world, m->o->arena);
    for (uint32_t i = 0; i < p.acr_count; i++) {
        add_all(&p, p.acrs[i]);
    }
    add_all(&p, (struct str){0});
    if (p.made == 0) {
        add_unknown(&p);
    }
}

void making_proofs(struct making *m)
{
    for (uint32_t i = 0; i < m->at->test_count; i++) {
        make(m, (uint32_t)m->at->tests[i].value.as.i);
    }
}
