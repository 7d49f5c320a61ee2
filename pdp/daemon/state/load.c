// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/load.h"

#include "session/row.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum {
    THREADS_MOST = 16,
    ROWS_A_THREAD = 20000 // below that a thread costs more than it saves
};

// What one thread reads of one table.
struct part {
    const struct load_config *config;
    enum store_table table;
    enum pdp_err (*each)(void *user, const struct store_row *row); // called with this part
    unsigned number;
    struct state_loaded loaded;
    uint64_t good;
    enum pdp_err err;
    char why[STATE_WHY_MAX];
};

// ---- Rows ------------------------------------------------------------------------------------------

static enum pdp_err load_meta(void *user, const struct store_row *row)
{
    struct part *part = user;
    if (!str_eq(row->key, STR(SESSION_ROW_FORGOTTEN))) {
        return PDP_ERR_OK; // others'
    }
    if (row->value.len != 8) {
        return PDP_ERR_CORRUPT;
    }
    uint64_t at = 0;
    for (size_t i = 0; i < 8; i++) {
        at |= (uint64_t)(unsigned char)row->value.at[i] << (8 * i);
    }
    session_restore_forgotten(part->config->table, (int64_t)at);
    return PDP_ERR_OK;
}

static enum pdp_err load_user(void *user, const struct store_row *row)
{
    struct part *part = user;
    struct user_record record;
    struct row_names names;
    TRY(row_user_read(row->key, row->value, &record, &names));
    TRY(session_restore_user(part->config->table, &record, &names));
    part->loaded.users++;
    return PDP_ERR_OK;
}

static enum pdp_err load_session(void *user, const struct store_row *row)
{
    struct part *part = user;
    struct session_record record;
    struct str gateway;
    TRY(row_session_read(row->key, row->value, &record, &gateway));
    enum pdp_err err = session_restore(part->config->table, &record, gateway);
    if (err == PDP_ERR_UNKNOWN) {
        part->loaded.lost++;
        return PDP_ERR_OK;
    }
    part->loaded.sessions += record.state != SESSION_TERMINATED;
    part->loaded.tombstones += record.state == SESSION_TERMINATED;
    return err;
}

static enum pdp_err load_control(void *user, const struct store_row *row)
{
    struct part *part = user;
    part->loaded.controls++;
    return part->config->control != NULL ? part->config->control(part->config->user, row->key, row->value)
                                         : PDP_ERR_UNSUPPORTED;
}

// ---- Threads ---------------------------------------------------------------------------------------

static void *read_part(void *user)
{
    struct part *part = user;
    part->err = store_load_part(part->config->store, part->table, part->number, part->config->threads,
                                part->each, part, &part->good, part->why);
    return NULL;
}

static void add(struct state_loaded *to, const struct state_loaded *from)
{
    to->users += from->users;
    to->sessions += from->sessions;
    to->tombstones += from->tombstones;
    to->controls += from->controls;
    to->lost += from->lost;
}

// The first part is the caller's; so is one that no thread could be made for.
static void read_side_by_side(struct part *parts, unsigned count)
{
    pthread_t threads[THREADS_MOST];
    bool begun[THREADS_MOST] = {false};
    for (unsigned i = 1; i < count; i++) {
        begun[i] = pthread_create(&threads[i], NULL, read_part, &parts[i]) == 0;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!begun[i]) {
            (void)read_part(&parts[i]);
        }
    }
    for (unsigned i = 1; i < count; i++) {
        if (begun[i]) {
            (void)pthread_join(threads[i], NULL);
        }
    }
}

static enum pdp_err load_parts(const struct load_config *config, const struct part *what,
                               struct state_loaded *out, char why[static STATE_WHY_MAX])
{
    struct part parts[THREADS_MOST];
    uint64_t good = 0;
    for (unsigned i = 0; i < config->threads; i++) {
        parts[i] = *what;
        parts[i].number = i;
    }
    read_side_by_side(parts, config->threads);
    for (unsigned i = 0; i < config->threads; i++) {
        if (parts[i].err != PDP_ERR_OK) {
            memcpy(why, parts[i].why, STATE_WHY_MAX);
            return parts[i].err;
        }
        good += parts[i].good;
        add(out, &parts[i].loaded);
    }
    return store_load_whole(config->store, what->table, good, why);
}

static enum pdp_err load_alone(const struct load_config *config, struct part *what, struct state_loaded *out,
                               char why[static STATE_WHY_MAX])
{
    enum pdp_err err = store_load(config->store, what->table, what->each, what, why);
    add(out, &what->loaded);
    return err;
}

// ---- All -------------------------------------------------------------------------------------------

unsigned load_threads(const struct store *store)
{
    uint64_t worth = 1 + store_count(store, STORE_SESSIONS) / ROWS_A_THREAD;
    long have = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t most = have > 1 ? (have < THREADS_MOST ? (uint64_t)have : THREADS_MOST) : 1;
    return (unsigned)(worth < most ? worth : most);
}

enum pdp_err load_all(const struct load_config *config, struct state_loaded *out,
                      char why[static STATE_WHY_MAX])
{
    static const struct {
        enum store_table table;
        enum pdp_err (*each)(void *user, const struct store_row *row);
        bool many;
    } TABLES[] = {{STORE_META, load_meta, false},
                  {STORE_USERS, load_user, true},
                  {STORE_SESSIONS, load_session, true},
                  {STORE_CONTROLS, load_control, false}};
    *out = (struct state_loaded){0};
    invariant(config->threads >= 1 && config->threads <= THREADS_MOST);
    session_restore_expect(config->table, store_count(config->store, STORE_USERS),
                           store_count(config->store, STORE_SESSIONS));
    for (size_t i = 0; i < COUNT_OF(TABLES); i++) {
        struct part what = {.config = config, .table = TABLES[i].table, .each = TABLES[i].each};
        why[0] = '\0';
        enum pdp_err err = TABLES[i].many && config->threads > 1 ? load_parts(config, &what, out, why)
                                                                 : load_alone(config, &what, out, why);
        if (err != PDP_ERR_OK && why[0] == '\0') {
            (void)snprintf(
                why, STATE_WHY_MAX,
                "`%s`: a row of `%s` is refused: %s\n  hint: `pdpctl store check %s`; bring back a "
                "backup",
                config->path, store_table_name(TABLES[i].table), pdp_err_text(err), config->dir);
        }
        TRY(err);
    }
    return PDP_ERR_OK;
}
