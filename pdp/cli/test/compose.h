// SPDX-License-Identifier: Apache-2.0
// Parts of requests, laid over one another: what `given`, `with` and `request` of a test come to.
#ifndef CLI_TEST_COMPOSE_H
#define CLI_TEST_COMPOSE_H

#include "conf/conf.h"
#include "model/value.h"

struct compose {
    struct arena *arena;
    int64_t now_ms; // what a relative `auth_time` is counted from
    int64_t turn;   // stands for `{n}`; negative: it stands for itself
    bool varies;    // something read was relative to now_ms, or held `{n}`
    bool failed;    // memory is out
};

// Lays a map over `*into` (a map, or null: nothing yet): maps deeply, all else replaced, `null` takes away.
// Values are as in JSON; unquoted they are numbers or truths where they look so. `auth_time` may be a span
// from now, such as `-5m`. Text is borrowed from the node, or in the arena.
void compose_lay(struct compose *compose, const struct conf_node *map, struct value *into);
// The same of one more entry, of any value.
void compose_put(struct compose *compose, struct str key, struct value value, struct value *into);

#endif
