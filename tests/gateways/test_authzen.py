# SPDX-License-Identifier: Apache-2.0
"""AuthZEN 1.0 over HTTP: every case of its certification scenario (Basic, Batch, Search, Discovery), what the conformance suite
knows beyond it, and every kind of request that is none."""
import json
import pathlib

from authzen import EVALUATION, EVALUATIONS, JSON, SEARCH, Pdp, Pep, inside
from support import ROOT, Stage, check, finish, get, send_raw

FIXTURE = "policies/authzen-certification"
ISSUER = "https://pdp.example.com"


def user(name, **properties):
    return {"type": "user", "id": name, **({"properties": properties} if properties else {})}


def record(name, **properties):
    return {"type": "record", "id": name, **({"properties": properties} if properties else {})}


def act(name, **properties):
    return {"name": name, **({"properties": properties} if properties else {})}


def ask(subject, action, resource, **more):
    return {"subject": subject, "action": action, "resource": resource, **more}


ALICE, BOB, ADMIN = user("alice"), user("bob"), user("bob", role="admin")
READ, WRITE, ONE, OLD = act("read"), act("write"), record("record-1"), record("record-2", status="archived")
NOW = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}

# c-2-2: request, decision
EVALUATION_CASES = [
    ("c-2-2-1", ask(ALICE, READ, ONE), True),
    ("c-2-2-2", ask(BOB, WRITE, ONE), False),
    ("c-2-2-3", ask(ALICE, READ, ONE, context=NOW), True),
    ("c-2-2-4", ask(ALICE, WRITE, OLD), False),
    ("c-2-2-5", ask(ADMIN, WRITE, OLD), True),
    ("c-2-2-6", ask(ALICE, act("delete", soft=True), ONE), True),
    ("c-2-2-7", ask(ALICE, act("delete", soft=False), ONE), False),
    ("c-2-2-8", ask(user("alice", department="Sales", role="manager"), act("read", method="GET"),
                    record("record-1", status="active", owner="bob")), True),
    ("c-2-2-9", ask(ALICE, READ, ONE, foo="bar", futureField={"nested": True}), True),
    ("rule 2", ask(ALICE, WRITE, ONE), True),
    ("rule 3", ask(BOB, READ, ONE), True),
    ("suite: record-2 is read", ask(ALICE, READ, record("record-2")), True),
    ("an event's key is an unknown field", ask(ALICE, READ, ONE, event={"type": "logout"}, hits=[1], search="subject"), True),
    ("so is a batch's", ask(ALICE, READ, ONE, evaluations=[ask(BOB, WRITE, ONE)], options={"evaluations_semantic": "x"}), True),
    ("a gateway in the body is nobody", ask(ALICE, READ, ONE, gateway="edge"), True),
    ("a list that is empty", ask(user("alice", roles=[]), READ, ONE), True),
    ("nothing that reads", ask({"type": "robot", "id": "alice"}, READ, ONE), False),
]

STOP, GO = {"evaluations_semantic": "deny_on_first_deny"}, {"evaluations_semantic": "permit_on_first_permit"}
ALL = {"evaluations_semantic": "execute_all"}

