// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"math.greatest(1, 2.5, 2u)", "2.5"},
    {"math.least([3, -1.0, 2u])", "-1.0"},
    {"math.least(math.sqrt(-1.0), 3)", OVERFLOW}, // as in any other place
    {"math.least(3, math.sqrt(-1.0))", OVERFLOW},
    {"math.greatest([1.0, math.sqrt(-1.0)])", OVERFLOW},
    {"math.isNaN(math.greatest(math.sqrt(-1.0)))", "true"},
    {"math.ceil(1.2)", "2.0"},
    {"math.ceil(-0.5)", "-0.0"},
    {"math.floor(-1.2)", "-2.0"},
    {"math.floor(1e300) == 1e300", "true"},
    {"math.round(2.5)", "3.0"},
    {"math.round(-2.5)", "-3.0"},
    {"math.round(0.49999999999999994)", "0.0"},
    {"math.trunc(-1.9)", "-1.0"},
    {"math.abs(-9223372036854775808)", OVERFLOW},
    {"math.abs(-2.5)", "2.5"},
    {"math.sign(-3)", "-1"},
    {"string(math.sign(-0.0))", "\"0\""},
    {"math.isNaN(math.sign(0.0 / 0.0))", "true"},
    {"math.greatest(1.0, 0.0 / 0.0)", OVERFLOW},
    {"math.least([0.0 / 0.0, 1.0])", OVERFLOW},
    {"math.sqrt(16)", "4.0"},
    {"math.isNaN(math.sqrt(-1.0))", "true"},
    {"math.isInf(1.0 / 0.0)", "true"},
    {"math.isFinite(1.0)", "true"},
    {"math.bitShiftRight(-1, 60)", "15"},
    {"math.bitShiftLeft(1, 64)", "0"},
    {"math.bitShiftLeft(1, -1)", OVERFLOW},
    {"math.bitNot(0)", "-1"},
    {"math.bitXor(5u, 1u)", "4u"},
    {"math.bitAnd(-1, 7)", "7"},
};

Test(cel_math, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
