// SPDX-License-Identifier: Apache-2.0
// Twelve policies that a bank needs, read in place from the shared examples and loaded as they stand, each at
// work: where it bites, where it does not, and with every attribute that it reads left out or of another
// type.
#include "daemon/folder.h"
#include "data/mmdb.h"
#include "support/harness.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define NOW INT64_C(1796630400000) // 2026-12-07T08:00:00Z, a Monday: 09:00 in Zurich

// The bank's policies restrict; somebody must allow, and the ladder needs a model of risk.
static const char BASE[] = "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: base}\n"
                           "rules: [{id: people, effect: allow, when: 'subject.type == \"user\"'}]\n"
                           "---\napiVersion: pdp/v1\nkind: RiskModel\nmetadata: {name: base}\n"
                           "prior: -3.5\nthresholds: {medium: 30, high: 60, critical: 90}\n"
                           "signals: {external: {evidence: 8, half_life: 24h}}\n";

struct bank {
    struct harness h;
    struct folder *folder;
    struct mmdb_file geo;
};

// CTest shows the whole as skipped by this word.
static void skip(const char *why)
{
    printf("skipped: %s\n", why);
    fflush(stdout);
    cr_skip_test("%s", why);
}

static void bank_load(struct bank *bank)
{
    char dir[2048], why[FOLDER_WHY_MAX];
    const char *shared = getenv("PDP_SHARED");
    *bank = (struct bank){.geo = mmdb_made("bank")};
    snprintf(dir, sizeof dir, "%s/examples/bank", shared != NULL ? shared : "");
    if (shared == NULL || folder_read(dir, NULL, 0, &bank->folder, why) != PDP_ERR_OK) {
        skip("the shared examples are not there");
    }
    if (bank->geo.bytes == NULL) {
        skip("the test databases cannot be made: perl with MaxMind::DB::Writer is needed");
    }
    struct snapshot_input input = folder_input(bank->folder);
    struct snapshot_file files[16];
    cr_assert_lt(input.file_count, COUNT_OF(files));
    memcpy(files, input.files, input.file_count * sizeof *files);
    files[input.file_count++] = (struct snapshot_file){.name = STR("zz-base.yaml"), .text = str_of(BASE)};
    const struct snapshot_file geo = {.name = STR("bank.mmdb"),
                                      .text = {(const char *)bank->geo.bytes, bank->geo.len}};
    input.files = files;
    input.geo = &geo;
    input.geo_count = 1;
    input.now_ms = NOW;
    cr_assert(harness_load_input(&bank->h, &input), "%s", (const char *)bank->h.said.at);
}

static void bank_fini(struct bank *bank)
{
    harness_fini(&bank->h);
    folder_free(&bank->folder);
    mmdb_file_free(&bank->geo);
}

// ---- Questions ---------------------------------------------------------------------------------------

// What a question says; NULL: as usual, "": left out.
struct says {
    const char *type, *id, *roles, *starts_on, *more; // of the subject
    const char *action, *resource, *of_resource;
    const char *tenant, *of_tenant; // the question's, and the resource's
    const char *client, *ip, *device, *amr, *rows, *session;
    int64_t at_ms, auth_ms; // after NOW; before at_ms
};

static const char *either(const char *said, const char *usual)
{
    return said != NULL ? said : usual;
}

// `, 'key': value`, or nothing where the value is left out.
static void put(struct buf *out, const char *key, const char *value)
{
    if (value[0] != '\0') {
        buf_printf(out, ", '%s': %s", key, value);
    }
}

static void put_subject(struct buf *out, const struct says *says)
{
    buf_printf(out, "'subject': {'type': '%s', 'id': '%s', 'properties': {'x': 1", either(says->type, "user"),
               either(says->id, "ann"));
    put(out, "roles", either(says->roles, "['staff']"));
    put(out, "starts_on", either(says->starts_on, "'2020-01-01T00:00:00Z'"));
    buf_printf(out, "%s}}", either(says->more, ""));
}

