// SPDX-License-Identifier: Apache-2.0
#include "cli/test/mutate.h"

#include "daemon/folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS_MAX 16

static const struct hash_key KEY = {UINT64_C(0x7064702d6d757461), UINT64_C(0x74652d6b65792d31)};

struct shared {
    const struct mutate_order *order;
    struct mutate *out;
    struct buf original; // what the folder prints
    bool masked;         // something in it is not shown: equal text may hide a difference
    uint64_t *reached;   // cover_reached of each play of each document, in order
    size_t words;        // of COVER_REACHES each
    atomic_size_t next;
    atomic_int err; // the first
};

// How near plays come to the rule of a mutant.
enum {
    LEVEL_TOUCHED, // COVER_TOUCHED
    LEVEL_NEAR,    // COVER_NEAR, and not touched
    LEVEL_ANY
};

// One thread's view of one mutant.
struct attempt {
    const struct shared *shared;
    uint32_t rule; // that it is in; UINT32_MAX: none
    size_t first;  // number of the document's first play
    const struct suite_doc *doc;
    int level; // those at this level are played
    bool noticed;
};

// ---- The tests --------------------------------------------------------------------------------------

static bool has(const uint64_t *bits, uint32_t rule)
{
    return (bits[rule / 64] >> rule % 64 & 1) != 0;
}

static int level_of(const struct attempt *attempt, size_t play)
{
    const struct shared *shared = attempt->shared;
    const uint64_t *bits = &shared->reached[(attempt->first + play) * COVER_REACHES * shared->words];
    if (attempt->rule == UINT32_MAX) {
        return LEVEL_ANY;
    }
    return has(&bits[COVER_TOUCHED * shared->words], attempt->rule) ? LEVEL_TOUCHED
           : has(&bits[COVER_NEAR * shared->words], attempt->rule)  ? LEVEL_NEAR
                                                                    : LEVEL_ANY;
}

// A scenario is one piece: its nearest step counts.
static int level_of_doc(const struct attempt *attempt)
{
    int level = LEVEL_ANY;
    for (size_t i = 0; i < attempt->doc->play_count; i++) {
        int own = level_of(attempt, i);
        level = own < level ? own : level;
    }
    return level;
}

static bool wants(void *user, const struct suite_doc *doc, const struct suite_play *play)
{
    const struct attempt *attempt = user;
    if (play != NULL) {
        return level_of(attempt, (size_t)(play - doc->plays)) == attempt->level;
    }
    int level = level_of_doc(attempt);
    return doc->kind == SUITE_SCENARIO ? level == attempt->level : level <= attempt->level;
}

static bool told(void *user, const struct suite_told *told)
{
    struct attempt *attempt = user;
    attempt->noticed = attempt->noticed || told->miss_count > 0;
    return !attempt->noticed;
}

static enum pdp_err play_level(struct attempt *attempt, struct suite_runner *runner)
{
    const struct suite *suite = attempt->shared->order->suite;
    const struct suite_options options = {.wants = wants, .told = told, .user = attempt};
    attempt->first = 0;
    for (size_t i = 0; i < suite_count(suite) && !attempt->noticed; i++) {
        attempt->doc = suite_at(suite, i);
        if (wants(attempt, attempt->doc, NULL)) {
            TRY(suite_play(runner, attempt->doc, &options, NULL));
        }
        attempt->first += attempt->doc->play_count;
    }
    return PDP_ERR_OK;
}

// What lies further off than this cannot notice: a rule that is no for a question, by what the mutant leaves
// alone, is no with it too, and all else is the same.
static int furthest(const struct mutant *mutant)
{
    switch (mutant->rule ? mutant->op : MUTANT_OP_COUNT) {
    case MUTANT_RULE:
    case MUTANT_EFFECT:
    case MUTANT_AGE:
    case MUTANT_STRENGTH:
    case MUTANT_NEVER:
        return LEVEL_TOUCHED;
    case MUTANT_PART:
    case MUTANT_ELSE:
    case MUTANT_WHOLE:
    case MUTANT_NEGATE:
    case MUTANT_EDGE:
    case MUTANT_COMPARE:
    case MUTANT_THRESHOLD:
    case MUTANT_LEVEL:
    case MUTANT_ENTRY:
    case MUTANT_ALTERNATIVE:
    case MUTANT_ANCHOR:
    case MUTANT_REPEAT:
    case MUTANT_CLASS:
    case MUTANT_TEXT:
    case MUTANT_HOURS:
    case MUTANT_DAY:
        return LEVEL_NEAR;
    default:
        return LEVEL_ANY;
    }
}

