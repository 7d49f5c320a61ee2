# SPDX-License-Identifier: Apache-2.0
"""The real daemon over TLS: certificates good and bad, roles, reload, revocation, slow handshakes. Certificates are made here,
with the openssl command; none is kept. Usage: tls.py BIN"""
import json
import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

BIN = os.path.abspath(sys.argv[1])
DEADLINE_S = 30
checks = failures = 0

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
"""
QUESTION = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "GET"},
            "resource": {"type": "route", "id": "/a"}}


def check(ok, what):
    global checks, failures
    checks += 1
    if not ok:
        failures += 1
        print(f"FAIL: {what}", flush=True)
    return ok


def until(what, condition):
    """Waits for a condition that must come true."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if condition():
            return check(True, what)
        time.sleep(0.02)
    return check(False, f"{what}: not within {DEADLINE_S} s")


def run(*args, **kwargs):
    return subprocess.run(args, capture_output=True, text=True, timeout=DEADLINE_S, **kwargs)


def openssl(*args, **kwargs):
    done = run("openssl", *args, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {args}: {done.stderr}")


CA_CONFIG = """[ca]
default_ca = it
[it]
dir = .
database = ./index.txt
new_certs_dir = .
serial = ./serial
crlnumber = ./crlnumber
certificate = ./ca.pem
private_key = ./ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
unique_subject = no
email_in_dn = no
string_mask = utf8only
[any]
commonName = supplied
"""


class Ca:
    def __init__(self, folder, name):
        self.at = os.path.join(folder, name)
        os.mkdir(self.at)
        self.put("ca.cnf", CA_CONFIG)
        self.put("index.txt", "")
        self.put("serial", "1000\n")
        self.put("crlnumber", "01\n")
        self.key("ca")
        openssl("req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-subj", f"/CN={name}", "-days", "30", cwd=self.at)

    def put(self, name, text):
        with open(os.path.join(self.at, name), "w") as file:
            file.write(text)

    def path(self, name):
        return os.path.join(self.at, name)

    def key(self, name):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key", cwd=self.at)

    def issue(self, name, usage="clientAuth", start="", end="", san=None, subject=None):
        """name.pem and name.key; returns itself, to be written in a row."""
        self.key(name)
        san = f"DNS:{name}" if san is None else san
        self.put("ext", (f"subjectAltName={san}\n" if san else "") + f"extendedKeyUsage={usage}\n")
        openssl("req", "-new", "-utf8", "-key", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject or name}",
                cwd=self.at)
        dates = (["-startdate", start] if start else []) + (["-enddate", end] if end else [])
        openssl("ca", "-config", "ca.cnf", "-batch", "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext", "-extfile", "ext",
                *dates, cwd=self.at)
        return self

    def crl(self, *revoked):
        for name in revoked:
            openssl("ca", "-config", "ca.cnf", "-revoke", f"{name}.pem", cwd=self.at)
        openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "crl.new", cwd=self.at)
        os.replace(self.path("crl.new"), self.path("crl.pem"))


class Daemon:
    def __init__(self, folder, config):
        self.at = folder
        os.makedirs(os.path.join(folder, "policies"), exist_ok=True)
        with open(os.path.join(folder, "policies", "web.yaml"), "w") as file:
            file.write(POLICY)
        with open(os.path.join(folder, "pdpd.yaml"), "w") as file:
            file.write(config)
        self.log = os.path.join(folder, "log")
        self.start()

    def start(self):
        folder = self.at
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([os.path.join(BIN, "pdpd"), "--config", "pdpd.yaml"], cwd=folder, stderr=log)
        until("the daemon is ready", lambda: "event=ready" in self.said() and self.said().endswith("\n") or self.process.poll() is not None)
        words = dict(word.split("=", 1) for line in self.said().splitlines() if "event=ready" in line
                     for word in line.split() if "=tls+tcp:" in word)
        self.decide, self.admin = words.get("decide", ""), words.get("admin", "")
        self.notices, self.orders = words.get("notices", ""), words.get("orders", "")
        self.port = int(self.decide.rsplit(":", 1)[1]) if self.decide else 0

    def said(self):
        with open(self.log) as log:
            return log.read()

    def status(self):
        done = run(os.path.join(BIN, "pdpctl"), "status", "--connect", f"ipc://{self.at}/admin.ipc", "--json")
        return json.loads(done.stdout)

    def refused(self, name):
        return self.status()["refusals"].get(name, 0)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(DEADLINE_S)
        said = self.said()
        sane = "Sanitizer" not in said and "runtime error" not in said
        if not check(status == 0 and sane, f"it stops well: {status}"):
            print(said[-8000:])


