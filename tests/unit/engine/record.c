// SPDX-License-Identifier: Apache-2.0
// What the audit log is told of each kind of answer.
#include "engine/record.h"
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p}\n"
#define POLICY                                                                               \
    HEAD "rules:\n"                                                                          \
         "  - {id: read, effect: allow, when: action.name == \"GET\"}\n"                     \
         "  - {id: pay, effect: allow, audit: always, when: action.name == \"PAY\"}\n"       \
         "  - {id: no, effect: deny, when: action.name == \"DROP\", reason: nobody drops}\n" \
         "  - {id: end, effect: terminate, when: action.name == \"STEAL\"}\n"
#define QUESTION(action, id)                                                                              \
    "{'tenant':'acme','request_id':'" id "','subject':{'type':'user','id':'alice','properties':"          \
    "{'roles':['staff']}},'action':{'name':'" action "'},'resource':{'type':'route','id':'/payroll/42'}," \
    "'context':{'session':{'id':'secret-session','auth_time':1795420700},"                                \
    "'device':{'user_agent':'Mozilla/5.0','fingerprint':'fp-1'},'network':{'ip':'203.0.113.7'}}}"

struct world {
    struct harness harness;
    struct recorder *recorder;
    struct record record;
    struct arena arena;
    struct value open, personal;
};

static void begin(struct world *world, struct record_config config)
{
    *world = (struct world){0};
    cr_assert(harness_load(&world->harness, POLICY), STR_FMT, STR_ARG(buf_view(&world->harness.said)));
    world->harness.peer.name = STR("gw-1");
    cr_assert_eq(worker_record(world->harness.worker, &config, &world->recorder), PDP_ERR_OK);
    arena_init(&world->arena, 0, 0);
}

static void end(struct world *world)
{
    arena_fini(&world->arena);
    harness_fini(&world->harness);
}

// A question without a request_id: none is a repeat of another.
static void ask_once(struct world *world, int64_t now_ms, const char *action)
{
    char json[1024];
    snprintf(json, sizeof json,
             "{'tenant':'acme','subject':{'type':'user','id':'alice'},'action':{'name':'%s'},"
             "'resource':{'type':'route','id':'/x'},"
             "'context':{'session':{'id':'secret-session','auth_time':1795420700}}}",
             action);
    harness_ask(&world->harness, now_ms, json);
}

static bool next(struct world *world)
{
    struct fault why;
    arena_reset(&world->arena);
    world->open = world->personal = value_null();
    if (!recorder_take(world->recorder, &world->record)) {
        return false;
    }
    char *copy = malloc(world->record.open.len + world->record.personal.len + 1);
    cr_assert(copy != NULL);
    static char *last;
    free(last);
    last = copy;
    memcpy(copy, world->record.open.at, world->record.open.len);
    cr_assert_eq(
        wire_decode(WIRE_CBOR, (struct str){copy, world->record.open.len}, &world->arena, &world->open, &why),
        PDP_ERR_OK, "%s %s", why.field, why.what);
    if (world->record.personal.len > 0) {
        copy += world->record.open.len;
        memcpy(copy, world->record.personal.at, world->record.personal.len);
        cr_assert_eq(wire_decode(WIRE_CBOR, (struct str){copy, world->record.personal.len}, &world->arena,
                                 &world->personal, &why),
                     PDP_ERR_OK, "%s %s", why.field, why.what);
    }
    recorder_drop(world->recorder);
    return true;
}

static const char *text(const struct value *root, const char *path)
{
    static char shown[4][512];
    static size_t turn;
    struct buf out = {0};
    const struct value *value = value_path(root, str_of(path));
    turn = (turn + 1) % 4;
    if (value != NULL && value->kind == VALUE_STRING) {
        snprintf(shown[turn], 512, STR_FMT, STR_ARG(value_text(value)));
        return shown[turn];
    }
    if (value != NULL) {
        value_print(&out, value, 500);
    }
    snprintf(shown[turn], 512, STR_FMT, STR_ARG(buf_view(&out)));
    buf_fini(&out);
    return shown[turn];
}

