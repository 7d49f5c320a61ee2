# SPDX-License-Identifier: Apache-2.0
"""From results to a report: one dictionary for machines, and text for people."""
import random

import attackers
import drive
import innocents
import metrics
import people
import targets

OURS = "pdp"
CLASSES = ("new", "thin", "thick")
BUDGET = .01                       # of which thefts are found, and true detections counted
BASE_RATE = .0323                  # attacks among what is scored: σ(−3.4), the share that calibration is held to
HISTORY = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 12), (13, 28), (29, 10_000))
LOGIN_ATTACKS = (*attackers.LOGINS, "slow-poisoning", attackers.STUFFING)
NEAR = .05
TOY = {  # AUC and detection at 1 % that a toy of the model's author had: RISK.md, 4
    "naive": (.972, .50), "vpn": (.939, .38), "targeted": (.605, .00), "rare-infrastructure": (.986, .66)}


def _split(logins):
    """attacker (None: rightful) -> class ("old" is thin and thick) -> [(score, attempt, signals, effect)]."""
    out = {}
    for _, attempt, score, *more in logins:
        kind = people.class_of(attempt.history)
        row = (score, attempt, *(more or ((), "")))
        for name in (kind,) if kind == "new" else (kind, "old"):
            out.setdefault(attempt.attacker, {}).setdefault(name, []).append(row)
    return out


def _scores(rows):
    return [row[0] for row in rows]


def _users(rows):
    return [row[1].user.name for row in rows]


class Scored:
    """A method's logins, apart by attacker and class of user."""

    def __init__(self, logins):
        self.split = _split(logins)
        self.rightful = {kind: metrics.Rightful(_scores(rows), _users(rows)) for kind, rows in self.split[None].items()}

    def of(self, attacker, kind):
        return self.split.get(attacker, {}).get(kind, [])

    def judge(self, attacker, kind, rnd):
        rows = self.of(attacker, kind)
        return metrics.judge(self.rightful[kind], _scores(rows), rnd, _users(rows)) if kind in self.rightful else None


def login_table(scored, rnd):
    """method -> attacker -> class -> figures."""
    return {name: {attacker: {kind: method.judge(attacker, kind, rnd) for kind in ("old", *CLASSES)} for attacker in LOGIN_ATTACKS}
            for name, method in scored.items()}


def against(ours, theirs, rnd):
    """By how much we are ahead of a rival: attacker -> class -> {"auc", budgets}: [difference, low, high]."""
    out = {}
    for attacker in LOGIN_ATTACKS:
        out[attacker] = {}
        for kind in ("old", "new"):
            rows = ours.of(attacker, kind)
            if rows and kind in ours.rightful and kind in theirs.rightful:
                out[attacker][kind] = metrics.ahead(*[(side.rightful[kind], _scores(side.of(attacker, kind))) for side in (ours, theirs)],
                                                    rnd, _users(rows))
    return out


def proofs_by_history(methods):
    """How often the rightful are asked, by how many logins came before, where the threshold finds so much of an attacker."""
    out = {}
    for name, logins in methods.items():
        split = _split(logins)
        legit = split[None].get("old", [])
        ordered = sorted(_scores(legit))
        out[name] = {"": {"0.01": _by_history(legit, metrics.threshold(ordered, BUDGET), True)}} if legit else {}
        for attacker in ("naive", "vpn", "targeted"):
            attacks = sorted(_scores(split.get(attacker, {}).get("old", [])))
            for share in (.98, .80) if attacks else ():
                limit = attacks[int(len(attacks) * (1 - share))]
                out[name].setdefault(attacker, {})[str(share)] = _by_history(legit, limit, False)
    return out


def _by_history(legit, limit, above):
    out = {}
    for low, high in HISTORY:
        rows = [row[0] for row in legit if low <= row[1].history <= high]
        out[f"{low}-{high}"] = sum(s > limit if above else s >= limit for s in rows) / len(rows) if rows else None
    return out


def decided(logins):
    """As the bench's policy decides: which share of each kind of login is asked for a proof, or worse."""
    out = {}
    for attacker, kinds in _split(logins).items():
        out[attacker or "rightful"] = {kind: sum(row[3] != "allow" for row in rows) / len(rows) for kind, rows in kinds.items()}
    return out


