// SPDX-License-Identifier: Apache-2.0
// What is said of many values at once ("at most 5", "any but X") holds for all of them.
//
// Values between which no test turns are one region: one of each is asked, so that what is said is exact.
// Where an attribute is read in a way that is not known, only the value that was tried is said.
#ifndef CLI_EXPLAIN_CLAIM_H
#define CLI_EXPLAIN_CLAIM_H

#include "cli/explain/change.h"

#define CLAIM_VALUES_MOST 400  // of one attribute
#define CLAIM_TRIES_MOST 20000 // of one change

struct claim {
    const struct options *options;
    struct change *change;
    uint32_t at; // which of its attributes is looked at
    // Of those before it, one value of each region that the words stand for.
    const struct whatif *kept[CHANGE_ATTRIBUTES_MOST];
    uint32_t kept_count[CHANGE_ATTRIBUTES_MOST];
    uint64_t tries;
};

// Replaces the options of a change by narrower ones where their words say too much; `to` stays.
void claim_narrow(const struct options *options, struct change *change);

// For the files of each kind: does the change still do what it says with this value?
bool claim_holds(struct claim *claim, const struct whatif *value);
// Keep `count` values, all that the words of an option stand for. Option is changed; false: only its value
// holds, and the caller takes back what the option says.
bool claim_order(struct claim *claim, struct option *option);
bool claim_texts(struct claim *claim, struct option *option);
bool claim_addresses(struct claim *claim, struct option *option);
bool claim_members(struct claim *claim, struct option *option);

#endif
