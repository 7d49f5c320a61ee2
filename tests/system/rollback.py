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

from kill import Peer

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
        before = self.text().count("event=ready")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stderr=log, stdout=log,
                                            env={**os.environ, **(environment or {})})
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


def back(pdpd, pdpctl, folder):
    """By digest, time and number; over a reload by signal, restarts and kills; ended by a reload alone."""
    policies(folder)
    daemon = Daemon(pdpd, pdpctl, folder, "--policies", str(folder / "policies")).start()
    good = daemon.status()["snapshot"]
    policies(folder, "subject.id == 1 + ") # a typo
    check(daemon.ctl("reload")[0] == 1, "a typo is refused")
    check(daemon.status()["snapshot"] == good and len(index(folder)["served"]) == 1, "and changes nothing")
    policies(folder, "subject.id == \"nobody\"") # compiles, and denies everybody
    bad = daemon.reload()
    epoch = daemon.status()["policy_epoch"]

    def refused(words, *arguments, why="no"):
        code, _, said = daemon.ctl("rollback", *arguments, "--reason", "because")
        check(code == 1 and words in said, f"{why}: {code} {said}")

    refused("begins so", "--to", "0123456789")
    refused("so many", "--to", "9")
    refused("not kept any more", "--to", "2001-01-01T00:00:00Z")
    refused("is what serves", "--to", bad[7:19])
    refused("is what serves", "--to", "2100-01-01T00:00:00Z")
    code, _, said = daemon.ctl("rollback", "--to", "1", "--reason", " ")
    check(code == 1 and "reason" in said, f"a reason is needed: {said}")

    code, out, said = daemon.ctl("rollback", "--to", "1", "--reason", "denies everybody")
    check(code == 0 and good in out, f"goes back: {said}")
    status = daemon.status()
    check(status["snapshot"] == good and status["policy_epoch"] > epoch, "it serves, in a new epoch")
    rolled = status["rolled_back"]
    check((rolled["from"], rolled["to"], rolled["reason"]) == (bad, good, "denies everybody"), f"the status says so: {rolled}")
    check(index(folder)["pin"]["to"] == good, "it is written before it is acknowledged")
    check(list(daemon.alarms()) == ["rolled_back"], "an alarm")
    check("event=rolled_back" in daemon.text(), "the log tells")
    refused("rolled back from", "--to", "1", why="not by number what was gone back from")
    listed = daemon.ctl("rollback", "--list")[1].splitlines()
    check(len(listed) == 4 and "denies everybody" in listed[1] and good[7:19] in listed[1], f"the list: {listed}")

    signals = daemon.text().count("event=reload_refused")
    daemon.process.send_signal(signal.SIGHUP)
    until("a signal ends no roll-back", lambda: daemon.text().count("event=reload_refused") > signals)
    for number in (signal.SIGTERM, signal.SIGKILL):
        policies(folder, "no CEL at" if number == signal.SIGKILL else "1 == 2") # whatever is there now
        daemon.end(number)
        daemon.start()
        status = daemon.status()
        check(status["snapshot"] == good and status["rolled_back"]["from"] == bad, f"over a restart: {status}")
        check(list(daemon.alarms()) == ["rolled_back"], "with its alarm")

    check(daemon.ctl("reload")[0] == 1, "what does not compile does not end it")
    check(daemon.status().get("rolled_back"), "it is in force still")
    policies(folder, "1 == 1")
    fixed = daemon.reload()
    check("rolled_back" not in daemon.status() and daemon.alarms() == {}, "a reload ends it")
    check("event=rollback_ended" in daemon.text() and index(folder)["pin"]["at_ms"] == 0, "and that is written")
    daemon.end(signal.SIGKILL)
    daemon.start()
    check(daemon.status()["snapshot"] == fixed, "for good")

    code, _, said = daemon.ctl("rollback", "--to", index(folder)["served"][0]["sources"][7:17], "--reason", "by its sources")
    check(code == 0 and daemon.status()["snapshot"] == good, f"by the digest of its sources: {said}")
    kept_file = folder / "state/served" / index(folder)["served"][1]["file"]
    kept_file.write_bytes(kept_file.read_bytes().replace(b"nobody", b"NOBODY"))
    refused("cannot be used", "--to", bad, why="a file that was changed")
    check(daemon.status()["snapshot"] == good, "changes nothing")
    daemon.end()


