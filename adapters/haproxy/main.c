// SPDX-License-Identifier: Apache-2.0
// pdp-spoe: the agent as a program of its own.
#include "common/alone.h"

extern const struct pdp_adapter_kind pdp_spoe_adapter;

int main(int argc, char **argv)
{
    return alone_main(&pdp_spoe_adapter, argc, argv);
}
