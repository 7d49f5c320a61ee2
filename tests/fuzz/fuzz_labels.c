// SPDX-License-Identifier: Apache-2.0
// A file of labels from a stranger: never a crash, never a silent refusal, and what was taken is found again.
#include "risk/labels.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void ask(const struct labels *labels)
{
    for (size_t i = 0; i < labels->line_count; i++) {
        const struct label *label = &labels->by_line[i];
        check(label->line > 0 && labels_of_line(labels, label->line) == label);
        check(i == 0 || labels->by_line[i - 1].line < label->line);
    }
    for (size_t i = 0; i < labels->id_count; i++) {
        const struct label *label = &labels->by_id[i];
        check(label->line == 0 && label->id.len > 0 && labels_of_id(labels, label->id) == label);
    }
    check(labels_of_line(labels, 0) == NULL && labels_of_id(labels, (struct str){0}) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct source source = {STR("labels"), {(const char *)bytes, len}};
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf words = {0};
    struct arena arena;
    struct labels labels;
    arena_init(&arena, 0, 0);
    diags_init(&diags, 50);
    enum pdp_err err = labels_read(&source, &arena, &diags, &labels);
    diags_render(&diags, &words);
    check((err == PDP_ERR_OK) == (diags.errors == 0));
    check((err == PDP_ERR_OK) == (labels.line_count + labels.id_count > 0));
    check(diags.errors <= LABELS_MISTAKES_MOST + 1);
    ask(&labels);
    arena_fini(&arena);
    return 0;
}
