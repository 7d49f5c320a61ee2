// SPDX-License-Identifier: Apache-2.0
// Completion in expressions: attributes, functions, and names that other documents define.
#include "cli/lsp/lsp_complete.h"

#include "cel/docs.h"
#include "engine/attr_words.h"

static const struct str NONE = {NULL, 0};

// ---- Attributes ---------------------------------------------------------------------------------

// The part of `path` behind `prefix` up to the next dot; empty: it does not begin so. *last: nothing follows.
static struct str next_part(struct str path, struct str prefix, bool *last)
{
    if (!str_starts(path, prefix) || path.len <= prefix.len) {
        return NONE;
    }
    size_t dot = str_find_byte(path, '.', prefix.len);
    *last = dot == path.len;
    return str_sub(path, prefix.len, dot - prefix.len);
}

static void add_attribute(struct lsp_items *items, struct str prefix, const struct cel_attr_decl *attr)
{
    bool last = false;
    struct str part = next_part(attr->path, prefix, &last);
    if (part.len == 0) {
        return;
    }
    const struct attr_words *words = last ? attr_words((enum attr_id)attr->id) : attr_words_root(part);
    struct str type = last ? str_of(attr_words_type(attr->type)) : NONE;
    struct str about = words == NULL ? NONE
                       : last        ? arena_printf(items->ask->arena, "%s\nfrom %s\nmissing: %s", words->is,
                                                    words->from, words->missing)
                                     : str_of(words->is);
    lsp_item(items, part, last ? LSP_ITEM_FIELD : LSP_ITEM_MODULE, type, about);
}

struct declared {
    struct lsp_items *items;
    struct str prefix;
};

static void add_declared(void *user, const struct lsp_found *found)
{
    const struct declared *d = user;
    bool last = false;
    struct str part = next_part(found->name->name, d->prefix, &last);
    AUTO(buf_fini) struct buf detail = {0};
    if (last) {
        lsp_name_detail(found->name, &detail);
    }
    if (part.len > 0) {
        lsp_item(d->items, part, last ? LSP_ITEM_FIELD : LSP_ITEM_MODULE, buf_view(&detail),
                 last ? lsp_text_of(found->name->node, "description") : NONE);
    }
}

static void add_attributes(struct lsp_items *items, struct str prefix)
{
    struct cel_env env = {0};
    struct declared declared = {items, prefix};
    attrs_declare(&env);
    lsp_names_each(items->ask->file, items->document, LSP_ATTRIBUTE, add_declared, &declared);
    for (size_t i = 0; i < env.attr_count; i++) {
        add_attribute(items, prefix, &env.attrs[i]);
    }
    for (size_t i = 0; prefix.len == 0 && i < env.root_count; i++) {
        const struct attr_words *words = attr_words_root(env.roots[i].name);
        lsp_item(items, env.roots[i].name, LSP_ITEM_MODULE, NONE, words != NULL ? str_of(words->is) : NONE);
    }
}

// ---- Functions ----------------------------------------------------------------------------------

static void add_function(struct lsp_items *items, enum func_id id, struct str label)
{
    AUTO(buf_fini) struct buf detail = {0};
    docs_overload(id, 0, &detail);
    if (docs_overloads(id) > 1) {
        buf_printf(&detail, " (+%zu)", docs_overloads(id) - 1);
    }
    lsp_item(items, label, FUNCS[id].member ? LSP_ITEM_METHOD : LSP_ITEM_FUNCTION, buf_view(&detail),
             str_of(docs_func(id)));
}

