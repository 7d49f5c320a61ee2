// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"1 == 1.0", "true"},
    {"1u == 1", "true"},
    {"1 < 1.5", "true"},
    {"-1 < 0u", "true"},
    {"18446744073709551615u > 9223372036854775807", "true"},
    {"1.0 / 0.0 > 9223372036854775807", "true"},
    {"0.0 / 0.0 < 1.0", "false"},
    {"0.0 / 0.0 >= 1.0", "false"},
    {"0.0 == -0.0", "true"},
    {"dyn({1: 'a'}) == {1u: 'a'}", "true"},
    {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"},
    {"[1, [2]] == [1.0, [2u]]", "true"},
    {"dyn('1') == 1", "false"},
    {"dyn(null) == 0", "false"},
    {"b'a' < b'ab'", "true"},
    {"'Z' < 'a'", "true"},
    {"false < true", "true"},
    {"type(1) == int", "true"},
    {"type(1) == uint", "false"},
    {"3.0 in {1: 1, 3u: 2}", "true"},
    {"level('low') < level('critical')", "true"},
    {"strength('mfa') >= strength('mfa')", "true"},
    {"dyn(optional.of(1)) == optional.of(1.0)", "true"},
    {"optional.none() == optional.of(1)", "false"},
};

Test(cel_cmp, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
