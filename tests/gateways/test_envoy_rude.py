# SPDX-License-Identifier: Apache-2.0
"""Peers that speak HTTP/2 badly, or too much: none of them stops the adapter, makes it grow without bound or keeps others waiting."""
import resource
import select
import socket
import struct
import time

from envoy import Grpc, asked, code
from support import SANITIZE, Apart, Pdpd, Stage, check, finish, until, wait

POLICY = """
apiVersion: pdp/v1
kind: Policy
metadata: {name: shop, owner: web}
target: resource.type == "route"
rules:
  - {id: open, effect: allow, resources: ["/open", "/open/**"]}
"""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
CALM = 11 # ENHANCE_YOUR_CALM


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def number(value, prefix, first):
    if value < (1 << prefix) - 1:
        return bytes([first | value])
    out, value = [first | ((1 << prefix) - 1)], value - ((1 << prefix) - 1)
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes(out + [value])


def literal(name, value, first=0):
    return bytes([first]) + number(len(name), 7, 0) + name + number(len(value), 7, 0) + value


CALL = b"".join(literal(name, value) for name, value in [
    (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/envoy.service.auth.v3.Authorization/Check"), (b":authority", b"pdp"),
    (b"content-type", b"application/grpc"), (b"te", b"trailers")])


def field(number_, payload):
    return number(number_ << 3 | 2, 8, 0) + number(len(payload), 8, 0)[:0] + varint(len(payload)) + payload


def varint(value):
    out = []
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes(out + [value])


# attributes {request {http {method, path, scheme}}}
OPEN = field(1, field(4, field(2, field(2, b"GET") + field(4, b"/open") + field(6, b"http"))))
MESSAGE = b"\0" + struct.pack(">I", len(OPEN)) + OPEN


class Peer:
    def __init__(self, port, settings=b"", greet=True):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.closed, self.seen, self.rest = False, [], b""
        if greet:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data):
        """All of it, unless the other side has gone; reads nothing."""
        try:
            self.socket.settimeout(10)
            self.socket.sendall(data)
            return True
        except OSError:
            self.closed = True
            return False

    def read(self, wait_s=0.0):
        """Frames that are there."""
        while not self.closed and select.select([self.socket], [], [], wait_s)[0]:
            try:
                data = self.socket.recv(1 << 20)
            except OSError:
                data = b""
            self.closed = data == b""
            self.rest += data
            wait_s = 0
        while len(self.rest) >= 9 and len(self.rest) >= 9 + int.from_bytes(self.rest[:3], "big"):
            size = int.from_bytes(self.rest[:3], "big")
            self.seen.append((self.rest[3], self.rest[4], int.from_bytes(self.rest[5:9], "big"), self.rest[9:9 + size]))
            self.rest = self.rest[9 + size:]
        return self.seen

    def count(self, kind):
        return sum(1 for seen in self.read() if seen[0] == kind)

    def dismissed(self):
        """Why it was sent away: a code of GOAWAY; None: the connection was cut without a word."""
        codes = [int.from_bytes(payload[4:8], "big") for kind, _, _, payload in self.read() if kind == GOAWAY]
        return codes[-1] if codes else None

    def is_cut(self):
        self.read(0.01)
        return self.closed

    def call(self, stream, message=MESSAGE, flags=END_STREAM):
        return self.send(frame(HEADERS, END_HEADERS, stream, CALL) + frame(DATA, flags, stream, message))

    def close(self):
        self.socket.close()


