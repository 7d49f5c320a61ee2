// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"1 + 2 * 3 - -4", "11"},
    {"9223372036854775807 + 1", OVERFLOW},
    {"-9223372036854775807 - 2", OVERFLOW},
    {"-9223372036854775808 / -1", OVERFLOW},
    {"-9223372036854775808 % -1", OVERFLOW},
    {"-(-9223372036854775808)", OVERFLOW},
    {"9223372036854775807 * -1", "-9223372036854775807"},
    {"4611686018427387904 * 2", OVERFLOW},
    {"1 / 0", DIVIDE},
    {"1 % 0", DIVIDE},
    {"0u - 1u", OVERFLOW},
    {"18446744073709551615u + 1u", OVERFLOW},
    {"18446744073709551615u * 2u", OVERFLOW},
    {"-7 / 2", "-3"},
    {"-7 % 2", "-1"},
    {"1.0 / 0.0", "Infinity"},
    {"-1.0 / 0.0", "-Infinity"},
    {"1.0 / -0.0", "-Infinity"},
    {"0.0 / 0.0 == 0.0 / 0.0", "false"},
    {"0.1 + 0.2 == 0.3", "false"},
    {"dyn([1]) + [2.0]", "[1, 2]"},
    {"'a' + 'b' + ''", "\"ab\""},
    {"duration('9223372036s') + duration('1s')", OVERFLOW},
    {"-duration('1500ms') == duration('-1.5s')", "true"},
    {"duration('-1.5s') < duration('-1.4s')", "true"},
    {"duration('-0.5s') < duration('0s')", "true"},
    {"duration('0.5s') - duration('1s') == duration('-500ms')", "true"},
    {"timestamp('2025-01-01T00:00:00Z') - timestamp('2025-01-01T00:00:01.5Z') == duration('-1.5s')", "true"},
    {"timestamp('2025-01-01T00:00:00Z') - duration('1ns') < timestamp('2025-01-01T00:00:00Z')", "true"},
};

Test(cel_num, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
