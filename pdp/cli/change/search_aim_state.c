// SPDX-License-Identifier: Apache-2.0
// Aiming at what is no condition but what time and history make of it: counters, limits, scores, clocks.
#include "cli/change/search_aim.h"

#include "risk/model.h"

#include <math.h>

#define SLOTS_MOST 64 // of a condition

void search_aim_counter(struct searcher *searcher, struct trial *trial)
{
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    size_t count = 0;
    const struct policy_counter *all = policy_counters(solver.side->parts.set, &count);
    search_aim_root(searcher, trial, which, &solver);
    trial->repeats = trial->repeats > 0 ? trial->repeats : 1 + luck_below(&searcher->luck, 8);
    trial->stranger = luck_one_in(&searcher->luck, 3);
    trial->session = luck_one_in(&searcher->luck, 3); // without one, no limit of it ends the wait
    if (search_number(searcher->change, which) < count) {
        const struct policy_counter *counter = &all[search_number(searcher->change, which)];
        solve(&solver, counter->when, luck_below(&searcher->luck, 4) > 0);
        if (luck_one_in(&searcher->luck, 2)) { // spread over the window, or over more than that
            trial->pace_ms = counter->window_ms / 4 * (1 + luck_below(&searcher->luck, 6)) / trial->repeats;
        }
    }
}

void search_aim_session(struct searcher *searcher, struct trial *trial)
{
    struct session_stated stated;
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    static const int64_t AROUND_MS[] = {-1000, 0, 1000, 60000};
    if (!session_policies_at(solver.side->parts.sessions, search_number(searcher->change, which), &stated)) {
        return;
    }
    int64_t spans[] = {stated.idle_ms, stated.absolute_ms, stated.reauthentication_ms, stated.renew_ms};
    int64_t span = spans[luck_below(&searcher->luck, COUNT_OF(spans))];
    int64_t usual = luck_one_in(&searcher->luck, 2) ? SESSION_IDLE_DEFAULT_MS : SESSION_ABSOLUTE_DEFAULT_MS;
    span = (span > 0 ? span : usual) + AROUND_MS[luck_below(&searcher->luck, COUNT_OF(AROUND_MS))];
    search_allow(&solver);
    solve(&solver, stated.target, luck_below(&searcher->luck, 6) > 0);
    trial->login = luck_below(&searcher->luck, 3) > 0;
    trial->gap_ms = span > 1000 ? span : 1000;
    solve_put(&solver, STR("session.auth_time"), value_time_ms(trial->now_ms - span));
    if (luck_one_in(&searcher->luck, 5)) {
        trial_drop(trial, STR("session.auth_time"));
    }
    if (luck_one_in(&searcher->luck, 2)) { // within the idle limit, however old it is
        trial->gap_ms = 1000;
        trial->login = false;
    }
    if (stated.concurrent > 0 || luck_one_in(&searcher->luck, 4)) {
        trial->others = stated.concurrent + luck_below(&searcher->luck, 3);
        trial->others =
            trial->others > 0 && luck_one_in(&searcher->luck, 2) ? trial->others - 1 : trial->others;
        trial->others = trial->others < 40 ? trial->others : 40;
        trial->login = luck_one_in(&searcher->luck, 2);
        trial->gap_ms = 2000;
        trial_drop(trial, STR("session.auth_time"));
    }
    trial->remember = luck_one_in(&searcher->luck, 4);
}