// Functions that are called on a value whose type begins with this letter of func.h; `*`: nobody knows.
static void add_members(struct lsp_items *items, char letter)
{
    size_t count = 0;
    const struct docs_macro *macros = docs_macros(&count);
    for (enum func_id id = F_SIZE; id < F_COUNT; id++) {
        if (FUNCS[id].member && docs_takes(id, letter)) {
            add_function(items, id, str_of(FUNCS[id].name));
        }
    }
    for (size_t i = 0; i < count && strchr("*LMO", letter) != NULL; i++) {
        bool of_optional = strncmp(macros[i].name, "opt", 3) == 0;
        if (macros[i].member && (letter == '*' || of_optional == (letter == 'O'))) {
            lsp_item(items, str_of(macros[i].name), LSP_ITEM_METHOD, str_of(macros[i].usage),
                     str_of(macros[i].help));
        }
    }
}

// Functions without a target whose name begins with `prefix`, up to the next dot.
static void add_globals(struct lsp_items *items, struct str prefix)
{
    size_t count = 0;
    const struct docs_macro *macros = docs_macros(&count);
    for (enum func_id id = F_SIZE; id < F_COUNT; id++) {
        bool last = false;
        struct str part = FUNCS[id].member ? NONE : next_part(str_of(FUNCS[id].name), prefix, &last);
        if (part.len > 0 && last) {
            add_function(items, id, part);
        } else if (part.len > 0) {
            lsp_item(items, part, LSP_ITEM_MODULE, NONE, NONE);
        }
    }
    for (size_t i = 0; i < count; i++) {
        bool last = false;
        struct str part = macros[i].member ? NONE : next_part(str_of(macros[i].name), prefix, &last);
        if (part.len > 0) {
            lsp_item(items, part, last ? LSP_ITEM_FUNCTION : LSP_ITEM_MODULE,
                     last ? str_of(macros[i].usage) : NONE, last ? str_of(macros[i].help) : NONE);
        }
    }
}

static char letter_of(enum cel_type type)
{
    static const char LETTERS[CEL_TYPE_COUNT] = {
        [CEL_DYN] = '*',     [CEL_BOOL] = 'b',      [CEL_INT] = 'i',         [CEL_DOUBLE] = 'd',
        [CEL_STRING] = 's',  [CEL_TIMESTAMP] = 't', [CEL_DURATION] = 'p',    [CEL_IP] = 'I',
        [CEL_LEVEL] = 'E',   [CEL_STRENGTH] = 'S',  [CEL_LIST_STRING] = 'L', [CEL_LIST_DYN] = 'L',
        [CEL_MAP_DYN] = 'M', [CEL_LIST_INT] = 'L',
    };
    return type < CEL_TYPE_COUNT ? LETTERS[type] : '*';
}

// What a Schema says of an attribute, as a letter; `*` where nobody does.
static char declared_letter(const struct lsp_found *found)
{
    static const struct {
        const char *type;
        char letter;
    } TYPES[] = {{"bool", 'b'},     {"int", 'i'}, {"double", 'd'}, {"string", 's'}, {"timestamp", 't'},
                 {"duration", 'p'}, {"ip", 'I'},  {"map", 'M'},    {"list", 'L'}};
    const struct conf_node *type = conf_get(found->name->node, "type");
    if (conf_get(found->name->node, "enum") != NULL) {
        return 's';
    }
    if (type != NULL && type->kind == CONF_LIST) {
        return 'L';
    }
    for (size_t i = 0; type != NULL && i < COUNT_OF(TYPES); i++) {
        if (str_eq(type->text, str_of(TYPES[i].type))) {
            return TYPES[i].letter;
        }
    }
    return '*';
}

// Of what type is the thing of this name? 0: it is no attribute, nor anything below one.
static char letter_at(const struct lsp_items *items, struct str path)
{
    static const char *const OPEN[] = {"subject.", "action.", "resource.", "context."};
    const struct cel_attr_decl *attr = lsp_attribute(path);
    struct lsp_found found = lsp_names_find(items->ask->file, items->document, LSP_ATTRIBUTE, path);
    if (found.file != NULL || attr != NULL) {
        return found.file != NULL ? declared_letter(&found) : letter_of(attr->type);
    }
    for (size_t i = 0; i < COUNT_OF(OPEN); i++) {
        if (str_starts(path, str_of(OPEN[i]))) {
            return '*';
        }
    }
    return str_starts(path, STR("vars.")) ? '*' : str_starts(path, STR("counters.")) ? 'd' : '\0';
}

