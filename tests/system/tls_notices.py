# SPDX-License-Identifier: Apache-2.0
"""Notices and orders over TLS: who hears them, and who no longer does. Usage: tls_notices.py BIN GATEWAY"""
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

from tls import BIN, DEADLINE_S, Ca, Daemon, Peer, check, context, run, until
import tls

SUB, RESPONDENT = 0x21, 0x63

CONFIG = """policies: policies
workers: 1
heartbeat: 50ms
decide: ['tls+tcp://127.0.0.1:0', 'ipc://{at}/decide.ipc']
admin: ipc://{at}/admin.ipc
notices: tls+tcp://127.0.0.1:0
orders: tls+tcp://127.0.0.1:0
tls: {{cert: pdp.pem, key: pdp.key, ca: ca.pem, crl: crl.pem}}
peers:
  - {{certificate: analyst.example, grants: [], roles: [analyst]}}
  - {{uid: {uid}, may_assert: [authentication, subject, device, roles], roles: [auditor, analyst, architect]}}
  - {{certificate: '*.example'}}
"""


def port_of(url):
    return int(url.rsplit(":", 1)[1])


def hears(url, how, protocol):
    """Does one who connects get as far as a heartbeat?"""
    try:
        peer = Peer(port_of(url), how, protocol=protocol)
        try:
            return len(peer.take(9)) == 9
        finally:
            peer.close()
    except (OSError, ssl.SSLError):
        return False


def wait_closed(peer):
    """Takes what it is sent until it is closed."""
    peer.sock.settimeout(DEADLINE_S)
    try:
        while peer.sock.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


class Gateway:
    """The real libpdp, by stock libnng."""

    def __init__(self, daemon, ca, name, certificate):
        self.process = subprocess.Popen(
            [os.path.abspath(sys.argv[2]), f"ipc://{daemon.at}/decide.ipc", daemon.notices, daemon.orders, name, ca.path("ca.pem"),
             ca.path(f"{certificate}.pem"), ca.path(f"{certificate}.key"), "pdp.example"], stdout=subprocess.PIPE, text=True)
        self.last = {}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.last = dict(word.split("=") for word in line.split())

    def is_now(self, **what):
        return all(self.last.get(key) == str(value) for key, value in what.items())

    def stop(self):
        self.process.kill()
        self.process.wait(DEADLINE_S)


def pdpctl(daemon, *args):
    return run(os.path.join(BIN, "pdpctl"), *args, "--connect", f"ipc://{daemon.at}/admin.ipc", "--deadline", "20000")


def gateways(daemon):
    """Who is connected, by name."""
    body = b'\x80\0\0\1{"op": "gateways"}'
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(DEADLINE_S)
        sock.connect(f"{daemon.at}/admin.ipc")
        sock.sendall(b"\0SP\0\0\x30\0\0\1" + struct.pack(">Q", len(body)) + body)
        stream = sock.makefile("rb")
        stream.read(9)
        said = json.loads(stream.read(struct.unpack(">Q", stream.read(8))[0])[4:])
    return [one["name"] for one in said["connected"]]


# ---- Who hears ---------------------------------------------------------------------------------------

def who_hears(daemon, ca, other):
    ca.issue("expired.example", start="20200101000000Z", end="20210101000000Z")
    ca.issue("nobody.elsewhere")
    ca.issue("usage.example", usage="serverAuth")
    other.issue("gw.example")
    for url, protocol in ((daemon.notices, SUB), (daemon.orders, RESPONDENT)):
        check(hears(url, context(ca, "gw.example"), protocol), f"{url}: a good certificate")
        for name in ("expired.example", "revoked.example", "usage.example", "nobody.elsewhere", "analyst.example"):
            check(not hears(url, context(ca, name), protocol), f"{url}: {name} hears nothing")
        check(not hears(url, context(ca), protocol), f"{url}: no certificate")
        check(not hears(url, context(ca, "gw.example", other), protocol), f"{url}: another CA")
    check(daemon.refused("barred") == 2, "an analyst is no gateway: barred")
    check(daemon.refused("peer_unknown") == 2, "a name that no entry has")
    check(daemon.refused("tls_bad") >= 10, "bad certificates are counted")


