# SPDX-License-Identifier: Apache-2.0
"""What tests of AuthZEN over HTTP share: a PDP, inside pdpd or apart, and a PEP that asks it."""
import json
import subprocess

from support import BIN, Answer, Apart, Client, Pdpd, ours

JSON = ("Content-Type", "application/json")
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCH = "/access/v1/search/"


def inside():
    """Whether pdpd can run the adapter itself."""
    return "--http" in subprocess.run([ours("pdpd"), "--help"], capture_output=True, text=True).stdout


def searches():
    """Whether the engine searches."""
    return "Entities" in subprocess.run([ours("pdpctl"), "check", "policies/authzen-certification"], capture_output=True,
                                        text=True).stdout or b"Entities" in (BIN / "pdpctl").read_bytes()


class Pdp:
    """A daemon with the adapter, at `port`. `settings` are those of the adapter; `where` is `inside` or `apart`."""

    def __init__(self, stage, policies, settings, where="apart", name="pdpd", config="", **more):
        self.where = where
        if where == "inside":
            section = "".join(f"  {key}: {yaml(value)}\n" for key, value in settings.items())
            self.pdpd = Pdpd(stage, policies, config=f"{config}http:\n  listen: [\"127.0.0.1:0\"]\n{section}", name=name, **more)
            self.port, self.child = self.pdpd.ports["http"], self.pdpd.child
        else:
            self.pdpd = Pdpd(stage, policies, name=name, config=config, **more)
            flags = [text for key, value in settings.items() for one in (value if isinstance(value, list) else [value])
                     for text in (f"--{key}", str(one))]
            self.apart = Apart(stage, "pdp-http", self.pdpd, *flags)
            self.port, self.child = self.apart.port, self.apart.child


def yaml(value):
    return json.dumps(value if isinstance(value, list) else str(value))


class Reply:
    """An answer of HTTP, with its JSON where it is some."""

    def __init__(self, answer):
        self.answer, self.status = answer, answer.status
        kind = (answer.one("content-type") or "").split(";")[0]
        self.json = json.loads(answer.body) if kind == "application/json" and answer.body else None
        self.text = (answer.body or b"").decode(errors="replace")

    def decisions(self):
        """What was decided: a bool, or a list of them; else None."""
        if self.json is None:
            return None
        if "evaluations" in self.json:
            return [one.get("decision") for one in self.json["evaluations"]]
        return self.json.get("decision")

    def found(self):
        """What a search found: pairs of type and id, or names."""
        if self.json is None or not isinstance(self.json.get("results"), list):
            return None
        return [one["name"] if "name" in one else (one["type"], one["id"]) for one in self.json["results"]]

    def __repr__(self):
        return f"<{self.status} {self.text[:300]}>"


class Pep:
    """Asks on one connection that is kept."""

    def __init__(self, port, token=None):
        self.port, self.token, self.client = port, token, None

    def send(self, path, body, headers=(JSON,), method="POST"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = list(headers) + ([("Authorization", f"Bearer {self.token}")] if self.token else [])
        for again in (False, True):
            fresh = self.client is None
            self.client = self.client or Client(self.port)
            answer = self.client.ask(path, headers, method=method, body=data)
            if answer.status == 0 or (answer.one("connection") or "").lower() == "close":
                self.client.close()
                self.client = None
            if answer.status or fresh:
                return Reply(answer)
        return Reply(Answer())

    def close(self):
        if self.client:
            self.client.close()
        self.client = None
