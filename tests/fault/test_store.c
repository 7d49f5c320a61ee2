// SPDX-License-Identifier: Apache-2.0
// A store on a disk that fails at every n-th call, loses power at every call, and fills up.
// usage: fault_store [SEEDS]
#include "store/file.h"
#include "support/power.h"
#include "support/scratch.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

enum {
    BATCHES = 18,
    ROWS = 3, // of a batch, besides the shared ones
    GROUP = 3 // every third batch waits for the next, so that they share a transaction
};

static struct scratch scratch;
static char file[SCRATCH_MAX];
static unsigned checks, wrong;
static char round_name[128];

#define CHECK(cond, ...)                                                       \
    do {                                                                       \
        checks++;                                                              \
        if (!(cond) && wrong++ < 20) {                                         \
            fprintf(stderr, "%s: line %d: %s: ", round_name, __LINE__, #cond); \
            fprintf(stderr, __VA_ARGS__);                                      \
            fputc('\n', stderr);                                               \
        }                                                                      \
    } while (0)

// What became of each batch, as it was told.
struct told {
    bool submitted, done, sync;
    enum pdp_err err;
};

struct world {
    struct told batches[BATCHES];
    uint64_t tokens[BATCHES];
    uint64_t lost; // write-behind that the disk dropped, as the store says
};

// ---- Workload ---------------------------------------------------------------------------------------

static bool is_sync(int batch)
{
    return batch % 2 == 0;
}

// Rows of its own; the counter that all batches write; the session that this batch ends and that a later one
// would write as alive; and one that every fourth batch takes away again.
static size_t rows_of(int batch, struct store_op *ops, char names[][16], char *value)
{
    size_t count = 0;
    snprintf(value, 2000, "%d", batch);
    struct str text = {value, batch % 5 == 0 ? 2000 : 40}; // some take several pages together
    for (int i = 0; i < ROWS; i++) {
        snprintf(names[count], 16, "b%02d-%d", batch, i);
        ops[count] = (struct store_op){{STORE_SESSIONS, 0, str_of(names[count]), text}, false};
        count++;
    }
    ops[count++] = (struct store_op){{STORE_META, 0, STR("counter"), text}, false};
    snprintf(names[count], 16, "t%02d", batch);
    ops[count] = (struct store_op){{STORE_CONTROLS, 1, str_of(names[count]), STR("dead")}, false};
    count++;
    if (batch >= 2) {
        snprintf(names[count], 16, "t%02d", batch - 2);
        ops[count] = (struct store_op){{STORE_CONTROLS, 0, str_of(names[count]), STR("alive")}, false};
        count++;
    }
    ops[count++] = (struct store_op){{STORE_USERS, 0, STR("comes-and-goes"), STR("")}, batch % 4 == 3};
    return count;
}

static void collect(struct store *store, struct world *world)
{
    struct store_completion done;
    uint64_t before = 0;
    while (store_poll(store, &done)) {
        CHECK(done.token > before, "tokens are out of order");
        before = done.token;
        for (int i = 0; i < BATCHES; i++) {
            if (world->tokens[i] == done.token) {
                CHECK(!world->batches[i].done, "batch %d is completed twice", i);
                world->batches[i].done = true;
                world->batches[i].err = done.err;
            }
        }
    }
}

static void submit(struct store *store, struct world *world, int batch)
{
    static char value[4096];
    struct store_op ops[ROWS + 4];
    char names[ROWS + 4][16];
    size_t count = rows_of(batch, ops, names, value);
    enum pdp_err err = store_submit(store, ops, count, is_sync(batch), &world->tokens[batch]);
    CHECK(err == PDP_ERR_OK || err == PDP_ERR_CLOSED, "batch %d: %s", batch, pdp_err_name(err));
    world->batches[batch] = (struct told){.submitted = err == PDP_ERR_OK, .sync = is_sync(batch)};
}

static unsigned log_pages; // few: emptied all the time; many: never, so that errors in the log last

static enum pdp_err open_store(struct store **store, char why[static STORE_WHY_MAX])
{
    struct store_config config = {.path = file, .vfs = POWER_VFS, .log_pages = log_pages};
    return store_open(&config, store, why);
}

static void run(struct store *store, struct world *world, int from, int to)
{
    for (int batch = from; batch < to; batch++) {
        submit(store, world, batch);
        if (batch % GROUP != 0) {
            while (store_work(store)) {
                collect(store, world);
            }
            collect(store, world);
        }
    }
    while (store_work(store)) {
    }
    collect(store, world);
    for (int i = from; i < to; i++) {
        CHECK(!world->batches[i].submitted || world->batches[i].done, "batch %d was never completed", i);
    }
}

// ---- What must be there -----------------------------------------------------------------------------

struct seen {
    unsigned rows[BATCHES];
    bool dead[BATCHES];
    int counter;
};

static enum pdp_err see(void *user, const struct store_row *row)
{
    struct seen *seen = user;
    int batch = row->key.at[1] >= '0' ? (row->key.at[1] - '0') * 10 + row->key.at[2] - '0' : 0;
    if (row->table == STORE_SESSIONS && batch >= 0 && batch < BATCHES) {
        seen->rows[batch]++;
    } else if (row->table == STORE_CONTROLS && batch >= 0 && batch < BATCHES) {
        seen->dead[batch] = row->rank == 1;
    } else if (row->table == STORE_META) {
        seen->counter = atoi(row->value.at);
    }
    return PDP_ERR_OK;
}

static void expect_whole_batches(const struct world *world, const struct seen *seen)
{
    int last = -1;
    for (int i = 0; i < BATCHES; i++) {
        const struct told *told = &world->batches[i];
        CHECK(seen->rows[i] == 0 || seen->rows[i] == ROWS, "batch %d is there in part", i);
        CHECK((seen->rows[i] != 0) <= told->submitted, "batch %d was never submitted", i);
        CHECK(seen->rows[i] == 0 || seen->dead[i], "batch %d: a tombstone was revived, or is gone", i);
        last = seen->rows[i] != 0 ? i : last;
        bool certain = told->done && (told->err == PDP_ERR_LIMIT || told->err == PDP_ERR_NOMEM);
        CHECK(!certain || seen->rows[i] == 0, "batch %d failed, and is there", i);
    }
    CHECK(seen->counter == last, "the counter is of batch %d, the last is %d", seen->counter, last);
}

// `cut`: the power was, so that what was not synced may be gone, but only from the end.
static void expect_kept(const struct world *world, const struct seen *seen, bool cut)
{
    int last_sync = -1;
    for (int i = 0; i < BATCHES; i++) {
        const struct told *told = &world->batches[i];
        last_sync = told->done && told->err == PDP_ERR_OK && told->sync ? i : last_sync;
    }
    bool gone = false;
    for (int i = 0; i < BATCHES; i++) {
        const struct told *told = &world->batches[i];
        bool ok = told->done && told->err == PDP_ERR_OK;
        bool kept = ok && (told->sync || (world->lost == 0 && (i <= last_sync || !cut)));
        CHECK(!kept || seen->rows[i] != 0, "batch %d was acknowledged (%s), and is gone", i,
              told->sync ? "synced" : "before a synced one, or no power was cut");
        gone = gone || (ok && world->lost == 0 && seen->rows[i] == 0);
        CHECK(!gone || seen->rows[i] == 0, "batch %d is there, an earlier one is gone", i);
    }
}

static void found(void *user, const char *what)
{
    (void)user;
    CHECK(false, "pdpctl store check finds: %s", what);
}

static void expect_good(const struct world *world, bool cut)
{
    struct store *store = NULL;
    struct seen seen = {.counter = -1};
    char why[STORE_WHY_MAX] = "";
    enum pdp_err err = open_store(&store, why);
    CHECK(err == PDP_ERR_OK, "%s", why);
    for (int i = 0; err == PDP_ERR_OK && i < STORE_TABLE_COUNT; i++) {
        err = store_load(store, (enum store_table)i, see, &seen, why);
        CHECK(err == PDP_ERR_OK, "%s", why);
    }
    if (err == PDP_ERR_OK) {
        expect_whole_batches(world, &seen);
        expect_kept(world, &seen, cut);
    }
    store_close(&store);
    struct file_facts facts;
    struct file_look look = {.found = found};
    CHECK(file_check(file, NULL, &look, &facts, why) == PDP_ERR_OK, "%s", why);
}

static void fresh(void)
{
    static const char *const ENDINGS[] = {"", "-wal", "-shm", "-journal", ".new", ".new-journal"};
    power_reset();
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++) {
        char name[40];
        snprintf(name, sizeof name, "sessions.db%s", ENDINGS[i]);
        (void)unlink(scratch_path(&scratch, name));
    }
}

