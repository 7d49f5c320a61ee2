# SPDX-License-Identifier: Apache-2.0
"""Who may ask over HTTP: tokens, certificates, and nobody else; files that are read anew; settings that are refused."""
import hashlib
import json
import secrets
import socket
import ssl
import subprocess

from authzen import EVALUATION, EVALUATIONS, JSON, SEARCH, Pdp, Pep, Reply, inside
from support import Answer, Apart, Pdpd, Stage, check, finish, get, ours, request, until

FIXTURE = "policies/authzen-certification"
WHERE = "inside" if inside() else "apart"
GOOD = json.dumps({"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
                   "resource": {"type": "record", "id": "record-1"}}).encode()


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def ask(port, *headers, path=EVALUATION):
    return Reply(get(port, path, [JSON, *headers], method="POST", body=GOOD))


def bearer(token, scheme="Bearer "):
    return ("Authorization", scheme + token)


def tokens(stage):
    edge, old, short = secrets.token_urlsafe(16), secrets.token_hex(32), "correct horse battery"
    file = stage.write("tokens", f"# who may ask\n\nedge sha256:{digest(edge)}\r\n  edge\tsha256:{digest(old).upper()}  \n"
                                 f"weak sha256:{digest(short)}\n")
    pdp = Pdp(stage, FIXTURE, {"tokens": file}, WHERE, name="pdpd-tokens")
    for header in (bearer(edge), bearer(old), bearer(edge, "bearer "), bearer(edge, "BEARER   "), bearer(edge + " ")):
        check(ask(pdp.port, header).decisions() is True, f"{header} is known")
    others = [(), (bearer(edge[:-1]),), (bearer(edge + "x"),), (bearer(edge.swapcase()),), (bearer(""),), (bearer(edge, "Basic "),),
              (bearer(edge, "Bearer"),), (("Authorization", edge),), (bearer(edge), bearer(edge)), (bearer(short),),
              (bearer(digest(edge)),), (bearer("x" * 5000),), (("X-Authorization", "Bearer " + edge),), (bearer(f"{edge},{old}"),),
              (bearer(f"{edge} {old}"),), (bearer("\xff" * 30),)]
    for headers in others:
        for path in (EVALUATION, EVALUATIONS, SEARCH + "subject", "/v1/events", "/acme" + EVALUATION):
            reply = ask(pdp.port, *headers, ("X-Request-ID", "7"), path=path)
            check(reply.status == 401 and reply.answer.one("www-authenticate") == 'Bearer realm="pdp"' and reply.json is None
                  and reply.answer.one("x-request-id") == "7", f"{path}: {headers}: {reply}")
    check(ask(pdp.port, path="/nowhere").status == 404, "where nothing is, nobody need be known")

    new = secrets.token_urlsafe(32)
    file.write_text(f"edge sha256:{digest(new)}\n")
    pdp.child.signal(1)
    until("the tokens are read anew", lambda: ask(pdp.port, bearer(new)).decisions() is True)
    check(ask(pdp.port, bearer(edge)).status == 401, "what is no longer listed is not known")
    file.write_text("edge sha256:zz\n")
    pdp.child.signal(1)
    pdp.child.must_say("event=http_tokens_kept")
    check("line 1" in pdp.child.log() and "64 hexadecimal digits" in pdp.child.log(), pdp.child.log())
    check(ask(pdp.port, bearer(new)).decisions() is True, "what cannot be read changes nothing")
    check(new not in pdp.child.log() and edge not in pdp.child.log(), "no token in the log")


def openness(stage):
    file = stage.write("some-tokens", f"edge sha256:{digest('0123456789abcdef0123456789')}\n")
    pdp = Pdp(stage, FIXTURE, {"open": "true", "tokens": file}, WHERE, name="pdpd-open")
    check(ask(pdp.port).decisions() is True, "open: anybody")
    check(ask(pdp.port, bearer("0123456789abcdef0123456789")).decisions() is True, "and those that are known")
    check(ask(pdp.port, bearer("0123456789abcdef012345678x")).status == 401, "but none who shows a wrong token")
    pdp = Pdp(stage, FIXTURE, {}, WHERE, name="pdpd-shut")
    check(ask(pdp.port).status == 401, "without a word, nobody")
    pdp.child.must_say("event=http_nobody_may_ask")


