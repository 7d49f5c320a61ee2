// SPDX-License-Identifier: Apache-2.0
// The adapters that pdpd can run inside of itself.
#ifndef ALL_H
#define ALL_H

#include <pdp/adapter.h>

// Ends with NULL. Those that were built.
extern const struct pdp_adapter_kind *const adapters_all[];

#endif
