# SPDX-License-Identifier: Apache-2.0
"""The Envoy adapter over TLS: who may ask is who has a certificate, and who an identity's headers are believed of."""
import shutil
import signal
import socket
import ssl
import subprocess

from envoy import PATIENT, Grpc, asked, certificates, code, headers, metadata, status
from idp import ISSUER, Idp
from support import Apart, Pdpd, Stage, check, finish, until, wait

POLICY = """
apiVersion: pdp/v1
kind: Policy
metadata: {name: shop, owner: web}
target: resource.type == "route"
rules:
  - {id: open, effect: allow, resources: ["/open"]}
  - {id: alice, effect: allow, resources: ["/alice"], when: 'subject.id == "alice"'}
  - {id: edge, effect: allow, resources: ["/edge"], when: 'gateway == "edge-1.example"'}
  - {id: hr, effect: allow, resources: ["/hr"], when: 'subject.id == "alice" && "hr" in subject.roles'}
"""


def opened(port, cert=None, alpn=("h2",), version=None):
    """A TLS connection, or None: what is left of one that was refused."""
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    if alpn:
        context.set_alpn_protocols(alpn)
    if version:
        context.minimum_version = context.maximum_version = version
    if cert:
        context.load_cert_chain(folder / f"{cert}.crt", folder / f"{cert}.key")
    try:
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10), server_hostname="localhost")
        if s.selected_alpn_protocol() != "h2":
            s.close()
            return None
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5))
        data = s.recv(9) # its settings; in TLS 1.3 a refusal of our certificate comes here
        s.close()
        return data or None
    except (ssl.SSLError, OSError):
        return None


def serves_tls(stage, pdpd):
    adapter = Apart(stage, "pdp-ext-authz", pdpd, *PATIENT, "--cert", folder / "server.crt", "--key", folder / "server.key")
    grpc = Grpc(stage, f"localhost:{adapter.port}", folder / "ca.crt")
    check(code(grpc.call(asked("/open"))) == 0, "over TLS")
    check(grpc.many(asked("/open", headers={"x-big": "x" * 50000}), 100) == {"status 0": 100}, "many records")
    check(opened(adapter.port), "HTTP/2 by ALPN")
    check(opened(adapter.port, version=ssl.TLSVersion.TLSv1_2), "TLS 1.2, too")
    for alpn in (("http/1.1",), ("h2c", "spdy/3"), None):
        check(not opened(adapter.port, alpn=alpn), f"no other protocol: {alpn}")
    plain = Grpc(stage, f"127.0.0.1:{adapter.port}")
    check(code(plain.call(asked("/open"), deadline_ms=3000)) in ("error 14", "error 4"), "and not without")
    return adapter


# edge-1 may say who asks; what it says of roles is not believed.
INSIDE = """ext_authz:
  deadline: 20s
  grants: [ask]
  cert: {folder}/server.crt
  key: {folder}/server.key
  client_ca: {folder}/ca.crt
  trusted: 192.0.2.1
  subject: header:x-user
  roles: header:x-roles
peers:
  - {{relay: edge-1.example, grants: [ask], may_assert: [subject]}}
"""


def demands_certificates(stage):
    """Inside of pdpd: a gateway is the name of its certificate."""
    pdpd = Pdpd(stage, {"shop.yaml": POLICY}, "--ext-authz", "127.0.0.1:0", config=INSIDE.format(folder=folder), name="inside")
    port = pdpd.ports["ext-authz"]
    for cert in (None, "stranger"):
        check(not opened(port, cert), f"{cert}: refused")
    check(opened(port, "edge"), "a gateway is taken")
    grpc = Grpc(stage, f"localhost:{port}", folder / "ca.crt", folder / "edge.crt", folder / "edge.key")
    response = grpc.call(asked("/edge"))
    check(code(response) == 0, f"and is asked for by its name: {response}")
    response = grpc.call(asked("/alice", headers={"x-user": "alice"}))
    check(code(response) == 0, f"its headers are believed: {response}")
    response = grpc.call(asked("/hr", headers={"x-user": "alice", "x-roles": "hr"}))
    check(code(response) == 7, f"as far as its entry goes: {response}")


def renews(stage, adapter):
    """New certificates at SIGHUP; what is no good changes nothing."""
    old = (folder / "server.crt").read_text()
    (folder / "server.crt").write_text("none\n")
    adapter.child.signal(signal.SIGHUP)
    adapter.child.must_say("event=ext_authz_tls_refused")
    check(opened(adapter.port), "the old one stays")
    (folder / "server.crt").write_text(old)
    shutil.copy(folder / "fresh.crt", folder / "server.crt")
    shutil.copy(folder / "fresh.key", folder / "server.key")
    adapter.child.signal(signal.SIGHUP)

    def serial():
        text = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{adapter.port}", "-alpn", "h2"], input="", text=True,
                              capture_output=True).stdout
        return "CN = fresh" in text or "CN=fresh" in text
    until("the new one is shown", serial)