def grants(stage):
    """What a known caller may do is what its entry of `peers:` says; policies see its name."""
    names = {name: secrets.token_urlsafe(24) for name in ("edge", "login", "acme-edge", "nobody")}
    file = stage.write("grants-tokens", "".join(f"{name} sha256:{digest(token)}\n" for name, token in names.items()))
    policies = {"who.yaml": """apiVersion: pdp/v1
kind: Policy
metadata: {name: who}
rules:
  - {id: edge, effect: allow, actions: [read], when: 'gateway == "edge"'}
  - {id: tenant, effect: allow, actions: [read], when: 'tenant == "acme"'}
"""}
    config = """peers:
  - {relay: edge, grants: [ask]}
  - {relay: login, grants: [issue]}
  - {relay: acme-edge, grants: [ask], tenants: [acme]}
"""
    pdp = Pdp(stage, policies, {"tokens": file, "grants": ["ask", "issue"]}, "inside", name="pdpd-grants", config=config)
    event = {"request_id": "e1", "event": {"type": "login", "subject": {"type": "user", "id": "alice"},
                                           "context": {"session": {"id": "dc9f0e1a6c44"}}, "properties": {"amr": ["pwd"]}}}

    def send(name, path, body, **more):
        return Pep(pdp.port, names[name]).send(path, body, **more)

    question = json.loads(GOOD)
    check(send("edge", EVALUATION, question).decisions() is True, "the policy sees who asks")
    check(send("nobody", EVALUATION, question).decisions() is False, "and that it is somebody else")
    check(send("nobody", EVALUATION, {**question, "gateway": "edge"}).decisions() is False, "whatever the body says")
    reply = send("login", EVALUATION, question)
    check(reply.status == 403 and "may not ask" in reply.text, f"one that may not ask: {reply}")
    check(send("acme-edge", EVALUATION, {**question, "tenant": "acme"}).decisions() is True, "of its tenant")
    check(send("acme-edge", "/acme" + EVALUATION, question).decisions() is True, "in the path")
    for path, body in ((EVALUATION, question), ("/other" + EVALUATION, question), ("/other" + EVALUATION, {**question, "tenant": "acme"})):
        reply = send("acme-edge", path, body)
        check(reply.status == 403, f"of another tenant: {path}: {reply}")

    reply = send("login", "/v1/events", event)
    check(reply.status == 200 and reply.json["event"]["recorded"] is True and reply.json["session"]["state"] == "active", f"an event: {reply}")
    reply = send("login", "/v1/events", event)
    check(reply.status == 200 and reply.json["event"]["repeated"] is True, f"again: {reply}")
    reply = send("edge", "/v1/events", {**event, "request_id": "e2"})
    check(reply.status == 403, f"one that may not: {reply}")
    for what, body in (("none", {}), ("a question", question), ("an id is missing", {"event": event["event"]}),
                       ("of no kind", {"request_id": "e3", "event": {**event["event"], "type": "party"}}),
                       ("of nobody", {"request_id": "e4", "event": {"type": "login"}}), ("no map", {"request_id": "e5", "event": "login"})):
        reply = send("login", "/v1/events", body)
        check(reply.status == 400 and reply.text, f"an event that is none: {what}: {reply}")
    check(send("login", "/v1/events", event, method="PUT").status == 405, "events are posted")


def apart(stage):
    """Apart, the daemon believes what the adapter says of its callers where it has the grant `relay`, and nothing where not."""
    token = secrets.token_urlsafe(24)
    file = stage.write("apart-tokens", f"edge sha256:{digest(token)}\n")
    config = f"decide:\n  - {{url: 'ipc://{stage.dir}/relay.ipc', grants: [ask, relay]}}\n"
    pdpd = Pdpd(stage, FIXTURE, config=config, name="pdpd-apart")
    without = Apart(stage, "pdp-http", pdpd, "--tokens", file)
    reply = ask(without.port, bearer(token))
    check(reply.status == 500 and "relay" in reply.text, f"without the grant: {reply}")
    pdpd.decide = f"ipc://{stage.dir}/relay.ipc"
    check(ask(Apart(stage, "pdp-http", pdpd, "--tokens", file).port, bearer(token)).decisions() is True, "with it")