# ---- A peer ------------------------------------------------------------------------------------------

def context(ca, name=None, folder=None):
    it = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    it.load_verify_locations(ca.path("ca.pem"))
    if name is not None:
        it.load_cert_chain((folder or ca).path(f"{name}.pem"), (folder or ca).path(f"{name}.key"))
    return it


class Peer:
    """Speaks SP over TLS."""

    def __init__(self, port, how, source=None, protocol=0x30):
        self.raw = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S,
                                            source_address=(source, 0) if source else None)
        try:
            self.sock = how.wrap_socket(self.raw, server_hostname="pdp.example")
            self.sock.sendall(b"\0SP\0\0" + bytes([protocol]) + b"\0\0")
            self.hello = self.take(8)
        except Exception:
            self.raw.close()
            raise
        self.id = 0

    def take(self, count):
        got = b""
        while len(got) < count:
            more = self.sock.recv(count - len(got))
            if not more:
                raise ConnectionError("closed")
            got += more
        return got

    def frame(self, question):
        self.id += 1
        body = struct.pack(">I", 0x80000000 | self.id) + json.dumps(question).encode()
        return struct.pack(">Q", len(body)) + body

    def answer(self):
        body = self.take(struct.unpack(">Q", self.take(8))[0])
        return json.loads(body[4:])

    def ask(self, question=QUESTION):
        self.sock.sendall(self.frame(question))
        return self.answer()

    def pump(self, out, count):
        """Sends `out` and takes `count` answers at once: one thread, since two must not use one SSL object."""
        got, answers = b"", []
        self.sock.setblocking(False)
        end = time.monotonic() + DEADLINE_S
        while len(answers) < count and time.monotonic() < end:
            select.select([self.sock], [self.sock] if out else [], [], 1)
            try:
                if out:
                    out = out[self.sock.send(out[:16384]):]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            try:
                got += self.sock.recv(65536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            while len(got) >= 8 and len(got) >= 8 + struct.unpack(">Q", got[:8])[0]:
                size = 8 + struct.unpack(">Q", got[:8])[0]
                answers.append(json.loads(got[12:size]))
                got = got[size:]
        self.sock.settimeout(DEADLINE_S)
        return answers

    def closed(self):
        """Does the daemon close it?"""
        try:
            return self.sock.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def close(self):
        self.sock.close()


def allowed(port, how, **kwargs):
    """One question over a connection of its own; False where it is not let in."""
    try:
        peer = Peer(port, how, **kwargs)
        try:
            return peer.ask().get("decision") is True
        finally:
            peer.close()
    except (OSError, ssl.SSLError):
        return False


# ---- Who is let in -----------------------------------------------------------------------------------

def bad_certificates(daemon, ca, other):
    ca.issue("expired.example", start="20200101000000Z", end="20210101000000Z")
    ca.issue("future.example", start="20500101000000Z", end="20510101000000Z")
    ca.issue("usage.example", usage="serverAuth")
    ca.issue("nobody.example.org")
    ca.issue("control.example", san="", subject="gw.example\x01")
    ca.issue("star.example", san="DNS:*.example")
    other.issue("gw.example")
    ca.key("self.example")
    openssl("req", "-x509", "-new", "-key", "self.example.key", "-out", "self.example.pem", "-subj", "/CN=gw.example",
            "-addext", "subjectAltName=DNS:gw.example", "-days", "9", cwd=ca.at)
    check(allowed(daemon.port, context(ca, "gw.example")), "a good certificate")
    check(allowed(daemon.port, context(ca, "cn.example")), "one that has a common name alone")
    for name, why in (("expired.example", "certificate has expired"), ("future.example", "certificate is not yet valid"),
                      ("usage.example", "unsuitable certificate purpose"), ("revoked.example", "certificate revoked"),
                      ("self.example", "self-signed certificate")):
        check(not allowed(daemon.port, context(ca, name)), name)
        until(f"the log says of {name}: {why}", lambda: why in daemon.said())
    check(not allowed(daemon.port, context(ca)), "no certificate")
    check(not allowed(daemon.port, context(ca, "gw.example", other)), "another CA")
    before = daemon.refused("peer_unknown")
    check(not allowed(daemon.port, context(ca, "nobody.example.org")), "a name that no entry has")
    check(daemon.refused("peer_unknown") == before + 1, "counted as peer_unknown")
    before = daemon.refused("name")
    for name in ("control.example", "star.example"):
        check(not allowed(daemon.port, context(ca, name)), name)
    check(daemon.refused("name") == before + 2, "counted as name")
    check(daemon.refused("tls_bad") >= 7, "counted as tls_bad")
    plain = socket.create_connection(("127.0.0.1", daemon.port), timeout=DEADLINE_S)
    plain.sendall(bytes.fromhex("0053500000300000"))
    try:
        heard = plain.recv(8)
    except ConnectionError:
        heard = b""
    check(heard[:1] != b"\0", "no SP without TLS")
    plain.close()
    check(allowed(daemon.port, context(ca, "gw.example")), "and still a good certificate")


def s_client(daemon, ca, *args, text=""):
    return run("openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}", "-CAfile", ca.path("ca.pem"), "-cert",
               ca.path("gw.example.pem"), "-key", ca.path("gw.example.key"), *args, input=text)


def protocols(daemon, ca):
    for args, good in ((["-tls1_3"], True), (["-tls1_2"], True),
                       (["-tls1_1", "-cipher", "ALL@SECLEVEL=0"], False), (["-tls1", "-cipher", "ALL@SECLEVEL=0"], False),
                       (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], True),
                       (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], True),
                       (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"], False),
                       (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], False),
                       (["-tls1_2", "-cipher", "AES128-GCM-SHA256"], False),
                       (["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], False)):
        said = s_client(daemon, ca, *args).stdout
        shook = "Cipher is (NONE)" not in said and "Verify return code: 0 (ok)" in said
        check(shook == good, f"s_client {' '.join(args)}: {shook}")
    said = s_client(daemon, ca, "-alpn", "h2,http/1.1").stdout
    check("No ALPN negotiated" in said, "no ALPN")
    said = s_client(daemon, ca, "-tls1_3").stdout
    check("New Session Ticket arrived" not in said, "no tickets (1.3)")
    said = s_client(daemon, ca, "-tls1_2").stdout
    check("TLS session ticket:" not in said, "no tickets (1.2)")


def renegotiation(daemon, ca):
    """`R` on a line of its own asks for it."""
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}", "-tls1_2", "-CAfile",
                                ca.path("ca.pem"), "-cert", ca.path("gw.example.pem"), "-key", ca.path("gw.example.key")],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b""
    while b"\0SP\0" not in said:  # what comes while it is asked for would end it otherwise
        more = os.read(process.stdout.fileno(), 65536)
        if not more:
            break
        said += more
    process.stdin.write(b"R\n")
    process.stdin.flush()
    rest = b""
    while b"no renegotiation" not in rest:
        more = os.read(process.stdout.fileno(), 65536)
        if not more:
            break
        rest += more
    check(b"no renegotiation" in rest, f"renegotiation is refused: {rest[-300:]}")
    process.kill()
    process.communicate()
    check(allowed(daemon.port, context(ca, "gw.example")), "after a renegotiation that was refused")


