// SPDX-License-Identifier: Apache-2.0
// HOT
// One session in use by two at once: back and forth between the device that began it and another one
// somewhere else, or between two places, faster than a person or a network changes.
#include "base/num.h"
#include "risk/drift.h"
#include "risk/place.h"
#include "risk/travel.h"

// Whose a question looks like, against the session's anchor: a bit each.
enum {
    SIDE_UNKNOWN = 0, // does not tell: nothing moves
    SIDE_OWN = 1,
    SIDE_DEVICE = 2, // another device at another address
    SIDE_PLACE = 4   // far away, and nothing says that it is the same device
};

enum {
    SUM_MOST = UINT8_MAX,
    BY_DEVICE = 2, // a change counts so much
    BY_PLACE = 1,
    FREE = 2, // the first change of a device is a change, not a coming back
    FULL = 6
};

// state->sides: the seconds of the last question that told its side, and of these seconds, sides that were
// seen within them, the side before, and whether that was recently. Within a second order does not matter.
enum {
    SIDES_MASK = 7,
    BEFORE_SHIFT = 3,
    RECENT = 1 << 6,
    SECOND_SHIFT = 7,
    SECONDS_MASK = (1 << 25) - 1
};

static const double FAR_KM = 100;
static const int64_t FORGET_S = 300; // without a change
static const int64_t MS_PER_S = 1000;
static const double MAX_RADIUS_KM = 200;
// Through these the same device comes from elsewhere in the next moment.
static const unsigned TUNNEL = SIGHT_VPN | SIGHT_RELAY | SIGHT_SATELLITE | SIGHT_OWN_EGRESS | SIGHT_CARRIER;

enum likeness {
    LIKENESS_UNKNOWN,
    LIKENESS_SAME, // by its fingerprint
    LIKENESS_ALIKE,
    LIKENESS_OTHER
};

// An app and its web view are two agents on one system in one network; through a tunnel in two.
static bool is_other_agent(const struct sighting *was, const struct sighting *is)
{
    bool os = was->agent_os != is->agent_os && was->agent_os != 0 && is->agent_os != 0;
    bool network =
        was->asn != 0 && is->asn != 0 && was->asn != is->asn && ((was->flags | is->flags) & TUNNEL) == 0;
    return os || (was->agent_family != is->agent_family && network);
}

// Within one network nothing in between shakes hands in the client's place, as an inspecting proxy behind a
// tunnel does.
static bool is_other_client(const struct risk_state *state, const struct sighting *was,
                            const struct sighting *is)
{
    bool network = was->asn != 0 && was->asn == is->asn;
    bool newer = is->agent_version > was->agent_version;
    return network && !newer &&
           drift_ja4_differs(state->components[SIGHT_COMPONENT_JA4], is->components[SIGHT_COMPONENT_JA4]);
}

static enum likeness likeness_of(const struct risk_state *state, const struct sighting *was,
                                 const struct sighting *is)
{
    unsigned both = was->flags & is->flags;
    if (is_other_client(state, was, is)) {
        return LIKENESS_OTHER;
    }
    if ((both & SIGHT_HAS_FINGERPRINT) != 0) {
        return was->fingerprint == is->fingerprint ? LIKENESS_SAME : LIKENESS_OTHER;
    }
    if ((both & SIGHT_HAS_AGENT) == 0) {
        return LIKENESS_UNKNOWN;
    }
    if (is_other_agent(was, is)) {
        return LIKENESS_OTHER;
    }
    bool alike = was->agent_family == is->agent_family && was->agent_os == is->agent_os;
    return alike ? LIKENESS_ALIKE : LIKENESS_UNKNOWN;
}

static unsigned side_by_place(const struct sighting *was, const struct sighting *is)
{
    static const struct travel_rule RULE = {.max_kmh = 900, .max_radius_km = MAX_RADIUS_KM, .evidence = 1};
    struct travel_move move;
    if (((was->flags | is->flags) & TUNNEL) != 0 || !travel_measure(&RULE, was, is, &move)) {
        return SIDE_UNKNOWN;
    }
    return move.km > FAR_KM ? SIDE_PLACE : SIDE_OWN;
}

