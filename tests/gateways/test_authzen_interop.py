# SPDX-License-Identifier: Apache-2.0
"""The decisions of AuthZEN's interoperability scenarios, over HTTP: the todo application, gateways, an identity provider, search.
The vectors lie beside the sources (`../shared/conformance/authzen`); without them there is nothing to compare with."""
import json
import os
import pathlib

from authzen import EVALUATION, EVALUATIONS, SEARCH, Pdp, Pep
from support import ROOT, Stage, check, finish, skip

VECTORS = pathlib.Path(os.environ.get("PDP_SHARED", ROOT.parent / "shared")) / "conformance/authzen"
TODO = "authzen-todo-backend__test__decisions-authorization-api-1_0-02.json"
GATEWAYS = "authzen-api-gateways__test-harness__test__decisions.json"
IDP = "authzen-idp__test-harness__src__results.json"

# folder, vectors: (file, its list, path of the endpoint), how many there are at least
SCENARIOS = [
    ("todo", [(TODO, "evaluation", EVALUATION), (TODO, "evaluations", EVALUATIONS)], 43),
    ("gateways", [(GATEWAYS, "evaluation", EVALUATION)], 25),
    ("idp", [(IDP, "search", SEARCH + "resource")], 6),
    ("search", [(f"search-{kind}.json", "evaluation", SEARCH + kind) for kind in ("subject", "resource", "action")], 190),
]


def right(reply, expected):
    if isinstance(expected, bool):
        return reply.decisions() is expected
    if isinstance(expected, list):
        return reply.decisions() == [one["decision"] for one in expected]
    found = reply.found()
    return found is not None and sorted(found) == sorted(
        one["name"] if "name" in one else (one["type"], one["id"]) for one in expected["results"])


def play(stage, name, vectors, least):
    folder = ROOT / "policies/authzen-interop" / name
    if not folder.exists():
        print(f"there is no folder of {name} yet", flush=True)
        return
    pep, asked = Pep(Pdp(stage, folder, {"open": "true"}, name=f"pdpd-{name}").port), 0
    for file, key, path in vectors:
        for vector in json.loads((VECTORS / file).read_text())[key]:
            reply = pep.send(path, vector["request"])
            check(reply.status == 200 and right(reply, vector["expected"]),
                  f"{name}: {json.dumps(vector['request'])}: {vector['expected']}, not {reply}")
            asked += 1
    check(asked >= least, f"{name}: {asked} vectors")
    pep.close()


if not VECTORS.exists():
    skip("the vectors are not here")
with Stage() as main:
    for scenario in SCENARIOS:
        play(main, *scenario)
finish()
