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
void parts_read(const struct value *components, struct sighting *seen);
// By its name; SIGHT_COMPONENTS where there is none.
enum sight_component parts_find(struct str name);
const char *parts_name(enum sight_component part);

#endif
