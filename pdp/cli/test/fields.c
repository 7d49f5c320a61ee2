// SPDX-License-Identifier: Apache-2.0
// Keys and values of questions that the wire takes and nothing reads. A gateway may send what this version
// does not know; who writes a test means what is written.
#include "cli/test/reading.h"

#include "base/ip.h"

#define NAMES_MOST 16

struct inner;

// A map of a question whose keys are known. `open`: conditions may read others too (`context.client.auth`),
// so only what is nearly one of these is a mistake.
struct known {
    const char *path; // for people; of the whole NULL
    struct str names[NAMES_MOST];
    size_t count;
    bool open, properties; // others belong into `properties`
    const struct inner *inner;
    size_t inner_count;
};

struct inner {
    struct str name;
    const struct known *known;
};

#define N(text)                \
    {                          \
        text, sizeof(text) - 1 \
    }
static const struct known SUBJECT = {
    .path = "subject", .names = {N("type"), N("id"), N("properties")}, .count = 3, .properties = true};
static const struct known ACTION = {
    .path = "action", .names = {N("name"), N("properties")}, .count = 2, .properties = true};
static const struct known RESOURCE = {
    .path = "resource", .names = {N("type"), N("id"), N("properties")}, .count = 3, .properties = true};
static const struct known SESSION = {.path = "context.session",
                                     .names = {N("id"), N("auth_time"), N("acr"), N("amr")},
                                     .count = 4,
                                     .open = true};
static const struct known DEVICE = {
    .path = "context.device",
    .names = {N("fingerprint"), N("user_agent"), N("managed"), N("components")},
    .count = 4,
    .open = true};
static const struct known NETWORK = {
    .path = "context.network", .names = {N("ip"), N("forwarded_for")}, .count = 2, .open = true};
static const struct inner CONTEXT_INNER[] = {
    {N("session"), &SESSION}, {N("device"), &DEVICE}, {N("network"), &NETWORK}};
static const struct known CONTEXT = {
    .path = "context",
    .names = {N("session"), N("device"), N("network"), N("activity"), N("purpose")},
    .count = 5,
    .open = true,
    .inner = CONTEXT_INNER,
    .inner_count = COUNT_OF(CONTEXT_INNER)};
static const struct inner WHOLE_INNER[] = {
    {N("subject"), &SUBJECT}, {N("action"), &ACTION}, {N("resource"), &RESOURCE}, {N("context"), &CONTEXT}};

#define QUESTION_NAMES                                                                                  \
    N("subject"), N("action"), N("resource"), N("context"), N("tenant"), N("request_id"), N("explain"), \
        N("gateway"), N("deadline_ms")
static const struct known QUESTION = {
    .names = {QUESTION_NAMES}, .count = 9, .inner = WHOLE_INNER, .inner_count = COUNT_OF(WHOLE_INNER)};
static const struct known EVENT = {.names = {N("type"), N("id"), N("properties"), N("subject"), N("action"),
                                             N("resource"), N("context"), N("tenant"), N("request_id")},
                                   .count = 9,
                                   .inner = WHOLE_INNER,
                                   .inner_count = COUNT_OF(WHOLE_INNER)};
static const struct known FIXTURE = {.names = {QUESTION_NAMES, N("type"), N("id"), N("properties")},
                                     .count = 12,
                                     .inner = WHOLE_INNER,
                                     .inner_count = COUNT_OF(WHOLE_INNER)};

struct reading_told {
    const struct conf_node *node;
    const struct reading_told *next;
};

bool fields_told(const struct reading *r, const struct conf_node *node)
{
    for (const struct reading_told *at = r->told; at != NULL; at = at->next) {
        if (at->node == node) {
            return true;
        }
    }
    return false;
}

void fields_tell(struct reading *r, const struct conf_node *node)
{
    struct reading_told *told = reading_array(r, 1, sizeof *told);
    if (told != NULL) {
        *told = (struct reading_told){node, r->told};
        r->told = told;
    }
}

static bool is_known(const struct known *known, struct str key)
{
    for (size_t i = 0; i < known->count; i++) {
        if (str_eq(known->names[i], key)) {
            return true;
        }
    }
    return false;
}

