#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of `Risk today` in docs/BENCHMARKS.md, from a report: `tables.py REPORT.json`. The words around them are people's."""
import json
import sys

import targets

METHODS = (("pdp", "pdp"), ("freeman", "Freeman"), ("freeman, literal", "Freeman, literal"), ("points", "points"), ("authentik", "authentik"),
           ("authentik, buggy", "authentik, four bugs"), ("panther", "Panther"), ("random", "chance"))
LOGINS = (("naive", ("old", "thin", "thick", "new")), ("vpn", ("old", "thin", "thick", "new")), ("targeted", ("old", "new")),
          ("rare-infrastructure", ("old", "thin", "thick", "new")), ("slow-poisoning", ("old",)), ("credential-stuffing", ("old", "new")))
CLASSES = {"old": "", "thin": ", 1 to 4 logins", "thick": ", 5 and more", "new": ", no history"}
BUDGETS = ("0.001", "0.01", "0.05")
PROOFS = (("", "0.01", "1 % of all"), ("naive", "0.98", "finds 98 % of naive"), ("vpn", "0.98", "98 % of vpn"),
          ("naive", "0.8", "80 % of naive"), ("vpn", "0.8", "80 % of vpn"))
THEFTS = {"naive": "naive: another address and browser", "vpn": "vpn: the same in the right country", "tool-agent": "tool agent",
          "cookie-replay": "cookie replay, same system, header copied", "rare-infrastructure": "rare infrastructure, half with the browser copied",
          "same-fingerprint": "same fingerprint, another system", "targeted": "targeted: same system, all copied"}


def share(value):
    return "–" if value is None else f"{100 * value:.1f}"


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def logins(report):
    table_of = report["logins"]
    for attacker, kinds in LOGINS:
        for kind in kinds:
            if table_of["pdp"][attacker][kind]:
                cells = [table_of[name][attacker][kind] for name, _ in METHODS]
                yield attacker.replace("-", " ") + CLASSES[kind], *[f"{c['auc']:.3f}, {share(c['found']['0.01'])}" for c in cells]


def budgets(report):
    for attacker, kinds in LOGINS:
        for kind in dict.fromkeys((kinds[0], kinds[-1])):
            ours, theirs = (report["logins"][name][attacker][kind] for name in ("pdp", "freeman"))
            if ours:
                yield (attacker.replace("-", " ") + CLASSES[kind],
                       *["{} ({}–{})".format(share(ours["found"][b]), *map(share, ours["found_interval"][b])) for b in BUDGETS],
                       *[share(theirs["found"][b]) for b in BUDGETS])


def proofs(report):
    for method, title in METHODS[:2]:
        for attacker, found, words in PROOFS:
            row = report["proofs"][method].get(attacker, {}).get(found)
            if row:
                yield f"{title}, {words}", *map(share, row.values())


def thefts(report):
    for name, title in THEFTS.items():
        row, spots = report["thefts"][name], [share(report["sessions"][m][name]["two"]) for m in ("pdp", "freeman", "panther")]
        n, times = row["thefts"], [", ".join("never" if row[f"{what}_{word}"] is None else f"{row[f'{what}_{word}']:g}"
                                             for word in ("median", "p95")) for what in ("requests", "seconds")]
        yield (title, share(row["two"] / n), "{} ({}–{})".format(share(row["ten"] / n), *map(share, row["within_10_interval"])), *times,
               share(row["right"] / row["found"]) if row["found"] else "–", ", ".join(spots))


def main():
    with open(sys.argv[1]) as file:
        report = json.load(file)
    benign = report["benign"]
    history = [low if low == high else f"{low} and more" if high == "10000" else f"{low}–{high}"
               for low, high in (span.split("-") for span in report["proofs"]["pdp"][""]["0.01"])]
    for head, rows in (
            (("Target", "wanted", "figure", "95 %", ""), ([*row[:4], "**missed**" if row[4] == "missed" else row[4]] for row in targets.rows(report))),
            (("Attack with a password", *[title for _, title in METHODS]), logins(report)),
            (("Found, %", "at .1 %", "at 1 %", "at 5 %", "Freeman at .1 %", "at 1 %", "at 5 %"), budgets(report)),
            (("Rightful logins asked, %, by logins before", *history), proofs(report)),
            (("Stolen session", "found within 2", "within 10 (95 %)", "requests, median, p95", "seconds, median, p95", "cause named",
              "at 1 % of innocent sessions: pdp, Freeman, Panther within 2"), thefts(report)),
            (("Innocent", "sessions", "challenged %", "ended"),
             ([name.replace("-", " "), f"{row['sessions']:,}", share(row["challenged"] / row["sessions"]), str(row["ended"])]
              for name, row in (*benign["kinds"].items(), ("all", benign)) if row["sessions"]))):
        print("\n".join(table(head, rows)))


if __name__ == "__main__":
    main()
