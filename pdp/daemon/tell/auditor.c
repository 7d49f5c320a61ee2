// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/auditor.h"

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/tell/sink.h"
#include "wire/wire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum {
    RECORDERS_MAX = CONFIG_WORKERS_MAX + 4,
    SAME_PLACES = 512, // of denials that are counted; a power of two
    TURN_RECORDS = 512 // of one worker before the others have theirs
};
static const long IDLE_NS = 5000000; // between two looks at empty rings
static const int64_t SAME_MS = 1000;

// Denials that are alike, of one second.
struct same {
    uint64_t hash;
    int64_t since_ms, last_ms;
    uint64_t count; // those that were not kept
    char id[40];    // of the one that was
};

struct auditor {
    const struct config *config;
    char folder[4096];
    struct audit_log *log;
    struct sink *sink; // NULL: none
    struct recorder *recorders[RECORDERS_MAX];
    size_t count;
    struct same same[SAME_PLACES];
    struct buf scratch;
    uint64_t told_lost, told_refused;
    pthread_t thread;
    bool runs;

    pthread_mutex_t lock; // of the log, and of all that follows
    bool stop;
    struct auditor_status status;
};

static bool draw(void *out, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t part = getrandom((char *)out + got, len - got, 0);
        if (part <= 0) {
            return false;
        }
        got += (size_t)part;
    }
    return true;
}

// ---- Records of our own --------------------------------------------------------------------------------

static void begin_own(struct auditor *auditor, struct emit *emit, const char *kind, int64_t now_ms)
{
    buf_clear(&auditor->scratch);
    emit_init(emit, WIRE_CBOR, &auditor->scratch);
    emit_map(emit, EMIT_FEW);
    emit_key_str(emit, "kind", str_of(kind));
    emit_key_int(emit, "time", now_ms);
}

static enum pdp_err append_own(struct auditor *auditor, struct emit *emit)
{
    uint64_t index;
    emit_end(emit);
    TRY(audit_log_append(auditor->log, buf_view(&auditor->scratch), (struct str){0}, (struct str){0},
                         &index));
    sink_push(auditor->sink, buf_view(&auditor->scratch));
    return PDP_ERR_OK;
}

static enum pdp_err tell(struct auditor *auditor, const char *kind, uint64_t count, int64_t now_ms)
{
    struct emit emit;
    begin_own(auditor, &emit, kind, now_ms);
    emit_key_int(&emit, "count", (int64_t)count);
    return append_own(auditor, &emit);
}

// ---- Denials that are alike ------------------------------------------------------------------------------

static enum pdp_err same_tell(struct auditor *auditor, struct same *same)
{
    struct emit emit;
    if (same->count > 0) {
        begin_own(auditor, &emit, "coalesced", same->last_ms);
        emit_key_str(&emit, "of", str_of(same->id));
        emit_key_int(&emit, "count", (int64_t)same->count);
        TRY(append_own(auditor, &emit));
        auditor->status.coalesced += same->count;
    }
    same->count = 0;
    same->hash = 0;
    return PDP_ERR_OK;
}

// Is it one that is counted only?
static bool is_same(struct auditor *auditor, const struct record *record)
{
    struct same *same = &auditor->same[record->same % SAME_PLACES];
    bool counts = record->same != 0 && same->hash == record->same && record->at_ms >= same->since_ms &&
                  record->at_ms - same->since_ms < SAME_MS;
    if (counts) {
        same->count++;
        same->last_ms = record->at_ms;
    }
    return counts;
}

static enum pdp_err same_begin(struct auditor *auditor, const struct record *record)
{
    struct same *same = &auditor->same[record->same % SAME_PLACES];
    if (record->same == 0) {
        return PDP_ERR_OK;
    }
    TRY(same_tell(auditor, same));
    *same = (struct same){.hash = record->same, .since_ms = record->at_ms, .last_ms = record->at_ms};
    memcpy(same->id, record->id, sizeof same->id);
    return PDP_ERR_OK;
}

static enum pdp_err same_old(struct auditor *auditor, int64_t before_ms)
{
    for (size_t i = 0; i < SAME_PLACES; i++) {
        if (auditor->same[i].hash != 0 && auditor->same[i].since_ms <= before_ms) {
            TRY(same_tell(auditor, &auditor->same[i]));
        }
    }
    return PDP_ERR_OK;
}

