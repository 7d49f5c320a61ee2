// SPDX-License-Identifier: Apache-2.0
#include "cli/test/reading.h"

#include "cli/test/places.h"

#include "cli/test/shapes.h"

#include <stdarg.h>
#include <stdio.h>

void reading_note(struct reading *r, enum pdp_err err)
{
    r->first = r->first == PDP_ERR_OK ? err : r->first;
}

void *reading_array(struct reading *r, size_t count, size_t bytes)
{
    void *at = arena_zero(r->arena, count + (count == 0), bytes, _Alignof(max_align_t));
    if (at == NULL) {
        reading_note(r, PDP_ERR_NOMEM);
    }
    return at;
}

void reading_fail(struct reading *r, enum pdp_err err, struct place place, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    reading_note(r, diag_error(r->diags, err, place, "%s", text));
}

void reading_hint(struct reading *r, struct str given, const struct str *names, size_t count,
                  const char *what)
{
    if (!diag_wants_hint(r->diags)) {
        return;
    }
    int near = str_nearest(given, names, count);
    if (near >= 0) {
        diag_hint(r->diags, "did you mean `" STR_FMT "`?", STR_ARG(names[near]));
        return;
    }
    AUTO(buf_fini) struct buf list = {0};
    for (size_t i = 0; i < count && i < 20; i++) {
        buf_printf(&list, "%s`" STR_FMT "`", i > 0 ? ", " : "", STR_ARG(reading_shown(r, names[i])));
    }
    buf_str(&list, count > 20 ? STR(", ...") : STR(""));
    if (count > 0) {
        diag_hint(r->diags, "%s " STR_FMT, what, STR_ARG(buf_view(&list)));
    }
}

struct str reading_shown(struct reading *r, struct str text)
{
    AUTO(buf_fini) struct buf shown = {0};
    buf_escaped(&shown, str_sub(text, 0, 80));
    return arena_str(r->arena, buf_view(&shown), NULL);
}

void reading_names(struct map *seen)
{
    // The names are those of who runs the tests: nobody gains by making them fall together.
    map_init(seen, (struct hash_key){UINT64_C(0x74657374), UINT64_C(0x6e616d6573)});
}

void reading_once(struct reading *r, struct map *seen, struct str name, struct place place, const char *what)
{
    uint64_t first = 0;
    if (name.len == 0) {
        return;
    }
    if (map_get(seen, name, &first)) {
        const struct place *there = (const struct place *)(uintptr_t)first;
        uint32_t line = 0, column = 0;
        place_line_col(*there, &line, &column);
        reading_fail(r, PDP_ERR_DUPLICATE, place, "another %s has this name, at " STR_FMT ":%u", what,
                     STR_ARG(there->src->name), line);
        return;
    }
    struct place *kept = reading_array(r, 1, sizeof *kept);
    if (kept != NULL) {
        *kept = place;
        reading_note(r, map_put(seen, name, (uintptr_t)kept));
    }
}

const struct geo_set *reading_places(struct reading *r, const struct conf_node *map)
{
    struct reading_geo *kept = map != NULL ? reading_array(r, 1, sizeof *kept) : NULL;
    if (kept == NULL) {
        return NULL;
    }
    reading_note(r, places_read(map, r->arena, r->diags, &kept->set));
    kept->next = r->geo;
    r->geo = kept;
    return kept->set;
}

// ---- Heads ---------------------------------------------------------------------------------------

struct head {
    struct str name, description, owner, ticket;
    const struct conf_node *labels;
};
#define FIELD(name, type, required, help)                                    \
    {                                                                        \
#name, type, required, offsetof(struct head, name), NULL, 0, 0, help \
    }
static const struct conf_field METADATA[] = {
    FIELD(name, CONF_ID, true, "unique among documents of its kind"),
    FIELD(description, CONF_TEXT, false, "what it is for"),
    FIELD(owner, CONF_TEXT, false, "who answers for it"),
    FIELD(ticket, CONF_TEXT, false, "why it is there"),
    FIELD(labels, CONF_MAPPING, false, "text by name; of a Scenario `class`: attack or innocent"),
};

