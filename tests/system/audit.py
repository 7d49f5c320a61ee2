# SPDX-License-Identifier: Apache-2.0
"""A real pdpd keeps an audit log; pdpctl reads, proves and exports it, on the files and through the daemon; it survives
kills and a full disk, and reaches a syslog server over TLS."""
import atexit
import datetime
import json
import os
import pathlib
import resource
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

BIN = pathlib.Path(sys.argv[1]).resolve()
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, when: action.name == "GET"}
  - {id: pay, effect: allow, audit: always, when: action.name == "PAY"}
  - {id: drop, effect: deny, when: action.name == "DROP", reason: nobody drops}
  - {id: end, effect: terminate, when: action.name == "STEAL"}
"""
checks = failures = 0


def check(good, what):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print("FAILED:", what, flush=True)


def until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    check(False, f"{what}: not within {seconds} s")
    return False


def when(record):
    return datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00"))


class Daemon:
    def __init__(self, folder, name, config="", state=True, limit=None):
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        (self.folder / "policies").mkdir(exist_ok=True)
        (self.folder / "policies" / "web.yaml").write_text(POLICY)
        self.state = self.folder / "state"
        self.state.mkdir(exist_ok=True)
        self.decide, self.admin = f"ipc://{self.folder}/d", f"ipc://{self.folder}/a"
        text = f"policies: {self.folder}/policies\ndecide: {self.decide}\nadmin: {self.admin}\nworkers: 1\n"
        text += f"state: {self.state}\n" if state else ""
        (self.folder / "pdpd.yaml").write_text(text + config)
        self.limit = limit
        self.start()

    def start(self):
        def small():
            if self.limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, resource.RLIM_INFINITY))
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen([BIN / "pdpd", "--config", self.folder / "pdpd.yaml"], stderr=self.log,
                                        preexec_fn=small)
        atexit.register(self.process.kill)
        until("ready", lambda: self.process.poll() is not None or self.status() is not None)

    def status(self):
        done = subprocess.run([BIN / "pdpctl", "status", "--connect", self.admin, "--json"], capture_output=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()
        self.log.close()

    def text(self):
        return (self.folder / "log").read_text()


def ctl(*args):
    done = subprocess.run([BIN / "pdpctl", *map(str, args)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def records(*args):
    code, out, err = ctl("audit", "query", "--json", "--limit", 10000, *args)
    check(code == 0, f"query {args}: {err}")
    return [json.loads(line) for line in out.splitlines()]


class Asker:
    """Questions over one connection, several in flight."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(daemon.decide[6:])
        self.socket.sendall(bytes.fromhex("0053500000300000"))
        self.take(8)
        self.number = 0

    def take(self, count):
        got = b""
        while len(got) < count:
            part = self.socket.recv(count - len(got))
            if not part:
                raise EOFError
            got += part
        return got

    def send(self, message):
        self.number += 1
        body = struct.pack(">I", 0x80000000 | self.number) + json.dumps(message).encode()
        self.socket.sendall(b"\x01" + struct.pack(">Q", len(body)) + body)

    def answer(self):
        head = self.take(9)
        return json.loads(self.take(struct.unpack(">Q", head[1:])[0])[4:])

    def ask(self, message):
        self.send(message)
        return self.answer()


def question(action, subject="alice", session=None, **more):
    out = {"tenant": "acme", "subject": {"type": "user", "id": subject}, "action": {"name": action},
           "resource": {"type": "route", "id": "/payroll/42"},
           "context": {"network": {"ip": "203.0.113.7"}, "device": {"user_agent": "Mozilla/5.0"}}, **more}
    if session:
        out["context"]["session"] = {"id": session, "auth_time": int(time.time())}
    return out


def signed(daemon, count):
    until("signed", lambda: (daemon.status() or {"audit": {"signed": 0}})["audit"]["signed"] >= count)


# ---- What is kept, and how it is found -----------------------------------------------------------------------------

