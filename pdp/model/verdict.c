// SPDX-License-Identifier: Apache-2.0
#include "model/verdict.h"

const struct str RISK_LEVEL_NAMES[RISK_LEVEL_COUNT] = {
    {"low", 3}, {"medium", 6}, {"high", 4}, {"critical", 8}};
