// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include <criterion/criterion.h>

static const struct {
    struct str bytes;
    enum wire_form form;
} FORMS[] = {
    {{"{}", 2}, WIRE_JSON},
    {{" \r\n\t[]", 6}, WIRE_JSON},
    {{"", 0}, WIRE_CBOR},
    {{"   ", 3}, WIRE_CBOR},
    {{"\xa0", 1}, WIRE_CBOR},
    {{"\"a\"", 3}, WIRE_CBOR},
    {{"\xef\xbb\xbf{}", 5}, WIRE_CBOR},
    {{"x{", 2}, WIRE_CBOR},
};

Test(wire_wire, the_first_byte_tells_the_form)
{
    for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
        cr_expect_eq(wire_form_of(FORMS[i].bytes), FORMS[i].form, "%zu", i);
    }
}

// The same question in both forms is the same tree.
Test(wire_wire, both_forms_mean_the_same)
{
    const struct str forms[] = {
        [WIRE_CBOR] = STR("\xa3\x61\x61\x01\x61\x62\xf9\x3c\x00\x61\x63\x82\xf6\x62\xc3\xbc"),
        [WIRE_JSON] = STR("{\"a\":1,\"b\":1.0,\"c\":[null,\"\\u00fc\"]}"),
    };
    struct buf canonical[2] = {{0}, {0}};
    for (int form = WIRE_CBOR; form <= WIRE_JSON; form++) {
        struct arena arena;
        struct value v;
        struct fault why = {0};
        arena_init(&arena, 0, 0);
        cr_expect_eq(wire_form_of(forms[form]), (enum wire_form)form);
        cr_assert_eq(wire_decode((enum wire_form)form, forms[form], &arena, &v, &why), PDP_ERR_OK, "%d: %s",
                     form, why.what);
        cr_expect_eq(v.as.map[0].value.kind, VALUE_INT);
        cr_expect_eq(v.as.map[1].value.kind, VALUE_DOUBLE);
        wire_canonical(&v, &canonical[form]);
        arena_fini(&arena);
    }
    cr_expect(str_eq(buf_view(&canonical[0]), buf_view(&canonical[1])));
    buf_fini(&canonical[0]);
    buf_fini(&canonical[1]);
}
