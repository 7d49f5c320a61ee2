// SPDX-License-Identifier: Apache-2.0
// List documents, and the files that they name.
#include "policy/build.h"
#include "policy/shapes.h"

struct document {
    struct build_head head;
    int type, network;
    int64_t max_age_ms, updated_ms;
    struct str file;
    const struct conf_node *entries;
};

static const char *const TYPES[] = {"string", "cidr", "country", "asn", NULL};
static const enum cel_set_kind KINDS[] = {CEL_SET_STRING, CEL_SET_CIDR, CEL_SET_COUNTRY, CEL_SET_ASN};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"type", CONF_CHOICE, true, offsetof(struct document, type), TYPES, 0, 0, "what its entries are"},
    {"network", CONF_CHOICE, false, offsetof(struct document, network), NETWORKS_NAMES, 0, 0,
     "the class of network that its members are"},
    {"max_age", CONF_DURATION, false, offsetof(struct document, max_age_ms), NULL, 0, 0,
     "older is stale, and stale is unsure"},
    {"updated", CONF_TIME, false, offsetof(struct document, updated_ms), NULL, 0, 0,
     "when its entries were true; without it, when they were loaded"},
    {"entries", CONF_SEQUENCE, false, offsetof(struct document, entries), NULL, 0, 0, "its members"},
    {"file", CONF_TEXT, false, offsetof(struct document, file), NULL, 0, 0,
     "its members, one a line, `#` comments"},
};

static const struct conf_nest SHAPE_LIST_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"entries", CONF_FORM_ENTRIES, NULL},
};
static const struct conf_tie SHAPE_LIST_TIES[] = {
    {CONF_BOND_ONE, {"entries", "file"}},
};
const struct conf_shape SHAPE_LIST = {"List",
                                      DOCUMENT,
                                      COUNT_OF(DOCUMENT),
                                      SHAPE_LIST_NESTS,
                                      COUNT_OF(SHAPE_LIST_NESTS),
                                      SHAPE_LIST_TIES,
                                      COUNT_OF(SHAPE_LIST_TIES)};

static enum pdp_err add_entries(struct build *build, struct lists_building *building,
                                const struct conf_node *entries)
{
    size_t bytes = 0;
    for (size_t i = 0; i < entries->count; i++) {
        bytes += entries->items[i]->text.len;
    }
    TRY(lists_begin(building, building->set, entries->count, bytes, build->set->seed));
    for (size_t i = 0; i < entries->count; i++) {
        const struct conf_node *entry = entries->items[i];
        if (entry->kind != CONF_SCALAR) {
            build_fail(build, PDP_ERR_TYPE, entry->place, NULL, "an entry must be text");
            continue;
        }
        // `NO` is Norway here, and nothing else.
        enum pdp_err err = lists_add(building, entry->text);
        if (err != PDP_ERR_OK) {
            lists_refuse(err, building->set->head.kind, entry->text, entry->place, build->diags);
            build_note(build, err);
        } else {
            lists_doubt(building->set->head.kind, entry->text, entry->place, build->diags);
        }
    }
    return lists_end(building);
}

static void read_entries(struct build *build, const struct lists_head *head, const struct conf_node *entries,
                         struct lists_set **out)
{
    AUTO(lists_free) struct lists_set *set = NULL;
    enum pdp_err err = lists_new(head, &set);
    if (err == PDP_ERR_OK) {
        AUTO(lists_building_fini) struct lists_building building = {.set = set};
        err = add_entries(build, &building, entries);
    }
    build_note(build, err);
    *out = err == PDP_ERR_OK ? STEAL(set) : NULL;
}

// Relative, and never upwards: a folder is deployed as a whole.
static bool stays_below(struct str path)
{
    bool below = path.len > 0 && path.at[0] != '/';
    for (size_t at = 0; below && at < path.len;) {
        size_t end = str_find_byte(path, '/', at);
        below = !str_eq(str_sub(path, at, end - at), STR(".."));
        at = end + 1;
    }
    return below;
}