def named(logins):
    """Of break-ins found at the budget: how often the signal named first is a cause of that attacker."""
    split, out = _split(logins), {}
    for attacker in LOGIN_ATTACKS:
        found = right = 0
        for kind in CLASSES:
            legit = sorted(_scores(split[None].get(kind, [])))
            limit = metrics.threshold(legit, BUDGET) if legit else 1e9
            for score, attempt, signals, _ in split.get(attacker, {}).get(kind, []):
                found += score > limit
                right += score > limit and attackers.cause_named(signals[0][0] if signals else "", attempt.causes)
        out[attacker] = {"found": found, "right": right}
    return out


def _weighted(rows):
    """(p, is an attack) with weights by which attacks come to BASE_RATE."""
    bad = sum(attack for _, attack in rows)
    good = len(rows) - bad
    if not bad or not good:
        return []
    return [(p, attack, BASE_RATE / bad if attack else (1 - BASE_RATE) / good) for p, attack in rows]


def calibration(results, rnd):
    """As configured, and after fitting a and b to the first half of the time and looking at the second."""
    logins = [(at, a.user.name, score / 100, a.attacker is not None) for at, a, score, *_ in results.logins]
    requests = [(at, seen.session.user.name, score / 100, thief) for seen in results.sessions
                for (at, *_), score, thief in zip(seen.session.requests, seen.scores, seen.labels)]
    out = {}
    for name, rows in (("logins", logins), ("requests", requests)):
        rows.sort(key=lambda row: row[0])
        early, late = rows[:len(rows) // 2], rows[len(rows) // 2:]
        users = [row[1] for row in late]
        late = _weighted([row[2:] for row in late])
        a, b = metrics.platt(_weighted([row[2:] for row in early]))
        fitted = metrics.fitted(late, a, b)
        out[name] = {"error": metrics.calibration(late), "interval": metrics.calibration_interval(late, users, rnd),
                     "fitted": metrics.calibration(fitted), "fitted_interval": metrics.calibration_interval(fitted, users, rnd),
                     "a": a, "b": b}
    return out


def thefts(results):
    out = {}
    for name in attackers.SESSIONS:
        seen = [w for w in results.sessions if w.session.attacker == name and w.thief_scores]
        never = float("inf")
        requests = [w.found_after or never for w in seen]
        seconds = [w.found_s if w.found_after else never for w in seen]
        found = [w for w in seen if w.found_after]
        out[name] = {"thefts": len(seen), "found": sum(r < never for r in requests), "two": sum(r <= 2 for r in requests),
                     "ten": sum(r <= 10 for r in requests), "right": sum(
                         attackers.cause_named(w.signal, w.session.causes) for w in found)}
        for most in (2, 10):  # nobody is robbed twice: each is a user of its own
            out[name][f"within_{most}_interval"] = metrics.around(sum(r <= most for r in requests), len(requests))
        for share, word in ((.5, "median"), (.95, "p95")):
            for what, values in (("requests", requests), ("seconds", seconds)):
                value = metrics.percentile(values, share)
                out[name][f"{what}_{word}"] = None if value in (None, never) else value
    return out


def innocent(results):
    """kind -> sessions, challenged, ended: what can be added to that of another run."""
    out = {}
    for kind in innocents.ALL:
        seen = [w for w in results.sessions if w.session.kind == kind]
        out[kind] = {"sessions": len(seen), "challenged": sum(w.challenged > 0 for w in seen), "ended": sum(w.ended for w in seen)}
    return out


def benign(kinds, more=(), swapped=()):
    out = {kind: {key: row[key] + sum(other[kind][key] for other in more) for key in row} for kind, row in kinds.items()}
    if swapped:
        out[innocents.SWAPPED] = dict(swapped)
    total = sum(row["sessions"] for row in out.values())
    ended = sum(row["ended"] for row in out.values())
    return {"kinds": out, "sessions": total, "challenged": sum(row["challenged"] for row in out.values()), "ended": ended,
            "ended_in_10000": ended / total * 10_000 if total else None,
            "ended_in_10000_at_most": metrics.at_most(ended, total) * 10_000 if total else None}


def _group(rows):
    """[(what, score)] by what: [what, how many, median score], the most frequent first."""
    groups = {}
    for what, score in rows:
        groups.setdefault(what, []).append(score)
    return [[what, len(scores), metrics.percentile(scores, .5)]
            for what, scores in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))][:4]


