# SPDX-License-Identifier: Apache-2.0
"""The HTTP adapter and clients that are slow, rude, many or gone; heads that two servers could read in two ways; a daemon that is
slow or away. Never a yes that nobody gave, and all others are served meanwhile."""
import json
import resource
import socket

from authzen import EVALUATION, Pdp, Pep, Reply
from support import Apart, Client, Stage, check, finish, get, ours, until, wait

FIXTURE = "policies/authzen-certification"
GOOD = json.dumps({"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
                   "resource": {"type": "record", "id": "record-1"}}).encode()
JSON = "Content-Type: application/json"


def post(*lines, body=GOOD, length=True, target=EVALUATION, host="Host: pdp", end="\r\n"):
    """The bytes of a request with these lines in its head."""
    head = [f"POST {target} HTTP/1.1", *([host] if host else []), *lines]
    head += [f"Content-Length: {len(body)}"] if length else []
    return b"".join(line.encode("latin-1") + end.encode() for line in head) + end.encode() + body


def several(port, data, count):
    """At most so many answers to these bytes; fewer where the connection ends before. The line stays open: one that the client closes
    half may be cut before its answer, or stay until it is idle."""
    with Client(port) as client:
        client.send(data)
        answers = []
        while len(answers) < count and (answer := client.answer()).status:
            answers.append(answer)
        return answers


def one(port, data):
    answers = several(port, data, 1)
    return answers[0].status if answers else 0


def allowed(port):
    """Whether a question is answered as it should be."""
    return Reply(get(port, EVALUATION, [("Content-Type", "application/json")], method="POST", body=GOOD)).decisions() is True


