// SPDX-License-Identifier: Apache-2.0
// Values of an attribute that is looked up in List documents: of all entries, and of what is in no list, one
// of each kind that the tests of the attribute tell apart.
#include "cli/explain/options_make.h"

#include "cel/frame.h"
#include "policy/lists.h"

enum {
    SAMPLES_MOST = 32,
    ENTRIES_MOST = 200000 // that are looked at, of one attribute
};

struct sampling {
    struct making *m;
    uint64_t marks[SAMPLES_MOST];
    uint32_t entries;
    bool made_up;
};

bool options_in_list(const struct options *o, uint32_t set, const struct value *value)
{
    const struct cel_host *host = o->world->seen->cel_host;
    return value->kind != VALUE_ERROR && host->contains(host->user, set, value) == TRUTH_YES;
}

bool options_listed(const struct attribute *at)
{
    for (uint32_t i = 0; i < at->test_count; i++) {
        if (at->tests[i].kind == TEST_SET) {
            return true;
        }
    }
    return false;
}

static bool text_holds(const struct option_test *test, struct str text)
{
    struct str with = value_text(&test->value);
    return test->kind == TEST_STARTS ? str_starts(text, with)
           : test->kind == TEST_ENDS ? str_ends(text, with)
           : test->kind == TEST_PART ? str_find(text, with, 0) != SIZE_MAX
                                     : false;
}

bool making_holds(const struct making *m, const struct option_test *test, const struct value *value)
{
    if (test->kind == TEST_SET) {
        return options_in_list(m->o, test->set, value);
    }
    if (test->kind == TEST_INSIDE && test->value.kind == VALUE_CIDR && value->kind == VALUE_IP) {
        const struct cidr network = cidr_network(test->value.as.cidr);
        return cidr_holds(&network, value->as.ip);
    }
    if (test->kind == TEST_IS) {
        return test->value.kind != VALUE_ERROR && making_same(m, &test->value, value);
    }
    return value->kind == VALUE_STRING && test->value.kind == VALUE_STRING &&
           text_holds(test, value_text(value));
}

// Two bits a test: values that have the same are told apart by none.
static uint64_t mark_of(const struct making *m, const struct value *value)
{
    uint64_t mark = 0;
    _Static_assert(2 * OPTIONS_TESTS_MOST <= 64, "the bits of a mark");
    for (uint32_t i = 0; i < m->at->test_count; i++) {
        const struct option_test *test = &m->at->tests[i];
        int order = test->kind == TEST_BOUND ? cmp_order(value, &test->value) : 2;
        uint64_t bits = order == 2 ? making_holds(m, test, value) : (uint64_t)(order + 1);
        mark |= bits << 2 * i;
    }
    return mark;
}

static void put(struct sampling *s, struct value value)
{
    struct attribute *at = s->m->at;
    if (value.kind == VALUE_ERROR || !making_askable(s->m, &value)) {
        return;
    }
    uint64_t mark = mark_of(s->m, &value);
    for (uint32_t i = 0; i < at->sample_count; i++) {
        if (s->marks[i] == mark) {
            return;
        }
    }
    if (at->sample_count == SAMPLES_MOST) {
        s->m->o->cut = true;
        return;
    }
    value = value.kind == VALUE_IP ? making_ip(s->m, value.as.ip) : value;
    s->marks[at->sample_count] = mark;
    at->samples[at->sample_count++] = (struct sample){value, s->made_up};
}

static void put_ip(struct sampling *s, const struct ip *ip)
{
    if (s->m->at->type == CEL_IP) {
        put(s, (struct value){.kind = VALUE_IP, .as.ip = ip});
        return;
    }
    struct buf text = {0};
    ip_print(&text, ip);
    put(s, value_str(arena_str(s->m->o->arena, buf_view(&text), NULL)));
    buf_fini(&text);
}

// Networks lie in each other or apart: what holds turns at the first address of one, or behind one.
static void put_network(struct sampling *s, const struct cidr *network)
{
    struct ip behind;
    put_ip(s, &network->base);
    if (options_behind(network, &behind)) {
        put_ip(s, &behind);
    }
}

static bool is_over(struct sampling *s)
{
    bool over = s->entries++ >= ENTRIES_MOST;
    s->m->o->cut = s->m->o->cut || over;
    return over;
}

