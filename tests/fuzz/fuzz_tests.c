// SPDX-License-Identifier: Apache-2.0
// Documents of tests from a stranger: never a crash, never a silent refusal; and what was read can be played.
#include "cli/test/suite.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define PLAYED_MOST 200 // of one input: the reader is what is tried

static const char POLICIES[] =
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n"
    "  - {id: all, effect: allow}\n"
    "  - {id: abroad, effect: deny, when: geo.country == \"CH\" || risk.score > 60.0}\n";

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct snapshot *built(void)
{
    const struct snapshot_file file = {.name = STR("web.yaml"), .text = str_of(POLICIES)};
    const struct snapshot_input input = {.files = &file, .file_count = 1};
    struct snapshot *snapshot = NULL;
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 10);
    check(snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot) == PDP_ERR_OK);
    return snapshot;
}

static bool count(void *user, const struct suite_told *told)
{
    check((told->verdict != NULL) != (told->answer != NULL));
    check(told->miss_count <= told->play->claim_count + 3);
    return ++*(int *)user < PLAYED_MOST;
}

static void play(const struct suite *suite)
{
    static struct suite_runner *runner;
    int played = 0;
    if (runner == NULL) {
        struct snapshot *snapshot = built();
        check(suite_runner_new(&snapshot, &runner) == PDP_ERR_OK);
    }
    const struct suite_options options = {.told = count, .user = &played};
    check(suite_run(runner, suite, &options) == PDP_ERR_OK);
    // Geo data of this suite is gone with it: what is played next must not find it.
    const struct suite_doc nothing = {.kind = SUITE_SCENARIO};
    check(suite_play(runner, &nothing, &options, NULL) == PDP_ERR_OK);
}

// The same bytes laid over a scenario, as what a folder gives to a library.
static void lay_over(const struct snapshot_file *given)
{
    static const char SCENARIO[] = "apiVersion: pdp/v1\nkind: Scenario\nmetadata: {name: s}\ngiven:\n"
                                   "  ann: {subject: {type: user, id: ann}}\n"
                                   "  page: {action: {name: GET}, resource: {type: route, id: /x}}\n"
                                   "ordinary: [{with: [ann, page]}]\nsteps: [{with: [ann, page]}]\n";
    const struct snapshot_file file = {.name = STR("library.yaml"), .text = str_of(SCENARIO)};
    AUTO(diags_fini) struct diags diags;
    AUTO(suite_free) struct suite *suite = NULL;
    diags_init(&diags, 50);
    enum pdp_err err = suite_read_over(&file, 1, given, &diags, &suite);
    check((err == PDP_ERR_OK) == (diags.errors == 0));
    if (suite != NULL) {
        play(suite);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct snapshot_file file = {.name = STR("fuzz_test.yaml"), .text = {(const char *)bytes, len}};
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf words = {0};
    AUTO(suite_free) struct suite *suite = NULL;
    diags_init(&diags, 50);
    enum pdp_err err = suite_read(&file, 1, &diags, &suite);
    diags_render(&diags, &words);
    check((err == PDP_ERR_OK) == (diags.errors == 0));
    check((err == PDP_ERR_OK) == (suite != NULL));
    if (suite != NULL) {
        play(suite);
    }
    lay_over(&file);
    return 0;
}
