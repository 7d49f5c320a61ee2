#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Binary upgrade under load: `takeover.py PDPD`. Gateways ask and re-send as NNG's REQ does, an analyst ends sessions, and
one pdpd takes over from the other. No question is lost or denied, no ended session is allowed; a successor that fails, at
whatever moment, leaves the one that ran as it was."""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE_S = 60
GATEWAYS = 6
TAKEOVERS = 3
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
"""
checks = failures = 0
lock = threading.Lock()


def check(condition, what):
    global checks, failures
    with lock:
        checks += 1
        if not condition:
            failures += 1
            print(f"FAIL: {what}", flush=True)


class Peer:
    """A REQ socket: what was sent and not answered is sent again over a new connection."""

    def __init__(self, path):
        self.path, self.socket, self.resent = str(path), None, 0

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(DEADLINE_S)
        s.connect(self.path)
        s.sendall(b"\0SP\0\0\x30\0\0")
        receive(s, 8)
        self.socket = s

    def ask(self, body):
        text, until = b"\x80\0\0\1" + json.dumps(body).encode(), time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            try:
                if self.socket is None:
                    self.connect()
                self.socket.sendall(b"\1" + struct.pack(">Q", len(text)) + text)
                return json.loads(receive(self.socket, struct.unpack(">Q", receive(self.socket, 9)[1:])[0])[4:])
            except (OSError, EOFError):
                self.close()
                self.resent += 1
                time.sleep(0.001) # NNG pauses before it dials again, too
        return {}

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def receive(s, count):
    data = b""
    while len(data) < count:
        part = s.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def question(session, request_id):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(STARTED))
    return {"subject": {"type": "user", "id": f"u-{session}"}, "action": {"name": "GET"}, "request_id": request_id,
            "resource": {"type": "route", "id": "/a"}, "context": {"session": {"id": session, "auth_time": now}}}


STARTED = time.time()


class Daemon:
    def __init__(self, pdpd, folder, *args, source=None):
        self.process = subprocess.Popen(
            [pdpd, *(source or ["--policies", str(folder / "policies")]), "--decide", f"ipc://{folder}/decide.ipc", "--decide",
             "tcp://127.0.0.1:0", "--admin", f"ipc://{folder}/admin.ipc", "--workers", "2", "--metrics", "127.0.0.1:0",
             "--state", str(folder / "state"), "--notices", f"ipc://{folder}/notices.ipc", "--orders",
             f"ipc://{folder}/orders.ipc", *args], stderr=subprocess.PIPE, text=True)
        self.log, self.seen, self.ended = "", threading.Condition(), False
        threading.Thread(target=self.read, daemon=True).start()

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

    def status(self):
        status = self.process.wait(DEADLINE_S)
        with self.seen:
            self.seen.wait_for(lambda: self.ended, DEADLINE_S)
        check("Sanitizer" not in self.log and "runtime error" not in self.log, self.log[-3000:])
        return status


class Load:
    """Gateways that ask all the time, and an analyst whose acknowledged terminations are kept."""

    def __init__(self, folder):
        self.folder, self.stop, self.dead, self.asked, self.resent = folder, False, [], 0, 0
        self.slowest = [0.0] * GATEWAYS
        self.threads = [threading.Thread(target=self.gateway, args=(i,)) for i in range(GATEWAYS)]
        self.threads += [threading.Thread(target=self.analyst), threading.Thread(target=self.the_dead)]
        for thread in self.threads:
            thread.start()

    def gateway(self, number):
        peer, n = Peer(self.folder / "decide.ipc"), 0
        while not self.stop:
            began = time.monotonic()
            answer = peer.ask(question(f"live-{number}", f"g{number}-{n}"))
            self.slowest[number] = max(self.slowest[number], time.monotonic() - began)
            check(answer.get("decision") is True, f"a question was lost or denied: {answer}")
            n += 1
        with lock:
            self.asked += n
            self.resent += peer.resent
        peer.close()

    def analyst(self):
        admin, gateway, n = Peer(self.folder / "admin.ipc"), Peer(self.folder / "decide.ipc"), 0
        while not self.stop:
            name = f"dead-{n}"
            gateway.ask(question(name, f"a-{n}"))
            answer = admin.ask({"op": "session.terminate", "session": name, "reason": "a test"})
            check(answer.get("ok") is True, f"a termination was refused: {answer}")
            self.dead.append(name)
            n += 1
        admin.close()
        gateway.close()

    def the_dead(self):
        peer, n = Peer(self.folder / "decide.ipc"), 0
        while not self.stop:
            if self.dead:
                answer = peer.ask(question(self.dead[n % len(self.dead)], f"d-{n}"))
                check(answer.get("decision") is False, f"an ended session was allowed: {answer}")
                n += 1
        peer.close()

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join()
        peer = Peer(self.folder / "decide.ipc")
        for i, name in enumerate(self.dead):
            answer = peer.ask(question(name, f"end-{i}"))
            check(answer.get("context", {}).get("code") == "terminated", f"{name} is not dead: {answer}")
        peer.close()
        return f"{self.asked} questions, {self.resent} sent again, {len(self.dead)} sessions ended"