// ---- Errors -----------------------------------------------------------------------------------------

struct fault {
    const char *name;
    enum power_call call;
    int code;
    bool lasting, evict;
};

// Opening is part of it: a store that cannot be made or opened is no store, and the next try works.
static bool one_error(const struct fault *fault, unsigned at, uint32_t cut_seed)
{
    struct world world = {.lost = 0};
    struct store *store = NULL;
    struct store_stats stats = {.commits = 0};
    char why[STORE_WHY_MAX];
    fresh();
    log_pages = cut_seed % 2 == 0 ? 12 : 1000;
    snprintf(round_name, sizeof round_name, "%s at %u, cut %u", fault->name, at, cut_seed);
    power.code = fault->code;
    power.lasting = fault->lasting;
    power.evict = fault->evict;
    power.fail_at[fault->call] = at;
    enum pdp_err err = open_store(&store, why);
    CHECK(err == PDP_ERR_OK || power.failed > 0, "%s", why);
    if (err == PDP_ERR_OK) {
        run(store, &world, 0, BATCHES / 2);
        bool failed = power.failed > 0;
        power.lasting = false;
        run(store, &world, BATCHES / 2, BATCHES); // the disk is well again: so is the store
        store_stats(store, &stats);
        world.lost = stats.lost;
        CHECK(stats.lost == 0 || fault->evict, "lost %u without a reason", (unsigned)stats.lost);
        CHECK(!failed || (world.batches[BATCHES - 1].err == PDP_ERR_OK && !stats.broken), "does not mend: %s",
              stats.last_error);
    }
    bool reached = power.failed > 0;
    world.lost += store_shut(&store) != PDP_ERR_OK && fault->evict; // told by shut alone
    power_heal();
    if (cut_seed != 0) {
        power_cut(cut_seed - 1);
    }
    expect_good(&world, cut_seed != 0);
    return reached;
}

