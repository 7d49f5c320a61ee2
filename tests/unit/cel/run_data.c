// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"},
    {"[3, 1].transformList(i, v, v * i)", "[0, 1]"},
    {"{'a': 1}.transformMap(k, v, k + string(v))", "{\"a\": \"a1\"}"},
    {"['a', 'b'].transformMapEntry(i, v, {v: i})", "{\"a\": 0, \"b\": 1}"},
    {"['a', 'a'].transformMapEntry(i, v, {v: i})", "error(13)"},
    {"{1: 1, 1.0 == 1.0 ? 1u : 2u: 2}", "error(13)"},
    {"[1, 2, 2].exists_one(x, x == 2)", "false"},
    {"{'a': 1, 'b': 2}.exists(k, v, k == 'b' && v == 2)", "true"},
    {"[1, 2][2]", INDEX},
    {"[1, 2][-1]", INDEX},
    {"[1, 2][dyn(1.0)]", "2"},
    {"[1, 2][dyn(0.5)]", "error(4)"},
    {"{'a': 1}['b']", "error(3)"},
    {"[[1, 2], [3]].map(x, x.map(y, y + x.size()))", "[[3, 4], [4]]"},
    {"[].all(x, 1 / 0 == 1)", "true"},
    {"cel.bind(x, 1 / 0, true || x == 1)", "true"},
    {"size({'a': 1}) + size([1]) + size(b'abc')", "5"},
};

Test(cel_run_data, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
