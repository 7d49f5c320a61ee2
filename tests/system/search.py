#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Searches of a real daemon: `search.py BIN`. The vectors of AuthZEN's search demonstration are asked where they lie beside the
work tree (PDP_SHARED)."""
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 30
BIN = pathlib.Path(sys.argv[1])
VECTORS = pathlib.Path(os.environ.get("PDP_SHARED", "../shared")) / "conformance/authzen"
DEMO = pathlib.Path("policies/authzen-interop/search")
MANY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: p}
rules:
  - {id: read, effect: allow, actions: [read], when: resource.open}
  - {id: own, effect: allow, actions: [write], when: 'resource.id.startsWith("r0001")'}
---
apiVersion: pdp/v1
kind: Entities
metadata: {name: people}
type: user
ids: lists.people
---
apiVersion: pdp/v1
kind: List
metadata: {name: people}
type: string
file: people.txt
---
apiVersion: pdp/v1
kind: Entities
metadata: {name: records}
type: record
entities:
"""
checks = failures = 0


def check(condition, what):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAIL: {what}", flush=True)


def receive(s, count):
    data = b""
    while len(data) < count:
        part = s.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


class Daemon:
    def __init__(self, policies, folder, *more):
        self.folder = folder
        self.path = folder / "decide.ipc"
        argv = [BIN / "pdpd", "--policies", policies, "--decide", f"ipc://{self.path}", "--admin", f"ipc://{folder}/admin.ipc", *more]
        self.process = subprocess.Popen([str(arg) for arg in argv], stderr=subprocess.DEVNULL)
        self.socket = self.connect()

    def connect(self):
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(DEADLINE_S)
                s.connect(str(self.path))
                s.sendall(b"\0SP\0\0\x30\0\0")
                receive(s, 8)
                return s
            except (OSError, EOFError):
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.01)

    def ask_once(self, message):
        text = b"\x80\0\0\1" + json.dumps(message).encode()
        self.socket.sendall(b"\1" + struct.pack(">Q", len(text)) + text)
        return json.loads(receive(self.socket, struct.unpack(">Q", receive(self.socket, 9)[1:])[0])[4:])

    def ask(self, message):
        """On a machine that is busy a message may have waited for too long: it is asked again."""
        answer = self.ask_once(message)
        while answer.get("context", {}).get("code") == "overloaded" and "retry_after" in answer["context"]:
            time.sleep(answer["context"]["retry_after"] / 1000)
            answer = self.ask_once(message)
        return answer

    def pdpctl(self, *args):
        return subprocess.run([str(BIN / "pdpctl"), *args, "--connect", f"ipc://{self.folder}/admin.ipc"], capture_output=True, text=True,
                              timeout=DEADLINE_S * 4)

    def end(self):
        self.socket.close()
        self.process.terminate()
        check(self.process.wait(DEADLINE_S) == 0, "pdpd ends well")


def names(answer):
    return sorted(found.get("id", found.get("name")) for found in answer.get("results", []))


def demo(folder):
    """60, 18 and 120 searches: whoever asks names ids alone."""
    daemon = Daemon(DEMO, folder)
    asked = 0
    for part in ("subject", "resource", "action"):
        file = VECTORS / f"search-{part}.json"
        if not file.exists():
            print(f"skipped: {file} is not here")
            continue
        for vector in json.loads(file.read_text())["evaluation"]:
            answer = daemon.ask({"search": part, **vector["request"]})
            check(names(answer) == names(vector["expected"]), f"{part} {vector['request']}: {answer}")
            asked += 1
    print(f"{asked} vectors")
    daemon.end()


def certification(folder):
    """The searches of the certification scenario, over its fixture."""
    daemon = Daemon(pathlib.Path("policies/authzen-certification"), folder)
    for case in json.loads(pathlib.Path("tests/cases/searches/certification.json").read_text()):
        answer = daemon.ask(case["search"])
        found = names(answer)
        check("results" in answer and set(case["includes"]) <= set(found) and not set(case.get("excludes", [])) & set(found),
              f"{case['name']}: {answer}")
    daemon.end()


def write_many(folder):
    (folder / "policies").mkdir()
    records = "".join(f"  - {{id: r{i:05}, properties: {{open: {'true' if i % 2 == 0 else 'false'}}}}}\n" for i in range(3000))
    (folder / "policies/many.yaml").write_text(MANY + records)
    (folder / "policies/people.txt").write_text("alice\nbob\n")


SEARCH = {"search": "resource", "subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
          "resource": {"type": "record"}, "explain": "full"}


def pages(daemon, search, restart=None):
    """All results, page by page."""
    found, token, count = [], "", 0
    while count == 0 or token:
        page = {**search.get("page", {}), **({"token": token} if token else {})}
        answer = daemon.ask({**search, "page": page, "request_id": f"page-{count}"})
        check("results" in answer, f"page {count}: {answer}")
        found += [result["id"] for result in answer.get("results", [])]
        token, count = answer.get("page", {}).get("next_token", ""), count + 1
        if restart is not None and count == 1:
            daemon = restart(daemon)
    return found, count, daemon


def many(folder):
    write_many(folder)
    (folder / "state").mkdir(mode=0o700)
    state = ("--state", folder / "state")
    daemon = Daemon(folder / "policies", folder, *state)
    even = [f"r{i:05}" for i in range(0, 3000, 2)]
    found, count, daemon = pages(daemon, SEARCH)
    check(found == even and count == 3, f"{len(found)} results on {count} pages")

    def again(old):
        old.end()
        return Daemon(folder / "policies", folder, *state)
    found, count, daemon = pages(daemon, {**SEARCH, "page": {"limit": 400}}, again)
    check(found == even and count == 4, f"over a restart: {len(found)} results on {count} pages")

    answer = daemon.ask({**SEARCH, "action": {"name": "write"}})
    check(len(answer["results"]) == 10 and answer["context"]["looked"] == 10 and answer["context"]["of"] == 3000, f"a prefix: {answer}")
    everybody = {"search": "subject", "subject": {"type": "user"}, "action": {"name": "write"}, "resource": {"type": "record", "id": "r00010"}}
    check(names(daemon.ask(everybody)) == ["alice", "bob"], "people of a List")
    (folder / "policies/people.txt").write_text("alice\ncarol\n")
    said = daemon.pdpctl("reload", "--list", "people")
    check(said.returncode == 0, f"reload: {said.stderr}")
    check(names(daemon.ask(everybody)) == ["alice", "carol"], "people of a List that was read anew")

    token = daemon.ask({**SEARCH, "page": {"limit": 5}})["page"]["next_token"]
    answer = daemon.ask({**SEARCH, "action": {"name": "write"}, "page": {"limit": 5, "token": token}})
    check(answer.get("decision") is False and answer["context"]["error"]["field"] == "page.token", f"another search: {answer}")
    said = daemon.pdpctl("status", "--json")
    check(json.loads(said.stdout).get("answers", {}).get("searches", 0) >= 5, f"status: {said.stdout[:400]}")
    daemon.end()


def main():
    for test in (demo, certification, many):
        with tempfile.TemporaryDirectory(prefix="pdp-search-") as folder:
            test(pathlib.Path(folder))
    print(f"{checks} checks, {failures} failed")
    return 1 if failures or not checks else 0


if __name__ == "__main__":
    sys.exit(main())
