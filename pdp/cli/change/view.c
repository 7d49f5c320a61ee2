// SPDX-License-Identifier: Apache-2.0
#include "cli/change/view.h"

static struct str text_at(const struct value *root, const char *path)
{
    const struct value *found = value_path(root, str_of(path));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

static struct str first_of(struct str a, struct str b)
{
    return a.len > 0 ? a : b;
}

void view_of_verdict(const struct verdict *verdict, struct view *out)
{
    *out = (struct view){
        .effect = str_of(pdp_effect_name(verdict->effect)),
        .code = str_of(pdp_code_name(verdict->code)),
        .rule = verdict->rule,
        .has_risk = verdict->has_risk,
        .score = verdict->score,
        .why = first_of(verdict->reason, verdict->message),
    };
    if (verdict->has_require) {
        out->strength = verdict->require_strength;
        out->max_age_s = verdict->require_max_age_s;
    }
    if (verdict->has_risk && (unsigned)verdict->level < RISK_LEVEL_COUNT) {
        out->level = RISK_LEVEL_NAMES[verdict->level];
    }
    if (out->why.len == 0 && verdict->missing_count > 0) {
        out->why = verdict->missing[0];
    }
    if (verdict->has_session) {
        out->session = str_of(verdict->session_ref);
        out->over = verdict->session_state != NULL && strcmp(verdict->session_state, "terminated") == 0;
    }
}

static void read_risk(const struct value *risk, struct view *out)
{
    const struct value *score = value_get(risk, STR("score"));
    if (score != NULL && (score->kind == VALUE_DOUBLE || score->kind == VALUE_INT)) {
        out->has_risk = true;
        out->score = score->kind == VALUE_DOUBLE ? score->as.d : (double)score->as.i;
        out->level = text_at(risk, "level");
    }
}

static void read_session(const struct value *session, struct view *out)
{
    out->session = text_at(session, "ref");
    out->over = str_eq(text_at(session, "state"), STR("terminated"));
}

static void read_event(const struct value *answer, const struct value *event, struct view *out)
{
    const struct value *recorded = value_get(event, STR("recorded"));
    bool done = recorded != NULL && recorded->kind == VALUE_BOOL && recorded->as.b;
    out->effect = done ? STR("recorded") : STR("refused");
    out->code = text_at(event, "code");
    out->why = text_at(event, "message");
    read_risk(value_get(answer, STR("risk")), out);
    read_session(value_get(answer, STR("session")), out);
}

void view_of_answer(const struct value *answer, struct view *out)
{
    *out = (struct view){0};
    const struct value *event = value_get(answer, STR("event"));
    if (event != NULL) {
        read_event(answer, event, out);
        return;
    }
    const struct value *context = value_get(answer, STR("context"));
    const struct value *require = value_get(context, STR("require"));
    const struct value *age = value_get(require, STR("max_age"));
    const struct value *missing = value_get(context, STR("missing"));
    out->effect = text_at(context, "effect");
    out->code = text_at(context, "code");
    out->rule = text_at(context, "rule");
    out->strength = text_at(require, "strength");
    out->max_age_s = age != NULL && age->kind == VALUE_INT ? age->as.i : 0;
    out->why = first_of(text_at(context, "reason"), text_at(context, "message"));
    out->why = first_of(out->why, text_at(context, "error.message"));
    if (out->why.len == 0 && missing != NULL && missing->kind == VALUE_LIST && missing->n > 0 &&
        missing->as.list[0].kind == VALUE_STRING) {
        out->why = value_text(&missing->as.list[0]);
    }
    read_risk(value_get(context, STR("risk")), out);
    read_session(value_get(context, STR("session")), out);
}

bool view_same(const struct view *a, const struct view *b)
{
    return str_eq(a->effect, b->effect) && str_eq(a->code, b->code) && str_eq(a->rule, b->rule) &&
           str_eq(a->strength, b->strength) && a->max_age_s == b->max_age_s;
}

struct view view_copy(struct arena *arena, const struct view *view)
{
    struct view copy = *view;
    struct str *texts[] = {&copy.effect, &copy.code, &copy.rule,   &copy.strength,
                           &copy.level,  &copy.why,  &copy.session};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        *texts[i] = texts[i]->len > 0 ? arena_str(arena, *texts[i], NULL) : (struct str){0};
    }
    return copy;
}

static void show_require(const struct view *view, struct buf *out)
{
    if (view->strength.len > 0) {
        buf_str(out, STR(", asks for "));
        buf_escaped(out, view->strength);
        if (view->max_age_s > 0) {
            buf_printf(out, " of the last %lld s", (long long)view->max_age_s);
        }
    }
}

void view_show(const struct view *view, struct buf *out)
{
    size_t start = out->len;
    buf_escaped(out, view->effect.len > 0 ? view->effect : STR("no answer"));
    while (out->len < start + 9 && !out->failed) {
        buf_byte(out, ' ');
    }
    buf_byte(out, ' ');
    buf_escaped(out, view->rule.len > 0 ? view->rule : view->code.len > 0 ? view->code : STR("-"));
    show_require(view, out);
    if (view->has_risk) {
        buf_printf(out, ", risk %.1f " STR_FMT, view->score, STR_ARG(view->level));
    }
    if (view->why.len > 0) {
        buf_str(out, STR(": "));
        buf_escaped(out, view->why);
    }
}

static void key_text(struct emit *emit, const char *key, struct str text)
{
    if (text.len > 0) {
        emit_key_str(emit, key, text);
    }
}

void view_emit(const struct view *view, struct emit *emit)
{
    emit_map(emit, SIZE_MAX);
    key_text(emit, "effect", view->effect);
    key_text(emit, "code", view->code);
    key_text(emit, "rule", view->rule);
    key_text(emit, "strength", view->strength);
    if (view->max_age_s > 0) {
        emit_key_int(emit, "max_age", view->max_age_s);
    }
    if (view->has_risk) {
        emit_key_double(emit, "risk", view->score);
        key_text(emit, "level", view->level);
    }
    key_text(emit, "why", view->why);
    emit_end(emit);
}
