// SPDX-License-Identifier: Apache-2.0
// One cookie out of a request's `Cookie` headers.
#ifndef COMMON_COOKIE_H
#define COMMON_COOKIE_H

#include "common/text.h"

enum cookie_found {
    COOKIE_NONE,
    COOKIE_ONE,
    COOKIE_AMBIGUOUS // it is there twice with different values: servers differ in which one they take
};

// Looks through all headers, `count` of them, each as it came (`a=1; b=2`). Names are compared byte by byte,
// blanks around a name and a value do not count, and quotes are part of the value. *value is borrowed, and
// empty with at NULL unless COOKIE_ONE. Cost: linear.
enum cookie_found cookie_find(const struct text *headers, size_t count, struct text name, struct text *value);

// Is this a name that a cookie can have (RFC 6265: a token)?
bool cookie_named(struct text name);

#endif
