// SPDX-License-Identifier: Apache-2.0
// HOT
#include "model/request.h"

#include "base/time.h"
#include "model/fault.h"
#include "model/search.h"

static const struct str EVENT_NAMES[EVENT_COUNT] = {
#define X(name, text) [EVENT_##name] = {text, sizeof(text) - 1},
    EVENT_LIST(X)
#undef X
};

const char *event_name(enum event_type type)
{
    return (unsigned)type < EVENT_COUNT ? EVENT_NAMES[type].at : EVENT_NAMES[EVENT_NONE].at;
}

// ---- The fields that are known, one table a map ------------------------------------------------

enum field_kind {
    FIELD_ID,       // text, 1 to REQUEST_ID_MAX bytes
    FIELD_RESOURCE, // text, 1 to REQUEST_RESOURCE_MAX bytes
    FIELD_TEXT,     // any text
    FIELD_BOOL,
    FIELD_TIME,  // seconds since 1970, RFC 3339, or a time of the wire
    FIELD_TEXTS, // list of text
    FIELD_MAP,
    FIELD_ALONE, // of a message that is something else
};

static const char *const EXPECTED[] = {
    [FIELD_ID] = "text",
    [FIELD_RESOURCE] = "text",
    [FIELD_TEXT] = "text",
    [FIELD_BOOL] = "true or false",
    [FIELD_TIME] = "seconds since 1970 or RFC 3339 text",
    [FIELD_TEXTS] = "a list of text",
    [FIELD_MAP] = "a map",
    [FIELD_ALONE] = "nothing",
};

enum {
    NO_PLACE = UINT16_MAX
};

struct field {
    const char *path; // for people: `context.session.id`
    const char *name; // its last part
    uint8_t len;
    uint8_t kind;
    uint16_t at, has; // places in struct request, or NO_PLACE
    const struct fields *inner;
};

struct fields {
    const struct field *list;
    size_t count;
};

#define PLACE(member) offsetof(struct request, member)
// A name is at most 16 bytes long: see same_bytes.
#define FIELD(in, field_name, field_kind, place, has_place, inner_fields)                               \
    {                                                                                                   \
        .path = in field_name, .name = field_name, .len = sizeof(field_name) - 1, .kind = (field_kind), \
        .at = (place), .has = (has_place), .inner = (inner_fields)                                      \
    }
