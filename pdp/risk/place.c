// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/place.h"

bool place_moved(const struct sighting *was, const struct sighting *is)
{
    if ((was->flags & is->flags & SIGHT_HAS_IP) == 0) {
        return false;
    }
    if (was->ip.v4 != is->ip.v4) {
        return true;
    }
    return memcmp(was->ip.bytes, is->ip.bytes, is->ip.v4 ? 16 : 8) != 0;
}