def full(pdpd, pdpctl, folder):
    """A disk that takes nothing: it serves what was gone back to, and says that a restart may forget it."""
    policies(folder)
    daemon = Daemon(pdpd, pdpctl, folder, "--policies", str(folder / "policies")).start()
    good = daemon.status()["snapshot"]
    policies(folder, "1 == 2")
    daemon.reload()
    until("both are kept", lambda: len(index(folder)["served"]) == 2)
    hold, aside = folder / "state/served", folder / "state/aside"
    (hold / "index.new").mkdir() # in the way of whoever would write
    code, _, said = daemon.ctl("rollback", "--to", "1", "--reason", "denies everybody")
    check(code == 1 and "could not be written" in said, f"it is not acknowledged: {said}")
    check(daemon.status()["snapshot"] == good, "and serves all the same")
    check("served_unkept" in daemon.alarms(), "with an alarm")
    (hold / "index.new").rmdir()
    until("it is written after all", lambda: index(folder)["pin"]["to"] == good)
    daemon.end(signal.SIGKILL)
    daemon.start()
    check(daemon.status()["snapshot"] == good, "then it lasts")
    daemon.end()


def bundle(pdpd, pdpctl, folder):
    """An older bundle by an order is no downgrade by a file; keys and expiry are asked anew."""
    def run(*arguments):
        done = subprocess.run(arguments, capture_output=True, text=True)
        check(done.returncode == 0, f"{arguments}: {done.stderr}")

    def build(version, expires="2100-01-01T00:00:00Z"):
        run(pdpctl, "build", str(folder / "policies"), "-o", str(folder / "b"), "--version", str(version), "--expires", expires)
        run(pdpctl, "sign", str(folder / "b"), "--key", str(folder / "key"))

    for name in ("key", "other"):
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", str(folder / name))
        run("openssl", "pkey", "-in", str(folder / name), "-pubout", "-out", str(folder / f"{name}.pub"))
    policies(folder)
    soon = time.time() + 8
    build(1, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon)))
    daemon = Daemon(pdpd, pdpctl, folder, "--bundle", str(folder / "b"), "--bundle-key", str(folder / "key.pub")).start()
    policies(folder, "1 == 1")
    build(2)
    second = daemon.reload()
    policies(folder, "1 < 2")
    build(3)
    daemon.reload()
    peer = begin(folder, 200)
    (folder / "policies/web.yaml").write_text(RULES % "  - {id: out, effect: terminate, when: 'session.requests >= 1'}\n")
    build(4)
    code, _, said = daemon.ctl("reload")
    check(code == 1 and "would end 200 of 200" in said, f"version 4 is held back: {said}")
    check("version 3" in (folder / "state/served-bundle").read_text(), "and was not served, so it is not remembered")
    peer.close()
    check(daemon.ctl("rollback", "--to", "1", "--reason", "denies everybody")[0] == 0, "goes back to version 2")
    status = daemon.status()
    check(status["snapshot"] == second and status["source"]["version"] == 2, "it serves")
    check("version 3" in (folder / "state/served-bundle").read_text(), "what is remembered is the latest still")
    daemon.end()
    daemon.start()
    check(daemon.status()["source"]["version"] == 2, "over a restart")
    policies(folder, "1 == 1")
    build(2)
    code, _, said = daemon.ctl("reload")
    check(code == 1 and "version 3 was served before" in said, f"an older file is refused still: {said}")
    until("version 1 has expired", lambda: time.time() > soon)
    first = index(folder)["served"][0]["snapshot"]
    code, _, said = daemon.ctl("rollback", "--to", first, "--reason", "further")
    check(code == 1 and "has expired" in said, f"what has expired is refused: {said}")
    (folder / "key.pub").write_bytes((folder / "other.pub").read_bytes())
    code, _, said = daemon.ctl("rollback", "--to", index(folder)["served"][2]["snapshot"], "--reason", "again")
    check(code == 1 and "signed" in said, f"under other keys it is refused: {said}")
    daemon.end()
    daemon.start()
    check(daemon.process.wait(DEADLINE_S) == 2 and "event=rollback_lost" in daemon.text(), "and a start says what to do")


