# SPDX-License-Identifier: Apache-2.0
"""A real gRPC client asks as Envoy does: what comes back for each effect, whatever the PDP does meanwhile."""
from envoy import PATIENT, Grpc, asked, code, headers, metadata, status
from support import Apart, Pdpd, Stage, check, finish, until

POLICY = """
apiVersion: pdp/v1
kind: Policy
metadata: {name: shop, owner: web}
target: resource.type == "route"
rules:
  - {id: open, effect: allow, resources: ["/open", "/open/**", "/pay/**"], reason: open to all}
  - {id: proof, effect: step_up, resources: ["/pay/**"], require: {strength: mfa, max_age: 15m}, reason: a second factor,
     message: please confirm}
  - {id: stolen, effect: terminate, when: 'device.user_agent == "thief"', reason: "a thief: %"}
  - {id: acme, effect: allow, resources: ["/acme"], when: 'resource.host == "shop.example" && resource.team == "blue" && tenant == "acme"'}
  - {id: extension, effect: allow, resources: ["/ext"], when: 'context.extensions.zone == "dmz" && context.tls.principal == "spiffe://x/y"'}
  - {id: near, effect: allow, resources: ["/near"], when: 'network.ip == ip("192.0.2.7")'}
---
apiVersion: pdp/v1
kind: Strengths
metadata: {name: strengths}
levels:
  - {name: password, proves: '"pwd" in session.amr', ask: {acr_values: [aal1]}}
  - {name: mfa, proves: 'session.acr == "aal2"', ask: {acr_values: [aal2]}}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: sessions}
first_sight: adopt
"""


def allows(grpc):
    response = grpc.call(asked("/open?a=1&b=%2F"))
    check(code(response) == 0 and "ok_response" in response, f"an allow is OK: {response}")
    told = headers(response)
    check(told.get("x-pdp-effect") == "allow" and told.get("x-pdp-rule") == "shop/open", f"the site is told why: {told}")
    check(":path" not in told and told.get("x-pdp-path") == "/open", f"a canonical path stays as it is: {told}")
    options = response["ok_response"]["headers"]
    check(all(option["append_action"] == "OVERWRITE_IF_EXISTS_OR_ADD" and option["append"] == {} for option in options),
          f"what a client sent under these names is replaced: {options}")
    removed = set(response["ok_response"]["headers_to_remove"])
    check({"x-pdp-message", "x-pdp-session"} <= removed and not removed & set(told), f"and removed where we say nothing: {removed}")
    about = metadata(response)
    check(about["effect"] == "allow" and isinstance(about["risk"], (int, float)) and about["level"] == "low", f"metadata: {about}")
    response = grpc.call(asked("/open/%61b?q=1%2f2"))
    check(headers(response).get(":path") == "/open/ab?q=1%2f2", f"the canonical path is forwarded, with the query: {response}")


def refuses(grpc):
    for path in ("/closed", "/open//x", "/open/../x", "/open/%2fx", "/open/a;b", "*", "", "http://x/open", "/open/\x00", "/open\x00/x",
                 "/open/%ff"):
        response = grpc.call(asked(path))
        check(status(response) == "Forbidden" and code(response) == 7, f"{path!r} is refused: {response}")
        check("ok_response" not in response and metadata(response)["effect"] == "deny", f"{path!r}: {response}")
    response = grpc.call(asked("/closed"))
    check(set(headers(response)) == {"content-type", "cache-control", "x-pdp-decision"}, f"no reason goes to clients: {response}")
    check(metadata(response)["code"] == "no-rule", f"but to Envoy: {metadata(response)}")


def proves(grpc):
    response = grpc.call(asked("/pay/1", headers={"cookie": "sid=s-1"}))
    check(code(response) == 16 and status(response) == "Unauthorized", f"a step-up is 401: {response}")
    challenge = headers(response).get("www-authenticate", "")
    check(challenge.startswith('Bearer error="insufficient_user_authentication"') and 'acr_values="aal2"' in challenge
          and 'max_age="900"' in challenge, f"with the challenge of RFC 9470: {challenge}")
    check(response["denied_response"]["body"] == "please confirm\n", f"and the message: {response}")
    check("set-cookie" not in headers(response), "its session goes on")


