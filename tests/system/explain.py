#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pdpctl explain and pdpctl repl, from the outside: recordings, JSON, pipes, a terminal, mistakes.

usage: explain.py PDPCTL
"""
import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import tempfile

CTL = os.path.abspath(sys.argv[1])
POLICIES = """\
apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, when: '"staff" in subject.roles'}
  - {id: risky, effect: deny, when: risk.score >= 60.0}
  - {id: gone, effect: terminate, when: 'has(context.end)'}
---
apiVersion: pdp/v1
kind: Schema
metadata: {name: s}
attributes:
  subject.roles: {type: [string]}
  subject.iban: {type: string, sensitive: true}
  context.end: {type: bool}
---
apiVersion: pdp/v1
kind: List
metadata: {name: leavers}
type: string
entries: [mallory]
"""
HERE = pathlib.Path(__file__).resolve().parent / "explain"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
failures = 0


def check(holds, what, shown=""):
    global failures
    if not holds:
        failures += 1
        print(f"FAIL: {what}\n{shown}")


def question(ident, device="d1", roles=("staff",), **context):
    return {"request_id": ident, "subject": {"type": "user", "id": "u", "properties": {"roles": list(roles), "iban": "DE99"}},
            "action": {"name": "GET"}, "resource": {"type": "route", "id": "/a"},
            "context": {"session": {"id": "s1", "auth_time": 1795420000}, "network": {"ip": "192.0.2.1" if device == "d1" else "203.0.113.5"},
                        "device": {"fingerprint": device, "user_agent": BROWSER}, **context}}


def run(*args, stdin=""):
    done = subprocess.run([CTL, *args], input=stdin, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def explained(*args, stdin=""):
    code, out, err = run("explain", "--policies", "p", "--json", *args, stdin=stdin)
    check(code == 0, f"explain {args}: {code}", out + err)
    return json.loads(out)


def recordings():
    lines = [{"at": f"2026-11-23T08:0{i}:00Z", "request": item} for i, item in enumerate(
        [question("r1"), question("r2", roles=("guest",)), question("r3", device="d2")])]
    lines.append({"at": "2026-11-23T08:09:00Z", "event": {"type": "logout", "subject": {"type": "user", "id": "u"}, "context": {"session": {"id": "s1"}}}})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    pathlib.Path("day.jsonl").write_text(text)
    last = explained("--events", "day.jsonl")
    check(last["effect"] == "deny" and last["rule"] == "web/risky", "the last question, not what follows it", last)
    check([s["id"] for s in last["risk"]["signals"]][:1] == ["fingerprint-change"], "the session has a past", last["risk"])
    check(last["smallest"][0]["changes"][0]["attribute"] == "risk.score" and last["smallest"][0]["effect"] == "allow", "smallest", last["smallest"])
    without = last["risk"]["signals"][0]["without"]
    check(without["effect"] == "allow" and without["score"] < 60, "without the signal", without)
    sums = last["risk"]["prior"] + sum(s["evidence"] for s in last["risk"]["signals"])
    check(abs(sums - last["risk"]["log_odds"]) < 1e-9, "the ledger adds up", last["risk"])
    named = explained("--events", "-", "--request-id", "r2", stdin=text)
    check(named["code"] == "no-rule" and named["smallest"][0]["changes"][0]["to"] == ["guest", "staff"], "by its id", named)
    by_line = explained("--events", "day.jsonl", "--line", "1")
    check(by_line["effect"] == "allow" and by_line["search"]["complete"], "by its line", by_line)
    after = explained("--events", "day.jsonl", "--request", "q.json")
    check(not after["judged"] and after["code"] == "terminated" and after["smallest"] == [] and "over for good" in after["search"]["none_because"],
          "after the logout the session is over", after)
    ended = explained("--request", "end.json", "--now", "2026-11-23T08:00:00Z")
    check(ended["effect"] == "deny" and ended["policies"][0]["rules"][2]["counts_as"] == "terminate", "a stranger ends nothing", ended)
    batch = {"at": "2026-11-23T08:00:00Z", "request": {"evaluations": [question("b1", roles=()), question("b2")]}}
    pathlib.Path("batch.jsonl").write_text(json.dumps(batch) + "\n")
    check(explained("--events", "batch.jsonl", "--request-id", "b1")["code"] == "no-rule", "an item of a batch")
    check(explained("--events", "batch.jsonl")["effect"] == "allow", "the last item of a batch")


def word_for_word():
    """Everything that can be said of rules and exceptions. PDP_ACCEPT writes it anew."""
    args = ("explain", "--policies", str(HERE / "all"), "--request", str(HERE / "all.json"), "--now", "2026-11-23T09:00:00Z")
    for name, flags in (("all.txt", ()), ("all.out.json", ("--json",))):
        code, out, err = run(*args, *flags)
        out = json.dumps(json.loads(out), indent=1) + "\n" if flags else out
        if os.environ.get("PDP_ACCEPT"):
            (HERE / name).write_text(out)
        check(code == 0 and not err and out == (HERE / name).read_text(), f"{name} says otherwise", out + err)


CLAIMS = """\
apiVersion: pdp/v1
kind: Policy
metadata: {name: claims}
rules:
  - {id: all, effect: allow}
  - {id: set, effect: deny, when: 'context.a in ["x", "y"]'}
  - {id: range, effect: deny, when: 'context.n > 5 || context.n < 0'}
  - {id: texts, effect: deny, when: 'context.t.startsWith("a") || context.t.endsWith("z")'}
  - {id: pattern, effect: deny, when: 'context.k.matches("^a[0-9]+$")'}
