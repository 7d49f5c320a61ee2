#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`tests.py PDPCTL`: medians of whole runs of the program, each beside something else of the same run: 1,000 tests beside a replay of the
same 1,000 questions, and a run of mutants beside as many runs of the tests one after the other."""
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TURNS = 9
CASES = 1000
WHO = [("alice", ["staff", "hr"]), ("bob", ["staff"]), ("carol", ["contractor"]), ("dave", [])]
WHERE = ["/news", "/payroll/%d", "/docs/%d", "/reports/%d/export"]
ACTIONS = ["GET", "HEAD", "POST", "DELETE"]
START_MS = 1795424400000  # 2026-11-23T09:00:00Z
HEAD = """apiVersion: pdp/v1
kind: Test
metadata: {name: thousand}
now: 2026-11-23T09:00:00Z
places:
  203.0.113.0/24: {country: DE, asn: 3320}
cases:
"""


def questions():
    for n in range(CASES):
        name, roles = WHO[n % 4]
        path = WHERE[n // 4 % 4]
        yield {"tenant": "acme", "subject": {"type": "user", "id": name, "properties": {"roles": roles}},
               "action": {"name": ACTIONS[n // 16 % 4]},
               "resource": {"type": "route", "id": path % n if "%" in path else path, "properties": {"sensitivity": "low" if n % 3 else "high"}},
               "context": {"session": {"id": f"s{n}", "auth_time": START_MS // 1000 - 300, "acr": "aal2", "amr": ["pwd", "otp"]},
                           "device": {"fingerprint": f"d{n % 7}", "managed": n % 5 != 0, "first_seen": "2026-01-01T00:00:00Z"},
                           "network": {"ip": "203.0.113.7"}}}


def write(folder, pdpctl):
    """Each case expects what is: the bench measures that it is found to be so."""
    events = folder.parent / "events.jsonl"
    events.write_text("".join(json.dumps({"at": START_MS, "request": q}) + "\n" for q in questions()))

    def cases(effects):
        return HEAD + "".join(f"  - {{name: n{n}, request: {json.dumps(q)}, expect: {{effect: {effect}}}}}\n"
                              for n, (q, effect) in enumerate(zip(questions(), effects)))
    test = folder / "thousand_test.yaml"
    test.write_text(cases(["allow"] * CASES))
    said = subprocess.run([pdpctl, "test", str(folder)], capture_output=True, text=True).stdout
    effects = ["allow"] * CASES
    for number, effect in re.findall(r"case `n(\d+)`[^\n]*\n(?:[^\n]*\n)*?[^\n]*effect[^\n]*?(deny|step_up|terminate)", said):
        effects[int(number)] = effect
    test.write_text(cases(effects))
    return events


def took(*command):
    times = []
    for _ in range(TURNS):
        begin = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        times.append(time.monotonic() - begin)
        assert done.returncode in (0, 1), f"{command}: {done.stderr}"
    return statistics.median(times) * 1000, done


def thousand(pdpctl, root):
    folder = root / "thousand"
    shutil.copytree("policies/baseline", folder, ignore=shutil.ignore_patterns("*_test.y*ml"))
    events = write(folder, pdpctl)
    plain, done = took(pdpctl, "test", str(folder))
    assert done.returncode == 0 and f"{CASES} passed" in done.stdout, done.stdout[-2000:]
    check, _ = took(pdpctl, "check", str(folder))
    replay, _ = took(pdpctl, "replay", "--policies", str(folder), "--events", str(events))
    cover, _ = took(pdpctl, "test", str(folder), "--coverage")
    print(f"| 1,000 tests | ≤ 1 s | {plain:.0f} ms ({plain / replay:.1f} of a replay of the same questions, "
          f"{plain / check:.1f} of `check` of the folder) | {'yes' if plain < 1000 else '**no**'} |")
    print(f"| the same with coverage | – | {cover:.0f} ms ({cover / plain:.1f} of them without) | – |")


def mutants(pdpctl, root):
    folder = root / "baseline"
    shutil.copytree("policies/baseline", folder)
    if not list(folder.rglob("*_test.y*ml")):
        shutil.copy(root / "thousand/thousand_test.yaml", folder)
    plain, done = took(pdpctl, "test", str(folder))
    assert done.returncode == 0, done.stdout
    mutate, done = took(pdpctl, "test", str(folder), "--mutate")
    told = re.search(r"^mutants +(\d+) of (\d+) noticed.*$", done.stdout, re.M)
    print(f"| all mutants of the baseline ({told[2]}; {told[1]} noticed) | ≤ 10 s | {mutate:.0f} ms ({mutate / plain / int(told[2]):.2f} of so many runs of "
          f"its tests, {plain:.0f} ms each) | {'yes' if mutate < 10000 else '**no**'} |")


def main():
    pdpctl = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="pdp-bench-") as root:
        print("| What | Budget | Measured | Met |\n|---|---|---|---|")
        thousand(pdpctl, pathlib.Path(root))
        mutants(pdpctl, pathlib.Path(root))


main()
