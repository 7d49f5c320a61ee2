// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"int('-9223372036854775808')", "-9223372036854775808"},
    {"int('9223372036854775808')", CONVERT},
    {"int('')", CONVERT},
    {"int(' 1')", CONVERT},
    {"int(1e19)", OVERFLOW},
    {"int(0.0/0.0)", OVERFLOW},
    {"int(-1.9)", "-1"},
    {"uint(-1)", OVERFLOW},
    {"uint(-0.5)", OVERFLOW},
    {"uint('18446744073709551615')", "18446744073709551615u"},
    {"double('1e400')", CONVERT},
    {"double('0x10')", CONVERT},
    {"double('NaN') == double('NaN')", "false"},
    {"string(1.0)", "\"1\""},
    {"string(0.1)", "\"0.1\""},
    {"string(123456789.125)", "\"123456789.125\""},
    {"string(1e21)", "\"1e+21\""},
    {"string(1e-7)", "\"1e-07\""},
    {"string(1.0/3.0)", "\"0.3333333333333333\""},
    {"string(5e-324)", "\"5e-324\""},
    {"string(-0.0)", "\"-0\""},
    {"string(b'\\xff')", CONVERT},
    {"bytes('é').size()", "2"},
    {"string(duration('1h1.5s'))", "\"3601.5s\""},
    {"string(duration('-0.25s'))", "\"-0.25s\""},
    {"string(timestamp('2025-01-01T01:00:00.120+01:00'))", "\"2025-01-01T00:00:00.120Z\""},
    {"timestamp('2025-02-29' + 'T00:00:00Z')", CONVERT},
    {"timestamp('2025-01' + '-01')", CONVERT},
    {"duration('1 ' + 'h')", CONVERT},
    {"duration('' + '')", CONVERT},
    {"bool('yes')", CONVERT},
    {"string(true)", "\"true\""},
    {"int(timestamp('1969-12-31T23:59:59.5Z'))", "-1"},
    {"type(type(1)) == type", "true"},
    {"string(ip('2001:DB8::1'))", "\"2001:db8::1\""},
};

Test(cel_conv, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
