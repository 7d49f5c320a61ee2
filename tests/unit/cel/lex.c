// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"0x7fffffffffffffff", "9223372036854775807"},
    {"-0x8000000000000000", "-9223372036854775808"},
    {"0xffffffffffffffffu", "18446744073709551615u"},
    {".5 + 1e1", "10.5"},
    {"'\\x41\\101\\u0041\\U00000041'", "\"AAAA\""},
    {"r'\\n'.size()", "2"},
    {"b'é\\xff'.size()", "3"},
    {"'''a'b\n\"c'''.size()", "6"},
    {"\"\"\"a\"\"b\"\"\".size()", "4"},
    {"1 // comment\n + 2", "3"},
    {"Rb'\\d'.size()", "2"},
    {"{'a-b c': 1}.`a-b c`", "1"},
    {"[1,2,].size() + {'a': 1,}.size()", "3"},
};

Test(cel_lex, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
