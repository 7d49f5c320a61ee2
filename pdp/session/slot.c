// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/slot.h"

#include "base/num.h"

_Static_assert(sizeof(struct slot_sighting) == 48, "no padding");
_Static_assert(sizeof(struct slot) <= 496, "DESIGN §12: 512 bytes with links, buckets and slack");
_Static_assert(SIGHT_CLASS_COUNT <= 8, "three bits");
_Static_assert(PDP_EFFECT_COUNT <= 4 && RISK_LEVEL_COUNT <= 4 && PDP_CODE_COUNT <= 16, "slot_repeats.rule");

#define AGENT_OS_MOST 31U
#define RULE_NONE UINT32_C(0xffffff)
static const double E7 = 1e7;
static const int64_t TIME_BASE_MS = INT64_C(62135596800000); // from the year 1 to 1970
static const int64_t TIME_MOST = (INT64_C(1) << 48) - 1;

int64_t slot_time_ms(const struct slot *slot, enum slot_time which)
{
    return (int64_t)((uint64_t)slot->time_high[which] << 32 | slot->time_low[which]) - TIME_BASE_MS;
}

void slot_set_time(struct slot *slot, enum slot_time which, int64_t at_ms)
{
    int64_t since = num_max(0, num_min(num_add_sat(at_ms, TIME_BASE_MS), TIME_MOST));
    slot->time_low[which] = (uint32_t)since;
    slot->time_high[which] = (uint16_t)(since >> 32);
}

static int32_t coordinate_pack(double deg)
{
    // Written so that NaN fails.
    if (!(deg >= -180 && deg <= 180)) {
        return INT32_MIN;
    }
    return (int32_t)(deg * E7 + (deg < 0 ? -0.5 : 0.5));
}

static double coordinate_unpack(int32_t e7)
{
    // A quotient of two exact numbers is rounded once: the double that is nearest to the decimal.
    return e7 == INT32_MIN ? __builtin_nan("") : (double)e7 / E7;
}

static uint16_t radius_pack(double km)
{
    if (!(km >= 0)) {
        return UINT16_MAX;
    }
    if (km > UINT16_MAX - 2) {
        return UINT16_MAX - 1;
    }
    uint16_t whole = (uint16_t)km;
    return (uint16_t)(whole + (whole < km));
}

// Families and systems that are known are few; what is no number of theirs is the unknown one.
static uint8_t agent_pack(unsigned number, unsigned most)
{
    return number <= most ? (uint8_t)number : 0;
}

static void sighting_pack(const struct sighting *from, struct slot_sighting *to)
{
    to->fingerprint = from->fingerprint;
    memcpy(to->ip, from->ip.bytes, sizeof to->ip);
    to->lat_e7 = coordinate_pack(from->lat_deg);
    to->lon_e7 = coordinate_pack(from->lon_deg);
    to->asn = from->asn;
    to->geo_version = from->geo_version;
    to->country = from->country;
    to->flags = from->flags;
    to->agent_family = agent_pack(from->agent_family, UINT8_MAX);
    to->agent_os = agent_pack(from->agent_os, AGENT_OS_MOST) & AGENT_OS_MOST;
    to->agent_class = agent_pack(from->agent_class, SIGHT_CLASS_COUNT - 1) & 7U;
    to->agent_version = from->agent_version;
    to->radius_km = radius_pack(from->radius_km);
}

static void sighting_unpack(const struct slot_sighting *from, struct sighting *to)
{
    static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
    to->fingerprint = from->fingerprint;
    memcpy(to->ip.bytes, from->ip, sizeof to->ip.bytes);
    to->ip.v4 = memcmp(from->ip, MAPPED, sizeof MAPPED) == 0; // canonical on entry: no IPv6 address begins so
    to->lat_deg = coordinate_unpack(from->lat_e7);
    to->lon_deg = coordinate_unpack(from->lon_e7);
    to->radius_km = from->radius_km == UINT16_MAX ? __builtin_nan("") : from->radius_km;
    to->asn = from->asn;
    to->geo_version = from->geo_version;
    to->country = from->country;
    to->flags = from->flags;
    to->agent_family = from->agent_family;
    to->agent_os = from->agent_os;
    to->agent_class = from->agent_class;
    to->agent_version = from->agent_version;
    // Of what is seen alone.
    memset(to->components, 0, sizeof to->components);
    to->ja4 = 0;
}