# c-3-2, c-3-4: request, decisions (None: not looked at)
BATCH_CASES = [
    ("c-3-2-1", {"subject": ALICE, "action": READ, "evaluations": [{"resource": ONE}, {"resource": record("record-2")}]},
     [True, None]),
    ("c-3-2-2", {"subject": BOB, "resource": ONE, "evaluations": [{"action": READ}, {"action": WRITE}]}, [True, False]),
    ("c-3-2-3", {"subject": ALICE, "action": WRITE, "evaluations": [{"resource": record("record-1", status="active")},
                                                                   {"resource": OLD}]}, [True, False]),
    ("c-3-2-4", {"action": WRITE, "resource": OLD, "evaluations": [{"subject": ALICE}, {"subject": ADMIN}]}, [False, True]),
    ("c-3-2-5", {"evaluations": [ask(ALICE, READ, ONE), ask(BOB, WRITE, ONE)]}, [True, False]),
    ("c-3-2-6", {"subject": ALICE, "action": READ, "context": {"time": NOW["time"]},
                 "evaluations": [{"resource": ONE}, {"resource": record("record-2"),
                                                    "context": {"time": NOW["time"], "source": "batch-override"}}]}, [True, None]),
    ("c-3-2-7", {"subject": ALICE, "action": WRITE, "resource": record("record-1", status="active"),
                 "evaluations": [{}, {"resource": OLD}]}, [True, False]),
    ("c-3-4-1", {"subject": ALICE, "action": READ, "options": ALL, "evaluations": [{"resource": ONE}, {}]}, [True, False]),
    ("c-3-4-2", ask(ALICE, READ, ONE), True),
    ("c-3-4-3", ask(ALICE, READ, ONE, evaluations=[]), True),
    ("suite: an item without anybody", {"action": READ, "resource": ONE, "evaluations": [{}]}, [False]),
    ("an item whose type is wrong", {"action": READ, "resource": ONE, "evaluations": [{"subject": "alice"}, {"subject": ALICE}]},
     [False, True]),
    ("stops at the first deny", {"subject": BOB, "resource": ONE, "options": STOP,
                                 "evaluations": [{"action": READ}, {"action": WRITE}, {"action": READ}]}, [True, False]),
    ("stops at the first permit", {"subject": BOB, "resource": ONE, "options": GO,
                                   "evaluations": [{"action": WRITE}, {"action": READ}, {"action": READ}]}, [False, True]),
    ("no deny stops nothing", {"subject": BOB, "action": READ, "options": STOP,
                               "evaluations": [{"resource": ONE}, {"resource": ONE}]}, [True, True]),
    ("whole objects replace", {"subject": BOB, "action": READ, "resource": {"type": "record"},
                               "evaluations": [{"resource": {"id": "record-1"}}, {"resource": ONE}]}, [False, True]),
]

# c-4: endpoint, request, what has to be found (None: nothing may be)
SEARCH_CASES = [
    ("c-4-2-1", "subject", ask({"type": "user"}, READ, ONE), [("user", "alice"), ("user", "bob")]),
    ("c-4-2-2", "subject", ask({"type": "user"}, READ, ONE, context=NOW), [("user", "alice"), ("user", "bob")]),
    ("c-4-2-3", "subject", ask(ALICE, READ, ONE), [("user", "alice"), ("user", "bob")]),
    ("c-4-2-4", "subject", ask({"type": "user"}, WRITE, OLD), [("user", "bob")]),
    ("c-4-3-1", "resource", ask(ALICE, READ, {"type": "record"}), [("record", "record-1")]),
    ("c-4-3-2", "resource", ask(ALICE, READ, {"type": "record"}, context=NOW), [("record", "record-1")]),
    ("c-4-3-3", "resource", ask(ALICE, READ, ONE), [("record", "record-1")]),
    ("c-4-3-4", "resource", ask(ADMIN, WRITE, {"type": "record"}), [("record", "record-2")]),
    ("c-4-4-1", "action", {"subject": ALICE, "resource": ONE}, ["read", "write"]),
    ("c-4-4-2", "action", {"subject": ALICE, "resource": ONE, "context": NOW}, ["read", "write"]),
    ("c-4-4-3", "action", {"subject": ADMIN, "resource": OLD}, ["write"]),
    ("an action that is there is not read", "action", ask(ALICE, act("nothing"), ONE), ["read", "write"]),
    ("c-4-6-1", "action", {"subject": user("nonexistent-user"), "resource": ONE}, None),
    ("c-4-6-1 of subjects", "subject", ask({"type": "user"}, READ, record("nothing")), None),
    ("c-4-6-1 of resources", "resource", ask(user("nonexistent-user"), READ, {"type": "record"}), None),
    ("c-4-6-2", "subject", ask({"type": "spaceship"}, READ, ONE), None),
    ("c-4-6-2 of resources", "resource", ask(ALICE, READ, {"type": "spaceship"}), None),
    ("c-4-6-2 of actions", "action", {"subject": {"type": "spaceship", "id": "x"}, "resource": ONE}, None),
]