static bool holds(struct str bytes, const char *needle)
{
    return str_find(bytes, str_of(needle), 0) != SIZE_MAX;
}

Test(engine_record, a_decision_tells_who_what_and_why)
{
    struct world world;
    begin(&world, (struct record_config){0});
    harness_ask(&world.harness, HARNESS_NOW, QUESTION("GET", "r-1"));
    cr_assert_str_eq(harness_effect(&world.harness), "allow/policy");
    char id[64];
    snprintf(id, sizeof id, "%s", harness_get(&world.harness, "context.decision_id"));
    cr_assert(next(&world));
    const struct value *open = &world.open, *personal = &world.personal;
    cr_expect_str_eq(text(open, "kind"), "decision");
    cr_expect_str_eq(text(open, "id"), id);
    cr_expect_str_eq(world.record.id, id);
    cr_expect_str_eq(text(open, "time"), "1795420800000");
    cr_expect_str_eq(text(open, "gateway"), "gw-1");
    cr_expect_str_eq(text(open, "tenant"), "acme");
    cr_expect_str_eq(text(open, "request_id"), "r-1");
    cr_expect_str_eq(text(open, "action"), "GET");
    cr_expect_str_eq(text(open, "resource"), "/payroll/42");
    cr_expect_str_eq(text(open, "effect"), "allow");
    cr_expect_str_eq(text(open, "code"), "policy");
    cr_expect_str_eq(text(open, "rule"), "p/read");
    cr_expect_str_eq(text(open, "session.ref"), harness_get(&world.harness, "context.session.ref"));
    cr_expect_str_eq(text(open, "snapshot"), harness_get(&world.harness, "context.snapshot"));
    cr_expect_str_eq(text(open, "policy_epoch"), "1");
    cr_expect(value_path(open, STR("risk.score")) != NULL && value_path(open, STR("risk.signals")) != NULL);
    cr_expect_str_eq(text(personal, "subject"), "alice");
    cr_expect_str_eq(text(personal, "ip"), "203.0.113.7");
    cr_expect_str_eq(text(personal, "user_agent"), "Mozilla/5.0");
    cr_expect(value_path(personal, STR("question")) != NULL && value_path(personal, STR("before")) != NULL);
    cr_expect(str_eq(world.record.user, STR("acme\0user\0alice")));
    cr_expect(!next(&world));
    end(&world);
}

Test(engine_record, no_record_holds_a_session_id_nor_names_a_person_in_the_open)
{
    static const char *const QUESTIONS[] = {
        QUESTION("GET", "a"), QUESTION("DROP", "b"), QUESTION("STEAL", "c"), QUESTION("GET", "d"),
        "{'event':{'type':'logout','subject':{'type':'user','id':'alice'},'context':{'session':{'id':'secret-"
        "session'}}},'request_id':'e'}"};
    struct world world;
    size_t count = 0;
    begin(&world, (struct record_config){0});
    world.harness.peer.grants = GRANT_ALL;
    for (size_t i = 0; i < COUNT_OF(QUESTIONS); i++) {
        harness_ask(&world.harness, HARNESS_NOW + (int64_t)i * 2000, QUESTIONS[i]);
    }
    for (struct record record; recorder_take(world.recorder, &record); count++) {
        cr_expect(!holds(record.open, "secret-session") && !holds(record.personal, "secret-session"));
        cr_expect(!holds(record.open, "alice") && !holds(record.open, "203.0.113.7") &&
                  !holds(record.open, "Mozilla") && !holds(record.open, "fp-1"));
        recorder_drop(world.recorder);
    }
    cr_expect_eq(count, COUNT_OF(QUESTIONS));
    end(&world);
}