# settings and what is said of them
REFUSED = [
    ({"open": "yes"}, "`open` is `true` or `false`"),
    ({"tokens": "/nonexistent"}, "`/nonexistent` cannot be read: No such file or directory"),
    ({"tokens": "/"}, "cannot be read"),
    ({"cert": "/nonexistent"}, "`key` is missing"),
    ({"client-ca": "/nonexistent"}, "`cert` is missing"),
    ({"cert": "CERT", "key": "OTHER"}, "this key does not belong to the certificate"),
    ({"cert": "KEY", "key": "KEY"}, "KEY"),
    ({"cert": "CERT", "key": "CERT"}, "CERT"),
    ({"cert": "CERT", "key": "KEY", "client-ca": "KEY"}, "KEY"),
    ({"issuer": "http://pdp.example"}, "`issuer` is `https://host`"),
    ({"issuer": "https://pdp.example/"}, "`issuer` is `https://host`"),
    ({"issuer": "https://pdp.example?x"}, "`issuer` is `https://host`"),
    ({"issuer": "https://"}, "`issuer` is `https://host`"),
    ({"capability": "urn:x"}, "takes `issuer` as well"),
    ({"issuer": "https://pdp.example", "capability": "fast"}, "a capability is a URN"),
    ({"connections": "0"}, "from 1 to 100000"),
    ({"connections": "many"}, "from 1 to 100000"),
    ({"connections-per-address": "-1"}, "from 1 to 100000"),
    ({"idle": "1"}, "such as `200ms`"),
    ({"idle": "1ms"}, "such as `200ms`"),
    ({"head": "100"}, "from 4096 to 1048576"),
    ({"deadline": "0s"}, "such as `200ms`"),
    ({"obligations": "1"}, "`obligations` is `true` or `false`"),
    ({"isuer": "https://pdp.example"}, "did you mean `issuer`"),
]
LINES = [("edge", "behind the name"), ("edge sha256:" + "0" * 63, "behind the name"), ("edge sha256:" + "g" * 64, "behind the name"),
         ("edge md5:" + "0" * 64, "behind the name"), ("edge sha256:" + "0" * 64 + " x", "and nothing else"),
         ("x" * 129 + " sha256:" + "0" * 64, "1 to 128 bytes"), ("\xe4 sha256:" + "0" * 64, "without blanks"),
         ("a sha256:" + "0" * 64 + "\nb sha256:" + "0" * 64, "line 2: this token is listed twice")]


def settings(stage, pki):
    daemon = "ipc:///nonexistent"
    cases = REFUSED + [({"tokens": stage.write(f"lines-{i}", line)}, says) for i, (line, says) in enumerate(LINES)]
    for told, says in cases:
        names = {"CERT": pki["server.pem"], "KEY": pki["server.key"], "OTHER": pki["other.key"]}
        flags = [text for key, value in told.items() for text in (f"--{key}", str(names.get(value, value)))]
        says = names.get(says, says)
        done = subprocess.run([ours("pdp-http"), "--pdp", daemon, "--listen", "127.0.0.1:0", *flags], capture_output=True, text=True,
                              timeout=30)
        check(done.returncode == 2 and str(says) in done.stderr, f"{told}: {says!r}, not {done.returncode}: {done.stderr}")
    done = subprocess.run([ours("pdp-http"), "--pdp", daemon, "--listen", "0.0.0.0:0", "--open", "true"], capture_output=True, text=True,
                          timeout=30)
    check(done.returncode == 2 and "loopback addresses and unix sockets" in done.stderr, f"open to all: {done.stderr}")


# ---- TLS ---------------------------------------------------------------------------------------------

