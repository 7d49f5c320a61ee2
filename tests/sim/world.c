// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <stdarg.h>

static const int64_t EPOCH_MS = INT64_C(1795420800000); // 2026-11-23T08:00:00Z

// ---- What is told ----------------------------------------------------------------------------------------

static const char *const DID[] = {
#define X(name) #name,
    SIM_DID_LIST(X)
#undef X
};

void sim_note(struct sim *sim, enum sim_did did, int story, int64_t a, int64_t b)
{
    sim->trace[sim->trace_count++ % SIM_TRACE] = (struct sim_trace){sim->step, did, story, a, b};
    sim->counts[did]++;
    sim->hash = (sim->hash ^ (uint64_t)did ^ (uint64_t)a << 8 ^ (uint64_t)b << 32) * UINT64_C(0x100000001B3);
    sim->hash ^= sim->hash >> 29;
}

// By another id of the same session?
static bool in_family(const struct sim *sim, int story, int other)
{
    int at = story;
    do {
        if (at == other) {
            return true;
        }
        at = sim->stories[at].next;
    } while (at != story);
    return false;
}

// What happened to the session, by whatever id, and to the machine; of what others did, nothing.
static void tell_trace(const struct sim *sim, int story)
{
    uint64_t first = sim->trace_count > SIM_TRACE ? sim->trace_count - SIM_TRACE : 0;
    for (uint64_t i = first; i < sim->trace_count; i++) {
        const struct sim_trace *one = &sim->trace[i % SIM_TRACE];
        bool machine = one->did == DID_CRASH || one->did == DID_DISK || one->did == DID_RELOAD ||
                       one->did == DID_CLOCK || one->did == DID_CUT || one->did == DID_KEY ||
                       ((one->did == DID_WRITE || one->did == DID_GATHER) && sim->trace_count - i < 200);
        if (machine || (story != SIM_NONE && in_family(sim, story, one->story))) {
            fprintf(stderr, "  step %llu: %s %d: %lld %lld\n", (unsigned long long)one->step, DID[one->did],
                    one->story, (long long)one->a, (long long)one->b);
        }
    }
}

void sim_fail(struct sim *sim, int story, const char *fmt, ...)
{
    if (sim->failed) {
        return;
    }
    sim->failed = true;
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "seed %llu, step %llu: ", (unsigned long long)sim->seed, (unsigned long long)sim->step);
    (void)vfprintf(stderr, fmt, args);
    fprintf(stderr, "\n");
    va_end(args);
    if (sim->loud) {
        tell_trace(sim, story);
    }
}

// ---- The disk --------------------------------------------------------------------------------------------

static enum pdp_err on_disk(void *user, bool sync)
{
    struct sim *sim = user;
    switch (sim->disk) {
    case DISK_FAILS:
        return PDP_ERR_IO;
    case DISK_FULL:
        return PDP_ERR_LIMIT;
    case DISK_FLAKY:
        return sim_one_in(sim, sync ? 3 : 2) ? PDP_ERR_IO : PDP_ERR_OK;
    default:
        return PDP_ERR_OK;
    }
}

static void step_disk(struct sim *sim)
{
    sim->disk = sim->disk == DISK_GOOD ? (enum sim_disk)(1 + sim_below(sim, 3)) : DISK_GOOD;
    sim_note(sim, DID_DISK, SIM_NONE, sim->disk, 0);
}

// ---- Other steps -----------------------------------------------------------------------------------------

static void step_give(struct sim *sim)
{
    int from = sim_below(sim, SIM_LINKS);
    for (int i = 0; i < SIM_LINKS; i++) {
        int at = (from + i) % SIM_LINKS;
        const struct sim_link *link = &sim->links[at];
        if (link->used && (link->given < link->in.len || link->stuck)) {
            sim_give(sim, at);
            return;
        }
    }
    sim_ask(sim);
}

static void step_lose(struct sim *sim)
{
    sim_lose(sim, sim_below(sim, SIM_LINKS));
}

static void step_tick(struct sim *sim)
{
    int64_t ms = sim_one_in(sim, 20) ? sim_below(sim, 20000) : sim_below(sim, 40);
    sim->now.steady_ms += ms;
    sim->now.wall_ms += ms;
    for (int i = 0; i < 2; i++) {
        node_expire(sim->machine.nodes[i], sim->now);
    }
    sim_note(sim, DID_TICK, SIM_NONE, ms, 0);
}

// The wall's clock is set: a little, by an hour, by days. Deadlines do not hear of it.
static void step_clock(struct sim *sim)
{
    static const int64_t HOUR_MS = 3600000;
    int dice = sim_below(sim, 40);
    int64_t by_ms = dice < 24   ? sim_below(sim, 180000) - 90000
                    : dice < 34 ? sim_below(sim, 7200000) - HOUR_MS
                    : dice < 39 ? 20 * HOUR_MS + sim_below(sim, 40) * HOUR_MS
                                : 35 * 24 * HOUR_MS;
    sim->now.wall_ms += by_ms;
    sim_note(sim, DID_CLOCK, SIM_NONE, by_ms, sim->now.wall_ms);
}

static void step_release(struct sim *sim)
{
    sim_release(sim, sim_below(sim, 2));
}

static void step_leisure(struct sim *sim)
{
    sim->noted = true;
}

static void step_sweep(struct sim *sim)
{
    size_t looked = session_sweep(engine_sessions(sim->machine.engine), sim->now.wall_ms, 2048);
    sim_note(sim, DID_SWEEP, SIM_NONE, (int64_t)looked, 0);
    if (sim_one_in(sim, 3)) {
        ledger_check(sim);
    }
}

