// SPDX-License-Identifier: Apache-2.0
// The file of keys: what is written is read; cut short, flipped or longer it is refused, and nothing of it is
// used.
#include "daemon/state/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned checks, wrong;

#define CHECK(cond, ...)                                       \
    do {                                                       \
        checks++;                                              \
        if (!(cond) && wrong++ < 20) {                         \
            fprintf(stderr, "line %d: %s: ", __LINE__, #cond); \
            fprintf(stderr, __VA_ARGS__);                      \
            fputc('\n', stderr);                               \
        }                                                      \
    } while (0)

static const struct {
    uint16_t set;
    uint8_t now;
} SETS[] = {{1, 0}, {3, 1}, {0x8001, 15}, {0x8001, 0}, {0xffff, 7}, {1U << 10, 10}};

static struct state_keys keys_of(uint16_t set, uint8_t now)
{
    struct state_keys keys = {.names = {0x0123456789abcdef, UINT64_MAX}, .id_set = set, .id = now};
    for (unsigned i = 0; i < SESSION_KEYS; i++) {
        if ((set >> i & 1) != 0) {
            keys.ids[i] = (struct hash_key){i, UINT64_C(0xfedcba9876543210) ^ i};
        }
    }
    return keys;
}

static bool is_zero(const struct state_keys *keys)
{
    static const unsigned char ZERO[sizeof *keys];
    return memcmp(keys, ZERO, sizeof ZERO) == 0;
}

static bool same(const struct state_keys *a, const struct state_keys *b)
{
    return a->id_set == b->id_set && a->id == b->id && memcmp(&a->names, &b->names, sizeof a->names) == 0 &&
           memcmp(a->ids, b->ids, sizeof a->ids) == 0;
}

static void refused(struct str text, const char *what, size_t at)
{
    struct state_keys read;
    memset(&read, 0xa5, sizeof read);
    CHECK(keys_read(text, &read) == PDP_ERR_CORRUPT, "%s at %zu", what, at);
    CHECK(is_zero(&read), "%s at %zu", what, at);
}

// `text` has room for one byte more.
static void damaged(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        refused((struct str){text, i}, "cut", i);
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ 1 << bit);
            refused((struct str){text, len}, "flipped", i);
            text[i] = (char)(text[i] ^ 1 << bit);
        }
    }
    for (int last = 0; last < 256; last++) {
        text[len] = (char)last;
        refused((struct str){text, len + 1}, "longer", (size_t)last);
    }
    for (size_t i = 1; i < len; i++) { // bytes that stand in the wrong order
        char byte = text[i];
        if (byte != text[i - 1]) {
            text[i] = text[i - 1];
            text[i - 1] = byte;
            refused((struct str){text, len}, "turned round", i);
            text[i - 1] = text[i];
            text[i] = byte;
        }
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        struct state_keys keys = keys_of(SETS[i].set, SETS[i].now), read;
        struct buf text = {0};
        CHECK(keys_write(&keys, &text) == PDP_ERR_OK && text.len <= KEYS_BYTES_MAX, "set %zu", i);
        CHECK(keys_read(buf_view(&text), &read) == PDP_ERR_OK && same(&keys, &read), "set %zu", i);
        char *copy = malloc(text.len + 1);
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, text.at, text.len);
        damaged(copy, text.len);
        free(copy);
        buf_fini(&text);
    }
    // The number of the key for new ids must be one of those that are there.
    struct state_keys keys = keys_of(5, 1), read;
    struct buf text = {0};
    if (keys_write(&keys, &text) == PDP_ERR_OK) {
        CHECK(keys_read(buf_view(&text), &read) != PDP_ERR_OK, "a key that is not there");
    }
    buf_fini(&text);
    printf("%u checks, %u wrong\n", checks, wrong);
    return wrong != 0;
}
