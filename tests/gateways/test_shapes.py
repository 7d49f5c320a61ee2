#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The requests that Traefik's ForwardAuth and Envoy's ext_authz over HTTP make, replayed against the adapter, since neither is in
Debian. Which headers they send is written down from their sources: pkg/middlewares/auth/forward.go, ext_authz_http_impl.cc."""
import re
import ways
from support import ROOT, Client, Pdpd, Stage, check, finish
from test_forward import CHALLENGE, POLICY, cleared


def traefik(method, target, headers=(), host="shop.example", address="192.0.2.7"):
    """GET on the address of the middleware; the client's headers, but those of the connection and `X-Forwarded-*`, which
    `trustForwardHeader: false` makes anew."""
    sent = [(name, value) for name, value in headers if not name.lower().startswith("x-forwarded-")]
    return "GET", "/forward-auth", "127.0.0.1:8080", [
        ("User-Agent", "Go-http-client/1.1"), *sent, ("X-Forwarded-For", address), ("X-Forwarded-Host", host),
        ("X-Forwarded-Method", method), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Uri", target), ("Accept-Encoding", "gzip")]


ALLOWED = re.findall(r"\{exact: ([\w-]+), ignore_case: true\}",
                     re.search(r"authorization_request:.*?authorization_response:",
                               (ROOT / "adapters/http/examples/envoy-http.yaml").read_text(), re.S)[0])


def envoy(method, target, headers=(), host="shop.example", address="192.0.2.7"):
    """The client's method, and its target behind the prefix; of its headers those that are allowed; those that are added."""
    sent = [(name.lower(), value) for name, value in headers if name.lower() in ALLOWED]
    return method, "/forward-auth" + target, host, [
        *sent, ("x-real-ip", address), ("x-envoy-internal", "true"), ("x-forwarded-for", "10.0.0.3"),
        ("x-envoy-expected-rq-timeout-ms", "1000"), ("content-length", "0")]


class Case:
    def __init__(self, shape, port):
        self.shape, self.client = shape, Client(port)

    def ask(self, method, target, headers=(), **more):
        method, target, host, lines = self.shape(method, target, headers, **more)
        return self.client.ask(target, lines, method=method, host=host)

    def check(self, condition, what):
        return check(condition, f"{self.shape.__name__}: {what}")

    def is_(self, status, method, target, headers=(), **more):
        answer = self.ask(method, target, headers, **more)
        self.check(answer.status == status, f"{method} {target} {headers}: {answer}")
        return answer


ALICE = [("Cookie", "theme=dark; sid=alice")]


def answers(case, pdpd):
    answer = case.is_(200, "GET", "/pages/%61?x=/admin", ALICE)
    case.check(answer.one("x-pdp-effect") == "allow" and answer.one("x-pdp-path") == "/pages/a", f"{answer.head}")
    case.is_(200, "POST", "/pages/a", ALICE)
    case.is_(403, "GET", "/admin", ALICE)
    case.is_(403, "GET", "/admin?/pages/a", ALICE)
    case.is_(403, "GET", "/pages/../admin", ALICE)
    case.is_(403, "GET", "/pages%2f..%2fadmin", ALICE)
    case.is_(403, "GET", "//pages/a", ALICE)
    answer = case.is_(401, "GET", "/payroll/1", ALICE)
    case.check(answer.all("www-authenticate") == [CHALLENGE], f"the challenge: {answer.head}")
    case.is_(200, "GET", "/pages/a", [("Cookie", "sid=bob")])
    answer = case.is_(403, "GET", "/bait/a", [("Cookie", "sid=bob")])
    case.check(len(cleared(answer)) == 1, f"the cookie is cleared: {answer.head}")
    case.is_(403, "GET", "/pages/a", [("Cookie", "sid=bob")])


def nobody_else_speaks(case, pdpd):
    """What a client sends under the names of another gateway does not count, or the request is refused."""
    for name in ("X-Original-URI", "X-Original-Method", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Real-IP", "X-Original-URL"):
        for value in ("/pages/a", "GET", "10.1.2.3"):
            case.is_(403, "DELETE", "/admin", [*ALICE, (name, value)])
    case.is_(403, "GET", "/office/a", [*ALICE, ("X-Forwarded-For", "10.1.2.3")])
    case.is_(403, "GET", "/office/a", [*ALICE, ("X-Real-IP", "10.1.2.3")])
    case.is_(200, "GET", "/office/a", ALICE, address="10.1.2.3")


if __name__ == "__main__":
    policy = POLICY + """---
apiVersion: pdp/v1
kind: Policy
metadata: {name: office}
rules:
  - {id: office, effect: allow, resources: ["/office/**"], when: 'cidr("10.0.0.0/8").containsIP(network.ip)'}
"""
    with Stage() as stage:
        for shape in (traefik, envoy):
            name = {traefik: "traefik", envoy: "envoy-http"}[shape]
            apart = ways.places(name)[0]
            pdpd = Pdpd(stage, {"site.yaml": policy}, *ways.options(name, apart), config=ways.config(name, apart), name=f"pdpd-{name}")
            case = Case(shape, ways.adapter(name, stage, pdpd, apart))
            answers(case, pdpd)
            nobody_else_speaks(case, pdpd)
    finish()