static void read_file(struct build *build, const struct lists_head *head, const struct conf_node *file,
                      struct lists_set **out)
{
    const struct source *source = NULL;
    if (!stays_below(file->text)) {
        build_fail(build, PDP_ERR_DENIED, file->place,
                   "name it relative to the folder of the policies, without `..`",
                   "`" STR_FMT "` lies outside the folder", STR_ARG(build_shown(build, file->text)));
        return;
    }
    enum pdp_err err = lists_file_find(build->files, file->text, build->diags, &source);
    if (err == PDP_ERR_OK || err == PDP_ERR_NOMEM) {
        build_note(build, err == PDP_ERR_OK
                              ? lists_file_read(head, source, build->set->seed, build->diags, out)
                              : err);
        return;
    }
    diag_warning(build->diags, file->place, "`" STR_FMT "` could not be read: %s",
                 STR_ARG(build_shown(build, file->text)), pdp_err_text(err));
    diag_hint(build->diags, "until it can, whatever asks `lists." STR_FMT "` is unsure", STR_ARG(head->name));
    build_note(build, lists_new(head, out));
    if (*out != NULL) {
        (*out)->missing = true;
    }
}

// NULL: its name was refused, or another has it.
static struct lists_set **place_of(struct build *build, struct str name)
{
    for (size_t i = 0; i < build->names->set_count; i++) {
        if (str_eq(build->names->sets[i].name, name)) {
            struct lists_set **place = &build->lists->at[build->names->sets[i].id];
            return *place == NULL ? place : NULL;
        }
    }
    return NULL;
}

static struct str version_of(const struct conf_doc *doc)
{
    const struct conf_node *version = conf_get(conf_get(doc->root, "metadata"), "version");
    return version != NULL && version->kind == CONF_SCALAR ? version->text : (struct str){"", 0};
}

static void check_network(struct build *build, const struct conf_doc *doc, const struct document *document)
{
    struct place place = conf_get(doc->root, "network")->place;
    enum cel_set_kind kind = KINDS[document->type];
    if (kind != CEL_SET_CIDR && kind != CEL_SET_ASN) {
        build_fail(build, PDP_ERR_TYPE, place, "networks are named by a list of type `cidr` or `asn`",
                   "a list of type `%s` cannot say a class of network", TYPES[document->type]);
    } else if (++build->network_count > NETWORKS_MOST) {
        build_fail(build, PDP_ERR_LIMIT, place, NULL, "more than %d lists say a class of network",
                   NETWORKS_MOST);
    }
}

void read_list(struct build *build, const struct conf_doc *doc)
{
    struct document document = {.updated_ms = LISTS_UNKNOWN, .network = -1};
    enum pdp_err err =
        conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "List", &document, build->arena, build->diags);
    build_note(build, err);
    const struct conf_node *file = conf_get(doc->root, "file");
    if ((document.entries != NULL) == (file != NULL)) {
        struct place place = file != NULL ? file->place : conf_get(doc->root, "kind")->place;
        build_fail(build, PDP_ERR_MISSING, place, NULL, "a List has either `entries` or `file`");
        return;
    }
    if (err == PDP_ERR_OK && document.network >= 0) {
        check_network(build, doc, &document);
    }
    struct lists_set **place = place_of(build, build_doc_name(doc));
    if (err != PDP_ERR_OK || place == NULL) {
        return;
    }
    struct lists_head head = {
        .name = build_doc_name(doc),
        .file = file != NULL ? file->text : (struct str){"", 0},
        .kind = KINDS[document.type],
        .max_age_ms = document.max_age_ms,
        .version = version_of(doc),
        .updated_ms = document.updated_ms,
        .network = document.network >= 0 ? &NETWORKS_CLASSES[document.network] : NULL,
    };
    if (file != NULL) {
        read_file(build, &head, file, place);
    } else {
        read_entries(build, &head, document.entries, place);
    }
}
