// SPDX-License-Identifier: Apache-2.0
// What two folders say differently, fact by fact.
#include "cli/change/diff.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULE(condition)                                                                             \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n  - {id: a, effect: allow}\n" \
    "  - id: r\n    effect: deny\n    when: " condition "\n"
#define BESIDE "---\napiVersion: pdp/v1\n"

struct pair {
    struct diags diags;
    struct snapshot *was, *is;
    struct diff diff;
};

static enum pdp_err no_file(void *user, struct str path, struct str *text)
{
    (void)user, (void)path, (void)text;
    return PDP_ERR_IO;
}

static struct snapshot *build(const char *yaml, struct diags *diags)
{
    struct snapshot *snapshot = NULL;
    const struct snapshot_file file = {.name = STR("policies/web.yaml"), .text = str_of(yaml)};
    const struct snapshot_input input = {.files = &file,
                                         .file_count = 1,
                                         .read_file = no_file,
                                         .read_zone = no_file,
                                         .now_ms = TRIAL_NOW,
                                         .conditions = true};
    enum pdp_err err = snapshot_build(&input, (struct hash_key){1, 2}, diags, &snapshot);
    struct buf said = {0};
    diags_render(diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT, STR_ARG(buf_view(&said)));
    buf_fini(&said);
    return snapshot;
}

static void compare(struct pair *pair, const char *was, const char *is)
{
    *pair = (struct pair){0};
    diags_init(&pair->diags, 10);
    pair->was = build(was, &pair->diags);
    pair->is = build(is, &pair->diags);
    cr_assert_eq(diff_find(pair->was, pair->is, &pair->diff), PDP_ERR_OK);
}

static void done(struct pair *pair)
{
    diff_fini(&pair->diff);
    snapshot_free(&pair->was);
    snapshot_free(&pair->is);
    diags_fini(&pair->diags);
}

Test(change_facts, conditions_that_mean_the_same_are_the_same)
{
    static const struct {
        const char *was, *is;
        bool same;
    } CASES[] = {
        {RULE("subject.a == 1 && subject.b == 2"), RULE("subject.b == 2 && subject.a == 1"), true},
        {RULE("subject.a == 1 && subject.b == 2"), RULE("2 == subject.b && (subject.a == 1)"), true},
        {RULE("'!(subject.x || subject.y)'"), RULE("'!subject.x && !subject.y'"), true},
        {RULE("subject.x || (subject.x && subject.y)"),
         RULE("subject.x || (subject.x && subject.y) || false"), true},
        {RULE("subject.x && (subject.y || subject.z)"),
         RULE("(subject.x && subject.y) || (subject.x && subject.z)"), true},
        {RULE("{all: [subject.x, {not: subject.y}]}"), RULE("'subject.x && !subject.y'"), true},
        {RULE("subject.a > 60 * 2"), RULE("subject.a > 120"), true},
        {RULE("subject.a == 1"), RULE("subject.a == 1.0"), false}, // told apart where attributes are typed
        {RULE("subject.x || !subject.x"), RULE("'true'"), false},  // unsure is not yes
        {RULE("subject.x && subject.y"), RULE("subject.x || subject.y"), false},
        {RULE("subject.a in ['x', 'y']"), RULE("subject.a in ['x', 'z']"), false},
        {RULE("subject.a > subject.b"), RULE("subject.b < subject.a"), true},
        {RULE("subject.a >= 5"), RULE("5 <= subject.a"), true},
        {RULE("subject.a > subject.b"), RULE("subject.a < subject.b"), false},
        {RULE("subject.a > 5"), RULE("5 <= subject.a"), false},
        {RULE("subject.a > 5"), RULE("'!(subject.a <= 5)'"), false}, // not a number
        {RULE("timestamp(subject.t) < now"), RULE("now > timestamp(subject.t)"), true},
        {RULE("timestamp(subject.t) < now"), RULE("now < timestamp(subject.t)"), false},
        {RULE("has(subject.a)"), RULE("has(subject.b)"), false},
        {RULE("subject.a.matches('^a+$')"), RULE("subject.a.matches('^a*$')"), false},
        {RULE("within(now, 'Mon 07:00-08:00', 'UTC')"), RULE("within(now, 'Mon 07:00-09:00', 'UTC')"), false},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pair pair;
        compare(&pair, CASES[i].was, CASES[i].is);
        cr_expect_eq(pair.diff.changes.count, !CASES[i].same, "%s\n%s: %zu", CASES[i].was, CASES[i].is,
                     pair.diff.changes.count);
        done(&pair);
    }
}

