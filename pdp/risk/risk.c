// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/risk.h"

#include "base/fmath.h"
#include "base/num.h"
#include "risk/drift.h"
#include "risk/horizon.h"
#include "risk/ledger.h"
#include "risk/model.h"

_Static_assert(MODEL_SIGNALS <= VERDICT_SIGNALS_MAX, "an answer can list every signal");
_Static_assert(MODEL_SIGNALS <= RISK_SIGNALS_MAX, "a mask has a bit for every signal");

// One signal's part of L, and whether the context shows it now.
struct part {
    double evidence;
    uint32_t row;
    bool now;
    int64_t age_ms; // of what is remembered
};

// What a signal comes to by itself, before its group is looked at.
struct weighed {
    double left, calm; // suspicion and reassurance
    int64_t age_ms;    // of the suspicion
    bool now;
};

// One scoring.
struct scoring {
    const struct risk_model *model;
    struct signal_view view;
    struct risk_state state; // copies
    struct risk_user user;
    int64_t clock_ms; // of the ledger
    bool proved;      // a step-up was passed: its context is the user's own
    bool found;       // something new came into the ledger
    struct horizon horizon;
    uint64_t kept; // a bit each: something may be kept under this number, numbers from 63 on share the last
    uint8_t spoke[MODEL_SIGNALS]; // rows of `weighed` that are not all zero
    size_t spoke_count;
    struct weighed weighed[MODEL_SIGNALS];
    struct part parts[MODEL_SIGNALS];
    size_t part_count;
    struct risk_result *out;
};

static uint64_t kept_bit(uint16_t slot)
{
    return slot == SLOT_NONE ? 0 : UINT64_C(1) << (slot < 63 ? slot : 63);
}

// A pair in hand: where it lies, or a blank that is kept once it holds something.
struct hand {
    struct risk_entry *entry;
    struct risk_entry blank;
};

static const struct signal_row *row_of(const struct scoring *s, size_t row)
{
    return model_row(s->model, row);
}

static struct ledger_pair take(struct scoring *s, uint16_t slot, struct hand *hand)
{
    hand->blank = (struct risk_entry){.slot = slot};
    struct risk_entry *kept = slot != SLOT_NONE ? state_find(&s->state, slot) : NULL;
    hand->entry = kept != NULL ? kept : &hand->blank;
    return (struct ledger_pair){&hand->entry->value, &hand->entry->at_s, false};
}

static double entry_left(const void *user, const struct risk_entry *entry)
{
    const struct scoring *s = user;
    for (size_t row = 0; row < s->model->count; row++) {
        if (row_of(s, row)->slot == entry->slot || row_of(s, row)->calm_slot == entry->slot) {
            return ledger_left(entry->value, entry->at_s, s->clock_ms, s->model->rules[row].half_life_ms);
        }
    }
    return 0; // of a signal that is no more
}

static void give_back(struct scoring *s, struct hand *hand)
{
    if (hand->entry == &hand->blank && hand->blank.value != 0 && hand->blank.slot != SLOT_NONE) {
        state_keep(&s->state, &hand->blank, entry_left, s);
    }
}

// Is suspicion of this signal, stored with this time, set aside?
static bool is_pardoned(const struct scoring *s, size_t row, int64_t stored_ms)
{
    const struct risk_pardons *pardons = s->view.in->pardons;
    return pardons != NULL && stored_ms <= pardons->at_ms[row];
}

static void note_pardoned(struct scoring *s, size_t row)
{
    s->out->pardoned |= UINT32_C(1) << row;
}

static int64_t stored_ms(uint32_t at_s)
{
    return (int64_t)at_s * 1000;
}

static double at_most(double x, double most)
{
    return x < most ? x : most;
}

static bool is_hard(enum signal_class kind)
{
    return kind != SIGNAL_FAMILIARITY;
}

// ---- Moving the state --------------------------------------------------------------------------

static bool proves(const struct scoring *s)
{
    const struct risk_input *in = s->view.in;
    return in->event == EVENT_STEP_UP_PASSED && in->passed_strength >= 0 &&
           (size_t)in->passed_strength < s->model->proof_count;
}

