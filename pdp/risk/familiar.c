// SPDX-License-Identifier: Apache-2.0
// HOT
#include "risk/familiar.h"

#include "base/fmath.h"
#include "risk/ledger.h"

static const double BETA = 0.5;     // of a context that nobody has seen yet
static const double STRANGE = 0.12; // λ: of attackers that come as nobody does
static const double STRANGER = 0.3; // of thieves of a session
static const double HABIT = 1;      // sightings by which a value reassures half of what it may
static const double TRUST = 20;     // sightings of a parent by which a share is believed half

static double share_of(const struct profile_share *share, double rare)
{
    return (share->common + TRUST * rare) / (share->of_common + TRUST);
}

static double other_of(double common, double strange, double rare, double class_share)
{
    return (1 - strange) * common + strange * (class_share > rare ? class_share : rare);
}

// false: the value is not known.
static bool read_share(const struct signal_view *view, enum profile_feature feature,
                       struct profile_share *share)
{
    if (view->context.tags[feature] != 0) {
        profile_share(view->user, view->in->population, &view->context, feature, share);
    }
    return view->context.tags[feature] != 0;
}

void familiar_weigh(struct familiar *f, const struct signal_view *view, enum profile_feature feature,
                    double rare, double class_share)
{
    struct profile_share share;
    if (!read_share(view, feature, &share)) {
        return;
    }
    double common = share_of(&share, rare);
    bool plain = class_share < 0; // rarity says nothing
    common = plain && common < rare ? rare : common;
    double unseen = BETA + share.fresh * share.parent;
    f->known = share.count;
    f->own *= (share.count + unseen * common) / (share.parent + unseen);
    f->other *= plain ? common : other_of(common, STRANGE, rare, class_share);
}

void familiar_rarity(struct familiar *f, const struct signal_view *view, enum profile_feature feature,
                     double rare, double class_share)
{
    struct profile_share share;
    if (!read_share(view, feature, &share)) {
        return;
    }
    double common = share_of(&share, rare);
    f->own *= common;
    f->other *= other_of(common, STRANGER, rare, class_share);
}

double familiar_class(const struct sighting *seen)
{
    static const struct {
        unsigned flag;
        double share;
    } CLASSES[] = {
        {SIGHT_TOR | SIGHT_PROXY | SIGHT_RESIDENTIAL_PROXY, 0.3},
        {SIGHT_HOSTING, 0.4},
        {SIGHT_VPN | SIGHT_ANONYMOUS, 0.3},
    };
    if ((seen->flags & (SIGHT_RELAY | SIGHT_SATELLITE | SIGHT_OWN_EGRESS)) != 0) {
        return 0;
    }
    double most = 0;
    for (size_t i = 0; i < COUNT_OF(CLASSES); i++) {
        bool is = (seen->flags & CLASSES[i].flag) != 0;
        most = is && CLASSES[i].share > most ? CLASSES[i].share : most;
    }
    return most;
}

// In the ledger's steps, so that what is nothing but rounding is nothing.
static double stepped(double evidence)
{
    double steps = evidence * LEDGER_PARTS;
    return (double)(int32_t)(steps + (steps < 0 ? -0.5 : 0.5)) / LEDGER_PARTS;
}

double familiar_evidence(const struct familiar *f, const struct signal_rule *rule, double known)
{
    if (!(f->own > 0) || !(f->other > 0)) {
        return 0;
    }
    double plain = rule->params[FAMILIAR_WEIGHT] * fmath_log(f->other / f->own);
    double bound = plain > 0 ? rule->evidence : rule->params[FAMILIAR_CALM] * known / (known + HABIT);
    return bound > 0 ? stepped(plain * bound / fmath_sqrt(bound * bound + plain * plain)) : 0;
}
