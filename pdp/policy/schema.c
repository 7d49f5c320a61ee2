// SPDX-License-Identifier: Apache-2.0
// Schema documents: attributes, one by one.
#include "policy/schema_inner.h"
#include "policy/shapes.h"

#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

struct document {
    struct build_head head;
    const struct conf_node *attributes;
    struct conf_texts open;
};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"attributes", CONF_MAPPING, true, offsetof(struct document, attributes), NULL, 0, 0,
     "each by the name that conditions read"},
    {"open", CONF_TEXTS, false, offsetof(struct document, open), NULL, 0, 0,
     "roots of which what is not declared may be read too"},
};

struct attribute {
    const struct conf_node *type;
    struct conf_texts values, kinds;
    struct str description;
    bool required, sensitive;
    int64_t max_items, max_bytes;
};

static const struct conf_field ATTRIBUTE[] = {
    {"type", CONF_ANY, false, offsetof(struct attribute, type), NULL, 0, 0, "what it holds"},
    {"enum", CONF_TEXTS, false, offsetof(struct attribute, values), NULL, 0, 0,
     "the only texts that it holds"},
    {"required", CONF_BOOL, false, offsetof(struct attribute, required), NULL, 0, 0,
     "a question without it is malformed"},
    {"for", CONF_TEXTS, false, offsetof(struct attribute, kinds), NULL, 0, 0,
     "types of the subject or resource of which it is required"},
    {"max_items", CONF_INT, false, offsetof(struct attribute, max_items), NULL, 1, 65536, "of a list or map"},
    {"max_bytes", CONF_INT, false, offsetof(struct attribute, max_bytes), NULL, 1, 65536,
     "of text, and of each text of a list"},
    {"sensitive", CONF_BOOL, false, offsetof(struct attribute, sensitive), NULL, 0, 0,
     "its value is never shown"},
    {"description", CONF_TEXT, false, offsetof(struct attribute, description), NULL, 0, 0, "what it is"},
};

static const struct conf_nest ATTRIBUTE_SHAPE_NESTS[] = {
    {"type", CONF_FORM_TEXTS, NULL},
};
static const struct conf_tie ATTRIBUTE_SHAPE_TIES[] = {
    {CONF_BOND_ONE, {"type", "enum"}},
};
static const struct conf_shape ATTRIBUTE_SHAPE = {"attribute",
                                                  ATTRIBUTE,
                                                  COUNT_OF(ATTRIBUTE),
                                                  ATTRIBUTE_SHAPE_NESTS,
                                                  COUNT_OF(ATTRIBUTE_SHAPE_NESTS),
                                                  ATTRIBUTE_SHAPE_TIES,
                                                  COUNT_OF(ATTRIBUTE_SHAPE_TIES)};

static const struct conf_nest SHAPE_SCHEMA_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"attributes", CONF_FORM_NAMED, &ATTRIBUTE_SHAPE},
};
const struct conf_shape SHAPE_SCHEMA = {
    "Schema", DOCUMENT, COUNT_OF(DOCUMENT), SHAPE_SCHEMA_NESTS, COUNT_OF(SHAPE_SCHEMA_NESTS), NULL, 0};

static const struct {
    struct str name;
    enum cel_type type, list; // list: of `[name]`; DYN: there is no such type
} TYPES[] = {
    {TEXT("bool"), CEL_BOOL, CEL_DYN},
    {TEXT("int"), CEL_INT, CEL_LIST_INT},
    {TEXT("double"), CEL_DOUBLE, CEL_DYN},
    {TEXT("string"), CEL_STRING, CEL_LIST_STRING},
    {TEXT("timestamp"), CEL_TIMESTAMP, CEL_DYN},
    {TEXT("duration"), CEL_DURATION, CEL_DYN},
    {TEXT("ip"), CEL_IP, CEL_DYN},
    {TEXT("map"), CEL_MAP_DYN, CEL_DYN},
    {TEXT("list"), CEL_LIST_DYN, CEL_DYN},
    {TEXT("dyn"), CEL_DYN, CEL_LIST_DYN},
};

