// SPDX-License-Identifier: Apache-2.0
// TAP 14: one point a case or step, with a YAML block where it failed.
#include "cli/test/report.h"

// A description goes up to `#`, and both it and `\` are escaped.
static void put_text(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '#' || text.at[i] == '\\') {
            buf_byte(out, '\\');
        }
        buf_byte(out, (unsigned char)text.at[i]);
    }
}

static void put_quoted(struct str text, struct buf *out)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\') {
            buf_byte(out, '\\');
        }
        buf_byte(out, (unsigned char)text.at[i]);
    }
    buf_str(out, STR("\"\n"));
}

static void put_block(const struct report_point *point, struct buf *out)
{
    buf_str(out, STR("  ---\n"));
    for (size_t i = 0; i < point->failure_count; i++) {
        const struct report_failure *failure = &point->failures[i];
        for (size_t k = 0; k < failure->miss_count; k++) {
            const struct suite_claim *claim = failure->misses[k].claim;
            AUTO(buf_fini) struct buf place = {0};
            report_place(claim != NULL ? claim->place : failure->play->place, &place);
            buf_str(out, STR("  - at: "));
            put_quoted(buf_view(&place), out);
            if (claim != NULL) {
                buf_str(out, STR("    key: "));
                report_key(claim, out);
                buf_str(out, STR("\n    expected: "));
                put_quoted(claim->expected, out);
            }
            buf_str(out, STR("    got: "));
            put_quoted(failure->misses[k].got, out);
        }
    }
    buf_str(out, STR("  ...\n"));
}

void report_tap(const struct report *report, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    buf_printf(out, "TAP version 14\n1..%zu\n", report->point_count);
    for (size_t i = 0; i < report->point_count; i++) {
        const struct report_point *point = &report->points[i];
        buf_printf(out, "%sok %zu - ", point->failure_count > 0 ? "not " : "", i + 1);
        put_text(point->doc->name, out);
        buf_str(out, STR(": "));
        put_text(report_title(point, &arena), out);
        buf_byte(out, '\n');
        if (point->failure_count > 0) {
            put_block(point, out);
        }
    }
    arena_fini(&arena);
}
