# SPDX-License-Identifier: Apache-2.0
"""The descriptor face over TLS: who is believed, and who is not. Usage: flow_tls.py BIN FLOW"""
import os
import socket
import ssl
import struct
import sys
import tempfile
import threading

from tls import Ca, Daemon, check, run
import tls

CONFIG = """policies: policies
workers: 1
decide: 'tls+tcp://127.0.0.1:0'
tls: {cert: pdp.pem, key: pdp.key, ca: ca.pem}
peers:
  - {certificate: '*.example'}
"""


def asks(daemon, ca, name="", server="pdp.example", authority=None, host="127.0.0.1"):
    """What `system_flow --ask` says: its answer, and whether there was a connection."""
    url = f"tls+tcp://{host}:{daemon.decide.rsplit(':', 1)[1]}"
    cert, key = (ca.path(f"{name}.pem"), ca.path(f"{name}.key")) if name else ("", "")
    return run(os.path.abspath(sys.argv[2]), "--ask", url, authority or ca.path("ca.pem"), cert, key, server).stdout.split("\n")[:2]


class Patient:
    """A daemon that says nothing before it has heard something."""

    def __init__(self, ca):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca.path("pdp.example.pem"), ca.path("pdp.example.key"))
        context.num_tickets = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.decide = f"tls+tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.context = context
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        peer, _ = self.listener.accept()
        with self.context.wrap_socket(peer, server_side=True) as peer, peer.makefile("rb") as stream:
            if stream.read(8) == b"\0SP\0\0\x30\0\0":
                peer.sendall(b"\0SP\0\0\x31\0\0")
                body = stream.read(struct.unpack(">Q", stream.read(8))[0])
                answer = body[:4] + b'{"decision": true, "context": {"effect": "allow", "code": "policy"}}'
                peer.sendall(struct.pack(">Q", len(answer)) + answer)
                stream.read(1)


def main():
    with tempfile.TemporaryDirectory() as folder:
        ca, other = Ca(folder, "ca"), Ca(folder, "other")
        ca.issue("pdp.example", usage="serverAuth", san="DNS:pdp.example,IP:127.0.0.1")
        ca.issue("gw.example").issue("gw.elsewhere").issue("expired.example", start="20200101000000Z", end="20210101000000Z")
        other.issue("gw.example")
        at = os.path.join(folder, "daemon")
        os.makedirs(at)
        for name, to in (("pdp.example.pem", "pdp.pem"), ("pdp.example.key", "pdp.key"), ("ca.pem", "ca.pem")):
            with open(ca.path(name), "rb") as source, open(os.path.join(at, to), "wb") as target:
                target.write(source.read())
        daemon = Daemon(at, CONFIG)
        good, away = ["allow policy", "connected"], ["deny TIMEOUT", "not connected"]
        try:
            for how, want in (
                (asks(daemon, ca, "gw.example"), good),
                (asks(daemon, ca, "gw.example", server=""), good),  # the address is in the certificate
                (asks(daemon, ca, "gw.example", server="other.example"), away),
                (asks(daemon, ca, "gw.example", server="127.0.0.2"), away),
                (asks(daemon, ca, "gw.example", server="", host="localhost"), away),
                (asks(daemon, ca, "gw.example", authority=other.path("ca.pem")), away),
                (asks(daemon, other, "gw.example", authority=ca.path("ca.pem")), away),
                (asks(daemon, ca, "expired.example"), away),
                (asks(daemon, ca, "gw.elsewhere"), away),
                (asks(daemon, ca), away),
                (asks(daemon, ca, "nobody"), ["refused IO", "not connected"]),
            ):
                check(how == want, f"{how}, not {want}")
            how = asks(Patient(ca), ca)
            check(how == good, f"who waits for a greeting: {how}")
        finally:
            daemon.stop()
            if tls.failures:
                print(daemon.said()[-4000:])
    print(f"{tls.checks} checks, {tls.failures} failed")
    return 1 if tls.failures else 0


if __name__ == "__main__":
    sys.exit(main())
