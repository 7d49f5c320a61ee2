#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pdpctl impact`, `diff` and `session export`: `change.py BIN`. What `impact` counts is counted here a second time, from what `replay` answers by
each folder; each example of `diff` is asked in both, by `eval`, `replay` or as a Scenario of `test`; incidents are played to real daemons."""
import atexit
import collections
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(sys.argv[1]).resolve()
START = 1795420800000
MOST_S = 120
checks = failures = 0


def check(condition, what):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAIL: {what}", flush=True)


def ctl(*args, data=None):
    done = subprocess.run([BIN / "pdpctl", *map(str, args)], capture_output=True, text=True, input=data, timeout=120)
    check("Sanitizer" not in done.stderr, done.stderr)
    return done.returncode, done.stdout, done.stderr


# ---- Recordings ---------------------------------------------------------------------------------------------------------


def question(rng, user, session):
    return {"tenant": "acme", "action": {"name": rng.choice(["GET", "GET", "POST"])},
            "subject": {"type": "user", "id": user, "properties": {"roles": ["staff"] + ["hr"] * (user < "user-3")}},
            "resource": {"type": "route", "id": rng.choice(["/news", "/payroll/42", "/a/export"])},
            "context": {"session": {"id": session, "auth_time": START // 1000 - 60, "acr": "aal2", "amr": ["pwd", "otp"]},
                        "device": {"fingerprint": "d2" if rng.randrange(60) == 0 else "d1", "managed": True, "user_agent": "Mozilla/5.0"},
                        "network": {"ip": f"10.0.0.{rng.randrange(250)}"}}}


def recording(seed, count):
    """Lines of questions, batches and events, some of them no envelope; also which of them are envelopes."""
    rng, lines, at = random.Random(seed), [], START
    for number in range(count):
        at += rng.randrange(20000)
        user = f"user-{rng.randrange(6)}"
        session = f"{user}-{rng.randrange(12)}"
        kind = rng.randrange(40)
        if kind == 0:
            lines.append(rng.choice(["not json", '{"at": 5}', '{"request": {}}', "[]"]))
        elif kind == 1:
            items, first = [question(rng, user, session) for _ in range(3)], question(rng, user, session)
            for item in items:  # what all have in common may stand once
                item.pop("subject")
                item.pop("tenant")
            lines.append(json.dumps({"at": at, "request": {"subject": first["subject"], "tenant": "acme", "evaluations": items}}))
        elif kind == 2:
            body = {"type": "signal", "subject": {"type": "user", "id": user}, "context": {"session": {"id": session}},
                    "properties": {"evidence": rng.choice([-2, 3, 3, 6])}}
            lines.append(json.dumps({"at": at, "event": body, "tenant": "acme"}))
        elif kind == 3:
            body = {"type": "logout", "subject": {"type": "user", "id": user}, "context": {"session": {"id": session}}}
            lines.append(json.dumps({"at": at, "event": body, "tenant": "acme"}) if rng.randrange(6) == 0 else "")
        else:
            lines.append(json.dumps({"at": at, "request": question(rng, user, session)}))
    return lines


# ---- The same, from two replays -----------------------------------------------------------------------------------------


def one(answer):
    """(effect, code, rule, strength, max_age) of an answer, its score, its session and whether that is over."""
    if "event" in answer:
        event = answer["event"]
        key = ("recorded" if event.get("recorded") else "refused", event.get("code", ""), "", "", 0)
        session, score = answer.get("session", {}), answer.get("risk", {}).get("score")
    else:
        context = answer["context"]
        require = context.get("require", {})
        key = (context["effect"], context["code"], context.get("rule", ""), require.get("strength", ""), require.get("max_age", 0))
        session, score = context.get("session", {}), context.get("risk", {}).get("score")
    return key, score, session.get("ref", ""), session.get("state") == "terminated"


def replayed(folder, file):
    code, out, _ = ctl("replay", "--policies", folder, "--events", file)
    check(code == 0, f"replay {folder}: {code}")
    return [json.loads(line) for line in out.splitlines()]


def expected(old, new, file, lines):
    subjects = collections.Counter()
    groups, denied, over = collections.Counter(), collections.Counter(), {}
    numbers = {"questions": 0, "events": 0, "differ": 0, "scores_differ": 0}
    answers = zip([i for i, line in enumerate(lines, 1) if line], replayed(old, file), replayed(new, file))
    for number, was, now in answers:
        try:
            asked = json.loads(lines[number - 1])
            asked["at"]
            body = asked.get("request") or asked["event"]
        except (ValueError, KeyError, TypeError):
            continue
        items = body.get("evaluations", [body])
        pairs = zip(items, was.get("evaluations", [was]), now.get("evaluations", [now]))
        for item, a, b in pairs:
            (old_key, old_score, ref, old_over), (new_key, new_score, _, new_over) = one(a), one(b)
            tenant = item.get("tenant") or body.get("tenant") or asked.get("tenant")
            user = (tenant + "/" if tenant else "") + (item.get("subject") or body["subject"])["id"]
            event = "event" in asked
            numbers["events" if event else "questions"] += 1
            numbers["scores_differ"] += old_score != new_score
            if old_over or new_over:
                row = over.setdefault(ref, [False, False])
                row[0], row[1] = row[0] or old_over, row[1] or new_over
            if old_key == new_key:
                continue
            numbers["differ"] += not event
            groups[(old_key[0], new_key[0], old_key[2], new_key[2])] += 1
            subjects[user] += 1
            if old_key[0] in ("allow", "step_up") and new_key[0] in ("deny", "terminate"):
                denied[user] += 1
    return numbers, groups, subjects, denied, {r for r, (a, b) in over.items() if a and not b}, {r for r, (a, b) in over.items() if b and not a}


def impact(scratch):
    old, new = scratch / "old", scratch / "new"
    shutil.copytree("policies/baseline", old)
    shutil.copytree("policies/baseline", new)
    workforce = (new / "workforce.yaml").read_text()
    check("max_age: 15m" in workforce and "max_age: 5m" in workforce, "the baseline is as this test has it")
    (new / "workforce.yaml").write_text(workforce.replace("max_age: 15m", "max_age: 5m").replace("max_age: 5m", "max_age: 4m", 1)
                                        .replace('actions: [POST, PUT, PATCH, DELETE]', "actions: [PUT, PATCH, DELETE]"))
    guards = (new / "guards.yaml").read_text()
    (new / "guards.yaml").write_text(guards.replace('level("critical")', 'level("medium")'))
    risk = (new / "risk.yaml").read_text()
    (new / "risk.yaml").write_text(risk.replace("high: 60", "high: 50"))
    for seed in (1, 2, 3):
        lines = recording(seed, 1500)
        file = scratch / f"{seed}.jsonl"
        file.write_text("\n".join(lines) + "\n")
        numbers, groups, subjects, denied, only_old, only_new = expected(old, new, file, lines)
        code, out, err = ctl("impact", old, new, "--events", file, "--json", "--limit", 1000)
        told = json.loads(out)
        check(code == 1 and numbers["differ"] > 0, f"seed {seed}: exit {code}, {numbers}")
        check({k: told[k] for k in numbers} == numbers, f"seed {seed}: {told} is not {numbers}")
        said, of = collections.Counter(), collections.Counter()
        for group in told["groups"]:
            said[(group["old"], group["new"], group["old_rule"], group["new_rule"])] += group["count"]
            check(sum(s["count"] for s in group["by_subject"]) == group["count"], f"subjects of {group}")
            for row in group["by_subject"]:
                of[row["subject"]] += row["count"]
            first = json.loads(lines[group["first"]["line"] - 1])
            check(("request" in first) == (group["old"] not in ("recorded", "refused")), f"first of {group}")
        check(of == subjects, f"seed {seed}: {of} is not {subjects}")
        check(said == groups, f"seed {seed}: {said} is not {groups}")
        check({row["subject"]: row["count"] for row in told["newly_denied_list"]} == denied, f"seed {seed}: newly denied {denied}")
        check({row["session"] for row in told["sessions"]["only_new_list"]} == only_new, f"seed {seed}: over in new alone {only_new}")
        check({row["session"] for row in told["sessions"]["only_old_list"]} == only_old, f"seed {seed}: over in old alone {only_old}")
        check("count nothing; the first is line" in err, f"seed {seed}: {err}")
        code, out, _ = ctl("impact", old, new, "--events", file)
        check(code == 1 and f"{numbers['differ']} answered differently" in out.replace(
            f"{numbers['differ'] + told['events_differ']} answered", f"{numbers['differ']} answered"), out[:300])
        code, out, _ = ctl("impact", old, old, "--events", file)
        check(code == 0 and ": 0 answered differently, 0 scored differently\n" in out, f"the same folder twice: {code} {out[:200]}")
    check(len(only_new) > 0, "a session ends in one alone")
    code, out, _ = ctl("impact", old, new, "--events", scratch / "1.jsonl", "--limit", 1)
    check("\nothers: " in out, out)
    code, _, err = ctl("impact", old, new)
    check(code == 2 and "`impact` needs `--events FILE`" in err, err)
    code, _, err = ctl("impact", old, scratch / "none", "--events", scratch / "1.jsonl")
    check(code == 2 and "cannot be loaded" in err, err)
    code, _, err = ctl("impact", old, new, "--events", "-", data="\n")
    check(code == 2 and "`standard input` holds no line" in err, err)
    login = json.dumps({"at": START, "event": {"type": "login", "subject": {"type": "user", "id": "alice"}, "context": {"session": {"id": "s"}}}})
    for garbage in ('not json\n[]\n', '{"request": {}}\n', json.dumps({"at": START, "request": {}}) + "\n", login + "\n"):
        code, out, err = ctl("impact", old, new, "--events", "-", data=garbage)
        check(code == 2 and "`standard input` holds no question that could be read: nothing was compared" in err, f"{garbage}: {code} {out} {err}")
    code, _, err = ctl("impact", old, new, "--events", "-", data="\n")
    check(code == 2 and "`standard input` holds no line" in err, err)


# ---- What changed in meaning -----------------------------------------------------------------------------------------------

# (file, text, in its place, what changed: kind and name, how far the example's answers are apart)
EDITS = [
    ("workforce", "[GET, HEAD, OPTIONS]", "[GET, HEAD]", "rule workforce/staff-read", "effect"),
    ("workforce", "        - device.managed\n", "", "rule workforce/staff-write", "effect"),
    ("workforce", "vars.sensitive && !device.managed", "vars.sensitive", "rule workforce/sensitive-needs-managed-device", "effect"),
    ("workforce", '["/payroll/**"]\n    when', '["/payroll/*"]\n    when', "rule workforce/payroll-is-for-hr", "effect"),
    ("workforce", '!("hr" in subject.roles)', '!("hr" in subject.roles || "cfo" in subject.roles)', "rule workforce/payroll-is-for-hr", "effect"),
    ("workforce", "mfa, max_age: 15m", "phishing-resistant, max_age: 15m", "rule workforce/fresh-mfa-for-payroll", "effect"),
    ("workforce", "mfa, max_age: 15m", "mfa, max_age: 14m", "rule workforce/fresh-mfa-for-payroll", "effect"),
    ("workforce", "Mon-Fri 07:00-19:00", "Mon-Fri 07:00-18:00", "rule workforce/contractor-hours", "effect"),
    ("workforce", 'duration("24h")', 'duration("2h")', "rule workforce/new-device-for-sensitive", "effect"),
    ("workforce", 'resource.type == "route"\nvar', 'resource.type in ["route", "page"]\nvar', "policy workforce", "effect"),
    ("workforce", "message: please confirm with your second", "message: confirm with your second", "rule workforce/fresh-mfa-for-payroll",
     "words or score"),
    ("guards", "!network.private && geo.country in", "!network.private && geo.country != \"FR\" && geo.country in", "rule guards/sanctioned-country", None),
    ("guards", "geo.country in lists.sanctioned'", '(geo.country in lists.sanctioned || geo.country == "RU")\'', "rule guards/sanctioned-country",
     "effect"),
    ("guards", "has(geo.tor) && geo.tor", "has(geo.vpn) && geo.vpn", "rule guards/tor", "effect"),
    ("guards", '["basic", "ntlm"]', '["basic", "ntlm", "digest"]', "rule guards/legacy-client", "effect"),
    ("guards", 'level("critical")', 'level("high")', "rule guards/takeover", "effect"),
    ("lists", "entries: [mallory]", "entries: [mallory, trent]", "list leavers", "effect"),
    ("lists", "[CU, IR, KP, SY]", "[CU, IR, KP, SY, RU]", "list sanctioned", "effect"),
    ("lists", "10.20.0.0/16", "10.20.0.0/17", "list admin_networks", "effect"),
    ("administration", "deny-unless-allow", "most-restrictive", "policy administration", "effect"),
    ("administration", "max_age: 10m", "max_age: 30m", "rule administration/security-key", "effect"),
    ("sessions", "idle: 1h ", "idle: 2h ", "session policy everyone", "effect"),
    ("sessions", "absolute: 24h", "absolute: 20h", "session policy everyone", "effect"),
    ("sessions", "absolute: 12h", "absolute: 12h\n  concurrent: 2", "session policy administrators", "effect"),
    ("risk", "prior: -3.5", "prior: -3", "risk model the risk model", "effect"),
    ("risk", "high: 60", "high: 70", "risk model the risk model", "effect"),
    ("risk", "fingerprint-change: {evidence: 5", "fingerprint-change: {evidence: 3", "signal fingerprint-change", "effect"),
    ("risk", "  tool-agent: {evidence: 5, half_life: 12h, on_missing: skip}\n", "", "signal tool-agent", "effect"),
    ("risk", "external: {evidence: 6", "external: {evidence: 4", "signal external", "effect"),
    ("risk", "hysteresis: 3 ", "hysteresis: 0 ", "risk model the risk model", "effect"),
    ("risk", "request-rate: {evidence: 3", "request-rate: {evidence: 1", "signal request-rate", "effect"),
    ("risk", "new-device: {half_life: 1h", "new-device: {half_life: 2h", "signal new-device", "words or score"),
    ("risk", "mfa: 4,", "mfa: 3,", "risk model the risk model", "words or score"),
    ("strengths", '"otp" in session.amr || ', "", "strength mfa", "effect"),
    ("strengths", "acr_values: [aal2]", "acr_values: [aal2, aal3]", "strength mfa", "what is asked for"),
]
# Nothing of this changes what anything means.
SAME = [
    ("workforce", "[GET, HEAD, OPTIONS]", "[OPTIONS, GET, HEAD]"),
    ("workforce", "vars.sensitive && !device.managed", "'!(device.managed || !vars.sensitive)'"),
    ("workforce", "vars.sensitive && !device.managed", "vars.sensitive && !device.managed && vars.sensitive"),
    ("workforce", '"staff" in subject.roles\'\n    reason: staff may read', '("staff"   in subject.roles)\' # those who work here\n    reason: staff may read'),
    ("lists", "[CU, IR, KP, SY]", "[SY, KP, IR, CU, CU]"),
    ("sessions", "idle: 1h ", "idle: 60m "),
    ("guards", "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: guards, owner: security-architecture}",
     "# moved\nkind: Policy\napiVersion: pdp/v1\nmetadata:\n  owner: somebody-else\n  name: guards"),
]


def ask_events(folder, events):
    """The last answer of a way of events, by a folder: effect and rule."""
    data = "".join(json.dumps(line) + "\n" for line in events)
    code, out, err = ctl("replay", "--policies", folder, "--events", "-", data=data)
    check(code == 0, err)
    return one(json.loads(out.splitlines()[-1]))[0]


def as_scenario(folder, example, side):
    """The same where an example says what is known of places: as a Scenario that expects what was told."""
    steps = []
    for line in example["events"]:
        step = {"at": line["at"]}
        step["request" if "request" in line else "event"] = line.get("request") or line["event"]
        steps.append(step)
    expect = {"effect": example[side]["effect"], "code": example[side]["code"]}
    steps[-1]["expect"] = expect | ({"rule": example[side]["rule"]} if "rule" in example[side] else {})
    text = json.dumps({"apiVersion": "pdp/v1", "kind": "Scenario", "metadata": {"name": "example"}, "start": example["events"][0]["at"],
                       "places": example["places"], "steps": steps})
    file = folder / "example_test.yaml"
    file.write_text(text)
    code, out, err = ctl("test", folder)
    file.unlink()
    check(code == 0, f"{text}: {out} {err}")


def holds(old, new, example, what):
    """Is the example answered as is said?"""
    if "places" in example:
        as_scenario(old, example, "old")
        as_scenario(new, example, "new")
        return
    for folder, side in ((old, "old"), (new, "new")):
        effect, code, rule, _, _ = ask_events(folder, example["events"])
        told = example[side]
        check((effect, code, rule) == (told["effect"], told.get("code", ""), told.get("rule", "")), f"{what}: {side} says {effect} {code} {rule}, not {told}")
        if "question" in example:
            exit_code, out, err = ctl("eval", "--policies", folder, "--now", example["now"], "--json", data=json.dumps(example["question"]))
            check(exit_code == (effect != "allow") and json.loads(out)["context"]["effect"] == effect, f"{what}: eval says {out} {err}")


def edited(scratch, name, edits):
    folder = scratch / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree("policies/baseline", folder, ignore=shutil.ignore_patterns("*_test.yaml"))
    for file, text, instead in edits:
        path = folder / f"{file}.yaml"
        there = path.read_text()
        check(text in there, f"{file} of the baseline has `{text}`")
        path.write_text(there.replace(text, instead, 1))
    return folder


HEAD = "apiVersion: pdp/v1\nkind: %s\nmetadata: {name: p}\n%s"
# (what, document, rules in two orders, what is told of the order, how far answers are apart: None, nobody can tell)
ORDERS = [
    ("denials", "Policy", "rules:\n  - {id: z, effect: allow}\n", ["  - {id: a, effect: deny, resources: [\"/**\"]}\n", "  - {id: b, effect: deny, actions: [GET]}\n"],
     "of rules that deny", "deciding rules"),
    ("allows", "Policy", "rules:\n", ["  - {id: a, effect: allow, reason: first}\n", "  - {id: b, effect: allow, when: subject.id == \"bob\"}\n"],
     "of rules that allow", "deciding rules"),
    ("an end and a denial", "Policy", "rules:\n  - {id: z, effect: allow}\n",
     ["  - {id: a, effect: terminate, when: subject.n > 5}\n", "  - {id: b, effect: deny, when: subject.m > 5}\n"], "of rules that deny", "deciding rules"),
    ("obligations", "Policy", "rules:\n", ["  - {id: a, effect: allow, obligations: [{type: log}]}\n", "  - {id: b, effect: allow, obligations: [{type: mask}]}\n"],
     "of rules that allow", "what is asked for"),
    ("rules that never meet", "Policy", "rules:\n",
     ["  - {id: a, effect: allow, when: subject.id == \"bob\"}\n", "  - {id: b, effect: allow, when: subject.id == \"eve\"}\n"], "of rules that allow", None),
    ("rules of other outcomes", "Policy", "rules:\n", ["  - {id: a, effect: allow}\n", "  - {id: b, effect: deny, when: subject.id == \"eve\"}\n"], None, None),
    ("the one that decides", "Policy", "combine: first-match\nrules:\n", ["  - {id: a, effect: deny, actions: [GET]}\n", "  - {id: b, effect: deny}\n"],
     "policy p", "deciding rules"),
]


def reordered(scratch):
    old, new = scratch / "in-order", scratch / "turned"
    for folder in (old, new):
        folder.mkdir()
    for what, kind, head, rules, name, grade in ORDERS:
        (old / "p.yaml").write_text(HEAD % (kind, head + "".join(rules)))
        (new / "p.yaml").write_text(HEAD % (kind, head + "".join(reversed(rules))))
        code, out, err = ctl("diff", old, new, "--json")
        changes = json.loads(out)["changes"]
        names = [change["name"] if change["kind"] == "order" else f"{change['kind']} {change['name']}" for change in changes]
        check(names == ([name] if name else []), f"{what}: {out} {err}")
        example = changes[0].get("example") if changes else None
        check((example or {}).get("differs") == grade and not (example or {}).get("with_others"), f"{what}: {out}")
        check(code == (1 if name else 0), f"{what}: exit {code}, {out}")
        if example:
            holds(old, new, example, what)
            check(example["old"]["rule"] != example["new"]["rule"], f"{what}: {out}")
    code, out, _ = ctl("diff", old, old)
    check(code == 0 and out == "no difference in meaning: both compile to the same\n", out)


# Conditions of a denial that differ only at the edges of what an attribute may be: each gets a question with another effect.
EDGES = [
    ('subject.roles.all(r, r == "a")', 'subject.roles.size() > 0 && subject.roles.all(r, r == "a")'),
    ('subject.roles.size() >= 3', 'subject.roles.size() > 3'),
    ('subject.roles.size() > 40', 'subject.roles.size() > 41'),
    ('subject.roles.exists(r, r == "a")', 'subject.roles.exists_one(r, r == "a")'),
    ('subject.n + 1 > 5', 'subject.n > 4'),
    ('subject.n - 1 < 5', 'subject.n < 6'),
    ('subject.n * 2 > 10', 'subject.n > 5'),
    ('subject.n > 9223372036854775806', 'subject.n > 9223372036854775807'),
    ('subject.n >= -9223372036854775807', 'subject.n > -9223372036854775808 && subject.n != -9223372036854775807'),
    ('subject.n > 5', 'subject.n > 5.5'),
    ('size(subject.title) > 1000', 'size(subject.title) > 1001'),
    ('size(subject.title) == 0', 'subject.title == "a"'),
    ('subject.title.lowerAscii() == "boss"', 'subject.title == "boss"'),
    ('subject.title == "boss"', 'subject.title.startsWith("boss")'),
    ('subject.id.matches("^a[0-9]+$")', 'subject.id.matches("^a[0-8]+$")'),
    ('subject.id.matches("^svc-[a-z]+$|^admin$")', 'subject.id.matches("^svc-[a-z]+$")'),
    ('subject.id.matches("^(?:a|b|c)(?:x|y)$")', 'subject.id.matches("^(?:a|b)(?:x|y)$|^cx$")'),
    ('subject.id.matches("^[a-f]{2,9}$")', 'subject.id.matches("^[a-f]{2,8}$")'),
    ('subject.id.matches("^x{3,}$")', 'subject.id.matches("^x{4,}$")'),
    ('subject.id.matches("^[a-z0-9]+$")', 'subject.id.matches("^[[:lower:]]+$")'),
    ('subject.id.matches("^[^0-9]b$")', 'subject.id.matches("^[^0-8]b$")'),
    ('subject.id.matches("(?i)^root$")', 'subject.id.matches("^root$")'),
    ('subject.id.matches("bot")', 'subject.id.matches("^bot")'),
    ('subject.id.matches("^\\\\w+\\\\.\\\\d$")', 'subject.id.matches("^\\\\w+.\\\\d$")'),
    ('resource.path.matches("^/a/[0-9]+$")', 'resource.path.matches("^/a/[0-9]{1,3}$")'),
]


def edges(scratch):
    old, new = scratch / "near", scratch / "far"
    for folder in (old, new):
        folder.mkdir()
    for was, now in EDGES:
        for folder, when in ((old, was), (new, now)):
            (folder / "p.yaml").write_text(HEAD % ("Policy", f"rules:\n  - {{id: z, effect: allow, when: 'subject.type == \"user\"'}}\n  - {{id: d, effect: deny, when: '{when}'}}\n"))
        code, out, err = ctl("diff", old, new, "--json")
        change = json.loads(out)["changes"][0]
        example = change.get("example", {})
        check(code == 1 and example.get("differs") == "effect" and not example["with_others"], f"`{was}` to `{now}`: {out[:700]} {err}")
        if "old" in example:
            holds(old, new, example, was)


# Rules before and after that differ for some question, and how far apart its answers are. An example has to ask beside what is listed, not only within it.
MEANT = [
    ("a path outside", "[{id: z, effect: allow}]", "[{id: z, effect: allow, resources: [\"/a/*\"]}]", "effect"),
    ("another action", "[{id: z, effect: allow, actions: [GET, POST]}]", "[{id: z, effect: allow}]", "effect"),
    ("actions for paths", "[{id: z, effect: allow, actions: [POST]}]", "[{id: z, effect: allow, resources: [\"/a/**\"]}]", "effect"),
    ("an id of a route", "[{id: z, effect: allow}]", "[{id: z, effect: allow, when: 'resource.id.matches(\"a.*b?\")'}]", "effect"),
    ("an id of anything", "[{id: z, effect: allow, when: 'resource.id == \"x\"'}]", "[{id: z, effect: allow, when: 'resource.id == \"y\"'}]", "effect"),
    ("a truth of any type", "[{id: z, effect: allow, when: dyn(subject.b)}]", "[{id: z, effect: deny, when: dyn(subject.b)}]", "effect"),
    ("a time that is now", "[{id: z, effect: allow}, {id: a, effect: deny, when: subject.when == now}]",
     "[{id: z, effect: allow}, {id: a, effect: deny, when: subject.when == now, expires: 2027-01-01T00:00:00Z}]", "effect"),
]
LIST = "---\napiVersion: pdp/v1\nkind: List\nmetadata: {name: leavers}\ntype: string\nentries: [%s]\n"


def meant(scratch):
    old, new = scratch / "before", scratch / "after"
    for folder in (old, new):
        folder.mkdir()
    for what, was, now, grade in MEANT:
        for folder, rules in ((old, was), (new, now)):
            (folder / "p.yaml").write_text(HEAD % ("Policy", f"rules: {rules}\n"))
        code, out, err = ctl("diff", old, new, "--json")
        example = json.loads(out)["changes"][0].get("example", {})
        check(code == 1 and example.get("differs") == grade, f"{what}: {out[:700]} {err}")
        if "old" in example:
            holds(old, new, example, what)
    for folder, entries in ((old, "a"), (new, "a, b")):
        (folder / "p.yaml").write_text(HEAD % ("Policy", "rules: [{id: z, effect: allow}]\n") + LIST % entries)
    code, out, _ = ctl("diff", old, new)
    check(code == 0 and out == "changed list leavers\n  entries: added b\n  nothing reads it: no question is answered differently\n", f"a list that nobody asks: {code} {out}")
    for folder, keys in ((old, "audit: always"), (new, "reason: ''")):
        (folder / "p.yaml").write_text(HEAD % ("Policy", f"rules: [{{id: z, effect: allow, {keys}}}]\n"))
    code, out, _ = ctl("diff", old, new)
    check(code == 0 and out.endswith("  no answer carries it: no question is answered differently\n"), f"what the log keeps: {code} {out}")
    alike = [("obligations: [{type: log}]", "obligations: [{type: mask}]", "obligations"),
             ("when: int(subject.f) > 5", "when: subject.f > 5", None)]
    for was, now, apart in alike:
        for folder, keys in ((old, was), (new, now)):
            (folder / "p.yaml").write_text(HEAD % ("Policy", f"rules: [{{id: z, effect: allow, {keys}}}]\n"))
        code, out, _ = ctl("diff", old, new)
        lines = out.splitlines()
        lines = [line.strip()[5:] for line in lines if line.startswith(("    old  ", "    new  "))]
        check(code == 1 and (lines[0] != lines[1]) == ("beside these" not in out), f"{was}: {out}")
        check(apart is None or out.endswith(f"    what differs is beside these: {apart}\n"), f"{was}: {out}")


def zones(scratch):
    """Two bundles that differ in a zone alone; the second has summer time begin on another Sunday."""
    folder, old, new = scratch / "hours", scratch / "old.bundle", scratch / "new.bundle"
    folder.mkdir()
    (folder / "p.yaml").write_text(HEAD % ("Policy", "rules: [{id: z, effect: allow, when: 'within(now, \"Mon-Fri 08:00-18:00\", \"Europe/Berlin\")'}]\n"))
    code, _, err = ctl("build", folder, "-o", old, "--name", "hours", "--version", 1, "--expires", "2040-01-01T00:00:00Z")
    check(code == 0 and old.read_bytes().count(b"CEST,M3.5.0,") == 1, f"build: {code} {err}")
    new.write_bytes(old.read_bytes().replace(b"CEST,M3.5.0,", b"CEST,M3.2.0,"))
    for one, other in ((old, new), (folder, new)):
        code, out, err = ctl("diff", one, other, "--json")
        change = json.loads(out)["changes"][0]
        parts = {part["aspect"].split(" at ")[0].split(" from ")[0]: (part["old"], part["new"]) for part in change["parts"]}
        check(code == 1 and change["kind"] == "time zone" and change["name"] == "Europe/Berlin", f"{code} {out} {err}")
        check(parts == {"offset": ("+01:00", "+02:00"), 'within "Mon-Fri 08:00-18:00"': ("no", "yes")}, out)
        moment = change["parts"][1]["aspect"].split(" at ")[1]
        check(change["example"]["now"] == moment and change["example"]["new"]["effect"] == "allow", out)
        holds(one, other, change["example"], "zones")
    code, out, _ = ctl("diff", folder, old)
    check(code == 0 and out == "no difference in meaning: both compile to the same\n", f"a bundle of the same zones: {code} {out}")


def diff(scratch):
    old, began = edited(scratch, "was", []), time.monotonic()
    for number, (file, text, instead, what, grade) in enumerate(EDITS):
        if time.monotonic() - began > MOST_S:  # with sanitizers
            print(f"{len(EDITS) - number} edits were not tried for lack of time")
            break
        new = edited(scratch, "is", [(file, text, instead)])
        code, out, err = ctl("diff", old, new, "--json")
        told = json.loads(out)
        check(code == 1 and not told["same"], f"{what}: exit {code} {err}")
        names = [f"{change['kind']} {change['name']}" for change in told["changes"]]
        check(names == [what], f"{file}: `{text}` to `{instead}` changed {names}")
        example = told["changes"][0].get("example") if told["changes"] else None
        check((example or {}).get("differs") == grade, f"{what}: `{text}` to `{instead}`: {example}")
        if example:
            holds(old, new, example, what)
        code, out, err = ctl("diff", new, old, "--json")
        check(code == 1, f"{what}, the other way round: exit {code}")
        for change in json.loads(out)["changes"]:
            if "example" in change:
                holds(new, old, change["example"], what)
    for file, text, instead in SAME:
        new = edited(scratch, "is", [(file, text, instead)])
        code, out, err = ctl("diff", old, new)
        check(code == 0 and out == "no difference in meaning: both compile to the same\n", f"`{instead}`: {code} {out} {err}")
    many = edited(scratch, "is", [edit[:3] for edit in EDITS if edit[1] not in ("mfa, max_age: 15m", "vars.sensitive && !device.managed")][::3])
    code, out, err = ctl("diff", old, many, "--json")
    for change in json.loads(out)["changes"]:
        check(not change.get("example", {}).get("with_others", False), f"an example of {change['name']} is of it alone: {change.get('example')}")
        if "example" in change:
            holds(old, many, change["example"], change["name"])
    renamed = edited(scratch, "is", [("workforce", "  sensitive: has", "  secret: has"), ("workforce", "vars.sensitive && !", "vars.secret && !"),
                                     ("workforce", "vars.sensitive && device", "vars.secret && device")])
    code, out, _ = ctl("diff", old, renamed)
    check(code == 0, f"a variable of another name: {out}")
    (renamed / "guards.yaml").rename(renamed / "a-guards.yaml")
    (renamed / "deeper").mkdir()
    (renamed / "lists.yaml").rename(renamed / "deeper" / "lists.yaml")
    code, out, _ = ctl("diff", old, renamed, "--json")
    told = json.loads(out)
    order = [change["name"] for change in told["changes"] if change["kind"] == "order" and change["words"]]
    check(code == 1 and order == ["of rules that ask for a step-up", "of rules that deny"] and len(told["changes"]) == 2, f"files of other names: {code} {out}")
    for change in told["changes"]:
        check(change["example"]["differs"] == "deciding rules" and not change["example"]["with_others"], change)
        check(change["example"]["old"]["effect"] == ("deny" if "deny" in change["name"] else "step_up"), change)
        holds(old, renamed, change["example"], "files of other names")
    rule = edited(scratch, "is", [("workforce", "- id: staff-read", "- id: staff-reads")])
    code, out, _ = ctl("diff", old, rule)
    check(code == 1 and out == "renamed rule workforce/staff-read to workforce/staff-reads\n"
          "  another name for the same: no question gets another effect, answers name it so\n", f"a rule of another name: {code} {out}")
    code, _, err = ctl("diff", old, scratch / "none")
    check(code == 2 and "cannot be loaded" in err, err)
    (rule / "guards.yaml").write_text("kind: Policy\n")
    code, _, err = ctl("diff", old, rule)
    check(code == 2 and "mistake" in err, err)


# ---- From an incident to a test ----------------------------------------------------------------------------------------

LAPTOP = {"device": {"fingerprint": "laptop", "managed": True}, "network": {"ip": "192.0.2.7"}}
OTHER = {"device": {"fingerprint": "laptop"}, "network": {"ip": "198.51.100.9"}}


class Daemon:
    """One that serves a folder, keeps an audit log, and is told the time."""

    def __init__(self, scratch, name, policies, audit=""):
        self.folder = scratch / name
        self.folder.mkdir()
        self.state, self.log = self.folder / "state", open(self.folder / "log", "w")
        self.state.mkdir()
        self.decide, self.admin = f"ipc://{self.folder}/d", f"ipc://{self.folder}/a"
        (self.folder / "pdpd.yaml").write_text(f"policies: {policies}\ndecide: {self.decide}\nadmin: {self.admin}\nworkers: 1\n"
                                               f"state: {self.state}\nsimulate: true\n{audit}")
        self.process = subprocess.Popen([BIN / "pdpd", "--config", self.folder / "pdpd.yaml"], stderr=self.log)
        atexit.register(self.process.kill)
        end = time.monotonic() + 30
        while not ((self.folder / "d").exists() and (self.folder / "a").exists()):
            check(self.process.poll() is None and time.monotonic() < end, (self.folder / "log").read_text())
            time.sleep(0.02)
        self.at, self.number, self.id = START, 0, "a secret"

    def send(self, later, message):
        self.at += later * 1000
        self.number += 1
        inner = message.get("request", message)
        inner["request_id"], inner["tenant"] = f"r{self.number}", "acme"
        _, out, err = ctl("decide", "--connect", self.decide, "--json", data=json.dumps({"at": self.at} | message))
        answer = json.loads(out)
        self.ref = (answer.get("session") or answer["context"].get("session") or {"ref": ""})["ref"]
        return answer

    def event(self, later, kind, context, **properties):
        return self.send(later, {"event": {"type": kind, "subject": {"type": "user", "id": "alice"},
                                           "context": {"session": {"id": self.id}} | context, "properties": properties}})

    def get(self, later, path, context):
        asked = {"subject": {"type": "user", "id": "alice", "properties": {"roles": ["staff", "1"]}}, "action": {"name": "GET"},
                 "resource": {"type": "route", "id": path}, "context": {"session": {"id": self.id}, "activity": {"rows": 3}} | context}
        return self.send(later, {"request": asked})["context"]["effect"]

    def incident(self):
        self.event(0, "login", LAPTOP, acr="aal2", amr=["pwd", "otp"])
        for n in range(6):
            check(self.get(5, f"/news/{n}", LAPTOP) == "allow", "work is allowed")
        self.event(30, "rotate", LAPTOP, new_id="another secret")
        self.id = "another secret"
        check(self.get(5, "/news/new", LAPTOP) == "allow", "work is allowed after a rotation")
        self.event(5, "signal", LAPTOP, evidence=4)
        check([self.get(9, f"/orders/{n}", OTHER) for n in range(3)] == ["allow"] * 3, "the thief is let in")
        check(self.get(1, "/news", LAPTOP) == "allow", "and so is the user")
        ref = self.ref
        code, _, err = ctl("session", "terminate", "--connect", self.admin, "--session", ref, "--reason", "stolen: \"cookie\" #1")
        check(code == 0, err)
        return ref

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


def exported(*args):
    code, out, err = ctl("session", "export", *args, "--as", "scenario")
    check(code == 0, f"export {args}: {code} {err}")
    return out


def judged(folder, text):
    """Exit and output of the tests of a folder with this one."""
    file = folder / "incident_test.yaml"
    file.write_text(text)
    code, out, err = ctl("test", folder)
    file.unlink()
    check(code in (0, 1), f"{out} {err}\n{text}")
    return code, out


COUNTING = """apiVersion: pdp/v1
kind: Counter
metadata: {name: reads}
key: [subject.id]
window: 1h
---
apiVersion: pdp/v1
kind: Policy
metadata: {name: volume}
rules: [{id: much, effect: deny, when: counters.reads > %d.0}]
"""


def beside(scratch):
    """What the user's other sessions did meanwhile: a counter over all of them stops what the thief's session alone would not."""
    old, new, sooner = scratch / "uncounted", scratch / "counted", scratch / "too-soon"
    for folder in (old, new, sooner):
        shutil.copytree("tests/cases/docs/CHANGES/shop", folder)
    phone = {"device": {"fingerprint": "phone"}, "network": {"ip": "192.0.2.8"}}
    daemon = Daemon(scratch, "beside", old)
    daemon.event(0, "login", LAPTOP, acr="aal2", amr=["pwd", "otp"])
    check(daemon.get(5, "/news/a", LAPTOP) == "allow", "the session works")
    ref = daemon.ref
    daemon.id = "her phone"
    daemon.event(5, "login", phone, acr="aal1", amr=["pwd"])
    check([daemon.get(5, f"/news/b{n}", phone) for n in range(2)] == ["allow"] * 2, "another session works")
    daemon.event(5, "rotate", phone, new_id="her phone, again")
    daemon.id = "her phone, again"
    check(daemon.get(5, "/news/c", phone) == "allow", "another session goes on")
    daemon.id = "a secret"
    check(daemon.get(9, "/orders/1", OTHER) == "allow", "the thief is let in")
    daemon.id = "later"
    daemon.get(5, "/news/later", LAPTOP)
    code, _, err = ctl("session", "terminate", "--connect", daemon.admin, "--session", ref, "--reason", "stolen")
    check(code == 0, err)
    text = exported(ref, "--connect", daemon.admin)
    daemon.stop()
    check("# Other sessions of the user meanwhile, which are only played: 1.\n" in text, text)
    check("her phone" not in text and "***" not in text and "later" not in text, text)
    check("id: other-1}" in text and "new_id: other-1-2" in text and "id: other-1-2}" in text and "other-2" not in text, text)
    check(text.count("[deny, step_up, terminate]") == 1 and text.count("expect:") == 2, text)
    check(judged(old, text)[0] == 1, text)
    (new / "volume.yaml").write_text(COUNTING % 4)
    code, out = judged(new, text)
    check(code == 0, f"stopped by all that the user asked: {out}\n{text}")
    alone = text[:text.index("# Other")] + text[text.index("# Not here"):]
    steps = alone.index("steps:\n")
    kept = [step for step in alone[steps + 7:].split("  - ") if "claims-2" not in step and "claims-3" not in step]
    code, out = judged(new, alone[:steps + 7] + "  - ".join(kept))
    check(code == 1 and "+ effect: allow" in out, f"not by its own session alone: {out}\n{kept}")
    (sooner / "volume.yaml").write_text(COUNTING % 1)
    check(judged(sooner, text)[0] == 0, "what the others are answered is not expected")


def export(scratch):
    code, out, _ = ctl("session", "export", "--help")
    check(code == 0 and "`scenario`, the only form; it has to be said" in out and "jsonl" not in out and "ocsf" not in out, out)
    old, new = scratch / "shop", scratch / "next"
    for folder in (old, new):
        shutil.copytree(pathlib.Path("tests/cases/docs/CHANGES") / folder.name, folder)
    whole = Daemon(scratch, "whole", old)
    ref = whole.incident()
    live = exported(ref, "--connect", whole.admin)
    check(exported("another secret", "--connect", whole.admin) == live, "an id is known to the daemon")
    code, _, err = ctl("session", "export", "no such", "--as", "scenario", "--connect", whole.admin)
    check(code == 2 and "knows no such session" in err, err)
    whole.stop()
    text = exported(ref, "--state", whole.state)
    check(text == live, "live and from files it is the same")
    check("a secret" not in text and "another secret" not in text and "***" not in text, text)
    check("new_id: session-2" in text and text.count("{id: session-1}") == 1 and text.count("{id: session-2}") == 1, text)
    check(' Ended ' in text and 'stolen: "cookie" #1.' in text and "tenant: acme\n" in text, text)
    check("    order: {op: session.terminate, session: session-2, reason: " in text and text.count(" order: ") == 1, text)
    check('roles: [staff, "1"]' in text and "activity: {rows: 3}" in text, text)
    code, out = judged(old, text)
    check(code == 1 and "step `incident`" in out and "3 of 15 steps failed" in out, out)
    check("effect: deny or step_up or terminate" in out and "+ effect: allow" in out, out)
    code, out = judged(new, text)
    check(code == 0, out)
    later = exported(ref, "--state", whole.state, "--since", "2026-11-23T08:01:30Z")
    check(later.count("[deny, step_up, terminate]") == 1 and "name: incident" in later, later)
    file = scratch / "out.yaml"
    code, out, _ = ctl("session", "export", ref, "--as", "scenario", "--state", whole.state, "-o", file)
    check(code == 0 and file.read_text() == text and file.stat().st_mode & 0o777 == 0o600, out)
    for args, code, words in (((ref, "--as", "scenario", "--state", whole.state, "--since", "2030-01-01T00:00:00Z"), 1, "nothing was allowed to"),
                              ((ref, "--as", "scenario", "--state", whole.state, "--since", "soon"), 2, "is no time"),
                              (("s_000000000000000000000000", "--as", "scenario", "--state", whole.state), 1, "no record of"),
                              (("a secret", "--as", "scenario", "--state", whole.state), 2, "is no reference of a session"),
                              ((ref, "--state", whole.state), 2, "needs `--as scenario`"),
                              ((ref, "--as", "scenario", "--state", whole.state, "-o", scratch / "no" / "where"), 2, "cannot be written"),
                              ((ref, "--as", "scenario", "--state", scratch / "none"), 2, "holds no audit log"),
                              ((ref, "--as", "scenario"), 2, "one of `--state DIR` and `--connect URL` is needed")):
        got, _, err = ctl("session", "export", *args)
        check(got == code and words in err, f"{args}: {got} {err}")

    brief = Daemon(scratch, "brief", old, "audit: {detail: brief, allow: 1 in 3}\n")
    ref = brief.incident()
    text = exported(ref, "--connect", brief.admin)
    check("was not kept whole" in text and "fingerprint: laptop" in text, text)
    check(judged(old, text)[0] == 1, "what is left of it can be read")
    brief.stop()
    sampled = Daemon(scratch, "sampled", old, "audit: {allow: 1 in 3}\n")
    ref = sampled.incident()
    text = exported(ref, "--connect", sampled.admin)
    check("  # here 2 questions of the session are not in the log\n" in text, text)
    code, _, err = ctl("audit", "forget", "--connect", sampled.admin, "--tenant", "acme", "--subject", "alice", "--reason", "asked")
    check(code == 0, err)
    text = exported(ref, "--connect", sampled.admin)
    check("could not be opened: the user was forgotten" in text and "alice" not in text, text)
    sampled.stop()

    itself = Daemon(scratch, "itself", old)
    itself.event(0, "login", LAPTOP, acr="aal2", amr=["pwd", "otp"])
    itself.get(5, "/news", LAPTOP)
    itself.event(5, "signal", LAPTOP, evidence=6)
    check(itself.get(5, "/news", OTHER) == "terminate", "the policy ends it")
    code, _, err = ctl("session", "export", itself.ref, "--as", "scenario", "--connect", itself.admin)
    check(code == 1 and "nothing was allowed to" in err, err)
    text = exported(itself.ref, "--connect", itself.admin, "--since", "2026-11-23T08:00:00Z")
    check("by web/takeover: the session behaves as if somebody else had it." in text, text)
    itself.stop()


def main():
    with tempfile.TemporaryDirectory() as name:
        impact(pathlib.Path(name))
        diff(pathlib.Path(name))
        reordered(pathlib.Path(name))
        meant(pathlib.Path(name))
        zones(pathlib.Path(name))
        edges(pathlib.Path(name))
        export(pathlib.Path(name))
        beside(pathlib.Path(name))
    print(f"{checks} checks, {failures} failures")
    sys.exit(failures != 0)


main()