static void put_context(struct buf *out, const struct says *says, const char *session)
{
    int64_t auth_s = (NOW + says->at_ms - says->auth_ms) / 1000;
    buf_printf(out, ", 'context': {'session': {'id': '%s', 'auth_time': %lld", session, (long long)auth_s);
    put(out, "amr", either(says->amr, "['pwd']"));
    buf_printf(out, "}");
    put(out, "client", either(says->client, "{'auth': 'oidc'}"));
    put(out, "device", either(says->device, "{'managed': true, 'fingerprint': 'laptop'}"));
    put(out, "network", either(says->ip, "{'ip': '203.0.113.7'}"));
    put(out, "activity", either(says->rows, "{'rows': 10}"));
    buf_printf(out, "}");
}

// Every question has a session of its own unless it names one.
static const char *ask(struct bank *bank, const struct says *says)
{
    static int number;
    char session[32];
    AUTO(buf_fini) struct buf json = {0};
    snprintf(session, sizeof session, "s%d", number++);
    buf_byte(&json, '{');
    put_subject(&json, says);
    put(&json, "tenant", either(says->tenant, "'acme'"));
    buf_printf(&json, ", 'action': {'name': '%s'}", either(says->action, "read"));
    buf_printf(&json, ", 'resource': {'type': '%s', 'id': '/x', 'properties': {'x': 1",
               either(says->resource, "document"));
    put(&json, "tenant", either(says->of_tenant, "'acme'"));
    buf_printf(&json, "%s}}", either(says->of_resource, ""));
    put_context(&json, says, either(says->session, session));
    buf_printf(&json, "}");
    buf_byte(&json, '\0');
    harness_ask(&bank->h, NOW + says->at_ms, (const char *)json.at);
    return harness_effect(&bank->h);
}

static void tell(struct bank *bank, const char *type, const char *id, const char *session, const char *more)
{
    static int number;
    char json[1024];
    snprintf(
        json, sizeof json,
        "{'request_id': 'e%d', 'tenant': 'acme', 'event': {'type': '%s', 'subject': {'type': 'user', 'id': "
        "'%s'}, 'context': {'session': {'id': '%s'}}, 'properties': {%s}}}",
        number++, type, id, session, more);
    harness_ask(&bank->h, NOW, json);
    cr_expect_str_eq(harness_get(&bank->h, "event.recorded"), "true", STR_FMT,
                     STR_ARG(buf_view(&bank->h.answer)));
}

// ---- One by one --------------------------------------------------------------------------------------

#define KEY "['hwk']"
#define VAULT "{'ip': '10.20.30.5'}"
#define CONSOLE .resource = "admin-console", .amr = KEY
#define DBA .roles = "['dba']", .resource = "admin-console"
#define TICKET ", 'ticket': 'CHG-7'"
#define TEMP(end) .roles = "['contractor']", .more = ", 'contract_end': " end
#define LONG "'2027-06-30T00:00:00Z'"
#define EVENING (11 * HOUR) // 20:00 in Zurich
#define ROBOT .type = "service", .id = "batch", .roles = "[]"
#define BATCH "{'ip': '10.40.1.1'}"
#define EXPORT(number) .action = "export", .rows = "{'rows': " number "}"
#define ROUTE(more) .resource = "route", .of_resource = more
#define BASIC .client = "{'auth': 'basic'}"
#define GLASS(who, proof, where) .id = who, .amr = proof, .ip = where, BASIC
#define EMERGENCY "emergency-1"

