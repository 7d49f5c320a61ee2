#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""See run.sh. Every way serves the same page of 128 bytes; what differs is who is asked before. Turns of all ways alternate, and a
figure is the median of its turns. A way whose answers are not all 200 counts as broken, and so does one that lets a request pass
which the policy denies."""
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/gateways"))
import support # noqa: E402
import ways # noqa: E402
from support import BUILD, Nginx, Pdpd, Stage, check, get, need # noqa: E402

ROUNDS = int(os.environ.get("PDP_GATEWAYS_ROUNDS", "5"))
SECONDS = int(os.environ.get("PDP_GATEWAYS_SECONDS", "2"))
CONNECTIONS = int(os.environ.get("PDP_GATEWAYS_CONNECTIONS", "32"))
ONLY = os.environ.get("PDP_GATEWAYS_ONLY", "").split()
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: site}
rules:
  - {id: pages, effect: allow, actions: [GET, HEAD], resources: ["/pages/**"]}
  - {id: payroll, effect: allow, actions: [GET], resources: ["/payroll/**"], when: '"staff" in subject.roles'}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: sessions}
first_sight: adopt
"""
SCRIPT = """local asked, turn = {}, 0
init = function()
    for i = 1, 256 do
        asked[i] = wrk.format("GET", "/pages/a", {Host = "shop.example", Cookie = "theme=dark; sid=session-" .. i,
                              ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"})
    end
end
request = function()
    turn = turn % 256 + 1
    return asked[turn]
end
"""
MODULE = BUILD / "lib/ngx_http_pdp_module.so"
PAGE = "x" * 127 + "\n"
TO_PDP = """
    location = /_pdp {
        internal;
        proxy_pass http://PDP/forward-auth;
        proxy_http_version 1.1;
        proxy_pass_request_body off;
        proxy_set_header Connection "";
        proxy_set_header Content-Length "";
        proxy_set_header Host $host;
        proxy_set_header X-Original-URI $request_uri;
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $http_x_forwarded_for;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Proto $scheme;
    }
"""


TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


def used_us(children):
    """Processor time of processes and of those that they have started."""
    pids = {str(child.pid) for child in children}
    total = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue # it has just ended
        if stat.parent.name in pids or fields[1] in pids:
            total += (int(fields[11]) + int(fields[12])) * TICK_US
    return total


class Bench:
    def __init__(self, stage):
        self.stage = stage
        self.site = stage.dir / "site/pages"
        self.site.mkdir(parents=True)
        (self.site / "a").write_text(PAGE)
        self.script = stage.write("ask.lua", SCRIPT)
        self.wrk = need("wrk")
        self.ways = {} # name: (port, the gateway's processes, those that it asks)

    def server(self, port, inside):
        return f"server {{\n listen 127.0.0.1:{port};\n root {self.stage.dir}/site;\n default_type text/plain;\n {inside}\n}}\n"

    def add(self, name, port, gateway, asked=()):
        if not ONLY or name in ONLY:
            self.ways[name] = (port, [gateway], list(asked))

    def turn(self, name):
        port, gateway, asked = self.ways[name]
        before = used_us(gateway), used_us(asked)
        done = subprocess.run([self.wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(self.script),
                               f"http://127.0.0.1:{port}/pages/a"], capture_output=True, text=True, timeout=SECONDS + 60)
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout or done.returncode:
            check(False, f"not all was answered 200:\n{done.stdout}{done.stderr}")
        count = int(re.search(r"(\d+) requests in", done.stdout)[1])
        own = [(now - then) / count for now, then in zip((used_us(gateway), used_us(asked)), before)]
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
        return rate, time_us(done.stdout, "50%"), time_us(done.stdout, "99%"), *own


