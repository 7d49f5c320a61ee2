// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct {
    const char *text, *message, *under;
} MISTAKES[] = {
    {"has(1)", "has() takes a field, such as has(subject.email)", "1"},
    {"has(has(subject.a))", "has() takes a field, such as has(subject.email)", "has(subject.a)"},
    {"[1].all(1, true)", "the name of a variable is expected", "1"},
    {"[1].all(a.b, true)", "the name of a variable is expected", "a.b"},
    {"[1].all(x, x, true)", "the two variables need different names", "x"},
    {"cel.bind(1, 2, 3)", "the name of a variable is expected", "1"},
    {"cel.block(1, 2)", "cel.block() takes a list of what is bound", "1"},
    {"cel.index(-1)", "a small number is expected", "-1"},
    {"cel.index('a')", "a small number is expected", "'a'"},
    {"[1].map(x)", "`map` takes the name of a variable and what to do with it", "[1].map(x)"},
    {"[1].transformMapEntry(k, v, 1)", "`1` is an int, but a map of one entry is expected", "1"},
    {"optional.of(1).optMap(x, y)", "there is no attribute `y`", "y"},
    {"[1].map(x, x) == [y]", "there is no attribute `y`", "y"},
};

Test(cel_macro, says_what_is_wrong_and_where)
{
    for (size_t i = 0; i < COUNT_OF(MISTAKES); i++) {
        struct lab lab;
        uint32_t expr = 0;
        lab_init(&lab);
        cr_expect_neq(lab_add_vars(&lab, MISTAKES[i].text, CEL_DYN, NULL, 0, &expr), PDP_ERR_OK, "%s",
                      MISTAKES[i].text);
        cr_expect_geq(lab.diags.count, 1);
        if (lab.diags.count > 0) {
            const struct diag *diag = &lab.diags.list[0];
            struct str under = str_sub(str_of(MISTAKES[i].text), diag->place.at, diag->place.len);
            cr_expect(str_eq(diag->message, str_of(MISTAKES[i].message)), "%s: " STR_FMT, MISTAKES[i].text,
                      STR_ARG(diag->message));
            cr_expect(str_eq(under, str_of(MISTAKES[i].under)), "%s: under " STR_FMT, MISTAKES[i].text,
                      STR_ARG(under));
        }
        lab_fini(&lab);
    }
}

// A variable hides an attribute of its name, and only inside.
Test(cel_macro, variables_hide_attributes)
{
    struct lab lab;
    lab_init(&lab);
    uint32_t expr = lab_add(&lab, "['x'].all(tenant, tenant == 'x') && tenant == 'acme' && "
                                  "[{'id': 'y'}].all(subject, subject.id == 'y') && subject.id == 'alice'");
    lab_begin(&lab);
    cr_expect_eq(cel_truth(lab.frame, expr), TRUTH_YES);
    lab_fini(&lab);
}
