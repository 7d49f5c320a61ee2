# SPDX-License-Identifier: Apache-2.0
"""An adapter inside of pdpd: settings that are refused, what must be durable before it is told, whom a gateway's name is
believed of, reload, and an upgrade under load."""
import hashlib
import http.client
import json
import subprocess
import threading
import time

from authzen import Pdp
from support import Child, Stage, check, finish, ours, until, wait

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
target: 'true'
rules:
  - {id: over, effect: terminate, when: action.name == "break", reason: broken}
  - {id: proved, effect: allow, when: '"otp" in session.amr', actions: [GET]}
  - {id: edge, effect: allow, when: gateway == "edge-1" && action.name == "PUT"}
"""
def ask(session, action, request_id=None):
    return {"subject": {"type": "user", "id": "alice"}, "action": {"name": action}, "resource": {"type": "file", "id": "a"},
            **({"request_id": request_id} if request_id else {}),
            "context": {"session": {"id": session, "auth_time": int(time.time()) - 5}}}


def login(session, request_id):
    return {"request_id": request_id, "event": {"type": "login", "subject": {"type": "user", "id": "alice"},
                                                "context": {"session": {"id": session}},
                                                "properties": {"acr": "aal2", "amr": ["pwd", "otp"]}}}


def post(port, path, body, token=None, deadline_s=10):
    """Status and JSON; 0 where nobody answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=deadline_s)
    try:
        head = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        connection.request("POST", path, json.dumps(body), head)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else {"text": text.decode(errors="replace")}
    except OSError:
        return 0, {}
    except http.client.HTTPException:
        return 0, {}
    finally:
        connection.close()


def refused(stage):
    """What `pdpd --check` and a start say of settings that are wrong."""
    folder = stage.dir / "refused"
    (folder / "policies").mkdir(parents=True)
    (folder / "policies/web.yaml").write_text(POLICY)
    cases = [
        ("http: {listen: '127.0.0.1:0', opne: true}", "pdpd.yaml:2:31: error: `opne` is no setting of this adapter"),
        ("http: {listen: '127.0.0.1:0', deadline: 5}", "pdpd.yaml:2:41: error: `deadline` is a time from"),
        ("http: {listen: 'nowhere'}", "pdpd.yaml:2:17: error: an address is `127.0.0.1:8080`"),
        ("http: {listen: '127.0.0.1:0', open: {a: b}}", "pdpd.yaml:2:37: error: expected text"),
        ("http: {listen: ['127.0.0.1:0', '127.0.0.1:0', '127.0.0.1:0', '127.0.0.1:0', '127.0.0.1:0']}", "at most 4 addresses"),
        ("http: {listen: '127.0.0.1:0', open: true}\nsimulate: true", "no adapter may ask"),
        ("spoe: {grants: [everything]}", "`everything` is no grant"),
    ]
    for section, words in cases:
        (folder / "pdpd.yaml").write_text(f"policies: policies\n{section}\n")
        for more in (["--check"], ["--decide", f"ipc://{folder}/d.ipc"]):
            if "simulate" in section and more == ["--check"]:
                continue
            done = subprocess.run([ours("pdpd"), "--config", "pdpd.yaml", *more], cwd=folder, capture_output=True, text=True,
                                  timeout=30)
            check(done.returncode == 2 and words in done.stderr, f"{section} {more}: {done.returncode} {done.stderr}")


def durable(stage):
    """What was acknowledged over HTTP is there after a crash: an issuer's word, and an end by policy."""
    pdp = Pdp(stage, {"web.yaml": POLICY}, {"open": "true"}, where="inside", name="durable", state=True)
    for i in range(20):
        session = f"s{i}"
        status, said = post(pdp.pdpd.ports["http"], "/v1/events", login(session, f"l{i}"))
        check(status == 200 and said.get("event", {}).get("recorded"), f"login {i}: {status} {said}")
        status, said = post(pdp.pdpd.ports["http"], "/access/v1/evaluation", ask(session, "break" if i % 2 else "GET"))
        effect = said.get("context", {}).get("effect")
        check(effect == ("terminate" if i % 2 else "allow"), f"question {i}: {said}")
        pdp.pdpd.kill()
        pdp.pdpd.start()
        status, said = post(pdp.pdpd.ports["http"], "/access/v1/evaluation", ask(session, "GET"))
        code = said.get("context", {}).get("code")
        check(said.get("decision") is (i % 2 == 0) and code == ("terminated" if i % 2 else "policy"), f"after the crash {i}: {said}")