// ---- The rings -------------------------------------------------------------------------------------------

static enum pdp_err take(struct auditor *auditor, const struct record *record)
{
    uint64_t index;
    if (is_same(auditor, record)) {
        return PDP_ERR_OK;
    }
    if (sink_full(auditor->sink) && !auditor->config->audit.drop) {
        return PDP_ERR_BUSY; // what cannot be sent is not passed over
    }
    TRY(same_begin(auditor, record));
    TRY(audit_log_append(auditor->log, record->open, record->personal, record->user, &index));
    sink_push(auditor->sink, record->open);
    return PDP_ERR_OK;
}

// Takes what is there, in turns; *some: there was something.
static enum pdp_err drain(struct auditor *auditor, bool *some)
{
    *some = false;
    for (size_t i = 0; i < auditor->count; i++) {
        struct record record;
        for (size_t turn = 0; turn < TURN_RECORDS && recorder_take(auditor->recorders[i], &record); turn++) {
            TRY(take(auditor, &record));
            recorder_drop(auditor->recorders[i]);
            *some = true;
        }
    }
    return PDP_ERR_OK;
}

static void count_lost(struct auditor *auditor, uint64_t *lost, uint64_t *refused)
{
    *lost = *refused = 0;
    for (size_t i = 0; i < auditor->count; i++) {
        *lost += recorder_lost(auditor->recorders[i]);
        *refused += recorder_refused(auditor->recorders[i]);
    }
}

// What was lost is told in the log as soon as it takes records again.
static enum pdp_err tell_lost(struct auditor *auditor, int64_t now_ms)
{
    uint64_t lost, refused;
    count_lost(auditor, &lost, &refused);
    if (lost > auditor->told_lost) {
        TRY(tell(auditor, "lost", lost - auditor->told_lost, now_ms));
        auditor->told_lost = lost;
    }
    if (refused > auditor->told_refused) {
        TRY(tell(auditor, "refused", refused - auditor->told_refused, now_ms));
        auditor->told_refused = refused;
    }
    return PDP_ERR_OK;
}

// ---- The thread ------------------------------------------------------------------------------------------

static void say_trouble(struct auditor *auditor, const char *what)
{
    if (strcmp(auditor->status.trouble, what) == 0) {
        return;
    }
    snprintf(auditor->status.trouble, sizeof auditor->status.trouble, "%s", what);
    log_one(what[0] != '\0' ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
            what[0] != '\0' ? "audit_stalled" : "audit_writes", "meaning",
            what[0] != '\0' ? what : "the audit log is written again");
}

static void note_state(struct auditor *auditor, enum pdp_err err)
{
    struct audit_status log;
    struct auditor_status *status = &auditor->status;
    char what[300] = "";
    audit_log_status(auditor->log, &log);
    if (log.failed) {
        snprintf(what, sizeof what, "%.250s", log.why);
    } else if (err == PDP_ERR_BUSY && sink_full(auditor->sink)) {
        snprintf(what, sizeof what, "the syslog server takes no records");
    } else if (err != PDP_ERR_OK) {
        snprintf(what, sizeof what, "the audit log cannot be written (is the disk full?): %s",
                 pdp_err_text(err));
    } else if (sink_lost(auditor->sink) > status->sink_lost) {
        snprintf(what, sizeof what, "records were not sent to the syslog server");
    }
    say_trouble(auditor, what);
    status->stalled = log.failed || err != PDP_ERR_OK;
    status->records = log.records;
    status->signed_records = log.signed_records;
    status->first = log.first;
    status->segments = log.segments;
    status->bytes = log.bytes;
    status->sink_lost = sink_lost(auditor->sink);
    count_lost(auditor, &status->lost, &status->refused);
    struct str note = audit_log_signed(auditor->log);
    snprintf(status->note, sizeof status->note, STR_FMT, STR_ARG(note));
    for (size_t i = 0; i < auditor->count; i++) {
        recorder_stall(auditor->recorders[i], log.failed);
    }
}