static const struct {
    const char *name;
    struct says says;
    const char *expect, *rule, *missing; // missing: within what is named
} CASES[] = {
    {"nothing bites", {0}, "allow/policy", "base/people", ""},

    {"1: employed", {.starts_on = "'2026-12-07T07:59:59Z'"}, "allow/policy", "base/people", ""},
    {"1: begins tomorrow",
     {.starts_on = "'2026-12-08T00:00:00Z'"},
     "deny/policy",
     "lifecycle/before-start",
     ""},
    {"1: no one knows when",
     {.starts_on = ""},
     "deny/unsure",
     "lifecycle/before-start",
     "`subject.starts_on` is missing"},
    {"1: null",
     {.starts_on = "null"},
     "deny/unsure",
     "lifecycle/before-start",
     "`subject.starts_on` is missing"},
    {"1: a time that is none", {.starts_on = "'soon'"}, "deny/unsure", "lifecycle/before-start", "timestamp"},
    {"1: another type", {.starts_on = "true"}, "deny/unsure", "lifecycle/before-start", "timestamp"},
    {"1: a leaver, first seen", {.id = "mallory"}, "deny/policy", "lifecycle/leaver", ""},
    {"1: the list is stale",
     {.at_ms = DAY + 1},
     "deny/unsure",
     "lifecycle/leaver",
     "`lists.leavers` is stale"},

    {"2: an administrator", {DBA, .amr = KEY, .more = TICKET}, "allow/policy", "privileged/admins", ""},
    {"2: no administrator", {CONSOLE, .more = TICKET}, "deny/policy", "privileged/deny-unless-allow", ""},
    {"2: the key is of an hour ago",
     {DBA, .amr = KEY, .more = TICKET, .auth_ms = HOUR},
     "step_up/policy",
     "privileged/strong",
     ""},
    {"2: no key",
     {.roles = "['dba']", .resource = "admin-console", .more = TICKET},
     "step_up/policy",
     "privileged/strong",
     ""},
    {"2: no ticket", {DBA, .amr = KEY}, "deny/policy", "privileged/deny-unless-allow", ""},
    {"2: another device",
     {DBA, .amr = KEY, .more = TICKET, .device = "{'managed': false}"},
     "deny/policy",
     "privileged/deny-unless-allow",
     ""},
    {"2: who knows which device",
     {DBA, .amr = KEY, .more = TICKET, .device = ""},
     "deny/unsure",
     "privileged/deny-unless-allow",
     "`device.managed` is missing"},
    {"2: a device of another type",
     {DBA, .amr = KEY, .more = TICKET, .device = "{'managed': 'yes'}"},
     "deny/malformed",
     "",
     ""},
    {"2: no roles",
     {.roles = "", CONSOLE, .more = TICKET},
     "deny/unsure",
     "privileged/deny-unless-allow",
     "`subject.roles` is missing"},
    {"2: roles of another type",
     {.roles = "'dba'", CONSOLE, .more = TICKET},
     "deny/unsure",
     "privileged/deny-unless-allow",
     "`in` does not take string and string"},
    {"2: a proof of another type", {DBA, .more = TICKET, .amr = "'hwk'"}, "deny/malformed", "", ""},
    {"2: nothing proved", {DBA, .more = TICKET, .amr = ""}, "step_up/policy", "privileged/strong", ""},

    {"3: what the glass would lift", {BASIC}, "deny/policy", "legacy/basic-auth", ""},
    {"3: broken from the vault", {GLASS(EMERGENCY, KEY, VAULT)}, "allow/policy", "base/people", ""},
    {"3: by somebody else", {GLASS("ann", KEY, VAULT)}, "deny/policy", "legacy/basic-auth", ""},
    {"3: from elsewhere",
     {GLASS(EMERGENCY, KEY, "{'ip': '10.20.30.99'}")},
     "deny/policy",
     "legacy/basic-auth",
     ""},
    {"3: no address", {GLASS(EMERGENCY, KEY, "")}, "deny/policy", "geo/sanctioned", ""},
    {"3: an address that is none",
     {GLASS(EMERGENCY, KEY, "{'ip': 'vault'}")},
     "deny/policy",
     "geo/sanctioned",
     ""},
    {"3: without the key", {GLASS(EMERGENCY, "['pwd']", VAULT)}, "deny/policy", "legacy/basic-auth", ""},
    {"3: the key is of an hour ago",
     {GLASS(EMERGENCY, KEY, VAULT), .auth_ms = HOUR},
     "deny/policy",
     "legacy/basic-auth",
     ""},
    {"3: nothing proved", {GLASS(EMERGENCY, "", VAULT)}, "deny/policy", "legacy/basic-auth", ""},

    {"4: at work", {TEMP(LONG)}, "allow/policy", "base/people", ""},
    {"4: no contractor",
     {.more = ", 'contract_end': '2020-01-01T00:00:00Z'", .at_ms = EVENING},
     "allow/policy",
     "base/people",
     ""},
    {"4: the contract is over",
     {TEMP("'2026-12-01T00:00:00Z'")},
     "deny/policy",
     "contractors/contract-over",
     ""},
    {"4: in the evening", {TEMP(LONG), .at_ms = EVENING}, "deny/policy", "contractors/hours", ""},
    {"4: no one knows until when",
     {.roles = "['contractor']"},
     "deny/unsure",
     "contractors/contract-over",
     "`subject.contract_end` is missing"},
    {"4: another type", {TEMP("[2027]")}, "deny/unsure", "contractors/contract-over", "timestamp"},
    {"4: perhaps a contractor",
     {.roles = "", .at_ms = EVENING, .more = ", 'contract_end': " LONG},
     "deny/unsure",
     "contractors/hours",
     "`subject.roles` is missing"},
    {"4: perhaps a contractor, whose contract is over",
     {.roles = "", .more = ", 'contract_end': '2020-01-01T00:00:00Z'"},
     "deny/unsure",
     "contractors/contract-over",
     "`subject.roles` is missing"},
    {"4: perhaps a contractor, at work",
     {.roles = "", .more = ", 'contract_end': " LONG},
     "allow/policy",
     "base/people",
     ""},
    {"4: roles of another type",
     {.roles = "'contractor'", .at_ms = EVENING, .more = ", 'contract_end': " LONG},
     "deny/unsure",
     "contractors/hours",
     "`in` does not take string and string"},

    {"5: a few rows", {EXPORT("10000")}, "allow/policy", "base/people", ""},
    {"5: many", {EXPORT("10001")}, "step_up/policy", "export/volume", ""},
    {"5: many, and proved", {EXPORT("10001"), .amr = "['otp']"}, "allow/policy", "base/people", ""},
    {"5: proved ten minutes ago",
     {EXPORT("10001"), .amr = "['otp']", .auth_ms = 10 * MINUTE},
     "step_up/policy",
     "export/volume",
     ""},
    {"5: who knows how many",
     {.action = "export", .rows = ""},
     "step_up/policy",
     "export/volume",
     "`context.activity.rows` is missing"},
    {"5: no number", {EXPORT("'10'")}, "step_up/policy", "export/volume", "counters.rows_1h"},
    {"5: less than none", {EXPORT("-5")}, "step_up/policy", "export/volume", "counters.rows_1h"},
    {"5: nobody asks for many", {.rows = "{'rows': 50000}"}, "allow/policy", "base/people", ""},
    {"5: another device",
     {EXPORT("10"), .device = "{'managed': false, 'fingerprint': 'own'}"},
     "deny/policy",
     "export/unmanaged",
     ""},
    {"5: who knows which device",
     {EXPORT("10"), .device = "{'fingerprint': 'laptop'}"},
     "deny/unsure",
     "export/unmanaged",
     "`device.managed` is missing"},
    {"5: no device",
     {EXPORT("10"), .device = ""},
     "deny/unsure",
     "export/unmanaged",
     "`device.managed` is missing"},
    {"5: a device of another type", {EXPORT("10"), .device = "{'managed': 1}"}, "deny/malformed", "", ""},
    {"5: nothing proved", {EXPORT("10001"), .amr = ""}, "step_up/policy", "export/volume", ""},

    {"6: from its network", {ROBOT, .ip = BATCH}, "allow/policy", "services/from-listed", ""},
    {"6: from elsewhere", {ROBOT}, "deny/no-rule", "", ""},
    {"6: no address", {ROBOT, .ip = ""}, "deny/unsure", "geo/sanctioned", "`geo.country` is missing"},
    {"6: an address that is none",
     {ROBOT, .ip = "{'ip': '10.40'}"},
     "deny/unsure",
     "geo/sanctioned",
     "`geo.country`"},
    {"6: a page", {ROBOT, .ip = BATCH, ROUTE(", 'ui': true")}, "deny/policy", "services/not-interactive", ""},
    {"6: no page", {ROBOT, .ip = BATCH, ROUTE(", 'ui': false")}, "allow/policy", "services/from-listed", ""},
    {"6: perhaps a page",
     {ROBOT, .ip = BATCH, ROUTE("")},
     "deny/unsure",
     "services/not-interactive",
     "`resource.ui` is missing"},
    {"6: another type",
     {ROBOT, .ip = BATCH, ROUTE(", 'ui': 'no'")},
     "deny/unsure",
     "services/not-interactive",
     "does not take string"},

    {"7: from elsewhere", {.ip = "{'ip': '198.51.100.7'}"}, "allow/policy", "base/people", ""},
    {"7: first seen there", {.ip = "{'ip': '2001:db8:2::1'}"}, "deny/policy", "geo/sanctioned", ""},
    {"7: no country",
     {.ip = "{'ip': '10.0.0.8'}"},
     "deny/unsure",
     "geo/sanctioned",
     "`geo.country` is missing"},
    {"7: no address", {.ip = ""}, "deny/unsure", "geo/sanctioned", "`geo.country` is missing"},
    {"7: an address that is none",
     {.ip = "{'ip': 'pyongyang'}"},
     "deny/unsure",
     "geo/sanctioned",
     "`geo.country` is missing"},

    {"8: basic", {BASIC}, "deny/policy", "legacy/basic-auth", ""},
    {"8: ntlm", {.client = "{'auth': 'ntlm'}"}, "deny/policy", "legacy/basic-auth", ""},
    {"8: who knows",
     {.client = "{}"},
     "deny/unsure",
     "legacy/basic-auth",
     "`context.client.auth` is missing"},
    {"8: no client", {.client = ""}, "deny/unsure", "legacy/basic-auth", "`context.client.auth` is missing"},
    {"8: another type",
     {.client = "{'auth': ['basic']}"},
     "deny/unsure",
     "legacy/basic-auth",
     "context.client.auth"},
    {"8: a number", {.client = "{'auth': 7}"}, "deny/unsure", "legacy/basic-auth", "context.client.auth"},
    {"8: a client of another type",
     {.client = "'basic'"},
     "deny/unsure",
     "legacy/basic-auth",
     "context.client"},

    {"11: their own", {.tenant = "'globex'", .of_tenant = "'globex'"}, "allow/policy", "base/people", ""},
    {"11: another's", {.of_tenant = "'globex'"}, "deny/policy", "tenants/cross-tenant", ""},
    {"11: whose?", {.of_tenant = ""}, "deny/unsure", "tenants/cross-tenant", "`resource.tenant` is missing"},
    {"11: another type", {.of_tenant = "['acme']"}, "deny/unsure", "tenants/cross-tenant", "resource.tenant"},
    {"11: a number", {.of_tenant = "7"}, "deny/unsure", "tenants/cross-tenant", "resource.tenant"},
    {"11: who asks?", {.tenant = ""}, "deny/unsure", "tenants/cross-tenant", "`tenant` is missing"},
    {"11: a tenant of another type", {.tenant = "7"}, "deny/malformed", "", ""},
};

