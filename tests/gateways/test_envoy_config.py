# SPDX-License-Identifier: Apache-2.0
"""The sample configuration of Envoy: every field, enumeration and type that it names is one of Envoy's published messages, and what the
page promises of it stands there. Where an `envoy` is installed, it reads the file, too."""
import os
import re
import shutil
import subprocess

from envoy import HERE, node_modules
from support import ROOT, check, finish

SAMPLE = ROOT / "adapters/envoy/examples/envoy.yaml"
PROMISED = ["failure_mode_allow: false", "status_on_error: {code: Forbidden}", "normalize_path: true", "merge_slashes: true",
            "path_with_escaped_slashes_action: REJECT_REQUEST", "encode_raw_headers: true", "use_remote_address: true",
            "transport_api_version: V3", "validate_mutations: true"]


def fields(path):
    return subprocess.run(["node", HERE / "fields.mjs", node_modules(), path], capture_output=True, text=True, timeout=60)


def spoilt(text, folder):
    """A name that is none is noticed, wherever it stands."""
    path = folder / "envoy-spoilt.yaml"
    for right, wrong in (("merge_slashes", "merge_slash"), ("REJECT_REQUEST", "REJECT"), ("failure_mode_allow: false", "failure_mode_allow: 'no'"),
                         ("v3.ExtAuthzPerRoute", "v3.ExtAuthzForRoute"), ("grpc_health_check", "grpc_health"), ("cluster_name: site", "cluster: site")):
        path.write_text(text.replace(right, wrong))
        done = fields(path)
        check(done.returncode == 1, f"`{wrong}` is noticed: {done.stdout}")
    path.unlink()


text = SAMPLE.read_text()
done = fields(SAMPLE)
found = re.search(r"(\d+) fields, 0 wrong", done.stdout)
check(done.returncode == 0 and found and int(found[1]) > 80, f"its fields are Envoy's: {done.stdout}{done.stderr[-500:]}")
for line in PROMISED:
    check(text.count(line) == 1, f"`{line}` stands there")
spoilt(text, node_modules().parent)
envoy = os.environ.get("PDP_ENVOY") or shutil.which("envoy")
if envoy:
    done = subprocess.run([envoy, "--mode", "validate", "-c", SAMPLE], capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"envoy takes it: {done.stderr[-2000:]}")
else:
    print("no envoy here, so none has read it")
finish()
