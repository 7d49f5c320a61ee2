// SPDX-License-Identifier: Apache-2.0
// Questions under way. Each is answered to HAProxy exactly once: by what was decided, or deny.
#include "haproxy/agent.h"
#include "haproxy/reply.h"

#include <stdlib.h>

enum {
    ASKS_MOST = 16384, // of one loop, those counted that nobody waits for any more
    GRACE_MS = 20      // that the decider has to keep its own deadline
};

// ---- Answering
// ---------------------------------------------------------------------------------------------

static void send_reply(struct loop *loop, struct link *link, const struct reply *reply)
{
    if (link->peer.state != PEER_OPEN) {
        return; // it has been told to go
    }
    struct spop_writer out;
    uint32_t frame_max = link->peer.max_frame_size;
    size_t most = SPOP_LENGTH_BYTES + (size_t)(frame_max < REPLY_MAX ? frame_max : REPLY_MAX);
    enum pdp_err err = peer_begin(&link->peer, most, &out);
    if (err == PDP_ERR_OK) {
        reply_write(reply, frame_max, &out);
        peer_commit(&link->peer, &out);
    }
    if (out.full) {
        peer_end(&link->peer, SPOP_STATUS_RESOURCE);
    }
    link_touch(loop, link);
}

static void deny(struct loop *loop, struct link *link, const struct spop_frame *notify, enum pdp_code code,
                 const char *reason, const char *challenge)
{
    send_reply(loop, link,
               &(struct reply){.stream_id = notify->stream_id,
                               .frame_id = notify->frame_id,
                               .scope = loop->agent->settings.scope,
                               .code = code,
                               .reason = reason,
                               .challenge = challenge});
}

// What no answer means, by why there is none.
static enum pdp_code code_of(enum pdp_err err)
{
    switch (err) {
    case PDP_ERR_BUSY:
    case PDP_ERR_NOMEM:
        return PDP_CODE_OVERLOADED;
    case PDP_ERR_TIMEOUT:
    case PDP_ERR_CLOSED:
    case PDP_ERR_IO:
    case PDP_ERR_UNSUPPORTED:
        return PDP_CODE_NO_ANSWER;
    default:
        return PDP_CODE_MALFORMED;
    }
}

// ---- The list of a loop
// --------------------------------------------------------------------------------------

static void join(struct loop *loop, struct ask *ask)
{
    ask->before = loop->newest;
    *(loop->newest != NULL ? &loop->newest->after : &loop->oldest) = ask;
    loop->newest = ask;
    loop->asks++;
}

static void leave(struct loop *loop, struct ask *ask)
{
    bool listed = ask->before != NULL || ask->after != NULL || loop->oldest == ask;
    if (listed) {
        *(ask->before != NULL ? &ask->before->after : &loop->oldest) = ask->after;
        *(ask->after != NULL ? &ask->after->before : &loop->newest) = ask->before;
    }
    ask->before = ask->after = NULL;
}

// Nobody waits for it any more; it stays until its answer comes back.
static void detach(struct loop *loop, struct ask *ask)
{
    ask->link->under_way--;
    ask->link = NULL;
    leave(loop, ask);
}

void ask_free(struct ask **ask)
{
    struct ask *one = *ask;
    *ask = NULL;
    if (one != NULL) {
        pdp_answer_free(&one->answer);
        desk_drop(&one->desk);
        free(one);
    }
}

static void reply_to(struct loop *loop, const struct ask *ask, const struct pdp_answer *answer,
                     enum pdp_err err)
{
    send_reply(loop, ask->link,
               &(struct reply){.stream_id = ask->stream_id,
                               .frame_id = ask->frame_id,
                               .scope = loop->agent->settings.scope,
                               .answer = answer,
                               .code = code_of(err),
                               .reason = pdp_err_text(err),
                               .subject = {ask->subject, ask->subject_len}});
}

// Its answer is here: tells it where somebody waits, and forgets it.
static void settle(struct loop *loop, struct ask *ask)
{
    loop->asks--;
    if (ask->err == PDP_ERR_OK && ask->answer == NULL) {
        ask->err = PDP_ERR_NOMEM;
    }
    if (ask->link != NULL) {
        // A failed call denies; its answer, if any, says why.
        bool usable = ask->err == PDP_ERR_OK || !pdp_answer_allows(ask->answer);
        reply_to(loop, ask, usable ? ask->answer : NULL, ask->err);
        if (code_of(ask->err) == PDP_CODE_NO_ANSWER && ask->err != PDP_ERR_OK) {
            agent_complain(loop->agent, COMPLAINT_NO_ANSWER, "denied without an answer: %s",
                           pdp_err_text(ask->err));
        }
        detach(loop, ask);
    }
    ask_free(&ask);
}