// The verified context is the user's own: what it showed is forgotten, and counts for calm.
static void take_proof(struct scoring *s)
{
    for (size_t i = SIGNAL_FIRST_READ; i < s->model->count; i++) {
        if (row_of(s, i)->kind == SIGNAL_SESSION || row_of(s, i)->kind == SIGNAL_FAMILIARITY) {
            state_drop(&s->state, row_of(s, i)->slot);
        }
    }
    s->state.cusum = 0;
    s->state.switches = 0;
    s->state.sides = 0;
    state_tell(&s->state, RISK_LOW);
    for (size_t i = 0; i < USER_SESSIONS; i++) {
        if (s->user.marks[i].tag == s->state.tag && s->state.tag != 0) {
            s->user.marks[i] = (struct user_mark){0};
        }
    }
    const struct signal_rule *rule = &s->model->rules[SIGNAL_STEP_UP_PASSED];
    double taken = at_most(s->model->proofs[s->view.in->passed_strength], rule->cap);
    struct hand hand;
    struct ledger_pair pair = take(s, SIGNALS[SIGNAL_STEP_UP_PASSED].calm_slot, &hand);
    (void)ledger_raise(pair, taken, s->clock_ms, rule->half_life_ms);
    give_back(s, &hand);
}

void risk_undo_proof(void *bytes)
{
    struct risk_state state;
    memcpy(&state, bytes, sizeof state);
    state_drop(&state, SIGNALS[SIGNAL_STEP_UP_PASSED].calm_slot);
    memcpy(bytes, &state, sizeof state);
}

// Gives the session its mark among the user's where its suspicion wins over what the mark holds. Only where
// something was found: else how often a session is asked would change what it leaves to others.
static void leave_mark(struct scoring *s)
{
    const struct signal_rule *rule = &s->model->rules[SIGNAL_OTHER_SESSIONS];
    if (!(s->out->hard > 0) || !(rule->evidence > 0) || (!s->found && !s->proved)) {
        return;
    }
    struct user_mark *mark = NULL;
    double least = 0;
    for (size_t i = 0; i < USER_SESSIONS; i++) {
        struct user_mark *at = &s->user.marks[i];
        bool pardoned = is_pardoned(s, SIGNAL_OTHER_SESSIONS, stored_ms(at->at_s));
        double left = at->tag == 0 ? -1
                      : pardoned   ? 0
                                   : ledger_left(at->value, at->at_s, s->clock_ms, rule->half_life_ms);
        if (at->tag == s->state.tag) {
            mark = at;
            break;
        }
        if (mark == NULL || left < least) {
            mark = at;
            least = left;
        }
    }
    if (mark->tag != s->state.tag) {
        if (least >= s->out->hard) {
            return; // four others weigh more
        }
        *mark = (struct user_mark){.tag = s->state.tag};
    }
    bool pardoned = is_pardoned(s, SIGNAL_OTHER_SESSIONS, stored_ms(mark->at_s));
    (void)ledger_raise((struct ledger_pair){&mark->value, &mark->at_s, pardoned}, s->out->hard, s->clock_ms,
                       rule->half_life_ms);
}

// ---- Reading -----------------------------------------------------------------------------------

static void add_part(struct scoring *s, size_t row, double evidence, bool now, int64_t age_ms)
{
    if (evidence == 0 || (s->view.in->muted >> row & 1) != 0) {
        return;
    }
    s->parts[s->part_count++] = (struct part){evidence, (uint32_t)row, now, age_ms};
    s->out->log_odds += evidence;
    if (is_hard(row_of(s, row)->kind)) {
        s->out->hard += evidence;
    }
}

// A question that lacks what the signal reads: as the model says.
static double missing_evidence(struct scoring *s, size_t row)
{
    const struct signal_rule *rule = &s->model->rules[row];
    if (s->view.in->event != EVENT_NONE) {
        return 0;
    }
    if (rule->on_missing == MISSING_DENY && !s->out->deny) {
        s->out->deny = true;
        s->out->missing = row_of(s, row)->id;
    }
    return rule->on_missing == MISSING_SCORE ? rule->missing_evidence : 0;
}

static double read_signal(struct scoring *s, size_t row)
{
    if (s->view.in->event == EVENT_LOGIN_FAILED ||
        (s->proved &&
         (row_of(s, row)->kind == SIGNAL_SESSION || row_of(s, row)->kind == SIGNAL_FAMILIARITY))) {
        return 0;
    }
    s->view.rule = &s->model->rules[row];
    s->view.own = model_own(s->model, row);
    struct signal_reading reading = row_of(s, row)->read(&s->view);
    return reading.missing ? missing_evidence(s, row) : reading.evidence;
}

static bool is_muted(const struct scoring *s, size_t row)
{
    return (s->view.in->muted >> row & 1) != 0;
}

