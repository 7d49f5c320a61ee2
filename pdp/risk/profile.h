// SPDX-License-Identifier: Apache-2.0
// What a user's accepted contexts showed: values with counts that fade, in bounded memory.
#ifndef RISK_PROFILE_H
#define RISK_PROFILE_H

#include "risk/population.h"
#include "risk/state.h"

// Values lie under each other: a network in its country, a prefix in its network, a browser on its system.
enum profile_feature {
    PROFILE_COUNTRY,
    PROFILE_NETWORK,
    PROFILE_PREFIX, // /24, /48
    PROFILE_SYSTEM, // device class and operating system
    PROFILE_BROWSER,
    PROFILE_PRINT // fingerprint
};

// The values of one context.
struct profile_context {
    uint32_t tags[USER_FEATURES]; // 0: not known
    uint64_t keys[USER_FEATURES]; // with their parents, for the population
    uint32_t hour;                // since 1970
};

// A value beside what lies beside it.
struct profile_share {
    double count;     // of the user's contexts that showed it, as they count now
    double parent;    // of those that showed its parent; all of them where it has none
    double fresh;     // how often a value was new where its parent was not, for each context
    double common;    // of everybody's contexts that showed it
    double of_common; // of those that showed its parent
};

// A stored time before 1970 or beyond 2089 counts as those.
void profile_read(const struct sighting *seen, int64_t now_ms, struct profile_context *out);
// `population` may be NULL: nobody else is known. Six comparisons to nine, two cache lines; no allocation.
void profile_share(const struct risk_user *user, const struct population *population,
                   const struct profile_context *context, enum profile_feature feature,
                   struct profile_share *out);
// Is the value, by its tag, among those that are kept?
bool profile_knows(const struct risk_user *user, enum profile_feature feature, uint32_t tag);
// How many contexts were learned, as they count now.
double profile_total(const struct risk_user *user, const struct profile_context *context);
// The user's contexts of an hour of the day and, with half a weight each, of the hours beside it; of `all`.
double profile_hour(const struct risk_user *user, unsigned hour, double *all);

// Until when nothing that is read of the user changes by the passing of time alone: the next full hour, since
// counts fade and habits are told by hours. INT64_MAX: nothing was learned.
int64_t profile_until(const struct profile_context *context, const struct risk_user *user, int64_t now_ms);

// Counts the context as the user's own, each value at most once an hour, for everybody too where
// `population` is not NULL. Never of a context that was not accepted.
void profile_learn(struct risk_user *user, struct population *population,
                   const struct profile_context *context);

// ---- For people ----------------------------------------------------------------------------------

struct profile_entry {
    enum profile_feature feature;
    uint32_t tag;
    double count; // as it counts at `now_ms`
    int64_t last_ms;
};
const char *profile_feature_name(enum profile_feature feature);
// The values that are kept, by feature; returns how many. A country's tag is its two letters, a network's its
// ASN, a system's class * 256 + OS (and 1 << 16), a browser's its family (and 1 << 24 and the OS * 65536), an
// IPv4 prefix's its 24 bits (and 1 << 24); of an IPv6 prefix and a fingerprint it is a part of a hash.
size_t profile_list(const struct risk_user *user, int64_t now_ms,
                    struct profile_entry out[static USER_VALUES]);
// Forgets all that was learned; marks of sessions stay.
void profile_forget(struct risk_user *user);

#endif
