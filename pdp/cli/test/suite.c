// SPDX-License-Identifier: Apache-2.0
#include "cli/test/suite.h"

#include "cli/test/desk.h"
#include "cli/test/judge.h"
#include "engine/anew.h"
#include "engine/watch.h"

#include <stdlib.h>

// The same in every run: tests are to be told apart by policies alone.
static const struct hash_key KEY = {UINT64_C(0x7064702d74657374), UINT64_C(0x2d6b65792d303031)};
static const uint32_t COUNTER_ENTRIES = 1024;
static const size_t ANSWER_MOST = (size_t)1 << 22;

struct suite_runner {
    struct engine *engine;
    struct worker *worker;
    struct desk *desk; // NULL: no order was given in this world
    const struct watch *watch;
    struct snapshot *whole;    // what snapshots with a document's places stand on
    const struct geo_set *geo; // of the snapshot that serves
    struct arena arena;        // of one play
    struct buf answer;
    uint64_t drawn; // how often ids were made in this world
};

static bool draw(void *user, void *out, size_t len)
{
    struct suite_runner *runner = user;
    struct hash128 bytes[4];
    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        uint64_t number = runner->drawn++;
        bytes[i] = hash_128(KEY, &number, sizeof number);
    }
    memcpy(out, bytes, len < sizeof bytes ? len : sizeof bytes);
    return len <= sizeof bytes;
}

static enum pdp_err serve(struct suite_runner *runner, const struct geo_set *geo)
{
    struct snapshot *next = NULL;
    TRY(snapshot_elsewhere(runner->whole, geo, &next));
    engine_publish(runner->engine, &next);
    runner->geo = geo;
    return PDP_ERR_OK;
}

static enum pdp_err begin_engine(struct suite_runner *runner)
{
    const struct engine_config config = {.key = KEY,
                                         .id_prefix = UINT64_C(0x74657374),
                                         .counter_entries = COUNTER_ENTRIES,
                                         .random = draw,
                                         .random_user = runner};
    TRY(engine_new(&config, &runner->engine));
    return worker_new(runner->engine, &runner->worker);
}

static void end_engine(struct suite_runner *runner)
{
    desk_free(&runner->desk);
    worker_free(&runner->worker);
    engine_free(&runner->engine);
}

enum pdp_err suite_runner_new(struct snapshot **snapshot, struct suite_runner **out)
{
    *out = NULL;
    AUTO(snapshot_free) struct snapshot *given = STEAL(*snapshot);
    AUTO(suite_runner_free) struct suite_runner *runner = calloc(1, sizeof *runner);
    if (runner == NULL) {
        return PDP_ERR_NOMEM;
    }
    arena_init(&runner->arena, 0, 0);
    TRY(begin_engine(runner));
    TRY(snapshot_share(given, &runner->whole));
    runner->geo = snapshot_geo(given);
    engine_publish(runner->engine, &given);
    *out = STEAL(runner);
    return PDP_ERR_OK;
}

void suite_runner_free(struct suite_runner **runner)
{
    struct suite_runner *r = STEAL(*runner);
    if (r == NULL) {
        return;
    }
    end_engine(r);
    snapshot_free(&r->whole);
    arena_fini(&r->arena);
    buf_fini(&r->answer);
    free(r);
}

void suite_runner_watch(struct suite_runner *runner, const struct watch *watch)
{
    runner->watch = watch;
    worker_watch(runner->worker, watch);
}

// ---- Worlds --------------------------------------------------------------------------------------

static enum pdp_err begin(struct suite_runner *runner)
{
    runner->drawn = 0;
    if (runner->desk != NULL) { // locks and quarantines last as long as their engine
        end_engine(runner);
        TRY(begin_engine(runner));
        worker_watch(runner->worker, runner->watch);
        TRY(serve(runner, runner->geo));
    }
    return engine_anew(runner->engine); // counters are the snapshot's
}

// What databases say in a play, and before the first one (NULL).
static enum pdp_err settle(struct suite_runner *runner, const struct suite_doc *doc,
                           const struct suite_play *play)
{
    const struct geo_set *geo = doc->geo != NULL ? doc->geo : snapshot_geo(runner->whole);
    geo = play != NULL && play->geo != NULL ? play->geo : geo;
    if (geo == runner->geo) {
        return PDP_ERR_OK;
    }
    TRY(serve(runner, geo));
    engine_tidy(runner->engine, doc->start_ms); // what served before; nothing is forgotten yet
    return PDP_ERR_OK;
}

// ---- One play ------------------------------------------------------------------------------------

static const struct value *with_explain(const struct value *root, struct arena *arena)
{
    struct value *out = ARENA_NEW(arena, struct value);
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, root->n + 1U);
    if (out == NULL || entries == NULL || value_get(root, STR("explain")) != NULL) {
        return root;
    }
    if (root->n > 0) {
        memcpy(entries, root->as.map, root->n * sizeof *entries);
    }
    entries[root->n] = (struct value_entry){value_str(STR("explain")), value_str(STR("full"))};
    *out = (struct value){.kind = VALUE_MAP, .n = root->n + 1, .as.map = entries};
    return out;
}

