// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/state.h"

#include "daemon/clock.h"
#include "daemon/file.h"
#include "daemon/state/keys.h"
#include "daemon/state/load.h"
#include "daemon/state/writer.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static const int64_t LEISURE_MS = 1000;
enum {
    PATH_MAX_BYTES = 4096
};

struct state {
    int lock;
    char dir[PATH_MAX_BYTES - 64], keys_path[PATH_MAX_BYTES], store_path[PATH_MAX_BYTES];
    struct state_keys keys;
    struct store *store;
    struct journal *journal;
    struct writer *writer;
    _Atomic(struct writer *) awake; // who hears of the journal; NULL before the start
};

static void PRINTF_LIKE(2, 3) tell(char why[static STATE_WHY_MAX], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, STATE_WHY_MAX, fmt, args); // a longer text is cut
    va_end(args);
}

// ---- The folder ------------------------------------------------------------------------------------

// A file of its own: bundles hold a lock on the folder itself.
static enum pdp_err lock_take(struct state *state, char why[static STATE_WHY_MAX])
{
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/lock", state->dir);
    state->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state->lock < 0) {
        tell(why,
             "the state folder `%s` cannot be used: %s\n  hint: make it once, for the user that runs this; "
             "on a "
             "disk that survives restarts",
             state->dir, strerror(errno));
        return PDP_ERR_IO;
    }
    if (flock(state->lock, LOCK_EX | LOCK_NB) != 0) {
        tell(why, "the state folder `%s` is in use: %s\n  hint: each pdpd has a state folder of its own",
             state->dir, errno == EWOULDBLOCK ? "another process holds it" : strerror(errno));
        return PDP_ERR_BUSY;
    }
    return PDP_ERR_OK;
}

// ---- Keys ------------------------------------------------------------------------------------------

static enum pdp_err keys_save(const struct state *state, const struct state_keys *keys,
                              char why[static STATE_WHY_MAX])
{
    AUTO(buf_fini) struct buf text = {0};
    const char *said = "memory is out";
    enum pdp_err err = keys_write(keys, &text);
    if (err == PDP_ERR_OK) {
        err = file_replace(state->keys_path, buf_view(&text), 0600, &said);
    }
    seal_wipe(text.at, text.len);
    if (err != PDP_ERR_OK) {
        tell(why, "`%s` cannot be written: %s\n  hint: make room, or let the user that runs this write there",
             state->keys_path, said);
    }
    return err;
}

static bool draw(void *out, size_t len)
{
    return getrandom(out, len, 0) == (ssize_t)len;
}

// New keys beside old sessions would make every ended one unknown, and let it begin again.
static enum pdp_err keys_make(struct state *state, char why[static STATE_WHY_MAX])
{
    if (access(state->store_path, F_OK) == 0) {
        tell(why,
             "`%s` is missing, and `%s` is there\n  hint: without its keys no session in it can be told: "
             "bring the file "
             "back from a backup; or, only if every ended session may come back, move both away",
             state->keys_path, state->store_path);
        return PDP_ERR_CORRUPT;
    }
    state->keys.id_set = 1;
    if (!draw(&state->keys.names, sizeof state->keys.names) ||
        !draw(&state->keys.ids[0], sizeof state->keys.ids[0])) {
        tell(why, "the system gives no random bytes");
        return PDP_ERR_IO;
    }
    return keys_save(state, &state->keys, why);
}

static enum pdp_err keys_open(struct state *state, char why[static STATE_WHY_MAX])
{
    AUTO(buf_fini) struct buf text = {0};
    const char *said = "it is not what was written";
    mode_t mode = 0;
    enum pdp_err err = file_take(state->keys_path, KEYS_BYTES_MAX, &text, &mode, &said);
    if (err == PDP_ERR_MISSING) {
        return keys_make(state, why);
    }
    if (err == PDP_ERR_OK && (mode & 077) != 0) {
        said = "others may read it";
        err = PDP_ERR_DENIED;
    }
    if (err == PDP_ERR_OK) {
        err = keys_read(buf_view(&text), &state->keys);
    }
    seal_wipe(text.at, text.len);
    if (err != PDP_ERR_OK) {
        tell(why, "`%s` is refused: %s\n  hint: %s", state->keys_path, said,
             err == PDP_ERR_DENIED
                 ? "`chmod 600` it; and if somebody may have read it, rotate the keys"
                 : "bring it back from a backup: without it no ended session is known any more");
    }
    return err;
}

