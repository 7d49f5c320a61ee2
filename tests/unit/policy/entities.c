// SPDX-License-Identifier: Apache-2.0
// Walks over entities of documents and Lists: in order, each once, and no others than those of the ranges.
#include "policy/set.h"

#include "unit/policy/fixture.h"

#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"

static const char FOLDER[] = "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: List\n"
                             "metadata: {name: more}\n"
                             "type: string\n"
                             "entries: [b, ab, aa/1, z, ab]\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: List\n"
                             "metadata: {name: others}\n"
                             "type: string\n"
                             "entries: [c, ab]\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: List\n"
                             "metadata: {name: lost}\n"
                             "type: string\n"
                             "file: nowhere.txt\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Entities\n"
                             "metadata: {name: e}\n"
                             "type: user\n"
                             "ids: lists.more\n"
                             "entities: [aa, {id: ab, properties: {x: 1}}, b-2, d]\n"
                             "actions: [write, read]\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Entities\n"
                             "metadata: {name: f}\n"
                             "type: user\n"
                             "ids: lists.others\n"
                             "entities: [a]\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Entities\n"
                             "metadata: {name: g}\n"
                             "type: user\n"
                             "ids: lists.lost\n"
                             "actions: [print]\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Entities\n"
                             "metadata: {name: any}\n"
                             "actions: [list, {name: read, properties: {any: true}}]\n"
                             "---\n"
                             "apiVersion: pdp/v1\n"
                             "kind: Policy\n"
                             "metadata: {name: p}\n"
                             "rules: [{id: r, effect: allow}]\n";

static const struct {
    const char *name, *type, *after, *ranges, *walked; // a range ends with `*` where it is a prefix
    bool actions;
} WALKS[] = {
    {"all", "user", NULL, NULL, "a aa aa/1 ab b b-2 c d z", false},
    {"behind one", "user", "aa/1", NULL, "ab b b-2 c d z", false},
    {"behind one that is gone", "user", "aaa", NULL, "ab b b-2 c d z", false},
    {"behind the last", "user", "z", NULL, "", false},
    {"some", "user", NULL, "d a c x", "a c d", false},
    {"a prefix", "user", NULL, "a*", "a aa aa/1 ab", false},
    {"prefixes in each other", "user", NULL, "aa* a* ab aa/1", "a aa aa/1 ab", false},
    {"a prefix and one behind", "user", NULL, "z b* b", "b b-2 z", false},
    {"a prefix, from the middle on", "user", "aa", "a* c", "aa/1 ab c", false},
    {"none", "user", NULL, "", "", false},
    {"nobody", "user", NULL, "y* 0", "", false},
    {"another type", "robot", NULL, NULL, "", false},
    {"actions of a type and of any", "user", NULL, NULL, "list print read write", true},
    {"actions of any", "robot", NULL, NULL, "list read", true},
    {"some actions", "user", NULL, "read re*", "read", true},
};

static size_t read_ranges(const char *text, struct entities_range *out)
{
    size_t count = 0;
    struct str all = str_of(text);
    for (size_t at = 0; at < all.len;) {
        size_t end = str_find_byte(all, ' ', at);
        struct str word = str_sub(all, at, end - at);
        bool prefix = str_ends(word, STR("*"));
        out[count++] = (struct entities_range){str_sub(word, 0, word.len - prefix), prefix};
        at = end + 1;
    }
    return entities_ranges_sort(out, count);
}

Test(policy_entities, are_walked_in_order)
{
    struct fixture f;
    fixture_load(&f, str_of(FOLDER));
    for (size_t i = 0; i < COUNT_OF(WALKS); i++) {
        struct entities_range ranges[8];
        struct entities_walk walk;
        struct entity one;
        char walked[256] = "";
        size_t count = WALKS[i].ranges != NULL ? read_ranges(WALKS[i].ranges, ranges) : 0;
        entities_walk_begin(&walk, f.set, f.lists, str_of(WALKS[i].type), WALKS[i].actions,
                            WALKS[i].ranges != NULL ? ranges : NULL, count, str_of(WALKS[i].after));
        while (entities_walk_next(&walk, &one)) {
            size_t at = strlen(walked);
            snprintf(walked + at, sizeof walked - at, "%s" STR_FMT, at > 0 ? " " : "", STR_ARG(one.id));
            bool stored = str_eq(one.id, STR("ab"));
            cr_expect(WALKS[i].actions || (one.properties != NULL) == stored, STR_FMT, STR_ARG(one.id));
        }
        cr_expect_str_eq(walked, WALKS[i].walked, "%s: %s", WALKS[i].name, walked);
        cr_expect_not(entities_walk_next(&walk, &one));
    }
    cr_expect_eq(entities_count(f.set, f.lists, STR("user"), false), 11);
    cr_expect_eq(entities_count(f.set, f.lists, STR("user"), true), 4);
    // A type's own word of an action wins: `read` of users has no properties, that of others has.
    cr_expect(entities_type_of(f.set, STR("user"))->actions[2].properties == NULL);
    cr_expect(f.set->entities.actions[1].properties != NULL);
    fixture_fini(&f);
}

Test(policy_entities, are_shown)
{
    struct fixture f;
    AUTO(buf_fini) struct buf text = {0};
    fixture_load(&f, str_of(FOLDER));
    policy_set_print(f.set, f.lists, &text);
    buf_byte(&text, '\0');
    cr_expect(strstr((const char *)text.at, "entities \"user\", 5 ids, lists.more, lists.others, lists.lost, "
                                            "actions \"list\" \"print\" \"read\" \"write\"\n"
                                            "entities of any type, actions \"list\" \"read\"\n") != NULL,
              "%s", (const char *)text.at);
    fixture_fini(&f);
}

// A hundred thousand are read, sorted and found.
Test(policy_entities, may_be_many, .timeout = 60)
{
    struct fixture f;
    AUTO(buf_fini) struct buf yaml = {0};
    buf_str(&yaml, STR(HEAD("Policy", "p") "rules: [{id: r, effect: allow}]\n" HEAD(
                       "Entities", "e") "type: user\nattributes: fill\nentities:\n"));
    for (unsigned i = 0; i < 100000; i++) {
        buf_printf(&yaml, "  - {id: u%u, properties: {n: %u}}\n", i * 7919 % 100000, i * 7919 % 100000);
    }
    fixture_load(&f, buf_view(&yaml));
    const struct value *properties = NULL;
    cr_assert_eq(entities_find(f.set, f.lists, STR("user"), STR("u77777"), 0, &properties), ENTITIES_KNOWN);
    cr_expect_eq(value_get(properties, STR("n"))->as.i, 77777);
    cr_expect_eq(entities_find(f.set, f.lists, STR("user"), STR("u100000"), 0, &properties),
                 ENTITIES_UNKNOWN);
    cr_expect_eq(entities_find(f.set, f.lists, STR("robot"), STR("u1"), 0, &properties), ENTITIES_SILENT);
    cr_expect_eq(entities_count(f.set, f.lists, STR("user"), false), 100000);
    fixture_fini(&f);
}
