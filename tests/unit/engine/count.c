// SPDX-License-Identifier: Apache-2.0
// Counters as answers show them: what counts, what is unsure, who is kept apart from whom.
#include "support/harness.h"

#include <criterion/criterion.h>

#include <stdio.h>

#define MINUTE INT64_C(60000)
#define COUNTER(MORE)                                                                                    \
    "apiVersion: pdp/v1\nkind: Counter\nmetadata: {name: rows_1h}\nkey: [subject.id]\nwindow: 1h\n" MORE \
    "\n---\n"
#define ROWS COUNTER("add: context.activity.rows\nwhen: 'action.name == \"export\"'")
#define RULES_ONLY \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n  - {id: all, effect: allow}\n"
#define RULES                                                         \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n" \
    "  - {id: all, effect: allow}\n"                                  \
    "  - {id: much, effect: deny, actions: [export], when: counters.rows_1h > 10000}\n"

static void load(struct harness *h, const char *yaml)
{
    cr_assert(harness_load(h, yaml), "%s", (const char *)h->said.at);
}

struct question {
    const char *tenant, *subject, *action, *context; // context: what stands in it, or NULL
    const char *id;                                  // of the request, or NULL
};

static const char *text_of(const struct question *q)
{
    static char text[1024];
    snprintf(text, sizeof text,
             "{%s%s%s 'tenant': '%s', 'subject': {'type': 'user', 'id': '%s'}, 'action': {'name': '%s'}, "
             "'resource': {'type': 'route', 'id': '/a'}, 'context': {%s}}",
             q->id != NULL ? "'request_id': '" : "", q->id != NULL ? q->id : "", q->id != NULL ? "'," : "",
             q->tenant != NULL ? q->tenant : "acme", q->subject != NULL ? q->subject : "alice",
             q->action != NULL ? q->action : "export", q->context != NULL ? q->context : "");
    return text;
}

static void ask(struct harness *h, int64_t at_ms, struct question q, const char *effect)
{
    harness_ask(h, HARNESS_NOW + at_ms, text_of(&q));
    cr_expect_str_eq(harness_effect(h), effect, "%s\n" STR_FMT, text_of(&q), STR_ARG(buf_view(&h->answer)));
}

#define GIVES(rows) .context = "'activity': {'rows': " rows "}"
#define SESSION "'session': {'id': 's1', 'auth_time': 1795420800}, "

Test(engine_count, one_large_question_is_seen_at_once)
{
    struct harness h = {0};
    load(&h, ROWS RULES);
    ask(&h, 0, (struct question){GIVES("50000")}, "deny/policy");
    ask(&h, 0, (struct question){GIVES("10000")}, "allow/policy"); // the refused one did not count
    ask(&h, 1, (struct question){GIVES("1")}, "deny/policy");
    ask(&h, 1, (struct question){GIVES("0")}, "allow/policy");
    harness_fini(&h);
}

Test(engine_count, adds_up_and_forgets_after_the_window)
{
    struct harness h = {0};
    load(&h, ROWS RULES);
    ask(&h, 0, (struct question){GIVES("6000")}, "allow/policy");
    ask(&h, MINUTE, (struct question){GIVES("4000.0")}, "allow/policy");
    ask(&h, 2 * MINUTE, (struct question){GIVES("0.5")}, "deny/policy");
    ask(&h, 60 * MINUTE - 1, (struct question){GIVES("1")}, "deny/policy");
    ask(&h, 69 * MINUTE, (struct question){GIVES("10000")}, "allow/policy");
    ask(&h, -10 * MINUTE, (struct question){GIVES("1")}, "deny/policy"); // a clock that steps back
    harness_fini(&h);
}

Test(engine_count, what_is_missing_is_named_and_unsure)
{
    static const struct {
        const char *context, *missing;
    } CASES[] = {
        {"", "[\"`context.activity.rows` is missing\"]"},
        {"'activity': {'rows': 'many'}",
         "[\"`counters.rows_1h`: what this question adds is no number from 0 up\"]"},
        {"'activity': {'rows': -1}",
         "[\"`counters.rows_1h`: what this question adds is no number from 0 up\"]"},
        {"'activity': {'rows': null}", "[\"`context.activity.rows` is missing\"]"},
    };
    struct harness h = {0};
    load(&h, ROWS RULES);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        ask(&h, 0, (struct question){.context = CASES[i].context}, "deny/unsure");
        cr_expect_str_eq(harness_get(&h, "context.missing"), CASES[i].missing, "%s", CASES[i].context);
    }
    ask(&h, 0, (struct question){GIVES("1")}, "allow/policy"); // nothing was added
    harness_fini(&h);
}