Test(engine_record, no_record_holds_an_id_that_a_session_gets)
{
    struct world world;
    begin(&world, (struct record_config){0});
    harness_ask(&world.harness, HARNESS_NOW, QUESTION("GET", "q1"));
    harness_ask(&world.harness, HARNESS_NOW,
                "{'tenant':'acme','request_id':'e1','event':{'type':'rotate','subject':{'type':'user','id':'alice'},"
                "'context':{'session':{'id':'secret-session'}},'properties':{'new_id':'secret-next'}}}");
    cr_assert_str_eq(harness_get(&world.harness, "event.recorded"), "true");
    harness_ask(&world.harness, HARNESS_NOW,
                "{'tenant':'acme','request_id':'e2','event':{'type':'start','subject':{'type':'user','id':'alice'},"
                "'properties':{'mint':true}}}");
    char minted[64];
    snprintf(minted, sizeof minted, "%s", harness_get(&world.harness, "session.id"));
    cr_assert_eq(strlen(minted), 43);
    size_t records = 0;
    while (next(&world)) {
        records++;
        cr_expect(!holds(world.record.open, "secret-") && !holds(world.record.personal, "secret-"));
        cr_expect(!holds(world.record.open, minted) && !holds(world.record.personal, minted));
    }
    cr_expect_geq(records, 2);
    end(&world);
}

Test(engine_record, allows_are_sampled_and_audit_always_is_kept)
{
    struct world world;
    size_t read = 0, pay = 0, denied = 0;
    begin(&world, (struct record_config){.allow_one_in = 10});
    for (int i = 0; i < 100; i++) {
        ask_once(&world, HARNESS_NOW + i, "GET");
        ask_once(&world, HARNESS_NOW + i, "PAY");
        ask_once(&world, HARNESS_NOW + i, "DROP");
    }
    while (next(&world)) {
        read += strcmp(text(&world.open, "action"), "GET") == 0;
        pay += strcmp(text(&world.open, "action"), "PAY") == 0;
        denied += strcmp(text(&world.open, "action"), "DROP") == 0;
    }
    cr_expect_eq(read, 10);
    cr_expect_eq(pay, 100);
    cr_expect_eq(denied, 100);
    end(&world);
}

Test(engine_record, the_same_denial_has_the_same_number)
{
    struct world world;
    uint64_t first = 0;
    begin(&world, (struct record_config){0});
    harness_ask(&world.harness, HARNESS_NOW, QUESTION("GET", "x"));
    cr_assert(next(&world) && world.record.same == 0, "an allow stands alone");
    harness_ask(&world.harness, HARNESS_NOW, QUESTION("DROP", "1"));
    cr_assert(next(&world));
    first = world.record.same;
    cr_expect_neq(first, 0);
    harness_ask(&world.harness, HARNESS_NOW + 1, QUESTION("DROP", "2"));
    cr_assert(next(&world));
    cr_expect_eq(world.record.same, first, "another request id is no other denial");
    world.harness.peer.hash ^= 1;
    harness_ask(&world.harness, HARNESS_NOW + 2, QUESTION("DROP", "3"));
    cr_assert(next(&world));
    cr_expect_neq(world.record.same, first, "another peer is");
    harness_ask(&world.harness, HARNESS_NOW + 3, QUESTION("STEAL", "4"));
    cr_assert(next(&world));
    cr_expect_str_eq(text(&world.open, "effect"), "terminate");
    cr_expect_eq(world.record.same, 0, "an end stands alone");
    end(&world);
}

Test(engine_record, what_is_no_question_is_a_refusal)
{
    struct world world;
    begin(&world, (struct record_config){0});
    harness_ask(&world.harness, HARNESS_NOW, "{'subject':{'type':'user'}}");
    cr_assert(next(&world));
    cr_expect_str_eq(text(&world.open, "kind"), "refusal");
    cr_expect_str_eq(text(&world.open, "code"), "malformed");
    cr_expect_str_eq(text(&world.open, "field"), "subject.id");
    harness_ask(&world.harness, HARNESS_NOW, "{'subject':");
    cr_assert(next(&world));
    cr_expect_str_eq(text(&world.open, "kind"), "refusal");
    end(&world);
}

