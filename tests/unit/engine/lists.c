// SPDX-License-Identifier: Apache-2.0
// Lists that are read anew while the rest of a snapshot stays.
#include "support/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
static const char POLICY[] =
    HEAD("Policy",
         "p") "rules:\n"
              "  - {id: a, effect: allow, when: '!(subject.id in lists.one) && !(subject.id in "
              "lists.two) && !(subject.id in lists.own)'}\n" HEAD(
                  "List",
                  "one") "type: string\nfile: one.txt\nmax_age: 1h\n" HEAD("List",
                                                                           "two") "type: string\nfile: "
                                                                                  "two.txt\n" HEAD(
                                                                                      "List", "own") "type: "
                                                                                                     "string"
                                                                                                     "\nentri"
                                                                                                     "es: "
                                                                                                     "[oscar]"
                                                                                                     "\n";

static const char SHADOWED[] =
    HEAD("Policy", "p") "rules: [{id: a, effect: allow}]\n" HEAD(
        "Policy", "tried") "shadow: true\nrules: [{id: b, effect: deny, when: 'subject.id in "
                           "lists.one'}]\n" HEAD("List", "one") "type: string\nfile: one.txt\n";

static const struct hash_key SEED = {3, 4};

struct files {
    const char *one, *two; // NULL: lost
};

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    const struct files *files = user;
    const char *found = str_eq(path, STR("one.txt")) ? files->one : files->two;
    *text = str_of(found);
    return found != NULL ? PDP_ERR_OK : PDP_ERR_IO;
}

static struct snapshot_file document = {.name = {"p.yaml", 6}, .text = {POLICY, sizeof POLICY - 1}};

static struct snapshot_input input_of(const struct files *files, int64_t now_ms)
{
    return (struct snapshot_input){.files = &document,
                                   .file_count = 1,
                                   .read_file = read_file,
                                   .user = (void *)(uintptr_t)files,
                                   .now_ms = now_ms};
}

static char said[4096];

static void say(struct diags *diags)
{
    AUTO(buf_fini) struct buf words = {0};
    diags_render(diags, &words);
    snprintf(said, sizeof said, STR_FMT, STR_ARG(buf_view(&words)));
    diags_fini(diags);
}

static struct snapshot *build(const struct files *files, int64_t now_ms)
{
    const struct snapshot_input input = input_of(files, now_ms);
    struct snapshot *snapshot = NULL;
    struct diags diags;
    diags_init(&diags, 10);
    enum pdp_err err = snapshot_build(&input, SEED, &diags, &snapshot);
    say(&diags);
    cr_assert_eq(err, PDP_ERR_OK, "%s", said);
    return snapshot;
}

// NULL: it was refused, and `said` is why.
static struct snapshot *reload(const struct snapshot *from, const char *list, const struct files *files,
                               int64_t now_ms)
{
    const struct snapshot_input input = input_of(files, now_ms);
    struct snapshot *snapshot = NULL;
    struct diags diags;
    diags_init(&diags, 10);
    enum pdp_err err = snapshot_reload_lists(from, str_of(list), &input, SEED, &diags, &snapshot);
    cr_expect_eq(err == PDP_ERR_OK, snapshot != NULL);
    cr_expect_eq(err == PDP_ERR_OK, diags.errors == 0);
    say(&diags);
    return snapshot;
}

#define EXPECT_SAME(a, b)                                                          \
    cr_expect(str_eq(snapshot_digest(a), snapshot_digest(b)), STR_FMT " " STR_FMT, \
              STR_ARG(snapshot_digest(a)), STR_ARG(snapshot_digest(b)))

