// SPDX-License-Identifier: Apache-2.0
// The XML of JUnit as continuous integration reads it: a suite a document, a case a case or step. No times,
// so that the same tests give the same bytes.
#include "cli/test/report.h"

// Texts are escaped already, so that none holds what XML 1.0 cannot.
static void put_xml(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '&':
            buf_str(out, STR("&amp;"));
            break;
        case '<':
            buf_str(out, STR("&lt;"));
            break;
        case '>':
            buf_str(out, STR("&gt;"));
            break;
        case '"':
            buf_str(out, STR("&quot;"));
            break;
        case '\n':
            buf_str(out, STR("&#10;"));
            break;
        default:
            buf_byte(out, (unsigned char)text.at[i]);
        }
    }
}

static void put_attribute(const char *name, struct str value, struct buf *out)
{
    buf_printf(out, " %s=\"", name);
    put_xml(value, out);
    buf_byte(out, '"');
}

// In one line: what the first miss expected, and what came.
static void put_message(const struct suite_miss *miss, struct buf *out)
{
    AUTO(buf_fini) struct buf text = {0};
    if (miss->claim != NULL) {
        report_key(miss->claim, &text);
        buf_printf(&text, ": expected " STR_FMT ", got " STR_FMT, STR_ARG(miss->claim->expected),
                   STR_ARG(miss->got));
    } else {
        buf_str(&text, miss->got);
    }
    put_attribute("message", buf_view(&text), out);
}

static void put_failures(const struct report_point *point, struct buf *out)
{
    AUTO(buf_fini) struct buf text = {0};
    for (size_t i = 0; i < point->failure_count; i++) {
        report_failure_print(point->doc, &point->failures[i], "", &text);
    }
    buf_str(out, STR("      <failure"));
    put_message(&point->failures[0].misses[0], out);
    buf_byte(out, '>');
    for (size_t at = 0; at < text.len;) { // lines stay lines
        size_t end = str_find_byte(buf_view(&text), '\n', at);
        put_xml(str_sub(buf_view(&text), at, end - at), out);
        buf_byte(out, '\n');
        at = end + 1;
    }
    buf_str(out, STR("</failure>\n"));
}

static void put_point(const struct report_point *point, struct arena *arena, struct buf *out)
{
    uint32_t line = 0, column = 0;
    AUTO(buf_fini) struct buf file = {0};
    place_line_col(point->play->place, &line, &column);
    buf_escaped(&file, point->doc->place.src->name);
    buf_str(out, STR("    <testcase"));
    put_attribute("classname", point->doc->name, out);
    put_attribute("name", report_title(point, arena), out);
    put_attribute("file", buf_view(&file), out);
    buf_printf(out, " line=\"%u\"", line);
    if (point->failure_count == 0) {
        buf_str(out, STR("/>\n"));
        return;
    }
    buf_str(out, STR(">\n"));
    put_failures(point, out);
    buf_str(out, STR("    </testcase>\n"));
}

static void put_doc(const struct report_point *points, size_t count, struct arena *arena, struct buf *out)
{
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        failed += points[i].failure_count > 0;
    }
    buf_str(out, STR("  <testsuite"));
    put_attribute("name", points[0].doc->name, out);
    buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", count, failed);
    for (size_t i = 0; i < count; i++) {
        put_point(&points[i], arena, out);
    }
    buf_str(out, STR("  </testsuite>\n"));
}

void report_junit(const struct report *report, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, 0, 0);
    buf_printf(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" failures=\"%zu\">\n",
               report->point_count, report->failed);
    for (size_t i = 0; i < report->point_count;) {
        size_t end = i;
        while (end < report->point_count && report->points[end].doc == report->points[i].doc) {
            end++;
        }
        put_doc(&report->points[i], end - i, &arena, out);
        i = end;
    }
    buf_str(out, STR("</testsuites>\n"));
    arena_fini(&arena);
}
