// SPDX-License-Identifier: Apache-2.0
#include "engine/written.h"

struct reading {
    struct cel_program *program;
    struct policy_set *set;
};

static enum pdp_err add(const struct reading *r, enum policy_owner owner, const struct conf_node *name,
                        const struct conf_node *expr)
{
    if (name == NULL || name->kind != CONF_SCALAR || expr == NULL || expr->kind != CONF_SCALAR) {
        return PDP_ERR_OK;
    }
    return policy_conditions_add(r->set, r->program, owner, name->text, expr);
}

static enum pdp_err session_policy(const struct reading *r, const struct conf_node *root)
{
    return add(r, POLICY_OWNER_SESSION, conf_get(conf_get(root, "metadata"), "name"),
               conf_get(root, "target"));
}

static enum pdp_err risk_model(const struct reading *r, const struct conf_node *root)
{
    const struct conf_node *own = conf_get(root, "own");
    for (size_t i = 0; own != NULL && own->kind == CONF_LIST && i < own->count; i++) {
        TRY(add(r, POLICY_OWNER_SIGNAL, conf_get(own->items[i], "id"), conf_get(own->items[i], "when")));
    }
    return PDP_ERR_OK;
}

static const struct {
    struct str kind;
    enum pdp_err (*read)(const struct reading *r, const struct conf_node *root);
} KINDS[] = {
    {{"SessionPolicy", 13}, session_policy},
    {{"RiskModel", 9}, risk_model},
};

enum pdp_err written_read(const struct conf_doc *docs, size_t count, struct cel_program *program,
                          struct policy_set *set)
{
    const struct reading reading = {program, set};
    for (size_t k = 0; k < COUNT_OF(KINDS); k++) {
        for (size_t i = 0; i < count; i++) {
            const struct conf_node *kind = conf_get(docs[i].root, "kind");
            if (kind != NULL && kind->kind == CONF_SCALAR && str_eq(kind->text, KINDS[k].kind)) {
                TRY(KINDS[k].read(&reading, docs[i].root));
            }
        }
    }
    return PDP_ERR_OK;
}
