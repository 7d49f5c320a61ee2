// SPDX-License-Identifier: Apache-2.0
#include "risk/profile_name.h"

#include <inttypes.h>

static const char *const CLASSES[SIGHT_CLASS_COUNT] = {
#define X(name, text) [SIGHT_CLASS_##name] = text,
    SIGHT_CLASS_LIST(X)
#undef X
};

static void name_hash(uint32_t tag, struct buf *out)
{
    buf_printf(out, "#%08" PRIx32, tag);
}

static void name_country(uint32_t tag, struct buf *out)
{
    char letters[2] = {(char)(tag >> 8 & 0xFF), (char)(tag & 0xFF)};
    bool right = letters[0] >= 'A' && letters[0] <= 'Z' && letters[1] >= 'A' && letters[1] <= 'Z';
    if (right) {
        buf_put(out, letters, sizeof letters);
    } else {
        name_hash(tag, out);
    }
}

static void name_network(uint32_t tag, struct buf *out)
{
    buf_printf(out, "AS%" PRIu32, tag);
}

static void name_prefix(uint32_t tag, struct buf *out)
{
    if (tag >> 24 == 1) {
        buf_printf(out, "%u.%u.%u.0/24", tag >> 16 & 0xFF, tag >> 8 & 0xFF, tag & 0xFF);
    } else {
        name_hash(tag, out); // an IPv6 prefix
    }
}

static void name_system(uint32_t tag, struct buf *out)
{
    uint32_t class = tag >> 8 & 0xFF;
    if (class != SIGHT_CLASS_UNKNOWN && class < SIGHT_CLASS_COUNT) {
        buf_printf(out, "%s, ", CLASSES[class]);
    }
    buf_str(out, risk_agent_os((uint16_t)(tag & 0xFF)));
}

static void name_browser(uint32_t tag, struct buf *out)
{
    buf_str(out, risk_agent_family((uint16_t)tag));
    buf_str(out, STR(" on "));
    buf_str(out, risk_agent_os((uint16_t)(tag >> 16 & 0xFF)));
}

void profile_name(const struct profile_entry *entry, struct buf *out)
{
    static void (*const NAMES[USER_FEATURES])(uint32_t tag, struct buf * out) = {
        [PROFILE_COUNTRY] = name_country, [PROFILE_NETWORK] = name_network, [PROFILE_PREFIX] = name_prefix,
        [PROFILE_SYSTEM] = name_system,   [PROFILE_BROWSER] = name_browser, [PROFILE_PRINT] = name_hash,
    };
    bool known = (unsigned)entry->feature < USER_FEATURES;
    (known ? NAMES[entry->feature] : name_hash)(entry->tag, out);
}
