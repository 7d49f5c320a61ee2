// SPDX-License-Identifier: Apache-2.0
// Many sessions in one process: memory, decisions beside those of a few, written behind, and put back by a
// start. usage: system_many [SESSIONS [DIR]]. Figures are printed; only what must hold is asserted. With DIR,
// a state folder, what was written stays there, and where it is there already it is put back at once.
#include "daemon/config/config.h"
#include "daemon/state/state.h"
#include "session/journal.h"
#include "support/scratch.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#define NOW_MS INT64_C(1795420800000)
#define HOUR_MS INT64_C(3600000)

enum {
    SESSIONS_DEFAULT = 100000,
    FEW = 10000,
    A_USER = 4,             // sessions of one user
    BEHIND_MOST = 200000,   // rows written as they come; the rest in order, which is quicker
    ASKED = 50000,          // decisions that are measured, of either engine
    RESTORED_ASKED = 20000, // decisions about what was put back
    RSS_PAGE = 4096
};

static const char POLICY[] = "apiVersion: pdp/v1\n"
                             "kind: Policy\n"
                             "metadata: {name: web}\n"
                             "rules:\n"
                             "  - {id: read, effect: allow, actions: [GET]}\n";
static unsigned wrong;

#define CHECK(cond, ...)                                       \
    do {                                                       \
        if (!(cond)) {                                         \
            wrong++;                                           \
            fprintf(stderr, "line %d: %s: ", __LINE__, #cond); \
            fprintf(stderr, __VA_ARGS__);                      \
            fputc('\n', stderr);                               \
        }                                                      \
    } while (0)
#define MUST(call)                                                                         \
    do {                                                                                   \
        enum pdp_err must_err = (call);                                                    \
        if (must_err != PDP_ERR_OK) {                                                      \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #call, pdp_err_text(must_err)); \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double rss_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long long all = 0, resident = 0;
    if (file == NULL || fscanf(file, "%llu %llu", &all, &resident) != 2) {
        abort();
    }
    fclose(file);
    return (double)resident * RSS_PAGE;
}

// ---- An engine -------------------------------------------------------------------------------------

struct world {
    struct engine *engine;
    struct worker *worker;
    struct arena arena;
    struct buf text;
};

static void world_open(struct world *world, const struct state_keys *keys, struct journal *journal)
{
    struct engine_config config = {.key = keys->names,
                                   .id_key_set = keys->id_set,
                                   .id_key = keys->id,
                                   .journal = journal,
                                   .id_prefix = 7};
    memcpy(config.id_keys, keys->ids, sizeof config.id_keys);
    struct snapshot_file file = {.name = STR("web.yaml"), .text = str_of(POLICY)};
    struct snapshot_input input = {.files = &file, .file_count = 1, .now_ms = NOW_MS};
    struct snapshot *snapshot = NULL;
    struct diags diags;
    *world = (struct world){0};
    arena_init(&world->arena, 0, 0);
    diags_init(&diags, 10);
    MUST(snapshot_build(&input, keys->names, &diags, &snapshot));
    diags_fini(&diags);
    MUST(engine_new(&config, &world->engine));
    MUST(worker_new(world->engine, &world->worker));
    engine_publish(world->engine, &snapshot);
}

static void world_close(struct world *world)
{
    worker_free(&world->worker);
    engine_free(&world->engine);
    arena_fini(&world->arena);
    buf_fini(&world->text);
}

static void put_session(struct session_table *table, uint64_t number)
{
    char id[32], subject[32];
    snprintf(id, sizeof id, "session-%012" PRIx64, number);
    snprintf(subject, sizeof subject, "user-%08" PRIx64, number / A_USER);
    struct session_key key = session_key_of(table, 1, STR(""), STR("user"), str_of(subject), str_of(id));
    struct session_held held;
    session_hold(table, &key, &held);
    struct session_delta delta = {.put_session = true, .put_user = true, .create = true};
    delta.session = (struct session_record){.id = key.id,
                                            .subject = key.subject,
                                            .state = SESSION_ACTIVE,
                                            .auth_time_ms = NOW_MS - HOUR_MS,
                                            .first_seen_ms = NOW_MS - HOUR_MS,
                                            .last_seen_ms = NOW_MS,
                                            .keep_until_ms = NOW_MS + 48 * HOUR_MS,
                                            .requests = 1,
                                            .asserted = 1};
    delta.user = held.user != NULL ? *held.user : (struct user_record){.subject = key.subject};
    MUST(session_commit(table, &held, &key, &delta, NOW_MS));
    session_release(table, &held);
}

static double fill(struct world *world, uint64_t sessions)
{
    double began = now_s();
    for (uint64_t i = 0; i < sessions; i++) {
        put_session(engine_sessions(world->engine), i);
    }
    return now_s() - began;
}

// Without a word of when it was authenticated: only a session that is known is allowed.
static double ask(struct world *world, uint64_t number)
{
    static const struct peer PEER = {.name = {"gateway", 7}, .hash = 5, .grants = GRANT_ALL};
    struct value root;
    struct verdict verdict;
    arena_reset(&world->arena);
    buf_clear(&world->text);
    buf_printf(&world->text,
               "{\"subject\":{\"type\":\"user\",\"id\":\"user-%08" PRIx64 "\"},\"action\":{\"name\":\"GET\"},"
               "\"resource\":{\"type\":\"route\",\"id\":\"/a\"},"
               "\"context\":{\"session\":{\"id\":\"session-%012" PRIx64 "\"}}}",
               number / A_USER, number);
    MUST(wire_decode(WIRE_JSON, buf_view(&world->text), &world->arena, &root, NULL));
    double began = now_s();
    engine_decide(world->worker, &PEER, &root, NOW_MS + 1000, &verdict);
    double took = now_s() - began;
    if (verdict.effect != PDP_EFFECT_ALLOW) {
        CHECK(false, "session %" PRIu64 " is not known: %s", number, pdp_code_name(verdict.code));
    }
    return took;
}

// ---- Figures ---------------------------------------------------------------------------------------

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static uint64_t some(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 16;
}

static void compare(struct world *few, struct world *many, uint64_t sessions)
{
    static double took[2][ASKED];
    uint64_t state = 1;
    for (size_t i = 0; i < ASKED; i++) { // in turn, so that what disturbs one disturbs the other
        took[0][i] = ask(few, some(&state) % FEW);
        took[1][i] = ask(many, some(&state) % sessions);
    }
    for (size_t i = 0; i < 2; i++) {
        qsort(took[i], ASKED, sizeof took[i][0], by_value);
        printf("decision among %" PRIu64 ": median %.0f ns, p99 %.0f ns\n", i == 0 ? (uint64_t)FEW : sessions,
               took[i][ASKED / 2] * 1e9, took[i][ASKED * 99 / 100] * 1e9);
    }
    printf("ratio: median %.2f, p99 %.2f\n", took[1][ASKED / 2] / took[0][ASKED / 2],
           took[1][ASKED * 99 / 100] / took[0][ASKED * 99 / 100]);
}

static void memory(struct world *world, uint64_t sessions, double rss)
{
    struct session_stats stats;
    session_stats(engine_sessions(world->engine), &stats);
    double count = (double)sessions;
    printf("%" PRIu64 " sessions of %" PRIu64
           " users: %.0f bytes a session by the table's account, users included; "
           "%.0f by the system's\n",
           stats.sessions, stats.users, (double)stats.bytes / count, rss / count);
    CHECK(stats.sessions == sessions, "%" PRIu64, stats.sessions);
    CHECK((double)stats.bytes <= 512 * count + 1024 * (double)stats.users, "%" PRIu64 " bytes", stats.bytes);
}

// ---- Written behind --------------------------------------------------------------------------------

struct copied {
    uint32_t table, key_len, value_len;
    const char *at; // key, then value
};

struct heap {
    struct arena arena;
    struct copied *rows;
    size_t count, cap;
};

static void copy(void *user, const struct journal_row *row)
{
    struct heap *heap = user;
    char *at = arena_alloc(&heap->arena, row->key.len + row->value.len, 1);
    if (at == NULL || heap->count == heap->cap) {
        abort();
    }
    memcpy(at, row->key.at, row->key.len);
    memcpy(at + row->key.len, row->value.at, row->value.len);
    heap->rows[heap->count++] =
        (struct copied){row->table, (uint32_t)row->key.len, (uint32_t)row->value.len, at};
}

static int by_key(const void *a, const void *b)
{
    const struct copied *left = a, *right = b;
    return left->table != right->table ? (left->table < right->table ? -1 : 1)
                                       : memcmp(left->at, right->at, left->key_len);
}

static void write_rows(struct store *store, const struct copied *rows, size_t count, size_t a_batch)
{
    static struct store_op ops[STORE_BATCH_MAX];
    for (size_t i = 0; i < count;) {
        size_t n = 0;
        for (; n < a_batch && i < count; n++, i++) {
            const struct copied *row = &rows[i];
            ops[n] = (struct store_op){.row = {.table = (enum store_table)row->table,
                                               .key = {row->at, row->key_len},
                                               .value = {row->at + row->key_len, row->value_len}}};
        }
        uint64_t token = 0;
        struct store_completion done = {0};
        MUST(store_submit(store, ops, n, false, &token));
        while (store_work(store)) {
        }
        CHECK(store_poll(store, &done) && done.token == token && done.err == PDP_ERR_OK, "a batch");
    }
}

static void write_all(struct world *world, const char *path, uint64_t sessions)
{
    char why[STORE_WHY_MAX];
    struct store *store = NULL;
    struct heap heap = {.cap = sessions + sessions / A_USER + 16};
    arena_init(&heap.arena, 0, 0);
    heap.rows = calloc(heap.cap, sizeof *heap.rows);
    if (heap.rows == NULL) {
        abort();
    }
    double began = now_s();
    while (session_changed(engine_sessions(world->engine), 1024, copy, &heap) != 0) {
    }
    printf("%zu rows gathered: %.1f s\n", heap.count, now_s() - began);
    CHECK(heap.count == sessions + (sessions + A_USER - 1) / A_USER, "%zu rows", heap.count);
    MUST(store_open(&(struct store_config){.path = path}, &store, why));
    size_t behind = heap.count < BEHIND_MOST ? heap.count : BEHIND_MOST;
    began = now_s();
    write_rows(store, heap.rows, behind, 1024);
    printf("%zu rows written behind, as they come: %.0f a second\n", behind,
           (double)behind / (now_s() - began));
    qsort(heap.rows + behind, heap.count - behind, sizeof *heap.rows, by_key);
    began = now_s();
    write_rows(store, heap.rows + behind, heap.count - behind, STORE_BATCH_MAX);
    if (heap.count > behind) {
        printf("%zu rows in order: %.0f a second\n", heap.count - behind,
               (double)(heap.count - behind) / (now_s() - began));
    }
    MUST(store_shut(&store));
    printf("sessions.db: %ld bytes, %.0f a session\n", scratch_size(path),
           (double)scratch_size(path) / (double)sessions);
    arena_fini(&heap.arena);
    free(heap.rows);
}

// ---- Put back --------------------------------------------------------------------------------------

static void put_back(const struct config *config, uint64_t sessions)
{
    char why[STATE_WHY_MAX];
    struct state *state = NULL;
    struct state_loaded loaded;
    struct world world;
    double began = now_s();
    if (state_open(config, &state, why) != PDP_ERR_OK) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    printf("opened: %.2f s\n", now_s() - began);
    world_open(&world, state_keys(state), state_journal(state));
    double rss = rss_bytes();
    MUST(state_load(state, world.engine, NULL, NULL, &loaded, why));
    printf("put back: %.2f s, %.0f sessions a second\n", (double)loaded.took_ms / 1000,
           (double)sessions / ((double)loaded.took_ms + 1) * 1000);
    CHECK(loaded.sessions == sessions && loaded.lost == 0 && loaded.tombstones == 0,
          "%" PRIu64 " sessions, %" PRIu64 " lost", loaded.sessions, loaded.lost);
    memory(&world, sessions, rss_bytes() - rss);
    uint64_t seed = 3;
    for (size_t i = 0; i < RESTORED_ASKED; i++) {
        (void)ask(&world, some(&seed) % sessions);
    }
    world_close(&world);
    state_close(&state);
}

static void fill_and_write(const struct config *config, uint64_t sessions)
{
    char why[STATE_WHY_MAX], path[4096];
    struct state *state = NULL;
    if (state_open(config, &state, why) != PDP_ERR_OK) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    struct state_keys keys = *state_keys(state);
    state_close(&state); // leaves the keys, and an empty store
    struct journal *journal = NULL;
    MUST(journal_new(&(struct journal_config){0}, &journal));

    struct world few, many;
    world_open(&few, &keys, journal);
    world_open(&many, &keys, journal);
    (void)fill(&few, FEW);
    double rss = rss_bytes();
    double took = fill(&many, sessions);
    printf("filled: %.0f ns a session\n", took / (double)sessions * 1e9);
    memory(&many, sessions, rss_bytes() - rss);
    compare(&few, &many, sessions);
    world_close(&few);
    (void)snprintf(path, sizeof path, "%s/sessions.db", config->state);
    write_all(&many, path, sessions);
    world_close(&many);
    journal_free(&journal);
}

int main(int argc, char **argv)
{
    uint64_t sessions = argc > 1 ? strtoull(argv[1], NULL, 10) : SESSIONS_DEFAULT;
    struct scratch scratch;
    scratch_make(&scratch);
    struct config config = {.state = argc > 2 ? argv[2] : scratch.dir};
    char path[4096];
    if (sessions < FEW) {
        fprintf(stderr, "too few\n");
        return 1;
    }
    (void)snprintf(path, sizeof path, "%s/sessions.db", config.state);
    if (access(path, F_OK) != 0) {
        fill_and_write(&config, sessions);
    }
    put_back(&config, sessions);
    scratch_drop(&scratch);
    printf("%u wrong\n", wrong);
    return wrong != 0;
}
