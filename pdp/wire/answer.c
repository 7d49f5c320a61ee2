// SPDX-License-Identifier: Apache-2.0
#include "wire/answer.h"

#include <stdatomic.h>
#include <stdlib.h>

#define ANSWER_ARENA_MAX (64u << 20)
#define ANSWER_BLOCK 4096

// What came in one message; the answers of a batch share it.
struct reply {
    struct arena arena;
    struct str bytes;
    atomic_uint holders;
};

struct texts {
    const char **at;
    size_t count;
};

struct pdp_answer {
    struct reply *reply;
    const struct value *root; // NULL: nothing could be read
    enum pdp_effect effect;
    enum pdp_code code;
    double score; // -1: not known
    const char *level, *rule, *reason, *message, *decision_id, *strength, *session_ref;
    int64_t max_age_s, valid_until_ms, retry_after_ms;
    bool recorded;
    struct texts acr, missing;
};

static void reply_drop(struct reply **reply)
{
    if (*reply != NULL && atomic_fetch_sub(&(*reply)->holders, 1) == 1) {
        arena_fini(&(*reply)->arena);
        free(*reply);
    }
    *reply = NULL;
}

static struct reply *reply_new(struct str bytes)
{
    struct reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL) {
        return NULL;
    }
    arena_init(&reply->arena, ANSWER_BLOCK, ANSWER_ARENA_MAX);
    atomic_init(&reply->holders, 1);
    bool ok = true;
    reply->bytes = arena_str(&reply->arena, bytes, &ok);
    if (!ok) {
        reply_drop(&reply);
    }
    return reply;
}

// An answer that denies, holding `reply`.
static struct pdp_answer *answer_new(struct reply *reply, enum pdp_code code, const char *reason)
{
    struct pdp_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        return NULL;
    }
    atomic_fetch_add(&reply->holders, 1);
    answer->reply = reply;
    answer->effect = PDP_EFFECT_DENY;
    answer->code = code;
    answer->score = -1;
    answer->level = answer->rule = answer->message = answer->decision_id = answer->strength = "";
    answer->session_ref = "";
    answer->reason = reason;
    return answer;
}

// ---- Reading ---------------------------------------------------------------------------------------

static bool is_text(const struct value *value)
{
    return value != NULL && value->kind == VALUE_STRING;
}

// Text as a C string, empty where it is missing, no text, or could not be one.
static const char *c_text(struct reply *reply, const struct value *value)
{
    if (!is_text(value) || value->n == 0 || memchr(value->as.text, '\0', value->n) != NULL) {
        return "";
    }
    char *copy = arena_alloc(&reply->arena, (size_t)value->n + 1, 1);
    if (copy == NULL) {
        return "";
    }
    memcpy(copy, value->as.text, value->n);
    copy[value->n] = '\0';
    return copy;
}

static struct texts c_texts(struct reply *reply, const struct value *list)
{
    struct texts texts = {0};
    if (list == NULL || list->kind != VALUE_LIST || list->n == 0) {
        return texts;
    }
    texts.at = ARENA_ARRAY(&reply->arena, const char *, list->n);
    for (size_t i = 0; texts.at != NULL && i < list->n; i++) {
        texts.at[texts.count++] = c_text(reply, &list->as.list[i]);
    }
    return texts;
}

static bool as_double(const struct value *value, double *out)
{
    if (value != NULL && value->kind == VALUE_INT) {
        *out = (double)value->as.i;
        return true;
    }
    if (value != NULL && value->kind == VALUE_DOUBLE) {
        *out = value->as.d;
        return true;
    }
    return false;
}

static int64_t whole(const struct value *value, int64_t most)
{
    return value != NULL && value->kind == VALUE_INT && value->as.i > 0 && value->as.i <= most ? value->as.i
                                                                                               : 0;
}

static bool effect_of(const struct value *value, enum pdp_effect *out)
{
    for (int i = 0; is_text(value) && i < PDP_EFFECT_COUNT; i++) {
        if (value_is_text(value, str_of(pdp_effect_name((enum pdp_effect)i)))) {
            *out = (enum pdp_effect)i;
            return true;
        }
    }
    return false;
}

