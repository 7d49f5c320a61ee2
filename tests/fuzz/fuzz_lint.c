// SPDX-License-Identifier: Apache-2.0
// Findings over a policy folder from a stranger: never a crash, each with a place in its text and something
// to do, and the same whenever it is asked.
#include "lint/lint.h"

#include "engine/watch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void find(const struct snapshot *snapshot, const struct source *source, struct lint_findings *findings)
{
    struct snapshot_parts parts;
    snapshot_parts(snapshot, &parts);
    const struct lint_input input = {.sources = source,
                                     .source_count = 1,
                                     .program = parts.program,
                                     .set = parts.set,
                                     .lists = parts.lists,
                                     .names = parts.names,
                                     .schema = parts.schema,
                                     .risk = parts.risk,
                                     .now_ms = 1000};
    lint_findings_init(findings);
    check(lint_run(&input, findings) == PDP_ERR_OK);
}

static void look(const struct lint_findings *one, const struct lint_findings *other,
                 const struct source *source)
{
    AUTO(buf_fini) struct buf text = {0};
    check(one->count == other->count && one->silenced == other->silenced);
    for (size_t i = 0; i < one->count; i++) {
        const struct lint_finding *finding = &one->list[i];
        check(finding->code < LINT_COUNT && finding->message.len > 0 && finding->hint.len > 0);
        check(finding->place.src == source && finding->place.at <= source->text.len);
        check(finding->code == other->list[i].code && finding->place.at == other->list[i].place.at);
    }
    lint_render(one, &text);
    check(!text.failed && str_is_utf8(buf_view(&text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct snapshot_file file = {.name = STR("fuzz.yaml"), .text = {(const char *)bytes, len}};
    struct snapshot_input input = {.files = &file, .file_count = 1, .conditions = true, .now_ms = 1000};
    struct source source = {file.name, file.text};
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    struct diags diags;
    diags_init(&diags, 20);
    if (snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot) == PDP_ERR_OK) {
        struct lint_findings one, other;
        find(snapshot, &source, &one);
        find(snapshot, &source, &other);
        look(&one, &other, &source);
        lint_findings_fini(&one);
        lint_findings_fini(&other);
    }
    snapshot_free(&snapshot);
    diags_fini(&diags);
    return 0;
}
