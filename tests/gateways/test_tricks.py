#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of tricks.py through every gateway. Beside what a row says itself, these hold for whatever reaches the site:

- it was allowed, by a decision of its own that the audit log has, for this very method and path, as often as it was seen;
- however a server reads its path (decoded again and again, parameters cut off, slashes merged, backslashes turned, dots resolved, cut
  at NUL or `#`), its folder is the one that was judged;
- what only gateways may say was not said by the client: names of pdpd, of users, of other targets and methods, with `_` as with `-`;
- its last X-Forwarded-For is the address that connected, and a host that the decision went by is the host that it carries.

`test_tricks.py [--broken] [WAY…]`; the ways are those of ways.py. `--broken` makes each of the mistakes that are listed there, and asks
that it is seen."""
import collections
import concurrent.futures
import json
import re
import sys
import urllib.parse
import support
import ways
from support import Client, Pdpd, Site, Stage, check, finish, get, skip, until
from tricks import FORGED, PROXY, SPOKEN_BY_GATEWAYS, TRICKS, Trick

POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: site}
rules:
  - {id: public, effect: allow, actions: [GET, HEAD, POST], resources: ["/public/**"]}
  - {id: office, effect: allow, actions: [GET], resources: ["/office/**"], when: 'cidr("10.0.0.0/8").containsIP(network.ip)'}
  - {id: vhost, effect: allow, actions: [GET], resources: ["/vhost/**"], when: 'resource.host == "shop.example"'}
  - {id: alice, effect: allow, actions: [GET], resources: ["/alice/**"], when: 'subject.id == "alice"'}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: sessions}
first_sight: adopt
"""
REFUSED = set(range(400, 500)) | {501, 505}
OF_PDP = "effect risk level code rule reason message decision path session subject".split()
ANSWER_S = 5   # for a whole request; what has not been answered then was not understood
SILENCE_S = 0.3 # after which bytes that are no whole request, or several, are taken to be done with
THREADS = 8


# ---- How servers read a path ------------------------------------------------------------------------------

def decoded(path):
    wide = re.sub(rb"%u00([0-9a-fA-F]{2})", rb"%\1", path)
    plain = urllib.parse.unquote_to_bytes(wide)
    return re.sub(rb"\xc0([\x80-\xbf])|\xe0\x80([\x80-\xbf])", lambda m: bytes([(m[1] or m[2])[0] & 0x3f]), plain)


def resolved(path):
    out = []
    for segment in path.split(b"/")[1:]:
        if segment == b"..":
            out = out[:-1]
        elif segment != b".":
            out.append(segment)
    return b"/" + b"/".join(out)


READERS = (decoded, resolved, lambda path: re.sub(rb";[^/]*", b"", path), lambda path: re.sub(rb"/+", b"/", path),
           lambda path: path.replace(b"\\", b"/"), lambda path: path.split(b"\0")[0], lambda path: path.split(b"#")[0])


def readings(path):
    """All that it can become, by any of them in any order."""
    known, todo = {path}, [path]
    while todo:
        at = todo.pop()
        for reader in READERS:
            other = reader(at)
            if other not in known and len(known) < 500:
                known.add(other)
                todo.append(other)
    return known


def folder(path):
    return path.split(b"/")[1] if path.startswith(b"/") else None


# ---- One row ----------------------------------------------------------------------------------------------

def play(row, agent, port):
    """What is answered: [Answer]."""
    data = row.bytes_for(agent)
    answers, whole = [], row.raw is None
    with Client(port, source=row.source, deadline_s=ANSWER_S if whole else SILENCE_S) as client:
        client.send(data)
        while not (whole and answers):
            answer = client.head_or_none()
            if not answer or not answer.status:
                break
            answers.append(client.with_body(answer, data.split(b" ", 1)[0].strip()))
    return answers


