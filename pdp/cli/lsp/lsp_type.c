// SPDX-License-Identifier: Apache-2.0
#include "cli/lsp/lsp_type.h"

#include "cel/ast.h"
#include "cel/program.h"
#include "engine/attrs.h"
#include "policy/schema.h"

struct typing {
    struct arena *arena;
    struct diags diags;
    struct conf_doc *docs; // of the folder
    size_t doc_count;
    struct cel_env env;
    struct cel_program *program;
    struct cel_var *vars; // those before the one that is asked for
    size_t var_count, var_cap;
};

static void typing_fini(struct typing *t)
{
    cel_program_free(&t->program);
    diags_fini(&t->diags);
}

static void gather(struct typing *t, struct lsp_file *file)
{
    const struct lsp_folder *folder = file->folder;
    size_t files = folder != NULL ? folder->count : 1;
    size_t count = 0;
    for (size_t i = 0; i < files; i++) {
        const struct lsp_index *index = lsp_file_index(folder != NULL ? folder->files[i] : file);
        count += index != NULL ? index->doc_count : 0;
    }
    t->docs = ARENA_ARRAY(t->arena, struct conf_doc, count + 1);
    for (size_t i = 0; t->docs != NULL && i < files; i++) {
        const struct lsp_index *index = lsp_file_index(folder != NULL ? folder->files[i] : file);
        for (size_t k = 0; index != NULL && k < index->doc_count && t->doc_count < count; k++) {
            t->docs[t->doc_count++] = index->docs[k];
        }
    }
}

// What names mean, by the very readers of the compiler. What is wrong in the folder is shown elsewhere.
static bool declare(struct typing *t)
{
    struct policy_names names;
    struct policy_schema schema;
    enum pdp_err err = policy_names_read(t->docs, t->doc_count, t->arena, &t->diags, &names);
    if (attrs_declare_all(&t->env, names.counters, names.counter_count, t->arena) != PDP_ERR_OK) {
        return false;
    }
    err = policy_schema_read(t->docs, t->doc_count, t->arena, &t->diags, &t->env, &schema);
    (void)err; // what could be told is there all the same
    t->env.sets = names.sets;
    t->env.set_count = names.set_count;
    t->env.strengths = names.strengths;
    t->env.strength_count = names.strength_count;
    return cel_program_new(&t->env, NULL, &t->program) == PDP_ERR_OK;
}

struct adding {
    struct typing *t;
    const struct lsp_name *until;
    bool past, shared; // past: the one that is asked for was met
};

static void add(void *user, const struct lsp_found *found)
{
    struct adding *a = user;
    struct typing *t = a->t;
    a->past = a->past || found->name == a->until;
    bool wanted = found->name->node->kind == CONF_SCALAR && (found->name->owner.len == 0) == a->shared;
    if (a->past || !wanted || t->var_count == t->var_cap) {
        return;
    }
    struct cel_text text = {.text = found->name->node->text};
    uint32_t expr = 0;
    if (cel_add(t->program, &text, CEL_DYN, t->vars, t->var_count, 0, &t->diags, &expr) == PDP_ERR_OK) {
        t->vars[t->var_count++] = (struct cel_var){found->name->name, expr};
    }
}

static void count_one(void *user, const struct lsp_found *found)
{
    (void)found;
    *(size_t *)user += 1;
}

static void add_before(struct typing *t, const struct lsp_found *found)
{
    struct adding shared = {t, found->name, false, true};
    struct adding own = {t, found->name, false, false};
    lsp_names_each(found->file, found->name->document, LSP_VARIABLE, count_one, &t->var_cap);
    t->vars = ARENA_ARRAY(t->arena, struct cel_var, t->var_cap + 1);
    t->var_cap = t->vars != NULL ? t->var_cap : 0;
    lsp_names_each(found->file, found->name->document, LSP_VARIABLE, add, &shared);
    if (found->name->owner.len > 0) { // shared ones come first, whatever their file
        lsp_names_each(found->file, found->name->document, LSP_VARIABLE, add, &own);
    }
}

void lsp_variable_type(const struct lsp_found *found, struct arena *arena, struct buf *out)
{
    AUTO(typing_fini) struct typing t = {.arena = arena};
    diags_init(&t.diags, 0);
    gather(&t, found->file);
    if (found->name->node->kind != CONF_SCALAR || t.docs == NULL || !declare(&t)) {
        return;
    }
    add_before(&t, found);
    struct cel_text text = {.text = found->name->node->text};
    struct unit unit = {.text = &text, .diags = &t.diags, .arena = arena, .depth_max = 64};
    struct check_names names = {t.vars, t.var_count, 0};
    const struct type *type = NULL;
    if (parse_unit(&unit) == PDP_ERR_OK && unit.root != NULL) {
        enum pdp_err err = check_unit(t.program, &unit, &names, &type);
        type = err == PDP_ERR_OK ? type : unit.root->type; // zones are not known here, and change no type
    }
    if (type != NULL && type->kind != T_ERROR) {
        types_print(out, type);
    }
}
