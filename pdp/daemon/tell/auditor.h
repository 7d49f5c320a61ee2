// SPDX-License-Identifier: Apache-2.0
// The thread that takes records from the workers' rings and writes the audit log, and hands them to sinks.
#ifndef DAEMON_TELL_AUDITOR_H
#define DAEMON_TELL_AUDITOR_H

#include "audit/log.h"
#include "daemon/config/config.h"
#include "engine/record.h"

struct auditor;

#define AUDITOR_NOTE_MAX 4096

struct auditor_status {
    bool on;
    uint64_t records, signed_records, first, segments, bytes; // bytes: of the segment that is written
    uint64_t lost, refused; // records without room; answers refused for want of it
    uint64_t coalesced;     // denials that were counted instead of kept
    uint64_t sink_lost;     // not sent to the syslog server
    bool stalled;           // nothing can be written now
    char trouble[300];      // what somebody should look at; empty: nothing
    char origin[NOTE_NAME_MAX + 1];
    char note[AUDITOR_NOTE_MAX]; // the latest signed checkpoint
};

// Opens the log. CORRUPT, BUSY, IO with words in `why`. *out NULL, and OK, where no log is configured.
MUST_USE enum pdp_err auditor_open(const struct config *config, struct auditor **out,
                                   char why[static AUDIT_WHY_MAX]);
// Makes a worker record; before its first answer and before auditor_start.
MUST_USE enum pdp_err auditor_add(struct auditor *auditor, struct worker *worker);
MUST_USE enum pdp_err auditor_start(struct auditor *auditor);
// Lets go of the log, for a successor, when all workers have stopped; and takes it back.
void auditor_yield(struct auditor *auditor);
MUST_USE enum pdp_err auditor_regain(struct auditor *auditor, char why[static AUDIT_WHY_MAX]);
// Writes what is left, signs, ends. After all workers have stopped, before they are freed.
void auditor_close(struct auditor **auditor);

void auditor_status(struct auditor *auditor, struct auditor_status *out); // any thread
// The folder, for readers.
const char *auditor_folder(const struct auditor *auditor);
// Destroys the keys of a user; any thread. Waits for the log's thread.
MUST_USE enum pdp_err auditor_forget(struct auditor *auditor, struct str user, size_t *count);
// The personal part of a record, appended. As audit_log_unseal.
MUST_USE enum pdp_err auditor_unseal(struct auditor *auditor, const struct envelope *envelope,
                                     struct buf *out);
MUST_USE enum pdp_err auditor_rotate_key(struct auditor *auditor);

#endif
