// SPDX-License-Identifier: Apache-2.0
// What a profile keeps, in words for people.
#ifndef RISK_PROFILE_NAME_H
#define RISK_PROFILE_NAME_H

#include "base/buf.h"
#include "risk/profile.h"

// A country's letters, `AS3320`, `203.0.113.0/24`, `desktop, windows`, `firefox on linux`; of what is kept as
// a part of a hash only `#` and its digits. Any entry has a name; none holds a control character.
void profile_name(const struct profile_entry *entry, struct buf *out);

#endif