def believes(stage, pdpd):
    """Headers of an identity count where the gateway is one of ours."""
    adapter = Apart(stage, "pdp-ext-authz", pdpd, *PATIENT, "--trusted", "127.0.0.1", "--subject", "header:x-user", "--roles", "header:x-roles")
    grpc = Grpc(stage, f"127.0.0.1:{adapter.port}")
    alice = {"x-user": "alice", "x-roles": "hr"}
    response = grpc.call(asked("/hr", headers=alice))
    check(code(response) == 0 and headers(response).get("x-pdp-subject") == "alice", f"a trusted header: {response}")
    check(metadata(response).get("subject") == "alice", "in the metadata, too")
    check("x-pdp-subject" in grpc.call(asked("/open"))["ok_response"]["headers_to_remove"], "nobody is nobody")
    twice = asked("/hr", raw=[("x-user", b"alice"), ("x-user", b"bob"), ("x-roles", b"hr")])
    check(status(grpc.call(twice)) == "Forbidden", "two users are none")
    check(code(grpc.call(asked("/hr", headers={**alice, "x-user": "alice,bob"}))) == 7, "nor are they in one line")
    other = Apart(stage, "pdp-ext-authz", pdpd, *PATIENT, "--trusted", "192.0.2.1", "--subject", "header:x-user")
    response = Grpc(stage, f"127.0.0.1:{other.port}").call(asked("/open"))
    check(code(response) == 7 and "trusted" in metadata(response).get("reason", ""), f"a stranger is denied: {response}")
    strict = Apart(stage, "pdp-ext-authz", pdpd, *PATIENT, "--subject", "header:x-user", "--anonymous", "refuse")
    response = Grpc(stage, f"127.0.0.1:{strict.port}").call(asked("/open"))
    check(code(response) == 16 and status(response) == "Unauthorized" and "www-authenticate" in headers(response), f"who? {response}")


def checks_tokens(stage, pdpd):
    """A token needs nobody's word; what is none is a 401 that says so."""
    idp = Idp(stage)
    adapter = Apart(stage, "pdp-ext-authz", pdpd, *PATIENT, "--jwks", idp.url, "--jwt-issuer", ISSUER, "--jwt-audience", "shop")
    grpc = Grpc(stage, f"127.0.0.1:{adapter.port}")
    bearer = lambda token: grpc.call(asked("/alice", headers={"authorization": f"Bearer {token}"}))
    until("a token says who asks", lambda: code(bearer(idp.token())) == 0)
    check(headers(bearer(idp.token())).get("x-pdp-subject") == "alice", "and the site is told")
    check(code(bearer(idp.token(subject="bob"))) == 7, "another one is another one")
    for token in (idp.token(exp=1), idp.token(aud="till"), "x.y.z", idp.token() + ", Bearer x"):
        response = bearer(token)
        challenge = headers(response).get("www-authenticate", "")
        check(code(response) == 16 and 'error="invalid_token"' in challenge or code(response) == 7, f"{token[:20]}: {response}")
        check(code(response) != 0, "no OK")
    check(status(bearer(idp.token(exp=1))) == "Unauthorized", "an expired one is a 401")
    twice = asked("/alice", raw=[("authorization", f"Bearer {idp.token()}".encode())] * 2)
    check(code(grpc.call(twice)) != 0, "two are none")


def complains(stage):
    def said(*options):
        done = subprocess.run([str(path) for path in (adapter.child.argv[0], "--pdp", pdpd.decide, "--listen", "127.0.0.1:0", *options)],
                              capture_output=True, text=True, timeout=30)
        return done.returncode, done.stderr
    for options, word in ((("--cert", folder / "server.crt"), "TLS needs both `cert` and `key`"),
                          (("--client-ca", folder / "ca.crt"), "TLS needs both `cert` and `key`"),
                          (("--cert", "/none", "--key", folder / "server.key"), "`/none` is no certificate in PEM"),
                          (("--cert", folder / "server.crt", "--key", folder / "edge.key"), "is no key of the certificate"),
                          (("--cert", folder / "server.crt", "--key", folder / "server.key", "--client-ca", folder / "edge.key"),
                           "holds no certificates"),
                          (("--deadline", "0ms"), "deadline"), (("--path", "both"), "path"), (("--strems", "1"), "streams")):
        status_, text = said(*options)
        check(status_ == 2 and word in text, f"{options}: {text}")


with Stage() as stage:
    folder = certificates(stage.dir)
    pdpd = Pdpd(stage, {"shop.yaml": POLICY})
    adapter = serves_tls(stage, pdpd)
    complains(stage)
    renews(stage, adapter)
    demands_certificates(stage)
    believes(stage, pdpd)
    if shutil.which("jose"):
        checks_tokens(stage, pdpd)
finish()
