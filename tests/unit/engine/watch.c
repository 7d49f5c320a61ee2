// SPDX-License-Identifier: Apache-2.0
// Conditions as they are written, seen while a question is judged; and what would have been.
#include "engine/watch.h"

#include "policy/conditions.h"
#include "support/harness.h"

#include <criterion/criterion.h>

static const char FOLDER[] =
    "apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: levels}\nlevels:\n"
    "  - {name: mfa, proves: '\"otp\" in session.amr', ask: {acr_values: [aal2]}}\n"
    "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\ntarget: resource.type == \"route\"\n"
    "variables:\n  color: string(resource.color)\n  red: (vars.color == \"red\" || vars.color == \"pink\") "
    "&& true\n"
    "rules:\n"
    "  - id: staff\n    effect: allow\n    when:\n      all:\n        - '\"staff\" in subject.roles'\n"
    "        - any: [device.managed, '!vars.red']\n"
    "  - {id: mfa, effect: step_up, when: resource.id == \"/pay\", require: {strength: mfa}}\n"
    "---\napiVersion: pdp/v1\nkind: Counter\nmetadata: {name: rows}\nkey: [resource.color]\nwindow: 1h\n"
    "add: resource.rows\nwhen: has(resource.rows)\n"
    "---\napiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: model}\nsignals: {}\nown:\n"
    "  - {id: odd, when: context.odd, evidence: 1, on_missing: skip}\n"
    "---\napiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: pages}\n"
    "target: resource.color == \"pink\" && !(action.name == \"PUT\")\nlimits: {idle: 1h}\n";

struct seen {
    struct diags diags;
    struct engine *engine;
    struct worker *worker;
    struct watch watch;
    struct buf text;
    const char *override; // a path that is true in what-if
    bool proved;
    enum pdp_effect effect;
    unsigned calls;
};

static const char *truth_word(enum truth truth)
{
    return truth == TRUTH_YES ? "yes" : truth == TRUTH_NO ? "no" : "unsure";
}

struct what_if {
    const struct watched *watched;
    struct seen *seen;
};

static bool resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    const struct what_if *w = user;
    if (str_eq(slot->path, str_of(w->seen->override))) {
        *out = value_bool(true);
        return true;
    }
    return w->watched->cel_host->resolve(w->watched->cel_host->user, slot, out);
}

static enum truth contains(void *user, uint32_t set, const struct value *value)
{
    const struct what_if *w = user;
    return w->watched->cel_host->contains(w->watched->cel_host->user, set, value);
}

static bool is_proved(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms)
{
    const struct what_if *w = user;
    *until_ms = INT64_MAX;
    return w->seen->proved ||
           w->watched->policy_host->proved(w->watched->policy_host->user, strength, max_age_s, until_ms);
}

static void try_other(struct seen *seen, const struct watched *watched, const struct policy_set *set)
{
    struct what_if w = {watched, seen};
    struct policy_result result = {0};
    const struct cel_host host = {resolve, contains, &w};
    const struct policy_host proofs = {is_proved, watched->policy_host->sticky, &w};
    cel_begin(watched->frame, &host, watched->arena, watched->now_ms);
    policy_decide(set, watched->scratch, watched->frame, &proofs, watched->question, watched->arena,
                  watched->now_ms, &result);
    seen->effect = result.effect;
}

static void judged(void *user, const struct watched *watched)
{
    struct seen *seen = user;
    struct snapshot_parts parts;
    size_t count = 0;
    snapshot_parts(watched->snapshot, &parts);
    const struct policy_condition *list = policy_conditions(parts.set, &count);
    seen->calls++;
    buf_clear(&seen->text);
    for (size_t i = 0; i < count; i++) {
        uint32_t line = 0, col = 0;
        place_line_col(list[i].place, &line, &col);
        buf_printf(&seen->text, "%s " STR_FMT " %zu<%d `" STR_FMT "` %u:%u %s\n",
                   policy_owner_word(list[i].owner), STR_ARG(list[i].name), i, (int)list[i].parent,
                   STR_ARG(list[i].text), line, col,
                   list[i].truth ? truth_word(cel_truth(watched->frame, list[i].expr)) : "no truth");
    }
    buf_byte(&seen->text, 0);
    seen->effect = watched->verdict->effect;
    if (seen->override != NULL) {
        try_other(seen, watched, parts.set);
    }
}

static void open_it(struct seen *seen, bool conditions)
{
    static const struct engine_config CONFIG = {.key = {1, 2}};
    const struct snapshot_file file = {.name = STR("web.yaml"), .text = str_of(FOLDER)};
    const struct snapshot_input input = {
        .files = &file, .file_count = 1, .now_ms = HARNESS_NOW, .conditions = conditions};
    struct snapshot *snapshot = NULL;
    *seen = (struct seen){.watch = {.judged = judged, .user = seen}};
    diags_init(&seen->diags, 20);
    cr_assert_eq(snapshot_build(&input, (struct hash_key){1, 2}, &seen->diags, &snapshot), PDP_ERR_OK);
    cr_assert_eq(engine_new(&CONFIG, &seen->engine), PDP_ERR_OK);
    cr_assert_eq(worker_new(seen->engine, &seen->worker), PDP_ERR_OK);
    engine_publish(seen->engine, &snapshot);
    worker_watch(seen->worker, &seen->watch);
}