// ---- Opening ---------------------------------------------------------------------------------------

static void on_added(void *user)
{
    struct writer *writer = atomic_load_explicit(&((struct state *)user)->awake, memory_order_acquire);
    if (writer != NULL) {
        writer_wake(writer);
    }
}

static uint64_t clock_ns(void *user)
{
    (void)user;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static enum pdp_err store_take(struct state *state, char why[static STATE_WHY_MAX])
{
    const struct store_config config = {.path = state->store_path, .clock_ns = clock_ns};
    return store_open(&config, &state->store, why);
}

static enum pdp_err open_all(struct state *state, char why[static STATE_WHY_MAX])
{
    TRY(lock_take(state, why));
    TRY(keys_open(state, why));
    TRY(store_take(state, why));
    const struct journal_config journal = {.added = on_added, .user = state};
    return journal_new(&journal, &state->journal);
}

enum pdp_err state_open(const struct config *config, struct state **out, char why[static STATE_WHY_MAX])
{
    *out = NULL;
    tell(why, "memory is out");
    AUTO(state_close) struct state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return PDP_ERR_NOMEM;
    }
    state->lock = -1;
    int len = snprintf(state->dir, sizeof state->dir, "%s", config->state);
    if (len < 0 || (size_t)len >= sizeof state->dir) {
        tell(why, "the name of the state folder is too long");
        return PDP_ERR_LIMIT;
    }
    (void)snprintf(state->keys_path, sizeof state->keys_path, "%s/keys", state->dir);
    (void)snprintf(state->store_path, sizeof state->store_path, "%s/sessions.db", state->dir);
    TRY(open_all(state, why));
    *out = STEAL(state);
    return PDP_ERR_OK;
}

void state_close(struct state **state_ptr)
{
    struct state *state = STEAL(*state_ptr);
    if (state == NULL) {
        return;
    }
    state_stop(state);
    store_close(&state->store);
    journal_free(&state->journal);
    if (state->lock >= 0) {
        close(state->lock); // and gives it back, last
    }
    seal_wipe(&state->keys, sizeof state->keys);
    free(state);
}

enum pdp_err state_yield(struct state *state)
{
    state_stop(state);
    bool whole = journal_durable(state->journal) >= journal_head(state->journal);
    enum pdp_err err = store_shut(&state->store);
    if (state->lock >= 0) {
        close(state->lock);
        state->lock = -1;
    }
    return err == PDP_ERR_OK && !whole ? PDP_ERR_IO : err;
}

enum pdp_err state_regain(struct state *state, char why[static STATE_WHY_MAX])
{
    enum pdp_err err = lock_take(state, why);
    if (err == PDP_ERR_OK) {
        err = store_take(state, why);
    }
    if (err != PDP_ERR_OK && state->lock >= 0) {
        close(state->lock);
        state->lock = -1;
    }
    return err;
}

bool state_peek(const struct config *config, struct hash_key *names)
{
    AUTO(buf_fini) struct buf text = {0};
    struct state_keys keys = {0};
    char path[PATH_MAX_BYTES];
    const char *said = NULL;
    mode_t mode = 0;
    int len = snprintf(path, sizeof path, "%s/keys", config->state);
    bool ok = len > 0 && (size_t)len < sizeof path &&
              file_take(path, KEYS_BYTES_MAX, &text, &mode, &said) == PDP_ERR_OK &&
              keys_read(buf_view(&text), &keys) == PDP_ERR_OK;
    *names = keys.names;
    seal_wipe(text.at, text.len);
    seal_wipe(&keys, sizeof keys);
    return ok;
}

const struct state_keys *state_keys(const struct state *state)
{
    return &state->keys;
}

struct journal *state_journal(struct state *state)
{
    return state->journal;
}

// ---- Loading ---------------------------------------------------------------------------------------

