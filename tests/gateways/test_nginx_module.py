#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The module in a real nginx with a real pdpd: what passes, what does not, and that nothing passes that should not while either of
them is stopped, killed, started anew or told other things."""
import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
from nginx_module import EXAMPLE, load
from support import (DEADLINE_S, Client, Nginx, Pdpd, Site, Stage, check, finish, get, need, request, send_raw,
                     until)

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: shop}
rules:
  - {id: staff, effect: allow, actions: [GET, HEAD, POST], when: subject.id == "alice" || subject.id == "bob"}
  - {id: closed, effect: deny, resources: ["/admin/**"], when: subject.id != "root"}
  - {id: payroll, effect: step_up, resources: ["/payroll/**"], require: {strength: mfa, max_age: 15m},
     message: "confirm, please"}
  - {id: trap, effect: terminate, resources: ["/trap"], when: subject.id == "alice"}
  - {id: barred, effect: deny, when: network.ip == ip("198.51.100.7")}
  - {id: floor, effect: deny, when: has(subject.floor) && subject.floor == "cellar"}
  - {id: host, effect: deny, when: resource.host == "other.example"}
---
apiVersion: pdp/v1
kind: Strengths
metadata: {name: strengths}
levels:
  - {name: password, proves: '"pwd" in session.amr', ask: {acr_values: [aal1]}}
  - {name: mfa, proves: '"mfa" in session.amr', ask: {acr_values: [aal2]}}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: sessions}
first_sight: adopt
"""
# Whoever asks says who they are: only in a test.
SITE = """
upstream shop { server 127.0.0.1:8080; keepalive 16; }
pdp_connect ipc:///run/pdp/decide.sock deadline=DEADLINE;
server {
    listen 80;
    pdp on;
    pdp_subject user $http_x_user;
    pdp_session $cookie_session;
    PLUS
    location / {
        proxy_pass http://shop$pdp_path$is_args$args;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
    }
}
"""


def shop(stage, site, pdpd, plus="", deadline="2s", text=SITE, **how):
    port, (main, env) = stage.port(), load()
    values = {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:8080": f"127.0.0.1:{site.port}",
              "ipc:///run/pdp/decide.sock": pdpd.decide}
    if "DEADLINE" in text:
        values |= {"DEADLINE": deadline, "PLUS": plus}
    return Nginx(stage, text, values, port, main=main, env=env, **how)


def alice(session="s1", user="alice", **more):
    return {"X-User": user, "Cookie": f"session={session}", **more}


def judged(site, port, target, headers, status, what, method="GET", **more):
    """Asks, and looks at the answer and at what the site got. Returns the answer."""
    site.take()
    answer = get(port, target, headers, method=method, **more)
    seen = site.take()
    check(answer.status == status, f"{what}: {answer.status}, not {status}")
    check((answer.one("X-Site") == "1") == (status == 200) and len(seen) == (status == 200), f"{what}: the site saw {seen}")
    return answer, seen[0] if seen else None


# ---- What passes -------------------------------------------------------------------------------------

def the_example(stage, site, pdpd):
    users = stage.write("users", "alice:{PLAIN}a\nmallory:{PLAIN}m\n")
    port, (main, env) = stage.port(), load()
    nginx = Nginx(stage, EXAMPLE, {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:3000": f"127.0.0.1:{site.port}",
                                   "ipc:///run/pdp/nginx.sock": pdpd.decide, "/etc/nginx/shop.users": users}, port, main=main, env=env)

    def who(name, session="e1"):
        word = base64.b64encode(f"{name}:{name[0]}".encode()).decode()
        return {"Authorization": f"Basic {word}", "Cookie": f"sid={session}"}

    answer, seen = judged(site, port, "/cart?x=%2F&y", who("alice"), 200, "alice")
    check(seen.target == b"/cart?x=%2F&y", f"forwarded: {seen}")
    check(seen.one("X-Pdp-Subject") == "alice" and re.fullmatch(r"\d+\.\d", seen.one("X-Pdp-Risk") or ""), f"told: {seen.headers}")
    check(seen.one("X-Pdp-Effect") == "allow" and seen.one("X-Pdp-Decision"), f"told: {seen.headers}")
    judged(site, port, "/cart", who("mallory", "e2"), 403, "mallory")
    judged(site, port, "/cart", {}, 401, "nobody")
    judged(site, port, "/cart", {"Authorization": "Basic " + base64.b64encode(b"alice:b").decode()}, 401, "a wrong password")
    answer, _ = judged(site, port, "/payroll/1?a=b&c", who("alice"), 302, "step-up")
    check((answer.one("Location") or "").endswith("/login/again?return=%2Fpayroll%2F1%3Fa%3Db%26c&acr_values=aal2&max_age=900"),
          f"redirected: {answer.headers}")
    answer, _ = judged(site, port, "/payroll/1", who("alice"), 401, "step-up of a POST", method="POST", body=b"x")
    check(answer.one("X-Pdp-Message") == "confirm, please", f"told: {answer.headers}")
    check(answer.all("WWW-Authenticate") == ['Bearer error="insufficient_user_authentication", error_description="confirm, please", '
                                             'acr_values="aal2", max_age="900"'], f"challenged: {answer.headers}")
    _, seen = judged(site, port, "/login/x?y", {}, 200, "where one logs in")
    check(seen.target == b"/login/x?y", f"forwarded: {seen}")
    _, seen = judged(site, port, "/admin/..%2flogin/x", {}, 200, "nginx's own reading")
    check(seen.target == b"/login/x", f"the site reads what nginx read: {seen}")
    nginx.stop()


