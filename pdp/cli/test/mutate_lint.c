// SPDX-License-Identifier: Apache-2.0
// What `pdpctl lint` knows of rules in which mistakes survive.
#include "cli/lint/findings.h"
#include "cli/test/mutate.h"
#include "daemon/folder.h"

#include <stdlib.h>

static const struct hash_key KEY = {UINT64_C(0x7064702d6d757461), UINT64_C(0x74652d6c696e7400)};

static enum lint_code code_of(const struct lint_findings *findings, uint32_t rule)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct lint_finding *finding = &findings->list[i];
        bool idle = finding->code == LINT_UNREACHABLE || finding->code == LINT_SHADOWED;
        if (idle && finding->rule == rule) {
            return finding->code;
        }
    }
    return LINT_COUNT;
}

static void note(const struct lint_findings *findings, const struct cover *cover, struct mutate *mutate)
{
    for (size_t i = 0; i < mutate->mutants.count; i++) {
        const struct mutant *mutant = &mutate->mutants.list[i];
        uint32_t rule = mutant->rule ? cover_rule_number(cover, mutant->owner) : UINT32_MAX;
        mutate->idle[i] = rule != UINT32_MAX ? code_of(findings, rule) : LINT_COUNT;
    }
}

// The same whenever it is run: no exception has expired.
static enum pdp_err find(const struct snapshot *snapshot, const struct snapshot_input *input,
                         struct lint_findings *findings)
{
    struct source *sources = calloc(input->file_count + 1, sizeof *sources);
    if (sources == NULL) {
        return PDP_ERR_NOMEM;
    }
    enum pdp_err err = findings_of(snapshot, input->files, input->file_count, 0, sources, findings);
    free(sources);
    return err;
}

// The folder as it is, but with its conditions kept.
static enum pdp_err build(const struct mutate_order *order, struct folder *folder, struct diags *diags,
                          struct snapshot **out)
{
    struct snapshot_input input = order->input;
    struct snapshot_input reader = folder_input(folder);
    input.read_file = reader.read_file;
    input.read_zone = reader.read_zone;
    input.user = reader.user;
    input.conditions = true;
    return snapshot_build(&input, KEY, diags, out);
}

enum pdp_err mutate_lint(const struct mutate_order *order, struct mutate *mutate)
{
    AUTO(folder_free) struct folder *folder = NULL;
    struct snapshot *snapshot = NULL;
    struct lint_findings findings;
    struct diags diags;
    TRY(folder_open(order->dir, &folder));
    mutate->idle = calloc(mutate->mutants.count + 1, sizeof *mutate->idle);
    if (mutate->idle == NULL) {
        return PDP_ERR_NOMEM;
    }
    diags_init(&diags, 1);
    lint_findings_init(&findings);
    enum pdp_err err = build(order, folder, &diags, &snapshot);
    err = err == PDP_ERR_OK ? find(snapshot, &order->input, &findings) : err;
    note(&findings, order->cover, mutate);
    lint_findings_fini(&findings);
    snapshot_free(&snapshot);
    diags_fini(&diags);
    return err;
}
