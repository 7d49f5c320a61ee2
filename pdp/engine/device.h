// SPDX-License-Identifier: Apache-2.0
// The devices of a user: the last that were seen, and which of them are remembered. Inside of the engine.
#ifndef ENGINE_DEVICE_H
#define ENGINE_DEVICE_H

#include "engine/ask.h"

// Notes the device in hand as seen, where the peer may tell of devices.
void device_learn(struct ask *ask);
// Is it remembered now? false: it is not known which device it is.
bool device_remembered(const struct ask *ask, bool *remembered);
// Until when that holds, where a condition asked; INT64_MAX: it did not, or the device is not remembered.
int64_t device_until(const struct ask *ask);

// What an event says of it.
struct device_wish {
    bool said, remember;
    int64_t for_ms; // INT64_MAX: as long as the policy lets it
};
// false: it is not what it should be.
MUST_USE bool device_read(const struct ask *ask, struct device_wish *out);
// Remembers it for as long as the session policies let it, or forgets it where the event says so. Returns
// until when; 0: it is not remembered now.
int64_t device_remember(struct ask *ask, const struct device_wish *wish);
// None is remembered any more.
void device_forget_all(struct user_record *user);

#endif
