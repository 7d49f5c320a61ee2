#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lint.py PDPCTL`: whole runs of `pdpctl lint` and `pdpctl check` of folders of 1,000 rules, in turn, by the processor's time. In `apart` each
rule has resources of its own; in `dense` many rules share resources, actions and conditions, so that rules cover one another."""
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile

RUNS = 15
BASE = """apiVersion: pdp/v1
kind: Strengths
metadata: {name: proofs}
levels:
  - {name: mfa, proves: '"otp" in session.amr', ask: {acr_values: [aal2]}}
---
apiVersion: pdp/v1
kind: List
metadata: {name: nets}
type: cidr
entries: [10.0.0.0/8, 192.0.2.0/24]
"""
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {{name: team-{team}}}
target: resource.type == "route" && resource.path.startsWith("/team-{team}/")
rules:
"""


def condition(draw):
    return draw.choice([f'"role{draw.randrange(30)}" in subject.roles', f'subject.department == "d{draw.randrange(40)}"',
                        'risk.level < level("high")', "network.ip in lists.nets", f"resource.amount > {draw.randrange(10)}00",
                        'has(subject.contract) && subject.contract == "fixed"', 'within(now, "Mon-Fri 07:00-19:00", "Europe/Berlin")',
                        'now - session.auth_time < duration("12h")', f'subject.region in ["r{draw.randrange(5)}", "r{draw.randrange(5)}"]'])


def write(folder, dense):
    draw = random.Random(3)
    (folder / "base.yaml").write_text(BASE)
    for team in range(40):
        text = POLICY.format(team=team)
        for number in range(25):
            effect = draw.choice(["allow", "allow", "deny", "step_up"])
            app = draw.randrange(8) if dense else number
            text += f"  - id: r{number}\n    effect: {effect}\n    resources: [\"/team-{team}/app-{app}/**\"]\n"
            text += "    require: {strength: mfa, max_age: 15m}\n" if effect == "step_up" else ""
            text += f"    actions: [{draw.choice(['GET', 'POST', 'PUT'])}]\n" if draw.random() < 0.5 else ""
            text += "    when:\n      all:\n" + "".join(f"        - '{condition(draw)}'\n" for _ in range(draw.choice([1, 2, 3, 4])))
        (folder / f"team{team}.yaml").write_text(text)


def cpu_ms(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done


def main():
    pdpctl = sys.argv[1]
    for name, dense in (("apart", False), ("dense", True)):
        with tempfile.TemporaryDirectory() as scratch:
            write(pathlib.Path(scratch), dense)
            lint, check, found = [], [], ""
            for _ in range(RUNS):
                ms, done = cpu_ms(pdpctl, "lint", scratch)
                lint.append(ms)
                found = done.stdout.strip().split("\n")[-1]
                check.append(cpu_ms(pdpctl, "check", scratch)[0])
            one, other = statistics.median(lint), statistics.median(check)
            print(f"{name}: lint {one:.0f} ms of a processor, check {other:.0f} ms ({one / other:.1f}); {found}")


if __name__ == "__main__":
    main()