static void put_strings(struct sampling *s, const struct lists_set *set)
{
    for (uint32_t at = 0; at < set->strings.block_len && !is_over(s);) {
        const unsigned char *entry = set->strings.block + at;
        struct str text = {(const char *)entry + 2, (size_t)entry[0] | (size_t)entry[1] << 8};
        put(s, value_str(text));
        at += 2 + (uint32_t)text.len;
    }
}

static void put_networks(struct sampling *s, const struct lists_set *set)
{
    for (uint32_t i = 0; set->v4.height > 0 && i < set->v4.levels[0].count && !is_over(s); i++) {
        uint32_t key = set->v4.levels[0].keys[i];
        struct cidr network = {.base = {.bytes = {[10] = 0xff, [11] = 0xff}, .v4 = true},
                               .bits = set->v4_bits[i]};
        for (int b = 0; b < 4; b++) {
            network.base.bytes[12 + b] = (uint8_t)(key >> (24 - 8 * b));
        }
        put_network(s, &network);
    }
    for (uint32_t i = 0; set->v6.height > 0 && i < set->v6.levels[0].count && !is_over(s); i++) {
        struct rank_key128 key = set->v6.levels[0].keys[i];
        struct cidr network = {.bits = set->v6_bits[i]};
        for (int b = 0; b < 8; b++) {
            network.base.bytes[b] = (uint8_t)(key.hi >> (56 - 8 * b));
            network.base.bytes[8 + b] = (uint8_t)(key.lo >> (56 - 8 * b));
        }
        put_network(s, &network);
    }
}

static void put_asns(struct sampling *s, const struct lists_set *set)
{
    for (uint32_t i = 0; set->asns.height > 0 && i < set->asns.levels[0].count && !is_over(s); i++) {
        put(s, value_int(set->asns.levels[0].keys[i]));
    }
}

static void put_countries(struct sampling *s, const struct lists_set *set)
{
    for (unsigned i = 0; i < LISTS_COUNTRIES; i++) {
        if ((set->countries[i / 64] >> i % 64 & 1) != 0) {
            put(s,
                value_str(arena_printf(s->m->o->arena, "%c%c", (char)('A' + i / 26), (char)('A' + i % 26))));
        }
    }
}

static void put_list(struct sampling *s, uint32_t set)
{
    static void (*const PUTS[])(struct sampling *,
                                const struct lists_set *) = {[CEL_SET_STRING] = put_strings,
                                                             [CEL_SET_CIDR] = put_networks,
                                                             [CEL_SET_COUNTRY] = put_countries,
                                                             [CEL_SET_ASN] = put_asns};
    const struct policy_lists *lists = s->m->o->world->parts.lists;
    const struct lists_set *list = lists != NULL && set < lists->count ? lists->at[set] : NULL;
    if (list != NULL) {
        PUTS[list->head.kind](s, list);
    }
}

// What conditions name themselves.
static void put_named(struct sampling *s, const struct option_test *test)
{
    if (test->kind == TEST_INSIDE && test->value.kind == VALUE_CIDR) {
        const struct cidr network = cidr_network(test->value.as.cidr);
        put_network(s, &network);
    } else if (test->kind == TEST_IS && test->value.kind == VALUE_IP) {
        const struct cidr one = {*test->value.as.ip, test->value.as.ip->v4 ? 32 : 128};
        put_network(s, &one);
    } else if (test->kind == TEST_IS) {
        put(s, test->value);
    }
}

void making_samples(struct making *m)
{
    static const struct str FIRST[] = {{"0.0.0.0", 7}, {"::", 2}};
    struct sampling s = {.m = m};
    struct attribute *at = m->at;
    at->samples = options_listed(at) ? ARENA_ARRAY(m->o->arena, struct sample, SAMPLES_MOST) : NULL;
    if (at->samples == NULL) {
        return;
    }
    for (uint32_t i = 0; i < at->test_count; i++) {
        if (at->tests[i].kind == TEST_SET) {
            put_list(&s, at->tests[i].set);
        } else {
            put_named(&s, &at->tests[i]);
        }
    }
    s.made_up = true;
    for (uint32_t i = 0; i < at->test_count; i++) {
        put(&s, at->tests[i].kind == TEST_SET ? making_unlisted(m, at->tests[i].set) : (struct value){0});
    }
    for (size_t i = 0; at->type == CEL_IP && i < COUNT_OF(FIRST); i++) {
        struct ip ip;
        if (ip_parse(FIRST[i], &ip)) {
            put_ip(&s, &ip);
        }
    }
}
