#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# use: model.sh PROGRAM COMPOSITION.PY [PAIRS]   skipped where the model is not there.
set -u
[ -e "$2" ] || { echo "skipped: $2 is not there"; exit 77; }
command -v python3 >/dev/null 2>&1 || { echo "skipped: python3 is not installed"; exit 77; }
cases=$(mktemp)
trap 'rm -f "$cases"' EXIT
python3 "$(dirname "$0")/model.py" "$2" "${3:-20000}" >"$cases" && "$1" <"$cases"