// One turn: true where there is more to do at once.
static bool turn(struct auditor *auditor)
{
    bool some = false, more = false;
    int64_t now_ms = clock_now().wall_ms;
    enum pdp_err err = drain(auditor, &some);
    err = err == PDP_ERR_OK ? same_old(auditor, now_ms - SAME_MS) : err;
    err = err == PDP_ERR_OK ? tell_lost(auditor, now_ms) : err;
    enum pdp_err ticked = audit_log_tick(auditor->log, now_ms, &more);
    // What was BUSY a moment ago may have been written now: that is no trouble yet.
    bool waits = err == PDP_ERR_BUSY && !sink_full(auditor->sink);
    note_state(auditor, ticked != PDP_ERR_OK ? ticked : waits ? PDP_ERR_OK : err);
    return ticked == PDP_ERR_OK && (err == PDP_ERR_OK || waits) && (some || more || waits);
}

static void *run(void *user)
{
    struct auditor *auditor = user;
    const struct timespec idle = {.tv_nsec = IDLE_NS};
    for (bool stop = false; !stop;) {
        pthread_mutex_lock(&auditor->lock);
        bool more = turn(auditor);
        stop = auditor->stop && !more;
        pthread_mutex_unlock(&auditor->lock);
        if (!more && !stop) {
            nanosleep(&idle, NULL);
        }
    }
    return NULL;
}

// ---- Set-up ----------------------------------------------------------------------------------------------

const char *auditor_folder(const struct auditor *auditor)
{
    return auditor->folder;
}

static enum pdp_err open_log(struct auditor *auditor, char why[static AUDIT_WHY_MAX])
{
    const struct config_audit *audit = &auditor->config->audit;
    struct audit_config config = {
        .dir = auditor->folder,
        .origin = audit->name,
        .rotate_bytes = (uint64_t)audit->rotate_bytes,
        .rotate_age_ms = audit->rotate_age_ms,
        .keep_ms = audit->keep_ms,
        .draw = draw,
    };
    TRY(audit_log_open(&config, clock_now().wall_ms, &auditor->log, why));
    struct audit_status status;
    audit_log_status(auditor->log, &status);
    snprintf(auditor->status.origin, sizeof auditor->status.origin, "%s", status.origin);
    if (status.cut_bytes > 0) {
        struct log_line line;
        log_begin(&line, LOG_LEVEL_WARN, "audit_cut");
        log_int(&line, "bytes", (int64_t)status.cut_bytes);
        log_int(&line, "records", (int64_t)status.records);
        log_text(&line, "meaning", "a torn end, behind the last checkpoint, was put aside as cut-*");
        log_end(&line);
    }
    return PDP_ERR_OK;
}

enum pdp_err auditor_open(const struct config *config, struct auditor **out, char why[static AUDIT_WHY_MAX])
{
    *out = NULL;
    why[0] = '\0';
    const struct config_audit *audit = &config->audit;
    if (!audit->enabled || (audit->path == NULL && config->state == NULL)) {
        return PDP_ERR_OK;
    }
    AUTO(auditor_close) struct auditor *auditor = calloc(1, sizeof *auditor);
    if (auditor == NULL) {
        return PDP_ERR_NOMEM;
    }
    pthread_mutex_init(&auditor->lock, NULL);
    auditor->config = config;
    auditor->status.on = true;
    int len = audit->path != NULL
                  ? snprintf(auditor->folder, sizeof auditor->folder, "%s", audit->path)
                  : snprintf(auditor->folder, sizeof auditor->folder, "%s/audit", config->state);
    if (len < 0 || (size_t)len >= sizeof auditor->folder) {
        snprintf(why, AUDIT_WHY_MAX, "the name of the audit folder is too long");
        return PDP_ERR_LIMIT;
    }
    TRY(open_log(auditor, why));
    TRY(sink_open(&audit->syslog, &auditor->sink, why));
    *out = STEAL(auditor);
    return PDP_ERR_OK;
}

enum pdp_err auditor_add(struct auditor *auditor, struct worker *worker)
{
    if (auditor == NULL) {
        return PDP_ERR_OK;
    }
    const struct config_audit *audit = &auditor->config->audit;
    struct record_config config = {
        .allow_one_in = (uint32_t)audit->allow_one_in,
        .deny_when_full = !audit->drop,
        .brief = audit->brief,
    };
    invariant(auditor->count < RECORDERS_MAX);
    TRY(worker_record(worker, &config, &auditor->recorders[auditor->count]));
    auditor->count++;
    return PDP_ERR_OK;
}

