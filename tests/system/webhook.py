# SPDX-License-Identifier: Apache-2.0
"""Ends of sessions, told to an identity provider over HTTPS that answers, fails, hangs, refuses, is gone, and comes back:
everything that was ended arrives. Usage: webhook.py BIN"""
import base64
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

from tls import BIN, DEADLINE_S, Ca, check, openssl, run, until
import tls

EVENT = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"


# ---- The identity provider -----------------------------------------------------------------------------

class Provider:
    """A real HTTPS server. `mode` says what it does: ok, 500, 400, hang, drop, long."""

    def __init__(self, ca, port=0):
        self.mode, self.seen, self.tries = "ok", [], {}
        self.lock, self.awake = threading.Lock(), threading.Event()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                provider.answer(self)

            def log_message(self, *args):
                pass

        how = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        how.load_cert_chain(ca.path("idp.example.pem"), ca.path("idp.example.key"))
        how.load_verify_locations(ca.path("ca.pem"))
        how.verify_mode = ssl.CERT_OPTIONAL

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request, address):
                request.settimeout(DEADLINE_S)
                with how.wrap_socket(request, server_side=True) as secured:
                    Handler(secured, address, self)

            def handle_error(self, request, address):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        mode = self.mode
        with self.lock:
            self.tries[mode] = self.tries.get(mode, 0) + 1
            if mode == "ok":
                self.seen.append((request.path, dict(request.headers), body.decode(), request.connection.getpeercert()))
        if mode == "hang":
            self.awake.wait(DEADLINE_S)
        if mode in ("hang", "drop"):
            request.close_connection = True
            return
        status, said = {"ok": (202, b""), "500": (500, b"broken"), "long": (503, b"x" * 300000),
                        "400": (400, b'{"err": "invalid_key", "description": "no such key"}')}[mode]
        request.send_response(status)
        request.send_header("Content-Length", str(len(said)))
        request.end_headers()
        request.wfile.write(said)

    def become(self, mode):
        self.mode = mode
        self.awake.set()
        self.awake = threading.Event()

    def claims(self, path="/events"):
        with self.lock:
            return [part(token, 1) for where, _, token, _ in self.seen if where == path]

    def refs(self, path="/events"):
        return {claims["sub_id"].get("session", {}).get("id") for claims in self.claims(path)}

    def stop(self):
        self.awake.set()
        self.server.shutdown()
        self.server.server_close()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def part(token, number):
    return json.loads(decoded(token.split(".")[number]))


def der_of(signature):
    """r and s of 32 bytes as DER, which openssl reads."""
    def number(raw):
        raw = raw.lstrip(b"\0")
        raw = (b"\0" if raw[:1] >= b"\x80" or not raw else b"") + raw
        return b"\x02" + bytes([len(raw)]) + raw
    both = number(signature[:32]) + number(signature[32:])
    return b"\x30" + bytes([len(both)]) + both


def verifies(ca, key, token):
    text, _, signature = token.rpartition(".")
    algorithm, raw = part(token, 0)["alg"], decoded(signature)
    with open(ca.path("text"), "w") as file:
        file.write(text)
    with open(ca.path("signature"), "wb") as file:
        file.write(der_of(raw) if algorithm == "ES256" else raw)
    openssl("pkey", "-in", f"{key}.key", "-pubout", "-out", f"{key}.pub", cwd=ca.at)
    how = ["pkeyutl", "-verify", "-pubin", "-inkey", f"{key}.pub", "-rawin", "-in", "text", "-sigfile", "signature"]
    if algorithm != "EdDSA":
        how += ["-digest", "sha256"]
    return run("openssl", *how, cwd=ca.at).returncode == 0


# ---- The daemon ----------------------------------------------------------------------------------------

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
  - {id: stop, effect: terminate, actions: [DELETE]}
