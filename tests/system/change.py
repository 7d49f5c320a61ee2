#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pdpctl impact`: `change.py BIN`. What it counts is counted here a second time, from what `replay` answers by each folder."""
import collections
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

BIN = pathlib.Path(sys.argv[1]).resolve()
START = 1795420800000
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
            lines.append(json.dumps({"at": at, "request": {"evaluations": [question(rng, user, session) for _ in range(3)]}}))
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
            user = (item.get("tenant", "") + "/" if item.get("tenant") else "") + item["subject"]["id"]
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
            if old_key[0] in ("allow", "step_up") and new_key[0] in ("deny", "terminate"):
                denied[user] += 1
    return numbers, groups, denied, {r for r, (a, b) in over.items() if a and not b}, {r for r, (a, b) in over.items() if b and not a}


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
        numbers, groups, denied, only_old, only_new = expected(old, new, file, lines)
        code, out, err = ctl("impact", old, new, "--events", file, "--json", "--limit", 1000)
        told = json.loads(out)
        check(code == 1 and numbers["differ"] > 0, f"seed {seed}: exit {code}, {numbers}")
        check({k: told[k] for k in numbers} == numbers, f"seed {seed}: {told} is not {numbers}")
        said = collections.Counter()
        for group in told["groups"]:
            said[(group["old"], group["new"], group["old_rule"], group["new_rule"])] += group["count"]
            check(sum(s["count"] for s in group["by_subject"]) == group["count"], f"subjects of {group}")
            first = json.loads(lines[group["first"]["line"] - 1])
            check(("request" in first) == (group["old"] not in ("recorded", "refused")), f"first of {group}")
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


def main():
    with tempfile.TemporaryDirectory() as name:
        impact(pathlib.Path(name))
    print(f"{checks} checks, {failures} failures")
    sys.exit(failures != 0)


main()