def an_end_is_heard(daemon, ca):
    gateway = Gateway(daemon, ca, "gw-tls", "gw.example")
    until("answers are kept", lambda: gateway.is_now(live=1, allow=1, kept=1, hit=1))
    until("it is named", lambda: gateways(daemon) == ["gw-tls"])
    done = pdpctl(daemon, "session", "terminate", "--session", "kept", "--reason", "test", "--wait=10000")
    check(done.returncode == 0 and "1 of 1 gateways confirmed" in done.stdout, f"--wait: {done.stdout}{done.stderr}")
    until("no allow", lambda: gateway.is_now(allow=0, kept=0))
    gateway.stop()


# ---- Who no longer does ------------------------------------------------------------------------------

def quarantine(daemon, ca):
    ends = [Peer(port_of(daemon.notices), context(ca, "edge.example"), protocol=SUB),
            Peer(port_of(daemon.orders), context(ca, "edge.example"), protocol=RESPONDENT)]
    stays = Peer(port_of(daemon.notices), context(ca, "gw.example"), protocol=SUB)
    check(all(len(peer.take(9)) == 9 for peer in ends), "it hears heartbeats")
    done = pdpctl(daemon, "peer", "quarantine", "edge.example", "--reason", "stolen key")
    check(done.returncode == 0, done.stderr)
    check(all(wait_closed(peer) for peer in ends), "quarantine closes notices and orders")
    check(not hears(daemon.notices, context(ca, "edge.example"), SUB), "and it cannot come again")
    check(len(stays.take(2000)) == 2000, "others hear on")
    check(pdpctl(daemon, "peer", "release", "edge.example").returncode == 0, "released")
    check(hears(daemon.notices, context(ca, "edge.example"), SUB), "it hears again")
    for peer in ends + [stays]:
        peer.close()


def revocation(daemon, ca):
    ends = [Peer(port_of(daemon.notices), context(ca, "stolen.example"), protocol=SUB),
            Peer(port_of(daemon.orders), context(ca, "stolen.example"), protocol=RESPONDENT)]
    gateway = Gateway(daemon, ca, "gw-stolen", "stolen.example")
    until("a gateway keeps answers", lambda: gateway.is_now(live=1))
    ca.crl("stolen.example")
    os.replace(ca.path("crl.pem"), os.path.join(daemon.at, "crl.pem"))
    daemon.process.send_signal(signal.SIGHUP)
    check(all(wait_closed(peer) for peer in ends), "revocation closes notices and orders")
    until("nothing is answered from what it keeps", lambda: gateway.is_now(live=0, kept=0))
    check(not hears(daemon.orders, context(ca, "stolen.example"), RESPONDENT), "and it cannot come again")
    check(hears(daemon.notices, context(ca, "gw.example"), SUB), "others can")
    until("it is not there any more", lambda: gateways(daemon) == [])
    gateway.stop()
    for peer in ends:
        peer.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        ca, other = Ca(folder, "ca"), Ca(folder, "other")
        ca.issue("pdp.example", usage="serverAuth")
        for name in ("gw.example", "edge.example", "analyst.example", "revoked.example", "stolen.example"):
            ca.issue(name)
        ca.crl("revoked.example")
        at = os.path.join(folder, "daemon")
        os.makedirs(at)
        for name, to in (("pdp.example.pem", "pdp.pem"), ("pdp.example.key", "pdp.key"), ("ca.pem", "ca.pem"),
                         ("crl.pem", "crl.pem")):
            with open(ca.path(name), "rb") as source, open(os.path.join(at, to), "wb") as target:
                target.write(source.read())
        daemon = Daemon(at, CONFIG.format(at=at, uid=os.geteuid()))
        try:
            who_hears(daemon, ca, other)
            an_end_is_heard(daemon, ca)
            quarantine(daemon, ca)
            revocation(daemon, ca)
        finally:
            daemon.stop()
            if tls.failures:
                print(daemon.said()[-4000:])
    print(f"{tls.checks} checks, {tls.failures} failed")
    return 1 if tls.failures else 0


if __name__ == "__main__":
    sys.exit(main())
