// SPDX-License-Identifier: Apache-2.0
// `Given`: a folder's own names and attributes, laid over the fixtures of scenarios that know nothing of it.
#include "cli/test/reading.h"

#include "cli/test/shapes.h"

struct given {
    struct str api, kind, tenant;
    const struct conf_node *metadata, *given, *request, *skip;
};
#define KEY(name, field, type, help)                                       \
    {                                                                      \
        name, type, false, offsetof(struct given, field), NULL, 0, 0, help \
    }
static const struct conf_field FIELDS[] = {
    KEY("apiVersion", api, CONF_TEXT, "pdp/v1"),
    KEY("kind", kind, CONF_TEXT, "Given"),
    KEY("metadata", metadata, CONF_MAPPING, "name, description, owner, labels"),
    KEY("tenant", tenant, CONF_TEXT, "in the place of the scenarios' own"),
    KEY("given", given, CONF_MAPPING, "fixtures, laid over those of the same names"),
    KEY("request", request, CONF_MAPPING, "laid over what lies under every question and event"),
    KEY("skip", skip, CONF_MAPPING, "by name of a scenario: why it does not concern these policies"),
};
static const struct conf_nest NESTS[] = {{"metadata", CONF_FORM_MAP, &SHAPE_TEST_METADATA},
                                         {"given", CONF_FORM_VALUES, NULL},
                                         {"request", CONF_FORM_VALUES, NULL},
                                         {"skip", CONF_FORM_VALUES, NULL}};
const struct conf_shape SHAPE_GIVEN = {"Given", FIELDS, COUNT_OF(FIELDS), NESTS, COUNT_OF(NESTS), NULL, 0};

// ---- The document --------------------------------------------------------------------------------

// The one of kind Given; NULL with what is wrong noted.
static const struct conf_doc *find(struct reading *r, const struct conf_doc *docs, size_t count)
{
    const struct conf_doc *found = NULL;
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        const struct conf_node *kind = conf_get(docs[i].root, "kind");
        if (kind != NULL && kind->kind == CONF_SCALAR && str_eq(kind->text, STR("Given"))) {
            found = &docs[i];
            all++;
        }
    }
    if (all != 1 && count > 0) {
        reading_fail(r, PDP_ERR_MISSING, all > 1 ? found->root->place : docs[0].root->place,
                     "a file that is laid over scenarios holds one document of kind `Given`");
    }
    return all == 1 ? found : NULL;
}

static void check_maps(struct reading *r, const struct conf_node *given)
{
    for (size_t i = 0; given != NULL && i < given->count; i++) {
        if (given->entries[i].value->kind != CONF_MAP) {
            reading_fail(r, PDP_ERR_TYPE, given->entries[i].value->place, "a fixture must be a mapping");
        }
    }
}

static void check_reasons(struct reading *r, const struct conf_node *skip)
{
    for (size_t i = 0; skip != NULL && i < skip->count; i++) {
        const struct conf_node *reason = skip->entries[i].value;
        if (reason->kind != CONF_SCALAR || reason->text.len == 0) {
            reading_fail(r, PDP_ERR_MISSING, skip->entries[i].key->place,
                         "a scenario is skipped with a reason");
            diag_hint(r->diags, "such as `" STR_FMT ": no services ask here`",
                      STR_ARG(reading_shown(r, skip->entries[i].key->text)));
        }
    }
}

bool read_given_doc(struct reading *r, const struct conf_doc *from, struct reading_over *out)
{
    struct given given = {0};
    enum pdp_err err = conf_read(from->root, FIELDS, COUNT_OF(FIELDS), "a Given", &given, r->arena, r->diags);
    reading_note(r, err);
    check_maps(r, given.given);
    check_reasons(r, given.skip);
    fields_check_given(r, given.given, given.request);
    *out = (struct reading_over){
        .tenant = given.tenant, .given = given.given, .request = given.request, .skip = given.skip};
    return err == PDP_ERR_OK;
}

void read_given(struct reading *r, const struct snapshot_file *file)
{
    size_t count = 0, errors = r->diags->errors;
    struct suite_doc head = {0};
    const struct conf_doc *docs = reading_docs(r, file, &count);
    const struct conf_doc *one = docs != NULL && r->diags->errors == errors ? find(r, docs, count) : NULL;
    struct reading_over *over = reading_array(r, 1, sizeof *over);
    if (one != NULL && over != NULL && reading_head(r, one, &head) && read_given_doc(r, one, over)) {
        r->over = over;
    }
}

// ---- What it is laid over ------------------------------------------------------------------------

static void note_name(struct reading *r, struct reading_list *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (str_eq(names->list[i], name)) {
            return;
        }
    }
    if (names->count == names->cap) {
        size_t cap = names->cap == 0 ? 32 : 2 * names->cap;
        struct str *larger = reading_array(r, cap, sizeof *larger);
        if (larger == NULL) {
            return;
        }
        if (names->count > 0) {
            memcpy(larger, names->list, names->count * sizeof *larger);
        }
        names->list = larger;
        names->cap = cap;
    }
    names->list[names->count++] = name;
}

void read_given_met(struct reading *r, const struct conf_node *given, struct suite_doc *doc)
{
    if (r->over == NULL) {
        return;
    }
    for (size_t i = 0; given != NULL && i < given->count; i++) {
        note_name(r, &r->over->fixtures, given->entries[i].key->text);
    }
    note_name(r, &r->over->scenarios, doc->name);
    for (size_t i = 0; r->over->skip != NULL && i < r->over->skip->count; i++) {
        if (str_eq(r->over->skip->entries[i].key->text, doc->name)) {
            doc->skip = r->over->skip->entries[i].value->text;
        }
    }
}

static void check_names(struct reading *r, const struct conf_node *map, const struct reading_list *names,
                        const char *what)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        const struct conf_node *key = map->entries[i].key;
        bool there = false;
        for (size_t k = 0; k < names->count && !there; k++) {
            there = str_eq(names->list[k], key->text);
        }
        if (!there) {
            reading_fail(r, PDP_ERR_UNKNOWN, key->place, "%s `" STR_FMT "`", what,
                         STR_ARG(reading_shown(r, key->text)));
            reading_hint(r, key->text, names->list, names->count, "there are");
        }
    }
}

void read_given_end(struct reading *r)
{
    // Of a scenario that could not be read nobody can say that it has no such fixture.
    if (r->over != NULL && r->diags->errors == 0) {
        check_names(r, r->over->given, &r->over->fixtures, "no scenario has a fixture");
        check_names(r, r->over->skip, &r->over->scenarios, "there is no scenario");
    }
}
