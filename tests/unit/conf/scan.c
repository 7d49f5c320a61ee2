// SPDX-License-Identifier: Apache-2.0
#include "conf/scan.h"

#include <criterion/criterion.h>

static const struct {
    const char *text;
    enum pdp_err err;
} SOURCES[] = {
    {"", PDP_ERR_OK},
    {"a\tb\r\nc\n", PDP_ERR_OK},
    {"\xEF\xBB\xBF"
     "a",
     PDP_ERR_OK},
    {"a\xEF\xBB\xBF", PDP_ERR_SYNTAX},
    {"\xF0\x9F\x98\x80", PDP_ERR_OK},
    {"\xED\xA0\x80", PDP_ERR_UTF8},
    {"\xC0\x80", PDP_ERR_UTF8},
    {"\xE2\x82", PDP_ERR_UTF8},
    {"\xC2\x85", PDP_ERR_SYNTAX},
    {"\x7F", PDP_ERR_SYNTAX},
    {"\xEF\xBF\xBF", PDP_ERR_SYNTAX},
    {"a\r", PDP_ERR_SYNTAX},
};

Test(conf_scan, refuses_what_no_file_may_hold)
{
    for (size_t i = 0; i < COUNT_OF(SOURCES); i++) {
        AUTO(diags_fini) struct diags diags;
        diags_init(&diags, 4);
        struct source source = {STR("p.yaml"), str_of(SOURCES[i].text)};
        cr_expect_eq(scan_source(&source, &diags), SOURCES[i].err, "%zu", i);
        cr_expect_eq(diags.errors, SOURCES[i].err != PDP_ERR_OK, "%zu", i);
    }
}

Test(conf_scan, finds_tabs_in_front_of_lines)
{
    struct str text = STR("a\t\n \tb\n\t\n  \t \nc\n\td");
    cr_expect_eq(scan_tab_indent(text, 0), 4);
    cr_expect_eq(scan_tab_indent(text, 5), 16);
    cr_expect_eq(scan_tab_indent(text, 7), 16);
    cr_expect_eq(scan_tab_indent(text, 17), 18);
    cr_expect_eq(scan_tab_indent(STR(""), 0), 0);
}

Test(conf_scan, walks_code_points_both_ways)
{
    struct scan_cursor cursor = {.text = STR("aäß€😀z")};
    static const uint32_t BYTES[] = {0, 1, 3, 5, 8, 12, 13};
    for (size_t from = 0; from < COUNT_OF(BYTES); from++) {
        for (size_t to = 0; to < COUNT_OF(BYTES); to++) {
            cr_expect_eq(scan_byte_of(&cursor, from), BYTES[from]);
            cr_expect_eq(scan_byte_of(&cursor, to), BYTES[to], "%zu to %zu", from, to);
        }
    }
    cr_expect_eq(scan_byte_of(&cursor, 99), 13);
}
