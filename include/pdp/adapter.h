// SPDX-License-Identifier: Apache-2.0
// What an adapter is to whoever runs it: pdpd, or a program of its own that asks a daemon over NNG.
#ifndef PDP_ADAPTER_H
#define PDP_ADAPTER_H

#include <pdp/decider.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pdp_adapter;

// One thing that an adapter can be told: a key of its section of `pdpd.yaml`, a key of the file of `--config`
// and a flag `--NAME` of its own program.
struct pdp_setting_about {
    const char *name;  // lower case, words with `-` between
    const char *value; // what it takes, for the help: `FILE`, `SECONDS`
    bool many;         // may be given several times, or as a list
    const char *help;  // one line
};

// One thing that it was told. Of a setting that may be given many times there are as many of these.
struct pdp_setting {
    const char *name, *value;
};

enum pdp_log_level {
    PDP_LOG_ERROR,
    PDP_LOG_WARN,
    PDP_LOG_INFO
};

// What an adapter is given. All is borrowed until `open` returns, but for what says that it lives as long as
// the adapter.
struct pdp_adapter_setup {
    size_t size;
    struct pdp_decider decider; // lives as long as the adapter
    const int *listeners;       // sockets that are bound, listen and do not block; they stay the caller's:
    size_t listener_count;      // the adapter duplicates what a library would close
    const struct pdp_setting *settings;
    size_t setting_count;
    unsigned threads; // that answer at once; at least 1
    // Milliseconds since 1970. Any thread; lives as long as the adapter, with `user`.
    int64_t (*now_ms)(void *user);
    // One line of the log: `event` is a fixed name, `text` is for people, without a line break. Any thread.
    void (*log)(void *user, enum pdp_log_level level, const char *event, const char *text);
    void *user;
};

#define PDP_ADAPTER_WHY_MAX 400

// Why an adapter did not open: which setting is wrong (its place in the setup's list; SIZE_MAX: none of them)
// and what is wrong with it, lower case, with what was expected.
struct pdp_adapter_wrong {
    size_t setting;
    char why[PDP_ADAPTER_WHY_MAX];
};

// A family of gateways. One static object each, named in adapters/all.h.
struct pdp_adapter_kind {
    size_t size;
    const char *name; // `http`, `spoe`, `ext-authz`
    const char *help; // one line: what it speaks
    const struct pdp_setting_about *settings;
    size_t setting_count;
    // Checks all settings, then serves on threads of its own; without listeners it checks, serves nobody, and
    // asks nothing of the decider, which may be zeroed. On failure *adapter is NULL and *wrong says
    // why. Files that are named are read here; SYNTAX, RANGE, MISSING, UNKNOWN, IO, MALFORMED, NOMEM.
    enum pdp_err (*open)(const struct pdp_adapter_setup *setup, struct pdp_adapter **adapter,
                         struct pdp_adapter_wrong *wrong);
    // Reads certificates, keys and tokens anew; what cannot be read stays as it was, and is told in the log.
    // May be NULL. Any thread, never beside `close`.
    void (*reload)(struct pdp_adapter *adapter);
    // Takes no more connections, answers what is under way, ends its threads. Leaves NULL behind.
    void (*close)(struct pdp_adapter **adapter);
};

#ifdef __cplusplus
}
#endif
#endif
