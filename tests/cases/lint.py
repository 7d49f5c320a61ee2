#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Folders with all that `pdpctl lint` finds in them, word for word.

usage: lint.py BIN CASES

CASES/NAME holds documents and `expected.txt`: what `pdpctl lint NAME` prints in CASES, at a fixed time. Its exit
code, `--json`, `--code` and a bundle of the folder have to tell the same. PDP_ACCEPT=1 writes expected.txt.
Every code has to be found somewhere, and every form of words: see FORMS.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

NOW = "2026-11-27T12:00:00Z"
FORMS = ["can never hold: its condition", "is never true where the rest holds", "where it is unsure it still denies",
         "where it is unsure it still asks", "leaves out its actions or resources", "is never reached", "never allows anything", "the Scope `",
         "restricts no less", "allows as much", "one of `many/n0`, `many/n1`, `many/n2`, `many/n3`, `many/n4` and 2 more does too",
         "and denies or allows as much", "one of `orders/no-refunds` and `orders/no-large-refunds` denies",
         "one of `zones/a` and `zones/c` before it has matched", "is always true", "is never false", "is always false", "is never true:",
         "is never true: all signals", "is never false: all signals", "and denies", "and asks for a step-up", "the target of",
         "take too long", "none may be kept", "list `", "variable `", "counter `", "strength `", "nobody can prove",
         "nothing to ask for", "for services alone", "by hand", "allowed nothing by it", "the risk model has no signal", "counts for 3.0 at most", "merely unfamiliar", "in more than a year",
         "lifts every restriction", "whoever asks", "no path is", "no path starts with", "no path contains", "no path ends with", "no path of a route is", "silences nothing", "gives no reason",
         "that can be silenced", "names no code", "rule `web/over` has expired", "exception `over` has expired"]


def main():
    pdpctl, cases = pathlib.Path(sys.argv[1]).resolve() / "pdpctl", pathlib.Path(sys.argv[2]).resolve()
    bad, seen = [], ""

    def lint(*args):
        done = subprocess.run([pdpctl, "lint", *args, "--now", NOW], cwd=cases, capture_output=True, text=True, timeout=60,
                              check=False)
        return done.stdout, done.returncode, done.stderr

    for case in sorted(p for p in cases.iterdir() if p.is_dir()):
        said, code, wrong = lint(case.name)
        expected = case / "expected.txt"
        if os.environ.get("PDP_ACCEPT"):
            expected.write_text(said)
        if wrong or said != expected.read_text():
            bad.append(f"{case.name}: expected.txt differs; it prints\n{said}{wrong}")
        count = len(re.findall(r" \[L\d\d [a-z-]+\]$", said, re.M))
        if code != (1 if count else 0):
            bad.append(f"{case.name}: ends with {code}")
        found = json.loads(lint(case.name, "--json")[0])
        if len(found["findings"]) != count or found["ok"] != (count == 0):
            bad.append(f"{case.name}: --json tells of {len(found['findings'])} findings, not of {count}")
        for one in {f["code"] for f in found["findings"]}:
            only = json.loads(lint(case.name, "--json", "--code", one)[0])["findings"]
            if only != [f for f in found["findings"] if f["code"] == one]:
                bad.append(f"{case.name}: --code {one} tells something else")
        with tempfile.TemporaryDirectory() as scratch:
            bundle = pathlib.Path(scratch) / "b"
            subprocess.run([pdpctl, "build", case, "-o", bundle, "--version", "1", "--expires", "2030-01-01T00:00:00Z"],
                           capture_output=True, timeout=60, check=True)
            packed = json.loads(lint(str(bundle), "--json")[0])["findings"]
            if [(f["code"], f["line"], f["message"]) for f in packed] != \
                    [(f["code"], f["line"], f["message"]) for f in found["findings"]]:
                bad.append(f"{case.name}: its bundle tells something else")
        seen += said

    codes = set(re.findall(r"\[(L\d\d) ", seen))
    pages = {p.stem for p in (cases.parents[2] / "docs/lint").glob("L*.md")}
    bad += [f"{code}: no case shows it" for code in sorted(pages - codes)]
    bad += [f"{code}: there is no page" for code in sorted(codes - pages)]
    bad += [f"no case says `{form}`" for form in FORMS if form not in seen]
    for args, code in ((["nowhere"], 2), (["all", "--code", "L99"], 2)):
        if lint(*args)[1] != code:
            bad.append(f"lint {' '.join(args)} ends with {lint(*args)[1]}")
    print("\n".join(bad + [f"lint: {len(codes)} codes, {len(bad)} differences"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
