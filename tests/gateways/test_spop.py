#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SPOE agent without HAProxy: what a peer that is right, rude, slow or dead is told, byte by byte."""
import struct
import threading
import time
from spop import ACK, AGENT_BYE, AGENT_HELLO, BYE, HELLO, HELLO_LIST, NOTIFY, UNSET, Talk, frame, notify, pairs, text
from support import Apart, Pdpd, Stage, check, finish, ours, until

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
  - {id: odd, effect: deny, resources: ["/odd/**"], reason: "odd ones are not for reading"}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: all}
limits: {idle: 1h, absolute: 24h}
first_sight: adopt
"""
NAMES = {"effect", "risk", "level", "code", "rule", "reason", "message", "decision", "path", "session", "subject", "challenge",
         "acr_values", "max_age"}


def get(target="/a", **more):
    return {"method": "GET", "target": target, **more}


def hello(port):
    with Talk(port) as talk:
        check(talk.answer.kind == AGENT_HELLO and talk.answer.flags == 1, "a hello is answered")
        check(talk.answer.list == {"version": "2.0", "max-frame-size": 16380, "capabilities": "pipelining"}, f"{talk.answer.list}")
        answer = talk.ask(get("/a/%62?c"), 5, 300)
        check((answer.kind, answer.stream_id, answer.frame_id, answer.scopes) == (ACK, 5, 300, {2}), "an ACK of the same ids")
        check(answer.variables["effect"] == "allow" and answer.variables["path"] == "/a/b", f"allowed: {answer.variables}")
        check(answer.variables["rule"] == "web/read" and answer.variables["code"] == "policy", f"and why: {answer.variables}")
        check(set(answer.variables) | answer.unset == NAMES and not set(answer.variables) & answer.unset, "each variable once")
        answer = talk.ask(get("/odd/1", subject="alice"))
        check(answer.variables["effect"] == "deny" and answer.variables["reason"] == "odd ones are not for reading", f"{answer.variables}")
        check(answer.variables["subject"] == "alice", "who asked")
        talk.send(frame(BYE, pairs({"status-code": 0, "message": "normal"})))
        talk.ended(0, "a farewell")
    with Talk(port, **{"max-frame-size": 4096, "capabilities": ""}) as talk:
        check(talk.answer.list["max-frame-size"] == 4096 and talk.answer.list["capabilities"] == "", f"as it asks: {talk.answer.list}")
    with Talk(port, **{"max-frame-size": 1 << 20}) as talk:
        check(talk.answer.list["max-frame-size"] == 65536, f"ours is the smaller one: {talk.answer.list}")
    with Talk(port, healthcheck=True) as talk:
        check(talk.answer.kind == AGENT_HELLO and talk.frame() is None, "a health check")


def malformed(port):
    """Requests that cannot be read are denied, and the connection goes on."""
    cases = [("no method", {"target": "/a"}), ("no target", {"method": "GET"}), ("a method that is null", {"method": None, "target": "/a"}),
             ("an unknown argument", get(forwarded_fro="1")), ("a number", {"method": 5, "target": "/a"}),
             ("headers that are none", get(headers=b"\x05a")), ("not UTF-8", {"method": "GET", "target": "/\xff".encode("latin-1")}),
             ("an ambiguous path", get("/a/../b"))]
    with Talk(port) as talk:
        for what, arguments in cases:
            answer = talk.ask(arguments)
            check(answer and answer.kind == ACK and answer.variables.get("effect") == "deny", f"{what}: {answer and answer.variables}")
            check(answer and answer.variables.get("code") == "malformed", f"{what}: {answer and answer.variables}")
        for what, payload in (("no message", b""), ("two messages", (text("a") + b"\0") * 2), ("a cut one", text("a") + b"\x05"),
                              ("a bad value", text("a") + b"\x01" + text("method") + b"\x0f")):
            talk.send(frame(NOTIFY, payload, 1, 1))
            answer = talk.frame()
            check(answer and answer.variables.get("effect") == "deny", f"{what}: denied")
        check(talk.ask(get()).variables["effect"] == "allow", "and the next is allowed")


def rude(port):
    ask = notify(get(), 0)
    for what, data, status in (
            ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 3), ("http", b"GET / HTTP/1.1\r\n\r\n", 3),
            ("zeros", bytes(64), 4), ("a frame that claims 4 GiB", b"\xff\xff\xff\xff", 3), ("a question before hello", ask, 4),
            ("no version", frame(HELLO, pairs({k: v for k, v in HELLO_LIST.items() if k != "supported-versions"})), 5),
            ("no size", frame(HELLO, pairs({k: v for k, v in HELLO_LIST.items() if k != "max-frame-size"})), 6),
            ("no capabilities", frame(HELLO, pairs({k: v for k, v in HELLO_LIST.items() if k != "capabilities"})), 7),
            ("a version to come", frame(HELLO, pairs({**HELLO_LIST, "supported-versions": "3.0, 1.0"})), 8),
            ("tiny frames", frame(HELLO, pairs({**HELLO_LIST, "max-frame-size": 255})), 9),
            ("a hello in fragments", frame(HELLO, pairs(HELLO_LIST), flags=0), 10)):
        with Talk(port, hello=False) as talk:
            talk.send(data)
            talk.ended(status, what)
    for what, data, status in (
            ("hello twice", frame(HELLO, pairs(HELLO_LIST)), 4), ("an agent's frame", frame(ACK), 4), ("too big", struct.pack(">I", 16381), 3),
            ("a fragment", frame(NOTIFY, flags=0), 10), ("the rest of one", frame(UNSET), 10), ("an empty frame", bytes(4), 4)):
        with Talk(port) as talk:
            talk.send(data)
            talk.ended(status, what)
    with Talk(port) as talk:
        talk.send(frame(77, b"whatever"))
        check(talk.ask(get()).variables["effect"] == "allow", "a frame that is not known is passed over")
    for cut in range(0, len(ask), 7):
        with Talk(port) as talk:
            talk.send(ask[:cut])
    with Talk(port) as talk:
        for byte in ask:
            talk.send(bytes([byte]))
        check(talk.frame().variables["effect"] == "allow", "byte by byte")


def pipelined(port, count=1000):
    with Talk(port) as talk:
        data = b"".join(notify(get("/odd/x" if i % 3 == 0 else "/a"), i, i + 1) for i in range(count))
        threading.Thread(target=talk.send, args=(data,), daemon=True).start()
        seen = {}
        for _ in range(count):
            answer = talk.frame()
            if not check(answer and answer.kind == ACK and answer.frame_id == answer.stream_id + 1, f"an ACK: {answer}"):
                break
            seen[answer.stream_id] = (answer.variables["effect"], answer.variables["code"])
        wrong = {i: got for i, got in seen.items() if got != ("deny" if i % 3 == 0 else "allow", "policy")}
        check(len(seen) == count and not wrong, f"{len(seen)} of {count} answered, {len(wrong)} wrong: {list(wrong.items())[:9]}")


def many(port, count=64):
    talks = [Talk(port) for _ in range(count)]
    for i, talk in enumerate(talks):
        talk.send(notify(get("/odd/x" if i % 2 else "/a"), i))
    for i, talk in enumerate(talks):
        answer = talk.frame()
        check(answer and answer.stream_id == i and answer.variables["effect"] == ("deny" if i % 2 else "allow"), f"connection {i}")
        talk.__exit__()


def deadlines(stage, pdpd):
    agent = Apart(stage, "pdp-spoe", pdpd, "--hello-timeout", "300ms", "--idle-timeout", "1s", "--stall-timeout", "300ms", "--deadline", "20s")
    with Talk(agent.port, hello=False) as talk:
        talk.ended(2, "one who says nothing")
    with Talk(agent.port) as talk:
        talk.send(notify(get(), 0)[:-3])
        talk.ended(2, "half a question")
    with Talk(agent.port) as talk:
        talk.ended(2, "one who asks nothing")
    # A frame is always under way, but never the same one for long.
    with Talk(agent.port) as talk:
        ask, end, answered = notify(get(), 0), time.monotonic() + 1, 0
        talk.send(ask[:20])
        while time.monotonic() < end:
            talk.send(ask[20:] + ask[:20])
            answer = talk.frame()
            if not check(answer and answer.kind == ACK, f"half a frame at a time: {answer and answer.list}"):
                break
            answered += 1
        check(answered > 2, f"one who always has half a frame under way: {answered} answers")
    # Answers that nobody reads.
    talk = Talk(agent.port)
    talk.socket.settimeout(0.2)
    data = b"".join(notify(get(), i) for i in range(2000))
    def full():
        try:
            talk.socket.send(data)
            return False
        except TimeoutError:
            return False
        except OSError:
            return True
    until("one who does not read is closed", full)
    check(agent.child.says("spoe_slow_reader"), "and the log tells it")
    check(Talk(agent.port).ask(get()).variables["effect"] == "allow", "others are served")
    agent.child.stop()


def limits(stage, pdpd):
    agent = Apart(stage, "pdp-spoe", pdpd, "--connections", "3", "--scope", "req", "--async", "true", "--max-frame-size", "512")
    def refused():
        with Talk(agent.port) as talk:
            return talk.answer is None
    talks = []
    def three(): # those that looked whether it is there may still count
        talk = Talk(agent.port)
        talks.extend([talk] * (talk.answer is not None))
        return len(talks) == 3
    until("three are taken", three)
    until("a fourth is not", refused)
    check(talks[0].answer.list == {"version": "2.0", "max-frame-size": 512, "capabilities": "pipelining,async"}, f"{talks[0].answer.list}")
    answer = talks[0].ask(get())
    check(answer.scopes == {3} and answer.variables["effect"] == "allow", "variables of the request alone")
    talks[1].send(notify(get("/" + "a" * 600), 0))
    talks[1].ended(3, "longer than agreed")
    answer = talks[2].ask(get("/" + "a" * 400))
    check(answer.variables["effect"] == "deny" and "path" in answer.unset, f"an answer without room for its path denies: {answer.variables}")
    for talk in talks:
        talk.__exit__()
    check(agent.child.stop() == 0, "ends in order")


def no_answer(stage, pdpd):
    agent = Apart(stage, "pdp-spoe", pdpd, "--deadline", "100ms")
    with Talk(agent.port) as talk:
        check(talk.ask(get()).variables["effect"] == "allow", "before")
        pdpd.pause()
        for i in range(300):
            talk.send(notify(get(), i))
        for i in range(300):
            answer = talk.frame()
            check(answer and answer.variables["effect"] == "deny" and answer.variables["code"] in ("no-answer", "overloaded"),
                  f"denied in time: {answer and answer.variables}")
        pdpd.resume()
        until("answers again", lambda: talk.ask(get()).variables["effect"] == "allow")
        pdpd.kill()
        answer = talk.ask(get())
        check(answer.variables["effect"] == "deny" and answer.variables["code"] == "no-answer", f"pdpd is gone: {answer.variables}")
        pdpd.start()
        until("answers again", lambda: talk.ask(get()).variables["effect"] == "allow")
        pdpd.pause()
        talk.send(notify(get(), 7))
        threading.Thread(target=agent.child.stop, daemon=True).start()
        answer = talk.frame()
        check(answer is None or answer.kind == AGENT_BYE or answer.variables["effect"] == "deny", "no allow at the end")
        pdpd.resume()
    until("the agent has ended", lambda: agent.child.process.poll() is not None)


def session(stage, pdpd):
    """Of the argument, or a cookie that is there once."""
    agent = Apart(stage, "pdp-spoe", pdpd, "--session", "cookie:sid")
    with Talk(agent.port) as talk:
        for what, arguments, effect, ref in (
                ("no cookie", get(cookie=None), "allow", False), ("a cookie", get(cookie="a=1; sid=s-1"), "allow", True),
                ("an argument", get(session="s-2"), "allow", True), ("none was looked for", get(), "deny", False),
                ("two of them", get(cookie="sid=a; sid=b"), "deny", False), ("the same twice", get(cookie="sid=a; sid=a"), "allow", True),
                ("an empty one", get(cookie="sid="), "allow", False), ("nobody with a session", get(cookie="sid=a", subject=None), "allow", False)):
            answer = talk.ask(arguments)
            check(answer.variables["effect"] == effect and ("session" in answer.variables) == ref, f"{what}: {answer.variables}")
    agent.child.stop()


ours("pdp-spoe")
with Stage() as stage:
    pdpd = Pdpd(stage, {"web.yaml": POLICY}, state=True, config="limits: {queue: 20s}\n")
    agent = Apart(stage, "pdp-spoe", pdpd, "--deadline", "20s") # this is not about time
    with Talk(agent.port) as talk:
        until("the first answer", lambda: talk.ask(get()).variables["effect"] == "allow")
    hello(agent.port)
    malformed(agent.port)
    rude(agent.port)
    pipelined(agent.port)
    pipelined(agent.port, 5000)
    many(agent.port)
    check(agent.child.stop() == 0, "ends in order")
    session(stage, pdpd)
    deadlines(stage, pdpd)
    limits(stage, pdpd)
    no_answer(stage, pdpd)
finish()
