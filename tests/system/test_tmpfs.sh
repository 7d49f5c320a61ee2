#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A small disk fills up under load: see tmpfs.py. It is a tmpfs of a mount namespace of our own.
set -eu
[ -x "$PDP_BIN/pdpd" ] || { echo "pdpd is not built"; exit 77; }
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/state"
unshare -rm mount -t tmpfs -o size=64m none "$work/state" 2>"$work/why" ||
    { echo "nothing can be mounted here: $(cat "$work/why")"; exit 77; }
# shellcheck disable=SC2016
unshare -rm sh -c 'mount -t tmpfs -o size=64m none "$3/state" && exec python3 tests/system/tmpfs.py "$@"' \
    sh "$PDP_BIN/pdpd" "$PDP_BIN/pdpctl" "$work"