def time_us(text, label):
    number, unit = re.search(rf"^\s+{label}\s+([\d.]+)(us|ms|s)$", text, re.M).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def nginx_ways(bench, stage):
    """All servers of one nginx with one worker, so that they differ in the check alone; that which only returns 204 is another."""
    def started(since):
        return stage.children[since:]

    def pdpd(name, apart):
        since = len(stage.children)
        daemon = Pdpd(stage, {"site.yaml": POLICY}, *ways.options("nginx", apart), config=ways.config("nginx", apart), name=name)
        upstreams[name] = ways.adapter("nginx", stage, daemon, apart)
        return started(since)

    limit = stage.port()
    text = f"server {{ listen 127.0.0.1:{limit}; keepalive_requests 1000000000; location / {{ return 204; }} }}\n"
    other = [Nginx(stage, text, port=limit).child]
    upstreams, main, text = {"limit": limit}, "", ""
    plan = [("no check", "", []),
            ("auth_request, a location that returns 204", "location / { auth_request /_ok; }\n location = /_ok { internal; return 204; }", []),
            ("auth_request, a server that returns 204, a connection each", asks(f"127.0.0.1:{limit}").replace("1.1;", "1.0;"), other),
            ("auth_request, a server that returns 204", asks("limit"), other)]
    if ways.has_inside("nginx"):
        plan.append(("auth_request, the adapter inside pdpd", asks("inside"), pdpd("inside", False)))
    if ways.has("nginx"):
        plan.append(("auth_request, the adapter apart", asks("apart"), pdpd("apart", True)))
    if MODULE.exists():
        asked = Pdpd(stage, {"site.yaml": POLICY}, name="pdpd-module")
        main = f"load_module {MODULE.resolve()};"
        plan.append(("the module", f"pdp on;\n pdp_connect {asked.decide} deadline=2s;\n pdp_session $cookie_sid;", [asked.child]))
    for name, port in upstreams.items():
        text += f"upstream {name} {{ server 127.0.0.1:{port}; keepalive 64; keepalive_requests 1000000000; }}\n"
    ports = [stage.port() for _ in plan]
    text += "".join(bench.server(port, inside) for port, (_, inside, _) in zip(ports, plan))
    nginx = Nginx(stage, text, port=ports[0], main=main)
    for port, (name, _, asked) in zip(ports, plan):
        bench.add(f"nginx: {name}", port, nginx.child, asked)


def asks(upstream):
    return "location / { auth_request /_pdp; }\n" + TO_PDP.replace("PDP", upstream)


def haproxy_ways(bench, stage):
    back = stage.port()
    Nginx(stage, bench.server(back, ""), port=back)
    port = ways.haproxy_plain(stage, back)
    bench.add("haproxy: no check", port, stage.children[-1])
    for apart in ways.places("haproxy"):
        since = len(stage.children)
        pdpd = Pdpd(stage, {"site.yaml": POLICY}, *ways.options("haproxy", apart), config=ways.config("haproxy", apart),
                    name=f"pdpd-spoe-{apart}")
        way = ways.make("haproxy", stage, back, pdpd, apart)
        bench.add(f"haproxy: SPOE, the agent {'apart' if apart else 'inside pdpd'}", way.port, way.gateway.child, stage.children[since:-1])


def tell(results):
    limit = results.get("nginx: auth_request, a server that returns 204")
    print("| Way | Requests a second | Of no check | Of the limit | p50 | p99 | Own | Asked |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (rate, p50, p99, own, others) in results.items():
        none = results.get(name.split(":")[0] + ": no check")
        of_none = f"{rate / none[0]:.2f}" if none else "–"
        of_limit = f"{rate / limit[0]:.2f}" if limit and name.startswith("nginx") else "–"
        print(f"| {name} | {rate:,.0f} | {of_none} | {of_limit} | {p50:,.0f} µs | {p99:,.0f} µs | {own:.1f} µs | {others:.1f} µs |")


def main():
    with Stage() as stage:
        bench = Bench(stage)
        nginx_ways(bench, stage)
        haproxy_ways(bench, stage)
        print(f"{ROUNDS} rounds of {SECONDS} s a way, {CONNECTIONS} connections, load {os.getloadavg()[0]:.1f}", flush=True)
        turns = {name: [] for name in bench.ways}
        for name, (port, *_) in bench.ways.items():
            if "no check" not in name and "204" not in name:
                check(get(port, "/payroll/a").status == 403, f"{name}: denies")
            bench.turn(name) # warm
        for _ in range(ROUNDS):
            for name in bench.ways:
                turns[name].append(bench.turn(name))
        tell({name: tuple(map(statistics.median, zip(*figures))) for name, figures in turns.items()})
        print(f"load at the end: {os.getloadavg()[0]:.1f}")
    sys.exit(1 if support.failures else 0)


if __name__ == "__main__":
    main()
