// SPDX-License-Identifier: Apache-2.0
// Coverage as a tracefile of lcov: rules are its functions and lines, outcomes of conditions its branches.
#include "cli/test/cover.h"

struct range {
    size_t from, to;
};

static uint32_t line_of(struct place place)
{
    uint32_t line = 0, col = 0;
    place_line_col(place, &line, &col);
    return line;
}

static bool in_file(struct place place, struct str file)
{
    return place.src != NULL && str_eq(place.src->name, file);
}

static void put_rules(struct buf *out, const struct cover_rule *rules, struct range range)
{
    size_t held = 0;
    for (size_t i = range.from; i < range.to; i++) {
        buf_printf(out, "FN:%u," STR_FMT "\n", line_of(rules[i].place), STR_ARG(rules[i].name));
    }
    for (size_t i = range.from; i < range.to; i++) {
        buf_printf(out, "FNDA:%llu," STR_FMT "\n", (unsigned long long)rules[i].held, STR_ARG(rules[i].name));
        held += rules[i].held > 0;
    }
    buf_printf(out, "FNF:%zu\nFNH:%zu\n", range.to - range.from, held);
}

// The first is that it holds, the second that it does not.
static void put_branches(struct buf *out, const struct cover_point *points, struct range range)
{
    size_t found = 0, hit = 0;
    for (size_t i = range.from; i < range.to; i++) {
        const struct cover_point *point = &points[i];
        uint64_t taken[] = {point->yes, point->no};
        bool asked = point->yes + point->no + point->unsure > 0;
        for (size_t k = 0; k < 2 && point->constant == COVER_VARIES; k++) {
            buf_printf(out, "BRDA:%u,%zu,%zu,", line_of(point->place), i - range.from, k);
            if (asked) {
                buf_printf(out, "%llu\n", (unsigned long long)taken[k]);
            } else {
                buf_str(out, STR("-\n"));
            }
            found++;
            hit += taken[k] > 0;
        }
    }
    buf_printf(out, "BRF:%zu\nBRH:%zu\n", found, hit);
}

// A rule's line counts how often it held; one of conditions alone, how often the one that was asked most was.
static void put_lines(struct buf *out, const struct cover_rule *rules, struct range rule,
                      const struct cover_point *points, struct range point)
{
    size_t found = 0, hit = 0;
    while (rule.from < rule.to || point.from < point.to) {
        uint32_t next_rule = rule.from < rule.to ? line_of(rules[rule.from].place) : UINT32_MAX;
        uint32_t next_point = point.from < point.to ? line_of(points[point.from].place) : UINT32_MAX;
        uint32_t line = next_rule < next_point ? next_rule : next_point;
        uint64_t asked = 0, held = 0;
        for (; point.from < point.to && line_of(points[point.from].place) == line; point.from++) {
            const struct cover_point *at = &points[point.from];
            asked = at->yes + at->no + at->unsure > asked ? at->yes + at->no + at->unsure : asked;
        }
        for (; rule.from < rule.to && line_of(rules[rule.from].place) == line; rule.from++) {
            held = rules[rule.from].held > held ? rules[rule.from].held : held;
        }
        uint64_t count = next_rule == line ? held : asked;
        buf_printf(out, "DA:%u,%llu\n", line, (unsigned long long)count);
        found++;
        hit += count > 0;
    }
    buf_printf(out, "LF:%zu\nLH:%zu\n", found, hit);
}

void cover_lcov(const struct cover *cover, struct buf *out)
{
    size_t rule_count = 0, point_count = 0;
    const struct cover_rule *rules = cover_rules(cover, &rule_count);
    const struct cover_point *points = cover_points(cover, &point_count);
    struct range rule = {0, 0}, point = {0, 0};
    while (point.from < point_count && points[point.from].place.src == NULL) {
        point.from++;
    }
    while (rule.from < rule_count || point.from < point_count) {
        struct str by_rule = rule.from < rule_count ? rules[rule.from].place.src->name : (struct str){0};
        struct str by_point = point.from < point_count ? points[point.from].place.src->name : (struct str){0};
        bool first = rule.from < rule_count && (point.from == point_count || str_cmp(by_rule, by_point) <= 0);
        struct str file = first ? by_rule : by_point;
        for (rule.to = rule.from; rule.to < rule_count && in_file(rules[rule.to].place, file);) {
            rule.to++;
        }
        for (point.to = point.from; point.to < point_count && in_file(points[point.to].place, file);) {
            point.to++;
        }
        buf_printf(out, "TN:\nSF:" STR_FMT "\n", STR_ARG(file));
        put_rules(out, rules, rule);
        put_branches(out, points, point);
        put_lines(out, rules, rule, points, point);
        buf_str(out, STR("end_of_record\n"));
        rule.from = rule.to;
        point.from = point.to;
    }
}