static void expect_case(size_t i)
{
    struct bank bank;
    bank_load(&bank);
    const char *got = ask(&bank, &CASES[i].says);
    struct str answer = buf_view(&bank.h.answer);
    cr_expect_str_eq(got, CASES[i].expect, "%s\n" STR_FMT, CASES[i].name, STR_ARG(answer));
    cr_expect_str_eq(harness_get(&bank.h, "context.rule"), CASES[i].rule, "%s\n" STR_FMT, CASES[i].name,
                     STR_ARG(answer));
    cr_expect(strstr(harness_get(&bank.h, "context.missing"), CASES[i].missing) != NULL, "%s\n" STR_FMT,
              CASES[i].name, STR_ARG(answer));
    bank_fini(&bank);
}

Test(cases_bank, bite_where_they_should)
{
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        expect_case(i);
    }
}

// ---- One after the other -----------------------------------------------------------------------------

Test(cases_bank, a_leaver_is_cut_off_on_every_device)
{
    struct bank bank;
    bank_load(&bank);
    tell(&bank, "login", "mallory", "m1", "'amr': ['pwd']");
    cr_expect_str_eq(ask(&bank, &(struct says){.id = "mallory", .session = "m1", .at_ms = SECOND}),
                     "terminate/policy");
    cr_expect_str_eq(harness_get(&bank.h, "context.reason"), "employment has ended");
    // Another gateway's session, not seen before, authenticated before the cut-off.
    cr_expect_str_eq(
        ask(&bank, &(struct says){.id = "mallory", .session = "m2", .at_ms = MINUTE, .auth_ms = MINUTE}),
        "deny/terminated");
    bank_fini(&bank);
}