"""


class Pdpd:
    def __init__(self, folder, config):
        self.at = folder
        os.makedirs(os.path.join(folder, "policies"), exist_ok=True)
        os.makedirs(os.path.join(folder, "state"), mode=0o700, exist_ok=True)
        self.put("policies/web.yaml", POLICY)
        self.put("pdpd.yaml", config)
        self.log = os.path.join(folder, "log")
        self.start()

    def put(self, name, text):
        with open(os.path.join(self.at, name), "w") as file:
            file.write(text)

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([os.path.join(BIN, "pdpd"), "--config", "pdpd.yaml"], cwd=self.at, stderr=log)
        until("the daemon is ready", lambda: "event=ready" in self.said() or self.process.poll() is not None)

    def said(self):
        with open(self.log) as log:
            return log.read()

    def call(self, socket_name, messages):
        answers = []
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(DEADLINE_S)
            sock.connect(os.path.join(self.at, socket_name))
            sock.sendall(b"\0SP\0\0\x30\0\0")
            stream = sock.makefile("rb")
            stream.read(8)
            for message in messages:
                body = b"\x80\0\0\1" + json.dumps(message).encode()
                sock.sendall(b"\1" + struct.pack(">Q", len(body)) + body)
                answers.append(json.loads(stream.read(struct.unpack(">Q", stream.read(9)[1:])[0])[4:]))
        return answers

    def ask(self, sessions, action="GET"):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
        return self.call("decide.ipc", [
            {"subject": {"type": "user", "id": f"user-{session}"}, "action": {"name": action},
             "resource": {"type": "route", "id": "/"}, "context": {"session": {"id": session, "auth_time": now}}}
            for session in sessions])

    def admin(self, message):
        return self.call("admin.ipc", [message])[0]

    def terminate(self, sessions):
        """Begins and ends them; returns their references."""
        asked = self.ask(sessions)
        check(all(answer["decision"] is True for answer in asked), "sessions begin")
        ended = self.call("admin.ipc", [{"op": "session.terminate", "session": session, "reason": "test"} for session in sessions])
        check(all(answer.get("ok") is True for answer in ended), "each end is acknowledged")
        return {self.admin({"op": "session.show", "session": session})["session"]["ref"] for session in sessions}

    def hook(self, number=0):
        return self.admin({"op": "status"})["webhooks"][number]

    def alarms(self):
        return {alarm["alarm"] for alarm in self.admin({"op": "status"})["alarms"]}

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(DEADLINE_S)
        said = self.said()
        if not check(status == 0 and "Sanitizer" not in said and "runtime error" not in said, f"it stops well: {status}"):
            print(said[-8000:])


def named(prefix, count):
    return [f"{prefix}-{i}" for i in range(count)]


# ---- What is told ----------------------------------------------------------------------------------------

def what_a_token_says(daemon, idp, ca):
    refs = daemon.terminate(named("first", 3))
    until("three ends arrive", lambda: refs <= idp.refs())
    path, headers, token, certificate = next(one for one in idp.seen if one[0] == "/events")
    check(headers["Content-Type"] == "application/secevent+jwt" and headers["Accept"] == "application/json", str(headers))
    check(headers["Authorization"] == "Bearer first-token", "the token of the file")
    check(dict(pair for field in certificate["subject"] for pair in field)["commonName"] == "pdp.example", "our certificate")
    head, claims = part(token, 0), part(token, 1)
    check(head == {"alg": "EdDSA", "typ": "secevent+jwt", "kid": "pdp-1"}, str(head))
    check(verifies(ca, "sign", token), "its signature is good")
    at = token.index(".") + 30
    check(not verifies(ca, "sign", token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]), "and of this text alone")
    check(claims["iss"] == "https://pdp.example" and claims["aud"] == "https://idp.example", str(claims))
    check("sub" not in claims and "exp" not in claims and abs(claims["iat"] - time.time()) < 86400, str(claims))
    subject = claims["sub_id"]
    check(subject["format"] == "complex" and subject["session"]["format"] == "opaque", str(subject))
    check(subject["user"] == {"format": "iss_sub", "iss": "https://idp.example/", "sub": "user-first-0"}, str(subject))
    event = claims["events"][EVENT]
    check(list(claims["events"]) == [EVENT] and event["initiating_entity"] == "admin" and event["reason_admin"]["en"], str(event))
    check(abs(event["event_timestamp"] - claims["iat"]) < 86400, "seconds")
    check(len({one["jti"] for one in idp.claims()}) == 3, "each has its own jti")


def other_signatures(daemon, idp, ca):
    until("the others are told too", lambda: len(idp.refs("/es")) >= 3 and len(idp.refs("/rsa")) >= 3)
    for path, key, algorithm in (("/es", "es", "ES256"), ("/rsa", "rsa", "RS256")):
        for _, headers, token, _ in [one for one in idp.seen if one[0] == path][:3]:
            check(part(token, 0)["alg"] == algorithm and verifies(ca, key, token), f"{algorithm} is good")
            check("Authorization" not in headers, "no bearer token where none is configured")
            check(len(part(token, 0)["kid"]) == 43, "a key's own name")
    check(all("user" not in claims["sub_id"] for claims in idp.claims("/es")), "subject: none names nobody")
    check(all(claims["sub_id"]["user"]["format"] == "email" for claims in idp.claims("/rsa")), "subject: email")


def why_it_ended(daemon, idp):
    daemon.ask(["rule"])
    daemon.ask(["rule"], "DELETE")
    until("an end by a rule", lambda: any(claims["events"][EVENT]["initiating_entity"] == "policy" for claims in idp.claims()))


def cut_offs(daemon, idp):
    said = daemon.admin({"op": "cutoff.add", "target": {"kind": "subject", "value": "mallory"}, "reason": "test"})
    check(said.get("ok") is True, str(said))
    until("a cut-off arrives", lambda: any(claims["jti"].startswith("cutoff-") for claims in idp.claims()))
    claims = next(claims for claims in idp.claims() if claims["jti"].startswith("cutoff-"))
    check(claims["sub_id"] == {"format": "complex", "user": {"format": "iss_sub", "iss": "https://idp.example/", "sub": "mallory"}},
          str(claims))
    check(not any(claims["jti"].startswith("cutoff-") for claims in idp.claims("/rsa")), "not where events are ends alone")


# ---- A provider in trouble -------------------------------------------------------------------------------

def trouble(daemon, idp):
    refs = set()
    for mode in ("500", "hang", "drop", "long", "400"):
        idp.become(mode)
        refs |= daemon.terminate(named(f"in-{mode}", 8))
        until(f"{mode} is tried again and again", lambda: idp.tries.get(mode, 0) >= 3)
        check(daemon.ask(["beside"])[0]["decision"] is True, "questions are answered meanwhile")
    until("there is an alarm", lambda: "webhook_failing" in daemon.alarms())
    hook = daemon.hook()
    check(hook["failing"] is True and hook["waiting"] >= 1 and hook["failures"] >= 3, str(hook))
    until("what was refused is counted", lambda: daemon.hook()["refused"] >= 1)
    check("400" in daemon.hook()["last_error"] and "invalid_key" in daemon.hook()["last_error"], str(daemon.hook()))
    idp.become("ok")
    until("everything arrives", lambda: refs <= idp.refs())
    until("all is told", lambda: daemon.hook()["waiting"] == 0 and daemon.hook()["failing"] is False)
    until("the alarm is over", lambda: "webhook_failing" not in daemon.alarms())
    check("event=webhook_failing" in daemon.said() and "event=webhook_delivers" in daemon.said(), "the log says so")


def another_token(daemon, idp):
    daemon.put("token", "second-token\n")
    refs = daemon.terminate(named("token", 1))
    until("an end arrives", lambda: refs <= idp.refs())
    check(any(headers["Authorization"] == "Bearer second-token" for path, headers, _, _ in idp.seen if path == "/events"),
          "the file is read anew")
    daemon.put("token", "two\r\nlines: x\n")
    refs = daemon.terminate(named("bad-token", 1))
    until("a token that is none is told", lambda: "holds no token" in daemon.hook().get("last_error", ""))
    daemon.put("token", "third-token\n")
    until("and mended", lambda: refs <= idp.refs())


def more_than_the_queue_holds(daemon, idp):
    idp.become("500")
    refs = daemon.terminate(named("many", 300))
    until("it is behind", lambda: daemon.hook()["behind"] is True)
    check(not refs & idp.refs(), "none was told yet")
    idp.become("ok")
    until("all of them arrive", lambda: refs <= idp.refs())
    until("it is not behind any more", lambda: daemon.hook()["behind"] is False)


def a_kill_in_between(ca, daemon, idp):
    """Returns the provider that came back."""
    port = idp.port
    told = idp.refs()
    idp.stop()
    refs = daemon.terminate(named("killed", 100))
    daemon.kill()
    daemon.start()
    refs |= daemon.terminate(named("after", 10))
    back = Provider(ca, port)
    until("everything arrives after a kill", lambda: refs <= back.refs())
    check(len(back.refs() & told) < len(told), "not all is told again")
    return back


def nothing_twice_after_a_stop(daemon, idp):
    until("all is told", lambda: all(daemon.hook(i)["waiting"] == 0 and not daemon.hook(i)["behind"] for i in range(3)))
    daemon.stop()
    with open(os.path.join(daemon.at, "state", "webhook-0")) as file:
        check(file.read().endswith(" clean\n"), "the place is noted")
    with idp.lock:
        idp.seen.clear()
    daemon.start()
    refs = daemon.terminate(named("stopped", 1))
    until("the next end arrives", lambda: refs <= idp.refs())
    check(idp.refs() == refs, "and no other")


def a_place_that_cannot_be_read(daemon, idp):
    daemon.stop()
    daemon.put("state/webhook-0", "nonsense\n")
    with idp.lock:
        idp.seen.clear()
    daemon.start()
    until("all is told again", lambda: len(idp.refs()) > 400)
    check("event=webhook_place_bad" in daemon.said(), "the log says so")


# ---- Configuration ---------------------------------------------------------------------------------------

WRONG = (
    ("{url: 'http://127.0.0.1/', issuer: i, key: sign.key}", "is no address of a webhook"),
    ("{url: 'https://127.0.0.1/', issuer: i}", "key"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: sign.key, events: [x]}", "is no event of a webhook"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: sign.key, cert: x}", "`cert` and `cert_key` go together"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: sign.key, subject: iss_sub}", "`subject: iss_sub` and `subject_issuer`"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: nowhere}", "`nowhere` cannot be read"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: token}", "is no private key"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: p384.key}", "is of another kind"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: sign.key, ca: nowhere}", "`nowhere` cannot be read"),
    ("{url: 'https://127.0.0.1/', issuer: i, key: sign.key, token: sign.key}", "holds no token"),
    ("[" + ", ".join(["{url: 'https://127.0.0.1/', issuer: i, key: sign.key}"] * 5) + "]", "at most 4 webhooks"),
)


def wrong_files(folder):
    for text, words in WRONG:
        with open(os.path.join(folder, "wrong.yaml"), "w") as file:
            file.write(f"policies: policies\ndecide: ipc://{folder}/wrong.ipc\nwebhook: {text}\n")
        done = run(os.path.join(BIN, "pdpd"), "--config", "wrong.yaml", cwd=folder)
        check(done.returncode == 2 and words in done.stderr, f"{text}: {done.returncode} {done.stderr}")


CONFIG = """policies: policies
state: state
workers: 1
decide: ipc://{at}/decide.ipc
admin: ipc://{at}/admin.ipc
webhook:
  - url: https://localhost:{port}/events
    issuer: https://pdp.example
    audience: https://idp.example
    subject: iss_sub
    subject_issuer: https://idp.example/
    key: sign.key
    key_id: pdp-1
    token: token
    ca: ca.pem
    cert: pdp.pem
    cert_key: pdp.key
    timeout: 300ms
    queue: 64
  - {{url: 'https://localhost:{port}/es', issuer: 'https://pdp.example', key: es.key, ca: ca.pem, timeout: 300ms}}
  - {{url: 'https://localhost:{port}/rsa', issuer: 'https://pdp.example', key: rsa.key, ca: ca.pem, events: [session_ended],
     subject: email, timeout: 300ms}}
