// SPDX-License-Identifier: Apache-2.0
#include "risk/model.h"

#include "risk.h"

#include <stdio.h>

#define HEAD "apiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: ours}\n"

struct read {
    enum pdp_err err;
    struct arena arena;
    struct diags diags;
    struct buf said;
    const struct risk_model *model;
};

static struct source SOURCE;

static void read_text(struct read *r, const char *text)
{
    static const struct str STRENGTHS[] = {{"password", 8}, {"mfa", 3}, {"phishing-resistant", 18}};
    *r = (struct read){0};
    arena_init(&r->arena, 0, 0);
    diags_init(&r->diags, 16);
    SOURCE = (struct source){STR("risk.yaml"), str_of(text)};
    struct conf_doc *docs = NULL;
    size_t count = 0;
    cr_assert_eq(conf_parse(&SOURCE, &r->arena, &r->diags, &docs, &count), PDP_ERR_OK, "%s", text);
    r->err = risk_model_read(docs, count, NULL, STRENGTHS, 3, &r->arena, &r->diags, &r->model);
    diags_render(&r->diags, &r->said);
    buf_byte(&r->said, '\0');
}

static void done(struct read *r)
{
    buf_fini(&r->said);
    diags_fini(&r->diags);
    arena_fini(&r->arena);
}

Test(risk_model_read, takes_a_whole_document)
{
    struct read r;
    read_text(&r, HEAD "prior: -4\n"
                       "calibration: {a: 0.5, b: 1}\n"
                       "signals:\n"
                       "  fingerprint-change: {evidence: 8, alone: 1, half_life: 6h, on_missing: score}\n"
                       "  impossible-travel: {on_missing: deny, max_kmh: 1200, max_radius_km: 50}\n"
                       "  request-rate: {lambda: 10, cap: 1, evidence: 1}\n"
                       "thresholds: {medium: 20, high: 50, critical: 80}\n"
                       "strengths: {mfa: 2.5}\n");
    cr_assert_eq(r.err, PDP_ERR_OK, "%s", (char *)r.said.at);
    cr_expect_eq(r.model->prior, -4);
    cr_expect_eq(r.model->scale, 0.5);
    cr_expect_eq(r.model->shift, 1);
    const struct signal_rule *rule = &r.model->rules[SIGNAL_FIRST_READ];
    cr_expect_eq(rule->evidence, 8);
    cr_expect_eq(rule->cap, 8, "raised to the evidence where it is not given");
    cr_expect_eq(rule->half_life_ms, 6 * HOUR);
    cr_expect_eq(rule->on_missing, MISSING_SCORE);
    cr_expect_eq(rule->missing_evidence, 8);
    cr_expect_eq(rule->params[0], 1);
    cr_expect_eq(r.model->rules[SIGNAL_FIRST_READ + 1].evidence, 0, "what is not named is off");
    cr_expect_eq(r.model->thresholds[1], 50);
    cr_expect(fabs(r.model->edges[1] - -2) < 1e-12, "%g", r.model->edges[1]);
    cr_expect_eq(r.model->proofs[0], 0);
    cr_expect_eq(r.model->proofs[1], 2.5);
    done(&r);
}

// The document that docs/RISK.md shows is one that is taken.
Test(risk_model_read, takes_the_documented_example)
{
    static char text[65536];
    FILE *file = fopen("docs/RISK.md", "rb");
    cr_assert_not_null(file, "run from the root of the sources");
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    char *from = strstr(text, "```yaml\n"), *to = from != NULL ? strstr(from + 8, "```") : NULL;
    cr_assert_not_null(to);
    *to = '\0';
    struct read r;
    read_text(&r, from + 8);
    cr_expect_eq(r.err, PDP_ERR_OK, "%s", (char *)r.said.at);
    cr_expect_eq(r.diags.warnings, 0);
    cr_expect_eq(r.model->rules[SIGNAL_FIRST_READ].params[0], 2);
    done(&r);
}

