#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sessions of VS Code's client library with `pdpctl lsp`. use: session.sh PDPCTL FOLDER
# The library comes by npm into FOLDER; nothing of it is part of the project. Skipped where it cannot be had.
set -u
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { echo "skipped: node and npm are not installed"; exit 77; }
mkdir -p "$2"
if [ ! -e "$2/node_modules/vscode-jsonrpc/node.js" ]; then
    [ -e "$2/package.json" ] || echo '{"private": true}' >"$2/package.json"
    timeout 60 npm install --prefix "$2" --ignore-scripts --no-audit --no-fund --fetch-retries=1 vscode-jsonrpc@8.2.0 >"$2/npm.log" 2>&1 ||
        { echo "skipped: npm has no vscode-jsonrpc for us"; tail -n 3 "$2/npm.log"; exit 77; }
fi
node "$here/session.mjs" "$1" "$2/node_modules" && node "$here/spaces.mjs" "$1" "$2/node_modules"