static const struct conf_nest NESTS[] = {{"labels", CONF_FORM_VALUES, NULL}};
const struct conf_shape SHAPE_TEST_METADATA = {
    "metadata", METADATA, COUNT_OF(METADATA), NESTS, COUNT_OF(NESTS), NULL, 0};

static struct place key_place(const struct conf_doc *doc, const char *key)
{
    const struct conf_node *node = conf_get(doc->root, key);
    if (node != NULL) {
        return node->place;
    }
    bool first = doc->root->kind == CONF_MAP && doc->root->count > 0;
    return first ? doc->root->entries[0].key->place : doc->root->place;
}

static bool is(const struct conf_node *node, struct str text)
{
    return node != NULL && node->kind == CONF_SCALAR && str_eq(node->text, text);
}

static const struct str KINDS[] = {
    [SUITE_TEST] = {"Test", 4}, [SUITE_SCENARIO] = {"Scenario", 8}, [SUITE_GIVEN] = {"Given", 5}};

static bool check_kind(struct reading *r, const struct conf_doc *from, struct suite_doc *doc)
{
    const struct conf_node *kind = conf_get(from->root, "kind");
    if (!is(conf_get(from->root, "apiVersion"), STR("pdp/v1"))) {
        reading_fail(r, PDP_ERR_UNSUPPORTED, key_place(from, "apiVersion"),
                     "a document of tests begins with `apiVersion: pdp/v1`");
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (is(kind, KINDS[i])) {
            doc->kind = (enum suite_kind)i;
            return true;
        }
    }
    reading_fail(r, PDP_ERR_UNKNOWN, key_place(from, "kind"),
                 "a file of tests holds documents of kind `Test`, `Scenario` and `Given` only");
    int near =
        kind != NULL && kind->kind == CONF_SCALAR ? str_nearest(kind->text, KINDS, COUNT_OF(KINDS)) : -1;
    if (near >= 0) {
        diag_hint(r->diags, "did you mean `" STR_FMT "`?", STR_ARG(KINDS[near]));
    } else {
        diag_hint(r->diags, "policies stand in files of other names, which are served");
    }
    return false;
}

static void read_class(struct reading *r, const struct conf_node *labels, struct suite_doc *doc)
{
    static const struct str CLASSES[] = {{"attack", 6}, {"innocent", 8}};
    const struct conf_node *class = conf_get(labels, "class");
    if (class == NULL || doc->kind != SUITE_SCENARIO) {
        return;
    }
    if (is(class, CLASSES[0]) || is(class, CLASSES[1])) {
        doc->class = class->text;
        return;
    }
    reading_fail(r, PDP_ERR_UNKNOWN, class->place, "a Scenario is no such class");
    reading_hint(r, class->text, CLASSES, COUNT_OF(CLASSES), "it is one of");
}

bool reading_head(struct reading *r, const struct conf_doc *from, struct suite_doc *doc)
{
    struct head head = {0};
    const struct conf_node *metadata = conf_get(from->root, "metadata");
    if (from->root->kind != CONF_MAP) {
        reading_fail(r, PDP_ERR_TYPE, from->root->place, "a document of tests must be a mapping");
        return false;
    }
    if (!check_kind(r, from, doc)) {
        return false;
    }
    if (metadata == NULL) {
        reading_fail(r, PDP_ERR_MISSING, key_place(from, "metadata"), "a document of tests needs `metadata`");
        diag_hint(r->diags, "write `metadata: {name: what-it-tests}`");
        return false;
    }
    enum pdp_err err =
        conf_read(metadata, METADATA, COUNT_OF(METADATA), "`metadata`", &head, r->arena, r->diags);
    reading_note(r, err);
    if (err != PDP_ERR_OK) {
        return false;
    }
    doc->name = head.name;
    doc->description = head.description;
    doc->place = conf_get(metadata, "name")->place;
    read_class(r, head.labels, doc);
    return true;
}
