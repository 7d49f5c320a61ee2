// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/profile.h"

#include "risk/fade.h"

#define HOUR_MOST ((UINT32_C(1) << 20) - 1)
#define COUNT_MOST ((UINT32_C(1) << 12) - 1)
static const int64_t HOUR_MS = 3600000;
static const double PART = 16, FINE = 256; // of counts, and of totals
static const unsigned HOURS_FULL = 240;    // of all hours together: then all are halved

static const struct {
    uint8_t from, count;
    int8_t parent; // -1: none
    const char *name;
} FEATURES[USER_FEATURES] = {
    [PROFILE_COUNTRY] = {0, USER_COUNTRIES, -1, "country"},
    [PROFILE_NETWORK] = {5, USER_NETWORKS, PROFILE_COUNTRY, "network"},
    [PROFILE_PREFIX] = {12, USER_PREFIXES, PROFILE_NETWORK, "prefix"},
    [PROFILE_SYSTEM] = {21, USER_SYSTEMS, -1, "system"},
    [PROFILE_BROWSER] = {25, USER_BROWSERS, PROFILE_SYSTEM, "browser"},
    [PROFILE_PRINT] = {30, USER_PRINTS, -1, "fingerprint"},
};
_Static_assert(30 + USER_PRINTS == USER_VALUES, "every place belongs to a feature");

// ---- A context's values ---------------------------------------------------------------------------

