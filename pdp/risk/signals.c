// SPDX-License-Identifier: Apache-2.0
#include "risk/signals.h"

#define ID(text) .id = {"" text, sizeof(text) - 1}
#define MINUTES(n) (INT64_C(60000) * (n))
#define HOURS(n) (INT64_C(3600000) * (n))
#define WEIGHT(e, most, life) .evidence = (e), .cap = (most), .half_life_ms = (life)
// A question may lack what these read, or not.
#define MAY_MISS(e) .on_missing = MISSING_SKIP, .missing_evidence = (e)
#define CANNOT_MISS .on_missing = MISSING_CANNOT

// How much each part of a fingerprint says. A browser's own changes with every update.
static const double WEIGHTS[SIGHT_COMPONENTS] = {
    [SIGHT_COMPONENT_OS] = 4,     [SIGHT_COMPONENT_BROWSER] = 0.5, [SIGHT_COMPONENT_JA4] = 4,
    [SIGHT_COMPONENT_GPU] = 4,    [SIGHT_COMPONENT_SCREEN] = 2,    [SIGHT_COMPONENT_FONTS] = 2,
    [SIGHT_COMPONENT_CANVAS] = 2, [SIGHT_COMPONENT_TIMEZONE] = 2,
};

#define SOURCE_PARAMS(what)                                                                                \
    {                                                                                                      \
        {"least", 1, 1000000, "below so many " what " it says nothing"},                                   \
            {"ratio", 0, 1000, "so many for each that succeeds are ordinary; all at eight times as many"}, \
        {                                                                                                  \
            "wide", 1, 1000, "so many times both for a network (ASN) or a JA4, which many share"           \
        }                                                                                                  \
    }

