#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The forward-auth endpoint with tokens of an identity provider, which rotates its keys, goes away, and comes back."""
import hashlib
import json
import time
from idp import ISSUER, Idp
from support import Apart, Pdpd, Stage, check, finish, get, until

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
  - {id: public, effect: allow, resources: ["/public/**"]}
  - {id: staff, effect: allow, resources: ["/staff/**", "/payroll/**", "/bait/**"], when: 'subject.type == "user"'}
  - {id: hr, effect: allow, resources: ["/hr/**"], when: '"hr" in subject.roles'}
  - id: proved
    effect: step_up
    resources: ["/payroll/**"]
    require: {strength: mfa, max_age: 15m}
    message: "say \\"please\\"\\r\\nX-Evil: 1 für alle"
  - {id: bait, effect: terminate, resources: ["/bait/**"], message: this session has been ended}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: sessions}
first_sight: adopt
"""
WAY = {"X-Original-Method": "GET", "X-Real-IP": "192.0.2.1"}


class Door:
    """The adapter, apart from `pdpd` or inside of one of its own (None), asked as nginx asks."""
    count = 0

    def __init__(self, stage, pdpd, *flags, allowed=("--open", "true"), way="nginx"):
        flags = [*allowed, "--forward", way, *map(str, flags)]
        self.pdpd = pdpd or self.inside(stage, flags)
        self.port = Apart(stage, "pdp-http", pdpd, *flags).port if pdpd else self.pdpd.ports["http"]

    def inside(self, stage, flags):
        Door.count += 1
        told = "".join(f'  {name[2:]}: "{value}"\n' for name, value in zip(flags[::2], flags[1::2]))
        return Pdpd(stage, {"site.yaml": POLICY}, "--http", "127.0.0.1:0", config="http:\n" + told, name=f"inside-{Door.count}")

    def ask(self, path, token=None, headers=(), method="GET", target="/forward-auth", **more):
        pairs = [("X-Original-URI", path), *WAY.items(), *dict(headers).items()] if not isinstance(headers, list) else headers
        if token:
            pairs.append(("Authorization", f"Bearer {token}"))
        answer = get(self.port, target, pairs, method=method, **more)
        check(answer.status in (200, 401, 403), f"{path}: a status that every gateway understands: {answer}")
        check(answer.one("x-evil") is None, f"{path}: no header of a policy's making: {answer.head}")
        return answer


def tokens(idp, door):
    check(door.ask("/public/a").status == 200, "the public may be asked about by nobody")
    check(door.ask("/staff/a").status == 403, "the staff's may not")
    answer = door.ask("/staff/a", idp.token())
    check(answer.status == 200 and answer.one("x-pdp-subject") == "alice", f"alice may: {answer.head}")
    check(answer.one("x-pdp-effect") == "allow" and answer.one("x-pdp-path") == "/staff/a", f"and it is said: {answer.head}")
    check(door.ask("/hr/a", idp.token()).status == 403, "not of the role")
    check(door.ask("/hr/a", idp.token(roles=["it", "hr"])).status == 200, "of the role")
    now = int(time.time())
    for what, token in (("expired", idp.token(exp=now - 3600)), ("not yet", idp.token(nbf=now + 3600)),
                        ("another's", idp.token(iss="https://evil.example")), ("for others", idp.token(aud="till")),
                        ("without a subject", idp.token(subject=None)), ("of a key that is not served", idp.token(kid="two")),
                        ("of events", idp.token(events={})), ("no token", "x.y.z"), ("nothing at all", "none"),
                        ("without a signature", idp.token().rsplit(".", 1)[0] + "."),
                        ("of another content", ".".join([idp.token().split(".")[0], idp.token("root").split(".")[1],
                                                         idp.token().split(".")[2]]))):
        answer = door.ask("/public/a", token)
        check(answer.status == 401 and (answer.one("www-authenticate") or "").startswith('Bearer error="invalid_token"'),
              f"a token that is {what}: {answer.head}")
        check(not answer.one("x-pdp-subject"), f"a token that is {what} names nobody")


def keys(idp, door):
    two = idp.token(kid="two")
    idp.serve("one", "two")
    until("a new key is found", lambda: door.ask("/staff/a", two).status == 200)
    check(door.ask("/staff/a", idp.token()).status == 200, "beside the old one")
    idp.end()
    check(door.ask("/staff/a", idp.token(kid="two")).status == 200, "the identity provider may be away")
    check(door.ask("/staff/a", idp.token(kid="three")).status == 401, "what it has not served is no key")
    idp.begin()
    idp.serve("three")
    until("it is back", lambda: door.ask("/staff/a", idp.token(kid="three")).status == 200)
    check(door.ask("/staff/a", two).status == 401, "what was remembered goes with its key")
    idp.serve("one")
    until("the first key again", lambda: door.ask("/staff/a", idp.token()).status == 200)


def step_up(idp, door):
    answer = door.ask("/payroll/a", idp.token(sid="s-1"))
    challenge = answer.one("www-authenticate") or ""
    check(answer.status == 401 and challenge.startswith('Bearer error="insufficient_user_authentication", error_description="'),
          f"a step-up: {answer.head}")
    check(challenge.endswith('acr_values="aal2", max_age="900"') and challenge.count('"') == 8, f"safely quoted: {challenge}")
    check(door.ask("/payroll/a", idp.token(sid="s-2", amr=["pwd", "otp"])).status == 200, "what was proved is in the token")


def sessions(idp, door):
    bob = idp.token("bob")
    cookie = {"Cookie": "theme=dark; sid=c-1"}
    check(door.ask("/staff/a", bob, cookie).one("x-pdp-session").startswith("s_"), "a session by its cookie")
    check(door.ask("/public/a", None, cookie).status == 200, "the cookie alone is nobody's")
    check(door.ask("/staff/a", bob, cookie).status == 200, "and has ended nothing")
    answer = door.ask("/bait/a", bob, cookie)
    check(answer.status == 403 and answer.one("x-pdp-effect") == "terminate", f"the end: {answer.head}")
    gone = answer.one("set-cookie") or ""
    check(gone.startswith("sid=; Path=/; Max-Age=0;") and "Secure" in gone and "HttpOnly" in gone, f"its cookie goes: {gone}")
    answer = door.ask("/staff/a", bob, cookie)
    check(answer.status == 403 and answer.one("set-cookie"), f"over is over: {answer.head}")
    check(door.ask("/staff/a", bob, {"Cookie": "sid=c-2; sid=c-3"}).status == 403, "a cookie twice")


def shapes(idp, door):
    token = idp.token()
    for method in ("HEAD", "OPTIONS", "POST", "PUT", "PROPFIND"):
        answer = door.ask("/staff/a", token, method=method, body=b"x" * 1000 if method in ("POST", "PUT") else b"")
        check(answer.status == 200, f"{method}: {answer}")
        check(door.ask("/hr/a", token, method=method).status == 403, f"{method} is refused")
    base = [("X-Original-URI", "/public/a"), ("X-Original-Method", "GET")]
    check(door.ask("/", headers=list(base)).status == 200, "what is needed")
    check(door.ask("/", headers=base[:1]).status == 403, "without the method")
    check(door.ask("/", headers=base[1:]).status == 403, "without the URI")
    check(door.ask("/", headers=[*base, ("X-Original-URI", "/public/a")]).status == 403, "the URI twice")
    check(door.ask("/", headers=[("X-Forwarded-Uri", "/public/a"), ("X-Forwarded-Method", "GET")]).status == 403, "of another gateway")
    check(door.ask("/", headers=[*base, ("Authorization", "Bearer a"), ("Authorization", "Bearer b")]).status == 403, "two tokens")
    check(door.ask("/public/%2e%2e/hr").status == 403, "a path of two meanings")
    check(door.ask("/public/\xff").status == 403 and door.ask("*").status == 403, "a path of none")


def other_ways(stage, pdpd):
    """What the other gateways send, and what they hand on."""
    headers = ("--subject", "header:X-User")
    user = [("X-User", "carol")]
    caddy = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/staff/a")]
    doors = {way: Door(stage, pdpd, *headers, way=way) for way in ("caddy", "traefik", "envoy", "auto")}
    for way in ("caddy", "traefik", "auto"):
        check(doors[way].ask("/", headers=caddy + user).status == 200, f"{way}: as it asks")
        check(doors[way].ask("/", headers=caddy).status == 403, f"{way}: and of nobody")
    for way in ("envoy", "auto"):
        answer = doors[way].ask("/", headers=list(user), target="/forward-auth/staff/a?b")
        check(answer.status == 200 and answer.one("x-pdp-path") == "/staff/a", f"{way}: by the path behind: {answer.head}")
        gone = (answer.one("x-envoy-auth-headers-to-remove") or "").split(", ")
        check("X-Pdp-Session" in gone and "X-Pdp-Message" in gone, f"{way}: what it does not set is to be removed: {gone}")
        check("X-Pdp-Subject" not in gone and "X-Pdp-Effect" not in gone, f"{way}: and nothing else: {gone}")
        answer = doors[way].ask("/", headers=[], target="/forward-auth/public/a")
        check("X-Pdp-Subject" in answer.one("x-envoy-auth-headers-to-remove"), f"{way}: of nobody: {answer.head}")
        check(doors[way].ask("/", headers=list(user), target="/forward-auth//staff/a").status == 403, f"{way}: two slashes")
    check(doors["auto"].ask("/", headers=caddy + user, target="/forward-auth/staff/a").status == 403, "auto: in two ways")
    refused = doors["caddy"].ask("/", headers=caddy)
    told = {name for name in ("effect", "code", "rule", "reason", "risk", "level", "message") if refused.one(f"x-pdp-{name}")}
    check(told == {"effect"}, f"caddy: its client is told nothing that it could use: {told}")
    check(len(refused.all("x-pdp-effect")) == 1 and refused.body == b"refused\n", f"caddy: {refused.head}")


def main():
    with Stage() as stage:
        idp = Idp(stage)
        idp.key("two")
        idp.key("three")
        pdpd = Pdpd(stage, {"site.yaml": POLICY})
        jwt = ("--jwks", idp.url, "--jwt-issuer", ISSUER, "--jwt-audience", "shop", "--jwks-retry", "1s", "--roles", "claim:roles")
        door = Door(stage, pdpd, *jwt, "--session", "cookie:sid")
        until("the keys are read", lambda: door.ask("/staff/a", idp.token()).status == 200)
        tokens(idp, door)
        keys(idp, door)
        sessions(idp, door)
        shapes(idp, door)
        step_up(idp, Door(stage, pdpd, "--jwks", stage.write("keys.json", json.dumps({"keys": [idp.public("one")]})),
                          "--jwt-issuer", ISSUER, "--jwt-audience", "shop", "--session", "claim:sid"))

        strict = Door(stage, pdpd, *jwt, "--anonymous", "refuse")
        until("its keys are read", lambda: strict.ask("/staff/a", idp.token()).status == 200)
        answer = strict.ask("/public/a")
        check(answer.status == 401 and answer.one("www-authenticate") == 'Bearer realm="pdp"', f"a token is demanded: {answer.head}")

        headers = Door(stage, pdpd, "--subject", "header:X-User", "--roles", "header:X-Roles")
        check(headers.ask("/hr/a", headers={"X-User": "carol", "X-Roles": "it, hr"}).status == 200, "a gateway's word")
        far = Door(stage, pdpd, "--subject", "header:X-User", "--trusted", "10.0.0.0/8")
        check(far.ask("/public/a", headers={"X-User": "carol"}).status == 403, "of a peer that is not believed there is nothing to ask")

        other_ways(stage, pdpd)
        secret = "a-secret-of-the-gateway-and-nobody-else"
        file = stage.write("tokens", f"gw-1 sha256:{hashlib.sha256(secret.encode()).hexdigest()}\n")
        closed = Door(stage, None, allowed=("--tokens", file))
        base = [("X-Original-URI", "/public/a"), ("X-Original-Method", "GET")]
        for shown, status in ((None, 401), ("a-secret-of-nobody-at-all-here", 401), (secret, 200)):
            headers = base + ([("X-Pdp-Token", shown)] if shown else [])
            check(closed.ask("/", headers=headers).status == status, f"a gateway shows who it is: {shown}")

        inside = Door(stage, None, *jwt, "--session", "cookie:sid")
        until("the keys are read", lambda: inside.ask("/staff/a", idp.token()).status == 200)
        for part in (tokens, keys, sessions, shapes):
            part(idp, inside)

        pdpd.stop()
        answer = door.ask("/public/a")
        check(answer.status == 403 and answer.one("x-pdp-effect") == "deny", f"nobody answers: {answer.head}")
    finish()


main()
