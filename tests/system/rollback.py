#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was served is kept: `rollback.py PDPD PDPCTL`."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 60
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]%s}
"""
checks = failures = 0


def check(condition, what):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAIL: {what}", flush=True)
    return condition


def until(what, condition):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    check(False, f"in time: {what}")
    return None


class Daemon:
    def __init__(self, pdpd, pdpctl, folder, *flags, state="state"):
        self.pdpd, self.pdpctl, self.folder, self.flags = pdpd, pdpctl, folder, flags
        self.url = f"ipc://{folder}/admin"
        self.log = folder / "log"
        self.arguments = [pdpd, "--decide", f"ipc://{folder}/decide", "--admin", self.url]
        if state:
            (folder / state).mkdir(exist_ok=True)
            self.arguments += ["--state", str(folder / state)]
        self.arguments += flags
        self.process = None

    def start(self, environment=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stderr=log, stdout=log,
                                            env={**os.environ, **(environment or {})})
        before = self.text().count("event=ready")
        until("ready", lambda: self.text().count("event=ready") > before or self.process.poll() is not None)
        return self

    def text(self):
        return self.log.read_text() if self.log.exists() else ""

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def ctl(self, *arguments):
        done = subprocess.run([self.pdpctl, *arguments, "--connect", self.url], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def status(self):
        return json.loads(self.ctl("status", "--json")[1])

    def alarms(self):
        return {alarm["alarm"]: alarm["message"] for alarm in self.status()["alarms"]}

    def reload(self):
        code, _, said = self.ctl("reload")
        check(code == 0, f"a reload: {said}")
        return self.status()["snapshot"]


def policies(folder, when=""):
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies/web.yaml").write_text(POLICY % (f", when: '{when}'" if when else ""))


def index(folder):
    head, body = (folder / "state/served/index").read_text().split("\n", 1)
    check(head.startswith("pdp-served-index 1 sha256:"), "the index begins as it should")
    return json.loads(body)


def kept(pdpd, pdpctl, folder):
    """Each snapshot's sources lie in the folder before anybody is answered by it, and in one file each."""
    policies(folder)
    daemon = Daemon(pdpd, pdpctl, folder, "--policies", str(folder / "policies")).start()
    first = daemon.status()["snapshot"]
    served = index(folder)["served"]
    check([one["snapshot"] for one in served] == [first] and served[0]["by"] == "start", "the first is kept")
    made = folder / "made.bundle"
    built = subprocess.run([pdpctl, "build", str(folder / "policies"), "-o", str(made), "--version", "1", "--expires",
                            "9999-12-31T23:59:59Z"], capture_output=True, text=True)
    check(built.returncode == 0, f"build: {built.stderr}")
    check(made.read_bytes() == (folder / "state/served" / served[0]["file"]).read_bytes(), "as `pdpctl build` makes it")

    policies(folder, "1 == 1")
    second = daemon.reload()
    until("the second is kept", lambda: len(index(folder)["served"]) == 2)
    policies(folder)
    check(daemon.reload() == first, "the same sources are the same snapshot")
    until("the third is kept", lambda: len(index(folder)["served"]) == 3)
    served = index(folder)["served"]
    check([one["snapshot"] for one in served] == [first, second, first], "in their order")
    check(served[0]["file"] == served[2]["file"], "and the same sources lie there once")
    check(all(one["until_ms"] == two["since_ms"] for one, two in zip(served, served[1:])), "one ends as the next begins")
    check(served[2]["until_ms"] == 0, "the last serves")
    daemon.reload()
    daemon.end()
    check(len(index(folder)["served"]) == 3, "what is loaded again is no new one")
    (folder / "state/served/1-0.bundle.new").write_text("left by a kill")
    daemon.start()
    check(len(index(folder)["served"]) == 3, "nor is a start")
    check(len(list((folder / "state/served").glob("*.bundle*"))) == 2, "what a kill left is gone")
    daemon.end(signal.SIGKILL)
    daemon.start()
    check(len(index(folder)["served"]) == 3, "nor one after a kill")
    check(daemon.alarms() == {}, "no alarm")
    daemon.end()

    whole = (folder / "state/served/index").read_text()
    (folder / "state/served/index").write_text(whole.replace(first[7:12], "00000", 1))
    daemon.start()
    check(daemon.process.wait(DEADLINE_S) == 2, "a changed index is refused")
    check("served/index`, which remembers what was served, is refused" in daemon.text(), "by its name")
    (folder / "state/served/index").write_text(whole)


def lists(pdpd, pdpctl, folder):
    """Of lists read anew, the last are kept with the policies that they belong to."""
    policies(folder, "subject.id in lists.l")
    (folder / "policies/l.yaml").write_text("apiVersion: pdp/v1\nkind: List\nmetadata: {name: l}\ntype: string\nfile: l.txt\n")
    (folder / "policies/l.txt").write_text("alice\n")
    daemon = Daemon(pdpd, pdpctl, folder, "--policies", str(folder / "policies")).start()
    (folder / "policies/l.txt").write_text("alice\nbob\n")
    check(daemon.ctl("reload", "--lists")[0] == 0, "lists are read anew")
    snapshot = daemon.status()["snapshot"]
    until("the lists are kept", lambda: index(folder)["served"][0]["snapshot"] == snapshot)
    served = index(folder)["served"]
    check(len(served) == 1, "in the place of the earlier ones")
    until("those are gone", lambda: len(list((folder / "state/served").glob("*.bundle"))) == 1)
    check(b"bob" in (folder / "state/served" / served[0]["file"]).read_bytes(), "they hold what serves")
    daemon.end()


def unkept(pdpd, pdpctl, folder):
    """What cannot be written stops no reload; it is told, and written as soon as it can be."""
    policies(folder)
    daemon = Daemon(pdpd, pdpctl, folder, "--policies", str(folder / "policies")).start()
    hold = folder / "state/served"
    aside = folder / "state/aside"
    hold.rename(aside)
    hold.write_text("in the way")
    policies(folder, "1 == 1")
    snapshot = daemon.reload()
    until("an alarm", lambda: "served_unkept" in daemon.alarms())
    check("event=served_unkept" in daemon.text(), "the log says so")
    hold.unlink()
    aside.rename(hold)
    until("it is written after all", lambda: index(folder)["served"][-1]["snapshot"] == snapshot)
    until("the alarm ends", lambda: daemon.alarms() == {})
    daemon.end()


def main():
    pdpd, pdpctl = sys.argv[1:3]
    for part in (kept, lists, unkept):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as folder:
            part(pdpd, pdpctl, pathlib.Path(folder))
    print(f"{checks} checks, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