static void repeats_pack(const struct session_repeat *from, struct slot_repeats *to)
{
    to->policy_epoch = 0;
    for (size_t i = 0; i < SESSION_REPEATS; i++) {
        to->policy_epoch = from[i].policy_epoch > to->policy_epoch ? from[i].policy_epoch : to->policy_epoch;
    }
    for (size_t i = 0; i < SESSION_REPEATS; i++) {
        uint32_t behind = to->policy_epoch - from[i].policy_epoch;
        uint32_t rule = from[i].rule < RULE_NONE ? from[i].rule : RULE_NONE;
        to->id[i] = from[i].id;
        to->question[i] = from[i].question;
        to->score[i] = from[i].score;
        to->rule[i] =
            rule << 8 | (from[i].effect & 3U) << 6 | (from[i].level & 3U) << 4 | (from[i].code & 15U);
        to->age[i] = behind < UINT8_MAX ? (uint8_t)behind : UINT8_MAX;
    }
}

static void repeats_unpack(const struct slot_repeats *from, struct session_repeat *to)
{
    for (size_t i = 0; i < SESSION_REPEATS; i++) {
        uint32_t rule = from->rule[i] >> 8;
        bool lost = from->age[i] == UINT8_MAX;
        to[i] = (struct session_repeat){
            .id = from->id[i],
            .question = from->question[i],
            .score = from->score[i],
            .rule = lost || rule == RULE_NONE ? UINT32_MAX : rule,
            .policy_epoch = lost ? 0 : from->policy_epoch - from->age[i],
            .effect = (uint8_t)(from->rule[i] >> 6 & 3U),
            .code = (uint8_t)(from->rule[i] & 15U),
            .level = (uint8_t)(from->rule[i] >> 4 & 3U),
        };
    }
}

// Text bytes that a length stands for: a length above the field's size says that the text was cut.
static size_t held(uint8_t len, size_t size)
{
    return len < size ? len : size;
}

static void text_pack(const struct session_record *from, struct slot *to)
{
    size_t acr = held(from->acr_len, sizeof from->acr), amr = held(from->amr_len, sizeof from->amr);
    size_t room = SLOT_TEXT - acr;
    to->acr_len = from->acr_len;
    to->amr_len = from->amr_len;
    if (amr > room) {
        // Whole words only: half a word would be another method's name.
        while (room != 0 && from->amr[room] != ' ') {
            room--;
        }
        amr = room;
        to->amr_len = from->amr_len > sizeof from->amr ? from->amr_len : (uint8_t)amr;
    }
    memcpy(to->text, from->acr, acr);
    memcpy(to->text + acr, from->amr, amr);
    memset(to->text + acr + amr, 0, SLOT_TEXT - acr - amr);
}

static void text_unpack(const struct slot *from, struct session_record *to)
{
    size_t acr = held(from->acr_len, sizeof to->acr), amr = held(from->amr_len, sizeof to->amr);
    amr = amr < SLOT_TEXT - acr ? amr : SLOT_TEXT - acr;
    to->acr_len = from->acr_len;
    to->amr_len = from->amr_len;
    memset(to->acr, 0, sizeof to->acr);
    memset(to->amr, 0, sizeof to->amr);
    memcpy(to->acr, from->text, acr);
    memcpy(to->amr, from->text + acr, amr);
}

