// SPDX-License-Identifier: Apache-2.0
// A policy folder with its tests, read and compiled: what every command that runs tests begins with.
#ifndef CLI_TEST_LOADED_H
#define CLI_TEST_LOADED_H

#include "cli/local.h"
#include "cli/test/suite.h"

struct loaded {
    struct folder *folder, *scenarios; // the latter NULL where none is named
    struct snapshot *snapshot;         // NULL once it was given away
    struct suite *suite;
    struct diags diags; // has the sources of all places
    struct buf given;   // what is laid over scenarios
    size_t own;         // mistakes of the folder itself, where `scenarios` are from elsewhere
};

// Reads the folder, or bundle, and its tests, or, with `scenarios`, the documents of that folder in their
// place, under what the file of `--given` lays over them, and compiles; with `conditions` the set keeps them
// (policy/conditions.h). Names that tests expect are checked against what was compiled, those of `scenarios`
// are not: they are played against any folder. CLI_DONE; CLI_BAD with every mistake said as local_say does.
// loaded_fini whatever comes back.
int loaded_read(const struct cli_args *args, const char *dir, const char *scenarios, bool conditions,
                struct loaded *out);
void loaded_fini(struct loaded *loaded);

#endif
