// SPDX-License-Identifier: Apache-2.0
// `shadow:` and `rollout:` of policies and rules.
#include "policy/build.h"

#include "policy/rollout.h"
#include "policy/shapes.h"

struct form {
    double percent;
    int by, rest;
};

static const char *const BYS[] = {[POLICY_BY_SUBJECT] = "subject",
                                  [POLICY_BY_SESSION] = "session",
                                  [POLICY_BY_DEVICE] = "device",
                                  [POLICY_BY_COUNT] = NULL};
static const char *const RESTS[] = {"off", "shadow", NULL};

static const struct conf_field FORM[] = {
    {"percent", CONF_NUMBER, true, offsetof(struct form, percent), NULL, 0, 100,
     "of the subjects, sessions or devices it holds for"},
    {"by", CONF_CHOICE, false, offsetof(struct form, by), BYS, 0, 0,
     "subject (default), session or device: who is drawn stays drawn"},
    {"rest", CONF_CHOICE, false, offsetof(struct form, rest), RESTS, 0, 0,
     "off (default): as if it were not there; shadow: judged beside"},
};

const struct conf_shape SHAPE_ROLLOUT = {"rollout", FORM, COUNT_OF(FORM), NULL, 0, NULL, 0};

const char *rollout_by_name(enum policy_by by)
{
    return (unsigned)by < POLICY_BY_COUNT ? BYS[by] : "";
}

static bool is_true(const struct conf_node *node)
{
    return node != NULL && node->kind == CONF_SCALAR && str_eq(node->text, STR("true"));
}

static uint32_t add(struct build *build, const struct form *form, struct str name)
{
    struct policy_set *set = build->set;
    uint32_t number = set->rollout_count++;
    set->rollouts[number] = (struct set_rollout){
        .draw = rollout_key(name),
        .by = (enum policy_by)form->by,
        .share = (uint32_t)(form->percent * (SET_ROLLOUT_ALL / 100) + 0.5),
        .shadows = form->rest == 1,
    };
    return number;
}

uint32_t rollout_read(struct build *build, const struct conf_node *map, struct str name)
{
    static const struct form SHADOW = {.percent = 0, .by = POLICY_BY_SUBJECT, .rest = 1};
    const struct conf_node *rollout = conf_get(map, "rollout");
    bool shadow = is_true(conf_get(map, "shadow"));
    if (build->set->rollouts == NULL || (rollout == NULL && !shadow)) {
        return SET_NO_ROLLOUT;
    }
    if (rollout != NULL && shadow) {
        build_fail(build, PDP_ERR_DUPLICATE, build_key_place(map, "shadow"),
                   "for a share that is enforced and a rest in shadow, write `rest: shadow` in `rollout`",
                   "`shadow: true` and `rollout` say two things of `" STR_FMT "`", STR_ARG(name));
        return SET_NO_ROLLOUT;
    }
    if (shadow) {
        return add(build, &SHADOW, name);
    }
    struct form form = {0};
    if (rollout->kind != CONF_MAP) { // reported with the document
        return SET_NO_ROLLOUT;
    }
    enum pdp_err err =
        conf_read(rollout, FORM, COUNT_OF(FORM), "`rollout`", &form, build->arena, build->diags);
    build_note(build, err);
    return err == PDP_ERR_OK ? add(build, &form, name) : SET_NO_ROLLOUT;
}

static bool has_one(const struct conf_node *map)
{
    return conf_get(map, "rollout") != NULL || conf_get(map, "shadow") != NULL;
}

size_t rollouts_count(const struct conf_doc *doc)
{
    const struct conf_node *rules = conf_get(doc->root, "rules");
    size_t count = has_one(doc->root);
    for (size_t i = 0; rules != NULL && rules->kind == CONF_LIST && i < rules->count; i++) {
        count += has_one(rules->items[i]);
    }
    return count;
}

// ---- Which of them are in shadow ----------------------------------------------------------------------

static bool shadows(const struct policy_set *set, uint32_t rollout)
{
    return rollout != SET_NO_ROLLOUT && set->rollouts[rollout].shadows &&
           set->rollouts[rollout].share < SET_ROLLOUT_ALL;
}

bool policy_shadows(const struct policy_set *set)
{
    for (uint32_t i = 0; i < set->rollout_count; i++) {
        if (shadows(set, i)) {
            return true;
        }
    }
    return false;
}

bool policy_rule_shadows(const struct policy_set *set, uint32_t rule)
{
    return rule < set->rule_count && (shadows(set, set->rules[rule].rollout) ||
                                      shadows(set, set->policies[set->rules[rule].policy].rollout));
}

bool policy_rules_named(const struct policy_set *set, struct str name, uint64_t *bits)
{
    bool found = false;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        struct str rule = policy_rule_name(set, i);
        bool whole = rule.len > name.len && str_starts(rule, name) && rule.at[name.len] == '/';
        if (whole || str_eq(rule, name)) {
            bits[i / 64] |= UINT64_C(1) << i % 64;
            found = true;
        }
    }
    return found;
}