def port_of(daemon, side):
    return re.search(side + r"=(?:tcp://)?127\.0\.0\.1:(\d+)", daemon.log)[1]


def gap_of(daemon):
    return int(re.search(r"event=handed_over .*gap_ms=(\d+)", daemon.log)[1])


def upgrades(pdpd, folder, daemon):
    for _ in range(TAKEOVERS):
        time_before = daemon.log
        successor = Daemon(pdpd, folder, "--takeover")
        check(successor.says("event=ready"), f"the successor serves: {successor.log}")
        check(daemon.status() == 0 and "event=handed_over" in daemon.log, f"the other ended: {daemon.log[-500:]}")
        check(re.search(r"event=handing_over .*settled_ms=\d", daemon.log), "it wrote what had changed before")
        for side in ("decide", "metrics"):
            check(port_of(daemon, side) == port_of(successor, side), f"the same port for {side}")
        check("event=ready" in time_before, "it had served")
        print(f"gap {gap_of(daemon)} ms", flush=True)
        for name in ("decide", "admin", "notices", "orders"):
            check((folder / f"{name}.ipc").exists(), f"the file of {name} stays")
        daemon = successor
    return daemon


def bad_successors(pdpd, folder, daemon):
    before = daemon.log.count("handing_over")
    policies = folder / "policies/web.yaml"
    policies.write_text("nonsense: [\n")
    check(Daemon(pdpd, folder, "--takeover").status() == 2, "bad policies are refused")
    policies.write_text(POLICY)
    check(Daemon(pdpd, folder, "--takeover", "--decide", "ipc:///nonexistent/x.ipc").status() == 2, "a bad listener")
    check(Daemon(pdpd, folder, "--takeover", "--workers", "x").status() == 2, "bad flags")
    check(Daemon(pdpd, folder).status() != 0, "without the flag, the folder is in use")
    check(daemon.log.count("handing_over") == before, "the one that runs has not noticed")
    said = subprocess.run([pdpd, "--policies", str(folder / "policies"), "--decide", "ipc:///nonexistent/x",
                           "--takeover"], stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S)
    check(said.returncode == 2 and "a takeover needs a state folder" in said.stderr, said.stderr)
    with tempfile.TemporaryDirectory() as other:
        check(Daemon(pdpd, folder, "--takeover", "--state", other).status() == 2, "nobody runs in that folder")


def words(folder, *said):
    """A successor that says some words, then is gone. Returns what it heard."""
    heard = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(DEADLINE_S)
        s.connect(str(folder / "state/takeover"))
        for word in said:
            s.sendall(word)
            text, fds, _, _ = socket.recv_fds(s, 65536, 64)
            heard.append(text)
            for fd in fds:
                os.close(fd)
    return heard


def failing_successors(folder, daemon):
    check(words(folder, b"give me") == [b""], "a word of another is not heard")
    heard = words(folder, b"takeover?")
    check(b"decide ipc://" in heard[0] and b"admin ipc://" in heard[0], f"listeners: {heard}")
    for i in range(1, TAKEOVERS + 1):
        check(words(folder, b"takeover?", b"go")[1] == b"done", "it lets go")
        with daemon.seen:
            daemon.seen.wait_for(lambda: daemon.log.count("event=takeover_failed") == i or daemon.ended, DEADLINE_S)
        check(daemon.log.count("event=takeover_failed") == i, f"it takes back: {daemon.log[-500:]}")


def build(pdpd, folder, version):
    said = subprocess.run([os.path.join(os.path.dirname(pdpd), "pdpctl"), "build", str(folder / "policies"), "-o",
                           str(folder / "p.bundle"), "--version", str(version), "--expires", "2099-01-01T00:00:00Z"],
                          capture_output=True, text=True, timeout=DEADLINE_S)
    check(said.returncode == 0, said.stderr)