// What changed: kind, name, what, its aspects.
static void put_changes(const struct diff *diff, struct buf *out)
{
    static const char *const WHAT[] = {"+", "-", "~", ">"};
    for (size_t i = 0; i < diff->changes.count; i++) {
        const struct change *change = &diff->changes.list[i];
        buf_printf(out, "%s%s" STR_FMT, WHAT[change->what], i > 0 ? "" : "", STR_ARG(change->name));
        for (uint32_t k = 0; change->what == CHANGE_CHANGED && k < change->part_count; k++) {
            const struct change_part *part = &change->parts[k];
            buf_printf(out, " %s", (part->was != NULL ? part->was : part->is)->aspect);
        }
        buf_byte(out, ';');
    }
    buf_byte(out, '\0');
}

Test(change_facts, every_kind_of_document)
{
#define LIST(entries)             \
    RULE("subject.id in lists.l") \
    BESIDE "kind: List\nmetadata: {name: l}\ntype: string\nentries: [" entries "]\n"
#define STRENGTHS(levels) \
    RULE("subject.x") BESIDE "kind: Strengths\nmetadata: {name: s}\nlevels: [" levels "]\n"
#define PWD "{name: pwd, proves: '\"pwd\" in session.amr'}"
#define OTP "{name: otp, proves: '\"otp\" in session.amr'}"
#define LIMITS(limits) \
    RULE("subject.x") BESIDE "kind: SessionPolicy\nmetadata: {name: all}\nlimits: {" limits "}\n"
#define MODEL(rest) RULE("subject.x") BESIDE "kind: RiskModel\nmetadata: {name: m}\n" rest
#define FIRST(a, b) \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\ncombine: first-match\nrules:\n" a b
#define ONE "  - {id: one, effect: allow}\n"
#define TWO "  - {id: two, effect: deny}\n"
#define COUNTED(window, key) \
    RULE("subject.x") BESIDE "kind: Counter\nmetadata: {name: c}\nkey: [" key "]\nwindow: " window "\n"
#define LIFTED(lifts) \
    RULE("subject.x") \
    BESIDE "kind: Exception\nmetadata: {name: e}\nlifts: [" lifts "]\nexpires: 2030-01-01T00:00:00Z\n"
#define SCHEMA(attributes) \
    RULE("subject.x")      \
    BESIDE "kind: Schema\nmetadata: {name: s}\nattributes: {subject.x: {type: bool}" attributes "}\n"
#define ROLES(roles) RULE("subject.x") BESIDE "kind: Definitions\nmetadata: {name: d}\nroles: {" roles "}\n"
    static const struct {
        const char *was, *is, *changes;
    } CASES[] = {
        {LIST("a, b"), LIST("b, a, a"), ""},
        {LIST("a, b"), LIST("a, c"), "~l entries;"},
        {STRENGTHS(PWD ", " OTP), STRENGTHS(OTP ", " PWD),
         "~otp stronger than;~pwd stronger than;~the risk model proofs take away;"},
        {STRENGTHS(PWD), STRENGTHS(PWD ", " OTP), "+otp;~the risk model proofs take away;"},
        {LIMITS("idle: 1h"), LIMITS("idle: 60m"), ""},
        {LIMITS("idle: 1h"), LIMITS("idle: 1h, concurrent: 2"), "~all concurrent;"},
        {LIMITS("level: aal2"), LIMITS("idle: 1h, absolute: 24h"), ""},
        {MODEL("signals: {}\nprior: -3\n"), MODEL("prior: -3.0\nsignals: {}\n"), ""},
        {MODEL("signals: {external: {evidence: 5}}\n"), MODEL("signals: {external: {evidence: 6}}\n"),
         "~external weight;"},
        {MODEL("signals: {}\n"), MODEL("signals: {tool-agent: {on_missing: skip}}\n"), "+tool-agent;"},
        {FIRST(ONE, TWO), FIRST(TWO, ONE), "~web order of rules;"},
        {FIRST(ONE, ""), FIRST(ONE, TWO), "+web/two;"},
        {COUNTED("1h", "subject.id"), COUNTED("60m", "subject.id"), ""},
        {COUNTED("1h", "subject.id"), COUNTED("2h", "tenant"), "~c counts key;"},
        {LIFTED("'*'"), LIFTED("web/r"), "~e lifts;"},
        {SCHEMA(""), SCHEMA(", subject.y: {type: int}"), "+subject.y;"},
        {ROLES("boss: [staff]"), ROLES("boss: [staff, hr]"), "~boss brings;"},
        {RULE("subject.x"), RULE("subject.x\n    reason: because"), "~web/r reason;"},
        {RULE("subject.x"),
         "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n  - {id: s, effect: deny, when: "
         "subject.x}\n"
         "  - {id: a, effect: allow}\n",
         ">web/r;"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pair pair;
        struct buf said = {0};
        compare(&pair, CASES[i].was, CASES[i].is);
        put_changes(&pair.diff, &said);
        cr_expect_str_eq((const char *)said.at, CASES[i].changes, "case %zu: %s", i, (const char *)said.at);
        buf_fini(&said);
        done(&pair);
    }
}

// As it is written; where that is the same and a variable is not, as the program has it.
Test(change_facts, a_condition_is_shown_as_it_is_written)
{
#define SESSIONS(target) \
    RULE("subject.x")    \
    BESIDE "kind: SessionPolicy\nmetadata: {name: all}\ntarget: '" target "'\nlimits: {idle: 1h}\n"
#define SIGNAL(when)                                             \
    RULE("subject.x")                                            \
    BESIDE "kind: RiskModel\nmetadata: {name: m}\nsignals: {}\n" \
           "own: [{id: own, when: '" when "', evidence: 1, on_missing: skip}]\n"
#define VARIABLE(value) \
    RULE("vars.v") BESIDE "kind: Definitions\nmetadata: {name: d}\nvariables: {v: " value "}\n"
    static const struct {
        const char *was, *is, *texts;
    } CASES[] = {
        {SESSIONS("has(subject.y) && !subject.y"), SESSIONS("subject.z"),
         "has(subject.y) && !(subject.y) -> subject.z"},
        {SIGNAL("subject.a > 1"), SIGNAL("subject.a > 2"), "subject.a > 1 -> subject.a > 2"},
        {VARIABLE("subject.y"), VARIABLE("subject.z"), "(SLOT subject.y) -> (SLOT subject.z)"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct pair pair;
        AUTO(buf_fini) struct buf text = {0};
        compare(&pair, CASES[i].was, CASES[i].is);
        cr_assert_eq(pair.diff.changes.count, 1, "%s", CASES[i].is);
        const struct change_part *part = &pair.diff.changes.list[0].parts[0];
        buf_printf(&text, STR_FMT " -> " STR_FMT "%c", STR_ARG(part->was->text), STR_ARG(part->is->text), 0);
        cr_expect_str_eq((const char *)text.at, CASES[i].texts);
        done(&pair);
    }
}

Test(change_facts, a_question_is_said_as_conditions_name_it)
{
    struct arena arena;
    struct trial trial;
    struct trial_step steps[TRIAL_STEPS_MOST];
    struct buf out = {0};
    struct emit emit;
    arena_init(&arena, 0, 0);
    trial_init(&trial, &arena);
    trial_put(&trial, STR("subject.id"), value_str(STR("alice")));
    trial_put(&trial, STR("subject.boss.id"), value_str(STR("bob")));
    trial_put(&trial, STR("action.name"), value_str(STR("GET")));
    trial_put(&trial, STR("resource.properties.type"), value_str(STR("x")));
    trial_put(&trial, STR("context.activity.rows"), value_int(3));
    trial_put(&trial, STR("session.auth_time"), value_time_ms(TRIAL_NOW - 60000));
    trial_put(&trial, STR("device.components.os"), value_str(STR("linux")));
    trial_put(&trial, STR("geo.country"), value_str(STR("DE")));
    trial_put(&trial, STR("network.ip"), value_str(STR("192.0.2.7")));
    trial.evidence = 2;
    trial.login = true;
    trial.repeats = 1;
    trial.gap_ms = 5000;
    cr_assert_eq(trial_steps(&trial, steps), 4);
    emit_init(&emit, WIRE_JSON, &out);
    emit_list(&emit, 4);
    for (size_t i = 0; i < 4; i++) {
        trial_line(&steps[i], &emit);
    }
    emit_end(&emit);
    static const char QUESTION[] = "{\"at\":\"2026-11-23T09:00:00Z\",\"request\":{\"subject\":{\"id\":"
                                   "\"alice\",\"properties\":{\"boss\":{\"id\":\"bob\"}}},"
                                   "\"action\":{\"name\":\"GET\"},\"resource\":{\"properties\":{\"type\":"
                                   "\"x\"}},\"context\":{\"activity\":{\"rows\":3},"
                                   "\"session\":{\"auth_time\":1795424340,\"id\":\"session-1\"},\"device\":{"
                                   "\"components\":{\"os\":\"linux\"}},"
                                   "\"network\":{\"ip\":\"192.0.2.7\"}}}}]";
    cr_expect(str_ends(buf_view(&out), str_of(QUESTION)), STR_FMT, STR_ARG(buf_view(&out)));
    cr_expect(str_find(buf_view(&out), STR("{\"at\":\"2026-11-23T08:58:51Z\",\"event\":{\"type\":\"login\""),
                       0) != SIZE_MAX ||
                  str_find(buf_view(&out), STR("\"type\":\"login\""), 0) <
                      str_find(buf_view(&out), STR("\"type\":\"signal\""), 0),
              STR_FMT, STR_ARG(buf_view(&out)));
    cr_expect(str_eq(trial_places(&trial), STR("{\"192.0.2.7/32\":{\"country\":\"DE\"}}")));
    buf_fini(&out);
    arena_fini(&arena);
}

#define OBLIGED(value)                                                                               \
    "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: web}\nrules:\n  - {id: a, effect: allow, "   \
    "obligations: "                                                                                  \
    "[{type: keep, properties: {days: 1}}]}\n  - {id: b, effect: allow, obligations: [{type: keep, " \
    "properties: {days: " value "}}]}\n"

Test(change_facts, what_a_gateway_is_told_as_another_type_is_another)
{
    struct pair pair;
    compare(&pair, OBLIGED("1"), OBLIGED("1.0"));
    cr_expect_eq(pair.diff.changes.count, 1);
    done(&pair);
    compare(&pair, OBLIGED("0.1"), OBLIGED("0.10000000000000002"));
    cr_expect_eq(pair.diff.changes.count, 1);
    done(&pair);
    compare(&pair, OBLIGED("1.0"), OBLIGED("1.00"));
    cr_expect_eq(pair.diff.changes.count, 0);
    done(&pair);
}
