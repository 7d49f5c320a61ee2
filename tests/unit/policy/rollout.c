// SPDX-License-Identifier: Apache-2.0
// For whom a policy or rule holds that is rolled out.
#include "policy/rollout.h"

#include "unit/policy/fixture.h"

enum {
    SUBJECTS = 20000
};

#define HEAD "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\n"
#define ALLOW "  - {id: ok, effect: allow}\n"

static struct set_rollout draw(const char *name, uint32_t share)
{
    return (struct set_rollout){.draw = rollout_key(str_of(name)), .share = share};
}

static unsigned drawn(const struct set_rollout *rollout)
{
    unsigned count = 0;
    for (uint64_t i = 1; i <= SUBJECTS; i++) {
        count += rollout_place(rollout, i * UINT64_C(0x9E3779B97F4A7C15)) < rollout->share;
    }
    return count;
}

Test(policy_rollout, draws_the_share_that_was_asked_for)
{
    static const uint32_t SHARES[] = {10000, 50000, 250000, 500000, 990000};
    for (size_t i = 0; i < COUNT_OF(SHARES); i++) {
        struct set_rollout rollout = draw("new-device", SHARES[i]);
        double share = (double)drawn(&rollout) / SUBJECTS;
        double wanted = (double)SHARES[i] / SET_ROLLOUT_ALL;
        // Five standard deviations of 20,000 draws are at most 0.018.
        cr_expect(share > wanted - 0.018 && share < wanted + 0.018, "%g instead of %g", share, wanted);
    }
}

Test(policy_rollout, keeps_whoever_was_in_when_the_share_grows)
{
    struct set_rollout few = draw("new-device", 50000), many = draw("new-device", 300000);
    for (uint64_t i = 1; i <= SUBJECTS; i++) {
        bool in_few = rollout_place(&few, i) < few.share;
        cr_expect(!in_few || rollout_place(&many, i) < many.share);
    }
}

Test(policy_rollout, draws_others_under_another_name)
{
    struct set_rollout one = draw("a", 500000), other = draw("b", 500000);
    unsigned both = 0;
    for (uint64_t i = 1; i <= SUBJECTS; i++) {
        both += rollout_place(&one, i) < one.share && rollout_place(&other, i) < other.share;
    }
    cr_expect(both > SUBJECTS * 23 / 100 && both < SUBJECTS * 27 / 100, "%u", both);
}

// The draw is part of the language: who is in must be in on every node, and after every upgrade.
Test(policy_rollout, draws_the_same_for_ever)
{
    struct set_rollout rollout = draw("new-device", 50000);
    cr_expect_eq(rollout_place(&rollout, 1), 8583U);
    cr_expect_eq(rollout_place(&rollout, 42), 316396U);
}

static enum pdp_effect effect_of(const char *yaml, uint64_t sticky, bool shadow)
{
    struct fixture f;
    fixture_load(&f, str_of(yaml));
    f.sticky = sticky;
    struct policy_question question = {.action = STR("GET"), .path = STR("/"), .shadow = shadow};
    struct policy_result result = fixture_ask(&f, &question);
    enum pdp_effect effect = result.effect;
    fixture_fini(&f);
    return effect;
}