# ---- Roles -------------------------------------------------------------------------------------------

OPERATIONS = (
    (["status"], "auditor analyst architect"),
    (["status", "--lists"], "auditor analyst architect"),
    (["session", "list"], "auditor analyst"),
    (["session", "show", "--session", "x"], "auditor analyst"),
    (["top", "--json"], "auditor analyst"),
    (["peer", "list"], "auditor analyst"),
    (["peer", "release", "nobody"], "analyst"),
    (["session", "terminate", "--session", "x", "--reason", "y"], "analyst"),
    (["reload"], "architect"),
    (["reload", "--certs"], "architect"),
)


def pdpctl(daemon, ca, name, *args):
    """By the real client: libnng with TLS 1.2."""
    files = [] if name is None else ["--cert", ca.path(f"{name}.pem"), "--key", ca.path(f"{name}.key")]
    return run(os.path.join(BIN, "pdpctl"), *args, "--connect", daemon.admin, "--ca", ca.path("ca.pem"), "--name", "pdp.example",
               "--deadline", "20000", *files)


def roles(daemon, ca):
    for args, may in OPERATIONS:
        for role in ("auditor", "analyst", "architect", "gw"):
            done = pdpctl(daemon, ca, f"{role}.example", *args)
            refused = "needs the role" in done.stderr
            check(refused != (role in may.split()), f"{' '.join(args)} by {role}: {done.stdout}{done.stderr}")
            check(not refused or (" or ".join(may.split()) in done.stderr and done.returncode == 1), f"{args}: {done.stderr}")
    for name in ("expired.example", "revoked.example"):
        done = run(os.path.join(BIN, "pdpctl"), "status", "--connect", daemon.admin, "--ca", ca.path("ca.pem"), "--name",
                   "pdp.example", "--deadline", "500", "--cert", ca.path(f"{name}.pem"), "--key", ca.path(f"{name}.key"))
        check(done.returncode == 2 and "no answer" in done.stderr, f"pdpctl with {name}: {done.stderr}")


