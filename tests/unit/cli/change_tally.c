// SPDX-License-Identifier: Apache-2.0
// Counting in bounded memory: what has no room is counted, and what both end is not kept.
#include "cli/change/change.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct tally_first first_of(const char *subject, const char *was, const char *is, const char *rule,
                                   uint64_t line)
{
    return (struct tally_first){.line = line,
                                .subject = str_of(subject),
                                .action = STR("GET"),
                                .resource = STR("/a"),
                                .was = {.effect = str_of(was), .rule = STR("web/old"), .code = STR("policy")},
                                .is = {.effect = str_of(is), .rule = str_of(rule), .code = STR("policy")}};
}

Test(change_tally, groups_by_effect_and_rule_and_subject)
{
    static const struct {
        const char *subject, *was, *is, *rule;
    } TAKEN[] = {{"alice", "allow", "deny", "web/new"},  {"bob", "allow", "deny", "web/new"},
                 {"alice", "allow", "deny", "web/new"},  {"alice", "allow", "allow", "web/old"},
                 {"carol", "step_up", "allow", "web/x"}, {"alice", "allow", "deny", "web/other"}};
    struct tally tally;
    tally_init(&tally);
    for (size_t i = 0; i < COUNT_OF(TAKEN); i++) {
        struct tally_first first =
            first_of(TAKEN[i].subject, TAKEN[i].was, TAKEN[i].is, TAKEN[i].rule, i + 1);
        tally_take(&tally, &first, false);
    }
    tally_sort(&tally);
    cr_assert_eq(tally.group_count, 3);
    cr_expect_eq(tally.questions, 6);
    cr_expect_eq(tally.differ, 5);
    cr_expect_eq(tally.tightened, 4);
    cr_expect_eq(tally.loosened, 1);
    cr_expect_eq(tally.groups[0].count, 3);
    cr_expect_eq(tally.groups[0].subjects, 2);
    const struct tally_subject *most = &tally.subjects[tally.groups[0].subject];
    cr_expect(str_eq(most->name, STR("alice")) && most->count == 2 && most->line == 1);
    cr_expect_eq(tally.denied_count, 2);
    cr_expect(str_eq(tally.denied[0].name, STR("alice")) && tally.denied[0].count == 3);
    cr_expect_eq(tally.groups[1].first.line, 5, "of equal counts the earlier stands first");
    tally_fini(&tally);
}

Test(change_tally, a_change_of_what_is_required_is_one_and_of_the_score_is_none)
{
    struct tally tally;
    tally_init(&tally);
    struct tally_first first = first_of("alice", "step_up", "step_up", "web/old", 1);
    first.was.strength = first.is.strength = STR("mfa");
    first.was.max_age_s = 900;
    first.is.max_age_s = 300;
    tally_take(&tally, &first, false);
    first.is.max_age_s = 900;
    first.was.has_risk = first.is.has_risk = true;
    first.is.score = 10;
    tally_take(&tally, &first, false);
    cr_expect_eq(tally.differ, 1);
    cr_expect_eq(tally.scores_differ, 1);
    cr_expect_eq(tally.denied_count, 0);
    tally_fini(&tally);
}

Test(change_tally, what_has_no_room_is_counted)
{
    struct tally tally;
    tally_init(&tally);
    for (uint32_t i = 0; i < TALLY_GROUPS_MOST + 10; i++) {
        char rule[32];
        snprintf(rule, sizeof rule, "web/%u", i);
        struct tally_first first = first_of("alice", "allow", "deny", rule, i + 1);
        tally_take(&tally, &first, false);
    }
    for (uint32_t i = 0; i < TALLY_SUBJECTS_MOST + 10; i++) {
        char subject[32];
        snprintf(subject, sizeof subject, "user-%u", i);
        struct tally_first first = first_of(subject, "allow", "deny", "web/0", i + 1);
        tally_take(&tally, &first, false);
    }
    cr_expect_eq(tally.group_count, TALLY_GROUPS_MOST);
    cr_expect_eq(tally.others, 10);
    cr_expect_eq(tally.subject_count, TALLY_SUBJECTS_MOST);
    cr_expect_eq(tally.denied_count, TALLY_SUBJECTS_MOST);
    cr_expect_eq(tally.denied_others, 11); // alice was there already
    cr_expect_eq(tally.groups[0].count, 1 + TALLY_SUBJECTS_MOST + 10);
    cr_expect_not(tally.failed);
    tally_fini(&tally);
}

Test(change_tally, sessions_that_end_in_both_are_not_kept)
{
    enum {
        SESSIONS = 5000
    };
    struct tally tally;
    char ref[32];
    tally_init(&tally);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        snprintf(ref, sizeof ref, "s_%024u", i);
        tally_over(&tally, str_of(ref), STR("alice"), i + 1, i % 2 == 0, true);
    }
    cr_expect_eq(tally.session_count, SESSIONS / 2, "those of which both were told at once were never kept");
    for (uint32_t i = 1; i < SESSIONS; i += 4) { // half of the rest end in the other, too
        snprintf(ref, sizeof ref, "s_%024u", i);
        tally_over(&tally, str_of(ref), STR("alice"), SESSIONS + i, true, true);
    }
    cr_expect_eq(tally.session_count, SESSIONS / 4);
    uint32_t left = 0;
    for (uint32_t i = 0; i < tally.session_cap; i++) {
        if (tally.sessions[i].ref[0] != '\0') {
            uint64_t number = strtoull(tally.sessions[i].ref + 2, NULL, 10);
            cr_expect_eq(number % 4, 3);
            cr_expect_eq(tally.sessions[i].is_line, number + 1);
            left++;
        }
    }
    cr_expect_eq(left, SESSIONS / 4);
    tally_over(&tally, STR("s_1"), STR("bob"), 1, false, false);
    cr_expect_eq(tally.session_count, SESSIONS / 4, "one that lives in both is nobody's business");
    tally_fini(&tally);
}
