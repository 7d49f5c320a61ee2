#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A recorded attack, asked again: which access keys rise, why, and how soon. `sh tests/bench/cloudtrail/run.sh`, docs/RISK.md.

Reads a recording of CloudTrail events where it lies, asks `pdpctl replay` one question an event, and prints a table; `--svg`
draws it. Uses nothing of the scorer."""
import argparse
import collections
import datetime
import gzip
import ipaddress
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ATTACKER = "192.168.10.20"  # the machine of the exercise: Stratus Red Team, and the Terraform that it sets up and clears away with
LEVELS = (("medium", 30), ("high", 60), ("critical", 85))
VIEWS = {  # what a session is
    "key": "a session is an access key",
    "identity": "a session is an identity, with all of its keys"}


def read(path):
    with (gzip.open(path, "rt") if path.suffix == ".gz" else open(path)) as file:
        return [json.loads(line) for line in file if line.strip()]


def asked_from_outside(event):
    """Calls that the cloud's services make for themselves name a service as their source: no gateway would see them."""
    try:
        ipaddress.ip_address(event["ip"])
    except ValueError:
        return False
    return True


def whose(event):
    """user/NAME, or ROLE/NAME of the role's session."""
    principal = event["principal"] or "nobody"
    return principal.split(":")[-1].removeprefix("assumed-role/")