# Who may what, by name: an operation that the daemon has and that is not here fails the test.
ANY, READ, ACT, SERVE, AUDIT = ("auditor", "analyst", "architect"), ("auditor", "analyst"), ("analyst",), ("architect",), ("auditor",)
MAY = {
    "status": ANY, "lists": ANY, "gateways": ANY, "served": ANY, "rollback": ("analyst", "architect"),
    "top": READ, "peer.list": READ, "session.list": READ, "session.show": READ, "control.pending": READ, "order.wait": READ,
    "lock.list": READ, "mute.list": READ, "cutoff.list": READ, "pardon.list": READ,
    "peer.quarantine": ACT, "peer.release": ACT, "session.terminate": ACT, "control.approve": ACT, "breaker.reset": ACT,
    "user.show": READ, "user.forget": ACT, "user.forget_devices": ACT, "lock.add": ACT, "lock.rm": ACT, "mute.add": ACT, "mute.rm": ACT, "cutoff.add": ACT,
    "pardon.add": ACT, "pardon.rm": ACT, "audit.forget": ACT,
    "audit.list": AUDIT, "audit.read": AUDIT, "audit.unseal": AUDIT,
    "reload": SERVE, "reload.certs": SERVE, "audit.rotate_key": SERVE, "key.list": SERVE, "key.rotate": SERVE,
}


class IpcPeer(Peer):
    """The same over ipc, where each message has a byte in front."""

    def __init__(self, path):
        self.raw = self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(path)
        self.sock.sendall(bytes.fromhex("0053500000300000"))
        self.hello, self.id = self.take(8), 0

    def frame(self, question):
        return b"\1" + super().frame(question)

    def answer(self):
        self.take(1)
        return super().answer()


def every_operation(daemon, ca):
    """Each operation by each role, over TLS and ipc, without fields: it is refused for the role, or not for the role."""
    for role in (*ANY, "gw"):
        for way in ("TLS", "ipc"):
            peer = (Peer(int(daemon.admin.rsplit(":", 1)[1]), context(ca, f"{role}.example")) if way == "TLS"
                    else IpcPeer(os.path.join(daemon.at, f"{role}.ipc")))
            names = peer.ask({"op": "none"})["error"].removeprefix("`op` is none of ").split(", ")
            check(sorted(names) == sorted(MAY), f"operations without a line in MAY: {set(names) ^ set(MAY)}")
            for name in names:
                error = peer.ask({"op": name}).get("error") or ""
                may = MAY.get(name, ())
                refused = error.startswith(f"`{name}` needs the role {' or '.join(may)}; this peer is")
                check(refused != (role in may) and refused == ("needs the role" in error),
                      f"{name} by {role} over {way}: {error}")
            peer.close()


def bad_use(daemon, ca):
    for args, words in (([], "needs files for TLS"), (["--ca", "/nowhere"], "cannot be used"),
                        (["--ca", ca.path("ca.pem"), "--cert", ca.path("gw.example.pem")], "needs files for TLS"),
                        (["--ca", ca.path("ca.pem"), "--cert", ca.path("gw.example.pem"), "--key", ca.path("ca.key")],
                         "")):
        done = run(os.path.join(BIN, "pdpctl"), "status", "--connect", daemon.admin, "--deadline", "500", *args)
        check(done.returncode == 2 and words in done.stderr, f"pdpctl {args}: {done.stderr}")
    done = run(os.path.join(BIN, "pdpctl"), "status", "--connect", daemon.admin, "--deadline", "500", "--ca", ca.path("ca.pem"),
               "--cert", ca.path("auditor.example.pem"), "--key", ca.path("auditor.example.key"), "--name", "other.example")
    check(done.returncode == 2, "the daemon has another name than was expected")


def grants(daemon, ca):
    peer = Peer(daemon.port, context(ca, "gw.example"))
    event = {"request_id": "e1", "event": {"type": "step_up_passed", "subject": {"type": "user", "id": "alice"},
                                           "context": {"session": {"id": "s-1"}}, "properties": {"acr": "high"}}}
    said = json.dumps(peer.ask(event))
    check("may not send it" in said, f"a gateway without `issue`: {said}")
    said = json.dumps(peer.ask(dict(QUESTION, tenant="other")))
    check("may speak for" in said, f"of another tenant: {said}")
    peer.close()