def memory_mb(child):
    for line in open(f"/proc/{child.pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def is_served(port, what):
    peer = Peer(port)
    peer.call(1)
    check(wait(lambda: peer.count(DATA) == 1), f"others are served {what}")
    peer.close()


def speaks_as_it_should(port):
    peer = Peer(port)
    peer.call(1)
    until("a plain call is answered", lambda: peer.count(HEADERS) == 2 and peer.count(DATA) == 1)
    peer.send(frame(HEADERS, END_HEADERS, 3, CALL) + b"".join(frame(DATA, 0, 3, MESSAGE[i:i + 1]) for i in range(len(MESSAGE))) +
              frame(DATA, END_STREAM, 3))
    until("byte by byte, too", lambda: peer.count(DATA) == 2)
    peer.send(frame(HEADERS, END_HEADERS, 5, CALL) + frame(DATA, END_STREAM | PADDED, 5, b"\x14" + MESSAGE + b"\0" * 20))
    until("and padded", lambda: peer.count(DATA) == 3)
    cut = len(CALL) // 2
    peer.send(frame(HEADERS, 0, 7, CALL[:cut]) + frame(CONTINUATION, END_HEADERS, 7, CALL[cut:]) + frame(DATA, 0, 7, MESSAGE) +
              frame(HEADERS, END_HEADERS | END_STREAM, 7, literal(b"x-trailer", b"1")))
    until("and with trailers", lambda: peer.count(DATA) == 4)
    peer.send(frame(200, 0, 0, b"x" * 100) * 1000 + frame(PRIORITY, 0, 1, b"\0\0\0\0\1") * 1000)
    peer.call(9)
    until("frames of unknown types, and priorities, are passed over", lambda: peer.count(DATA) == 5)
    peer.close()


def floods(port):
    """What each of them sends is cut short, and says why."""
    ask = [frame(HEADERS, END_HEADERS, 2 * i + 1, CALL) for i in range(10000)]
    kinds = {
        "10,000 streams, each reset at once": [ask[i] + frame(RST, 0, 2 * i + 1, struct.pack(">I", 8)) for i in range(10000)],
        "10,000 whole calls, each reset": [ask[i] + frame(DATA, END_STREAM, 2 * i + 1, MESSAGE) +
                                           frame(RST, 0, 2 * i + 1, struct.pack(">I", 8)) for i in range(10000)],
        "streams that end in our reset": [ask[i] + frame(WINDOW, 0, 2 * i + 1, struct.pack(">I", 0)) for i in range(10000)],
        "100,000 pings": [frame(PING, 0, 0, b"12345678")] * 100000,
        "100,000 settings": [frame(SETTINGS, 0, 0)] * 100000,
        "100,000 settings that change something": [frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535 + i % 7)) for i in range(100000)],
        "100,000 empty data": [ask[0]] + [frame(DATA, 0, 1)] * 100000,
        "100,000 window updates": [frame(WINDOW, 0, 0, struct.pack(">I", 1))] * 100000,
        "a header in 1,000 pieces": [frame(HEADERS, 0, 1, CALL)] + [frame(CONTINUATION, 0, 1, literal(b"a", b"b"))] * 1000,
        "a header of 4 KiB, 2,000 times by its number": [frame(HEADERS, END_HEADERS, 1, CALL + literal(b"x", b"y" * 3900, 0x40) +
                                                             b"\xbe" * 2000)],
        "16 KiB of headers on each of 3,000 streams": [frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, CALL + literal(b"x", b"y" * 14000)) +
                                                       frame(RST, 0, 2 * i + 1, struct.pack(">I", 8)) for i in range(3000)],
        "a frame that is too long": [struct.pack(">I", 20000)[1:] + bytes([DATA, 0]) + struct.pack(">I", 1) + b"x" * 20000],
        "an even stream": [frame(HEADERS, END_HEADERS, 2, CALL)],
        "a push": [frame(PUSH, END_HEADERS, 1, b"\0\0\0\2" + CALL)],
        "a window that overflows": [frame(WINDOW, 0, 0, struct.pack(">I", 0x7fffffff))] * 2,
        "headers that are no HPACK": [frame(HEADERS, END_HEADERS, 1, b"\xff" * 100)],
        "a table that is resized without end": [frame(HEADERS, END_HEADERS, 1, b"\x3f\xff\xff\xff\x7f" + CALL)],
    }
    for what, frames in kinds.items():
        peer = Peer(port)
        for at in range(0, len(frames), 500):
            if not peer.send(b"".join(frames[at:at + 500])):
                break
            peer.read()
        check(wait(peer.is_cut, 20), f"{what}: the connection ends")
        if peer.dismissed() is not None:
            check(peer.dismissed() != 0, f"{what}: and says that something was wrong")
        peer.close()
        is_served(port, f"after {what}")


def garbage(port):
    for bytes_ in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500, b"\0" * 4096,
                   PREFACE[:-1] + b"x" + b"\0" * 100, PREFACE + b"\xff" * 4096, PREFACE + frame(HEADERS, END_HEADERS, 1, CALL)):
        peer = Peer(port, greet=False)
        peer.send(bytes_)
        check(wait(peer.is_cut), f"garbage is cut: {bytes_[:24]}")
        peer.close()
    for cut in range(len(PREFACE)):
        peer = Peer(port, greet=False)
        peer.send(PREFACE[:cut])
        peer.close()
    is_served(port, "after garbage")


