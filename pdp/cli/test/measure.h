// SPDX-License-Identifier: Apache-2.0
// `--coverage` and `--mutate` of `pdpctl test`: how much the tests see.
#ifndef CLI_TEST_MEASURE_H
#define CLI_TEST_MEASURE_H

#include "cli/test/cover.h"
#include "cli/test/loaded.h"

// What flags ask for: does anything here have to look?
bool measure_wanted(const struct cli_args *args);
// Before the runner takes the snapshot over, which was compiled with conditions. *out NULL where nothing is
// asked for. CLI_DONE, or CLI_BAD with the mistake said.
int measure_begin(const struct cli_args *args, struct loaded *loaded, struct cover **out);
// After the tests were played with cover_watch, with the exit code that they stand for: tells what was seen,
// and tries mistakes where all have passed. Returns the exit code of it all.
int measure_end(const struct cli_args *args, struct loaded *loaded, struct suite_runner *runner,
                struct cover *cover, int code);

#endif