// ---- Names ------------------------------------------------------------------------------------------

static bool is_name(struct str path)
{
    bool starts = true;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (starts || !(c >= '0' && c <= '9'))) {
            if (c != '.' || starts) {
                return false;
            }
        }
        starts = c == '.';
    }
    return !starts && path.len <= SCHEMA_PATH_MOST;
}

// The attribute that the language declares and that `path` is, or goes on from; NULL: none. What holds
// everything that a Schema declares is none of them.
static const struct cel_attr_decl *language_attr(const struct cel_env *env, struct str path)
{
    for (size_t i = 0; i < env->attr_count; i++) {
        struct str own = env->attrs[i].path;
        bool whole = str_ends(own, STR(".properties")) || str_eq(own, STR("device.components"));
        if (!whole && (str_eq(path, own) || schema_is_under(path, own))) {
            return &env->attrs[i];
        }
    }
    return NULL;
}

static void refuse_root(struct schema_reader *r, const struct conf_node *key)
{
    build_fail(&r->build, PDP_ERR_UNKNOWN, key->place,
               "attributes are of `subject`, `action`, `resource`, `context` and `device.components`",
               "a Schema cannot declare `" STR_FMT "`", STR_ARG(build_shown(&r->build, key->text)));
}

// `subject.properties.type` is a property that bears a name of the language; any other is read without
// `properties`.
static bool place_property(struct schema_reader *r, const struct conf_node *key, struct schema_draft *draft)
{
    const struct schema_root *root = &SCHEMA_ROOTS[draft->root];
    struct str rest = str_sub(key->text, root->other.len + 1, key->text.len);
    struct str plain = arena_printf(r->build.arena, STR_FMT "." STR_FMT, STR_ARG(root->name), STR_ARG(rest));
    if (language_attr(r->env, plain) == NULL) {
        build_fail(&r->build, PDP_ERR_SYNTAX, key->place, NULL, "`" STR_FMT "` is `" STR_FMT "`",
                   STR_ARG(key->text), STR_ARG(plain));
        diag_hint(r->build.diags, "declare `" STR_FMT "`", STR_ARG(plain));
        return false;
    }
    draft->reserved = true;
    draft->schema->base = (uint32_t)root->other.len;
    return true;
}

static bool place_plain(struct schema_reader *r, const struct conf_node *key, struct schema_draft *draft)
{
    const struct cel_attr_decl *own = language_attr(r->env, key->text);
    if (own != NULL) {
        build_fail(&r->build, PDP_ERR_DUPLICATE, key->place, NULL,
                   "the language itself declares `" STR_FMT "`", STR_ARG(own->path));
        if (SCHEMA_ROOTS[draft->root].other.len > 0) {
            diag_hint(r->build.diags, "a property of that name is `" STR_FMT "." STR_FMT "`",
                      STR_ARG(SCHEMA_ROOTS[draft->root].other),
                      STR_ARG(str_sub(key->text, SCHEMA_ROOTS[draft->root].name.len + 1, key->text.len)));
        }
        return false;
    }
    draft->schema->base = (uint32_t)SCHEMA_ROOTS[draft->root].owner.len;
    return true;
}

static bool is_device(struct str path)
{
    const struct str device = STR("context.device"), components = SCHEMA_ROOTS[SCHEMA_COMPONENTS].other;
    return str_eq(path, device) || str_eq(path, components) || schema_is_under(path, components);
}

