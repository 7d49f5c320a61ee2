# SPDX-License-Identifier: Apache-2.0
"""What tests of gateways share: a stage on which pdpd, adapters, gateways and a site behind them are started, and ended by their
ids; a site that keeps every request as it came; a client that sends any bytes.

    with Stage() as stage:
        site = Site(stage)
        pdpd = Pdpd(stage, {"web.yaml": POLICY}, "--http", "127.0.0.1:0")
        nginx = Nginx(stage, "adapters/http/examples/nginx.conf", {"listen 80": f"listen {stage.port()}"})
        check(get(nginx.port, "/a").status == 200, "it is let through")
    finish()

Whoever waits, waits for a condition with a deadline; nothing sleeps for a fixed time."""
import base64
import collections
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE_S = 30 # for anything that is waited for
PORTS = (10240, 32768)
ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PDP_BIN", ROOT / "build/release/bin"))
BUILD = pathlib.Path(os.environ.get("PDP_BUILD", BIN.parent))
SANITIZE = os.environ.get("PDP_SANITIZE", "")
CURE = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")

checks = failures = 0
quiet = False # failures are counted only
lock = threading.Lock()


# ---- Checks ------------------------------------------------------------------------------------------

def check(condition, what):
    global checks, failures
    with lock:
        checks += 1
        if not condition:
            failures += 1
            if failures <= 40 and not quiet:
                print(f"FAIL: {what}", flush=True)
    return bool(condition)


def finish():
    print(f"{checks} checks, {failures} failed", flush=True)
    sys.exit(1 if failures or not checks else 0)


def skip(why):
    """This test cannot run here."""
    print(f"skipped: {why}", flush=True)
    sys.exit(77)


def worry(args):
    check(False, f"{args.exc_type.__name__}: {args.exc_value}")
    threading.__excepthook__(args)


threading.excepthook = worry


def wait(condition, deadline_s=DEADLINE_S):
    """Whether it comes true in time."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def until(what, condition, deadline_s=DEADLINE_S):
    return check(wait(condition, deadline_s), f"{what}: not within {deadline_s} s")


def need(program):
    """The path of a gateway's program; without it the test is skipped."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    return path or skip(f"{program} is not installed")


def ours(program):
    """The path of one of our programs; without it the test is skipped."""
    path = BIN / program
    return str(path) if path.exists() else skip(f"{program} is not built")


def fill(text, values):
    """A configuration for here: each key is replaced by its value, wherever it stands; a key that stands nowhere is a mistake.
    All at once, so that a value is never taken for a key; of keys that begin alike the longer one goes first."""
    for key in values:
        check(key in text, f"`{key}` stands in the configuration")
    keys = sorted(map(re.escape, values), key=len, reverse=True)
    return re.sub("|".join(keys), lambda found: str(values[found[0]]), text) if keys else text


# ---- The stage and its processes ---------------------------------------------------------------------

class Child:
    """A process that this test has started. Its output is kept in `log_path`."""

    def __init__(self, stage, name, argv, env=None):
        self.name, self.argv = name, [str(arg) for arg in argv]
        self.log_path = stage.dir / f"{name}-{len(stage.children)}.log"
        self.gone = False
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
                                            env={**os.environ, **(env or {})})
        stage.children.append(self)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def says(self, word, deadline_s=DEADLINE_S):
        """Whether its log holds a word in time."""
        return wait(lambda: word in self.log() or self.process.poll() is not None, deadline_s) and word in self.log()

    def must_say(self, word):
        if not self.says(word):
            check(False, f"{self.name} says `{word}`")
            raise SystemExit(f"{' '.join(self.argv)}\n{self.log()[-4000:]}")

    def signal(self, number):
        if self.process.poll() is None:
            os.kill(self.pid, number)

    def pause(self):
        """All its threads stand still, with all connections, until `resume`."""
        self.signal(signal.SIGSTOP)
        stats = list(pathlib.Path(f"/proc/{self.pid}/task").glob("*/stat"))
        until(f"{self.name} stands still", lambda: all(stat.read_text().rpartition(") ")[2][0] == "T" for stat in stats))

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """As a crash."""
        self.end(signal.SIGKILL)

    def stop(self):
        """As it is asked to, in order; its exit status."""
        return self.end(signal.SIGTERM)

    def end(self, number):
        self.resume()
        self.signal(number)
        try:
            status = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            check(False, f"{self.name} ends")
            self.process.kill()
            status = self.process.wait()
        if not self.gone:
            self.gone = True
            found = CURE.search(self.log())
            check(not found, f"{self.name}: {self.log()[found.start() - 100:][:3000] if found else ''}")
        return status


