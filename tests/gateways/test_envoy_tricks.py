# SPDX-License-Identifier: Apache-2.0
"""The targets and headers of tricks.py as Envoy hands them over: what an OK lets Envoy forward is what was judged, however a server
reads it, and nothing that only gateways may say is left of the client's. Envoy's own reading of HTTP is not tried here."""
from envoy import PATIENT, Grpc, asked, code, headers
from support import Apart, Pdpd, Stage, check, finish
from test_tricks import OF_PDP, POLICY, folder, readings
from tricks import TRICKS


def taken(row):
    """The row as Envoy would have taken it: method, target, headers; None where that is for its parser."""
    parts = row.lines[0].split(b" ") if row.lines else []
    fields = [line.partition(b":") for line in row.lines[1:]]
    plain = all(colon and name == name.strip() and name for name, colon, _ in fields)
    hosts = [value.strip() for name, _, value in fields if name.lower() == b"host"]
    known = len(parts) == 3 and parts[2] in (b"HTTP/1.0", b"HTTP/1.1")
    if row.raw is not None or row.source != "127.0.0.1" or not known or not plain or len(hosts) != 1:
        return None
    return parts[0], parts[1], hosts[0], [(name.decode("latin-1").lower(), value.strip()) for name, _, value in fields]


def forwarded(response, target):
    """What the site would get: the target, and which of the client's own headers are left."""
    told = headers(response)
    gone = set(response["ok_response"].get("headers_to_remove", [])) | set(told)
    return told.get(":path", target), gone


def play(grpc, row):
    method, target, host, fields = taken(row)
    try:
        texts = [part.decode() for part in (target, method, host)]
    except UnicodeDecodeError:
        return None # Envoy hands on no text that is none: it puts `!` there
    response = grpc.call(asked(texts[0], texts[1], host=texts[2], address="127.0.0.1", raw=fields))
    if code(response) != 0:
        return False
    site, gone = forwarded(response, texts[0])
    check({f"x-pdp-{name}" for name in OF_PDP} <= gone, f"{row.name}: only we say x-pdp-…: {gone}")
    path = site.encode().split(b"?")[0]
    check(site.partition("?")[1:] == texts[0].partition("?")[1:], f"{row.name}: the query stays: {site}")
    check({folder(reading) for reading in readings(path)} == {folder(path)}, f"{row.name}: {site} can be read in one way alone")
    check(folder(path) in (b"public", b"vhost"), f"{row.name}: {site} is open to all")
    if row.path is not None:
        check(path == row.path, f"{row.name}: {site} is {row.path}")
    return True


def simple(row):
    """Nothing but the target is odd."""
    return len(row.lines) == 2


with Stage() as stage:
    pdpd = Pdpd(stage, {"site.yaml": POLICY})
    adapter = Apart(stage, "pdp-ext-authz", pdpd, *PATIENT, "--session", "cookie:sid")
    grpc = Grpc(stage, f"127.0.0.1:{adapter.port}")
    played = 0
    for row in TRICKS:
        if taken(row) is None:
            continue
        let = play(grpc, row)
        played += let is not None
        if let is not None and simple(row) and row.want in ("ok", "no"):
            check(let == (row.want == "ok"), f"{row.name}: {row.lines[0]} is {'let through' if let else 'refused'}")
    check(played >= 100, f"{played} of {len(TRICKS)} rows")
    print(f"{played} of {len(TRICKS)} rows")
finish()
