// SPDX-License-Identifier: Apache-2.0
// The smallest change of a question that would have changed what policies say: by the number of attributes,
// then by the size that docs/EXPLAIN.md gives. Each that is proposed was asked of the policies.
#ifndef CLI_EXPLAIN_CHANGE_H
#define CLI_EXPLAIN_CHANGE_H

#include "cli/explain/options.h"

#define CHANGE_ATTRIBUTES_MOST 3
#define CHANGES_MOST 5
#define CHANGE_ASKED_MOST 60000 // askings, each without and with who asks

struct change {
    const struct attribute *attributes[CHANGE_ATTRIBUTES_MOST]; // in the order of their numbers
    const struct option *options[CHANGE_ATTRIBUTES_MOST];
    uint32_t count;
    double size;
    enum pdp_effect effect;
};

struct changes {
    struct change list[CHANGES_MOST]; // the smallest first; all change as many attributes
    size_t count;
    unsigned wish;  // effects that were looked for, a bit each
    bool who;       // others asked, or for something else: nothing smaller was found
    bool cut;       // a bound was reached before all was tried
    uint64_t asked; // how often policies were asked
};

// The effects that are looked for where nobody says: all that are more permissive, or for an allow all that
// are less.
unsigned change_wish(enum pdp_effect effect);
// `world` is the question as policies judged it. What is found lives in `arena`. false: memory is out.
MUST_USE bool change_find(struct whatif_world *world, unsigned wish, struct arena *arena,
                          struct changes *out);

#endif
