// SPDX-License-Identifier: Apache-2.0
// A line a document, and of what failed what was expected and what came.
#include "cli/test/report.h"

#include "base/time.h"

static void put_since(int64_t ms, struct buf *out)
{
    uint64_t left = ms < 0 ? (uint64_t)-ms : (uint64_t)ms;
    buf_printf(out, "%s%lluh%02llum%02llus", ms < 0 ? "-" : "+", (unsigned long long)(left / 3600000),
               (unsigned long long)(left / 60000 % 60), (unsigned long long)(left / 1000 % 60));
}

static void put_head(const struct suite_doc *doc, const struct report_failure *failure, const char *indent,
                     struct buf *out)
{
    buf_str(out, str_of(indent));
    report_place(failure->play->place, out);
    buf_str(out, STR(": "));
    report_name(failure->play, doc->kind, out);
    buf_str(out, STR(" at "));
    if (doc->kind == SUITE_SCENARIO) {
        put_since(failure->play->at_ms - doc->start_ms, out);
        buf_str(out, STR(", "));
    }
    time_print_ms(out, failure->play->at_ms);
    buf_byte(out, '\n');
}

static void put_miss(const struct suite_miss *miss, const char *indent, struct buf *out)
{
    const struct suite_claim *claim = miss->claim;
    if (claim == NULL) {
        buf_printf(out, "%s  ! " STR_FMT "\n", indent, STR_ARG(miss->got));
        return;
    }
    AUTO(buf_fini) struct buf key = {0};
    report_key(claim, &key);
    uint32_t line = 0, column = 0;
    place_line_col(claim->place, &line, &column);
    buf_printf(out, "%s  - " STR_FMT ": " STR_FMT "   (line %u)\n", indent, STR_ARG(buf_view(&key)),
               STR_ARG(claim->expected), line);
    buf_printf(out, "%s  + " STR_FMT ": " STR_FMT "\n", indent, STR_ARG(buf_view(&key)), STR_ARG(miss->got));
}

static bool missed(const struct report_failure *failure, enum suite_claim_kind kind)
{
    for (size_t i = 0; i < failure->miss_count; i++) {
        if (failure->misses[i].claim != NULL && failure->misses[i].claim->kind == kind) {
            return true;
        }
    }
    return false;
}

static void put_fact(const struct report_failure *failure, enum suite_claim_kind kind, const char *name,
                     struct str value, const char *indent, struct buf *out)
{
    if (value.len > 0 && !missed(failure, kind)) {
        buf_printf(out, "%s    %s: ", indent, name);
        buf_str(out, value);
        buf_byte(out, '\n');
    }
}

static void put_ledger(const struct report_failure *failure, const char *indent, struct buf *out)
{
    if (!failure->has_risk) {
        return;
    }
    buf_printf(out, "%s    risk: %.2f, " STR_FMT "\n", indent, failure->score, STR_ARG(failure->level));
    for (size_t i = 0; i < failure->signal_count; i++) {
        buf_printf(out, "%s      %+.2f ", indent, failure->signals[i].evidence);
        buf_escaped(out, failure->signals[i].id);
        buf_str(out, failure->signals[i].because.len > 0 ? STR(": ") : STR(""));
        buf_escaped(out, failure->signals[i].because);
        buf_byte(out, '\n');
    }
}

void report_failure_print(const struct suite_doc *doc, const struct report_failure *failure,
                          const char *indent, struct buf *out)
{
    put_head(doc, failure, indent, out);
    for (size_t i = 0; i < failure->miss_count; i++) {
        put_miss(&failure->misses[i], indent, out);
    }
    if (failure->question) {
        put_fact(failure, SUITE_EFFECT, "effect", failure->effect, indent, out);
        put_fact(failure, SUITE_CODE, "code", failure->code, indent, out);
        put_fact(failure, SUITE_RULES, "rules", failure->rules, indent, out);
        put_fact(failure, SUITE_STRENGTH, "require", failure->require, indent, out);
        put_fact(failure, SUITE_MISSING, "missing", failure->missing, indent, out);
        put_fact(failure, SUITE_EXCEPTIONS, "exceptions", failure->exceptions, indent, out);
        put_ledger(failure, indent, out);
    }
}

// ---- Documents -----------------------------------------------------------------------------------

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void put_doc(const struct report_point *points, size_t count, struct buf *out)
{
    const struct suite_doc *doc = points[0].doc;
    size_t failed = 0, claims = 0;
    for (size_t i = 0; i < count; i++) {
        failed += points[i].failure_count > 0;
        claims += points[i].claims;
    }
    buf_str(out, failed > 0 ? STR("FAIL  ") : STR("ok    "));
    buf_escaped(out, doc->place.src->name);
    const char *word = doc->kind == SUITE_TEST ? "case" : "step";
    buf_printf(out, ": %s `" STR_FMT "`: ", doc->kind == SUITE_TEST ? "Test" : "Scenario",
               STR_ARG(doc->name));
    if (failed > 0) {
        buf_printf(out, "%zu of ", failed);
    }
    buf_printf(out, "%zu %s%s", count, word, plural(count));
    if (failed > 0) {
        buf_str(out, STR(" failed"));
    }
    buf_printf(out, ", %zu expectation%s\n", claims, plural(claims));
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < points[i].failure_count; k++) {
            report_failure_print(doc, &points[i].failures[k], "  ", out);
        }
        if (points[i].more > 0) {
            buf_printf(out, "  and %zu more time%s\n", points[i].more, plural(points[i].more));
        }
    }
}

void report_people(const struct report *report, struct buf *out)
{
    size_t docs = 0;
    for (size_t i = 0; i < report->point_count;) {
        size_t end = i;
        while (end < report->point_count && report->points[end].doc == report->points[i].doc) {
            end++;
        }
        put_doc(&report->points[i], end - i, out);
        docs++;
        i = end;
    }
    if (report->failed > 0) {
        buf_printf(out, "%zu of %zu failed in %zu document%s\n", report->failed, report->point_count, docs,
                   plural(docs));
    } else {
        buf_printf(out, "%zu passed in %zu document%s\n", report->point_count, docs, plural(docs));
    }
}
