// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"1 + 2 * 3 == 7 && !false || false", "true"},
    {"true ? false : true ? 1 == 2 : true", "false"},
    {"--1", "1"},
    {"- -1", "1"},
    {"!!true", "true"},
    {"2 - 1 - 1", "0"},
    {"8 / 4 / 2", "1"},
    {"1 < 2 == true", "true"},
    {"'a' in ['a'] == true", "true"},
    {"[[1, 2], [3]][0][1]", "2"},
    {"{'if': 1}.if", "1"},
    {"(true)", "true"},
    {"false && true || true", "true"},
    {"-'abc'.size()", "-3"},
};

Test(cel_parse, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