def the_session(site, port):
    judged(site, port, "/a", alice("t1"), 200, "before")
    answer, _ = judged(site, port, "/trap", alice("t1"), 403, "a trap")
    cleared = answer.all("Set-Cookie")
    check(len(cleared) == 1 and cleared[0].startswith("session=; Path=/;") and "Max-Age=0" in cleared[0], f"cleared: {cleared}")
    answer, _ = judged(site, port, "/a", alice("t1"), 403, "and after")
    check(len(answer.all("Set-Cookie")) == 1, "cleared again")
    answer, _ = judged(site, port, "/admin/x", alice("t2"), 403, "a deny")
    check(answer.all("Set-Cookie") == [] and answer.all("Cache-Control") == ["no-store"], "clears nothing")
    judged(site, port, "/a", alice("t2", "bob", **{"X-Note": "1"}), 403, "another's session")
    judged(site, port, "/a", {"X-User": "alice", "Cookie": "session=t3; session=t4"}, 403, "two sessions")
    judged(site, port, "/a", [("X-User", "alice"), ("Cookie", "session=t3"), ("Cookie", "session=t4")], 403, "two cookie headers")
    judged(site, port, "/a", [("X-User", "alice"), ("User-Agent", "a"), ("User-Agent", "b")], 403, "two agents")
    judged(site, port, "/a", {"X-User": "alice"}, 200, "no session")
    judged(site, port, "/a", {}, 403, "nobody")
    judged(site, port, "/a", {"X-User": "\xff\xfe"}, 403, "a name that is no text")
    judged(site, port, "/a", alice("t5"), 403, "another method", method="DELETE")


# What the site may see of each target; None: it must not get there.
PATHS = [
    ("/a", "/a"), ("/a/", "/a/"), ("/a?", "/a"), ("/a?b=/../admin", "/a?b=/../admin"), ("/a%20b", "/a%20b"), ("/%61", "/a"),
    ("/%7e%2D", "/~-"), ("/%3f%23%2b", "/%3F%23+"), ("/a+b", "/a+b"), ("/\xc3\xbc", "/%C3%BC"), ("/%c3%bc", "/%C3%BC"),
    ("/a!$&'()*,:=@b", None), ("/Admin/x", "/Admin/x"), ("/admin", None), ("/admin/", None), ("/%61dmin/x", None), ("/ADMIN%2fx", None),
    ("//admin/x", None), ("/a//admin", None), ("/./admin/x", None), ("/a/../admin/x", None), ("/a/%2e%2e/admin/x", None),
    ("/a/.%2e/admin", None), ("/a/..;/admin/x", None), ("/a;x/b", None), ("/a%3bx", None), ("/a%2fadmin", None), ("/a%2Fb", None),
    ("/a\\admin", None), ("/a%5cadmin", None), ("/a%00", None), ("/a%0a", None), ("/a%7f", None), ("/a%", None), ("/a%4", None),
    ("/a%zz", None), ("/a%u002fadmin", None), ("/a%252fadmin", None), ("/a%c0%af", None), ("/a%ff", None), ("/a\xff", None),
    ("/a%ed%a0%80", None), ("http://shop.example/a", "/a"), ("http://shop.example/admin/x", None), ("http://shop.example", "/"),
    ("http://shop.example//admin", None), ("*", None), ("admin", None), ("/a#b", None), ("/a\tb", None), ("/..", None), ("/%2e", None),
]


