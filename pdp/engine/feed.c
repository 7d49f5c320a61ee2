// SPDX-License-Identifier: Apache-2.0
// HOT
#include "engine/feed.h"

static struct source_names names_of(const struct ask *ask)
{
    return source_names_of(&ask->seen,
                           ask_may(ask, GRANT_ASSERT_DEVICE) ? ask->request->ja4 : (struct str){0});
}

const struct source_view *feed_read(struct ask *ask)
{
    if (ask_in_shadow(ask)) {
        return &ask->source;
    }
    struct source_names names = names_of(ask);
    source_read(ask->worker->engine->sources, &names, ask->now_ms, &ask->source);
    // A session that was seen in this part of time was counted then.
    ask->source_due = !ask->known || ask->session.last.at_ms / SOURCE_PART_MS != ask->now_ms / SOURCE_PART_MS;
    return &ask->source;
}

// A failure that is told twice is one.
static bool was_told(const struct ask *ask, uint64_t subject)
{
    const struct engine *engine = ask->worker->engine;
    struct str id = ask->request->request_id;
    return id.len > 0 &&
           source_told(engine->sources, session_hash(engine->sessions, id) ^ ask->peer->hash ^ subject);
}

void feed_login(const struct ask *ask, bool failed)
{
    const struct request *request = ask->request;
    struct engine *engine = ask->worker->engine;
    struct session_key key = session_key_of(engine->sessions, ask->peer->hash, request->tenant,
                                            request->subject_type, request->subject_id, (struct str){0});
    if (failed && was_told(ask, key.subject.lo)) {
        return;
    }
    struct source_names names = names_of(ask);
    source_add(engine->sources, &names, failed ? SOURCE_LOGIN_FAILED : SOURCE_LOGIN_PASSED, key.subject.lo,
               ask->now_ms);
}

// Ids that nobody has, that another subject has, or that were replaced long ago. Sessions that were good and
// are over say nothing: on a Monday morning those of a whole office are.
static bool is_stray(const struct ask *ask, const struct verdict *said)
{
    return said->code == PDP_CODE_FIXATION || said->code == PDP_CODE_REUSED ||
           (said->code == PDP_CODE_UNSURE && ask->held.found == SESSION_ABSENT);
}

void feed_question(const struct ask *ask, const struct verdict *said, bool judged)
{
    bool stray = !judged && is_stray(ask, said);
    bool good =
        judged && ask->source_due && said->code != PDP_CODE_OVERLOADED && said->code != PDP_CODE_FIXATION;
    if (!ask->has_session || !ask->moves || (!stray && !good)) {
        return;
    }
    struct source_names names = names_of(ask);
    source_add(ask->worker->engine->sources, &names, stray ? SOURCE_SESSION_REFUSED : SOURCE_SESSION_GOOD,
               ask->key.id.lo, ask->now_ms);
}
