// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_names.h"

#include "engine/attrs.h"

uint32_t lsp_document_at(struct lsp_file *file, size_t at)
{
    const struct lsp_index *index = lsp_file_index(file);
    uint32_t document = 0;
    for (uint32_t i = 0; index != NULL && i < index->doc_count; i++) {
        document = index->docs[i].root->place.at <= at ? i : document;
    }
    return document;
}

static bool of_document(enum lsp_name_kind kind)
{
    return kind == LSP_FIXTURE || kind == LSP_CASE || kind == LSP_STEP;
}

static bool visible(const struct lsp_name *name, bool own)
{
    if (of_document(name->kind)) {
        return own;
    }
    return name->kind != LSP_VARIABLE || own || name->owner.len == 0;
}

static void each_of(struct lsp_file *file, bool own_file, uint32_t document, enum lsp_name_kind kind,
                    void (*see)(void *user, const struct lsp_found *found), void *user)
{
    const struct lsp_index *index = lsp_file_index(file);
    for (size_t i = 0; index != NULL && i < index->count; i++) {
        const struct lsp_name *name = &index->names[i];
        if (name->kind == kind && visible(name, own_file && name->document == document)) {
            struct lsp_found found = {file, name};
            see(user, &found);
        }
    }
}

void lsp_names_each(struct lsp_file *file, uint32_t document, enum lsp_name_kind kind,
                    void (*see)(void *user, const struct lsp_found *found), void *user)
{
    if (file->folder == NULL || of_document(kind)) {
        each_of(file, true, document, kind, see, user);
        return;
    }
    for (size_t i = 0; i < file->folder->count; i++) {
        struct lsp_file *other = file->folder->files[i];
        each_of(other, other == file, document, kind, see, user);
    }
}

struct looking {
    struct str name, policy;
    struct lsp_found found;
};

// `policy/rule` without its first part, where that is the owner's name.
static bool is_called(const struct lsp_name *name, struct str wanted)
{
    size_t owner = name->owner.len;
    return str_eq(name->name, wanted) ||
           (name->kind == LSP_RULE && wanted.len == owner + 1 + name->name.len &&
            str_starts(wanted, name->owner) && wanted.at[owner] == '/' && str_ends(wanted, name->name));
}

static void look(void *user, const struct lsp_found *found)
{
    struct looking *looking = user;
    if (looking->found.file == NULL && is_called(found->name, looking->name)) {
        looking->found = *found;
    }
}

struct lsp_found lsp_names_find(struct lsp_file *file, uint32_t document, enum lsp_name_kind kind,
                                struct str name)
{
    struct looking looking = {.name = name};
    if (name.len > 0) {
        lsp_names_each(file, document, kind, look, &looking);
    }
    return looking.found;
}

struct str lsp_full_name(const struct lsp_name *name, struct arena *arena)
{
    return name->kind == LSP_RULE && name->owner.len > 0
               ? arena_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(name->owner), STR_ARG(name->name))
               : name->name;
}

const struct cel_attr_decl *lsp_attribute(struct str path)
{
    static struct cel_env env;
    attrs_declare(&env); // static memory: the same each time
    for (size_t i = 0; i < env.attr_count; i++) {
        if (str_eq(env.attrs[i].path, path)) {
            return &env.attrs[i];
        }
    }
    return NULL;
}

// ---- What is said of them -----------------------------------------------------------------------

static void put_sep(struct buf *out, size_t begin)
{
    buf_str(out, out->len > begin ? STR(", ") : STR(""));
}

// Text of a value as it is written, on one line, at most `most` bytes.
static void put_written(const struct conf_node *node, size_t most, struct buf *out)
{
    struct str text = str_sub(node->place.src->text, node->place.at, node->place.len);
    bool cut = text.len > most;
    bool blank = false;
    for (size_t i = 0; i < (cut ? most : text.len); i++) {
        char c = text.at[i];
        bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (!space || !blank) {
            buf_byte(out, space ? ' ' : (unsigned char)c);
        }
        blank = space;
    }
    buf_str(out, cut ? STR("…") : STR(""));
}

static void detail_list(const struct lsp_name *name, struct buf *out)
{
    const struct conf_node *entries = conf_get(name->node, "entries");
    struct str file = lsp_text_of(name->node, "file");
    struct str version = lsp_text_of(conf_get(name->node, "metadata"), "version");
    size_t begin = out->len;
    buf_str(out, lsp_text_of(name->node, "type"));
    if (entries != NULL && entries->kind == CONF_LIST) {
        put_sep(out, begin);
        buf_printf(out, "%zu %s", entries->count, entries->count == 1 ? "entry" : "entries");
    }
    if (file.len > 0) {
        put_sep(out, begin);
        buf_printf(out, "entries from " STR_FMT, STR_ARG(file));
    }
    if (version.len > 0) {
        put_sep(out, begin);
        buf_printf(out, "version " STR_FMT, STR_ARG(version));
    }
}

