// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"timestamp('2024-12-31T23:30:00Z').getDayOfYear()", "365"},
    {"timestamp('2024-12-31T23:30:00Z').getFullYear('+01:00')", "2025"},
    {"timestamp('2024-12-31T23:30:00Z').getDayOfYear('Europe/Berlin')", "0"},
    {"timestamp('2025-11-22T08:26:40Z').getDayOfWeek()", "6"},
    {"timestamp('2025-11-22T08:26:40Z').getMonth()", "10"},
    {"timestamp('2025-11-22T08:26:40Z').getDate()", "22"},
    {"timestamp('2025-11-22T08:26:40Z').getDayOfMonth()", "21"},
    {"timestamp('2025-07-22T08:26:40Z').getHours('Europe/Berlin')", "10"},
    {"timestamp('1969-12-31T23:59:59.25Z').getMilliseconds()", "250"},
    {"timestamp('0001-01-01T00:00:00Z').getFullYear('-01:00')", "0"},
    {"duration('-90m').getHours()", "-1"},
    {"duration('-90m').getMinutes()", "-90"},
    {"duration('1.25s').getMilliseconds()", "250"},
    {"duration('-1.25s').getMilliseconds()", "-250"},
    {"duration('3723s').getSeconds()", "3723"},
};

Test(cel_time, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
