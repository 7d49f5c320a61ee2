// SPDX-License-Identifier: Apache-2.0
// The first pass over documents: heads, and the names that conditions may use.
#include "policy/build.h"
#include "policy/shapes.h"

#include "base/hash.h"

static const char *const KINDS[] = {"Policy",    "Strengths",     "List",      "Definitions",
                                    "Exception", "SessionPolicy", "RiskModel", "Schema",
                                    "Scope",     "Counter",       "Entities"};
// Of files of tests, which are read elsewhere.
static const char *const TEST_KINDS[] = {"Test", "Scenario", "Given"};

struct metadata {
    struct str name, owner, description, version, ticket;
    const struct conf_node *labels;
};

static const struct conf_field METADATA[] = {
    {"name", CONF_ID, true, offsetof(struct metadata, name), NULL, 0, 0,
     "unique among documents of its kind"},
    {"owner", CONF_TEXT, false, offsetof(struct metadata, owner), NULL, 0, 0, "who answers for it"},
    {"description", CONF_TEXT, false, offsetof(struct metadata, description), NULL, 0, 0, "what it is for"},
    {"version", CONF_TEXT, false, offsetof(struct metadata, version), NULL, 0, 0, "of its content"},
    {"ticket", CONF_TEXT, false, offsetof(struct metadata, ticket), NULL, 0, 0,
     "of an Exception: who allowed it, and why"},
    {"labels", CONF_MAPPING, false, offsetof(struct metadata, labels), NULL, 0, 0, "text by name"},
};

static const struct conf_nest SHAPE_METADATA_NESTS[] = {
    {"labels", CONF_FORM_VALUES, NULL},
};
const struct conf_shape SHAPE_METADATA = {
    "metadata", METADATA, COUNT_OF(METADATA), SHAPE_METADATA_NESTS, COUNT_OF(SHAPE_METADATA_NESTS), NULL, 0};

struct names {
    const struct conf_doc *docs;
    size_t count;
    struct arena *arena;
    struct diags *diags;
    struct policy_names *out;
    enum pdp_err first;
    struct table seen; // documents by `kind/name`
};

static void note(struct names *n, enum pdp_err err)
{
    n->first = n->first == PDP_ERR_OK ? err : n->first;
}

static bool is_text(const struct conf_node *node)
{
    return node != NULL && node->kind == CONF_SCALAR;
}

static void shown(struct buf *out, struct str text)
{
    buf_escaped(out, str_sub(text, 0, 80));
}

static struct place head_place(const struct conf_doc *doc, const char *key)
{
    const struct conf_node *node = conf_get(doc->root, key);
    if (node != NULL) {
        return node->place;
    }
    bool first = doc->root->kind == CONF_MAP && doc->root->count > 0;
    return first ? doc->root->entries[0].key->place : doc->root->place;
}

static bool check_version(struct names *n, const struct conf_doc *doc)
{
    const struct conf_node *version = conf_get(doc->root, "apiVersion");
    if (is_text(version) && str_eq(version->text, STR("pdp/v1"))) {
        return true;
    }
    if (version == NULL) {
        note(n, diag_error(n->diags, PDP_ERR_MISSING, head_place(doc, "apiVersion"),
                           "a document needs `apiVersion`"));
    } else {
        note(n, diag_error(n->diags, PDP_ERR_UNSUPPORTED, version->place, "`apiVersion` is not `pdp/v1`"));
    }
    diag_hint(n->diags, "write `apiVersion: pdp/v1`");
    return false;
}

static int kind_named(struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (str_eq(kind, str_of(KINDS[i]))) {
            return (int)i;
        }
    }
    return -1;
}

static int kind_of(const struct conf_doc *doc)
{
    const struct conf_node *kind = conf_get(doc->root, "kind");
    return is_text(kind) ? kind_named(kind->text) : -1;
}

bool policy_serves(struct str kind)
{
    return kind_named(kind) >= 0;
}

// The kind that was likely meant, or all that there are.
static void hint_kind(struct names *n, const struct conf_node *kind)
{
    struct str names[COUNT_OF(KINDS) + COUNT_OF(TEST_KINDS)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        names[count++] = str_of(KINDS[i]);
    }
    for (size_t i = 0; i < COUNT_OF(TEST_KINDS); i++) {
        names[count++] = str_of(TEST_KINDS[i]);
    }
    int near = is_text(kind) ? str_nearest(kind->text, names, count) : -1;
    if (near >= 0) {
        diag_hint(n->diags, "did you mean `" STR_FMT "`?", STR_ARG(names[near]));
        return;
    }
    diag_hint(n->diags,
              "known kinds are `Policy`, `Strengths`, `List`, `Definitions`, `Exception`, `SessionPolicy`, "
              "`RiskModel`, `Schema`, `Scope`, `Counter` and `Entities`, and in files of tests `Test`, "
              "`Scenario` and `Given`");
}

