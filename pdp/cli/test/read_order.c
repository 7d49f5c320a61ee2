// SPDX-License-Identifier: Apache-2.0
// What analysts order: the very messages of the admin endpoint, of which this checks keys alone. Whether an
// order is right, and whom it means, the endpoint's own reader says when it is played.
#include "cli/test/reading.h"

#include "cli/test/shapes.h"
#include "model/request.h"

// Those that change what is answered; what a daemon alone can do is none of them.
static const char *const OPS[] = {
    "session.terminate", "lock.add",        "lock.rm",      "cutoff.add",  "mute.add",
    "mute.rm",           "pardon.add",      "pardon.rm",    "user.forget", "user.forget_devices",
    "breaker.reset",     "peer.quarantine", "peer.release", NULL};

struct target {
    struct str kind, value, tenant, type;
};
#define TARGET(name, help)                                                       \
    {                                                                            \
#name, CONF_TEXT, false, offsetof(struct target, name), NULL, 0, 0, help \
    }
static const struct conf_field TARGET_FIELDS[] = {
    TARGET(kind, "all, session, family, subject, device, address, prefix, asn, country, ja4, role, gateway, "
                 "tenant, where; of a mute rule, signal, geo"),
    TARGET(value, "which one; of where: a condition"),
    TARGET(tenant, "of a subject, a device, a role: in which tenant"),
    TARGET(type, "of a subject: its type, user where none is said"),
};
static const struct conf_shape TARGET_SHAPE = {
    "target", TARGET_FIELDS, COUNT_OF(TARGET_FIELDS), NULL, 0, NULL, 0};

struct require {
    struct str strength;
    int64_t max_age;
};
static const struct conf_field REQUIRE_FIELDS[] = {
    {"strength", CONF_TEXT, false, offsetof(struct require, strength), NULL, 0, 0, "what has to be proved"},
    {"max_age", CONF_INT, false, offsetof(struct require, max_age), NULL, 0, 0,
     "how old it may be, in seconds"},
};
static const struct conf_shape REQUIRE_SHAPE = {
    "require", REQUIRE_FIELDS, COUNT_OF(REQUIRE_FIELDS), NULL, 0, NULL, 0};

struct order {
    int op;
    struct str text; // of all that is text: what it says is the endpoint's to read
    const struct conf_node *node;
    int64_t number;
    bool truth;
};
#define ORDER(name, field, type, help)                                     \
    {                                                                      \
        name, type, false, offsetof(struct order, field), NULL, 0, 0, help \
    }
static const struct conf_field FIELDS[] = {
    {"op", CONF_CHOICE, true, offsetof(struct order, op), OPS, 0, 0, "what is ordered"},
    ORDER("reason", text, CONF_TEXT, "why, for the record"),
    ORDER("session", text, CONF_TEXT, "of session.terminate: an id"),
    ORDER("sessions", node, CONF_SEQUENCE, "of session.terminate: ids"),
    ORDER("target", node, CONF_MAPPING, "of whom: kind and value"),
    ORDER("effect", text, CONF_TEXT, "of a lock: deny, step_up, terminate"),
    ORDER("require", node, CONF_MAPPING, "of a lock that asks for a proof"),
    ORDER("message", text, CONF_TEXT, "what users are told"),
    ORDER("for", number, CONF_INT, "how long it holds, in seconds"),
    ORDER("expires", text, CONF_TEXT, "until when it holds, as a time"),
    ORDER("before", text, CONF_TEXT, "of a cut-off: what was authenticated before this time is over"),
    ORDER("signals", node, CONF_SEQUENCE, "of a pardon: which signals; all where none is named"),
    ORDER("id", number, CONF_INT, "of lock.rm and the like: its number, counted from 1"),
    ORDER("peer", text, CONF_TEXT, "of a quarantine: the gateway's name"),
    ORDER("since", text, CONF_TEXT, "of a quarantine: undo what it said since this time"),
    ORDER("terminate", truth, CONF_BOOL, "of a quarantine that undoes: end the sessions, too"),
    ORDER("subject", text, CONF_TEXT, "of user.forget: an id"),
    ORDER("type", text, CONF_TEXT, "of user.forget: the subject's type"),
    ORDER("tenant", text, CONF_TEXT, "of user.forget: the tenant"),
    ORDER("devices", truth, CONF_BOOL, "of user.forget: devices, too"),
    ORDER("lock_out", truth, CONF_BOOL, "it is meant although it may lock out everybody"),
    ORDER("confirm", number, CONF_INT, "so many sessions may end at most"),
    ORDER("dry_run", truth, CONF_BOOL, "only count"),
};
static const struct conf_nest NESTS[] = {{"target", CONF_FORM_MAP, &TARGET_SHAPE},
                                         {"require", CONF_FORM_MAP, &REQUIRE_SHAPE},
                                         {"sessions", CONF_FORM_ENTRIES, NULL},
                                         {"signals", CONF_FORM_ENTRIES, NULL}};
