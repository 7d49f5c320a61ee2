# SPDX-License-Identifier: Apache-2.0
"""A small identity provider: keys that it serves at `/keys` and rotates, and tokens that it signs by `jose`."""
import http.server
import json
import subprocess
import threading
import time
from support import check, need

ISSUER = "https://idp.example"


class Idp:
    def __init__(self, stage):
        need("jose")
        self.stage, self.keys, self.served = stage, {}, []
        self.status, self.asked = 200, 0
        self.port = None
        self.key("one")
        self.serve("one")
        self.begin()
        stage.closers.append(self.end)

    def begin(self):
        idp = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                idp.asked += 1
                body = json.dumps({"keys": [idp.public(kid) for kid in idp.served]}).encode()
                self.send_response(idp.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port or 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def end(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/keys"

    def jose(self, *args, data=None):
        done = subprocess.run(["jose", *map(str, args)], capture_output=True, text=True, input=data)
        check(done.returncode == 0, f"jose {args[0]} {args[1]}: {done.stderr}")
        return done.stdout.strip()

    def key(self, kid, like='{"kty":"EC","crv":"P-256"}'):
        """A new key, which is not served yet."""
        self.keys[kid] = json.loads(self.jose("jwk", "gen", "-i", like))

    def public(self, kid):
        hidden = ("d", "p", "q", "dp", "dq", "qi", "k")
        return {name: value for name, value in self.keys[kid].items() if name not in hidden} | {"kid": kid, "use": "sig"}

    def serve(self, *kids):
        self.served = list(kids)

    def sign(self, claims, kid="one", alg="ES256", typ=None, **header):
        """A token of exactly these claims."""
        head = {"alg": alg, "kid": kid} | ({"typ": typ} if typ else {}) | header
        key = self.stage.write(f"key-{kid}.json", json.dumps(self.keys[kid]))
        return self.jose("jws", "sig", "-I", "-", "-s", json.dumps({"protected": head}), "-k", key, "-c",
                         data=json.dumps(claims))

    def token(self, subject="alice", kid="one", **more):
        """A good one, but for what is told; a claim that is None is left out."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "shop", "exp": now + 600, "iat": now, "sub": subject, "auth_time": now - 10} | more
        return self.sign({name: value for name, value in claims.items() if value is not None}, kid)
