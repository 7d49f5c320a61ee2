// SPDX-License-Identifier: Apache-2.0
// Why a signal speaks, in words; only where an explanation was asked for.
#include "model/parts.h"
#include "risk/drift.h"

static const int64_t SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000;

static struct str span(int64_t ms, struct arena *arena)
{
    if (ms < MINUTE_MS) {
        return arena_printf(arena, "%lld s", (long long)(ms / SECOND_MS));
    }
    if (ms < 3 * HOUR_MS) {
        return arena_printf(arena, "%lld min", (long long)(ms / MINUTE_MS));
    }
    return arena_printf(arena, "%lld h", (long long)(ms / HOUR_MS));
}

struct str because_before(int64_t age_ms, struct arena *arena)
{
    struct str ago = span(age_ms > 0 ? age_ms : 0, arena);
    return arena_printf(arena, STR_FMT " ago, fading", STR_ARG(ago));
}

// A reading of `on_missing: score` has nothing to compare.
static bool lacks(const struct signal_view *view, unsigned flag)
{
    return view->in->seen == NULL || view->in->anchor == NULL || (view->in->seen->flags & flag) == 0;
}

static struct str not_known(struct arena *arena, const char *what)
{
    return arena_printf(arena, "%s is not known", what);
}

static struct str part_names(unsigned parts, struct arena *arena)
{
    struct str all = {0};
    for (unsigned i = 0; i < SIGHT_COMPONENTS; i++) {
        if ((parts >> i & 1) == 0) {
            continue;
        }
        const char *comma = all.len > 0 ? ", " : "";
        all = arena_printf(arena, STR_FMT "%s%s", STR_ARG(all), comma, parts_name((enum sight_component)i));
    }
    return all;
}

struct str because_fingerprint(const struct signal_view *view, struct arena *arena)
{
    struct drift drift;
    drift_read(view, &drift);
    if (drift.covers && drift.counted != 0) {
        struct str names = part_names(drift.counted, arena);
        return arena_printf(arena, "another device than the session began with: " STR_FMT, STR_ARG(names));
    }
    if (lacks(view, SIGHT_HAS_FINGERPRINT)) {
        return not_known(arena, "the fingerprint");
    }
    return arena_printf(arena, "another device fingerprint than the session began with");
}

struct str because_ja4(const struct signal_view *view, struct arena *arena)
{
    if (view->in->seen == NULL || view->in->seen->components[SIGHT_COMPONENT_JA4] == 0) {
        return not_known(arena, "the TLS client");
    }
    return arena_printf(arena, "another TLS client than the session began with, by the same agent");
}

static struct str agent_name(const struct sighting *at, struct arena *arena)
{
    struct str family = risk_agent_family(at->agent_family), os = risk_agent_os(at->agent_os);
    if (at->agent_os == 0) {
        return family;
    }
    return arena_printf(arena, STR_FMT " on " STR_FMT, STR_ARG(family), STR_ARG(os));
}

struct str because_agent(const struct signal_view *view, struct arena *arena)
{
    if (lacks(view, SIGHT_HAS_AGENT)) {
        return not_known(arena, "the user agent");
    }
    const struct sighting *seen = view->in->seen, *anchor = view->in->anchor;
    struct str now = agent_name(seen, arena), then = agent_name(anchor, arena);
    if (str_eq(now, then) && seen->agent_class != anchor->agent_class) {
        now = risk_agent_class(seen->agent_class);
        then = risk_agent_class(anchor->agent_class);
    } else if (str_eq(now, then) && seen->agent_version != anchor->agent_version) {
        return arena_printf(arena, STR_FMT " %u, session began with %u", STR_ARG(now), seen->agent_version,
                            anchor->agent_version);
    }
    return arena_printf(arena, STR_FMT ", session began with " STR_FMT, STR_ARG(now), STR_ARG(then));
}

struct str because_tool(const struct signal_view *view, struct arena *arena)
{
    return because_agent(view, arena);
}

static struct str country_name(uint16_t country, struct arena *arena)
{
    char letters[2] = {(char)(country >> 8), (char)(country & 0xff)};
    bool plain = letters[0] >= 'A' && letters[0] <= 'Z' && letters[1] >= 'A' && letters[1] <= 'Z';
    return plain ? arena_printf(arena, "%.2s", letters) : STR("another country");
}

struct str because_country(const struct signal_view *view, struct arena *arena)
{
    if (lacks(view, SIGHT_HAS_IP) || view->in->seen->country == 0) {
        return not_known(arena, "the country");
    }
    struct str now = country_name(view->in->seen->country, arena);
    struct str then = country_name(view->in->anchor->country, arena);
    return arena_printf(arena, STR_FMT ", session began in " STR_FMT, STR_ARG(now), STR_ARG(then));
}