# c-2-4, c-4-7: what is no request. Path, body, what the text names.
GOOD = ask(ALICE, READ, ONE)


def lacking(field, part=None):
    body = json.loads(json.dumps(GOOD))
    if part is None:
        del body[field]
    else:
        del body[field][part]
    return body


def changed(field, value, part=None):
    body = json.loads(json.dumps(GOOD))
    if part is None:
        body[field] = value
    else:
        body[field][part] = value
    return body


INVALID = [
    *[(f"without {field}", lacking(field), field) for field in ("subject", "action", "resource")],
    *[(f"without {field}.{part}", lacking(field, part), f"{field}.{part}") for field, part in
      (("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id"))],
    *[(f"{field} is {value!r}", changed(field, value), field) for field in ("subject", "action", "resource", "context")
      for value in ("alice", 123, True, ["a"])],
    *[(f"{field}.{part} is {value!r}", changed(field, value, part), f"{field}.{part}") for field, part in
      (("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id"))
      for value in (123, None, True, ["a"], {}, "", "x" * 16385)],
    *[(f"{field}.properties is {value!r}", changed(field, value, "properties"), f"{field}.properties")
      for field in ("subject", "action", "resource") for value in ("x", 1, [1])],
    ("a tenant that is no text", changed("tenant", 5), "tenant"),
    ("nothing at all", {}, "subject"),
]
NOT_JSON = [
    ("empty", b""), ("blanks", b" \r\n\t"), ("a list", b"[]"), ("a list of a request", json.dumps([GOOD]).encode()),
    ("a text", b'"subject"'), ("a number", b"1"), ("null", b"null"), ("true", b"true"), ("cut off", json.dumps(GOOD).encode()[:-1]),
    ("something behind it", json.dumps(GOOD).encode() + b"x"), ("two objects", json.dumps(GOOD).encode() * 2),
    ("single quotes", b"{'subject': 1}"), ("a comma too many", b'{"subject": {"type": "user", "id": "alice"},}'),
    ("a comment", b"{/* x */}"), ("a key that is there twice", b'{"subject": 1, "subject": 2}'),
    ("the same, escaped", b'{"subject": 1, "sub\\u006aect": 2}'), ("no UTF-8", b'{"subject": "\xff"}'),
    ("a lone surrogate", b'{"subject": "\\ud800"}'), ("a NUL in a key", b'{"a\\u0000b": 1}'), ("NaN", b'{"a": NaN}'),
    ("too large a number", b'{"a": 1e999}'), ("too large an integer", b'{"a": 99999999999999999999}'),
    ("too deep", b'{"a":' * 17 + b"1" + b"}" * 17), ("a mark of byte order", b"\xef\xbb\xbf" + json.dumps(GOOD).encode()),
    ("CBOR", b"\xa1\x67subject\x01"), ("a form", b"subject=alice"),
]
TYPES = ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/json-patch+json", "json",
         "application/cbor", "", "text/plain; application/json"]


def certification(pep):
    for name, body, expected in EVALUATION_CASES:
        reply = pep.send(EVALUATION, body)
        check(reply.status == 200 and reply.decisions() is expected, f"{name}: {expected}, not {reply}")
        check(reply.answer.one("content-type") == "application/json" and reply.answer.one("cache-control") == "no-store",
              f"{name}: the headers of {reply.answer.headers}")
        check(isinstance(reply.json.get("context"), dict), f"{name}: the context is an object")
    for name, body, expected in BATCH_CASES:
        reply = pep.send(EVALUATIONS, body)
        decided = reply.decisions()
        if isinstance(expected, bool):
            check(reply.status == 200 and decided is expected and "evaluations" not in reply.json, f"{name}: {reply}")
            continue
        right = isinstance(decided, list) and len(decided) == len(expected) and all(
            one is other if other is not None else isinstance(one, bool) for one, other in zip(decided, expected))
        check(reply.status == 200 and right and "decision" not in reply.json, f"{name}: {expected}, not {reply}")
    # c-2-6
    for _ in range(5):
        check(pep.send(EVALUATION, GOOD).decisions() is True, "c-2-6: the same each time")


