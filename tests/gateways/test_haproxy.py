#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real HAProxy with the sample configuration, a real pdpd, and the agent apart or inside pdpd: what is allowed comes through as it was
judged, and nothing else ever does."""
import concurrent.futures
import socket
import subprocess
import sys
import threading
from support import (Apart, Client, Haproxy, Pdpd, Site, Stage, check, finish, get, need, ours, request, send_raw, until, wait)

EXAMPLES = "adapters/haproxy/examples"
POLICIES = {"web.yaml": """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET, HEAD]}
  - {id: write, effect: allow, actions: [POST], when: 'subject.id == "alice"'}
  - {id: secret, effect: deny, resources: ["/secret/**"]}
  - {id: payroll, effect: step_up, resources: ["/payroll/**"], require: {strength: mfa, max_age: 15m}}
  - {id: trap, effect: terminate, resources: ["/trap"]}
  - {id: six, effect: deny, resources: ["/four"], when: 'network.ip == ip("::1")'}
  - {id: elsewhere, effect: deny, when: 'has(network.ip) && network.ip == ip("203.0.113.9")'}
  - {id: robots, effect: deny, when: 'has(device.user_agent) && device.user_agent == "robot"'}
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


class World:
    """Everything, from the site to HAProxy. `inside` runs the agent in pdpd."""

    def __init__(self, stage, inside, site=None, address="127.0.0.1", extra=()):
        self.stage, self.inside = stage, inside
        self.site = site or Site(stage)
        if inside:
            settings = "".join(f"  {name}: {value}\n" for name, value in [("session", "cookie:sid"), *extra])
            self.pdpd = Pdpd(stage, POLICIES, "--spoe", "127.0.0.1:0", config="spoe:\n" + settings, state=True)
            self.agent, self.agent_port = self.pdpd, self.pdpd.ports["spoe"]
        else:
            self.pdpd = Pdpd(stage, POLICIES, state=True)
            flags = [word for name, value in [("session", "cookie:sid"), *extra] for word in (f"--{name}", value)]
            self.agent = Apart(stage, "pdp-spoe", self.pdpd, *flags)
            self.agent_port = self.agent.port
        port = stage.port()
        self.haproxy = Haproxy(stage, f"{EXAMPLES}/haproxy.cfg", {
            "bind :8080": f"bind {address}:{port}", "127.0.0.1:8000": f"127.0.0.1:{self.site.port}",
            "127.0.0.1:9000": f"127.0.0.1:{self.agent_port}", "/etc/haproxy/pdp-spoe.conf": "pdp-spoe.conf"},
            port=port, more={"pdp-spoe.conf": f"{EXAMPLES}/pdp-spoe.conf"})
        self.port = port
        until("the first answer", lambda: self.get("/").status == 200)
        self.site.take()

    def get(self, target, headers=(), **more):
        return get(self.port, target, headers, **more)

    def refused(self, target, what, headers=(), status=403, **more):
        answer = self.get(target, headers, **more)
        check(answer.status == status, f"{what}: {status}, not {answer}")
        check(answer.one("X-Site") is None and not self.site.take(), f"{what}: the site saw nothing")
        return answer


def inside_is_there():
    return "--spoe" in subprocess.run([ours("pdpd"), "--help"], capture_output=True, text=True, timeout=30).stdout


def effects(world):
    answer = world.get("/a/%62?x=%2F..", {"X-User": "alice", "Cookie": "a=1; sid=s-1"})
    check(answer.status == 200 and answer.body == b"page /a/b?x=%2F..\n", f"allowed: {answer} {answer.body}")
    seen = world.site.take()
    check(len(seen) == 1 and seen[0].target == b"/a/b?x=%2F..", f"the canonical path and the query as it came: {seen}")
    check(seen[0].one("X-Pdp-Decision"), "with the decision's id")

    answer = world.refused("/secret/x", "deny")
    check(answer.one("WWW-Authenticate") is None and answer.one("Set-Cookie") is None, f"a plain 403: {answer.headers}")
    check(answer.one("Cache-Control") == "no-store", "and not to be kept")
    world.refused("/a", "another method", method="DELETE")
    world.refused("/a", "POST of nobody", method="POST", body="x")
    check(world.get("/a", {"X-User": "alice"}, method="POST", body="abc").status == 200, "POST of alice")
    check(world.site.take()[0].body == b"abc", "with its body")

    answer = world.refused("/payroll/1", "step_up", {"X-User": "alice", "Cookie": "sid=s-2"}, status=401)
    challenge = answer.one("WWW-Authenticate") or ""
    check(challenge == 'Bearer error="insufficient_user_authentication", '
          'error_description="More recent authentication is required", acr_values="aal2 phr", max_age="900"',
          f"the challenge of RFC 9470: {challenge}")

    check(world.get("/a", {"X-User": "bob", "Cookie": "sid=s-3"}).status == 200, "a session")
    world.site.take()
    answer = world.refused("/trap", "terminate", {"X-User": "bob", "Cookie": "sid=s-3"})
    check("sid=;" in (answer.one("Set-Cookie") or "") and "Max-Age=0" in answer.one("Set-Cookie"), f"clears the cookie: {answer.headers}")
    answer = world.refused("/a", "the ended session", {"X-User": "bob", "Cookie": "sid=s-3"})
    check("Max-Age=0" in (answer.one("Set-Cookie") or ""), "clears the cookie again")


def both_ways(test):
    for inside in [False] + [True] * inside_is_there():
        with Stage() as stage:
            test(World(stage, inside))


def main():
    need("haproxy")
    ours("pdp-spoe")
    both_ways(effects)
    finish()


main()
