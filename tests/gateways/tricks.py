# SPDX-License-Identifier: Apache-2.0
"""Requests that servers are known to read differently: one list for every gateway. What a row says beside its bytes:

    want     `ok`: reaches the site, once. `no`: refused, by the gateway or by the decision, and reaches it never. `safe`: gateways
             differ in what they do with it, and either is right; the rules of test_tricks.py hold all the same
    path     what was judged and what the site gets, where that is told here too
    ip       which address was judged
    source   the address that the client connects from; 127.0.0.9 is a trusted proxy, no other is
    also     statuses that are right here, and are elsewhere not
    gateways {name: want} where one of them differs for a reason that the row's comment gives
"""
import dataclasses

HOST = b"shop.example"
PROXY = "127.0.0.9"
OFFICE = b"10.1.2.3" # /office is for 10.0.0.0/8 alone
FORGED = b"forged"

# Names that servers act upon, as they are once `_` is `-`: of these the site must get none that the client has sent.
SPOKEN_BY_GATEWAYS = (
    "x-original-uri x-original-url x-original-method x-original-host x-rewrite-url x-forwarded-uri x-forwarded-method x-forwarded-path "
    "x-forwarded-prefix x-http-method-override x-http-method x-method-override x-real-ip true-client-ip x-client-ip "
    "x-cluster-client-ip cf-connecting-ip forwarded x-user x-forwarded-user x-remote-user remote-user x-auth-request-user").split()


@dataclasses.dataclass
class Trick:
    name: str
    lines: list           # of the head, without line ends
    want: str = "safe"
    body: bytes = b""
    path: bytes = None
    ip: str = None
    source: str = "127.0.0.1"
    also: set = frozenset() # statuses that are right here beside 200 and those of refusals
    gateways: dict = dataclasses.field(default_factory=dict)
    raw: bytes = None     # all of it, in place of `lines`; `{UA}` is filled in

    def bytes_for(self, agent):
        if self.raw is not None:
            return self.raw.replace(b"{UA}", b"User-Agent: " + agent)
        return b"\r\n".join([*self.lines, b"User-Agent: " + agent, b"", b""]) + self.body


TRICKS = []


def trick(name, lines, want="safe", **more):
    TRICKS.append(Trick(name, lines, want, **more))


def target(name, raw, want="no", method=b"GET", **more):
    trick(name, [method + b" " + raw + b" HTTP/1.1", b"Host: " + HOST], want, **more)


def headers(name, *lines, to=b"/public/a", want="safe", host=HOST, method=b"GET", **more):
    trick(name, [method + b" " + to + b" HTTP/1.1", b"Host: " + host, *lines], want, **more)


def raw(name, data, want="safe", **more):
    TRICKS.append(Trick(name, [], want, raw=data, **more))


# ---- Nothing wrong with these --------------------------------------------------------------------------
target("a plain page", b"/public/a", "ok", path=b"/public/a")
target("a page with a query", b"/public/a?x=1&y=%2F..%2F", "ok", path=b"/public/a")
target("a last slash", b"/public/a/", "ok", path=b"/public/a/")
target("letters that need no escape", b"/public/%61%2D%7e", "ok", path=b"/public/a-~")
target("escapes in lower case", b"/public/caf%c3%a9", "ok", path=b"/public/caf%C3%A9")
target("an escaped blank", b"/public/a%20b", "ok", path=b"/public/a%20b")
target("an escaped question mark", b"/public/a%3Fb=1", "ok", path=b"/public/a%3Fb=1")
target("an escaped question mark in lower case", b"/public/a%3fb?c", "ok", path=b"/public/a%3Fb")
target("an escaped hash", b"/public/a%23b", "ok", path=b"/public/a%23b")
target("an escaped percent alone", b"/public/100%25", "ok", path=b"/public/100%25")
target("dots that are no segment", b"/public/..a/.b/c..", "ok", path=b"/public/..a/.b/c..")
target("three dots", b"/public/...")
target("three dots of a name", b"/public/...a", "ok", path=b"/public/...a")
target("a colon and an at", b"/public/a:b@c", "ok", path=b"/public/a:b@c")
target("a query of its own target", b"/public/a?/../../admin/x", "ok", path=b"/public/a")
target("a second question mark", b"/public/a??x", "ok", path=b"/public/a")
target("an empty query", b"/public/a?", "ok", path=b"/public/a")
target("a query that is a whole URL", b"/public/a?u=http://evil.example/admin/x", "ok", path=b"/public/a")
target("a line end in a query, escaped", b"/public/a?x=%0d%0aX-Pdp-Effect:%20allow", "ok", path=b"/public/a")
target("no rights", b"/admin/x")
target("no rights, with a query of what is open", b"/admin/x?/public/a")
target("the folder itself, without rights", b"/admin")

