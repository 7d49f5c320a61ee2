#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pdpctl test --coverage` and `--mutate`: `measure.py BIN`. The tracefile is read by a strict parser of our own, whose sums must be
those that people are told, and by lcov's `genhtml` where that is installed."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

DEADLINE_S = 120
checks = failures = 0

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: orders}
target: resource.type == "order"
rules:
  - id: owner
    effect: allow
    actions: [read, cancel]
    when: resource.owner == subject.id
  - id: large
    effect: deny
    when: action.name == "cancel" && resource.total >= 1000 # limit
"""
HEAD = """apiVersion: pdp/v1
kind: Test
metadata: {name: orders}
now: 2026-11-23T09:00:00Z
cases:
"""
CASE = """  - name: %s
    request:
      subject: {type: user, id: %s}
      action: {name: %s}
      resource: {type: %s, id: o1, properties: {owner: alice, total: %d}}
    expect: {effect: %s}
"""
WEAK = [("she reads it", "alice", "read", "order", 10, "allow")]
REST = [
    ("another does not", "bob", "read", "order", 10, "deny"),
    ("she cancels it", "alice", "cancel", "order", 999, "allow"),
    ("not a large one", "alice", "cancel", "order", 1000, "deny"),
    ("nor a larger one", "alice", "cancel", "order", 1001, "deny"),
    ("she reads a large one", "alice", "read", "order", 1001, "allow"),
    ("she deletes nothing", "alice", "delete", "order", 10, "deny"),
    ("a file is no order", "alice", "read", "file", 10, "deny"),
]


def check(condition, what):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAIL: {what}")


class Tracefile:
    """Strict: known records in their order, each file once, sums that fit."""

    def __init__(self, text):
        self.files, self.sums = {}, {"F": [0, 0], "BR": [0, 0], "L": [0, 0]}
        self.lines = iter(text.splitlines())
        for line in self.lines:
            self.want(line, "TN:")
            name = self.want(next(self.lines), r"SF:(\S.*)")[1]
            assert name not in self.files, f"{name} twice"
            self.files[name] = self.record()

    @staticmethod
    def want(line, pattern):
        match = re.fullmatch(pattern, line)
        assert match, f"`{line}` where `{pattern}` is expected"
        return match

    def take(self, line, pattern, into):
        while re.fullmatch(pattern, line):
            into.append(re.fullmatch(pattern, line).groups())
            line = next(self.lines)
        return line

    def total(self, line, word, kind, found, hit):
        assert int(self.want(line, rf"{word}F:(\d+)")[1]) == len(found), line
        assert int(self.want(next(self.lines), rf"{word}H:(\d+)")[1]) == hit, f"{word}H is not {hit}"
        self.sums[kind][0] += len(found)
        self.sums[kind][1] += hit
        return next(self.lines)

    def record(self):
        rules, counts, branches, lines = [], [], [], []
        line = self.take(next(self.lines), r"FN:([1-9]\d*),(\S+)", rules)
        line = self.take(line, r"FNDA:(\d+),(\S+)", counts)
        assert [r[1] for r in rules] == [c[1] for c in counts], "FN and FNDA name different rules"
        line = self.total(line, "FN", "F", rules, sum(int(c[0]) > 0 for c in counts))
        line = self.take(line, r"BRDA:([1-9]\d*),(\d+),([01]),(-|\d+)", branches)
        keys = [b[:3] for b in branches]
        assert len(set(keys)) == len(keys), "a branch stands there twice"
        line = self.total(line, "BR", "BR", branches, sum(b[3] not in ("-", "0") for b in branches))
        line = self.take(line, r"DA:([1-9]\d*),(\d+)", lines)
        numbers = [int(at[0]) for at in lines]
        assert numbers == sorted(set(numbers)), "lines are not in order, each once"
        assert {int(b[0]) for b in branches} | {int(r[0]) for r in rules} <= set(numbers), "a branch or rule on no line"
        line = self.total(line, "L", "L", lines, sum(at[1] != "0" for at in lines))
        self.want(line, "end_of_record")
        return {"rules": dict((c[1], int(c[0])) for c in counts), "branches": branches, "lines": dict(lines)}


class Folder:
    def __init__(self, pdpctl, root, policy, cases):
        self.pdpctl, self.root = pdpctl, root
        (root / "p").mkdir(parents=True)
        (root / "p/orders.yaml").write_text(policy)
        (root / "p/orders_test.yaml").write_text(HEAD + "".join(CASE % case for case in cases))

    def run(self, *flags):
        done = subprocess.run([self.pdpctl, "test", "p", *flags], cwd=self.root, capture_output=True, text=True, timeout=DEADLINE_S)
        check("Sanitizer" not in done.stderr and "runtime error" not in done.stderr, f"a sanitizer spoke: {done.stderr[:2000]}")
        return done


def told(out, what):
    match = re.search(rf"^{what} +(\d+) of (\d+)", out, re.M)
    return [int(match[2]), int(match[1])] if match else None


def coverage(pdpctl, root):
    weak = Folder(pdpctl, root / "weak", POLICY, WEAK)
    done = weak.run("--coverage=c.info")
    check(done.returncode == 0, f"coverage alone fails nothing: {done.stderr}")
    trace = Tracefile((weak.root / "c.info").read_text())
    check(list(trace.files) == ["p/orders.yaml"], f"files: {list(trace.files)}")
    check(trace.sums["F"] == told(done.stdout, "rules"), f"rules: {trace.sums} against {done.stdout}")
    check(trace.sums["BR"] == told(done.stdout, "conditions"), f"outcomes: {trace.sums} against {done.stdout}")
    check(trace.files["p/orders.yaml"]["rules"] == {"orders/owner": 1, "orders/large": 0}, f"{trace.files}")
    check("p/orders.yaml:12:38: `resource.total >= 1000` of rule `orders/large` was never true" in done.stdout, done.stdout)
    whole = Folder(pdpctl, root / "whole", POLICY, WEAK + REST)
    done = whole.run("--coverage=c.info", "--coverage-least", "100")
    check(done.returncode == 0, f"all is seen: {done.stdout}{done.stderr}")
    check("rules       2 of 2 held, 100.0 %\nconditions  10 of 10 outcomes were seen, 100.0 %\n" in done.stdout, done.stdout)
    return weak, whole


def least(weak):
    done = weak.run("--coverage-least", "51")
    check(done.returncode == 1, f"half of the outcomes are not seen: {done.stdout}")
    check("pdpctl: coverage of rules is 50.0 %, less than 51 %\npdpctl: coverage of conditions is 50.0 %, less than 51 %\n" in done.stderr, done.stderr)
    check(weak.run("--coverage-least=50").returncode == 0, "half is there")
    check(weak.run("--coverage-least", "101").returncode == 2, "no more than all")
    check(weak.run("--coverage=c.xml").returncode == 2, "a form that nobody knows")
    check(weak.run("--coverage=none/c.info").returncode == 2, "a file that cannot be written")


def genhtml(folder):
    if shutil.which("genhtml") is None:
        print("genhtml is not installed: tracefiles were read by the parser here alone")
        return
    env = dict(os.environ, LC_ALL="C")
    done = subprocess.run(["genhtml", "--branch-coverage", "-o", "html", "c.info"], cwd=folder.root, capture_output=True, text=True,
                          timeout=DEADLINE_S, env=env)
    check(done.returncode == 0 and "WARNING" not in done.stderr.upper(), f"genhtml: {done.stdout}{done.stderr}")
    sums = Tracefile((folder.root / "c.info").read_text()).sums
    for what, kind in (("lines", "L"), ("functions", "F"), ("branches", "BR")):
        check(f"({sums[kind][1]} of {sums[kind][0]} {what})" in done.stdout, f"{what}: {sums} against {done.stdout}")
    check("orders/large" in (folder.root / "html/p/orders.yaml.func.html").read_text(), "the page names no rule")


def mutate(weak, whole):
    done = whole.run("--mutate")
    check(done.returncode == 0 and "mutants     18 of 18 noticed\n" in done.stdout, f"a survivor: {done.stdout}{done.stderr}")
    done = weak.run("--mutate")
    check(done.returncode == 1 and "  hint: add a test with the very value at the edge\n" in done.stdout, done.stdout)
    check(weak.run("--mutate").stdout == done.stdout, "two runs tell different things")


def mutate_edges(pdpctl, root):
    strict = [case for case in WEAK + REST if case[4] != 1000]
    folder = Folder(pdpctl, root / "accepted", POLICY.replace("# limit", "# pdp:mutant-ok the shop does not care for a cent"), strict)
    done = folder.run("--mutate")
    check(done.returncode == 0 and ", 2 accepted" in done.stdout, f"it has a reason: {done.stdout}")
    check(folder.run("--mutate", "--filter", "she").returncode == 2, "a filter leaves out who notices")
    text = (folder.root / "p/orders.yaml").read_text()
    (folder.root / "p/orders.yaml").write_bytes(text.replace("# pdp:mutant-ok", "#").replace("\n", "\r\n").encode())
    done = folder.run("--mutate")
    check(done.returncode == 1 and "x0d" not in done.stdout and "resource.total > 1000" in done.stdout, f"with line ends of Windows: {done.stdout}")
    folder = Folder(pdpctl, root / "fails", POLICY, [("wrong", "alice", "read", "order", 10, "deny")])
    done = folder.run("--mutate")
    check(done.returncode == 1 and "mutants are tried once all tests pass" in done.stderr, f"{done.stdout}{done.stderr}")
    check("mutants  " not in done.stdout, "none is tried where a test fails")


def main():
    pdpctl = str(pathlib.Path(sys.argv[1]).resolve() / "pdpctl")
    with tempfile.TemporaryDirectory(prefix="pdp-measure-") as root:
        root = pathlib.Path(root)
        weak, whole = coverage(pdpctl, root)
        least(weak)
        genhtml(weak)
        genhtml(whole)
        mutate(weak, whole)
        mutate_edges(pdpctl, root)
    print(f"{checks} checks, {failures} failures")
    return 1 if failures else 0


sys.exit(main())