static bool code_of(const struct value *value, enum pdp_code *out)
{
    for (int i = 0; is_text(value) && i < PDP_CODE_COUNT; i++) {
        if (value_is_text(value, str_of(pdp_code_name((enum pdp_code)i)))) {
            *out = (enum pdp_code)i;
            return true;
        }
    }
    return false;
}

// An allow needs all three to agree: the decision, the effect and a code that this library knows.
static bool read_effect(struct pdp_answer *answer, const struct value *context)
{
    const struct value *decision = value_get(answer->root, STR("decision"));
    if (decision == NULL || decision->kind != VALUE_BOOL) {
        return false;
    }
    enum pdp_effect effect = PDP_EFFECT_DENY;
    enum pdp_code code = PDP_CODE_MALFORMED;
    bool known = effect_of(value_get(context, STR("effect")), &effect);
    bool coded = code_of(value_get(context, STR("code")), &code);
    if (!known || (effect == PDP_EFFECT_ALLOW) != decision->as.b || (effect == PDP_EFFECT_ALLOW && !coded)) {
        return false;
    }
    answer->effect = effect;
    answer->code = code;
    return true;
}

static const char *text_in(struct reply *reply, const struct value *map, struct str key)
{
    return c_text(reply, value_get(map, key));
}

static void read_fields(struct pdp_answer *answer, const struct value *context)
{
    struct reply *reply = answer->reply;
    const struct value *risk = value_get(context, STR("risk"));
    const struct value *require = value_get(context, STR("require"));
    answer->rule = text_in(reply, context, STR("rule"));
    answer->message = text_in(reply, context, STR("message"));
    answer->reason = text_in(reply, context, STR("reason"));
    if (answer->reason[0] == '\0') {
        answer->reason = text_in(reply, value_get(context, STR("error")), STR("message"));
    }
    answer->decision_id = text_in(reply, context, STR("decision_id"));
    answer->level = text_in(reply, risk, STR("level"));
    (void)as_double(value_get(risk, STR("score")), &answer->score);
    if (require != NULL) {
        answer->strength = text_in(reply, require, STR("strength"));
        answer->max_age_s = whole(value_get(require, STR("max_age")), INT64_MAX);
        answer->acr = c_texts(reply, value_get(require, STR("acr_values")));
    }
    answer->session_ref = text_in(reply, value_get(context, STR("session")), STR("ref"));
    answer->valid_until_ms =
        whole(value_get(value_get(context, STR("valid")), STR("until")), INT64_MAX / 1000) * 1000;
    answer->retry_after_ms = whole(value_get(context, STR("retry_after")), INT64_MAX);
    answer->missing = c_texts(reply, value_get(context, STR("missing")));
}

// The answer to an event: its effect stays deny, for an event opens no door.
static bool read_event(struct pdp_answer *answer)
{
    const struct value *event = value_get(answer->root, STR("event"));
    const struct value *recorded = event != NULL ? value_get(event, STR("recorded")) : NULL;
    if (recorded == NULL || recorded->kind != VALUE_BOOL ||
        value_get(answer->root, STR("decision")) != NULL) {
        return false;
    }
    answer->recorded = recorded->as.b;
    answer->code = answer->recorded ? PDP_CODE_POLICY : PDP_CODE_MALFORMED;
    read_fields(answer, answer->root);
    if (!answer->recorded) {
        (void)code_of(value_get(event, STR("code")), &answer->code);
        answer->reason = c_text(answer->reply, value_get(event, STR("message")));
    }
    return true;
}

static enum pdp_err answer_of(struct reply *reply, const struct value *root, struct pdp_answer **out)
{
    *out = answer_new(reply, PDP_CODE_NO_ANSWER, "the answer is not one that this library knows");
    if (*out == NULL) {
        return PDP_ERR_NOMEM;
    }
    (*out)->root = root;
    if (read_event(*out)) {
        return PDP_ERR_OK;
    }
    const struct value *context = value_get(root, STR("context"));
    if (!read_effect(*out, context)) {
        return PDP_ERR_MALFORMED;
    }
    read_fields(*out, context);
    return PDP_ERR_OK;
}