class Stage:
    """A scratch folder and what runs in it. All ends with it, in the reverse order of its start."""

    def __init__(self):
        self.scratch = tempfile.mkdtemp(prefix="pdp-gateways-")
        self.dir = pathlib.Path(self.scratch)
        self.children, self.closers, self.held = [], [], []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for child in reversed(self.children):
            if child.process.poll() is None:
                child.stop()
        for close in reversed(self.closers):
            close()
        for s in self.held:
            s.close()
        if error is None and (quiet or not failures):
            shutil.rmtree(self.scratch, ignore_errors=True)
        else:
            print(f"what was left: {self.scratch}", flush=True)

    def start(self, name, *argv, env=None):
        return Child(self, name, argv, env)

    def port(self):
        """A free port of this machine for one who listens with SO_REUSEADDR, as servers do. Nobody else is given it meanwhile: it stays
        bound, without listening. Outgoing connections get none of these: below the range that the system gives from."""
        while True:
            s = socket.socket()
            try:
                s.bind(("127.0.0.1", random.randrange(*PORTS)))
            except OSError:
                s.close() # somebody has it
                continue
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.held.append(s)
            return s.getsockname()[1]

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def answers(port):
    """Whether somebody takes connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


# ---- Ours --------------------------------------------------------------------------------------------

class Pdpd:
    """A pdpd with policies, a folder or {name: text}; questions at `decide`, pdpctl at `admin` (both ipc). With options as
    `"--http", "127.0.0.1:0"`, `ports["http"]` is what the system gave. `state=True` keeps a state folder, which `restart` finds
    again; `config` is more of `pdpd.yaml`."""

    def __init__(self, stage, policies, *options, config="", state=False, env=None, name="pdpd"):
        self.stage, self.options, self.env, self.name = stage, list(options), env, name
        self.dir = stage.dir / name
        self.dir.mkdir()
        self.decide, self.admin = f"ipc://{self.dir}/decide.ipc", f"ipc://{self.dir}/admin.ipc"
        self.policies = policies if isinstance(policies, (str, pathlib.Path)) else self.write_policies(policies)
        if state:
            (self.dir / "state").mkdir()
            self.options += ["--state", self.dir / "state"]
        if config:
            (self.dir / "pdpd.yaml").write_text(config)
            self.options += ["--config", self.dir / "pdpd.yaml"]
        self.ports = {}
        self.start()

    def write_policies(self, policies):
        folder = self.dir / "policies"
        folder.mkdir(exist_ok=True)
        for name, text in policies.items():
            (folder / name).write_text(text)
        return folder

    def start(self):
        """Starts it, or starts it again with the addresses that it had."""
        options = [self.kept(option, before) for option, before in zip(self.options, [None] + self.options)]
        self.child = self.stage.start(self.name, ours("pdpd"), "--policies", self.policies, "--decide", self.decide,
                                      "--admin", self.admin, *options, env=self.env)
        self.child.must_say("event=ready")
        line = next(line for line in self.child.log().splitlines() if "event=ready" in line)
        for name, port in re.findall(r" ([a-z-]+)=\S*:(\d+)(?= |$)", line):
            self.ports[name] = int(port)

    def kept(self, option, before):
        known = self.ports.get(str(before)[2:])
        return re.sub(r":0$", f":{known}", str(option)) if known else option

    def restart(self):
        self.stop()
        self.start()

    def stop(self):
        return self.child.stop()

    def kill(self):
        self.child.kill()

    def pause(self):
        self.child.pause()

    def resume(self):
        self.child.resume()

    def ctl(self, *args, ok=True):
        """What `pdpctl ARGS --connect ADMIN` prints."""
        done = subprocess.run([ours("pdpctl"), *map(str, args), "--connect", self.admin], capture_output=True, text=True,
                              timeout=DEADLINE_S)
        check(not ok or done.returncode == 0, f"pdpctl {' '.join(map(str, args))}: {done.returncode}: {done.stderr}")
        return done.stdout

    def terminate(self, session, reason="stolen laptop"):
        return self.ctl("session", "terminate", "--session", session, "--reason", reason)


class Apart:
    """An adapter as a program of its own (`pdp-http`, `pdp-spoe`, …) that asks `pdpd` over NNG and listens at `port`."""

    def __init__(self, stage, program, pdpd, *options, env=None):
        self.stage, self.program, self.pdpd, self.options, self.env = stage, program, pdpd, options, env
        self.port = stage.port()
        self.start()

    def start(self):
        self.child = self.stage.start(self.program, ours(self.program), "--pdp", self.pdpd.decide, "--listen",
                                      f"127.0.0.1:{self.port}", *self.options, env=self.env)
        if not wait(lambda: answers(self.port) or self.child.process.poll() is not None) or not answers(self.port):
            check(False, f"{self.program} listens")
            raise SystemExit(self.child.log()[-4000:])

    def restart(self):
        self.child.stop()
        self.start()


# ---- Gateways ----------------------------------------------------------------------------------------

class Gateway:
    """A gateway with a configuration of its own in the scratch folder: a file of the sources (or a text), with values filled in.
    `port` is where it takes requests."""
    program = None

    def __init__(self, stage, configuration, values=None, port=None, env=None):
        self.stage, self.env = stage, env
        self.path = need(self.program)
        self.port = port or stage.port()
        text = configuration
        if "\n" not in str(configuration):
            text = (ROOT / configuration).read_text()
        self.dir = stage.dir / f"{self.program}-{len(stage.children)}"
        self.dir.mkdir()
        self.write(fill(text, values or {}))
        self.start()

    def write(self, text):
        self.config = self.dir / "config"
        self.config.write_text(text)

    def start(self):
        self.child = self.stage.start(self.program, self.path, *self.argv(), env=self.env)
        ready = wait(lambda: answers(self.port) or self.child.process.poll() is not None)
        if not check(ready and self.child.process.poll() is None, f"{self.program} takes requests"):
            raise SystemExit(f"{self.config.read_text()}\n{self.child.log()[-4000:]}")

    def stop(self):
        return self.child.stop()

    def log(self):
        return self.child.log()


class Nginx(Gateway):
    """The configuration is what a file in `sites-enabled` holds (the inside of `http`); `main` is what stands before it, such as
    `load_module`."""
    program = "nginx"

    def __init__(self, stage, configuration, values=None, port=None, env=None, main="", workers=1):
        self.main, self.workers = main, workers
        super().__init__(stage, configuration, values, port, env)

    def write(self, text):
        (self.dir / "site.conf").write_text(text)
        self.config = self.dir / "nginx.conf"
        user = "user root;\n" if os.getuid() == 0 else ""
        places = "\n".join(f"    {kind}_temp_path {self.dir}/{kind};" for kind in
                           ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config.write_text(f"""{self.main}
{user}daemon off;
worker_processes {self.workers};
pid {self.dir}/pid;
error_log {self.dir}/error.log info;
events {{ worker_connections 1024; }}
http {{
    access_log off;
{places}
    include {self.dir}/site.conf;
}}
""")

    def argv(self):
        return ["-p", self.dir, "-e", self.dir / "error.log", "-c", self.config]

    def log(self):
        return (self.dir / "error.log").read_text(errors="replace") + self.child.log()

    def reload(self):
        self.child.signal(signal.SIGHUP)


class Haproxy(Gateway):
    """`more` is {name: text or file}: files beside the configuration, where it is read from."""
    program = "haproxy"

    def __init__(self, stage, configuration, values=None, port=None, env=None, more=None):
        self.more = more or {}
        super().__init__(stage, configuration, values, port, env)

    def write(self, text):
        super().write(text)
        for name, content in self.more.items():
            (self.dir / name).write_text(content if "\n" in str(content) else (ROOT / content).read_text())

    def argv(self):
        return ["-db", "-C", self.dir, "-f", self.config]


class Caddy(Gateway):
    program = "caddy"

    def write(self, text):
        self.config = self.dir / "Caddyfile"
        self.config.write_text(text)
        self.env = {**(self.env or {}), "HOME": str(self.dir), "XDG_DATA_HOME": str(self.dir), "XDG_CONFIG_HOME": str(self.dir)}

    def argv(self):
        return ["run", "--config", self.config, "--adapter", "caddyfile"]


# ---- HTTP as bytes -----------------------------------------------------------------------------------

def read_head(stream):
    """Everything up to the empty line, as it came; b"" at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline(1 << 20)
        if not line:
            return head
        if line in (b"\r\n", b"\n") and not head:
            continue
        head += line
        if line == b"\n":
            return head
    return head