struct str because_asn(const struct signal_view *view, struct arena *arena)
{
    if (lacks(view, SIGHT_HAS_IP) || view->in->seen->asn == 0) {
        return not_known(arena, "the network");
    }
    return arena_printf(arena, "AS%u, session began in AS%u", view->in->seen->asn, view->in->anchor->asn);
}

struct str because_travel(const struct signal_view *view, struct arena *arena)
{
    if (view->travel_km != view->travel_km) {
        return not_known(arena, "the place");
    }
    struct str took = span(view->travel_ms, arena);
    return arena_printf(arena, "%lld km in " STR_FMT ": %lld km/h", (long long)(view->travel_km + 0.5),
                        STR_ARG(took), (long long)(view->travel_kmh + 0.5));
}

struct str because_rate(const struct signal_view *view, struct arena *arena)
{
    return arena_printf(arena, "more requests than %lld a second allow for",
                        (long long)(view->rule->params[0] + 0.5));
}

struct str because_step_up(const struct signal_view *view, struct arena *arena)
{
    (void)view;
    return arena_printf(arena, "a step-up failed");
}

static const struct {
    unsigned flag;
    const char *name;
} NETWORKS[] = {
    {SIGHT_TOR, "Tor"},
    {SIGHT_RESIDENTIAL_PROXY, "a residential proxy"},
    {SIGHT_PROXY, "a public proxy"},
    {SIGHT_VPN, "a VPN"},
    {SIGHT_HOSTING, "a hosting network"},
    {SIGHT_ANONYMOUS, "an anonymous network"},
};

struct str because_anonymous(const struct signal_view *view, struct arena *arena)
{
    for (size_t i = 0; view->in->seen != NULL && i < COUNT_OF(NETWORKS); i++) {
        if ((view->in->seen->flags & NETWORKS[i].flag) != 0) {
            return arena_printf(arena, "from %s", NETWORKS[i].name);
        }
    }
    bool placed = view->in->seen != NULL && (view->in->seen->flags & SIGHT_HAS_IP) != 0;
    return not_known(arena, placed ? "the class of the network" : "the address");
}

struct str because_concurrent(const struct signal_view *view, struct arena *arena)
{
    if (view->in->seen == NULL || view->in->anchor == NULL) {
        return not_known(arena, "the device");
    }
    return arena_printf(arena, "back and forth between two devices or places within %lld s",
                        (long long)(view->rule->params[0] + 0.5));
}

struct str because_external(const struct signal_view *view, struct arena *arena)
{
    (void)view;
    return arena_printf(arena, "reported by another system");
}

// ---- What is new for the user ----------------------------------------------------------------------

static struct str how_new(const struct signal_view *view, enum profile_feature feature, const char *what,
                          struct arena *arena)
{
    struct profile_share share;
    profile_share(view->user, view->in->population, &view->context, feature, &share);
    double total = profile_total(view->user, &view->context);
    if (total < 0.5) {
        return arena_printf(arena, "%s of a user of whom nothing is known", what);
    }
    if (share.count < 0.05) {
        return arena_printf(arena, "%s was never seen of this user", what);
    }
    return arena_printf(arena, "%s: %.0f of %.0f of this user's contexts", what, share.count, total);
}

struct str because_new_network(const struct signal_view *view, struct arena *arena)
{
    static const struct {
        enum profile_feature feature;
        const char *what;
    } LEVELS[] = {{PROFILE_COUNTRY, "the country"}, {PROFILE_NETWORK, "the network"}};
    for (size_t i = 0; i < COUNT_OF(LEVELS); i++) {
        uint32_t tag = view->context.tags[LEVELS[i].feature];
        if (tag != 0 && !profile_knows(view->user, LEVELS[i].feature, tag)) {
            return how_new(view, LEVELS[i].feature, LEVELS[i].what, arena);
        }
    }
    return how_new(view, PROFILE_PREFIX, "the prefix", arena);
}

struct str because_new_device(const struct signal_view *view, struct arena *arena)
{
    bool system = profile_knows(view->user, PROFILE_SYSTEM, view->context.tags[PROFILE_SYSTEM]);
    return how_new(view, system ? PROFILE_BROWSER : PROFILE_SYSTEM, system ? "the browser" : "the system",
                   arena);
}

struct str because_new_fingerprint(const struct signal_view *view, struct arena *arena)
{
    return how_new(view, PROFILE_PRINT, "the fingerprint", arena);
}

struct str because_unusual_hour(const struct signal_view *view, struct arena *arena)
{
    double all = 0, here = profile_hour(view->user, view->context.hour % 24, &all);
    return arena_printf(arena, "%.0f of %.0f of this user's contexts are at %02u h UTC", here, all,
                        view->context.hour % 24);
}

struct str because_rare_network(const struct signal_view *view, struct arena *arena)
{
    struct profile_share share;
    profile_share(view->user, view->in->population, &view->context, PROFILE_NETWORK, &share);
    return arena_printf(arena, "AS%u: %.0f of %.0f contexts of its country, none of this user's",
                        view->in->seen->asn, share.common, share.of_common);
}
