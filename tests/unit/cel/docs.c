// SPDX-License-Identifier: Apache-2.0
#include "cel/docs.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool well_put(const char *text)
{
    size_t len = strlen(text);
    return len > 3 && len < 160 && text[len - 1] != '.' && !(text[0] >= 'A' && text[0] <= 'Z');
}

Test(cel_docs, every_function_has_a_line)
{
    for (enum func_id id = F_SIZE; id < F_COUNT; id++) {
        cr_expect(well_put(docs_func(id)), "%s: `%s`", FUNCS[id].name, docs_func(id));
    }
}

Test(cel_docs, every_overload_can_be_written)
{
    for (enum func_id id = F_SIZE; id < F_COUNT; id++) {
        cr_expect_gt(docs_overloads(id), 0, "%s", FUNCS[id].name);
        for (size_t i = 0; i < docs_overloads(id); i++) {
            AUTO(buf_fini) struct buf text = {0};
            docs_overload(id, i, &text);
            cr_expect_neq(str_find(buf_view(&text), str_of(FUNCS[id].name), 0), SIZE_MAX);
            cr_expect_neq(text.at[text.len - 1], ' ', "%s", FUNCS[id].name);
        }
    }
}

static const struct {
    enum func_id id;
    size_t overload;
    const char *text;
} SHOWN[] = {
    {F_STARTS, 0, "string.startsWith(string): bool"},
    {F_JOIN, 1, "list<string>.join(string): string"},
    {F_SIZE, 3, "size(map<A, B>): int"},
    {F_OPT_OR, 0, "optional<A>.or(optional<A>): optional<A>"},
    {F_OPT_NONE, 0, "optional.none(): optional<A>"},
    {F_LEVEL, 0, "level(string): level"},
    {F_CONTAINS_IP, 0, "cidr.containsIP(ip): bool"},
};

Test(cel_docs, overloads_read_well)
{
    for (size_t i = 0; i < COUNT_OF(SHOWN); i++) {
        AUTO(buf_fini) struct buf text = {0};
        docs_overload(SHOWN[i].id, SHOWN[i].overload, &text);
        cr_expect(str_eq(buf_view(&text), str_of(SHOWN[i].text)), STR_FMT, STR_ARG(buf_view(&text)));
    }
    cr_expect(docs_takes(F_STARTS, 's') && !docs_takes(F_STARTS, 't') && docs_takes(F_STARTS, '*'));
}

// The page is what the tables say; PDP_ACCEPT=1 writes it anew.
Test(cel_docs, the_page_shows_them)
{
    static const char PAGE[] = "docs/functions.md";
    AUTO(buf_fini) struct buf wanted = {0};
    AUTO(buf_fini) struct buf is = {0};
    buf_str(&wanted, STR("# Functions\n\nWhat conditions may call, beside the operators: [CEL.md](CEL.md) "
                         "says how the language works. "
                         "`A`, `B` and `C` stand for any type.\n\n"));
    docs_print(&wanted);
    if (getenv("PDP_ACCEPT") != NULL) {
        FILE *out = fopen(PAGE, "wb");
        cr_assert(out != NULL && fwrite(wanted.at, 1, wanted.len, out) == wanted.len);
        fclose(out);
    }
    FILE *in = fopen(PAGE, "rb");
    cr_assert_not_null(in);
    while (buf_room(&is, 4096)) {
        size_t got = fread(is.at + is.len, 1, 4096, in);
        is.len += got;
        if (got == 0) {
            break;
        }
    }
    fclose(in);
    cr_expect(str_eq(buf_view(&is), buf_view(&wanted)), "%s says otherwise than cel/docs.c", PAGE);
}
