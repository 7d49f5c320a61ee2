// SPDX-License-Identifier: Apache-2.0
// What was served here: the sources of each snapshot, as the bundle that was loaded or the one that `pdpctl
// build` makes of the folder, so that it can be served again. In `DIR/served` where there is a state folder.
#ifndef DAEMON_STATE_ARCHIVE_H
#define DAEMON_STATE_ARCHIVE_H

#include "base/buf.h"
#include "seal/bundle.h"

#include <stdatomic.h>

#define ARCHIVE_WHY_MAX 700
#define ARCHIVE_KEEP_MS (INT64_C(30) * 24 * 3600 * 1000) // after another has taken its place
enum {
    ARCHIVE_MOST = 200, // servings that are remembered
    ARCHIVE_BY_MAX = 128,
    ARCHIVE_REASON_MAX = 512,
    ARCHIVE_DIGEST_MAX = 80 // `sha256:` and 64 hex digits
};
#define ARCHIVE_DISK_MOST (UINT64_C(256) * 1024 * 1024)  // bytes of all that is kept, but for what serves
#define ARCHIVE_MEMORY_MOST (UINT64_C(64) * 1024 * 1024) // the same without a state folder

// Bytes that several hold; they are never changed.
struct sources {
    atomic_uint held;
    struct buf bytes; // a bundle
    char digest[ARCHIVE_DIGEST_MAX];
};
// Takes the bytes over. MALFORMED where they are no bundle, NOMEM.
MUST_USE enum pdp_err sources_new(struct buf *bytes, struct sources **out);
struct sources *sources_hold(struct sources *sources); // NULL stays NULL
void sources_drop(struct sources **sources);

// One serving: from when to when which snapshot answered.
struct archive_entry {
    int64_t since_ms, until_ms;        // until_ms 0: it serves
    char snapshot[ARCHIVE_DIGEST_MAX]; // as in the status
    char sources[ARCHIVE_DIGEST_MAX];  // of the bundle's body; empty: it could not be kept
    char geo[ARCHIVE_DIGEST_MAX];      // of the databases that served beside it, which are not kept
    char name[BUNDLE_NAME_MAX + 1];    // of a signed bundle; empty: a folder was served
    int64_t version;
    uint64_t bytes;
    char by[ARCHIVE_BY_MAX];         // who had it loaded: `start`, `SIGHUP`, or a peer's name
    char reason[ARCHIVE_REASON_MAX]; // of a roll-back
    char file[96];                   // in `served`; empty: not there
    struct sources *held;            // in memory; NULL: only in the file
};

// A roll-back that is in force: whoever starts next serves `sources` again, whatever the folder holds.
struct archive_pin {
    int64_t at_ms; // 0: none
    char from[ARCHIVE_DIGEST_MAX], to[ARCHIVE_DIGEST_MAX], sources[ARCHIVE_DIGEST_MAX];
    char by[ARCHIVE_BY_MAX], reason[ARCHIVE_REASON_MAX];
};

struct archive;

// `state` NULL: in memory alone. Without `writes` another process has the folder: it is only read. What the
// folder remembers is read; what no serving names is removed. CORRUPT or IO with words and a hint in `why`:
// nothing is ever reset here.
MUST_USE enum pdp_err archive_open(const char *state, bool writes, struct archive **out,
                                   char why[static ARCHIVE_WHY_MAX]);
void archive_close(struct archive **archive);

// Notes that `entry` serves from its since_ms on; the one before ends there. `lists`: it is the same but for
// files of lists, of which only the last are kept. Text and `held` are copied (held once more). The same
// snapshot again changes nothing. Any thread; writes nothing.
void archive_served(struct archive *archive, const struct archive_entry *entry, bool lists);
// Notes or takes back (at_ms 0) a roll-back.
void archive_set_pin(struct archive *archive, const struct archive_pin *pin);
void archive_pin(struct archive *archive, struct archive_pin *out);
// Writes and syncs what was noted, where there is a folder. IO with `why`: it stays in memory, and may be
// tried again. Any thread.
MUST_USE enum pdp_err archive_write(struct archive *archive, char why[static ARCHIVE_WHY_MAX]);
bool archive_behind(struct archive *archive); // something is noted and not written

// Copies of the servings, the last first; `held` is not to be used. Returns how many.
size_t archive_list(struct archive *archive, struct archive_entry *out, size_t most);
// The sources of a serving, to be dropped by the caller. MISSING, CORRUPT or IO with `why`.
MUST_USE enum pdp_err archive_take(struct archive *archive, const char *sources, struct sources **out,
                                   char why[static ARCHIVE_WHY_MAX]);

// Another process has the folder: nothing is written until archive_regain.
void archive_yield(struct archive *archive);
void archive_regain(struct archive *archive);

#endif