def _names(signals):
    """The strongest signals, each with its evidence to the nearest half."""
    return " + ".join(f"{name} {round(2 * evidence) / 2:g}" for name, evidence in signals[:5] if abs(evidence) >= .25) or "nothing"


def odd_innocents(results):
    """(what became of which kind, signals, score) of each innocent session that was challenged or ended."""
    return [(f"innocent {'ended' if w.ended else 'challenged'}: {w.session.kind}", _names(drive.signals(w.why)), max(w.scores))
            for w in results.sessions if w.session.attacker is None and w.why]


def missed(results, odd):
    """What the cases behind the figures look like: signals, how often, their median score."""
    out = {}
    for name in attackers.SESSIONS:
        rows = [w for w in results.sessions if w.session.attacker == name and w.thief_scores and not w.found_after]
        out[f"theft not found: {name}"] = _group([(_names(drive.signals(w.why)), max(w.thief_scores)) for w in rows])
    for title in sorted({row[0] for row in odd}, key=lambda title: ("ended" not in title, title)):
        out[title] = _group([row[1:] for row in odd if row[0] == title])
    split = _split(results.logins)
    for kind, title in (("old", "with a history"), ("new", "no history")):
        legit = split[None].get(kind, [])
        limit = metrics.threshold(sorted(_scores(legit)), BUDGET) if legit else 1e9
        out[f"rightful login above 1 %, {title} (over {limit:.2f})"] = _group([(_names(r[2]), r[0]) for r in legit if r[0] > limit])
        for attacker in LOGIN_ATTACKS:
            rows = split.get(attacker, {}).get(kind, [])
            out[f"break-in below 1 %, {title}: {attacker}"] = _group([(_names(r[2]), r[0]) for r in rows if r[0] <= limit])
    return {title: rows for title, rows in out.items() if rows}


def _spot(row, which):
    return row["found"][which] if row else None


def session_table(results, methods):
    """Thefts found within two and ten requests, where 1 % of the innocent sessions are asked for a proof."""
    ours = []
    for w in results.sessions:
        owner = [s for s, thief, request in zip(w.scores, w.labels, w.session.requests)
                 if not thief and (w.session.hijacked_at is None or request[0] < w.session.hijacked_at)]
        ours.append((w.session, max(owner, default=0), max(w.thief_scores[:2], default=0), max(w.thief_scores[:10], default=0)))
    rows = {OURS: ours, **{name: [(s.session, s.owner, s.two, s.ten) for s in seen] for name, seen in methods.items() if seen}}
    out = {}
    for name, seen in rows.items():
        limit = metrics.threshold(sorted(row[1] for row in seen if row[0].attacker is None), BUDGET)
        out[name] = {}
        for attacker in attackers.SESSIONS:
            theirs = [row for row in seen if row[0].attacker == attacker]
            out[name][attacker] = {"two": metrics.share_above([row[2] for row in theirs], limit),
                                   "ten": metrics.share_above([row[3] for row in theirs], limit)}
    return out


def told(names, stolen):
    """The signal named first, of all true detections."""
    out = {}
    for title, rows in (("break-ins found at 1 %", names), ("stolen sessions found", stolen)):
        found, right = (sum(row[key] for row in rows.values()) for key in ("found", "right"))
        out[title] = {"found": found, "right": right, "interval": metrics.around(right, found)}
    return out


