// SPDX-License-Identifier: Apache-2.0
// Small things that the commands about a change share.
#ifndef CLI_CHANGE_CHANGE_H
#define CLI_CHANGE_CHANGE_H

#include "cli/change/tally.h"
#include "cli/local.h"

// What `impact` tells, for people and for programs; the tally is in order. `unread` lines were passed over.
struct impact_told {
    uint64_t lines, unread, first_unread;
    size_t limit; // rows of each list
};
void impact_show(const struct tally *tally, const struct impact_told *told, struct buf *out);
void impact_emit(const struct tally *tally, const struct impact_told *told, struct buf *out);

#endif
