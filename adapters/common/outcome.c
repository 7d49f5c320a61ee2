// SPDX-License-Identifier: Apache-2.0
#include "common/outcome.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const VARIABLES[] = {
#define X(name, variable, header) variable,
    OUTCOME_LIST(X)
#undef X
};
static const char *const HEADERS[] = {
#define X(name, variable, header) header,
    OUTCOME_LIST(X)
#undef X
};

const char *outcome_variable(enum outcome_field field)
{
    return VARIABLES[field];
}

const char *outcome_header(enum outcome_field field)
{
    return HEADERS[field];
}

// ---- The challenge -----------------------------------------------------------------------------------

struct line {
    char *at;
    size_t room, len; // len < room, and a NUL behind it
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line->at + line->len, line->room - line->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= line->room - line->len) {
        line->at[line->len] = '\0'; // what does not fit is left out whole
        return;
    }
    line->len += (size_t)n;
}

// May it stand in a quoted string of a challenge (RFC 6750 §3)?
static bool is_quotable(const char *text, bool blanks)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < (blanks ? ' ' : '!') || *at > '~' || *at == '"' || *at == '\\') {
            return false;
        }
    }
    return text[0] != '\0';
}

static void add_acr(struct line *line, const struct pdp_answer *answer)
{
    bool any = false;
    for (size_t i = 0; i < pdp_answer_require_acr_count(answer); i++) {
        const char *acr = pdp_answer_require_acr(answer, i);
        if (is_quotable(acr, false)) {
            add(line, any ? " %s" : ", acr_values=\"%s", acr);
            any = true;
        }
    }
    if (any) {
        add(line, "\"");
    }
}

static void challenge(const struct pdp_answer *answer, char *out, size_t room)
{
    struct line line = {out, room, 0};
    int64_t max_age_s = pdp_answer_require_max_age_s(answer);
    const char *message = pdp_answer_message(answer);
    if (!is_quotable(message, true) || strlen(message) > room / 4) {
        message = max_age_s > 0 ? "More recent authentication is required"
                                : "A different authentication level is required";
    }
    add(&line, "Bearer error=\"insufficient_user_authentication\", error_description=\"%s\"", message);
    add_acr(&line, answer);
    if (max_age_s > 0) {
        add(&line, ", max_age=\"%lld\"", (long long)max_age_s);
    }
}

void outcome_of(const struct pdp_answer *answer, struct outcome *out)
{
    *out = (struct outcome){.status = 403, .effect = pdp_answer_effect(answer)};
    out->ended = out->effect == PDP_EFFECT_TERMINATE || pdp_answer_code(answer) == PDP_CODE_TERMINATED;
    if (pdp_answer_allows(answer)) {
        out->status = 200;
    } else if (out->effect == PDP_EFFECT_STEP_UP) {
        out->status = 401;
        challenge(answer, out->challenge, sizeof out->challenge);
    }
}

// ---- Fields --------------------------------------------------------------------------------------------

static size_t keep(const char *text, size_t len, bool whole, char *out, size_t room)
{
    if (whole && len >= room) {
        return 0;
    }
    len = len < room ? len : room - 1;
    while (len > 0 && !whole && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len--; // a letter is cut off whole
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        out[i] = byte < ' ' || byte == 0x7f ? ' ' : text[i];
    }
    out[len] = '\0';
    return len;
}

size_t outcome_text(const struct pdp_answer *answer, enum outcome_field field, char *out, size_t room)
{
    char number[32];
    const char *text = "";
    size_t len = 0;
    out[0] = '\0';
    switch (field) {
    case OUTCOME_EFFECT:
        text = pdp_effect_name(pdp_answer_effect(answer));
        break;
    case OUTCOME_RISK:
        (void)snprintf(number, sizeof number, "%.1f", pdp_answer_score(answer));
        text = pdp_answer_score(answer) >= 0 ? number : "";
        break;
    case OUTCOME_LEVEL:
        text = pdp_answer_level(answer);
        break;
    case OUTCOME_CODE:
        text = pdp_code_name(pdp_answer_code(answer));
        break;
    case OUTCOME_RULE:
        text = pdp_answer_rule(answer);
        break;
    case OUTCOME_REASON:
        text = pdp_answer_reason(answer);
        break;
    case OUTCOME_MESSAGE:
        text = pdp_answer_message(answer);
        break;
    case OUTCOME_DECISION:
        text = pdp_answer_decision_id(answer);
        break;
    case OUTCOME_SESSION:
        text = pdp_answer_session_ref(answer);
        break;
    case OUTCOME_PATH:
        return pdp_answer_get_text(answer, "context.resource.path", &text, &len)
                   ? keep(text, len, true, out, room)
                   : 0;
    case OUTCOME_FIELDS:
        break;
    }
    len = strlen(text);
    size_t most = room < OUTCOME_TEXT_MAX ? room : OUTCOME_TEXT_MAX;
    return keep(text, len, false, out, most);
}