def bundles_move_too(pdpd, folder):
    """What was served last is remembered by whoever serves, and by nobody else."""
    source = ["--bundle", str(folder / "p.bundle"), "--bundle-unsigned"]
    build(pdpd, folder, 1)
    daemon = Daemon(pdpd, folder, source=source)
    check(daemon.says("event=ready"), f"it serves a bundle: {daemon.log}")
    build(pdpd, folder, 2)
    successor = Daemon(pdpd, folder, "--takeover", source=source)
    check(successor.says("event=ready") and daemon.status() == 0, f"the next one took over: {successor.log}")
    served = folder / "state/served-bundle"
    check("version 2\n" in served.read_text(), "and remembered its own")
    check(words(folder, b"takeover?", b"go")[1] == b"done", "it lets go")
    check(successor.says("event=takeover_failed"), f"and takes back: {successor.log[-500:]}")
    build(pdpd, folder, 3)
    successor.process.send_signal(signal.SIGHUP)
    check(successor.says("event=reloaded") and "version 3\n" in served.read_text(), "it remembers what it serves")
    build(pdpd, folder, 1)
    check(Daemon(pdpd, folder, "--takeover", source=source).status() == 2, "an older bundle does not take over")
    successor.process.send_signal(signal.SIGTERM)
    check(successor.status() == 0, "it ends")


def a_successor_that_does_not_wait(folder, daemon):
    """What many decisions have changed is written before anything stops: who is gone meanwhile has changed nothing."""
    peer = Peer(folder / "decide.ipc")
    for batch in range(20):
        items = [question(f"many-{batch}-{i}", f"m-{batch}-{i}") for i in range(256)]
        answers = peer.ask({"evaluations": items}).get("evaluations", [])
        check(len(answers) == 256 and all(a["decision"] for a in answers), "sessions begin")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(str(folder / "state/takeover"))
        s.sendall(b"takeover?")
        for fd in socket.recv_fds(s, 65536, 64)[1]:
            os.close(fd)
        s.sendall(b"go")
    before = daemon.log.count("event=takeover_failed")
    with daemon.seen:
        daemon.seen.wait_for(lambda: "event=takeover_put_off" in daemon.log
                             or daemon.log.count("event=takeover_failed") > before or daemon.ended, DEADLINE_S)
    check(not daemon.ended, f"it goes on: {daemon.log[-500:]}")
    check(peer.ask(question("many-0-0", "again")).get("decision") is True, "and answers")
    peer.close()


def killed_successor(pdpd, folder, daemon):
    """Killed at whatever moment this machine makes it: one of the two serves, or none has to."""
    successor = Daemon(pdpd, folder, "--takeover")
    daemon.says("event=handing_over pid=%d" % successor.process.pid)
    successor.process.send_signal(signal.SIGKILL)
    successor.process.wait()
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until and daemon.process.poll() is None:
        if "takeover_failed pid=%d" % successor.process.pid in daemon.log:
            return daemon # it took back
        time.sleep(0.01)
    check(daemon.status() == 0, "it had handed over")
    fresh = Daemon(pdpd, folder)
    check(fresh.says("event=ready"), f"a fresh one starts: {fresh.log}")
    return fresh


def main():
    pdpd = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "policies").mkdir()
        (folder / "state").mkdir(mode=0o700)
        (folder / "policies/web.yaml").write_text(POLICY)
        daemon = Daemon(pdpd, folder)
        check(daemon.says("event=ready"), f"it is ready: {daemon.log}")
        load = Load(folder)
        daemon = upgrades(pdpd, folder, daemon)
        bad_successors(pdpd, folder, daemon)
        failing_successors(folder, daemon)
        a_successor_that_does_not_wait(folder, daemon)
        for _ in range(2):
            daemon = killed_successor(pdpd, folder, daemon)
        daemon = upgrades(pdpd, folder, daemon)
        print(load.end(), flush=True)
        print(f"slowest answer {max(load.slowest) * 1000:.0f} ms", flush=True)
        daemon.process.send_signal(signal.SIGTERM)
        check(daemon.status() == 0, "it ends")
        check(not (folder / "state/takeover").exists() and not (folder / "decide.ipc").exists(), "and clears up")
        bundles_move_too(pdpd, folder)
    print(f"{checks} checks, {failures} failed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
