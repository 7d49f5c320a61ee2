// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"base64.encode(b'')", "\"\""},
    {"base64.encode(b'a')", "\"YQ==\""},
    {"base64.encode(b'ab')", "\"YWI=\""},
    {"base64.encode(b'abc')", "\"YWJj\""},
    {"string(base64.decode('YWI='))", "\"ab\""},
    {"string(base64.decode('YWI'))", "\"ab\""},
    {"base64.decode('YWI==')", CONVERT},
    {"base64.decode('Y')", CONVERT},
    {"base64.decode('Y===')", CONVERT},
    {"base64.decode('Y W')", CONVERT},
    {"base64.decode('YW=J')", CONVERT},
};

Test(cel_base64, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
