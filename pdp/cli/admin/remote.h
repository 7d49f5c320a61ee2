// SPDX-License-Identifier: Apache-2.0
// Analysts' operations on a daemon: one message, one reply, shown to people or given to programs.
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "base/arena.h"
#include "cli/cli.h"
#include "model/value.h"

struct pdp_client;

// One message and its reply, read; *reply and *arena are emptied before, and *root points into both. CLI_BAD,
// with the mistake said, where no answer came or none that can be read.
int remote_call(const struct cli_args *args, struct pdp_client *client, struct str message, struct buf *reply,
                struct arena *arena, struct value *root);
// Sends an operation (a map in JSON) to args->connect and prints its reply by `print`, or as JSON. CLI_NO
// with what the daemon said on stderr where it was refused.
int remote_operate(const struct cli_args *args, const struct buf *message,
                   void (*print)(const struct value *root, struct buf *out));
// Is a target named that is not one session?
bool cli_names_target(const struct cli_args *args);
// The same for an operation without fields of its own, but for the `--reason` where one is given.
int remote_simple(const struct cli_args *args, const char *op,
                  void (*print)(const struct value *root, struct buf *out));
// What is said of an operation that has no table of its own.
void remote_tree(const struct value *root, struct buf *out);
// One cell of a table: `-` where there is nothing.
void remote_cell(const struct value *cell, int width, struct buf *out);

#endif