// Reassurance of a signal that can reassure: the newest.
static double weigh_reassurance(struct scoring *s, size_t row, double fresh)
{
    const struct signal_rule *rule = &s->model->rules[row];
    struct hand hand;
    struct ledger_pair pair = take(s, row_of(s, row)->calm_slot, &hand);
    ledger_replace(pair, at_most(-fresh, rule->cap), s->clock_ms);
    double calm = at_most(ledger_left(*pair.value, *pair.at_s, s->clock_ms, rule->half_life_ms), rule->cap);
    horizon_returns(&s->horizon, calm, rule->pace);
    give_back(s, &hand);
    return calm;
}

// Most signals find nothing and have found nothing: those cost this question.
static bool has_kept(const struct scoring *s, size_t row)
{
    return (s->kept & (kept_bit(row_of(s, row)->slot) | kept_bit(row_of(s, row)->calm_slot))) != 0;
}

static void note_spoken(struct scoring *s, size_t row, struct weighed weighed)
{
    s->weighed[row] = weighed;
    s->spoke[s->spoke_count++] = (uint8_t)row;
}

static void weigh_signal(struct scoring *s, size_t row)
{
    const struct signal_rule *rule = &s->model->rules[row];
    s->weighed[row] = (struct weighed){0};
    if (!(rule->evidence > 0) || is_muted(s, row)) {
        return;
    }
    double fresh = at_most(read_signal(s, row), rule->cap);
    if (fresh == 0 && !has_kept(s, row)) {
        return;
    }
    struct hand hand;
    struct ledger_pair pair = take(s, row_of(s, row)->slot, &hand);
    pair.pardoned = *pair.value != 0 && is_pardoned(s, row, stored_ms(*pair.at_s));
    if (pair.pardoned) {
        note_pardoned(s, row);
    }
    const uint16_t value = *pair.value;
    const uint32_t at_s = *pair.at_s;
    double left = at_most(ledger_raise(pair, fresh, s->clock_ms, rule->half_life_ms), rule->cap);
    s->found |= *pair.value != value || *pair.at_s != at_s;
    int64_t age_ms = num_sub_sat(s->clock_ms, stored_ms(*pair.at_s));
    give_back(s, &hand);
    double calm = 0;
    if (row_of(s, row)->calm_slot != SLOT_NONE) {
        calm = weigh_reassurance(s, row, fresh);
    } else if (row_of(s, row)->calms && fresh < 0) {
        calm = -fresh;
    }
    note_spoken(s, row, (struct weighed){left, calm, age_ms, fresh != 0});
}

static const double BESIDE = 0.25; // of suspicion that only says again what a stronger one says

// Of each group, the rows of the strongest suspicion: of all, of what is hard, and of what is not.
struct strongest {
    size_t all, hard, soft;
};

static void take_stronger(const struct scoring *s, size_t *first, size_t row)
{
    *first = *first == 0 || s->weighed[row].left > s->weighed[*first].left ? row : *first;
}

static double left_of(const struct scoring *s, size_t row)
{
    return row != 0 ? s->weighed[row].left : 0;
}

// What a signal adds to the sum. What is hard is counted by itself, whatever is beside it that is not; what
// is not tells what it finds beyond. Together it is the strongest of all and a quarter of the others.
static double counted(const struct scoring *s, const struct strongest *first, size_t row)
{
    double left = s->weighed[row].left, hard = left_of(s, first->hard);
    if (row_of(s, row)->group == GROUP_NONE || row == first->hard) {
        return left;
    }
    return row == first->soft && left > hard ? left - (1 - BESIDE) * hard : left * BESIDE;
}

// What the context in hand reassures: the less, the more the session itself shows. Whoever steals a session
// copies the browser as well.
static double calm_beside(const struct scoring *s, size_t row, double shown)
{
    return row_of(s, row)->calms ? s->weighed[row].calm / (1 + shown / 2) : s->weighed[row].calm;
}

static void add_weighed(struct scoring *s, const struct strongest *first, size_t row, double shown)
{
    const struct weighed *weighed = &s->weighed[row];
    bool full = row_of(s, row)->group == GROUP_NONE || row == first->all;
    horizon_fades(&s->horizon, full ? weighed->left : weighed->left * BESIDE, s->model->rules[row].pace);
    double calm = calm_beside(s, row, shown);
    if (row_of(s, row)->calms) {
        s->horizon.steady += calm;
        s->horizon.steady_most += weighed->calm;
    }
    add_part(s, row, counted(s, first, row) - calm, weighed->now, weighed->age_ms);
}