const struct conf_shape SHAPE_ORDER = {"order", FIELDS, COUNT_OF(FIELDS), NESTS, COUNT_OF(NESTS), NULL, 0};

void order_check(struct reading *r, const struct conf_node *map)
{
    struct order order = {0};
    struct target target = {0};
    struct require require = {0};
    const struct conf_node *whom = conf_get(map, "target"), *proof = conf_get(map, "require");
    reading_note(r, conf_read(map, FIELDS, COUNT_OF(FIELDS), "an order", &order, r->arena, r->diags));
    if (whom != NULL && whom->kind == CONF_MAP) {
        reading_note(r, conf_read(whom, TARGET_FIELDS, COUNT_OF(TARGET_FIELDS), "`target`", &target, r->arena,
                                  r->diags));
    }
    if (proof != NULL && proof->kind == CONF_MAP) {
        reading_note(r, conf_read(proof, REQUIRE_FIELDS, COUNT_OF(REQUIRE_FIELDS), "`require`", &require,
                                  r->arena, r->diags));
    }
}

// ---- Text stays text -------------------------------------------------------------------------------

// Is this key's value text whatever it looks like? An AS number and the like are written without quotes.
static bool is_text(const struct conf_field *fields, size_t count, struct str key)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(key, str_of(fields[i].name))) {
            return fields[i].type == CONF_TEXT || fields[i].type == CONF_CHOICE;
        }
    }
    return false;
}

static void lay(struct compose *compose, const struct conf_node *map, const struct conf_field *fields,
                size_t count, struct value *into)
{
    *into = (struct value){.kind = VALUE_MAP};
    compose_lay(compose, map, into);
    for (size_t i = 0; i < map->count; i++) {
        const struct conf_entry *entry = &map->entries[i];
        const struct value *made = value_get(into, entry->key->text);
        bool text = entry->value->kind == CONF_SCALAR && is_text(fields, count, entry->key->text);
        if (text && made != NULL && made->kind != VALUE_STRING) {
            compose_put(compose, entry->key->text, value_str(entry->value->text), into);
        }
    }
}

static void lay_below(struct compose *compose, const struct conf_node *map, const char *key,
                      const struct conf_field *fields, size_t count, struct value *into)
{
    const struct conf_node *node = conf_get(map, key);
    struct value below;
    if (node != NULL && node->kind == CONF_MAP) {
        lay(compose, node, fields, count, &below);
        compose_put(compose, str_of(key), below, into);
    }
}

void order_make(struct reading *r, const struct conf_node *map, bool repeated, struct suite_play *play,
                bool *varies)
{
    struct compose compose = {
        .arena = r->arena, .now_ms = play->at_ms, .turn = repeated ? (int64_t)play->turn : -1};
    struct value *root = reading_array(r, 1, sizeof *root);
    *varies = false;
    if (root == NULL) {
        return;
    }
    lay(&compose, map, FIELDS, COUNT_OF(FIELDS), root);
    lay_below(&compose, map, "target", TARGET_FIELDS, COUNT_OF(TARGET_FIELDS), root);
    lay_below(&compose, map, "require", REQUIRE_FIELDS, COUNT_OF(REQUIRE_FIELDS), root);
    reading_note(r, compose.failed ? PDP_ERR_NOMEM : PDP_ERR_OK);
    play->root = root;
    ask_encode(r, root, play);
    if (play->message.len > REQUEST_BYTES_MAX) {
        reading_fail(r, PDP_ERR_LIMIT, map->place, "an order has at most %d bytes", REQUEST_BYTES_MAX);
    }
    *varies = compose.varies;
}
