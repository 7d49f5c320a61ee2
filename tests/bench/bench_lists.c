// SPDX-License-Identifier: Apache-2.0
// Lists of a million entries: what loading takes, what they hold in memory, and what a look-up costs beside a
// bare one over the same data: a keyed hash and a table of hashes, or a binary search in a sorted array.
#include "bench/common.h"
#include "policy/lists.h"
#include "seal/seal.h"

#include <stdlib.h>
#include <time.h>

enum {
    ENTRIES = 1000000,
    ASKED = 1 << 16, // different values, half of them in the list
    ROUNDS = 21
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

// ---- What lists hold ---------------------------------------------------------------------------------

struct work {
    const char *name;
    enum cel_set_kind kind;
    // Writes one entry; `number` is drawn.
    void (*entry)(struct buf *out, uint64_t number);
};

static void put_user(struct buf *out, uint64_t number)
{
    buf_printf(out, "user-%llu@example.org\n", (unsigned long long)(number & 0xFFFFFFFF));
}

static void put_v4(struct buf *out, uint64_t number)
{
    unsigned bits = 20 + (unsigned)(number >> 32) % 13;
    uint32_t base = (uint32_t)number >> (32 - bits) << (32 - bits);
    buf_printf(out, "%u.%u.%u.%u/%u\n", base >> 24, base >> 16 & 255, base >> 8 & 255, base & 255, bits);
}

// All within one network: nothing that looks at the first bits only tells them apart.
static void put_skewed(struct buf *out, uint64_t number)
{
    buf_printf(out, "10.%u.%u.%u\n", (unsigned)(number & 15), (unsigned)(number >> 8 & 255),
               (unsigned)(number >> 16 & 255));
}

static void put_v6(struct buf *out, uint64_t number)
{
    buf_printf(out, "2001:%x:%x::/48\n", (unsigned)(number & 0xFFFF), (unsigned)(number >> 16 & 0xFFFF));
}

static void put_asn(struct buf *out, uint64_t number)
{
    buf_printf(out, "AS%u\n", (unsigned)number);
}

static const struct work WORK[] = {
    {"strings", CEL_SET_STRING, put_user},
    {"IPv4 prefixes", CEL_SET_CIDR, put_v4},
    {"IPv4, one network", CEL_SET_CIDR, put_skewed},
    {"IPv6 prefixes", CEL_SET_CIDR, put_v6},
    {"AS numbers", CEL_SET_ASN, put_asn},
};

// ---- Loading -------------------------------------------------------------------------------------------

static struct lists_set *load(const struct work *work, struct str text, double *ms)
{
    const struct source source = {STR("bench.txt"), text};
    const struct lists_head head = {.name = STR("l"), .kind = work->kind, .updated_ms = LISTS_UNKNOWN};
    struct lists_set *set = NULL;
    struct diags diags;
    diags_init(&diags, 10);
    double began = cpu_ns();
    if (lists_file_read(&head, &source, SEED, &diags, &set) != PDP_ERR_OK) {
        bench_fail("load", work->name);
    }
    *ms = (cpu_ns() - began) / 1e6;
    diags_fini(&diags);
    return set;
}

// What reading takes at least: each line found, and the digest.
static double bare_ms(struct str text)
{
    uint8_t hash[SEAL_BYTES];
    double began = cpu_ns();
    for (size_t at = 0; at < text.len; at = str_find_byte(text, '\n', at) + 1) {
        sink += (unsigned char)text.at[at];
    }
    if (seal_sha256(text.at, text.len, hash) != PDP_ERR_OK) {
        bench_fail("digest", "bare");
    }
    sink += hash[0];
    return (cpu_ns() - began) / 1e6;
}

// ---- Asking --------------------------------------------------------------------------------------------

struct asked {
    struct value value;
    struct ip ip;
    char text[64];
    size_t len;
};

static void make_asked(const struct work *work, struct str text, struct asked *out)
{
    struct buf line = {0};
    for (size_t i = 0; i < ASKED; i++) {
        buf_clear(&line);
        if (i % 2 == 0) { // one that is there, from anywhere in the file
            size_t at = str_find_byte(text, '\n', draw() % (text.len - 64)) + 1;
            buf_str(&line, str_sub(text, at, str_find_byte(text, '\n', at) - at));
        } else {
            work->entry(&line, draw());
            line.len--;
        }
        struct str one = str_sub(buf_view(&line), 0, sizeof out[i].text);
        memcpy(out[i].text, one.at, one.len);
        out[i].len = one.len;
        one.at = out[i].text;
        out[i].value = value_str(one);
        struct cidr cidr;
        if (work->kind == CEL_SET_CIDR) {
            if (cidr_parse(one, true, &cidr)) {
                out[i].ip = cidr.base;
            } else if (!ip_parse(one, &out[i].ip)) {
                bench_fail("address", out[i].text);
            }
            out[i].value = (struct value){.kind = VALUE_IP, .as.ip = &out[i].ip};
        } else if (work->kind == CEL_SET_ASN) {
            uint32_t asn = 0;
            out[i].value = value_int(lists_asn(one, &asn) ? asn : 0);
        }
    }
    buf_fini(&line);
}

static double ask_list(const struct lists_set *set, const struct asked *asked)
{
    double began = cpu_ns();
    for (size_t i = 0; i < ASKED; i++) {
        sink += (uint64_t)lists_contains(set, &asked[i].value, 0);
    }
    return (cpu_ns() - began) / ASKED;
}

// A table of hashes alone, half empty; or the sorted keys.
struct bare {
    uint64_t *table;
    size_t mask;
    const struct lists_set *set;
};

static void bare_make(struct bare *bare, const struct lists_set *set, struct str text)
{
    *bare = (struct bare){.set = set};
    if (set->head.kind != CEL_SET_STRING) {
        return;
    }
    bare->mask = ((size_t)1 << 21) - 1;
    bare->table = calloc(bare->mask + 1, sizeof *bare->table);
    for (size_t at = 0; bare->table != NULL && at < text.len;) {
        size_t end = str_find_byte(text, '\n', at);
        uint64_t hash = hash_64(SEED, text.at + at, end - at) | 1;
        size_t slot = (hash >> 20) & bare->mask;
        while (bare->table[slot] != 0 && bare->table[slot] != hash) {
            slot = (slot + 1) & bare->mask;
        }
        bare->table[slot] = hash;
        at = end + 1;
    }
}

static bool bare_hash(const struct bare *bare, struct str text)
{
    uint64_t hash = hash_64(SEED, text.at, text.len) | 1;
    size_t slot = (hash >> 20) & bare->mask;
    while (bare->table[slot] != 0 && bare->table[slot] != hash) {
        slot = (slot + 1) & bare->mask;
    }
    return bare->table[slot] != 0;
}

static size_t search32(const uint32_t *keys, size_t count, uint32_t key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (keys[mid] <= key) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static size_t search128(const struct rank_key128 *keys, size_t count, struct rank_key128 key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rank_at_or_below(keys[mid], key)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static double ask_bare(const struct bare *bare, const struct asked *asked)
{
    const struct lists_set *set = bare->set;
    double began = cpu_ns();
    for (size_t i = 0; i < ASKED; i++) {
        const struct asked *one = &asked[i];
        if (set->head.kind == CEL_SET_STRING) {
            sink += bare_hash(bare, (struct str){one->text, one->len});
        } else if (set->head.kind == CEL_SET_ASN) {
            sink += search32(set->asns.levels[0].keys, set->asns.levels[0].count, (uint32_t)one->value.as.i);
        } else if (one->ip.v4) {
            sink += search32(set->v4.levels[0].keys, set->v4.levels[0].count, lists_v4(&one->ip));
        } else {
            sink += search128(set->v6.levels[0].keys, set->v6.levels[0].count, lists_v6_key(&one->ip));
        }
    }
    return (cpu_ns() - began) / ASKED;
}

// ---- All -----------------------------------------------------------------------------------------------

static void run(const struct work *work)
{
    struct buf text = {0};
    struct samples loads = {0}, reads = {0}, lists = {0}, bares = {0};
    struct asked *asked = calloc(ASKED, sizeof *asked);
    struct lists_set *set = NULL;
    struct bare bare;
    for (size_t i = 0; i < ENTRIES; i++) {
        work->entry(&text, draw());
    }
    for (int i = 0; i < 5; i++) {
        double ms = 0;
        lists_free(&set);
        set = load(work, buf_view(&text), &ms);
        samples_add(&loads, ms);
        samples_add(&reads, bare_ms(buf_view(&text)));
    }
    make_asked(work, buf_view(&text), asked);
    bare_make(&bare, set, buf_view(&text));
    for (int i = 0; i < ROUNDS; i++) { // in turn, so that what disturbs the machine disturbs both
        samples_add(&lists, ask_list(set, asked));
        samples_add(&bares, ask_bare(&bare, asked));
    }
    double load_ms = samples_quantile(&loads, 0.5), list_ns = samples_quantile(&lists, 0.5);
    double bare_ns = samples_quantile(&bares, 0.5), bytes = (double)lists_bytes(set) / ENTRIES;
    printf(
        "%-18s %5.1f MB of text: loaded in %4.0f ms (%4.1f of finding lines and the digest), %5.1f bytes an "
        "entry; look-up %4.0f ns, %.2f of %s (%.0f ns)\n",
        work->name, (double)text.len / 1e6, load_ms, load_ms / samples_quantile(&reads, 0.5), bytes, list_ns,
        list_ns / bare_ns, work->kind == CEL_SET_STRING ? "a table of hashes" : "a binary search", bare_ns);
    char what[80];
    snprintf(what, sizeof what, "look-up among a million %s", work->name);
    bench_row(list_ns <= 1000 ? BENCH_MET : BENCH_MISSED, what, "well under 1 µs", "%.0f ns (%.2f of bare)",
              list_ns, list_ns / bare_ns);
    lists_free(&set);
    free(bare.table);
    free(asked);
    buf_fini(&text);
    samples_free(&loads);
    samples_free(&reads);
    samples_free(&lists);
    samples_free(&bares);
}

int main(void)
{
    for (size_t i = 0; i < COUNT_OF(WORK); i++) {
        run(&WORK[i]);
    }
    return 0;
}
