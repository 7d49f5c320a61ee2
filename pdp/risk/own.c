// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/model.h"

struct signal_reading own_reading(struct signal_view *view)
{
    const struct signal_own *own = view->own;
    if ((view->in->own_unsure & own->bit) != 0) {
        return READ_MISSING;
    }
    return (struct signal_reading){(view->in->own_yes & own->bit) != 0 ? view->rule->evidence : 0, false};
}

struct str own_because(const struct signal_view *view, struct arena *arena)
{
    (void)arena;
    return (view->in->own_unsure & view->own->bit) != 0 ? view->own->may : view->own->because;
}

size_t risk_own_count(const struct risk_model *model)
{
    return model->count - SIGNAL_COUNT;
}

uint32_t risk_own_when(const struct risk_model *model, size_t index)
{
    return model->own[index].when;
}