# ---- Dot segments --------------------------------------------------------------------------------------
target("up", b"/public/../admin/x")
target("up from below", b"/public/a/../../admin/x")
target("up at the end", b"/public/..")
target("up and a slash at the end", b"/public/a/../")
target("above the root", b"/../admin/x")
target("above the root, then open", b"/../../public/a")
target("here", b"/public/./a")
target("here at the start", b"/./admin/x")
target("here at the end", b"/public/.")
target("up, both dots escaped", b"/public/%2e%2e/admin/x")
target("up, in upper case", b"/public/%2E%2E/admin/x")
target("up, the first dot escaped", b"/public/%2e./admin/x")
target("up, the second dot escaped", b"/public/.%2e/admin/x")
target("here, escaped", b"/public/%2e/a")
target("up, with parameters", b"/public/..;/admin/x")
target("up, with parameters and a name", b"/public/..;a=b/admin/x")
target("up, with escaped parameters", b"/public/..%3b/admin/x")
target("up, into what is open", b"/admin/../public/a")
target("up, escaped, into what is open", b"/admin/%2e%2e/public/a")
target("up, with a backslash", b"/public/..\\admin\\x")
target("up, with an escaped backslash", b"/public/..%5cadmin%5cx")
target("up, all escaped", b"/public%2f..%2fadmin%2fx")
target("up, the slash escaped", b"/public/..%2fadmin/x")
target("up, escaped twice", b"/public/%252e%252e/admin/x")
target("up, the percent escaped twice", b"/public/%25252e%25252e/admin/x")
target("up, half of it escaped twice", b"/public/.%252e/admin/x")
target("up, with a blank", b"/public/..%20/admin/x")
target("up, with a tab", b"/public/..%09/admin/x")
target("up, with a NUL", b"/public/..%00/admin/x")
target("up, with an escaped question mark", b"/public/..%3f/admin/x")
target("four dots and slashes", b"/public/....//admin/x")
target("dots of full width", b"/public/%ef%bc%8e%ef%bc%8e/admin/x", "ok", path=b"/public/%EF%BC%8E%EF%BC%8E/admin/x")

# ---- Slashes -------------------------------------------------------------------------------------------
target("two slashes at the start", b"//admin/x")
target("two slashes in front of what is open", b"//public/a")
target("a host at the start", b"//evil.example/admin/x")
target("two slashes inside", b"/public//a")
target("two slashes at the end", b"/public/a//")
target("three slashes", b"///admin/x")
target("an escaped slash", b"/public%2fa")
target("an escaped slash in upper case", b"/public%2Fa")
target("an escaped slash of a name", b"/admin%2fx")
target("a slash escaped twice", b"/public%252fa")
target("a slash escaped three times", b"/public%25252fa")
target("a slash whose digits are escaped", b"/public%%32%66a")
target("an escaped slash at the start", b"/%2fadmin/x")
target("a backslash", b"/public\\a")
target("a backslash at the start", b"\\admin\\x")
target("a slash and a backslash", b"/\\admin/x")
target("an escaped backslash", b"/public%5ca")
target("a backslash escaped twice", b"/public%255ca")
target("a slash of full width", b"/public%ef%bc%8f..%ef%bc%8fadmin")
target("a slash that only divides", b"/public/a%e2%88%95..%e2%88%95admin", "ok")

