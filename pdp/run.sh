#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds a release, starts pdpd on policies/baseline, plays recorded sessions against it over NNG, prints every
# decision, and stays up to be asked. `--exit` ends after the play.
set -eu
cd "$(dirname "$0")/.."
. pdp/packages.sh

stay=yes
case "${1-}" in
"") ;;
--exit) stay=no ;;
*)
    echo "usage: sh pdp/run.sh [--exit]" >&2
    exit 2
    ;;
esac

need_packages $BUILD_PACKAGES
mkdir -p build
log=build/run.log
cmake --preset release >"$log" 2>&1 && cmake --build --preset release --target pdpd pdpctl >>"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    echo "error: the build failed; the lines above say where" >&2
    exit 1
}
bin=build/release/bin

# Addresses of documentation, placed by a small database of our own: no download, no account.
geo=build/release/geo
[ -s "$geo/anonymous.mmdb" ] || { mkdir -p "$geo" && perl tests/data/make_mmdb.pl "$geo" >/dev/null; }

state=$(mktemp -d)
decide="ipc://$state/decide.sock"
admin="ipc://$state/admin.sock"
"$bin/pdpd" --policies policies/baseline --decide "$decide" --admin "$admin" --simulate \
    --geo "$geo/city.mmdb" --geo "$geo/asn.mmdb" --geo "$geo/anonymous.mmdb" 2>"$state/log" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true; rm -rf "$state"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

waited=0
until grep -q 'event=ready' "$state/log"; do
    if ! kill -0 "$daemon" 2>/dev/null || [ "$waited" -ge 100 ]; then
        echo "error: pdpd did not start; it said:" >&2
        cat "$state/log" >&2
        exit 1
    fi
    waited=$((waited + 1))
    sleep 0.1
done

echo "pdpd serves policies/baseline at $decide"
for recording in policies/recorded/*.jsonl; do
    echo
    echo "$recording"
    "$bin/pdpctl" replay --connect "$decide" --events "$recording" --people
done
echo
"$bin/pdpctl" status --connect "$admin"

# A session begins only with the time of its authentication: here, now.
question=build/question.json
sed "s/\"auth_time\": *[0-9]*/\"auth_time\": $(date +%s)/" policies/recorded/question.json >"$question"

if [ "$stay" = yes ]; then
    cat <<EOF

It stays up until you press Ctrl-C. From another terminal, in this folder:

  $bin/pdpctl decide --connect $decide --request $question
  $bin/pdpctl session show --connect $admin --session sess-asked-by-hand
  $bin/pdpctl session terminate --connect $admin --session sess-asked-by-hand --reason "stolen laptop"
  $bin/pdpctl session list --connect $admin

and without the daemon:

  $bin/pdpctl check policies/baseline
  $bin/pdpctl eval --policies policies/baseline --geo $geo/city.mmdb --request $question
EOF
    wait "$daemon"
fi