// ---- Names --------------------------------------------------------------------------------------

static const struct {
    const char *root;
    enum lsp_name_kind kind;
    int item;
    const char *help;
} FAMILIES[] = {
    {"lists.", LSP_LIST, LSP_ITEM_REFERENCE, "`x in lists.NAME`: is it in the List?"},
    {"vars.", LSP_VARIABLE, LSP_ITEM_VARIABLE, "variables of the policy and of Definitions"},
    {"counters.", LSP_COUNTER, LSP_ITEM_VARIABLE, "what Counter documents hold for this question"},
};

static void complete_top(struct lsp_items *items)
{
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        struct str root = str_of(FAMILIES[i].root);
        lsp_item(items, str_sub(root, 0, root.len - 1), LSP_ITEM_MODULE, NONE, str_of(FAMILIES[i].help));
    }
    add_attributes(items, NONE);
    add_globals(items, NONE);
    lsp_item(items, STR("true"), LSP_ITEM_KEYWORD, NONE, NONE);
    lsp_item(items, STR("false"), LSP_ITEM_KEYWORD, NONE, NONE);
}

static void complete_name(struct lsp_items *items, const struct lsp_cel *cel)
{
    struct str prefix = str_sub(cel->chain, 0, cel->chain.len - cel->word.len); // with its last dot
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
        if (str_eq(prefix, str_of(FAMILIES[i].root))) {
            lsp_items_named(items, FAMILIES[i].kind, FAMILIES[i].item);
            return;
        }
    }
    if (prefix.len == 0) {
        complete_top(items);
        return;
    }
    size_t before = json_array_size(items->list);
    add_attributes(items, prefix);
    add_globals(items, prefix);
    bool known = json_array_size(items->list) > before;
    char letter = letter_at(items, str_sub(prefix, 0, prefix.len - 1));
    if (letter != '\0' || !known) { // else perhaps a variable of a macro
        add_members(items, letter != '\0' ? letter : '*');
    }
}

// ---- Texts --------------------------------------------------------------------------------------

static void add_values(struct lsp_items *items, const struct lsp_found *found)
{
    const struct conf_node *values = conf_get(found->name->node, "enum");
    for (size_t i = 0; values != NULL && values->kind == CONF_LIST && i < values->count; i++) {
        lsp_item(items, values->items[i]->text, LSP_ITEM_VALUE, NONE, NONE);
    }
}

static void complete_text(struct lsp_items *items, const struct lsp_cel *cel)
{
    if (str_eq(cel->call, STR("level"))) {
        lsp_items_levels(items);
    } else if (str_eq(cel->call, STR("strength"))) {
        lsp_items_named(items, LSP_STRENGTH, LSP_ITEM_CONSTANT);
    } else if (cel->beside.len > 0) {
        struct lsp_found found =
            lsp_names_find(items->ask->file, items->document, LSP_ATTRIBUTE, cel->beside);
        if (found.file != NULL) {
            add_values(items, &found);
        }
    }
}

void lsp_complete_cel(struct lsp_items *items, struct str text)
{
    struct lsp_cel cel;
    lsp_cel_at(text, &cel);
    struct str typed = cel.at == LSP_CEL_TEXT ? cel.typed : cel.word;
    items->prefix = typed;
    items->from = items->ask->at - (typed.len < items->ask->at ? typed.len : items->ask->at);
    if (cel.at == LSP_CEL_TEXT) {
        complete_text(items, &cel);
    } else if (cel.at == LSP_CEL_MEMBER) {
        add_members(items, '*');
    } else if (cel.at == LSP_CEL_NAME) {
        complete_name(items, &cel);
    }
}
