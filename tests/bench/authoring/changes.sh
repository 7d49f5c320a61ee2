#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lines a second of `pdpctl impact` beside those of `pdpctl replay` over the same recording, and `pdpctl diff` beside
# `pdpctl check`, in one run: sh tests/bench/authoring/changes.sh [LINES] from the work tree's root, after a release build.
set -eu
lines=${1:-200000}
bin=${PDP_BIN:-build/release/bin}
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cp -r policies/baseline "$dir/new"
sed -i 's/max_age: 15m/max_age: 5m/' "$dir/new/workforce.yaml"
python3 - "$lines" >"$dir/day.jsonl" <<'END'
import json, random, sys
rng, at = random.Random(1), 1795420800000
for n in range(int(sys.argv[1])):
    at += rng.randrange(200)
    user = f"user-{rng.randrange(20000)}"
    print(json.dumps({"at": at, "request": {
        "tenant": "acme", "action": {"name": rng.choice(["GET", "GET", "GET", "POST"])},
        "subject": {"type": "user", "id": user, "properties": {"roles": ["staff", "hr"]}},
        "resource": {"type": "route", "id": rng.choice(["/news", "/wiki/a", "/payroll/42", "/a/export"])},
        "context": {"session": {"id": f"{user}-1", "auth_time": 1795420740, "acr": "aal2", "amr": ["pwd", "otp"]},
                    "device": {"fingerprint": "d" + user, "managed": True,
                               "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
                    "network": {"ip": f"10.0.{rng.randrange(4)}.{rng.randrange(250)}"}}}}))
END
seconds() { # of a command, whose exit may be 0 or 1
    from=$(date +%s%N)
    "$@" >"$dir/out" 2>&1 || [ $? -eq 1 ]
    echo $((($(date +%s%N) - from) / 1000))
}
replay=$(seconds "$bin/pdpctl" replay --policies policies/baseline --events "$dir/day.jsonl")
impact=$(seconds "$bin/pdpctl" impact policies/baseline "$dir/new" --events "$dir/day.jsonl")
head -1 "$dir/out"
check=$(seconds "$bin/pdpctl" check policies/baseline)
diff=$(seconds "$bin/pdpctl" diff policies/baseline "$dir/new")
same=$(seconds "$bin/pdpctl" diff policies/baseline policies/baseline)
echo "check $((check / 1000)) ms, diff with one change and its example $((diff / 1000)) ms, with none $((same / 1000)) ms"
echo "replay $((lines * 1000000 / replay)) lines/s, impact $((lines * 1000000 / impact)) lines/s ($((impact * 100 / replay)) % of its time)"
