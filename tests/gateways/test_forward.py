#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nginx (auth_request) and Caddy with the configurations of their pages, in front of the site; the adapter inside pdpd,
and apart from it. What is not allowed never reaches the site, whatever becomes of pdpd meanwhile."""
import collections
import itertools
import threading
import ways
from support import Client, Pdpd, Site, Stage, check, finish, get, request, until

POLICY = """apiVersion: pdp/v1
kind: Strengths
metadata: {name: levels}
levels:
  - {name: mfa, proves: '"otp" in session.amr', ask: {acr_values: [aal2]}}
---
apiVersion: pdp/v1
kind: Policy
metadata: {name: site}
rules:
  - {id: pages, effect: allow, resources: ["/pages/**", "/payroll/**", "/bait/**"]}
  - id: proved
    effect: step_up
    resources: ["/payroll/**"]
    require: {strength: mfa, max_age: 15m}
    message: please confirm with your second factor
  - {id: bait, effect: terminate, resources: ["/bait/**"], message: this session has been ended}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: sessions}
first_sight: adopt
"""
CHALLENGE = ('Bearer error="insufficient_user_authentication", error_description="please confirm with your second factor", '
             'acr_values="aal2", max_age="900"')
BUSY = 6       # clients
ROUNDS = 25    # requests of each client that must come through between two events


class Case:
    """One gateway, one adapter."""

    def __init__(self, name, apart, stage):
        self.name = f"{name}, the adapter {'apart' if apart else 'inside'}"
        self.apart, self.stage, self.site = apart, stage, Site(stage)
        self.pdpd = Pdpd(stage, {"site.yaml": POLICY}, *ways.options(name, apart), state=True,
                         config=ways.config(name, apart))
        self.way = ways.make(name, stage, self.site.port, self.pdpd, apart)

    def check(self, condition, what):
        return check(condition, f"{self.name}: {what}")

    def get(self, target, session=None, **more):
        headers = {"Cookie": f"theme=dark; sid={session}"} if session else {}
        return get(self.way.port, target, headers, **more)

    def passes(self, target, session=None, **more):
        answer = self.get(target, session, **more)
        seen = self.site.take()
        self.check(answer.status == 200 and answer.one("x-site") == "1" and len(seen) == 1, f"{target} passes: {answer} {seen}")
        return answer, seen[0] if seen else None

    def stays_out(self, target, session=None, statuses=(403,), **more):
        answer = self.get(target, session, **more)
        seen = self.site.take()
        self.check(answer.status in statuses and not answer.one("x-site") and not seen, f"{target} is refused: {answer} {seen}")
        return answer


# ---- What is answered ------------------------------------------------------------------------------------

def answers(case):
    _, seen = case.passes("/pages/%61?x=%61", "alice")
    case.check(seen.target == b"/pages/a?x=%61", f"the path that was judged, the query as it came: {seen.target}")
    case.check(seen.one("x-pdp-effect") == "allow" and seen.one("x-pdp-decision"), f"the site is told: {seen.head}")
    case.check(seen.one("x-pdp-session", ).startswith("s_"), f"and of which session: {seen.head}")
    case.passes("/pages/a")
    for method, body in (("POST", b"a=b"), ("PUT", b"x" * 100000), ("DELETE", b"")):
        _, seen = case.passes("/pages/a", "alice", method=method, body=body)
        case.check(seen.method == method.encode() and (seen.body or b"") == body, f"{method} with its body: {seen}")
    answer = case.stays_out("/admin", "alice")
    case.check(not answer.all("set-cookie"), f"a denial keeps the session: {answer.head}")
    case.stays_out("/admin")
    case.stays_out("/pages/../admin", "alice", statuses=(400, 403))
    case.passes("/pages/a", "alice")


def step_up(case):
    answer = case.stays_out("/payroll/7", "alice", statuses=(401,))
    case.check(answer.all("www-authenticate") == [CHALLENGE], f"the challenge: {answer.head}")
    case.check(not answer.all("set-cookie"), f"it keeps the session: {answer.head}")
    case.passes("/pages/a", "alice")


def cleared(answer):
    return [cookie for cookie in answer.all("set-cookie") if cookie.startswith("sid=;") and "Max-Age=0" in cookie]


def terminate(case):
    case.passes("/pages/a", "bob")
    answer = case.stays_out("/bait/x", "bob")
    case.check(len(cleared(answer)) == 1, f"the cookie is cleared: {answer.head}")
    answer = case.stays_out("/pages/a", "bob")
    case.check(len(cleared(answer)) == 1, f"and is cleared still: {answer.head}")
    case.passes("/pages/a", "alice")


def ends_in_a_download(case):
    case.passes("/pages/a", "carol")
    with Client(case.way.port) as client:
        client.send(request("/pages/slow", {"Cookie": "sid=carol"}))
        case.check(client.head().status == 200, "the download begins")
        case.check(client.stream.read(1000) == b"x" * 1000, "its beginning comes")
        case.pdpd.terminate("carol")
        case.site.take()
        case.stays_out("/pages/a", "carol")
        case.site.flow.set()
        left = client.stream.read(2 * len(Site.HALF) - 1000)
        case.check(len(left) == 2 * len(Site.HALF) - 1000, "what was let through ends as it began")
        client.send(request("/pages/a", {"Cookie": "sid=carol"}))
        case.check(client.answer().status == 403 and not case.site.take(), "and so is the next request of that connection")
    case.site.flow.clear()


# ---- When pdpd is not there --------------------------------------------------------------------------------

# An adapter that gets no answer says 403. Where the adapter itself does not answer, nginx says 500 and Caddy 502 or 504.
NOBODY = (403, 500, 502, 504)


def gone(case):
    case.pdpd.stop()
    case.stays_out("/pages/a", "alice", statuses=(403,) if case.apart else NOBODY)
    case.pdpd.start()
    until(f"{case.name}: it comes back", lambda: case.get("/pages/a", "alice").status == 200)
    case.site.take()


def slow(case):
    case.passes("/pages/a", "alice")
    case.pdpd.pause()
    case.stays_out("/pages/a", "alice", statuses=(403,) if case.apart else NOBODY)
    case.pdpd.resume()
    until(f"{case.name}: it comes back", lambda: case.get("/pages/a", "alice").status == 200)
    case.site.take()


class Load:
    """Clients that ask by turns for what is allowed and for what is not, until they are told to stop."""

    def __init__(self, case):
        self.case, self.over, self.lock = case, threading.Event(), threading.Lock()
        self.passed, self.statuses = 0, collections.Counter()
        self.threads = [threading.Thread(target=self.run, args=(index,)) for index in range(BUSY)]
        for thread in self.threads:
            thread.start()

    def run(self, index):
        for turn in itertools.count():
            if self.over.is_set():
                return
            target, session = [("/pages/a", f"user-{index}"), ("/admin/x", f"user-{index}"), ("/pages/b", "ended"),
                               ("/payroll/1", f"user-{index}")][turn % 4]
            answer = self.case.get(target, session)
            with self.lock:
                self.passed += answer.status == 200
                self.statuses[(target, answer.status)] += 1

    def goes_on(self, what):
        """So much comes through again."""
        before = self.passed
        until(f"{self.case.name}: {what}", lambda: self.passed >= before + ROUNDS)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def under_load(case):
    case.passes("/pages/a", "ended")
    case.pdpd.terminate("ended")
    load = Load(case)
    for what, event in (("before", lambda: None), ("stopped and started", case.pdpd.restart),
                        ("stood still", lambda: (case.pdpd.pause(), case.pdpd.resume())),
                        ("killed and started", lambda: (case.pdpd.kill(), case.pdpd.start())),
                        ("reloaded", lambda: case.pdpd.ctl("reload"))):
        event()
        load.goes_on(what)
    load.stop()
    seen = collections.Counter(seen.target.decode() for seen in case.site.take())
    case.check(set(seen) == {"/pages/a"}, f"nothing else reached the site: {seen}")
    for (target, status), count in sorted(load.statuses.items()):
        wanted = {"/pages/a": (200,), "/payroll/1": (401,)}.get(target, ()) + NOBODY
        case.check(status in wanted, f"{target} answered {status} {count} times")
    case.check(seen["/pages/a"] >= load.statuses[("/pages/a", 200)] >= 5 * ROUNDS, f"it was busy: {load.statuses}")


def another_answers():
    """A 200 of somebody who is not pdpd opens nothing: Caddy may ask the site by mistake (docs/gateways/caddy.md)."""
    with Stage() as stage:
        site = Site(stage)
        caddy = ways.caddy(stage, site.port, None, False, {}, asked=site.port)
        for target in ("/pages/a", "/forward-auth", "/admin/x"):
            status = get(caddy.port, target).status
            check(status == 502, f"caddy: whom nobody judged is answered {status}")
        seen = {seen.target for seen in site.take()}
        check(seen == {b"/forward-auth"}, f"caddy: the site was asked in pdpd's place, and nothing went on: {seen}")


def run(name, apart):
    with Stage() as stage:
        case = Case(name, apart, stage)
        for part in (answers, step_up, terminate, ends_in_a_download, gone, slow, under_load):
            part(case)


if __name__ == "__main__":
    for name in ("nginx", "caddy"):
        for apart in ways.places(name):
            run(name, apart)
    another_answers()
    finish()
