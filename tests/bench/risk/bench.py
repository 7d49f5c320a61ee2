#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The risk model against attackers, innocents and the methods of others: `sh tests/bench/risk/run.sh`, docs/BENCHMARKS.md.

Uses nothing of the scorer: it makes a world, asks `pdpctl replay`, and counts.
"""
import argparse
import concurrent.futures
import json
import pathlib
import random
import shutil
import sys
import tempfile
import time

import baselines
import drive
import lines
import plan
import realgeo
import report
import swap

BEGAN = time.monotonic()
PART = 4_000  # innocents of a population: as many as fit into a process that is not large


def options():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--sessions", type=int, help="innocent ones; half as many as users")
    parser.add_argument("--geo", action="append", default=[], metavar="FILE",
                        help="real databases: of places, and of systems, and of marks, instead of a made-up world")
    parser.add_argument("--calm", action="store_true", help="users who are seldom somewhere new")
    parser.add_argument("--bare", action="store_true", help="no list says a class of network: databases alone tell")
    parser.add_argument("--full", action="store_true", help="every figure of logins, with intervals, and 40,000 more innocents")
    parser.add_argument("--innocents", type=int, metavar="N", help="so many more innocent sessions, each of a user of its own: "
                        "to tell whether fewer than 1 in 10,000 are ended needs 30,000 of which none is")
    parser.add_argument("--jobs", type=int, default=2, help="how many thousands of innocents are asked at once")
    parser.add_argument("--overlay", action="append", default=[], metavar="FILE",
                        help="a document more, such as a RiskModel to try")
    parser.add_argument("--out", metavar="DIR", help="keep databases, policies, events as they were asked, report.json, and "
                        "script.jsonl with labels.jsonl: the same where nobody is ever asked to prove anything")
    parser.add_argument("--script", action="store_true", help="with --out: write script.jsonl and labels.jsonl, ask nothing")
    parser.add_argument("--pdpctl", default="build/release/bin/pdpctl")
    return parser.parse_args()


def say(*words):
    print(f"[{time.monotonic() - BEGAN:5.0f} s]", *words, file=sys.stderr, flush=True)


def write_script(made, folder):
    """Where nobody is ever asked to prove anything: for `pdpctl risk fit --events script.jsonl --labels labels.jsonl`."""
    with open(folder / "script.jsonl", "w") as events, open(folder / "labels.jsonl", "w") as labels:
        for number, (line, label) in enumerate(lines.script(made), 1):
            events.write(line + "\n")
            if label:
                kind, attack, name, session, before = label
                labels.write(json.dumps({"line": number, "label": attack, "of": kind, "attacker": name if attack else None,
                                         "session": session, "history": before}, separators=(",", ":")) + "\n")


def innocents_alone(args, world, number, count, folder_of_policies, geo):
    """A population of its own in the same world, with nobody who attacks: what became of its sessions. Some are no people but
    programs, without sessions: a fifth more makes each session one of a user of its own."""
    made = plan.Plan(f"{args.seed}/innocents/{number}", count * 6 // 5, count, world, args.calm, attacked=False)
    ctl = drive.Pdpctl(args.pdpctl, folder_of_policies, geo)
    results = drive.Run(ctl).play(made)
    ctl.close()
    return report.innocent(results), report.odd_innocents(results)


def more_innocents(args, world, folder_of_policies, geo):
    """In parts, of which some are asked at once: the parts are the same however many that is."""
    left = args.innocents if args.innocents is not None else 40_000 if args.full else 0
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        parts = [pool.submit(innocents_alone, args, world, n, min(PART, left - n * PART), folder_of_policies, geo)
                 for n in range(-(-left // PART))]
        for n, part in enumerate(concurrent.futures.as_completed(parts)):
            part.result()
            say(f"innocents alone: {n + 1} of {len(parts)} parts")
    return [part.result() for part in parts]


def main():
    args = options()
    folder = pathlib.Path(args.out or tempfile.mkdtemp(prefix="pdp-risk-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        say("making the world")
        world = realgeo.RealWorld(random.Random(f"{args.seed}/places"), args.geo) if args.geo else None
        sessions = args.sessions if args.sessions is not None else args.users // 2
        made = plan.Plan(args.seed, args.users, sessions, world, args.calm)
        geo = args.geo or drive.databases(made.world, folder / "geo")
        folder_of_policies = drive.policies(made.world, folder / "policies", args.overlay, args.bare)
        if args.out:
            write_script(made, folder)
        if args.script:
            return
        ctl = drive.Pdpctl(args.pdpctl, folder_of_policies, geo, folder / "events.jsonl" if args.out else None)
        results = drive.Run(ctl).play(made, lambda done, of: say(f"asking: {done} of {of} steps"))
        ctl.close()
        swapped = ()
        if not args.geo:
            say("asking: the database is replaced")
            (folder / "swap").mkdir(exist_ok=True)
            swapped = swap.run(made, pathlib.Path(args.pdpctl).parent, folder_of_policies, folder / "swap",
                               sum(1 for w in results.sessions if w.session.kind == "plain"))
        more = more_innocents(args, made.world, folder_of_policies, geo)
        others = {}
        for name, method in baselines.everyone(args.seed).items():
            say(f"baseline: {name}")
            others[name] = baselines.play(made, name, method)
        say("counting")
        figures = report.make(made, results, others, args.seed, swapped, more)
        print("\n".join([*(report.full(figures) if args.full else ()), *report.text(figures)]))
        if args.out:
            (folder / "report.json").write_text(json.dumps(figures, indent=1) + "\n")
    finally:
        if not args.out:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
