// SPDX-License-Identifier: Apache-2.0
// What a candidate would do to the sessions that live.
#include "node/admin_ops.h"

static void put_group(struct emit *emit, const char *key, const struct trial_group *group, struct str name)
{
    emit_map(emit, 3);
    emit_key_str(emit, key, name);
    admin_count(emit, "ends", group->ends);
    admin_count(emit, "tightens", group->tightens);
    emit_end(emit);
}

static void put_groups(struct emit *emit, const char *list, const char *key,
                       const struct trial_groups *groups)
{
    emit_key(emit, str_of(list));
    emit_list(emit, SIZE_MAX);
    for (size_t i = 0; i < groups->count; i++) {
        put_group(emit, key, &groups->list[i], str_of(groups->list[i].name));
    }
    if (groups->others.ends + groups->others.tightens > 0) {
        put_group(emit, key, &groups->others, STR("(others)"));
    }
    emit_end(emit);
}

// Who is meant is told to those only who may read of people.
static void put_examples(struct emit *emit, const struct trial_result *result, bool people)
{
    emit_key(emit, STR("sessions"));
    emit_list(emit, result->example_count);
    for (size_t i = 0; i < result->example_count; i++) {
        const struct trial_example *one = &result->examples[i];
        emit_map(emit, SIZE_MAX);
        emit_key_str(emit, "ref", str_of(one->ref));
        emit_key_str(emit, "tenant", str_of(one->tenant));
        emit_key_str(emit, "type", str_of(one->subject_type));
        if (people) {
            emit_key_str(emit, "subject", str_of(one->subject_id));
        }
        emit_key_str(emit, "gateway", str_of(one->gateway));
        emit_key_str(emit, "effect", str_of(pdp_effect_name(one->effect)));
        emit_key_str(emit, "rule", str_of(one->rule));
        emit_end(emit);
    }
    emit_end(emit);
}

void admin_put_trial(struct emit *emit, const struct trial_result *result, bool people)
{
    emit_key(emit, STR("trial"));
    emit_map(emit, SIZE_MAX);
    admin_count(emit, "live", result->live);
    admin_count(emit, "looked", result->looked);
    admin_count(emit, "questions", result->questions);
    admin_count(emit, "ends", trial_ends(result));
    admin_count(emit, "denies", result->denies);
    admin_count(emit, "steps_up", result->steps_up);
    admin_count(emit, "loosens", result->loosens);
    admin_count(emit, "unsure", result->unsure);
    admin_count(emit, "administrators_end", result->admin_ends);
    admin_count(emit, "administrators_tighten", result->admin_tightens);
    put_groups(emit, "rules", "rule", &result->by_rule);
    put_groups(emit, "gateways", "gateway", &result->by_gateway);
    put_groups(emit, "tenants", "tenant", &result->by_tenant);
    put_groups(emit, "types", "type", &result->by_type);
    put_examples(emit, result, people);
    emit_end(emit);
}