def quarantine(daemon, ca):
    peer = Peer(daemon.port, context(ca, "login.example"))

    def login():
        peer.id += 1
        return json.dumps(peer.ask({"request_id": f"q{peer.id}", "event": {
            "type": "login", "subject": {"type": "user", "id": "alice"}, "context": {"session": {"id": f"s-{peer.id}"}},
            "properties": {"acr": "high"}}}))

    check('"recorded": true' in login(), "a login is taken")
    done = pdpctl(daemon, ca, "auditor.example", "peer", "quarantine", "login.example", "--reason", "stolen key")
    check(done.returncode == 1 and "needs the role analyst" in done.stderr, f"not by an auditor: {done.stderr}")
    check('"recorded": true' in login(), "so it is not in quarantine")
    done = pdpctl(daemon, ca, "analyst.example", "peer", "quarantine", "login.example", "--reason", "stolen key")
    check(done.returncode == 0, f"peer quarantine: {done.stderr}")
    check("in quarantine" in login(), "no event of an open connection is taken")
    check(peer.ask()["decision"] is True, "its questions are judged")
    done = pdpctl(daemon, ca, "auditor.example", "peer", "list", "--json")
    listed = json.loads(done.stdout)["quarantined"]
    check(len(listed) == 1 and listed[0]["peer"] == "login.example" and listed[0]["by"] == "analyst.example" and
          listed[0]["reason"] == "stolen key", f"peer list: {listed}")
    daemon.process.kill()
    daemon.process.wait(DEADLINE_S)
    peer.close()
    daemon.start()
    peer = Peer(daemon.port, context(ca, "login.example"))
    check("in quarantine" in login(), "a kill and a restart do not end it")
    done = pdpctl(daemon, ca, "analyst.example", "peer", "release", "login.example")
    check(done.returncode == 0, f"peer release: {done.stderr}")
    check('"recorded": true' in login(), "released")
    done = pdpctl(daemon, ca, "analyst.example", "peer", "release", "login.example")
    check(done.returncode == 1 and "not in quarantine" in done.stderr, f"released twice: {done.stderr}")
    peer.close()


def undoing(daemon, ca):
    """What a peer said since a time counts no longer, after a kill and a release too; what others said does."""
    def tell(peer, kind, session, **properties):
        peer.id += 1
        said = json.dumps(peer.ask({"request_id": f"z{peer.id}", "event": {
            "type": kind, "subject": {"type": "user", "id": session}, "context": {"session": {"id": session}},
            "properties": properties}}))
        check('"recorded": true' in said, f"{kind} of {session}: {said}")

    def asks(peer, session):
        answer = peer.ask(dict(QUESTION, subject={"type": "user", "id": session}, context={"session": {"id": session}}))
        return answer["context"]["effect"]

    def connect():
        return Peer(daemon.port, context(ca, "login.example")), Peer(daemon.port, context(ca, "other.example"))

    bad, good = connect()
    tell(bad, "login", "taken", amr=["pwd"])
    tell(good, "login", "kept", amr=["pwd"])
    check(asks(good, "taken") == asks(good, "kept") == "allow", "both are allowed")
    quarantine = ("peer", "quarantine", "login.example", "--since")
    for args, words in (((*quarantine, "2999-01-01T00:00:00Z", "--reason", "x"), "not in the future"),
                        ((*quarantine, "-9999h", "--reason", "x"), "400 days"),
                        ((*quarantine, "yesterday", "--reason", "x"), "no time"),
                        ((*quarantine[:-1], "--terminate", "--reason", "x"), "say `since` when"),
                        ((*quarantine, "-1h", "--terminate", "--confirm", "-2", "--reason", "x"), "no whole number")):
        done = pdpctl(daemon, ca, "analyst.example", *args)
        check(done.returncode != 0 and words in done.stderr, f"{args}: {done.stdout}{done.stderr}")
    done = pdpctl(daemon, ca, "auditor.example", *quarantine, "-1h", "--dry-run")
    check(done.returncode == 1 and "needs the role analyst" in done.stderr, f"not by an auditor: {done.stderr}")
    done = pdpctl(daemon, ca, "analyst.example", *quarantine, "-1h", "--dry-run")
    check(done.returncode == 0 and "taken" in done.stdout and "kept" not in done.stdout, f"dry run: {done.stdout}{done.stderr}")
    check(asks(good, "taken") == "allow", "and nothing was done")
    done = pdpctl(daemon, ca, "analyst.example", *quarantine, "-1h", "--reason", "copied key", "--json")
    check(json.loads(done.stdout).get("sessions_begun", 0) > 0, f"undone: {done.stdout}{done.stderr}")
    check(asks(good, "taken") in ("step_up", "deny"), "it must be vouched for anew")
    daemon.process.kill()
    daemon.process.wait(DEADLINE_S)
    bad.close()
    good.close()
    daemon.start()
    bad, good = connect()
    check(asks(good, "taken") in ("step_up", "deny") and asks(good, "kept") == "allow", "after a kill")
    done = pdpctl(daemon, ca, "analyst.example", "peer", "release", "login.example")
    check(done.returncode == 0 and asks(good, "taken") in ("step_up", "deny"), f"and a release: {done.stderr}")
    done = pdpctl(daemon, ca, "auditor.example", "peer", "list", "--json")
    listed = json.loads(done.stdout)
    check(listed["quarantined"] == [] and listed["undone"][0]["until"], f"peer list: {listed}")

    def anew():
        tell(bad, "login", "taken", amr=["pwd"])
        return asks(good, "taken") == "allow"

    until("it may vouch for it anew, from the next second on", anew)
    done = pdpctl(daemon, ca, "analyst.example", *quarantine, "-1h", "--terminate", "--reason", "again", "--json")
    check(json.loads(done.stdout).get("ended", 0) > 0, f"ended: {done.stdout}{done.stderr}")
    check(asks(good, "taken") == "terminate" and asks(good, "kept") == "allow", "ended for good, and no other")
    daemon.process.kill()
    daemon.process.wait(DEADLINE_S)
    bad.close()
    good.close()
    daemon.start()
    bad, good = connect()
    check(asks(good, "taken") == "terminate" and asks(good, "kept") == "allow", "after another kill")
    pdpctl(daemon, ca, "analyst.example", "peer", "release", "login.example")
    bad.close()
    good.close()