static bool of_tests(struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(TEST_KINDS); i++) {
        if (str_eq(kind, str_of(TEST_KINDS[i]))) {
            return true;
        }
    }
    return false;
}

static bool check_kind(struct names *n, const struct conf_doc *doc)
{
    const struct conf_node *kind = conf_get(doc->root, "kind");
    if (kind_of(doc) >= 0) {
        return true;
    }
    if (kind == NULL) {
        note(n, diag_error(n->diags, PDP_ERR_MISSING, head_place(doc, "kind"), "a document needs `kind`"));
    } else if (!is_text(kind)) {
        note(n, diag_error(n->diags, PDP_ERR_TYPE, kind->place, "`kind` must be text"));
    } else {
        AUTO(buf_fini) struct buf text = {0};
        shown(&text, kind->text);
        if (of_tests(kind->text)) {
            note(n, diag_error(n->diags, PDP_ERR_UNKNOWN, kind->place,
                               "a `" STR_FMT "` stands among policies", STR_ARG(buf_view(&text))));
            diag_hint(n->diags, "put it into a file whose name ends in `_test.yaml`, which is never served");
            return false;
        }
        note(n, diag_error(n->diags, PDP_ERR_UNKNOWN, kind->place, "unknown kind `" STR_FMT "`",
                           STR_ARG(buf_view(&text))));
    }
    hint_kind(n, kind);
    return false;
}

static void check_unique(struct names *n, const struct conf_doc *doc, size_t number, struct str name)
{
    const char *kind = KINDS[kind_of(doc)];
    struct str key = arena_printf(n->arena, "%s/" STR_FMT, kind, STR_ARG(name));
    uint32_t old = 0;
    if (key.len == 0 || table_put(&n->seen, key, (uint32_t)number, &old)) {
        note(n, key.len == 0 ? PDP_ERR_NOMEM : PDP_ERR_OK);
        return;
    }
    const struct conf_doc *first = &n->docs[old];
    const struct conf_node *at = conf_get(conf_get(first->root, "metadata"), "name");
    bool kept = n->diags->count < n->diags->most; // a line's number costs a walk through the file
    note(n, diag_error(n->diags, PDP_ERR_DUPLICATE, conf_get(conf_get(doc->root, "metadata"), "name")->place,
                       "another %s is called `" STR_FMT "`", kind, STR_ARG(name)));
    if (kept) {
        uint32_t line = 0;
        uint32_t col = 0;
        place_line_col(at->place, &line, &col);
        diag_hint(n->diags, "it is at " STR_FMT ":%u", STR_ARG(first->source->name), line);
    }
}

static bool is_identifier(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '-' || name.at[i] == '.') {
            return false;
        }
    }
    return true;
}

static void gather_list(struct names *n, const struct conf_doc *doc, struct str name)
{
    static const struct {
        const char *type;
        enum cel_set_kind kind;
    } TYPES[] = {{"string", CEL_SET_STRING},
                 {"cidr", CEL_SET_CIDR},
                 {"country", CEL_SET_COUNTRY},
                 {"asn", CEL_SET_ASN}};
    struct policy_names *out = n->out;
    if (!is_identifier(name)) {
        note(n, diag_error(n->diags, PDP_ERR_SYNTAX, conf_get(conf_get(doc->root, "metadata"), "name")->place,
                           "a list's name cannot hold `-` or `.`"));
        diag_hint(n->diags, "conditions read it as `lists.NAME`; use `_`");
        return;
    }
    // An unknown type is reported when the document is read; the name is known, so that conditions are not
    // blamed for it too.
    struct cel_set_decl *decl = &out->sets[out->set_count];
    *decl = (struct cel_set_decl){name, CEL_SET_STRING, (uint32_t)out->set_count};
    const struct conf_node *type = conf_get(doc->root, "type");
    for (size_t i = 0; is_text(type) && i < COUNT_OF(TYPES); i++) {
        decl->kind = str_eq(type->text, str_of(TYPES[i].type)) ? TYPES[i].kind : decl->kind;
    }
    out->set_count++;
}