static void errors(const struct fault *fault)
{
    unsigned at = 1;
    while (one_error(fault, at, 0) && at < 5000) {
        (void)one_error(fault, at, 1 + at % 7);
        at++;
    }
    printf("%-40s %4u points\n", fault->name, at - 1);
    CHECK(at > 10 && at < 5000, "%u points", at);
}

// ---- Power ------------------------------------------------------------------------------------------

// The machine dies at the n-th call that touches the disk.
static bool one_cut(unsigned at, uint32_t seed)
{
    struct world world = {.lost = 0};
    struct store *store = NULL;
    char why[STORE_WHY_MAX];
    fresh();
    log_pages = seed % 3 == 2 ? 1000 : 12;
    snprintf(round_name, sizeof round_name, "power cut at %u, seed %u", at, seed);
    power.lasting = true;
    power.fail_at[POWER_ANY] = at;
    if (open_store(&store, why) == PDP_ERR_OK) {
        run(store, &world, 0, BATCHES);
    }
    bool reached = power.failed > 0;
    (void)store_shut(&store);
    power_cut(seed);
    expect_good(&world, true);
    return reached;
}

static void cuts(uint32_t seeds)
{
    unsigned at = 1;
    while (one_cut(at, 0) && at < 5000) {
        for (uint32_t seed = 1; seed <= seeds; seed++) {
            (void)one_cut(at, at * 64 + seed);
        }
        at++;
    }
    printf("%-40s %4u points\n", "power cut", at - 1);
    CHECK(at > 50 && at < 5000, "%u points", at);
}