// A model of every signal as it is built in, written out.
Test(risk_model_read, names_and_builtins_agree)
{
    struct read r;
    struct buf text = {0};
    buf_printf(&text, HEAD "signals:\n");
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        bool can = SIGNALS[i].builtin.on_missing != MISSING_CANNOT;
        buf_printf(&text, "  " STR_FMT ": {%s}\n", STR_ARG(SIGNALS[i].id), can ? "on_missing: skip" : "");
    }
    buf_byte(&text, '\0');
    read_text(&r, (char *)text.at);
    cr_assert_eq(r.err, PDP_ERR_OK, "%s", (char *)r.said.at);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        const struct signal_rule *rule = &r.model->rules[i], *builtin = &model()->rules[i];
        cr_expect_eq(memcmp(rule, builtin, sizeof *rule), 0, STR_FMT, STR_ARG(SIGNALS[i].id));
    }
    done(&r);
    buf_fini(&text);
}

Test(risk_model_read, passes_over_other_kinds)
{
    struct read r;
    read_text(&r, "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: x}\nrules: []\n");
    cr_assert_eq(r.err, PDP_ERR_OK);
    cr_expect_eq(r.model->prior, -3.4);
    cr_expect_eq(r.model->proofs[0], 3);
    cr_expect_eq(r.model->proofs[1], 4.5);
    cr_expect_eq(r.model->proofs[2], 6);
    done(&r);
}

