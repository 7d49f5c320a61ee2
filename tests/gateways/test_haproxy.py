#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real HAProxy with the sample configuration, a real pdpd, and the agent apart or inside pdpd: what is allowed comes through as it was
judged, and nothing else ever does, whoever is stopped, slow or dead."""
import shutil
import subprocess
import threading
from idp import ISSUER, Idp
from support import (DEADLINE_S, ROOT, SANITIZE, Apart, Client, Haproxy, Pdpd, Site, Stage, check, fill, finish, get, need, ours, request,
                     send_raw, until)

EXAMPLES = "adapters/haproxy/examples"
POLICIES = {"web.yaml": """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET, HEAD, OPTIONS, CONNECT]}
  - {id: write, effect: allow, actions: [POST], when: 'subject.id == "alice"'}
  - {id: secret, effect: deny, resources: ["/secret/**"]}
  - {id: payroll, effect: step_up, resources: ["/payroll/**"], require: {strength: mfa, max_age: 15m}}
  - {id: trap, effect: terminate, resources: ["/trap"]}
  - {id: four, effect: deny, resources: ["/four"], when: 'network.ip.family() == 6'}
  - {id: elsewhere, effect: deny, when: 'network.ip == ip("203.0.113.9")'}
  - {id: robots, effect: deny, when: 'has(device.user_agent) && device.user_agent == "robot"'}
  - {id: hosts, effect: deny, when: 'resource.host == "evil.example"'}
---
apiVersion: pdp/v1
kind: Strengths
metadata: {name: all}
levels:
  - {name: password, proves: '"pwd" in session.amr', ask: {acr_values: [aal1]}}
  - {name: mfa, proves: '"otp" in session.amr', ask: {acr_values: [aal2, phr]}}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: all}
