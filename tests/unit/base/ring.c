// SPDX-License-Identifier: Apache-2.0
#include "base/ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

// An item whose bytes follow from its number.
static size_t item(uint64_t number, unsigned char out[static 1024])
{
    size_t len = (size_t)(number * 7919 % 1021);
    for (size_t i = 0; i < len; i++) {
        out[i] = (unsigned char)(number + i * 31);
    }
    return len;
}

static bool put(struct ring *ring, uint64_t number)
{
    unsigned char bytes[1024];
    size_t len = item(number, bytes), cut = len / 3;
    const struct str parts[] = {
        {(const char *)bytes, cut}, {NULL, 0}, {(const char *)bytes + cut, len - cut}};
    return ring_put(ring, parts, COUNT_OF(parts));
}

static bool is_item(struct str got, uint64_t number)
{
    unsigned char bytes[1024];
    size_t len = item(number, bytes);
    return str_eq(got, (struct str){(const char *)bytes, len});
}

Test(base_ring, gives_what_was_put_in_order)
{
    struct ring *ring = NULL;
    uint64_t next = 0, seen = 0, full = 0;
    struct str got;
    cr_assert_eq(ring_new(4096, &ring), PDP_ERR_OK);
    cr_expect(!ring_peek(ring, &got));
    for (size_t round = 0; round < 20000; round++) {
        if (put(ring, next)) {
            next++;
        } else {
            full++;
            cr_assert(ring_peek(ring, &got) && is_item(got, seen));
            ring_drop(ring);
            seen++;
        }
        if (round % 3 == 0 && ring_peek(ring, &got)) {
            cr_assert(is_item(got, seen), "item %zu", (size_t)seen);
            ring_drop(ring);
            seen++;
        }
    }
    cr_expect(next > 5000 && full > 100);
    while (ring_peek(ring, &got)) {
        cr_assert(is_item(got, seen++));
        ring_drop(ring);
    }
    cr_expect_eq(seen, next);
    ring_free(&ring);
}

Test(base_ring, too_long_is_refused_and_what_fits_is_put)
{
    struct ring *ring = NULL;
    static char bytes[4096];
    cr_assert_eq(ring_new(4096, &ring), PDP_ERR_OK);
    struct str most = {bytes, 1024}, more = {bytes, 1025};
    cr_expect(!ring_fits(ring, more.len) && !ring_put(ring, &more, 1));
    size_t count = 0;
    while (ring_fits(ring, most.len)) {
        cr_assert(ring_put(ring, &most, 1), "what fits is put");
        count++;
    }
    cr_expect(count == 3 && !ring_put(ring, &most, 1));
    ring_free(&ring);
}

static void *write_all(void *user)
{
    for (uint64_t i = 0; i < 50000;) {
        i += put(user, i);
    }
    return NULL;
}

Test(base_ring, from_one_thread_to_another)
{
    struct ring *ring = NULL;
    pthread_t writer;
    cr_assert_eq(ring_new(8192, &ring), PDP_ERR_OK);
    cr_assert_eq(pthread_create(&writer, NULL, write_all, ring), 0);
    for (uint64_t seen = 0; seen < 50000;) {
        struct str got;
        if (ring_peek(ring, &got)) {
            cr_assert(is_item(got, seen));
            ring_drop(ring);
            seen++;
        }
    }
    pthread_join(writer, NULL);
    ring_free(&ring);
}