// ---- Where answers come from
// ---------------------------------------------------------------------------------

// The loop that is asking on this thread right now: what is decided at once is answered at once.
static _Thread_local struct loop *asking;

static void answered(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    struct ask *ask = user;
    struct desk *desk = ask->desk;
    ask->err = err;
    ask->answer = answer;
    if (asking != NULL && asking->desk == desk) {
        settle(asking, ask);
        return;
    }
    desk_hold(desk); // the loop may drop what the question holds before the lock is given back
    if (!desk_put_answer(desk, ask)) {
        ask_free(&ask);
    }
    desk_drop(&desk);
}

static struct ask *ask_new(struct loop *loop, struct link *link, const struct spop_frame *notify,
                           struct text subject)
{
    struct ask *ask = loop->asks < ASKS_MOST ? calloc(1, sizeof *ask + subject.len) : NULL;
    if (ask == NULL) {
        return NULL;
    }
    ask->desk = loop->desk;
    desk_hold(ask->desk);
    ask->link = link;
    link->under_way++;
    ask->stream_id = notify->stream_id;
    ask->frame_id = notify->frame_id;
    ask->until_ms = loop->now_ms + loop->agent->settings.deadline_ms + GRACE_MS;
    if (subject.len > 0) {
        memcpy(ask->subject, subject.at, subject.len);
        ask->subject_len = subject.len;
    }
    join(loop, ask);
    return ask;
}

static void put_question(struct loop *loop, struct ask *ask)
{
    struct agent *agent = loop->agent;
    asking = loop;
    enum pdp_err err = pdp_decider_ask(&agent->decider, loop->question, NULL, agent->now_ms(agent->user),
                                       (int32_t)agent->settings.deadline_ms, answered, ask);
    asking = NULL;
    if (err != PDP_ERR_OK) {
        ask->err = err;
        settle(loop, ask);
    }
}

// What it says is a question; whose answer is told where there is one already.
static void ask_for(struct loop *loop, struct link *link, const struct spop_frame *frame,
                    const struct notify *notify)
{
    pdp_question_reset(loop->question);
    enum pdp_err err = facts_ask(&notify->facts, loop->question);
    if (err != PDP_ERR_OK) {
        deny(loop, link, frame, code_of(err), pdp_err_text(err), NULL);
        return;
    }
    struct ask *ask = ask_new(loop, link, frame, notify->facts.subject_id);
    if (ask == NULL) {
        agent_complain(loop->agent, COMPLAINT_OVERLOADED, "denied: %u questions are under way", loop->asks);
        deny(loop, link, frame, PDP_CODE_OVERLOADED, "too many questions are under way", NULL);
        return;
    }
    put_question(loop, ask);
}

void ask_begin(struct loop *loop, struct link *link, const struct spop_frame *frame)
{
    struct agent *agent = loop->agent;
    struct notify notify;
    enum pdp_err err =
        notify_read(frame->payload, &agent->settings.notify, agent->now_ms(agent->user), &notify);
    if (err == PDP_ERR_OK) {
        ask_for(loop, link, frame, &notify);
    } else {
        if (err != PDP_ERR_DENIED) { // who has no token, or an old one, is no mistake of ours
            agent_complain(agent, COMPLAINT_REQUEST, "denied: %s", notify.why);
        }
        deny(loop, link, frame, PDP_CODE_MALFORMED, notify.why, notify.challenge);
    }
    notify_fini(&notify);
}

void ask_collect(struct loop *loop, struct ask *newest_first)
{
    struct ask *in_order = NULL;
    while (newest_first != NULL) {
        struct ask *next = newest_first->next;
        newest_first->next = in_order;
        in_order = newest_first;
        newest_first = next;
    }
    while (in_order != NULL) {
        struct ask *next = in_order->next;
        settle(loop, in_order);
        in_order = next;
    }
}

void ask_expire(struct loop *loop, int64_t now_ms)
{
    while (loop->oldest != NULL && loop->oldest->until_ms <= now_ms) {
        struct ask *ask = loop->oldest;
        reply_to(loop, ask, NULL, PDP_ERR_TIMEOUT);
        agent_complain(loop->agent, COMPLAINT_NO_ANSWER, "denied: no answer within the deadline");
        detach(loop, ask);
    }
}

void ask_forget(struct loop *loop, struct link *link)
{
    for (struct ask *ask = loop->oldest, *next; ask != NULL && link->under_way > 0; ask = next) {
        next = ask->after;
        if (ask->link == link) {
            detach(loop, ask);
        }
    }
}
