// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"'añb'.size()", "3"},
    {"'añb'.charAt(1)", "\"ñ\""},
    {"'añb'.charAt(3)", "\"\""},
    {"'añb'.charAt(4)", INDEX},
    {"'añb'.charAt(-1)", INDEX},
    {"'añbñ'.indexOf('ñ', 2)", "3"},
    {"'añbñ'.lastIndexOf('ñ')", "3"},
    {"'añbñ'.lastIndexOf('ñ', 2)", "1"},
    {"'ab'.lastIndexOf('abc')", "-1"},
    {"'ab'.indexOf('', 2)", "2"},
    {"'ab'.indexOf('', 3)", INDEX},
    {"'añb'.substring(1, 2)", "\"ñ\""},
    {"'añb'.substring(2, 1)", INDEX},
    {"'abc'.substring(3)", "\"\""},
    {"'ab'.replace('', '-')", "\"-a-b-\""},
    {"'ab'.replace('', '-', 2)", "\"-a-b\""},
    {"'aaa'.replace('a', 'b', 2)", "\"bba\""},
    {"'aaa'.replace('aa', '')", "\"a\""},
    {"'abab'.replace('ab', 'x', 0)", "\"abab\""},
    {"'a,b,,c'.split(',')", "[\"a\", \"b\", \"\", \"c\"]"},
    {"''.split(',')", "[\"\"]"},
    {"''.split('')", "[]"},
    {"'añ'.split('')", "[\"a\", \"ñ\"]"},
    {"'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]"},
    {"'a,'.split(',')", "[\"a\", \"\"]"},
    {"['a', 'b'].join('é')", "\"aéb\""},
    {"[].join()", "\"\""},
    {"'\\u00a0 x\\t'.trim()", "\"x\""},
    {"' '.trim()", "\"\""},
    {"'añ☺'.reverse()", "\"☺ña\""},
    {"'ÀbC'.lowerAscii()", "\"Àbc\""},
    {"'abc'.contains('')", "true"},
    {"'abc'.endsWith('abcd')", "false"},
    {"strings.quote('a\\n\"b') == '\"a\\\\n\\\\\"b\"'", "true"},
};

Test(cel_text, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