// Which root it is of, and how a host is asked for it. false: reported.
static bool place_name(struct schema_reader *r, const struct conf_node *key, struct schema_draft *draft)
{
    struct str path = key->text;
    uint32_t id = 0;
    if (!is_name(path)) {
        build_fail(&r->build, PDP_ERR_SYNTAX, key->place, "such as `subject.roles` or `context.client.auth`",
                   "an attribute's name is letters, digits and `_`, with dots between its parts");
        return false;
    }
    draft->root = 0;
    while (draft->root < SCHEMA_ROOT_COUNT && !schema_is_under(path, SCHEMA_ROOTS[draft->root].name)) {
        draft->root++;
    }
    if (draft->root == SCHEMA_ROOT_COUNT || !schema_id_of(r->env, SCHEMA_ROOTS[draft->root].owner, &id)) {
        refuse_root(r, key);
        return false;
    }
    if (is_device(path)) {
        build_fail(&r->build, PDP_ERR_SYNTAX, key->place, "declare `device.components.NAME`",
                   "`" STR_FMT "` is read as `device.components` too", STR_ARG(path));
        return false;
    }
    const struct schema_root *root = &SCHEMA_ROOTS[draft->root];
    if (str_eq(path, root->other)) {
        build_fail(&r->build, PDP_ERR_SYNTAX, key->place, "declare its fields, each by its name",
                   "`" STR_FMT "` holds every attribute of `" STR_FMT "`", STR_ARG(path),
                   STR_ARG(root->name));
        return false;
    }
    bool property = draft->root != SCHEMA_CONTEXT && schema_is_under(path, root->other);
    if (property) {
        schema_id_of(r->env, root->other_owner, &id);
    }
    draft->attr.info.id = id;
    return property ? place_property(r, key, draft) : place_plain(r, key, draft);
}

// ---- Types ------------------------------------------------------------------------------------------

static void refuse_type(struct schema_reader *r, const struct conf_node *node)
{
    struct str names[COUNT_OF(TYPES)];
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        names[i] = TYPES[i].name;
    }
    build_fail(&r->build, PDP_ERR_UNKNOWN, node->place, NULL, "unknown type `" STR_FMT "`",
               STR_ARG(build_shown(&r->build, node->text)));
    build_hint_near(&r->build, node->text, names, COUNT_OF(names));
}

static enum cel_type read_type(struct schema_reader *r, const struct conf_node *node)
{
    bool list = node->kind == CONF_LIST && node->count == 1;
    const struct conf_node *name = list ? node->items[0] : node;
    if (name->kind != CONF_SCALAR) {
        build_fail(&r->build, PDP_ERR_TYPE, node->place, "such as `int`, or `[string]` for a list of text",
                   "a type is one name, or one in brackets");
        return CEL_DYN;
    }
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (!str_eq(name->text, TYPES[i].name)) {
            continue;
        }
        if (list && TYPES[i].list == CEL_DYN) {
            build_fail(&r->build, PDP_ERR_UNSUPPORTED, node->place, "write `list` for a list of anything",
                       "there are lists of `string`, `int` and `dyn` only");
            return CEL_LIST_DYN;
        }
        return list ? TYPES[i].list : TYPES[i].type;
    }
    refuse_type(r, name);
    return CEL_DYN;
}

static void read_values(struct schema_reader *r, const struct conf_node *node, const struct conf_texts *texts,
                        struct cel_schema *out)
{
    struct build *build = &r->build;
    if (texts->count == 0 || texts->count > SCHEMA_VALUES_MAX) {
        build_fail(build, texts->count == 0 ? PDP_ERR_MISSING : PDP_ERR_LIMIT, node->place, NULL,
                   texts->count == 0 ? "`enum` is empty" : "`enum` has more than %d texts",
                   SCHEMA_VALUES_MAX);
        return;
    }
    struct str *values = build_array(build, texts->count, sizeof *values);
    for (size_t i = 0; values != NULL && i < texts->count; i++) {
        struct str text = texts->nodes[i]->text;
        for (uint32_t k = 0; k < out->value_count; k++) {
            if (str_eq(values[k], text)) {
                build_fail(build, PDP_ERR_DUPLICATE, texts->nodes[i]->place, NULL,
                           "`" STR_FMT "` is there already", STR_ARG(build_shown(build, text)));
            }
        }
        values[out->value_count++] = build_copy(build, text);
    }
    out->values = values;
}