def ends(grpc, pdpd):
    check(code(grpc.call(asked("/open", headers={"cookie": "a=b; sid=s-2"}))) == 0, "a session begins")
    response = grpc.call(asked("/open", headers={"cookie": "sid=s-2", "user-agent": "thief"}))
    check(status(response) == "Forbidden" and metadata(response)["effect"] == "terminate", f"a terminate is 403: {response}")
    check(headers(response).get("set-cookie", "").startswith("sid=; "), f"and clears the cookie: {response}")
    response = grpc.call(asked("/open", headers={"cookie": "sid=s-2"}))
    check(status(response) == "Forbidden" and headers(response).get("set-cookie", "").startswith("sid=; "), f"and stays over: {response}")
    check(code(grpc.call(asked("/open", headers={"cookie": "sid=s-3"}))) == 0, "another session begins")
    pdpd.terminate("s-3")
    check(status(grpc.call(asked("/open", headers={"cookie": "sid=s-3"}))) == "Forbidden", "an analyst ends it")


def identifies(grpc):
    for lines in ("sid=s-4; sid=s-5", "sid=s-4; x=y; sid="):
        check(status(grpc.call(asked("/open", headers={"cookie": lines}))) == "Forbidden", f"two sessions are none: {lines}")
    raw = [("cookie", b"sid=s-4"), ("cookie", b"sid=s-5")]
    check(status(grpc.call(asked("/open", raw=raw))) == "Forbidden", "neither in two headers")
    check(code(grpc.call(asked("/open", raw=[("Cookie", b"sid=s-4"), ("cookie", b"a=b")]))) == 0, "one is one")
    response = grpc.call(asked("/acme", extensions={"tenant": "acme", "resource.team": "blue"}))
    check(code(response) == 0, f"tenant and properties come from the route: {response}")
    check(code(grpc.call(asked("/acme", extensions={"tenant": "acme", "resource.team": "red"}))) == 7, "as they are there")
    check(code(grpc.call(asked("/ext", extensions={"zone": "dmz"}, principal="spiffe://x/y"))) == 0, "and whatever else")
    check(code(grpc.call(asked("/near"))) == 0 and code(grpc.call(asked("/near", address="192.0.2.8"))) == 7, "the address is judged")
    forged = asked("/near", address="192.0.2.8", headers={"x-forwarded-for": "192.0.2.7"})
    check(code(grpc.call(forged)) == 7, "a forged one is not")


def calls(grpc):
    check(grpc.many(asked("/open"), 1000) == {"status 0": 1000}, "a thousand at once, allowed")
    check(grpc.many(asked("/closed"), 1000) == {"status 7": 1000}, "a thousand at once, refused")
    raw = lambda method, data: grpc.call({"method": method, "hex": data}, op="raw")
    check(raw("/grpc.health.v1.Health/Check", "") == "0801", "serving")
    check(raw("/grpc.health.v1.Health/Check", "0a0178") == {"error": {"code": 5, "details": "no such service"}}, "of ours alone")
    for method in ("/envoy.service.auth.v3.Authorization/Chec", "/envoy.service.auth.v2.Authorization/Check", "/x/y", "/"):
        check(raw(method, "").get("error", {}).get("code") == 12, f"`{method}` is not there")
    for data in ("", "ff", "0a00", "0aff01", "0a02ffff", "12" * 100, "0a0208"):
        reply = raw("/envoy.service.auth.v3.Authorization/Check", data)
        check(isinstance(reply, str) and reply.startswith("0a02080712"), f"`{data}` is no request, and denied: {reply}")