Test(engine_count, a_key_that_is_missing_or_no_key_is_unsure)
{
    struct harness h = {0};
    load(&h, "apiVersion: pdp/v1\nkind: Counter\nmetadata: {name: rows_1h}\n"
             "key: [context.account]\nwindow: 1h\nadd: 6000\n---\n" RULES);
    ask(&h, 0, (struct question){0}, "deny/unsure");
    cr_expect_str_eq(harness_get(&h, "context.missing"), "[\"`context.account` is missing\"]");
    ask(&h, 0, (struct question){.context = "'account': ['a']"}, "deny/unsure");
    cr_expect_str_eq(harness_get(&h, "context.missing"),
                     "[\"`counters.rows_1h`: a key is text, a number, a truth or an address\"]");
    ask(&h, 0, (struct question){.context = "'account': 7"}, "allow/policy");
    ask(&h, 0, (struct question){.context = "'account': 7.0"}, "deny/policy"); // the same number
    ask(&h, 0, (struct question){.context = "'account': '7'"}, "allow/policy");
    ask(&h, 0, (struct question){.context = "'account': true"}, "allow/policy");
    ask(&h, 0, (struct question){.context = "'account': 7.5"}, "allow/policy");
    ask(&h, 0, (struct question){.context = "'account': 7.5"}, "deny/policy");
    harness_fini(&h);
}

// What was allowed without its amount makes the window unsure, and not the poorer by it.
Test(engine_count, what_could_not_be_counted_is_not_forgotten)
{
    struct harness h = {0};
    load(&h, COUNTER("add: context.activity.rows") RULES);
    ask(&h, 0, (struct question){.action = "list"}, "allow/policy");
    ask(&h, 1, (struct question){GIVES("1")}, "deny/unsure");
    cr_expect_str_eq(harness_get(&h, "context.missing"),
                     "[\"`counters.rows_1h`: a question in its window could not be counted\"]");
    ask(&h, 1, (struct question){.subject = "bob", GIVES("1")}, "allow/policy");
    ask(&h, 70 * MINUTE, (struct question){GIVES("1")}, "allow/policy");
    harness_fini(&h);
}

Test(engine_count, an_unsure_condition_is_unsure_to_read)
{
    struct harness h = {0};
    load(&h, COUNTER("when: context.bulk") RULES);
    ask(&h, 0, (struct question){0}, "deny/unsure");
    cr_expect_str_eq(harness_get(&h, "context.missing"), "[\"`context.bulk` is missing\"]");
    ask(&h, 0, (struct question){.context = "'bulk': 'yes'"}, "deny/unsure");
    cr_expect_str_eq(harness_get(&h, "context.missing"), "[\"`counters.rows_1h`: its `when` is no truth\"]");
    ask(&h, 0, (struct question){.context = "'bulk': false"}, "allow/policy");
    harness_fini(&h);
}

Test(engine_count, has_is_not_a_way_around)
{
    struct harness h = {0};
    load(&h, ROWS "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                  "  - {id: all, effect: allow}\n"
                  "  - {id: much, effect: deny, when: 'has(counters.rows_1h) && counters.rows_1h > 10'}\n");
    ask(&h, 0, (struct question){0}, "deny/unsure");
    ask(&h, 0, (struct question){GIVES("3")}, "allow/policy");
    harness_fini(&h);
}

Test(engine_count, probes_and_repeats_add_nothing)
{
    struct harness h = {0};
    load(&h, ROWS RULES);
    for (int i = 0; i < 3; i++) {
        ask(&h, i, (struct question){.context = "'purpose': 'probe', 'activity': {'rows': 9000}"},
            "allow/policy");
    }
    struct question again = {.id = "r1", .context = SESSION "'activity': {'rows': 6000}"};
    ask(&h, 10, again, "allow/policy");
    for (int i = 0; i < 3; i++) { // nor is it counted twice when it is read
        ask(&h, 11 + i, again, "allow/policy");
        cr_expect_str_eq(harness_get(&h, "context.repeated"), "true");
    }
    ask(&h, 20, (struct question){GIVES("4000")}, "allow/policy");
    ask(&h, 21, (struct question){.context = "'purpose': 'probe', 'activity': {'rows': 1}"}, "deny/policy");
    harness_fini(&h);
}

Test(engine_count, each_item_of_a_batch_adds)
{
    struct harness h = {0};
    load(&h, COUNTER("add: 4000") RULES);
    harness_ask(
        &h, HARNESS_NOW,
        "{'tenant': 'acme', 'subject': {'type': 'user', 'id': 'alice'}, 'action': {'name': 'export'}, "
        "'evaluations': [{'resource': {'type': 'route', 'id': '/a'}}, "
        "{'resource': {'type': 'route', 'id': '/b'}}, {'resource': {'type': 'route', 'id': '/c'}}]}");
    static const char *const DECISIONS[] = {"true", "true", "false"};
    const struct value *list = value_get(&h.root, STR("evaluations"));
    cr_assert(list != NULL && list->kind == VALUE_LIST && list->n == 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct value *decision = value_get(&list->as.list[i], STR("decision"));
        cr_expect_eq(decision->as.b, DECISIONS[i][0] == 't', "%u", i);
    }
    harness_fini(&h);
}

