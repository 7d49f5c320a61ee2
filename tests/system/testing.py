#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pdpctl test`: what docs/TESTING.md does not show word for word. `testing.py PDPCTL`."""
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

SECONDS = 60
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: all, effect: allow}
  - {id: no-writing, effect: deny, actions: [POST]}
"""
TEST = """apiVersion: pdp/v1
kind: Test
metadata: {name: web}
request: {subject: {type: user, id: ann}, resource: {type: route, id: "/<&\\"'>"}}
cases:
  - {name: reads, request: {action: {name: GET}}, expect: {effect: allow}}
  - {name: "writes <&\\"'> # \\\\", request: {action: {name: POST}}, expect: {effect: deny, rule: web/no-writing}}
"""
SCENARIO = """apiVersion: pdp/v1
kind: Scenario
metadata: {name: NAME, labels: {class: CLASS}}
STOPS
given: {ann: {subject: {type: user, id: ann}, resource: {type: route, id: /x}}}
steps:
  - {name: reads, with: ann, request: {action: {name: GET}}}
  - {name: writes, at: +5s, with: ann, request: {action: {name: POST}}}
"""
failures = 0


def check(holds, what):
    global failures
    if not holds:
        failures += 1
        print(f"FAIL: {what}")


def run(*args):
    done = subprocess.run([PDPCTL, "test", *map(str, args)], capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, done.stdout, done.stderr


def says(args, code, out, err=""):
    got = run(*args)
    check(got == (code, out, err), f"{args}: {got} instead of {(code, out, err)}")


class Watching:
    def __init__(self, folder):
        self.process = subprocess.Popen([PDPCTL, "test", "--watch", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ""

    def until(self, line):
        """What was printed up to a line that begins so."""
        end = time.monotonic() + SECONDS
        while not any(each.startswith(line) for each in self.text.split("\n")[:-1]):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                check(False, f"no line `{line}` in {self.text!r}")
                return ""
            more = os.read(self.process.stdout.fileno(), 65536).decode()
            if not more:
                check(False, f"it ended: {self.text!r}")
                return ""
            self.text += more
        seen, self.text = self.text, ""
        return seen

    def end(self):
        self.process.terminate()
        check(self.process.wait(SECONDS) == -15, "a watch ends when it is told to")


def watches(folder):
    watching = Watching(folder)
    seen = watching.until("2 passed in 1 document")
    check("now" not in seen, f"nothing was there before: {seen!r}")
    (folder / "web.yaml").write_text(POLICY.replace("[POST]", "[PUT]"))
    seen = watching.until("now fails: ")
    check("1 of 2 failed in 1 document\n" in seen, seen)
    check("\nchanged: web.yaml\n" in seen, seen)
    check("now fails: web: writes <&\"'> # \\x5c\n" in seen, seen)
    (folder / "web.yaml").write_text("no: policy\n")
    seen = watching.until("pdpctl: ")
    check("web.yaml:1:1: error: " in seen, seen)
    below = folder / "below"
    below.mkdir()
    watching.until("pdpctl: ")
    (folder / "web.yaml").write_text(POLICY)
    seen = watching.until("now passes: ")
    check("2 passed in 1 document\nnow passes: web: writes" in seen, seen)
    (below / "more_test.yaml").write_text(TEST.replace("{name: web}", "{name: more}"))
    watching.until("4 passed in 2 documents")
    (below / "more_test.yaml").unlink()
    watching.until("2 passed in 1 document")
    comes_back(watching, folder)
    watching.end()


def comes_back(watching, folder):
    for take in (shutil.rmtree, lambda each: each.rename(each.with_name("aside"))):
        kept = {file.name: file.read_bytes() for file in folder.glob("*.yaml")}
        take(folder)
        seen = watching.until(f"`{folder}` is gone: waiting until it is back")
        check(take is shutil.rmtree or f"\nchanged: {folder}\n" in seen, seen)
        folder.mkdir()
        for name, text in kept.items():
            (folder / name).write_bytes(text)
        seen = watching.until("2 passed in 1 document")
        check(f"`{folder}` is back\n" in seen, seen)


def tells_programs(folder, scratch):
    report = scratch / "report.xml"
    code, out, _ = run(folder, "--tap", "--junit", report)
    check((code, out) == (0, "TAP version 14\n1..2\nok 1 - web: reads\nok 2 - web: writes <&\"'> \\# \\\\x5c\n"), out)
    (folder / "web.yaml").write_text(POLICY.replace("[POST]", "[PUT]"))
    code, out, _ = run(folder, "--junit", report)
    tree = xml.etree.ElementTree.parse(report).getroot()
    check(code == 1 and tree.get("tests") == "2" and tree.get("failures") == "1", out)
    case = tree.find("testsuite")[1]
    check(case.get("name") == "writes <&\"'> # \\x5c" and case.get("line") == "7", str(case.attrib))
    check(case[0].get("message") == "effect: expected deny, got allow", str(case[0].attrib))
    check(case[0].text.startswith(f"{folder}/web_test.yaml:7:13: case `writes <&\"'> # \\x5c` at 2026-11-23T08:00:00Z\n"), case[0].text)
    (folder / "web.yaml").write_text(POLICY)
    code, _, err = run(folder, "--junit", scratch / "nowhere" / "report.xml")
    check(code == 2 and "cannot be written: No such file or directory" in err, err)


def plays_scenarios(folder, scratch):
    library = scratch / "library"
    library.mkdir()
    for name, kind, stops in (("stopped", "attack", "stops: writes"), ("not-stopped", "attack", "stops: reads"), ("ann", "innocent", "")):
        (library / f"{name}.yaml").write_text(SCENARIO.replace("NAME", name).replace("CLASS", kind).replace("STOPS\n", stops + "\n" if stops else ""))
    says(["--scenarios", library, folder], 1, """\
SCENARIO     FIRST REACTION  ANSWER                RISK  STOP AT  OUTCOME
not-stopped  writes          deny, web/no-writing  3.2   reads    NOT STOPPED
stopped      writes          deny, web/no-writing  3.2   writes   stopped

SCENARIO  FIRST REACTION  ANSWER                RISK  STOP AT  OUTCOME
ann       writes          deny, web/no-writing  3.2   -        1 denied

1 of 2 attacks stopped in time; of 1 innocents 0 terminated, 1 denied, 0 stepped up
""")
    code, out, _ = run("--scenarios", library, folder, "--filter", "ann", "--json")
    told = json.loads(out)
    one = told["scenarios"][0]
    check(code == 0 and told["ok"] and (told["innocents"], told["innocents_denied"], told["attacks"]) == (1, 1, 0), out)
    check((one["name"], one["class"], one["questions"], one["denied"], one["terminated"]) == ("ann", "innocent", 2, 1, 0), out)
    check(one["reaction"]["after_ms"] == 5000 and one["reaction"]["rule"] == "web/no-writing", out)
    held = scratch / "held"
    held.mkdir()
    for name, kind, stops in (("ben", "attack", "stops: reads"), ("eve", "innocent", "")):
        text = SCENARIO.replace("NAME", name).replace("CLASS", kind).replace("STOPS\n", stops + "\n" if stops else "")
        (held / f"{name}.yaml").write_text(text.replace("steps:\n", "ordinary: [{name: owner-writes, with: [ann], request: {action: {name: POST}}}]\nsteps:\n"))
    text = SCENARIO.replace("NAME", "zoe").replace("CLASS", "attack").replace("STOPS\n", "stops: writes\n")
    (held / "zoe.yaml").write_text(text.replace("steps:\n", "steps:\n  - {with: [ann], request: {action: {name: POST}}, expect: {effect: allow}}\n"))
    says(["--scenarios", held, folder], 1, """\
SCENARIO  FIRST REACTION  ANSWER                RISK  STOP AT  OUTCOME
ben       owner-writes    deny, web/no-writing  3.2   reads    not applicable: the owner is denied at owner-writes
zoe       step 1          deny, web/no-writing  3.2   writes   not applicable: the owner is denied at step 1

SCENARIO  FIRST REACTION  ANSWER                RISK  STOP AT  OUTCOME
eve       owner-writes    deny, web/no-writing  3.2   -        not applicable: the owner is denied at owner-writes

0 of 2 attacks stopped in time, 2 not applicable; of 1 innocents 0 terminated, 0 denied, 0 stepped up, 1 not applicable
""")
    code, out, _ = run("--scenarios", held, folder, "--json")
    told = json.loads(out)
    check((code, told["ok"], told["attacks"], told["stopped"], told["attacks_not_applicable"], told["innocents_not_applicable"], told["skipped"]) == (1, False, 2, 0, 2, 1, 0), out)
    check((told["scenarios"][0]["stopped"], told["scenarios"][0]["owner_denied_at"]) == (False, "owner-writes"), out)
    ours = scratch / "ours.yaml"
    ours.write_text("apiVersion: pdp/v1\nkind: Given\nmetadata: {name: ours}\ngiven: {ann: {subject: {properties: {writer: true}}}}\nskip: {zoe: nobody asks so}\n")
    (folder / "web.yaml").write_text(POLICY.replace("actions: [POST]", "actions: [POST], when: '!has(subject.writer)'"))
    says(["--scenarios", held, "--given", ours, folder], 1, """\
SCENARIO  FIRST REACTION  ANSWER  RISK  STOP AT  OUTCOME
ben       -               -       -     reads    NOT STOPPED
zoe       -               -       -     writes   skipped: nobody asks so

SCENARIO  FIRST REACTION  ANSWER  RISK  STOP AT  OUTCOME
eve       -               -       -     -        let be

0 of 1 attacks stopped in time; of 1 innocents 0 terminated, 0 denied, 0 stepped up; 1 skipped
""")
    code, out, _ = run("--scenarios", held, "--given", ours, folder, "--filter", "zoe", "--json")
    check(code == 0 and json.loads(out)["scenarios"][0]["skipped"] == "nobody asks so", out)
    desk = scratch / "desk"
    desk.mkdir()
    text = SCENARIO.replace("NAME", "locked").replace("CLASS", "attack").replace("STOPS\n", "stops: writes\n")
    asks = "  - {name: ORDERS, order: {op: lock.add, target: {kind: subject, value: ann}, effect: EFFECT, for: 60, reason: r}}\n"
    (desk / "locked.yaml").write_text(text.replace("steps:\n", "steps:\n" + asks.replace("ORDERS", "analyst-locks").replace("EFFECT", "deny")))
    (desk / "refused.yaml").write_text(text.replace("locked", "refused").replace("steps:\n", "steps:\n" + asks.replace("ORDERS", "analyst-asks").replace("EFFECT", "step_up, require: {strength: nobody-knows}")))
    says(["--scenarios", desk, folder], 1, """\
SCENARIO  FIRST REACTION  ANSWER        RISK  STOP AT  OUTCOME
locked    reads           deny, lock/1  3.2   writes   stopped
refused   -               -             -     writes   not applicable: the order is refused at analyst-asks

1 of 2 attacks stopped in time, 1 not applicable; of 0 innocents 0 terminated, 0 denied, 0 stepped up
""")
    code, out, _ = run("--scenarios", desk, folder, "--json")
    check(json.loads(out)["scenarios"][1]["order_refused_at"] == "analyst-asks", out)
    (folder / "web.yaml").write_text(POLICY)
    says([folder, "--given", ours], 2, "", "pdpctl: `--given` goes with `--scenarios`\n  hint: a folder's own tests have fixtures of their own\n")
    own = scratch / "own"
    own.mkdir()
    (own / "web.yaml").write_text(POLICY)
    (own / "own_test.yaml").write_text((library / "not-stopped.yaml").read_text())
    says([own], 1, f"""\
FAIL  {own}/own_test.yaml: Scenario `not-stopped`: 1 of 2 steps failed, 0 expectations
  {own}/own_test.yaml:7:12: step `reads` at +0h00m00s, 2026-11-23T08:00:00Z
    ! the attack is not stopped here
      effect: allow
      code: policy
      rules: web/all
      risk: 3.23, low
1 of 2 failed in 1 document
""")
    says(["--scenarios", folder, folder], 2, "", f"""\
{folder}/web.yaml:2:7: error: a file of tests holds documents of kind `Test`, `Scenario` and `Given` only
    2 | kind: Policy
      |       ^~~~~~
  hint: policies stand in files of other names, which are served
pdpctl: `{folder}` has 1 mistake
""")
    (library / "wrong.yaml").write_text("kind: Scenario\n")
    code, out, err = run("--scenarios", library, folder)
    check((code, out) == (2, "") and err.endswith(f"pdpctl: `{library}` has 1 mistake\n"), f"{code}: {out}{err}")
    wrong = scratch / "wrong"
    wrong.mkdir()
    (wrong / "web.yaml").write_text("kind: Policy\n")
    code, out, err = run("--scenarios", library, wrong)
    check((code, out) == (2, "") and err.endswith(f"pdpctl: `{wrong}` has 3 mistakes\npdpctl: `{library}` has 1 mistake\n"), f"{code}: {out}{err}")


def tells_each_time(scratch):
    again = scratch / "again"
    again.mkdir()
    (again / "web.yaml").write_text(POLICY)
    text = SCENARIO.replace("NAME", "again").replace(", labels: {class: CLASS}", "").replace("STOPS\n", "")
    (again / "again_test.yaml").write_text(text.replace("at: +5s,", "every: 1s, times: 8, expect: {code: unsure},"))
    code, out, _ = run(again)
    check(code == 1 and out.startswith(f"FAIL  {again}/again_test.yaml: Scenario `again`: 1 of 2 steps failed, 8 expectations\n"), out)
    check(f"  {again}/again_test.yaml:7:12: step `writes`, 5 of 8 at +0h00m04s, 2026-11-23T08:00:04Z\n" in out, out)
    check("6 of 8" not in out and "\n  and 3 more times\n1 of 2 failed in 1 document\n" in out, out)


def refuses(folder, scratch):
    bare = scratch / "bare"
    bare.mkdir()
    (bare / "web.yaml").write_text(POLICY)
    says([bare], 2, "", f"pdpctl: `{bare}` has no tests\n  hint: they stand in files whose names end in `_test.yaml`\n")
    says([folder, "--filter", "nobody"], 2, "", "pdpctl: no test has a name with `nobody`\n"
         "  hint: it is looked for in names of documents, and of cases of a Test\n")
    says([folder, "--watch", "--tap"], 2, "", "pdpctl: `--watch`, `--scenarios` and reports for programs do not go together\n"
         "  hint: give one of them\n")
    says([folder, "--json"], 2, "", "pdpctl: `--json` goes with `--scenarios`\n  hint: `--junit FILE` and `--tap` are for programs\n")
    says([scratch / "nowhere"], 2, "", f"pdpctl: `{scratch / 'nowhere'}` cannot be loaded: No such file or directory\n"
         "  hint: name a folder of *.yaml documents\n")
    code, _, err = run("--watch", scratch / "nowhere")
    check(code == 2 and "cannot be watched: No such file or directory" in err, err)
    checked = subprocess.run([PDPCTL, "check", folder, "--json"], capture_output=True, text=True, check=True)
    check(json.loads(checked.stdout)["tests"] == 1, checked.stdout)


def main():
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        folder = scratch / "policies"
        folder.mkdir()
        (folder / "web.yaml").write_text(POLICY)
        (folder / "web_test.yaml").write_text(TEST)
        watches(folder)
        tells_programs(folder, scratch)
        plays_scenarios(folder, scratch)
        tells_each_time(scratch)
        refuses(folder, scratch)
    print(f"testing: {failures} failures")
    return 1 if failures else 0


PDPCTL = os.path.abspath(sys.argv[1])
sys.exit(main())
