// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/drift.h"

#include "model/parts.h"

#define BIT(part) (1U << (part))
static const unsigned BROWSER = BIT(SIGHT_COMPONENT_BROWSER), JA4 = BIT(SIGHT_COMPONENT_JA4);

bool drift_ja4_differs(uint16_t was, uint16_t is)
{
    return was != 0 && is != 0 && was != is && parts_ja4_quic(was) == parts_ja4_quic(is);
}

static void compare_agents(const struct sighting *was, const struct sighting *is, struct drift *out)
{
    if ((was->flags & is->flags & SIGHT_HAS_AGENT) == 0) {
        return;
    }
    enum agent_verdict verdict = risk_agent_compare(was, is);
    out->another = was->agent_family != is->agent_family;
    out->newer = verdict == AGENT_NEWER;
    out->older = verdict == AGENT_OLDER;
}

static void compare_parts(const uint16_t *was, const uint16_t *is, struct drift *out)
{
    unsigned compared = 0, differs = 0;
    for (unsigned i = 0; i < SIGHT_COMPONENTS; i++) {
        bool both = was[i] != 0 && is[i] != 0;
        compared |= both ? BIT(i) : 0;
        differs |= both && was[i] != is[i] ? BIT(i) : 0;
    }
    const uint16_t ja4[2] = {was[SIGHT_COMPONENT_JA4], is[SIGHT_COMPONENT_JA4]};
    if ((differs & JA4) != 0 && !drift_ja4_differs(ja4[0], ja4[1])) {
        compared &= ~JA4; // of two transports: neither the same nor another
        differs &= ~JA4;
    }
    unsigned excused = (out->older || out->another ? 0 : BROWSER) | (out->newer ? JA4 : 0);
    out->compared = (uint8_t)compared;
    out->differs = (uint8_t)differs;
    out->counted = (uint8_t)(differs & ~excused);
}

static double weight_of(const double *weights, unsigned mask)
{
    double sum = 0;
    for (unsigned i = 0; i < SIGHT_COMPONENTS; i++) {
        sum += (mask & BIT(i)) != 0 ? weights[i] : 0;
    }
    return sum;
}

static unsigned known_parts(const uint16_t *parts)
{
    unsigned known = 0;
    for (unsigned i = 0; i < SIGHT_COMPONENTS; i++) {
        known |= parts[i] != 0 ? BIT(i) : 0;
    }
    return known;
}

void drift_read(const struct signal_view *view, struct drift *out)
{
    const struct sighting *was = view->in->anchor, *is = view->in->seen;
    const double *weights = view->rules[SIGNAL_FINGERPRINT].weights;
    *out = (struct drift){0};
    if (was == NULL || is == NULL || weights == NULL) {
        return;
    }
    compare_agents(was, is, out);
    static const uint16_t NONE[SIGHT_COMPONENTS];
    if (memcmp(view->state->components, NONE, sizeof NONE) == 0) {
        return;
    }
    compare_parts(view->state->components, is->components, out);
    double all = weight_of(weights, out->compared);
    double known = weight_of(weights, known_parts(view->state->components));
    out->covers = (out->compared & ~BROWSER) != 0 && all > 0 && 2 * all >= known;
    out->share = all > 0 ? weight_of(weights, out->counted) / all : 0;
}

double drift_counted(const struct signal_view *view, unsigned mask)
{
    const struct signal_rule *rule = &view->rules[SIGNAL_FINGERPRINT];
    struct drift drift;
    drift_read(view, &drift);
    if ((drift.differs & mask) == 0 || (view->in->muted >> SIGNAL_FINGERPRINT & 1) != 0 ||
        !(rule->evidence > 0)) {
        return 0;
    }
    struct signal_view theirs = *view;
    theirs.rule = rule;
    double found = fingerprint_read(&theirs).evidence;
    return found < rule->cap ? found : rule->cap;
}

// ---- The anchor's --------------------------------------------------------------------------------

static bool same_device(const struct sighting *a, const struct sighting *b)
{
    return (a->flags & b->flags & SIGHT_HAS_FINGERPRINT) != 0 && a->fingerprint == b->fingerprint;
}

// The fingerprint that the anchor has once a proof moved it: as risk_anchor_move() does.
static bool stays(const struct risk_input *in)
{
    const struct sighting *to = (in->seen->flags & SIGHT_HAS_FINGERPRINT) != 0 ? in->seen : in->last;
    return to == NULL || (to->flags & SIGHT_HAS_FINGERPRINT) == 0 || same_device(to, in->anchor);
}

void drift_keep(struct risk_state *state, const struct risk_input *in, bool proved)
{
    if (in->seen == NULL) {
        return;
    }
    if (in->anchor == NULL || (proved && !stays(in))) {
        memcpy(state->components, in->seen->components, sizeof state->components);
        return;
    }
    bool own = same_device(in->seen, in->anchor);
    for (unsigned i = 0; i < SIGHT_COMPONENTS; i++) {
        uint16_t now = in->seen->components[i];
        bool takes = proved || (own && state->components[i] == 0);
        state->components[i] = takes && now != 0 ? now : state->components[i];
    }
}
