// SPDX-License-Identifier: Apache-2.0
#include "common/alone.h"

extern const struct pdp_adapter_kind pdp_ext_authz_adapter;

int main(int argc, char **argv)
{
    return alone_main(&pdp_ext_authz_adapter, argc, argv);
}
