// SPDX-License-Identifier: Apache-2.0
// What a device's fingerprint is made of, as numbers to compare.
#ifndef MODEL_PARTS_H
#define MODEL_PARTS_H

#include "model/sighting.h"
#include "model/value.h"

// Sets `components` and `ja4` of a sighting from `context.device.components`, whose names are those of
// SIGHT_COMPONENT_LIST; others are passed over. Any value counts; null and empty text are not known. The same
// value gives the same number in every run, since no key is drawn: whoever may tell components could as well
// repeat them. Hot path: linear in the map, no allocation.
//
// The component `ja4` is that of the ciphers alone where the text has JA4's form (its second part):
// extensions differ between a first and a resumed handshake of one client. Its lowest bit says whether it was
// QUIC, over which a browser shows others. `seen->ja4` is the whole text.
void parts_read(const struct value *components, struct sighting *seen);

static inline bool parts_ja4_quic(uint16_t component)
{
    return (component & 1) != 0;
}

// By its name; SIGHT_COMPONENTS where there is none.
enum sight_component parts_find(struct str name);
const char *parts_name(enum sight_component part);

#endif