static bool tell(const struct suite_options *options, const struct suite_told *told)
{
    return options->told == NULL || options->told(options->user, told);
}

static enum pdp_err ask(struct suite_runner *runner, const struct suite_play *play,
                        const struct suite_options *options, struct suite_told *told, bool *goes_on)
{
    struct verdict verdict = {0};
    const struct value *root = options->explain ? with_explain(play->root, &runner->arena) : play->root;
    engine_decide(runner->worker, play->peer, root, play->at_ms, &verdict);
    told->verdict = &verdict;
    told->broken = judge_void(play, &verdict, NULL, worker_fault(runner->worker), &runner->arena);
    if (!options->any_policy && !judge(told->doc, play, &verdict, NULL, told->broken, &runner->arena,
                                       &told->misses, &told->miss_count)) {
        return PDP_ERR_NOMEM;
    }
    *goes_on = tell(options, told);
    return PDP_ERR_OK;
}

static enum pdp_err send(struct suite_runner *runner, const struct suite_play *play,
                         const struct suite_options *options, struct suite_told *told, bool *goes_on)
{
    struct value answer = {0};
    struct fault why = {{0}, {0}};
    struct judge_event event;
    buf_clear(&runner->answer);
    engine_answer(runner->worker, play->peer, play->message, play->at_ms, &runner->answer);
    TRY(wire_decode_most(WIRE_CBOR, buf_view(&runner->answer), ANSWER_MOST, &runner->arena, &answer, &why));
    judge_event_read(&answer, &event);
    told->answer = &answer;
    told->broken = judge_void(play, NULL, &event, &why, &runner->arena);
    if (!options->any_policy && !judge(told->doc, play, NULL, &event, told->broken, &runner->arena,
                                       &told->misses, &told->miss_count)) {
        return PDP_ERR_NOMEM;
    }
    *goes_on = tell(options, told);
    return PDP_ERR_OK;
}

static enum pdp_err give(struct suite_runner *runner, const struct suite_play *play,
                         const struct suite_options *options, struct suite_told *told, bool *goes_on)
{
    struct value answer = {0};
    struct fault why = {{0}, {0}};
    if (runner->desk == NULL) {
        TRY(desk_new(runner->engine, &runner->desk));
    }
    TRY(desk_give(runner->desk, play->peer->name, play->message, play->at_ms, &runner->answer));
    TRY(wire_decode_most(WIRE_CBOR, buf_view(&runner->answer), ANSWER_MOST, &runner->arena, &answer, &why));
    told->answer = &answer;
    if (!options->any_policy &&
        !judge_order(play, &answer, &runner->arena, &told->misses, &told->miss_count)) {
        return PDP_ERR_NOMEM;
    }
    *goes_on = tell(options, told);
    return PDP_ERR_OK;
}

static enum pdp_err play_one(struct suite_runner *runner, const struct suite_doc *doc,
                             const struct suite_play *play, const struct suite_options *options,
                             bool *goes_on)
{
    struct suite_told told = {.doc = doc, .play = play};
    arena_reset(&runner->arena);
    if (play->order) {
        return give(runner, play, options, &told, goes_on);
    }
    return play->message.len > 0 ? send(runner, play, options, &told, goes_on)
                                 : ask(runner, play, options, &told, goes_on);
}

static bool wanted(const struct suite_options *options, const struct suite_doc *doc,
                   const struct suite_play *play)
{
    return options->wants == NULL || options->wants(options->user, doc, play);
}

enum pdp_err suite_play(struct suite_runner *runner, const struct suite_doc *doc,
                        const struct suite_options *options, bool *went_on)
{
    bool goes_on = true;
    enum pdp_err err = settle(runner, doc, NULL);
    if (err == PDP_ERR_OK) {
        err = begin(runner);
    }
    for (size_t i = 0; i < doc->play_count && goes_on && err == PDP_ERR_OK; i++) {
        const struct suite_play *play = &doc->plays[i];
        if (doc->kind == SUITE_TEST && !wanted(options, doc, play)) {
            continue;
        }
        if (i > 0 && (doc->kind == SUITE_TEST || play->anew)) {
            err = begin(runner);
        }
        if (err == PDP_ERR_OK) {
            err = settle(runner, doc, play);
        }
        if (err == PDP_ERR_OK) {
            err = play_one(runner, doc, play, options, &goes_on);
        }
    }
    if (went_on != NULL) {
        *went_on = goes_on && err == PDP_ERR_OK;
    }
    return err;
}

enum pdp_err suite_run(struct suite_runner *runner, const struct suite *suite,
                       const struct suite_options *options)
{
    bool goes_on = true;
    for (size_t i = 0; i < suite_count(suite) && goes_on; i++) {
        const struct suite_doc *doc = suite_at(suite, i);
        if (wanted(options, doc, NULL)) {
            TRY(suite_play(runner, doc, options, &goes_on));
        }
    }
    return PDP_ERR_OK;
}
