// SPDX-License-Identifier: Apache-2.0
// Coverage as text for people.
#include "cli/test/cover.h"

static void put_share(struct buf *out, const char *what, const char *seen, const struct cover_share *share)
{
    double percent = share->all > 0 ? 100.0 * (double)share->seen / (double)share->all : 100.0;
    // What is not whole must not be rounded to it.
    percent = share->seen < share->all && percent > 99.9 ? 99.9 : percent;
    buf_printf(out, "%-11s %zu of %zu %s, %.1f %%\n", what, share->seen, share->all, seen, percent);
}

static void put_place(struct buf *out, struct place place)
{
    uint32_t line = 0, col = 0;
    place_line_col(place, &line, &col);
    buf_printf(out, STR_FMT ":%u:%u: ", STR_ARG(place.src != NULL ? place.src->name : STR("?")), line, col);
}

// One line, whatever the document has in it.
static void put_text(struct buf *out, struct str text)
{
    AUTO(buf_fini) struct buf flat = {0};
    for (size_t i = 0; i < text.len; i++) {
        bool blank = text.at[i] == ' ' || text.at[i] == '\n' || text.at[i] == '\r';
        if (!blank || (flat.len > 0 && flat.at[flat.len - 1] != ' ')) {
            buf_byte(&flat, blank ? ' ' : (unsigned char)text.at[i]);
        }
    }
    buf_byte(out, '`');
    buf_escaped(out, str_trim(buf_view(&flat)));
    buf_byte(out, '`');
}

static void put_unsure(struct buf *out, uint64_t times)
{
    if (times == 1) {
        buf_str(out, STR("; it was unsure once"));
    } else if (times > 1) {
        buf_printf(out, "; it was unsure %llu times", (unsigned long long)times);
    }
}

static void put_rule(struct buf *out, const struct cover_rule *rule)
{
    if (rule->held > 0) {
        return;
    }
    put_place(out, rule->place);
    buf_printf(out, "rule `" STR_FMT "` never held%s", STR_ARG(rule->name),
               rule->unsure > 0 ? " for certain" : "");
    put_unsure(out, rule->unsure);
    buf_byte(out, '\n');
}

static const char *const NOT_SEEN[][2][2] = {
    // by kind, whether yes was seen, whether no was
    [COVER_CONDITION] = {{"was neither true nor false", "was never true"}, {"was never false", NULL}},
    [COVER_ACTIONS] = {{"were never looked at", "never matched"}, {"always matched", NULL}},
    [COVER_RESOURCES] = {{"were never looked at", "never matched"}, {"always matched", NULL}},
    [COVER_ROLLOUT] = {{"was never drawn", "took nobody in"}, {"left nobody out", NULL}},
};

static const char *owner_word(const struct cover_point *point)
{
    bool policy = point->kind == COVER_ROLLOUT && point->owner == POLICY_OWNER_TARGET;
    return policy ? "policy" : policy_owner_word(point->owner);
}

static void put_point(struct buf *out, const struct cover_point *point)
{
    static const char *const CONSTANT[] = {[COVER_ALWAYS_YES] = "is always true",
                                           [COVER_ALWAYS_NO] = "is always false",
                                           [COVER_ALWAYS_UNSURE] = "is always unsure"};
    bool constant = point->constant != COVER_VARIES;
    const char *what =
        constant ? CONSTANT[point->constant] : NOT_SEEN[point->kind][point->yes > 0][point->no > 0];
    if (what == NULL) {
        return;
    }
    if (!constant && point->kind == COVER_CONDITION && point->yes + point->no + point->unsure == 0) {
        what = "was never looked at";
    }
    put_place(out, point->place);
    put_text(out, point->text);
    buf_printf(out, " of %s `" STR_FMT "` %s", owner_word(point), STR_ARG(point->name), what);
    put_unsure(out, constant ? 0 : point->unsure);
    buf_str(out, constant ? STR(", whatever is asked: not counted\n") : STR("\n"));
}

void cover_print(const struct cover *cover, struct buf *out)
{
    struct cover_share rules, outcomes;
    size_t rule_count = 0, point_count = 0;
    const struct cover_rule *all = cover_rules(cover, &rule_count);
    const struct cover_point *points = cover_points(cover, &point_count);
    cover_shares(cover, &rules, &outcomes);
    put_share(out, "rules", "held", &rules);
    put_share(out, "conditions", "outcomes were seen", &outcomes);
    for (size_t i = 0; i < rule_count; i++) {
        put_rule(out, &all[i]);
    }
    for (size_t i = 0; i < point_count; i++) {
        put_point(out, &points[i]);
    }
}
