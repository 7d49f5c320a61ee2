// SPDX-License-Identifier: Apache-2.0
// A file layer for SQLite whose disk fails when told to and whose power can be cut. Laid over the default
// one; what stands in the files is what the kernel's cache would show, what is durable is kept apart, in
// memory.
#ifndef SUPPORT_POWER_H
#define SUPPORT_POWER_H

#include <stdbool.h>
#include <stdint.h>

#define POWER_VFS "power"

enum power_call {
    POWER_WRITE, // and truncations
    POWER_SYNC,
    POWER_ANY, // either, counted together
    POWER_CALLS
};

struct power {
    // The n-th call of this kind fails, counted from 1 since power_reset; 0: none. With `lasting` all later
    // ones of the kind too, until power_heal.
    unsigned fail_at[POWER_CALLS];
    int code;     // with what: SQLITE_IOERR_WRITE, SQLITE_FULL, … 0: SQLITE_IOERR_WRITE or _FSYNC, by kind
    bool lasting; // POWER_ANY too: the machine is dead, nothing works any more
    bool evict;   // a sync that failed also drops what it could not write from the cache
    unsigned calls[POWER_CALLS];
    unsigned failed; // calls that were made to fail
};
extern struct power power;

// Registers the layer, once. Not for several threads.
void power_install(void);
// Forgets all files and switches every failure off: what is on the disk counts as durable.
void power_reset(void);
void power_heal(void);

// A sync that fails leaves its writes in the cache but never on the disk, as Linux does.
//
// The power fails: every file becomes what was durable, and of the writes since, which the disk may have got
// to or not, a part that `seed` draws: 0 none; odd: the first few, the last one torn; even: any of them, torn
// by sectors. All connections must have been closed.
void power_cut(uint32_t seed);

#endif