#define FIELDS(name, ...)                                    \
    static const struct field name##_LIST[] = {__VA_ARGS__}; \
    static const struct fields name = {name##_LIST, COUNT_OF(name##_LIST)}
#define LEAF(in, name, kind, member) FIELD(in, name, kind, PLACE(member), NO_PLACE, NULL)
#define FLAGGED(in, name, kind, member) FIELD(in, name, kind, PLACE(member), PLACE(has_##member), NULL)
#define NEST(in, name, inner) FIELD(in, name, FIELD_MAP, NO_PLACE, NO_PLACE, &(inner))
#define KEPT(in, name, member, inner) FIELD(in, name, FIELD_MAP, PLACE(member), NO_PLACE, inner)

FIELDS(SUBJECT, LEAF("subject.", "type", FIELD_ID, subject_type),
       LEAF("subject.", "id", FIELD_ID, subject_id),
       KEPT("subject.", "properties", subject_properties, NULL));
FIELDS(ACTION, LEAF("action.", "name", FIELD_ID, action_name),
       KEPT("action.", "properties", action_properties, NULL));
FIELDS(RESOURCE, LEAF("resource.", "type", FIELD_ID, resource_type),
       LEAF("resource.", "id", FIELD_RESOURCE, resource_id),
       KEPT("resource.", "properties", resource_properties, NULL));
FIELDS(SESSION, LEAF("context.session.", "id", FIELD_ID, session_id),
       FIELD("context.session.", "auth_time", FIELD_TIME, PLACE(auth_time_ms), PLACE(has_auth_time), NULL),
       LEAF("context.session.", "acr", FIELD_TEXT, acr), LEAF("context.session.", "amr", FIELD_TEXTS, amr));
FIELDS(COMPONENTS, LEAF("context.device.components.", "ja4", FIELD_TEXT, ja4));
FIELDS(DEVICE, LEAF("context.device.", "fingerprint", FIELD_TEXT, fingerprint),
       LEAF("context.device.", "user_agent", FIELD_TEXT, user_agent),
       FLAGGED("context.device.", "managed", FIELD_BOOL, managed),
       KEPT("context.device.", "components", components, &COMPONENTS));
FIELDS(NETWORK, LEAF("context.network.", "ip", FIELD_TEXT, ip),
       LEAF("context.network.", "forwarded_for", FIELD_TEXTS, forwarded_for));
FIELDS(CONTEXT, NEST("context.", "session", SESSION), NEST("context.", "device", DEVICE),
       NEST("context.", "network", NETWORK),
       FIELD("context.", "activity", FIELD_MAP, NO_PLACE, NO_PLACE, NULL));
FIELDS(QUESTION, LEAF("", "tenant", FIELD_ID, tenant), LEAF("", "request_id", FIELD_ID, request_id),
       NEST("", "subject", SUBJECT), NEST("", "action", ACTION), NEST("", "resource", RESOURCE),
       KEPT("", "context", context, &CONTEXT), FIELD("", "search", FIELD_ALONE, NO_PLACE, NO_PLACE, NULL));
// Beside `event` stand only these; what describes it is inside.
FIELDS(ENVELOPE, LEAF("", "tenant", FIELD_ID, tenant), LEAF("", "request_id", FIELD_ID, request_id));
FIELDS(EVENT, NEST("", "subject", SUBJECT), NEST("", "action", ACTION), NEST("", "resource", RESOURCE),
       KEPT("", "context", context, &CONTEXT), KEPT("event.", "properties", event_properties, NULL),
       LEAF("event.", "tenant", FIELD_ID, tenant), LEAF("event.", "request_id", FIELD_ID, request_id),
       LEAF("event.", "id", FIELD_ID, request_id));

// ---- Reading -----------------------------------------------------------------------------------

static void *place_in(struct request *out, uint16_t at)
{
    return (unsigned char *)out + at;
}

static enum pdp_err refuse_kind(const struct field *field, const struct value *v, struct fault *why)
{
    return fault_set(why, field->path, "expected %s, found %s", EXPECTED[field->kind],
                     value_kind_name((enum value_kind)v->kind));
}

static enum pdp_err read_text(const struct field *field, const struct value *v, struct request *out,
                              struct fault *why)
{
    if (v->kind != VALUE_STRING) {
        return refuse_kind(field, v, why);
    }
    uint32_t most = field->kind == FIELD_RESOURCE ? REQUEST_RESOURCE_MAX : REQUEST_ID_MAX;
    if (field->kind != FIELD_TEXT && (v->n == 0 || v->n > most)) {
        return v->n == 0 ? fault_set(why, field->path, "is empty")
                         : fault_set(why, field->path, "has %u bytes, at most %u are allowed", v->n, most);
    }
    // An empty text is there: its place must not be NULL.
    struct str s = {v->n == 0 ? "" : v->as.text, v->n};
    memcpy(place_in(out, field->at), &s, sizeof s);
    return PDP_ERR_OK;
}

static enum pdp_err read_texts(const struct field *field, const struct value *v, struct request *out,
                               struct fault *why)
{
    if (v->kind != VALUE_LIST) {
        return refuse_kind(field, v, why);
    }
    for (uint32_t i = 0; i < v->n; i++) {
        if (v->as.list[i].kind != VALUE_STRING) {
            return fault_set(why, field->path, "expected a list of text, found %s in it",
                             value_kind_name((enum value_kind)v->as.list[i].kind));
        }
    }
    memcpy(place_in(out, field->at), &v, sizeof v);
    return PDP_ERR_OK;
}

static bool seconds_to_ms(int64_t seconds, uint32_t nanos, int64_t *ms)
{
    if (seconds < TIME_MIN_S || seconds > TIME_MAX_S) {
        return false;
    }
    *ms = seconds * TIME_MS_PER_S + nanos / 1000000;
    return true;
}

static bool double_to_ms(double seconds, int64_t *ms)
{
    if (!(seconds >= (double)TIME_MIN_S && seconds <= (double)TIME_MAX_S)) {
        return false;
    }
    double exact = seconds * 1e3;
    *ms = (int64_t)exact;
    *ms -= exact < (double)*ms;
    return true;
}

static bool to_ms(const struct value *v, int64_t *ms)
{
    int64_t seconds = 0;
    uint32_t nanos = 0;
    switch (v->kind) {
    case VALUE_INT:
        return seconds_to_ms(v->as.i, 0, ms);
    case VALUE_TIMESTAMP:
        return seconds_to_ms(v->as.i, v->n, ms);
    case VALUE_DOUBLE:
        return double_to_ms(v->as.d, ms);
    case VALUE_STRING:
        return time_parse(value_text(v), &seconds, &nanos) && seconds_to_ms(seconds, nanos, ms);
    default:
        return false;
    }
}

static enum pdp_err refuse_time(const struct field *field, const struct value *v, struct fault *why)
{
    switch (v->kind) {
    case VALUE_STRING:
        return fault_set(why, field->path, "expected %s, found %s", EXPECTED[FIELD_TIME],
                         fault_quote(value_text(v)).text);
    case VALUE_INT:
    case VALUE_DOUBLE:
    case VALUE_TIMESTAMP:
        return fault_set(why, field->path, "lies outside the years 1 to 9999");
    default:
        return refuse_kind(field, v, why);
    }
}

static enum pdp_err read_time(const struct field *field, const struct value *v, struct request *out,
                              struct fault *why)
{
    int64_t ms = 0;
    if (!to_ms(v, &ms)) {
        return refuse_time(field, v, why);
    }
    memcpy(place_in(out, field->at), &ms, sizeof ms);
    *(bool *)place_in(out, field->has) = true;
    return PDP_ERR_OK;
}

static enum pdp_err read_bool(const struct field *field, const struct value *v, struct request *out,
                              struct fault *why)
{
    if (v->kind != VALUE_BOOL) {
        return refuse_kind(field, v, why);
    }
    *(bool *)place_in(out, field->at) = v->as.b;
    *(bool *)place_in(out, field->has) = true;
    return PDP_ERR_OK;
}

static enum pdp_err read_fields(const struct fields *fields, const struct value *map, struct request *out,
                                struct fault *why);

// Recursion follows the tables, not the input.
static enum pdp_err read_map(const struct field *field, const struct value *v, struct request *out,
                             struct fault *why)
{
    if (v->kind != VALUE_MAP) {
        return refuse_kind(field, v, why);
    }
    if (field->at != NO_PLACE) {
        memcpy(place_in(out, field->at), &v, sizeof v);
    }
    return field->inner != NULL ? read_fields(field->inner, v, out, why) : PDP_ERR_OK;
}

// In a batch, or read as a question by whoever decides in process.
static enum pdp_err read_alone(const struct field *field, const struct value *v, struct request *out,
                               struct fault *why)
{
    (void)v, (void)out;
    return fault_set(why, field->path, "is a message of its own, and no question: send it by itself");
}

static enum pdp_err read_field(const struct field *field, const struct value *v, struct request *out,
                               struct fault *why)
{
    static enum pdp_err (*const READ[])(const struct field *, const struct value *, struct request *,
                                        struct fault *) = {
        [FIELD_ID] = read_text,   [FIELD_RESOURCE] = read_text, [FIELD_TEXT] = read_text,
        [FIELD_BOOL] = read_bool, [FIELD_TIME] = read_time,     [FIELD_TEXTS] = read_texts,
        [FIELD_MAP] = read_map,   [FIELD_ALONE] = read_alone,
    };
    return v->kind == VALUE_NULL ? PDP_ERR_OK : READ[field->kind](field, v, out, why);
}

// Equal bytes, `len` at most 16: two loads that may overlap instead of a call.
static inline bool same_bytes(const char *a, const char *b, size_t len)
{
    if (len < 4) {
        return a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1];
    }
    size_t width = len < 8 ? 4 : 8;
    uint64_t a_head = 0, a_tail = 0, b_head = 0, b_tail = 0;
    if (width == 8) {
        memcpy(&a_head, a, 8);
        memcpy(&a_tail, a + len - 8, 8);
        memcpy(&b_head, b, 8);
        memcpy(&b_tail, b + len - 8, 8);
    } else {
        memcpy(&a_head, a, 4);
        memcpy(&a_tail, a + len - 4, 4);
        memcpy(&b_head, b, 4);
        memcpy(&b_tail, b + len - 4, 4);
    }
    return ((a_head ^ b_head) | (a_tail ^ b_tail)) == 0;
}

