// SPDX-License-Identifier: Apache-2.0
#include "engine/attr_words.h"

static const char QUESTION[] = "the question";
static const char DAEMON[] = "the daemon";
static const char RECORD[] = "what the daemon keeps of the session";
static const char PLACES[] = "a geo database, by the address that is judged";
static const char CLASSES[] = "a geo database, or a List with `network`";
static const char AGENT[] = "the User-Agent, read by the daemon";
static const char SCORE[] = "the risk model";
static const char NEVER[] = "it is always there";
static const char UNSENT[] = "where the question does not send it; a condition that reads it is unsure then";
static const char NO_SESSION[] = "where the question names no session; unsure then";
static const char NO_WORD[] =
    "where no issuer spoke of it, and the peer lacks the grant `assert_auth`; unsure then";
static const char NO_DEVICE[] =
    "where it is not sent, or the peer lacks the grant `assert_device`; unsure then";
static const char NO_PLACE[] = "without a database that knows the address; unsure then";
static const char NO_CLASS[] =
    "where nobody tells of that class, or a list of it is lost or stale; unsure then";
static const char NO_AGENT[] = "where no User-Agent is sent, or nothing is known of it; unsure then";
static const char NO_TRAVEL[] = "without two places to compare; unsure then";
static const char NO_MODEL[] =
    "where it may not be read: in a RiskModel, in counters and in Scopes, which are asked before";

// X(name, what it is, who says it, when it is missing)
#define WORDS_LIST(X)                                                                                        \
    X(NOW, "the time of the question", DAEMON, NEVER)                                                        \
    X(TENANT, "the tenant that the question is about", QUESTION, UNSENT)                                     \
    X(GATEWAY, "the name of the peer that asks", "the connection: certificate, user or listener", NEVER)     \
    X(SUBJECT_TYPE, "what the subject is, such as `user` or `service`", QUESTION, NEVER)                     \
    X(SUBJECT_ID, "who it is", QUESTION, NEVER)                                                              \
    X(SUBJECT_PROPERTIES, "all properties of the subject", QUESTION, UNSENT)                                 \
    X(ACTION_NAME, "what is to be done; over HTTP the method", QUESTION, NEVER)                              \
    X(ACTION_PROPERTIES, "all properties of the action", QUESTION, UNSENT)                                   \
    X(RESOURCE_TYPE, "what it is done to, such as `route`", QUESTION, NEVER)                                 \
    X(RESOURCE_ID, "which one; of a `route` the path as it was sent", QUESTION, NEVER)                       \
    X(RESOURCE_PATH, "the canonical path of a `route`", "the daemon, from `resource.id`",                    \
      "where the resource is no route; unsure then")                                                         \
    X(RESOURCE_PROPERTIES, "all properties of the resource", QUESTION, UNSENT)                               \
    X(SESSION_REF, "the public name of the session: `s_` and 24 digits", DAEMON, NO_SESSION)                 \
    X(SESSION_STATE, "how the session stands, such as `active`", RECORD, NEVER)                              \
    X(SESSION_KNOWN, "was the session seen before this question?", RECORD, NEVER)                            \
    X(SESSION_ISSUED, "has an issuer spoken of it, by a `login`?", RECORD, NEVER)                            \
    X(SESSION_AUTH_TIME, "when the user last proved who they are", "the issuer's events, else the question", \
      NO_WORD)                                                                                               \
    X(SESSION_STARTED, "when the session was first seen", RECORD, NO_SESSION)                                \
    X(SESSION_LAST_SEEN, "when it last asked", RECORD, NO_SESSION)                                           \
    X(SESSION_REQUESTS, "how many questions it has asked", RECORD, NO_SESSION)                               \
    X(SESSION_ACR, "the class of its authentication, such as `aal2`",                                        \
      "the issuer's events, else the question", NO_WORD)                                                     \
    X(SESSION_AMR, "the methods it was proved by, such as `pwd` and `otp`",                                  \
      "the issuer's events, else the question", NO_WORD)                                                     \
    X(DEVICE_FINGERPRINT, "the device's fingerprint", QUESTION, NO_DEVICE)                                   \
    X(DEVICE_FIRST_SEEN, "when this user was first seen with it", DAEMON, NO_DEVICE)                         \
    X(DEVICE_REMEMBERED, "did the user prove it, so that it is remembered?", DAEMON, NO_DEVICE)              \
    X(DEVICE_MANAGED, "does the organisation manage it?", QUESTION, NO_DEVICE)                               \
    X(DEVICE_USER_AGENT, "the User-Agent as it was sent", QUESTION, UNSENT)                                  \
    X(DEVICE_FAMILY, "the browser or tool, such as `firefox`", AGENT, NO_AGENT)                              \
    X(DEVICE_OS, "the operating system, such as `windows`", AGENT, NO_AGENT)                                 \
    X(DEVICE_CLASS, "`desktop`, `mobile`, `tablet`, `other` or `tool`", AGENT, NO_AGENT)                     \
    X(DEVICE_VERSION, "the first number of its version", AGENT, NO_AGENT)                                    \
    X(DEVICE_TOOL, "is it a program rather than a browser?", AGENT, NO_AGENT)                                \
    X(DEVICE_COMPONENTS, "the parts of the fingerprint", QUESTION, NO_DEVICE)                                \
    X(NETWORK_IP, "the client's address, behind proxies that are trusted", QUESTION, UNSENT)                 \
    X(NETWORK_PRIVATE, "is the address a private one?", DAEMON, UNSENT)                                      \
    X(NETWORK_FORWARDED_FOR, "the addresses of the way, as they were sent", QUESTION, UNSENT)                \
    X(GEO_COUNTRY, "the country, two capital letters", PLACES, NO_PLACE)                                     \
    X(GEO_CONTINENT, "the continent, two capital letters", PLACES, NO_PLACE)                                 \
    X(GEO_CITY, "the city, in English", PLACES, NO_PLACE)                                                    \
    X(GEO_LATITUDE, "degrees north", PLACES, NO_PLACE)                                                       \
    X(GEO_LONGITUDE, "degrees east", PLACES, NO_PLACE)                                                       \
    X(GEO_RADIUS_KM, "how far the place may be off", PLACES, NO_PLACE)                                       \
    X(GEO_ASN, "the number of the network (AS)", PLACES, NO_PLACE)                                           \
    X(GEO_ORG, "who runs the network", PLACES, NO_PLACE)                                                     \
    X(GEO_ANONYMOUS, "does the network hide who uses it?", CLASSES, NO_CLASS)                                \
    X(GEO_VPN, "is it a VPN's?", CLASSES, NO_CLASS)                                                          \
    X(GEO_HOSTING, "is it a data centre's?", CLASSES, NO_CLASS)                                              \
    X(GEO_PROXY, "is it a public proxy's?", CLASSES, NO_CLASS)                                               \
    X(GEO_TOR, "is it an exit of Tor?", CLASSES, NO_CLASS)                                                   \
    X(GEO_RESIDENTIAL_PROXY, "is it a proxy in somebody's home?", CLASSES, NO_CLASS)                         \
    X(GEO_SATELLITE, "does it go over a satellite?", CLASSES, NO_CLASS)                                      \
    X(GEO_RELAY, "is it a relay for privacy?", CLASSES, NO_CLASS)                                            \
    X(GEO_CARRIER, "do many share the address, as in mobile networks?", CLASSES, NO_CLASS)                   \
    X(GEO_OWN_EGRESS, "is it one of our own ways out?", CLASSES, NO_CLASS)                                   \
    X(TRAVEL_KM, "how far the session moved since its last question", SCORE, NO_TRAVEL)                      \
    X(TRAVEL_KMH, "how fast it would have had to be", SCORE, NO_TRAVEL)                                      \
    X(RISK_SCORE, "the risk of the question, 0 to 100", SCORE, NO_MODEL)                                     \
    X(RISK_HARD, "the evidence that is more than unfamiliarity", SCORE, NO_MODEL)                            \
    X(RISK_LEVEL, "the level of its score, to compare with `level(\"high\")`", SCORE, NO_MODEL)              \
    X(RISK_SIGNALS, "the evidence of each signal, by its id", SCORE, NO_MODEL)