limits: {idle: 1h, absolute: 24h}
first_sight: adopt
"""}
# A slow machine is not what these tests are about.
DEADLINE, PROCESSING = ("2s", "4s") if SANITIZE else ("1s", "2s")
TRUSTED = "trusted_proxies: [127.0.0.1/32, '::1/128']\n"


class World:
    """Everything, from the site to HAProxy. `inside` runs the agent in pdpd."""

    def __init__(self, stage, inside, changes=None, identity=(("session", "cookie:sid"), ("subject", "header:X-User"))):
        self.stage, self.inside = stage, inside
        self.site = Site(stage)
        identity = (*identity, ("deadline", DEADLINE))
        if inside:
            settings = "".join(f"  {name}: {value}\n" for name, value in identity)
            self.pdpd = Pdpd(stage, POLICIES, "--spoe", "127.0.0.1:0", config=f"{TRUSTED}spoe:\n{settings}", state=True)
            self.agent, agent_port = self.pdpd, self.pdpd.ports["spoe"]
        else:
            self.pdpd = Pdpd(stage, POLICIES, config=TRUSTED, state=True)
            self.agent = Apart(stage, "pdp-spoe", self.pdpd, *(word for name, value in identity for word in (f"--{name}", value)))
            agent_port = self.agent.port
        self.port, self.h2_port = stage.port(), stage.port()
        text = (ROOT / EXAMPLES / "haproxy.cfg").read_text()
        for old, new in (changes or {}).items():
            check(old in text, f"`{old}` stands in the configuration")
            text = text.replace(old, new)
        spoe = fill((ROOT / EXAMPLES / "pdp-spoe.conf").read_text(), {"timeout processing 500ms": f"timeout processing {PROCESSING}"})
        bind = f"bind 127.0.0.1:{self.port}\n    bind [::1]:{self.port}\n    bind 127.0.0.1:{self.h2_port} proto h2"
        self.haproxy = Haproxy(stage, text, {
            "bind :8080": bind, "127.0.0.1:8000": f"127.0.0.1:{self.site.port}",
            "127.0.0.1:9000": f"127.0.0.1:{agent_port}", "/etc/haproxy/pdp-spoe.conf": "pdp-spoe.conf"},
            port=self.port, more={"pdp-spoe.conf": spoe})
        self.works("the first answer")
        self.site.take()

    def get(self, target, headers=(), **more):
        return get(self.port, target, headers, **more)

    def works(self, what):
        return until(what, lambda: self.get("/works").status == 200)

    def refused(self, target, what, headers=(), status=403, **more):
        answer = self.get(target, headers, **more)
        check(answer.status == status, f"{what}: {status}, not {answer}")
        check(answer.one("X-Site") is None and not self.site.take(), f"{what}: the site saw nothing")
        return answer

    def allowed(self, target, what, headers=(), seen=None, **more):
        answer = self.get(target, headers, **more)
        taken = self.site.take()
        check(answer.status == 200 and len(taken) == 1, f"{what}: 200, not {answer}; {taken}")
        check(seen is None or (taken and taken[0].target == seen), f"{what}: {seen}, not {taken}")
        return taken[0] if taken else None


# ---- What each answer means ----------------------------------------------------------------------------

def effects(world):
    seen = world.allowed("/a/%62?x=%2F..", "allow", {"X-User": "alice", "Cookie": "a=1; sid=s-1"}, seen=b"/a/b?x=%2F..")
    check(seen.one("X-Pdp-Decision"), "with the decision's id")
    answer = world.refused("/secret/x", "deny")
    check(answer.one("WWW-Authenticate") is None and answer.one("Set-Cookie") is None, f"a plain 403: {answer.headers}")
    check(answer.one("Cache-Control") == "no-store", "and not to be kept")
    world.refused("/a", "another method", method="DELETE")
    world.refused("/a", "POST of nobody", method="POST", body="x")
    check(world.allowed("/a", "POST of alice", {"X-User": "alice"}, method="POST", body="abc").body == b"abc", "with its body")

    answer = world.refused("/payroll/1", "step_up", {"X-User": "alice", "Cookie": "sid=s-2"}, status=401)
    challenge = answer.one("WWW-Authenticate") or ""
    check(challenge == 'Bearer error="insufficient_user_authentication", '
          'error_description="More recent authentication is required", acr_values="aal2 phr", max_age="900"',
          f"the challenge of RFC 9470: {challenge}")

    bob = {"X-User": "bob", "Cookie": "sid=s-3"}
    world.allowed("/a", "a session", bob)
    answer = world.refused("/trap", "terminate", bob)
    check("sid=;" in (answer.one("Set-Cookie") or "") and "Max-Age=0" in answer.one("Set-Cookie"), f"clears the cookie: {answer.headers}")
    answer = world.refused("/a", "the ended session", bob)
    check("Max-Age=0" in (answer.one("Set-Cookie") or ""), "clears the cookie again")


def one_connection(world):
    """What was allowed says nothing of the next request."""
    with Client(world.port) as client:
        for target, status in (("/a", 200), ("/secret/x", 403), ("/b", 200), ("/payroll/x", 401), ("/a/../b", 403), ("/c", 200)) * 3:
            check(client.ask(target).status == status, f"{target} on one connection: {status}")
    data = b"".join(request(target) for target in ("/a", "/secret/x", "/b")) + request("/secret/y", {"Connection": "close"})
    check([answer.status for answer in send_raw(world.port, data, finished=False)] == [200, 403, 200, 403], "pipelined")
    world.site.take()


# ---- Tricks --------------------------------------------------------------------------------------------

def headers(world):
    seen = world.allowed("/a", "headers of ours", [("X-Pdp-Decision", "mine"), ("x-pdp-effect", "allow"), ("X_Pdp_Risk", "0"), ("X-Pdp", "x")])
    check(seen.all("X-Pdp-Effect") == [] and seen.all("X_Pdp_Risk") == [], f"are taken away: {seen.headers}")
    check(seen.one("X-Pdp-Decision") not in (None, "mine"), "but for our own")
    world.refused("/a", "two users", [("X-User", "alice"), ("X-User", "bob")])
    world.refused("/a", "two sessions in one line", {"Cookie": "sid=a; sid=b"})
    world.refused("/a", "two sessions in two lines", [("Cookie", "sid=a"), ("Cookie", "x=1; sid=b")])
    world.refused("/a", "two user agents", [("User-Agent", "robot"), ("User-Agent", "x")])
    world.refused("/a", "a robot", {"User-Agent": "robot"})
    world.refused("/a", "a host", host="evil.example")
    for what, lines, allowed in (
            ("one line", ["203.0.113.9"], False), ("behind a proxy", ["203.0.113.9, 127.0.0.1"], False),
            ("in front of another", ["203.0.113.9, 198.51.100.1"], True), ("two lines, the last one counts", ["198.51.100.1", "203.0.113.9"], False),
            ("two lines, the last one is a proxy", ["203.0.113.9", "127.0.0.1"], False), ("two lines, the first is hearsay", ["203.0.113.9", "198.51.100.1"], True),
            ("mapped", ["::ffff:203.0.113.9"], False), ("nonsense", ["203.0.113.9, unknown"], False)):
        given = [("X-Forwarded-For", line) for line in lines]
        (world.allowed if allowed else world.refused)("/a", f"X-Forwarded-For: {what}", given)


def targets(world):
    for target, seen in (("/a%20b%7B%C3%BC?q=a b".replace("a b", "a%20b"), b"/a%20b%7B%C3%BC?q=a%20b"), ("/%61/", b"/a/"), ("/a?", b"/a?"), ("/a?b?c", b"/a?b?c"),
                         ("http://shop.example/%61?x", None), ("/?" + "a" * 200, None)):
        got = world.allowed(target, f"target {target[:40]}", seen=seen)
        check(not target.startswith("http:") or (got and got.target.endswith(b"/a?x")), f"a whole URL: {got}")
    world.allowed("/a", "a huge header", {"X-Big": "x" * 15000})
    for target in ("//a", "/a//b", "/./a", "/a/../secret/x", "/a%2F..%2Fsecret", "/a;b", "/a\\b", "/%00", "/%c0%ae", "/a%252e", "/%", "/SECRET/../a"):
        world.refused(target, f"target {target}")
    for data in (b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
                 b"GET /a#/../secret HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"GET /a\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                 b"GET secret HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
                 request("/a", {"X-Big": "x" * 16000, "Connection": "close"}), request("/secret/" + "a" * 14000, {"Connection": "close"}),
                 request("/a", [(f"X-{i}", "x") for i in range(200)])):
        got = send_raw(world.port, data)
        check(got and all(400 <= answer.status < 500 or answer.status == 501 for answer in got), f"{data[:40]}: {got}")
        check(not world.site.take(), f"{data[:40]}: the site saw nothing")


def six(world):
    check(get(world.port, "/four").status == 200, "an IPv4 client")
    with Client(world.port, "::1") as client:
        check(client.ask("/a").status == 200 and client.ask("/four").status == 403, "an IPv6 client is one")
    world.site.take()


def http2(world):
    if not shutil.which("curl") or b"HTTP2" not in subprocess.run(["curl", "--version"], capture_output=True).stdout:
        return
    def ask(*more):
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--http2-prior-knowledge", "--path-as-is",
                               *more], capture_output=True, text=True, timeout=DEADLINE_S)
        return done.stdout
    at = f"http://127.0.0.1:{world.h2_port}"
    check(ask(f"{at}/%61?x", "-H", "Cookie: a=1; sid=s-9") == "200 2", "HTTP/2")
    seen = world.site.take()
    check(len(seen) == 1 and seen[0].target == b"/a?x", f"the same path: {seen}")
    for target in ("/secret/x", "/a/../secret/x", "//secret/x"):
        check(ask(at + target) == "403 2", f"HTTP/2: {target}")
    for path in ("*", "secret/x", "", "/a#/../secret", "http://shop.example/secret/x", "/a\\..\\secret"):
        check(ask("--request-target", path, f"{at}/a")[:1] in "04", f"HTTP/2: the path `{path}`")
    check(ask(f"{at}/payroll/1") == "401 2", "HTTP/2: a step-up")
    check(ask(f"{at}/a", "-H", "Host: evil.example") == "403 2", "HTTP/2: another host")
    check(ask(f"{at}/a", "-H", "Cookie: sid=a", "-H", "Cookie: sid=b") == "403 2", "HTTP/2: two cookies")
    check(not world.site.take(), "HTTP/2: the site saw nothing")


# ---- Life ----------------------------------------------------------------------------------------------

def a_session_dies(world):
    carol = {"X-User": "carol", "Cookie": "sid=s-7"}
    with Client(world.port) as client:
        client.send(request("/big/slow", carol))
        answer = client.head()
        check(answer.status == 200 and world.site.half_sent.wait(DEADLINE_S), f"a download begins: {answer}")
        world.pdpd.terminate("s-7")
        world.site.take()
        answer = world.refused("/a", "its session is over", carol)
        check("Max-Age=0" in (answer.one("Set-Cookie") or ""), "and the cookie goes")
        world.site.flow.set()
        check(len(client.stream.read(2 * len(world.site.HALF))) == 2 * len(world.site.HALF), "what was allowed comes to its end")
        check(client.ask("/a", carol).status == 403, "but nothing more on its connection")
    world.site.flow.clear()
    world.site.half_sent.clear()
    check(not world.site.take(), "the site saw nothing")


def away(world, what, stop, start):
    stop()
    refusals = []
    threads = [threading.Thread(target=lambda: refusals.append(world.get("/a").status)) for _ in range(4)]
    for step in (threading.Thread.start, threading.Thread.join):
        for thread in threads:
            step(thread)
    check(refusals == [403] * 4 and not world.site.take(), f"{what}: refused: {refusals}")
    start()
    world.works(f"works again: {what}")
    world.site.take()
    world.refused("/secret/x", f"and refuses: {what}")


def who_is_away(world):
    away(world, "pdpd stands still", world.pdpd.pause, world.pdpd.resume)
    away(world, "pdpd is stopped", world.pdpd.stop, world.pdpd.start)
    away(world, "pdpd is killed", world.pdpd.kill, world.pdpd.start)
    if not world.inside:
        away(world, "the agent stands still", world.agent.child.pause, lambda: world.agent.child.resume())
        away(world, "the agent is stopped", lambda: world.agent.child.stop(), world.agent.start)
        away(world, "the agent is killed", lambda: world.agent.child.kill(), world.agent.start)


class Load:
    """Asks without a pause for what is allowed and what is not, until it is left."""

    def __init__(self, world, threads=8):
        self.world, self.done, self.counts = world, threading.Event(), {}
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def run(self, i):
        targets = ("/a", "/secret/x", "/payroll/1", "/a/../secret/y", "/ok")
        statuses = ({200, 403}, {403}, {401, 403}, {403}, {200, 403})
        n = i
        while not self.done.is_set():
            with Client(self.world.port) as client:
                for _ in range(20):
                    answer = client.ask(targets[n % 5], {"Cookie": f"sid=load-{i}"})
                    if not check(answer.status in statuses[n % 5], f"{targets[n % 5]} under load: {answer}"):
                        break
                    self.counts[answer.status] = self.counts.get(answer.status, 0) + 1
                    n += 1

    def goes_on(self, what):
        before = self.counts.get(200, 0)
        until(f"allowed under load: {what}", lambda: self.counts.get(200, 0) > before + 50)


def under_load(world):
    child = (lambda: world.pdpd.child) if world.inside else (lambda: world.agent.child)
    with Load(world) as load:
        load.goes_on("at first")
        for _ in range(3):
            world.agent.restart()
            load.goes_on("after a restart")
        child().kill()
        world.agent.start()
        load.goes_on("after a kill")
        child().pause()
        before = load.counts.get(403, 0)
        until("refused while it stands still", lambda: load.counts.get(403, 0) > before + 8)
        child().resume()
        load.goes_on("after it stood still")
        world.pdpd.restart()
        load.goes_on("after pdpd's restart")
    through = {seen.target for seen in world.site.take()}
    check(through <= {b"/a", b"/ok"}, f"nothing else came through: {through}")


def tokens():
    """Who it is, by a token that the agent checks."""
    with Stage() as stage:
        idp = Idp(stage)
        world = World(stage, False, identity=(("session", "cookie:sid"), ("jwks", idp.url), ("jwt-issuer", ISSUER), ("jwt-audience", "shop")))
        def by(token, **more):
            return {"Authorization": f"Bearer {token}", **more}
        until("the keys are there", lambda: world.get("/a", by(idp.token("alice")), method="POST", body="x").status == 200)
        world.site.take()
        world.allowed("/a", "alice", by(idp.token("alice"), Cookie="sid=t-1"), method="POST", body="x")
        world.refused("/a", "bob may not", by(idp.token("bob")), method="POST", body="x")
        world.refused("/a", "nobody may not", method="POST", body="x")
        world.allowed("/a", "but reads")
        for what, token in (("expired", idp.token("alice", exp=1)), ("of somebody else", idp.token("alice", iss="https://evil.example")),
                            ("for somebody else", idp.token("alice", aud="other")), ("garbage", "a.b.c")):
            answer = world.refused("/a", f"a token that is {what}", by(token), status=401)
            check((answer.one("WWW-Authenticate") or "").startswith('Bearer error="invalid_token"'), f"{what}: {answer.headers}")
        world.refused("/a", "two tokens", [("Authorization", f"Bearer {idp.token('alice')}"), ("Authorization", f"Bearer {idp.token('bob')}")])
        answer = world.refused("/payroll/1", "a step-up", by(idp.token("alice"), Cookie="sid=t-1"), status=401)
        check("insufficient_user_authentication" in (answer.one("WWW-Authenticate") or ""), f"{answer.headers}")
        check(world.get("/payroll/1", by(idp.token("alice", amr=["pwd", "otp"]), Cookie="sid=t-2")).status == 200, "and passed by proof")


def a_rule_that_fails_open():
    """What the page warns of, so that it is known that these tests would see it."""
    with Stage() as stage:
        world = World(stage, False, {"http-request return status 403 hdr Cache-Control no-store unless allowed judged":
                                     "http-request return status 403 if { var(txn.pdp.effect) -m str deny }",
                                     "http-request set-path %[var(txn.pdp.path)]": ""})
        world.refused("/secret/x", "it looks right")
        world.agent.child.stop()
        until("but lets all through without an agent", lambda: world.get("/secret/x").status == 200)


def samples_are_valid():
    with Stage() as stage:
        text = (ROOT / EXAMPLES / "haproxy.cfg").read_text().replace("/etc/haproxy/", "")
        stage.write("haproxy.cfg", text)
        stage.write("pdp-spoe.conf", (ROOT / EXAMPLES / "pdp-spoe.conf").read_text())
        done = subprocess.run([need("haproxy"), "-c", "-C", stage.dir, "-f", "haproxy.cfg"], capture_output=True, text=True, timeout=DEADLINE_S)
        check(done.returncode == 0 and "WARNING" not in done.stderr, f"haproxy -c: {done.stderr}")


def inside_is_there():
    return "--spoe" in subprocess.run([ours("pdpd"), "--help"], capture_output=True, text=True, timeout=DEADLINE_S).stdout


def main():
    need("haproxy")
    ours("pdp-spoe")
    samples_are_valid()
    for inside in [False] + [True] * inside_is_there():
        with Stage() as stage:
            world = World(stage, inside)
            for test in (effects, one_connection, headers, targets, six, http2, a_session_dies, who_is_away, under_load):
                test(world)
    tokens()
    a_rule_that_fails_open()
    finish()


main()
