// SPDX-License-Identifier: Apache-2.0
#include "haproxy/reply.h"

#include "common/outcome.h"

// How much is told.
enum detail {
    DETAIL_ALL,
    DETAIL_BRIEF, // without texts for people
    DETAIL_DENY   // effect and code alone, and the effect is deny
};

struct writing {
    const struct reply *reply;
    enum detail detail;
    struct outcome outcome;
    struct spop_writer *out;
};

static void put_text(struct writing *to, const char *name, struct text text)
{
    struct spop_value value = {.kind = SPOP_STRING, .text = text};
    if (text.len > 0) {
        spop_write_set(to->out, to->reply->scope, name, &value);
    } else {
        spop_write_unset(to->out, to->reply->scope, name);
    }
}

static void put_number(struct writing *to, const char *name, bool there, uint32_t number)
{
    struct spop_value value = {.kind = SPOP_UINT32, .number = number};
    if (there) {
        spop_write_set(to->out, to->reply->scope, name, &value);
    } else {
        spop_write_unset(to->out, to->reply->scope, name);
    }
}

static bool for_people(enum outcome_field field)
{
    return field == OUTCOME_REASON || field == OUTCOME_MESSAGE || field == OUTCOME_RULE;
}

// What we say ourselves where there is no answer.
static const char *own_text(const struct reply *reply, enum outcome_field field)
{
    if (field == OUTCOME_CODE) {
        return pdp_code_name(reply->code);
    }
    return field == OUTCOME_REASON && reply->reason != NULL ? reply->reason : "";
}

// `allow` only where the answer opens the door *and* says which path it was about: what the gateway forwards.
static struct text effect_text(const struct writing *to)
{
    const char *path;
    size_t len;
    bool allows = to->detail != DETAIL_DENY && pdp_answer_allows(to->reply->answer) &&
                  pdp_answer_get_text(to->reply->answer, "context.resource.path", &path, &len) && len > 0 &&
                  len < REPLY_MAX;
    enum pdp_effect effect = to->detail != DETAIL_DENY ? to->outcome.effect : PDP_EFFECT_DENY;
    bool claims = effect == PDP_EFFECT_ALLOW;
    return text_of(pdp_effect_name(claims && !allows ? PDP_EFFECT_DENY : effect));
}

static struct text field_text(const struct writing *to, enum outcome_field field, char *room, size_t size)
{
    const struct reply *reply = to->reply;
    bool told = to->detail == DETAIL_ALL || (to->detail == DETAIL_BRIEF && !for_people(field)) ||
                field == OUTCOME_CODE;
    if (field == OUTCOME_EFFECT) {
        return effect_text(to);
    }
    if (!told) {
        return (struct text){0};
    }
    if (reply->answer == NULL) {
        return text_of(own_text(reply, field));
    }
    return (struct text){room, outcome_text(reply->answer, field, room, size)};
}

// HAProxy compares whole numbers: rounded up, so that `gt 40` is true of 40.2.
static void put_risk(struct writing *to)
{
    double score = to->detail != DETAIL_DENY ? pdp_answer_score(to->reply->answer) : -1;
    bool there = score >= 0 && score <= 100;
    put_number(to, outcome_variable(OUTCOME_RISK), there,
               there ? (uint32_t)score + (score > (uint32_t)score) : 0);
}

static void put_step_up(struct writing *to)
{
    const struct pdp_answer *answer = to->detail != DETAIL_DENY ? to->reply->answer : NULL;
    bool asks = to->outcome.status == 401 && answer != NULL;
    char acr[OUTCOME_TEXT_MAX];
    size_t len = 0;
    for (size_t i = 0; asks && i < pdp_answer_require_acr_count(answer); i++) {
        struct text one = text_of(pdp_answer_require_acr(answer, i));
        if (one.len + 1 <= sizeof acr - len) {
            acr[len] = ' ';
            memcpy(acr + len + (len > 0), one.at, one.len);
            len += one.len + (len > 0);
        }
    }
    int64_t max_age_s = asks ? pdp_answer_require_max_age_s(answer) : 0;
    const char *own = to->reply->answer == NULL && to->detail != DETAIL_DENY ? to->reply->challenge : NULL;
    put_text(to, "challenge", text_of(asks ? to->outcome.challenge : own));
    put_text(to, "acr_values", (struct text){acr, len});
    put_number(to, "max_age", max_age_s > 0 && max_age_s <= UINT32_MAX, (uint32_t)max_age_s);
}

static void put_all(struct writing *to)
{
    char room[REPLY_MAX];
    for (int i = 0; i < OUTCOME_FIELDS; i++) {
        enum outcome_field field = (enum outcome_field)i;
        if (field == OUTCOME_RISK) {
            put_risk(to);
        } else {
            put_text(to, outcome_variable(field), field_text(to, field, room, sizeof room));
        }
    }
    put_text(to, "subject", to->detail != DETAIL_DENY ? to->reply->subject : (struct text){0});
    put_step_up(to);
}

void reply_write(const struct reply *reply, uint32_t frame_max, struct spop_writer *out)
{
    struct writing to = {.reply = reply, .out = out};
    outcome_of(reply->answer, &to.outcome);
    size_t room = (size_t)(out->end - out->at), most = (size_t)frame_max + SPOP_LENGTH_BYTES;
    struct spop_writer whole = {
        .at = out->at, .end = out->at + (room < most ? room : most), .full = out->full};
    for (int detail = DETAIL_ALL; detail <= DETAIL_DENY; detail++) {
        struct spop_writer attempt = whole;
        to.detail = (enum detail)detail;
        to.out = &attempt;
        unsigned char *begin = spop_begin_frame(&attempt, SPOP_ACK, reply->stream_id, reply->frame_id);
        put_all(&to);
        spop_end_frame(&attempt, begin);
        *out = (struct spop_writer){.at = attempt.at, .end = out->end, .full = attempt.full};
        if (!attempt.full) {
            return;
        }
    }
}
