#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What became of the scorer between two reports: `compare.py OLD.json NEW.json`. A `*` marks what lies outside the interval."""
import json
import sys

import targets


def rows(report):
    """(name, figure, interval or None) of what is promised or watched."""
    for attacker, kinds in report["logins"]["pdp"].items():
        for kind, row in kinds.items():
            if row:
                yield f"{attacker}, {kind}: AUC", row["auc"], row["auc_interval"]
                for budget in row["found"]:
                    yield f"{attacker}, {kind}: found at {float(budget):.1%}", row["found"][budget], row["found_interval"][budget]
    for name, row in report["thefts"].items():
        for word, most in (("two", 2), ("ten", 10)):
            yield f"stolen, {name}: within {most}", row[word] / row["thefts"], row[f"within_{most}_interval"]
        if row["found"]:
            yield f"stolen, {name}: cause named", row["right"] / row["found"], None
    for kind, row in report["benign"]["kinds"].items():
        if row["sessions"]:
            yield f"innocent, {kind}: challenged", row["challenged"] / row["sessions"], None
    yield "false terminations in 10,000", report["benign"]["ended_in_10000"], None
    for what, row in report["told"].items():
        if row["found"]:
            yield f"cause named first, {what}", row["right"] / row["found"], row["interval"]
    for what, row in report["calibration"].items():
        yield f"calibration error, {what}", row["error"], None
        yield f"calibration error, {what}, fitted", row["fitted"], None


def main():
    old, new = (json.load(open(name)) for name in sys.argv[1:3])
    before = {name: (figure, interval) for name, figure, interval in rows(old)}
    for key in ("seed", "calm"):
        if old[key] != new[key]:
            print(f"note: {key} was {old[key]} and is {new[key]}")
    for name, figure, interval in rows(new):
        was, around = before.get(name, (None, None))
        if was is None or abs(was - figure) < 5e-4:
            continue
        outside = around and interval and (figure < around[0] or figure > around[1])
        print(f"{name:<54} {was:8.3f} {figure:8.3f} {figure - was:+8.3f} {'*' if outside else ''}".rstrip())
    # Two targets may bear one name over runs of different sizes: what counts is told without the number of sessions.
    verdicts = [{row[0].split(", of ")[0]: row[4] for row in targets.rows(report)} for report in (old, new)]
    for name, verdict in verdicts[1].items():
        if verdicts[0].get(name, verdict) != verdict:
            print(f"{name}: was {verdicts[0][name]}, is {verdict}")


if __name__ == "__main__":
    main()
