// SPDX-License-Identifier: Apache-2.0
#include "cli/test/judge.h"

struct judging {
    const struct verdict *verdict;
    const struct judge_event *event;
    const struct suite_claim *claim;
    struct arena *arena;
    struct str got; // filled where the claim does not hold
};

// ---- Words ---------------------------------------------------------------------------------------

struct str judge_span(int64_t seconds, struct arena *arena)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } UNITS[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    AUTO(buf_fini) struct buf out = {0};
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        int64_t whole = seconds / UNITS[i].seconds;
        seconds -= whole * UNITS[i].seconds;
        if (whole > 0) {
            buf_printf(&out, "%lld%s", (long long)whole, UNITS[i].unit);
        }
    }
    return arena_str(arena, buf_view(&out), NULL);
}

static struct str or_none(struct str text)
{
    return text.len > 0 ? text : STR("none");
}

static struct str escaped(struct judging *j, struct str text)
{
    AUTO(buf_fini) struct buf out = {0};
    buf_escaped(&out, text);
    return arena_str(j->arena, buf_view(&out), NULL);
}

static struct str listed(struct judging *j, const struct str *texts, size_t count)
{
    AUTO(buf_fini) struct buf out = {0};
    for (size_t i = 0; i < count; i++) {
        buf_str(&out, i > 0 ? STR(", ") : STR(""));
        buf_escaped(&out, texts[i]);
    }
    return or_none(arena_str(j->arena, buf_view(&out), NULL));
}

static bool among(struct str text, const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(texts[i], text)) {
            return true;
        }
    }
    return false;
}

// ---- One kind of claim each: does it hold? ---------------------------------------------------------

static bool holds_effect(struct judging *j)
{
    j->got = str_of(pdp_effect_name(j->verdict->effect));
    return (j->claim->any >> j->verdict->effect & 1U) != 0;
}

static int code_number(struct str name)
{
    for (int i = 0; i < PDP_CODE_COUNT; i++) {
        if (str_eq(name, str_of(pdp_code_name((enum pdp_code)i)))) {
            return i;
        }
    }
    return -1;
}

static bool holds_code(struct judging *j)
{
    int code = j->event == NULL ? (int)j->verdict->code : code_number(j->event->code);
    j->got = code >= 0 ? str_of(pdp_code_name((enum pdp_code)code)) : STR("none");
    return code >= 0 && (j->claim->any >> code & 1U) != 0;
}

static bool holds_rule(struct judging *j)
{
    j->got = or_none(escaped(j, j->verdict->rule));
    return among(j->verdict->rule, j->claim->texts, j->claim->text_count) ||
           (j->claim->text_count == 0 && j->verdict->rule.len == 0);
}

// The same texts on both sides, in any order.
static bool same(struct judging *j, const struct str *got, size_t count)
{
    bool holds = true;
    j->got = listed(j, got, count);
    for (size_t i = 0; i < count; i++) {
        holds = holds && among(got[i], j->claim->texts, j->claim->text_count);
    }
    for (size_t i = 0; i < j->claim->text_count; i++) {
        holds = holds && among(j->claim->texts[i], got, count);
    }
    return holds;
}

static bool holds_rules(struct judging *j)
{
    return same(j, j->verdict->rules, j->verdict->rule_count);
}

static bool holds_strength(struct judging *j)
{
    struct str got = j->verdict->has_require ? j->verdict->require_strength : STR("");
    j->got = or_none(escaped(j, got));
    return j->claim->text_count == 1 && str_eq(got, j->claim->texts[0]);
}

static bool holds_max_age(struct judging *j)
{
    int64_t got_s = j->verdict->has_require ? j->verdict->require_max_age_s : 0;
    j->got = or_none(judge_span(got_s, j->arena));
    return got_s == j->claim->max_age_s;
}

static bool holds_risk(struct judging *j)
{
    bool known = j->event == NULL ? j->verdict->has_risk : j->event->has_risk;
    double score = j->event == NULL ? j->verdict->score : j->event->score;
    j->got = known ? arena_printf(j->arena, "%.2f", score) : STR("none");
    return known && score >= j->claim->from && score <= j->claim->to;
}

