# SPDX-License-Identifier: Apache-2.0
"""The ways in: each a gateway with the configuration of its page, in front of the site, asking a pdpd by an adapter that runs inside
it or apart. The session is the cookie `sid` everywhere."""
import functools
import re
import subprocess
from support import BIN, Apart, Caddy, Haproxy, Nginx, ours

HTTP, SPOE = "adapters/http/examples", "adapters/haproxy/examples"
SESSION = ("session", "cookie:sid")


class Way:
    """A gateway that takes requests at `port`. `canonical` undoes what it does to a path without changing what it names."""

    def __init__(self, name, gateway, canonical=lambda path: path):
        self.name, self.gateway, self.port, self.canonical = name, gateway, gateway.port, canonical


# ---- Adapters ----------------------------------------------------------------------------------------

# By gateway: which adapter it asks, and what that is told.
HTTP_OPEN = [SESSION, ("open", "true")]
ADAPTERS = {"nginx": ("http", [*HTTP_OPEN, ("forward", "nginx")]), "caddy": ("http", [*HTTP_OPEN, ("forward", "caddy")]),
            "traefik": ("http", [*HTTP_OPEN, ("forward", "traefik")]),
            "envoy-http": ("http", [*HTTP_OPEN, ("forward", "envoy"), ("client-address", "x-real-ip")]),
            "haproxy": ("spoe", [SESSION])}


@functools.cache
def helped(program):
    return subprocess.run([ours(program), "--help"], capture_output=True, text=True, timeout=30).stdout


def has(name):
    """Whether what a gateway asks is built; `module` is nginx's."""
    return name != "module" and (BIN / f"pdp-{ADAPTERS[name][0]}").exists()


def has_inside(name):
    """Whether pdpd can run that adapter."""
    return has(name) and f"--{ADAPTERS[name][0]} " in helped("pdpd")


def places(name):
    """Where that adapter can run: apart from pdpd (True), or inside."""
    return ([False] if has_inside(name) else []) + ([True] if has(name) else [])


def options(name, apart=False):
    """What a pdpd is started with that this gateway is to ask."""
    return [] if apart else [f"--{ADAPTERS[name][0]}", "127.0.0.1:0"]


def config(name, apart=False):
    """And what stands in its pdpd.yaml for it."""
    kind, settings = ADAPTERS[name]
    return "" if apart else f"{kind}:\n" + "".join(f"  {key}: {value}\n" for key, value in settings)


def adapter(name, stage, pdpd, apart):
    """The port of the adapter that this gateway asks, which asks pdpd."""
    kind, settings = ADAPTERS[name]
    if not apart:
        return pdpd.ports[kind]
    flags = [word for setting in settings for word in (f"--{setting[0]}", setting[1])]
    return Apart(stage, f"pdp-{kind}", pdpd, *flags).port


# ---- Gateways ----------------------------------------------------------------------------------------

# Mistakes that people make in these files, each of which must be seen by what the site then gets.
BROKEN = {
    "nginx": {
        "the client's path goes on": {"http://site$pdp_forward$is_args$args": "http://site$request_uri"},
        "the path that nginx has decoded is judged": {"X-Original-URI $request_uri": "X-Original-URI $uri"},
        "the client names the host": {"proxy_set_header X-Original-Host $host;": ""},
        "the client names its address": {"proxy_set_header X-Real-IP $remote_addr;\n        proxy_set_header X-Forwarded-For $http":
                                         "proxy_set_header X-Real-IP $http_x_real_ip;\n        proxy_set_header X-Forwarded-For $http"},
        "every request is judged as a GET": {"X-Original-Method $request_method": "X-Original-Method GET"},
        "headers of the client go on": {'proxy_set_header X-Pdp-Subject $pdp_subject;': "",
                                        'proxy_set_header X-HTTP-Method-Override "";': ""},
        "names with `_` go on": {"server_name shop.example;": "server_name shop.example; underscores_in_headers on;"}},
    "caddy": {
        "the client's path goes on": {"rewrite * /_pdp_path_": ""},
        "Connection takes headers away": {"request_header @other -Connection": ""},
        "another protocol goes on": {"request_header @other -Upgrade": "", "request_header @other -Connection": ""},
        "names with `_` go on": {"request_header -*_*": ""},
        "headers of the client go on": {"request_header -X-Original-*": ""},
        "the client names its address": {"header_up X-Real-IP {http.request.remote.host}":
                                         "header_up X-Real-IP {http.request.header.X-Forwarded-For}"}},
    "haproxy": {
        "the client's path goes on": {"http-request set-path %[var(txn.pdp.path)]": ""},
        "whole URLs go on": {"http-request deny deny_status 400 unless { url -m beg / }": ""},
        "names with `_` go on": {"http-request del-header _ -m sub": ""},
        "another protocol goes on": {"http-request del-header upgrade unless { req.hdr(upgrade) -m str -i websocket }": ""},
        "the client's word for its address goes on": {"option forwardfor": ""}}}


def nginx(stage, site_port, pdpd, apart, broken):
    port = stage.port()
    values = {"127.0.0.1:3000": f"127.0.0.1:{site_port}", "127.0.0.1:8080": f"127.0.0.1:{adapter('nginx', stage, pdpd, apart)}",
              "listen 80;": f"listen 127.0.0.1:{port};"}
    return Way("nginx", Nginx(stage, f"{HTTP}/nginx.conf", {**values, **broken}, port))


def plain_marks(path):
    """What Go writes as an escape where everybody else lets it stand."""
    return re.sub(rb"%(21|27|28|29|2A)", lambda found: bytes([int(found[1], 16)]), path)


def caddy(stage, site_port, pdpd, apart, broken, asked=None):
    """`asked`: the port of whoever answers in the adapter's place."""
    port = stage.port()
    values = {"127.0.0.1:3000": f"127.0.0.1:{site_port}", "127.0.0.1:8080": f"127.0.0.1:{asked or adapter('caddy', stage, pdpd, apart)}",
              ":80 {": f"http://:{port} {{\n\tbind 127.0.0.1"}
    return Way("caddy", Caddy(stage, f"{HTTP}/Caddyfile", {**values, **broken}, port), plain_marks)


def haproxy(stage, site_port, pdpd, apart, broken):
    port = stage.port()
    # The client is no proxy that has logged anybody in.
    values = {"127.0.0.1:8000": f"127.0.0.1:{site_port}", "127.0.0.1:9000": f"127.0.0.1:{adapter('haproxy', stage, pdpd, apart)}",
              "bind :8080": f"bind 127.0.0.1:{port}", "/etc/haproxy/pdp-spoe.conf": "pdp-spoe.conf", "src 127.0.0.1 ::1": "src 127.0.0.8"}
    gateway = Haproxy(stage, f"{SPOE}/haproxy.cfg", {**values, **broken}, port, more={"pdp-spoe.conf": f"{SPOE}/pdp-spoe.conf"})
    return Way("haproxy", gateway)


def haproxy_plain(stage, site_port):
    """HAProxy that asks nobody: its port."""
    port = stage.port()
    Haproxy(stage, f"""defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen web
    bind 127.0.0.1:{port}
    server site 127.0.0.1:{site_port}
""", port=port)
    return port


WAYS = {"nginx": nginx, "caddy": caddy, "haproxy": haproxy}


def here():
    """Those whose adapter is built."""
    return [name for name in WAYS if has(name)]


def make(name, stage, site_port, pdpd, apart=False, broken=None):
    """`broken` is one of the mistakes of BROKEN."""
    return WAYS[name](stage, site_port, pdpd, apart, BROKEN[name][broken] if broken else {})
