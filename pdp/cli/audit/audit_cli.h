// SPDX-License-Identifier: Apache-2.0
// `pdpctl audit`: the files of a log, on this machine or through a daemon.
#ifndef CLI_AUDIT_CLI_H
#define CLI_AUDIT_CLI_H

#include "audit/files.h"
#include "cli/cli.h"

struct audit_reader;

// By `--state DIR` or `--connect URL`; CLI_BAD with the mistake said.
int audit_reader_open(const struct cli_args *args, struct audit_reader **out);
void audit_reader_close(struct audit_reader **reader);
struct audit_source audit_reader_source(struct audit_reader *reader);
bool audit_reader_is_live(const struct audit_reader *reader);
// The folder that `--state` means: the state's, or the log's own.
void audit_folder_of(const struct cli_args *args, char out[static 4096]);

struct audit_person {
    struct str tenant, type, id;
};
// Through a daemon only.
enum pdp_err audit_reader_forget(struct audit_reader *reader, const struct audit_person *person,
                                 struct str reason, int64_t *keys);
enum pdp_err audit_reader_rotate(struct audit_reader *reader);
// Why the last call failed, where the daemon said so; empty otherwise.
const char *audit_reader_why(const struct audit_reader *reader);

#endif
