// SPDX-License-Identifier: Apache-2.0
// From a policy folder to a snapshot with all that is to be said about it; and a thread that does so aside.
#ifndef DAEMON_COMPILE_H
#define DAEMON_COMPILE_H

#include "daemon/state/archive.h"
#include "daemon/state/bundles.h"
#include "node/admin.h"

struct compile_fault { // one error, for the log
    char file[256];
    uint32_t line;
    enum pdp_err err;
    char message[240];
};
enum {
    COMPILE_FAULTS_MAX = 20
};

// How a compile is to be taken.
struct compile_order {
    bool preview;    // it is only tried on live sessions, not served
    int64_t confirm; // so many sessions may end at most; -1: not said
};

#define COMPILE_LIST_MAX 128 // bytes of a list's name

struct compiled {
    uint64_t number;             // of the last request that it serves
    bool lists;                  // only files of lists were read anew
    enum served_refusal refusal; // of a bundle
    struct bundle_facts bundle; // that was looked at; without a name: it could not be read, or it is a folder
    char list[COMPILE_LIST_MAX + 1]; // which; empty: all that come from files
    struct snapshot *snapshot;       // NULL: refused
    struct snapshot_facts facts;
    char digest[80];
    char error[600];        // one line; empty where it went well
    struct buf diagnostics; // all of them rendered, warnings too
    size_t errors, warnings;
    struct compile_fault faults[COMPILE_FAULTS_MAX];
    size_t fault_count;
    struct admin_geo geo[CONFIG_GEO_MAX];
    size_t geo_count;
    int64_t took_ms;
    struct sources *sources; // what it was made from; NULL: that could not be kept, `unkept` tells why
    char geo_digest[ARCHIVE_DIGEST_MAX]; // of the databases beside it; empty: there are none
    char unkept[300];
    char by[ARCHIVE_BY_MAX]; // who asked for it
    struct archive_pin pin;  // of a roll-back; at_ms 0: it is none
    struct compile_order order;
    struct trial_result *trial; // what it would do to live sessions; NULL: that was not asked
};

// Never NULL but where memory is out. `config` is only read; `bundles` where that names one.
struct compiled *compile_run(const struct config *config, struct bundles *bundles, struct hash_key seed,
                             bool geo_optional);
// The same of what a roll-back names, whatever the folder holds.
struct compiled *compile_back(const struct config *config, struct bundles *bundles, struct archive *archive,
                              const struct archive_pin *pin, struct hash_key seed);
void compiled_free(struct compiled **compiled); // with the snapshot, unless it was taken

// A thread of idle priority: decisions never wait for a compile.
struct compiler;

// `wake` is called on that thread when a result can be taken, `write` when something was asked to be written.
//
// `serving` is what is published, shared for the compiler, which takes it over, with its sources: lists are
// read anew on top of the last snapshot that was published.
struct compiler_start {
    struct snapshot **serving;
    struct sources *sources; // held once more; NULL: not kept
    struct archive *archive; // borrowed
    void (*wake)(void *user);
    void (*write)(void *user);
    void *user;
};
MUST_USE enum pdp_err compiler_new(const struct config *config, struct bundles *bundles, struct hash_key seed,
                                   const struct compiler_start *start, struct compiler **out);
// Where the snapshot that serves lacks a database of the configuration anyway, a reload may lack it too: an
// urgent change of policy must not wait for a lost file. Otherwise a bad database refuses the reload.
void compiler_geo_optional(struct compiler *compiler, bool optional);
void compiler_free(struct compiler **compiler); // waits for a compile that runs
// Asks for a compile of what the folder holds from now on. Returns its number. Any thread.
uint64_t compiler_ask(struct compiler *compiler, struct str by, struct compile_order order);
// Asks for a compile of `pin->sources` of the archive. Any thread. 0: too many wait.
uint64_t compiler_ask_back(struct compiler *compiler, const struct archive_pin *pin,
                           struct compile_order order);
// Asks for the file of one list, or, where `list` is empty, of all, to be read anew; policies are not
// compiled. One that waits behind too many others becomes a compile of the whole folder. Any thread.
uint64_t compiler_ask_lists(struct compiler *compiler, struct str list);
// Asks for `write` to be called on the compiler's thread, between compiles. Any thread.
void compiler_ask_write(struct compiler *compiler);
// The oldest result that was not taken, or NULL. The next compile begins once it is said what became of it.
struct compiled *compiler_take(struct compiler *compiler);
void compiler_settle(struct compiler *compiler, bool published);
// Remembers the bundle that a result was made of, before it is published; false: it cannot be, and is
// refused. While no compile runs.
bool compile_remember(const struct config *config, struct bundles *bundles, struct compiled *compiled);

#endif
