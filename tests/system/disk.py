#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The store's disk fills up, fails, and comes back, under a whole pdpd: `disk.py PDPD PDPCTL SHIM`. While it fails nothing is
acknowledged that must last, and an end holds in memory; when it is back, what waited is durable without anybody's help. What
was acknowledged survives a kill at any point."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import kill
from kill import DEADLINE_S, Daemon, Peer, Session, check, code_of, event, question, recorded

ENDS = 60 # with a disk that fails now and then


class Bad:
    """The folder, its daemon, and the disk under it."""

    def __init__(self, pdpd, pdpctl, shim, folder):
        self.pdpd, self.pdpctl, self.folder, self.control = pdpd, pdpctl, folder, folder / "fails"
        self.env = {"LD_PRELOAD": shim, "DISK_FILES": str(folder / "state/sessions.db"), "DISK_FAILS": str(self.control)}
        self.serial = 0
        self.start()

    def start(self):
        self.daemon = Daemon(self.pdpd, self.folder, dict(os.environ, **self.env))
        if not check(self.daemon.says("event=ready"), f"it does not start: {self.daemon.log}"):
            raise SystemExit(1)
        check("lost=0" in self.daemon.log, f"sessions are lost: {self.daemon.log}")
        self.decide, self.admin = Peer(self.folder / "decide.ipc", patient=False), Peer(self.folder / "admin.ipc", patient=False)

    def fail(self, how):
        fresh = self.control.with_suffix(".new")
        fresh.write_text(how)
        fresh.rename(self.control)

    def heal(self):
        self.control.unlink()

    def kill(self):
        self.daemon.kill()
        self.decide.close()
        self.admin.close()

    def name(self, what):
        self.serial += 1
        return f"{what}-{self.serial}"

    # ---- what is asked

    def begin(self):
        session = Session(self.name("s"), self.name("u"))
        return session, self.decide.ask(event(session, "start", self.name("r"), amr=["pwd", "otp"]))

    def begun(self):
        session, answer = self.begin()
        check(recorded(answer), f"a start is refused: {answer}")
        return session

    def terminate(self, session):
        return self.admin.ask({"op": "session.terminate", "session": session.id, "reason": "a test"})

    def lock(self, session):
        return self.admin.ask({"op": "lock.add", "target": {"kind": "subject", "value": session.subject}, "effect": "deny",
                               "for": 3600, "reason": "a test"})

    def ask(self, session, action="GET", claim=False):
        return self.decide.ask(question(session, action, self.name("r"), claim))

    def dead(self, session, when):
        answer = self.ask(session, claim=True)
        check(answer.get("decision") is False, f"{when}: {session.id} is allowed: {answer}")

    def alive(self, session, when):
        answer = self.ask(session, "PUT")
        check(answer.get("decision") is True, f"{when}: {session.id} is not known: {answer}")

    def alarms(self):
        return [alarm["alarm"] for alarm in self.admin.ask({"op": "status"}).get("alarms", [])]

    def comes(self, holds, what):
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            if holds():
                return
            time.sleep(0.01)
        check(False, f"never: {what}; {self.daemon.log[-2000:]}")


def refuses(bad, how, victims):
    """Of what must last nothing is acknowledged, however often it is said; in memory it is over at once."""
    by_policy, by_analyst, by_logout, locked, other = victims
    for _ in range(2):
        answer = bad.ask(by_policy, "DELETE")
        check(answer.get("decision") is False and code_of(answer) == "overloaded", f"{how}: a policy's end: {answer}")
        answer = bad.terminate(by_analyst)
        check(answer.get("ok") is False and answer.get("error"), f"{how}: a termination is acknowledged: {answer}")
        answer = bad.decide.ask(event(by_logout, "logout", bad.name("r")))
        check(not recorded(answer), f"{how}: a logout is acknowledged: {answer}")
        bad.dead(by_policy, how)
        bad.dead(by_analyst, how)
        bad.dead(by_logout, how)
    answer = bad.lock(locked)
    check(answer.get("ok") is False, f"{how}: a lock is acknowledged: {answer}")
    answer = bad.begin()[1]
    check(not recorded(answer), f"{how}: a start is acknowledged: {answer}")
    bad.alive(other, how) # what needs no disk goes on
    bad.comes(lambda: "store_failing" in bad.alarms(), "the alarm")
    check(bad.daemon.says("event=store_failing"), "the log says so")


def heals(bad, how, victims, before):
    bad.heal()
    bad.comes(lambda: "store_failing" not in bad.alarms(), "the alarm goes")
    check(bad.daemon.says("event=store_recovered"), "the log says so")
    for session in victims[:3]:
        answer = bad.terminate(session)
        check(answer.get("ok") is True, f"after {how}: a termination is refused: {answer}")
    begun, answer = bad.begin()
    check(recorded(answer), f"after {how}: a start is refused: {answer}")
    bad.kill()
    bad.start()
    for session in victims[:3] + before[1:]:
        bad.dead(session, f"after {how} and a kill")
    for session in (before[0], begun, victims[4]):
        bad.alive(session, f"after {how} and a kill")


def fails_and_comes_back(bad, how):
    before = [bad.begun() for _ in range(2)]
    check(bad.terminate(before[1]).get("ok") is True, "a termination")
    victims = [bad.begun() for _ in range(5)]
    bad.fail(how)
    refuses(bad, how, victims)
    heals(bad, how, victims, before)


def killed_while_it_fails(bad, how):
    alive, dead, between = bad.begun(), bad.begun(), bad.begun()
    check(bad.terminate(dead).get("ok") is True, "a termination")
    bad.fail(how)
    bad.terminate(between) # may hold or not
    bad.kill()
    bad.heal()
    bad.start()
    bad.alive(alive, f"killed in {how}")
    bad.dead(dead, f"killed in {how}")
    check(bad.alarms() == [], "no alarm")


def now_and_then(bad, every):
    """What is acknowledged between failures holds as well."""
    live, dead = [], []
    bad.fail(str(every))
    for _ in range(ENDS):
        session, answer = bad.begin()
        if recorded(answer):
            if bad.serial % 2 == 0:
                live.append(session)
            elif bad.terminate(session).get("ok") is True:
                dead.append(session)
    bad.kill()
    bad.heal()
    bad.start()
    for session in live:
        bad.alive(session, f"each call {every}")
    for session in dead:
        bad.dead(session, f"each call {every}")
    print(f"each call {every} failed: {len(live)} begun, {len(dead)} ended of {ENDS}", flush=True)


def main():
    pdpd, pdpctl, shim = (os.path.abspath(path) for path in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "policies").mkdir()
        (folder / "state").mkdir(mode=0o700)
        (folder / "policies/web.yaml").write_text(kill.POLICY)
        bad = Bad(pdpd, pdpctl, shim, folder)
        for how in ("full", "sync", "all"):
            fails_and_comes_back(bad, how)
            killed_while_it_fails(bad, how)
        for every in (50, 211, 997):
            now_and_then(bad, every)
        bad.decide.close()
        bad.admin.close()
        bad.daemon.process.send_signal(signal.SIGTERM)
        check(bad.daemon.process.wait(DEADLINE_S) == 0, "it ends")
        said = subprocess.run([pdpctl, "store", "check", str(folder / "state")], capture_output=True, text=True,
                              timeout=DEADLINE_S)
        check(said.returncode == 0, f"store check: {said.stdout}{said.stderr}")
    print(f"{kill.checks} checks, {kill.failures} failed")
    return kill.failures > 0


if __name__ == "__main__":
    sys.exit(main())