// A table has at most 8 fields. The search starts at `*next`, behind the field found last: gateways send them
// in the order of the documentation, which is the order of the tables, and then the first comparison hits.
static inline const struct field *known_field(const struct fields *fields, const struct value *key,
                                              size_t *next)
{
    if (key->n == 0) {
        return NULL;
    }
    size_t at = *next;
    for (size_t tries = fields->count; tries > 0; tries--) {
        at = at < fields->count ? at : 0;
        const struct field *field = &fields->list[at++];
        if (field->len == key->n && same_bytes(field->name, key->as.text, field->len)) {
            *next = at;
            return field;
        }
    }
    return NULL;
}

static enum pdp_err read_fields(const struct fields *fields, const struct value *map, struct request *out,
                                struct fault *why)
{
    enum pdp_err first = PDP_ERR_OK;
    size_t next = 0;
    for (uint32_t i = 0; i < map->n; i++) {
        const struct field *field = known_field(fields, &map->as.map[i].key, &next);
        if (field == NULL) {
            continue;
        }
        // After a mistake reading goes on, for request_id; the first mistake is told.
        enum pdp_err err = read_field(field, &map->as.map[i].value, out, first == PDP_ERR_OK ? why : NULL);
        first = first == PDP_ERR_OK ? err : first;
    }
    return first;
}