static const struct attr_words WORDS[ATTR_COUNT] = {
#define X(name, what, who, when) [ATTR_##name] = {what, who, when},
    WORDS_LIST(X)
#undef X
};

static const struct {
    struct str name;
    struct attr_words words;
} ROOTS[] = {
    {{"subject", 7}, {"who asks: `type`, `id` and any property", QUESTION, UNSENT}},
    {{"action", 6}, {"what is to be done: `name` and any property", QUESTION, UNSENT}},
    {{"resource", 8}, {"what it is done to: `type`, `id`, `path` and any property", QUESTION, UNSENT}},
    {{"context", 7}, {"any field of the question's context", QUESTION, UNSENT}},
    {{"session", 7}, {"the session that asks", RECORD, NO_SESSION}},
    {{"device", 6}, {"the device that it asks from", QUESTION, NO_DEVICE}},
    {{"network", 7}, {"the client's address", QUESTION, UNSENT}},
    {{"geo", 3}, {"where the address is, and of which class", PLACES, NO_PLACE}},
    {{"travel", 6}, {"from the session's last place to this one", DAEMON, NO_TRAVEL}},
    {{"risk", 4}, {"the score of the question and what it is made of", SCORE, NO_MODEL}},
    {{"counters", 8},
     {"what Counter documents hold for this question", "Counter documents", "see the Counter"}},
};

const struct attr_words *attr_words(enum attr_id id)
{
    static const struct attr_words NONE = {"", "", ""};
    return id < ATTR_COUNT ? &WORDS[id] : &NONE;
}

const struct attr_words *attr_words_root(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(ROOTS); i++) {
        if (str_eq(name, ROOTS[i].name)) {
            return &ROOTS[i].words;
        }
    }
    return NULL;
}

const char *attr_words_type(enum cel_type type)
{
    static const char *const TYPES[CEL_TYPE_COUNT] = {
        [CEL_DYN] = "anything",
        [CEL_BOOL] = "bool",
        [CEL_INT] = "int",
        [CEL_DOUBLE] = "double",
        [CEL_STRING] = "string",
        [CEL_TIMESTAMP] = "timestamp",
        [CEL_DURATION] = "duration",
        [CEL_IP] = "ip",
        [CEL_LEVEL] = "level",
        [CEL_STRENGTH] = "strength",
        [CEL_LIST_STRING] = "list of string",
        [CEL_LIST_DYN] = "list",
        [CEL_MAP_DYN] = "map",
        [CEL_LIST_INT] = "list of int",
    };
    return type < CEL_TYPE_COUNT ? TYPES[type] : "";
}