static void step_reload(struct sim *sim)
{
    sim->policies = !sim->policies;
    struct snapshot *snapshot = sim_policies(sim->policies);
    engine_publish(sim->machine.engine, &snapshot);
    engine_tidy(sim->machine.engine, sim->now.wall_ms);
    sim_note(sim, DID_RELOAD, SIM_NONE, sim->policies, 0);
}

// Ids are hashed under another key from now on; the disk has it before.
static void step_key(struct sim *sim)
{
    uint8_t next = (uint8_t)((sim->id + 1) % SESSION_KEYS);
    if ((sim->id_set >> next & 1) != 0) {
        return;
    }
    sim->ids[next] = (struct hash_key){sim_random(sim), sim_random(sim)};
    sim->id_set |= (uint16_t)(1U << next);
    sim->id = next;
    invariant(session_key_add(engine_sessions(sim->machine.engine), next, sim->ids[next]) == PDP_ERR_OK);
    ledger_refs(sim);
    sim_note(sim, DID_KEY, SIM_NONE, next, 0);
}

static void step_bounds(struct sim *sim)
{
    size_t entries = 0, bytes = 0;
    journal_depth(sim->machine.journal, &entries, &bytes);
    struct session_stats stats;
    session_stats(engine_sessions(sim->machine.engine), &stats);
    size_t held = gate_held(sim->machine.gates[0]) + gate_held(sim->machine.gates[1]);
    if (entries > 2 * sim->journal_entries || held > (size_t)SIM_LINKS * SIM_SENDS ||
        stats.sessions + stats.tombstones > SIM_STORIES || stats.bytes > (uint64_t)16 << 20) {
        sim_fail(sim, SIM_NONE, "a bound is passed: %zu steps, %zu answers held, %llu records, %llu bytes",
                 entries, held, (unsigned long long)(stats.sessions + stats.tombstones),
                 (unsigned long long)stats.bytes);
    }
}

// ---- Which step ------------------------------------------------------------------------------------------

static const struct {
    int share; // of 10,000
    void (*step)(struct sim *sim);
} STEPS[] = {
    {3000, sim_ask},    {3400, step_give}, {600, sim_again},   {100, step_lose},
    {600, step_tick},   {12, step_clock},  {1300, sim_writer}, {800, step_release},
    {80, step_leisure}, {40, step_disk},   {30, step_sweep},   {4, step_reload},
    {1, step_key},      {25, step_bounds}, {4, sim_crash},     {4, sim_calm},
};

static void step(struct sim *sim)
{
    int dice = sim_below(sim, 10000);
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        if (dice < STEPS[i].share) {
            STEPS[i].step(sim);
            break;
        }
        dice -= STEPS[i].share;
    }
    sim_pump(sim, false);
}

// ---- A world
// ---------------------------------------------------------------------------------------------

static void make_peers(struct sim *sim)
{
    for (int i = 0; i < SIM_PEERS; i++) {
        struct sim_peer *peer = &sim->peers[i];
        peer->admin = i >= SIM_PEERS - 2;
        (void)snprintf(peer->name, sizeof peer->name, "peer-%d", i);
        peer->peer = (struct peer){.name = str_of(peer->name),
                                   .hash = (uint64_t)i + 100,
                                   .grants = GRANT_ALL,
                                   .roles = peer->admin ? UINT32_MAX : 0};
    }
}

static void begin(struct sim *sim)
{
    static const size_t ENTRIES[] = {3, 8, 32, 1000};
    sim->now = (struct node_now){1000, EPOCH_MS + sim_below(sim, 86400000)};
    sim->journal_entries = ENTRIES[sim_below(sim, COUNT_OF(ENTRIES))];
    sim->sessions_max = sim_one_in(sim, 4) ? 200 : 0;
    sim->policies = sim_below(sim, 2);
    sim->ids[0] = (struct hash_key){sim_random(sim), sim_random(sim)};
    sim->id_set = 1;
    arena_init(&sim->arena, 0, 1 << 22);
    const struct store_config config = {.fault = on_disk, .user = sim, .undo = true};
    char why[STORE_WHY_MAX];
    invariant(store_open(&config, &sim->store, why) == PDP_ERR_OK);
    make_peers(sim);
    sim_boot(sim);
    for (int i = 0; i < SIM_ACTIVE; i++) {
        sim->active[i] = sim_story_new(sim, sim_below(sim, SIM_USERS));
    }
}

static void end(struct sim *sim)
{
    sim_machine_free(sim);
    store_close(&sim->store);
    for (int i = 0; i < SIM_LINKS; i++) {
        buf_fini(&sim->links[i].in);
        buf_fini(&sim->links[i].out);
    }
    buf_fini(&sim->scratch);
    arena_fini(&sim->arena);
}

void sim_world(uint64_t seed, uint64_t steps, bool loud, struct sim_result *out)
{
    struct sim *sim = calloc(1, sizeof *sim);
    invariant(sim != NULL);
    sim->seed = seed;
    sim->random = seed * UINT64_C(0xD1342543DE82EF95) + 1;
    sim->loud = loud;
    begin(sim);
    for (sim->step = 1; sim->step <= steps && !sim->failed; sim->step++) {
        step(sim);
    }
    if (!sim->failed) {
        sim_calm(sim);
    }
    if (!sim->failed) {
        sim_crash(sim);
    }
    *out = (struct sim_result){.failed = sim->failed,
                               .hash = sim->hash,
                               .steps = sim->step - 1,
                               .ends = sim->ends,
                               .allows = sim->allows,
                               .crashes = sim->crashes,
                               .answers = sim->answers};
    if (loud) {
        for (size_t i = 0; i < COUNT_OF(DID); i++) {
            fprintf(stderr, "%s %llu\n", DID[i], (unsigned long long)sim->counts[i]);
        }
    }
    end(sim);
    free(sim);
}