Test(cases_bank, the_glass_is_named_and_told_of)
{
    struct bank bank;
    bank_load(&bank);
    const struct says broken = {GLASS(EMERGENCY, KEY, VAULT)};
    cr_expect_str_eq(ask(&bank, &broken), "allow/policy");
    cr_expect_str_eq(harness_get(&bank.h, "context.exceptions"), "[\"break-glass\"]");
    cr_expect(strstr(harness_get(&bank.h, "context.obligations"), "break-glass used") != NULL);
    // `expires`: the last of January. The list of leavers is stale by then, which the glass lifts no more
    // either.
    struct says late = broken;
    late.at_ms = 55 * DAY;
    cr_expect_str_eq(ask(&bank, &late), "deny/policy");
    bank_fini(&bank);
}

Test(cases_bank, many_small_exports_are_a_large_one)
{
    struct bank bank;
    bank_load(&bank);
    const struct says part = {EXPORT("4000"), .id = "erik"};
    struct says later = part;
    cr_expect_str_eq(ask(&bank, &part), "allow/policy");
    cr_expect_str_eq(ask(&bank, &part), "allow/policy");
    cr_expect_str_eq(ask(&bank, &part), "step_up/policy", "12,000 rows within the hour, from three sessions");
    cr_expect_str_eq(ask(&bank, &(struct says){EXPORT("4000"), .id = "fay"}), "allow/policy",
                     "somebody else");
    later.at_ms = 2 * HOUR;
    cr_expect_str_eq(ask(&bank, &later), "allow/policy", "the hour is over");
    bank_fini(&bank);
}

