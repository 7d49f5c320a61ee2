// SPDX-License-Identifier: Apache-2.0
// HOT
#include "model/hop.h"

// By how many trusted proxies were passed: [-1] is the last entry of forwarded_for.
static const char *const TAKEN[HOP_MAX + 1] = {
    "network.ip",
    "forwarded_for[-1], 1 trusted proxy passed",
    "forwarded_for[-2], 2 trusted proxies passed",
    "forwarded_for[-3], 3 trusted proxies passed",
    "forwarded_for[-4], 4 trusted proxies passed",
    "forwarded_for[-5], 5 trusted proxies passed",
    "forwarded_for[-6], 6 trusted proxies passed",
    "forwarded_for[-7], 7 trusted proxies passed",
    "forwarded_for[-8], 8 trusted proxies passed",
    "forwarded_for[-9], 9 trusted proxies passed",
    "forwarded_for[-10], 10 trusted proxies passed",
    "forwarded_for[-11], 11 trusted proxies passed",
    "forwarded_for[-12], 12 trusted proxies passed",
    "forwarded_for[-13], 13 trusted proxies passed",
    "forwarded_for[-14], 14 trusted proxies passed",
    "forwarded_for[-15], 15 trusted proxies passed",
    "forwarded_for[-16], 16 trusted proxies passed",
};

static bool is_trusted(const struct ip *ip, const struct cidr *proxies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cidr_holds(&proxies[i], ip)) {
            return true;
        }
    }
    return false;
}

static bool unsure(struct ip *out, const char **why, const char *text)
{
    *out = (struct ip){0};
    *why = text;
    return false;
}

// *out is the trusted proxy that connected.
static bool walk(const struct value *list, const struct cidr *proxies, size_t count, struct ip *out,
                 const char **why)
{
    for (uint32_t passed = 1; passed <= list->n; passed++) {
        if (passed > HOP_MAX) {
            return unsure(out, why, "forwarded_for: more than 16 trusted proxies");
        }
        const struct value *entry = &list->as.list[list->n - passed];
        if (entry->kind != VALUE_STRING || !ip_parse(str_trim(value_text(entry)), out)) {
            return unsure(out, why, "forwarded_for: an entry that a trusted proxy added is no address");
        }
        if (!is_trusted(out, proxies, count)) {
            *why = TAKEN[passed];
            return true;
        }
    }
    *why = "forwarded_for[0], all hops are trusted proxies";
    return true;
}

bool hop_judge(const struct request *request, const struct cidr *proxies, size_t count, struct ip *out,
               const char **why)
{
    *out = (struct ip){0};
    if (request->ip.at == NULL) {
        return unsure(out, why, "network.ip is missing");
    }
    if (!ip_parse(request->ip, out)) {
        return unsure(out, why, "network.ip is no address");
    }
    if (!is_trusted(out, proxies, count)) {
        *why = TAKEN[0];
        return true;
    }
    const struct value *list = request->forwarded_for;
    if (list == NULL || list->kind != VALUE_LIST || list->n == 0) {
        *why = "network.ip, a trusted proxy without forwarded_for";
        return true;
    }
    return walk(list, proxies, count, out, why);
}
