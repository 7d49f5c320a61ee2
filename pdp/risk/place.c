// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/place.h"

bool place_same_carrier(const struct sighting *was, const struct sighting *is)
{
    return (was->flags & is->flags & SIGHT_CARRIER) != 0 && was->asn != 0 && was->asn == is->asn &&
           was->country == is->country;
}

bool place_differs(const struct sighting *was, const struct sighting *is)
{
    if ((was->flags & is->flags & SIGHT_HAS_IP) == 0) {
        return false;
    }
    if (was->ip.v4 != is->ip.v4) {
        return true;
    }
    return memcmp(was->ip.bytes, is->ip.bytes, is->ip.v4 ? 16 : 8) != 0;
}

bool place_moved(const struct sighting *was, const struct sighting *is)
{
    return !place_same_carrier(was, is) && place_differs(was, is);
}

bool place_left(const struct sighting *was, const struct sighting *is)
{
    return ((was->flags | is->flags) & SIGHT_OWN_EGRESS) == 0 && place_moved(was, is);
}
