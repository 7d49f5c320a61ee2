// SPDX-License-Identifier: Apache-2.0
// What the tests of the store share: rows in few words, and what a store holds as one text.
#ifndef UNIT_STORE_ROWS_H
#define UNIT_STORE_ROWS_H

#include "base/buf.h"
#include "store/store.h"

#include <criterion/criterion.h>

#define PUT(t, k, r, v) \
    ((struct store_op){{.table = STORE_##t, .rank = (r), .key = STR(k), .value = STR(v)}, false})
#define ERASE(t, k, r) ((struct store_op){{.table = STORE_##t, .rank = (r), .key = STR(k)}, true})

static inline uint64_t submit(struct store *store, struct store_op op, bool sync)
{
    uint64_t token = 0;
    cr_assert_eq(store_submit(store, &op, 1, sync, &token), PDP_ERR_OK);
    return token;
}

// Works until there is nothing to do; the error of the last completion.
static inline enum pdp_err work(struct store *store)
{
    struct store_completion done = {.err = PDP_ERR_OK};
    enum pdp_err last = PDP_ERR_OK;
    while (store_work(store)) {
    }
    while (store_poll(store, &done)) {
        last = done.err;
    }
    return last;
}

static inline enum pdp_err put_row(void *user, const struct store_row *row)
{
    buf_printf(user, STR_FMT "/%u=" STR_FMT " ", STR_ARG(row->key), row->rank, STR_ARG(row->value));
    return PDP_ERR_OK;
}

// `key/rank=value ` for every row, in order. The answer is valid until the next call.
static inline const char *held(struct store *store, enum store_table table)
{
    static struct buf out;
    char why[STORE_WHY_MAX];
    buf_clear(&out);
    cr_assert_eq(store_load(store, table, put_row, &out, why), PDP_ERR_OK, "%s", why);
    buf_byte(&out, '\0');
    return (const char *)out.at;
}

#endif
