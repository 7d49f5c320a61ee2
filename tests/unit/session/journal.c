// SPDX-License-Identifier: Apache-2.0
#include "session/journal.h"

#include <criterion/criterion.h>

static size_t wakes;

static void count_wake(void *user)
{
    (void)user;
    wakes++;
}

static struct journal *journal_of(size_t entries)
{
    struct journal *journal = NULL;
    const struct journal_config config = {.entries = entries, .added = count_wake};
    cr_assert_eq(journal_new(&config, &journal), PDP_ERR_OK);
    return journal;
}

static enum pdp_err add(struct journal *journal, const char *key, bool ends, uint64_t *seq)
{
    const struct journal_row rows[] = {
        {.table = JOURNAL_SESSIONS, .rank = 2, .key = str_of(key), .value = STR("v")},
        {.table = JOURNAL_META, .key = STR("m"), .erase = true},
    };
    return journal_add(journal, rows, COUNT_OF(rows), ends, seq);
}

struct seen {
    char keys[256];
    size_t rows;
};

static void see(void *user, const struct journal_row *row)
{
    struct seen *seen = user;
    strncat(seen->keys, row->key.at, row->key.len);
    seen->rows++;
}

Test(session_journal, gives_steps_in_order_until_they_are_durable)
{
    struct journal *journal = journal_of(0);
    uint64_t seq = 0;
    wakes = 0;
    cr_expect_eq(add(journal, "a", false, &seq), PDP_ERR_OK);
    cr_expect_eq(seq, 1);
    cr_expect_eq(add(journal, "b", true, &seq), PDP_ERR_OK);
    cr_expect_eq(seq, 2);
    cr_expect_eq(wakes, 2);
    cr_expect_eq(journal_head(journal), 2);
    struct seen seen = {0};
    cr_expect_eq(journal_take(journal, 1, see, &seen), 1); // at least one, however long
    cr_expect_str_eq(seen.keys, "am");
    cr_expect_eq(journal_durable(journal), 0);
    journal_settle(journal, 1, false);
    cr_expect_eq(journal_durable(journal), 1);
    seen = (struct seen){0};
    cr_expect_eq(journal_take(journal, 1 << 20, see, &seen), 2);
    cr_expect_str_eq(seen.keys, "bm");
    // Given again where the store failed, and the failure is told.
    journal_settle(journal, 2, true);
    cr_expect_eq(journal_failed(journal), 2);
    cr_expect_eq(journal_durable(journal), 1);
    seen = (struct seen){0};
    cr_expect_eq(journal_take(journal, 1 << 20, see, &seen), 2);
    journal_settle(journal, 2, false);
    cr_expect_eq(journal_durable(journal), 2);
    cr_expect_eq(journal_take(journal, 1 << 20, see, &seen), 0);
    journal_free(&journal);
    cr_expect_null(journal);
}

// The writer tries the oldest first, as many as fit into one batch: who waits for a later step is told as
// well.
Test(session_journal, a_failure_is_of_all_that_waits)
{
    struct journal *journal = journal_of(0);
    uint64_t seq = 0;
    struct seen seen = {0};
    cr_assert_eq(add(journal, "a", true, &seq), PDP_ERR_OK);
    cr_assert_eq(add(journal, "b", true, &seq), PDP_ERR_OK);
    cr_expect_eq(journal_take(journal, 1, see, &seen), 1);
    journal_settle(journal, 1, true);
    cr_expect_eq(journal_failed(journal), 2);
    cr_assert_eq(add(journal, "c", true, &seq), PDP_ERR_OK);
    cr_expect_eq(journal_failed(journal), 2);
    journal_settle(journal, 1, true);
    cr_expect_eq(journal_failed(journal), 3);
    cr_expect_eq(journal_durable(journal), 0);
    journal_free(&journal);
}

Test(session_journal, is_bounded_and_keeps_a_reserve_for_ends)
{
    struct journal *journal = journal_of(3);
    uint64_t seq = 0;
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(add(journal, "a", false, &seq), PDP_ERR_OK);
    }
    cr_expect_eq(add(journal, "a", false, &seq), PDP_ERR_BUSY);
    cr_expect_eq(seq, 0);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(add(journal, "a", true, &seq), PDP_ERR_OK);
    }
    cr_expect_eq(add(journal, "a", true, &seq), PDP_ERR_BUSY);
    cr_expect_eq(journal_head(journal), 6, "what was refused has no number");
    size_t entries = 0, bytes = 0;
    journal_depth(journal, &entries, &bytes);
    cr_expect_eq(entries, 6);
    journal_settle(journal, 4, false);
    cr_expect_eq(add(journal, "a", false, &seq), PDP_ERR_OK);
    cr_expect_eq(seq, 7);
    journal_free(&journal);
}
