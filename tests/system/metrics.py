#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Monitoring over HTTP: `metrics.py PDPD`. Reads the exposition with a strict parser of its own (format 0.0.4)."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE_S = 20
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [GET]}
  - {id: stop, effect: terminate, actions: [DELETE]}
"""
QUESTION = b"""{"subject": {"type": "user", "id": "u"}, "action": {"name": "%s"},
 "resource": {"type": "route", "id": "/a"}, "context": {"session": {"id": "%s", "auth_time": "%s"}}}"""
checks = failures = 0


def check(condition, what):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAIL: {what}")


# ---- The exposition format, strictly ------------------------------------------------------------------

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
HELP = re.compile(rf"# HELP ({NAME}) (.+)\Z")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)\Z")
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|\Z)')
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\Z")


class Bad(Exception):
    pass


def labels_of(text):
    labels, at = {}, 0
    while text is not None and at < len(text):
        found = LABEL.match(text, at)
        if not found or found[1] in labels:
            raise Bad(f"label at {at} of {text!r}")
        labels[found[1]] = found[2]
        at = found.end()
        if found[3] == "," and at == len(text):
            raise Bad(f"a comma at the end of {text!r}")
    return labels


def number_of(text):
    if text == "+Inf":
        return float("inf")
    if not NUMBER.match(text):
        raise Bad(f"no number: {text!r}")
    return float(text)


def check_histogram(name, samples):
    by = {}
    for (sample, labels), value in samples.items():
        rest = tuple(item for item in labels if item[0] != "le")
        by.setdefault(rest, {"buckets": []})
        if sample == name + "_bucket":
            by[rest]["buckets"].append((number_of(dict(labels)["le"]), value))
        else:
            by[rest][sample.removeprefix(name)] = value
    for rest, parts in by.items():
        bounds = [bound for bound, _ in parts["buckets"]]
        counts = [count for _, count in parts["buckets"]]
        if bounds != sorted(set(bounds)) or bounds[-1:] != [float("inf")]:
            raise Bad(f"{name}{rest}: bounds {bounds}")
        if counts != sorted(counts) or counts[-1] != parts["_count"] or parts["_sum"] < 0:
            raise Bad(f"{name}{rest}: counts {counts} {parts}")


def parse(text):
    """Families by name: (type, {(sample, labels): value})."""
    families, current = {}, None
    if not text.endswith("\n"):
        raise Bad("the last line does not end")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            found = HELP.match(line)
            if not found or found[1] in families or (current and current[1] is None):
                raise Bad(line)
            current = [found[1], None]
        elif line.startswith("#"):
            found = TYPE.match(line)
            if not found or not current or current[1] is not None or found[1] != current[0]:
                raise Bad(line)
            current[1] = found[2]
            families[current[0]] = (found[2], {})
        else:
            found = SAMPLE.match(line)
            if not found or not current or current[1] is None:
                raise Bad(line)
            kind, samples = families[current[0]]
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            if found[1] not in [current[0] + suffix for suffix in suffixes]:
                raise Bad(f"{line}: of no family")
            key = (found[1], tuple(sorted(labels_of(found[2]).items())))
            if key in samples:
                raise Bad(f"{line}: twice")
            samples[key] = number_of(found[3])
    for name, (kind, samples) in families.items():
        if not samples or not name.startswith("pdp_") or (kind == "counter") != name.endswith("_total"):
            raise Bad(f"{name}: {kind}, {len(samples)} samples")
        if kind == "counter" and any(value < 0 for value in samples.values()):
            raise Bad(f"{name}: below 0")
        if kind == "histogram":
            check_histogram(name, samples)
    return families


def the_parser_is_strict():
    good = "# HELP pdp_a_total a\n# TYPE pdp_a_total counter\npdp_a_total{x=\"1\\\"\"} 2\n"
    check(parse(good)["pdp_a_total"][0] == "counter", "the parser reads what is good")
    for bad in (good[:-1], good + good, good.replace("counter", "count"), good.replace("} 2", "} x"),
                good.replace("HELP pdp_a", "HELP pdp_b"), good.replace('"}', '",}'), good.replace("_total", ""),
                good.replace('x="1', 'x="1\n'), good.split("\n", 1)[1], good + 'pdp_b 1\n'):
        try:
            parse(bad)
            check(False, f"the parser takes {bad!r}")
        except Bad:
            check(True, "")


# ---- A daemon ------------------------------------------------------------------------------------------

class Daemon:
    def __init__(self, pdpd, *args, gateways=False):
        self.scratch = tempfile.TemporaryDirectory()
        self.dir = pathlib.Path(self.scratch.name)
        (self.dir / "policies").mkdir()
        (self.dir / "policies/web.yaml").write_text(POLICY)
        if gateways:
            args += ("--notices", f"ipc://{self.dir}/notices.ipc", "--orders", f"ipc://{self.dir}/orders.ipc")
        self.process = subprocess.Popen(
            [pdpd, "--policies", str(self.dir / "policies"), "--decide", f"ipc://{self.dir}/decide.ipc",
             "--admin", f"ipc://{self.dir}/admin.ipc", "--workers", "1", "--metrics", "127.0.0.1:0", *args],
            stderr=subprocess.PIPE, text=True)
        self.log = ""
        self.seen = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        check(self.says("event=ready"), "it is ready")
        self.port = int(re.search(r"metrics=127\.0\.0\.1:(\d+)", self.log)[1])

    def read(self):
        for line in self.process.stderr:
            with self.seen:
                self.log += line
                self.seen.notify_all()

    def says(self, word):
        with self.seen:
            return self.seen.wait_for(lambda: word in self.log, DEADLINE_S)

    def get(self, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer, body

    def metrics(self):
        answer, body = self.get("/metrics")
        check(answer.status == 200, "metrics are there")
        check(answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8", "their type")
        return parse(body)

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(DEADLINE_S)
        s.connect(str(self.dir / "decide.ipc"))
        s.sendall(b"\0SP\0\0\x30\0\0")
        receive(s, 8)
        return s

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(DEADLINE_S)
        check(status == 0, f"exit status {status}")
        check("Sanitizer" not in self.log and "runtime error" not in self.log, self.log[-2000:])
        self.scratch.cleanup()


def receive(s, count):
    data = b""
    while len(data) < count:
        part = s.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def ask(s, action, session=b"s"):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode()
    body = b"\x80\0\0\1" + QUESTION % (action, session, now)
    s.sendall(b"\1" + struct.pack(">Q", len(body)) + body)
    return receive(s, struct.unpack(">Q", receive(s, 9)[1:])[0])[4:]


def value(families, name, **labels):
    kind, samples = families[name]
    return samples[(name + ("_count" if kind == "histogram" else ""), tuple(sorted(labels.items())))]


def until(what, condition):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if condition():
            return check(True, what)
        time.sleep(0.02)
    return check(False, f"{what}: not within {DEADLINE_S} s")


# ---- Tests ---------------------------------------------------------------------------------------------

def numbers_are_those_of_the_answers(daemon):
    with daemon.connect() as s:
        for _ in range(40):
            check(b'"decision":true' in ask(s, b"GET"), "allowed")
        check(b'"decision":false' in ask(s, b"PUT"), "denied")
        families = daemon.metrics()
    check(value(families, "pdp_answers_total", effect="allow") == 40, "allows")
    check(value(families, "pdp_answers_total", effect="deny") == 1, "denials")
    check(value(families, "pdp_answer_codes_total", code="no-rule") == 1, "codes")
    check(value(families, "pdp_questions_total") == 41, "questions")
    check(value(families, "pdp_messages_total") == 41, "messages")
    check(value(families, "pdp_queue_delay_seconds") == 41, "each message waited")
    check(value(families, "pdp_decision_seconds") == 41 // 16, "one of 16 is timed")
    check(value(families, "pdp_connections") == 1, "connections")
    check(value(families, "pdp_sessions") == 1 and value(families, "pdp_users") == 1, "sessions")
    check(value(families, "pdp_policies") == 1 and value(families, "pdp_rules") == 2, "policies")
    info = [dict(key[1])["digest"] for key in families["pdp_snapshot_info"][1]]
    check(len(info) == 1 and re.fullmatch(r"sha256:[0-9a-f]{64}", info[0]), f"digest {info}")
    check(value(families, "pdp_refusals_total", kind="handshake_bad") == 0, "nothing was refused")


def a_refused_reload_is_seen(daemon):
    (daemon.dir / "policies/web.yaml").write_text("nonsense: [\n")
    daemon.process.send_signal(signal.SIGHUP)
    check(daemon.says("event=reload_failed"), "the reload is refused")
    until, families = time.monotonic() + DEADLINE_S, daemon.metrics()
    while value(families, "pdp_alarm", alarm="reload_refused") == 0 and time.monotonic() < until:
        families = daemon.metrics()
    check(value(families, "pdp_reloads_total", result="refused") == 1, "refused reloads")
    check(value(families, "pdp_alarm", alarm="reload_refused") == 1, "the alarm is raised")
    check(daemon.get("/ready")[0].status == 200, "what was served before serves on")


def pages_and_methods(daemon):
    for path, status, body in (("/live", 200, "live\n"), ("/ready", 200, "ready\n"), ("/", 404, None),
                               ("/metrics/", 404, None), ("/live?x=1", 200, "live\n")):
        answer, text = daemon.get(path)
        check(answer.status == status and (body is None or text == body), f"{path}: {answer.status} {text!r}")
        check(answer.getheader("Connection") == "close", f"{path}: one request a connection")
    answer, text = daemon.get("/metrics", "HEAD")
    check(answer.status == 200 and text == "", "HEAD")
    check(daemon.get("/metrics", "POST")[0].status == 405, "POST")
    check(daemon.get("/metrics", "DELETE")[0].status == 405, "DELETE")


def the_store_is_shown(daemon):
    until, stored = time.monotonic() + DEADLINE_S, 0
    with daemon.connect() as s:
        check(b'"decision":true' in ask(s, b"GET"), "allowed")
        while stored == 0 and time.monotonic() < until:
            stored = value(daemon.metrics(), "pdp_store_rows", table="sessions")
    families = daemon.metrics()
    check(stored == 1, "the session is stored")
    check(value(families, "pdp_store_failing") == 0 and value(families, "pdp_journal_lag") == 0, "the store is well")


def order(daemon, message):
    """An operation of the admin endpoint."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(DEADLINE_S)
        s.connect(str(daemon.dir / "admin.ipc"))
        s.sendall(b"\0SP\0\0\x30\0\0")
        receive(s, 8)
        body = b"\x80\0\0\1" + json.dumps(message).encode()
        s.sendall(b"\1" + struct.pack(">Q", len(body)) + body)
        return json.loads(receive(s, struct.unpack(">Q", receive(s, 9)[1:])[0])[4:])


