# SPDX-License-Identifier: Apache-2.0
"""What tests of the Envoy adapter share: a real gRPC client (node, @grpc/grpc-js) of Envoy's published protocol, CheckRequests as Envoy
makes them, and certificates."""
import base64
import json
import shutil
import subprocess
import threading

from support import BUILD, DEADLINE_S, ROOT, check, skip, wait

HERE = ROOT / "tests/gateways/grpc"
PATIENT = ("--deadline", "20s") # no machine is too slow for that


def node_modules():
    """The client's packages, installed once a build folder; where they cannot be had the test is skipped."""
    if not shutil.which("node") or not shutil.which("npm"):
        skip("node and npm are not installed")
    folder = BUILD / "grpc"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_text()
    done = folder / "done"
    if not done.exists() or done.read_text() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        npm = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"], cwd=folder,
                             capture_output=True, text=True, timeout=240)
        if npm.returncode != 0:
            skip("npm has no @grpc/grpc-js for us: " + npm.stderr.strip()[-300:])
        done.write_text(lock)
    return folder / "node_modules"


class Grpc:
    """The client. `call` and `many` wait for the result; `start` gives something to wait for later."""

    def __init__(self, stage, address, *certificates):
        self.process = subprocess.Popen(["node", HERE / "client.mjs", node_modules(), address, *map(str, certificates)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.results, self.last, self.change = {}, 0, threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        stage.closers.append(self.close)

    def read(self):
        for line in self.process.stdout:
            result = json.loads(line)
            with self.change:
                self.results[result.pop("id")] = result
                self.change.notify_all()

    def start(self, **told):
        with self.change:
            self.last += 1
            self.process.stdin.write(json.dumps({"id": self.last, **told}) + "\n")
            self.process.stdin.flush()
            return self.last

    def result(self, number):
        with self.change:
            if not self.change.wait_for(lambda: number in self.results, DEADLINE_S):
                check(False, f"call {number} comes to an end")
                return {}
            return self.results.pop(number)

    def call(self, request, **told):
        """The CheckResponse, or {"error": {"code": …}}."""
        result = self.result(self.start(request=request, **told))
        return result.get("response", result)

    def many(self, request, times, **told):
        """How many of `times` at once ended how: {"status 0": 10, "error 4": 1}."""
        return self.result(self.start(request=request, times=times, **told)).get("counts", {})

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def asked(path="/open", method="GET", headers=None, address="192.0.2.7", host="shop.example", extensions=None, raw=None,
          principal=None):
    """A CheckRequest as Envoy makes it; `raw` are headers in the form of `encode_raw_headers`."""
    http = {"id": "7", "method": method, "path": path, "host": host, "scheme": "http", "protocol": "HTTP/1.1", "size": -1}
    if raw is None:
        http["headers"] = {":method": method, ":path": path, ":authority": host, "x-request-id": "r-1",
                           "user-agent": "curl/8", **(headers or {})}
    else:
        http["header_map"] = {"headers": [{"key": key, "raw_value": base64.b64encode(value).decode()} for key, value in
                                          [("user-agent", b"curl/8"), *raw]]}
    source = {"address": {"socket_address": {"address": address, "port_value": 41000}}}
    if principal:
        source["principal"] = principal
    return {"attributes": {"source": source, "destination": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 80}}},
                           "request": {"time": {"seconds": 1795370000}, "http": http},
                           "context_extensions": extensions or {}}}


def code(response):
    """The status of a CheckResponse: 0 is the only one that opens."""
    return response.get("status", {}).get("code", 0) if "error" not in response else f"error {response['error']['code']}"


def status(response):
    """The HTTP status that a client of Envoy would see; 200 stands for the site's own."""
    return 200 if code(response) == 0 else response.get("denied_response", {}).get("status", {}).get("code")


def headers(response):
    part = response.get("ok_response") or response.get("denied_response") or {}
    return {option["header"]["key"]: option["header"].get("value", "") for option in part.get("headers", [])}


def metadata(response):
    fields = response.get("dynamic_metadata", {}).get("fields", {})
    return {name: next(iter({k: v for k, v in value.items() if k != "kind"}.values()), None) for name, value in fields.items()}


def certificates(folder):
    """A CA, a server's certificate for localhost, a gateway's, and a stranger's, by openssl."""
    def run(*argv):
        done = subprocess.run(["openssl", *map(str, argv)], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"openssl {' '.join(map(str, argv))}: {done.stderr}")

    def authority(name):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout", f"{name}.key",
            "-out", f"{name}.crt", "-subj", f"/CN={name}")

    def leaf(name, san, ca):
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "30", "-out",
            f"{name}.crt", "-extfile", f"{name}.ext")

    authority("ca")
    authority("others")
    leaf("server", "DNS:localhost,IP:127.0.0.1", "ca")
    leaf("fresh", "DNS:localhost,IP:127.0.0.1", "ca")
    leaf("edge", "DNS:edge-1.example", "ca")
    leaf("stranger", "DNS:edge-1.example", "others")
    return folder