// Each fact once: a new country is a new network, an unlikely journey and a rare place as well.
static void weigh_groups(struct scoring *s)
{
    struct strongest first[SIGNAL_GROUPS] = {{0, 0, 0}};
    for (size_t i = 0; i < s->spoke_count; i++) {
        size_t row = s->spoke[i];
        struct strongest *group = &first[row_of(s, row)->group];
        take_stronger(s, &group->all, row);
        take_stronger(s, is_hard(row_of(s, row)->kind) ? &group->hard : &group->soft, row);
    }
    double shown = 0;
    for (size_t i = 0; i < s->spoke_count; i++) {
        size_t row = s->spoke[i];
        shown += row_of(s, row)->kind == SIGNAL_SESSION ? counted(s, &first[row_of(s, row)->group], row) : 0;
    }
    for (size_t i = 0; i < s->spoke_count; i++) {
        size_t row = s->spoke[i];
        add_weighed(s, &first[row_of(s, row)->group], row, shown);
    }
}

static void weigh_calm(struct scoring *s)
{
    const struct signal_rule *rule = &s->model->rules[SIGNAL_STEP_UP_PASSED];
    struct hand hand;
    struct ledger_pair pair = take(s, SIGNALS[SIGNAL_STEP_UP_PASSED].calm_slot, &hand);
    double left = at_most(ledger_left(*pair.value, *pair.at_s, s->clock_ms, rule->half_life_ms), rule->cap);
    horizon_returns(&s->horizon, left, rule->pace);
    add_part(s, SIGNAL_STEP_UP_PASSED, -left, s->proved, num_sub_sat(s->clock_ms, stored_ms(*pair.at_s)));
}

// The most that one of the user's other sessions has left.
static void weigh_others(struct scoring *s)
{
    const struct signal_rule *rule = &s->model->rules[SIGNAL_OTHER_SESSIONS];
    double most = 0;
    int64_t age_ms = 0;
    for (size_t i = 0; i < USER_SESSIONS; i++) {
        const struct user_mark *mark = &s->user.marks[i];
        if (mark->tag == 0 || mark->tag == s->state.tag) {
            continue;
        }
        if (is_pardoned(s, SIGNAL_OTHER_SESSIONS, stored_ms(mark->at_s))) {
            note_pardoned(s, SIGNAL_OTHER_SESSIONS);
            continue;
        }
        double left = ledger_left(mark->value, mark->at_s, s->clock_ms, rule->half_life_ms);
        if (left > most) {
            most = left;
            age_ms = s->clock_ms - (int64_t)mark->at_s * 1000;
        }
    }
    most = rule->evidence > 0 ? at_most(most * rule->params[0], at_most(rule->cap, rule->evidence)) : 0;
    horizon_fades(&s->horizon, most, rule->pace);
    add_part(s, SIGNAL_OTHER_SESSIONS, most, false, age_ms);
}

// ---- The answer --------------------------------------------------------------------------------

// Suspicion before reassurance, the stronger first; the table's order where equal.
static bool comes_before(const struct part *a, const struct part *b)
{
    if ((a->evidence > 0) != (b->evidence > 0)) {
        return a->evidence > 0;
    }
    return a->evidence > 0 ? a->evidence > b->evidence : a->evidence < b->evidence;
}

static void sort_parts(const struct part *parts, size_t count, uint8_t order[static MODEL_SIGNALS])
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && comes_before(&parts[i], &parts[order[at - 1]]); at--) {
            order[at] = order[at - 1];
        }
        order[at] = (uint8_t)i;
    }
}

static struct str words(struct scoring *s, const struct part *part, struct arena *arena)
{
    const struct signal_row *row = row_of(s, part->row);
    s->view.rule = &s->model->rules[part->row];
    s->view.own = model_own(s->model, part->row);
    if (part->now && row->because != NULL) {
        return row->because(&s->view, arena);
    }
    return because_before(part->age_ms, arena);
}

static void list_signals(struct scoring *s, struct arena *arena, bool explain)
{
    uint8_t order[MODEL_SIGNALS];
    if (s->part_count == 0) {
        return;
    }
    sort_parts(s->parts, s->part_count, order);
    struct verdict_signal *list =
        arena_alloc(arena, s->part_count * sizeof *list, _Alignof(struct verdict_signal));
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *part = &s->parts[order[i]];
        list[i] = (struct verdict_signal){row_of(s, part->row)->id, part->evidence, {NULL, 0}};
        if (explain) {
            list[i].because = words(s, part, arena);
        }
    }
    s->out->signals = list;
    s->out->signal_count = s->part_count;
}