uint32_t slot_keep_until_s(int64_t keep_until_ms)
{
    if (keep_until_ms <= 0) {
        return 0;
    }
    int64_t s = keep_until_ms / 1000 + (keep_until_ms % 1000 != 0);
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static uint32_t slot_seconds(int64_t at_ms)
{
    return (uint32_t)num_max(0, num_min(at_ms / 1000, UINT32_MAX));
}

// What only a session of this state has. The number of the tip is the table's to set.
static void of_pack(const struct session_record *from, struct slot *to)
{
    if (from->state == SESSION_TERMINATED) {
        memset(&to->of, 0, sizeof to->of);
        to->of.ended = (struct slot_ended){from->ended_ms, from->end_code};
    } else if (from->state == SESSION_ROTATED) {
        memset(&to->of, 0, sizeof to->of);
        to->of.rotated = (struct slot_rotated){from->successor, from->rotated_ms, from->overlap_until_ms, 0};
    } else {
        repeats_pack(from->repeats, &to->of.repeats);
    }
}

static void of_unpack(const struct slot *from, struct session_record *to)
{
    to->ended_ms = to->rotated_ms = to->overlap_until_ms = 0;
    to->end_code = 0;
    to->successor = (struct hash128){0};
    if (from->state == SESSION_TERMINATED) {
        to->ended_ms = from->of.ended.ended_ms;
        to->end_code = from->of.ended.end_code;
        memset(to->repeats, 0, sizeof to->repeats);
    } else if (from->state == SESSION_ROTATED) {
        to->successor = from->of.rotated.to;
        to->rotated_ms = from->of.rotated.rotated_ms;
        to->overlap_until_ms = from->of.rotated.overlap_until_ms;
        memset(to->repeats, 0, sizeof to->repeats);
    } else {
        repeats_unpack(&from->of.repeats, to->repeats);
    }
}

void slot_pack(const struct session_record *from, struct slot *to)
{
    slot_set_time(to, SLOT_AUTH, from->auth_time_ms);
    slot_set_time(to, SLOT_FIRST_SEEN, from->first_seen_ms);
    slot_set_time(to, SLOT_LAST_SEEN, from->last_seen_ms);
    slot_set_time(to, SLOT_ANCHOR, from->anchor.at_ms);
    slot_set_time(to, SLOT_LAST, from->last.at_ms);
    sighting_pack(&from->anchor, &to->anchor);
    sighting_pack(&from->last, &to->last);
    of_pack(from, to);
    memcpy(to->risk, from->risk, sizeof to->risk);
    memcpy(to->proofs, from->proofs, sizeof to->proofs);
    text_pack(from, to);
    to->epoch = from->epoch;
    to->requests = from->requests;
    to->asked_max_age_s = from->asked_max_age_s;
    to->keep_until_s = slot_keep_until_s(from->keep_until_ms);
    to->over_s = slot_keep_until_s(from->over_ms);
    to->id_since_s = slot_seconds(from->id_since_ms);
    to->gateway = from->gateway;
    to->voucher = from->voucher;
    to->prover = from->prover;
    to->vouched_s = from->vouched_s;
    to->state = from->state & 15U;
    to->undone = from->undone & 15U;
    to->asked_strength = from->asked_strength;
    to->issued = from->issued != 0;
    to->asserted = from->asserted != 0;
    to->repeat_next = from->repeat_next & 3U; // SESSION_REPEATS - 1
    to->key = from->key & 15U;
}

void slot_unpack(const struct slot *from, struct session_record *to)
{
    to->id = from->id;
    to->auth_time_ms = slot_time_ms(from, SLOT_AUTH);
    to->first_seen_ms = slot_time_ms(from, SLOT_FIRST_SEEN);
    to->last_seen_ms = slot_time_ms(from, SLOT_LAST_SEEN);
    to->anchor.at_ms = slot_time_ms(from, SLOT_ANCHOR);
    to->last.at_ms = slot_time_ms(from, SLOT_LAST);
    sighting_unpack(&from->anchor, &to->anchor);
    sighting_unpack(&from->last, &to->last);
    of_unpack(from, to);
    memcpy(to->risk, from->risk, sizeof to->risk);
    memcpy(to->proofs, from->proofs, sizeof to->proofs);
    text_unpack(from, to);
    to->epoch = from->epoch;
    to->requests = from->requests;
    to->asked_max_age_s = from->asked_max_age_s;
    to->keep_until_ms = from->keep_until_s == UINT32_MAX ? INT64_MAX : (int64_t)from->keep_until_s * 1000;
    to->over_ms = from->over_s == UINT32_MAX ? 0 : (int64_t)from->over_s * 1000;
    to->id_since_ms = (int64_t)from->id_since_s * 1000;
    to->gateway = from->gateway;
    to->voucher = from->voucher;
    to->prover = from->prover;
    to->vouched_s = from->vouched_s;
    to->state = from->state;
    to->undone = from->undone;
    to->asked_strength = from->asked_strength;
    to->issued = from->issued;
    to->asserted = from->asserted;
    to->repeat_next = from->repeat_next;
    to->key = from->key;
}
