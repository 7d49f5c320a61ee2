// SPDX-License-Identifier: Apache-2.0
// A bundle as a snapshot: the same digest as the folder, and nothing from outside of it.
#include "engine/packed.h"

#include <criterion/criterion.h>

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }
#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define ONE HEAD("Policy", "one") "rules:\n  - {id: a, effect: allow, when: 'subject.id in lists.l'}\n"
#define TWO HEAD("Policy", "two") "rules: [{id: b, effect: deny, when: 'subject.id == \"x\"'}]\n"
#define LIST HEAD("List", "l") "type: string\nfile: lists/l.txt\n"
#define TIMED               \
    HEAD("Policy", "timed") \
    "rules: [{id: c, effect: deny, when: 'within(now, \"Mon 09:00-10:00\", \"No/Where\")'}]\n"

static enum pdp_err read_list(void *user, struct str path, struct str *text)
{
    (void)user;
    cr_expect(str_eq(path, STR("lists/l.txt")));
    *text = STR("alice\n");
    return PDP_ERR_OK;
}

static bool build(const struct snapshot_input *input, char digest[static 80], struct buf *said)
{
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    AUTO(diags_fini) struct diags diags;
    diags_init(&diags, 10);
    enum pdp_err err = snapshot_build(input, (struct hash_key){1, 2}, &diags, &snapshot);
    diags_render(&diags, said);
    digest[0] = '\0';
    if (err == PDP_ERR_OK) {
        struct str text = snapshot_digest(snapshot);
        memcpy(digest, text.at, text.len);
        digest[text.len] = '\0';
    }
    return err == PDP_ERR_OK;
}

static struct packed *pack(const struct bundle_entry *entries, size_t count, struct buf *bytes)
{
    const struct bundle head = {.name = TEXT("n"), .version = 1, .expires_s = 1};
    struct packed *packed = NULL;
    struct bundle_fault why;
    cr_assert_eq(bundle_write(&head, entries, count, bytes, &why), PDP_ERR_OK, "%s", why.what);
    cr_assert_eq(packed_new(buf_view(bytes), STR("some/n.bundle"), &packed, &why), PDP_ERR_OK, "%s",
                 why.what);
    return packed;
}

// The folders of both documents, and where all of it lies.
static const struct {
    const char *name, *dir, *one, *two;
} FOLDERS[] = {
    {"flat", "policies", "a.yaml", "b.yaml"},
    {"deep", "/etc/pdp/policies", "x/a.yaml", "x/b.yaml"},
    {"apart", "p", "x/a.yaml", "z.yml"},
    {"names that begin alike", "p", "ab.yaml", "abc.yaml"},
};

Test(engine_packed, has_the_digest_of_its_folder)
{
    for (size_t i = 0; i < COUNT_OF(FOLDERS); i++) {
        AUTO(buf_fini) struct buf bytes = {0}, said = {0};
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, 0, 0);
        char of_folder[80], of_bundle[80];
        struct snapshot_file files[] = {
            {.name = arena_printf(&arena, "%s/%s", FOLDERS[i].dir, FOLDERS[i].one), .text = STR(ONE LIST)},
            {.name = arena_printf(&arena, "%s/%s", FOLDERS[i].dir, FOLDERS[i].two), .text = STR(TWO)}};
        struct snapshot_input folder = {.files = files, .file_count = 2, .read_file = read_list, .now_ms = 1};
        cr_assert(build(&folder, of_folder, &said), STR_FMT, STR_ARG(buf_view(&said)));
        const struct bundle_entry entries[] = {
            {BUNDLE_DOCUMENT, str_of(FOLDERS[i].one), TEXT(ONE LIST)},
            {BUNDLE_DOCUMENT, str_of(FOLDERS[i].two), TEXT(TWO)},
            {BUNDLE_LISTED, TEXT("lists/l.txt"), TEXT("alice\n")},
        };
        AUTO(packed_free) struct packed *packed = pack(entries, COUNT_OF(entries), &bytes);
        struct snapshot_input input = packed_input(packed);
        cr_assert(build(&input, of_bundle, &said), STR_FMT, STR_ARG(buf_view(&said)));
        cr_expect_str_eq(of_bundle, of_folder, "%s", FOLDERS[i].name);
    }
}

// A zone that is no part of the bundle is not taken from the machine; a list that is none is lost.
Test(engine_packed, takes_nothing_from_outside)
{
    AUTO(buf_fini) struct buf bytes = {0}, more = {0}, said = {0};
    char digest[80];
    const struct bundle_entry timed[] = {{BUNDLE_DOCUMENT, TEXT("t.yaml"), TEXT(TIMED)}};
    AUTO(packed_free) struct packed *packed = pack(timed, 1, &bytes);
    struct snapshot_input input = packed_input(packed);
    cr_expect(!build(&input, digest, &said));
    buf_byte(&said, '\0');
    cr_expect(strstr((const char *)said.at, "some/n.bundle/t.yaml:5:") != NULL, "%s", (const char *)said.at);
    cr_expect(strstr((const char *)said.at, "No/Where") != NULL, "%s", (const char *)said.at);
    const struct bundle_entry lost[] = {{BUNDLE_DOCUMENT, TEXT("t.yaml"), TEXT(ONE LIST)},
                                        {BUNDLE_LISTED, TEXT("l.txt"), TEXT("alice\n")}};
    AUTO(packed_free) struct packed *other = pack(lost, 2, &more);
    input = packed_input(other);
    buf_clear(&said);
    cr_expect(build(&input, digest, &said));
    buf_byte(&said, '\0');
    cr_expect(strstr((const char *)said.at, "lists/l.txt") != NULL, "%s", (const char *)said.at);
}
