// SPDX-License-Identifier: Apache-2.0
// The table of signals. The next one is a file with its reading, a row in signals.c, its words in because.c,
// and a test.
#ifndef RISK_SIGNALS_H
#define RISK_SIGNALS_H

#include "risk/profile.h"
#include "risk/source.h"
#include "risk/state.h"

// What a signal speaks of. Session, source and external evidence is hard: it may end a session.
enum signal_class {
    SIGNAL_SESSION,
    SIGNAL_SOURCE,
    SIGNAL_EXTERNAL,
    SIGNAL_FAMILIARITY
};

// What speaks of one fact counts once: of a group the strongest suspicion in full, of the others a quarter.
enum signal_group {
    GROUP_NONE,
    GROUP_PLACE,
    GROUP_DEVICE,
    SIGNAL_GROUPS
};

// What is done where a question lacks what the signal reads. CANNOT: it cannot lack it.
enum signal_missing {
    MISSING_SKIP,
    MISSING_SCORE,
    MISSING_DENY,
    MISSING_CANNOT
};

#define SIGNAL_PARAMS 3
#define SLOT_NONE 255

// How a model weighs one signal.
struct signal_rule {
    double evidence; // log-odds where the signal is at its plainest; 0: off
    double cap;      // the most it may count for, remembered evidence included
    int64_t half_life_ms;
    int on_missing;                // enum signal_missing
    double missing_evidence;       // where on_missing is score
    double params[SIGNAL_PARAMS];  // as the row names them
    double derived;                // by the row's prepare()
    const double *weights;         // of the components of a fingerprint; NULL: it has none
    const struct conf_node *given; // weights as written, while the model is read
    double pace;                   // one by the half-life
};

struct signal_own; // risk/own.h

struct signal_param {
    const char *name; // NULL: no more
    int64_t least, most;
    const char *help;
};

// Places of fingerprint-change's parameters.
enum {
    FINGERPRINT_ALONE,
    FINGERPRINT_DRIFT_LEAST,
    FINGERPRINT_DRIFT_FULL
};

// What one reading may look at, and what it finds.
struct signal_view {
    const struct risk_input *in;
    const struct signal_rule *rule;
    const struct signal_rule *rules; // of all, by row
    const struct signal_own *own;    // the one in hand, where it is the model's own
    struct risk_state *state;        // a copy; a reading that moves it must ask in->counts
    const struct risk_user *user;    // a copy
    struct profile_context context;  // of in->seen
    int64_t now_ms;                  // not before state->last_ms
    double travel_km, travel_kmh;
    int64_t travel_ms;
};

struct signal_reading {
    double evidence; // 0: nothing
    bool missing;    // could not be read
};

struct signal_row {
    struct str id;
    enum signal_class kind;
    enum signal_group group;
    uint16_t slot;      // of suspicion, P; never given to another signal
    uint16_t calm_slot; // of reassurance, N
    bool calms;         // its reassurance is that of the context in hand: read each time, not kept
    struct signal_rule builtin;
    struct signal_param params[SIGNAL_PARAMS];
    struct signal_reading (*read)(struct signal_view *view);                    // NULL: fed by risk.c
    void (*prepare)(struct signal_rule *rule);                                  // may be NULL
    struct str (*because)(const struct signal_view *view, struct arena *arena); // may be NULL
    const char *help;
};

// Places in the table of what risk.c feeds itself.
enum {
    SIGNAL_STEP_UP_PASSED,
    SIGNAL_OTHER_SESSIONS,
    SIGNAL_FIRST_READ,
    SIGNAL_FINGERPRINT = SIGNAL_FIRST_READ, // others tell it apart from their own
    SIGNAL_RATE = SIGNAL_FIRST_READ + 6,    // its sum is pardoned with it
    SIGNAL_CONCURRENT = 16,                 // likewise
};
#define SIGNAL_COUNT 22

// Parameters of what compares with the user's own contexts.
enum {
    FAMILIAR_WEIGHT,
    FAMILIAR_CALM
};

extern const struct signal_row SIGNALS[SIGNAL_COUNT];

// Nothing to say, and something that could not be read.
#define READ_NOTHING ((struct signal_reading){0, false})
#define READ_MISSING ((struct signal_reading){0, true})

// The readings, one a file. Pure but for rate_read, which moves state->cusum, and concurrent_read, which
// moves state->switches.
struct signal_reading fingerprint_read(struct signal_view *view);
struct signal_reading change_agent_read(struct signal_view *view);
struct signal_reading ja4_read(struct signal_view *view);
struct signal_reading tool_read(struct signal_view *view);
struct signal_reading country_read(struct signal_view *view);
struct signal_reading asn_read(struct signal_view *view);
struct signal_reading travel_read(struct signal_view *view);
struct signal_reading rate_read(struct signal_view *view);
struct signal_reading step_up_read(struct signal_view *view);
struct signal_reading anonymous_read(struct signal_view *view);
struct signal_reading external_read(struct signal_view *view);
struct signal_reading concurrent_read(struct signal_view *view);
struct signal_reading source_failures_read(struct signal_view *view);
struct signal_reading source_subjects_read(struct signal_view *view);
struct signal_reading source_sessions_read(struct signal_view *view);
struct signal_reading rare_network_read(struct signal_view *view);
struct signal_reading new_network_read(struct signal_view *view);
struct signal_reading new_device_read(struct signal_view *view);
struct signal_reading new_fingerprint_read(struct signal_view *view);
struct signal_reading unusual_hour_read(struct signal_view *view);
void rate_prepare(struct signal_rule *rule);

// Their words: why the reading is what it is. Only where `explain`.
struct str because_fingerprint(const struct signal_view *view, struct arena *arena);
struct str because_agent(const struct signal_view *view, struct arena *arena);
struct str because_ja4(const struct signal_view *view, struct arena *arena);
struct str because_tool(const struct signal_view *view, struct arena *arena);
struct str because_country(const struct signal_view *view, struct arena *arena);
struct str because_asn(const struct signal_view *view, struct arena *arena);
struct str because_travel(const struct signal_view *view, struct arena *arena);
struct str because_rate(const struct signal_view *view, struct arena *arena);
struct str because_step_up(const struct signal_view *view, struct arena *arena);
struct str because_anonymous(const struct signal_view *view, struct arena *arena);
struct str because_external(const struct signal_view *view, struct arena *arena);
struct str because_concurrent(const struct signal_view *view, struct arena *arena);
struct str because_source_failures(const struct signal_view *view, struct arena *arena);
struct str because_source_subjects(const struct signal_view *view, struct arena *arena);
struct str because_source_sessions(const struct signal_view *view, struct arena *arena);
struct str because_rare_network(const struct signal_view *view, struct arena *arena);
struct str because_new_network(const struct signal_view *view, struct arena *arena);
struct str because_new_device(const struct signal_view *view, struct arena *arena);
struct str because_new_fingerprint(const struct signal_view *view, struct arena *arena);
struct str because_unusual_hour(const struct signal_view *view, struct arena *arena);
// Of evidence that is remembered: `seen 12 min ago`.
struct str because_before(int64_t age_ms, struct arena *arena);

#endif
