// SPDX-License-Identifier: Apache-2.0
// pdpctl: one table of subcommands, one way to read flags, one way to print.
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "base/err.h"

#include <stdarg.h>

enum {
    CLI_DONE = 0,
    CLI_NO = 1,
    CLI_BAD = 2
}; // exit codes: done; the answer is no; bad use or bad input

#define CLI_VALUES_MAX 16

// A flag that may be given several times.
struct cli_values {
    const char *at[CLI_VALUES_MAX];
    size_t count;
};

// What the flags of one call hold. Flags that a subcommand does not take are refused before it runs.
struct cli_args {
    const char *positional[4]; // the first words
    size_t positional_count;
    char **words; // all of them
    size_t word_count;
    const char *policies, *request, *events, *labels, *html, *connect, *session, *reason, *subject, *after,
        *list;
    struct cli_values geo, keys, vkeys, signals, codes;
    const char *now, *output, *name, *expires;
    const char *tls_ca, *tls_cert, *tls_key, *tls_name;
    const char *device, *address, *prefix, *asn, *country, *ja4, *role, *gateway, *tenant, *type, *family;
    const char *effect, *strength, *max_age, *message, *lasts, *before;
    int64_t wait_ms; // 0: not given
    const char *state, *rule, *since, *until, *where, *as, *checkpoint, *receipt;
    int64_t batch, limit, deadline_ms, version, threshold; // the last two: 0 where not given
    bool served, preview;
    const char *to, *filter;
    const char *toward, *request_id;
    int64_t line; // 0: not given
    bool log;
    const char *junit, *scenarios, *given; // of `test`
    bool tap, watch;
    const char *coverage;   // empty: no file is named
    int64_t coverage_least; // percent; 0: not given
    bool mutate;
    bool json, people, full, print, lists, certs, all, geo_facts, lock_out, once, dry_run, terminate, devices;
    bool check, diff;     // of `fmt`
    const char *template; // of `new`
    int64_t confirm;      // -1: not given
};

// Of a command that takes so many words at least and at most; CLI_ANY: as many as there are.
#define CLI_WORDS(least, most) ((size_t)(least) | (size_t)(most) << 16)
#define CLI_ANY 0xFFFF

struct cli_command {
    const char *name;  // `replay`, `session list`
    const char *usage; // what follows the name
    const char *flags; // names of the flags that it takes, space-separated
    const char *help;  // one line
    const char *example;
    size_t positionals; // how many words it takes, or CLI_WORDS
    int (*run)(const struct cli_args *args);
};
#define CLI_COMMANDS_MAX 128
extern const struct cli_command CLI_COMMANDS[]; // commands.c
extern const size_t CLI_COMMAND_COUNT;

// Reads flags for a command; CLI_DONE, or CLI_BAD with the mistake and a hint on stderr.
int cli_flags_read(const struct cli_command *command, int argc, char **argv, struct cli_args *out);
void cli_flags_help(const struct cli_command *command, struct buf *out);

// `front: message` on standard error behind all that was printed, and a hint where not NULL.
void cli_say(const char *front, const char *hint, const char *fmt, va_list args) PRINTF_LIKE(3, 0);
// The same of `pdpctl`. Returns CLI_BAD.
int cli_bad(const char *hint, const char *fmt, ...) PRINTF_LIKE(2, 3);
// A whole file, or standard input for `-`; false with the mistake said.
bool cli_read(const char *path, struct buf *out);
// Can it be a question? An empty one and one that is no JSON are said to be that, not malformed CBOR.
bool cli_is_question(const struct cli_args *args, const struct buf *bytes);
// Writes and flushes; CLI_BAD where standard output is closed or full.
int cli_write(const struct buf *bytes, int code);

int cmd_check(const struct cli_args *args);
int cmd_lint(const struct cli_args *args);
int cmd_compile(const struct cli_args *args);
int cmd_build(const struct cli_args *args);
int cmd_sign(const struct cli_args *args);
int cmd_verify(const struct cli_args *args);
int cmd_eval(const struct cli_args *args);
int cmd_explain(const struct cli_args *args);
int cmd_repl(const struct cli_args *args);
int cmd_decide(const struct cli_args *args);
int cmd_replay(const struct cli_args *args);
int cmd_diff(const struct cli_args *args);
int cmd_impact(const struct cli_args *args);
int cmd_risk_fit(const struct cli_args *args);
int cmd_risk_report(const struct cli_args *args);
int cmd_user_show(const struct cli_args *args);
int cmd_user_forget(const struct cli_args *args);
int cmd_user_forget_devices(const struct cli_args *args);
int cmd_session_list(const struct cli_args *args);
int cmd_session_show(const struct cli_args *args);
int cmd_session_export(const struct cli_args *args);
int cmd_session_terminate(const struct cli_args *args);
int cmd_target_terminate(const struct cli_args *args);
int cmd_control_approve(const struct cli_args *args);
int cmd_control_pending(const struct cli_args *args);
int cmd_breaker_reset(const struct cli_args *args);
int cmd_lock_add(const struct cli_args *args);
int cmd_lock_list(const struct cli_args *args);
int cmd_lock_rm(const struct cli_args *args);
int cmd_mute_add(const struct cli_args *args);
int cmd_mute_list(const struct cli_args *args);
int cmd_mute_rm(const struct cli_args *args);
int cmd_pardon_add(const struct cli_args *args);
int cmd_pardon_list(const struct cli_args *args);
int cmd_pardon_rm(const struct cli_args *args);
int cmd_cutoff_add(const struct cli_args *args);
int cmd_cutoff_list(const struct cli_args *args);
int cmd_audit_query(const struct cli_args *args);
int cmd_audit_verify(const struct cli_args *args);
int cmd_audit_prove(const struct cli_args *args);
int cmd_audit_consistency(const struct cli_args *args);
int cmd_audit_export(const struct cli_args *args);
int cmd_audit_forget(const struct cli_args *args);
int cmd_audit_rotate_key(const struct cli_args *args);
int cmd_key_list(const struct cli_args *args);
int cmd_key_rotate(const struct cli_args *args);
int cmd_status(const struct cli_args *args);
int cmd_peer_list(const struct cli_args *args);
int cmd_peer_quarantine(const struct cli_args *args);
int cmd_peer_release(const struct cli_args *args);
int cmd_rollback(const struct cli_args *args);
int cmd_reload(const struct cli_args *args);
int cmd_test(const struct cli_args *args);
int cmd_store_check(const struct cli_args *args);
int cmd_store_backup(const struct cli_args *args);
int cmd_store_restore(const struct cli_args *args);
int cmd_store_stats(const struct cli_args *args);
int cmd_top(const struct cli_args *args);
int cmd_fmt(const struct cli_args *args);
int cmd_new(const struct cli_args *args);
int cmd_schema(const struct cli_args *args);
int cmd_lsp(const struct cli_args *args);

#endif