def queries(folder):
    daemon = Daemon(folder, "queries")
    asker = Asker(daemon)
    allowed = asker.ask(question("GET", session="secret-1"))["context"]
    check(allowed["effect"] == "allow", "allowed")
    denied = asker.ask(question("DROP", subject="roberta"))["context"]
    for _ in range(50):
        asker.ask(question("DROP", subject="carol"))
    ended = asker.ask(question("STEAL", session="secret-1"))["context"]
    check(ended["effect"] == "terminate", "terminated")
    asker.ask({"nonsense": True})
    asker.ask({"event": {"type": "login", "subject": {"type": "user", "id": "dora"},
                         "context": {"session": {"id": "secret-2"}}}, "tenant": "acme", "request_id": "e1"})
    ctl("session", "terminate", "--connect", daemon.admin, "--session", "secret-3", "--reason", "stolen laptop")
    ctl("session", "list", "--connect", daemon.admin)
    first = records("--connect", daemon.admin, "--subject", "carol")[0]
    until("like denials are told", lambda: records("--connect", daemon.admin, "--where", 'kind == "coalesced"'))
    for where in (["--connect", daemon.admin], ["--state", daemon.state]):
        found = records(*where, "--session", allowed["session"]["ref"])
        check([r["effect"] for r in found] == ["allow", "terminate"], f"by session: {found}")
        found = records(*where, "--subject", "roberta")
        check(len(found) == 1 and found[0]["id"] == denied["decision_id"] and found[0]["ip"] == "203.0.113.7",
              f"by subject: {found}")
        check([r["rule"] for r in records(*where, "--rule", "web/end")] == ["web/end"], "by rule")
        check({r["subject"] for r in records(*where, "--effect", "deny", "--where", 'kind == "decision"')} ==
              {"roberta", "carol"}, "by effect and CEL")
        check(len(records(*where, "--gateway", "uid:%d" % os.getuid())) >= 4 and not records(*where, "--gateway", "x"),
              "by gateway")
        since, before = records(*where, "--since", first["time"]), records(*where, "--until", first["time"])
        check(since and before and all(when(r) >= when(first) for r in since) and
              all(when(r) < when(first) for r in before), "by time")
        carol = records(*where, "--where", 'kind == "coalesced" || (kind == "decision" && subject == "carol")')
        check(sum(r.get("count", 1) for r in carol if r["kind"] == "coalesced" or r["subject"] == "carol") == 50,
              f"every denial is counted: {carol}")
        check(len(carol) < 20, "like denials are coalesced")
        order = records(*where, "--where", 'kind == "order"')
        check(len(order) == 1 and order[0]["op"] == "session.terminate" and order[0]["reason"] == "stolen laptop" and
              order[0]["target"].startswith("s_") and order[0]["ok"], f"orders: {order}")
        check(any(r["op"] == "session.list" for r in records(*where, "--where", 'kind == "read"')), "reads")
        check([r["field"] for r in records(*where, "--where", 'kind == "refusal"')] == ["subject"], "refusals")
        check([r["event"] for r in records(*where, "--where", 'kind == "event"')] == ["login"], "events")
        everything = "".join(json.dumps(r) for r in records(*where))
        check("secret-" not in everything, "no session id is in the log")
    # Three letters may come by chance in what is sealed or signed.
    raw = b"".join(p.read_bytes() for p in (daemon.state / "audit").glob("*.log*"))
    check(not any(word in raw for word in (b"alice", b"roberta", b"203.0.113.7", b"Mozilla", b"secret-")),
          "nobody is named in the files")
    code, _, err = ctl("audit", "query", "--state", daemon.state, "--where", 'effekt == "deny"')
    check(code == 2 and "did you mean `effect`?" in err, f"a mistake in a condition: {err}")
    code, _, err = ctl("audit", "query", "--state", daemon.state, "--session", "secret-1")
    check(code == 2 and "no reference" in err, "an id is no reference")
    return daemon, asker, allowed["decision_id"]


# ---- Proofs --------------------------------------------------------------------------------------------------------

