// SPDX-License-Identifier: Apache-2.0
// HOT
#include "wire/keys.h"

int keys_order(const struct value_entry *a, const struct value_entry *b)
{
    if (a->key.n != b->key.n) {
        return a->key.n < b->key.n ? -1 : 1;
    }
    return a->key.n == 0 ? 0 : memcmp(a->key.as.text, b->key.as.text, a->key.n);
}

static void swap(const struct value_entry **a, const struct value_entry **b)
{
    const struct value_entry *kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(const struct value_entry **entries, size_t at, size_t count)
{
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && keys_order(entries[child], entries[child + 1]) < 0) {
            child++;
        }
        if (keys_order(entries[at], entries[child]) >= 0) {
            return;
        }
        swap(&entries[at], &entries[child]);
        at = child;
    }
}

static void sort_few(const struct value_entry **entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && keys_order(entries[j - 1], entries[j]) > 0; j--) {
            swap(&entries[j - 1], &entries[j]);
        }
    }
}

void keys_sort(const struct value_entry **entries, size_t count)
{
    if (count <= 16) {
        sort_few(entries, count);
        return;
    }
    // By heap: no order of keys is a bad case.
    for (size_t i = count / 2; i-- > 0;) {
        sift_down(entries, i, count);
    }
    for (size_t last = count - 1; last > 0; last--) {
        swap(&entries[0], &entries[last]);
        sift_down(entries, 0, last);
    }
}