def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def make_pki(stage):
    """An authority, certificates of it, and some that are not."""
    folder = stage.dir / "pki"
    folder.mkdir()
    names = {}

    def ca(name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")

    def cert(name, by, subject, *extensions, days="2"):
        (folder / f"{name}.ext").write_text("\n".join(extensions))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout", folder / f"{name}.key",
                "-out", folder / f"{name}.csr")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{by}.pem", "-CAkey", folder / f"{by}.key",
                "-CAcreateserial", "-days", days, "-extfile", folder / f"{name}.ext", "-out", folder / f"{name}.pem")

    ca("ca")
    ca("stranger")
    cert("server", "ca", "/CN=pdp", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    cert("other", "ca", "/CN=pdp2", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    client = "extendedKeyUsage=clientAuth"
    cert("edge", "ca", "/CN=ignored", client, "subjectAltName=DNS:Edge.Example,DNS:second")
    cert("uri", "ca", "/CN=ignored", client, "subjectAltName=URI:spiffe://example/edge")
    cert("cn", "ca", "/CN=plain", client)
    cert("forged", "stranger", "/CN=edge", client, "subjectAltName=DNS:edge.example")
    cert("purpose", "ca", "/CN=edge", "extendedKeyUsage=serverAuth", "subjectAltName=DNS:edge.example")
    cert("late", "ca", "/CN=edge", client, "subjectAltName=DNS:edge.example", days="-1")
    cert("star", "ca", "/CN=edge", client, "subjectAltName=DNS:*.example")
    cert("nameless", "ca", "/O=nobody", client)
    for path in folder.iterdir():
        names[path.name] = path
    return names


def over_tls(port, pki, cert=None, headers=(), most=None, path=EVALUATION):
    """(reply, certificate of the server); None in place of a reply: no handshake."""
    context = ssl.create_default_context(cafile=pki["ca.pem"])
    if cert:
        context.load_cert_chain(pki[f"{cert}.pem"], pki[f"{cert}.key"])
    if most:
        context.maximum_version = context.minimum_version = most
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as s:
            own = s.getpeercert(True)
            s.sendall(request(path, [JSON, ("Connection", "close"), *headers], method="POST", body=GOOD))
            data = b""
            while more := s.recv(65536):
                data += more
        head, _, body = data.partition(b"\r\n\r\n")
        return Reply(Answer(head + b"\r\n\r\n", body)), own
    except (ssl.SSLError, ConnectionError):
        return None, None


def tls(stage, pki):
    token = secrets.token_urlsafe(24)
    file = stage.write("tls-tokens", f"by-token sha256:{digest(token)}\n")
    cert, key, ca = (stage.write(f"live/{name}", pki[source].read_text()) for name, source in
                     (("cert", "server.pem"), ("key", "server.key"), ("ca", "ca.pem")))
    pdp = Pdp(stage, FIXTURE, {"cert": cert, "key": key, "client-ca": ca, "tokens": file}, WHERE, name="pdpd-tls")
    for name in ("edge", "uri", "cn"):
        check(over_tls(pdp.port, pki, name)[0].decisions() is True, f"the certificate of {name} is known")
    for name in (None, "forged", "purpose", "late", "star", "nameless"):
        reply = over_tls(pdp.port, pki, name)[0]
        check(reply is None or reply.status == 401, f"the certificate of {name}: {reply}")
    check(over_tls(pdp.port, pki, None, [bearer(token)])[0].decisions() is True, "a token does as well")
    check(over_tls(pdp.port, pki, "edge", [bearer("x" * 30)])[0].status == 401, "a wrong token is wrong, whatever the certificate")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        check(over_tls(pdp.port, pki, "edge", most=version)[0].decisions() is True, f"{version}")
    plain = get(pdp.port, EVALUATION, [JSON], method="POST", body=GOOD)
    check(plain.status in (0, 400), f"no TLS, no answer: {plain}")

    was = over_tls(pdp.port, pki, "edge")[1]
    cert.write_text(pki["other.pem"].read_text())
    pdp.child.signal(1)
    pdp.child.must_say("event=http_certificates_kept")
    check("does not belong" in pdp.child.log() and over_tls(pdp.port, pki, "edge")[1] == was, "half a pair changes nothing")
    key.write_text(pki["other.key"].read_text())
    pdp.child.signal(1)
    until("the new certificate is shown", lambda: over_tls(pdp.port, pki, "edge")[1] not in (None, was))
    ca.write_text(pki["stranger.pem"].read_text())
    pdp.child.signal(1)
    until("another authority is believed", lambda: (over_tls(pdp.port, pki, "forged")[0] or Reply(Answer())).decisions() is True)
    reply = over_tls(pdp.port, pki, "edge")[0]
    check(reply is None or reply.status == 401, f"and the former one no more: {reply}")


with Stage() as main:
    made = make_pki(main)
    tokens(main)
    openness(main)
    settings(main, made)
    if inside():
        grants(main)
        apart(main)
    tls(main, made)
finish()
