// SPDX-License-Identifier: Apache-2.0
// Administrators: an order that would lock them out is asked for again.
#ifndef NODE_GUARDED_H
#define NODE_GUARDED_H

#include "base/ip.h"
#include "base/str.h"

// Borrowed by whoever has it.
struct admin_guarded {
    const struct str *subjects, *roles;
    size_t subject_count, role_count;
    const struct cidr *addresses;
    size_t address_count;
};

#endif