enum risk_level risk_level_of(const struct risk_model *model, double score)
{
    // Counted so that NaN, which cannot be, would be the highest.
    unsigned level = 0;
    for (size_t i = 0; i < MODEL_EDGES; i++) {
        level += !(score < model->thresholds[i]);
    }
    return (enum risk_level)level;
}

// Where a level begins, of scores: medium by what is recent, where the model has a budget.
static double threshold(const struct scoring *s, size_t level)
{
    return level == 0 && s->view.in->medium > 0 ? s->view.in->medium : s->model->thresholds[level];
}

// Likewise of log-odds; lowered: where it ends that was told.
static double edge(const struct scoring *s, size_t level, bool lowered)
{
    const struct risk_model *model = s->model;
    if (level == 0 && s->view.in->medium > 0) {
        return model_edge(model, s->view.in->medium - (lowered ? model->hysteresis : 0));
    }
    return lowered ? model->lowered[level] : model->edges[level];
}

// Counted so that NaN, which cannot be, would be the highest.
static enum risk_level level_now(const struct scoring *s)
{
    unsigned level = 0;
    for (size_t i = 0; i < MODEL_EDGES; i++) {
        level += !(s->out->score < threshold(s, i));
    }
    return (enum risk_level)level;
}

// Does a level that was told hold a session? Not while a pardon sets aside what it came from.
static bool holds(const struct scoring *s)
{
    return s->model->hysteresis > 0 && s->out->pardoned == 0;
}

// A level that was told stays until the score is well below where it begins. Each edge in its turn, so that
// it does not matter how often a falling score is looked at.
static enum risk_level hold(const struct scoring *s, enum risk_level level)
{
    enum risk_level held = holds(s) ? state_told(&s->state) : RISK_LOW;
    while (held > level && s->out->score < threshold(s, held - 1) - s->model->hysteresis) {
        held--;
    }
    return held > level ? held : level;
}

// What the next question finds told.
static enum risk_level tells(const struct scoring *s)
{
    bool moves = s->view.in->counts && s->view.in->event == EVENT_NONE;
    return !holds(s) ? RISK_LOW : moves ? s->out->level : state_told(&s->state);
}

static void conclude(struct scoring *s)
{
    const struct risk_model *model = s->model;
    struct risk_result *out = s->out;
    out->score = 100 * fmath_sigmoid(model->scale * out->log_odds + model->shift);
    out->level = hold(s, level_now(s));
    enum risk_level next = tells(s); // up to it the edges are the lowered ones
    double below = out->level > RISK_LOW ? edge(s, out->level - 1, next >= out->level) : -__builtin_inf();
    double above = out->level < RISK_CRITICAL ? edge(s, out->level, next > out->level) : __builtin_inf();
    out->until_ms = num_min(horizon_until(&s->horizon, model->prior, below, above, s->view.now_ms),
                            profile_until(&s->view.context, &s->user, s->view.now_ms));
    out->travel_km = s->view.travel_km;
    out->travel_kmh = s->view.travel_kmh;
}

static void begin(struct scoring *s, const struct risk_input *in, const void *state, const void *user)
{
    static const struct risk_state NO_STATE;
    static const struct risk_user NO_USER;
    memcpy(&s->state, state != NULL ? state : &NO_STATE, sizeof s->state);
    memcpy(&s->user, user != NULL ? user : &NO_USER, sizeof s->user);
    bool behind = state_begun(&s->state) && s->state.last_ms > in->now_ms;
    s->view = (struct signal_view){.in = in, .state = &s->state, .rules = s->model->rules};
    s->view.now_ms = behind ? s->state.last_ms : in->now_ms;
    s->view.travel_km = s->view.travel_kmh = __builtin_nan("");
    s->view.user = &s->user;
    if (in->seen != NULL) {
        profile_read(in->seen, s->view.now_ms, &s->view.context);
    }
    s->clock_ms = ledger_clock(s->view.now_ms);
    s->proved = proves(s);
    s->kept = 0;
    s->spoke_count = 0;
    for (size_t i = 0; i < STATE_ENTRIES; i++) {
        const struct risk_entry *entry = &s->state.entries[i];
        s->kept |= entry->value != 0 ? kept_bit(entry->slot) : 0;
    }
    if (state_begun(&s->state) && is_pardoned(s, SIGNAL_RATE, s->state.last_ms)) {
        s->state.cusum = 0; // the sum that evidence of the rate is drawn from begins anew
    }
    if (s->state.switches != 0 && is_pardoned(s, SIGNAL_CONCURRENT, stored_ms(s->state.switched_s) + 1000)) {
        s->state.switches = 0; // likewise; its time is kept rounded down
        s->state.sides = 0;
    }
    if (user != NULL && in->counts && s->state.tag == 0) {
        s->user.tags = s->user.tags == UINT16_MAX ? 1 : (uint16_t)(s->user.tags + 1); // never 0
        s->state.tag = s->user.tags;
    }
}

