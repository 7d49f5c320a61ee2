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

static uint16_t short_hash(const struct value *v)
{
    uint64_t hash = qhash(KEY, v);
    uint16_t low = (uint16_t)(hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48);
    return low != 0 ? low : 1;
}

// t13d1516h2_8daaf6152771_02713d6af862: transport and counts, ciphers, extensions.
enum {
    JA4_HEAD = 10,
    JA4_HASH = 12,
    JA4_LEN = JA4_HEAD + 2 * (1 + JA4_HASH)
};

static void read_ja4(const struct value *v, struct sighting *seen)
{
    struct value ciphers = *v;
    struct str text = v->kind == VALUE_STRING ? value_text(v) : (struct str){0};
    if (text.len == JA4_LEN && text.at[JA4_HEAD] == '_' && text.at[JA4_HEAD + 1 + JA4_HASH] == '_') {
        ciphers = value_str(str_sub(text, JA4_HEAD + 1, JA4_HASH));
    }
    unsigned quic = text.len > 0 && text.at[0] == 'q';
    unsigned shown = (short_hash(&ciphers) & ~1U) | quic;
    seen->components[SIGHT_COMPONENT_JA4] = (uint16_t)(shown > 1 ? shown : 2 | quic);
    uint64_t hash = qhash(KEY, v);
    uint32_t whole = (uint32_t)(hash ^ hash >> 32);
    seen->ja4 = whole != 0 ? whole : 1;
}

void parts_read(const struct value *components, struct sighting *seen)
{
    for (uint32_t i = 0; components->kind == VALUE_MAP && i < components->n; i++) {
        const struct value_entry *entry = &components->as.map[i];
        enum sight_component part = parts_find(value_text(&entry->key));
        if (part == SIGHT_COMPONENTS || is_empty(&entry->value)) {
            continue;
        }
        if (part == SIGHT_COMPONENT_JA4) {
            read_ja4(&entry->value, seen);
        } else {
            seen->components[part] = short_hash(&entry->value);
        }
    }
}
