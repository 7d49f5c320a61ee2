#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 2,900 recorded CloudTrail events: through the daemon over NNG singly and in batches, and through replay twice.
# 2,900 answers each time, each explained, effects and scores the same in all.
set -eu
events=${PDP_SHARED:?}/data/attacks/cloudtrail-invictus.jsonl.gz
if [ ! -e "$events" ]; then
    echo "skipped: ../shared/data/attacks is not here"
    exit 77
fi
here=tests/system
policies=tests/cases/cloudtrail
bin=${PDP_BIN:?}
dir=$(mktemp -d)
daemon=""
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true; rm -rf "$dir"' EXIT

python3 $here/cloudtrail.py "$events" >"$dir/events.jsonl"

start() { # name
    "$bin/pdpd" --policies $policies --decide "ipc://$dir/$1.decide" --admin "ipc://$dir/$1.admin" --simulate \
        2>"$dir/$1.log" &
    daemon=$!
    waited=0
    until grep -q event=ready "$dir/$1.log"; do
        waited=$((waited + 1))
        if [ $waited -gt 300 ] || ! kill -0 $daemon 2>/dev/null; then
            cat "$dir/$1.log"
            exit 1
        fi
        sleep 0.1
    done
}
stop() {
    kill "$daemon"
    wait "$daemon" || { echo "pdpd ended with an error"; exit 1; }
    daemon=""
}

"$bin/pdpctl" replay --policies $policies --events "$dir/events.jsonl" >"$dir/replay-1"
"$bin/pdpctl" replay --policies $policies --events "$dir/events.jsonl" >"$dir/replay-2"
cmp "$dir/replay-1" "$dir/replay-2" || { echo "two replays differ"; exit 1; }
start single
"$bin/pdpctl" replay --connect "ipc://$dir/single.decide" --events "$dir/events.jsonl" >"$dir/single"
stop
start batch
"$bin/pdpctl" replay --connect "ipc://$dir/batch.decide" --batch 256 --events "$dir/events.jsonl" >"$dir/batch"
stop
python3 $here/cloudtrail.py --compare replay="$dir/replay-1" again="$dir/replay-2" single="$dir/single" batch="$dir/batch"