def proofs(folder, daemon, asker, decision):
    kept, receipt = folder / "kept", folder / "receipt"
    signed(daemon, 5)
    kept.write_text(daemon.status()["audit"]["checkpoint"])
    vkey = (daemon.state / "audit" / "vkeys").read_text().split("\n")[0]
    for where in (["--connect", daemon.admin], ["--state", daemon.state]):
        code, out, err = ctl("audit", "prove", decision, *where, "--output", receipt)
        check(code == 0, f"prove: {err}")
        check(receipt.read_text().startswith("c2sp.org/tlog-proof@v1\nindex "), "a receipt is a tlog-proof")
        code, out, err = ctl("audit", "verify", "--receipt", receipt, "--vkey", vkey)
        check(code == 0 and "good: record" in out, f"the receipt holds: {err}")
        code, _, err = ctl("audit", "verify", *where, "--vkey", vkey, "--checkpoint", kept)
        check(code == 0, f"verify: {err}")
    record = folder / "receipt.record"
    record.write_bytes(record.read_bytes().replace(b"allow", b"ALLOW"))
    code, _, err = ctl("audit", "verify", "--receipt", receipt, "--vkey", vkey)
    check(code == 1 and "proves nothing" in err, "another record is not proved")
    other = vkey.replace("pdp-audit", "pdp-other")
    code, _, err = ctl("audit", "verify", "--receipt", receipt, "--vkey", other)
    check(code == 2 and "is no key of a log" in err, "a key has its id")
    code, _, err = ctl("audit", "prove", "nobody", "--state", daemon.state, "--output", receipt)
    check(code == 1 and "no record has the id" in err, "no such record")
    before = daemon.status()["audit"]["signed"]
    for number in range(30):
        asker.ask(question("PAY", subject=f"user-{number}"))
    signed(daemon, before + 1)
    for where in (["--connect", daemon.admin], ["--state", daemon.state]):
        code, out, err = ctl("audit", "consistency", *where, "--checkpoint", kept)
        check(code == 0 and "has grown" in out, f"consistency: {err}")
    code, _, err = ctl("audit", "rotate-key", "--connect", daemon.admin)
    check(code == 0, f"rotate-key: {err}")
    asker.ask(question("PAY", subject="late"))
    until("a checkpoint of both keys", lambda: daemon.status()["audit"]["checkpoint"].count("\u2014") == 2)
    code, out, err = ctl("audit", "verify", "--connect", daemon.admin, "--vkey", vkey)
    check(code == 0, f"the old key verifies on: {err}")


# ---- Exports -------------------------------------------------------------------------------------------------------

def exports(daemon):
    code, out, _ = ctl("audit", "export", "--state", daemon.state, "--as", "ocsf")
    lines = [json.loads(line) for line in out.splitlines()]
    for line in lines:
        check(all(key in line for key in ("activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id",
                                          "metadata")), f"OCSF requires: {line}")
        check(line["type_uid"] == line["class_uid"] * 100 + line["activity_id"] and
              line["category_uid"] == line["class_uid"] // 1000 and
              line["metadata"]["product"]["name"] and line["metadata"]["version"], f"OCSF numbers: {line}")
        if line["class_uid"] == 6003:
            check(all(key in line for key in ("actor", "api", "src_endpoint")), f"OCSF API Activity: {line}")
        if line["class_uid"] == 3002:
            check("user" in line and "service" in line, f"OCSF Authentication: {line}")
    allowed = [line for line in lines if line.get("disposition_id") == 1]
    ended = [line for line in lines if line.get("disposition_id") == 24]
    check(allowed[0]["action_id"] == 1 and allowed[0]["type_uid"] == 600302 and allowed[0]["status_id"] == 1, "an allow")
    check(ended[0]["type_uid"] == 300202 and ended[0]["session"]["uid"].startswith("s_") and
          ended[0]["policy"]["uid"] == "web/end" and ended[0]["severity_id"] == 4, "an end is a logoff")
    code, out, _ = ctl("audit", "export", "--connect", daemon.admin, "--as", "ecs", "--effect", "deny")
    lines = [json.loads(line) for line in out.splitlines()]
    denied = [line for line in lines if line.get("user", {}).get("id") == "roberta"][0]
    check(denied["event"]["type"] == ["access", "denied"] and denied["event"]["outcome"] == "success" and
          denied["event"]["reason"] == "nobody drops" and denied["source"]["ip"] == "203.0.113.7" and
          denied["rule"] == {"id": "web/drop", "name": "drop", "ruleset": "web", "version": denied["rule"]["version"]} and
          denied["related"] == {"user": ["roberta"], "ip": ["203.0.113.7"]} and
          denied["user_agent"]["original"] == "Mozilla/5.0" and denied["@timestamp"].endswith("Z"), f"ECS: {denied}")
    code, _, err = ctl("audit", "export", "--state", daemon.state, "--as", "cef")
    check(code == 2 and "one of jsonl, ocsf, ecs" in err, "a form that is none")