Test(engine_lists, a_digest_is_that_of_a_full_load)
{
    const struct files was = {"alice\n", "bob\n"}, one = {"carol\n", "bob\n"}, both = {"carol\n", "dave\n"};
    AUTO(snapshot_free) struct snapshot *before = build(&was, 1);
    AUTO(snapshot_free) struct snapshot *same = reload(before, "", &was, 2);
    AUTO(snapshot_free) struct snapshot *some = reload(before, "one", &both, 3); // `two` is not looked at
    AUTO(snapshot_free) struct snapshot *all = reload(some, "", &both, 4);
    AUTO(snapshot_free) struct snapshot *back = reload(all, "", &was, 5);
    AUTO(snapshot_free) struct snapshot *full_one = build(&one, 6);
    AUTO(snapshot_free) struct snapshot *full_both = build(&both, 7);
    cr_assert(same != NULL && some != NULL && all != NULL && back != NULL);
    EXPECT_SAME(before, same);
    EXPECT_SAME(some, full_one);
    EXPECT_SAME(all, full_both);
    EXPECT_SAME(before, back);
    cr_expect(!str_eq(snapshot_digest(before), snapshot_digest(some)));
    cr_expect(!str_eq(snapshot_digest(some), snapshot_digest(all)));
}

Test(engine_lists, what_is_shared_may_go_in_any_order)
{
    const struct files files = {"alice\n", "bob\n"};
    for (unsigned order = 0; order < 24; order++) {
        struct snapshot *all[4] = {build(&files, 1)};
        cr_assert_eq(snapshot_share(all[0], &all[1]), PDP_ERR_OK);
        all[2] = reload(all[1], "one", &files, 2);
        all[3] = reload(all[2], "two", &files, 3);
        unsigned left = order;
        for (unsigned count = 4; count > 0; count--) {
            unsigned at = left % count;
            left /= count;
            snapshot_free(&all[at]);
            all[at] = all[count - 1];
        }
    }
}

static const struct {
    const char *list;
    struct files files;
    const char *said;
} REFUSED[] = {
    {"noe", {"", ""}, "error: no list is called `noe`\n  hint: did you mean `one`?\n"},
    {"something-else",
     {"", ""},
     "error: no list is called `something-else`\n  hint: a list that was added is read with all policies\n"},
    {"own",
     {"", ""},
     "error: the entries of `lists.own` stand in its document\n  hint: reload all policies\n"},
    {"one",
     {NULL, "x\n"},
     "one.txt: error: cannot be read: input or output failed\n"
     "  hint: the entries of `lists.one` that were read before serve on\n"},
    {"one",
     {"a\n# version: 3\n", "x\n"},
     "one.txt:2:1: error: a header stands above the first entry\n"
     "    2 | # version: 3\n"
     "      | ^~~~~~~~~~~~\n"
     "  hint: move it up, or write the comment in other words\n"},
    {"",
     {"a\x01\n", "\x02\n"},
     "one.txt:1:1: error: an entry holds a control character\n"
     "    1 | a\\x01\n"
     "      | ^~\n"
     "  hint: a list is UTF-8 text, one entry a line, and lines end with LF or CR LF\n"
     "two.txt:1:1: error: an entry holds a control character\n"
     "    1 | \\x02\n"
     "      | ^\n"
     "  hint: a list is UTF-8 text, one entry a line, and lines end with LF or CR LF\n"},
};

Test(engine_lists, what_is_refused_is_told_word_for_word)
{
    const struct files was = {"alice\n", "bob\n"};
    AUTO(snapshot_free) struct snapshot *before = build(&was, 1);
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        AUTO(snapshot_free) struct snapshot *after = reload(before, REFUSED[i].list, &REFUSED[i].files, 2);
        cr_expect_null(after, "%zu", i);
        cr_expect_str_eq(said, REFUSED[i].said, "%zu: %s", i, said);
    }
}

// ---- Answers --------------------------------------------------------------------------------------------

static void find_one(void *user, const struct policy_list_facts *list)
{
    if (str_eq(list->name, STR("one"))) {
        *(struct policy_list_facts *)user = *list;
    }
}

static struct policy_list_facts facts_of(struct harness *h, int64_t now_ms)
{
    struct policy_list_facts facts = {0};
    engine_lists(h->engine, h->worker, now_ms, find_one, &facts);
    return facts; // texts are gone
}

static const char *effect(struct harness *h, const char *subject, int64_t now_ms)
{
    char text[256];
    snprintf(text, sizeof text,
             "{'subject': {'type': 'user', 'id': '%s'}, 'action': {'name': 'GET'}, 'resource': {'type': 'x', "
             "'id': 'y'}}",
             subject);
    harness_ask(h, now_ms, text);
    return harness_effect(h);
}

