#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills under load: `kill.py PDPD PDPCTL [CYCLES [SEED]]`. Gateways, issuers and analysts work on sessions of their own and
keep a ledger of what was acknowledged; pdpd is killed with SIGKILL at a random moment, started again on the same folder, and
asked whether all of it still holds. What was sent and not acknowledged may hold or not, and is sent again, as gateways do:
then it was acknowledged."""
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE_S = 60
WORKERS = 5
OVERLAP_S = 1
SAMPLE = 60 # of older sessions that are looked at after each kill; at the end all are
CHECK_EVERY = 10
POLICY = """apiVersion: pdp/v1
kind: Strengths
metadata: {name: levels}
levels:
  - {name: mfa, proves: '"otp" in session.amr', ask: {acr_values: [aal2]}}
---
apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET, PUT]}
  - {id: proved, effect: step_up, actions: [PUT], require: {strength: mfa, max_age: 6h}}
  - {id: out, effect: terminate, actions: [DELETE]}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: renewal}
renewal: {overlap: %ds}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: solo}
target: 'subject.type == "solo"'
limits: {concurrent: 1, on_concurrent: end-oldest}
""" % OVERLAP_S

checks = failures = 0
lock = threading.Lock()


class Gone(Exception):
    """The daemon was killed before it answered."""


def check(condition, what):
    global checks, failures
    with lock:
        checks += 1
        if not condition:
            failures += 1
            if failures <= 20:
                print(f"FAIL: {what}", flush=True)
    return condition


def worry(args):
    check(False, f"{args.exc_type.__name__}: {args.exc_value}")
    threading.__excepthook__(args)


threading.excepthook = worry


def receive(s, count):
    data = b""
    while len(data) < count:
        part = s.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


class Peer:
    """One REQ connection, which does not come back."""

    def __init__(self, path, patient=True):
        self.patient = patient
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        try:
            self.socket.connect(str(path))
            self.socket.sendall(b"\0SP\0\0\x30\0\0")
            receive(self.socket, 8)
        except (OSError, EOFError) as gone:
            raise Gone from gone

    def ask(self, body):
        """What waited for too long, on a machine that is busy, was not judged, and is asked again; not where a store that
        fails is to be seen."""
        answer = self.ask_once(body)
        while self.patient and code_of(answer) == "overloaded":
            time.sleep(answer["context"].get("retry_after", 1) / 1000)
            answer = self.ask_once(body)
        return answer

    def ask_once(self, body):
        text = b"\x80\0\0\1" + json.dumps(body).encode()
        try:
            self.socket.sendall(b"\1" + struct.pack(">Q", len(text)) + text)
            return json.loads(receive(self.socket, struct.unpack(">Q", receive(self.socket, 9)[1:])[0])[4:])
        except TimeoutError:
            check(False, f"no answer to {body}")
            raise
        except (OSError, EOFError) as gone:
            raise Gone from gone

    def close(self):
        self.socket.close()


# ---- Messages --------------------------------------------------------------------------------------

def question(session, action, request_id, auth_time=False, subject=None):
    about = {"id": session.id if isinstance(session, Session) else session}
    if auth_time:
        about["auth_time"] = time.time()
    return {"subject": {"type": session.type, "id": subject or session.subject}, "action": {"name": action},
            "request_id": request_id, "resource": {"type": "route", "id": "/a"}, "context": {"session": about}}


def event(session, kind, request_id, **properties):
    return {"request_id": request_id,
            "event": {"type": kind, "subject": {"type": session.type, "id": session.subject},
                      "context": {"session": {"id": session.id}}, "properties": properties}}


def code_of(answer):
    return answer.get("context", {}).get("code")


def recorded(answer):
    return answer.get("event", {}).get("recorded") is True


class Session:
    """What was acknowledged of it. `open` is a message that was sent and not answered, with what its answer does."""

    def __init__(self, name, subject, kind="user"):
        self.id, self.subject, self.type = name, subject, kind
        self.known = self.proved = self.dead = self.locked = False
        self.lost = False      # its id was made there, and the answer that told it was lost
        self.fatal = False     # the lock ends what it meets
        self.old = []          # ids that were replaced, and when
        self.killer = None     # the question that ended it
        self.lock_id = None
        self.open = None


# ---- Load ------------------------------------------------------------------------------------------

class Worker:
    """One gateway, issuer and analyst: it alone knows its sessions."""

    def __init__(self, folder, number, seed):
        self.folder, self.number, self.random = folder, number, random.Random(seed * 1000 + number)
        self.sessions, self.fresh, self.serial, self.acknowledged = [], [], 0, 0
        self.decide = self.admin = None
        self.sent_again = False

    def name(self, what):
        self.serial += 1
        return f"{what}-{self.number}-{self.serial}"

    def new(self, subject, kind="user"):
        session = Session(self.name("s"), subject, kind)
        self.sessions.append(session)
        self.fresh.append(session)
        return session

    def connect(self):
        self.decide, self.admin = Peer(self.folder / "decide.ipc"), Peer(self.folder / "admin.ipc")

    def close(self):
        for peer in (self.decide, self.admin):
            if peer is not None:
                peer.close()
        self.decide = self.admin = None

    def send(self, session, peer, body, done):
        """Sent, and what the answer means is entered only once it is there."""
        session.open = (peer, body, done)
        answer = (self.admin if peer == "admin" else self.decide).ask(body)
        session.open = None
        done(answer, body)
        self.acknowledged += 1

    def again(self):
        """What was not acknowledged, as its sender would."""
        self.sent_again = True
        for session in [s for s in self.fresh if s.open is not None]:
            self.send(session, *session.open)
        self.sent_again = False

    def run(self, until):
        try:
            self.connect()
            while not until.is_set():
                self.step()
        except Gone:
            pass
        finally:
            self.close()

    def step(self):
        living = [s for s in self.fresh if s.known and not s.dead and not s.locked and not s.lost and s.open is None]
        if not living or self.random.random() < 0.3:
            self.begin(self.new(self.name("u"), self.random.choice(["user", "user", "solo"])))
        else:
            self.random.choice(ACTS)(self, self.random.choice(living))

    # ---- what is done, and what its answer must be

    def begin(self, session):
        proved = self.random.random() < 0.5

        def done(answer, _):
            check(recorded(answer), f"a start is refused: {answer}")
            session.known, session.proved = True, proved

        self.send(session, "decide", event(session, self.random.choice(["start", "login"]), self.name("r"),
                                           amr=["pwd", "otp"] if proved else ["pwd"]), done)

    def prove(self, session):
        def done(answer, _):
            check(recorded(answer), f"a proof is refused: {answer}")
            session.proved = True

        self.send(session, "decide", event(session, "step_up_passed", self.name("r"), amr=["pwd", "otp"]), done)

    def look(self, session):
        self.alive(session)

    def visit(self, session):
        """A session of first sight beside it: nobody asked for it to last, but it must do no harm."""
        answer = self.decide.ask(question(Session(self.name("v"), session.subject, "user"), "GET", self.name("r"), True))
        check(answer.get("decision") is True, f"first sight is denied: {answer}")

    def out(self, session):
        def done(answer, body):
            check(answer.get("context", {}).get("effect") == "terminate", f"a policy's end: {answer}")
            session.dead, session.killer = True, body

        self.send(session, "decide", question(session, "DELETE", self.name("r")), done)

    def steal(self, session):
        def done(answer, body):
            check(code_of(answer) in ("fixation", "terminated"), f"fixation: {answer}")
            session.dead = True

        self.send(session, "decide", question(session, "GET", self.name("r"), True, "thief"), done)

    def logout(self, session):
        def done(answer, _):
            check(recorded(answer), f"a logout is refused: {answer}")
            session.dead = True

        self.send(session, "decide", event(session, "logout", self.name("r")), done)

    def terminate(self, session):
        def done(answer, _):
            check(answer.get("ok") is True, f"a termination is refused: {answer}")
            session.dead = True

        self.send(session, "admin", {"op": "session.terminate", "session": session.id, "reason": "a test"}, done)

    def forbid(self, session):
        """An id that was never seen is ended: it can never begin."""
        self.terminate(self.new(self.name("u")))

    def rotate(self, session):
        new = self.name("s")

        def done(answer, _):
            check(recorded(answer), f"a rotation is refused: {answer}")
            session.old.append((session.id, time.time()))
            session.id = new

        self.send(session, "decide", event(session, "rotate", self.name("r"), new_id=new), done)

    def mint(self, session):
        """An id that is made there is told once: whoever lost that answer knows the session by no id."""
        def done(answer, _):
            minted = answer.get("session", {}).get("id")
            if self.sent_again and not recorded(answer):
                session.lost = True
            elif check(recorded(answer) and minted, f"no id is made: {answer}"):
                session.old.append((session.id, time.time()))
                session.id = minted

        self.send(session, "decide", event(session, "rotate", self.name("r"), mint=True), done)

    def oust(self, session):
        """Another session of one who may have one only."""
        if session.type != "solo":
            return
        other = self.new(session.subject, "solo")

        def done(answer, _):
            check(recorded(answer), f"another login is refused: {answer}")
            other.known, session.dead = True, True

        self.send(other, "decide", event(other, "login", self.name("r"), amr=["pwd"]), done)

    def cut(self, session):
        """All sessions of the subject; one that begins later lives."""
        def done(answer, _):
            check(answer.get("ok") is True, f"a cut-off is refused: {answer}")
            session.dead = True

        self.send(session, "admin", {"op": "cutoff.add", "target": {"kind": "subject", "value": session.subject},
                                     "reason": "a test"}, done)
        self.begin(self.new(session.subject))

    def lock(self, session):
        def done(answer, _):
            check(answer.get("ok") is True, f"a lock is refused: {answer}")
            session.lock_id, session.locked = answer.get("control", {}).get("id"), True

        target = {"kind": "subject", "value": session.subject}
        if self.random.random() < 0.4: # by any id that it had
            target = {"kind": "session", "value": self.random.choice([session.id] + [old for old, _ in session.old])}
        session.fatal = self.random.random() < 0.25
        self.send(session, "admin", {"op": "lock.add", "target": target, "effect": "terminate" if session.fatal else "deny",
                                     "for": 3600, "reason": "a test"}, done)
        if not session.fatal and self.random.random() < 0.5:
            self.lift(session)

    def lift(self, session):
        def done(answer, _):
            check(answer.get("ok") is True or self.sent_again, f"a lock is not lifted: {answer}")
            session.locked = False

        self.send(session, "admin", {"op": "lock.rm", "id": session.lock_id, "reason": "a test"}, done)

    # ---- what must hold

    def alive(self, session):
        """Known without a claim of when it was authenticated, with what was proved."""
        answer = self.decide.ask(question(session, "GET", self.name("r")))
        check(answer.get("decision") is True, f"{session.id} of {session.subject} is not known: {answer}")
        answer = self.decide.ask(question(session, "PUT", self.name("r")))
        effect = answer.get("context", {}).get("effect")
        check(effect == ("allow" if session.proved else "step_up"), f"{session.id}, proved {session.proved}: {answer}")

    def is_dead(self, session):
        """By each id that it had, with a fresh claim, by an issuer's word, by the question that ended it."""
        for one in [session.id] + [old for old, _ in session.old]:
            answer = self.decide.ask(question(Session(one, session.subject, session.type), "GET", self.name("r"), True))
            check(answer.get("decision") is False and code_of(answer) in ("terminated", "locked"),
                  f"{one} of {session.subject} is not dead: {answer}")
        answer = self.decide.ask(event(session, self.random.choice(["start", "login"]), self.name("r"), amr=["pwd"]))
        check(not recorded(answer), f"{session.id} begins again: {answer}")
        if session.killer is not None:
            answer = self.decide.ask(session.killer)
            check(answer.get("decision") is False and code_of(answer) == "terminated", f"a repeat revives: {answer}")

    def is_stolen(self, session):
        """An old id after the overlap: a theft, by which the session is over."""
        def done(answer, body):
            check(code_of(answer) in ("reused", "terminated"), f"an old id of {session.id} counts: {answer}")
            session.dead, session.killer = True, body

        thief = Session(session.old[0][0], session.subject, session.type)
        self.send(session, "decide", question(thief, "GET", self.name("r")), done)

    def holds(self, session):
        if session.lost:
            return
        if session.dead:
            self.is_dead(session)
        elif session.locked:
            codes = ("locked", "terminated") if session.fatal else ("locked",)
            answer = self.decide.ask(question(session, "GET", self.name("r")))
            check(answer.get("decision") is False and code_of(answer) in codes, f"a lock is gone: {answer}")
        elif session.known:
            self.alive(session)
            if session.old and time.time() > session.old[-1][1] + OVERLAP_S + 1 and self.random.random() < 0.3:
                self.is_stolen(session)
                self.is_dead(session)

    def verify(self, everything):
        self.connect()
        self.again()
        older = self.sessions[:len(self.sessions) - len(self.fresh)]
        sample = older if everything else self.random.sample(older, min(SAMPLE, len(older)))
        for session in self.fresh + sample:
            self.holds(session)
        self.fresh = [s for s in self.fresh if not s.dead and not s.lost][-20:]
        self.sessions = [s for s in self.sessions if s not in self.fresh] + self.fresh
        self.close()


