// SPDX-License-Identifier: Apache-2.0
// The machine: put together from what is on the disk, driven, and taken away.
#include "sim/sim.h"

#include "engine/controls.h"
#include "node/inner.h"
#include "session/row.h"

static const struct hash_key KEY = {11, 22};

// ---- Handlers, with an ear in front ----------------------------------------------------------------------

static void begin(struct sim *sim, const struct node_asking *asking, struct node_now now)
{
    struct sim_send *send = sim_begun(sim, asking->conn->handle);
    if (send != NULL) {
        send->wall_ms = now.wall_ms;
        ledger_begin(sim, send);
    }
}

static enum node_outcome on_decide(void *user, struct node_asking *asking, struct str message,
                                   struct buf *out)
{
    struct sim *sim = user;
    begin(sim, asking, node_asking_now(asking));
    const struct node_handler inner = decide_handler(&sim->machine.decide);
    return inner.answer(inner.user, asking, message, out);
}

static enum node_outcome on_admin(void *user, struct node_asking *asking, struct str message, struct buf *out)
{
    struct sim *sim = user;
    begin(sim, asking, node_asking_now(asking));
    const struct node_handler inner = admin_handler(sim->machine.admin);
    return inner.answer(inner.user, asking, message, out);
}

// ---- What the admin asks of the daemon -------------------------------------------------------------------

static void host_status(void *user, struct admin_status *out)
{
    (void)user;
    *out = (struct admin_status){.source = {.path = "policies", .name = "", .digest = ""}};
}

static uint64_t host_reload(void *user, const struct peer *by, struct admin_taking taking)
{
    (void)by;
    (void)taking;
    (void)user;
    return 1;
}

static uint64_t host_reload_lists(void *user, struct str list)
{
    (void)user;
    (void)list;
    return 1;
}

static void host_ended(void *user, const struct peer *by, struct str ref, struct str reason)
{
    (void)user;
    (void)by;
    (void)ref;
    (void)reason;
}

static void host_controlled(void *user, const struct peer *by, const char *what,
                            const struct control *control, struct str reason)
{
    (void)user;
    (void)by;
    (void)what;
    (void)control;
    (void)reason;
}

static void wake(void *user)
{
    *(bool *)user = true;
}

// ---- Loading ---------------------------------------------------------------------------------------------

static enum pdp_err load_meta(void *user, const struct store_row *row)
{
    uint64_t at = 0;
    for (size_t i = 0; str_eq(row->key, STR(SESSION_ROW_FORGOTTEN)) && i < 8 && i < row->value.len; i++) {
        at |= (uint64_t)(unsigned char)row->value.at[i] << (8 * i);
    }
    session_restore_forgotten(user, (int64_t)at);
    return PDP_ERR_OK;
}

static enum pdp_err load_user(void *user, const struct store_row *row)
{
    struct user_record record;
    struct row_names names;
    TRY(row_user_read(row->key, row->value, &record, &names));
    return session_restore_user(user, &record, &names);
}

static enum pdp_err load_session(void *user, const struct store_row *row)
{
    struct session_record record;
    struct str gateway;
    TRY(row_session_read(row->key, row->value, &record, &gateway));
    enum pdp_err err = session_restore(user, &record, gateway);
    return err == PDP_ERR_UNKNOWN ? PDP_ERR_OK : err; // its user went with the power
}

struct loading {
    struct engine *engine;
    struct controls_load controls;
};

static enum pdp_err load_control(void *user, const struct store_row *row)
{
    struct loading *loading = user;
    return controls_load_row(&loading->controls, loading->engine, row->key, row->value);
}

static void load_controls(struct sim *sim)
{
    char why[STORE_WHY_MAX] = "";
    struct loading loading = {.engine = sim->machine.engine};
    enum pdp_err err = store_load(sim->store, STORE_CONTROLS, load_control, &loading, why);
    err = err == PDP_ERR_OK ? controls_load_end(&loading.controls, loading.engine) : err;
    controls_load_drop(&loading.controls);
    if (err != PDP_ERR_OK) {
        sim_fail(sim, SIM_NONE, "controls that were written cannot be read: %s %s", pdp_err_text(err), why);
    }
}

static void load(struct sim *sim)
{
    static const struct {
        enum store_table table;
        enum pdp_err (*each)(void *user, const struct store_row *row);
    } PARTS[] = {{STORE_META, load_meta}, {STORE_USERS, load_user}, {STORE_SESSIONS, load_session}};
    char why[STORE_WHY_MAX] = "";
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        enum pdp_err err =
            store_load(sim->store, PARTS[i].table, PARTS[i].each, engine_sessions(sim->machine.engine), why);
        if (err != PDP_ERR_OK) {
            sim_fail(sim, SIM_NONE, "what was written cannot be read: %s %s", pdp_err_text(err), why);
        }
    }
    session_restored(engine_sessions(sim->machine.engine));
}

// ---- Beginning and end -----------------------------------------------------------------------------------

static const struct node_limits LIMITS = {
    .connections = 64,
    .peer_connections = 8,
    .in_flight = 3,
    .turn_messages = 4,
    .queue_ms = 2000,
    .message_bytes = 4096,
    .backlog_bytes = 6000,
    .waiting_bytes = 1 << 20,
    .output_bytes = 200000,
    .handshake_ms = 5000,
    .frame_ms = 10000,
    .idle_ms = 120000,
    .stall_ms = 10000,
};