static void read_kinds(struct schema_reader *r, const struct conf_node *node,
                       const struct attribute *attribute, struct schema_draft *draft)
{
    struct build *build = &r->build;
    if (!attribute->required) {
        build_fail(build, PDP_ERR_MISSING, node->place, "add `required: true`, or leave `for` out",
                   "`for` says of whom an attribute is required");
        return;
    }
    if (draft->root != SCHEMA_SUBJECT && draft->root != SCHEMA_RESOURCE) {
        build_fail(build, PDP_ERR_UNSUPPORTED, node->place, NULL,
                   "only attributes of `subject` and `resource` have `for`");
        return;
    }
    struct str *kinds = build_array(build, attribute->kinds.count, sizeof *kinds);
    for (size_t i = 0; kinds != NULL && i < attribute->kinds.count; i++) {
        kinds[draft->attr.kind_count++] = build_copy(build, attribute->kinds.nodes[i]->text);
    }
    if (attribute->kinds.count == 0) {
        build_fail(build, PDP_ERR_MISSING, node->place, "leave `for` out where it is required of all",
                   "`for` is empty");
    }
    draft->attr.kinds = kinds;
}

static void read_limits(struct schema_reader *r, const struct conf_node *node,
                        const struct attribute *attribute, struct schema_draft *draft)
{
    enum cel_type type = draft->attr.info.type;
    bool listed =
        type == CEL_LIST_STRING || type == CEL_LIST_INT || type == CEL_LIST_DYN || type == CEL_MAP_DYN;
    bool texts = type == CEL_STRING || type == CEL_LIST_STRING;
    if (attribute->max_items > 0 && !listed) {
        build_fail(&r->build, PDP_ERR_TYPE, build_key_place(node, "max_items"), NULL,
                   "only a list or a map has `max_items`");
    }
    if (attribute->max_bytes > 0 && !(texts && draft->schema->value_count == 0)) {
        build_fail(&r->build, PDP_ERR_TYPE, build_key_place(node, "max_bytes"), NULL,
                   "only a `string` and a list of them have `max_bytes`");
    }
    draft->schema->max_items = (uint32_t)attribute->max_items;
    draft->schema->max_bytes = (uint32_t)attribute->max_bytes;
}

// ---- One attribute ----------------------------------------------------------------------------------

static void read_what(struct schema_reader *r, const struct conf_entry *entry,
                      const struct attribute *attribute, struct schema_draft *draft)
{
    const struct conf_node *values = conf_get(entry->value, "enum");
    if (attribute->type != NULL && values != NULL) {
        build_fail(&r->build, PDP_ERR_DUPLICATE, build_key_place(entry->value, "enum"),
                   "an `enum` is of text; leave `type` out", "an attribute has `type` or `enum`, not both");
    } else if (attribute->type == NULL && values == NULL) {
        build_fail(&r->build, PDP_ERR_MISSING, entry->key->place, "such as `{type: string}`",
                   "an attribute needs `type` or `enum`");
    } else if (attribute->type != NULL) {
        draft->attr.info.type = read_type(r, attribute->type);
    } else {
        draft->attr.info.type = CEL_STRING;
        read_values(r, values, &attribute->values, draft->schema);
    }
}