static void gather_counter(struct names *n, const struct conf_doc *doc, struct str name)
{
    struct policy_names *out = n->out;
    struct place place = conf_get(conf_get(doc->root, "metadata"), "name")->place;
    if (!is_identifier(name)) {
        note(n, diag_error(n->diags, PDP_ERR_SYNTAX, place, "a counter's name cannot hold `-` or `.`"));
        diag_hint(n->diags, "conditions read it as `counters.NAME`; use `_`");
        return;
    }
    for (size_t i = 0; i < out->counter_count; i++) {
        if (str_eq(out->counters[i], name)) { // and reported
            return;
        }
    }
    if (out->counter_count == POLICY_COUNTERS_MOST) {
        note(n, diag_error(n->diags, PDP_ERR_LIMIT, place, "more than %d counters", POLICY_COUNTERS_MOST));
        return;
    }
    out->counters[out->counter_count++] = name;
}

static void gather_strengths(struct names *n, const struct conf_doc *doc)
{
    const struct conf_node *levels = conf_get(doc->root, "levels");
    if (n->out->strengths != NULL) {
        note(n, diag_error(n->diags, PDP_ERR_DUPLICATE, head_place(doc, "kind"),
                           "there is a `Strengths` already: a folder has at most one"));
        return;
    }
    size_t count = levels != NULL && levels->kind == CONF_LIST ? levels->count : 0;
    count = count < SET_STRENGTHS_MAX ? count : SET_STRENGTHS_MAX;
    n->out->strengths = ARENA_ARRAY(n->arena, struct str, count + 1);
    if (n->out->strengths == NULL) {
        note(n, PDP_ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct conf_node *name = conf_get(levels->items[i], "name");
        bool copied = true;
        n->out->strengths[i] = is_text(name) ? arena_str(n->arena, name->text, &copied) : STR("");
        note(n, copied ? PDP_ERR_OK : PDP_ERR_NOMEM);
    }
    n->out->strength_count = count;
}

// Of these a folder has one: a second is refused for being there, whatever its name.
static bool stands_alone(const struct conf_doc *doc)
{
    struct str kind = conf_get(doc->root, "kind")->text;
    return str_eq(kind, STR("Strengths")) || str_eq(kind, STR("RiskModel"));
}

static void read_head(struct names *n, const struct conf_doc *doc, size_t number)
{
    if (doc->root->kind != CONF_MAP) {
        note(n, diag_error(n->diags, PDP_ERR_TYPE, doc->root->place, "a document must be a mapping"));
        return;
    }
    bool ok = check_version(n, doc);
    if (!check_kind(n, doc)) {
        return; // what its metadata may hold is not known either
    }
    const struct conf_node *map = conf_get(doc->root, "metadata");
    if (map == NULL) {
        note(n, diag_error(n->diags, PDP_ERR_MISSING, head_place(doc, "metadata"),
                           "a document needs `metadata`"));
        diag_hint(n->diags, "write `metadata: {name: …}`");
        return;
    }
    struct metadata metadata = {0};
    note(n, conf_read(map, METADATA, COUNT_OF(METADATA), "`metadata`", &metadata, n->arena, n->diags));
    const struct conf_node *ticket = conf_get(map, "ticket");
    if (ticket != NULL && !str_eq(conf_get(doc->root, "kind")->text, STR("Exception"))) {
        note(n, diag_error(n->diags, PDP_ERR_UNKNOWN, ticket->place, "only an Exception has a `ticket`"));
    }
    if (!ok || metadata.name.len == 0) {
        return;
    }
    bool copied = true;
    struct str name = arena_str(n->arena, metadata.name, &copied);
    if (!copied) {
        note(n, PDP_ERR_NOMEM);
        return;
    }
    if (!stands_alone(doc)) {
        check_unique(n, doc, number, name);
    }
    if (str_eq(conf_get(doc->root, "kind")->text, STR("List"))) {
        gather_list(n, doc, name);
    } else if (str_eq(conf_get(doc->root, "kind")->text, STR("Strengths"))) {
        gather_strengths(n, doc);
    } else if (str_eq(conf_get(doc->root, "kind")->text, STR("Counter"))) {
        gather_counter(n, doc, name);
    }
}

enum pdp_err policy_names_read(const struct conf_doc *docs, size_t count, struct arena *arena,
                               struct diags *diags, struct policy_names *out)
{
    *out = (struct policy_names){0};
    struct names n = {.docs = docs, .count = count, .arena = arena, .diags = diags, .out = out};
    out->sets = ARENA_ARRAY(arena, struct cel_set_decl, count + 1);
    // Names are compared once, by people who may load the folder; the key need not be secret.
    TRY(table_init(&n.seen, count, (struct hash_key){0}, arena));
    out->counters = ARENA_ARRAY(arena, struct str, POLICY_COUNTERS_MOST);
    if (out->sets == NULL || out->counters == NULL) {
        return PDP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        read_head(&n, &docs[i], i);
    }
    return n.first;
}