ACTS = [Worker.prove, Worker.look, Worker.look, Worker.visit, Worker.out, Worker.steal, Worker.logout, Worker.terminate,
        Worker.forbid, Worker.rotate, Worker.rotate, Worker.mint, Worker.oust, Worker.cut, Worker.lock]


# ---- The daemon ------------------------------------------------------------------------------------

class Daemon:
    def __init__(self, pdpd, folder, env=None, flags=()):
        self.process = subprocess.Popen(
            [pdpd, "--policies", str(folder / "policies"), "--decide", f"ipc://{folder}/decide.ipc", "--admin",
             f"ipc://{folder}/admin.ipc", "--workers", "2", "--state", str(folder / "state"), *flags],
            stderr=subprocess.PIPE, text=True, env=env)
        self.log, self.seen, self.ended = "", threading.Condition(), False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.seen:
                self.log += line
                self.seen.notify_all()
        with self.seen:
            self.ended = True
            self.seen.notify_all()

    def says(self, word):
        with self.seen:
            self.seen.wait_for(lambda: word in self.log or self.ended, DEADLINE_S)
            return word in self.log

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        check("Sanitizer" not in self.log and "runtime error" not in self.log, self.log[-3000:])


class Cycles:
    def __init__(self, pdpd, pdpctl, folder, seed):
        self.pdpd, self.pdpctl, self.folder = pdpd, pdpctl, folder
        self.random = random.Random(seed)
        self.workers = [Worker(folder, i, seed) for i in range(WORKERS)]
        self.restarts_ms, self.log_says = [], ""

    def start(self):
        began = time.monotonic()
        daemon = Daemon(self.pdpd, self.folder)
        if not check(daemon.says("event=ready"), f"it does not start: {daemon.log}"):
            raise SystemExit(1)
        self.restarts_ms.append((time.monotonic() - began) * 1000)
        check("lost=0" in daemon.log, f"sessions are lost: {daemon.log}")
        return daemon

    def load_and_kill(self, daemon):
        until = threading.Event()
        threads = [threading.Thread(target=worker.run, args=(until,)) for worker in self.workers]
        for thread in threads:
            thread.start()
        time.sleep(self.random.uniform(0.01, 0.2)) # the moment is what is tried, not a wait for anything
        if self.random.random() < 0.2:
            daemon.process.send_signal(signal.SIGTERM) # and while it stops
            time.sleep(self.random.uniform(0, 0.01))
        daemon.kill()
        until.set()
        for thread in threads:
            thread.join()
        if self.random.random() < 0.2: # and while it starts
            other = Daemon(self.pdpd, self.folder)
            time.sleep(self.random.uniform(0, 0.03))
            other.kill()

    def store_is_good(self):
        said = subprocess.run([self.pdpctl, "store", "check", str(self.folder / "state")], capture_output=True, text=True,
                              timeout=DEADLINE_S)
        check(said.returncode == 0, f"store check: {said.stdout}{said.stderr}")

    def log_is_good(self, ended=False):
        """The audit log, as the last kill left it and a start went on with it."""
        where = ["--state", str(self.folder / "state")] if ended else ["--connect", f"ipc://{self.folder}/admin.ipc"]
        said = subprocess.run([self.pdpctl, "audit", "verify"] + where, capture_output=True, text=True, timeout=DEADLINE_S)
        if check(said.returncode == 0, f"audit verify: {said.stdout}{said.stderr}"):
            self.log_says = said.stdout.strip().splitlines()[0]

    def status_is_good(self):
        admin = Peer(self.folder / "admin.ipc")
        status = admin.ask({"op": "status"})
        check(status.get("ok") is True and not status.get("alarms"), f"status: {status}")
        admin.close()

    def verify(self, everything):
        threads = [threading.Thread(target=worker.verify, args=(everything,)) for worker in self.workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def run(self, cycles):
        daemon = self.start()
        for cycle in range(cycles):
            self.load_and_kill(daemon)
            daemon = self.start()
            self.verify(everything=False)
            if cycle % CHECK_EVERY == 0 or cycle < CHECK_EVERY:
                self.status_is_good()
                self.store_is_good()
                self.log_is_good()
        daemon.kill()
        self.store_is_good() # as the last kill left it
        daemon = self.start()
        self.verify(everything=True)
        self.store_is_good()
        daemon.process.send_signal(signal.SIGTERM)
        check(daemon.process.wait(DEADLINE_S) == 0, "it ends")
        self.log_is_good(ended=True)
        self.report(cycles)

    def report(self, cycles):
        sessions = [s for worker in self.workers for s in worker.sessions]
        times = sorted(self.restarts_ms)
        print(f"{cycles} kills, {sum(w.acknowledged for w in self.workers)} acknowledged, {len(sessions)} sessions, "
              f"{sum(s.dead for s in sessions)} ended, {sum(len(s.old) for s in sessions)} ids replaced, "
              f"{sum(s.locked for s in sessions)} locked; {self.log_says}")
        print(f"start to ready: median {times[len(times) // 2]:.0f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms")


def main():
    pdpd, pdpctl = (os.path.abspath(path) for path in sys.argv[1:3])
    cycles = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else time.time_ns() % 1000000
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "policies").mkdir()
        (folder / "state").mkdir(mode=0o700)
        (folder / "policies/web.yaml").write_text(POLICY)
        Cycles(pdpd, pdpctl, folder, seed).run(cycles)
    print(f"{checks} checks, {failures} failed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
