// SPDX-License-Identifier: Apache-2.0
// Every name that a condition may use: one list, from which declarations and getters come.
#ifndef ENGINE_ATTRS_H
#define ENGINE_ATTRS_H

#include "cel/cel.h"

// Roots. X(name, text, open: unlisted fields are looked up in the question)
#define ROOT_LIST(X)              \
    X(SUBJECT, "subject", true)   \
    X(ACTION, "action", true)     \
    X(RESOURCE, "resource", true) \
    X(CONTEXT, "context", true)   \
    X(SESSION, "session", false)  \
    X(DEVICE, "device", false)    \
    X(NETWORK, "network", false)  \
    X(GEO, "geo", false)          \
    X(TRAVEL, "travel", false)    \
    X(RISK, "risk", false)        \
    X(COUNTERS, "counters", false)

// Attributes. X(name, path, type)
#define ATTR_LIST(X)                                               \
    X(NOW, "now", TIMESTAMP)                                       \
    X(TENANT, "tenant", STRING)                                    \
    X(GATEWAY, "gateway", STRING)                                  \
    X(SUBJECT_TYPE, "subject.type", STRING)                        \
    X(SUBJECT_ID, "subject.id", STRING)                            \
    X(SUBJECT_PROPERTIES, "subject.properties", MAP_DYN)           \
    X(ACTION_NAME, "action.name", STRING)                          \
    X(ACTION_PROPERTIES, "action.properties", MAP_DYN)             \
    X(RESOURCE_TYPE, "resource.type", STRING)                      \
    X(RESOURCE_ID, "resource.id", STRING)                          \
    X(RESOURCE_PATH, "resource.path", STRING)                      \
    X(RESOURCE_PROPERTIES, "resource.properties", MAP_DYN)         \
    X(SESSION_REF, "session.ref", STRING)                          \
    X(SESSION_STATE, "session.state", STRING)                      \
    X(SESSION_KNOWN, "session.known", BOOL)                        \
    X(SESSION_ISSUED, "session.issued", BOOL)                      \
    X(SESSION_AUTH_TIME, "session.auth_time", TIMESTAMP)           \
    X(SESSION_STARTED, "session.started", TIMESTAMP)               \
    X(SESSION_LAST_SEEN, "session.last_seen", TIMESTAMP)           \
    X(SESSION_REQUESTS, "session.requests", INT)                   \
    X(SESSION_ACR, "session.acr", STRING)                          \
    X(SESSION_AMR, "session.amr", LIST_STRING)                     \
    X(DEVICE_FINGERPRINT, "device.fingerprint", STRING)            \
    X(DEVICE_FIRST_SEEN, "device.first_seen", TIMESTAMP)           \
    X(DEVICE_REMEMBERED, "device.remembered", BOOL)                \
    X(DEVICE_MANAGED, "device.managed", BOOL)                      \
    X(DEVICE_USER_AGENT, "device.user_agent", STRING)              \
    X(DEVICE_FAMILY, "device.family", STRING)                      \
    X(DEVICE_OS, "device.os", STRING)                              \
    X(DEVICE_CLASS, "device.class", STRING)                        \
    X(DEVICE_VERSION, "device.version", INT)                       \
    X(DEVICE_TOOL, "device.tool", BOOL)                            \
    X(DEVICE_COMPONENTS, "device.components", MAP_DYN)             \
    X(NETWORK_IP, "network.ip", IP)                                \
    X(NETWORK_PRIVATE, "network.private", BOOL)                    \
    X(NETWORK_FORWARDED_FOR, "network.forwarded_for", LIST_STRING) \
    X(GEO_COUNTRY, "geo.country", STRING)                          \
    X(GEO_CONTINENT, "geo.continent", STRING)                      \
    X(GEO_CITY, "geo.city", STRING)                                \
    X(GEO_LATITUDE, "geo.latitude", DOUBLE)                        \
    X(GEO_LONGITUDE, "geo.longitude", DOUBLE)                      \
    X(GEO_RADIUS_KM, "geo.radius_km", DOUBLE)                      \
    X(GEO_ASN, "geo.asn", INT)                                     \
    X(GEO_ORG, "geo.org", STRING)                                  \
    X(GEO_ANONYMOUS, "geo.anonymous", BOOL)                        \
    X(GEO_VPN, "geo.vpn", BOOL)                                    \
    X(GEO_HOSTING, "geo.hosting", BOOL)                            \
    X(GEO_PROXY, "geo.proxy", BOOL)                                \
    X(GEO_TOR, "geo.tor", BOOL)                                    \
    X(GEO_RESIDENTIAL_PROXY, "geo.residential_proxy", BOOL)        \
    X(GEO_SATELLITE, "geo.satellite", BOOL)                        \
    X(GEO_RELAY, "geo.relay", BOOL)                                \
    X(GEO_CARRIER, "geo.carrier", BOOL)                            \
    X(GEO_OWN_EGRESS, "geo.own_egress", BOOL)                      \
    X(TRAVEL_KM, "travel.km", DOUBLE)                              \
    X(TRAVEL_KMH, "travel.kmh", DOUBLE)                            \
    X(RISK_SCORE, "risk.score", DOUBLE)                            \
    X(RISK_HARD, "risk.hard", DOUBLE)                              \
    X(RISK_LEVEL, "risk.level", LEVEL)                             \
    X(RISK_SIGNALS, "risk.signals", MAP_DYN)

enum attr_id {
#define X(name, path, type) ATTR_##name,
    ATTR_LIST(X)
#undef X
    ATTR_COUNT
};

// A root's id as declared, so that one number tells roots from attributes.
enum root_id {
    ROOT_FIRST = ATTR_COUNT,
#define X(name, text, open) ROOT_##name,
    ROOT_LIST(X)
#undef X
    ATTR_COUNTERS, // and on: `counters.NAME`, by the number of the name
};

// Fills the fixed part of an environment (roots, attributes, levels); static memory.
void attrs_declare(struct cel_env *env);
// The same with a `counters.NAME` for each name; in the arena. NOMEM: the fixed part alone.
MUST_USE enum pdp_err attrs_declare_all(struct cel_env *env, const struct str *counters, size_t count,
                                        struct arena *arena);

#endif
