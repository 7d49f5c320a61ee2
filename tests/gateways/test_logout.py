#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An identity provider tells of logouts (OpenID Connect Back-Channel Logout 1.0): what it says is over before it is answered, and
stays over whatever becomes of pdpd."""
import base64
import time
import urllib.parse
from idp import ISSUER, Idp
from support import Apart, Pdpd, Stage, check, finish, get, until

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: site}
rules:
  - {id: all, effect: allow, when: 'subject.type == "user"'}
"""
EVENT = "http://schemas.openid.net/event/backchannel-logout"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Door:
    """The adapter apart, or inside of a pdpd of its own."""

    def __init__(self, stage, idp, session, apart):
        told = {"forward": "nginx", "jwks": idp.url, "jwt-issuer": ISSUER, "jwt-audience": "shop", "jwks-retry": "1s",
                "session": session, "backchannel-logout": "true", "open": "true"}
        self.idp, self.number, self.apart = idp, 0, apart
        self.name = f"{session.replace(':', '-')}-{'apart' if apart else 'inside'}"
        more = "" if apart else "http:\n" + "".join(f'  {name}: "{value}"\n' for name, value in told.items())
        options = [] if apart else ["--http", f"127.0.0.1:{stage.port()}"]
        self.pdpd = Pdpd(stage, {"site.yaml": POLICY}, *options, config=more, state=True, name=self.name)
        flags = [word for name, value in told.items() for word in (f"--{name}", value)]
        self.port = Apart(stage, "pdp-http", self.pdpd, *flags).port if apart else self.pdpd.ports["http"]
        until(f"{self.name}: the keys are read", lambda: self.ask(idp.token("zoe", sid="z-1"), "z-1") == 200)

    def ask(self, token, cookie=None):
        headers = {"X-Original-URI": "/a", "X-Original-Method": "GET", "Authorization": f"Bearer {token}"}
        return get(self.port, "/forward-auth", headers | ({"Cookie": f"sid={cookie}"} if cookie else {})).status

    def claims(self, **more):
        self.number += 1
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "shop", "iat": now, "exp": now + 120, "jti": f"j-{self.port}-{self.number}",
                  "events": {EVENT: {}}} | more
        return {name: value for name, value in claims.items() if value is not None}

    def tell(self, token, headers=FORM, method="POST"):
        answer = get(self.port, "/backchannel-logout", headers, method=method, body=urllib.parse.urlencode({"logout_token": token}))
        check(answer.status != 200 or answer.one("cache-control") == "no-store", f"nobody keeps it: {answer.head}")
        return answer.status

    def logout(self, typ="logout+jwt", kid="one", **more):
        return self.tell(self.idp.sign(self.claims(**more), kid, typ=typ))


def by_session(idp, door):
    one, two, bob = idp.token(sid="s-1"), idp.token(sid="s-2"), idp.token("bob", sid="s-3")
    check([door.ask(token) for token in (one, two, bob)] == [200] * 3, "three sessions")
    check(door.logout(sub="alice", sid="s-1") == 200, "a logout of a session")
    check([door.ask(token) for token in (one, two, bob)] == [403, 200, 200], "ends that session")
    check(door.logout(sid="s-3") == 200, "a logout that does not say whose it is")
    check([door.ask(token) for token in (two, bob)] == [200, 403], "ends that session")
    check(door.logout(sub="alice") == 200, "a logout that does not say of which session")
    check(door.ask(two) == 403, "ends all")
    check(door.logout(sub="alice", sid="never") == 200, "of a session that was never seen")
    check(door.ask(idp.token(sid="never")) == 403, "which can never begin")
    check(door.ask(idp.token("carol", sid="s-9")) == 200 and door.logout(sub="alice", sid="s-9") == 400, "of another's session")
    check(door.ask(idp.token("carol", sid="s-9")) == 200, "ends nothing")


