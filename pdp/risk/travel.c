// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/travel.h"

#include "base/fmath.h"
#include "base/num.h"
#include "risk/place.h"

static const double NEAR_KM = 100.0;    // nearer than this is no journey
static const double SPREAD_KMH = 150.0; // how softly the limit bites
static const double LEAST_GAP_H = 1.0 / 60.0;
static const double MS_PER_HOUR = 3600000.0;

// Networks whose address says nothing of where the person is.
static const unsigned NO_PLACE = SIGHT_VPN | SIGHT_RELAY | SIGHT_SATELLITE | SIGHT_OWN_EGRESS;

static bool placed(const struct travel_rule *rule, const struct sighting *at)
{
    // Written so that NaN, the missing coordinate, fails.
    return at->lat_deg >= -90 && at->lat_deg <= 90 && at->lon_deg >= -180 && at->lon_deg <= 180 &&
           at->radius_km >= 0 && at->radius_km <= rule->max_radius_km && (at->flags & NO_PLACE) == 0;
}

static bool same_address(const struct sighting *was, const struct sighting *is)
{
    return (was->flags & is->flags & SIGHT_HAS_IP) != 0 && was->ip.v4 == is->ip.v4 &&
           memcmp(was->ip.bytes, is->ip.bytes, sizeof is->ip.bytes) == 0;
}

bool travel_measure(const struct travel_rule *rule, const struct sighting *was, const struct sighting *is,
                    struct travel_move *move)
{
    *move = (struct travel_move){0};
    if (!placed(rule, was) || !placed(rule, is) || was->geo_version != is->geo_version ||
        is->at_ms < was->at_ms) {
        return false;
    }
    move->ms = num_sub_sat(is->at_ms, was->at_ms);
    if (same_address(was, is)) {
        return true;
    }
    if (place_same_carrier(was, is)) {
        *move = (struct travel_move){0};
        return false;
    }
    double gap_km = fmath_great_circle_km(was->lat_deg, was->lon_deg, is->lat_deg, is->lon_deg);
    gap_km -= was->radius_km + is->radius_km;
    if (gap_km > 0) {
        double hours = (double)move->ms / MS_PER_HOUR;
        move->km = gap_km;
        move->kmh = gap_km / (hours > LEAST_GAP_H ? hours : LEAST_GAP_H);
    }
    if (gap_km > NEAR_KM) {
        move->evidence = rule->evidence * fmath_sigmoid((move->kmh - rule->max_kmh) / SPREAD_KMH);
    }
    return true;
}

bool travel_evidence(const struct travel_rule *rule, const struct sighting *was, const struct sighting *is,
                     double *evidence)
{
    struct travel_move move;
    bool verdict = travel_measure(rule, was, is, &move);
    *evidence = move.evidence;
    return verdict;
}

static bool same_place(const struct sighting *a, const struct sighting *b)
{
    return a->at_ms == b->at_ms && same_address(a, b) && a->geo_version == b->geo_version;
}

// The session's own device, or one of the user's: a tunnel or a wrong place is likelier than a thief who
// copied it.
static bool same_device(const struct signal_view *view)
{
    const struct sighting *anchor = view->in->anchor, *seen = view->in->seen;
    uint32_t print = view->context.tags[PROFILE_PRINT];
    bool same = anchor != NULL && (anchor->flags & seen->flags & SIGHT_HAS_FINGERPRINT) != 0 &&
                anchor->fingerprint == seen->fingerprint;
    return same || (print != 0 && profile_knows(view->user, PROFILE_PRINT, print));
}

// The user's last sighting is most often the session's own: looked at once.
struct signal_reading travel_read(struct signal_view *view)
{
    const struct risk_input *in = view->in;
    if (in->seen == NULL) {
        return READ_NOTHING;
    }
    double most = view->rule->evidence, alone = view->rule->params[2];
    most = same_device(view) && alone < most ? alone : most;
    const struct travel_rule rule = {view->rule->params[0], view->rule->params[1], most};
    const struct sighting *before[2] = {in->last, in->user_last};
    if (before[0] != NULL && before[1] != NULL && same_place(before[0], before[1])) {
        before[1] = NULL;
    }
    struct signal_reading reading = READ_NOTHING;
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        struct travel_move move;
        if (before[i] == NULL || !travel_measure(&rule, before[i], in->seen, &move)) {
            continue;
        }
        if (view->travel_km != view->travel_km || move.kmh > view->travel_kmh) {
            view->travel_km = move.km;
            view->travel_kmh = move.kmh;
            view->travel_ms = move.ms;
        }
        reading.evidence = move.evidence > reading.evidence ? move.evidence : reading.evidence;
    }
    reading.missing = in->seen->lat_deg != in->seen->lat_deg || in->seen->lon_deg != in->seen->lon_deg;
    return reading;
}
