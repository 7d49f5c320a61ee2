// SPDX-License-Identifier: Apache-2.0
// Words for what is wrong with a YAML text. Each function adds one diagnostic and returns its error.
#ifndef CONF_EXPLAIN_H
#define CONF_EXPLAIN_H

#include "conf/conf.h"

enum pdp_err explain_tab(struct diags *diags, struct place tab);
enum pdp_err explain_anchor(struct diags *diags, struct place place, struct str name);
enum pdp_err explain_alias(struct diags *diags, struct place place, struct str name);
enum pdp_err explain_tag(struct diags *diags, struct place node);
enum pdp_err explain_merge(struct diags *diags, struct place key);
enum pdp_err explain_duplicate(struct diags *diags, const struct conf_node *key, struct place first);

// What libyaml says: `text` at a place, while `doing` something that began at `since`.
struct explain_problem {
    struct str text, doing;
    struct place at, since;
    struct place quote; // the last text in quotes that goes over several lines; src NULL: none
};
enum pdp_err explain_syntax(struct diags *diags, const struct explain_problem *problem);

#endif