// Between the two thresholds of a level, or where a signal would speak.
void search_aim_risk(struct searcher *searcher, struct trial *trial)
{
    const struct risk_model *was = searcher->was->parts.risk, *is = searcher->is->parts.risk;
    size_t which = luck_below(&searcher->luck, 2), edge = luck_below(&searcher->luck, MODEL_EDGES);
    struct solver solver = search_solver(searcher, trial, which);
    search_aim_root(searcher, trial, which, &solver);
    double share = (1 + luck_below(&searcher->luck, 99)) / 100.0;
    double a = was->thresholds[edge], b = is->thresholds[edge];
    solve_score(&solver, a < b || a > b ? a + (b - a) * share : 1 + 98 * share);
    if (change_part_of(searcher->change, "hysteresis") != NULL) { // above an edge, and a little later below
        solve_score(&solver, a + 2 * share);
        trial->repeats = 1;
        trial->pace_ms = INT64_C(60000) * (1 + luck_below(&searcher->luck, 58));
        return;
    }
    if (luck_one_in(&searcher->luck, 4)) { // without a finding from outside
        trial->evidence = NAN;
    }
    trial->failed = luck_one_in(&searcher->luck, 4) ? 1 + luck_below(&searcher->luck, 3) : 0;
    trial->passed = luck_one_in(&searcher->luck, 4);
    if (trial->passed && solver.side->parts.set->strength_count > 0) {
        search_prove(&solver, luck_below(&searcher->luck, solver.side->parts.set->strength_count), true);
    }
    if (luck_one_in(&searcher->luck, 4)) { // asked before, and once more when it has faded
        trial->repeats = 1;
        trial->pace_ms = INT64_C(60000) << luck_below(&searcher->luck, 6);
    }
}

void search_aim_signal(struct searcher *searcher, struct trial *trial)
{
    static const char *const AGENTS[] = {
        "curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"};
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    const struct risk_model *model = solver.side->parts.risk;
    uint32_t row = search_number(searcher->change, which);
    search_aim_risk(searcher, trial);
    const struct signal_own *own = row < model->count ? model_own(model, row) : NULL;
    if (own != NULL) {
        solve(&solver, own->when, true);
        return;
    }
    trial->quiet = luck_below(&searcher->luck, 4) > 0; // then what follows is another device and place
    trial->login = luck_one_in(&searcher->luck, 2);
    trial_put(trial, STR("device.user_agent"), value_str(str_of(AGENTS[luck_below(&searcher->luck, 2)])));
    if (luck_one_in(&searcher->luck, 3)) {
        trial_put(trial, STR("device.components.ja4"),
                  value_str(STR("t13d1516h2_8daaf6152771_b186095e22b6")));
    }
    bool rate = str_eq(searcher->change->name, STR("request-rate"));
    if (luck_one_in(&searcher->luck, rate ? 3 : 40)) {
        trial->repeats = 100 + luck_below(&searcher->luck, 100);
        trial->pace_ms = 50;
    }
    if (!rate && luck_one_in(&searcher->luck, 3)) { // asked before, and once more when it has faded
        trial->repeats = 1 + luck_below(&searcher->luck, 2);
        trial->pace_ms = INT64_C(60000) << luck_below(&searcher->luck, 6);
    }
    if (luck_one_in(&searcher->luck, 3)) {
        trial->gap_ms = INT64_C(1000) << luck_below(&searcher->luck, 16);
    }
}

// A moment at which the clocks of both sides differ, now or as a time that the question carries.
void search_aim_zone(struct searcher *searcher, struct trial *trial)
{
    const struct change *change = searcher->change;
    size_t which = search_choose(searcher);
    struct solver solver = search_solver(searcher, trial, which);
    uint32_t slots[SLOTS_MOST], rule = search_root(searcher, which);
    int64_t at = change->moments[luck_below(&searcher->luck, change->part_count)];
    at += luck_one_in(&searcher->luck, 16) ? (int64_t)luck_below(&searcher->luck, 48) * 1800 : 0;
    trial->now_ms = at * 1000;
    if (luck_below(&searcher->luck, 4) > 0) {
        search_allow(&solver);
    }
    search_aim_rule(&solver, rule, luck_below(&searcher->luck, 6) > 0);
    if (rule == CHANGE_NONE || luck_one_in(&searcher->luck, 2)) {
        return;
    }
    const struct cel_program *program = solver.side->parts.program;
    size_t count = solve_slots(program, solver.side->parts.set->rules[rule].when, slots, SLOTS_MOST);
    for (size_t i = 0; i < count; i++) {
        const struct cel_slot_info *info = &program->slots[slots[i]].info;
        if (info->type == CEL_TIMESTAMP || info->type == CEL_DYN) {
            solve_put(&solver, info->path, value_time_ms(at * 1000));
        }
    }
}