def request_ids(pep):
    for path, body, status in ((EVALUATION, GOOD, 200), (EVALUATION, {}, 400), ("/nowhere", GOOD, 404), (EVALUATIONS, GOOD, 200)):
        for value in ("bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "x", "a b  c", "\xe4\xf6", "1" * 300, '"quoted"'):
            reply = pep.send(path, body, [JSON, ("X-Request-ID", value)])
            check(reply.status == status and reply.answer.all("x-request-id") == [value], f"c-2-5-1: {value!r} comes back: {reply}")
        check(pep.send(path, body).answer.all("x-request-id") == [], "c-2-5-2")
    reply = pep.send(EVALUATION, GOOD, [JSON, ("X-Request-ID", "mine")])
    check(reply.json["context"].get("request_id") != "mine", "it is not what makes a question known again")


def invalid(pep):
    for path in (EVALUATION, EVALUATIONS):
        for name, body, names in INVALID:
            reply = pep.send(path, body)
            check(reply.status == 400 and names in reply.text and len(reply.text) >= len(names) + 12, f"{path}: {name}: {reply}")
        for name, body in NOT_JSON:
            reply = pep.send(path, body)
            check(reply.status == 400 and len(reply.text) > 20, f"{path}: {name}: {reply}")
        for kind in TYPES:
            reply = pep.send(path, GOOD, [("Content-Type", kind)])
            check(reply.status == 400 and "application/json" in reply.text, f"{path}: {kind}: {reply}")
        check(pep.send(path, GOOD, []).status == 400, f"{path}: no content type")
        check(pep.send(path, GOOD, [JSON, JSON]).status == 400, f"{path}: two content types")
        for kind in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8;x=y", "application/json ;"):
            check(pep.send(path, GOOD, [("Content-Type", kind)]).decisions() is True, f"{path}: {kind}")
        for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "post", "TRACE", "X"):
            reply = pep.send(path, GOOD, method=method)
            check(reply.status == 405 and reply.answer.one("allow") == "POST", f"{path}: {method}: {reply}")
    for semantic in ("execute_some", "", 1, None, ["execute_all"]):
        reply = pep.send(EVALUATIONS, {"subject": ALICE, "action": READ, "options": {"evaluations_semantic": semantic},
                                       "evaluations": [{"resource": ONE}]})
        check(reply.status == (200 if semantic is None else 400), f"the semantic {semantic!r}: {reply}")
    for value in ("x", 1, {}):
        check(pep.send(EVALUATIONS, ask(ALICE, READ, ONE, evaluations=value)).status == 400, f"evaluations are {value!r}")
    many = pep.send(EVALUATIONS, {"subject": ALICE, "action": READ, "evaluations": [{"resource": ONE}] * 257})
    check(many.status == 400, f"too many items: {many}")
    for path in ("/", "/access", "/access/v1", EVALUATION + "/", EVALUATION + "/x", "//access/v1/evaluation", "/a%63cess/v1/evaluation",
                 "/x/y" + EVALUATION, "/%2e" + EVALUATION, "/.." + EVALUATION, "/Access/v1/evaluation", "/access/v1/search"):
        check(pep.send(path, GOOD).status == 404, f"{path} is nowhere")
    check(pep.send(EVALUATION + "?a=b", GOOD).decisions() is True, "a query says nothing")