Test(cases_bank, a_sanctioned_country_ends_the_session_and_none_does_not)
{
    struct bank bank;
    bank_load(&bank);
    tell(&bank, "login", "ann", "g1", "'amr': ['pwd']");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "g1", .ip = "{'ip': '10.0.0.8'}"}), "deny/unsure");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "g1"}), "allow/policy", "it goes on");
    // The glass does not lift it.
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "g1", .ip = "{'ip': '2001:db8:2::1'}"}),
                     "terminate/policy");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "g1"}), "terminate/terminated");
    bank_fini(&bank);
}

Test(cases_bank, the_ladder_asks_for_more_with_the_risk)
{
    struct bank bank;
    bank_load(&bank);
    tell(&bank, "login", "ann", "l1", "'amr': ['pwd']");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "l1"}), "allow/policy");
    tell(&bank, "signal", "ann", "l1", "'evidence': 3.2");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "l1"}), "step_up/policy");
    cr_expect_str_eq(harness_get(&bank.h, "context.risk.level"), "medium");
    cr_expect_str_eq(harness_get(&bank.h, "context.require.strength"), "mfa");
    tell(&bank, "step_up_passed", "ann", "l1", "'amr': ['otp']");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "l1"}), "allow/policy", "proved: nothing bites");
    tell(&bank, "login", "eve", "l2", "'amr': ['otp']");
    tell(&bank, "signal", "eve", "l2", "'evidence': 4.5");
    cr_expect_str_eq(ask(&bank, &(struct says){.id = "eve", .session = "l2"}), "step_up/policy",
                     "a second factor is not enough");
    cr_expect_str_eq(harness_get(&bank.h, "context.risk.level"), "high");
    cr_expect_str_eq(harness_get(&bank.h, "context.require.strength"), "phishing-resistant");
    cr_expect_str_eq(harness_get(&bank.h, "context.require.max_age"), "900");
    bank_fini(&bank);
}