// clang-format off
// The built-in weights are those of docs/RISK.md. A row keeps its slots for ever; new rows go to the end.
const struct signal_row SIGNALS[SIGNAL_COUNT] = {
    [SIGNAL_STEP_UP_PASSED] = {
        ID("step-up-passed"), .kind = SIGNAL_SESSION, .slot = SLOT_NONE, .calm_slot = 0,
        .builtin = {WEIGHT(20, 20, HOURS(8)), CANNOT_MISS},
        .help = "reassurance by a passed step-up, as much as `strengths` gives the factor",
    },
    [SIGNAL_OTHER_SESSIONS] = {
        ID("other-sessions"), .kind = SIGNAL_FAMILIARITY, .slot = SLOT_NONE, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(2, 2, HOURS(24)), CANNOT_MISS, .params = {0.5}},
        .params = {{"share", 0, 1, "how much of another session's suspicion counts here"}},
        .help = "what is left of the suspicion on the user's other sessions",
    },
    [SIGNAL_FINGERPRINT] = {
        ID("fingerprint-change"), .kind = SIGNAL_SESSION, .group = GROUP_DEVICE, .slot = 1, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(5, 6, HOURS(12)), MAY_MISS(5), .params = {2, 0.13, 0.25}, .weights = WEIGHTS},
        .params = {{"alone", 0, 20, "where the address is still the one that the session began with"},
                   {"drift_least", 0, 1, "a smaller share of the components that differs is nothing"},
                   {"drift_full", 0, 1, "from this share on it is another device"}},
        .read = fingerprint_read, .because = because_fingerprint,
        .help = "neither the device's fingerprint nor the address is the one that the session began with",
    },
    {
        ID("agent-change"), .kind = SIGNAL_SESSION, .group = GROUP_DEVICE, .slot = 2, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(2, 6, HOURS(12)), MAY_MISS(2), .params = {0.5}},
        .params = {{"older", 0, 20, "of an earlier version of the same browser"}},
        .read = change_agent_read, .because = because_agent,
        .help = "another browser or operating system than the session began with; a new version is nothing",
    },
    {
        ID("tool-agent"), .kind = SIGNAL_SESSION, .slot = 3, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(5, 6, HOURS(12)), MAY_MISS(5)},
        .read = tool_read, .because = because_tool,
        .help = "a script or a command line in a session that a browser began",
    },
    {
        ID("country-change"), .kind = SIGNAL_SESSION, .group = GROUP_PLACE, .slot = 4, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(1, 4, HOURS(12)), MAY_MISS(1), .params = {3.25}},
        .params = {{"sudden", 0, 20, "where the last question came from another country within half an hour"}},
        .read = country_read, .because = because_country,
        .help = "another country than the session began in",
    },
    {
        ID("asn-change"), .kind = SIGNAL_SESSION, .group = GROUP_PLACE, .slot = 5, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(0.5, 4, HOURS(4)), MAY_MISS(0.5)},
        .read = asn_read, .because = because_asn,
        .help = "another network than the session began in, in the same country",
    },
    {
        ID("impossible-travel"), .kind = SIGNAL_SESSION, .group = GROUP_PLACE, .slot = 6, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(4, 6, HOURS(12)), MAY_MISS(4), .params = {900, 200, 2.5}},
        .params = {{"max_kmh", 1, 100000, "faster than this is not one traveller"},
                   {"max_radius_km", 0, 20000, "a place known less exactly than this says nothing"},
                   {"alone", 0, 20, "where the fingerprint is that of the session or of the user"}},
        .read = travel_read, .because = because_travel,
        .help = "too far from where the session, or the user, was seen last for one traveller",
    },
    [SIGNAL_RATE] = {
        ID("request-rate"), .kind = SIGNAL_SESSION, .slot = 7, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(3, 3, MINUTES(10)), CANNOT_MISS, .params = {1, 5, 100}},
        .params = {{"lambda", 0, 100000, "requests a second that are ordinary"},
                   {"factor", 2, 1000, "so many times that is the suspicion"},
                   {"burst", 0, 1000000, "requests above the ordinary that are forgiven"}},
        .read = rate_read, .prepare = rate_prepare, .because = because_rate,
        .help = "more requests a second than a person's browser makes",
    },
    {
        ID("step-up-failed"), .kind = SIGNAL_SESSION, .slot = 8, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(2.5, 6, HOURS(1)), CANNOT_MISS},
        .read = step_up_read, .because = because_step_up,
        .help = "a further factor was asked for and not given",
    },
    {
        ID("anonymous-network"), .kind = SIGNAL_SOURCE, .group = GROUP_PLACE, .slot = 9, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(1.5, 4, HOURS(1)), MAY_MISS(1.5), .params = {0.75}},
        .params = {{"vpn", 0, 20, "of a VPN or a hosting network; the evidence is that of Tor and of proxies"}},
        .read = anonymous_read, .because = because_anonymous,
        .help = "the address hides who is behind it",
    },
    {
        ID("external"), .kind = SIGNAL_EXTERNAL, .slot = 10, .calm_slot = 11,
        .builtin = {WEIGHT(6, 6, HOURS(24)), CANNOT_MISS},
        .read = external_read, .because = because_external,
        .help = "a finding of another system, as strong as it says; `evidence` is the most that is believed",
    },
    {
        ID("ja4-change"), .kind = SIGNAL_SESSION, .group = GROUP_DEVICE, .slot = 40, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(4, 6, HOURS(12)), MAY_MISS(4), .params = {2}},
        .params = {{"alone", 0, 20, "where the address stayed, or the agent's version rose"}},
        .read = ja4_read, .because = because_ja4,
        .help = "another TLS client than the session began with, which calls itself the same browser",
    },
    {
        ID("source-failures"), .kind = SIGNAL_SOURCE, .slot = 24, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(0.75, 0.75, MINUTES(30)), MAY_MISS(0.75), .params = {10, 3, 4}},
        .params = SOURCE_PARAMS("failed logins"),
        .read = source_failures_read, .because = because_source_failures,
        .help = "most logins from this prefix, network or TLS client fail",
    },
    {
        ID("source-subjects"), .kind = SIGNAL_SOURCE, .slot = 25, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(2, 2, MINUTES(30)), MAY_MISS(2), .params = {5, 2, 4}},
        .params = SOURCE_PARAMS("subjects that failed to log in"),
        .read = source_subjects_read, .because = because_source_subjects,
        .help = "many subjects fail to log in from this prefix, network or TLS client, and few do not",
    },
    {
        ID("source-sessions"), .kind = SIGNAL_SOURCE, .slot = 26, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(0.75, 0.75, MINUTES(30)), MAY_MISS(0.75), .params = {5, 2, 4}},
        .params = SOURCE_PARAMS("session ids that are nobody's"),
        .read = source_sessions_read, .because = because_source_sessions,
        .help = "many session ids from this prefix, network or TLS client are nobody's, or another's",
    },
    [SIGNAL_CONCURRENT] = {
        ID("concurrent-use"), .kind = SIGNAL_SESSION, .slot = 27, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(4, 6, HOURS(12)), MAY_MISS(4), .params = {30}},
        .params = {{"within", 1, 3600, "seconds between two questions of different devices, at most"}},
        .read = concurrent_read, .because = because_concurrent,
        .help = "the session comes back and forth from two devices, or two places, within seconds",
    },
    {
        ID("rare-network"), .kind = SIGNAL_SESSION, .group = GROUP_PLACE, .slot = 12, .calm_slot = SLOT_NONE,
        .builtin = {WEIGHT(4, 4, HOURS(4)), MAY_MISS(4), .params = {1.3}},
        .params = {{"weight", 0, 5, "how much a likelihood counts"},
                   },
        .read = rare_network_read, .because = because_rare_network,
        .help = "the session moved to a network where few people are and this user has not been",
    },
    {
        ID("new-network"), .kind = SIGNAL_FAMILIARITY, .group = GROUP_PLACE, .slot = 13, .calm_slot = SLOT_NONE, .calms = true,
        .builtin = {WEIGHT(2, 2, HOURS(1)), MAY_MISS(2), .params = {0.5, 1.5}},
        .params = {{"weight", 0, 5, "how much a likelihood counts"},
                   {"calm", 0, 20, "the most that it reassures"}},
        .read = new_network_read, .because = because_new_network,
        .help = "country, network and prefix, each in the one above: likelier of somebody else than of this user",
    },
    {
        ID("new-device"), .kind = SIGNAL_FAMILIARITY, .group = GROUP_DEVICE, .slot = 14, .calm_slot = SLOT_NONE, .calms = true,
        .builtin = {WEIGHT(1.25, 1.25, HOURS(1)), MAY_MISS(1.25), .params = {0.5, 0.75}},
        .params = {{"weight", 0, 5, "how much a likelihood counts"},
                   {"calm", 0, 20, "the most that it reassures"}},
        .read = new_device_read, .because = because_new_device,
        .help = "system and browser: likelier of somebody else than of this user",
    },
    {
        ID("new-fingerprint"), .kind = SIGNAL_FAMILIARITY, .group = GROUP_DEVICE, .slot = 15, .calm_slot = SLOT_NONE, .calms = true,
        .builtin = {WEIGHT(1.5, 1.5, HOURS(1)), MAY_MISS(1.5), .params = {0.3, 1}},
        .params = {{"weight", 0, 5, "how much a likelihood counts"},
                   {"calm", 0, 20, "the most that it reassures"}},
        .read = new_fingerprint_read, .because = because_new_fingerprint,
        .help = "the fingerprint: likelier of somebody else than of this user",
    },
    {
        ID("unusual-hour"), .kind = SIGNAL_FAMILIARITY, .slot = 16, .calm_slot = SLOT_NONE, .calms = true,
        .builtin = {WEIGHT(0.5, 0.5, HOURS(1)), MAY_MISS(0.5), .params = {0.5, 0.25}},
        .params = {{"weight", 0, 5, "how much a likelihood counts"},
                   {"calm", 0, 20, "the most that it reassures"}},
        .read = unusual_hour_read, .because = because_unusual_hour,
        .help = "an hour of the day at which this user is seldom seen",
    },
};
// clang-format on