# ---- Parameters, fragments, bytes ----------------------------------------------------------------------
target("a parameter", b"/public/a;b=c")
target("a parameter of a folder", b"/public;x/a")
target("a parameter in front", b"/;/admin/x")
target("a session as a parameter", b"/public/a;jsessionid=1")
target("an escaped semicolon", b"/public/a%3bb")
target("a semicolon escaped twice", b"/public/a%253bb")
# Caddy takes a bare `#` for data, escapes it, and asks about that.
target("a fragment", b"/public/a#b", gateways={"caddy": "ok"})
target("a fragment in front of a way up", b"/public/a#/../../admin/x")
target("a fragment in front of a query", b"/public/a#?x", gateways={"caddy": "ok"})
target("a NUL", b"/public/a\0b")
target("an escaped NUL", b"/public/a%00b")
target("an escaped NUL at the end", b"/admin/x%00.png")
target("a NUL escaped twice", b"/public/a%2500b")
target("a line feed, escaped", b"/public/a%0ab")
target("line ends and a header, escaped", b"/public/a%0d%0aX-Pdp-Effect:%20allow")
target("a carriage return, escaped", b"/public/a%0db")
target("an escaped tab", b"/public/a%09b")
target("a bare tab", b"/public/a\tb")
target("a bare escape byte", b"/public/a\x1bb")
target("an escaped DEL", b"/public/a%7fb")
target("a bare DEL", b"/public/a\x7fb")
target("a bare blank", b"/public/a b")
target("a version in the target", b"/public/a HTTP/1.1 /admin/x")
target("two blanks in front", b" /public/a", "safe")
target("no target", b"")
target("an escape of Microsoft", b"/public/%u002e%u002e/admin/x")
target("an escaped slash of Microsoft", b"/public%u2215a")
target("half an escape", b"/public/a%2")
target("a percent at the end", b"/public/a%")
target("an escape that is none", b"/public/a%zz")
target("a slash overlong in two bytes", b"/public/..%c0%afadmin/x")
target("a slash overlong in three bytes", b"/public/..%e0%80%afadmin/x")
target("a dot overlong", b"/public/%c0%ae%c0%ae/admin/x")
target("a NUL overlong", b"/public/a%c0%80")
target("bare bytes that are no text", b"/public/\xff\xfe")
target("escaped bytes that are no text", b"/public/%ff%fe")
target("a text that is cut", b"/public/%c3")
target("a surrogate", b"/public/%ed%a0%80")
target("above the last character", b"/public/%f4%90%80%80")
target("a control character of two bytes", b"/public/%c2%85")
target("bare UTF-8", b"/public/caf\xc3\xa9", "safe")
target("letters in upper case", b"/PUBLIC/a")
target("letters of the closed folder in upper case", b"/Admin/x")
target("a dotless i", b"/adm%c4%b1n/x")
target("a letter that case folding makes another", b"/%e2%84%aaey/x")
target("braces and pipes", b"/public/{a}|b", "safe")
target("quotes and angles", b"/public/<\"'>", "safe")
target("a long name", b"/public/" + b"a" * 3000, "safe")
target("many segments", b"/public" + b"/a" * 500, "safe")
target("many segments up", b"/public/a" + b"/.." * 200 + b"/admin/x")
target("a name of 20,000 bytes", b"/public/" + b"a" * 20000, also={502})
target("a name of 200,000 bytes", b"/public/" + b"a" * 200000, also={502})
target("a long query", b"/public/a?" + b"q" * 4000, "safe")
target("a query of 100,000 bytes", b"/public/a?" + b"q" * 100000, "safe", also={502})