Test(cases_bank, nobody_asks_a_service_to_step_up)
{
    struct bank bank;
    bank_load(&bank);
    struct says robot = {ROBOT, .ip = BATCH, .session = "r1"};
    cr_expect_str_eq(ask(&bank, &robot), "allow/policy");
    char signal[] =
        "{'request_id': 'r', 'tenant': 'acme', 'event': {'type': 'signal', 'subject': {'type': 'service', "
        "'id': 'batch'}, 'context': {'session': {'id': 'r1'}}, 'properties': {'evidence': 3.2}}}";
    harness_ask(&bank.h, NOW, signal);
    cr_expect_str_eq(ask(&bank, &robot), "deny/cannot-step-up");
    bank_fini(&bank);
}

#define TELLER .id = "tom", .roles = "['teller']"

Test(cases_bank, a_teller_has_one_session_that_does_not_idle)
{
    struct bank bank;
    bank_load(&bank);
    const struct says desk1 = {TELLER, .session = "d1"};
    cr_expect_str_eq(ask(&bank, &desk1), "allow/policy");
    struct says later = desk1;
    later.at_ms = 14 * MINUTE;
    cr_expect_str_eq(ask(&bank, &later), "allow/policy");
    later.at_ms = 29 * MINUTE; // fifteen after the last question
    later.auth_ms = 29 * MINUTE;
    cr_expect_str_eq(ask(&bank, &later), "step_up/expired");
    const struct says desk2 = {TELLER, .session = "d2", .at_ms = HOUR};
    cr_expect_str_eq(ask(&bank, &desk2), "allow/policy");
    later.at_ms = later.auth_ms = HOUR;
    cr_expect_str_eq(ask(&bank, &later), "terminate/terminated", "the other desk has ended");
    // Others have as many as they like.
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "a1"}), "allow/policy");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "a2"}), "allow/policy");
    cr_expect_str_eq(ask(&bank, &(struct says){.session = "a1"}), "allow/policy");
    struct says over = desk2;
    over.at_ms = over.auth_ms = HOUR + 12 * HOUR;
    cr_expect_str_eq(ask(&bank, &over), "terminate/expired", "after twelve hours");
    bank_fini(&bank);
}

// Roles missing, or of another type: perhaps a teller. Nothing ends for that.
Test(cases_bank, perhaps_a_teller)
{
    static const struct {
        const char *roles, *missing;
    } ROLES[] = {{"", "`subject.roles` is missing"},
                 {"null", "`subject.roles` is missing"},
                 {"'teller'", "`in` does not take string and string"}};
    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        struct bank bank;
        bank_load(&bank);
        struct says first = {.roles = ROLES[i].roles, .session = "p1", .more = ", 'contract_end': " LONG};
        struct says second = first;
        cr_expect_str_eq(ask(&bank, &first), "allow/policy", "%s", ROLES[i].roles);
        second.session = "p2";
        second.at_ms = MINUTE;
        cr_expect_str_eq(ask(&bank, &second), "deny/unsure", "%s", ROLES[i].roles);
        cr_expect(strstr(harness_get(&bank.h, "context.missing"), ROLES[i].missing) != NULL, STR_FMT,
                  STR_ARG(buf_view(&bank.h.answer)));
        first.at_ms = 15 * MINUTE;
        first.auth_ms = 15 * MINUTE;
        cr_expect_str_eq(ask(&bank, &first), "step_up/expired", "%s: what only asks, asks", ROLES[i].roles);
        first.at_ms = first.auth_ms = 12 * HOUR;
        cr_expect_str_eq(ask(&bank, &first), "deny/unsure", "%s: what would end, denies", ROLES[i].roles);
        bank_fini(&bank);
    }
}

