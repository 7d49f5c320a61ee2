# SPDX-License-Identifier: Apache-2.0
"""The obligations profile of AuthZEN over HTTP: there where it is asked for by the settings, and not otherwise."""
import time

from authzen import EVALUATION, EVALUATIONS, Pdp, Pep, inside
from support import Stage, check, finish

POLICIES = {"web.yaml": """apiVersion: pdp/v1
kind: Strengths
metadata: {name: proofs}
levels:
  - {name: password, proves: '"pwd" in session.amr', ask: {acr_values: [aal1]}}
  - {name: mfa, proves: '"mfa" in session.amr', ask: {acr_values: ["urn:example:loa:2", "urn:example:loa:3"]}}
---
apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: read, effect: allow, actions: [read, pay, mark]}
  - {id: pay, effect: step_up, actions: [pay], require: {strength: mfa, max_age: 15m}}
  - {id: steal, effect: terminate, actions: [steal]}
  - id: mark
    effect: allow
    actions: [mark]
    obligations: [{type: watermark, properties: {text: secret}}, {type: notification, properties: {to: soc, body: seen}}]
"""}
STEP_UP = {"id": "obl-1", "type": "step-up", "properties": {"acr_value": "urn:example:loa:2", "max_age": 900}}
END = {"id": "obl-1", "type": "session_termination", "properties": {"subject": "alice"}}
RULED = [{"id": "obl-1", "type": "custom", "properties": {"type": "watermark", "properties": {"text": "secret"}}},
         {"id": "obl-2", "type": "notification", "properties": {"to": "soc", "body": "seen"}}]
METADATA = "/.well-known/authzen-configuration"


def ask(action, session, *can):
    return {"subject": {"type": "user", "id": "alice"}, "action": {"name": action}, "resource": {"type": "page", "id": "1"},
            "context": {"session": {"id": session, "auth_time": int(time.time()), "amr": ["pwd"]}, **({"supported_obligations": list(can[0])} if can else {})}}


def obliged(reply):
    return reply.json["context"].get("obligations")


def run(where):
    with Stage() as stage:
        pdp = Pdp(stage, POLICIES, {"open": "true", "obligations": "true", "issuer": "https://pdp.example"}, where, name="pdpd-with", state=True)
        pep = Pep(pdp.port)
        reply = pep.send(EVALUATION, ask("read", "s-1"))
        check(reply.decisions() is True and obliged(reply) is None, f"nothing to do: {reply}")
        reply = pep.send(EVALUATION, ask("pay", "s-1"))
        check(reply.decisions() is False and obliged(reply) == [STEP_UP], f"a step-up: {reply}")
        check(reply.json["context"]["require"]["acr_values"] == ["urn:example:loa:2", "urn:example:loa:3"], f"the rest stays: {reply}")
        reply = pep.send(EVALUATION, ask("pay", "s-1", ["step-up", "unheard-of"]))
        check(obliged(reply) == [STEP_UP], f"to one that can: {reply}")
        reply = pep.send(EVALUATION, ask("pay", "s-1", ["notification"]))
        check(reply.decisions() is False and obliged(reply) is None, f"to one that cannot, a deny: {reply}")
        reply = pep.send(EVALUATION, ask("mark", "s-1", []))
        check(reply.decisions() is True and obliged(reply) == RULED, f"obligations of rules: {reply}")
        batch = {"evaluations": [ask("read", "s-1"), ask("pay", "s-1"), ask("mark", "s-1")]}
        reply = pep.send(EVALUATIONS, batch)
        check([one["context"].get("obligations") for one in reply.json["evaluations"]] == [None, [STEP_UP], RULED], f"each item: {reply}")
        reply = pep.send(EVALUATION, ask("steal", "s-1"))
        check(reply.decisions() is False and obliged(reply) == [END], f"the end: {reply}")
        reply = pep.send(EVALUATION, ask("read", "s-1"))
        check(reply.decisions() is False and reply.json["context"]["code"] == "terminated", f"it stays: {reply}")
        supported = pep.send(METADATA, b"", [], "GET").json["supported_obligations"]
        check(sorted(supported) == ["custom", "notification", "session_termination", "step-up"], f"{supported}")
        pep.close()

        pep = Pep(Pdp(stage, POLICIES, {"open": "true", "issuer": "https://pdp.example"}, where, name="pdpd-without").port)
        check(obliged(pep.send(EVALUATION, ask("pay", "s-1"))) == [], "without the setting there are none of the profile")
        check("supported_obligations" not in pep.send(METADATA, b"", [], "GET").json, "nor in the metadata")
        pep.close()


run("apart")
if inside():
    run("inside")
finish()