# ---- Forgetting ----------------------------------------------------------------------------------------------------

def forgetting(daemon):
    code, out, err = ctl("audit", "forget", "--connect", daemon.admin, "--tenant", "acme", "--subject", "roberta",
                         "--reason", "asked to be")
    check(code == 0 and "1 keys destroyed" in out, f"forget: {out} {err}")
    check(not records("--connect", daemon.admin, "--subject", "roberta"), "roberta is not found any more")
    gone = [r for r in records("--connect", daemon.admin) if r.get("forgotten")]
    check(len(gone) >= 1 and "subject" not in gone[0] and gone[0]["rule"] == "web/drop", "what is left is shown")
    code, _, err = ctl("audit", "forget", "--connect", daemon.admin, "--subject", "roberta", "--reason", "again")
    check(code == 1 and "no key" in err, "of another tenant there is none")
    check(ctl("audit", "verify", "--connect", daemon.admin)[0] == 0, "the log verifies as before")
    check([r["kind"] for r in records("--connect", daemon.admin, "--where", 'kind == "forgotten"')] == ["forgotten"],
          "that somebody was forgotten is told")


# ---- Kills and tampering -------------------------------------------------------------------------------------------

def kills(daemon):
    acknowledged = []
    for _ in range(5):
        asker = Asker(daemon)
        for number in range(200):
            asker.ask(question("PAY", subject=f"k{number % 7}"))
        before = daemon.status()["audit"]["signed"]
        daemon.stop(signal.SIGKILL)
        daemon.start()
        code, out, err = ctl("audit", "verify", "--connect", daemon.admin)
        check(code == 0, f"after a kill: {err}")
        acknowledged.append(before)
        check(daemon.status()["audit"]["records"] >= before, "what was signed is there")
    daemon.stop()
    code, out, err = ctl("audit", "verify", "--state", daemon.state, "--json")
    check(code == 0 and json.loads(out)["ok"] and json.loads(out)["signed"] == json.loads(out)["records"],
          f"after a stop: {out} {err}")
    segment = sorted((daemon.state / "audit").glob("*.log"))[-1]
    whole = segment.read_bytes()
    segment.write_bytes(whole[:700] + bytes([whole[700] ^ 1]) + whole[701:])
    code, out, err = ctl("audit", "verify", "--state", daemon.state)
    check(code == 1 and segment.name in err and "record" in err and "at byte" in err, f"a flipped bit is named: {err}")
    refused = subprocess.run([BIN / "pdpd", "--config", daemon.folder / "pdpd.yaml"], capture_output=True, text=True,
                             timeout=20)
    check(refused.returncode == 2 and segment.name in refused.stderr and "hint:" in refused.stderr,
          f"a changed log is not written on: {refused.stderr}")
    segment.write_bytes(whole)


def full_disk(folder, action):
    audit = folder / f"full-{action}" / "audit"
    daemon = Daemon(folder, f"full-{action}", f"audit: {{path: {audit}, on_full: {action}}}\n", state=False,
                    limit=60000)
    asker = Asker(daemon)
    effects = {"allow": 0, "deny": 0}
    for _ in range(40):
        for number in range(400):
            asker.send(question("PAY", subject=f"u{number % 5}"))
        for number in range(400):
            effects[asker.answer()["context"]["effect"]] += 1
    status = daemon.status()
    check(status["audit"]["stalled"], "stalled")
    until("an alarm", lambda: "audit_stalled" in json.dumps(daemon.status()["alarms"]))
    check("event=audit_stalled" in daemon.text(), "the log says so")
    if action == "deny":
        check(effects["deny"] > 0 and status["audit"]["refused"] == effects["deny"] and status["audit"]["lost"] == 0,
              f"denied for want of a record: {effects} {status['audit']}")
    else:
        check(effects["deny"] == 0 and status["audit"]["lost"] > 0, f"lost and counted: {effects} {status['audit']}")
    subprocess.run(["prlimit", "--pid", str(daemon.process.pid), "--fsize=unlimited"], check=True)
    until("written again", lambda: not daemon.status()["audit"]["stalled"])
    check(asker.ask(question("PAY"))["context"]["effect"] == "allow", "it answers again")
    signed(daemon, 100)
    kind = "refused" if action == "deny" else "lost"
    until("the gap is told", lambda: records("--connect", daemon.admin, "--where", f'kind == "{kind}"'))
    told = sum(r["count"] for r in records("--connect", daemon.admin, "--where", f'kind == "{kind}"'))
    check(told == daemon.status()["audit"][kind], f"all of it is told: {told}")
    daemon.stop()
    code, out, err = ctl("audit", "verify", "--state", audit, "--json")
    check(code == 0, f"the log is whole: {err}")
    if action == "deny":
        kept = len([1 for line in ctl("audit", "export", "--state", audit, "--effect", "allow")[1].splitlines()])
        check(kept == effects["allow"] + 1, f"every allow is in the log: {kept} of {effects['allow'] + 1}")