# ---- Bytes -------------------------------------------------------------------------------------------

def streams(daemon, ca):
    peer = Peer(daemon.port, context(ca, "gw.example"))
    for byte in peer.frame(QUESTION):
        peer.sock.sendall(bytes([byte]))  # a record each
    check(peer.answer()["decision"] is True, "a question byte by byte")
    long = dict(QUESTION, context={"filler": "x" * 60000})
    check(peer.ask(long)["decision"] is True, "a question of several records")
    many = b"".join(peer.frame(QUESTION) for _ in range(3000))
    answers = peer.pump(many, 3000)
    check(len(answers) == 3000 and all(answer["decision"] is True for answer in answers), "3000 questions at once")
    batch = {"evaluations": [dict(QUESTION, explain="full")] * 250}
    for _ in range(40):
        peer.sock.sendall(peer.frame(batch))  # answers of many records, not read yet
    check(all(len(peer.answer()["evaluations"]) == 250 for _ in range(40)), "long answers to a slow reader")
    peer.sock.unwrap()  # close_notify, and theirs
    peer.close()
    check(allowed(daemon.port, context(ca, "gw.example")), "after a goodbye")
    torn = Peer(daemon.port, context(ca, "gw.example"))
    torn.sock.sendall(torn.frame(QUESTION)[:10])
    os.close(torn.sock.detach())  # without one


# ---- Those who do not end their handshakes -----------------------------------------------------------