static bool holds_level(struct judging *j)
{
    struct str got = j->event != NULL ? j->event->level : STR("");
    if (j->event == NULL && j->verdict->has_risk) {
        got = RISK_LEVEL_NAMES[(unsigned)j->verdict->level < RISK_LEVEL_COUNT ? j->verdict->level
                                                                              : RISK_CRITICAL];
    }
    j->got = or_none(got);
    for (size_t i = 0; i < RISK_LEVEL_COUNT; i++) {
        if (str_eq(RISK_LEVEL_NAMES[i], got)) {
            return (j->claim->any >> i & 1U) != 0;
        }
    }
    return false;
}

static bool holds_signal(struct judging *j)
{
    const struct verdict_signal *found = NULL;
    for (size_t i = 0; i < j->verdict->signal_count; i++) {
        found = str_eq(j->verdict->signals[i].id, j->claim->signal) ? &j->verdict->signals[i] : found;
    }
    j->got = found != NULL ? arena_printf(j->arena, "%+.2f", found->evidence) : STR("not in the ledger");
    if (!j->claim->ranged) {
        return (found != NULL) == j->claim->truth;
    }
    return found != NULL && found->evidence >= j->claim->from && found->evidence <= j->claim->to;
}

static bool holds_obligations(struct judging *j)
{
    struct str *types = ARENA_ARRAY(j->arena, struct str, j->verdict->obligation_count + 1);
    for (size_t i = 0; types != NULL && i < j->verdict->obligation_count; i++) {
        types[i] = j->verdict->obligations[i].type;
    }
    return types != NULL && same(j, types, j->verdict->obligation_count);
}

static bool holds_exceptions(struct judging *j)
{
    return same(j, j->verdict->exceptions, j->verdict->exception_count);
}

// Each text is in one that is missing; none expected: nothing is.
static bool holds_missing(struct judging *j)
{
    const struct str *got = j->event == NULL ? j->verdict->missing : NULL;
    size_t count = j->event == NULL ? j->verdict->missing_count : 0;
    struct str texts[VERDICT_MISSING_MAX];
    const struct value *list = j->event != NULL ? j->event->missing : NULL;
    for (uint32_t i = 0; list != NULL && i < list->n && count < COUNT_OF(texts); i++) {
        texts[count++] = value_text(&list->as.list[i]);
        got = texts;
    }
    bool holds = j->claim->text_count > 0 || count == 0;
    for (size_t i = 0; i < j->claim->text_count; i++) {
        bool found = false;
        for (size_t k = 0; k < count; k++) {
            found = found || str_find(got[k], j->claim->texts[i], 0) != SIZE_MAX;
        }
        holds = holds && found;
    }
    j->got = listed(j, got, count);
    return holds;
}

static bool holds_message(struct judging *j)
{
    struct str got = j->event == NULL ? j->verdict->message : j->event->message;
    j->got = or_none(escaped(j, got));
    return j->claim->text_count == 1 && str_eq(got, j->claim->texts[0]);
}

static bool holds_reason(struct judging *j)
{
    j->got = or_none(escaped(j, j->verdict->reason));
    return j->claim->text_count == 1 && str_eq(j->verdict->reason, j->claim->texts[0]);
}

static bool holds_recorded(struct judging *j)
{
    j->got = j->event->recorded ? STR("true") : STR("false");
    return j->event->recorded == j->claim->truth;
}

static bool (*const HOLDS[SUITE_CLAIM_COUNT])(struct judging *j) = {
    [SUITE_EFFECT] = holds_effect,
    [SUITE_CODE] = holds_code,
    [SUITE_RULE] = holds_rule,
    [SUITE_RULES] = holds_rules,
    [SUITE_STRENGTH] = holds_strength,
    [SUITE_MAX_AGE] = holds_max_age,
    [SUITE_RISK] = holds_risk,
    [SUITE_LEVEL] = holds_level,
    [SUITE_SIGNAL] = holds_signal,
    [SUITE_OBLIGATIONS] = holds_obligations,
    [SUITE_EXCEPTIONS] = holds_exceptions,
    [SUITE_MISSING] = holds_missing,
    [SUITE_MESSAGE] = holds_message,
    [SUITE_REASON] = holds_reason,
    [SUITE_RECORDED] = holds_recorded,
};

// ---- Events --------------------------------------------------------------------------------------

static struct str text_at(const struct value *root, const char *path)
{
    const struct value *found = value_path(root, str_of(path));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){"", 0};
}

