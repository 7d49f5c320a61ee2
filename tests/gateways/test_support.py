#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tools of the other tests: gateways that ask nobody, in front of the site; a pdpd of its own."""
import socket
from support import DEADLINE_S, Caddy, Client, Haproxy, Nginx, Pdpd, Site, Stage, check, fill, finish, get, request, send_raw

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
"""


def the_site_keeps_bytes(site):
    raw = b"GET /a%2Fb?x=1 HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-one:  2 \r\n\r\n"
    answers = send_raw(site.port, raw + b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
    check([answer.status for answer in answers] == [200, 200], f"two answers: {answers}")
    check(answers[0].body == b"page /a%2Fb?x=1\n", f"its page: {answers[0].body}")
    first, second = site.take()
    check(first.head == raw, f"the first request as it was sent: {first.head}")
    check(first.all("X-One") == ["1", "2"] and first.one("X-One") is None, "a header twice")
    check((second.method, second.target, second.body) == (b"POST", b"/b", b"abc"), f"the second: {second}")
    check(site.take() == [], "taken once")


def a_download_waits(site, port):
    with Client(port) as client:
        client.send(request("/big/slow"))
        answer = client.head()
        check(answer.status == 200, f"it begins: {answer}")
        check(client.stream.read(1000) == b"x" * 1000, "its beginning comes")
        check(site.half_sent.wait(DEADLINE_S) and not site.flow.is_set(), "it stands still")
        site.flow.set()
        check(len(client.stream.read(2 * len(site.HALF) - 1000)) == 2 * len(site.HALF) - 1000, "and goes on")
    site.flow.clear()
    site.half_sent.clear()


def a_gateway_in_front(stage, site, gateway):
    site.take()
    answer = get(gateway.port, "/a?b", {"X-Own": "1"})
    check(answer.status == 200 and answer.one("X-Site") == "1", f"{gateway.program}: {answer}")
    seen = site.take()
    check(len(seen) == 1 and seen[0].target == b"/a?b" and seen[0].one("X-Own") == "1", f"{gateway.program}: {seen}")
    a_download_waits(site, gateway.port)
    check(gateway.stop() in (0, 143, -15), f"{gateway.program} ends as it is asked to")


def gateways(stage, site):
    port = stage.port()
    a_gateway_in_front(stage, site, Nginx(stage, "server {\n listen 80; location / { proxy_pass http://127.0.0.1:8080; } }\n", {
        "listen 80;": f"listen {port};", "127.0.0.1:8080": f"127.0.0.1:{site.port}"}, port))
    port = stage.port()
    a_gateway_in_front(stage, site, Haproxy(stage, f"""defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen web
    bind 127.0.0.1:{port}
    server site 127.0.0.1:{site.port}
""", port=port))
    port = stage.port()
    a_gateway_in_front(stage, site, Caddy(stage, f"{{\n admin off\n}}\n:{port} {{\n reverse_proxy 127.0.0.1:{site.port}\n}}\n", port=port))


def a_daemon(stage):
    pdpd = Pdpd(stage, {"web.yaml": POLICY}, "--metrics", "127.0.0.1:0", state=True)
    check(pdpd.ports["metrics"] > 0, f"its ports: {pdpd.ports}")
    before = pdpd.ports["metrics"]
    check("snapshot" in pdpd.ctl("status"), f"pdpctl reaches it: {pdpd.ctl('status')}")
    pdpd.restart()
    check(pdpd.ports["metrics"] == before, "it comes back where it was")
    pdpd.pause()
    with socket.create_connection(("127.0.0.1", before), timeout=1) as s:
        s.settimeout(0.1)
        s.sendall(b"GET /live HTTP/1.0\r\n\r\n")
        try:
            check(s.recv(1) == b"no", "it says nothing while it stands still")
        except TimeoutError:
            check(True, "")
        pdpd.resume()
        s.settimeout(30)
        check(s.recv(8) == b"HTTP/1.1", "and answers then")
    pdpd.kill()
    check(pdpd.child.process.returncode == -9, "killed")
    pdpd.start()
    check(pdpd.stop() == 0, "stopped in order")


with Stage() as stage:
    site = Site(stage)
    check(fill("a ab c", {"a": "ab", "ab": "x"}) == "ab x c", "values are not taken for keys")
    the_site_keeps_bytes(site)
    gateways(stage, site)
    a_daemon(stage)
finish()