def make(plan, results, baselines, seed, swapped=(), more=()):
    """more: [(innocent, odd_innocents)] of runs of innocents alone."""
    rnd = random.Random(f"{seed}/bootstrap")
    methods = {OURS: results.logins, **{name: logins for name, (logins, _) in baselines.items()}}
    scored = {name: Scored(logins) for name, logins in methods.items()}
    names, stolen = named(results.logins), thefts(results)
    odd = [*odd_innocents(results), *(row for _, rows in more for row in rows)]
    return {"seed": seed, "calm": plan.calm, "population": people.shape(plan.users), "logins": login_table(scored, rnd),
            "ahead": {"freeman": against(scored[OURS], scored["freeman"], rnd)},
            "proofs": proofs_by_history({name: methods[name] for name in (OURS, "freeman")}),
            "decided": decided(results.logins), "named": names, "thefts": stolen, "told": told(names, stolen),
            "benign": benign(innocent(results), [kinds for kinds, _ in more], swapped),
            "sessions": session_table(results, {name: seen for name, (_, seen) in baselines.items()}),
            "calibration": calibration(results, rnd), "missed": missed(results, odd),
            "poison": {"logins": results.poisons, "let_through": results.poisons_taken}}


# ---- Text ------------------------------------------------------------------------------------------


def _pct(value):
    return "–" if value is None else f"{100 * value:.1f}"


def _row(cells, widths):
    return "  ".join(f"{cell:<{w}}" if n == 0 else f"{cell:>{w}}" for n, (cell, w) in enumerate(zip(cells, widths))).rstrip()


TITLES = {"old": "with a history", "new": "no history", "thin": "1 to 4 logins", "thick": "5 and more"}


def _login_lines(report):
    """One line an attacker and class: the area under the curve, and what is found at a budget of 1 %."""
    names = list(report["logins"])
    widths = (22, 15, 8, *[max(11, len(name)) for name in names])
    yield "Break-ins with a password: AUC, and % found where 1 % of the rightful logins of that class are asked for a proof"
    yield _row(("", "", "attacks", *names), widths)
    for attacker in LOGIN_ATTACKS:
        for kind, title in TITLES.items():
            cells = [report["logins"][name][attacker][kind] for name in names]
            if cells[0]:
                figures = [f"{c['auc']:.3f} {100 * _spot(c, '0.01'):4.1f}" for c in cells]
                yield _row((attacker, title, cells[0]["attacks"], *figures), widths)


def full(report):
    """All figures of logins, with intervals: a table an attacker and class."""
    widths = (22, 7, 14, 14, 14, 20, 6)
    for attacker in LOGIN_ATTACKS:
        for kind, title in TITLES.items():
            sample = report["logins"][OURS][attacker][kind]
            if not sample:
                continue
            yield f"{attacker}, {title} ({sample['attacks']} attacks, {sample['legit']} rightful logins)"
            yield _row(("", "AUC", "95 %", "found at .1 %", "at 1 %", "95 %", "at 5 %"), widths)
            for name, table in report["logins"].items():
                row = table[attacker][kind]
                low, high = row["auc_interval"]
                one = row["found_interval"]["0.01"]
                tenth, first, fifth = (_pct(_spot(row, str(budget))) for budget in metrics.BUDGETS)
                yield _row((name, f"{row['auc']:.3f}", f"{low:.3f}–{high:.3f}", tenth, first,
                            f"{_pct(one[0])}–{_pct(one[1])}", fifth), widths)
            yield ""


def _proof_lines(report):
    columns = [str(a) if a == b else f"{a}-{b}" if b < 10_000 else f"{a}+" for a, b in HISTORY]
    widths = (34, *[6] * len(columns))
    yield "Rightful logins asked for a proof, %, by logins before: at a budget, and at the threshold that finds so much"
    yield _row(("", *columns), widths)
    for name, attacks in report["proofs"].items():
        for attacker, shares in attacks.items():
            for share, rates in shares.items():
                title = f"{name}, {float(share):.0%} of {attacker}" if attacker else f"{name}, 1 % of all"
                yield _row((title, *[_pct(r) for r in rates.values()]), widths)