void risk_score(const struct risk_model *model, const struct risk_input *in, void *state, void *user,
                struct arena *arena, bool explain, struct risk_result *out)
{
    *out = (struct risk_result){.log_odds = model->prior};
    struct scoring s; // its parts are written before they are read
    s.model = model;
    s.out = out;
    s.part_count = 0;
    s.found = false;
    s.horizon = (struct horizon){0};
    begin(&s, in, state, user);
    if (s.proved) {
        take_proof(&s);
    }
    weigh_calm(&s);
    weigh_others(&s);
    for (size_t row = SIGNAL_FIRST_READ; row < model->count; row++) {
        weigh_signal(&s, row);
    }
    weigh_groups(&s);
    conclude(&s);
    list_signals(&s, arena, explain);
    if (!in->counts || in->event == EVENT_LOGIN_FAILED) {
        return;
    }
    if (in->event == EVENT_NONE) {
        s.state.last_ms = s.view.now_ms;
        s.state.begun |= STATE_BEGUN;
        state_tell(&s.state, model->hysteresis > 0 ? out->level : RISK_LOW);
    }
    drift_keep(&s.state, in, s.proved);
    if (user != NULL) {
        leave_mark(&s);
        memcpy(user, &s.user, sizeof s.user);
    }
    if (state != NULL) {
        memcpy(state, &s.state, sizeof s.state);
    }
}

void risk_learn(const struct sighting *seen, int64_t now_ms, void *bytes, struct population *population)
{
    struct risk_user user;
    struct profile_context context;
    memcpy(&user, bytes, sizeof user);
    profile_read(seen, now_ms, &context);
    profile_learn(&user, population, &context);
    memcpy(bytes, &user, sizeof user);
}

double risk_evidence(const struct risk_result *result, struct str signal)
{
    for (size_t i = 0; i < result->signal_count; i++) {
        if (str_eq(result->signals[i].id, signal)) {
            return result->signals[i].evidence;
        }
    }
    return 0;
}

size_t risk_signal_count(const struct risk_model *model)
{
    return model != NULL ? model->count : SIGNAL_COUNT;
}

struct str risk_signal_name(const struct risk_model *model, size_t index)
{
    if (index >= risk_signal_count(model)) {
        return STR("");
    }
    return model != NULL ? model_row(model, index)->id : SIGNALS[index].id;
}

void risk_anchor_move(struct sighting *anchor, const struct sighting *last, const struct sighting *seen)
{
    const struct sighting *from[2] = {last, seen};
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        const struct sighting *at = from[i];
        if (at == NULL) {
            continue;
        }
        struct sighting old = *anchor;
        *anchor = *at;
        if ((at->flags & SIGHT_HAS_IP) == 0) {
            unsigned network = ~(unsigned)(SIGHT_HAS_FINGERPRINT | SIGHT_HAS_AGENT | SIGHT_TOOL_AGENT);
            anchor->lat_deg = old.lat_deg;
            anchor->lon_deg = old.lon_deg;
            anchor->radius_km = old.radius_km;
            anchor->ip = old.ip;
            anchor->asn = old.asn;
            anchor->country = old.country;
            anchor->geo_version = old.geo_version;
            anchor->flags = (uint16_t)(anchor->flags | (old.flags & network));
        }
        if ((at->flags & SIGHT_HAS_FINGERPRINT) == 0) {
            anchor->fingerprint = old.fingerprint;
            anchor->flags |= old.flags & SIGHT_HAS_FINGERPRINT;
        }
        if ((at->flags & SIGHT_HAS_AGENT) == 0) {
            anchor->agent_family = old.agent_family;
            anchor->agent_os = old.agent_os;
            anchor->agent_version = old.agent_version;
            anchor->agent_class = old.agent_class;
            anchor->flags |= old.flags & (SIGHT_HAS_AGENT | SIGHT_TOOL_AGENT);
        }
    }
}
