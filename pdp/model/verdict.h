// SPDX-License-Identifier: Apache-2.0
// The answer to one question. Zeroed, it denies as malformed.
#ifndef MODEL_VERDICT_H
#define MODEL_VERDICT_H

#include "base/arena.h"
#include "model/value.h"

#include <pdp/effect.h>

// Yes, no or unsure; zero is unsure.
enum truth {
    TRUTH_UNSURE,
    TRUTH_NO,
    TRUTH_YES
};

enum risk_level {
    RISK_LOW,
    RISK_MEDIUM,
    RISK_HIGH,
    RISK_CRITICAL,
    RISK_LEVEL_COUNT
};
extern const struct str RISK_LEVEL_NAMES[RISK_LEVEL_COUNT]; // low medium high critical

#define VERDICT_RULES_MAX 16
#define VERDICT_MISSING_MAX 8
#define VERDICT_SIGNALS_MAX 32
#define VERDICT_ENDED_MAX 16

struct verdict_signal {
    struct str id;
    double evidence;    // log-odds after decay
    struct str because; // rendered only on demand; may be empty
};

struct verdict_obligation {
    struct str id, type;
    const struct value *properties; // a map in the snapshot, or NULL
};

// What the answer would have been if everything in shadow were enforced.
struct verdict_shadow {
    bool judged; // else nothing is in shadow, or nothing is known
    enum pdp_effect effect;
    enum pdp_code code;
    struct str rule;
    bool has_risk;
    double score;
    enum risk_level level;
};

// The reason where a session is unknown and the question does not tell when it began.
#define VERDICT_NEVER_BEGUN "an unknown session begins only with the time of its authentication"

// All text is borrowed from the snapshot, the request or the request's arena: encode before unpinning.
struct verdict {
    enum pdp_effect effect;
    enum pdp_code code;
    struct str rule;         // `policy/rule` that is named, empty where none
    const struct str *rules; // all deciding ones
    size_t rule_count;
    const struct str *exceptions; // exceptions that lifted something
    size_t exception_count;
    struct str message, reason;
    bool has_risk;
    double score, hard; // 0..100; log-odds
    double log_odds;    // that the score is made of; of a repeat, today's
    enum risk_level level;
    const struct verdict_signal *signals;
    size_t signal_count;
    const struct str *missing; // what could not be known: `geo.country`, `lists.leavers is stale`
    size_t missing_count;
    bool has_require; // step_up
    struct str require_strength;
    int64_t require_max_age_s;     // 0: none
    const struct str *require_acr; // acr_values to ask for
    size_t require_acr_count;
    const struct verdict_obligation *obligations;
    size_t obligation_count;
    bool has_session;
    char session_ref[32]; // `s_` and 24 hex digits, NUL-terminated; not the id
    uint32_t session_epoch;
    bool session_renew; // its id is due to be replaced
    const struct str *ended; // refs of other sessions of the subject that ended for this one
    size_t ended_count;
    const char *session_state; // active, challenged, terminated; NULL where none
    int64_t valid_until_ms;    // 0: not to be cached
    int64_t retry_after_ms;    // of a refusal: when to ask again; 0: nothing is said
    uint64_t policy_epoch;
    char decision_id[40];     // NUL-terminated
    struct str snapshot;      // `sha256:…`
    struct str request_id;    // echoed
    struct str resource_path; // canonical, where the resource is a route; empty otherwise
    struct str client_ip;     // the hop that was judged, and why; empty where no network
    struct str client_ip_why;
    bool repeated, simulated;
    struct verdict_shadow shadow;
};

#endif
