// SPDX-License-Identifier: Apache-2.0
// What figures of sources come to, and how it is said.
#include "risk/source_weigh.h"

#include "risk.h"

// Failed and passed logins, subjects of each, refused and good sessions; and what each signal says.
static const struct {
    const char *name;
    struct source_figures figures;
    double failures, subjects, sessions;
} CASES[] = {
    {"nothing", {0}, 0, 0, 0},
    {"stuffing", {61, 9, 57, 3, 0, 0}, 0.256, 1.889, 0},
    {"none got in", {60, 0, 60, 0, 0, 0}, 0.75, 2, 0},
    {"few", {9, 0, 4, 0, 4, 0}, 0, 0, 0},
    {"one who has forgotten it", {500, 0, 1, 0, 0, 0}, 0, 0, 0},
    {"an old password beside twenty people", {600, 20, 1, 20, 0, 0}, 0, 0, 0},
    {"passwords expired", {400, 200, 200, 200, 0, 0}, 0, 0, 0},
    {"three tries each", {600, 200, 200, 200, 0, 0}, 0, 0, 0},
    {"an office", {60, 1000, 50, 1000, 30, 900}, 0, 0, 0},
    {"one account of one's own, all day", {60, 5000, 60, 1, 0, 0}, 0.58, 2, 0},
    {"thirty accounts of one's own", {60, 30, 60, 30, 0, 0}, 0, 0, 0},
    {"guessed ids", {0, 0, 0, 0, 40, 0}, 0, 0, 0.75},
    {"as many good ones", {0, 0, 0, 0, 40, 40}, 0, 0, 0},
    {"all there can be", {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, 0, 0, 0},
    {"no good at all", {UINT32_MAX, 0, UINT32_MAX, 0, UINT32_MAX, 0}, 0.75, 2, 0.75},
};

static struct risk_result score_of(enum source_kind kind, const struct source_figures *figures)
{
    static struct known known;
    struct source_view view = {0};
    struct sighting seen = berlin(T0);
    view.of[kind] = *figures;
    known = (struct known){0};
    return score(&known, (struct risk_input){.now_ms = T0, .counts = true, .seen = &seen, .source = &view});
}

static bool is_near(double a, double b)
{
    return a > b - 0.01 && a < b + 0.01;
}

Test(risk_source_weigh, weighs_failures_beside_successes)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct risk_result out = score_of(SOURCE_PREFIX, &CASES[i].figures);
        double failures = evidence(&out, "source-failures"), subjects = evidence(&out, "source-subjects"),
               sessions = evidence(&out, "source-sessions");
        cr_expect(is_near(failures, CASES[i].failures), "%s: failures %g", CASES[i].name, failures);
        cr_expect(is_near(subjects, CASES[i].subjects), "%s: subjects %g", CASES[i].name, subjects);
        cr_expect(is_near(sessions, CASES[i].sessions), "%s: sessions %g", CASES[i].name, sessions);
    }
}

Test(risk_source_weigh, needs_more_of_what_many_share)
{
    const struct source_figures few = {18, 0, 18, 0, 18, 0}, many = {1000, 0, 1000, 0, 1000, 0},
                                beside = {1000, 100, 1000, 100, 1000, 100};
    for (enum source_kind kind = SOURCE_ASN; kind < SOURCE_KINDS; kind++) {
        struct risk_result out = score_of(kind, &few);
        cr_expect_eq(out.signal_count, 0);
        out = score_of(kind, &many);
        cr_expect_eq(out.signal_count, 3);
        out = score_of(kind, &beside);
        cr_expect(evidence(&out, "source-subjects") < 0.25);
    }
    struct risk_result out = score_of(SOURCE_PREFIX, &few);
    cr_expect_eq(out.signal_count, 3);
}

// Not even with Tor on top.
Test(risk_source_weigh, a_source_alone_ends_no_session)
{
    const struct source_figures worst = {UINT32_MAX, 0, UINT32_MAX, 0, UINT32_MAX, 0};
    struct source_view view = {{worst, worst, worst}};
    struct known known = {0};
    struct sighting seen = berlin(T0);
    seen.flags |= SIGHT_TOR;
    struct risk_result out =
        score(&known, (struct risk_input){.now_ms = T0, .counts = true, .seen = &seen, .source = &view});
    cr_expect(out.level < RISK_CRITICAL, "%g", out.score);
    cr_expect(out.hard > 4.99);
}

Test(risk_source_weigh, says_what_it_has_read)
{
    const struct source_figures figures = {61, 9, 57, 3, 40, 5};
    static const struct {
        enum source_kind kind;
        const char *says;
    } SAYS[] = {
        {SOURCE_PREFIX, "61 of 70 logins from 203.0.113.0/24 failed in 10 min, 57 subjects"},
        {SOURCE_ASN, "about 1000 subjects failed to log in from AS64500 in 10 min, 0 did not"},
        {SOURCE_JA4, "about 1000 session ids from clients with this JA4 were refused in 10 min, 2 were good"},
    };
    const struct source_figures others[] = {figures, {1, 0, 1000, 0, 0, 0}, {0, 0, 0, 0, 1000, 2}};
    for (size_t i = 0; i < COUNT_OF(SAYS); i++) {
        struct risk_result out = score_of(SAYS[i].kind, &others[i]);
        bool found = false;
        for (size_t k = 0; k < out.signal_count; k++) {
            found = found || str_eq(out.signals[k].because, str_of(SAYS[i].says));
        }
        cr_expect(found, "%s", SAYS[i].says);
    }
}

Test(risk_source_weigh, is_missing_without_an_address)
{
    struct source_view view = {0};
    struct signal_rule rule = {.evidence = 1, .params = {5, 2, 4}};
    struct sighting seen = {.lat_deg = NAN};
    struct risk_input in = {.seen = &seen, .source = &view};
    struct signal_view look = {.in = &in, .rule = &rule};
    cr_expect(source_subjects_read(&look).missing);
    seen.flags = SIGHT_HAS_IP;
    cr_expect(!source_subjects_read(&look).missing);
    // A JA4 that says something is not missing, whatever the address.
    seen.flags = 0;
    view.of[SOURCE_JA4] = (struct source_figures){.failed_subjects = 1000};
    struct signal_reading reading = source_subjects_read(&look);
    cr_expect(!reading.missing && reading.evidence == 1);
    in.source = NULL;
    seen.flags = SIGHT_HAS_IP;
    cr_expect_eq(source_subjects_read(&look).evidence, 0);
    in.seen = NULL;
    cr_expect(!source_subjects_read(&look).missing);
}