// ---- What a question and an event must have ----------------------------------------------------

struct need {
    const char *outer, *path; // the map, and the field in it
    uint16_t at;
};

static const struct need NEEDS[] = {
    {"subject", "subject.type", PLACE(subject_type)}, {"subject", "subject.id", PLACE(subject_id)},
    {"action", "action.name", PLACE(action_name)},    {"resource", "resource.type", PLACE(resource_type)},
    {"resource", "resource.id", PLACE(resource_id)},
};
enum {
    NEEDS_OF_EVENT = 2
};
static const uint16_t SEARCHED[SEARCH_PART_COUNT] = {[SEARCH_NONE] = NO_PLACE,
                                                     [SEARCH_SUBJECT] = PLACE(subject_id),
                                                     [SEARCH_RESOURCE] = PLACE(resource_id),
                                                     [SEARCH_ACTION] = PLACE(action_name)};

static enum pdp_err check_needs(const struct value *map, struct request *out, size_t count,
                                enum search_part part, struct fault *why)
{
    for (size_t i = 0; i < count; i++) {
        struct str s;
        memcpy(&s, place_in(out, NEEDS[i].at), sizeof s);
        if (s.at == NULL && NEEDS[i].at != SEARCHED[part]) {
            const struct value *outer = value_get(map, str_of(NEEDS[i].outer));
            bool there = outer != NULL && outer->kind == VALUE_MAP;
            return fault_set(why, there ? NEEDS[i].path : NEEDS[i].outer, "is missing");
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err read_event_type(const struct value *event, struct request *out, struct fault *why)
{
    const struct value *type = value_get(event, STR("type"));
    if (type == NULL || type->kind == VALUE_NULL) {
        return fault_set(why, "event.type", "is missing");
    }
    if (type->kind != VALUE_STRING) {
        return fault_set(why, "event.type", "expected text, found %s",
                         value_kind_name((enum value_kind)type->kind));
    }
    for (int i = EVENT_NONE + 1; i < EVENT_COUNT; i++) {
        if (str_eq(EVENT_NAMES[i], value_text(type))) {
            out->event = (enum event_type)i;
            return PDP_ERR_OK;
        }
    }
    return fault_set(why, "event.type", "no event is named %s", fault_quote(value_text(type)).text);
}

// A message that is both would be judged as one by us and read as the other by whoever wrote it.
static enum pdp_err check_alone(const struct value *root, struct fault *why)
{
    static const char *const OTHERS[] = {"subject", "action", "resource", "context", "evaluations"};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        const struct value *other = value_get(root, str_of(OTHERS[i]));
        if (other != NULL && other->kind != VALUE_NULL) {
            return fault_set(why, OTHERS[i], "stands beside `event`: put it inside");
        }
    }
    return PDP_ERR_OK;
}

// Whoever tells that a session is over need not know whose it was.
static bool is_end_of_any(const struct request *out)
{
    return out->event == EVENT_LOGOUT && out->session_id.len > 0 && out->subject_type.at == NULL &&
           out->subject_id.at == NULL;
}

static enum pdp_err read_event(const struct value *root, const struct value *event, struct request *out,
                               struct fault *why)
{
    TRY(read_fields(&ENVELOPE, root, out, why));
    if (event->kind != VALUE_MAP) {
        return fault_set(why, "event", "expected a map, found %s",
                         value_kind_name((enum value_kind)event->kind));
    }
    TRY(check_alone(root, why));
    TRY(read_fields(&EVENT, event, out, why));
    TRY(read_event_type(event, out, why));
    return is_end_of_any(out) ? PDP_ERR_OK : check_needs(event, out, NEEDS_OF_EVENT, SEARCH_NONE, why);
}

static enum pdp_err read_modes(struct request *out, struct fault *why)
{
    const struct value *explain = value_get(&out->root, STR("explain"));
    if (explain != NULL && explain->kind != VALUE_NULL) {
        out->explain_full = value_is_text(explain, STR("full"));
        if (!out->explain_full && !value_is_text(explain, STR("brief"))) {
            return fault_set(why, "explain", "expected `brief` or `full`");
        }
    }
    const struct value *purpose = value_get(out->context, STR("purpose"));
    if (purpose != NULL && purpose->kind != VALUE_NULL && purpose->kind != VALUE_STRING) {
        return fault_set(why, "context.purpose", "expected text, found %s",
                         value_kind_name((enum value_kind)purpose->kind));
    }
    out->probe = purpose != NULL && value_is_text(purpose, STR("probe"));
    out->has_session = out->session_id.at != NULL;
    return PDP_ERR_OK;
}

enum pdp_err request_read(const struct value *root, struct request *out, struct fault *why)
{
    *out = (struct request){.root = *root};
    if (root->kind != VALUE_MAP) {
        return fault_set(why, "question", "expected a map, found %s",
                         value_kind_name((enum value_kind)root->kind));
    }
    const struct value *event = value_get(root, STR("event"));
    if (event != NULL && event->kind != VALUE_NULL) {
        TRY(read_event(root, event, out, why));
        return read_modes(out, why);
    }
    return request_read_search(root, SEARCH_NONE, out, why);
}

enum pdp_err request_read_search(const struct value *root, enum search_part part, struct request *out,
                                 struct fault *why)
{
    *out = (struct request){.root = *root};
    TRY(read_fields(&QUESTION, root, out, why));
    TRY(read_modes(out, why));
    return check_needs(root, out, COUNT_OF(NEEDS), part, why);
}
