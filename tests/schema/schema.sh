#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# use: schema.sh PDPCTL FOLDER ROOT [--accept]   FOLDER takes npm's packages; skipped where they cannot be had.
set -u
here=$(dirname "$0")
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { echo "skipped: node and npm are not installed"; exit 77; }
mkdir -p "$2"
if [ ! -e "$2/node_modules/yaml" ] || [ ! -e "$2/node_modules/ajv" ]; then
    [ -e "$2/package.json" ] || echo '{"private": true}' >"$2/package.json"
    timeout 60 npm install --prefix "$2" --ignore-scripts --no-audit --no-fund --fetch-retries=1 ajv@8.17.1 yaml@2.6.1 >"$2/npm.log" 2>&1 ||
        { echo "skipped: npm has no ajv and yaml for us"; tail -n 3 "$2/npm.log"; exit 77; }
fi
schema=$(mktemp)
trap 'rm -f "$schema"' EXIT
"$1" schema >"$schema" || exit 1
node "$here/schema.mjs" "$2" "$schema" "$3" ${4:+"$4"}