static void read_attribute(struct schema_reader *r, const struct conf_doc *doc,
                           const struct conf_entry *entry)
{
    struct build *build = &r->build;
    struct schema_draft *draft = &r->drafts[r->count];
    struct attribute attribute = {0};
    *draft = (struct schema_draft){.schema = ARENA_NEW(build->arena, struct cel_schema),
                                   .place = entry->key->place};
    if (draft->schema == NULL) {
        build_note(build, PDP_ERR_NOMEM);
        return;
    }
    bool named = place_name(r, entry->key, draft);
    enum pdp_err err = conf_read(entry->value, ATTRIBUTE, COUNT_OF(ATTRIBUTE), "an attribute", &attribute,
                                 build->arena, build->diags);
    build_note(build, err);
    draft->attr.info.path = build_copy(build, entry->key->text);
    draft->attr.info.schema = draft->schema;
    draft->attr.document = build_copy(build, build_doc_name(doc));
    if (err == PDP_ERR_OK) {
        read_what(r, entry, &attribute, draft);
        read_limits(r, entry->value, &attribute, draft);
    }
    draft->attr.required = attribute.required;
    draft->schema->sensitive = attribute.sensitive;
    const struct conf_node *kinds = conf_get(entry->value, "for");
    if (kinds != NULL && err == PDP_ERR_OK) {
        read_kinds(r, kinds, &attribute, draft);
    }
    r->count += named ? 1 : 0;
}

// ---- Documents --------------------------------------------------------------------------------------

static void read_open(struct schema_reader *r, const struct conf_node *node)
{
    struct str names[SCHEMA_ROOT_COUNT];
    for (size_t i = 0; i < SCHEMA_ROOT_COUNT; i++) {
        names[i] = SCHEMA_ROOTS[i].name;
        if (str_eq(node->text, names[i])) {
            r->open[i] = true;
            return;
        }
    }
    build_fail(&r->build, PDP_ERR_UNKNOWN, node->place, NULL, "unknown root `" STR_FMT "`",
               STR_ARG(build_shown(&r->build, node->text)));
    build_hint_near(&r->build, node->text, names, COUNT_OF(names));
}

static void read_document(struct schema_reader *r, const struct conf_doc *doc)
{
    struct build *build = &r->build;
    struct document document = {0};
    build_note(build, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Schema", &document, build->arena,
                                build->diags));
    for (size_t i = 0; document.attributes != NULL && i < document.attributes->count; i++) {
        read_attribute(r, doc, &document.attributes->entries[i]);
    }
    for (size_t i = 0; i < document.open.count; i++) {
        read_open(r, document.open.nodes[i]);
    }
}

static bool is_schema(const struct conf_doc *doc)
{
    const struct conf_node *kind = conf_get(doc->root, "kind");
    return kind != NULL && kind->kind == CONF_SCALAR && str_eq(kind->text, STR("Schema"));
}

static size_t count_attributes(const struct conf_doc *doc)
{
    const struct conf_node *map = conf_get(doc->root, "attributes");
    return map != NULL && map->kind == CONF_MAP ? map->count : 0;
}

// ---- All of them ---------------------------------------------------------------------------------

enum pdp_err policy_schema_read(const struct conf_doc *docs, size_t count, struct arena *arena,
                                struct diags *diags, struct cel_env *env, struct policy_schema *out)
{
    struct schema_reader r = {.build = {.arena = arena, .diags = diags}, .env = env};
    size_t most = 0, schemas = 0;
    *out = (struct policy_schema){0};
    for (size_t i = 0; i < count; i++) {
        schemas += is_schema(&docs[i]) ? 1 : 0;
        most += is_schema(&docs[i]) ? count_attributes(&docs[i]) : 0;
    }
    if (schemas == 0) {
        return PDP_ERR_OK;
    }
    if (most > SCHEMA_ATTRS_MAX) {
        return diag_error(diags, PDP_ERR_LIMIT, (struct place){0}, "more than %d attributes are declared",
                          SCHEMA_ATTRS_MAX);
    }
    r.drafts = build_array(&r.build, most, sizeof *r.drafts);
    for (size_t i = 0; r.drafts != NULL && i < count; i++) {
        if (is_schema(&docs[i])) {
            read_document(&r, &docs[i]);
        }
    }
    schema_declare(&r, out);
    return r.build.first;
}
