// SPDX-License-Identifier: Apache-2.0
// A question, an event or a batch, taken apart: fields are borrowed from the decoded tree.
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include "base/arena.h"
#include "model/value.h"

#define REQUEST_ID_MAX 255         // bytes of any id but that of a resource
#define REQUEST_RESOURCE_MAX 16384 // of a resource's: of a route it is the target as it came, with its query
#define REQUEST_BATCH_MAX 256      // items of a batch
#define REQUEST_BYTES_MAX 65536
#define REQUEST_DEPTH_MAX 16

// Session events. X(name, wire name)
#define EVENT_LIST(X)                   \
    X(NONE, "none")                     \
    X(START, "start")                   \
    X(LOGIN, "login")                   \
    X(LOGIN_FAILED, "login_failed")     \
    X(STEP_UP_PASSED, "step_up_passed") \
    X(STEP_UP_FAILED, "step_up_failed") \
    X(LOGOUT, "logout")                 \
    X(SIGNAL, "signal")                 \
    X(ROTATE, "rotate")

enum event_type {
#define X(name, text) EVENT_##name,
    EVENT_LIST(X)
#undef X
    EVENT_COUNT
};
const char *event_name(enum event_type type);

// Missing text has at NULL; missing numbers have their has_ flag false; missing trees are NULL.
struct request {
    enum event_type event; // EVENT_NONE for a question
    struct value root;     // the whole map, for `context.…` and unknown fields
    struct str tenant, request_id;
    struct str subject_type, subject_id;
    struct str action_name;
    struct str resource_type, resource_id;
    const struct value *subject_properties, *action_properties, *resource_properties;
    const struct value *context;          // the map, or NULL
    const struct value *event_properties; // of an event
    bool has_session;                     // context.session.id is there; acr and auth_time may be without
    struct str session_id, acr;
    const struct value *amr; // list of text
    bool has_auth_time;
    int64_t auth_time_ms;
    struct str fingerprint, user_agent, ja4;
    bool has_managed, managed;
    const struct value *components; // map
    struct str ip;                  // as sent; see model/hop.h for the one that is judged
    const struct value *forwarded_for;
    bool probe;        // context.purpose == "probe": moves nothing
    bool explain_full; // explain == "full"
};

// The first thing that is wrong with a question: where (`subject.id`) and what, both for people.
struct fault {
    char field[64];
    char what[160];
};

// Takes a decoded map apart. MALFORMED (with *why filled) where subject, action or resource or their
// type, id or name is missing (an event needs no action or resource), a known field has the wrong type,
// an id is empty or too long, or an event's type is unknown. `null` is missing.
// *out is zeroed first, and on failure still names what could be read (request_id).
MUST_USE enum pdp_err request_read(const struct value *root, struct request *out, struct fault *why);

enum batch_semantic {
    BATCH_EXECUTE_ALL,
    BATCH_DENY_ON_FIRST_DENY,
    BATCH_PERMIT_ON_FIRST_PERMIT
};

struct batch {
    bool is_batch; // `evaluations` was there and not empty
    enum batch_semantic semantic;
    size_t count;
    struct value *items; // each a whole question, defaults merged in; in the arena
};

// Splits `evaluations` (AuthZEN 1.0: top-level subject, action, resource, context are defaults, replaced
// whole by an item's own; request_id and tenant are defaults too). An absent or empty list is no batch.
// LIMIT above REQUEST_BATCH_MAX, MALFORMED on a bad shape or unknown semantic, NOMEM. An item that is no
// map becomes a null value, which request_read refuses.
MUST_USE enum pdp_err batch_read(const struct value *root, struct arena *arena, struct batch *out,
                                 struct fault *why);

#endif