static const struct {
    const char *name, *text;
    enum pdp_err err;
    const char *said; // all of it
} BAD[] = {
    {"unknown signal", HEAD "signals:\n  fingerprint-chnge: {evidence: 3, on_missing: skip}\n",
     PDP_ERR_UNKNOWN,
     "risk.yaml:5:3: error: `signals` has no key `fingerprint-chnge`\n"
     "    5 |   fingerprint-chnge: {evidence: 3, on_missing: skip}\n"
     "      |   ^~~~~~~~~~~~~~~~~\n"
     "  hint: did you mean `fingerprint-change`?\n"},
    {"thresholds out of order", HEAD "signals: {}\nthresholds: {medium: 30, high: 90, critical: 85}\n",
     PDP_ERR_RANGE,
     "risk.yaml:5:46: error: `critical` must begin above `high`\n"
     "    5 | thresholds: {medium: 30, high: 90, critical: 85}\n"
     "      |                                              ^~\n"
     "  hint: levels rise from medium over high to critical, such as 30, 60, 85\n"},
    {"threshold out of range", HEAD "signals: {}\nthresholds: {medium: 30, high: 60, critical: 185}\n",
     PDP_ERR_RANGE, "risk.yaml:5:46: error: `critical` must be from 0 to 100, but is `185`\n"},
    {"evidence beyond 20", HEAD "signals:\n  asn-change: {evidence: 21, on_missing: skip}\n", PDP_ERR_RANGE,
     "risk.yaml:5:26: error: `evidence` must be from 0 to 20, but is `21`\n"},
    {"evidence below -20", HEAD "signals:\n  asn-change: {evidence: -21, on_missing: skip}\n", PDP_ERR_RANGE,
     "`evidence` must be from 0 to 20, but is `-21`\n"},
    {"half-life of nothing", HEAD "signals:\n  asn-change: {half_life: 0s, on_missing: skip}\n",
     PDP_ERR_RANGE, "`half_life` must be a duration above zero, but is `0s`\n"},
    {"negative half-life", HEAD "signals:\n  asn-change: {half_life: -5m, on_missing: skip}\n", PDP_ERR_RANGE,
     "`half_life` must be a duration above zero, but is `-5m`\n"},
    {"no silent default", HEAD "signals:\n  asn-change: {evidence: 1}\n", PDP_ERR_MISSING, "on_missing"},
    {"on_missing where nothing can be", HEAD "signals:\n  request-rate: {on_missing: skip}\n",
     PDP_ERR_UNKNOWN, "`request-rate` has no key `on_missing`"},
    {"on_missing of no kind", HEAD "signals:\n  asn-change: {on_missing: allow}\n", PDP_ERR_UNKNOWN,
     "`on_missing` cannot be `allow`"},
    {"unknown strength", HEAD "signals: {}\nstrengths: {mfaa: 3}\n", PDP_ERR_UNKNOWN,
     "`strengths` has no key `mfaa`\n    5 | strengths: {mfaa: 3}\n      |             ^~~~\n  hint: did you "
     "mean `mfa`?"},
    {"a proof beyond 20", HEAD "signals: {}\nstrengths: {mfa: 30}\n", PDP_ERR_RANGE,
     "`mfa` must be from 0 to 20"},
    {"text for a number", HEAD "signals: {}\nprior: \"-3\"\n", PDP_ERR_TYPE, "`prior` must be a number"},
    {"not a number", HEAD "signals: {}\nprior: .nan\n", PDP_ERR_TYPE, "`prior` must be a number"},
    {"a flat calibration", HEAD "signals: {}\ncalibration: {a: 0, b: 0}\n", PDP_ERR_RANGE,
     "`a` must be at least 0.01"},
    {"a component of no known name",
     HEAD "signals:\n  fingerprint-change: {on_missing: skip, weights: {gpuu: 3}}\n", PDP_ERR_UNKNOWN,
     "risk.yaml:5:52: error: `weights` has no key `gpuu`\n"
     "    5 |   fingerprint-change: {on_missing: skip, weights: {gpuu: 3}}\n"
     "      |                                                    ^~~~\n"
     "  hint: did you mean `gpu`?\n"},
    {"a weight below nothing",
     HEAD "signals:\n  fingerprint-change: {on_missing: skip, weights: {gpu: -1}}\n", PDP_ERR_RANGE,
     "`gpu` must be from 0 to 100, but is `-1`"},
    {"weights of another signal", HEAD "signals:\n  ja4-change: {on_missing: skip, weights: {gpu: 1}}\n",
     PDP_ERR_UNKNOWN, "`ja4-change` has no key `weights`"},
    {"a drift that never grows", HEAD "signals:\n  fingerprint-change: {on_missing: skip, drift_full: 0.1}\n",
     PDP_ERR_RANGE,
     "risk.yaml:5:54: error: `drift_full` must be above `drift_least`\n"
     "    5 |   fingerprint-change: {on_missing: skip, drift_full: 0.1}\n"
     "      |                                                      ^~~\n"
     "  hint: they are 0.13 and 0.25 where they are not given\n"},
    {"no signals", HEAD "prior: -3\n", PDP_ERR_MISSING, "signals"},
    {"hysteresis out of range", HEAD "signals: {}\nhysteresis: 21\n", PDP_ERR_RANGE, "from 0 to 20"},
    {"hysteresis that is no number", HEAD "signals: {}\nhysteresis: 3%\n", PDP_ERR_TYPE, "must be a number"},
    {"hysteresis as large as medium",
     HEAD "signals: {}\nhysteresis: 10\nthresholds: {medium: 10, high: 60, critical: 85}\n", PDP_ERR_RANGE,
     "`hysteresis` must be below `medium`"},
    {"unknown key", HEAD "signals: {}\ntresholds: {}\n", PDP_ERR_UNKNOWN, "did you mean `thresholds`?"},
    {"a list of signals", HEAD "signals: [asn-change]\n", PDP_ERR_TYPE, "`signals` must be a mapping"},
    {"a signal that is a number", HEAD "signals: {asn-change: 3}\n", PDP_ERR_TYPE,
     "`asn-change` must be a mapping"},
    {"two models", HEAD "signals: {}\n---\n" HEAD "signals: {}\n", PDP_ERR_DUPLICATE,
     "a folder has at most one"},
    {"a root that is text", "hello\n---\n" HEAD "signals: [1]\n", PDP_ERR_TYPE, "`signals` must be"},
};

Test(risk_model_read, says_what_is_wrong_and_where)
{
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct read r;
        read_text(&r, BAD[i].text);
        cr_expect_eq(r.err, BAD[i].err, "%s: %s", BAD[i].name, pdp_err_name(r.err));
        cr_expect_null(r.model, "%s", BAD[i].name);
        cr_expect_not_null(strstr((char *)r.said.at, BAD[i].said), "%s:\n%s", BAD[i].name, (char *)r.said.at);
        done(&r);
    }
}

Test(risk_model_read, reports_every_mistake)
{
    struct read r;
    read_text(&r, HEAD "prior: 90\nsignals:\n  asn-change: {evidence: 99, on_missing: no}\n  nothing: {}\n"
                       "thresholds: {medium: 60, high: 50, critical: 40}\nstrengths: {x: 1}\n");
    cr_expect_eq(r.diags.errors, 7, "%s", (char *)r.said.at);
    done(&r);
}

