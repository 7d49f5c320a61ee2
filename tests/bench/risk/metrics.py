# SPDX-License-Identifier: Apache-2.0
"""Figures from scores: area under the curve, detection at a budget, calibration, and how sure each figure is.

Intervals are the middle 95 % of a bootstrap by user: those who were attacked are drawn anew with all that was done to them;
legitimate scores enter by the distribution that drawing their users anew would give (of the mean of placements: nearly
normal; of a quantile: a beta, of as many scores as say as much as these do, which belong together by user)."""
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


def spread(values, users):
    """The standard error of a mean of values that belong together by user."""
    mean, sums = sum(values) / len(values), {}
    for value, user in zip(values, users):
        sums[user] = sums.get(user, 0.0) + value - mean
    return math.sqrt(sum(total ** 2 for total in sums.values())) / len(values)


def as_good_as(hits, users):
    """As how many independent answers these yes and no are, which belong together by user."""
    p, n = sum(hits) / len(hits), len(hits)
    error = spread(hits, users)
    return min(n, max(1.0, p * (1 - p) / error ** 2)) if error > 0 else n


def draws(users, rnd):
    """ROUNDS lists of indices: users drawn anew, with all that is theirs."""
    groups = {}
    for index, user in enumerate(users):
        groups.setdefault(user, []).append(index)
    groups = list(groups.values())
    return [[i for group in rnd.choices(groups, k=len(groups)) for i in group] for _ in range(ROUNDS)]


class Rightful:
    """Scores of the legitimate, in order, with whose they are: made once for all attackers."""

    def __init__(self, scores, users=None):
        users = users or range(len(scores))
        order = sorted(range(len(scores)), key=scores.__getitem__)
        self.scores, self.users = [scores[i] for i in order], [users[i] for i in order]
        self.limits = {b: threshold(self.scores, b) for b in BUDGETS} if scores else {}
        self.worth = {b: as_good_as([s > limit for s in self.scores], self.users) for b, limit in self.limits.items()}


class Bench:
    """One method's scores of the legitimate and of attacks: what it finds, and how that would vary."""

    def __init__(self, legit, attacks):
        self.legit, self.attacks, self.limits, self.worth = legit.scores, attacks, legit.limits, legit.worth
        self.places = placements(self.legit, attacks)
        ordered, n, last, share, theirs = sorted(attacks), len(attacks), None, 0.0, []
        for score in self.legit:  # many are alike, and they are in order
            if score != last:
                last, share = score, 1 - (bisect.bisect_left(ordered, score) + bisect.bisect_right(ordered, score)) / (2 * n)
            theirs.append(share)
        self.spread = spread(theirs, legit.users)

    def area(self, drawn=None, rnd=None):
        if drawn is None:
            return sum(self.places) / len(self.places)
        return min(1, max(0, sum(self.places[i] for i in drawn) / len(drawn) + rnd.gauss(0, self.spread)))

    def found(self, budget, drawn=None, rnd=None):
        if drawn is None:
            return share_above(self.attacks, self.limits[budget])
        n, worth = len(self.legit), self.worth[budget]
        k = max(1e-9, worth * (1 - budget))
        limit = self.legit[min(n - 1, int(n * rnd.betavariate(k, worth - k + 1)))]
        return sum(self.attacks[i] > limit for i in drawn) / len(drawn)


def judge(legit, attacks, rnd, attack_users=None):
    """The row of a table: AUC and detection at each budget, each with its interval. Without users each is one of its own."""
    if not legit.scores or not attacks:
        return None
    bench = Bench(legit, attacks)
    areas, found = [], {budget: [] for budget in BUDGETS}
    for drawn in draws(attack_users or range(len(attacks)), rnd):
        areas.append(bench.area(drawn, rnd))
        for budget in BUDGETS:
            found[budget].append(bench.found(budget, drawn, rnd))
    return {"legit": len(legit.scores), "attacks": len(attacks), "auc": bench.area(), "auc_interval": middle(areas),
            "found": {str(b): bench.found(b) for b in BUDGETS}, "found_interval": {str(b): middle(found[b]) for b in BUDGETS}}


def ahead(ours, theirs, rnd, attack_users):
    """By how much one method is ahead of another on the same logins: each is (Rightful, scores of attacks)."""
    a, b = Bench(*ours), Bench(*theirs)
    rows = {"auc": [], **{str(budget): [] for budget in BUDGETS}}
    for drawn in draws(attack_users, rnd):
        rows["auc"].append(a.area(drawn, rnd) - b.area(drawn, rnd))
        for budget in BUDGETS:
            rows[str(budget)].append(a.found(budget, drawn, rnd) - b.found(budget, drawn, rnd))
    now = {"auc": a.area() - b.area(), **{str(budget): a.found(budget) - b.found(budget) for budget in BUDGETS}}
    return {key: [now[key], *middle(rows[key])] for key in rows}


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, max(0, math.ceil(len(values) * share) - 1))] if values else None


def _below(count, of, p):
    """How likely at most `count` of `of` are."""
    if p <= 0 or p >= 1:
        return float(p <= 0 or count >= of)
    rest, log_p, log_q = math.lgamma(of + 1), math.log(p), math.log1p(-p)
    return sum(math.exp(rest - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * log_p + (of - k) * log_q)
               for k in range(count + 1))


def at_most(count, of, doubt=.05):
    """With 95 % confidence, what the true rate is below, when `count` of `of` were seen (Clopper and Pearson, by halving)."""
    low, high = 0.0, 1.0
    for _ in range(40):
        p = (low + high) / 2
        low, high = (p, high) if _below(count, of, p) > doubt else (low, p)
    return high


def around(count, of):
    """The 95 % interval of a share where each case is a user of its own: says something even where all of them hit."""
    if not of:
        return [0.0, 1.0]
    return [0.0 if count == 0 else 1 - at_most(of - count, of, .025), 1.0 if count == of else at_most(count, of, .025)]


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


def calibration_interval(rows, users, rnd, bins=15, rounds=100):
    """The middle 95 % of the error as it comes out when users are drawn anew."""
    of = {}
    for (p, attack, weight), user in zip(rows, users):
        cell = of.setdefault(user, {}).setdefault(min(bins - 1, int(p * bins)), [0.0, 0.0])
        cell[0] += weight
        cell[1] += weight * (p - attack)
    of, errors = [[(n, *cell) for n, cell in cells.items()] for cells in of.values()], []
    for _ in range(rounds if of else 0):
        gaps, total = [0.0] * bins, 0.0
        for cells in rnd.choices(of, k=len(of)):
            for n, weight, gap in cells:
                total += weight
                gaps[n] += gap
        errors.append(sum(map(abs, gaps)) / total)
    return middle(errors) if errors else [0.0, 1.0]


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