def listen(daemon, endpoint, protocol):
    """One that listens and says nothing."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(DEADLINE_S)
    s.connect(str(daemon.dir / endpoint))
    s.sendall(b"\0SP\0\0" + bytes([protocol]) + b"\0\0")
    receive(s, 9)  # with the first byte of a heartbeat
    return s


def parts_are_shown(daemon):
    now = lambda name, **labels: value(daemon.metrics(), name, **labels)
    before = daemon.metrics()
    check(value(before, "pdp_breaker_open") == 0 and value(before, "pdp_breaker_ends") == 0, "a calm breaker")
    check(value(before, "pdp_audit_failing") == 0 and value(before, "pdp_audit_lost_total") == 0, "a good audit log")
    check(value(before, "pdp_audit_refused_total") == 0 and value(before, "pdp_audit_sink_lost_total") == 0, "and no refusals")
    for state in ("live", "silent", "gone"):
        check(value(before, "pdp_gateways", state=state) == 0, f"no gateway is {state}")
    check(value(before, "pdp_notices_lapped_total") == 0 and value(before, "pdp_notices_cut_total") == 0, "nobody was too slow")
    check(value(before, "pdp_id_key_newest") == 0, "the first key")
    with daemon.connect() as s:
        check(b'"decision":true' in ask(s, b"GET"), "allowed")
        ask(s, b"PUT")
    until("records are counted", lambda: now("pdp_audit_records_total") >= value(before, "pdp_audit_records_total") + 2)
    until("and signed", lambda: now("pdp_audit_unsigned_records") == 0)
    check(now("pdp_audit_segments") >= 1 and now("pdp_audit_segment_bytes") > 0, "segments")
    check(now("pdp_id_key_records", key="0") == 1, "a session under key 0")
    with daemon.connect() as s:
        for _ in range(20):
            ask(s, b"PUT")
    until("denials that are alike are counted", lambda: now("pdp_audit_coalesced_total") >= 1)
    with listen(daemon, "notices.ipc", 0x21), listen(daemon, "orders.ipc", 0x63):
        until("a subscriber", lambda: now("pdp_notices_subscribers") == 1)
        until("a silent gateway", lambda: now("pdp_gateways", state="silent") == 1)
        notices = now("pdp_notices_total")
        done = order(daemon, {"op": "session.terminate", "session": "s", "reason": "test", "wait": 100})
        check(done.get("ok") is True, str(done))
        check(now("pdp_notices_total") > notices, "a notice")
        until("an order that it leaves", lambda: now("pdp_order_parts_total", result="silent") == 1)
        check(now("pdp_orders_total") == 1 and now("pdp_order_parts_total", result="confirmed") == 0, "one order")
        check(now("pdp_order_confirm_seconds_total") == 0, "that nobody confirmed")
    until("it left", lambda: now("pdp_gateways", state="silent") == 0 and now("pdp_notices_subscribers") == 0)
    check(order(daemon, {"op": "key.rotate", "reason": "test"}).get("ok") is True, "another key")
    check(now("pdp_id_key_newest") == 1 and now("pdp_id_key_records", key="1") == 0, "is shown")
    hook = dict(url="https://127.0.0.1:1/")
    until("a webhook that nobody hears", lambda: now("pdp_webhook_failing", **hook) == 1)
    check(now("pdp_webhook_waiting", **hook) == 1 and now("pdp_webhook_failures_total", **hook) >= 3, "its numbers")
    for name in ("delivered_total", "refused_total", "given_up_total", "behind"):
        check(now(f"pdp_webhook_{name}", **hook) == 0, f"webhook {name}")
    until("and its alarm", lambda: now("pdp_alarm", alarm="webhook_failing") == 1)


def the_breaker_is_shown(daemon):
    """Most sessions are ended by a rule: that opens it."""
    with daemon.connect() as s:
        for i in range(8):
            ask(s, b"GET", b"b%d" % i)
            ask(s, b"DELETE", b"b%d" % i)
    families = daemon.metrics()
    check(value(families, "pdp_breaker_open") == 1 and value(families, "pdp_breaker_ends") == 8, "the breaker is open")


RUDE = (b"", b"\0" * 5000, b"GET", b"GET /metrics HTTP/9.9\r\n\r\n", b"GET " + b"/" * 20000 + b" HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 5000, b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 200, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


def rude_peers_hurt_nobody(daemon):
    held = []
    for _ in range(12): # more than one address may have: they ask for nothing
        held.append(socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_S))
    with daemon.connect() as s:
        check(b'"decision":true' in ask(s, b"GET"), "a question beside those who hold connections")
    for one in held:
        one.close()
    for text in RUDE:
        with socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_S) as s:
            try:
                s.sendall(text)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass # it was closed
    daemon.metrics()
    check(daemon.get("/live")[0].status == 200, "live after rude peers")


def dripping_is_cut(daemon):
    # A byte now and then is never idle; all of a request has ten seconds.
    with socket.create_connection(("127.0.0.1", daemon.port), 1) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.monotonic() + 3 * DEADLINE_S
        closed = False
        while not closed and time.monotonic() < until:
            try:
                s.sendall(b"G")
                closed = s.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
        check(closed, "one that drips is closed")


def addresses(pdpd):
    for address, words in (("0.0.0.0:0", "--metrics-open"), ("[::]:0", "--metrics-open"), ("x", "127.0.0.1"), ("/a", "")):
        said = subprocess.run([pdpd, "--policies", ".", "--decide", "ipc:///nonexistent/x", "--metrics", address],
                              stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S)
        check(said.returncode == 2 and words in said.stderr, f"{address}: {said.returncode} {said.stderr}")


def main():
    pdpd = os.path.abspath(sys.argv[1])
    the_parser_is_strict()
    addresses(pdpd)
    daemon = Daemon(pdpd)
    numbers_are_those_of_the_answers(daemon)
    a_refused_reload_is_seen(daemon)
    pages_and_methods(daemon)
    rude_peers_hurt_nobody(daemon)
    dripping_is_cut(daemon)
    daemon.stop()
    daemon = Daemon(pdpd, "--metrics-open")
    check("pdp_journal_lag" not in daemon.metrics(), "no store, no numbers of it")
    daemon.stop()
    with tempfile.TemporaryDirectory() as state:
        daemon = Daemon(pdpd, "--state", state)
        the_store_is_shown(daemon)
        daemon.stop()
    with tempfile.TemporaryDirectory() as state:
        config = pathlib.Path(state) / "pdpd.yaml"
        key = pathlib.Path(state) / "key.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True, capture_output=True)
        config.write_text(f"heartbeat: 50ms\nbreaker_least: 2\nstate: {state}/kept\n"
                          f"webhook: {{url: 'https://127.0.0.1:1/', issuer: i, key: {key}}}\n")
        (pathlib.Path(state) / "kept").mkdir(mode=0o700)
        daemon = Daemon(pdpd, "--config", str(config), gateways=True)
        parts_are_shown(daemon)
        the_breaker_is_shown(daemon)
        daemon.stop()
    print(f"{checks} checks, {failures} failed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
