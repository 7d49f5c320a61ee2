#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small disk that fills up while it is written: `tmpfs.py PDPD PDPCTL FOLDER`, where FOLDER/state is a sized tmpfs. What was
acknowledged until then holds; while it is full nothing is acknowledged that must last, and the audit log does as `on_full`
says; when there is room again all goes on, and a kill at any point loses nothing of it."""
import json
import os
import pathlib
import sys
import threading

import disk
import kill
from kill import Daemon, Peer, Session, check, event, recorded

LOADS = 4


class Small(disk.Bad):
    """The state folder on its small disk."""

    def __init__(self, pdpd, folder, on_full):
        self.pdpd, self.folder, self.serial = pdpd, folder, 0
        self.filler = folder / "state/filler"
        (folder / "pdpd.yaml").write_text("{}\n" if on_full is None else f"audit: {{on_full: {on_full}}}\n")
        self.start()

    def start(self):
        self.daemon = Daemon(self.pdpd, self.folder, flags=("--config", str(self.folder / "pdpd.yaml")))
        if not check(self.daemon.says("event=ready"), f"it does not start: {self.daemon.log}"):
            raise SystemExit(1)
        check("lost=0" in self.daemon.log, f"sessions are lost: {self.daemon.log}")
        self.decide, self.admin = Peer(self.folder / "decide.ipc", patient=False), Peer(self.folder / "admin.ipc", patient=False)

    def fill(self):
        """Until not a byte is left."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def heal(self):
        self.filler.unlink()


def load(small, number, stop, live, dead):
    """Begins and ends sessions of its own; those that were acknowledged are noted."""
    decide, admin = Peer(small.folder / "decide.ipc", patient=False), Peer(small.folder / "admin.ipc", patient=False)
    serial = 0
    while not stop.is_set():
        serial += 1
        session = Session(f"l-{number}-{serial}", f"lu-{number}-{serial}")
        answer = decide.ask(event(session, "start", f"lr-{number}-{serial}", amr=["pwd", "otp"]))
        if recorded(answer) and serial % 2 == 0:
            live.append(session)
        elif recorded(answer) and admin.ask({"op": "session.terminate", "session": session.id, "reason": "a test"}).get("ok"):
            dead.append(session)
    decide.close()
    admin.close()


def unrecorded(answer):
    """Denied because the audit log is full, and for nothing else."""
    return answer.get("decision") is False and "the audit log is full" in json.dumps(answer)


def holds(small, live, dead, when):
    for session in live:
        small.alive(session, when)
    for session in dead:
        small.dead(session, when)


def fills_under_load(small, on_full):
    live, dead, stop = [], [], threading.Event()
    threads = [threading.Thread(target=load, args=(small, i, stop, live, dead)) for i in range(LOADS)]
    for thread in threads:
        thread.start()
    small.comes(lambda: len(live) > 20 and len(dead) > 20, "a load")
    small.fill()
    small.comes(lambda: small.fill() or "store_failing" in small.alarms(), "the alarm") # what is given back is taken, too
    known, killed = list(live), list(dead)
    for session in killed[:5]:
        small.dead(session, "full")
    answer = small.ask(known[0])
    if on_full == "drop":
        check(answer.get("decision") is True, f"full, and records are dropped: {answer}")
    else:
        # Once the ring of records is full; alarms are raised once a second, so the deny may come before its alarm.
        small.comes(lambda: any(unrecorded(small.ask(known[0])) for _ in range(1000)), "a deny, since nothing is recorded")
        small.comes(lambda: small.fill() or "audit_stalled" in small.alarms(), "the alarm of the audit log")
    stop.set()
    for thread in threads:
        thread.join()
    small.heal()
    small.comes(lambda: small.alarms() == [], "no alarm any more")
    small.comes(lambda: recorded(small.begin()[1]), "a start")
    holds(small, live, dead, "there is room again")
    return live, dead


def killed_while_full(small, live, dead):
    small.fill()
    small.terminate(small_session := Session("between", "nobody")) # may hold or not
    small.kill()
    small.heal()
    small.start()
    holds(small, live, dead, "killed while it was full")
    check(small_session.id == "between" and small.alarms() == [], "no alarm")


def main():
    pdpd, pdpctl, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), pathlib.Path(sys.argv[3])
    (folder / "policies").mkdir()
    (folder / "policies/web.yaml").write_text(kill.POLICY)
    (folder / "state").chmod(0o700)
    for on_full in ("drop", None):
        small = Small(pdpd, folder, on_full)
        live, dead = fills_under_load(small, on_full)
        killed_while_full(small, live, dead)
        small.kill()
        said = kill.subprocess.run([pdpctl, "store", "check", str(folder / "state")], capture_output=True, text=True, check=False,
                                   timeout=kill.DEADLINE_S)
        check(said.returncode == 0, f"store check: {said.stdout}{said.stderr}")
        print(f"on_full {on_full or 'deny'}: {len(live)} begun and {len(dead)} ended were acknowledged", flush=True)
    print(f"{kill.checks} checks, {kill.failures} failed")
    return kill.failures > 0


if __name__ == "__main__":
    sys.exit(main())