Test(engine_lists, answers_turn_with_the_list)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, HEAD("Policy", "q") "rules: [{id: a, effect: deny}]\n"));
    const struct files was = {"alice\n", "bob\n"}, now = {"carol\n", "dave\n"}, bad = {"\x01\n", "\n"};
    struct snapshot *first = build(&was, 1000), *latest = NULL, *next = NULL;
    cr_assert_eq(snapshot_share(first, &latest), PDP_ERR_OK);
    engine_publish(h.engine, &first);
    cr_expect_str_eq(effect(&h, "alice", 1000), "deny/no-rule");
    cr_expect_str_eq(effect(&h, "carol", 1000), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.valid.policy_epoch"), "2");

    next = reload(latest, "one", &now, 5000);
    cr_assert_not_null(next);
    snapshot_free(&latest);
    cr_assert_eq(snapshot_share(next, &latest), PDP_ERR_OK);
    engine_publish(h.engine, &next);
    engine_tidy(h.engine, 5000);
    cr_expect_str_eq(effect(&h, "alice", 5000), "allow/policy");
    cr_expect_str_eq(effect(&h, "carol", 5000), "deny/no-rule");
    cr_expect_str_eq(effect(&h, "bob", 5000), "deny/no-rule", "the other file was not read");
    cr_expect_str_eq(effect(&h, "oscar", 5000), "deny/no-rule");
    cr_expect_str_eq(harness_get(&h, "context.valid.policy_epoch"), "3");
    cr_expect_eq(facts_of(&h, 5000).loaded_ms, 5000);

    cr_expect_null(reload(latest, "one", &bad, 6000)); // serves on, until it is too old
    cr_expect_eq(facts_of(&h, 6000).refused_ms, 6000);
    cr_expect_str_eq(effect(&h, "alice", 3605000), "allow/policy");
    cr_expect_str_eq(effect(&h, "alice", 3605001), "deny/unsure");
    cr_expect(facts_of(&h, 3605001).stale && !facts_of(&h, 3605000).stale);

    next = reload(latest, "one", &now, 4000000);
    engine_publish(h.engine, &next);
    cr_expect_str_eq(effect(&h, "alice", 4000000), "allow/policy");
    cr_expect_eq(facts_of(&h, 4000000).refused_ms, 0);
    snapshot_free(&latest);
    harness_fini(&h);
}

Test(engine_lists, an_answer_is_good_until_a_list_grows_stale)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, HEAD("Policy", "q") "rules: [{id: a, effect: deny}]\n"));
    const struct files files = {"# updated: 1970-01-01T00:00:10Z\nalice\n", "bob\n"};
    struct snapshot *first = build(&files, 1000);
    engine_publish(h.engine, &first);
    cr_expect_str_eq(effect(&h, "carol", 3600000), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.valid.until"), "3610", "%s",
                     harness_get(&h, "context.valid.until"));
    cr_expect_str_eq(effect(&h, "carol", 3610000), "allow/policy");
    cr_expect_str_eq(effect(&h, "carol", 3610001), "deny/unsure");
    harness_fini(&h);
}

Test(engine_lists, what_is_in_shadow_goes_on)
{
    struct harness h = {0};
    cr_assert(harness_load(&h, HEAD("Policy", "q") "rules: [{id: a, effect: deny}]\n"));
    document.text = str_of(SHADOWED);
    const struct files was = {"alice\n", ""}, now = {"bob\n", ""};
    struct snapshot *first = build(&was, 1000), *latest = NULL;
    cr_assert_eq(snapshot_share(first, &latest), PDP_ERR_OK); // before it is published, as the daemon does
    engine_publish(h.engine, &first);
    cr_expect_str_eq(effect(&h, "alice", 1000), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "deny");
    struct snapshot *next = reload(latest, "one", &now, 2000);
    engine_publish(h.engine, &next);
    engine_tidy(h.engine, 2000);
    cr_expect_str_eq(effect(&h, "bob", 2000), "allow/policy");
    cr_expect_str_eq(harness_get(&h, "context.shadow.effect"), "deny");
    cr_expect_str_eq(effect(&h, "alice", 2000), "allow/policy");
    cr_expect_str_neq(harness_get(&h, "context.shadow.effect"), "deny");
    snapshot_free(&latest);
    harness_fini(&h);
}