def by_subject(idp, door):
    dave, erin = idp.token("dave"), idp.token("erin")
    check([door.ask(dave, "c-1"), door.ask(dave, "c-2"), door.ask(erin, "c-3")] == [200] * 3, "sessions by a cookie")
    status = door.logout(sub="dave", sid="whatever")
    check(status == 200, f"a logout of a subject: {status}")
    check([door.ask(dave, "c-1"), door.ask(dave, "c-2"), door.ask(erin, "c-3")] == [403, 403, 200], "ends all of theirs")
    check(door.ask(dave, "c-4") == 403, "one that was never seen, of a login before it, does not begin")
    new = lambda: door.ask(idp.token("dave", auth_time=int(time.time())), "c-5") == 200
    until("who logs in behind it begins anew", new)
    check(door.logout(sid="c-3") == 501, "sessions are not known by `sid` here")


def is_refused(idp, door):
    fay = idp.token("fay", sid="f-1")
    check(door.ask(fay) == 200, "a session")
    now = int(time.time())
    good = door.claims(sub="fay", sid="f-1")
    refused = {
        "nobody": dict(sub=None), "a nonce": dict(sub="fay", nonce="n"), "no events": dict(sub="fay", events=None),
        "another event": dict(sub="fay", events={"urn:other": {}}), "events in a list": dict(sub="fay", events=[EVENT]),
        "an event that is no object": dict(sub="fay", events={EVENT: 1}), "another issuer": dict(sub="fay", iss="https://evil.example"),
        "another audience": dict(sub="fay", aud="till"), "no audience": dict(sub="fay", aud=None), "no iat": dict(sub="fay", iat=None),
        "an old iat": dict(sub="fay", iat=now - 3600), "no exp": dict(sub="fay", exp=None), "an old exp": dict(sub="fay", exp=now - 3600),
        "no jti": dict(sub="fay", jti=None), "a subject of another type": dict(sub=7), "an iat to come": dict(sub="fay", iat=now + 3600)}
    for what, more in refused.items():
        check(door.logout(**more) == 400, f"a token with {what}")
    check(door.logout(typ="at+jwt", sub="fay") == 400, "a token of another kind")
    check(door.logout(kid="two", sub="fay") == 400, "by a key that is not served")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    signed = idp.sign(good)
    check(door.tell(f"{none}.{signed.split('.')[1]}.") == 400, "not signed")
    check(door.tell(signed[:-2]) == 400 and door.tell("") == 400 and door.tell("a.b.c") == 400, "no token")
    check(door.tell(idp.token("fay", sid="f-1")) == 400, "a token of the user")
    check(door.tell(signed, {"Content-Type": "application/json"}) == 400, "no form")
    check(door.tell(signed, {}) == 400, "of no type")
    check(get(door.port, "/backchannel-logout", FORM, method="POST", body=f"logout_token={signed}&logout_token={signed}").status == 400, "two")
    check(door.tell(signed, method="GET") == 405, "not posted")
    check(door.ask(fay) == 200, "none of them has ended anything")
    check(door.ask(signed) == 401, "and a logout token is no token of a user")
    check(door.tell(signed) == 200 and door.ask(fay) == 403, "it was good all the same")
    check(door.tell(signed) == 400, "once")
    check(door.logout(typ="JWT", sub="fay") == 200 and door.logout(typ=None, sub="fay") == 200, "by other names")


def lasts(idp, door):
    gil, hal = idp.token("gil", sid="g-1"), idp.token("hal", sid="h-1")
    check(door.ask(gil) == 200 and door.ask(hal) == 200, "two sessions")
    check(door.logout(sub="gil") == 200 and door.logout(sid="h-1") == 200, "two logouts")
    door.pdpd.kill()
    token = idp.sign(door.claims(sub="ida"))
    check(not door.apart or door.tell(token) == 503, "nobody is there who could write it down, which is no yes")
    door.pdpd.start()
    until("it is sent again, and taken", lambda: door.tell(token) == 200)
    until("it is asked again", lambda: door.ask(idp.token("jon", sid="j-1")) == 200)
    check(door.ask(gil) == 403 and door.ask(hal) == 403, "what was acknowledged is over after a kill")
    check(door.ask(idp.token("ida", sid="i-1")) == 403, "and what came later too")


def main():
    with Stage() as stage:
        idp = Idp(stage)
        idp.key("two")
        for apart in (True, False):
            door = Door(stage, idp, "claim:sid", apart)
            by_session(idp, door)
            is_refused(idp, door)
            lasts(idp, door)
            by_subject(idp, Door(stage, idp, "cookie:sid", apart))
    finish()


main()