def relayed(stage):
    """A caller's name is the gateway's, and may do what its entry says."""
    token = "a" * 43
    digest = hashlib.sha256(token.encode()).hexdigest()
    other = "b" * 43
    tokens = stage.write("tokens", f"edge-1 sha256:{digest}\nedge-2 sha256:{hashlib.sha256(other.encode()).hexdigest()}\n")
    pdp = Pdp(stage, {"web.yaml": POLICY}, {"tokens": tokens}, where="inside", name="relayed",
              config="peers:\n  - {relay: edge-1, grants: [ask], may_assert: [authentication]}\n  - {relay: edge-2, grants: [ask, issue], may_assert: [authentication]}\n")
    check(post(pdp.port, "/access/v1/evaluation", ask("s", "PUT"))[0] == 401, "nobody without a token")
    status, said = post(pdp.port, "/access/v1/evaluation", ask("s", "PUT"), token)
    check(said.get("decision") is True, f"edge-1 by its name: {status} {said}")
    check(post(pdp.port, "/access/v1/evaluation", ask("s2", "PUT"), other)[1].get("decision") is False, "edge-2 by its name")
    check(post(pdp.port, "/access/v1/evaluation", {**ask("s3", "PUT"), "gateway": "edge-1"}, other)[1].get("decision") is False,
          "nobody by a field of the body")
    status, said = post(pdp.port, "/v1/events", login("s4", "e1"), token)
    check(not said.get("event", {}).get("recorded"), f"edge-1 may not issue: {status} {said}")
    status, said = post(pdp.port, "/v1/events", login("s5", "e2"), other)
    check(said.get("event", {}).get("recorded") is True, f"edge-2 may: {status} {said}")
    # A roll of tokens.
    tokens.write_text(f"edge-2 sha256:{digest}\n")
    pdp.child.signal(1)
    until("the tokens are read anew", lambda: post(pdp.port, "/access/v1/evaluation", ask("s6", "PUT"), other)[0] == 401)
    check(post(pdp.port, "/access/v1/evaluation", ask("s7", "PUT"), token)[1].get("decision") is False, "it is edge-2 now")


class Load:
    """Callers that ask without an end; each answer is looked at."""

    def __init__(self, port, callers=4):
        self.port, self.over = port, threading.Event()
        self.good = self.none = 0
        self.wrong = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(callers)]
        for thread in self.threads:
            thread.start()

    def run(self, caller):
        turn = 0
        while not self.over.is_set():
            turn += 1
            dead = turn % 3 == 0
            status, said = post(self.port, "/access/v1/evaluation", ask("dead" if dead else f"alive{caller}", "GET"))
            with self.lock:
                if status == 0:
                    self.none += 1
                elif status != 200 or said.get("decision") is dead:
                    self.wrong.append((status, said))
                else:
                    self.good += 1

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(30)


def upgrade(stage):
    """A successor takes the adapter's socket over: nobody finds the door closed, and what ended stays ended."""
    pdp = Pdp(stage, {"web.yaml": POLICY}, {"open": "true"}, where="inside", name="upgrade", state=True)
    for session in ("dead", *(f"alive{i}" for i in range(4))):
        check(post(pdp.port, "/v1/events", login(session, f"l-{session}"))[1].get("event", {}).get("recorded"), session)
    check(post(pdp.port, "/access/v1/evaluation", ask("dead", "break"))[1]["context"]["effect"] == "terminate", "it ends")
    load = Load(pdp.port)
    until("they ask", lambda: load.good > 50)
    children = [pdp.child]
    for turn in range(3):
        argv = [arg for arg in pdp.child.argv]
        successor = Child(stage, f"successor{turn}", argv + ["--takeover"])
        check(successor.says("event=ready"), f"it takes over: {successor.log()[-600:]}")
        check(wait(lambda: children[-1].process.poll() is not None), "the other ends")
        children.append(successor)
        before = load.good
        until("it answers", lambda: load.good > before + 50)
    load.end()
    check(not load.wrong, f"wrong answers: {load.wrong[:3]}")
    check(load.none <= 12, f"{load.none} without an answer, of {load.good}")  # those under way at a connection's end
    check(post(pdp.port, "/access/v1/evaluation", ask("dead", "GET"))[1]["context"]["code"] == "terminated", "it stays ended")


with Stage() as stage:
    refused(stage)
    durable(stage)
    relayed(stage)
    upgrade(stage)
finish()
