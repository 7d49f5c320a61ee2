// SPDX-License-Identifier: Apache-2.0
// What an analyst looks at all the time: counters to take differences of, and what is risky now.
#include "node/admin_ops.h"

#include "base/ip.h"

enum {
    RULES_MOST = 10,
    LOOKS_MOST = 8192 // sessions looked at by one call; the next goes on behind them
};

// As of the last question that the session remembers; below 0: none.
static double score_of(const struct session_record *record)
{
    const struct session_repeat *last =
        &record->repeats[(record->repeat_next + SESSION_REPEATS - 1) % SESSION_REPEATS];
    return last->id != 0 ? (double)last->score : -1;
}

static bool is_live(const struct session_view *view)
{
    return view->record.state == SESSION_ACTIVE || view->record.state == SESSION_CHALLENGED;
}

// ---- The riskiest: kept from call to call, since no call looks at all --------------------------------

static void refresh(struct admin *admin)
{
    struct admin_top *top = &admin->top;
    size_t count = 0;
    for (size_t i = 0; i < top->count; i++) {
        struct session_view now;
        struct str ref = {top->best[i].ref, strnlen(top->best[i].ref, sizeof top->best[i].ref)};
        if (session_look(engine_sessions(admin->engine), ref, &now) && is_live(&now)) {
            top->best[count++] = now;
        }
    }
    top->count = count;
}

static bool is_kept(const struct admin_top *top, const struct session_view *view)
{
    for (size_t i = 0; i < top->count; i++) {
        if (memcmp(top->best[i].ref, view->ref, sizeof view->ref) == 0) {
            return true;
        }
    }
    return false;
}

static void consider(struct admin_top *top, const struct session_view *view)
{
    double score = score_of(&view->record);
    if (!is_live(view) || score < 0 || is_kept(top, view)) {
        return;
    }
    size_t least = 0;
    for (size_t i = 1; i < top->count; i++) {
        least = score_of(&top->best[i].record) < score_of(&top->best[least].record) ? i : least;
    }
    if (top->count < ADMIN_TOP_MOST) {
        top->best[top->count++] = *view;
    } else if (score_of(&top->best[least].record) < score) {
        top->best[least] = *view;
    }
}

static void look_on(struct admin *admin)
{
    struct admin_top *top = &admin->top;
    size_t looked = 0;
    do {
        size_t count = session_list(engine_sessions(admin->engine), &top->cursor, admin->views, ADMIN_VIEWS);
        for (size_t i = 0; i < count; i++) {
            consider(top, &admin->views[i]);
        }
        looked += ADMIN_VIEWS;
    } while (top->cursor != 0 && looked < LOOKS_MOST);
}

static void sort(struct admin_top *top)
{
    for (size_t i = 1; i < top->count; i++) {
        for (size_t k = i; k > 0 && score_of(&top->best[k].record) > score_of(&top->best[k - 1].record);
             k--) {
            struct session_view swap = top->best[k];
            top->best[k] = top->best[k - 1];
            top->best[k - 1] = swap;
        }
    }
}

static struct str c_text(const char *text, size_t size)
{
    return (struct str){text, strnlen(text, size)};
}

static void put_risky(struct emit *emit, const struct session_view *view)
{
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "ref", c_text(view->ref, sizeof view->ref));
    emit_key_str(emit, "tenant", c_text(view->tenant, sizeof view->tenant));
    emit_key_str(emit, "subject", c_text(view->subject_id, sizeof view->subject_id));
    emit_key_str(emit, "state", str_of(session_state_name((enum session_state)view->record.state)));
    emit_key_double(emit, "score", score_of(&view->record));
    admin_time(emit, "last_seen", view->record.last_seen_ms);
    if ((view->record.last.flags & SIGHT_HAS_IP) != 0) {
        struct buf ip = {0};
        ip_print(&ip, &view->record.last.ip);
        emit_key_str(emit, "ip", buf_view(&ip));
        buf_fini(&ip);
    }
    emit_end(emit);
}

