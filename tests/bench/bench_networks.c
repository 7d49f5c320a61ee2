// SPDX-License-Identifier: Apache-2.0
// A million prefixes in lists that say a class of network: what compiling them into one table takes, what it
// holds in memory, and what a look-up of all classes costs beside one in a plain list of the same prefixes,
// and beside asking each list by itself.
#include "bench/common.h"
#include "policy/networks.h"

#include <stdlib.h>
#include <time.h>

enum {
    ENTRIES = 1000000, // over all lists
    LISTS_MOST = 64,
    ASKED = 1 << 16, // different addresses, half of them in a list
    ROUNDS = 21,
    BUILDS = 5
};
static const struct hash_key SEED = {1, 2};
static volatile uint64_t sink;

// Of this thread: other work on the machine counts for less.
static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t draw(void)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// ---- Prefixes ----------------------------------------------------------------------------------------

struct work {
    const char *name;
    void (*entry)(struct buf *out, uint64_t number);
    size_t lists;
};

static void put_v4(struct buf *out, uint64_t number)
{
    unsigned bits = 20 + (unsigned)(number >> 32) % 13;
    uint32_t base = (uint32_t)number >> (32 - bits) << (32 - bits);
    buf_printf(out, "%u.%u.%u.%u/%u\n", base >> 24, base >> 16 & 255, base >> 8 & 255, base & 255, bits);
}

static void put_v6(struct buf *out, uint64_t number)
{
    buf_printf(out, "2001:%x:%x::/48\n", (unsigned)(number & 0xFFFF), (unsigned)(number >> 16 & 0xFFFF));
}

static const struct work WORK[] = {
    {"IPv4, 1 list", put_v4, 1},
    {"IPv4, 9 lists", put_v4, 9},
    {"IPv4, 64 lists", put_v4, 64},
    {"IPv6, 9 lists", put_v6, 9},
};

static struct lists_set *load(struct str text, size_t number)
{
    const struct source source = {STR("bench.txt"), text};
    const struct lists_head head = {.name = STR("l"),
                                    .kind = CEL_SET_CIDR,
                                    .updated_ms = LISTS_UNKNOWN,
                                    .network = &NETWORKS_CLASSES[number % 9]};
    struct lists_set *set = NULL;
    struct diags diags;
    diags_init(&diags, 10);
    if (lists_file_read(&head, &source, SEED, &diags, &set) != PDP_ERR_OK) {
        bench_fail("load", "a list");
    }
    diags_fini(&diags);
    return set;
}

// The same prefixes, dealt out to so many lists.
static struct policy_lists *deal(struct str text, size_t count)
{
    struct policy_lists *lists = NULL;
    if (lists_all_new(count, &lists) != PDP_ERR_OK) {
        bench_fail("memory", "lists");
    }
    for (size_t i = 0; i < count; i++) {
        struct buf part = {0};
        size_t line = 0;
        for (size_t at = 0; at < text.len; line++) {
            size_t end = str_find_byte(text, '\n', at) + 1;
            if (line % count == i) {
                buf_str(&part, str_sub(text, at, end - at));
            }
            at = end;
        }
        lists->at[i] = load(buf_view(&part), i);
        buf_fini(&part);
    }
    return lists;
}

static void make_asked(const struct work *work, struct str text, struct ip *out)
{
    struct buf line = {0};
    for (size_t i = 0; i < ASKED; i++) {
        buf_clear(&line);
        if (i % 2 == 0) { // within one that is there, from anywhere
            size_t at = str_find_byte(text, '\n', draw() % (text.len - 64)) + 1;
            buf_str(&line, str_sub(text, at, str_find_byte(text, '\n', at) - at));
        } else {
            work->entry(&line, draw());
            line.len--;
        }
        struct cidr cidr;
        if (!cidr_parse(buf_view(&line), true, &cidr)) {
            bench_fail("address", work->name);
        }
        out[i] = cidr.base;
        out[i].bytes[15] |= (uint8_t)(cidr.bits <= 24 ? draw() & 255 : 0);
    }
    buf_fini(&line);
}