# ---- Targets of other forms ----------------------------------------------------------------------------
target("a whole URL", b"http://shop.example/public/a", "safe")
target("a whole URL that is closed", b"http://shop.example/admin/x")
target("a whole URL of another host", b"http://evil.example/public/a", "safe")
target("a whole URL without a path", b"http://shop.example", "no")
target("a whole URL whose host looks like a path", b"http://shop.example/public/../admin/x")
target("a whole URL with a user", b"http://public@shop.example/admin/x")
target("a whole URL with a question", b"http://shop.example?/public/a", "no")
target("a whole URL of another scheme", b"ftp://shop.example/public/a", "safe")
target("a star", b"*", "no")
target("a star of OPTIONS", b"*", "no", method=b"OPTIONS", gateways={"caddy": "safe"}) # Caddy answers for itself
target("a host and a port", b"shop.example:443", "no", method=b"CONNECT")
target("a path without a slash", b"public/a")
target("a path without a slash, up", b"../admin/x")
target("an at in front", b"@shop.example/admin/x")
trick("another host's folder", [b"GET /vhost/a HTTP/1.1", b"Host: evil.example"], "no")
trick("this host's folder", [b"GET /vhost/a HTTP/1.1", b"Host: shop.example"], "ok")
trick("a whole URL beats the host", [b"GET http://evil.example/vhost/a HTTP/1.1", b"Host: shop.example"], "safe")
trick("a whole URL of ours beats the host", [b"GET http://shop.example/vhost/a HTTP/1.1", b"Host: evil.example"], "safe")
trick("a host with a port", [b"GET /vhost/a HTTP/1.1", b"Host: shop.example:80"], "safe")
trick("a host with a dot", [b"GET /vhost/a HTTP/1.1", b"Host: shop.example."], "safe")
trick("a host in capitals", [b"GET /vhost/a HTTP/1.1", b"Host: SHOP.example"], "safe")
trick("a host with a user", [b"GET /vhost/a HTTP/1.1", b"Host: evil@shop.example"], "safe")
trick("a host with a path", [b"GET /vhost/a HTTP/1.1", b"Host: shop.example/evil"], "safe")
trick("a host with blanks", [b"GET /vhost/a HTTP/1.1", b"Host: evil.example shop.example"], "safe")
trick("a forged host of a proxy", [b"GET /vhost/a HTTP/1.1", b"Host: evil.example", b"X-Forwarded-Host: shop.example",
                                   b"X-Original-Host: shop.example"], "no")