class Run:
    """All rows through one gateway."""

    def __init__(self, way, pdpd, site):
        self.way, self.pdpd, self.site = way, pdpd, site
        self.answers, self.seen = {}, collections.defaultdict(list)

    def agent(self, index):
        return f"trick/{self.way.name}/{index}".encode()

    def prepare(self):
        answer = get(self.way.port, "/public/a", {"Cookie": "sid=ended", "User-Agent": "before"})
        check(answer.status == 200, f"{self.way.name}: a session begins: {answer}")
        self.pdpd.terminate("ended")
        self.site.take()

    def play_all(self):
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            played = {index: pool.submit(play, row, self.agent(index), self.way.port) for index, row in enumerate(TRICKS)}
            self.answers = {index: future.result() for index, future in played.items()}
        get(self.way.port, "/public/end", {"User-Agent": self.agent("end")})
        for seen in self.site.take():
            self.seen[(seen.one("user-agent") or "").encode("latin-1")].append(seen)

    def read_log(self):
        """Decisions by the agent that they were made for."""
        self.log = collections.defaultdict(list)
        records = []

        def complete():
            records[:] = [json.loads(line) for line in self.pdpd.ctl("audit", "query", "--json", "--limit", 10000).splitlines()]
            return any(record.get("user_agent") == self.agent("end").decode() for record in records)

        until(f"{self.way.name}: the log tells of all", complete)
        for record in records:
            if record.get("kind") == "decision":
                self.log[record.get("user_agent", "").encode()].append(record)

    def judge(self):
        known = {self.agent(index) for index in range(len(TRICKS))} | {self.agent("end")}
        for agent in self.seen.keys() - known:
            check(agent == b"", f"{self.way.name}: the site got what nobody has sent so: {[seen.head for seen in self.seen[agent]]}")
        for index, row in enumerate(TRICKS):
            self.judge_row(row, self.agent(index), self.answers[index])
        self.judge_row(Trick("what came without a header", []), b"", [])

    def judge_row(self, row, agent, answers):
        self.row, self.what = row, f"{self.way.name}: {row.name}"
        seen, log = self.seen[agent], self.log[agent]
        self.judge_want(answers, seen)
        self.judge_decisions(seen, log)
        for request in seen:
            self.judge_path(request)
            self.judge_headers(request)

    def check(self, condition, what):
        return check(condition, f"{self.what}: {what}")

    def judge_want(self, answers, seen):
        want = self.row.gateways.get(self.way.name, self.row.want)
        statuses = [answer.status for answer in answers]
        self.check(all(status in REFUSED | {101, 200} | self.row.also for status in statuses), f"answers {statuses}")
        passed = [answer for answer in answers if answer.one("x-site")]
        agentless = self.row.name.startswith("HTTP/0.9")
        self.check(len(seen) >= len(passed) or agentless, f"the site answered {len(passed)} times and saw {seen}")
        if want == "ok":
            self.check(statuses == [200] and len(passed) == 1 and len(seen) == 1, f"passes: answers {answers}, seen {seen}")
        if want == "no":
            self.check(not seen and not passed and 200 not in statuses, f"is refused: answers {answers}, seen {seen}")

    def judge_decisions(self, seen, log):
        allowed = collections.Counter((record["action"].encode(), record["resource"].encode()) for record in log
                                      if record["effect"] == "allow")
        for request in seen:
            key = (request.method, self.way.canonical(request.target.split(b"?")[0]))
            self.check(allowed[key] > 0, f"{key} was judged so: {allowed}")
            allowed[key] -= 1
            name = request.one("x-pdp-decision")
            self.check(name in {record["id"] for record in log}, f"the decision {name} is its own")
        if self.row.path is not None:
            self.check(all(request.target.split(b"?")[0] == self.row.path for request in seen), f"as {self.row.path}: {seen}")
        if self.row.ip is not None:
            self.check(all(record.get("ip") == self.row.ip for record in log), f"{[record.get('ip') for record in log]} was judged")

    def judge_path(self, request):
        path = request.target.split(b"?")[0]
        for reading in readings(path):
            self.check(folder(reading) == folder(path), f"{path} may be read as {reading}")

    def judge_headers(self, request):
        names = collections.defaultdict(list)
        for name, value in request.headers:
            names[name.decode("latin-1").lower().replace("_", "-")].append(value)
        for name in ["x-pdp-" + part for part in OF_PDP]:
            self.check(len(names[name]) <= 1 and FORGED not in b"".join(names[name]), f"{name}: {names[name]}")
        self.check(names["x-pdp-effect"] in ([], [b"allow"]), f"the effect: {names['x-pdp-effect']}")
        for name in SPOKEN_BY_GATEWAYS:
            ours = [self.row.source.encode()] if name == "x-real-ip" else []
            self.check(names[name] in ([], ours), f"{name}: {names[name]} of the client")
        last = b",".join(names["x-forwarded-for"]).split(b",")[-1].strip()
        self.check(last in (b"", self.row.source.encode()), f"x-forwarded-for: {names['x-forwarded-for']}")
        if folder(request.target) == b"vhost":
            host = re.sub(rb"(:80|\.)$", b"", (names["host"] or [b""])[0].lower())
            self.check(len(names["host"]) == 1 and host == b"shop.example", f"host: {names['host']}")


def run(name, broken=None):
    with Stage() as stage:
        site = Site(stage)
        apart = ways.places(name)[0]
        pdpd = Pdpd(stage, {"site.yaml": POLICY}, *ways.options(name, apart), state=True,
                    config=f"trusted_proxies: [{PROXY}]\n" + ways.config(name, apart))
        way = ways.make(name, stage, site.port, pdpd, apart, broken)
        played = Run(way, pdpd, site)
        played.prepare()
        played.play_all()
        played.read_log()
        played.judge()


def run_broken(name):
    for mistake in ways.BROKEN[name]:
        before = support.checks, support.failures
        support.quiet = True
        run(name, mistake)
        found = support.failures - before[1]
        (support.checks, support.failures), support.quiet = before, False
        check(found > 0, f"{name}: {mistake}: this is seen")


if __name__ == "__main__":
    check(len(TRICKS) >= 100 and len({row.name for row in TRICKS}) == len(TRICKS), f"{len(TRICKS)} rows of different names")
    asked = [arg for arg in sys.argv[1:] if not arg.startswith("-")]
    for way in asked or ways.here() or [skip("no adapter is built")]:
        (run_broken if "--broken" in sys.argv else run)(way)
    finish()
