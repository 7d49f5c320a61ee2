// SPDX-License-Identifier: Apache-2.0
// One observed context of a session: 96 bytes, copied by value. Unknown is zero, coordinates NaN.
#ifndef MODEL_SIGHTING_H
#define MODEL_SIGHTING_H

#include "base/ip.h"

// Bits of struct sighting.flags: MaxMind's anonymity flags and what is known of the context.
enum {
    SIGHT_HAS_IP = 1 << 0,
    SIGHT_ANONYMOUS = 1 << 1,
    SIGHT_VPN = 1 << 2,
    SIGHT_HOSTING = 1 << 3,
    SIGHT_PROXY = 1 << 4, // public proxy
    SIGHT_TOR = 1 << 5,
    SIGHT_RESIDENTIAL_PROXY = 1 << 6,
    SIGHT_SATELLITE = 1 << 7,
    SIGHT_RELAY = 1 << 8,
    SIGHT_HAS_FINGERPRINT = 1 << 9,
    SIGHT_HAS_AGENT = 1 << 10,
    SIGHT_TOOL_AGENT = 1 << 11, // curl, Boto3, a script: no browser
    SIGHT_CARRIER = 1 << 12,    // a mobile carrier's, whose addresses change from minute to minute
    SIGHT_OWN_EGRESS = 1 << 13, // where the company's own people come out
};

// What kind of device an agent says that it runs on. X(name, words for people)
#define SIGHT_CLASS_LIST(X)         \
    X(UNKNOWN, "an unknown device") \
    X(DESKTOP, "desktop")           \
    X(MOBILE, "mobile")             \
    X(TABLET, "tablet")             \
    X(OTHER, "other")               \
    X(TOOL, "tool")

// OTHER: a television, a console, a car, a watch. TOOL: a program or a bot, whatever it runs on.
enum sight_class {
#define X(name, text) SIGHT_CLASS_##name,
    SIGHT_CLASS_LIST(X)
#undef X
    SIGHT_CLASS_COUNT
};

// Parts of a fingerprint that are compared one by one; context.device.components names them so.
// X(name, name in the context)
#define SIGHT_COMPONENT_LIST(X) \
    X(OS, "os")                 \
    X(BROWSER, "browser")       \
    X(JA4, "ja4")               \
    X(GPU, "gpu")               \
    X(SCREEN, "screen")         \
    X(FONTS, "fonts")           \
    X(CANVAS, "canvas")         \
    X(TIMEZONE, "timezone")

enum sight_component {
#define X(name, text) SIGHT_COMPONENT_##name,
    SIGHT_COMPONENT_LIST(X)
#undef X
    SIGHT_COMPONENTS
};

struct sighting {
    int64_t at_ms;
    double lat_deg, lon_deg, radius_km; // NaN: not known
    struct ip ip;
    uint8_t agent_class;    // enum sight_class
    uint16_t agent_version; // of the browser or tool, its first number; 0: not known
    uint32_t asn;           // 0: not known
    uint16_t country;       // two letters, first in the high byte; 0: not known
    uint16_t flags;         // SIGHT_…
    uint16_t geo_version;   // of the databases that placed it: sight_geo_version()
    uint16_t agent_family, agent_os;
    // Under a constant key, so that they mean the same on every node. Of what is seen now only: a session
    // keeps those of its anchor in its risk state, a user none.
    uint16_t components[SIGHT_COMPONENTS]; // 0: not known
    uint32_t ja4;                          // 0: not known
    uint64_t fingerprint;                  // keyed hash; 0: not known
};

_Static_assert(sizeof(struct sighting) == 96, "no padding but two bytes");

// 16 bits of a version of 32, 0 for none alone: what a session keeps, and hence what is compared.
static inline uint16_t sight_geo_version(uint32_t version)
{
    uint16_t folded = (uint16_t)(version ^ version >> 16);
    return folded == 0 && version != 0 ? 1 : folded;
}

#endif
