// SPDX-License-Identifier: Apache-2.0
#include "engine/controls.h"
#include "engine/pardon.h"
#include "engine/worker.h"
#include "session/control_row.h"

#include <stdlib.h>

static const size_t ARENA_LIMIT = 1024 * 1024;

static enum pdp_err room(struct controls_load *load)
{
    if (load->count < load->cap) {
        return PDP_ERR_OK;
    }
    size_t cap = load->cap > 0 ? 2 * load->cap : 64;
    struct control **at = realloc(load->at, cap * sizeof(struct control *));
    if (at == NULL) {
        return PDP_ERR_NOMEM;
    }
    load->at = at;
    load->cap = cap;
    return PDP_ERR_OK;
}

// Numbers that were given are not given again, even of controls that are gone.
static void remember_number(struct engine *engine, uint64_t number)
{
    pthread_mutex_lock(&engine->controls_lock);
    engine->control_last = number > engine->control_last ? number : engine->control_last;
    pthread_mutex_unlock(&engine->controls_lock);
}

enum pdp_err controls_load_row(struct controls_load *load, struct engine *engine, struct str key,
                               struct str value)
{
    uint64_t number = 0;
    if (str_eq(key, STR(CONTROL_ROW_LAST))) {
        bool good = control_row_number(value, &number);
        remember_number(engine, number);
        return good ? PDP_ERR_OK : PDP_ERR_CORRUPT;
    }
    struct arena arena;
    TRY(room(load));
    arena_init(&arena, 0, ARENA_LIMIT);
    enum pdp_err err = control_row_read(engine->sessions, key, value, &arena, &load->at[load->count]);
    arena_fini(&arena);
    if (err == PDP_ERR_OK) {
        struct control *control = load->at[load->count++];
        control->signal_bits = pardon_bits(control->signals);
        remember_number(engine, control->number);
    }
    return err;
}

enum pdp_err controls_load_end(struct controls_load *load, struct engine *engine)
{
    enum pdp_err err = engine_controls_add(engine, load->at, load->count);
    controls_load_drop(load);
    return err;
}

void controls_load_drop(struct controls_load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        control_drop(&load->at[i]);
    }
    free(load->at);
    *load = (struct controls_load){0};
}