"""


def claims():
    """What is said of many values, for programs."""
    pathlib.Path("claims").mkdir()
    pathlib.Path("claims/web.yaml").write_text(CLAIMS)
    fine = {"a": "-", "n": 1, "t": "-", "k": "-"}
    table = [
        ({"a": "x"}, {"change": "other_than", "to": "~0", "made_up": True, "than": "x", "nor": ["y"]}),
        ({"n": 9}, {"change": "at_least", "to": 5, "than": 0, "at_most": 5}),
        ({"t": "ab"}, {"change": "not_starts_with", "to": "~0", "made_up": True, "than": "a", "also": [{"change": "not_ends_with", "than": "z"}]}),
        ({"k": "a1"}, {"change": "for_one", "to": "~0", "made_up": True, "than": "~0"}),
    ]
    for given, want in table:
        pathlib.Path("claim.json").write_text(json.dumps(question("c", **{**fine, **given})))
        code, out, err = run("explain", "--policies", "claims", "--json", "--request", "claim.json", "--now", "2026-11-23T08:00:00Z")
        got = json.loads(out)["smallest"][0]["changes"][0] if code == 0 else None
        (name, value), = given.items()
        check(got == {**want, "attribute": f"context.{name}", "is": value}, f"{given}: {code}", f"{got}{err}")


def secrets():
    for args in (("--json",), ()):
        _, out, _ = run("explain", "--policies", "secret", "--request", "q.json", "--now", "2026-11-23T08:00:00Z", *args)
        check("DE99" not in out and "DE11" not in out and "***" in out, "a sensitive value is shown nowhere", out)
    _, out, _ = run("repl", "--policies", "p", "--request", "q.json", "--now", "2026-11-23T08:00:00Z", stdin="subject.iban\nsubject.iban + 'x'\n")
    check(out == "***\n***\n", "nor by the repl", out)


def mistakes():
    table = [
        (("--events", "day.jsonl", "--line", "99"), "`day.jsonl` holds no such question"),
        (("--request", "q.json", "--line", "1"), "name a question of `--events FILE`"),
        (("--request", "none.json"), "cannot be read"),
        (("--request", "p/web.yaml"), "`p/web.yaml` holds no question"),
        (("--request", "q.json", "--toward", "maybe"), "`--toward maybe` is no effect"),
        (("--request", "q.json", "--now", "noon"), "`--now noon` is no time"),
        (("--request", "search.json"), "a search is not explained"),
        (("--request", "empty.json"), "the question is malformed: `subject` is missing"),
    ]
    for args, words in table:
        code, out, err = run("explain", "--policies", "p", *args)
        check(code == 2 and words in err and not out, f"{args}: {code}", out + err)


def on_a_pipe():
    code, out, err = run("repl", "--policies", "p", "--request", "q.json", "--now", "2026-11-23T08:00:00Z",
                         stdin="subject.id in lists.leavers\n:set subject.id \"mallory\"\nsubject.id in lists.leavers\n:lists\n# nothing\n\n:ask\n:ask\n:at +25h\n:ask\n")
    want = ("false (bool)\ntrue (bool)\nlists.leavers: 1 entry of type string\nallow, policy: web/read, risk 3.23 low\nallow, policy: web/read, risk 3.23 low\n"
            "2026-11-24T09:00:00Z\ndeny, expired\n")
    check(code == 0 and out == want and not err, f"a pipe: {code}", out + err)
    code, out, err = run("repl", "--policies", "p", stdin="risk.scor\n:quit\n1 + 1\n")
    check(code == 2 and not out and "did you mean `risk.score`?" in err, "a mistake on a pipe", out + err)
    code, out, err = run("repl", "--policies", "p", "--now", "2026-11-23T08:00:00Z", stdin=":load q.json\n:explain\n")
    check(code == 0 and "smallest change\n" in out and "web/read" in out, "explain in the repl", out + err)
    code, out, err = run("repl", "--policies", "p", stdin="x" * 100000 + "\n" + "(" * 5000 + "\n" + ":" * 300 + "\n\0\n1\n")
    check(code == 2 and out.endswith("1 (int)\n"), "rude lines", out[-300:] + err[-300:])


def on_a_terminal():
    keeper, terminal = pty.openpty()
    child = subprocess.Popen([CTL, "repl", "--policies", "p"], stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    os.write(keeper, b"1 + 1\n:quit\n")
    shown = b""
    while select.select([keeper], [], [], 30)[0]:
        try:
            part = os.read(keeper, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    check(child.wait(30) == 0 and b"pdp> " in shown and b"2 (int)" in shown, "a terminal has a prompt", shown)
    os.close(keeper)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("p", "secret"):
            pathlib.Path(name).mkdir()
        pathlib.Path("p/web.yaml").write_text(POLICIES)
        pathlib.Path("secret/web.yaml").write_text(POLICIES.replace("'\"staff\" in subject.roles'", "subject.iban == 'DE11' && subject.iban != r'DE\\11'"))
        pathlib.Path("q.json").write_text(json.dumps(question("q1")))
        pathlib.Path("end.json").write_text(json.dumps(question("q2", end=True)))
        pathlib.Path("empty.json").write_text("{}")
        pathlib.Path("search.json").write_text('{"search": "resource"}')
        for part in (recordings, word_for_word, claims, secrets, mistakes, on_a_pipe, on_a_terminal):
            part()
        os.chdir("/")
    print("explain: all as expected" if failures == 0 else f"explain: {failures} failures")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
