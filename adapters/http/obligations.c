// SPDX-License-Identifier: Apache-2.0
#include "http/obligations.h"

#include <stdio.h>
#include <stdlib.h>

enum type {
    STEP_UP,
    NOTIFICATION,
    SESSION_TERMINATION,
    CUSTOM
};

static const char *const TYPES[] = {[STEP_UP] = "step-up",
                                    [NOTIFICATION] = "notification",
                                    [SESSION_TERMINATION] = "session_termination",
                                    [CUSTOM] = "custom"};

json_t *obligations_supported(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        (void)json_array_append_new(list, json_string(TYPES[i]));
    }
    return list;
}

// Of one item of a batch, or of the question: its own `field`, else the default beside the items.
static const json_t *asked(const json_t *request, const json_t *item, const char *field)
{
    const json_t *own = item != NULL ? json_object_get(item, field) : NULL;
    return own != NULL && !json_is_null(own) ? own : json_object_get(request, field);
}

// Without a list nothing is known, and all is sent.
static bool carried_out(const json_t *context, enum type type)
{
    const json_t *list = json_object_get(context, "supported_obligations");
    bool named = !json_is_array(list);
    for (size_t i = 0; !named && i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));
        named = one != NULL && strcmp(one, TYPES[type]) == 0;
    }
    return named;
}

// Takes the reference of `properties`.
static bool add(json_t *list, const char *type, json_t *properties)
{
    char id[32];
    (void)snprintf(id, sizeof id, "obl-%zu", json_array_size(list) + 1);
    json_t *one = json_pack("{s:s, s:s, s:o}", "id", id, "type", type, "properties", properties);
    return one != NULL && json_array_append_new(list, one) == 0;
}

// ---- What each is made of ----------------------------------------------------------------------------

static bool add_step_up(json_t *list, const json_t *context)
{
    const json_t *require = json_object_get(context, "require");
    const json_t *acr = json_array_get(json_object_get(require, "acr_values"), 0);
    const json_t *max_age = json_object_get(require, "max_age");
    acr = json_is_string(acr) ? acr : json_object_get(require, "strength");
    if (!json_is_string(acr)) {
        return true; // there is nothing to ask for: a deny
    }
    json_t *properties = json_pack("{s:s}", "acr_value", json_string_value(acr));
    if (properties != NULL && json_is_integer(max_age)) {
        (void)json_object_set_new(properties, "max_age", json_integer(json_integer_value(max_age)));
    }
    return add(list, TYPES[STEP_UP], properties);
}

static bool add_end(json_t *list, const json_t *subject)
{
    const char *id = json_string_value(json_object_get(subject, "id"));
    return id == NULL || add(list, TYPES[SESSION_TERMINATION], json_pack("{s:s}", "subject", id));
}

static bool add_ruled(json_t *list, const json_t *ruled)
{
    const char *type = json_string_value(json_object_get(ruled, "type"));
    json_t *properties = json_object_get(ruled, "properties");
    type = type != NULL ? type : "";
    json_t *own = json_is_object(properties) ? json_incref(properties) : json_object();
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (strcmp(type, TYPES[i]) == 0) {
            return add(list, type, own);
        }
    }
    return add(list, TYPES[CUSTOM], json_pack("{s:s, s:o}", "type", type, "properties", own));
}

// ---- One answer --------------------------------------------------------------------------------------

static bool effect_is(const json_t *context, const char *effect)
{
    const char *is = json_string_value(json_object_get(context, "effect"));
    return is != NULL && strcmp(is, effect) == 0;
}

static bool rewrite(json_t *answer, const json_t *request, const json_t *item)
{
    json_t *context = json_object_get(answer, "context");
    if (!json_is_object(context)) {
        return true;
    }
    const json_t *theirs = asked(request, item, "context");
    const json_t *ruled = json_object_get(context, "obligations");
    json_t *list = json_array();
    bool right = list != NULL;
    if (right && effect_is(context, "step_up") && carried_out(theirs, STEP_UP)) {
        right = add_step_up(list, context);
    }
    if (right && effect_is(context, "terminate") && carried_out(theirs, SESSION_TERMINATION)) {
        right = add_end(list, asked(request, item, "subject"));
    }
    for (size_t i = 0; right && i < json_array_size(ruled); i++) {
        right = add_ruled(list, json_array_get(ruled, i));
    }
    if (right && json_array_size(list) == 0) {
        json_decref(list);
        (void)json_object_del(context, "obligations"); // nothing to say is not said
        return true;
    }
    return json_object_set_new(context, "obligations", list) == 0 && right;
}

static bool rewrite_all(json_t *root, const json_t *request)
{
    json_t *answers = json_object_get(root, "evaluations");
    if (!json_is_array(answers)) {
        return rewrite(root, request, NULL);
    }
    const json_t *items = json_object_get(request, "evaluations");
    bool right = true;
    for (size_t i = 0; right && i < json_array_size(answers); i++) {
        right = rewrite(json_array_get(answers, i), request, json_array_get(items, i));
    }
    return right;
}

char *obligations_of(const struct pdp_answer *answer, struct text request, size_t *len)
{
    size_t answer_len = 0;
    char *answer_text = pdp_answer_json(answer, "", &answer_len), *out = NULL;
    json_t *root = answer_text != NULL ? json_loadb(answer_text, answer_len, JSON_ALLOW_NUL, NULL) : NULL;
    json_t *asked_for = json_loadb(request.at, request.len, JSON_ALLOW_NUL, NULL);
    if (root != NULL && asked_for != NULL && rewrite_all(root, asked_for)) {
        out = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    }
    *len = out != NULL ? strlen(out) : 0;
    json_decref(root);
    json_decref(asked_for);
    free(answer_text);
    return out;
}