# What is in the head beside the lines of a good request, and what becomes of it.
HEADS = [
    ("a good one", post(JSON), 200),
    ("blanks around a value", post("Content-Type: \t application/json \t"), 200),
    ("no blank before a value", post("Content-Type:application/json"), 200),
    ("an empty value", post(JSON, "X-Nothing:"), 200),
    ("an empty value with blanks", post(JSON, "X-Nothing:  \t"), 200),
    ("the same header twice", post(JSON, "X-A: 1", "X-A: 2"), 200),
    ("bytes above ASCII in a value", post(JSON, "X-A: \xff\xfe"), 200),
    ("a folded line", post(JSON, "X-A: 1", " 2"), 400),
    ("a folded line with a tab", post(JSON, "X-A: 1", "\t2"), 400),
    ("a line folded into another name", post(JSON, "X-Forwarded: 203.0.113.1", " -For"), 400),
    ("the first line folded", post(" X-A: 1", JSON), 400),
    ("the last line folded, empty", post(JSON, " "), 400),
    ("a blank before the colon", post(JSON, "X-A : 1"), 400),
    ("a tab before the colon", post(JSON, "X-A\t: 1"), 400),
    ("a blank within a name", post(JSON, "X A: 1"), 400),
    ("no name", post(JSON, ": 1"), 400),
    ("no colon", post(JSON, "X-A"), 400),
    ("a bare CR in a value", post(JSON, "X-A: 1\rX-B: 2"), 400),
    ("a bare LF after a value", post(JSON, "X-A: 1\nX-B: 2"), 400),
    ("bare LFs throughout", post(JSON, end="\n"), 400),
    ("a NUL in a value", post(JSON, "X-A: 1\0002"), 400),
    ("NULs at the end of a value", post(JSON, "X-A: 1\0\0"), 400),
    ("many NULs in the last value", post("X-B: 1", JSON, "X-A: 1\0\0\0\0junk"), 400),
    ("a NUL in a name", post(JSON, "X\0-A: 1"), 400),
    ("a bell in a value", post(JSON, "X-A: \a"), 400),
    ("DEL in a value", post(JSON, "X-A: \x7f"), 400),
    ("brackets in a name", post(JSON, "X[A]: 1"), 400),
    ("a name above ASCII", post(JSON, "X-\xe4: 1"), 400),
    ("no Host", post(JSON, host=None), 400),
    ("two Hosts", post(JSON, "Host: other"), 400),
    ("two lengths", post(JSON, "Content-Length: 5"), 400),
    ("two equal lengths", post(JSON, f"Content-Length: {len(GOOD)}"), 400),
    ("a length and chunks", post(JSON, "Transfer-Encoding: chunked"), 400),
    ("a length that is no number", post(JSON, "Content-Length: abc", length=False), 400),
    ("a length with a sign", post(JSON, f"Content-Length: +{len(GOOD)}", length=False), 400),
    ("a length below nothing", post(JSON, "Content-Length: -1", length=False), 400),
    ("two lengths in one", post(JSON, f"Content-Length: {len(GOOD)}, {len(GOOD)}", length=False), 400),
    ("a coding that is not known", post(JSON, "Transfer-Encoding: gzip", length=False), 400),
    ("chunks of something", post(JSON, "Transfer-Encoding: gzip, chunked", length=False), 400),
    ("chunked twice", post(JSON, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", length=False), 400),
    ("no coding at all", post(JSON, "Transfer-Encoding:", length=False), 400),
    ("a target with a blank", post(JSON, target="/access v1"), (0, 400)),
    ("a blank behind the target", post(JSON, target=EVALUATION + " "), (0, 400)),
    ("a blank before the target", post(JSON, target=" " + EVALUATION), 400),
    ("a tab in the target", post(JSON, target=EVALUATION + "\tx"), 400),
    ("a NUL in the target", post(JSON, target=EVALUATION + "\0/x"), 400),
    ("no target", b"POST HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("HTTP/2.0", post(JSON).replace(b"HTTP/1.1", b"HTTP/2.0"), (400, 505)),
    ("HTTP/1.2", post(JSON).replace(b"HTTP/1.1", b"HTTP/1.2"), (400, 505)),
    ("http/1.1", post(JSON).replace(b"HTTP/1.1", b"http/1.1"), (400, 505)),
    ("no version", post(JSON).replace(b" HTTP/1.1", b""), (0, 400, 505)),
    ("a method that is no token", post(JSON).replace(b"POST", b"PO(T"), 400),
    ("no method", post(JSON).replace(b"POST ", b" "), (0, 400)),
    ("HTTP/1.0", post(JSON).replace(b"HTTP/1.1", b"HTTP/1.0"), 200),
    ("an empty line before it", b"\r\n" + post(JSON), (200, 400)),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (0, 400, 505)),
    ("a handshake of TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(160) + b"\r\n\r\n", (0, 400)),
    ("129 headers", post(JSON, *[f"X-{i}: 1" for i in range(140)]), 431),
    ("a head that is too long", post(JSON, "X-Long: " + "x" * 40000), (431, 413)),
    ("a target that is too long", post(JSON, target="/" + "x" * 40000), (414, 431)),
    ("a head that never ends", b"POST / HTTP/1.1\r\n" + b"X-A: 1\r\n" * 20000, (0, 431)),
    ("many arguments", post(JSON, target=EVALUATION + "?" + "a&" * 5000), 200),
]


def heads(port):
    for name, data, expected in HEADS:
        status = one(port, data)
        check(status in expected if isinstance(expected, tuple) else status == expected, f"{name}: {expected}, not {status}")
    check(allowed(port), "it serves after all of that")


def bodies(port):
    chunks = b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in GOOD) + b"0\r\n\r\n"
    check(one(port, post(JSON, "Transfer-Encoding: chunked", body=chunks, length=False)) == 200, "chunks of a byte")
    trailer = b"%x;x=y\r\n%s\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n" % (len(GOOD), GOOD)
    check(one(port, post(JSON, "Transfer-Encoding: chunked", body=trailer, length=False)) == 200, "chunks with trailers")
    for name, body in (("a size that is no number", b"zz\r\nabc\r\n0\r\n\r\n"), ("a size too large", b"ffffffffffffffffff\r\nabc"),
                       ("no end of the chunk", b"3\r\nabcX\r\n0\r\n\r\n")):
        check(one(port, post(JSON, "Transfer-Encoding: chunked", body=body, length=False)) in (0, 400, 413), f"chunks: {name}")
    for size, expected in ((65536, 400), (65537, 413), (10**6, 413), (10**15, 413)):
        check(one(port, post(JSON, f"Content-Length: {size}", body=b"[" * min(size, 70000), length=False))
              in ((expected, 0) if size > 65536 else (expected,)), f"a body of {size} bytes")
    big = b"8000\r\n" + b"[" * 0x8000 + b"\r\n"
    check(one(port, post(JSON, "Transfer-Encoding: chunked", body=big * 3 + b"0\r\n\r\n", length=False)) == 413, "chunks without end: told")
    check(one(port, post(JSON, "Transfer-Encoding: chunked", body=big * 60, length=False)) in (0, 413), "chunks without end: cut")
    with Client(port) as client:
        client.send(post(JSON, "Expect: 100-continue", body=b"", length=False).replace(
            b"\r\n\r\n", f"\r\nContent-Length: {len(GOOD)}\r\n\r\n".encode()))
        line = client.stream.readline()
        check(b"100" in line, f"a client that asks first is told to go on: {line}")
        client.stream.readline()
        client.send(GOOD)
        check(client.answer().status == 200, "and answered")
    with Client(port) as client:
        client.send(post(JSON, "Expect: 100-continue", "Content-Length: 70000", body=b"", length=False))
        check(client.answer().status == 413, "a client that asks first is told not to")
    with Client(port) as client:
        client.send(post(JSON, "Expect: 100-continue", "Content-Length: 10", body=b"", length=False, target="/nowhere"))
        check(client.answer().status == 404, "nor where there is nothing")


def pipelines(port):
    asks = [GOOD, GOOD.replace(b"alice", b"mallory"), b"{}", GOOD]
    answers = several(port, b"".join(post(JSON, f"X-Request-ID: {i}", body=body) for i, body in enumerate(asks * 25)), 100)
    decided = [Reply(answer).decisions() for answer in answers]
    check([answer.one("x-request-id") for answer in answers] == [str(i) for i in range(100)], f"a hundred at once, in order: {len(answers)}")
    check(decided == [True, False, None, True] * 25, "each answer is of its own question")
    answers = several(port, post(JSON, "Connection: close") + post(JSON), 2)
    check(len(answers) == 1, "the last one is the last one")
    answers = several(port, post("X-A : 1", JSON) + post(JSON), 2)
    check([answer.status for answer in answers] == [400], "nothing behind what is not understood is read")
    answers = several(port, post(JSON, target="/nowhere") + post(JSON), 2)
    check([answer.status for answer in answers] == [404, 200], "what is refused keeps the connection")


def crowd(stage, pdpd):
    """A thousand connections that say nothing, and as many limits as there are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    adapter = Apart(stage, "pdp-http", pdpd, "--open", "true", "--connections", "1200")
    idle = [Client(adapter.port) for _ in range(1000)]
    for client in idle[::7]:
        client.send(b"POST / HT")
    for _ in range(20):
        check(allowed(adapter.port), "a thousand idle connections hold up nobody")
    more = [Client(adapter.port) for _ in range(400)]
    until("what is above the limit is closed", lambda: sum(gone(client) for client in more) >= 150)
    for client in idle + more:
        client.close()
    until("there is room again", lambda: allowed(adapter.port))
    adapter.child.stop()
    adapter = Apart(stage, "pdp-http", pdpd, "--open", "true", "--connections-per-address", "5", "--threads", "1")
    few = [Client(adapter.port) for _ in range(20)]
    until("of one address no more than it may", lambda: sum(gone(client) for client in few) >= 14)
    for client in few:
        client.close()
    until("they may come again", lambda: allowed(adapter.port))
    adapter.child.stop()


def gone(client):
    """Whether the other side has closed."""
    client.socket.setblocking(False)
    try:
        return client.socket.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.socket.settimeout(30)


def slow(stage, pdpd):
    """Whoever brings no whole request in time is cut, however busily they drip."""
    adapter = Apart(stage, "pdp-http", pdpd, "--open", "true", "--idle", "1s")
    dripping = {"head": (Client(adapter.port), b"POST /access/v1/evaluation HTTP/1.1\r\n" + b"X-A: 1\r\n" * 3000),
                "body": (Client(adapter.port), post(JSON, "Content-Length: 60000", body=b"[" * 60000, length=False)),
                "chunks": (Client(adapter.port), post(JSON, "Transfer-Encoding: chunked", body=b"1\r\n[\r\n" * 10000, length=False))}
    idle = Client(adapter.port)
    for client, data in dripping.values():
        client.send(data[:300])
    sent = dict.fromkeys(dripping, 300)

    def drip():
        for name, (client, data) in dripping.items():
            client.send(data[sent[name]:sent[name] + 1])
            sent[name] += 1
        return all(gone(client) for client, _ in dripping.values())

    until("dripping connections are cut", drip)
    until("idle ones too", lambda: gone(idle))
    with Client(adapter.port) as kept:
        for _ in range(30):
            check(kept.ask(EVALUATION, [("Content-Type", "application/json")], method="POST", body=GOOD).status == 200, "a busy one stays")
            wait(lambda: False, 0.05)
    adapter.child.stop()


def away(stage, pdpd):
    """The daemon is slow, gone, and back: no answer is never a yes, clients may leave, and the adapter may stop meanwhile."""
    adapter = Apart(stage, "pdp-http", pdpd, "--open", "true", "--deadline", "300ms")
    pep = Pep(adapter.port)
    check(pep.send(EVALUATION, GOOD).decisions() is True, "it is there")
    pdpd.pause()
    reply = pep.send(EVALUATION, GOOD)
    check(reply.status == 500 and "deadline" in reply.text, f"slow: {reply}")
    waiting = [Client(adapter.port) for _ in range(50)]
    for client in waiting:
        client.send(post(JSON))
    for client in waiting[::2]:
        client.close() # gone while it sleeps
    for client in waiting[1::2]:
        check(client.answer().status == 500, "each of them is told")
        client.close()
    pdpd.resume()
    until("back", lambda: pep.send(EVALUATION, GOOD).decisions() is True)
    pdpd.kill()
    for _ in range(3):
        reply = pep.send(EVALUATION, GOOD)
        check(reply.status == 500, f"gone: {reply}")
    pdpd.start()
    until("back again", lambda: pep.send(EVALUATION, GOOD).decisions() is True)
    pep.close()
    pdpd.pause()
    waiting = [Client(adapter.port) for _ in range(20)]
    for client in waiting:
        client.send(post(JSON))
    check(adapter.child.stop() == 0, "it stops while questions are under way")
    for client in waiting:
        check(client.answer().status in (0, 500), "and nobody got a yes")
        client.close()
    pdpd.resume()


def at_unix(stage, pdpd):
    path = stage.dir / "http.sock"
    child = stage.start("pdp-http", ours("pdp-http"), "--pdp", pdpd.decide, "--listen", f"unix:{path}",
                        "--open", "true")
    child.must_say("event=ready")
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.sendall(post(JSON, "Connection: close"))
        answer = b""
        while data := s.recv(65536):
            answer += data
    check(b" 200 OK" in answer and b'"decision":true' in answer, f"a unix socket: {answer[:200]}")
    check(child.stop() == 0 and not path.exists(), "the socket's file goes with it")


with Stage() as main:
    main_pdp = Pdp(main, FIXTURE, {"open": "true"})
    heads(main_pdp.port)
    bodies(main_pdp.port)
    pipelines(main_pdp.port)
    crowd(main, main_pdp.pdpd)
    slow(main, main_pdp.pdpd)
    at_unix(main, main_pdp.pdpd)
    away(main, main_pdp.pdpd)
finish()
