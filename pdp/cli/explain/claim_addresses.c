// SPDX-License-Identifier: Apache-2.0
// What is said of addresses. Networks lie in each other or apart: where anything turns, it turns at the first
// address of one, or at the first behind one.
#include "cli/explain/claim.h"

struct addresses {
    struct claim *claim;
    const struct option *option;
    struct whatif *kept;
    uint32_t count;
    bool good;
};

static bool is_meant(const struct option *option, const struct ip *ip)
{
    if (option->than.kind == VALUE_CIDR) {
        const struct cidr network = cidr_network(option->than.as.cidr);
        return cidr_holds(&network, ip) == (option->say == OPTION_INSIDE);
    }
    return option->than.kind != VALUE_IP || !ip_eq(option->than.as.ip, ip);
}

static void ask(struct addresses *a, const struct ip *ip)
{
    struct ip *copy = ARENA_NEW(a->claim->options->arena, struct ip);
    if (!a->good || !is_meant(a->option, ip)) {
        return;
    }
    struct whatif to = a->option->to;
    a->good = copy != NULL && a->count < CLAIM_VALUES_MOST;
    if (a->good) {
        *copy = *ip;
        to.value = (struct value){.kind = VALUE_IP, .as.ip = copy};
        a->good = claim_holds(a->claim, &to);
        a->kept[a->count++] = to;
    }
}

static void ask_network(struct addresses *a, const struct cidr *network)
{
    struct ip next;
    ask(a, &network->base);
    if (options_behind(network, &next)) {
        ask(a, &next);
    }
}

bool claim_addresses(struct claim *c, struct option *option)
{
    static const struct str FIRST[] = {{"0.0.0.0", 7}, {"::", 2}};
    const struct attribute *at = c->change->attributes[c->at];
    struct addresses a = {.claim = c, .option = option, .good = true};
    a.kept = ARENA_ARRAY(c->options->arena, struct whatif, CLAIM_VALUES_MOST + 1);
    a.good = a.kept != NULL;
    for (size_t i = 0; i < COUNT_OF(FIRST); i++) {
        struct ip ip;
        if (ip_parse(FIRST[i], &ip)) {
            ask(&a, &ip);
        }
    }
    for (uint32_t i = 0; i < at->test_count; i++) {
        const struct value *value = &at->tests[i].value;
        if (value->kind == VALUE_CIDR) {
            const struct cidr network = cidr_network(value->as.cidr);
            ask_network(&a, &network);
        } else if (value->kind == VALUE_IP) {
            const struct cidr one = {*value->as.ip, value->as.ip->v4 ? 32 : 128};
            ask_network(&a, &one);
        }
    }
    if (a.good) {
        a.kept[a.count++] = option->to;
        c->kept[c->at] = a.kept;
        c->kept_count[c->at] = a.count;
    }
    return a.good;
}