def split_head(head):
    """First line and [(name, value)], as bytes, in their order; folded lines stay apart, with an empty name."""
    first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        headers.append((name, value.strip(b" \t")) if colon and line[:1] not in b" \t" else (b"", line))
    return first, headers


def read_body(stream, headers):
    if any(value.lower().endswith(b"chunked") for name, value in headers if name.lower() == b"transfer-encoding"):
        body = b""
        while True:
            size = int(stream.readline().split(b";")[0] or b"0", 16)
            body += stream.read(size)
            if size == 0:
                while stream.readline() not in (b"\r\n", b"\n", b""):
                    pass
                return body
            stream.readline()
    for name, value in headers:
        if name.lower() == b"content-length":
            return stream.read(int(value))
    return None


class Message:
    """A request or an answer, as it came."""

    def __init__(self, head, body=None):
        self.head, self.body = head, body
        self.line, self.headers = split_head(head)

    def all(self, name):
        """The values of a header, as text, in their order."""
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == name.lower().encode()]

    def one(self, name):
        """The value of a header; None: it is not there, or not once."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None


class Request(Message):
    def __init__(self, head, body=None):
        super().__init__(head, body)
        parts = self.line.split(b" ")
        self.method, self.target = parts[0], b" ".join(parts[1:-1])
        self.version = parts[-1]

    def __repr__(self):
        return f"<{self.line!r}>"


class Answer(Message):
    """`status` 0: the connection ended without an answer."""

    def __init__(self, head=b"", body=None):
        super().__init__(head, body)
        found = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})", self.line)
        self.status = int(found[1]) if found else 0

    def __repr__(self):
        return f"<{self.line!r}>"


class Client:
    """One connection to a gateway, on which any bytes can be sent."""

    def __init__(self, port, host="127.0.0.1", source="", deadline_s=DEADLINE_S):
        self.socket = socket.create_connection((host, port), timeout=deadline_s, source_address=(source, 0))
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass # it was refused before it was read; what was answered can be read still

    def head(self):
        """The next answer without its body, 1xx left out (but 101)."""
        answer = self.head_or_none()
        return answer if check(answer is not None, "an answer in time") else Answer()

    def head_or_none(self):
        """The same; None: nothing came in time. An answer of status 0: the connection has ended."""
        try:
            answer = Answer(read_head(self.stream))
            while 100 <= answer.status < 200 and answer.status != 101:
                answer = Answer(read_head(self.stream))
            return answer
        except TimeoutError:
            return None
        except OSError:
            return Answer()

    def with_body(self, answer, method=b"GET"):
        """It, once its body is read: None where that did not come to its end."""
        if not answer.status or method == b"HEAD" or answer.status in (101, 204, 304):
            return answer
        try:
            answer.body = read_body(self.stream, answer.headers)
            if answer.body is None:
                answer.body = self.stream.read()
        except (OSError, ValueError):
            answer.body = None
        return answer

    def answer(self, method=b"GET"):
        return self.with_body(self.head(), method)

    def ask(self, target, headers=(), method="GET", body=b"", host="shop.example", version="HTTP/1.1"):
        data = request(target, headers, method, body, host, version)
        self.send(data)
        return self.answer(as_bytes(method))


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def request(target, headers=(), method="GET", body=b"", host="shop.example", version="HTTP/1.1"):
    """The bytes of a request. `headers` is a dict or a list of pairs; nothing is checked, nothing escaped."""
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if host is not None:
        pairs.insert(0, ("Host", host))
    if body:
        pairs.append(("Content-Length", str(len(body))))
    lines = [as_bytes(method) + b" " + as_bytes(target) + b" " + as_bytes(version)]
    lines += [as_bytes(name) + b": " + as_bytes(value) for name, value in pairs]
    return b"\r\n".join(lines) + b"\r\n\r\n" + as_bytes(body)


def get(port, target, headers=(), **more):
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.ask(target, headers, **more)


def send_raw(port, data, finished=True):
    """Sends bytes as they are and gives all that is answered until the connection ends: [Answer]. `finished` says that nothing more
    will come."""
    with Client(port) as client:
        client.send(data)
        if finished:
            try:
                client.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        answers = []
        while True:
            answer = client.answer(data.split(b" ", 1)[0])
            if not answer.status:
                return answers
            answers.append(answer)


# ---- The site behind the gateway ---------------------------------------------------------------------

def accepted(request):
    """What RFC 6455 answers to a key."""
    key = as_bytes(request.one("sec-websocket-key") or "") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1(key).digest())


class Site:
    """A small site that answers every request with a page and keeps it, byte for byte, in `seen`. `/…/slow` is a download: its first
    half comes at once, the second when `flow` is set. Its answers hold `X-Site: 1`, so that nobody takes a gateway's for its. Whoever
    asks for another protocol gets it (101), and what comes then is kept too."""
    HALF = b"x" * 65536

    def __init__(self, stage):
        self.seen, self.flow, self.half_sent = collections.deque(), threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()
        stage.closers.append(self.close)

    def close(self):
        self.flow.set()
        self.listener.close()
        with lock:
            left = list(self.open)
        for s in left:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def take(self):
        """What it has seen since the last time."""
        seen = []
        while self.seen:
            seen.append(self.seen.popleft())
        return seen

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with lock:
                self.open.add(s)
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            with s, s.makefile("rb") as stream:
                while self.serve_one(s, stream):
                    pass
        except (OSError, ValueError):
            pass # the gateway went away
        finally:
            with lock:
                self.open.discard(s)

    def serve_one(self, s, stream):
        head = read_head(stream)
        if not head.strip():
            return False
        seen = Request(head)
        self.seen.append(seen) # before the body: it counts, whatever comes of it
        seen.body = read_body(stream, seen.headers)
        if seen.one("upgrade"):
            # A socket is the site's and the client's affair; HTTP in another guise is not.
            s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Site: 1\r\nConnection: Upgrade\r\nUpgrade: " +
                      as_bytes(seen.one("upgrade")) + b"\r\nSec-WebSocket-Accept: " + accepted(seen) + b"\r\n\r\n")
            return seen.one("upgrade") != "websocket"
        elif seen.target.split(b"?")[0].endswith(b"/slow"):
            self.download(s)
        else:
            page = b"page " + seen.target + b"\n"
            s.sendall(b"HTTP/1.1 200 OK\r\nX-Site: 1\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(page) +
                      (b"" if seen.method == b"HEAD" else page))
        last = seen.version == b"HTTP/1.0" or (seen.one("connection") or "").lower() == "close"
        return not last

    def download(self, s):
        s.sendall(b"HTTP/1.1 200 OK\r\nX-Site: 1\r\nContent-Length: %d\r\n\r\n" % (2 * len(self.HALF)) + self.HALF)
        self.half_sent.set()
        self.flow.wait(DEADLINE_S)
        s.sendall(self.HALF)
