// SPDX-License-Identifier: Apache-2.0
#include "base/country.h"

// Only those that are written in good faith: databases have codes of their own besides (`XK`, `ZZ`, `T1`).
static const struct {
    char code[3], meant[3];
    const char *hint;
} MISTAKEN[] = {
    {"UK", "GB", ""},
    {"EL", "GR", ""},
    {"EU", "", "a union is no country: name its members, or ask `geo.continent`"},
};

static char capital(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

bool country_mistaken(struct str code, struct str *meant, const char **hint)
{
    *meant = (struct str){"", 0};
    *hint = "";
    for (size_t i = 0; code.len == 2 && i < COUNT_OF(MISTAKEN); i++) {
        if (capital(code.at[0]) == MISTAKEN[i].code[0] && capital(code.at[1]) == MISTAKEN[i].code[1]) {
            *meant = str_of(MISTAKEN[i].meant);
            *hint = MISTAKEN[i].hint;
            return true;
        }
    }
    return false;
}
