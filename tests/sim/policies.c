// SPDX-License-Identifier: Apache-2.0
// Two sets of policies that differ in their limits alone. Compiling takes as long as ten thousand decisions,
// so all worlds of a process share them.
#include "sim/sim.h"

static const struct hash_key KEY = {11, 22};

static const char RULES[] =
    "apiVersion: pdp/v1\n"
    "kind: Strengths\n"
    "metadata: {name: levels}\n"
    "levels:\n"
    "  - {name: password, proves: '\"pwd\" in session.amr', ask: {acr_values: [aal1]}}\n"
    "  - {name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}\n"
    "---\n"
    "apiVersion: pdp/v1\n"
    "kind: Policy\n"
    "metadata: {name: sim}\n"
    "rules:\n"
    "  - {id: open, effect: allow}\n"
    "  - {id: never, effect: deny, resources: [/deny]}\n"
    "  - {id: more, effect: step_up, resources: [/mfa], require: {strength: mfa, max_age: 15m}}\n"
    "  - {id: end, effect: terminate, resources: [/end]}\n"
    "  - {id: cut, effect: terminate, terminate: {scope: subject}, resources: [/cut]}\n";

static const char *const LIMITS[] = {
    "apiVersion: pdp/v1\n"
    "kind: SessionPolicy\n"
    "metadata: {name: limits}\n"
    "limits: {idle: 2h, absolute: 24h, concurrent: 5, on_concurrent: end-oldest}\n",
    "apiVersion: pdp/v1\n"
    "kind: SessionPolicy\n"
    "metadata: {name: limits}\n"
    "limits: {idle: 20d, absolute: 30d, concurrent: 4, on_concurrent: end-oldest}\n",
};

static struct snapshot *built[COUNT_OF(LIMITS)];

static enum pdp_err no_file(void *user, struct str name, struct str *text)
{
    (void)user;
    (void)name;
    *text = (struct str){0};
    return PDP_ERR_UNKNOWN;
}

static void make(size_t which)
{
    const struct snapshot_file files[] = {{.name = STR("policies/rules.yaml"), .text = str_of(RULES)},
                                          {.name = STR("policies/z.yaml"), .text = str_of(LIMITS[which])}};
    const struct snapshot_input input = {.files = files,
                                         .file_count = COUNT_OF(files),
                                         .read_file = no_file,
                                         .read_zone = no_file,
                                         .now_ms = INT64_C(1795420800000)};
    struct diags diags;
    diags_init(&diags, 20);
    if (snapshot_build(&input, KEY, &diags, &built[which]) != PDP_ERR_OK) {
        struct buf said = {0};
        diags_render(&diags, &said);
        fprintf(stderr, "the simulation's policies are refused:\n" STR_FMT "\n", STR_ARG(buf_view(&said)));
        abort();
    }
    diags_fini(&diags);
}

void sim_policies_make(void)
{
    for (size_t i = 0; i < COUNT_OF(LIMITS); i++) {
        make(i);
    }
}

void sim_policies_free(void)
{
    for (size_t i = 0; i < COUNT_OF(LIMITS); i++) {
        snapshot_free(&built[i]);
    }
}

struct snapshot *sim_policies(int which)
{
    struct snapshot *shared = NULL;
    invariant(snapshot_share(built[which], &shared) == PDP_ERR_OK);
    return shared;
}
