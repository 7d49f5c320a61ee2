// SPDX-License-Identifier: Apache-2.0
#include <pdp/effect.h>

static const struct {
    const char *name;
    int rank;
} EFFECTS[PDP_EFFECT_COUNT] = {
#define X(name, text, rank) {text, rank},
    PDP_EFFECT_LIST(X)
#undef X
};

static const char *const CODES[PDP_CODE_COUNT] = {
#define X(name, text, meaning) text,
    PDP_CODE_LIST(X)
#undef X
};

const char *pdp_effect_name(enum pdp_effect effect)
{
    return (unsigned)effect < PDP_EFFECT_COUNT ? EFFECTS[effect].name : EFFECTS[PDP_EFFECT_DENY].name;
}

const char *pdp_code_name(enum pdp_code code)
{
    return (unsigned)code < PDP_CODE_COUNT ? CODES[code] : CODES[PDP_CODE_MALFORMED];
}

int pdp_effect_rank(enum pdp_effect effect)
{
    return (unsigned)effect < PDP_EFFECT_COUNT ? EFFECTS[effect].rank : EFFECTS[PDP_EFFECT_DENY].rank;
}