// The whole message into a tree. *root is NULL where it could not be read.
static enum pdp_err open_reply(struct str bytes, struct reply **reply, const struct value **root)
{
    *root = NULL;
    *reply = reply_new(bytes);
    struct value *value = *reply != NULL ? ARENA_NEW(&(*reply)->arena, struct value) : NULL;
    if (value == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct fault why;
    if (wire_decode(wire_form_of(bytes), (*reply)->bytes, &(*reply)->arena, value, &why) != PDP_ERR_OK ||
        value->kind != VALUE_MAP) {
        return PDP_ERR_MALFORMED;
    }
    *root = value;
    return PDP_ERR_OK;
}

enum pdp_err answer_read(struct str bytes, struct pdp_answer **out)
{
    *out = NULL;
    AUTO(reply_drop) struct reply *reply = NULL;
    const struct value *root = NULL;
    enum pdp_err err = open_reply(bytes, &reply, &root);
    if (err == PDP_ERR_NOMEM) {
        return err;
    }
    if (err != PDP_ERR_OK) {
        *out = answer_new(reply, PDP_CODE_NO_ANSWER, "the answer could not be read");
        return *out != NULL ? err : PDP_ERR_NOMEM;
    }
    return answer_of(reply, root, out);
}

static bool lists(const struct pdp_answer *answer, struct str key)
{
    const struct value *list = answer->root != NULL ? value_get(answer->root, key) : NULL;
    return list != NULL && list->kind == VALUE_LIST && value_get(answer->root, STR("decision")) == NULL;
}

enum pdp_err answer_read_any(struct str bytes, struct pdp_answer **out)
{
    enum pdp_err err = answer_read(bytes, out);
    bool many = err == PDP_ERR_MALFORMED && (lists(*out, STR("evaluations")) || lists(*out, STR("results")));
    if (many) {
        (*out)->reason = "";
    }
    return many ? PDP_ERR_OK : err;
}

static void deny_all(enum pdp_err err, size_t count, struct pdp_answer **out)
{
    for (size_t i = 0; i < count; i++) {
        pdp_answer_free(&out[i]);
        out[i] = answer_deny(PDP_CODE_NO_ANSWER, pdp_err_text(err));
    }
}

static enum pdp_err read_items(struct reply *reply, const struct value *root, size_t count,
                               struct pdp_answer **out)
{
    const struct value *list = value_get(root, STR("evaluations"));
    bool is_list = list != NULL && list->kind == VALUE_LIST;
    if (is_list && list->n > count) {
        return PDP_ERR_MALFORMED;
    }
    for (size_t i = 0; i < (is_list ? list->n : count); i++) {
        TRY(answer_of(reply, is_list ? &list->as.list[i] : root, &out[i]));
        if (!is_list && pdp_answer_allows(out[i])) {
            return PDP_ERR_MALFORMED; // one allow cannot stand for many questions
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err answer_read_batch(struct str bytes, size_t count, struct pdp_answer **out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = NULL;
    }
    AUTO(reply_drop) struct reply *reply = NULL;
    const struct value *root = NULL;
    enum pdp_err err = open_reply(bytes, &reply, &root);
    if (err == PDP_ERR_OK) {
        err = read_items(reply, root, count, out);
    }
    if (err != PDP_ERR_OK) {
        deny_all(err, count, out);
    }
    return err;
}

struct pdp_answer *answer_deny(enum pdp_code code, const char *reason)
{
    AUTO(reply_drop) struct reply *reply = reply_new((struct str){NULL, 0});
    struct pdp_answer *answer = reply != NULL ? answer_new(reply, code, "") : NULL;
    if (answer != NULL) {
        struct value text = value_str(str_of(reason));
        answer->reason = c_text(reply, &text);
    }
    return answer;
}

void pdp_answer_free(struct pdp_answer **answer)
{
    if (answer != NULL && *answer != NULL) {
        reply_drop(&(*answer)->reply);
        free(*answer);
        *answer = NULL;
    }
}

// ---- What it says ----------------------------------------------------------------------------------

bool pdp_answer_allows(const struct pdp_answer *answer)
{
    return answer != NULL && answer->effect == PDP_EFFECT_ALLOW;
}

enum pdp_effect pdp_answer_effect(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->effect : PDP_EFFECT_DENY;
}

enum pdp_code pdp_answer_code(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->code : PDP_CODE_NO_ANSWER;
}

double pdp_answer_score(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->score : -1;
}

#define TEXT_FIELD(name, field)                                    \
    const char *pdp_answer_##name(const struct pdp_answer *answer) \
    {                                                              \
        return answer != NULL ? answer->field : "";                \
    }
TEXT_FIELD(level, level)
TEXT_FIELD(rule, rule)
TEXT_FIELD(reason, reason)
TEXT_FIELD(message, message)
TEXT_FIELD(decision_id, decision_id)
TEXT_FIELD(require_strength, strength)
TEXT_FIELD(session_ref, session_ref)
#undef TEXT_FIELD

int64_t pdp_answer_require_max_age_s(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->max_age_s : 0;
}

bool pdp_answer_recorded(const struct pdp_answer *answer)
{
    return answer != NULL && answer->recorded;
}

int64_t pdp_answer_retry_after_ms(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->retry_after_ms : 0;
}

int64_t pdp_answer_valid_until_ms(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->valid_until_ms : 0;
}

static const char *text_at(const struct texts *texts, size_t at)
{
    return at < texts->count ? texts->at[at] : "";
}

size_t pdp_answer_require_acr_count(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->acr.count : 0;
}

const char *pdp_answer_require_acr(const struct pdp_answer *answer, size_t at)
{
    return answer != NULL ? text_at(&answer->acr, at) : "";
}

size_t pdp_answer_missing_count(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->missing.count : 0;
}

const char *pdp_answer_missing(const struct pdp_answer *answer, size_t at)
{
    return answer != NULL ? text_at(&answer->missing, at) : "";
}

const void *pdp_answer_bytes(const struct pdp_answer *answer, size_t *len)
{
    *len = answer != NULL ? answer->reply->bytes.len : 0;
    return *len > 0 ? answer->reply->bytes.at : NULL;
}

const struct value *answer_root(const struct pdp_answer *answer)
{
    return answer != NULL ? answer->root : NULL;
}

// ---- By path ---------------------------------------------------------------------------------------

static const struct value *step(const struct value *at, struct str name)
{
    uint64_t place = 0;
    if (at->kind == VALUE_LIST) {
        return str_to_u64(name, &place) && place < at->n ? &at->as.list[place] : NULL;
    }
    return value_get(at, name);
}

static const struct value *find(const struct pdp_answer *answer, const char *path)
{
    const struct value *at = answer_root(answer);
    struct str rest = str_of(path);
    while (at != NULL && rest.len > 0) {
        size_t dot = str_find_byte(rest, '.', 0);
        at = step(at, str_sub(rest, 0, dot));
        rest = str_sub(rest, dot + 1, rest.len);
    }
    return at;
}

bool pdp_answer_get_text(const struct pdp_answer *answer, const char *path, const char **text, size_t *len)
{
    const struct value *value = find(answer, path);
    if (!is_text(value)) {
        return false;
    }
    *text = value->n > 0 ? value->as.text : "";
    *len = value->n;
    return true;
}

bool pdp_answer_get_int(const struct pdp_answer *answer, const char *path, int64_t *number)
{
    const struct value *value = find(answer, path);
    if (value == NULL || value->kind != VALUE_INT) {
        return false;
    }
    *number = value->as.i;
    return true;
}

bool pdp_answer_get_double(const struct pdp_answer *answer, const char *path, double *number)
{
    return as_double(find(answer, path), number);
}

bool pdp_answer_get_bool(const struct pdp_answer *answer, const char *path, bool *yes)
{
    const struct value *value = find(answer, path);
    if (value == NULL || value->kind != VALUE_BOOL) {
        return false;
    }
    *yes = value->as.b;
    return true;
}

size_t pdp_answer_get_count(const struct pdp_answer *answer, const char *path)
{
    const struct value *value = find(answer, path);
    return value != NULL && (value->kind == VALUE_LIST || value->kind == VALUE_MAP) ? value->n : 0;
}

char *pdp_answer_json(const struct pdp_answer *answer, const char *path, size_t *len)
{
    size_t ignored;
    len = len != NULL ? len : &ignored;
    *len = 0;
    const struct value *value = find(answer, path);
    if (value == NULL) {
        return NULL;
    }
    AUTO(buf_fini) struct buf text = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &text);
    emit_value(&emit, value);
    buf_byte(&text, '\0');
    if (text.failed) {
        return NULL;
    }
    *len = text.len - 1;
    char *copy = malloc(text.len);
    if (copy != NULL) {
        memcpy(copy, text.at, text.len);
    }
    return copy;
}
