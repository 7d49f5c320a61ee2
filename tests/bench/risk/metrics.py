# SPDX-License-Identifier: Apache-2.0
"""Figures from scores: area under the curve, detection at a budget, calibration, and how sure each figure is.

Intervals are the middle 95 % of a bootstrap: attacks are drawn anew one by one; legitimate scores enter by the distribution
that drawing them anew would give (of a quantile: a beta; of the mean of placements: nearly normal)."""
import bisect
import math

BUDGETS = (.001, .01, .05)
ROUNDS = 200


def placements(legit, attacks):
    """Of each attack: the share of legitimate scores below it, ties half."""
    n = len(legit)
    return [(bisect.bisect_left(legit, s) + bisect.bisect_right(legit, s)) / (2 * n) for s in attacks]


def auc(legit, attacks):
    return sum(placements(sorted(legit), attacks)) / len(attacks)


def threshold(legit, budget):
    """At most `budget` of these (sorted) scores are above it."""
    return legit[max(0, math.ceil(len(legit) * (1 - budget)) - 1)]


def share_above(scores, limit):
    return sum(s > limit for s in scores) / len(scores)


def detection(legit, attacks, budget):
    """What of the attacks a threshold finds that asks `budget` of the legitimate logins for a proof."""
    return share_above(attacks, threshold(sorted(legit), budget))


def middle(values):
    values = sorted(values)
    return [values[int(len(values) * .025)], values[min(len(values) - 1, int(len(values) * .975))]]


def judge(legit, attacks, rnd):
    """The row of a table: AUC and detection at each budget, each with its interval."""
    legit, attacks = sorted(legit), list(attacks)
    if not legit or not attacks:
        return None
    n, places = len(legit), placements(legit, attacks)
    area = sum(places) / len(places)
    ordered = sorted(attacks)
    theirs = [1 - (bisect.bisect_left(ordered, s) + bisect.bisect_right(ordered, s)) / (2 * len(ordered)) for s in legit]
    mean = sum(theirs) / n
    spread = math.sqrt(sum((t - mean) ** 2 for t in theirs) / n / n)
    areas, found = [], {budget: [] for budget in BUDGETS}
    for _ in range(ROUNDS):
        drawn = rnd.choices(range(len(attacks)), k=len(attacks))
        areas.append(sum(places[i] for i in drawn) / len(drawn) + rnd.gauss(0, spread))
        for budget in BUDGETS:
            k = max(1, math.ceil(n * (1 - budget)))
            limit = legit[min(n - 1, int(n * rnd.betavariate(k, n - k + 1)))]
            found[budget].append(sum(attacks[i] > limit for i in drawn) / len(drawn))
    return {"legit": n, "attacks": len(attacks), "auc": area, "auc_interval": [max(0, min(1, v)) for v in middle(areas)],
            "found": {str(b): share_above(attacks, threshold(legit, b)) for b in BUDGETS},
            "found_interval": {str(b): middle(found[b]) for b in BUDGETS}}


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, max(0, math.ceil(len(values) * share) - 1))] if values else None


def at_most(count, of):
    """With 95 % confidence, what the true rate is below, when `count` of `of` were seen (Clopper and Pearson, by halving)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2
        term = total = math.exp(of * math.log1p(-p)) if p < 1 else 0.0
        for k in range(count):
            term *= (of - k) / (k + 1) * p / (1 - p)
            total += term
        low, high = (p, high) if total > .05 else (low, p)
    return high


# ---- Calibration: (probability, is an attack, weight) ------------------------------------------------


def calibration(rows, bins=15):
    """Expected calibration error: the mean gap between what was said and what was so, over bins of equal width."""
    sums = [[0.0, 0.0, 0.0] for _ in range(bins)]
    for p, attack, weight in rows:
        cell = sums[min(bins - 1, int(p * bins))]
        cell[0] += weight
        cell[1] += weight * p
        cell[2] += weight * attack
    total = sum(cell[0] for cell in sums)
    return sum(abs(cell[1] - cell[2]) for cell in sums) / total if total else 0.0


def logit(p):
    p = min(1 - 1e-6, max(1e-6, p))
    return math.log(p / (1 - p))


def platt(rows, rounds=50):
    """a and b of σ(a·x + b) that fit best, by Newton's method; x is the logit of what was said."""
    a, b, points = 1.0, 0.0, [(logit(p), attack, weight) for p, attack, weight in rows]
    for _ in range(rounds):
        ga = gb = haa = hab = hbb = 0.0
        for x, attack, weight in points:
            q = 1 / (1 + math.exp(-max(-40, min(40, a * x + b))))
            error, curve = weight * (q - attack), weight * max(q * (1 - q), 1e-9)
            ga, gb = ga + error * x, gb + error
            haa, hab, hbb = haa + curve * x * x, hab + curve * x, hbb + curve
        det = (haa + 1e-9) * (hbb + 1e-9) - hab * hab
        da, db = ((hbb + 1e-9) * ga - hab * gb) / det, ((haa + 1e-9) * gb - hab * ga) / det
        a, b = a - max(-1, min(1, da)), b - max(-1, min(1, db))
        if abs(da) + abs(db) < 1e-9:
            break
    return a, b


def fitted(rows, a, b):
    return [(1 / (1 + math.exp(-max(-40, min(40, a * logit(p) + b)))), attack, weight) for p, attack, weight in rows]
