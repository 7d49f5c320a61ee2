// SPDX-License-Identifier: Apache-2.0
// Mistakes in policies from a stranger: edits lie in the file, in order and apart, and the text around them
// stays.
#include "cli/test/mutant.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void try_one(const struct mutants *mutants, const struct mutant *mutant, struct str text)
{
    AUTO(buf_fini) struct buf whole = {0};
    AUTO(buf_fini) struct buf lines = {0};
    size_t at = 0, left = text.len;
    uint32_t line = 0;
    check(mutant->edit_count >= 1 && mutant->edit_count <= 2 && mutant->what.len > 0);
    check((size_t)mutant->place.at + mutant->place.len <= text.len);
    for (uint32_t i = 0; i < mutant->edit_count; i++) {
        const struct mutant_edit *edit = &mutant->edits[i];
        check(edit->at >= at && (size_t)edit->at + edit->len <= text.len);
        at = (size_t)edit->at + edit->len;
        left += edit->text.len - edit->len;
    }
    mutant_apply(mutants, mutant, &whole);
    check(whole.len == left);
    check(str_starts(buf_view(&whole), str_sub(text, 0, mutant->edits[0].at)));
    check(str_ends(buf_view(&whole), str_sub(text, at, text.len)));
    mutant_lines(mutants, mutant, true, &lines, &line);
    check(line >= 1 && str_find(buf_view(&whole), buf_view(&lines), 0) != SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct snapshot_file file = {.name = STR("fuzz.yaml"), .text = {(const char *)bytes, len}};
    struct mutants mutants;
    (void)!mutants_find(&file, 1, &mutants);
    for (size_t i = 0; i < mutants.count; i++) {
        try_one(&mutants, &mutants.list[i], file.text);
    }
    mutants_fini(&mutants);
    return 0;
}