// Enforced for five in a hundred, always the same; the others are told in shadow.
Test(cases_bank, a_new_device_is_rolled_out_to_a_few)
{
    enum {
        PEOPLE = 1000
    };
    struct bank bank;
    unsigned enforced = 0, shadowed = 0;
    char id[16];
    bank_load(&bank);
    for (int i = 0; i < 2 * PEOPLE; i++) {
        snprintf(id, sizeof id, "user%d", i % PEOPLE);
        // A device that nobody told of: perhaps a new one.
        const char *got = ask(&bank, &(struct says){.id = id, .device = "{'managed': true}"});
        bool bites = strcmp(got, "step_up/policy") == 0;
        bool told = strcmp(harness_get(&bank.h, "context.shadow.effect"), "step_up") == 0;
        cr_expect(bites || strcmp(got, "allow/policy") == 0, "%s", got);
        cr_expect_neq(bites, told, "%s: enforced or told\n" STR_FMT, id, STR_ARG(buf_view(&bank.h.answer)));
        enforced += bites;
        shadowed += told;
        static bool drawn[PEOPLE];
        cr_expect(i < PEOPLE || drawn[i % PEOPLE] == bites, "%s: who is drawn stays drawn", id);
        drawn[i % PEOPLE] = bites;
    }
    cr_expect(enforced >= 2 * PEOPLE * 3 / 100 && enforced <= 2 * PEOPLE * 7 / 100, "%u", enforced);
    cr_expect_eq(enforced + shadowed, 2 * PEOPLE);
    bank_fini(&bank);
}

// The first of those that are drawn.
static const char *drawn(struct bank *bank)
{
    static char id[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "user%d", i);
        if (strcmp(ask(bank, &(struct says){.id = id, .device = "{'managed': true}"}), "step_up/policy") ==
            0) {
            return id;
        }
    }
    cr_assert_fail("nobody is drawn");
    return "";
}

Test(cases_bank, a_device_that_is_new_or_not)
{
    struct bank bank;
    bank_load(&bank);
    const char *id = drawn(&bank);
    const struct says phone = {.id = id, .device = "{'managed': true, 'fingerprint': 'phone'}"};
    struct says says = phone;
    cr_expect_str_eq(ask(&bank, &says), "step_up/policy", "not known yet: it is new for certain");
    cr_expect_str_eq(harness_get(&bank.h, "context.rule"), "new-device/new-device");
    cr_expect_str_eq(harness_get(&bank.h, "context.missing"), "");
    says.amr = "['otp']";
    cr_expect_str_eq(ask(&bank, &says), "allow/policy", "proved, and remembered");
    says.amr = "['pwd']";
    says.at_ms = HOUR;
    cr_expect_str_eq(ask(&bank, &says), "step_up/policy", "seen for the first time today");
    cr_expect_str_eq(harness_get(&bank.h, "context.missing"), "");
    says.at_ms = 24 * HOUR - MINUTE;
    says.auth_ms = MINUTE;
    cr_expect_str_eq(ask(&bank, &says), "step_up/policy");
    says.at_ms = 24 * HOUR;
    cr_expect_str_eq(ask(&bank, &says), "allow/policy", "seen yesterday");
    says.device = "{'managed': true, 'fingerprint': 7}";
    cr_expect_str_eq(ask(&bank, &says), "deny/malformed");
    says.device = "";
    cr_expect_str_eq(ask(&bank, &says), "step_up/policy", "which device?");
    cr_expect_str_eq(harness_get(&bank.h, "context.missing"), "[\"`device.first_seen` is missing\"]");
    bank_fini(&bank);
}

// `starts`: in November the rule is not there.
Test(cases_bank, a_rule_that_has_not_begun)
{
    struct bank bank;
    bank_load(&bank);
    const char *id = drawn(&bank);
    cr_expect_str_eq(ask(&bank, &(struct says){.id = id, .device = "{'managed': true}", .at_ms = -7 * DAY}),
                     "allow/policy");
    bank_fini(&bank);
}