Test(engine_count, on_any_counts_what_was_refused_too)
{
    struct harness h = {0};
    load(&h, COUNTER("add: 4000\non: any") RULES);
    ask(&h, 0, (struct question){0}, "allow/policy");
    ask(&h, 1, (struct question){0}, "allow/policy");
    ask(&h, 2, (struct question){0}, "deny/policy");
    ask(&h, 65 * MINUTE, (struct question){.action = "list"}, "allow/policy");
    load(&h, COUNTER("add: 4000\non: any") "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                                           "  - {id: all, effect: allow, when: counters.rows_1h <= 20000}\n");
    ask(&h, 66 * MINUTE, (struct question){0}, "allow/policy"); // three, the list, and itself
    harness_fini(&h);
}

Test(engine_count, tenants_and_subjects_are_apart)
{
    struct harness h = {0};
    load(&h, ROWS RULES);
    ask(&h, 0, (struct question){GIVES("10000")}, "allow/policy");
    ask(&h, 1, (struct question){.tenant = "other", GIVES("10000")}, "allow/policy");
    ask(&h, 2, (struct question){.subject = "bob", GIVES("10000")}, "allow/policy");
    ask(&h, 3, (struct question){GIVES("1")}, "deny/policy");
    harness_fini(&h);
}

Test(engine_count, a_peer_without_the_grant_asserts_nothing)
{
    struct harness h = {0};
    load(&h, COUNTER("add: subject.weight") RULES);
    h.peer.grants &= ~(uint32_t)GRANT_ASSERT_SUBJECT;
    harness_ask(
        &h, HARNESS_NOW,
        "{'subject': {'type': 'user', 'id': 'alice', 'properties': {'weight': 1}}, 'action': {'name': "
        "'export'}, 'resource': {'type': 'route', 'id': '/a'}}");
    cr_expect_str_eq(harness_effect(&h), "deny/unsure");
    cr_expect_str_eq(harness_get(&h, "context.missing"), "[\"`subject.weight` is missing\"]");
    harness_fini(&h);
}

Test(engine_count, what_counts_or_is_read_is_not_kept)
{
    struct harness h = {0};
    load(&h, ROWS RULES);
    ask(&h, 0, (struct question){GIVES("1")}, "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), "", "it read the counter and moved it");
    ask(&h, 0, (struct question){GIVES("0")}, "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), "", "it read the counter");
    ask(&h, 0, (struct question){.action = "list"}, "allow/policy");
    cr_expect_str_neq(harness_get(&h, "context.valid.until"), "", "neither read nor moved");
    load(&h, COUNTER("") "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                         "  - {id: all, effect: allow}\n");
    ask(&h, 0, (struct question){.action = "list"}, "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), "", "it moved one");
    harness_fini(&h);
}

Test(engine_count, counts_stay_over_reloads)
{
    static const char *const SAME[] = {
        ROWS RULES,
        COUNTER("add: context.activity.rows") RULES, // what it adds may change
        RULES_ONLY,
        ROWS RULES, // and it may be away for a while
    };
    struct harness h = {0};
    load(&h, ROWS RULES);
    ask(&h, 0, (struct question){GIVES("10000")}, "allow/policy");
    for (size_t i = 0; i < COUNT_OF(SAME); i++) {
        load(&h, SAME[i]);
        engine_tidy(h.engine, HARNESS_NOW + 1);
        if (strstr(SAME[i], "Counter") != NULL) {
            ask(&h, 1, (struct question){GIVES("1")}, "deny/policy");
        }
    }
    load(&h, "apiVersion: pdp/v1\nkind: Counter\nmetadata: {name: rows_1h}\nkey: [subject.id]\nwindow: 2h\n"
             "add: context.activity.rows\n---\n" RULES);
    ask(&h, 2, (struct question){GIVES("1")}, "allow/policy"); // another window is another counter
    struct engine_counter counters[4];
    cr_expect_eq(engine_counters(h.engine, counters, COUNT_OF(counters)), 2);
    cr_expect(counters[0].served && counters[0].window_ms == 120 * MINUTE && counters[0].keys == 1);
    engine_tidy(h.engine, HARNESS_NOW + 10 * MINUTE);
    engine_tidy(h.engine, HARNESS_NOW + 90 * MINUTE);
    cr_expect_eq(engine_counters(h.engine, counters, COUNT_OF(counters)), 1);
    harness_fini(&h);
}

Test(engine_count, shadow_reads_the_same_and_adds_nothing)
{
    struct harness h = {0};
    load(&h, ROWS "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n"
                  "  - {id: all, effect: allow}\n"
                  "  - {id: much, effect: deny, when: counters.rows_1h > 10000, shadow: true}\n");
    ask(&h, 0, (struct question){GIVES("6000")}, "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "", STR_FMT, STR_ARG(buf_view(&h.answer)));
    ask(&h, 1, (struct question){GIVES("4000")}, "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "", STR_FMT, STR_ARG(buf_view(&h.answer)));
    ask(&h, 2, (struct question){GIVES("1")}, "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "deny", STR_FMT, STR_ARG(buf_view(&h.answer)));
    harness_fini(&h);
}
