// SPDX-License-Identifier: Apache-2.0
// An engine in this process over a policy folder; and answers shown to people.
#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

#include "cli/cli.h"
#include "client/client.h"
#include "daemon/folder.h"
#include "engine/watch.h"

struct local {
    struct engine *engine;
    struct worker *worker;
    struct peer peer;
    bool packed; // from a bundle, of which the rest tells
    char bundle[BUNDLE_NAME_MAX + 1];
    int64_t version, expires_s;
    struct snapshot_parts parts; // of what is served
};

// Reads a folder, or a bundle where the path is that of a file. CLI_BAD with the mistake said.
int local_read(const struct cli_args *args, const char *path, struct folder **out);
// Compiles what was read; CLI_BAD with every mistake on stderr.
int local_compile(const struct cli_args *args, const char *path, const struct snapshot_input *input,
                  struct snapshot **out);

// Says what diagnostics there are, on stderr, or with `check --json` on standard output. CLI_BAD where there
// is an error among them, else CLI_DONE. `path` NULL: how many they are is not said; local_count does it.
int local_say(const struct cli_args *args, const char *path, struct diags *diags);
// `PATH has N mistakes`; CLI_BAD.
int local_count(const char *path, size_t mistakes);
// An engine that serves what was compiled of the folder; takes the snapshot over.
int local_serve(const struct folder *folder, struct snapshot **snapshot, struct local *out);

// Compiles the folder or bundle. CLI_DONE; CLI_BAD with every mistake on stderr. Keys and ids are fixed, so
// that the same events give the same bytes. `geo_optional` is off: a database that is named is wanted.
int local_open(const struct cli_args *args, struct local *out);
// The same of the folder or bundle at `path`.
int local_open_at(const struct cli_args *args, const char *path, struct local *out);
// The same of args->policies, with conditions as they are written kept for policy/conditions.h.
int local_open_written(const struct cli_args *args, struct local *out);
void local_close(struct local *local);

// A question with `explain` set to full, as JSON; what is none goes on as it is, and false is returned.
bool local_explain(const struct buf *question, struct buf *out);

// To the daemon that `--connect` names, with TLS where the address asks for it. CLI_DONE, or the mistake is
// said.
int cli_connect(const struct cli_args *args, struct pdp_client **out);

// RFC 3339, or milliseconds since 1970 (a number below 1e11 was meant as seconds, and is refused).
bool local_time(struct str text, int64_t *ms);
// `--now`: *ms stays where it is not given. false: it is no time, which is said.
bool local_now(const struct cli_args *args, int64_t *ms);
// A time of the past, of a flag: RFC 3339, milliseconds since 1970, or `-2h`. NULL: *ms stays. false: it is
// none, which is said.
bool local_past(const char *flag, const char *text, int64_t *ms);

// An answer as a block of `name  value` lines, and as one line of a table.
void show_block(const struct value *answer, struct buf *out);
void show_titles(struct buf *out);
void show_line(const struct value *asked, const struct value *answer, struct buf *out);
// The exit code that an answer stands for.
int show_code(const struct value *answer);

#endif