"""


def keys(ca):
    openssl("genpkey", "-algorithm", "ed25519", "-out", "sign.key", cwd=ca.at)
    ca.key("es")
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "rsa.key", cwd=ca.at)
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "p384.key", cwd=ca.at)
    ca.issue("idp.example", usage="serverAuth", san="DNS:localhost")
    ca.issue("pdp.example")


def main():
    with tempfile.TemporaryDirectory() as folder:
        ca, at = Ca(folder, "ca"), os.path.join(folder, "daemon")
        keys(ca)
        os.makedirs(at)
        for name, to in (("sign.key", "sign.key"), ("es.key", "es.key"), ("rsa.key", "rsa.key"), ("p384.key", "p384.key"),
                         ("ca.pem", "ca.pem"), ("pdp.example.pem", "pdp.pem"), ("pdp.example.key", "pdp.key")):
            with open(ca.path(name), "rb") as source, open(os.path.join(at, to), "wb") as target:
                target.write(source.read())
        with open(os.path.join(at, "token"), "w") as file:
            file.write("first-token\n")
        idp = Provider(ca)
        daemon = Pdpd(at, CONFIG.format(at=at, port=idp.port))
        try:
            what_a_token_says(daemon, idp, ca)
            other_signatures(daemon, idp, ca)
            why_it_ended(daemon, idp)
            cut_offs(daemon, idp)
            trouble(daemon, idp)
            another_token(daemon, idp)
            more_than_the_queue_holds(daemon, idp)
            idp = a_kill_in_between(ca, daemon, idp)
            nothing_twice_after_a_stop(daemon, idp)
            a_place_that_cannot_be_read(daemon, idp)
            wrong_files(at)
        finally:
            daemon.stop()
            if tls.failures:
                print(daemon.said()[-6000:])
            idp.stop()
    print(f"{tls.checks} checks, {tls.failures} failed")
    return 1 if tls.failures else 0


if __name__ == "__main__":
    sys.exit(main())