void judge_event_read(const struct value *answer, struct judge_event *out)
{
    const struct value *recorded = value_path(answer, STR("event.recorded"));
    const struct value *score = value_path(answer, STR("risk.score"));
    const struct value *missing = value_path(answer, STR("event.missing"));
    bool read = recorded != NULL;
    *out = (struct judge_event){
        .recorded = read && recorded->kind == VALUE_BOOL && recorded->as.b,
        .code = text_at(answer, read ? "event.code" : "context.code"),
        .message = text_at(answer, read ? "event.message" : "context.error.message"),
        .level = text_at(answer, "risk.level"),
        .missing = missing != NULL && missing->kind == VALUE_LIST ? missing : NULL,
    };
    if (score != NULL && (score->kind == VALUE_DOUBLE || score->kind == VALUE_INT)) {
        out->has_risk = true;
        out->score = score->kind == VALUE_DOUBLE ? score->as.d : (double)score->as.i;
    }
}

// ---- All claims ----------------------------------------------------------------------------------

// Does a claim speak of whether it could be asked at all?
static bool speaks(const struct suite_play *play, bool of_session)
{
    for (size_t i = 0; i < play->claim_count; i++) {
        enum suite_claim_kind kind = play->claims[i].kind;
        if (kind == SUITE_CODE || kind == SUITE_RECORDED ||
            (of_session && (kind == SUITE_MISSING || kind == SUITE_REASON))) {
            return true;
        }
    }
    return false;
}

struct str judge_void(const struct suite_play *play, const struct verdict *verdict,
                      const struct judge_event *event, const struct fault *fault, struct arena *arena)
{
    AUTO(buf_fini) struct buf out = {0};
    bool never = event == NULL && str_eq(verdict->reason, STR(VERDICT_NEVER_BEGUN));
    if (speaks(play, never)) {
        return STR("");
    }
    if (never) {
        buf_str(
            &out,
            STR("the session never began: give it a `login` or `start` before, or an `auth_time` that is not "
                "after now; or expect the `code`"));
    } else if (event == NULL && verdict->code == PDP_CODE_MALFORMED) {
        buf_printf(&out, "the question is malformed: `%s` %s", fault->field, fault->what);
    } else if (event != NULL && !event->recorded) {
        buf_str(&out, STR("the event was refused: "));
        buf_escaped(&out, event->message);
    }
    return arena_str(arena, buf_view(&out), NULL);
}

// Is the attack let through where it must be stopped at the latest?
static bool let_through(const struct suite_doc *doc, const struct suite_play *play,
                        const struct verdict *verdict, const struct judge_event *event)
{
    bool last = play->number == doc->stops && play->turn + 1 == play->turns;
    return last && (event != NULL ? event->recorded : verdict->effect == PDP_EFFECT_ALLOW);
}

// Is a rightful user denied what is ordinary, without a word of `expect` about it?
static bool holds_up(const struct suite_play *play, const struct verdict *verdict)
{
    for (size_t i = 0; i < play->claim_count; i++) {
        if (play->claims[i].kind == SUITE_EFFECT || play->claims[i].kind == SUITE_CODE) {
            return false;
        }
    }
    return play->ordinary && verdict != NULL && suite_denies(verdict->effect);
}

bool judge(const struct suite_doc *doc, const struct suite_play *play, const struct verdict *verdict,
           const struct judge_event *event, struct str broken, struct arena *arena,
           const struct suite_miss **misses, size_t *count)
{
    struct suite_miss *list = ARENA_ARRAY(arena, struct suite_miss, play->claim_count + 3);
    struct judging judging = {.verdict = verdict, .event = event, .arena = arena};
    bool said = false; // that it should have been another effect
    *count = 0;
    *misses = list;
    if (list == NULL) {
        return false;
    }
    if (broken.len > 0) {
        list[(*count)++] = (struct suite_miss){NULL, broken};
    }
    for (size_t i = 0; i < play->claim_count; i++) {
        judging.claim = &play->claims[i];
        if (!HOLDS[judging.claim->kind](&judging)) {
            list[(*count)++] = (struct suite_miss){judging.claim, judging.got};
            said = said || judging.claim->kind == SUITE_EFFECT || judging.claim->kind == SUITE_RECORDED;
        }
    }
    if (broken.len == 0 && holds_up(play, verdict)) {
        list[(*count)++] = (struct suite_miss){NULL, STR("a rightful user is denied what is ordinary")};
    }
    if (!said && let_through(doc, play, verdict, event)) {
        list[(*count)++] = (struct suite_miss){NULL, STR("the attack is not stopped here")};
    }
    return true;
}