def the_paths(site, port):
    for target, forwarded in PATHS:
        site.take()
        answer = get(port, target, alice("p1"))
        seen = [one.target.decode("latin-1") for one in site.take()]
        if target == "/a!$&'()*,:=@b": # sub-delimiters stand for themselves, one way or the other
            check(answer.status == 200 and len(seen) == 1, f"{target}: {answer}, {seen}")
            continue
        check(seen == ([forwarded] if forwarded else []), f"{target}: the site saw {seen}, not {forwarded}")
        check((answer.status == 200) == (forwarded is not None), f"{target}: {answer}")
    site.take()
    for data in (b"GET /a\r\n", b"GET /a HTTP/1.1\r\nHost: shop.example\r\nHost: other.example\r\n\r\n",
                 b"GET /a HTTP/1.1\r\nHost: shop.example\r\nX-User: alice\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        check(all(answer.status != 200 for answer in send_raw(port, data)) and site.take() == [], f"{data}")


def many_on_one_connection(site, port):
    """Pipelined: each is judged by itself, and in its turn."""
    site.take()
    data = b"".join(request("/admin/x" if i % 3 == 0 else f"/n{i}", alice("k1")) for i in range(60))
    with Client(port) as client:
        client.send(data)
        statuses = [client.answer().status for _ in range(60)]
    check(statuses == [403 if i % 3 == 0 else 200 for i in range(60)], f"pipelined: {statuses}")
    check([one.target for one in site.take()] == [b"/n%d" % i for i in range(60) if i % 3], "in their order")


def other_places(stage, site, pdpd):
    """Redirects inside, `satisfy any`, sub-requests, files, and settings that are inherited or not."""
    root = stage.dir / "root"
    (root / "dir").mkdir(parents=True)
    (root / "dir/index.html").write_text("index\n")
    (root / "denied.html").write_text("denied\n")
    (root / "found").write_text("found\n")
    (root / "ssi.shtml").write_text('[<!--#include virtual="/found" -->]\n')
    text = SITE.replace("PLUS", """
    pdp_subject_property floor $http_x_floor;
    root ROOT;
    location /any/ { satisfy any; allow all; proxy_pass http://shop$pdp_path; }
    location /dir/ { index index.html; }
    location /try/ { try_files /found =404; }
    location /gone/ { error_page 404 /found; try_files /nothing =404; }
    location /named/ { error_page 404 = @named; try_files /nothing =404; }
    location @named { proxy_pass http://shop$pdp_path; }
    location /own/ { error_page 403 /denied.html; proxy_pass http://shop$pdp_path; }
    location = /denied.html { pdp off; }
    location = /found { }
    location /loop/ { error_page 403 /found; proxy_pass http://shop$pdp_path; }
    location /later/ { pdp off; rewrite ^/later/(.*)$ /$1 last; }
    location /open/ { pdp off; proxy_pass http://shop/open/; }
    location /cellar/ { pdp_subject_property floor cellar; proxy_pass http://shop$pdp_path; }
    location /to-cellar/ { try_files /nothing /cellar/x; }
    location /nested/ { location /nested/off/ { pdp off; proxy_pass http://shop/open/; } proxy_pass http://shop$pdp_path; }
    location /sub/ { auth_request /sub-auth; proxy_pass http://shop$pdp_path; }
    location = /sub-auth { internal; pdp off; proxy_pass http://shop/auth; proxy_pass_request_body off; }
    location = /ssi.shtml { ssi on; ssi_types text/plain; default_type text/html; }
    location /limited/ { pdp off; limit_except GET { pdp on; } proxy_pass http://shop/open/; }
    location = /told { default_type text/plain; add_header X-All "$pdp_effect|$pdp_code|$pdp_rule|$pdp_path|$pdp_subject|$pdp_level|$pdp_decision|$pdp_session" always; try_files /found =404; }
    location = /told-nothing { pdp off; add_header X-All "[$pdp_effect$pdp_code$pdp_path$pdp_subject]" always; try_files /found =404; }
    """.replace("ROOT", str(root)))
    port = shop(stage, site, pdpd, text=text.replace("DEADLINE", "2s")).port

    def got(target, headers=None, **more):
        site.take()
        answer = get(port, target, alice("o1") if headers is None else headers, **more)
        return answer.status, (answer.body or b"").decode("latin-1"), [one.target for one in site.take()], answer

    check(got("/any/x")[0] == 200 and got("/any/x", {})[0] == 403, "`satisfy any` is no way around it")
    check(got("/dir/")[:2] == (200, "index\n") and got("/dir/", {})[0] == 403, "an index")
    check(got("/try/x")[:2] == (200, "found\n") and got("/try/x", {})[0] == 403, "try_files")
    check(got("/gone/x")[:2] == (404, "found\n") and got("/gone/x", {})[0] == 403, "a page for an error")
    check(got("/named/x")[2] == [b"/named/x"] and got("/named/x", {})[0] == 403, "a named location forwards what was judged")
    check(got("/own/x", {})[:3] == (403, "denied\n", []), "a page for refusals")
    check(got("/loop/x", {})[0] == 403 and "found" not in got("/loop/x", {})[1], "which is judged itself unless it is off")
    check(got("/later/a")[0] == 403 or got("/later/a")[2] == [b"/later/a"], "what was judged is what the client wrote")
    check(got("/later/a", {})[0] == 403, "a rewrite to a place where it is on")
    check(got("/open/x", {})[2] == [b"/open/x"], "off")
    check(got("/x", alice("o2", **{"X-Floor": "cellar"}))[0] == 403 and got("/x", alice("o2", **{"X-Floor": "roof"}))[0] == 200,
          "a property of the subject")
    check(got("/cellar/x")[0] == 403, "a property of its own")
    check(got("/to-cellar/x")[2] == [], "a redirect to a place that asks otherwise is asked about anew")
    check(got("/nested/x", {})[0] == 403 and got("/nested/off/x", {})[2] == [b"/open/x"], "nested")
    check(got("/sub/x")[2] == [b"/auth", b"/sub/x"] and got("/sub/x", {})[2] == [b"/auth"], "beside auth_request, after it")
    check(got("/ssi.shtml")[:2] == (200, "[found\n]\n") and got("/ssi.shtml", {})[0] == 403, "a sub-request belongs to its page")
    check(got("/limited/x", {})[0] == 200 and got("/limited/x", {}, method="POST", body=b"x")[0] == 403, "limit_except")
    told = (got("/told")[3].one("X-All") or "").split("|")
    check(told[:5] == ["allow", "policy", "shop/staff", "/told", "alice"] and told[5] and re.fullmatch("[0-9a-f-]+", told[6]) and
          told[7].startswith("s_"), f"variables: {told}")
    told = (got("/told", {})[3].one("X-All") or "").split("|")
    check(told[:5] == ["deny", "no-rule", "", "", ""], f"variables of a refusal: {told}")
    check(got("/told-nothing")[3].one("X-All") == "[]", "variables where it is off")


def the_address(stage, site, pdpd):
    forged = {"X-Forwarded-For": "198.51.100.7"}
    real = "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"
    for plus, forwarded, status, what in (
            ("", {}, 200, "no proxy"), ("", forged, 200, "a header from who is no proxy"), (real, forged, 200, "realip changes nothing"),
            (real + "pdp_address $remote_addr;", forged, 403, "an address of one's own"),
            ("pdp_address 198.51.100.7;", {}, 403, "an address as text")):
        nginx = shop(stage, site, pdpd, plus)
        judged(site, nginx.port, "/a", alice("a1", **forwarded), status, what)
        judged(site, nginx.port, "/a", alice("a1"), 403 if "198" in plus else 200, f"{what}: without it")
        judged(site, nginx.port, "/a", alice("a2"), 403, f"{what}: another host", host="other.example")
        nginx.stop()


# ---- When nobody answers -----------------------------------------------------------------------------

def outages(stage, site, pdpd):
    closed = shop(stage, site, pdpd, deadline="300ms")
    tells = shop(stage, site, pdpd, "pdp_fail 503;", deadline="300ms")
    for port, status in ((closed.port, 403), (tells.port, 503)):
        judged(site, port, "/a", alice("f1"), 200, "answered")
        pdpd.pause()
        judged(site, port, "/a", alice("f1"), status, "pdpd stands still")
        judged(site, port, "/admin/x", alice("f1"), status, "pdpd stands still, a bad one")
        pdpd.resume()
        until("it goes on", lambda port=port: get(port, "/a", alice("f1")).status == 200)
        judged(site, port, "/admin/x", alice("f1"), 403, "answered again")
        pdpd.kill()
        judged(site, port, "/a", alice("f2"), status, "pdpd is gone")
        pdpd.start()
        until("it is there again", lambda port=port: get(port, "/a", alice("f2")).status == 200)
    closed.stop()
    tells.stop()


def who_went_away(stage, site, pdpd):
    """Clients that leave while their question is under way; and a worker that is told to end then."""
    nginx = shop(stage, site, pdpd, deadline="20s")
    judged(site, nginx.port, "/a", alice("g1"), 200, "answered")
    pdpd.pause()
    for i in range(50):
        with Client(nginx.port) as client:
            client.send(request(f"/left{i}", alice("g1")))
    stays = Client(nginx.port)
    stays.send(request("/stays", alice("g1")))
    until("they are noticed", lambda: nginx.log().count("client prematurely closed connection") >= 50)
    nginx.child.signal(signal.SIGQUIT)
    until("it ends as soon as it may", lambda: "gracefully shutting down" in nginx.log())
    check(nginx.child.process.poll() is None, "it waits for who is there")
    pdpd.resume()
    check(stays.answer().status == 200, "who stayed is answered")
    stays.close()
    check(nginx.child.process.wait(DEADLINE_S) == 0, "and it ends")
    check([one.target for one in site.take() if b"left" in one.target] == [], "nobody is served who has left")
    check_log(nginx)


def check_log(nginx):
    text = nginx.log()
    for word in ("[alert]", "[emerg]", "[crit]", "exited on signal 11", "open socket", "AddressSanitizer"):
        found = [line for line in text.splitlines() if word in line]
        check(not found, f"{word}: {found[:3]}")


class Liar:
    """One who speaks the protocol, and answers every question with the same bytes, or with what a call makes of its id."""

    def __init__(self, stage):
        self.decide, self.answer, self.open = f"ipc://{stage.dir}/liar.sock", b"", []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{stage.dir}/liar.sock")
        self.listener.listen(16)
        stage.closers.append(self.listener.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with contextlib.suppress(OSError, struct.error), peer, peer.makefile("rb") as stream:
            peer.sendall(b"\0SP\0\0\x31\0\0")
            stream.read(8)
            while True:
                _, length = struct.unpack(">BQ", stream.read(9))
                body = stream.read(length)
                peer.sendall(self.answer(body[:4]) if callable(self.answer) else framed(body[:4], self.answer))


def framed(word, answer):
    return struct.pack(">BQ", 1, 4 + len(answer)) + word + answer


def said(decision, effect, path=None, code="policy"):
    return json.dumps({"decision": decision, "context": {"effect": effect, "code": code} |
                       ({} if path is None else {"resource": {"path": path}})}).encode()


LIES = [
    ("what a daemon says", said(True, "allow", "/a%20b"), 200), ("another path", said(True, "allow", "/a"), 403),
    ("a longer one", said(True, "allow", "/a%20b/c"), 403), ("another spelling", said(True, "allow", "/%61%20b"), 200),
    ("a blank in it", said(True, "allow", "/a b"), 403), ("a line in it", said(True, "allow", "/a%20b\r\nX: y"), 403),
    ("a query in it", said(True, "allow", "/a%20b?x"), 403), ("half an escape", said(True, "allow", "/a%20b%2"), 403),
    ("no path", said(True, "allow"), 403), ("an empty one", said(True, "allow", ""), 403), ("a number", said(True, "allow", 7), 403),
    ("a word that contradicts", said(True, "deny", "/a%20b"), 403), ("the other way round", said(False, "allow", "/a%20b"), 403),
    ("an effect that is none", said(True, "permit", "/a%20b"), 403), ("a code that is none", said(True, "allow", "/a%20b", "x"), 403),
    ("a batch", b'{"evaluations": [' + said(True, "allow", "/a%20b") + b"]}", 403), ("nothing", b"", 403), ("no text", b"\xff\xfe", 403),
    ("half of it", said(True, "allow", "/a%20b")[:-1], 403), ("a key twice", b'{"decision": true,' + said(True, "allow", "/a%20b")[1:], 403),
    ("another's id", lambda word: framed(bytes([word[0], word[1] ^ 1, word[2], word[3]]), said(True, "allow", "/a%20b")), 403),
    ("no id", lambda word: struct.pack(">BQ", 1, 2) + b"ok", 403), ("no frame", lambda word: b"HTTP/1.1 200 OK\r\n\r\n", 403),
    ("a frame without end", lambda word: b"\x01" + b"\xff" * 8, 403), ("too much of it", lambda word: struct.pack(">BQ", 1, 1 << 30), 403),
    ("two answers", lambda word: framed(word, said(False, "deny")) + framed(word, said(True, "allow", "/a%20b")), 403),
    ("what a daemon says, after all that", said(True, "allow", "/a%20b"), 200),
]


def a_daemon_that_lies(stage, site):
    """Nothing passes but by a whole answer to the very question, which allows, and names the path that nginx serves."""
    liar = Liar(stage)
    nginx = shop(stage, site, liar, deadline="300ms")
    for what, answer, status in LIES:
        liar.answer = answer
        if status == 200: # it may have to come back first
            until(f"{what}: passes", lambda: get(nginx.port, "/a%20b", alice()).status == 200)
        judged(site, nginx.port, "/a%20b", alice(), status, what)
    check_log(nginx)
    nginx.stop()


# ---- Under load --------------------------------------------------------------------------------------

class Load:
    """Good and bad requests without end, on connections that are kept. Every other one must not pass, whatever happens."""

    def __init__(self, port, threads=6):
        self.port, self.ended, self.statuses, self.lock = port, threading.Event(), {}, threading.Lock()
        self.good = self.wrong = 0
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        n = 0
        while not self.ended.is_set():
            with contextlib.suppress(OSError), Client(self.port) as client:
                for n in range(n, n + 100):
                    bad = (n + number) % 2 == 0
                    answer = client.ask(f"/admin/{n}" if bad else f"/load/{n}", alice(f"l{number}"))
                    self.count(bad, answer)
                    if answer.status == 0 or answer.one("Connection") == "close" or self.ended.is_set():
                        break

    def count(self, bad, answer):
        with self.lock:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            self.good += answer.status == 200 and not bad
            self.wrong += bad and (answer.status not in (0, 403) or answer.one("X-Site") is not None)

    def more(self, count=200):
        """Waits for so many more good ones."""
        with self.lock:
            before = self.good
        until(f"{count} more pass", lambda: self.good >= before + count)

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def workers(nginx):
    with contextlib.suppress(OSError):
        return [int(pid) for pid in open(f"/proc/{nginx.child.pid}/task/{nginx.child.pid}/children").read().split()]
    return []


def descriptors(pid):
    with contextlib.suppress(OSError):
        return len([1 for fd in os.listdir(f"/proc/{pid}/fd") if "socket" in os.readlink(f"/proc/{pid}/fd/{fd}")])
    return 0


def under_load(stage, site, pdpd):
    nginx = shop(stage, site, pdpd, deadline="500ms", workers=2)
    site.take()
    load = Load(nginx.port)
    load.more()
    for _ in range(3):
        pdpd.kill()
        pdpd.start()
        load.more()
    for _ in range(3):
        old = set(workers(nginx))
        nginx.reload()
        until("new workers", lambda old=old: len(set(workers(nginx)) - old) == 2)
        load.more()
        until("old workers end", lambda old=old: not old & set(workers(nginx)))
    for _ in range(2):
        pid = workers(nginx)[0]
        os.kill(pid, signal.SIGKILL)
        until("another worker", lambda pid=pid: len(workers(nginx)) == 2 and pid not in workers(nginx))
        load.more()
    pdpd.pause()
    pdpd.resume()
    load.more()
    load.end()
    seen = {one.target.split(b"/")[1] for one in site.take()}
    check(load.wrong == 0 and seen == {b"load"}, f"only good ones pass: {load.wrong} wrong, {seen}")
    check(set(load.statuses) <= {0, 200, 403}, f"{load.statuses}")
    print(f"     under load: {load.statuses}", flush=True)
    text = nginx.log()
    check("exited on signal 11" not in text and "open socket" not in text, "workers end well")
    check([line for line in text.splitlines() if "[alert]" in line and "exited on signal 9" not in line] == [], "no alerts")
    until("no descriptor is left over", lambda: all(descriptors(pid) < 16 for pid in workers(nginx)))
    nginx.stop()


def dies_during_a_download(stage, site):
    pdpd = Pdpd(stage, {"shop.yaml": POLICY}, state=True, name="remembers")
    nginx = shop(stage, site, pdpd)
    site.flow.clear()
    site.half_sent.clear()
    with Client(nginx.port) as client:
        client.send(request("/big/slow", alice("d1")))
        check(client.head().status == 200 and site.half_sent.wait(DEADLINE_S), "a download begins")
        pdpd.terminate("d1")
        judged(site, nginx.port, "/a", alice("d1"), 403, "the next request of a session that is over")
        site.flow.set()
        check(len(client.stream.read(2 * len(site.HALF))) == 2 * len(site.HALF), "what was allowed goes on")
        client.send(request("/a", alice("d1")))
        check(client.head().status == 403, "on the same connection too")
    pdpd.kill()
    pdpd.start()
    until("pdpd is back", lambda: get(nginx.port, "/a", alice("d2")).status == 200)
    judged(site, nginx.port, "/a", alice("d1"), 403, "and after a crash")
    nginx.stop()
    pdpd.stop()


H2 = """
const [port, count, left] = process.argv.slice(1).map(Number);
const session = require('http2').connect('http://127.0.0.1:' + port);
let open = count;
for (let i = 0; i < count; i++) {
    const stream = session.request({':path': (i % 2 ? '/admin/' : '/h2/') + i, 'x-user': 'alice', cookie: 'session=h'});
    stream.on('response', headers => console.log(i, headers[':status']));
    stream.on('error', () => {});
    stream.on('close', () => { if (--open == 0) session.close(); });
    stream.resume();
    if (left) setImmediate(() => stream.close(8));
}
"""


def over_tls(stage, site):
    """Another machine's pdpd: who it is, and who nginx is, by certificates that are read anew with every reload."""
    if not shutil.which("openssl"):
        print("     no openssl: TLS is left out", flush=True)
        return
    at = stage.dir / "tls"
    at.mkdir()

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=at, check=True, capture_output=True, timeout=DEADLINE_S)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    for name in ("pdp.example", "edge.example", "other.example"):
        openssl("req", "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj",
                f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE")
    config = (f"tls: {{cert: {at}/pdp.example.pem, key: {at}/pdp.example.key, ca: {at}/ca.pem}}\n"
              "peers: [{certificate: edge.example, name: edge, may_assert: [subject, authentication]}, {uid: 0}]\n")
    pdpd = Pdpd(stage, {"shop.yaml": POLICY}, "--decide", "tls+tcp://127.0.0.1:0", config=config, name="far")
    url = f"tls+tcp://127.0.0.1:{pdpd.ports['decide']}"
    own = f"ca={at}/ca.pem cert={at}/edge.example.pem key={at}/edge.example.key"
    text = SITE.replace("ipc:///run/pdp/decide.sock deadline=DEADLINE", "URL").replace("PLUS", "")
    port, (main, env) = stage.port(), load()
    values = {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:8080": f"127.0.0.1:{site.port}"}
    nginx = Nginx(stage, text, {**values, "URL": f"{url} deadline=3s {own} server_name=pdp.example"}, port, main=main, env=env)
    judged(site, port, "/a", alice("c1"), 200, "over TLS")
    judged(site, port, "/admin/x", alice("c1"), 403, "over TLS, a bad one")
    for name in ("edge.example.pem", "edge.example.key"):
        (at / name).write_bytes((at / name.replace("edge", "other")).read_bytes())
    nginx.reload()
    until("another certificate, which pdpd does not know", lambda: get(port, "/a", alice("c1")).status == 403)
    nginx.stop()
    nginx = Nginx(stage, text, {**values, "URL": f"{url} deadline=300ms {own} server_name=other.example"}, port, main=main, env=env)
    judged(site, port, "/a", alice("c1"), 403, "a daemon of another name")
    nginx.stop()
    pdpd.stop()


def second_version(stage, site, pdpd):
    """HTTP/2: streams are judged one by one; those that are taken back are asked about no more."""
    node = shutil.which("node")
    if not node:
        print("     no node: HTTP/2 is left out", flush=True)
        return
    text = SITE.replace("listen 80;", "listen 80 http2;").replace("PLUS", "").replace("DEADLINE", "20s")
    port, (main, env) = stage.port(), load()
    nginx = Nginx(stage, text, {"listen 80 ": f"listen 127.0.0.1:{port} ", "127.0.0.1:8080": f"127.0.0.1:{site.port}",
                                "ipc:///run/pdp/decide.sock": pdpd.decide}, port, main=main, env=env)

    def streams(count, left=0):
        out = subprocess.run([node, "-e", H2, str(port), str(count), str(left)], capture_output=True, text=True, timeout=DEADLINE_S)
        return sorted(tuple(map(int, line.split())) for line in out.stdout.splitlines()), out.stderr

    site.take()
    said = streams(60)
    check(said == ([(i, 403 if i % 2 else 200) for i in range(60)], ""), f"HTTP/2: {said}")
    check(sorted(one.target for one in site.take()) == sorted(b"/h2/%d" % i for i in range(0, 60, 2)), "what the site saw")
    pdpd.pause()
    check(streams(40, 1)[0] == [], "taken back while they wait")
    pdpd.resume()
    check(streams(4)[0] == [(0, 200), (1, 403), (2, 200), (3, 403)], "and on it goes")
    check(not [one for one in site.take() if one.target not in (b"/h2/0", b"/h2/2")], "nobody is served who has left")
    check_log(nginx)
    nginx.stop()


# ---- Bad configurations ------------------------------------------------------------------------------

MISTAKES = [
    ("pdp on;", '"pdp" is on, but there is no "pdp_connect"'),
    ("pdp maybe;", 'invalid value "maybe" in "pdp" directive'),
    ("pdp_connect nonsense;", 'cannot connect to "nonsense": it must be ipc:///PATH'),
    ("pdp_connect http://x/;", 'cannot connect to "http://x/": it must begin with ipc://'),
    ("pdp_connect tcp://a.name.that.is.invalid:1;", "host not found"),
    ("pdp_connect tls+tcp://127.0.0.1:1;", 'TLS needs "ca="'),
    ("pdp_connect tls+tcp://127.0.0.1:1 ca=/nonexistent;", "cannot be read"),
    ("pdp_connect tls+tcp://127.0.0.1:1 ca=/dev/null;", "is not PEM"),
    ("pdp_connect ipc:///x deadline=0;", 'invalid parameter "deadline=0" of "pdp_connect"'),
    ("pdp_connect ipc:///x deadline=2h;", 'invalid parameter "deadline=2h"'),
    ("pdp_connect ipc:///x in_flight=5000;", 'invalid parameter "in_flight=5000"'),
    ("pdp_connect ipc:///x often;", 'invalid parameter "often"'),
    ("pdp_connect ipc:///x; pdp_connect ipc:///y;", '"pdp_connect" directive is duplicate'),
    ("pdp_fail open;", 'invalid value "open" of "pdp_fail"'),
    ("pdp_fail 200;", 'invalid value "200" of "pdp_fail"'),
    ("pdp_subject $x y;", 'invalid type "$x" of "pdp_subject"'),
    ("pdp_subject user;", 'invalid number of arguments in "pdp_subject"'),
    ("pdp_session $no_such_variable;", 'unknown "no_such_variable" variable'),
    ('pdp_property "" x;', 'invalid name "" of "pdp_property"'),
    ("pdp_cookie a=b;", 'invalid name "a=b" of "pdp_cookie"'),
    ('pdp_cookie a "path=/;x";', 'invalid parameter "path=/;x" of "pdp_cookie"'),
    ("pdp_cookie a size=3;", 'invalid parameter "size=3" of "pdp_cookie"'),
]


def mistakes(stage):
    main, env = load()
    for i, (line, says) in enumerate(MISTAKES):
        at = stage.write(f"mistake{i}/nginx.conf", f"{main}\npid {stage.dir}/mistake{i}/pid;\nevents {{}}\nhttp {{\n{line}\n"
                         "server { listen unix:/nonexistent; }\n}\n")
        out = subprocess.run([need("nginx"), "-t", "-e", "stderr", "-c", at], capture_output=True, text=True, timeout=DEADLINE_S,
                             env={**os.environ, **(env or {})})
        check(out.returncode == 1 and says in out.stderr, f"`{line}` says: {out.stderr}")
        check(f"{at}:5" in out.stderr or "unknown" in says, f"`{line}` names its place: {out.stderr}")


def main():
    load()
    with Stage() as stage:
        site = Site(stage)
        pdpd = Pdpd(stage, {"shop.yaml": POLICY}, "--workers", "1")
        mistakes(stage)
        the_example(stage, site, pdpd)
        nginx = shop(stage, site, pdpd)
        the_session(site, nginx.port)
        the_paths(site, nginx.port)
        many_on_one_connection(site, nginx.port)
        check_log(nginx)
        nginx.stop()
        other_places(stage, site, pdpd)
        the_address(stage, site, pdpd)
        a_daemon_that_lies(stage, site)
        outages(stage, site, pdpd)
        who_went_away(stage, site, pdpd)
        under_load(stage, site, pdpd)
        dies_during_a_download(stage, site)
        over_tls(stage, site)
        second_version(stage, site, pdpd)
    finish()


if __name__ == "__main__":
    main()
