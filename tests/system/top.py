#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pdpctl top`: `top.py BIN`. What it shows is what was asked."""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from takeover import DEADLINE_S, Peer # noqa: E402

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
  - {id: no-delete, effect: deny, actions: [DELETE]}
"""
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.5.0"]
checks = failures = 0


def check(condition, what):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAIL: {what}")


def ask(peer, n, session, action, agent=0):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    return peer.ask({"subject": {"type": "user", "id": f"u-{session}"}, "action": {"name": action}, "request_id": f"r{n}",
                     "resource": {"type": "route", "id": "/a"},
                     "context": {"session": {"id": session, "auth_time": now}, "network": {"ip": "203.0.113.7"},
                                 "device": {"user_agent": AGENTS[agent]}}})


def top(binary, folder, *flags):
    return subprocess.run([binary / "pdpctl", "top", "--connect", f"ipc://{folder}/admin.ipc", *flags],
                          capture_output=True, text=True, timeout=DEADLINE_S)


def the_answer(binary, folder):
    said = top(binary, folder, "--json")
    check(said.returncode == 0, said.stderr)
    answer = json.loads(said.stdout)
    check(answer["ok"] and answer["sessions"] == 21 and answer["tombstones"] == 0, "sessions")
    check(answer["answers"]["allow"] == 41 and answer["answers"]["deny"] == 5, f"answers {answer['answers']}")
    check([(rule["rule"], rule["hits"], rule["effect"]) for rule in answer["rules"]] ==
          [("web/read", 41, "allow"), ("web/no-delete", 3, "deny")], f"rules {answer['rules']}")
    check(sum(answer["latency"]["counts"]) == 46 // 16 and answer["latency"]["p50_ns"] > 0, "latency")
    check(len(answer["latency"]["counts"]) == len(answer["latency"]["up_to_ns"]) + 1, "steps")
    scores = [session["score"] for session in answer["riskiest"]]
    check(len(scores) == 10 and scores == sorted(scores, reverse=True), f"riskiest {scores}")
    check(answer["riskiest"][0]["subject"] == "u-s7", f"the one whose agent changed is first: {answer['riskiest'][0]}")
    return answer["riskiest"][0]["ref"]


def the_screen(binary, folder, ref):
    stop = threading.Event()

    def go_on():
        with_peer, n = Peer(folder / "decide.ipc"), 1000
        while not stop.is_set():
            ask(with_peer, n, "s1", "GET")
            n += 1
        with_peer.close()

    thread = threading.Thread(target=go_on)
    thread.start()
    said = top(binary, folder, "--once")
    stop.set()
    thread.join()
    check(said.returncode == 0 and "\x1b" not in said.stdout, said.stderr)
    figures = re.search(r"A SECOND +questions.*\n +(\d+) +(\d+) +0 +0 +0 +0  [\d.]+ us, [\d.]+ us\n", said.stdout)
    check(figures and int(figures[1]) > 0 and figures[1] == figures[2], f"answers a second: {said.stdout}")
    check(re.search(r"\n +[1-9]\d* +\d+  allow +web/read\n", said.stdout), f"the rule: {said.stdout}")
    check(re.search(rf"\n +[\d.]+  {ref} .* u-s7\n", said.stdout), f"the session: {said.stdout}")


def what_ends_goes(binary, folder, ref):
    admin = Peer(folder / "admin.ipc")
    check(admin.ask({"op": "session.terminate", "session": ref, "reason": "a test"})["ok"], "terminated")
    admin.close()
    answer = json.loads(top(binary, folder, "--json").stdout)
    check(ref not in [session["ref"] for session in answer["riskiest"]] and answer["tombstones"] == 1, "it is gone")


def mistakes(binary, folder):
    said = top(binary, folder)
    check(said.returncode == 2 and "needs a terminal" in said.stderr, f"no terminal: {said.stderr}")
    for connect, words in ((f"ipc://{folder}/decide.ipc", "no admin endpoint"), ("ipc:///nonexistent/x", "no answer")):
        said = subprocess.run([binary / "pdpctl", "top", "--once", "--connect", connect, "--deadline", "300"],
                              capture_output=True, text=True, timeout=DEADLINE_S)
        check(said.returncode == 2 and words in said.stderr, f"{connect}: {said.returncode} {said.stderr}")
    said = subprocess.run([binary / "pdpctl", "top"], capture_output=True, text=True, timeout=DEADLINE_S)
    check(said.returncode == 2 and "`--connect URL` is missing" in said.stderr, said.stderr)


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "policies").mkdir()
        (folder / "policies/web.yaml").write_text(POLICY)
        daemon = subprocess.Popen([binary / "pdpd", "--policies", folder / "policies", "--workers", "1", "--decide",
                                   f"ipc://{folder}/decide.ipc", "--admin", f"ipc://{folder}/admin.ipc"],
                                  stderr=subprocess.PIPE, text=True)
        while "event=ready" not in daemon.stderr.readline():
            pass
        peer = Peer(folder / "decide.ipc")
        for n in range(40):
            ask(peer, n, f"s{n % 20}", "GET", agent=n == 27)
        for n in range(3):
            ask(peer, 50 + n, "s0", "DELETE")
        for n in range(2):
            ask(peer, 60 + n, "s0", "POST")
        ask(peer, 70, "s20", "GET")
        ref = the_answer(binary, folder)
        the_screen(binary, folder, ref)
        what_ends_goes(binary, folder, ref)
        mistakes(binary, folder)
        peer.close()
        daemon.send_signal(signal.SIGTERM)
        log = daemon.communicate(timeout=DEADLINE_S)[1]
        check(daemon.returncode == 0 and "Sanitizer" not in log, log)
    print(f"{checks} checks, {failures} failed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