// ---- A full disk ------------------------------------------------------------------------------------

static uint64_t fill(struct store *store, enum pdp_err *last)
{
    static char value[STORE_VALUE_MAX];
    uint64_t failed = 0;
    for (uint32_t i = 0; i < 60; i++) {
        struct store_op op = {{STORE_USERS, 0, {(char *)&i, sizeof i}, {value, sizeof value}}, false};
        struct store_completion done;
        uint64_t token = 0;
        CHECK(store_submit(store, &op, 1, true, &token) == PDP_ERR_OK, "submit");
        while (store_work(store)) {
        }
        while (store_poll(store, &done)) {
            failed += done.err != PDP_ERR_OK;
            *last = done.err;
        }
    }
    return failed;
}

// By the largest size that this process may write, which is an error of the disk (EFBIG) to SQLite; by what
// the file layer says of a full disk; the store says so, keeps what it has, and goes on when there is room.
static void full_disk(void)
{
    struct rlimit before, small = {.rlim_cur = 1 << 20};
    char why[STORE_WHY_MAX];
    for (int way = 0; way < 2; way++) {
        struct store *store = NULL;
        struct store_stats stats;
        enum pdp_err last = PDP_ERR_OK;
        fresh();
        snprintf(round_name, sizeof round_name, "full disk, way %d", way);
        CHECK(open_store(&store, why) == PDP_ERR_OK, "%s", why);
        getrlimit(RLIMIT_FSIZE, &before);
        small.rlim_max = before.rlim_max;
        if (way == 0) {
            setrlimit(RLIMIT_FSIZE, &small);
        } else {
            power.code = SQLITE_FULL;
            power.lasting = true;
            power.fail_at[POWER_WRITE] = 300;
        }
        uint64_t failed = fill(store, &last);
        CHECK(failed > 10 && last == (way == 0 ? PDP_ERR_IO : PDP_ERR_LIMIT), "%u failed, %s",
              (unsigned)failed, pdp_err_name(last));
        setrlimit(RLIMIT_FSIZE, &before);
        power_heal();
        CHECK(fill(store, &last) == 0, "it does not go on: %s", pdp_err_name(last));
        store_stats(store, &stats);
        CHECK(stats.rows[STORE_USERS] == 60 && !stats.broken, "%u rows", (unsigned)stats.rows[STORE_USERS]);
        CHECK(stats.last_error[0] != '\0', "no word of it");
        CHECK(store_shut(&store) == PDP_ERR_OK, "shut");
    }
}

// More seeds than 2 for each power cut, up to 60, where a number is given.
int main(int argc, char **argv)
{
    static const struct fault FAULTS[] = {
        {"a write fails", POWER_WRITE, 0, false, false},
        {"a write finds the disk full", POWER_WRITE, SQLITE_FULL, false, false},
        {"writes fail from then on", POWER_WRITE, 0, true, false},
        {"writes find the disk full from then on", POWER_WRITE, SQLITE_FULL, true, false},
        {"a sync fails", POWER_SYNC, 0, false, false},
        {"a sync fails and the cache forgets", POWER_SYNC, 0, false, true},
        {"syncs fail from then on", POWER_SYNC, 0, true, false},
        {"syncs fail and the cache forgets", POWER_SYNC, 0, true, true},
    };
    (void)signal(SIGXFSZ, SIG_IGN);
    power_install();
    if (access("/dev/shm", W_OK) == 0) {
        (void)setenv("TMPDIR", "/dev/shm", 1); // the power of this disk is ours to cut: no real one need spin
    }
    scratch_make(&scratch);
    snprintf(file, sizeof file, "%s", scratch_path(&scratch, "sessions.db"));
    for (size_t i = 0; i < COUNT_OF(FAULTS); i++) {
        errors(&FAULTS[i]);
    }
    cuts(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2);
    full_disk();
    scratch_drop(&scratch);
    printf("%u checks, %u failed\n", checks, wrong);
    return wrong == 0 ? 0 : 1;
}