static enum pdp_err play_all(struct attempt *attempt, const struct mutant *mutant, struct snapshot **snapshot)
{
    AUTO(suite_runner_free) struct suite_runner *runner = NULL;
    int last = attempt->shared->order->thorough ? LEVEL_ANY : furthest(mutant);
    TRY(suite_runner_new(snapshot, &runner));
    for (attempt->level = LEVEL_TOUCHED; attempt->level <= last && !attempt->noticed; attempt->level++) {
        TRY(play_level(attempt, runner));
    }
    return PDP_ERR_OK;
}

// ---- How near each play comes -----------------------------------------------------------------------

struct reaching {
    struct cover *cover;
    uint64_t *at; // of the play that comes next
    size_t words;
    bool passes; // so far
};

static bool note_reached(void *user, const struct suite_told *told)
{
    struct reaching *reaching = user;
    reaching->passes = reaching->passes && told->miss_count == 0;
    memcpy(reaching->at, cover_reached(reaching->cover), reaching->words * sizeof *reaching->at);
    cover_forget_reached(reaching->cover);
    reaching->at += reaching->words;
    return true;
}

static enum pdp_err reach_all(struct shared *shared)
{
    const struct mutate_order *order = shared->order;
    size_t plays = 0, words = COVER_REACHES * shared->words;
    for (size_t i = 0; i < suite_count(order->suite); i++) {
        plays += suite_at(order->suite, i)->play_count;
    }
    shared->reached = calloc(plays * words + 1, sizeof *shared->reached);
    if (shared->reached == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct reaching reaching = {order->cover, shared->reached, words, true};
    const struct suite_options options = {.told = note_reached, .user = &reaching};
    cover_forget_reached(order->cover);
    TRY(suite_run(order->runner, order->suite, &options));
    return reaching.passes ? PDP_ERR_OK : PDP_ERR_STATE;
}

// ---- One mutant -------------------------------------------------------------------------------------

static enum pdp_err build(const struct shared *shared, const struct mutant *mutant, struct str text,
                          struct snapshot **out)
{
    struct snapshot_input input = shared->order->input;
    AUTO(folder_free) struct folder *folder = NULL; // it keeps what it reads: anew each time
    struct diags diags;
    *out = NULL;
    TRY(folder_open(shared->order->dir, &folder));
    struct snapshot_file *files = calloc(input.file_count + 1, sizeof *files);
    if (files == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct snapshot_input reader = folder_input(folder);
    memcpy(files, input.files, input.file_count * sizeof *files);
    files[mutant->file].text = text;
    input.files = files;
    input.read_file = reader.read_file;
    input.read_zone = reader.read_zone;
    input.user = reader.user;
    input.conditions = false;
    diags_init(&diags, 1);
    enum pdp_err err = snapshot_build(&input, KEY, &diags, out);
    diags_fini(&diags);
    free(files);
    return err;
}

static bool means_the_same(const struct shared *shared, const struct mutant *mutant,
                           const struct snapshot *snapshot)
{
    AUTO(buf_fini) struct buf text = {0};
    if (!mutant->printed || shared->masked) {
        return false;
    }
    snapshot_print(snapshot, &text);
    return !text.failed && str_eq(buf_view(&text), buf_view(&shared->original));
}

static enum pdp_err try_mutant(struct shared *shared, size_t number)
{
    const struct mutant *mutant = &shared->out->mutants.list[number];
    enum mutate_fate *fate = &shared->out->fates[number];
    AUTO(buf_fini) struct buf text = {0};
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    mutant_apply(&shared->out->mutants, mutant, &text);
    enum pdp_err err = text.failed ? PDP_ERR_NOMEM : build(shared, mutant, buf_view(&text), &snapshot);
    if (err != PDP_ERR_OK) {
        *fate = MUTATE_BROKEN;
        return err == PDP_ERR_NOMEM ? err : PDP_ERR_OK;
    }
    if (means_the_same(shared, mutant, snapshot)) {
        *fate = MUTATE_SAME;
        return PDP_ERR_OK;
    }
    struct attempt attempt = {
        .shared = shared,
        .rule = mutant->rule ? cover_rule_number(shared->order->cover, mutant->owner) : UINT32_MAX,
    };
    TRY(play_all(&attempt, mutant, &snapshot));
    *fate = attempt.noticed ? MUTATE_NOTICED : MUTATE_SURVIVED;
    return PDP_ERR_OK;
}

static void *work(void *user)
{
    struct shared *shared = user;
    for (;;) {
        size_t number = atomic_fetch_add(&shared->next, 1);
        if (number >= shared->out->mutants.count || atomic_load(&shared->err) != PDP_ERR_OK) {
            return NULL;
        }
        enum pdp_err err = try_mutant(shared, number);
        if (err != PDP_ERR_OK) {
            atomic_store(&shared->err, (int)err);
        }
    }
}

static void work_all(struct shared *shared, size_t threads)
{
    pthread_t started[THREADS_MAX];
    size_t count = 0;
    while (count + 1 < threads && count < THREADS_MAX &&
           pthread_create(&started[count], NULL, work, shared) == 0) {
        count++;
    }
    (void)work(shared);
    for (size_t i = 0; i < count; i++) {
        pthread_join(started[i], NULL);
    }
}

// ---- What is accepted -------------------------------------------------------------------------------

static const struct str MARK = {"pdp:mutant-ok", sizeof "pdp:mutant-ok" - 1};

// The line that byte `at` is in.
static struct str line_at(struct str text, size_t at)
{
    size_t from = at;
    while (from > 0 && text.at[from - 1] != '\n') {
        from--;
    }
    return str_sub(text, from, str_find_byte(text, '\n', at) - from);
}

// A `#` within quotes begins no comment, but nobody writes the mark behind it there.
bool mutate_next_mark(struct str text, size_t from, struct mutate_mark *out)
{
    *out = (struct mutate_mark){0};
    for (size_t at = str_find(text, MARK, from); at != SIZE_MAX; at = str_find(text, MARK, at + 1)) {
        struct str line = line_at(text, at);
        size_t column = at - (size_t)(line.at - text.at);
        if (str_find_byte(line, '#', 0) < column) {
            out->at = at;
            out->reason = str_trim(str_sub(line, column + MARK.len, line.len));
            return true;
        }
    }
    return false;
}

static bool marked(struct str text, struct str line, struct mutate_mark *out)
{
    size_t from = (size_t)(line.at - text.at);
    return mutate_next_mark(str_sub(text, 0, from + line.len), from, out);
}

bool mutate_marked(struct place place, struct mutate_mark *out)
{
    struct str text = place.src->text;
    struct str line = line_at(text, place.at);
    bool found = marked(text, line, out);
    while (!found && line.at > text.at) {
        line = line_at(text, (size_t)(line.at - text.at) - 1);
        struct str shown = str_trim(line);
        if (shown.len == 0 || shown.at[0] != '#') {
            break;
        }
        found = marked(text, line, out);
    }
    return found;
}

static void settle(struct mutate *out)
{
    for (size_t i = 0; i < out->mutants.count; i++) {
        struct mutate_mark mark;
        bool accepted = out->fates[i] == MUTATE_SURVIVED &&
                        mutate_marked(out->mutants.list[i].place, &mark) && mark.reason.len > 0;
        out->fates[i] = accepted ? MUTATE_ACCEPTED : out->fates[i];
        out->counts[out->fates[i]]++;
    }
}

// ---- All of them ------------------------------------------------------------------------------------

static enum pdp_err print_original(struct shared *shared)
{
    AUTO(snapshot_free) struct snapshot *snapshot = NULL;
    const struct mutant none = {.file = 0};
    TRY(build(shared, &none, shared->order->input.files[0].text, &snapshot));
    snapshot_print(snapshot, &shared->original);
    shared->masked = str_find(buf_view(&shared->original), STR(CEL_MASK), 0) != SIZE_MAX;
    return shared->original.failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
}

enum pdp_err mutate_run(const struct mutate_order *order, struct mutate *out)
{
    struct shared shared = {.order = order, .out = out, .words = cover_rule_words(order->cover)};
    *out = (struct mutate){0};
    TRY(mutants_find(order->input.files, order->input.file_count, &out->mutants));
    out->fates = calloc(out->mutants.count + 1, sizeof *out->fates);
    if (out->fates == NULL) {
        return PDP_ERR_NOMEM;
    }
    enum pdp_err err = print_original(&shared);
    err = err == PDP_ERR_OK ? reach_all(&shared) : err;
    if (err == PDP_ERR_OK) {
        work_all(&shared, order->threads);
        err = (enum pdp_err)atomic_load(&shared.err);
    }
    buf_fini(&shared.original);
    free(shared.reached);
    settle(out);
    return err;
}

void mutate_fini(struct mutate *mutate)
{
    mutants_fini(&mutate->mutants);
    free(mutate->fates);
    free(mutate->idle);
    *mutate = (struct mutate){0};
}
