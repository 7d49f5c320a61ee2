# SPDX-License-Identifier: Apache-2.0
"""SPOP as HAProxy speaks it, for tests that talk to the agent without one."""
import socket
import struct
from support import DEADLINE_S, check

UNSET, HELLO, BYE, NOTIFY, AGENT_HELLO, AGENT_BYE, ACK = 0, 1, 2, 3, 101, 102, 103
HELLO_LIST = {"supported-versions": "2.0", "max-frame-size": 16380, "capabilities": "pipelining,async"}


def number(i):
    if i < 240:
        return bytes([i])
    out, i = [i & 255 | 240], (i - 240) >> 4
    while i >= 128:
        out.append(i & 255 | 128)
        i = (i - 128) >> 7
    return bytes(out + [i])


def text(s):
    data = s if isinstance(s, bytes) else s.encode()
    return number(len(data)) + data


def value(v):
    if v is None:
        return b"\0"
    if isinstance(v, bool):
        return b"\x11" if v else b"\x01"
    if isinstance(v, int):
        return b"\x04" + number(v)
    return (b"\x09" if isinstance(v, bytes) else b"\x08") + text(v)


def pairs(entries):
    return b"".join(text(name) + value(v) for name, v in dict(entries).items())


def frame(kind, payload=b"", stream_id=0, frame_id=0, flags=1):
    body = struct.pack(">BI", kind, flags) + number(stream_id) + number(frame_id) + payload
    return struct.pack(">I", len(body)) + body


def notify(arguments, stream_id, frame_id=1, name="request"):
    return frame(NOTIFY, text(name) + bytes([len(arguments)]) + pairs(arguments), stream_id, frame_id)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), "cut"
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self):
        n = self.take(1)[0]
        shift = 4
        while n >= 240:
            byte = self.take(1)[0]
            n += byte << shift
            shift += 7
            if byte < 128:
                break
        return n

    def text(self):
        return self.take(self.number()).decode()

    def value(self):
        kind = self.take(1)[0]
        if kind & 15 == 0:
            return None
        if kind & 15 == 1:
            return kind & 16 != 0
        if kind & 15 < 6:
            return self.number()
        return self.text()

    def rest(self, read):
        out = []
        while self.at < len(self.data):
            out.append(read())
        return out


class Frame:
    """One frame of the agent. `list` of a HELLO or DISCONNECT, `variables` of an ACK."""

    def __init__(self, body):
        self.kind, self.flags = struct.unpack(">BI", body[:5])
        r = Reader(body)
        r.at = 5
        self.stream_id, self.frame_id = r.number(), r.number()
        self.list, self.variables, self.unset, self.scopes = {}, {}, set(), set()
        if self.kind == ACK:
            r.rest(lambda: self.action(r))
        else:
            self.list = dict(r.rest(lambda: (r.text(), r.value())))

    def action(self, r):
        what, count, scope = r.take(3)
        name = r.text()
        self.scopes.add(scope)
        assert (what, count) in ((1, 3), (2, 2)), (what, count)
        if what == 1:
            self.variables[name] = r.value()
        else:
            self.unset.add(name)


class Talk:
    """A connection to an agent. `hello` False: it says nothing at first."""

    def __init__(self, port, hello=True, **more):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.stream = self.socket.makefile("rb")
        self.answer = None
        if hello:
            self.send(frame(HELLO, pairs({**HELLO_LIST, **more})))
            self.answer = self.frame()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass # what was answered can be read still

    def frame(self):
        """The next frame; None: it is over."""
        try:
            size = self.stream.read(4)
            if len(size) < 4:
                return None
            return Frame(self.stream.read(struct.unpack(">I", size)[0]))
        except TimeoutError:
            check(False, "a frame in time")
            return None
        except OSError:
            return None

    def ask(self, arguments, stream_id=0, frame_id=1):
        self.send(notify(arguments, stream_id, frame_id))
        return self.frame()

    def ended(self, status, what):
        """It is told why it is over, and is."""
        bye = self.frame()
        code = bye.list.get("status-code") if bye and bye.kind == AGENT_BYE else bye
        check(code == status, f"{what}: ended with {status}, not {code}")
        check(self.frame() is None, f"{what}: closed")