static void detail_rule(const struct lsp_name *name, struct buf *out)
{
    buf_str(out, lsp_text_of(name->node, "effect"));
    struct str reason = lsp_text_of(name->node, "reason");
    if (reason.len > 0) {
        buf_printf(out, ": " STR_FMT, STR_ARG(reason));
    }
}

static void detail_value(const struct lsp_name *name, struct buf *out)
{
    put_written(name->node, 120, out);
}

static void detail_counter(const struct lsp_name *name, struct buf *out)
{
    const struct conf_node *key = conf_get(name->node, "key");
    buf_printf(out, "double, in the last " STR_FMT, STR_ARG(lsp_text_of(name->node, "window")));
    if (key != NULL) {
        buf_str(out, STR(" by "));
        put_written(key, 80, out);
    }
}

static void detail_strength(const struct lsp_name *name, struct buf *out)
{
    struct str proves = lsp_text_of(name->node, "proves");
    buf_printf(out, "proved by " STR_FMT, STR_ARG(proves));
}

static void detail_attribute(const struct lsp_name *name, struct buf *out)
{
    const struct conf_node *values = conf_get(name->node, "enum");
    const struct conf_node *type = conf_get(name->node, "type");
    const struct conf_node *shown = values != NULL ? values : type;
    buf_str(out, values != NULL ? STR("one of ") : STR(""));
    if (shown != NULL) {
        put_written(shown, 100, out);
    }
}

static void detail_document(const struct lsp_name *name, struct buf *out)
{
    struct str description = lsp_text_of(conf_get(name->node, "metadata"), "description");
    buf_str(out, lsp_text_of(name->node, "kind"));
    if (description.len > 0) {
        buf_printf(out, ": " STR_FMT, STR_ARG(description));
    }
}

static void (*const DETAILS[LSP_NAME_COUNT])(const struct lsp_name *name, struct buf *out) = {
    [LSP_LIST] = detail_list,       [LSP_RULE] = detail_rule,         [LSP_VARIABLE] = detail_value,
    [LSP_COUNTER] = detail_counter, [LSP_STRENGTH] = detail_strength, [LSP_ATTRIBUTE] = detail_attribute,
    [LSP_POLICY] = detail_document, [LSP_DOCUMENT] = detail_document, [LSP_EXCEPTION] = detail_document,
    [LSP_TEST] = detail_document,   [LSP_SCENARIO] = detail_document, [LSP_ROLE] = detail_value,
    [LSP_FIXTURE] = detail_value,
};

void lsp_name_detail(const struct lsp_name *name, struct buf *out)
{
    if (DETAILS[name->kind] != NULL) {
        DETAILS[name->kind](name, out);
    }
}

static void put_field(const struct lsp_name *name, const char *key, struct buf *out)
{
    const struct conf_node *value = conf_get(name->node, key);
    if (value != NULL) {
        buf_printf(out, "\n\n%s: `", key);
        put_written(value, 400, out);
        buf_byte(out, '`');
    }
}

void lsp_name_about(const struct lsp_found *found, struct buf *out)
{
    static const char *const SHOWN[LSP_NAME_COUNT][6] = {
        [LSP_RULE] = {"when", "actions", "resources", "require", "message"},
        [LSP_COUNTER] = {"add", "when", "on"},
        [LSP_STRENGTH] = {"ask"},
        [LSP_ATTRIBUTE] = {"required", "for", "max_items", "max_bytes", "sensitive", "description"},
        [LSP_LIST] = {"network", "updated", "max_age"},
        [LSP_EXCEPTION] = {"lifts", "when", "require", "expires"},
    };
    const struct lsp_name *name = found->name;
    buf_printf(out, "%s **", lsp_name_word(name->kind));
    if (name->kind == LSP_RULE && name->owner.len > 0) {
        buf_printf(out, STR_FMT "/", STR_ARG(name->owner));
    }
    buf_printf(out, STR_FMT "**\n\n", STR_ARG(name->name));
    bool code = name->kind == LSP_VARIABLE || name->kind == LSP_FIXTURE || name->kind == LSP_ROLE;
    buf_str(out, code ? STR("`") : STR(""));
    lsp_name_detail(name, out);
    buf_str(out, code ? STR("`") : STR(""));
    for (size_t i = 0; i < 6 && SHOWN[name->kind][i] != NULL; i++) {
        put_field(name, SHOWN[name->kind][i], out);
    }
}