static void boot_engine(struct sim *sim)
{
    struct sim_machine *machine = &sim->machine;
    const struct journal_config journal = {.entries = sim->journal_entries};
    invariant(journal_new(&journal, &machine->journal) == PDP_ERR_OK);
    struct engine_config config = {.key = KEY,
                                   .id_key_set = sim->id_set,
                                   .id_key = sim->id,
                                   .journal = machine->journal,
                                   .id_prefix = 7,
                                   .sessions_max = sim->sessions_max};
    memcpy(config.id_keys, sim->ids, sizeof config.id_keys);
    invariant(engine_new(&config, &machine->engine) == PDP_ERR_OK);
    invariant(worker_new(machine->engine, &machine->worker) == PDP_ERR_OK);
    struct snapshot *snapshot = sim_policies(sim->policies);
    engine_publish(machine->engine, &snapshot);
    load(sim);
    load_controls(sim);
}

static void boot_nodes(struct sim *sim)
{
    struct sim_machine *machine = &sim->machine;
    for (int i = 0; i < 2; i++) {
        invariant(gate_new(machine->journal, wake, &sim->awake[i], &machine->gates[i]) == PDP_ERR_OK);
        const struct node_config config = {.handler = {i == 0 ? on_decide : on_admin, sim},
                                           .limits = LIMITS,
                                           .type = SP_REP0,
                                           .seed = {1, 2}};
        invariant(node_new(&config, &machine->nodes[i]) == PDP_ERR_OK);
    }
    machine->decide = (struct decide){machine->worker, machine->gates[0]};
    const struct admin_host host = {.status = host_status,
                                    .reload = host_reload,
                                    .reload_lists = host_reload_lists,
                                    .ended = host_ended,
                                    .controlled = host_controlled,
                                    .user = sim};
    invariant(admin_new(machine->engine, machine->gates[1], &host, &machine->admin) == PDP_ERR_OK);
    const struct group_config group = {
        .store = sim->store, .journal = machine->journal, .table = engine_sessions(machine->engine)};
    invariant(group_new(&group, &machine->group) == PDP_ERR_OK);
}

void sim_boot(struct sim *sim)
{
    boot_engine(sim);
    boot_nodes(sim);
    sim->pending = sim->noted = sim->awake[0] = sim->awake[1] = false;
    if (sim->id != 0) {
        ledger_refs(sim);
    }
    ledger_check(sim);
}

void sim_machine_free(struct sim *sim)
{
    struct sim_machine *machine = &sim->machine;
    group_free(&machine->group);
    for (int i = 0; i < 2; i++) {
        node_free(&machine->nodes[i]);
        gate_free(&machine->gates[i]);
    }
    admin_free(&machine->admin);
    worker_free(&machine->worker);
    engine_free(&machine->engine);
    journal_free(&machine->journal);
}

void sim_crash(struct sim *sim)
{
    sim->crashes++;
    sim_machine_free(sim);
    for (int i = 0; i < SIM_LINKS; i++) {
        sim_lose(sim, i);
    }
    size_t keep = sim_one_in(sim, 3) ? SIZE_MAX : (size_t)sim_below(sim, 5);
    sim_note(sim, DID_CRASH, SIM_NONE, (int64_t)keep, 0);
    store_cut(sim->store, keep);
    sim_boot(sim);
}

// ---- The writer: as its thread goes about it, a piece at a time ------------------------------------------

void sim_writer(struct sim *sim)
{
    struct group *group = sim->machine.group;
    if (sim->pending) {
        enum pdp_err err = group_write(group);
        sim->pending = false;
        sim->noted = sim->noted && err == PDP_ERR_OK;
        sim->awake[0] = sim->awake[1] = true;
        sim_note(sim, DID_WRITE, SIM_NONE, err, (int64_t)journal_durable(sim->machine.journal));
        return;
    }
    bool steps = group_gather(group, GROUP_STEPS);
    sim->pending = steps || (sim->noted && group_gather(group, GROUP_NOTED));
    sim->noted = sim->noted && (steps || sim->pending);
    sim_note(sim, DID_GATHER, SIM_NONE, sim->pending, !steps);
}

void sim_release(struct sim *sim, int node)
{
    if (sim->awake[node]) {
        sim->awake[node] = false;
        gate_release(sim->machine.gates[node], sim->machine.nodes[node], sim->now);
        sim_note(sim, DID_RELEASE, SIM_NONE, node, (int64_t)gate_held(sim->machine.gates[node]));
    }
}

void sim_calm(struct sim *sim)
{
    sim->disk = DISK_GOOD;
    for (int round = 0; round < 400 && !sim->failed; round++) {
        bool busy = sim->pending || sim->noted;
        for (int i = 0; i < SIM_LINKS; i++) {
            busy = busy || (sim->links[i].used &&
                            (sim->links[i].given < sim->links[i].in.len || sim->links[i].stuck));
            sim_give(sim, i);
        }
        sim_writer(sim);
        busy = busy || sim->pending;
        for (int i = 0; i < 2; i++) {
            busy = busy || sim->awake[i];
            sim_release(sim, i);
        }
        sim_pump(sim, true);
        if (!busy) {
            break;
        }
    }
    for (int i = 0; i < SIM_LINKS && !sim->failed; i++) {
        const struct sim_link *link = &sim->links[i];
        if (link->used && link->send_count > 0) {
            sim_fail(sim, sim->requests[link->sends[0].request].story,
                     "a question was not answered although its connection lives");
        }
    }
    if (gate_held(sim->machine.gates[0]) + gate_held(sim->machine.gates[1]) > 0) {
        sim_fail(sim, SIM_NONE, "an answer is held back although everything is durable");
    }
    sim_note(sim, DID_CALM, SIM_NONE, 0, 0);
    ledger_check(sim);
}
