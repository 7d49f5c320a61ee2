// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"'%d%% %s'.format([1, 'x'])", "\"1% x\""},
    {"'%.2f'.format([1.005])", "\"1.00\""},
    {"'%x %X'.format([-255, 255u])", "\"-ff FF\""},
    {"'%b'.format([-5])", "\"-101\""},
    {"'%o'.format([8])", "\"10\""},
    {"'%x'.format(['hi'])", "\"6869\""},
    {"'%s'.format([[1, {'b': 2, 'a': [true]}]])", "\"[1, {a: [true], b: 2}]\""},
    {"'%d'.format(['x'])", CONVERT},
    {"'%s'.format([])", CONVERT},
    {"'%'.format([1])", CONVERT},
    {"'%.f'.format([1])", CONVERT},
    {"'%.999f'.format([1])", CONVERT},
    {"'%q'.format([1])", CONVERT},
    {"'%e'.format([12345.678])", "\"1.234568e+04\""},
    {"'%d'.format([-9223372036854775808])", "\"-9223372036854775808\""},
};

Test(cel_format, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