static void unknown_key(struct reading *r, const struct known *known, const struct conf_node *key,
                        const char *whole)
{
    bool near = str_nearest(key->text, known->names, known->count) >= 0;
    if (known->open && !near) {
        return;
    }
    struct str shown = reading_shown(r, key->text);
    if (known->path != NULL) {
        reading_fail(r, PDP_ERR_UNKNOWN, key->place, "`%s` has no key `" STR_FMT "`", known->path,
                     STR_ARG(shown));
    } else {
        reading_fail(r, PDP_ERR_UNKNOWN, key->place, "%s has no key `" STR_FMT "`", whole, STR_ARG(shown));
    }
    if (known->properties && !near) {
        diag_hint(r->diags, "put it under `properties`, where conditions find it");
    } else {
        reading_hint(r, key->text, known->names, known->count, "its keys are");
    }
}

static void check_map(struct reading *r, const struct known *known, const struct conf_node *map,
                      const char *whole)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct conf_entry *entry = &map->entries[i];
        if (!is_known(known, entry->key->text)) {
            unknown_key(r, known, entry->key, whole);
        }
        for (size_t k = 0; entry->value->kind == CONF_MAP && k < known->inner_count; k++) {
            if (str_eq(known->inner[k].name, entry->key->text)) {
                check_map(r, known->inner[k].known, entry->value, whole); // as deep as the tables
            }
        }
    }
}

static void check_address(struct reading *r, const struct conf_node *map)
{
    const struct conf_node *network = conf_get(conf_get(map, "context"), "network");
    const struct conf_node *ip = conf_get(network, "ip");
    struct ip read;
    if (ip == NULL || ip->kind != CONF_SCALAR || str_find(ip->text, STR("{n}"), 0) != SIZE_MAX ||
        ip_parse(ip->text, &read)) {
        return;
    }
    reading_fail(r, PDP_ERR_SYNTAX, ip->place, "`" STR_FMT "` is no IP address",
                 STR_ARG(reading_shown(r, ip->text)));
    diag_hint(r->diags, "such as 203.0.113.7 or 2001:db8::7; leave `ip` out where there is none");
}

static void check_type(struct reading *r, const struct conf_node *event)
{
    const struct conf_node *type = conf_get(event, "type");
    struct str names[EVENT_COUNT];
    size_t count = 0;
    for (int i = EVENT_NONE + 1; i < EVENT_COUNT; i++) {
        names[count++] = str_of(event_name((enum event_type)i));
        if (type == NULL || type->kind != CONF_SCALAR || str_eq(type->text, names[count - 1])) {
            return;
        }
    }
    reading_fail(r, PDP_ERR_UNKNOWN, type->place, "no event is named `" STR_FMT "`",
                 STR_ARG(reading_shown(r, type->text)));
    reading_hint(r, type->text, names, count, "there are");
}

void fields_check(struct reading *r, const struct conf_node *map, enum fields_of of)
{
    static const struct {
        const struct known *known;
        const char *what;
    } OF[] = {
        [FIELDS_OF_QUESTION] = {&QUESTION, "a question"},
        [FIELDS_OF_EVENT] = {&EVENT, "an event"},
        [FIELDS_OF_FIXTURE] = {&FIXTURE, "a question or event"},
    };
    size_t errors = r->diags->errors;
    if (map == NULL || map->kind != CONF_MAP) {
        return;
    }
    check_map(r, OF[of].known, map, OF[of].what);
    check_address(r, map);
    if (of == FIELDS_OF_EVENT) {
        check_type(r, map);
    }
    if (r->diags->errors != errors) {
        fields_tell(r, map);
    }
}

void fields_check_given(struct reading *r, const struct conf_node *given, const struct conf_node *request)
{
    for (size_t i = 0; given != NULL && i < given->count; i++) {
        fields_check(r, given->entries[i].value, FIELDS_OF_FIXTURE);
    }
    fields_check(r, request, FIELDS_OF_FIXTURE);
}

// ---- Where a field stands --------------------------------------------------------------------------

const struct conf_node *fields_find(const struct conf_node *map, struct str path, size_t *depth)
{
    const struct conf_node *found = NULL, *at = map;
    *depth = 0;
    while (path.len > 0 && at != NULL && at->kind == CONF_MAP) {
        size_t end = str_find_byte(path, '.', 0);
        const struct conf_node *next = NULL;
        for (size_t i = 0; i < at->count && next == NULL; i++) {
            if (str_eq(at->entries[i].key->text, str_sub(path, 0, end))) {
                next = at->entries[i].value;
                found = next->kind == CONF_SCALAR ? next : at->entries[i].key;
                (*depth)++;
            }
        }
        at = next;
        path = str_sub(path, end + 1, SIZE_MAX);
    }
    return found;
}