Test(engine_record, a_batch_has_a_record_an_item_and_one_for_its_end)
{
    struct world world;
    begin(&world, (struct record_config){0});
    harness_ask(&world.harness, HARNESS_NOW, QUESTION("GET", "w"));
    cr_assert(next(&world));
    harness_ask(&world.harness, HARNESS_NOW + 1,
                "{'tenant':'acme','request_id':'b','subject':{'type':'user','id':'alice'},'resource':"
                "{'type':'route','id':'/x'},'context':{'session':{'id':'secret-session'}},'evaluations':"
                "[{'action':{'name':'GET'}},{'action':{'name':'STEAL'}}]}");
    cr_assert(next(&world));
    cr_expect_str_eq(text(&world.open, "item"), "1");
    cr_expect_str_eq(text(&world.open, "effect"), "allow");
    cr_assert(next(&world));
    cr_expect_str_eq(text(&world.open, "item"), "2");
    cr_expect_str_eq(text(&world.open, "effect"), "terminate");
    char id[64];
    snprintf(id, sizeof id, "%s", text(&world.open, "id"));
    cr_assert(next(&world));
    cr_expect_str_eq(text(&world.open, "kind"), "batch");
    cr_expect_str_eq(text(&world.open, "by"), id);
    cr_expect(!next(&world));
    end(&world);
}

Test(engine_record, a_full_ring_denies_or_loses_as_it_was_told)
{
    for (int denies = 0; denies < 2; denies++) {
        struct world world;
        size_t kept = 0, allowed = 0;
        begin(&world, (struct record_config){.ring_bytes = 1U << 20, .deny_when_full = denies == 1});
        for (int i = 0; i < 3000; i++) {
            ask_once(&world, HARNESS_NOW + i, "PAY");
            allowed += strcmp(harness_effect(&world.harness), "allow/policy") == 0;
        }
        const char *effect = harness_effect(&world.harness);
        cr_expect_str_eq(effect, denies ? "deny/overloaded" : "allow/policy");
        for (struct record record; recorder_take(world.recorder, &record); kept++) {
            recorder_drop(world.recorder);
        }
        cr_expect(kept > 100 && kept < 3000);
        cr_expect_eq(recorder_lost(world.recorder), denies ? 0 : 3000 - kept);
        cr_expect_eq(recorder_refused(world.recorder), denies ? 3000 - kept : 0);
        cr_expect_eq(allowed, denies ? kept : 3000, "none is allowed that is not kept");
        ask_once(&world, HARNESS_NOW + 4000, "PAY");
        cr_expect_str_eq(harness_effect(&world.harness), "allow/policy", "there is room again");
        if (denies) {
            recorder_stall(world.recorder, true);
            ask_once(&world, HARNESS_NOW + 5000, "PAY");
            cr_expect_str_eq(harness_effect(&world.harness), "deny/overloaded");
            recorder_stall(world.recorder, false);
        }
        end(&world);
    }
}

Test(engine_record, orders_of_analysts)
{
    struct world world;
    begin(&world, (struct record_config){0});
    struct record_order order = {.by = STR("uid:1000"),
                                 .op = STR("session_terminate"),
                                 .target = STR("s_1"),
                                 .reason = STR("stolen"),
                                 .ok = true};
    cr_expect(worker_record_order(world.harness.worker, &order, HARNESS_NOW));
    cr_assert(next(&world));
    cr_expect_str_eq(text(&world.open, "kind"), "order");
    cr_expect_str_eq(text(&world.open, "by"), "uid:1000");
    cr_expect_str_eq(text(&world.open, "reason"), "stolen");
    end(&world);
}
