// SPDX-License-Identifier: Apache-2.0
#include "diff/split.h"

#include "base/ip.h"

// Parts of one thing: most sets of them leave something out, some do not.
static const char *const NETS[] = {"cidr(\"10.0.0.0/8\").containsIP(network.ip)",
                                   "cidr(\"10.0.0.0/9\").containsIP(network.ip)",
                                   "cidr(\"10.128.0.0/9\").containsIP(network.ip)",
                                   "!cidr(\"10.0.0.0/8\").containsIP(network.ip)",
                                   "cidr(\"0.0.0.0/1\").containsIP(network.ip)",
                                   "cidr(\"128.0.0.0/1\").containsIP(network.ip)",
                                   "cidr(\"::/0\").containsIP(network.ip)",
                                   "network.ip in lists.offices",
                                   "!(network.ip in lists.offices)",
                                   "cidr(\"2001:db8::/32\").containsIP(network.ip)",
                                   "network.ip == ip(\"10.1.2.3\")",
                                   "has(network.ip)"};
static const char *const TEXTS[] = {
    "subject.a == \"x\"",         "subject.a != \"x\"",     "subject.a in [\"x\", \"y\"]",
    "subject.a == \"y\"",         "has(subject.a)",         "!has(subject.a)",
    "subject.a in lists.leavers", "subject.a == \"admin\"", "!(subject.a in lists.leavers)"};
static const char *const LEVELS[] = {"risk.level == level(\"low\")",    "risk.level < level(\"high\")",
                                     "risk.level >= level(\"high\")",   "risk.level > level(\"low\")",
                                     "risk.level <= level(\"medium\")", "has(risk.level)"};
static const char *const NUMBERS[] = {
    "subject.number < 2",  "subject.number >= 2", "subject.number == 2",      "subject.number > 2",
    "subject.number <= 2", "has(subject.number)", "subject.number in [0, 1]", "subject.number != 2"};
static const char *const REALS[] = {"subject.d < 1.5", "subject.d >= 1.5", "subject.d == 1.5",
                                    "subject.d > 1.5", "has(subject.d)",   "!(subject.d < 1.5)"};
static const char *const TRUTHS[] = {"device.managed",
                                     "!device.managed",
                                     "device.managed == true",
                                     "device.managed == false",
                                     "has(device.managed)",
                                     "!has(device.managed)",
                                     "has(device.managed) && device.managed"};
static const char *const HOURS[] = {"now.getHours() < 12",
                                    "now.getHours() >= 12",
                                    "within(now, \"daily 00:00-12:00\")",
                                    "within(now, \"daily 12:00-24:00\")",
                                    "now.getHours(\"UTC\") < 6",
                                    "now.getHours(\"UTC\") >= 6"};
static const char *const DAYS[] = {
    "within(now, \"Mon-Fri 00:00-24:00\")",  "within(now, \"Sat,Sun 00:00-24:00\")",
    "now.getDayOfWeek() in [0, 6]",          "now.getDayOfWeek() in [1, 2, 3, 4, 5]",
    "!within(now, \"Mon-Fri 07:00-19:00\")", "within(now, \"Mon-Fri 07:00-19:00\")"};
static const char *const AGES[] = {"now - session.auth_time < duration(\"1h\")",
                                   "now - session.auth_time >= duration(\"1h\")",
                                   "session.auth_time > now - duration(\"1h\")",
                                   "session.auth_time <= now - duration(\"1h\")", "has(session.auth_time)"};
static const char *const ORDERS[] = {"subject.n < subject.number", "subject.n >= subject.number",
                                     "subject.n == subject.number", "subject.n != subject.number"};
static const char *const ROLES[] = {"\"hr\" in subject.roles", "!(\"hr\" in subject.roles)",
                                    "\"x\" in subject.roles"};

#define AXIS(list)           \
    {                        \
        list, COUNT_OF(list) \
    }
static const struct {
    const char *const *at;
    size_t count;
} AXES[] = {AXIS(NETS),  AXIS(TEXTS), AXIS(LEVELS), AXIS(NUMBERS), AXIS(REALS), AXIS(TRUTHS),
            AXIS(HOURS), AXIS(DAYS),  AXIS(AGES),   AXIS(ORDERS),  AXIS(ROLES)};

static const char *const ACTIONS[] = {"[GET]", "[x]", "[GET, x]"};
static const char *const RESOURCES[] = {"[\"/a/**\"]",         "[\"/a/b\"]", "[\"/b\"]",
                                        "[\"/a/**\", \"/b\"]", "[\"/**\"]",  "[\"/a/*\", \"/b\"]"};

enum {
    AXES_MOST = 2 // of one set
};

static const char *one_of(struct chance *c, const char *const *from, size_t count)
{
    return from[chance_below(c, (uint32_t)count)];
}

static void put_part(struct chance *c, size_t axis, struct buf *out)
{
    uint32_t luck = chance_below(c, 8);
    const char *first = one_of(c, AXES[axis].at, AXES[axis].count);
    if (luck == 0) {
        buf_printf(out, "(%s || %s)", first, one_of(c, AXES[axis].at, AXES[axis].count));
    } else {
        buf_printf(out, luck == 1 ? "!(%s)" : "%s", first);
    }
}

static void put_when(struct chance *c, const size_t *axes, size_t count, struct buf *out)
{
    size_t put = 0;
    for (size_t i = 0; i < count; i++) {
        if (chance_below(c, 3) > 0) {
            buf_str(out, put++ == 0 ? STR(", when: '") : STR(" && "));
            put_part(c, axes[i], out);
        }
    }
    buf_str(out, put > 0 ? STR("'") : STR(""));
}