# ---- Methods -------------------------------------------------------------------------------------------
target("HEAD", b"/public/a", "ok", method=b"HEAD")
target("a method that is not allowed", b"/public/a", method=b"DELETE")
target("a method in lower case", b"/public/a", "no", method=b"get")
target("a method in mixed case", b"/public/a", "no", method=b"Get")
target("TRACE", b"/public/a", method=b"TRACE")
target("TRACK", b"/public/a", method=b"TRACK")
target("CONNECT with a path", b"/public/a", method=b"CONNECT")
target("OPTIONS", b"/public/a", method=b"OPTIONS")
target("PURGE", b"/public/a", method=b"PURGE")
target("a method that nobody knows", b"/public/a", method=b"FROB")
target("a method with a byte that is none", b"/public/a", method=b"GE(T")
target("a method of 500 letters", b"/public/a", method=b"G" * 500)
target("a method and a colon", b"/public/a", method=b"GET:")
for name in (b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override", b"X_HTTP_Method_Override"):
    headers(f"{name.decode()} makes another method", name + b": DELETE", method=b"POST", want="safe")
headers("X-Original-Method says that it is a GET", b"X-Original-Method: GET", b"X-Forwarded-Method: GET", method=b"DELETE", want="no")
headers("X-Original-Method says that it is a DELETE", b"X-Original-Method: DELETE", b"X-Forwarded-Method: DELETE", want="ok")

# ---- What only gateways may say ------------------------------------------------------------------------
for name in (b"X-Original-URI", b"X-Original-URL", b"X-Rewrite-URL", b"X-Forwarded-Uri", b"X-Forwarded-Path", b"X-Forwarded-Prefix",
             b"X_Original_URI", b"X_Forwarded_Uri", b"X-Pdp-Path", b"X_Pdp_Path", b"x-pdp-path"):
    headers(f"{name.decode()} says that it is open", name + b": /public/a", to=b"/admin/x", want="no")
    headers(f"{name.decode()} says that it is closed", name + b": /admin/x", want="ok")
headers("X-Original-URI twice", b"X-Original-URI: /public/a", b"X-Original-URI: /public/b", to=b"/admin/x", want="no")
for name in (b"X-Pdp-Effect", b"X_Pdp_Effect", b"X-PDP-EFFECT", b"X-Pdp_Effect"):
    headers(f"{name.decode()} says allow", name + b": allow", to=b"/admin/x", want="no")
for name in (b"X-Pdp-Risk", b"X-Pdp-Level", b"X-Pdp-Session", b"X-Pdp-Decision", b"X_Pdp_Decision", b"X-Pdp-Rule", b"X-Pdp-Code",
             b"X-Pdp-Message", b"X-Pdp-Reason", b"X-Pdp-Whatever", b"x_pdp_whatever", b"X-Pdp-Effect", b"X_pdp-Effect"):
    headers(f"{name.decode()} forged for the site", name + b": " + FORGED, want="ok")
for name in (b"X-Pdp-Subject", b"X_Pdp_Subject", b"X-User", b"X-Forwarded-User", b"X-Remote-User", b"Remote-User", b"X_User",
             b"X-Auth-Request-User", b"X_Remote_User"):
    headers(f"{name.decode()} says who it is", name + b": alice", to=b"/alice/x", want="no")
    headers(f"{name.decode()} forged for the site", name + b": " + FORGED, want="ok")
headers("a token that nobody signed", b"Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.", to=b"/alice/x", want="no")
headers("two tokens", b"Authorization: Bearer a.b.c", b"Authorization: Bearer d.e.f", to=b"/alice/x", want="no")
headers("a name and a password", b"Authorization: Basic YWxpY2U6YWxpY2U=", to=b"/alice/x", want="no")
headers("headers that are to be dropped", b"Connection: close, X-Pdp-Effect, X-Pdp-Decision, X-Pdp-Subject, X-Pdp-Path, X-Real-IP, "
        b"X-Forwarded-For, X-Forwarded-Uri, X-Original-URI", want="safe")
headers("headers that the question needs are to be dropped", b"Connection: X-Forwarded-Uri, X-Original-URI, X-Forwarded-Method",
        to=b"/admin/x", want="no")
headers("the cookie is to be dropped", b"Connection: Cookie", b"Cookie: sid=alice", want="safe")

# ---- Addresses -----------------------------------------------------------------------------------------
for name in (b"X-Forwarded-For", b"X-Real-IP", b"X-Client-IP", b"True-Client-IP", b"CF-Connecting-IP", b"X-Cluster-Client-IP",
             b"X_Forwarded_For", b"X_Real_IP", b"X-Forwarded_For"):
    headers(f"{name.decode()} says the office", name + b": " + OFFICE, to=b"/office/x", want="no", ip="127.0.0.1")
    headers(f"{name.decode()} said for nothing", name + b": " + OFFICE, want="ok", ip="127.0.0.1")
headers("Forwarded says the office", b"Forwarded: for=" + OFFICE, to=b"/office/x", want="no", ip="127.0.0.1")
headers("X-Forwarded-For twice", b"X-Forwarded-For: " + OFFICE, b"X-Forwarded-For: " + OFFICE, to=b"/office/x", want="no", ip="127.0.0.1")
headers("X-Forwarded-For with own proxies", b"X-Forwarded-For: 10.1.2.3, 127.0.0.9, 127.0.0.9", to=b"/office/x", want="no", ip="127.0.0.1")
headers("X-Forwarded-For with the address of the connection", b"X-Forwarded-For: 10.1.2.3, 127.0.0.1", to=b"/office/x", want="no")
headers("X-Forwarded-For, mapped", b"X-Forwarded-For: ::ffff:10.1.2.3", to=b"/office/x", want="no", ip="127.0.0.1")
headers("an empty X-Forwarded-For", b"X-Forwarded-For:", want="ok", ip="127.0.0.1")
headers("an X-Forwarded-For of a thousand", b"X-Forwarded-For: " + b", ".join([OFFICE] * 300), to=b"/office/x", want="no")
headers("X-Forwarded-For by another address of the house", b"X-Forwarded-For: 10.1.2.3", to=b"/office/x", want="no", source="127.0.0.2",
        ip="127.0.0.2")
# By the trusted proxy, whose word counts: the rightmost that is no proxy is the client.
headers("a proxy says the office", b"X-Forwarded-For: 10.1.2.3", to=b"/office/x", want="ok", source=PROXY, ip="10.1.2.3")
headers("a proxy says the office, mapped", b"X-Forwarded-For: ::ffff:10.1.2.3", to=b"/office/x", want="ok", source=PROXY, ip="10.1.2.3")
headers("a proxy says the office, mapped in hex", b"X-Forwarded-For: ::ffff:a01:203", to=b"/office/x", want="ok", source=PROXY, ip="10.1.2.3")
headers("a proxy says somebody, who says the office", b"X-Forwarded-For: 10.1.2.3, 192.0.2.66", to=b"/office/x", want="no", source=PROXY,
        ip="192.0.2.66")
headers("a proxy says somebody of IPv6", b"X-Forwarded-For: 10.1.2.3, 2001:db8::66", to=b"/office/x", want="no", source=PROXY,
        ip="2001:db8::66")
headers("a proxy says somebody in two lines", b"X-Forwarded-For: 10.1.2.3", b"X-Forwarded-For: 192.0.2.66", to=b"/office/x", want="no",
        source=PROXY, ip="192.0.2.66")
headers("a proxy says somebody behind itself", b"X-Forwarded-For: 192.0.2.66, 127.0.0.9", to=b"/office/x", want="no", source=PROXY,
        ip="192.0.2.66")
headers("a proxy says the office and a port", b"X-Forwarded-For: 10.1.2.3:80", to=b"/office/x", want="no", source=PROXY)
headers("a proxy says the office and nothing", b"X-Forwarded-For: 10.1.2.3,", to=b"/office/x", want="no", source=PROXY)
headers("a proxy says nonsense", b"X-Forwarded-For: 10.1.2.3, unknown", to=b"/office/x", want="no", source=PROXY)
headers("a proxy says a number", b"X-Forwarded-For: 167838211", to=b"/office/x", want="no", source=PROXY)
headers("a proxy says octal digits", b"X-Forwarded-For: 012.1.2.3", to=b"/office/x", want="no", source=PROXY)
headers("a proxy says a short address", b"X-Forwarded-For: 10.1", to=b"/office/x", want="no", source=PROXY)
headers("a proxy says a zone", b"X-Forwarded-For: fe80::1%eth0", to=b"/office/x", want="no", source=PROXY)
headers("a proxy says another name", b"X-Real-IP: 10.1.2.3", to=b"/office/x", want="no", source=PROXY)

# ---- Cookies -------------------------------------------------------------------------------------------
headers("a session", b"Cookie: sid=one", want="ok")
headers("two sessions in one header", b"Cookie: sid=one; sid=two", want="safe")
headers("two sessions in two headers", b"Cookie: sid=one", b"Cookie: sid=two", want="safe")
headers("a session in quotes", b'Cookie: sid="one"', want="safe")
headers("a session with a blank in its name", b"Cookie: sid =one", want="safe")
headers("a session in capitals", b"Cookie: SID=one", want="safe")
headers("an empty session", b"Cookie: sid=", want="safe")
headers("a session inside another cookie", b'Cookie: x="; sid=one"', want="safe")
headers("a session behind a comma", b"Cookie: x=1, sid=one", want="safe")
headers("a session with a NUL", b"Cookie: sid=on\0e", want="safe")
headers("a session that is no text", b"Cookie: sid=\xff\xfe", want="safe")
headers("a session of 300 bytes", b"Cookie: sid=" + b"s" * 300, want="safe")
headers("a session of 5,000 bytes", b"Cookie: sid=" + b"s" * 5000, want="safe")
headers("cookies of 100,000 bytes", b"Cookie: x=" + b"y" * 100000 + b"; sid=one", want="safe", also={502})
# The adapter refuses heads of more than 32 KiB or 128 lines itself, which nginx and Caddy tell as a fault of theirs.
headers("five hundred cookies", b"Cookie: " + b"; ".join(b"c%d=1" % i for i in range(500)) + b"; sid=one", want="safe", also={500, 502})
headers("the session that has ended", b"Cookie: sid=ended", want="no")
headers("the session that has ended, and another", b"Cookie: sid=fresh; sid=ended", want="no")
headers("another, and the session that has ended", b"Cookie: sid=ended; sid=fresh", want="no")
headers("another, and the session that has ended, in two headers", b"Cookie: sid=fresh", b"Cookie: sid=ended", want="no")

# ---- Headers as such -----------------------------------------------------------------------------------
headers("a header twice", b"X-Own: 1", b"X-Own: 2", want="ok")
headers("an empty header", b"X-Own:", want="ok")
headers("a header without a name", b": 1", want="safe")
headers("a line without a colon", b"nonsense", want="safe")
headers("a blank in front of a colon", b"X-Pdp-Effect : allow", to=b"/admin/x", want="no")
headers("a folded header", b"X-Own: 1", b"  2", want="safe")
headers("a folded header that hides another", b"X-Own: 1", b" X-Pdp-Effect: " + FORGED, want="safe")
headers("a NUL in a header", b"X-Own: a\0b", want="safe")
headers("a carriage return in a header", b"X-Own: a\rX-Pdp-Effect: " + FORGED, want="safe")
headers("a header of 10,000 bytes", b"X-Own: " + b"y" * 10000, want="safe", also={500})
headers("a header of 200,000 bytes", b"X-Own: " + b"y" * 200000, want="safe", also={502})
headers("three hundred headers", *[b"X-Own-%d: 1" % i for i in range(300)], want="safe", also={500, 502})
headers("bytes that are no text in the agent of a header", b"Referer: \xff\xfe", want="safe")
trick("no host", [b"GET /public/a HTTP/1.1"], "safe")
trick("an empty host", [b"GET /vhost/a HTTP/1.1", b"Host:"], "no")
trick("two hosts that differ", [b"GET /vhost/a HTTP/1.1", b"Host: shop.example", b"Host: evil.example"], "no")
trick("two hosts that differ, the other way", [b"GET /vhost/a HTTP/1.1", b"Host: evil.example", b"Host: shop.example"], "no")
trick("the same host twice", [b"GET /vhost/a HTTP/1.1", b"Host: shop.example", b"Host: shop.example"], "safe")
trick("a blank behind Host", [b"GET /vhost/a HTTP/1.1", b"Host : shop.example"], "no")

# ---- Versions ------------------------------------------------------------------------------------------
trick("HTTP/1.0", [b"GET /public/a HTTP/1.0", b"Host: " + HOST], "safe")
trick("HTTP/1.0 without a host, closed", [b"GET /admin/x HTTP/1.0"], "no")
trick("HTTP/0.9", [b"GET /public/a"], "safe") # where it is understood it has no headers
trick("HTTP/0.9, closed", [b"GET /admin/x"], "no")
trick("HTTP/1.2", [b"GET /public/a HTTP/1.2", b"Host: " + HOST], "safe")
trick("HTTP/2.0", [b"GET /public/a HTTP/2.0", b"Host: " + HOST], "safe")
trick("HTTP/3.7", [b"GET /public/a HTTP/3.7", b"Host: " + HOST], "safe")
trick("a version in lower case", [b"GET /public/a http/1.1", b"Host: " + HOST], "no")
trick("a preface of HTTP/2", [b"PRI * HTTP/2.0", b"", b"SM"], "no")

# ---- Two requests that look like one, or one that looks like two ------------------------------------------
SECOND = b"GET /admin/x HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\n\r\n"
FIRST = b"POST /public/a HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\n"
raw("a second request behind the first", b"GET /public/a HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\n\r\n" + SECOND)
raw("a second request as a body", FIRST + b"Content-Length: 63\r\n\r\n" + SECOND[:63].ljust(63, b"x"))
raw("a body longer than it says", FIRST + b"Content-Length: 3\r\n\r\nabc" + SECOND)
raw("a body of no length", FIRST + b"Content-Length: 0\r\n\r\n" + SECOND)
raw("a body of GET", b"GET /public/a HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\nContent-Length: %d\r\n\r\n" % len(SECOND) + SECOND + b"x" * 400)
raw("length and chunks", FIRST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND)
raw("chunks and length", FIRST + b"Transfer-Encoding: chunked\r\nContent-Length: 400\r\n\r\n0\r\n\r\n" + SECOND)
raw("two lengths", FIRST + b"Content-Length: 0\r\nContent-Length: 400\r\n\r\n" + SECOND, "no")
raw("two lengths in one", FIRST + b"Content-Length: 0, 400\r\n\r\n" + SECOND, "no")
raw("the same length twice", FIRST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc")
raw("a length with a plus", FIRST + b"Content-Length: +3\r\n\r\nabc" + SECOND)
raw("a length below zero", FIRST + b"Content-Length: -1\r\n\r\n" + SECOND, "no")
raw("a length beyond numbers", FIRST + b"Content-Length: 99999999999999999999999\r\n\r\nabc", "no")
raw("a length in hex", FIRST + b"Content-Length: 0x3\r\n\r\nabc", "no")
raw("chunks, with a blank in front of the colon", FIRST + b"Transfer-Encoding : chunked\r\nContent-Length: 400\r\n\r\n0\r\n\r\n" + SECOND)
raw("chunks, with a tab", FIRST + b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + SECOND)
raw("chunks twice", FIRST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SECOND)
raw("chunks that are not chunked", FIRST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND)
raw("chunks that come first", FIRST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + SECOND)
raw("chunks in capitals", FIRST + b"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n" + SECOND)
raw("chunks by underscore", FIRST + b"Transfer_Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n" % (len(SECOND) + 25) + SECOND + b"x" * 400)
raw("chunks of HTTP/1.0", FIRST.replace(b"/1.1", b"/1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND)
raw("a chunk whose size is no number", FIRST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + SECOND, also={502})
raw("a chunk whose size is too great", FIRST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n" + SECOND, also={502})
raw("a chunk with an extension", FIRST + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n" + SECOND)
raw("a chunk with a bare line feed", FIRST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n" + SECOND)
raw("headers behind the chunks", FIRST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Pdp-Effect: forged\r\n\r\n")
raw("a header behind a bare line feed", b"GET /public/a HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\nX-Own: 1\nX-Pdp-Effect: forged\r\n\r\n")
raw("bare line feeds", b"GET /public/a HTTP/1.1\nHost: shop.example\n{UA}\n\n")
raw("line ends in front", b"\r\n\r\nGET /public/a HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\n\r\n")
raw("half a request", b"GET /public/a HTTP/1.1\r\nHost: shop.exam", "no")
raw("nothing of HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "no")
raw("another protocol in its place", b"GET /public/a HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" + SECOND)
raw("a socket in its place", b"GET /public/a HTTP/1.1\r\nHost: shop.example\r\n{UA}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + SECOND)
raw("what is expected", FIRST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")
raw("what nobody expects", FIRST + b"Expect: forged\r\nContent-Length: 3\r\n\r\nabc")
