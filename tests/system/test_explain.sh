#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pdpctl explain and pdpctl repl, from the outside: recordings, JSON, pipes, a terminal, mistakes.
set -eu
ctl=$PDP_BIN/pdpctl
[ -x "$ctl" ] || { echo "pdpctl is not built"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is missing"; exit 77; }
exec python3 "$(dirname "$0")/explain.py" "$ctl"