static enum pdp_err begin(struct auditor *auditor)
{
    struct emit emit;
    begin_own(auditor, &emit, "start", clock_now().wall_ms);
    emit_key_str(&emit, "version", str_of(PDP_VERSION));
    TRY(append_own(auditor, &emit));
    auditor->stop = false;
    auditor->runs = pthread_create(&auditor->thread, NULL, run, auditor) == 0;
    return auditor->runs ? PDP_ERR_OK : PDP_ERR_IO;
}

enum pdp_err auditor_start(struct auditor *auditor)
{
    return auditor != NULL ? begin(auditor) : PDP_ERR_OK;
}

// What is in the rings is written, and the thread ends.
static void end(struct auditor *auditor)
{
    if (!auditor->runs) {
        return;
    }
    pthread_mutex_lock(&auditor->lock);
    auditor->stop = true;
    pthread_mutex_unlock(&auditor->lock);
    pthread_join(auditor->thread, NULL);
    auditor->runs = false;
    struct emit emit;
    enum pdp_err err = same_old(auditor, INT64_MAX);
    begin_own(auditor, &emit, "stop", clock_now().wall_ms);
    enum pdp_err told = append_own(auditor, &emit);
    if (err != PDP_ERR_OK || told != PDP_ERR_OK) {
        log_one(LOG_LEVEL_ERROR, "audit_stalled", "meaning", "the last records could not be written");
    }
}

void auditor_yield(struct auditor *auditor)
{
    if (auditor != NULL) {
        end(auditor);
        audit_log_close(&auditor->log);
    }
}

enum pdp_err auditor_regain(struct auditor *auditor, char why[static AUDIT_WHY_MAX])
{
    why[0] = '\0';
    if (auditor == NULL) {
        return PDP_ERR_OK;
    }
    TRY(open_log(auditor, why));
    return begin(auditor);
}

void auditor_close(struct auditor **auditor_ptr)
{
    struct auditor *auditor = STEAL(*auditor_ptr);
    if (auditor != NULL) {
        end(auditor);
        sink_close(&auditor->sink);
        audit_log_close(&auditor->log);
        buf_fini(&auditor->scratch);
        pthread_mutex_destroy(&auditor->lock);
        free(auditor);
    }
}

// ---- Asked by others
// ---------------------------------------------------------------------------------------

void auditor_status(struct auditor *auditor, struct auditor_status *out)
{
    *out = (struct auditor_status){0};
    if (auditor != NULL) {
        pthread_mutex_lock(&auditor->lock);
        *out = auditor->status;
        pthread_mutex_unlock(&auditor->lock);
    }
}

enum pdp_err auditor_forget(struct auditor *auditor, struct str user, size_t *count)
{
    struct emit emit;
    pthread_mutex_lock(&auditor->lock);
    enum pdp_err err = audit_log_forget(auditor->log, user, count);
    if (err == PDP_ERR_OK && *count > 0) {
        begin_own(auditor, &emit, "forgotten", clock_now().wall_ms);
        emit_key_int(&emit, "keys", (int64_t)*count);
        err = append_own(auditor, &emit);
    }
    pthread_mutex_unlock(&auditor->lock);
    return err;
}

enum pdp_err auditor_rotate_key(struct auditor *auditor)
{
    struct emit emit;
    pthread_mutex_lock(&auditor->lock);
    enum pdp_err err = audit_log_rotate_key(auditor->log);
    if (err == PDP_ERR_OK) {
        begin_own(auditor, &emit, "key_rotated", clock_now().wall_ms);
        err = append_own(auditor, &emit);
    }
    pthread_mutex_unlock(&auditor->lock);
    return err;
}

enum pdp_err auditor_unseal(struct auditor *auditor, const struct envelope *envelope, struct buf *out)
{
    pthread_mutex_lock(&auditor->lock);
    enum pdp_err err = audit_log_unseal(auditor->log, envelope, out);
    pthread_mutex_unlock(&auditor->lock);
    return err;
}
