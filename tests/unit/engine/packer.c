// SPDX-License-Identifier: Apache-2.0
// A snapshot's sources as a bundle: what documents named and no more, the same bytes each time, and the
// snapshot that is made of it again has the same digest.
#include "engine/packer.h"
#include "engine/packed.h"

#include <criterion/criterion.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define ONE HEAD("Policy", "one") "rules:\n  - {id: a, effect: allow, when: 'subject.id in lists.l'}\n"
#define TWO HEAD("Policy", "two") "rules: [{id: b, effect: deny, when: 'subject.id == \"x\"'}]\n"
#define LIST HEAD("List", "l") "type: string\nfile: lists/l.txt\n"

static const struct bundle BARE = {.name = {"n", 1}, .version = 1, .expires_s = 1};
static struct str list_text = {"alice\n", 6};

static enum pdp_err read_list(void *user, struct str path, struct str *text)
{
    (void)user;
    *text = list_text;
    return str_eq(path, STR("lists/l.txt")) ? PDP_ERR_OK : PDP_ERR_MISSING;
}

static const struct snapshot_file FILES[] = {
    {.name = {"/some/where/a.yaml", 18}, .text = {ONE LIST, sizeof(ONE LIST) - 1}},
    {.name = {"/some/where/b/c.yaml", 20}, .text = {TWO, sizeof(TWO) - 1}}};
static const struct snapshot_input FOLDER = {
    .files = FILES, .file_count = 2, .read_file = read_list, .now_ms = 1};

static struct snapshot *build(const struct snapshot_input *input)
{
    struct snapshot *snapshot = NULL;
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf said = {0};
    diags_init(&diags, 10);
    enum pdp_err err = snapshot_build(input, (struct hash_key){1, 2}, &diags, &snapshot);
    diags_render(&diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT, STR_ARG(buf_view(&said)));
    return snapshot;
}

static struct snapshot *packed_again(const struct buf *bytes, struct packed **packed)
{
    struct bundle_fault why;
    cr_assert_eq(packed_new(buf_view(bytes), STR("/some/where"), packed, &why), PDP_ERR_OK, "%s", why.what);
    struct snapshot_input input = packed_input(*packed);
    input.now_ms = 1;
    return build(&input);
}

Test(engine_packer, comes_back_as_the_same_snapshot)
{
    AUTO(packer_free) struct packer *packer = NULL;
    AUTO(packed_free) struct packed *packed = NULL;
    AUTO(buf_fini) struct buf bytes = {0};
    struct bundle_fault why = {0};
    cr_assert_eq(packer_new(&FOLDER, &packer), PDP_ERR_OK);
    struct snapshot_input input = packer_input(packer);
    AUTO(snapshot_free) struct snapshot *first = build(&input);
    cr_assert_eq(packer_write(packer, &BARE, sizeof("/some/where/") - 1, &bytes, &why), PDP_ERR_OK, "%s",
                 why.what);

    AUTO(snapshot_free) struct snapshot *again = packed_again(&bytes, &packed);
    cr_expect(str_eq(snapshot_digest(first), snapshot_digest(again)));
    const struct bundle *bundle = packed_bundle(packed);
    cr_expect_eq(bundle->count_of[BUNDLE_DOCUMENT], 2);
    cr_expect_eq(bundle->count_of[BUNDLE_LISTED], 1);
    cr_expect_eq(bundle->count_of[BUNDLE_ZONE], 0);
    cr_expect_eq(packer_lost(packer).len, 0);
}

Test(engine_packer, takes_a_list_that_was_read_since)
{
    AUTO(packer_free) struct packer *packer = NULL, *lists = NULL;
    AUTO(packed_free) struct packed *old = NULL, *now = NULL;
    AUTO(buf_fini) struct buf before = {0}, after = {0};
    struct bundle_fault why = {0};
    cr_assert_eq(packer_new(&FOLDER, &packer), PDP_ERR_OK);
    struct snapshot_input input = packer_input(packer);
    AUTO(snapshot_free) struct snapshot *first = build(&input);
    cr_assert_eq(packer_write(packer, &BARE, sizeof("/some/where/") - 1, &before, &why), PDP_ERR_OK);
    cr_assert_eq(packed_new(buf_view(&before), STR("x"), &old, &why), PDP_ERR_OK);

    list_text = STR("alice\nbob\n");
    AUTO(diags_fini) struct diags diags;
    AUTO(snapshot_free) struct snapshot *second = NULL;
    diags_init(&diags, 10);
    cr_assert_eq(packer_new(&FOLDER, &lists), PDP_ERR_OK);
    input = packer_input(lists);
    cr_assert_eq(snapshot_reload_lists(first, STR("l"), &input, (struct hash_key){1, 2}, &diags, &second),
                 PDP_ERR_OK);
    cr_assert_eq(packer_write_over(lists, packed_bundle(old), &after, &why), PDP_ERR_OK, "%s", why.what);

    AUTO(snapshot_free) struct snapshot *again = packed_again(&after, &now);
    cr_expect(str_eq(snapshot_digest(second), snapshot_digest(again)));
    cr_expect_not(str_eq(snapshot_digest(first), snapshot_digest(again)));
    cr_expect_eq(packed_bundle(now)->entry_count, packed_bundle(old)->entry_count);
}

static enum pdp_err read_none(void *user, struct str path, struct str *text)
{
    (void)user;
    (void)path;
    *text = (struct str){0};
    return PDP_ERR_MISSING;
}

Test(engine_packer, names_what_is_lost)
{
    AUTO(packer_free) struct packer *packer = NULL;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    AUTO(diags_fini) struct diags diags;
    struct snapshot_input input = FOLDER;
    input.read_file = read_none;
    diags_init(&diags, 10);
    cr_assert_eq(packer_new(&input, &packer), PDP_ERR_OK);
    input = packer_input(packer);
    cr_expect_eq(snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot), PDP_ERR_OK); // a warning
    cr_expect(str_eq(packer_lost(packer), STR("lists/l.txt")));
}