def search(pep):
    for name, kind, body, expected in SEARCH_CASES:
        reply = pep.send(SEARCH + kind, body)
        found = reply.found()
        right = found is not None and (found == [] if expected is None else set(expected) <= set(found))
        check(reply.status == 200 and right and "decision" not in reply.json, f"{name}: {expected}, not {reply}")
        if kind != "action" and found:
            check(all(one[0] == body[kind]["type"] for one in found), f"{name}: only what was searched: {reply}")
    for name, kind, body in (("without action", "subject", ask({"type": "user"}, READ, ONE)),
                             ("without subject", "resource", ask(ALICE, READ, {"type": "record"})),
                             ("without resource", "action", {"subject": ALICE, "resource": ONE})):
        check(pep.send(SEARCH + kind, {key: value for key, value in body.items() if key != name.split()[1]}).status == 400,
              f"c-4-7-1: {kind} {name}")
    for kind, body in (("subject", ask({"type": "user"}, READ, {"type": "record"})),
                       ("resource", ask({"type": "user"}, READ, {"type": "record"})),
                       ("action", {"subject": {"type": "user"}, "resource": ONE})):
        check(pep.send(SEARCH + kind, body).status == 400, f"c-4-7-2: {kind}")
    first = pep.send(SEARCH + "subject", ask({"type": "user"}, READ, ONE, page={"limit": 1}))
    check(first.status == 200 and isinstance(first.json["page"]["next_token"], str), f"c-4-5-1: {first}")
    token, found = first.json["page"]["next_token"], first.found()
    for _ in range(10):
        if not token:
            break
        more = pep.send(SEARCH + "subject", ask({"type": "user"}, READ, ONE, page={"limit": 1, "token": token}))
        check(more.status == 200 and isinstance(more.json["page"]["next_token"], str), f"c-4-5-2: {more}")
        token, found = more.json["page"]["next_token"], found + more.found()
    check(token == "" and {("user", "alice"), ("user", "bob")} <= set(found) and len(found) == len(set(found)), f"pages: {found}")
    if first.json["page"]["next_token"]:
        other = pep.send(SEARCH + "subject", ask({"type": "user"}, WRITE, ONE, page={"limit": 1, "token": first.json["page"]["next_token"]}))
        check(other.status == 400, f"a token is of one search: {other}")


def discovery(pep):
    for tenant in ("", "/tenant1", "/a.b-c_d~e"):
        reply = pep.send("/.well-known/authzen-configuration" + tenant, b"", [], "GET")
        base = ISSUER + tenant
        expected = {"policy_decision_point": base, "access_evaluation_endpoint": base + EVALUATION,
                    "access_evaluations_endpoint": base + EVALUATIONS,
                    **{f"search_{kind}_endpoint": base + SEARCH + kind for kind in ("subject", "resource", "action")},
                    "capabilities": ["urn:example:one", "urn:example:two"]}
        check(reply.status == 200 and reply.json == expected, f"c-6: {tenant}: {reply}")
        check(reply.answer.one("content-type") == "application/json", "c-6-2")
    for tenant in ("/a/b", "/", "/a%2fb", "/..", "/a;b"):
        check(pep.send("/.well-known/authzen-configuration" + tenant, b"", [], "GET").status == 404, f"no tenant: {tenant}")
    reply = pep.send("/.well-known/authzen-configuration", b"", [], "HEAD")
    check(reply.status == 200 and int(reply.answer.one("content-length")) > 100, f"HEAD: {reply}")
    reply = pep.send("/.well-known/authzen-configuration", b"", [], "POST")
    check(reply.status == 405 and reply.answer.one("allow") == "GET, HEAD", f"POST: {reply}")


def tenants(pep):
    check(pep.send("/acme" + EVALUATION, ask(ALICE, act("whose"), ONE)).decisions() is True, "the tenant of the path is judged")
    check(pep.send("/other" + EVALUATION, ask(ALICE, act("whose"), ONE, tenant="acme")).decisions() is False, "and no other")
    check(pep.send(EVALUATION, ask(ALICE, act("whose"), ONE, tenant="acme")).decisions() is True, "else that of the question")


def run(where):
    with Stage() as stage:
        policies = {path.name: path.read_text() for path in (ROOT / FIXTURE).glob("*.yaml")}
        policies["whose.yaml"] = """apiVersion: pdp/v1
kind: Policy
metadata: {name: whose}
rules:
  - {id: acme, effect: allow, actions: [whose], when: tenant == "acme"}
"""
        settings = {"open": "true", "issuer": ISSUER, "capability": ["urn:example:one", "urn:example:two"]}
        pep = Pep(Pdp(stage, policies, settings, where).port)
        certification(pep)
        request_ids(pep)
        invalid(pep)
        discovery(pep)
        tenants(pep)
        if any("kind: Entities" in text for text in policies.values()):
            search(pep)
        pep.close()


run("apart")
if inside():
    run("inside")
finish()