def _theft_lines(report):
    widths = (22, 7, 7, 9, 18, 8, 8, 9, 8, 7)
    yield "Stolen sessions, as the policy decides (step-up or worse is found)"
    yield _row(("", "thefts", "found", "within 2", "10, 95 %", "median", "p95", "median s", "p95 s", "cause"), widths)
    for name, row in report["thefts"].items():
        n, (low, high) = row["thefts"], row["within_10_interval"]
        times = [row[key] for key in ("requests_median", "requests_p95", "seconds_median", "seconds_p95")]
        yield _row((name, n, _pct(row["found"] / n), _pct(row["two"] / n), f"{_pct(row['ten'] / n)}, {_pct(low)}–{_pct(high)}",
                    *["never" if time is None else f"{time:g}" for time in times],
                    _pct(row["right"] / row["found"]) if row["found"] else "–"), widths)
    yield ""
    yield "Stolen sessions found within 2 and 10 requests, %, where 1 % of the innocent sessions are asked for a proof"
    names = list(report["sessions"])
    yield _row(("", *names), (22, *[max(12, len(n)) for n in names]))
    for attacker in attackers.SESSIONS:
        cells = [report["sessions"][n][attacker] for n in names]
        yield _row((attacker, *[f"{_pct(c['two'])} {_pct(c['ten'])}" for c in cells]), (22, *[max(12, len(n)) for n in names]))


def _benign_lines(report):
    b, widths = report["benign"], (22, 9, 13, 6)
    yield "Innocent sessions, as the policy decides"
    yield _row(("", "sessions", "challenged %", "ended"), widths)
    for kind, row in (*b["kinds"].items(), ("all", b)):
        share = _pct(row["challenged"] / row["sessions"]) if row["sessions"] else "–"
        yield _row((kind, row["sessions"], share, row["ended"]), widths)
    yield (f"false terminations in 10,000 sessions: {b['ended_in_10000']:.2f}, "
           f"with 95 % confidence under {b['ended_in_10000_at_most']:.2f}")


def text(report):
    p = report["population"]
    yield (f"seed {report['seed']}: {p['users']} users, {p['logins']} logins (median {p['median']}, p90 {p['p90']}, "
           f"p99 {p['p99']}, {_pct(p['single'])} % once)")
    yield f"new country {_pct(p['new_country'])} %, system {_pct(p['new_asn'])} %, agent {_pct(p['new_agent'])} %"
    yield (", ".join(f"{k} {_pct(v)} %" for k, v in p["country_shares"].items()) + "; systems "
           + ", ".join(_pct(v) for v in p["asn_shares"]) + " %; " + ", ".join(f"{k} {_pct(v)} %" for k, v in p["forms"].items()))
    yield ""
    yield from _login_lines(report)
    yield ""
    yield from _proof_lines(report)
    yield ""
    yield from _theft_lines(report)
    yield ""
    yield from _benign_lines(report)
    yield ""
    yield "As the policy decides, asked for a proof or worse, %: " + ", ".join(
        f"{name} {_pct(kinds.get('old'))}" + (f" (no history {_pct(kinds['new'])})" if "new" in kinds else "")
        for name, kinds in report["decided"].items())
    yield "Of break-ins found at 1 %, the signal named first is a cause: " + ", ".join(
        f"{name} {row['right']} of {row['found']}" for name, row in report["named"].items())
    for what, row in report["calibration"].items():
        yield (f"calibration error of {what}, % (attacks weighted to {100 * BASE_RATE:.1f} %): {_pct(row['error'])} as configured, "
               f"{_pct(row['fitted'])} fitted (a {row['a']:.3f}, b {row['b']:.3f})")
    yield f"poisoning logins let through: {report['poison']['let_through']} of {report['poison']['logins']}"
    yield ""
    yield from toy_lines(report)
    yield ""
    yield from _missed_lines(report)
    yield ""
    yield from targets.lines(report)


def _missed_lines(report):
    yield "What lies behind: signals with their evidence, how many cases, their median score"
    for title, rows in report["missed"].items():
        yield title
        for what, count, score in rows:
            yield f"  {count:6}  {score:6.2f}  {what}"


def toy_lines(report):
    yield "Freeman's ratio here, beside the toy figures that were expected (AUC, found at 1 %)"
    for attacker, (area, found) in TOY.items():
        row = report["logins"]["freeman"][attacker]["old"]
        if row:
            verdict = "near" if abs(row["auc"] - area) <= NEAR else "not near"
            yield (f"  {attacker:<20} {row['auc']:.3f} {row['found']['0.01']:.2f}   expected {area:.3f} {found:.2f}   {verdict}")