static unsigned side_of(const struct risk_input *in, const struct risk_state *state)
{
    if (in->anchor == NULL) {
        return SIDE_OWN; // it begins here
    }
    switch (likeness_of(state, in->anchor, in->seen)) {
    case LIKENESS_SAME:
        return SIDE_OWN;
    case LIKENESS_OTHER:
        return place_moved(in->anchor, in->seen) ? SIDE_DEVICE : SIDE_UNKNOWN;
    case LIKENESS_ALIKE:
    case LIKENESS_UNKNOWN:
        break;
    }
    return side_by_place(in->anchor, in->seen);
}

static uint32_t second_of(int64_t now_ms)
{
    return (uint32_t)num_max(0, num_min(now_ms / MS_PER_S, UINT32_MAX));
}

// Sides of one second.
struct second {
    uint32_t at_s; // modulo 2^25
    unsigned seen, before;
    bool recent;
};

static struct second unpack(uint32_t sides)
{
    return (struct second){sides >> SECOND_SHIFT, sides & SIDES_MASK, sides >> BEFORE_SHIFT & SIDES_MASK,
                           (sides & RECENT) != 0};
}

static uint32_t pack(const struct second *second)
{
    return second->at_s << SECOND_SHIFT | (second->recent ? RECENT : 0U) | second->before << BEFORE_SHIFT |
           second->seen;
}

// The side that somebody was on last; unknown where both were seen within the second.
static unsigned side_after(unsigned seen)
{
    if ((seen & SIDE_OWN) != 0) {
        return seen == SIDE_OWN ? SIDE_OWN : SIDE_UNKNOWN;
    }
    return (seen & SIDE_DEVICE) != 0 ? SIDE_DEVICE : seen;
}

// What changes of sides in a second come to: there from the side before, and both within it.
static unsigned changes_in(const struct second *second)
{
    unsigned others = SIDE_DEVICE | SIDE_PLACE;
    unsigned elsewhere = second->before == SIDE_OWN ? others : SIDE_OWN;
    unsigned count = second->before != 0 && second->recent && (second->seen & elsewhere) != 0;
    count += (second->seen & SIDE_OWN) != 0 && (second->seen & others) != 0;
    bool device = ((second->seen | second->before) & SIDE_DEVICE) != 0;
    return count * (device ? BY_DEVICE : BY_PLACE);
}

static void enter(struct second *second, uint32_t now_s, double within_s)
{
    uint32_t gap_s = (now_s - second->at_s) & SECONDS_MASK;
    if (second->seen == 0 || gap_s != 0) {
        *second =
            (struct second){now_s & SECONDS_MASK, 0, side_after(second->seen), (double)gap_s <= within_s};
    }
}

struct signal_reading concurrent_read(struct signal_view *view)
{
    const struct risk_input *in = view->in;
    struct risk_state *state = view->state;
    if (in->seen == NULL || in->event != EVENT_NONE) {
        return READ_NOTHING;
    }
    unsigned side = side_of(in, state);
    if (side == SIDE_UNKNOWN ||
        !in->counts) { // a probe is nobody's use; what it would change is not known for long
        bool lacks = (in->seen->flags & (SIGHT_HAS_FINGERPRINT | SIGHT_HAS_AGENT | SIGHT_HAS_IP)) == 0;
        return (struct signal_reading){0, lacks};
    }
    uint32_t now_s = second_of(view->now_ms);
    struct second second = unpack(state->sides);
    enter(&second, now_s, view->rule->params[0]);
    unsigned was = changes_in(&second);
    second.seen |= side;
    unsigned more = changes_in(&second) - was;
    state->sides = pack(&second);
    if (more == 0) {
        return READ_NOTHING;
    }
    unsigned sum = (now_s - (int64_t)state->switched_s > FORGET_S ? 0 : state->switches) + more;
    state->switches = (uint8_t)(sum < SUM_MOST ? sum : SUM_MOST);
    state->switched_s = now_s;
    if (sum <= FREE) {
        return READ_NOTHING;
    }
    double share = sum < FULL ? (double)(sum - FREE) / (FULL - FREE) : 1;
    return (struct signal_reading){view->rule->evidence * share, false};
}
