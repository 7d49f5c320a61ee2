// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"optional.of(1).orValue(2)", "1"},
    {"optional.none().orValue(2)", "2"},
    {"optional.none().or(optional.of(3)).value()", "3"},
    {"optional.none().value()", "error(3)"},
    {"optional.ofNonZeroValue('').hasValue()", "false"},
    {"{'a': {'b': 1}}.?a.b.orValue(0)", "1"},
    {"{'a': 1}[?'b'].orValue(7)", "7"},
    {"[1, 2][?5].hasValue()", "false"},
    {"[?optional.none(), ?optional.of(2)]", "[2]"},
    {"{?'a': optional.none(), 'b': 1}", "{\"b\": 1}"},
    {"optional.of(2).optMap(x, x * x).value()", "4"},
    {"optional.of(2).optFlatMap(x, optional.none()).hasValue()", "false"},
    {"has({'a': 1}.a) && !has({'a': 1}.b)", "true"},
};

Test(cel_opt, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
