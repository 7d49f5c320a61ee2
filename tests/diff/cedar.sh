#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# use: cedar.sh CASES-PROGRAM FOLDER [COUNT [SEED]]   FOLDER takes the npm package; skipped where it cannot be had.
set -u
here=$(dirname "$0")
version=4.13.0
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { echo "skipped: node and npm are not installed"; exit 77; }
mkdir -p "$2"
if [ ! -e "$2/node_modules/@cedar-policy/cedar-wasm" ]; then
    [ -e "$2/package.json" ] || echo '{"private": true}' >"$2/package.json"
    timeout 60 npm install --prefix "$2" --ignore-scripts --no-audit --no-fund --fetch-retries=1 "@cedar-policy/cedar-wasm@$version" >"$2/npm.log" 2>&1 ||
        { echo "skipped: npm has no @cedar-policy/cedar-wasm for us"; tail -n 3 "$2/npm.log"; exit 77; }
fi
cases=$(mktemp)
trap 'rm -f "$cases"' EXIT
"$1" "${3:-24000}" "${4:-1}" >"$cases" || exit 1
node "$here/cedar.mjs" "$2" <"$cases"