static void put_riskiest(struct admin *admin, struct emit *emit)
{
    refresh(admin);
    look_on(admin);
    sort(&admin->top);
    emit_key(emit, STR("riskiest"));
    emit_list(emit, admin->top.count);
    for (size_t i = 0; i < admin->top.count; i++) {
        put_risky(emit, &admin->top.best[i]);
    }
    emit_end(emit);
}

// ---- Counters ----------------------------------------------------------------------------------------

static void put_answers(struct admin *admin, struct emit *emit)
{
    struct engine_counts counts;
    engine_count(admin->engine, &counts);
    emit_key(emit, STR("answers"));
    emit_map(emit, EMIT_FEW);
    emit_key_int(emit, "questions", (int64_t)counts.questions);
    emit_key_int(emit, "events", (int64_t)counts.events);
    emit_key_int(emit, "overloaded", (int64_t)counts.codes[PDP_CODE_OVERLOADED]);
    for (int i = 0; i < PDP_EFFECT_COUNT; i++) {
        emit_key_int(emit, pdp_effect_name((enum pdp_effect)i), (int64_t)counts.effects[i]);
    }
    emit_end(emit);
}

// Steps and their counts: who asks twice knows the time between.
static void put_latency(const struct histogram_sum *latency, struct emit *emit)
{
    emit_key(emit, STR("latency"));
    emit_map(emit, EMIT_FEW);
    emit_key(emit, STR("up_to_ns"));
    emit_list(emit, HISTOGRAM_COUNT - 1);
    for (size_t i = 0; i < HISTOGRAM_COUNT - 1; i++) {
        emit_int(emit, (int64_t)HISTOGRAM_NS[i]);
    }
    emit_end(emit);
    emit_key(emit, STR("counts"));
    emit_list(emit, HISTOGRAM_COUNT);
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        emit_int(emit, (int64_t)latency->counts[i]);
    }
    emit_end(emit);
    emit_key_int(emit, "p50_ns", (int64_t)histogram_quantile(latency, 0.5));
    emit_key_int(emit, "p99_ns", (int64_t)histogram_quantile(latency, 0.99));
    emit_end(emit);
}

static void put_rules(struct admin *admin, struct emit *emit)
{
    struct engine_rule_hits rules[RULES_MOST];
    size_t count = engine_top_rules(admin->engine, admin->worker, rules, COUNT_OF(rules));
    emit_key(emit, STR("rules"));
    emit_list(emit, count);
    for (size_t i = 0; i < count; i++) {
        emit_map(emit, 3);
        emit_key_str(emit, "rule", str_of(rules[i].name));
        emit_key_str(emit, "effect", str_of(pdp_effect_name(rules[i].effect)));
        emit_key_int(emit, "hits", (int64_t)rules[i].hits);
        emit_end(emit);
    }
    emit_end(emit);
}

void admin_top(struct admin_call *call)
{
    struct admin *admin = call->admin;
    struct admin_status status = {0};
    struct session_stats stats;
    admin->host.status(admin->host.user, &status);
    session_stats(engine_sessions(admin->engine), &stats);
    emit_map(call->emit, EMIT_FEW);
    emit_key_bool(call->emit, "ok", true);
    emit_key_str(call->emit, "version", str_of(PDP_VERSION));
    emit_key_int(call->emit, "pid", status.pid);
    emit_key_int(call->emit, "uptime_s", status.uptime_s);
    emit_key_int(call->emit, "at_ms", node_asking_now(call->asking).steady_ms);
    emit_key_int(call->emit, "policy_epoch", (int64_t)engine_policy_epoch(admin->engine));
    emit_key_int(call->emit, "connections", (int64_t)status.counts.connections);
    emit_key_int(call->emit, "sessions", (int64_t)stats.sessions);
    emit_key_int(call->emit, "tombstones", (int64_t)stats.tombstones);
    put_answers(admin, call->emit);
    put_latency(&status.latency, call->emit);
    put_rules(admin, call->emit);
    put_riskiest(admin, call->emit);
    admin_put_alarms(&status, call->emit);
    emit_end(call->emit);
}
