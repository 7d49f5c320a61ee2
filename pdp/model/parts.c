// SPDX-License-Identifier: Apache-2.0
// HOT
#include "model/parts.h"

#include "model/qhash.h"

static const struct hash_key KEY = {UINT64_C(0x636f6d706f6e656e), UINT64_C(0x74732d6f662d6121)};

static const struct str NAMES[SIGHT_COMPONENTS] = {
#define X(name, text) {text, sizeof(text) - 1},
    SIGHT_COMPONENT_LIST(X)
#undef X
};

const char *parts_name(enum sight_component part)
{
    return part < SIGHT_COMPONENTS ? NAMES[part].at : "";
}

enum sight_component parts_find(struct str name)
{
    for (unsigned i = 0; i < SIGHT_COMPONENTS; i++) {
        if (str_eq(NAMES[i], name)) {
            return (enum sight_component)i;
        }
    }
    return SIGHT_COMPONENTS;
}

// Says nothing: as if it had been left out.
static bool is_empty(const struct value *v)
{
    return v->kind == VALUE_NULL || (v->n == 0 && (v->kind == VALUE_STRING || v->kind == VALUE_BYTES ||
                                                   v->kind == VALUE_LIST || v->kind == VALUE_MAP));
}

void parts_read(const struct value *components, struct sighting *seen)
{
    for (uint32_t i = 0; components->kind == VALUE_MAP && i < components->n; i++) {
        const struct value_entry *entry = &components->as.map[i];
        enum sight_component part = parts_find(value_text(&entry->key));
        if (part == SIGHT_COMPONENTS || is_empty(&entry->value)) {
            continue;
        }
        uint64_t hash = qhash(KEY, &entry->value);
        uint16_t low = (uint16_t)(hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48);
        seen->components[part] = low != 0 ? low : 1;
        if (part == SIGHT_COMPONENT_JA4) {
            uint32_t wide = (uint32_t)(hash ^ hash >> 32);
            seen->ja4 = wide != 0 ? wide : 1;
        }
    }
}
