// SPDX-License-Identifier: Apache-2.0
// One observed context of a session: 88 bytes, copied by value. Unknown is zero, coordinates NaN.
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

// Parts of a device's fingerprint by place, as `context.device.components` names them.
#define SIGHT_COMPONENTS 8

struct sighting {
    int64_t at_ms;
    double lat_deg, lon_deg, radius_km; // NaN: not known
    struct ip ip;
    uint32_t asn;         // 0: not known
    uint16_t country;     // two letters, first in the high byte; 0: not known
    uint16_t flags;       // SIGHT_…
    uint32_t geo_version; // of the databases that placed it
    uint16_t agent_family, agent_os;
    uint64_t fingerprint; // keyed hash; 0: not known
};

#endif