def memory(pdpd, pdpctl, folder):
    """Without a state folder it is there until the next start."""
    policies(folder)
    daemon = Daemon(pdpd, pdpctl, folder, "--policies", str(folder / "policies"), state=None).start()
    good = daemon.status()["snapshot"]
    policies(folder, "1 == 2")
    daemon.reload()
    check(daemon.ctl("rollback", "--to", "1", "--reason", "denies everybody")[0] == 0, "goes back")
    check(daemon.status()["snapshot"] == good, "it serves")
    daemon.end()


RULES = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET, PUT]}
%s"""
SESSIONS = 1000


def begin(folder, count=SESSIONS, action="GET"):
    """Sessions of first sight, every tenth of a tenant of its own; a login makes every second an issuer's."""
    peer = Peer(folder / "decide")
    for i in range(count):
        about = {**({} if i % 10 == 1 else {"tenant": "main" if i % 10 else "lab"}), "subject": {"type": "user", "id": f"u{i}"}}
        answer = peer.ask({**about, "action": {"name": action}, "resource": {"type": "route", "id": f"/web/{i % 3}"},
                           "context": {"session": {"id": f"s{i}", "auth_time": int(time.time())},
                                       "network": {"ip": f"192.0.2.{i % 200}"}}})
        if not answer["decision"]:
            check(False, f"session {i} begins: {answer}")
            break
    return peer


def rules(folder, *more):
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies/web.yaml").write_text(RULES % "".join(f"  - {one}\n" for one in more))


def tried(daemon, *arguments):
    code, out, said = daemon.ctl(*(arguments or ("reload", "--preview")), "--json")
    answer = json.loads(out)
    check(code == 0 and answer.get("preview"), f"a preview: {out} {said}")
    return answer["trial"], answer