static void put_rule(struct chance *c, uint32_t number, enum pdp_effect usual, const size_t *axes,
                     size_t count, struct buf *out)
{
    static const enum pdp_effect EFFECTS[] = {PDP_EFFECT_ALLOW, PDP_EFFECT_DENY, PDP_EFFECT_STEP_UP,
                                              PDP_EFFECT_TERMINATE};
    enum pdp_effect effect = chance_below(c, 3) > 0 ? usual : EFFECTS[chance_below(c, COUNT_OF(EFFECTS))];
    buf_printf(out, "  - {id: r%u, effect: %s", number, pdp_effect_name(effect));
    if (effect == PDP_EFFECT_STEP_UP) {
        buf_printf(out, ", require: {strength: %s}", chance_below(c, 3) == 0 ? "password" : "mfa");
    }
    if (chance_below(c, 4) == 0) {
        buf_printf(out, ", actions: %s", one_of(c, ACTIONS, COUNT_OF(ACTIONS)));
    }
    if (chance_below(c, 4) == 0) {
        buf_printf(out, ", resources: %s", one_of(c, RESOURCES, COUNT_OF(RESOURCES)));
    }
    buf_str(out, chance_below(c, 3) == 0 ? STR(", reason: said") : STR(""));
    put_when(c, axes, count, out);
    buf_str(out, STR("}\n"));
}

static void put_policy(struct chance *c, uint32_t number, const size_t *axes, size_t count, struct buf *out)
{
    static const char *const ALGORITHMS[] = {"most-restrictive", "most-restrictive", "first-match",
                                             "deny-unless-allow"};
    static const enum pdp_effect USUAL[] = {PDP_EFFECT_ALLOW, PDP_EFFECT_DENY, PDP_EFFECT_STEP_UP};
    enum pdp_effect usual = USUAL[chance_below(c, COUNT_OF(USUAL))];
    buf_printf(out, "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p%u}\ncombine: %s\n", number,
               one_of(c, ALGORITHMS, COUNT_OF(ALGORITHMS)));
    buf_str(out, chance_below(c, 3) == 0 ? STR("target: resource.type == \"route\"\n") : STR(""));
    buf_str(out, STR("rules:\n"));
    uint32_t rules = 3 + chance_below(c, SPLIT_RULES - 2);
    for (uint32_t i = 0; i < rules; i++) {
        put_rule(c, i, usual, axes, count, out);
    }
}

void split_write(struct chance *c, struct buf *out)
{
    size_t axes[AXES_MOST];
    for (size_t i = 0; i < AXES_MOST; i++) {
        axes[i] = chance_below(c, COUNT_OF(AXES));
    }
    size_t count = 1 + chance_below(c, AXES_MOST);
    buf_str(out, STR("apiVersion: pdp/v1\nkind: Strengths\nmetadata: {name: s}\nlevels:\n"
                     "  - {name: password, proves: 'session.acr == \"a\"'}\n"
                     "  - {name: mfa, proves: 'session.acr == \"b\"'}\n"
                     "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: leavers}\ntype: string\n"
                     "entries: [x, admin]\n"
                     "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: offices}\ntype: cidr\n"
                     "entries: [10.0.0.0/8, '2001:db8::/32']\n"));
    uint32_t policies = 1 + chance_below(c, SPLIT_POLICIES);
    for (uint32_t i = 0; i < policies; i++) {
        put_policy(c, i, axes, count, out);
    }
    if (chance_below(c, 6) == 0) {
        buf_str(out, STR("---\napiVersion: pdp/v1\nkind: Exception\nmetadata: {name: e}\n"
                         "lifts: ['*']\nexpires: 2039-01-01T00:00:00Z\nwhen: '"));
        put_part(c, axes[0], out);
        buf_str(out, STR("'\n"));
    }
}

static void set_address(struct world *world, struct chance *c, struct arena *arena)
{
    static const char *const ADDRESSES[] = {"10.1.2.3",    "10.0.0.0",        "10.127.255.255",  "10.128.0.0",
                                            "11.0.0.0",    "9.255.255.255",   "127.255.255.255", "128.0.0.0",
                                            "203.0.113.7", "2001:db8::1",     "2001:db9::1",     "::",
                                            "ffff::",      "255.255.255.255", "0.0.0.0"};
    struct ip *ip = ARENA_NEW(arena, struct ip);
    if (ip_parse(str_of(ADDRESSES[chance_below(c, COUNT_OF(ADDRESSES))]), ip)) {
        world->attrs[ATTR_NETWORK_IP] = (struct value){.kind = VALUE_IP, .as.ip = ip};
    }
}

void split_ask(struct world *world, struct chance *c, struct arena *arena)
{
    static const int64_t AGES_MS[] = {0, 3599999, 3600000, 3600001, 86400000};
    if (chance_below(c, 5) > 0) {
        set_address(world, c, arena);
    }
    if (chance_below(c, 2) == 0) {
        world->now_ms += (int64_t)chance_below(c, 7 * 24 * 60) * 60000;
    }
    if (chance_below(c, 2) == 0) {
        world->attrs[ATTR_SESSION_AUTH_TIME] =
            value_time_ms(world->now_ms - AGES_MS[chance_below(c, COUNT_OF(AGES_MS))]);
    }
}
