// SPDX-License-Identifier: Apache-2.0
// Two letters that people take for the code of a country.
#ifndef BASE_COUNTRY_H
#define BASE_COUNTRY_H

#include "base/str.h"

// Is this a code that ISO 3166 gives to no country, and that is written for one all the same? In any case of
// letters. *meant is the code that is meant, empty where there is none and *hint says what to do instead.
bool country_mistaken(struct str code, struct str *meant, const char **hint);

#endif
