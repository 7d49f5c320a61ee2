// SPDX-License-Identifier: Apache-2.0
// `--preview` and `--confirm` of what is about to be served.
#ifndef CLI_TAKING_H
#define CLI_TAKING_H

#include "cli/cli.h"
#include "wire/wire.h"

void taking_put(const struct cli_args *args, struct emit *emit); // into the open map
// The answer to a preview, for people.
void taking_print(const struct value *root, struct buf *out);

#endif