Test(risk_model_read, takes_weights_of_components)
{
    struct read r;
    read_text(&r, HEAD "signals:\n  fingerprint-change: {on_missing: skip, weights: {gpu: 7, os: 0}}\n");
    cr_assert_eq(r.err, PDP_ERR_OK, "%s", (char *)r.said.at);
    const double *weights = r.model->rules[SIGNAL_FINGERPRINT].weights;
    cr_expect_eq(weights[SIGHT_COMPONENT_GPU], 7);
    cr_expect_eq(weights[SIGHT_COMPONENT_OS], 0);
    cr_expect_eq(weights[SIGHT_COMPONENT_FONTS], 2, "built-in");
    done(&r);
}

Test(risk_model_read, warns_of_a_cap_below_the_evidence)
{
    struct read r;
    read_text(&r, HEAD "signals:\n  asn-change: {evidence: 3, cap: 1, on_missing: skip}\n");
    cr_expect_eq(r.err, PDP_ERR_OK);
    cr_expect_not_null(strstr((char *)r.said.at, "`cap` is below `evidence`"));
    cr_expect_eq(r.diags.warnings, 2, "and no score reaches medium");
    done(&r);
}

Test(risk_model_read, takes_a_budget_in_the_place_of_medium)
{
    static const struct {
        const char *text;
        double budget, least, medium;
    } CASES[] = {
        {"budget: 1%, high: 60", 0.01, 10, 30},       {"budget: 2.5, high: 60", 0.025, 10, 30},
        {"budget: 50%, high: 21", 0.5, 10, 20},       {"budget: 0.01%, least: 40, high: 60", 0.0001, 40, 40},
        {"budget: 0.009%, high: 60", 0, 0, 0},        {"budget: 51%, high: 60", 0, 0, 0},
        {"budget: '1%', high: 60", 0, 0, 0},          {"budget: [1], high: 60", 0, 0, 0},
        {"budget: 1%%, high: 60", 0, 0, 0},           {"budget: nan, high: 60", 0, 0, 0},
        {"budget: 1%, least: 59, high: 60", 0, 0, 0}, {"budget: 1%, least: 0.5, high: 60", 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct read r;
        char text[400];
        (void)snprintf(text, sizeof text, "%ssignals: {external: {}}\nthresholds: {%s, critical: 85}\n", HEAD,
                       CASES[i].text);
        read_text(&r, text);
        cr_expect_eq(r.err == PDP_ERR_OK, CASES[i].budget > 0, "%s: %s", CASES[i].text, (char *)r.said.at);
        if (r.model != NULL) {
            cr_expect_float_eq(r.model->budget, CASES[i].budget, 1e-12, "%s", CASES[i].text);
            cr_expect_eq(r.model->least, CASES[i].least, "%s", CASES[i].text);
            cr_expect_eq(r.model->thresholds[0], CASES[i].medium, "%s", CASES[i].text);
        }
        done(&r);
    }
}

// Each once, and none of a model that can mean what it says.
Test(risk_model_read, warns_of_levels_that_all_or_none_reach)
{
    static const struct {
        const char *text, *said; // NULL: nothing
        uint32_t warnings;
    } CASES[] = {
        {"signals: {external: {}}\n", NULL, 0},
        {"prior: -0.9\nsignals: {external: {}}\n", NULL, 0},
        {"prior: -0.8\nsignals: {external: {}}\n", "every question is `medium` or more", 1},
        {"calibration: {a: 1, b: 3}\nsignals: {external: {}}\n", "every question is `medium` or more", 1},
        {"prior: -1\nhysteresis: 3\nsignals: {external: {}}\n", NULL, 0},
        {"prior: -1\nhysteresis: 4\nsignals: {external: {}}\n", "a level never falls to low", 1},
        {"signals: {external: {cap: 5.1, evidence: 5}}\n", "no score reaches `critical`", 1},
        {"signals: {external: {cap: 3, evidence: 3}}\nthresholds: {medium: 30, high: 60, critical: 85}\n",
         "no score reaches `high`", 2},
        {"signals: {external: {evidence: 0}, step-up-passed: {}}\n", "no score reaches `medium`", 1},
        {"signals: {fingerprint-change: {cap: 5, on_missing: skip}, ja4-change: {cap: 0.6, evidence: 0.5, "
         "on_missing: skip}}\n",
         NULL, 0},
        {"signals: {fingerprint-change: {cap: 5, on_missing: skip}, ja4-change: {cap: 0.4, evidence: 0.4, "
         "on_missing: skip}}\n",
         "no score reaches `critical`", 1},
        {"signals: {other-sessions: {evidence: 6, cap: 6}}\n", "no session can end for its risk", 1},
        {"signals: {other-sessions: {evidence: 6, cap: 6}, request-rate: {}}\n", NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct read r;
        char text[400];
        (void)snprintf(text, sizeof text, "%s%s", HEAD, CASES[i].text);
        read_text(&r, text);
        cr_expect_eq(r.err, PDP_ERR_OK, "%s", CASES[i].text);
        cr_expect_eq(r.diags.warnings, CASES[i].warnings, "%s%s", CASES[i].text, (char *)r.said.at);
        cr_expect(CASES[i].said == NULL || strstr((char *)r.said.at, CASES[i].said) != NULL, "%s%s",
                  CASES[i].text, (char *)r.said.at);
        done(&r);
    }
}

static struct risk_result ask_model(const struct risk_model *model, const struct sighting *seen,
                                    enum event_type event)
{
    struct sighting anchor = berlin(T0);
    struct risk_state state = {0};
    struct risk_result out;
    risk_score(model,
               &(struct risk_input){.now_ms = T0,
                                    .counts = true,
                                    .seen = seen,
                                    .anchor = &anchor,
                                    .last = &anchor,
                                    .event = event,
                                    .passed_strength = -1},
               &state, NULL, &ARENA, true, &out);
    return out;
}

// What a question lacks: skipped, scored, or denied, as the model says.
Test(risk_model_read, on_missing_is_what_the_document_chose)
{
    struct read r;
    struct sighting blank = {.at_ms = T0, .lat_deg = NAN, .lon_deg = NAN, .radius_km = NAN};
    read_text(&r, HEAD "signals:\n"
                       "  fingerprint-change: {on_missing: score, missing_evidence: 1.5}\n"
                       "  agent-change: {on_missing: skip}\n"
                       "  tool-agent: {on_missing: score, evidence: 2}\n"
                       "  country-change: {on_missing: deny}\n"
                       "  impossible-travel: {on_missing: deny}\n"
                       "  anonymous-network: {on_missing: score}\n"
                       "  asn-change: {on_missing: skip, evidence: 0}\n");
    cr_assert_eq(r.err, PDP_ERR_OK, "%s", (char *)r.said.at);
    struct risk_result out = ask_model(r.model, &blank, EVENT_NONE);
    cr_expect_eq(evidence(&out, "fingerprint-change"), 1.5);
    cr_expect_eq(evidence(&out, "tool-agent"), 2);
    cr_expect_eq(evidence(&out, "anonymous-network"), 1.5);
    cr_expect_eq(evidence(&out, "agent-change"), 0);
    cr_expect(out.deny);
    cr_expect(str_eq(out.missing, STR("country-change")), "the first that is missing");
    out = ask_model(r.model, &blank, EVENT_SIGNAL);
    cr_expect(!out.deny && out.signal_count == 0, "an event need not say where");
    struct sighting whole = berlin(T0);
    out = ask_model(r.model, &whole, EVENT_NONE);
    cr_expect(!out.deny && out.signal_count == 0);
    done(&r);
}

// A signal that a reload switched off speaks no more, whatever is remembered of it.
Test(risk_model_read, a_signal_that_is_off_is_silent_at_once)
{
    struct read r;
    read_text(&r, HEAD "signals: {asn-change: {on_missing: skip}}\n");
    cr_assert_eq(r.err, PDP_ERR_OK);
    struct sighting anchor = berlin(T0), seen = berlin(T0);
    seen.fingerprint = 99;
    struct known known = {0};
    cr_expect_eq(ask(&known, T0, &anchor, &seen).signal_count, 1);
    struct risk_result out;
    struct risk_input in = {.now_ms = T0 + 1, .counts = true, .seen = &seen, .anchor = &anchor};
    risk_score(r.model, &in, &known.session, &known.user, &ARENA, true, &out);
    cr_expect_eq(out.signal_count, 0);
    cr_expect_eq(ask(&known, T0 + 2, &anchor, &anchor).signal_count, 1, "and back again");
    done(&r);
}
