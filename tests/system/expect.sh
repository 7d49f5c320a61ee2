# SPDX-License-Identifier: Apache-2.0
# For scripts that stop at the first failure: `pdpctl` in $ctl, a folder of their own in $work, one daemon in $daemon that ends with
# the script, `expect`. Sourced, with PDP_BIN set, under `set -eu`.
ctl=$PDP_BIN/pdpctl
{ [ -x "$ctl" ] && [ -x "$PDP_BIN/pdpd" ]; } || { echo "pdpctl or pdpd is not built"; exit 77; }
work=$(mktemp -d)
daemon=
clean() {
    [ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
checks=0

expect() { # EXIT TEXT COMMAND…: the exit code, and a text on standard output or error; no sanitizer speaks
    code=$1 text=$2
    shift 2
    got=0
    checks=$((checks + 1))
    "$@" >"$work/out" 2>&1 </dev/null || got=$?
    [ "$got" = "$code" ] || { cat "$work/out"; echo "FAIL: $*: exit $got, not $code"; exit 1; }
    grep -qF -- "$text" "$work/out" || { cat "$work/out"; echo "FAIL: $*: no \`$text\`"; exit 1; }
    ! grep -qE 'Sanitizer|runtime error' "$work/out" || { cat "$work/out"; exit 1; }
}