static void close_it(struct seen *seen)
{
    worker_free(&seen->worker);
    engine_free(&seen->engine);
    diags_fini(&seen->diags);
    buf_fini(&seen->text);
}

static void ask(struct seen *seen, const char *properties, const char *id)
{
    static const struct peer PEER = {.name = {"test", 4}, .hash = 1, .grants = GRANT_ALL};
    struct buf question = {0}, answer = {0};
    buf_printf(&question,
               "{\"subject\": {\"type\": \"user\", \"id\": \"a\", \"properties\": {\"roles\": [\"staff\"]}},"
               "\"action\": {\"name\": \"GET\"}, \"resource\": {\"type\": \"route\", \"id\": \"%s\","
               "\"properties\": {%s}}}",
               id, properties);
    engine_answer(seen->worker, &PEER, buf_view(&question), HARNESS_NOW, &answer);
    cr_assert_geq(str_find(buf_view(&answer), STR("malformed"), 0), answer.len);
    buf_fini(&question);
    buf_fini(&answer);
}

Test(engine_watch, sees_each_condition_as_written)
{
    static const char EXPECTED[] =
        "strength mfa 0<-1 `\"otp\" in session.amr` 5:26 unsure\n"
        "counter rows 1<-1 `resource.color` 26:7 no truth\n"
        "counter rows 2<-1 `resource.rows` 28:6 no truth\n"
        "counter rows 3<-1 `has(resource.rows)` 29:7 no\n"
        "variable color 4<-1 `string(resource.color)` 12:10 no truth\n"
        "variable red 5<-1 `(vars.color == \"red\" || vars.color == \"pink\") && true` 13:8 yes\n"
        "variable red 6<5 `vars.color == \"red\" || vars.color == \"pink\"` 13:9 yes\n"
        "variable red 7<6 `vars.color == \"red\"` 13:9 no\n"
        "variable red 8<6 `vars.color == \"pink\"` 13:32 yes\n"
        "variable red 9<5 `true` 13:57 yes\n"
        "target web 10<-1 `resource.type == \"route\"` 10:9 yes\n"
        "rule web/staff 11<-1 `all` 18:7 unsure\n"
        "rule web/staff 12<11 `\"staff\" in subject.roles` 19:12 yes\n"
        "rule web/staff 13<11 `any` 20:11 unsure\n"
        "rule web/staff 14<13 `device.managed` 20:17 unsure\n"
        "rule web/staff 15<13 `!vars.red` 20:34 no\n"
        "rule web/staff 16<15 `vars.red` 20:35 yes\n"
        "rule web/mfa 17<-1 `resource.id == \"/pay\"` 21:38 no\n"
        "session policy pages 18<-1 `resource.color == \"pink\" && !(action.name == \"PUT\")` 41:9 yes\n"
        "session policy pages 19<18 `resource.color == \"pink\"` 41:9 yes\n"
        "session policy pages 20<18 `!(action.name == \"PUT\")` 41:37 yes\n"
        "session policy pages 21<20 `action.name == \"PUT\"` 41:39 no\n"
        "signal odd 22<-1 `context.odd` 36:21 unsure\n";
    struct seen seen;
    open_it(&seen, true);
    ask(&seen, "\"color\": \"pink\"", "/news");
    cr_expect_eq(seen.calls, 1);
    cr_expect_str_eq((const char *)seen.text.at, EXPECTED);
    close_it(&seen);
}

Test(engine_watch, tries_what_would_have_been_and_moves_nothing)
{
    struct seen seen;
    open_it(&seen, true);
    ask(&seen, "\"color\": \"red\"", "/pay");
    cr_expect_eq(seen.effect, PDP_EFFECT_DENY);
    seen.override = "device.managed";
    ask(&seen, "\"color\": \"red\"", "/pay");
    cr_expect_eq(seen.effect, PDP_EFFECT_STEP_UP);
    seen.proved = true;
    ask(&seen, "\"color\": \"red\"", "/pay");
    cr_expect_eq(seen.effect, PDP_EFFECT_ALLOW);
    seen.override = NULL;
    ask(&seen, "\"color\": \"red\"", "/pay");
    cr_expect_eq(seen.effect, PDP_EFFECT_DENY);
    worker_watch(seen.worker, NULL);
    ask(&seen, "\"color\": \"red\"", "/pay");
    cr_expect_eq(seen.calls, 4);
    close_it(&seen);
}

Test(engine_watch, keeps_no_conditions_where_nobody_wants_them)
{
    struct seen seen;
    open_it(&seen, false);
    ask(&seen, "\"color\": \"red\"", "/pay");
    cr_expect_eq(seen.calls, 1);
    cr_expect_str_eq((const char *)seen.text.at, "");
    close_it(&seen);
}
