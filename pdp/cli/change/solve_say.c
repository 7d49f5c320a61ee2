// SPDX-License-Identifier: Apache-2.0
// How an attribute gets a value: as the question says it, or by what happens before.
#include "cli/change/solve.h"

#include "risk/model.h"

#include "base/fmath.h"

static struct value text_value(const char *text)
{
    return value_str(str_of(text));
}

struct value solve_sample(struct solver *s, const struct cel_slot_info *info)
{
    static const char *const TEXTS[] = {"a", "x", "staff", "high", "1"};
    if (info->schema != NULL && info->schema->value_count > 0) {
        return value_str(info->schema->values[luck_below(s->luck, info->schema->value_count)]);
    }
    switch (info->type) {
    case CEL_BOOL:
        return value_bool(luck_one_in(s->luck, 2));
    case CEL_INT:
        return value_int(luck_below(s->luck, 3));
    case CEL_DOUBLE:
        return value_double(luck_below(s->luck, 3));
    case CEL_TIMESTAMP:
        return value_time_ms(s->trial->now_ms - 60000);
    case CEL_DURATION:
        return text_value("60s");
    case CEL_IP:
        return text_value("203.0.113.7");
    case CEL_LIST_STRING:
    case CEL_LIST_DYN:
    case CEL_LIST_INT:
        return (struct value){.kind = VALUE_LIST};
    case CEL_MAP_DYN:
        return (struct value){.kind = VALUE_MAP};
    default:
        return text_value(TEXTS[luck_below(s->luck, COUNT_OF(TEXTS))]);
    }
}

// ---- What no question says --------------------------------------------------------------------------

void solve_score(struct solver *s, double score)
{
    const struct risk_model *model = s->side->parts.risk;
    double share = score / 100;
    share = share < 0.0001 ? 0.0001 : share > 0.9999 ? 0.9999 : share;
    double odds = (fmath_log(share / (1 - share)) - model->shift) / model->scale;
    s->trial->session = true;
    s->trial->login = true;
    // A number that can be read: a hundredth moves no score by more than a quarter of a point.
    s->trial->evidence = (double)(int64_t)((odds - model->prior) * 100) / 100;
}

static void put_level(struct solver *s, int64_t level)
{
    const double *edges = s->side->parts.risk->thresholds;
    double from = level <= 0 ? 0 : edges[level > MODEL_EDGES ? MODEL_EDGES - 1 : level - 1];
    double to = level < 0 ? edges[0] : level >= MODEL_EDGES ? 100 : edges[level];
    solve_score(s, from + (to - from) * (0.05 + 0.9 * luck_below(s->luck, 100) / 100.0));
}

static void put_risk(struct solver *s, struct str path, const struct value *value)
{
    if (str_eq(path, STR("risk.level"))) {
        put_level(s, value->as.i);
    } else if (str_eq(path, STR("risk.score"))) {
        solve_score(s, value->kind == VALUE_DOUBLE ? value->as.d : (double)value->as.i);
    } else {
        solve_score(s, 30 + luck_below(s->luck, 70));
        s->trial->quiet = luck_one_in(s->luck, 2); // then another place and device
    }
}

static const char *const AGENTS[] = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Safari/605.1.15",
    "curl/8.5.0",
    "python-requests/2.31.0"};

static void put_device(struct solver *s, struct str path, const struct value *value)
{
    if (str_eq(path, STR("device.remembered"))) {
        s->trial->login = true;
        s->trial->session = true;
        s->trial->remember = value->kind != VALUE_BOOL || value->as.b;
    } else if (str_eq(path, STR("device.first_seen"))) {
        int64_t age_ms = s->trial->now_ms - (value->kind == VALUE_TIMESTAMP ? value->as.i * 1000 : 0);
        s->trial->session = true;
        s->trial->login = true;
        s->trial->others = 1; // another session, whose limits are its own
        s->trial->early_ms = age_ms > 0 && age_ms < INT64_C(100000000000) ? age_ms : 1000;
    } else {
        trial_put(s->trial, STR("device.user_agent"),
                  text_value(AGENTS[luck_below(s->luck, COUNT_OF(AGENTS))]));
    }
}

static void put_session(struct solver *s, struct str path, const struct value *value)
{
    bool yes = value->kind != VALUE_BOOL || value->as.b;
    if (str_eq(path, STR("session.requests")) && value->kind == VALUE_INT) {
        s->trial->repeats = (uint32_t)(value->as.i < 0 ? 0 : value->as.i > 200 ? 200 : value->as.i);
    } else if (str_eq(path, STR("session.started")) || str_eq(path, STR("session.last_seen"))) {
        s->trial->login = true;
        s->trial->gap_ms = s->trial->now_ms - value->as.i * 1000;
        s->trial->gap_ms = s->trial->gap_ms < 1000 ? 1000 : s->trial->gap_ms;
    } else {
        s->trial->login = yes;
        s->trial->session = true;
    }
}

// What adds an attribute is told its number at once; what adds one a question is asked so often.
static void put_counter(struct solver *s, struct str name, const struct value *value)
{
    size_t count = 0;
    const struct policy_counter *all = policy_counters(s->side->parts.set, &count);
    double number = value->kind == VALUE_DOUBLE ? value->as.d : (double)value->as.i;
    for (size_t i = 0; i < count; i++) {
        uint32_t slots[4];
        if (str_eq(all[i].name, name) && all[i].add != UINT32_MAX &&
            solve_slots(s->side->parts.program, all[i].add, slots, COUNT_OF(slots)) > 0) {
            struct str path = cel_slot_at(s->side->parts.program, slots[0])->path;
            solve_put(s, path, number < 9e15 && number > -9e15 ? value_int((int64_t)number) : *value);
            return;
        }
    }
    number = number < 0 ? 0 : number > 250 ? 250 : number;
    s->trial->repeats = (uint32_t)number;
}

void solve_put(struct solver *s, struct str path, struct value value)
{
    if (str_eq(path, STR("now")) && value.kind == VALUE_TIMESTAMP) {
        s->trial->now_ms = s->fixed_now ? s->trial->now_ms : value.as.i * 1000 + value.n / 1000000;
    } else if (str_eq(path, STR("resource.path"))) {
        trial_put(s->trial, STR("resource.type"), text_value("route"));
        trial_put(s->trial, STR("resource.id"), value);
    } else if (str_starts(path, STR("risk."))) {
        put_risk(s, path, &value);
    } else if (str_starts(path, STR("counters."))) {
        put_counter(s, str_sub(path, 9, path.len), &value);
    } else if (str_eq(path, STR("network.private"))) {
        bool yes = value.kind == VALUE_BOOL && value.as.b;
        trial_put(s->trial, STR("network.ip"), text_value(yes ? "10.0.0.7" : "203.0.113.7"));
    } else if (trial_is_said(path) || str_starts(path, STR(SOLVE_LOCAL)) || str_starts(path, STR("geo."))) {
        trial_put(s->trial, path, value);
    } else if (str_starts(path, STR("device."))) {
        put_device(s, path, &value);
    } else if (str_starts(path, STR("session."))) {
        put_session(s, path, &value);
    }
}
