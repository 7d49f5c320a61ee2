// SPDX-License-Identifier: Apache-2.0
// What a snapshot is made from, and what its digest stands for.
#include "engine/engine.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HEAD(kind, name) "---\napiVersion: pdp/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
static const char POLICY[] =
    HEAD("Policy", "p") "rules:\n  - {id: a, effect: allow, when: 'subject.id in lists.l && "
                        "within(now, \"Mon 09:00-10:00\", \"Europe/Berlin\")'}\n" HEAD(
                            "List", "l") "type: string\nfile: l.txt\nmax_age: 1h\n";

// One set of inputs; NULL: the file is lost.
struct inputs {
    const char *name, *yaml, *list;
    const char *zone; // the file that stands for whatever zone is asked
};
#define BERLIN "/usr/share/zoneinfo/Europe/Berlin"
#define LONDON "/usr/share/zoneinfo/Europe/London"
static char zone_bytes[1 << 16];

static enum pdp_err read_file(void *user, struct str path, struct str *text)
{
    const struct inputs *in = user;
    cr_expect(str_eq(path, STR("l.txt")));
    *text = in->list != NULL ? str_of(in->list) : (struct str){0};
    return in->list != NULL ? PDP_ERR_OK : PDP_ERR_IO;
}

static enum pdp_err read_zone(void *user, struct str name, struct str *text)
{
    const struct inputs *in = user;
    (void)name;
    FILE *file = fopen(in->zone, "rb");
    *text = (struct str){zone_bytes, file != NULL ? fread(zone_bytes, 1, sizeof zone_bytes, file) : 0};
    if (file == NULL) {
        cr_skip_test("no time zones on this machine (tzdata)");
    }
    fclose(file);
    return PDP_ERR_OK;
}

static void digest(const struct inputs *in, char out[static 80])
{
    struct snapshot_file file = {.name = str_of(in->name), .text = str_of(in->yaml)};
    struct snapshot_input input = {.files = &file,
                                   .file_count = 1,
                                   .read_file = read_file,
                                   .read_zone = read_zone,
                                   .user = (void *)(uintptr_t)in,
                                   .now_ms = 1};
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    AUTO(diags_fini) struct diags diags;
    AUTO(buf_fini) struct buf said = {0};
    diags_init(&diags, 10);
    enum pdp_err err = snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot);
    diags_render(&diags, &said);
    cr_assert_eq(err, PDP_ERR_OK, STR_FMT, STR_ARG(buf_view(&said)));
    struct str text = snapshot_digest(snapshot);
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
}

Test(engine_snapshot, a_digest_is_over_all_that_is_read)
{
    AUTO(buf_fini) struct buf more = {0};
    buf_printf(&more, "%s# a comment\n", POLICY);
    buf_byte(&more, '\0');
    const struct inputs all[] = {
        {"p.yaml", POLICY, "alice\n", BERLIN},
        {"q.yaml", POLICY, "alice\n", BERLIN},
        {"p.yaml", (const char *)more.at, "alice\n", BERLIN},
        {"p.yaml", POLICY, "bob\n", BERLIN},
        {"p.yaml", POLICY, "", BERLIN},
        {"p.yaml", POLICY, NULL, BERLIN},
        {"p.yaml", POLICY, "alice\n", LONDON},
    };
    char digests[COUNT_OF(all)][80], again[80];
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        digest(&all[i], digests[i]);
        digest(&all[i], again);
        cr_expect_str_eq(again, digests[i], "%zu: not the same twice", i);
        for (size_t k = 0; k < i; k++) {
            cr_expect_str_neq(digests[k], digests[i], "%zu and %zu", k, i);
        }
    }
}

// Renders what is said of two files, the first of which may be given as it was parsed before.
static void said_of(const char *first, const char *second, bool before, struct buf *out)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(diags_fini) struct diags diags;
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    const struct source source = {STR("a.yaml"), str_of(first)};
    struct conf_doc *docs = NULL;
    struct snapshot_file files[] = {{.name = source.name, .text = source.text},
                                    {.name = STR("b.yaml"), .text = str_of(second)}};
    struct snapshot_input input = {.files = files, .file_count = 2, .now_ms = 1};
    arena_init(&arena, 0, 0);
    diags_init(&diags, 10);
    if (before) {
        cr_assert_eq(conf_parse(&source, &arena, &diags, &docs, &files[0].doc_count), PDP_ERR_OK);
        files[0].docs = docs;
    }
    if (snapshot_build(&input, (struct hash_key){1, 2}, &diags, &snapshot) == PDP_ERR_OK) {
        buf_str(out, snapshot_digest(snapshot));
    }
    diags_render(&diags, out);
}

Test(engine_snapshot, documents_that_were_parsed_before_mean_the_same)
{
    static const char *const SECOND[] = {
        HEAD("List", "l") "type: string\nentries: [x]\n",
        HEAD("List", "k") "type: string\nentries: [x]\n", // the first names a list that is not there
        HEAD("Policy", "q") "rules: [\n",
    };
    static const char FIRST[] =
        HEAD("Policy", "p") "rules:\n  - {id: a, effect: allow, when: subject.id in lists.l}\n";
    for (size_t i = 0; i < COUNT_OF(SECOND); i++) {
        AUTO(buf_fini) struct buf with = {0};
        AUTO(buf_fini) struct buf without = {0};
        said_of(FIRST, SECOND[i], true, &with);
        said_of(FIRST, SECOND[i], false, &without);
        cr_expect(with.len > 0 && str_eq(buf_view(&with), buf_view(&without)), STR_FMT "\nand\n" STR_FMT,
                  STR_ARG(buf_view(&with)), STR_ARG(buf_view(&without)));
    }
}
