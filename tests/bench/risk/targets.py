# SPDX-License-Identifier: Apache-2.0
"""What the model is held to, one line a target: what is wanted, the figure, its interval, and whether it is met.

`met`: the figure reaches it, and so does the whole interval. `met, barely`: the figure does. `missed`: it does not."""

AT_ONCE = ("naive", "vpn", "tool-agent", "rare-infrastructure")
SAME_SYSTEM = ("cookie-replay", "targeted")
WITHIN, TOLD, WRONG, FALSE_ENDS = .95, .95, .05, 1.0


def _verdict(reached, sure):
    return "met" if reached and sure else "met, barely" if reached else "missed"


def _least(what, least, figure, interval, scale=100, unit=" %"):
    """At least so much."""
    return (what, f">= {scale * least:g}{unit}", f"{scale * figure:.1f}", f"{scale * interval[0]:.1f} to {scale * interval[1]:.1f}",
            _verdict(figure >= least, interval[0] >= least))


def _below(what, most, figure, interval, scale=100, unit=" %"):
    return (what, f"< {scale * most:g}{unit}", f"{scale * figure:.2f}", f"{scale * interval[0]:.2f} to {scale * interval[1]:.2f}",
            _verdict(figure < most, interval[1] < most))


def _ahead(report, attacker, kind, title):
    """Not behind Freeman's ratio: by AUC, and at each budget."""
    rows, ours = report["ahead"]["freeman"].get(attacker, {}).get(kind), report["logins"]["pdp"][attacker][kind]
    for key, (gap, low, high) in (rows or {}).items():
        figure = ours["auc"] if key == "auc" else ours["found"][key]
        name = "AUC" if key == "auc" else f"found at {100 * float(key):g} %"
        yield (f"{attacker}, {title}: {name}", f">= {figure - gap:.3f}", f"{figure:.3f}", f"{low:+.3f} to {high:+.3f}",
               _verdict(gap >= 0, low >= 0))


def _far_ahead(report, attacker, kind, title):
    """Of what Freeman's ratio misses, at most half is missed, by AUC and at 1 %."""
    rows, ours = report["ahead"]["freeman"].get(attacker, {}).get(kind), report["logins"]["pdp"][attacker][kind]
    for key, name in (("auc", "AUC"), ("0.01", "found at 1 %")):
        if rows:
            gap, low, high = rows[key]
            figure = ours["auc"] if key == "auc" else ours["found"][key]
            least = (1 + figure - gap) / 2
            yield (f"{attacker}, {title}: {name}", f">= {least:.3f}", f"{figure:.3f}", f"{low:+.3f} to {high:+.3f}",
                   _verdict(figure >= least, figure - gap + low >= least))


def rows(report):
    """(target, wanted, figure, interval, verdict)"""
    for attacker in ("naive", "vpn"):
        yield from _ahead(report, attacker, "old", "with a history")
    yield from _far_ahead(report, "rare-infrastructure", "old", "with a history")
    yield from _far_ahead(report, "rare-infrastructure", "new", "no history")
    for names, word, most in ((AT_ONCE, "two", 2), (SAME_SYSTEM, "ten", 10)):
        for name in names:
            row = report["thefts"][name]
            if row["thefts"]:
                yield _least(f"stolen, {name}: found within {most}", WITHIN, row[word] / row["thefts"], row[f"within_{most}_interval"])
    benign = report["benign"]
    if benign["sessions"]:
        yield _below(f"false terminations in 10,000, of {benign['sessions']} sessions", FALSE_ENDS, benign["ended_in_10000"],
                     (0, benign["ended_in_10000_at_most"]), 1, "")
    for what, row in report["calibration"].items():
        yield _below(f"calibration error, {what}", WRONG, row["error"], row["interval"])
        yield _below(f"calibration error, {what}, fitted", WRONG, row["fitted"], row["fitted_interval"])
    for what, row in report["told"].items():
        if row["found"]:
            yield _least(f"cause named first, {what}", TOLD, row["right"] / row["found"], row["interval"])


def lines(report):
    widths = (58, 12, 8, 18)
    yield "Targets. Against Freeman the figure wanted is Freeman's, and the interval is of what we are ahead by"
    for row in (("", "wanted", "figure", "95 %", ""), *rows(report)):
        yield f"{row[0]:<{widths[0]}}{row[1]:>{widths[1]}}{row[2]:>{widths[2]}}{row[3]:>{widths[3]}}  {row[4]}".rstrip()
    verdicts = [row[4] for row in rows(report)]
    yield f"{sum(v != 'missed' for v in verdicts)} of {len(verdicts)} targets are met, {verdicts.count('met')} of them beyond doubt"
