// SPDX-License-Identifier: Apache-2.0
// What a condition says of a text, an address or a time of the week, and what of that excludes what.
#ifndef LINT_CLAIM_H
#define LINT_CLAIM_H

#include "cel/regex.h"
#include "cel/within.h"
#include "policy/glob.h"
#include "policy/lists.h"

enum claim_kind {
    CLAIM_VALUES, // one of these texts: values of the program
    CLAIM_TEXTS,  // the same, of a document
    CLAIM_PREFIX,
    CLAIM_SUFFIX,
    CLAIM_PART,
    CLAIM_GLOBS, // any of these patterns
    CLAIM_REGEX,
    CLAIM_PATH, // a canonical path
    CLAIM_LIST, // in a List whose entries stand in its document, or whose entries nobody knows: `list` NULL
    CLAIM_IP,
    CLAIM_IPS, // one of these addresses: values of the program
    CLAIM_CIDR,
    CLAIM_WEEK,
};

struct claim {
    enum claim_kind kind;
    uint8_t about; // enum value_kind: STRING, IP or TIMESTAMP
    bool yes;      // or its negation
    uint32_t count;
    union {
        const struct value *values;
        const struct str *texts;
        struct str text;
        const struct glob *globs;
        const struct regex *regex;
        const struct lists_set *list;
        const struct ip *ip;
        const struct cidr *cidr;
        const struct window *window;
    } as;
};

#define CLAIMS_MOST 24 // that are held against one another; what else is said is not looked at

// May one value satisfy all of these (all about one kind)? true too where that cannot be told. `scratch` is
// for patterns.
bool claims_agree(const struct claim *const *claims, size_t count, struct regex_scratch *scratch,
                  struct arena *arena);
// The same of claims about an address (claim_nets.c).
bool claim_nets_agree(const struct claim *const *claims, size_t count);
// The n-th text that a claim lists; at NULL: it lists none, or no more.
struct str claim_text(const struct claim *claim, uint32_t n);

#endif