def preview(pdpd, pdpctl, folder):
    """Whom a candidate would end, before it does; held back above the share, by any way that loads it."""
    rules(folder)
    (folder / "policies/l.yaml").write_text("apiVersion: pdp/v1\nkind: List\nmetadata: {name: l}\ntype: string\nfile: l.txt\n")
    (folder / "policies/l.txt").write_text("alice\n")
    (folder / "pdpd.yaml").write_text("administrators: {subjects: [u0, u1, u10], addresses: [192.0.2.20/32]}\n")
    daemon = Daemon(pdpd, pdpctl, folder, "--policies", str(folder / "policies"), "--config", str(folder / "pdpd.yaml")).start()
    peer = begin(folder)
    serving = daemon.status()["snapshot"]

    trial, answer = tried(daemon)
    check((trial["live"], trial["looked"], trial["ends"], trial["denies"], trial["unsure"]) == (SESSIONS, SESSIONS, 0, 0, 0),
          f"what serves already changes nothing: {trial}")
    check(answer["candidate"] == serving, "it is the same snapshot")

    rules(folder, "{id: lab, effect: terminate, when: 'tenant == \"lab\"'}")
    trial, answer = tried(daemon)
    check(trial["ends"] == SESSIONS // 10, f"a tenth would end: {trial}")
    check(trial["unsure"] == SESSIONS // 10, f"whose tenant no question said cannot be told: {trial}")
    check(trial["rules"] == [{"rule": "web/lab", "ends": SESSIONS // 10, "tightens": 0}], f"by a rule: {trial['rules']}")
    check(trial["administrators_end"] == 7, f"u0, u10, and five at an address of theirs: {trial}")
    check(trial["tenants"] == [{"tenant": "lab", "ends": SESSIONS // 10, "tightens": 0}], f"of a tenant: {trial['tenants']}")
    check(len(trial["sessions"]) == 20 and trial["sessions"][0]["tenant"] == "lab" and "subject" in trial["sessions"][0],
          f"with examples: {trial['sessions'][:1]}")
    check(daemon.status()["snapshot"] == serving and answer["candidate"] != serving, "and nothing is served")
    check(daemon.status()["sessions"]["live"] == SESSIONS, "nor ended")
    code, out, _ = daemon.ctl("reload", "--preview")
    check(code == 0 and out.startswith(f"100 of {SESSIONS} live sessions would end, 7 of them of administrators\n") and "web/lab" in out, f"for people: {out}")

    check(daemon.ctl("reload")[0] == 0, "a hundred may always end")
    check(daemon.status()["snapshot"] == answer["candidate"], "it serves")
    serving = answer["candidate"]
    rules(folder, "{id: lab, effect: terminate, when: 'tenant == \"lab\"'}", "{id: out, effect: terminate, when: 'session.requests >= 1'}")
    code, _, said = daemon.ctl("reload")
    check(code == 1 and f"would end 900 of {SESSIONS} live sessions" in said and "--confirm 900" in said, f"held back: {said}")
    check(daemon.status()["snapshot"] == serving, "what served serves")
    check("reload_refused" in daemon.alarms() and "event=reload_held_back" in daemon.text(), "an alarm")
    failed = daemon.text().count("event=reload_failed")
    daemon.process.send_signal(signal.SIGHUP)
    until("a signal is held back too", lambda: daemon.text().count("event=reload_failed") > failed)
    check(daemon.status()["snapshot"] == serving, "what served serves still")
    check(daemon.ctl("reload", "--confirm", "899")[0] == 1, "one too few")
    (folder / "policies/l.txt").write_text("alice\nbob\n")
    check(daemon.ctl("reload", "--lists")[0] == 0 and daemon.status()["rules"] == 2, "lists stand on what serves, not on what was held back")
    serving = daemon.status()["snapshot"]
    code, _, said = daemon.ctl("reload")
    check(code == 1 and "would end 900" in said, f"held back still: {said}")
    code, _, said = daemon.ctl("reload", "--confirm", "900")
    check(code == 0 and daemon.status()["snapshot"] != serving and daemon.alarms() == {}, f"confirmed: {said}")
    check(daemon.status()["sessions"]["live"] == SESSIONS, "sessions end as they are next seen")
    trial, answer = tried(daemon, "rollback", "--to", "2", "--preview")
    check(trial["ends"] == 0 and trial["loosens"] == SESSIONS, f"going back would give all of them more: {trial}")
    check("rolled_back" not in daemon.status(), "and is a preview too")

    rules(folder, "{id: put, effect: terminate, actions: [PUT]}", "{id: known, effect: deny, actions: [GET], when: '\"x\" in subject.roles'}",
          "{id: risky, effect: terminate, when: 'subject.department == \"x\"'}")
    check(daemon.ctl("rollback", "--to", "2", "--reason", "back to the first")[0] == 0, "goes back")
    trial, _ = tried(daemon)
    check(trial["ends"] == 0 and trial["denies"] == 0 and trial["unsure"] == SESSIONS, f"what records do not tell ends nothing: {trial}")
    (folder / "policies/limits.yaml").write_text("apiVersion: pdp/v1\nkind: SessionPolicy\nmetadata: {name: short}\nlimits: {idle: 1s, absolute: 2s}\n")
    rules(folder)
    until("limits have passed", lambda: tried(daemon)[0]["ends"] == SESSIONS)
    trial, _ = tried(daemon)
    check(trial["rules"] == [{"rule": "(limits of time)", "ends": SESSIONS, "tightens": 0}], f"by limits: {trial['rules']}")
    peer.close()
    daemon.end()


def main():
    pdpd, pdpctl = sys.argv[1:3]
    for part in (kept, lists, unkept, back, full, bundle, memory, preview):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as folder:
            part(pdpd, pdpctl, pathlib.Path(folder))
    print(f"{checks} checks, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