static uint64_t join(uint64_t parent, uint64_t value)
{
    uint64_t mixed = (parent ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return (mixed ^ mixed >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
}

static uint32_t prefix_tag(const struct ip *ip)
{
    const uint8_t *b = ip->bytes;
    if (ip->v4) {
        return UINT32_C(1) << 24 | (uint32_t)b[12] << 16 | (uint32_t)b[13] << 8 | b[14];
    }
    uint64_t net = 0;
    for (size_t i = 0; i < 6; i++) {
        net = net << 8 | b[i];
    }
    return UINT32_C(1) << 31 | (uint32_t)(join(0, net) >> 33);
}

static uint32_t print_tag(uint64_t fingerprint)
{
    uint32_t tag = (uint32_t)(fingerprint ^ fingerprint >> 32);
    return tag != 0 ? tag : 1;
}

static void read_network(const struct sighting *seen, struct profile_context *out)
{
    if ((seen->flags & SIGHT_HAS_IP) != 0) {
        out->tags[PROFILE_COUNTRY] = seen->country;
        out->tags[PROFILE_NETWORK] = seen->asn;
        out->tags[PROFILE_PREFIX] = prefix_tag(&seen->ip);
    }
}

static void read_device(const struct sighting *seen, struct profile_context *out)
{
    if ((seen->flags & SIGHT_HAS_AGENT) != 0) {
        out->tags[PROFILE_SYSTEM] =
            UINT32_C(1) << 16 | (uint32_t)(seen->agent_class & 15) << 8 | (seen->agent_os & 255);
        out->tags[PROFILE_BROWSER] =
            UINT32_C(1) << 24 | (uint32_t)(seen->agent_os & 255) << 16 | seen->agent_family;
    }
    if ((seen->flags & SIGHT_HAS_FINGERPRINT) != 0) {
        out->tags[PROFILE_PRINT] = print_tag(seen->fingerprint);
    }
}

// The key under which the population counts what a feature's values lie in.
static uint64_t parent_key(const struct profile_context *context, enum profile_feature feature)
{
    for (int at = FEATURES[feature].parent; at >= 0; at = FEATURES[at].parent) {
        if (context->tags[at] != 0) {
            return context->keys[at];
        }
    }
    return join(UINT64_C(0x726F6F74), FEATURES[feature].from); // all contexts that showed such a value
}

void profile_read(const struct sighting *seen, int64_t now_ms, struct profile_context *out)
{
    *out = (struct profile_context){0};
    int64_t hour = now_ms / HOUR_MS;
    out->hour = hour < 0 ? 0 : hour > HOUR_MOST ? HOUR_MOST : (uint32_t)hour;
    read_network(seen, out);
    read_device(seen, out);
    for (size_t i = 0; i < USER_FEATURES; i++) {
        uint64_t parent = parent_key(out, (enum profile_feature)i);
        out->keys[i] = join(parent ^ (i + 1), out->tags[i]);
    }
}

// ---- Counts ---------------------------------------------------------------------------------------

static double count_of(const struct user_value *value, uint32_t hour)
{
    return value != NULL ? fade((double)value->count / PART, value->hour, hour) : 0;
}

static const struct user_value *find(const struct risk_user *user, enum profile_feature feature, uint32_t tag)
{
    const struct user_value *values = user->values + FEATURES[feature].from;
    for (size_t i = 0; tag != 0 && i < FEATURES[feature].count; i++) {
        if (values[i].tag == tag) {
            return &values[i];
        }
    }
    return NULL;
}

bool profile_knows(const struct risk_user *user, enum profile_feature feature, uint32_t tag)
{
    return find(user, feature, tag) != NULL;
}

double profile_total(const struct risk_user *user, const struct profile_context *context)
{
    return fade((double)user->total / FINE, user->day * UINT32_C(24), context->hour);
}

// Of the nearest value above that is known of the context; of all contexts where there is none.
static double parent_count(const struct risk_user *user, const struct profile_context *context,
                           enum profile_feature feature, double total)
{
    for (int at = FEATURES[feature].parent; at >= 0; at = FEATURES[at].parent) {
        if (context->tags[at] != 0) {
            return count_of(find(user, (enum profile_feature)at, context->tags[at]), context->hour);
        }
    }
    return total;
}

static double at_least(double x, double least)
{
    return x > least ? x : least;
}

void profile_share(const struct risk_user *user, const struct population *population,
                   const struct profile_context *context, enum profile_feature feature,
                   struct profile_share *out)
{
    double total = profile_total(user, context);
    out->count = count_of(find(user, feature, context->tags[feature]), context->hour);
    // A parent that lost its place counts for no less than what is known below it.
    out->parent = at_least(parent_count(user, context, feature, total), out->count);
    out->fresh = user->total != 0 ? (double)user->fresh[feature] / (double)user->total : 0;
    out->common = out->of_common = 0;
    if (population != NULL) {
        out->common = population_count(population, context->keys[feature]);
        out->of_common = at_least(population_count(population, parent_key(context, feature)), out->common);
    }
}

double profile_hour(const struct risk_user *user, unsigned hour, double *all)
{
    *all = 0;
    for (size_t i = 0; i < 24; i++) {
        *all += user->hours[i];
    }
    unsigned beside = (unsigned)user->hours[(hour + 1) % 24] + user->hours[(hour + 23) % 24];
    return user->hours[hour % 24] / 2.0 + beside / 4.0;
}

int64_t profile_until(const struct profile_context *context, const struct risk_user *user, int64_t now_ms)
{
    int64_t next_ms = ((int64_t)context->hour + 1) * HOUR_MS;
    return user->total != 0 && next_ms > now_ms ? next_ms : INT64_MAX;
}

// ---- Learning -------------------------------------------------------------------------------------

static uint16_t age(uint16_t fine, uint32_t days)
{
    return (uint16_t)(fade(fine, 0, days * 24) + 0.5);
}

// Totals fade by whole days, so that an hour's part is not lost in rounding.
static void grow_old(struct risk_user *user, uint32_t hour)
{
    uint32_t day = hour / 24;
    if (day <= user->day) {
        return;
    }
    uint32_t days = day - user->day;
    user->total = age(user->total, days);
    for (size_t i = 0; i < USER_FEATURES; i++) {
        user->fresh[i] = age(user->fresh[i], days);
    }
    user->day = (uint16_t)day;
}

static uint16_t one_more(uint16_t fine)
{
    unsigned more = fine + 256U;
    return more < UINT16_MAX ? (uint16_t)more : UINT16_MAX;
}

static void learn_hour(struct risk_user *user, uint32_t hour)
{
    unsigned all = 0;
    for (size_t i = 0; i < 24; i++) {
        all += user->hours[i];
    }
    for (size_t i = 0; all >= HOURS_FULL && i < 24; i++) {
        user->hours[i] /= 2;
    }
    user->hours[hour % 24]++;
}

// The place of a value, or the one that counts least now: of equals the one that was counted longest ago.
static struct user_value *place_of(struct risk_user *user, enum profile_feature feature, uint32_t tag,
                                   uint32_t hour)
{
    struct user_value *values = user->values + FEATURES[feature].from, *place = NULL;
    double least = 0;
    for (size_t i = 0; i < FEATURES[feature].count; i++) {
        if (values[i].tag == tag) {
            return &values[i];
        }
        double count = values[i].tag != 0 ? count_of(&values[i], hour) : -1;
        if (place == NULL || count < least || (count == least && values[i].hour < place->hour)) {
            place = &values[i];
            least = count;
        }
    }
    return place;
}

static void count_value(struct user_value *value, uint32_t tag, uint32_t hour)
{
    double count = value->tag == tag ? count_of(value, hour) : 0;
    double parts = count * PART + PART + 0.5;
    value->tag = tag;
    value->count = (parts < (double)COUNT_MOST ? (uint32_t)parts : COUNT_MOST) & COUNT_MOST;
    value->hour = hour & HOUR_MOST;
}

static bool parent_known(const struct risk_user *user, const struct profile_context *context,
                         enum profile_feature feature)
{
    for (int at = FEATURES[feature].parent; at >= 0; at = FEATURES[at].parent) {
        if (context->tags[at] != 0) {
            return find(user, (enum profile_feature)at, context->tags[at]) != NULL;
        }
    }
    return user->total != 0;
}

static void learn_value(struct risk_user *user, struct population *population,
                        const struct profile_context *context, enum profile_feature feature)
{
    uint32_t tag = context->tags[feature];
    struct user_value *value = place_of(user, feature, tag, context->hour);
    if (value->tag == tag && value->hour >= context->hour) {
        return; // once an hour; and a clock that stepped back teaches nothing
    }
    if (value->tag != tag && parent_known(user, context, feature)) {
        user->fresh[feature] = one_more(user->fresh[feature]);
    }
    count_value(value, tag, context->hour);
    if (population != NULL) {
        population_add(population, context->keys[feature]);
        if (FEATURES[feature].parent < 0) {
            population_add(population, parent_key(context, feature));
        }
    }
}

void profile_learn(struct risk_user *user, struct population *population,
                   const struct profile_context *context)
{
    grow_old(user, context->hour);
    // What lies below is learned first: whether its parent was known is asked as it was before.
    for (size_t i = USER_FEATURES; i-- > 0;) {
        if (context->tags[i] != 0) {
            learn_value(user, population, context, (enum profile_feature)i);
        }
    }
    if (user->total == 0 || context->hour > user->hour) {
        user->total = one_more(user->total);
        user->hour = context->hour;
        learn_hour(user, context->hour);
    }
}

// ---- For people ----------------------------------------------------------------------------------

const char *profile_feature_name(enum profile_feature feature)
{
    return (unsigned)feature < USER_FEATURES ? FEATURES[feature].name : "none";
}

size_t profile_list(const struct risk_user *user, int64_t now_ms,
                    struct profile_entry out[static USER_VALUES])
{
    struct profile_context now;
    profile_read(&(struct sighting){0}, now_ms, &now);
    size_t count = 0;
    for (size_t feature = 0; feature < USER_FEATURES; feature++) {
        for (size_t i = 0; i < FEATURES[feature].count; i++) {
            const struct user_value *value = &user->values[FEATURES[feature].from + i];
            if (value->tag != 0) {
                out[count++] = (struct profile_entry){(enum profile_feature)feature, value->tag,
                                                      count_of(value, now.hour), value->hour * HOUR_MS};
            }
        }
    }
    return count;
}

void profile_forget(struct risk_user *user)
{
    struct risk_user kept = {.tags = user->tags};
    memcpy(kept.marks, user->marks, sizeof kept.marks);
    *user = kept;
}