static const struct {
    const char *name, *yaml;
    uint64_t sticky;
    enum pdp_effect enforced, shadow;
} CASES[] = {
    {"a rule in shadow", HEAD "rules:\n" ALLOW "  - {id: no, effect: deny, shadow: true}\n", 1,
     PDP_EFFECT_ALLOW, PDP_EFFECT_DENY},
    {"shadow: false is nothing", HEAD "rules:\n" ALLOW "  - {id: no, effect: deny, shadow: false}\n", 1,
     PDP_EFFECT_DENY, PDP_EFFECT_DENY},
    {"an allow in shadow allows nothing", HEAD "rules:\n  - {id: ok, effect: allow, shadow: true}\n", 1,
     PDP_EFFECT_DENY, PDP_EFFECT_ALLOW},
    {"nobody, the rest off", HEAD "rules:\n" ALLOW "  - {id: no, effect: deny, rollout: {percent: 0}}\n", 1,
     PDP_EFFECT_ALLOW, PDP_EFFECT_ALLOW},
    {"everybody", HEAD "rules:\n" ALLOW "  - {id: no, effect: deny, rollout: {percent: 100}}\n", 1,
     PDP_EFFECT_DENY, PDP_EFFECT_DENY},
    {"everybody, even strangers",
     HEAD "rules:\n" ALLOW "  - {id: no, effect: deny, rollout: {percent: 100, by: device}}\n", 0,
     PDP_EFFECT_DENY, PDP_EFFECT_DENY},
    {"a stranger may be one of them",
     HEAD "rules:\n" ALLOW "  - {id: no, effect: terminate, rollout: {percent: 1, by: device}}\n", 0,
     PDP_EFFECT_DENY, PDP_EFFECT_DENY},
    {"a stranger is allowed nothing",
     HEAD "rules:\n  - {id: ok, effect: allow, rollout: {percent: 99, by: device}}\n", 0, PDP_EFFECT_DENY,
     PDP_EFFECT_DENY},
    {"in shadow nobody is a stranger",
     HEAD "rules:\n  - {id: ok, effect: allow, rollout: {percent: 99, by: device, rest: shadow}}\n", 0,
     PDP_EFFECT_DENY, PDP_EFFECT_ALLOW},
    {"a policy in shadow adds no deny of its own",
     HEAD "shadow: true\ncombine: deny-unless-allow\nrules:\n  - {id: never, effect: allow, when: 'false'}\n"
          "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: q}\nrules:\n" ALLOW,
     1, PDP_EFFECT_ALLOW, PDP_EFFECT_DENY},
    {"first-match passes over what is in shadow",
     HEAD "combine: first-match\nrules:\n  - {id: no, effect: deny, shadow: true}\n" ALLOW, 1,
     PDP_EFFECT_ALLOW, PDP_EFFECT_DENY},
    {"a rule in shadow of a policy in shadow",
     HEAD "shadow: true\nrules:\n  - {id: no, effect: deny, shadow: true}\n"
          "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: q}\nrules:\n" ALLOW,
     1, PDP_EFFECT_ALLOW, PDP_EFFECT_DENY},
};

Test(policy_rollout, judges_each_world)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        enum pdp_effect enforced = effect_of(CASES[i].yaml, CASES[i].sticky, false);
        enum pdp_effect shadow = effect_of(CASES[i].yaml, CASES[i].sticky, true);
        cr_expect_eq(enforced, CASES[i].enforced, "%s: enforced %s", CASES[i].name,
                     pdp_effect_name(enforced));
        cr_expect_eq(shadow, CASES[i].shadow, "%s: in shadow %s", CASES[i].name, pdp_effect_name(shadow));
    }
}

Test(policy_rollout, says_who_was_not_named)
{
    struct fixture f;
    fixture_load(
        &f, str_of(HEAD "rules:\n" ALLOW "  - {id: no, effect: deny, rollout: {percent: 1, by: device}}\n"));
    struct policy_question question = {.action = STR("GET"), .path = STR("/")};
    struct policy_result result = fixture_ask(&f, &question);
    cr_expect_eq(result.code, PDP_CODE_UNSURE);
    cr_assert_eq(result.missing_count, 1);
    cr_expect(str_eq(result.missing[0], STR("`device.fingerprint` is missing")), STR_FMT,
              STR_ARG(result.missing[0]));
    fixture_fini(&f);
}

Test(policy_rollout, is_asked_for_a_policy_too)
{
    struct fixture f;
    fixture_load(&f, str_of(HEAD "rollout: {percent: 0}\nrules:\n" ALLOW));
    struct policy_question question = {.action = STR("GET"), .path = STR("/")};
    cr_expect_eq(fixture_ask(&f, &question).code, PDP_CODE_NO_POLICY);
    fixture_fini(&f);
}

Test(policy_rollout, tells_what_is_in_shadow)
{
    struct fixture f;
    fixture_load(&f, str_of(HEAD "rules:\n" ALLOW "  - {id: a, effect: deny, shadow: true}\n"
                                 "  - {id: b, effect: deny, rollout: {percent: 5}}\n"
                                 "  - {id: c, effect: deny, rollout: {percent: 5, rest: shadow}}\n"
                                 "  - {id: d, effect: deny, rollout: {percent: 100, rest: shadow}}\n"));
    static const bool IN_SHADOW[] = {false, true, false, true, false};
    for (uint32_t i = 0; i < COUNT_OF(IN_SHADOW); i++) {
        cr_expect_eq(policy_rule_shadows(f.set, i), IN_SHADOW[i], "rule %u", i);
    }
    cr_expect(policy_shadows(f.set));
    fixture_fini(&f);
}