enum pdp_err state_load(struct state *state, struct engine *engine,
                        enum pdp_err (*control)(void *user, struct str key, struct str value), void *user,
                        struct state_loaded *out, char why[static STATE_WHY_MAX])
{
    int64_t start_ms = clock_now().steady_ms;
    const struct load_config config = {.store = state->store,
                                       .table = engine_sessions(engine),
                                       .control = control,
                                       .user = user,
                                       .dir = state->dir,
                                       .path = state->store_path,
                                       .threads = load_threads(state->store)};
    TRY(load_all(&config, out, why));
    session_restored(config.table);
    out->took_ms = clock_now().steady_ms - start_ms;
    return PDP_ERR_OK;
}

// ---- The writer ------------------------------------------------------------------------------------

enum pdp_err state_start(struct state *state, struct engine *engine, const struct state_host *host)
{
    const struct writer_config config = {.store = state->store,
                                         .journal = state->journal,
                                         .table = engine_sessions(engine),
                                         .leisure_ms = LEISURE_MS,
                                         .host = *host};
    TRY(writer_start(&config, &state->writer));
    atomic_store_explicit(&state->awake, state->writer, memory_order_release);
    writer_wake(state->writer); // what was put into the journal before
    return PDP_ERR_OK;
}

uint64_t state_hurry(struct state *state)
{
    return writer_hurry(state->writer);
}

bool state_is_written(const struct state *state, uint64_t round)
{
    return writer_rounds(state->writer) >= round;
}

void state_stop(struct state *state)
{
    atomic_store_explicit(&state->awake, NULL, memory_order_release);
    writer_stop(&state->writer);
}

void state_stats(struct state *state, struct state_stats *out)
{
    *out = (struct state_stats){.head = journal_head(state->journal),
                                .durable = journal_durable(state->journal),
                                .failed = journal_failed(state->journal)};
    store_stats(state->store, &out->store);
    journal_depth(state->journal, &out->waiting, &out->waiting_bytes);
}

// ---- Rotation --------------------------------------------------------------------------------------

enum pdp_err state_rotate_ids(struct state *state, struct engine *engine, uint8_t *number,
                              char why[static STATE_WHY_MAX])
{
    struct state_keys next = state->keys;
    *number = 0;
    for (uint8_t i = 1; i < SESSION_KEYS; i++) {
        uint8_t one = (uint8_t)((state->keys.id + i) % SESSION_KEYS);
        if ((next.id_set >> one & 1) == 0) {
            *number = next.id = one;
            break;
        }
    }
    if (next.id == state->keys.id) {
        tell(why,
             "all %d keys still have sessions or tombstones\n  hint: wait until the oldest are forgotten",
             SESSION_KEYS);
        return PDP_ERR_LIMIT;
    }
    if (!draw(&next.ids[next.id], sizeof next.ids[next.id])) {
        tell(why, "the system gives no random bytes");
        return PDP_ERR_IO;
    }
    next.id_set |= (uint16_t)(1U << next.id);
    TRY(keys_save(state, &next, why)); // before any id is hashed under it
    TRY(session_key_add(engine_sessions(engine), next.id, next.ids[next.id]));
    state->keys = next;
    return PDP_ERR_OK;
}

size_t state_retire_ids(struct state *state, struct engine *engine)
{
    struct session_table *table = engine_sessions(engine);
    struct state_keys next = state->keys;
    char why[STATE_WHY_MAX];
    size_t count = 0;
    for (uint8_t i = 0; i < SESSION_KEYS; i++) {
        if ((next.id_set >> i & 1) != 0 && i != next.id && session_key_uses(table, i) == 0) {
            next.id_set &= (uint16_t) ~(1U << i);
            next.ids[i] = (struct hash_key){0};
            count++;
        }
    }
    if (count == 0 || keys_save(state, &next, why) != PDP_ERR_OK) {
        return 0;
    }
    for (uint8_t i = 0; i < SESSION_KEYS; i++) {
        if (((state->keys.id_set ^ next.id_set) >> i & 1) != 0) {
            session_key_drop(table, i);
        }
    }
    state->keys = next;
    return count;
}