def big(grpc):
    for size, wanted in ((50000, 0), (65000, 0), (70000, 7), (1000000, 7)):
        response = grpc.call(asked("/open", headers={"x-big": "x" * size}))
        check(code(response) == wanted, f"a header of {size} bytes: {str(response)[:300]}")
    check(grpc.many(asked("/open", headers={"x-big": "x" * 60000}), 100) == {"status 0": 100}, "many big ones share a window")


def waits(stage, grpc, pdpd, adapter):
    hasty = Apart(stage, "pdp-ext-authz", pdpd, "--deadline", "50ms")
    pdpd.pause()
    for told in ({"cancel": "now"}, {"cancel": 20}):
        check(set(grpc.many(asked("/open"), 200, **told)) == {"error 1"}, "what is cancelled is gone")
    check(set(Grpc(stage, f"127.0.0.1:{hasty.port}").many(asked("/open"), 50)) == {"status 7"}, "no answer in time is a deny")
    late = grpc.many(asked("/open"), 2000, deadline_ms=8000)
    check("status 0" not in late and late.get("status 7", 0) > 0, f"before the gateway gives up, too: {late}")
    pdpd.resume()
    until("it is asked again", lambda: code(grpc.call(asked("/open"))) == 0)
    pdpd.kill()
    check(set(grpc.many(asked("/open"), 50, deadline_ms=4000)) <= {"status 7", "error 4"}, "nobody there is no allow")
    pdpd.start()
    until("and again after a restart", lambda: code(grpc.call(asked("/open"), deadline_ms=2000)) == 0)
    check(adapter.child.process.poll() is None, "it still runs")


def restarts(grpc, adapter):
    """A new adapter at the same address is found; the one that went has said so."""
    adapter.restart()
    until("the new one is found", lambda: code(grpc.call(asked("/open"))) == 0)
    running = [grpc.start(request=asked("/open"), times=300) for _ in range(5)]
    adapter.child.stop()
    for number in running:
        counts = grpc.result(number).get("counts", {})
        check(set(counts) <= {"status 0", "status 7", "error 14"}, f"what ends with it is no OK that was not: {counts}")


def stops(grpc, pdpd):
    """An adapter inside of a daemon goes and comes with it."""
    running = [grpc.start(request=asked("/open"), times=300) for _ in range(5)]
    pdpd.stop()
    for number in running:
        counts = grpc.result(number).get("counts", {})
        check(set(counts) <= {"status 0", "status 7", "error 14"}, f"what ends with it is no OK that was not: {counts}")
    check(set(grpc.many(asked("/open"), 20, deadline_ms=2000)) <= {"error 14", "error 4"}, "nobody is there")
    pdpd.start()
    until("the next one is found", lambda: code(grpc.call(asked("/open"), deadline_ms=2000)) == 0)
    pdpd.pause()
    check(set(grpc.many(asked("/open"), 50, deadline_ms=300)) == {"error 4"}, "one that stands still says nothing")
    pdpd.resume()
    until("until it goes on", lambda: code(grpc.call(asked("/open"), deadline_ms=2000)) == 0)


def tries_all(grpc, pdpd):
    allows(grpc)
    refuses(grpc)
    proves(grpc)
    ends(grpc, pdpd)
    identifies(grpc)
    calls(grpc)
    big(grpc)


with Stage() as stage:
    pdpd = Pdpd(stage, {"shop.yaml": POLICY})
    adapter = Apart(stage, "pdp-ext-authz", pdpd, "--session", "cookie:sid", *PATIENT)
    grpc = Grpc(stage, f"127.0.0.1:{adapter.port}")
    tries_all(grpc, pdpd)
    waits(stage, grpc, pdpd, adapter)
    restarts(grpc, adapter)
with Stage() as stage:
    pdpd = Pdpd(stage, {"shop.yaml": POLICY}, "--ext-authz", "127.0.0.1:0", config=f"ext_authz:\n  session: cookie:sid\n  deadline: {PATIENT[1]}\n")
    grpc = Grpc(stage, f"127.0.0.1:{pdpd.ports['ext-authz']}")
    tries_all(grpc, pdpd)
    stops(grpc, pdpd)
finish()
