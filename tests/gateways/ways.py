# SPDX-License-Identifier: Apache-2.0
"""The ways in: each a gateway with the configuration of its page, in front of the site, asking a pdpd by an adapter that runs inside
it or apart. The session is the cookie `sid` everywhere."""
import functools
import os
import re
import subprocess
from support import BIN, Apart, Caddy, Haproxy, Nginx, answers, ours, wait

HTTP, SPOE = "adapters/http/examples", "adapters/haproxy/examples"
SESSION = ("session", "cookie:sid")


class Way:
    """A gateway that takes requests at `port`. `canonical` undoes what it does to a path without changing what it names."""

    def __init__(self, name, gateway, canonical=lambda path: path):
        self.name, self.gateway, self.port, self.canonical = name, gateway, gateway.port, canonical


# ---- Adapters ----------------------------------------------------------------------------------------

# By gateway: which adapter it asks, and what that is told.
KINDS = {"nginx": "http", "caddy": "http", "haproxy": "spoe"}
SETTINGS = {"http": [SESSION], "spoe": [SESSION]}


@functools.cache
def has(kind):
    """Whether an adapter that is told of sessions, or nginx's module (`module`), is built."""
    if kind == "module" or not (BIN / f"pdp-{kind}").exists():
        return False
    return "--session " in subprocess.run([ours(f"pdp-{kind}"), "--help"], capture_output=True, text=True, timeout=30).stdout


@functools.cache
def has_inside(kind):
    """Whether pdpd can run an adapter."""
    return f"--{kind} " in subprocess.run([ours("pdpd"), "--help"], capture_output=True, text=True, timeout=30).stdout


def options(name, apart=False):
    """What a pdpd is started with that one way is to ask."""
    kind = KINDS.get(name)
    return [] if apart or kind is None else [f"--{kind}", "127.0.0.1:0"]


def config(name, apart=False):
    """And what stands in its pdpd.yaml for it."""
    kind = KINDS.get(name)
    lines = [f"  {key}: {value}\n" for key, value in SETTINGS.get(kind, [])]
    return "" if apart or kind is None else f"{kind}:\n" + "".join(lines)


def adapter(kind, stage, pdpd, apart):
    """The port of an adapter that asks it."""
    if not apart:
        return pdpd.ports[kind]
    flags = [word for key, value in SETTINGS[kind] for word in (f"--{key}", value)]
    return Apart(stage, f"pdp-{kind}", pdpd, *flags).port


# ---- Gateways ----------------------------------------------------------------------------------------

# What people write who have not read the page: the path that the client wrote is what the site gets.
BROKEN = {"nginx": {"http://site$pdp_forward$is_args$args": "http://site$request_uri"},
          "caddy": {"rewrite * /_pdp_path_": ""},
          "haproxy": {"http-request set-path %[var(txn.pdp.path)]": ""}}


def nginx(stage, site_port, pdpd, apart, broken):
    port = stage.port()
    values = {"127.0.0.1:3000": f"127.0.0.1:{site_port}", "127.0.0.1:8080": f"127.0.0.1:{adapter('http', stage, pdpd, apart)}",
              "listen 80;": f"listen 127.0.0.1:{port};"}
    return Way("nginx", Nginx(stage, f"{HTTP}/nginx.conf", {**values, **broken}, port))


def plain_marks(path):
    """What Go writes as an escape where everybody else lets it stand."""
    return re.sub(rb"%(21|27|28|29|2A)", lambda found: bytes([int(found[1], 16)]), path)


def caddy(stage, site_port, pdpd, apart, broken):
    port = stage.port()
    values = {"127.0.0.1:3000": f"127.0.0.1:{site_port}", "127.0.0.1:8080": f"127.0.0.1:{adapter('http', stage, pdpd, apart)}",
              ":80 {": f"http://:{port} {{\n\tbind 127.0.0.1"}
    return Way("caddy", Caddy(stage, f"{HTTP}/Caddyfile", {**values, **broken}, port), plain_marks)


def haproxy(stage, site_port, pdpd, apart, broken):
    port = stage.port()
    # The client is no proxy that has logged anybody in.
    values = {"127.0.0.1:8000": f"127.0.0.1:{site_port}", "127.0.0.1:9000": f"127.0.0.1:{adapter('spoe', stage, pdpd, apart)}",
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
    return [name for name in WAYS if has(KINDS[name])]


def make(name, stage, site_port, pdpd, apart=False, broken=False):
    return WAYS[name](stage, site_port, pdpd, apart, BROKEN[name] if broken else {})