def times(events):
    """Milliseconds of each: the recording has seconds, over which the events of a second are spread evenly."""
    of = collections.Counter(event["time"] for event in events)
    n, out = collections.Counter(), []
    for event in events:
        second = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
        out.append(int(second) * 1000 + 1000 * n[event["time"]] // of[event["time"]])
        n[event["time"]] += 1
    return out


def line(number, at, event, view):
    who, service = whose(event), event["source"].removesuffix(".amazonaws.com")
    session = who if view == "identity" or not event["access_key"] else event["access_key"]
    context = {"session": {"id": session}, "network": {"ip": event["ip"]}, "device": {"user_agent": event["user_agent"].strip("[]")}}
    if event["event"] == "ConsoleLogin":
        body = {"event": {"type": "login", "subject": {"type": "user", "id": who}, "context": context, "properties": {"amr": ["pwd"]}}}
    else:
        body = {"request": {"tenant": "cloud", "request_id": f"r{number}", "subject": {"type": "user", "id": who},
                            "action": {"name": f"{service}:{event['event']}"},
                            "resource": {"type": "service", "id": f"{event['region']}/{service}"}, "context": context}}
    more = {"tenant": "cloud", "request_id": f"e{number}"} if "event" in body else {}
    return session, json.dumps({"at": at, **body, **more}, separators=(",", ":"))


class Key:
    """What became of a session: its scores, and of the attacker's questions the highest and when each level was reached first.

    Where the attacker never was, all questions count so."""

    def __init__(self, name, who, attack):
        self.name, self.who, self.attack = name, who, attack
        self.rows, self.best, self.why, self.reached = [], -1.0, [], {}
        self.began, self.count, self.others = None, 0, 0  # of what counts; and questions of others at medium or above

    def add(self, at, event, risk):
        self.rows.append((at, risk["score"]))
        if self.attack and event["ip"] != ATTACKER:
            self.others += risk["score"] >= LEVELS[0][1]
            return
        self.count += 1
        self.began = at if self.began is None else self.began
        if risk["score"] > self.best:
            self.best, self.why = risk["score"], sorted(risk["signals"], key=lambda s: -s["evidence"])
        for level, least in LEVELS:
            if risk["score"] >= least and level not in self.reached:
                self.reached[level] = (self.count, (at - self.began) / 1000)


def ask(events, view, pdpctl):
    keys, asked, texts = {}, [], []
    for number, (at, event) in enumerate(zip(times(events), events)):
        session, text = line(number, at, event, view)
        asked.append((at, event, session))
        texts.append(text)
    done = subprocess.run([pdpctl, "replay", "--policies", HERE / "policy", "--events", "-"], input="\n".join(texts) + "\n",
                          capture_output=True, text=True, check=True)
    stolen = {session for _, event, session in asked if event["ip"] == ATTACKER}
    for (at, event, session), answer in zip(asked, done.stdout.splitlines()):
        risk = json.loads(answer).get("context", {}).get("risk")
        if risk:  # the answer to an event has none
            keys.setdefault(session, Key(session, whose(event), session in stolen)).add(at, event, risk)
    return [key for key in keys.values() if key.rows]


# ---- Text ------------------------------------------------------------------------------------------


def _reached(key, level):
    if level not in key.reached:
        return "–"
    after, seconds = key.reached[level]
    return f"{after}, {seconds:.0f} s"


def _why(key):
    return ", ".join(f"{s['id']} {s['evidence']:.1f}" for s in key.why if abs(s["evidence"]) >= .05) or "–"


def table(keys, view):
    yield f"{VIEWS[view]}: {len(keys)}, of which the attacker used {sum(k.attack for k in keys)}"
    widths = "{:<22} {:<58} {:>7} {:>6} {:>14} {:>14} {:>14}  {}"
    yield widths.format("session", "whose", "asked", "most", *[f"{level}, after" for level, _ in LEVELS], "why").rstrip()
    shown = [k for k in keys if k.attack] + sorted((k for k in keys if not k.attack and k.reached), key=lambda k: -k.best)
    for key in shown:
        mark = "! " if key.attack else "  "
        name = key.name if view == "key" and key.name != key.who else ""
        yield widths.format(mark + name, key.who[:58], key.count, f"{key.best:.1f}",
                            *[_reached(key, level) for level, _ in LEVELS], _why(key))
        if key.others:
            yield f"    and {key.others} of {len(key.rows) - key.count} questions of others in it were at medium or above"
    quiet = [k for k in keys if not k.attack and not k.reached]
    if quiet:
        yield f"  {len(quiet)} others stayed low: at most {max(k.best for k in quiet):.1f}, {sum(len(k.rows) for k in quiet)} questions"


# ---- Plot ------------------------------------------------------------------------------------------

WIDE, HIGH, LEFT, TOP, GAP = 760, 190, 44, 34, 62
BOTTOM = 44


def _path(key, x, y):
    """A stair of the scores, without the steps that nobody could see."""
    out, last = [], None
    for n, (at, score) in enumerate(key.rows):
        if last is not None and abs(score - last) < .4 and n + 1 < len(key.rows):
            continue
        out.append(f"M{x(at):.1f} {y(score):.1f}" if last is None else f"H{x(at):.1f}V{y(score):.1f}")
        last = score
    return "".join(out)


def _panel(title, keys, top, begin, end):
    def x(at):
        return LEFT + (at - begin) / (end - begin) * (WIDE - LEFT - 12)

    def y(score):
        return top + HIGH * (1 - score / 100)
    yield f'<text x="{LEFT}" y="{top - 10}" font-weight="bold">{title}</text>'
    for score in (0, 50, 100):
        yield f'<text x="{LEFT - 6}" y="{y(score) + 4:.0f}" text-anchor="end">{score}</text>'
    for level, least in LEVELS:
        yield f'<path d="M{LEFT} {y(least):.1f}H{WIDE - 12}" stroke="#bbb" stroke-dasharray="3 3"/>'
        yield f'<text x="{WIDE - 14}" y="{y(least) - 3:.1f}" text-anchor="end" fill="#888">{level}</text>'
    yield f'<path d="M{LEFT} {top}V{top + HIGH}H{WIDE - 12}" stroke="#666" fill="none"/>'
    minute = begin - begin % 600_000 + 600_000
    while minute <= end:
        hhmm = datetime.datetime.fromtimestamp(minute / 1000, datetime.timezone.utc).strftime("%H:%M")
        yield f'<text x="{x(minute):.0f}" y="{top + HIGH + 15}" text-anchor="middle">{hhmm}</text>'
        minute += 600_000
    for key in sorted(keys, key=lambda k: k.attack):
        colour, width = ("#c0392b", 2) if key.attack else ("#2c6fbb", 1.2)
        first, last = key.rows[0], key.rows[-1]
        if x(last[0]) - x(first[0]) < 2:  # a moment: a dot
            shape = "2.6" if key.attack else "2"
            yield f'<circle cx="{x(first[0]):.1f}" cy="{y(key.best):.1f}" r="{shape}" fill="{colour}" fill-opacity=".8"/>'
        else:
            yield f'<path d="{_path(key, x, y)}" stroke="{colour}" stroke-width="{width}" stroke-opacity=".8" fill="none"/>'


def plot(views):
    every = [at for keys in views.values() for key in keys for at, _ in key.rows]
    begin, end = min(every), max(every)
    height = TOP + len(views) * (HIGH + GAP) - GAP + BOTTOM
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height}" width="{WIDE}" height="{height}" '
           f'font-family="sans-serif" font-size="12" fill="#333" role="img">')
    yield "<!-- SPDX-License-Identifier: Apache-2.0 -->"
    yield "<title>Risk scores while an attack was recorded</title>"
    yield f'<rect width="{WIDE}" height="{height}" fill="#fff"/>'
    for n, (view, keys) in enumerate(views.items()):
        yield from _panel(VIEWS[view], keys, TOP + n * (HIGH + GAP), begin, end)
    foot = height - 10
    yield f'<circle cx="{LEFT + 6}" cy="{foot - 4}" r="4" fill="#c0392b"/><text x="{LEFT + 16}" y="{foot}">used by the attacker</text>'
    yield f'<circle cx="{LEFT + 166}" cy="{foot - 4}" r="4" fill="#2c6fbb"/><text x="{LEFT + 176}" y="{foot}">everybody else</text>'
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=pathlib.Path, required=True, metavar="FILE", help="the recording, JSON lines, gzip or not")
    parser.add_argument("--pdpctl", default="build/release/bin/pdpctl")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draw it")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the figures for a program")
    args = parser.parse_args()
    every = read(args.events)
    events = [event for event in every if asked_from_outside(event)]
    print(f"{len(every)} events, {len(events)} of them from outside, {sum(e['ip'] == ATTACKER for e in events)} from the attacker's machine")
    views = {view: ask(events, view, args.pdpctl) for view in VIEWS}
    for view, keys in views.items():
        print()
        print("\n".join(table(keys, view)))
    if args.svg:
        args.svg.write_text("\n".join(plot(views)) + "\n")
    if args.json:
        args.json.write_text(json.dumps({view: [{"session": k.name, "whose": k.who, "attack": k.attack, "questions": k.count, "most": k.best,
                                                 "reached": k.reached, "why": k.why, "others": k.others} for k in keys] for view, keys in views.items()}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
