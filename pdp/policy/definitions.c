// SPDX-License-Identifier: Apache-2.0
// Definitions documents: variables that all conditions share, and roles that bring others along.
#include "policy/build.h"
#include "policy/shapes.h"

struct document {
    struct build_head head;
    const struct conf_node *variables, *roles;
};

static const struct conf_field DOCUMENT[] = {
    BUILD_HEAD_FIELDS,
    {"variables", CONF_MAPPING, false, offsetof(struct document, variables), NULL, 0, 0,
     "expressions that all policies read as vars.NAME"},
    {"roles", CONF_MAPPING, false, offsetof(struct document, roles), NULL, 0, 0,
     "roles that each brings along"},
};

static const struct conf_nest SHAPE_DEFINITIONS_NESTS[] = {
    {"metadata", CONF_FORM_MAP, &SHAPE_METADATA},
    {"variables", CONF_FORM_EXPRS, NULL},
    {"roles", CONF_FORM_LISTS, NULL},
};
const struct conf_shape SHAPE_DEFINITIONS = {
    "Definitions", DOCUMENT, COUNT_OF(DOCUMENT), SHAPE_DEFINITIONS_NESTS, COUNT_OF(SHAPE_DEFINITIONS_NESTS),
    NULL,          0};

static size_t count_entries(const struct conf_node *map)
{
    return map != NULL && map->kind == CONF_MAP ? map->count : 0;
}

void definitions_count(const struct conf_doc *doc, size_t *variables, size_t *roles)
{
    const struct conf_node *map = conf_get(doc->root, "roles");
    *variables += count_entries(conf_get(doc->root, "variables"));
    for (size_t i = 0; i < count_entries(map); i++) {
        const struct conf_node *implied = map->entries[i].value;
        *roles += 1 + (implied->kind == CONF_LIST ? implied->count : 1);
    }
}

static void read_variables(struct build *build, const struct conf_node *map)
{
    size_t before = build->shared.count;
    conditions_of(build, POLICY_OWNER_VARIABLE, STR(""), STR(""));
    when_vars(build, map, &build->shared);
    for (size_t i = before; i < build->shared.count; i++) {
        uint32_t old = 0;
        (void)table_put(&build->shared_names, build->shared.list[i].name, (uint32_t)i, &old);
    }
}

// The number of a role; UINT32_MAX with the mistake reported.
static uint32_t role_of(struct build *build, const struct conf_node *node)
{
    if (node->kind != CONF_SCALAR || node->text.len == 0) {
        build_fail(build, PDP_ERR_TYPE, node->place, NULL, "a role must be text");
        return UINT32_MAX;
    }
    uint32_t role = roles_add(&build->set->roles, build_copy(build, node->text));
    if (role == UINT32_MAX) {
        build_fail(build, PDP_ERR_LIMIT, node->place, NULL, "more than %u roles", ROLES_MOST);
    }
    return role;
}

static void read_role(struct build *build, const struct conf_entry *entry)
{
    const struct conf_node *list = entry->value;
    uint32_t role = role_of(build, entry->key);
    if (role == UINT32_MAX) {
        return;
    }
    if (build->role_nodes[role] != NULL) {
        build_fail(build, PDP_ERR_DUPLICATE, entry->key->place, "write all that it brings along in one place",
                   "another Definitions document has the role `" STR_FMT "`",
                   STR_ARG(build_shown(build, entry->key->text)));
        return;
    }
    build->role_nodes[role] = list;
    size_t count = list->kind == CONF_LIST ? list->count : 1;
    if (count == 0) {
        build_fail(build, PDP_ERR_MISSING, list->place, NULL, "a list of roles is empty");
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t implied = role_of(build, list->kind == CONF_LIST ? list->items[i] : list);
        if (implied == UINT32_MAX) {
            return;
        }
        roles_imply(&build->set->roles, role, implied);
    }
}

void read_definitions(struct build *build, const struct conf_doc *doc)
{
    struct document document = {0};
    build_note(build, conf_read(doc->root, DOCUMENT, COUNT_OF(DOCUMENT), "Definitions", &document,
                                build->arena, build->diags));
    if (document.variables != NULL) {
        read_variables(build, document.variables);
    }
    for (size_t i = 0; document.roles != NULL && i < document.roles->count; i++) {
        read_role(build, &document.roles->entries[i]);
    }
}

// A role that leads back to itself, at the word that does it.
static void refuse_cycle(struct build *build, uint32_t role)
{
    const struct roles *roles = &build->set->roles;
    const struct conf_node *list = build->role_nodes[role];
    size_t count = list->kind == CONF_LIST ? list->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct conf_node *item = list->kind == CONF_LIST ? list->items[i] : list;
        const uint32_t *by = item->kind == CONF_SCALAR ? table_get(&roles->numbers, item->text) : NULL;
        if (by == NULL || (*by != role && !roles_implies(roles, *by, role))) {
            continue;
        }
        build_fail(build, PDP_ERR_REFUSED, item->place, NULL, "the role `" STR_FMT "` implies itself",
                   STR_ARG(build_shown(build, roles->names[role])));
        if (*by != role) {
            diag_hint(build->diags, "`" STR_FMT "` leads back to it",
                      STR_ARG(build_shown(build, item->text)));
        }
        return;
    }
}

void definitions_close(struct build *build)
{
    struct roles *roles = &build->set->roles;
    roles_close(roles);
    for (uint32_t role = 0; role < roles->count; role++) {
        bool told = false; // with an earlier role of the same cycle
        for (uint32_t i = 0; i < role && !told; i++) {
            told = roles_implies(roles, i, role) && roles_implies(roles, role, i);
        }
        if (!told && roles_implies(roles, role, role)) {
            refuse_cycle(build, role);
        }
    }
}