def hello_bytes():
    """The first flight of a client, as bytes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    how = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        how.wrap_bio(incoming, outgoing, server_hostname="pdp.example").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def slow_handshakes(daemon, ca):
    hello, open_ones = hello_bytes(), []
    served = Peer(daemon.port, context(ca, "gw.example"))
    for i in range(1500):
        sock = socket.socket()
        sock.bind((f"127.0.1.{i % 200 + 1}", 0))
        sock.settimeout(DEADLINE_S)
        sock.connect(("127.0.0.1", daemon.port))
        sock.sendall((b"", hello[:7], hello[:-1], hello)[i % 4])
        open_ones.append(sock)
        if i % 100 == 0:
            check(served.ask()["decision"] is True, "an open connection is served beside them")
            check(allowed(daemon.port, context(ca, "gw.example")), "a new one is let in beside them")
    for i in range(300):  # all of one address: it has a limit of its own
        sock = socket.socket()
        sock.bind(("127.0.2.1", 0))
        sock.connect(("127.0.0.1", daemon.port))
        open_ones.append(sock)
    check(allowed(daemon.port, context(ca, "gw.example")), "a new one is let in beside those of one address")
    until("too many at once are counted", lambda: daemon.refused("tls_many") >= 40)
    until("those that do not come are counted", lambda: daemon.refused("tls_late") >= 500)
    check(served.ask()["decision"] is True, "an open connection is served after them")
    for sock in open_ones:
        sock.close()
    served.close()


# ---- Anew --------------------------------------------------------------------------------------------

def serial_of(daemon, ca):
    peer = Peer(daemon.port, context(ca, "gw.example"))
    serial = peer.sock.getpeercert()["serialNumber"]
    peer.close()
    return serial


def reload_under_load(daemon, ca):
    stop, wrong, asked = threading.Event(), [], [0, 0]

    def load(at, fresh):
        peer = Peer(daemon.port, context(ca, "gw.example"))
        how = context(ca, "gw.example")
        while not stop.is_set():
            try:
                if peer.ask()["decision"] is not True or (fresh and not allowed(daemon.port, how)):
                    wrong.append("no allow")
                asked[at] += 1
            except (OSError, ssl.SSLError) as error:
                wrong.append(repr(error))
                return
        peer.close()

    threads = [threading.Thread(target=load, args=(i, i == 1)) for i in range(2)]
    for thread in threads:
        thread.start()
    for round_number in range(3):
        was = serial_of(daemon, ca)
        ca.issue("pdp.example", usage="serverAuth")
        for end in (".pem", ".key"):
            os.replace(ca.path("pdp.example" + end), os.path.join(daemon.at, "pdp" + end))
        if round_number == 0:
            daemon.process.send_signal(signal.SIGHUP)
        else:
            done = pdpctl(daemon, ca, "architect.example", "reload", "--certs")
            check(done.returncode == 0 and "certificates" in done.stdout, f"reload --certs: {done.stdout}{done.stderr}")
        until("the new certificate is shown", lambda: serial_of(daemon, ca) != was)
        seen = list(asked)
        until("questions go on", lambda: asked[0] > seen[0] and asked[1] > seen[1])
    stop.set()
    for thread in threads:
        thread.join()
    check(not wrong, f"nobody notices a reload: {wrong[:3]}")


def bad_files(daemon, ca):
    def refused(name, text, words):
        path = os.path.join(daemon.at, name)
        with open(path) as file:
            was = file.read()
        with open(path, "w") as file:
            file.write(text)
        done = pdpctl(daemon, ca, "architect.example", "reload", "--certs")
        check(done.returncode == 1 and f"`{name}`" in done.stderr and words in done.stderr, f"{name}: {done.stderr}")
        check(any(alarm["alarm"] == "certificate_refused" for alarm in daemon.status()["alarms"]), f"an alarm for {name}")
        check(allowed(daemon.port, context(ca, "gw.example")), f"the old files serve on beside a bad {name}")
        with open(path, "w") as file:
            file.write(was)

    def text_of(name):
        with open(ca.path(name)) as file:
            return file.read()

    ca.issue("old.example", usage="serverAuth", start="20200101000000Z", end="20210101000000Z")
    ca.issue("client.example")
    refused("pdp.pem", "", "is no certificate")
    refused("pdp.pem", text_of("ca.key"), "is no certificate")
    refused("pdp.key", text_of("ca.key"), "is no key of the certificate")
    refused("pdp.key", "", "is no key of the certificate")
    refused("ca.pem", "nonsense", "holds no certificates")
    refused("crl.pem", "", "holds no revocation list")
    for pair, words in (("old.example", "has expired"), ("client.example", "is no certificate of a server")):
        for name in ("pdp.pem", "pdp.key"):
            os.rename(os.path.join(daemon.at, name), os.path.join(daemon.at, name + ".kept"))
            with open(os.path.join(daemon.at, name), "w") as file:
                file.write(text_of(pair + name[3:]))
        done = pdpctl(daemon, ca, "architect.example", "reload", "--certs")
        check(done.returncode == 1 and words in done.stderr, f"{pair}: {done.stderr}")
        for name in ("pdp.pem", "pdp.key"):
            os.replace(os.path.join(daemon.at, name + ".kept"), os.path.join(daemon.at, name))
    done = pdpctl(daemon, ca, "architect.example", "reload", "--certs")
    check(done.returncode == 0, f"the good files again: {done.stderr}")
    check(not any(alarm["alarm"] == "certificate_refused" for alarm in daemon.status()["alarms"]), "the alarm is over")


def revocation(daemon, ca):
    stays, goes = Peer(daemon.port, context(ca, "gw.example")), Peer(daemon.port, context(ca, "stolen.example"))
    others = [Peer(daemon.port, context(ca, "gw.example")) for _ in range(30)]
    check(stays.ask()["decision"] and goes.ask()["decision"], "both are served")
    ca.crl("stolen.example")
    os.replace(ca.path("crl.pem"), os.path.join(daemon.at, "crl.pem"))
    daemon.process.send_signal(signal.SIGHUP)
    check(goes.closed(), "a connection of a revoked certificate is closed")
    until("counted", lambda: daemon.refused("certificate_over") == 1)
    check(not allowed(daemon.port, context(ca, "stolen.example")), "and cannot come again")
    check(stays.ask()["decision"] is True, "others stay")
    check(all(peer.ask()["decision"] is True for peer in others), "all others stay")
    for peer in [stays, goes] + others:
        peer.close()


def alarms(daemon):
    until("an alarm before the certificate ends",
          lambda: any(alarm["alarm"] == "certificate_ends" for alarm in daemon.status()["alarms"]))
    certificates = daemon.status()["certificates"]
    check(len(certificates) == 1 and certificates[0]["file"] == "pdp.pem" and certificates[0]["crl"] == "crl.pem", certificates)


CONFIG = """policies: policies
workers: 2
state: state
decide: tls+tcp://127.0.0.1:0
admin:
  - tls+tcp://127.0.0.1:0
  - ipc://{at}/admin.ipc
  - {{url: ipc://{at}/auditor.ipc, roles: [auditor]}}
  - {{url: ipc://{at}/analyst.ipc, roles: [analyst]}}
  - {{url: ipc://{at}/architect.ipc, roles: [architect]}}
  - {{url: ipc://{at}/gw.ipc, roles: []}}
tls: {{cert: pdp.pem, key: pdp.key, ca: ca.pem, crl: crl.pem}}
limits: {{handshake: {handshake}}}
peers:
  - {{certificate: auditor.example, grants: [], roles: [auditor]}}
  - {{certificate: analyst.example, grants: [], roles: [analyst]}}
  - {{certificate: architect.example, grants: [], roles: [architect]}}
  - {{certificate: cn.example, name: by-cn}}
  - {{certificate: other.example, grants: [ask, issue], may_assert: [authentication]}}
  - {{certificate: login.example, grants: [ask, issue], may_assert: [authentication]}}
  - {{listener: ipc://{at}/auditor.ipc, roles: [auditor]}}
  - {{listener: ipc://{at}/analyst.ipc, roles: [analyst]}}
  - {{listener: ipc://{at}/architect.ipc, roles: [architect]}}
  - {{listener: ipc://{at}/gw.ipc, roles: []}}
  - {{uid: {uid}, roles: [auditor, analyst, architect]}}
  - {{certificate: '*.example', tenants: ['']}}
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        ca, other = Ca(folder, "ca"), Ca(folder, "other")
        ca.issue("pdp.example", usage="serverAuth", end=time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 5 * 86400)))
        for name in ("gw.example", "login.example", "other.example", "auditor.example", "analyst.example", "architect.example", "revoked.example",
                     "stolen.example"):
            ca.issue(name)
        ca.issue("cn.example", san="")
        ca.crl("revoked.example")
        at = os.path.join(folder, "daemon")
        os.makedirs(os.path.join(at, "state"), mode=0o700)
        for name, to in (("pdp.example.pem", "pdp.pem"), ("pdp.example.key", "pdp.key"), ("ca.pem", "ca.pem"),
                         ("crl.pem", "crl.pem")):
            with open(ca.path(name), "rb") as source, open(os.path.join(at, to), "wb") as target:
                target.write(source.read())
        daemon = Daemon(at, CONFIG.format(at=at, uid=os.geteuid(), handshake="5s"))
        try:
            alarms(daemon)
            bad_certificates(daemon, ca, other)
            protocols(daemon, ca)
            renegotiation(daemon, ca)
            roles(daemon, ca)
            every_operation(daemon, ca)
            bad_use(daemon, ca)
            grants(daemon, ca)
            quarantine(daemon, ca)
            undoing(daemon, ca)
            streams(daemon, ca)
            slow_handshakes(daemon, ca)
            reload_under_load(daemon, ca)
            bad_files(daemon, ca)
            revocation(daemon, ca)
        finally:
            daemon.stop()
            if failures:
                print(daemon.said()[-4000:])
    print(f"{checks} checks, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