// ---- Asking ------------------------------------------------------------------------------------------

static double ask_table(const struct policy_lists *lists, const struct ip *asked)
{
    double began = cpu_ns();
    for (size_t i = 0; i < ASKED; i++) {
        struct policy_network out;
        policy_network(lists, &asked[i], true, 0, 0, &out);
        sink += out.flags;
    }
    return (cpu_ns() - began) / ASKED;
}

static double ask_each(const struct policy_lists *lists, const struct ip *asked)
{
    double began = cpu_ns();
    for (size_t i = 0; i < ASKED; i++) {
        const struct value value = {.kind = VALUE_IP, .as.ip = &asked[i]};
        for (size_t list = 0; list < lists->count; list++) {
            sink += (uint64_t)lists_contains(lists->at[list], &value, 0);
        }
    }
    return (cpu_ns() - began) / ASKED;
}

// ---- All ---------------------------------------------------------------------------------------------

static void build(struct policy_lists *lists, struct samples *out)
{
    for (int i = 0; i < BUILDS; i++) {
        networks_free(&lists->networks);
        double began = cpu_ns();
        if (networks_build(lists, NULL, &lists->networks) != PDP_ERR_OK) {
            bench_fail("build", "networks");
        }
        samples_add(out, (cpu_ns() - began) / 1e6);
    }
}

static void run(const struct work *work)
{
    struct buf text = {0};
    struct samples builds = {0}, tables = {0}, plains = {0}, eaches = {0}, loads = {0};
    struct ip *asked = calloc(ASKED, sizeof *asked);
    for (size_t i = 0; i < ENTRIES; i++) {
        work->entry(&text, draw());
    }
    struct policy_lists *lists = deal(buf_view(&text), work->lists), *plain = NULL;
    for (int i = 0; i < BUILDS; i++) {
        policy_lists_free(&plain);
        double began = cpu_ns();
        plain = deal(buf_view(&text), 1);
        samples_add(&loads, (cpu_ns() - began) / 1e6);
    }
    build(lists, &builds);
    make_asked(work, buf_view(&text), asked);
    for (int i = 0; i < ROUNDS; i++) { // in turn, so that what disturbs the machine disturbs all
        samples_add(&tables, ask_table(lists, asked));
        samples_add(&plains, ask_each(plain, asked));
        samples_add(&eaches, ask_each(lists, asked));
    }
    double ns = samples_quantile(&tables, 0.5), plain_ns = samples_quantile(&plains, 0.5);
    double each_ns = samples_quantile(&eaches, 0.5), ms = samples_quantile(&builds, 0.5);
    printf(
        "%-16s look-up %4.0f ns: %.2f of one plain list (%.0f ns), %.2f of each list by itself (%.0f ns); "
        "compiled in %4.0f ms, %.2f of reading the text (%.0f ms); %.1f bytes a prefix beside the list's own "
        "%.1f\n",
        work->name, ns, ns / plain_ns, plain_ns, ns / each_ns, each_ns, ms,
        ms / samples_quantile(&loads, 0.5), samples_quantile(&loads, 0.5),
        (double)networks_bytes(lists->networks) / ENTRIES, (double)lists_bytes(plain->at[0]) / ENTRIES);
    char what[80];
    snprintf(what, sizeof what, "classes of an address among a million prefixes: %s", work->name);
    bench_row(ns <= 1000 ? BENCH_MET : BENCH_MISSED, what, "well under 1 µs",
              "%.0f ns (%.2f of a plain list)", ns, ns / plain_ns);
    policy_lists_free(&lists);
    policy_lists_free(&plain);
    free(asked);
    buf_fini(&text);
    samples_free(&builds);
    samples_free(&tables);
    samples_free(&plains);
    samples_free(&eaches);
    samples_free(&loads);
}

int main(void)
{
    for (size_t i = 0; i < COUNT_OF(WORK); i++) {
        run(&WORK[i]);
    }
    return 0;
}