# ---- Syslog --------------------------------------------------------------------------------------------------------

class Syslog:
    """A server that takes counted messages over TLS."""

    def __init__(self, folder, name="localhost"):
        self.ca, self.key = folder / "syslog.pem", folder / "syslog.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-addext", f"subjectAltName=DNS:{name}", "-keyout", self.key, "-out", self.ca], check=True,
                       capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.ca, self.key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.messages, self.links = [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.take, args=(plain,), daemon=True).start()

    def take(self, plain):
        try:
            link = self.context.wrap_socket(plain, server_side=True)
            self.links.append(link)
            stream = link.makefile("rb")
            while True:
                digits = b""
                while (byte := stream.read(1)) != b" ":
                    if not byte:
                        return
                    digits += byte
                self.messages.append(stream.read(int(digits)).decode())
        except (OSError, ValueError):
            return


def syslog(folder):
    server = Syslog(folder)
    config = f"audit: {{syslog: {{server: 'localhost:{server.port}', ca: {server.ca}}}}}\n"
    daemon = Daemon(folder, "syslog", config)
    asker = Asker(daemon)
    asker.ask(question("DROP", subject="roberta"))
    asker.ask(question("GET", subject="alice"))
    until("two decisions", lambda: sum('"kind":"decision"' in m for m in list(server.messages)) >= 2)
    denied = [m for m in server.messages if 'effect="deny"' in m][0]
    head, body = denied.split(" \ufeff", 1)
    fields = head.split(" ")
    check(fields[0] == "<108>1" and fields[1].endswith("Z") and "T" in fields[1] and fields[3] == "pdpd" and
          fields[5] == "decision" and fields[6] == "[pdp@32473", f"the head: {head}")
    record = json.loads(body)
    check(record["rule"] == "web/drop" and "roberta" not in denied and "203.0.113.7" not in denied, f"the record: {body}")
    for link in server.links:
        link.shutdown(socket.SHUT_RDWR)
    asker.ask(question("PAY", subject="alice"))
    until("sent again by a new link", lambda: any('"action":"PAY"' in m for m in list(server.messages)))
    check(daemon.status()["audit"]["sink_lost"] == 0, "nothing was lost")
    daemon.stop()
    check(any('"kind":"stop"' in m for m in server.messages), "the end is sent too")
    (folder / "other").mkdir()
    stranger = Syslog(folder / "other", "logs.example")  # a certificate for another name
    config = f"audit: {{syslog: {{server: 'localhost:{stranger.port}', ca: {stranger.ca}}}}}\n"
    daemon = Daemon(folder, "stranger", config)
    until("not believed", lambda: "event=syslog_unreachable" in daemon.text())
    check(not stranger.messages, "a server of another name gets nothing")
    daemon.stop()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        daemon, asker, decision = queries(folder)
        proofs(folder, daemon, asker, decision)
        exports(daemon)
        forgetting(daemon)
        kills(daemon)
        full_disk(folder, "deny")
        full_disk(folder, "drop")
        syslog(folder)
    print(f"{checks} checks, {failures} failed")
    sys.exit(1 if failures else 0)


main()