class Slow:
    """Those who only wait: their deadlines pass while the others are tried."""

    def __init__(self, port):
        self.silent = [Peer(port, greet=False) for _ in range(20)]
        self.half = Peer(port)
        self.half.send(frame(HEADERS, END_HEADERS, 1, CALL) + frame(DATA, 0, 1, MESSAGE[:-1]))
        self.shut = Peer(port, settings=struct.pack(">HI", 4, 0)) # a window of nothing, never opened
        for i in range(100):
            self.shut.call(2 * i + 1)
        self.deaf = Peer(port)
        self.deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.deaf.socket.setblocking(False)
        self.stream, self.rest = 1, b""

    def feed_deaf(self):
        """Sends calls and reads no answer, until nothing more is taken."""
        try:
            for _ in range(20000):
                self.rest = self.rest or frame(HEADERS, END_HEADERS, self.stream, CALL) + frame(DATA, END_STREAM, self.stream, MESSAGE)
                sent = self.deaf.socket.send(self.rest)
                self.rest = self.rest[sent:]
                self.stream += 0 if self.rest else 2
        except BlockingIOError:
            pass
        except OSError:
            self.deaf.closed = True

    def end(self):
        check(wait(lambda: all(peer.is_cut() for peer in self.silent)), "who says nothing is cut")
        check(wait(lambda: self.half.count(RST) == 1), "half a request is reset")
        check(not self.half.is_cut(), "and nothing else")
        check(wait(lambda: self.shut.count(RST) == 100), f"answers that are not taken are reset: {self.shut.count(RST)}")
        check(self.shut.count(DATA) == 0, "none was sent")

        def is_cut():
            try:
                self.deaf.socket.send(self.rest[:1] or b"\0")
            except BlockingIOError:
                return False
            except OSError:
                return True
            return False
        check(wait(is_cut), "who reads nothing is cut")
        for peer in [*self.silent, self.half, self.shut, self.deaf]:
            peer.close()


def crowds(port):
    """More connections than there may be: the quiet ones give way."""
    peers = [Peer(port) for _ in range(300)]
    check(wait(lambda: sum(peer.is_cut() for peer in peers) >= 300 - 64), f"who is too many is cut: {sum(p.closed for p in peers)}")
    is_served(port, "beside a crowd")
    for peer in peers:
        peer.close()


def many_streams(port):
    peer = Peer(port)
    for i in range(3000):
        peer.send(frame(HEADERS, END_HEADERS, 2 * i + 1, CALL))
    check(wait(lambda: peer.is_cut() or peer.count(RST) > 0), "more streams than may be are refused")
    peer.close()
    is_served(port, "after many streams")


def hogs(port, adapter):
    """Unfinished requests, as many and as large as can be."""
    before = memory_mb(adapter.child)
    peers = [Peer(port) for _ in range(20)]
    prefix = b"\0" + struct.pack(">I", 65000)
    for peer in peers:
        for i in range(200):
            if not peer.send(frame(HEADERS, END_HEADERS, 2 * i + 1, CALL) + frame(DATA, 0, 2 * i + 1, prefix + b"x" * 4000)):
                break
    is_served(port, "beside hogs")
    grown = memory_mb(adapter.child) - before
    check(grown < 300 or SANITIZE, f"unfinished requests are bounded: {grown:.0f} MB more")
    for peer in peers:
        peer.close()


resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
with Stage() as stage:
    pdpd = Pdpd(stage, {"shop.yaml": POLICY})
    adapter = Apart(stage, "pdp-ext-authz", pdpd, "--connections", "64", "--deadline", "5s")
    port = adapter.port
    speaks_as_it_should(port)
    slow = Slow(port)
    slow.feed_deaf()
    garbage(port)
    slow.feed_deaf()
    many_streams(port)
    floods(port)
    slow.end()
    crowds(port)
    hogs(port, adapter)
    check(adapter.child.process.poll() is None, "it still runs")
    grpc = Grpc(stage, f"127.0.0.1:{port}")
    check(grpc.many(asked("/open"), 1000) == {"status 0": 1000}, "and answers a thousand")
finish()
